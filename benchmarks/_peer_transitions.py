"""The package `transitions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transitions import Machine, MachineError
from transitions.extensions import HierarchicalMachine
from transitions.extensions.asyncio import AsyncMachine

from ._loop import looped

if TYPE_CHECKING:
    from ._measure import Run
    from ._peers import Job

FLAT = ["a", "b"]
COMPOUND = ["idle", {"name": "work", "children": ["a", "b"], "initial": "a"}]
PARALLEL = [
    {
        "name": "both",
        "parallel": [
            {"name": "left", "children": ["a", "b"], "initial": "a"},
            {"name": "right", "children": ["c", "d"], "initial": "c"},
        ],
    }
]
SHAPES: dict[str, tuple[Any, str, list[tuple[str, str]]]] = {
    "flat": (FLAT, "a", [("a", "b")]),
    "compound": (COMPOUND, "work", [("work_a", "work_b")]),
    "parallel": (PARALLEL, "both", [("both_left_a", "both_left_b"), ("both_right_c", "both_right_d")]),
}


class Model:
    """What `transitions` moves; it holds the other objects, as a callback's way to them."""

    orc: object = None
    other: Any = None

    def touch(self) -> object:
        """Take the other object."""
        return self.orc

    async def touch_later(self) -> object:
        """Take the other object, asynchronously."""
        return self.orc

    def move(self) -> None:
        """Move the second machine."""
        self.other.go()


def make(job: Job) -> Any:
    """Make a model with a machine, whose events run no, one or five callbacks."""
    states, initial, pairs = SHAPES[job.shape]
    model = Model()
    kind = AsyncMachine if job.is_async else Machine if job.shape == "flat" else HierarchicalMachine
    machine = kind(model, states=states, initial=initial, auto_transitions=False)
    callback = "touch_later" if job.is_async else "move" if job.doing == "pair" else "touch"
    groups = ("prepare", "before", "after") if job.callbacks > 1 else ("before",) * job.callbacks
    everywhere = dict.fromkeys(groups, callback)
    for one, other in pairs:
        machine.add_transition("forth" if job.doing == "refused" else "go", one, other, **everywhere)
        machine.add_transition("go", other, one, **everywhere)
    for state in FLAT if job.callbacks > 1 else ():
        machine.get_state(state).add_callback("enter", callback)
        machine.get_state(state).add_callback("exit", callback)
    if job.doing == "pair":
        model.other = Model()
        other_machine = Machine(model.other, states=states, initial=initial, auto_transitions=False)
        other_machine.add_transition("go", "a", "b")
        other_machine.add_transition("go", "b", "a")
    return model


def run(job: Job, model: Any) -> Run:
    """Return what sends a model a number of events."""
    if job.is_async:
        return looped(lambda count: _later(model, count))
    if job.doing == "refused":
        return lambda count: _refused(model, count)
    if job.doing == "address":
        return lambda count: _by_address(model, count)
    return lambda count: _events(model, count)


def _events(model: Any, count: int) -> None:
    for _ in range(count):
        model.go()


async def _later(model: Any, count: int) -> None:
    for _ in range(count):
        await model.go()


def _by_address(model: Any, count: int) -> None:
    for _ in range(count):
        model.trigger("go")


def _refused(model: Any, count: int) -> None:
    for _ in range(count):
        try:
            model.go()
        except MachineError:
            continue
