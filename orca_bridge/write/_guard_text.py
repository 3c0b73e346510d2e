"""
Guard expressions as canonical text: with as few parentheses as the precedence of language.md 6 allows.

Reading the text again gives an equal expression, provided that the document declares the same fields and guards.
"""

from __future__ import annotations

import json
from typing import assert_never

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

__all__ = ("guard_text", "operand_text", "value_text")

_OR, _AND, _NOT, _TEST = range(4)


def guard_text(expression: Expression) -> str:
    """Write a guard expression; a guard that is referred to is written by its name, negated with ``!``."""
    if isinstance(expression, Not) and isinstance(expression.operand, GuardName):
        return f"!{expression.operand.name}"
    return _text(expression, _OR)


def operand_text(operand: Operand) -> str:
    """Write one side of a comparison."""
    match operand:
        case Value(value):
            return value_text(value)
        case Path(root, names):
            return ".".join(("ctx" if root == "context" else "event", *names))
        case _:
            assert_never(operand)


def value_text(value: object) -> str:
    """Write a literal as JSON does, which is as Orca does."""
    return json.dumps(value, ensure_ascii=False)


def _text(expression: Expression, outer: int) -> str:  # noqa: PLR0911 - one return a form
    match expression:
        case BoolLiteral(value):
            return value_text(value)
        case GuardName(name):
            return name
        case Truth(path):
            return operand_text(path)
        case NullTest(path, negated):
            return f"{operand_text(path)} {'!=' if negated else '=='} null"
        case Comparison(left, operator, right):
            return f"{operand_text(left)} {operator} {operand_text(right)}"
        case Not(operand):
            # Also around a comparison, where none is needed: many readers take `not a > 1` for `(not a) > 1`.
            inner = _text(operand, _TEST)
            compared = isinstance(operand, Comparison | NullTest)
            return _within(f"not ({inner})" if compared else f"not {inner}", _NOT, outer)
        case And(operands):
            return _within(" and ".join(_text(operand, _NOT) for operand in operands), _AND, outer)
        case Or(operands):
            return _within(" or ".join(_text(operand, _AND) for operand in operands), _OR, outer)
        case Else():
            return "else"
        case _:
            assert_never(expression)


def _within(text: str, level: int, outer: int) -> str:
    return f"({text})" if level < outer else text
