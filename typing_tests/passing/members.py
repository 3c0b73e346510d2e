"""Members are typed as they are declared, and so are the constructor's arguments."""

from __future__ import annotations

from typing import Any

from statemachine import State, StateChart
from typing_extensions import assert_type

from statemachines_orchestrator import Members, Orchestrator, SystemConfiguration, data, machine, machines

from machines import Chart, Express, Order, Payment, make_order


class Shop(Orchestrator):
    order: Order = machine(factory=Order)
    payment: Payment = machine(factory=Payment)


class Required(Orchestrator):
    order: Order
    payment: Payment = machine()


class Mixed(Orchestrator):
    chart: Chart
    order: Order = machine(factory=make_order)
    express: Order = machine(factory=Express, start_value="pending")
    payment: Payment | None = None
    count: int = data(default=0)
    notes: list[str] = data(default_factory=list[str])
    label: str | None = data(default=None)


class Given(Orchestrator):
    order: Order
    customer: str = data()


class Collected(Orchestrator):
    label: str = data(default="")
    orders: Members[Order] = machines(factory=Order)


# -- the constructor: by keyword, by position, with and without what is optional

shop = Shop()
Shop(Order())
Shop(Order(), Payment())
Shop(payment=Payment(), order=Express())
Required(Order(), Payment())
Required(order=Order(), payment=Payment())
Mixed(Chart())
Mixed(Chart(), Order(), Express(), None, 3, ["fragile"], None)
Mixed(chart=Chart(), payment=Payment(), count=3)
Given(Order(), "ann")
Given(order=Order(), customer="ann")

Collected()
Collected("ann")

# -- the fields

assert_type(Collected().orders, Members[Order])
assert_type(Collected().orders.add("a"), Order)
assert_type(shop, Shop)
assert_type(shop.order, Order)
assert_type(shop.payment, Payment)
mixed = Mixed(Chart())
assert_type(mixed.chart, Chart)
assert_type(mixed.order, Order)
assert_type(mixed.express, Order)
assert_type(mixed.payment, Payment | None)
assert_type(mixed.count, int)
assert_type(mixed.notes, list[str])
assert_type(mixed.label, str | None)
assert_type(Given(Order(), "ann").customer, str)
mixed.count += 1
mixed.label = "fragile"

# -- states and events of a member

assert_type(shop.order.processing, State)
assert_type(shop.order.processing.is_active, bool)
shop.order.process()
shop.payment.void()
mixed.order.send("process", by="ann")

# -- the system

assert_type(shop.configuration, SystemConfiguration)
assert_type(shop.configuration["order"], frozenset[str])
assert_type(shop.machines, dict[str, StateChart[Any]])
assert_type(shop.machine_classes, dict[str, type[StateChart[Any]]])
assert_type(shop.orchestrator_name, str)
assert_type(shop.is_terminated, bool)
shop.send("order.ship", by="ann")
