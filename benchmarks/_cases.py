"""What is measured: each case is one line of the table, and names its contenders."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator import when

from . import _machines as machines
from ._loop import looped
from ._peers import Job, runs
from ._stock import stock

if TYPE_CHECKING:
    from collections.abc import Callable

    from statemachine import StateChart

    from ._measure import Run

__all__ = ("CASES", "Aim", "Case", "events")


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure that we want to reach; what it does not limit is infinite."""

    text: str
    ratio: float = inf
    """Times what the line is compared with."""
    extra: float = inf
    """Microseconds more than what the line is compared with."""
    at_most: float = inf
    """Microseconds."""

    def is_met(self, base: float, here: float, ratio: float) -> bool:
        """Say whether it is reached, by medians in microseconds and the ratio within rounds."""
        return ratio <= self.ratio and here - base <= self.extra and here <= self.at_most


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a table."""

    title: str
    contenders: Callable[[], dict[str, Run | None]]
    """Makes the contenders, by column; None stands for a peer that has nothing of the kind, or is not installed."""
    aim: Aim | None = None
    per: float = 1
    """How many of what the line counts are in one operation."""
    beside: str = ""
    """What the figure is compared with, where that is not the same class alone."""


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


def among(kind: type[StateChart[Any]], count: int) -> Run:
    """Send events to one of many machines that stand alone."""
    crowd = [stock(kind)() for _ in range(count)]
    run = events(crowd[count // 2])

    def among_others(count: int) -> None:
        run(count)
        crowd.reverse()  # they are here, as long as this is

    return among_others


def plain(kind: type[StateChart[Any]], job: Job = Job(), *, members: int = 2) -> dict[str, Run | None]:  # noqa: B008 - frozen
    """The same class alone and as a member."""
    return {"alone": events(stock(kind)()), "member": events(machines.orchestrate(kind, members)().order), **runs(job)}


def taking(kind: type[StateChart[Any]], callbacks: int, *, by_keyword: bool) -> dict[str, Run | None]:
    """A class whose callbacks take `orc`: from a listener or from each single call where there is none."""
    other = SimpleNamespace()
    alone = events(stock(kind)(), orc=other) if by_keyword else events(stock(kind)(listeners=[Giver(other)]))
    return plain(kind, Job(callbacks=callbacks)) | {"alone": alone}


def asynchronous(kind: type[StateChart[Any]], callbacks: int) -> dict[str, Run | None]:
    # The first awaited event enters the initial states, before anything is measured.
    alone = stock(kind)(listeners=[Giver(SimpleNamespace())]) if callbacks == 1 else stock(kind)()
    shop: Any = machines.orchestrate(kind)()
    return {
        "alone": async_events(alone),
        "member": async_events(shop.order),
        **runs(Job(is_async=True, callbacks=callbacks)),
    }


def compound() -> dict[str, Run | None]:
    alone, shop = stock(machines.Compound)(), machines.orchestrate(machines.Compound)()
    alone.start()
    shop.send("order.start")
    return {
        "alone": events(alone),
        "member": events(shop.order),  # type: ignore[attr-defined]
        **runs(Job(shape="compound")),
    }


def calling() -> dict[str, Run | None]:
    others = SimpleNamespace(payment=stock(machines.Payment)())
    shop: Any = machines.orchestrate(machines.Caller)()
    alone = events(stock(machines.Caller)(listeners=[Giver(others)]))
    return {"alone": alone, "member": events(shop.order), **runs(Job(doing="pair"))}


def linked() -> dict[str, Run | None]:
    shop: Any = machines.orchestrate(machines.Flat, link=when("order.go").send("payment.go"))()
    return calling() | {"member": events(shop.order)}


def refusing(members: int = 2) -> dict[str, Run | None]:
    shop: Any = machines.orchestrate(machines.Refusing, members)()
    return {
        "alone": refused_events(stock(machines.Refusing)()),
        "member": refused_events(shop.order),
        **runs(Job(doing="refused")),
    }


def by_address() -> dict[str, Run | None]:
    return {
        "alone": sends(stock(machines.Flat)(), "go"),
        "member": sends(machines.orchestrate(machines.Flat)(), "order.go"),
        **runs(Job(doing="address")),
    }


def crowded(count: int) -> dict[str, Run | None]:
    shelf = machines.Shelf(items={f"m{number}": machines.Flat for number in range(count - 1)})
    return {
        "alone": among(machines.Flat, count),
        "member": events(shelf.items[f"m{count // 2}"]),
        **runs(Job(among=count)),
    }


def making(members: int) -> dict[str, Run | None]:
    return {
        "alone": makes(lambda: [stock(machines.Flat)() for _ in range(members)]),
        "member": makes(machines.orchestrate(machines.Flat, members)),
        **{name: _times(run, members) for name, run in runs(Job(doing="make")).items()},
    }


def _times(run: Run | None, times: int) -> Run | None:
    return None if run is None else lambda count: run(count * times)


TWENTIETH = Aim("1/20", ratio=1 / 20)
FIFTEENTH = Aim("1/15", ratio=1 / 15)
EIGHTH = Aim("1/8", ratio=1 / 8)
FIFTH = Aim("1/5", ratio=1 / 5)

CASES = (
    Case("event, no callback", lambda: plain(machines.Flat), TWENTIETH),
    Case("one callback, orc by listener", lambda: taking(machines.Taking, 1, by_keyword=False), FIFTEENTH),
    Case("one callback, orc by keyword", lambda: taking(machines.Taking, 1, by_keyword=True)),
    Case("five callbacks", lambda: plain(machines.Five, Job(callbacks=5)), EIGHTH),
    Case("five callbacks, orc by listener", lambda: taking(machines.FiveTaking, 5, by_keyword=False)),
    Case("StateChart", lambda: plain(machines.FlatChart)),
    Case("compound chart", compound, EIGHTH),
    Case("parallel chart, two regions", lambda: plain(machines.Parallel, Job(shape="parallel")), EIGHTH),
    Case("async, no callback", lambda: asynchronous(machines.AsyncPlain, 0)),
    Case("async, one callback, by listener", lambda: asynchronous(machines.AsyncOne, 1), EIGHTH),
    Case("async, five callbacks", lambda: asynchronous(machines.AsyncFive, 5)),
    Case("its callback moves a second one", calling),
    Case("a link moves a second one", linked),
    Case("refused", refusing),
    Case("refused, 100 members", lambda: refusing(100)),
    Case("by address", by_address),
    Case("among 1 member", lambda: plain(machines.Flat, members=1)),
    Case("among 100 members", lambda: plain(machines.Flat, members=100)),
    Case("among 10,000 members", lambda: crowded(machines.MANY), TWENTIETH),
    Case("make 1 member", lambda: making(1)),
    Case("make 100 members, each", lambda: making(100), FIFTH, per=100),
)
