"""What an event call of an asynchronous system returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.exceptions import StepCancelledError

from ._turns import running_loop

if TYPE_CHECKING:
    from ._turns import Turns

__all__ = ("EventCall", "Starter")


class EventCall(Coroutine[Any, Any, Any]):
    """
    An event on its way; await it for its result.

    Unlike a coroutine it may be dropped: a synchronous callback or function that does not await it causes no
    warning, and the event is delivered all the same. Awaiting it again gives the same result again. Cancelling
    whoever awaits it cancels the event's step, which is then put back like any step that fails.

    It can be handed to whatever takes a coroutine, such as `asyncio.create_task` and `TaskGroup.create_task`.
    """

    __slots__ = (
        "__weakref__",
        "_abandon",
        "_arguments",
        "_begun",
        "_driven",
        "_error",
        "_finished",
        "_is_joined",
        "_result",
        "_started",
        "_starter",
        "_task",
        "_waiters",
        "_work",
    )

    def __init__(
        self,
        work: Callable[..., Coroutine[Any, Any, Any]],
        *arguments: Any,
        abandon: Callable[[], object] | None = None,
    ) -> None:
        self._work = work
        self._arguments = arguments
        self._abandon = abandon
        self._started = False
        self._begun = False
        self._finished = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._task: asyncio.Task[Any] | None = None
        self._is_joined = False
        self._starter: Starter | None = None
        """What starts the event if nobody awaits it."""
        self._driven: dict[asyncio.Task[Any] | None, Generator[Any, Any, Any]] | None = None
        self._waiters: list[asyncio.Future[Any]] | None = None

    @classmethod
    def in_line(cls, turns: Turns, work: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> EventCall:
        """Take a place in line for some work, and see to it that it is done even if nobody awaits it."""
        loop = running_loop()
        ticket = turns.request(loop)
        call = cls(work, ticket, *arguments, abandon=partial(turns.abandon, ticket))
        if loop is not None:
            starter = turns.starter
            if starter is None or starter.loop is not loop:
                starter = turns.starter = Starter(loop)
            call.start_with(starter)
        return call  # without a loop python-statemachine runs it to its end in a loop of its own

    def start_with(self, starter: Starter) -> None:
        """Be started even if nobody awaits it."""
        self._starter = starter
        starter.add(self)

    def forget_starter(self) -> None:
        """Do not start by itself."""
        if self._starter is not None:
            self._starter.waiting.pop(self, None)
            self._starter = None

    @classmethod
    def finished(cls, result: Any) -> EventCall:
        """Wrap the result of an event that has been delivered already."""
        call = cls(_nothing)
        call._started = call._begun = call._finished = True
        call._result = result
        return call

    @property
    def is_started(self) -> bool:
        """Whether the event's step has begun, or at least stands in line with somebody waiting for it."""
        return self._started

    @property
    def is_finished(self) -> bool:
        """Whether the outcome is known."""
        return self._finished

    def __await__(self) -> Generator[Any, Any, Any]:
        # Nearly always the first to await it delivers it, with no generator of ours around it.
        return self._joined() if self._started or self._finished else self.run().__await__()

    def _joined(self) -> Generator[Any, Any, Any]:
        if self._finished:
            return self._outcome()
        if self._task is not None and not self._is_joined:
            # The first one to await it stands for the caller: to cancel it is to cancel the event.
            self._is_joined = True
            return (yield from self._task.__await__())
        waiter = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        return (yield from waiter.__await__())

    def send(self, value: Any, /) -> Any:
        """Go on, as a coroutine does; what drives tasks calls it."""
        return self._driven_by_task(lambda waiting: waiting.send(value))

    def throw(self, *error: Any) -> Any:
        """Raise an exception where the call waits, as in a coroutine."""
        if self._driven is None or _current_task() not in self._driven:
            self._forgo()  # a task that is cancelled before its first step
        return self._driven_by_task(lambda waiting: waiting.throw(*error))

    def _driven_by_task(self, go_on: Callable[[Generator[Any, Any, Any]], Any]) -> Any:
        # Several tasks may be made of one call: each waits by itself.
        task = _current_task()
        if self._driven is None:
            self._driven = {}
        waiting = self._driven.get(task)
        if waiting is None:
            waiting = self._driven[task] = self.__await__()
        try:
            return go_on(waiting)
        except BaseException:  # it has ended: by its result, which is a StopIteration, or by an error
            self._driven.pop(task, None)
            raise

    def close(self) -> None:
        """Stop waiting, as a coroutine does; an event that nobody has awaited yet is delivered all the same."""
        driven = None if self._driven is None else self._driven.pop(_current_task(), None)
        if driven is not None:
            driven.close()

    async def run(self) -> Any:
        """Deliver the event in the calling task."""
        self._started = self._begun = True
        if self._starter is not None:
            self._starter.waiting.pop(self, None)
            self._starter = None
        try:
            result = self._result = await self._work(*self._arguments)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._finished = True
            if self._waiters is not None:
                self._answer_waiters(self._waiters)
        return result

    def _forgo(self) -> None:
        if self._task is not None and not self._is_joined:
            self._task.cancel()
        elif not self._started:
            self.fail(asyncio.CancelledError())
            if self._abandon is not None:
                self._abandon()

    def fail(self, error: BaseException) -> None:
        """Let a call that has not started fail with the step that it was made in."""
        if not self._started:
            self._started = self._begun = self._finished = True
            self._error = error

    def start(self) -> None:
        """Deliver the event in a task of its own, unless somebody has awaited it already."""
        if not self._started:
            self._started = True
            # The loop keeps only weak references to tasks; this object is referenced by its own task's coroutine.
            self._task = asyncio.get_running_loop().create_task(self.run())
            self._task.add_done_callback(self._give_up_unless_begun)

    def _outcome(self) -> Any:
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.exception()  # it reaches somebody now
        error = self._shared_error
        if error is not None:
            raise error
        return self._result

    @property
    def _shared_error(self) -> BaseException | None:
        """What others than the one who delivered the event get; its cancellation is not theirs."""
        stopped = isinstance(self._error, asyncio.CancelledError | GeneratorExit)
        return StepCancelledError() if stopped else self._error

    def _answer_waiters(self, waiters: list[asyncio.Future[Any]]) -> None:
        for waiter in waiters:
            if waiter.done():
                continue
            error = self._shared_error
            if error is None:
                waiter.set_result(self._result)
            else:
                waiter.set_exception(error)
        waiters.clear()

    def _give_up_unless_begun(self, _task: object = None) -> None:
        # A task that is cancelled before its first step never runs its coroutine, not even a `finally` in it.
        if self._begun:
            return
        self._begun = self._finished = True
        self._error = asyncio.CancelledError()
        if self._waiters is not None:
            self._answer_waiters(self._waiters)
        if self._abandon is not None:
            self._abandon()

    def __del__(self) -> None:
        if not self._begun and self._abandon is not None:
            self._abandon()

    def __repr__(self) -> str:
        state = "finished" if self._finished else "running" if self._started else "waiting"
        return f"<EventCall {state}>"


class Starter:
    """
    Starts the calls that nobody awaits, in one event loop.

    One entry in the loop for all of them: nearly every call is awaited at once, and a loop that is kept busy would
    hold on to every single entry until it comes round.
    """

    __slots__ = ("_is_coming", "loop", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self.waiting: dict[EventCall, None] = {}
        """The calls that have not started, in the order in which they were made."""
        self._is_coming = False

    def add(self, call: EventCall) -> None:
        """Start a call when the loop comes round, unless it has been started before."""
        self.waiting[call] = None
        if not self._is_coming:
            self._is_coming = True
            self.loop.call_soon(self._start_all)

    def _start_all(self) -> None:
        self._is_coming = False
        waiting, self.waiting = self.waiting, {}
        for call in waiting:
            call.start()


async def _nothing() -> None:
    """Stand in for the work of a call that is finished."""


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
