"""Timers of states (semantics.md 6): of machines in an orchestrator, and of machines that are used alone."""

from __future__ import annotations

import asyncio
import copy
import gc
import sys
import threading
import time
import weakref
from types import ModuleType

import pytest
from convert_support import active
from written import document_of

from orca_bridge import ConversionError, loads
from orca_bridge.write import python_source
from statemachines_orchestrator import Members, Orchestrator, machine, machines
from statemachines_orchestrator.testing import SimulatedClock

LAMP = """# machine Lamp
## context
| Field | Type | Default |
|-------|------|---------|
| ready | bool | true    |
| beats | int  | 0       |
## events
- flip
- stay
- beat
- end
## state dark [initial]
- timeout: 2s -> beat
- timeout: 5s -> bright : log
## state bright
- timeout: 60s -> dark
### state dim [initial]
- timeout: 10s -> full
### state full
## state guarded
- timeout: 3s -> dark
## state both [parallel]
### region left
#### state a [initial]
- timeout: 1s -> left.b
#### state b
### region right
#### state a [initial]
- timeout: 1s -> right.b
#### state b
## state gone [final]
## transitions
| Source  | Event   | Guard     | Target  | Action |
|---------|---------|-----------|---------|--------|
| dark    | beat    |           |         | count  |
| dark    | flip    |           | dark    |        |
| dark    | stay    |           |         | count  |
| dim     | flip    |           | full    |        |
| full    | flip    |           | guarded |        |
| full    | stay    |           | both    |        |
| guarded | timeout | ctx.ready | dark    |        |
| *       | end     |           | gone    |        |
## actions
| Name  | Signature          |
|-------|--------------------|
| log   | `(ctx) -> Context` |
| count | `(ctx) -> Context` |
"""


class Seen(dict):
    """Handlers that note what they were told."""

    def __init__(self, asynchronous):
        self.log = []

        def note(_ctx, event, event_name):
            self.log.append((event_name, event))

        async def note_later(_ctx, event, event_name):
            note(_ctx, event, event_name)

        super().__init__(dict.fromkeys(("log", "count"), note_later if asynchronous else note))


def written(text):
    """The class of a module that was written from a document."""
    module = sys.modules["written_timeouts"] = ModuleType("written_timeouts")
    exec(compile(python_source(document_of(text).machines), "written_timeouts.py", "exec"), vars(module))
    return module.Lamp


class World:
    """One lamp, how it is held, and its clock."""

    def __init__(self, cls, *, alone, asynchronous):
        self.runner = asyncio.Runner() if asynchronous else None
        self.clock = SimulatedClock()
        self.seen = Seen(asynchronous)
        self.house = None
        if alone:
            self.lamp = cls(actions=self.seen, clock=self.clock)
            if asynchronous:
                self.do(self.lamp.activate_initial_state)
        else:

            class House(Orchestrator):
                lamp: cls = machine(factory=cls, actions=self.seen)

            self.house = House(clock=self.clock)
            self.lamp = self.house.lamp
            if asynchronous:
                self.do(self.house.activate)

    def do(self, call):
        if self.runner is None:
            return call()

        async def go():
            return await call()

        return self.runner.run(go())

    def close(self):
        if self.runner is not None:
            self.runner.close()

    def send(self, event, **payload):
        self.do(lambda: self.lamp.send(event, **payload))

    def wait(self, seconds):
        self.do(lambda: self.clock.advance(seconds))

    @property
    def state(self):
        return active(self.lamp)


@pytest.fixture(params=["loaded", "written"])
def cls(request):
    return (loads if request.param == "loaded" else written)(LAMP)


@pytest.fixture(params=["alone", "member", "alone async", "member async"])
def world(request, cls):
    made = World(cls, alone="alone" in request.param, asynchronous="async" in request.param)
    yield made
    made.close()


