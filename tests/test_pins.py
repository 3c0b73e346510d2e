"""
Every private name of python-statemachine that this distribution uses, and what it has to mean.

A release that renames one or gives it another meaning fails here first, with the name in the test. The last class
keeps the list complete: a private name that is used and not pinned fails as well.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import pkgutil
import threading
from contextvars import ContextVar
from pathlib import Path
from queue import PriorityQueue
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import statemachine
from statemachine import State, StateChart, StateMachine
from statemachine.callbacks import CallbackGroup, CallbacksRegistry
from statemachine.configuration import Configuration
from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.base import BaseEngine, _running_engine
from statemachine.engines.sync import SyncEngine
from statemachine.event import BoundEvent, _event_data_kwargs
from statemachine.event_data import TriggerData
from statemachine.graph import iterate_states_and_transitions
from statemachine.invoke import InvokeManager
from statemachine.orderedset import OrderedSet
from statemachine.signature import SignatureAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).parent.parent
PACKAGES = ("statemachines_orchestrator", "orca_bridge")
UPSTREAM = Path(statemachine.__file__).parent

pytestmark = pytest.mark.conformance

PINNED: set[str] = set()
Test = TypeVar("Test")


def pins(*names: str) -> Callable[[Test], Test]:
    """Say which private names a test holds in place."""
    PINNED.update(names)
    return lambda test: test


class Pinned(StateMachine):
    """A machine that shows itself from inside a callback."""

    a = State(initial=True)
    b = State(enter="note")
    go = a.to(b) | b.to(a)
    seen: Any = None

    def note(self) -> None:
        pass

    def on_go(self, more: object = None) -> object:
        if self.seen is not None:
            self.seen(self)
        return more


class PinnedAsync(StateMachine):
    """The same with a coroutine."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)

    async def on_go(self) -> None:
        pass


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """The names and defaults of a function's parameters, which an override has to repeat."""
    found = inspect.signature(function).parameters.values()
    return [(one.name, one.default if one.default is not one.empty else ...) for one in found]


