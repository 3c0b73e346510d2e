"""
A machine class as one immutable description.

The layers above read this description, never python-statemachine's objects: those compare by text, so two states
of different classes can be equal, and their callbacks are spread over private lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

from statemachine import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._callbacks import Callback
    from ._records import Edge, Node
    from ._tree import Tree

__all__ = ("Chart",)


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """What a machine class declares; there is one per class, which compares by identity."""

    name: str
    states: tuple[str, ...]
    """Ids of all states at all levels, in document order; an id that is declared twice stands here twice."""
    events: tuple[str, ...]
    """Ids of the declared events."""
    nodes: tuple[Node, ...]
    """All states at all levels in document order; the history states of a state follow the states inside it."""
    edges: tuple[Edge, ...]
    """All transitions: by source in document order, and those of one source as they are declared."""
    state_ids: Mapping[str, str]
    """The id of each state by the attribute of the class that holds it, and by itself."""
    event_ids: Mapping[str, str]
    """The id of each event by the attribute of the class that holds it, and by itself."""
    initial_states: frozenset[str]
    """Ids of the states that are active after the start, before any transition."""
    fingerprint: str
    """Equal for classes with the same states and transitions, in every process; callbacks do not count."""
    hooks: frozenset[str]
    """Every method name that python-statemachine would call, by convention or because a declaration names it."""
    callbacks: tuple[Callback, ...]
    has_listeners: bool
    """Whether the class has listeners of its own."""
    has_eventless: bool
    """Whether some transition waits for no event."""
    is_abstract: bool
    """Whether the class has no states of its own."""
    own_names: tuple[str, ...]
    """Names of functions in the bodies of the machine class and its concrete machine bases."""
    reenters: bool
    """Whether an internal transition to its source, or into it, enters the target all the same."""
    ends: frozenset[str]
    """Ids of the states with which the machine ends."""
    tree: Tree = field(repr=False)

    @property
    def is_async(self) -> bool:
        """Whether some callback of the class is asynchronous; models and listeners may have others."""
        return any(iscoroutinefunction(one.function) for one in self.callbacks)

    @property
    def repeated_states(self) -> tuple[str, ...]:
        """Ids that more than one state has."""
        return tuple(sorted({state for state in self.states if self.states.count(state) > 1}))

    def node(self, state: str) -> Node:
        """
        Return a state by its id.

        Raises:
            KeyError: The class has no such state.
        """
        return self.tree.nodes[state]

    def children(self, state: str) -> tuple[str, ...]:
        """Return the ids of the states directly inside a state, without history states."""
        return self.tree.children[state]

    def ancestors(self, state: str) -> tuple[str, ...]:
        """Return the ids of the states around a state, the nearest first."""
        return tuple(self.tree.ancestors(state))

    def can_be_active_together(self, state: str, other: str) -> bool:
        """
        Whether the class allows two states to be active at the same time.

        That is so for a state and what it contains, and for states in different regions of a parallel state. It
        does not say that some event leads there.
        """
        return not self.tree.excludes(state, other)

    def is_end(self, state: str) -> bool:
        """Whether the machine ends with this state: a final one at the top level."""
        return state in self.ends

    def edges_of(self, event: str) -> tuple[Edge, ...]:
        """Return the transitions that an event of this name triggers, also by dotted prefix and wildcard (D31)."""
        return tuple(edge for edge in self.edges if any(Event(declared).match(event) for declared in edge.events))

    def entered_by(self, edge: Edge) -> frozenset[str]:
        """
        Return the ids of all states that a transition surely enters.

        Those are its targets, what they contain by default, and what lies around them and is left or not yet
        active. What a history state remembers is not known here, so behind one there is nothing sure; and what is
        active and stays active under an internal transition is not entered.
        """
        return self.tree.entered(edge, reenters=self.reenters)

    def __repr__(self) -> str:
        return f"<Chart {self.name}: {len(self.states)} states, {len(self.events)} events>"
