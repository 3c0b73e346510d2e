"""Default values of context fields, by declared type (language.md 5.1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ._literals import NotALiteral, integer, literal, number, unquoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from orca_bridge.definition import TypeExpression

_EXAMPLES = {
    "int": "0",
    "decimal": "0.0",
    "number": "0",
    "bool": "false",
    "list": "[]",
    "map": "{}",
    "string": '"text"',
}


def parse_default(text: str, kind: TypeExpression) -> object:
    """
    Read a default that is not empty.

    Raises:
        NotALiteral: If the text does not spell a value of the type.
    """
    if text.lower() == "null":
        return None
    return _READERS[kind.kind](text, kind)


def example_of(kind: TypeExpression) -> str:
    """Give a default that the type would accept."""
    return kind.values[0] if kind.values else _EXAMPLES.get(kind.kind, "null")


def _string(text: str, _kind: TypeExpression) -> object:
    plain = unquoted(text)
    return text if plain is None else plain


def _integer(text: str, _kind: TypeExpression) -> object:
    return integer(text)


def _decimal(text: str, _kind: TypeExpression) -> object:
    number(text)
    value = float(text.replace("_", ""))
    if not math.isfinite(value):
        raise NotALiteral(text)
    return value


def _number(text: str, _kind: TypeExpression) -> object:
    return number(text)


def _boolean(text: str, _kind: TypeExpression) -> object:
    if text.lower() not in {"true", "false"}:
        raise NotALiteral(text)
    return text.lower() == "true"


def _collection(text: str, kind: TypeExpression) -> object:
    return _conforming(literal(text, words=True), kind)


def _enumeration(text: str, kind: TypeExpression) -> object:
    plain = unquoted(text)
    value = text if plain is None else plain
    if kind.values and value not in kind.values:
        raise NotALiteral(text)
    return value


def _anything(text: str, _kind: TypeExpression) -> object:
    try:
        return literal(text, words=False)
    except NotALiteral:
        return text


_READERS: dict[str, Callable[[str, TypeExpression], object]] = {
    "string": _string,
    "int": _integer,
    "decimal": _decimal,
    "number": _number,
    "bool": _boolean,
    "list": _collection,
    "map": _collection,
    "enum": _enumeration,
    "any": _anything,
}


def _conforming(value: object, kind: TypeExpression) -> object:
    """Check a parsed value, and all inside it, against its type."""
    if value is None or kind.kind == "any":
        return value
    if kind.kind == "list" and isinstance(value, list):
        return [_conforming(item, kind.arguments[0]) for item in value] if kind.arguments else value
    if kind.kind == "map" and isinstance(value, dict):
        if not kind.arguments:
            return value
        return {key: _conforming(item, kind.arguments[1]) for key, item in value.items()}
    return _conforming_scalar(value, kind)


def _conforming_scalar(value: object, kind: TypeExpression) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    accepted = {
        "string": isinstance(value, str),
        "int": isinstance(value, int) and is_number,
        "decimal": is_number,
        "number": is_number,
        "bool": isinstance(value, bool),
        "enum": isinstance(value, str) and (not kind.values or value in kind.values),
    }
    if not accepted.get(kind.kind, False):
        raise NotALiteral(repr(value))
    return value
