"""What a link tells its functions: who moved, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statemachine import StateChart

__all__ = ("Occurrence",)

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """
    Something that happened to a member, or that it is asked to take.

    The functions of links and guards receive it as their second argument, if they take two.
    """

    address: str
    """The member, such as ``"order"``, ``"materials[m1]"`` or ``"billing.payment"``; empty for a condition that
    began to hold and for a joint event."""
    machine: StateChart[Any] | None = None
    key: str | None = None
    """The member's key in its collection."""
    event: str | None = None
    """The event that the machine took, or is asked to take; None if no event caused it."""
    state: str | None = None
    """The state that was entered, for a link that waits for one."""
    args: tuple[Any, ...] = ()
    """What the event carries by position."""
    kwargs: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """What the event carries by keyword."""

    def __repr__(self) -> str:
        words = [word for word in (self.address, self.event, self.state) if word]
        return f"<occurrence {' '.join(words) or 'of a condition'}>"
