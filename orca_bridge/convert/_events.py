"""
The events of a machine, called as methods or sent by name.

What is sent goes straight to the engine. Only what python-statemachine alone knows to handle (events for later, events
that a callback sends to its own asynchronous machine) takes its road, on which the machine gets its say
(`OrcaChart._put_nonblocking`). Here the same is said for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from statemachine.engines.base import _running_engine
from statemachine.event import BoundEvent

from statemachines_orchestrator.engine import QuickEvent, host_of

from ._payload import is_unsafe, read_payload
from ._system import at_home

if TYPE_CHECKING:
    from ._machine import OrcaChart

__all__ = ("OrcaEvent", "begin")


class OrcaEvent(QuickEvent):
    """An event of a machine from a document."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """
        Send the event; what python-statemachine returns.

        Raises:
            TransitionNotAllowed: Nothing takes the event.
            TypeError: What was sent with it is no payload.
        """
        machine: OrcaChart = self._sm  # type: ignore[assignment] # a bound event has one
        orca = machine._orca
        if args and not (len(args) == 1 and isinstance(args[0], Mapping)):
            read_payload(str(self), args, kwargs)
        if is_unsafe(kwargs) or (orca.asynchronous and host_of(machine) is None):
            return BoundEvent.__call__(self, *args, **kwargs)
        if orca.is_stale:
            begin(machine)
        result = super().__call__(*args, **kwargs)
        return at_home(machine, result) if machine._needs_home else result


def begin(machine: OrcaChart) -> None:
    """Forget what an earlier step has left, if the event that arrives does not come from within one."""
    engine: Any = machine._engine
    if _running_engine.get() is not engine and not engine._processing.locked():
        machine._orca.begin()
