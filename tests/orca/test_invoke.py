"""Machines that run while a state of another one is active (semantics.md 7), alone and in an orchestrator."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable
from pathlib import Path

import pytest
from statemachine import State, StateMachine
from statemachine.exceptions import TransitionNotAllowed

from orca_bridge import (
    ContextTypeError,
    ConversionError,
    InvocationError,
    MissingActionError,
    load_orchestrator,
    loads,
    loads_orchestrator,
)
from statemachines_orchestrator import Members, Orchestrator, data, done, machine, machines, when
from statemachines_orchestrator.exceptions import LinkLoopError
from statemachines_orchestrator.testing import SimulatedClock

CORPUS = Path(os.environ.get("CORPUS_DIR", ""))

TRIP = """\
# machine Trip

## context
| Field | Type        | Default  |
|-------|-------------|----------|
| city  | string      | Rome     |
| guest | map<string, string> | {"name": "Ann"} |
| room  | string      |          |
| heard | any         |          |

## state idle [initial]
## state booking
- on_entry: prepare
- invoke: Hotel input: { city: ctx.city, nights: event.nights, name: ctx.guest.name, stars: 3, none: ctx.no.where } \
returns: { room: number, other: missing }
- on_done: booked
- on_error: failed
## state done [final]
## state sorry

## transitions
| Source  | Event  | Guard            | Target  | Action |
|---------|--------|------------------|---------|--------|
| idle    | book   |                  | booking |        |
| booking | booked | ctx.room != null | done    | hear   |
| booking | failed |                  | sorry   | hear   |
| booking | cancel |                  | idle    |        |

---

# machine Hotel

## context
| Field  | Type   | Default |
|--------|--------|---------|
| city   | string |         |
| nights | int    |         |
| number | string |         |

## state asking [initial]
- on_entry: greet
## state full [final]
## state given [final]

## transitions
| Source | Event | Target | Action |
|--------|-------|--------|--------|
| asking | give  | given  | take   |
| asking | refuse | full  |        |
| asking | fail  |        | crash  |
"""

LEAVING = """\
| booking | cancel |                    |      | end_child |
| booking |        | ctx.city == "gone" | idle |           |"""

OUTCOMES = """\
# machine Parent

## state a [initial]
- invoke: Child
{bullets}
## state b
## state c

## transitions
| Source | Event | Target |
|--------|-------|--------|
| a      | leave | b      |
{rows}

---

# machine Child

## state working [initial]
## state safe
## state over [final]

## transitions
| Source  | Event              | Target  | Action |
|---------|--------------------|---------|--------|
| working | finish             | over    |        |
| working | fail               |         | crash  |
| working | stumble            |         | trip   |
| working | error.action.trip  | safe    |        |
"""

CHAIN = """\
# machine Top

## state one [initial]
- invoke: Middle
- on_done: deep
## state two

## transitions
| Source | Event | Target |
|--------|-------|--------|
| one    | deep  | two    |
| one    | leave | two    |

---

# machine Middle

## state outer [initial]
### state inner [initial]
- invoke: Bottom
- on_done: over
## state end [final]

## transitions
| Source | Event | Target |
|--------|-------|--------|
| inner  | over  | end    |

---

# machine Bottom

## state first [initial]
## state last [final]

