"""
Which classes may occur in a snapshot, and under which names.

A snapshot is data, not code: a name in it is never imported, but looked up here. What is known comes from the
program: the annotations and defaults of declared data, the models of machines, the annotations of callbacks, what all
these name in turn, and what was announced by `Orchestrator.codec`.
"""

from __future__ import annotations

import enum
import inspect
import sys
import typing
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ForwardRef, NewType, TypeVar

from ._records import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ("Classes", "Custom", "hints_of", "named")


@dataclass(frozen=True, slots=True, eq=False)
class Custom:
    """How a user writes and reads the objects of a class."""

    cls: type
    encode: Callable[[Any], Any] | None = None
    """None for a class that is only announced."""
    decode: Callable[[Any], Any] | None = None


class Classes:
    """
    The classes that are known to one orchestrator class.

    Args:
        owner: Name of the orchestrator class, for advice.
        hints: Types and annotations, and the module in which each stands.
        customs: What was announced.
    """

    def __init__(self, owner: str, hints: Iterable[tuple[Any, str]], customs: Mapping[type, Custom]) -> None:
        self.owner = owner
        self.customs = {cls: one for cls, one in customs.items() if one.encode is not None}
        found = _Found()
        for cls in customs:
            found.add(cls)
        for hint, module in hints:
            found.look_at(hint, module)
        self.names = named(found.classes)
        """The name of each class in snapshots."""
        self.by_name = {name: cls for cls, name in self.names.items()}

    def custom_for(self, cls: type) -> Custom | None:
        """Return the user's codec for a class, or for the nearest class that it is derived from."""
        if not self.customs:
            return None
        return next((self.customs[base] for base in cls.__mro__ if base in self.customs), None)


def named(classes: Iterable[type]) -> dict[type, str]:
    """Name classes by their own name, and those that share one by their module, too."""
    by_name: dict[str, list[type]] = {}
    for cls in classes:
        by_name.setdefault(cls.__qualname__, []).append(cls)
    return {
        cls: name if len(sharing) == 1 else f"{cls.__module__}.{name}"
        for name, sharing in by_name.items()
        for cls in sharing
    }


class _Found:
    """Collects classes from type hints, those that they name in turn included."""

    def __init__(self) -> None:
        self.classes: dict[type, None] = {}
        self._seen: set[int] = set()
        self._kept: list[Any] = []
        """What was seen: an identity means something only as long as its object lives."""

    def add(self, cls: type) -> None:
        """Take a class in, and what its own annotations name."""
        if cls in self.classes:
            return
        self.classes[cls] = None
        for hint, module in hints_of(cls):
            self.look_at(hint, module)

    def look_at(self, hint: Any, module: str) -> None:
        """Find the classes in an annotation."""
        hint = _read(hint, module)
        if id(hint) in self._seen:
            return
        self._seen.add(id(hint))
        self._kept.append(hint)
        if isinstance(hint, type) and typing.get_origin(hint) is None:
            self._class(hint)
        for part in _parts(hint):
            self.look_at(part, module)

    def _class(self, cls: type) -> None:
        if issubclass(cls, enum.Enum) or kind_of(cls) is not None:
            self.add(cls)
        elif typing.is_typeddict(cls):
            for hint, module in hints_of(cls):
                self.look_at(hint, module)


def hints_of(owner: Any) -> Iterator[tuple[Any, str]]:
    """Yield the annotations of a class or function, and the module in which each stands."""
    for one in reversed(getattr(owner, "__mro__", (owner,))):
        with suppress(Exception):  # Python 3.14 evaluates them now, and they are the user's
            yield from [(hint, one.__module__) for hint in inspect.get_annotations(one).values()]


def _read(hint: Any, module: str) -> Any:
    text = hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint
    if not isinstance(text, str):
        return hint
    names = vars(sys.modules[module]) if module in sys.modules else {}
    try:
        return eval(text, dict(names))  # noqa: S307 - an annotation of the program, as `typing.get_type_hints` does
    except Exception:  # noqa: BLE001 - a name that only type checkers know
        return None


def _parts(hint: Any) -> tuple[Any, ...]:
    """Return what an annotation is made of."""
    if isinstance(hint, TypeVar):
        return (hint.__bound__, *hint.__constraints__)
    if isinstance(hint, NewType):
        return (hint.__supertype__,)
    if typing.get_origin(hint) is typing.Literal:
        return tuple(map(type, typing.get_args(hint)))
    if typing.get_origin(hint) is typing.Annotated:
        return typing.get_args(hint)[:1]  # what follows is no annotation
    inside = typing.get_args(hint)
    origin = typing.get_origin(hint)
    # A class such as `Box[int]` counts itself, and so does what an alias of Python 3.12 stands for.
    alias = None if isinstance(hint, type) else getattr(origin or hint, "__value__", None)
    return (origin if isinstance(origin, type) else None, alias, *_flat(inside))


def _flat(parts: Iterable[Any]) -> Iterator[Any]:
    for part in parts:
        yield from _flat(part) if isinstance(part, list | tuple) else (part,)
