"""The engine that converted machines run on."""

import asyncio
import copy

import pytest
from convert_support import definition, row, state

from orca_bridge.convert import machine_class
from orca_bridge.definition import Comparison, Path, Value
from statemachines_orchestrator import Members, Orchestrator, machines
from statemachines_orchestrator.engine import (
    AsyncPlannedEngine,
    SyncMemberEngine,
    SyncPlannedEngine,
    statistics_of,
)

LESS = Comparison(Path("context", ("n",)), "<", Value(3))


def counter(actions):
    """Make the class of a machine that counts to three."""
    rows = [row("a", "go", "a", "count", guard=LESS)]
    return machine_class(definition([state("a", initial=True)], rows, name="Counter"), actions=actions)


def count(ctx):
    return {"n": ctx["n"] + 1}


async def count_later(ctx):
    return {"n": ctx["n"] + 1}


@pytest.fixture
def kind():
    return counter({"count": count})


class TestEngine:
    def test_alone(self, kind):
        """A machine that is used alone runs by plans from the start, and none of its events takes the stock road."""
        one = kind(context={"n": 0})
        before = statistics_of(kind).stock
        for _ in range(3):
            one.send("go")

        assert type(one._engine) is SyncPlannedEngine
        assert one.context["n"] == 3
        assert statistics_of(kind).stock == before

    def test_asynchronous(self):
        """So does one with an asynchronous handler."""
        one = counter({"count": count_later})(context={"n": 0})

        async def go():
            await one.go()

        asyncio.run(go())

        assert type(one._engine) is AsyncPlannedEngine
        assert one.context["n"] == 1

    def test_copies(self, kind):
        """Copies run by plans, too."""
        one = kind(context={"n": 0})

        for twin in (copy.copy(one), copy.deepcopy(one)):
            assert type(twin._engine) is SyncPlannedEngine

    def test_after_an_orchestrator(self, kind):
        """A machine that has left its orchestrator runs by plans again, whoever has made it."""

        class Room(Orchestrator):
            counters: Members[kind] = machines(kind)

        room = Room()
        given = kind(context={"n": 0})
        room.counters.add("given", given)
        made = room.counters.add("made", context={"n": 1})
        kinds = [type(one._engine) for one in (given, made)]
        for key in ("given", "made"):
            room.counters.remove(key).go()

        assert kinds == [SyncMemberEngine, SyncMemberEngine]
        assert [type(one._engine) for one in (given, made)] == [SyncPlannedEngine, SyncPlannedEngine]
        assert [one.context["n"] for one in (given, made)] == [1, 2]

    def test_one_event_object(self, kind):
        """An event of a machine is made once and not at every access."""
        one = kind(context={"n": 0})

        assert one.go is one.go


class TestRest:
    def test_failures_of_an_aborted_step_are_not_raised_later(self):
        """An action's error that was never raised, because something else failed, does not fail the next event."""

        def fail(ctx):
            raise ValueError(ctx["n"])

        rows = [row("a", "go", "b", "fail"), row("b", "*", "c"), row("c", "back", "a")]
        states = [state("a", initial=True), state("b"), state("c", on_entry=("fail",))]
        one = machine_class(definition(states, rows), actions={"fail": fail})(context={"n": 0})

        class Spoiler:
            def after_go(self):
                raise RuntimeError("not an action")

        one.add_listener(Spoiler())
        with pytest.raises(RuntimeError):
            one.go()
        one._engine.sm.context["n"] = 1

        with pytest.raises(ValueError, match="1"):
            one.send("anything")

    def test_unprompted_rows_are_counted_anew(self):
        """Rows taken without an event are counted for each event from outside, however many of those there are."""
        rows = [row("a", "go", "b"), row("b", None, "a")]
        one = machine_class(definition([state("a", initial=True), state("b")], rows))()
        for _ in range(1100):
            one.go()

        assert one.a.is_active


class TestPayloadNames:
    @pytest.mark.parametrize("name", ["key", "on_error", "orc", "member_key"])
    def test_names_that_mean_something_to_the_library(self, name):
        """A field of a payload may be called like what the library or an orchestrator passes on."""
        seen = []
        rows = [row("a", "go", "a", "see")]
        kind = machine_class(
            definition([state("a", initial=True)], rows), actions={"see": lambda _ctx, event: seen.append(event)}
        )
        kind().go(**{name: 1})
        kind().send("go", **{name: 1})

        assert seen == [{name: 1}, {name: 1}]

    def test_what_is_no_payload(self, kind):
        """What is neither one mapping nor keywords is refused by every way of sending."""
        one = kind(context={"n": 0})
        for call in (lambda: one.go(5), lambda: one.send("go", 5), lambda: one.go({}, {})):
            with pytest.raises(TypeError, match="takes its payload as keywords or as one mapping"):
                call()

        assert one.context["n"] == 0
