"""What an asynchronous system does not give."""

from __future__ import annotations

from statemachines_orchestrator import EventCall, Orchestrator, machine

from machines import Order


class Shop(Orchestrator):
    order: Order = machine(factory=Order)


async def main() -> None:
    async with Shop() as shop:
        shop.payment  # E: reportAttributeAccessIssue / attr-defined
    call: EventCall = Shop().order  # E: reportAssignmentType / assignment
    await Shop()  # E: reportGeneralTypeIssues / misc
    await call
