"""Steps of synchronous systems: in the thread of their caller, which waits for its turn."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import current_cancellation

from ._shared import LONGEST_PAUSE, SharedSteps
from ._step import Step, current_step

if TYPE_CHECKING:
    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.engine import MemberEngine

__all__ = ("BlockingSteps",)

_logger = logging.getLogger("statemachines_orchestrator")
_never = threading.Event()
"""Waiting for it pauses a thread."""


class BlockingSteps(SharedSteps):
    """How a synchronous system runs its steps."""

    def _step_in_turn(self, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        step = self._new_step()
        result = self._in_turn(step, self._run, engine, trigger)
        return self._wait_for_delayed(step, trigger, result) if step.later else result

    def _begin_in_turn(self) -> None:
        step = self._new_step()
        self._in_turn(step, self._begin)
        self._has_begun = True
        self._wait_for_delayed(step, None, None)

    def _in_turn(self, step: Step, work: Any, *arguments: Any) -> Any:
        if not self._turns.enter(current_cancellation()):
            return None  # an invoke handler whose state was left while it waited
        try:
            if self._forsaken:
                self._run_forsaken()
            result = self._as_step(step, work, *arguments)
            step.later = self._claim(step)
        except BaseException:
            self._forsake(self._claim(step))
            raise
        finally:
            self._turns.leave()
        return result

    def _as_step(self, step: Step, work: Any, *arguments: Any) -> Any:
        token = current_step.set(step)
        try:
            result = work(step, *arguments)
            self._settle(step)
        except BaseException as error:
            interruption = _close_at_last(step)
            step.put_back(error)
            if interruption is not None:
                raise interruption from error
            raise
        finally:
            current_step.reset(token)
        return result

    def _run(self, step: Step, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        try:
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
            return engine.drive()
        except TransitionNotAllowed as refusal:
            self._explain(refusal, engine)
            raise

    def _begin(self, step: Step) -> None:
        for engine in self.engines:
            if engine.is_held:
                with self._starting(engine):
                    self._run(step, engine, None)

    def _settle(self, step: Step) -> None:
        while True:
            self._take_strays(step)
            engine = step.next_with_work()
            if engine is not None:
                engine.drive()
            elif _close(step):
                return

    # -- delayed events ------------------------------------------------------------------------------------

    def _wait_for_delayed(self, step: Step, own: TriggerData | None, result: Any) -> Any:
        """
        Deliver the delayed events that a step has left, each as a step of its own; others take turns meanwhile.

        Args:
            step: The step.
            own: The event that the caller sent. If it was delayed itself, the caller gets its result.
            result: What the caller gets otherwise.
        """
        mine = step.later
        cancelled = current_cancellation()
        try:
            while (found := self._next_of(mine)) is not None:
                engine, trigger, seconds = found
                if cancelled is not None and cancelled.is_set():
                    return result  # an invoke handler whose state was left: it cannot wait here, it is waited for
                if seconds > 0:
                    _never.wait(min(seconds, LONGEST_PAUSE))
                    continue
                later = self._new_step()
                try:
                    outcome = self._in_turn(later, self._run_delayed, engine, trigger)
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

    def _run_delayed(self, step: Step, engine: MemberEngine, trigger: TriggerData) -> Any:
        # Taken out before the step remembers the rest: if it fails, the event has happened and is not tried again.
        return self._run(step, engine, trigger) if self._is_wanted(engine, trigger) else None

    def _run_forsaken(self) -> None:
        """Deliver overdue events whose caller has stopped waiting; what they raise reaches nobody but the log."""
        due = self._overdue()
        for number, (engine, trigger) in enumerate(due, 1):
            step = self._new_step()
            try:
                self._as_step(step, self._run_delayed, engine, trigger)
            except Exception:
                _logger.exception("a delayed event of %s failed, and nobody waits for it", engine.member)
            except BaseException:
                self._forsake(due[number:])
                raise
            self._forsake(self._claim(step))


def _close_at_last(step: Step) -> BaseException | None:
    """Close a step that has failed, whatever interrupts the wait for others inside it; the interruption, if any."""
    interruption = None
    while True:
        try:
            if _close(step):
                return interruption
        except BaseException as error:  # noqa: BLE001 - raised by the caller, when the step has been put back
            interruption = error


def _close(step: Step) -> bool:
    """Close the step; if a call inside it is under way in another thread, wait for it and return False."""
    if step.close():
        return True
    idle = threading.Event()
    if step.close(idle.set):
        return True
    idle.wait()
    return False
