"""R3: all or nothing. A step that ends with an exception is put back, whole."""

from __future__ import annotations

import _thread
import asyncio
import contextvars
import signal
import threading

import pytest
from shop import Order, Payment
from statemachine import HistoryState, State, StateChart, StateMachine

from statemachines_orchestrator import Orchestrator, data, machine


class Deliberate(Exception):
    """The failure under test."""


def _fail(self):
    raise Deliberate


class Chart(StateChart):
    """Compound, parallel and history states, in a class whose errors propagate."""

    catch_errors_as_events = False

    outside = State(initial=True)

    class box(State.Compound):
        first = State(initial=True)
        second = State()
        forward = first.to(second)
        back = HistoryState()

    class both(State.Parallel):
        class left(State.Compound):
            l1 = State(initial=True)
            l2 = State()
            l_go = l1.to(l2)

        class right(State.Compound):
            r1 = State(initial=True)
            r2 = State()
            r_go = r1.to(r2)

    end = State(final=True)
    enter = outside.to(box)
    leave = box.to(outside)
    resume = outside.to(box.back)
    split = outside.to(both)
    join = both.to(outside)
    finish = outside.to(end)


class Mover(StateMachine):
    """Moves its siblings inside its own transition, then fails where it is told to."""

    idle = State(initial=True)
    moved = State(final=True)
    go = idle.to(moved, validators="validate")

    def _maybe(self, where, orc, fail_in, moves):
        if where == "on":
            for member, event in moves:
                getattr(orc, member).send(event)
        if where == fail_in:
            raise Deliberate

    def validate(self, fail_in=None, moves=(), *, orc):
        self._maybe("validator", orc, fail_in, moves)

    def before_go(self, fail_in=None, moves=(), *, orc):
        self._maybe("before", orc, fail_in, moves)

    def on_exit_idle(self, fail_in=None, moves=(), *, orc):
        self._maybe("exit", orc, fail_in, moves)

    def on_go(self, fail_in=None, moves=(), *, orc):
        self._maybe("on", orc, fail_in, moves)

    def on_enter_moved(self, fail_in=None, moves=(), *, orc):
        self._maybe("enter", orc, fail_in, moves)

    def after_go(self, fail_in=None, moves=(), *, orc):
        self._maybe("after", orc, fail_in, moves)


class AsyncMover(Mover):
    async def on_go(self, fail_in=None, moves=(), *, orc):
        for member, event in moves:
            await getattr(orc, member).send(event)
        if fail_in == "on":
            raise Deliberate


class System(Orchestrator):
    mover: Mover = machine(factory=Mover)
    chart: Chart = machine(factory=Chart)
    payment: Payment = machine(factory=Payment)
    count: int = data(default=0)


class AsyncSystem(Orchestrator):
    mover: AsyncMover = machine(factory=AsyncMover)
    chart: Chart = machine(factory=Chart)
    payment: Payment = machine(factory=Payment)
    count: int = data(default=0)


def make(world, **keywords):
    return (AsyncSystem if world.is_async else System)(**keywords)


@pytest.mark.parametrize("phase", ["validator", "before", "exit", "on", "enter", "after"])
def test_a_failure_in_any_phase_puts_everything_back(world, phase):
    """Whatever callback fails, no machine is where the step brought it, and the caller gets the exception."""

    async def scenario():
        system = make(world)
        await world.call(system.activate())
        before = system.configuration
        with pytest.raises(Deliberate):
            await world.call(system.mover.go(fail_in=phase, moves=[("payment", "authorize"), ("chart", "split")]))
        return before == system.configuration, str(system.configuration)

    assert world.run(scenario) == (True, "mover=idle chart=outside payment=unpaid")


def test_the_next_step_works_as_if_nothing_had_happened(world):
    """After a failed step the same event can succeed."""

    async def scenario():
        system = make(world)
        moves = [("payment", "authorize"), ("chart", "split")]
        with pytest.raises(Deliberate):
            await world.call(system.mover.go(fail_in="after", moves=moves))
        await world.call(system.mover.go(moves=moves))
        return str(system.configuration)

    assert world.run(scenario) == "mover=moved chart=l1+r1 payment=authorized"


