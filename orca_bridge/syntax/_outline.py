"""Items to definitions and blocks: which heading starts what, and which lines stand below it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ._names import unmarked
from ._scanner import Item, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._source import Text

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
_SECTION = re.compile(r"([a-z_]+)\s*:?\s*(?:\([^()]*\))?\s*:?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and what it announces."""

    role: Role
    text: Text
    """The name of the definition, the name and tail of a state or region, otherwise the whole heading."""
    level: int
    section: str = ""
    """The section in its standard spelling."""
    odd: str = ""
    """What to write so that all tools know the heading."""


@dataclass(slots=True)
class Block:
    """The lines below one heading, up to the next."""

    heading: Heading
    items: list[Item] = field(default_factory=list)

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


@dataclass(frozen=True, slots=True)
class Intruder:
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


def outline(items: Sequence[Item]) -> Outline:
    """Sort the items below their headings."""
    builder = _Builder()
    for item in items:
        builder.add(item)
    return builder.outline


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


class _Builder:
    def __init__(self) -> None:
        self.outline = Outline()
        self.definition: Definition | None = None
        self.block: Block | None = None
        self.foreign: Heading | None = None

    def add(self, item: Item) -> None:
        if item.kind is Kind.HEADING:
            self.add_heading(heading_of(item))
        elif self.block is not None:
            self.block.items.append(item)
        if self.definition is not None:
            self.definition.last_line = item.text.line

    def add_heading(self, heading: Heading) -> None:
        if heading.role in {"machine", "decision_table"}:
            self.foreign = None
            self.block = Block(heading)
            self.definition = Definition(self.block)
            self.outline.definitions.append(self.definition)
        elif heading.role == "other" and heading.level == 1:
            self.foreign, self.block = heading, None
        elif self.foreign is not None and heading.role != "other":
            self.outline.intruders.append(Intruder(self.foreign, heading, self.definition))
            self.foreign = None
        elif self.definition is not None and (self.block is not None):
            self.block = Block(heading)
            self.definition.blocks.append(self.block)


def _same(first: Item, second: Item) -> bool:
    return (first.kind is Kind.QUOTE) == (second.kind is Kind.QUOTE)
