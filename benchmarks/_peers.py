"""
The peers: three packages that make state machines, and a table written by hand.

None of them knows members or steps; each is what somebody might write instead of one machine. Each has a module of
its own with two functions, `make` and `run`; a callback takes the other object in that peer's own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._measure import Run

__all__ = ("PEERS", "Job", "make", "missing", "runs")


@dataclass(frozen=True, slots=True)
class Job:
    """What a line of the table asks of every peer."""

    doing: str = "event"
    """
    ``event``, ``refused``, ``address`` (an event by its name), ``pair`` (its callback moves a second one), ``make``.
    """
    shape: str = "flat"
    """``flat``, ``compound`` or ``parallel``."""
    callbacks: int = 0
    is_async: bool = False
    among: int = 1
    """How many machines of the kind there are; one of them takes the events."""


def _load(name: str) -> Any:
    """Return the module that knows a peer; None if the peer is not installed."""
    try:
        return import_module(f"._peer_{name}", __package__)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


PEERS: dict[str, Any] = {name: _load(name) for name in ("transitions", "automat", "sismic", "dict")}
"""By the name of its column, the module of each peer; None where it is not installed."""


def missing() -> tuple[str, ...]:
    """Say which peers are not installed."""
    names = [name for name, module in PEERS.items() if module is None]
    return tuple(f"{name} is not installed, so its column is empty: pip install '.[bench]'" for name in names)


def make(name: str, job: Job) -> Any:
    """Return a machine of a peer; None if it has nothing of the kind, or is not installed."""
    return None if PEERS[name] is None else PEERS[name].make(job)


def runs(job: Job) -> dict[str, Run | None]:
    """Return, by peer, what does the job a number of times; None as `make` does."""
    return {name: _run(name, job) for name in PEERS}


def _run(name: str, job: Job) -> Run | None:
    machines = [make(name, job) for _ in range(job.among)]
    machine = machines[len(machines) // 2]
    if machine is None:
        return None
    if job.doing == "make":
        return lambda count: [make(name, job) for _ in range(count)] and None
    run: Run = PEERS[name].run(job, machine)

    def among_others(count: int) -> None:
        run(count)
        machines.reverse()  # they are here, as long as this is

    return among_others if job.among > 1 else run
