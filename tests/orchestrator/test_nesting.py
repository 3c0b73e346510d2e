"""Nested orchestrators: their members are members of the whole, and their steps are steps of the whole."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from abc import ABC
from typing import TYPE_CHECKING, Generic, TypeVar

import pytest
from statemachine import Event, State, StateMachine
from worlds import World

from statemachines_orchestrator import (
    In,
    Members,
    Orchestrator,
    data,
    done,
    each,
    guard,
    machine,
    machines,
    some,
    together,
    when,
)
from statemachines_orchestrator.exceptions import (
    ConstructionError,
    EndlessNestingError,
    GuardRefused,
    JointEventRefused,
    LinkLoopError,
    LinkRefused,
    MachineInUseError,
    MemberAssignmentError,
    NotAMachineError,
    StateFieldIsNotUniqueError,
    StepRunningError,
    UnknownMachineError,
    UnknownNameError,
    WrongNameError,
)
from statemachines_orchestrator.testing import SimulatedClock

if TYPE_CHECKING:
    from nowhere import Imaginary


class Order(StateMachine):
    begun = State(initial=True)
    placed = State()
    closed = State(final=True)
    place = begun.to(placed) | placed.to(placed)
    close = begun.to(closed) | placed.to(closed)

    def on_place(self, todo=None, *, orc):
        return todo(orc) if todo is not None else None


class Payment(StateMachine):
    unpaid = State(initial=True)
    captured = State()
    void = State(final=True)
    capture = unpaid.to(captured)
    refund = captured.to(unpaid)
    cancel = unpaid.to(void) | captured.to(void)
    remind = Event(unpaid.to.itself(), delay=1000)

    def on_capture(self, todo=None, *, orc):
        return todo(orc) if todo is not None else None


class Ledger(StateMachine):
    clean = State(initial=True)
    booked = State()
    book = clean.to(booked) | booked.to(booked)
    wipe = booked.to(clean)


class AsyncPayment(Payment):
    async def before_transition(self):
        await asyncio.sleep(0)


class Books(Orchestrator):
    ledger: Ledger = machine(factory=Ledger)


class Billing(Orchestrator):
    payment: Payment = machine(factory=Payment)
    books: Books = machine(factory=Books)


class Shop(Orchestrator):
    order: Order = machine(factory=Order)
    billing: Billing = machine(factory=Billing)


class Cashier(Orchestrator):
    """One level, with rules of its own."""

    payment: Payment = machine(factory=Payment)
    ledger: Ledger = machine(factory=Ledger)
    log: list = data(default_factory=list)

    note = when(payment.captured).send(ledger.book)


class Market(Orchestrator):
    order: Order = machine(factory=Order)
    cashier: Cashier = machine(factory=Cashier)

    pay = when(order.placed).send(cashier.payment.capture)


async def started(kind, *arguments, **keywords):
    made = kind(*arguments, **keywords)
    await World.call(made.activate())
    return made


class TestOneSystem:
    def test_members_are_named_through_it(self) -> None:
        """Addresses, configurations and classes of all levels stand in declared order."""
        shop = Shop()

        assert list(shop.machines) == ["order", "billing.payment", "billing.books.ledger"]
        assert list(shop.billing.machines) == ["payment", "books.ledger"]
        assert str(shop.configuration) == "order=begun billing.payment=unpaid billing.books.ledger=clean"
        assert str(shop.billing.configuration) == "payment=unpaid books.ledger=clean"
        assert shop.machine_classes == {
            "order": Order,
            "billing.payment": Payment,
            "billing.books.ledger": Ledger,
        }
        assert shop.parent is None
        assert shop.billing.parent is shop
        assert shop.billing.books.parent is shop.billing

    def test_sends_by_address(self) -> None:
        """An address leads through the levels, seen from whoever is asked."""
        shop = Shop()
        shop.send("billing.payment.capture")
        shop.billing.send("books.ledger.book")
        shop.billing.books.send("ledger.wipe")

        assert str(shop.configuration) == "order=begun billing.payment=captured billing.books.ledger=clean"
        for address in ("billing.paymnt.capture", "billing.books", "billing", "books.ledger.book"):
            with pytest.raises(UnknownMachineError):
                shop.send(address)

    def test_enabled_events(self) -> None:
        """What is possible is named as seen from whoever is asked."""
        shop = Shop()

        assert "billing.books.ledger.book" in shop.enabled_events()
        assert "books.ledger.book" in shop.billing.enabled_events()
        assert shop.billing.books.enabled_events() == ("ledger.book",)

    def test_used_directly_it_is_a_step_of_the_whole(self) -> None:
        """An event of an inner member fires links of the outer one, and fails with them."""

        class Strict(Orchestrator):
            order: Order = machine(factory=Order)
            billing: Billing = machine(factory=Billing)

            react = when(billing.payment.captured).send(order.place)
            clash = when(order.placed).given(lambda orc: orc.order.model is None).send(order.place)
            fails = when(billing.books.ledger.booked).call(lambda orc: 1 / 0)

        strict = Strict()
        strict.billing.payment.capture()
        assert str(strict.configuration) == "order=placed billing.payment=captured billing.books.ledger=clean"
        with pytest.raises(ZeroDivisionError):
            strict.billing.books.ledger.book()
        assert strict.billing.books.ledger.clean.is_active

    def test_fields_are_kept(self) -> None:
        """A nested orchestrator stays the same, as a member does."""
        shop = Shop()

        with pytest.raises(MemberAssignmentError):
            shop.billing = Billing()
        with pytest.raises(MemberAssignmentError):
            del shop.billing

    def test_is_terminated_when_all_are(self) -> None:
        """The whole has ended when every machine at every level has."""

        class Small(Orchestrator):
            payment: Payment = machine(factory=Payment)

        class Large(Orchestrator):
            order: Order = machine(factory=Order)
            small: Small = machine(factory=Small)

        large = Large()
        large.order.close()
        assert not large.is_terminated
        large.small.payment.cancel()
        assert large.is_terminated
        assert large.small.is_terminated

    def test_one_step_at_a_time(self) -> None:
        """A thread that calls the inner one waits for a step of the outer one."""
        shop = Shop()
        entered, go_on, order_of = threading.Event(), threading.Event(), []

        def slow(orc):
            entered.set()
            go_on.wait(5)
            order_of.append("outer")

        outer = threading.Thread(target=lambda: shop.order.place(todo=slow))
        inner = threading.Thread(target=lambda: shop.billing.payment.capture(todo=lambda orc: order_of.append("inner")))
        outer.start()
        entered.wait(5)
        inner.start()
        inner.join(0.05)
        assert order_of == []
        go_on.set()
        outer.join(5)
        inner.join(5)

        assert order_of == ["outer", "inner"]


class TestCallbacks:
    def test_receive_the_inner_one(self, world: World) -> None:
        """Callbacks of inner members get the orchestrator that declares them; its parent is the outer one."""

        async def scenario():
            seen = []

            class Top(Orchestrator):
                order: world.machine(Order) = machine(factory=world.machine(Order))
                billing: Billing = machine(factory=Billing)

            top = await started(Top)
            await World.call(top.billing.payment.capture(todo=seen.append))
            await World.call(top.order.place(todo=seen.append))
            assert seen == [top.billing, top]

        world.run(scenario)

    def test_call_through_the_levels(self) -> None:
        """Calls up and down run at once, nested."""
        shop = Shop()

        def up(orc):
            orc.parent.order.place()
            assert orc.parent.order.placed.is_active
            orc.books.ledger.book()
            return str(orc.parent.configuration)

        assert shop.billing.payment.capture(todo=up) == (
            "order=placed billing.payment=unpaid billing.books.ledger=booked"
        )

    def test_each_level_has_its_name(self) -> None:
        """Orchestrators may go by different names in callbacks."""

        class Named(StateMachine):
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two)

            def on_go(self, inside):
                return inside

        class Inner(Orchestrator, orchestrator_name="inside"):
            named: Named = machine(factory=Named)

        class Outer(Orchestrator, orchestrator_name="outside"):
            inner: Inner = machine(factory=Inner)
            again: Inner = machine(factory=Inner)

        outer = Outer()
        assert outer.inner.named.go() is outer.inner
        assert outer.again.named.go() is outer.again

    def test_first_entries_find_everything(self) -> None:
        """The members of all levels are made first, and then enter their initial states, in declared order."""
        seen = []

        class Curious(StateMachine):
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two)

            def on_enter_one(self, orc):
                seen.append((type(orc).__name__, str((orc.parent or orc).configuration)))

        class Inner(Orchestrator):
            first: Curious = machine(factory=Curious)

        class Outer(Orchestrator):
            inner: Inner = machine(factory=Inner)
            last: Curious = machine(factory=Curious)

        Outer()

        assert seen == [("Inner", "inner.first=one last=-"), ("Outer", "inner.first=one last=one")]

    def test_post_init_comes_when_everything_is_there(self) -> None:
        """`__post_init__` of a part runs at the end of the outer constructor, inside out."""
        seen = []

        class Inner(Orchestrator):
            payment: Payment = machine(factory=Payment)
            items: Members[Ledger] = machines(Ledger)

            def __post_init__(self):
                seen.append((type(self).__name__, type(self.parent).__name__))
                self.items.add("a")
                self.payment.capture()

        class Outer(Orchestrator):
            order: Order = machine(factory=Order)
            inner: Inner = machine(factory=Inner)

            react = when(inner.payment.captured).send(order.place)

            def __post_init__(self):
                seen.append(str(self.configuration))

        Outer()
        assert seen == [("Inner", "Outer"), "order=placed inner.payment=captured inner.items[a]=clean"]
        del seen[:]
        inner = Inner()
        Outer(inner=inner)
        assert seen == [("Inner", "NoneType"), "order=begun inner.payment=captured inner.items[a]=clean"]


class TestRulesAcrossLevels:
    def test_links_in_both_directions(self, world: World) -> None:
        """The outer one links what is inside, three levels deep; links of inner ones stay in force and come first."""

        async def scenario():
            kind = world.machine(Order)

            class Inner(Orchestrator):
                ledger: Ledger = machine(factory=Ledger)
                log: list = data(default_factory=list)

                own = when(ledger.booked).call(lambda orc: orc.parent.parent.log.append("inner"))

            class Middle(Orchestrator):
                payment: Payment = machine(factory=Payment)
                inner: Inner = machine(factory=Inner)

                own = when(inner.ledger.booked).call(lambda orc: orc.parent.log.append("middle"))
                down = when(payment.captured).send(inner.ledger.book)

            class Outer(Orchestrator):
                order: kind = machine(factory=kind)
                middle: Middle = machine(factory=Middle)
                log: list = data(default_factory=list)

                down = when(order.placed).send(middle.payment.capture)
                up = when(middle.inner.ledger.booked).send(order.close)
                own = when("middle.inner.ledger.booked").call(
                    lambda orc, occurrence: orc.log.append(occurrence.address)
                )

            outer = await started(Outer)
            await World.call(outer.order.place())
            assert outer.log == ["inner", "middle", "middle.inner.ledger"]
            assert str(outer.configuration) == ("order=closed middle.payment=captured middle.inner.ledger=booked")

        world.run(scenario)

    def test_guards(self) -> None:
        """Guards of an outer one forbid events inside, whoever sends them, and name the way there."""

        class Guarded(Orchestrator):
            order: Order = machine(factory=Order)
            billing: Billing = machine(factory=Billing)

            placed_first = guard(billing.books.ledger.book, In(order.placed))
            paid_first = guard(order.close, In(billing.payment.captured))

        guarded = Guarded()
        with pytest.raises(GuardRefused) as raised:
            guarded.billing.books.ledger.book()
        assert str(raised.value) == (
            "billing.books.ledger.book is forbidden by the guard Guarded.placed_first: "
            "it needs In(order.placed), but order is in begun."
        )
        assert guarded.billing.books.enabled_events() == ()
        guarded.order.place()
        guarded.billing.books.ledger.book()
        with pytest.raises(GuardRefused, match=r"needs In\(billing\.payment\.captured\), but billing\.payment"):
            guarded.order.close()

    def test_joint_events(self, world: World) -> None:
        """A joint event of the outer one takes parts from all levels; called alone inside, it is the whole."""

        async def scenario():
            kind = world.machine(Order)

            class Joint(Orchestrator):
                order: kind = machine(factory=kind)
                billing: Billing = machine(factory=Billing)

                deal = together(order.place, billing.payment.capture, billing.books.ledger.book)

            joint = await started(Joint)
            assert list(await World.call(joint.deal())) == [
                "order.place",
                "billing.payment.capture",
                "billing.books.ledger.book",
            ]
            joint = await started(Joint)
            await World.call(joint.billing.books.ledger.book())
            assert str(joint.configuration) == ("order=placed billing.payment=captured billing.books.ledger=booked")
            with pytest.raises(JointEventRefused, match=r"billing\.payment\.capture: billing\.payment is in captured"):
                await World.call(joint.billing.books.ledger.book())

        world.run(scenario)

    def test_joint_events_of_the_inner_one(self) -> None:
        """They are called there, by address, and sent by links of the outer one."""

        class Inner(Orchestrator):
            payment: Payment = machine(factory=Payment)
            ledger: Ledger = machine(factory=Ledger)

            settle = together(payment.capture, ledger.book)

        class Outer(Orchestrator):
            order: Order = machine(factory=Order)
            inner: Inner = machine(factory=Inner)

        outer = Outer()
        assert "inner.settle" in outer.enabled_events()
        assert outer.inner.settle() == {"payment.capture": None, "ledger.book": None}
        outer = Outer()
        assert list(outer.send("inner.settle")) == ["payment.capture", "ledger.book"]
        assert "inner.settle" not in outer.enabled_events()

    def test_collections_inside(self) -> None:
        """Collections of an inner one are named through it, in links, conditions and joint events."""

        class Store(Orchestrator):
            items: Members[Ledger] = machines(Ledger)

        class Outer(Orchestrator):
            order: Order = machine(factory=Order)
            store: Store = machine(factory=Store)
            log: list = data(default_factory=list)

            book_all = when(order.placed).send(each(store.items).book)
            noted = when(each(store.items).booked).call(
                lambda orc, occurrence: orc.log.append((occurrence.address, occurrence.key))
            )
            any_booked = when(some(each(store.items).booked)).call(lambda orc: orc.log.append("some"))

        outer = Outer()
        outer.store.items.add("a")
        outer.store.items.add("b")
        outer.order.place()
        assert outer.log == [("store.items[a]", "a"), ("store.items[b]", "b"), "some"]
        outer.send("store.items[b].wipe")
        assert str(outer.configuration) == "order=placed store.items[a]=booked store.items[b]=clean"
        outer.store.items.remove("a")
        outer.store.items["b"].book()
        assert outer.log[3:] == [("store.items[b]", "b"), "some"]

    def test_a_step_that_fails_is_put_back_everywhere(self) -> None:
        """Machines, data, and members of inner collections."""

        class Store(Orchestrator):
            items: Members[Ledger] = machines(Ledger)
            count: int = data(default=0)

        class Outer(Orchestrator):
            order: Order = machine(factory=Order)
            store: Store = machine(factory=Store)

        outer = Outer()

        def todo(orc):
            orc.store.items.add("a").book()
            orc.store.count += 1
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            outer.order.place(todo=todo)
        assert (outer.store.items, outer.store.count) == ({}, 0)

    def test_unknown_names(self) -> None:
        """Mistakes are found through the levels, and so are the right names."""
        with pytest.raises(UnknownNameError, match=r"billing\.books has no member 'legder'.*'billing\.books\.ledger'"):

            class Misspelt(Orchestrator):
                billing: Billing = machine(factory=Billing)
                link = when(billing.books.legder.booked).send(billing.payment.capture)

        with pytest.raises(WrongNameError, match="billing is an orchestrator"):

            class Vague(Orchestrator):
                order: Order = machine(factory=Order)
                billing: Billing = machine(factory=Billing)
                link = when(billing).send(order.place)

        with pytest.raises(WrongNameError, match=r"belongs to Billing.*Write billing\.payment"):

            class Foreign(Orchestrator):
                order: Order = machine(factory=Order)
                billing: Billing = machine(factory=Billing)
                link = when(Billing.payment.captured).send(order.place)


class TestSettings:
    def test_the_outermost_decides_about_atomic(self) -> None:
        """Whether a failing step is put back is the outermost one's to say."""

        class Loose(Orchestrator, atomic=False):
            payment: Payment = machine(factory=Payment)

        class Firm(Orchestrator):
            loose: Loose = machine(factory=Loose)
            fails = when(loose.payment.captured).call(lambda orc: 1 / 0)

        class Looser(Orchestrator, atomic=False):
            firm: Firm = machine(factory=Firm)

        firm, looser = Firm(), Looser()
        for payment in (firm.loose.payment, looser.firm.loose.payment):
            with pytest.raises(ZeroDivisionError):
                payment.capture()
        assert firm.loose.payment.unpaid.is_active
        assert looser.firm.loose.payment.captured.is_active

    def test_the_outermost_decides_about_deliveries(self) -> None:
        """How many events a step may deliver is the outermost one's to say."""

        class Endless(Orchestrator, max_deliveries=2000):
            ledger: Ledger = machine(factory=Ledger)
            again = when(ledger.book).given(lambda orc: True).send(ledger.book)

        class Short(Orchestrator, max_deliveries=3):
            endless: Endless = machine(factory=Endless)

        with pytest.raises(LinkLoopError) as raised:
            Short().endless.ledger.book()
        assert "3" in str(raised.value)

    def test_the_outermost_decides_about_the_clock(self) -> None:
        """The clock of an inner one is that of the whole; timers keep the time that they have left."""
        own, shared = SimulatedClock(), SimulatedClock()
        shared.advance(100)
        inner = Cashier(clock=own)
        inner._system.driver.delay(*_delayed(inner.payment), 5.0)
        own.advance(2)
        assert inner.next_due == 5
        market = Market(cashier=inner, clock=shared)

        assert inner.clock is shared
        assert market.next_due == inner.next_due == 103
        own.advance(60)
        assert inner.next_due == 103
        shared.advance(3)
        assert market.next_due is None
        made = Market(cashier=lambda: Cashier(clock=own), clock=shared)
        assert made.cashier.clock is shared

    def test_run_due_of_the_inner_one(self) -> None:
        """It fires timers of the whole."""

        class Timed(Orchestrator):
            order: Order = machine(factory=Order)
            billing: Billing = machine(factory=Billing)
            later = when(order.placed).after(0).send(billing.payment.capture)

        timed = Timed()
        timed.order.place()
        assert timed.billing.run_due() == 1
        assert timed.billing.payment.captured.is_active


