"""Systems at work: what is seen of one, run by the reference interpreter or by the library."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from reference import Reference
from statemachine import State, StateChart, StateMachine
from statemachine.exceptions import TransitionNotAllowed
from systems import Boom, Refused, boom, source_of
from worlds import World

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
from statemachines_orchestrator.exceptions import (
    GuardRefused,
    JointEventRefused,
    LinkLoopError,
    LinkRefused,
    SharedEventError,
)

KINDS = ("reference", "sync", "async")

TYPES = (In, Members, Orchestrator, State, StateChart, StateMachine)
WORDS = (at, boom, data, done, each, every, guard, machine, machines, none, some, together, when)
NAMES = {one.__name__: one for one in (*TYPES, *WORDS)}
_numbers = itertools.count()
MOST_MOVES = 400


class Seen(NamedTuple):
    """What is seen after a step."""

    outcome: tuple
    """What was raised; empty if nothing was."""
    active: dict
    log: list
    """What callbacks have noted since the step before."""
    held: list


def told(seen):
    """What was seen after one step, in one line."""
    words = []
    for one in seen.log:
        words.append(f"{one[0]}.{one[1]}" if len(one) == 2 else f"{one[0]}:{one[2]}")
        if one[1:2] == ("for",):
            words[-1] = f"{one[0]}({one[2] or ''})"
    active = " ".join(f"{name}={state}" for name, state in seen.active.items())
    outcome = ["!" + " ".join(seen.outcome)] if seen.outcome else []
    return ", ".join([" ".join([*words, "->", active]).strip(), *(f"held {one}" for one in seen.held), *outcome])


class Endless(Exception):
    """A machine keeps itself busy for ever."""


class Bounded(Reference):
    """Gives up where python-statemachine itself would go on for ever."""

    def step(self, act, *arguments):
        self.steps = 0
        super().step(act, *arguments)

    def move(self, name, event, transition):
        self.steps += 1
        if self.steps > MOST_MOVES:
            raise Endless
        super().move(name, event, transition)


def live(kind, system, life):
    """Start a system, send it the targets one by one, and tell what is seen each time."""
    if kind == "reference":
        return _live_in_reference(system, life)
    return World(kind).run(lambda: _live(kind, system, life))


def _live_in_reference(system, life):
    reference, seen = Bounded(system), []
    for target in (None, *life):
        reference.log = []
        outcome = ()
        try:
            reference.step(reference.call, *target) if target else reference.step(reference.start)
        except (Refused, Boom) as error:
            outcome = error.args or ("Boom",)
        if outcome and target is None:
            return [Seen(outcome, {}, reference.log, [])]
        held = [".".join(target) for target in reference.held]
        seen.append(Seen(outcome, dict(reference.active), reference.log, held))
    return seen


def class_of(system, *, is_async):
    """Make the real class."""
    suffix = f"_{next(_numbers)}"
    namespace = {**NAMES, "__name__": __name__}
    exec(source_of(system, suffix=suffix, is_async=is_async), namespace)
    return namespace[f"S{suffix}"]


async def _live(kind, system, life):
    made = class_of(system, is_async=kind == "async")
    shop, log, seen = None, [], []
    for target in (None, *life):
        outcome = ()
        log.clear()
        try:
            if target is None:
                shop = made(log=log, **_collections(made, system))
                await World.call(shop.activate() if kind == "async" else None)
            else:
                await World.call(_callable(shop, target)())
        except (TransitionNotAllowed, SharedEventError, LinkLoopError, Boom) as error:
            outcome = _told(error)
        if outcome and target is None:
            return [Seen(outcome, {}, list(log), [])]
        seen.append(Seen(outcome, _active(shop, system), list(log), [one.address for one in shop._system.driver.held]))
    return seen


def _collections(made, system):
    found = {}
    for name, _, key in (address.rstrip("]").partition("[") for address in system.machines):
        if key:
            found.setdefault(name, {})[key] = made.__declaration__.fields[name].classes[0]
    return found


def _callable(shop, target):
    member, *event = target
    name, _, key = member.rstrip("]").partition("[")
    one = getattr(shop, name)
    one = one[key] if key else one
    return getattr(one, event[0]) if event else one


def _active(shop, system):
    found = {}
    for address in system.machines:
        name, _, key = address.rstrip("]").partition("[")
        one = getattr(shop, name)
        one = one[key] if key else one
        found[address] = one.current_state_value
    return found


def _told(error):
    name = type(error).__name__
    if isinstance(error, GuardRefused):
        return name, error.address, error.guard.partition(".")[2]
    if isinstance(error, LinkRefused):
        return name, error.address, error.link.partition(".")[2].partition(":")[0]
    if isinstance(error, JointEventRefused):
        return name, error.joint.partition(".")[2], *error.refusals
    if isinstance(error, SharedEventError):
        return name, error.address, *(one.partition(".")[2] for one in error.joints)
    if isinstance(error, LinkLoopError | Boom):
        return (name,)
    note = next((one for one in error.__notes__ if one.startswith("refused by ")), "")
    member = note.removeprefix("refused by ").partition(" ")[0].partition(".")[2]
    return name, f"{member}.{error.event}"
