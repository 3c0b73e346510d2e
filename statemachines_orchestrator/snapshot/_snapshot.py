"""What a snapshot is: identity and content, as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from statemachines_orchestrator.exceptions import SnapshotFormatError

from ._layout import WHOLE
from ._shape import wrong

__all__ = ("FORMAT", "Snapshot")

FORMAT = 1
"""The number of the layout; a later release that writes another one still reads this one."""

_DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """
    Everything that is needed to go on later, taken between two steps; made by `Orchestrator.snapshot`.

    Two snapshots are equal if they hold the same. What has been read from text has been checked for its form; whether
    it fits a class shows when it is restored.
    """

    class_name: str
    """Name of the orchestrator class."""
    version: str
    """The version that the class said when the snapshot was taken."""
    fingerprint: str
    """Equal for snapshots of the same definition: machines with their states and transitions, links, data."""
    _text: str = field(repr=False)
    """The content as JSON, in one line."""

    @classmethod
    def of(cls, parts: dict[str, Any]) -> Snapshot:
        """Make a snapshot of its parts, which are JSON already."""
        return cls(parts["class"], parts["version"], parts["fingerprint"], json.dumps(parts))

    @property
    def parts(self) -> dict[str, Any]:
        """The content, as a fresh dictionary of JSON values: identity, definition, members, data, links."""
        parts: dict[str, Any] = json.loads(self._text)
        return parts

    def to_json(self, indent: int | None = None) -> str:
        """
        Return the snapshot as JSON text.

        The text ends with a digest of the rest: a snapshot that was changed afterwards is refused. Who changes one on
        purpose removes the entry ``digest``.

        Args:
            indent: Spaces by which levels are indented; None for one line.
        """
        parts = self.parts
        whole = {"format": FORMAT, **parts, "digest": _digest(parts)}
        text = json.dumps(whole, indent=indent, ensure_ascii=False)
        # Half of a surrogate pair is a legal text in Python, but nobody could write it to a file.
        return text if _is_writable(text) else json.dumps(whole, indent=indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Snapshot:
        """
        Read a snapshot from JSON text.

        Raises:
            SnapshotFormatError: The text is no snapshot, not a whole one, one that was changed, or one in the format of
                a later release.
        """
        whole = _loaded(text)
        written = whole.pop("format", None)
        if type(written) is not int or written < 1:
            raise _refused("it has no entry 'format': some other JSON, or the beginning is missing")
        if written > FORMAT:
            raise _refused(f"it is written in format {written}, and this release reads {FORMAT}: update the library")
        digest = whole.pop("digest", None)
        problems = list(wrong(whole, WHOLE, ""))
        if problems:
            raise _refused(*problems)
        if digest is not None and digest != _digest(whole):
            raise _refused("it was changed after it was written. Remove the entry 'digest' if that was on purpose")
        return cls.of(whole)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return self._text == other._text or _canonical(self.parts) == _canonical(other.parts)

    def __hash__(self) -> int:
        return hash(_canonical(self.parts))

    def __repr__(self) -> str:
        return f"<Snapshot of {self.class_name} version {self.version}, {self.fingerprint}>"


def _loaded(text: str | bytes) -> dict[str, Any]:
    try:
        whole = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise _refused(f"it ends too early, after {len(text)} characters") from None
        raise _refused(f"it is no JSON: {error}") from None
    except (ValueError, RecursionError, TypeError) as error:  # bytes that are no text; numbers, or levels, without end
        raise _refused(f"it cannot be read: {error}") from None
    if not isinstance(whole, dict):
        raise _refused(f"it is JSON, but {type(whole).__name__} instead of entries by name")
    return whole


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _refused(*problems: str) -> SnapshotFormatError:
    return SnapshotFormatError("this is no snapshot that can be read", problems)


def _canonical(parts: dict[str, Any]) -> str:
    # Whatever the order of entries: databases that store JSON lose it.
    return json.dumps(parts, sort_keys=True)


def _digest(parts: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()[:_DIGEST_LENGTH]


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
