"""
Put a machine on a member engine, and take it off again.

A machine that the orchestrator makes itself gets its engine while it is made, so that it does not enter its
initial state before its siblings exist. python-statemachine asks `StateChart._get_engine` for the engine at the
end of `__init__`; there is no public way in. While (and only while) some orchestrator is making a member, that
method asks the current context first. Other threads and tasks are not affected, and nothing stays patched.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from statemachine import StateChart
from statemachine.callbacks import CallbacksRegistry
from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.sync import SyncEngine
from statemachine.event_data import TriggerData
from statemachine.invoke import InvokeManager

from ._engines import AsyncMemberEngine, SyncMemberEngine
from ._events import quicken
from ._invocations import MemberInvokeManager, remember_handlers
from ._kind import learn
from ._making import FAMILIAR, Making, is_prepared, making, prepare
from ._member import MemberEngine
from ._planned import PlannedEngine, SyncPlannedEngine
from ._planned_async import AsyncPlannedEngine
from ._programs import INITIAL_EVENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._host import Host

__all__ = ("can_adopt", "engine_of", "hand_on", "host_of", "install", "lets_go", "make_held", "release")

_MEMBER_ENGINES: dict[type, type[MemberEngine]] = {
    SyncEngine: SyncMemberEngine,
    AsyncEngine: AsyncMemberEngine,
}
_STOCK_ENGINES: dict[type, type] = {member: stock for stock, member in _MEMBER_ENGINES.items()}
_OURS = frozenset(_MEMBER_ENGINES.values())
_MEMBER_ENGINES |= {SyncPlannedEngine: SyncMemberEngine, AsyncPlannedEngine: AsyncMemberEngine}


_stock_get_engine: Callable[[StateChart[Any]], Any] = StateChart._get_engine


def _get_engine(machine: StateChart[Any]) -> Any:
    engine = _stock_get_engine(machine)
    member = making.get()
    if member is not None and isinstance(machine, member.expected) and type(engine) in _MEMBER_ENGINES:
        _attach(engine, member.host)
        member.machines.append(machine)
    return engine


FAMILIAR.add(_get_engine)


class _Hook:
    """Counts the orchestrators that are making a member; the hook is in place while there are any."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._users = 0

    @contextmanager
    def in_place(self) -> Iterator[None]:
        with self._mutex:
            self._users += 1
            StateChart._get_engine = _get_engine  # type: ignore[method-assign]
        try:
            yield
        finally:
            with self._mutex:
                self._users -= 1
                if not self._users:
                    StateChart._get_engine = _stock_get_engine  # type: ignore[method-assign]


_hook = _Hook()


def make_held(host: Host, expected: tuple[type, ...], factory: Callable[[], Any], *, is_exact: bool = False) -> Any:
    """
    Call `factory` and return what it makes, its initial state not yet entered.

    Args:
        host: The system that the machine will belong to.
        expected: The classes of which the made machine is an instance; machines of other classes that the
            factory makes on its way start as usual.
        factory: Makes and returns one machine.
        is_exact: Whether it makes an instance of the one class that is expected, and of no subclass.

    Returns:
        Whatever the factory returned: the caller checks it.
    """
    member = Making(host, expected)
    token = making.set(member)
    try:
        # A prepared class asks by itself.
        with nullcontext() if is_exact and is_prepared(expected[0]) else _hook.in_place():
            made = factory()
    except BaseException:
        making.reset(token)
        for machine in member.machines:
            with suppress(Exception):  # it may need the orchestrator to start; what the factory raised is the news
                release(machine)
        raise
    making.reset(token)
    for machine in member.machines:
        if machine is not made:
            release(machine)
    return made


def engine_of(machine: StateChart[Any]) -> MemberEngine:
    """Return the engine of a machine that is a member."""
    engine = machine._engine
    if not isinstance(engine, MemberEngine):  # pragma: no cover - a caller's mistake inside this package
        msg = f"{type(machine).__name__} is not a member of an orchestrator"
        raise TypeError(msg)
    return engine


def host_of(machine: StateChart[Any]) -> Host | None:
    """Return the system that the machine belongs to, if any."""
    engine = machine._engine
    return engine._host if isinstance(engine, MemberEngine) else None


