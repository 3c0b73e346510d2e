"""The events section: bullets with descriptions and payloads, or a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orca_bridge.definition import EventDefinition, Parameter

from ._names import as_name, declared_name, unmarked, unticked
from ._parameters import matching_parenthesis, parse_parameters
from ._scanner import Kind
from ._tables import Columns, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._draft import Draft
    from ._outline import Block
    from ._source import Text

COLUMNS = Columns(("Event",), ("Payload", "Description"), aliases={"name": "event"})
_NAME_END = re.compile(r"[,:(\s]|$")
_LEADS = (":", "(", '"', "'", "-", "\N{EN DASH}", "\N{EM DASH}")


def read_events(draft: Draft, blocks: Sequence[Block]) -> None:
    """Read the declared events."""
    for block in blocks:
        for item in block.of(Kind.BULLET):
            _read_bullet(item.text, draft)
        for row in read_rows(block, COLUMNS, draft.findings):
            payload = _payload_of(unticked(row["Payload"]).value.strip("{}()")) or ()
            _declare(row["Event"], draft, row["Description"].value, payload)


def _read_bullet(text: Text, draft: Draft) -> None:
    rest = unmarked(text)
    while rest.value:
        rest = _read_event(rest, draft)


def _read_event(text: Text, draft: Draft) -> Text:
    """Read the first event of a list, and give what follows its comma."""
    match = _NAME_END.search(text.value)
    end = match.start() if match else len(text.value)
    name = text.cut(0, end)
    payload: tuple[Parameter, ...] | None = None
    if text.value[end : end + 1] == "(":
        closing = matching_parenthesis(text.value, end)
        payload = _payload_of(text.value[end + 1 : closing]) if closing > 0 else None
        end = closing + 1 if payload is not None else end
    rest = text.cut(end).strip()
    if rest.value.startswith(","):
        _declare(name, draft, "", payload or ())
        return rest.cut(1).strip()
    if rest.value and not rest.value.startswith(_LEADS):
        return _refuse_words(text, draft)
    _declare(name, draft, _description(rest.value), payload or ())
    return rest.end


def _refuse_words(text: Text, draft: Draft) -> Text:
    words = text.split(",")[0]
    message = f"{words.value!r} cannot name an event: a name is one word"
    suggestion = f"write {as_name(words.value)!r}, or put ':' in front of the description"
    draft.findings.error("INVALID_NAME", message, words, suggestion)
    return text.cut(len(words.value)).strip().cut(1).strip()


def _description(text: str) -> str:
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].strip()
    return text.lstrip(":-\N{EN DASH}\N{EM DASH} \t").strip("\"'")


def _payload_of(text: str) -> tuple[Parameter, ...] | None:
    try:
        return parse_parameters(text)
    except ValueError:
        return None


def _declare(cell: Text, draft: Draft, description: str, payload: tuple[Parameter, ...]) -> None:
    name = declared_name(cell, "event", draft.findings)
    if name is None:
        return
    if name in draft.events:
        message = f"the event {name!r} is declared already"
        draft.findings.warning("DUPLICATE_EVENT", message, unmarked(cell), "remove one of the two")
        return
    draft.events[name] = EventDefinition(name, description, payload, unmarked(cell).span)
