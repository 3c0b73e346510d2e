"""Timers of machines."""

import asyncio
import logging

import pytest

from orca_bridge.runtime import EventBus, ManualClock, OrcaMachine, parse_orca_md

ROWS = "## transitions\n| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n"
KETTLE = f"""\
# machine Kettle
## events
- on
- off
- whistle
## state cold [initial]
## state heating
- timeout: 2s -> lukewarm
- timeout: 500ms -> whistle
### state slow [initial]
- timeout: 1s -> fast
### state fast
## state lukewarm
- timeout: 1m -> cold
## state hot [final]
{ROWS}| cold | on | | heating | |
| heating | on | | heating | |
| heating | off | | cold | |
| heating | whistle | | | hear |
| lukewarm | off | | hot | |
"""


@pytest.fixture
def kettle(make, run):
    heard = []
    machine = make(KETTLE, actions={"hear": lambda ctx: heard.append("whistle")})
    machine.heard = heard
    run(machine.start())
    return machine


class TestTimers:
    def test_due(self, run, kettle, clock, told):
        """A timer takes its state's way out when it is due, and not before."""
        run(kettle.send("on"))
        run(clock.advance(1.5))
        assert kettle.state.leaf() == "fast"
        run(clock.advance(0.4))
        assert kettle.state.leaf() == "fast"
        run(clock.advance(0.1))

        assert kettle.state == "lukewarm"
        assert told.payloads("TRANSITION_STARTED")[-1] == {
            "from": "heating.fast",
            "to": "lukewarm",
            "trigger": "timeout",
        }

    def test_event(self, run, kettle, clock):
        """A timer to an event raises it."""
        run(kettle.send("on"))
        run(clock.advance(0.5))

        assert kettle.heard == ["whistle"]

    def test_left(self, run, kettle, clock):
        """A state that is left takes its timers, and those of the states in it, along."""
        run(kettle.send("on"))
        run(kettle.send("off"))
        run(clock.advance(1000))

        assert (kettle.state, kettle.heard) == ("cold", [])

    def test_again(self, run, kettle, clock):
        """A state that is entered again begins to wait anew."""
        run(kettle.send("on"))
        run(clock.advance(1.9))
        run(kettle.send("on"))
        run(clock.advance(0.9))

        assert kettle.state.leaf() == "slow"
        run(clock.advance(1.1))
        assert kettle.state == "lukewarm"

    @pytest.mark.parametrize("how", ["stop", "end"])
    def test_over(self, run, kettle, clock, told, how):
        """Neither a machine that is stopped nor one that has ended is moved by time."""
        run(kettle.send("on"))
        run(clock.advance(2))
        run(kettle.stop() if how == "stop" else kettle.send("off"))
        told.events.clear()
        run(clock.advance(100))

        assert kettle.state == ("lukewarm" if how == "stop" else "hot")
        assert told.events == []

    def test_no_drift(self, run, make, clock):
        """What follows from a timer is due from the time when that was due, and happens in one move of the clock."""
        text = f"# machine M\n## state a [initial]\n- timeout: 1s -> b\n## state b\n- timeout: 1s -> a\n{ROWS}"
        moves = []
        machine = make(text, on_transition=lambda old, new: moves.append(clock.now()))
        run(machine.start())
        run(clock.advance(3.5))

        assert moves == [1.0, 2.0, 3.0]

    def test_guard(self, run, make, clock):
        """A timer whose guard is false when it is due is spent."""
        text = (
            "# machine M\n## context\n| Field | Type | Default |\n|---|---|---|\n| ok | bool | false |\n"
            f"## state a [initial]\n- timeout: 1s -> b\n## state b\n{ROWS}| a | timeout | ctx.ok == true | b | act |\n"
        )
        machine = make(text)
        run(machine.start())
        run(clock.advance(1))
        machine.context["ok"] = True
        run(clock.advance(10))
        assert machine.state == "a"

        run(machine.stop())
        run(machine.start({"ok": True}))
        run(clock.advance(1))
        assert machine.state == "b"

    def test_failure(self, run, make, clock, caplog):
        """What the action of a timer raises is logged and given to the hook: there is no caller."""
        heard = []
        text = f"# machine M\n## state a [initial]\n- timeout: 1s -> b : act\n## state b\n{ROWS}"
        machine = make(text, actions={"act": lambda ctx: 1 / 0}, on_error=heard.append)
        run(machine.start())
        with caplog.at_level(logging.ERROR):
            run(clock.advance(1))

        assert machine.state == "b"
        assert [type(error) for error in heard] == [ZeroDivisionError]
        assert "nobody waits" in caplog.text

    def test_payload(self, run, make, clock):
        """The action of a timer gets how long it has waited, in seconds."""
        found = []
        text = f"# machine M\n## state a [initial]\n- timeout: 1500ms -> b : act\n## state b\n{ROWS}"
        run(make(text, actions={"act": lambda ctx, event: found.append(event)}).start())
        run(clock.advance(2))

        assert found == [{"after": 1.5}]

    def test_entry_sends(self, run, make, clock):
        """An entry action after a timer may send: its own timer's turn is not cancelled by it."""

        async def enter(ctx, *, machine):
            await machine.send("go")

        text = f"# machine M\n## state a [initial]\n- timeout: 1s -> b\n## state b\n- on_entry: enter\n## state c\n{ROWS}| b | go | | c | |\n"
        machine = make(text, actions={"enter": enter})
        run(machine.start())
        run(clock.advance(1))

        assert machine.state == "c"

    def test_void(self, run, make, clock):
        """A timer that is due while its state is being left does nothing."""

        async def scenario():
            gate = asyncio.Event()
            text = f"# machine M\n## state a [initial]\n- timeout: 1s -> late\n## state b\n## state late\n{ROWS}| a | go | | b | wait |\n"
            machine = make(text, actions={"wait": gate.wait})
            await machine.start()
            sent = asyncio.create_task(machine.send("go"))
            await asyncio.sleep(0)
            moved = asyncio.create_task(clock.advance(2))
            await asyncio.sleep(0)
            gate.set()
            await asyncio.gather(sent, moved)
            return machine.state

        assert run(scenario()) == "b"

    def test_stopped_meanwhile(self, run, make, clock, caplog):
        """A timer that is due while its machine is being stopped does nothing, and nobody complains."""

        async def scenario():
            gate = asyncio.Event()

            async def wait(ctx):
                await gate.wait()

            text = f"# machine M\n## state a [initial]\n- timeout: 1s -> late\n## state late\n{ROWS}| a | go | | | wait |\n"
            machine = make(text, actions={"wait": wait})
            await machine.start()
            sent = asyncio.create_task(machine.send("go"))
            stopped = asyncio.create_task(machine.stop())
            for _ in range(3):
                await asyncio.sleep(0)
            moved = asyncio.create_task(clock.advance(2))
            await asyncio.sleep(0)
            gate.set()
            await asyncio.gather(sent, stopped, moved)
            return machine.state

        assert run(scenario()) == "a"
        assert caplog.text == ""


class TestClocks:
    def test_loop(self, run):
        """Without a clock the event loop's time goes by."""

        async def scenario():
            moved = asyncio.Event()
            text = f"# machine M\n## state a [initial]\n- timeout: 10ms -> b\n## state b\n{ROWS}"
            machine = OrcaMachine(parse_orca_md(text), EventBus(), on_transition=lambda old, new: moved.set())
            await machine.start()
            await moved.wait()
            return machine.state

        assert run(scenario()) == "b"

    def test_manual(self, run):
        """A clock that is moved by hand stands still, and does not go back."""
        clock = ManualClock(5)

        assert clock.now() == 5
        with pytest.raises(ValueError, match="does not go back"):
            run(clock.advance(-1))
        run(clock.advance(2))
        assert repr(clock) == "ManualClock(7, 0 calls)"
