"""A machine that somebody speaks with: events in, what came of them out."""

from __future__ import annotations

import asyncio
from abc import ABC
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from orca_bridge.convert import OrcaSystem, field_names, system_class
from statemachines_orchestrator.testing import SimulatedClock

from ._why import Reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orca_bridge.convert import OrcaChart
    from orca_bridge.definition import MachineDefinition

    from ._kinds import Kinds
    from ._why import Refusal

__all__ = ("Answer", "Session", "UnknownChildError", "state_text")


class UnknownChildError(LookupError):
    """Raised when an event is for a machine that does not run now; the text says which ones do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one event, or of time that passed."""

    event: str | None
    """None for time that passed."""
    before: str
    """The active states of the machine when it came, by path."""
    after: str
    taken: bool = True
    guard_failed: bool = False
    ignored: bool = False
    reason: str = ""
    """Why it was refused, for people; one thought a line."""
    error: Exception | None = None
    """What failed in the machine."""
    changed: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the context that have another value now."""
    skipped: tuple[str, ...] = ()
    """Actions that would have run, and have no handler."""
    child: str = ""
    """The machine that it was for, by its place; empty for the machine itself."""
    effect_errors: tuple[Mapping[str, str], ...] = ()
    """Effects that have failed: which, of which action, and why."""
    children_before: Mapping[str, str] = field(default_factory=dict)
    """The active states of the machines that ran below it, by their places."""
    children: Mapping[str, str] = field(default_factory=dict)
    """The same afterwards."""

    @property
    def tells_something(self) -> bool:
        """Whether anything is otherwise than before."""
        moved = self.before != self.after or self.children_before != self.children
        return bool(moved or self.changed or self.error or self.skipped or self.effect_errors)


class _Running(OrcaSystem, ABC, atomic=False):
    """What is run. A step that fails stays as the machine left it: somebody wants to look at it."""


class Session:
    """
    One machine of a document while it runs, with the machines that it invokes.

    It is a member of an orchestrator, so that its timers go by a clock and all of it can be saved.

    Args:
        kinds: The classes of the machines.
        context: Values to start with.
        manual: Whether time passes only when `advance` says so.
        saved: A snapshot of an earlier session, to go on from.

    Raises:
        SnapshotError: What was saved does not fit the machine.
    """

    def __init__(
        self,
        kinds: Kinds,
        *,
        context: Mapping[str, Any] | None = None,
        manual: bool = True,
        saved: str | None = None,
    ) -> None:
        self.kinds = kinds
        self._runner = asyncio.Runner()
        self._clock = SimulatedClock() if manual else None
        made = system_class(f"{kinds.main.__name__}Run", [kinds.main], [*kinds.invoked.values()], base=_Running)
        fields, _ = field_names([self.definition.name], [])
        self.field = fields[self.definition.name]
        """The field of the orchestrator that the machine is."""
        given: dict[str, Any] = {} if self._clock is None else {"clock": self._clock}
        if saved is None:
            # Made by the orchestrator: timers of the initial entry go by its clock, too.
            self.system = made(**{self.field: partial(kinds.main, context=context)}, **given)
        else:
            self.system = made.restore(saved, **given)
        self.ignoring = False
        """Whether the event that is being handled is one that the machine ignores."""
        self._settled(self.system.activate())
        self.machine: OrcaChart = getattr(self.system, self.field)
        self.skipped: tuple[str, ...] = tuple(kinds.skipped)
        """Actions of the initial entry that have no handler."""

    def close(self) -> None:
        """Give back what running asynchronous actions took."""
        self._runner.close()

    @property
    def definition(self) -> MachineDefinition:
        """What the document says about the machine."""
        return self.kinds.main.definition

    @property
    def state(self) -> str:
        """The innermost active states, by path."""
        return state_text(self.machine)

    @property
    def ended(self) -> bool:
        """Whether the machine has come to an end."""
        return bool(self.machine.is_terminated)

    @property
    def next_due(self) -> float | None:
        """When the next timer is due, on the machine's own clock; None without one."""
        due: float | None = self.system.next_due
        return due

    @property
    def children(self) -> dict[str, OrcaChart]:
        """What runs below the machine, by place: the states from the machine down, joined by ``/``."""
        return dict(_below(self.machine, ""))

    def reasons(self, child: str = "") -> Reasons:
        """
        Ask the machine, or one below it, what it takes now.

        Raises:
            UnknownChildError: There is no machine at this place.
        """
        return Reasons(self._at(child))

    def send(self, event: str, payload: Mapping[str, Any], child: str = "") -> Answer:
        """
        Send an event and wait until the machine is quiet.

        Raises:
            UnknownChildError: There is no machine at this place.
        """
        machine = self._at(child)
        refusal = Reasons(machine).refusal(event, payload)
        return self._observed(event, lambda: machine.send(event, dict(payload)), refusal, child)

    def advance(self, seconds: float) -> Answer:
        """
        Let time pass; what is due on the way happens.

        Raises:
            ValueError: Time passes by itself.
        """
        if self._clock is None:
            raise ValueError("real time cannot be advanced; run with --clock manual")
        clock = self._clock
        return self._observed(None, lambda: clock.advance(seconds))

    def run_due(self) -> Answer:
        """Let happen what is due by now."""
        return self._observed(None, self.system.run_due)

    def _at(self, child: str) -> OrcaChart:
        if not child:
            return self.machine
        running = self.children
        if child in running:
            return running[child]
        listed = ", ".join(f"@{place}" for place in running)
        raise UnknownChildError(f"no machine runs at {child!r} now" + (f"; there are: {listed}" if listed else ""))

    def _observed(
        self, event: str | None, act: Callable[[], Any], refusal: Refusal | None = None, child: str = ""
    ) -> Answer:
        before, children, context = self.state, self._child_states(), self._shown()
        running = [self.machine, *self.children.values()]
        known = [failure for one in running for failure in one._orca.effect_failures]
        error: Exception | None = None
        self.kinds.skipped.clear()
        self.ignoring = refusal is not None and refusal.ignored
        try:
            self._settled(act())
        except TransitionNotAllowed as refused:
            error = None if refusal is not None else refused
        except Exception as failed:  # noqa: BLE001 - whatever the user's actions raise is shown
            error = failed
        changed = {
            name: self.machine.context.get(name)
            for name, text in (context | self._shown()).items()
            if context.get(name) != text or name not in self.machine.context
        }
        seen: dict[str, Any] = {"error": error, "changed": changed, "skipped": tuple(self.kinds.skipped)}
        seen |= {"child": child, "children_before": children, "children": self._child_states()}
        running += [one for one in self.children.values() if all(one is not other for other in running)]
        failures = [failure for one in running for failure in one._orca.effect_failures]
        # Of a machine that the event was not for, those of an earlier one are still there.
        new = (failure for failure in failures if all(failure is not other for other in known))
        seen["effect_errors"] = tuple(failure.shown() for failure in new)
        if refusal is not None:
            seen |= {"taken": False, **refusal.as_answer()}
        return Answer(event, before, self.state, **seen)

    def _child_states(self) -> dict[str, str]:
        return {place: state_text(child) for place, child in self.children.items()}

    def _shown(self) -> dict[str, str]:
        # As text: an action may change a value in place.
        return {name: repr(value) for name, value in self.machine.context.items()}

    def _settled(self, result: Any) -> Any:
        """Wait for what an asynchronous machine answers."""
        if not isawaitable(result):
            return result

        async def wait() -> Any:
            return await result

        return self._runner.run(wait())


def state_text(machine: OrcaChart) -> str:
    """Give the innermost active states of a machine, by path."""
    return ", ".join(str(state.value) for state in machine.configuration if state.is_atomic)


def _below(machine: OrcaChart, place: str) -> list[tuple[str, OrcaChart]]:
    found = []
    for path, child in machine.children.items():
        found += [(f"{place}{path}", child), *_below(child, f"{place}{path}/")]
    return found
