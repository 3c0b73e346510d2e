"""The two concrete engines of members."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.base import _running_engine
from statemachine.event import BoundEvent
from statemachine.exceptions import TransitionNotAllowed

from ._member import MemberEngine
from ._microstep_async import choose_async, take_async, take_in_line_async
from ._planned import INITIAL_EVENT, SyncPlannedEngine
from ._planned_async import AsyncPlannedEngine
from ._trigger import Trigger

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Mapping

    from statemachine.event_data import TriggerData

    from ._programs import Choice

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
        token = _running_engine.set(self)
        try:
            return self._find(trigger_data)
        finally:
            _running_engine.reset(token)

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

    def _refuse(self, trigger: TriggerData) -> Any:
        self._note_refusal(trigger)
        return SyncPlannedEngine._refuse(self, trigger)

    def process_foreseen(self, trigger: TriggerData, choice: Choice) -> Any:
        """Run one event, which does what was foreseen, and what comes of it; what its caller gets."""
        program = choice.fixed
        if not self.is_guarded and choice.is_silent:
            self.enter_silently(program)
            self.took(program, trigger)
            return None
        self._processing.acquire(blocking=False)  # nobody has it
        token = _running_engine.set(self)
        try:
            if self.is_guarded and self._host is not None and any(choice.rows):
                self._heed(trigger, self._host.refusal(self, trigger))
            if program is None or type(trigger) is not Trigger:
                return self._process_choice(trigger, choice)
            injected = self._injected  # what follows is what `given` says
            if injected is None:
                injected = self.injected
            trigger.given = {**trigger.kwargs, **injected} if trigger.kwargs else injected
            return self._process_program(trigger, program)
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
        if self._is_simple and not (self.external_queue.queue.queue or self._has_company()):
            return None
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
        token = _running_engine.set(self)
        try:
            return await self._find(trigger_data)
        finally:
            _running_engine.reset(token)

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

    def foresee(self, trigger: TriggerData) -> Choice | None:
        """Return what an event may do, if the machine can take it at once, and without anything to be awaited."""
        choice = MemberEngine.foresee(self, trigger)
        return choice if choice is not None and choice.is_silent and not self.is_guarded else None

    async def process(self, trigger_data: TriggerData) -> Any:
        """Run one event and what comes of it; what its caller gets."""
        if not self._is_ready_for(trigger_data) or not self._processing.acquire(blocking=False):
            self.enqueue(trigger_data)
            return await self.drive()
        token = _running_engine.set(self)
        try:
            return await self._process_at_once(trigger_data)
        except Exception as error:
            self._reject_pending_futures(error)
            self.clear()
            raise
        except BaseException:
            self.internal_queue.clear()
            raise
        finally:
            try:
                _running_engine.reset(token)
            finally:
                self._processing.release()
                self._wake_lock_waiters()  # type: ignore[no-untyped-call]

    def _is_ready_for(self, trigger: TriggerData) -> bool:
        """Whether an event can be processed past the queue, by a program."""
        return not (
            not self._is_simple
            or not self.running
            or self.external_queue.queue.queue
            or trigger.cancelled
            or self.is_for_later(trigger)
            or self._has_company()
            or (self._chosen is not None and self._chosen[0] is not trigger)
        )

    async def _process_at_once(self, trigger: TriggerData) -> Any:
        """Process an event past the queue, which is empty, and whatever comes of it."""
        result, sm = None, self.sm
        if self._chosen is not None:
            program = self._take_chosen()
        else:
            if self.is_guarded:
                self._obey(trigger)
            choice: Any = self.programs.choice(getattr(sm.model, sm.state_field, None), trigger.event.id)  # type: ignore[union-attr] # there is one
            program = choice.fixed if choice.is_fixed else await choose_async(self, choice, self._prepare(trigger))
        if program is None:
            self._note_refusal(trigger)
            if not sm.allow_event_without_transition:
                raise TransitionNotAllowed(trigger.event, sm.configuration)
        elif program.is_silent:
            self._take_silently(program, self._prepare(trigger))
        elif program.is_single_file:
            result = await take_in_line_async(self, program, self._prepare(trigger))
        else:
            result = await take_async(self, program, self._prepare(trigger))
        if self.internal_queue.queue.queue or self.external_queue.queue.queue or self._has_more_to_do:
            await self._run_processing_loop(None)
        return result

    def drive(self) -> Any:
        """Run what is queued; to be awaited."""
        return AsyncEngine.processing_loop(self)


def _is_allowed(engine: MemberEngine, event: BoundEvent, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether nothing outside the machine forbids an event that the machine itself would take."""
    if not engine.is_guarded:
        return True
    return engine.objection(event.build_trigger(*args, machine=engine.sm, **kwargs)) is None