## transitions
| Source | Event | Target |
|--------|-------|--------|
| first  | go    | last   |
"""


class Desk:
    """What the actions of the documents do; asynchronous ones wait a moment before."""

    def __init__(self, runner: asyncio.Runner | None) -> None:
        self.runner = runner
        self.seen = []

    @property
    def actions(self):
        found = {
            "prepare": lambda ctx: self.seen.append("prepare"),
            "greet": lambda ctx: self.seen.append(("greet", dict(ctx))),
            "take": lambda ctx, event: ctx.update(number=event["number"]),
            "hear": lambda ctx, event: ctx.update(heard=event),
            "crash": lambda ctx: self._crash(),
            "trip": lambda ctx: self._crash(),
        }
        if self.runner is None:
            return {**found, "end_child": self._end_child}
        return {**{name: self._later(one) for name, one in found.items()}, "end_child": self._end_child_later}

    @staticmethod
    def _end_child(ctx, *, machine):
        machine.children["booking"].give(number="late")
        ctx["city"] = "gone"

    @staticmethod
    async def _end_child_later(ctx, *, machine):
        await machine.children["booking"].give(number="late")
        ctx["city"] = "gone"

    def _crash(self):
        raise ValueError("the hotel burns")

    @staticmethod
    def _later(function):
        async def with_event(ctx, event):
            await asyncio.sleep(0)
            return function(ctx, event)

        async def without(ctx):
            await asyncio.sleep(0)
            return function(ctx)

        return with_event if function.__code__.co_argcount == 2 else without

    def run(self, call, *arguments, **keywords):
        """Call something, and wait for it if it has to be awaited."""
        if self.runner is None:
            return call(*arguments, **keywords)

        async def go():
            result = call(*arguments, **keywords)
            return await result if isawaitable(result) else result

        return self.runner.run(go())

    def system(self, text, **options):
        """The orchestrator of a document, whose machines have entered their initial states."""
        made = loads_orchestrator(text, actions=self.actions)(clock=SimulatedClock(), **options)
        self.run(made.activate)
        return made

    def alone(self, text, **options):
        """The first machine of a document, in its initial state."""
        made = loads(text, actions=self.actions)(**options)
        self.run(made.activate_initial_state)
        return made


@pytest.fixture(params=["sync", "async"])
def desk(request):
    if request.param == "sync":
        yield Desk(None)
    else:
        with asyncio.Runner() as runner:
            yield Desk(runner)


def outcomes(*bullets, rows=()):
    return OUTCOMES.format(
        bullets="\n".join(f"- {bullet}" for bullet in bullets), rows="\n".join(f"| {row} |" for row in rows)
    )


def active(one):
    return ", ".join(str(state.value) for state in one.configuration if state.is_atomic)


class TestBeginning:
    def test_input(self, desk):
        """A child begins when the state has been entered, with its defaults and what is handed in; missing is null."""
        trip = desk.system(TRIP).trip

        desk.run(trip.book, nights=2)

        given = {"city": "Rome", "nights": 2, "number": None, "name": "Ann", "stars": 3, "none": None}
        assert desk.seen == ["prepare", ("greet", given)]
        assert active(trip) == "booking"

    def test_copies(self, desk):
        """Parent and child share nothing."""
        text = TRIP.replace("name: ctx.guest.name", "name: ctx.guest")
        trip = desk.system(text).trip
        desk.run(trip.book, nights=2)

        trip.children["booking"].context["name"]["name"] = "Bob"

        assert trip.context["guest"] == {"name": "Ann"}

    def test_no_payload(self, desk):
        """An initial state has no payload to hand in."""
        text = TRIP.replace("idle [initial]", "idle").replace("state booking", "state booking [initial]")

        trip = desk.system(text).trip

        assert trip.children["booking"].context["nights"] is None

    def test_left_at_once(self, desk):
        """A state that is left in the macrostep that entered it invokes nothing."""
        text = TRIP.replace("| booking | cancel |                  | idle", "| booking |  |  | sorry")
        trip = desk.system(text).trip

        desk.run(trip.book, nights=2)

        assert active(trip) == "sorry"
        assert desk.seen == ["prepare"]

    def test_visible(self, desk):
        """A child is a member, under the address of the state that invokes it, and one of `children`."""
        system = desk.system(TRIP)
        desk.run(system.trip.book, nights=2)

        assert list(system.machines) == ["trip", "hotel[trip.booking]"]
        assert system.trip.children == {"booking": system.hotel["trip.booking"]}
        desk.run(system.send, "hotel[trip.booking].refuse")
        assert system.trip.children == {}

    def test_wrong_input(self, desk):
        """An input that is not of the declared type is an error of the child, where types are strict."""
        system = loads_orchestrator(TRIP, actions=desk.actions, typing="strict")(clock=SimulatedClock())
        desk.run(system.activate)

        desk.run(system.trip.book, nights="many")

        assert active(system.trip) == "sorry"
        assert system.trip.context["heard"]["error"]["code"] == "ContextTypeError"
        assert "'nights' is declared int" in system.trip.context["heard"]["error"]["message"]


class TestDone:
    def test_event(self, desk):
        """The event that is named tells of the end, with copies of what the child had; the child is gone."""
        system = desk.system(TRIP)
        desk.run(system.trip.book, nights=2)
        hotel = system.trip.children["booking"]

        desk.run(hotel.give, number="r1")

        heard = system.trip.context["heard"]
        assert (heard["child"], heard["final_state"], heard["returns"]) == ("Hotel", "given", {"number": "r1"})
        assert heard["context"] == hotel.context
        assert heard["context"] is not hotel.context
        assert str(system) == "<TripSystem trip=done>"

    def test_returns_before_guards(self, desk):
        """What the child returns is in the context when guards are asked; only what it has is written."""
        trip = desk.system(TRIP).trip
        desk.run(trip.book, nights=2)

        desk.run(trip.children["booking"].give, number="r1")

        assert active(trip) == "done"
        assert trip.context["room"] == "r1"
        assert "other" not in trip.context

    def test_declared_returns(self, desk):
        """A child that declares what it returns gives nothing else."""
        text = TRIP + "\n## returns\n| Name | Type |\n|---|---|\n| city | string |\n"
        trip = desk.system(text).trip
        desk.run(trip.book, nights=2)

        desk.run(trip.children["booking"].give, number="r1")

        assert trip.context["room"] is None
        assert active(trip) == "booking"

    def test_nothing_takes_it(self, desk):
        """A result that no row takes vanishes; the child is gone, and the state stays."""
        system = desk.system(TRIP)
        desk.run(system.trip.book, nights=2)

        desk.run(system.trip.children["booking"].refuse)

        assert str(system) == "<TripSystem trip=booking>"
        with pytest.raises(TransitionNotAllowed):
            desk.run(system.trip.send, "nonsense")

    @pytest.mark.parametrize(
        "text",
        [
            outcomes("on_done: -> b"),
            outcomes(rows=["a | done.invoke.a | b"]),
            outcomes(rows=["a | done.invoke | b"]),
            outcomes("on_done: ready", rows=["a | ready | b"]),
            outcomes("on_done: ready", rows=["* | * | b"]),
        ],
    )
    def test_ways(self, desk, text):
        """Where it leads can be said by a state, by an event, or by a row for the system's event."""
        parent = desk.system(text).machines["machine_parent"]

        desk.run(parent.children["a"].finish)

        assert active(parent) == "b"

    def test_at_once(self, desk):
        """A child that begins in a final state is done at once."""
        text = (
            outcomes("on_done: -> b")
            .replace("working [initial]", "working")
            .replace("over [final]", "over [initial, final]")
        )

        parent = desk.system(text).machines["machine_parent"]

        assert active(parent) == "b"

    def test_again(self, desk):
        """A state that is entered again invokes again."""
        trip = desk.system(TRIP).trip
        desk.run(trip.book, nights=1)
        first = trip.children["booking"]
        desk.run(trip.cancel)

        desk.run(trip.book, nights=2)

        assert trip.children["booking"] is not first
        assert trip.children["booking"].context["nights"] == 2

    def test_strict_returns(self, desk):
        """What a child returns is checked against the declared type, where types are strict."""
        system = loads_orchestrator(TRIP, actions=desk.actions, typing="strict")(clock=SimulatedClock())
        desk.run(system.activate)
        desk.run(system.trip.book, nights=1)
        hotel = system.trip.children["booking"]
        hotel.context["number"] = 7

        with pytest.raises(ContextTypeError, match="'room' is declared string and is int 7"):
            desk.run(hotel.refuse)
        assert active(hotel) == "asking"


