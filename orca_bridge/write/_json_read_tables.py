"""Decision tables from their JSON form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.definition import CellTest, DecisionTable, NumberRange, TableColumn, TableRule

if TYPE_CHECKING:
    from orca_bridge.definition import Span

    from ._json_value import Value

__all__ = ("table_of",)

_ARROW = "\N{RIGHTWARDS ARROW}"


def table_of(found: Value, span: Span) -> DecisionTable:
    """Read a decision table; its values are texts, and get their meaning when they are read as Markdown."""
    conditions = tuple(map(_column, found.list("conditions")))
    outputs = tuple(map(_column, found.list("actions")))
    plain = (*(one.name for one in conditions), *(f"{_ARROW} {one.name}" for one in outputs))
    return DecisionTable(
        found.name("name"),
        found.lines("x_description") or found.lines("description"),
        conditions,
        outputs,
        tuple(_rule(rule, conditions) for rule in found.list("rules")),
        found.texts("x_columns") if found.has("x_columns") else plain,
        span,
    )


def _column(found: Value) -> TableColumn:
    kind = found.text("type")
    values = () if kind == "bool" and found.texts("values") == ("true", "false") else found.texts("values")
    limits = found.value("range")
    limit = NumberRange(_number(limits, "min"), _number(limits, "max")) if limits.is_given else None
    return TableColumn(found.name("name"), kind, values, limit, found.text("description", ""))


def _number(found: Value, key: str) -> float | None:
    number = found.mapping().get(key)
    if isinstance(number, bool) or not isinstance(number, int | float | None):
        found.wrong("a number is needed", key)
        return None
    return number


def _rule(found: Value, conditions: tuple[TableColumn, ...]) -> TableRule:
    cells, given = found.value("conditions"), found.value("actions")
    tests = tuple((one.name, _cell(cells.value(one.name))) for one in conditions if cells.has(one.name))
    number = found.number("number")
    return TableRule(
        tuple((name, test) for name, test in tests if test is not None),
        tuple((name, given.text(name)) for name in given.mapping()),
        found.text("x_number", "" if number is None else str(number)),
    )


def _cell(found: Value) -> CellTest | None:
    match found.one_of("kind", "any", "exact", "set", "negated", "range"):
        case "exact":
            return CellTest((found.text("value"),))
        case "set":
            return CellTest(found.texts("values"))
        case "negated":
            return CellTest(found.texts("x_values") or (found.text("value"),), negated=True)
        case "range":
            ends = _number(found, "low"), _number(found, "high")
            opened = [found.has(end) and not found.flag(end) for end in ("lowInclusive", "highInclusive")]
            return CellTest(range=NumberRange(*ends, *opened))
        case _:
            return None
