"""The queues of an engine: python-statemachine's, without a condition variable for every one of them."""

from __future__ import annotations

from heapq import heappop, heappush
from queue import Empty
from threading import Lock
from typing import TYPE_CHECKING, Any

from statemachine.engines.base import EventQueue

from ._trigger import Trigger, stamp

if TYPE_CHECKING:
    from statemachine.event_data import TriggerData

__all__ = ("LightQueue",)

_mutex = Lock()
"""Of all queues: nobody holds it for longer than it takes to put one event in or to take one out."""


class _Heap:
    """What python-statemachine's code asks of a `queue.PriorityQueue`."""

    __slots__ = ("queue",)
    mutex = _mutex

    def __init__(self) -> None:
        self.queue: list[TriggerData] = []

    def qsize(self) -> int:
        return len(self.queue)


_nothing: Any = _Heap()
"""Stands for the heap of every queue in which no event has ever been."""


class LightQueue(EventQueue):
    """Events in the order of time, and of those due at the same time in the order in which they were made."""

    __slots__ = ("queue",)
    queue: Any

    def __init__(self) -> None:
        self.queue = _nothing  # what EventQueue uses of it is there

    @classmethod
    def of(cls, queue: EventQueue) -> LightQueue:
        """Return a queue with what another one holds."""
        light = cls()
        for trigger in queue.queue.queue:
            light.put(trigger)
        return light

    def is_empty(self) -> bool:
        """Whether the queue holds no event that has not been cancelled."""
        return not self.queue.queue or bool(super().is_empty())  # type: ignore[no-untyped-call]

    def put(self, trigger_data: TriggerData) -> None:
        """Put an event on the queue."""
        stamp(trigger_data)
        if type(trigger_data) is not Trigger:
            trigger_data.__class__ = Trigger  # python-statemachine compares none but triggers of one class
        with _mutex:
            if self.queue is _nothing:
                self.queue = _Heap()
            heappush(self.queue.queue, trigger_data)

    def pop(self) -> TriggerData:
        """
        Take the first event.

        Raises:
            Empty: There is none.
        """
        with _mutex:
            if not self.queue.queue:
                raise Empty
            found: TriggerData = heappop(self.queue.queue)
        return found

    def clear(self) -> None:
        """Forget all events."""
        if self.queue.queue:
            super().clear()  # type: ignore[no-untyped-call]
