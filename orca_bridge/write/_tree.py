"""
The states of a machine as one tree of nodes, regions included, with what the document leaves open decided.

A definition keeps states and regions apart, because a region is neither source nor target. Whoever draws or
exports a machine walks both alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from orca_bridge.definition import StateDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import MachineDefinition, RegionDefinition

__all__ = ("Kind", "Node", "Tree", "ancestry", "read_tree")

Kind: TypeAlias = Literal["atomic", "final", "compound", "parallel", "region"]


@dataclass(frozen=True, slots=True)
class Node:
    """A state or a region."""

    path: str
    name: str
    kind: Kind
    parent: str
    """The path of the node around it; empty at the top."""
    initial: bool
    """Whether it is entered with its parent; the first child is, where the document marks none."""
    definition: StateDefinition | RegionDefinition = field(repr=False)
    children: tuple[Node, ...] = field(default=(), repr=False)

    @property
    def state(self) -> StateDefinition | None:
        """What the document says about the state; None for a region."""
        return self.definition if isinstance(self.definition, StateDefinition) else None


@dataclass(frozen=True, slots=True)
class Tree:
    """All nodes of a machine."""

    roots: tuple[Node, ...]

    def __iter__(self) -> Iterator[Node]:
        """Give every node, parents before their children, in document order."""
        yield from _walk(self.roots)

    def by_path(self) -> dict[str, Node]:
        """Give every node by its path."""
        return {node.path: node for node in self}


def read_tree(machine: MachineDefinition) -> Tree:
    """Read the states of a machine as a tree."""
    return Tree(_states(machine.states, ""))


def ancestry(path: str) -> list[str]:
    """Give the paths of all nodes from the top to this one, itself included."""
    parts = path.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def _states(states: Sequence[StateDefinition], parent: str) -> tuple[Node, ...]:
    first = next((state.path for state in states if state.initial), states[0].path if states else "")
    return tuple(_state(state, parent, state.path == first) for state in states)


def _state(state: StateDefinition, parent: str, initial: bool) -> Node:
    if state.regions:
        regions = tuple(_region(region, state.path) for region in state.regions)
        return Node(state.path, state.name, "parallel", parent, initial, state, regions)
    kind: Kind = "compound" if state.children else "final" if state.final else "atomic"
    return Node(state.path, state.name, kind, parent, initial, state, _states(state.children, state.path))


def _region(region: RegionDefinition, parent: str) -> Node:
    return Node(region.path, region.name, "region", parent, True, region, _states(region.states, region.path))


def _walk(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.children)
