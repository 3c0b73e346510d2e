"""
Who fires timers by themselves: a thread in synchronous systems, the event loop in asynchronous ones.

Both wait for one moment only, the deadline of the first timer, and are told when that changes. Timers are made and
put back in steps, so they are told at the end of a turn; firing needs a turn anyway.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING

from ._turns import running_loop

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ._calls import EventCall
    from ._timers import TimerQueue

__all__ = ("LoopAlarm", "ThreadAlarm")


class ThreadAlarm:
    """
    A daemon thread that waits for the next deadline, whatever the number of timers.

    Args:
        name: The name of the thread.
        now: Tells the time.
        ring: Called in the thread when a deadline has come.
        timers: The timers that it waits for.
    """

    def __init__(
        self,
        name: str,
        now: Callable[[], float],
        ring: Callable[[ThreadAlarm], object],
        timers: TimerQueue,
    ) -> None:
        self.is_stopped = False
        self._now = now
        self._ring = ring
        self._timers = timers
        self._condition = threading.Condition()
        self._due: float | None = None
        """The deadline that the thread waits for; None while it waits for none, or is awake."""
        self._is_stale = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def set(self) -> None:
        """Look at the timers again; wakes the thread if the first is due earlier than it thinks."""
        with self._condition:
            due = self._timers.next_due
            if due is not None and (self._due is None or due < self._due):
                self._is_stale = True
                self._condition.notify()

    def stop(self, *, join: bool) -> None:
        """Let the thread end, and wait until it has."""
        with self._condition:
            self.is_stopped = True
            self._condition.notify()
        if join and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while self._wait():
            self._ring(self)

    def _wait(self) -> bool:
        """Wait until a timer is due; False when the alarm was stopped."""
        with self._condition:
            while not self.is_stopped:
                self._is_stale = False
                due = self._due = self._timers.next_due
                seconds = None if due is None else min(due - self._now(), threading.TIMEOUT_MAX)
                if seconds is not None and seconds <= 0:
                    self._due = None
                    return True
                if not self._is_stale:
                    self._condition.wait(seconds)
            return False


class LoopAlarm:
    """
    One handle in the event loop in which a system is used, whatever the number of timers.

    Args:
        now: Tells the time.
        ring: Called in the loop when a deadline has come. What it starts calls `answer` when its turn has come.
        timers: The timers that it waits for.
    """

    def __init__(self, now: Callable[[], float], ring: Callable[[], EventCall], timers: TimerQueue) -> None:
        self._now = now
        self._ring = ring
        self._timers = timers
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: float | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._setting: object = None
        """Tells the handle that counts from those that were left in other loops."""
        self._ringing: EventCall | None = None

    def set(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """
        Look at the timers again.

        Args:
            loop: The event loop that runs in this thread and will go on; None if it runs for one call only.
        """
        if self._ringing is not None and self._ringing.is_finished:
            self.clear()  # its task was cancelled in line, and nobody has answered
        due = self._timers.next_due
        home = self._loop
        if home is not None and home is not loop and home.is_running():
            if due != self._due:
                with suppress(RuntimeError):  # closed in this moment: the next step has a home of its own
                    home.call_soon_threadsafe(self.set, home)
            return
        if loop is None or (home is loop and due == self._due):
            return
        self.clear()
        self._loop = loop
        if due is not None:
            self._due, self._setting = due, object()
            # In a context of its own: whoever happens to set the alarm has nothing to do with the timers.
            wait = max(0.0, due - self._now())
            self._handle = loop.call_later(wait, self._come, self._setting, context=Context())

    def is_idle_in(self, loop: asyncio.AbstractEventLoop | None) -> bool:
        """Whether the alarm waits for nothing, and rings in this loop."""
        return self._due is None and self._ringing is None and self._loop is loop

    def clear(self) -> None:
        """Do not ring, or if the alarm is ringing, let nobody answer."""
        if self._handle is not None and self._loop is running_loop():
            self._handle.cancel()
        self._handle = self._due = self._setting = None
        self._ringing = None

    def answer(self) -> bool:
        """Stop ringing; whether the alarm was ringing."""
        was_ringing = self._ringing is not None
        if was_ringing:
            self.clear()
        return was_ringing

    def _come(self, setting: object) -> None:
        if setting is self._setting:
            self._handle = None
            self._ringing = self._ring()
