"""
The peers: the package `transitions`, and a table written by hand.

Neither knows members or steps; each is what somebody might write instead of one machine. A peer's callback
takes the other object from the object that it belongs to, which is that peer's way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ._loop import looped

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    from transitions import Machine
    from transitions.extensions import HierarchicalMachine
    from transitions.extensions.asyncio import AsyncMachine
except ImportError:
    MISSING = ("transitions is not installed, so its column is empty: pip install '.[bench]'",)
else:
    MISSING = ()

__all__ = (
    "MISSING",
    "async_table",
    "async_transitions",
    "make_table",
    "make_transitions",
    "table",
    "transitions",
)

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
    """What `transitions` moves; it holds the other object, as a callback's way to it."""

    orc: object = None

    def touch(self) -> object:
        """Take the other object."""
        return self.orc

    async def touch_later(self) -> object:
        """Take the other object, asynchronously."""
        return self.orc


def make_transitions(kind: Any = None, shape: str = "flat", callbacks: int = 0, callback: str = "touch") -> Any:
    """Make a model with a machine of `transitions`, whose events run no, one or five callbacks."""
    states, initial, pairs = SHAPES[shape]
    groups = ("prepare", "before", "after") if callbacks > 1 else ("before",) * callbacks
    everywhere = dict.fromkeys(groups, callback)
    model = Model()
    machine = (kind or (Machine if shape == "flat" else HierarchicalMachine))(
        model, states=states, initial=initial, auto_transitions=False
    )
    for one, other in pairs:
        machine.add_transition("go", one, other, **everywhere)
        machine.add_transition("go", other, one, **everywhere)
    for state in FLAT if callbacks > 1 else ():
        machine.get_state(state).add_callback("enter", callback)
        machine.get_state(state).add_callback("exit", callback)
    return model


def transitions(shape: str = "flat", callbacks: int = 0) -> Callable[[int], object] | None:
    """Return what sends a machine of `transitions` a number of events, or None without that package."""
    if MISSING:
        return None
    model = make_transitions(shape=shape, callbacks=callbacks)

    def run(count: int) -> None:
        for _ in range(count):
            model.go()

    return run


def async_transitions(callbacks: int = 0) -> Callable[[int], object] | None:
    """Return what sends an asynchronous machine of `transitions` a number of events."""
    if MISSING:
        return None
    model = make_transitions(AsyncMachine, callbacks=callbacks, callback="touch_later")

    async def run(count: int) -> None:
        for _ in range(count):
            await model.go()

    return looped(run)


class Table:
    """Two states in a dictionary."""

    TABLE: ClassVar[dict[tuple[str, str], str]] = {("a", "go"): "b", ("b", "go"): "a"}

    def __init__(self, callbacks: int = 0) -> None:
        self.state = "a"
        self.orc: object = None
        self.callbacks = [self.touch] * callbacks

    def touch(self) -> object:
        return self.orc

    def send(self, event: str) -> None:
        for callback in self.callbacks:
            callback()
        self.state = self.TABLE[self.state, event]

    async def send_later(self, event: str) -> None:
        self.send(event)


def make_table() -> Table:
    """Make an object that is moved by a table."""
    return Table()


def table(callbacks: int = 0) -> Callable[[int], object]:
    """Return what sends an object that is moved by a table a number of events."""
    one = Table(callbacks)

    def run(count: int) -> None:
        for _ in range(count):
            one.send("go")

    return run


def async_table(callbacks: int = 0) -> Callable[[int], object]:
    """Return what sends such an object a number of events from a coroutine."""
    one = Table(callbacks)

    async def run(count: int) -> None:
        for _ in range(count):
            await one.send_later("go")

    return looped(run)
