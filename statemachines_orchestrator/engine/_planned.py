"""
Engines that run by programs.

They stand on python-statemachine's engines, keep its queues, its locks and its invocations, and leave to it what no
program can do: callbacks that add listeners, and logging at debug level.
"""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from statemachine.engines import sync as stock
from statemachine.engines.base import _running_engine
from statemachine.engines.sync import SyncEngine
from statemachine.event import BoundEvent
from statemachine.exceptions import TransitionNotAllowed
from statemachine.orderedset import OrderedSet

from ._events import is_plain_call
from ._kind import programs_of
from ._light import LightEngine
from ._microstep import choose, enter, take, take_in_line, write
from ._programs import INITIAL_EVENT, OddProgram, Program, Programs
from ._registry import WatchedRegistry
from ._trigger import Trigger, as_trigger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statemachine import State, StateChart
    from statemachine.event_data import TriggerData
    from statemachine.invoke import InvokeManager
    from statemachine.transition import Transition

    from ._kind import Kind
    from ._programs import Choice

__all__ = ("INITIAL_EVENT", "PlannedEngine", "SyncPlannedEngine")

_logger = logging.getLogger("statemachine.engines.base")


class PlannedEngine(LightEngine):
    """What both engines have in common."""

    if TYPE_CHECKING:  # python-statemachine has them without annotations

        def clear(self) -> None: ...
        def _drop_external_events(self) -> None: ...
        def _check_root_final_state(self) -> None: ...
        def _initial_transitions(self, trigger_data: TriggerData | None) -> list[Transition]: ...

    events: Mapping[str, BoundEvent] = MappingProxyType({})
    """The events of the machine that somebody has asked for, see `KeptEvent`."""
    kind: Kind | None = None
    """What the machine was made from, if it has no callbacks but those of its class."""
    _has_own_callbacks: bool = False
    """Whether callbacks have been added to those with which the machine was made."""
    _programs: Programs | None = None
    _is_odd: bool = False
    _is_simple: bool = False
    """Whether the machine's events can take the shortest road; False until its programs are known."""
    alone: type[PlannedEngine] | None = None
    """What the engine is when its machine has left its orchestrator; None for python-statemachine's."""
    is_guarded: bool = False
    """Whether something outside the machine may forbid its events."""
    _chosen: tuple[TriggerData, Any] | None = None
    """The event that comes next, and the program that it was promised."""
    _is_unseen: bool = True
    """Whether nobody can see that a machine leaves its states before it enters others."""

    def __init__(self, sm: StateChart[Any], kind: Kind | None = None) -> None:
        super().__init__(sm)
        if kind is None:
            self._look_at_machine()
        else:
            self.kind = kind  # and the model is python-statemachine's

    def adopt(self) -> None:
        """Take over an engine of python-statemachine's, which has become one of ours."""
        self.lighten()
        self._look_at_machine()

    def _look_at_machine(self) -> None:
        WatchedRegistry.watch(self)
        self._is_unseen = self.sm.atomic_configuration_update or not _hears_writes(self.sm)

    @property
    def programs(self) -> Programs:
        """What the machine does, with the callbacks that it has now."""
        if self._programs is None:
            self._programs = self._find_programs()
            self._is_odd = self._programs.is_odd or _logger.isEnabledFor(logging.DEBUG)
            self._is_simple = self._is_unseen and not (self._is_odd or self._programs.has_eventless)
        return self._programs

    def _find_programs(self) -> Programs:
        kind = self.kind
        if self._has_own_callbacks:
            return Programs(self.sm)
        if kind is not None and kind.programs is not None and kind.goes_for(self.sm):
            return kind.programs
        return programs_of(self.sm)

    def forget_programs(self) -> None:
        """Hear that the machine has callbacks of its own from now on."""
        self._programs, self._is_simple, self._has_own_callbacks = None, False, True

    def look_again(self) -> None:
        """Hear that the machine has got another model, and another registry of callbacks with it."""
        self.kind = None
        self.forget_programs()
        self._look_at_machine()

    @property
    def is_terminated(self) -> bool:
        """Whether the machine has ended."""
        return not self.running

    def given(self, trigger: TriggerData) -> Mapping[str, Any]:
        """Return the keywords of an event as callbacks see them."""
        return trigger.kwargs

    def taking(self, program: Program, t: TriggerData | None) -> None:
        """Hear that the machine is about to leave where it is."""

    def took(self, program: Program, t: TriggerData) -> None:
        """Hear that the machine has entered what it enters."""

    def took_stock(self, trigger_data: TriggerData) -> None:
        """Hear that python-statemachine's own engine has entered what it enters."""

    def _initial_program(self, trigger_data: TriggerData) -> Program | None:
        """Return how the machine enters its initial states, if that is what it is about to do by a program."""
        if trigger_data.event is None or trigger_data.event != INITIAL_EVENT:
            return None
        programs, sm = self.programs, self.sm
        # A value that was written before the start makes of the initial entry something that no program does.
        if not self._is_odd and getattr(sm.model, sm.state_field, None) is None:
            initial: Program = programs.initial(sm)
            return initial
        self.for_stock(trigger_data)
        return None

    def for_stock(self, t: TriggerData) -> None:  # noqa: ARG002 - for who overrides it
        """Prepare an event for python-statemachine's own engine."""
        self.programs.statistics.stock += 1

    def _prepare(self, trigger_data: TriggerData) -> Trigger:
        return as_trigger(trigger_data, self.given(trigger_data))

    def _take_silently(self, program: Program, t: Trigger) -> None:
        self.taking(program, t)
        write(self, program.plan.after)
        self.took(program, t)

    # A machine may want to hear of macrosteps and events, and have put itself in the place of these methods.

    @staticmethod
    def _has_to_spawn(manager: InvokeManager) -> bool:
        return bool(manager._pending or manager._active or "spawn_pending_sync" in vars(manager))

    @staticmethod
    def _has_to_tell(manager: InvokeManager) -> bool:
        return bool(manager._active or "handle_external_event" in vars(manager))

    def _has_company(self) -> bool:
        """Whether somebody has a say in what happens, or something else is to be done."""
        return bool(
            "microstep" in self.__dict__
            or self.internal_queue.queue.queue
            or self._has_more_to_do
            or (self.invocations is not None and self.has_odd_manager)
        )

    @property
    def _has_more_to_do(self) -> bool:
        return (
            (self.invocations is not None and self.is_invoking)
            or not self.running
            or self._root_parallel_final_pending is not None
        )

    def _program_for(self, transitions: Sequence[Transition], trigger_data: TriggerData) -> Any:
        """Return what transitions do that somebody else has chosen."""
        sm, event = self.sm, trigger_data.event
        raw = getattr(sm.model, sm.state_field, None)
        choice = self.programs.choice(raw, None if event is None else event.id)
        return choice.program(transitions, sm.history_values)


