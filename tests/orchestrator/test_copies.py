"""Copies that survive: `copy`, `deepcopy` and `pickle` give an independent whole, and run no callback."""

from __future__ import annotations

import asyncio
import copy
import pickle

import pytest
from shop import Order, Payment
from statemachine import HistoryState, State, StateChart, StateMachine

from orca_bridge import loads
from statemachines_orchestrator import Orchestrator, data, machine
from statemachines_orchestrator.exceptions import StepRunningError


def pickled(system):
    return pickle.loads(pickle.dumps(system))


COPIES = pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, pickled], ids=["copy", "deepcopy", "pickle"])
DEEP_COPIES = pytest.mark.parametrize("make_copy", [copy.deepcopy, pickled], ids=["deepcopy", "pickle"])

CALLED: list[str] = []


class Noisy(StateMachine):
    """Notes every callback."""

    one = State(initial=True)
    two = State()
    three = State(final=True)
    go = one.to(two)
    finish = two.to(three)

    def on_enter_state(self, target):
        CALLED.append(f"enter {target.id}")

    def prepare_event(self):
        CALLED.append("prepare")
        return {}


class Machinery(StateChart):
    """Compound and parallel states with history."""

    outside = State(initial=True)

    class box(State.Compound):
        first = State(initial=True)
        second = State()
        forward = first.to(second)
        back = HistoryState()

    class both(State.Parallel):
        class left(State.Compound):
            l1 = State(initial=True)
            l2 = State(final=True)
            l_go = l1.to(l2)

        class right(State.Compound):
            r1 = State(initial=True)
            r2 = State(final=True)
            r_go = r1.to(r2)

    enter = outside.to(box)
    leave = box.to(outside)
    resume = outside.to(box.back)
    split = outside.to(both)


class Row:
    """A model that knows its machine and its orchestrator."""

    def __init__(self):
        self.machine = None
        self.system = None
        self.lines = []


class Guarding:
    """A listener that provides a guard named in the class."""

    def __init__(self):
        self.asked = 0

    def is_allowed(self):
        self.asked += 1
        return True


class Guarded(StateMachine):
    one = State(initial=True)
    two = State(final=True)
    go = one.to(two, cond="is_allowed")


class AsyncOrder(Order):
    async def on_process(self, orc):
        return orc

    async def on_enter_pending(self, opened_by):
        CALLED.append(f"opened by {opened_by}")


class Plain(Orchestrator):
    noisy: Noisy = machine(factory=Noisy)
    order: Order = machine(factory=Order)
    payment: Payment | None = None
    notes: list = data(default_factory=list)


class Charts(Orchestrator):
    chart: Machinery = machine(factory=Machinery)
    order: Order = machine(factory=Order)


class WithModel(Orchestrator):
    order: Order = machine(factory=lambda: Order(Row()))
    payment: Payment = machine(factory=Payment)


class WithListener(Orchestrator):
    guarded: Guarded = machine(factory=lambda: Guarded(listeners=[Guarding()]))


class Asynchronous(Orchestrator):
    order: AsyncOrder = machine(factory=AsyncOrder, opened_by="ann")
    payment: Payment = machine(factory=Payment)


@COPIES
def test_independent(make_copy):
    """Events of the copy leave the original alone, and the other way round."""
    original = Plain()
    original.noisy.go()
    other = make_copy(original)
    other.noisy.finish()
    original.order.process()

    assert type(other) is Plain
    assert str(original.configuration) == "noisy=two order=processing"
    assert str(other.configuration) == "noisy=three order=pending"
    assert other.payment is None


@COPIES
def test_no_callback_runs(make_copy):
    """Copying calls nothing."""
    original = Plain()
    original.noisy.go()
    CALLED.clear()
    make_copy(original)

    assert CALLED == []


@COPIES
def test_attributes_and_data(make_copy):
    """Declared data and other attributes go along; deep copies have their own."""
    original = Plain(notes=["a"])
    original.colour = ["red"]
    other = make_copy(original)

    shared = make_copy is copy.copy
    assert other.notes == ["a"]
    assert other.colour == ["red"]
    assert (other.notes is original.notes) == shared
    assert (other.colour is original.colour) == shared


@COPIES
def test_history_and_parallel_states(make_copy):
    """Recorded history and parallel states are in the copy, and go on from there."""
    original = Charts()
    for event in ("enter", "forward", "leave"):
        original.chart.send(event)
    other = make_copy(original)
    other.chart.resume()
    assert str(other.configuration) == "chart=second order=pending"

    original.chart.split()
    original.chart.l_go()
    third = make_copy(original)
    third.chart.r_go()
    assert str(third.configuration) == "chart=l2+r2 order=pending"
    assert third.chart.configuration_values == {"both", "left", "l2", "right", "r2"}


@COPIES
def test_an_ended_machine_has_ended_in_the_copy(make_copy):
    """The end of a machine survives; it refuses events as before."""
    original = Plain()
    original.order.cancel()
    other = make_copy(original)

    assert other.order.is_terminated
    with pytest.raises(StateMachine.TransitionNotAllowed):
        other.order.process()


