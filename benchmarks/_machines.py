"""The machines under measurement; each goes round for ever by the event `go`."""

from __future__ import annotations

from typing import Any

from statemachine import State, StateChart, StateMachine

from statemachines_orchestrator import Members, Orchestrator, machine, machines

__all__ = (
    "MANY",
    "AsyncFive",
    "AsyncOne",
    "AsyncPlain",
    "Caller",
    "Compound",
    "Five",
    "FiveTaking",
    "Flat",
    "FlatChart",
    "Parallel",
    "Payment",
    "Refusing",
    "Shelf",
    "Taking",
    "orchestrate",
)


MANY = 10_000
"""Members of an orchestrator that has many."""


class Flat(StateMachine):
    """No callback at all."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)


class Payment(StateMachine):
    """The second member of every orchestrator; it stays where it is unless `Caller` calls it."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)


class FlatChart(StateChart[Any]):
    """As `Flat`, on the other base class."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)


class Taking(StateMachine):
    """One callback, which takes the orchestrator."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)

    def on_go(self, orc):
        pass


class Five(StateMachine):
    """Five callbacks without parameters."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)

    def before_go(self):
        pass

    def on_go(self):
        pass

    def after_go(self):
        pass

    def on_enter_state(self):
        pass

    def on_exit_state(self):
        pass


class FiveTaking(StateMachine):
    """Five callbacks, which all take the orchestrator."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)

    def before_go(self, orc):
        pass

    def on_go(self, orc):
        pass

    def after_go(self, orc):
        pass

    def on_enter_state(self, orc=None):
        pass

    def on_exit_state(self, orc):
        pass


class Caller(StateMachine):
    """One callback, which moves the second machine."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)

    def on_go(self, orc):
        orc.payment.go()


class Refusing(StateMachine):
    """An event that the machine refuses in its state."""

    a = State(initial=True)
    b = State()
    forth = a.to(b)
    go = b.to(a)


class AsyncPlain(StateMachine):
    """Asynchronous by a callback that `go` does not run."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)
    other = a.to(b)

    async def on_other(self):
        pass


class AsyncOne(StateMachine):
    """One asynchronous callback, which takes the orchestrator."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)

    async def on_go(self, orc):
        pass


class AsyncFive(StateMachine):
    """Five asynchronous callbacks without parameters."""

    a = State(initial=True)
    b = State()
    go = a.to(b) | b.to(a)

    async def before_go(self):
        pass

    async def on_go(self):
        pass

    async def after_go(self):
        pass

    async def on_enter_state(self):
        pass

    async def on_exit_state(self):
        pass


class Compound(StateChart[Any]):
    """An event inside a compound state."""

    class work(State.Compound):  # noqa: N801 - python-statemachine writes states so
        a = State(initial=True)
        b = State()
        go = a.to(b) | b.to(a)

    idle = State(initial=True)
    start = idle.to(work)


class Parallel(StateChart[Any]):
    """An event that both regions take."""

    class both(State.Parallel, initial=True):  # noqa: N801 - as above
        class left(State.Compound):  # noqa: N801 - as above
            a = State(initial=True)
            b = State()
            go = a.to(b) | b.to(a)

        class right(State.Compound):  # noqa: N801 - as above
            c = State(initial=True)
            d = State()
            go = c.to(d) | d.to(c)


class Shelf(Orchestrator):
    """Any number of machines in one collection."""

    order: Flat = machine(factory=Flat)
    items: Members[Flat] = machines(Flat)


def orchestrate(order: type[StateChart[Any]], members: int = 2, **rules: Any) -> type[Orchestrator]:
    """Return an orchestrator class whose first member is `order`; the others are `Payment`."""
    names = ["order", "payment", *(f"other_{number}" for number in range(2, members))][:members]
    kinds: dict[str, type[StateChart[Any]]] = dict.fromkeys(names, Payment) | {"order": order}
    markers = {name: machine(factory=kind) for name, kind in kinds.items()}
    body = {"__module__": __name__, "__annotations__": kinds, **markers, **rules}
    return type(f"Shop{order.__name__}{members}", (Orchestrator,), body)
