"""A table written by hand: a dictionary from state and event to state, for each region one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._loop import looped

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._measure import Run
    from ._peers import Job

TABLE = {("a", "go"): "b", ("b", "go"): "a"}
REFUSING = {("a", "forth"): "b", ("b", "go"): "a"}
NESTED = {("idle", "start"): "work.a", ("work.a", "go"): "work.b", ("work.b", "go"): "work.a"}


class Table:
    """What is moved by a table."""

    def __init__(self, table: dict[tuple[str, str], str], state: str) -> None:
        self.table = table
        self.state = state
        self.orc: object = None
        self.other: Table | None = None
        self.callbacks: tuple[Callable[[], object], ...] = ()

    def touch(self) -> object:
        """Take the other object."""
        return self.orc

    def move(self) -> None:
        """Move the second one."""
        if self.other is not None:
            self.other.send("go")

    def send(self, event: str) -> None:
        """Take an event."""
        for callback in self.callbacks:
            callback()
        self.state = self.table[self.state, event]

    async def send_later(self, event: str) -> None:
        """Take an event from a coroutine."""
        self.send(event)


class Regions:
    """Two tables that take every event."""

    def __init__(self) -> None:
        self.regions = (Table(TABLE, "a"), Table(TABLE, "a"))

    def send(self, event: str) -> None:
        """Take an event."""
        for region in self.regions:
            region.send(event)


def make(job: Job) -> Any:
    """Make an object that is moved by a table."""
    if job.shape == "parallel":
        return Regions()
    if job.shape == "compound":
        return Table(NESTED, "work.a")
    one = Table(REFUSING if job.doing == "refused" else TABLE, "a")
    if job.doing == "pair":
        one.other, one.callbacks = Table(TABLE, "a"), (one.move,)
    elif job.callbacks:
        one.callbacks = (one.touch,) * job.callbacks
    return one


def run(job: Job, one: Any) -> Run:
    """Return what sends such an object a number of events."""
    if job.is_async:
        return looped(lambda count: _later(one, count))
    if job.doing == "refused":
        return lambda count: _refused(one, count)
    return lambda count: _events(one, count)


def _events(one: Any, count: int) -> None:
    for _ in range(count):
        one.send("go")


async def _later(one: Any, count: int) -> None:
    for _ in range(count):
        await one.send_later("go")


def _refused(one: Any, count: int) -> None:
    for _ in range(count):
        try:
            one.send("go")
        except KeyError:
            continue
