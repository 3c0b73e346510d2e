"""
The one place that says which engines are compared: everything that claims to be the same as stock reads it here.

An engine is anything that takes a machine and behaves as ``SyncEngine`` or ``AsyncEngine`` of python-statemachine do.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import statemachine.engines.async_ as stock_async
import statemachine.engines.sync as stock_sync
from statemachine import StateChart
from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.sync import SyncEngine

from statemachines_orchestrator.engine import AsyncPlannedEngine, SyncPlannedEngine, _making, accelerate
from statemachines_orchestrator.engine._kind import learn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statemachine.event_data import TriggerData

__all__ = ("ACCELERATED", "CLOCKS", "OURS", "PREPARED", "STOCK", "Engines", "engines_replaced", "queued")


@dataclass(frozen=True, slots=True)
class Engines:
    """What runs machines without and with asynchronous callbacks."""

    sync: type[Any]
    asynchronous: type[Any]
    then: Callable[[Any], object] | None = None
    """What else is done with a machine that has been made."""
    is_prepared: bool = False
    """Whether a class is known before its first machine is made, so that all are made as members are."""

    def engine_for(self, machine: StateChart[Any]) -> Any:
        """Make the engine of a machine, by the rule of python-statemachine."""
        return (self.asynchronous if machine._callbacks.has_async_callbacks else self.sync)(machine)


STOCK = Engines(SyncEngine, AsyncEngine)
OURS = Engines(SyncPlannedEngine, AsyncPlannedEngine)
PREPARED = Engines(SyncPlannedEngine, AsyncPlannedEngine, is_prepared=True)
"""Ours, and every class is one that has had a member: what its machines share is not made for each of them."""
ACCELERATED = Engines(SyncEngine, AsyncEngine, accelerate)
"""Stock until the machine has been made, ours from then on."""

CLOCKS = ("statemachine.event_data", "statemachine.engines.sync", "statemachine.engines.async_")
"""The modules that read the time or sleep: names of theirs are ``monotonic``, ``sleep`` or ``asyncio``."""


def queued(machine: StateChart[Any]) -> list[TriggerData]:
    """Return the events that wait in a machine, the internal ones first, in the order in which they would be taken."""
    engine = machine._engine
    return [*sorted(engine.internal_queue.queue.queue), *sorted(engine.external_queue.queue.queue)]


@contextmanager
def engines_replaced(engines: Engines) -> Iterator[list[str]]:
    """
    Run every machine that is made inside the block on these engines.

    Args:
        engines: What stands in for stock; stock's names are replaced as well, for code that asks for one by name.

    Yields:
        The class names of the machines that were made, growing.
    """
    stock_rule, stock_constructor, stock_making = StateChart._get_engine, StateChart.__init__, _making._engine_for
    made: list[str] = []

    def engine_for(machine: StateChart[Any]) -> Any:
        made.append(type(machine).__name__)
        return engines.engine_for(machine)

    def engine_of_prepared(machine: StateChart[Any], kind: Any) -> Any:
        made.append(type(machine).__name__)
        return stock_making(machine, kind)

    StateChart._get_engine = engine_for  # type: ignore[method-assign]
    stock_sync.SyncEngine, stock_async.AsyncEngine = engines.sync, engines.asynchronous  # type: ignore[misc]
    if engines.is_prepared:
        _making.FAMILIAR.add(engine_for)
        _making._engine_for = engine_of_prepared
        StateChart.__init__ = _preparing(stock_constructor, engine_for)  # type: ignore[method-assign]
    try:
        yield made
    finally:
        StateChart._get_engine = stock_rule  # type: ignore[method-assign]
        StateChart.__init__ = stock_constructor  # type: ignore[method-assign]
        _making._engine_for = stock_making
        _making.FAMILIAR.discard(engine_for)
        stock_sync.SyncEngine, stock_async.AsyncEngine = SyncEngine, AsyncEngine  # type: ignore[misc]


class _SleepingEngine(SyncPlannedEngine):
    """The engine of a machine that is only looked at."""

    def start(self, **kwargs: Any) -> None:
        """Enter nothing."""


class _SleepingAsyncEngine(AsyncPlannedEngine):
    """The same for a machine with asynchronous callbacks."""

    def start(self, **kwargs: Any) -> None:
        """Enter nothing."""


def _get_sleeping_engine(machine: StateChart[Any]) -> Any:
    return Engines(_SleepingEngine, _SleepingAsyncEngine).engine_for(machine)


def _preparing(constructor: Callable[..., None], engine_for: Callable[[StateChart[Any]], Any]) -> Callable[..., None]:
    """
    Return a constructor that gets to know a class before it makes the first machine of it.

    Args:
        constructor: The constructor of python-statemachine.
        engine_for: The rule by which machines get their engines.
    """
    looked_at: set[type] = set()

    @wraps(constructor)
    def prepare_and_make(machine: StateChart[Any], *args: Any, **kwargs: Any) -> None:
        kind = type(machine)
        own = kind.__init__
        if kind not in looked_at:
            looked_at.add(kind)
            _get_to_know(kind, constructor, engine_for)
        # Where the class has got our constructor on the way, that is the one that was meant.
        (constructor if kind.__init__ is own else kind.__init__)(machine, *args, **kwargs)

    return prepare_and_make


def _get_to_know(kind: type[StateChart[Any]], constructor: Callable[..., None], engine_for: Callable[..., Any]) -> None:
    """Let the machines of a class be made as those of a class that has members."""
    example = kind.__new__(kind)
    StateChart._get_engine = _get_sleeping_engine  # type: ignore[method-assign]
    try:
        with suppress(Exception):  # the machine that is made next says what is wrong
            constructor(example)
            if _making.prepare(kind):
                learn(example)
    finally:
        StateChart._get_engine = engine_for  # type: ignore[method-assign]
