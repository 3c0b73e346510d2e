"""The tests of the orchestrator run on two engines: ours, and python-statemachine's with the hooks of a member."""

import subprocess
import sys
import time

import pytest
from shop import Order
from statemachine import State, StateChart
from statemachine.engines.base import EventQueue
from stock_members import StockMemberEngine

from statemachines_orchestrator import Orchestrator, machine
from statemachines_orchestrator.engine import engine_of, statistics_of
from statemachines_orchestrator.engine._queue import LightQueue


class Parcel(Order):
    """A class that no other test sends events to."""


class Shop(Orchestrator):
    """One member is enough."""

    order: Parcel = machine(factory=Parcel)


@pytest.fixture
def engine(request):
    """What was asked for on the command line."""
    return request.config.getoption("--engine")


def test_members(engine):
    """Members run on the engine that was asked for."""
    shop = Shop()
    member = engine_of(shop.order)

    assert isinstance(member, StockMemberEngine) is (engine == "stock")
    assert type(member.external_queue) is (EventQueue if engine == "stock" else LightQueue)


def test_plans(engine):
    """On python-statemachine's engine nothing is planned; on ours nothing takes its road."""
    Shop().order.process()
    statistics = statistics_of(Parcel)

    assert (statistics.stock == 0) is (engine == "planned")
    assert (statistics.plans == 0) is (engine == "stock")


def wait_until(holds):
    """Wait for the thread of an invocation."""
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.005)


class Preparing:
    """A listener that hands on what it is given, and writes into the event, too."""

    def prepare_event(self, event_data, orc, state):
        event_data.trigger_data.kwargs.setdefault("written", state.id)
        return {"prepared": (orc, event_data.transition.target.id)}


class Told(StateChart):
    """A machine that notes what was prepared for it."""

    idle = State(initial=True)
    busy = State()
    go = idle.to(busy, cond="may") | busy.to(idle)

    def __init__(self, **given):
        self.told = []
        super().__init__(**given)

    def may(self, prepared, written=None):
        self.told.append(("may", *prepared, written))
        return True

    def on_exit_idle(self, prepared, written=None, *, orc):
        assert prepared[0] is orc
        self.told.append(("exit", *prepared, written))

    def on_enter_busy(self, prepared, written=None):
        self.told.append(("enter", *prepared, written))

    def on_invoke_busy(self, ctx, orc):
        self.told.append(("invoke", orc, ctx.kwargs["written"]))


class Teller(Orchestrator):
    """A system with a listener that prepares."""

    told: Told = machine(factory=lambda: Told(listeners=[Preparing()]))


def test_prepare(engine):
    """What a member's `prepare_event` returns or writes reaches its callbacks on either engine, by a plan on ours."""
    teller = Teller()
    teller.told.go()
    wait_until(lambda: len(teller.told.told) == 4)

    assert teller.told.told == [
        ("may", teller, "busy", None),
        ("exit", teller, "busy", "idle"),
        ("enter", teller, "busy", "idle"),
        ("invoke", teller, "idle"),
    ]
    assert (statistics_of(Told).stock == 0) is (engine == "planned")


@pytest.mark.conformance
def test_switch():
    """The option reaches this folder from wherever the tests are started."""
    command = [sys.executable, "-m", "pytest", "--engine=stock", "-q", "-k", "test_members or test_plans", __file__]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
