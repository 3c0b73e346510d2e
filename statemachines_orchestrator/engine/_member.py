"""
The engine of a member: python-statemachine's algorithm, with the orchestrator's hooks.

Every hook of the orchestrator into a machine is an override here: who runs an event and when (`put`,
`processing_loop`), the orchestrator as a callback parameter (`_inject`, `enabled_events`), the held start, and what
has to be put back when a step fails. The machine object itself stays as it is, and so does an engine that is already
at work: its queues and running invocations are kept, only its class changes.
"""

from __future__ import annotations

from functools import partial
from inspect import isawaitable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from statemachine.engines.base import BaseEngine, _running_engine
from statemachine.event import BoundEvent
from statemachine.exceptions import TransitionNotAllowed
from statemachine.model import Model
from statemachine.orderedset import OrderedSet
from statemachine.utils import run_async_from_sync

from ._arrivals import arrivals
from ._events import KeptEvent, QuickEvent, is_plain_call
from ._invocations import MemberInvokeManager
from ._light import PLAIN_MANAGER, Later
from ._microstep import write
from ._payload import Payload
from ._planned import PlannedEngine
from ._trigger import Trigger, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from statemachine import State
    from statemachine.event_data import TriggerData
    from statemachine.invoke import InvokeManager
    from statemachine.transition import Transition

    from ._host import Host
    from ._programs import Choice, Program

__all__ = ("MemberEngine", "Saved", "plain_trigger")


_MILLISECONDS = 1000.0
_NO_HISTORY: Mapping[str, Any] = MappingProxyType({})
_NO_INVOCATION: frozenset[str] = frozenset()
_DUE = 0.0
"""The stamp of a delayed trigger whose time has come; python-statemachine takes it before all others."""


