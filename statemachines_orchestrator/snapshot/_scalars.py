"""
Values that JSON has no word for, written as a word and a text: ``{"$type": "date", "value": "2026-01-31"}``.

Each is recognised by its exact class: what is derived from one of them would come back as something else.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ("PLAIN", "SCALARS", "SCALARS_BY_WORD", "Scalar", "is_plain_number")

PLAIN = (type(None), bool, str)
"""Classes whose values JSON holds as they are."""

_LONGEST_NUMBER = 10_000
"""Bits up to which a whole number is written in digits: Python itself refuses to read much longer ones."""


def is_plain_number(value: Any) -> bool:
    """Whether a number can stand in JSON, and comes back as the same."""
    if type(value) is int:
        return value.bit_length() <= _LONGEST_NUMBER
    return type(value) is float and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Scalar:
    """How the values of one class are written."""

    word: str
    """What stands behind ``$type``."""
    write: Callable[[Any], Mapping[str, Any]]
    """Returns the other entries; raises ValueError for a value that cannot be written."""
    read: Callable[..., Any]
    """Takes the other entries as keywords, and raises whatever it likes for those that are wrong."""


def _text(value: Any) -> dict[str, Any]:
    return {"value": str(value)}


def _hexadecimal(value: int) -> dict[str, Any]:
    return {"value": hex(value)}


def _base64(value: bytes | bytearray) -> dict[str, Any]:
    return {"base64": base64.b64encode(value).decode("ascii")}


def _bytes(base64: str) -> bytes:
    return _decoded(base64)


def _bytearray(base64: str) -> bytearray:
    return bytearray(_decoded(base64))


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _moment(value: datetime | time) -> dict[str, Any]:
    """Write a time of day; one of a region by the region's name, since its offset depends on the day."""
    zone = value.tzinfo
    entries: dict[str, Any] = {"value": value.isoformat()}
    if zone is not None and type(zone) is not timezone:
        key = getattr(zone, "key", None) if type(zone).__module__.partition(".")[0] == "zoneinfo" else None
        if key is None:
            raise ValueError(f"its time zone is a {type(zone).__name__}: use datetime.timezone or zoneinfo.ZoneInfo")
        entries = {"value": value.replace(tzinfo=None).isoformat(), "zone": key}
    if value.fold:
        entries["fold"] = value.fold
    return entries


def _datetime(value: str, zone: str | None = None, fold: int = 0) -> datetime:
    return _placed(datetime.fromisoformat(value), zone, fold)


def _time(value: str, zone: str | None = None, fold: int = 0) -> time:
    return _placed(time.fromisoformat(value), zone, fold)


_Moment = TypeVar("_Moment", datetime, time)


def _placed(value: _Moment, zone: str | None, fold: int) -> _Moment:
    if zone is not None:
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - few need it, and it looks for files

        value = value.replace(tzinfo=ZoneInfo(zone))
    return value.replace(fold=fold)


def _span(value: timedelta) -> dict[str, Any]:
    return {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}


def _whole(value: str) -> int:
    return int(value, 16)


SCALARS: dict[type, Scalar] = {
    int: Scalar("int", _hexadecimal, _whole),
    float: Scalar("float", _text, float),
    complex: Scalar("complex", _text, complex),
    bytes: Scalar("bytes", _base64, _bytes),
    bytearray: Scalar("bytearray", _base64, _bytearray),
    datetime: Scalar("datetime", _moment, _datetime),
    date: Scalar("date", lambda value: {"value": value.isoformat()}, date.fromisoformat),
    time: Scalar("time", _moment, _time),
    timedelta: Scalar("timedelta", _span, timedelta),
    Decimal: Scalar("decimal", _text, Decimal),
    UUID: Scalar("uuid", _text, UUID),
}
"""By class. Numbers stand here for those that JSON cannot hold: infinite ones, and very long ones."""

SCALARS_BY_WORD = {one.word: one for one in SCALARS.values()}
