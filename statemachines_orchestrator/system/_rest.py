"""
A rest: no machine is busy, and what has happened since the last rest triggers links.

The moves are looked at in the order in which they happened; see "Links" in docs/semantics.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.declare import (
    All,
    Condition,
    Link,
    MemberAddress,
    OnCondition,
    OnDone,
    OnEvent,
    OnState,
    Place,
)
from statemachines_orchestrator.engine import INITIAL_EVENT

from ._cases import is_active, is_of
from ._occurrence import Occurrence
from ._wiring import collection_of, read_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.declare import JointEvent
    from statemachines_orchestrator.engine import MemberEngine

    from ._driver import Driver
    from ._effects import Sending
    from ._scope import Scope
    from ._step import Step

__all__ = ("DelayedLink", "Firing", "JointMove", "Membership", "Move", "holds", "is_about", "look_at_moves")


class Firing:
    """
    A link that has been triggered, and waits for its effect.

    Args:
        scope: The orchestrator that declares the link.
        link: The link.
        occurrence: What has triggered it; or the move, and the state that was entered if the link waits for one.
        cause: The link whose effect triggered it.
    """

    __slots__ = ("_occurrence", "cause", "link", "scope")

    def __init__(
        self,
        scope: Scope,
        link: Link,
        occurrence: Occurrence | tuple[Move, str | None],
        cause: Firing | None,
    ) -> None:
        self.scope: Scope = scope
        self.link: Link = link
        self.cause: Firing | None = cause
        self._occurrence = occurrence

    @property
    def occurrence(self) -> Occurrence:
        """What has triggered the link; made when somebody asks, as most links only send an event."""
        found = self._occurrence
        if isinstance(found, tuple):
            move, state = found
            found = self._occurrence = self.scope.occurrence(move.engine, move.trigger, state)
        return found

    @property
    def name(self) -> str:
        """The link as messages name it."""
        return f"{self.link.owner}.{self.link.name}"


@dataclass(frozen=True, slots=True, eq=False)
class DelayedLink:
    """What a timer is for: the effect of a link."""

    scope: Scope
    link: Link
    occurrence: Occurrence

    def __str__(self) -> str:
        return f"the delayed link {self.link.owner}.{self.link.name}"

    def keys(self) -> tuple[Any, ...]:
        """Return what the timer is found by."""
        link, key = self.link.name, self.occurrence.key
        return (
            (self.scope, link),
            (self.scope, link, key),
            ("about", self.occurrence.machine and id(self.occurrence.machine)),
        )


@dataclass(slots=True, eq=False)
class Move:
    """
    A machine has taken one event, or one eventless transition.

    Never changed, but not frozen: one is made for every move that somebody hears of, at three times the cost.
    """

    engine: MemberEngine
    trigger: TriggerData
    left: tuple[str, ...]
    entered: tuple[str, ...]
    cause: Firing | None


@dataclass(frozen=True, slots=True, eq=False)
class JointMove:
    """A joint event has happened."""

    scope: Scope
    joint: JointEvent
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    cause: Firing | None


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """A member was taken out, or a machine that had started before was added."""

    engine: MemberEngine


def look_at_moves(driver: Driver, step: Step) -> None:
    """Queue the links that are triggered by what has happened since the last rest; ask conditions, cancel delays."""
    moves, step.moves = step.moves, []
    moved: dict[MemberEngine, Move] = {move.engine: move for move in moves if type(move) is Move}  # the last of each
    for move in moves:
        if isinstance(move, Move):
            _moved(step, move, is_last=moved[move.engine] is move)
        elif isinstance(move, JointMove):
            _joint_happened(step, move)
    changed = {*moved, *(move.engine for move in moves if isinstance(move, Membership))}
    is_first = not driver.has_rested
    if is_first:
        step.undo(lambda: setattr(driver, "has_rested", False))
        driver.has_rested = True
    if driver.conditional:
        causes = {scope: move.cause for move in moves if isinstance(move, Move) for scope, _ in move.engine.watches}
        for scope in driver.conditional:
            _conditions(step, scope, changed, causes.get(scope), everything=is_first)
    for engine in changed:
        _end_delays(engine)
    if driver.held:
        _mark_held(driver, step, changed)


def _moved(step: Step, move: Move, *, is_last: bool) -> None:
    engine, event = move.engine, move.trigger.event
    ended = is_last and not engine.running  # nothing moves a machine that has ended: this was its last move
    name = None if event is None or event == INITIAL_EVENT else event.id
    for scope, watch in engine.watches:
        for link, state in watch.triggered(move.entered, name, ended=ended):
            if is_about(scope, link, engine):
                _triggered(step, Firing(scope, link, (move, state), move.cause))


def is_about(scope: Scope, link: Link, engine: MemberEngine) -> bool:
    """Whether the link waits for this member of a collection, if it waits for one by its key."""
    if engine.key is None:
        return True
    trigger = link.trigger
    member = trigger.place.member if isinstance(trigger, OnState | OnEvent) else None
    member = trigger.member if isinstance(trigger, OnDone) else member
    return member is None or is_of(scope, member, engine)


def _joint_happened(step: Step, move: JointMove) -> None:
    for link in move.scope.wiring.on_joint.get(move.joint.name, ()):
        occurrence = Occurrence("", event=move.joint.name, args=move.args, kwargs=move.kwargs)
        _triggered(step, Firing(move.scope, link, occurrence, move.cause))


def _triggered(step: Step, firing: Firing) -> None:
    """Ask the link's condition, and queue the link or start its delay."""
    link, scope = firing.link, firing.scope
    if link.delay is None and link.given is None:
        step.firings.append(firing)
        return
    occurrence = firing.occurrence
    if link.delay is not None and isinstance(link.trigger, OnState | OnCondition):
        _cancel(scope, link, occurrence.key)  # the cause of a timer that is running has passed: this is a new one
    if link.given is not None and not holds(scope, link, link.given, occurrence):
        return
    if link.delay is None:
        step.firings.append(firing)
        return
    what = DelayedLink(scope, link, occurrence)
    scope.driver.set_timer(link.delay, what, *what.keys())


