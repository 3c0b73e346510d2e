"""Events that have been put and not yet been called for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statemachine.event_data import TriggerData

    from ._member import MemberEngine

__all__ = ("arrivals", "has_strays", "take_strays")


class _Arrivals(threading.local):
    """
    Triggers put by this thread whose processing loop has not been called yet.

    python-statemachine puts an event and calls the loop in two calls, one right after the other and in the same
    thread. Between them the event must not lie in a queue where another thread's step could take it: a caller
    gets its own result, and its callbacks run in its own thread.
    """

    def __init__(self) -> None:
        self.triggers: list[tuple[MemberEngine, TriggerData]] = []


arrivals = _Arrivals()


def has_strays() -> bool:
    """Whether this thread has put triggers for any machine without calling a loop after them."""
    return bool(arrivals.triggers)


def take_strays(system: object) -> list[tuple[MemberEngine, TriggerData]]:
    """
    Take the triggers that this thread has put for machines of `system` without calling a loop after them.

    Nobody waits for them (``order.process.put()`` is such a call), but they have to happen.
    """
    if not arrivals.triggers:
        return []
    strays = [one for one in arrivals.triggers if _belongs(one[0], system)]
    arrivals.triggers = [one for one in arrivals.triggers if not _belongs(one[0], system)]
    return strays


def _belongs(engine: MemberEngine, system: object) -> bool:
    host = engine._host
    return host is not None and host.system is system
