"""Snapshots: what is restored goes on as if it had never stopped, and restoring runs no callback."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import pydantic
import pytest
from shop import Order, Payment
from statemachine import Event, HistoryState, State, StateChart, StateMachine
from statemachine.exceptions import TransitionNotAllowed
from worlds import until

from orca_bridge import loads
from statemachines_orchestrator import In, Members, Orchestrator, data, each, every, guard, machine, machines, when
from statemachines_orchestrator.exceptions import (
    ArgumentsError,
    ConstructionError,
    DefinitionError,
    SnapshotMismatchError,
    StepRunningError,
    UnsavableError,
)
from statemachines_orchestrator.testing import SimulatedClock


def again(system, **members):
    """The same, restored from text."""
    restored = type(system).restore(system.snapshot().to_json(), **members)
    assert restored.snapshot() == system.snapshot() or system.next_due is not None
    return restored


class Machinery(StateChart):
    """Compound, parallel and nested parallel states with history of both sorts."""

    outside = State(initial=True)

    class box(State.Compound):
        first = State(initial=True)

        class inner(State.Compound):
            i1 = State(initial=True)
            i2 = State()
            i_go = i1.to(i2)

        forward = first.to(inner)
        back = HistoryState()
        deep = HistoryState(type="deep")

    class both(State.Parallel):
        class left(State.Compound):
            l1 = State(initial=True)
            l2 = State()
            l_go = l1.to(l2)
            l_back = l2.to(l1)

        class right(State.Parallel):
            class upper(State.Compound):
                u1 = State(initial=True)
                u2 = State()
                u_go = u1.to(u2)
                u_back = u2.to(u1)

            class lower(State.Compound):
                w1 = State(initial=True)
                w2 = State()
                w_go = w1.to(w2)
                w_back = w2.to(w1)

        over = HistoryState(type="deep")

    enter = outside.to(box)
    leave = box.to(outside) | both.to(outside)
    resume = outside.to(box.back)
    resume_deep = outside.to(box.deep)
    split = outside.to(both)
    rejoin = outside.to(both.over)


class Rooted(StateChart):
    """A parallel state at the root, which ends when both regions have."""

    class both(State.Parallel):
        class left(State.Compound):
            l1 = State(initial=True)
            l2 = State(final=True)
            l_go = l1.to(l2)

        class right(State.Compound):
            r1 = State(initial=True)
            r2 = State(final=True)
            r_go = r1.to(r2)


FAILING = SimpleNamespace(now=False)
CALLED = []


def note(*words):
    if FAILING.now:
        pytest.fail(f"a callback ran: {words}")
    CALLED.append(words)


class Touchy(StateMachine):
    """Every callback fails, once that is switched on."""

    one = State(initial=True)
    two = State()
    three = State(final=True)
    go = one.to(two, cond="may", validators="check") | two.to(three)
    stay = one.to.itself(internal=True)
    pause = Event(two.to(one), delay=5000)

    def prepare_event(self):
        note("prepare")
        return {}

    def may(self):
        note("may")
        return True

    def check(self):
        note("check")

    def before_go(self):
        note("before")

    def on_go(self):
        note("on")

    def after_go(self):
        note("after")

    def on_enter_state(self, state):
        note("enter", state.id)

    def on_exit_state(self, state):
        note("exit", state.id)

    def on_enter_one(self):
        note("enter one")


class TouchyChart(StateChart):
    """The same with an eventless transition, and the errors that a chart would swallow."""

    one = State(initial=True)
    two = State()
    three = State()
    go = one.to(two)
    two.to(three, cond="is_late")
    back = two.to(one) | three.to(one)

    def is_late(self):
        note("late")
        return False

    def on_invoke_two(self, ctx):
        note("invoke")
        ctx.cancelled.wait(5)

    def on_enter_state(self, state):
        note("enter", state.id)


class TouchySystem(Orchestrator):
    touchy: Touchy = machine(factory=Touchy)
    chart: TouchyChart = machine(factory=TouchyChart)
    many: Members[Touchy] = machines(Touchy)

    seen = when(touchy.two).given(lambda orc: note("given") is None).after(60).call(lambda orc: note("call"))
    held = when(chart.two).send(touchy.stay, refused="hold", amount=lambda orc: len(CALLED))
    edge = when(In(chart.two) & In(touchy.two)).call(lambda orc: note("edge"))


@pytest.fixture(autouse=True)
def quiet():
    """Callbacks may run again in the next test."""
    CALLED.clear()
    FAILING.now = False
    yield
    FAILING.now = False


class Charts(Orchestrator):
    chart: Machinery = machine(factory=Machinery)
    order: Order = machine(factory=Order)


class TestStates:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ([], ["enter"]),
            (["enter", "forward", "i_go"], ["leave", "resume"]),
            (["enter", "forward", "i_go", "leave"], ["resume"]),
            (["enter", "forward", "i_go", "leave"], ["resume_deep"]),
            (["split", "l_go", "u_go"], ["w_go", "leave", "rejoin"]),
            (["split", "l_go", "u_go", "leave"], ["rejoin", "w_go"]),
            (["split", "w_go", "leave", "enter", "leave"], ["rejoin", "leave", "resume"]),
        ],
    )
    def test_charts(self, world, before, after):
        """Configurations of all levels come back, and what history states remember."""

        async def scenario():
            cls = world.machine(Machinery)
            system = Charts(chart=cls())
            for event in ["activate_initial_state", *before]:
                await world.call(getattr(system.chart, event)())

            restored = again(system, chart=cls)

            assert restored.configuration == system.configuration
            assert restored.chart.configuration_values == system.chart.configuration_values
            for event in after:
                await world.call(getattr(system.chart, event)())
                await world.call(getattr(restored.chart, event)())
                assert restored.configuration == system.configuration

        world.run(scenario)

    def test_no_callback(self, world):
        """Restoring runs no callback: none of a machine, no condition, no function of a link."""

        async def scenario():
            touchy, chart = world.machine(Touchy), world.machine(TouchyChart)
            clock = SimulatedClock()
            system = TouchySystem(touchy=touchy(), chart=chart(), many={"a": touchy()}, clock=clock)
            system.many.add("b", touchy)
            await world.call(system.touchy.go())
            await world.call(system.chart.go())
            FAILING.now = True

            restored = TouchySystem.restore(
                system.snapshot(), touchy=touchy, chart=chart, many={"a": touchy, "b": touchy}, clock=SimulatedClock()
            )

            assert restored.configuration == system.configuration
            assert restored.touchy.two.is_active
            assert restored.next_due == 60
            FAILING.now = False
            CALLED.clear()
            await world.call(restored.touchy.go())
            assert ("enter", "three") in CALLED
            for one in (system, restored):
                await world.call(one.chart.back())

        world.run(scenario)

    def test_scalar_or_set(self):
        """The model holds what python-statemachine would have put there."""
        system = Charts()
        restored = again(system)
        assert restored.chart.current_state_value == "outside"

        system.chart.split()
        assert again(system).chart.current_state_value == system.chart.current_state_value

    def test_ended(self, world):
        """What has ended stays so, for charts and machines alike."""

        async def scenario():
            class Ended(Orchestrator):
                order: Order = machine()
                rooted: Rooted = machine()

            system = Ended(world.machine(Order)(), world.machine(Rooted)())
            for call in (system.order.cancel, system.rooted.l_go, system.rooted.r_go):
                await world.call(call())
            assert system.is_terminated

            restored = Ended.restore(system.snapshot(), order=world.machine(Order), rooted=world.machine(Rooted))

            assert restored.is_terminated
            assert restored.order.is_terminated
            assert restored.rooted.is_terminated
            with pytest.raises(TransitionNotAllowed):
                await world.call(restored.order.process())
            await world.call(restored.rooted.l_go())
            assert restored.configuration == system.configuration

        world.run(scenario)

    def test_end_is_told_once(self):
        """A link that waits for an end has seen it, or sees it later."""

        class Told(Orchestrator):
            order: Order = machine(factory=Order)
            payment: Payment = machine(factory=Payment)
            ended: int = data(default=0)

            count = when("order.cancelled").call(lambda orc: setattr(orc, "ended", orc.ended + 1))
            over = when("payment.voided").send(order.cancel)

        told = Told()
        told.order.cancel()
        restored = again(told)
        restored.payment.authorize()

        assert restored.ended == 1


class Slow(StateMachine):
    """Asynchronous, and its first entry needs something."""

    idle = State(initial=True)
    busy = State()
    start = idle.to(busy)
    stop = busy.to(idle)

    def __init__(self, opened_by="nobody", **keywords):
        super().__init__(opened_by=opened_by, **keywords)

    async def on_enter_idle(self, opened_by="nobody"):
        note("idle", opened_by)


class Web(Orchestrator):
    slow: Slow = machine(factory=Slow, opened_by="ann")
    order: Order = machine(factory=Order)


class TestAsynchronous:
    def test_not_started(self):
        """A system that has not entered its initial states enters them after it was restored."""

        async def scenario():
            restored = again(Web())

            assert str(restored.configuration) == "slow=- order=-"
            assert CALLED == []
            await restored.activate()
            assert CALLED == [("idle", "ann")]
            assert str(restored.configuration) == "slow=idle order=pending"

        asyncio.run(scenario())

    def test_not_overwritten(self):
        """One that has is not taken back to the beginning by its activation (trap D13)."""

        async def scenario():
            async with Web() as web:
                await web.slow.start()
                web_snapshot = web.snapshot()
            CALLED.clear()

            async with Web.restore(web_snapshot) as restored:
                assert str(restored.configuration) == "slow=busy order=pending"
                assert CALLED == []
                await restored.slow.stop()
                assert CALLED == [("idle", "nobody")]

        asyncio.run(scenario())

    def test_timers_of_the_loop(self):
        """The event loop fires the timers of a restored system by itself."""

        async def scenario():
            class Later(Orchestrator):
                slow: Slow = machine(factory=Slow)
                wake = when("slow.idle").after(0.02).send(slow.start)

            async with Later() as later:
                taken = later.snapshot()
            async with Later.restore(taken) as restored:
                await until(lambda: restored.slow.busy.is_active)

        asyncio.run(scenario())

    def test_in_line(self):
        """While events are in line there is no snapshot to take."""

        async def scenario():
            async with Web() as web:
                call = web.slow.start()
                with pytest.raises(StepRunningError):
                    web.snapshot()
                await call
                assert web.snapshot()

        asyncio.run(scenario())


class Delaying(StateChart):
    waiting = State(initial=True)
    reminded = State()
    remind = waiting.to(reminded)
    nag = Event(waiting.to(reminded), delay=3000)
    again = reminded.to(waiting)

    def on_remind(self, by, tone="kind"):
        note("remind", by, tone)

    def on_nag(self):
        note("nag")


class Reminding(Orchestrator):
    delaying: Delaying = machine(factory=Delaying)
    order: Order = machine(factory=Order)
    lapse = when(order.processing).after(10).send(order.cancel)


class TestTimers:
    def test_delayed_event(self, world):
        """A delayed event has as long to go as it had, and brings what it was sent with."""

        async def scenario():
            cls = world.machine(Delaying)
            clock, later = SimulatedClock(), SimulatedClock(start=100)
            system = Reminding(delaying=cls(), clock=clock)
            await world.call(system.delaying.send("remind", "bob", tone="rude", delay=5000, send_id="r"))
            await world.call(clock.advance(2))

            restored = again(system, delaying=cls, clock=later)

            assert restored.next_due == 103
            await world.call(later.advance(2.9))
            assert CALLED == []
            await world.call(later.advance(0.1))
            assert CALLED == [("remind", "bob", "rude")]

        world.run(scenario)

    def test_order(self):
        """Timers of one moment fire in the order in which they were made."""
        clock, later = SimulatedClock(), SimulatedClock()
        system = Reminding(clock=clock)
        system.delaying.nag()
        system.delaying.send("remind", "bob", delay=3000)
        again(system, clock=later)

        later.advance(3)

        assert CALLED == [("nag",)]

    def test_cancel(self):
        """A delayed event is known by its id."""
        later = SimulatedClock()
        system = Reminding(clock=SimulatedClock())
        system.delaying.send("remind", "bob", delay=5000, send_id="r")
        restored = again(system, clock=later)

        restored.delaying.cancel_event("r")

        assert restored.next_due is None

    def test_delayed_link(self):
        """A delayed link fires later, unless its cause passes before."""
        system = Reminding(clock=SimulatedClock())
        system.order.process()
        first, second = SimulatedClock(), SimulatedClock()
        fired, left = again(system, clock=first), again(system, clock=second)

        first.advance(10)
        left.order.ship()

        assert fired.order.cancelled.is_active
        assert left.next_due is None

    def test_occurrence(self):
        """A delayed link still knows what has happened."""

        class Knowing(Orchestrator):
            order: Order = machine(factory=Order)
            parcels: Members[Order] = machines(Order)
            tell = (
                when(each(parcels).processing)
                .after(1)
                .call(lambda orc, one: note(one.address, one.key, one.event, one.args, dict(one.kwargs), one.machine))
            )

        system = Knowing(parcels={"a": Order()}, clock=SimulatedClock())
        system.parcels["a"].process(1, by="ann")
        clock = SimulatedClock()
        restored = again(system, clock=clock)

        clock.advance(1)

        assert CALLED[0] == ("parcels[a]", "a", "process", (1,), {"by": "ann"}, restored.parcels["a"])


class Held(Orchestrator):
    order: Order = machine(factory=Order)
    payment: Payment = machine(factory=Payment)
    authorizing = when(order.processing).send(payment.capture, refused="hold")
    voiding = when(payment.authorized).call(lambda orc: note("authorized"))


class TestLinks:
    def test_held(self):
        """A held event is kept, and tried again when its machine has moved."""
        held = Held()
        held.order.process()
        restored = again(held)
        assert restored.payment.unpaid.is_active

        restored.payment.authorize()

        assert restored.payment.captured.is_active

    def test_rising_edge(self):
        """A condition that held before does not begin to hold by restoring."""

        class Edge(Orchestrator):
            order: Order = machine(factory=Order)
            payment: Payment = machine(factory=Payment)
            both = when(In(order.processing), In(payment.authorized)).call(lambda orc: note("both"))

        edge = Edge()
        edge.order.process()
        edge.payment.authorize()
        assert CALLED == [("both",)]
        restored = again(edge)

        restored.payment.void()
        assert CALLED == [("both",)]

        half = Edge()
        half.order.process()
        restored = again(half)
        restored.payment.authorize()
        assert CALLED == [("both",), ("both",)]

    def test_rising_edge_by_key(self):
        """What is remembered for each member of a collection stays with its key."""

        class Keyed(Orchestrator):
            order: Order = machine(factory=Order)
            parcels: Members[Order] = machines(Order)
            ready = when(In(each(parcels).processing) & In(order.processing)).call(lambda orc, one: note(one.key))

        keyed = Keyed(parcels={"a": Order, "b": Order})
        keyed.order.process()
        keyed.parcels["a"].process()
        restored = again(keyed)

        restored.parcels["b"].process()

        assert CALLED == [("a",), ("b",)]

    def test_guard(self):
        """Guards are in force."""

        class Guarded(Orchestrator):
            order: Order = machine(factory=Order)
            payment: Payment = machine(factory=Payment)
            paid = guard(order.process, In(payment.authorized))

        restored = again(Guarded())
        with pytest.raises(TransitionNotAllowed):
            restored.order.process()
        restored.payment.authorize()
        restored.order.process()


class Parcel(StateMachine):
    here = State(initial=True)
    there = State(final=True)
    send_off = here.to(there)

    def on_send_off(self, *, orc, member_key=None):
        return type(orc).__name__, member_key


class Depot(Orchestrator):
    order: Order = machine(factory=Order)
    parcels: Members[Parcel] = machines(Parcel)
    finish = when(every(parcels.there)).send(order.cancel)


class TestCollections:
    def test_keys(self):
        """Members come back in their order, each in its state, and belong to the collection."""
        depot = Depot()
        for key in ("z", "a", "m"):
            depot.parcels.add(key)
        depot.parcels["a"].send_off()
        restored = again(depot)

        assert list(restored.parcels) == ["z", "a", "m"]
        assert restored.parcels["a"].is_terminated
        assert restored.parcels["m"].send_off() == ("Depot", "m")
        restored.parcels.add("n")
        restored.parcels.remove("z")
        restored.parcels["n"].send_off()
        assert restored.order.cancelled.is_active

    def test_passed(self):
        """A member of a collection may be passed under its key."""

        class Special(Parcel):
            pass

        depot = Depot(parcels={"a": Special(), "b": Parcel()})
        with pytest.raises(
            SnapshotMismatchError, match=r"Depot.parcels\[a\]: it was a .*Special, and is a Parcel here"
        ):
            Depot.restore(depot.snapshot())

        restored = again(depot, parcels={"a": Special})

        assert type(restored.parcels["a"]) is Special
        assert type(restored.parcels["b"]) is Parcel

    def test_one_too_many(self):
        """A key that the snapshot does not have is no place for a machine."""
        taken = Depot().snapshot()

        with pytest.raises(ValueError, match=r"Depot\.parcels\[x\]: it is here, and absent in the snapshot"):
            Depot.restore(taken, parcels={"x": Parcel})


class Inner(Orchestrator):
    payment: Payment = machine(factory=Payment)
    count: int = data(default=0)
    counting = when(payment.authorized).call(lambda orc: setattr(orc, "count", orc.count + 1))


class Middle(Orchestrator):
    inner: Inner = machine(factory=Inner)
    order: Order = machine(factory=Order)


class Outer(Orchestrator):
    middle: Middle = machine(factory=Middle)
    parcel: Parcel = machine(factory=Parcel)
    spare: Inner | None = None
    down = when(parcel.there).send(middle.inner.payment.authorize)
    up = when(middle.inner.payment.authorized).after(5).send(middle.order.process)


class TestNested:
    def test_three_deep(self):
        """Orchestrators in orchestrators come back, with data, memory and timers, and links lead across."""
        outer = Outer(clock=SimulatedClock())
        outer.parcel.send_off()
        assert outer.middle.inner.count == 1
        clock = SimulatedClock()

        restored = again(outer, clock=clock)

        assert restored.middle.inner.parent is restored.middle
        assert restored.spare is None
        assert restored.middle.inner.count == 1
        clock.advance(5)
        assert str(restored.configuration) == ("middle.inner.payment=authorized middle.order=processing parcel=there")

    def test_part(self):
        """A part of another orchestrator has no snapshot of its own."""
        with pytest.raises(UnsavableError) as refusal:
            Outer().middle.snapshot()

        assert (
            str(refusal.value) == "no snapshot of this Middle can be taken: it is a part of a Outer: take one of that"
        )

    def test_passed(self):
        """What is passed for a nested orchestrator are its members."""

        class Special(Payment):
            pass

        class Holder(Orchestrator):
            inner: Inner = machine()

        holder = Holder(Inner(payment=Special()))

        assert type(again(holder, inner={"payment": Special}).inner.payment) is Special
        with pytest.raises(
            SnapshotMismatchError, match=r"it was a .*Special, and is a Payment here; pass one of its class"
        ):
            Holder.restore(holder.snapshot(), inner=Inner)


@dataclass
class Line:
    amount: int
    order: object = None


@dataclass
class Row:
    """A model."""

    lines: list[Line] = field(default_factory=list)
    note: str = ""

    def on_process(self):
        self.note = "processed"


class Invoice(pydantic.BaseModel):
    state: str | None = None
    total: int = 0


class Plain:
    """A model of which nobody knows what it consists of."""

    def __init__(self, number=0):
        if number:
            self.number = number


class Noted(Orchestrator):
    order: Order = machine(factory=lambda: Order(Row()))
    notes: list[Line] = data(default_factory=list)
    anything: object = data(default=None)


class TestData:
    def test_data(self):
        """Declared data comes back as it was, in classes that annotations name."""
        noted = Noted()
        noted.notes = [Line(1), Line(2)]
        noted.anything = ({1, 2}, b"x")

        restored = again(noted)

        assert restored.notes == [Line(1), Line(2)]
        assert restored.anything == ({1, 2}, b"x")

    def test_references(self):
        """What refers to a member or to the orchestrator refers to the restored one."""
        noted = Noted()
        noted.notes = [Line(1, noted.order)]
        noted.anything = noted

        restored = again(noted)

        assert restored.notes[0].order is restored.order
        assert restored.anything is restored

    def test_local_classes(self):
        """Annotations may name classes that only the defining function knows."""

        @dataclass
        class Local:
            amount: int

        class Here(Orchestrator):
            order: Order = machine(factory=Order)
            one: Local = data(default=None)
            other: list[Local] = data(default_factory=list)

        here = Here()
        here.one, here.other = Local(1), [Local(2)]
        restored = again(here)

        assert (restored.one, restored.other) == (Local(1), [Local(2)])

    def test_by_default(self):
        """A default names its class, too, and so does a factory that is one."""

        class Here(Orchestrator):
            order: Order = machine(factory=Order)
            one: object = data(default_factory=Row)

        here = Here()
        here.one.note = "mine"

        assert again(here).one == Row(note="mine")

    def test_refused(self):
        """All that cannot be saved is told at once, each with its place and what to write."""

        class Here(Orchestrator):
            order: Order = machine(factory=lambda: Order(Plain(7)))
            notes: list[Line] = data(default_factory=list)
            lock: object = data(default=None)

        here = Here()
        here.notes, here.lock = [Line(1), Line(2, threading.Lock())], Line(3)
        here.lock.order = {"x": Plain(5)}

        with pytest.raises(UnsavableError) as refusal:
            here.snapshot()

        assert str(refusal.value) == (
            "no snapshot of Here can be taken, for 3 reasons:\n"
            "  1. Here.order.model: a Plain cannot be saved. Make Plain a dataclass, or write "
            "Here.codec(Plain, encode=..., decode=...).\n"
            "  2. Here.notes[1].order: a lock cannot be saved. "
            "Write Here.codec(lock, encode=..., decode=...), or keep it somewhere else.\n"
            "  3. Here.lock.order['x']: a Plain cannot be saved. Make Plain a dataclass, or write "
            "Here.codec(Plain, encode=..., decode=...)."
        )

    def test_factory_is_not_asked(self):
        """The factory of declared data is for new orchestrators."""

        class Here(Orchestrator):
            order: Order = machine(factory=Order)
            notes: list[Line] = data(default_factory=lambda: note("made") or [])

        here = Here()
        CALLED.clear()

        assert again(here).notes == []
        assert CALLED == []


class TestModels:
    def test_dataclass(self):
        """The model that the factory makes is filled in, and its callbacks are heard."""
        noted = Noted()
        noted.order.model.lines.append(Line(3))

        restored = again(noted)

        assert restored.order.model.lines == [Line(3)]
        assert restored.order.model is not noted.order.model
        restored.order.process()
        assert restored.order.model.note == "processed"

    def test_pydantic(self):
        """A pydantic model keeps its data; its state is the machine's affair."""

        class Here(Orchestrator):
            order: Order = machine(factory=lambda: Order(Invoice()))

        here = Here()
        here.order.model.total = 7
        here.order.process()

        restored = again(here)

        assert restored.order.model == here.order.model
        assert json.loads(here.snapshot().to_json())["members"]["order"]["model"]["fields"] == {"total": 7}

    def test_nothing_else(self):
        """A model that holds nothing but the state needs no codec."""

        class Here(Orchestrator):
            order: Order = machine(factory=lambda: Order(Plain()))

        here = Here()
        here.order.process()

        assert again(here).order.model.state == "processing"

    def test_two_states(self):
        """Two machines may keep their states in one model."""

        class Here(Orchestrator):
            order: Order = machine()
            payment: Payment = machine()

        def made(row):
            return {"order": Order(row, "order_state"), "payment": Payment(row, "payment_state")}

        here, row = Here(**made(Row(note="mine"))), Row()
        here.order.process()

        restored = again(here, **made(row))

        assert (row.note, row.order_state, row.payment_state) == ("processed", "processing", "unpaid")
        assert restored.configuration == here.configuration

    def test_codec(self):
        """A codec of the user's makes another model, which the machine then uses."""

        class Here(Orchestrator):
            order: Order = machine(factory=lambda: Order(Plain()))

        class Keeper(Plain):
            def on_ship(self):
                note("shipped", self.number)

        Here.codec(Plain, encode=lambda plain: vars(plain).get("number", 0), decode=Keeper)
        here = Here(order=Order(Plain(7)))
        here.order.process()
        restored = again(here)

        restored.order.ship()

        assert restored.order.model.number == 7
        assert restored.order.model.state == "shipped"
        assert CALLED == [("shipped", 7)]

    def test_inherited_codec(self):
        """Subclasses know the codecs of their base; each may have its own."""

        class Base(Orchestrator):
            order: Order = machine(factory=Order)
            one: object = data(default=None)

        class Derived(Base):
            pass

        Base.codec(Plain, encode=lambda plain: plain.number, decode=Plain)
        derived = Derived()
        derived.one = Plain(3)
        assert again(derived).one.number == 3

        Derived.codec(Plain, encode=lambda plain: plain.number, decode=lambda number: Plain(number + 1))
        assert Derived.restore(derived.snapshot()).one.number == 4

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (({"encode": str}, Plain), "Noted.codec(): decode= is missing. Pass both functions, or none for a record."),
            (({}, "Plain"), "Noted.codec(): 'Plain' is no class. Write Noted.codec(Money)."),
        ],
    )
    def test_codec_mistakes(self, arguments, message):
        """A codec has two functions, and is for a class."""
        with pytest.raises(DefinitionError) as mistake:
            Noted.codec(arguments[1], **arguments[0])

        assert str(mistake.value) == message

    def test_hooks(self):
        """A machine class that keeps data of its own says what to keep."""

        class Counting(Order):
            count = 0

            def on_process(self):
                self.count += 1

            def __orchestrator_save__(self):
                return {"count": self.count}

            def __orchestrator_restore__(self, saved):
                self.count = saved["count"]

        class Here(Orchestrator):
            order: Counting = machine(factory=Counting)

        here = Here()
        here.order.process()

        assert again(here).order.count == 1

    def test_orca(self):
        """A machine that is loaded from an Orca document keeps its context."""
        flashlight = loads(
            "# machine Light\n\n## context\n\n| Field | Type | Default |\n|---|---|---|\n| n | int | 0 |\n\n"
            "## events\n\n- flip\n\n## state off [initial]\n\n## state on\n\n"
            "## transitions\n\n| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n"
            "| off | flip | | on | count |\n| on | flip | | off | |\n\n"
            "## actions\n\n| Name | Signature |\n|---|---|\n| count | `(ctx) -> Context` |\n",
            actions={"count": lambda ctx, event=None: {**ctx, "n": ctx["n"] + 1}},
        )

        class Here(Orchestrator):
            light: StateChart = machine(factory=flashlight)

        here = Here()
        here.light.flip()
        restored = again(here)
        restored.light.flip()
        restored.light.flip()

        assert restored.light.context["n"] == 2


