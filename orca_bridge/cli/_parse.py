"""``orca-bridge parse``: documents as data, in the JSON form of orca-lang."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orca_bridge.definition import Document
from orca_bridge.write import json_form

from ._files import add_file_options, chosen
from ._output import Refusal, complain, say_json
from ._sources import SYNTAXES, read_from

if TYPE_CHECKING:
    import argparse

__all__ = ("add_to",)


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser("parse", help="print documents as JSON, as orca-lang does")
    add_file_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value on errors too")
    parser.add_argument("--from", dest="syntax", choices=SYNTAXES, help="the form it is in (default: by the name)")
    parser.add_argument("--machine", metavar="M", help="only this machine, without decision tables")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what every file defines, several files as a list; the worst status wins."""
    found, errors, worst = [], [], 0
    for file in options.files:
        try:
            found.append(json_form(_read(file, options)))
        except Refusal as refusal:
            complain(refusal)
            errors.append(str(refusal))
            worst = max(worst, refusal.status)
    if options.json and errors:
        say_json({"status": "error", "errors": errors})
    elif found:
        say_json(found if len(options.files) > 1 else found[0])
    return worst


def _read(file: str, options: argparse.Namespace) -> Document:
    document, name = read_from(file, options.name, options.syntax)
    if options.machine is None:
        return document
    return Document(chosen(document.machines, options.machine, name), name=name)
