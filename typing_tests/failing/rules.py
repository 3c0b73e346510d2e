"""Rules about states and events that do not exist, or that are no rules."""

from __future__ import annotations

from statemachines_orchestrator import In, Members, Orchestrator, each, guard, machine, machines, together, when

from machines import Order, Payment


class Shop(Orchestrator):
    order: Order = machine(factory=Order)
    payment: Payment = machine(factory=Payment)
    orders: Members[Order] = machines(factory=Order)

    misspelt = when(order.procesing).send(payment.void)  # E: reportAttributeAccessIssue / attr-defined
    unknown = when(order.processing).send(payment.autorize)  # E: reportAttributeAccessIssue / attr-defined
    no_member = when(each(orders).shiped).send(order.ship)  # E: reportAttributeAccessIssue / attr-defined
    policy = when(order.processing).send(payment.void, refused="drop")  # E: reportArgumentType / arg-type
    seconds = when(order.processing).after("two").send(payment.void)  # E: reportArgumentType / arg-type
    condition = guard(order.ship, 3)  # E: reportArgumentType / arg-type
    number = together(order.process, 3)  # E: reportArgumentType / arg-type
    inside = guard(order.ship, In(payment.capturd))  # E: reportAttributeAccessIssue / attr-defined


Shop().orders.add(3)  # E: reportArgumentType / arg-type
Shop().orders.add("a").void()  # E: reportAttributeAccessIssue / attr-defined
Shop().abort()  # E: reportAttributeAccessIssue / attr-defined