def test_a_refusal_of_a_sibling_puts_everything_back(world):
    """If one of several nested events is refused, those before it are taken back."""

    async def scenario():
        system = make(world)
        with pytest.raises(StateMachine.TransitionNotAllowed, match="Can't Capture when in Unpaid"):
            await world.call(system.mover.go(moves=[("chart", "enter"), ("payment", "capture")]))
        return str(system.configuration)

    assert world.run(scenario) == "mover=idle chart=outside payment=unpaid"


def test_a_caught_failure_is_no_failure_of_the_step(world):
    """A callback may catch what a sibling raised; then the step goes on, and what moved stays moved."""

    class Catcher(StateMachine):
        idle = State(initial=True)
        moved = State(final=True)
        go = idle.to(moved)

        def on_go(self, orc):
            orc.payment.authorize()
            with pytest.raises(StateMachine.TransitionNotAllowed):
                orc.payment.authorize()

    class Catching(Orchestrator):
        catcher: Catcher = machine(factory=Catcher)
        payment: Payment = machine(factory=Payment)

    system = Catching()
    system.catcher.go()

    assert str(system.configuration) == "catcher=moved payment=authorized"


def test_history_is_put_back(world):
    """What a history state has recorded in a failed step is forgotten again."""

    async def scenario():
        system = make(world)
        for event in ("enter", "forward", "leave"):
            await world.call(system.chart.send(event))
        with pytest.raises(Deliberate):
            await world.call(
                system.mover.go(fail_in="after", moves=[("chart", "enter"), ("chart", "leave"), ("chart", "enter")])
            )
        await world.call(system.chart.resume())
        return str(system.configuration)

    assert world.run(scenario) == "mover=idle chart=second payment=unpaid"


def test_the_end_of_a_machine_is_put_back(world):
    """A machine that ended in a failed step has not ended."""

    async def scenario():
        system = make(world)
        with pytest.raises(Deliberate):
            await world.call(system.mover.go(fail_in="after", moves=[("chart", "finish"), ("payment", "void")]))
        assert not system.chart.is_terminated
        await world.call(system.payment.authorize())
        await world.call(system.chart.split())
        return str(system.configuration)

    assert world.run(scenario) == "mover=idle chart=l1+r1 payment=authorized"


def test_queued_events_are_dropped_with_the_step(world):
    """What callbacks had queued in a failed step is not delivered later."""

    class Queuer(StateMachine):
        one = State(initial=True)
        two = State()
        go = one.to(two)
        stay = one.to.itself() | two.to.itself()
        seen = []

        def on_go(self):
            self.send("stay")
            raise Deliberate

        def on_stay(self):
            self.seen.append(1)

    class Queueing(Orchestrator):
        queuer: Queuer
        payment: Payment = machine(factory=Payment)

    async def scenario():
        system = Queueing(world.machine(Queuer)())
        with pytest.raises(Deliberate):
            await world.call(system.queuer.go())
        await world.call(system.queuer.stay())
        return Queuer.seen

    Queuer.seen.clear()
    assert world.run(scenario) == [1]


def test_what_stood_behind_a_refused_event_is_dropped_too(world):
    """python-statemachine keeps what is queued behind a refused event; with the step it is taken back."""

    class Chain(StateMachine):
        one = State(initial=True)
        two = State()
        three = State(final=True)
        go = one.to(two)
        skip = one.to(two)
        more = two.to(three)

        def on_go(self):
            self.send("go")  # refused in state two, before `more` is tried
            self.send("more")

    class Chaining(Orchestrator):
        chain: Chain

    async def scenario():
        system = Chaining(world.machine(Chain)())
        with pytest.raises(StateMachine.TransitionNotAllowed):
            await world.call(system.chain.go())
        after = str(system.configuration)
        await world.call(system.chain.skip())
        return after, str(system.configuration)

    assert world.run(scenario) == ("chain=one", "chain=two")


def test_data_that_was_bound_is_put_back(world):
    """Declared data bound in a failed step has its old value again; what was changed in place has not."""

    class Writer(StateMachine):
        one = State(initial=True)
        two = State(final=True)
        go = one.to(two)

        def on_go(self, orc):
            orc.count += 1
            orc.count += 1
            orc.notes.append("in place")

        def after_go(self):
            raise Deliberate

    class Writing(Orchestrator):
        writer: Writer
        count: int = data(default=5)
        notes: list = data(default_factory=list)

    async def scenario():
        system = Writing(world.machine(Writer)())
        with pytest.raises(Deliberate):
            await world.call(system.writer.go())
        return system.count, system.notes

    assert world.run(scenario) == (5, ["in place"])


