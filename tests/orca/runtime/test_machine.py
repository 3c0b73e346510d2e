"""Events, results, context and actions of machines."""

import asyncio
import logging
from functools import partial

import pytest

from orca_bridge import EventlessLoopError
from orca_bridge.runtime import Event, EventType, MachineNotActiveError, OrcaMachine, get_event_bus, parse_orca_md

DOOR = """\
# machine Door

## context

| Field | Type | Default |
|-------|------|---------|
| n     | int  | 0       |
| tags  | list | []      |

## events
- knock
- open
- close
- wave

## state shut [initial]
- on_entry: lock
- on_exit: unlock
- ignore: wave

## state ajar
### state crack [initial]
- on_entry: creak
### state wide

## state gone [final]

## transitions

| Source | Event | Guard | Target | Action |
|--------|-------|-------|--------|--------|
| shut   | knock | many  | ajar   | greet  |
| shut   | knock | more  | gone   |        |
| shut   | open  |       | ajar   | greet  |
| crack  | open  |       | wide   |        |
| ajar   | close |       | gone   | part   |

## guards

| Name | Expression  |
|------|-------------|
| many | `ctx.n > 2` |
| more | `ctx.n > 5` |
"""


def recorder(*names):
    """Handlers that note their names, and what they were called with."""
    called = []

    def handler(name):
        def run(ctx, event=None):
            called.append((name, event))

        return run

    return called, {name: handler(name) for name in names}


class TestResults:
    def test_taken(self, run, make):
        """An event that is taken says from where to where."""
        machine = make(DOOR)
        run(machine.start())
        result = run(machine.send("open"))

        assert (result.taken, result.from_state, result.to_state, result.to_state_leaf) == (
            True,
            "shut",
            "ajar.crack",
            "crack",
        )
        assert (result.error, result.guard_failed, result.ignored, result.event) == (None, False, False, "open")

    def test_guard(self, run, make):
        """Where no guard holds, the last one tried is named."""
        machine = make(DOOR)
        run(machine.start())
        result = run(machine.send("knock"))

        assert (result.taken, result.guard_failed, result.error) == (False, True, "Guard 'more' failed")

    def test_nothing(self, run, make):
        """Where nothing waits for an event, the result says so and the machine stays."""
        machine = make(DOOR)
        run(machine.start())
        result = run(machine.send("close"))

        assert (result.taken, result.to_state) == (False, None)
        assert result.error == "No transition for event close from shut"

    def test_ignored(self, run, make, told):
        """An ignored event is neither taken nor an error, and nobody is told."""
        machine = make(DOOR, on_transition=lambda old, new: 1 / 0)
        run(machine.start())
        told.events.clear()
        result = run(machine.send("wave"))

        assert (result.taken, result.ignored, result.error) == (False, True, None)
        assert told.events == []

    def test_ended(self, run, make):
        """A machine that has ended stays active, takes nothing, and says where it has ended."""
        machine = make(DOOR, context={"n": 0})
        run(machine.start())
        run(machine.send("open"))
        run(machine.send("close"))
        result = run(machine.send("open"))

        assert (machine.is_active, machine.is_final) == (True, True)
        assert result.error == "Machine 'Door' has finished in state 'gone'"

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_not_active(self, run, make, when):
        """An event for a machine that does not run is an error that names machine and remedy."""
        machine = make(DOOR)
        if when == "after":
            run(machine.start())
            run(machine.stop())

        with pytest.raises(MachineNotActiveError, match=r"'Door' .*start\(\)"):
            run(machine.send("open"))

    @pytest.mark.parametrize(
        "event",
        ["open", Event(EventType.STATE_CHANGED, "me", "open"), Event("open", "me"), {"type": "open"}],
        ids=["name", "event", "type", "mapping"],
    )
    def test_forms(self, run, make, event):
        """An event may be a name, an Event or a mapping."""
        machine = make(DOOR)
        run(machine.start())

        assert run(machine.send(event)).taken

    def test_payloads(self, run, make):
        """The payload stands beside the event or in it."""
        called, actions = recorder("greet")
        machine = make(DOOR, actions=actions)
        for sent in (
            ("open", {"a": 1}),
            (Event(EventType.STATE_CHANGED, "me", "open", payload={"a": 1}),),
            ({"type": "open", "payload": {"a": 1}},),
        ):
            run(machine.start())
            run(machine.send(*sent))
            run(machine.stop())

        assert called == [("greet", {"a": 1})] * 3

    @pytest.mark.parametrize(
        "handler",
        [
            lambda state, machine: state["tags"].append(machine),
            lambda source, event_data: source["tags"].append(event_data),
            lambda model, a: model["tags"].append(a),
            lambda ctx, a, state=None: ctx["tags"].append(a),
        ],
        ids=["machine", "event_data", "field of the payload", "three"],
    )
    def test_places(self, run, make, handler):
        """What stands first in a handler is the context, and next the payload, whatever they are called."""
        machine = make(DOOR, actions={"greet": handler})
        run(machine.start())
        run(machine.send("open", {"a": 1}))

        assert machine.context["tags"] == [{"a": 1}]

    def test_no_event(self, run, make):
        """A mapping without a type is refused, and told what it should be."""
        machine = make(DOOR)
        run(machine.start())

        with pytest.raises(TypeError, match="'type': name"):
            run(machine.send({"event": "open"}))


