"""Joint events: who is asked and who moves when, also in the middle of something."""

from __future__ import annotations

import asyncio

import pytest
from arms import Arm, Checked, Pair, Trio, made
from shop import Order
from statemachine import State, StateChart, StateMachine
from worlds import until

from statemachines_orchestrator import (
    Orchestrator,
    data,
    machine,
    together,
    when,
)
from statemachines_orchestrator.exceptions import JointEventRefused, LinkLoopError


class TestAsked:
    def test_everybody_is_asked_before_anybody_moves(self, world):
        """Validators and conditions of all are asked in order; who refuses is named, and nobody has moved."""

        class Asking(Pair):
            one: Checked = machine(factory=Checked)
            two: Checked = machine(factory=Checked)
            whole = together(Pair.left.wave, one.lift, two.lift)

        async def scenario():
            system = await made(world, Asking)
            system.one.answer, system.two.allowed = ValueError("tired"), False
            with pytest.raises(JointEventRefused) as caught:
                await world.call(system.whole())
            return caught.value, system.log, str(system.configuration)

        error, log, where = world.run(scenario)
        assert error.refusals == {
            "one.lift": "ValueError('tired')",
            "two.lift": "two is in down, where 'lift' needs may",
        }
        assert str(error.event) == "lift"
        assert isinstance(error.__cause__, ValueError)
        assert log == ["asked", "asked"]
        assert where == "left=down right=down one=down two=down"

    def test_they_are_asked_once(self, world):
        """Who was asked moves by the transitions that it was asked about, and is not asked again."""

        class Asking(Pair):
            one: Checked = machine(factory=Checked)
            whole = together(Pair.left.wave, one.lift)

        async def scenario():
            system = await made(world, Asking)
            await world.call(system.whole())
            return system.log

        assert world.run(scenario) == ["asked", "wave"]

    def test_what_is_sent_while_it_is_asked(self, world):
        """Events that a condition sends to a machine that is asked wait until it has had its turn."""

        class Sending(StateMachine):
            down = State(initial=True)
            up = State()
            lift = down.to(up, cond="may")
            drop = up.to(down)

            def may(self, orc):
                orc.left.drop()
                self.drop()
                return True

        class Asking(Pair):
            one: Sending = machine(factory=Sending)
            whole = together(one.lift, Pair.left.wave, Pair.right.wave)

        async def scenario():
            system = await made(world, Asking)
            await world.call(system.both())
            await world.call(system.whole())
            return system.log[2:], str(system.configuration)

        assert world.run(scenario) == (["wave", "wave"], "left=down right=up one=down")

    def test_an_error_of_a_condition_of_a_chart(self, world):
        """What a StateChart makes an event of is the machine's own, also while it is asked."""

        class Chart(StateChart):
            fine = State(initial=True)
            up = State(final=True)
            bad = State()
            lift = fine.to(up, cond="may")
            error_execution = fine.to(bad)
            back = bad.to(fine)
            check = fine.to.itself() | bad.to.itself()

            def may(self):
                raise ValueError

        class Asking(Pair):
            one: Chart = machine(factory=Chart)
            whole = together(Pair.left.wave, one.lift)
            x = when(Pair.right.wave).send(whole, refused="ignore")

        async def scenario():
            system = await made(world, Asking)
            with pytest.raises(JointEventRefused):
                await world.call(system.whole())
            told = [str(system.configuration)]
            await world.call(system.one.check())
            told.append(str(system.configuration))
            await world.call(system.right.wave())
            return [*told, str(system.configuration)]

        assert world.run(scenario) == [
            "left=down right=down one=fine",
            "left=down right=down one=fine",
            "left=down right=down one=bad",
        ]

    def test_who_has_not_begun(self, world):
        """A part that has not entered its initial state yet does so first, as with any call."""

        class First(StateMachine):
            begun = State(initial=True)
            over = State(final=True)
            finish = begun.to(over)

            def on_enter_begun(self, orc):
                return orc.both()

        class System(Orchestrator):
            first: First = machine(factory=First)
            left: Arm = machine(factory=Arm)
            right: Arm = machine(factory=Arm)
            log: list = data(default_factory=list)
            both = together(left.lift, right.lift)

        async def scenario():
            members = {name: world.machine(kind) for name, kind in (("first", First), ("left", Arm), ("right", Arm))}
            system = System(**members)
            await world.call(system.activate())
            return str(system.configuration)

        assert world.run(scenario) == "first=begun left=up right=up"

    def test_by_two_tasks_at_once(self):
        """While everybody is asked, an event of another task waits: the answers stay true."""

        class Slow(StateMachine):
            down = State(initial=True)
            up = State()
            lift = down.to(up, cond="may")
            drop = up.to(down)
            turn = down.to(up)

            async def may(self):
                await asyncio.sleep(0.01)
                return True

        class Starting(Order):
            async def on_process(self, orc):
                return await asyncio.gather(orc.both(), later(orc), return_exceptions=True)

        async def later(orc):
            await asyncio.sleep(0)
            return await orc.one.turn()

        class System(Orchestrator):
            order: Starting = machine(factory=Starting)
            one: Slow = machine(factory=Slow)
            two: Slow = machine(factory=Slow)
            both = together(one.lift, two.lift)

        async def scenario():
            system = System()
            with pytest.raises(StateMachine.TransitionNotAllowed, match="Turn"):
                await system.order.process()
            return str(system.configuration)

        # The turn comes after the lift, is refused, and fails the joint event: nothing of it stays.
        assert asyncio.run(scenario()) == "order=pending one=down two=down"


