"""
Charts of every shape, in every combination of flags, behave on our engines as on python-statemachine's.

What the random comparison finds becomes a case here.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from unittest.mock import patch

import pytest
from twin import ACCELERATED, OURS, PREPARED, STOCK, run
from twin_cases import CASES
from twin_cases_prepare import PREPARING
from twin_data import FLAGS

from statemachines_orchestrator.engine._planned import PlannedEngine

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
EVERY = [dict(zip(FLAGS, values, strict=True)) for values in product((False, True), repeat=len(FLAGS))]
COMBINATIONS = {half: [flags for flags in EVERY if sum(flags.values()) % 2 == half] for half in (False, True)}
"""All combinations in two halves, in each of which any three flags have all combinations."""


def rests_of(told):
    """Return where a machine was at rest; the order within is compared with stock, not stated here."""
    return tuple(" ".join(sorted(one[1], key=lambda state: int(state[1:]))) for one in told if one[0] == "rest")


@every_case
def test_shows(case):
    """The case shows what it claims: otherwise two engines could agree on something else."""
    assert rests_of(run(case.chart, case.steps, STOCK)) == case.rests


@every_case
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_same(case, is_async):
    """Everything that can be seen is the same, whatever the flags; the one half of their combinations awaited."""
    plain = replace(case.chart, watched=True)
    chart = plain.asynchronous() if is_async else plain
    for flags in COMBINATIONS[is_async]:
        flagged = chart.with_flags(**flags)
        stock = run(flagged, case.steps, STOCK)
        assert (flags, run(flagged, case.steps, OURS)) == (flags, stock)
        assert (flags, run(flagged, case.steps, ACCELERATED)) == (flags, stock)


@every_case
@pytest.mark.parametrize("base", ["StateChart", "StateMachine"])
def test_unwatched(case, base):
    """The same holds on python-statemachine's own model, and when callbacks look at nothing."""
    chart = replace(case.chart, base=base)

    stock = run(chart, case.steps, STOCK)
    assert run(chart, case.steps, OURS) == stock
    assert run(chart, case.steps, ACCELERATED) == stock
    assert run(chart, case.steps, PREPARED) == stock


@every_case
@pytest.mark.parametrize("base", ["StateChart", "StateMachine"])
def test_called(case, base):
    """The same holds for events that are called as methods, which take a shorter road."""
    for is_watched in (False, True):
        chart = replace(case.chart, base=base, watched=is_watched)

        stock = run(chart, case.called, STOCK)
        assert run(chart, case.called, ACCELERATED) == stock


@pytest.mark.parametrize("case", PREPARING, ids=lambda case: case.claim)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_prepare(case, is_async):
    """Nothing of a machine with `prepare_event` is left to python-statemachine's own engine."""
    chart = case.chart.asynchronous() if is_async else case.chart

    with patch.object(PlannedEngine, "for_stock") as left:
        run(chart, case.steps, OURS)

    assert not left.called
