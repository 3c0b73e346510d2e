"""Who runs what and when: calls from outside take turns, calls from inside run at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakMethod, finalize

from statemachine.utils import run_async_from_sync

from statemachines_orchestrator.exceptions import StepRunningError

from ._alarms import ThreadAlarm
from ._awaited import AwaitedSteps
from ._blocking import ELSEWHERE
from ._calls import EventCall, Starter
from ._joints import joint_call
from ._scope import Scope
from ._step import current_step
from ._turns import running_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from statemachine import Event, StateChart
    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.declare import JointEvent, Keywords
    from statemachines_orchestrator.engine import MemberEngine

    from ._clock import Clock
    from ._records import Inspection
    from ._shared import Observer
    from ._step import Step

__all__ = ("Driver", "place")

T = TypeVar("T")


class Driver(AwaitedSteps):
    """Runs the steps of one system, one at a time."""

    observers: tuple[Observer, ...]

    def __init__(self, orchestrator: object, clock: Clock, settings: Keywords) -> None:
        super().__init__(orchestrator, clock, settings)
        clock.attach(self)

    def alone(self, inner: Scope) -> Driver:
        """Return a driver of its own for an orchestrator that was made as a part of this system."""
        driver = Driver(inner.orchestrator, inner.clock, inner.orchestrator.__declaration__.keywords)
        driver.root = inner
        for engine in inner.engines():
            driver.added(engine)
        return driver

    @property
    def is_in_use(self) -> bool:
        """Whether the system is in a `with` block."""
        return self._users > 0

    def call_jointly(self, scope: Scope, event: JointEvent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Let a joint event happen: at once if the caller belongs to the running step, else in its turn."""
        running = self._running_step()
        if running is not None and running.enter():
            try:
                if not self.is_async:
                    return self._run_jointly(running, joint_call(scope, event, args, kwargs, None))
                return self._jointly_inside(running, joint_call(scope, event, args, kwargs, None))
            finally:
                running.leave()
        step = self._new_step()
        step.about = None, event.name
        if self.is_async:
            # As an event's own call: an awaitable in an event loop, without one the results.
            work = self._joint_async, scope, event, args, kwargs
            return run_async_from_sync(self._call(self._work_in_turn_async, step, *work))
        done = self._in_turn(self._joint_here, step, scope, event, args, kwargs)
        return scope.driver.call_jointly(scope, event, args, kwargs) if done is ELSEWHERE else done

    def _joint_here(self, step: Step, scope: Scope, *arguments: Any) -> Any:
        return self._as_step(step, self._joint, scope, *arguments) if scope.driver is self else ELSEWHERE

    def _joint(self, step: Step, scope: Scope, event: JointEvent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._run_jointly(step, joint_call(scope, event, args, kwargs, None))

    async def _joint_async(
        self, step: Step, scope: Scope, event: JointEvent, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return await self._run_jointly_async(step, joint_call(scope, event, args, kwargs, None))

    def change_members(self, scope: Scope, change: Callable[[Step], Any]) -> Any:
        """Add or remove a member: as a part of the running step, or as a step; what `change` returns."""
        running = self._running_step()
        if running is not None and running.enter():
            try:
                return change(running)
            finally:
                running.leave()
        step = self._new_step()
        if not self._has_begun:
            return self._change_before_start(step, change)
        if self.is_async:
            return self._change_async(step, change)
        changed = self._in_turn(self._change, step, scope, change)
        return scope.driver.change_members(scope, change) if changed is ELSEWHERE else changed

    def _change(self, step: Step, scope: Scope, change: Callable[[Step], Any]) -> Any:
        return self._as_step(step, change) if scope.driver is self else ELSEWHERE

    def _change_before_start(self, step: Step, change: Callable[[Step], Any]) -> Any:
        """Add or remove a member of a system in which no machine has started; all of them begin together."""
        try:
            return change(step)
        except BaseException as error:
            step.put_back(error)
            raise
        finally:
            self._tidy(step)

    def _change_async(self, step: Step, change: Callable[[Step], Any]) -> Any:
        """Add or remove a member at once; what follows from it happens when the turn of the step comes."""
        call = self._call(self._work_in_turn_async, step, _nothing_more)
        try:
            result = change(step)
        except BaseException as error:
            call.forget_starter()
            step.put_back(error)
            raise
        if running_loop() is None:
            run_async_from_sync(call)
        return result

    def in_running_step(self) -> bool:
        """Whether the calling code belongs to a step of this system that is still running."""
        return self._running_step() is not None

    def deliver(self, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """Run an event of `engine`: at once if the caller belongs to the running step, else in its turn."""
        step = current_step.get()
        if step is not None:
            step = self._running_step()
        if step is not None and step.enter():
            try:
                if self.is_async:
                    return self._nested_async(step, engine, trigger)
                return self._run(step, engine, trigger)
            finally:
                step.leave()
        if self.is_async:
            return self._call(self._step_in_turn_async, engine, trigger)
        return self._step_in_turn(engine, trigger)

    def activate(self) -> EventCall:
        """Enter the initial states that are still to come; to be awaited."""
        if not self.is_async:
            return EventCall.finished(None)
        step = self._running_step()
        if step is not None:
            return EventCall(self._begin_async, step)
        call = self._call(self._in_turn_async)
        return call if running_loop() is not None else EventCall.finished(run_async_from_sync(call))

    def begin(self) -> None:
        """Enter the initial states of a synchronous system, as one step."""
        if not self._has_begun:
            self._begin_in_turn()

    def changing_data(self, values: MutableMapping[str, Any], name: str) -> None:
        """Tell the running step, if the caller belongs to one, that a declared datum is about to be rebound."""
        step = self._running_step()
        if step is not None:
            step.touch_data(values, name)

    def inspect(self, observer: Observer) -> Callable[[], None]:
        """Let an observer hear what happens; a function that ends it."""
        entry = _Listening(observer)
        self.observers = (*self.observers, entry)

        def stop() -> None:
            for driver in (self, self.root.driver):  # another one if it has become a part of another system
                driver.observers = tuple(one for one in driver.observers if one is not entry)

        return stop

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
            raise StepRunningError(self.name, doing)
        if not self.is_async:
            self._turns.enter()
        try:
            yield
        finally:
            self._turns.leave()

    def ask(self, machines: list[StateChart[Any]], conclude: Callable[[list[list[Event]]], T]) -> Any:
        """
        Ask machines for their enabled events, in a step of its own: guards may look at every sibling.

        Args:
            machines: Who is asked.
            conclude: Makes the answer of the events of each machine, in order; in that step, too.

        Returns:
            The answer; in an asynchronous system an awaitable of it.
        """

        def ask(_step: Step | None = None) -> T:
            return conclude([machine.enabled_events() for machine in machines])

        async def ask_async(_step: Step | None = None) -> T:
            return conclude(await _enabled_async(machines))

        inside = self._running_step() is not None
        if not self.is_async:
            return ask() if inside else self._in_turn(self._as_step, self._new_step(), ask)
        if inside:
            return EventCall(ask_async)
        # As a machine's own calls: an awaitable in an event loop, without one the answer.
        return run_async_from_sync(self._call(self._work_in_turn_async, self._new_step(), ask_async))

    # -- time ----------------------------------------------------------------------------------------------

    @property
    def next_due(self) -> float | None:
        """When the next timer is due, on the clock."""
        return self.timers.next_due

    def run_due(self) -> Any:
        """
        Fire the timers that are due, each as a step of its own.

        Returns:
            How many; in an asynchronous system an awaitable of it.
        """
        self.refuse_inside("fire timers")
        now = self.clock.now()
        if not self.is_async:
            return self._fire_all(now)
        call = EventCall(self._fire_all_async, now)
        loop = running_loop()
        if loop is not None:
            call.start_with(Starter(loop))
        return run_async_from_sync(call)

    def fire_due(self, now: float) -> Any:
        """Fire the first timer that is due at `now`, for a clock that does so itself; whether there was one."""
        if self.is_async:
            return self._call(self._fire_due_async, now)
        return bool(self._in_turn(self._fire_first, now))

    def start_firing(self) -> None:
        """Begin to fire timers in the background of a synchronous system."""
        owner = self.name
        if self.is_async:
            msg = f"{owner} is asynchronous, and its timers are fired by the event loop: write 'async with' instead"
            raise TypeError(msg)
        self.refuse_inside("start a background thread")
        with self._users_mutex:
            if not self._users and not self.clock.drives_systems:
                ring = _weakly(WeakMethod(self._fire_alone))
                self._thread_alarm = ThreadAlarm(f"timers of {owner}", self.clock.now, ring, self.timers)
                # The thread does not keep a system that waits for nothing, and ends with it.
                self._end_of_alarm = finalize(self, self._thread_alarm.stop, join=False)
            self._users += 1

    def stop_firing(self) -> None:
        """Fire no more timers in the background."""
        with self._users_mutex:
            self._users -= 1
            alarm = self._thread_alarm
            if self._users or alarm is None:
                return
            self._thread_alarm = None
            self._end_of_alarm.detach()
        # In a step the thread may stand in line for the turn that this very step has; it will fire nothing.
        alarm.stop(join=not self.in_running_step())

    def start_firing_async(self) -> None:
        """Count who uses an asynchronous system, whose timers the event loop fires."""
        self._users += 1

    async def stop_firing_async(self) -> None:
        """Let the event loop fire no more timers, until the system is used again."""
        self._users -= 1
        if self._users or self._loop_alarm is None:
            return
        self._loop_alarm.clear()
        if self._is_firing and not self.in_running_step():
            await self._call(self._in_turn_async)  # it has the turn, and leaves it when it is done
            self._loop_alarm.clear()

    def refuse_inside(self, doing: str) -> None:
        """Raise an error if the caller belongs to the running step."""
        if self.in_running_step():
            raise StepRunningError(self.name, doing)


def place(orchestrator: Any, clock: Clock, outer: Driver | None) -> Scope:
    """Give an orchestrator its place: in the system that it is being made for, or in one of its own."""
    declaration = type(orchestrator).__declaration__
    driver = outer or Driver(orchestrator, clock, declaration.keywords)
    scope = vars(orchestrator)["_system"] = Scope(orchestrator, declaration.parameter, driver, clock)
    if outer is None:
        driver.root = scope
    return scope


def _weakly(method: WeakMethod[Callable[[ThreadAlarm], object]]) -> Callable[[ThreadAlarm], object]:
    """Call a method as long as there is somebody to have it."""

    def call(alarm: ThreadAlarm) -> object:
        found = method()
        return None if found is None else found(alarm)

    return call


class _Listening:
    """An observer that listens; the same one may do so twice."""

    __slots__ = ("_observer",)

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def __call__(self, record: Inspection) -> None:
        self._observer(record)

    def __repr__(self) -> str:
        return repr(self._observer)


async def _nothing_more(_step: Step) -> None:
    """Stand in for the work of a step whose work has been done."""


async def _enabled_async(machines: list[StateChart[Any]]) -> list[list[Event]]:
    found: list[list[Event]] = []
    for machine in machines:
        events = machine.enabled_events()
        found.append(events if isinstance(events, list) else await events)
    return found
