"""What one can ask a system: where it is, what it can do, whether it has ended; and what one can tell it."""

from __future__ import annotations

import asyncio
import copy
import gc

import pytest
from shop import Order, Payment
from statemachine import State, StateChart
from worlds import until

from statemachines_orchestrator import (
    EventCall,
    In,
    Orchestrator,
    SystemConfiguration,
    data,
    exceptions,
    guard,
    machine,
)


class Parallel(StateChart):
    class light(State.Parallel):
        class colour(State.Compound):
            red = State(initial=True)
            green = State(final=True)
            change = red.to(green)

        class walk(State.Compound):
            stop = State(initial=True)
            go = State(final=True)
            start = stop.to(go)


class Shop(Orchestrator):
    order: Order
    payment: Payment
    count: int = data(default=0)


def make(world):
    return Shop(order=world.machine(Order)(), payment=Payment())


class TestConfiguration:
    def test_text_form(self):
        """The text form shows the innermost active states of each member, in declared order."""

        class Crossing(Orchestrator):
            light: Parallel = machine(factory=Parallel)
            order: Order = machine(factory=Order)

        assert repr(Crossing().configuration) == "light=red+stop order=pending"

    def test_all_levels(self):
        """It is a mapping from member to the ids of all its active states, at all levels."""

        class Crossing(Orchestrator):
            light: Parallel = machine(factory=Parallel)

        assert Crossing().configuration["light"] == {"light", "colour", "red", "walk", "stop"}
        assert len(Crossing().configuration) == 1

    def test_frozen_and_hashable(self, world):
        """A configuration does not follow the system; equal ones have equal hashes."""

        async def scenario():
            shop = make(world)
            await world.call(shop.activate())
            before = shop.configuration
            await world.call(shop.order.process())
            after = shop.configuration
            other = make(world)
            await world.call(other.activate())
            return before, after, other.configuration

        before, after, same = world.run(scenario)

        assert str(before) == "order=pending payment=unpaid"
        assert before != after
        assert before == same
        assert len({before, after, same}) == 2
        assert before != {"order": {"pending"}, "payment": {"unpaid"}}

    def test_unknown_member(self):
        """Asking for a member that is not there says which there are."""
        with pytest.raises(KeyError, match="there is no member 'oder'; the members are order, payment"):
            Shop(Order(), Payment()).configuration["oder"]
        assert "oder" not in Shop(Order(), Payment()).configuration

    def test_made_by_hand(self):
        """One can be made from a mapping, to compare with."""
        wanted = SystemConfiguration({"order": frozenset({"pending"}), "payment": frozenset({"unpaid"})})

        assert Shop(Order(), Payment()).configuration == wanted
        assert repr(wanted) == "order=pending payment=unpaid"


class TestSend:
    def test_by_address(self, world):
        """An address is member and event, joined by a dot; arguments go with it."""

        async def scenario():
            shop = make(world)
            return await world.call(shop.send("payment.authorize", amount=7)), str(shop.configuration["payment"])

        assert world.run(scenario) == ("authorized 7", "frozenset({'authorized'})")

    def test_unknown_names_carry_their_data(self):
        """The errors keep what was asked for and what there is."""
        shop = Shop(Order(), Payment())

        with pytest.raises(exceptions.UnknownMachineError) as no_member:
            shop.send("invoice.pay")
        with pytest.raises(exceptions.UnknownEventError) as no_event:
            shop.send("order.pay")

        assert (no_member.value.address, no_member.value.members) == ("invoice.pay", ("order", "payment"))
        assert (no_event.value.event, no_event.value.events) == ("pay", ("process", "ship", "cancel"))
        assert isinstance(no_event.value, LookupError)

    def test_dotted_events(self):
        """An event id may contain dots itself; wildcards of the machine count as declared."""

        class Dotted(StateChart):
            one = State(initial=True)
            two = State(final=True)
            one.to(two, event="mail.*")

        class System(Orchestrator):
            dotted: Dotted = machine(factory=Dotted)

        system = System()
        system.send("dotted.mail.arrived")

        assert system.dotted.two.is_active


