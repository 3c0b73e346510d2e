"""The engine that runs machines with asynchronous callbacks by programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachine.engines.async_ import AsyncEngine
from statemachine.event import BoundEvent
from statemachine.exceptions import TransitionNotAllowed

from ._light import Later
from ._microstep_async import choose_async, enter_async, take_async, take_in_line_async
from ._planned import PlannedEngine
from ._programs import INITIAL_EVENT, OddProgram
from ._trigger import Trigger

if TYPE_CHECKING:
    from statemachine import State
    from statemachine.event_data import TriggerData
    from statemachine.orderedset import OrderedSet
    from statemachine.transition import Transition


__all__ = ("AsyncPlannedEngine",)


class AsyncPlannedEngine(PlannedEngine, AsyncEngine):
    """For machines with at least one asynchronous callback."""

    def fire(self, event: BoundEvent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Send an event that was called as a method; an awaitable of what its caller gets."""
        return BoundEvent.__call__(event, *args, **kwargs)

    _lock_waiters: Any = Later(lambda _engine: set())

    def start(self, **kwargs: Any) -> None:
        """Queue the initial event, unless the model says where the machine is."""
        if self.value is None:
            BoundEvent(INITIAL_EVENT, _sm=self.sm).put(**kwargs)

    def find(self, trigger_data: TriggerData) -> Any:
        """Return, to be awaited, what an event does where the machine is: a program, or None if it is refused."""
        return self._find(trigger_data)

    async def _find(self, trigger_data: TriggerData) -> Any:
        programs, sm, event = self.programs, self.sm, trigger_data.event
        if self._is_odd:
            select = AsyncEngine.select_transitions if event is not None else AsyncEngine.select_eventless_transitions
            return await self._find_stock(trigger_data, select)
        choice = programs.choice(getattr(sm.model, sm.state_field, None), None if event is None else event.id)
        return choice.fixed if choice.is_fixed else await choose_async(self, choice, self._prepare(trigger_data))

    async def _find_stock(self, trigger_data: TriggerData, select: Any) -> Any:
        self.for_stock(trigger_data)
        self.clear_cache()  # here only: what has been prepared for the choice serves the microstep, too
        found = await select(self, trigger_data)
        return OddProgram(tuple(found)) if found else None

    def find_eventless(self, trigger_data: TriggerData) -> Any:
        """Return, to be awaited, what the machine does without an event: a program, or None."""
        return self._find(trigger_data)

    async def microstep(self, transitions: list[Transition], trigger_data: TriggerData) -> Any:
        """Take transitions; what the event's caller gets."""
        return await self._take(self._program_for(transitions, trigger_data), trigger_data)

    def take(self, program: Any, trigger_data: TriggerData) -> Any:
        """Run a microstep; an awaitable of what the event's caller gets."""
        if "microstep" in vars(self):  # somebody stands around every microstep
            return vars(self)["microstep"](list(program.transitions), trigger_data)
        return self._take(program, trigger_data)

    async def _take(self, program: Any, trigger_data: TriggerData) -> Any:
        if type(program) is OddProgram:
            self.for_stock(trigger_data)
            return await AsyncEngine.microstep(self, list(program.transitions), trigger_data)
        t = self._prepare(trigger_data)
        if program.is_silent and self._is_unseen and not self.is_invoking:
            self._take_silently(program, t)
            return None
        if self._is_simple and program.is_single_file and not self._has_more_to_do:
            return await take_in_line_async(self, program, t)
        return await take_async(self, program, t)

    async def _run_macrostep(self) -> bool:
        took_events = False
        while True:
            program = None
            if self.programs.has_eventless:
                trigger: TriggerData = Trigger(self.sm, None, (), {})
                program = await self.find_eventless(trigger)
            if program is None:
                if not self.internal_queue.queue.queue or self.internal_queue.is_empty():
                    return took_events
                trigger = self.internal_queue.pop()
                program = await self.find(trigger)
            if program is not None:
                took_events = True
                await self.take(program, trigger)  # pyright: ignore[reportPossiblyUnboundVariable] # as above

    async def _take_external_event(self, external_event: TriggerData) -> Any:
        manager = self.invocations
        if manager is not None and self._has_to_tell(manager):
            manager.handle_external_event(external_event)
        program = await self.find(external_event)
        if program is not None:
            return await self.take(program, external_event)
        if not self.sm.allow_event_without_transition:
            raise TransitionNotAllowed(external_event.event, self.sm.configuration)
        return self._sentinel

    async def _enter_states(  # pyright: ignore[reportIncompatibleMethodOverride] # the base class has it plain
        self,
        enabled_transitions: list[Transition],
        trigger_data: TriggerData,
        states_to_exit: OrderedSet[State],
        previous_configuration: OrderedSet[State],
    ) -> Any:
        program = self._initial_program(trigger_data)
        if program is not None:
            return await enter_async(self, program, self._prepare(trigger_data))
        result = await AsyncEngine._enter_states(
            self, enabled_transitions, trigger_data, states_to_exit, previous_configuration
        )
        self.took_stock(trigger_data)
        return result
