"""
Running the actions of a machine inside python-statemachine's microsteps (semantics.md 2.2, 2.3 and 8).

One callback stands for one whole list of actions: the library may run callbacks of one group concurrently,
and the actions of a list run one after the other.

An action that raises ends its list, not the transition. Its error becomes an internal event
``error.action.<name>``; what no row takes is raised when the macrostep is over. Where that is, the invoke
manager knows: every engine calls it there, whatever else it overrides. The alternative, an engine of our own,
would be lost when an orchestrator puts its engine in place.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine.event import BoundEvent

from orca_bridge.exceptions import EventlessLoopError

from ._actions import refuse_awaitable
from ._context import merge
from ._effects import ERROR_EFFECT, note_taken, run_effects, run_effects_async, tell_unhandled
from ._invoke import receive, report_failure, settle
from ._payload import payload_of
from ._regions import settle_regions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from statemachine.event_data import TriggerData

    from ._actions import Moment, Names
    from ._effects import EffectFailure
    from ._events import OrcaEvent
    from ._handlers import Handler
    from ._invoke import Invocation, Message
    from ._machine import OrcaChart

__all__ = ("MAX_UNPROMPTED", "RunState", "Work", "perform", "raise_failure", "watch_macrosteps")

MAX_UNPROMPTED = 1000
ERROR_ACTION = "error.action"

_logger = logging.getLogger("orca_bridge")


@dataclass(frozen=True, slots=True)
class Work:
    """What one callback does."""

    actions: tuple[str, ...] = ()
    row: str = ""
    """The row as text, where the callback belongs to one."""
    unprompted: bool = False
    """Whether the row is taken without an event from outside: it has none, or the machine's own."""
    takes_errors: bool = False
    """Whether the row's event can be an ``error.action.*`` or ``error.effect.*``."""
    raises: str | None = None
    """The event that is raised after the actions."""
    ignores: bool = False
    """Whether the row discards its event."""


@dataclass(slots=True)
class RunState:
    """What a machine remembers while it runs a step; nothing of it outlives the step."""

    handlers: Mapping[str, Handler] = field(default_factory=dict)
    asynchronous: bool = False
    sent: dict[str, OrcaEvent] = field(default_factory=dict)
    """Events that were sent, by the names under which they were."""
    failures: list[Exception] = field(default_factory=list)
    """Errors of actions that no row has taken yet."""
    effect_failures: list[EffectFailure] = field(default_factory=list)
    """Effects that have failed since the last event from outside."""
    unprompted: int = 0
    """How many rows were taken since the last event from outside."""
    warned: set[str] = field(default_factory=set)
    """Context fields whose type was complained about."""
    pending: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """Invoking states that were entered and whose machines have not begun, with the payload that entered them."""
    results: dict[str, TriggerData] = field(default_factory=dict)
    """What says how invoked machines have ended and has not been handled, by the invoking states."""
    message: tuple[TriggerData, Message] | None = None
    """The one that is being handled."""
    has_checked: bool = False
    """Whether the machines that this one may invoke were asked for their handlers."""
    invoker: tuple[OrcaChart, Invocation] | None = None
    """The machine, and the state of it, that this machine runs for; None too if it was not asked yet."""
    unarmed: list[str] = field(default_factory=list)
    """States that were entered and whose timers have not begun, because the machine is alone."""
    ignored: bool = False
    """Whether the last event from outside was discarded by a bullet ``ignore``."""
    predicates: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """When parallel states with ``sync: custom`` are done, by path."""
    synced: set[str] = field(default_factory=set)
    """Those of them that are active and done."""

    @property
    def is_stale(self) -> bool:
        """Whether a step has left something behind."""
        return bool(self.failures or self.effect_failures or self.unprompted or self.ignored)

    def begin(self) -> None:
        """Start counting anew: an event arrives from outside."""
        for failure in self.failures:
            _logger.error("an action's error was never raised", exc_info=failure)
        self.failures.clear()
        self.effect_failures.clear()
        self.unprompted = 0
        self.ignored = False

    def forget(self) -> None:
        """Forget what a step has left behind that was put back."""
        self.failures.clear()
        self.effect_failures.clear()
        self.synced.clear()
        self.unarmed.clear()
        self.pending.clear()
        self.results.clear()
        self.message = None


def watch_macrosteps(machine: OrcaChart, manager: Any) -> None:
    """
    Have machines invoked and failures raised at the end of each macrostep of this machine's engine.

    The methods are shadowed on the one invoke manager, and its class is left alone: an orchestrator that takes the
    machine in changes the classes of the engine and of its invoke manager, and both stay the same objects. A machine
    with nothing of the kind shadows them only until the macrostep ends in which it has found something to do there.
    """

    def spawn_pending_sync() -> None:
        type(manager).spawn_pending_sync(manager)
        _come_to_rest(machine)

    async def spawn_pending_async() -> None:
        await type(manager).spawn_pending_async(manager)
        _come_to_rest(machine)

    vars(manager).update(spawn_pending_sync=spawn_pending_sync, spawn_pending_async=spawn_pending_async)
    if not type(machine)._invokes:
        return

    def handle_external_event(trigger: TriggerData) -> None:
        type(manager).handle_external_event(manager, trigger)
        receive(machine, trigger)

    vars(manager)["handle_external_event"] = handle_external_event


def _wait_for_rest(machine: OrcaChart) -> None:
    manager = machine._engine._invoke_manager
    if "spawn_pending_sync" not in vars(manager):
        watch_macrosteps(machine, manager)


