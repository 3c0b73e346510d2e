"""
One machine: its blocks to the readers of their sections, and what they read to a definition.

`SECTIONS` is the table of section readers, in the order in which they need each other's results: guards use
fields, transitions use everything. A new section is a new entry there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from orca_bridge.definition import EventDefinition, MachineDefinition

from ._actions import read_actions
from ._bullets import keyed, looks_like_state_bullet, quoted_move, read_bullet, read_plain_bullet, report_unknown
from ._context import read_context
from ._diagnostics import OL
from ._draft import Draft
from ._effects import read_effects, read_returns_table
from ._events import read_events, report_marker
from ._guard_table import read_guards
from ._outcomes import settle_outcomes
from ._outline import MACHINE_SECTIONS, is_plain_bullet
from ._properties import collect_properties
from ._scanner import Kind
from ._states import StateTree
from ._transitions import ANY, collect_rows, known_events, resolve_moves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orca_bridge.definition import TransitionDefinition

    from ._diagnostics import Findings
    from ._nodes import Node
    from ._outline import Block, Definition
    from ._scanner import Item
    from ._source import Text

SectionReader: TypeAlias = "Callable[[Draft, Sequence[Block]], None]"

_OUTPUT_COLUMN = re.compile(r"\|\s*(?:\N{RIGHTWARDS ARROW}|->)")
_COLON = re.compile(r"(state|region)\s*:\s*(.+)", re.IGNORECASE)
_NUMBERED = re.compile(r"\d+[.)]\s+")


def read_machine(definition: Definition, findings: Findings) -> MachineDefinition | None:
    """Read one machine, or report everything that keeps it from being read."""
    draft = Draft(findings, StateTree(findings))
    preamble = _read_preamble(definition.own, draft)
    sections = _sort_blocks(definition, draft)
    draft.states.check()
    for name, reader in SECTIONS.items():
        if name in sections:
            reader(draft, sections[name])
    found = finish(definition.name, draft, preamble, partial(collect_properties, draft, sections["properties"]))
    _check_quotes(draft, draft.transitions)
    return None if findings.failed else found


@dataclass(slots=True)
class Preamble:
    """What stands directly below the heading of a machine."""

    version: str = "0.1.0"
    description: str = ""
    others: list[str] = field(default_factory=list)


def finish(
    name: Text, draft: Draft, preamble: Preamble, read_properties: Callable[[], None] = lambda: None
) -> MachineDefinition | None:
    """Settle what names mean now that all of them are known, and freeze the machine."""
    if not list(draft.states):
        draft.findings.error("NO_STATES", "the machine has no state", name, "add '## state idle [initial]'")
    waiting = [node for node in draft.states if node.waits]
    settle_outcomes(waiting, draft, known_events(draft) if waiting else frozenset())
    draft.transitions = resolve_moves(draft)
    read_properties()
    if draft.findings.failed:
        return None
    return MachineDefinition(
        name=name.value,
        version=preamble.version,
        description=preamble.description,
        context=tuple(draft.fields.values()),
        events=tuple(draft.events.values()) or tuple(_inferred(draft.transitions)),
        states=tuple(node.definition() for node in draft.states.roots),
        transitions=draft.transitions,
        guards=tuple(draft.guards.values()),
        actions=tuple(draft.actions.values()),
        span=name.span,
        effects=tuple(draft.effects.values()),
        returns=tuple(draft.returns.values()),
        properties=tuple(draft.properties),
        others=tuple(preamble.others),
    )


def _read_preamble(block: Block, draft: Draft) -> Preamble:
    """Read what stands directly below the heading."""
    if block.is_blank():
        return Preamble()
    found = Preamble(description="\n\n".join(_prose(block)))
    for item in block.of(Kind.BULLET):
        report_marker(item, draft.findings)
        bullet = keyed(item.text)
        if bullet.key == "version" and bullet.value.value:
            found.version = bullet.value.value
        else:
            found.others.append(item.text.value)
            report_unknown(bullet, ["version"], draft)
    _report_stray_rows(block, draft)
    return found


def _prose(block: Block) -> Iterator[str]:
    for group in block.paragraphs():
        yield "\n".join(item.text.value for item in group)


def _sort_blocks(definition: Definition, draft: Draft) -> dict[str, list[Block]]:
    """Build the states, set the sections aside, and report what is neither."""
    sections: dict[str, list[Block]] = defaultdict(list)
    for block in definition.blocks:
        heading = block.heading
        if heading.role in {"state", "region"}:
            _read_state(block, draft.states.add(heading), draft)
        elif heading.section == "states":
            _check_content(block, draft, Kind.BULLET)
            for item in block.of(Kind.BULLET):
                draft.states.add_listed(item.text)
        elif heading.section in SECTIONS:
            _check_content(block, draft, *_CONTENT.get(heading.section, (Kind.ROW,)))
            if heading.section in sections:
                message = f"of several sections {heading.section!r} orca-lang reads the last"
                draft.findings.portability("PORT_REPEATED_SECTION", message, heading.text, "put both together", OL)
            sections[heading.section].append(block)
        else:
            _read_unknown(block, draft)
    return sections


def _read_state(block: Block, node: Node, draft: Draft) -> None:
    if node.kind == "state" and _read_plain_state(block, node, draft):
        return
    _read_quotes(block, node, draft)
    for item in block.of(Kind.BULLET):
        report_marker(item, draft.findings)
        read_bullet(item.text, node, draft)
    for item in block.items:
        _report_stray_text(item, draft)
    _report_stray_rows(block, draft)


def _read_plain_state(block: Block, node: Node, draft: Draft) -> bool:
    """Read a blockquote of any length and bullets that begin with '-'; false, with nothing done, if more is there."""
    found = block.plain_lines()
    if found is None:
        return False
    quotes: list[int] = []
    bullets: list[int] = []
    for number, value in enumerate(found[1], found[0]):
        if not value:
            continue
        if value[0] == ">":
            quotes.append(number)
        elif is_plain_bullet(value):
            bullets.append(number)
        else:
            return False
    if quotes and quotes[-1] - quotes[0] >= len(quotes):
        return False
    node.quotes += [block.behind_marker(number) for number in quotes]
    for number in bullets:
        if not read_plain_bullet(block.text(number), node):
            read_bullet(block.behind_marker(number), node, draft)
    return True


def _read_quotes(block: Block, node: Node, draft: Draft) -> None:
    above: Item | None = None
    for item in block.of(Kind.QUOTE):
        if above is not None and item.text.line > above.text.line + 1:
            message = "of several blockquotes other tools read the last"
            draft.findings.portability("PORT_STATE_TEXT", message, item.text, "put them together")
        elif node.kind == "region":
            message = "other tools lose the text of a region"
            draft.findings.portability("PORT_REGION", message, item.text, "describe the state around it")
        node.quotes.append(item.text)
        above = item


def _read_unknown(block: Block, draft: Draft) -> None:
    heading = block.heading
    rows = block.of(Kind.ROW)
    near = draft.findings.nearest(heading.text.value.lower(), MACHINE_SECTIONS)
    suggestion = f"write '## {near}'" if near else f"known here: {', '.join(MACHINE_SECTIONS)}"
    node = _COLON.match(heading.text.value)
    if node:
        suggestion = f"write '{'#' * heading.level} {node[1].lower()} {node[2]}'"
    if heading.section or (rows and _OUTPUT_COLUMN.search(rows[0].text.value)):
        suggestion = "begin a decision table with '# decision_table Name'"
    message = f"the section {heading.text.value!r} is unknown and ignored"
    draft.findings.warning("UNKNOWN_SECTION", message, heading.text, suggestion)
    for item in block.of(Kind.BULLET):
        if looks_like_state_bullet(item.text):
            message = "this bullet stands below an unknown heading and belongs to no state"
            suggestion = "move it below the heading of its state"
            draft.findings.warning("STRAY_CONTENT", message, item.text, suggestion)


def _check_content(block: Block, draft: Draft, *kinds: Kind) -> None:
    """Report a section without content, and content that its section cannot hold."""
    if (Kind.ROW in kinds and block.plain_table()) or (Kind.BULLET in kinds and block.plain_list()):
        return
    found = {item.kind for item in block.items}
    heading = block.heading
    if not found & set(kinds):
        what = " or ".join("a table" if kind is Kind.ROW else "bullets" for kind in kinds)
        message = f"the section {heading.section!r} holds nothing that can be read, which would be {what}"
        fenced = Kind.FENCE in found and heading.section != "states"
        suggestion = "remove the code fence around its content" if fenced else "fill it or remove the heading"
        draft.findings.warning("SECTION_EMPTY", message, heading.text, suggestion)
    if Kind.BULLET not in kinds:
        for item in block.of(Kind.BULLET):
            message = f"a bullet means nothing in the section {heading.section!r} and is ignored"
            draft.findings.warning("UNKNOWN_BULLET", message, item.text, "write a row of the table")
    if Kind.ROW not in kinds:
        _report_stray_rows(block, draft)


def _report_stray_text(item: Item, draft: Draft) -> None:
    """Report a paragraph that was meant to be a bullet; other prose means nothing, and need not."""
    if item.kind is not Kind.TEXT:
        return
    lead = _NUMBERED.match(item.text.value)
    text = item.text.cut(lead.end()) if lead else item.text
    if ":" in text.value and looks_like_state_bullet(text):
        message = "this line is no bullet and means nothing"
        draft.findings.warning("STRAY_CONTENT", message, item.text, f"write '- {text.value}'")


def _report_stray_rows(block: Block, draft: Draft) -> None:
    rows = block.of(Kind.ROW)
    if rows:
        message = "a table means nothing here and is ignored"
        draft.findings.warning("STRAY_CONTENT", message, rows[0].text, "put it below the heading of its section")


def _check_quotes(draft: Draft, transitions: Sequence[TransitionDefinition]) -> None:
    """Report transitions that stand in a blockquote only."""
    known = {(found.source, found.event, found.target) for found in transitions}
    for node in draft.states:
        for text in node.quotes:
            move = quoted_move(text) if "->" in text.value else None
            if move is None:
                continue
            event, target = move
            paths = [found.path for found in draft.states.candidates(target)] or [target]
            if any((source, event, path) in known for path in paths for source in (node.path, ANY)):
                continue
            report = draft.findings.warning if draft.moves else draft.findings.error
            message = "a blockquote is documentation: this is no transition"
            report(
                "BLOCKQUOTE_TRANSITION",
                message,
                text,
                f"add the row | {node.name} | {event} | | {target} | |",
            )


def _inferred(transitions: Sequence[TransitionDefinition]) -> Iterator[EventDefinition]:
    """Without declarations the events are those that rows use."""
    spans = {name: found.span for found in reversed(transitions) if (name := found.event)}
    ordered = dict.fromkeys(found.event for found in transitions)
    for name in ordered:
        if name is not None and name != ANY and "." not in name:
            yield EventDefinition(name, span=spans[name], inferred=True)


SECTIONS: dict[str, SectionReader] = {
    "context": read_context,
    "events": read_events,
    "guards": read_guards,
    "actions": read_actions,
    "transitions": collect_rows,
    "effects": read_effects,
    "returns": read_returns_table,
    # Read last, when the transitions are known.
    "properties": lambda _draft, _blocks: None,
}
_CONTENT = {"events": (Kind.BULLET, Kind.ROW), "properties": (Kind.BULLET,)}
