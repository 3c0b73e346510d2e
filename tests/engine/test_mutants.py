"""The comparison finds faults: engines with one fault each, tried on the named cases and on one fixed set of random charts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from mutants import MUTANTS
from twin import STOCK, run
from twin_cases import CASES
from twin_draw import lives

SIZE = 300


@pytest.fixture(scope="module")
def told():
    """The named cases and random lives, always the same ones, and how they went on stock engines."""
    named = [(replace(case.chart, base=base), case.steps) for base in ("StateChart", "StateMachine") for case in CASES]
    found = [(life, run(*life, STOCK)) for life in named]

    @settings(
        max_examples=SIZE,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(lives())
    def draw(life):
        found.append((life, run(*life, STOCK)))

    draw()
    return found


def test_stock(told):
    """Stock is equal to itself, so a difference is the engine's."""
    assert all(run(*life, STOCK) == stock for life, stock in told[:100])


@pytest.mark.parametrize("name", MUTANTS)
def test_found(told, name):
    """Every fault shows in some chart."""
    assert any(run(*life, MUTANTS[name]) != stock for life, stock in told)
