"""
Running programs on an asynchronous engine: what `_microstep` does, each value awaited that can be.

Callbacks of a group run at once where python-statemachine lets them, by `asyncio.gather`; a group of one is awaited
where it stands, which saves a task for each callback.
"""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import InvalidDefinition
from statemachine.orderedset import OrderedSet

from ._binding import NOT_CALLED
from ._microstep import ERROR_EXECUTION, own_or_class, record_histories, report, write
from ._trigger import unprepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._planned import PlannedEngine
    from ._programs import Choice, Entering, Group, Line, Preparing, Program
    from ._trigger import Trigger

__all__ = ("choose_async", "enter_async", "take_async", "take_in_line_async")


async def choose_async(engine: PlannedEngine, choice: Choice, t: Trigger) -> Any:
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
                await _prepare(candidate.preparing, t)
            if candidate.validators:
                await _all(candidate.validators, t)
            if candidate.conditions and not await _hold(engine, candidate.conditions, t):
                continue
            chosen.append(candidate.transition)
            break
    return choice.program(chosen, engine.sm.history_values)


async def _prepare(preparing: Preparing, t: Trigger) -> None:
    """Do what `_microstep._prepare` does."""
    place, prepared = preparing.place, t.prepared
    if prepared is None:
        prepared = t.prepared = {}
    if place.slot in prepared:
        return
    given = prepared[place.slot] = unprepared(t, place)
    for found in await _all(preparing.callbacks, t):
        given.update(found)


async def _hold(engine: PlannedEngine, conditions: Any, t: Trigger) -> bool:
    for condition in conditions:
        try:
            value = condition.call(t)
            if value is not True and value is not False and isawaitable(value):
                value = await value
        except Exception as error:
            if not engine.sm.catch_errors_as_events:
                raise
            report(engine, error)
            return False
        if bool(value) is (condition.expected is False):
            return False
    return True


async def take_async(engine: PlannedEngine, program: Program, t: Trigger) -> Any:
    """
    Run a microstep.

    Returns:
        What the event's caller gets.
    """
    t.plan = program.plan
    result: list[Any] = []
    is_atomic = engine.programs.is_atomic
    try:
        for preparing in program.preparing:
            await _prepare(preparing, t)
        for group in program.before:
            result += await _all(group, t)
        await _leave(engine, program, t, is_atomic=is_atomic)
        for group in program.on:
            result += await (_each(engine, group, t) if t.event != ERROR_EXECUTION else _all(group, t))
        if is_atomic:
            write(engine, program.plan.after)
        for entry in program.entries:
            await _enter(engine, entry, t, result, is_atomic=is_atomic)
        engine.took(program, t)
    except InvalidDefinition:
        write(engine, program.plan.before)
        raise
    except Exception as error:  # noqa: BLE001 - of any callback
        write(engine, program.plan.before)
        engine._handle_error(error, t)
        return None
    if program.after:
        await _finish(engine, program, t)
    if program.preparing:
        result = [one for one in result if one is not NOT_CALLED]
    return result[0] if len(result) == 1 else (result or None)


async def take_in_line_async(engine: PlannedEngine, program: Any, t: Trigger) -> Any:
    """Do what `take_in_line` does, for a program of which no callbacks run together."""
    t.plan = program.plan
    line: Line = program.line
    result = []
    sm = engine.sm
    try:
        for call in line.before:
            value = call(t)
            result.append(await value if value is not None and isawaitable(value) else value)
        engine.taking(program, t)
        for call in line.exits:
            value = call(t)
            if value is not None and isawaitable(value):
                await value
        for call in line.on:
            value = call(t)
            result.append(await value if value is not None and isawaitable(value) else value)
        setattr(sm.model, sm.state_field, program.value if program.is_single else OrderedSet(program.plan.after))
        for call in line.entries:
            value = call(t)
            if value is not None and isawaitable(value):
                await value
        engine.took(program, t)
    except Exception:
        write(engine, program.plan.before)
        raise
    for call in line.after:
        value = call(t)
        if value is not None and isawaitable(value):
            await value
    return result[0] if len(result) == 1 else (result or None)


async def _leave(engine: PlannedEngine, program: Program, t: Trigger, *, is_atomic: bool) -> None:
    engine.taking(program, t)
    if program.plan.remembered:
        record_histories(engine, program.plan)
    for leaving in program.exits:
        manager = engine.invocations
        if manager is not None and (manager._active or manager._pending):
            manager.cancel_for_state(leaving.state)
        if leaving.preparing is not None:
            await _prepare(leaving.preparing, t)
        if leaving.callbacks:
            await _each(engine, leaving.callbacks, t)
        if not is_atomic:
            write(engine, leaving.left)


async def _enter(engine: PlannedEngine, entry: Entering, t: Trigger, result: list[Any], *, is_atomic: bool) -> None:
    if entry.preparing is not None:
        await _prepare(entry.preparing, t)
    if not is_atomic:
        write(engine, entry.entered)
    entered = await _each(engine, entry.callbacks, t) if entry.callbacks else []
    if entry.initial:
        result += await _all(entry.initial, t)
    for group, is_apart, preparing in entry.contents:
        if preparing is not None:
            await _prepare(preparing, t)
        if is_apart and t.event != ERROR_EXECUTION:
            await _each(engine, group, t)
        else:
            await _all(group, t)
    if entry.invokes:
        engine._invoke_manager.mark_for_invoke(own_or_class(t, entry), dict(engine.given(t)))
    if entry.is_final:
        engine._handle_final_state(own_or_class(t, entry), entered)


async def enter_async(engine: PlannedEngine, program: Program, t: Trigger) -> list[Any]:
    """Enter the initial states; what fails there is not undone."""
    t.plan = program.plan
    result: list[Any] = []
    is_atomic = engine.programs.is_atomic
    for preparing in program.preparing:
        await _prepare(preparing, t)
    engine.taking(program, t)
    if is_atomic:
        write(engine, program.plan.after)
    for entry in program.entries:
        await _enter(engine, entry, t, result, is_atomic=is_atomic)
    engine.took(program, t)
    return result


async def _finish(engine: PlannedEngine, program: Program, t: Trigger) -> None:
    """Run what comes after; the configuration stays as it is, even if that fails."""
    try:
        for group, is_apart, preparing in program.after:
            if preparing is not None:
                await _prepare(preparing, t)
            is_caught = is_apart and t.event != ERROR_EXECUTION
            await (_each(engine, group, t) if is_caught else _all(group, t))
    except InvalidDefinition:
        raise
    except Exception as error:  # noqa: BLE001 - of any callback
        engine._handle_error(error, t)


async def _all(group: Group, t: Trigger) -> list[Any]:
    """Call a group of callbacks; the first error ends it."""
    if len(group) == 1:
        value = group[0](t)
        return [await value if isawaitable(value) else value]
    # Several run at once, as python-statemachine has it.
    return await asyncio.gather(*(_result_of(call, t) for call in group))


async def _each(engine: PlannedEngine, group: Group, t: Trigger) -> list[Any]:
    """Call a group of callbacks; where the class says so, each error becomes an event and the others still run."""
    if not engine.sm.catch_errors_as_events:
        return await _all(group, t)
    found = []
    for call in group:
        try:
            value = call(t)
            if isawaitable(value):
                value = await value
            found.append(value)
        except Exception as error:  # noqa: BLE001 - of any callback
            report(engine, error)
    return found


async def _result_of(call: Callable[[Trigger], Any], t: Trigger) -> Any:
    value = call(t)
    return await value if isawaitable(value) else value
