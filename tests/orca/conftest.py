"""Fixtures of the conversion tests."""

import asyncio

import pytest
from convert_support import Driver


@pytest.fixture(params=["sync", "async"])
def drive(request):
    """A driver; every test that takes it runs on the sync and on the async engine."""
    if request.param == "sync":
        yield Driver(None)
    else:
        with asyncio.Runner() as runner:
            yield Driver(runner)
