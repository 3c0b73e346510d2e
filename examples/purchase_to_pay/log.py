"""
Reading an object-centric event log (OCEL 1.0, JSON).

A log is read as a whole or not at all: whatever is wrong with it is collected and told together, and nothing
is guessed. What the words mean is not known here; the caller says which types and activities there are.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

__all__ = ("EventLog", "EventLogError", "LoggedEvent", "nearest", "read_log")

_SECTIONS = ("ocel:events", "ocel:objects")
_SHOWN_PROBLEMS = 10
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
}


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of a log."""

    id: str
    activity: str
    time: datetime
    objects: tuple[str, ...]
    """The ids of the objects that it touches, each once."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log that could be read."""

    name: str
    events: tuple[LoggedEvent, ...]
    """Sorted by time, then by id; numbers in ids count as numbers."""
    types: Mapping[str, str]
    """The type of each object."""
    in_order: bool
    """Whether the file has its events in that order, too."""


class EventLogError(Exception):
    """
    Raised when a file is no log that can be replayed.

    Attributes:
        path: The file.
        problems: All of them, one sentence each.
    """

    def __init__(self, path: Path, problems: Iterable[str]) -> None:
        self.path, self.problems = path, tuple(problems)
        super().__init__(path, self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self.path}: {self.problems[0]}"
        lines = [f"{self.path} has {len(self.problems)} problems:"]
        lines += [f"  - {problem}" for problem in self.problems[:_SHOWN_PROBLEMS]]
        if len(self.problems) > _SHOWN_PROBLEMS:
            lines.append(f"  and {len(self.problems) - _SHOWN_PROBLEMS} more")
        return "\n".join(lines)


def read_log(path: Path, *, types: Collection[str], activities: Collection[str]) -> EventLog:
    """
    Read a log.

    Args:
        path: The file.
        types: The object types that may occur.
        activities: The activities that may occur.

    Raises:
        EventLogError: For everything that is wrong with the file.
    """
    events, objects = _sections(path, _document(path))
    reading = _Reading(objects, types, activities)
    found = [event for event in (reading.event(name, record) for name, record in events.items()) if event]
    if reading.problems:
        raise EventLogError(path, reading.problems)
    ordered = sorted(found, key=lambda event: (event.time, _natural(event.id)))
    return EventLog(path.name, tuple(ordered), reading.types, in_order=found == ordered)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name is meant, or which names there are."""
    names = list(known)
    alike = {one.casefold(): one for one in names}
    close = get_close_matches(name.casefold(), alike, n=1)
    return f"did you mean {alike[close[0]]!r}?" if close else f"known are: {', '.join(names)}"


def _document(path: Path) -> Any:
    try:
        # Some tools write a byte order mark; -sig drops it.
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_without_twins)
    except FileNotFoundError:
        problem = "there is no such file"
    except IsADirectoryError:
        problem = "this is a directory; name a file in it"
    except OSError as error:
        problem = f"it cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        problem = f"this is no UTF-8 text: {error.reason} at byte {error.start}"
    except json.JSONDecodeError as error:
        problem = f"this is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except ValueError as error:
        problem = f"this is no JSON that can be read: {error}"
    except RecursionError:
        problem = "this is no log: its JSON is nested too deeply"
    except _TwinKeyError as error:
        problem = f"the key {error.args[0]!r} stands twice in one object, so one of them would be lost"
    raise EventLogError(path, [problem])


class _TwinKeyError(Exception):
    """Raised when a JSON object has a key twice: an event id, say, of two logs put together."""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwinKeyError(key)
        found[key] = value
    return found


def _sections(path: Path, document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if not isinstance(document, dict):
        raise EventLogError(path, [f"this is JSON but no OCEL 1.0 log: it is {_kind(document)}, not an object"])
    if "eventTypes" in document or "objectTypes" in document:
        raise EventLogError(path, ["this is an OCEL 2.0 log, and only OCEL 1.0 is read here"])
    problems = []
    for key in _SECTIONS:
        if key not in document:
            problems.append(f"this is JSON but no OCEL 1.0 log: the key {key!r} is missing")
        elif not isinstance(document[key], dict):
            problems.append(f"{key!r} is {_kind(document[key])}, not an object of {key.removeprefix('ocel:')} by id")
    if not problems and not document["ocel:events"]:
        problems.append("the log is empty: 'ocel:events' has no event, so there is nothing to replay")
    if problems:
        raise EventLogError(path, problems)
    return document["ocel:events"], document["ocel:objects"]


class _Reading:
    """One reading of a log, with all problems found so far."""

    def __init__(self, objects: Mapping[str, Any], types: Collection[str], activities: Collection[str]) -> None:
        self.problems: list[str] = []
        self.activities = activities
        self.objects = objects
        self.types: dict[str, str] = {}
        for name, record in objects.items():
            where = f"object {name!r}"
            kind = self._value(where, record, "ocel:type", str)
            if kind is not None and kind not in types:
                self.problems.append(f"{where} is of the unknown type {kind!r}; {nearest(kind, types)}")
            elif kind is not None:
                self.types[name] = kind

    def event(self, name: str, record: Any) -> LoggedEvent | None:
        """Read one event; None if it has problems."""
        where = f"event {name!r}"
        before = len(self.problems)
        activity = self._value(where, record, "ocel:activity", str)
        if activity is not None and activity not in self.activities:
            self.problems.append(
                f"{where} is of the unknown activity {activity!r}; {nearest(activity, self.activities)}"
            )
        time = self._time(where, record)
        touched = self._touched(where, record)
        if len(self.problems) > before or activity is None or time is None:
            return None
        return LoggedEvent(name, activity, time, touched)

    def _time(self, where: str, record: Any) -> datetime | None:
        text = self._value(where, record, "ocel:timestamp", str)
        if text is None:
            return None
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            self.problems.append(f"{where}: 'ocel:timestamp' is no ISO 8601 time: {text!r}")
            return None
        # Times with and without a zone cannot be compared.
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    def _touched(self, where: str, record: Any) -> tuple[str, ...]:
        names = self._value(where, record, "ocel:omap", list) or []
        for name in names:
            if not isinstance(name, str):
                self.problems.append(f"{where}: 'ocel:omap' holds {_kind(name)}, not only ids of objects")
            elif name not in self.objects:
                self.problems.append(f"{where} touches the object {name!r}, which 'ocel:objects' does not have")
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))

    def _value(self, where: str, record: Any, key: str, kind: type) -> Any:
        if not isinstance(record, dict):
            problem = f"{where} is {_kind(record)}, not an object"
        elif key not in record:
            problem = f"{where}: the key {key!r} is missing"
        elif not isinstance(record[key], kind):
            problem = f"{where}: {key!r} is {_kind(record[key])}, not {_KINDS[kind]}"
        else:
            return record[key]
        if problem not in self.problems[-1:]:
            self.problems.append(problem)
        return None


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")


def _natural(name: str) -> list[str | int]:
    # The pieces alternate, text first, so that two keys compare text with text and number with number.
    return [int(piece) if piece.isdecimal() else piece for piece in re.split(r"([0-9]{1,18})", name)]
