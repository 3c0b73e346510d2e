"""
Text with its place in the file.

Everything the reader hands around is a `Text`: characters that still know the columns they came from, even
after a comment was cut out of the line, an escape was resolved or letters were composed. A diagnostic can
then point at what the author typed and not at what we made of it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ._records import make_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orca_bridge.definition import Span

LINE_END = re.compile(r"\r\n|\r|\n")
# Lone surrogates come from files opened with errors="surrogateescape"; they were bad UTF-8 once.
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


# Half of what a named tuple costs is its constructor, which is written in Python.
_new = tuple.__new__


class Text(NamedTuple):
    """A stretch of source, nearly always of one line."""

    # A tuple and not a dataclass: a file makes several hundred thousand of these, and a tuple is the cheapest
    # immutable thing to make. The columns of ordinary text are one number for the same reason.
    value: str
    line: int
    first: int
    """The column of the first character."""
    moved: tuple[int, ...] | None = None
    """The column of each character, and of the place behind the last, where they do not just count up."""
    lines: tuple[int, ...] | None = None
    """The line of each character, and of the place behind the last, in a stretch over several lines."""

    @classmethod
    def at(cls, value: str, line: int = 1, column: int = 1) -> Text:
        """Place characters that stand in the source as they are."""
        return cls(value, line, column)

    @classmethod
    def join(cls, parts: Iterable[Text], end: Text) -> Text:
        """Put stretches of one line together; `end` is the empty text behind the last."""
        pieces = list(parts)
        columns = [column for piece in pieces for column in piece.columns[: len(piece.value)]]
        return cls.placed("".join(piece.value for piece in pieces), end.line, [*columns, end.columns[-1]])

    @classmethod
    def placed(cls, value: str, line: int, columns: Sequence[int]) -> Text:
        """Place characters by the column of each, and of the place behind the last."""
        return cls(value, line, columns[0], tuple(columns))

    @classmethod
    def over(cls, parts: Sequence[Text]) -> Text:
        """Put stretches of several lines together, with a blank between them."""
        if len(parts) == 1:
            return parts[0]
        columns: list[int] = []
        lines: list[int] = []
        for part in parts:
            columns += part.columns
            lines += [part.line] * (len(part.value) + 1)
        return cls(" ".join(part.value for part in parts), parts[0].line, columns[0], tuple(columns), tuple(lines))

    @property
    def columns(self) -> Sequence[int]:
        """The column of each character, and one more for the place behind the last."""
        return self.moved or range(self.first, self.first + len(self.value) + 1)

    def cut(self, start: int, end: int | None = None) -> Text:
        """Take the characters from `start` to `end`, both counted as in a slice without negative numbers."""
        value, line, first, moved, lines = self
        size = len(value)
        stop = size if end is None or end > size else end
        if start == 0 and stop == size:
            return self
        start = min(start, stop)
        if moved is None:
            return _new(Text, (value[start:stop], line, first + start, None, None))
        columns = moved[start : stop + 1]
        if lines is None:
            return Text(value[start:stop], line, columns[0], columns)
        return Text(value[start:stop], lines[start], columns[0], columns, lines[start : stop + 1])

    def strip(self) -> Text:
        """Drop white space at both ends."""
        value = self.value
        bare = value.strip()
        if len(bare) == len(value):
            return self
        if bare and self.moved is None:
            start = value.index(bare)
            return _new(Text, (bare, self.line, self.first + start, None, None))
        if not bare:
            # The place of an empty cell is the blank behind its bar, where the missing text belongs.
            return self.cut(1, 1)
        start = len(value) - len(value.lstrip())
        return self.cut(start, start + len(bare))

    def split(self, separators: str) -> list[Text]:
        """Cut at every separator character; the parts are stripped and may be empty."""
        parts: list[Text] = []
        start = 0
        if self.moved is None and len(separators) == 1:
            column = self.first
            for part in self.value.split(separators):
                parts.append(Text(part, self.line, column).strip())
                column += len(part) + 1
            return parts
        for index, character in enumerate(self.value):
            if character in separators:
                parts.append(self.cut(start, index).strip())
                start = index + 1
        return [*parts, self.cut(start).strip()]

    @property
    def end(self) -> Text:
        """The empty text behind the last character."""
        return self.cut(len(self.value))

    @property
    def span(self) -> Span:
        """The place, at least one column wide."""
        first = self.first
        last = first + len(self.value) if self.moved is None else self.moved[-1]
        if self.lines is not None and self.lines[-1] != self.line and self.moved is not None:
            last = max(column for column, line in zip(self.moved, self.lines, strict=True) if line == self.line)
        return make_span(self.line, first, last if last > first else first + 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file cannot be read at all."""

    code: str
    message: str
    suggestion: str
    offset: int = 0


