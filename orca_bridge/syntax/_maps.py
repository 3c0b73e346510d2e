"""
What an invoke says: the machine, and the maps of values that go in and come out (language.md 5.3.5).

The reader here raises `MapFault` for what it cannot read; whoever asked for the map knows which bullet it was.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orca_bridge.definition import InvokeInput, Path

from ._diagnostics import BOTH, OL, ORP
from ._literals import NotALiteral, literal, unquoted
from ._names import NAME_PATTERN, is_name, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._diagnostics import Findings
    from ._source import Text

_PATH = re.compile(rf"{NAME_PATTERN}(?:\.{NAME_PATTERN})*")
_ROOTS = {"ctx": "context", "context": "context", "event": "event", "payload": "event"}
_CONSTANTS = frozenset({"true", "false", "null"})
_MODIFIER = re.compile(r"(?<![\w.-])(input|shots|returns)\s*:", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\"'\[\](){},;:=]")
_OPENING = "[({"
_CLOSING = "])}"
_EXAMPLE = "write it as in 'invoke: Child input: { id: ctx.id }'"


class MapFault(Exception):  # noqa: N818 - it never leaves the package
    """Raised inside the package to say what is wrong with a map."""

    def __init__(self, message: str, text: Text, suggestion: str = _EXAMPLE) -> None:
        self.message, self.text, self.suggestion = message, text, suggestion
        super().__init__(message)


def marks(text: Text, wanted: str) -> Iterator[int]:
    """Find characters that stand outside quotes and brackets."""
    depth, quote = 0, ""
    for match in _SEPARATORS.finditer(text.value):
        character = match[0]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif depth == 0 and character in wanted:
            yield match.start()


def split_outside(text: Text, separators: str) -> list[Text]:
    """Cut at separators outside quotes and brackets; the parts are trimmed, and empty ones left out."""
    parts, start = [], 0
    for position in marks(text, separators):
        parts.append(text.cut(start, position).strip())
        start = position + 1
    parts.append(text.cut(start).strip())
    return [part for part in parts if part.value]


def split_invoke(text: Text, findings: Findings) -> tuple[Text, Text | None, list[tuple[str, Text]]]:
    """Split ``M (k: v) input: {...} shots: 5`` into the name, the map in parentheses, and the modifiers."""
    if text.value.startswith(("->", "=>")):
        message = "other tools take the arrow for a part of the name"
        findings.portability("PORT_INVOKE", message, text.cut(0, 2), "remove it")
        text = text.cut(2).strip()
    starts = list(_modifiers(text.value))
    ends = [match.start() for match in starts[1:]] + [len(text.value)]
    modifiers = [
        (match[1].lower(), text.cut(match.end(), end).strip()) for match, end in zip(starts, ends, strict=False)
    ]
    head = text.cut(0, starts[0].start() if starts else None).strip()
    inner: Text | None = None
    opening = head.value.find("(")
    if opening > 0 and head.value.endswith(")"):
        message = "other tools take the parentheses for a part of the name"
        findings.portability("PORT_INVOKE", message, head.cut(opening), "write 'input: { key: value }'")
        inner, head = head.cut(opening + 1, len(head.value) - 1).strip(), head.cut(0, opening).strip()
    name = unmarked(head)
    if name.value != head.value:
        message = "other tools take the marks for a part of the name"
        findings.portability("PORT_INVOKE", message, head, f"write {name.value}")
    if not name.value or any(character in "{}()[]:,;=|" for character in name.value):
        raise MapFault("this does not name a machine", text)
    return name, inner, [(key, _without_comma(value)) for key, value in modifiers]


def _modifiers(value: str) -> Iterator[re.Match[str]]:
    """Find the modifiers; inside braces the same words are keys."""
    depth = position = 0
    for match in _MODIFIER.finditer(value):
        depth += value.count("{", position, match.start()) - value.count("}", position, match.start())
        position = match.start()
        if depth <= 0:
            yield match


def _without_comma(text: Text) -> Text:
    return text.cut(0, len(text.value) - 1).strip() if text.value.endswith((",", ";")) else text


def read_input(text: Text, findings: Findings, *, braced: bool = True) -> tuple[InvokeInput, ...]:
    """
    Read the map of values that go in.

    Raises:
        MapFault: If it is no map, or one of its values is neither a path nor a literal.
    """
    return tuple(_input(key, value, findings) for key, value in _pairs(text, braced=braced))


def read_returns(text: Text) -> tuple[tuple[str, str], ...]:
    """
    Read the map of fields and the returned values that are written to them.

    Raises:
        MapFault: If it is no map of names.
    """
    found = []
    for key, value in _pairs(text, braced=True):
        name = unquoted(value.value) or value.value
        if not is_name(name):
            raise MapFault(f"{value.value!r} does not name what the child returns", value, "write a name")
        found.append((key, name))
    return tuple(found)


def _pairs(text: Text, *, braced: bool) -> Iterator[tuple[str, Text]]:
    inner = text
    if braced:
        if not (text.value.startswith("{") and text.value.endswith("}") and len(text.value) > 1):
            raise MapFault("a map in braces is expected", text)
        inner = text.cut(1, len(text.value) - 1).strip()
    known: set[str] = set()
    for part in split_outside(inner, ",;"):
        position = next(marks(part, ":="), -1)
        if position < 0:
            raise MapFault(f"{part.value!r} has no value", part, "write 'key: value'")
        written, value = part.cut(0, position).strip(), part.cut(position + 1).strip()
        key = unquoted(written.value) or written.value
        if not is_name(key):
            raise MapFault(f"{written.value!r} is no key: letters, digits and '_' make a name", written)
        if key in known:
            raise MapFault(f"the key {key!r} stands in this map twice", written, "keep one of the two")
        if not value.value:
            raise MapFault(f"the key {key!r} has no value", written, "write 'key: value'")
        known.add(key)
        yield key, value


def _input(key: str, value: Text, findings: Findings) -> InvokeInput:
    text = unmarked(value) if value.value.startswith("`") else value
    if text.value in _CONSTANTS or not _PATH.fullmatch(text.value):
        try:
            found = literal(text.value, words=False, bare_keys=True)
        except NotALiteral:
            message = f"{text.value!r} is neither a path nor a literal"
            raise MapFault(message, text, 'write a path such as ctx.id, or a value such as 5 or "text"') from None
        message = "orca-runtime-python passes null in place of a value"
        nested = text.value.startswith("{")
        suggestion = "pass a field that has it as its default"
        findings.portability("PORT_INVOKE", message, value, suggestion, BOTH if nested else ORP)
        return InvokeInput(key, literal=found, text=text.value)
    path = _path(text)
    if len(path.names) > 1:
        message = "orca-runtime-python passes null in place of what lies deeper than a field"
        findings.portability("PORT_INVOKE", message, value, "copy it to a field in an action", ORP)
    return InvokeInput(key, path, text=text.value)


def _path(text: Text) -> Path:
    first, *names = text.value.split(".")
    root = _ROOTS.get(first.lower())
    if root is None:
        return Path("context", (first, *names), text.span)
    if not names:
        raise MapFault(f"{first!r} alone is no value", text, f"name a field, as in '{first}.name'")
    return Path("event" if root == "event" else "context", tuple(names), text.span)


def report_modifier(key: str, at: Text, findings: Findings, *, own: bool) -> None:
    """Warn of modifiers that other tools misread."""
    if key == "input" and not own:
        return
    message = f"other tools misread an invoke with '{key}:'"
    suggestion = "write it in the bullet 'invoke'" if key == "input" else "keep it if only orca_bridge runs the file"
    findings.portability("PORT_INVOKE", message, at, suggestion, BOTH if key == "input" else OL)
