"""JSON that somebody else wrote: asked for what has to be there, and told where it is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from orca_bridge.exceptions import OrcaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ("JsonError", "Value")

T = TypeVar("T")

_NAME = re.compile(r"[^\s|`\[\](){}<>,:\"'#]+(?: [^\s|`\[\](){}<>,:\"'#]+)*")
_MOST = 20


class JsonError(OrcaError, ValueError):
    """
    Raised when a text is no JSON of the form that is read.

    Attributes:
        name: The name of the text.
        problems: All of them, one sentence each.
    """

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        self.name: str = name
        self.problems: tuple[str, ...] = tuple(problems)
        shown = [*self.problems[:_MOST], *([f"and {len(problems) - _MOST} more"] if len(problems) > _MOST else [])]
        listed = shown[0] if len(shown) == 1 else "\n".join(["", *(f"- {one}" for one in shown)])
        super().__init__(f"{name} is no document in JSON: {listed}")

    def __reduce__(self) -> tuple[type[JsonError], tuple[object, ...]]:
        return type(self), (self.name, self.problems)


class Value:
    """
    A place in JSON.

    What is wrong is collected, and something harmless is given in its stead; `check` raises all of it.

    Args:
        found: What stands there.
        name: The name of the text.
    """

    def __init__(self, found: Any, name: str, place: str = "", problems: list[str] | None = None) -> None:
        self._found, self._name, self._place = found, name, place
        self._problems: list[str] = [] if problems is None else problems
        if not isinstance(found, dict | None):
            self.wrong("an object is needed")

    @property
    def is_given(self) -> bool:
        """Whether there is anything."""
        return self._found is not None

    def wrong(self, what: str, key: str | None = None) -> None:
        """Note what is wrong with this place, or with a key of it."""
        place = self._place if key is None else f"{self._place}.{key}" if self._place else key
        self._problems.append(f"{place}: {what}" if place else what)

    def check(self) -> None:
        """
        End the reading.

        Raises:
            JsonError: Something is wrong, here or further down.
        """
        if self._problems:
            raise JsonError(self._name, self._problems)

    def attempt(self, act: Callable[[], T], otherwise: str) -> T | None:
        """Do something that fails if an entry is missing, and say so."""
        try:
            return act()
        except (KeyError, TypeError):
            self.wrong(otherwise)
            return None

    # -- entries ------------------------------------------------------------------------------------------------

    def mapping(self) -> dict[str, Any]:
        """Give all entries."""
        return self._found if isinstance(self._found, dict) else {}

    def has(self, key: str) -> bool:
        """Whether an entry is there, and not null."""
        return self.mapping().get(key) is not None

    def value(self, key: str) -> Value:
        """Give an entry that is an object, or an empty one."""
        return Value(self.mapping().get(key), self._name, self._inside(key), self._problems)

    def list(self, key: str) -> list[Value]:
        """Give an entry that is a list of objects; none without it."""
        found = self._typed(key, list, "a list is needed", [])
        places = (f"{self._inside(key)}[{index}]" for index in range(len(found)))
        return [Value(one, self._name, place, self._problems) for one, place in zip(found, places, strict=True)]

    def text(self, key: str, default: str | None = None) -> str:
        """Give an entry that is a text of one line."""
        if default is not None and not self.has(key):
            return default
        found = self._typed(key, str, "a text is needed", None)
        if isinstance(found, str) and len(found.splitlines()) > 1:
            self.wrong("the text has more than one line", key)
        return found if isinstance(found, str) else ""

    def lines(self, key: str) -> str:
        """Give an entry that is a text of any number of lines; empty without it."""
        return str(self._typed(key, str, "a text is needed", ""))

    def name(self, key: str) -> str:
        """Give an entry that is a name."""
        found = self.text(key)
        if found and not _NAME.fullmatch(found):
            self.wrong(f"{found!r} is no name", key)
        elif not found and isinstance(self.mapping().get(key), str):
            self.wrong("the name is empty", key)
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """Give an entry that is a list of texts; none without it."""
        found = self._typed(key, list, "a list of texts is needed", [])
        if not all(isinstance(one, str) and len(one.splitlines()) <= 1 for one in found):
            self.wrong("a list of texts is needed", key)
            return ()
        return tuple(found)

    def names(self, key: str) -> tuple[str, ...]:
        """Give an entry that is a list of names in one text; none without it."""
        return tuple(one.strip() for one in self.text(key, "").split(",") if one.strip())

    def flag(self, key: str) -> bool:
        """Give an entry that is true or false; false without it."""
        return bool(self._typed(key, bool, "true or false is needed", False))

    def number(self, key: str) -> int | None:
        """Give an entry that is a whole number; None without it."""
        found = self._typed(key, int, "a whole number is needed", None) if self.has(key) else None
        return found if isinstance(found, int) else None

    def one_of(self, key: str, default: str, *others: str) -> str:
        """Give an entry that is one of some words."""
        found = self.text(key, default)
        if found not in (default, *others):
            self.wrong(f"{found!r} is none of {', '.join((default, *others))}", key)
        return found

    def columns(self) -> tuple[tuple[str, str], ...]:
        """Give the cells in columns that mean nothing."""
        more = self.value("x_columns")
        return tuple((header, more.text(header, "")) for header in more.mapping())

    def _inside(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def _typed(self, key: str, kind: type, needed: str, otherwise: Any) -> Any:
        found = self.mapping().get(key)
        if isinstance(found, kind) and not (kind is int and isinstance(found, bool)):
            return found
        if found is not None or otherwise is None:
            self.wrong(needed, key)
        return otherwise
