"""From JSON back to values; whatever does not fit is told, and nothing is guessed."""

from __future__ import annotations

import enum
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.declare import nearest

from ._records import kind_of
from ._scalars import SCALARS_BY_WORD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._classes import Classes
    from ._records import Content, RecordKind

__all__ = ("Decoder",)

_REFERENCES = ("member", "system")
_SEVERAL: dict[str, Callable[[Any], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset}
_INVALID: Any = None
"""What stands for a value that could not be read: nobody gets to see it, since the whole is refused."""


class Decoder:
    """
    Turns what `Encoder` wrote into values.

    What cannot be read is collected in `problems`, so that all of it is told at once.

    Args:
        classes: The classes that may occur.
        resolve: Returns the object that a reference stands for, or None.
    """

    def __init__(self, classes: Classes, resolve: Callable[[Mapping[str, Any]], Any] | None = None) -> None:
        self.problems: list[str] = []
        self._classes = classes
        self._resolve = resolve
        self._words: dict[str, Callable[[dict[str, Any], str], Any]] = {
            **dict.fromkeys(_SEVERAL, self._several),
            **dict.fromkeys(SCALARS_BY_WORD, self._scalar),
            **dict.fromkeys(_REFERENCES, self._reference),
            "dict": self._dict,
            "enum": self._enum,
            "object": self._object,
            "custom": self._custom,
        }

    def decode(self, written: Any, where: str) -> Any:
        """
        Return the value that stands behind what was written.

        Args:
            written: What `Encoder.encode` returned, read from JSON.
            where: Its place, such as ``Shop.notes[3]``.
        """
        try:
            return self._decode(written, where)
        except RecursionError:
            return self._refuse(where, "it is nested too deeply")

    def _decode(self, written: Any, where: str) -> Any:
        if isinstance(written, list):
            return [self._decode(part, f"{where}[{number}]") for number, part in enumerate(written)]
        if not isinstance(written, dict):
            return written
        if "$type" not in written:
            return {key: self._decode(part, f"{where}[{key!r}]") for key, part in written.items()}
        word = written["$type"]
        read = self._words.get(word) if isinstance(word, str) else None
        return read(written, where) if read is not None else self._refuse(where, f"nothing is known of a {word!r}")

    def filling(self, value: Any, written: Any, where: str) -> Callable[[], None] | None:
        """
        Return what gives an object that exists the content that was written of it.

        Args:
            value: The object, which is left alone until then.
            written: What `Encoder.record` returned.
            where: Its place.

        Returns:
            A function to call; None if the object has to be replaced by a decoded one.
        """
        kind = kind_of(type(value))
        if kind is None or not isinstance(written, dict) or written.get("$type") != "object":
            return None
        if self._classes.by_name.get(written.get("class", "")) is not type(value):
            return None
        content = self._content(kind, type(value), written, where, complete=False)
        return (lambda: None) if content is None else partial(kind.fill, value, content)

    # -- one sort each ---------------------------------------------------------------------------------------

    def _scalar(self, written: dict[str, Any], where: str) -> Any:
        word = written["$type"]
        entries = {key: part for key, part in written.items() if key != "$type"}
        try:
            read = SCALARS_BY_WORD[word].read
            return read(entries["value"]) if entries.keys() == {"value"} else read(**entries)
        except Exception:  # noqa: BLE001 - whatever it is, it is no such value
            return self._refuse(where, f"{entries} is no {word}")

    def _several(self, written: dict[str, Any], where: str) -> Any:
        items = self._items(written, where)
        if items is None:
            return _INVALID
        parts = [self._decode(part, f"{where}[{number}]") for number, part in enumerate(items)]
        return self._built(_SEVERAL[written["$type"]], parts, where)

    def _dict(self, written: dict[str, Any], where: str) -> Any:
        items = self._items(written, where)
        if items is None:
            return _INVALID
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in items):  # noqa: PLR2004 - key and value
            return self._refuse(where, "the items of a dict are pairs of key and value")
        pairs = [(self._decode(key, f"{where}: a key"), self._decode(part, f"{where}[{key!r}]")) for key, part in items]
        return self._built(dict, pairs, where)

    def _built(self, make: Callable[[Any], Any], parts: Any, where: str) -> Any:
        try:
            return make(parts)
        except TypeError as error:
            return self._refuse(where, str(error))  # something in it cannot be hashed

    def _enum(self, written: dict[str, Any], where: str) -> Any:
        cls = self._class(written, where, ("name",), ("value",))
        if cls is None:
            return _INVALID
        if not issubclass(cls, enum.Enum):
            return self._refuse(where, f"{cls.__name__} is no enumeration any more")
        if "value" in written:
            return self._built_enum(cls, written["value"], where)
        name = written["name"]
        if name not in cls.__members__:
            return self._refuse(where, f"{cls.__name__} has no member {name!r}" + _hint(str(name), cls.__members__))
        return cls.__members__[name]

    def _built_enum(self, cls: type[enum.Enum], value: Any, where: str) -> Any:
        try:
            return cls(value)
        except (ValueError, TypeError):
            return self._refuse(where, f"{value!r} is no {cls.__name__}")

    def _object(self, written: dict[str, Any], where: str) -> Any:
        cls = self._class(written, where)
        if cls is None:
            return _INVALID
        kind = kind_of(cls)
        if kind is None:
            return self._refuse(where, f"{cls.__name__} is no record any more, so nobody knows how to fill it")
        content = self._content(kind, cls, written, where, complete=True)
        if content is None:
            return _INVALID
        try:
            return kind.make(cls, content)
        except Exception as error:  # noqa: BLE001 - a constructor of the user's
            return self._refuse(where, f"{cls.__name__} could not be made: {error!r}")

    def _content(
        self, kind: RecordKind, cls: type, written: dict[str, Any], where: str, *, complete: bool
    ) -> Content | None:
        sections = {name: part for name, part in written.items() if name not in ("$type", "class")}
        wrong = [name for name in sections if name not in kind.sections]
        if wrong or kind.sections[0] not in sections:
            found = ", ".join(sections) or "nothing"
            self._refuse(where, f"{cls.__name__} is written as {' and '.join(kind.sections)}, not as {found}")
            return None
        if not all(isinstance(part, dict) for part in sections.values()):
            self._refuse(where, f"the parts of {cls.__name__} are not written by name")
            return None
        before = len(self.problems)
        self._compare(kind.names(cls), sections.get("fields", {}), cls, where, complete=complete)
        content = {section: self._section(section, parts, where) for section, parts in sections.items()}
        return content if len(self.problems) == before else None

    def _section(self, section: str, parts: dict[str, Any], where: str) -> Any:
        if section == "items":
            return self._decode(parts, where)
        return {name: self._decode(part, f"{where}.{name}") for name, part in parts.items()}

    def _compare(
        self, names: tuple[str, ...] | None, fields: Mapping[str, Any], cls: type, where: str, *, complete: bool
    ) -> None:
        if names is None:
            return
        for name in fields:
            if name not in names:
                self._refuse(f"{where}.{name}", f"{cls.__name__} has no field {name!r}" + _hint(name, names))
        for name in names if complete else ():
            if name not in fields:
                self._refuse(where, f"the field {name!r} of {cls.__name__} is missing")

    def _custom(self, written: dict[str, Any], where: str) -> Any:
        cls = self._class(written, where, ("value",))
        if cls is None:
            return _INVALID
        custom = self._classes.customs.get(cls)
        if custom is None or custom.decode is None:
            written_as = f"{self._classes.owner}.codec({cls.__name__}, encode=..., decode=...)"
            return self._refuse(where, f"{cls.__name__} has no codec any more: write {written_as}")
        before = len(self.problems)
        value = self._decode(written["value"], where)
        if len(self.problems) > before:
            return _INVALID
        try:
            return custom.decode(value)
        except Exception as error:  # noqa: BLE001 - a function of the user's
            return self._refuse(where, f"the codec of {cls.__name__} failed with {error!r}")

    def _reference(self, written: dict[str, Any], where: str) -> Any:
        found = self._resolve(written) if self._resolve is not None else None
        return found if found is not None else self._refuse(where, f"there is no {written['$type']} for {written}")

    # -- reading ---------------------------------------------------------------------------------------------

    def _items(self, written: dict[str, Any], where: str) -> list[Any] | None:
        items = written.get("items")
        if isinstance(items, list) and len(written) == 2:  # noqa: PLR2004 - the word and the items
            return items
        self._refuse(where, f"a {written['$type']} is written as a list of items")
        return None

    def _class(self, written: dict[str, Any], where: str, *layouts: tuple[str, ...]) -> type | None:
        """Look a class up, if the entries are as one of the layouts says."""
        entries = tuple(name for name in written if name not in ("$type", "class"))
        if "class" not in written or (layouts and entries not in layouts):
            self._refuse(where, f"the entries {', '.join(written)} do not describe a value")
            return None
        name = written["class"]
        cls = self._classes.by_name.get(name) if isinstance(name, str) else None
        if cls is None:
            self._refuse(
                where,
                f"{self._classes.owner} knows no class {name!r}"
                + _hint(str(name), self._classes.by_name)
                + f" Name it in an annotation, or write {self._classes.owner}.codec(...)",
            )
        return cls

    def _refuse(self, where: str, what: str) -> Any:
        self.problems.append(f"{where}: {what}" + ("" if what.endswith(("?", ".")) else "."))


def _hint(name: str, known: Any) -> str:
    close = nearest(name, known)
    return f". Did you mean {close!r}?" if close else "."
