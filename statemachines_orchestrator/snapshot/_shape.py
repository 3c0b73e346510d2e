"""
How a snapshot has to be written, and everything that is wrong with one that is not.

A shape is a class, a list of one shape, a dict of shapes by entry, or one of those below. An entry whose name ends in
a question mark may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("Named", "Optional", "Shape", "anything", "wrong")

Shape: TypeAlias = Any
"""A class, ``[shape]``, ``{"entry": shape}``, `Named`, `Optional`, `anything`, or a function that returns a shape."""


@dataclass(frozen=True, slots=True)
class Named:
    """Any number of entries of one shape, by name."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class Optional:
    """A shape, or null."""

    shape: Shape


def anything() -> None:
    """Stand for whatever a decoder will look at."""


_LONGEST = 60
"""Characters up to which something wrong is shown as it is."""
_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "entries",
}


def wrong(written: Any, shape: Shape, where: str) -> Iterator[str]:
    """
    Yield all that does not have its shape, with its place.

    Args:
        written: What was read from JSON.
        shape: What it should be.
        where: Its place; empty for the whole.
    """
    if shape is anything:
        return
    if isinstance(shape, Optional):
        if written is not None:
            yield from wrong(written, shape.shape, where)
    elif isinstance(shape, type):
        yield from _wrong_scalar(written, shape, where)
    elif isinstance(shape, list):
        yield from _wrong_list(written, shape[0], where)
    elif isinstance(shape, Named):
        yield from _wrong_named(written, shape.shape, where)
    elif isinstance(shape, dict):
        yield from _wrong_entries(written, shape, where)
    else:
        yield from wrong(written, shape(), where)  # one that contains itself


def _wrong_scalar(written: Any, shape: type, where: str) -> Iterator[str]:
    right = type(written) in (int, float) if shape is float else type(written) is shape
    if not right:
        yield _expected(where, _WORDS[shape], written)


def _wrong_list(written: Any, shape: Shape, where: str) -> Iterator[str]:
    if not isinstance(written, list):
        yield _expected(where, "a list", written)
        return
    for number, part in enumerate(written):
        yield from wrong(part, shape, f"{where}[{number}]")


def _wrong_named(written: Any, shape: Shape, where: str) -> Iterator[str]:
    if not isinstance(written, dict):
        yield _expected(where, "entries by name", written)
        return
    for name, part in written.items():
        yield from wrong(part, shape, _inside(where, name))


def _wrong_entries(written: Any, shape: dict[str, Shape], where: str) -> Iterator[str]:
    if not isinstance(written, dict):
        yield _expected(where, f"the entries {', '.join(name for name in shape if not name.endswith('?'))}", written)
        return
    shapes = {name.rstrip("?"): part for name, part in shape.items()}
    for name in written:
        if name not in shapes:
            yield f"{_inside(where, name)} means nothing here"
    for name, part in shapes.items():
        if name in written:
            yield from wrong(written[name], part, _inside(where, name))
        elif name in shape:
            yield f"{_inside(where, name)} is missing"


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _expected(where: str, what: str, written: Any) -> str:
    shown = repr(written)
    found = shown if len(shown) < _LONGEST else f"a {type(written).__name__}"
    return f"{where or 'the snapshot'} should be {what}, and is {found}"
