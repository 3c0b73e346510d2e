"""Events between machines and whoever listens: publish and subscribe, effects, requests and responses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from inspect import isawaitable
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

from orca_bridge.convert._effects import result_of

from .types import Effect, EffectResult, EffectStatus

__all__ = (
    "EffectHandler",
    "Event",
    "EventBus",
    "EventHandler",
    "EventType",
    "get_event_bus",
    "reset_event_bus",
)

_F = TypeVar("_F", bound=Callable[..., Any])

_logger = logging.getLogger("orca_bridge")


class EventType(Enum):
    """What can be said on a bus; any other text may stand for a type of one's own."""

    STATE_CHANGED = "orca.state.changed"
    TRANSITION_STARTED = "orca.transition.started"
    TRANSITION_COMPLETED = "orca.transition.completed"
    EFFECT_EXECUTING = "orca.effect.executing"
    EFFECT_COMPLETED = "orca.effect.completed"
    EFFECT_FAILED = "orca.effect.failed"
    MACHINE_STARTED = "orca.machine.started"
    MACHINE_STOPPED = "orca.machine.stopped"
    MACHINE_COMPLETED = "orca.machine.completed"
    WORKFLOW_STATE_CHANGED = "workflow.state.changed"
    AGENT_TASK_ASSIGNED = "agent.task.assigned"
    AGENT_TASK_COMPLETED = "agent.task.completed"
    SCHEDULING_QUERY = "scheduling.query"
    SCHEDULING_QUERY_RESPONSE = "scheduling.query_response"


@dataclass
class Event:
    """
    Something that happened, or that a machine is told.

    Attributes:
        type: An `EventType`, or a text of one's own.
        source: Who says it; machines put their name there.
        event_name: For an event sent to a machine: its name in the document.
        correlation_id: What a response has in common with its request.
        timestamp: When it was made, in UTC.
        payload: What belongs to it.
    """

    type: EventType | str
    source: str
    event_name: str | None = None
    correlation_id: str | None = None
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    payload: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"Event({_key(self.type)}, source={self.source})"

    @property
    def name(self) -> str:
        """What a machine takes it for: its event name, else its type."""
        return self.event_name or _key(self.type)


EventHandler: TypeAlias = Callable[[Event], Awaitable[Any] | Any]
"""A subscriber, synchronous or not."""
EffectHandler: TypeAlias = Callable[
    [Effect], Awaitable[EffectResult | Mapping[str, Any] | None] | EffectResult | Mapping[str, Any] | None
]
"""What runs an effect, synchronous or not; a mapping is the data of a success, and so is None."""


class EventBus:
    """Subscribers by event type, and the handlers of effects. Made for one event loop."""

    def __init__(self) -> None:
        self._subscribers: dict[str, list[EventHandler]] = {}
        self._effects: dict[str, EffectHandler] = {}

    def __repr__(self) -> str:
        subscribers = sum(map(len, self._subscribers.values()))
        return f"EventBus({subscribers} subscribers, {len(self._effects)} effect handlers)"

    # -- publish and subscribe ------------------------------------------------------------------------------

    def subscribe(self, event_type: EventType | str, handler: EventHandler) -> None:
        """
        Have a handler called for each event of a type; a handler that is given twice is called once.

        Args:
            event_type: An `EventType` or any text.
            handler: A function of the `Event`, synchronous or not.
        """
        handlers = self._subscribers.setdefault(_key(event_type), [])
        if handler not in handlers:
            handlers.append(handler)

    def unsubscribe(self, event_type: EventType | str, handler: EventHandler) -> None:
        """Undo `subscribe`; for a handler that is not subscribed, do nothing."""
        handlers = self._subscribers.get(_key(event_type), [])
        if handler in handlers:
            handlers.remove(handler)
            if not handlers:
                del self._subscribers[_key(event_type)]

    async def publish(self, event: Event) -> None:
        """
        Call all subscribers of the event's type at the same time, and wait for them.

        What a subscriber raises is logged; it touches neither the others nor the publisher.
        """
        handlers = self._subscribers.get(_key(event.type))
        if handlers:
            await asyncio.gather(*(_tell(handler, event) for handler in tuple(handlers)))

    def hears(self, types: Iterable[str]) -> bool:
        """Tell whether anybody would hear an event of one of some types, which are given as their texts."""
        return bool(self._subscribers) and not self._subscribers.keys().isdisjoint(types)

    # -- effects --------------------------------------------------------------------------------------------

    @property
    def effect_handler_types(self) -> list[str]:
        """The types of effects that have a handler."""
        return list(self._effects)

    def register_effect_handler(self, effect_type: str, handler: EffectHandler) -> None:
        """Let a handler run the effects of a type, in place of the one before."""
        self._effects[effect_type] = handler

    def effect_handler(self, effect_type: str) -> Callable[[_F], _F]:
        """
        Let the decorated function run the effects of a type.

        Added to what the published runtime has.
        """

        def register(handler: _F) -> _F:
            self.register_effect_handler(effect_type, handler)
            return handler

        return register

    async def execute_effect(self, effect: Effect) -> EffectResult:
        """
        Run an effect by the handler of its type.

        Returns:
            What the handler gave; a failure if there is none, or if it raised.
        """
        handler = self._effects.get(effect.type)
        if handler is None:
            return EffectResult(EffectStatus.FAILURE, error=f"No handler registered for effect type: {effect.type}")
        return await result_of(handler, effect)

    # -- requests -------------------------------------------------------------------------------------------

    async def request_response(  # noqa: PLR0917 - the published signature
        self,
        request_type: EventType | str,
        request_payload: dict[str, Any],
        response_type: EventType | str,
        correlation_id: str | None = None,
        timeout: float = 5.0,  # noqa: ASYNC109 - the published signature
        source: str = "orca",
    ) -> Any:
        """
        Publish a request and wait for the first response that has its correlation id.

        Args:
            request_type: The type of the request.
            request_payload: What it carries.
            response_type: The type of the response.
            correlation_id: What request and response share; a new one by default.
            timeout: How long to wait, in seconds.
            source: Who asks.

        Returns:
            The payload of the response.

        Raises:
            TimeoutError: No response came in time.
        """
        shared = correlation_id or str(uuid4())
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def receive(event: Event) -> None:
            if event.correlation_id == shared and not answer.done():
                answer.set_result(event.payload)

        self.subscribe(response_type, receive)
        try:
            async with asyncio.timeout(timeout):
                await self.publish(Event(request_type, source, correlation_id=shared, payload=request_payload))
                return await answer
        except TimeoutError:
            asked = _key(request_type)
            raise TimeoutError(f"request {shared} ({asked}) had no {_key(response_type)} within {timeout}s") from None
        finally:
            self.unsubscribe(response_type, receive)


_shared: list[EventBus] = []


def get_event_bus() -> EventBus:
    """Give the bus of this process, which machines use unless they are given another one."""
    if not _shared:
        _shared.append(EventBus())
    return _shared[0]


def reset_event_bus() -> None:
    """Forget the bus of this process: the next `get_event_bus` makes a new one. For tests."""
    _shared.clear()


async def _tell(handler: EventHandler, event: Event) -> None:
    try:
        found = handler(event)
        if isawaitable(found):
            await found
    except Exception:
        _logger.exception("a subscriber of %s failed", _key(event.type))


def _key(event_type: EventType | str) -> str:
    return event_type.value if isinstance(event_type, EventType) else str(event_type)
