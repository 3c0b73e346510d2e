"""Where the log of a machine goes: one entry per microstep, as a mapping."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("ConsoleSink", "FileSink", "LogSink", "MultiSink", "write_safely")

_logger = logging.getLogger("orca_bridge")


@runtime_checkable
class LogSink(Protocol):
    """
    Takes entries of the form ``{ts, run_id, machine, event, from, to, context_delta}``.

    `ts` is ISO 8601 in UTC; `context_delta` holds the fields that have changed, with null for those that have gone.
    """

    def write(self, entry: dict[str, Any]) -> None:
        """Take an entry."""

    def close(self) -> None:
        """Let go of what is held open."""


class FileSink:
    """
    Appends entries to a file, one line of JSON each.

    Args:
        path: The file; it and its folders are made when missing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = self.path.open("a", encoding="utf-8")

    def write(self, entry: dict[str, Any]) -> None:
        """Append an entry and flush; values that JSON does not know are written as text."""
        self._file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __repr__(self) -> str:
        return f"FileSink({str(self.path)!r})"


class ConsoleSink:
    """
    Prints entries for people: ``[10:20:30] Machine  from → to  (EVENT)  key=value``.

    Args:
        file: Where to; standard output by default, as it is when the entry is written.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file

    def write(self, entry: dict[str, Any]) -> None:
        """Print an entry."""
        changes = "".join(f"  {name}={value}" for name, value in (entry.get("context_delta") or {}).items())
        at = str(entry.get("ts", ""))[11:19]
        line = f"[{at}] {entry.get('machine', ''):<14} {entry.get('from', '')} → {entry.get('to', '')}"
        file = self._file or sys.stdout
        file.write(f"{line}  ({entry.get('event', '')}){changes}\n")
        file.flush()

    def close(self) -> None:
        """Do nothing: the stream is not ours."""


class MultiSink:
    """
    Gives entries to several sinks; one that fails does not keep them from the others.

    Args:
        *sinks: Where to.
    """

    def __init__(self, *sinks: LogSink) -> None:
        self.sinks: tuple[LogSink, ...] = sinks

    def write(self, entry: dict[str, Any]) -> None:
        """Give an entry to all."""
        for sink in self.sinks:
            write_safely(sink, entry)

    def close(self) -> None:
        """Close all."""
        _all(sink.close for sink in self.sinks)

    def __repr__(self) -> str:
        return f"MultiSink({len(self.sinks)} sinks)"


def write_safely(sink: LogSink, entry: dict[str, Any]) -> None:
    """Give an entry to a sink; a failure is logged and breaks nothing."""
    _all([lambda: sink.write(entry)])


def _all(calls: Iterable[Any]) -> None:
    for call in calls:
        try:
            call()
        except Exception:
            _logger.exception("a log sink failed")
