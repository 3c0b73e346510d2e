"""The clock is an option of every constructor, and what it tells has types."""

from __future__ import annotations

from typing_extensions import assert_type

from statemachines_orchestrator import Clock, Orchestrator, data, machine
from statemachines_orchestrator.testing import SimulatedClock

from machines import Order, Payment


class HandClock(Clock):
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds


class Shop(Orchestrator):
    payment: Payment
    order: Order = machine(factory=Order)
    count: int = data(default=0)


class Larger(Shop):
    extra: Order = machine(factory=Order)


clock = SimulatedClock(start=10)
clock.advance(1.5, days=14, hours=1, minutes=2, milliseconds=3)
clock.advance_to_next()

shop = Shop(Payment(), clock=clock)
assert_type(shop, Shop)
assert_type(shop.clock, Clock)
assert_type(shop.clock.now(), float)
assert_type(shop.next_due, float | None)
assert_type(Larger(Payment(), Order(), 3, clock=HandClock()).count, int)
shop.run_due()

with Shop(Payment()) as entered:
    assert_type(entered, Shop)
