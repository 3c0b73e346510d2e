"""Decision tables as Python functions, and as plain data (exports.md 6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orca_bridge.definition import Document

from ._json_form import json_form
from ._python_names import docstring, identifiers, joined, literal, pascal_case, snake_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orca_bridge.definition import CellTest, DecisionTable, NumberRange, TableColumn, TableRule

__all__ = ("table_json", "table_python")

_TYPES = {
    "bool": "bool",
    "int_range": "int",
    "int": "int",
    "decimal_range": "float",
    "decimal": "float",
    "string": "str",
}


def table_python(tables: Sequence[DecisionTable], *, source: str = "") -> str:
    """
    Write decision tables as a Python module that runs without this package.

    Args:
        tables: The tables of a document.
        source: The name of the document, for the first line.
    """
    classes = identifiers(pascal_case(table.name) for table in tables)
    functions = identifiers(snake_case(table.name) for table in tables)
    bodies = [
        list(_Writer(table, classes[pascal_case(table.name)], functions[snake_case(table.name)]).lines())
        for table in tables
    ]
    text = "\n\n\n".join("\n".join(body) for body in bodies)
    origin = f"of {source}, " if source else ""
    head = docstring(f"Decision tables {origin}as functions.\n\nWritten by orca_bridge: change the document instead.")
    head += ["", "from __future__ import annotations", "", "from dataclasses import dataclass"]
    head += ["from typing import Literal"] if "Literal[" in text else []
    return "\n".join(head) + f"\n\n\n{text}\n"


def table_json(table: DecisionTable) -> str:
    """Write a decision table as plain data: conditions with their domains, outputs, rules cell by cell, the policy."""
    found = json_form(Document((), (table,)))["decisionTables"][0]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


class _Writer:
    def __init__(self, table: DecisionTable, stem: str, function: str) -> None:
        self.table, self.stem, self.function = table, stem, function
        self.inputs = identifiers(column.name for column in table.conditions)
        self.outputs = identifiers(column.name for column in table.outputs)
        self.locals = identifiers((column.name for column in table.conditions), taken=("given",))

    def lines(self) -> Iterator[str]:
        name = self.table.name
        yield from self._record(f"{self.stem}Input", f"What the decision table {name} is asked with.", self._asked())
        yield ""
        yield ""
        yield from self._record(f"{self.stem}Output", f"What a rule of {name} sets; None is not set.", self._given())
        yield ""
        yield ""
        yield f"def evaluate_{self.function}(given: {self.stem}Input) -> {self.stem}Output | None:"
        yield from docstring(self.table.description or f"Find the first rule of {name} that matches.", "    ")
        yield from self._rules()

    def _record(self, name: str, text: str, fields: Sequence[str]) -> Iterator[str]:
        yield "@dataclass(frozen=True, slots=True)"
        yield f"class {name}:"
        yield from docstring(text, "    ")
        if fields:
            yield ""
            yield from (f"    {field}" for field in fields)

    def _asked(self) -> list[str]:
        used: dict[str, list[object]] = {}
        for rule in self.table.rules:
            for name, cell in rule.conditions:
                used.setdefault(name, []).extend(cell.values)
        return self._fields(self.table.conditions, self.inputs, used)

    def _given(self) -> list[str]:
        used: dict[str, list[object]] = {}
        for rule in self.table.rules:
            for name, value in rule.outputs:
                used.setdefault(name, []).append(value)
        return self._fields(self.table.outputs, self.outputs, used)

    def _fields(
        self, columns: Sequence[TableColumn], names: Mapping[str, str], used: Mapping[str, list[object]]
    ) -> list[str]:
        found = []
        for column in columns:
            note = f"  # {column.name}" if names[column.name] != column.name else ""
            found.append(f"{names[column.name]}: {_type(column, used.get(column.name, []))} | None = None{note}")
        return found

    # -- rules ------------------------------------------------------------------------------------------

    def _rules(self) -> Iterator[str]:
        asked = {name for rule in self.table.rules for name, cell in rule.conditions if cell.values or cell.range}
        for column in self.table.conditions:
            if column.name in asked:
                # Wider than the field: type checkers reason about what earlier rules leave over, and would complain.
                wide = {"bool": "object", "enum": "str | None"}.get(column.kind) or f"{_TYPES[column.kind]} | None"
                yield f"    {self.locals[column.name]}: {wide} = given.{self.inputs[column.name]}"
        for number, rule in enumerate(self.table.rules):
            result = [f"{self.outputs[name]}={literal(value)}" for name, value in rule.outputs]
            tests = [self._test(self.locals[name], cell) for name, cell in rule.conditions]
            tests = [test for test in tests if test]
            if not tests:
                yield from joined(f"return {self.stem}Output(", result, ")", "    ")
                rest = len(self.table.rules) - number - 1
                if rest:
                    yield f"    # never asked: {rest} more"
                return
            yield from _condition(tests, rule)
            yield from joined(f"return {self.stem}Output(", result, ")", "        ")
        yield "    return None"

    def _test(self, value: str, cell: CellTest) -> str:
        if cell.range is not None:
            return _within(value, cell.range)
        if not cell.values:
            return ""
        if isinstance(cell.values[0], bool):
            tests = [f"{value} is {wanted}" for wanted in cell.values]
            found = tests[0] if len(tests) == 1 else f"({' or '.join(tests)})"
            negated = f"{value} is {not cell.values[0]}" if len(tests) == 1 else "False"
            return negated if cell.negated else found
        listed = ", ".join(map(literal, cell.values))
        if len(cell.values) == 1:
            return f"{value} is not None and {value} != {listed}" if cell.negated else f"{value} == {listed}"
        return f"{value} is not None and {value} not in ({listed})" if cell.negated else f"{value} in ({listed})"


def _condition(tests: Sequence[str], rule: TableRule) -> Iterator[str]:
    note = f"  # rule {rule.number}" if rule.number else ""
    short = f"    if {' and '.join(tests)}:{note}"
    if len(short) <= 120:  # noqa: PLR2004 - the width of a line
        yield short
        return
    yield f"    if ({note}"
    yield f"        {tests[0]}"
    yield from (f"        and {test}" for test in tests[1:])
    yield "    ):"


def _within(value: str, bounds: NumberRange) -> str:
    low = f"{bounds.low!r} {'<' if bounds.low_open else '<='} " if bounds.low is not None else ""
    high = f" {'<' if bounds.high_open else '<='} {bounds.high!r}" if bounds.high is not None else ""
    if not low and high:
        return f"{value} is not None and {value}{high}"
    if not high and low:
        return f"{value} is not None and {value} {'>' if bounds.low_open else '>='} {bounds.low!r}"
    return f"{value} is not None and {low}{value}{high}"


def _type(column: TableColumn, used: Sequence[object]) -> str:
    if column.kind == "enum" or (column.kind == "string" and column.values):
        values = dict.fromkeys([*column.values, *used])
        return f"Literal[{', '.join(map(literal, values))}]" if values else "str"
    return _TYPES.get(column.kind, "str")