def hand_on(engine: Any, trigger: TriggerData | None) -> Any:
    """
    Deliver an event to a machine that has left its system, or has come into another one.

    Returns:
        What the caller of the event gets.
    """
    host = host_of(engine.sm)
    if host is not None:
        return host.deliver(engine, trigger)
    if trigger is not None:
        engine.put(trigger)
    return engine.processing_loop()


def lets_go(host: Host) -> bool:
    """Whether an orchestrator gives its machine to another one that wants it: it was only made for the time being."""
    asked = getattr(host.orchestrator, "__orchestrator_lets_go__", None)
    return asked is not None and bool(asked())


def can_adopt(machine: StateChart[Any]) -> bool:
    """Whether the machine runs on an engine that `install` knows."""
    return isinstance(machine._engine, MemberEngine) or type(machine._engine) in _MEMBER_ENGINES


def install(machine: StateChart[Any], host: Host) -> MemberEngine:
    """
    Make a running machine a member: its engine stays the same object and becomes a member engine.

    An asynchronous machine that has not entered its initial state yet is held: its system activates it.
    """
    before = host_of(machine)
    if before is not host:
        if before is not None and lets_go(before):
            release(machine, moves_on=True)
        _attach(machine._engine, host)
        engine = engine_of(machine)
        _take_over_queue(engine, host)
    return engine_of(machine)


def release(machine: StateChart[Any], *, moves_on: bool = False) -> None:
    """
    Give the machine its stock engine back, or the one it was accelerated with; one that was held starts now.

    Its delayed events go to its own queue, where python-statemachine lets whoever sends the next event wait for them. A
    machine that has a way of its own to let them pass says so by ``__orchestrator_leaves__``.

    Args:
        machine: A member.
        moves_on: Whether another orchestrator takes it in now, and its delayed events with it.
    """
    engine = engine_of(machine)
    host, held = engine._host, engine._held
    engine._held = engine._host = None
    engine.forget_place()
    queued = engine.external_queue.drain()
    delayed = host.take_delayed(engine) if host is not None else []
    keeps = None if moves_on else getattr(machine, "__orchestrator_leaves__", None)
    if keeps is None:
        now = _stock_time(machine)
        for trigger, seconds in delayed:
            trigger.execution_time = now + seconds
            queued.append(trigger)
    for trigger in queued:
        trigger.kwargs = dict(trigger.kwargs)  # without the orchestrator
        engine.external_queue.put(trigger)
    engine.load()
    engine._invoke_manager.__class__ = InvokeManager
    stock: Any = engine
    if engine.alone is None:
        machine._callbacks.__class__ = CallbacksRegistry
        stock.__class__ = _STOCK_ENGINES[type(engine)]
    else:
        alone: Any = stock
        alone.__class__ = engine.alone
        alone.adopt()
    if held is not None:
        stock.start(**held)
        for trigger in stock.external_queue.drain():
            if str(trigger.event) == INITIAL_EVENT:
                trigger.execution_time = 0.0  # before what has been queued meanwhile
            stock.external_queue.put(trigger)
    if keeps is not None and delayed:
        keeps(delayed)


def _attach(engine: Any, host: Host) -> None:
    before = type(engine)
    was_ours = issubclass(before, PlannedEngine)
    engine.__class__ = _MEMBER_ENGINES[before]
    if was_ours and not issubclass(before, MemberEngine):
        engine.alone = before
    engine.belong_to(host)
    is_ours = type(engine) in _OURS
    if not (was_ours and is_ours):
        engine.adopt()
    if engine.invocations is not None:
        engine.invocations.__class__ = MemberInvokeManager
        remember_handlers(engine.invocations)
    quicken(type(engine.sm))
    if is_ours and prepare(type(engine.sm)):
        learn(engine.sm)


def _take_over_queue(engine: MemberEngine, host: Host) -> None:
    """Hold a start that is still queued, give events for later to the host, and leave the rest in the queue."""
    waiting = engine.external_queue.drain()
    now = _stock_time(engine.sm) if waiting else 0.0
    for trigger in waiting:
        if str(trigger.event) == INITIAL_EVENT:
            engine._held = dict(trigger.kwargs)
        elif trigger.execution_time > now:
            host.delay(engine, trigger, trigger.execution_time - now)
        else:
            engine.enqueue_now(trigger)


def _stock_time(machine: StateChart[Any]) -> float:
    """Return the time by which python-statemachine stamps its events, read off such a stamp."""
    return float(TriggerData(machine, event=None).execution_time)
