"""
The one place that says which engines are compared: everything that claims to be the same as stock reads it here.

An engine is anything that takes a machine and behaves as ``SyncEngine`` or ``AsyncEngine`` of python-statemachine do.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import statemachine.engines.async_ as stock_async
import statemachine.engines.sync as stock_sync
from statemachine import StateChart
from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.sync import SyncEngine

from statemachines_orchestrator.engine import AsyncPlannedEngine, SyncPlannedEngine, accelerate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statemachine.event_data import TriggerData

__all__ = ("ACCELERATED", "CLOCKS", "OURS", "STOCK", "Engines", "engines_replaced", "queued")


@dataclass(frozen=True, slots=True)
class Engines:
    """What runs machines without and with asynchronous callbacks."""

    sync: type[Any]
    asynchronous: type[Any]
    then: Callable[[Any], object] | None = None
    """What else is done with a machine that has been made."""

    def engine_for(self, machine: StateChart[Any]) -> Any:
        """Make the engine of a machine, by the rule of python-statemachine."""
        return (self.asynchronous if machine._callbacks.has_async_callbacks else self.sync)(machine)


STOCK = Engines(SyncEngine, AsyncEngine)
OURS = Engines(SyncPlannedEngine, AsyncPlannedEngine)
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
    before = StateChart._get_engine
    made: list[str] = []

    def engine_for(machine: StateChart[Any]) -> Any:
        made.append(type(machine).__name__)
        return engines.engine_for(machine)

    StateChart._get_engine = engine_for  # type: ignore[method-assign]
    stock_sync.SyncEngine, stock_async.AsyncEngine = engines.sync, engines.asynchronous  # type: ignore[misc]
    try:
        yield made
    finally:
        StateChart._get_engine = before  # type: ignore[method-assign]
        stock_sync.SyncEngine, stock_async.AsyncEngine = SyncEngine, AsyncEngine  # type: ignore[misc]
