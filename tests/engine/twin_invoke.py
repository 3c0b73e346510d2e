"""
Invocations without chance: what would be a thread or a task of its own runs when a step says so.

A thread may speak at any moment; here the moment is written down. Workers stand in for the threads and tasks that
python-statemachine starts for invocations. They run in a context of their own, as threads do, either between two
events or, by an act of a callback, in the middle of one.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack, contextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Any
from unittest import mock

from statemachine import State, StateChart, invoke
from statemachine.contrib.timeout import timeout

if TYPE_CHECKING:
    from twin_record import Recorder

PATIENCE = 5
"""Seconds after which a task that does not end is called stuck."""
SOON = 0.001


class Workers:
    """Threads and tasks that have been started and not run yet, in their order."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waiting: list[Any] = []
        self._count = 0

    @contextmanager
    def in_place(self):
        """Stand in for what invocations start."""
        with ExitStack() as stack:
            for name, stand_in in (
                ("threading", Threads(self)),
                ("asyncio", Tasks(self)),
                ("uuid", self),
                ("ThreadPoolExecutor", Pool),
            ):
                stack.enter_context(mock.patch.object(invoke, name, stand_in))
            yield

    def uuid4(self) -> Any:
        self._count += 1
        return mock.Mock(hex=f"{self._count:08d}")

    def add(self, worker: Any) -> None:
        self._waiting.append(worker)

    def run_threads(self) -> None:
        """Run each thread that has been started to its end."""
        waiting, self._waiting = self._waiting, [one for one in self._waiting if not isinstance(one, Thread)]
        for worker in waiting:
            if isinstance(worker, Thread):
                self._run_thread(worker)

    async def run(self) -> None:
        """Run each thread and each task that has been started to its end, one after the other."""
        waiting, self._waiting = self._waiting, []
        for worker in waiting:
            if isinstance(worker, Thread):
                self._run_thread(worker)
            else:
                await self._run_task(*worker)

    def _run_thread(self, worker: Thread) -> None:
        try:
            Context().run(worker.target, *worker.args)
        except Exception as error:
            self._recorder.tell("thread", type(error).__name__, str(error))

    async def _run_task(self, gate: asyncio.Event, task: asyncio.Task[Any]) -> None:
        gate.set()
        _, stuck = await asyncio.wait([task], timeout=PATIENCE)
        if stuck:
            self._recorder.tell("task", "stuck")
        elif not task.cancelled() and (error := task.exception()) is not None:
            self._recorder.tell("task", type(error).__name__, str(error))


class Thread:
    """A thread that has not begun."""

    def __init__(self, workers: Workers, target: Any, args: tuple[Any, ...]) -> None:
        self.target, self.args = target, args
        self._workers = workers

    def start(self) -> None:
        self._workers.add(self)

    def is_alive(self) -> bool:
        """Say that nobody has to wait for it."""
        return False


class Threads:
    """`threading` for invocations."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def Thread(self, *, target: Any, args: tuple[Any, ...], daemon: bool) -> Thread:
        assert daemon
        return Thread(self._workers, target, args)

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)


class Tasks:
    """`asyncio` for invocations."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def get_running_loop(self) -> Tasks:
        return self

    def create_task(self, coroutine: Any) -> asyncio.Task[Any]:
        gate = asyncio.Event()
        task = asyncio.get_running_loop().create_task(_gated(gate, coroutine))
        task.add_done_callback(lambda _: coroutine.close())  # it may be cancelled before it has begun
        self._workers.add((gate, task))
        return task

    async def run_in_executor(self, _pool: None, function: Any, *args: Any) -> Any:
        return function(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


async def _gated(gate: asyncio.Event, coroutine: Any) -> None:
    await gate.wait()
    await coroutine


class Pool:
    """A pool that runs what it is given at once."""

    def __init__(self, max_workers: int) -> None:
        self._count = max_workers

    def submit(self, function: Any) -> Any:
        future = invoke.Future()
        try:
            future.set_result(function())
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, **_how: Any) -> None:
        """Have nothing to shut down."""


def handlers(kinds: tuple[str, ...], recorder: Recorder) -> list[Any] | None:
    """Return what a state invokes."""
    made = {
        "class": lambda: _handler_class(recorder),
        "instance": lambda: _handler_class(recorder)(),
        "coroutine": lambda: _coroutine_class(recorder),
        "chart": lambda: _child(recorder),
        "group": lambda: invoke.invoke_group(lambda: 1, lambda: "two"),
        "failing group": lambda: invoke.invoke_group(lambda: 1, lambda: 1 // 0),
        "timeout": lambda: timeout(SOON),
        "sending timeout": lambda: timeout(SOON, on="e0"),
    }
    return [made[kind]() if kind in made else kind for kind in kinds] or None


HANDLERS = ("class", "instance", "coroutine", "chart", "group", "failing group", "timeout", "sending timeout")


def _handler_class(recorder: Recorder) -> type:
    class Handler:
        autoforward = True

        def run(self, ctx: Any) -> Any:
            recorder.receive("handler", "run", {"ctx": ctx})
            ctx.send("e1", x=ctx.invokeid)
            return "done"

        def on_cancel(self) -> None:
            recorder.tell("handler", "cancelled")

        def on_event(self, event: str, **data: Any) -> None:
            recorder.receive("handler", "event", {"event": event, **data})

        def on_finalize(self, trigger: Any) -> None:
            recorder.receive("handler", "finalize", {"trigger": trigger})

    return Handler


def _coroutine_class(recorder: Recorder) -> type:
    class Handler:
        async def run(self, ctx: Any) -> Any:
            recorder.receive("coroutine", "run", {"ctx": ctx})
            await asyncio.sleep(0)
            return await ctx.send("e2")

    return Handler


def _child(recorder: Recorder) -> type:
    class Child(StateChart[Any]):
        a = State(initial=True)
        b = State(final=True)
        go = a.to(b)

        def on_enter_a(self) -> None:
            recorder.tell("child", "entered a")

        def on_enter_b(self) -> None:
            recorder.tell("child", "entered b")

        def after_go(self) -> None:
            recorder.machine.send("e0", x="child")

    class Going(Child):
        def on_enter_a(self) -> None:
            recorder.tell("child", "goes")
            self.go()

    return Going if recorder.watches else Child


def invocations(machine: Any) -> list[Any]:
    """Return what can be seen of a machine's invocations."""
    manager = machine._engine._invoke_manager
    active = [
        (one.invokeid, one.state_id, one.terminated, one.ctx.cancelled.is_set()) for one in manager._active.values()
    ]
    return [*active, *(("pending", state.id, sorted(given)) for state, given in manager._pending)]
