"""``orca-bridge show``: a machine as text, at most 80 columns wide."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from orca_bridge.convert import all_states
from orca_bridge.definition import StateDefinition

from ._files import add_file_options, chosen, each, read_document
from ._output import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from orca_bridge.definition import (
        DecisionTable,
        EffectDefinition,
        MachineDefinition,
        Outcome,
        RegionDefinition,
        TableRule,
        TimeoutDefinition,
        TransitionDefinition,
    )

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
    return each(options.files, lambda file: _show(file, options))


def _show(file: str, options: argparse.Namespace) -> int:
    reading, name = read_document(file, options.name)
    for error in reading.errors:
        sys.stderr.write(f"{error}\n")
    machines = reading.document.machines if reading.document is not None else ()
    tables = reading.document.tables if reading.document is not None else ()
    # The machine that is wanted may be the one with the errors.
    named = tuple(machine for machine in machines if options.machine in (None, machine.name))
    wanted = named if reading.errors else chosen(machines, options.machine, name)
    shown = ["\n".join(_machine(machine)) for machine in wanted]
    shown += ["\n".join(_table(table)) for table in tables if options.machine is None]
    if shown:
        say("\n\n".join(shown))
    return int(bool(reading.errors))


def _machine(machine: MachineDefinition) -> Iterator[str]:
    yield from _wrapped(f"machine {machine.name} {machine.version}", "")
    yield from _wrapped(machine.description, "  ")
    if machine.context:
        yield "context"
        for field in machine.context:
            yield from _wrapped(f"{field.name}: {field.type.text or field.type.kind} = {field.default!r}", "  ")
    yield "states"
    for state in machine.states:
        yield from _state(state, machine.transitions)
    yield from _rows(machine.transitions, "*", "  ", "* (any state)")
    yield from _list("events", (event.name for event in machine.events))
    yield from _list("guards", (f"{guard.name} = {guard.text}" for guard in machine.guards))
    yield from _list("actions", _actions(machine))
    yield from _list("effects", (_effect(effect) for effect in machine.effects))
    yield from _list("returns", (f"{given.name}: {given.type.text or given.type.kind}" for given in machine.returns))
    yield from _list("properties", (claim.text for claim in machine.properties))


def _state(state: StateDefinition, rows: Iterable[TransitionDefinition]) -> Iterator[str]:
    indent = "  " * (state.path.count(".") + 1)
    flags = (("initial", state.initial), ("final", state.final), ("parallel", bool(state.regions)))
    marks = [mark for mark, given in flags if given]
    marks += [f"sync: {state.sync}"] if state.regions and state.sync != "all-final" else []
    yield from _wrapped(state.name + (f" [{', '.join(marks)}]" if marks else ""), indent)
    yield from _wrapped(state.description, indent + "    ")
    yield from _entries(state, indent + "    ")
    yield from _rows(rows, state.path, indent + "  ", None)
    for child in state.children:
        yield from _state(child, rows)
    for region in state.regions:
        yield from _region(region, rows)


def _region(region: RegionDefinition, rows: Iterable[TransitionDefinition]) -> Iterator[str]:
    indent = "  " * (region.path.count(".") + 1)
    yield from _wrapped(f"region {region.name}", indent)
    yield from _wrapped(region.description, indent + "    ")
    yield from _entries(region, indent + "    ")
    for state in region.states:
        yield from _state(state, rows)


def _entries(node: StateDefinition | RegionDefinition, indent: str) -> Iterator[str]:
    for verb, names in (("on entry", node.on_entry), ("on exit", node.on_exit)):
        if names:
            yield from _wrapped(f"{verb}: {', '.join(names)}", indent)
    ignored = [*node.ignored, *(["every other event"] if node.ignores_all else [])]
    if ignored:
        yield from _wrapped(f"ignores: {', '.join(ignored)}", indent)
    if isinstance(node, StateDefinition):
        for timeout in node.timeouts:
            yield from _wrapped(_timeout(timeout), indent)
        yield from _invoke(node, indent)


def _timeout(timeout: TimeoutDefinition) -> str:
    guard = f" [{timeout.guard_text}]" if timeout.guard_text else ""
    actions = f" / {', '.join(timeout.actions)}" if timeout.actions else ""
    return f"after {timeout.duration}{guard} -> {_outcome(timeout.outcome)}{actions}"


def _invoke(state: StateDefinition, indent: str) -> Iterator[str]:
    invoke = state.invoke
    if invoke is not None:
        given = ", ".join(f"{value.name}: {value.text}" for value in invoke.input)
        yield from _wrapped(f"invokes {invoke.machine}" + (f" with {given}" if given else ""), indent)
        if invoke.returns:
            taken = ", ".join(f"{field} = {name}" for field, name in invoke.returns)
            yield from _wrapped(f"takes back {taken}", indent)
    ends = state if invoke is None else invoke
    for verb, outcome in (("done", ends.on_done), ("failed", ends.on_error)):
        if outcome is not None:
            yield from _wrapped(f"{verb} -> {_outcome(outcome)}", indent)


def _outcome(outcome: Outcome) -> str:
    return outcome.target or f"event {outcome.event}"


def _effect(effect: EffectDefinition) -> str:
    return (
        effect.name + (f" {effect.input}" if effect.input else "") + (f" -> {effect.output}" if effect.output else "")
    )


def _table(table: DecisionTable) -> Iterator[str]:
    yield from _wrapped(f"decision table {table.name}", "")
    yield from _wrapped(table.description, "  ")
    yield from _list("conditions", (f"{column.name}: {column.kind}" for column in table.conditions))
    yield from _list("outputs", (f"{column.name}: {column.kind}" for column in table.outputs))
    yield from _list("rules", (_rule(rule) for rule in table.rules))


def _rule(rule: TableRule) -> str:
    tests = " and ".join(f"{name} is {test.text}" for name, test in rule.conditions) or "otherwise"
    given = ", ".join(f"{name} = {_scalar(value)}" for name, value in rule.outputs)
    return f"{tests} -> {given or '(nothing)'}"


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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
    states = list(all_states(machine.states))
    by_state = [name for state in states for name in (*state.on_entry, *state.on_exit)]
    by_state += [name for state in states for region in state.regions for name in (*region.on_entry, *region.on_exit)]
    by_state += [name for state in states for timeout in state.timeouts for name in timeout.actions]
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
