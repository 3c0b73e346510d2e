"""``orca-bridge export TARGET``: machines and decision tables in the form of another tool."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orca_bridge.exceptions import OrcaError

from ._files import add_file_options, chosen, read_document, sound, write_text
from ._output import Refusal, complain, meant, say
from ._targets import TARGETS, Job

if TYPE_CHECKING:
    import argparse

    from ._targets import Target

__all__ = ("add_to", "export_to")


def add_to(verbs: Any) -> None:
    """Add the verb, and the older spellings of it, to the command line."""
    listed = ", ".join(TARGETS)
    export = verbs.add_parser("export", help=f"write documents in another form: {listed}")
    export.add_argument("target", metavar="TARGET", help=f"one of {listed}")
    _add_options(export)
    older = verbs.add_parser("compile", help="the same as export")
    older.add_argument("target", metavar="TARGET", help=f"one of {listed}")
    older.add_argument("--json", action="store_true", help="print one JSON value")
    _add_options(older)
    picture = verbs.add_parser("visualize", help="the same as export mermaid")
    picture.set_defaults(target="mermaid")
    _add_options(picture)


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_file_options(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write the result there")
    parser.add_argument("--machine", metavar="M", help="only this machine")
    for target in TARGETS.values():
        for option in target.options:
            option.add_to(parser)
    parser.set_defaults(run=run, json=False)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one file."""

    status: int
    output: str = ""
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def run(options: argparse.Namespace) -> int:
    """Export every file; the worst status wins."""
    if options.target not in TARGETS:
        listed = ", ".join(TARGETS)
        raise Refusal(f"there is no target {options.target!r}{meant(options.target, TARGETS)}; there are: {listed}")
    return export_to(TARGETS[options.target], options)


def export_to(target: Target, options: argparse.Namespace) -> int:
    """Export every file to a target; the worst status wins."""
    outcomes = [_export(file, target, options) for file in options.files]
    worst = max(outcome.status for outcome in outcomes)
    output = "\n".join(outcome.output for outcome in outcomes if outcome.output)
    if options.json:
        output = json.dumps(_as_json(options.target, outcomes, output), indent=2) + "\n"
    else:
        for outcome in outcomes:
            for line in (*outcome.errors, *outcome.warnings):
                complain(line)
    if output and options.output is not None:
        write_text(options.output, output)
    elif output:
        say(output.removesuffix("\n"))
    return worst


def _export(file: str, target: Target, options: argparse.Namespace) -> _Outcome:
    try:
        written = target.write(_job(file, target, options))
    except Refusal as refusal:
        return _Outcome(refusal.status, errors=(str(refusal),))
    except OrcaError as error:
        return _Outcome(1, errors=(str(error),))
    return _Outcome(0, written.text, written.warnings)


def _job(file: str, target: Target, options: argparse.Namespace) -> Job:
    reading, name = read_document(file, options.name)
    document = sound(reading)
    machines = chosen(document.machines, options.machine, name)
    if not (machines if target.needs == "machines" else document.tables):
        raise Refusal(f"{name} defines no {'machine' if target.needs == 'machines' else 'decision table'}", 1)
    return Job(machines, document.machines, document.tables, reading.lines, name, vars(options))


def _as_json(target: str, outcomes: list[_Outcome], output: str) -> dict[str, Any]:
    errors = [line for outcome in outcomes for line in outcome.errors]
    if errors:
        return {"status": "error", "errors": errors}
    warnings = [line for outcome in outcomes for line in outcome.warnings]
    return {"status": "success", "target": target, "output": output, "warnings": warnings}
