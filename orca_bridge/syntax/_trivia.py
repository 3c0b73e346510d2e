"""
What stands in a document and means nothing: prose, comments, code, unknown sections, front matter.

Whoever writes the document again puts it back behind what it followed: a heading, known by its line, or a section,
known by its name.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._brace_tokens import comments_of
from ._outline import Definition, outline
from ._reader import is_brace
from ._scanner import Item, Kind, scan
from ._source import decode, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ALWAYS = frozenset({Kind.TEXT, Kind.HASH, Kind.FENCE, Kind.RULE})
_IN_TABLES = _ALWAYS | {Kind.QUOTE, Kind.BULLET}
_STATES = frozenset({"state", "region"})
_LISTS = frozenset({"events", "properties", "states", "metadata"})


@dataclass(slots=True)
class DefinitionTrivia:
    """What means nothing in one machine or decision table."""

    line: int
    """Where its heading stands."""
    below: Mapping[int, list[str]] = field(default_factory=dict)
    """By the line of a heading: its own, or that of a state or region."""
    sections: Mapping[str, list[str]] = field(default_factory=dict)
    """By section; every section of the definition is here, if only with nothing."""
    after: list[str] = field(default_factory=list)
    """Behind it, up to the next definition."""


@dataclass(slots=True)
class Trivia:
    """What means nothing in a file."""

    before: list[str] = field(default_factory=list)
    """Up to the first definition, front matter included."""
    definitions: list[DefinitionTrivia] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    """The comments of brace text, with their lines."""


def trivia_of(text: str | bytes, name: str = "<string>") -> Trivia:
    """Collect what means nothing in a document; its lines are kept as they are, without the white space around."""
    decoded, _ = decode(text, len(text) * 4)
    lines = split_lines(decoded)
    if is_brace(lines, name):
        return Trivia(comments=comments_of(lines))
    scanned = scan(lines)
    return _Collector(scanned.items, lines, outline(scanned).definitions).collect()


class _Collector:
    def __init__(self, items: Sequence[Item], lines: Sequence[str], definitions: Sequence[Definition]) -> None:
        self.items = {item.text.line: item for item in items}
        self.lines = lines
        self.definitions = definitions
        self.comments = _comments(items, lines)

    def collect(self) -> Trivia:
        starts = [definition.name.line for definition in self.definitions]
        ends = [*starts[1:], len(self.lines) + 1]
        before = self.whole(range(1, starts[0] if starts else len(self.lines) + 1))
        pairs = zip(self.definitions, ends, strict=True)
        return Trivia(before, [self.definition(definition, end) for definition, end in pairs])

    def definition(self, definition: Definition, end: int) -> DefinitionTrivia:
        below: dict[int, list[str]] = defaultdict(list)
        sections: dict[str, list[str]] = {}
        target = below[definition.name.line]
        blocks = [definition.own, *definition.blocks]
        reached = definition.name.line
        for block, following in zip(blocks, [*blocks[1:], None], strict=True):
            heading, line = block.heading, block.heading.text.line
            stop = following.heading.text.line if following is not None else self.foreign(line, end)
            numbers = range(line, stop)
            if block is definition.own:
                target += self.meaningless(numbers, _ALWAYS - {Kind.TEXT, Kind.HASH})
            elif heading.role in _STATES:
                target = below[line]
                target += self.meaningless(numbers, _ALWAYS)
            elif heading.section == "states" and definition.is_machine:
                listed = [item.text.line for item in block.of(Kind.BULLET)]
                target = below[listed[-1]] if listed else target
                target += self.listed(numbers) if listed else ["", *self.whole(numbers)]
            elif heading.section in definition.sections:
                target = sections.setdefault(heading.section, [])
                kinds = _ALWAYS | {Kind.QUOTE} if heading.section in _LISTS else _IN_TABLES
                target += self.meaningless(numbers, kinds)
            else:
                target += ["", *self.whole(range(line, stop))]
            reached = stop
        return DefinitionTrivia(definition.name.line, below, sections, self.whole(range(reached, end)))

    def listed(self, numbers: Iterable[int]) -> list[str]:
        """Give what stands around listed states; below the heading of a state a blockquote would describe it."""
        lines = self.meaningless(numbers, _ALWAYS | {Kind.QUOTE})
        return [f"<!-- {line.replace('--', '- -')} -->" if line.startswith(">") else line for line in lines]

    def foreign(self, line: int, end: int) -> int:
        """Find the foreign heading that ends the last block, or the end of the definition."""
        for number in range(line + 1, end):
            item = self.items[number]
            if item.kind is Kind.HEADING:
                return number
        return end

    def whole(self, numbers: Iterable[int]) -> list[str]:
        """Give lines as they are, without separators at the ends."""
        kept = list(numbers)
        blank = {Kind.BLANK, Kind.SEPARATOR}
        while kept and self.items[kept[-1]].kind in blank:
            kept.pop()
        while kept and self.items[kept[0]].kind in blank:
            kept.pop(0)
        return [self.lines[number - 1].strip() for number in kept]

    def meaningless(self, numbers: Iterable[int], kinds: frozenset[Kind]) -> list[str]:
        """Give the lines of some kinds, and all comments; a blank line stands where others are left out."""
        found: list[str] = []
        last = 0
        for number in numbers:
            item = self.items[number]
            kept = [_line(item, self.lines)] if item.kind in kinds else []
            kept = [*self.comments.get(number, ()), *kept]
            if kept and last != number - 1:
                found.append("")
            if kept:
                found += kept
                last = number
        return found


def _line(item: Item, lines: Sequence[str]) -> str:
    if item.kind is Kind.QUOTE:
        return f"> {item.text.value}".rstrip()
    if item.kind is Kind.BULLET:
        return f"- {item.text.value}"
    if item.kind is Kind.FENCE:
        return lines[item.text.line - 1].strip() if "<!--" not in lines[item.text.line - 1] else item.text.value
    return item.text.value


def _comments(items: Sequence[Item], lines: Sequence[str]) -> dict[int, list[str]]:
    """Give the text of every comment by the line it begins in."""
    found: dict[int, list[str]] = defaultdict(list)
    begun: list[str] | None = None
    start = 0
    for item in items:
        line = item.text.line
        raw = lines[line - 1].strip()
        if begun is None and (item.kind in {Kind.FENCE, Kind.FRONT_MATTER} or "<!--" not in raw):
            continue
        position = 0
        while position <= len(raw):
            if begun is None:
                opening = raw.find("<!--", position)
                if opening < 0:
                    break
                begun, start, position = [], line, opening
            closing = raw.find("-->", position + (4 if start == line and raw.startswith("<!--", position) else 0))
            if closing < 0:
                begun.append(raw[position:])
                break
            begun.append(raw[position : closing + 3])
            found[start] += begun
            begun, position = None, closing + 3
    return found
