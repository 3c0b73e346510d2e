"""
Links, guards and joint events: what a user writes, and the frozen records that it becomes.

`when`, `guard` and `together` return markers. When the class is made, each becomes a `Link`, a `Guard` or a
`JointEvent`, under the name that it was assigned to. Runtime, checker and pictures read these records.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, overload

from ._conditions import All, Condition, Function
from ._references import Referable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from statemachine import Event, State
    from statemachine.transition_list import TransitionList

    from ._addresses import MemberAddress, Place

__all__ = (
    "BoundJointEvent",
    "Call",
    "Guard",
    "GuardMarker",
    "JointEvent",
    "JointMarker",
    "Link",
    "LinkMarker",
    "OnCondition",
    "OnDone",
    "OnEvent",
    "OnJoint",
    "OnState",
    "Refused",
    "Send",
    "Together",
    "guard",
    "together",
    "when",
)

Refused: TypeAlias = Literal["raise", "ignore", "hold"]
"""What a link does when its event is refused."""

if TYPE_CHECKING:
    OfSystem: TypeAlias = Callable[[Any], Any] | Callable[[Any, Any], Any]
    """A function of the orchestrator, or of the orchestrator and the occurrence."""
    AnyEvent: TypeAlias = "Event | TransitionList | JointEvent | Together | str"
    AnyTrigger: TypeAlias = "AnyEvent | State | type[Any] | Condition"


# -- records ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnState:
    """Each entry of a state."""

    place: Place

    def __str__(self) -> str:
        return str(self.place)


@dataclass(frozen=True, slots=True)
class OnEvent:
    """Each time that an event was taken."""

    place: Place

    def __str__(self) -> str:
        return str(self.place)


@dataclass(frozen=True, slots=True)
class OnDone:
    """The end of a member."""

    member: MemberAddress

    def __str__(self) -> str:
        return f"done({self.member})"


@dataclass(frozen=True, slots=True)
class OnJoint:
    """Each time that a joint event happened."""

    joint: str

    def __str__(self) -> str:
        return self.joint


@dataclass(frozen=True, slots=True)
class OnCondition:
    """The moment at which a condition holds and did not before."""

    condition: Condition

    def __str__(self) -> str:
        return str(self.condition)


Trigger: TypeAlias = OnState | OnEvent | OnDone | OnJoint | OnCondition


@dataclass(frozen=True, slots=True)
class Send:
    """A link's effect: send an event to a member, or to all that take part in a joint event."""

    target: Place | str
    """An event's place, or the name of a joint event."""
    refused: Refused = "raise"
    payload: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Keywords of the event; functions are called with the orchestrator and the occurrence."""
    forwards: tuple[str, ...] | None = ()
    """Names of the trigger's keywords that are passed on; None for all its arguments."""

    def __str__(self) -> str:
        words = [str(self.target)]
        if self.refused != "raise":
            words.append(f"refused={self.refused!r}")
        words.extend(f"{name}={getattr(value, '__name__', repr(value))}" for name, value in self.payload.items())
        tail = "" if self.forwards == () else f".forward({', '.join(map(repr, self.forwards or ()))})"
        return f"send({', '.join(words)}){tail}"


@dataclass(frozen=True, slots=True)
class Call:
    """A link's effect: call a function with the orchestrator and the occurrence."""

    function: Callable[..., Any]

    def __str__(self) -> str:
        return f"call({getattr(self.function, '__name__', repr(self.function))})"


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A declared reaction to something that happens in the system."""

    name: str
    owner: str
    """Name of the class that declares it."""
    trigger: Trigger
    effect: Send | Call
    given: Condition | None = None
    """What must hold when the move has settled that triggers the link."""
    delay: float | None = None
    """Seconds between trigger and effect."""
    given_when_due: Condition | None = None
    """What must hold when the delay is over."""
    number: int = 0
    """Its place among the links of the class."""

    def __str__(self) -> str:
        words = [f"when({self.trigger})"]
        if self.given is not None:
            words.append(f"given({self.given})")
        if self.delay is not None:
            words.append(f"after({self.delay:.12g})")
        if self.given_when_due is not None:
            words.append(f"given({self.given_when_due})")
        return ".".join((*words, str(self.effect)))

    def __repr__(self) -> str:
        return f"<link {self.owner}.{self.name}: {self}>"


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A condition under which an event is allowed."""

    name: str
    owner: str
    target: Place | str
    """An event's place, or the name of a joint event."""
    condition: Condition

    def __str__(self) -> str:
        return f"guard({self.target}, {self.condition})"

    def __repr__(self) -> str:
        return f"<guard {self.owner}.{self.name}: {self}>"


