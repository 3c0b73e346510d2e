"""Joint events: everybody is asked, then all move, or nobody does."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine.event import BoundEvent

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.declare import EACH, nearest
from statemachines_orchestrator.engine import plain_trigger, stamp
from statemachines_orchestrator.exceptions import GuardRefused, JointEventRefused, SharedEventError, StepCancelledError

from ._cases import allows, case_of, is_of, is_present, where
from ._occurrence import Occurrence
from ._records import EventRefused
from ._rest import JointMove

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.declare import JointEvent, MemberAddress
    from statemachines_orchestrator.engine import MemberEngine

    from ._driver import Driver
    from ._pump import Work
    from ._rest import Firing
    from ._scope import Scope
    from ._step import Step

__all__ = (
    "Joint",
    "event_of",
    "joint_call",
    "joint_from",
    "joint_or_raise",
    "jointly",
    "joints_of",
    "reason_of",
    "settled_choice",
    "shared_event",
    "trigger_for",
)


@dataclass(slots=True, eq=False)
class Joint:
    """A joint event on its way: who takes part, each with its event."""

    scope: Scope
    event: JointEvent
    parts: list[tuple[MemberEngine, TriggerData]]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    origin: MemberEngine | None = None
    """The member whose event was called, if it was not the joint event itself."""

    @property
    def name(self) -> str:
        """The joint event as messages name it."""
        return f"{self.event.owner}.{self.event.name}"

    def result(self, results: Mapping[MemberEngine, Any]) -> Any:
        """Return what the caller gets."""
        if self.origin is not None:
            return results.get(self.origin)
        return {
            f"{self.scope.relative_address(engine)}.{trigger.event}": results[engine] for engine, trigger in self.parts
        }


# -- joint events ------------------------------------------------------------------------------------------------


def joints_of(engine: MemberEngine, event: str) -> list[tuple[Scope, JointEvent]]:
    """Return the joint events to which an event of a member belongs, in its own orchestrator and around it."""
    return [
        (scope, joint)
        for scope, watch in engine.watches
        for joint in watch.joints.get(event)
        if any(is_of(scope, part.member, engine) for part in joint.parts)
    ]


def shared_event(engine: MemberEngine, event: str, joints: list[tuple[Scope, JointEvent]]) -> SharedEventError | None:
    """Return the error of an event that was called alone, and happens only through one of several joint events."""
    if len(joints) < 2:  # noqa: PLR2004 - one is what it is
        return None
    return SharedEventError(f"{engine.address}.{event}", [f"{joint.owner}.{joint.name}" for _, joint in joints])


def joint_call(
    scope: Scope, joint: JointEvent, args: tuple[Any, ...], kwargs: Mapping[str, Any], occurrence: Occurrence | None
) -> Joint:
    """Make a joint event of a call by its own name."""
    chosen, carried = _choice(joint, kwargs)
    parts = [
        (engine, _now(engine, trigger_for(engine, part.id, args, dict(carried))))
        for part in joint.parts
        for engine in _chosen(scope, part.member, chosen, occurrence)
    ]
    return Joint(scope, joint, parts, args, carried)


def joint_from(engine: MemberEngine, trigger: TriggerData, scope: Scope, joint: JointEvent) -> Joint:
    """Make a joint event of a call of one of its events."""
    chosen, carried = _choice(joint, trigger.kwargs)
    parts: list[tuple[MemberEngine, TriggerData]] = []
    for part in joint.parts:
        if is_of(scope, part.member, engine):
            if part.member.path[-1] in chosen and engine.key is not None:
                name = part.member.path[-1]
                raise TypeError(
                    f"{engine.address}.{part.id} is called, which leaves no choice of {name}={chosen[name]!r}"
                )
            trigger.kwargs = dict(carried)
            parts.append((engine, trigger))
            continue
        others = _chosen(scope, part.member, chosen, None)
        parts.extend((other, _now(other, trigger_for(other, part.id, trigger.args, dict(carried)))) for other in others)
    return Joint(scope, joint, parts, trigger.args, carried, engine)


def _now(engine: MemberEngine, trigger: TriggerData) -> TriggerData:
    """Leave out the delay that the event of a part may have: all of them move together."""
    engine.make_due(trigger)
    return trigger


def _choice(joint: JointEvent, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split keywords into those that choose members of collections, and those that the events carry."""
    names = {part.member.path[-1] for part in joint.parts if part.member.key == EACH}
    chosen = {name: value for name, value in kwargs.items() if name in names}
    for name, value in kwargs.items() if names and len(chosen) < len(kwargs) else ():
        meant = nearest(name, names) if name not in names and isinstance(value, list | tuple | set) else None
        if meant is not None and meant not in chosen:
            raise TypeError(  # all members would take part, and nobody would notice
                f"{joint.owner}.{joint.name} chooses members by {meant}=[...], and {name}={value!r} would be an "
                f"argument of all its events. Write {meant}={value!r}, or give the argument another name"
            )
    return chosen, {name: value for name, value in kwargs.items() if name not in names}


