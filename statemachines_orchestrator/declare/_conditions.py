"""
Conditions on other machines, as frozen data that can be asked, read, drawn and checked.

A condition is combined with ``&``, ``|`` and ``~``. What stands in it is resolved when the class is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

from ._addresses import MemberAddress, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ("All", "Any_", "Condition", "Done", "Function", "In", "Not", "Over", "View", "done", "every", "none", "some")


class View(Protocol):
    """What a condition asks of a running system."""

    def is_active(self, place: Place, occurrence: Any) -> bool:
        """Whether the state is active; of a collection's member the one that the occurrence is about."""
        ...

    def is_done(self, member: MemberAddress, occurrence: Any) -> bool:
        """Whether the member has ended."""
        ...

    def count(self, what: Place | MemberAddress) -> tuple[int, int]:
        """Of how many members of the collection it is true, and how many there are."""
        ...

    def call(self, function: Callable[..., Any], occurrence: Any) -> Any:
        """Call a user's function with the orchestrator, and the occurrence if it takes it."""
        ...


class Condition:
    """Something that holds or does not: `In`, `done`, `every`, `some`, `none`, and what is made of them."""

    __slots__ = ()

    def holds(self, view: View, occurrence: Any = None) -> bool:
        """Whether it is the case in a running system."""
        raise NotImplementedError

    def leaves(self) -> Iterator[In | Done | Over | Function]:
        """Yield what it is made of."""
        raise NotImplementedError

    def resolved(self, resolve: Callable[[Any], Any]) -> Condition:
        """Return the same condition about places instead of names."""
        raise NotImplementedError

    def __and__(self, other: Condition) -> Condition:
        return All((self, _condition(other)))

    def __or__(self, other: Condition) -> Condition:
        return Any_((self, _condition(other)))

    def __invert__(self) -> Condition:
        return Not(self)

    def __bool__(self) -> NoReturn:
        msg = "a condition has no value before the system runs: combine conditions with &, | and ~, not and, or, not"
        raise TypeError(msg)


def _condition(other: object) -> Condition:
    if isinstance(other, Condition):
        return other
    if callable(other):
        return Function(other)
    msg = f"{other!r} is no condition: write In(order.processing)"
    raise TypeError(msg)


