"""
The engine of a member: python-statemachine's algorithm, with the orchestrator's hooks.

Every hook of the orchestrator into a machine is an override here: who runs an event and when (`put`,
`processing_loop`), the orchestrator as a callback parameter (`_inject`, `enabled_events`), the held start, and what
has to be put back when a step fails. The machine object itself stays as it is, and so does an engine that is already
at work: its queues and running invocations are kept, only its class changes.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from statemachine.engines.base import BaseEngine, _running_engine
from statemachine.exceptions import TransitionNotAllowed

from ._payload import Payload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from weakref import WeakValueDictionary

    from statemachine import State
    from statemachine.event_data import TriggerData

    from ._host import Host

__all__ = ("MemberEngine", "Saved", "take_strays")


class _Arrivals(threading.local):
    """
    Triggers put by this thread whose processing loop has not been called yet.

    python-statemachine puts an event and calls the loop in two calls, one right after the other and in the same
    thread. Between them the event must not lie in a queue where another thread's step could take it: a caller
    gets its own result, and its callbacks run in its own thread.
    """

    def __init__(self) -> None:
        self.triggers: list[tuple[MemberEngine, TriggerData]] = []


_arrivals = _Arrivals()

_MILLISECONDS = 1000.0
_DUE = 0.0
"""The stamp of a delayed trigger whose time has come; python-statemachine takes it before all others."""


def take_strays(host: Host) -> list[tuple[MemberEngine, TriggerData]]:
    """
    Take the triggers that this thread has put for machines of `host` without calling a loop after them.

    Nobody waits for them (``order.process.put()`` is such a call), but they have to happen.
    """
    if not _arrivals.triggers:
        return []
    strays = [(engine, trigger) for engine, trigger in _arrivals.triggers if engine._host is host]
    _arrivals.triggers = [one for one in _arrivals.triggers if one[0]._host is not host]
    return strays


class Saved(NamedTuple):
    """What one machine was before a step moved it; a named tuple, since every step makes one per machine."""

    value: Any
    history: Mapping[str, Any]
    running: bool
    held: Mapping[str, Any] | None
    pending_final: State | None
    queued: tuple[TriggerData, ...]
    invocations: frozenset[str]
    own: Any
    """What the machine's own ``__orchestrator_save__`` returned."""


