"""
An engine that makes what it has when somebody asks for it.

python-statemachine's engines make everything for every machine: a cache, a manager of invocations, a queue with three
condition variables for each kind of event. Of most machines nobody ever asks for most of it, and there may be many
machines. Whoever looks finds what a stock engine has, and the same object from then on.
"""

from __future__ import annotations

import logging
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

from statemachine.engines.base import BaseEngine, EventQueue
from statemachine.invoke import InvokeManager

from ._queue import LightQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from statemachine import State, StateChart

__all__ = ("PLAIN_MANAGER", "Later", "LightEngine")

_logger = logging.getLogger("statemachine.engines.base")
_mutex = RLock()
"""Of all attributes that are made later: two threads that look at the same time are to see the same object."""
PLAIN_MANAGER = 3
"""How many attributes an invoke manager has, if nobody has put anything in the place of its methods."""


class Later:
    """An attribute that is made when somebody asks for it, and then stays."""

    # functools.cached_property may make two where two threads ask, from Python 3.12 on.

    def __init__(self, make: Callable[[Any], Any], name: str = "") -> None:
        self._make = make
        self._name = name

    def __set_name__(self, owner: type, name: str) -> None:
        """Hear under which name it stands."""
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Make the attribute: what has been made is found before this is asked."""
        if instance is None:
            return self
        with _mutex:
            own = vars(instance)
            if self._name not in own:
                own[self._name] = self._make(instance)
            return own[self._name]


class LightEngine(BaseEngine):
    """What our engines have in place of what python-statemachine's make for every machine."""

    sm: StateChart[Any]
    external_queue: EventQueue
    internal_queue: EventQueue
    running: bool = True
    """Whether the machine has not ended."""
    invocations: InvokeManager | None = None
    """Who manages the machine's invocations; None as long as nobody has asked for it."""
    manager_class: type[InvokeManager] = InvokeManager
    """What the manager is made of."""
    _sentinel: object = object()
    _macrostep_count: int = 0
    _microstep_count: int = 0
    _root_parallel_final_pending: State | None = None

    def __init__(self, sm: StateChart[Any]) -> None:
        self.sm = sm
        self.external_queue = LightQueue()
        self.internal_queue = LightQueue()
        self._processing = Lock()

    def _make_manager(self) -> InvokeManager:
        self.invocations = self.manager_class(self)
        return self.invocations

    def _make_cache(self) -> dict[Any, Any]:
        return {}

    def _make_log_id(self) -> str:
        return f"[{type(self.sm).__name__}]"

    def _find_debug(self) -> Callable[..., object]:
        return _logger.debug if _logger.isEnabledFor(logging.DEBUG) else _say_nothing

    _invoke_manager: Any = Later(_make_manager)
    _cache: Any = Later(_make_cache)
    _log_id: Any = Later(_make_log_id)
    _debug: Any = Later(_find_debug)

    def lighten(self) -> None:
        """Let go of what a stock engine, which has become one of ours, has made and does not need at present."""
        own = vars(self)
        for name in ("external_queue", "internal_queue"):
            own[name] = LightQueue.of(own[name])
        for name in ("_sentinel", "_cache", "_log_id", "_debug"):
            own.pop(name, None)
        self.invocations = own.get("_invoke_manager")
        if not (self.is_invoking or self.has_odd_manager):
            own.pop("_invoke_manager", None)
            self.invocations = None

    def load(self) -> None:
        """Make all that a stock engine has: it is about to become one."""
        own = vars(self)
        for name in _STOCK_ATTRIBUTES:
            own.setdefault(name, getattr(self, name))
        own.pop("invocations", None)

    @property
    def is_invoking(self) -> bool:
        """Whether the machine has invocations, running or about to be started."""
        manager = self.invocations
        return manager is not None and bool(manager._active or manager._pending)

    @property
    def has_odd_manager(self) -> bool:
        """Whether somebody has put something in the place of methods of the manager."""
        return self.invocations is not None and len(vars(self.invocations)) != PLAIN_MANAGER

    @property
    def value(self) -> Any:
        """What the model holds as the machine's configuration; read past the object that keeps it."""
        return getattr(self.sm.model, self.sm.state_field, None)

    def clear_cache(self) -> None:
        """Forget what has been prepared for callbacks."""
        if "_cache" in vars(self):
            self._cache.clear()

    def __del__(self) -> None:
        """Cancel what is still invoked, as python-statemachine does."""
        if self.invocations is not None:
            super().__del__()  # type: ignore[no-untyped-call]


_STOCK_ATTRIBUTES = (
    "_sentinel",
    "running",
    "_cache",
    "_invoke_manager",
    "_macrostep_count",
    "_microstep_count",
    "_log_id",
    "_debug",
    "_root_parallel_final_pending",
)
"""Those of a stock engine that ours make later, or have in common."""


def _say_nothing(*_args: object, **_kwargs: object) -> None:
    """Stand for the log of an engine at levels above debug."""
