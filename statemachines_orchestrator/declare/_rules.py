"""From the markers of a class body to the records of its links, guards and joint events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from statemachines_orchestrator.exceptions import GuardDefinitionError, JointDefinitionError, LinkDefinitionError

from ._addresses import EACH, At, MemberAddress, Place
from ._conditions import All, Condition, Done, Function, In
from ._links import (
    Call,
    Guard,
    GuardMarker,
    JointEvent,
    JointMarker,
    Link,
    LinkMarker,
    OnCondition,
    OnDone,
    OnEvent,
    OnJoint,
    OnState,
    Send,
    all_of,
)
from ._names import RESERVED_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._links import Trigger
    from ._resolve import Resolver

__all__ = ("Marker", "Rules", "Written", "read_rules")

Marker: TypeAlias = LinkMarker | GuardMarker | JointMarker


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A marker under the name that it was assigned to, and the class that did."""

    name: str
    owner: str
    marker: Marker


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Rules:
    """What a class declares between its members."""

    links: tuple[Link, ...] = ()
    guards: tuple[Guard, ...] = ()
    joint_events: tuple[JointEvent, ...] = ()
    is_complete: bool = True
    """Whether all of it could be looked up before an instance was made."""


@dataclass(slots=True)
class _Reader:
    """Reads the markers of one class."""

    resolver: Resolver
    parameter: str
    joints: Mapping[int, str]
    """Names of joint events by the identity of their marker."""
    by_name: frozenset[str]
    about: tuple[str, ...] | None = None
    """The collection whose member the present link or guard is about."""

    # -- links ---------------------------------------------------------------------------------------------

    def link(self, written: Written, marker: LinkMarker) -> Link | None:
        resolver = self.resolver.at(written.name)
        if marker.effect is None:
            resolver.problem(
                "the link has no effect", "Finish it with .send(event) or .call(function)", LinkDefinitionError
            )
            return None
        before = len(resolver.problems)
        self.about = None
        trigger = self._trigger(marker.triggers)
        if isinstance(trigger, OnState | OnEvent):
            self.about = _collection(trigger.place.member)
        elif isinstance(trigger, OnDone):
            self.about = _collection(trigger.member)
        given = [one for one in (self._condition(one, "given()") for one in marker.conditions) if one is not None]
        asked = (self._condition(one, "given()") for one in marker.conditions_when_due)
        when_due = [one for one in asked if one is not None]
        effect = self._send(marker.effect) if isinstance(marker.effect, Send) else self._call(marker.effect)
        self._check_forward(trigger, effect)
        if trigger is None or effect is None or len(resolver.problems) > before:
            return None
        return Link(
            written.name, written.owner, trigger, effect, all_of(tuple(given)), marker.delay, all_of(tuple(when_due))
        )

    def _trigger(self, named: tuple[Any, ...]) -> Trigger | None:
        if len(named) == 1 and not isinstance(named[0], Condition):
            joint = self._joint(named[0])
            if joint is not None:
                return OnJoint(joint)
            place = self.resolver.place(named[0], "either")
            if place is None:
                return None
            return OnEvent(place) if place.kind == "event" else OnState(place)
        if len(named) == 1 and isinstance(named[0], Done):
            member = self.resolver.member(named[0].member)
            return None if member is None else OnDone(member)
        conditions = [self._held(one) for one in named]
        found = [one for one in conditions if one is not None]
        if len(found) < len(named):
            return None
        flat = [part for one in found for part in (one.parts if isinstance(one, All) else (one,))]
        return OnCondition(flat[0] if len(flat) == 1 else All(tuple(flat)))

    def _held(self, named: Any) -> Condition | None:
        """Read one of several things that have to hold together."""
        if isinstance(named, Condition):
            return self._condition(named, "when()")
        if self._joint(named) is not None:
            self._several_events(self._joint(named))
            return None
        place = self.resolver.place(named, "either")
        if place is not None and place.kind == "event":
            self._several_events(place)
            return None
        return In(place) if place is not None and self._is_bound(place, "when()") else None

    def _several_events(self, what: object) -> None:
        self.resolver.problem(
            f"{what} is an event, and only states and conditions can hold together",
            "Wait for the event alone and ask for the rest: when(event).given(In(state))",
            LinkDefinitionError,
        )

    def _send(self, effect: Send) -> Send | None:
        for name in effect.payload:
            why = RESERVED_PAYLOAD.get(name)
            if name == self.parameter:
                why = "callbacks receive the orchestrator by it"
            if why is not None:
                self.resolver.problem(
                    f"an event cannot carry {name!r}: {why}", "Choose another name", LinkDefinitionError
                )
        for name, value in effect.payload.items():
            if callable(value) and not isinstance(value, type):
                self.resolver.function(value, f"the payload {name!r}")
        joint = self._joint(effect.target)
        if joint is not None:
            return replace(effect, target=joint)
        place = self.resolver.place(effect.target, "event")
        return None if place is None else replace(effect, target=place)

    def _check_forward(self, trigger: Trigger | None, effect: Send | Call | None) -> None:
        if isinstance(trigger, OnCondition) and isinstance(effect, Send) and effect.forwards != ():
            self.resolver.problem(
                "a condition begins to hold without an event, so there are no arguments to pass on",
                "Leave forward() out, or wait for the event: when(event).given(condition)",
                LinkDefinitionError,
            )

    def _call(self, effect: Call) -> Call:
        self.resolver.function(effect.function, "call()")
        return effect

    # -- guards and joint events ---------------------------------------------------------------------------

    def guard(self, written: Written, marker: GuardMarker) -> Guard | None:
        resolver = self.resolver.at(written.name)
        joint = self._joint(marker.event)
        target = joint if joint is not None else resolver.place(marker.event, "event")
        self.about = _collection(target.member) if isinstance(target, Place) else None
        condition = self._condition(marker.condition, "a guard")
        if target is None or condition is None:
            return None
        if isinstance(target, Place) and isinstance(target.member.key, At) and callable(target.member.key.key):
            resolver.problem(
                f"{target} is chosen by a function, and a guard stands for good",
                "Guard each(...) and ask in the condition",
                GuardDefinitionError,
            )
        return Guard(written.name, written.owner, target, condition)

    def joint_event(self, written: Written, marker: JointMarker) -> JointEvent | None:
        resolver = self.resolver.at(written.name)
        parts: list[Place] = []
        for event in marker.events:
            if self._joint(event) is not None:
                resolver.problem(
                    f"{self._joint(event)} is a joint event itself", "Name its events one by one", JointDefinitionError
                )
                continue
            place = resolver.place(event, "event")
            if place is not None and any(place.member.path == other.member.path for other in parts):
                resolver.problem(
                    f"{'.'.join(place.member.path)} takes part twice, and a machine takes one event at a time",
                    "Name one event of each member",
                    JointDefinitionError,
                )
            if place is not None:
                parts.append(place)
        if len(marker.events) == 1 and parts and parts[0].member.key != EACH:
            resolver.problem(
                f"{parts[0]} is one event of one machine, and nothing else happens together with it",
                "Name the events of at least two members, or one of each(collection)",
                JointDefinitionError,
            )
        return JointEvent(written.name, written.owner, tuple(parts)) if len(parts) == len(marker.events) else None

    def _joint(self, named: Any) -> str | None:
        if isinstance(named, str):
            return named if named in self.by_name else None
        if isinstance(named, JointEvent):
            return named.name if named.name in self.by_name else None
        return self.joints.get(id(named)) if isinstance(named, JointMarker) else None

    # -- conditions ----------------------------------------------------------------------------------------

    def _condition(self, condition: Condition, role: str) -> Condition | None:
        failed: list[Any] = []

        def resolve(leaf: Any) -> Any:
            found = self._leaf(leaf, role)
            if found is None:
                failed.append(leaf)
            return found

        resolved = condition.resolved(resolve)
        return None if failed else resolved

    def _leaf(self, leaf: Any, role: str) -> Any:
        if isinstance(leaf, Function):
            self.resolver.function(leaf.function, role)
            return leaf
        if isinstance(leaf, In):
            return self._bound(self.resolver.place(leaf.place, "state"), role)
        if isinstance(leaf, Done):
            return self._bound(self.resolver.member(leaf.member), role)
        what = leaf.what
        found = self.resolver.member(what.member) if isinstance(what, Done) else self.resolver.place(what, "state")
        member = found.member if isinstance(found, Place) else found
        if member is not None and member.key != EACH:
            self.resolver.problem(
                f"{leaf.quantity}() is about all members of a collection, and {member} is one machine",
                f"Write In({found}), or name a collection",
            )
            return None
        return found

    def _bound(self, found: Any, role: str) -> Any:
        return found if self._is_bound(found, role) else None

    def _is_bound(self, found: Any, role: str) -> bool:
        """Whether a place in a collection is one of the very member that the link or guard is about."""
        member: MemberAddress | None = found.member if isinstance(found, Place) else found
        if member is None or member.key != EACH:
            return True
        if self.about is None and role == "when()":
            self.about = member.path  # the others of several have to be about the same collection
        if member.path == self.about:
            return True
        name = ".".join(member.path)
        inner = f"each({name}).{found.id}" if isinstance(found, Place) else f"done(each({name}))"
        self.resolver.problem(
            f"{found} is about many machines", f"Write every({inner}), some({inner}) or none({inner})"
        )
        return False


def _collection(member: MemberAddress) -> tuple[str, ...] | None:
    return member.path if member.key == EACH else None


def read_rules(resolver: Resolver, parameter: str, written: list[Written]) -> Rules:
    """
    Look up all that the markers name.

    Args:
        resolver: Knows the fields; collects the mistakes.
        parameter: The name under which callbacks receive the orchestrator.
        written: The markers, inherited ones first.
    """
    joints = {id(one.marker): one.name for one in written if isinstance(one.marker, JointMarker)}
    resolver.joints = frozenset(joints.values())
    reader = _Reader(resolver, parameter, joints, frozenset(joints.values()))
    links: list[Link] = []
    guards: list[Guard] = []
    together: list[JointEvent] = []
    for one in written:
        if isinstance(one.marker, LinkMarker):
            link = reader.link(one, one.marker)
            links += [replace(link, number=len(links))] if link else []
        elif isinstance(one.marker, GuardMarker):
            guard = reader.guard(one, one.marker)
            guards += [guard] if guard else []
        else:
            joint = reader.joint_event(one, one.marker)
            together += [joint] if joint else []
    return Rules(tuple(links), tuple(guards), tuple(together), resolver.is_complete)
