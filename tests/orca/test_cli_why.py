"""What `orca-bridge run` says beforehand, against what the machine then does."""

from __future__ import annotations

import test_convert_reference as flat
import test_convert_regions_reference as parallel
from hypothesis import given, settings
from hypothesis import strategies as st
from statemachine.exceptions import TransitionNotAllowed
from written import machine_of

from orca_bridge.cli._why import Reasons
from orca_bridge.convert import machine_class

IGNORING = """\
# machine Ignoring
## state p [initial, parallel]
- ignore: knock
### region left
#### state x [initial]
- ignore: ring
#### state y
### region right
#### state z [initial]
- ignore: *
## transitions
| Source | Event | Guard | Target |
|---|---|---|---|
| x | go | event.n > 1 | y |
| p | ring | | x |
| z | knock | event.n > 1 | z |
"""


def agrees(machine, event, payload):
    """Ask first, then send."""
    refusal = Reasons(machine).refusal(event, payload)
    takes = Reasons(machine).takes(event, payload)
    before = str(machine)
    try:
        machine.send(event, payload)
    except TransitionNotAllowed:
        assert refusal is not None
        assert not refusal.ignored
        assert not takes
    else:
        assert refusal is None or refusal.ignored
        assert takes is (refusal is None)
        assert refusal is None or str(machine) == before


@settings(max_examples=100, deadline=None)
@given(flat.machines(), st.lists(st.tuples(st.sampled_from([*flat.EVENTS, "other"]), st.integers(0, 4)), max_size=8))
def test_nested_states(found, events):
    """Whether an event is taken is known before it is sent, at any depth."""
    machine = machine_class(found)(actions=flat.Tracer())
    for event, number in events:
        agrees(machine, event, {"n": number})


@settings(max_examples=100, deadline=None)
@given(parallel.machines(), st.data())
def test_regions(found, data):
    """So it is in parallel states, for what is ignored too."""
    machine = machine_class(found)(actions=flat.Tracer())
    for _ in range(6):
        agrees(machine, data.draw(st.sampled_from([*parallel.EVENTS, "other"])), {"n": data.draw(st.integers(0, 4))})


class TestIgnored:
    def test_inner_rows_first(self):
        """An inner `ignore` comes before rows further out, and speaks for its region only."""
        machine = machine_class(machine_of(IGNORING))()
        reasons = Reasons(machine)

        assert reasons.refusal("ring", {}) is None
        assert reasons.refusal("knock", {}).ignored
        assert reasons.refusal("knock", {"n": 2}) is None
        assert reasons.refusal("nothing", {}).ignored
        assert reasons.allowed() == ("go", "ring", "knock")

    def test_a_false_guard(self):
        """A guard that was false is told, even where another region ignores the event."""
        machine = machine_class(machine_of(IGNORING.replace("- ignore: *\n", "")))()

        assert Reasons(machine).refusal("go", {}).guard_failed
