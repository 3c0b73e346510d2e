"""Time is an argument: clocks, timers, and who fires them."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import logging
import math
import pickle
import threading
import time
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import Order, Payment
from statemachine import State, StateChart, StateMachine
from worlds import until

from statemachines_orchestrator import Clock, Orchestrator, data, machine
from statemachines_orchestrator.exceptions import ArgumentsError, ConstructionError, ReservedNameError, StepRunningError
from statemachines_orchestrator.system import MonotonicClock, Timer, TimerQueue
from statemachines_orchestrator.testing import SimulatedClock


class Bell(StateMachine):
    """Notes when it is struck."""

    on = State(initial=True)
    off = State(final=True)
    strike = on.to.itself()
    break_ = on.to(off)
    heard: list
    action = None

    def on_strike(self, note="", *, orc):
        self.heard.append((round(orc.clock.now(), 3), note))
        if self.action is not None:
            self.action(orc, note)


class Tower(Orchestrator):
    bell: Bell


def tower(world, action=None, clock=None, heard=None):
    bell = world.machine(Bell)()
    bell.heard = [] if heard is None else heard
    bell.action = action
    return Tower(bell, clock=clock or SimulatedClock())


async def struck(world, system, *plan):
    """Plan strikes: pairs of milliseconds and a note."""
    await world.call(system.activate())
    for delay, note in plan:
        await world.call(system.bell.send("strike", note, delay=delay))
    return system


def notes(system):
    return [note for _, note in system.bell.heard]


class HandClock(Clock):
    """A clock that is moved by hand and lets nothing else fire."""

    drives_systems = True

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time


class TestSimulatedClock:
    def test_stands_still(self):
        """A simulated clock starts at 0, or where it is told, and moves when it is told."""
        clock = SimulatedClock()
        later = SimulatedClock(start=100)

        clock.advance(1.5)
        later.advance(minutes=1)

        assert (clock.now(), later.now()) == (1.5, 160.0)

    def test_conveniences(self):
        """Days, hours, minutes, seconds and milliseconds add up."""
        clock = SimulatedClock()

        clock.advance(5, days=14, hours=3, minutes=2, milliseconds=250)

        assert clock.now() == 14 * 86_400 + 3 * 3600 + 2 * 60 + 5.25

    def test_tenths_add_up(self, world):
        """Eight times a tenth of a second is what a timer of eight tenths waits for, wherever it began."""

        async def scenario():
            system = tower(world)
            await struck(world, system, (800, "eight"))
            for _ in range(3):
                await world.call(system.clock.advance(0.1))
            await struck(world, system, (500, "five more"))
            for _ in range(5):
                await world.call(system.clock.advance(milliseconds=100))
            return system.bell.heard

        assert world.run(scenario) == [(0.8, "eight"), (0.8, "five more")]

    @pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, -math.inf])
    def test_only_forward(self, seconds):
        """Time does not go back, nor for ever; the error says so, and nothing has moved."""
        clock = SimulatedClock()

        with pytest.raises(ValueError, match=f"only moves forward, and not by {seconds}. Make a new clock"):
            clock.advance(seconds)
        with pytest.raises(ValueError, match="only moves forward"):
            clock.advance(10, hours=seconds)

        assert clock.now() == 0

    @pytest.mark.parametrize("start", [math.nan, math.inf])
    def test_no_beginning(self, start):
        """A clock starts at a number."""
        with pytest.raises(ValueError, match=f"cannot start at {start}"):
            SimulatedClock(start)

    def test_through_every_deadline(self, world):
        """Advancing stands at each deadline while its timers fire, those included that are made on the way."""

        def again(system, note):
            if note == "again":
                system.bell.send("strike", "once more", delay=5)

        async def scenario():
            system = await struck(world, tower(world, again), (30, "c"), (10, "again"), (20, "b"))
            result = await world.call(system.clock.advance(milliseconds=25))
            return result, system.bell.heard, system.clock.now(), system.next_due

        assert world.run(scenario) == (
            None,
            [(0.01, "again"), (0.015, "once more"), (0.02, "b")],
            0.025,
            0.03,
        )

    def test_to_the_next_deadline(self, world):
        """`advance_to_next` fires all that is due at the next deadline, and says whether there was one."""

        async def scenario():
            system = await struck(world, tower(world), (10, "a"), (20, "c"), (10, "b"))
            answers = []
            for _ in range(3):
                there_was = await world.call(system.clock.advance_to_next())
                answers.append((there_was, notes(system), system.clock.now()))
            return answers

        assert world.run(scenario) == [
            (True, ["a", "b"], 0.01),
            (True, ["a", "b", "c"], 0.02),
            (False, ["a", "b", "c"], 0.02),
        ]

    def test_several_systems(self, world):
        """Systems that share a clock fire in one order: by deadline, then by the order of making."""
        clock, heard = SimulatedClock(), []

        async def scenario():
            one, two = tower(world, clock=clock, heard=heard), tower(world, clock=clock, heard=heard)
            await struck(world, two, (10, "first"))
            await struck(world, one, (10, "second"), (5, "zeroth"))
            await struck(world, two, (10, "third"))
            await world.call(clock.advance(1))
            return repr(clock)

        assert world.run(scenario) == "<SimulatedClock at 1, 2 systems>"
        assert [note for _, note in heard] == ["zeroth", "first", "second", "third"]

    def test_synchronous_and_asynchronous_systems(self):
        """Both kinds of systems may share a clock; advancing is awaited then."""
        from worlds import World

        clock, heard = SimulatedClock(), []

        async def scenario():
            blocking = tower(World("sync"), clock=clock, heard=heard)
            awaited = tower(World("async"), clock=clock, heard=heard)
            blocking.bell.send("strike", "a", delay=10)
            await awaited.bell.send("strike", "b", delay=10)
            blocking.bell.send("strike", "c", delay=10)
            await clock.advance(1)

        asyncio.run(scenario())
        assert [note for _, note in heard] == ["a", "b", "c"]

    def test_not_awaited(self):
        """In an asynchronous system the time passes even if nobody awaits it, one advance after the other."""
        from worlds import World

        async def scenario():
            system = await struck(World("async"), tower(World("async")), (10, "a"), (1500, "b"))
            system.clock.advance(1)
            system.clock.advance(1)
            early = system.clock.now()
            await until(lambda: system.clock.now() == 2)
            return early, system.bell.heard

        assert asyncio.run(scenario()) == (0, [(0.01, "a"), (1.5, "b")])

    def test_without_an_event_loop(self):
        """Without a running event loop, advancing an asynchronous system blocks until it is done."""
        from worlds import World

        system = tower(World("async"))
        system.bell.send("strike", "a", delay=10)

        assert system.clock.advance_to_next() is True
        assert system.clock.advance(1) is None
        assert system.bell.heard == [(0.01, "a")]

    def test_a_failure(self, world):
        """A timer that fails is noted on its exception and over; the clock stays there, and the next advance goes on."""

        def fail(system, note):
            if note == "bad":
                raise ValueError(note)

        async def scenario():
            system = await struck(world, tower(world, fail), (10, "bad"), (10, "good"), (20, "late"))
            with pytest.raises(ValueError, match="bad") as caught:
                await world.call(system.clock.advance(1))
            stopped = system.clock.now(), system.next_due
            await world.call(system.clock.advance(0))
            there = notes(system)
            await world.call(system.clock.advance(1))
            return caught.value.__notes__, stopped, there, notes(system)

        assert world.run(scenario) == (
            ["while Tower fired the delayed event bell.strike, due at 0.01"],
            (0.01, 0.01),
            ["bad", "good"],
            ["bad", "good", "late"],
        )

    def test_inside_a_step(self, world):
        """A callback cannot let the time pass: it is in the middle of a moment."""

        def advance(system, note):
            system.clock.advance(1)

        async def scenario():
            system = tower(world, advance)
            await world.call(system.activate())
            with pytest.raises(StepRunningError, match="Tower is in the middle of a step, and that is no time to let"):
                await world.call(system.bell.strike())
            await world.call(system.clock.advance(1))
            return system.clock.now()

        assert world.run(scenario) == 1

    def test_forgets_systems(self):
        """A clock does not keep its systems alive."""

        class Quiet(Orchestrator):
            payment: Payment = machine(factory=Payment)

        clock = SimulatedClock()
        system = Quiet(clock=clock)
        system.payment.send("authorize", delay=10)
        gone = weakref.ref(system)
        del system
        gc.collect()

        assert gone() is None
        assert clock.advance_to_next() is False

    def test_from_several_threads(self):
        """Threads that advance one clock at the same time take turns: every second counts."""
        from worlds import World

        system = tower(World("sync"))
        system.bell.send("strike", "last", delay=40_000)
        threads = [
            threading.Thread(target=lambda: [system.clock.advance(1) for _ in range(10)], daemon=True) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert (system.clock.now(), system.bell.heard) == (40, [(40, "last")])


class TestRunDue:
    def test_what_is_due(self, world):
        """`run_due` fires what is due, in order, each as a step of its own, and counts."""

        async def scenario():
            system = await struck(world, tower(world, clock=HandClock()), (30, "c"), (20, "b"), (10, "a"), (10, "a2"))
            counts = [await world.call(system.run_due())]
            system.clock.time = 0.025
            counts.append(await world.call(system.run_due()))
            counts.append(await world.call(system.run_due()))
            return counts, notes(system), system.next_due

        assert world.run(scenario) == ([0, 3, 0], ["a", "a2", "b"], 0.03)

    def test_what_becomes_due(self, world):
        """Timers that are made on the way and due as well fire, too."""

        def again(system, note):
            system.clock.time = 5
            if note == "a":
                system.bell.send("strike", "later", delay=100)
                system._system.driver.set_timer(-5, system.more, "key")

        async def scenario():
            system = tower(world, again, HandClock())
            await struck(world, system, (10, "a"))
            from statemachines_orchestrator.system._shared import DelayedEvent

            trigger = system.bell.strike.build_trigger("more", machine=system.bell)
            vars(system)["more"] = DelayedEvent(system.bell._engine, trigger)
            system.clock.time = 0.01
            return await world.call(system.run_due()), notes(system)

        assert world.run(scenario) == (2, ["a", "more"])

    def test_a_failure(self, world):
        """If one fails its exception says which; it is over, and the next call goes on behind it."""

        def fail(system, note):
            if note == "bad":
                raise ValueError(note)

        async def scenario():
            system = await struck(world, tower(world, fail, HandClock()), (10, "bad"), (20, "good"))
            system.clock.time = 1
            with pytest.raises(ValueError, match="bad") as caught:
                await world.call(system.run_due())
            return caught.value.__notes__, await world.call(system.run_due()), notes(system)

        assert world.run(scenario) == (
            ["while Tower fired the delayed event bell.strike, due at 0.01"],
            1,
            ["bad", "good"],
        )

    def test_inside_a_step(self, world):
        """A callback cannot fire timers."""

        def fire(system, note):
            system.run_due()

        async def scenario():
            system = tower(world, fire)
            await world.call(system.activate())
            with pytest.raises(StepRunningError, match="Tower is in the middle of a step, and that is no time to fire"):
                await world.call(system.bell.strike())

        world.run(scenario)

    def test_not_awaited(self):
        """In an asynchronous system it happens even if nobody awaits it."""
        from worlds import World

        async def scenario():
            system = await struck(World("async"), tower(World("async"), clock=HandClock()), (10, "a"), (20, "b"))
            system.clock.time = 1
            system.run_due()
            await until(lambda: notes(system) == ["a", "b"])

        asyncio.run(scenario())

    def test_without_an_event_loop(self):
        """Without a running event loop it blocks until it is done."""
        from worlds import World

        system = tower(World("async"), clock=HandClock())
        system.bell.send("strike", "a", delay=10)
        system.clock.time = 1

        assert system.run_due() == 1

    def test_interrupted(self):
        """A timer whose step is interrupted by Ctrl-C is put back with it and fires with the next call."""
        from worlds import World

        interrupts = [KeyboardInterrupt]

        def interrupt(system, note):
            if interrupts:
                raise interrupts.pop()

        system = tower(World("sync"), interrupt, HandClock())
        system.bell.send("strike", "a", delay=10)
        system.bell.send("strike", "b", delay=10)
        system.clock.time = 1

        with pytest.raises(KeyboardInterrupt):
            system.run_due()
        due = system.next_due

        assert due == 0.01
        assert system.run_due() == 2
        assert notes(system) == ["a", "a", "b"]

    def test_interrupted_where_nothing_is_put_back(self):
        """Where steps are not put back, neither is the timer."""

        class Careless(Tower, atomic=False):
            pass

        def interrupt(system, note):
            raise KeyboardInterrupt

        bell = Bell()
        bell.heard, bell.action = [], interrupt
        system = Careless(bell, clock=HandClock())
        system.bell.send("strike", delay=10)
        system.clock.time = 1

        with pytest.raises(KeyboardInterrupt):
            system.run_due()
        assert system.next_due is None

    @pytest.mark.parametrize("own", [False, True])
    def test_cancelled(self, own):
        """A timer whose step is cancelled with its task fires again; one that awaits something cancelled has failed."""
        begun = []

        class Slow(StateMachine):
            on = State(initial=True)
            work = on.to.itself()

            async def on_work(self):
                begun.append(1)
                await asyncio.sleep(0)
                if len(begun) == 1:
                    waiting = asyncio.get_running_loop().create_future()
                    if own:
                        waiting.cancel()
                    await waiting

        class Working(Orchestrator):
            slow: Slow = machine(factory=Slow)

        async def scenario():
            system = Working(clock=HandClock())
            await system.slow.send("work", delay=60_000)
            system.clock.time = 61
            task = asyncio.ensure_future(system.run_due())
            await until(lambda: begun)
            if not own:
                await asyncio.sleep(0)
                task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await system.run_due(), len(begun)

        assert asyncio.run(scenario()) == ((0, 1) if own else (1, 2))


class TestNextDue:
    def test_live_timers_only(self, world):
        """`next_due` is the deadline of the next timer that is going to fire."""

        async def scenario():
            system = tower(world)
            await world.call(system.activate())
            found = [system.next_due]
            await world.call(system.bell.send("strike", delay=10, send_id="a"))
            await world.call(system.bell.send("strike", delay=20))
            found.append(system.next_due)
            system.bell.cancel_event("a")
            found.append(system.next_due)
            await world.call(system.bell.break_())
            found.append(system.next_due)
            return found

        assert world.run(scenario) == [None, 0.01, 0.02, None]


class TestInTheBackground:
    """`with shop:`, for synchronous systems."""

    @staticmethod
    def tower(action=None, clock=None):
        from worlds import World

        return tower(World("sync"), action, clock or MonotonicClock())

    def wait(self, condition):
        asyncio.run(until(condition))

    def test_fires_by_itself(self):
        """Inside of the block a thread fires timers, made before and within; after it nothing fires."""
        system = self.tower()
        system.bell.send("strike", "before", delay=1)
        threads = threading.active_count()

        with system as entered:
            self.wait(lambda: notes(system) == ["before"])
            system.bell.send("strike", "late", delay=60_000)
            system.bell.send("strike", "early", delay=1)
            self.wait(lambda: notes(system) == ["before", "early"])
            system.bell.send("strike", "too late", delay=30)
            within = threading.active_count()
        after = threading.active_count()
        time.sleep(0.05)

        assert entered is system
        assert (within - threads, after - threads) == (1, 0)
        assert notes(system) == ["before", "early"]
        assert system.run_due() == 1

    def test_waits_without_polling(self, monkeypatch):
        """However many timers there are, the thread waits for the first deadline, and for nothing else."""
        waits = []
        wait = threading.Condition.wait

        def noted(condition, timeout=None):
            if threading.current_thread().name == "timers of Tower":
                waits.append(timeout)
            return wait(condition, timeout)

        monkeypatch.setattr(threading.Condition, "wait", noted)
        system = self.tower()
        for minute in range(1, 100):
            system.bell.send("strike", delay=minute * 60_000)

        with system:
            self.wait(lambda: waits)
            system.bell.send("strike", delay=90_000)
            time.sleep(0.05)

        assert len(waits) == 1
        assert 59 < waits[0] <= 60

    def test_a_failure_is_logged(self, caplog):
        """A timer that fails is logged, and the thread goes on."""

        def fail(system, note):
            if note == "bad":
                raise ValueError(note)

        system = self.tower(fail)
        with caplog.at_level(logging.ERROR, "statemachines_orchestrator"), system:
            system.bell.send("strike", "bad", delay=1)
            system.bell.send("strike", "good", delay=2)
            self.wait(lambda: notes(system) == ["bad", "good"])

        (record,) = caplog.records
        assert record.message == "a timer of Tower failed in the background"
        assert record.exc_info[1].__notes__[0].startswith("while Tower fired the delayed event bell.strike, due at")

    def test_an_exception_in_the_block(self):
        """The thread ends however the block is left."""
        system = self.tower()
        threads = threading.active_count()

        with pytest.raises(KeyboardInterrupt), system:
            raise KeyboardInterrupt

        assert threading.active_count() == threads

    def test_waits_for_the_last(self):
        """Leaving the block waits for the timer that is being fired."""
        begun = threading.Event()

        def slowly(system, note):
            begun.set()
            time.sleep(0.05)
            system.bell.heard.append((0, "done"))

        system = self.tower(slowly)
        with system:
            system.bell.send("strike", "slow", delay=1)
            begun.wait(5)

        assert notes(system) == ["slow", "done"]

    def test_nested_blocks(self):
        """Blocks may overlap: the thread ends with the last."""
        system = self.tower()
        threads = threading.active_count()

        with system:
            with system:
                within = threading.active_count()
            system.bell.send("strike", "a", delay=1)
            self.wait(lambda: notes(system) == ["a"])

        assert (within - threads, threading.active_count() - threads) == (1, 0)

    def test_left_by_a_callback(self):
        """A callback may leave the block that it runs in: nothing fires after its step."""
        system = self.tower()

        def leave(_system, note):
            if note == "leave":
                system.bell.send("strike", "never", delay=0.001)
                system.__exit__(None, None, None)

        system.bell.action = leave
        system.__enter__()
        system.bell.send("strike", "leave", delay=1)
        self.wait(lambda: notes(system) == ["leave"] and system.next_due is not None)
        time.sleep(0.05)

        assert notes(system) == ["leave"]

    def test_left_by_a_step_while_the_thread_waits_for_its_turn(self):
        """The same in another thread's step: the timer that stands in line then does not fire."""
        system = self.tower()

        def leave(_system, note):
            if note == "leave":
                time.sleep(0.03)
                system.__exit__(None, None, None)

        system.bell.action = leave
        system.__enter__()
        system.bell.send("strike", "never", delay=10)
        system.bell.strike("leave")
        time.sleep(0.05)

        assert notes(system) == ["leave"]

    def test_inside_a_step(self):
        """A callback cannot enter the block: the thread would wait for the callback, and the block for the thread."""

        def enter(system, note):
            with system:
                pass

        with pytest.raises(StepRunningError, match="no time to start a background thread"):
            self.tower(enter).bell.strike()

    def test_asynchronous_systems(self):
        """An asynchronous system says what to write instead."""
        from worlds import World

        with pytest.raises(TypeError, match="Tower is asynchronous, and its timers are fired by the event loop: write"):
            tower(World("async")).__enter__()

    def test_with_a_simulated_clock(self):
        """A clock that drives its systems needs no thread."""
        system = self.tower(clock=SimulatedClock())
        threads = threading.active_count()

        with system:
            system.bell.send("strike", "a", delay=1)
            within = threading.active_count()
            system.clock.advance(1)

        assert within == threads
        assert notes(system) == ["a"]

    def test_other_threads_make_timers(self):
        """Timers that other threads make wake the thread."""
        system = self.tower()

        def send():
            for number in range(50):
                system.bell.send("strike", number, delay=number % 3 + 1)

        with system:
            threads = [threading.Thread(target=send) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(5)
            self.wait(lambda: len(notes(system)) == 200)

        assert sorted(notes(system)) == sorted(list(range(50)) * 4)


class TestInAnEventLoop:
    """Asynchronous systems fire by themselves."""

    @staticmethod
    def tower(action=None, clock=None):
        from worlds import World

        return tower(World("async"), action, clock or MonotonicClock())

    def test_fires_by_itself(self):
        """While a system is used, the loop fires its timers; with or without `async with`."""

        async def scenario():
            system = self.tower()
            await system.bell.send("strike", "late", delay=60_000)
            await system.bell.send("strike", "early", delay=1)
            await until(lambda: notes(system) == ["early"])
            async with system:
                system.bell.send("strike", "again", delay=1)
                await until(lambda: notes(system) == ["early", "again"])

        asyncio.run(scenario())

    def test_one_handle(self):
        """However many timers there are, the loop holds one handle, for the first deadline."""

        async def scenario():
            loop = asyncio.get_running_loop()
            system = self.tower()
            for minute in range(200, 1, -1):
                await system.bell.send("strike", delay=minute * 60_000)
            handles = [one for one in loop._scheduled if not one.cancelled()]
            return len(handles), round(handles[0].when() - loop.time())

        assert asyncio.run(scenario()) == (1, 120)

    def test_after_the_block(self):
        """After `async with` nothing fires by itself, until the system is used again."""

        async def scenario():
            async with self.tower() as system:
                await system.bell.send("strike", "a", delay=20)
            await asyncio.sleep(0.04)
            after = notes(system)
            await system.bell.strike("b")
            await until(lambda: len(notes(system)) == 2)
            return after, notes(system)

        assert asyncio.run(scenario()) == ([], ["b", "a"])

    def test_nested_blocks(self):
        """Blocks may overlap: the last to leave says that it is over."""

        async def scenario():
            async with self.tower() as system:
                async with system:
                    await system.bell.send("strike", "a", delay=5)
                await until(lambda: notes(system) == ["a"])

        asyncio.run(scenario())

    def test_waits_for_the_last(self):
        """Leaving the block waits for the timer that is being fired, and for no other."""

        class Slow(StateMachine):
            on = State(initial=True)
            work = on.to.itself()
            done = 0
            begun = False

            async def on_work(self):
                self.begun = True
                await asyncio.sleep(0.03)
                self.done += 1

        class Working(Orchestrator):
            slow: Slow = machine(factory=Slow)

        async def scenario():
            async with Working() as system:
                await system.slow.send("work", delay=1)
                await system.slow.send("work", delay=2)
                await until(lambda: system.slow.begun)
            left = system.slow.done
            await asyncio.sleep(0.05)
            return left, system.slow.done

        assert asyncio.run(scenario()) == (1, 1)

    def test_a_failure_is_logged(self, caplog):
        """A timer that fails is logged, and the next ones fire."""

        def fail(system, note):
            if note == "bad":
                raise ValueError(note)

        async def scenario():
            async with self.tower(fail) as system:
                await system.bell.send("strike", "bad", delay=1)
                await system.bell.send("strike", "good", delay=2)
                await until(lambda: notes(system) == ["bad", "good"])

        with caplog.at_level(logging.ERROR, "statemachines_orchestrator"):
            asyncio.run(scenario())

        (record,) = caplog.records
        assert record.message == "a timer of Tower failed in the background"
        assert record.exc_info[1].__notes__[0].startswith("while Tower fired the delayed event bell.strike, due at")

    def test_a_new_loop(self):
        """When the loop is closed, the next one takes over; what was interrupted by its end fires there."""
        begun = []

        class Slow(Bell):
            async def after_strike(self):
                begun.append(1)
                if len(begun) == 1:
                    await asyncio.sleep(60)

        bell = Slow()
        bell.heard = []
        system = Tower(bell)

        async def first():
            await system.bell.send("strike", "a", delay=1)
            await until(lambda: begun)

        async def second():
            await system.bell.strike("b")
            await until(lambda: len(notes(system)) == 3)

        asyncio.run(first())
        asyncio.run(second())

        assert notes(system) == ["a", "b", "a"]

    def test_a_loop_that_was_left_open(self):
        """A handle that is left in a loop that stands still does not fire there what another loop has fired."""
        system = self.tower()
        loops = [asyncio.new_event_loop(), asyncio.new_event_loop()]

        async def fire():
            await system.bell.strike("now")
            await until(lambda: "later" in notes(system))

        async def send():
            await system.bell.send("strike", "later", delay=5)

        loops[0].run_until_complete(send())
        loops[1].run_until_complete(fire())
        loops[0].run_until_complete(asyncio.sleep(0.02))
        for loop in loops:
            loop.close()

        assert notes(system) == ["now", "later"]

    def test_made_in_a_thread(self):
        """A timer that a thread makes fires in the loop in which the system is used."""

        async def scenario():
            async with self.tower() as system:
                context = contextvars.Context()
                await asyncio.to_thread(context.run, lambda: _blocking(system.bell.send, "strike", "a", delay=1))
                await until(lambda: notes(system) == ["a"])

        asyncio.run(scenario())

    def test_a_task_that_was_cancelled_in_line(self):
        """If somebody cancels the task that fires a timer before its turn has come, the next step sets it right."""

        class Slow(Bell):
            release = None

            async def after_strike(self, note=""):
                if note == "hold":
                    await self.release.wait()

        async def scenario():
            bell = Slow()
            bell.heard, bell.release = [], asyncio.Event()
            async with Tower(bell) as system:
                await system.bell.send("strike", "a", delay=1)
                holding = asyncio.create_task(system.bell.strike("hold"))
                await until(lambda: system._system.driver._loop_alarm._ringing)
                await asyncio.sleep(0)
                assert system._system.driver._loop_alarm._ringing._task.cancel()
                await asyncio.sleep(0)
                assert not holding.done()
                bell.release.set()
                await until(lambda: notes(system) == ["hold", "a"])

        asyncio.run(scenario())

    def test_a_slow_clock(self):
        """A clock that is slower than the loop's is asked again, until the time has come."""

        class SlowClock(Clock):
            asked = 0

            def now(self):
                self.asked += 1
                return time.monotonic() / 5

        async def scenario():
            async with self.tower(clock=SlowClock()) as system:
                await system.bell.send("strike", "a", delay=10)
                await until(lambda: notes(system) == ["a"])
                return system.clock.asked

        assert asyncio.run(scenario()) < 200

    def test_no_context_leaks(self):
        """What fires by itself does not see the context of whoever happened to use the system last."""
        who = contextvars.ContextVar("who", default="nobody")
        seen = []

        def look(system, note):
            seen.append(who.get())

        async def scenario():
            system = self.tower(look)
            who.set("somebody")
            await system.bell.send("strike", delay=1)
            await until(lambda: seen)

        asyncio.run(scenario())
        assert seen == ["nobody"]

    def test_with_a_simulated_clock(self):
        """A clock that drives its systems leaves the loop alone."""

        async def scenario():
            async with self.tower(clock=SimulatedClock()) as system:
                await system.bell.send("strike", "a", delay=1)
                return [one for one in asyncio.get_running_loop()._scheduled if not one.cancelled()]

        assert asyncio.run(scenario()) == []


def _blocking(call, *arguments, **keywords):
    """Call in a thread without an event loop, and close the one that python-statemachine keeps for the thread."""
    from statemachine.utils import _cached_loop

    result = call(*arguments, **keywords)
    _cached_loop.loop.close()
    del _cached_loop.loop
    return result


class TestManyTimers:
    def test_ten_thousand(self, world):
        """Ten thousand timers cost no thread, and cancelled ones do not pile up."""

        async def scenario():
            system = tower(world)
            await world.call(system.activate())
            trigger = system.bell.strike.build_trigger(machine=system.bell)
            engine, driver = system.bell._engine, system._system.driver
            threads = threading.active_count()
            for number in range(10_000):
                trigger.send_id = f"id {number}"
                driver.delay(engine, trigger, 1 + number)
            for number in range(9_990):
                system.bell.cancel_event(f"id {number}")
            counts = system._system.driver.timers.statistics()
            await world.call(system.clock.advance(days=1))
            return threading.active_count() - threads, counts.waiting, counts.stored, len(system.bell.heard)

        threads, waiting, stored, heard = world.run(scenario)

        assert (threads, waiting, heard) == (0, 10, 10)
        assert stored < 64

    def test_a_chart_that_times_itself(self, world):
        """A machine that sends itself a delayed event for ever has one timer at a time."""

        class Blinker(StateChart):
            dark = State(initial=True)
            light = State()
            blink = dark.to(light) | light.to(dark)
            count = 0

            def on_enter_state(self):
                self.count += 1
                self.send("blink", delay=1000)

        class Lamp(Orchestrator):
            blinker: Blinker = machine(factory=lambda: world.machine(Blinker)())

        async def scenario():
            system = Lamp(clock=SimulatedClock())
            await world.call(system.activate())
            await world.call(system.clock.advance(hours=1))
            return system.blinker.count, len(system._system.driver.timers)

        assert world.run(scenario) == (3601, 1)


class TestTimerQueue:
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("add"), st.integers(0, 5)),
                st.tuples(st.sampled_from(["cancel", "restore", "again"]), st.integers(0, 200)),
                st.tuples(st.just("pop"), st.integers(0, 5)),
            ),
            max_size=300,
        )
    )
    def test_like_a_sorted_list(self, actions):
        """A queue does what a list does that is sorted and searched every time."""
        queue, made, waiting, cancelled, fired = TimerQueue(), [], [], [], 0
        for action, number in actions:
            if action == "add":
                made.append(Timer(float(number), None, (number, "all")))
                queue.add(made[-1])
                waiting.append(made[-1])
            elif action == "pop":
                first = min(waiting, key=lambda one: one.order, default=None)
                due = first if first is not None and first.due <= number else None
                assert queue.pop_due(number) is due
                if due is not None:
                    waiting.remove(due)
                    fired += 1
            elif made:
                timer = made[number % len(made)]
                if action == "cancel":
                    queue.cancel(timer)
                    cancelled += [timer] if timer in waiting else []
                    waiting = [one for one in waiting if one is not timer]
                elif action == "restore":
                    queue.restore(timer)
                    waiting += [timer] if timer in cancelled and timer not in waiting else []
                else:
                    queue.add(timer)
                    waiting += [timer] if timer not in waiting else []
                if action != "cancel":
                    cancelled = [one for one in cancelled if one is not timer]
            self.compare(queue, waiting, fired)

    @staticmethod
    def compare(queue, waiting, fired):
        ordered = sorted(waiting, key=lambda one: one.order)
        counts = queue.statistics()

        assert queue.pending() == tuple(ordered)
        assert queue.first is (ordered[0] if ordered else None)
        assert set(queue.filed("all")) == set(waiting)
        assert set(queue.filed(3)) == {one for one in waiting if one.due == 3}
        assert len(queue) == counts.waiting == len(waiting)
        assert counts.fired == fired
        assert counts.waiting <= counts.stored < max(64, 2 * counts.waiting + 1) + 1

    def test_repr(self):
        """What is shown are counts."""
        queue, timer = TimerQueue(), Timer(12.5, "what")

        shown = [repr(queue), repr(timer)]
        queue.add(timer)
        shown += [repr(queue), repr(timer)]
        queue.pop_due(20)

        assert [*shown, repr(timer)] == [
            "<TimerQueue: 0 waiting>",
            "<Timer new, due at 12.5>",
            "<TimerQueue: 1 waiting, the next due at 12.5>",
            "<Timer waiting, due at 12.5>",
            "<Timer fired, due at 12.5>",
        ]

    def test_clear(self):
        """A queue can be emptied."""
        queue = TimerQueue()
        for number in range(10):
            queue.add(Timer(number, None))

        queue.clear()

        assert (len(queue), queue.next_due, queue.statistics().cancelled) == (0, None, 10)

    def test_several_threads(self):
        """Threads that make, cancel and take timers at the same time lose none and get none twice."""
        queue, taken = TimerQueue(), []

        def work():
            for number in range(500):
                kept, dropped = Timer(number % 7, None, ("key",)), Timer(number % 7, None, ("key",))
                queue.add(kept)
                queue.add(dropped)
                queue.cancel(dropped)
                found = queue.pop_due(10)
                taken.append(found)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        found = [one for one in taken if one is not None]
        while (rest := queue.pop_due(10)) is not None:
            found.append(rest)
        assert len(set(found)) + queue.statistics().cancelled == 4000
        assert len(found) == len(set(found))
        assert queue.filed("key") == ()


