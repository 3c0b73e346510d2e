"""Where something is: members by path, states and events by member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("EACH", "At", "Each", "Key", "MemberAddress", "Place")


@dataclass(frozen=True, slots=True)
class Each:
    """Every member of a collection, each by itself."""

    def __repr__(self) -> str:
        return "*"


EACH = Each()


@dataclass(frozen=True, slots=True)
class At:
    """One member of a collection: by its key, or by a function of the orchestrator and the occurrence."""

    key: str | Callable[..., Any]

    def __repr__(self) -> str:
        return getattr(self.key, "__name__", None) or str(self.key)


Key: TypeAlias = "Each | At | None"


@dataclass(frozen=True, slots=True)
class MemberAddress:
    """A member, seen from the orchestrator whose class declares something about it."""

    path: tuple[str, ...]
    """Fields from that orchestrator down, through nested ones."""
    key: Key = None
    """Which members of a collection; None where the path leads to a single machine."""

    def __str__(self) -> str:
        return ".".join(self.path) + ("" if self.key is None else f"[{self.key!r}]")


@dataclass(frozen=True, slots=True)
class Place:
    """A state or an event of a member."""

    member: MemberAddress
    kind: Literal["state", "event", "unknown"]
    """Unknown until an instance is made, where the member's class cannot be resolved before."""
    id: str

    def __str__(self) -> str:
        return f"{self.member}.{self.id}"
