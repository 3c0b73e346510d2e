"""
Copies of a whole orchestrator: `copy`, `deepcopy` and `pickle`.

python-statemachine can copy one machine, unless it has recorded history, and starts the copy anew if the model
is not filled in yet. So machines are taken apart into records here and put together on a member engine; no
callback runs. A reference to a member from anywhere in the copied data (a model that knows its machine) leads
to the member of the copy: classes of members get a reducer that says "the order of that shop".

Not copied: delayed events and running invocations. They belong to the original.
"""

from __future__ import annotations

import copy
import copyreg
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from statemachine import StateChart
from statemachine.callbacks import CallbacksRegistry

from statemachines_orchestrator.declare import Members
from statemachines_orchestrator.engine import engine_of, host_of, make_held

from ._effects import Sending
from ._rest import Firing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._clock import Clock
    from ._driver import Driver
    from ._occurrence import Occurrence
    from ._scope import Scope

__all__ = (
    "MemberRecord",
    "SystemRecord",
    "blank",
    "describe_system",
    "make_room",
    "members_of",
    "part_of",
    "rebuild_system",
    "register",
    "with_own_models",
)


T = TypeVar("T")


def blank(kind: type[T]) -> T:
    """Make an object without calling its constructor."""
    return kind.__new__(kind)


@dataclass(frozen=True)
class MemberRecord:
    """One machine as data."""

    maker: Callable[..., Any]
    """Makes a blank machine of `arguments`, as the machine's own ``__reduce_ex__`` says."""
    arguments: tuple[Any, ...]
    state: Mapping[str, Any]
    """What the machine's own ``__getstate__`` gives, without history."""
    history: Mapping[str, tuple[Any, ...]]
    """State values by history state."""
    running: bool
    held: Mapping[str, Any] | None

    def blank(self) -> StateChart[Any]:
        """Make the machine, to be filled in by `restore`."""
        machine: StateChart[Any] = self.maker(*self.arguments)
        return machine


def record_of(machine: StateChart[Any]) -> MemberRecord:
    """Describe a machine that is between two macrosteps."""
    engine = engine_of(machine)
    maker, arguments, state = _parts_of(machine)
    return MemberRecord(
        maker,
        arguments,
        state={**state, "history_values": {}},
        history={name: tuple(state.value for state in states) for name, states in machine.history_values.items()},
        running=engine.running,
        held=engine._held,
    )


def _parts_of(machine: StateChart[Any]) -> tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any]]:
    """Take a machine apart by its own means: a class that cannot be imported says how to make it again."""
    parts = machine.__reduce_ex__(4)
    if isinstance(parts, tuple) and len(parts) > 2 and isinstance(parts[2], dict):  # noqa: PLR2004 - the state
        return parts[0], parts[1], parts[2]
    return blank, (type(machine),), machine.__getstate__()


def with_own_model(record: MemberRecord) -> MemberRecord:
    """Return the record with a shallow copy of the model, which holds the state and cannot be shared."""
    return replace(record, state={**record.state, "model": copy.copy(record.state["model"])})


def restore(machine: StateChart[Any], record: MemberRecord, scope: Scope) -> None:
    """Fill in a blank machine, on a member engine of `scope`; runs no callback."""

    def fill() -> StateChart[Any]:
        if type(machine).__setstate__ is StateChart.__setstate__:
            _fill(machine, dict(record.state))
        else:
            machine.__setstate__(dict(record.state))
        return machine

    make_held(scope, (type(machine),), fill, is_exact=True)
    machine.history_values = {
        name: [machine.states_map[value] for value in values] for name, values in record.history.items()
    }
    engine = engine_of(machine)
    engine.running = record.running
    engine._held = record.held


def _fill(machine: StateChart[Any], state: dict[str, Any]) -> None:
    # As python-statemachine's __setstate__, except that listeners come back with the rights they had: it adds
    # them late, when they can no longer provide guards that are named in the class.
    listeners = list(state.pop("_listeners").values())
    vars(machine).update(state)
    machine._callbacks = CallbacksRegistry()
    machine._config = machine._build_configuration()
    machine._listeners = {}
    machine._register_callbacks(listeners)
    machine._engine = machine._get_engine()
    machine._engine.start()


def member_of(
    orchestrator: object, name: str, key: str | None, maker: Callable[..., StateChart[Any]], arguments: tuple[Any, ...]
) -> StateChart[Any]:
    """Return the member of an orchestrator; a blank machine while the orchestrator is being put together."""
    values: dict[str, Any] = vars(orchestrator)
    if key is not None:
        values = members_of(orchestrator, name)
        name = key
    if name not in values:
        dict.__setitem__(values, name, maker(*arguments))
    machine: StateChart[Any] = values[name]
    return machine


def members_of(orchestrator: object, name: str) -> Members[Any]:
    """Return the collection of an orchestrator; an empty one while the orchestrator is being put together."""
    values = vars(orchestrator)
    if name not in values:
        values[name] = blank(Members)
    members: Members[Any] = values[name]
    return members


def part_of(orchestrator: object, name: str, kind: type[T]) -> T:
    """Return a nested orchestrator; a blank one while the outer one is being put together."""
    values = vars(orchestrator)
    if name not in values:
        values[name] = blank(kind)
    part: T = values[name]
    return part


def register(machine_class: type[StateChart[Any]]) -> None:
    """Let references to machines of this class be copied as references to a member, where they are one."""
    if machine_class not in copyreg.dispatch_table:
        copyreg.pickle(machine_class, _reduce)


