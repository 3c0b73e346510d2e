"""A run that is stopped anywhere, and goes on from its snapshot in another process, is as if it had never stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from desk import Desk, act
from hypothesis import given, settings
from hypothesis import strategies as st

from statemachines_orchestrator.testing import SimulatedClock

DOINGS = (
    "order.process",
    "order.ship",
    "order.cancel",
    "billing.payment.pay",
    "billing.payment.refund",
    "billing.player.switch_on",
    "billing.player.switch_off",
    "billing.player.faster",
    "parcels[a].seal",
    "parcels[a].unseal",
    "parcels[b].seal",
    "give_up",
    "add a",
    "add b",
    "remove a",
    "advance 10",
    "advance 31",
)


@pytest.fixture(scope="module")
def elsewhere():
    """Another process, which is kept: starting one takes longer than all that it does."""
    here = Path(__file__).parent
    worker = subprocess.Popen(
        [sys.executable, str(here / "desk.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=here.parent.parent,
        env={"PYTHONPATH": str(here.parent.parent), "PYTHONHASHSEED": "7"},
    )

    def go_on(snapshot, doings):
        worker.stdin.write(json.dumps({"snapshot": snapshot, "doings": doings}) + "\n")
        worker.stdin.flush()
        return json.loads(worker.stdout.readline())

    yield go_on
    worker.stdin.close()
    worker.wait(timeout=20)
    worker.stdout.close()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_run_goes_on_elsewhere(elsewhere, data):
    """What is seen of the second half, and where it ends, is the same in both."""
    doings = data.draw(st.lists(st.sampled_from(DOINGS), max_size=14))
    stop = data.draw(st.integers(0, len(doings)))
    desk = Desk(clock=SimulatedClock())
    for doing in doings[:stop]:
        act(desk, doing)

    answer = elsewhere(desk.snapshot().to_json(), doings[stop:])

    assert answer["seen"] == [act(desk, doing) for doing in doings[stop:]]
    assert json.loads(answer["snapshot"]) == json.loads(desk.snapshot().to_json())


def test_a_member_that_is_added_at_once():
    """A member that is added to a restored system enters its initial state then, not with the first event."""
    restored = Desk.restore(Desk(clock=SimulatedClock()).snapshot(), clock=SimulatedClock())
    restored.parcels.add("a")

    assert restored.configuration["parcels[a]"] == {"opened"}
