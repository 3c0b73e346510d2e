"""
What is going to happen later: a queue of timers in the order of their deadlines.

A timer that is cancelled stays in the heap, marked, until it comes to the top or until such ones are the greater
part of the heap. So making, cancelling and taking back all cost the logarithm of their number, and nothing piles
up. Timers are numbered over all queues: systems that share a clock agree on the order in which they were made.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ("Timer", "TimerQueue", "TimerStatistics")

_WORTH_COMPACTING = 64
_numbers = count()


class Timer:
    """
    Something that is to happen at a certain time.

    Args:
        due: The time on the clock of its system.
        what: What is to happen; the queue does not look at it.
        keys: What the timer can be found by.
    """

    __slots__ = ("_state", "_stored", "due", "keys", "number", "what")

    WAITING, CANCELLED, FIRED = "waiting", "cancelled", "fired"

    def __init__(self, due: float, what: object, keys: tuple[Hashable, ...] = ()) -> None:
        self.due: float = due
        self.what: object = what
        self.keys: tuple[Hashable, ...] = keys
        self.number: int = next(_numbers)
        """The order of making, over all systems."""
        self._state = ""
        self._stored = False
        """Whether the heap holds the timer, waiting or not."""

    @property
    def is_waiting(self) -> bool:
        """Whether the timer is still going to fire."""
        return self._state == Timer.WAITING

    @property
    def order(self) -> tuple[float, int]:
        """What timers are sorted by: deadline, then order of making."""
        return self.due, self.number

    def __repr__(self) -> str:
        return f"<Timer {self._state or 'new'}, due at {self.due:g}>"


@dataclass(frozen=True, slots=True)
class TimerStatistics:
    """The counts of a timer queue."""

    waiting: int
    """Timers that are going to fire."""
    stored: int
    """Entries in memory, those of cancelled timers included."""
    fired: int
    """Timers that have fired so far."""
    cancelled: int
    """Timers that have been cancelled so far."""


class TimerQueue:
    """The timers of one system; may be used from any thread."""

    def __init__(self) -> None:
        # Reentrant: the garbage collector may run code inside any of these that cancels an event.
        self._mutex = threading.RLock()
        self._heap: list[tuple[float, int, Timer]] = []
        self._filed: dict[Hashable, dict[Timer, None]] = {}
        self._waiting = 0
        self._fired = 0
        self._cancelled = 0

    def add(self, timer: Timer) -> None:
        """Let a timer wait: a new one, or again one that was cancelled or has fired."""
        with self._mutex:
            if timer.is_waiting:
                return
            for key in timer.keys:
                self._filed.setdefault(key, {})[timer] = None
            if not timer._stored:
                timer._stored = True
                heappush(self._heap, (timer.due, timer.number, timer))
            timer._state = Timer.WAITING
            self._waiting += 1

    def cancel(self, timer: Timer) -> None:
        """Let a timer not fire; nothing happens if it is not waiting."""
        with self._mutex:
            if timer.is_waiting:
                self._cancelled += 1
                self._settle(timer, Timer.CANCELLED)
                self._compact()

    def restore(self, timer: Timer) -> None:
        """Take the cancelling of a timer back; nothing happens if it was not cancelled."""
        with self._mutex:
            if timer._state == Timer.CANCELLED:
                self._cancelled -= 1
                self.add(timer)

    def pop_due(self, now: float) -> Timer | None:
        """Take out the timer that is due first, if it is due at `now`."""
        with self._mutex:
            timer = self.first
            if timer is None or timer.due > now:
                return None
            heappop(self._heap)
            timer._stored = False
            self._fired += 1
            self._settle(timer, Timer.FIRED)
            return timer

    @property
    def first(self) -> Timer | None:
        """The timer that is due first."""
        with self._mutex:
            while self._heap and not self._heap[0][2].is_waiting:
                heappop(self._heap)[2]._stored = False
            return self._heap[0][2] if self._heap else None

    @property
    def next_due(self) -> float | None:
        """When the first timer is due."""
        first = self.first
        return None if first is None else first.due

    def filed(self, key: Hashable) -> tuple[Timer, ...]:
        """Return the waiting timers with a key, in the order in which they were added."""
        with self._mutex:
            return tuple(timer for timer in self._filed.get(key, ()) if timer.is_waiting)

    def pending(self) -> tuple[Timer, ...]:
        """Return all waiting timers, in the order in which they fire."""
        with self._mutex:
            return tuple(timer for _, _, timer in sorted(self._heap) if timer.is_waiting)

    def clear(self) -> None:
        """Cancel all timers."""
        for timer in self.pending():
            self.cancel(timer)

    def statistics(self) -> TimerStatistics:
        """Count."""
        with self._mutex:
            return TimerStatistics(self._waiting, len(self._heap), self._fired, self._cancelled)

    def __len__(self) -> int:
        return self._waiting

    def __repr__(self) -> str:
        due = self.next_due
        return f"<TimerQueue: {self._waiting} waiting{'' if due is None else f', the next due at {due:g}'}>"

    def _settle(self, timer: Timer, state: str) -> None:
        timer._state = state
        self._waiting -= 1
        for key in timer.keys:
            filed = self._filed.get(key, {})
            filed.pop(timer, None)
            if not filed:
                self._filed.pop(key, None)

    def _compact(self) -> None:
        if len(self._heap) < _WORTH_COMPACTING or len(self._heap) < 2 * self._waiting:
            return
        kept = []
        for entry in self._heap:
            if entry[2].is_waiting:
                kept.append(entry)
            else:
                entry[2]._stored = False
        heapify(kept)
        self._heap = kept
