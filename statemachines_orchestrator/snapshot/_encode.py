"""From values to JSON: what it has a word for stays as it is, everything else says in ``$type`` what it is."""

from __future__ import annotations

import enum
import json
import sys
from typing import TYPE_CHECKING, Any

from ._records import kind_of
from ._scalars import PLAIN, SCALARS, is_plain_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ._classes import Classes, Custom
    from ._records import Content, RecordKind

__all__ = ("Encoder", "article")

_NOTHING: frozenset[str] = frozenset()


class Encoder:
    """
    Turns values into what JSON can hold.

    What cannot be saved is collected in `problems`, so that all of it is told at once.

    Args:
        classes: The classes that may occur.
        references: What stands for objects that are no data, by their identity: members and orchestrators.
    """

    def __init__(self, classes: Classes, references: Mapping[int, Mapping[str, Any]] | None = None) -> None:
        self.problems: list[str] = []
        self._classes = classes
        self._references = references or {}
        self._open: set[int] = set()
        """The identities of what is being written: who meets one again goes round in a circle."""
        self._containers: dict[type, Callable[[Any, str], Any]] = {
            list: self._list,
            dict: self._dict,
            tuple: self._tuple,
            set: self._set,
            frozenset: self._set,
        }

    def encode(self, value: Any, where: str) -> Any:
        """
        Return what stands for a value; None for one that cannot be saved.

        Args:
            value: The value.
            where: Its place, such as ``Shop.notes[3]``.
        """
        cls = type(value)
        custom = self._classes.custom_for(cls)
        if custom is None and (cls in PLAIN or (cls in (int, float) and is_plain_number(value))):
            return value
        if id(value) in self._references:
            return dict(self._references[id(value)])
        if id(value) in self._open:
            return self._refuse(where, f"this {cls.__name__} contains itself, and a snapshot is a tree")
        self._open.add(id(value))
        try:
            return self._custom(custom, value, where) if custom is not None else self._known(value, where)
        except RecursionError:
            return self._refuse(where, "it is nested too deeply")
        finally:
            self._open.discard(id(value))

    def record(self, value: Any, where: str, without: frozenset[str] = _NOTHING) -> Any:
        """
        Return what stands for an object, such as a model, of which some attributes are kept elsewhere.

        Args:
            value: The object.
            where: Its place.
            without: The attributes that are left out.
        """
        kind = kind_of(type(value))
        if kind is None or type(value) not in self._classes.names or self._classes.custom_for(type(value)):
            return self.encode(value, where)
        return self._record(kind, value, where, without)

    # -- one sort each ---------------------------------------------------------------------------------------

    def _known(self, value: Any, where: str) -> Any:
        cls = type(value)
        if cls in self._containers:
            return self._containers[cls](value, where)
        if cls in SCALARS:
            try:
                return {"$type": SCALARS[cls].word, **SCALARS[cls].write(value)}
            except ValueError as error:
                return self._refuse(where, f"{article(cls)} cannot be saved: {error}")
        kind = kind_of(cls)
        if isinstance(value, enum.Enum) or kind is not None:
            return self._of_class(kind, value, where)
        return self._refuse(where, f"{article(cls)} cannot be saved", self._advice(cls))

    def _list(self, value: Iterable[Any], where: str) -> list[Any]:
        return [self.encode(part, f"{where}[{number}]") for number, part in enumerate(value)]

    def _tuple(self, value: tuple[Any, ...], where: str) -> dict[str, Any]:
        return {"$type": "tuple", "items": self._list(value, where)}

    def _dict(self, value: dict[Any, Any], where: str) -> dict[str, Any]:
        if all(type(key) is str for key in value) and "$type" not in value:
            return {key: self.encode(part, f"{where}[{key!r}]") for key, part in value.items()}
        pairs = [
            [self.encode(key, f"{where}: the key {key!r}"), self.encode(part, f"{where}[{key!r}]")]
            for key, part in value.items()
        ]
        return {"$type": "dict", "items": pairs}

    def _set(self, value: Any, where: str) -> dict[str, Any]:
        items = [self.encode(part, f"{where}: the element {part!r}") for part in value]
        # In an order that does not depend on the process, so that equal sets give equal snapshots.
        return {"$type": type(value).__name__, "items": sorted(items, key=_canonical)}

    def _of_class(self, kind: RecordKind | None, value: Any, where: str) -> Any:
        cls = type(value)
        if cls not in self._classes.names:
            owner = self._classes.owner
            return self._refuse(
                where,
                f"nothing in {owner} says that {article(cls)} may stand here, so it could not be read again",
                f"Name the class in the annotation, or write {owner}.codec({cls.__name__})",
            )
        return self._enum(value) if kind is None else self._record(kind, value, where, _NOTHING)

    def _enum(self, value: enum.Enum) -> dict[str, Any]:
        entry = {"$type": "enum", "class": self._classes.names[type(value)]}
        if isinstance(value, enum.Flag):
            return {**entry, "value": value.value}  # several together have no name of their own
        return {**entry, "name": value.name}

    def _record(self, kind: RecordKind, value: Any, where: str, without: frozenset[str]) -> Any:
        for name in kind.strays(value, without):
            self._refuse(
                f"{where}.{name}",
                f"{article(type(value))} declares no field {name!r}, so it would be lost",
                f"Declare it, or write {self._classes.owner}.codec({type(value).__name__}, encode=..., decode=...)",
            )
        content = kind.take(value, without)
        for name in kind.names(type(value)) or ():
            if name not in content["fields"] and name not in without:
                self._refuse(f"{where}.{name}", "the field has no value yet", "Give it one, such as None")
        return {"$type": "object", "class": self._classes.names[type(value)], **self._sections(content, where)}

    def _sections(self, content: Content, where: str) -> dict[str, Any]:
        return {
            section: self._dict(parts, where)
            if section == "items"
            else {name: self.encode(part, f"{where}.{name}") for name, part in parts.items()}
            for section, parts in content.items()
        }

    def _custom(self, custom: Custom, value: Any, where: str) -> Any:
        name = custom.cls.__name__
        try:
            written = custom.encode(value) if custom.encode is not None else value
        except Exception as error:  # noqa: BLE001 - a function of the user's
            return self._refuse(where, f"the codec of {name} failed with {error!r}")
        if type(written) is type(value) and self._classes.custom_for(type(written)) is custom:
            return self._refuse(
                where,
                f"the codec of {name} returned {article(type(written))} again",
                "Let it return what can be saved, such as a text or a dict",
            )
        return {"$type": "custom", "class": self._classes.names[custom.cls], "value": self.encode(written, where)}

    # -- refusing --------------------------------------------------------------------------------------------

    def _refuse(self, where: str, what: str, instead: str = "") -> Any:
        self.problems.append(f"{where}: {what}." + (f" {instead}." if instead else ""))

    def _advice(self, cls: type) -> str:
        codec = f"{self._classes.owner}.codec({cls.__name__}, encode=..., decode=...)"
        plain = next((base.__name__ for base in cls.__mro__[1:] if base in self._containers or base in SCALARS), None)
        if issubclass(cls, str):
            plain = "str"
        if plain is not None:
            return f"Keep a {plain} there, or write {codec}"
        if cls.__module__.partition(".")[0] not in sys.stdlib_module_names:
            return f"Make {cls.__name__} a dataclass, or write {codec}"
        return f"Write {codec}, or keep it somewhere else"


def article(cls: type) -> str:
    """Return the name of a class as it stands in a sentence: ``a Lock``, ``an Order``."""
    return f"{'an' if cls.__name__[:1] in 'AEIOUaeiou' else 'a'} {cls.__name__}"


def _canonical(item: Any) -> str:
    return json.dumps(item, sort_keys=True)
