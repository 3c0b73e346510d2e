"""Copies of machines that a document describes."""

from __future__ import annotations

import asyncio
import copy
import pickle
import sys

import pytest
from convert_support import active, definition, field, row, state
from statemachine.exceptions import TransitionNotAllowed

from orca_bridge import (
    ContextTypeError,
    ConversionError,
    DocumentError,
    DocumentFileError,
    EventlessLoopError,
    MissingActionError,
    OrcaChart,
    UnknownMachineError,
)
from orca_bridge.convert import _build, machine_class


def charge(ctx, event):
    ctx["items"].append(event["amount"])


class Bank:
    """Handlers that cannot be copied."""

    def __deepcopy__(self, memo):
        raise AssertionError

    def charge(self, ctx, event):
        charge(ctx, event)


DEFINITION = definition(
    [state("idle", initial=True), state("p", state("x")), state("end", final=True)],
    [row("idle", "pay", "p", "charge"), row("p", "pay", None, "charge"), row("p", "finish", "end")],
    context=(field("items", "list", []),),
    name="Copied",
)


class Importable(machine_class(DEFINITION)):
    def charge(self, ctx, event):
        charge(ctx, event)


def by_pickle(machine):
    return pickle.loads(pickle.dumps(machine))


@pytest.fixture(params=["constructor", "load", "subclass"])
def machine(request):
    if request.param == "constructor":
        made = machine_class(DEFINITION)(actions={"charge": charge})
    elif request.param == "load":
        made = machine_class(DEFINITION, actions={"charge": charge})()
    else:
        made = Importable()
    made.pay(amount=1)
    return made


@pytest.mark.parametrize("copied", [copy.deepcopy, by_pickle])
class TestCopies:
    def test_a_copy_goes_on_by_itself(self, machine, copied):
        """A copy is where the machine was, with its data, and neither moves the other."""
        twin = copied(machine)
        twin.pay(amount=2)

        assert isinstance(twin, OrcaChart)
        assert (active(twin), twin.context) == ("p.x", {"items": [1, 2]})
        assert machine.context == {"items": [1]}

    def test_a_finished_machine_is_still_finished(self, machine, copied):
        """A copy of a machine that has ended takes no events."""
        machine.finish()

        twin = copied(machine)

        assert twin.is_terminated
        with pytest.raises(TransitionNotAllowed):
            twin.pay(amount=2)


def test_deepcopy_keeps_the_class_and_shares_the_handlers():
    """A deep copy is of the very class and uses the same handlers: they are code, not data."""
    machine = machine_class(DEFINITION)(actions=Bank())

    twin = copy.deepcopy(machine)
    twin.pay(amount=2)

    assert type(twin) is type(machine)
    assert twin.context == {"items": [2]}


def test_deepcopy_follows_references():
    """A machine that is copied inside something else is copied once."""
    machine = machine_class(DEFINITION)(actions={"charge": charge})

    one, two = copy.deepcopy([machine, machine])

    assert one is two


def test_state_that_is_copied_apart_shares_the_handlers():
    """Whoever copies a machine by its state, as an orchestrator does, does not copy handlers either."""
    bank = Bank()
    machine = machine_class(DEFINITION)(actions=bank)

    state = copy.deepcopy(machine.__getstate__())

    assert state["_given_actions"].source is bank


def test_a_shallow_copy_shares_the_data():
    """A shallow copy is of the same class and shares model and context, as the library's does."""
    machine = machine_class(DEFINITION)(actions={"charge": charge})

    twin = copy.copy(machine)

    assert type(twin) is type(machine)
    assert twin.context is machine.context


def test_a_copy_of_an_asynchronous_machine_is_asynchronous():
    """A copy resolves its handlers anew, and is asynchronous when one of them is."""

    async def pay(ctx, event):
        charge(ctx, event)

    async def main():
        machine = machine_class(DEFINITION)(actions={"charge": pay})
        await machine.pay(amount=1)
        twin = copy.deepcopy(machine)
        await twin.pay(amount=2)
        return machine.context, twin.context

    assert asyncio.run(main()) == ({"items": [1]}, {"items": [1, 2]})


def test_unpickling_makes_the_class_from_its_content(monkeypatch):
    """Where the class does not exist, unpickling makes it: the content travels with the machine."""
    machine = machine_class(DEFINITION)(actions={"charge": charge})
    machine.pay(amount=1)
    data = pickle.dumps(machine)
    monkeypatch.setattr(_build, "_cache", type(_build._cache)())

    twin = pickle.loads(data)

    assert type(twin) is not type(machine)
    assert (active(twin), twin.context) == ("p.x", {"items": [1]})


def test_a_class_that_was_put_into_its_module_is_pickled_by_name(monkeypatch):
    """A generated class that can be imported under its name is pickled as any other class."""
    cls = machine_class(DEFINITION)
    monkeypatch.setattr(sys.modules[cls.__module__], cls.__qualname__, cls, raising=False)

    data = pickle.dumps(cls(actions={"charge": charge}))

    assert b"blank_machine" not in data


def test_a_local_subclass_is_not_picklable():
    """A subclass that cannot be imported is refused by pickle itself."""

    class Local(machine_class(DEFINITION)):
        def charge(self): ...

    with pytest.raises((pickle.PicklingError, AttributeError), match="Local"):
        pickle.dumps(Local())


@pytest.mark.parametrize(
    "error",
    [
        DocumentError("d.md", ()),
        DocumentFileError("d.md", "there is no such file"),
        UnknownMachineError("d.md", "Ordr", ["Order"]),
        ConversionError("M", ["one", "two"]),
        MissingActionError("M", ["charge"], ["chargee"]),
        ContextTypeError("M", ["one"]),
        EventlessLoopError("M", 1000, "a -> b"),
    ],
)
def test_errors_can_be_pickled(error):
    """An error that crosses a process says the same there."""
    twin = by_pickle(error)

    assert (type(twin), str(twin)) == (type(error), str(error))
