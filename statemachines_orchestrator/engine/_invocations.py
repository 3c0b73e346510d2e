"""
Invocations whose handler waits for its turn.

A handler of a synchronous machine runs in a thread of its own and speaks by events, so it waits for its turn like
any other thread. If the running step leaves the invoking state meanwhile, python-statemachine joins that thread
for up to two seconds: both would wait for each other. So a waiting handler gives up as soon as it is cancelled.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from statemachine.invoke import Invocation, InvokeContext, InvokeManager

if TYPE_CHECKING:
    from statemachine import State
    from statemachine.callbacks import CallbackWrapper

__all__ = ("MemberInvokeManager", "current_cancellation", "remember_handlers")


class _HandlerThread(threading.local):
    cancelled: threading.Event | None = None


_handler_thread = _HandlerThread()
_adopted: WeakKeyDictionary[threading.Thread, threading.Event] = WeakKeyDictionary()
"""Handler threads that were running already when their machine became a member."""


def current_cancellation() -> threading.Event | None:
    """Return the event that tells this thread, if it runs an invoke handler, that the invocation is cancelled."""
    return _handler_thread.cancelled or (_adopted.get(threading.current_thread()) if _adopted else None)


def remember_handlers(manager: InvokeManager) -> None:
    """Tell the threads of invocations that are running already from others."""
    for invocation in manager._active.values():
        if invocation.thread is not None:
            _adopted[invocation.thread] = invocation.ctx.cancelled


class MemberInvokeManager(InvokeManager):
    """python-statemachine's invocations, whose handler threads can be told from others."""

    def mark_for_invoke(self, state: State, event_kwargs: dict[str, Any] | None = None) -> None:
        """Remember a state that was entered; its plain handlers receive what callbacks receive."""
        super().mark_for_invoke(state, event_kwargs.copy() if event_kwargs is not None else None)

    def _run_sync_handler(
        self, callback: CallbackWrapper, handler: Any, ctx: InvokeContext, invocation: Invocation
    ) -> None:
        _handler_thread.cancelled = ctx.cancelled
        super()._run_sync_handler(callback, handler, ctx, invocation)
