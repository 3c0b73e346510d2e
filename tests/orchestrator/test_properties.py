"""Random steps against bare machines: a step does what its events do one after another, or nothing."""

from __future__ import annotations

import asyncio
import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import Order, Payment
from statemachine import HistoryState, State, StateChart, StateMachine
from worlds import asynchronous

from statemachines_orchestrator import Orchestrator, machine


class Box(StateChart):
    """Refuses what it cannot take, and remembers where it was."""

    allow_event_without_transition = False

    outside = State(initial=True)

    class inside(State.Compound):
        left = State(initial=True)
        right = State()
        turn = left.to(right) | right.to(left)
        back = HistoryState()

    enter = outside.to(inside)
    leave = inside.to(outside)
    resume = outside.to(inside.back)


class Clerk(StateMachine):
    """Passes a list of events on, inside one transition."""

    at_work = State(initial=True)
    take = at_work.to.itself(internal=True)

    def on_take(self, events, orc):
        for member, event in events:
            getattr(orc, member).send(event)


class AsyncClerk(StateMachine):
    """Passes a list of events on, inside one transition, and awaits each."""

    at_work = State(initial=True)
    take = at_work.to.itself(internal=True)

    async def on_take(self, events, orc):
        for member, event in events:
            await getattr(orc, member).send(event)


MACHINES = {"order": Order, "payment": Payment, "box": Box}
EVENTS = [(name, str(event)) for name, kind in MACHINES.items() for event in kind._events]


class System(Orchestrator):
    clerk: Clerk = machine(factory=Clerk)
    order: Order = machine(factory=Order)
    payment: Payment = machine(factory=Payment)
    box: Box = machine(factory=Box)


class AsyncSystem(Orchestrator):
    clerk: AsyncClerk = machine(factory=AsyncClerk)
    order: Order = machine(factory=asynchronous(Order))
    payment: Payment = machine(factory=Payment)
    box: Box = machine(factory=asynchronous(Box))


class Reference:
    """Bare machines, and a whole life told again for each step that fails."""

    def __init__(self):
        self.told = []
        self.machines = {}
        self._begin()

    def _begin(self):
        self.machines = {name: kind() for name, kind in MACHINES.items()}
        for member, event in self.told:
            self.machines[member].send(event)

    def step(self, events):
        """Take the events one after another; if one is refused, none of them has happened."""
        try:
            for member, event in events:
                self.machines[member].send(event)
        except StateMachine.TransitionNotAllowed:
            self._begin()
            return False
        self.told.extend(events)
        return True

    @property
    def states(self):
        return {name: frozenset(state.id for state in one.configuration) for name, one in self.machines.items()}


steps = st.lists(st.lists(st.sampled_from(EVENTS), max_size=5), max_size=8)


def states_of(system):
    return {name: ids for name, ids in system.configuration.items() if name != "clerk"}


@given(steps)
@settings(max_examples=150, deadline=None)
def test_synchronous_steps(life):
    """Every step of a random life ends where the bare machines end, also after copies in between."""
    system, reference = System(), Reference()
    for events in life:
        fitted = reference.step(events)
        if fitted:
            system.clerk.take(events)
        else:
            with pytest.raises(StateMachine.TransitionNotAllowed):
                system.clerk.take(events)
        assert states_of(system) == reference.states
        system = copy.deepcopy(system)


@given(steps)
@settings(max_examples=75, deadline=None)
def test_asynchronous_steps(life):
    """The same in an asynchronous system, with members of both kinds."""

    async def scenario():
        system, reference = AsyncSystem(), Reference()
        await system.activate()
        for events in life:
            fitted = reference.step(events)
            if fitted:
                await system.clerk.take(events)
            else:
                with pytest.raises(StateMachine.TransitionNotAllowed):
                    await system.clerk.take(events)
            assert states_of(system) == reference.states
            system = copy.deepcopy(system)

    asyncio.run(scenario())
