"""
What bullets say about other states and about events, settled when all of them are known.

A name after an arrow may be a state or an event; which one wins depends on the bullet (language.md 5.3.3). Also
here: the rows of the transitions that only describe a timeout (5.4).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orca_bridge.definition import InvokeDefinition

from ._records import make_outcome, make_timeout

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from orca_bridge.definition import Outcome, TransitionDefinition

    from ._draft import Draft
    from ._nodes import Node
    from ._source import Text

TIMEOUT = "timeout"


def settle_outcomes(nodes: Iterable[Node], draft: Draft, events: Collection[str]) -> None:
    """Resolve what timeouts, invokes and ends lead to."""
    for node in nodes:
        for timer in node.timers:
            outcome = _state_first(timer.target, draft, events, "PORT_TIMEOUT")
            if outcome is not None:
                duration, span = timer.duration.value, timer.whole.span
                found = make_timeout(timer.milliseconds, outcome, timer.actions, duration=duration, span=span)
                node.timeouts.append(found)
        if node.invocation is not None:
            _settle_invoke(node, draft, events)
        else:
            _settle_ends(node, draft, events)


def _settle_invoke(node: Node, draft: Draft, events: Collection[str]) -> None:
    invocation = node.invocation
    if invocation is None or invocation.machine is None:
        for modifier in invocation.modifiers if invocation is not None else ():
            message = "this belongs to an invoke, and the state has none"
            draft.findings.error("INVALID_BULLET", message, modifier, "add 'invoke: Machine'")
        _settle_ends(node, draft, events)
        return
    if node.done is not None and node.done_first:
        message = "other tools lose 'on_done' above 'invoke'"
        draft.findings.portability("PORT_ON_DONE", message, node.done, "write it below")
    node.invoke = InvokeDefinition(
        machine=invocation.machine.value,
        input=invocation.input,
        shots=invocation.shots,
        returns=invocation.returns,
        on_done=_event_first(node.done, draft, events, "PORT_ON_DONE"),
        on_error=_event_first(node.error, draft, events, "PORT_ON_ERROR"),
        span=invocation.whole.span if invocation.whole is not None else None,
    )


def _settle_ends(node: Node, draft: Draft, events: Collection[str]) -> None:
    if node.error is not None:
        message = "other tools know 'on_error' only beside 'invoke'"
        draft.findings.portability("PORT_ON_ERROR", message, node.error, "write rows for the events error.*")
        node.on_error = _event_first(node.error, draft, events, "")
    if node.done is None:
        return
    if not node.children:
        message = f"{node.path!r} has neither children nor an invoke that could be done"
        draft.findings.error("INVALID_BULLET", message, node.done, "remove it, or write a timeout or a row")
        return
    if not node.regions:
        message = "other tools do not know the end of a compound state"
        draft.findings.portability("PORT_ON_DONE", message, node.done, f"write a row for done.state.{node.path}")
    node.on_done = _state_first(node.done, draft, events, "PORT_ON_DONE")


def _state_first(text: Text, draft: Draft, events: Collection[str], code: str) -> Outcome | None:
    if not draft.states.knows(text.value) and text.value in events:
        message = "other tools do not know an event here"
        draft.findings.portability(code, message, text, "name a state, and add a row")
        return make_outcome(event=text.value, text=text.value, span=text.span)
    found = draft.states.resolve(text)
    return None if found is None else make_outcome(target=found.path, text=text.value, span=text.span)


def _event_first(text: Text | None, draft: Draft, events: Collection[str], code: str) -> Outcome | None:
    if text is None:
        return None
    if text.value in events or ("." not in text.value and not draft.states.knows(text.value)):
        return make_outcome(event=text.value, text=text.value, span=text.span)
    found = draft.states.resolve(text)
    if found is None:
        return None
    if code:
        message = "other tools take the state for an event"
        draft.findings.portability(code, message, text, "name an event, and add a row for it")
    return make_outcome(target=found.path, text=text.value, span=text.span)


class TimeoutRows:
    """Finds the rows that describe a timeout, and gives their guard and actions to it."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._declared = TIMEOUT in draft.events
        self._nodes: dict[str, Node] = {}
        self._free: dict[tuple[str, str | None], list[int]] = {}
        for node in draft.states:
            for index, timeout in enumerate(node.timeouts):
                self._nodes[node.path] = node
                if timeout.outcome.target is not None:
                    self._free.setdefault((node.path, timeout.outcome.target), []).append(index)
        for indices in self._free.values():
            indices.reverse()

    def __repr__(self) -> str:
        """Count the states with timeouts."""
        return f"<TimeoutRows of {len(self._nodes)}>"

    @property
    def are_none(self) -> bool:
        """Whether no row can describe a timeout."""
        return not self._free

    def takes(self, row: TransitionDefinition, whole: Text) -> bool:
        """Tell whether a row belongs to a timeout, and if so give the timeout what it says."""
        free = self._free.get((row.source, row.target))
        if free is None or (row.event is not None and (row.event != TIMEOUT or self._declared)):
            return False
        if not free:
            message = "another row describes this timeout already"
            suggestion = "join the guards with 'or', or write a timeout for each"
            self._draft.findings.error("INVALID_TIMEOUT", message, whole, suggestion)
            return True
        timeouts, index = self._nodes[row.source].timeouts, free.pop()
        found = timeouts[index]
        message = f"this row describes the timeout in line {found.span.line if found.span else whole.line}"
        suggestion = "it is read so; give it an event of its own if it is another transition"
        self._draft.findings.warning("TIMEOUT_ROW", message, whole, suggestion)
        timeouts[index] = replace(
            found, actions=found.actions + row.actions, guard=row.guard, guard_text=row.guard_text, row=row
        )
        return True