@dataclass(frozen=True, slots=True)
class In(Condition):
    """
    Holds while a state is active.

    Args:
        place: A state of a member, such as ``payment.captured``, or its address as text.
    """

    place: Any

    @property
    def subject(self) -> Any:
        """What it is about."""
        return self.place

    def holds(self, view: View, occurrence: Any = None) -> bool:
        """Whether the state is active."""
        return view.is_active(self.place, occurrence)

    def leaves(self) -> Iterator[In | Done | Over | Function]:
        """Yield itself."""
        yield self

    def resolved(self, resolve: Callable[[Any], Any]) -> Condition:
        """Return the same condition about a place."""
        return replace(self, place=resolve(self))

    def __str__(self) -> str:
        return f"In({self.place})"

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Done(Condition):
    """Holds when a member has ended; made by `done`."""

    member: Any

    @property
    def subject(self) -> Any:
        """What it is about."""
        return self.member

    def holds(self, view: View, occurrence: Any = None) -> bool:
        """Whether the member has ended."""
        return view.is_done(self.member, occurrence)

    def leaves(self) -> Iterator[In | Done | Over | Function]:
        """Yield itself."""
        yield self

    def resolved(self, resolve: Callable[[Any], Any]) -> Condition:
        """Return the same condition about an address."""
        return replace(self, member=resolve(self))

    def __str__(self) -> str:
        return f"done({self.member})"

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Over(Condition):
    """Holds if all, some or none of a collection's members are in a state, or have ended."""

    quantity: Literal["every", "some", "none"]
    what: Any

    @property
    def subject(self) -> Any:
        """What it is about."""
        return self.what.member if isinstance(self.what, Done) else self.what

    def holds(self, view: View, occurrence: Any = None) -> bool:  # noqa: ARG002 - it is about all of them
        """Whether it is the case for so many members; every and none hold for an empty collection."""
        count, total = view.count(self.what)
        if self.quantity == "every":
            return count == total
        return count > 0 if self.quantity == "some" else count == 0

    def leaves(self) -> Iterator[In | Done | Over | Function]:
        """Yield itself."""
        yield self

    def resolved(self, resolve: Callable[[Any], Any]) -> Condition:
        """Return the same condition about a place or an address."""
        return replace(self, what=resolve(self))

    def __str__(self) -> str:
        what = self.what
        if isinstance(what, Place):
            return f"{self.quantity}({'.'.join(what.member.path)}.{what.id})"
        return f"{self.quantity}(done({'.'.join(what.path) if isinstance(what, MemberAddress) else what}))"

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Function(Condition):
    """Holds if a function of the user's, of the orchestrator and the occurrence, says so."""

    function: Callable[..., Any]

    @property
    def subject(self) -> None:
        """What it is about: nobody knows."""
        return

    def holds(self, view: View, occurrence: Any = None) -> bool:
        """Ask the function."""
        return bool(view.call(self.function, occurrence))

    def leaves(self) -> Iterator[In | Done | Over | Function]:
        """Yield itself."""
        yield self

    def resolved(self, resolve: Callable[[Any], Any]) -> Condition:
        """Return itself, once the function has been looked at."""
        resolve(self)
        return self

    def __str__(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """Holds while the other does not."""

    other: Condition

    def holds(self, view: View, occurrence: Any = None) -> bool:
        """Whether the other does not hold."""
        return not self.other.holds(view, occurrence)

    def leaves(self) -> Iterator[In | Done | Over | Function]:
        """Yield what the other is made of."""
        return self.other.leaves()

    def resolved(self, resolve: Callable[[Any], Any]) -> Condition:
        """Return the same condition about places."""
        return Not(self.other.resolved(resolve))

    def __str__(self) -> str:
        return f"~({self.other})" if isinstance(self.other, _Several) else f"~{self.other}"

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class _Several(Condition):
    parts: tuple[Condition, ...]

    def leaves(self) -> Iterator[In | Done | Over | Function]:
        """Yield what the parts are made of."""
        for part in self.parts:
            yield from part.leaves()

    def resolved(self, resolve: Callable[[Any], Any]) -> Condition:
        """Return the same condition about places."""
        return type(self)(tuple(part.resolved(resolve) for part in self.parts))

    def _text(self, sign: str) -> str:
        parts = (
            f"({part})" if isinstance(part, _Several) and type(part) is not type(self) else str(part)
            for part in self.parts
        )
        return f" {sign} ".join(parts)


class All(_Several):
    """Holds while all parts do."""

    __slots__ = ()

    def holds(self, view: View, occurrence: Any = None) -> bool:
        """Whether all parts hold; asked in order, until one does not."""
        return all(part.holds(view, occurrence) for part in self.parts)

    def __str__(self) -> str:
        return self._text("&")

    __repr__ = __str__


class Any_(_Several):  # noqa: N801 - `Any` is taken
    """Holds while some part does."""

    __slots__ = ()

    def holds(self, view: View, occurrence: Any = None) -> bool:
        """Whether some part holds; asked in order, until one does."""
        return any(part.holds(view, occurrence) for part in self.parts)

    def __str__(self) -> str:
        return self._text("|")

    __repr__ = __str__


def done(member: Any) -> Done:
    """
    Say that a member has ended: a trigger for `when`, and a condition.

    Args:
        member: The member, ``each(members)`` of a collection, or an address as text.
    """
    return Done(member)


def every(what: Any) -> Over:
    """
    Hold while all members of a collection are in a state; also when it has none.

    Args:
        what: A state of the collection's members, such as ``each(materials).packed``, or ``done(each(materials))``.
    """
    return Over("every", what)


def some(what: Any) -> Over:
    """
    Hold while at least one member of a collection is in a state.

    Args:
        what: As for `every`.
    """
    return Over("some", what)


def none(what: Any) -> Over:
    """
    Hold while no member of a collection is in a state.

    Args:
        what: As for `every`.
    """
    return Over("none", what)