def _delayed(machine_):
    """An event that is to happen later, as the engine hands it over."""
    trigger = machine_.capture.build_trigger(machine=machine_)
    return machine_._engine, trigger


class TestPassing:
    def test_instances_classes_and_factories(self) -> None:
        """What a member takes, a field for an orchestrator takes as well."""
        inner = Billing()
        inner.payment.capture()

        assert Shop(billing=inner).billing is inner
        assert str(inner.parent.configuration) == "order=begun billing.payment=captured billing.books.ledger=clean"
        assert type(Shop(billing=Billing).billing) is Billing
        assert Shop(billing=lambda: Billing(payment=Payment(start_value="captured"))).billing.payment.captured.is_active
        assert Shop(Order(), Billing()).billing.parent is not None

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (Books(), "declared as Billing"),
            (Books, "the class Books is not one"),
            (lambda: Books(), "declared as Billing"),
            (Payment(), "declared as Billing"),
            (None, "None is not one"),
            (3, "3 is not one"),
        ],
    )
    def test_refuses_others(self, given, message) -> None:
        """What is no such orchestrator is refused."""
        with pytest.raises(NotAMachineError) as raised:
            Shop(billing=given)

        assert message in str(raised.value)

    def test_belongs_to_one(self) -> None:
        """An orchestrator is a part of one other, once, and its machines are nobody else's."""

        class Two(Orchestrator):
            one: Billing
            two: Billing

        inner = Billing()
        with pytest.raises(MachineInUseError, match="passed for two fields"):
            Two(inner, inner)
        assert inner.parent is None
        Shop(billing=inner)
        with pytest.raises(MachineInUseError, match="belongs to a Shop already"):
            Shop(billing=inner)
        with pytest.raises(MachineInUseError, match="belongs to a Billing already"):
            Cashier(inner.payment)

    def test_shared_models(self) -> None:
        """Machines of different levels do not keep their state in one place."""

        class Row:
            pass

        row = Row()

        with pytest.raises(StateFieldIsNotUniqueError, match=r"billing\.payment"):
            Shop(Order(row), Billing(payment=Payment(row)))

    def test_optional(self) -> None:
        """An optional part may be absent: what is said about it never is the case."""

        class Maybe(Orchestrator):
            order: Order = machine(factory=Order)
            billing: Billing | None = None
            log: list = data(default_factory=list)

            paid = when("billing.payment.captured").send(order.close)
            pay = when(order.placed).send("billing.payment.capture")
            free = guard(order.close, ~In("billing.payment.unpaid"))
            ended = when(done("billing.payment")).call(lambda orc: None)

        without, with_it = Maybe(), Maybe(billing=Billing())
        assert without.billing is None
        assert list(without.machines) == ["order"]
        without.order.place()
        without.order.close()
        with pytest.raises(GuardRefused):
            with_it.order.close()
        with_it.order.place()
        assert str(with_it.configuration) == "order=closed billing.payment=captured billing.books.ledger=clean"
        for make_copy in (copy.copy, copy.deepcopy):
            assert make_copy(without).billing is None

    def test_in_the_middle_of_a_step(self) -> None:
        """An orchestrator whose step is running cannot become a part of another; nothing has changed then."""
        inner, free = Billing(), Order()

        with pytest.raises(StepRunningError):
            inner.payment.capture(todo=lambda orc: Shop(order=free, billing=orc))
        assert inner.parent is None
        assert inner.payment.unpaid.is_active
        inner.payment.capture()
        assert Shop(order=free, billing=inner).order is free

    def test_used_by_another_thread(self) -> None:
        """Nesting waits for the running step; events that wait with it become events of the whole."""
        inner = Cashier()
        entered, go_on = threading.Event(), threading.Event()
        made, results = [], []

        def slow(orc):
            entered.set()
            go_on.wait(5)

        threads = [threading.Thread(target=lambda: inner.payment.capture(todo=slow))]
        threads[0].start()
        entered.wait(5)
        threads.append(threading.Thread(target=lambda: made.append(Noting(cashier=inner))))
        threads[1].start()
        _until_in_line(inner, 1)
        threads.append(threading.Thread(target=lambda: results.append(inner.payment.refund())))
        threads.append(threading.Thread(target=lambda: results.append(inner.send("payment.cancel"))))
        threads[2].start()
        _until_in_line(inner, 2)
        threads[3].start()
        _until_in_line(inner, 3)
        go_on.set()
        for thread in threads:
            thread.join(5)

        assert results == [None, None]
        assert made[0].cashier.payment.void.is_active
        assert made[0].log == ["unpaid", "void"]

    def test_in_a_with_block_of_its_own(self) -> None:
        """The outer one fires the timers of the whole, so the block has to be left first."""
        inner = Cashier()

        with inner, pytest.raises(MachineInUseError, match=r"with block of its own\. Leave the block first"):
            Market(cashier=inner)
        with Market(cashier=inner):
            pass

    def test_brings_what_it_held(self) -> None:
        """Held events and what is remembered of conditions go on in the whole."""

        class Holding(Orchestrator):
            payment: Payment = machine(factory=Payment)
            ledger: Ledger = machine(factory=Ledger)
            log: list = data(default_factory=list)

            hold = when(ledger.booked).send(payment.refund, refused="hold")
            once = when(In(ledger.booked) & In(payment.unpaid)).call(lambda orc: orc.log.append("both"))

        class Around(Orchestrator):
            order: Order = machine(factory=Order)
            holding: Holding = machine(factory=Holding)

        inner = Holding()
        inner.ledger.book()
        assert inner.log == ["both"]
        around = Around(holding=inner)
        assert inner.log == ["both"]
        inner.payment.capture()
        assert str(around.configuration) == "order=begun holding.payment=unpaid holding.ledger=booked"
        assert inner.log == ["both", "both"]

    def test_brings_its_observers(self) -> None:
        """Who observed the inner one observes the whole, until he stops."""
        inner, records = Cashier(), []
        stop = inner.inspect(records.append)
        market = Market(cashier=inner)
        del records[:]
        market.order.place()
        assert records
        del records[:]
        stop()
        market.cashier.payment.refund()
        assert records == []

    def test_conditions_begin_to_hold_at_once(self) -> None:
        """Conditions of the outer one on machines that run already are asked at its start."""

        class Asking(Orchestrator):
            order: Order = machine(factory=Order)
            billing: Billing = machine(factory=Billing)
            paid = when(In(billing.payment.captured)).send(order.place)

        inner = Billing()
        inner.payment.capture()
        assert Asking(billing=inner).order.placed.is_active

    def test_after_a_failing_constructor(self, world: World) -> None:
        """The inner one is as it was, alone: with its driver, clock, timers, held events, rules and observers."""

        class Inner(Orchestrator):
            payment: world.machine(Payment) = machine(factory=world.machine(Payment))
            ledger: Ledger = machine(factory=Ledger)

            hold = when(ledger.booked).send(payment.refund, refused="hold")
            later = when(ledger.booked).after(10).send(payment.cancel)

        class Broken(Orchestrator):
            order: Order = machine(factory=Order)
            inner: Inner = machine(factory=Inner)
            extra: Inner | None = None

            forbidden = guard(inner.payment.capture, lambda orc: False)

            def __post_init__(self):
                raise ValueError("broken")

        class Around(Orchestrator):
            inner: Inner
            order: Order = machine(factory=Order)

        async def scenario():
            clock, records = SimulatedClock(), []
            inner = await started(Inner, clock=clock)
            inner.inspect(records.append)
            await World.call(inner.ledger.book())
            for attempt in (
                lambda: Broken(inner=inner),
                lambda: Broken(inner=inner, extra=inner),
                lambda: Broken(inner=inner, order=Payment()),
                lambda: Broken(inner=inner, order=Failing),
            ):
                with pytest.raises((ValueError, ConstructionError)):
                    attempt()
                assert inner.parent is None
                assert inner.clock is clock
                assert inner.next_due == 10
                assert [held.address for held in inner._system.driver.held] == ["payment.refund"]
            del records[:]
            await World.call(inner.payment.capture())
            assert records
            assert str(inner.configuration) == "payment=unpaid ledger=booked"
            await World.call(clock.advance(11))
            assert inner.payment.void.is_active
            after = await started(Around, inner=inner)
            assert after.inner is inner

        world.run(scenario)

    def test_a_factory_that_makes_several(self) -> None:
        """Only the one that is returned becomes a part; the others are systems of their own, or nothing."""
        others = []

        def make():
            others.append(Billing())
            others.append(Billing())
            return others[-1]

        shop = Shop(billing=make)
        assert shop.billing is others[1]
        assert others[0].parent is None
        others[0].payment.capture()
        assert str(others[0].configuration) == "payment=captured books.ledger=clean"
        assert others[1].payment.unpaid.is_active

        def make_and_fail():
            others.append(Billing())
            raise LookupError("no")

        with pytest.raises(LookupError, match="no"):
            Shop(billing=make_and_fail)
        others[2].payment.capture()
        assert others[2].payment.captured.is_active


