"""What keeps a definition from becoming a machine. The reader finds most of it earlier, with a place."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

from orca_bridge.exceptions import ConversionError

from ._guards import GuardTable, guard_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orca_bridge.definition import (
        Expression,
        MachineDefinition,
        Span,
        StateDefinition,
        TransitionDefinition,
    )

    from ._rows import Node

__all__ = ("all_nodes", "all_states", "check", "describe_row", "stays_final")


def all_states(states: tuple[StateDefinition, ...]) -> Iterator[StateDefinition]:
    """Every state, parents before their children, in document order; those of regions too."""
    for state in states:
        yield state
        yield from all_states(state.children)
        for region in state.regions:
            yield from all_states(region.states)


def all_nodes(states: tuple[StateDefinition, ...]) -> Iterator[Node]:
    """Every state and every region, parents before what is in them, in document order."""
    for state in states:
        yield state
        yield from all_nodes(state.children)
        for region in state.regions:
            yield region
            yield from all_nodes(region.states)


def check(definition: MachineDefinition) -> None:
    """
    Refuse a definition that cannot become a machine.

    Raises:
        ConversionError: With every problem; source of the rules: semantics.md section 1, language.md 5.
    """
    states = {state.path: state for state in all_states(definition.states)}
    problems = [
        *_initial_problems(definition),
        *_repeated(definition),
        *(problem for row in definition.transitions for problem in _row_problems(row, states)),
        *_bullet_problems(states.values()),
        *dict.fromkeys(_guard_problems(definition)),
    ]
    if problems:
        raise ConversionError(definition.name, problems)


def stays_final(row: TransitionDefinition, states: Mapping[str, StateDefinition]) -> bool:
    """
    Whether a row of a final state can be dropped because it would change nothing.

    That is a self loop of any final state, and an internal row of a top-level one: the machine has ended there.
    """
    source = states.get(row.source)
    if source is None or not source.final:
        return False
    return row.target == row.source or (row.target is None and "." not in row.source)


def describe_row(row: TransitionDefinition) -> str:
    """Give a row in one line, as people write it in running text."""
    event = row.event if row.event is not None else "(no event)"
    guard = f" [{row.guard_text}]" if row.guard_text else ""
    return f"{row.source} {event}{guard} -> {row.target or '(stays)'}{_line(row.span)}"


def _line(span: Span | None) -> str:
    return f" (line {span.line})" if span is not None else ""


def _initial_problems(definition: MachineDefinition) -> Iterator[str]:
    if not definition.states:
        yield "NO_STATES: it has no states"
        return
    initial = [state.path for state in definition.states if state.initial]
    if not initial:
        first = definition.states[0]
        marked = f"'## state {first.name} [initial]'{_line(first.span)}"
        yield f"NO_INITIAL_STATE: mark one top-level state, such as {marked}"
    if len(initial) > 1:
        yield f"MULTIPLE_INITIAL: keep one of {', '.join(map(repr, initial))}"


def _repeated(definition: MachineDefinition) -> Iterator[str]:
    counted = Counter(node.path for node in all_nodes(definition.states))
    for path, times in counted.items():
        if times > 1:
            yield f"DUPLICATE_STATE: {path!r} stands {times} times; rename all but one"


def _row_problems(row: TransitionDefinition, states: Mapping[str, StateDefinition]) -> Iterator[str]:
    for path in (row.source, row.target):
        if path is not None and path not in states and (path != "*" or path is row.target):
            near = get_close_matches(path, list(states), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"UNKNOWN_STATE: {path!r} in the row {describe_row(row)}{hint}"
    source = states.get(row.source)
    if source is not None and source.final and row.target is not None and row.target != row.source:
        yield f"the row {describe_row(row)} leaves a final state; drop [final] from {row.source!r}, or drop the row"


def _bullet_problems(states: Iterable[StateDefinition]) -> Iterator[str]:
    for state in states:
        for timeout in state.timeouts if state.final else ():
            where = f"the timeout of {state.path!r}{_line(timeout.span or state.span)}"
            yield f"{where} leaves a final state; drop [final] from it, or drop the timeout"


def _guard_problems(definition: MachineDefinition) -> Iterator[str]:
    table: dict[str, Expression] = {guard.name: guard.expression for guard in definition.guards}
    compiler = GuardTable(table)
    seen = set()
    used = [guard.expression for guard in definition.guards]
    used += [row.guard for row in definition.transitions if row.guard is not None]
    timeouts = [timeout for state in all_states(definition.states) for timeout in state.timeouts]
    used += [timeout.guard for timeout in timeouts if timeout.guard is not None]
    for expression in used:
        for name in guard_names(expression):
            if name in seen:
                continue
            seen.add(name)
            try:
                compiler.compile(table.get(name, expression))
            except ConversionError as error:
                yield from error.problems
