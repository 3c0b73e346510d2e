"""Links with a delay: when their timers begin, what ends them, and what is asked when they are due."""

from __future__ import annotations

import pytest
from statemachine import Event, State, StateChart, StateMachine

from statemachines_orchestrator import In, Members, Orchestrator, data, each, every, machine, machines, together, when
from statemachines_orchestrator.exceptions import LinkRefused
from statemachines_orchestrator.testing import SimulatedClock


class Task(StateMachine):
    """Waits, and may be done before anybody gets impatient."""

    new = State(initial=True)
    waiting = State()
    late = State()
    done = State(final=True)
    ask = new.to(waiting)
    again = waiting.to.itself()
    shift = waiting.to(new)
    remind = waiting.to(late) | late.to.itself()
    finish = waiting.to(done) | new.to(done) | late.to(done)


class Switch(StateMachine):
    off = State(initial=True)
    on = State()
    flip = off.to(on) | on.to(off)


class Passing(StateChart):
    """Enters a state and leaves it at once."""

    idle = State(initial=True)
    passed = State()
    there = State()
    go = idle.to(passed)
    passed.to(there)
    back = there.to(idle)


class Base(Orchestrator):
    task: Task = machine(factory=Task)
    switch: Switch = machine(factory=Switch)
    log: list = data(default_factory=list)


def noting(word):
    def note(orc, occurrence):
        orc.log.append((word, round(orc.clock.now(), 3)))

    return note


async def lived(world, kind, *life):
    """Seconds to pass and events to send; the system afterwards."""
    given = {one.name: world.machine(one.classes[0])() for one in kind.__declaration__.members}
    clock = SimulatedClock()
    system = kind(**given, clock=clock)
    await world.call(system.activate())
    for one in life:
        await world.call(system.send(one) if isinstance(one, str) else clock.advance(one))
    return system


def heard(world, kind, *life):
    async def scenario():
        return (await lived(world, kind, *life)).log

    return world.run(scenario)


class TestOfAState:
    def test_fires(self, world):
        """The timer starts at the rest at which the link would have been queued."""

        class System(Base):
            x = when(Base.task.waiting).after(10).send(Base.task.remind)
            y = when(Base.task.late).call(noting("late"))

        assert heard(world, System, 5, "task.ask", 9, 2) == [("late", 15)]

    def test_ends_with_the_state(self, world):
        """It is cancelled when the state is left."""

        class System(Base):
            x = when(Base.task.waiting).after(10).send(Base.task.remind)

        async def scenario():
            system = await lived(world, System, "task.ask", 5, "task.shift")
            return system.next_due, str(system.configuration)

        assert world.run(scenario) == (None, "task=new switch=off")

    def test_a_new_entry_starts_it_anew(self, world):
        """A re-entry starts the delay again."""

        class System(Base):
            x = when(Base.task.waiting).after(10).call(noting("x"))

        assert heard(world, System, "task.ask", 6, "task.again", 6, 6) == [("x", 16)]

    def test_a_new_entry_that_is_not_given(self, world):
        """A re-entry that the condition forbids ends the one that was running."""

        class System(Base):
            x = when(Base.task.waiting).given(lambda orc: orc.switch.off.is_active).after(10).call(noting("x"))

        assert heard(
            world, System, "task.ask", 6, "switch.flip", "task.again", 20, "switch.flip", "task.again", 20
        ) == [("x", 36)]

    def test_a_state_that_is_passed(self, world):
        """A state that is left again at once starts nothing that would last."""

        class System(Orchestrator):
            passing: Passing = machine(factory=Passing)
            log: list = data(default_factory=list)
            x = when(passing.passed).after(1).call(noting("x"))
            y = when(passing.there).after(1).call(noting("y"))

        assert heard(world, System, "passing.go", 5) == [("y", 1)]

    def test_of_a_collection(self, world):
        """Each member has its own timer, which ends with its own state."""

        class System(Orchestrator):
            tasks: Members[Task] = machines(world.machine(Task))
            log: list = data(default_factory=list)
            x = when(each(tasks).waiting).after(10).call(lambda orc, o: orc.log.append((o.key, orc.clock.now())))

        async def scenario():
            clock = SimulatedClock()
            system = System(clock=clock)
            for key in ("a", "b", "c"):
                system.tasks.add(key, world.machine(Task)())
            await world.call(system.activate())
            for key in ("a", "b", "c"):
                await world.call(system.tasks[key].ask())
                await world.call(clock.advance(1))
            await world.call(system.tasks["b"].finish())
            system.tasks.remove("c")
            await world.call(clock.advance(20))
            return system.log

        assert world.run(scenario) == [("a", 10)]


