"""
One orchestrator for one case: the machines of all its objects, and a clerk who reads the log to them.

An event of the log touches several objects and must move all of them or none. A step is what is put back as
a whole, and a step begins with one event from outside: so the log's event goes to one member, the clerk, and
the clerk passes it on from inside the step.

The members of an orchestrator are fields, as many as its class says. Cases have different numbers of materials
and invoices, so there is one class for each pair of numbers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from types import new_class
from typing import TYPE_CHECKING, Any

from statemachine import State, StateChart, StateMachine
from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator import Orchestrator, data, machine

from .machines import ACTIVITIES, Invoice, Material, PurchaseOrder, Receipt, Requisition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .log import LoggedEvent

__all__ = ("Case", "Clerk", "Refusal", "RefusedError", "Seat", "open_case", "states_of")

_SINGLE = {"PURCHREQ": "requisition", "PURCHORD": "order", "GDSRCPT": "receipt"}
_SEVERAL = {"MATERIAL": "material", "INVOICE": "invoice"}


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an object of the log sits in its case."""

    object_id: str
    type: str
    member: str | None
    """The field of its machine; None if the case has no room for it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who refused an event of the log, and why."""

    object_id: str
    type: str
    reason: str
    """As a predicate: the object ..."""
    states: tuple[str, ...] = ()
    """The innermost states that its machine was in; none if it has no machine."""
    allowed: tuple[str, ...] = ()
    """The events that its machine would have taken instead."""


class RefusedError(Exception):
    """Raised when an object cannot take an event that touches it; the step ends and everything is put back."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal)


class Clerk(StateMachine):
    """Takes one event of the log at a time and passes it on to every object that it touches."""

    at_work = State(initial=True)

    take = at_work.to(at_work, internal=True)

    def on_take(self, logged: LoggedEvent, orc: Case) -> None:
        """Pass the event on; the first refusal ends it for all."""
        counts = orc.counts(logged)
        for seat, event in orc.addressed(logged):
            member = orc.machine_at(seat)
            try:
                member.send(event, **counts)
            except TransitionNotAllowed as error:
                raise RefusedError(orc.refusal(seat.object_id, _reason(member, event), logged)) from error


class Case(Orchestrator):
    """The machines of one case; `open_case` makes one with as many materials and invoices as are needed."""

    clerk: Clerk = machine(factory=Clerk)
    requisition: Requisition = machine(factory=Requisition)
    order: PurchaseOrder = machine(factory=PurchaseOrder)
    receipt: Receipt = machine(factory=Receipt)
    seats: dict[str, Seat] = data(default_factory=dict)

    def machine_at(self, seat: Seat) -> StateChart[Any]:
        """
        Return the machine of an object.

        Raises:
            RefusedError: The case has a machine of that type already, and it is another object's.
        """
        if seat.member is None:
            other = next(one.object_id for one in self.seats.values() if one.type == seat.type)
            raise RefusedError(
                Refusal(seat.object_id, seat.type, f"has no place: the case has its {seat.type}, {other}")
            )
        found: StateChart[Any] = getattr(self, seat.member)
        return found

    def addressed(self, logged: LoggedEvent) -> Iterator[tuple[Seat, str]]:
        """
        List the touched objects, each with the event that the activity is for it, in the order to ask them.

        Raises:
            RefusedError: The activity means nothing to one of the objects.
        """
        events = ACTIVITIES[logged.activity]
        touched = [self.seats[object_id] for object_id in logged.objects]
        for seat in touched:
            if seat.type not in events:
                reason = f"has no part in {logged.activity!r}, which is for {' and '.join(events)}"
                raise RefusedError(self.refusal(seat.object_id, reason, logged))
        for kind, event in events.items():
            yield from ((seat, event) for seat in touched if seat.type == kind)

    def refusal(self, object_id: str, reason: str, logged: LoggedEvent) -> Refusal:
        """Say why an object refuses an event, with what its machine is and would allow now."""
        seat = self.seats[object_id]
        if seat.member is None:
            return Refusal(object_id, seat.type, reason)
        member = self.machine_at(seat)
        allowed = tuple(str(event.id) for event in member.enabled_events(**self.counts(logged)))
        return Refusal(object_id, seat.type, reason, states_of(member), allowed)

    def counts(self, logged: LoggedEvent) -> dict[str, Any]:
        """Count the materials and invoices that an event touches: the payload of every event sent for it."""
        found = Counter(self.seats[name].type for name in logged.objects if name in self.seats)
        return {"materials": found["MATERIAL"], "invoices": found["INVOICE"]}

    @property
    def is_complete(self) -> bool:
        """Whether every object has reached the end of its life; the clerk has none."""
        return all(member.is_terminated for name, member in self.machines.items() if name != "clerk")


def open_case(types: Mapping[str, str]) -> Case:
    """
    Make the case of some objects.

    Args:
        types: The objects of the case, with the type of each. A second requisition, order or receipt finds no
            room.
    """
    seats: dict[str, Seat] = {}
    numbers: Counter[str] = Counter()
    for object_id, kind in types.items():
        numbers[kind] += 1
        if kind in _SEVERAL:
            member: str | None = f"{_SEVERAL[kind]}_{numbers[kind]}"
        else:
            member = _SINGLE[kind] if numbers[kind] == 1 else None
        seats[object_id] = Seat(object_id, kind, member)
    return _case_class(numbers["MATERIAL"], numbers["INVOICE"])(seats=seats)


@cache
def _case_class(materials: int, invoices: int) -> type[Case]:
    kinds: dict[str, type[StateChart[Any]]] = {f"material_{number + 1}": Material for number in range(materials)}
    kinds |= {f"invoice_{number + 1}": Invoice for number in range(invoices)}

    def body(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = __name__
        namespace["__annotations__"] = kinds
        namespace.update({name: machine(factory=kind) for name, kind in kinds.items()})

    made: type[Case] = new_class(f"CaseOf{materials}MaterialsAnd{invoices}Invoices", (Case,), {}, body)
    return made


def states_of(member: StateChart[Any]) -> tuple[str, ...]:
    """List the innermost active states; of a nested one, whose value is its path, the last name."""
    return tuple(str(state.value).rpartition(".")[2] for state in member.configuration if state.is_atomic)


def _reason(member: StateChart[Any], event: str) -> str:
    conditions = [
        str(condition)
        for state in member.configuration
        for transition in state.transitions
        if transition.match(event)
        for condition in transition.cond
    ]
    denied = f": {' or '.join(dict.fromkeys(conditions))} does not hold" if conditions else ""
    return f"cannot take {event!r}{denied}"
