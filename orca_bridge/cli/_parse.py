"""``orca-bridge parse``: documents as data, in the JSON form of orca-lang."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orca_bridge.definition import Document
from orca_bridge.write import json_form

from ._files import add_file_options, read_document
from ._output import complain, say

if TYPE_CHECKING:
    import argparse

__all__ = ("add_to",)

_SUFFIXES = {"markdown": ".md", "brace": ".orca"}


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser("parse", help="print documents as JSON, as orca-lang does")
    add_file_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value on errors too")
    parser.add_argument("--from", dest="syntax", choices=tuple(_SUFFIXES), help="the syntax (default: by the name)")
    parser.add_argument("--machine", metavar="M", help="only this machine, without decision tables")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what every file defines, several files as a list; the worst status wins."""
    found, errors, worst = [], [], 0
    for file in options.files:
        document, problems, status = _read(file, options)
        found += [json_form(document)] if document is not None else []
        errors += problems
        worst = max(worst, status)
    if options.json and worst:
        say(json.dumps({"status": "error", "errors": errors}, indent=2, ensure_ascii=False))
        return worst
    for error in errors:
        complain(error)
    if found:
        say(json.dumps(found if len(options.files) > 1 else found[0], indent=2, ensure_ascii=False))
    return worst


def _read(file: str, options: argparse.Namespace) -> tuple[Document | None, list[str], int]:
    suffix = _SUFFIXES.get(options.syntax, "")
    given = read_document(file, options.name, suffix)
    if given is None:
        return None, [f"{file} has not been read"], 2
    reading, name = given
    if reading.errors or reading.document is None:
        return None, [str(error) for error in reading.errors], 1
    if options.machine is None:
        return reading.document, [], 0
    machines = tuple(one for one in reading.document.machines if one.name == options.machine)
    if machines:
        return Document(machines, name=name), [], 0
    listed = ", ".join(one.name for one in reading.document.machines) or "no machine at all"
    return None, [f"{name} defines no machine {options.machine!r}; it defines: {listed}"], 2