class SyncPlannedEngine(PlannedEngine, SyncEngine):
    """For machines without asynchronous callbacks."""

    def start(self, **kwargs: Any) -> None:
        """Enter the initial states, unless the model says where the machine is."""
        if self.value is None:
            self.activate_initial_state(**kwargs)

    def find(self, trigger_data: TriggerData) -> Any:
        """Return what an event does where the machine is: a program, or None if it is refused."""
        return self._find(trigger_data)

    def _find(self, trigger_data: TriggerData) -> Any:
        programs = self.programs
        if self._is_odd:
            return self._find_stock(trigger_data, SyncEngine.select_transitions)
        sm = self.sm
        event = trigger_data.event
        choice = programs.choice(getattr(sm.model, sm.state_field, None), None if event is None else event.id)
        return choice.fixed if choice.is_fixed else choose(self, choice, self._prepare(trigger_data))

    def _find_stock(self, trigger_data: TriggerData, select: Any) -> Any:
        self.for_stock(trigger_data)
        self.clear_cache()  # here only: what has been prepared for the choice serves the microstep, too
        found = select(self, trigger_data)
        return OddProgram(tuple(found)) if found else None

    def find_eventless(self, trigger_data: TriggerData) -> Any:
        """Return what the machine does without an event: a program, or None."""
        if self._is_odd:
            return self._find_stock(trigger_data, SyncEngine.select_eventless_transitions)
        return self._find(trigger_data)

    def microstep(self, transitions: list[Transition], trigger_data: TriggerData) -> Any:
        """Take transitions; what the event's caller gets."""
        return self._take(self._program_for(transitions, trigger_data), trigger_data)

    def take(self, program: Any, trigger_data: TriggerData) -> Any:
        """Run a microstep; what the event's caller gets."""
        if "microstep" in vars(self):  # somebody stands around every microstep
            return vars(self)["microstep"](list(program.transitions), trigger_data)
        return self._take(program, trigger_data)

    def _take(self, program: Any, trigger_data: TriggerData) -> Any:
        if type(program) is OddProgram:
            self.for_stock(trigger_data)
            return SyncEngine.microstep(self, list(program.transitions), trigger_data)
        t = self._prepare(trigger_data)
        if program.is_silent and self._is_unseen and not self.is_invoking:
            self._take_silently(program, t)
            return None
        return take(self, program, t)

    def _run_macrostep(self) -> bool:
        took_events = False
        while True:
            program = None
            if self.programs.has_eventless:
                trigger: TriggerData = Trigger(self.sm, None, (), {})
                program = self.find_eventless(trigger)
            if program is None:
                if not self.internal_queue.queue.queue or self.internal_queue.is_empty():
                    return took_events
                trigger = self.internal_queue.pop()
                program = self.find(trigger)
            if program is not None:
                took_events = True
                self.take(program, trigger)  # pyright: ignore[reportPossiblyUnboundVariable] # it is bound where a program was found

    def _take_external_event(self, external_event: TriggerData) -> Any:
        manager = self.invocations
        if manager is not None and self._has_to_tell(manager):
            manager.handle_external_event(external_event)
        program = self.find(external_event)
        if program is None:
            if not self.sm.allow_event_without_transition:
                raise TransitionNotAllowed(external_event.event, self.sm.configuration)
            return self._sentinel
        try:
            return self.take(program, external_event)
        except Exception:
            self.clear()
            raise

    def processing_loop(self) -> Any:
        """Run what is queued; the result of the first event that a transition was found for."""
        first, is_first = None, True
        while True:
            if not self._processing.acquire(blocking=False):
                return first
            token = _running_engine.set(self)
            try:
                result = self._process()
            finally:
                _running_engine.reset(token)
                self._processing.release()
            if is_first:
                first, is_first = result, False
            # An event that another thread has put after the queue was found empty and before the lock was released
            # was nobody's: its sender had found the machine busy.
            if not self.running or not self._has_due():
                return first

    def fire(self, event: BoundEvent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Send an event that was called as a method; what its caller gets."""
        if not is_plain_call(event, kwargs) or not self.running or self.external_queue.queue.queue:
            return BoundEvent.__call__(event, *args, **kwargs)
        if not self._processing.acquire(blocking=False):
            return BoundEvent.__call__(event, *args, **kwargs)
        token = _running_engine.set(self)
        try:
            result = self._process_at_once(Trigger(self.sm, event, args, kwargs))
        finally:
            _running_engine.reset(token)
            self._processing.release()
        if self.external_queue.queue.queue and self.running and self._has_due():
            self.processing_loop()
        return result

    def _process_at_once(self, trigger: TriggerData) -> Any:
        """Process an event past the queue, which is empty, and whatever comes of it."""
        if not self._is_simple or self._has_company():
            return self._process_with_care(trigger)
        if self._chosen is not None:
            chosen, program = self._chosen
            if chosen is not trigger:
                return self._process_with_care(trigger)
            self._chosen = None
            return self._process_program(self._prepare(trigger), program)
        if self.is_guarded:
            return self._process_with_care(trigger)
        programs: Any = self._programs
        sm = self.sm
        choice = programs.choice(getattr(sm.model, sm.state_field, None), trigger.event.id)  # type: ignore[union-attr] # there is one
        return self._process_choice(trigger, choice)

    def _process_choice(self, trigger: TriggerData, choice: Choice) -> Any:
        """Process an event of a simple machine that nobody else has a say in."""
        prepared: Any = trigger
        if type(trigger) is Trigger:
            prepared.given = self.given(trigger)
        else:
            prepared = self._prepare(trigger)
        program = choice.fixed if choice.is_fixed else choose(self, choice, prepared)
        if program is not None:
            return self._process_program(prepared, program)
        self._refuse(trigger)
        if self.internal_queue.queue.queue:  # a condition that failed has become an event
            self._process()
        return None

    def _process_program(self, trigger: Trigger, program: Any) -> Any:
        """
        Process an event of which it is known what it does.

        One function on purpose: it is what nearly every event takes, and each call within it would cost as much again
        as a look at what it decides.
        """
        if program.is_silent:
            sm = self.sm
            self.taking(program, trigger)
            setattr(sm.model, sm.state_field, program.value if program.is_single else OrderedSet(program.plan.after))
            self.took(program, trigger)
            result = None
        else:
            try:
                result = (take_in_line if program.line is not None else take)(self, program, trigger)
            except Exception:
                self.clear()
                raise
        if (
            self.internal_queue.queue.queue
            or self.external_queue.queue.queue
            or not self.running
            or self._root_parallel_final_pending is not None
            or (self.invocations is not None and self.is_invoking)
        ):
            self._process()
        return result

    def _refuse(self, trigger: TriggerData) -> Any:
        """Say that no transition is enabled, if the class does; otherwise run what conditions have sent meanwhile."""
        if not self.sm.allow_event_without_transition:
            raise TransitionNotAllowed(trigger.event, self.sm.configuration)
        return self._process() if self.internal_queue.queue.queue or self.external_queue.queue.queue else None

    def _process_with_care(self, trigger: TriggerData) -> Any:
        if not self._is_settled:
            self._settle()
            if self.is_terminated:
                self.external_queue.put(trigger)
                self._drop_external_events()
                return None
        result = self._take_external_event(trigger)
        later = self._process() if not self._is_settled or self.external_queue.queue.queue else None
        return later if result is self._sentinel else result

    def _settle(self) -> None:
        try:
            self._run_macrostep()
            if self.invocations is not None:
                self.invocations.spawn_pending_sync()
        except Exception:
            self.clear()
            raise
        self._check_root_final_state()

    @property
    def _is_settled(self) -> bool:
        """Whether nothing is left to do but events from outside."""
        manager = self.invocations
        return (
            self.running
            and not self.programs.has_eventless
            and not self.internal_queue.queue.queue
            and self._root_parallel_final_pending is None
            and not (manager is not None and self._has_to_spawn(manager))
            and not self._is_odd
        )

    def _has_due(self) -> bool:
        heap = self.external_queue.queue.queue
        return bool(heap) and heap[0].execution_time <= stock.monotonic()  # type: ignore[attr-defined]

    def _process(self) -> Any:
        first = self._sentinel
        while self.running:
            try:
                took = self._run_macrostep()
                manager = self.invocations
                if manager is not None and self._has_to_spawn(manager):
                    manager.spawn_pending_sync()
            except Exception:
                self.clear()
                raise
            self._check_root_final_state()
            if self.is_terminated:
                break
            has_taken, first = self._take_due_external_event(first)  # type: ignore[no-untyped-call]
            if not (took or has_taken):
                break
        if not self.running:
            self._drop_external_events()
        return None if first is self._sentinel else first

    def activate_initial_state(self, **kwargs: Any) -> Any:
        """Enter the initial state, if that is still to come, and run what is queued."""
        if self.value is None:
            if self._start_unheard():
                return None
            trigger = BoundEvent(INITIAL_EVENT, _sm=self.sm).build_trigger(machine=self.sm, **kwargs)
            self._processing.acquire(blocking=False)
            token = _running_engine.set(self)
            try:
                self._start(trigger)
            finally:
                _running_engine.reset(token)
                self._processing.release()
        return self.processing_loop()

    def _start_unheard(self) -> bool:
        """Enter the initial states if that runs no callback and nobody hears of it; whether it was so."""
        programs = self.programs
        if not self._is_simple or self.external_queue.queue.queue or self._has_company():
            return False
        program = programs.initial(self.sm)
        if not program.is_silent or self._is_heard(program):
            return False
        self.taking(program, None)
        write(self, program.plan.after)
        return True

    def _is_heard(self, program: Program) -> bool:  # noqa: ARG002 - for who overrides it
        """Whether somebody hears that the machine enters its initial states."""
        return False

    def _start(self, trigger: TriggerData) -> None:
        program = self._initial_program(trigger)
        if program is not None:
            enter(self, program, self._prepare(trigger))
            return
        nothing: Any = OrderedSet()
        SyncEngine._enter_states(self, self._initial_transitions(trigger), trigger, nothing, nothing)
        self.took_stock(trigger)

    def _enter_states(
        self,
        enabled_transitions: list[Transition],
        trigger_data: TriggerData,
        states_to_exit: OrderedSet[State],
        previous_configuration: OrderedSet[State],
    ) -> Any:
        program = self._initial_program(trigger_data)
        if program is not None:
            return enter(self, program, self._prepare(trigger_data))
        result = SyncEngine._enter_states(
            self, enabled_transitions, trigger_data, states_to_exit, previous_configuration
        )
        self.took_stock(trigger_data)
        return result


def _hears_writes(machine: StateChart[Any]) -> bool:
    """Whether the model runs code when its field is written."""
    kind: Any = type(machine.model)
    return kind.__setattr__ is not object.__setattr__ or hasattr(getattr(kind, machine.state_field, None), "__set__")
