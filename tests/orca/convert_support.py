"""What the conversion tests share: definitions by hand, and one way to drive sync and async machines."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from inspect import isawaitable
from typing import Any

from orca_bridge.convert import machine_class
from orca_bridge.definition import (
    ContextField,
    EventDefinition,
    MachineDefinition,
    Span,
    StateDefinition,
    TransitionDefinition,
    TypeExpression,
)

SPAN = Span(1, 1, 2)


def state(name: str, *children: StateDefinition, parent: str = "", **keywords: Any) -> StateDefinition:
    """A state; children are given with their own short names and get their paths here."""
    path = f"{parent}.{name}" if parent else name
    nested = tuple(_moved(child, path) for child in children)
    return StateDefinition(name, path, children=nested, **keywords)


def _moved(child: StateDefinition, parent: str) -> StateDefinition:
    path = f"{parent}.{child.name}"
    return replace(child, path=path, children=tuple(_moved(inner, path) for inner in child.children))


def row(source: str, event: str | None, target: str | None, *actions: str, guard: Any = None) -> Any:
    return TransitionDefinition(source, event, target, guard, "" if guard is None else "guard", actions)


def field(name: str, kind: str = "any", default: Any = None, **keywords: Any) -> ContextField:
    return ContextField(name, TypeExpression(kind, text=kind, **keywords), default, SPAN)


def definition(states: Any, rows: Any = (), *, name: str = "M", events: Any = (), **keywords: Any) -> Any:
    return MachineDefinition(
        name,
        states=tuple(states),
        transitions=tuple(rows),
        events=tuple(EventDefinition(event) for event in events),
        **keywords,
    )


class Asynchronous:
    """A listener whose presence makes python-statemachine take its async engine."""

    async def on_enter_state(self):
        await asyncio.sleep(0)


class Driver:
    """Makes and drives machines, on the sync or the async engine."""

    def __init__(self, runner: asyncio.Runner | None) -> None:
        self.runner = runner

    @property
    def is_async(self) -> bool:
        return self.runner is not None

    def handler(self, function: Any) -> Any:
        """The same handler, as a coroutine function on the async engine."""
        if not self.is_async:
            return function

        async def handler(ctx, event, event_name, state, machine):
            await asyncio.sleep(0)
            return function(ctx, event, event_name, state, machine)

        return handler

    def make(self, machine: Any, **keywords: Any) -> Any:
        cls = machine if isinstance(machine, type) else machine_class(machine)
        if not self.is_async:
            return cls(**keywords)
        made = cls(listeners=[Asynchronous()], **keywords)
        self.run(made.activate_initial_state)
        return made

    def send(self, machine: Any, event: str, *args: Any, **payload: Any) -> Any:
        return self.run(lambda: machine.send(event, *args, **payload))

    def run(self, call: Any) -> Any:
        if self.runner is None:
            return call()

        async def go():
            result = call()
            return await result if isawaitable(result) else result

        return self.runner.run(go())


def active(machine: Any) -> str:
    return ", ".join(str(found.value) for found in machine.configuration if found.is_atomic)


__all__ = ("SPAN", "Asynchronous", "Driver", "active", "definition", "field", "row", "state")
