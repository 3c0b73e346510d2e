"""R1 and R2: a call is a call, and one step at a time, whoever calls."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import threading

import pytest
from shop import Order, Payment
from statemachine import State, StateChart, StateMachine

from statemachines_orchestrator import EventCall, Orchestrator, machine


class Talker(StateMachine):
    """Runs a given function inside a transition."""

    quiet = State(initial=True)
    spoken = State()
    speak = quiet.to(spoken) | spoken.to(quiet)
    other = quiet.to.itself() | spoken.to.itself()

    def on_speak(self, say=None, *, orc):
        return say(orc) if say is not None else None


class AsyncTalker(StateMachine):
    """Runs a given coroutine function inside a transition."""

    quiet = State(initial=True)
    spoken = State()
    speak = quiet.to(spoken) | spoken.to(quiet)
    other = quiet.to.itself() | spoken.to.itself()

    async def on_speak(self, say=None, *, orc):
        return await say(orc) if say is not None else None


class AsyncPayment(Payment):
    async def on_authorize(self, amount=0):
        await asyncio.sleep(0)
        return f"authorized {amount}"


class Sync(Orchestrator):
    talker: Talker = machine(factory=Talker)
    payment: Payment = machine(factory=Payment)
    order: Order = machine(factory=Order)


class Async(Orchestrator):
    talker: AsyncTalker = machine(factory=AsyncTalker)
    payment: AsyncPayment = machine(factory=AsyncPayment)
    order: Order = machine(factory=Order)


class Mixed(Orchestrator):
    """A synchronous member that calls an asynchronous one."""

    talker: Talker = machine(factory=Talker)
    payment: AsyncPayment = machine(factory=AsyncPayment)
    order: Order = machine(factory=Order)


class TestNestedCalls:
    def test_runs_at_once_and_returns_its_own_result(self):
        """A call inside a callback runs at once, nested, and returns the other machine's result."""
        system = Sync()

        def say(orc):
            result = orc.payment.authorize(5)
            return result, str(orc.configuration)

        assert system.talker.speak(say=say) == (
            "authorized 5",
            "talker=quiet payment=authorized order=pending",
        )

    def test_runs_at_once_when_awaited(self):
        """The same in an asynchronous system: awaiting the call runs it nested."""

        async def say(orc):
            return await orc.payment.authorize(5), str(orc.configuration)

        async def scenario():
            return await Async().talker.speak(say=say)

        assert asyncio.run(scenario()) == ("authorized 5", "talker=quiet payment=authorized order=pending")

    def test_a_synchronous_member_runs_at_once_in_an_asynchronous_system(self):
        """A synchronous member does not wait to be awaited, since it need not."""

        async def say(orc):
            call = orc.order.process()
            return str(orc.configuration), isinstance(call, EventCall)

        async def scenario():
            return await Async().talker.speak(say=say)

        assert asyncio.run(scenario()) == ("talker=quiet payment=unpaid order=processing", True)

    def test_a_call_to_the_running_machine_is_queued(self, world):
        """A machine in the middle of its macrostep queues the call and runs it right after."""
        seen = []

        def say(orc):
            answer = orc.talker.other()
            seen.append((answer if answer is None else "call", str(orc.configuration)))

        async def asay(orc):
            seen.append((await orc.talker.other(), str(orc.configuration)))

        async def scenario():
            system = Async() if world.is_async else Sync()
            await world.call(system.talker.speak(say=asay if world.is_async else say))
            return str(system.configuration)

        assert world.run(scenario) == "talker=spoken payment=unpaid order=pending"
        assert seen == [(None, "talker=quiet payment=unpaid order=pending")]

    def test_a_call_back_through_another_machine_is_queued(self):
        """A to B to A: the second A is queued, and the chain ends in the same step."""
        order = []

        class Ping(StateMachine):
            idle = State(initial=True)
            pinged = State()
            done = State(final=True)
            go = idle.to(pinged)
            finish = pinged.to(done)

            def on_go(self, orc):
                order.append("ping begins")
                orc.pong.go()
                order.append("ping ends")

            def on_finish(self):
                order.append("ping finishes")

        class Pong(StateMachine):
            idle = State(initial=True)
            done = State(final=True)
            go = idle.to(done)

            def on_go(self, orc):
                order.append(f"pong calls back: {orc.ping.finish()}")

        class Table(Orchestrator):
            ping: Ping = machine(factory=Ping)
            pong: Pong = machine(factory=Pong)

        table = Table()
        table.ping.go()

        assert order == ["ping begins", "pong calls back: None", "ping ends", "ping finishes"]
        assert table.is_terminated

    def test_a_synchronous_callback_need_not_await(self):
        """An asynchronous member called from a synchronous callback is delivered in the same step, unawaited."""

        async def scenario():
            system = Mixed()
            call = []
            await system.talker.speak(say=lambda orc: call.append(orc.payment.authorize(3)))
            return str(system.configuration), await call[0]

        assert asyncio.run(scenario()) == ("talker=spoken payment=authorized order=pending", "authorized 3")

    def test_a_synchronous_callback_may_return_the_call(self):
        """Returning the call makes its result the result of the callback, as python-statemachine awaits it."""

        class Returner(AsyncTalker):
            def before_speak(self, orc):
                return orc.payment.authorize(4)

        class System(Orchestrator):
            talker: Returner = machine(factory=Returner)
            payment: AsyncPayment = machine(factory=AsyncPayment)

        async def scenario():
            return await System().talker.speak()

        assert asyncio.run(scenario()) == ["authorized 4", None]

    def test_unawaited_calls_keep_their_order(self):
        """Calls that a synchronous callback did not await run in the order in which they were made."""

        async def scenario():
            system = Mixed()

            def say(orc):
                orc.payment.authorize()
                orc.payment.capture()

            await system.talker.speak(say=say)
            return str(system.configuration)

        assert asyncio.run(scenario()) == "talker=spoken payment=captured order=pending"

    def test_a_worker_thread_of_the_step_belongs_to_it(self):
        """A callback may call siblings from a worker thread that has its context."""

        async def say(orc):
            paid = await asyncio.to_thread(orc.payment.authorize, 8)
            processed = await asyncio.to_thread(orc.order.process)
            return paid, processed, str(orc.configuration)

        async def scenario():
            return await Async().talker.speak(say=say)

        assert asyncio.run(scenario()) == (
            "authorized 8",
            None,
            "talker=quiet payment=authorized order=processing",
        )

    def test_an_unawaited_call_fails_with_its_step(self):
        """A call that was made in a step which failed never happens; awaiting it gives the step's exception."""

        async def scenario():
            system = Mixed()
            calls = []

            def say(orc):
                calls.append(orc.payment.authorize())
                raise ValueError

            with pytest.raises(ValueError):
                await system.talker.speak(say=say)
            with pytest.raises(ValueError):
                await calls[0]
            return str(system.configuration)

        assert asyncio.run(scenario()) == "talker=quiet payment=unpaid order=pending"

    def test_an_event_left_by_a_caught_exception_is_not_stranded(self, world):
        """A callback that catches a refusal leaves no event behind in the other machine's queue."""

        class Chain(StateMachine):
            one = State(initial=True)
            two = State()
            three = State()
            go = one.to(two)
            more = two.to(three)
            ask = three.to.itself(on="answer")

            def on_go(self):
                self.send("go")  # refused in state two, before `more` is tried
                self.send("more")

            def answer(self):
                return "its own answer"

        class Rude(Order):
            def on_process(self, orc):
                with pytest.raises(StateMachine.TransitionNotAllowed):
                    orc.chain.go()

            def after_ship(self, orc):
                with pytest.raises(StateMachine.TransitionNotAllowed):
                    orc.chain.go()
                assert orc.chain.ask() == "its own answer"

        class AsyncRude(Order):
            async def on_process(self, orc):
                with pytest.raises(StateMachine.TransitionNotAllowed):
                    await orc.chain.go()

            async def after_ship(self, orc):
                with pytest.raises(StateMachine.TransitionNotAllowed):
                    await orc.chain.go()
                assert "its own answer" in await orc.chain.ask()

        class System(Orchestrator):
            order: Order
            chain: Chain

        async def scenario():
            kind = AsyncRude if world.is_async else Rude
            settled = System(kind(), world.machine(Chain)())
            await world.call(settled.order.process())
            asked = System(kind(start_value="processing"), world.machine(Chain)())
            await world.call(asked.order.ship())
            return str(settled.configuration), str(asked.configuration)

        assert world.run(scenario) == ("order=processing chain=three", "order=shipped chain=three")


