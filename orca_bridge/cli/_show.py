"""``orca-bridge show``: a machine as text, at most 80 columns wide."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from orca_bridge.convert import all_states

from ._files import add_file_options, read_document
from ._output import complain, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from orca_bridge.definition import MachineDefinition, StateDefinition, TransitionDefinition

__all__ = ("WIDTH", "add_to")

WIDTH = 80


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser("show", help="print states, events and actions as text")
    add_file_options(parser)
    parser.add_argument("--machine", metavar="M", help="only this machine")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show every file; the worst status wins."""
    return max(_show(file, options) for file in options.files)


def _show(file: str, options: argparse.Namespace) -> int:
    found = read_document(file, options.name)
    if found is None:
        return 2
    reading, name = found
    for error in reading.errors:
        sys.stderr.write(f"{error}\n")
    machines = reading.document.machines if reading.document is not None else ()
    wanted = [machine for machine in machines if options.machine in (None, machine.name)]
    if options.machine is not None and not wanted and not reading.errors:
        listed = ", ".join(machine.name for machine in machines)
        complain(f"{name} defines no machine {options.machine!r}; it defines: {listed}")
        return 2
    if wanted:
        say("\n\n".join("\n".join(_machine(machine)) for machine in wanted))
    return int(bool(reading.errors))


def _machine(machine: MachineDefinition) -> Iterator[str]:
    yield from _wrapped(f"machine {machine.name} {machine.version}", "")
    yield from _wrapped(machine.description, "  ")
    if machine.context:
        yield "context"
        for field in machine.context:
            yield from _wrapped(f"{field.name}: {field.type.text or field.type.kind} = {field.default!r}", "  ")
    yield "states"
    for state in all_states(machine.states):
        yield from _state(state, machine.transitions)
    yield from _rows(machine.transitions, "*", "  ", "* (any state)")
    yield from _list("events", (event.name for event in machine.events))
    yield from _list("guards", (f"{guard.name} = {guard.text}" for guard in machine.guards))
    yield from _list("actions", _actions(machine))


def _state(state: StateDefinition, rows: Iterable[TransitionDefinition]) -> Iterator[str]:
    indent = "  " * (state.path.count(".") + 1)
    marks = [mark for mark, given in (("initial", state.initial), ("final", state.final)) if given]
    yield from _wrapped(state.name + (f" [{', '.join(marks)}]" if marks else ""), indent)
    yield from _wrapped(state.description, indent + "    ")
    for verb, actions in (("on entry", state.on_entry), ("on exit", state.on_exit)):
        if actions:
            yield from _wrapped(f"{verb}: {', '.join(actions)}", indent + "    ")
    yield from _rows(rows, state.path, indent + "  ", None)


def _rows(rows: Iterable[TransitionDefinition], source: str, indent: str, heading: str | None) -> Iterator[str]:
    here = [row for row in rows if row.source == source]
    if here and heading is not None:
        yield from _wrapped(heading, indent)
    for row in here:
        event = row.event or "(at once)"
        guard = f" [{row.guard_text}]" if row.guard_text else ""
        actions = f" / {', '.join(row.actions)}" if row.actions else ""
        yield from _wrapped(f"{event}{guard} -> {row.target or '(stays)'}{actions}", indent + "  ")


def _actions(machine: MachineDefinition) -> list[str]:
    declared = [action.name for action in machine.actions]
    by_state = [name for state in all_states(machine.states) for name in (*state.on_entry, *state.on_exit)]
    by_row = [name for row in machine.transitions for name in row.actions]
    return list(dict.fromkeys([*declared, *by_state, *by_row]))


def _list(heading: str, entries: Iterable[str]) -> Iterator[str]:
    lines = [line for entry in entries for line in _wrapped(entry, "  ")]
    if lines:
        yield heading
        yield from lines


def _wrapped(text: str, indent: str) -> list[str]:
    # Deep nesting must leave room for the text.
    indent = indent[: WIDTH // 2]
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