class TestMachine:
    @pins("_engine", "_get_engine")
    def test_engine(self) -> None:
        """`_get_engine` makes the engine, for the constructor and for a copy, and `_engine` keeps it."""
        asked = []

        class Asked(Pinned):
            def _get_engine(self):
                asked.append(super()._get_engine())
                return asked[-1]

        machine = Asked()
        copied = Asked.__new__(Asked)
        copied.__setstate__(machine.__getstate__())

        assert asked == [machine._engine, copied._engine]
        assert type(machine._engine) is SyncEngine
        assert type(PinnedAsync()._engine) is AsyncEngine
        assert parameters(StateChart._get_engine) == [("self", ...)]

    def test_start(self) -> None:
        """The constructor starts the engine last, by `start`, with the keywords that were left over."""
        started = []

        class Held(Pinned):
            def _get_engine(self):
                engine = super()._get_engine()
                engine.start = lambda **keywords: started.append(keywords)
                return engine

        machine = Held(extra=1)

        assert started == [{"extra": 1}]
        assert machine.current_state_value is None

    @pins("_put_nonblocking", "_processing_loop")
    def test_event_call(self) -> None:
        """An event call is `_put_nonblocking`, then `_processing_loop`, in the same thread and with nothing between."""
        called = []

        class Called(Pinned):
            def _put_nonblocking(self, trigger_data, internal=False):
                called.append(("put", str(trigger_data.event), threading.get_ident()))
                super()._put_nonblocking(trigger_data, internal=internal)

            def _processing_loop(self, caller_future=None):
                called.append(("loop", caller_future, threading.get_ident()))
                return super()._processing_loop(caller_future)

        assert Called().go(more=3) == 3
        assert called == [("put", "go", threading.get_ident()), ("loop", None, threading.get_ident())]
        assert parameters(StateChart._put_nonblocking) == [("self", ...), ("trigger_data", ...), ("internal", False)]
        assert parameters(StateChart._processing_loop) == [("self", ...), ("caller_future", None)]

    @pins("_callbacks", "_config", "_listeners", "_build_configuration", "_register_callbacks")
    def test_filling_in(self) -> None:
        """A machine filled in by hand as `__setstate__` does it is like its original."""
        listener = object()
        machine = Pinned(listeners=[listener])
        state = machine.__getstate__()
        listeners = list(state.pop("_listeners").values())

        twin = Pinned.__new__(Pinned)
        vars(twin).update(state)
        twin._callbacks = CallbacksRegistry()
        twin._config = twin._build_configuration()
        twin._listeners = {}
        twin._register_callbacks(listeners)

        assert listeners == [listener]
        assert twin.active_listeners == [listener]
        assert isinstance(twin._config, Configuration)
        assert not {"_callbacks", "_config", "_engine"} & set(state)
        assert vars(twin).keys() == vars(machine).keys() - {"_engine"}

    def test_asynchronous_callbacks(self) -> None:
        """The registry's `has_async_callbacks` decides which engine is made."""

        class Told(Pinned):
            def _register_callbacks(self, listeners):
                super()._register_callbacks(listeners)
                self._callbacks.has_async_callbacks = True

        assert Pinned()._callbacks.has_async_callbacks is False
        assert type(Told()._engine) is AsyncEngine

    @pins("_protected_attrs")
    def test_protected_attributes(self) -> None:
        """Callbacks are not looked up in the machine by a name in `_protected_attrs`."""

        class Protected(Pinned):
            called = False

            def after_go(self):
                self.called = True

            def _register_callbacks(self, listeners):
                self._protected_attrs = type(self)._protected_attrs | {"after_go"}
                super()._register_callbacks(listeners)

        machine = Protected()
        machine.go()

        assert not machine.called

    @pins("_class_listeners")
    def test_class_listeners(self) -> None:
        """`_class_listeners` lists what the attribute `listeners` of a class names."""

        class Listening(Pinned):
            listeners = [object]

        assert Listening._class_listeners == [object]
        assert Pinned._class_listeners == []

    @pins("_abstract", "_events", "_specs")
    def test_class(self) -> None:
        """A class says whether it is abstract, which events it has, and which callbacks each part of it has."""
        nodes = list(iterate_states_and_transitions(Pinned.states))
        groups = {spec.group for node in nodes for spec in node._specs}
        note = next(spec for node in nodes for spec in node._specs if spec.func == "note")

        assert StateChart._abstract is True
        assert Pinned._abstract is False
        assert [str(event) for event in Pinned._events] == ["go"]
        assert [type(node).__name__ for node in nodes] == ["State", "Transition", "State", "Transition"]
        assert {CallbackGroup.ENTER, CallbackGroup.EXIT, CallbackGroup.BEFORE, CallbackGroup.ON} <= groups
        assert (note.group, note.attr_name, note.lookup_name) == (CallbackGroup.ENTER, "note", "note")
        assert [group.name for group in CallbackGroup] == [
            "PREPARE",
            "ENTER",
            "EXIT",
            "INVOKE",
            "VALIDATOR",
            "BEFORE",
            "ON",
            "AFTER",
            "COND",
        ]

    @pins("_set_id")
    def test_state_id(self) -> None:
        """`_set_id` gives a state its id, and the value if it has none."""
        state = State(name="Shown", value="kept")
        state._set_id("chosen")

        assert (state.id, state.name, state.value) == ("chosen", "Shown", "kept")

    def test_signatures(self) -> None:
        """What is remembered of signatures can be forgotten (its trap D2)."""
        assert callable(SignatureAdapter.from_callable.clear_cache)