class TestTimers:
    def test_lead_to_a_state(self, world):
        """A timer that is due takes its row: actions, exits and entries, with the event under the state's name."""
        world.wait(4.9)
        assert world.state == "dark"

        world.wait(0.1)

        assert world.state == "bright.dim"
        assert world.seen.log[-1] == ("timeout.dark", {"after": 5.0})

    def test_raise_events(self, world):
        """A timer whose aim is an event raises it, and each of several timers counts."""
        world.wait(2)

        assert world.state == "dark"
        assert world.seen.log == [("beat", {})]

    def test_begin_again_on_entry(self, world):
        """A self transition begins the timers anew; a row that stays does not."""
        world.wait(1.5)
        world.send("flip")
        world.wait(1)
        assert world.seen.log == []
        world.send("stay")
        world.wait(1)
        assert [name for name, _ in world.seen.log] == ["stay", "beat"]

        world.wait(3)

        assert world.state == "bright.dim"

    def test_end_on_exit(self, world):
        """A state that is left takes its timers along, and those of the states around it stay."""
        world.wait(5)
        world.send("flip")
        world.wait(59.9)
        assert world.state == "bright.full"

        world.wait(0.1)

        assert world.state == "dark"

    def test_of_nested_states(self, world):
        """Inner and outer states have timers of their own."""
        world.wait(15)
        assert world.state == "bright.full"

        world.wait(50)

        assert world.state == "dark"

    def test_of_regions(self, world):
        """Timers of regions are independent, and those that are due together all fire."""
        world.wait(15)
        world.send("stay")
        assert world.state == "both.left.a, both.right.a"

        world.wait(1)

        assert world.state == "both.left.b, both.right.b"

    @pytest.mark.parametrize("ready", [True, False])
    def test_are_spent(self, world, ready):
        """A timer whose guard is false when it is due is spent, and nobody hears of it."""
        world.lamp.context["ready"] = ready
        world.wait(15)
        world.send("flip")
        world.wait(3)
        assert world.state == ("dark" if ready else "guarded")

        world.lamp.context["ready"] = True
        world.wait(1)

        assert world.state == ("dark" if ready else "guarded")

    def test_end_with_the_machine(self, world):
        """Nothing fires in a machine that has ended."""
        world.send("end")
        world.wait(100)

        assert world.state == "gone"
        assert world.seen.log == []


class TestMembers:
    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_snapshot(self, cls, asynchronous):
        """A restored machine's timers go on with the time that was left."""
        first = World(cls, alone=False, asynchronous=asynchronous)
        first.wait(3)
        snapshot = first.house.snapshot()

        clock = SimulatedClock()
        house = type(first.house).restore(snapshot, clock=clock)
        first.do(lambda: clock.advance(1.9)) if asynchronous else clock.advance(1.9)
        assert active(house.lamp) == "dark"
        first.do(lambda: clock.advance(0.1)) if asynchronous else clock.advance(0.1)
        assert active(house.lamp) == "bright.dim"
        first.close()

    @pytest.mark.parametrize("make", [loads, written])
    def test_failed_step(self, make):
        """A step that fails puts the timers back that it ended, and forgets those that it began."""
        found = make(
            LAMP.replace("| dark    | flip    |           | dark    |        |", "| dark | flip | | dark | log |")
        )
        seen = []

        def fail():
            raise OSError("no more bulbs")

        class House(Orchestrator):
            lamp: found = machine(factory=found, actions={"log": fail, "count": lambda: seen.append("beat")})

        clock = SimulatedClock()
        house = House(clock=clock)
        clock.advance(1)
        with pytest.raises(OSError, match="bulbs"):
            house.lamp.flip()
        assert house.next_due == 2

        clock.advance(1)
        assert seen == ["beat"]
        assert house.next_due == 5

    def test_machine_that_was_alone(self, cls):
        """A machine that is handed to an orchestrator brings its timers, with the time that is left."""
        alone = cls(actions=Seen(asynchronous=False), clock=SimulatedClock())
        alone._given_clock.advance(1)

        class House(Orchestrator):
            lamp: cls

        clock = SimulatedClock()
        house = House(lamp=alone, clock=clock)
        alone._given_clock.advance(100)
        assert active(alone) == "dark"
        clock.advance(3.9)
        assert active(alone) == "dark"
        clock.advance(0.1)

        assert active(house.lamp) == "bright.dim"


