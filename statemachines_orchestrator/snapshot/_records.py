"""
Objects that are records: classes whose objects say themselves what they consist of.

Dataclasses, named tuples, attrs classes, pydantic models, msgspec structs and simple namespaces. A record comes back
without its constructor having run, as `copy` and `pickle` bring it back; only msgspec offers no other way. The
libraries are found where they are: who has an object of one has imported it already.
"""

from __future__ import annotations

import dataclasses
import sys
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

__all__ = ("Content", "RecordKind", "kind_of")

Content = dict[str, dict[str, Any]]
"""What an object consists of: its parts by name, in sections; most have the section ``fields`` only."""


class RecordKind:
    """How objects of one sort of class are taken apart and put together."""

    sections: tuple[str, ...] = ("fields",)
    """What the content is made of."""

    def names(self, cls: type) -> tuple[str, ...] | None:
        """Return the fields that the class declares; None if its objects may have any."""
        raise NotImplementedError

    def take(self, value: Any, without: AbstractSet[str]) -> Content:
        """Take an object apart, except for some of its attributes."""
        return {"fields": _values(value, self.names(type(value)) or (), without)}

    def strays(self, value: Any, without: AbstractSet[str]) -> Iterator[str]:
        """Yield the attributes that are no fields, and that would be lost."""
        known = {*(self.names(type(value)) or ()), *without}
        for name in getattr(value, "__dict__", ()):
            computed = isinstance(getattr(type(value), name, None), cached_property)
            if name not in known and not computed and not name.startswith(("__", "_attrs_")):
                yield name

    def make(self, cls: type, content: Content) -> Any:
        """Make an object of the class."""
        made: Any = object.__new__(cls)
        self.fill(made, content)
        return made

    def fill(self, value: Any, content: Content) -> None:
        """Give an object that exists this content."""
        for name, part in content["fields"].items():
            object.__setattr__(value, name, part)


class _Dataclass(RecordKind):
    def names(self, cls: Any) -> tuple[str, ...]:
        return tuple(one.name for one in dataclasses.fields(cls))


class _Attrs(RecordKind):
    def names(self, cls: Any) -> tuple[str, ...]:
        return tuple(one.name for one in cls.__attrs_attrs__)

    def fill(self, value: Any, content: Content) -> None:
        super().fill(value, content)
        if hasattr(type(value), "_attrs_cached_hash"):
            object.__setattr__(value, "_attrs_cached_hash", None)  # the hash of what it was made of before


class _NamedTuple(RecordKind):
    def names(self, cls: Any) -> tuple[str, ...]:
        return tuple(cls._fields)

    def make(self, cls: Any, content: Content) -> Any:
        return tuple.__new__(cls, [content["fields"][name] for name in cls._fields])


class _Namespace(RecordKind):
    def names(self, cls: type) -> None:  # noqa: ARG002 - they have what somebody gave them
        return None

    def take(self, value: Any, without: AbstractSet[str]) -> Content:
        return {"fields": {name: part for name, part in vars(value).items() if name not in without}}

    def strays(self, value: Any, without: AbstractSet[str]) -> Iterator[str]:  # noqa: ARG002 - as in `names`
        yield from ()

    def make(self, cls: type, content: Content) -> Any:
        return cls(**content["fields"])

    def fill(self, value: Any, content: Content) -> None:
        vars(value).update(content["fields"])


class _Struct(RecordKind):
    def names(self, cls: Any) -> tuple[str, ...]:
        return tuple(cls.__struct_fields__)

    def make(self, cls: type, content: Content) -> Any:
        return cls(**content["fields"])

    def fill(self, value: Any, content: Content) -> None:
        force = sys.modules["msgspec"].structs.force_setattr
        for name, part in content["fields"].items():
            force(value, name, part)


