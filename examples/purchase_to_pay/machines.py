"""
The life cycles of the five kinds of objects, and what the words of a log mean for them.

Every object begins as `expected`: its machine is there from the beginning of the case, and the log speaks of it
later.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from statemachine import State, StateChart, StateMachine

from orca_bridge import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .case import Case

__all__ = ("ACTIVITIES", "MACHINES", "Invoice", "Material", "PurchaseOrder", "Receipt", "Requisition")

_HERE = Path(__file__).parent


class Requisition(StateMachine):
    """A purchase requisition: a wish, which becomes one order."""

    expected = State(initial=True)
    created = State()
    ordered = State(final=True)

    create = expected.to(created)
    order = created.to(ordered)


class PurchaseOrder(load(_HERE / "purchase_order.orca.md")):  # type: ignore[misc] # a class known at run time
    """A purchase order: states and guards are in the document, the actions are here."""

    def note_materials(self, ctx: dict[str, Any], event: Mapping[str, int]) -> None:
        """Remember how many materials were ordered."""
        ctx["materials"] = event["materials"]

    def add_invoices(self, ctx: dict[str, Any], event: Mapping[str, int]) -> None:
        """Count the invoices that have come in."""
        ctx["unpaid"] += event["invoices"]

    def pay_invoices(self, ctx: dict[str, Any], event: Mapping[str, int]) -> None:
        """Take the invoices off that are paid."""
        ctx["unpaid"] -= event["invoices"]


class Material(load(_HERE / "material.orca.md")):  # type: ignore[misc] # a class known at run time
    """A material: everything is in the document."""


class Receipt(StateMachine):
    """A goods receipt: closed with the clearing that settles the order, open for more invoices until then."""

    expected = State(initial=True)
    received = State()
    issued = State()
    closed = State(final=True)

    receive = expected.to(received)
    issue = received.to(issued)
    clear = issued.to(closed, cond="order_is_settled") | issued.to(issued)

    def order_is_settled(self, orc: Case) -> bool:
        """Look at the order, which has taken the same clearing just before."""
        return bool(orc.order.settled.is_active)


class Invoice(StateMachine):
    """An invoice: it may come early, but nothing is paid before the goods are accepted."""

    expected = State(initial=True)
    received = State()
    cleared = State(final=True)

    receive = expected.to(received)
    clear = received.to(cleared, cond="goods_receipt_is_issued")

    def goods_receipt_is_issued(self, orc: Case) -> bool:
        """Look at the goods receipt of the case."""
        return bool(orc.receipt.issued.is_active)


MACHINES: Mapping[str, type[StateChart[Any]]] = {
    "PURCHREQ": Requisition,
    "PURCHORD": PurchaseOrder,
    "GDSRCPT": Receipt,
    "MATERIAL": Material,
    "INVOICE": Invoice,
}
"""The machine of each object type."""

ACTIVITIES: Mapping[str, Mapping[str, str]] = {
    "Create Purchase Requisition": {"PURCHREQ": "create", "MATERIAL": "request"},
    "Create Purchase Order": {"PURCHREQ": "order", "PURCHORD": "place", "MATERIAL": "order"},
    "Receive Goods": {"GDSRCPT": "receive", "PURCHORD": "receive_goods", "MATERIAL": "receive"},
    "Issue Goods Receipt": {"GDSRCPT": "issue", "PURCHORD": "accept_goods", "MATERIAL": "store"},
    "Verify Material": {"MATERIAL": "verify"},
    "Plan Goods Issue": {"MATERIAL": "plan"},
    "Goods Issue": {"MATERIAL": "issue"},
    "Receive Invoice": {"INVOICE": "receive", "PURCHORD": "receive_invoice"},
    "Clear Invoice": {"INVOICE": "clear", "PURCHORD": "clear_invoice", "GDSRCPT": "clear"},
}
"""
The event that each activity is for the objects that it touches, in the order in which they are asked.

An invoice is cleared first: it asks whether the receipt is issued. The receipt comes last: it asks whether
the order is settled now.
"""
