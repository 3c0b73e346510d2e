"""Machines of a document as members of an orchestrator."""

from __future__ import annotations

import asyncio
import copy

import pytest
from convert_support import active, definition, field, row, state
from statemachine import State, StateMachine
from statemachine.exceptions import TransitionNotAllowed

from orca_bridge.convert import machine_class
from statemachines_orchestrator import Orchestrator

seen = []


@pytest.fixture(autouse=True)
def _nothing_seen():
    seen.clear()


class Payment(
    machine_class(
        definition(
            [
                state("idle", initial=True, on_entry=("greet",)),
                state("held", state("new")),
                state("failed"),
                state("done", final=True),
            ],
            [
                row("idle", "pay", "held", "charge"),
                row("held", "again", None, "charge"),
                row("held", "break", "idle", "charge", "fail"),
                row("idle", "error.action", "failed"),
                row("held", "finish", "done", "fail"),
                row("held", "tell", None, "tell"),
            ],
            context=(field("paid", "list", []),),
            name="Payment",
        )
    )
):
    def greet(self, ctx, *, orc):
        seen.append(type(orc).__name__)

    def charge(self, ctx, event):
        ctx["paid"].append(event["amount"])

    def fail(self, ctx):
        raise ValueError("no money")

    def tell(self, ctx, orc):
        seen.append((orc.order.current_state_value, orc.payment is self))


class Order(StateMachine):
    pending = State(initial=True)
    placed = State()
    place = pending.to(placed) | placed.to(placed)

    def on_place(self, fails=False, *, orc):
        orc.payment.send("pay", {"amount": 5})
        if fails:
            raise RuntimeError("no stock")


class Shop(Orchestrator):
    order: Order
    payment: Payment


@pytest.fixture
def shop():
    return Shop(order=Order(), payment=Payment)


def test_the_orchestrator_reaches_actions(shop):
    """An action that names the orchestrator gets it, from the initial entry on, and no payload has it."""
    shop.payment.pay(amount=5)
    shop.payment.tell()

    assert seen == ["Shop", ("pending", True)]
    assert shop.payment.context == {"paid": [5]}


def test_events_from_other_members(shop):
    """A member's callback sends to the machine like to any other."""
    shop.order.place()

    assert active(shop.payment) == "held.new"
    assert shop.payment.context == {"paid": [5]}


def test_a_failed_step_puts_the_context_back(shop):
    """When a step fails, the machine is where it was, and so is its data."""
    held = shop.payment.context

    with pytest.raises(RuntimeError, match="no stock"):
        shop.order.place(fails=True)

    assert active(shop.payment) == "idle"
    assert shop.payment.context is held
    assert held == {"paid": []}


def test_an_action_that_fails_fails_the_step(shop):
    """An error that no row takes ends the step, and the step puts everything back."""
    shop.payment.pay(amount=1)

    with pytest.raises(ValueError, match="no money"):
        shop.payment.finish()

    assert (active(shop.payment), shop.payment.is_terminated) == ("held.new", False)


def test_an_error_row_keeps_the_step(shop):
    """An error that a row takes is no failure of the step: what was done stays done."""
    shop.payment.pay(amount=1)

    shop.payment.send("break", amount=2)

    assert (active(shop.payment), shop.payment.context) == ("failed", {"paid": [1, 2]})


def test_a_nested_failure_reaches_the_caller(shop):
    """A failing action in a nested call raises there, as any call would."""

    class Breaks(Order):
        def on_place(self, orc):
            orc.payment.pay(amount=1)
            orc.payment.finish()

    shop = Shop(order=Breaks(), payment=Payment)

    with pytest.raises(ValueError, match="no money"):
        shop.order.place()

    assert (active(shop.payment), shop.payment.context) == ("idle", {"paid": []})


def test_refused_events(shop):
    """An event that nothing takes raises in a step, too."""
    with pytest.raises(TransitionNotAllowed):
        shop.payment.again()
    with pytest.raises(TransitionNotAllowed):
        shop.payment.send("no.such")


def test_copies(shop):
    """A copied orchestrator has copies of its machines, with their data."""
    shop.payment.pay(amount=1)

    twin = copy.deepcopy(shop)
    twin.payment.again(amount=2)

    assert (twin.payment.context, shop.payment.context) == ({"paid": [1, 2]}, {"paid": [1]})


def test_an_asynchronous_machine():
    """A machine with an asynchronous handler makes its steps asynchronous; errors put its data back."""

    class Async(Payment):
        async def charge(self, ctx, event):
            await asyncio.sleep(0)
            ctx["paid"].append(event["amount"])

    class AsyncShop(Orchestrator):
        payment: Async

    async def main():
        shop = AsyncShop(payment=Async)
        await shop.payment.pay(amount=1)
        with pytest.raises(ValueError, match="no money"):
            await shop.payment.finish()
        return active(shop.payment), shop.payment.context

    assert asyncio.run(main()) == ("held.new", {"paid": [1]})
    assert seen == ["AsyncShop"]


def test_a_machine_that_exists_already_can_join():
    """A machine that was made before is taken in with its state and its data."""

    class Plain(Payment):
        def greet(self): ...

    class PlainShop(Orchestrator):
        order: Order
        payment: Plain

    payment = Plain()
    payment.pay(amount=1)

    shop = PlainShop(order=Order(), payment=payment)
    with pytest.raises(ValueError, match="no money"):
        shop.payment.finish(amount=2)

    assert (active(payment), payment.context) == ("held.new", {"paid": [1]})
