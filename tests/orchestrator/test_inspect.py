"""What an observer is told of a running system."""

from __future__ import annotations

import logging

import pytest
from statemachine import State, StateChart, StateMachine

from statemachines_orchestrator import In, Members, Orchestrator, each, guard, machine, machines, together, when
from statemachines_orchestrator.observers import StepList
from statemachines_orchestrator.system import (
    EventHeld,
    EventRefused,
    LinkFired,
    Moved,
    StepEnded,
    StepStarted,
    TimerChanged,
)
from statemachines_orchestrator.testing import SimulatedClock


class Order(StateMachine):
    pending = State(initial=True)
    processing = State()
    shipped = State(final=True)
    cancelled = State(final=True)
    process = pending.to(processing)
    ship = processing.to(shipped)
    cancel = pending.to(cancelled) | processing.to(cancelled)


class Payment(StateChart):
    unpaid = State(initial=True)
    paid = State()
    refunded = State(final=True)
    pay = unpaid.to(paid)
    refund = paid.to(refunded)


def shop_of(world, **keywords):
    class Shop(Orchestrator, **keywords):
        order: Order = machine(factory=Order)
        payment: Payment = machine(factory=world.machine(Payment))
        parcels: Members[Order] = machines(Order)

        charge = when(order.processing).send(payment.pay)
        dispatch = when(order.processing).send(order.ship, refused="hold")
        open_first = guard(order.ship, In("payment.paid"))
        give_up = together(order.cancel, each(parcels).cancel)

    return Shop(clock=SimulatedClock())


async def begun(world, shop):
    """Let the system enter its initial states, and listen from then on."""
    await world.call(shop.activate())
    records = []
    return records, shop.inspect(records.append)


def kinds(records):
    return [record.kind for record in records]


class TestSteps:
    def test_an_event(self, world):
        """A step tells its beginning, the move with what was left and entered, and its end with who took part."""

        async def scenario():
            shop = shop_of(world)
            records, _ = await begun(world, shop)
            await world.call(shop.payment.pay())
            return records

        assert world.run(scenario) == [
            StepStarted(1, 0.0, "payment", "pay"),
            Moved(1, "payment", "pay", ("unpaid",), ("paid",), None),
            StepEnded(1, 0.0, "payment=paid", None, False),
        ]

    def test_numbers(self, world):
        """The steps of a system are counted from 1, from the first one that somebody hears."""

        async def scenario():
            shop = shop_of(world)
            records, _ = await begun(world, shop)
            await world.call(shop.order.cancel())
            await world.call(shop.payment.pay())
            return [record.step for record in records if isinstance(record, StepStarted)]

        assert world.run(scenario) == [1, 2]

    @pytest.mark.parametrize("atomic", [True, False])
    def test_a_failure(self, world, atomic):
        """A step that fails tells with what, whether it was put back, and where its machines are then."""

        async def scenario():
            shop = shop_of(world, atomic=atomic)
            records, _ = await begun(world, shop)
            with pytest.raises(Exception, match="Ship"):
                await world.call(shop.order.ship())
            return records[-1]

        ended = world.run(scenario)

        assert ended == StepEnded(1, 0.0, "order=pending", "TransitionNotAllowed: Can't Ship when in Pending.", atomic)

    def test_a_joint_event(self, world):
        """A step for a joint event names it, and nobody's address."""

        async def scenario():
            shop = shop_of(world)
            shop.parcels.add("a")
            records, _ = await begun(world, shop)
            await world.call(shop.give_up())
            return records

        started, *moves, _ = world.run(scenario)

        assert started == StepStarted(1, 0.0, None, "give_up")
        assert [(move.address, move.entered) for move in moves] == [
            ("order", ("cancelled",)),
            ("parcels[a]", ("cancelled",)),
        ]

    def test_the_first_entry(self, world):
        """What has listened from the beginning hears the first entry of a member that is added, without an event."""

        async def scenario():
            shop = shop_of(world)
            records, _ = await begun(world, shop)
            shop.parcels.add("a")
            await world.call(shop.payment.pay())
            return [record for record in records if isinstance(record, Moved)]

        assert world.run(scenario)[0] == Moved(1, "parcels[a]", None, (), ("pending",), None)


class TestLinks:
    def test_fired_refused_and_held(self, world):
        """Links tell when they fire and for whom, what is refused and why, what is held, and what they cause."""

        async def scenario():
            class Strict(Orchestrator):
                order: Order = machine(factory=Order)
                payment: Payment = machine(factory=world.machine(Payment))

                dispatch = when(order.processing).send(order.ship, refused="hold")
                open_first = guard(order.ship, In("payment.paid"))

            strict = Strict(clock=SimulatedClock())
            records, _ = await begun(world, strict)
            await world.call(strict.order.process())
            await world.call(strict.payment.pay())
            return records

        why = "order.ship is forbidden by the guard Strict.open_first: it needs In(payment.paid), but payment is in unpaid"

        assert world.run(scenario) == [
            StepStarted(1, 0.0, "order", "process"),
            Moved(1, "order", "process", ("pending",), ("processing",), None),
            LinkFired(1, "Strict.dispatch", "order", "order", "ship"),
            EventRefused(1, "order", "ship", why, "Strict.dispatch"),
            EventHeld(1, "Strict.dispatch", "order", "ship"),
            StepEnded(1, 0.0, "order=processing", None, False),
            StepStarted(2, 0.0, "payment", "pay"),
            Moved(2, "payment", "pay", ("unpaid",), ("paid",), None),
            Moved(2, "order", "ship", ("processing",), ("shipped",), "Strict.dispatch"),
            StepEnded(2, 0.0, "payment=paid order=shipped", None, False),
        ]

    def test_a_refused_call(self, world):
        """An event that a machine refuses is told, also if its class says nothing of it."""

        async def scenario():
            shop = shop_of(world)
            records, _ = await begun(world, shop)
            await world.call(shop.payment.pay())
            await world.call(shop.payment.pay())
            return [record for record in records if isinstance(record, EventRefused)]

        why = "payment is in paid, where nothing is enabled for 'pay'"

        assert world.run(scenario) == [EventRefused(2, "payment", "pay", why, None)]


