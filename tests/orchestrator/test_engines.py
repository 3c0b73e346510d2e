"""The tests of the orchestrator run on two engines: ours, and python-statemachine's with the hooks of a member."""

import subprocess
import sys

import pytest
from shop import Order
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


@pytest.mark.conformance
def test_switch():
    """The option reaches this folder from wherever the tests are started."""
    command = [sys.executable, "-m", "pytest", "--engine=stock", "-q", "-k", "test_members or test_plans", __file__]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
