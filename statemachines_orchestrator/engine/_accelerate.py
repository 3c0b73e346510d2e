"""A single machine on our engine, without an orchestrator."""

from __future__ import annotations

from typing import Any, TypeVar

from statemachine import StateChart
from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.sync import SyncEngine

from ._events import quicken
from ._planned import PlannedEngine, SyncPlannedEngine
from ._planned_async import AsyncPlannedEngine

__all__ = ("accelerate", "keep_planned")

_OURS: dict[type, type[PlannedEngine]] = {SyncEngine: SyncPlannedEngine, AsyncEngine: AsyncPlannedEngine}

Machine = TypeVar("Machine", bound="StateChart[Any]")


def accelerate(machine: Machine) -> Machine:
    """
    Let a machine run its events several times as fast, with the same behaviour.

    Its engine is replaced by the one that orchestrators give their members. Nothing else changes: callbacks,
    listeners, invocations and queued events stay.

    Args:
        machine: A machine of python-statemachine's, started or not, between two events.

    Returns:
        The same machine. One that is fast already, such as a member of an orchestrator, is left as it is.

    Raises:
        TypeError: It is no machine, or has an engine of somebody else's.
        RuntimeError: It is in the middle of an event.
    """
    candidate: Any = machine
    if not isinstance(candidate, StateChart):
        raise TypeError(_no_machine(candidate))
    engine: Any = machine._engine
    if isinstance(engine, PlannedEngine):
        return machine
    if type(engine) not in _OURS:
        msg = f"{type(machine).__name__} runs on {type(engine).__qualname__}, which is not python-statemachine's own"
        raise TypeError(msg)
    if engine._processing.locked():
        msg = f"{type(machine).__name__} is in the middle of an event: accelerate it before or after, not in a callback"
        raise RuntimeError(msg)
    keep_planned(engine)
    return machine


def _no_machine(candidate: Any) -> str:
    """Say why something cannot be accelerated that is no machine."""
    kind: type = candidate if isinstance(candidate, type) else type(candidate)
    if hasattr(kind, "machine_classes"):  # an orchestrator, of which nothing in this layer knows
        return f"{kind.__name__} is an orchestrator: its members are fast already, there is nothing to accelerate"
    hint = f": accelerate({kind.__name__}())" if issubclass(kind, StateChart) else ""
    return f"accelerate takes a machine, an instance of a StateMachine or StateChart class, not {kind.__name__}{hint}"


def keep_planned(engine: Any) -> None:
    """Let an engine of python-statemachine's, or of a member, be one of ours whenever its machine is alone."""
    engine.alone = AsyncPlannedEngine if issubclass(type(engine), AsyncEngine) else SyncPlannedEngine
    if not isinstance(engine, PlannedEngine):
        engine.__class__ = engine.alone
        engine.adopt()
        quicken(type(engine.sm))