class TestGiven:
    def test_before_after(self, world):
        """A condition before `after` is asked at the beginning, and ends the delay when it does not hold any more."""

        class System(Base):
            x = when(Base.task.waiting).given(In(Base.switch.off)).after(10).call(noting("x"))

        assert heard(world, System, "task.ask", 20) == [("x", 10)]
        assert heard(world, System, "switch.flip", "task.ask", "switch.flip", 20) == []
        assert heard(world, System, "task.ask", 5, "switch.flip", "switch.flip", 20) == []

    def test_behind_after(self, world):
        """A condition behind `after` is asked when the timer is due, and only then."""

        class System(Base):
            x = when(Base.task.waiting).after(10).given(In(Base.switch.off)).call(noting("x"))

        assert heard(world, System, "switch.flip", "task.ask", 5, "switch.flip", 20) == [("x", 10)]
        assert heard(world, System, "task.ask", 5, "switch.flip", 20) == []

    def test_functions(self, world):
        """A function is asked at the beginning and when the timer is due, but not in between."""
        asked = []

        def quiet(orc):
            asked.append(orc.clock.now())
            return orc.switch.off.is_active

        class System(Base):
            x = when(Base.task.waiting).given(quiet).after(10).call(noting("x"))

        assert heard(world, System, "task.ask", 5, "switch.flip", 1, "switch.flip", 20) == [("x", 10)]
        assert asked == [0, 10]
        assert heard(world, System, "task.ask", 5, "switch.flip", 20) == []


class TestOtherCauses:
    def test_of_a_condition(self, world):
        """It is cancelled when the condition does not hold any more, and starts when it begins to hold again."""

        class System(Base):
            x = when(Base.task.waiting, Base.switch.on).after(10).call(noting("x"))

        assert heard(world, System, "task.ask", "switch.flip", 5, "switch.flip", 1, "switch.flip", 5, 6) == [("x", 16)]

    def test_of_a_condition_with_a_function(self, world):
        """A function in the condition that the link waits for is asked again when the timer is due."""
        may = [True]

        class System(Base):
            x = when(In(Base.task.waiting) & (lambda orc: may[0])).after(10).call(noting("x"))

        async def scenario():
            system = await lived(world, System, "task.ask", 5)
            may[0] = False
            await world.call(system.clock.advance(10))
            return system.log

        assert world.run(scenario) == []

    def test_of_a_collection_that_changes(self, world):
        """A condition on all members may end with a member that comes."""

        class System(Base):
            tasks: Members[Task] = machines(Task)
            x = when(Base.switch.on).given(every(each(tasks).waiting)).after(10).call(noting("x"))

        async def scenario():
            system = await lived(world, System, "switch.flip", 5)
            system.tasks.add("a", world.machine(Task)())
            await world.call(system.activate())
            await world.call(system.clock.advance(20))
            return system.log

        assert world.run(scenario) == []

    def test_of_an_event(self, world):
        """What has happened does not pass: each event has its delay, and nothing but a condition before it ends it."""

        class System(Base):
            x = when(Base.switch.flip).after(10).call(noting("x"))
            y = when(Base.switch.flip).given(In(Base.task.new)).after(10).call(noting("y"))

        assert heard(world, System, "switch.flip", 5, "switch.flip", "task.ask", 30) == [("x", 10), ("x", 15)]

    def test_of_a_joint_event_and_an_end(self, world):
        """Joint events and ends do not pass either."""

        class System(Base):
            both = together(Base.task.finish, Base.switch.flip)
            x = when(both).after(2).call(noting("x"))
            y = when("task.done").after(1).call(noting("y"))

        assert heard(world, System, "both", 5) == [("y", 1), ("x", 2)]


class TestFailures:
    def test_a_failing_step_takes_timers_back(self, world):
        """A timer that a failing step started is gone, one that it cancelled runs on."""

        class System(Base):
            x = when(Base.task.waiting).after(10).call(noting("x"))
            boom = when(Base.task.new).given(In(Base.switch.on)).call(lambda orc: 1 / 0)
            bang = when(Base.task.waiting).given(In(Base.switch.on)).call(lambda orc: 1 / 0)

        async def scenario():
            system = await lived(world, System, "switch.flip")
            with pytest.raises(ZeroDivisionError):
                await world.call(system.task.ask())
            told = [system.next_due]
            for event in ("switch.flip", "task.ask", "switch.flip"):
                await world.call(system.send(event))
            with pytest.raises(ZeroDivisionError):
                await world.call(system.task.shift())
            return [*told, system.next_due]

        assert world.run(scenario) == [None, 10]

    def test_a_refusal_when_it_is_due(self, world):
        """What is refused then fails the step of the timer, and says which link it was."""

        class System(Base):
            x = when(Base.switch.on).after(1).send(Base.task.remind)

        async def scenario():
            system = await lived(world, System, "switch.flip")
            with pytest.raises(LinkRefused) as caught:
                await world.call(system.clock.advance(2))
            return caught.value.__notes__

        assert world.run(scenario) == ["while System fired the delayed link System.x, due at 1"]

    def test_held_when_it_is_due(self, world):
        """It may be held then."""

        class System(Base):
            x = when(Base.switch.on).after(1).send(Base.task.remind, refused="hold")

        async def scenario():
            return str((await lived(world, System, "switch.flip", 2, "task.ask")).configuration)

        assert world.run(scenario) == "task=late switch=on"

    def test_payload_of_then(self, world):
        """Payload is computed when the event is sent, with the occurrence of the beginning."""

        class Paid(StateMachine):
            idle = State(initial=True)
            pay = Event(idle.to.itself())

            def on_pay(self, amount, now, orc):
                orc.log.append((amount, now))

        class System(Base):
            paid: Paid = machine(factory=Paid)
            x = when(Base.switch.flip).after(3).send("paid.pay", now=lambda orc: orc.clock.now()).forward("amount")

        async def scenario():
            system = await lived(world, System)
            await world.call(system.switch.flip(amount=5))
            await world.call(system.clock.advance(4))
            return system.log

        assert world.run(scenario) == [(5, 3)]
