"""What waits for its turn in a machine, and what is found out while it has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from statemachine.event_data import TriggerData

    from .types import TransitionResult

__all__ = ("Item", "Step")


@dataclass(eq=False, slots=True)
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


@dataclass(eq=False, slots=True)
class Step:
    """What is found out during one macrostep."""

    outer: Step | None = None
    """The macrostep, of another machine, that it runs within."""
    taken: bool = False
    effect_errors: tuple[dict[str, str], ...] = ()
    taken_for: tuple[TriggerData, ...] = ()
    """The events that transitions were taken for."""
    failures: tuple[Exception, ...] = ()
    """Raised to the caller when the macrostep is over."""