class TestFailed:
    def test_event(self, desk):
        """An error that no row of the child takes ends it, and is the event that is named."""
        system = desk.system(TRIP)
        desk.run(system.trip.book, nights=2)

        desk.run(system.trip.children["booking"].fail)

        assert str(system) == "<TripSystem trip=sorry>"
        assert system.trip.context["heard"] == {
            "child": "Hotel",
            "error": {"code": "ValueError", "message": "the hotel burns"},
        }

    @pytest.mark.parametrize(
        "text",
        [
            outcomes("on_error: -> c"),
            outcomes(rows=["a | error.invoke.a | c"]),
            outcomes(rows=["a | error | c"]),
            outcomes("on_error: broken", rows=["a | broken | c"]),
        ],
    )
    def test_ways(self, desk, text):
        """Where it leads can be said by a state, by an event, or by a row for the system's event."""
        parent = desk.system(text).machines["machine_parent"]

        desk.run(parent.children["a"].fail)

        assert active(parent) == "c"

    def test_nothing_takes_it(self, desk):
        """An error that nothing takes is raised to whoever drove the child, and the step is put back."""
        system = desk.system(outcomes())
        parent = system.machines["machine_parent"]
        child = parent.children["a"]

        with pytest.raises(ValueError, match="the hotel burns"):
            desk.run(child.fail)

        assert parent.children == {"a": child}
        desk.run(child.finish)
        assert parent.children == {}

    def test_taken_by_the_child(self, desk):
        """An error that a row of the child takes is no news for the parent."""
        parent = desk.system(outcomes("on_error: -> c")).machines["machine_parent"]

        desk.run(parent.children["a"].stumble)

        assert active(parent) == "a"
        assert active(parent.children["a"]) == "safe"

    def test_at_once(self, desk):
        """A child whose first action fails has failed, and is gone."""
        text = outcomes("on_error: -> c").replace(
            "state working [initial]", "state working [initial]\n- on_entry: crash"
        )

        system = desk.system(text)

        assert str(system) == "<ParentSystem machine_parent=c>"

    def test_at_the_end(self, desk):
        """A child whose last action fails has failed, and is not done."""
        text = outcomes("on_error: -> c", "on_done: -> b").replace("| over    |        |", "| over    | crash  |")
        parent = desk.system(text).machines["machine_parent"]

        desk.run(parent.children["a"].finish)

        assert active(parent) == "c"


