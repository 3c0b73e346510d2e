"""How many random charts are tried: 500 by `make test`, ten times 5,000 by `make nightly`."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
NEVER_AWAITED = "coroutine .* was never awaited"

# Hypothesis remembers every choice of a run, some 50 kB for each chart: so ten runs.
settings.register_profile("nightly", max_examples=5_000)


@pytest.fixture(scope="module", autouse=True)
def leftovers():
    """Collect what is left behind here, so that no later test hears of it."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", NEVER_AWAITED, RuntimeWarning)
        gc.collect()


def pytest_collection_modifyitems(items):
    """Let python-statemachine leave coroutines behind that nobody awaits: some random charts make it do so."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(f"ignore:{NEVER_AWAITED}:RuntimeWarning"))
