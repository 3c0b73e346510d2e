"""Machines that invoke machines."""

import asyncio
import json
import logging
import sys

import pytest

from orca_bridge.runtime import InvokeDef

ROWS = "## transitions\n| Source | Event | Target | Action |\n|---|---|---|---|\n"
TRIP = f"""\
# machine Trip
## context
| Field | Type | Default |
|---|---|---|
| city | string | Rome |
| room | int | |
| days | list | [1] |
## events
- booked
- refused
- cancel
## state booking [initial]
- on_entry: begin
- invoke: Hotel input: {{ place: ctx.city, list: ctx.days, stars: 4 }}
- returns: {{ room: number }}
- on_done: booked
- on_error: refused
- timeout: 10s -> late
## state ready [final]
## state failed [final]
## state late [final]
{ROWS}| booking | booked | ready | done |
| booking | refused | failed | done |
| booking | cancel | failed | |
---
# machine Hotel
## context
| Field | Type | Default |
|---|---|---|
| place | string | |
| list | list | |
| stars | int | 1 |
| number | int | 7 |
| secret | int | 1 |
## events
- confirm
- crash
## returns
| Name | Type |
|---|---|
| number | int |
## state asking [initial]
- timeout: 20s -> over
## state over [final]
{ROWS}| asking | confirm | over | |
| asking | crash | asking | crash |
"""


def failing(ctx):
    raise ValueError("full")


@pytest.fixture
def trip(make, run):
    found = []
    machine = make(
        TRIP, actions={"done": lambda ctx, event: found.append(event), "crash": failing, "begin": lambda: None}
    )
    machine.found = found
    run(machine.start())
    return machine


