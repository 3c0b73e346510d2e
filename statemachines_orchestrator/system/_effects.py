"""What a step does between its rests: joint events that wait, held events, links."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.declare import EACH, Call, OnCondition, Place, Send
from statemachines_orchestrator.exceptions import LinkLoopError, LinkRefused

from ._cases import call_with
from ._joints import (
    event_of,
    joint_call,
    joint_from,
    joint_or_raise,
    jointly,
    joints_of,
    reason_of,
    settled_choice,
    shared_event,
    trigger_for,
)
from ._records import EventHeld, EventRefused, LinkFired
from ._rest import DelayedLink, Firing, holds, look_at_moves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statemachines_orchestrator.declare import Guard, JointEvent
    from statemachines_orchestrator.engine import MemberEngine

    from ._driver import Driver
    from ._joints import Joint
    from ._pump import Work
    from ._scope import Scope
    from ._step import Step

__all__ = ("Sending", "between_rests", "fire_delayed")


@dataclass(slots=True, eq=False)
class Sending:
    """The event of a link, on its way or held."""

    firing: Firing
    engine: MemberEngine | None
    """Who it is for; None for a joint event."""
    event: str
    """The event, or the name of the joint event."""
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    is_due: bool = False
    """Whether a held one has to be tried at the next rest."""

    @property
    def scope(self) -> Scope:
        """The orchestrator that declares the link."""
        return self.firing.scope

    @property
    def member(self) -> str:
        """The address of who it is for; empty for a joint event."""
        return self.engine.address if self.engine is not None else ""

    @property
    def address(self) -> str:
        """The event as messages name it."""
        return f"{self.engine.address}.{self.event}" if self.engine is not None else self.event

    def is_for(self, engine: MemberEngine) -> bool:
        """Whether it is for this machine, by itself or as one that is chosen for a joint event."""
        if self.engine is not None:
            return self.engine is engine
        parts = self.scope.wiring.joint_events[self.event].parts
        path = self.scope.relative_path(engine)
        return any(part.member.path == path and engine.key in self.kwargs.get(path[-1], ()) for part in parts if path)

    def joints(self) -> list[tuple[Scope, JointEvent]]:
        """Return the joint events through which it happens."""
        if self.engine is None:
            return [(self.scope, self.scope.wiring.joint_events[self.event])]
        return joints_of(self.engine, self.event)

    def targets(self) -> list[tuple[MemberEngine, str]]:
        """Return the machines that have to take an event for it to happen, and those events."""
        joints = self.joints()
        if self.engine is not None and not joints:
            return [(self.engine, self.event)]
        parts = [(scope, part) for scope, joint in joints for part in joint.parts]
        return [
            (one, part.id) for scope, part in parts for one in scope.engines_at(part.member, self.firing.occurrence)
        ]

    def guards(self) -> Iterator[tuple[Scope, Guard]]:
        """Yield the guards that may forbid it."""
        for scope, joint in self.joints():
            yield from ((scope, guard) for guard in scope.wiring.joint_guards.get(joint.name, ()))
        for engine, event in self.targets():
            for scope, watch in engine.watches:
                yield from ((scope, guard) for guard in watch.guards.get(event))


# -- the loop ----------------------------------------------------------------------------------------------------


def between_rests(driver: Driver, step: Step) -> Work:
    """Do all that is left to be done in a step, one thing after the other, and close it."""
    while True:
        if step.failure is not None:
            raise step.failure
        driver._take_strays(step)
        if step.deferred:
            call = step.deferred.pop(0)
            if not call.is_started:
                yield lambda call=call: call  # type: ignore[misc] # awaited
            continue
        engine = step.next_with_work()
        if engine is not None:
            yield partial(driver.run_now, step, engine, None)
        elif (added := step.next_unstarted() or driver.next_unstarted()) is not None:
            with driver.starting(added):
                yield partial(driver.run_now, step, added, None)
        elif not step.is_idle:
            yield partial(driver.wait_until_idle, step)
        elif step.moves or (driver.conditional and not driver.has_rested):
            look_at_moves(driver, step)
        elif step.joints:
            joint, cause = step.joints.popleft()
            _count(driver, step, cause)
            yield from joint_or_raise(driver, step, joint, cause)
        elif driver.held and (held := _next_held(driver)) is not None:
            yield from _try_again(driver, step, held)
        elif step.firings:
            yield from _fire(driver, step, step.firings.popleft())
        elif (yield partial(driver.close_step, step)):
            return


# -- links -------------------------------------------------------------------------------------------------------


def _fire(driver: Driver, step: Step, firing: Firing) -> Work:
    """Let a link have its effect."""
    _count(driver, step, firing)
    link, scope = firing.link, firing.scope
    effect = link.effect
    if isinstance(effect, Call):
        driver.tell(LinkFired, step, firing.name, firing.occurrence.address, "", None)
        yield from _caused(step, firing, partial(_call, effect.function, driver, firing))
        return
    args, kwargs = _payload(effect, firing)
    if isinstance(effect.target, str):
        settled = settled_choice(scope.wiring.joint_events[effect.target], kwargs)
        yield from _send(driver, step, Sending(firing, None, effect.target, args, settled))
        return
    place = effect.target
    engines = scope.engines_at(place.member, firing.occurrence)
    if not engines and place.member.key not in (None, EACH):
        _nobody(driver, step, firing, place)
    for engine in engines:
        yield from _send(driver, step, Sending(firing, engine, place.id, args, dict(kwargs)))


def _count(driver: Driver, step: Step, firing: Firing | None) -> None:
    step.deliveries += 1
    if step.deliveries > driver.max_deliveries:
        raise LinkLoopError(driver.name, step.deliveries - 1, _cycle(firing))


def _cycle(firing: Firing | None) -> list[str]:
    """Follow the causes of a firing back to the link that it repeats."""
    way: list[Firing] = []
    cause = firing
    while cause is not None:
        if any(one.link is cause.link for one in way):
            break
        way.append(cause)
        cause = cause.cause
    if cause is None:
        return []
    start = next(number for number, one in enumerate(way) if one.link is cause.link)
    return [repr(one.link) for one in reversed(way[start:])]


def _call(function: Callable[..., Any], driver: Driver, firing: Firing) -> Any:
    result = call_with(function, firing.scope.orchestrator, firing.occurrence)
    if inspect.iscoroutine(result) and not driver.is_async:
        result.close()
        name = getattr(function, "__name__", repr(function))
        raise TypeError(f"{name} is asynchronous, and {driver.name} has no asynchronous member that makes it wait")
    return result


def _payload(effect: Send, firing: Firing) -> tuple[tuple[Any, ...], dict[str, Any]]:
    occurrence = firing.occurrence
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    if effect.forwards is None:
        args, kwargs = occurrence.args, dict(occurrence.kwargs)
    else:
        kwargs = {name: occurrence.kwargs[name] for name in effect.forwards if name in occurrence.kwargs}
    for name, value in effect.payload.items():
        kwargs[name] = value
        if callable(value) and not isinstance(value, type):
            try:
                kwargs[name] = call_with(value, firing.scope.orchestrator, occurrence)
            except Exception as error:
                error.add_note(f"while computing {name!r} for {firing.link!r}")
                raise
    return args, kwargs


def _nobody(driver: Driver, step: Step, firing: Firing, place: Place) -> None:
    """Refuse an event for a member of a collection that does not exist; there is nobody for whom it could be held."""
    key = firing.scope.key_of(place.member, firing.occurrence)
    why = f"{'.'.join(place.member.path)} has no member {key!r}"
    effect = firing.link.effect
    driver.tell(EventRefused, step, str(place.member), place.id, why, firing.name)
    if isinstance(effect, Send) and effect.refused != "ignore":
        raise LinkRefused(None, (), repr(firing.link), str(place), why)


def _caused(step: Step, firing: Firing, action: Callable[[], Any]) -> Work:
    """Do something of which all that it causes has this link as its cause."""
    before, step.cause = step.cause, firing
    try:
        return (yield action)
    except Exception as error:
        error.add_note(f"caused by {firing.link!r}")
        raise
    finally:
        step.cause = before


def _send(driver: Driver, step: Step, sending: Sending) -> Work:
    """Send the event of a link, and do what the link says if it is refused."""
    firing, engine = sending.firing, sending.engine
    driver.tell(LinkFired, step, firing.name, firing.occurrence.address, sending.member, sending.event)
    refusal = yield from _attempt(driver, step, sending)
    if refusal is None:
        return
    why, error = refusal
    effect = firing.link.effect
    wanted = effect.refused if isinstance(effect, Send) else "raise"
    if wanted == "raise":
        event = None if engine is None else event_of(engine, sending.event)
        configuration = () if engine is None else engine.sm.configuration
        raise LinkRefused(event, configuration, repr(firing.link), sending.address, why) from error
    if wanted == "hold" and (engine is None or engine.running):
        driver.hold(step, sending)
        driver.tell(EventHeld, step, firing.name, sending.member, sending.event)


def _attempt(driver: Driver, step: Step, sending: Sending) -> Work:
    """Send an event; return why it was refused and the exception that says so, or None."""
    firing, engine, event = sending.firing, sending.engine, sending.event
    if engine is None:
        named = firing.scope.wiring.joint_events[event]
        joint = joint_call(firing.scope, named, sending.args, sending.kwargs, firing.occurrence)
        return (yield from _attempt_jointly(driver, step, firing, joint))
    if not engine.running:
        why = f"{engine.address} has ended"
        driver.tell(EventRefused, step, engine.address, event, why, firing.name)
        return why, None
    trigger = trigger_for(engine, event, sending.args, dict(sending.kwargs))
    joints = () if engine.is_for_later(trigger) else joints_of(engine, event)
    if joints:
        shared = shared_event(engine, event, joints)
        if shared is not None:
            raise shared
        return (yield from _attempt_jointly(driver, step, firing, joint_from(engine, trigger, *joints[0])))
    try:
        yield from _caused(step, firing, partial(driver.run_now, step, engine, trigger))
    except TransitionNotAllowed as error:
        if not hasattr(trigger, "refusal"):
            raise  # of something that a callback called
        return reason_of(engine, trigger), error
    return (reason_of(engine, trigger), None) if hasattr(trigger, "refusal") else None


def _attempt_jointly(driver: Driver, step: Step, firing: Firing, joint: Joint) -> Work:
    before, step.cause = step.cause, firing
    try:
        refused, _ = yield from jointly(driver, step, joint)
    finally:
        step.cause = before
    return None if refused is None else ("; ".join(f"{at}: {why}" for at, why in refused.refusals.items()), refused)


def fire_delayed(driver: Driver, step: Step, delayed: DelayedLink) -> Work:
    """Let a link have its effect whose delay is over, if what it asks for holds."""
    link, scope, occurrence = delayed.link, delayed.scope, delayed.occurrence
    waited_for = link.trigger.condition if isinstance(link.trigger, OnCondition) else None
    asked = (waited_for, link.given, link.given_when_due)
    if all(one is None or holds(scope, link, one, occurrence) for one in asked):
        yield from _fire(driver, step, Firing(scope, link, occurrence, None))


# -- held events -------------------------------------------------------------------------------------------------


def _next_held(driver: Driver) -> Sending | None:
    return next((held for held in driver.held if held.is_due), None)


def _try_again(driver: Driver, step: Step, held: Sending) -> Work:
    """Try a held event; it leaves the line if it is taken, or if its machine has ended."""
    held.is_due = False
    if held.engine is not None and not held.engine.running:
        driver.let_go(step, held)
        return
    refusal = yield from _attempt(driver, step, held)
    if refusal is None:
        _count(driver, step, held.firing)
        driver.let_go(step, held)
