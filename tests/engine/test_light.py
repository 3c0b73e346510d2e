"""What our engines make only when somebody asks for it is what stock engines have."""

import gc
import threading

import pytest
from statemachine import State, StateMachine
from statemachine.engines.base import EventQueue
from statemachine.engines.sync import SyncEngine
from statemachine.event import BoundEvent
from statemachine.invoke import InvokeManager

from statemachines_orchestrator import Orchestrator, accelerate, machines


class Lamp(StateMachine):
    """Two states and one event."""

    off = State(initial=True)
    on = State()
    press = off.to(on) | on.to(off)


STOCK = Lamp()._engine
"""Of a machine of a class that has not been a member yet."""


class Room(Orchestrator):
    """A system with as many lamps as somebody adds."""

    lamps: dict[str, Lamp] = machines(Lamp)


def trigger(machine):
    """An event on its way to a machine."""
    return BoundEvent("press", _sm=machine).build_trigger(machine=machine)


class TestLookedAt:
    @pytest.mark.parametrize("name", sorted(vars(STOCK)))
    def test_attribute(self, name):
        """Whatever a stock engine has is there when somebody looks, of the same kind, and stays the same object."""
        light = accelerate(Lamp())._engine

        found = getattr(light, name)
        assert getattr(light, name) is found
        assert isinstance(found, EventQueue) if "queue" in name else type(found) is type(getattr(STOCK, name))

    def test_manager(self):
        """The manager of invocations is made for its own engine, once, also where threads look at the same time."""
        engine = accelerate(Lamp())._engine
        assert engine.invocations is None

        found = []
        threads = [threading.Thread(target=lambda: found.append(engine._invoke_manager)) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert {id(one) for one in found} == {id(engine.invocations)}
        assert type(engine.invocations) is InvokeManager
        assert engine.invocations.sm is engine.sm

    def test_not_shared(self):
        """What waits in a queue of one machine waits in no other, nor in its other queue."""
        one, other = accelerate(Lamp()), accelerate(Lamp())
        one._engine.external_queue.put(trigger(one))

        assert not one._engine.external_queue.is_empty()
        assert one._engine.internal_queue.is_empty()
        assert other._engine.external_queue.is_empty()

    def test_handler_is_cancelled(self):
        """A machine that nobody has any more cancels what it invokes, as a stock one does."""
        cancelled = threading.Event()
        begun = threading.Event()

        class Handler:
            def run(self, ctx):
                begun.set()
                ctx.cancelled.wait(5)

            def on_cancel(self):
                cancelled.set()

        class Calling(StateMachine):
            a = State(initial=True, invoke=Handler())
            b = State()
            go = a.to(b) | b.to(a)

        machine = accelerate(Calling())
        begun.wait(5)
        engine = machine._engine
        engine.__del__()
        del machine, engine
        gc.collect()

        assert cancelled.is_set()


class TestReleased:
    def test_has_all(self):
        """A machine that leaves its orchestrator has a stock engine with all that such an engine has."""
        room = Room()
        lamp = room.lamps.add("a")
        room.lamps.remove("a")

        assert type(lamp._engine) is SyncEngine
        assert vars(lamp._engine).keys() >= vars(STOCK).keys()
        lamp.press()
        assert lamp.on.is_active
