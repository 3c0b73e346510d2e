"""Ten thousand members cost an event no more than ten; what is counted is right all the same."""

from __future__ import annotations

import random
import sys
from contextlib import suppress

import pytest
from statemachine import State, StateChart, StateMachine

from statemachines_orchestrator import (
    In,
    Members,
    Orchestrator,
    at,
    data,
    done,
    each,
    every,
    guard,
    machine,
    machines,
    none,
    some,
    together,
    when,
)


class Item(StateMachine):
    new = State(initial=True)
    ready = State()
    gone = State(final=True)
    finish = new.to(ready)
    reject = ready.to(new)
    leave = ready.to(gone)


class Switch(StateMachine):
    off = State(initial=True)
    on = State()
    flip = off.to(on) | on.to(off)


class Plain(Orchestrator):
    switch: Switch = machine(factory=Switch)
    items: Members[Item] = machines(Item)


def nothing(orc):
    """Take notice, and leave it at that."""


class Conditions(Plain):
    """Conditions on all members, and on each."""

    ready = when(every(each(Plain.items).ready)).call(nothing)
    any_ready = when(some(each(Plain.items).ready)).call(nothing)
    ended = when(every(done(each(Plain.items)))).call(nothing)
    one = when(In(each(Plain.items).ready), In(Plain.switch.on)).call(nothing)


class Guards(Plain):
    free = guard(each(Plain.items).finish, none(each(Plain.items).gone))
    each_one = guard(each(Plain.items).reject, In(Plain.switch.on))


class Links(Plain):
    from_each = when(each(Plain.items).ready).send(Plain.switch.flip)
    to_one = when(each(Plain.items).ready).send(at(Plain.items, lambda orc, occ: occ.key).reject)
    later = when(each(Plain.items).ready).after(60).send(Plain.switch.flip)


class Joint(Plain):
    both = together(Plain.switch.flip, each(Plain.items).finish)


def calls_of(action):
    """How many Python functions an action calls."""
    count = 0

    def profile(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("kind", [Plain, Conditions, Guards, Links, Joint], ids=lambda kind: kind.__name__)
def test_cost_does_not_grow(kind) -> None:
    """An event of a member does as much work with a thousand members as with twenty; so do adding and removing."""

    def costs(count):
        system = kind(items={str(number): Item for number in range(count)})
        system.items["3"].finish()
        system.items.add("a")
        system.items.remove("a")
        return (
            calls_of(lambda: system.items["4"].finish()),
            calls_of(lambda: system.items.add("b")),
            calls_of(lambda: system.items.remove("b")),
        )

    few, many = costs(20), costs(1000)

    assert all(more <= less + 30 for less, more in zip(few, many, strict=True)), (few, many)


def test_choosing_costs_what_is_chosen() -> None:
    """A joint event over two of very many members asks two of them."""

    def cost(count):
        system = Joint(items={str(number): Item for number in range(count)})
        return calls_of(lambda: system.both(items=["3", "4"]))

    assert cost(1000) <= cost(20) + 30


class Chart(StateChart):
    """Is in no state in the middle of a transition, and asks in every phase."""

    validate_final_reachability = False
    a = State(initial=True)
    b = State()
    c = State(final=True)
    go = a.to(b) | b.to(a)
    slip = a.to(b)
    end = b.to(c)

    def on_exit_state(self, orc):
        orc.check()

    def on_go(self, fails=False, *, orc):
        orc.check()
        if fails:
            raise ValueError("no")

    def on_enter_state(self, orc):
        orc.check()

    catch_errors_as_events = False


class Counted(Orchestrator):
    charts: Members[Chart] = machines(Chart)
    checks: int = data(default=0)

    a = when(some(each(charts).a)).call(lambda orc: orc.check())
    b = when(every(each(charts).b)).call(lambda orc: orc.check())
    c = when(none(done(each(charts)))).call(lambda orc: orc.check())

    def check(self):
        """Compare what is counted with what is the case."""
        self.checks += 1
        for link in type(self).links:
            what = link.trigger.condition.what
            count, total = self._system.count(what)
            state = getattr(what, "id", None)
            active = [chart.current_state_value for chart in self.charts.values()]
            expected = [value for value in active if value == (state or "c")]
            assert (count, total) == (len(expected), len(self.charts))


@pytest.mark.parametrize("seed", range(12))
def test_counts_are_right(seed) -> None:
    """Whatever happens, in every phase: moves, failures, members that come and go."""
    chance = random.Random(seed)  # noqa: S311 - a seed, so that a failure comes again
    counted = Counted(charts={"k0": Chart})

    def act(key):
        chart = counted.charts[key]
        kind = chance.randrange(7)
        if kind == 0:
            counted.charts.add(f"k{counted.checks}")
        elif kind == 1 and len(counted.charts) > 1:
            counted.charts.remove(key)
        elif kind == 2:
            chart.go(fails=True)
        else:
            chart.send(chance.choice(["go", "slip", "end", "go"]))

    for _ in range(60):
        with suppress(ValueError):
            act(chance.choice(list(counted.charts)))
        counted.check()
    assert counted.checks > 60
