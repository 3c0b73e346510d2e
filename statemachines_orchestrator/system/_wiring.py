"""
Which rules concern which member: looked up by the member that moved, so that an event pays only for those.

Made once per class; the machines of an instance are bound to it by their path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from statemachine import Event

from statemachines_orchestrator.declare import (
    EACH,
    Done,
    Function,
    In,
    Link,
    MemberAddress,
    OnCondition,
    OnDone,
    OnEvent,
    OnJoint,
    OnState,
    Over,
    Place,
    Rules,
    Send,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from statemachines_orchestrator.declare import Condition, Guard, JointEvent

    Triggered: TypeAlias = tuple[tuple[Link, str | None], ...]

__all__ = ("Sent", "Watch", "Wiring", "collection_of", "read_paths", "wiring_of")

_MOST_REMEMBERED = 1000
"""Undeclared names of events, which come from outside, of which the rules are remembered."""


class ByEvent:
    """Rules by event; also for events that only match a declared one, such as ``process.express`` for ``process``."""

    __slots__ = ("_declared", "_found")

    def __init__(self) -> None:
        self._declared: dict[str, list[Any]] = {}
        self._found: dict[str, tuple[Any, ...]] = {}

    def add(self, event: str, rule: Any) -> None:
        """File a rule under a declared event."""
        self._declared.setdefault(event, []).append(rule)

    def get(self, event: str) -> tuple[Any, ...]:
        """Return the rules for an event, in declared order."""
        found = self._found.get(event)
        if found is None:
            found = tuple(rule for name, rules in self._declared.items() if Event(name).match(event) for rule in rules)
            if len(self._found) < _MOST_REMEMBERED:
                self._found[event] = found
        return found

    def __bool__(self) -> bool:
        return bool(self._declared)


@dataclass(slots=True, eq=False)
class Watch:
    """The rules of one class that concern the member at one path."""

    states: dict[str, list[Link]] = field(default_factory=dict)
    """Links that wait for an entry of a state."""
    events: ByEvent = field(default_factory=ByEvent)
    """Links that wait for an event."""
    done: list[Link] = field(default_factory=list)
    """Links that wait for its end."""
    conditions: list[Link] = field(default_factory=list)
    """Links that wait for a condition which reads it."""
    delayed: list[tuple[Link, bool]] = field(default_factory=list)
    """Links with a delay whose cause it may end; whether only of what the very machine has caused."""
    guards: ByEvent = field(default_factory=ByEvent)
    """Guards of its events."""
    joints: ByEvent = field(default_factory=ByEvent)
    """Joint events in which it takes part."""
    _known: dict[tuple[tuple[str, ...], str | None], Triggered] = field(default_factory=dict)
    """What `triggered` has found."""

    def triggered(self, entered: tuple[str, ...], event: str | None, *, ended: bool) -> Triggered:
        """
        Return the links that a move triggers, as they are declared, each with the state that it has waited for.

        Args:
            entered: The states that the machine has entered.
            event: The event that it has taken.
            ended: Whether it has ended by that.
        """
        key = entered, event
        found = self._known.get(key)
        if found is None:
            links: list[tuple[Link, str | None]] = [
                (one, state) for state in entered for one in self.states.get(state, ())
            ]
            links += [(one, None) for one in self.events.get(event) or ()] if event is not None and self.events else []
            found = tuple(sorted(links, key=_number))
            if len(self._known) < _MOST_REMEMBERED:
                self._known[key] = found
        if ended and self.done:
            found = tuple(sorted([*found, *((one, None) for one in self.done)], key=_number))
        return found

    def hears(self, entered: tuple[str, ...], event: str | None) -> bool:
        """Whether anything may follow from a move."""
        # A machine may end after the move: when all regions of a parallel state have come to their ends.
        return bool(self.conditions or self.delayed or self.done or self.triggered(entered, event, ended=False))


def _number(triggered: tuple[Link, str | None]) -> int:
    return triggered[0].number


def _is_same_for_all(guard: Guard) -> bool:
    """Whether a guard asks for the same, whichever member of a collection takes the event and whatever it carries."""
    members = [guard.target.member] if isinstance(guard.target, Place) else []
    for leaf in guard.condition.leaves():
        if isinstance(leaf, Function):
            return False
        if not isinstance(leaf, Over):
            members.append(leaf.place.member if isinstance(leaf, In) else leaf.member)
    return all(member.key is None for member in members)


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """What a link sends whose effect is the same every time, or passes on what its trigger carried."""

    member: MemberAddress
    event: str
    payload: Mapping[str, Any]
    forwards: tuple[str, ...] | None

    @property
    def is_bare(self) -> bool:
        """Whether the event carries nothing."""
        return self.forwards == () and not self.payload


def _sent(link: Link) -> Sent | None:
    effect = link.effect
    if not isinstance(effect, Send) or not isinstance(effect.target, Place) or effect.target.member.key is not None:
        return None
    if any(map(callable, effect.payload.values())):
        return None
    return Sent(effect.target.member, effect.target.id, effect.payload, effect.forwards)


class Wiring:
    """All rules of one class, by the member that they concern."""

    def __init__(self, rules: Rules) -> None:
        self.links: dict[str, Link] = {link.name: link for link in rules.links}
        self.sent: dict[str, Sent] = {link.name: sent for link in rules.links if (sent := _sent(link)) is not None}
        """What links send that need no more than that, by the link's name."""
        self.bare: dict[str, Sent] = {
            name: sent
            for name, sent in self.sent.items()
            if sent.is_bare and self.links[name].delay is None and self.links[name].given is None
        }
        """Those that send at once and in any case, and whose event carries nothing."""
        self.joint_events: dict[str, JointEvent] = {joint.name: joint for joint in rules.joint_events}
        self.watches: dict[tuple[str, ...], Watch] = {}
        self.on_joint: dict[str, list[Link]] = {}
        self.joint_guards: dict[str, list[Guard]] = {}
        self.opening: dict[int, frozenset[tuple[str, ...]] | None] = {}
        """The paths that a guard's condition reads, by the guard's identity; None if it may read anything."""
        self.plain_guards: set[int] = set()
        """The guards that only look at states, and do not depend on who is asked; by their identity."""
        self.conditions: list[Link] = [link for link in rules.links if isinstance(link.trigger, OnCondition)]
        self.unbounded: list[Link] = [link for link in self.conditions if _paths_of(link) is None]
        """Links that wait for a condition which may read anything: asked at every rest."""
        for link in rules.links:
            self._add_link(link)
        for guard in rules.guards:
            self._add_guard(guard)
        for joint in rules.joint_events:
            for part in joint.parts:
                self._at(part.member).joints.add(part.id, joint)

    def _at(self, member: MemberAddress) -> Watch:
        return self._at_path(member.path)

    def _at_path(self, path: tuple[str, ...]) -> Watch:
        return self.watches.setdefault(path, Watch())

    def _add_link(self, link: Link) -> None:
        trigger = link.trigger
        if isinstance(trigger, OnState):
            self._at(trigger.place.member).states.setdefault(trigger.place.id, []).append(link)
        elif isinstance(trigger, OnEvent):
            self._at(trigger.place.member).events.add(trigger.place.id, link)
        elif isinstance(trigger, OnDone):
            self._at(trigger.member).done.append(link)
        elif isinstance(trigger, OnJoint):
            self.on_joint.setdefault(trigger.joint, []).append(link)
        else:
            for path in _paths_of(link) or ():
                self._at_path(path).conditions.append(link)
        if link.delay is not None:
            own = trigger.place.member.path if isinstance(trigger, OnState) else None
            read = {*_cause_paths(link)}
            for path in {*read, *([own] if own else ())}:
                self._at_path(path).delayed.append((link, path not in read))

    def _add_guard(self, guard: Guard) -> None:
        if isinstance(guard.target, Place):
            self._at(guard.target.member).guards.add(guard.target.id, guard)
        else:
            self.joint_guards.setdefault(guard.target, []).append(guard)
        self.opening[id(guard)] = read_paths(guard.condition)
        if _is_same_for_all(guard):
            self.plain_guards.add(id(guard))


