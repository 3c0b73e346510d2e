"""
Guard expressions in the two languages of SCXML documents.

A guard of Orca is total; an expression here that fails is false and an error besides. So every comparison of order
asks first whether there is something to compare, and every look into a payload whether there is one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from keyword import iskeyword
from typing import TYPE_CHECKING, assert_never

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

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("ECMASCRIPT", "PYTHON", "Dialect", "Guards")

_NUMERIC = re.compile(r"\s*[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][+-]?\d+)?\s*", re.ASCII)
_TAKEN = frozenset(
    {
        *("In", "case", "catch", "const", "debugger", "default", "delete", "do", "enum", "export", "extends"),
        *("function", "instanceof", "let", "new", "null", "package", "private", "protected", "public", "static"),
        *("super", "switch", "this", "throw", "true", "false", "typeof", "undefined", "var", "void"),
    }
)
"""Words of JavaScript that are none of Python, and a function of SCXML."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language writes what guards are made of."""

    name: str
    conjunction: str
    disjunction: str
    negation: str
    equal: str
    unequal: str
    null: str

    def literal(self, value: object) -> str:
        """Write a literal; lists and maps too."""
        if self.name == "python":
            return repr(value)
        return json.dumps(value, ensure_ascii=False)

    def field(self, name: str) -> str:
        """
        Name a field of the context.

        The reader of python-statemachine looks for a name in the payload first, and keeps some names for itself.
        """
        plain = re.sub(r"\W", "_", name)
        if self.name == "python":
            return f"ctx_{plain}"
        free = plain.isidentifier() and not iskeyword(plain) and plain not in _TAKEN and not plain.startswith("_")
        return plain if free else f"field_{plain}"


ECMASCRIPT = Dialect("ecmascript", " && ", " || ", "!", "===", "!==", "null")
PYTHON = Dialect("python", " and ", " or ", "not ", "==", "!=", "None")


class Guards:
    """
    The guards of a machine in one language.

    Args:
        dialect: The language.
        named: The guards table.
    """

    def __init__(self, dialect: Dialect, named: Mapping[str, Expression]) -> None:
        self.dialect, self.named = dialect, named
        self.counts_elements = False
        """Whether some guard asks for the length of something."""
        self.fields: set[str] = set()
        """The fields of the context that guards read."""

    def write(self, expression: Expression, *, payload: bool = True) -> str:  # noqa: PLR0911 - one return a form
        """
        Write an expression.

        Args:
            expression: Any guard but ``else``.
            payload: Whether there can be one; without an event there is none, and all in it is null.
        """
        match expression:
            case BoolLiteral(value):
                return self.dialect.literal(value)
            case GuardName(name):
                return self.write(self.named.get(name, BoolLiteral(value=False)), payload=payload)
            case Truth() | NullTest() | Comparison():
                return self._test(expression, payload=payload)
            case Not(operand):
                return f"{self.dialect.negation}({self.write(operand, payload=payload)})"
            case And(operands):
                return self.dialect.conjunction.join(f"({self.write(one, payload=payload)})" for one in operands)
            case Or(operands):
                return self.dialect.disjunction.join(f"({self.write(one, payload=payload)})" for one in operands)
            case Else():
                return self.dialect.literal(True)
            case _:
                assert_never(expression)

    # -- tests ------------------------------------------------------------------------------------------

    def _test(self, expression: Truth | NullTest | Comparison, *, payload: bool) -> str:
        match expression:
            case Truth(path, declared_bool):
                found = self.operand(path, payload=payload)
                return self._present(path, found if declared_bool else self._not_null(found), payload=payload)
            case NullTest(path, negated):
                test = self._present(path, self._not_null(self.operand(path, payload=payload)), payload=payload)
                return test if negated else f"{self.dialect.negation}({test})"
            case Comparison(left, operator, right):
                return self._compared(left, operator, right, payload=payload)
            case _:
                assert_never(expression)

    def _compared(self, left: Operand, operator: str, right: Operand, *, payload: bool) -> str:
        sides = [self.operand(side, payload=payload) for side in (left, right)]
        if operator == "!=":
            return f"{self.dialect.negation}({self._compared(left, '==', right, payload=payload)})"
        if operator == "==":
            test = f"{sides[0]} {self.dialect.equal} {sides[1]}"
            return self._present(right, self._present(left, test, payload=payload), payload=payload)
        numbers = [_numeric(side) for side in (left, right)]
        if None in numbers:
            return self.dialect.literal(False)
        sides = [self.dialect.literal(one) if number else side for side, one, number in _chosen(sides, numbers)]
        tests = [self._not_null(side) for side, operand in zip(sides, (left, right), strict=True) if _is_path(operand)]
        test = self.dialect.conjunction.join([*tests, f"{sides[0]} {operator} {sides[1]}"])
        return self._present(right, self._present(left, test, payload=payload), payload=payload)

    def _present(self, operand: Operand, test: str, *, payload: bool) -> str:
        """Let a test of something in the payload hold only where there is one."""
        if not (isinstance(operand, Path) and operand.root == "event" and payload):
            return test
        return f"({self._not_null('_event.data')}{self.dialect.conjunction}{test})"

    def _not_null(self, text: str) -> str:
        return f"{text} {self.dialect.unequal} {self.dialect.null}"

    # -- operands ---------------------------------------------------------------------------------------

    def operand(self, operand: Operand, *, payload: bool) -> str:
        """Write a literal or a path; `payload` as for a whole expression."""
        match operand:
            case Value(value):
                return self.dialect.literal(value)
            case Path("event", names):
                return self._inside(f"_event.data.{names[0]}", names[1:]) if payload else self.dialect.null
            case Path(names=names):
                self.fields.add(names[0])
                return self._inside(self.dialect.field(names[0]), names[1:])
            case _:
                assert_never(operand)

    def _inside(self, text: str, names: tuple[str, ...]) -> str:
        for name in names:
            if name == "length":
                self.counts_elements = True
                text = f"len({text})" if self.dialect is PYTHON else f"{text}.length"
            else:
                text = f"{text}[{self.dialect.literal(name)}]"
        return text


def _is_path(operand: Operand) -> bool:
    return isinstance(operand, Path)


def _numeric(operand: Operand) -> tuple[float | None] | tuple[()] | None:
    """Give the number of a literal; nothing for a path, None for what has no order."""
    if not isinstance(operand, Value):
        return ()
    value = operand.value
    if isinstance(value, str) and _NUMERIC.fullmatch(value):
        return (float(value.replace("_", "")),)
    return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _chosen(
    sides: list[str], numbers: list[tuple[float | None] | tuple[()] | None]
) -> list[tuple[str, float | None, bool]]:
    return [(side, found[0] if found else None, bool(found)) for side, found in zip(sides, numbers, strict=True)]
