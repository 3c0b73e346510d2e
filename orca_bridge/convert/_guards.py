"""
Guard expressions as Python closures (semantics.md section 4).

A guard is total: whatever the context and the payload hold, it answers, without raising, without changing
anything and without reading an attribute that starts with an underscore. Compiling resolves everything that
does not depend on data, so that asking a guard costs a few calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from operator import ge, gt, le, lt
from typing import Any, TypeAlias, assert_never

from orca_bridge.definition import (
    And,
    BoolLiteral,
    Comparison,
    Else,
    Expression,
    GuardName,
    Not,
    NullTest,
    Operand,
    Or,
    Path,
    Truth,
    Value,
)
from orca_bridge.exceptions import ConversionError

__all__ = ("Guard", "compile_else", "compile_guard", "guard_names")

Guard: TypeAlias = Callable[[Any, Any], bool]
"""Asked with the context and the payload of the event being handled (None without one)."""

_Getter: TypeAlias = Callable[[Any, Any], Any]
_Number: TypeAlias = int | float | Decimal

_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_SIZED = (list, tuple, set, frozenset, str)

# The number of language.md 6, with a plus sign and outer blanks as people type them.
_NUMERIC_TEXT = re.compile(
    r"\s*[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?\s*", re.ASCII
)


def compile_guard(expression: Expression, guards: Mapping[str, Expression]) -> Guard:
    """
    Make a function that answers a guard expression.

    Args:
        expression: The guard of a row, or of the guards table.
        guards: The guards table: what a guard name inside the expression stands for.

    Returns:
        A function of the context and the payload. ``else`` depends on the other rows, which are not known
        here, and answers true: see `compile_else`.

    Raises:
        ConversionError: A guard name is unknown, or guards name each other in a circle.
    """
    return _compile(expression, guards, ())


def compile_else(others: Sequence[Guard | None]) -> Guard:
    """
    Make the guard ``else``: true when no other row of the same source and event is enabled.

    Args:
        others: The guards of those rows; None for a row without guard, which is always enabled.
    """
    if None in others:
        return lambda _context, _event: False
    guards = tuple(guard for guard in others if guard is not None)
    return lambda context, event: not any(guard(context, event) for guard in guards)


def guard_names(expression: Expression) -> tuple[str, ...]:
    """The guards that an expression refers to, in order."""
    match expression:
        case GuardName(name):
            return (name,)
        case Not(operand):
            return guard_names(operand)
        case And(operands) | Or(operands):
            return tuple(name for operand in operands for name in guard_names(operand))
        case _:
            return ()


def _compile(expression: Expression, guards: Mapping[str, Expression], within: Collection[str]) -> Guard:  # noqa: PLR0911 - one for each kind of expression
    match expression:
        case BoolLiteral(value):
            return lambda _context, _event: value
        case Else():
            return lambda _context, _event: True
        case GuardName(name):
            return _compile_name(name, guards, within)
        case Truth(path, declared_bool):
            return _compile_truth(path, declared_bool=declared_bool)
        case NullTest(path, negated):
            return _compile_null_test(path, negated=negated)
        case Comparison():
            return _compile_comparison(expression)
        case Not(operand):
            inner = _compile(operand, guards, within)
            return lambda context, event: not inner(context, event)
        case And(operands):
            every = tuple(_compile(operand, guards, within) for operand in operands)
            return lambda context, event: all(guard(context, event) for guard in every)
        case Or(operands):
            some = tuple(_compile(operand, guards, within) for operand in operands)
            return lambda context, event: any(guard(context, event) for guard in some)
        case _:
            assert_never(expression)


def _compile_name(name: str, guards: Mapping[str, Expression], within: Collection[str]) -> Guard:
    if name in within:
        raise ConversionError(name, [f"guard {name!r} is defined by itself: {' -> '.join([*within, name])}"])
    if name not in guards:
        raise ConversionError(name, [f"no guard is called {name!r}; there are: {', '.join(guards) or 'none'}"])
    return _compile(guards[name], guards, (*within, name))


def _compile_truth(path: Path, *, declared_bool: bool) -> Guard:
    get = _getter(path)
    if declared_bool:
        return lambda context, event: _truth(get(context, event))
    return lambda context, event: get(context, event) is not None


def _compile_null_test(path: Path, *, negated: bool) -> Guard:
    get = _getter(path)
    if negated:
        return lambda context, event: get(context, event) is not None
    return lambda context, event: get(context, event) is None


def _compile_comparison(comparison: Comparison) -> Guard:
    left, right = _getter(comparison.left), _getter(comparison.right)
    match comparison.operator:
        case "==":
            return lambda context, event: _equal(left(context, event), right(context, event))
        case "!=":
            return lambda context, event: not _equal(left(context, event), right(context, event))
        case operator:
            holds = _ORDERINGS[operator]
            return lambda context, event: _ordered(holds, left(context, event), right(context, event))


# -- looking up ---------------------------------------------------------------------------------------------


def _getter(operand: Operand) -> _Getter:
    match operand:
        case Value(value):
            return lambda _context, _event: value
        case Path("event", names):
            return lambda _context, event: _walk(event, names)
        case Path(names=names):
            return lambda context, _event: _walk(context, names)
        case _:
            assert_never(operand)


def _walk(value: Any, names: Sequence[str]) -> Any:
    for name in names:
        if value is None:
            return None
        # Mappings, properties and lengths of users' classes may raise anything; a guard may not.
        try:
            value = _member(value, name)
        except Exception:  # noqa: BLE001
            return None
    return value


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        # `get` and not an index: a defaultdict would grow.
        return len(value) if name == "length" and name not in value else value.get(name)
    if name == "length" and isinstance(value, _SIZED):
        return len(value)
    return None if name.startswith("_") else getattr(value, name, None)


def _truth(value: Any) -> bool:
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - total, as above
        return False


# -- comparing ----------------------------------------------------------------------------------------------


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float | Decimal):
        return "number"
    return "text" if isinstance(value, str) else "other"


def _equal(left: Any, right: Any) -> bool:
    kinds = _kind(left), _kind(right)
    if kinds[0] != kinds[1] and "other" not in kinds:
        return False
    try:
        if kinds == ("number", "number"):
            left, right = _alike(left, right)
        return bool(left == right)
    except Exception:  # noqa: BLE001 - total, as above
        return False


def _ordered(holds: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    try:
        first, second = _number(left), _number(right)
        return first is not None and second is not None and bool(holds(*_alike(first, second)))
    except Exception:  # noqa: BLE001 - total, as above; a Decimal NaN raises where a float NaN answers false
        return False


def _alike(left: _Number, right: _Number) -> tuple[_Number, _Number]:
    """
    Let a float beside a Decimal mean the number it is written as.

    `0.1` in a guard is a tenth, and so is `Decimal("0.1")` in the context; the binary value of the float is
    not, and comparing by it would make them differ.
    """
    if isinstance(left, float) and isinstance(right, Decimal):
        return Decimal(repr(float(left))), right
    if isinstance(left, Decimal) and isinstance(right, float):
        return left, Decimal(repr(float(right)))
    return left, right


def _number(value: Any) -> _Number | None:
    kind = _kind(value)
    if kind == "number":
        number: _Number = value
        return number
    if kind == "text" and _NUMERIC_TEXT.fullmatch(value):
        try:
            return Decimal(value.strip().replace("_", ""))
        except InvalidOperation:  # an exponent beyond all bounds
            return None
    return None
