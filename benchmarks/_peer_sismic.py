"""
The package `sismic`: statecharts by the SCXML rules, synchronous, events by name, callbacks as Python text.

It is silent about an event that nothing takes. A second machine that it moves is bound to it, as its manual says.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sismic.interpreter import Interpreter
from sismic.io.datadict import import_from_dict

if TYPE_CHECKING:
    from ._measure import Run
    from ._peers import Job


class Other:
    """The other object."""

    def touch(self) -> object:
        """Be taken."""
        return self


OTHER = Other()


def _states(names: str, events: tuple[str, str], action: str = "", at_ends: str = "") -> list[dict[str, Any]]:
    """Describe two states, and the events there and back."""
    (one, other), (there, back) = names, events
    ends = {"on entry": at_ends, "on exit": at_ends} if at_ends else {}
    does = {"action": action} if action else {}
    return [
        {"name": one, "transitions": [{"target": other, "event": there, **does}], **ends},
        {"name": other, "transitions": [{"target": one, "event": back, **does}], **ends},
    ]


@cache
def _chart(doing: str, shape: str, callbacks: int, event: str = "go") -> Any:
    calls = callbacks - 2 if callbacks > 1 else callbacks
    action = "send('went')" if doing == "pair" else "\n".join(["other.touch()"] * calls)
    at_ends = "other.touch()" if callbacks > 1 else ""
    flat = _states("ab", ("forth" if doing == "refused" else event, event), action, at_ends)
    root: dict[str, Any] = {"name": "root", "initial": "a", "states": flat}
    if shape == "compound":
        root = {"name": "root", "initial": "work", "states": [{**root, "name": "work"}, {"name": "idle"}]}
    elif shape == "parallel":
        left = {"name": "left", "initial": "a", "states": flat}
        right = {"name": "right", "initial": "c", "states": _states("cd", (event, event))}
        root = {"name": "root", "parallel states": [left, right]}
    return import_from_dict({"statechart": {"name": "chart", "root state": root}})


def make(job: Job) -> Any:
    """Make an interpreter, if sismic has the kind, and one that it is bound to for a pair."""
    if job.is_async:
        return None
    machine = _started(_chart(job.doing, job.shape, job.callbacks))
    if job.doing != "pair":
        return machine
    second = _started(_chart("event", "flat", 0, "went"))
    machine.bind(second)
    return machine, second


def _started(chart: Any) -> Interpreter:
    machine = Interpreter(chart, initial_context={"other": OTHER})
    machine.execute_once()
    return machine


def run(job: Job, machine: Any) -> Run:
    """Return what sends an interpreter a number of events."""
    if job.doing == "pair":
        return lambda count: _pairs(*machine, count)
    return lambda count: _events(machine, count)


def _events(machine: Interpreter, count: int) -> None:
    for _ in range(count):
        machine.queue("go").execute_once()


def _pairs(machine: Interpreter, second: Interpreter, count: int) -> None:
    for _ in range(count):
        machine.queue("go").execute()  # the event, and the one that it sends to itself, too
        second.execute_once()