class TestOption:
    """`clock=` of the constructor."""

    def test_default(self):
        """Without one, a system goes by the machine's own clock."""

        class Shop(Orchestrator):
            order: Order = machine(factory=Order)

        before = time.monotonic()
        now = Shop().clock.now()

        assert before <= now <= time.monotonic()
        assert repr(Shop().clock) == "<MonotonicClock>"

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            (None, "clock=None is no clock. Pass a Clock, or leave it out to go by the machine's own."),
            (time, "is no clock. Pass a Clock"),
            (SimulatedClock, "is no clock. Pass SimulatedClock()."),
            (Clock, "is no clock. Pass a Clock"),
        ],
    )
    def test_no_clock(self, given, text):
        """What is no clock is refused, together with all other mistakes of the arguments."""

        class Shop(Orchestrator):
            order: Order

        with pytest.raises(ArgumentsError) as caught:
            Shop(Order(), clock=given)
        with pytest.raises(ConstructionError) as both:
            Shop(clock=given)

        assert text in str(caught.value)
        assert [one.where for one in both.value.problems] == ["Shop()", "Shop()"]

    def test_misspelt(self):
        """A keyword that is like it is told so."""

        class Shop(Orchestrator):
            order: Order = machine(factory=Order)

        with pytest.raises(ArgumentsError, match="Did you mean 'clock'"):
            Shop(clokc=SimulatedClock())

    def test_reserved(self):
        """No field can be called so, and nobody replaces the clock of a system."""
        with pytest.raises(ReservedNameError, match="clock"):

            class Shop(Orchestrator):
                order: Order
                clock: int = data(default=0)

        class Other(Orchestrator):
            order: Order = machine(factory=Order)

        with pytest.raises(AttributeError):
            Other().clock = SimulatedClock()

    def test_by_position(self):
        """It is given by name only."""

        class Shop(Orchestrator):
            order: Order = machine(factory=Order)

        with pytest.raises(ArgumentsError, match="2 arguments by position, but there are 1 fields"):
            Shop(Order(), SimulatedClock())