class Failing(Order):
    def on_enter_begun(self):
        raise ValueError("no start")


class Noting(Orchestrator):
    order: Order = machine(factory=Order)
    cashier: Cashier = machine(factory=Cashier)
    log: list = data(default_factory=list)

    again = when(cashier.payment.unpaid).call(lambda orc: orc.log.append("unpaid"))
    over = when(cashier.payment.void).call(lambda orc: orc.log.append("void"))


def _until_in_line(system, count):
    turns = system._system.driver._turns
    while len(turns._line) < count:
        pass


class TestAsynchronous:
    def test_an_inner_one_makes_the_outer_one_asynchronous(self) -> None:
        """One asynchronous member at any level makes the whole asynchronous."""

        class Deep(Orchestrator):
            payment: AsyncPayment = machine(factory=AsyncPayment)

        class Middle(Orchestrator):
            deep: Deep = machine(factory=Deep)

        class Top(Orchestrator):
            order: Order = machine(factory=Order)
            middle: Middle = machine(factory=Middle)
            pay = when(order.placed).send(middle.deep.payment.capture)
            end = when(middle.deep.payment.captured).send(order.close)

        async def scenario():
            async with Top() as top:
                await top.order.place()
                assert str(top.configuration) == "order=closed middle.deep.payment=captured"
                await top.middle.deep.payment.refund()
                return str(top.middle.configuration)

        assert asyncio.run(scenario()) == "deep.payment=unpaid"

    def test_passed_when_it_runs_already(self) -> None:
        """An asynchronous one that was activated goes on in the whole, where the others begin."""

        class Deep(Orchestrator):
            payment: AsyncPayment = machine(factory=AsyncPayment)

        class Top(Orchestrator):
            order: Order = machine(factory=Order)
            deep: Deep = machine(factory=Deep)

        async def scenario():
            deep = await started(Deep)
            await deep.payment.capture()
            top = Top(deep=deep)
            await deep.payment.refund()
            assert str(top.configuration) == "order=begun deep.payment=unpaid"
            busy = await started(Deep)
            call = busy.payment.capture()
            with pytest.raises(StepRunningError):
                Top(deep=busy)
            await call
            assert Top(deep=busy).deep.payment.captured.is_active

        asyncio.run(scenario())

    def test_passed_before_it_runs(self) -> None:
        """One that was not activated begins with the whole."""

        class Deep(Orchestrator):
            payment: AsyncPayment = machine(factory=AsyncPayment)

        class Top(Orchestrator):
            deep: Deep
            order: Order = machine(factory=Order)

        async def scenario():
            deep = Deep()
            async with Top(deep) as top:
                return str(top.configuration)

        assert asyncio.run(scenario()) == "deep.payment=unpaid order=begun"