class TestPrecedence:
    TEXT = """\
# machine M
## state p [initial]
- ignore: a
### state c [initial]
- ignore: b, d
## state q [final]
## transitions
| Source | Event | Guard | Target |
|--------|-------|-------|--------|
| c | a | | q |
| p | b | | q |
| c | d | ctx.no | q |
| c | * | ctx.yes | q |
"""

    @pytest.mark.parametrize(
        ("event", "context", "outcome"),
        [
            ("a", {}, "taken"),
            ("b", {}, "ignored"),
            ("d", {"no": None}, "ignored"),
            ("d", {"no": 1}, "taken"),
            ("d", {"yes": 1}, "taken"),
            ("other", {}, "guard_failed"),
        ],
        ids=[
            "inner row beats outer ignore",
            "inner ignore beats outer row",
            "row failed",
            "row",
            "any row",
            "any failed",
        ],
    )
    def test_named(self, run, make, event, context, outcome):
        """Rows of a state and of inner states beat its `ignore`, which beats rows of outer ones."""
        text = self.TEXT.replace(
            "## state p", "## context\n| Field | Type |\n|---|---|\n| no | any |\n| yes | any |\n## state p"
        )
        machine = make(text, context=context)
        run(machine.start())
        result = run(machine.send(event))

        assert [name for name in ("taken", "ignored", "guard_failed") if getattr(result, name)] == [outcome]

    @pytest.mark.parametrize(("event", "outcome"), [("a", "taken"), ("b", "ignored"), ("zzz", "ignored")])
    def test_all(self, run, make, event, outcome):
        """`ignore: *` discards what neither the state nor an outer one takes."""
        text = (
            "# machine M\n## state p [initial]\n### state c [initial]\n- ignore: *\n## state q [final]\n"
            "## transitions\n| Source | Event | Guard | Target |\n|---|---|---|---|\n| p | a | | q |\n| p | b | false | q |\n"
        )
        machine = make(text)
        run(machine.start())

        assert getattr(run(machine.send(event)), outcome)


