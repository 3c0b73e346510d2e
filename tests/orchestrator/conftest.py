"""Fixtures of the orchestrator's tests."""

from __future__ import annotations

import pytest
from stock_members import run_members_on_stock_engines
from worlds import World


def pytest_configure(config):
    """Run members on python-statemachine's own engines, if asked to: `pytest --engine=stock`."""
    if config.getoption("--engine") == "stock":
        run_members_on_stock_engines()


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    """A synchronous or an asynchronous world."""
    return World(request.param)