class TestChildren:
    def test_start(self, trip, told):
        """A child starts with its defaults and copies of its input, and is seen."""
        child = trip.children["booking"]

        assert child.context == {"place": "Rome", "list": [1], "stars": 4, "number": 7, "secret": 1}
        assert child.context["list"] is not trip.context["days"]
        assert (trip._child_machines, trip._active_invoke) == ({"booking": child}, "booking")
        assert [event.source for event in told.events] == ["Trip", "Hotel"]

    def test_done(self, run, trip, told):
        """A child that ends gives its values, is stopped and detached, and the event comes with copies."""
        child = trip.children["booking"]
        result = run(child.send("confirm"))

        assert result.to_state == "over"
        assert (trip.state, trip.context["room"], trip.children, trip._active_invoke) == ("ready", 7, {}, None)
        assert trip.found == [
            {"child": "Hotel", "final_state": "over", "context": child.context, "returns": {"number": 7}}
        ]
        assert trip.found[0]["context"] is not child.context
        assert not child.is_active
        hotel = [event.type.name for event in told.events if event.source == "Hotel"]
        assert hotel[-2:] == ["MACHINE_COMPLETED", "MACHINE_STOPPED"]

    def test_failed(self, run, trip):
        """A child that fails is stopped, and the event says why."""
        result = run(trip.children["booking"].send("crash"))

        assert "full" in result.error
        assert (trip.state, trip.children) == ("failed", {})
        assert trip.found == [{"child": "Hotel", "error": {"code": "ValueError", "message": "full"}}]

    def test_failed_unheard(self, run, make):
        """What no row of the parent takes is raised to whoever drove the child; the parent stays."""
        machine = make(TRIP.replace("- on_error: refused\n", ""), actions={"crash": failing})
        run(machine.start())

        with pytest.raises(ValueError, match="full"):
            run(machine.children["booking"].send("crash"))
        assert (machine.state, machine.children) == ("booking", {})

    @pytest.mark.parametrize("heard", [True, False])
    def test_failed_at_start(self, run, make, heard):
        """A child that fails when it starts is stopped too; unheard, the start of its parent raises."""
        text = TRIP.replace("## state asking [initial]\n", "## state asking [initial]\n- on_entry: crash\n")
        machine = make(text if heard else text.replace("- on_error: refused\n", ""), actions={"crash": failing})
        if heard:
            run(machine.start())
        else:
            with pytest.raises(ValueError, match="full"):
                run(machine.start())

        assert (machine.state, machine.children) == ("failed" if heard else "booking", {})

    def test_driven_from_within(self, run, make):
        """An action of the parent may drive the child; how that ends is handled after the step."""
        found = []

        async def drive(ctx, *, machine):
            found.append(await machine.children["booking"].send(ctx["event"]))
            found.append(machine.state)

        text = TRIP.replace("| booking | cancel | failed | |", "| booking | cancel | | drive |")
        for event, state in (("confirm", "ready"), ("crash", "failed")):
            found.clear()
            machine = make(text, actions={"drive": drive, "crash": failing}, context={"event": event})
            run(machine.start())
            run(machine.send("cancel"))
            assert found[1] == "booking"
            assert (machine.state, found[0].taken) == (state, event == "confirm")

    def test_left(self, run, trip, told, clock):
        """A state that is left stops its child, and nothing of it arrives."""
        child = trip.children["booking"]
        run(trip.send("cancel"))
        run(clock.advance(100))

        assert (trip.state, child.is_active, trip.found) == ("failed", False, [])
        names = [(event.source, event.type.name) for event in told.events]
        assert names.index(("Hotel", "MACHINE_STOPPED")) < names.index(("Trip", "STATE_CHANGED"))

    def test_deadline(self, run, trip, clock):
        """A timer of the state is a deadline for its child."""
        run(clock.advance(10))

        assert (trip.state, trip.children) == ("late", {})

    def test_timer_of_child(self, run, make, clock):
        """A child's own timer may end it."""
        machine = make(TRIP.replace("10s -> late", "30s -> late"))
        run(machine.start())
        run(clock.advance(20))

        assert machine.state == "ready"

    def test_stop(self, run, trip, told):
        """A parent that is stopped stops its children."""
        child = trip.children["booking"]
        run(trip.stop())

        assert not child.is_active
        assert [event.source for event in told.events if event.type.name == "MACHINE_STOPPED"] == ["Hotel", "Trip"]

    def test_at_once(self, run, make):
        """A child that is done when it starts is done."""
        machine = make(
            TRIP.replace("## state asking [initial]", "## state asking").replace(
                "over [final]", "over [initial, final]"
            )
        )
        run(machine.start())

        assert (machine.state, machine.context["room"]) == ("ready", 7)

    def test_unknown(self, run, make, caplog):
        """A machine that nobody has registered is an error event, and a warning where no row takes it."""
        text = TRIP.partition("\n---\n")[0] + "\n"
        machine = make(text)
        run(machine.start())
        assert machine.state == "failed"

        with caplog.at_level(logging.WARNING):
            quiet = make(text.replace("- on_error: refused\n", ""))
            run(quiet.start())
        assert (quiet.state, "'Hotel'" in caplog.text) == ("booking", True)

    def test_targets(self, run, make):
        """The ends of a child may lead to states."""
        text = TRIP.replace("on_done: booked", "on_done: ready").replace("on_error: refused", "on_error: failed")
        for event, state in (("confirm", "ready"), ("crash", "failed")):
            machine = make(text, actions={"crash": failing})
            run(machine.start())
            run(machine.children["booking"].send(event))
            assert machine.state == state

    def test_shared(self, run, trip):
        """Handlers that the parent gets later are its child's too."""
        trip.register_action("crash", lambda ctx: {"stars": 0})
        run(trip.children["booking"].send("crash"))

        assert trip.children["booking"].context["stars"] == 0

    def test_depth(self, run, make):
        """Machines that invoke each other for ever fail at a depth of 64."""
        text = f"# machine Deep\n## events\n- no\n## state a [initial]\n- invoke: Deep\n- on_error: no\n## state end [final]\n{ROWS}| a | no | end | note |\n"
        found = []
        run(make(text, actions={"note": lambda ctx, event: found.append(event["error"]["code"])}).start())

        assert found[0] == "INVOKE_DEPTH"

    def test_by_hand(self, run, make):
        """A child may be started and stopped by hand."""
        machine = make(
            TRIP.replace("- invoke: Hotel", "- note: Hotel")
            .replace("- returns", "- gives")
            .replace("- on_done: booked\n", "")
            .replace("- on_error: refused\n", "")
        )
        run(machine.start())
        run(
            machine.start_child_machine(
                "booking", InvokeDef("Hotel", {"place": "ctx.city", "stars": "3"}, on_done="booked")
            )
        )
        child = machine.children["booking"]
        assert (child.context["place"], child.context["stars"]) == ("Rome", 3)
        run(child.send("confirm"))
        assert machine.state == "ready"

        run(machine.stop())
        run(machine.start())
        run(machine.start_child_machine("booking", InvokeDef("Hotel")))
        run(machine.stop_child_machine("booking"))
        assert (machine.children, machine.state) == ({}, "booking")


def runner(result, before="pass"):
    """A program that answers any invocation with a result."""
    code = f"import sys, json, time; got = json.load(sys.stdin); {before}; print(json.dumps({result}))"
    return [sys.executable, "-c", code]