def test_not_atomic(world):
    """`atomic=False` leaves everything where python-statemachine leaves it."""

    class Loose(System, atomic=False):
        pass

    class AsyncLoose(AsyncSystem, atomic=False):
        pass

    async def scenario():
        system = (AsyncLoose if world.is_async else Loose)()
        with pytest.raises(Deliberate):
            await world.call(system.mover.go(fail_in="after", moves=[("payment", "authorize")]))
        return str(system.configuration)

    assert world.run(scenario) == "mover=moved chart=outside payment=authorized"


def test_an_interrupt_puts_everything_back():
    """Ctrl-C in the middle of a transition leaves no machine between two states."""

    class Interrupted(StateChart):
        one = State(initial=True)
        two = State(final=True)
        go = one.to(two)

        def on_go(self, orc):
            orc.payment.authorize()
            raise KeyboardInterrupt

    class Interrupting(Orchestrator):
        interrupted: Interrupted = machine(factory=Interrupted)
        payment: Payment = machine(factory=Payment)

    system = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        system.interrupted.go()

    assert str(system.configuration) == "interrupted=one payment=unpaid"


def test_cancelling_the_caller_puts_everything_back():
    """Cancelling the task that awaits an event cancels its step; the next in line gets its turn."""

    class Slow(StateMachine):
        one = State(initial=True)
        two = State(final=True)
        go = one.to(two)

        async def on_go(self, orc):
            await orc.payment.send("authorize")
            await asyncio.sleep(60)

    class Slowing(Orchestrator):
        slow: Slow = machine(factory=Slow)
        payment: Payment = machine(factory=Payment)

    async def scenario():
        system = Slowing()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(system.slow.go(), 0.01)
        cancelled = str(system.configuration)
        await system.payment.authorize()
        return cancelled, str(system.configuration)

    assert asyncio.run(scenario()) == ("slow=one payment=unpaid", "slow=one payment=authorized")


def test_cancelling_a_caller_that_waits_for_its_turn():
    """An event whose caller is cancelled before its turn has come never happens."""

    class Gated(StateMachine):
        one = State(initial=True)
        two = State(final=True)
        go = one.to(two)

        async def on_go(self, gate):
            await gate.wait()

    class Gating(Orchestrator):
        gated: Gated = machine(factory=Gated)
        payment: Payment = machine(factory=Payment)

    async def scenario():
        system = Gating()
        gate = asyncio.Event()
        first = asyncio.ensure_future(system.gated.go(gate))
        await asyncio.sleep(0.1)
        second = asyncio.ensure_future(system.payment.void())
        third = asyncio.ensure_future(system.payment.authorize())
        await asyncio.sleep(0.1)
        second.cancel()
        gate.set()
        await asyncio.gather(first, third)
        with pytest.raises(asyncio.CancelledError):
            await second
        return str(system.configuration)

    assert asyncio.run(scenario()) == "gated=two payment=authorized"


def test_errors_as_events_are_no_failure(world):
    """A StateChart that turns errors into events handles them itself; the step succeeds."""

    class Handling(StateChart):
        one = State(initial=True)
        two = State()
        bad = State(final=True)
        go = one.to(two, on=_fail)
        error_execution = two.to(bad)

    class Handled(Orchestrator):
        chart: Handling
        payment: Payment = machine(factory=Payment)

    async def scenario():
        system = Handled(world.machine(Handling)())
        await world.call(system.chart.go())
        return str(system.configuration)

    assert world.run(scenario) == "chart=bad payment=unpaid"


def test_a_failing_initial_entry(world):
    """If an initial entry fails, no member has started, and machines that were passed are free again."""

    class Failing(StateMachine):
        one = State(initial=True)
        two = State(final=True)
        go = one.to(two)
        broken = True

        def on_enter_one(self, orc):
            orc.order.process()
            if self.broken:
                raise Deliberate

    class Starting(Orchestrator):
        order: Order
        failing: Failing = machine(factory=lambda: world.machine(Failing)())

    async def scenario():
        order = Order()
        if world.is_async:
            system = Starting(order)
            with pytest.raises(Deliberate):
                await system.activate()
            assert str(system.configuration) == "order=pending failing=-"
            system.failing.broken = False
            await system.activate()
            return str(system.configuration)
        with pytest.raises(Deliberate):
            Starting(order)
        assert order.pending.is_active
        Failing.broken = False
        return str(Starting(order).configuration)

    assert world.run(scenario) == "order=processing failing=one"


