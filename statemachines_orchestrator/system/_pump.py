"""
One text for synchronous and asynchronous steps.

What happens in a step is written as generators. They yield what has to be done, something to call, and are sent what
came of it; where they run, its result is awaited if it can be.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

__all__ = ("Work", "pump", "pump_async")

Work: TypeAlias = Generator[Callable[[], Any], Any, Any]


def pump(work: Work) -> Any:
    """Do what a generator yields, and return what it returns."""
    try:
        action = next(work)
        while True:
            try:
                value = action()
            except BaseException as error:  # noqa: BLE001 - the generator decides what it means
                action = work.throw(error)
            else:
                action = work.send(value)
    except StopIteration as stop:
        return stop.value


async def pump_async(work: Work) -> Any:
    """Do what a generator yields, await it where that is needed, and return what the generator returns."""
    try:
        action = next(work)
        while True:
            try:
                value = action()
                if inspect.isawaitable(value):
                    value = await value
            except BaseException as error:  # noqa: BLE001 - the generator decides what it means
                action = work.throw(error)
            else:
                action = work.send(value)
    except StopIteration as stop:
        return stop.value