class TestEnabledEvents:
    def test_addresses_of_what_can_happen(self, world):
        """Guards are asked, with the orchestrator; the answers are addresses that `send` takes."""

        class Careful(StateChart):
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two, cond="paid")

            def paid(self, orc):
                return orc.payment.authorized.is_active

        class System(Orchestrator):
            careful: Careful
            payment: Payment

        async def scenario():
            system = System(world.machine(Careful)(), Payment())
            await world.call(system.activate())
            before = await world.call(system.enabled_events())
            await world.call(system.payment.authorize())
            return before, await world.call(system.enabled_events())

        assert world.run(scenario) == (
            ("payment.authorize", "payment.void"),
            ("careful.go", "payment.capture", "payment.void"),
        )

    def test_of_one_machine(self, world):
        """A machine's own list leaves out what a guard forbids, and guards see the payload that is asked about."""

        class System(Orchestrator):
            order: Order = machine()
            payment: Payment = machine()

            paid_first = guard(order.process, In(payment.authorized))
            small = guard(order.cancel, lambda _orc, occurrence: occurrence.kwargs.get("amount", 0) < 9)

        async def scenario():
            system = System(world.machine(Order)(), Payment())
            await world.call(system.activate())
            before = await world.call(system.order.enabled_events(amount=10))
            await world.call(system.payment.authorize())
            after = await world.call(system.order.enabled_events(amount=1))
            return [str(event.id) for event in before], [str(event.id) for event in after]

        assert world.run(scenario) == ([], ["process", "cancel"])

    def test_from_inside_a_step(self, world):
        """A callback may ask, too."""
        seen = []

        class Curious(Order):
            def on_process(self, orc):
                seen.append(orc.enabled_events())

        class System(Orchestrator):
            curious: Curious
            payment: Payment

        async def scenario():
            await world.call(System(world.machine(Curious)(), Payment()).curious.process())
            return await world.call(seen[0])

        enabled = world.run(scenario)

        # Asked in the middle of the transition or, by an awaitable, when it is awaited.
        assert enabled == (
            ("curious.ship", "curious.cancel", "payment.authorize", "payment.void")
            if world.is_async
            else ("curious.process", "curious.cancel", "payment.authorize", "payment.void")
        )


class TestEnd:
    def test_when_every_member_has_ended(self, world):
        """A system has ended when every member is in a final state."""

        async def scenario():
            shop = make(world)
            await world.call(shop.order.cancel())
            half = shop.is_terminated
            await world.call(shop.payment.void())
            return half, shop.is_terminated

        assert world.run(scenario) == (False, True)

    def test_parallel_members(self):
        """A parallel machine has ended when all its regions have."""

        class Crossing(Orchestrator):
            light: Parallel = machine(factory=Parallel)

        crossing = Crossing()
        crossing.light.change()
        assert not crossing.is_terminated
        crossing.light.start()
        assert crossing.is_terminated


class TestObject:
    def test_repr(self):
        """The repr is one line: class and configuration."""
        assert repr(Shop(Order(), Payment())) == "<Shop order=pending payment=unpaid>"
        assert repr(Shop.__new__(Shop)) == "<Shop>"

    def test_identity(self):
        """Instances compare by identity and can be hashed."""
        one, two = Shop(Order(), Payment()), Shop(Order(), Payment())

        assert one != two
        assert len({one, two}) == 2

    def test_an_argument_called_address(self):
        """`send` takes any argument of the event, also one called `address`."""

        class Addressed(Order):
            def on_process(self, address):
                return address

        class Post(Orchestrator):
            order: Addressed = machine(factory=Addressed)

        assert Post().send("order.process", address="Main Street") == "Main Street"

    def test_data_cannot_be_deleted(self):
        """Declared data always has a value."""
        shop = Shop(Order(), Payment())

        with pytest.raises(AttributeError, match="always has a value"):
            del shop.count

    def test_members_cannot_be_replaced(self):
        """Neither assigned nor deleted; other attributes are free."""
        shop = Shop(Order(), Payment())
        shop.note = "free"
        del shop.note

        with pytest.raises(AttributeError, match="is a member"):
            shop.order = Order()
        with pytest.raises(AttributeError, match="is a member"):
            del shop.order


