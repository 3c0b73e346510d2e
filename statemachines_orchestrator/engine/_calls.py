"""Events of asynchronous machines whose turns somebody else gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachine.engines.base import _running_engine

from ._trigger import Trigger

if TYPE_CHECKING:
    from statemachine.event import BoundEvent

    from ._planned_async import AsyncPlannedEngine

__all__ = ("process_call",)


async def process_call(engine: AsyncPlannedEngine, event: BoundEvent, args: tuple[Any, ...]) -> Any:
    """
    Run one event past the queue, and what comes of it.

    Args:
        engine: The engine of a machine alone, at rest.
        event: An event of the machine.
        args: What it was sent with.

    Returns:
        What the event's caller gets.
    """
    trigger: Any = Trigger(engine.sm, event, args, {})
    engine._processing.acquire(blocking=False)
    token = _running_engine.set(engine)
    try:
        result = await engine._take_external_event(trigger)
        if (
            engine.internal_queue.queue.queue
            or engine.external_queue.queue.queue
            or engine.programs.has_eventless
            or (engine.invocations is not None and engine._has_to_spawn(engine.invocations))
            or engine._has_more_to_do
        ):
            await engine._run_processing_loop(None)
    except Exception:
        engine.clear()
        raise
    finally:
        _running_engine.reset(token)
        engine._processing.release()
    return None if result is engine._sentinel else result
