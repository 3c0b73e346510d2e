"""A system with something of everything, and a process that goes on with snapshots of it."""

from __future__ import annotations

import json
import sys

from statemachine import HistoryState, State, StateChart, StateMachine

from statemachines_orchestrator import (
    In,
    Members,
    Orchestrator,
    data,
    each,
    every,
    guard,
    machine,
    machines,
    together,
    when,
)
from statemachines_orchestrator.exceptions import OrchestratorError
from statemachines_orchestrator.testing import SimulatedClock


class Order(StateMachine):
    pending = State(initial=True)
    processing = State()
    shipped = State(final=True)
    cancelled = State(final=True)
    process = pending.to(processing)
    ship = processing.to(shipped)
    cancel = pending.to(cancelled) | processing.to(cancelled)

    def on_enter_state(self, target, orc):
        orc.note("order", target.id)

    def after_process(self):
        self.send("cancel", delay=40_000, send_id="late")


class Payment(StateChart):
    unpaid = State(initial=True)
    paid = State()
    refunded = State(final=True)
    pay = unpaid.to(paid)
    refund = paid.to(refunded)

    def on_enter_state(self, target, orc):
        orc.note("payment", target.id)


class Player(StateChart):
    off = State(initial=True)

    class on(State.Compound):
        slow = State(initial=True)
        fast = State()
        last = HistoryState()
        faster = slow.to(fast)
        slower = fast.to(slow)

    switch_off = on.to(off)
    switch_on = off.to(on.last)

    def on_enter_state(self, target, orc):
        orc.note("player", target.id)


class Parcel(StateMachine):
    opened = State(initial=True)
    closed = State()
    seal = opened.to(closed)
    unseal = closed.to(opened)

    def on_enter_state(self, target, orc, member_key):
        orc.note(member_key, target.id)


class Billing(Orchestrator):
    payment: Payment = machine(factory=Payment)
    player: Player = machine(factory=Player)

    play = when(payment.paid).send(player.switch_on, refused="ignore")

    def note(self, *what):
        self.parent.note(*what)


class Desk(Orchestrator):
    order: Order = machine(factory=Order)
    billing: Billing = machine(factory=Billing)
    parcels: Members[Parcel] = machines(Parcel)
    notes: list[str] = data(default_factory=list)

    dispatch = when(order.processing).send(order.ship, refused="hold")
    remind = when(order.processing).after(30).send("billing.payment.pay", refused="ignore")
    stop = when(In("billing.payment.paid") & In(order.pending)).send("billing.player.switch_off", refused="ignore")
    all_closed = when(every(each(parcels).closed)).call(lambda orc: orc.note("all", "closed"))
    paid_first = guard(order.ship, In("billing.payment.paid"))
    give_up = together(order.cancel, each(parcels).unseal)

    def note(self, *what):
        self.notes = [*self.notes, " ".join(what)]


def act(desk: Desk, doing: str) -> str:
    """Do one thing, and say what came of it."""
    desk.notes = []
    try:
        if doing.startswith("advance"):
            desk.clock.advance(float(doing.split()[1]))
        elif doing.startswith("add"):
            desk.parcels.add(doing.split()[1])
        elif doing.startswith("remove"):
            desk.parcels.remove(doing.split()[1])
        else:
            desk.send(doing)
    except (OrchestratorError, Order.TransitionNotAllowed, KeyError) as refusal:
        return f"{type(refusal).__name__}: {refusal} | {desk.configuration} | {desk.notes}"
    return f"{desk.configuration} | {desk.notes}"


def serve() -> None:
    """Go on with each snapshot that comes in a line, and answer with what was seen and the snapshot at the end."""
    for line in sys.stdin:
        given = json.loads(line)
        desk = Desk.restore(given["snapshot"], clock=SimulatedClock())
        seen = [act(desk, doing) for doing in given["doings"]]
        print(json.dumps({"seen": seen, "snapshot": desk.snapshot().to_json()}), flush=True)  # noqa: T201


if __name__ == "__main__":
    serve()
