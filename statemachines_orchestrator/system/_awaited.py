"""
Steps of asynchronous systems: in the task of whoever awaits the event, or in a task of its own if nobody does.

Members without asynchronous callbacks run as in a synchronous system, at once.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import AsyncMemberEngine

from ._blocking import BlockingSteps
from ._calls import EventCall
from ._shared import LONGEST_PAUSE
from ._step import Step, current_step
from ._turns import resolve

if TYPE_CHECKING:
    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.engine import MemberEngine

    from ._turns import Ticket

__all__ = ("AwaitedSteps",)

_logger = logging.getLogger("statemachines_orchestrator")


class AwaitedSteps(BlockingSteps):
    """How an asynchronous system runs its steps."""

    def _call(self, work: Any, *arguments: Any) -> EventCall:
        """Take a place in line for some work, and see to it that it is done even if nobody awaits it."""
        loop = running_loop()
        ticket = self._turns.request(loop)
        call = EventCall(work, ticket, *arguments, abandon=partial(self._turns.abandon, ticket))
        if loop is not None:
            call.scheduled = loop.call_soon(call.start)
        return call  # without a loop python-statemachine runs it to its end in a loop of its own

    async def _step_in_turn_async(self, ticket: Ticket, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        step = self._new_step()
        result = await self._in_turn_async(ticket, step, self._run_async, engine, trigger)
        return await self._wait_for_delayed_async(step, trigger, result) if step.later else result

    async def _begin_in_turn_async(self, ticket: Ticket) -> None:
        step = self._new_step()
        await self._in_turn_async(ticket, step, None)
        await self._wait_for_delayed_async(step, None, None)

    async def _in_turn_async(self, ticket: Ticket, step: Step, work: Any, *arguments: Any) -> Any:
        if not ticket.take():
            await self._turns.wait(ticket)
        steps = [step]
        try:
            if not self._has_begun:
                first = self._new_step()
                steps.insert(0, first)
                await self._as_step_async(first, self._begin_async)
                self._has_begun = True
            if self._forsaken:
                await self._run_forsaken_async()
            result = None if work is None else await self._as_step_async(step, work, *arguments)
            step.later = [one for each in steps for one in self._claim(each)]
        except BaseException:
            for each in steps:
                self._forsake(self._claim(each))
            raise
        finally:
            self._turns.leave()
        return result

    async def _as_step_async(self, step: Step, work: Any, *arguments: Any) -> Any:
        step.loop = asyncio.get_running_loop()
        token = current_step.set(step)
        try:
            result = await work(step, *arguments)
            if not self._is_quiet(step):
                await self._settle_async(step)
        except BaseException as error:
            interruption = await _close_at_last(step)
            for call in step.deferred:
                call.fail(error)
            step.put_back(error)
            if interruption is not None:
                raise interruption from error
            raise
        finally:
            with suppress(ValueError):  # the collector closes a task whose loop is gone, in a context of its own
                current_step.reset(token)
        return result

    def _nested_async(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """Run a call from inside the step, or say how it is going to be run."""
        if engine.is_busy:
            return EventCall.finished(self._run(step, engine, trigger))
        if not isinstance(engine, AsyncMemberEngine):
            result = self._run(step, engine, trigger)
            return result if _is_worker_of(step) else EventCall.finished(result)
        call = EventCall(self._nested_call, step, engine, trigger)
        if _is_worker_of(step) and step.loop is not None:
            return asyncio.run_coroutine_threadsafe(call.run(), step.loop).result()
        step.deferred.append(call)
        return call

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
        before = step.touch(engine) or engine.save()
        try:
            if engine.is_held:
                await engine.begin()
            elif engine.has_work:
                await engine.drive()
            if trigger is not None:
                engine.enqueue(trigger)
            return await engine.drive()
        except TransitionNotAllowed as refusal:
            self._explain(refusal, engine)
            raise
        except asyncio.CancelledError:
            # python-statemachine leaves the transition half done, and a callback may catch this and go on.
            if not engine.is_busy:
                engine.put_back(before)
            raise

    async def _begin_async(self, step: Step) -> None:
        for engine in self.engines:
            if engine.is_held:
                with self._starting(engine):
                    await self._run_async(step, engine, None)

    def _is_quiet(self, step: Step) -> bool:
        """Close the step at once, if nothing is left to be done in it."""
        self._take_strays(step)
        return not step.deferred and step.next_with_work() is None and step.close()

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
            elif await _close(step):
                return

    # -- delayed events ------------------------------------------------------------------------------------

    async def _wait_for_delayed_async(self, step: Step, own: TriggerData | None, result: Any) -> Any:
        """Deliver the delayed events that a step has left, as `_wait_for_delayed` does."""
        mine = step.later
        try:
            while (found := self._next_of(mine)) is not None:
                engine, trigger, seconds = found
                if seconds > 0:
                    await _pause(min(seconds, LONGEST_PAUSE))
                    continue
                later = self._new_step()
                ticket = self._turns.request(running_loop())
                try:
                    outcome = await self._in_turn_async(ticket, later, self._run_delayed_async, engine, trigger)
                except TransitionNotAllowed:
                    if trigger is own or engine.running:
                        raise
                    continue  # its machine has ended, and nobody asked for it by name
                result = outcome if trigger is own else result
                mine += later.later
        finally:
            if mine:
                self._forsake(mine)
        return result

    async def _run_delayed_async(self, step: Step, engine: MemberEngine, trigger: TriggerData) -> Any:
        return await self._run_async(step, engine, trigger) if self._is_wanted(engine, trigger) else None

    async def _run_forsaken_async(self) -> None:
        """Deliver overdue events whose caller has stopped waiting; what they raise reaches nobody but the log."""
        due = self._overdue()
        for number, (engine, trigger) in enumerate(due, 1):
            step = self._new_step()
            try:
                await self._as_step_async(step, self._run_delayed_async, engine, trigger)
            except Exception:
                _logger.exception("a delayed event of %s failed, and nobody waits for it", engine.member)
            except BaseException:
                self._forsake(due[number:])
                raise
            self._forsake(self._claim(step))


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if any."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _is_worker_of(step: Step) -> bool:
    """Whether this thread has no event loop, though the step that it belongs to runs in one."""
    return step.loop is not None and running_loop() is None


async def _pause(seconds: float) -> None:
    done = asyncio.get_running_loop().create_future()
    timer = asyncio.get_running_loop().call_later(seconds, resolve, done)
    try:
        await done
    finally:
        timer.cancel()


async def _close_at_last(step: Step) -> BaseException | None:
    """Close a step that has failed, whatever interrupts the wait for others inside it; the interruption, if any."""
    interruption = None
    while True:
        try:
            if await _close(step):
                return interruption
        except BaseException as error:  # noqa: BLE001 - raised by the caller, when the step has been put back
            interruption = error


async def _close(step: Step) -> bool:
    """Close the step; if a call inside it is under way in another task, wait for it and return False."""
    if step.close():
        return True
    loop = asyncio.get_running_loop()
    idle = loop.create_future()
    if step.close(lambda: loop.call_soon_threadsafe(resolve, idle)):
        return True
    await idle
    return False
