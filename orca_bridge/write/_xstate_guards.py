"""
Guard expressions as TypeScript, with the semantics of semantics.md 4.

JavaScript's own comparisons mix kinds (``"5" == 5``), so small functions do it, which a module carries with it.
"""

from __future__ import annotations

import json
from dataclasses import replace
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

__all__ = ("PRELUDE", "expression_code", "path_code", "resolved")

PRELUDE = """\
/** What stands at a path; null where something on the way is missing. `length` counts elements. */
function read(from: unknown, ...names: string[]): unknown {
  let value: any = from;
  for (const name of names) {
    if (value === null || value === undefined || name.startsWith("_")) return null;
    const own = typeof value === "object" && !Array.isArray(value) && Object.hasOwn(value, name);
    if (name !== "length" || own) value = own ? value[name] : null;
    else value = typeof value === "string" || Array.isArray(value) ? value.length : Object.keys(value).length;
  }
  return value ?? null;
}

/** Kinds do not mix: "5" is not 5, and true is not 1. */
function equal(left: unknown, right: unknown): boolean {
  return left === right;
}

/** Numbers, and text that spells one, have an order; nothing else has. */
function compare(left: unknown, operator: "<" | "<=" | ">" | ">=", right: unknown): boolean {
  const [a, b] = [numeric(left), numeric(right)];
  if (a === null || b === null) return false;
  return operator === "<" ? a < b : operator === "<=" ? a <= b : operator === ">" ? a > b : a >= b;
}

const NUMERIC =
  /^\\s*[+-]?(?:\\d+(?:_\\d+)*(?:\\.(?:\\d+(?:_\\d+)*)?)?|\\.\\d+(?:_\\d+)*)(?:[eE][+-]?\\d+)?\\s*$/;

function numeric(value: unknown): number | null {
  if (typeof value === "number") return value;
  return typeof value === "string" && NUMERIC.test(value) ? Number(value.replaceAll("_", "")) : null;
}
"""
"""What the code of guards calls."""


def expression_code(expression: Expression) -> str:  # noqa: PLR0911 - one return a form
    """Write an expression, in which no guard is named any more, over `context` and `event`."""
    match expression:
        case BoolLiteral(value):
            return json.dumps(value)
        case Truth(path, declared_bool):
            found = path_code(path)
            return f"Boolean({found})" if declared_bool else f"{found} !== null"
        case NullTest(path, negated):
            return f"{path_code(path)} {'!==' if negated else '==='} null"
        case Comparison():
            return _comparison(expression)
        case Not(operand):
            return f"!({expression_code(operand)})"
        case And(operands):
            return " && ".join(_grouped(operand) for operand in operands)
        case Or(operands):
            return " || ".join(_grouped(operand) for operand in operands)
        case GuardName() | Else():
            return "true"
        case _:
            assert_never(expression)


def resolved(expression: Expression, named: Mapping[str, Expression], within: tuple[str, ...] = ()) -> Expression:
    """
    Put what named guards say in the place of their names.

    Args:
        expression: Any guard.
        named: The guards table.
        within: The names on the way here; one that comes again is left alone.
    """
    match expression:
        case GuardName(name) if name in named and name not in within:
            return resolved(named[name], named, (*within, name))
        case Not(operand):
            return Not(resolved(operand, named, within))
        case And(operands) | Or(operands):
            return replace(expression, operands=tuple(resolved(operand, named, within) for operand in operands))
        case _:
            return expression


def path_code(path: Path) -> str:
    """Write the reading of a path."""
    root = "context" if path.root == "context" else "event"
    return f"read({', '.join([root, *map(json.dumps, path.names)])})"


def _grouped(expression: Expression) -> str:
    code = expression_code(expression)
    return f"({code})" if isinstance(expression, And | Or) else code


def _comparison(comparison: Comparison) -> str:
    left, right = _operand(comparison.left), _operand(comparison.right)
    match comparison.operator:
        case "==":
            return f"equal({left}, {right})"
        case "!=":
            return f"!equal({left}, {right})"
        case operator:
            return f'compare({left}, "{operator}", {right})'


def _operand(operand: Operand) -> str:
    match operand:
        case Value(value):
            return json.dumps(value)
        case Path():
            return path_code(operand)
        case _:
            assert_never(operand)
