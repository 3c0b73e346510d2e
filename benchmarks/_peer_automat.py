"""The package `automat`: flat and synchronous; events are methods; one output per transition calls the callbacks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from automat import NoTransition, TypeMachineBuilder

if TYPE_CHECKING:
    from ._measure import Run
    from ._peers import Job


class Inputs(Protocol):
    """The events."""

    def go(self) -> None: ...

    def forth(self) -> None: ...


class Core:
    """What outputs receive; it holds the other objects."""

    orc: object = None
    other: Any = None

    def touch(self) -> object:
        """Take the other object."""
        return self.orc


def _one(_inputs: Inputs, core: Core) -> None:
    core.touch()


def _five(_inputs: Inputs, core: Core) -> None:
    core.touch()
    core.touch()
    core.touch()
    core.touch()
    core.touch()


def _pair(_inputs: Inputs, core: Core) -> None:
    core.other.go()


@cache
def _factory(doing: str, callbacks: int) -> Any:
    builder = TypeMachineBuilder(Inputs, Core)
    a, b = builder.state("a"), builder.state("b")
    rows = [a.upon(Inputs.forth if doing == "refused" else Inputs.go).to(b), b.upon(Inputs.go).to(a)]
    output = _pair if doing == "pair" else {0: None, 1: _one, 5: _five}[callbacks]
    for row in rows:
        if output is None:
            row.returns(None)
        else:
            row(output)
    return builder.build()


def make(job: Job) -> Any:
    """Make a machine, if automat has the kind."""
    if job.is_async or job.shape != "flat" or job.doing == "address":
        return None
    core = Core()
    if job.doing == "pair":
        core.other = _factory("event", 0)(Core())
    return _factory(job.doing, job.callbacks)(core)


def run(job: Job, machine: Any) -> Run:
    """Return what sends a machine a number of events."""
    if job.doing == "refused":
        return lambda count: _refused(machine, count)
    return lambda count: _events(machine, count)


def _events(machine: Any, count: int) -> None:
    for _ in range(count):
        machine.go()


def _refused(machine: Any, count: int) -> None:
    for _ in range(count):
        try:
            machine.go()
        except NoTransition:
            continue
