"""What waits for its turn in a machine, and what is found out while it has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .types import TransitionResult

__all__ = ("Item", "Step")


@dataclass(eq=False)
class Item:
    """An event that waits for its turn."""

    event: str
    payload: dict[str, Any] | None = None
    owned: bool = False
    """Whether somebody waits for the result."""
    prepare: Callable[[], Awaitable[dict[str, Any] | None]] | None = None
    """Done first, when its turn has come; gives the payload, or None if the event has become void."""
    error: Exception | None = None
    """Raised if nothing takes the event."""
    done: bool = False
    result: TransitionResult | None = None
    failure: BaseException | None = None


@dataclass(eq=False)
class Step:
    """What is found out during one macrostep."""

    taken: bool = False
    effect_errors: list[dict[str, str]] = field(default_factory=list)
    taken_events: set[str] = field(default_factory=set)
    """The events that transitions were taken for."""
    failures: list[Exception] = field(default_factory=list)
    """Raised to the caller when the macrostep is over."""
