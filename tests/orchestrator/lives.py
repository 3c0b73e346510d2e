"""Systems at work: what is seen of one, run by the reference interpreter or by the library."""

from __future__ import annotations

import asyncio
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

KINDS = ("reference",)

TYPES = (In, Members, Orchestrator, State, StateChart, StateMachine)
WORDS = (at, boom, data, done, each, every, guard, machine, machines, none, some, together, when)
NAMES = {one.__name__: one for one in (*TYPES, *WORDS)}
_numbers = itertools.count()


class Seen(NamedTuple):
    """What is seen after a step."""

    outcome: tuple
    """What was raised; empty if nothing was."""
    active: dict
    log: list
    """What callbacks have noted since the step before."""
    held: list


def live(kind, system, life):
    """Start a system, add the members of its collections one by one, send it the targets, and tell what is seen."""
    if kind == "reference":
        return _live_in_reference(system, life)
    return World(kind).run(lambda: _live(kind, system, life))


def first_members(system):
    return [name for name in system.machines if "[" not in name]


def _steps(system, life):
    start = [("start", first_members(system))]
    return [*start, *(("start", [name]) for name in system.machines if "[" in name), *(("call", one) for one in life)]


def _live_in_reference(system, life):
    reference, seen = Reference(system), []
    for act, arguments in _steps(system, life):
        reference.log = []
        outcome = ()
        try:
            reference.step(getattr(reference, act), *arguments)
        except (Refused, Boom) as error:
            outcome = error.args or ("Boom",)
        held = [".".join(target) for target in reference.held]
        seen.append(Seen(outcome, {name: one for name, one in reference.active.items() if one}, reference.log, held))
        if outcome and act == "start":
            break
    return seen


def class_of(system, *, is_async):
    """Make the real class."""
    suffix = f"_{next(_numbers)}"
    namespace = {**NAMES, "__name__": __name__}
    exec(source_of(system, suffix=suffix, is_async=is_async), namespace)
    return namespace[f"S{suffix}"]


async def _live(kind, system, life):
    made = class_of(system, is_async=kind == "async")
    log = []
    shop, seen = None, []
    for act, arguments in _steps(system, life):
        outcome = ()
        del log[:]
        try:
            if shop is None:
                shop = made.__new__(made)
                vars(shop)["log"] = log
                shop.__init__(log=log)
                await World.call(shop.activate()) if kind == "async" else None
            elif act == "start":
                name, key = arguments[0].rstrip("]").split("[")
                getattr(shop, name).add(key)
                await World.call(shop.activate()) if kind == "async" else None
            else:
                await World.call(_callable(shop, arguments)())
            await asyncio.sleep(0) if kind == "async" else None
        except (TransitionNotAllowed, SharedEventError, LinkLoopError, Boom) as error:
            outcome = _told(error)
        if outcome and act == "start":
            seen.append(Seen(outcome, {}, list(log), []))
            break
        seen.append(Seen(outcome, _active(shop, system), list(log), [one.address for one in shop._system.held]))
    return seen


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
        one = one.get(key) if key else one
        if one is not None and one.current_state_value is not None:
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