class TestCancelled:
    def test_leaving(self, desk):
        """A child ends with the state; it takes no more events, and none is sent about it."""
        system = desk.system(TRIP)
        desk.run(system.trip.book, nights=2)
        hotel = system.trip.children["booking"]

        desk.run(system.trip.cancel)

        assert str(system) == "<TripSystem trip=idle>"
        with pytest.raises(TransitionNotAllowed):
            desk.run(hotel.give, number="r1")
        assert active(hotel) == "asking"

    def test_grandchildren(self, desk):
        """The children of a child end with it."""
        system = desk.system(CHAIN)
        bottom = system.machines["bottom[middle[top.one].outer.inner]"]

        desk.run(system.top.leave)

        assert list(system.machines) == ["top"]
        with pytest.raises(TransitionNotAllowed):
            desk.run(bottom.go)

    def test_late(self, desk):
        """The result of a child that ends in the macrostep that leaves its state does not arrive."""
        text = TRIP.replace("| booking | cancel |                  | idle    |        |", LEAVING)
        system = desk.system(text)
        desk.run(system.trip.book, nights=2)

        desk.run(system.trip.cancel)

        assert str(system) == "<TripSystem trip=idle>"
        assert system.trip.context["heard"] is None
        system.trip.context["city"] = "Rome"
        desk.run(system.trip.book, nights=2)
        assert system.trip.children["booking"].context["number"] is None

    def test_put_back(self, desk):
        """With a step that fails, a child that has ended is there again."""
        text = TRIP.replace(
            "| booking | cancel |                  | idle    |        |", "| booking | cancel |  | idle | crash |"
        )
        system = desk.system(text)
        desk.run(system.trip.book, nights=2)
        hotel = system.trip.children["booking"]

        with pytest.raises(ValueError, match="the hotel burns"):
            desk.run(system.trip.cancel)

        assert system.trip.children == {"booking": hotel}
        desk.run(hotel.give, number="r1")
        assert active(system.trip) == "done"