class Row:
    def __init__(self):
        self.state = None
        self.system = None


class Inside(Orchestrator):
    payment: Payment = machine(factory=lambda: Payment(Row()))
    items: Members[Ledger] = machines(Ledger)
    notes: list = data(default_factory=list)

    hold = when(payment.captured).send(payment.cancel, refused="hold")
    stay = guard(payment.cancel, some(each(items).booked))
    once = when(some(each(items).booked)).call(lambda orc: orc.notes.append("booked"))


class Outside(Orchestrator):
    order: Order = machine(factory=Order)
    inside: Inside = machine(factory=Inside)
    notes: list = data(default_factory=list)

    closed = when(done(inside.payment)).send(order.close)


def pickled(system):
    return pickle.loads(pickle.dumps(system))


COPIES = pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, pickled], ids=["copy", "deepcopy", "pickle"])
DEEP = pytest.mark.parametrize("make_copy", [copy.deepcopy, pickled], ids=["deepcopy", "pickle"])


class TestCopies:
    @COPIES
    def test_of_the_outer_one(self, make_copy) -> None:
        """Copies are independent at all levels, with held events, memory and rules."""
        outside = Outside()
        outside.inside.items.add("a")
        outside.inside.payment.capture()
        other = make_copy(outside)

        assert other.inside is not outside.inside
        assert other.inside.parent is other
        other.inside.items["a"].book()
        assert str(other.configuration) == "order=closed inside.payment=void inside.items[a]=booked"
        assert str(outside.configuration) == "order=begun inside.payment=captured inside.items[a]=clean"

    @COPIES
    def test_of_a_part(self, make_copy) -> None:
        """A copy of a part is that part of a copy of the whole."""
        outside = Outside()
        outside.inside.payment.capture()
        inside = make_copy(outside.inside)

        assert inside is not outside.inside
        assert inside.parent is not outside
        assert inside.parent.inside is inside
        inside.items.add("a").book()
        assert str(inside.parent.configuration) == "order=closed inside.payment=void inside.items[a]=booked"
        assert outside.inside.payment.captured.is_active

    @DEEP
    def test_references_lead_to_the_copy(self, make_copy) -> None:
        """Whoever knows a part, a member of it, or the whole, knows those of the copy."""
        outside = Outside()
        outside.inside.payment.model.system = outside
        outside.notes = [outside.inside, outside.inside.payment, outside.inside.items]
        outside.inside.notes = [outside, outside.order]
        other = make_copy(outside)

        assert other.inside.payment.model.system is other
        assert other.notes[0] is other.inside
        assert other.notes[1] is other.inside.payment
        assert other.notes[2] is other.inside.items
        assert other.inside.notes[0] is other
        assert other.inside.notes[1] is other.order

    @COPIES
    def test_remember_what_held(self, make_copy) -> None:
        """A condition that held inside does not fire again."""
        outside = Outside()
        outside.inside.items.add("a").book()
        other = make_copy(outside)
        other.inside.notes = []
        other.inside.items["a"].book()
        assert other.inside.notes == []
        other.inside.items["a"].wipe()
        other.inside.items["a"].book()
        assert other.inside.notes == ["booked"]

    def test_not_in_a_step(self) -> None:
        """A part is copied between steps of the whole."""
        outside = Outside()

        with pytest.raises(StepRunningError):
            outside.order.place(todo=lambda orc: copy.deepcopy(orc.inside))


