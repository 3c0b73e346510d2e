"""What synchronous and asynchronous steps have in common."""

from __future__ import annotations

import asyncio
import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from statemachines_orchestrator.engine import AsyncMemberEngine, MemberEngine, take_strays

from ._step import Step, current_step
from ._timers import Timer, TimerQueue
from ._turns import Turns, running_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from statemachine.event_data import TriggerData
    from statemachine.exceptions import TransitionNotAllowed

    from ._alarms import LoopAlarm, ThreadAlarm
    from ._clock import Clock

__all__ = ("DelayedEvent", "SharedSteps")


@dataclass(frozen=True, slots=True, eq=False)
class DelayedEvent:
    """What a timer is for: an event of a member."""

    engine: MemberEngine
    trigger: TriggerData

    def __str__(self) -> str:
        return f"the delayed event {self.engine.member}.{self.trigger.event}"


class SharedSteps:
    """The state of one orchestrator's driver."""

    def __init__(self, orchestrator: object, parameter: str, clock: Clock, *, atomic: bool) -> None:
        self.orchestrator = orchestrator
        self.parameter = parameter
        self.atomic = atomic
        self.is_async: bool = False
        self.engines: list[MemberEngine] = []
        self._has_begun = False
        self._turns = Turns()
        self.clock = clock
        self.timers = TimerQueue()
        self._users = 0
        """How many `with` blocks the system is in."""
        self._users_mutex = threading.Lock()
        self._thread_alarm: ThreadAlarm | None = None
        self._loop_alarm: LoopAlarm | None = None
        self._turn_loop: asyncio.AbstractEventLoop | None = None
        """The event loop of whoever has the turn; None if that will not go on."""
        self._is_firing = False
        """Whether the loop alarm is firing a timer."""

    def add(self, name: str, engine: MemberEngine) -> None:
        """Take a member's engine in; one asynchronous member makes the system asynchronous."""
        engine.member = name
        self.engines.append(engine)
        self.is_async = self.is_async or isinstance(engine, AsyncMemberEngine)

    def _new_step(self) -> Step:
        # Not a step that has ended: tasks and invocations that go on for ever would chain all their steps together.
        outer = current_step.get()
        while outer is not None and not outer.running:
            outer = outer.outer
        return Step(self, outer, atomic=self.atomic)

    def _running_step(self) -> Step | None:
        step = current_step.get()
        while step is not None:
            if step.owner is self and step.running:
                return step
            step = step.outer
        return None

    def _tidy(self, step: Step) -> None:
        """Do what is left to do at the end of a step, failed or not, in its turn."""
        if self.timers:
            self._forget_ended(step)
        step.forget()

    def _forget_ended(self, step: Step) -> None:
        """Forget the delayed events of machines that have ended, as python-statemachine does."""
        for engine in step.touched:
            if not engine.running:
                for timer in self.timers.filed(engine):
                    self.timers.cancel(timer)

    # -- timers --------------------------------------------------------------------------------------------

    def set_timer(self, seconds: float, what: object, *keys: Hashable) -> Timer:
        """
        Make something happen later; undone with the step that the caller belongs to.

        Args:
            seconds: How much later.
            what: What is to happen, see `_fire`.
            *keys: What the timer can be found by.

        Raises:
            ValueError: The number of seconds is not finite.
        """
        if not math.isfinite(seconds):
            msg = f"a delay of {seconds} is none that passes. Leave the event out, or use a long but finite delay"
            raise ValueError(msg)
        # To the nanosecond: three tenths are three times a tenth.
        timer = Timer(round(self.clock.now() + seconds, 9), what, keys)
        self.undo(partial(self.timers.cancel, timer))
        self.timers.add(timer)
        return timer

    def cancel_timer(self, timer: Timer) -> None:
        """Let a timer not fire; undone with the step that the caller belongs to."""
        self.undo(partial(self.timers.restore, timer))
        self.timers.cancel(timer)

    def undo(self, action: Callable[[], object]) -> None:
        """Have something done if the step that the caller belongs to fails."""
        step = self._running_step()
        if step is not None:
            step.undo(action)

    def delay(self, engine: MemberEngine, trigger: TriggerData, seconds: float) -> None:
        """Keep a delayed event until its time has come."""
        self.set_timer(seconds, DelayedEvent(engine, trigger), engine, (engine, trigger.send_id))

    def cancel_delayed(self, engine: MemberEngine, send_id: str) -> None:
        """Forget the delayed events with this id."""
        for timer in self.timers.filed((engine, send_id)):
            self.cancel_timer(timer)

    def take_delayed(self, engine: MemberEngine) -> list[tuple[TriggerData, float]]:
        """Give up all delayed events of a machine, and say in how many seconds each is due."""
        now, found = self.clock.now(), []
        for timer in self.timers.filed(engine):
            if isinstance(timer.what, DelayedEvent):
                self.timers.cancel(timer)
                found.append((timer.what.trigger, max(0.0, timer.due - now)))
        return found

    @property
    def next_timer(self) -> Timer | None:
        """The timer that is due first."""
        return self.timers.first

    @contextmanager
    def _firing(self, timer: Timer) -> Iterator[None]:
        """Note on whatever fails which timer it was; one whose step was interrupted and put back is still to come."""
        try:
            yield
        except BaseException as error:
            if self.atomic and _is_interruption(error):
                self.timers.add(timer)
            error.add_note(f"while {type(self.orchestrator).__name__} fired {timer.what}, due at {timer.due:g}")
            raise

    # -- refusals ------------------------------------------------------------------------------------------

    def _take_strays(self, step: Step) -> None:
        for engine, trigger in take_strays(self):  # type: ignore[arg-type] # the whole driver is the host
            step.touch(engine)
            engine.enqueue(trigger)

    @contextmanager
    def _starting(self, engine: MemberEngine) -> Iterator[None]:
        """Note on whatever fails in an initial entry which member it was."""
        try:
            yield
        except Exception as error:
            error.add_note(f"while {type(self.orchestrator).__name__}.{engine.member} entered its initial state")
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


def _is_interruption(error: BaseException) -> bool:
    """Whether somebody stopped the step from outside, and not its own code."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task() if running_loop() is not None else None
        return task is not None and task.cancelling() > 0
    return isinstance(error, KeyboardInterrupt | GeneratorExit)
