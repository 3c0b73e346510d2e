"""The context of a machine: start values, and whether values are of their declared types (semantics.md 8)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from orca_bridge.exceptions import ContextTypeError

if TYPE_CHECKING:
    from orca_bridge.definition import ContextField, TypeExpression

__all__ = ("Typing", "conforms", "copied", "enforce", "is_surely_typed", "start_context", "type_problems")

Typing: TypeAlias = Literal["strict", "warn", "off"]

_UNCHANGING = frozenset({int, str, bool, float, bytes, NoneType, Decimal})
"""Types whose values are their own copies."""
_CERTAIN: Mapping[str, type] = {"int": int, "string": str, "bool": bool}
"""By the kind of a declared type: values of just this type are of it."""
_logger = logging.getLogger("orca_bridge")


def start_context(fields: Iterable[ContextField], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Make the context that a machine starts with: declared defaults as fresh copies, then the given values."""
    context = {field.name: deepcopy(field.default) for field in fields}
    context.update(given or {})
    return context


def copied(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Copy a context deeply, to be put back later.

    A value that cannot be copied (a lock, a connection) stays the same object: it is no reason to refuse a step.
    """
    memo: dict[int, Any] = {}
    return {name: value if type(value) in _UNCHANGING else _copied(value, memo) for name, value in values.items()}


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return deepcopy(value, memo)
    except Exception:  # noqa: BLE001 - copying runs the methods of users' classes
        return value


def type_problems(
    fields: Mapping[str, ContextField], values: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """
    Find the values that are not of their declared type.

    Args:
        fields: The declared fields by name; other names may hold anything.
        values: What is, or is about to be, in the context.
        before: The context so far. A field that was null may stay null: it was never set.

    Returns:
        A sentence for each field concerned.
    """
    problems = {}
    for name in values.keys() & fields.keys():
        value, declared = values[name], fields[name]
        unset = value is None and (declared.default is None if before is None else before.get(name) is None)
        if not unset and not conforms(value, declared.type):
            text = declared.type.text or declared.type.kind
            problems[name] = f"{name!r} is declared {text} and is {type(value).__name__} {_short(value)}"
    return dict(sorted(problems.items()))


def is_surely_typed(fields: Mapping[str, ContextField], values: Mapping[str, Any]) -> bool:
    """Whether values are of their declared types at first sight; if not, `type_problems` has to look."""
    for name, value in values.items():
        field = fields.get(name)
        if field is not None and type(value) is not _CERTAIN.get(field.type.kind):
            return False
    return True


def enforce(machine: str, problems: Mapping[str, str], typing: Typing, warned: set[str]) -> None:
    """
    Do what `typing` says about type problems.

    Args:
        machine: The name of the machine, for the text.
        problems: As `type_problems` found them.
        typing: ``"strict"`` raises, ``"warn"`` logs each field once, ``"off"`` is not asked.
        warned: The fields that this machine was already warned about; grows.

    Raises:
        ContextTypeError: There are problems, and `typing` is ``"strict"``.
    """
    if not problems:
        return
    if typing == "strict":
        raise ContextTypeError(machine, list(problems.values()))
    for name in problems.keys() - warned:
        _logger.warning("context of machine %r: %s", machine, problems[name])
    warned.update(problems)


def conforms(value: Any, declared: TypeExpression) -> bool:
    """Whether a value is of a declared type; `int` excludes truth values, numbers take int, float and Decimal."""
    if value is None:
        return declared.nullable or declared.kind == "any"
    return _CHECKS[declared.kind](value, declared)


def _is_number(value: Any, _declared: TypeExpression) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_list(value: Any, declared: TypeExpression) -> bool:
    of = declared.arguments
    return isinstance(value, list | tuple) and (not of or all(conforms(item, of[0]) for item in value))


def _is_map(value: Any, declared: TypeExpression) -> bool:
    if not isinstance(value, Mapping):
        return False
    match declared.arguments:
        case (keys, values):
            return all(conforms(key, keys) and conforms(item, values) for key, item in value.items())
        case _:
            return True


def _is_enum(value: Any, declared: TypeExpression) -> bool:
    return isinstance(value, str) and (not declared.values or value in declared.values)


_CHECKS: Mapping[str, Callable[[Any, TypeExpression], bool]] = {
    "string": lambda value, _declared: isinstance(value, str),
    "int": lambda value, _declared: isinstance(value, int) and not isinstance(value, bool),
    "decimal": _is_number,
    "number": _is_number,
    "bool": lambda value, _declared: isinstance(value, bool),
    "list": _is_list,
    "map": _is_map,
    "enum": _is_enum,
    "any": lambda _value, _declared: True,
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004