def _reduce(machine: StateChart[Any]) -> Any:
    host = host_of(machine)
    if host is None:
        return machine.__reduce_ex__(4)
    maker, arguments, _ = _parts_of(machine)
    engine = engine_of(machine)
    return member_of, (host.orchestrator, engine.member, engine.key, maker, arguments)


# -- the whole ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HeldRecord:
    """A held event as data."""

    scope: tuple[str, ...]
    link: str
    occurrence: Occurrence
    member: tuple[tuple[str, ...], str | None] | None
    event: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class SystemRecord:
    """One orchestrator as data, with all that is in it."""

    members: Mapping[str, MemberRecord | None]
    systems: Mapping[str, tuple[type, SystemRecord] | None]
    collections: Mapping[str, Mapping[str, MemberRecord]]
    attributes: Mapping[str, Any]
    """Data, and whatever else the orchestrator has."""
    clock: Clock
    memory: Mapping[tuple[str, str | None], bool]
    held: tuple[HeldRecord, ...] = ()


def describe_system(orchestrator: Any) -> SystemRecord:
    """Describe an orchestrator between steps."""
    scope: Scope = orchestrator._system
    declaration = orchestrator.__declaration__
    values = vars(orchestrator)
    members = {one.name: values[one.name] and record_of(values[one.name]) for one in declaration.members}
    systems = {
        one.name: values[one.name] and (type(values[one.name]), describe_system(values[one.name]))
        for one in declaration.systems
    }
    collections = {
        one.name: {key: record_of(machine) for key, machine in values[one.name].items()}
        for one in declaration.collections
    }
    parts = {one.name for one in declaration.parts}
    attributes = {name: value for name, value in values.items() if name not in parts and name != "_system"}
    held = _held_of(scope) if scope.parent is None else ()
    return SystemRecord(members, systems, collections, attributes, scope.driver.clock, dict(scope.memory), held)


def _held_of(scope: Scope) -> tuple[HeldRecord, ...]:
    return tuple(
        HeldRecord(
            one.scope.path,
            one.firing.link.name,
            replace(one.firing.occurrence, machine=None, kwargs=dict(one.firing.occurrence.kwargs)),
            None if one.engine is None else (one.engine.path, one.engine.key),
            one.event,
            one.args,
            one.kwargs,
        )
        for one in scope.driver.held
    )


def with_own_models(record: SystemRecord) -> SystemRecord:
    """Return the record with shallow copies of all models."""
    return replace(
        record,
        members={name: one and with_own_model(one) for name, one in record.members.items()},
        systems={name: one and (one[0], with_own_models(one[1])) for name, one in record.systems.items()},
        collections={
            name: {key: with_own_model(one) for key, one in members.items()}
            for name, members in record.collections.items()
        },
        attributes=dict(record.attributes),
    )


def make_room(original: Any, other: Any, record: SystemRecord, memo: dict[int, Any]) -> None:
    """Make the blank parts of a deep copy, so that references to the original's parts lead to them."""
    for name, one in record.members.items():
        if one is not None:
            memo[id(getattr(original, name))] = vars(other)[name] = one.blank()
    for name, nested in record.systems.items():
        if nested is not None:
            inner: Any = part_of(other, name, nested[0])
            memo[id(getattr(original, name))] = inner
            make_room(getattr(original, name), inner, nested[1], memo)
    for name, records in record.collections.items():
        members = memo[id(getattr(original, name))] = members_of(other, name)
        for key, each in records.items():
            machine = memo[id(getattr(original, name)[key])] = each.blank()
            dict.__setitem__(members, key, machine)


def rebuild_system(
    orchestrator: Any,
    record: SystemRecord,
    scope_of: Callable[[Any, Clock, Driver | None], Scope],
    outer: Driver | None = None,
) -> Scope:
    """Put an orchestrator together; runs no callback."""
    values = vars(orchestrator)
    scope = scope_of(orchestrator, record.clock, outer)
    for name in orchestrator.__declaration__.fields:
        if name in record.members:
            one = record.members[name]
            values[name] = None if one is None else _rebuilt(scope, name, None, one)
        elif name in record.systems:
            nested = record.systems[name]
            values[name] = None if nested is None else part_of(orchestrator, name, nested[0])
            if nested is not None:
                scope.nest(name, rebuild_system(values[name], nested[1], scope_of, scope.driver))
        elif name in record.collections:
            members = members_of(orchestrator, name)
            machines = {key: _rebuilt(scope, name, key, each) for key, each in record.collections[name].items()}
            dict.clear(members)
            Members.__init__(members, name, scope)
            scope.collections.setdefault(name, {})
            dict.update(members, machines)
    values.update(record.attributes)
    scope.memory.update(record.memory)
    if outer is None:
        scope.complete()
        _go_on(scope, record)
    return scope


def _rebuilt(scope: Scope, name: str, key: str | None, record: MemberRecord) -> StateChart[Any]:
    machine = member_of(scope.orchestrator, name, key, record.maker, record.arguments)
    restore(machine, record, scope)
    register(type(machine))
    scope.add(name, engine_of(machine), key)
    return machine


def _go_on(scope: Scope, record: SystemRecord) -> None:
    """Let the whole know what the original knew of its past."""
    driver = scope.driver
    engines = {(engine.path, engine.key): engine for engine in scope.engines()}
    driver.has_rested = bool(record.memory) or not any(engine.is_held for engine in engines.values())
    driver._has_begun = not any(engine.is_held for engine in engines.values())
    for one in record.held:
        holder = next(each for each in scope.tree() if each.path == one.scope)
        link = holder.wiring.links[one.link]
        engine = None if one.member is None else engines[one.member]
        firing = Firing(holder, link, one.occurrence, None)
        driver.held.append(Sending(firing, engine, one.event, one.args, dict(one.kwargs)))
