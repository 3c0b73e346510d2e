"""
The short road of an event, and of a link: what is foreseen takes it, and nobody can tell.

A system that somebody watches takes the long road: the same life, watched and unwatched, must look the same.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import threading
import types
import weakref

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from statemachine import State, StateChart, StateMachine
from statemachine.exceptions import TransitionNotAllowed
from worlds import World, asynchronous

from statemachines_orchestrator import In, Orchestrator, guard, machine, together, when
from statemachines_orchestrator.engine import MemberEngine
from statemachines_orchestrator.exceptions import GuardRefused, LinkLoopError, LinkRefused, OrchestratorError
from statemachines_orchestrator.system import Moved, StepEnded
from statemachines_orchestrator.system._step import Step
from statemachines_orchestrator.testing import SimulatedClock

LOG = []


class Speaker(StateMachine):
    """Has callbacks in every place, and does in one of them what the event tells it."""

    a = State(initial=True)
    b = State()
    c = State()
    go = a.to(b) | b.to(c) | c.to(a)
    stop = b.to(a)

    def before_go(self):
        LOG.append("before")
        return "before"

    def on_exit_state(self, state):
        LOG.append(f"exit {state.id}")

    def on_go(self, act=None, *, orc):
        return ACTS[act](orc)

    def on_enter_b(self, orc):
        LOG.append(str(orc.configuration))

    def after_go(self, act=None):
        if act == "raise after":
            raise ZeroDivisionError


class Silent(StateMachine):
    """Has no callback at all."""

    x = State(initial=True)
    y = State()
    flip = x.to(y) | y.to(x)
    rise = x.to(y)


class Chart(StateChart):
    """Makes events of its errors."""

    calm = State(initial=True)
    busy = State()
    upset = State()
    work = calm.to(busy) | busy.to(calm)
    error_execution = busy.to(upset) | calm.to(upset)
    soothe = upset.to(calm)

    def on_work(self, amount=0):
        LOG.append(f"work {amount}")
        if amount == 13:
            raise ValueError(amount)


def fail(_orc):
    raise ZeroDivisionError


def caught(orc):
    try:
        orc.right.rise()
        orc.right.rise()
    except TransitionNotAllowed as refused:
        LOG.append(type(refused).__name__)


ACTS = {
    None: lambda orc: "on",
    "raise": fail,
    "raise after": lambda orc: None,
    "call": lambda orc: LOG.append(str(orc.right.flip())),
    "call itself": lambda orc: LOG.append(str(orc.speaker.go())),
    "call chart": lambda orc: LOG.append(str(orc.chart.work(13))),
    "catch": caught,
    "jointly": lambda orc: LOG.append(str(orc.both())),
}


class Town(Orchestrator):
    """Every kind of rule between the three."""

    speaker: Speaker = machine(factory=Speaker)
    left: Silent = machine(factory=Silent)
    right: Silent = machine(factory=Silent)
    chart: Chart = machine(factory=Chart)

    onwards = when("speaker.b").send("left.flip")
    further = when("left.y").send("right.rise", refused="ignore")
    forwarded = when("speaker.go").send("chart.work", refused="hold").forward("amount")
    together_there = when(In("left.y") & In("right.y")).send("right.flip")
    back = when("speaker.c").given(In("left.y")).send("left.flip")
    closed = guard("left.rise", In("right.x"))
    asked = guard("speaker.stop", lambda orc: orc.right.x.is_active)
    both = together("left.rise", "chart.soothe")


AsyncSpeaker = asynchronous(Speaker)
AsyncChart = asynchronous(Chart)


class AsyncTown(Town):
    """The same with asynchronous members."""

    speaker: Speaker = machine(factory=AsyncSpeaker)
    chart: Chart = machine(factory=AsyncChart)


EVENTS = (
    "speaker.go",
    "speaker.stop",
    *("left.flip", "left.rise", "right.flip", "right.rise"),
    *("chart.work", "chart.soothe"),
)
OPERATIONS = st.one_of(
    st.tuples(st.just("call"), st.sampled_from(EVENTS), st.just({})),
    st.tuples(st.sampled_from(["call", "send"]), st.sampled_from(EVENTS), st.just({})),
    st.tuples(st.just("call"), st.just("speaker.go"), st.fixed_dictionaries({"act": st.sampled_from([*ACTS])})),
    st.tuples(st.just("send"), st.sampled_from(["chart.work", "speaker.go"]), st.just({"amount": 13})),
    st.tuples(st.sampled_from(["copy", "pickle", "restore"]), st.just(""), st.just({})),
)


async def operate(world, town, operation):
    """Do one thing, and tell the system that goes on and what came of it."""
    how, address, keywords = operation
    LOG.clear()
    if how == "copy":
        return copy.deepcopy(town), "copied"
    if how == "pickle":
        return pickle.loads(pickle.dumps(town)), "pickled"
    if how == "restore":
        return type(town).restore(town.snapshot()), "restored"
    try:
        if how == "send":
            result = await world.call(town.send(address, **keywords))
        else:
            member, event = address.split(".")
            result = await world.call(getattr(getattr(town, member), event)(**keywords))
    except Exception as error:
        notes = tuple(getattr(error, "__notes__", ()))
        return town, (type(error).__name__, str(error), notes, tuple(LOG))
    return town, ("result", str(result), tuple(LOG))


async def lived(world, kind, operations, *, watched):
    """What is seen of a life: after each operation what came of it, and the whole state."""
    town = kind()
    if world.is_async:
        await town.activate()
    seen = []
    for operation in operations:
        if watched:
            town.inspect(lambda record: None)
        town, outcome = await operate(world, town, operation)
        seen.append((operation, outcome, town.snapshot().to_json()))
    return seen


def agree(world, operations):
    kind = AsyncTown if world.is_async else Town
    short = world.run(lambda: lived(world, kind, operations, watched=False))
    long = world.run(lambda: lived(world, kind, operations, watched=True))

    for one, other in zip(short, long, strict=True):
        assert one == other


@given(st.lists(OPERATIONS, min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_watched_or_not(operations):
    """A synchronous system does the same whether somebody watches it or not."""
    agree(World("sync"), operations)


@given(st.lists(OPERATIONS, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_watched_or_not_asynchronous(operations):
    """So does an asynchronous one."""
    agree(World("async"), operations)


MEMBERS = ("m0", "m1", "m2", "m3")
PLACES = st.builds("{}.{}".format, st.sampled_from(MEMBERS), st.sampled_from(["x", "y", "flip", "rise"]))
STATES = st.builds("{}.{}".format, st.sampled_from(MEMBERS), st.sampled_from(["x", "y"]))
SILENT_EVENTS = st.builds("{}.{}".format, st.sampled_from(MEMBERS), st.sampled_from(["flip", "rise"]))


@st.composite
def links(draw):
    """Most of them plain, and some of each kind that is not."""
    kind = draw(st.sampled_from(["plain"] * 6 + ["given", "carrying", "forwarding", "condition"]))
    source = In(draw(STATES)) & In(draw(STATES)) if kind == "condition" else draw(PLACES)
    link = when(source).given(In(draw(STATES))) if kind == "given" else when(source)
    more = {"amount": 3} if kind == "carrying" else {}
    sent = link.send(draw(SILENT_EVENTS), refused=draw(st.sampled_from(["ignore", "hold", "raise"])), **more)
    return sent.forward("amount") if kind == "forwarding" else sent


@st.composite
def silent_systems(draw):
    """Make a class whose machines run no code of the user's, with whatever there may be between them."""
    rules = {f"link{number}": link for number, link in enumerate(draw(st.lists(links(), min_size=1, max_size=5)))}
    guards = draw(st.lists(st.tuples(SILENT_EVENTS, STATES), max_size=1))
    rules |= {f"guard{number}": guard(event, In(state)) for number, (event, state) in enumerate(guards)}
    rules["asked"] = when(In("idle.y")).send("idle.flip")  # so that the system is asked for conditions when it begins
    names = (*MEMBERS, "idle")
    body = {"__module__": __name__, "__annotations__": dict.fromkeys(names, Silent), **rules}
    body |= {name: machine(factory=Silent) for name in names}
    keywords = {"max_deliveries": draw(st.sampled_from([1, 2, 50])), "atomic": draw(st.booleans())}
    try:
        kind = types.new_class("System", (Orchestrator,), keywords, lambda namespace: namespace.update(body))
        kind()
    except OrchestratorError:  # a mistake, or a system that does not come to rest when it begins
        reject()
    return kind


