"""
Every row of a machine in the order in which it is tried: those of the document, and those that bullets stand for.

Selection needs no engine of its own, only the right order of transitions per state (semantics.md 2.1 and 3): a state's
rows for an event, then its rows for ``*``, then what it ignores by name. At the top-level states, where every walk
ends, follow the rows of source ``*``, then ``ignore: *`` of whatever is active below, and last what the machine sends
itself and nothing has taken: such events vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from orca_bridge.definition import RegionDefinition, StateDefinition, TransitionDefinition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orca_bridge.definition import Outcome, TimeoutDefinition

__all__ = ("Node", "Row", "inside", "outcome_rows", "own_events", "rows_in_order")

Node: TypeAlias = StateDefinition | RegionDefinition


@dataclass(frozen=True, slots=True)
class Row:
    """A row at the place where it is tried."""

    at: str
    """The path of the state or region."""
    definition: TransitionDefinition
    raises: str | None = None
    """The event that it raises, after its actions."""
    ignores: bool = False
    """Whether it discards the event."""
    within: str | None = None
    """What has to be active, if it is more than the place."""


def inside(node: Node) -> tuple[Node, ...]:
    """Give what is in a state or region, one level down."""
    return node.states if isinstance(node, RegionDefinition) else (*node.children, *node.regions)


def outcome_rows(nodes: Mapping[str, Node]) -> Iterator[Row]:
    """Make rows of the bullets ``on_done``, ``on_error`` and ``timeout``."""
    for path, node in nodes.items():
        if not isinstance(node, StateDefinition):
            continue
        yield from _outcome(path, f"done.state.{path}", node.on_done)
        yield from _outcome(path, "error", node.on_error)
        yield from (_timeout(path, number, timeout) for number, timeout in enumerate(node.timeouts))
        if node.invoke is not None:
            # Where an event is named, it is what the machine is sent.
            yield from _outcome(path, f"done.invoke.{path}", node.invoke.on_done, raises=False)
            yield from _outcome(path, f"error.invoke.{path}", node.invoke.on_error, raises=False)


def _timeout(path: str, number: int, timeout: TimeoutDefinition) -> Row:
    row = TransitionDefinition(
        path,
        f"timeout.{path}.{number}",
        timeout.outcome.target,
        timeout.guard,
        timeout.guard_text,
        timeout.actions,
        span=timeout.span,
    )
    return Row(path, row, timeout.outcome.event)


def _outcome(path: str, event: str, outcome: Outcome | None, *, raises: bool = True) -> Iterator[Row]:
    if outcome is not None and (raises or outcome.target is not None):
        yield Row(path, TransitionDefinition(path, event, outcome.target, span=outcome.span), outcome.event)


def own_events(node: Node) -> Iterator[str]:
    """Give the events that a state makes its machine send to itself, after a macrostep."""
    if isinstance(node, StateDefinition):
        if node.regions and node.sync == "custom":
            yield f"done.state.{node.path}"
        if node.timeouts:
            yield f"timeout.{node.path}"


def rows_in_order(nodes: Mapping[str, Node], rows: Iterable[Row]) -> Iterator[Row]:
    """
    Give every row at every place where it is tried, in the order in which it is tried there.

    Args:
        nodes: States and regions by their paths, in document order.
        rows: All rows that wait for something; those of source ``*`` have it as their place.
    """
    by_place: dict[str, list[Row]] = {}
    for row in rows:
        by_place.setdefault(row.at, []).append(row)
    anywhere = _named_first(by_place.get("*", ()))
    for path, node in nodes.items():
        yield from _named_first(by_place.get(path, ()))
        yield from (_ignoring(path, event) for event in node.ignored)
        if "." not in path and not _is_final(node):
            # Where every walk ends. The source is the top-level state: such a row leaves all there is.
            yield from (Row(path, row.definition, row.raises) for row in anywhere)
            yield from _ignoring_all(path, nodes)
            yield from (_ignoring(path, event) for inner in _below(node) for event in own_events(inner))


def _ignoring(path: str, event: str, within: str | None = None) -> Row:
    return Row(path, TransitionDefinition(path, event, None), ignores=True, within=within)


def _ignoring_all(path: str, nodes: Mapping[str, Node]) -> Iterator[Row]:
    """Discard at a top-level state what nothing has taken, while something is active that ignores everything."""
    below = (inner for inner in _below(nodes[path]) if inner.ignores_all)
    yield from (_ignoring(path, "*", None if inner.path == path else inner.path) for inner in below)


def _below(node: Node) -> Iterator[Node]:
    yield node
    for inner in inside(node):
        yield from _below(inner)


def _is_final(node: Node) -> bool:
    return isinstance(node, StateDefinition) and node.final


def _named_first(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.definition.event == "*")
