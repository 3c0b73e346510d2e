"""
The cells of a decision table (language.md 7).

Everything here raises `CellFault` for what it cannot read. What is read, but not by other tools, is said by the
second part of the result.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from orca_bridge.definition import CellTest, NumberRange

from ._literals import NotALiteral, integer, number, unquoted

Scalar: TypeAlias = "str | float | bool"

NUMERIC = frozenset({"int_range", "decimal_range"})
_NUMBER = r"[+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?"
_INTERVAL = re.compile(rf"([\[(]?)\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*([\])]?)")
_DASHED = re.compile(r"(\d[\d_]*(?:\.\d+)?)\s*-\s*(\d[\d_]*(?:\.\d+)?)")
_FROM = re.compile(rf"({_NUMBER})\s*\+")
_BOUND = re.compile(rf"(>=|>|<=|<)\s*({_NUMBER})")
_LONGEST = 400
_EXAMPLES = {
    "bool": "write 'true' or 'false'",
    "int_range": "write a number, '1..5', '5+', '>= 5', '1, 2' or '!5'",
    "decimal_range": "write a number, '1.5..5', '5+', '>= 5', '1, 2' or '!5'",
}


class CellFault(ValueError):  # noqa: N818 - it says what the cell is
    """Raised when a cell cannot be read; `suggestion` says what to write."""

    def __init__(self, reason: str, suggestion: str) -> None:
        self.suggestion = suggestion
        super().__init__(reason)


class Cell(NamedTuple):
    """A cell, and whether other tools read it alike."""

    test: CellTest
    is_portable: bool


def read_test(text: str, kind: str) -> Cell:
    """
    Read a cell that is not empty.

    Raises:
        CellFault: If it is no test of this kind of condition.
    """
    if kind in NUMERIC:
        found = _range(text, kind) if len(text) <= _LONGEST else None
        if found is not None:
            return found
    parts = [part.strip() for part in text.split(",") if part.strip()]
    negated = [part.startswith("!") for part in parts]
    if any(negated) != all(negated):
        raise CellFault(f"{text!r} mixes values and excluded values", "write 'a, b' or '!a, !b'")
    read = [read_value(part.removeprefix("!").strip(), kind) for part in parts]
    if not read:
        raise CellFault(f"{text!r} holds no value", "write '-' for any value")
    is_portable = all(same for _, same in read) and not (all(negated) and len(parts) > 1)
    if kind == "decimal_range" and not any(negated) and len(parts) == 1:
        is_portable = False
    values = tuple(value for value, _ in read)
    return Cell(CellTest(values, all(negated), text=text), is_portable)


def read_value(text: str, kind: str) -> tuple[Scalar, bool]:
    """
    Read one value, and tell whether other tools read it alike.

    Raises:
        CellFault: If it is no value of this kind.
    """
    if kind == "bool":
        if text.lower() not in {"true", "false"}:
            raise CellFault(f"{text!r} is neither true nor false", _EXAMPLES["bool"])
        return text.lower() == "true", text == text.lower()
    if kind in NUMERIC:
        return _number(text, kind), True
    plain = unquoted(text.strip("`"))
    value = text.strip("`") if plain is None else plain
    if not value and plain is None:
        raise CellFault("a value is missing", "write one, or '-' for any")
    return value, value == text


def read_domain(text: str, kind: str) -> tuple[tuple[Scalar, ...], NumberRange | None]:
    """
    Read the column Values.

    Raises:
        CellFault: If it is neither a list of values nor the ends of a range.
    """
    if kind in NUMERIC:
        match = _INTERVAL.fullmatch(text) if len(text) <= _LONGEST else None
        if match is not None:
            return (), _interval(match[2], match[3], kind, match[1] == "(", match[4] == ")")
        if kind == "decimal_range":
            raise CellFault(f"{text!r} is no domain", "write 'low..high'")
    return tuple(read_value(part.strip(), kind)[0] for part in text.split(",") if part.strip()), None


def read_output(text: str, kind: str) -> tuple[Scalar, bool]:
    """Read an output; a value of another kind stays text, for whoever verifies the table."""
    plain = unquoted(text.strip("`").strip())
    bare = text.strip("`").strip() if plain is None else plain
    if kind == "bool" and bare.lower() in {"true", "false"}:
        return bare.lower() == "true", text in {"true", "false"}
    try:
        if kind == "int":
            return integer(bare), bare == text
        if kind == "decimal":
            return float(number(bare)), bare == text
    except NotALiteral:
        pass
    return bare, bare == text


def _range(text: str, kind: str) -> Cell | None:
    interval = _INTERVAL.fullmatch(text)
    if interval is not None:
        opening, low, high, closing = interval.groups()
        if bool(opening) != bool(closing):
            raise CellFault(f"{text!r} opens and does not close", _EXAMPLES[kind])
        found = _interval(low, high, kind, opening == "(", closing == ")")
        return Cell(CellTest(range=found, text=text), not opening)
    dashed = _DASHED.fullmatch(text)
    if dashed is not None:
        return Cell(CellTest(range=_interval(dashed[1], dashed[2], kind), text=text), is_portable=True)
    start = _FROM.fullmatch(text)
    if start is not None:
        return Cell(CellTest(range=NumberRange(_number(start[1], kind)), text=text), is_portable=True)
    bound = _BOUND.fullmatch(text)
    if bound is None:
        return None
    value, is_open = _number(bound[2], kind), bound[1] in {">", "<"}
    if bound[1].startswith(">"):
        return Cell(CellTest(range=NumberRange(value, low_open=is_open), text=text), is_portable=True)
    return Cell(CellTest(range=NumberRange(high=value, high_open=is_open), text=text), is_portable=True)


def _interval(low: str, high: str, kind: str, low_open: bool = False, high_open: bool = False) -> NumberRange:
    first, last = _number(low, kind), _number(high, kind)
    if first > last:
        raise CellFault(f"{low} lies above {high}", f"write {high}..{low}")
    return NumberRange(first, last, low_open, high_open)


def _number(text: str, kind: str) -> int | float:
    try:
        return integer(text) if kind == "int_range" else number(text)
    except NotALiteral:
        what = "whole number" if kind == "int_range" else "number"
        suggestion = _EXAMPLES[kind]
        if re.fullmatch(r"-?\d+--?\d+", text):
            first, last = re.findall(r"-?\d+", text.replace("--", " -"))[:2]
            suggestion = f"write '{first}..{last}'"
        raise CellFault(f"{text!r} is no {what}", suggestion) from None