class TestLife:
    def test_before(self, make):
        """Before it is started a machine shows where it will begin, and the values that it will begin with."""
        machine = make(DOOR)

        assert (machine.state, machine.is_active, machine.context) == ("shut", False, {"n": 0, "tags": []})

    def test_start(self, run, make, told):
        """A start enters the initial state and tells so; a second one does nothing."""
        called, actions = recorder("lock")
        machine = make(DOOR, actions=actions)
        run(machine.start())
        run(machine.start())

        assert called == [("lock", None)]
        assert told.payloads("MACHINE_STARTED") == [{"machine": "Door", "initial_state": "shut"}]
        assert machine.is_active

    def test_stop(self, run, make, told):
        """A stop runs no exit action, tells so once, and leaves the machine where it was."""
        called, actions = recorder("unlock")
        machine = make(DOOR, actions=actions)
        run(machine.start())
        run(machine.stop())
        run(machine.stop())

        assert (called, told.payloads("MACHINE_STOPPED"), machine.state) == ([], [{}], "shut")

    def test_stop_together(self, run, make, told):
        """Several stops at the same time are one."""

        async def scenario():
            machine = make(DOOR)
            await machine.start()
            await asyncio.gather(machine.stop(), machine.stop())

        run(scenario())

        assert told.payloads("MACHINE_STOPPED") == [{}]

    def test_anew(self, run, make):
        """A start after a stop begins with the initial state and values."""
        machine = make(DOOR, context={"n": 3})
        run(machine.start())
        machine.context["n"] = 9
        machine.context["tags"].append("x")
        run(machine.send("knock"))
        run(machine.stop())
        run(machine.start())

        assert (machine.state, machine.context) == ("shut", {"n": 3, "tags": []})

    def test_context(self, run, make):
        """Given values go over the defaults, those of the start over both, and undeclared ones are kept."""
        machine = make(DOOR, context={"n": 3, "extra": 1})
        run(machine.start({"more": 2}))

        assert machine.context == {"n": 3, "tags": [], "extra": 1, "more": 2}

    def test_assigned_context(self, run, make):
        """A context that is assigned is the one that guards read and actions change."""
        machine = make(DOOR, actions={"greet": lambda ctx: {"greeted": True}})
        run(machine.start())
        machine.context = {"n": 3}
        run(machine.send("knock"))

        assert machine.context == {"n": 3, "greeted": True}

    def test_default_bus(self):
        """Without a bus a machine takes that of the process."""
        machine = OrcaMachine(parse_orca_md(DOOR))

        assert machine.bus is machine.event_bus is get_event_bus()

    def test_repr(self, run, make):
        """The repr says which machine it is and where."""
        machine = make(DOOR)

        assert repr(machine) == "OrcaMachine('Door' in shut, not active)"


class TestTold:
    def test_transition(self, run, make, told):
        """A transition is told before the first exit and after the last entry."""
        order = []
        machine = make(DOOR, actions={name: partial(order.append, name) for name in ("unlock", "greet", "creak")})
        for event_type in (EventType.TRANSITION_STARTED, EventType.STATE_CHANGED, EventType.TRANSITION_COMPLETED):
            told.bus.subscribe(event_type, lambda event: order.append(event.type.name))
        machine.on_transition = lambda old, new: order.append(f"{old} -> {new}")
        run(machine.start())
        run(machine.send("open"))

        assert order == [
            "TRANSITION_STARTED",
            "unlock",
            "greet",
            "creak",
            "STATE_CHANGED",
            "TRANSITION_COMPLETED",
            "shut -> ajar.crack",
        ]

    def test_payloads(self, run, make, told):
        """What is told names the states, the event, and the target as it was written."""
        machine = make(DOOR)
        run(machine.start())
        run(machine.send("open"))
        run(machine.send("open"))
        run(machine.send("close"))

        assert told.payloads("TRANSITION_STARTED") == [
            {"from": "shut", "to": "ajar", "trigger": "open"},
            {"from": "ajar.crack", "to": "wide", "trigger": "open"},
            {"from": "ajar.wide", "to": "gone", "trigger": "close"},
        ]
        assert told.payloads("STATE_CHANGED") == told.payloads("TRANSITION_COMPLETED")
        assert told.payloads("STATE_CHANGED")[1] == {"from": "ajar.crack", "to": "ajar.wide"}
        assert told.payloads("MACHINE_COMPLETED") == [{"machine": "Door", "final_state": "gone"}]
        assert {event.source for event in told.events} == {"Door"}

    def test_callback_fails(self, run, make):
        """What the callback raises reaches the caller when the step is complete."""
        machine = make(DOOR, on_transition=lambda old, new: 1 / 0)
        run(machine.start())

        with pytest.raises(ZeroDivisionError):
            run(machine.send("open"))
        assert machine.state == {"ajar": {"crack": {}}}

    def test_subscriber_fails(self, run, make, told, caplog):
        """What a subscriber raises is logged, and the machine goes on."""
        told.bus.subscribe(EventType.TRANSITION_STARTED, lambda event: 1 / 0)
        machine = make(DOOR)
        run(machine.start())

        assert run(machine.send("open")).taken
        assert "ZeroDivisionError" in caplog.text


