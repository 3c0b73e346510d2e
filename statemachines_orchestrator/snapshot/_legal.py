"""Whether states can be active together as a whole: at every level, with all that has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statemachines_orchestrator.declare import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from statemachines_orchestrator.charts import Chart

__all__ = ("unknown_states", "why_illegal")


def unknown_states(chart: Chart, states: Iterable[str]) -> Iterator[str]:
    """Yield a sentence about each id that is none of the states."""
    known = [node.id for node in chart.nodes]
    for state in states:
        if state not in known:
            close = nearest(state, known)
            hint = f". Did it become {close!r}?" if close else f"; its states are {', '.join(known)}"
            yield f"{chart.name} has no state {state!r}{hint}"


def why_illegal(chart: Chart, active: list[str]) -> str | None:
    """
    Say why states cannot be all the active ones of a machine; None if they can.

    Nothing active is a machine that has not entered its initial state.
    """
    if not active:
        return None
    top = [state for state in active if chart.node(state).parent is None]
    if len(top) != 1:
        return f"{_listed(top)} at the top level, instead of one"
    return next((why for state in active for why in _wrong_with(chart, state, active)), None)


def _wrong_with(chart: Chart, state: str, active: list[str]) -> Iterator[str]:
    """Yield what keeps one state from being active together with the others."""
    node = chart.node(state)
    inside = [one for one in active if chart.node(one).parent == state]
    missing = [one for one in chart.children(state) if one not in inside]
    if node.is_history:
        yield f"{state!r} is a history state, which is never active"
    if node.parent is not None and node.parent not in active:
        yield f"{state!r} is active and {node.parent!r} around it is not"
    if node.kind == "compound" and len(inside) != 1:
        yield f"{_listed(inside)} inside {state!r}, instead of one"
    if node.kind == "parallel" and missing:
        yield f"{state!r} is active without its region {missing[0]!r}"


def _listed(states: list[str]) -> str:
    if not states:
        return "no state is active"
    return f"{' and '.join(map(repr, states))} {'is' if len(states) == 1 else 'are'} active"