def test_a_machine_may_say_what_else_to_put_back(world):
    """`__orchestrator_save__` and `__orchestrator_restore__` let a machine class put its own data back, too."""

    class Keeper(StateMachine):
        one = State(initial=True)
        two = State(final=True)
        go = one.to(two)

        def __init__(self, *args, **kwargs):
            self.ledger = ["begun"]
            super().__init__(*args, **kwargs)

        def __orchestrator_save__(self):
            return list(self.ledger)

        def __orchestrator_restore__(self, saved):
            self.ledger = saved

        def on_go(self):
            self.ledger.append("gone")

        def after_go(self):
            raise Deliberate

    class Keeping(Orchestrator):
        keeper: Keeper
        payment: Payment = machine(factory=Payment)

    async def scenario():
        system = Keeping(world.machine(Keeper)())
        with pytest.raises(Deliberate):
            await world.call(system.keeper.go())
        return system.keeper.ledger

    assert world.run(scenario) == ["begun"]


def test_invocations_of_states_that_were_only_entered_in_the_failed_step_are_stopped():
    """An invoke handler that a failed step has started is cancelled."""
    cancelled = threading.Event()

    def work(ctx):
        if ctx.cancelled.wait(5):
            cancelled.set()

    class Working(StateMachine):
        idle = State(initial=True)
        busy = State(invoke=work)
        start = idle.to(busy)
        stop = busy.to(idle)

    class Starter(StateMachine):
        one = State(initial=True)
        two = State(final=True)
        go = one.to(two)

        def on_go(self, orc):
            orc.working.start()
            raise Deliberate

    class Invoking(Orchestrator):
        starter: Starter = machine(factory=Starter)
        working: Working = machine(factory=Working)

    system = Invoking()
    with pytest.raises(Deliberate):
        system.starter.go()

    assert cancelled.wait(5)
    assert str(system.configuration) == "starter=one working=idle"


def test_what_cannot_be_put_back_keeps_nothing_else_back():
    """If a hook or a setter of the user's fails while a step is put back, the rest is put back, and the error says so."""

    class Stubborn(Payment):
        def __orchestrator_restore__(self, saved):
            msg = "never"
            raise RuntimeError(msg)

        def __orchestrator_save__(self):
            return None

    class Failing(Mover):
        pass

    class Stuck(Orchestrator):
        mover: Failing = machine(factory=Failing)
        payment: Stubborn = machine(factory=Stubborn)
        count: int = data(default=1)

    stuck = Stuck()
    with pytest.raises(Deliberate) as caught:
        stuck.mover.go(fail_in="after", moves=[("payment", "authorize")])

    assert str(stuck.configuration) == "mover=idle payment=unpaid"
    assert caught.value.__notes__ == ["payment could not be put back as it was: RuntimeError('never')"]


def test_not_atomic_drops_what_was_queued(world):
    """Without putting back, what a failed step wanted to do next does not fall on the next caller."""

    class Queuer(StateMachine):
        one = State(initial=True)
        two = State()
        go = one.to(two)
        boom = two.to.itself(on=_fail)
        fine = two.to.itself(on="answer")

        def on_go(self):
            self.send("go")  # refused in state two
            self.send("boom")

        def answer(self):
            return "fine"

    class Loose(Orchestrator, atomic=False):
        queuer: Queuer

    async def scenario():
        system = Loose(world.machine(Queuer)())
        with pytest.raises(StateMachine.TransitionNotAllowed):
            await world.call(system.queuer.go())
        answer = await world.call(system.queuer.fine())
        return answer[-1] if isinstance(answer, list) else answer, str(system.configuration)

    assert world.run(scenario) == ("fine", "queuer=two")


@pytest.mark.parametrize("where", ["data", "post_init"])
def test_machines_are_free_again_whatever_fails(where):
    """Whatever makes the constructor fail, a machine that was passed can be passed again."""

    def no_data():
        raise Deliberate

    class Unlucky(Orchestrator):
        order: Order
        notes: list = data(default_factory=no_data if where == "data" else list)

        def __post_init__(self):
            if where == "post_init":
                raise Deliberate

    class Lucky(Orchestrator):
        order: Order

    order = Order()
    with pytest.raises(Deliberate):
        Unlucky(order)

    assert Lucky(order).order.pending.is_active


