"""What is decided about a class before it is made: names, and which rows there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orca_bridge.definition import Else, StateDefinition

from ._check import all_nodes, stays_final
from ._machine import RESERVED
from ._names import Names, class_name, is_declarable, name_all
from ._rows import Row, inside, outcome_rows, own_events, rows_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orca_bridge.definition import MachineDefinition, TransitionDefinition

    from ._rows import Node

__all__ = ("Plan", "first_child", "plan_of")


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions about one class."""

    class_name: str
    nodes: Mapping[str, Node]
    """States and regions by path, in document order."""
    rows: Sequence[TransitionDefinition]
    """Those of the document, without those that would change nothing."""
    bullets: Sequence[Row]
    """Rows that bullets stand for."""
    names: Names
    event_ids: Mapping[str, str]
    """Every event of the document, system events too, to the id it has in the class."""

    @property
    def states(self) -> dict[str, StateDefinition]:
        """The states by path, without the regions."""
        return {path: node for path, node in self.nodes.items() if isinstance(node, StateDefinition)}

    def actions(self) -> tuple[str, ...]:
        """Give the names of all actions that the machine runs, in document order."""
        by_node = (name for node in self.nodes.values() for name in (*node.on_entry, *node.on_exit))
        rows = (*self.rows, *(row.definition for row in self.bullets))
        by_row = (name for row in rows for name in row.actions)
        return tuple(dict.fromkeys((*by_node, *by_row)))

    def effects(self, definition: MachineDefinition) -> dict[str, tuple[str, ...]]:
        """Give those actions in order, with the types of the effects that the document declares for each."""
        declared = {action.name: action.effects for action in definition.actions}
        return {name: declared.get(name, ()) for name in self.actions()}

    def selection_order(self) -> Iterator[Row]:
        """Give every row at every place where it is tried, in the order in which it is tried there."""
        return rows_in_order(self.nodes, [*(Row(row.source, row) for row in self.rows), *self.bullets])

    def rivals(self, row: TransitionDefinition) -> list[TransitionDefinition]:
        """Give the rows that the guard ``else`` of a row asks about."""
        return [
            other
            for other in self.rows
            if (other.source, other.event) == (row.source, row.event) and not isinstance(other.guard, Else)
        ]


def plan_of(definition: MachineDefinition) -> Plan:
    """Decide about the class of a machine, which has been checked."""
    nodes = {node.path: node for node in all_nodes(definition.states)}
    states = {path: node for path, node in nodes.items() if isinstance(node, StateDefinition)}
    rows = [row for row in definition.transitions if not stays_final(row, states)]
    bullets = list(outcome_rows(nodes))
    names = _names(definition, nodes)
    used = [row.event for row in (*rows, *(row.definition for row in bullets)) if row.event is not None]
    used += [event for node in nodes.values() for event in own_events(node)]
    system = {event: _system_id(event, names) for event in used}
    return Plan(class_name(definition.name), nodes, rows, bullets, names, {**system, **names.events})


def first_child(node: Node) -> str | None:
    """Give the path of the state that is entered with a state or region."""
    states = [child for child in inside(node) if isinstance(child, StateDefinition)]
    marked = next((child.path for child in states if child.initial), None)
    return marked or (states[0].path if states else None)


def _names(definition: MachineDefinition, nodes: Mapping[str, Node]) -> Names:
    declared = [event.name for event in definition.events]
    used = [row.event for row in definition.transitions if row.event is not None]
    used += [event for node in nodes.values() for event in _bullet_events(node)]
    ordinary = [name for name in dict.fromkeys(declared + used) if is_declarable(name) and name != "error"]
    fixed = {"error"} & {*declared, *used}
    return name_all(list(nodes), ordinary, RESERVED | fixed)


def _bullet_events(node: Node) -> Iterator[str]:
    """Give the events that a state or region names in its bullets."""
    yield from node.ignored
    if isinstance(node, StateDefinition):
        ends = (node,) if node.invoke is None else (node, node.invoke)
        yield from (one.outcome.event for one in node.timeouts if one.outcome.event is not None)
        outcomes = [outcome for one in ends for outcome in (one.on_done, one.on_error)]
        yield from (one.event for one in outcomes if one is not None and one.event is not None)


def _system_id(event: str, names: Names) -> str:
    """The id under which the library, or the machine itself, sends what the document calls so."""
    for prefix in ("done.state.", "timeout."):
        path = event.removeprefix(prefix)
        stem, _, number = path.rpartition(".")
        if path == event:
            continue
        if path in names.states:
            return prefix + names.states[path]
        if stem in names.states:
            return f"{prefix}{names.states[stem]}.{number}"
    return event