def decode(text: str | bytes, limit: int) -> tuple[str, Fault | None]:
    """Turn what was handed in into text without a byte order mark, and say what makes it unreadable."""
    if _size(text, limit) > limit:
        message = f"the file is longer than {limit} bytes"
        return "", Fault("INPUT_TOO_LARGE", message, "split it into several files")
    decoded, offset = (text, -1) if isinstance(text, str) else _decode_bytes(text)
    if decoded.startswith("\ufeff"):
        decoded, offset = decoded[1:], max(offset - 1, -1)
    forbidden = None if decoded.isascii() and "\0" not in decoded else _FORBIDDEN.search(decoded)
    if offset < 0 and forbidden is None:
        return decoded, None
    if offset < 0 and forbidden is not None:
        offset = forbidden.start()
    is_nul = decoded[offset : offset + 1] == "\0"
    message = "a NUL character cannot be part of a document" if is_nul else "this is not UTF-8"
    clean = _FORBIDDEN.sub("\ufffd", decoded)
    return clean, Fault("INVALID_ENCODING", message, "save the file as UTF-8 text", offset)


def _size(text: str | bytes, limit: int) -> int:
    """Count bytes, but encode only a text whose length alone does not decide."""
    if isinstance(text, bytes) or len(text) > limit or len(text) * 4 <= limit:
        return len(text)
    return len(text.encode("utf-8", "surrogatepass"))


def _decode_bytes(data: bytes) -> tuple[str, int]:
    try:
        return data.decode(), -1
    except UnicodeDecodeError as error:
        return data.decode(errors="replace"), len(data[: error.start].decode())


def split_lines(text: str) -> tuple[str, ...]:
    """Split at LF, CRLF and CR only; other separators of `str.splitlines` are ordinary characters."""
    return tuple(LINE_END.split(text) if "\r" in text else text.split("\n"))


def located(line: str, number: int) -> Text:
    """Trim a line and compose its letters (NFC), so that names compare equal however they were typed."""
    text = Text.at(line, number).strip()
    return text if unicodedata.is_normalized("NFC", text.value) else _composed(text)


def _composed(text: Text) -> Text:
    characters: list[str] = []
    columns: list[int] = []
    for start, end in _clusters(text.value):
        composed = unicodedata.normalize("NFC", text.value[start:end])
        characters.append(composed)
        columns.extend([text.columns[start]] * len(composed))
    return Text.placed("".join(characters), text.line, [*columns, text.columns[-1]])


def _clusters(value: str) -> list[tuple[int, int]]:
    """Cut where nothing composes across the cut: before a starter that leaves the text in front unchanged."""
    starts = [0]
    for index in range(1, len(value)):
        if unicodedata.combining(value[index]):
            continue
        last = unicodedata.normalize("NFC", value[starts[-1] : index])[-1]
        if unicodedata.is_normalized("NFC", last + value[index]):
            starts.append(index)
    return list(zip(starts, [*starts[1:], len(value)], strict=True))
