"""Guards: when they are asked, what they see, and what a refusal says."""

from __future__ import annotations

import asyncio

import pytest
from shop import Order, Payment
from statemachine import State, StateChart, StateMachine
from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator import In, Members, Orchestrator, each, every, guard, machine, machines, when
from statemachines_orchestrator.exceptions import GuardRefused, LinkRefused


class Door(StateMachine):
    """Asks for itself, too."""

    shut = State(initial=True)
    ajar = State()
    wide = State()
    pull = shut.to(ajar, cond="turns", validators="look") | ajar.to(wide)
    push = wide.to(shut) | ajar.to(shut)
    note = shut.to.itself(internal=True)
    trace: list

    def look(self):
        self.trace.append("validator")

    def turns(self):
        self.trace.append("condition")
        return True

    def on_note(self, act=None, *, orc):
        return act(orc) if act is not None else None


class DoorChart(StateChart):
    """Goes further by itself."""

    shut = State(initial=True)
    ajar = State()
    wide = State(final=True)
    pull = shut.to(ajar)
    widen = ajar.to(wide)
    peek = shut.to(ajar)

    def on_peek(self):
        self.raise_("widen")


class Key(StateMachine):
    away = State(initial=True)
    here = State()
    bring = away.to(here)
    take = here.to(away)
    act = None

    def on_bring(self, orc):
        return self.act(orc) if self.act is not None else None


class KeyChart(StateChart):
    away = State(initial=True)
    here = State()
    bring = away.to(here)
    take = here.to(away)

    def on_bring(self, orc):
        return orc.door.pull()


class House(Orchestrator):
    door: Door = machine(factory=Door)
    key: Key = machine(factory=Key)

    locked = guard(door.pull, In(key.here))


async def built(world, kind=House, **members):
    given = {
        one.name: world.machine(one.classes[0])() for one in kind.__declaration__.members if one.name not in members
    }
    house = kind(**given, **members)
    house.trace = []
    if hasattr(house, "door"):
        house.door.trace = house.trace
    await world.call(house.activate())
    return house


MESSAGE = "door.pull is forbidden by the guard House.locked: it needs In(key.here), but key is in away."


class TestRefusal:
    def test_names_guard_need_and_case(self, world):
        """A forbidden event raises a TransitionNotAllowed that says all, with data; nothing has moved."""

        async def scenario():
            house = await built(world)
            with pytest.raises(TransitionNotAllowed) as caught:
                await world.call(house.door.pull())
            return caught.value, str(house.configuration), house.trace

        error, where, trace = world.run(scenario)
        assert type(error) is GuardRefused
        assert str(error) == MESSAGE
        assert (error.address, error.guard, error.needs, error.case) == (
            "door.pull",
            "House.locked",
            "In(key.here)",
            "key is in away",
        )
        assert str(error.event) == "pull"
        assert where == "door=shut key=away"
        assert trace == []

    def test_of_a_function(self, world):
        """A function is named, and no case is told."""

        def may_pull(orc, occurrence):
            return occurrence.kwargs["strength"] > 5

        class Heavy(House):
            heavy = guard(House.door.pull, may_pull)

        async def scenario():
            house = await built(world, Heavy)
            await world.call(house.key.bring())
            with pytest.raises(GuardRefused) as caught:
                await world.call(house.door.pull(strength=1))
            await world.call(house.door.pull(strength=9))
            return str(caught.value), str(house.configuration)

        assert world.run(scenario) == (
            "door.pull is forbidden by the guard Heavy.heavy: it needs may_pull, and that does not hold.",
            "door=ajar key=here",
        )

    def test_of_several_conditions(self, world):
        """What it needs is told as it was written, with where everybody is."""

        class Odd(House):
            odd = guard(House.door.push, ~In(House.key.here) & (In(House.door.wide) | In(House.key.away)))

        async def scenario():
            house = await built(world, Odd)
            await world.call(house.key.bring())
            await world.call(house.door.pull())
            with pytest.raises(GuardRefused) as caught:
                await world.call(house.door.push())
            return str(caught.value)

        assert world.run(scenario) == (
            "door.push is forbidden by the guard Odd.odd: it needs ~In(key.here) & (In(door.wide) | In(key.away)), "
            "but key is in here and door is in ajar."
        )

    def test_of_a_collection(self, world):
        """A condition on all members tells of how many it is true."""

        class Many(Orchestrator):
            door: Door = machine(factory=Door)
            keys: Members[Key] = machines(Key)

            all_here = guard(door.pull, every(each(keys).here))

        async def scenario():
            house = await built(world, Many)
            for key in ("a", "b"):
                house.keys.add(key, world.machine(Key)())
            await world.call(house.keys["a"].bring())
            with pytest.raises(GuardRefused) as caught:
                await world.call(house.door.pull())
            return str(caught.value)

        assert world.run(scenario) == (
            "door.pull is forbidden by the guard Many.all_here: it needs every(keys.here), but 1 of 2 keys are in here."
        )

    def test_a_function_that_raises(self, world):
        """An exception in a condition fails the step, and says in which guard."""

        def wrong(orc):
            raise LookupError("where")

        class Wrong(House):
            wrong_one = guard(House.door.note, wrong)

        async def scenario():
            house = await built(world, Wrong)
            with pytest.raises(LookupError) as caught:
                await world.call(house.door.note())
            return caught.value.__notes__

        assert world.run(scenario) == ["in the condition of <guard Wrong.wrong_one: guard(door.note, wrong)>"]


