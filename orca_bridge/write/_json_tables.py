"""Decision tables in the JSON form of orca-lang."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orca_bridge.definition import CellTest, DecisionTable, TableColumn

__all__ = ("table_form",)


def table_form(table: DecisionTable) -> dict[str, Any]:
    """Give a decision table as plain data."""
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
        found |= {"x_description": table.description} if found["description"] != table.description else {}
    # The headers are part of what a table says: a condition may be without a column.
    return found | {"x_columns": list(table.columns)}


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
    number: dict[str, Any] = {"number": int(rule.number)} if rule.number.isdecimal() else {}
    if rule.number and rule.number != str(number.get("number")):
        number["x_number"] = rule.number
    return found | number


def _cell(test: CellTest | None) -> dict[str, Any]:
    if test is None:
        return {"kind": "any"}
    if test.range is not None:
        bounds: dict[str, Any] = {"low": test.range.low, "high": test.range.high}
        bounds |= {"lowInclusive": not test.range.low_open, "highInclusive": not test.range.high_open}
        return {"kind": "range"} | {key: value for key, value in bounds.items() if value is not None}
    values = [_text(value) for value in test.values]
    if test.negated:
        found: dict[str, Any] = {"kind": "negated", "value": ", ".join(values)}
        return found | ({"x_values": values} if len(values) > 1 else {})
    return {"kind": "exact", "value": values[0]} if len(values) == 1 else {"kind": "set", "values": values}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