class TestUnusualSends:
    """Ways to send that python-statemachine offers beside a plain call."""

    def test_put_without_a_call(self, world):
        """An event that is only put (`order.process.put()`) happens in the step it was put in, or in the next one."""

        class Putting(Order):
            def on_process(self, orc):
                orc.payment.authorize.put()

        class System(Orchestrator):
            order: Putting
            payment: Payment

        async def scenario():
            system = System(world.machine(Putting)(), world.machine(Payment)())
            await world.call(system.activate())
            await world.call(system.order.process())
            inside = str(system.configuration)
            system.payment.capture.put()
            outside = str(system.configuration)
            await world.call(system.order.ship())
            return inside, outside, str(system.configuration)

        assert world.run(scenario) == (
            "order=processing payment=authorized",
            "order=processing payment=authorized",
            "order=shipped payment=captured",
        )

    def test_cancel_before_its_turn(self):
        """`cancel_event` cancels an event whose turn has not come yet; who awaits it gets None."""

        async def scenario():
            system = Async()
            await system.activate()
            call = system.payment.send("authorize", send_id="first")
            system.payment.cancel_event("another")
            system.payment.cancel_event("first")
            return await call, str(system.configuration)

        assert asyncio.run(scenario()) == (None, "talker=quiet payment=unpaid order=pending")

    def test_what_was_sent_stays_as_it_was_sent(self, world):
        """The keywords of the event itself hold nothing that nobody sent; the callback gets the orchestrator."""
        seen = []

        class Looking(Order):
            def on_process(self, event_data, orc):
                seen.append((dict(event_data.trigger_data.kwargs), type(orc).__name__))

        class System(Orchestrator):
            order: Looking

        async def scenario():
            await world.call(System(world.machine(Looking)()).order.process(amount=3))

        world.run(scenario)
        assert seen == [({"amount": 3}, "System")]


