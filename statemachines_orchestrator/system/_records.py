"""
What an observer is told: a closed set of small frozen records.

They hold plain values only, so that they can be compared, written to a file, and read from it again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = (
    "EventHeld",
    "EventRefused",
    "Inspection",
    "LinkFired",
    "Moved",
    "StepEnded",
    "StepStarted",
    "TimerChanged",
    "record_from",
    "record_to_mapping",
)


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins."""

    kind: ClassVar[str] = "step started"

    step: int
    """The number of the step; the steps of one system are counted from 1."""
    at: float
    """The time on the orchestrator's clock, in seconds."""
    address: str | None
    """The member that the event is for; None for a joint event, and for a step without one, such as the first entry."""
    event: str | None


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step has ended."""

    kind: ClassVar[str] = "step ended"

    step: int
    at: float
    configuration: str
    """Where the machines are now that took part, as text."""
    error: str | None
    """What it failed with; None for a step that succeeded."""
    put_back: bool
    """Whether what it did was undone."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A machine has taken a transition."""

    kind: ClassVar[str] = "moved"

    step: int
    address: str
    event: str | None
    """The event that it took; None for an eventless transition."""
    left: tuple[str, ...]
    """States that were left, in order."""
    entered: tuple[str, ...]
    """States that were entered, in order."""
    cause: str | None
    """The link that caused it, such as ``Shop.charge``; None for a call."""


@dataclass(frozen=True, slots=True)
class LinkFired:
    """A link has its effect."""

    kind: ClassVar[str] = "link fired"

    step: int
    link: str
    """The link, such as ``Shop.charge``."""
    source: str
    """The member whose move triggered it; empty for a condition."""
    target: str
    """The member that its event is for; empty for a function."""
    event: str | None
    """Its event; None for a function."""


@dataclass(frozen=True, slots=True)
class EventHeld:
    """The event of a link was refused, and is kept."""

    kind: ClassVar[str] = "held"

    step: int
    link: str
    address: str
    event: str


@dataclass(frozen=True, slots=True)
class EventRefused:
    """An event was refused."""

    kind: ClassVar[str] = "refused"

    step: int
    address: str
    event: str
    why: str
    link: str | None
    """The link that sent it."""


@dataclass(frozen=True, slots=True)
class TimerChanged:
    """A timer was set, was cancelled, or is due."""

    kind: ClassVar[str] = "timer"

    step: int
    change: Literal["set", "cancelled", "fired"]
    due: float
    """The time on the orchestrator's clock, in seconds."""
    address: str
    """The member whose event waits; for a delayed link the member that triggered it."""
    event: str | None
    link: str | None


Inspection: TypeAlias = StepStarted | StepEnded | Moved | LinkFired | EventHeld | EventRefused | TimerChanged
"""What an observer is told."""

_KINDS: dict[str, type[Any]] = {
    one.kind: one for one in (StepStarted, StepEnded, Moved, LinkFired, EventHeld, EventRefused, TimerChanged)
}


def record_to_mapping(record: Inspection) -> dict[str, Any]:
    """Return a record as plain data, its kind under ``kind``."""
    return {"kind": record.kind, **asdict(record)}


def record_from(values: Mapping[str, Any]) -> Inspection:
    """
    Return the record that plain data describes.

    Raises:
        ValueError: It describes none.
    """
    kind = _KINDS.get(str(values.get("kind")))
    if kind is None:
        raise ValueError(f"{values.get('kind')!r} is no kind of record; there are: {', '.join(_KINDS)}")
    names = {one.name for one in fields(kind)}
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    given.pop("kind")
    if given.keys() != names:
        wrong = ", ".join(sorted(names ^ given.keys()))
        raise ValueError(f"a record of the kind {kind.kind!r} has exactly {', '.join(sorted(names))}; see {wrong}")
    record: Inspection = kind(**given)
    return record
