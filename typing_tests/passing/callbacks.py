"""A callback that names the orchestrator in quotes knows its members."""

from __future__ import annotations

from statemachine import State, StateMachine
from typing_extensions import assert_type

from statemachines_orchestrator import Orchestrator, machine

from machines import Payment


class Parcel(StateMachine):
    packed = State(initial=True)
    sent = State(final=True)
    send_off = packed.to(sent)

    def after_send_off(self, orc: Depot) -> None:
        assert_type(orc.payment, Payment)
        assert_type(orc.parcel, Parcel)


class Depot(Orchestrator):
    parcel: Parcel = machine(factory=Parcel)
    payment: Payment = machine(factory=Payment)


Depot().parcel.send_off()
