"""
Records in a file, one JSON object per line, and back.

A line is whole or it is the last one: whoever is interrupted leaves half a line at the end, the reader leaves it out,
and the next writer cuts it off, so that it never ends up in the middle.
"""

from __future__ import annotations

import json
import reprlib
import threading
import warnings
from functools import cache
from os import SEEK_END, PathLike
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from statemachines_orchestrator.exceptions import RecordFileError
from statemachines_orchestrator.system import StepEnded, record_from, record_to_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import BinaryIO, Self, TextIO

    from statemachines_orchestrator.system import Inspection

__all__ = ("JsonLinesObserver", "UnfinishedLineWarning", "read_records")

_OPENING = b'{"kind": "'
"""How each line begins."""
_BLOCK = 65_536


class UnfinishedLineWarning(UserWarning):
    """Shown when the last line of a record file is unfinished, because its writer was interrupted."""


class JsonLinesObserver:
    """
    Writes each record as one line of JSON, and flushes at the end of each step.

    A file that is there already is continued; if its last line is unfinished, that is cut off. Close the observer when
    it has seen enough, or use it as a context manager. A file that was passed is flushed, and left open.

    Args:
        path_or_file: The path of a file, or a text file that is open for writing.
    """

    def __init__(self, path_or_file: str | PathLike[str] | TextIO) -> None:
        self._file: TextIO | None = None
        self._lines = 0
        self._mutex = threading.RLock()  # reentrant: a signal handler may send an event in the middle of a line
        self._is_own = isinstance(path_or_file, str | PathLike)
        if isinstance(path_or_file, str | PathLike):
            path = Path(path_or_file)
            self._name = str(path)
            _end_last_line(path)
            self._file = path.open("a", encoding="ascii", newline="\n")
        else:
            self._name = _name_of(path_or_file)
            self._file = path_or_file

    def __call__(self, record: Inspection) -> None:
        """
        Write a record.

        Raises:
            ValueError: The observer is closed.
        """
        line = json.dumps(record_to_mapping(record)) + "\n"
        with self._mutex:
            if self._file is None:
                raise ValueError(f"{self!r} cannot write a record any more")
            self._file.write(line)
            self._lines += 1
            if isinstance(record, StepEnded):
                self._file.flush()

    def close(self) -> None:
        """Close the file that the observer has opened, or flush the one that it was given."""
        with self._mutex:
            file, self._file = self._file, None
        if file is not None and self._is_own:
            file.close()
        elif file is not None and not file.closed:
            file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None and self._is_own:
            warnings.warn(f"{self!r} was never closed", ResourceWarning, stacklevel=2, source=self)
            self.close()

    def __repr__(self) -> str:
        state = "closed" if self._file is None else "open"
        return f"<JsonLinesObserver {self._name}: {self._lines} records, {state}>"


def read_records(path_or_lines: str | PathLike[str] | Iterable[str | bytes]) -> Iterator[Inspection]:
    """
    Read what a `JsonLinesObserver` has written.

    The file is opened when the first record is asked for. An unfinished last line is left out, with an
    `UnfinishedLineWarning`.

    Args:
        path_or_lines: The path of a file, or lines, such as an open file.

    Raises:
        RecordFileError: A line holds no record; it says which line, and what is wrong with it.
    """
    if isinstance(path_or_lines, str | PathLike):
        path = Path(path_or_lines)
        with path.open("rb") as file:
            yield from _read(file, str(path))
    else:
        yield from _read(path_or_lines, _name_of(path_or_lines))


def _read(lines: Iterable[str | bytes], source: str) -> Iterator[Inspection]:
    unfinished: RecordFileError | None = None
    for number, line in enumerate(lines, 1):
        if unfinished is not None:
            raise unfinished  # it was not the last one
        if not line.strip():
            continue
        try:
            values = _parse(line)
        except _NotJsonError as problem:
            unfinished = RecordFileError(source, number, str(problem))
            if line[-1:] in {"\n", b"\n"}:
                raise unfinished from None
            continue
        try:
            yield _record(values)
        except _MisfitError as problem:
            raise RecordFileError(source, number, str(problem)) from None
    if unfinished is not None:
        text = f"{source}, line {unfinished.line}, is unfinished and was left out: its writer was interrupted"
        warnings.warn(text, UnfinishedLineWarning, stacklevel=3)


class _NotJsonError(Exception):
    """Raised when a line is not even JSON: it may have been cut."""


class _MisfitError(Exception):
    """Raised when a line is JSON, but no record."""


def _parse(line: str | bytes) -> Any:
    try:
        return json.loads(line if isinstance(line, str) else line.decode())
    except json.JSONDecodeError as problem:
        raise _NotJsonError(f"it is no JSON: {problem.msg} at column {problem.colno}") from None
    except (ValueError, RecursionError) as problem:  # bytes that are no text, endless brackets or digits
        raise _NotJsonError(f"it is no JSON: {problem}") from None


def _record(values: Any) -> Inspection:
    if not isinstance(values, dict):
        raise _MisfitError(f"it is JSON, but no object: {reprlib.repr(values)}")
    try:
        record = record_from(values)
    except ValueError as problem:
        raise _MisfitError(str(problem)) from None
    for name, hint in _hints(type(record)).items():  # type: ignore[arg-type] # to mypy a class is not hashable
        value = getattr(record, name)
        if not _fits(value, hint):
            raise _MisfitError(f"{name} of a record of the kind {record.kind!r} cannot be {reprlib.repr(value)}")
    return record


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of one of the types that fields of records have."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    if hint in {int, float}:
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return not isinstance(hint, type) or isinstance(value, hint)


def _name_of(lines: object) -> str:
    return str(getattr(lines, "name", f"<{type(lines).__name__}>"))


def _end_last_line(path: Path) -> None:
    """See to it that what is written next begins a line; nothing is cut off that we have not written."""
    if not path.is_file():
        return
    with path.open("r+b") as file:
        start = _start_of_rest(file)
        file.seek(start)
        rest = file.read()
        if rest and rest[: len(_OPENING)] == _OPENING[: len(rest)] and not _is_json(rest):
            file.truncate(start)
        elif rest:
            file.write(b"\n")


def _start_of_rest(file: BinaryIO) -> int:
    """Return the place behind the last line feed."""
    place = file.seek(0, SEEK_END)
    while place:
        begin = max(0, place - _BLOCK)
        file.seek(begin)
        found = file.read(place - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        place = begin
    return 0


def _is_json(line: bytes) -> bool:
    try:
        _parse(line)
    except _NotJsonError:
        return False
    return True