B = TypeVar("B", bound=Orchestrator)
M = TypeVar("M", bound=StateMachine)


class Holder(Orchestrator, ABC, Generic[B]):
    part: B


class BillingHolder(Holder[Billing]):
    order: Order = machine(factory=Order)

    react = when("part.payment.captured").send(order.place)


class Pair(Orchestrator, Generic[M]):
    left: M
    right: M


class PairHolder(Orchestrator):
    pair: Pair[Order] = machine()

    both = when(pair.left.placed).send(pair.right.place)


class TestDeclarations:
    def test_inheritance(self) -> None:
        """Subclasses have the parts of their bases, and may link them."""

        class Larger(Shop):
            ledger: Ledger = machine(factory=Ledger)
            react = when(Shop.billing.payment.captured).send(ledger.book)

        class SpecialBilling(Billing):
            extra: Ledger = machine(factory=Ledger)

        larger = Larger(billing=SpecialBilling())
        larger.billing.payment.capture()
        assert larger.ledger.booked.is_active
        assert list(larger.machines) == [
            "order",
            "billing.payment",
            "billing.books.ledger",
            "billing.extra",
            "ledger",
        ]

    def test_generics(self) -> None:
        """A part may be a type variable, or a generic class itself."""
        holder = BillingHolder(Billing())
        holder.part.payment.capture()
        assert holder.order.placed.is_active
        pairs = PairHolder(Pair(Order(), Order()))
        pairs.pair.left.place()
        assert pairs.pair.right.placed.is_active

    def test_annotations_for_type_checkers_only(self) -> None:
        """A factory says what an annotation cannot; without one the error says what to do."""

        class Known(Orchestrator):
            billing: "Imaginary" = machine(factory=Billing)  # noqa: UP037 - as code without the future import has it
            react = when(billing.payment.captured).send(billing.books.ledger.book)

        class Unknown(Orchestrator):
            billing: "Imaginary"  # noqa: UP037

        known = Known()
        known.billing.payment.capture()
        assert known.billing.books.ledger.booked.is_active
        for given in (Billing(), Billing, lambda: Billing()):
            with pytest.raises(NotAMachineError, match="Billing is an orchestrator, and when the class was made"):
                Unknown(billing=given)

    def test_circles_of_factories(self) -> None:
        """Orchestrators that make each other without end are refused, and the circle is named."""

        class First(Orchestrator):
            order: Order = machine(factory=Order)
            second: Second = machine(factory=lambda: Second())

        class Second(Orchestrator):
            order: Order = machine(factory=Order)
            first: First = machine(factory=First)

        with pytest.raises(EndlessNestingError, match=r"Second\.first -> ") as raised:
            First()
        assert not getattr(raised.value, "__notes__", [])

        class Own(Orchestrator):
            order: Order = machine(factory=Order)

        class Node(Own):
            own: Own = machine(factory=lambda: Node())

        with pytest.raises(EndlessNestingError, match=r"Node\.own -> \.\.\."):
            Node()
        assert Node(own=Own()).own.order.begun.is_active

    def test_a_refused_link_names_the_way(self) -> None:
        """Errors name members as seen from the outermost one."""

        class Refusing(Orchestrator):
            order: Order = machine(factory=Order)
            billing: Billing = machine(factory=Billing)
            pay = when(order.placed).send(billing.payment.refund)

        with pytest.raises(LinkRefused, match=r"billing\.payment is in unpaid"):
            Refusing().order.place()
