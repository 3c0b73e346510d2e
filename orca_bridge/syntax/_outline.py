"""Items to definitions and blocks: which heading starts what, and which lines stand below it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

from ._names import unmarked
from ._scanner import Item, Kind, is_hash, is_separator
from ._source import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._scanner import Scan

Role: TypeAlias = Literal["machine", "decision_table", "state", "region", "section", "other"]

MACHINE_SECTIONS = (
    "context",
    "events",
    "transitions",
    "guards",
    "actions",
    "effects",
    "properties",
    "returns",
    "states",
)
TABLE_SECTIONS = ("conditions", "rules", "metadata")
_SPELLINGS = {name: name for name in (*MACHINE_SECTIONS, *TABLE_SECTIONS)} | {
    "event": "events",
    "transition": "transitions",
    "guard": "guards",
    "action": "actions",
    "effect": "effects",
    "property": "properties",
    "return": "returns",
    "state": "states",
    "condition": "conditions",
    "rule": "rules",
    "contexts": "context",
}
_DEFINITION = re.compile(r"(machine|decision_table)(?:\s*:\s*|\s+)(?=\S)", re.IGNORECASE)
_NODE = re.compile(r"(state|region)\s+(?=\S)", re.IGNORECASE)
_PLAIN = re.compile(
    r"(#{1,6})[ \t]+(?:"
    r"(context|events|transitions|guards|actions|effects|properties|returns|conditions|rules|metadata)"
    r"|(state|region|machine|decision_table)[ \t]+(([A-Za-z]\w*)(?:[ \t]+\[(initial|final)\])?|[A-Za-z][^#]*))",
    re.ASCII,
)
# Also "- - -" and what lacks a blank begin with a dash.
_PLAIN_BULLET = re.compile(r"- +\w")
# The constructor of a named tuple costs as much as all the rest of a heading.
_new = tuple.__new__
_SECTION = re.compile(r"([a-z_]+)\s*:?\s*(?:\([^()]*\))?\s*:?", re.IGNORECASE)


class Heading(NamedTuple):
    """A heading and what it announces."""

    role: Role
    text: Text
    """The name of the definition, the name and tail of a state or region, otherwise the whole heading."""
    level: int
    section: str = ""
    """The section in its standard spelling."""
    odd: str = ""
    """What to write so that all tools know the heading."""
    name: Text | None = None
    """The name of a state, if nothing but one annotation follows it."""
    mark: str = ""
    """That annotation."""


class Block:
    """The lines below one heading, up to the next."""

    __slots__ = ("_items", "_scan", "_table", "heading", "stop")

    def __init__(self, heading: Heading, scan: Scan) -> None:
        self.heading = heading
        self.stop = len(scan.lines) + 1
        """The line behind the last."""
        self._scan = scan
        self._items: list[Item] | None = None
        # Not looked for yet, as opposed to None.
        self._table: tuple[int, list[str]] | Literal[False] | None = False

    def __repr__(self) -> str:
        """Name the heading."""
        return f"<Block below {self.heading.text.value!r}>"

    @property
    def items(self) -> list[Item]:
        """The lines, classified."""
        if self._items is None:
            self._items = self._scan.between(self.heading.text.line + 1, self.stop)
        return self._items

    def plain_lines(self) -> tuple[int, list[str]] | None:
        """Number the first line, and give all without blank ones at the ends; None if one is not what it looks like."""
        first, stop, values = self.heading.text.line + 1, self.stop, self._scan.values
        if not self._scan.is_plain_between(first, stop):
            return None
        while first < stop and not values[first - 1]:
            first += 1
        # What separates this definition from the next stands in its last block, and means nothing there.
        while first < stop and (not (last := values[stop - 2]) or (last[:3] == "---" and is_separator(last))):
            stop -= 1
        return first, values[first - 1 : stop - 1]

    def is_blank(self) -> bool:
        """Tell whether nothing at all stands in the block."""
        found = self.plain_lines()
        return found is not None and not found[1]

    def plain_table(self) -> tuple[int, list[str]] | None:
        """Give the lines of a block that holds one table and nothing else, with bars at both ends of each row."""
        if self._table is False:
            self._table = self._find_table()
        return self._table

    def _find_table(self) -> tuple[int, list[str]] | None:
        found = self.plain_lines()
        if found is None or not found[1] or "" in found[1]:
            return None
        return None if [value for value in found[1] if value[0] != "|" or value[-1] != "|"] else found

    def plain_list(self) -> tuple[int, list[str]] | None:
        """Give the lines of a block that holds one list of bullets and nothing else."""
        found = self.plain_lines()
        if found is None or not found[1] or "" in found[1]:
            return None
        return found if all(map(is_plain_bullet, found[1])) else None

    def may_hold(self, word: str) -> bool:
        """Tell whether a word in small letters may stand in the block, in whatever case."""
        text = "\n".join(self._scan.values[self.heading.text.line : self.stop - 1])
        return word in text.lower() or not text.isascii()

    def text(self, number: int) -> Text:
        """Give a line of a plain block."""
        return self._scan.text(number)

    def behind_marker(self, number: int) -> Text:
        """Give what follows the marker of a bullet or blockquote in a plain block."""
        line, value = self._scan.lines[number - 1], self._scan.values[number - 1]
        bare = value[1:].lstrip()
        stop = len(value) if len(line) == len(value) else len(line.rstrip())
        return _new(Text, (bare, number, stop - len(bare) + 1, None, None))

    def is_flush(self, number: int, values: list[str]) -> bool:
        """Tell whether the lines from one on are these, without white space around."""
        return self._scan.lines[number - 1 : number - 1 + len(values)] == tuple(values)

    def column(self, number: int) -> int:
        """Give the column of the first character of a line of a plain block, which is not blank."""
        line = self._scan.lines[number - 1]
        return len(line) - len(line.lstrip()) + 1 if line[0].isspace() else 1

    def of(self, kind: Kind) -> list[Item]:
        """Give the items of one kind."""
        return [item for item in self.items if item.kind is kind]

    def paragraphs(self) -> Iterator[list[Item]]:
        """Group the prose and quotes that stand directly below each other."""
        group: list[Item] = []
        for item in self.items:
            if item.kind in {Kind.TEXT, Kind.HASH, Kind.QUOTE} and (not group or _same(group[-1], item)):
                group.append(item)
                continue
            if group:
                yield group
            group = [item] if item.kind in {Kind.TEXT, Kind.HASH, Kind.QUOTE} else []
        if group:
            yield group


@dataclass(slots=True)
class Definition:
    """A machine or decision table: the block of its own heading and the blocks of all headings below."""

    own: Block
    blocks: list[Block] = field(default_factory=list)
    last_line: int = 0

    @property
    def name(self) -> Text:
        """The name in its heading."""
        return self.own.heading.text

    @property
    def sections(self) -> Sequence[str]:
        """The sections that mean something here."""
        return MACHINE_SECTIONS if self.is_machine else ("actions", *TABLE_SECTIONS)

    @property
    def is_machine(self) -> bool:
        """Whether this is a machine and not a decision table."""
        return self.own.heading.role == "machine"


class Intruder(NamedTuple):
    """A foreign top-level heading that took the headings below it away from a definition."""

    heading: Heading
    lost: Heading
    """The first heading of the language below it."""
    definition: Definition | None
    """The definition it ended."""


@dataclass(slots=True)
class Outline:
    """What a file consists of."""

    definitions: list[Definition] = field(default_factory=list)
    intruders: list[Intruder] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)
    """In a plain file the lines that look like headings, and are none."""


def outline(scan: Scan) -> Outline:
    """Sort the lines below their headings."""
    builder = _Builder(scan)
    for number in scan.marks():
        heading = plain_heading(scan, number) if scan.is_plain else None
        if heading is not None:
            builder.add_heading(heading)
        elif scan.is_plain and is_hash(scan.values[number - 1]):
            builder.outline.hashes.append(number)
        elif (item := scan.item(number)).kind is Kind.HEADING:
            builder.add_heading(heading_of(item))
    builder.end(len(scan.lines) + 1)
    return builder.outline


def plain_heading(scan: Scan, number: int) -> Heading | None:
    """Read a heading as nearly all are written; None if it is another one."""
    value, line = scan.values[number - 1], scan.lines[number - 1]
    match = _PLAIN.fullmatch(value)
    if match is None:
        return None
    marker, section, role, tail, name, mark = match.groups()
    before = 1 if line[0] == "#" else len(line) - len(line.lstrip()) + 1
    if section:
        return Heading("section", Text(section, number, before + match.start(2)), len(marker), section)
    column = before + match.start(4)
    text = _new(Text, (tail, number, column, None, None))
    if role == "state":
        written = _new(Text, (name, number, column, None, None)) if mark else text
        return _new(Heading, ("state", text, len(marker), "", "", written if name else None, mark or ""))
    if role == "region" or len(marker) == 1:
        return Heading(cast("Role", role), text, len(marker))
    return None


def heading_of(item: Item) -> Heading:
    """Say what a heading announces."""
    text = item.text
    definition = _DEFINITION.match(text.value)
    if definition:
        word = definition[1].lower()
        name = unmarked(text.cut(definition.end()))
        is_odd = item.glued or item.closed or item.level != 1 or not definition[0].startswith(f"{word} ")
        role: Role = "machine" if word == "machine" else "decision_table"
        return Heading(role, name, item.level, odd=f"# {word} {name.value}" if is_odd else "")
    node = _NODE.match(text.value)
    if node:
        word = node[1].lower()
        is_odd = item.glued or (item.closed and word == "region") or node[1] != word
        odd = f"{item.marker} {word} {text.value[node.end() :]}" if is_odd else ""
        return Heading("state" if word == "state" else "region", text.cut(node.end()), item.level, odd=odd)
    section = _SECTION.fullmatch(text.value)
    known = _SPELLINGS.get(section[1].lower()) if section else None
    if known:
        is_odd = item.glued or item.closed or text.value.lower() != known or known == "states"
        odd = f"{item.marker} {'state name' if known == 'states' else known}" if is_odd else ""
        return Heading("section", text, item.level, known, odd)
    return Heading("other", text, item.level)


def is_plain_bullet(value: str) -> bool:
    """Tell whether a line is a bullet whatever stands around it."""
    return _PLAIN_BULLET.match(value) is not None and "|" not in value


class _Builder:
    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.outline = Outline()
        self.definition: Definition | None = None
        self.block: Block | None = None
        self.foreign: Heading | None = None

    def end(self, line: int) -> None:
        """Take note of the line behind the file."""
        if self.definition is not None:
            self.definition.last_line = line - 1
        if self.block is not None:
            self.block.stop = line

    def add_heading(self, heading: Heading) -> None:
        if self.block is not None:
            self.block.stop = heading.text.line
        if heading.role in {"machine", "decision_table"}:
            if self.definition is not None:
                self.definition.last_line = heading.text.line - 1
            self.foreign = None
            self.block = Block(heading, self.scan)
            self.definition = Definition(self.block)
            self.outline.definitions.append(self.definition)
        elif heading.role == "other" and heading.level == 1:
            self.foreign, self.block = heading, None
        elif self.foreign is not None and heading.role != "other":
            self.outline.intruders.append(Intruder(self.foreign, heading, self.definition))
            self.foreign = None
        elif self.definition is not None and (self.block is not None):
            self.block = Block(heading, self.scan)
            self.definition.blocks.append(self.block)


def _same(first: Item, second: Item) -> bool:
    return (first.kind is Kind.QUOTE) == (second.kind is Kind.QUOTE)
