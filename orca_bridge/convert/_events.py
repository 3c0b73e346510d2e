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

from statemachines_orchestrator.engine import QuickEvent, host_of, process_call

from ._payload import is_unsafe, read_payload
from ._system import at_home

if TYPE_CHECKING:
    from ._machine import OrcaChart

__all__ = ("OrcaEvent", "begin", "keep", "process")


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


def keep(machine: OrcaChart, event: str, chosen: str) -> OrcaEvent | None:
    """Keep an event of a machine under the name that it was sent by; None if only python-statemachine can send it."""
    bound = getattr(machine, chosen, None)
    if type(bound) is not OrcaEvent:
        return None
    machine._orca.sent[event] = bound
    return bound


def process(machine: OrcaChart, event: str, payload: Mapping[str, Any] | None) -> Any:
    """
    Let an asynchronous machine take an event, of which somebody else has seen to it that its turn has come.

    Args:
        machine: The machine, which belongs to no orchestrator.
        event: The event, by the name in the document.
        payload: What it carries.

    Returns:
        An awaitable of nothing.

    Raises:
        TransitionNotAllowed: Nothing takes the event.
    """
    arguments = () if payload is None else (payload,)
    chosen = machine._blueprint.event_ids.get(event)
    bound = machine._orca.sent.get(event) or (keep(machine, event, chosen) if chosen is not None else None)
    if bound is None:
        return machine.send(event, *arguments)
    if machine._orca.is_stale:
        begin(machine)
    engine: Any = machine._engine
    return process_call(engine, bound, arguments)


def begin(machine: OrcaChart) -> None:
    """Forget what an earlier step has left, if the event that arrives does not come from within one."""
    engine: Any = machine._engine
    if _running_engine.get() is not engine and not engine._processing.locked():
        machine._orca.begin()