def plain_trigger(
    engine: MemberEngine, event: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> TriggerData | None:
    """Make an event as a call of it would, if it happens at once and carries nothing special; None otherwise."""
    own, host = engine.own_event(event), engine.host
    if own is None or host is None or (kwargs and not is_plain_call(own, kwargs)):
        return None
    trigger = Trigger(engine.sm, own, args, kwargs)
    if kwargs:
        engine.refuse_own_name(host, trigger)
    return trigger


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


class Tally(Protocol):
    """Who counts machines by where they are."""

    def changed(self, machine: Any, /) -> None:
        """Hear that a machine is about to leave where it is, or to enter something."""
        ...


class MemberEngine(PlannedEngine):
    """The hooks, for the sync and the async engine alike."""

    manager_class: type[InvokeManager] = MemberInvokeManager
    running: bool
    """Whether the machine has not ended."""
    _host: Host | None = None
    """The system above; None only while a machine that nobody adopted is being released."""
    member: str = ""
    """The field of the orchestrator that holds the machine."""
    key: str | None = None
    """Its key, if the field holds a collection."""
    number: int = 0
    """Counts the members of collections in the order in which they were added."""
    path: tuple[str, ...] = ()
    """The fields from the outermost orchestrator down to the machine."""
    address: str = ""
    """The same as text, with its key."""
    watches: tuple[Any, ...] = ()
    """The rules that concern the machine; the host makes and reads them."""
    tallies: Sequence[Tally] = ()
    """Who counts the members of its collection by where they are."""
    is_joint: bool = False
    """Whether others may have to take part in its events."""
    is_reserved: bool = False
    """Whether the machine waits for its part in something that others have begun."""
    _held: Mapping[str, Any] | None = None
    """Keywords of a start that waits until all members exist; None when nothing waits."""
    _waiting: Any = Later(lambda _engine: WeakValueDictionary())
    """Events that can be cancelled and whose turn has not come yet; who sent them keeps them alive."""
    to_invoke: tuple[tuple[State, Mapping[str, Any]], ...] = ()
    """States whose invocations were running when a snapshot was taken, and the keywords of their entry."""
    _leaving: tuple[str, ...] = ()
    _entering: tuple[str, ...] = ()
    """The states that the present microstep leaves and enters."""
    _injected: Mapping[str, Any] | None = None
    _has_own_save: bool = True
    """Whether the machine has something of its own that a failing step must put back."""

    # -- starting ------------------------------------------------------------------------------------------

    def start(self, **kwargs: Any) -> None:
        """Keep the keywords: the orchestrator starts its members once all of them exist."""
        if self.value is None:
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
            if host is None or not self.is_joint or not host.take_over(self, trigger_data):
                self.enqueue(trigger_data, internal=internal)
            return
        self.refuse_own_name(host, trigger_data)
        if trigger_data.send_id is not None:
            self._waiting[trigger_data.sequence] = trigger_data
        arrivals.triggers.append((self, trigger_data))

    def fire(self, event: BoundEvent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Send an event that was called as a method; what its caller gets, in an asynchronous system an awaitable."""
        host = self._host
        if host is None or _running_engine.get() is self or event.delay or event.internal:
            return BoundEvent.__call__(event, *args, **kwargs)
        trigger = Trigger(self.sm, event, args, kwargs)
        if kwargs:
            if not is_plain_call(event, kwargs):
                return BoundEvent.__call__(event, *args, **kwargs)
            self.refuse_own_name(host, trigger)
        if self.is_joint:
            stamp(trigger)  # it comes before what is sent to the machine while the others are asked
        result = host.deliver(self, trigger)
        # As python-statemachine does: without a running loop the caller gets the result itself.
        return run_async_from_sync(result) if result is not None and isawaitable(result) else result

    def own_event(self, event: str) -> BoundEvent | None:
        """Return a declared event as a call of it has it, if it happens at once; None for any other."""
        found = self.events.get(event)
        if found is None:
            declared = getattr(type(self.sm), event, None)
            found = declared._bound(self.sm, type(self.sm)) if isinstance(declared, KeptEvent) else None
        return found if type(found) is QuickEvent and not (found.delay or found.internal) else None

    def enqueue(self, trigger_data: TriggerData, *, internal: bool = False) -> None:
        """Put the trigger into the machine's own queue, to be run by `drive`; a delayed one goes to the host."""
        if trigger_data.cancelled:
            return
        event, host = trigger_data.event, self._host
        if event is None or host is None or not self.is_for_later(trigger_data):
            self.enqueue_now(trigger_data, internal=internal)
        elif self.running:
            host.delay(self, trigger_data, event.delay / _MILLISECONDS)
        elif not self.sm.allow_event_without_transition:
            raise TransitionNotAllowed(event, self.sm.configuration)

    def enqueue_now(self, trigger_data: TriggerData, *, internal: bool = False) -> None:
        """Put the trigger into the machine's own queue, delayed or not."""
        # Past AsyncEngine.put, whose futures are for callers that wait on the engine: ours wait on the host.
        BaseEngine.put(self, trigger_data, internal=internal)

    def deliver_arrived(self) -> Any:
        """Hand the trigger that this thread has just put to the host; what the caller gets."""
        trigger = None
        triggers = arrivals.triggers
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

    def foresee(self, trigger: TriggerData) -> Choice | None:
        """
        Return what an event may do, if the machine can take it at once and nobody else has a say in what it does.

        Called when nobody else has the turn. Runs no code of the user's: not even that of a model.
        """
        sm, event, manager = self.sm, trigger.event, self.invocations
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
            or (manager is not None and (manager._active or manager._pending or len(manager.__dict__) != PLAIN_MANAGER))
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

    def stay(self, program: Program) -> None:
        """Give the machine the configuration that it has before a program runs."""
        write(self, program.plan.before)

    def process_foreseen(self, trigger: TriggerData, choice: Choice) -> Any:
        """Run one event, which does what was foreseen, and what comes of it; what its caller gets."""
        self.enter_silently(choice.fixed)
        self.took(choice.fixed, trigger)

    def process(self, trigger_data: TriggerData) -> Any:
        """Run one event and what comes of it; what its caller gets, on the async engine an awaitable of it."""
        self.enqueue(trigger_data)
        return self.drive()

    def drive(self) -> Any:
        """Run python-statemachine's own loop on what is queued; an awaitable on the async engine."""
        raise NotImplementedError

    @property
    def host(self) -> Any:
        """The system above."""
        return self._host

    @property
    def is_busy(self) -> bool:
        """Whether the machine is in the middle of a macrostep, or waits for its part in a joint event."""
        return self.is_reserved or self._processing.locked()

    @property
    def is_at_rest(self) -> bool:
        """Whether the machine has started, does nothing, and nothing waits for it."""
        return not (
            self.is_reserved
            or self._processing.locked()
            or self._held is not None
            or self.external_queue.queue.queue
            or self.internal_queue.queue.queue
        )

    @property
    def has_queued(self) -> bool:
        """Whether events wait in the machine's queues."""
        return bool(self.external_queue.queue.queue or self.internal_queue.queue.queue)

    @property
    def has_work(self) -> bool:
        """Whether events wait in the machine's queues that nobody is running."""
        return self.running and self.has_queued

    @staticmethod
    def is_for_later(trigger_data: TriggerData) -> bool:
        """Whether the time of a delayed event is still to come."""
        event = trigger_data.event
        is_now = event is None or not event.delay or event.delay <= 0 or trigger_data.execution_time == _DUE
        return not is_now

    # -- what others have a say in -------------------------------------------------------------------------

    def objection(self, trigger_data: TriggerData) -> Exception | None:
        """Return what forbids an event from outside, if the machine has a transition for it where it is."""
        host = self._host
        if not self.is_guarded or host is None or trigger_data.event is None:
            return None
        event = str(trigger_data.event)
        if not any(one.match(event) for state in self.sm.configuration for one in state.transitions):
            return None
        return host.refusal(self, trigger_data)

    def ask(self, trigger_data: TriggerData) -> Any:
        """
        Say which transitions the machine would take for an event; an awaitable on the async engine.

        The machine has to be reserved: what its validators and conditions send to it meanwhile waits in its queue.
        """
        raise NotImplementedError

    def choose(self, trigger_data: TriggerData, transitions: Any) -> None:
        """Promise that the next event is this one, and that it takes these transitions."""
        self._chosen = trigger_data, transitions

    def forget_choice(self) -> None:
        """Take a promise back, if it was not kept."""
        self._chosen = None

    def is_chosen(self, trigger_data: TriggerData) -> bool:
        """Whether an event is the one that was promised."""
        return self._chosen is not None and self._chosen[0] is trigger_data

    @property
    def has_choice(self) -> bool:
        """Whether the next event has been promised."""
        return self._chosen is not None

    def _take_chosen(self) -> Any:
        chosen, self._chosen = self._chosen, None
        return None if chosen is None else chosen[1]

    def _obey(self, trigger_data: TriggerData) -> None:
        """
        Ask what is outside the machine, if the machine has a transition for the event where it is.

        Raises:
            Exception: What the host says.
        """
        self._heed(trigger_data, self.objection(trigger_data))

    def _heed(self, trigger_data: TriggerData, refusal: Exception | None) -> None:
        if refusal is not None:
            self._note_refusal(trigger_data, refusal)
            raise refusal

    def _note_refusal(self, trigger_data: TriggerData, refusal: object = True) -> None:
        """Let who sent the event find out that it was refused: not every class of machine raises an error."""
        trigger_data.refusal = refusal  # type: ignore[attr-defined] # an attribute of ours
        if self._host is not None and trigger_data.event is not None and not trigger_data.event.internal:
            self._host.refused(self, trigger_data)

    # -- what others want to know --------------------------------------------------------------------------

    def _tell_tallies(self) -> None:
        for tally in self.tallies:
            tally.changed(self)

    def _prepare_exit_states(self, enabled_transitions: list[Transition]) -> Any:
        self._tell_tallies()
        found = super()._prepare_exit_states(enabled_transitions)
        self._leaving = tuple(one.state.id for one in found[0])
        return found

    def _prepare_entry_states(
        self,
        enabled_transitions: list[Transition],
        states_to_exit: OrderedSet[State],
        previous_configuration: OrderedSet[State],
    ) -> Any:
        self._tell_tallies()  # the initial entry leaves nothing
        found = super()._prepare_entry_states(enabled_transitions, states_to_exit, previous_configuration)
        self._entering = tuple(one.state.id for one in found[0])
        return found

    def _is_heard(self, program: Program) -> bool:
        return self._host is not None and self._host.hears_start(self, program.entered)

    def taking(self, program: Program, t: TriggerData | None) -> None:  # noqa: ARG002 - the hook's signature
        """Tell who counts that the machine is about to leave where it is."""
        if self.tallies:
            self._tell_tallies()

    def took(self, program: Program, t: TriggerData) -> None:
        """Tell the host that states have been left and entered."""
        host = self._host
        if host is not None and host.hears(self, t, program.entered):
            host.moved(self, t, program.left, program.entered)

    def took_stock(self, trigger_data: TriggerData) -> None:
        """Tell the host the same of what python-statemachine's own engine has done."""
        host = self._host
        if host is not None and host.hears(self, trigger_data, self._entering):
            host.moved(self, trigger_data, self._leaving, self._entering)

    def _in_own_macrostep(self, host: Host) -> bool:
        # The context variable alone does not say so: a task that a callback started keeps it after the
        # macrostep has ended. So the machine's lock and the step must still be held, too.
        return _running_engine.get() is self and self.is_busy and host.in_running_step()

    @staticmethod
    def refuse_own_name(host: Host, trigger_data: TriggerData) -> None:
        """Raise an error if an event carries something else under the name of the orchestrator."""
        given = trigger_data.kwargs.get(host.parameter, host.orchestrator)
        if given is not host.orchestrator:
            msg = (
                f"{host.parameter!r} is the name under which callbacks receive the orchestrator, so event "
                f"{str(trigger_data.event)!r} cannot carry an argument of that name. Rename the argument, or let "
                f"the orchestrator go by another name: class ...(Orchestrator, orchestrator_name='...')."
            )
            raise TypeError(msg)

    # -- arguments of callbacks ----------------------------------------------------------------------------

    def given(self, trigger: TriggerData) -> Mapping[str, Any]:
        """Return the keywords of an event as callbacks see them: with the orchestrator."""
        injected = self._injected
        if injected is None:
            injected = self.injected
        return {**trigger.kwargs, **injected} if trigger.kwargs else injected

    def for_stock(self, t: TriggerData) -> None:
        """Let python-statemachine's own engine find the orchestrator in an event."""
        super().for_stock(t)
        if not isinstance(t.kwargs, Payload):
            t.kwargs = payload = Payload(t.kwargs)
            payload.injected = self.injected

    @property
    def injected(self) -> Mapping[str, Any]:
        """What every callback of the machine may ask for: the orchestrator, and its key in a collection."""
        if self._injected is None:
            host = self._host
            found = {} if host is None else {host.parameter: host.orchestrator}
            self._injected = found if self.key is None else {**found, "member_key": self.key}
        return self._injected

    def belong_to(self, host: Host) -> None:
        """Become an engine of this system."""
        self._host = host
        self._has_own_save = hasattr(self.sm, "__orchestrator_save__")
        self._injected = None

    def forget_place(self) -> None:
        """Hear that the machine belongs to another orchestrator, or has another key."""
        self._injected = None

    def enabled_events(self, *args: Any, **kwargs: Any) -> Any:
        """List the enabled events; guards receive the orchestrator here, too."""
        return super().enabled_events(*args, **{**kwargs, **self.injected})  # type: ignore[misc] # both concrete engines define it

    # -- putting back --------------------------------------------------------------------------------------

    def save(self) -> Saved:
        """Remember what a failing step must put back. Called between macrosteps only."""
        sm = self.sm
        queued, manager = self.external_queue.queue.queue, self.invocations
        own = getattr(sm, "__orchestrator_save__", None) if self._has_own_save else None
        return Saved(
            getattr(sm.model, sm.state_field, None),
            sm.history_values.copy() if sm.history_values else _NO_HISTORY,
            self.running,
            self._held,
            self._root_parallel_final_pending,
            tuple(queued) if queued else (),
            frozenset(manager._active) if manager is not None and manager._active else _NO_INVOCATION,
            None if own is None else own(),
        )

    def save_at_rest(self) -> Saved:
        """Remember the same of a machine whose event has been foreseen: nothing waits for it, and it does nothing."""
        sm = self.sm
        raw, history = getattr(sm.model, sm.state_field, None), sm.history_values
        own = getattr(sm, "__orchestrator_save__", None) if self._has_own_save else None
        kept, saved = history.copy() if history else _NO_HISTORY, None if own is None else own()
        # Not by its name and its own way of being made, which takes three times as long.
        return tuple.__new__(Saved, (raw, kept, True, None, None, (), _NO_INVOCATION, saved))

    def put_back(self, saved: Saved) -> None:
        """Make the machine what it was; runs no callback of it."""
        sm = self.sm
        sm.history_values = dict(saved.history)
        self.running = saved.running
        self._held = saved.held
        self._root_parallel_final_pending = saved.pending_final
        self.is_reserved, self._chosen = False, None
        self._tell_tallies()
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

    def resume(
        self,
        *,
        running: bool,
        pending_final: State | None,
        held: Mapping[str, Any] | None,
        queued: Iterable[TriggerData],
    ) -> None:
        """Go on where a snapshot was taken; what the machine was doing before is forgotten. Runs no callback."""
        self._stop_invocations_but(frozenset())
        self.drop_queued()
        self.running = running
        self._root_parallel_final_pending = pending_final
        self._held = held
        for trigger in queued:
            self.external_queue.put(trigger)

    def invoke_again(self) -> None:
        """Start the invocations that ran when a snapshot was taken, where their states are still active."""
        manager = self._invoke_manager
        running = {one.state_id for one in manager._active.values() if not one.ctx.cancelled.is_set()}
        active = set(self.sm.configuration_values)
        for state, keywords in self.to_invoke:
            if state.value in active and state.id not in running:
                manager.mark_for_invoke(state, {**keywords, **self.injected})
        self.to_invoke = ()

    def drop_queued(self) -> None:
        """Forget the events that the machine has not taken yet."""
        self.internal_queue.clear()
        self.external_queue.clear()

    def _stop_invocations_but(self, kept: frozenset[str]) -> None:
        manager = self.invocations
        if manager is None:
            return
        manager._pending.clear()
        for invokeid in [invokeid for invokeid in manager._active if invokeid not in kept]:
            manager._cancel(invokeid)