class TestDeep:
    def test_chain(self, desk):
        """A child of a child tells its parent, which tells its own."""
        system = desk.system(CHAIN)
        assert list(system.machines) == ["top", "middle[top.one]", "bottom[middle[top.one].outer.inner]"]

        desk.run(system.send, "bottom[middle[top.one].outer.inner].go")

        assert str(system) == "<TopSystem top=two>"

    def test_recursion_is_bounded(self, desk):
        """A machine that invokes itself without end fails at the 65th level, and that goes up to the first."""
        text = """\
# machine Doll

## state closed [initial]
- invoke: Doll
- on_error: broken
## state open

## transitions
| Source | Event  | Target |
|--------|--------|--------|
| closed | broken | open   |
"""
        system = desk.system(text)

        assert len(system.machines) == 65
        assert sum(active(one) == "open" for one in system.machines.values()) == 1

    def test_nothing_takes_the_depth(self, desk):
        """Where no row takes it, it is an error that says what happened."""
        text = "# machine Doll\n\n## state closed [initial]\n- invoke: Doll\n"

        with pytest.raises(InvocationError, match="64 levels deep") as caught:
            desk.system(text)

        assert (caught.value.code, caught.value.invoked) == ("INVOKE_DEPTH", "Doll")

    def test_endless(self, desk):
        """A state that is entered again by the end of what it invokes at once is a loop, and is found."""
        text = "# machine Loop\n\n## state a [initial]\n- invoke: Leaf\n- on_done: -> a\n\n---\n\n# machine Leaf\n\n"

        with pytest.raises(LinkLoopError):
            desk.system(text + "## state end [initial, final]\n")


REGIONS = """\
# machine Tour

## state touring [initial, parallel]
- on_done: -> home
### region left
#### state waiting [initial]
- invoke: Guide
- on_done: -> left.seen
#### state seen [final]
### region right
#### state waiting [initial]
- invoke: Guide
- on_error: lost
#### state away
#### state seen [final]
## state home

## transitions
| Source        | Event                            | Target     |
|---------------|----------------------------------|------------|
| right.waiting | done.invoke.touring.right.waiting | right.seen |
| right.waiting | lost                             | right.away |
| touring       | stop                             | home       |

---

# machine Guide

## state walking [initial]
- on arrive -> there
- on fall -> walking : crash
## state there [final]
"""


class TestRegions:
    KEYS = ("tour.touring.left.waiting", "tour.touring.right.waiting")

    def test_same_machine(self, desk):
        """Several regions invoke the same machine; each hears of its own child."""
        system = desk.system(REGIONS)
        assert tuple(system.guide) == self.KEYS
        assert list(system.tour.children) == ["touring.left.waiting", "touring.right.waiting"]

        desk.run(system.guide[self.KEYS[1]].arrive)
        assert active(system.tour) == "touring.left.waiting, touring.right.seen"
        desk.run(system.guide[self.KEYS[0]].arrive)

        assert str(system.configuration) == "tour=home"

    def test_failure(self, desk):
        """The failure of one is none of the other."""
        system = desk.system(REGIONS)

        desk.run(system.guide[self.KEYS[1]].fall)

        assert active(system.tour) == "touring.left.waiting, touring.right.away"
        assert tuple(system.guide) == self.KEYS[:1]

    def test_leaving(self, desk):
        """All of them end when the parallel state is left."""
        system = desk.system(REGIONS)

        desk.run(system.tour.stop)

        assert str(system.configuration) == "tour=home"

    def test_snapshot(self, desk):
        """All of them are part of a snapshot."""
        system = desk.system(REGIONS)

        again = type(system).restore(system.snapshot().to_json(), clock=SimulatedClock())
        for key in self.KEYS:
            desk.run(again.guide[key].arrive)

        assert str(again.configuration) == "tour=home"


