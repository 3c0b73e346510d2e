"""Steps of synchronous systems: in the thread of their caller, which waits for its turn."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import current_cancellation, hand_on, has_strays

from ._direct import deliver_directly, enter_all, foresee_all
from ._effects import between_rests, fire_delayed
from ._joints import joint_or_raise
from ._pump import pump
from ._rest import DelayedLink
from ._shared import DelayedEvent, SharedSteps, about
from ._step import Step, current_step

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.engine import Choice, MemberEngine, Program

    from ._alarms import ThreadAlarm
    from ._joints import Joint
    from ._timers import Timer

__all__ = ("ELSEWHERE", "BlockingSteps")

_logger = logging.getLogger("statemachines_orchestrator")

ELSEWHERE: Any = object()
"""Stands for the result of what has left the system while it waited for its turn."""


class BlockingSteps(SharedSteps):
    """How a synchronous system runs its steps."""

    def _step_in_turn(self, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if trigger is not None and not self.observers and self._turns.try_enter():
            # As the rest of this does, for the call that there are most of.
            try:
                host: Any = engine.host
                if host is not None and host.driver is self:
                    choice = engine.foresee(trigger) if self._has_rest else None
                    if choice is None:
                        return self._as_step(self._new_step(), self._run, engine, trigger)
                    if choice.is_silent and self._enters_silently(host, engine, trigger, choice.fixed):
                        return None
                    return self._step_alone(engine, trigger, choice)
            finally:
                self._turns.leave()
            return hand_on(engine, trigger)
        step = self._new_step()
        if self.observers:
            step.about = about(engine, trigger)
        result = self._in_turn(self._step_of, step, engine, trigger)
        return hand_on(engine, trigger) if result is ELSEWHERE else result

    def _enters_silently(self, host: Any, engine: MemberEngine, trigger: TriggerData, program: Program) -> bool:
        """
        Take an event that runs no callback, nor does what links make of it; whether it was one.

        Nothing of it can fail and nobody can see it half done, so that it needs no step around it.
        """
        event: Any = trigger.event
        if engine.is_guarded and not host.permits(engine, event.id):
            return False
        if not host.hears(engine, trigger, program.entered):
            engine.enter_silently(program)
            return True
        whole: Any = self
        programs = foresee_all(whole, engine, event.id, program)
        if programs is None:
            return False
        enter_all(whole, programs)
        return True

    def _step_alone(self, engine: MemberEngine, trigger: TriggerData, choice: Choice) -> Any:
        """
        Run a step for an event of which it is foreseen what it does.

        One function on purpose, as is that of the engine: it does what `_as_step`, `_run` and `_settle` do, what
        `_new_step`, `Step.touch` and `_is_quiet` do for nearly every event, and what `_end` does then.
        """
        atomic = self.atomic
        step = Step(self, None, atomic=atomic) if current_step.get() is None else self._new_step()
        token = current_step.set(step)
        failure: BaseException | None = None
        try:
            step._saved[engine] = engine.save_at_rest() if atomic else None
            try:
                result = engine.process_foreseen(trigger, choice)
            except TransitionNotAllowed as refusal:
                self._explain(refusal, engine)
                raise
            is_alone = step.is_plain and len(step._saved) == 1 and step.failure is None
            is_quiet = is_alone and not engine.has_queued and self._has_rest and step.close()
            if not is_quiet and not (step.is_plain and self._is_quiet(step)):
                self._settle(step)
        except BaseException as error:
            failure = error
            _put_back(step, error)
            raise
        finally:
            if step.is_plain and not (self.observers or self.timers or self._thread_alarm is not None):
                current_step.reset(token)
                step._saved.clear()
            else:
                self._end(step, token, failure)
        return result

    @property
    def _has_rest(self) -> bool:
        """Whether nothing waits for the next step, whatever it is for."""
        return not (self._unstarted or has_strays() or (self.conditional and not self.has_rested))

    def _step_of(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if self.has_left(engine):
            return ELSEWHERE
        return self._as_step(step, self._run, engine, trigger)

    def _begin_in_turn(self) -> None:
        self._in_turn(self._as_step, self._new_step(), self._begin)
        self._has_begun = True

    def _in_turn(self, work: Any, *arguments: Any) -> Any:
        if not self._turns.try_enter() and not self._turns.enter(current_cancellation()):
            return None  # an invoke handler whose state was left while it waited
        try:
            return work(*arguments)
        finally:
            self._turns.leave()

    def _as_step(self, step: Step, work: Any, *arguments: Any) -> Any:
        token = current_step.set(step)
        if self.observers:
            self.tell_start(step)
        failure: BaseException | None = None
        try:
            result = work(step, *arguments)
            self._settle(step)
        except BaseException as error:
            failure = error
            _put_back(step, error)
            raise
        finally:
            self._end(step, token, failure)
        return result

    def _end(self, step: Step, token: Token[Step | None], failure: BaseException | None) -> None:
        if self.observers:
            self.tell_end(step, failure)
        current_step.reset(token)
        self._tidy(step)
        alarm = self._thread_alarm
        if alarm is not None:
            alarm.set()

    def _run(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        if trigger is not None and engine.is_joint and (joint := self.joint_of(engine, trigger)) is not None:
            return self._run_jointly(step, joint)
        try:
            if engine.is_at_rest and trigger is not None:
                step.touch(engine)
                return engine.process(trigger)
            if engine.is_busy:
                if trigger is not None:
                    engine.enqueue(trigger)
                return None
            step.touch(engine)
            if engine.is_held:
                engine.begin()
            elif engine.has_work and not engine.has_choice:
                engine.drive()  # left by an exception that a callback caught; the caller is to get its own result
            return engine.drive() if trigger is None else engine.process(trigger)
        except TransitionNotAllowed as refusal:
            self._explain(refusal, engine)
            raise

    def _run_jointly(self, step: Step, joint: Joint) -> Any:
        """Let a joint event happen now, or when none of its machines is busy."""
        if self._has_queued(step, joint):
            return None
        return pump(joint_or_raise(self, step, joint, step.cause))  # type: ignore[arg-type] # the whole driver

    def run_now(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """Run a member in a step; an awaitable in an asynchronous system."""
        return self._run(step, engine, trigger)

    def close_step(self, step: Step) -> Any:
        """Close the step, or wait for those who are in the middle of a call inside it; whether it is closed."""
        return _once_idle(step.close)

    def wait_until_idle(self, step: Step) -> Any:
        """Wait for those who are in the middle of a call inside the step: threads and tasks that callbacks started."""
        return _once_idle(step.rest)

    def _begin(self, step: Step) -> None:
        for engine in self.engines:
            if engine.is_held:
                with self.starting(engine):
                    self._run(step, engine, None)

    def _settle(self, step: Step) -> None:
        whole: Any = self
        if not step.is_plain and deliver_directly(whole, step) and step.close():
            return
        if not self._is_quiet(step):
            pump(between_rests(self, step))  # type: ignore[arg-type] # the whole driver

    def _is_quiet(self, step: Step) -> bool:
        """Close the step at once, if nothing is left to be done in it."""
        if step.is_plain and step.failure is None and self._has_rest:
            return step.next_with_work() is None and step.close()
        if has_strays():
            self._take_strays(step)
        is_idle = not (
            step.failure
            or step.deferred
            or step.moves
            or step.joints
            or step.firings
            or step.unstarted
            or self._unstarted
        )
        has_asked = self.has_rested or not self.conditional
        return is_idle and has_asked and step.next_with_work() is None and step.close()

    # -- time ----------------------------------------------------------------------------------------------

    def _fire_all(self, now: float) -> int:
        """Fire the timers that are due, each in a turn of its own, and count them."""
        count = 0
        while self._in_turn(self._fire_first, now):
            count += 1
        return count

    def _fire_first(self, now: float) -> bool:
        """Fire the first timer that is due, in the turn that the caller has; whether there was one."""
        timer = self.timers.pop_due(now)
        if timer is None:
            return False
        with self._firing(timer):
            self._as_step(self._new_step(), self._fire, timer)
        return True

    def _fire(self, step: Step, timer: Timer) -> None:
        """Do what a timer is for: the place where kinds of timers are told apart; `_fire_async` is the other."""
        if self.observers:
            self.tell_timer("fired", timer)
        if isinstance(timer.what, DelayedEvent):
            engine, trigger = timer.what.engine, timer.what.trigger
            engine.make_due(trigger)
            self._run(step, engine, trigger)
        elif isinstance(timer.what, DelayedLink):
            pump(fire_delayed(self, step, timer.what))  # type: ignore[arg-type] # the whole driver

    def _fire_alone(self, alarm: ThreadAlarm) -> None:
        """Fire one timer in the background."""
        try:
            self._in_turn(self._fire_unless_stopped, alarm)
        except Exception:
            _logger.exception("a timer of %s failed in the background", self.name)

    def _fire_unless_stopped(self, alarm: ThreadAlarm) -> None:
        if not alarm.is_stopped:
            self._fire_first(self.clock.now())


def _put_back(step: Step, error: BaseException) -> None:
    """Close a step that has failed, and undo it; what interrupts the wait for others inside it is raised instead."""
    interruption = _close_at_last(step)
    step.put_back(error)
    if interruption is not None:
        raise interruption from error


def _close_at_last(step: Step) -> BaseException | None:
    """Close a step that has failed, whatever interrupts the wait for others inside it; the interruption, if any."""
    interruption = None
    while True:
        try:
            if _once_idle(step.close):
                return interruption
        except BaseException as error:  # noqa: BLE001 - raised by the caller, when the step has been put back
            interruption = error


def _once_idle(attempt: Callable[..., bool]) -> bool:
    """Try something that needs an idle step; if a call is under way in another thread, wait for it and return False."""
    if attempt():
        return True
    idle = threading.Event()
    if attempt(idle.set):
        return True
    idle.wait()
    return False
