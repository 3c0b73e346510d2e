"""Steps of synchronous systems: in the thread of their caller, which waits for its turn."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import current_cancellation

from ._shared import LONGEST_PAUSE, SharedSteps, first_due
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
        self._wait_for_delayed(step)
        return result

    def _begin_in_turn(self) -> None:
        step = self._new_step()
        self._in_turn(step, self._begin)
        self._has_begun = True
        self._wait_for_delayed(step)

    def _in_turn(self, step: Step, work: Any, *arguments: Any) -> Any:
        if not self._turns.enter(current_cancellation()):
            return None  # an invoke handler whose state was left while it waited
        try:
            if self._forsaken:
                self._run_forsaken()
            return self._as_step(step, work, *arguments)
        finally:
            self._turns.leave()

    def _as_step(self, step: Step, work: Any, *arguments: Any) -> Any:
        token = current_step.set(step)
        try:
            result = work(step, *arguments)
            self._settle(step)
        except BaseException:
            while not _close(step):
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
            elif _close(step):
                return

    # -- delayed events ------------------------------------------------------------------------------------

    def _wait_for_delayed(self, step: Step) -> None:
        """Deliver the delayed events of the machines that the step has run; others take turns meanwhile."""
        engines = set(step.touched)
        try:
            while (found := first_due(engines)) is not None:
                engine, seconds = found
                if seconds > 0:
                    _never.wait(min(seconds, LONGEST_PAUSE))
                else:
                    later = self._new_step()
                    self._in_turn(later, self._run_due, engine)
                    engines.update(later.touched)
        except BaseException:
            self._forsaken.update(engines)
            raise

    def _run_due(self, step: Step, engine: MemberEngine) -> Any:
        # Taken out before the step remembers the queue: if it fails, the event has happened and is not tried again.
        trigger = engine.take_due()
        return None if trigger is None else self._run(step, engine, trigger)

    def _run_forsaken(self) -> None:
        """Deliver overdue events whose caller has stopped waiting; what they raise reaches nobody but the log."""
        for engine in tuple(self._forsaken):
            while engine.next_delay == 0:
                try:
                    self._as_step(self._new_step(), self._run_due, engine)
                except Exception:
                    _logger.exception("a delayed event of %s failed, and nobody waits for it", engine.member)
            if engine.next_delay is None:
                self._forsaken.discard(engine)


def _close(step: Step) -> bool:
    """Close the step; if a call inside it is under way in another thread, wait for it and return False."""
    if step.close():
        return True
    idle = threading.Event()
    if step.close(idle.set):
        return True
    idle.wait()
    return False
