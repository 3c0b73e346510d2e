"""Members, states and events that do not exist, or not for sure."""

from __future__ import annotations

from statemachines_orchestrator import Orchestrator, data, machine

from machines import Order, Payment


class Shop(Orchestrator, orchestrator_name="coordinator"):
    order: Order = machine(factory=Order)
    payment: Payment = machine(factory=Payment)
    refund: Payment | None = None
    count: int = data(default=0)


shop = Shop()
shop.paymnt  # E: reportAttributeAccessIssue / attr-defined
shop.paymnt.void()  # E: reportAttributeAccessIssue / attr-defined
shop.payment.viod()  # E: reportAttributeAccessIssue / attr-defined
shop.order.void()  # E: reportAttributeAccessIssue / attr-defined
shop.order.proccessing.is_active  # E: reportAttributeAccessIssue / attr-defined
shop.refund.void()  # E: reportOptionalMemberAccess / union-attr
shop.count = "three"  # E: reportAttributeAccessIssue / assignment
shop.count.void()  # E: reportAttributeAccessIssue / attr-defined
shop.order = Payment()  # E: reportAttributeAccessIssue / assignment
shop.configuration["order"] = frozenset[str]()  # E: reportIndexIssue / index
shop.configuration.order  # E: reportAttributeAccessIssue / attr-defined
