"""R7: the orchestrator is in every callback that names it, in every phase."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
import time

import pytest
from statemachine import Event, HistoryState, State, StateChart, StateMachine

from statemachines_orchestrator import Orchestrator, machine
from statemachines_orchestrator.testing import SimulatedClock

SEEN: list[tuple[str, object]] = []


def recorder(phase, kind, answer=None):
    """A callback that requires `orc` and notes who it got; each with a name of its own (trap D2)."""
    if kind == "async":

        async def callback(self, orc):
            SEEN.append((phase, orc))
            return answer

    else:

        def callback(self, orc):
            SEEN.append((phase, orc))
            return answer

    callback.__name__ = phase
    callback.__qualname__ = f"recorder.{phase}.{kind}"
    return callback


def fail(self, orc):
    SEEN.append(("failing action", orc))
    msg = "deliberate"
    raise ValueError(msg)


class ContextHandler:
    """An invoke handler of the advanced kind: it reads the keywords of its context."""

    def run(self, ctx):
        SEEN.append(("IInvoke.run", ctx.kwargs["orc"]))
        return "from handler"


def plain_handler(orc):
    SEEN.append(("plain invoke handler", orc))
    return "from plain handler"


def initial_handler(orc):
    SEEN.append(("invoke handler of the initial state", orc))


def make_listener(prefix, kind):
    return type(
        f"Listener_{prefix}_{kind}",
        (),
        {
            "on_enter_moved": recorder(f"{prefix}: enter", kind),
            "after_go": recorder(f"{prefix}: after", kind),
        },
    )


def body(kind):
    class Body:
        idle = State(initial=True, invoke=initial_handler)
        moved = State()
        worked = State(invoke=plain_handler)
        served = State(invoke=ContextHandler)
        passing = State()
        passed = State()
        failed = State()
        recovered = State()
        late = State()
        later = State()

        class box(State.Compound):
            first = State(initial=True)
            last = State(final=True)
            finish = first.to(last)
            back = HistoryState()

        boxed = State()
        end = State(final=True)

        go = idle.to(moved, cond="may_go", unless="may_not_go", validators="validate_go")
        either = idle.to(moved, cond="may_left or may_right")
        work = moved.to(worked)
        done_invoke_worked = Event(worked.to(served), id="done.invoke.worked")
        serve = worked.to(served)
        turn = served.to(passing)
        passing.to(passed, cond="may_pass", on="while_passing")
        hurt = passed.to(failed, on="fail")
        error_execution = Event(failed.to(recovered, on="on_recovery"), id="error.execution")
        wait = Event(recovered.to(late), delay=5)
        chain = late.to(later)
        call = later.to(box)
        done_state_box = Event(box.to(boxed), id="done.state.box")
        stop = boxed.to(end)
        asked = moved.to.itself(internal=True, cond="may_be_asked")

    for phase, name, answer in [
        ("prepare_event", "prepare_event", {}),
        ("enter the initial state", "on_enter_idle", None),
        ("generic enter", "on_enter_state", None),
        ("generic exit", "on_exit_state", None),
        ("generic before", "before_transition", None),
        ("generic on", "on_transition", None),
        ("generic after", "after_transition", None),
        ("cond", "may_go", True),
        ("unless", "may_not_go", False),
        ("validator", "validate_go", None),
        ("guard in an expression", "may_right", True),
        ("guard asked by enabled_events", "may_be_asked", True),
        ("before", "before_go", None),
        ("on", "on_go", None),
        ("after", "after_go", None),
        ("exit", "on_exit_idle", None),
        ("enter", "on_enter_moved", None),
        ("eventless guard", "may_pass", True),
        ("eventless action", "while_passing", None),
        ("eventless enter", "on_enter_passed", None),
        ("error.execution", "on_recovery", None),
        ("delayed event", "on_wait", None),
        ("after a delayed event", "on_enter_late", None),
        ("event sent to itself", "on_chain", None),
        ("enter a compound", "on_enter_box", None),
        ("enter a child by default", "on_enter_first", None),
        ("done.state", "on_enter_boxed", None),
        ("enter the final state", "on_enter_end", None),
    ]:
        setattr(Body, name, recorder(phase, kind, answer))
    return Body


def everything(kind):
    names = dict(vars(body(kind)))
    names.pop("__dict__"), names.pop("__weakref__")
    fail_now = fail

    def send_itself(self, orc):
        SEEN.append(("enter, then send", orc))
        self.send("chain")

    send_itself.__qualname__ = f"send_itself.{kind}"

    def raise_itself(self, orc):
        SEEN.append(("on, then raise_", orc))
        self.raise_("finish")

    raise_itself.__qualname__ = f"raise_itself.{kind}"
    names.update(
        fail=fail_now,
        after_wait=send_itself,
        on_call=raise_itself,
        may_left=lambda self: False,
        on_finish=recorder("event raised internally", kind),
        listeners=[make_listener("class listener", kind)],
        __module__=__name__,
        __qualname__=f"Everything{kind}",
    )
    return type(StateChart)(f"Everything{kind}", (StateChart,), names)


EverythingSync = everything("sync")
EverythingAsync = everything("async")


class Side(StateMachine):
    quiet = State(initial=True)
    loud = State(final=True)
    shout = quiet.to(loud)


class Model:
    def on_enter_moved(self, orc):
        SEEN.append(("model", orc))


class SyncSystem(Orchestrator):
    main: EverythingSync = machine(
        factory=lambda: EverythingSync(model=Model(), listeners=[make_listener("constructor listener", "sync")()])
    )
    side: Side = machine(factory=Side)


class AsyncSystem(Orchestrator):
    main: EverythingAsync = machine(
        factory=lambda: EverythingAsync(model=Model(), listeners=[make_listener("constructor listener", "async")()])
    )
    side: Side = machine(factory=Side)


async def _no_wait(answer):
    return await answer if hasattr(answer, "__await__") else answer


async def until(seen, sleep):
    for _ in range(400):
        if seen():
            return
        await sleep()
    msg = "the handler never ran"
    raise AssertionError(msg)


async def story(system, sleep):
    """One life of the machine, which passes through every phase."""
    main = system.main
    await _no_wait(system.activate())
    main.add_listener(make_listener("late listener", "sync")())
    await _no_wait(main.enabled_events())
    await _no_wait(main.go())
    await _no_wait(main.enabled_events())
    await _no_wait(main.work())
    await until(lambda: "plain invoke handler" in {phase for phase, _ in SEEN}, sleep)
    if main.worked.is_active:
        await _no_wait(main.serve())
    await until(lambda: "IInvoke.run" in {phase for phase, _ in SEEN}, sleep)
    for event in ("turn", "hurt", "wait"):
        await _no_wait(main.send(event))
    await _no_wait(system.clock.advance(milliseconds=5))
    for event in ("call", "stop"):
        await _no_wait(main.send(event))
    assert main.is_terminated, system


PHASES = [
    "prepare_event",
    "enter the initial state",
    "generic enter",
    "generic exit",
    "generic before",
    "generic on",
    "generic after",
    "invoke handler of the initial state",
    "cond",
    "unless",
    "validator",
    "guard in an expression",
    "guard asked by enabled_events",
    "before",
    "on",
    "after",
    "exit",
    "enter",
    "plain invoke handler",
    "IInvoke.run",
    "eventless guard",
    "eventless action",
    "eventless enter",
    "failing action",
    "error.execution",
    "delayed event",
    "after a delayed event",
    "enter, then send",
    "event sent to itself",
    "on, then raise_",
    "event raised internally",
    "enter a compound",
    "enter a child by default",
    "done.state",
    "enter the final state",
    "class listener: enter",
    "class listener: after",
    "constructor listener: enter",
    "constructor listener: after",
    "late listener: enter",
    "late listener: after",
    "model",
]


def live(kind):
    """Live one life and note who every callback got."""
    SEEN.clear()
    if kind == "sync":
        system = SyncSystem(clock=SimulatedClock())

        async def pause():
            time.sleep(0.005)

        coroutine = story(system, pause)
        with pytest.raises(StopIteration):
            coroutine.send(None)
    else:
        system = AsyncSystem(clock=SimulatedClock())
        asyncio.run(story(system, lambda: asyncio.sleep(0.005)))
    return system, list(SEEN)


@pytest.fixture(scope="module", params=["sync", "async"])
def life(request: pytest.FixtureRequest):
    return live(request.param)


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_receives_the_orchestrator(life, phase):
    """A callback that names `orc` receives the orchestrator, whatever the phase."""
    system, seen = life

    received = [orc for at, orc in seen if at == phase]

    assert received
    assert all(orc is system for orc in received)


def test_no_callback_of_the_table_is_left_out(life):
    """Every callback that the machine called stands in the table, so nothing is untested by accident."""
    _, seen = life

    assert {phase for phase, _ in seen} == set(PHASES)


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_callbacks_of_a_copy_receive_the_copy(make):
    """After a copy the callbacks of the copy receive the copy, and those of the original the original."""
    original = Pair()
    other = make(original)
    SEEN.clear()

    other.left.go()
    original.left.go()

    assert [orc for _, orc in SEEN] == [other, original]


class Left(StateMachine):
    here = State(initial=True)
    there = State(final=True)
    go = here.to(there)
    after_go = recorder("after go", "copy")


class Pair(Orchestrator):
    left: Left = machine(factory=Left)
    right: Side = machine(factory=Side)


class Named(StateMachine):
    here = State(initial=True)
    there = State(final=True)
    go = here.to(there)

    def on_go(self, amount=0, *, coordinator, source):
        return coordinator, source.id, amount


class Coordinated(Orchestrator, orchestrator_name="coordinator"):
    named: Named


class TestName:
    def test_other_name(self, world):
        """The class keyword `orchestrator_name` sets the parameter; other parameters stay as they are."""
        system = Coordinated(named=Named())

        assert system.named.go(amount=7) == (system, "here", 7)

    def test_the_name_is_inherited(self):
        class Derived(Coordinated):
            other: Side = machine(factory=Side)

        assert Derived(named=Named()).orchestrator_name == "coordinator"

    def test_an_event_cannot_carry_an_argument_of_that_name(self):
        """Passing `orc` with an event is refused with advice, and nothing has happened."""
        pair = Pair()

        with pytest.raises(TypeError) as caught:
            pair.right.shout(orc="mine")

        assert str(caught.value) == (
            "'orc' is the name under which callbacks receive the orchestrator, so event 'shout' cannot carry an "
            "argument of that name. Rename the argument, or let the orchestrator go by another name: "
            "class ...(Orchestrator, orchestrator_name='...')."
        )
        assert pair.right.quiet.is_active

    def test_passing_the_orchestrator_itself_is_fine(self):
        """Code for 0.0.4 that passed the orchestrator along by hand still works."""
        pair = Pair()

        pair.right.send("shout", orc=pair)

        assert pair.right.loud.is_active


def test_a_handler_that_is_cancelled_while_it_waits_for_its_turn_gives_up():
    """Leaving a state does not wait two seconds for an invoke handler that wants to send in the running step."""
    started = threading.Event()

    def chatty(ctx):
        while not ctx.cancelled.is_set():
            started.set()
            ctx.send("progress")

    class Chatty(StateChart):
        loading = State(initial=True, invoke=chatty)
        ready = State(final=True)
        progress = loading.to.itself(internal=True)
        skip = loading.to(ready)

        def before_skip(self):
            time.sleep(0.05)

    class System(Orchestrator):
        chatty: Chatty = machine(factory=Chatty)

    system = System()
    assert started.wait(5)
    begun = time.monotonic()
    system.chatty.skip()

    assert time.monotonic() - begun < 1
    assert system.chatty.ready.is_active


def test_a_handler_that_was_running_before():
    """The same for a handler that was running already when its machine became a member."""
    adopted = threading.Event()

    def chatty(ctx):
        assert adopted.wait(5)
        while not ctx.cancelled.is_set():
            ctx.send("progress")

    class Early(StateChart):
        loading = State(initial=True, invoke=chatty)
        ready = State(final=True)
        progress = loading.to.itself(internal=True)
        skip = loading.to(ready)

        def before_skip(self):
            time.sleep(0.05)

    class Adopting(Orchestrator):
        early: Early

    system = Adopting(Early())
    adopted.set()
    begun = time.monotonic()
    system.early.skip()

    assert time.monotonic() - begun < 1