class TestAsynchronousSystems:
    """R8: if one member is asynchronous, the system is."""

    def test_every_event_call_is_awaitable(self):
        """Also of synchronous members, and also `send`; none of them is a coroutine."""

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            calls = [shop.order.process(), shop.payment.authorize(3), shop.send("payment.capture")]
            kinds = [type(call) for call in calls]
            return kinds, [await call for call in calls], repr(calls[0]), str(shop.configuration)

        assert asyncio.run(scenario()) == (
            [EventCall] * 3,
            [None, "authorized 3", None],
            "<EventCall finished>",
            "order=processing payment=captured",
        )

    def test_an_unawaited_event_is_delivered(self):
        """An event that nobody awaits is delivered all the same, in its turn and without a warning."""

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            shop.payment.authorize()
            call = shop.order.process()
            assert repr(call) == "<EventCall waiting>"
            await until(lambda: shop.order.processing.is_active)
            return str(shop.configuration)

        assert asyncio.run(scenario()) == "order=processing payment=authorized"

    def test_awaited_out_of_order(self):
        """Events happen in the order in which they were called, not in which they are awaited."""

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            first, second = shop.payment.authorize(1), shop.payment.capture()
            await second
            return await first, str(shop.configuration)

        assert asyncio.run(scenario()) == ("authorized 1", "order=pending payment=captured")

    def test_awaited_twice_and_by_two(self):
        """Awaiting a call again, or from two tasks, gives the same result."""

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            call = shop.payment.authorize(1)

            async def wait():
                return await call

            together = await asyncio.gather(wait(), wait())
            return together, await call

        assert asyncio.run(scenario()) == (["authorized 1", "authorized 1"], "authorized 1")

    def test_a_second_task_joins_the_one_that_runs_it(self):
        """A task that awaits a call which another task is running gets the same result, failure or cancellation."""

        class Gated(Order):
            async def on_process(self, gate):
                await gate.wait()
                return "done"

            async def on_cancel(self, gate):
                await gate.wait()
                raise ValueError

        async def outcome(call):
            try:
                return await call
            except (ValueError, exceptions.StepCancelledError, asyncio.CancelledError) as error:
                return type(error).__name__

        async def together(event, *, cancel=False):
            shop = Shop(Gated(), Payment())
            await shop.activate()
            gate = asyncio.Event()
            joined = []

            async def first():
                call = shop.order.send(event, gate)
                joined.append(asyncio.ensure_future(outcome(call)))
                return await outcome(call)  # awaited at once, so this task runs it

            running = asyncio.ensure_future(first())
            await asyncio.sleep(0.1)
            if cancel:
                running.cancel()
            gate.set()
            return await running, await joined[0]

        assert asyncio.run(together("process")) == ("done", "done")
        assert asyncio.run(together("cancel")) == ("ValueError", "ValueError")
        assert asyncio.run(together("process", cancel=True)) == ("CancelledError", "StepCancelledError")

    def test_questions_without_a_loop(self):
        """Without an event loop `activate` and `enabled_events` answer at once, and leave no turn taken."""
        shop = Shop(AsyncOrder(), Payment())
        kept = shop.enabled_events(), shop.activate()

        assert kept[0] == ("order.process", "order.cancel", "payment.authorize", "payment.void")
        assert shop.order.process() is None
        assert shop.payment.authorize(3) == "authorized 3"

    def test_timeouts_of_zero(self):
        """An event whose caller has no time at all does not happen."""

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            await shop.activate()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(shop.payment.authorize(), 0)
            await asyncio.sleep(0.01)
            await shop.order.process()
            return str(shop.configuration)

        assert asyncio.run(scenario()) == "order=processing payment=unpaid"

    def test_a_chain_of_tasks_keeps_nothing(self):
        """Events that go on for ever, each from a task that the last one has started, do not chain their steps up."""
        from statemachines_orchestrator.system._step import current_step

        tasks = []
        outer_steps = []

        async def tick(ticker):
            await asyncio.sleep(0.001)  # by then the step that started this task has ended
            await ticker.metronome.tick()

        class Metronome(StateChart):
            on = State(initial=True)
            tick = on.to.itself()

            async def on_tick(self, orc):
                outer_steps.append(current_step.get().outer)
                if len(tasks) < 5:
                    tasks.append(asyncio.create_task(tick(orc)))

        class Ticker(Orchestrator):
            metronome: Metronome = machine(factory=Metronome)

        async def scenario():
            await Ticker().metronome.tick()
            await until(lambda: len(outer_steps) == 6)

        asyncio.run(scenario())
        assert outer_steps == [None] * 6

    def test_where_a_coroutine_is_wanted(self):
        """A call can be handed to `create_task`, a TaskGroup, `gather`, `wait_for` and `shield`."""

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            results = [await asyncio.create_task(shop.payment.authorize(1))]
            async with asyncio.TaskGroup() as group:
                task = group.create_task(shop.order.process())
            results.append(task.result())
            results.extend(await asyncio.gather(shop.payment.capture(), asyncio.shield(shop.order.ship())))
            return results, str(shop.configuration), asyncio.iscoroutine(shop.activate())

        assert asyncio.run(scenario(), debug=True) == (
            ["authorized 1", None, None, None],
            "order=shipped payment=captured",
            True,
        )

    def test_several_tasks_of_one_call(self):
        """Every task that is made of one call gets its result or its failure, at the same time or one after another."""

        async def outcome(call):
            try:
                return await asyncio.wait_for(call, 5)
            except Order.TransitionNotAllowed:
                return "refused"

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            good, bad = shop.payment.authorize(1), shop.order.ship()
            together = await asyncio.gather(*(asyncio.create_task(call) for call in (good, good)))
            return together, [await outcome(call) for call in (good, good, bad, bad)]

        assert asyncio.run(scenario()) == (
            ["authorized 1"] * 2,
            ["authorized 1", "authorized 1", "refused", "refused"],
        )

    def test_a_task_that_is_cancelled_does_not_speak_for_others(self):
        """A task that is cancelled before its first step takes nothing from another that awaits the same call."""

        class Slow(Order):
            async def on_process(self):
                await asyncio.sleep(0.05)
                return "done"

        async def waiter(call):
            return await call

        async def scenario():
            call = Shop(Slow(), Payment()).order.process()
            first = asyncio.create_task(waiter(call))
            await asyncio.sleep(0.01)
            second = asyncio.create_task(call)
            second.cancel()
            return await first

        assert asyncio.run(scenario()) == "done"

    def test_a_failure_that_reaches_somebody_late(self, caplog):
        """An event that failed before anybody awaited it is not reported as unheard once somebody has."""

        async def scenario():
            call = Shop(AsyncOrder(), Payment()).order.ship()
            await asyncio.sleep(0.05)
            with pytest.raises(Order.TransitionNotAllowed):
                await call

        asyncio.run(scenario())
        gc.collect()
        assert caplog.records == []

    def test_a_task_that_is_cancelled_at_once(self):
        """A call in a task that is cancelled before it began never happens; one that is merely closed does."""

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            await shop.activate()
            task = asyncio.create_task(shop.payment.authorize(1))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.01)
            call = shop.payment.authorize(2)
            call.close()
            return await call, str(shop.configuration)

        assert asyncio.run(scenario()) == ("authorized 2", "order=pending payment=authorized")

    def test_a_failure_reaches_everybody_who_waits(self):
        """Two tasks that await the same refused event both get the refusal, as does a later one."""

        async def scenario():
            shop = Shop(AsyncOrder(), Payment())
            call = shop.order.ship()

            async def wait():
                try:
                    await call
                except Order.TransitionNotAllowed as error:
                    return str(error)

            return await asyncio.gather(wait(), wait()), await wait()

        text = "Can't Ship when in Pending."
        assert asyncio.run(scenario()) == ([text, text], text)

    def test_activation(self):
        """`async with`, `activate` and the first awaited event enter the initial states, once."""
        entered = []

        class Counted(AsyncOrder):
            def on_enter_pending(self, orc):
                entered.append(orc)

        async def scenario():
            async with Shop(Counted, Payment()) as shop:
                first = str(shop.configuration)
                await shop.activate()
                await shop.order.process()
            other = Shop(Counted, Payment())
            before = str(other.configuration)
            await other.payment.authorize()
            return first, before, str(other.configuration), [shop, other]

        first, before, after, shops = asyncio.run(scenario())

        assert (first, before) == ("order=pending payment=unpaid", "order=- payment=unpaid")
        assert after == "order=pending payment=authorized"
        assert entered == shops

    def test_activation_from_inside_a_step(self):
        """A callback may await `activate`: everything is active already."""

        class Activating(Order):
            async def on_process(self, orc):
                await orc.activate()
                return "fine"

        async def scenario():
            return await Shop(Activating(), Payment()).order.process()

        assert asyncio.run(scenario()) == "fine"

    def test_activation_in_a_callback_of_a_synchronous_system(self):
        """`activate` does nothing in a synchronous system, wherever it is called."""

        class Activating(Order):
            def on_enter_pending(self, orc):
                orc.activate()

            def on_process(self, orc):
                orc.activate()

        class System(Orchestrator):
            order: Activating = machine(factory=Activating)

        system = copy.copy(System())
        system.order.process()

        assert system.order.processing.is_active

    def test_python_statemachines_own_activation(self, world):
        """`activate_initial_state` of a member goes through the system, also in the middle of a step."""

        class Reactivating(Order):
            def on_process(self):
                return self.activate_initial_state() if not world.is_async else None

        async def scenario():
            shop = Shop(world.machine(Reactivating)(), Payment())
            await world.call(shop.order.activate_initial_state())
            await world.call(shop.order.process())
            await world.call(shop.order.activate_initial_state())
            return str(shop.configuration)

        assert world.run(scenario) == "order=processing payment=unpaid"

    def test_synchronous_systems_work_with_async_with(self):
        """`async with` is allowed for every system, so that code need not know which it has."""

        async def scenario():
            async with Shop(Order(), Payment()) as shop:
                return str(shop.configuration)

        assert asyncio.run(scenario()) == "order=pending payment=unpaid"

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # asyncio's own complaint
    def test_a_call_whose_loop_is_closed_before_it_could_start(self):
        """A call whose event loop is closed before it could start does not keep its turn."""
        shop = Shop(AsyncOrder(), Payment())
        loop = asyncio.new_event_loop()

        async def call():
            shop.order.process()

        loop.run_until_complete(call())
        loop.close()

        assert asyncio.run(_authorize(shop)) == "authorized 2"
        gc.collect()

    def test_an_event_in_the_last_line(self):
        """An event that a program calls in its last line, and that is cancelled with it, leaves no turn taken."""
        shop = Shop(AsyncOrder(), Payment())

        async def last_line():
            shop.order.process()

        for _ in range(3):
            asyncio.run(last_line())

        assert asyncio.run(_authorize(shop)) == "authorized 2"


async def _authorize(shop):
    return await shop.payment.authorize(2)


class AsyncOrder(Order):
    async def on_process(self):
        """Make the machine asynchronous."""
