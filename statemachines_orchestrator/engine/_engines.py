"""The two concrete engines of members."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.sync import SyncEngine
from statemachine.event import BoundEvent
from statemachine.exceptions import TransitionNotAllowed
from statemachine.orderedset import OrderedSet

from ._member import MemberEngine

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Mapping

    from statemachine import State
    from statemachine.event_data import TriggerData
    from statemachine.transition import Transition

__all__ = ("INITIAL_EVENT", "AsyncMemberEngine", "SyncMemberEngine")

INITIAL_EVENT = "__initial__"
"""python-statemachine's name for the event that enters the initial state."""


class SyncMemberEngine(MemberEngine, SyncEngine):
    """For machines without asynchronous callbacks."""

    def begin(self) -> Any:
        """Enter the initial state and run until the machine is quiet."""
        keywords, self._held = {**(self._held or {}), **self.injected}, None
        return SyncEngine.activate_initial_state(self, **keywords)

    def _run_macrostep(self) -> bool:
        # Nothing that python-statemachine could find: it would build an event to look for transitions without one.
        if self._is_settled or self.has_choice:
            return False
        return bool(SyncEngine._run_macrostep(self))

    def ask(self, trigger_data: TriggerData) -> Any:
        """Say which transitions the machine would take for an event."""
        with self._being_asked(trigger_data):
            return SyncEngine.select_transitions(self, trigger_data)

    def select_transitions(self, trigger_data: TriggerData) -> OrderedSet[Transition]:
        """Select the transitions that an event enables, unless it is forbidden or they have been chosen already."""
        if self.is_chosen(trigger_data):
            chosen: OrderedSet[Transition] = self._take_chosen()
            return chosen
        if self.is_guarded:
            self._obey(trigger_data)
        found: OrderedSet[Transition] = SyncEngine.select_transitions(self, trigger_data)
        if not found:
            self._note_refusal(trigger_data)
        return found

    def _enter_states(
        self,
        enabled_transitions: list[Transition],
        trigger_data: TriggerData,
        states_to_exit: OrderedSet[State],
        previous_configuration: OrderedSet[State],
    ) -> Any:
        result = SyncEngine._enter_states(
            self, enabled_transitions, trigger_data, states_to_exit, previous_configuration
        )
        self._report(trigger_data)
        return result

    def select_eventless_transitions(self, trigger_data: TriggerData) -> OrderedSet[Transition]:
        """Look for eventless transitions that are enabled, if the class has any."""
        if not self._has_eventless:
            return OrderedSet()
        self._inject(trigger_data)
        found: OrderedSet[Transition] = SyncEngine.select_eventless_transitions(self, trigger_data)
        return found

    def activate_initial_state(self, **kwargs: Any) -> Any:
        """Enter the initial state if that is still to come; otherwise let the machine settle."""
        if self._host is not None and self.is_busy:
            return None  # python-statemachine would enter the initial state a second time (its trap D25)
        if self.is_held:
            self._held = {**(self._held or {}), **kwargs}
        return self.deliver_arrived()

    def processing_loop(self) -> Any:
        """Run the event just put, when its turn comes."""
        return self.deliver_arrived()

    def enabled_events(self, *args: Any, **kwargs: Any) -> list[BoundEvent]:
        """List the enabled events, without those that are forbidden."""
        found = MemberEngine.enabled_events(self, *args, **kwargs)
        return [event for event in found if _is_allowed(self, event, args, kwargs)]

    def drive(self) -> Any:
        """Run python-statemachine's own loop on what is queued."""
        return SyncEngine.processing_loop(self)


class AsyncMemberEngine(MemberEngine, AsyncEngine):
    """For machines with at least one asynchronous callback."""

    def begin(self) -> Any:
        """Enter the initial state and run until the machine is quiet; to be awaited."""
        keywords, self._held = self._held or {}, None
        trigger = BoundEvent(INITIAL_EVENT, _sm=self.sm).build_trigger(machine=self.sm, **keywords)
        trigger.execution_time = 0.0  # before anything that was queued for the machine while it was not started
        self.enqueue(trigger)
        return self.drive()

    def activate_initial_state(self, **kwargs: Any) -> Any:
        """Enter the initial state if that is still to come; to be awaited."""
        if self.is_held:
            self._held = {**(self._held or {}), **kwargs}
        return self.deliver_arrived()

    def processing_loop(self, caller_future: Future[object] | None = None) -> Any:  # noqa: ARG002 - psm's signature
        """Run the event just put, when its turn comes; to be awaited, and delivered even if it is not."""
        return self.deliver_arrived()

    async def _run_macrostep(self) -> bool:
        if self._is_settled or self.has_choice:
            return False
        return bool(await AsyncEngine._run_macrostep(self))

    async def ask(self, trigger_data: TriggerData) -> Any:
        """Say which transitions the machine would take for an event."""
        with self._being_asked(trigger_data):
            return await AsyncEngine.select_transitions(self, trigger_data)

    async def select_transitions(self, trigger_data: TriggerData) -> OrderedSet[Transition]:
        """Select the transitions that an event enables, unless it is forbidden or they have been chosen already."""
        if self.is_chosen(trigger_data):
            chosen: OrderedSet[Transition] = self._take_chosen()
            return chosen
        if self.is_guarded:
            self._obey(trigger_data)
        found: OrderedSet[Transition] = await AsyncEngine.select_transitions(self, trigger_data)
        if not found:
            self._note_refusal(trigger_data)
        return found

    async def _enter_states(  # pyright: ignore[reportIncompatibleMethodOverride] # the base class has it plain
        self,
        enabled_transitions: list[Transition],
        trigger_data: TriggerData,
        states_to_exit: OrderedSet[State],
        previous_configuration: OrderedSet[State],
    ) -> Any:
        result = await AsyncEngine._enter_states(
            self, enabled_transitions, trigger_data, states_to_exit, previous_configuration
        )
        self._report(trigger_data)
        return result

    async def select_eventless_transitions(self, trigger_data: TriggerData) -> OrderedSet[Transition]:
        """Look for eventless transitions that are enabled, if the class has any."""
        if not self._has_eventless:
            return OrderedSet()
        self._inject(trigger_data)
        found: OrderedSet[Transition] = await AsyncEngine.select_eventless_transitions(self, trigger_data)
        return found

    async def enabled_events(self, *args: Any, **kwargs: Any) -> list[BoundEvent]:
        """List the enabled events, without those that are forbidden."""
        found = await MemberEngine.enabled_events(self, *args, **kwargs)
        return [event for event in found if _is_allowed(self, event, args, kwargs)]

    def clear(self) -> None:
        """Keep what is queued when an event was refused, as the synchronous engine does (trap D26)."""
        if not isinstance(sys.exc_info()[1], TransitionNotAllowed):
            self.internal_queue.clear()
            self.external_queue.clear()

    def drive(self) -> Any:
        """Run python-statemachine's own loop on what is queued; to be awaited."""
        return AsyncEngine.processing_loop(self)


def _is_allowed(engine: MemberEngine, event: BoundEvent, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether nothing outside the machine forbids an event that the machine itself would take."""
    if not engine.is_guarded:
        return True
    return engine.objection(event.build_trigger(*args, machine=engine.sm, **kwargs)) is None