class TestEngine:
    @pins("_running_engine", "_processing")
    def test_running(self) -> None:
        """Inside a callback `_running_engine` is the machine's engine and `_processing` is locked; outside neither."""
        found = []
        machine = Pinned()
        machine.seen = lambda one: found.append((_running_engine.get(), one._engine._processing.locked()))
        machine.go()

        assert isinstance(_running_engine, ContextVar)
        assert found == [(machine._engine, True)]
        assert _running_engine.get() is None
        assert not machine._engine._processing.locked()

    def test_running_in_tasks(self) -> None:
        """A task that a callback starts inherits `_running_engine` and keeps it when the callback has returned."""
        found = []

        async def late() -> None:
            await asyncio.sleep(0.01)
            found.append(_running_engine.get())

        class Starting(StateMachine):
            a = State(initial=True)
            b = State(final=True)
            go = a.to(b)

            async def on_go(self):
                self.task = asyncio.get_running_loop().create_task(late())

        async def main() -> BaseEngine:
            machine = Starting()
            await machine.go()
            await machine.task
            return machine._engine

        assert found == [asyncio.run(main())]

    @pins("_get_args_kwargs")
    def test_arguments(self) -> None:
        """`_get_args_kwargs` is asked before callbacks run, and passes on what stands in the trigger by then."""
        machine = Pinned()
        engine = machine._engine
        asked = engine._get_args_kwargs

        def written(transition, trigger_data, *more, **keywords):
            trigger_data.kwargs["more"] = 5
            return asked(transition, trigger_data, *more, **keywords)

        engine._get_args_kwargs = written

        assert machine.go() == 5
        assert parameters(BaseEngine._get_args_kwargs) == [
            ("self", ...),
            ("transition", ...),
            ("trigger_data", ...),
            ("target", None),
            ("source", None),
        ]

    def test_initial_event(self) -> None:
        """An asynchronous machine queues the event ``__initial__`` and has no state before the loop runs it."""
        machine = PinnedAsync(extra=1)
        (trigger,) = machine._engine.external_queue.drain()

        assert machine.current_state_value is None
        assert (str(trigger.event), trigger.kwargs) == ("__initial__", {"extra": 1})

    def test_queues(self) -> None:
        """Both queues wrap a `PriorityQueue`, whose list `queue` holds the triggers."""
        machine = Pinned()
        engine = machine._engine
        engine.put(BoundEvent("go", _sm=machine).build_trigger(machine=machine))

        assert type(engine.external_queue.queue) is type(engine.internal_queue.queue) is PriorityQueue
        assert [str(trigger.event) for trigger in engine.external_queue.queue.queue] == ["go"]
        assert not engine.external_queue.is_empty()
        assert [str(trigger.event) for trigger in engine.external_queue.drain()] == ["go"]
        assert engine.external_queue.is_empty()

    @pins("_enter_states", "_prepare_entry_states", "_prepare_exit_states")
    def test_entering_and_leaving(self) -> None:
        """Entering takes transitions and trigger first; the sets come first in what is prepared for it, in order."""
        machine = Pinned()
        transitions = list(machine.configuration_values and next(iter(machine.configuration)).transitions)[:1]

        assert [name for name, _ in parameters(SyncEngine._enter_states)][:3] == [
            "self",
            "enabled_transitions",
            "trigger_data",
        ]
        assert parameters(SyncEngine._enter_states) == parameters(AsyncEngine._enter_states)
        leaving, left = machine._engine._prepare_exit_states(transitions)
        entering = machine._engine._prepare_entry_states(transitions, left, machine.configuration)[0]
        assert [one.state.id for one in leaving] == [transitions[0].source.id]
        assert [one.state.id for one in entering] == [transitions[0].target.id]

    def test_stamps(self) -> None:
        """A trigger is stamped with the time by one clock, plus its delay; the first stamp is taken first."""
        machine = Pinned()
        early, late, last = (TriggerData(machine, event=None) for _ in range(3))
        delayed = BoundEvent("go", delay=60_000, _sm=machine).build_trigger(machine=machine)
        late.cancelled, last.execution_time = True, 0.0
        queue = machine._engine.external_queue
        for trigger in (delayed, early, late, last):
            queue.put(trigger)

        assert 59 < delayed.execution_time - early.execution_time < 70
        assert early.sequence < late.sequence < last.sequence < delayed.sequence
        drained = queue.drain()
        assert drained[0] is last
        assert late not in drained

    @pins("_run_macrostep")
    def test_run_macrostep(self) -> None:
        """`_run_macrostep` only runs what needs no event from outside; without that it does nothing and says False."""
        machine = Pinned()
        machine.called = False

        assert machine._engine._run_macrostep() is False
        assert asyncio.run(PinnedAsync()._engine._run_macrostep()) is False
        assert parameters(SyncEngine._run_macrostep) == parameters(AsyncEngine._run_macrostep) == [("self", ...)]

    @pins("_take_external_event", "_take_due_external_event", "_sentinel")
    def test_external_events(self) -> None:
        """One event that is due is taken from the queue and run; the sentinel stands for no transition."""
        machine = Pinned()
        engine = machine._engine

        assert engine._take_due_external_event(engine._sentinel) == (False, engine._sentinel)
        engine.put(BoundEvent("go", _sm=machine).build_trigger(machine=machine, more=7))
        assert engine._take_due_external_event(engine._sentinel) == (True, 7)
        assert parameters(SyncEngine._take_external_event) == parameters(AsyncEngine._take_external_event)

    @pins("_filter_conflicting_transitions")
    def test_conflicts(self) -> None:
        """Of transitions that leave the same state the first is kept."""
        machine = Pinned()
        transitions = [one for state in Pinned.states for one in state.transitions][:1]

        assert list(machine._engine._filter_conflicting_transitions(OrderedSet(transitions * 2))) == transitions

    @pins("_on_error_handler", "_handle_error", "_handle_final_state")
    def test_errors(self) -> None:
        """A class that catches errors has a handler for them, another one has none and raises."""
        trigger = BoundEvent("go").build_trigger(machine=Pinned())

        assert Pinned()._engine._on_error_handler() is None
        with pytest.raises(ValueError, match="so it is"):
            Pinned()._engine._handle_error(ValueError("so it is"), trigger)
        assert parameters(BaseEngine._handle_final_state) == [("self", ...), ("target", ...), ("on_entry_result", ...)]

    @pins("_instance_states")
    def test_own_states(self) -> None:
        """A configuration holds the machine's own object for each value of a state."""
        machine = Pinned()

        assert next(iter(machine.configuration)) is machine._config._instance_states["a"]

    @pins("_sm", "_event_data_kwargs")
    def test_events(self) -> None:
        """A bound event knows its machine, and drops the names that the library itself hands to callbacks."""
        machine = Pinned()
        sent = machine.go.build_trigger(machine=machine, more=1, **dict.fromkeys(_event_data_kwargs - {"machine"}, 0))

        assert machine.go._sm is machine
        assert sent.kwargs == {"more": 1}

    def test_callbacks(self) -> None:
        """A wrapped callback keeps the callable and its binding in its closure, where `read_callback` finds them."""
        machine = Pinned()
        (transition,) = next(iter(Pinned.states)).transitions
        (wrapper,) = machine._callbacks[transition.on.key]
        known = dict(zip(wrapper._callback.__code__.co_freevars, wrapper._callback.__closure__, strict=True))

        assert known["a_callable"].cell_contents == machine.on_go
        assert isinstance(known["sig_bind_expected"].cell_contents.__self__, SignatureAdapter)

    @pins("_root_parallel_final_pending")
    def test_end_of_a_parallel_chart(self) -> None:
        """`_root_parallel_final_pending` is the finished parallel state until the loop has looked at it."""
        found = []

        class Both(StateChart):
            class both(State.Parallel, initial=True):
                class left(State.Compound):
                    a = State(initial=True)
                    b = State(final=True)
                    go = a.to(b)

                class right(State.Compound):
                    c = State(initial=True)
                    d = State(final=True)
                    go = c.to(d)

            def after_go(self):
                found.append(self._engine._root_parallel_final_pending)

        machine = Both()
        assert machine._engine._root_parallel_final_pending is None
        machine.go()

        assert [state.id for state in found] == ["both", "both"]
        assert machine._engine._root_parallel_final_pending is None
        assert machine._engine.running is False

    @pytest.mark.parametrize("name", ["start", "activate_initial_state", "processing_loop", "enabled_events", "put"])
    def test_methods(self, name: str) -> None:
        """Both engines have the methods without underscore that a member's engine overrides."""
        assert callable(getattr(SyncEngine, name))
        assert callable(getattr(AsyncEngine, name))

    def test_signatures(self) -> None:
        """The overridden methods take what the overrides expect."""
        assert parameters(BaseEngine.put) == [("self", ...), ("trigger_data", ...), ("internal", False)]
        assert parameters(SyncEngine.processing_loop) == [("self", ...)]
        assert parameters(AsyncEngine.processing_loop) == [("self", ...), ("caller_future", None)]
        assert parameters(SyncEngine.activate_initial_state) == [("self", ...), ("kwargs", ...)]

    @pins("_run_processing_loop", "_reject_pending_futures", "_wake_lock_waiters", "_lock_waiters")
    def test_the_asynchronous_loop_without_its_lock(self) -> None:
        """
        `_run_processing_loop` runs what is queued, by a caller that holds the lock.

        On its way out it refuses those who wait for an event by `_reject_pending_futures`; whoever lets the lock go
        tells those who wait for it by `_wake_lock_waiters`.
        """

        async def scenario() -> tuple[str, bool, str, bool]:
            machine = PinnedAsync()
            await machine.activate_initial_state()
            engine: Any = machine._engine
            engine._processing.acquire()
            engine.external_queue.put(TriggerData(machine, event=BoundEvent("go", _sm=machine)))
            await engine._run_processing_loop(None)
            taken = str(machine.current_state_value)
            waiting = asyncio.get_running_loop().create_future()
            engine._lock_waiters.add(waiting)
            engine._wake_lock_waiters()
            trigger = TriggerData(machine, event=BoundEvent("go", _sm=machine))
            trigger.future = asyncio.get_running_loop().create_future()
            engine.external_queue.put(trigger)
            engine._reject_pending_futures(ZeroDivisionError("pinned"))
            return taken, waiting.done(), str(trigger.future.exception()), engine._processing.locked()

        assert asyncio.run(scenario()) == ("b", True, "pinned", True)