def test_a_factory_that_fails_says_why():
    """What a factory raised is the news, also if the machine that it had made cannot start without the orchestrator."""

    class Asking(Order):
        def on_enter_pending(self, orc): ...

    def make():
        Asking()
        raise Deliberate

    class Making(Orchestrator):
        order: Asking = machine(factory=make)

    with pytest.raises(Deliberate):
        Making()


def test_a_second_cancellation_while_a_step_is_put_back():
    """A step that fails waits for the calls inside it, however often its caller is cancelled, and is put back whole."""

    class Outer(Order):
        async def on_process(self, orc):
            await asyncio.shield(orc.inner.authorize())

    class Inner(Payment):
        async def on_authorize(self):
            await asyncio.sleep(0.1)

    class Shielding(Orchestrator):
        outer: Outer = machine(factory=Outer)
        inner: Inner = machine(factory=Inner)

    async def scenario():
        system = Shielding()
        await system.activate()
        task = asyncio.ensure_future(system.outer.process())
        await asyncio.sleep(0.02)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.CancelledError):
            await task
        after = str(system.configuration)
        await asyncio.sleep(0.15)
        await system.inner.authorize()
        return after, str(system.configuration)

    assert asyncio.run(scenario()) == ("outer=pending inner=unpaid", "outer=pending inner=authorized")


def test_an_interrupt_while_a_step_is_put_back():
    """The same for Ctrl-C in a thread that waits for another thread inside its step."""
    release = threading.Event()

    class Outer(Order):
        def on_process(self, orc):
            inside = threading.Event()
            run = contextvars.copy_context().run
            threading.Thread(target=lambda: run(orc.inner.authorize, inside)).start()
            assert inside.wait(5)
            raise Deliberate

    class Inner(Payment):
        def on_authorize(self, inside):
            inside.set()
            assert release.wait(5)

    class Interrupting(Orchestrator):
        outer: Outer = machine(factory=Outer)
        inner: Inner = machine(factory=Inner)

    system = Interrupting()
    # A shell starts background jobs with the signal ignored, and tests may be one.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.1, _thread.interrupt_main).start()
        threading.Timer(0.2, release.set).start()
        with pytest.raises(KeyboardInterrupt):
            system.outer.process()
    finally:
        signal.signal(signal.SIGINT, before)

    assert str(system.configuration) == "outer=pending inner=unpaid"


def test_invocations_of_a_state_that_was_entered_again_are_stopped():
    """An invocation that the failed step started is cancelled, also if its state is active as before."""
    handlers = []

    def work(ctx):
        handlers.append(ctx.cancelled)
        ctx.cancelled.wait(5)

    class Working(StateMachine):
        busy = State(initial=True, invoke=work)
        again = busy.to(busy)

    class Starter(Mover):
        pass

    class Invoking(Orchestrator):
        working: Working = machine(factory=Working)
        starter: Starter = machine(factory=Starter)

    system = Invoking()
    with pytest.raises(Deliberate):
        system.starter.go(fail_in="after", moves=[("working", "again")])
    while len(handlers) < 2:
        threading.Event().wait(0.001)

    assert all(cancelled.is_set() for cancelled in handlers)


def test_a_callback_that_gives_up_on_a_nested_event():
    """If a callback cancels a nested event and goes on, that machine is where it was before, and not half-way."""

    class Slow(StateChart):
        one = State(initial=True)
        two = State()
        three = State(final=True)
        go = one.to(two)
        finish = two.to(three) | one.to(three)

        async def on_go(self):
            await asyncio.sleep(5)

    class Impatient(Order):
        async def on_process(self, orc):
            await orc.payment.authorize()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(orc.slow.go(), 0.02)

    class Hasty(Orchestrator):
        impatient: Impatient = machine(factory=Impatient)
        slow: Slow = machine(factory=Slow)
        payment: Payment = machine(factory=Payment)

    async def scenario():
        hasty = Hasty()
        await hasty.impatient.process()
        after = str(hasty.configuration)
        await hasty.slow.finish()
        return after, str(hasty.configuration)

    assert asyncio.run(scenario()) == (
        "impatient=processing slow=one payment=authorized",
        "impatient=processing slow=three payment=authorized",
    )
