"""Delayed events of machines: they go to the orchestrator's timers, and nobody waits for them."""

from __future__ import annotations

import asyncio
import contextvars
import math
import threading

import pytest
from shop import Order, Payment
from statemachine import Event, State, StateChart, StateMachine
from worlds import until

from statemachines_orchestrator import Orchestrator, machine
from statemachines_orchestrator.testing import SimulatedClock


class Alarm(StateMachine):
    """Rings some time after it was set."""

    quiet = State(initial=True)
    set_up = State()
    ringing = State()
    set_off = quiet.to(set_up)
    ring = Event(set_up.to(ringing), delay=250)
    stop = set_up.to(quiet) | ringing.to(quiet)
    failing = False

    def after_set_off(self):
        return self.send("ring", send_id="the ring")

    def on_ring(self, orc):
        orc.payment.authorize()
        if self.failing:
            msg = "out of order"
            raise ValueError(msg)


class System(Orchestrator):
    alarm: Alarm
    order: Order
    payment: Payment


def make(world, **attributes):
    alarm = world.machine(Alarm)()
    vars(alarm).update(attributes)
    return System(alarm, world.machine(Order)(), Payment(), clock=SimulatedClock())


async def started(world, **attributes):
    system = make(world, **attributes)
    await world.call(system.activate())
    return system


def waiting(system):
    return [(timer.due, str(timer.what)) for timer in system._system.driver.timers.pending()]


