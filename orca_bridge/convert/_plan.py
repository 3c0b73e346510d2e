"""
What is decided about a class before it is made: names, and the order in which rows are tried.

Selection needs no engine of its own, only the right order of transitions per state (semantics.md 2.1): a state's rows
for an event, then its rows for ``*``; at the top-level states, where every walk ends, then the rows of source ``*``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orca_bridge.definition import Else, TransitionDefinition

from ._check import all_states, stays_final
from ._machine import RESERVED
from ._names import Names, class_name, is_declarable, name_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orca_bridge.definition import MachineDefinition, StateDefinition

__all__ = ("Plan", "first_child", "plan_of")


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions about one class."""

    class_name: str
    states: Mapping[str, StateDefinition]
    """By path."""
    rows: Sequence[TransitionDefinition]
    """Without those that would change nothing."""
    names: Names
    event_ids: Mapping[str, str]
    """Every event of the document, system events too, to the id it has in the class."""

    def actions(self) -> tuple[str, ...]:
        """Give the names of all actions that the machine runs, in document order."""
        by_state = (name for state in self.states.values() for name in (*state.on_entry, *state.on_exit))
        by_row = (name for row in self.rows for name in row.actions)
        return tuple(dict.fromkeys((*by_state, *by_row)))

    def selection_order(self) -> Iterator[tuple[str, TransitionDefinition]]:
        """Give every row with the state it is tried at, in the order in which it is tried there."""
        by_source: dict[str, list[TransitionDefinition]] = {}
        for row in self.rows:
            by_source.setdefault(row.source, []).append(row)
        for path, state in self.states.items():
            yield from ((path, row) for row in _named_first(by_source.get(path, ())))
            if "." not in path and not state.final:
                # Where every walk ends. The source is the top-level state: such a row leaves all there is.
                yield from ((path, row) for row in _named_first(by_source.get("*", ())))

    def rivals(self, row: TransitionDefinition) -> list[TransitionDefinition]:
        """Give the rows that the guard ``else`` of a row asks about."""
        return [
            other
            for other in self.rows
            if (other.source, other.event) == (row.source, row.event) and not isinstance(other.guard, Else)
        ]


def plan_of(definition: MachineDefinition) -> Plan:
    """Decide about the class of a machine, which has been checked."""
    states = {state.path: state for state in all_states(definition.states)}
    rows = [row for row in definition.transitions if not stays_final(row, states)]
    rows += [row for state in states.values() for row in _invoke_rows(state)]
    names = _names(definition, list(states))
    system = {row.event: _system_id(row.event, names) for row in rows if row.event is not None}
    return Plan(class_name(definition.name), states, rows, names, {**system, **names.events})


def first_child(state: StateDefinition) -> str | None:
    """Give the path of the child that is entered with a state."""
    marked = next((child.path for child in state.children if child.initial), None)
    return marked or (state.children[0].path if state.children else None)


def _named_first(rows: Iterable[TransitionDefinition]) -> list[TransitionDefinition]:
    return sorted(rows, key=lambda row: row.event == "*")


def _names(definition: MachineDefinition, paths: list[str]) -> Names:
    declared = [event.name for event in definition.events]
    used = [row.event for row in definition.transitions if row.event is not None]
    used += [event for state in all_states(definition.states) for event in _invoke_events(state)]
    ordinary = [name for name in dict.fromkeys(declared + used) if is_declarable(name) and name != "error"]
    fixed = {"error"} & {*declared, *used}
    return name_all(paths, ordinary, RESERVED | fixed)


def _invoke_events(state: StateDefinition) -> Iterator[str]:
    """Give the events by which a state hears of the machine that it invokes, where it names them."""
    for outcome in (state.invoke.on_done, state.invoke.on_error) if state.invoke is not None else ():
        if outcome is not None and outcome.event is not None:
            yield outcome.event


def _invoke_rows(state: StateDefinition) -> Iterator[TransitionDefinition]:
    """Make rows of what leads from a state straight to another one when the machine that it invokes has ended."""
    outcomes = () if state.invoke is None else (("done", state.invoke.on_done), ("error", state.invoke.on_error))
    for kind, outcome in outcomes:
        if outcome is not None and outcome.target is not None:
            event = f"{kind}.invoke.{state.path}"
            yield TransitionDefinition(state.path, event, outcome.target, span=outcome.span)


def _system_id(event: str, names: Names) -> str:
    """The id under which the library sends what the document calls so."""
    prefix, path = "done.state.", event.removeprefix("done.state.")
    known = event.startswith(prefix) and path in names.states
    return prefix + names.states[path] if known else event