class _Model(RecordKind):
    """Pydantic's, by its own means for `pickle`: validators have seen the values already."""

    sections = ("fields", "extra", "private", "set")

    def names(self, cls: Any) -> tuple[str, ...]:
        return tuple(cls.model_fields)

    def take(self, value: Any, without: AbstractSet[str]) -> Content:
        state = value.__getstate__()
        fields = {name: part for name, part in state["__dict__"].items() if name not in without}
        known = set(self.names(type(value)))
        content: Content = {"fields": {name: part for name, part in fields.items() if name in known}}
        for section, kept in (("extra", "__pydantic_extra__"), ("private", "__pydantic_private__")):
            if state[kept]:
                content[section] = state[kept]
        given = state["__pydantic_fields_set__"]
        if given != {*content["fields"], *content.get("extra", ())}:
            content["set"] = dict.fromkeys(sorted(given), True)
        return content

    def strays(self, value: Any, without: AbstractSet[str]) -> Iterator[str]:  # noqa: ARG002 - pydantic refuses them
        yield from ()

    def make(self, cls: Any, content: Content) -> Any:
        made = cls.__new__(cls)
        self._set(made, content, content["fields"])
        return made

    def fill(self, value: Any, content: Content) -> None:
        self._set(value, content, {**vars(value), **content["fields"]})

    @staticmethod
    def _set(value: Any, content: Content, fields: dict[str, Any]) -> None:
        extra, private = content.get("extra"), content.get("private")
        value.__setstate__(
            {
                "__dict__": fields,
                "__pydantic_extra__": extra or ({} if value.model_config.get("extra") == "allow" else None),
                "__pydantic_private__": private or ({} if value.__private_attributes__ else None),
                "__pydantic_fields_set__": set(content.get("set", {**content["fields"], **(extra or {})})),
            }
        )


class _Dictionary(RecordKind):
    """Classes derived from `dict`: entries, and attributes besides."""

    sections = ("items", "fields")

    def names(self, cls: type) -> None:  # noqa: ARG002 - they have what somebody gave them
        return None

    def take(self, value: Any, without: AbstractSet[str]) -> Content:
        attributes = getattr(value, "__dict__", {})
        fields = {name: part for name, part in attributes.items() if name not in without}
        return {"items": dict(dict.items(value)), "fields": fields}

    def strays(self, value: Any, without: AbstractSet[str]) -> Iterator[str]:  # noqa: ARG002 - as in `names`
        yield from ()

    def make(self, cls: Any, content: Content) -> Any:
        made = dict.__new__(cls)
        self.fill(made, content)
        return made

    def fill(self, value: Any, content: Content) -> None:
        dict.clear(value)
        dict.update(value, content["items"])
        super().fill(value, content)


_KINDS: tuple[tuple[Callable[[type], bool], RecordKind], ...] = (
    (lambda cls: _is_from("pydantic", "BaseModel", cls), _Model()),
    (lambda cls: _is_from("msgspec", "Struct", cls), _Struct()),
    (lambda cls: hasattr(cls, "__attrs_attrs__"), _Attrs()),
    (dataclasses.is_dataclass, _Dataclass()),
    (lambda cls: issubclass(cls, tuple) and hasattr(cls, "_fields"), _NamedTuple()),
    (lambda cls: issubclass(cls, dict) and cls.__module__ not in ("builtins", "collections"), _Dictionary()),
    (lambda cls: cls is SimpleNamespace, _Namespace()),
)


def kind_of(cls: type) -> RecordKind | None:
    """Say how the objects of a class are taken apart, if they are records."""
    return next((kind for is_one, kind in _KINDS if is_one(cls)), None)


def _is_from(module: str, name: str, cls: type) -> bool:
    base = getattr(sys.modules.get(module), name, None)
    return isinstance(base, type) and issubclass(cls, base) and cls is not base


def _values(value: Any, names: Iterable[str], without: AbstractSet[str]) -> dict[str, Any]:
    wanted = (name for name in names if name not in without)
    return {name: object.__getattribute__(value, name) for name in wanted if _has(value, name)}


def _has(value: Any, name: str) -> bool:
    try:
        object.__getattribute__(value, name)
    except AttributeError:
        return False
    return True