class TestCalling:
    def test_nobody_waits(self, world):
        """The call that causes a delayed event returns at once; when its time has come it is a step of its own."""

        async def scenario():
            system = await started(world)
            await world.call(system.alarm.set_off())
            early = str(system.configuration), system.next_due
            await world.call(system.clock.advance(milliseconds=249))
            before = str(system.configuration)
            await world.call(system.clock.advance(milliseconds=1))
            return early, before, str(system.configuration), system.next_due

        assert world.run(scenario) == (
            ("alarm=set_up order=pending payment=unpaid", 0.25),
            "alarm=set_up order=pending payment=unpaid",
            "alarm=ringing order=pending payment=authorized",
            None,
        )

    def test_the_result_is_none(self, world):
        """Sending with a delay gives None, whatever the event returns later."""

        async def scenario():
            system = await started(world)
            results = [
                await world.call(system.payment.send("authorize", 3, delay=20)),
                await world.call(system.payment.send("capture", delay=30)),
                await world.call(system.order.send("process", delay=1)),
            ]
            await world.call(system.clock.advance(1))
            return results, str(system.configuration)

        assert world.run(scenario) == ([None] * 3, "alarm=quiet order=processing payment=captured")

    def test_a_nested_call(self, world):
        """A callback that sends a sibling a delayed event goes on at once, and the event comes after the step."""

        class Later(Order):
            def on_process(self, orc):
                self.got = orc.payment.send("authorize", 5, delay=100)

        async def scenario():
            order = world.machine(Later)()
            system = System(world.machine(Alarm)(), order, Payment(), clock=SimulatedClock())
            await world.call(system.order.process())
            early = str(system.configuration)
            await world.call(system.clock.advance(0.1))
            return early, str(system.configuration)

        assert world.run(scenario) == (
            "alarm=quiet order=processing payment=unpaid",
            "alarm=quiet order=processing payment=authorized",
        )

    def test_in_the_order_of_deadlines(self, world):
        """Delayed events happen in the order of their deadlines, and of their making where those are equal."""
        heard = []

        class Hearing(StateMachine):
            on = State(initial=True)
            hear = on.to.itself()

            def on_hear(self, number):
                heard.append(number)

        class Ears(Orchestrator):
            left: Hearing
            right: Hearing

        async def scenario():
            system = Ears(world.machine(Hearing)(), Hearing(), clock=SimulatedClock())
            await world.call(system.left.send("hear", 3, delay=20))
            await world.call(system.right.send("hear", 1, delay=10))
            await world.call(system.left.send("hear", 2, delay=10))
            await world.call(system.right.send("hear", 0))
            await world.call(system.right.send("hear", 4, delay=20))
            await world.call(system.clock.advance(1))

        world.run(scenario)

        assert heard == [0, 1, 2, 3, 4]

    def test_from_the_start(self, world):
        """An initial entry may send delayed events."""

        class Early(Alarm):
            def on_enter_quiet(self):
                self.send("set_off", delay=20)

        class Starting(Orchestrator):
            alarm: Early = machine(factory=lambda: world.machine(Early)())
            payment: Payment = machine(factory=Payment)

        async def scenario():
            system = Starting(clock=SimulatedClock())
            await world.call(system.activate())
            early = str(system.configuration)
            await world.call(system.clock.advance(1))
            return early, str(system.configuration)

        assert world.run(scenario) == ("alarm=quiet payment=unpaid", "alarm=ringing payment=authorized")

    def test_put_alone(self, world):
        """An event that is put without a call after it is delayed as well."""

        class Putting(Order):
            def on_process(self, orc):
                orc.alarm.ring.put()

        async def scenario():
            system = System(Alarm(), world.machine(Putting)(), Payment(), clock=SimulatedClock())
            await world.call(system.order.process())
            return waiting(system)

        assert world.run(scenario) == [(0.25, "the delayed event alarm.ring")]

    def test_in_another_thread_of_the_step(self, world):
        """A thread that belongs to the step may send delayed events: they are the step's."""

        class Threading(Order):
            def on_process(self, orc):
                context = contextvars.copy_context()
                thread = threading.Thread(target=context.run, args=(orc.alarm.set_off,))
                thread.start()
                thread.join(5)

        async def scenario():
            system = System(Alarm(), Threading(), Payment(), clock=SimulatedClock())
            system.order.process()
            return waiting(system)

        if not world.is_async:
            assert world.run(scenario) == [(0.25, "the delayed event alarm.ring")]

    def test_in_a_worker_of_the_step(self):
        """The same with a worker thread of an asynchronous step."""

        class Working(Order):
            async def on_process(self, orc):
                await asyncio.to_thread(orc.alarm.set_off)
                await asyncio.to_thread(orc.payment.send, "authorize", delay=1)

        async def scenario():
            system = System(Alarm(), Working(), Payment(), clock=SimulatedClock())
            await system.order.process()
            return waiting(system)

        assert asyncio.run(scenario()) == [
            (0.001, "the delayed event payment.authorize"),
            (0.25, "the delayed event alarm.ring"),
        ]

    def test_while_a_step_of_another_thread_runs(self):
        """A delayed event that somebody else sends meanwhile does not belong to the running step, even if that fails."""
        begun, go_on = threading.Event(), threading.Event()

        class Slow(Order):
            def on_process(self):
                begun.set()
                go_on.wait(5)
                msg = "no stock"
                raise ValueError(msg)

        system = System(Alarm(), Slow(), Payment(), clock=SimulatedClock())
        failures = []

        def fail():
            try:
                system.order.process()
            except ValueError as error:
                failures.append(error)

        threads = [threading.Thread(target=fail)]
        threads[0].start()
        begun.wait(5)
        threads.append(threading.Thread(target=lambda: system.payment.send("authorize", delay=10)))
        threads[1].start()
        go_on.set()
        for thread in threads:
            thread.join(5)

        assert len(failures) == 1
        assert waiting(system) == [(0.01, "the delayed event payment.authorize")]

    def test_from_an_invoke_handler(self):
        """An invoke handler may send delayed events; it does not wait for them either."""

        def work(machine):
            machine.send("late", delay=500)
            return "done"

        class Racing(StateChart):
            idle = State(initial=True)
            working = State(invoke=work)
            worked = State()
            over = State(final=True)
            start = idle.to(working)
            done_invoke_working = Event(working.to(worked), id="done.invoke.working")
            late = worked.to(over)

        class Race(Orchestrator):
            racing: Racing = machine(factory=Racing)

        race = Race(clock=SimulatedClock())
        race.racing.start()
        asyncio.run(until(lambda: race.racing.worked.is_active))
        race.clock.advance(1)

        assert str(race.configuration) == "racing=over"

    @pytest.mark.parametrize("delay", [math.inf, math.nan])
    def test_for_ever(self, world, delay):
        """A delay that never passes is refused, and the step with it."""

        async def scenario():
            system = await started(world)
            with pytest.raises(ValueError, match=f"a delay of {delay} is none that passes"):
                await world.call(system.alarm.send("set_off", delay=delay))
            return waiting(system)

        assert world.run(scenario) == []

    def test_in_the_past(self, world):
        """A negative delay is none."""

        async def scenario():
            system = await started(world)
            await world.call(system.payment.send("authorize", delay=-5))
            return str(system.configuration)

        assert world.run(scenario) == "alarm=quiet order=pending payment=authorized"


