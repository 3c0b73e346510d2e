"""
Threads that send to one machine.

Which thread runs whose event is chance, on python-statemachine's engine as on ours, and so is the order. What is not:
every event is taken once, what it gives reaches one caller at most, and nobody's error is lost or told twice.
"""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from threading import Barrier

import pytest
from statemachine import State, StateMachine
from statemachine.exceptions import TransitionNotAllowed

from conformance.engines import ACCELERATED, OURS, STOCK, engines_replaced, queued

THREADS = 4
EVENTS = 60
ROADS = {
    "call": lambda machine, event, x: getattr(machine, event)(x=x),
    "send": lambda machine, event, x: machine.send(event, x=x),
}
by_every_road = pytest.mark.parametrize("road", ROADS)
on_every_engine = pytest.mark.parametrize(
    "engines", [STOCK, OURS, ACCELERATED], ids=["stock", "planned", "accelerated"]
)
on_ours = pytest.mark.parametrize("engines", [OURS, ACCELERATED], ids=["planned", "accelerated"])


class Turnstile(StateMachine):
    """Notes what it takes."""

    shut = State(initial=True)
    ajar = State()
    turn = shut.to(ajar) | ajar.to(shut)
    count = shut.to.itself(internal=True) | ajar.to.itself(internal=True)
    follow = shut.to.itself(internal=True) | ajar.to.itself(internal=True)
    never = shut.to(ajar, cond="no") | ajar.to(shut, cond="no")
    no = False

    def __init__(self):
        self.taken = []
        super().__init__()

    def on_turn(self, x):
        self.taken.append(x)
        return x

    def on_count(self, x):
        self.taken.append(x)
        self.raise_("follow", x=x)
        return x

    def on_follow(self, x):
        self.taken.append((x, "followed"))


def machine_on(engines):
    with engines_replaced(engines):
        machine = Turnstile()
    if engines.then is not None:
        engines.then(machine)
    return machine


@pytest.fixture(autouse=True)
def hurry():
    """Let threads take turns far more often than they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def run(machine, road, events):
    """Let threads send all the events at once; what each call gave, or the error that it raised."""
    start = Barrier(THREADS)

    def one(number):
        start.wait()
        found = []
        for count in range(EVENTS):
            event = events[(number + count) % len(events)]
            try:
                found.append((event, ROADS[road](machine, event, (number, count))))
            except TransitionNotAllowed as error:
                found.append((str(error.event), error))
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        return [one for found in pool.map(one, range(THREADS)) for one in found]


def finish(machine):
    """Let a machine take what was left in its queue by an error, or by a wake-up that was lost; errors are returned."""
    errors = []
    while queued(machine):
        try:
            machine.activate_initial_state()
        except TransitionNotAllowed as error:
            errors.append(error)
    return errors


def sent(events, *, event):
    return {
        (number, count)
        for number in range(THREADS)
        for count in range(EVENTS)
        if events[(number + count) % len(events)] == event
    }


@by_every_road
@on_every_engine
def test_every_event(engines, road):
    """Every event is taken once, and what it raises internally comes right after it."""
    machine = machine_on(engines)
    events = ("turn", "count")

    run(machine, road, events)
    finish(machine)

    counted = sent(events, event="count")
    followed = Counter((x, "followed") for x in counted)
    assert Counter(machine.taken) == Counter(sent(events, event="turn")) + Counter(counted) + followed
    after = dict(zip(machine.taken, machine.taken[1:], strict=False))
    assert all(after[x] == (x, "followed") for x in counted)


@by_every_road
@on_every_engine
def test_results(engines, road):
    """What an event gives reaches one caller at most; who found the machine busy gets nothing."""
    machine = machine_on(engines)

    results = Counter(result for _, result in run(machine, road, ("turn",)) if result is not None)
    finish(machine)

    assert results
    assert not results - Counter(machine.taken)


@by_every_road
@on_every_engine
def test_errors(engines, road):
    """Every refusal is told once, to some caller."""
    machine = machine_on(engines)
    events = ("turn", "never")

    told = [one for _, one in run(machine, road, events) if isinstance(one, Exception)]
    told += finish(machine)

    assert Counter(str(error.event) for error in told) == {"never": len(sent(events, event="never"))}
    assert Counter(machine.taken) == Counter(sent(events, event="turn"))


@by_every_road
@on_ours
def test_nothing_waits(engines, road):
    """When all threads are done nothing waits in the queue, which is more than python-statemachine promises."""
    machine = machine_on(engines)

    run(machine, road, ("turn", "count"))

    assert queued(machine) == []


class Doorstep:
    """A lock; somebody comes just before it is let go for the first time."""

    def __init__(self, lock, visit):
        self._lock, self._visit = lock, visit

    def acquire(self, *, blocking):
        return self._lock.acquire(blocking=blocking)

    def release(self):
        visit, self._visit = self._visit, None
        if visit is not None:
            Context().run(visit)
        self._lock.release()

    def locked(self):
        return self._lock.locked()


@by_every_road
@on_every_engine
@pytest.mark.parametrize("event", ["turn", "count"])
def test_wake_up(engines, road, event):
    """
    An event that comes when the queue has been found empty, and before the machine is free, is taken.

    python-statemachine leaves it lying until somebody sends another (trap D1): its sender found the machine busy.
    """
    machine = machine_on(engines)
    visitor = ROADS[road]
    machine._engine._processing = Doorstep(machine._engine._processing, lambda: visitor(machine, event, "late"))

    assert ROADS[road](machine, event, "first") == "first"

    is_lost = engines is STOCK
    assert ("late" in machine.taken) is not is_lost
    assert bool(queued(machine)) is is_lost
