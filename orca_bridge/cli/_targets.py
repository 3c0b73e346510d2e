"""What ``orca-bridge export`` can write: each target with its options."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from orca_bridge.write import mermaid, python_source, scxml, table_json, table_python, xstate, xstate_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from orca_bridge.definition import DecisionTable, MachineDefinition

__all__ = ("TARGETS", "Job", "Target", "Written")


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be written."""

    machines: tuple[MachineDefinition, ...]
    others: tuple[MachineDefinition, ...]
    """All machines of the document; one may invoke another."""
    tables: tuple[DecisionTable, ...]
    lines: tuple[str, ...]
    """The text of the document."""
    name: str
    """The name of the document."""
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """The text of a target, and what it cannot say exactly."""

    text: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a target."""

    flag: str
    help: str
    choices: tuple[str, ...] = ()
    """Its values, the default first; none for a switch."""
    otherwise: str = ""
    """What is done without the option, where that is none of the values."""

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Add the option to the command line."""
        if self.otherwise:
            parser.add_argument(self.flag, choices=self.choices, help=f"{self.help} (default: {self.otherwise})")
        elif self.choices:
            text = f"{self.help} (default: {self.choices[0]})"
            parser.add_argument(self.flag, choices=self.choices, default=self.choices[0], help=text)
        else:
            parser.add_argument(self.flag, action="store_true", help=self.help)


@dataclass(frozen=True, slots=True)
class Target:
    """A form that documents can be written in."""

    write: Callable[[Job], Written]
    options: tuple[Option, ...] = field(default=())
    needs: Literal["machines", "tables"] = "machines"


def _mermaid(job: Job) -> Written:
    options: dict[str, Any] = {
        "direction": job.options["direction"],
        "descriptions": not job.options["no_descriptions"],
        "actions": not job.options["no_actions"],
    }
    return Written("\n".join(mermaid(machine, **options) for machine in job.machines))


def _xstate(job: Job) -> Written:
    found = xstate(job.machines)
    return Written(found.text, found.warnings)


def _xstate_json(job: Job) -> Written:
    found = [xstate_json(machine) for machine in job.machines]
    warnings = (warning for one in found for warning in one.warnings)
    return Written("\n".join(one.text for one in found), tuple(warnings))


def _scxml(job: Job) -> Written:
    options: dict[str, Any] = {"datamodel": job.options["datamodel"], "actions": job.options["actions"]}
    found = [scxml(machine, others=job.others, **options) for machine in job.machines]
    warnings = (warning for one in found for warning in one.warnings)
    return Written("\n".join(one.text for one in found), tuple(warnings))


def _python(job: Job) -> Written:
    name = PurePath(job.name).name
    return Written(python_source(job.machines, job.tables, text="\n".join(job.lines), source=name))


def _table_python(job: Job) -> Written:
    return Written(table_python(job.tables, source=PurePath(job.name).name))


def _table_json(job: Job) -> Written:
    return Written("\n".join(table_json(table) for table in job.tables))


TARGETS: Mapping[str, Target] = {
    "mermaid": Target(
        _mermaid,
        (
            Option("--direction", "mermaid: which way the diagram grows", ("LR", "TB")),
            Option("--no-descriptions", "mermaid: leave the descriptions of states out"),
            Option("--no-actions", "mermaid: leave actions out"),
        ),
    ),
    "python": Target(_python),
    "scxml": Target(
        _scxml,
        (
            Option("--datamodel", "scxml: the language of expressions", ("ecmascript", "python")),
            Option("--actions", "scxml: how actions are written", ("script", "raise"), "script, with python raise"),
        ),
    ),
    "table-json": Target(_table_json, needs="tables"),
    "table-python": Target(_table_python, needs="tables"),
    "xstate": Target(_xstate),
    "xstate-json": Target(_xstate_json),
}
