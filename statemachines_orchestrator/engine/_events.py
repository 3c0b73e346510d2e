"""
Events of a machine, made once and not at every access.

`order.pay` makes an object each time on a stock machine. The events of a class that has members, or accelerated
machines, leave the object that they make with the machine's engine (not in the machine: copies of a machine would
have it, too). It looks like python-statemachine's and, called, goes straight to the engine.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from statemachine import StateChart
from statemachine.event import BoundEvent, Event, _event_data_kwargs

__all__ = ("KeptEvent", "QuickEvent", "is_plain_call", "quicken")


class KeptEvent(Event):
    """An event of a class, whose bound form is kept by the engine of the machine."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        try:
            return instance._engine.events[self]
        except (AttributeError, KeyError):
            return self._bound(instance, owner)

    def _bound(self, instance: Any, owner: Any) -> Any:
        kept = vars(instance)
        engine = kept.get("_engine")
        if not hasattr(engine, "fire") or not kept.keys().isdisjoint(_ROAD):
            return Event.__get__(self, instance, owner)
        kind: type[QuickEvent] = getattr(owner, "__orchestrator_event__", QuickEvent)
        bound = kind(id=self.id, name=self.name, delay=self.delay, internal=self.internal, _sm=instance)
        engine.events = {**engine.events, self: bound}
        return bound

    def __repr__(self) -> str:
        return f"Event({self.id!r}, delay={self.delay!r}, internal={self.internal!r})"


class QuickEvent(BoundEvent):
    """An event of a machine with one of our engines."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Send the event; what python-statemachine returns."""
        return self._sm._engine.fire(self, args, kwargs)  # type: ignore[union-attr]

    def __repr__(self) -> str:
        return f"BoundEvent({self.id!r}, delay={self.delay!r}, internal={self.internal!r})"


def is_plain_call(event: Event, kwargs: dict[str, Any]) -> bool:
    """Whether an event happens now and carries nothing that only python-statemachine knows what to do with."""
    return not (event.delay or event.internal or (kwargs and not _SPECIAL.isdisjoint(kwargs)))


_ROAD = ("_put_nonblocking", "_processing_loop")
"""What python-statemachine's road of an event passes through in the machine."""
_quickened: WeakSet[type] = WeakSet()
_SPECIAL = frozenset({*_event_data_kwargs, "send_id"})


def quicken(machine_class: type[StateChart[Any]]) -> None:
    """
    Let the events of a class be kept in those of its machines that have one of our engines.

    Not of a class that has a say itself in how its events are queued or run: they take python-statemachine's road,
    unless the class says with ``__orchestrator_event__`` (a subclass of `QuickEvent`) what its events do instead.
    """
    if machine_class in _quickened:
        return
    _quickened.add(machine_class)
    has_say = any(getattr(machine_class, name) is not getattr(StateChart, name) for name in _ROAD)
    if has_say and not hasattr(machine_class, "__orchestrator_event__"):
        return
    for base in machine_class.__mro__:
        for name, value in vars(base).items():
            if type(value) is Event and value.id == name:
                value.__class__ = KeptEvent