@dataclass(frozen=True, slots=True, eq=False)
class JointEvent:
    """An event that several members take, all or none."""

    name: str
    owner: str
    parts: tuple[Place, ...]

    def __str__(self) -> str:
        return f"together({', '.join(map(str, self.parts))})"

    def __repr__(self) -> str:
        return f"<joint event {self.owner}.{self.name}: {self}>"


class Together:
    """The attribute of a class that holds a joint event: the record for who asks the class, a call on an instance."""

    __slots__ = ("_joint",)

    def __init__(self, joint: JointEvent) -> None:
        self._joint = joint

    @overload
    def __get__(self, instance: None, owner: type) -> JointEvent: ...
    @overload
    def __get__(self, instance: object, owner: type) -> BoundJointEvent: ...

    def __get__(self, instance: object | None, owner: type) -> JointEvent | BoundJointEvent:
        """Give the record to who asks the class, and something to call to who asks an instance."""
        return self._joint if instance is None else BoundJointEvent(self._joint, instance)


@dataclass(frozen=True, slots=True)
class BoundJointEvent:
    """A joint event of one orchestrator."""

    joint: JointEvent
    orchestrator: Any

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """
        Let all members take their event, or none.

        Args:
            *arguments: Positional arguments of every part's event.
            **keywords: Keyword arguments of every part's event. The name of a collection chooses its members:
                ``shop.order_goods(materials=["m1", "m2"])``; without it all of them take part.

        Returns:
            The results by address, such as ``{"order.cancel": None, "payment.void": None}``; in an asynchronous
            system an awaitable of them.

        Raises:
            JointEventRefused: Somebody refuses; nobody has moved.
        """
        return self.orchestrator._system.call_jointly(self.joint, arguments, keywords)

    def __repr__(self) -> str:
        return f"<joint event {self.joint.name} of {self.orchestrator!r}>"


# -- what a user writes ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class LinkMarker:
    """What `when` leaves in the class body: a link, finished by `send` or `call`."""

    triggers: tuple[Any, ...]
    effect: Send | Call | None = None
    conditions: tuple[Condition, ...] = ()
    delay: float | None = None
    conditions_when_due: tuple[Condition, ...] = ()
    forwards: tuple[str, ...] | None = ()
    origin: object = field(default_factory=object)
    """The same for all that is made of one `when`."""

    def given(self, condition: Condition | OfSystem) -> LinkMarker:
        """
        Add a condition.

        Before `after` it is asked when the move has settled that triggers the link, and has to hold until the
        delay is over. Behind `after` it is asked when the delay is over.

        Args:
            condition: A condition, or a function of the orchestrator and, if it takes it, the occurrence.
        """
        asked = _asked("given()", condition)
        if self.delay is None:
            return replace(self, conditions=(*self.conditions, asked))
        return replace(self, conditions_when_due=(*self.conditions_when_due, asked))

    def after(self, seconds: float) -> LinkMarker:
        """
        Wait before the effect; a link whose cause no longer holds then has been cancelled.

        Args:
            seconds: How long, on the orchestrator's clock.
        """
        given: object = seconds
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        if not is_number or not math.isfinite(seconds) or seconds < 0:
            msg = f"after() takes seconds, a number that is not negative, not {seconds!r}"
            raise TypeError(msg)
        if self.delay is not None:
            msg = "after() is written once per link: add the seconds up"
            raise TypeError(msg)
        return replace(self, delay=float(seconds))

    def send(self, event: AnyEvent, /, *, refused: Refused = "raise", **payload: Any) -> LinkMarker:
        """
        Send an event.

        Args:
            event: An event of a member, a joint event, or an address as text.
            refused: What to do when the event is refused: ``"raise"`` lets the step fail, ``"ignore"`` drops the
                event, ``"hold"`` keeps it and tries it again whenever its machine has moved.
            **payload: Keywords of the event: constants, or functions of the orchestrator and, if they take it, the
                occurrence.
        """
        self._without_effect("send")
        if refused not in ("raise", "ignore", "hold"):
            msg = f"send(refused={refused!r}): write 'raise', 'ignore' or 'hold'"
            raise TypeError(msg)
        return replace(self, effect=Send(cast("Any", event), refused, MappingProxyType(payload), self.forwards))

    def forward(self, *names: str) -> LinkMarker:
        """
        Pass arguments of the trigger's event on, before or behind `send`.

        Args:
            *names: Keywords to pass on, where the trigger has them. Without names everything is passed on, also
                what was given by position.
        """
        given: tuple[object, ...] = names
        wrong = next((one for one in given if not isinstance(one, str)), None)
        if wrong is not None:
            msg = f"forward() takes the names of arguments as text, not {wrong!r}"
            raise TypeError(msg)
        if isinstance(self.effect, Call):
            msg = "forward() says what send() passes on; a function that is called has it all in its occurrence"
            raise TypeError(msg)
        effect = None if self.effect is None else replace(self.effect, forwards=names or None)
        return replace(self, effect=effect, forwards=names or None)

    def call(self, function: OfSystem) -> LinkMarker:
        """
        Call a function, in the step.

        Args:
            function: Takes the orchestrator and, if it wants it, the occurrence.
        """
        self._without_effect("call")
        given: object = function
        if not callable(given):
            msg = f"call() takes a function of (orc, occurrence), not {function!r}"
            raise TypeError(msg)
        return replace(self, effect=Call(function))

    def _without_effect(self, what: str) -> None:
        if self.effect is not None:
            msg = f"a link has one effect: write a second link for this {what}()"
            raise TypeError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class GuardMarker:
    """What `guard` leaves in the class body until the class is made."""

    event: Any
    condition: Condition


