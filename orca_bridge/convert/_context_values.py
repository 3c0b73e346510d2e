"""
The values of a context, whatever keeps them: a dict, or an object of a dataclass or of a pydantic model.

Such an object is a *record* here. Its public fields are the values; attributes that begin with an underscore are its
own business: neither guards nor snapshots see them. Nothing here imports pydantic, whose models are known by what they
have.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import copy, deepcopy
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from types import NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = (
    "copied",
    "copy_of",
    "is_model",
    "is_record",
    "is_record_class",
    "put_back",
    "record_fields",
    "unknown_fields",
    "updated",
    "values_of",
)

_logger = logging.getLogger("orca_bridge")
_UNCHANGING = frozenset({int, str, bool, float, bytes, NoneType, Decimal})
"""Types whose values are their own copies."""


def is_model(cls: type) -> bool:
    """Whether a class is a model of pydantic."""
    return hasattr(cls, "model_fields") and hasattr(cls, "model_validate")


def is_record_class(cls: object) -> bool:
    """Whether objects of a class can be contexts."""
    return isinstance(cls, type) and (is_dataclass(cls) or is_model(cls))


def is_record(context: object) -> bool:
    """Whether a context is such an object."""
    return not isinstance(context, Mapping) and is_record_class(type(context))


def record_fields(cls: Any) -> tuple[str, ...]:
    """Give the names of the public fields of such a class."""
    names = cls.model_fields if is_model(cls) else [field.name for field in fields(cls)]
    return tuple(name for name in names if not name.startswith("_"))


def values_of(context: Any) -> Mapping[str, Any]:
    """Give the values of a context by name: a dict itself, the fields of a record."""
    if type(context) is dict or isinstance(context, Mapping):  # the first is asked much faster
        return context
    more = _more(context) or ()
    return {name: getattr(context, name) for name in (*record_fields(type(context)), *more) if hasattr(context, name)}


def updated(context: Any, values: Mapping[str, Any]) -> Any:
    """
    Write values into a context, all or none.

    Returns:
        The context, or a new one in the place of a frozen record.

    Raises:
        AttributeError: A record has no such field; all of those are named.
        Exception: The record refuses a value.
    """
    if isinstance(context, dict):
        context.update(values)
        return context
    unknown = unknown_fields(context, values)
    if unknown:
        raise AttributeError("; ".join(unknown))
    if _is_frozen(type(context)):
        return context.model_copy(update=dict(values)) if is_model(type(context)) else replace(context, **values)
    before = values_of(context)
    written: list[str] = []
    try:
        for name, value in values.items():
            if name not in before or before[name] is not value:
                written.append(name)
                setattr(context, name, value)
    except Exception:
        _put(context, {name: before[name] for name in written if name in before})
        raise
    return context


def put_back(context: Any, saved: Mapping[str, Any]) -> Any:
    """
    Make a context hold just these values again, without asking anybody.

    Returns:
        The context, or a new one in the place of a frozen record.
    """
    if isinstance(context, dict):
        context.clear()
        context.update(copied(saved))
        return context
    target = copy(context) if _is_frozen(type(context)) else context
    more = _more(target) or {}
    for name in more.keys() - saved.keys():
        del more[name]
    unknown = unknown_fields(type(context), saved)
    for text in unknown:
        _logger.warning("a saved context is more than there is place for: %s", text)
    known = record_fields(type(context)) if unknown else saved
    _put(target, copied({name: saved[name] for name in known if name in saved}))
    return target


def copied(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Copy values deeply, to be put back later or handed out.

    A value that cannot be copied (a lock, a connection) stays the same object: it is no reason to refuse a step.
    """
    memo: dict[int, Any] = {}
    return {name: value if type(value) in _UNCHANGING else _copied(value, memo) for name, value in values.items()}


def copy_of(context: Any) -> Any:
    """Copy a context deeply, as `copied` does; the copy of a record is a record."""
    values = copied(values_of(context))
    if isinstance(context, Mapping):
        return values
    twin = copy(context)
    _put(twin, values)
    return twin


def unknown_fields(context: Any, names: Iterable[str]) -> list[str]:
    """Say of each name that a record has no field for, what may be meant."""
    cls: Any = context if isinstance(context, type) else type(context)
    known = record_fields(cls)
    if is_model(cls) and cls.model_config.get("extra") == "allow":
        return []
    return [f"{name!r} is no field of {cls.__name__}{_meant(name, known)}" for name in names if name not in known]


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; is {near[0]!r} meant?" if near else ""


def _is_frozen(cls: Any) -> bool:
    return bool(cls.model_config.get("frozen")) if is_model(cls) else bool(cls.__dataclass_params__.frozen)


def _more(record: Any) -> dict[str, Any] | None:
    """Give what a record of an open model has beside its fields."""
    found: dict[str, Any] | None = getattr(record, "__pydantic_extra__", None)
    return found


def _put(record: Any, values: Mapping[str, Any]) -> None:
    """Write without asking: not the record's own methods, and not a frozen one's refusal."""
    more = _more(record)
    for name, value in values.items():
        if more is not None and name not in record_fields(type(record)):
            more[name] = value
        else:
            object.__setattr__(record, name, value)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return deepcopy(value, memo)
    except Exception:  # noqa: BLE001 - copying runs the methods of users' classes
        return value
