"""Guard expressions in the JSON form of orca-lang."""

from __future__ import annotations

import re
from typing import Any

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
)

__all__ = ("OPERATORS", "expression_form")

OPERATORS = {"==": "eq", "!=": "ne", "<": "lt", ">": "gt", "<=": "le", ">=": "ge"}
_IS = re.compile(r"\bis\b", re.IGNORECASE)


def expression_form(expression: Expression, text: str = "") -> dict[str, Any]:  # noqa: PLR0911 - one return a form
    """
    Give an expression as plain data.

    Args:
        expression: The expression.
        text: How it was written; a test for null has two forms.
    """
    match expression:
        case BoolLiteral():
            return {"kind": "true" if expression.value else "false"}
        case Not():
            return {"kind": "not", "expr": expression_form(expression.operand)}
        case And() | Or():
            return _joined("and" if isinstance(expression, And) else "or", expression.operands)
        case Comparison():
            return _compared(OPERATORS[expression.operator], expression.left, expression.right)
        case NullTest():
            if _IS.search(text):
                return {"kind": "nullcheck", "expr": _variable(expression.path), "isNull": not expression.negated}
            return _compared("ne" if expression.negated else "eq", expression.path, None)
        case Truth():
            return {"kind": "nullcheck", "expr": _variable(expression.path), "isNull": False}
        case GuardName():
            variable = {"kind": "variable", "path": [expression.name]}
            return {"kind": "nullcheck", "expr": variable, "isNull": False}
        case Else():
            return {"kind": "true"}


def _joined(kind: str, operands: tuple[Expression, ...]) -> dict[str, Any]:
    found = expression_form(operands[0])
    for operand in operands[1:]:
        found = {"kind": kind, "left": found, "right": expression_form(operand)}
    return found


def _compared(operator: str, left: Operand, right: Operand | None) -> dict[str, Any]:
    return {"kind": "compare", "op": operator, "left": _operand(left), "right": _operand(right)}


def _operand(operand: Operand | None) -> dict[str, Any]:
    if isinstance(operand, Path):
        return _variable(operand)
    value = None if operand is None else operand.value
    kind = {str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")
    return {"kind": "value", "type": kind, "value": value}


def _variable(path: Path) -> dict[str, Any]:
    return {"kind": "variable", "path": [*([path.root_text] if path.root_text else []), *path.names]}