class TestInvocations:
    @pins("_invoke_manager", "_active", "_pending", "_cancel", "_run_sync_handler")
    def test_manager(self) -> None:
        """The manager runs a handler in a thread by `_run_sync_handler`, lists it in `_active`, and cancels it by id."""
        started, threads = threading.Event(), []

        class Watching(InvokeManager):
            def _run_sync_handler(self, callback, handler, ctx, invocation):
                threads.append((threading.get_ident(), ctx.cancelled))
                super()._run_sync_handler(callback, handler, ctx, invocation)

        class Working(StateMachine):
            a = State(initial=True)
            b = State(invoke="work")
            go = a.to(b)
            back = b.to(a)

            def work(self, ctx):
                started.set()
                ctx.cancelled.wait(5)

        machine = Working()
        manager = machine._engine._invoke_manager
        manager.__class__ = Watching
        machine.go()
        assert started.wait(5)
        (invocation,) = manager._active.values()
        manager._cancel(invocation.invokeid)

        assert manager._pending == []
        assert invocation.state_id == "b"
        assert invocation.ctx.cancelled.is_set()
        assert [(ident != threading.get_ident(), flag) for ident, flag in threads] == [(True, invocation.ctx.cancelled)]
        assert [name for name, _ in parameters(InvokeManager._run_sync_handler)] == [
            "self",
            "callback",
            "handler",
            "ctx",
            "invocation",
        ]


