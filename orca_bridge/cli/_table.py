"""``orca-bridge table``: ask a decision table."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from orca_bridge.convert import Table

from ._files import read_document
from ._output import complain, say

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
    parser.add_argument("--name", default="<stdin>", help="what to call standard input; *.orca is brace text")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask the table; status 1 if no rule matches."""
    try:
        definition = _find(options)
        found = Table(definition).evaluate(_inputs(options, definition))
    except _Refusal as refusal:
        return _refuse(options, refusal)
    if found is None:
        return _refuse(options, _Refusal(f"no rule of {definition.name} matches", 1))
    if options.json:
        say(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        say("\n".join(f"{name}: {_text(value)}" for name, value in found.items()))
    return 0


class _Refusal(Exception):  # noqa: N818 - carried a few lines, and never seen outside
    """Why there is no answer, and the status that says so."""

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status


def _refuse(options: argparse.Namespace, refusal: _Refusal) -> int:
    if options.json:
        say(json.dumps({"status": "error", "errors": str(refusal).splitlines()}, indent=2))
    elif str(refusal):
        complain(refusal)
    return refusal.status


def _find(options: argparse.Namespace) -> DecisionTable:
    found = read_document(options.file, options.name)
    if found is None:
        raise _Refusal("")
    reading, name = found
    if reading.errors or reading.document is None:
        raise _Refusal("\n".join(map(str, reading.errors)), 1)
    for table in reading.document.tables:
        if table.name == options.table:
            return table
    listed = ", ".join(table.name for table in reading.document.tables) or "no decision table at all"
    raise _Refusal(f"{name} defines no decision table {options.table!r}; it defines: {listed}")


def _inputs(options: argparse.Namespace, table: DecisionTable) -> dict[str, Any]:
    columns = {column.name: column for column in table.conditions}
    given = _written(options.values, columns) if options.values or options.file == "-" else _from_json()
    unknown = [name for name in given if name not in columns]
    if unknown:
        raise _Refusal(f"{table.name} has no condition {unknown[0]!r}; it has: {', '.join(columns)}")
    return given


def _from_json() -> dict[str, Any]:
    try:
        found = json.load(sys.stdin)
    except ValueError as error:
        raise _Refusal(f"standard input holds no JSON: {error}") from None
    if not isinstance(found, dict):
        raise _Refusal('standard input holds no JSON object, such as {"name": "value"}')
    return found


def _written(values: Sequence[str], columns: dict[str, TableColumn]) -> dict[str, Any]:
    given = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise _Refusal(f"{text!r} is no NAME=VALUE")
        given[name] = _value(value, columns[name].kind if name in columns else "string")
    return given


def _value(text: str, kind: str) -> Any:
    if text == "null":
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind.endswith("_range"):
        try:
            return int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            raise _Refusal(f"{text!r} is no number") from None
    return text


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
