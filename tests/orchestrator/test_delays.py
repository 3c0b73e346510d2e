"""Delayed events: the caller waits for them as in python-statemachine, and nobody else does."""

from __future__ import annotations

import asyncio
import logging
import threading
from inspect import isawaitable

import pytest
from shop import Order, Payment
from statemachine import Event, State, StateChart, StateMachine
from worlds import until

from statemachines_orchestrator import Orchestrator, machine


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
        self.send("ring", send_id="the ring")

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
    return System(alarm, world.machine(Order)(), Payment())


async def beside(world, system, call, action):
    """Start a call in a thread or task; once it waits for a delayed event do something; return the call's outcome."""
    outcome = []

    def is_waiting():
        return any(engine.delayed for engine in system._system.engines)

    if world.is_async:
        task = asyncio.ensure_future(call())
        await until(is_waiting)
        await action()
        return await asyncio.gather(task, return_exceptions=True)

    def run():
        outcome.append(call())

    thread = threading.Thread(target=run)
    thread.start()
    while not is_waiting():
        threading.Event().wait(0.001)
    action()
    thread.join(5)
    return outcome


def test_the_caller_waits(world):
    """The call that causes a delayed event returns when it has been delivered; siblings were called in its step."""

    async def scenario():
        system = make(world)
        await world.call(system.alarm.set_off())
        return str(system.configuration)

    assert world.run(scenario) == "alarm=ringing order=pending payment=authorized"


def test_others_take_turns_meanwhile(world):
    """While a caller waits for a delayed event, others run their steps."""

    async def scenario():
        system = make(world)
        await world.call(system.activate())
        seen = []

        def action():
            system.order.process()
            seen.append(str(system.configuration))

        async def async_action():
            await system.order.process()
            seen.append(str(system.configuration))

        await beside(world, system, system.alarm.set_off, async_action if world.is_async else action)
        return seen, str(system.configuration)

    assert world.run(scenario) == (
        ["alarm=set_up order=processing payment=unpaid"],
        "alarm=ringing order=processing payment=authorized",
    )


def test_cancelled_meanwhile(world):
    """Cancelling the delayed event ends the wait."""

    async def scenario():
        system = make(world)
        await world.call(system.activate())

        async def cancel():
            system.alarm.cancel_event("the ring")

        action = cancel if world.is_async else lambda: system.alarm.cancel_event("the ring")
        await beside(world, system, system.alarm.set_off, action)
        return str(system.configuration)

    assert world.run(scenario) == "alarm=set_up order=pending payment=unpaid"


def test_a_failure_reaches_the_caller_once(world):
    """A delayed event that fails is a step of its own that is put back; it is not tried again."""

    async def scenario():
        system = make(world, failing=True)
        with pytest.raises(ValueError, match="out of order"):
            await world.call(system.alarm.set_off())
        after = str(system.configuration)
        await world.call(system.order.process())
        return after, str(system.configuration)

    assert world.run(scenario) == (
        "alarm=set_up order=pending payment=unpaid",
        "alarm=set_up order=processing payment=unpaid",
    )


@pytest.mark.parametrize("failing", [False, True])
def test_a_caller_that_stops_waiting(caplog, failing):
    """An overdue event whose caller has gone is delivered with the next step; its failure reaches the log alone."""

    class AsyncAlarm(Alarm):
        async def on_stop(self):
            """Make the machine asynchronous."""

    async def scenario():
        alarm = AsyncAlarm()
        alarm.failing = failing
        system = System(alarm, Order(), Payment())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(system.alarm.set_off(), 0.01)
        await asyncio.sleep(0.35)
        waiting = str(system.configuration)
        await system.order.process()
        return waiting, str(system.configuration)

    with caplog.at_level(logging.ERROR, "statemachines_orchestrator"):
        waiting, after = asyncio.run(scenario())

    assert waiting == "alarm=set_up order=pending payment=unpaid"
    if failing:
        assert after == "alarm=set_up order=processing payment=unpaid"
        assert [record.message for record in caplog.records] == [
            "a delayed event of alarm failed, and nobody waits for it"
        ]
    else:
        assert after == "alarm=ringing order=processing payment=authorized"


@pytest.mark.parametrize("failing", [False, True])
def test_a_thread_that_stops_waiting(caplog, monkeypatch, failing):
    """The same after Ctrl-C in a synchronous system."""
    from statemachines_orchestrator.system import _blocking

    alarm = Alarm()
    alarm.failing = failing
    system = System(alarm, Order(), Payment())

    class Interrupting:
        def wait(self, seconds):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_blocking, "_never", Interrupting())
        with pytest.raises(KeyboardInterrupt):
            system.alarm.set_off()
    system.order.process()
    early = str(system.configuration)
    threading.Event().wait(0.35)
    with caplog.at_level(logging.ERROR, "statemachines_orchestrator"):
        system.order.ship()

    assert early == "alarm=set_up order=processing payment=unpaid"
    assert str(system.configuration) == (
        "alarm=set_up order=shipped payment=unpaid" if failing else "alarm=ringing order=shipped payment=authorized"
    )
    assert len(caplog.records) == failing