class TestInTheMiddle:
    def test_called_by_an_idle_partner(self, world):
        """In a callback of a machine that takes no part it happens at once, nested."""

        async def scenario():
            system = await made(world, Trio)

            def act(orc):
                call = orc.both()
                orc.log.append(str(orc.configuration))
                return call

            await world.call(system.other.wave(act=act))
            return system.log

        log = world.run(scenario)
        nested = "left=up right=up other=down"
        assert log == (
            ["wave", "left=down right=down other=down", "lift()", "lift()", "both ()"]
            if world.is_async
            else ["wave", "lift()", "lift()", nested, "both ()"]
        )

    def test_called_by_a_busy_partner(self, world):
        """In a callback of one of its machines it is queued, returns None, and happens at the next rest."""

        class System(Trio):
            waved = when(Pair.left.wave).call(lambda orc: orc.log.append("link"))

        async def scenario():
            system = await made(world, System)
            answers = []

            def act(orc):
                answers.append(orc.left.lift())
                answers.append(orc.log[-1])

            await world.call(system.left.wave(act=act))
            return system.log, [await world.call(one) if not isinstance(one, str) else one for one in answers]

        assert world.run(scenario) == (
            ["wave", "lift()", "lift()", "link", "both ()"],
            [None, "wave"],
        )

    def test_queued_and_refused(self, world):
        """If it is refused then, the step fails."""

        async def scenario():
            system = await made(world, Pair)
            await world.call(system.both())
            with pytest.raises(JointEventRefused):
                await world.call(system.left.wave(act=lambda orc: orc.right.lift()))
            return str(system.configuration)

        assert world.run(scenario) == "left=up right=up"

    def test_raised_by_the_machine_itself(self, world):
        """A chart's `raise_` of one of its events is the joint event, too."""

        class Chart(StateChart):
            down = State(initial=True)
            up = State(final=True)
            lift = down.to(up)
            nudge = down.to.itself()

            def on_nudge(self):
                self.raise_("lift")

        class System(Pair):
            chart: Chart = machine(factory=Chart)
            whole = together(chart.lift, Pair.left.wave)

        async def scenario():
            system = await made(world, System)
            await world.call(system.chart.nudge())
            return system.log, str(system.configuration)

        assert world.run(scenario) == (["wave"], "left=down right=down chart=up")

    def test_an_exception_in_the_second_part(self, world):
        """An exception in a callback is no refusal: the step fails and all is put back, also what was reserved."""

        async def scenario():
            system = await made(world, Trio)
            system.right.act = lambda orc: 1 / 0
            told = []
            for _ in range(2):
                with pytest.raises(ZeroDivisionError):
                    await world.call(system.both())
                told.append(str(system.configuration))
            system.right.act = None
            await world.call(system.both())
            return [*told, str(system.configuration)]

        assert world.run(scenario) == [*["left=down right=down other=down"] * 2, "left=up right=up other=down"]

    def test_an_exception_that_is_caught(self, world):
        """Half a joint event does not stay: the step fails even if a callback catches the exception."""

        class Catching(StateMachine):
            idle = State(initial=True)
            go = idle.to.itself()

            def on_go(self, orc):
                try:
                    return orc.both()
                except ZeroDivisionError:
                    orc.log.append("caught")

        class AsyncCatching(Catching):
            async def on_go(self, orc):
                try:
                    await orc.both()
                except ZeroDivisionError:
                    orc.log.append("caught")

        class System(Pair):
            catching: Catching = machine(factory=Catching)

        async def scenario():
            catching = AsyncCatching() if world.is_async else Catching()
            system = await made(world, System, catching=catching)
            system.right.act = lambda orc: 1 / 0
            with pytest.raises(ZeroDivisionError):
                await world.call(system.catching.go())
            return system.log, str(system.configuration)

        assert world.run(scenario) == (["lift()", "lift()", "caught"], "left=down right=down catching=idle")

    def test_calls_to_who_has_not_had_its_turn(self, world):
        """Events for a machine that has not had its turn wait until it has; one that has had it runs at once."""

        async def scenario():
            system = await made(world, Pair)
            system.left.act = lambda orc: orc.right.drop() and None
            system.right.act = lambda orc: orc.left.drop() and None
            await world.call(system.both())
            return system.log, str(system.configuration)

        assert world.run(scenario) == (["lift()", "lift()"], "left=down right=down")

    def test_cancelled_in_the_middle(self):
        """Cancelling the task that awaits it puts everything back, and it can happen again."""

        class Slow(StateMachine):
            down = State(initial=True)
            up = State(final=True)
            lift = down.to(up)
            seconds = 60

            async def on_lift(self):
                await asyncio.sleep(self.seconds)

        class System(Orchestrator):
            order: Order = machine(factory=Order)
            one: Slow = machine(factory=Slow)
            both = together(order.process, one.lift)

        async def scenario():
            system = System()
            task = asyncio.create_task(system.both())
            await until(lambda: system.order.processing.is_active)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            told = [str(system.configuration)]
            system.one.seconds = 0
            await system.both()
            return [*told, str(system.configuration)]

        assert asyncio.run(scenario()) == ["order=pending one=down", "order=processing one=up"]

    def test_for_ever(self, world):
        """A joint event that causes itself ends as a circle of links does."""

        class System(Orchestrator, max_deliveries=7):
            left: Arm = machine()
            right: Arm = machine()
            log: list = data(default_factory=list)
            both = together(left.wave, right.wave)

        async def scenario():
            system = await made(world, System)

            def again(orc):
                orc.left.wave(act=again)

            with pytest.raises(LinkLoopError, match="has delivered 7 events"):
                await world.call(system.left.wave(act=again))

        world.run(scenario)
