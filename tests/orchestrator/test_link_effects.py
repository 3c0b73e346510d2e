"""What follows from a link: events with payload, functions, refusals, circles, and what a failing step puts back."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest
from statemachine import State, StateChart, StateMachine

from orca_bridge import loads
from statemachines_orchestrator import In, Orchestrator, data, done, guard, machine, when
from statemachines_orchestrator.exceptions import LinkLoopError, LinkRefused


class Source(StateMachine):
    """Where links begin."""

    idle = State(initial=True)
    ready = State()
    over = State(final=True)
    go = idle.to(ready)
    back = ready.to(idle)
    tick = idle.to.itself() | ready.to.itself()
    finish = ready.to(over) | idle.to(over)


class Target(StateMachine):
    """Where they end: notes what it receives."""

    wide = State(initial=True)
    shut = State()
    gone = State(final=True)
    take = wide.to.itself()
    close = wide.to(shut)
    reopen = shut.to(wide)
    leave = wide.to(gone) | shut.to(gone)
    picky = wide.to.itself(cond="never")

    def never(self):
        return False

    def on_take(self, *args, orc, event_data, **_more):
        sent = event_data.trigger_data.kwargs
        orc.log.append((args, dict(sent)))


class TargetChart(StateChart):
    wide = State(initial=True)
    shut = State()
    gone = State(final=True)
    close = wide.to(shut)
    reopen = shut.to(wide)
    leave = shut.to(gone)


class Base(Orchestrator):
    source: Source = machine(factory=Source)
    target: Target = machine(factory=Target)
    log: list = data(default_factory=list)


async def made(world, kind, **members):
    given = {
        one.name: world.machine(one.classes[0])() for one in kind.__declaration__.members if one.name not in members
    }
    system = kind(**given, **members)
    await world.call(system.activate())
    return system


async def fed(world, kind, *events):
    """Send events, `source.go` or `(address, args, kwargs)`; the system afterwards."""
    system = await made(world, kind)
    for event in events:
        address, args, kwargs = (event, (), {}) if isinstance(event, str) else event
        await world.call(system.send(address, *args, **kwargs))
    return system


class Gift:
    """A class that is passed on as it is."""


class TestPayload:
    def test_constants_functions_and_classes(self, world):
        """Functions are called with the orchestrator and, if they take it, the occurrence; all else is sent as it is."""

        class System(Base):
            x = when(Base.source.tick).send(
                Base.target.take,
                constant=3,
                kind=Gift,
                where=lambda orc: orc.source.current_state_value,
                who=lambda orc, occurrence: (occurrence.address, occurrence.event, occurrence.kwargs["n"]),
                bound=partial(lambda orc, factor=1: factor, factor=2),
            )

        async def scenario():
            return (await fed(world, System, ("source.tick", (), {"n": 7}))).log

        assert world.run(scenario) == [
            ((), {"constant": 3, "kind": Gift, "where": "idle", "who": ("source", "tick", 7), "bound": 2})
        ]

    def test_computed_when_it_is_sent(self, world):
        """Payload is computed when the event is sent, not when the link is queued."""

        class System(Base):
            first = when(Base.source.tick).send(Base.target.close)
            second = when(Base.source.tick).send(
                Base.target.reopen, refused="ignore", x=lambda orc: orc.log.append(orc.target.current_state_value)
            )

        async def scenario():
            return (await fed(world, System, "source.tick")).log

        assert world.run(scenario) == ["shut"]

    def test_forward(self, world):
        """Named arguments are passed on where the trigger has them; without names all are, positional ones, too."""

        class Named(Base):
            x = when(Base.source.tick).send(Base.target.take, extra=1).forward("a", "missing")

        class All(Base):
            x = when(Base.source.tick).forward().send(Base.target.take, a="own")

        async def scenario():
            sent = ("source.tick", (5,), {"a": 1, "b": 2})
            return [(await fed(world, kind, sent)).log for kind in (Named, All)]

        assert world.run(scenario) == [
            [((), {"a": 1, "extra": 1})],
            [((5,), {"a": "own", "b": 2})],
        ]

    def test_a_function_that_raises(self, world):
        """An exception in a payload function fails the step, and says which value of which link it was for."""

        def amount(orc):
            raise ValueError("no price")

        class System(Base):
            x = when(Base.source.go).send(Base.target.take, amount=amount)

        async def scenario():
            system = await made(world, System)
            with pytest.raises(ValueError, match="no price") as caught:
                await world.call(system.source.go())
            return caught.value.__notes__, str(system.configuration)

        assert world.run(scenario) == (
            ["while computing 'amount' for <link System.x: when(source.go).send(target.take, amount=amount)>"],
            "source=idle target=wide",
        )

    def test_the_orchestrators_name_cannot_be_forwarded(self, world):
        """An argument under the name of the orchestrator is refused, also when it is passed on."""

        async def scenario():
            system = await made(world, Base)
            with pytest.raises(TypeError, match="'orc' is the name under which callbacks receive the orchestrator"):
                await world.call(system.source.tick(orc=3))

        world.run(scenario)


class TestCall:
    def test_functions(self, world):
        """A function is called with the orchestrator and, if it takes it, the occurrence."""

        class System(Base):
            one = when(Base.source.tick).call(lambda orc: orc.log.append("one"))
            two = when(Base.source.tick).call(lambda orc, occurrence: orc.log.append(occurrence.event))

        async def scenario():
            return (await fed(world, System, "source.tick")).log

        assert world.run(scenario) == ["one", "tick"]

    def test_events_run_nested(self, world):
        """Events that it calls run at once; links of theirs run when it has returned."""

        def act(orc):
            call = orc.target.close()
            orc.log.append(str(orc.target.current_state_value))
            return call

        async def aact(orc):
            await orc.target.close()
            orc.log.append(str(orc.target.current_state_value))

        class System(Base):
            x = when(Base.source.tick).call(aact if world.is_async else act)
            y = when(Base.target.shut).call(lambda orc: orc.log.append("link"))

        async def scenario():
            return (await fed(world, System, "source.tick")).log

        assert world.run(scenario) == ["shut", "link"]

    def test_an_unawaited_call(self):
        """A call that the function returns is awaited; one that it drops is delivered all the same."""

        def drop(orc):
            orc.target.reopen()

        class Slow(Target):
            async def on_close(self):
                await asyncio.sleep(0)

        class System(Orchestrator):
            source: Source = machine(factory=Source)
            target: Slow = machine(factory=Slow)
            returned = when(source.go).call(lambda orc: orc.target.close())
            dropped = when(source.tick).call(drop)

        async def scenario():
            system = System()
            await system.source.go()
            told = [str(system.configuration)]
            await system.source.tick()
            return [*told, str(system.configuration)]

        assert asyncio.run(scenario()) == ["source=ready target=shut", "source=ready target=wide"]

    def test_an_asynchronous_function_in_a_synchronous_system(self):
        """There is nobody who would await it: it is refused, and says so."""

        async def act(orc):
            pass

        class System(Base):
            x = when(Base.source.tick).call(act)

        with pytest.raises(TypeError, match="act is asynchronous, and System has no asynchronous member"):
            System().source.tick()

    def test_one_that_raises(self, world):
        """An exception fails the step, and says which link it was."""

        class System(Base):
            x = when(Base.source.go).call(lambda orc: 1 / 0)

        async def scenario():
            system = await made(world, System)
            with pytest.raises(ZeroDivisionError) as caught:
                await world.call(system.source.go())
            return caught.value.__notes__, str(system.configuration)

        assert world.run(scenario) == (
            ["caused by <link System.x: when(source.go).call(<lambda>)>"],
            "source=idle target=wide",
        )


REASONS = {
    "unmatched": ("reopen", "target is in wide, where nothing is enabled for 'reopen'"),
    "condition": ("picky", "target is in wide, where 'picky' needs never"),
    "guard": (
        "close",
        "target.close is forbidden by the guard System.closed: it needs In(source.over), but source is in ready",
    ),
    "ended": ("leave", "target has ended"),
}


class TestRefused:
    @pytest.mark.parametrize("reason", REASONS)
    def test_raise(self, world, reason):
        """By default the step fails with who, which link and why."""
        event, why = REASONS[reason]

        class System(Base):
            closed = guard(Base.target.close, In(Base.source.over))
            x = when(Base.source.ready).send(f"target.{event}")

        async def scenario():
            system = await made(world, System)
            if reason == "ended":
                await world.call(system.target.leave())
            before = str(system.configuration)
            with pytest.raises(LinkRefused) as caught:
                await world.call(system.source.go())
            return caught.value, before == str(system.configuration)

        error, is_put_back = world.run(scenario)
        assert str(error) == (
            f"target.{event} was refused, sent by the link <link System.x: when(source.ready).send(target.{event})>: {why}. "
            "Write refused='ignore' or refused='hold' if that may happen."
        )
        assert (error.address, error.why) == (f"target.{event}", why)
        assert is_put_back

    def test_a_chart(self, world):
        """A StateChart, which ignores by itself what it cannot take, is no exception."""

        class System(Orchestrator):
            source: Source = machine(factory=Source)
            target: TargetChart = machine(factory=TargetChart)
            x = when(source.ready).send(target.reopen)

        async def scenario():
            system = await made(world, System)
            with pytest.raises(LinkRefused):
                await world.call(system.source.go())
            return str(system.configuration)

        assert world.run(scenario) == "source=idle target=wide"

    @pytest.mark.parametrize("reason", REASONS)
    def test_ignore(self, world, reason):
        """The event is dropped, and does not come later."""
        event, _ = REASONS[reason]

        class System(Base):
            closed = guard(Base.target.close, In(Base.source.over))
            x = when(Base.source.ready).send(f"target.{event}", refused="ignore")

        async def scenario():
            system = await made(world, System)
            if reason == "ended":
                await world.call(system.target.leave())
            await world.call(system.source.go())
            return str(system.configuration), len(system._system.driver.held)

        assert world.run(scenario) == (f"source=ready target={'gone' if reason == 'ended' else 'wide'}", 0)

    def test_a_refusal_further_inside(self, world):
        """A refusal of what a callback calls is no refusal of the link's event."""

        class Calling(Target):
            def after_close(self, orc):
                return orc.source.back(), orc.source.back()

        class System(Base):
            calling: Calling = machine(factory=Calling)
            x = when(Base.source.ready).send(calling.close, refused="ignore")

        async def scenario():
            system = await made(world, System)
            with pytest.raises(StateMachine.TransitionNotAllowed) as caught:
                await world.call(system.source.go())
            return type(caught.value), str(system.configuration)

        assert world.run(scenario) == (
            StateMachine.TransitionNotAllowed,
            "source=idle target=wide calling=wide",
        )


