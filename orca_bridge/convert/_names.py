"""
Names of a document as attributes of a python-statemachine class.

All states and events of a class share one flat namespace with the library's own API, and a state or event that
is called like a hook is *called* as that hook. So every document name gets an id that is free; the name itself
stays in `State.name`, `State.value` and `Event.name`, and `send` takes it as written.

Plain names come first, events before states: of an event and a state of one name the event keeps the
attribute, because events are what callers write (`payment.capture()`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from keyword import iskeyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ("SYSTEM_PREFIXES", "Names", "class_name", "identifier", "is_declarable", "is_ordinary", "name_all")

SYSTEM_PREFIXES = ("done.", "error.", "timeout.")

_HOOK_PREFIXES = ("before_", "after_", "on_enter_", "on_exit_", "on_invoke_", "on_")
_HOOK_SUBJECTS = frozenset({"state", "transition"})


@dataclass(frozen=True, slots=True)
class Names:
    """The ids of one machine."""

    states: Mapping[str, str]
    """State path to id."""
    events: Mapping[str, str]
    """Ordinary event name to id."""


def identifier(text: str) -> str:
    """
    Turn a document name into a Python identifier, alike for equal names.

    Normalised as Python's own parser does it, so that `machine.name` written in a source file finds it.
    """
    return re.sub(r"\W", "_", unicodedata.normalize("NFKC", text))


def class_name(text: str) -> str:
    """Turn the name of a machine, which may hold spaces and begin with a digit, into the name of a class."""
    name = identifier(text)
    return name if name.isidentifier() and not iskeyword(name) else f"Machine_{name}"


def is_declarable(event: str) -> bool:
    """Whether a document can declare an event of this name: system events have dots (semantics.md 2.7)."""
    return "." not in event and event != "*"


def is_ordinary(event: str) -> bool:
    """Whether an event at run time is one that ``*`` takes: neither a system event nor the library's own."""
    return is_declarable(event) and not event.startswith("__")


def name_all(paths: Sequence[str], events: Sequence[str], reserved: Collection[str]) -> Names:
    """
    Give every state and every ordinary event an id of its own.

    Args:
        paths: Full paths of all states, in document order.
        events: Names of all ordinary events, in document order.
        reserved: Ids that are taken by the library or by fixed event ids.

    Returns:
        The ids; the same input always gives the same ids, since snapshots and links refer to them.
    """
    wanted = [(kind, name) for kind, names in (("event", events), ("state", paths)) for name in names]
    hooks = _hooks(identifier(name) for _, name in wanted)
    taken = set(reserved)
    given: dict[tuple[str, str], str] = {}
    for kind, name in sorted(wanted, key=lambda pair: identifier(pair[1]) != pair[1]):
        chosen = _free(kind, identifier(name), taken, hooks)
        taken.add(chosen)
        given[kind, name] = chosen
    return Names(
        {name: given["state", name] for name in paths},
        {name: given["event", name] for name in events},
    )


def _hooks(candidates: Iterable[str]) -> frozenset[str]:
    """Every name that python-statemachine would call as a callback of these states and events."""
    subjects = set(_HOOK_SUBJECTS)
    for candidate in candidates:
        subjects |= {candidate, f"event_{candidate}", f"state_{candidate}"}
    return frozenset(prefix + subject for prefix in _HOOK_PREFIXES for subject in subjects)


def _free(kind: str, candidate: str, taken: Collection[str], hooks: Collection[str]) -> str:
    def usable(name: str) -> bool:
        return name not in taken and name not in hooks and name.isidentifier() and not iskeyword(name)

    if usable(candidate) and not candidate.startswith("_"):
        return candidate
    stem = f"{kind}_{candidate}"
    choices = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 2))
    return next(name for name in choices if usable(name))
