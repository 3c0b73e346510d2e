"""
States within states: who contains whom, and what is entered together.

The entry follows python-statemachine's own algorithm step by step, without its objects. It claims less where the
outcome depends on what a history state remembers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._records import Edge, Node

__all__ = ("Tree",)


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """The states of a machine class by id."""

    nodes: Mapping[str, Node]
    children: Mapping[str, tuple[str, ...]]
    """The states directly inside each one, without history states."""
    defaults: Mapping[str, tuple[str, ...]]
    """Where a compound state begins, and a history state that remembers nothing."""

    def ancestors(self, state: str) -> Iterator[str]:
        """Yield the states around a state, the nearest first."""
        above = self.nodes[state].parent
        while above is not None:
            yield above
            above = self.nodes[above].parent

    def is_below(self, state: str, other: str) -> bool:
        """Whether a state lies inside another one."""
        return other in self.ancestors(state)

    def excludes(self, state: str, other: str) -> bool:
        """Whether two states can never be active at the same time."""
        if self.nodes[state].is_history or self.nodes[other].is_history:
            return True
        if state == other or self.is_below(state, other) or self.is_below(other, state):
            return False
        around = set(self.ancestors(other))
        common = next((one for one in self.ancestors(state) if one in around), None)
        return common is None or self.nodes[common].kind != "parallel"

    def started(self, initial: str) -> frozenset[str]:
        """Return the states that are active after the start: nothing is remembered yet."""
        entry = _Entry(self, enters=True, remembers=False)
        entry.take((initial,), None)
        return frozenset(entry.states)

    def entered(self, edge: Edge, *, reenters: bool) -> frozenset[str]:
        """
        Return the states that a transition surely enters.

        Args:
            edge: The transition.
            reenters: Whether the class enters the target of an internal transition.
        """
        if not edge.targets or self.nodes[edge.source].is_history:
            return frozenset()
        if edge.internal and not reenters and edge.source in edge.targets:
            # The engine leaves a source with states inside all the same, and may not enter it again.
            return frozenset()
        entry = _Entry(self, enters=reenters or not edge.internal, remembers=True)
        entry.take(edge.targets, self._domain(edge))
        if edge.internal:
            # The source is active and stays so. What its entry would do around it is a trap of the engine (D24).
            return frozenset(state for state in entry.states if self.is_below(state, edge.source))
        return frozenset(entry.states)

    def _domain(self, edge: Edge) -> str | None:
        """Return the state inside which all happens; None for the whole machine."""
        if edge.internal:
            return edge.source
        for above in self.ancestors(edge.source):
            if self.nodes[above].kind == "compound" and all(self.is_below(one, above) for one in edge.targets):
                return above
        return None


class _Entry:
    """The states that are entered together, collected in the order of python-statemachine's algorithm."""

    def __init__(self, tree: Tree, *, enters: bool, remembers: bool) -> None:
        self.tree = tree
        self.enters = enters
        self.remembers = remembers
        self.states: dict[str, None] = {}

    def take(self, targets: tuple[str, ...], top: str | None) -> None:
        """Enter all targets, what they contain by default, and what lies between them and `top`."""
        if self.remembers and any(self.tree.nodes[one].is_history for one in targets):
            # What is remembered may stand in place of anything that would be entered by default.
            self._enter(one for one in targets if not self.tree.nodes[one].is_history)
            return
        for one in targets:
            self._descend(one)
        for one in targets:
            self._climb(one, top)

    def _enter(self, states: Iterable[str]) -> None:
        if self.enters:
            self.states.update(dict.fromkeys(states))

    def _descend(self, state: str) -> None:
        node = self.tree.nodes[state]
        if node.is_history:
            self._default(state, node.parent)
            return
        self._enter((state,))
        if node.kind == "parallel":
            self._regions(state)
        elif self.tree.children[state]:
            self._default(state, state)

    def _default(self, state: str, top: str | None) -> None:
        outer, self.enters = self.enters, True
        self.take(self.tree.defaults[state], top)
        self.enters = outer

    def _regions(self, state: str) -> None:
        for child in self.tree.children[state]:
            if not any(self.tree.is_below(one, child) for one in self.states):
                self._descend(child)

    def _climb(self, state: str, top: str | None) -> None:
        for above in self.tree.ancestors(state):
            if above == top:
                return
            self.states[above] = None
            if self.tree.nodes[above].kind == "parallel":
                self._regions(above)
