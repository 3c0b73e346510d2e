"""The two concrete engines of members."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.base import _running_engine
from statemachine.event import BoundEvent
from statemachine.exceptions import TransitionNotAllowed
from statemachine.model import Model
from statemachine.orderedset import OrderedSet

from ._member import MemberEngine
from ._planned import INITIAL_EVENT, AsyncPlannedEngine, SyncPlannedEngine

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Mapping

    from statemachine.event_data import TriggerData

__all__ = ("AsyncMemberEngine", "SyncMemberEngine")


class SyncMemberEngine(MemberEngine, SyncPlannedEngine):
    """For machines without asynchronous callbacks."""

    def begin(self) -> Any:
        """Enter the initial state and run until the machine is quiet."""
        keywords, self._held = {**(self._held or {}), **self.injected}, None
        return SyncPlannedEngine.activate_initial_state(self, **keywords)

    def _run_macrostep(self) -> bool:
        # What has been promised comes next.
        return False if self._chosen is not None else SyncPlannedEngine._run_macrostep(self)

    def fire(self, event: BoundEvent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Send an event that was called as a method; what its caller gets."""
        return self.fire_by_host(event, args, kwargs)

    def ask(self, trigger_data: TriggerData) -> Any:
        """Say what the machine would do with an event: a program, or None."""
        with self._being_asked():
            return self._find(trigger_data)

    def find(self, trigger_data: TriggerData) -> Any:
        """Return what an event does, unless it is forbidden or that has been chosen already."""
        if self._chosen is not None and self.is_chosen(trigger_data):
            return self._take_chosen()
        if self.is_guarded:
            self._obey(trigger_data)
        found = self._find(trigger_data)
        if found is None:
            self._note_refusal(trigger_data)
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

    def _refuse(self, trigger: TriggerData) -> None:
        self._note_refusal(trigger)
        SyncPlannedEngine._refuse(self, trigger)

    def move_unheard(self, trigger: TriggerData) -> bool:
        """
        Take an event that runs no callback and of which nobody hears; whether it was one.

        Nothing of it can fail and nothing can see it half done, so that it needs no step around it. Called when nobody
        else has the turn.
        """
        sm, host = self.sm, self._host
        model = sm.model
        if (
            not self._is_simple
            or self.is_joint
            or self.tallies
            or host is None
            or type(model) is not Model  # one of the user's may do anything when it is assigned to
            or host.wants_moves(self)
            or not self.is_at_rest
            or self._has_company(self._invoke_manager)
        ):
            return False
        event: Any = trigger.event
        if event.delay or trigger.cancelled:
            return False
        choice = self.programs.choice(getattr(model, sm.state_field, None), event.id)
        program = choice.fixed
        if program is None or not program.is_silent:
            return False
        setattr(model, sm.state_field, program.value if program.is_single else OrderedSet(program.plan.after))
        return True

    def process(self, trigger_data: TriggerData) -> Any:
        """Run one event and what comes of it; what its caller gets."""
        is_alone = self.running and not self.external_queue.queue.queue and not trigger_data.cancelled
        if not is_alone or self.is_for_later(trigger_data) or not self._processing.acquire(blocking=False):
            self.enqueue(trigger_data)
            return self.drive()
        token = _running_engine.set(self)
        try:
            return self._process_at_once(trigger_data)
        finally:
            _running_engine.reset(token)
            self._processing.release()

    def drive(self) -> Any:
        """Run what is queued."""
        return SyncPlannedEngine.processing_loop(self)


class AsyncMemberEngine(MemberEngine, AsyncPlannedEngine):
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
        return False if self._chosen is not None else await AsyncPlannedEngine._run_macrostep(self)

    def fire(self, event: BoundEvent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Send an event that was called as a method; an awaitable of what its caller gets."""
        return self.fire_by_host(event, args, kwargs)

    async def ask(self, trigger_data: TriggerData) -> Any:
        """Say what the machine would do with an event: a program, or None."""
        with self._being_asked():
            return await self._find(trigger_data)

    async def find(self, trigger_data: TriggerData) -> Any:
        """Return what an event does, unless it is forbidden or that has been chosen already."""
        if self._chosen is not None and self.is_chosen(trigger_data):
            return self._take_chosen()
        if self.is_guarded:
            self._obey(trigger_data)
        found = await self._find(trigger_data)
        if found is None:
            self._note_refusal(trigger_data)
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
        """Run what is queued; to be awaited."""
        return AsyncEngine.processing_loop(self)


def _is_allowed(engine: MemberEngine, event: BoundEvent, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether nothing outside the machine forbids an event that the machine itself would take."""
    if not engine.is_guarded:
        return True
    return engine.objection(event.build_trigger(*args, machine=engine.sm, **kwargs)) is None
