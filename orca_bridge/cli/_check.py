"""``orca-bridge check``: read documents and print what the reader found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from orca_bridge.convert import all_states, machine_class
from orca_bridge.exceptions import ConversionError

from ._files import add_file_options, read_document
from ._output import Refusal, complain, say, say_json

if TYPE_CHECKING:
    import argparse

    from orca_bridge.definition import MachineDefinition
    from orca_bridge.syntax import Diagnostic, Reading

__all__ = ("add_to",)


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser("check", help="print what is wrong with documents")
    add_file_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.add_argument(
        "--portability",
        choices=("off", "warn", "error"),
        default="warn",
        help="what to make of forms that other tools read otherwise (default: warn)",
    )
    parser.add_argument("--strict", action="store_true", help="take warnings for errors")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say about one file."""

    file: str
    diagnostics: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What keeps its machines from being converted."""
    machines: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """The errors, one sentence each."""
        shown = [item for item in self.diagnostics if item["severity"] == "error"]
        places = [
            f"{item['file']}:{item['line']}:{item['column']}: {item['code']}: {item['message']}" for item in shown
        ]
        return [*places, *self.problems]


def run(options: argparse.Namespace) -> int:
    """Check every file; the worst status wins."""
    checked = [_check(file, options) for file in options.files]
    worst = max(status for _, status in checked)
    if options.json:
        files = [asdict(report) for report, _ in checked]
        errors = [error for report, _ in checked for error in report.errors]
        say_json({"status": "error", "errors": errors, "files": files} if worst else {"status": "ok", "files": files})
    return worst


def _check(file: str, options: argparse.Namespace) -> tuple[Report, int]:
    try:
        reading, name = read_document(file, options.name)
    except Refusal as refusal:
        complain(refusal)
        return Report(file, problems=[str(refusal)]), refusal.status
    shown = [item for item in reading.diagnostics if item.category != "portability" or options.portability != "off"]
    machines = reading.document.machines if reading.document is not None else ()
    problems = [problem for machine in machines for problem in _conversion_problems(machine)]
    failed = bool(problems) or any(_is_error(item, options) for item in shown) or reading.document is None
    if not options.json:
        _print(name, reading, shown, problems)
    report = Report(name, [asdict(item) for item in shown], problems, [machine.name for machine in machines])
    return report, int(failed)


def _is_error(item: Diagnostic, options: argparse.Namespace) -> bool:
    if item.severity == "error" or options.strict:
        return True
    return item.category == "portability" and options.portability == "error"


def _conversion_problems(machine: MachineDefinition) -> list[str]:
    try:
        machine_class(machine)
    except ConversionError as error:
        return [f"{machine.name}: {problem}" for problem in error.problems]
    return []


def _print(name: str, reading: Reading, shown: list[Diagnostic], problems: list[str]) -> None:
    for item in shown:
        say(item)
    for problem in problems:
        say(f"{name}: error: {problem}")
    for machine in reading.document.machines if reading.document is not None else ():
        say(f"{name}: machine {machine.name}: {_summary(machine)}")
    for table in reading.document.tables if reading.document is not None else ():
        counted = ((len(table.conditions), "condition"), (len(table.outputs), "output"), (len(table.rules), "rule"))
        say(f"{name}: decision table {table.name}: {', '.join(_count(number, noun) for number, noun in counted)}")
    errors = sum(item.severity == "error" for item in shown) + len(problems)
    warnings = sum(item.severity == "warning" for item in shown)
    say(f"{name}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")


def _summary(machine: MachineDefinition) -> str:
    counted = (
        (len(list(all_states(machine.states))), "state"),
        (len(machine.events), "event"),
        (len(machine.transitions), "row"),
        (len(machine.guards), "guard"),
        (len(machine.actions), "action"),
    )
    return ", ".join(_count(number, noun) for number, noun in counted)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
