"""Links: what triggers them, when they run, what follows. See docs/semantics.md."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from functools import partial

import pytest
from shop import Order, Payment
from statemachine import Event, HistoryState, State, StateChart, StateMachine

from statemachines_orchestrator import In, Orchestrator, data, done, machine, when
from statemachines_orchestrator.exceptions import LinkRefused


class Lamp(StateMachine):
    """Goes on and off, and does what it is told on its way."""

    off = State(initial=True)
    on = State()
    broken = State(final=True)
    light = off.to(on)
    dim = on.to(off)
    touch = on.to.itself() | off.to.itself()
    smash = on.to(broken) | off.to(broken)

    def on_light(self, during=None, *, orc):
        return during(orc) if during is not None else None

    def after_light(self, afterwards=None, *, orc):
        return afterwards(orc) if afterwards is not None else None


class LampChart(StateChart):
    """The same as a `StateChart`."""

    off = State(initial=True)
    on = State()
    broken = State(final=True)
    light = off.to(on)
    dim = on.to(off)
    smash = on.to(broken)


class Radio(StateChart):
    """Compound, with history and a state that is passed at once."""

    silent = State(initial=True)

    class playing(State.Compound):
        tuning = State(initial=True)
        music = State()
        found = tuning.to(music)
        last = HistoryState()

    fading = State()
    play = silent.to(playing)
    again = silent.to(playing.last)
    stop = playing.to(fading)
    fading.to(silent)


class Desk(StateChart):
    """Parallel regions, which end one by one."""

    class opened(State.Parallel):
        class left(State.Compound):
            left_out = State(initial=True)
            left_in = State(final=True)
            push_left = left_out.to(left_in)

        class right(State.Compound):
            right_out = State(initial=True)
            right_in = State(final=True)
            push_right = right_out.to(right_in)


def noting(word):
    """A function for `.call` that notes its link, and whom it is about."""

    def note(orc, occurrence):
        orc.log.append(f"{word}({occurrence.address})")

    return note


async def lit(world, kind, **keywords):
    """An orchestrator of this class, its members twins for the world; and its log."""
    members = {
        one.name: world.machine(one.classes[0])() for one in kind.__declaration__.members if one.name not in keywords
    }
    shop = kind(**members, **keywords)
    await world.call(shop.activate())
    return shop


class Two(Orchestrator):
    """A base for what follows: two lamps and a log."""

    a: Lamp
    b: Lamp
    log: list = data(default_factory=list)


class TestWhenLinksRun:
    def test_not_inside_a_transition(self, world):
        """A link never runs inside the half-done transition of another machine."""

        class System(Two):
            c: LampChart = machine(factory=LampChart)
            x = when(Two.b.on).send(c.light)

        async def scenario():
            system = await lit(world, System, c=world.machine(LampChart)())

            def during(orc):
                call = orc.b.light()
                orc.log.append(f"b called, c is {orc.c.current_state_value}")
                return call

            await world.call(system.a.light(during=during))
            return system.log, str(system.configuration)

        assert world.run(scenario) == (["b called, c is off"], "a=on b=on c=on")

    def test_own_events_come_first(self, world):
        """A machine is busy until it has done all that an event makes it do, its own events included."""

        class System(Two):
            x = when(Two.a.on).call(lambda orc: orc.log.append(orc.a.current_state_value))

        async def scenario():
            system = await lit(world, System)

            def during(orc):
                orc.a.dim()

            await world.call(system.a.light(during=during))
            return system.log

        assert world.run(scenario) == ["off"]

    def test_order(self, world):
        """Moves as they happened; for each the links as they are declared, inherited ones first."""

        class Base(Two):
            first = when(Two.a.on).call(noting("first"))
            second = when(Two.b.on).call(noting("second"))

        class System(Base):
            third = when(Base.a.light).call(noting("third"))
            fourth = when(Base.b.light).call(noting("fourth"))

        async def scenario():
            system = await lit(world, System)
            await world.call(system.a.light(during=lambda orc: orc.b.light()))
            nested, system.log = list(system.log), []
            await world.call(system.a.dim())
            await world.call(system.b.dim())
            await world.call(system.a.light(afterwards=lambda orc: orc.b.light()))
            return nested, system.log

        assert world.run(scenario) == (
            ["second(b)", "fourth(b)", "first(a)", "third(a)"],
            ["first(a)", "third(a)", "second(b)", "fourth(b)"],
        )

    def test_one_after_another(self, world):
        """What a link causes comes behind what was caused before it, and each machine runs until it is quiet."""

        class System(Two):
            c: Lamp = machine(factory=Lamp)
            first = when(Two.a.on).send(Two.b.light)
            second = when(Two.a.on).send(c.light)
            third = when(Two.b.on).call(noting("third"))
            fourth = when(c.on).call(noting("fourth"))

        async def scenario():
            system = await lit(world, System)
            await world.call(system.a.light())
            return system.log, str(system.configuration)

        assert world.run(scenario) == (["third(b)", "fourth(c)"], "a=on b=on c=on")

    def test_conditions_see_the_settled_move(self, world):
        """Links that one move triggers all see the configuration in which it has settled."""

        class System(Two):
            first = when(Two.a.on).send(Two.b.light)
            second = when(Two.a.on).given(In(Two.b.off)).call(noting("second"))
            third = when(Two.a.on).given(In(Two.b.on)).call(noting("third"))

        async def scenario():
            system = await lit(world, System)
            await world.call(system.a.light())
            return system.log

        assert world.run(scenario) == ["second(a)"]

    def test_the_start_is_a_step(self, world):
        """The first entries trigger links, when all members are there."""
        seen = []

        class System(Two):
            x = when(Two.a.off).call(lambda orc, occurrence: seen.append((str(orc.configuration), occurrence)))

        async def scenario():
            a, b = (partial(world.machine(Lamp)) for _ in range(2))
            await world.call(System(a, b).activate())

        world.run(scenario)
        ((where, occurrence),) = seen
        assert where == "a=off b=off"
        assert (occurrence.address, occurrence.event, occurrence.state) == ("a", None, "off")
        assert (occurrence.args, dict(occurrence.kwargs)) == ((), {})

    def test_a_task_of_the_step_is_waited_for(self):
        """A machine that a task of the step moves is busy, too: links wait until it has moved."""
        seen = []

        class Slow(Payment):
            async def on_authorize(self):
                seen.append("begins")
                await asyncio.sleep(0.01)
                seen.append("ends")

        class Starting(Order):
            async def on_process(self, orc):
                self.task = asyncio.create_task(orc.payment.authorize())
                await asyncio.sleep(0)

        class System(Orchestrator):
            order: Starting = machine(factory=Starting)
            payment: Slow = machine(factory=Slow)
            x = when(order.processing).call(
                lambda orc: seen.append(f"link, payment is in {orc.payment.current_state_value}")
            )

        async def scenario():
            await System().order.process()

        asyncio.run(scenario())
        assert seen == ["begins", "ends", "link, payment is in authorized"]

    def test_a_thread_of_the_step_is_waited_for(self):
        """The same with a thread that has the callback's context."""
        seen, may_end = [], threading.Event()

        class Slow(Payment):
            def on_authorize(self):
                may_end.wait(5)
                seen.append("ends")

        class Starting(Order):
            def on_process(self, orc):
                begun = threading.Event()

                def work():
                    begun.set()
                    orc.payment.authorize()

                self.thread = threading.Thread(target=partial(contextvars.copy_context().run, work))
                self.thread.start()
                begun.wait(5)
                while not orc.payment._engine.is_busy:
                    pass
                threading.Timer(0.01, may_end.set).start()

        class System(Orchestrator):
            order: Starting = machine(factory=Starting)
            payment: Slow = machine(factory=Slow)
            x = when(order.processing).call(lambda orc: seen.append("link"))

        System().order.process()

        assert seen == ["ends", "link"]


