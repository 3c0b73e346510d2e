"""
Machines that come and go while the system runs: `add` and `remove` of a collection.

What a step has added or taken out is put back with it. A machine that was taken out is independent from the end of
the step on; until then it belongs to the step, which may be in the middle of the machine's own macrostep.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine.engines.async_ import AsyncEngine

from statemachines_orchestrator.engine import engine_of, install, release
from statemachines_orchestrator.exceptions import ArgumentsError, ConstructionError, KeyTakenError, NotAMachineError

from ._members import in_use, make_member, problem_of, shared_field
from ._rest import Membership
from ._wiring import collection_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachine import StateChart

    from statemachines_orchestrator.declare import Link, MachinesField, Members
    from statemachines_orchestrator.engine import MemberEngine

    from ._scope import Scope
    from ._step import Step

__all__ = ("add_member", "remove_member")


# -- adding ------------------------------------------------------------------------------------------------------


def add_member(
    scope: Scope, members: Members[Any], key: str, source: Any, arguments: dict[str, Any], *, at_rest: bool = False
) -> Any:
    """Make or take a machine, put it under the key, and let it enter its initial state, now or at the next rest."""
    where = f"{scope.orchestrator.__declaration__.name}.{members.field}"
    given: object = key
    if not isinstance(given, str):
        raise ArgumentsError(where, f"the key {key!r} is no text", "Write keys as text")
    if arguments and source is not None and not callable(source):
        raise ArgumentsError(where, f"{key!r} is passed with arguments to make it of", "Pass one or the other")
    part: MachinesField = scope.orchestrator.__declaration__.fields[members.field]
    if source is None:
        source, arguments = part.factory, {**part.arguments, **arguments}
    what = _Addition(scope, members, part, key, source, arguments, at_rest)
    return scope.driver.change_members(scope, what)


@dataclass(frozen=True, slots=True)
class _Addition:
    """A machine that is to be added."""

    scope: Scope
    members: Members[Any]
    part: MachinesField
    key: str
    source: Any
    arguments: dict[str, Any]
    at_rest: bool

    def __call__(self, step: Step) -> Any:
        scope, declaration = self.scope, self.scope.orchestrator.__declaration__
        where = f"{declaration.name}.{self.part.name}[{self.key}]"
        _check_free(self.members, self.key, where)
        machine, wrong = make_member(self.part, scope, self.source, self.arguments, self.key)
        wrong = wrong or _problem_of(scope, where, machine)
        if wrong is not None:
            raise wrong
        _check_free(self.members, self.key, where)  # the factory may have added one itself
        declaration.check_class_of(self.part, type(machine))
        _put(scope, step, self.members, self.key, machine, at_rest=self.at_rest)
        return machine


def _check_free(members: Members[Any], key: str, where: str) -> None:
    if key in members:
        raise KeyTakenError(where, "the key is taken", f"Remove it first: .remove({key!r})")


def _problem_of(scope: Scope, where: str, machine: StateChart[Any]) -> ConstructionError | None:
    problem = problem_of(where, machine, scope)
    if problem is not None:
        return problem
    other = scope.root.sharing(machine)
    kind = type(machine).__name__
    if other is not None and other.sm is machine:
        return in_use(where, kind, f"is {other.address} already")
    if other is not None:
        return shared_field(where, machine, kind.lower(), other.address)
    if isinstance(machine._engine, AsyncEngine) and not scope.driver.is_async:
        return NotAMachineError(
            where,
            f"this {kind} is asynchronous, and {scope.driver.name} is not: nobody awaits its events",
            f"Declare the collection with an asynchronous class: machines({kind})",
        )
    return None


def _put(scope: Scope, step: Step, members: Members[Any], key: str, machine: StateChart[Any], *, at_rest: bool) -> None:
    is_back = any(engine.sm is machine for engine in step.leaving)
    step.undo(partial(_take_away, scope, members, key, is_back=is_back))
    engine = install(machine, scope)
    if is_back:
        step.leaving.remove(engine)
    scope.add(members.field, engine, key)
    dict.__setitem__(members, key, machine)
    scope.set_place(engine)
    driver = scope.driver
    if not engine.is_held:
        step.moves.append(Membership(engine))
    elif driver.is_async or at_rest:
        step.unstarted.append(engine)
    elif driver.in_running_step():
        with driver.starting(engine):
            driver.run_now(step, engine, None)
    # Otherwise an orchestrator is being made, and all its members begin together.


def _take_away(scope: Scope, members: Members[Any], key: str, *, is_back: bool) -> None:
    """Take an added machine out again, with the step that added it."""
    dict.pop(members, key, None)
    engine = scope.collections[members.field].pop(key, None)
    if engine is None:
        return
    scope.forget(engine)
    for holder, link in _conditions_about(engine):
        holder.memory.pop((link.name, engine.key), None)
    # A synchronous one that is held was made here and never started: nobody has it. One that is back is put back.
    if not is_back and (isinstance(engine, AsyncEngine) or not engine.is_held):
        release(engine.sm)


# -- removing ----------------------------------------------------------------------------------------------------


def remove_member(scope: Scope, members: Members[Any], key: str) -> Any:
    """Take a machine out; it is an independent one from then on."""
    if key not in members:
        raise members.missing(key)
    return scope.driver.change_members(scope, partial(_remove, scope, members, key))


def _remove(scope: Scope, members: Members[Any], key: str, step: Step) -> Any:
    machine = members[key]
    engine = engine_of(machine)
    step.undo(partial(_put_back, scope, members, key, engine))
    dict.pop(members, key)
    del scope.collections[members.field][key]
    scope.forget(engine)
    _forget_conditions_about(engine, step)
    scope.driver.removed(step, engine)
    return machine


def _put_back(scope: Scope, members: Members[Any], key: str, engine: MemberEngine) -> None:
    """Take a removed machine in again, with the step that removed it, at the place that it had."""
    engines = scope.collections[members.field]
    _check_free(members, key, f"{scope.orchestrator.__declaration__.name}.{members.field}[{key}]")
    number = engine.number
    scope.add(members.field, engine, key)
    scope.set_place(engine)
    engine.number = number
    in_order = sorted(engines.values(), key=lambda one: one.number)
    engines.clear()
    engines.update((str(one.key), one) for one in in_order)
    dict.clear(members)
    dict.update(members, {str(one.key): one.sm for one in in_order})


def _forget_conditions_about(engine: MemberEngine, step: Step) -> None:
    """Forget whether conditions held for a member, and what waits because they do."""
    for scope, link in _conditions_about(engine):
        place = link.name, engine.key
        if place in scope.memory:
            step.undo(partial(scope.memory.__setitem__, place, scope.memory.pop(place)))
        for timer in scope.driver.timers.filed((scope, *place)):
            scope.driver.cancel_timer(timer)


def _conditions_about(engine: MemberEngine) -> Iterator[tuple[Scope, Link]]:
    """Yield the links that wait for a condition on this member of a collection."""
    for scope, watch in engine.watches:
        path = scope.relative_path(engine)
        yield from ((scope, link) for link in watch.conditions if collection_of(link) == path)