class Copied(Orchestrator):
    order: Order = machine(factory=Order)
    keeper: object = data(default=None)


class TestCopies:
    @pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
    def test_shared(self, make_copy):
        """A copy goes by the same clock, and so does data that refers to it; timers stay with the original."""
        clock = SimulatedClock()
        system = Copied(keeper=clock, clock=clock)
        system.order.send("process", delay=10)

        other = make_copy(system)
        other.order.send("process", delay=20)
        clock.advance(0.01)
        early = str(other.configuration)
        clock.advance(0.01)

        assert other.clock is other.keeper is clock
        assert (str(system.configuration), early) == ("order=processing", "order=pending")
        assert str(other.configuration) == "order=processing"

    def test_pickled(self):
        """A pickled simulated clock knows the time and the systems that were pickled with it; the default is itself."""
        clock = SimulatedClock()
        systems = [Copied(clock=clock), Copied(clock=clock)]
        clock.advance(5)

        others = pickle.loads(pickle.dumps(systems))
        others[0].order.send("process", delay=10)
        others[0].clock.advance_to_next()
        default = pickle.loads(pickle.dumps(Copied()))

        assert others[0].clock is others[1].clock
        assert others[0].clock is not clock
        assert others[0].clock.now() == 5.01
        assert str(others[0].configuration) == "order=processing"
        assert type(default.clock) is MonotonicClock
