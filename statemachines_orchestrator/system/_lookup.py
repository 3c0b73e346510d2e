"""Who is meant by an address, and what can be sent there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from statemachine import StateChart

from statemachines_orchestrator.declare import BoundJointEvent, nearest
from statemachines_orchestrator.exceptions import UnknownEventError, UnknownMachineError

from ._cases import allows
from ._joints import joint_call, joint_from, joints_of, trigger_for

if TYPE_CHECKING:
    from statemachines_orchestrator.engine import MemberEngine

    from ._joints import Joint
    from ._scope import Scope

__all__ = ("enabled_addresses", "find", "send")

_OF_SEND = frozenset({"event", "delay", "send_id", "internal"})
"""What `StateChart.send` takes for itself."""
_PART = re.compile(r"(?P<name>[^.\[]+)(\[(?P<key>.*)\])?(\.(?P<rest>.*))?", re.DOTALL)


def send(scope: Scope, address: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """
    Send an event to whoever an address names.

    Returns:
        What the call of the event returns.

    Raises:
        UnknownMachineError: There is no such member.
        UnknownEventError: The member declares no such event.
    """
    if type(address) is str:
        # As below, for a declared event of a member of this very orchestrator: no joint event has a dot in its name.
        name, _, event = address.partition(".")
        engine = scope.members.get(name)
        own = None if engine is None else engine.own_event(event)
        is_usual = engine is not None and type(engine.sm).send is StateChart.send and _OF_SEND.isdisjoint(keywords)
        if engine is not None and own is not None and is_usual:
            return engine.fire(own, arguments, keywords)
    found = find(scope, address)
    if isinstance(found, BoundJointEvent):
        return found(*arguments, **keywords)
    machine, event = found
    return machine.send(event, *arguments, **keywords)


def find(scope: Scope, address: str) -> BoundJointEvent | tuple[StateChart[Any], str]:
    """
    Return the joint event, or the machine and the event, that an address names.

    Raises:
        UnknownMachineError: There is no such member.
        UnknownEventError: The member declares no such event.
    """
    inside, rest = scope, address
    while True:
        joint = inside.wiring.joint_events.get(rest)
        if joint is not None:
            return BoundJointEvent(joint, inside.orchestrator)
        part = _PART.fullmatch(rest)
        if part is None:
            _unknown(scope, address)
        name, key, rest = part["name"], part["key"], part["rest"] or ""
        if name in inside.children and key is None:
            inside = inside.children[name]
            continue
        engine = inside.members.get(name) if key is None else inside.collections.get(name, {}).get(key)
        if engine is None:
            _unknown(scope, address)
        _check_event(scope, engine, rest)
        return engine.sm, rest


def _check_event(scope: Scope, engine: MemberEngine, event: str) -> None:
    declared = type(engine.sm)._events
    if not event or not any(known.match(event) for known in declared):
        names = [str(known) for known in declared]
        close = nearest(event, names) if event else None
        owner = type(scope.orchestrator).__name__
        raise UnknownEventError(owner, scope.relative_address(engine), event, close, names)


def _unknown(scope: Scope, address: str) -> NoReturn:
    engines = list(scope.engines())
    members = [scope.relative_address(engine) for engine in engines]
    addresses = [
        f"{member}.{known}"
        for member, engine in zip(members, engines, strict=True)
        for known in type(engine.sm)._events
    ]
    raise UnknownMachineError(type(scope.orchestrator).__name__, address, nearest(address, addresses), members)


def enabled_addresses(scope: Scope, engines: list[MemberEngine], answers: list[list[Any]]) -> tuple[str, ...]:
    """
    Return the addresses of what can happen.

    Args:
        scope: The orchestrator that is asked.
        engines: Its members.
        answers: The events that each of them finds enabled.
    """
    enabled = {(engine, str(event.id)) for engine, events in zip(engines, answers, strict=True) for event in events}
    members = (
        f"{scope.relative_address(engine)}.{event.id}"
        for engine, events in zip(engines, answers, strict=True)
        for event in events
        if _is_possible_alone(engine, str(event.id), enabled)
    )
    joint_events = (
        ".".join((*inside.path[len(scope.path) :], joint.name))
        for inside in scope.tree()
        for joint in inside.rules.joint_events
        if _is_possible(joint_call(inside, joint, (), {}, None), enabled)
    )
    return (*members, *joint_events)


def _is_possible_alone(engine: MemberEngine, event: str, enabled: set[tuple[MemberEngine, str]]) -> bool:
    joints = joints_of(engine, event) if engine.is_joint else []
    if len(joints) > 1:
        return False  # it happens only through one of them
    return all(
        _is_possible(joint_from(engine, trigger_for(engine, event, (), {}), *joint), enabled) for joint in joints
    )


def _is_possible(joint: Joint, enabled: set[tuple[MemberEngine, str]]) -> bool:
    return all((engine, str(trigger.event)) in enabled for engine, trigger in joint.parts) and all(
        allows(joint.scope, guard) for guard in joint.scope.wiring.joint_guards.get(joint.event.name, ())
    )
