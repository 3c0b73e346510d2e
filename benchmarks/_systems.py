"""What is declared between machines, and systems of many machines: each case is one line of the second table."""

from __future__ import annotations

import pickle
import types
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator import In, Orchestrator, guard, machine, together, when
from statemachines_orchestrator.testing import SimulatedClock

from . import _machines
from ._cases import Aim, Case, events
from ._machines import Flat, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._measure import Run

__all__ = ("SYSTEM_CASES",)


class Waiting(Orchestrator):
    """A link that waits for ever."""

    order: Flat = machine(factory=Flat)
    other: Flat = machine(factory=Flat)
    late = when("order.b").after(3600).send("other.go", refused="ignore")


def declared(count: int, rules: Mapping[str, Any]) -> Any:
    """Make an orchestrator of so many machines, `m0`, `m1` and so on, and some rules."""

    def fill(body: dict[str, Any]) -> None:
        body["__module__"] = __name__
        body["__annotations__"] = {f"m{number}": Flat for number in range(count)}
        body.update({f"m{number}": machine(factory=Flat) for number in range(count)})
        body.update(rules)

    made: Any = types.new_class("Made", (Orchestrator,), {}, fill)
    return made()


def calls(event: Callable[[], object], *, times: int = 1) -> Run:
    def run(count: int) -> None:
        for _ in range(count // times or 1):
            event()

    return run


def in_turn(members: list[Any]) -> Callable[[], None]:
    def run() -> None:
        for member in members:
            member.go()

    return run


def link(*, beside_two: bool = False) -> dict[str, Run | None]:
    apart, linked = declared(2, {}), declared(2, {"link": when("m0.go").send("m1.go")})
    base = calls(in_turn([apart.m0, apart.m1])) if beside_two else events(apart.m0)
    return {"base": base, "here": events(linked.m0)}


def guarded() -> dict[str, Run | None]:
    free, bound = declared(2, {}), declared(2, {"closed": guard("m0.go", In("m1.a"))})
    return {"base": events(free.m0), "here": events(bound.m0)}


def joint(count: int) -> dict[str, Run | None]:
    apart, joined = declared(count, {}), declared(count, {"all": together(*(f"m{one}.go" for one in range(count)))})
    return {"base": calls(in_turn(list(apart.machines.values()))), "here": calls(joined.all)}


def shelf(count: int) -> Shelf:
    return Shelf(items={f"m{number}": Flat for number in range(count - 1)})


def members(count: int) -> dict[str, Run | None]:
    return {"base": events(shelf(1).order), "here": events(shelf(count).order)}


def links(count: int) -> dict[str, Run | None]:
    rules = {f"link{number}": when(In("m2.a") & In("m3.b")).send("m1.go") for number in range(count)}
    return {"base": events(declared(4, {}).m0), "here": events(declared(4, rules).m0)}


def snapshots(count: int) -> dict[str, Run | None]:
    system = shelf(count)
    return {"base": calls(lambda: pickle.dumps(system)), "here": calls(lambda: system.snapshot().to_json())}


def restored(count: int) -> dict[str, Run | None]:
    system = shelf(count)
    saved, pickled = system.snapshot().to_json(), pickle.dumps(system)
    return {"base": calls(lambda: pickle.loads(pickled)), "here": calls(lambda: Shelf.restore(saved))}  # noqa: S301 - ours


def timers() -> dict[str, Run | None]:
    idle, waiting = declared(2, {}), Waiting(clock=SimulatedClock())
    return {"base": events(idle.m0), "here": events(waiting.order)}


EVENT, TWO, TEN = "the event alone", "2 events", "10 events"

SYSTEM_CASES = (
    Case("event and a fired link", link, Aim("+10", extra=10), beside=EVENT),
    Case("the same, beside both events", lambda: link(beside_two=True), beside=TWO),
    Case("event with a guard", guarded, beside=EVENT),
    Case("event that sets or ends a delay", timers, beside=EVENT),
    Case("joint event of 2", lambda: joint(2), beside=TWO),
    Case("joint event of 10", lambda: joint(10), beside=TEN),
    Case("event among 100 members", lambda: members(100), beside="among 1"),
    Case("event among 10,000 members", lambda: members(_machines.MANY), Aim("1.20", ratio=1.2), beside="among 1"),
    Case("event beside 1 link", lambda: links(1), beside="no link"),
    Case("event beside 100 links", lambda: links(100), beside="no link"),
    Case("event beside 1000 links", lambda: links(1000), beside="no link"),
    Case("snapshot of 3, each, as JSON", lambda: snapshots(3), per=3, beside="pickle"),
    Case("snapshot of 1000, each, as JSON", lambda: snapshots(1000), per=1000, beside="pickle"),
    Case("restore 3, each", lambda: restored(3), per=3, beside="pickle"),
    Case("restore 1000, each", lambda: restored(1000), per=1000, beside="pickle"),
)
