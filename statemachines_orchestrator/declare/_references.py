"""
Names in a class body: ``order.processing``, ``billing.payment.captured``, ``each(materials).done``.

To a type checker they are the machine's own states and events. At run time the machines do not exist yet, so a name
is only remembered here, and looked up when the class is made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from statemachine import Event

from ._addresses import EACH, At, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ("Referable", "Reference", "Spoken", "at", "each", "spoken_of")

M = TypeVar("M")


class Referable:
    """What names of states and events can be read from, in a class body."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)  # what Python itself looks for
        return self._named(name)

    def _named(self, name: str) -> Reference:
        return Reference(None, self, (name,))

    def _spoken(self) -> Spoken:
        return Spoken(None, self, ())

    def __call__(self, *_arguments: Any, **_keywords: Any) -> NoReturn:
        msg = f"{self!r} is named in a class body, not called there: leave the parentheses out"
        raise TypeError(msg)

    def __and__(self, _other: object) -> NoReturn:
        msg = "a state alone is no condition: write In(order.processing) & In(payment.captured)"
        raise TypeError(msg)

    __or__ = __rand__ = __ror__ = __and__

    def __bool__(self) -> NoReturn:
        msg = (
            "a state has no value before the system runs: "
            "write In(order.processing) & In(payment.captured), not and, or"
        )
        raise TypeError(msg)

    def __invert__(self) -> NoReturn:
        msg = "a state alone is no condition: write ~In(order.processing)"
        raise TypeError(msg)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reference, taken apart."""

    owner: type | None
    """The orchestrator class that it was read from; None for a name of the class body itself."""
    root: object
    """The marker or the name of the first field."""
    names: tuple[str, ...]
    key: Key = None

    @property
    def text(self) -> str:
        """The reference as far as it was written."""
        first = [self.root] if isinstance(self.root, str) else []
        return ".".join((*first, *self.names)) + ("" if self.key is None else f"[{self.key!r}]")


class Reference(Referable):
    """A name that was read from a member, or from another name."""

    __slots__ = ("_key", "_names", "_owner", "_root")

    def __init__(self, owner: type | None, root: object, names: tuple[str, ...], key: Key = None) -> None:
        self._owner = owner
        self._root = root
        self._names = names
        self._key = key

    def _named(self, name: str) -> Reference:
        return Reference(self._owner, self._root, (*self._names, name), self._key)

    def _spoken(self) -> Spoken:
        return Spoken(self._owner, self._root, self._names, self._key)

    def __repr__(self) -> str:
        return self._spoken().text


_KEYED = re.compile(r"(?P<path>[^\[\]]+)\[(?P<key>.*)\](\.(?P<rest>.*))?", re.DOTALL)


def spoken_of(value: object) -> Spoken | None:
    """Take a reference or an address in text apart; None for anything else."""
    if isinstance(value, Referable):
        return value._spoken()
    if not isinstance(value, str) or isinstance(value, Event):  # python-statemachine's events are text, too
        return None
    keyed = _KEYED.fullmatch(value)
    if keyed is not None:
        first, *path = keyed["path"].split(".")
        rest = [keyed["rest"]] if keyed["rest"] else []
        key = EACH if keyed["key"] == "*" else At(keyed["key"])
        return Spoken(None, first, (*path, *rest), key)
    first, *path = value.split(".")
    return Spoken(None, first, tuple(path))


def each(members: Mapping[str, M]) -> M:
    """
    Name every member of a collection: ``each(materials).order``.

    Args:
        members: The collection, or its address as text.

    Returns:
        What stands for one member, typed as such.
    """
    return cast("M", _selected("each", members, EACH))


def at(members: Mapping[str, M], key: str | Callable[[Any], str] | Callable[[Any, Any], str]) -> M:
    """
    Name one member of a collection: ``at(materials, "m1").order``.

    Args:
        members: The collection, or its address as text.
        key: The member's key, or a function of the orchestrator and the occurrence that returns it, such as
            ``lambda orc, occurrence: occurrence.key``.

    Returns:
        What stands for the member, typed as such.
    """
    given: object = key
    if not isinstance(given, str) and not callable(given):
        msg = f"at() takes a key or a function of (orc, occurrence) that returns one, not {given!r}"
        raise TypeError(msg)
    return cast("M", _selected("at", members, At(key)))


def _selected(function: str, members: object, key: Key) -> Reference:
    spoken = spoken_of(members)
    if spoken is None or spoken.key is not None:
        msg = f"{function}() takes a collection that is declared with machines(...), not {members!r}"
        raise TypeError(msg)
    return Reference(spoken.owner, spoken.root, spoken.names, key)
