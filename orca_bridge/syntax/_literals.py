"""
Values as authors type them into a Default cell: JSON, and the bare words people write instead of strings.

Not `json.loads`: it accepts ``NaN``, fails on words without quotes and gives no depth limit of its own.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

_DEEPEST = 64
_MOST_DIGITS = 400
_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[\[\]{},:])|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<word>[^\s\[\]{},:\"'][^\[\]{},:\"']*))"
)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}
_QUOTES = ('"', "'")


class NotALiteral(ValueError):  # noqa: N818 - it says what the text is
    """Raised when a text does not spell a value."""


def unquoted(text: str) -> str | None:
    """Take the quotes off a quoted text and resolve its escapes; None if it is not in quotes."""
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        return unescaped(text[1:-1])
    return None


def unescaped(text: str) -> str:
    """Resolve backslash escapes."""
    return _ESCAPE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES.get(code, code)


def number(text: str) -> int | float:
    """
    Read a number; without fraction and exponent it is an integer.

    Raises:
        NotALiteral: If the text is no number, or one that no float can hold.
    """
    if _NUMBER.fullmatch(text) is None or len(text) > _MOST_DIGITS:
        raise NotALiteral(text)
    plain = text.replace("_", "")
    if plain.lstrip("+-").isdecimal():
        return int(plain)
    value = float(plain)
    if not math.isfinite(value):
        raise NotALiteral(text)
    return value


def integer(text: str) -> int:
    """
    Read a whole number, also one written as ``1e6``.

    Raises:
        NotALiteral: If the text is no number or has a fraction.
    """
    number(text)
    try:
        value = Decimal(text.replace("_", ""))
    except InvalidOperation as error:
        # An exponent below what Decimal can hold; a float makes zero of it.
        raise NotALiteral(text) from error
    if value != value.to_integral_value():
        raise NotALiteral(text)
    return int(value)


def literal(text: str, *, words: bool, bare_keys: bool = False) -> object:
    """
    Read a JSON value; with `words`, bare words in it are strings, and with `bare_keys` the keys of maps may be.

    Raises:
        NotALiteral: If the text is not a value or nests too deeply.
    """
    parser = _Parser(text, words=words, bare_keys=words or bare_keys)
    value = parser.value(0)
    if parser.token():
        raise NotALiteral(text)
    return value


class _Parser:
    def __init__(self, text: str, *, words: bool, bare_keys: bool) -> None:
        self.tokens = _tokens(text)
        self.position = 0
        self.words = words
        self.bare_keys = bare_keys

    def token(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.token()
        self.position += 1
        return token

    def expect(self, mark: str) -> None:
        if self.take() != mark:
            raise NotALiteral(mark)

    def value(self, depth: int) -> object:
        if depth > _DEEPEST:
            raise NotALiteral("nested too deeply")
        part = self.take()
        if part == "[":
            return self.items(depth)
        if part == "{":
            return self.pairs(depth)
        return self.scalar(part)

    def items(self, depth: int) -> list[object]:
        items: list[object] = []
        while self.token() != "]":
            items.append(self.value(depth + 1))
            if self.token() != "]":
                self.expect(",")
        self.expect("]")
        return items

    def pairs(self, depth: int) -> dict[str, object]:
        pairs: dict[str, object] = {}
        while self.token() != "}":
            key = self.take()
            self.expect(":")
            text = unquoted(key)
            if text is None and (not self.bare_keys or not key or key in "[]{},:"):
                raise NotALiteral(key)
            pairs[key if text is None else text] = self.value(depth + 1)
            if self.token() != "}":
                self.expect(",")
        self.expect("}")
        return pairs

    def scalar(self, part: str) -> object:
        text = unquoted(part)
        if text is not None:
            return text
        if part in _WORDS:
            return _WORDS[part]
        try:
            return number(part)
        except NotALiteral:
            if self.words and part and part not in "[]{},:":
                return part
            raise


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotALiteral(text)
        tokens.append(match[0].strip())
        position = match.end()
    return tokens