@DEEP_COPIES
def test_references_lead_to_the_copy(make_copy):
    """A model that knows its machine and its orchestrator knows those of the copy, afterwards."""
    original = WithModel()
    original.order.model.machine = original.order
    original.order.model.system = original
    original.payment.model.friend = original.order.model
    other = make_copy(original)
    other.order.process()

    row = other.order.model
    assert row is not original.order.model
    assert row.machine is other.order
    assert row.system is other
    assert other.payment.model.friend is row
    assert row.state == "processing"
    assert original.order.model.state == "pending"


@DEEP_COPIES
def test_copying_a_member_copies_its_system(make_copy):
    """A machine belongs to its system: a copy of it is the member of a copy."""
    original = WithModel()
    order = make_copy(original.order)
    order.process()

    assert original.order.pending.is_active
    assert order.processing.is_active
    assert type(order) is Order


@DEEP_COPIES
def test_a_copy_of_a_copy(make_copy):
    """Copies can be copied."""
    original = WithModel()
    original.order.process()

    assert str(make_copy(make_copy(original)).configuration) == "order=processing payment=unpaid"


@COPIES
def test_a_machine_outside_of_any_system_is_copied_as_before(make_copy):
    """The classes of members can still be used, and copied, by themselves."""
    Plain()
    alone = Order()
    alone.process()
    other = make_copy(alone)

    assert other.processing.is_active
    assert other is not alone


@COPIES
def test_listeners_keep_their_rights(make_copy):
    """A guard that only a listener provides works in the copy."""
    original = WithListener()
    other = make_copy(original)
    other.guarded.go()

    assert other.guarded.two.is_active
    assert original.guarded.one.is_active


@COPIES
def test_asynchronous_systems(make_copy):
    """A system that was not activated yet is activated in the copy, with its arguments; an active one goes on."""

    async def scenario():
        CALLED.clear()
        original = Asynchronous()
        other = make_copy(original)
        assert await other.order.process() is other
        assert CALLED == ["opened by ann"]
        third = make_copy(other)
        await third.order.ship()
        return [str(one.configuration) for one in (original, other, third)]

    assert asyncio.run(scenario()) == [
        "order=- payment=-",
        "order=processing payment=unpaid",
        "order=shipped payment=unpaid",
    ]
    assert CALLED == ["opened by ann"]


def test_own_getstate_is_respected():
    """A machine class that says what belongs to its copy is asked."""
    system = Custom()
    system.custom.secret = "not copied"
    other = copy.deepcopy(system)

    assert other.custom.secret == "blank"
    assert other.custom.one.is_active


class CustomMachine(StateMachine):
    one = State(initial=True)
    two = State(final=True)
    go = one.to(two)
    secret = "blank"

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("secret", None)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)


class Custom(Orchestrator):
    custom: CustomMachine = machine(factory=CustomMachine)


class OwnReduce(StateMachine):
    one = State(initial=True)
    two = State(final=True)
    go = one.to(two)

    def __reduce__(self):
        return OwnReduce, ()


class Reducing(Orchestrator):
    own: OwnReduce = machine(factory=OwnReduce)


@DEEP_COPIES
def test_own_reduce(make_copy):
    """A machine class with a way of its own to be copied keeps it, except for members: they belong to their system."""
    system = Reducing()
    system.own.go()
    alone = OwnReduce()
    alone.go()

    assert make_copy(system).own.two.is_active
    assert make_copy(system.own).two.is_active
    assert make_copy(alone).one.is_active


DOOR = """
# machine Door

## state closed [initial]
## state open

## transitions
| Source | Event | Target |
|--------|-------|--------|
| closed | push  | open   |
| open   | pull  | closed |
"""


class House(Orchestrator):
    door: StateChart = machine(factory=lambda: loads(DOOR)(Row()))
    order: Order = machine(factory=Order)


@DEEP_COPIES
def test_members_of_a_class_that_cannot_be_imported(make_copy):
    """A machine loaded from a document, whose class no module holds, is copied with its system, references too."""
    original = House()
    original.door.model.machine = original.door
    original.door.push()
    other = make_copy(original)
    other.door.pull()

    assert other.door.model.machine is other.door
    assert str(original.configuration) == "door=open order=pending"
    assert str(other.configuration) == "door=closed order=pending"


def test_not_in_the_middle_of_a_step(world):
    """Half a step is no state to copy from: the error says when to copy."""

    class Copying(Order):
        def on_process(self, orc):
            copy.deepcopy(orc)

    class System(Orchestrator):
        order: Copying

    async def scenario():
        system = System(world.machine(Copying)())
        with pytest.raises(StepRunningError) as caught:
            await world.call(system.order.process())
        return str(caught.value)

    assert world.run(scenario) == (
        "System is in the middle of a step, and that is no time to copy it. Do it when the event call has returned."
    )


def test_not_while_another_task_is_in_a_step():
    """In an asynchronous system a copy cannot wait for the running step, so it is refused."""

    class Waiting(Order):
        async def on_process(self):
            await asyncio.sleep(0.01)

    class System(Orchestrator):
        order: Waiting = machine(factory=Waiting)

    async def scenario():
        system = System()
        task = asyncio.ensure_future(system.order.process())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(StepRunningError):
            copy.copy(system)
        await task
        return str(copy.copy(system).configuration)

    assert asyncio.run(scenario()) == "order=processing"
