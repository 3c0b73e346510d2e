"""Durations as authors write them (language.md 5.3.6)."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

_UNITS = {
    "ms": 1,
    "millisecond": 1,
    "milliseconds": 1,
    "s": 1000,
    "second": 1000,
    "seconds": 1000,
    "m": 60_000,
    "minute": 60_000,
    "minutes": 60_000,
    "h": 3_600_000,
    "hour": 3_600_000,
    "hours": 3_600_000,
    "d": 86_400_000,
    "day": 86_400_000,
    "days": 86_400_000,
}
_NUMBER = r"(?:\d+(?:_\d+)*(?:\.\d+)?|\.\d+)"
_PART = re.compile(rf"\s*({_NUMBER})\s*([a-z]+)", re.IGNORECASE)
_BARE = re.compile(_NUMBER)
_PORTABLE = re.compile(r"\d+s")
_LONGEST = 60


def milliseconds(text: str) -> int:
    """
    Read a duration as whole milliseconds, rounded up; a bare number counts seconds.

    Raises:
        ValueError: If it is none.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"{text!r} is too long for a duration")
    if is_bare(text):
        return ceil(_exact(text) * 1000)
    total, position = Fraction(0), 0
    while position < len(text):
        part = _PART.match(text, position)
        unit = _UNITS.get(part[2].lower()) if part else None
        if part is None or unit is None:
            raise ValueError(f"{text!r} is no duration")
        total += _exact(part[1]) * unit
        position = part.end()
    if not text:
        raise ValueError("the duration is missing")
    return ceil(total)


def is_bare(text: str) -> bool:
    """Tell whether the unit is missing."""
    return _BARE.fullmatch(text) is not None


def is_portable(text: str) -> bool:
    """Tell whether all tools read the duration alike: whole seconds with their unit."""
    return _PORTABLE.fullmatch(text) is not None


def _exact(number: str) -> Fraction:
    return Fraction(number.replace("_", ""))
