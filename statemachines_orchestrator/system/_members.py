"""Make, check and adopt the members of one orchestrator."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine import StateChart

from statemachines_orchestrator.declare import Declaration, MemberField, wrong_machine
from statemachines_orchestrator.engine import can_adopt, host_of, install, make_held, release
from statemachines_orchestrator.exceptions import (
    ConstructionError,
    MachineInUseError,
    NotAMachineError,
    StateFieldIsNotUniqueError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._driver import Driver

__all__ = ("adopt", "give_back", "make_members")

Machines = dict[str, StateChart[Any]]


def make_members(declaration: Declaration, driver: Driver, given: Mapping[str, Any]) -> Machines:
    """
    Make or take the machine of each member; none has been changed yet, and none that was made has started.

    Args:
        declaration: What the class declares.
        driver: The system that made machines will belong to.
        given: The constructor's arguments by field.

    Raises:
        ConstructionError: Machines that cannot be members together; lists all mistakes.
    """
    machines: Machines = {}
    problems: list[ConstructionError] = []
    for member in declaration.members:
        source = given.get(member.name, member.factory)
        if source is None:
            continue  # `bind` has seen to it that the member may be absent
        made = source if isinstance(source, StateChart) else _made(member, source, driver, given)
        wrong = wrong_machine(declaration.name, member, made)
        if wrong is not None:
            problems.append(wrong if made is source else _wrong_factory(declaration.name, member, source, made))
        else:
            machines[member.name] = made
    problems.extend(_problems_together(declaration.name, machines, driver))
    if problems:
        raise ConstructionError.first_of(problems)
    for member in declaration.members:
        if member.name in machines:
            declaration.check_class_of(member, type(machines[member.name]))
    return machines


def _made(member: MemberField, factory: Any, driver: Driver, given: Mapping[str, Any]) -> Any:
    expected = (factory,) if isinstance(factory, type) else member.classes or (StateChart,)
    arguments = {} if member.name in given else member.arguments
    try:
        return make_held(driver, expected, partial(factory, **arguments))
    except Exception as error:
        error.add_note(f"while making {type(driver.orchestrator).__name__}.{member.name}")
        raise


def _wrong_factory(owner: str, member: MemberField, factory: object, made: object) -> NotAMachineError:
    name = getattr(factory, "__qualname__", repr(factory))
    return NotAMachineError(
        f"{owner}.{member.name}",
        f"the factory {name} returned {made!r}, which is no {member.annotation}",
        "Let it return the machine that it makes",
    )


def _problems_together(owner: str, machines: Machines, driver: Driver) -> list[ConstructionError]:
    problems: list[ConstructionError] = []
    by_machine: dict[int, str] = {}
    by_state_field: dict[tuple[int, str], str] = {}
    for name, machine in machines.items():
        where = f"{owner}.{name}"
        other = by_machine.setdefault(id(machine), name)
        place = (id(machine.model), machine.state_field)
        sharing = by_state_field.setdefault(place, name)
        host = host_of(machine)
        if host is not None and host is not driver:
            problems.append(_in_use(where, machine, f"belongs to a {type(host.orchestrator).__name__} already"))
        elif other != name:
            problems.append(_in_use(where, machine, f"is passed for {other!r} as well"))
        elif sharing != name:
            problems.append(_shared_field(where, machine, name, sharing))
        elif not can_adopt(machine):
            problems.append(_own_engine(where, machine))
    return problems


def _in_use(where: str, machine: StateChart[Any], why: str) -> MachineInUseError:
    made = type(machine).__name__
    return MachineInUseError(where, f"this {made} {why}", f"Pass another {made}, or copy the orchestrator as a whole")


def _own_engine(where: str, machine: StateChart[Any]) -> MachineInUseError:
    return MachineInUseError(
        where,
        f"this {type(machine).__name__} runs on an engine of its own, {type(machine._engine).__name__}, "
        f"which would not know of the orchestrator",
        "Leave _get_engine as python-statemachine has it",
    )


def _shared_field(where: str, machine: StateChart[Any], name: str, other: str) -> StateFieldIsNotUniqueError:
    return StateFieldIsNotUniqueError(
        where,
        f"it keeps its state in the field {machine.state_field!r} of the same model as {other!r}, "
        f"so each would overwrite the other's state",
        f"Give one a field of its own: {type(machine).__name__}(model, state_field='{name}_state')",
    )


def adopt(machines: Machines, driver: Driver) -> None:
    """Put every machine on a member engine of this system."""
    for name, machine in machines.items():
        driver.add(name, install(machine, driver))


def give_back(machines: Machines, given: Mapping[str, Any]) -> None:
    """Release the machines that were passed, after the orchestrator could not be made."""
    for name, machine in machines.items():
        if given.get(name) is machine:
            release(machine)