class TestHeld:
    def test_is_tried_when_the_machine_has_moved(self, world):
        """A held event is tried at each rest after which its machine has moved, and leaves the line when taken."""

        class System(Base):
            x = when(Base.source.ready).send(Base.target.reopen, refused="hold")

        async def scenario():
            system = await made(world, System)
            held = system._system.driver.held
            told = []
            for event in ("source.go", "target.take", "target.close", "target.close"):
                await world.call(system.send(event))
                told.append((str(system.configuration), len(held)))
            return told

        assert world.run(scenario) == [
            ("source=ready target=wide", 1),
            ("source=ready target=wide", 1),
            ("source=ready target=wide", 0),
            ("source=ready target=shut", 0),
        ]

    def test_order(self, world):
        """They are tried in the order in which they were held, before other links, from the beginning after each."""

        class System(Base):
            one = when(Base.source.ready).send(Base.target.leave, refused="hold", never=1)
            two = when(Base.source.ready).send(Base.target.reopen, refused="hold")
            leaving = guard(Base.target.leave, In(Base.source.idle))
            told = when(Base.target.shut).call(lambda orc: orc.log.append(orc.target.current_state_value))

        async def scenario():
            system = await made(world, System)
            held = system._system.driver.held
            await world.call(system.source.go())
            await world.call(system.target.close())
            told = [[one.address for one in held], str(system.configuration)]
            await world.call(system.source.back())
            return [*told, [one.address for one in held], str(system.configuration), system.log]

        assert world.run(scenario) == [
            ["target.leave"],
            "source=ready target=wide",
            [],
            "source=idle target=gone",
            ["wide"],
        ]

    def test_a_guard_that_may_open(self, world):
        """It is tried when a machine that the guard names has moved; any machine, if a function is asked."""

        class Named(Base):
            other: Source = machine(factory=Source)
            x = when(Base.source.ready).send(Base.target.close, refused="hold")
            closed = guard(Base.target.close, In(other.ready))

        class Asked(Base):
            other: Source = machine(factory=Source)
            x = when(Base.source.ready).send(Base.target.close, refused="hold")
            closed = guard(Base.target.close, lambda orc: orc.other.current_state_value == "ready")

        async def scenario():
            return [str((await fed(world, kind, "source.go", "other.go")).configuration) for kind in (Named, Asked)]

        assert world.run(scenario) == ["source=ready target=shut other=ready"] * 2

    def test_an_end_drops_it(self, world):
        """Held events of a machine that has ended are dropped."""

        class System(Base):
            x = when(Base.source.ready).send(Base.target.reopen, refused="hold")

        async def scenario():
            system = await fed(world, System, "source.go", "target.leave")
            return len(system._system.driver.held)

        assert world.run(scenario) == 0

    def test_a_failing_step(self, world):
        """What was held, and what has left the line, is put back with the step, in its place."""

        class System(Base):
            one = when(Base.source.tick).send(Base.target.reopen, refused="hold", n=lambda orc, o: o.kwargs["n"])
            boom = when(Base.target.reopen).call(lambda orc: 1 / 0)
            late = when(Base.source.go).call(lambda orc: 1 / 0)
            early = when(Base.source.go).send(Base.target.reopen, refused="hold", n=9)

        async def scenario():
            system = await made(world, System)
            held = system._system.driver.held
            for n in (1, 2):
                await world.call(system.source.tick(n=n))
            for event in ("target.close", "source.go"):
                with pytest.raises(ZeroDivisionError):
                    await world.call(system.send(event))
            return [one.kwargs["n"] for one in held], str(system.configuration)

        assert world.run(scenario) == ([1, 2], "source=idle target=wide")