BROKEN = """# machine Broken
## state a [initial]
- on_entry: fail
"""


class TestLeaving:
    def test_an_orchestrator_that_cannot_be_made(self, cls):
        """A machine that is given back has its timers again, on its own clock, and nobody waits for them."""
        clock = SimulatedClock()
        lamp = cls(actions=Seen(asynchronous=False), clock=clock)
        clock.advance(1)
        kind = loads(BROKEN, actions={"fail": lambda: 1 / 0})

        class House(Orchestrator):
            lamp: cls
            broken: kind = machine(factory=kind)

        with pytest.raises(ZeroDivisionError):
            House(lamp=lamp)
        lamp.send("stay")
        assert active(lamp) == "dark"
        clock.advance(3.9)
        assert active(lamp) == "dark"
        clock.advance(0.2)

        assert active(lamp) == "bright.dim"

    def test_removed(self, cls):
        """The timers of a machine that is removed end; those that it begins later go by its own clock."""
        clock, own = SimulatedClock(), SimulatedClock()

        class House(Orchestrator):
            lamps: Members[cls] = machines(cls)

        house = House(clock=clock)
        lamp = house.lamps.add("one", cls(actions=Seen(asynchronous=False), clock=own))
        assert house.lamps.remove("one") is lamp
        clock.advance(100)
        own.advance(100)
        assert active(lamp) == "dark"

        lamp.send("flip")
        own.advance(5)
        assert active(lamp) == "bright.dim"


class TestAlone:
    FAST = LAMP.replace("timeout: 5s", "timeout: 300ms").replace("- timeout: 2s -> beat\n", "")

    def test_thread(self):
        """Without a loop a thread fires the timers; whoever sends is not kept waiting."""
        done = threading.Event()
        lamp = loads(self.FAST)(actions={"log": lambda: done.set(), "count": lambda: None})

        lamp.send("stay")
        assert active(lamp) == "dark"
        assert done.wait(10)
        while active(lamp) == "dark":
            time.sleep(0.001)
        assert active(lamp) == "bright.dim"

    def test_loop(self):
        """In an event loop the loop fires them."""

        async def go():
            done = asyncio.Event()

            async def log():
                done.set()

            lamp = loads(self.FAST)(actions={"log": log, "count": lambda: None})
            await lamp.activate_initial_state()
            assert active(lamp) == "dark"
            await asyncio.wait_for(done.wait(), 10)
            await lamp.send("flip")
            return active(lamp)

        assert asyncio.run(go()) == "bright.full"

    def test_copies(self, cls):
        """A copy has timers of its own, which begin with the copy."""
        clock = SimulatedClock()
        lamp = cls(actions=Seen(asynchronous=False), clock=clock)
        clock.advance(3)
        twin = copy.deepcopy(lamp)

        clock.advance(2)
        assert (active(lamp), active(twin)) == ("bright.dim", "dark")
        clock.advance(3)
        assert active(twin) == "bright.dim"

    def test_thread_ends_with_the_machine(self, cls):
        """A machine whose timers are over is not kept by the thread that fired them."""
        before = set(threading.enumerate())
        lamp = cls(actions=Seen(asynchronous=False))
        lamp.send("end")
        (thread,) = set(threading.enumerate()) - before
        gone = weakref.ref(lamp)
        del lamp
        gc.collect()

        assert gone() is None
        thread.join(10)
        assert not thread.is_alive()


def test_final_states_have_none():
    """A timer that would lead out of a final state is refused, with its place."""
    text = LAMP.replace("## state gone [final]\n", "## state gone [final]\n- timeout: 1s -> dark\n")

    with pytest.raises(ConversionError, match=r"the timeout of 'gone' \(line \d+\) leaves a final state"):
        loads(text)
