"""Types of context fields and parameters (language.md 5.1)."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from orca_bridge.definition import TypeExpression

from ._literals import unquoted

_DEEPEST = 32
_LONGEST_KEPT = 100
_TOKEN = re.compile(r"\s*(\[\s*\]|[<>(),?]|\"[^\"]*\"|'[^']*'|[^\W\d][\w.-]*|\d[\w.]*)")
_KINDS = {
    "string": "string",
    "str": "string",
    "text": "string",
    "int": "int",
    "integer": "int",
    "decimal": "decimal",
    "float": "decimal",
    "double": "decimal",
    "number": "number",
    "bool": "bool",
    "boolean": "bool",
    "list": "list",
    "array": "list",
    "map": "map",
    "dict": "map",
    "object": "map",
    "enum": "enum",
    "any": "any",
}
_ARGUMENTS = {"list": 1, "map": 2}
_MARKS = frozenset("<>(),?")


class MalformedType(ValueError):  # noqa: N818 - it says what the text is
    """Raised when a type cannot be read; `suggestion` says what to write."""

    def __init__(self, text: str, reason: str, suggestion: str) -> None:
        self.text, self.suggestion = text, suggestion
        super().__init__(f"{text!r} is no type: {reason}")


def parse_type(text: str) -> TypeExpression:
    """
    Read a type.

    Raises:
        MalformedType: If it is not complete or holds something else.
    """
    return _known_type(text) if len(text) <= _LONGEST_KEPT else _known_type.__wrapped__(text)


@lru_cache(maxsize=512)
def _known_type(text: str) -> TypeExpression:
    parser = _Parser(text)
    found = parser.type(0)
    if parser.peek():
        raise parser.malformed(f"{parser.peek()!r} is left over")
    return replace(found, text=text)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self.tokenize()
        self.position = 0

    def tokenize(self) -> list[str]:
        tokens, position, text = [], 0, self.text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                rest = text[position:].strip()
                raise self.malformed(f"{rest[0]!r} is no part of one")
            tokens.append("[]" if match[1].startswith("[") else match[1])
            position = match.end()
        return tokens

    def malformed(self, reason: str) -> MalformedType:
        return MalformedType(self.text, reason, _suggestion(self.text))

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def expect(self, mark: str) -> None:
        if self.peek() != mark:
            raise self.malformed(f"{mark!r} is missing")
        self.position += 1

    def type(self, depth: int) -> TypeExpression:
        if depth > _DEEPEST:
            raise self.malformed("it nests too deeply")
        found = self.named(depth)
        while self.peek() in {"[]", "?"}:
            mark = self.take()
            found = replace(found, nullable=True) if mark == "?" else TypeExpression("list", (found,))
        return found

    def named(self, depth: int) -> TypeExpression:
        name = self.take()
        if not name or name in _MARKS or name == "[]" or name[0].isdigit() or name[0] in "\"'":
            raise self.malformed(f"a name is expected {f'in place of {name!r}' if name else 'at the end'}")
        kind = _KINDS.get(name.lower(), "any")
        if self.peek() == "<" and kind in _ARGUMENTS:
            return TypeExpression(kind, self.arguments(_ARGUMENTS[kind], depth), text=name)
        if self.peek() == "(" and kind == "enum":
            return TypeExpression(kind, values=self.values(), text=name)
        return TypeExpression(kind, text=name)

    def arguments(self, count: int, depth: int) -> tuple[TypeExpression, ...]:
        self.expect("<")
        found = [self.type(depth + 1)]
        while len(found) < count:
            self.expect(",")
            found.append(self.type(depth + 1))
        self.expect(">")
        return tuple(found)

    def values(self) -> tuple[str, ...]:
        self.expect("(")
        found: list[str] = []
        while True:
            part = self.take()
            if not part or part in _MARKS or part == "[]":
                raise self.malformed("a value is missing")
            text = unquoted(part)
            found.append(part if text is None else text)
            if self.peek() != ",":
                break
            self.position += 1
        self.expect(")")
        return tuple(found)


def _suggestion(text: str) -> str:
    start = text.strip().lower()
    if start.startswith(("map", "dict", "object")):
        return "write 'map<string, int>' or 'map'"
    if start.startswith("enum"):
        return "write 'enum(a, b)'"
    if start.startswith(("list", "array")):
        return "write 'list<string>' or 'string[]'"
    kinds = "string, int, decimal, number, bool, list<T>, map<K, V>, enum(a, b), any"
    return f"write one of {kinds}, with '?' if it may be null"