class TestMembers:
    def test_made(self):
        """Who is not passed is made: by the factory, or of the declared class."""

        class Here(Orchestrator):
            order: Order = machine()
            payment: Payment
            other: Payment | None = machine(factory=Payment)

        here = Here(Order(), Payment(), None)

        restored = again(here)

        assert type(restored.order) is Order
        assert restored.other is None

    @pytest.mark.parametrize("source", [Order, lambda: Order(), Order()], ids=["class", "function", "machine"])
    def test_passed(self, source):
        """A machine may be passed, as a class, a function or itself."""
        shop = Held()
        shop.order.process()

        restored = again(shop, order=source)

        assert restored.order.processing.is_active
        assert source is restored.order or not isinstance(source, Order)

    def test_model(self):
        """A model may be passed for a machine that is made of it."""
        noted = Noted(order=Order(Row(note="x")))
        row = Row()

        class Required(Orchestrator):
            order: Order

        required = Required(Order(Row(note="x")))
        restored = again(required, order=row)

        assert restored.order.model is row
        assert row.note == "x"
        assert noted.order.model.note == "x"

    def test_given_back(self):
        """A machine that was passed in vain is not changed, and can be passed again."""
        order = Order()
        taken = Held().snapshot()
        text = taken.to_json().replace('"unpaid"', '"gone"')

        with pytest.raises(ValueError, match="changed after it was written"):
            Held.restore(text, order=order)
        edited = json.loads(taken.to_json())
        del edited["digest"]
        edited["members"]["payment"]["active"] = ["gone"]
        with pytest.raises(ValueError, match="Payment has no state 'gone'"):
            Held.restore(json.dumps(edited), order=order)

        assert Held.restore(taken, order=order).order is order

    @pytest.mark.parametrize(
        ("members", "message"),
        [
            (
                {"count": 3},
                "Inner.restore(): 'count' is declared data, and comes from the snapshot. Leave it out, and bind it afterwards.",
            ),
            ({"paiment": Payment()}, "Inner(): there is no field 'paiment'. Did you mean 'payment'?"),
            (
                {"payment": Order()},
                "Inner.payment: the member is declared as Payment, and this Order is not one. Pass Payment(), the class itself or a function that makes one.",
            ),
        ],
    )
    def test_mistakes(self, members, message):
        """What is passed is checked as for the constructor."""
        with pytest.raises(ConstructionError) as mistake:
            Inner.restore(Inner().snapshot(), **members)

        assert str(mistake.value) == message

    def test_other_arguments(self):
        """So are the other arguments."""
        taken = Inner().snapshot()
        with pytest.raises(TypeError) as wrong:
            Inner.restore(7)
        assert str(wrong.value) == "Inner.restore() takes a Snapshot or its text, not 7"
        with pytest.raises(ArgumentsError, match="invocations='sometimes' means nothing"):
            Inner.restore(taken, invocations="sometimes")
        with pytest.raises(ArgumentsError, match="clock=3 is no clock"):
            Inner.restore(taken, clock=3)

    def test_own_attributes(self):
        """Attributes that are no data are set by a hook, which runs instead of the constructor's."""

        class Here(Orchestrator):
            inner: Inner = machine(factory=Inner)

            def __post_init__(self):
                note("post init")

            def __post_restore__(self):
                note("post restore", str(self.configuration))

        here = Here()
        here.inner.payment.authorize()
        CALLED.clear()

        again(here)

        assert CALLED == [("post restore", "inner.payment=authorized")]

    def test_queued(self):
        """Events that a machine has not taken yet are taken later."""

        class AsyncOrder(Order):
            async def on_process(self, by, orc):
                note("process", by, type(orc).__name__)

        class Here(Orchestrator):
            order: AsyncOrder

        order = AsyncOrder()
        order.process.put(by="ann")
        here = Here(order)
        restored = again(here)

        asyncio.run(_activated(restored))

        assert CALLED == [("process", "ann", "Here")]
        assert restored.order.processing.is_active

    def test_in_step(self):
        """In a callback there is no snapshot to take."""

        class Asking(Order):
            def on_process(self, orc):
                orc.snapshot()

        class Here(Orchestrator):
            order: Asking = machine(factory=Asking)

        with pytest.raises(StepRunningError) as refusal:
            Here().order.process()

        assert str(refusal.value).startswith(
            "Here is in the middle of a step, and that is no time to take a snapshot of it."
        )