class TestSystem:
    def test_fields(self):
        """Members are called like their machines; where a name is taken there is a word before it, or a number."""
        text = "\n---\n".join(
            f"# machine {name}\n\n## state a [initial]\n{invoke}"
            for name, invoke in [
                ("OrderLine", "- invoke: OrderLine\n"),
                ("Links", ""),
                ("class", ""),
                ("orderLine", ""),
            ]
        )

        system = loads_orchestrator(text)

        assert system.__name__ == "OrderLineSystem"
        assert list(system.__declaration__.fields) == [
            "order_line",
            "machine_links",
            "machine_class",
            "machine_order_line",
            "invoked_order_line",
        ]

    def test_roots(self):
        """A circle that nobody else invokes begins with its first machine."""
        text = "\n---\n".join(
            f"# machine {name}\n\n## state a [initial]\n## state b\n{invoke}"
            for name, invoke in [("A", ""), ("B", "- invoke: C\n"), ("C", "- invoke: B\n")]
        )

        system = loads_orchestrator(text)

        assert list(system.__declaration__.fields) == ["a", "b", "invoked_b", "c"]

    def test_mistakes(self):
        """The mistakes of all machines are shown at once, each with its place."""
        text = TRIP.replace("## state given [final]", "## state given [final]\n- timeout: 5s -> asking")
        text += "\n---\n\n# machine Lost\n\n"
        text += "## state a [initial]\n- invoke: Hotle\n"

        with pytest.raises(ConversionError) as caught:
            loads_orchestrator(text, name="trip.orca.md")

        assert [found.code for found in caught.value.diagnostics][-1] == "UNKNOWN_MACHINE"
        assert caught.value.machine == "Lost, Hotel"
        assert "- invoke: Hotle\n" in str(caught.value)

    def test_stand_ins(self, desk):
        """A subclass with methods stands for a machine; a class from elsewhere for one that is not defined here."""
        trip, _, hotel = TRIP.partition("\n---\n\n")

        class Hotel(loads(hotel)):
            def greet(self, ctx):
                ctx["city"] = "Paris"

            def take(self): ...

            def crash(self): ...

        system = loads_orchestrator(trip, actions=desk.actions, machines=[Hotel])()
        desk.run(system.activate)
        desk.run(system.trip.book, nights=1)

        assert type(system.trip.children["booking"]) is Hotel
        assert system.hotel["trip.booking"].context["city"] == "Paris"

    def test_file(self, desk, tmp_path):
        """A document is found by its path."""
        (tmp_path / "trip.orca.md").write_text(TRIP)

        system = load_orchestrator(tmp_path / "trip.orca.md", actions=desk.actions)

        assert system.__name__ == "TripSystem"

    def test_snapshot(self, desk):
        """A child that runs is part of a snapshot; restored, it goes on, and its end moves the restored parent."""
        system = desk.system(CHAIN)
        cls = type(system)

        again = cls.restore(system.snapshot().to_json(), clock=SimulatedClock())
        assert again.configuration == system.configuration
        assert list(again.top.children) == ["one"]
        desk.run(again.send, "bottom[middle[top.one].outer.inner].go")

        assert str(again) == "<TopSystem top=two>"
        assert len(system.machines) == 3

    def test_snapshot_then_leave(self, desk):
        """A restored child ends with its state."""
        system = desk.system(TRIP)
        desk.run(system.trip.book, nights=2)
        again = type(system).restore(system.snapshot().to_json(), clock=SimulatedClock())

        desk.run(again.trip.cancel)

        assert str(again) == "<TripSystem trip=idle>"
        desk.run(again.trip.book, nights=3)
        assert again.hotel["trip.booking"].context["nights"] == 3

    def test_copy(self, desk):
        """A copy of the whole goes on by itself."""
        system = desk.system(TRIP)
        desk.run(system.trip.book, nights=2)

        other = copy.deepcopy(system)
        desk.run(other.hotel["trip.booking"].give, number="r1")

        assert str(other) == "<TripSystem trip=done>"
        assert str(system) == "<TripSystem trip=booking hotel[trip.booking]=asking>"

    def test_nested(self, desk):
        """A loaded orchestrator is a part of another one, like any."""
        cls = loads_orchestrator(TRIP, actions=desk.actions)

        class Agency(Orchestrator):
            first: cls = machine(factory=cls)
            second: cls = machine(factory=cls)

        agency = Agency(clock=SimulatedClock())
        desk.run(agency.activate)
        desk.run(agency.second.trip.book, nights=2)
        desk.run(agency.send, "second.hotel[trip.booking].give", number="r1")

        assert str(agency) == "<Agency first.trip=idle second.trip=done>"

    def test_never_nested(self):
        """A result is a message: it waits until no machine is in the middle of a transition."""
        seen = []

        class Clerk(StateMachine):
            waiting = State(initial=True)
            told = State()
            tell = waiting.to(told)
            again = told.to(waiting)

            def on_tell(self, orc):
                orc.system.hotel["trip.booking"].give(number="r1")
                seen.append(active(orc.system.trip))

        desk = Desk(None)
        cls = loads_orchestrator(TRIP, actions=desk.actions)

        class Agency(Orchestrator):
            system: cls = machine(factory=cls)
            clerk: Clerk = machine(factory=Clerk)

        agency = Agency()
        agency.system.trip.book(nights=1)
        agency.clerk.tell()

        assert seen == ["booking"]
        assert active(agency.system.trip) == "done"

    def test_links(self, desk):
        """A subclass adds links and data, as in any orchestrator."""
        base = loads_orchestrator(TRIP, actions=desk.actions)

        class Agency(base):
            ended: list = data(default_factory=list)

            count = when(done(base.hotel)).call(lambda orc, occurrence: orc.ended.append(occurrence.key))

        agency = Agency(clock=SimulatedClock())
        desk.run(agency.activate)
        desk.run(agency.trip.book, nights=1)
        desk.run(agency.send, "hotel[trip.booking].refuse")

        assert agency.ended == ["trip.booking"]

    def test_class_that_passes_over_events(self, desk):
        """A subclass that lets events go that nothing takes is left alone with that."""

        class Trip(loads(TRIP, actions=desk.actions)):
            allow_event_without_transition = True

        system = loads_orchestrator(TRIP, actions=desk.actions, machines=[Trip])(clock=SimulatedClock())
        desk.run(system.activate)
        desk.run(system.trip.book, nights=1)
        desk.run(system.send, "hotel[trip.booking].refuse")

        assert desk.run(system.trip.book, nights=1) is None
        assert active(system.trip) == "booking"