class TestTriggers:
    def test_every_entry(self, world):
        """A state triggers on the first entry, on a re-entry, and when it is left again at once."""

        class System(Orchestrator):
            radio: Radio
            lamp: Lamp
            log: list = data(default_factory=list)
            first = when("lamp.off").call(noting("first"))
            passed = when("radio.fading").call(noting("passed"))

        async def scenario():
            system = await lit(world, System)
            await world.call(system.lamp.touch())
            await world.call(system.radio.play())
            await world.call(system.radio.stop())
            return system.log, str(system.configuration)

        assert world.run(scenario)[0][-2:] == ["first(lamp)", "passed(radio)"]

    def test_compound_states(self, world):
        """Entering a compound state enters what it contains; an inner move does not enter it again."""

        class System(Orchestrator):
            radio: Radio = machine(factory=Radio)
            log: list = data(default_factory=list)
            outer = when(radio.playing).call(noting("outer"))
            inner = when(radio.playing.tuning).call(noting("inner"))
            music = when(radio.music).call(noting("music"))

        async def scenario():
            system = await lit(world, System)
            for event in ("play", "found", "stop", "again"):
                await world.call(system.radio.send(event))
                system.log.append(event)
            return system.log

        assert world.run(scenario) == [
            *("outer(radio)", "inner(radio)", "play", "music(radio)", "found"),
            *("stop", "outer(radio)", "music(radio)", "again"),
        ]

    def test_events(self, world):
        """An event triggers each time it was taken, whatever it did; not if it was refused."""

        class System(Orchestrator):
            lamp: LampChart = machine(factory=LampChart)
            log: list = data(default_factory=list)
            x = when(lamp.light).call(noting("x"))

        async def scenario():
            system = await lit(world, System)
            await world.call(system.lamp.dim())
            await world.call(system.lamp.light())
            await world.call(system.lamp.light())
            return system.log

        assert world.run(scenario) == ["x(lamp)"]

    def test_events_that_match(self, world):
        """An event that matches a declared one triggers its links; an event with an id of its own by that id."""

        class Sensor(StateMachine):
            idle = State(initial=True)
            cool = Event(idle.to.itself(), id="temperature.cool")
            warm = idle.to.itself()

        class System(Orchestrator):
            sensor: Sensor = machine(factory=Sensor)
            log: list = data(default_factory=list)
            x = when(sensor.cool).call(noting("x"))
            y = when("sensor.warm").call(noting("y"))

        async def scenario():
            system = await lit(world, System)
            for event in ("temperature.cool", "warm.very", "temperature.cool.down"):
                await world.call(system.send(f"sensor.{event}"))
            return system.log

        assert world.run(scenario) == ["x(sensor)", "y(sensor)", "x(sensor)"]

    def test_a_wildcard_is_no_initial_entry(self, world):
        """A link that waits for any event does not wait for the first entry, which no event causes."""
        seen = []

        class Ear(StateMachine):
            idle = State(initial=True)
            heard = Event(idle.to.itself(), id="*")

        class System(Orchestrator):
            ear: Ear = machine(factory=Ear)
            x = when(ear.heard).call(lambda orc, occurrence: seen.append(occurrence.event))

        async def scenario():
            system = await lit(world, System)
            await world.call(system.ear.send("anything"))

        world.run(scenario)
        assert seen == ["anything"]

    @pytest.mark.parametrize("kind", [Lamp, LampChart])
    def test_done(self, world, kind):
        """`done` fires once, at the rest after the end, behind what the last move triggered by state and event."""

        class System(Orchestrator):
            lamp: kind = machine(factory=kind)
            log: list = data(default_factory=list)
            ended = when(done(lamp)).call(noting("ended"))
            entered = when(lamp.broken).call(noting("entered"))
            taken = when(lamp.smash).call(noting("taken"))

        async def scenario():
            system = await lit(world, System)
            await world.call(system.lamp.light())
            await world.call(system.lamp.smash())
            return system.log

        assert world.run(scenario) == ["ended(lamp)", "entered(lamp)", "taken(lamp)"]

    def test_done_of_parallel_regions(self, world):
        """A chart whose regions are parallel has ended when all of them have."""

        class System(Orchestrator):
            desk: Desk = machine(factory=Desk)
            log: list = data(default_factory=list)
            x = when(done(desk)).call(noting("x"))
            y = when(desk.left_in).call(noting("y"))

        async def scenario():
            system = await lit(world, System)
            await world.call(system.desk.push_left())
            before = list(system.log)
            await world.call(system.desk.push_right())
            return before, system.log

        assert world.run(scenario) == (["y(desk)"], ["y(desk)", "x(desk)"])

    def test_passed_machines(self, world):
        """A machine that was passed has not entered anything; a condition on its state may fire at the start."""

        class System(Two):
            entered = when(Two.a.on).call(noting("entered"))
            held = when(In(Two.a.on)).call(noting("held"))
            ended = when(done(Two.b)).call(noting("ended"))

        async def scenario():
            a, b = world.machine(Lamp)(), world.machine(Lamp)()
            for one, state in ((a, "on"), (b, "broken")):
                await world.call(one.activate_initial_state())
                one.current_state_value = state
            system = await lit(world, System, a=a, b=b)
            return system.log

        assert world.run(scenario) == ["held()"]


