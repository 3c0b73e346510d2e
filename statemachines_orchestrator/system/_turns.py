"""
Whose turn it is: one holder at a time, first come first served, threads and tasks in one line.

The turn is handed from holder to next in line directly, under one mutex, so there is no moment in which a
newcomer could slip in between and none in which a wake-up could be lost. A place in line can be taken before
anybody waits on it: an event of an asynchronous system keeps the place it had when it was called.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._calls import Starter

__all__ = ("Ticket", "Turns", "resolve", "running_loop")

_GIVE_UP_INTERVAL = 0.01
"""Seconds between two looks at a cancellation while a thread waits for its turn."""


class Ticket:
    """A place in line."""

    __slots__ = ("abandoned", "granted", "is_awaited", "loop", "wake")

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.granted: bool = False
        self.abandoned: bool = False
        self.is_awaited: bool = False
        """Whether somebody waits for the turn, or has it."""
        self.loop: asyncio.AbstractEventLoop | None = loop
        """The event loop that is going to await it."""
        self.wake: Callable[[], object] | None = None

    def take(self) -> bool:
        """Say that the turn is awaited from now on; whether it has been granted already."""
        self.is_awaited = True
        return self.granted

    @property
    def is_orphaned(self) -> bool:
        """Whether the event loop was closed before anybody in it awaited the ticket."""
        return not self.is_awaited and self.loop is not None and self.loop.is_closed()


class Turns:
    """The line in front of one orchestrator."""

    __slots__ = ("_busy", "_holder", "_line", "_mutex", "starter")

    def __init__(self) -> None:
        # Reentrant: the garbage collector may run a forgotten call's __del__, which leaves, inside any of these.
        self._mutex = threading.RLock()
        self._busy = False
        self._holder: Ticket | None = None
        """The ticket by which the turn is held; None if it was taken without standing in line."""
        self._line: deque[Ticket] = deque()
        self.starter: Starter | None = None
        """What starts the calls in line that nobody awaits."""

    def try_enter(self) -> bool:
        """Take the turn if nobody has it."""
        with self._mutex:
            if self._busy and self._is_taken():
                return False
            self._busy, self._holder = True, None
            return True

    def enter(self, give_up: threading.Event | None = None) -> bool:
        """
        Take the turn, blocking the calling thread until it comes.

        Args:
            give_up: Stop waiting as soon as this is set.

        Returns:
            Whether the turn was taken; False only after giving up.
        """
        if self.try_enter():
            return True
        ticket = self.request()
        signal = threading.Event()
        try:
            with self._mutex:
                ticket.wake = signal.set
                granted = ticket.granted
            if granted:
                return True
            while not signal.wait(None if give_up is None else _GIVE_UP_INTERVAL):
                if give_up is not None and give_up.is_set():
                    self.abandon(ticket)
                    return False
        except BaseException:
            self.abandon(ticket)
            raise
        return True

    def request(self, loop: asyncio.AbstractEventLoop | None = None) -> Ticket:
        """
        Take a place in line without waiting; the turn may be granted at once.

        Args:
            loop: The event loop that is going to await the turn. If it is closed before, the place is free.
        """
        ticket = Ticket(loop)
        with self._mutex:
            if self._is_taken():
                self._line.append(ticket)
            else:
                self._busy = ticket.granted = True
                self._holder = ticket
        return ticket

    async def wait(self, ticket: Ticket) -> None:
        """Wait until the ticket's turn has come. Being cancelled gives the place up."""
        with self._mutex:
            ticket.is_awaited = True
            if ticket.granted:
                return
            loop = asyncio.get_running_loop()
            granted = loop.create_future()
            ticket.wake = lambda: loop.call_soon_threadsafe(resolve, granted)
        try:
            await granted
        except BaseException:
            self.abandon(ticket)
            raise

    def abandon(self, ticket: Ticket) -> None:
        """Give a place up, or the turn itself if it has been granted already."""
        with self._mutex:
            ticket.abandoned = True
            if self._holder is ticket:
                self.leave()  # still under the mutex: nobody may take an orphaned turn in between

    def leave(self) -> None:
        """Hand the turn to the next in line."""
        while True:
            with self._mutex:
                if not self._line:
                    self._holder, self._busy = None, False
                    return
                ticket = self._holder = self._next()
                if ticket is None:
                    self._busy = False
                    return
                ticket.granted = True
                wake = ticket.wake
            if wake is None:
                return
            try:
                wake()
            except RuntimeError:
                continue  # its event loop was closed while it stood in line: nobody is there to take the turn
            return

    def _is_taken(self) -> bool:
        return self._busy and not (self._holder is not None and self._holder.is_orphaned)

    def _next(self) -> Ticket | None:
        while self._line:
            ticket = self._line.popleft()
            if not (ticket.abandoned or ticket.is_orphaned):
                return ticket
        return None


def resolve(future: asyncio.Future[None]) -> None:
    """Let whoever awaits the future go on, unless that was cancelled meanwhile."""
    if not future.done():
        future.set_result(None)


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if any."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
