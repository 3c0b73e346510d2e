"""
A definition in terms of rows and actions alone, for machines that this package runs.

What the published runtime does beside rows (timers, children, effects) is decided by events, and every event is taken
by a row. So timeouts and invokes become rows of the converted machine, and what has to be done besides becomes an
action of a name that no document can have. Selection, order and hierarchy stay with the one engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orca_bridge.definition import TransitionDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orca_bridge.definition import (
        InvokeDefinition,
        MachineDefinition,
        Outcome,
        RegionDefinition,
        StateDefinition,
        TimeoutDefinition,
    )

__all__ = ("RAISE", "Lowered", "Timeout", "lowered")

RAISE = "raise event "
"""Followed by the name of the event that is raised."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """A timer of a state."""

    path: str
    index: int
    seconds: float
    event: str
    """The event that its row waits for."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """A definition that is made of rows, and what is done beside them."""

    definition: MachineDefinition
    states: Mapping[str, StateDefinition]
    """By path, in document order."""
    regions: Mapping[str, RegionDefinition]
    timeouts: Mapping[str, tuple[Timeout, ...]]
    """By the path of their state."""
    invokes: Mapping[str, InvokeDefinition]
    effects: Mapping[str, tuple[str, ...]]
    """By action."""


def lowered(definition: MachineDefinition) -> Lowered:
    """Put a definition in terms of rows."""
    states = {state.path: state for state in _states(definition.states)}
    regions = {region.path: region for state in states.values() for region in state.regions}
    timeouts = {path: tuple(_timeouts(state)) for path, state in states.items() if state.timeouts}
    rows = [*definition.transitions]
    for state in states.values():
        rows += _state_rows(state, timeouts.get(state.path, ()))
    plain = replace(
        definition,
        states=tuple(_plain(state) for state in definition.states),
        transitions=tuple(rows),
        actions=tuple(replace(action, effects=()) for action in definition.actions),
    )
    return Lowered(
        plain,
        states,
        regions,
        timeouts,
        {path: state.invoke for path, state in states.items() if state.invoke is not None},
        {action.name: action.effects for action in definition.actions if action.effects},
    )


def _states(states: tuple[StateDefinition, ...]) -> Iterator[StateDefinition]:
    for state in states:
        yield state
        yield from _states(state.children)
        for region in state.regions:
            yield from _states(region.states)


def _plain(state: StateDefinition) -> StateDefinition:
    return replace(
        state,
        children=tuple(_plain(child) for child in state.children),
        regions=tuple(
            replace(region, states=tuple(_plain(inside) for inside in region.states)) for region in state.regions
        ),
        timeouts=(),
        invoke=None,
    )


def _timeouts(state: StateDefinition) -> Iterator[Timeout]:
    several = len(state.timeouts) > 1
    for index, timeout in enumerate(state.timeouts):
        event = f"timeout.{state.path}.{index}" if several else f"timeout.{state.path}"
        yield Timeout(state.path, index, timeout.milliseconds / 1000, event)


# -- rows --------------------------------------------------------------------------------------------------


def _state_rows(state: StateDefinition, timers: tuple[Timeout, ...]) -> Iterator[TransitionDefinition]:
    for timer, timeout in zip(timers, state.timeouts, strict=True):
        yield _timeout_row(state, timer, timeout)
    if state.invoke is not None:
        yield from _target_row(state, f"done.invoke.{state.path}", state.invoke.on_done)
        yield from _target_row(state, f"error.invoke.{state.path}", state.invoke.on_error)


def _timeout_row(state: StateDefinition, timer: Timeout, timeout: TimeoutDefinition) -> TransitionDefinition:
    raised = (RAISE + timeout.outcome.event,) if timeout.outcome.event is not None else ()
    return TransitionDefinition(
        state.path,
        timer.event,
        timeout.outcome.target,
        timeout.guard,
        timeout.guard_text,
        (*timeout.actions, *raised),
        timeout.span,
    )


def _target_row(state: StateDefinition, event: str, outcome: Outcome | None) -> Iterator[TransitionDefinition]:
    # Where an event is named instead, that event is sent, and the document has the rows for it.
    if outcome is not None and outcome.target is not None:
        yield TransitionDefinition(state.path, event, outcome.target, span=outcome.span)