_wirings: WeakKeyDictionary[Rules, Wiring] = WeakKeyDictionary()


def wiring_of(rules: Rules) -> Wiring:
    """Return the rules of a class by the member that they concern; made once per class."""
    wiring = _wirings.get(rules)
    if wiring is None:
        wiring = _wirings[rules] = Wiring(rules)
    return wiring


def read_paths(condition: Condition) -> frozenset[tuple[str, ...]] | None:
    """Return the paths of all members that a condition reads; None if a function in it may read anything."""
    if any(isinstance(leaf, Function) for leaf in condition.leaves()):
        return None
    return frozenset(_leaf_paths(condition))


def _leaf_paths(condition: Condition) -> Iterator[tuple[str, ...]]:
    for leaf in condition.leaves():
        if isinstance(leaf, In):
            yield leaf.place.member.path
        elif isinstance(leaf, Done):
            yield leaf.member.path
        elif isinstance(leaf, Over):
            yield (leaf.what.member if isinstance(leaf.what, Place) else leaf.what).path


def _paths_of(link: Link) -> frozenset[tuple[str, ...]] | None:
    return read_paths(link.trigger.condition) if isinstance(link.trigger, OnCondition) else frozenset()


def _cause_paths(link: Link) -> Iterator[tuple[str, ...]]:
    """Yield the paths of the members on which conditions depend whose end ends the cause of a delayed link."""
    if isinstance(link.trigger, OnCondition):
        yield from _leaf_paths(link.trigger.condition)
    if link.given is not None:
        yield from _leaf_paths(link.given)


def collection_of(link: Link) -> tuple[str, ...] | None:
    """Return the collection for whose members a condition is asked one by one."""
    condition = link.trigger.condition if isinstance(link.trigger, OnCondition) else None
    for leaf in condition.leaves() if condition is not None else ():
        member = leaf.place.member if isinstance(leaf, In) else leaf.member if isinstance(leaf, Done) else None
        if isinstance(member, MemberAddress) and member.key == EACH:
            return member.path
    return None
