"""Wrong arguments of the constructor."""

from __future__ import annotations

from statemachines_orchestrator import Orchestrator, data, machine
from statemachines_orchestrator.testing import SimulatedClock

from machines import Order, Payment


class Shop(Orchestrator):
    order: Order = machine(factory=Order)
    payment: Payment | None = None
    count: int = data(default=0)


class Required(Orchestrator):
    order: Order
    payment: Payment = machine()
    count: int = data()


class Larger(Required):
    extra: Order = machine(factory=Order)


Shop(Payment())  # E: reportArgumentType / arg-type
Shop(order=Payment())  # E: reportArgumentType / arg-type
Shop(order=None)  # E: reportArgumentType / arg-type
Shop(payment=Order())  # E: reportArgumentType / arg-type
Shop(ordre=Order())  # E: reportCallIssue / call-arg
Shop(Order(), Payment(), 0, "one too many")  # E: reportCallIssue / call-arg
Shop(clock=0.0)  # E: reportArgumentType / arg-type
Shop(Order(), None, 0, SimulatedClock())  # E: reportCallIssue / call-arg
Required(Order(), Payment(), 3, clock=None)  # E: reportArgumentType / arg-type
Shop(count="three")  # E: reportArgumentType / arg-type
Required()  # E: reportCallIssue / call-arg
Required(Order(), count=3)  # E: reportCallIssue / call-arg
Required(order=Order(), payment=Payment())  # E: reportCallIssue / call-arg
Required(Order(), Order(), 3)  # E: reportArgumentType / arg-type
Larger(Order(), Payment(), 3, Payment())  # E: reportArgumentType / arg-type
