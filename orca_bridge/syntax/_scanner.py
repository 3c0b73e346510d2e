"""
Lines to items: every line of the file becomes exactly one `Item`.

One item a line, and not one a block, is what makes "nothing disappears" checkable: blocks are put together
later by whoever needs them. The order of the tests in `_Scanner.classify` is the order of language.md 1.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ._source import Text, located

if TYPE_CHECKING:
    from collections.abc import Sequence

_FENCES = ("```", "~~~")
_HEADING = re.compile(r"(#{1,6})\s+(?=\S)")
_GLUED = re.compile(
    r"(#{1,6})(?=(?:machine|decision_table|state|region|contexts?|events?|transitions?|guards?|actions?|effects?"
    r"|propert(?:y|ies)|returns?|conditions?|rules?|metadata|states)(?:[\s:(]|$))",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"\s#+$")
_DEFINITION = re.compile(r"#{1,6}\s*(?:machine|decision_table)\b", re.IGNORECASE)
_BULLET = re.compile(r"[-*+]\s+")
_RULE_CELL = re.compile(r":?-+:?")
_SHORTEST_RULE = 3


class Kind(Enum):
    """What a line is."""

    BLANK = "blank"
    FENCE = "fence"
    COMMENT = "comment"
    FRONT_MATTER = "front matter"
    SEPARATOR = "separator"
    RULE = "rule"
    HEADING = "heading"
    HASH = "text with a hash"
    QUOTE = "blockquote"
    ROW = "table row"
    BULLET = "bullet"
    TEXT = "paragraph"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the file."""

    kind: Kind
    text: Text
    """The content: without the marker for headings, quotes and bullets."""
    marker: str = ""
    """``##``, ``-`` or whatever made the line what it is."""
    glued: bool = False
    """A heading without a blank behind its marker."""
    closed: bool = False
    """A heading with a marker at its end too."""

    @property
    def level(self) -> int:
        """The level of a heading."""
        return len(self.marker)


@dataclass(frozen=True, slots=True)
class Scan:
    """All lines of a file, and the fence or comment that is still open at its end."""

    items: tuple[Item, ...]
    unclosed: Text | None


def scan(lines: Sequence[str]) -> Scan:
    """Say of each line what it is."""
    scanner = _Scanner(lines)
    scanner.run()
    return Scan(tuple(scanner.items), scanner.opened)


def is_rule_row(value: str) -> bool:
    """Tell whether a row only draws the line below a table's header."""
    if "|" not in value or "-" not in value or value.strip("|:- \t"):
        return False
    cells = value.removeprefix("|").removesuffix("|").split("|")
    return all(_RULE_CELL.fullmatch(cell.strip()) for cell in cells)


class _Scanner:
    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.items: list[Item] = []
        self.opened: Text | None = None
        self.fence = ""

    def run(self) -> None:
        for index in range(self.front_matter()):
            self.items.append(Item(Kind.FRONT_MATTER, located(self.lines[index], index + 1)))
        for index in range(len(self.items), len(self.lines)):
            self.items.append(self.next(located(self.lines[index], index + 1)))

    def front_matter(self) -> int:
        """Count the lines of a YAML header; what holds a definition is a machine below a separator."""
        if not _is_separator(self.lines[0].strip()):
            return 0
        for index in range(1, len(self.lines)):
            line = self.lines[index].strip()
            if _is_separator(line):
                return index + 1
            if _DEFINITION.match(line):
                return 0
        return 0

    def next(self, text: Text) -> Item:
        if self.fence:
            if text.value.startswith(self.fence):
                self.fence, self.opened = "", None
            return Item(Kind.FENCE, text)
        if self.opened is None and self.opens_fence(text):
            return Item(Kind.FENCE, text)
        visible = self.without_comments(text)
        if visible is None:
            return Item(Kind.COMMENT, text)
        if visible is not text and self.opened is None and self.opens_fence(visible):
            return Item(Kind.FENCE, visible)
        return self.classify(visible)

    def opens_fence(self, text: Text) -> bool:
        if not text.value.startswith(_FENCES):
            return False
        self.fence, self.opened = text.value[:3], text.cut(0, 3)
        return True

    def without_comments(self, text: Text) -> Text | None:
        """Cut comments out of a line; None if nothing else stands there."""
        if self.opened is None and "<!--" not in text.value:
            return text
        parts: list[Text] = []
        position = 0
        while position < len(text.value):
            if self.opened is not None:
                end = text.value.find("-->", position)
                position = len(text.value) if end < 0 else end + 3
                self.opened = self.opened if end < 0 else None
                continue
            start = text.value.find("<!--", position)
            stop = len(text.value) if start < 0 else start
            parts.append(text.cut(position, stop))
            self.opened = None if start < 0 else text.cut(start, start + 4)
            # "<!-->" is no complete comment: its end must stand behind its start.
            position = stop if start < 0 else start + 4
        visible = Text.join(parts, text.end).strip()
        return visible if visible.value else None

    def classify(self, text: Text) -> Item:  # noqa: PLR0911 - one return a row of the table
        value = text.value
        if not value:
            return Item(Kind.BLANK, text)
        if _is_separator(value):
            return Item(Kind.SEPARATOR, text, value)
        if _is_rule(value):
            return Item(Kind.RULE, text, value)
        if value.startswith("#"):
            return _heading(text)
        if value.startswith(">"):
            return Item(Kind.QUOTE, text.cut(1).strip(), ">")
        if self.is_row(text):
            return Item(Kind.ROW, text)
        bullet = _BULLET.match(value)
        if bullet:
            return Item(Kind.BULLET, text.cut(bullet.end()), value[0])
        return Item(Kind.TEXT, text)

    def is_row(self, text: Text) -> bool:
        if text.value.startswith("|"):
            return True
        if "|" not in text.value:
            return False
        following = self.lines[text.line].strip() if text.line < len(self.lines) else ""
        # Directly below a row the bar in front may be missing; reading such a line as prose would lose it.
        return is_rule_row(following) or (bool(self.items) and self.items[-1].kind is Kind.ROW)


def _is_separator(value: str) -> bool:
    return len(value) >= _SHORTEST_RULE and not value.strip("-")


def _is_rule(value: str) -> bool:
    """Recognise ``***``, ``___`` and ``- - -``."""
    if value[0] not in "*_-" or value.strip(f"{value[0]} \t"):
        return False
    return value.count(value[0]) >= _SHORTEST_RULE


def _heading(text: Text) -> Item:
    spaced = _HEADING.match(text.value)
    match = spaced or _GLUED.match(text.value)
    if match is None:
        return Item(Kind.HASH, text)
    content = text.cut(match.end())
    closing = _CLOSING.search(content.value)
    if closing:
        content = content.cut(0, closing.start()).strip()
    return Item(Kind.HEADING, content, match[1], spaced is None, closing is not None)