@dataclass(frozen=True, slots=True, eq=False)
class JointMarker:
    """What `together` leaves in the class body until the class is made."""

    events: tuple[Any, ...]


def when(*triggers: AnyTrigger) -> LinkMarker:
    """
    Begin a link: react here when that one changes.

    Args:
        *triggers: A state (each entry), an event (each time it was taken), a joint event, ``done(member)`` (its
            end), or a condition (the moment it begins to hold). Several states and conditions: the moment from
            which all of them hold together.

    Returns:
        The link so far: finish it with ``.send(event)`` or ``.call(function)``.
    """
    if not triggers:
        msg = "when() takes what the link waits for: a state, an event, done(member) or a condition"
        raise TypeError(msg)
    marker = LinkMarker(triggers)
    _mention(marker.origin, triggers)
    return marker


def guard(event: AnyEvent, condition: Condition | OfSystem) -> GuardMarker:
    """
    Allow an event only while a condition holds.

    Args:
        event: An event of a member, a joint event, or an address as text.
        condition: A condition, or a function of the orchestrator and, if it takes it, the occurrence that asks.
    """
    marker = GuardMarker(event, _asked("guard()", condition))
    _mention(marker, (event, marker.condition))
    return marker


def together(*events: AnyEvent) -> Together:
    """
    Declare a joint event: all these events happen, or none.

    Args:
        *events: Events of different members, or addresses as text; or one event of a collection,
            ``each(materials).issue``.

    Returns:
        A marker, typed as the joint event that it becomes: ``shop.abort(reason="late")``.
    """
    if not events:
        msg = "together() takes the events of at least two members, or one event of a collection"
        raise TypeError(msg)
    marker = JointMarker(events)
    _mention(marker, events)
    return cast("Together", marker)


def _mention(origin: object, named: tuple[Any, ...]) -> None:
    """Let the members that a rule names know of it: a rule that gets no name would be lost without a word."""
    for one in named:
        if isinstance(one, Condition):
            _mention(origin, tuple(leaf.subject for leaf in one.leaves()))
        elif isinstance(one, Referable):
            mentions = getattr(one._spoken().root, "_mentions", None)
            if mentions is not None:
                mentions.append(origin)


def origin_of(marker: LinkMarker | GuardMarker | JointMarker) -> object:
    """Return what the members know a rule by."""
    return marker.origin if isinstance(marker, LinkMarker) else marker


def _asked(where: str, condition: object) -> Condition:
    if isinstance(condition, Condition):
        return condition
    if callable(condition) and not isinstance(condition, Referable):
        return Function(condition)
    if isinstance(condition, Referable):
        msg = f"{where} takes a condition, and the name of a state is none: write In(...) around {condition!r}"
        raise TypeError(msg)
    msg = (
        f"{where} takes a condition such as In(payment.captured), or a function of the orchestrator, not {condition!r}"
    )
    raise TypeError(msg)


def all_of(conditions: tuple[Condition, ...]) -> Condition | None:
    """Join conditions that all have to hold."""
    if len(conditions) > 1:
        return All(conditions)
    return conditions[0] if conditions else None
