"""Names that mean something already, and the nearest right name for a wrong one."""

from __future__ import annotations

import keyword
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = (
    "CALLBACK_PARAMETERS",
    "RESERVED_FIELDS",
    "RESERVED_PARAMETERS",
    "RESERVED_PAYLOAD",
    "nearest",
    "refused_parameter",
)

CALLBACK_PARAMETERS = frozenset(
    {
        "event_data",
        "machine",
        "event",
        "model",
        "transition",
        "state",
        "source",
        "target",
        "previous_configuration",
        "new_configuration",
        "error",
        "data",
        "ctx",
    }
)
"""Parameters that python-statemachine itself fills, in some phase or in all."""

RESERVED_PARAMETERS = CALLBACK_PARAMETERS | frozenset(
    {"self", "key", "on_error", "delay", "send_id", "internal", "state_field", "start_value", "listeners"}
)
"""Names that python-statemachine takes for itself, so that the orchestrator cannot go by them."""

_OVERWRITTEN = "python-statemachine puts its own value there"
RESERVED_PAYLOAD = {
    **dict.fromkeys(
        ("event_data", "machine", "event", "model", "transition", "state", "source", "target"), _OVERWRITTEN
    ),
    **dict.fromkeys(("previous_configuration", "new_configuration"), _OVERWRITTEN),
    **dict.fromkeys(("self", "key", "on_error"), "python-statemachine takes it for itself"),
    **dict.fromkeys(("delay", "send_id", "internal"), "it says how an event is sent"),
    "member_key": "callbacks of a collection's members receive their key by it",
}
"""Names that the payload of a link cannot have, and why."""

RESERVED_FIELDS = frozenset(
    {
        "activate",
        "codec",
        "clock",
        "configuration",
        "enabled_events",
        "guards",
        "inspect",
        "is_terminated",
        "joint_events",
        "links",
        "machine_classes",
        "machines",
        "migration",
        "next_due",
        "orchestrator_name",
        "parent",
        "restore",
        "run_due",
        "send",
        "snapshot",
    }
)
"""Attributes of `Orchestrator`, present and announced, that a field cannot hide."""


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Return the known name that is most like `name`, if any is at least `likeness` (0 to 1) like it."""
    found = get_close_matches(name, list(known), n=1, cutoff=likeness)
    return found[0] if found else None


def refused_parameter(name: object) -> str | None:
    """Say why the orchestrator cannot go by `name` in callbacks, or return None."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        return f"orchestrator_name={name!r} is no name that a parameter can have"
    if name in RESERVED_PARAMETERS:
        return f"orchestrator_name={name!r} is a name that python-statemachine takes for itself"
    return None
