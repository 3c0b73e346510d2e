"""States and transitions as plain records: python-statemachine's own objects compare by text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ("Edge", "Kind", "Node")

Kind = Literal["atomic", "compound", "parallel", "final", "history", "deep history"]
"""What a state is; a final state with states inside counts as compound or parallel."""


@dataclass(frozen=True, slots=True)
class Node:
    """A state, or a history pseudo state, which is never active itself."""

    id: str
    name: str
    """The text for people."""
    value: Any = field(hash=False)
    """What the model's field holds while the state is active."""
    parent: str | None
    kind: Kind
    initial: bool
    """Whether it is where the machine, or the state around it, begins; every region of a parallel state is."""
    has_invoke: bool
    """Whether something runs while the state is active."""

    @property
    def is_history(self) -> bool:
        """Whether it stands for the states that were active last, and is never active itself."""
        return self.kind in ("history", "deep history")


@dataclass(frozen=True, slots=True)
class Edge:
    """
    A transition.

    One whose source is a history state says where its parent begins as long as nothing is remembered; no event
    triggers it.
    """

    source: str
    targets: tuple[str, ...]
    """Empty for a transition that only runs callbacks."""
    events: tuple[str, ...]
    """Ids of the events that trigger it, as declared; empty if it waits for none."""
    conditions: tuple[str, ...]
    """What must hold, readable: names and expressions, ``!name`` for what must not hold, ``validator name``."""
    internal: bool