ANSWER = "{'protocol_version': '1.0', 'final_state': 'over', 'returns': {'number': got['args']['stars'] * 10}}"
FAILURE = (
    "{'protocol_version': '1.0', 'final_state': '', 'returns': {}, 'error': {'code': 'FULL', 'message': 'no room'}}"
)
FOREIGN = TRIP.partition("\n---\n")[0] + "\n"


class TestForeign:
    def foreign(self, make, *argv, **keywords):
        found = []
        machine = make(FOREIGN, actions={"done": lambda ctx, event: found.append(event)})
        machine.found = found
        machine.register_foreign_runner("Hotel", *argv, **keywords)
        return machine

    def test_done(self, run, make):
        """A foreign child gets its input and gives what is bound; the start waits for it."""
        machine = self.foreign(make, runner(ANSWER))
        run(machine.start())

        assert (machine.state, machine.context["room"]) == ("ready", 40)
        assert machine.found == [{"child": "Hotel", "final_state": "over", "returns": {"number": 40}}]

    @pytest.mark.parametrize(
        ("argv", "code", "message"),
        [
            (runner(FAILURE), "FULL", "no room"),
            (["no-such-program-here"], "BRIDGE_ERROR", "foreign runner not found: 'no-such-program-here'"),
            ([sys.executable, "-c", "print('hello')"], "BRIDGE_ERROR", "no JSON"),
            ([sys.executable, "-c", "import sys; sys.exit('boom')"], "BRIDGE_ERROR", "foreign runner exited 1: boom"),
            ([], "BRIDGE_ERROR", "a list of a program"),
        ],
        ids=["error", "missing", "no json", "status", "empty"],
    )
    def test_failed(self, run, make, argv, code, message):
        """A foreign child that fails is an error event that says why, and binds nothing."""
        machine = self.foreign(make, argv)
        run(machine.start())

        assert (machine.state, machine.context["room"]) == ("failed", None)
        assert machine.found[0]["error"]["code"] == code
        assert message in machine.found[0]["error"]["message"]

    def test_too_slow(self, run, make):
        """A foreign child has only so much time."""
        machine = self.foreign(make, runner(ANSWER, "time.sleep(30)"), timeout=0.05)
        run(machine.start())

        assert "within 0.05s" in machine.found[0]["error"]["message"]

    def test_left(self, run, make):
        """The machine goes on meanwhile; a state that is left ends the process."""

        async def scenario():
            machine = self.foreign(make, runner(ANSWER, "time.sleep(30)"))
            start = asyncio.create_task(machine.start())
            await asyncio.sleep(0.01)
            result = await machine.send("cancel")
            await start
            return machine, result

        machine, result = run(scenario())

        assert (result.to_state, machine.state, machine.found) == ("failed", "failed", [])

    @pytest.mark.parametrize(
        ("descriptor", "says"),
        [
            ({"params": [{"name": "place", "type": "int"}]}, "'place' is int, not str"),
            ({"params": [{"name": "place", "type": "string"}]}, "it takes no 'stars'"),
            ({"params": [], "returns": [{"name": "key"}]}, "'room' is bound to 'number'"),
        ],
    )
    def test_descriptor(self, run, make, descriptor, says):
        """What the descriptor does not allow fails before anything is started."""
        machine = self.foreign(make, ["no-such-program-here"], descriptor)
        run(machine.start())

        assert says in machine.found[0]["error"]["message"]

    @pytest.mark.parametrize(("how", "state"), [("run", "ready"), ("error", "failed")])
    def test_resumed(self, run, make, how, state):
        """A foreign child that was running when a snapshot was taken is run again, or fails."""
        machine = self.foreign(make, runner(ANSWER))
        run(machine.resume({"state": "booking", "children": {}, "active_invoke": "booking"}, resume_foreign=how))

        assert machine.state == state

    def test_unheard(self, run, make):
        """What no row takes is raised to whoever waits."""
        machine = make(FOREIGN.replace("- on_error: refused\n", ""))
        machine.register_foreign_runner("Hotel", runner(FAILURE))

        with pytest.raises(Exception, match="no room"):
            run(machine.start())
        assert machine.is_active

    def test_only_json(self, run, make):
        """Only JSON values cross the bridge."""
        machine = self.foreign(make, runner(ANSWER))
        machine.context["city"] = json
        run(machine.start())

        assert "only JSON values" in machine.found[0]["error"]["message"]
