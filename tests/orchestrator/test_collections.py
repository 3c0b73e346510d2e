"""Collections: machines by key that come and go while the system runs."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections import deque

import pytest
from statemachine import Event, State, StateChart, StateMachine
from worlds import World

from statemachines_orchestrator import (
    In,
    Members,
    Orchestrator,
    at,
    data,
    done,
    each,
    every,
    guard,
    machine,
    machines,
    none,
    some,
    together,
    when,
)
from statemachines_orchestrator.exceptions import (
    ArgumentsError,
    GuardRefused,
    JointEventRefused,
    KeyTakenError,
    LinkRefused,
    MachineInUseError,
    MemberAssignmentError,
    NotAMachineError,
    StateFieldIsNotUniqueError,
    UnknownEventError,
    UnknownMachineError,
)
from statemachines_orchestrator.testing import SimulatedClock


class Order(StateMachine):
    begun = State(initial=True)
    placed = State()
    closed = State(final=True)
    place = begun.to(placed) | placed.to(placed)
    close = begun.to(closed) | placed.to(closed)


class Material(StateMachine):
    planned = State(initial=True)
    ordered = State()
    packed = State(final=True)
    order = planned.to(ordered)
    revoke = ordered.to(planned)
    pack = ordered.to(packed)


class AsyncMaterial(Material):
    async def before_transition(self):
        await asyncio.sleep(0)


class Special(Material):
    """A special material."""


class Stray(StateMachine):
    """No material."""

    here = State(initial=True)
    gone = State(final=True)
    go = here.to(gone)


class Depot(Orchestrator):
    order: Order = machine(factory=Order)
    materials: Members[Material] = machines(Material)


class WebDepot(Orchestrator):
    order: Order = machine(factory=Order)
    materials: Members[AsyncMaterial] = machines(AsyncMaterial)


def depot_of(world: World, **body) -> type:
    """A class of a depot in this world, with more in its body, made by functions of order and materials."""
    kind = world.machine(Material)
    order, materials = machine(factory=Order), machines(kind)
    namespace = {
        "__annotations__": {"order": Order, "materials": Members[kind], "log": list},
        "order": order,
        "materials": materials,
        "log": data(default_factory=list),
        "__module__": __name__,
        **{name: make(order, materials) for name, make in body.items()},
    }
    return type("AnyDepot", (Orchestrator,), namespace)


async def started(kind, **arguments):
    """An orchestrator whose members have entered their initial states."""
    made = kind(**arguments)
    await World.call(made.activate())
    return made


class TestConstructor:
    def test_begins_empty(self) -> None:
        """Without an argument a collection has no members."""
        depot = Depot()

        assert isinstance(depot.materials, Members)
        assert depot.materials == {}
        assert list(depot.machines) == ["order"]

    def test_takes_machines_classes_and_factories(self) -> None:
        """A mapping gives the first members, in order; what is no machine yet is made."""
        first = Material()
        first.order()

        depot = Depot(materials={"m1": first, "m2": Special, "m3": lambda: Material()})

        assert depot.materials["m1"] is first
        assert type(depot.materials["m2"]) is Special
        assert str(depot.configuration) == (
            "order=begun materials[m1]=ordered materials[m2]=planned materials[m3]=planned"
        )

    @pytest.mark.parametrize(
        ("given", "error", "message"),
        [
            ([Material()], NotAMachineError, "is no mapping of keys to machines"),
            ({1: Material()}, ArgumentsError, "the key 1 is no text"),
            ({"m1": Stray()}, NotAMachineError, "Depot.materials[m1]: the member is declared as Material"),
            ({"m1": Stray}, NotAMachineError, "the class Stray is not one"),
            ({"m1": None}, NotAMachineError, "None is not one"),
            ({"m1": lambda: Stray()}, NotAMachineError, "which is no Material"),
        ],
    )
    def test_refuses_what_cannot_be_members(self, given, error, message) -> None:
        """What is wrong with the members is said by key."""
        with pytest.raises(error) as raised:
            Depot(materials=given)

        assert message in str(raised.value)

    def test_refuses_machines_in_use(self) -> None:
        """A machine is a member once; those that were passed with it are as they were."""
        other, free = Depot(materials={"m1": Material()}), Material()

        with pytest.raises(MachineInUseError, match="belongs to a Depot already"):
            Depot(materials={"m0": free, "m1": other.materials["m1"]})
        with pytest.raises(MachineInUseError, match="passed for 'materials\\[m0\\]' as well"):
            Depot(materials={"m0": free, "m1": free})
        assert Depot(materials={"m0": free}).materials["m0"] is free

    def test_refuses_shared_models(self) -> None:
        """Two members cannot keep their state in the same place."""

        class Row:
            pass

        row = Row()

        with pytest.raises(StateFieldIsNotUniqueError):
            Depot(materials={"m1": Material(row), "m2": Material(row)})

    def test_is_not_replaced(self) -> None:
        """The field keeps its collection."""
        depot = Depot()

        with pytest.raises(MemberAssignmentError):
            depot.materials = {}

    def test_gives_back_what_was_passed(self) -> None:
        """If the constructor fails, machines that were passed are free, started or not."""

        class Failing(Order):
            def on_enter_begun(self):
                raise ValueError("no")

        class Broken(Orchestrator):
            order: Failing = machine(factory=Failing)
            materials: Members[Material] = machines(Material)

        given = Material()

        with pytest.raises(ValueError, match="no"):
            Broken(materials={"m1": given})
        given.order()
        assert Depot(materials={"m1": given}).materials["m1"].ordered.is_active


class TestAdd:
    def test_makes_starts_and_returns(self, world: World) -> None:
        """A new member has entered its initial state, and can be reached by its key."""

        async def scenario():
            depot = await started(depot_of(world))
            made = depot.materials.add("m1")
            await World.call(depot.activate())
            assert depot.materials["m1"] is made
            assert made.planned.is_active
            await World.call(made.order())
            assert str(depot.configuration) == "order=begun materials[m1]=ordered"

        world.run(scenario)

    def test_takes_what_the_constructor_takes(self) -> None:
        """A machine, a class with arguments for it, a factory; arguments alone go to the declared factory."""

        def make(start_value="planned"):
            return Material(start_value=start_value)

        class Making(Orchestrator):
            materials: Members[Material] = machines(make, start_value="ordered")

        making, ready = Making(), Material()
        making.materials.add("m1")
        making.materials.add("m2", start_value="planned")
        making.materials.add("m3", ready)
        making.materials.add("m4", Special, start_value="packed")
        making.materials["m5"] = Material(start_value="ordered")

        assert str(making.configuration) == (
            "materials[m1]=ordered materials[m2]=planned materials[m3]=planned materials[m4]=packed "
            "materials[m5]=ordered"
        )
        assert making.materials["m3"] is ready

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            (("m1",), KeyTakenError, "Depot.materials[m1]: the key is taken. Remove it first: .remove('m1')."),
            ((7,), ArgumentsError, "the key 7 is no text"),
            ((None,), ArgumentsError, "the key None is no text"),
            (("m2", Stray()), NotAMachineError, "declared as Material"),
            (("m2", Stray), NotAMachineError, "which is no Material"),
            (("m2", 5), NotAMachineError, "declared as Material, and"),
            (("m2", lambda: None), NotAMachineError, "returned None, which is no Material"),
            (("m2", Depot), NotAMachineError, "which is no Material"),
        ],
    )
    def test_refuses_what_cannot_be_a_member(self, arguments, error, message) -> None:
        """A mistake is said, and nothing has changed."""
        depot = Depot(materials={"m1": Material()})

        with pytest.raises(error) as raised:
            depot.materials.add(*arguments)

        assert message in str(raised.value)
        assert list(depot.materials) == ["m1"]
        assert str(depot.configuration) == "order=begun materials[m1]=planned"

    def test_refuses_arguments_for_a_machine_that_exists(self) -> None:
        """Keyword arguments make a machine; they cannot go to one that was passed."""
        with pytest.raises(ArgumentsError, match="passed with arguments"):
            Depot().materials.add("m1", Material(), start_value="ordered")

    def test_refuses_machines_in_use(self) -> None:
        """Neither a member of another orchestrator nor one of this collection can be added."""
        depot, other = Depot(materials={"m1": Material()}), Depot(materials={"m1": Material()})

        with pytest.raises(MachineInUseError, match="belongs to a Depot already"):
            depot.materials.add("m2", other.materials["m1"])
        with pytest.raises(MachineInUseError, match=r"this Material is materials\[m1\] already"):
            depot.materials.add("m2", depot.materials["m1"])
        other.materials["m1"].order()
        assert other.materials["m1"].ordered.is_active

    def test_refuses_shared_models(self) -> None:
        """A member would overwrite the state of another; once that one is gone, its place is free."""

        class Row:
            state = None

        row = Row()
        depot = Depot(materials={"m1": Material(row)})

        with pytest.raises(StateFieldIsNotUniqueError, match=r"as 'materials\[m1\]'"):
            depot.materials.add("m2", lambda: Material(row))
        depot.materials.remove("m1")
        depot.materials.add("m2", Material(row))
        assert list(depot.materials) == ["m2"]

    def test_a_failing_start_adds_nothing(self) -> None:
        """If the initial entry fails, so does the step: the key is free, and the error says where."""

        class Failing(Material):
            def on_enter_planned(self):
                raise ValueError("no shelf")

        depot = Depot()

        with pytest.raises(ValueError, match="no shelf") as raised:
            depot.materials.add("m1", Failing)

        assert any("materials[m1] entered its initial state" in note for note in raised.value.__notes__)
        assert depot.materials == {}
        assert list(depot.machines) == ["order"]
        depot.materials.add("m1")

    def test_a_factory_that_fails_or_adds_itself(self) -> None:
        """A factory may do as it likes; what it takes is taken."""
        depot = Depot()

        def greedy():
            depot.materials.add("m1")
            return Material()

        def failing():
            raise LookupError("nothing left")

        with pytest.raises(KeyTakenError):
            depot.materials.add("m1", greedy)
        with pytest.raises(LookupError, match="nothing left"):
            depot.materials.add("m1", failing)
        assert depot.materials == {}

    def test_asynchronous_machines_need_an_asynchronous_system(self) -> None:
        """Nobody would await their events; a collection of an asynchronous class makes the system asynchronous."""
        with pytest.raises(NotAMachineError, match="this AsyncMaterial is asynchronous, and Depot is not"):
            Depot().materials.add("m1", AsyncMaterial)
        given = AsyncMaterial()
        with pytest.raises(NotAMachineError, match="asynchronous"):
            Depot().materials.add("m1", given)

        async def scenario():
            web = WebDepot(materials={"m1": given})
            await web.order.place()
            await web.materials["m1"].order()
            return str(web.configuration)

        assert asyncio.run(scenario()) == "order=placed materials[m1]=ordered"

    def test_before_the_start(self) -> None:
        """What is added to an asynchronous system that has not begun begins with all others."""
        web = WebDepot()
        web.materials.add("m1")
        web.materials.add("m2")
        web.materials.remove("m2")

        async def scenario():
            await web.activate()
            return str(web.configuration)

        assert asyncio.run(scenario()) == "order=begun materials[m1]=planned"

    def test_fails_in_the_background(self) -> None:
        """In an asynchronous system the entry comes later; if it fails, the member is out again."""

        class Failing(AsyncMaterial):
            def on_enter_planned(self):
                raise ValueError("no shelf")

        async def scenario():
            problems = []
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
            web = await started(WebDepot)
            web.materials.add("m1", Failing)
            await asyncio.sleep(0.01)
            assert web.materials == {}
            await web.order.place()
            web.materials.add("m1")
            await web.materials["m1"].order()
            return str(web.configuration)

        assert asyncio.run(scenario()) == "order=placed materials[m1]=ordered"

    def test_without_an_event_loop(self) -> None:
        """An asynchronous system can be changed from where no event loop runs."""
        web = WebDepot()
        web.order.place()
        web.materials.add("m1")
        web.materials["m1"].order()
        gone = web.materials.remove("m1")

        assert str(web.configuration) == "order=placed"
        assert "Member" not in type(gone._engine).__name__


class TestRemove:
    def test_gives_an_independent_machine(self, world: World) -> None:
        """It keeps its state, runs alone, and can become a member elsewhere."""

        async def scenario():
            depot = await started(depot_of(world), materials={"m1": world.machine(Material)})
            await World.call(depot.materials["m1"].order())
            gone = depot.materials.remove("m1")
            await asyncio.sleep(0) if world.is_async else None
            await World.call(depot.activate())
            assert depot.materials == {}
            assert str(depot.configuration) == "order=begun"
            await World.call(gone.pack())
            other = await started(depot_of(world), materials={"again": gone})
            assert str(other.configuration) == "order=begun materials[again]=packed"

        world.run(scenario)

    @pytest.mark.parametrize("key", ["m9", "", 3, None])
    def test_refuses_unknown_keys(self, key) -> None:
        """The error names those that there are."""
        depot = Depot(materials={"m1": Material()})

        for attempt in (depot.materials.remove, depot.materials.__getitem__, depot.materials.__delitem__):
            with pytest.raises(KeyError, match="it has 'm1'") as raised:
                attempt(key)
            assert repr(key) in str(raised.value)
        with pytest.raises(KeyError, match="it has none yet"):
            Depot().materials["m1"]

    def test_drops_timers_and_held_events(self) -> None:
        """What waits for a member that is taken out does not happen."""

        class Waiting(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)

            hurry = when(order.placed).send(at(materials, "m1").pack, refused="hold")
            remind = when(each(materials).ordered).after(10).send(order.close)
            settled = when(In(each(materials).ordered)).after(20).send(order.close)

        clock = SimulatedClock()
        waiting = Waiting(clock=clock)
        waiting.materials.add("m1")
        waiting.order.place()
        assert len(waiting._system.driver.held) == 1
        waiting.materials.remove("m1")
        assert waiting._system.driver.held == []
        waiting.materials.add("m2")
        waiting.materials["m2"].order()
        assert waiting.next_due == 10
        waiting.materials.remove("m2")
        assert waiting.next_due is None
        clock.advance(60)
        assert str(waiting.configuration) == "order=placed"

    def test_drops_what_the_system_waits_for_in_its_name(self) -> None:
        """Delayed events of its own, and links that it has triggered, have gone with it."""

        class Waiting(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)

            remind = when(each(materials).order).after(10).send(order.close)

        clock = SimulatedClock()
        waiting = Waiting(clock=clock)
        material = waiting.materials.add("m1")
        material.order()
        material.send("pack", delay=5000)
        assert waiting.next_due == 5
        waiting.materials.remove("m1")

        assert waiting.next_due is None
        assert material._engine.external_queue.is_empty()
        clock.advance(60)
        assert str(waiting.configuration) == "order=begun"

    def test_a_failed_removal_keeps_timers_and_held_events(self) -> None:
        """They come back with the member."""

        class Waiting(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)

            hurry = when(order.placed).send(at(materials, "m1").pack, refused="hold")
            remind = when(each(materials).planned).after(10).send(order.close)
            clear = when(order.closed).call(lambda orc: (orc.materials.remove("m1"), 1 / 0))

        clock = SimulatedClock()
        waiting = Waiting(clock=clock)
        waiting.materials.add("m1")
        waiting.order.place()

        with pytest.raises(ZeroDivisionError):
            waiting.order.close()
        assert [held.address for held in waiting._system.driver.held] == ["materials[m1].pack"]
        assert waiting.next_due == 10
        waiting.materials["m1"].order()
        assert str(waiting.configuration) == "order=placed materials[m1]=packed"


class Moving(StateMachine):
    """Calls what it is told to call, in the middle of its own transitions."""

    one = State(initial=True)
    two = State()
    three = State(final=True)
    go = one.to(two) | two.to(one)
    end = one.to(three) | two.to(three)

    def on_go(self, todo=None, *, orc):
        return todo(orc) if todo is not None else None


class Yard(Orchestrator):
    boss: Moving = machine(factory=Moving)
    movers: Members[Moving] = machines(Moving)


class TestInsideAStep:
    def test_add_is_a_call(self, world: World) -> None:
        """In a callback the new member is there at once, and has started or will do so in the same step."""

        async def scenario():
            mover = world.machine(Moving)

            class Place(Orchestrator):
                boss: Moving = machine(factory=Moving)
                movers: Members[Moving] = machines(mover)

            place = await started(Place)
            await World.call(place.boss.go(todo=lambda orc: orc.movers.add("a")))
            assert str(place.configuration) == "boss=two movers[a]=one"

        world.run(scenario)

    def test_a_failing_step_takes_it_out_again(self, world: World) -> None:
        """Members that the step added are gone, and those that it removed are back, in their order."""

        async def scenario():
            mover = world.machine(Moving)

            class Place(Orchestrator):
                boss: Moving = machine(factory=Moving)
                movers: Members[Moving] = machines(mover)

            place = await started(Place, movers=dict.fromkeys("abcd", mover))
            before = dict(place.movers)
            given = mover()

            def todo(orc):
                orc.movers.remove("b")
                orc.movers.add("e", given)
                orc.movers.add("f")
                orc.movers.remove("a")
                orc.movers.add("b")
                orc.movers.remove("c")
                raise ValueError("all back")

            with pytest.raises(ValueError, match="all back"):
                await World.call(place.boss.go(todo=todo))
            assert dict(place.movers) == before
            assert list(place.movers) == list("abcd")
            assert list(place.machines) == ["boss", *(f"movers[{key}]" for key in "abcd")]
            await World.call(place.movers["b"].go())
            place.movers.add("e", given)
            await World.call(place.movers["e"].go())
            assert str(place.configuration) == (
                "boss=one movers[a]=one movers[b]=two movers[c]=one movers[d]=one movers[e]=two"
            )

        world.run(scenario)

    def test_a_member_takes_itself_out(self, world: World) -> None:
        """It finishes what it is doing, and is independent when the step is over."""

        async def scenario():
            mover = world.machine(Moving)

            class Place(Orchestrator):
                boss: Moving = machine(factory=Moving)
                movers: Members[Moving] = machines(mover)

            place = await started(Place, movers={"a": mover, "b": mover})
            gone = place.movers["a"]
            result = await World.call(gone.go(todo=lambda orc: orc.movers.remove("a")))
            assert gone in (result if world.is_async else [result])  # the other callback has a result, too
            assert gone.two.is_active
            assert list(place.movers) == ["b"]
            assert "Member" not in type(gone._engine).__name__

        world.run(scenario)

    def test_a_member_takes_itself_out_and_fails(self) -> None:
        """A failing step keeps it in."""
        yard = Yard(movers={"a": Moving})

        def todo(orc):
            orc.movers.remove("a")
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            yard.movers["a"].go(todo=todo)

        assert str(yard.configuration) == "boss=one movers[a]=one"
        yard.movers["a"].go()
        assert yard.movers["a"].two.is_active

    def test_members_leave_when_they_have_ended(self) -> None:
        """The usual way of tidying up is a link."""

        class Tidy(Orchestrator):
            movers: Members[Moving] = machines(Moving)

            tidy = when(done(each(movers))).call(lambda orc, occurrence: orc.movers.remove(occurrence.key))

        tidy = Tidy(movers={"a": Moving, "b": Moving})
        tidy.movers["a"].end()

        assert list(tidy.movers) == ["b"]
        tidy.movers["b"].end()
        assert tidy.movers == {}

    def test_moves_to_another_key(self) -> None:
        """Taken out and put in again in one step, a machine stays a member; if the step fails, under the old key."""
        yard = Yard(movers={"a": Moving, "b": Moving})
        one = yard.movers["a"]

        yard.boss.go(todo=lambda orc: orc.movers.add("c", orc.movers.remove("a")))
        assert yard.movers["c"] is one
        assert list(yard.machines) == ["boss", "movers[b]", "movers[c]"]
        one.go()

        def fails(orc):
            orc.movers.add("d", orc.movers.remove("c"))
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            yard.boss.go(todo=fails)
        assert str(yard.configuration) == "boss=two movers[b]=one movers[c]=two"
        one.go()
        assert yard.movers["c"].one.is_active

    def test_a_caught_failure_stays(self) -> None:
        """A callback that catches the failure of what it added goes on with it, as with any other call."""

        class Weak(Moving):
            def on_enter_one(self):
                raise ValueError("weak")

        yard = Yard()
        caught = []

        def todo(orc):
            try:
                orc.movers.add("a", Weak)
            except ValueError as error:
                caught.append(error)
                orc.movers.remove("a")

        yard.boss.go(todo=todo)

        assert len(caught) == 1
        assert str(yard.configuration) == "boss=two"

    def test_iteration_sees_what_dictionaries_see(self) -> None:
        """A callback that changes a collection goes through a list of it."""
        yard = Yard(movers={"a": Moving, "b": Moving})

        def todo(orc):
            for key in list(orc.movers):
                orc.movers.remove(key)

        yard.boss.go(todo=todo)
        assert yard.movers == {}

    def test_an_event_that_waits_for_its_turn_reaches_a_machine_that_has_left(self) -> None:
        """No event is lost: the machine takes it alone."""
        yard = Yard(movers={"a": Moving})
        mover = yard.movers["a"]
        entered, go_on = threading.Event(), threading.Event()

        def slow(orc):
            entered.set()
            go_on.wait(5)
            orc.movers.remove("a")

        first = threading.Thread(target=lambda: yard.boss.go(todo=slow))
        first.start()
        entered.wait(5)
        second = threading.Thread(target=mover.end)
        second.start()
        while not yard._system.driver._turns._line:
            pass
        go_on.set()
        first.join(5)
        second.join(5)

        assert mover.three.is_active
        assert yard.movers == {}


class Noisy(StateChart):
    """Asks for its key in every phase."""

    idle = State(initial=True)
    busy = State(invoke="work")
    over = State(final=True)
    start = idle.to(busy, validators="check", cond="may", before="b", on="o", after="a")
    tick = busy.to.itself(internal=True, on="t")
    stop = Event(busy.to(over), delay=1)
    log: list = []

    def _note(self, phase, key, orc):
        Noisy.log.append((phase, key, type(orc).__name__))

    def prepare_event(self, member_key, orc):
        self._note("prepare", member_key, orc)
        return {}

    def check(self, member_key, orc):
        self._note("validator", member_key, orc)

    def may(self, member_key, orc):
        self._note("cond", member_key, orc)
        return True

    def b(self, member_key, orc):
        self._note("before", member_key, orc)

    def o(self, member_key, orc):
        self._note("on", member_key, orc)

    def a(self, member_key, orc):
        self._note("after", member_key, orc)

    def t(self, member_key, orc):
        self._note("internal", member_key, orc)

    def work(self, member_key, orc):
        self._note("invoke", member_key, orc)

    def on_enter_state(self, target, member_key, orc):
        self._note(f"enter {target.id}", member_key, orc)

    def on_exit_state(self, source, member_key, orc):
        self._note(f"exit {source.id}", member_key, orc)


class Loud(Orchestrator):
    noisy: Members[Noisy] = machines(Noisy)


class TestMemberKey:
    def test_in_every_phase(self) -> None:
        """Callbacks that ask for `member_key` receive it, in every phase."""
        Noisy.log = []
        clock = SimulatedClock()
        loud = Loud(noisy={"k1": Noisy}, clock=clock)
        loud.noisy.add("k2")
        for key in ("k1", "k2"):
            loud.noisy[key].start()
            loud.noisy[key].tick()
        loud.noisy["k1"].enabled_events()
        deadline = threading.Event()
        while sum(phase == "invoke" for phase, _, _ in Noisy.log) < 2 and not deadline.wait(0.01):
            pass

        phases = {phase for phase, _, _ in Noisy.log}
        assert phases >= {"prepare", "validator", "cond", "before", "on", "after", "internal", "invoke"}
        assert {"enter idle", "exit idle", "enter busy"} <= phases
        assert {(key, owner) for _, key, owner in Noisy.log} == {("k1", "Loud"), ("k2", "Loud")}

    def test_after_moving_and_copying(self) -> None:
        """The key is that under which the machine is found now."""
        Noisy.log = []
        loud = Loud(noisy={"k1": Noisy})
        loud.noisy.add("k2", loud.noisy.remove("k1"))
        copied = copy.deepcopy(loud)
        Noisy.log = []
        loud.noisy["k2"].start()
        copied.noisy["k2"].start()

        assert {key for _, key, _ in Noisy.log} == {"k2"}

    def test_async(self) -> None:
        """Asynchronous callbacks, too."""
        seen = []

        class Keyed(Material):
            async def on_order(self, member_key, orc):
                seen.append((member_key, orc.materials[member_key] is self))

            async def on_enter_planned(self, member_key):
                seen.append(member_key)

        class Keys(Orchestrator):
            materials: Members[Keyed] = machines(Keyed)

        async def scenario():
            async with Keys(materials={"a": Keyed}) as keys:
                keys.materials.add("b")
                await keys.materials["b"].order()

        asyncio.run(scenario())
        assert seen == ["a", "b", ("b", True)]


class TestLinks:
    def test_each_fires_for_each(self, world: World) -> None:
        """A link from a collection fires for each member, and says which."""

        async def scenario():
            kind = depot_of(
                world,
                noted=lambda _order, materials: when(each(materials).ordered).call(
                    lambda orc, occurrence: orc.log.append((occurrence.key, occurrence.address, occurrence.state))
                ),
                plain=lambda _order, materials: when(materials.order).call(
                    lambda orc, occurrence: orc.log.append((occurrence.key, occurrence.event))
                ),
            )
            depot = await started(kind, materials={"m1": world.machine(Material)})
            depot.materials.add("m2")
            await World.call(depot.materials["m2"].order())
            await World.call(depot.materials["m1"].order())
            assert depot.log == [
                ("m2", "materials[m2]", "ordered"),
                ("m2", "order"),
                ("m1", "materials[m1]", "ordered"),
                ("m1", "order"),
            ]

        world.run(scenario)

    def test_sends_to_each_and_to_one(self, world: World) -> None:
        """`each` reaches every member in order, `at` one: by a constant, or by a function of the occurrence."""

        async def scenario():
            kind = depot_of(
                world,
                all_of_them=lambda order, materials: when(order.placed).send(each(materials).order),
                first=lambda order, materials: when(order.closed).send(at(materials, "m2").pack),
                back=lambda _order, materials: (
                    when(each(materials).ordered)
                    .given(lambda orc, occurrence: occurrence.key == "m1")
                    .send(at(materials, lambda orc, occurrence: occurrence.key).revoke)
                ),
            )
            kinds = world.machine(Material)
            depot = await started(kind, materials={"m1": kinds, "m2": kinds})
            await World.call(depot.order.place())
            assert str(depot.configuration) == "order=placed materials[m1]=planned materials[m2]=ordered"
            await World.call(depot.order.close())
            assert str(depot.configuration) == "order=closed materials[m1]=planned materials[m2]=packed"

        world.run(scenario)

    @pytest.mark.parametrize("refused", ["raise", "hold"])
    def test_refuses_to_send_to_nobody(self, refused) -> None:
        """There is nobody for whom the event could be held; `each` of an empty collection is no refusal."""

        class Sending(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)

            go = when(order.placed).send(at(materials, "m1").order, refused=refused)
            stop = when(order.closed).send(each(materials).order)

        sending = Sending()
        with pytest.raises(LinkRefused, match="materials has no member 'm1'"):
            sending.order.place()
        sending.order.close()
        assert str(sending.configuration) == "order=closed"

    def test_ignores_nobody(self) -> None:
        """A link that ignores refusals ignores this one."""

        class Ignoring(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)

            go = when(order.placed).send(at(materials, lambda orc: "m1").order, refused="ignore")

        ignoring = Ignoring()
        ignoring.order.place()
        assert ignoring.order.placed.is_active

    def test_members_that_a_link_adds_are_not_sent_what_was_under_way(self) -> None:
        """`each` means those that are there when the link has its effect."""

        class Growing(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)

            go = when(order.placed).send(each(materials).order)
            more = when(each(materials).ordered).call(lambda orc: orc.materials.add(f"m{len(orc.materials)}"))

        growing = Growing(materials={"m0": Material, "m1": Material})
        growing.order.place()

        assert str(growing.configuration) == (
            "order=placed materials[m0]=ordered materials[m1]=ordered materials[m2]=planned materials[m3]=planned"
        )

    def test_waits_for_one_by_key(self) -> None:
        """A link may wait for one member, also for one that does not exist yet."""

        class Waiting(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)

            go = when(at(materials, "m2").ordered).send(order.place)
            text = when("materials[m3].ordered").send("order.close")

        waiting = Waiting(materials={"m1": Material})
        waiting.materials["m1"].order()
        assert waiting.order.begun.is_active
        waiting.materials.add("m2").order()
        assert waiting.order.placed.is_active
        waiting.materials.add("m3").order()
        assert waiting.order.closed.is_active


class TestConditions:
    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            (every, ["empty", "m1 ordered"]),
            (some, ["m1 ordered", "m1 again"]),
            (none, ["empty", "m1 planned"]),
        ],
    )
    def test_guards_ask_all(self, quantity, expected) -> None:
        """every, some and none as guards; every and none hold for an empty collection."""

        class Asking(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)

            may = guard(order.place, quantity(each(materials).ordered))

        asking, allowed = Asking(), []

        def ask(when_):  # in the words of the expected list
            try:
                asking.order.place()
                allowed.append(when_)
            except GuardRefused:
                pass
            assert ("order.place" in asking.enabled_events()) == (when_ in allowed)

        ask("empty")
        asking.materials.add("m1")
        ask("m1 planned")
        asking.materials["m1"].order()
        ask("m1 ordered")
        asking.materials.add("m2")
        ask("m1 again")

        assert allowed == expected

    def test_are_asked_again_when_members_come_and_go(self, world: World) -> None:
        """Adding and removing may make a condition true, and false again."""

        async def scenario():
            kind = depot_of(
                world,
                all_ordered=lambda _order, materials: when(every(each(materials).ordered)).call(
                    lambda orc: orc.log.append("every")
                ),
                any_ordered=lambda _order, materials: when(some(each(materials).ordered)).call(
                    lambda orc: orc.log.append("some")
                ),
                none_ordered=lambda _order, materials: when(none(each(materials).ordered)).call(
                    lambda orc: orc.log.append("none")
                ),
            )
            depot = await started(kind)
            assert depot.log == []
            depot.materials.add("m1")
            await World.call(depot.activate())
            assert depot.log == []
            await World.call(depot.materials["m1"].order())
            assert depot.log == ["every", "some"]
            depot.materials.add("m2")
            await World.call(depot.activate())
            depot.materials.remove("m2")
            await World.call(depot.activate())
            assert depot.log == ["every", "some", "every"]
            depot.materials.remove("m1")
            await World.call(depot.activate())
            assert depot.log == ["every", "some", "every", "none"]
            depot.materials.add("m3", world.machine(Material)(start_value="ordered"))
            await World.call(depot.activate())
            assert depot.log[4:] == ["some"]

        world.run(scenario)

    def test_a_machine_that_runs_already_counts(self) -> None:
        """One that is added in the state does not enter it, but conditions on it begin to hold."""

        class Counting(Orchestrator):
            materials: Members[Material] = machines(Material)
            log: list = data(default_factory=list)

            entered = when(each(materials).ordered).call(lambda orc: orc.log.append("entered"))
            holds = when(In(each(materials).ordered)).call(lambda orc, occ: orc.log.append(f"holds {occ.key}"))
            somebody = when(some(each(materials).ordered)).call(lambda orc: orc.log.append("some"))

        counting, ready = Counting(), Material()
        ready.order()
        counting.materials.add("m1", ready)

        assert counting.log == ["holds m1", "some"]

    def test_memory_is_forgotten_with_the_member(self) -> None:
        """Who comes under the same key begins anew; a failed removal remembers."""

        class Remembering(Orchestrator):
            order: Order = machine(factory=Order)
            materials: Members[Material] = machines(Material)
            log: list = data(default_factory=list)

            holds = when(In(each(materials).ordered), order.placed).call(lambda orc, occ: orc.log.append(occ.key))

        remembering = Remembering(materials={"m1": Material})
        remembering.order.place()
        remembering.materials["m1"].order()
        assert remembering.log == ["m1"]
        remembering.materials.remove("m1")
        remembering.materials.add("m1").order()
        assert remembering.log == ["m1", "m1"]
        assert len(remembering._system.memory) == 1

        def fails(orc, occurrence):
            orc.materials.remove("m1")
            raise ValueError("no")

        class Failing(Remembering):
            clear = when("order.closed").call(fails)

        failing = Failing(materials={"m1": Material})
        failing.order.place()
        failing.materials["m1"].order()
        with pytest.raises(ValueError, match="no"):
            failing.order.close()
        failing.order.place()
        assert failing.log == ["m1"]

    def test_the_end_of_a_member(self) -> None:
        """`done` of each, and of all."""

        class Ending(Orchestrator):
            materials: Members[Material] = machines(Material)
            log: list = data(default_factory=list)

            one = when(done(each(materials))).call(lambda orc, occ: orc.log.append(occ.key))
            all_of_them = when(every(done(each(materials)))).call(lambda orc: orc.log.append("all"))

        ending = Ending(materials={"m1": Material, "m2": Material})
        for key in ("m2", "m1"):
            ending.materials[key].order()
            ending.materials[key].pack()

        assert ending.log == ["m2", "m1", "all"]
        assert ending.is_terminated
        ending.materials.add("m3")
        assert not ending.is_terminated


def goods_of(world):
    kind = world.machine(Material)

    class Goods(Orchestrator):
        order: Order = machine(factory=Order)
        materials: Members[Material] = machines(kind)

        order_goods = together(order.place, each(materials).order)

    return Goods, kind


class TestJointEvents:
    def test_all_or_the_chosen_ones(self, world: World) -> None:
        """Without a choice all members take part; the name of the collection chooses."""

        async def scenario():
            goods_class, kind = goods_of(world)
            goods = await started(goods_class, materials=dict.fromkeys(("m1", "m2", "m3"), kind))
            result = await World.call(goods.order_goods(materials=["m3", "m1", "m3"]))
            assert list(result) == ["order.place", "materials[m3].order", "materials[m1].order"]
            assert str(goods.configuration) == (
                "order=placed materials[m1]=ordered materials[m2]=planned materials[m3]=ordered"
            )
            with pytest.raises(JointEventRefused, match=r"materials\[m1\]"):
                await World.call(goods.order_goods())
            await World.call(goods.materials["m1"].revoke())
            await World.call(goods.materials["m3"].revoke())
            await World.call(goods.order_goods())
            assert all(one.ordered.is_active for one in goods.materials.values())

        world.run(scenario)

    @pytest.mark.parametrize("keys", [(), [], iter(()), {}, set()], ids=["tuple", "list", "iterator", "dict", "set"])
    def test_nobody_is_a_choice(self, keys) -> None:
        """An empty choice lets the others move alone."""
        goods_class, kind = goods_of(World("sync"))
        goods = goods_class(materials={"m1": kind})

        assert goods.order_goods(materials=keys) == {"order.place": None}
        assert str(goods.configuration) == "order=placed materials[m1]=planned"

    @pytest.mark.parametrize("keys", [iter(["m2"]), {"m2": 1}, {"m2"}, deque(["m2"]), (key for key in ["m2"])])
    def test_anything_that_can_be_gone_through_chooses(self, keys) -> None:
        """Lists, sets, mappings, iterators."""
        goods_class, kind = goods_of(World("sync"))
        goods = goods_class(materials={"m1": kind, "m2": kind})

        goods.order_goods(materials=keys)

        assert str(goods.configuration) == "order=placed materials[m1]=planned materials[m2]=ordered"

    @pytest.mark.parametrize(
        ("keys", "error", "message"),
        [
            ("m1", TypeError, "pass a list of keys, such as materials=['m1']"),
            (5, TypeError, "pass a list of keys"),
            (None, TypeError, "pass a list of keys"),
            (["m9", "m1", "m8"], KeyError, "materials has no member 'm9', 'm8'; it has 'm1', 'm2'"),
            ([1], KeyError, "no member 1"),
        ],
    )
    def test_refuses_other_choices(self, world: World, keys, error, message) -> None:
        """A wrong choice is a mistake of the caller, and nobody has moved."""

        async def scenario():
            goods_class, kind = goods_of(world)
            goods = await started(goods_class, materials={"m1": kind, "m2": kind})
            with pytest.raises(error) as raised:
                await World.call(goods.order_goods(materials=keys))
            assert message in str(raised.value)
            assert str(goods.configuration) == "order=begun materials[m1]=planned materials[m2]=planned"

        world.run(scenario)

    def test_a_member_alone(self, world: World) -> None:
        """Called alone, the event of a member is the joint event with this one member of the collection."""

        async def scenario():
            goods_class, kind = goods_of(world)
            goods = await started(goods_class, materials={"m1": kind, "m2": kind})
            await World.call(goods.materials["m2"].order())
            assert str(goods.configuration) == "order=placed materials[m1]=planned materials[m2]=ordered"

        world.run(scenario)

    def test_another_part_alone_chooses(self, world: World) -> None:
        """Called by another part, the choice counts as well, from outside, in a callback and by a link."""

        async def scenario():
            goods_class, kind = goods_of(world)

            class Caller(StateMachine):
                idle = State(initial=True)
                called = State(final=True)
                call = idle.to(called)

                def after_call(self, orc):
                    return orc.order.place(materials=["m2"])

            class More(goods_class):
                caller: Caller = machine(factory=Caller)

            goods = await started(More, materials=dict.fromkeys(("m1", "m2", "m3"), kind))
            await World.call(goods.order.place(materials=["m1"]))
            assert str(goods.configuration).startswith(
                "order=placed materials[m1]=ordered materials[m2]=planned materials[m3]=planned"
            )
            await World.call(goods.caller.call())
            assert str(goods.configuration).startswith(
                "order=placed materials[m1]=ordered materials[m2]=ordered materials[m3]=planned"
            )

        world.run(scenario)

    def test_a_contradictory_choice(self) -> None:
        """A member that is called cannot choose others instead of itself."""
        goods_class, kind = goods_of(World("sync"))
        goods = goods_class(materials={"m1": kind, "m2": kind})

        with pytest.raises(TypeError, match=r"materials\[m1\]\.order is called, which leaves no choice"):
            goods.materials["m1"].order(materials=["m2"])

    def test_of_nobody(self) -> None:
        """A joint event without parts happens; a guard may refuse it all the same."""

        class Empty(Orchestrator):
            order: Order = machine(factory=Order)
            left: Members[Material] = machines(Material)
            right: Members[Material] = machines(Material)

            both = together(each(left).order, each(right).order)
            placed_first = guard(both, In(order.placed))

        empty = Empty()
        with pytest.raises(JointEventRefused, match=r"Empty\.placed_first"):
            empty.both()
        empty.order.place()
        assert empty.both() == {}

    def test_a_part_that_leaves_before_its_turn(self) -> None:
        """Who takes part is settled by the call; if somebody has left when it comes to it, it is refused."""

        class Leaving(Orchestrator):
            boss: Moving = machine(factory=Moving)
            materials: Members[Material] = machines(Material)

            joint = together(boss.end, each(materials).order)

        leaving = Leaving(materials={"m1": Material, "m2": Material})

        def todo(orc):
            orc.joint()
            orc.materials.remove("m1")

        with pytest.raises(JointEventRefused, match=r"materials\[m1\] has been removed"):
            leaving.boss.go(todo=todo)
        assert str(leaving.configuration) == "boss=one materials[m1]=planned materials[m2]=planned"

    def test_held_for_somebody_who_leaves(self) -> None:
        """A held joint event whose chosen member is taken out is dropped."""

        class Holding(Orchestrator):
            order: Order = machine(factory=Order)
            boss: Moving = machine(factory=Moving)
            materials: Members[Material] = machines(Material)

            joint = together(boss.go, each(materials).pack)
            try_it = when(order.placed).send(joint, refused="hold", materials=lambda orc: iter(["m1"]))

        holding = Holding(materials={"m1": Material})
        holding.order.place()
        assert len(holding._system.driver.held) == 1
        holding.materials["m1"].order()
        assert str(holding.configuration) == "order=placed boss=two materials[m1]=packed"

        holding = Holding(materials={"m1": Material})
        holding.order.place()
        holding.materials.remove("m1")
        holding.boss.end()
        assert holding._system.driver.held == []


class TestLikeADictionary:
    def test_reads(self) -> None:
        """A collection is read as any dictionary, in the order in which members were added."""
        depot = Depot(materials={"m2": Material, "m1": Material})

        assert list(depot.materials) == ["m2", "m1"]
        assert "m1" in depot.materials
        assert depot.materials.get("m9") is None
        assert [key for key, _ in depot.materials.items()] == ["m2", "m1"]
        assert len(depot.materials) == 2
        assert type(depot.materials.copy()) is dict
        assert type(copy.copy(depot.materials)) is dict
        assert type(depot.materials | {}) is dict
        assert repr(depot.materials) == "<materials: 2 members>"

    @pytest.mark.parametrize(
        "change",
        [
            lambda members: members.clear(),
            lambda members: members.pop("m1"),
            lambda members: members.popitem(),
            lambda members: members.setdefault("m2", Material()),
            lambda members: members.update(m2=Material()),
            lambda members: members.__ior__({"m2": Material()}),
        ],
        ids=["clear", "pop", "popitem", "setdefault", "update", "|="],
    )
    def test_is_changed_one_by_one(self, change) -> None:
        """What would go past the system is refused, and says what to write."""
        depot = Depot(materials={"m1": Material})

        with pytest.raises(TypeError, match=r"write \.add\(key, machine\) or \.remove\(key\)"):
            change(depot.materials)

        assert list(depot.materials) == ["m1"]

    def test_items_can_be_set_and_deleted(self) -> None:
        """That is add and remove."""
        depot = Depot()
        depot.materials["m1"] = Material()
        depot.materials["m1"].order()
        with pytest.raises(KeyTakenError):
            depot.materials["m1"] = Material()
        del depot.materials["m1"]

        assert depot.materials == {}


class TestAddresses:
    def test_sends_by_address(self, world: World) -> None:
        """Members are addressed by key, whatever the key looks like."""

        async def scenario():
            keys = ["m1", "a.b", "a[0]", "", "x]y", "ü ,"]
            depot = await started(depot_of(world), materials=dict.fromkeys(keys, world.machine(Material)))
            for key in keys:
                await World.call(depot.send(f"materials[{key}].order"))
                assert depot.materials[key].ordered.is_active

        world.run(scenario)

    @pytest.mark.parametrize(
        ("address", "error", "message"),
        [
            ("materials[m9].order", UnknownMachineError, "materials[m1]"),
            ("materials.order", UnknownMachineError, "materials[m1]"),
            ("materials[m1]", UnknownEventError, "order"),
            ("materials[m1].ordr", UnknownEventError, "order"),
            ("materials[m1", UnknownMachineError, "materials[m1]"),
            ("order[m1].place", UnknownMachineError, "order"),
        ],
    )
    def test_refuses_unknown_addresses(self, address, error, message) -> None:
        """The error names what there is."""
        depot = Depot(materials={"m1": Material})

        with pytest.raises(error) as raised:
            depot.send(address)

        assert message in str(raised.value)

    def test_enabled_events(self, world: World) -> None:
        """What is possible is listed by member, in order."""

        async def scenario():
            depot = await started(depot_of(world), materials=dict.fromkeys(("m1", "m2"), world.machine(Material)))
            await World.call(depot.materials["m2"].order())
            assert await World.call(depot.enabled_events()) == (
                "order.place",
                "order.close",
                "materials[m1].order",
                "materials[m2].revoke",
                "materials[m2].pack",
            )

        world.run(scenario)


class Row:
    """A model that knows its system."""

    def __init__(self):
        self.state = None
        self.system = None
        self.neighbours = None


class Rows(Orchestrator):
    order: Order = machine(factory=Order)
    materials: Members[Material] = machines(lambda: Material(Row()))
    notes: list = data(default_factory=list)

    hold = when(order.placed).send(at(materials, "m1").pack, refused="hold")
    settled = when(some(each(materials).packed)).call(lambda orc: orc.notes.append("packed"))
    single = when(In(each(materials).packed)).call(lambda orc, occ: orc.notes.append(occ.key))


def pickled(system):
    return pickle.loads(pickle.dumps(system))


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, pickled], ids=["copy", "deepcopy", "pickle"])
class TestCopies:
    def test_are_independent(self, make_copy) -> None:
        """A copy has members of its own, in the same order and states, and goes on with what was held."""
        rows = Rows()
        for key in ("m2", "m1"):
            rows.materials.add(key)
        rows.order.place()
        other = make_copy(rows)

        assert list(other.materials) == ["m2", "m1"]
        assert other.materials["m1"] is not rows.materials["m1"]
        other.materials["m1"].order()
        assert str(other.configuration) == "order=placed materials[m2]=planned materials[m1]=packed"
        assert str(rows.configuration) == "order=placed materials[m2]=planned materials[m1]=planned"
        other.materials.add("m3").order()
        other.materials.remove("m2")
        assert list(other.machines) == ["order", "materials[m1]", "materials[m3]"]
        assert list(rows.materials) == ["m2", "m1"]

    def test_remember_what_held(self, make_copy) -> None:
        """A condition that held does not fire again in the copy."""
        rows = Rows()
        rows.materials.add("m1").order()
        rows.materials["m1"].pack()
        assert rows.notes == ["packed", "m1"]
        other = make_copy(rows)
        other.notes = []
        other.materials.add("m2").order()
        other.materials["m2"].pack()

        assert other.notes == ["m2"]

    def test_removals_are_noticed_in_the_copy(self, make_copy) -> None:
        """Taking a member out of the copy is a step there."""
        other = make_copy(Rows())
        made = other.materials.add("m1")

        assert made.planned.is_active
        assert "Member" not in type(other.materials.remove("m1")._engine).__name__


class TestReferencesInCopies:
    @pytest.mark.parametrize("make_copy", [copy.deepcopy, pickled], ids=["deepcopy", "pickle"])
    def test_lead_to_the_copy(self, make_copy) -> None:
        """A model that knows the collection, or a member of it, knows those of the copy."""
        rows = Rows()
        rows.materials.add("m1").model.neighbours = rows.materials
        rows.materials.add("m2").model.system = rows
        rows.notes = [rows.materials["m1"], rows.materials]
        other = make_copy(rows)

        assert other.materials["m1"].model.neighbours is other.materials
        assert other.materials["m2"].model.system is other
        assert other.notes[0] is other.materials["m1"]
        assert other.notes[1] is other.materials
        assert list(other.materials) == ["m1", "m2"]

    @pytest.mark.parametrize("make_copy", [copy.deepcopy, pickled], ids=["deepcopy", "pickle"])
    def test_a_collection_alone(self, make_copy) -> None:
        """A copy of a collection is that of a copy of the whole."""
        rows = Rows()
        rows.materials.add("m1")
        other = make_copy(rows.materials)
        other["m1"].order()

        assert other is not rows.materials
        assert rows.materials["m1"].planned.is_active
        assert other["m1"].ordered.is_active


class TestThreads:
    def test_add_at_once(self) -> None:
        """Threads add, remove and read at the same time; nothing is lost, and one of two gets the key."""
        depot = Depot()
        taken, problems = [], []
        start = threading.Barrier(6)

        def add(name):
            start.wait(5)
            for number in range(25):
                depot.materials.add(f"{name}{number}").order()
                try:
                    depot.materials.add(f"shared{number}")
                    taken.append(number)
                except KeyTakenError:
                    pass

        def read():
            start.wait(5)
            try:
                for _ in range(50):
                    assert str(depot.configuration)
                    assert depot.enabled_events()
            except Exception as error:
                problems.append(error)

        threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
        threads += [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert problems == []
        assert sorted(taken) == list(range(25))
        assert len(depot.materials) == 125
        assert sum(one.ordered.is_active for one in depot.materials.values()) == 100

    def test_tasks_add_at_once(self) -> None:
        """In an asynchronous system a key is taken at once, and the entries come one after the other."""

        async def scenario():
            async with WebDepot() as web:

                async def add(name):
                    for number in range(10):
                        made = web.materials.add(f"{name}{number}")
                        await asyncio.sleep(0)
                        await made.order()

                await asyncio.gather(*(add(name) for name in "abc"))
                with pytest.raises(KeyTakenError):
                    web.materials.add("a0")
                assert all(one.ordered.is_active for one in web.materials.values())
                return len(web.materials)

        assert asyncio.run(scenario()) == 30

    def test_another_task_takes_the_key(self) -> None:
        """A step that fails cannot bring a member back whose key another task has taken meanwhile, and says so."""

        class Failing(Order):
            async def on_place(self, entered, go_on, orc):
                orc.materials.remove("m1")
                entered.set()
                await go_on.wait()
                raise ValueError("no")

        class Contested(Orchestrator):
            order: Failing = machine(factory=Failing)
            materials: Members[Material] = machines(Material)

        async def scenario():
            async with Contested(materials={"m1": Material}) as contested:
                entered, go_on = asyncio.Event(), asyncio.Event()
                call = asyncio.ensure_future(contested.order.place(entered=entered, go_on=go_on))
                await entered.wait()
                new = contested.materials.add("m1")
                go_on.set()
                with pytest.raises(ValueError, match="no") as raised:
                    await call
                await contested.activate()
                assert any("the key is taken" in note for note in raised.value.__notes__)
                assert contested.materials["m1"] is new
                assert new.planned.is_active

        asyncio.run(scenario())
