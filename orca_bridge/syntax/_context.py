"""The context section."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from orca_bridge.definition import TypeExpression

from ._diagnostics import ORP
from ._literals import NotALiteral
from ._names import NOTHING, declared_name, is_nothing, is_plain, unmarked, unticked
from ._records import make_field
from ._rows import PlainRow
from ._tables import Columns, read_rows
from ._types import MalformedType, parse_type
from ._values import example_of, parse_default

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._draft import Draft
    from ._outline import Block
    from ._rows import Row
    from ._source import Text

COLUMNS = Columns(("Field",), ("Type", "Default"))
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_STRING = TypeExpression("string")
_ROOTS = frozenset({"ctx", "context", "event", "payload"})


def read_context(draft: Draft, blocks: Sequence[Block]) -> None:
    """Read the fields with their types and defaults."""
    for block in blocks:
        for row in read_rows(block, COLUMNS, draft.findings):
            declare_field(row, draft)


def declare_field(row: Row, draft: Draft) -> None:
    """Read one field."""
    if isinstance(row, PlainRow) and _declare_plain(row, draft):
        return
    cell = unmarked(row["Field"])
    name = declared_name(row["Field"], "field", draft.findings)
    kind = _type_of(row["Type"], draft)
    kind, default = _default_of(row["Default"], kind, draft)
    if name is None:
        return
    earlier = draft.fields.get(name)
    if not draft.is_new(cell, earlier.span if earlier else None, "field"):
        return
    if name in _ROOTS:
        message = f"in guards, {name!r} alone means the root and not this field"
        draft.findings.warning("AMBIGUOUS_NAME", message, cell, f"rename the field, or write 'ctx.{name}'")
    draft.fields[name] = make_field(name, kind, default, cell.span, unticked(row["Default"]).value, row.others)


def _declare_plain(row: PlainRow, draft: Draft) -> bool:
    """Read a field with a plain name and type; false, with nothing done, if more care is needed."""
    name, type_text, default_text = row.texts
    if not is_plain(name) or name in draft.fields or name in _ROOTS or "`" in row.value:
        return False
    try:
        kind = parse_type(type_text) if type_text else _STRING
    except MalformedType:
        return False
    default: object = None
    if default_text:
        default = _plain_default(default_text, kind)
        if default is None:
            kind, default = _default_of(row["Default"], kind, draft)
    draft.fields[name] = make_field(name, kind, default, row.span("Field", name), default_text, ())
    return True


def _plain_default(text: str, kind: TypeExpression) -> object:
    """Read a default about which nothing has to be said; None if it needs care."""
    if kind.kind == "enum" or text in NOTHING or not _is_portable(text, kind):
        return None
    try:
        return parse_default(text, kind)
    except NotALiteral:
        return None


def _type_of(cell: Text, draft: Draft) -> TypeExpression:
    text = unticked(cell)
    if not text.value:
        return _STRING
    try:
        return parse_type(text.value)
    except MalformedType as problem:
        draft.findings.error("INVALID_TYPE", str(problem), text, problem.suggestion)
        return TypeExpression("any", text=text.value)


def _default_of(cell: Text, kind: TypeExpression, draft: Draft) -> tuple[TypeExpression, object]:
    text = unticked(cell)
    if is_nothing(text):
        if text.value:
            message = f"other tools take {text.value!r} for the value"
            draft.findings.portability("PORT_DASH_CELL", message, text, "leave the cell empty")
        return kind, None
    if kind.kind == "enum" and not kind.values and "," in text.value:
        message = "the list is taken for the values; orca-runtime-python starts with the whole text"
        draft.findings.portability("PORT_ENUM", message, text, f"write 'enum({text.value})' as type", ORP)
        # The values are listed where a default belongs, so nothing says which one the field starts with.
        return replace(kind, values=tuple(part.value for part in text.split(",") if part.value)), None
    try:
        default = parse_default(text.value, kind)
    except NotALiteral:
        what = f"one of {', '.join(kind.values)}" if kind.values else f"a value of type {kind.text or kind.kind}"
        message = f"{text.value!r} is not {what}"
        draft.findings.error("INVALID_DEFAULT", message, text, f"write {example_of(kind)}, or leave the cell empty")
        return kind, None
    if text is not cell or not _is_portable(text.value, kind):
        message = f"orca-runtime-python stores another value for {cell.value!r}"
        draft.findings.portability("PORT_DEFAULT", message, cell, "set it in an action", ORP)
    return kind, default


def _is_portable(text: str, kind: TypeExpression) -> bool:
    """Tell whether all tools start with the same value."""
    if text[0] in "\"'":
        return True
    plain = _PLAIN.fullmatch(text) is not None
    if kind.kind in {"string", "enum"}:
        return not plain and text.lower() not in {"true", "false", "null"}
    if kind.kind == "any":
        return plain or text in {"true", "false"} or (text[0] not in "-+[{.0123456789" and text.lower() != "null")
    return plain or text in {"true", "false"}
