"""
Steps of asynchronous systems: in the task of whoever awaits the event, or in a task of its own if nobody does.

Members without asynchronous callbacks run as in a synchronous system, at once.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import AsyncMemberEngine, hand_on

from ._alarms import LoopAlarm
from ._blocking import BlockingSteps
from ._calls import EventCall
from ._direct import deliver_directly
from ._effects import between_rests, fire_delayed
from ._joints import joint_or_raise
from ._pump import pump_async
from ._rest import DelayedLink
from ._shared import DelayedEvent, about
from ._step import Step, current_step
from ._turns import resolve, running_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.engine import MemberEngine

    from ._joints import Joint
    from ._timers import Timer
    from ._turns import Ticket

__all__ = ("AwaitedSteps",)

_logger = logging.getLogger("statemachines_orchestrator")


class AwaitedSteps(BlockingSteps):
    """How an asynchronous system runs its steps."""

    def _call(self, work: Any, *arguments: Any) -> EventCall:
        """Take a place in line for some work, and see to it that it is done even if nobody awaits it."""
        return EventCall.in_line(self._turns, work, *arguments)

    async def _step_in_turn_async(self, ticket: Ticket, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if not ticket.take():
            await self._turns.wait(ticket)
        # A call that was made without an event loop has one that ends with the call.
        self._turn_loop = running_loop() if ticket.loop is not None else None
        try:
            if not self._has_begun:
                await self._begin_in_turn_async()
            host: Any = engine.host
            if host is not None and host.driver is self:
                if trigger is not None and self._has_moved_unheard(host, engine, trigger):
                    return None
                step = self._new_step()
                if self.observers:
                    step.about = about(engine, trigger)
                return await self._as_step_async(step, self._run_async, engine, trigger)
        finally:
            self._turns.leave()
        result = hand_on(engine, trigger)
        return await result if inspect.isawaitable(result) else result

    def _has_moved_unheard(self, host: Any, engine: MemberEngine, trigger: TriggerData) -> bool:
        choice = engine.foresee(trigger) if self._has_rest and not self.observers else None
        return choice is not None and choice.is_silent and self._enters_silently(host, engine, trigger, choice.fixed)

    async def _work_in_turn_async(self, ticket: Ticket, step: Step, work: Any, *arguments: Any) -> Any:
        return await self._in_turn_async(ticket, self._as_step_async, step, work, *arguments)

    async def _in_turn_async(self, ticket: Ticket, work: Any = None, *arguments: Any) -> Any:
        if not ticket.take():
            await self._turns.wait(ticket)
        # A call that was made without an event loop has one that ends with the call.
        self._turn_loop = running_loop() if ticket.loop is not None else None
        try:
            if not self._has_begun:
                await self._begin_in_turn_async()
            if work is not None:
                return await work(*arguments)
            self._set_alarm()
            return None
        finally:
            self._turns.leave()

    async def _begin_in_turn_async(self) -> None:
        await self._as_step_async(self._new_step(), self._begin_async)
        self._has_begun = True
        self._set_alarm()

    async def _as_step_async(self, step: Step, work: Any, *arguments: Any) -> Any:
        step.loop = asyncio.get_running_loop()
        token = current_step.set(step)
        if self.observers:
            self.tell_start(step)
        failure: BaseException | None = None
        try:
            result = await work(step, *arguments)
            whole: Any = self
            is_quiet = not step.is_plain and deliver_directly(whole, step) and step.close()
            if not is_quiet and not self._is_quiet(step):
                await pump_async(between_rests(self, step))  # type: ignore[arg-type] # the whole driver
        except BaseException as error:
            failure = error
            interruption = await _close_at_last(step)
            for call in step.deferred:
                call.fail(error)
            step.put_back(error)
            if interruption is not None:
                raise interruption from error
            raise
        finally:
            if self.observers:
                self.tell_end(step, failure)
            with suppress(ValueError):  # the collector closes a task whose loop is gone, in a context of its own
                current_step.reset(token)
            self._tidy(step)
            # A loop that is being closed cancels all tasks, and should not get new ones.
            if (failure is None or isinstance(failure, Exception)) and not self._is_alarm_set:
                self._set_alarm()
        return result

    def _nested_async(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """Run a call from inside the step, or say how it is going to be run."""
        joint = self.joint_of(engine, trigger) if trigger is not None and engine.is_joint else None
        if joint is None and (engine.is_busy or not isinstance(engine, AsyncMemberEngine)):
            result = self._run(step, engine, trigger)
            return result if _is_worker_of(step) else EventCall.finished(result)
        if joint is not None:
            return self._jointly_inside(step, joint)
        return self._inside(step, self._run_async, engine, trigger)

    def _jointly_inside(self, step: Step, joint: Joint) -> Any:
        """Let a joint event happen that is called from inside a step, or queue it."""
        if not self._has_queued(step, joint):
            return self._inside(step, self._run_jointly_async, joint)
        return None if _is_worker_of(step) else EventCall.finished(None)

    def _inside(self, step: Step, work: Any, *arguments: Any) -> Any:
        """Do some work inside a step when it is awaited, or else at its end; at once for a thread, which waits."""
        call = EventCall(self._nested_work, step, work, *arguments)
        if _is_worker_of(step) and step.loop is not None:
            return asyncio.run_coroutine_threadsafe(call.run(), step.loop).result()
        step.deferred.append(call)
        return call

    async def _nested_work(self, step: Step, work: Any, *arguments: Any) -> Any:
        step.enter()  # still running: a step ends when its deferred calls have run, or have failed with it
        token = current_step.set(step)  # whoever awaits the call may be a task from outside the step
        try:
            return await work(step, *arguments)
        finally:
            current_step.reset(token)
            step.leave()

    async def _run_async(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if trigger is not None and engine.is_joint and (joint := self.joint_of(engine, trigger)) is not None:
            return await self._run_jointly_async(step, joint)
        if engine.is_busy or not isinstance(engine, AsyncMemberEngine):
            return self._run(step, engine, trigger)
        before = step.touch(engine) or engine.save()
        moved = 0 if step.is_plain else len(step.moves)
        try:
            if engine.is_held:
                await engine.begin()
            elif engine.has_work and not engine.has_choice:
                await engine.drive()
            return await (engine.drive() if trigger is None else engine.process(trigger))
        except TransitionNotAllowed as refusal:
            self._explain(refusal, engine)
            raise
        except asyncio.CancelledError:
            # python-statemachine leaves the transition half done, and a callback may catch this and go on.
            if not engine.is_busy:
                engine.put_back(before)
                step.forget_moves(engine, moved)
            raise

    async def _run_jointly_async(self, step: Step, joint: Joint) -> Any:
        if self._has_queued(step, joint):
            return None
        return await pump_async(joint_or_raise(self, step, joint, step.cause))  # type: ignore[arg-type] # the whole driver

    def run_now(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """Run a member in a step; an awaitable in an asynchronous system."""
        run = self._run_async if self.is_async else self._run
        return run(step, engine, trigger)

    def close_step(self, step: Step) -> Any:
        """Close the step, or wait for those who are in the middle of a call inside it; whether it is closed."""
        return _once_idle(step.close) if self.is_async else super().close_step(step)

    def wait_until_idle(self, step: Step) -> Any:
        """Wait for those who are in the middle of a call inside the step: threads and tasks that callbacks started."""
        return _once_idle(step.rest) if self.is_async else super().wait_until_idle(step)

    async def _begin_async(self, step: Step) -> None:
        for engine in self.engines:
            if engine.is_held:
                with self.starting(engine):
                    await self._run_async(step, engine, None)

    # -- time ----------------------------------------------------------------------------------------------

    async def _fire_all_async(self, now: float) -> int:
        """Fire the timers that are due, each in a turn of its own, and count them."""
        count = 0
        while await self._fire_due_async(self._turns.request(running_loop()), now):
            count += 1
        return count

    async def _fire_due_async(self, ticket: Ticket, now: float) -> bool:
        return bool(await self._in_turn_async(ticket, self._fire_first_async, now))

    async def _fire_first_async(self, now: float) -> bool:
        """Fire the first timer that is due, in the turn that the caller has; whether there was one."""
        timer = self.timers.pop_due(now)
        if timer is None:
            return False
        with self._firing(timer):
            await self._as_step_async(self._new_step(), self._fire_async, timer)
        return True

    async def _fire_async(self, step: Step, timer: Timer) -> None:
        """Do what a timer is for: the place where kinds of timers are told apart; `_fire` is the other."""
        if self.observers:
            self.tell_timer("fired", timer)
        if isinstance(timer.what, DelayedEvent):
            engine, trigger = timer.what.engine, timer.what.trigger
            engine.make_due(trigger)
            await self._run_async(step, engine, trigger)
        elif isinstance(timer.what, DelayedLink):
            await pump_async(fire_delayed(self, step, timer.what))  # type: ignore[arg-type] # the whole driver

    @property
    def _is_alarm_set(self) -> bool:
        """Whether there is no timer, and the alarm knows."""
        alarm = self._loop_alarm
        return not self.timers and alarm is not None and alarm.is_idle_in(self._turn_loop)

    def _set_alarm(self) -> None:
        """Let the event loop fire the next timer by itself."""
        if self._loop_alarm is None:
            if self.clock.drives_systems:
                return
            self._loop_alarm = LoopAlarm(self.clock.now, self._ring, self.timers)
        if self._has_begun:
            self._loop_alarm.set(self._turn_loop)

    def _ring(self) -> EventCall:
        return self._call(self._fire_alone_async)

    async def _fire_alone_async(self, ticket: Ticket) -> None:
        """Fire one timer because the alarm rings."""
        try:
            await self._in_turn_async(ticket, self._answer_alarm)
        except Exception:
            _logger.exception("a timer of %s failed in the background", self.name)

    async def _answer_alarm(self) -> None:
        if self._loop_alarm is None or not self._loop_alarm.answer():
            return
        self._is_firing = True
        try:
            if not await self._fire_first_async(self.clock.now()):
                self._set_alarm()  # loops ring a little early, and clocks may be slower than theirs
        finally:
            self._is_firing = False


def _is_worker_of(step: Step) -> bool:
    """Whether this thread has no event loop, though the step that it belongs to runs in one."""
    return step.loop is not None and running_loop() is None


async def _close_at_last(step: Step) -> BaseException | None:
    """Close a step that has failed, whatever interrupts the wait for others inside it; the interruption, if any."""
    interruption = None
    while True:
        try:
            if await _once_idle(step.close):
                return interruption
        except BaseException as error:  # noqa: BLE001 - raised by the caller, when the step has been put back
            interruption = error


async def _once_idle(attempt: Callable[..., bool]) -> bool:
    """Try something that needs an idle step; if a call is under way in another task, wait for it and return False."""
    if attempt():
        return True
    loop = asyncio.get_running_loop()
    idle = loop.create_future()
    if attempt(lambda: loop.call_soon_threadsafe(resolve, idle)):
        return True
    await idle
    return False