class TestActions:
    @pytest.mark.parametrize(
        "handler",
        [
            lambda: {"n": 7},
            lambda ctx: {"n": 7},
            lambda ctx, event: {"n": 7},
            lambda ctx, event=None: ctx.update(n=7),
            lambda ctx, *, event_name, state, machine: {"n": 7} if event_name == "open" and machine.is_active else {},
        ],
        ids=["none", "context", "payload", "in place", "by name"],
    )
    def test_forms(self, run, make, handler):
        """A handler takes nothing, the context, the payload too, or asks by name; it returns changes or makes them."""
        machine = make(DOOR, actions={"greet": handler})
        run(machine.start())
        run(machine.send("open", {"a": 1}))

        assert machine.context["n"] == 7

    def test_async(self, run, make):
        """An asynchronous handler is awaited before the next action."""
        order = []

        async def greet(ctx):
            await asyncio.sleep(0)
            order.append("greet")

        machine = make(DOOR, actions={"greet": greet, "creak": lambda ctx: order.append("creak")})
        run(machine.start())
        run(machine.send("open"))

        assert order == ["greet", "creak"]

    def test_late(self, run, make):
        """Handlers come and go while the machine runs."""
        called, actions = recorder("part")
        machine = make(DOOR)
        run(machine.start())

        @machine.action("greet")
        def greet(ctx):
            called.append("greet")

        @machine.register_action("part")
        def old(ctx):
            called.append("old")

        run(machine.send("open"))
        machine.register_action("part", actions["part"])
        run(machine.send("close"))

        assert called == ["greet", ("part", {})]
        machine.unregister_action("greet")
        run(machine.stop())
        run(machine.start())
        run(machine.send("open"))
        assert called == ["greet", ("part", {})]

    def test_missing(self, run, make, caplog):
        """An action without a handler is passed over, and logged once."""
        machine = make(DOOR)
        for _ in range(2):
            run(machine.start())
            run(machine.send("open"))
            run(machine.stop())

        assert caplog.text.count("action 'greet' of machine 'Door' has no handler") == 1

    def test_failure(self, run, make):
        """What an action raises reaches the caller after the step, if no row takes it."""
        machine = make(DOOR, actions={"greet": lambda ctx: 1 / 0})
        run(machine.start())

        with pytest.raises(ZeroDivisionError):
            run(machine.send("open"))
        assert machine.state.leaf() == "crack"
        assert run(machine.send("open")).taken

    def test_failure_taken(self, run, make):
        """What an action raises is an event that a row may take."""
        text = DOOR.replace(
            "| crack  | open", "| ajar   | error.action.greet |       | gone   |        |\n| crack  | open"
        )
        machine = make(text, actions={"greet": lambda ctx: 1 / 0})
        run(machine.start())
        result = run(machine.send("open"))

        assert (result.to_state, machine.is_final) == ("gone", True)

    def test_failure_at_start(self, run, make):
        """What an entry action raises at the start reaches the caller; the machine is active."""
        machine = make(DOOR, actions={"lock": lambda ctx: 1 / 0})

        with pytest.raises(ZeroDivisionError):
            run(machine.start())
        assert (machine.is_active, machine.state) == (True, "shut")

    def test_typing(self, run, make, caplog):
        """Types are checked when asked for."""
        machine = make(DOOR, typing="warn", actions={"greet": lambda ctx: {"n": "seven"}})
        run(machine.start())
        run(machine.send("open"))

        assert "'n' is declared int" in caplog.text

    def test_loop(self, run, make):
        """Rows without events that never come to rest are an error."""
        text = "# machine M\n## state a [initial]\n## state b\n## transitions\n| Source | Event | Target |\n|---|---|---|\n| a | | b |\n| b | | a |\n"

        with pytest.raises(EventlessLoopError):
            run(make(text).start())

    def test_table(self, run, make):
        """A decision table is the handler of the action that is called so."""
        text = (
            "# machine M\n## context\n| Field | Type | Default |\n|---|---|---|\n| age | int | 70 |\n| fare | string | |\n"
            "## state a [initial]\n- on_entry: choose_fare\n---\n# decision_table ChooseFare\n## conditions\n"
            "| Name | Type | Values |\n|---|---|---|\n| age | int_range | 0..120 |\n## actions\n| Name | Type |\n|---|---|\n"
            "| fare | string |\n## rules\n| age | → fare |\n|---|---|\n| 65+ | low |\n| - | full |\n"
        )
        machine = make(text)
        run(machine.start())

        assert machine.context["fare"] == "low"