def settled_choice(joint: JointEvent, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords of a joint event that may be sent more than once: keys as a list, not as an iterator."""
    chosen, _ = _choice(joint, kwargs)
    keys = {
        name: list(value) for name, value in chosen.items() if not isinstance(value, str) and hasattr(value, "__iter__")
    }
    return {**kwargs, **keys}


def _chosen(
    scope: Scope, member: MemberAddress, chosen: Mapping[str, Any], occurrence: Occurrence | None
) -> list[MemberEngine]:
    name = member.path[-1]
    if member.key != EACH or name not in chosen:
        return scope.engines_at(member, occurrence)
    wanted = chosen[name]
    if isinstance(wanted, str) or not hasattr(wanted, "__iter__"):
        raise TypeError(
            f"{name}={wanted!r} chooses members of a collection: pass a list of keys, such as {name}=['m1']"
        )
    by_key = scope.collection_at(member.path)
    keys = list(dict.fromkeys(wanted))
    unknown = [key for key in keys if key not in by_key]
    if unknown:
        known = ", ".join(repr(key) for key in list(by_key)[:8]) or "none yet"
        raise KeyError(f"{name} has no member {', '.join(map(repr, unknown))}; it has {known}")
    return [by_key[key] for key in keys]


def joint_or_raise(driver: Driver, step: Step, joint: Joint, cause: Firing | None) -> Work:
    """Let a joint event happen, and raise if it is refused; what its caller gets."""
    before, step.cause = step.cause, cause
    try:
        refused, result = yield from jointly(driver, step, joint)
    finally:
        step.cause = before
    if refused is not None:
        raise refused
    return result


def jointly(driver: Driver, step: Step, joint: Joint) -> Work:
    """
    Ask everybody, and if nobody refuses, let all move.

    Returns:
        The refusal, or None; and the result for the caller.
    """
    for engine, _ in joint.parts:
        if not is_present(engine):
            continue
        if engine.is_held or engine.has_work:
            yield partial(driver.run_now, step, engine, None)
        step.touch(engine)
    for engine, _ in joint.parts:
        engine.is_reserved = True  # from the first question on: what is asked may wait, and others go on meanwhile
    try:
        asked = yield from _ask_all(joint)
        if asked.refusals:
            return _refused(driver, step, joint, asked), None
        results = yield from _move_all(driver, step, joint, asked)
    finally:
        for engine, _ in joint.parts:
            engine.is_reserved = False
            engine.forget_choice()
    if joint.event.name in joint.scope.wiring.on_joint:
        step.moves.append(JointMove(joint.scope, joint.event, joint.args, joint.kwargs, step.cause))
    return None, joint.result(results)


def _move_all(driver: Driver, step: Step, joint: Joint, asked: _Asked) -> Work:
    results: dict[MemberEngine, Any] = {}
    try:
        for engine, trigger in joint.parts:
            engine.is_reserved = False
            engine.choose(trigger, asked.chosen[engine])
            results[engine] = yield partial(driver.run_now, step, engine, trigger)
    except BaseException as error:
        # Half a joint event must not stay, even if a callback catches this.
        step.failure = error if isinstance(error, Exception) else StepCancelledError()
        raise
    return results


@dataclass(slots=True, eq=False)
class _Asked:
    """What everybody has said."""

    chosen: dict[MemberEngine, Any] = field(default_factory=dict)
    """The transitions that each is going to take."""
    refusals: dict[str, str] = field(default_factory=dict)
    """Why, by the address of each event that is refused; by the joint event's own name if a guard forbids all of it."""
    cause: Exception | None = None
    """The last exception by which somebody refused."""


def _refused(driver: Driver, step: Step, joint: Joint, asked: _Asked) -> JointEventRefused:
    for address, why in asked.refusals.items():
        member, _, event = address.rpartition(".")
        driver.tell(EventRefused, step, member, event, why, step.cause and step.cause.name)
    refused = JointEventRefused(*_first_refused(joint, asked.refusals), joint.name, asked.refusals)
    refused.__cause__ = asked.cause
    return refused


def _first_refused(joint: Joint, refusals: Mapping[str, str]) -> tuple[Any, Any]:
    """Return the first event that was refused, and where its machine is; nothing if a guard refuses for nobody."""
    refusing = (part for part in joint.parts if address_of(*part) in refusals)
    engine, trigger = next(refusing, next(iter(joint.parts), (None, None)))
    return (None, ()) if engine is None or trigger is None else (trigger.event, engine.sm.configuration)


def _ask_all(joint: Joint) -> Work:
    asked = _Asked()
    why = _forbidden(joint)
    if why is not None:
        asked.refusals[joint.event.name] = why
    for engine, trigger in joint.parts:
        address = address_of(engine, trigger)
        if not (engine.running and is_present(engine)):
            how = f"ended in {where(engine)}" if is_present(engine) else "been removed"
            asked.refusals[address] = f"{engine.address} has {how}"
            continue
        objection = engine.objection(trigger)
        if objection is not None:
            asked.cause = objection
            asked.refusals[address] = str(objection).rstrip(".")
            continue
        try:
            asked.chosen[engine] = yield partial(engine.ask, trigger)
        except Exception as error:  # noqa: BLE001 - a validator refuses by raising whatever it likes
            asked.cause = error
            asked.refusals[address] = repr(error)
            continue
        if not asked.chosen[engine]:
            asked.refusals[address] = reason_of(engine, trigger)
    return asked


def _forbidden(joint: Joint) -> str | None:
    """Ask the guards of the joint event itself; why the first that forbids it does."""
    for guard in joint.scope.wiring.joint_guards.get(joint.event.name, ()):
        occurrence = Occurrence("", event=joint.event.name, args=joint.args, kwargs=joint.kwargs)
        if not allows(joint.scope, guard, occurrence):
            case = case_of(joint.scope, guard.condition, occurrence)
            needs = f"the guard {guard.owner}.{guard.name} needs {guard.condition}"
            return f"{needs}, but {case}" if case else f"{needs}, and that does not hold"
    return None


def address_of(engine: MemberEngine, trigger: TriggerData) -> str:
    """Return the address of an event on its way."""
    return f"{engine.address}.{trigger.event}"


# -- events ------------------------------------------------------------------------------------------------------


def trigger_for(engine: MemberEngine, event: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TriggerData:
    """Make an event for a member, as a call of it would."""
    trigger = plain_trigger(engine, event, args, kwargs)
    if trigger is None:
        trigger = event_of(engine, event).build_trigger(*args, machine=engine.sm, **kwargs)
        engine.refuse_own_name(engine.host, trigger)
    stamp(trigger)
    return trigger


def event_of(engine: MemberEngine, event: str) -> BoundEvent:
    """Return a member's event as python-statemachine has it."""
    machine = engine.sm
    declared = getattr(type(machine), event, None) if event in read_chart(type(machine)).event_ids else None
    delay = getattr(declared, "delay", 0) or 0
    name = getattr(declared, "name", None) or event
    return BoundEvent(id=event, name=name, delay=delay, _sm=machine)


def reason_of(engine: MemberEngine, trigger: TriggerData) -> str:
    """Say why an event was not taken."""
    refusal = getattr(trigger, "refusal", None)
    if isinstance(refusal, GuardRefused):
        return str(refusal).rstrip(".")
    event = str(trigger.event)
    needed = " or ".join(dict.fromkeys(_conditions(engine, event)))
    why = f"{event!r} needs {needed}" if needed else f"nothing is enabled for {event!r}"
    return f"{engine.address} is in {where(engine)}, where {why}"


def _conditions(engine: MemberEngine, event: str) -> Iterator[str]:
    """Yield what each transition that the event could have triggered asks for."""
    active = {state.id for state in engine.sm.configuration}
    for edge in read_chart(type(engine.sm)).edges_of(event):
        if edge.source in active:
            # A validator that is not content raises, so that none of them is what was missing.
            yield " and ".join(one for one in edge.conditions if not one.startswith("validator "))
