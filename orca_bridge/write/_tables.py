"""Decision tables as canonical Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._cells import cell, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import CellTest, DecisionTable, NumberRange, TableColumn, TableRule

__all__ = ("decision_sections",)

_ARROW = "\N{RIGHTWARDS ARROW}"


def decision_sections(found: DecisionTable) -> Iterator[tuple[str, list[str]]]:
    """Give the sections with their lines."""
    yield "conditions", _columns(found.conditions)
    yield "actions", _columns(found.outputs)
    yield "rules", _rules(found)


def _columns(columns: Sequence[TableColumn]) -> list[str]:
    rows = [(column.name, column.kind, cell(column.description), _values(column)) for column in columns]
    shown = [True, True, any(row[2] for row in rows), any(row[3] for row in rows)]
    headers = ("Name", "Type", "Description", "Values")
    kept = [index for index in range(len(headers)) if shown[index]]
    others = [column.others for column in columns]
    return table([headers[index] for index in kept], [[row[index] for index in kept] for row in rows], others)


def _values(column: TableColumn) -> str:
    if column.range is not None:
        return _range(column.range)
    return cell(", ".join(map(_scalar, column.values)))


def _rules(found: DecisionTable) -> list[str]:
    names = [column.name for column in found.conditions]
    headers = found.columns or (*names, *(f"{_ARROW} {column.name}" for column in found.outputs))
    numbered = any(rule.number for rule in found.rules)
    rows = [[*([cell(rule.number)] if numbered else []), *_cells(rule, headers, names)] for rule in found.rules]
    if not rows and not found.columns:
        return []
    return table([*(["#"] if numbered else []), *map(cell, headers)], rows, always=True)


def _cells(rule: TableRule, headers: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    tests, given, others = dict(rule.conditions), dict(rule.outputs), dict(rule.others)
    for header in headers:
        output = header.removeprefix(f"{_ARROW} ")
        if header in names:
            yield cell(_test(tests[header])) if header in tests else "-"
        elif output != header and output in given:
            yield cell(_scalar(given[output]))
        else:
            yield cell(others.get(header, ""))


def _test(test: CellTest) -> str:
    if test.text:
        return test.text
    if test.range is not None:
        return _range(test.range)
    return ", ".join(("!" if test.negated else "") + _scalar(value) for value in test.values)


def _range(found: NumberRange) -> str:
    if found.high is None:
        return f"{'>' if found.low_open else '>='} {found.low}"
    if found.low is None:
        return f"{'<' if found.high_open else '<='} {found.high}"
    text = f"{found.low}..{found.high}"
    if found.low_open or found.high_open:
        return f"{'(' if found.low_open else '['}{text}{')' if found.high_open else ']'}"
    return text


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'