class TestTurns:
    def test_nested(self, run, make):
        """An event sent from an action is handled after the step, and the outer caller waits for it."""
        found = []

        async def greet(ctx, *, machine):
            found.append(await machine.send("open"))
            found.append(machine.state.leaf())

        machine = make(DOOR, actions={"greet": greet})
        run(machine.start())
        result = run(machine.send("open"))

        assert (found[0].queued, found[0].taken, found[0].event) == (True, False, "open")
        assert result.to_state_leaf == "crack"
        assert machine.state.leaf() == "wide"

    def test_subscriber_sends(self, run, make, told):
        """A subscriber may send; that is handled after the step too."""

        async def scenario():
            machine = make(DOOR)

            async def push(event):
                if event.payload["to"] == "ajar.crack":
                    assert (await machine.send("open")).queued

            told.bus.subscribe(EventType.STATE_CHANGED, push)
            await machine.start()
            await machine.send("open")
            return machine.state.leaf()

        assert run(scenario()) == "wide"

    def test_concurrent(self, run, make):
        """Events sent at the same time take turns in order, and each caller gets its own result."""

        async def greet(ctx):
            await asyncio.sleep(0)

        async def scenario():
            machine = make(DOOR, actions={"greet": greet})
            await machine.start()
            return await asyncio.gather(*(machine.send(event) for event in ("open", "open", "open", "close")))

        results = run(scenario())

        assert [result.to_state_leaf for result in results] == ["crack", "wide", None, "gone"]
        assert results[2].error == "No transition for event open from wide"

    def test_outliving(self, run, make):
        """A task that an action has started and that outlives the step sends for itself."""

        async def scenario():
            tasks, is_over = [], asyncio.Event()

            async def later(machine):
                await is_over.wait()
                return await machine.send("open")

            async def greet(ctx, *, machine):
                tasks.append(asyncio.create_task(later(machine)))

            machine = make(DOOR, actions={"greet": greet})
            await machine.start()
            await machine.send("open")
            is_over.set()
            return await tasks[0]

        assert run(scenario()).to_state_leaf == "wide"

    def test_nested_failure(self, run, make, caplog):
        """What fails in an event sent from within has no caller: it is logged and given to the hook."""
        heard = []

        async def greet(ctx, *, machine):
            await machine.send("close")

        def part(ctx):
            raise ValueError("no hand")

        machine = make(DOOR, actions={"greet": greet, "part": part}, on_error=heard.append)
        run(machine.start())
        with caplog.at_level(logging.ERROR):
            run(machine.send("open"))

        assert [str(error) for error in heard] == ["no hand"]
        assert "no hand" in caplog.text

    def test_cancelled(self, run, make, caplog):
        """A caller that is cancelled leaves no step half done, and what fails in it is logged."""

        async def scenario():
            gate = asyncio.Event()

            async def greet(ctx):
                await gate.wait()
                raise ValueError("too late")

            machine = make(DOOR, actions={"greet": greet})
            await machine.start()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(machine.send("open"), 0.001)
            gate.set()
            return await machine.send("open")

        result = run(scenario())

        assert (result.from_state, result.to_state_leaf) == ("ajar.crack", "wide")
        assert "too late" in caplog.text

    def test_stop_within(self, run, make, told):
        """An action may stop its machine; what was queued is dropped."""

        async def greet(ctx, *, machine):
            await machine.send("open")
            await machine.stop()

        machine = make(DOOR, actions={"greet": greet})
        run(machine.start())
        run(machine.send("open"))

        assert not machine.is_active
        assert told.names.count("MACHINE_STOPPED") == 1
        assert machine.state.leaf() in {"shut", "crack"}

    def test_stop_while_waiting(self, run, make):
        """What was sent before the stop is handled before it."""

        async def scenario():
            gate = asyncio.Event()

            async def greet(ctx):
                await gate.wait()

            machine = make(DOOR, actions={"greet": greet})
            await machine.start()
            sends = [asyncio.create_task(machine.send(event)) for event in ("open", "close")]
            for _ in range(3):
                await asyncio.sleep(0)
            stop = asyncio.create_task(machine.stop())
            await asyncio.sleep(0)
            gate.set()
            await stop
            return await asyncio.gather(*sends)

        first, second = run(scenario())

        assert (first.to_state, second.to_state) == ("ajar.crack", "gone")
