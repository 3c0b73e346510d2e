"""Brace text to tokens that know their lines, and stretches of tokens to text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ._names import NAME_PATTERN
from ._source import Text, located

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(
    rf"""
      (?P<comment> \#.* | //.* )
    | (?P<number> \.?\d[\w.]* )
    | (?P<name> {NAME_PATTERN} )
    | (?P<string> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<open> ["'].* )
    | (?P<mark> ->|=>|&&|\|\||==|!=|<=|>=|\S )
    """,
    re.VERBOSE,
)


_FARTHEST = 3
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class BraceToken(NamedTuple):
    """A word, number, string or sign."""

    kind: str
    """``name``, ``number``, ``string``, ``open`` (a string without end), ``mark`` or ``end``."""
    value: str
    line: int
    start: int
    """Where it begins in its line."""
    end: int
    starts_line: bool


_new = tuple.__new__


class TokenList:
    """The tokens of a file, and the text from one to another."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines: dict[int, Text] = {}
        self.all: list[BraceToken] = []
        """The tokens, and several ends behind them."""
        self._partners: dict[int, int] | None = None
        is_ascii = "".join(lines).isascii()
        for number, line in enumerate(lines, 1):
            # In ASCII no letter is composed.
            self._add_line(Text(line, number, 1).strip() if is_ascii else located(line, number))
        last = len(lines)
        size = len(self._lines[last].value)
        self._count = len(self.all) + 1
        # Several ends, so that looking a few tokens ahead needs no care.
        self.all += [BraceToken("end", "", last, size, size, starts_line=True)] * (_FARTHEST + 1)

    def __repr__(self) -> str:
        """Count the tokens."""
        return f"<TokenList of {self._count}>"

    def __len__(self) -> int:
        """Count the tokens, the end included."""
        return self._count

    def _add_line(self, text: Text) -> None:
        line, value = text.line, text.value
        self._lines[line] = text
        before = len(self.all)
        for match in _TOKEN.finditer(value):
            kind = match.lastgroup
            if kind == "comment":
                break
            start, end = match.span()
            # The constructor of a named tuple costs as much as all the rest of a token.
            token = _new(BraceToken, (kind, value[start:end], line, start, end, False))
            self.all.append(token)
        if len(self.all) > before:
            self.all[before] = BraceToken(*self.all[before][:-1], starts_line=True)

    def text(self, start: int, stop: int | None = None) -> Text:
        """Give the text from one token up to, and without, another; without comments."""
        stop = start + 1 if stop is None else stop
        first = self.all[start]
        if stop <= start:
            return self._lines[first.line].cut(first.start, first.start)
        last = self.all[stop - 1]
        if first.line == last.line:
            return self._lines[first.line].cut(first.start, last.end)
        parts: list[Text] = []
        index = start
        while index < stop:
            line, begin, end = self.all[index].line, self.all[index].start, self.all[index].end
            while index < stop and self.all[index].line == line:
                end = self.all[index].end
                index += 1
            parts.append(self._lines[line].cut(begin, end))
        return Text.over(parts)

    def closing(self, opening: int) -> int | None:
        """Find the token that closes a bracket, parenthesis or brace."""
        if self._partners is None:
            self._partners = self._paired()
        return self._partners.get(opening)

    def _paired(self) -> dict[int, int]:
        """Pair all brackets at once: looking for one partner at a time is quadratic in a file of nothing else."""
        partners: dict[int, int] = {}
        opened: dict[str, list[int]] = {")": [], "]": [], "}": []}
        for index, token in enumerate(self.all):
            if token.kind == "mark" and token.value in _CLOSING:
                opened[_CLOSING[token.value]].append(index)
            elif token.kind == "mark" and opened.get(token.value):
                partners[opened[token.value].pop()] = index
        return partners


def comments_of(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Give every comment with its line."""
    found = []
    for index, line in enumerate(lines):
        for match in _TOKEN.finditer(line.strip()):
            if match.lastgroup == "comment":
                found.append((index + 1, match[0].lstrip("#/").strip()))
                break
    return found
