"""What synchronous and asynchronous steps have in common."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from statemachines_orchestrator.engine import (
    INITIAL_EVENT,
    AsyncMemberEngine,
    MemberEngine,
    release,
    take_strays,
)
from statemachines_orchestrator.exceptions import LinkLoopError, OrchestratorError

from ._configuration import configuration_of
from ._joints import joint_from, joints_of, reason_of, shared_event
from ._records import EventRefused, Moved, StepEnded, StepStarted, TimerChanged
from ._rest import DelayedLink, Membership, Move
from ._step import Step, current_step
from ._timers import Timer, TimerQueue
from ._turns import Turns, running_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from statemachine.event_data import TriggerData
    from statemachine.exceptions import TransitionNotAllowed

    from statemachines_orchestrator.declare import Keywords

    from ._alarms import LoopAlarm, ThreadAlarm
    from ._clock import Clock
    from ._effects import Sending
    from ._joints import Joint
    from ._records import Inspection
    from ._scope import Scope

    Observer: TypeAlias = Callable[[Inspection], object]

__all__ = ("DelayedEvent", "SharedSteps", "about")

_logger = logging.getLogger("statemachines_orchestrator")


@dataclass(frozen=True, slots=True, eq=False)
class DelayedEvent:
    """What a timer is for: an event of a member."""

    engine: MemberEngine
    trigger: TriggerData

    def __str__(self) -> str:
        return f"the delayed event {self.engine.address}.{self.trigger.event}"


class SharedSteps:
    """The state of one orchestrator's driver."""

    def __init__(self, orchestrator: object, clock: Clock, settings: Keywords) -> None:
        self.orchestrator: object = orchestrator
        """The outermost orchestrator."""
        self.root: Scope
        """Its place; set when it takes the driver."""
        self.atomic: bool = settings.atomic
        self.max_deliveries: int = settings.max_deliveries
        self.is_async: bool = False
        self.has_rested: bool = False
        """Whether conditions have been asked for the first time."""
        self.conditional: list[Scope] = []
        """The orchestrators with links that wait for conditions, the innermost first."""
        self.hears_all: bool = False
        """Whether some condition may depend on any machine, because it is a function."""
        self.held: list[Sending] = []
        """Events of links that were refused and are kept, in the order in which they were held."""
        self.observers: tuple[Observer, ...] = ()
        self._unstarted: list[MemberEngine] = []
        """Members of a restored system that have not entered their initial state, or have something to invoke again."""
        self._steps = 0
        self._has_begun = False
        self._turns = Turns()
        self.clock: Clock = clock
        self.timers: TimerQueue = TimerQueue()
        self._users = 0
        """How many `with` blocks the system is in."""
        self._users_mutex = threading.Lock()
        self._thread_alarm: ThreadAlarm | None = None
        self._loop_alarm: LoopAlarm | None = None
        self._turn_loop: asyncio.AbstractEventLoop | None = None
        """The event loop of whoever has the turn; None if that will not go on."""
        self._is_firing = False
        """Whether the loop alarm is firing a timer."""

    @property
    def name(self) -> str:
        """The class of the outermost orchestrator, for messages."""
        return type(self.orchestrator).__name__

    @property
    def engines(self) -> list[MemberEngine]:
        """The engines of all members, in declared order."""
        return list(self.root.engines())

    def added(self, engine: MemberEngine) -> None:
        """Hear of a member; one asynchronous member makes the system asynchronous."""
        self.is_async = self.is_async or isinstance(engine, AsyncMemberEngine)

    def rules_changed(self) -> None:
        """Hear that an orchestrator has become a part of the system, with its rules."""
        scopes = list(self.root.tree())
        conditional = [scope for scope in scopes if scope.wiring.conditions]
        self.conditional = sorted(conditional, key=lambda scope: -len(scope.path))
        self.hears_all = any(scope.wiring.unbounded for scope in conditional)

    def _new_step(self) -> Step:
        # Not a step that has ended: tasks and invocations that go on for ever would chain all their steps together.
        outer = current_step.get()
        if outer is None:
            return Step(self, None, atomic=self.atomic)
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
        if not step.is_plain:
            for engine in step.leaving:
                release(engine.sm)
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
        if self.observers:
            self.tell_timer("set", timer)
        return timer

    def cancel_timer(self, timer: Timer) -> None:
        """Let a timer not fire; undone with the step that the caller belongs to."""
        self.undo(partial(self.timers.restore, timer))
        self.timers.cancel(timer)
        if self.observers:
            self.tell_timer("cancelled", timer)

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
            error.add_note(f"while {self.name} fired {timer.what}, due at {timer.due:g}")
            raise

    # -- what machines do ----------------------------------------------------------------------------------

    def moved(
        self, engine: MemberEngine, trigger: TriggerData, left: tuple[str, ...], entered: tuple[str, ...]
    ) -> None:
        """Remember until the next rest what a machine has done."""
        step = self._running_step()
        if step is None:
            return  # a task that goes on after its step has been put back
        step.moves.append(Move(engine, trigger, left, entered, step.cause))
        if self.observers:
            event = str(trigger.event) if trigger.event is not None and trigger.event != INITIAL_EVENT else None
            self.tell(Moved, step, engine.address, event, left, entered, step.cause and step.cause.name)

    def has_left(self, engine: MemberEngine) -> bool:
        """Whether a machine is no member of this system any more."""
        host = getattr(engine, "host", None)  # one that was released is a stock engine
        return host is None or host.driver is not self

    def joint_of(self, engine: MemberEngine, trigger: TriggerData) -> Joint | None:
        """
        Return the joint event that an event is which was called alone.

        Raises:
            SharedEventError: It belongs to several joint events.
        """
        if not self.is_part(engine, trigger):
            return None
        event = str(trigger.event)
        joints = joints_of(engine, event)
        shared = shared_event(engine, event, joints)
        if shared is not None:
            raise shared
        return joint_from(engine, trigger, *joints[0])

    @staticmethod
    def is_part(engine: MemberEngine, trigger: TriggerData) -> bool:
        """Whether an event that was called alone happens only through a joint event."""
        if not engine.is_joint or engine.is_chosen(trigger) or engine.is_for_later(trigger):
            return False
        return bool(joints_of(engine, str(trigger.event)))

    def take_over(self, engine: MemberEngine, trigger: TriggerData) -> bool:
        """Queue the joint event that an event is which the machine sends itself."""
        step = self._running_step()
        joint = self.joint_of(engine, trigger)
        if step is None or joint is None:
            return False
        step.joints.append((joint, step.cause))
        return True

    @staticmethod
    def _has_queued(step: Step, joint: Joint) -> bool:
        """Queue a joint event if one of its machines is busy; whether that was so."""
        if not any(engine.is_busy for engine, _ in joint.parts):
            return False
        step.joints.append((joint, step.cause))
        return True

    def count_message(self) -> None:
        """
        Count an event that one machine of the running step sends to another.

        Raises:
            LinkLoopError: There have been too many.
        """
        step = self._running_step()
        if step is not None:
            step.deliveries += 1
            if step.deliveries > self.max_deliveries:
                raise LinkLoopError(self.name, step.deliveries - 1, [])

    def hold(self, step: Step, held: Sending) -> None:
        """Keep an event that was refused."""
        step.undo(partial(self._forget_held, held))
        self.held.append(held)

    def let_go(self, step: Step, held: Sending) -> None:
        """Forget an event that was kept."""
        place = self.held.index(held)
        step.undo(partial(self._hold_again, held, place))
        del self.held[place]

    def _forget_held(self, held: Sending) -> None:
        if held in self.held:
            self.held.remove(held)

    def _hold_again(self, held: Sending, place: int) -> None:
        if held not in self.held:
            self.held.insert(place, held)

    def removed(self, step: Step, engine: MemberEngine) -> None:
        """Take a machine out of the system, with what waits for it; it is released at the end of the step."""
        for timer in (*self.timers.filed(engine), *self.timers.filed(("about", id(engine.sm)))):
            self.cancel_timer(timer)
        if any(held.is_for(engine) for held in self.held):
            step.undo(partial(setattr, self, "held", list(self.held)))
            self.held = [held for held in self.held if not held.is_for(engine)]
        step.leaving.append(engine)
        step.moves.append(Membership(engine))

    def start_later(self, engine: MemberEngine) -> None:
        """Let a restored member enter its initial state, or invoke again what a snapshot says, in the next step."""
        if engine.is_held or engine.to_invoke:
            self._unstarted.append(engine)

    def next_unstarted(self) -> MemberEngine | None:
        """Return a member that has not entered its initial state, or has something to invoke again."""
        while self._unstarted:
            engine = self._unstarted.pop(0)
            if self.has_left(engine):
                continue
            if engine.to_invoke:
                self.undo(partial(self._invoke_later, engine, engine.to_invoke))
                engine.invoke_again()
                return engine
            if engine.is_held:
                return engine
        return None

    def _invoke_later(self, engine: MemberEngine, to_invoke: Any) -> None:
        engine.to_invoke = to_invoke
        self.start_later(engine)

    def resume(self, *, rested: bool, held: list[Sending]) -> None:
        """Go on where a snapshot was taken; what is to be started is started in the first step."""
        self.has_rested = rested
        self.held = held
        for engine in self.engines:
            self.start_later(engine)
        # A member that is added before the first step enters its initial state at once, as ever; an asynchronous
        # system that still has something to start does so when it is activated.
        self._has_begun = not (self.is_async and self._unstarted)

    # -- observers -----------------------------------------------------------------------------------------

    def tell(self, kind: type[Any], step: Step, *values: Any) -> None:
        """Tell observers; one that fails is logged and dropped, and the step goes on."""
        if not self.observers:
            return
        record = kind(step.number, *values)
        for observer in self.observers:
            try:
                observer(record)
            except Exception:
                _logger.exception("an observer of %s failed and hears no more: %r", self.name, observer)
                self.observers = tuple(one for one in self.observers if one is not observer)

    def tell_start(self, step: Step) -> None:
        """Tell observers that a step begins."""
        self._steps += 1
        step.number = self._steps
        self.tell(StepStarted, step, self.clock.now(), *(step.about or (None, None)))

    def tell_end(self, step: Step, failure: BaseException | None) -> None:
        """Tell observers that a step has ended, and where the machines are that took part."""
        parts = {engine.address: engine.sm for engine in step.touched}
        error = None if failure is None else f"{type(failure).__name__}: {failure}"
        now = self.clock.now()
        self.tell(StepEnded, step, now, repr(configuration_of(parts)), error, failure is not None and self.atomic)

    def tell_timer(self, change: str, timer: Timer) -> None:
        """Tell observers of a timer."""
        step = self._running_step()
        what = timer.what
        if step is None or not isinstance(what, DelayedEvent | DelayedLink):
            return
        values: tuple[str, str | None, str | None]
        if isinstance(what, DelayedEvent):
            values = (what.engine.address, str(what.trigger.event), None)
        else:
            values = (what.occurrence.address, None, f"{what.link.owner}.{what.link.name}")
        self.tell(TimerChanged, step, change, timer.due, *values)

    def tell_refusal(self, engine: MemberEngine, trigger: TriggerData) -> None:
        """Tell observers that a machine has refused an event."""
        step = self._running_step()
        if step is not None:
            cause = step.cause and step.cause.name
            self.tell(EventRefused, step, engine.address, str(trigger.event), reason_of(engine, trigger), cause)

    # -- refusals ------------------------------------------------------------------------------------------

    def _take_strays(self, step: Step) -> None:
        for engine, trigger in take_strays(self):
            joint = self.joint_of(engine, trigger)
            if joint is not None:
                step.joints.append((joint, step.cause))
                continue
            step.touch(engine)
            engine.enqueue(trigger)

    @contextmanager
    def starting(self, engine: MemberEngine) -> Iterator[None]:
        """Note on whatever fails in an initial entry which member it was."""
        try:
            yield
        except Exception as error:
            error.add_note(f"while {self.name}.{engine.address} entered its initial state")
            raise

    def _explain(self, refusal: TransitionNotAllowed, engine: MemberEngine) -> None:
        """Note on a refusal who refused, where that machine was, and what was possible there."""
        if getattr(refusal, "__notes__", None) or isinstance(refusal, OrchestratorError):
            return  # it was refused further inside, or says it all
        active = tuple(engine.sm.configuration)
        place = "+".join(state.id for state in active if state.is_atomic)
        # Not `allowed_events`, which looks each event up as an attribute and fails on ids with dots.
        allowed = dict.fromkeys(str(event) for state in active for event in state.transitions.unique_events)
        refusal.add_note(
            f"refused by {self.name}.{engine.address} in {place}, "
            f"where it has transitions for: {', '.join(allowed) or 'nothing'}"
        )


def _is_interruption(error: BaseException) -> bool:
    """Whether somebody stopped the step from outside, and not its own code."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task() if running_loop() is not None else None
        return task is not None and task.cancelling() > 0
    return isinstance(error, KeyboardInterrupt | GeneratorExit)


def about(engine: MemberEngine, trigger: TriggerData | None) -> tuple[str, str] | None:
    """Say for observers what a step is for."""
    return None if trigger is None else (engine.address, str(trigger.event))
