"""Guards as Python functions over `context` and `event`, with the helpers of `orca_bridge.source`."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from orca_bridge.convert import all_states
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

from ._guard_text import guard_text
from ._python_names import docstring, identifiers, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orca_bridge.definition import MachineDefinition

__all__ = ("GuardFunctions",)


class GuardFunctions:
    """
    The guards of one machine: those of its table, and those that stand in rows only.

    Args:
        machine: The machine.
        prefix: What the names of functions begin with.
    """

    def __init__(self, machine: MachineDefinition, prefix: str) -> None:
        named = {guard.name: guard.expression for guard in machine.guards}
        timeouts = [timeout for state in all_states(machine.states) for timeout in state.timeouts]
        inline = [row.guard for row in machine.transitions if row.guard is not None]
        inline += [timeout.guard for timeout in timeouts if timeout.guard is not None]
        self._texts = {guard.name: guard.text for guard in machine.guards}
        self._expressions: dict[str, Expression] = dict(named)
        for guard in inline:
            if not isinstance(guard, GuardName | Else):
                self._expressions.setdefault(f" {guard_text(guard)}", guard)
        wanted = {key: f"{prefix}_{key}" if key in named else "" for key in self._expressions}
        numbers = (number for number in range(1, len(wanted) + 1))
        wanted = {key: name or f"{prefix}_guard_{next(numbers)}" for key, name in wanted.items()}
        chosen = identifiers(wanted.values())
        self._names = {key: f"_{chosen[name]}" for key, name in wanted.items()}

    def name_of(self, guard: Expression) -> str:
        """Give the name of the function of a row's guard, which is not ``else``."""
        return self._names[guard.name if isinstance(guard, GuardName) else f" {guard_text(guard)}"]

    def lines(self) -> Iterator[str]:
        """Write the functions."""
        for key, expression in self._expressions.items():
            yield ""
            yield ""
            yield f"def {self._names[key]}(context: Any, event: Any) -> bool:"
            yield from docstring(f"`{self._texts.get(key, key.strip())}`", "    ")
            code = self._code(expression)
            unused = [word for word in ("context", "event") if word not in code]
            if unused:
                yield f"    del {', '.join(unused)}"
            yield f"    return {code}"

    def _code(self, expression: Expression) -> str:  # noqa: PLR0911 - one return a form
        match expression:
            case BoolLiteral(value):
                return repr(value)
            case GuardName(name):
                return f"{self._names[name]}(context, event)"
            case Truth(path, declared_bool):
                found = _operand(path)
                return f"truth({found})" if declared_bool else f"{found} is not None"
            case NullTest(path, negated):
                return f"{_operand(path)} is {'not ' if negated else ''}None"
            case Comparison():
                return _comparison(expression)
            case Not(operand):
                return f"not {self._grouped(operand)}"
            case And(operands):
                return " and ".join(self._grouped(operand) for operand in operands)
            case Or(operands):
                return " or ".join(self._grouped(operand) for operand in operands)
            case Else():
                return "True"
            case _:
                assert_never(expression)

    def _grouped(self, expression: Expression) -> str:
        code = self._code(expression)
        return f"({code})" if isinstance(expression, And | Or | Not | NullTest | Truth) else code


def _comparison(comparison: Comparison) -> str:
    left, right = _operand(comparison.left), _operand(comparison.right)
    match comparison.operator:
        case "==":
            return f"equal({left}, {right})"
        case "!=":
            return f"not equal({left}, {right})"
        case operator:
            return f'order({left}, "{operator}", {right})'


def _operand(operand: Operand) -> str:
    match operand:
        case Value(value):
            return literal(value)
        case Path(root, names):
            return f"read({', '.join([root, *map(literal, names)])})"
        case _:
            assert_never(operand)
