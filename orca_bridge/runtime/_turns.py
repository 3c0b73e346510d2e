"""
Turns that need no task of their own.

A step must be finished when whoever waits for it is cancelled, so it runs in a task of its own. Making one costs more
than the step of a machine with plain handlers, which never waits for anything. So a turn begins in the caller's task,
and moves into one of its own before the first thing is awaited that somebody else has written. That moment is told by
`aside`, since what has begun in one task (a timeout, a cancel scope) cannot go on in another.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

__all__ = ("Turnstile", "aside", "begin_turn", "told")

_MOVE: Any = object()
"""What a turn yields that has to move into a task of its own."""


class Turnstile:
    """
    What lets one through at a time, in order of arrival.

    As a lock of asyncio's does, but where nobody is in the way that takes no coroutine.
    """

    __slots__ = ("_is_taken", "_waiting")

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def enter_at_once(self) -> bool:
        """Go through if nobody is in the way; whether it was so."""
        if self._is_taken:
            return False
        self._is_taken = True
        return True

    async def enter(self) -> None:
        """Go through when all that came before have left."""
        if self.enter_at_once():
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # it was let through just before
                self.leave()
            raise

    def leave(self) -> None:
        """Let the next one through."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._is_taken = False

    async def __aenter__(self) -> None:
        await self.enter()

    async def __aexit__(self, *_error: object) -> None:
        self.leave()


class _First(threading.local):
    """Whether this thread runs the first part of a turn, in the task of its caller."""

    is_running: bool = False


_first = _First()


class _Move:
    def __await__(self) -> Generator[Any, None, None]:
        yield _MOVE


async def aside() -> None:
    """Let the turn go on in a task of its own, from here on; to be awaited before what others have written is."""
    if _first.is_running:
        await _Move()


async def told(found: Awaitable[Any]) -> Any:
    """Await what somebody else has written."""
    await aside()
    return await found


def begin_turn(work: Coroutine[Any, Any, None]) -> Callable[[], asyncio.Task[None]] | None:
    """
    Run the first part of a turn.

    Returns:
        None if that was all; else what makes the task in which the rest runs.

    Raises:
        Exception: What the turn has raised.
    """
    context = copy_context()
    before, _first.is_running = _first.is_running, True
    try:
        yielded = context.run(work.send, None)
    except StopIteration:
        return None
    finally:
        _first.is_running = before
    rest = _Rest(work, yielded)
    return lambda: asyncio.get_running_loop().create_task(_finish(rest), context=context)


async def _finish(rest: _Rest) -> None:
    await rest


class _Rest:
    """What is left of a turn after its first part."""

    def __init__(self, work: Coroutine[Any, Any, None], yielded: Any) -> None:
        self._work = work
        self._yielded = yielded

    def __await__(self) -> Generator[Any, Any, None]:
        yielded = self._yielded
        try:
            while True:
                if yielded is _MOVE:
                    yielded = self._work.send(None)
                    continue
                try:
                    sent = yield yielded
                except BaseException as error:  # noqa: BLE001 - it belongs to the work
                    yielded = self._work.throw(error)
                else:
                    yielded = self._work.send(sent)
        except StopIteration:
            return
