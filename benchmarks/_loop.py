"""One event loop for all asynchronous contenders."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ("close_loop", "looped")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def looped(run: Callable[[int], Coroutine[Any, Any, object]]) -> Callable[[int], object]:
    """Return a plain function that runs the coroutine; the events inside it are awaited one by one."""
    return lambda count: _loop().run_until_complete(run(count))


def close_loop() -> None:
    """Close the loop."""
    _loop().close()
    _loop.cache_clear()
