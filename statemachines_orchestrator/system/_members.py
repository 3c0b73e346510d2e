"""Make, check and adopt the members of one orchestrator."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine import StateChart

from statemachines_orchestrator.declare import (
    Declaration,
    MachinesField,
    MemberField,
    Members,
    SystemField,
    wrong_machine,
    wrong_system,
)
from statemachines_orchestrator.engine import can_adopt, host_of, install, lets_go, make_held, release
from statemachines_orchestrator.exceptions import (
    ConstructionError,
    EndlessNestingError,
    MachineInUseError,
    NotAMachineError,
    StateFieldIsNotUniqueError,
)

from ._nesting import make_system, trouble_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._scope import Scope

__all__ = (
    "Parts",
    "adopt",
    "give_back",
    "in_use",
    "make_member",
    "make_parts",
    "problem_of",
    "shared_field",
)


@dataclass(slots=True)
class Parts:
    """What an orchestrator is made of, by field."""

    machines: dict[str, StateChart[Any]] = field(default_factory=dict)
    systems: dict[str, Any] = field(default_factory=dict)
    collections: dict[str, dict[str, StateChart[Any]]] = field(default_factory=dict)

    def every_machine(self) -> Iterator[tuple[str, StateChart[Any]]]:
        """Yield the machines under the names that errors give them, nested orchestrators left out."""
        yield from self.machines.items()
        for name, members in self.collections.items():
            yield from ((f"{name}[{key}]", machine) for key, machine in members.items())


# -- making ------------------------------------------------------------------------------------------------------


def make_parts(declaration: Declaration, scope: Scope, given: Mapping[str, Any]) -> Parts:
    """
    Make or take every machine; none has been changed yet, and none that was made has started.

    Args:
        declaration: What the class declares.
        scope: The place in the system that made machines will belong to.
        given: The constructor's arguments by field.

    Raises:
        ConstructionError: Machines that cannot be members together; lists all mistakes.
    """
    parts = Parts()
    problems: list[ConstructionError] = []
    for part in declaration.parts:
        if isinstance(part, MachinesField):
            parts.collections[part.name] = _collection(part, scope, given.get(part.name, {}), problems)
        elif isinstance(part, SystemField):
            _add_system(part, scope, given, parts, problems)
        else:
            source = given.get(part.name, part.factory)
            if source is None:
                continue  # `bind` has seen to it that the member may be absent
            arguments = {} if part.name in given else part.arguments
            made, problem = make_member(part, scope, source, arguments)
            if problem is not None:
                problems.append(problem)
            else:
                parts.machines[part.name] = made
    problems.extend(_problems_together(declaration.name, parts, scope))
    if problems:
        raise ConstructionError.first_of(problems)
    for one in declaration.members:
        if one.name in parts.machines:
            declaration.check_class_of(one, type(parts.machines[one.name]))
    for several in declaration.collections:
        for machine in parts.collections[several.name].values():
            declaration.check_class_of(several, type(machine))
    return parts


def make_member(
    part: MemberField | MachinesField, scope: Scope, source: Any, arguments: Mapping[str, Any], key: str | None = None
) -> tuple[StateChart[Any], ConstructionError | None]:
    """Take or make one machine, and say what is wrong with it."""
    owner = type(scope.orchestrator).__name__
    name = part.name if key is None else f"{part.name}[{key}]"
    made = _made(part, name, source, scope, arguments) if callable(source) else source
    wrong = wrong_machine(owner, part, made, name)
    is_foreseen = bool(part.classes) or not hasattr(made, "__declaration__")
    if wrong is not None and made is not source and is_foreseen:
        wrong = _wrong_factory(owner, part, name, source, made)
    return made, wrong


def _made(
    part: MemberField | MachinesField, name: str, factory: Any, scope: Scope, arguments: Mapping[str, Any]
) -> Any:
    expected = (factory,) if isinstance(factory, type) else part.classes or (StateChart,)
    try:
        return make_held(scope, expected, partial(factory, **arguments), is_exact=isinstance(factory, type))
    except Exception as error:
        if not isinstance(error, EndlessNestingError):
            error.add_note(f"while making {type(scope.orchestrator).__name__}.{name}")
        raise


def _collection(
    part: MachinesField, scope: Scope, given: Mapping[str, Any], problems: list[ConstructionError]
) -> dict[str, StateChart[Any]]:
    machines: dict[str, StateChart[Any]] = {}
    for key, source in given.items():
        made, problem = make_member(part, scope, part.factory if source is None else source, {}, key)
        if problem is not None:
            problems.append(problem)
        else:
            machines[key] = made
    return machines


def _add_system(
    part: SystemField, scope: Scope, given: Mapping[str, Any], parts: Parts, problems: list[ConstructionError]
) -> None:
    source = given.get(part.name, part.factory)
    if source is None:
        return
    owner = type(scope.orchestrator).__name__
    made = source
    if not hasattr(source, "_system") or isinstance(source, type):
        made = make_system(part, scope, source, {} if part.name in given else part.arguments)
    wrong: ConstructionError | None = wrong_system(owner, part, made)
    wrong = wrong or trouble_with(f"{owner}.{part.name}", made, parts.systems.values())
    if wrong is not None:
        problems.append(wrong)
    else:
        parts.systems[part.name] = made


def _wrong_factory(
    owner: str, part: MemberField | MachinesField, name: str, factory: object, made: object
) -> NotAMachineError:
    called = getattr(factory, "__qualname__", repr(factory))
    return NotAMachineError(
        f"{owner}.{name}",
        f"the factory {called} returned {made!r}, which is no {part.element_text}",
        "Let it return the machine that it makes",
    )


def _problems_together(owner: str, parts: Parts, scope: Scope) -> list[ConstructionError]:
    problems: list[ConstructionError] = []
    by_machine: dict[int, str] = {}
    by_state_field: dict[tuple[int, str], str] = {}
    for field_name, system in parts.systems.items():
        for engine in system._system.engines():
            inside = f"{field_name}.{system._system.relative_address(engine)}"
            by_state_field.setdefault((id(engine.sm.model), engine.sm.state_field), inside)
    for name, machine in parts.every_machine():
        where = f"{owner}.{name}"
        other = by_machine.setdefault(id(machine), name)
        sharing = by_state_field.setdefault((id(machine.model), machine.state_field), name)
        problem = problem_of(where, machine, scope)
        if problem is None and other != name:
            problem = in_use(where, type(machine).__name__, f"is passed for {other!r} as well")
        elif problem is None and sharing != name:
            problem = shared_field(where, machine, name, sharing)
        if problem is not None:
            problems.append(problem)
    return problems


def problem_of(where: str, machine: StateChart[Any], scope: Scope) -> ConstructionError | None:
    """Say what keeps a machine from becoming a member of an orchestrator, or return None."""
    host = host_of(machine)
    if host is not None and host is not scope and not lets_go(host):
        return in_use(where, type(machine).__name__, f"belongs to a {type(host.orchestrator).__name__} already")
    return None if can_adopt(machine) else _own_engine(where, machine)


def in_use(where: str, made: str, why: str) -> MachineInUseError:
    """Return the error of something that is a part of another whole."""
    return MachineInUseError(where, f"this {made} {why}", f"Pass another {made}, or copy the orchestrator as a whole")


def _own_engine(where: str, machine: StateChart[Any]) -> MachineInUseError:
    return MachineInUseError(
        where,
        f"this {type(machine).__name__} runs on an engine of its own, {type(machine._engine).__name__}, "
        f"which would not know of the orchestrator",
        "Leave _get_engine as python-statemachine has it",
    )


def shared_field(where: str, machine: StateChart[Any], name: str, other: str) -> StateFieldIsNotUniqueError:
    """Return the error of a machine that would share the place of its state with another."""
    return StateFieldIsNotUniqueError(
        where,
        f"it keeps its state in the field {machine.state_field!r} of the same model as {other!r}, "
        f"so each would overwrite the other's state",
        f"Give one a field of its own: {type(machine).__name__}(model, state_field='{name}_state')",
    )


# -- adopting ----------------------------------------------------------------------------------------------------


def adopt(parts: Parts, scope: Scope) -> dict[str, Any]:
    """
    Put every machine on a member engine of this system.

    Returns:
        What the orchestrator's fields hold.
    """
    values: dict[str, Any] = {}
    for name, machine in parts.machines.items():
        scope.add(name, install(machine, scope))
        values[name] = machine
    for name, system in parts.systems.items():
        scope.nest(name, system._system)
        values[name] = system
    for name, machines in parts.collections.items():
        members: Members[Any] = Members(name, scope)
        scope.collections.setdefault(name, {})
        for key, machine in machines.items():
            dict.__setitem__(members, key, machine)
            scope.add(name, install(machine, scope), key)
        values[name] = members
    return values


def give_back(parts: Parts, given: Mapping[str, Any]) -> None:
    """Release what was passed, after the orchestrator could not be made."""
    for name, machine in parts.machines.items():
        if given.get(name) is machine:
            _release(machine)
    for name, machines in parts.collections.items():
        for key, machine in machines.items():
            if given[name].get(key) is machine:
                _release(machine)
    for name, system in parts.systems.items():
        if name in given and given[name] is system:
            system._system.stand_alone()


def _release(machine: StateChart[Any]) -> None:
    if host_of(machine) is not None:  # it may not have come to that
        release(machine)
