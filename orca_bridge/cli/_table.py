"""``orca-bridge table``: ask a decision table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orca_bridge.convert import Table

from ._files import add_name_option, read_document, sound, standard_input
from ._output import Refusal, meant, say, say_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from orca_bridge.definition import DecisionTable, TableColumn

__all__ = ("add_to",)


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser("table", help="ask a decision table")
    parser.add_argument("table", metavar="NAME", help="the table")
    parser.add_argument("file", metavar="FILE", help="a document, or - for standard input")
    parser.add_argument("values", nargs="*", metavar="NAME=VALUE", help="what it is asked with; else JSON is read")
    add_name_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask the table; status 1 if no rule matches."""
    definition = _find(options)
    found = Table(definition).evaluate(_inputs(options, definition))
    if found is None:
        raise Refusal(f"no rule of {definition.name} matches", 1)
    if options.json:
        say_json(found)
    else:
        say("\n".join(f"{name}: {_text(value)}" for name, value in found.items()))
    return 0


def _find(options: argparse.Namespace) -> DecisionTable:
    reading, name = read_document(options.file, options.name)
    document = sound(reading)
    for table in document.tables:
        if table.name == options.table:
            return table
    known = [table.name for table in document.tables]
    listed = ", ".join(known) or "no decision table at all"
    hint = meant(options.table, known)
    raise Refusal(f"{name} defines no decision table {options.table!r}{hint}; it defines: {listed}")


def _inputs(options: argparse.Namespace, table: DecisionTable) -> dict[str, Any]:
    columns = {column.name: column for column in table.conditions}
    given = _written(options.values, columns) if options.values or options.file == "-" else _from_json()
    unknown = [name for name in given if name not in columns]
    if unknown:
        hint = meant(unknown[0], columns)
        raise Refusal(f"{table.name} has no condition {unknown[0]!r}{hint}; it has: {', '.join(columns)}")
    return given


def _from_json() -> dict[str, Any]:
    try:
        found = json.loads(standard_input())
    except (ValueError, RecursionError) as error:
        raise Refusal(f"standard input holds no JSON: {error}; give NAME=VALUE, or pipe an object") from None
    if not isinstance(found, dict):
        raise Refusal('standard input holds no JSON object, such as {"name": "value"}')
    return found


def _written(values: Sequence[str], columns: dict[str, TableColumn]) -> dict[str, Any]:
    given = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise Refusal(f"{text!r} is no NAME=VALUE")
        given[name] = _value(value, columns[name]) if name in columns else value
    return given


def _value(text: str, column: TableColumn) -> Any:
    if text == "null":
        return None
    if column.kind == "bool":
        if text.lower() not in ("true", "false"):
            raise Refusal(f"{column.name} is true or false, not {text!r}")
        return text.lower() == "true"
    if column.kind == "enum" and column.values and text not in column.values:
        raise Refusal(f"{column.name} is one of {', '.join(map(str, column.values))}, not {text!r}")
    if column.kind.endswith("_range"):
        try:
            return int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            raise Refusal(f"{column.name} is a number, not {text!r}") from None
    return text


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