class MemberEngine(BaseEngine):
    """The hooks, for the sync and the async engine alike."""

    _host: Host | None = None
    """The system above; None only while a machine that nobody adopted is being released."""
    member: str = ""
    """The field of the orchestrator that holds the machine."""
    running: bool
    """Whether the machine has not ended."""
    _held: Mapping[str, Any] | None = None
    """Keywords of a start that waits until all members exist; None when nothing waits."""
    _waiting: WeakValueDictionary[int, TriggerData]
    """Events that can be cancelled and whose turn has not come yet; who sent them keeps them alive."""
    _has_eventless: bool = True
    """Whether the machine's class has eventless transitions, which have to be looked for after every microstep."""

    # -- starting ------------------------------------------------------------------------------------------

    def start(self, **kwargs: Any) -> None:
        """Keep the keywords: the orchestrator starts its members once all of them exist."""
        if self.sm.current_state_value is None:
            self._held = kwargs

    @property
    def is_held(self) -> bool:
        """Whether the machine still has to enter its initial state."""
        return self._held is not None

    def begin(self) -> Any:
        """Enter the initial state now, with the keywords that were kept; an awaitable on the async engine."""
        raise NotImplementedError

    # -- events --------------------------------------------------------------------------------------------

    def put(self, trigger_data: TriggerData, internal: bool = False) -> None:
        """Queue what the machine sends itself; keep what comes from outside for the host."""
        host = self._host
        if host is None or self._in_own_macrostep(host):
            self.enqueue(trigger_data, internal=internal)
            return
        self._refuse_own_name(host, trigger_data)
        if trigger_data.send_id is not None:
            self._waiting[trigger_data.sequence] = trigger_data
        _arrivals.triggers.append((self, trigger_data))

    def enqueue(self, trigger_data: TriggerData, *, internal: bool = False) -> None:
        """Put the trigger into the machine's own queue, to be run by `drive`; a delayed one goes to the host."""
        if trigger_data.cancelled:
            return
        event, host = trigger_data.event, self._host
        if event is None or host is None or not event.delay or event.delay <= 0 or trigger_data.execution_time == _DUE:
            self.enqueue_now(trigger_data, internal=internal)
        elif self.running:
            host.delay(self, trigger_data, event.delay / _MILLISECONDS)
        elif not self.sm.allow_event_without_transition:
            raise TransitionNotAllowed(event, self.sm.configuration)

    def enqueue_now(self, trigger_data: TriggerData, *, internal: bool = False) -> None:
        """Put the trigger into the machine's own queue, delayed or not."""
        self._inject(trigger_data)
        # Past AsyncEngine.put, whose futures are for callers that wait on the engine: ours wait on the host.
        BaseEngine.put(self, trigger_data, internal=internal)

    def deliver_arrived(self) -> Any:
        """Hand the trigger that this thread has just put to the host; what the caller gets."""
        trigger = None
        triggers = _arrivals.triggers
        for number, (engine, arrived) in enumerate(triggers):
            if engine is self:  # the first, should there be events that were only put: the rest are strays
                trigger = arrived
                del triggers[number]
                break
        host = self._host
        return self.drive() if host is None else host.deliver(self, trigger)

    def cancel_event(self, send_id: str) -> None:
        """Cancel the events with this id: queued, delayed, and those whose turn has not come yet."""
        host = self._host
        if host is None:
            super().cancel_event(send_id)
            return
        # Copies: other threads put and take events meanwhile.
        waiting = (found() for found in self._waiting.valuerefs())
        for trigger in (*self.external_queue.queue.queue, *waiting):
            if trigger is not None and trigger.send_id == send_id and not trigger.cancelled:
                host.undo(partial(setattr, trigger, "cancelled", False))
                trigger.cancelled = True
        super().cancel_event(send_id)
        host.cancel_delayed(self, send_id)

    @staticmethod
    def make_due(trigger_data: TriggerData) -> None:
        """Say that the time of a delayed trigger has come: it will be queued at once."""
        trigger_data.execution_time = _DUE

    def drive(self) -> Any:
        """Run python-statemachine's own loop on what is queued; an awaitable on the async engine."""
        raise NotImplementedError

    @property
    def is_busy(self) -> bool:
        """Whether the machine is in the middle of a macrostep."""
        return self._processing.locked()

    @property
    def has_work(self) -> bool:
        """Whether events wait in the machine's queues that nobody is running."""
        return self.running and bool(self.external_queue.queue.queue or self.internal_queue.queue.queue)

    @property
    def _is_settled(self) -> bool:
        """Whether no transition can be enabled without another event from outside."""
        return not self._has_eventless and not self.internal_queue.queue.queue

    def _in_own_macrostep(self, host: Host) -> bool:
        # The context variable alone does not say so: a task that a callback started keeps it after the
        # macrostep has ended. So the machine's lock and the step must still be held, too.
        return _running_engine.get() is self and self.is_busy and host.in_running_step()

    @staticmethod
    def _refuse_own_name(host: Host, trigger_data: TriggerData) -> None:
        given = trigger_data.kwargs.get(host.parameter, host.orchestrator)
        if given is not host.orchestrator:
            msg = (
                f"{host.parameter!r} is the name under which callbacks receive the orchestrator, so event "
                f"{str(trigger_data.event)!r} cannot carry an argument of that name. Rename the argument, or let "
                f"the orchestrator go by another name: class ...(Orchestrator, orchestrator_name='...')."
            )
            raise TypeError(msg)

    # -- arguments of callbacks ----------------------------------------------------------------------------

    def _inject(self, trigger_data: TriggerData) -> None:
        host = self._host
        if host is not None:
            trigger_data.kwargs = payload = Payload(trigger_data.kwargs)
            payload.host = host

    def enabled_events(self, *args: Any, **kwargs: Any) -> Any:
        """List the enabled events; guards receive the orchestrator here, too."""
        host = self._host
        if host is not None:
            kwargs[host.parameter] = host.orchestrator
        return super().enabled_events(*args, **kwargs)  # type: ignore[misc] # both concrete engines define it

    # -- putting back --------------------------------------------------------------------------------------

    def save(self) -> Saved:
        """Remember what a failing step must put back. Called between macrosteps only."""
        sm = self.sm
        own = getattr(sm, "__orchestrator_save__", None)
        return Saved(
            getattr(sm.model, sm.state_field, None),
            sm.history_values.copy(),
            self.running,
            self._held,
            self._root_parallel_final_pending,
            tuple(self.external_queue.queue.queue),
            frozenset(self._invoke_manager._active),
            None if own is None else own(),
        )

    def put_back(self, saved: Saved) -> None:
        """Make the machine what it was; runs no callback of it."""
        sm = self.sm
        sm.history_values = dict(saved.history)
        self.running = saved.running
        self._held = saved.held
        self._root_parallel_final_pending = saved.pending_final
        self.drop_queued()
        for trigger in saved.queued:
            self.external_queue.put(trigger)
        own = getattr(sm, "__orchestrator_restore__", None)
        # The model's setter, a handler's `on_cancel` and the machine's own hook may raise: none keeps the others back.
        try:
            if sm.current_state_value is not saved.value:
                sm.current_state_value = saved.value
        finally:
            try:
                self._stop_invocations_but(saved.invocations)
            finally:
                if own is not None:
                    own(saved.own)

    def drop_queued(self) -> None:
        """Forget the events that the machine has not taken yet."""
        self.internal_queue.clear()
        self.external_queue.clear()

    def _stop_invocations_but(self, kept: frozenset[str]) -> None:
        manager = self._invoke_manager
        manager._pending.clear()
        for invokeid in [invokeid for invokeid in manager._active if invokeid not in kept]:
            manager._cancel(invokeid)
