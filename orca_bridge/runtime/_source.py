"""What a `MachineDef` says, as a definition: the one it was read from, or one that is read anew if it was changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orca_bridge.syntax import read

from ._view import OPERATORS
from .parser import ParseError
from .types import (
    GuardAnd,
    GuardCompare,
    GuardExpression,
    GuardNot,
    GuardNullcheck,
    GuardOr,
    GuardTrue,
    ValueRef,
    VariableRef,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import DecisionTable, MachineDefinition

    from .types import InvokeDef, MachineDef, StateDef, Transition

__all__ = ("definition_of", "text_of")

_SIGNS = {name: sign for sign, name in OPERATORS.items()}


def definition_of(machine: MachineDef) -> tuple[MachineDefinition, tuple[DecisionTable, ...]]:
    """
    Give the definition behind a machine, and the decision tables of its document.

    Raises:
        ParseError: It was built or changed by hand, and has errors; its text is shown with them.
    """
    origin = machine._origin
    if origin is not None and machine == origin.pristine:
        return origin.definition, origin.tables
    reading = read(text_of(machine), f"{machine.name}.md")
    if reading.errors or reading.document is None:
        raise ParseError(f"the machine {machine.name!r} that was built by hand", reading.diagnostics)
    return reading.document.machines[0], origin.tables if origin is not None else ()


def text_of(machine: MachineDef) -> str:
    """
    Write a machine as a document.

    Start values are left out: they need not be text, and the machine that runs has them from the record.
    """
    return "\n".join(_lines(machine)) + "\n"


def _lines(machine: MachineDef) -> Iterator[str]:
    yield f"# machine {machine.name}"
    yield f"- version: {machine.version}"
    yield from _table("context", ("Field", "Type"), [(name, "any") for name in machine.context])
    if machine.events:
        yield from ("", "## events", *(f"- {name}" for name in machine.events))
    for state in machine.states:
        yield from _state(state, 2)
    yield from _table("transitions", ("Source", "Event", "Guard", "Target", "Action"), map(_row, machine.transitions))
    guards = [(name, f"`{_guard(guard)}`") for name, guard in machine.guards.items()]
    yield from _table("guards", ("Name", "Expression"), guards)
    actions = [(one.name, f"`({', '.join(one.parameters)}) -> {_type(one)}`") for one in machine.actions]
    yield from _table("actions", ("Name", "Signature"), actions)
    effects = [(one.name, one.input, one.output) for one in machine.effects]
    yield from _table("effects", ("Name", "Input", "Output"), effects)
    returns = [(one.name, one.type, ", ".join(one.statistics)) for one in machine.returns]
    yield from _table("returns", ("Name", "Type", "Statistics"), returns)


def _table(section: str, headers: tuple[str, ...], rows: Any) -> Iterator[str]:
    written = [_cells(row) for row in rows]
    if written:
        yield from ("", f"## {section}", "", _cells(headers), _cells(["---"] * len(headers)), *written)


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(action: Any) -> str:
    return f"{action.return_type} + Effect<{action.effect_type}>" if action.effect_type else str(action.return_type)


def _row(row: Transition) -> tuple[str, ...]:
    return row.source, row.event or "", row.guard or "", row.target or "", row.action or ""


# -- states ------------------------------------------------------------------------------------------------


def _state(state: StateDef, level: int) -> Iterator[str]:
    marks = ["initial"] * state.is_initial + ["final"] * state.is_final + ["parallel"] * (state.parallel is not None)
    if state.parallel is not None and state.parallel.sync:
        marks.append(f"sync: {state.parallel.sync}")
    yield from ("", f"{'#' * level} state {state.name}" + (f" [{', '.join(marks)}]" if marks else ""))
    yield from (f"> {line}" for line in (state.description or "").splitlines())
    yield from _bullets(state)
    for child in state.contains:
        yield from _state(child, level + 1)
    for region in state.parallel.regions if state.parallel is not None else ():
        yield from ("", f"{'#' * (level + 1)} region {region.name}")
        for inside in region.states:
            yield from _state(inside, level + 2)


def _bullets(state: StateDef) -> Iterator[str]:
    if state.on_entry:
        yield f"- on_entry: {state.on_entry}"
    if state.on_exit:
        yield f"- on_exit: {state.on_exit}"
    if state.timeout:
        yield f"- timeout: {state.timeout['duration']} -> {state.timeout['target']}"
    if state.ignored_events:
        yield f"- ignore: {', '.join(state.ignored_events)}"
    if state.invoke is not None:
        yield from _invoke(state.invoke, state.on_done)
    elif state.on_done:
        yield f"- on_done: {state.on_done}"


def _invoke(invoke: InvokeDef, on_done: str | None) -> Iterator[str]:
    yield f"- invoke: {invoke.machine}"
    for key, values in (("input", invoke.input), ("returns", invoke.returns)):
        if values:
            yield f"- {key}: {{ {', '.join(f'{name}: {value}' for name, value in values.items())} }}"
    if invoke.shots is not None:
        yield f"- shots: {invoke.shots}"
    if invoke.on_done or on_done:
        yield f"- on_done: {invoke.on_done or on_done}"
    if invoke.on_error:
        yield f"- on_error: {invoke.on_error}"


# -- guards ------------------------------------------------------------------------------------------------


def _guard(guard: GuardExpression) -> str:  # noqa: PLR0911 - one return a form
    match guard:
        case GuardTrue():
            return "true"
        case GuardNot(expr):
            return f"not ({_guard(expr)})"
        case GuardAnd(left, right):
            return f"({_guard(left)}) and ({_guard(right)})"
        case GuardOr(left, right):
            return f"({_guard(left)}) or ({_guard(right)})"
        case GuardNullcheck(expr, is_null):
            return f"{_operand(expr)} {'==' if is_null else '!='} null"
        case GuardCompare(op, left, right):
            return f"{_operand(left)} {_SIGNS[op]} {_operand(right)}"
        case _:
            return "false"


def _operand(operand: VariableRef | ValueRef) -> str:
    if isinstance(operand, VariableRef):
        return ".".join(operand.path)
    return json.dumps(operand.value, ensure_ascii=False)
