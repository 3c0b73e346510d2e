"""
Lines to items: every line of the file becomes exactly one `Item`.

One item a line, and not one a block, is what makes "nothing disappears" checkable: blocks are put together
later by whoever needs them. The order of the tests in `_Scanner.classify` is the order of language.md 1.2.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

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
_RULE_ROW = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_SHORTEST_RULE = 3


class Kind(Enum):
    """What a line is."""

    # Members are single objects; the hash of `Enum` is a call of Python code for every look into a set.
    __hash__ = object.__hash__

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


class Item(NamedTuple):
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


_HIDDEN = frozenset({Kind.FENCE, Kind.COMMENT, Kind.FRONT_MATTER})
_MARKED = frozenset({Kind.HEADING, Kind.HASH, Kind.SEPARATOR})


class Scan:
    """
    All lines of a file.

    A file is *plain* if no line changes what another one is: no fence, comment or front matter, and nothing to
    compose. Its lines are classified when somebody asks for the item of one, which for most of them nobody does. In
    another file all lines are classified at once, and those that are not what they look like are remembered.
    """

    def __init__(self, lines: Sequence[str], *, careful: bool = False) -> None:
        self.lines = lines
        self.values = list(map(str.strip, lines))
        """The lines without white space around them."""
        self.unclosed: Text | None = None
        """The fence or comment that is still open at the end."""
        self._items: list[Item] | None = None
        self._marks: list[int] | None = None
        self._classifier: _Scanner | None = None
        self._odd: list[int] = []
        self.is_plain = not careful and _is_plain("\n".join(lines)) and not is_separator(self.values[0])
        if not self.is_plain:
            scanner = _Scanner(lines)
            scanner.run()
            self._items, self.unclosed = scanner.items, scanner.opened
            self._odd = [item.text.line for item in scanner.items if careful or _is_odd(item)]

    def __repr__(self) -> str:
        """Count the lines."""
        return f"<Scan of {len(self.lines)} lines>"

    def is_plain_between(self, first: int, stop: int) -> bool:
        """Tell whether the lines from `first` up to, and without, `stop` are what they look like."""
        return not self._odd or bisect_left(self._odd, first) == bisect_left(self._odd, stop)

    @property
    def items(self) -> list[Item]:
        """Every line of the file, in order."""
        if self._items is None:
            self._items = self.between(1, len(self.lines) + 1)
        return self._items

    def between(self, first: int, stop: int) -> list[Item]:
        """Give the items of the lines from `first` up to, and without, `stop`; above `first` stands no table."""
        if self._items is not None:
            return self._items[first - 1 : stop - 1]
        scanner = _Scanner(self.lines)
        for number in range(first, stop):
            scanner.items.append(scanner.classify(self.text(number)))
        return scanner.items

    def marks(self) -> list[int]:
        """Give the lines that divide the file: headings, what looks like one, and separators."""
        if self._marks is None:
            self._marks = self._find_marks()
        return self._marks

    def _find_marks(self) -> list[int]:
        if not self.is_plain:
            return [item.text.line for item in self.items if item.kind in _MARKED]
        return [
            number
            for number, value in enumerate(self.values, 1)
            if value and (value[0] == "#" or (value[:3] == "---" and is_separator(value)))
        ]

    def item(self, number: int) -> Item:
        """Give the item of a line that begins no row without a bar in front."""
        if self._items is not None:
            return self._items[number - 1]
        if self._classifier is None:
            self._classifier = _Scanner(self.lines)
        return self._classifier.classify(self.text(number))

    def text(self, number: int) -> Text:
        """Give a line of a plain file."""
        value, line = self.values[number - 1], self.lines[number - 1]
        if line[:1] == value[:1]:
            return Text(value, number, 1)
        indent = len(line) - len(line.lstrip()) if value else 1
        return Text(value, number, indent + 1)


def scan(lines: Sequence[str], *, careful: bool = False) -> Scan:
    """
    Say of each line what it is.

    Args:
        lines: The file.
        careful: Whether to take no short way, neither here nor in what reads the lines.
    """
    return Scan(lines, careful=careful)


def _is_odd(item: Item) -> bool:
    """Tell whether a line is hidden, or something was cut out of it or composed in it."""
    return item.text.moved is not None or item.kind in _HIDDEN


def _is_plain(text: str) -> bool:
    """Tell whether no line changes what another one is."""
    if "```" in text or "~~~" in text or "<!--" in text:
        return False
    return text.isascii() or unicodedata.is_normalized("NFC", text)


def is_rule_row(value: str) -> bool:
    """Tell whether a row only draws the line below a table's header."""
    if "|" not in value or "-" not in value or value.strip("|:- \t"):
        return False
    return _RULE_ROW.fullmatch(value) is not None


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
        if not is_separator(self.lines[0].strip()):
            return 0
        for index in range(1, len(self.lines)):
            line = self.lines[index].strip()
            if is_separator(line):
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
        if is_separator(value):
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


def is_separator(value: str) -> bool:
    """Tell whether a line consists of dashes only, three or more."""
    return len(value) >= _SHORTEST_RULE and not value.strip("-")


def _is_rule(value: str) -> bool:
    """Recognise ``***``, ``___`` and ``- - -``."""
    if value[0] not in "*_-" or value.strip(f"{value[0]} \t"):
        return False
    return value.count(value[0]) >= _SHORTEST_RULE


def is_hash(value: str) -> bool:
    """Tell whether a line looks like a heading, and is none."""
    return value[0] == "#" and not (_HEADING.match(value) or _GLUED.match(value))


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
