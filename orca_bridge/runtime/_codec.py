"""
Snapshots as JSON text: values that JSON does not know are tagged, and come back as they were.

A tag is an object with the one key ``$orca``. An object of the user's own that looks like one is tagged itself.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from ._snapshots import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ("dump_snapshot", "load_snapshot", "register_codec")

C = TypeVar("C", bound=type)

_TAG = "$orca"
_registered: dict[str, type] = {}


def register_codec(cls: C) -> C:
    """
    Let snapshots hold instances of a dataclass or an Enum, by the name of its class. Usable as a decorator.

    Raises:
        TypeError: The class is neither.
    """
    known: type = cls
    if not (dataclasses.is_dataclass(known) or issubclass(known, Enum)):
        raise TypeError(f"{known.__qualname__} is neither a dataclass nor an Enum")
    _registered[_name(known)] = known
    return cls


def dump_snapshot(snapshot: Mapping[str, Any]) -> str:
    """
    Write a snapshot as JSON.

    Datetime, date, time, timedelta, Decimal, bytes, set, frozenset and tuple complete what JSON knows; dataclasses and
    Enums are known once they are registered with `register_codec`.

    Raises:
        SnapshotError: A value has no form; the field is named.
    """
    return json.dumps(_encode(dict(snapshot), ""), ensure_ascii=False, indent=2)


def load_snapshot(text: str | bytes, name: str = "the snapshot") -> dict[str, Any]:
    """
    Read what `dump_snapshot` wrote.

    Args:
        text: The JSON.
        name: What to call it in messages.

    Raises:
        SnapshotError: It is no snapshot, or holds values of classes that are not registered.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SnapshotError(f"{name} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise SnapshotError(f"{name} is no JSON object, but a {type(found).__name__}")
    decoded: dict[str, Any] = _decode(found, name)
    return decoded


_SIMPLE: Mapping[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "timedelta": (timedelta, lambda value: [value.days, value.seconds, value.microseconds], lambda it: timedelta(*it)),
    "decimal": (Decimal, str, Decimal),
    "bytes": (bytes, lambda value: base64.b64encode(value).decode(), base64.b64decode),
}
_COLLECTIONS: Mapping[str, Callable[[Iterable[Any]], Any]] = {"set": set, "frozenset": frozenset, "tuple": tuple}


def _encode(value: Any, where: str) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list):
        return [_encode(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return _encode_mapping(value, where)
    for tag, (cls, write, _) in _SIMPLE.items():
        if type(value) is cls:
            return {_TAG: [tag, write(value)]}
    if isinstance(value, set | frozenset | tuple) and type(value).__name__ in _COLLECTIONS:
        return {_TAG: [type(value).__name__, [_encode(item, f"{where}[]") for item in value]]}
    return _encode_registered(value, where)


def _encode_mapping(value: dict[Any, Any], where: str) -> Any:
    if all(isinstance(name, str) for name in value) and _TAG not in value:
        return {name: _encode(item, f"{where}.{name}" if where else name) for name, item in value.items()}
    pairs = [[_encode(name, f"{where} (a key)"), _encode(item, f"{where}[{name!r}]")] for name, item in value.items()]
    return {_TAG: ["dict", pairs]}


def _encode_registered(value: Any, where: str) -> Any:
    name = _name(type(value))
    if name not in _registered:
        raise SnapshotError(
            f"{where!r} is {value!r}, and a snapshot cannot hold a {type(value).__qualname__}: keep plain data in the "
            f"context, or register a dataclass or Enum with register_codec()"
        )
    if isinstance(value, Enum):
        return {_TAG: ["enum", [name, value.name]]}
    fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.init}
    return {_TAG: ["dataclass", [name, _encode(fields, where)]]}


def _decode(value: Any, where: str) -> Any:
    if isinstance(value, list):
        return [_decode(item, where) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {_TAG}:
        return {name: _decode(item, where) for name, item in value.items()}
    try:
        tag, content = value[_TAG]
        return _decode_tagged(tag, content, where)
    except (TypeError, ValueError, KeyError, ArithmeticError) as error:
        raise SnapshotError(f"{where} holds {value!r}, which cannot be read: {error}") from None


def _decode_tagged(tag: str, content: Any, where: str) -> Any:
    if tag in _SIMPLE:
        return _SIMPLE[tag][2](content)
    if tag in _COLLECTIONS:
        return _COLLECTIONS[tag](_decode(content, where))
    if tag == "dict":
        return {_decode(name, where): _decode(item, where) for name, item in content}
    name, inside = content
    cls: Any = _registered.get(name)
    if cls is None:
        raise SnapshotError(f"{where} holds a {name}; register its class with register_codec() before reading it")
    return cls[inside] if tag == "enum" else cls(**_decode(inside, where))


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
