"""The column Updates: what an action may write (language.md 5.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orca_bridge.definition import Path, Update, Value

from ._literals import NotALiteral, literal, number
from ._maps import split_outside
from ._names import NAME_PATTERN, is_name, is_nothing, unmarked

if TYPE_CHECKING:
    from ._draft import Draft
    from ._source import Text

_SUM = re.compile(rf"(?:ctx\.|context\.)?({NAME_PATTERN})\s*([+-])\s*(\d[\d_]*(?:\.\d+)?)")
_PAYLOAD = re.compile(rf"(event|payload)((?:\.{NAME_PATTERN})+)")
_FIELD = re.compile(rf"(?:(ctx|context)\.)?({NAME_PATTERN})")
_CONSTANTS = frozenset({"true", "false", "null"})
_FORMS = "write 'none', or a list of 'field' and 'field := value', 'field := field + 1', 'field := event.path'"


def read_updates(cell: Text, draft: Draft) -> tuple[Update, ...] | None:
    """Read what an action may write; None if the cell says nothing or cannot be read."""
    cell = unmarked(cell)
    if is_nothing(cell):
        return None
    if cell.value.lower() == "none":
        return ()
    found = [(part, parse_update(part.value)) for part in split_outside(cell, ",;")]
    for part, update in found:
        if update is None:
            message = f"{part.value!r} is no update"
            draft.findings.error("INVALID_CELL", message, part, _FORMS)
    updates = [update for _, update in found if update is not None]
    return tuple(updates) if len(updates) == len(found) else None


def parse_update(text: str) -> Update | None:
    """Read one update; None if it has another form."""
    name, assigned, value = (part.strip() for part in text.partition(":="))
    bare = _FIELD.fullmatch(name)
    if bare is None:
        return None
    if not assigned:
        return Update(bare[2])
    return _assigned(bare[2], value)


def _assigned(name: str, value: str) -> Update | None:
    total = _SUM.fullmatch(value)
    if total is not None:
        offset = number(total[3])
        return Update(name, Path("context", (total[1],)), offset if total[2] == "+" else -offset)
    payload = _PAYLOAD.fullmatch(value)
    if payload is not None:
        return Update(name, Path("event", tuple(payload[2][1:].split(".")), root_text=payload[1]))
    field = _FIELD.fullmatch(value)
    if field is not None and value not in _CONSTANTS and is_name(field[2]):
        return Update(name, Path("context", (field[2],), root_text=field[1] or ""))
    try:
        found = literal(value, words=False)
    except NotALiteral:
        return None
    return Update(name, Value(found)) if found is None or isinstance(found, str | int | float) else None
