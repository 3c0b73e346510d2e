"""
The payload of an event: one mapping, or keywords, however the event was sent.

It is made when somebody asks for it, at the latest when the event is put on python-statemachine's road, before names
are added to what was sent there; and it is the same mapping from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._names import is_ordinary

if TYPE_CHECKING:
    from statemachine.event_data import TriggerData

__all__ = ("event_name", "injected", "is_unsafe", "payload_of", "read_payload", "replace_payload", "take_payload")

_KEPT = "orca_payload"
_DONE = "done.state."

# What python-statemachine and the orchestrator hand to callbacks.
_OURS = frozenset(
    {
        "event",
        "event_data",
        "machine",
        "member_key",
        "model",
        "new_configuration",
        "orc",
        "previous_configuration",
        "source",
        "state",
        "target",
        "transition",
    }
)
# Passed on as keywords, these names break python-statemachine's own calls.
_UNSAFE = frozenset({"key", "on_error"})
_MISSING: Any = object()


def take_payload(trigger: TriggerData) -> None:
    """
    Keep the payload of a trigger that is about to be queued.

    Raises:
        TypeError: The event was sent with something that is no payload.
    """
    if _KEPT not in vars(trigger):
        vars(trigger)[_KEPT] = _payload(trigger, trigger.kwargs)
    if trigger.kwargs:
        for name in _UNSAFE:
            trigger.kwargs.pop(name, None)


def is_unsafe(keywords: Mapping[str, Any]) -> bool:
    """Whether a payload has fields that could be taken for something else on its way."""
    return bool(keywords) and not (_UNSAFE.isdisjoint(keywords) and _OURS.isdisjoint(keywords))


def replace_payload(trigger: TriggerData, payload: dict[str, Any]) -> None:
    """Let an event that is about to be handled carry something else."""
    vars(trigger)[_KEPT] = payload


def read_payload(event: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """
    Make the payload of what was passed with an event.

    Raises:
        TypeError: It is neither one mapping nor keywords.
    """
    payload: dict[str, Any] = {}
    match tuple(args):
        case () | (None,):
            pass
        case (Mapping() as mapping,):
            payload.update(mapping)
        case _:
            kinds = ", ".join(type(value).__name__ for value in args)
            raise TypeError(f"event {event!r} takes its payload as keywords or as one mapping, not as {kinds}")
    payload.update(keywords)
    return payload


def payload_of(trigger: TriggerData) -> dict[str, Any] | None:
    """The payload of the event being handled; None for the initial entry and for eventless rows."""
    payload: dict[str, Any] | None = vars(trigger).get(_KEPT, _MISSING)
    if payload is _MISSING:
        sent = trigger.kwargs and {name: value for name, value in trigger.kwargs.items() if name not in _OURS}
        payload = vars(trigger)[_KEPT] = _payload(trigger, sent)
    return payload


def injected(keywords: Mapping[str, Any], payload: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a callback was handed beside the payload."""
    if not payload:
        return dict(keywords)
    return {name: value for name, value in keywords.items() if name in _OURS or name not in payload}


def event_name(trigger: TriggerData) -> str | None:
    """The event being handled, as the document writes it; None for the initial entry and eventless rows."""
    if trigger.event is None or str(trigger.event).startswith("__"):
        return None
    event = str(trigger.event)
    if event.startswith(_DONE):
        # The library's own: it knows states by their ids.
        state, paths = event.removeprefix(_DONE), getattr(trigger.machine, "_paths", {})
        return f"{_DONE}{paths.get(state, state)}"
    return str(trigger.event.name)


def _payload(trigger: TriggerData, keywords: Mapping[str, Any]) -> dict[str, Any] | None:
    event = trigger.event
    if event is None or event.id.startswith("__"):
        return None
    if not trigger.args:
        return dict(keywords)
    if is_ordinary(event.id):
        return read_payload(event.id, trigger.args, keywords)
    # The library sends its own events as it likes; only what reads as a payload is one.
    return read_payload(event.id, [value for value in trigger.args if isinstance(value, Mapping)][:1], keywords)
