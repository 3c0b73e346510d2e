"""Lists of named and typed fields: event payloads and the parameters of a signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.definition import Parameter

from ._names import is_name
from ._types import parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENING = "<([{"
_CLOSING = ">)]}"


def parse_parameters(text: str) -> tuple[Parameter, ...]:
    """
    Read ``name: type, name``.

    Raises:
        ValueError: If a part is no name, or its type cannot be read.
    """
    return tuple(_parameter(part) for part in parts_outside(text, ",")) if text.strip() else ()


def _parameter(text: str) -> Parameter:
    name, colon, kind = (part.strip() for part in text.partition(":"))
    if not is_name(name):
        raise ValueError(f"{text.strip()!r} is no parameter")
    return Parameter(name, parse_type(kind) if colon else None)


def parts_outside(text: str, separator: str) -> Iterator[str]:
    """Split at a character, but not inside brackets of any kind."""
    for start, end in bounds_outside(text, separator):
        yield text[start:end]


def bounds_outside(text: str, separator: str) -> Iterator[tuple[int, int]]:
    """Give start and end of each part between the separators outside brackets."""
    depth = start = 0
    for index, character in enumerate(text):
        # The head of an arrow closes nothing.
        if character in _CLOSING and text[index - 1 : index] not in {"-", "="}:
            depth -= 1
        elif character in _OPENING:
            depth += 1
        elif character == separator and depth == 0:
            yield start, index
            start = index + 1
    yield start, len(text)


def matching_parenthesis(text: str, start: int) -> int:
    """Find the parenthesis that closes the one at `start`, or give -1."""
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            return index
    return -1