class TestConditions:
    def test_rising_edge(self, world):
        """A condition fires at the rest at which it holds and did not hold at the rest before."""

        class System(Two):
            x = when(Two.a.on, Two.b.on).call(noting("x"))
            y = when(~In(Two.a.off) | In(Two.b.on)).call(noting("y"))
            z = when(In(Two.a.on) & ~In(Two.b.on)).call(noting("z"))

        async def scenario():
            system = await lit(world, System)
            told = []
            for member, event in (("a", "light"), ("b", "light"), ("b", "touch"), ("a", "dim"), ("a", "light")):
                await world.call(getattr(system, member).send(event))
                told.append(" ".join(system.log))
                system.log = []
            return told

        assert world.run(scenario) == ["y() z()", "x()", "", "", "x()"]

    def test_between_rests(self, world):
        """What holds only between two rests does not fire; nor does what ceases and begins again between them."""

        class System(Two):
            x = when(In(Two.a.on)).call(noting("x"))

        async def scenario():
            system = await lit(world, System)

            def during(orc):
                orc.a.dim()

            await world.call(system.a.light(during=during))
            return system.log

        assert world.run(scenario) == []

    def test_functions(self, world):
        """A function in a condition is asked at every rest, whoever has moved."""

        class System(Two):
            x = when(~In(Two.a.broken) & (lambda orc: orc.b.current_state_value == "on")).call(noting("x"))

        async def scenario():
            system = await lit(world, System)
            for event in ("light", "dim", "light"):
                await world.call(system.b.send(event))
            return system.log

        assert world.run(scenario) == ["x()", "x()"]

    def test_the_baseline(self, world):
        """Before the start nothing is active: what holds at the first rest fires, but not what held before."""

        class System(Two):
            x = when(In(Two.a.off)).call(noting("x"))
            y = when(~In(Two.a.on)).call(noting("y"))

        async def scenario():
            return (await lit(world, System)).log

        assert world.run(scenario) == ["x()"]

    def test_a_failing_step_forgets(self, world):
        """What was remembered of conditions and ends is put back with the step."""

        class System(Two):
            x = when(In(Two.a.on)).call(noting("x"))
            y = when(done(Two.a)).call(noting("y"))
            z = when(Two.a.on).send(Two.b.dim)
            zz = when(Two.a.broken).send(Two.b.dim)

        async def scenario():
            system = await lit(world, System)
            told = []
            for member, event in (("a", "light"), ("b", "light"), ("a", "light"), ("a", "smash"), ("b", "light")):
                try:
                    await world.call(getattr(system, member).send(event))
                except LinkRefused:
                    system.log = [*system.log, "failed"]
                told.append(" ".join(system.log))
                system.log = []
            await world.call(system.a.smash())
            return [*told, " ".join(system.log)]

        assert world.run(scenario) == ["failed", "", "x()", "y(a) failed", "", "y(a)"]

    def test_a_function_that_raises(self, world):
        """An exception in a condition fails the step, and says in which link."""

        def wrong(orc):
            raise ValueError("no idea")

        class System(Two):
            x = when(Two.a.on).given(wrong).send(Two.b.light)

        async def scenario():
            system = await lit(world, System)
            with pytest.raises(ValueError, match="no idea") as caught:
                await world.call(system.a.light())
            return caught.value.__notes__, str(system.configuration)

        assert world.run(scenario) == (
            ["in a condition of <link System.x: when(a.on).given(wrong).send(b.light)>"],
            "a=off b=off",
        )


class TestCancellation:
    def test_a_nested_event_that_is_cancelled(self):
        """What a nested event had done triggers no link once its task was cancelled, and its machine put back."""

        class Patient(Lamp):
            async def after_light(self):
                await asyncio.sleep(30)

        class Hasty(Lamp):
            async def on_light(self, orc):
                nested = asyncio.ensure_future(orc.patient.light())
                await asyncio.sleep(0.01)
                nested.cancel()
                await asyncio.gather(nested, return_exceptions=True)

        class House(Orchestrator):
            hasty: Hasty = machine(factory=Hasty)
            patient: Patient = machine(factory=Patient)
            seen: list = data(default_factory=list)

            follow = when(patient.on).call(lambda orc: orc.seen.append("patient"))
            other = when(hasty.on).call(lambda orc: orc.seen.append("hasty"))

        async def scenario():
            house = House()
            await house.hasty.light()
            return str(house.configuration), house.seen

        assert asyncio.run(scenario()) == ("hasty=on patient=off", ["hasty"])