class TestCompleteness:
    def test_attributes(self) -> None:
        """Every private name that is read here and made only there is pinned."""
        used = mentioned(sources(ROOT / package for package in PACKAGES))
        ours = made(sources(ROOT / package for package in PACKAGES))
        theirs = made(sources([UPSTREAM]))

        assert {name: places for name, places in used.items() if name in theirs - ours - PINNED} == {}

    @pytest.mark.parametrize("package", PACKAGES)
    def test_overrides(self, package: str) -> None:
        """Every private method that a class of ours overrides is pinned."""
        assert {name for kind in classes(package) for name in overridden(kind)} - PINNED == set()


def is_private(name: str | None) -> bool:
    return name is not None and name.startswith("_") and not name.startswith("__")


def sources(folders: Iterable[Path]) -> dict[str, ast.Module]:
    return {str(path): ast.parse(path.read_text()) for folder in folders for path in folder.rglob("*.py")}


def mentioned(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Private attributes and imported private names, with the files that mention them."""
    found: dict[str, set[str]] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                found.setdefault(node.attr, set()).add(path)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("statemachine."):
                for alias in node.names:
                    found.setdefault(alias.name, set()).add(path)
    return {name: places for name, places in found.items() if is_private(name)}


def made(trees: dict[str, ast.Module]) -> set[str]:
    """Private names that are defined: by `def` and `class`, on `self`, as a variable or field, or as a module."""
    found: set[str | None] = set()
    for node in (node for tree in trees.values() for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.add(node.module)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.update([node.attr] if ast.unparse(node.value) in ("self", "cls") else [])
    return {name for name in found if name is not None and is_private(name)}


def classes(package: str) -> Iterable[type]:
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        yield from (one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == found.name)


def overridden(kind: type) -> Iterable[str]:
    upstream = [one for one in kind.__mro__[1:] if one.__module__.startswith("statemachine.")]
    for name, value in vars(kind).items():
        if is_private(name) and inspect.isfunction(value) and any(name in vars(one) for one in upstream):
            yield name