@pytest.mark.skipif(not CORPUS.name, reason="CORPUS_DIR names no folder with documents")
@pytest.mark.parametrize(("order", "verdict"), [("o1", "valid"), ("", "invalid"), (None, "valid")])
def test_document_of_others(order, verdict):
    """A document of others runs: the machine that it invokes ends at once, by what it was handed."""
    (path,) = (CORPUS / "orca" / "corpus").glob("core/*invocation-order*")
    text = path.read_text(encoding="utf-8").replace("[initial]\n> Validating", "\n> Validating")
    lines = [line for line in text.splitlines() if not line.startswith("- timeout")]
    lines.insert(lines.index("## state validated"), "## state new [initial]\n- on begin -> validating\n")
    system = loads_orchestrator("\n".join(lines))()
    seen = []
    system.inspect(lambda record: seen.append((getattr(record, "address", ""), getattr(record, "entered", ()))))
    system.order_processor.context["order_id"] = order

    system.order_processor.begin()

    assert ("order_validator[order_processor.validating]", (verdict,)) in seen
    assert str(system) == "<OrderProcessorSystem order_processor=validated>"


class TestOwnOrchestrator:
    def test_collection(self, desk):
        """In an orchestrator of one's own, a state finds the collection for the machines that it invokes."""
        trip, hotel = (loads(TRIP, machine=name, actions=desk.actions) for name in ("Trip", "Hotel"))

        class Agency(Orchestrator):
            trips: Members[trip] = machines(trip)
            hotels: Members[hotel] = machines(hotel)

        agency = Agency(clock=SimulatedClock())
        desk.run(agency.activate)
        for key in ("7", "8"):
            desk.run(agency.trips.add, key)
            desk.run(agency.trips[key].book, nights=int(key))
        again = Agency.restore(agency.snapshot().to_json(), clock=SimulatedClock())
        desk.run(again.hotels["trips[8].booking"].give, number="r8")

        assert {key: active(one) for key, one in again.trips.items()} == {"7": "booking", "8": "done"}

    def test_no_collection(self, desk):
        """Without one, the error says what to declare; a row can take it."""
        cls = loads(TRIP, actions=desk.actions)

        class Agency(Orchestrator):
            trip: cls = machine(factory=cls)

        agency = Agency()
        desk.run(agency.activate)
        desk.run(agency.trip.book, nights=1)

        error = agency.trip.context["heard"]["error"]
        assert (active(agency.trip), error["code"]) == ("sorry", "UNKNOWN_MACHINE")
        assert "hotel: Members[Hotel] = machines(Hotel), or use load_orchestrator()" in error["message"]

    def test_missing_handlers(self, desk):
        """What handlers children lack is said when the orchestrator begins, and not when the first child does."""
        actions = {name: one for name, one in desk.actions.items() if name != "take"}
        cls = loads_orchestrator(TRIP, actions=actions)

        with pytest.raises(MissingActionError, match="machine 'Hotel' has no handler for 'take'"):
            desk.run(lambda: cls(clock=SimulatedClock()).activate())


