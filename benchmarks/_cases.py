"""What is measured: each case is one line of the table, and names its contenders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from . import _machines as machines
from . import _peers as peers
from ._loop import looped

if TYPE_CHECKING:
    from statemachine import StateChart

__all__ = ("CASES", "Case", "Run")

Run = Callable[[int], object]
"""Does its operation the given number of times."""


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table."""

    title: str
    contenders: Callable[[], dict[str, Run | None]]
    """Makes the contenders, by column; None stands for a peer that is not installed."""
    per: float = 1
    """How many of what the line counts are in one operation."""
    is_event: bool = True
    """Whether the target for events holds."""
    beside: str = ""
    """What the figure is compared with, in the second table."""


class Giver:
    """What hands an object to every callback where there is no orchestrator: the usual listener."""

    def __init__(self, orc: object) -> None:
        self.orc = orc

    def prepare_event(self) -> dict[str, object]:
        return {"orc": self.orc}


def events(machine: Any, **keywords: Any) -> Run:
    def run(count: int) -> None:
        for _ in range(count):
            machine.go(**keywords)

    return run


def async_events(machine: Any, **keywords: Any) -> Run:
    async def run(count: int) -> None:
        for _ in range(count):
            await machine.go(**keywords)

    return looped(run)


def refused_events(machine: Any) -> Run:
    def run(count: int) -> None:
        for _ in range(count):
            try:
                machine.go()
            except TransitionNotAllowed:
                continue

    return run


def sends(receiver: Any, address: str) -> Run:
    def run(count: int) -> None:
        for _ in range(count):
            receiver.send(address)

    return run


def makes(kind: Callable[[], object]) -> Run:
    def run(count: int) -> None:
        for _ in range(count):
            kind()

    return run


def plain(kind: type[StateChart[Any]], *, members: int = 2, callbacks: int = 0) -> dict[str, Run | None]:
    """The same class alone and as a member."""
    return {
        "alone": events(kind()),
        "member": events(machines.orchestrate(kind, members)().order),
        "transitions": peers.transitions(callbacks=callbacks),
        "table": peers.table(callbacks),
    }


def taking(kind: type[StateChart[Any]], callbacks: int, *, by_keyword: bool) -> dict[str, Run | None]:
    """A class whose callbacks take `orc`: from a listener or from each single call where there is none."""
    other = SimpleNamespace()
    alone = events(kind(), orc=other) if by_keyword else events(kind(listeners=[Giver(other)]))
    return plain(kind, callbacks=callbacks) | {"alone": alone}


def asynchronous(kind: type[StateChart[Any]], callbacks: int) -> dict[str, Run | None]:
    # The first awaited event enters the initial states, before anything is measured.
    alone = kind(listeners=[Giver(SimpleNamespace())]) if callbacks == 1 else kind()
    shop: Any = machines.orchestrate(kind)()
    return {
        "alone": async_events(alone),
        "member": async_events(shop.order),
        "transitions": peers.async_transitions(callbacks),
        "table": peers.async_table(callbacks),
    }


def compound() -> dict[str, Run | None]:
    alone, shop = machines.Compound(), machines.orchestrate(machines.Compound)()
    alone.start()
    shop.send("order.start")
    return {
        "alone": events(alone),
        "member": events(shop.order),  # type: ignore[attr-defined]
        "transitions": peers.transitions("compound"),
    }


def parallel() -> dict[str, Run | None]:
    return plain(machines.Parallel) | {"transitions": peers.transitions("parallel"), "table": None}


def calling() -> dict[str, Run | None]:
    others = SimpleNamespace(payment=machines.Payment())
    shop: Any = machines.orchestrate(machines.Caller)()
    return {"alone": events(machines.Caller(listeners=[Giver(others)])), "member": events(shop.order)}


def refusing(members: int = 2) -> dict[str, Run | None]:
    shop: Any = machines.orchestrate(machines.Refusing, members)()
    return {"alone": refused_events(machines.Refusing()), "member": refused_events(shop.order)}


def by_address() -> dict[str, Run | None]:
    return {
        "alone": sends(machines.Flat(), "go"),
        "member": sends(machines.orchestrate(machines.Flat)(), "order.go"),
        "table": peers.table(),
    }


def making(members: int) -> dict[str, Run | None]:
    def alone() -> list[object]:
        return [machines.Flat() for _ in range(members)]

    def peer() -> list[object]:
        return [peers.make_transitions() for _ in range(members)]

    return {
        "alone": makes(alone),
        "member": makes(machines.orchestrate(machines.Flat, members)),
        "transitions": None if peers.MISSING else makes(peer),
        "table": makes(lambda: [peers.make_table() for _ in range(members)]),
    }


CASES = (
    Case("event, no callback", lambda: plain(machines.Flat)),
    Case("event, one callback with orc (listener)", lambda: taking(machines.Taking, 1, by_keyword=False)),
    Case("event, one callback with orc (keyword)", lambda: taking(machines.Taking, 1, by_keyword=True)),
    Case("event, five callbacks", lambda: plain(machines.Five, callbacks=5)),
    Case("event, five with orc (listener)", lambda: taking(machines.FiveTaking, 5, by_keyword=False)),
    Case("event, StateChart", lambda: plain(machines.FlatChart)),
    Case("event, compound chart", compound),
    Case("event, parallel chart, two regions", parallel),
    Case("async event, no callback", lambda: asynchronous(machines.AsyncPlain, 0)),
    Case("async event, one with orc (listener)", lambda: asynchronous(machines.AsyncOne, 1)),
    Case("async event, five callbacks", lambda: asynchronous(machines.AsyncFive, 5)),
    Case("event, its callback calls a second one", calling),
    Case("event, refused", refusing),
    Case("event, refused, 100 members", lambda: refusing(100)),
    Case("event, by address", by_address),
    Case("event, 1 member", lambda: plain(machines.Flat, members=1)),
    Case("event, 100 members", lambda: plain(machines.Flat, members=100)),
    Case("make 1 member", lambda: making(1), is_event=False),
    Case("make 100 members, each", lambda: making(100), per=100, is_event=False),
)
