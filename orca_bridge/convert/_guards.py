"""
Guard expressions as Python closures (semantics.md section 4).

A guard is total: whatever the context and the payload hold, it answers, without raising, without changing
anything and without reading an attribute that starts with an underscore. Compiling resolves everything that
does not depend on data, so that asking a guard costs a few calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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

__all__ = (
    "MAX_DEPTH",
    "ORDERINGS",
    "Guard",
    "GuardTable",
    "compile_else",
    "compile_guard",
    "equal",
    "guard_names",
    "ordered",
    "truth",
    "walk",
)

Guard: TypeAlias = Callable[[Any, Any], bool]
"""Asked with the context and the payload of the event being handled (None without one)."""

MAX_DEPTH = 256
"""How deep an expression may go with the guards it names: asking must end before Python's stack does."""

_Test: TypeAlias = Callable[[Any, Any, dict[str, bool]], bool]
"""A guard that is also told what the named guards have answered already."""
_Getter: TypeAlias = Callable[[Any, Any], Any]
_Number: TypeAlias = int | float | Decimal

ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_NUMBERS = frozenset({int, float})
_PLAIN = frozenset({int, float, str, bool})
"""Types whose values are compared without surprises."""
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
        ConversionError: A guard name is unknown, guards name each other in a circle, or too many of them in a row.
    """
    return GuardTable(guards).compile(expression)


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


class GuardTable:
    """
    The guards table of a machine, each guard of it compiled once.

    Guards that use each other twice and more would otherwise double with every name on the way, when they are
    compiled and again when they are asked: an asked guard remembers what the named ones have answered.
    """

    def __init__(self, guards: Mapping[str, Expression]) -> None:
        self._guards = guards
        self._made: dict[str, tuple[_Test, int]] = {}
        self._leaves: dict[_Test, Guard] = {}
        """Tests that ask no named guard, and need not be told what those have answered."""
        self._within: list[str] = []
        self._refusal: ConversionError | None = None

    def __repr__(self) -> str:
        return f"<GuardTable of {len(self._guards)}>"

    def compile(self, expression: Expression) -> Guard:
        """
        Make a function that answers a guard expression.

        Raises:
            ConversionError: As `compile_guard`.
        """
        self._within.clear()
        test, _ = self._test(expression, 0)
        leaf = self._leaves.get(test)
        return leaf if leaf is not None else lambda context, event: test(context, event, {})

    def _test(self, expression: Expression, level: int) -> tuple[_Test, int]:
        """Compile an expression at a depth, and count how deep it goes itself."""
        if level > MAX_DEPTH:
            raise self._too_deep()
        match expression:
            case GuardName(name):
                return self._named(name, level)
            case Not(operand):
                inner, depth = self._test(operand, level + 1)
                leaf = self._leaves.get(inner)
                if leaf is not None:
                    return self._leaf(lambda context, event: not leaf(context, event)), depth + 1
                return (lambda context, event, known: not inner(context, event, known)), depth + 1
            case And(operands):
                every, depth = self._tests(operands, level)
                return (lambda context, event, known: all(test(context, event, known) for test in every)), depth
            case Or(operands):
                some, depth = self._tests(operands, level)
                return (lambda context, event, known: any(test(context, event, known) for test in some)), depth
            case _:
                return self._leaf(_compile_leaf(expression)), 1

    def _leaf(self, guard: Guard) -> _Test:
        def test(context: Any, event: Any, _known: dict[str, bool]) -> bool:
            return guard(context, event)

        self._leaves[test] = guard
        return test

    def _tests(self, operands: Sequence[Expression], level: int) -> tuple[tuple[_Test, ...], int]:
        made = [self._test(operand, level + 1) for operand in operands]
        return tuple(test for test, _ in made), 1 + max(depth for _, depth in made)

    def _named(self, name: str, level: int) -> tuple[_Test, int]:
        if name in self._within:
            path = " -> ".join([*self._within, name])
            raise ConversionError(name, [f"guard {name!r} is defined by itself: {path}"])
        if name not in self._guards:
            listed = ", ".join(self._guards) or "none"
            raise ConversionError(name, [f"no guard is called {name!r}; there are: {listed}"])
        if name not in self._made:
            self._within.append(name)
            self._made[name] = self._test(self._guards[name], level + 1)
            self._within.pop()
        test, depth = self._made[name]
        if level + depth >= MAX_DEPTH:
            self._within.append(name)
            raise self._too_deep()

        if test in self._leaves:
            return test, depth + 1

        def answer(context: Any, event: Any, known: dict[str, bool]) -> bool:
            if name not in known:
                known[name] = test(context, event, known)
            return known[name]

        return answer, depth + 1

    def _too_deep(self) -> ConversionError:
        # Once: whatever uses such a guard is too deep as well.
        if self._refusal is None:
            what = f"the guard {self._within[0]!r}" if self._within else "a guard"
            advice = "let an action set a field, and compare that"
            problem = f"{what} is deeper than {MAX_DEPTH} with all the guards it uses; {advice}"
            self._refusal = ConversionError(what, [problem])
        return self._refusal


def _compile_leaf(expression: BoolLiteral | Else | Truth | NullTest | Comparison) -> Guard:
    match expression:
        case BoolLiteral(value):
            return lambda _context, _event: value
        case Else():
            return lambda _context, _event: True
        case Truth(path, declared_bool):
            return _compile_truth(path, declared_bool=declared_bool)
        case NullTest(path, negated):
            return _compile_null_test(path, negated=negated)
        case Comparison():
            return _compile_comparison(expression)
        case _:
            assert_never(expression)


def _compile_truth(path: Path, *, declared_bool: bool) -> Guard:
    get = _getter(path)
    if declared_bool:
        return lambda context, event: truth(get(context, event))
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
            return lambda context, event: equal(left(context, event), right(context, event))
        case "!=":
            return lambda context, event: not equal(left(context, event), right(context, event))
        case operator:
            holds = ORDERINGS[operator]
            return lambda context, event: ordered(holds, left(context, event), right(context, event))


# -- looking up ---------------------------------------------------------------------------------------------


def _getter(operand: Operand) -> _Getter:
    match operand:
        case Value(value):
            return lambda _context, _event: value
        case Path("event", names):
            return lambda _context, event: walk(event, names)
        case Path(names=names):
            return _field(names[0]) if len(names) == 1 else lambda context, _event: walk(context, names)
        case _:
            assert_never(operand)


def _field(name: str) -> _Getter:
    """Read a field of the context, which is nearly always a dict that has it."""

    def get(context: Any, _event: Any) -> Any:
        if type(context) is dict and name in context:
            return context[name]
        return walk(context, (name,))

    return get


def walk(value: Any, names: Sequence[str]) -> Any:
    """Read what stands at a path; None where something on the way is missing."""
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


def truth(value: Any) -> bool:
    """Whether a value counts as true."""
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


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal; kinds do not mix, and nothing is raised."""
    if type(left) is type(right) and type(left) in _PLAIN:
        return bool(left == right)
    kinds = _kind(left), _kind(right)
    if kinds[0] != kinds[1] and "other" not in kinds:
        return False
    try:
        if kinds == ("number", "number"):
            left, right = _alike(left, right)
        return bool(left == right)
    except Exception:  # noqa: BLE001 - total, as above
        return False


def ordered(holds: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Whether two numbers, or texts that spell numbers, stand in an order; nothing else does."""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return bool(holds(left, right))
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
