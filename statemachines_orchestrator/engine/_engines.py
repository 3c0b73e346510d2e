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
from ._planned import INITIAL_EVENT, PLAIN_MANAGER, AsyncPlannedEngine, SyncPlannedEngine

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Mapping

    from statemachine.event_data import TriggerData

    from ._programs import Choice, Program

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

    def foresee(self, trigger: TriggerData) -> Choice | None:
        """
        Return what an event may do, if the machine can take it at once and nobody else has a say in what it does.

        Called when nobody else has the turn. Runs no code of the user's: not even that of a model.
        """
        sm, event, manager = self.sm, trigger.event, self._invoke_manager
        model = sm.model
        if (
            not self._is_simple
            or self.is_joint
            or self.tallies
            or type(model) is not Model
            or self._processing.locked()
            or self.is_reserved
            or self._held is not None
            or self._chosen is not None
            or self.external_queue.queue.queue
            or self.internal_queue.queue.queue
            or manager._active
            or manager._pending
            or len(manager.__dict__) != PLAIN_MANAGER
            or "microstep" in self.__dict__
            or self._root_parallel_final_pending is not None
            or not self.running
            or trigger.cancelled
            or event is None
            or event.delay
        ):
            return None
        programs: Any = self._programs
        choice: Choice = programs.choice(getattr(model, sm.state_field, None), event.id)
        return choice

    def enter_silently(self, program: Program) -> None:
        """Change the configuration, if nothing else happens and nobody hears of it."""
        sm = self.sm
        setattr(sm.model, sm.state_field, program.value if program.is_single else OrderedSet(program.plan.after))

    def process_foreseen(self, trigger: TriggerData, choice: Choice) -> Any:
        """Run one event, which does what was foreseen, and what comes of it; what its caller gets."""
        self._processing.acquire(blocking=False)  # nobody has it
        token = _running_engine.set(self)
        try:
            if self.is_guarded:
                self._obey(trigger)
            return self._process_choice(trigger, choice)
        finally:
            _running_engine.reset(token)
            self._processing.release()

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
