"""A clock that stands still until it is advanced."""

from __future__ import annotations

import math
import threading
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet

from statemachine.utils import run_async_from_sync

from statemachines_orchestrator.system import Clock, EventCall, Timed, Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachines_orchestrator.system import Ticket, Timer

__all__ = ("SimulatedClock",)


class SimulatedClock(Clock):
    """
    Time that passes when you say so, and then fires the timers of all systems that go by it.

        clock = SimulatedClock()
        shop = Shop(clock=clock)
        shop.order.remind()
        clock.advance(days=14)

    It moves from deadline to deadline, of all systems together, and stands at each while its timers fire, in the
    order in which they were made. So a step sees the time at which it happens, and timers that it makes on the way
    fire on the same way.

    If a timer fails, its exception goes to who advances, and the clock stays at that deadline: advance again to go on.

    If a system is asynchronous, `advance` and `advance_to_next` return an awaitable; the time passes even if nobody
    awaits it.

    Args:
        start: The time at the beginning, in seconds.

    Raises:
        ValueError: The start is no finite number.
    """

    drives_systems: ClassVar[bool] = True

    def __init__(self, start: float = 0.0) -> None:
        if not math.isfinite(start):
            msg = f"a clock cannot start at {start}: pass a finite number of seconds, such as 0.0"
            raise ValueError(msg)
        self._now = float(start)
        self._systems: WeakSet[Timed] = WeakSet()
        self._mutex = threading.Lock()
        self._turns = Turns()
        """Who advances the clock: one at a time."""

    def now(self) -> float:
        """Return the seconds since the beginning."""
        return self._now

    def attach(self, system: Timed) -> None:
        """Fire the timers of this system from now on, as long as it exists."""
        with self._mutex:
            self._systems.add(system)

    def advance(
        self,
        seconds: float = 0.0,
        *,
        days: float = 0.0,
        hours: float = 0.0,
        minutes: float = 0.0,
        milliseconds: float = 0.0,
    ) -> Any:
        """
        Let time pass; everything that is due on the way happens.

        Args:
            seconds: How long. The others are added to it.
            days: Days of 24 hours.
            hours: Hours.
            minutes: Minutes.
            milliseconds: Milliseconds, in which python-statemachine gives delays.

        Returns:
            None when all has happened; if a system is asynchronous, an awaitable that ends then.

        Raises:
            ValueError: A negative time, or no finite one.
            StepRunningError: The caller is a callback of one of the systems.
        """
        for part in (seconds, days, hours, minutes, milliseconds):
            if not math.isfinite(part) or part < 0:
                msg = f"time only moves forward, and not by {part}. Make a new clock to begin again"
                raise ValueError(msg)
        length = seconds + 86_400 * days + 3600 * hours + 60 * minutes + milliseconds / 1000
        return self._pass(length)

    def advance_to_next(self) -> Any:
        """
        Go to the next deadline of any system, and fire all that is due at it.

        Returns:
            Whether there was one; if a system is asynchronous, an awaitable of it.

        Raises:
            StepRunningError: The caller is a callback of one of the systems.
        """
        return self._pass(None)

    def _pass(self, length: float | None) -> Any:
        """Let time pass: so long, or to the next deadline; None, or whether there was one."""
        systems = self._attached()
        for system in systems:
            system.refuse_inside("let time pass")
        if any(system.is_async for system in systems):
            return run_async_from_sync(EventCall.in_line(self._turns, self._pass_async, length))
        self._turns.enter()
        try:
            end = self._end(length)
            for system in self._moments(end):
                system.fire_due(self._now)
        finally:
            self._turns.leave()
        return end is not None if length is None else None

    async def _pass_async(self, ticket: Ticket, length: float | None) -> bool | None:
        if not ticket.take():
            await self._turns.wait(ticket)
        try:
            end = self._end(length)
            for system in self._moments(end):
                fired = system.fire_due(self._now)
                if isawaitable(fired):
                    await fired
        finally:
            self._turns.leave()
        return end is not None if length is None else None

    def _end(self, length: float | None) -> float | None:
        """Say where an advance ends; None if it is for the next deadline and there is none."""
        if length is not None:
            return round(self._now + length, 9)  # ten times a tenth of a second is a second
        first = self._first()
        return None if first is None else max(self._now, first[0].due)

    def _moments(self, end: float | None) -> Iterator[Timed]:
        """Go from deadline to deadline, and yield the system whose timer is to be fired there."""
        if end is None:
            return
        while (first := self._first()) is not None and first[0].due <= end:
            self._now = max(self._now, first[0].due)
            yield first[1]
        self._now = end

    def _first(self) -> tuple[Timer, Timed] | None:
        """Find the timer that is due first, of all systems, and its system."""
        found = ((timer, system) for system in self._attached() if (timer := system.next_timer) is not None)
        return min(found, key=lambda one: one[0].order, default=None)

    def _attached(self) -> list[Timed]:
        with self._mutex:
            return list(self._systems)

    def __reduce__(self) -> Any:
        """Pickle the time alone: systems that are pickled with the clock attach themselves again."""
        return type(self), (self._now,)

    def __repr__(self) -> str:
        return f"<SimulatedClock at {self._now:g}, {len(self._attached())} systems>"
