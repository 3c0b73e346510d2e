"""The comparison finds faults in our own engine, each by the named case that is there for it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from our_mutants import FAULTS
from twin import ACCELERATED, OURS, STOCK, is_asynchronous, run
from twin_cases import CASES

BY_CLAIM = {case.claim: case for case in CASES}
BASES = ("StateChart", "StateMachine")


@cache
def lives(claim):
    """The case in every form, and how it went on stock engines; nothing is random here."""
    case = BY_CLAIM[claim]
    charts = [replace(case.chart, base=base) for base in BASES]
    found = [(chart, steps) for chart in charts for steps in (case.steps, case.called)]
    found += [(chart.asynchronous(), case.steps) for chart in charts]
    found += [(replace(chart, watched=True), steps) for chart, steps in found]
    return [(life, run(*life, STOCK)) for life in found]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.claim)
def test_found(fault):
    """The fault shows in its case, on the engine from the start or on one that a machine is given later."""
    is_awaited = "async" in fault.place.lower()
    told = [one for one in lives(fault.case) if is_asynchronous(one[0][0]) or not is_awaited]

    with fault.in_place():
        assert any(run(*life, engines) != stock for life, stock in told for engines in (OURS, ACCELERATED))


def test_names():
    """No two faults have one name, and a fault that is no longer in place is gone."""
    assert len({fault.claim for fault in FAULTS}) == len(FAULTS) >= 25
    assert all(run(*life, OURS) == stock for life, stock in lives(CASES[0].claim))
