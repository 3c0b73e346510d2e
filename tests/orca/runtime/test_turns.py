"""Where steps run: in the caller's task as long as nothing is waited for, then in a task of their own."""

import asyncio

import pytest

from orca_bridge.runtime import EventType
from orca_bridge.runtime._turns import Turnstile

TOGGLE = """
# machine Toggle

## context
| Field | Type | Default |
|-------|------|---------|
| n     | int  | 0       |

## state off [initial]
## state on
- on_entry: second

## transitions
| Source | Event | Target | Action |
|--------|-------|--------|--------|
| off    | flip  | on     | first  |
| on     | flip  | off    | first  |
"""


class TestTurns:
    def test_no_task_without_waiting(self, make, run):
        """A step of plain handlers makes no task."""
        tasks = []

        def first(ctx):
            tasks.append((asyncio.current_task(), len(asyncio.all_tasks())))

        async def go():
            toggle = make(TOGGLE, actions={"first": first, "second": lambda: None})
            for event_type in EventType:
                toggle.event_bus._subscribers.pop(event_type.value, None)
            await toggle.start()
            await toggle.send("flip")
            return asyncio.current_task()

        caller = run(go())

        assert tasks == [(caller, 1)]

    @pytest.mark.parametrize("plain", ["first", "second"])
    def test_what_waits_runs_in_one_task(self, make, run, plain):
        """What a handler begins in a task, such as a timeout, goes on and ends there; the caller is left alone."""
        tasks = []

        async def wait(ctx):
            tasks.append(asyncio.current_task())
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.sleep(10)
            except TimeoutError:
                tasks.append(asyncio.current_task())
            return {"n": ctx["n"] + 1}

        async def go():
            toggle = make(TOGGLE, actions={"first": wait, "second": wait, plain: lambda: None})
            await toggle.start()
            result = await toggle.send("flip")
            return toggle, result, asyncio.current_task()

        toggle, result, caller = run(go())

        assert result.taken
        assert toggle.context["n"] == 1
        assert tasks[0] is tasks[1]
        assert tasks[0] is not caller

    def test_cancelled_caller(self, make, run):
        """A caller that gives up leaves no step half done, wherever the step was."""

        async def go():
            reached, gate = asyncio.Event(), asyncio.Event()

            async def wait(ctx):
                reached.set()
                await gate.wait()
                ctx["n"] += 1

            toggle = make(TOGGLE, actions={"first": lambda ctx: {"n": ctx["n"] + 1}, "second": wait})
            await toggle.start()
            caller = asyncio.ensure_future(toggle.send("flip"))
            await reached.wait()
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            gate.set()
            result = await toggle.send("flip")
            return toggle, result

        toggle, result = run(go())

        assert (result.from_state, str(toggle.state)) == ("on", "off")
        assert toggle.context["n"] == 3

    def test_waiting_for_a_turn(self, make, run):
        """Whoever sends while a step waits gets a turn after it, and its own result."""

        async def go():
            gate = asyncio.Event()

            async def wait():
                await gate.wait()

            toggle = make(TOGGLE, actions={"first": lambda: None, "second": wait})
            await toggle.start()
            sends = [asyncio.ensure_future(toggle.send("flip")) for _ in range(3)]
            await asyncio.sleep(0)
            gate.set()
            return [(one.from_state, one.to_state) for one in await asyncio.gather(*sends)]

        assert run(go()) == [("off", "on"), ("on", "off"), ("off", "on")]

    def test_errors(self, make, run):
        """What a plain handler raises reaches the caller when the step is complete."""

        def first(ctx):
            raise ValueError("no")

        async def go():
            toggle = make(TOGGLE, actions={"first": first, "second": lambda: None})
            await toggle.start()
            with pytest.raises(ValueError, match="no"):
                await toggle.send("flip")
            return str(toggle.state)

        assert run(go()) == "on"

    def test_caller_cancelled_when_let_through(self, run):
        """Whoever is cancelled in the moment in which its turn has come leaves the turn to the next one."""

        async def go():
            turnstile, through = Turnstile(), []
            assert turnstile.enter_at_once()

            async def enter(name):
                async with turnstile:
                    through.append(name)

            first, second, third = (asyncio.ensure_future(enter(name)) for name in "abc")
            await asyncio.sleep(0)
            second.cancel()
            turnstile.leave()
            first.cancel()
            await asyncio.gather(first, second, third, return_exceptions=True)
            return through, turnstile.enter_at_once()

        assert run(go()) == (["c"], True)
