"""
Who runs what and when: calls from outside take turns, calls from inside run at once.

`Driver` is the host of all engines of one orchestrator. A synchronous system runs a step in the thread of its
caller; an asynchronous one in the task of whoever awaits the event, or in a task of its own if nobody does.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import (
    AsyncMemberEngine,
    MemberEngine,
    current_cancellation,
    take_strays,
)
from statemachines_orchestrator.exceptions import StepRunningError

from ._calls import EventCall
from ._step import Step, current_step
from ._turns import Ticket, Turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

    from statemachine import Event, StateChart
    from statemachine.event_data import TriggerData

__all__ = ("Driver",)


class Driver:
    """Runs the steps of one orchestrator, one at a time."""

    def __init__(self, orchestrator: object, parameter: str, *, atomic: bool) -> None:
        self.orchestrator = orchestrator
        self.parameter = parameter
        self.atomic = atomic
        self.is_async: bool = False
        self._has_begun = False
        self.engines: list[MemberEngine] = []
        self._turns = Turns()

    def add(self, name: str, engine: MemberEngine) -> None:
        """Take a member's engine in; one asynchronous member makes the system asynchronous."""
        engine.member = name
        self.engines.append(engine)
        self.is_async = self.is_async or isinstance(engine, AsyncMemberEngine)

    # -- what engines ask ----------------------------------------------------------------------------------

    def in_running_step(self) -> bool:
        """Whether the calling code belongs to a step of this system that is still running."""
        return self._running_step() is not None

    def deliver(self, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """Run an event of `engine`: at once if the caller belongs to the running step, else in its turn."""
        step = self._running_step()
        if step is not None and step.enter():
            try:
                if self.is_async:
                    return self._nested_async(step, engine, trigger)
                return self._run(step, engine, trigger)
            finally:
                step.leave()
        if self.is_async:
            return self._call(partial(self._step_async, engine, trigger))
        return self._step_in_turn(engine, trigger)

    def activate(self) -> EventCall:
        """Enter the initial states that are still to come; to be awaited."""
        if not self.is_async:
            self.begin()
            return EventCall.finished(None)
        step = self._running_step()
        if step is not None:
            return EventCall(partial(self._begin_async, step))
        return self._call(self._activation_step_async)

    def begin(self) -> None:
        """Enter the initial states of a synchronous system, as one step."""
        if not self._has_begun:
            self._turns.enter()
            try:
                self._as_step(self._begin)
            finally:
                self._turns.leave()
            self._has_begun = True

    def changing_data(self, values: MutableMapping[str, Any], name: str) -> None:
        """Tell the running step, if the caller belongs to one, that a declared datum is about to be rebound."""
        step = self._running_step()
        if step is not None:
            step.touch_data(values, name)

    @contextmanager
    def between_steps(self, doing: str) -> Iterator[None]:
        """
        Hold the turn, so that no step runs meanwhile.

        Args:
            doing: What is done meanwhile, for the error.

        Raises:
            StepRunningError: The caller is inside a step, or a step of an asynchronous system is under way.
        """
        if self._running_step() is not None or (self.is_async and not self._turns.try_enter()):
            raise StepRunningError(type(self.orchestrator).__name__, doing)
        if not self.is_async:
            self._turns.enter()
        try:
            yield
        finally:
            self._turns.leave()

    def ask(self, machines: Iterable[StateChart[Any]]) -> Any:
        """
        Ask machines for their enabled events, in a step of its own: guards may look at every sibling.

        Returns:
            The events of each machine, in order; in an asynchronous system an awaitable of them.
        """
        asked = list(machines)
        inside = self._running_step() is not None
        if self.is_async:
            work = partial(_enabled_async, asked)
            return EventCall(work) if inside else self._call(partial(self._as_step_async, lambda _step: work()))
        if inside:
            return _enabled(asked)
        self._turns.enter()
        try:
            return self._as_step(lambda _step: _enabled(asked))
        finally:
            self._turns.leave()

    def _running_step(self) -> Step | None:
        step = current_step.get()
        while step is not None:
            if step.owner is self and step.running:
                return step
            step = step.outer
        return None

    # -- synchronous systems -------------------------------------------------------------------------------

    def _step_in_turn(self, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if not self._turns.enter(current_cancellation()):
            return None  # an invoke handler whose state was left while it waited
        try:
            return self._as_step(self._run, engine, trigger)
        finally:
            self._turns.leave()

    def _as_step(self, work: Any, *arguments: Any) -> Any:
        step = Step(self, current_step.get(), atomic=self.atomic)
        token = current_step.set(step)
        try:
            result = work(step, *arguments)
            self._settle(step)
        except BaseException:
            while not _close_blocking(step):
                """Another thread has just left the step; look again."""
            step.put_back()
            raise
        finally:
            current_step.reset(token)
        return result

    def _run(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if engine.is_busy:
            if trigger is not None:
                engine.enqueue(trigger)
            return None
        step.touch(engine)
        if engine.is_held:
            engine.begin()
        elif engine.has_work:
            engine.drive()  # left by an exception that a callback caught; the caller is to get its own result
        if trigger is not None:
            engine.enqueue(trigger)
        try:
            return engine.drive()
        except TransitionNotAllowed as refusal:
            self._explain(refusal, engine)
            raise

    def _explain(self, refusal: TransitionNotAllowed, engine: MemberEngine) -> None:
        """Note on a refusal who refused, where that machine was, and what was possible there."""
        if getattr(refusal, "__notes__", None):
            return  # it was refused further inside
        active = tuple(engine.sm.configuration)
        place = "+".join(state.id for state in active if state.is_atomic)
        # Not `allowed_events`, which looks each event up as an attribute and fails on ids with dots.
        allowed = dict.fromkeys(str(event) for state in active for event in state.transitions.unique_events)
        refusal.add_note(
            f"refused by {type(self.orchestrator).__name__}.{engine.member} in {place}, "
            f"where it has transitions for: {', '.join(allowed) or 'nothing'}"
        )

    def _begin(self, step: Step) -> None:
        for engine in self.engines:
            if engine.is_held:
                self._run(step, engine, None)

    def _settle(self, step: Step) -> None:
        while True:
            self._take_strays(step)
            engine = step.next_with_work()
            if engine is not None:
                engine.drive()
            elif _close_blocking(step):
                return

    # -- asynchronous systems ------------------------------------------------------------------------------

    def _call(self, work: Any) -> EventCall:
        loop = _running_loop()
        ticket = self._turns.request(loop)
        call = EventCall(partial(self._in_turn_async, ticket, work), partial(self._turns.abandon, ticket))
        if loop is not None:
            loop.call_soon(call.start)
        return call  # without a loop python-statemachine runs it to its end in a loop of its own

    async def _in_turn_async(self, ticket: Ticket, work: Any) -> Any:
        if not ticket.take():
            await self._turns.wait(ticket)
        try:
            return await work()
        finally:
            self._turns.leave()

    async def _step_async(self, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if not self._has_begun:
            await self._activation_step_async()
        return await self._as_step_async(self._run_async, engine, trigger)

    async def _activation_step_async(self) -> None:
        if not self._has_begun:
            await self._as_step_async(self._begin_async)
            self._has_begun = True

    async def _as_step_async(self, work: Any, *arguments: Any) -> Any:
        step = Step(self, current_step.get(), atomic=self.atomic)
        step.loop = asyncio.get_running_loop()
        token = current_step.set(step)
        try:
            result = await work(step, *arguments)
            await self._settle_async(step)
        except BaseException as error:
            while not await _close_async(step):
                """Another task has just left the step; look again."""
            for call in step.deferred:
                call.fail(error)
            step.put_back()
            raise
        finally:
            current_step.reset(token)
        return result

    def _nested_async(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """Run a call from inside the step, or say how it is going to be run."""
        if engine.is_busy:
            return EventCall.finished(self._run(step, engine, trigger))
        if not isinstance(engine, AsyncMemberEngine):
            return self._answer(step, self._run(step, engine, trigger))
        call = EventCall(partial(self._nested_call, step, engine, trigger))
        if _running_loop() is None and step.loop is not None:
            return asyncio.run_coroutine_threadsafe(call.run(), step.loop).result()
        step.deferred.append(call)
        return call

    @staticmethod
    def _answer(step: Step, result: Any) -> Any:
        return result if _running_loop() is None and step.loop is not None else EventCall.finished(result)

    async def _nested_call(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        step.enter()  # still running: a step ends when its deferred calls have run, or have failed with it
        token = current_step.set(step)  # whoever awaits the call may be a task from outside the step
        try:
            return await self._run_async(step, engine, trigger)
        finally:
            current_step.reset(token)
            step.leave()

    async def _run_async(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if engine.is_busy or not isinstance(engine, AsyncMemberEngine):
            return self._run(step, engine, trigger)
        step.touch(engine)
        if engine.is_held:
            await engine.begin()
        elif engine.has_work:
            await engine.drive()
        if trigger is not None:
            engine.enqueue(trigger)
        try:
            return await engine.drive()
        except TransitionNotAllowed as refusal:
            self._explain(refusal, engine)
            raise

    async def _begin_async(self, step: Step) -> None:
        for engine in self.engines:
            if engine.is_held:
                await self._run_async(step, engine, None)

    def _take_strays(self, step: Step) -> None:
        for engine, trigger in take_strays(self):
            step.touch(engine)
            engine.enqueue(trigger)

    async def _settle_async(self, step: Step) -> None:
        while True:
            self._take_strays(step)
            if step.deferred:
                call = step.deferred.pop(0)
                if not call.is_started:
                    await call
                continue
            engine = step.next_with_work()
            if engine is not None:
                await self._run_async(step, engine, None)
            elif await _close_async(step):
                return


def _enabled(machines: list[StateChart[Any]]) -> list[list[Event]]:
    return [machine.enabled_events() for machine in machines]


async def _enabled_async(machines: list[StateChart[Any]]) -> list[list[Event]]:
    found: list[list[Event]] = []
    for machine in machines:
        events = machine.enabled_events()
        found.append(events if isinstance(events, list) else await events)
    return found


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _close_blocking(step: Step) -> bool:
    """Close the step; if a call inside it is under way in another thread, wait for it and return False."""
    if step.close():
        return True
    idle = threading.Event()
    if step.close(idle.set):
        return True
    idle.wait()
    return False


async def _close_async(step: Step) -> bool:
    if step.close():
        return True
    loop = asyncio.get_running_loop()
    idle = loop.create_future()
    if step.close(lambda: loop.call_soon_threadsafe(idle.set_result, None)):
        return True
    await idle
    return False
