"""
One machine: its blocks to the readers of their sections, and what they read to a definition.

`SECTIONS` is the table of section readers, in the order in which they need each other's results: guards use
fields, transitions use everything. A new section is a new entry there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from orca_bridge.definition import EventDefinition, MachineDefinition

from ._actions import read_actions
from ._bullets import keyed, looks_like_state_bullet, quoted_move, read_bullet, report_unknown
from ._context import read_context
from ._draft import Draft
from ._events import read_events
from ._guard_table import read_guards
from ._outline import MACHINE_SECTIONS
from ._scanner import Kind
from ._states import Node, StateTree
from ._transitions import ANY, collect_rows, resolve_moves
from ._unsupported import not_supported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orca_bridge.definition import TransitionDefinition

    from ._diagnostics import Findings
    from ._outline import Block, Definition
    from ._scanner import Item

SectionReader: TypeAlias = "Callable[[Draft, Sequence[Block]], None]"

_OUTPUT_COLUMN = re.compile(r"\|\s*(?:\N{RIGHTWARDS ARROW}|->)")
_COLON = re.compile(r"(state|region)\s*:\s*(.+)", re.IGNORECASE)
_NUMBERED = re.compile(r"\d+[.)]\s+")
_VERSION = "0.1.0"


def read_machine(definition: Definition, findings: Findings) -> MachineDefinition | None:
    """Read one machine, or report everything that keeps it from being read."""
    draft = Draft(findings, StateTree(findings))
    version, description = _read_preamble(definition.own, draft)
    sections = _sort_blocks(definition, draft)
    if not list(draft.states):
        message = "the machine has no state"
        findings.error("NO_STATES", message, definition.name, "add '## state idle [initial]'")
    draft.states.check()
    for name, reader in SECTIONS.items():
        if name in sections:
            reader(draft, sections[name])
    transitions = resolve_moves(draft)
    _check_quotes(draft, transitions)
    if findings.failed:
        return None
    return MachineDefinition(
        name=definition.name.value,
        version=version,
        description=description,
        context=tuple(draft.fields.values()),
        events=tuple(draft.events.values()) or tuple(_inferred(transitions)),
        states=tuple(node.definition() for node in draft.states.roots),
        transitions=transitions,
        guards=tuple(draft.guards.values()),
        actions=tuple(draft.actions.values()),
        span=definition.name.span,
    )


def _read_preamble(block: Block, draft: Draft) -> tuple[str, str]:
    """Read what stands directly below the heading."""
    version = _VERSION
    for item in block.of(Kind.BULLET):
        bullet = keyed(item.text)
        if bullet.key == "version" and bullet.value.value:
            version = bullet.value.value
        else:
            report_unknown(bullet, ["version"], draft)
    _report_stray_rows(block, draft)
    return version, "\n\n".join(_prose(block))


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
            sections[heading.section].append(block)
        else:
            _read_unknown(block, draft)
    return sections


def _read_state(block: Block, node: Node, draft: Draft) -> None:
    node.quotes += [item.text for item in block.of(Kind.QUOTE)]
    for item in block.of(Kind.BULLET):
        read_bullet(item.text, node, draft)
    for item in block.items:
        _report_stray_text(item, draft)
    _report_stray_rows(block, draft)


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
            move = quoted_move(text)
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


def _later(construct: str, meanwhile: str) -> SectionReader:
    def refuse(draft: Draft, blocks: Sequence[Block]) -> None:
        for block in blocks:
            not_supported(draft.findings, construct, block.heading.text, meanwhile)

    return refuse


SECTIONS: dict[str, SectionReader] = {
    "context": read_context,
    "events": read_events,
    "guards": read_guards,
    "actions": read_actions,
    "transitions": collect_rows,
    "effects": _later("the section 'effects'", "remove it and do the work in actions"),
    "properties": _later("the section 'properties'", "remove it and check the machine in a test"),
    "returns": _later("the section 'returns'", "remove it and read the context of the finished machine"),
}
_CONTENT = {"events": (Kind.BULLET, Kind.ROW), "properties": (Kind.BULLET,)}