class TestCircles:
    def test_the_circle_is_printed(self, world):
        """A step that delivers too much fails with the links that cause each other, and is put back."""

        class System(Base, max_deliveries=9):
            start = when(Base.source.ready).send(Base.target.close, refused="ignore")
            one = when(Base.target.shut).given(In(Base.source.ready)).send(Base.target.reopen)
            two = when(Base.target.wide).given(In(Base.source.ready)).send(Base.target.close)

        async def scenario():
            system = await made(world, System)
            with pytest.raises(LinkLoopError) as caught:
                await world.call(system.source.go())
            return caught.value, str(system.configuration)

        error, where = world.run(scenario)
        assert str(error) == (
            "a step of System has delivered 9 events and was put back: these links cause each other again and again:\n"
            "  <link System.two: when(target.wide).given(In(source.ready)).send(target.close)>\n"
            "  <link System.one: when(target.shut).given(In(source.ready)).send(target.reopen)>\n"
            "End the circle with .given(...), or write max_deliveries=... in the class line if it ends later."
        )
        assert (error.deliveries, len(error.cycle)) == (9, 2)
        assert where == "source=idle target=wide"

    def test_of_functions(self, world):
        """A circle through functions that are called is found, too."""

        class System(Base, max_deliveries=5):
            x = when(Base.source.tick).call(lambda orc: orc.source.tick())

        async def scenario():
            system = await made(world, System)
            with pytest.raises(LinkLoopError) as caught:
                await world.call(system.source.tick())
            return caught.value.cycle

        assert world.run(scenario) == ("<link System.x: when(source.tick).call(<lambda>)>",)

    def test_exactly_as_many(self, world):
        """As many as are allowed are no failure."""

        class System(Base, max_deliveries=2):
            one = when(Base.source.ready).send(Base.target.close)
            two = when(Base.target.shut).send(Base.target.reopen)

        async def scenario():
            return str((await fed(world, System, "source.go")).configuration)

        assert world.run(scenario) == "source=ready target=wide"


