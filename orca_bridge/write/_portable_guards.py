"""Guards in forms that all tools read alike, and names for those that stand in rows."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from orca_bridge.definition import (
    And,
    BoolLiteral,
    Comparison,
    Else,
    Expression,
    GuardDefinition,
    GuardName,
    Not,
    NullTest,
    Or,
    Path,
    Span,
    Truth,
    Value,
)

from ._guard_text import guard_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orca_bridge.definition import MachineDefinition, Operand, TransitionDefinition

__all__ = ("Guards",)

_MIRRORED: Mapping[str, Literal["==", "!=", "<", "<=", ">", ">="]] = {
    "==": "==",
    "!=": "!=",
    "<": ">",
    ">": "<",
    "<=": ">=",
    ">=": "<=",
}


class Guards:
    """
    The guards of a machine, which grow by those that rows had for themselves.

    Args:
        machine: The machine.
        lines: The lines of its text whose guards other tools misread.
    """

    def __init__(self, machine: MachineDefinition, lines: Collection[int]) -> None:
        self._named = {guard.name: guard.expression for guard in machine.guards}
        self._rivals: dict[tuple[str, str | None], list[Expression | None]] = defaultdict(list)
        for row in machine.transitions:
            if not isinstance(row.guard, Else):
                self._rivals[row.source, row.event].append(row.guard)
        self._taken = {*self._named, *(field.name for field in machine.context)}
        self.table = [self._rewritten(guard) if guard.span.line in lines else guard for guard in machine.guards]
        self._by_expression = {guard.expression: guard.name for guard in reversed(self.table)}

    def named(self, row: TransitionDefinition) -> TransitionDefinition:
        """Give a row whose guard, if it stood in the row, has a name."""
        guard = row.guard
        if guard is None or isinstance(guard, GuardName):
            return row
        if isinstance(guard, Not) and isinstance(guard.operand, GuardName):
            # No tool reads all of its spellings, and this one is read by most.
            return replace(row, guard_text=f"!{guard.operand.name}")
        expression = self._otherwise(row) if isinstance(guard, Else) else self.plain(guard)
        if expression is None:
            return replace(row, guard=None, guard_text="")
        name = self._name_of(expression, row)
        return replace(row, guard=GuardName(name), guard_text=name)

    def plain(self, expression: Expression) -> Expression:  # noqa: PLR0911 - one return a form
        """Write an expression without what other tools misread."""
        match expression:
            case GuardName(name):
                return self.plain(self._named[name])
            case Truth(path, declared_bool):
                return Comparison(path, "==", Value(value=True)) if declared_bool else NullTest(path, negated=True)
            case Comparison(Value() as left, operator, Path() as right):
                return Comparison(right, _MIRRORED[operator], _whole(left))
            case Comparison(left, operator, right):
                return Comparison(_whole(left), operator, _whole(right))
            case Not(Not(inner)):
                return self.plain(inner)
            case Not(inner):
                return Not(self.plain(inner))
            case And(operands):
                return And(tuple(map(self.plain, operands)))
            case Or(operands):
                return Or(tuple(map(self.plain, operands)))
            case _:
                return expression

    def _rewritten(self, guard: GuardDefinition) -> GuardDefinition:
        expression = self.plain(guard.expression)
        return replace(guard, expression=expression, text=guard_text(expression))

    def _otherwise(self, row: TransitionDefinition) -> Expression | None:
        """Say what ``else`` means: the guards of the other rows for the event are false; None if there are none."""
        others = self._rivals[row.source, row.event]
        if not others:
            return None
        if None in others:
            return BoolLiteral(value=False)
        false = tuple(self.plain(Not(guard)) for guard in dict.fromkeys(others) if guard is not None)
        return false[0] if len(false) == 1 else And(false)

    def _name_of(self, expression: Expression, row: TransitionDefinition) -> str:
        if expression in self._by_expression:
            return self._by_expression[expression]
        verb = "not" if isinstance(row.guard, Else) else "can"
        source = row.source.rpartition(".")[2] if row.source != "*" else "any_state"
        event = "" if row.event in (None, "*") else f"{_letters(row.event)}_"
        stem = f"{verb}_{event}in_{_letters(source)}"
        numbered = (f"{stem}_{number}" if number > 1 else stem for number in range(1, len(self._taken) + 2))
        name = next(one for one in numbered if one not in self._taken)
        self._taken.add(name)
        self._by_expression[expression] = name
        self.table.append(GuardDefinition(name, expression, guard_text(expression), row.span or Span(1, 1, 1)))
        return name


def _whole(operand: Operand) -> Operand:
    """Write a number without a fraction if it has none, as in ``1e3``."""
    value = operand.value if isinstance(operand, Value) else None
    return Value(int(value)) if isinstance(value, float) and value.is_integer() else operand


def _letters(text: str | None) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "_", text or "")
