"""Records of a definition as the Python calls that make them."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from orca_bridge.definition import ContextField

from ._python_names import literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("record_lines",)

_WIDTH = 120


def record_lines(value: Any, indent: str, opening: str = "") -> list[str]:
    """
    Write a record as the call that makes it, without what is left out anyway.

    Args:
        value: The record, a tuple of them, or what is in one.
        indent: What stands in front of each line.
        opening: What stands in front of the first, such as the name of an argument.
    """
    if isinstance(value, ContextField):
        given = [("", value.name), ("", value.type), ("", value.default)]
        return _call(f"{opening}field(", given, ")", indent)
    if is_dataclass(value) and not isinstance(value, type):
        return _call(f"{opening}{type(value).__name__}(", _given(value), ")", indent)
    if isinstance(value, tuple):
        return _call(f"{opening}(", [("", one) for one in value], ",)" if len(value) == 1 else ")", indent)
    return [f"{indent}{opening}{literal(value)}"]


def _call(opening: str, given: Iterable[tuple[str, Any]], closing: str, indent: str) -> list[str]:
    """Write a call, on one line where it fits; arguments without a name stand by position."""
    entries = [record_lines(value, indent + "    ", f"{name}=" if name else "") for name, value in given]
    short = f"{indent}{opening}{', '.join(entry[0].strip() for entry in entries)}{closing}"
    if all(len(entry) == 1 for entry in entries) and len(short) < _WIDTH:
        return [short]
    lines = [line for entry in entries for line in (*entry[:-1], f"{entry[-1]},")]
    return [f"{indent}{opening}", *lines, f"{indent}{closing.lstrip(',')}"]


def _given(value: Any) -> list[tuple[str, Any]]:
    """Give the fields that a record was made with; where it stood in the text is of no interest any more."""
    found = []
    for one in fields(value):
        current = getattr(value, one.name)
        left_out = one.name == "span" or not one.compare
        if one.default is MISSING or (current != one.default and not left_out):
            found.append((one.name, current))
    return found
