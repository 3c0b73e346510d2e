"""The events section: bullets with descriptions and payloads, or a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._diagnostics import ORP
from ._names import as_name, declared_name, is_plain, report_marks, unmarked, unticked
from ._parameters import bounds_outside, matching_parenthesis, parse_parameters
from ._records import make_event, make_span
from ._scanner import Kind
from ._tables import Columns, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orca_bridge.definition import Parameter

    from ._diagnostics import Findings
    from ._draft import Draft
    from ._outline import Block
    from ._scanner import Item
    from ._source import Text

COLUMNS = Columns(("Event",), ("Payload", "Description"), aliases={"name": "event"})
_NAME_END = re.compile(r"[,:(\s]|$")
_LEADS = (":", "(", '"', "'", "-", "\N{EN DASH}", "\N{EM DASH}")


def read_events(draft: Draft, blocks: Sequence[Block]) -> None:
    """Read the declared events."""
    for block in blocks:
        listed = block.plain_list()
        if listed is not None:
            _read_plain_list(*listed, block, draft)
            continue
        report_bullets(block, draft.findings)
        for item in block.of(Kind.BULLET):
            read_event_list(item.text, draft)
        tabled = next((item.text for item in block.items if item.kind is Kind.ROW), None)
        if tabled is not None:
            message = "other tools read no events from a table"
            draft.findings.portability("PORT_EVENTS_TABLE", message, tabled, "write a bullet for each")
        for row in read_rows(block, COLUMNS, draft.findings):
            payload = _payload_of(unticked(row["Payload"]).value.strip("{}()")) or ()
            declare_event(row["Event"], draft, row["Description"].value, payload)


def _read_plain_list(first: int, values: Sequence[str], block: Block, draft: Draft) -> None:
    """Read a list of bullets and nothing else, as nearly all are written."""
    events = draft.events
    for number, value in enumerate(values, first):
        name = value[2:]
        if is_plain(name) and name not in events:
            column = block.column(number) + 2
            events[name] = make_event(name, "", (), make_span(number, column, column + len(name)))
        else:
            read_event_list(block.behind_marker(number), draft)


def report_bullets(block: Block, findings: Findings) -> None:
    """Report bullets that other tools do not see."""
    last: Item | None = None
    parted = False
    for item in block.items:
        if item.kind is Kind.BULLET:
            report_marker(item, findings)
            if parted:
                message = "other tools read the first list of a section, up to a blank line"
                findings.portability("PORT_TABLE_POSITION", message, item.text, "put all bullets into one list")
            last, parted = item, False
        elif last is None and item.kind is Kind.QUOTE:
            message = "orca-runtime-python does not find bullets below a blockquote"
            findings.portability("PORT_TABLE_POSITION", message, item.text, "move it below the bullets", ORP)
        elif item.kind is not Kind.COMMENT:
            parted = last is not None


def report_marker(item: Item, findings: Findings) -> None:
    """Report a bullet that other tools take for text."""
    if item.marker != "-":
        message = f"other tools take a bullet with '{item.marker}' for text"
        findings.portability("PORT_BULLET", message, item.text, "begin it with '-'")


def read_event_list(text: Text, draft: Draft) -> None:
    """Read a list of events; the first description takes the rest of the line, commas and all."""
    if is_plain(text.value):
        declare_event(text, draft)
        return
    whole = unmarked(text)
    report_marks(text, whole, draft.findings)
    for start, end in bounds_outside(whole.value, ","):
        part = whole.cut(start, end).strip()
        if part.value and _read_event(part, whole.value, end, draft):
            return


def _read_event(part: Text, whole: str, stop: int, draft: Draft) -> bool:
    """Read the event that ends at `stop`, and tell whether its description took the rest of the bullet."""
    match = _NAME_END.search(part.value)
    end = match.start() if match else len(part.value)
    name = part.cut(0, end)
    payload: tuple[Parameter, ...] | None = None
    if part.value[end : end + 1] == "(":
        closing = matching_parenthesis(part.value, end)
        payload = _payload_of(part.value[end + 1 : closing]) if closing > 0 else None
        end = closing + 1 if payload is not None else end
    following = part.value[end:].strip()
    if payload is not None or following:
        message = "other tools take what follows the name for a part of it"
        draft.findings.portability("PORT_EVENT_TEXT", message, part, f"write {name.value} alone")
    if following and not following.startswith(_LEADS):
        message = f"{part.value!r} cannot name an event: a name is one word"
        suggestion = f"write {as_name(part.value)!r}, or put ':' in front of the description"
        draft.findings.error("INVALID_NAME", message, part, suggestion)
        return False
    description = _description(following + whole[stop:]) if following else ""
    declare_event(name, draft, description, payload or ())
    return bool(following)


def _description(text: str) -> str:
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].strip()
    return text.lstrip(":-\N{EN DASH}\N{EM DASH} \t").strip("\"'")


def _payload_of(text: str) -> tuple[Parameter, ...] | None:
    try:
        return parse_parameters(text)
    except ValueError:
        return None


def declare_event(cell: Text, draft: Draft, description: str = "", payload: tuple[Parameter, ...] = ()) -> None:
    """Read one event."""
    name = cell.value if is_plain(cell.value) else declared_name(cell, "event", draft.findings)
    if name is None:
        return
    if name in draft.events:
        message = f"the event {name!r} is declared already"
        draft.findings.warning("DUPLICATE_EVENT", message, unmarked(cell), "remove one of the two")
        return
    draft.events[name] = make_event(name, description, payload, unmarked(cell).span)
