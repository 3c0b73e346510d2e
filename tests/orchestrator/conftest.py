"""Fixtures of the orchestrator's tests."""

from __future__ import annotations

import pytest
from worlds import World


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    """A synchronous or an asynchronous world."""
    return World(request.param)