async def _activated(system):
    await system.activate()


class Fetching(StateChart):
    """Something runs while a state is active."""

    idle = State(initial=True)
    loading = State()
    load = idle.to(loading)
    leave = loading.to(idle)

    def on_invoke_loading(self, ctx, name="?", orc=None):
        note("invoked", type(orc).__name__, name)
        ctx.cancelled.wait(5)


class Fetcher(Orchestrator):
    fetching: Fetching = machine(factory=Fetching)
    order: Order = machine(factory=Order)


def invoked():
    return [one for one in CALLED if one[0] == "invoked"]


class TestInvocations:
    @pytest.fixture
    def taken(self):
        fetcher = Fetcher()
        fetcher.fetching.load(name="ann")
        snapshot = fetcher.snapshot()
        fetcher.fetching.leave()
        CALLED.clear()
        return snapshot

    def test_restart(self, taken):
        """What was running starts anew in the first step, whoever is concerned by it, with what it was started with."""
        restored = Fetcher.restore(taken)
        assert invoked() == []
        assert restored.snapshot() == taken

        restored.order.process()

        assert invoked() == [("invoked", "Fetcher", "ann")]
        restored.order.cancel()
        assert len(invoked()) == 1
        restored.fetching.leave()

    def test_leave(self, taken):
        """Or it does not."""
        restored = Fetcher.restore(taken, invocations="leave")

        restored.order.process()

        assert invoked() == []
        assert restored.fetching.loading.is_active

    def test_state_left(self, taken):
        """A first step that leaves the state starts nothing."""
        restored = Fetcher.restore(taken)

        restored.fetching.leave()

        assert invoked() == []

    def test_first_step_fails(self, taken):
        """A first step that fails leaves it to the next one."""
        restored = Fetcher.restore(taken)
        with pytest.raises(TransitionNotAllowed):
            restored.order.ship()
        before = len(invoked())

        restored.order.process()

        assert len(invoked()) == before + 1
        restored.fetching.leave()

    def test_asynchronous(self):
        """In asynchronous systems the first turn starts it."""

        class AsyncFetching(Fetching):
            async def on_invoke_loading(self, name="?", orc=None):
                note("invoked", type(orc).__name__, name)
                await asyncio.sleep(30)

        class Here(Orchestrator):
            fetching: AsyncFetching = machine(factory=AsyncFetching)

        async def scenario():
            async with Here() as here:
                await here.fetching.load(name="ann")
                await until(invoked)
                taken = here.snapshot()
                await here.fetching.leave()
            CALLED.clear()
            async with Here.restore(taken) as restored:
                await until(invoked)
                assert invoked() == [("invoked", "Here", "ann")]
                await restored.fetching.leave()

        asyncio.run(scenario())

    def test_passed_machine(self):
        """What a passed machine was running is cancelled: it is somewhere else now."""
        fetching = Fetching()
        fetching.load(name="bob")
        running = next(iter(fetching._engine._invoke_manager._active.values()))

        restored = Fetcher.restore(Fetcher().snapshot(), fetching=fetching)

        assert running.ctx.cancelled.is_set()
        assert restored.fetching.idle.is_active
