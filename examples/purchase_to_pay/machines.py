"""
The life cycles of the five kinds of objects, each by itself: what holds between them is said in `case.py`.

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

__all__ = ("Invoice", "Material", "PurchaseOrder", "Receipt", "Requisition", "states_of")

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
        ctx["materials"] = event["material_count"]

    def add_invoices(self, ctx: dict[str, Any], event: Mapping[str, int]) -> None:
        """Count the invoices that have come in."""
        ctx["unpaid"] += event["invoice_count"]

    def pay_invoices(self, ctx: dict[str, Any], event: Mapping[str, int]) -> None:
        """Take the invoices off that are paid."""
        ctx["unpaid"] -= event["invoice_count"]


class Material(load(_HERE / "material.orca.md")):  # type: ignore[misc] # a class known at run time
    """A material: everything is in the document."""


class Receipt(StateMachine):
    """A goods receipt: stays open for more invoices while they are cleared, until it is closed."""

    expected = State(initial=True)
    received = State()
    issued = State()
    closed = State(final=True)

    receive = expected.to(received)
    issue = received.to(issued)
    clear = issued.to(issued)
    close = issued.to(closed)


class Invoice(StateMachine):
    """An invoice."""

    expected = State(initial=True)
    received = State()
    cleared = State(final=True)

    receive = expected.to(received)
    clear = received.to(cleared)


def states_of(machine: StateChart[Any]) -> tuple[str, ...]:
    """List the innermost active states; of a nested one, whose value is its path, the last name."""
    return tuple(str(state.value).rpartition(".")[2] for state in machine.configuration if state.is_atomic)
