"""
A document in the JSON form of orca-lang (exports.md 8), so that tools made for it understand what was read.

That form keeps texts as they were written and not what they mean, and has no place for much of what a definition
holds; what it cannot hold is left out here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orca_bridge.definition import (
    ActionDefinition,
    And,
    BoolLiteral,
    CellTest,
    Comparison,
    DecisionTable,
    Document,
    Else,
    Expression,
    GuardDefinition,
    GuardName,
    MachineDefinition,
    Not,
    NullTest,
    Operand,
    Or,
    Path,
    PropertyDefinition,
    StateDefinition,
    TableColumn,
    TransitionDefinition,
    Truth,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("json_form",)

_OPERATORS = {"==": "eq", "!=": "ne", "<": "lt", ">": "gt", "<=": "le", ">=": "ge"}
_SCALARS = frozenset({"string", "int", "decimal", "bool"})
_MAP = re.compile(r"map<\s*([^,]+?)\s*,\s*(.+)>")
_IS = re.compile(r"\bis\b", re.IGNORECASE)


def json_form(document: Document) -> dict[str, Any]:
    """Give the machines and decision tables of a document as plain data."""
    return {
        "machines": [_machine(machine) for machine in document.machines],
        "decisionTables": [_table(table) for table in document.tables],
    }


def _machine(machine: MachineDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": machine.name,
        "context": [
            {"name": field.name, "type": _type(field.type.text or "string")}
            | ({"defaultValue": field.text} if field.text else {})
            for field in machine.context
        ],
        "events": [{"name": event.name} for event in machine.events if not event.inferred],
        "states": [_state(state, "") for state in machine.states],
        "transitions": [_transition(row) for row in _rows(machine)],
        "guards": [_guard(guard) for guard in machine.guards],
        "actions": [_action(action) for action in machine.actions],
    }
    if machine.effects:
        found["effects"] = [
            {"name": effect.name, "input": effect.texts[0], "output": effect.texts[1]} for effect in machine.effects
        ]
    if machine.properties:
        found["properties"] = [_property(claim) for claim in machine.properties]
    return found


def _type(text: str) -> dict[str, Any]:
    """Read a type as orca-lang does, from its text."""
    if text.endswith("?"):
        return {"kind": "optional", "innerType": text[:-1]}
    if text.endswith("[]"):
        return {"kind": "array", "elementType": text[:-2]}
    entries = _MAP.fullmatch(text)
    if entries:
        return {"kind": "map", "keyType": entries[1], "valueType": entries[2]}
    return {"kind": text} if text in _SCALARS else {"kind": "custom", "name": text}


# States.


def _state(state: StateDefinition, parent: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": state.name, "isInitial": state.initial, "isFinal": state.final}
    optional: dict[str, Any] = {
        "parent": parent,
        "description": state.notes or state.description,
        "onEntry": ", ".join(state.on_entry),
        "onExit": ", ".join(state.on_exit),
        "ignoredEvents": list(state.ignored),
        "ignoredAll": state.ignores_all,
        "contains": [_state(child, state.path) for child in state.children],
    }
    found |= {key: value for key, value in optional.items() if value}
    done = state.invoke.on_done if state.invoke is not None else state.on_done
    if done is not None:
        found["onDone"] = done.text
    if state.timeouts:
        last = state.timeouts[-1]
        found["timeout"] = {"duration": last.duration, "target": last.outcome.text}
    if state.invoke is not None:
        found["invoke"] = _invoke(state)
    if state.regions:
        regions = [
            {"name": region.name, "states": [_state(inner, region.path) for inner in region.states]}
            for region in state.regions
        ]
        found["parallel"] = {"regions": regions} | ({"sync": state.sync} if state.sync != "all-final" else {})
    return found


def _invoke(state: StateDefinition) -> dict[str, Any]:
    invoke = state.invoke
    if invoke is None:
        return {}
    found: dict[str, Any] = {"machine": invoke.machine}
    if invoke.input:
        found["input"] = {given.name: given.text for given in invoke.input}
    if invoke.on_done is not None:
        found["onDone"] = invoke.on_done.text
    if invoke.on_error is not None:
        found["onError"] = invoke.on_error.text
    return found


# Transitions.


def _rows(machine: MachineDefinition) -> list[TransitionDefinition]:
    """Put the rows that describe a timeout back among the others."""
    described = [timeout.row for state in _all(machine.states) for timeout in state.timeouts if timeout.row is not None]
    if not described:
        return list(machine.transitions)
    rows = [*machine.transitions, *described]
    return sorted(rows, key=lambda row: (row.span.line, row.span.column) if row.span is not None else (0, 0))


def _all(states: tuple[StateDefinition, ...]) -> Iterator[StateDefinition]:
    for state in states:
        yield state
        yield from _all(state.children)
        for region in state.regions:
            yield from _all(region.states)


def _transition(row: TransitionDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {
        "source": row.source_text or row.source,
        "event": row.event or "",
        "target": row.target_text or row.target or "",
    }
    if row.guard is not None:
        negated = isinstance(row.guard, Not) and row.guard_text.startswith("!")
        found["guard"] = {"name": row.guard_text[1:] if negated else row.guard_text, "negated": negated}
    if row.actions:
        found["action"] = ", ".join(row.actions)
    return found


# Guards.


def _guard(guard: GuardDefinition) -> dict[str, Any]:
    return {"name": guard.name, "expression": _expression(guard.expression, guard.text)}


def _expression(expression: Expression, text: str = "") -> dict[str, Any]:  # noqa: PLR0911 - one return a form
    match expression:
        case BoolLiteral():
            return {"kind": "true" if expression.value else "false"}
        case Not():
            return {"kind": "not", "expr": _expression(expression.operand)}
        case And() | Or():
            return _joined("and" if isinstance(expression, And) else "or", expression.operands)
        case Comparison():
            return _compared(_OPERATORS[expression.operator], expression.left, expression.right)
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
    found = _expression(operands[0])
    for operand in operands[1:]:
        found = {"kind": kind, "left": found, "right": _expression(operand)}
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


# The rest.


def _action(action: ActionDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": action.name,
        "parameters": [parameter.name for parameter in action.parameters],
        "returnType": action.returns,
        "hasEffect": bool(action.effects),
    }
    return found | ({"effectType": action.effects[0]} if action.effects else {})


def _property(claim: PropertyDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": claim.kind}
    if claim.expression is not None:
        found["expression"] = _expression(claim.expression, claim.text)
    names = {"from": claim.source, "to": claim.target, "through": claim.through, "inState": claim.state}
    found |= {key: value for key, value in names.items() if value is not None}
    return found | ({"within": claim.within} if claim.within is not None else {})


def _table(table: DecisionTable) -> dict[str, Any]:
    conditions = [_column(column) for column in table.conditions]
    for written, column in zip(conditions, table.conditions, strict=True):
        written.setdefault("values", ["true", "false"] if column.kind == "bool" else [])
    found: dict[str, Any] = {
        "name": table.name,
        "conditions": conditions,
        "actions": [_column(column) for column in table.outputs],
        "rules": [_rule(table, index) for index in range(len(table.rules))],
        "policy": "first-match",
    }
    if table.description:
        found["description"] = " ".join(table.description.split("\n")).replace("  ", " ")
    return found


def _column(column: TableColumn) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": column.kind}
    if column.values:
        found["values"] = [_text(value) for value in column.values]
    if column.range is not None:
        found["range"] = {"min": column.range.low, "max": column.range.high}
    return found | ({"description": column.description} if column.description else {})


def _rule(table: DecisionTable, index: int) -> dict[str, Any]:
    rule = table.rules[index]
    tests = dict(rule.conditions)
    found: dict[str, Any] = {
        "conditions": {
            column.name: _cell(tests.get(column.name)) for column in table.conditions if column.name in table.columns
        },
        "actions": {name: _text(value) for name, value in rule.outputs},
    }
    return found | ({"number": int(rule.number)} if rule.number.isdecimal() else {})


def _cell(test: CellTest | None) -> dict[str, Any]:
    if test is None:
        return {"kind": "any"}
    if test.range is not None:
        bounds: dict[str, Any] = {"low": test.range.low, "high": test.range.high}
        bounds |= {"lowInclusive": not test.range.low_open, "highInclusive": not test.range.high_open}
        return {"kind": "range"} | {key: value for key, value in bounds.items() if value is not None}
    values = [_text(value) for value in test.values]
    if test.negated:
        return {"kind": "negated", "value": ", ".join(values)}
    return {"kind": "exact", "value": values[0]} if len(values) == 1 else {"kind": "set", "values": values}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
