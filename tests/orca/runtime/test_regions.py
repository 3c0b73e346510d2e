"""Parallel states of machines."""

import pytest

ROWS = "## transitions\n| Source | Event | Target | Action |\n|---|---|---|---|\n"
TEXT = f"""\
# machine Order
## context
| Field | Type | Default |
|---|---|---|
| enough | int | 1 |
## events
- start
- paid
- sent
- both
- cancel
## state idle [initial]
## state work [parallel]
- on_done: -> closed
- on_exit: clear
### region payment
#### state open [initial]
- timeout: 5s -> overdue
- on_exit: leave
#### state overdue
#### state final_one [final]
### region delivery
- ignore: paid
#### state packing [initial]
- on_exit: leave
#### state final_two [final]
## state closed [final]
{ROWS}| idle | start | work | |
| open | paid | final_one | |
| packing | sent | final_two | |
| open | both | final_one | |
| packing | both | final_two | |
| work | cancel | idle | |
"""


@pytest.fixture
def order(make, run):
    called = []
    machine = make(TEXT, actions={"leave": lambda ctx, *, event_name: called.append(event_name), "clear": lambda: None})
    machine.called = called
    run(machine.start())
    run(machine.send("start"))
    return machine


class TestRegions:
    def test_state(self, order):
        """The state of a machine shows all regions."""
        assert order.state == {"work": {"payment": {"open": {}}, "delivery": {"packing": {}}}}
        assert str(order.state) == "work.payment.open, work.delivery.packing"

    def test_one_region(self, run, order):
        """A region moves by itself, and the result shows the whole."""
        result = run(order.send("paid"))

        assert (result.taken, result.to_state) == (True, "work.payment.final_one, work.delivery.packing")
        assert order.called == ["paid"]

    def test_all_regions(self, run, order, told):
        """One event may move several regions, in one transition as far as others hear."""
        told.events.clear()
        result = run(order.send("both"))

        assert (result.to_state, order.is_final, order.called) == ("closed", True, ["both", "both"])
        assert told.payloads("TRANSITION_STARTED")[0]["to"] == "final_one, final_two"
        assert [one["trigger"] for one in told.payloads("TRANSITION_STARTED")] == ["both", "done.state.work"]

    def test_ignored_by_one(self, run, order):
        """A region that ignores an event does so for itself."""
        run(order.send("paid"))
        result = run(order.send("paid"))

        assert (result.taken, result.ignored) == (False, True)

    def test_timer(self, run, order, clock):
        """A timer in a region moves that region."""
        run(clock.advance(5))

        assert order.state.leaves() == ["overdue", "packing"]

    def test_left(self, run, order, clock, told):
        """Leaving a parallel state leaves every region, with its timers."""
        run(order.send("cancel"))
        assert (order.state, order.called) == ("idle", ["cancel", "cancel"])
        told.events.clear()
        run(clock.advance(10))

        assert told.events == []

    @pytest.mark.parametrize(("sync", "events"), [("all-final", ["paid", "sent"]), ("any-final", ["paid"])])
    def test_sync(self, run, make, sync, events):
        """A parallel state is done when all regions are, or when the first is."""
        machine = make(TEXT.replace("[parallel]", f"[parallel, sync: {sync}]"))
        run(machine.start())
        run(machine.send("start"))
        for event in events:
            assert not machine.is_final
            run(machine.send(event))

        assert machine.is_final

    def test_custom_sync(self, run, make):
        """With a sync of one's own, a function that is registered says when a parallel state is done."""
        machine = make(TEXT.replace("[parallel]", "[parallel, sync: custom]"))

        @machine.action("sync_work")
        def done(ctx, regions):
            return sum(final is not None for final in regions.values()) >= ctx["enough"]

        run(machine.start({"enough": 2}))
        for event in ("start", "sent"):
            run(machine.send(event))
        assert not machine.is_final
        run(machine.send("paid"))

        assert machine.is_final

    def test_initial(self, run, make):
        """A machine may begin in a parallel state."""
        machine = make(
            TEXT.replace("## state idle [initial]", "## state idle").replace("[parallel]", "[initial, parallel]")
        )
        assert machine.state.leaves() == ["open", "packing"]
        run(machine.start())

        assert machine.state.leaves() == ["open", "packing"]

    def test_snapshot(self, run, make, order, clock):
        """A snapshot holds all regions; one that lacks a region is refused."""
        run(order.send("sent"))
        snap = order.snapshot()
        machine = make(TEXT)
        run(machine.resume(snap))
        assert machine.state.leaves() == ["open", "final_two"]
        run(machine.send("paid"))
        assert machine.is_final

        with pytest.raises(ValueError, match=r"'work\.delivery' are missing"):
            run(make(TEXT).resume({"state": {"work": {"payment": {"open": {}}}}}))

    def test_children(self, run, make):
        """Several regions may invoke the same machine at the same time."""
        text = TEXT.replace(
            "#### state open [initial]\n- timeout: 5s -> overdue\n",
            "#### state open [initial]\n- invoke: Sub\n- on_done: paid\n",
        )
        text = text.replace(
            "#### state packing [initial]\n", "#### state packing [initial]\n- invoke: Sub\n- on_done: sent\n"
        )
        machine = make(
            text
            + "---\n# machine Sub\n## events\n- fin\n## state a [initial]\n## state b [final]\n"
            + ROWS
            + "| a | fin | b | |\n"
        )
        run(machine.start())
        run(machine.send("start"))
        assert list(machine.children) == ["work.payment.open", "work.delivery.packing"]
        run(machine.children["work.delivery.packing"].send("fin"))
        assert machine.state.leaves() == ["open", "final_two"]
        assert list(machine._child_machines) == ["open"]
        run(machine.children["work.payment.open"].send("fin"))

        assert machine.is_final