def holds(scope: Scope, link: Link, condition: Condition, occurrence: Occurrence) -> bool:
    """Ask a condition of a link."""
    try:
        return condition.holds(scope, occurrence)
    except Exception as error:
        error.add_note(f"in a condition of {link!r}")
        raise


# -- conditions that begin to hold -------------------------------------------------------------------------------


def _conditions(step: Step, scope: Scope, moved: set[MemberEngine], cause: Firing | None, *, everything: bool) -> None:
    wiring = scope.wiring
    concerned: dict[Link, set[str] | None] = dict.fromkeys(wiring.conditions if everything else wiring.unbounded)
    for engine in () if everything else moved:
        for other, watch in engine.watches:
            for link in watch.conditions if other is scope else ():
                _concern(concerned, link, scope, engine)
    for link in sorted(concerned, key=lambda one: one.number):
        for key in _keys(scope, link, concerned[link]):
            _ask_again(step, scope, link, key, cause)


def _concern(concerned: dict[Link, set[str] | None], link: Link, scope: Scope, engine: MemberEngine) -> None:
    """Note for which members of its collection a condition has to be asked again; None for all."""
    about = collection_of(link)
    if about is None or scope.relative_path(engine) != about:
        concerned[link] = None
    elif concerned.get(link, about) is not None and engine.key is not None:
        concerned.setdefault(link, set()).add(engine.key)  # type: ignore[union-attr] # not None, as asked above


def _keys(scope: Scope, link: Link, concerned: set[str] | None) -> Iterator[str | None]:
    about = collection_of(link)
    if about is None:
        yield None
        return
    members = scope.collection_at(about)
    keys = members if concerned is None else [key for key in concerned if key in members]
    yield from sorted(keys, key=lambda key: members[key].number)


@dataclass(frozen=True, slots=True)
class _NothingActive:
    """What conditions see before the start: the members that there are, none of them in a state."""

    scope: Scope

    def is_active(self, place: Place, occurrence: Any) -> bool:  # noqa: ARG002
        return False

    def is_done(self, member: MemberAddress, occurrence: Any) -> bool:  # noqa: ARG002
        return False

    def count(self, what: Place | MemberAddress) -> tuple[int, int]:
        return 0, len(self.scope.collection_at((what.member if isinstance(what, Place) else what).path))

    def call(self, function: Any, occurrence: Any) -> bool:  # noqa: ARG002
        return False


def _ask_again(step: Step, scope: Scope, link: Link, key: str | None, cause: Firing | None) -> None:
    condition = link.trigger.condition if isinstance(link.trigger, OnCondition) else None
    if condition is None:
        return
    place = (link.name, key)
    before = scope.memory.get(place)
    if before is None:
        before = condition.holds(_NothingActive(scope))
    occurrence = Occurrence("", key=key)
    now = holds(scope, link, condition, occurrence)
    if now is not before or place not in scope.memory:
        step.undo(lambda: scope.memory.__setitem__(place, before))
        scope.memory[place] = now
    if now and not before:
        _triggered(step, Firing(scope, link, occurrence, cause))
    elif before and not now and link.delay is not None:
        _cancel(scope, link, key)


# -- delays whose cause has passed -------------------------------------------------------------------------------


def _end_delays(engine: MemberEngine) -> None:
    for scope, watch in engine.watches:
        for link, is_own in watch.delayed:
            key = (scope, link.name, engine.key) if is_own else (scope, link.name)
            for timer in scope.driver.timers.filed(key):
                if isinstance(timer.what, DelayedLink) and not _has_cause(scope, link, timer.what.occurrence):
                    scope.driver.cancel_timer(timer)


def _has_cause(scope: Scope, link: Link, occurrence: Occurrence) -> bool:
    trigger = link.trigger
    if isinstance(trigger, OnState):
        engine = scope.engine_at(trigger.place.member, occurrence)
        if engine is None or not is_active(engine, trigger.place.id):
            return False
    if link.given is None:
        return True
    parts = link.given.parts if isinstance(link.given, All) else (link.given,)
    return all(holds(scope, link, part, occurrence) for part in parts if read_paths(part) is not None)


def _cancel(scope: Scope, link: Link, key: str | None) -> None:
    for timer in scope.driver.timers.filed((scope, link.name, key)):
        scope.driver.cancel_timer(timer)


# -- held events -------------------------------------------------------------------------------------------------


def _mark_held(driver: Driver, step: Step, moved: set[MemberEngine]) -> None:
    """Mark the held events that have to be tried again."""
    for held in driver.held if moved else ():
        if not held.is_due and _concerns(held, moved):
            step.undo(partial(setattr, held, "is_due", False))
            held.is_due = True


def _concerns(held: Sending, moved: set[MemberEngine]) -> bool:
    """Whether an event may be taken now because some machines have moved."""
    engine = held.engine
    if engine is not None and not engine.is_joint:  # asked first: there may be very many
        return engine in moved or (engine.is_guarded and _may_open(held, moved))
    return any(target in moved for target, _ in held.targets()) or _may_open(held, moved)


def _may_open(held: Sending, moved: set[MemberEngine]) -> bool:
    """Whether a guard on the event may have opened: a machine that its condition names has moved."""
    for scope, guard in held.guards():
        reads = scope.wiring.opening[id(guard)]
        if reads is None or any(scope.relative_path(engine) in reads for engine in moved):
            return True
    return False