class TestAsking:
    def test_before_the_machines_own(self, world):
        """A guard is asked before validators and conditions of the machine."""

        class Telling(House):
            told = guard(House.door.pull, lambda orc: orc.trace.append("guard") is None)

        async def scenario():
            house = await built(world, Telling)
            await world.call(house.key.bring())
            await world.call(house.door.pull())
            return house.trace

        assert world.run(scenario) == ["guard", "validator", "condition"]

    def test_only_where_there_is_a_transition(self, world):
        """Where the machine has no transition for the event it refuses by itself, and no guard is asked."""

        class Telling(House):
            told = guard(House.door.push, lambda orc: orc.trace.append("guard") is None)

        async def scenario():
            house = await built(world, Telling)
            with pytest.raises(TransitionNotAllowed) as caught:
                await world.call(house.door.push())
            return type(caught.value), house.trace

        assert world.run(scenario) == (TransitionNotAllowed, [])

    def test_of_a_parent_state(self, world):
        """A transition of a state around the active one counts, too."""

        class Nested(StateChart):
            class inside(State.Compound):
                left = State(initial=True)
                right = State()
                turn = left.to(right)

            outside = State(final=True)
            leave = inside.to(outside)

        class System(Orchestrator):
            nested: Nested = machine(factory=Nested)
            key: Key = machine(factory=Key)
            locked = guard(nested.leave, In(key.here))

        async def scenario():
            system = await built(world, System)
            with pytest.raises(GuardRefused):
                await world.call(system.nested.leave())
            await world.call(system.key.bring())
            await world.call(system.nested.leave())
            return str(system.configuration)

        assert world.run(scenario) == "nested=outside key=here"

    def test_all_have_to_hold(self, world):
        """Several guards on one event all have to hold; the first that does not is named."""

        class Two(House):
            second = guard(House.door.pull, In(House.key.away))

        async def scenario():
            house = await built(world, Two)
            named = []
            for _ in range(2):
                with pytest.raises(GuardRefused) as caught:
                    await world.call(house.door.pull())
                named.append(caught.value.guard)
                if house.key.away.is_active:
                    await world.call(house.key.bring())
            return named

        assert world.run(scenario) == ["House.locked", "Two.second"]

    def test_an_event_that_matches(self, world):
        """A more special event is guarded by the guard of the declared one."""

        async def scenario():
            house = await built(world)
            with pytest.raises(GuardRefused) as caught:
                await world.call(house.send("door.pull.hard"))
            return caught.value.address

        assert world.run(scenario) == "door.pull.hard"

    def test_eventless_transitions(self, world):
        """What needs no event cannot be guarded."""

        class Auto(StateChart):
            one = State(initial=True)
            two = State()
            three = State(final=True)
            go = one.to(two)
            two.to(three)

        class System(Orchestrator):
            auto: Auto = machine(factory=Auto)
            key: Key = machine(factory=Key)
            closed = guard(auto.go, In(key.here))

        async def scenario():
            system = await built(world, System)
            await world.call(system.key.bring())
            await world.call(system.auto.go())
            return str(system.configuration)

        assert world.run(scenario) == "auto=three key=here"


