"""One test, both worlds: the same scenario over synchronous and asynchronous systems."""

from __future__ import annotations

import asyncio
import types
from inspect import isawaitable


async def _before_transition(self):
    """Make the machine asynchronous and change nothing else."""


_asynchronous: dict[type, type] = {}


def asynchronous(machine_class):
    """Give a machine class an asynchronous callback, and so python-statemachine's asynchronous engine."""
    if machine_class not in _asynchronous:
        name = f"Async{machine_class.__name__}"
        _asynchronous[machine_class] = types.new_class(
            name,
            (machine_class,),
            exec_body=lambda body: body.update(
                before_transition=_before_transition, __module__=machine_class.__module__, __qualname__=name
            ),
        )
    return _asynchronous[machine_class]


class World:
    """Runs a scenario, written as a coroutine function, in a synchronous or an asynchronous system."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @property
    def is_async(self) -> bool:
        return self.kind == "async"

    def machine(self, machine_class):
        """The class itself, or an asynchronous twin."""
        return asynchronous(machine_class) if self.is_async else machine_class

    @staticmethod
    async def call(answer):
        """The result of an event call, awaited where that is needed."""
        return await answer if isawaitable(answer) else answer

    def run(self, scenario):
        """Run the scenario to its end; without an event loop in the synchronous world."""
        if self.is_async:
            return asyncio.run(scenario())
        coroutine = scenario()
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        msg = "a synchronous scenario waited for something"
        raise AssertionError(msg)


async def until(condition):
    """Let other tasks run until the condition holds."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    msg = "it never happened"
    raise AssertionError(msg)


__all__ = ("World", "asynchronous", "until")