class TestCancelling:
    def test_delayed(self, world):
        """`cancel_event` takes a delayed event back, wherever it is called."""

        async def scenario():
            system = await started(world)
            await world.call(system.alarm.set_off())
            await world.call(system.alarm.send("stop", delay=10, send_id="another"))
            system.alarm.cancel_event("the ring")
            left = waiting(system)
            await world.call(system.clock.advance(1))
            return left, str(system.configuration)

        assert world.run(scenario) == (
            [(0.01, "the delayed event alarm.stop")],
            "alarm=quiet order=pending payment=unpaid",
        )

    def test_of_one_machine(self, world):
        """An id is a machine's own: a sibling's event of the same id stays."""

        async def scenario():
            system = await started(world)
            await world.call(system.payment.send("authorize", delay=10, send_id="it"))
            await world.call(system.order.send("process", delay=10, send_id="it"))
            system.order.cancel_event("it")
            system.order.cancel_event("unknown")
            return waiting(system)

        assert world.run(scenario) == [(0.01, "the delayed event payment.authorize")]

    def test_while_it_waits_for_its_turn(self):
        """A delayed event that is cancelled before its turn has come never gets a timer."""

        async def scenario():
            system = System(Alarm(), AsyncOrder(), Payment(), clock=SimulatedClock())
            call = system.payment.send("authorize", delay=10, send_id="it")
            system.payment.cancel_event("it")
            return await call, waiting(system)

        class AsyncOrder(Order):
            async def on_process(self):
                """Make the machine asynchronous."""

        assert asyncio.run(scenario()) == (None, [])


class TestFailing:
    def test_the_event(self, world):
        """A delayed event that fails is put back, and its exception goes to who lets the time pass; it is over."""

        async def scenario():
            system = await started(world, failing=True)
            await world.call(system.alarm.set_off())
            with pytest.raises(ValueError, match="out of order") as caught:
                await world.call(system.clock.advance(1))
            return caught.value.__notes__, str(system.configuration), waiting(system), system.clock.now()

        assert world.run(scenario) == (
            ["while System fired the delayed event alarm.ring, due at 0.25"],
            "alarm=set_up order=pending payment=unpaid",
            [],
            0.25,
        )

    def test_refused(self, world):
        """A running machine that forbids unmatched events refuses a delayed one like any other."""

        async def scenario():
            system = await started(world)
            await world.call(system.order.send("ship", delay=10))
            with pytest.raises(StateMachine.TransitionNotAllowed) as caught:
                await world.call(system.clock.advance(1))
            return caught.value.__notes__

        assert world.run(scenario) == [
            "refused by System.order in pending, where it has transitions for: process, cancel",
            "while System fired the delayed event order.ship, due at 0.01",
        ]

    def test_made_by_a_failing_step(self, world):
        """Delayed events that a failing step has sent vanish with it, and those that it has cancelled come back."""

        class Failing(Order):
            def on_process(self, orc):
                orc.alarm.cancel_event("the ring")
                orc.payment.send("authorize", delay=5, send_id="new")
                orc.payment.send("void", delay=6, send_id="newer")
                orc.payment.cancel_event("newer")
                self.seen = waiting(orc)

            def after_process(self):
                msg = "no stock"
                raise ValueError(msg)

        async def scenario():
            order = world.machine(Failing)()
            system = System(world.machine(Alarm)(), order, Payment(), clock=SimulatedClock())
            await world.call(system.alarm.set_off())
            before = waiting(system)
            with pytest.raises(ValueError, match="no stock"):
                await world.call(system.order.process())
            return before, order.seen, waiting(system)

        before = [(0.25, "the delayed event alarm.ring")]
        assert world.run(scenario) == (before, [(0.005, "the delayed event payment.authorize")], before)

    def test_queued_events_that_a_failing_step_cancels(self, world):
        """An event that waits for its turn is not cancelled by a step that fails."""

        class Cancelling(Order):
            async def on_process(self, orc):
                await asyncio.sleep(0)
                orc.payment.cancel_event("it")
                msg = "no stock"
                raise ValueError(msg)

        async def scenario():
            system = System(Alarm(), Cancelling(), Payment(), clock=SimulatedClock())
            failing = asyncio.ensure_future(system.order.process())
            await asyncio.sleep(0)
            call = system.payment.send("authorize", 5, send_id="it")
            with pytest.raises(ValueError, match="no stock"):
                await failing
            return await call

        assert asyncio.run(scenario()) == "authorized 5"

    def test_without_putting_back(self, world):
        """Where steps are not put back, what a failing one has sent with a delay stays."""

        class Failing(Order):
            def after_process(self, orc):
                orc.payment.send("authorize", delay=5)
                msg = "no stock"
                raise ValueError(msg)

        class Careless(System, atomic=False):
            pass

        async def scenario():
            system = Careless(world.machine(Alarm)(), world.machine(Failing)(), Payment(), clock=SimulatedClock())
            await world.call(system.activate())
            with pytest.raises(ValueError, match="no stock"):
                await world.call(system.order.process())
            return waiting(system)

        assert world.run(scenario) == [(0.005, "the delayed event payment.authorize")]


