"""
Running programs on a synchronous engine.

`_microstep_async` says the same for engines whose callbacks have to be awaited. One text for both would be a
coroutine that awaits nothing; it would cost as much again as the callbacks, and no callback could raise
`StopIteration` through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachine.exceptions import InvalidDefinition
from statemachine.orderedset import OrderedSet

from ._binding import NOT_CALLED
from ._trigger import own, unprepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statemachine import State

    from ._planned import PlannedEngine
    from ._planner import Plan
    from ._programs import Choice, Entering, Group, Line, Preparing, Program
    from ._trigger import Trigger

__all__ = (
    "ERROR_EXECUTION",
    "choose",
    "enter",
    "own_or_class",
    "record_histories",
    "report",
    "take",
    "take_in_line",
    "write",
)

ERROR_EXECUTION = "error.execution"
"""The event that an error becomes, SCXML 3.12.2."""


def choose(engine: PlannedEngine, choice: Choice, t: Trigger) -> Any:
    """
    Ask validators and conditions what an event does.

    Returns:
        A program, or None if no transition is enabled.
    """
    chosen = []
    if choice.is_prepared:
        t.prepared = None
    for row in choice.rows:
        for candidate in row:
            if candidate.preparing is not None:
                _prepare(candidate.preparing, t)
            for call in candidate.validators:
                call(t)
            if not candidate.conditions or _hold(engine, candidate.conditions, t):
                chosen.append(candidate.transition)
                break
    return choice.program(chosen, engine.sm.history_values)


def _prepare(preparing: Preparing, t: Trigger) -> None:
    """
    Let `prepare_event` add to what callbacks get at a place, if it has not done so for this event.

    python-statemachine does it where it collects the arguments of callbacks, whether there are any or not.
    """
    place, prepared = preparing.place, t.prepared
    if prepared is None:
        prepared = t.prepared = {}
    if place.slot in prepared:
        return
    given = prepared[place.slot] = unprepared(t, place)
    for found in [call(t) for call in preparing.callbacks]:
        given.update(found)


def _hold(engine: PlannedEngine, conditions: Any, t: Trigger) -> bool:
    for condition in conditions:
        try:
            value = condition.call(t)
        except Exception as error:
            if not engine.sm.catch_errors_as_events:
                raise
            report(engine, error)
            return False
        if bool(value) is (condition.expected is False):
            return False
    return True


def take(engine: PlannedEngine, program: Program, t: Trigger) -> Any:
    """
    Run a microstep.

    Returns:
        What the event's caller gets: nothing, the one result of its callbacks, or all of them.
    """
    t.plan = program.plan
    result: list[Any] = []
    is_atomic = engine.programs.is_atomic
    try:
        for preparing in program.preparing:
            _prepare(preparing, t)
        for group in program.before:
            result += [call(t) for call in group]
        _leave(engine, program, t, is_atomic=is_atomic)
        for group in program.on:
            result += _each(engine, group, t) if t.event != ERROR_EXECUTION else [call(t) for call in group]
        if is_atomic:
            write(engine, program.plan.after)
        for entry in program.entries:
            _enter(engine, entry, t, result, is_atomic=is_atomic)
        engine.took(program, t)
    except InvalidDefinition:
        write(engine, program.plan.before)
        raise
    except Exception as error:  # noqa: BLE001 - of any callback
        write(engine, program.plan.before)
        engine._handle_error(error, t)
        return None
    if program.after:
        _finish(engine, program, t)
    if program.preparing:
        result = [one for one in result if one is not NOT_CALLED]
    return result[0] if len(result) == 1 else (result or None)


def take_in_line(engine: PlannedEngine, program: Any, t: Trigger) -> Any:
    """
    Run a microstep that has nothing but callbacks, each of which may end it: the one that most events take.

    The machine must have no invocations. Otherwise what `take` does, and returns.
    """
    t.plan = program.plan
    line: Line = program.line
    result = []
    sm = engine.sm
    try:
        for call in line.before:
            result.append(call(t))  # noqa: PERF401 - a list made of one call costs as much again
        engine.taking(program, t)
        for call in line.exits:
            call(t)
        for call in line.on:
            result.append(call(t))  # noqa: PERF401 - as above
        setattr(sm.model, sm.state_field, program.value if program.is_single else OrderedSet(program.plan.after))
        for call in line.entries:
            call(t)
        engine.took(program, t)
    except Exception:
        write(engine, program.plan.before)
        raise
    for call in line.after:
        call(t)
    return result[0] if len(result) == 1 else (result or None)


def _leave(engine: PlannedEngine, program: Program, t: Trigger, *, is_atomic: bool) -> None:
    engine.taking(program, t)
    if program.plan.remembered:
        record_histories(engine, program.plan)
    manager = engine.invocations if engine.is_invoking else None
    for leaving in program.exits:
        if manager is not None:
            manager.cancel_for_state(leaving.state)
        if leaving.preparing is not None:
            _prepare(leaving.preparing, t)
        if leaving.callbacks:
            _each(engine, leaving.callbacks, t)
        if not is_atomic:
            write(engine, leaving.left)


def _enter(engine: PlannedEngine, entry: Entering, t: Trigger, result: list[Any], *, is_atomic: bool) -> None:
    if entry.preparing is not None:
        _prepare(entry.preparing, t)
    if not is_atomic:
        write(engine, entry.entered)
    entered = _each(engine, entry.callbacks, t) if entry.callbacks else []
    if not entry.is_special:
        return
    result += [call(t) for call in entry.initial]
    for group, is_apart, preparing in entry.contents:
        if preparing is not None:
            _prepare(preparing, t)
        if is_apart and t.event != ERROR_EXECUTION:
            _each(engine, group, t)
        else:
            _call(group, t)
    if entry.invokes:
        engine._invoke_manager.mark_for_invoke(own_or_class(t, entry), dict(engine.given(t)))
    if entry.is_final:
        engine._handle_final_state(own_or_class(t, entry), entered)


def enter(engine: PlannedEngine, program: Program, t: Trigger) -> list[Any]:
    """Enter the initial states; what fails there is not undone."""
    t.plan = program.plan
    result: list[Any] = []
    is_atomic = engine.programs.is_atomic
    for preparing in program.preparing:
        _prepare(preparing, t)
    engine.taking(program, t)
    if is_atomic:
        write(engine, program.plan.after)
    for entry in program.entries:
        _enter(engine, entry, t, result, is_atomic=is_atomic)
    engine.took(program, t)
    return result


def _finish(engine: PlannedEngine, program: Program, t: Trigger) -> None:
    """Run what comes after; the configuration stays as it is, even if that fails."""
    try:
        for group, is_apart, preparing in program.after:
            if preparing is not None:
                _prepare(preparing, t)
            if is_apart and t.event != ERROR_EXECUTION:
                _each(engine, group, t)
                continue
            _call(group, t)
    except InvalidDefinition:
        raise
    except Exception as error:  # noqa: BLE001 - of any callback
        engine._handle_error(error, t)


def _call(group: Group, t: Trigger) -> None:
    """Call a group of callbacks; the first error ends it."""
    for call in group:
        call(t)


def _each(engine: PlannedEngine, group: Group, t: Trigger) -> list[Any]:
    """Call a group of callbacks; where the class says so, each error becomes an event and the others still run."""
    if not engine.sm.catch_errors_as_events:
        return [call(t) for call in group]
    found = []
    for call in group:
        try:
            found.append(call(t))
        except Exception as error:  # noqa: BLE001 - of any callback
            report(engine, error)
    return found


def report(engine: PlannedEngine, error: Exception) -> None:
    """Make an error an event, where the class says so."""
    handler = engine._on_error_handler()
    if handler is None:
        raise error
    handler(error)


def record_histories(engine: PlannedEngine, plan: Plan) -> None:
    """Let the machine's histories remember what a microstep leaves."""
    sm = engine.sm
    for name, values in plan.remembered:
        sm.history_values[name] = [sm._config._instance_states[value] for value in values]


def own_or_class(t: Trigger, entry: Entering) -> State:
    """Return the object of a state that is entered, as python-statemachine's engine has it."""
    return own(t, entry.state) if entry.is_own else entry.state


def write(engine: PlannedEngine, values: Sequence[Any]) -> None:
    """Give the model another configuration; always a new object, as python-statemachine does."""
    raw = values[0] if len(values) == 1 else OrderedSet(values) if values else None
    sm = engine.sm
    setattr(sm.model, sm.state_field, raw)
