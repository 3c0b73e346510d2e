"""
Random systems and random events, against the naive interpreter of the written rules.

Every system runs three times: in the interpreter, in a synchronous and in an asynchronous system. After each event the
three agree on where every member is, on what happened in which order, on what is held, and on what was raised.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from lives import Endless, class_of, live, told
from systems import Link, Machine, System, Transition, source_of

from statemachines_orchestrator.exceptions import DefinitionError

STATES = ("s0", "s1", "s2", "s3")
EVENTS = ("e0", "e1", "e2")
MEMBERS = ("a", "b", "c", "d")
KEYS = ("m[k1]", "m[k2]")


def rarely(draw, out_of=4):
    return draw(st.integers(0, out_of - 1)) == out_of - 1


@st.composite
def machines(draw):
    """A machine whose callbacks do nothing yet."""
    states = STATES[: draw(st.integers(2, 4))]
    finals = states[-1:] if draw(st.booleans()) else ()
    live_states = [state for state in states if state not in finals]
    transitions = []
    for _ in range(draw(st.integers(1, 6))):
        sources = tuple(draw(st.lists(st.sampled_from(live_states), min_size=1, max_size=2, unique=True)))
        target = None if rarely(draw, 8) else draw(st.sampled_from(states))
        cond = not rarely(draw, 6)
        transitions.append(Transition(draw(st.sampled_from(EVENTS)), sources, target, cond))
    if rarely(draw, 5) and len(live_states) > 1:  # onwards only, so that it cannot run in circles by itself
        source = draw(st.integers(0, len(live_states) - 2))
        target = draw(st.sampled_from(states[source + 1 :]))
        transitions.append(Transition(None, (states[source],), target, not rarely(draw)))
    return Machine(states, finals, tuple(transitions), rarely(draw, 3))


def events_of(machine):
    return list(dict.fromkeys(one.event for one in machine.transitions if one.event))


class Names:
    """What can be named in the rules of a system."""

    def __init__(self, members):
        self.members = members
        self.keyed = [name for name in members if "[" in name]
        self.plain = [name for name in members if "[" not in name]

    def machine(self, name):
        return self.members[self.keyed[0] if name.startswith("m[") else name]

    def member(self, draw, *spellings):
        """One member, or one of these spellings if there is a collection."""
        return draw(st.sampled_from([*self.plain, *(spellings if self.keyed else ())]))

    def state(self, draw, name):
        return draw(st.sampled_from(self.machine(name).states))

    def event(self, draw, name):
        return draw(st.sampled_from(events_of(self.machine(name))))

    def target(self, draw, joints=(), spellings=None):
        if joints and rarely(draw):
            return (draw(st.sampled_from(sorted(joints))),)
        name = self.member(draw, *(self.keyed if spellings is None else spellings))
        return name, self.event(draw, name)

    def condition(self, draw, about=None, depth=2):
        """About one member, or about many; `about` says whether there is one that the rule is about."""
        kind = draw(st.sampled_from(["in", "in", "in", "done", "many", "not", "and", "or"][: 8 if depth else 5]))
        if kind == "many" and self.keyed:
            state = None if rarely(draw) else self.state(draw, "m[*]")
            return draw(st.sampled_from(["every", "some", "none"])), "m[*]", state
        if kind == "not":
            return "not", self.condition(draw, about, depth - 1)
        if kind in ("and", "or"):
            return kind, self.condition(draw, about, depth - 1), self.condition(draw, about, depth - 1)
        name = self.member(draw, *([about] if about else []))
        return ("done", name) if kind == "done" else ("in", name, self.state(draw, name))


def with_callbacks(draw, names, joints):
    """Let some callbacks call others, or raise."""
    found = {}
    for name in [*names.plain, *names.keyed[:1]]:
        machine = names.members[name]
        transitions = [with_callback(draw, one, names, joints) for one in machine.transitions]
        found[name] = machine._replace(transitions=tuple(transitions))
    return found | dict.fromkeys(names.keyed[1:], found[names.keyed[0]] if names.keyed else None)


def with_callback(draw, transition, names, joints):
    if not rarely(draw, 6):
        return transition
    acts = [None if rarely(draw, 8) else names.target(draw, joints) for _ in range(draw(st.integers(1, 2)))]
    return transition._replace(**{draw(st.sampled_from(["on", "on", "after"])): tuple(acts)})


def draw_joints(draw, names):
    joints = {}
    for number in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        where = [*names.plain, *(["m[*]"] if names.keyed else [])]
        if len(where) > 1:
            members = draw(st.lists(st.sampled_from(where), min_size=2, max_size=3, unique=True))
            joints[f"j{number}"] = tuple((name, names.event(draw, name)) for name in members)
    return joints


def draw_link(draw, name, names, joints):
    kind = draw(
        st.sampled_from(["state", "state", "event", "event", "done", "when", "when", *["joint"] * bool(joints)])
    )
    about = None
    if kind == "joint":
        trigger = kind, draw(st.sampled_from(sorted(joints)))
    elif kind == "when":
        about = "m[=]" if names.keyed and rarely(draw) else None
        trigger = kind, names.condition(draw, about)
        about = about if "m[=]" in str(trigger) else None
        if trigger[1][0] == "done":
            trigger = "done", trigger[1][1].replace("[=]", "[*]")
    else:
        member = names.member(draw, "m[*]")
        about = "m[=]" if member == "m[*]" else None
        what = {"state": names.state, "event": names.event, "done": None}[kind]
        trigger = (kind, member, what(draw, member)) if what else (kind, member)
    condition = names.condition(draw, about) if rarely(draw) else None
    if rarely(draw):
        acts = [None if rarely(draw, 12) else names.target(draw, joints) for _ in range(draw(st.integers(0, 2)))]
        return Link(name, trigger, ("call", *acts), given=condition)
    effect = names.target(
        draw, joints, spellings=["m[*]", names.keyed[0], *([about] if about else [])] if names.keyed else []
    )
    assume(not is_shared(effect, joints))
    return Link(name, trigger, effect, draw(st.sampled_from(["ignore", "hold", "hold", "raise", "raise"])), condition)


def is_shared(target, joints):
    """Whether a target can never be reached: its event belongs to several joint events."""
    collection = target[0].split("[")[0]
    return sum((collection, target[-1]) in {(m.split("[")[0], e) for m, e in parts} for parts in joints.values()) > 1


def draw_guard(draw, name, names, joints):
    target = names.target(draw, joints, spellings=["m[*]", KEYS[0]])
    about = "m[=]" if target[0] == "m[*]" else None
    return name, target, names.condition(draw, about)


@st.composite
def systems(draw):
    """Members with callbacks, and rules between them."""
    members = {name: draw(machines()) for name in MEMBERS[: draw(st.integers(1, 3))]}
    if rarely(draw, 3):
        members |= dict.fromkeys(KEYS[: draw(st.integers(1, 2))], draw(machines()))
    names = Names({name: one for name, one in members.items() if events_of(one)})
    assume(names.plain)
    joints = draw_joints(draw, names)
    names.members = with_callbacks(draw, names, joints)
    links = tuple(draw_link(draw, f"l{number}", names, joints) for number in range(draw(st.integers(1, 6))))
    guards = tuple(draw_guard(draw, f"g{number}", names, joints) for number in range(draw(st.integers(0, 3))))
    return System(names.members, links, guards, joints, limit=12)


@st.composite
def lives(draw):
    """A system and what is called from outside."""
    system = draw(systems())
    names = Names(system.machines)
    return system, [names.target(draw, system.joints, names.keyed) for _ in range(draw(st.integers(1, 7)))]


COUNTED = Counter()
"""How many descriptions were run, and how many were left out, and why."""


def shown(seen):
    """What has to be the same: of a step that runs in circles only that it does, not how far it came."""
    return seen._replace(log=[]) if seen.outcome[:1] == ("LinkLoopError",) else seen


def agree(system, life, kinds):
    """All kinds of systems lead the same life."""
    note(f"{source_of(system)}\n{life}")
    try:
        expected = live("reference", system, life)
    except Endless:
        COUNTED["endless"] += 1
        assume(False)
    try:
        class_of(system, is_async=False)
    except DefinitionError as error:
        COUNTED[type(error).__name__] += 1
        assume(False)
    COUNTED["run"] += 1
    for kind in kinds:
        seen = live(kind, system, life)
        for number, (one, other) in enumerate(zip(seen, expected, strict=True)):
            what = life[number - 1] if number else "start"
            assert shown(one) == shown(other), f"{kind}, {what}:\n  rules   {told(other)}\n  {kind:<7} {told(one)}"


def check(examples, kinds=("sync", "async")):
    COUNTED.clear()

    @given(lives())
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    def property_of_all(both):
        agree(*both, kinds)

    property_of_all()
    assert COUNTED["run"] > COUNTED.total() / 2, f"most descriptions were not run: {dict(COUNTED)}"


@pytest.mark.timeout(600)  # on a busy machine
def test_random_systems():
    """A random system leads a random life by the written rules."""
    check(200)


@pytest.mark.conformance
@pytest.mark.timeout(3600)
def test_many_random_systems(request):
    """The same, many times."""
    if "conformance" not in request.config.getoption("-m"):
        pytest.skip("slow: run by `make conformance`")
    check(3000)