class TestTurns:
    def test_threads_wait_their_turn_and_get_their_own_result(self):
        """While a step runs in one thread, another waits; each gets its own result in its own thread."""
        system = Sync()
        inside, release = threading.Event(), threading.Event()
        seen = []

        def hold(orc):
            inside.set()
            assert release.wait(5)
            return threading.current_thread().name

        def first():
            seen.append(("first", system.talker.speak(say=hold)))

        def second():
            seen.append(("second", system.talker.speak(say=lambda orc: threading.current_thread().name)))

        one = threading.Thread(target=first, name="one")
        two = threading.Thread(target=second, name="two")
        one.start()
        assert inside.wait(5)
        two.start()
        two.join(0.05)
        assert two.is_alive()
        release.set()
        one.join(5), two.join(5)

        assert seen == [("first", "one"), ("second", "two")]

    def test_eight_threads(self):
        """8 threads, 200 events each: none is lost, none runs twice, none overlaps, each gets its own answer."""
        running = []
        done = []

        class Counter(StateMachine):
            on = State(initial=True)
            count = on.to.itself()

            def on_count(self, number, orc):
                running.append(number)
                assert len(running) == 1
                orc.mirror.reflect(number)
                running.pop()
                done.append(number)
                if number % 10 == 7:
                    raise ValueError(number)
                return number

        class Mirror(StateMachine):
            on = State(initial=True)
            reflect = on.to.itself()

        class System(Orchestrator, atomic=False):
            counter: Counter = machine(factory=Counter)
            mirror: Mirror = machine(factory=Mirror)

        system = System()
        answers = []

        def work(first):
            for number in range(first, first + 200):
                try:
                    answers.append((number, system.counter.count(number)))
                except ValueError as error:
                    answers.append((number, error.args[0]))

        threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 1600, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert sorted(done) == list(range(1600))
        assert all(number == answer for number, answer in answers)
        assert len(answers) == 1600

    def test_a_thousand_tasks(self):
        """1000 tasks at once: none is lost, none runs twice, none overlaps, each gets its own answer."""
        running = []
        done = []

        class TaskCounter(StateMachine):
            on = State(initial=True)
            count = on.to.itself()

            async def on_count(self, number, orc):
                running.append(number)
                await asyncio.sleep(0)
                assert running == [number]
                await orc.mirror.reflect(number)
                running.pop()
                done.append(number)
                if number % 10 == 7:
                    raise ValueError(number)
                return number

        class TaskMirror(StateMachine):
            on = State(initial=True)
            reflect = on.to.itself()

            async def on_reflect(self):
                await asyncio.sleep(0)

        class System(Orchestrator):
            counter: TaskCounter = machine(factory=TaskCounter)
            mirror: TaskMirror = machine(factory=TaskMirror)

        async def scenario():
            system = System()

            async def one(number):
                try:
                    return await system.counter.count(number)
                except ValueError as error:
                    return error.args[0]

            return await asyncio.gather(*(one(number) for number in range(1000)))

        assert asyncio.run(scenario()) == list(range(1000))
        assert done == list(range(1000))

    def test_threads_with_loops_of_their_own(self):
        """Threads that each run an event loop share one asynchronous system."""
        done = []

        async def say(orc):
            done.append(1)
            await asyncio.sleep(0)

        system = Async()

        async def loop():
            for _ in range(50):
                await system.talker.speak(say=say)

        threads = [threading.Thread(target=lambda: asyncio.run(loop())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert len(done) == 200

    def test_a_call_without_a_loop_runs_to_its_end(self):
        """Outside of any event loop an asynchronous system answers as python-statemachine does: it blocks."""

        async def say(orc):
            return await orc.payment.authorize(2)

        assert Async().talker.speak(say=say) == "authorized 2"

    def test_a_task_that_outlives_its_step_starts_its_own(self):
        """What counts is whether the step is still running, not where the task was born."""
        tasks = []

        async def later(orc):
            await asyncio.sleep(0.01)
            return await orc.payment.authorize(9)

        async def say(orc):
            tasks.append(asyncio.create_task(later(orc)))

        async def scenario():
            system = Async()
            await system.talker.speak(say=say)
            before = str(system.configuration)
            return before, await tasks[0], str(system.configuration)

        assert asyncio.run(scenario()) == (
            "talker=spoken payment=unpaid order=pending",
            "authorized 9",
            "talker=spoken payment=authorized order=pending",
        )

    def test_a_task_that_outlives_its_step_is_outside_of_it(self):
        """Such a task may copy the system, which cannot be done inside a step, and waits for its turn like others."""
        tasks = []

        async def later(orc):
            await asyncio.sleep(0.01)
            other = copy.copy(orc)
            running = asyncio.ensure_future(orc.talker.speak(say=hold))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            asked = asyncio.ensure_future(orc.enabled_events())
            await asyncio.sleep(0.01)
            was_asked_in_between = asked.done()
            await asyncio.gather(running, asked)
            return str(other.configuration), was_asked_in_between

        async def hold(orc):
            await asyncio.sleep(0.05)

        async def say(orc):
            tasks.append(asyncio.create_task(later(orc)))

        async def scenario():
            await Async().talker.speak(say=say)
            return await tasks[0]

        assert asyncio.run(scenario()) == ("talker=spoken payment=unpaid order=pending", False)

    def test_a_step_waits_for_the_tasks_inside_it(self):
        """A task that is in the middle of a nested event when its step ends is waited for."""

        async def say(orc):
            task = asyncio.create_task(_authorize(orc))
            await asyncio.sleep(0)
            assert not task.done()

        async def _authorize(orc):
            return await orc.payment.authorize(1)

        async def scenario():
            system = Async()
            await system.talker.speak(say=say)
            return str(system.configuration)

        assert asyncio.run(scenario()) == "talker=spoken payment=authorized order=pending"

    def test_a_thread_inside_the_step_is_waited_for(self):
        """A synchronous step ends when a worker thread with its context has ended its nested event."""
        inside, release = threading.Event(), threading.Event()

        def nested(orc):
            inside.set()
            assert release.wait(5)

        class Starter(Order):
            def on_process(self, orc):
                run = contextvars.copy_context().run
                threading.Thread(target=lambda: run(orc.talker.speak, say=nested)).start()
                assert inside.wait(5)
                threading.Timer(0.02, release.set).start()

        class System(Orchestrator):
            talker: Talker = machine(factory=Talker)
            starter: Starter = machine(factory=Starter)

        system = System()
        system.starter.process()

        assert str(system.configuration) == "talker=spoken starter=processing"

    def test_two_orchestrators_may_call_each_other(self):
        """A callback may call a machine of another orchestrator, which may call back into the first step."""
        first = Sync()
        second = Sync()

        def back(orc):
            return first.payment.authorize(1)

        def say(orc):
            return second.talker.speak(say=back)

        assert first.talker.speak(say=say) == "authorized 1"
        assert first.payment.authorized.is_active

    def test_an_interrupted_wait_gives_its_place_up(self):
        """A thread that gives up waiting does not leave a hole in the line."""
        from statemachines_orchestrator.system._turns import Turns

        turns = Turns()
        assert turns.enter()
        impatient = turns.request()
        patient = turns.request()
        turns.abandon(impatient)
        turns.leave()

        assert patient.granted
        assert not impatient.granted
        turns.leave()
        assert turns.try_enter()


class TestRefusal:
    """R4: a direct call behaves as python-statemachine says for that class."""

    def test_a_statemachine_raises(self, world):
        class System(Orchestrator):
            order: Order
            payment: Payment

        async def scenario():
            system = System(order=world.machine(Order)(), payment=Payment())
            with pytest.raises(StateMachine.TransitionNotAllowed, match="Can't Ship when in Pending"):
                await world.call(system.order.ship())
            return str(system.configuration)

        assert world.run(scenario) == "order=pending payment=unpaid"

    def test_a_statechart_ignores(self, world):
        class Lenient(StateChart):
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two)

        class System(Orchestrator):
            lenient: Lenient

        async def scenario():
            system = System(world.machine(Lenient)())
            assert await world.call(system.lenient.go()) is None
            assert await world.call(system.lenient.go()) is None
            return await world.call(system.lenient.send("unheard_of"))

        assert world.run(scenario) is None

    def test_a_refusal_says_who_and_where(self, world):
        """A note on the refusal names the member, its state, and what was possible there."""

        class System(Orchestrator):
            order: Order
            payment: Payment

        async def scenario():
            system = System(order=world.machine(Order)(), payment=world.machine(Payment)())
            with pytest.raises(StateMachine.TransitionNotAllowed) as caught:
                await world.call(system.payment.capture())
            return caught.value.__notes__

        assert world.run(scenario) == [
            "refused by System.payment in unpaid, where it has transitions for: authorize, void"
        ]

    def test_a_refusal_further_inside_keeps_its_note(self):
        """A refusal that passes through the transition of another machine still names who refused."""

        class Forwarding(Order):
            def on_process(self, orc):
                orc.payment.capture()

        class System(Orchestrator):
            order: Forwarding = machine(factory=Forwarding)
            payment: Payment = machine(factory=Payment)

        with pytest.raises(StateMachine.TransitionNotAllowed) as caught:
            System().order.process()

        assert len(caught.value.__notes__) == 1
        assert caught.value.__notes__[0].startswith("refused by System.payment in unpaid")

    def test_a_refusal_of_a_finished_machine_says_who(self, world):
        """A machine that has ended is named as the one that refused, also from inside another one's transition."""

        class Poking(Order):
            def on_process(self, orc):
                return orc.payment.capture()

        class System(Orchestrator):
            order: Order
            payment: Payment

        async def scenario():
            system = System(world.machine(Poking)(), Payment())
            await world.call(system.payment.void())
            notes = []
            for event in (system.payment.capture, system.order.process):
                with pytest.raises(StateMachine.TransitionNotAllowed) as caught:
                    await world.call(event())
                notes.extend(caught.value.__notes__)
            return notes

        assert world.run(scenario) == ["refused by System.payment in voided, where it has transitions for: nothing"] * 2

    def test_a_finished_machine_refuses(self, world):
        class System(Orchestrator):
            order: Order
            payment: Payment = machine(factory=Payment)

        async def scenario():
            system = System(world.machine(Order)())
            await world.call(system.order.cancel())
            with pytest.raises(StateMachine.TransitionNotAllowed):
                await world.call(system.order.process())
            return str(system.configuration)

        assert world.run(scenario) == "order=cancelled payment=unpaid"