class TestMembers:
    def test_not_atomic(self, world):
        """Without putting back, what links have done before one fails stays; those behind it do not run."""

        class System(Base, atomic=False):
            one = when(Base.source.ready).send(Base.target.close)
            two = when(Base.source.ready).send(Base.target.close)
            three = when(Base.source.ready).send(Base.target.reopen)

        async def scenario():
            system = await made(world, System)
            with pytest.raises(LinkRefused):
                await world.call(system.source.go())
            told = [str(system.configuration)]
            await world.call(system.source.back())
            return [*told, str(system.configuration)]

        assert world.run(scenario) == ["source=ready target=shut", "source=idle target=shut"]

    def test_an_absent_member(self, world):
        """Rules about an optional member that is absent sleep."""

        class Optional(Orchestrator):
            source: Source = machine(factory=Source)
            extra: Target | None = None
            log: list = data(default_factory=list)
            x = when(source.ready).send("extra.close")
            y = when(In("extra.wide")).send("source.finish")
            z = when(~In("extra.wide") & In("source.ready")).send("source.tick")

        async def scenario():
            system = Optional(world.machine(Source)())
            await world.call(system.activate())
            await world.call(system.source.go())
            return str(system.configuration)

        assert world.run(scenario) == "source=ready"

    def test_loaded_documents(self, world):
        """Machines that are loaded from Orca documents take part as all others do."""
        Lamp = loads(
            "# machine Lamp\n\n## state off [initial]\n## state on\n\n"
            "## events\n- light\n- dim\n\n"
            "## transitions\n| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n"
            "| off | light | | on | |\n| on | dim | | off | |\n"
        )

        class System(Orchestrator):
            source: Source = machine(factory=Source)
            lamp: Lamp = machine(factory=Lamp)
            x = when(source.ready).send("lamp.light")
            y = when("lamp.on").send("source.finish")
            z = when(done(source)).send("lamp.dim")

        async def scenario():
            system = System(world.machine(Source)())
            await world.call(system.activate())
            await world.call(system.source.go())
            return str(system.configuration)

        assert world.run(scenario) == "source=over lamp=off"


class TestInvocations:
    def test_events_of_a_handler_trigger_links(self):
        """What an invoke handler sends is a step of its own, with all its links."""

        class Working(StateChart):
            idle = State(initial=True)
            working = State(invoke=lambda orc: orc.source.go())
            begin = idle.to(working)
            end = working.to(idle)

        class System(Base):
            worker: Working = machine(factory=Working)
            x = when(Base.source.ready).send(Base.target.close)

        system = System()
        system.worker.begin()
        for _ in range(500):
            if system.target.shut.is_active:
                break
            time.sleep(0.01)

        assert str(system.configuration) == "source=ready target=shut worker=working"