@given(silent_systems(), st.lists(st.tuples(st.just("call"), SILENT_EVENTS, st.just({})), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_silent_systems_watched_or_not(kind, operations):
    """Machines without callbacks do the same whether somebody watches them or not, whatever is declared between them."""
    world = World("sync")
    short = world.run(lambda: lived(world, kind, operations, watched=False))
    long = world.run(lambda: lived(world, kind, operations, watched=True))

    for one, other in zip(short, long, strict=True):
        assert one == other


class Chain(Orchestrator):
    """Three machines in a row."""

    one: Silent = machine(factory=Silent)
    two: Silent = machine(factory=Silent)
    three: Silent = machine(factory=Silent)
    first = when("one.flip").send("two.flip")
    second = when("two.flip").send("three.flip")


class LooseChain(Chain, atomic=False):
    """The same, which is not put back."""


class TestWithoutStep:
    def test_links_between_silent_machines(self, monkeypatch):
        """An event and what links make of it need no step if nobody's code runs."""
        chain, watched = Chain(), Chain()
        watched.inspect(lambda record: None)
        watched.one.flip()
        monkeypatch.setattr(Step, "__init__", None)  # none can be made from here on
        chain.one.flip()

        assert str(chain.configuration) == "one=y two=y three=y"
        assert chain.snapshot().to_json() == watched.snapshot().to_json()

    @pytest.mark.parametrize(
        ("kind", "expected"), [(Chain, "one=x two=x three=x"), (LooseChain, "one=y two=x three=x")]
    )
    def test_an_interruption(self, monkeypatch, kind, expected):
        """An interruption between two machines puts back the first one, unless nothing is ever put back."""
        chain = kind()
        enter = MemberEngine.enter_silently

        def interrupted(engine, program):
            if engine.member == "two":
                raise KeyboardInterrupt
            enter(engine, program)

        monkeypatch.setattr(MemberEngine, "enter_silently", interrupted)
        with pytest.raises(KeyboardInterrupt):
            chain.one.flip()
        monkeypatch.undo()

        assert str(chain.configuration) == expected
        chain.three.flip()
        assert chain.three.y.is_active


class TestFailures:
    @pytest.mark.parametrize("act", ["raise", "raise after"])
    def test_everything_is_put_back(self, world, act):
        """An exception in a callback puts back what the step has moved, and the next event finds all in order."""

        async def scenario():
            town = AsyncTown() if world.is_async else Town()
            await world.call(town.speaker.go())
            before = town.snapshot().to_json()
            with pytest.raises(ZeroDivisionError):
                await world.call(town.speaker.go(act=act))
            same = town.snapshot().to_json() == before
            await world.call(town.speaker.go())
            return same, str(town.configuration)

        assert world.run(scenario) == (True, "speaker=c left=x right=x chart=calm")

    def test_a_link_that_fails(self):
        """An exception in the callback of a link's target puts back the machine that caused it, and names the link."""

        class Failing(StateMachine):
            a = State(initial=True)
            b = State(final=True)
            go = a.to(b)

            def on_go(self):
                raise ZeroDivisionError

        class System(Orchestrator):
            cause: Silent = machine(factory=Silent)
            target: Failing = machine(factory=Failing)
            link = when("cause.y").send("target.go")

        system = System()
        with pytest.raises(ZeroDivisionError) as caught:
            system.cause.flip()

        assert caught.value.__notes__ == ["caused by <link System.link: when(cause.y).send(target.go)>"]
        assert str(system.configuration) == "cause=x target=a"

    def test_a_link_that_is_refused(self):
        """A refusal at the end of a chain of silent machines puts the whole chain back."""

        class System(Orchestrator):
            one: Silent = machine(factory=Silent)
            two: Silent = machine(factory=Silent)
            three: Silent = machine(factory=Silent)
            first = when("one.y").send("two.rise")
            second = when("two.y").send("three.rise")

        system = System()
        system.three.flip()
        with pytest.raises(LinkRefused, match=r"System\.second"):
            system.one.flip()

        assert str(system.configuration) == "one=x two=x three=y"

    def test_not_atomic(self):
        """Without rollback what a link has moved stays."""

        class System(Orchestrator, atomic=False):
            one: Silent = machine(factory=Silent)
            two: Silent = machine(factory=Silent)
            first = when("one.y").send("two.rise")

        system = System()
        system.two.flip()
        with pytest.raises(LinkRefused):
            system.one.flip()

        assert str(system.configuration) == "one=y two=y"


class TestOthers:
    def test_a_thread_waits(self):
        """A silent event of another thread waits for the step that is running."""
        inside, go_on, order = threading.Event(), threading.Event(), []

        class Slow(StateMachine):
            a = State(initial=True)
            go = a.to.itself()

            def on_go(self):
                inside.set()
                go_on.wait(10)
                order.append("step")

        class System(Orchestrator):
            slow: Slow = machine(factory=Slow)
            silent: Silent = machine(factory=Silent)

        system = System()

        def other():
            inside.wait(10)
            threading.Timer(0.05, go_on.set).start()
            system.silent.flip()
            order.append("event")

        thread = threading.Thread(target=other)
        thread.start()
        system.slow.go()
        thread.join(10)

        assert order == ["step", "event"]
        assert system.silent.y.is_active

    def test_a_task_that_outlives_its_step(self):
        """A task that a callback started speaks in steps of its own when the step has ended."""

        class Starter(StateMachine):
            a = State(initial=True)
            b = State()
            go = a.to(b) | b.to(a)

            async def on_go(self, orc):
                async def later():
                    await asyncio.sleep(0.01)
                    await orc.silent.flip()
                    await orc.other.rise()

                orc.tasks = [asyncio.create_task(later())]

        class System(Orchestrator):
            starter: Starter = machine(factory=Starter)
            silent: Silent = machine(factory=Silent)
            other: Silent = machine(factory=Silent)

        async def scenario():
            system = System()
            await system.starter.go()
            steps = []
            system.inspect(lambda record: steps.append(record.configuration) if isinstance(record, StepEnded) else None)
            await asyncio.gather(*system.tasks)
            return steps

        assert asyncio.run(scenario()) == ["silent=y", "other=y"]

    def test_an_observer_that_comes_in_the_middle(self, world):
        """An observer that a callback adds hears what the step does from there on."""
        records = []

        class Opening(StateMachine):
            a = State(initial=True)
            b = State(final=True)
            go = a.to(b)

            def on_go(self, orc):
                orc.inspect(records.append)

        class System(Orchestrator):
            opening: Opening = machine(factory=world.machine(Opening))
            silent: Silent = machine(factory=Silent)
            link = when("opening.b").send("silent.flip")

        async def scenario():
            system = System()
            await world.call(system.opening.go())

        world.run(scenario)
        assert [type(record).__name__ for record in records] == ["Moved", "LinkFired", "Moved", "StepEnded"]
        assert [record.address for record in records if isinstance(record, Moved)] == ["opening", "silent"]

    def test_a_loop_of_links(self):
        """Links between silent machines that run in circles are stopped, and put back."""

        class System(Orchestrator, max_deliveries=50):
            one: Silent = machine(factory=Silent)
            two: Silent = machine(factory=Silent)
            there = when("one.flip").send("two.flip", refused="ignore")
            back = when("two.flip").send("one.flip")

        system = System()
        with pytest.raises(LinkLoopError, match=r"(?s)50.*one\.flip.*two\.flip") as caught:
            system.one.flip()

        assert len(caught.value.cycle) == 2
        assert str(system.configuration) == "one=x two=x"

    def test_a_held_event(self):
        """A held event is tried again when its silent machine has moved without anybody waiting for that."""

        class System(Orchestrator):
            one: Silent = machine(factory=Silent)
            two: Silent = machine(factory=Silent)
            link = when("one.y").send("two.rise", refused="hold")

        system = System()
        system.two.flip()
        system.one.flip()
        system.two.flip()  # goes down, and up again by the event that was held

        assert str(system.configuration) == "one=y two=y"
        system.two.flip()
        assert str(system.configuration) == "one=y two=x"

    def test_a_member_that_is_taken_out(self):
        """A silent machine that has left its system moves on its own, and the system does not hear of it."""
        town = Town()
        flip = town.left.flip

        class Single(Orchestrator):
            silent: Silent | None = machine()

        single = Single(silent=Silent())
        alone = single.silent.flip
        alone()
        flip()

        assert single.silent.y.is_active
        assert town.left.y.is_active

    @pytest.mark.parametrize("how", ["copy", "pickle", "restore"])
    def test_each_copy_has_its_own(self, how):
        """Between two events a system is copied: each event moves the machine of its own system, called or sent."""
        town = Town()
        town.left.flip()
        town.send("right.flip")
        other = asyncio.run(operate(World("sync"), town, (how, "", {})))[0]
        other.left.flip()
        other.send("right.flip")

        assert str(town.configuration) == "speaker=a left=y right=x chart=calm"
        assert str(other.configuration) == "speaker=a left=x right=y chart=calm"


class TestGuards:
    def test_of_a_silent_event(self):
        """A guard on an event without callbacks allows and refuses as the other machine moves."""

        class System(Orchestrator):
            door: Silent = machine(factory=Silent)
            key: Silent = machine(factory=Silent)
            locked = guard("door.flip", In("key.y"))

        system = System()
        with pytest.raises(GuardRefused, match=r"key\.y.*key is in x"):
            system.door.flip()
        system.key.flip()
        system.door.flip()
        assert system.door.y.is_active
        system.key.flip()
        with pytest.raises(GuardRefused):
            system.door.flip()

    def test_a_function_is_asked_in_a_step(self):
        """A guard that is a function may call machines, and what it has moved is put back if it refuses."""

        class System(Orchestrator):
            door: Silent = machine(factory=Silent)
            bell: Silent = machine(factory=Silent)
            locked = guard("door.flip", lambda orc: orc.bell.flip() is not None)

        system = System()
        with pytest.raises(GuardRefused):
            system.door.flip()

        assert str(system.configuration) == "door=x bell=x"


class TestByAddress:
    def test_arguments_and_results(self):
        """An event that is sent by its address carries its arguments, and gives back what the call gives."""
        town = Town()

        assert town.send("speaker.go", None, amount=5) == town.speaker.go(None, amount=5) == ["before", "on"]

    def test_a_machine_that_sends_in_its_own_way(self):
        """A machine's own `send` is asked."""

        class Own(Silent):
            def send(self, event, *args, **kwargs):
                LOG.append(event)
                return super().send(event, *args, **kwargs)

        class System(Orchestrator):
            own: Own = machine(factory=Own)

        LOG.clear()
        System().send("own.flip")

        assert LOG == ["flip"]

    def test_what_send_takes_for_itself(self):
        """A delay that is given to `send` delays, and is no argument of the event."""
        clock = SimulatedClock()
        town = Town(clock=clock)
        town.send("left.flip", delay=10_000)
        before = town.left.x.is_active
        clock.advance(10)

        assert before
        assert town.left.y.is_active


class TestCallsInLine:
    def test_dropped_calls_keep_their_order(self):
        """Events that nobody awaits happen in the order of their calls, before what is called later."""

        class System(Orchestrator):
            one: Speaker = machine(factory=asynchronous(Speaker))
            silent: Silent = machine(factory=Silent)

        async def scenario():
            system = System()
            await system.activate()
            heard = []
            system.inspect(lambda record: heard.append(record.address) if isinstance(record, Moved) else None)
            system.silent.flip()
            system.one.go()
            system.silent.flip()
            await system.one.go()
            return heard

        assert asyncio.run(scenario()) == ["silent", "one", "silent", "one"]

    def test_a_busy_loop_holds_on_to_nothing(self):
        """A call that was awaited is gone, even if its event loop has had no time to come round."""

        async def scenario():
            town = AsyncTown()
            await town.activate()
            call = town.left.flip()
            gone = weakref.ref(call)
            await call
            del call
            gc.collect()
            return gone()

        assert asyncio.run(scenario()) is None
