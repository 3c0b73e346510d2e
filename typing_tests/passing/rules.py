"""Links, guards, joint events, collections and nested orchestrators are typed by the machines that they are about."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

from statemachines_orchestrator import (
    In,
    Members,
    Occurrence,
    Orchestrator,
    at,
    done,
    each,
    every,
    guard,
    machine,
    machines,
    none,
    some,
    together,
    when,
)
from statemachines_orchestrator.declare import BoundJointEvent, Guard, JointEvent, Link

from machines import Order, Payment


def itself(orc: Shop, occurrence: Occurrence) -> str:
    return str(occurrence.key)


class Shop(Orchestrator, max_deliveries=100, version="2"):
    order: Order = machine(factory=Order)
    payment: Payment = machine(factory=Payment)
    orders: Members[Order] = machines(factory=Order)
    plain: dict[str, Order] = machines(Order)

    charge = when(order.processing).given(In(payment.unpaid)).send(payment.void, refused="hold", amount=3)
    late = when(order.process).after(60).given(lambda orc: True).send("order.ship").forward("by")
    both = when(order.processing, In(payment.captured) & ~In(order.shipped)).call(lambda orc: None)
    ended = when(done(order)).call(lambda orc, occurrence: None)
    own = when(each(orders).shipped).send(at(orders, itself).process, refused="ignore")
    all_there = when(every(each(orders).shipped)).send(payment.capture, refused="ignore")
    paid_first = guard(order.ship, In(payment.captured) | some(each(orders).shipped))
    quiet = guard(each(orders).ship, none(each(plain).processing))
    abort = together(order.process, payment.void)
    after_abort = when(abort).send(abort, refused="ignore")


class Mall(Orchestrator):
    shop: Shop = machine(factory=Shop)
    order: Order = machine(factory=Order)

    opening = when(shop.order.processing).send(order.process)
    orders_too = guard(order.ship, every(each(shop.orders).shipped))


shop = Shop()
Shop(Order(), Payment())
Shop(order=Order())
Mall(shop=shop)

assert_type(shop.orders, Members[Order])
shop.abort(reason="late")
assert_type(shop.orders.add("a"), Order)
assert_type(shop.orders["a"], Order)
assert_type(shop.orders.remove("a"), Order)
assert_type(shop.plain.get("a"), Order | None)
assert_type(Mall().shop.order, Order)
assert_type(Shop.links, tuple[Link, ...])
assert_type(Shop.guards, tuple[Guard, ...])
assert_type(Shop.joint_events, tuple[JointEvent, ...])
assert_type(Shop.abort, JointEvent)
assert_type(shop.abort, BoundJointEvent)
alone = Shop()
assert_type(alone.snapshot().to_json(), str)
assert_type(Shop.restore(alone.snapshot()), Shop)
stop = shop.inspect(print)
stop()


@Shop.migration("1", "2")
def migrate(parts: dict[str, Any]) -> dict[str, Any]:
    return parts