def test_the_result_of_a_delayed_event(world):
    """Sending with a delay gives the result of that event, when its time has come; None if it was cancelled."""

    async def scenario():
        system = make(world)
        await world.call(system.activate())
        result = await world.call(system.payment.send("authorize", amount=3, delay=20))

        def call():
            return system.payment.send("capture", delay=10_000, send_id="later")

        async def cancel():
            system.payment.cancel_event("later")

        action = cancel if world.is_async else lambda: system.payment.cancel_event("later")
        return result, await beside(world, system, call, action)

    assert world.run(scenario) == ("authorized 3", [None])


def test_a_delayed_event_for_a_machine_that_has_ended(world):
    """A delayed event whose machine ends before its time has come is refused, to who sent it."""

    async def scenario():
        system = make(world)
        await world.call(system.activate())
        refused = []

        def call():
            try:
                return system.payment.send("capture", delay=10_000)
            except StateMachine.TransitionNotAllowed as refusal:
                refused.append(str(refusal))

        async def async_call():
            try:
                return await system.payment.send("capture", delay=10_000)
            except StateMachine.TransitionNotAllowed as refusal:
                refused.append(str(refusal))

        async def end():
            await system.payment.void()

        await beside(
            world, system, async_call if world.is_async else call, end if world.is_async else system.payment.void
        )
        return refused, str(system.configuration)

    assert world.run(scenario) == (
        ["Can't Capture when in Voided."],
        "alarm=quiet order=pending payment=voided",
    )


def test_delays_from_the_start(world):
    """A delayed event that an initial entry sends is waited for by who enters the initial states."""

    class Early(Alarm):
        def on_enter_quiet(self):
            if not self.ringing.is_active:
                self.send("set_off", delay=20)

    class Starting(Orchestrator):
        alarm: Early = machine(factory=lambda: world.machine(Early)())
        payment: Payment = machine(factory=Payment)

    async def scenario():
        system = Starting()
        await world.call(system.activate())
        return str(system.configuration)

    assert world.run(scenario) == "alarm=ringing payment=authorized"


def test_what_comes_first():
    """An invoke handler that is done before a delayed event is heard before it."""

    def work():
        return "done"

    class Racing(StateChart):
        idle = State(initial=True)
        working = State(invoke=work)
        done = State(final=True)
        late = State(final=True)
        start = idle.to(working)
        timeout = Event(working.to(late), delay=300)
        done_invoke_working = Event(working.to(done), id="done.invoke.working")

        def after_start(self):
            self.send("timeout")

    class Race(Orchestrator):
        racing: Racing = machine(factory=Racing)

    race = Race()
    result = race.racing.start()

    assert not isawaitable(result)
    assert str(race.configuration) == "racing=done"


def test_who_caused_a_delayed_event_keeps_it(monkeypatch):
    """A step that comes between the end of a step and the wait for its delayed event does not take the event over."""
    from statemachines_orchestrator.system._turns import Turns

    system = System(Alarm(), Order(), Payment())
    leave = Turns.leave
    strangers = []

    def leave_slowly(turns):
        leave(turns)
        if threading.current_thread() is threading.main_thread() and not strangers:
            strangers.append(threading.Thread(target=system.payment.authorize))
            strangers[0].start()
            strangers[0].join(5)

    monkeypatch.setattr(Turns, "leave", leave_slowly)
    result = system.payment.send("capture", delay=20)

    assert result is None
    assert str(system.configuration) == "alarm=quiet order=pending payment=captured"


def test_strangers_do_not_wait_for_forsaken_events():
    """An event whose caller has gone holds nobody up before its time, not even on the same machine."""

    class AsyncAlarm(Alarm):
        async def on_stop(self):
            """Make the machine asynchronous."""

    async def scenario():
        system = System(AsyncAlarm(), Order(), Payment())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(system.alarm.send("set_off", delay=60_000), 0.01)
        await asyncio.wait_for(system.alarm.set_off(), 5)
        return str(system.configuration)

    assert asyncio.run(scenario()) == "alarm=ringing order=pending payment=authorized"


def test_an_end_that_is_put_back():
    """A delayed event waits on if its machine only seemed to end, in a step that failed."""

    class Ending(Order):
        async def on_process(self, orc):
            orc.payment.void()
            await asyncio.sleep(0.03)
            msg = "not after all"
            raise ValueError(msg)

    async def scenario():
        system = System(Alarm(), Ending(), Payment())
        await system.activate()
        late = asyncio.ensure_future(system.payment.send("authorize", amount=4, delay=80))
        await asyncio.sleep(0.01)
        with pytest.raises(ValueError, match="not after all"):
            await system.order.process()
        return await late, str(system.configuration)

    assert asyncio.run(scenario()) == ("authorized 4", "alarm=quiet order=pending payment=authorized")


def test_an_interrupted_delivery_of_overdue_events():
    """Overdue events that were not reached when their delivery was interrupted are delivered with the next step."""

    class Slow(StateMachine):
        on = State(initial=True)
        work = on.to.itself()
        heard = 0

        async def on_work(self):
            self.heard += 1
            await asyncio.sleep(0.05)

    class Many(Orchestrator):
        first: Slow = machine(factory=Slow)
        second: Slow = machine(factory=Slow)
        order: Order = machine(factory=Order)

    async def scenario():
        system = Many()
        await system.activate()
        for slow in (system.first, system.second):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(slow.send("work", delay=30), 0.005)
        await asyncio.sleep(0.05)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(system.order.process(), 0.01)
        await system.order.process()
        return system.first.heard, system.second.heard

    assert asyncio.run(scenario()) == (1, 1)
