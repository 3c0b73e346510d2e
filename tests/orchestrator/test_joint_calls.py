"""Joint events, whoever calls: by name, by a part, by a link, with a delay, from a thread."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from arms import Arm, Pair, Trio, made, own
from shop import Order, Payment
from statemachine import Event, State, StateChart, StateMachine

from statemachines_orchestrator import (
    In,
    Members,
    Orchestrator,
    at,
    data,
    each,
    guard,
    machine,
    machines,
    together,
    when,
)
from statemachines_orchestrator.exceptions import JointEventRefused, LinkRefused, SharedEventError
from statemachines_orchestrator.testing import SimulatedClock


class TestCalled:
    def test_by_its_name(self, world):
        """It sends every part its arguments and returns the results by address."""

        async def scenario():
            system = await made(world, Trio)
            results = await world.call(system.both("high", speed=2))
            return own(results), system.log

        assert world.run(scenario) == (
            {"left.lift": "lifted", "right.lift": "lifted"},
            ["lift('high',)", "lift('high',)", "both ('high',)"],
        )

    def test_by_address(self, world):
        """`send` takes its name."""

        async def scenario():
            system = await made(world, Pair)
            await world.call(system.send("both"))
            return str(system.configuration)

        assert world.run(scenario) == "left=up right=up"

    @pytest.mark.parametrize("how", ["call", "send", "address", "put"])
    def test_by_a_part(self, world, how):
        """Each of its events is the joint event, and its caller gets the result of the event that it called."""

        async def scenario():
            system = await made(world, Pair)
            call = {
                "call": lambda: system.right.lift(1),
                "send": lambda: system.right.send("lift", 1),
                "address": lambda: system.send("right.lift", 1),
                "put": lambda: system.right.lift.put(1) and system.left.wave(),
            }[how]
            result = await world.call(call())
            return own(result) if how != "put" else "lifted", system.log[-2:], str(system.configuration)

        assert world.run(scenario) == ("lifted", ["lift(1,)", "lift(1,)"], "left=up right=up")

    def test_by_a_link(self, world):
        """A link may send it, or one of its events; refused, the link says what happens."""

        class Linked(Trio):
            x = when(Pair.left.wave).send(Trio.both)
            y = when(Trio.other.wave).send(Pair.right.lift, refused="ignore")

        async def scenario():
            system = await made(world, Linked)
            await world.call(system.other.wave())
            told = [str(system.configuration)]
            await world.call(system.other.wave())
            with pytest.raises(LinkRefused) as caught:
                await world.call(system.left.wave())
            return told, str(caught.value)

        assert world.run(scenario) == (
            ["left=up right=up other=down"],
            (
                "both was refused, sent by the link <link Linked.x: when(left.wave).send(both)>: "
                "left.lift: left is in up, where nothing is enabled for 'lift'; "
                "right.lift: right is in up, where nothing is enabled for 'lift'. "
                "Write refused='ignore' or refused='hold' if that may happen."
            ),
        )

    def test_with_a_delay(self, world):
        """A part that is sent with a delay is the joint event when its time has come."""

        async def scenario():
            clock = SimulatedClock()
            system = await made(world, Trio, clock)
            await world.call(system.left.send("lift", delay=1000))
            before = str(system.configuration)
            await world.call(clock.advance(2))
            return before, str(system.configuration)

        assert world.run(scenario) == ("left=down right=down other=down", "left=up right=up other=down")

    def test_of_events_with_delays(self, world):
        """Called by its name, it leaves out the delays that its events are declared with: all move together."""

        class Slow(StateMachine):
            down = State(initial=True)
            up = State(final=True)
            lift = Event(down.to(up), delay=1000)

        class Mixed(Orchestrator):
            arm: Arm = machine()
            slow: Slow = machine()
            log: list = data(default_factory=list)
            both = together(arm.lift, slow.lift)
            x = when(arm.wave).send(slow.lift)

        async def scenario():
            clock = SimulatedClock()
            system = await made(world, Mixed, clock)
            await world.call(system.both())
            told = [str(system.configuration)]
            other = await made(world, Mixed, clock)
            await world.call(other.arm.wave())
            told.append(str(other.configuration))
            await world.call(clock.advance(2))
            return [*told, str(other.configuration)]

        assert world.run(scenario) == ["arm=up slow=up", "arm=down slow=down", "arm=up slow=up"]

    def test_without_an_event_loop(self):
        """An asynchronous system without a running event loop blocks until it is done, as for other events."""

        class Slow(Payment):
            async def on_void(self):
                await asyncio.sleep(0)
                return "void"

        class Shop(Orchestrator):
            order: Order = machine(factory=Order)
            payment: Slow = machine(factory=Slow)
            abort = together(order.cancel, payment.void)

        assert Shop().abort() == {"order.cancel": None, "payment.void": "void"}
        assert Shop().send("abort") == {"order.cancel": None, "payment.void": "void"}
        assert Shop().payment.void() == "void"
        assert Shop().order.cancel() is None

    def test_in_a_worker_thread_of_a_callback(self):
        """A worker thread of an asynchronous callback gets the results themselves."""

        class Asking(Order):
            async def on_process(self, orc):
                return await asyncio.to_thread(orc.both), await asyncio.to_thread(orc.left.drop)

        class Desk(Pair):
            order: Asking = machine(factory=Asking)

        async def scenario():
            system = Desk(Arm, Arm)
            return await system.order.process(), str(system.configuration)

        assert asyncio.run(scenario()) == (
            ({"left.lift": "lifted", "right.lift": "lifted"}, None),
            "left=down right=up order=processing",
        )

    def test_by_several_threads(self):
        """Threads that call it at once take turns, and each gets its own result or its own refusal."""
        system = Pair(Arm, Arm)
        results, refusals = [], []

        def work():
            for _ in range(20):
                try:
                    results.append(system.both())
                except JointEventRefused as refusal:
                    refusals.append(refusal)
                try:
                    system.left.drop()
                    system.right.drop()
                except StateMachine.TransitionNotAllowed:
                    pass

        threads = [threading.Thread(target=work) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(30)

        assert len(results) + len(refusals) == 80
        assert str(system.configuration) in ("left=down right=down", "left=up right=down", "left=down right=up")


class TestShared:
    def test_called_alone(self, world):
        """An event of several joint events happens only through one of them, whoever calls."""

        class System(Trio):
            whole = together(Pair.left.lift, Trio.other.lift)

        async def scenario():
            system = await made(world, System)
            messages = []
            for call in (lambda: system.left.lift(), lambda: system.other.wave(act=lambda orc: orc.left.lift())):
                with pytest.raises(SharedEventError) as caught:
                    await world.call(call())
                messages.append(str(caught.value))
            await world.call(system.other.lift())
            return messages, str(system.configuration)

        assert world.run(scenario) == (
            [
                "left.lift belongs to the joint events Pair.both and System.whole, and happens only through one of them: call that one."
            ]
            * 2,
            "left=up right=down other=up",
        )


class TestRules:
    def test_guarded(self, world):
        """A guard of the joint event is asked for all of it, one of a part for the part; exceptions are no refusals."""

        def wrong(orc):
            raise LookupError("where")

        class System(Trio):
            ready = guard(Pair.both, In(Trio.other.up))
            free = guard(Pair.right.lift, lambda orc: True)

        class Wrong(Trio):
            broken = guard(Pair.right.lift, wrong)

        async def scenario():
            system = await made(world, System)
            with pytest.raises(JointEventRefused) as caught:
                await world.call(system.right.lift())
            enabled = await world.call(system.enabled_events())
            await world.call(system.other.lift())
            await world.call(system.right.lift())
            broken = await made(world, Wrong)
            with pytest.raises(LookupError) as raised:
                await world.call(broken.both())
            return str(caught.value), enabled, str(system.configuration), raised.value.__notes__

        message, enabled, where, notes = world.run(scenario)
        assert message == (
            "the joint event Pair.both was refused, and nobody has moved. "
            "both: the guard System.ready needs In(other.up), but other is in down."
        )
        assert enabled == ("left.wave", "right.wave", "other.lift", "other.wave")
        assert where == "left=up right=up other=up"
        assert notes == ["in the condition of <guard Wrong.broken: guard(right.lift, wrong)>"]

    def test_one_member_of_a_collection(self, world):
        """A part of one member of a collection concerns this one, and none of the others."""

        class System(Orchestrator):
            arm: Arm = machine()
            arms: Members[Arm] = machines(Arm)
            log: list = data(default_factory=list)
            both = together(arm.lift, at(arms, "a").lift)

        async def scenario():
            system = await made(world, System)
            for key in ("a", "b"):
                system.arms.add(key, world.machine(Arm)())
            await world.call(system.arms["b"].lift())
            told = [str(system.configuration)]
            await world.call(system.arms["a"].lift())
            return [*told, str(system.configuration)]

        assert world.run(scenario) == ["arm=down arms[a]=down arms[b]=up", "arm=up arms[a]=up arms[b]=up"]

    def test_chosen_members_from_a_callback(self, world):
        """A part that is called in a callback may choose members of a collection, too."""

        class System(Orchestrator):
            arm: Arm = machine()
            other: Arm = machine()
            arms: Members[Arm] = machines(Arm)
            log: list = data(default_factory=list)
            whole = together(arm.lift, each(arms).lift)

        async def scenario():
            system = await made(world, System)
            for key in ("a", "b"):
                system.arms.add(key, world.machine(Arm)())
            await world.call(system.other.wave(act=lambda orc: orc.arm.lift(arms=["b"])))
            return str(system.configuration)

        assert world.run(scenario) == "arm=up other=down arms[a]=down arms[b]=up"

    def test_an_invocation_calls_it(self):
        """A handler that a state invokes may call it, as a step of its own."""

        class Calling(StateChart):
            idle = State(initial=True)

            working = State(invoke=lambda orc: orc.both())
            begin = idle.to(working)
            end = working.to(idle)

        class System(Pair):
            calling: Calling = machine(factory=Calling)

        system = System(Arm, Arm)
        system.calling.begin()
        for _ in range(500):
            if system.right.up.is_active:
                break
            time.sleep(0.01)

        assert str(system.configuration) == "left=up right=up calling=working"