class TestWhoSends:
    def test_the_machine_itself(self, world):
        """An event that a machine sends itself is guarded, by call and by the internal queue; the step fails."""

        class Charted(Orchestrator):
            door: DoorChart = machine(factory=DoorChart)
            key: Key = machine(factory=Key)
            locked = guard(door.widen, In(key.here))

        async def scenario():
            told = []
            house = await built(world)
            with pytest.raises(GuardRefused):
                await world.call(house.door.note(act=lambda orc: orc.door.pull() and None))
            told.append(str(house.configuration))
            charted = await built(world, Charted)
            with pytest.raises(GuardRefused) as caught:
                await world.call(charted.door.peek())
            return [*told, str(charted.configuration), str(caught.value)]

        assert world.run(scenario) == [
            "door=shut key=away",
            "door=shut key=away",
            "door.widen is forbidden by the guard Charted.locked: it needs In(key.here), but key is in away.",
        ]

    def test_a_chart(self, world):
        """A StateChart, which ignores what it cannot take, raises as well: the guard is not its own."""

        class Charted(Orchestrator):
            door: DoorChart = machine(factory=DoorChart)
            key: Key = machine(factory=Key)
            locked = guard(door.pull, In(key.here))

        async def scenario():
            house = await built(world, Charted)
            with pytest.raises(GuardRefused):
                await world.call(house.door.pull())
            return str(house.configuration)

        assert world.run(scenario) == "door=shut key=away"

    def test_a_sibling(self, world):
        """A callback may catch the refusal, and nothing has happened."""

        async def scenario():
            house = await built(world)

            def act(orc):
                with pytest.raises(GuardRefused):
                    orc.door.pull()

            async def aact(orc):
                with pytest.raises(GuardRefused):
                    await orc.door.pull()

            house.key.act = aact if world.is_async else act
            await world.call(house.key.bring())
            await world.call(house.door.pull())
            return str(house.configuration)

        assert world.run(scenario) == "door=ajar key=here"

    def test_a_link(self, world):
        """If a link sends it, the link says what happens; one that is held is tried when the guard opens."""

        class Linked(House):
            noted = when(House.door.note).send(House.door.pull)

        class Ignoring(House):
            noted = when(House.door.note).send(House.door.pull, refused="ignore")

        class Holding(House):
            noted = when(House.door.note).send(House.door.pull, refused="hold")

        async def scenario():
            told = []
            linked = await built(world, Linked)
            with pytest.raises(LinkRefused) as caught:
                await world.call(linked.door.note())
            for kind in (Ignoring, Holding):
                house = await built(world, kind)
                await world.call(house.door.note())
                await world.call(house.key.bring())
                told.append(str(house.configuration))
            return caught.value.why, told

        assert world.run(scenario) == (MESSAGE.rstrip("."), ["door=shut key=here", "door=ajar key=here"])

    def test_in_the_middle_of_a_transition(self, world):
        """The condition sees a StateMachine on its way in the state that it comes from, a StateChart in none."""

        class Charted(Orchestrator):
            door: Door = machine(factory=Door)
            key: KeyChart = machine(factory=KeyChart)
            away = guard(door.pull, ~In(key.away) & ~In(key.here))

        async def scenario():
            house = await built(world)
            house.key.act = lambda orc: orc.door.pull()
            with pytest.raises(GuardRefused):
                await world.call(house.key.bring())
            charted = await built(world, Charted)
            await world.call(charted.key.bring())
            return str(house.configuration), str(charted.configuration)

        assert world.run(scenario) == ("door=shut key=away", "door=ajar key=here")


class TestLists:
    def test_what_is_enabled(self, world):
        """What is forbidden is in no list of what can happen."""

        async def scenario():
            house = await built(world)
            before = await world.call(house.enabled_events())
            await world.call(house.key.bring())
            return before, await world.call(house.enabled_events())

        assert world.run(scenario) == (("door.note", "key.bring"), ("door.pull", "door.note", "key.take"))

    def test_a_guard_that_raises(self, world):
        """An exception in a condition reaches who asks for the list."""

        class Wrong(House):
            wrong = guard(House.door.note, lambda orc: 1 / 0)

        async def scenario():
            house = await built(world, Wrong)
            with pytest.raises(ZeroDivisionError):
                await world.call(house.enabled_events())

        world.run(scenario)


class TestAtOnce:
    def test_from_many_tasks(self):
        """Tasks that call at once are asked one after another, each where the system is then."""

        class Slow(Payment):
            async def on_authorize(self):
                await asyncio.sleep(0)

        class Shop(Orchestrator):
            order: Order = machine(factory=Order)
            payment: Slow = machine(factory=Slow)
            paid = guard(order.process, In(payment.authorized))

        async def scenario():
            shop = Shop()
            results = await asyncio.gather(
                shop.order.process(), shop.payment.authorize(), shop.order.process(), return_exceptions=True
            )
            return [type(one) for one in results], str(shop.configuration)

        assert asyncio.run(scenario()) == (
            [GuardRefused, type(None), type(None)],
            "order=processing payment=authorized",
        )
