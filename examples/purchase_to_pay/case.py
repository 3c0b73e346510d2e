"""
One orchestrator for one case: the machines of its objects, and what holds between them.

Each kind of object is a collection, with the ids of the log as keys. Each activity of the log is a joint event under
its own name: "Create Purchase Order" is `create_purchase_order`. It happens to all objects that an event of the log
touches, or to none of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator import Members, Orchestrator, at, data, each, guard, machines, some, together, when
from statemachines_orchestrator.exceptions import JointEventRefused

from .machines import Invoice, Material, PurchaseOrder, Receipt, Requisition, states_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statemachines_orchestrator.declare import JointEvent
    from statemachines_orchestrator.system import Occurrence

    from .log import LoggedEvent

__all__ = ("ACTIVITIES", "ACTIVITY_OF", "COLLECTIONS", "Case", "Refusal")

COLLECTIONS: Mapping[str, str] = {
    "PURCHREQ": "requisitions",
    "PURCHORD": "orders",
    "GDSRCPT": "receipts",
    "MATERIAL": "materials",
    "INVOICE": "invoices",
}
"""Where the objects of each type of the log are."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object that refuses an event of the log."""

    object_id: str
    reason: str
    """Who refuses and why, as a clause."""
    states: tuple[str, ...] = ()
    """The innermost states that its machine was in; none if it has no machine."""
    allowed: tuple[tuple[str, str], ...] = ()
    """The events that its machine would have taken instead, with their activities."""


def is_first_of_its_kind(orc: Case, occurrence: Occurrence) -> bool:
    """Whether the log has spoken of no other object of this type before."""
    return next(one for one in orc.machines.values() if type(one) is type(occurrence.machine)) is occurrence.machine


def itself(_orc: Case, occurrence: Occurrence) -> str:
    """Return the key of the member that a link is about."""
    return str(occurrence.key)


class Case(Orchestrator):
    """The machines of one case, all of them there from the beginning."""

    types: dict[str, str] = data(default_factory=dict)
    """The type of each object, in the order in which the log speaks of them."""

    requisitions: Members[Requisition] = machines(factory=Requisition)
    orders: Members[PurchaseOrder] = machines(factory=PurchaseOrder)
    receipts: Members[Receipt] = machines(factory=Receipt)
    materials: Members[Material] = machines(factory=Material)
    invoices: Members[Invoice] = machines(factory=Invoice)

    create_purchase_requisition = together(each(requisitions).create, each(materials).request)
    create_purchase_order = together(each(requisitions).order, each(orders).place, each(materials).order)
    receive_goods = together(each(receipts).receive, each(orders).receive_goods, each(materials).receive)
    issue_goods_receipt = together(each(receipts).issue, each(orders).accept_goods, each(materials).store)
    verify_material = together(each(materials).verify)
    plan_goods_issue = together(each(materials).plan)
    goods_issue = together(each(materials).issue)
    receive_invoice = together(each(invoices).receive, each(orders).receive_invoice)
    clear_invoice = together(each(invoices).clear, each(orders).clear_invoice, each(receipts).clear)

    one_order = guard(each(orders).place, is_first_of_its_kind)
    one_receipt = guard(each(receipts).receive, is_first_of_its_kind)
    goods_first = guard(each(invoices).clear, some(each(receipts).issued))
    closing = when(each(receipts).clear).given(some(each(orders).settled)).send(at(receipts, itself).close)

    def __post_init__(self) -> None:
        """Make the machines."""
        for object_id, kind in self.types.items():
            self.members(kind).add(object_id)

    def members(self, kind: str) -> Members[Any]:
        """Return the machines of all objects of a type."""
        found: Members[Any] = getattr(self, COLLECTIONS[kind])
        return found

    @property
    def is_complete(self) -> bool:
        """Whether all have reached the end of their lives: requisition, order, receipt, materials and invoices."""
        firsts = [next(iter(ones.values()), None) for ones in (self.requisitions, self.orders, self.receipts)]
        return all(one and one.is_terminated for one in (*firsts, *self.materials.values(), *self.invoices.values()))

    def take(self, logged: LoggedEvent) -> tuple[Refusal, ...]:
        """
        Let an event of the log happen to all objects that it touches.

        Returns:
            Who refuses it; if somebody does, nobody has moved.
        """
        joint = ACTIVITIES[logged.activity]
        touched: dict[str, list[str]] = {part.member.path[0]: [] for part in joint.parts}
        outsiders = [name for name in logged.objects if COLLECTIONS[self.types[name]] not in touched]
        if outsiders:
            reason = f"has no part in {logged.activity!r}, which is for {' and '.join(touched)}"
            return tuple(self.refusal(name, f"{self.address(name)} {reason}", logged) for name in outsiders)
        for name in logged.objects:
            touched[COLLECTIONS[self.types[name]]].append(name)
        try:
            getattr(self, joint.name)(**touched, **self._payload(logged))
        except JointEventRefused as error:
            ids = {self.address(name): name for name in logged.objects}
            reasons = ((ids[address.rpartition(".")[0]], why) for address, why in error.refusals.items())
            return tuple(self.refusal(name, why, logged) for name, why in reasons)
        return ()

    def address(self, object_id: str) -> str:
        """Return the address of an object's machine."""
        return f"{COLLECTIONS[self.types[object_id]]}[{object_id}]"

    def refusal(self, object_id: str, reason: str, logged: LoggedEvent) -> Refusal:
        """Say why an object refuses an event, with what its machine is and would allow now."""
        kind = self.types[object_id]
        machine = self.members(kind)[object_id]
        enabled = (str(event.id) for event in machine.enabled_events(**self._payload(logged)))
        activities = {event: ACTIVITY_OF.get((COLLECTIONS[kind], event)) for event in enabled}
        allowed = tuple((event, activity) for event, activity in activities.items() if activity is not None)
        return Refusal(object_id, reason, states_of(machine), allowed)

    def _payload(self, logged: LoggedEvent) -> dict[str, int]:
        """Count what orders have to know: their events do not say who else takes part."""
        found = Counter(self.types.get(name) for name in logged.objects)
        return {"material_count": found["MATERIAL"], "invoice_count": found["INVOICE"]}


ACTIVITIES: Mapping[str, JointEvent] = {one.name.replace("_", " ").title(): one for one in Case.joint_events}
"""What each activity of the log is here."""

ACTIVITY_OF: Mapping[tuple[str, str], str] = {
    (part.member.path[0], part.id): activity for activity, joint in ACTIVITIES.items() for part in joint.parts
}
"""The activity that each event of a collection's members belongs to."""