class TestTimers:
    @staticmethod
    def waiting(world):
        class Waiting(Orchestrator):
            order: Order = machine(factory=Order)
            payment: Payment = machine(factory=world.machine(Payment))
            late = when(order.processing).after(30).send(payment.pay)

        return Waiting(clock=SimulatedClock())

    def test_set_and_fired(self, world):
        """A timer is told when it is set, and in the step that it fires."""

        async def scenario():
            waiting = self.waiting(world)
            records, _ = await begun(world, waiting)
            await world.call(waiting.order.process())
            await world.call(waiting.clock.advance(31))
            return records

        *_, set_, _, started, fired, link, moved, ended = world.run(scenario)

        assert set_ == TimerChanged(1, "set", 30.0, "order", None, "Waiting.late")
        assert started == StepStarted(2, 30.0, None, None)
        assert fired == TimerChanged(2, "fired", 30.0, "order", None, "Waiting.late")
        assert link == LinkFired(2, "Waiting.late", "order", "payment", "pay")
        assert moved == Moved(2, "payment", "pay", ("unpaid",), ("paid",), "Waiting.late")
        assert ended == StepEnded(2, 30.0, "payment=paid", None, False)

    def test_cancelled(self, world):
        """A delay whose cause passes tells that it is cancelled."""

        async def scenario():
            waiting = self.waiting(world)
            records, _ = await begun(world, waiting)
            await world.call(waiting.order.process())
            await world.call(waiting.order.cancel())
            return [(one.step, one.change) for one in records if isinstance(one, TimerChanged)]

        assert world.run(scenario) == [(1, "set"), (2, "cancelled")]

    def test_a_delayed_event(self, world):
        """A delayed event of a machine tells which event it is."""

        async def scenario():
            waiting = self.waiting(world)
            records, _ = await begun(world, waiting)
            await world.call(waiting.order.send("cancel", delay=5000))
            await world.call(waiting.clock.advance(6))
            return [one for one in records if isinstance(one, TimerChanged)]

        assert world.run(scenario) == [
            TimerChanged(1, "set", 5.0, "order", "cancel", None),
            TimerChanged(2, "fired", 5.0, "order", "cancel", None),
        ]


class TestObservers:
    def test_ends(self, world):
        """What `inspect` returns ends it; another observer goes on."""

        async def scenario():
            shop = shop_of(world)
            first, stop = await begun(world, shop)
            second = []
            shop.inspect(second.append)
            stop()
            await world.call(shop.payment.pay())
            return first, second

        first, second = world.run(scenario)

        assert first == []
        assert kinds(second) == ["step started", "moved", "step ended"]

    def test_a_failing_one(self, world, caplog):
        """One that raises is logged and hears no more; the step and the others are not harmed."""

        async def scenario():
            shop = shop_of(world)
            records, _ = await begun(world, shop)
            calls = []

            def broken(record):
                calls.append(record)
                raise RuntimeError("out of paper")

            shop.inspect(broken)
            with caplog.at_level(logging.ERROR, "statemachines_orchestrator"):
                await world.call(shop.payment.pay())
            return shop.configuration["payment"], kinds(records), len(calls)

        assert world.run(scenario) == ({"paid"}, ["step started", "moved", "step ended"], 1)
        assert [entry.message.split(":")[0] for entry in caplog.records] == [
            "an observer of Shop failed and hears no more"
        ]

    def test_step_list(self, world):
        """The list of steps for tests hears the same."""

        async def scenario():
            shop = shop_of(world)
            steps = StepList()
            await world.call(shop.activate())
            shop.inspect(steps)
            await world.call(shop.order.process())
            return steps.last

        step = world.run(scenario)

        assert [fired.link for fired in step.fired] == ["Shop.charge", "Shop.dispatch"]
        assert [move.address for move in step.moves] == ["order", "payment", "order"]

    def test_of_a_part(self):
        """To inspect a part is to inspect the whole; addresses are those of the outermost."""

        class Inner(Orchestrator):
            payment: Payment = machine(factory=Payment)

        class Outer(Orchestrator):
            order: Order = machine(factory=Order)
            billing: Inner = machine(factory=Inner)

        outer = Outer()
        records = []
        outer.billing.inspect(records.append)
        outer.billing.payment.pay()
        outer.order.process()

        assert [one.address for one in records if isinstance(one, Moved)] == ["billing.payment", "order"]
