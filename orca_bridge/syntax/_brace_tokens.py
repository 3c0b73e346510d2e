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
    | (?P<mark> ->|=>|&&|\|\||==|!=|<=|>=|\S )
    """,
    re.VERBOSE,
)


_CLOSING = {"(": ")", "[": "]", "{": "}"}


class BraceToken(NamedTuple):
    """A word, number, string or sign."""

    kind: str
    """``name``, ``number``, ``string``, ``mark`` or ``end``."""
    value: str
    line: int
    start: int
    """Where it begins in its line."""
    end: int
    starts_line: bool


class TokenList:
    """The tokens of a file, and the text from one to another."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines: dict[int, Text] = {}
        self._tokens: list[BraceToken] = []
        self._partners: dict[int, int] | None = None
        for index, line in enumerate(lines):
            self._add_line(located(line, index + 1))
        last = len(lines)
        end = self._lines.get(last, located(lines[-1], last))
        self._lines[last] = end
        size = len(end.value)
        self._tokens.append(BraceToken("end", "", last, size, size, starts_line=True))

    def __repr__(self) -> str:
        """Count the tokens."""
        return f"<TokenList of {len(self._tokens)}>"

    def __len__(self) -> int:
        """Count the tokens, the end included."""
        return len(self._tokens)

    def __getitem__(self, index: int) -> BraceToken:
        """Give a token; behind the last stands the end."""
        return self._tokens[min(index, len(self._tokens) - 1)]

    def _add_line(self, text: Text) -> None:
        starts_line = True
        for match in _TOKEN.finditer(text.value):
            kind = match.lastgroup or "mark"
            if kind == "comment":
                break
            self._lines[text.line] = text
            token = BraceToken(kind, match[0], text.line, match.start(), match.end(), starts_line)
            self._tokens.append(token)
            starts_line = False

    def text(self, start: int, stop: int | None = None) -> Text:
        """Give the text from one token up to, and without, another; without comments."""
        stop = start + 1 if stop is None else stop
        first = self[start]
        if stop <= start:
            return self._lines[first.line].cut(first.start, first.start)
        last = self[stop - 1]
        if first.line == last.line:
            return self._lines[first.line].cut(first.start, last.end)
        parts: list[Text] = []
        index = start
        while index < stop:
            line, begin, end = self[index].line, self[index].start, self[index].end
            while index < stop and self[index].line == line:
                end = self[index].end
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
        for index, token in enumerate(self._tokens):
            if token.kind == "mark" and token.value in _CLOSING:
                opened[_CLOSING[token.value]].append(index)
            elif token.kind == "mark" and opened.get(token.value):
                partners[opened[token.value].pop()] = index
        return partners