class TestAlone:
    def test_runs(self, desk):
        """A machine that is used alone has its children in `children`."""
        trip = desk.alone(TRIP)

        desk.run(trip.book, nights=2)
        desk.run(trip.children["booking"].give, number="r1")

        assert active(trip) == "done"
        assert trip.context["room"] == "r1"

    def test_initial(self, desk):
        """So has one whose initial state invokes something."""
        top = desk.alone(CHAIN)

        desk.run(top.children["one"].children["outer.inner"].go)

        assert active(top) == "two"

    def test_handlers_of_the_instance(self, desk):
        """Handlers that were given to the machine serve its children."""
        trip = loads(TRIP)(actions=desk.actions)
        desk.run(trip.activate_initial_state)
        desk.run(trip.book, nights=2)

        desk.run(trip.children["booking"].give, number="r1")

        assert active(trip) == "done"

    def test_joins_while_nothing_runs(self, desk):
        """Until something is invoked, it can still become a member of an orchestrator."""
        cls, inner = (loads(TRIP, machine=name, actions=desk.actions) for name in ("Trip", "Hotel"))

        class Agency(Orchestrator):
            trip: cls
            hotel: Members[inner] = machines(inner)

        agency = Agency(trip=cls(), clock=SimulatedClock())
        desk.run(agency.activate)
        desk.run(agency.trip.book, nights=1)

        assert list(agency.hotel) == ["trip.booking"]

    def test_threads(self):
        """Events from several threads take turns, from the first one on that invokes something."""
        trip = loads(TRIP, actions=Desk(None).actions)()
        trip.book(nights=0)

        def go(number):
            trip.cancel()
            trip.book(nights=number)

        with ThreadPoolExecutor(4) as pool:
            results = [pool.submit(go, number) for number in range(40)]

        refused = [one for one in results if one.exception() is not None]
        assert all(isinstance(one.exception(), TransitionNotAllowed) for one in refused)
        assert list(trip.children) == (["booking"] if active(trip) == "booking" else [])

    def test_result(self, desk):
        """The caller gets the result of the event, whatever begins because of it."""
        assert desk.run(desk.alone(TRIP).book, nights=2) is None

    def test_copy(self, desk):
        """A copy has children of its own."""
        trip = desk.alone(TRIP)
        desk.run(trip.book, nights=2)

        twin = copy.deepcopy(trip)
        desk.run(twin.children["booking"].give, number="r1")

        assert type(twin) is type(trip)
        assert active(twin) == "done"
        assert active(trip) == "booking"
        assert active(trip.children["booking"]) == "asking"

    @pytest.mark.parametrize("own", [True, False])
    def test_pickle(self, own):
        """It is pickled with its children, whether its class can be imported or comes from a document."""
        top = ImportableTop() if own else loads(CHAIN)()

        twin = pickle.loads(pickle.dumps(top))
        twin.children["one"].children["outer.inner"].go()

        assert type(twin) is type(top)
        assert (active(twin), active(top)) == ("two", "one")


class ImportableTop(loads(CHAIN)):
    """A class that pickle finds by its name."""