class TestEnding:
    def test_dropped(self, world):
        """Delayed events of a machine that has ended are dropped silently, and nothing waits for them any more."""

        async def scenario():
            system = await started(world)
            await world.call(system.payment.send("capture", delay=10))
            await world.call(system.order.send("process", delay=20))
            await world.call(system.payment.void())
            left = waiting(system)
            await world.call(system.clock.advance(1))
            return left, str(system.configuration)

        assert world.run(scenario) == (
            [(0.02, "the delayed event order.process")],
            "alarm=quiet order=processing payment=voided",
        )

    def test_an_end_that_is_put_back(self, world):
        """A delayed event waits on if its machine only seemed to end, in a step that failed."""

        class Ending(Order):
            def on_process(self, orc):
                orc.payment.void()

            def after_process(self):
                msg = "not after all"
                raise ValueError(msg)

        async def scenario():
            system = System(world.machine(Alarm)(), world.machine(Ending)(), Payment(), clock=SimulatedClock())
            await world.call(system.payment.send("authorize", delay=80))
            with pytest.raises(ValueError, match="not after all"):
                await world.call(system.order.process())
            await world.call(system.clock.advance(1))
            return str(system.configuration)

        assert world.run(scenario) == "alarm=quiet order=pending payment=authorized"

    def test_sent_after_the_end(self, world):
        """A machine that has ended refuses a delayed event at once, or drops it, as its class says."""

        class Calm(StateChart):
            on = State(initial=True)
            off = State(final=True)
            end = on.to(off)

        class Two(Orchestrator):
            payment: Payment
            calm: Calm

        async def scenario():
            system = Two(Payment(), world.machine(Calm)(), clock=SimulatedClock())
            await world.call(system.payment.void())
            await world.call(system.calm.end())
            await world.call(system.calm.send("end", delay=10))
            with pytest.raises(StateMachine.TransitionNotAllowed):
                await world.call(system.payment.send("authorize", delay=10))
            return waiting(system)

        assert world.run(scenario) == []


class TestAdopting:
    """Machines that were at work before they became members."""

    @staticmethod
    async def busy():
        class Waiting(Order):
            async def on_ship(self):
                """Make the machine asynchronous."""

        order = Waiting()
        order.process.put()
        order.send("ship", delay=60_000).close()
        return order

    def test_taken_over(self):
        """Delayed events of a machine that is passed are taken over, with the time that they have left."""

        async def scenario():
            order = await self.busy()
            system = System(Alarm(), order, Payment(), clock=SimulatedClock(100.0))
            ((due, what),) = waiting(system)
            await system.activate()
            early = str(system.configuration)
            await system.clock.advance(60)
            return 159 < due <= 160, what, early, str(system.configuration)

        assert asyncio.run(scenario()) == (
            True,
            "the delayed event order.ship",
            "alarm=quiet order=processing payment=unpaid",
            "alarm=quiet order=shipped payment=unpaid",
        )

    def test_given_back(self):
        """If the orchestrator cannot be made, the machine gets them back, with the time that they have left."""

        def no_payment():
            msg = "no payment"
            raise ValueError(msg)

        class Late(System):
            def __post_init__(self):
                assert waiting(self)[0][1] == "the delayed event order.ship"
                no_payment()

        async def scenario():
            order = await self.busy()
            clock = SimulatedClock()
            before = [(str(one.event), round(one.execution_time)) for one in self.queue(order)]
            with pytest.raises(ValueError, match="no payment"):
                Late(Alarm(), order, Payment(), clock=clock)
            after = [(str(one.event), round(one.execution_time)) for one in self.queue(order)]
            return before, after, await clock.advance_to_next()

        before, after, later = asyncio.run(scenario())

        assert [name for name, _ in after] == [name for name, _ in before] == ["__initial__", "process", "ship"]
        assert abs(after[-1][1] - before[-1][1]) <= 2
        assert later is False

    @staticmethod
    def queue(machine):
        return sorted(machine._engine.external_queue.queue.queue)
