"""Records in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from statemachines_orchestrator.system import (
    EventHeld,
    EventRefused,
    LinkFired,
    Moved,
    StepEnded,
    StepStarted,
    TimerChanged,
)

if TYPE_CHECKING:
    from statemachines_orchestrator.system import Inspection

__all__ = ("describe", "event_of", "in_words")


def describe(record: Inspection) -> str:
    """Say in one line what a record tells, such as ``step 3: order.process: pending -> processing``."""
    return f"step {record.step}: {in_words(record)}"


def in_words(record: Inspection) -> str:
    """Say in one line what a record tells, but not of which step."""
    match record:
        case StepStarted():
            text = f"started by {event_of(record)}" if event_of(record) else "started"
        case StepEnded():
            text = _end(record)
        case Moved():
            text = f"{event_of(record)}: {_change(record)}{_because(record.cause)}"
        case LinkFired():
            text = _effect(record)
        case EventHeld():
            text = f"{event_of(record)} is held{_because(record.link)}"
        case EventRefused():
            text = f"{event_of(record)} is refused{_because(record.link)}: {record.why}"
        case TimerChanged():
            due = f", due at {record.due:g}" if record.change == "set" else ""
            text = f"timer for {event_of(record)} {record.change}{due}{_because(record.link)}"
        case _:
            assert_never(record)
    return " ".join(text.split())


def event_of(record: StepStarted | Moved | EventHeld | EventRefused | TimerChanged) -> str:
    """Return the dotted name of the record's event, as far as it has one; it may be empty."""
    return ".".join(filter(None, (record.address, record.event)))


def _end(record: StepEnded) -> str:
    if record.error is None:
        return f"ended in {record.configuration}" if record.configuration else "ended"
    return f"failed and was {'' if record.put_back else 'not '}put back: {record.error}"


def _change(record: Moved) -> str:
    if not record.left and not record.entered:
        return "no change of state"
    return f"{', '.join(record.left)} -> {', '.join(record.entered)}".strip()


def _effect(record: LinkFired) -> str:
    source = f" after {record.source}" if record.source else ""
    target = ".".join(filter(None, (record.target, record.event)))
    return f"{record.link} fires{source}" + (f" and sends {target}" if target else "")


def _because(cause: str | None) -> str:
    return f" ({cause})" if cause else ""
