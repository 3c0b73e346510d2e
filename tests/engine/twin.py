"""The same chart and the same steps on two engines."""

from __future__ import annotations

import asyncio
import gc
import importlib
from contextlib import ExitStack, contextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, Any
from unittest import mock

from statemachine.exceptions import InvalidDefinition
from twin_class import class_of, functions_of
from twin_data import Chart, Step
from twin_invoke import Workers, invocations
from twin_record import Recorder, Runaway, Watched, error_of, plain, plain_trigger

from conformance.engines import ACCELERATED, CLOCKS, OURS, PREPARED, STOCK, Engines, engines_replaced, queued

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("ACCELERATED", "OURS", "PREPARED", "STOCK", "is_asynchronous", "run")


SIBLING_EVENTS = ("e0", "e1")


class Clock:
    """A time that passes only while the engines sleep, so that delays are exact and cost nothing."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @contextmanager
    def in_place(self):
        """Stand in for the time wherever engines look at it."""
        with ExitStack() as stack:
            for name in CLOCKS:
                module = importlib.import_module(name)
                for attribute, stand_in in (
                    ("monotonic", self.monotonic),
                    ("sleep", self.sleep),
                    ("asyncio", Loop(self)),
                ):
                    if hasattr(module, attribute):
                        stack.enter_context(mock.patch.object(module, attribute, stand_in))
            yield


class Loop:
    """`asyncio`, except that sleeping takes no time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        await asyncio.sleep(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


def is_asynchronous(chart: Chart) -> bool:
    return any(callback.is_async for callback in chart.callbacks)


def run(chart: Chart, steps: tuple[Step, ...], engines: Engines) -> list[Any]:
    """Make a machine, do the steps, and return all that could be seen of it."""
    # CPython 3.11 may raise a SystemError when the collector runs while it parses a condition (one in 10,000 charts).
    gc.disable()
    try:
        return _run(chart, steps, engines)
    finally:
        gc.enable()


def _run(chart: Chart, steps: tuple[Step, ...], engines: Engines) -> list[Any]:
    recorder = Recorder(watches=chart.watched)
    workers = recorder.workers = Workers(recorder)
    clock = recorder.clock = Clock()
    with clock.in_place(), workers.in_place(), engines_replaced(engines):
        life = _live(chart, steps, recorder, engines.then)
        if is_asynchronous(chart):
            asyncio.run(life)
        else:
            _run_at_once(life)
    return recorder.over()


def _run_at_once(life: Any) -> None:
    """Run a coroutine that has nothing to wait for."""
    try:
        life.send(None)
    except StopIteration:
        return
    life.close()
    msg = "a synchronous machine gave something to wait for"
    raise AssertionError(msg)


async def _live(chart: Chart, steps: tuple[Step, ...], recorder: Recorder, then: Any) -> None:
    try:
        made = class_of(chart, recorder)
        if chart.has_sibling:
            await _live_before(made, recorder, then)
        machine = await _start(made, chart, recorder)
        if machine is None:
            return
        if then is not None:
            then(machine)
        _look(machine, recorder)
        for step in steps:
            await _attempt(recorder, step.kind, lambda step=step: _take(machine, step, recorder))
            _look(machine, recorder)
    except Runaway:
        recorder.told.append(("runaway",))


async def _live_before(made: type, recorder: Recorder, then: Any) -> None:
    """Let a machine of the class live that has neither arguments, a model nor listeners of its own."""
    try:
        machine = recorder.machine = made()
    except Exception as error:
        recorder.tell("no sibling", error_of(error))
        return
    if then is not None:
        then(machine)
    for event in SIBLING_EVENTS:
        await _attempt(recorder, "sibling", lambda event=event: machine.send(event))


async def _start(made: Any, chart: Chart, recorder: Recorder) -> Any:
    # Known before it is started: callbacks of the initial entry look at it, too.
    machine = recorder.machine = made.__new__(made)
    recorder.late = _listener(chart, "late", recorder)
    keywords = dict(chart.keywords)
    model = _model(chart, recorder)
    if model is not None:
        keywords["model"] = model
    if chart.listens or any(callback.owner == "listener" for callback in chart.callbacks):
        keywords["listeners"] = [_listener(chart, "listener", recorder)]
    try:
        machine.__init__(**keywords)
    except InvalidDefinition as error:
        recorder.tell("not made", error_of(error))
        return None
    except Exception as error:
        recorder.tell("not started", error_of(error))
        return None
    return machine


def _model(chart: Chart, recorder: Recorder) -> Any:
    functions = functions_of(chart, "model", recorder)
    if not functions and not chart.watched:
        return None
    return (
        type("Model", (Watched,), functions)(recorder)
        if chart.watched
        else type("Model", (), {**functions, "state": None})()
    )


def _listener(chart: Chart, owner: str, recorder: Recorder) -> Any:
    return type("Listener", (), functions_of(chart, owner, recorder))()


async def _attempt(recorder: Recorder, what: str, call: Any) -> None:
    try:
        result = call()
        if isawaitable(result):
            result = await result
    except Exception as error:
        recorder.tell(what, "raised", error_of(error))
    else:
        recorder.tell(what, "returned", plain(result))


def _take(machine: Any, step: Step, recorder: Recorder) -> Any:
    args, kwargs = step.args, dict(step.kwargs)
    steps: dict[str, Callable[[], Any]] = {
        "send": lambda: machine.send(step.event, *args, **kwargs),
        "raise_": lambda: machine.raise_(step.event, *args, **kwargs),
        "call": lambda: getattr(machine, step.event)(*args, **kwargs),
        "put": lambda: getattr(machine, step.event).put(*args, **kwargs) and None,
        "enabled": lambda: machine.enabled_events(*args, **kwargs),
        "allowed": lambda: machine.allowed_events,
        "listen": lambda: machine.add_listener(recorder.late),
        "activate": lambda: machine.activate_initial_state(),
        "cancel": lambda: machine.cancel_event("later"),
        "work": recorder.workers.run,
        "write": lambda: setattr(machine, "current_state_value", step.event),
    }
    return steps[step.kind]()


def _look(machine: Any, recorder: Recorder) -> None:
    """Note all that can be seen of a machine at rest."""
    recorder.tell(
        "rest",
        list(machine.configuration_values),
        plain(machine.current_state_value),
        {name: [plain(state) for state in states] for name, states in machine.history_values.items()},
        machine.is_terminated,
        recorder.clock.now,
        [plain_trigger(one) for one in queued(machine)],
        invocations(machine),
        [value for value, state in machine.states_map.items() if getattr(machine, state.id, state).is_active],
    )
