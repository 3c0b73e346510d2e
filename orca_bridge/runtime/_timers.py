"""Time for machines: the event loop's, or one that is moved by hand."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._lower import Timeout

Ring: TypeAlias = "Callable[[], Awaitable[None]]"
"""What a clock calls; a clock that is moved by hand waits for what comes of it."""

__all__ = ("Alarm", "Clock", "LoopClock", "ManualClock", "Timer", "Timers")


class Alarm(Protocol):
    """What a clock gives for a call that it will make."""

    def cancel(self) -> None:
        """Make it not happen."""


class Clock(Protocol):
    """What machines need of time."""

    def now(self) -> float:
        """Give the time in seconds, from any beginning; it never goes back."""
        ...

    def call_at(self, when: float, callback: Ring) -> Alarm:
        """Call back once, at a time of this clock."""
        ...


class LoopClock:
    """The time of the running event loop."""

    def now(self) -> float:
        """Give the loop's time in seconds."""
        return asyncio.get_running_loop().time()

    def call_at(self, when: float, callback: Ring) -> Alarm:
        """Call back at a time of the loop."""
        return asyncio.get_running_loop().call_at(when, callback)


@dataclass(slots=True)
class _Call:
    callback: Ring | None

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """
    A clock for tests, which stands still until it is moved.

    Args:
        start: The time it begins at, in seconds.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._calls: list[tuple[float, int, _Call]] = []
        self._count = count()

    def __repr__(self) -> str:
        return f"ManualClock({self._now}, {len(self._calls)} calls)"

    def now(self) -> float:
        """Give the time in seconds."""
        return self._now

    def call_at(self, when: float, callback: Ring) -> Alarm:
        """Call back when the clock is moved to a time, or past it."""
        call = _Call(callback)
        heapq.heappush(self._calls, (when, next(self._count), call))
        return call

    async def advance(self, seconds: float) -> None:
        """
        Move on, and let everything that is due happen in order, also what becomes due by it.

        Not to be called from within a step of a machine that goes by this clock.

        Args:
            seconds: How far; the clock does not go back.

        Raises:
            ValueError: It is negative.
        """
        if seconds < 0:
            raise ValueError(f"a clock does not go back by {-seconds} seconds")
        end = self._now + seconds
        while self._calls and self._calls[0][0] <= end:
            when, _, call = heapq.heappop(self._calls)
            self._now = max(self._now, when)
            if call.callback is not None:
                await call.callback()
        self._now = end


@dataclass(slots=True, eq=False)
class Timer:
    """A timer that is running, for one activation of its state."""

    timeout: Timeout
    due: float
    alarm: Alarm
    spent: bool = False


@dataclass(slots=True)
class Timers:
    """The timers of one machine."""

    clock: Clock
    fire: Callable[[Timer], Awaitable[None]]
    running: dict[tuple[str, int], Timer] = field(default_factory=dict)

    def now(self) -> float:
        """Give the time; without timers nobody needs it, and there may be no event loop to ask."""
        return self.clock.now() if self.running else 0.0

    def arm(self, timeout: Timeout, remaining: float | None = None) -> None:
        """Start a timer, in place of the one of an earlier activation."""
        self._cancel((timeout.path, timeout.index))
        due = self.clock.now() + max(0.0, timeout.seconds if remaining is None else remaining)
        timer = Timer(timeout, due, self.clock.call_at(due, lambda: self._ring(timeout)))
        self.running[timeout.path, timeout.index] = timer

    def cancel(self, path: str) -> None:
        """Stop the timers of a state that is left; those that have rung and wait for their turn are void."""
        for key in [key for key in self.running if key[0] == path]:
            self._cancel(key)

    def cancel_all(self) -> None:
        """Stop all timers."""
        for key in list(self.running):
            self._cancel(key)

    def is_current(self, timer: Timer) -> bool:
        """Tell whether a timer's state is still in the activation that it was armed for."""
        return self.running.get((timer.timeout.path, timer.timeout.index)) is timer

    def _ring(self, timeout: Timeout) -> Awaitable[None]:
        timer = self.running[timeout.path, timeout.index]
        timer.spent = True
        return self.fire(timer)

    def _cancel(self, key: tuple[str, int]) -> None:
        timer = self.running.pop(key, None)
        if timer is not None:
            timer.alarm.cancel()