def _come_to_rest(machine: OrcaChart) -> None:
    if not machine._has_to_rest:
        for name in ("spawn_pending_sync", "spawn_pending_async"):
            vars(machine._engine._invoke_manager).pop(name, None)
    if machine._has_regions:
        settle_regions(machine)
    if type(machine)._invokes:
        settle(machine)
    raise_failure(machine)


def raise_failure(machine: OrcaChart) -> None:
    """
    Raise the first error of an action that no row has taken, or tell who invoked the machine; log later ones.

    A failure of an effect that no row has taken is logged, and is no error of the machine.
    """
    machine._orca.unprompted = 0
    if machine._orca.effect_failures:
        tell_unhandled(machine)
    failures = machine._orca.failures
    if failures:
        first, *others = failures
        failures.clear()
        for other in others:
            _logger.error("another action failed in the same step", exc_info=other)
        if not report_failure(machine, first):
            raise first


def perform(work: Work, trigger: TriggerData, names: Names) -> Any:
    """
    Do the work of one callback.

    Args:
        work: What to do.
        trigger: The event.
        names: What handlers may ask for by name.

    Returns:
        None, or on an asynchronous machine an awaitable of None. Never the result of a handler: the library
        would make it the result of the event, or the data of a done event.
    """
    machine: OrcaChart = trigger.machine  # type: ignore[assignment] # whose callback this is
    if work.takes_errors:
        _take_error(machine, trigger)
    if work.unprompted:
        _count_unprompted(machine, work)
    if work.ignores:
        machine._orca.ignored = True
    return _go_on(machine, work, trigger, names, 0)


def _go_on(machine: OrcaChart, work: Work, trigger: TriggerData, names: Names, first: int) -> Any:
    """Run the actions from one on, up to one that has to be awaited."""
    handlers = machine._orca.handlers
    for number in range(first, len(work.actions)):
        action = work.actions[number]
        try:
            handler = handlers[action]
            result = handler.run(trigger, names)
            if result is None and not handler.effects:
                continue
            if handler.effects or (type(result) is not dict and isawaitable(result)):
                if machine._orca.asynchronous:
                    return _go_on_async(machine, work, trigger, names, number, result)
                _follow_up(machine, handler, result, handler.moment(trigger, names))
            else:
                merge(machine, action, result)
        except Exception as error:  # noqa: BLE001 - every error of an action is an event of the machine
            _fail(machine, action, trigger, error)
            break
    if work.raises is not None:
        _raise_event(machine, work.raises)
    return None


async def _go_on_async(  # noqa: PLR0917 - it continues `_go_on`
    machine: OrcaChart, work: Work, trigger: TriggerData, names: Names, number: int, result: Any
) -> None:
    handler = machine._orca.handlers[work.actions[number]]
    try:
        found = await result if isawaitable(result) else result
        if handler.effects:
            await run_effects_async(machine, handler, found, handler.moment(trigger, names))
            _wait_for_effects(machine)
        else:
            merge(machine, handler.action, found)
    except Exception as error:  # noqa: BLE001 - as above
        _fail(machine, work.actions[number], trigger, error)
        number = len(work.actions)
    rest = _go_on(machine, work, trigger, names, number + 1)
    if rest is not None:
        await rest


def _follow_up(machine: OrcaChart, handler: Handler, result: Any, moment: Moment) -> None:
    """Run the effects of an action of a synchronous machine, which waits for nothing."""
    if isawaitable(result):
        refuse_awaitable(f"action {handler.action!r}", result)
    run_effects(machine, handler, result, moment)
    _wait_for_effects(machine)


def _wait_for_effects(machine: OrcaChart) -> None:
    if machine._orca.effect_failures:
        _wait_for_rest(machine)


def _raise_event(machine: OrcaChart, event: str) -> None:
    chosen = machine._blueprint.event_ids.get(event, event)
    BoundEvent(chosen, name=event, internal=True, _sm=machine).put()


def _fail(machine: OrcaChart, action: str, trigger: TriggerData, error: Exception) -> None:
    """Turn the error of an action into an event of the running macrostep."""
    note = f"in action {action!r} of machine {machine.definition.name!r}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    machine._orca.failures.append(error)
    _wait_for_rest(machine)
    # An action that fails while an error is handled is not handled again: its row could be the same for ever.
    if not _is_error_action(trigger):
        sent = BoundEvent(f"{ERROR_ACTION}.{action}", name=f"{ERROR_ACTION}.{action}", internal=True, _sm=machine)
        sent.put(action=action, message=str(error), exception=error)


def _is_error_action(trigger: TriggerData) -> bool:
    return trigger.event is not None and str(trigger.event).startswith(f"{ERROR_ACTION}.")


def _take_error(machine: OrcaChart, trigger: TriggerData) -> None:
    """Note that a row has taken the error that this event stands for."""
    if str(trigger.event).startswith(f"{ERROR_EFFECT}."):
        note_taken(machine, trigger)
    elif _is_error_action(trigger):
        error = (payload_of(trigger) or {}).get("exception")
        machine._orca.failures[:] = [failure for failure in machine._orca.failures if failure is not error]


def _count_unprompted(machine: OrcaChart, work: Work) -> None:
    _wait_for_rest(machine)
    machine._orca.unprompted += 1
    if machine._orca.unprompted > MAX_UNPROMPTED:
        raise EventlessLoopError(machine.definition.name, MAX_UNPROMPTED, work.row)
