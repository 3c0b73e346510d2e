"""
Members on python-statemachine's own engines: the hooks of a member, and nothing else of ours.

Plans, programs, the light queue and the roads past the queue are left out; selecting, moving and looping are
python-statemachine's. `pytest --engine=stock` runs the orchestrator's tests on these engines: a rule of the
orchestrator that holds on both does not come from a shortcut, and a failure on one of them alone says whose it is.
"""

from __future__ import annotations

from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.base import _processing_step
from statemachine.engines.sync import SyncEngine
from statemachine.event_data import TriggerData
from statemachine.orderedset import OrderedSet

from statemachines_orchestrator.engine import _install
from statemachines_orchestrator.engine._engines import AsyncMemberEngine, SyncMemberEngine
from statemachines_orchestrator.engine._member import MemberEngine
from statemachines_orchestrator.engine._planned import SyncPlannedEngine
from statemachines_orchestrator.engine._planned_async import AsyncPlannedEngine
from statemachines_orchestrator.engine._programs import OddProgram
from statemachines_orchestrator.engine._trigger import stamp


def run_members_on_stock_engines():
    """Give every member that is made from now on an engine of this module."""
    ours = {SyncEngine: StockSyncMemberEngine, AsyncEngine: StockAsyncMemberEngine}
    _install._STOCK_ENGINES.update({member: stock for stock, member in ours.items()})
    planned = {SyncPlannedEngine: StockSyncMemberEngine, AsyncPlannedEngine: StockAsyncMemberEngine}
    _install._MEMBER_ENGINES.update(ours | planned)


class StockMemberEngine(MemberEngine):
    """What both have in common."""

    def adopt(self):
        """Keep python-statemachine's queues, its manager of invocations and its registry of callbacks."""
        self.invocations = self._invoke_manager

    def enqueue_now(self, trigger_data, *, internal=False):
        # python-statemachine orders events of one class only.
        stamp(trigger_data)
        trigger_data.__class__ = TriggerData
        super().enqueue_now(trigger_data, internal=internal)

    def process(self, trigger_data):
        return MemberEngine.process(self, trigger_data)

    def foresee(self, trigger):
        """Foresee nothing: every event takes the whole road."""

    def _before_selection(self, trigger_data):
        self.for_stock(trigger_data)
        if self.is_guarded:
            self._obey(trigger_data)


class StockSyncMemberEngine(StockMemberEngine, SyncMemberEngine):
    def begin(self):
        keywords, self._held = {**(self._held or {}), **self.injected}, None
        return SyncEngine.activate_initial_state(self, **keywords)

    def ask(self, trigger_data):
        self.for_stock(trigger_data)
        with _processing_step(self):
            return _program(SyncEngine.select_transitions(self, trigger_data))

    def select_transitions(self, trigger_data):
        if self.is_chosen(trigger_data):
            return _transitions(self._take_chosen())
        self._before_selection(trigger_data)
        found = SyncEngine.select_transitions(self, trigger_data)
        if not found:
            self._note_refusal(trigger_data)
        return found

    def select_eventless_transitions(self, trigger_data):
        self.for_stock(trigger_data)
        return SyncEngine.select_eventless_transitions(self, trigger_data)

    def _run_macrostep(self):
        return False if self.has_choice else SyncEngine._run_macrostep(self)

    def _take_external_event(self, external_event):
        return SyncEngine._take_external_event(self, external_event)

    def microstep(self, transitions, trigger_data):
        return SyncEngine.microstep(self, transitions, trigger_data)

    def _enter_states(self, transitions, trigger_data, *others):
        self.for_stock(trigger_data)
        result = SyncEngine._enter_states(self, transitions, trigger_data, *others)
        self.took_stock(trigger_data)
        return result

    def drive(self):
        return SyncEngine.processing_loop(self)


class StockAsyncMemberEngine(StockMemberEngine, AsyncMemberEngine):
    async def ask(self, trigger_data):
        self.for_stock(trigger_data)
        with _processing_step(self):
            return _program(await AsyncEngine.select_transitions(self, trigger_data))

    async def select_transitions(self, trigger_data):
        if self.is_chosen(trigger_data):
            return _transitions(self._take_chosen())
        self._before_selection(trigger_data)
        found = await AsyncEngine.select_transitions(self, trigger_data)
        if not found:
            self._note_refusal(trigger_data)
        return found

    async def select_eventless_transitions(self, trigger_data):
        self.for_stock(trigger_data)
        return await AsyncEngine.select_eventless_transitions(self, trigger_data)

    async def _run_macrostep(self):
        return False if self.has_choice else await AsyncEngine._run_macrostep(self)

    async def _take_external_event(self, external_event):
        return await AsyncEngine._take_external_event(self, external_event)

    async def microstep(self, transitions, trigger_data):
        return await AsyncEngine.microstep(self, transitions, trigger_data)

    async def _enter_states(self, transitions, trigger_data, *others):
        self.for_stock(trigger_data)
        result = await AsyncEngine._enter_states(self, transitions, trigger_data, *others)
        self.took_stock(trigger_data)
        return result


def _program(transitions):
    return OddProgram(tuple(transitions)) if transitions else None


def _transitions(program):
    return OrderedSet(()) if program is None else OrderedSet(program.transitions)
