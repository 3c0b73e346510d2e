"""
Canonical Markdown (exports.md 4).

What is written is read as an equal definition, and written again it is the same text. Order matters among
transitions, and in the canonical layout all bullets of states stand above the table: a bullet that stood behind a
row in the document it came from becomes a row itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orca_bridge.definition import (
    DecisionTable,
    Document,
    MachineDefinition,
    StateDefinition,
    TransitionDefinition,
)
from orca_bridge.exceptions import WritingError

from ._cells import action_signature, cell, literal, parameters, table, ticked, type_text, updates
from ._states import bullets, depth_of, heading, place, quoted, walk
from ._tables import decision_sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orca_bridge.definition import Others, Span
    from orca_bridge.syntax import DefinitionTrivia, Trivia

__all__ = ("to_markdown",)

_BASE = 2
_DEEPEST = 6
_EFFECT = re.compile(r"Effect\s*<\s*([^,>]+)")
# What the reader takes off the start and the end of a description.
_LEADS = (":", "-", "\N{EN DASH}", "\N{EM DASH}", "(", '"', "'")


def to_markdown(document: Document, trivia: Trivia | None = None) -> str:
    """
    Write a document as canonical Markdown.

    Args:
        document: What is written. Places in it only give an order to definitions and comments.
        trivia: What else its text holds, to be put back where it was.

    Raises:
        WritingError: States nest deeper than Markdown has headings.
    """
    definitions: list[MachineDefinition | DecisionTable] = [*document.machines, *document.tables]
    definitions.sort(key=lambda found: place(found.span))
    kept = {found.line: found for found in trivia.definitions} if trivia is not None else {}
    blocks: list[list[str]] = [[*trivia.before]] if trivia is not None and trivia.before else []
    for index, definition in enumerate(definitions):
        own = kept.get(definition.span.line) if definition.span is not None else None
        separator = [["---"]] if index else []
        comments = _Comments(definition, trivia, definitions)
        blocks += [*separator, *_definition(definition, own, comments)]
        blocks += [[*own.after]] if own is not None and own.after else []
    return "\n\n".join("\n".join(_trimmed(block)) for block in blocks if _trimmed(block)) + "\n"


def _trimmed(lines: Sequence[str]) -> list[str]:
    """Drop blank lines at both ends."""
    found = list(lines)
    while found and not found[0]:
        found.pop(0)
    while found and not found[-1]:
        found.pop()
    return found


class _Comments:
    """The comments of brace text, by the line of what they stand above."""

    def __init__(
        self,
        definition: MachineDefinition | DecisionTable,
        trivia: Trivia | None,
        definitions: Sequence[MachineDefinition | DecisionTable],
    ) -> None:
        comments = trivia.comments if trivia is not None else []
        line = definition.span.line if definition.span is not None else 0
        later = [other.span.line for other in definitions if other.span is not None and other.span.line > line]
        first = definition is definitions[0]
        stop = min(later, default=1 << 60)
        self.waiting = [comment for comment in comments if (first or comment[0] >= line) and comment[0] < stop]

    def above(self, line: int | None) -> list[str]:
        """Take the comments that stand above a line."""
        taken = [text for number, text in self.waiting if line is None or number <= line]
        self.waiting = [comment for comment in self.waiting if line is not None and comment[0] > line]
        return [f"<!-- {text.replace('--', '- -')} -->" for text in taken if text]


def _definition(
    definition: MachineDefinition | DecisionTable, own: DefinitionTrivia | None, comments: _Comments
) -> Iterator[list[str]]:
    is_machine = isinstance(definition, MachineDefinition)
    yield [f"# {'machine' if is_machine else 'decision_table'} {definition.name}"]
    yield quoted(definition.description)
    if isinstance(definition, MachineDefinition):
        yield _preamble(definition)
        yield _below(own, definition.span.line if definition.span is not None else 0)
        yield from _machine(definition, own, comments)
    else:
        yield _below(own, definition.span.line if definition.span is not None else 0)
        for name, lines in decision_sections(definition):
            yield from _section(name, lines, own, [])
        yield from _section("metadata", [], own, [])


def _preamble(machine: MachineDefinition) -> list[str]:
    version = [f"- version: {machine.version}"] if machine.version != "0.1.0" else []
    return [*version, *(f"- {other}" for other in machine.others)]


def _below(own: DefinitionTrivia | None, line: int) -> list[str]:
    return _trimmed(own.below.get(line, [])) if own is not None else []


def _section(
    name: str, lines: Sequence[str], own: DefinitionTrivia | None, above: Sequence[str]
) -> Iterator[list[str]]:
    """Write a section that has content, or had a heading."""
    trivia = own.sections.get(name) if own is not None else None
    if lines or trivia is not None:
        yield list(above)
        yield [f"## {name}"]
        yield list(lines)
        yield _trimmed(trivia or [])


def _machine(machine: MachineDefinition, own: DefinitionTrivia | None, comments: _Comments) -> Iterator[list[str]]:
    inline, rows = _moves(machine)
    for name, spans, lines in (
        ("context", [field.span for field in machine.context], _context(machine)),
        ("events", [event.span for event in machine.events if not event.inferred], _events(machine)),
    ):
        yield from _section(name, lines, own, comments.above(_first(spans)) if lines else [])
    yield from _states(machine, inline, own, comments)
    for name, spans, lines in (
        ("transitions", [row.span for row in rows], _transitions(rows)),
        ("guards", [guard.span for guard in machine.guards], _guards(machine)),
        ("actions", [action.span for action in machine.actions], _actions(machine)),
        ("effects", [effect.span for effect in machine.effects], _effects(machine)),
        ("returns", [given.span for given in machine.returns], _returns(machine)),
        ("properties", [claim.span for claim in machine.properties], [f"- {one.text}" for one in machine.properties]),
    ):
        yield from _section(name, lines, own, comments.above(_last(spans)) if lines else [])
    yield comments.above(None)


def _first(spans: Sequence[Span | None]) -> int:
    return min((place(span)[0] for span in spans), default=0)


def _last(spans: Sequence[Span | None]) -> int:
    return max((place(span)[0] for span in spans), default=0)


def _states(
    machine: MachineDefinition,
    inline: Mapping[str, list[TransitionDefinition]],
    own: DefinitionTrivia | None,
    comments: _Comments,
) -> Iterator[list[str]]:
    depth = depth_of(machine.states)
    base = _BASE if depth < _DEEPEST else 1
    if depth + base - 1 > _DEEPEST:
        raise WritingError(
            machine.name, f"its states nest {depth} deep, and Markdown has {_DEEPEST} levels of headings"
        )
    for node in walk(machine.states):
        line = node.span.line if node.span is not None else 0
        yield comments.above(line)
        lines = [heading(node, base + node.path.count("."))]
        yield [*lines, *bullets(node, inline.get(node.path, []))]
        yield _below(own, line)


# Transitions.


def _moves(machine: MachineDefinition) -> tuple[dict[str, list[TransitionDefinition]], list[TransitionDefinition]]:
    """Tell the transitions that can stand as bullets from those that have to be rows."""
    order = {node.path: index for index, node in enumerate(walk(machine.states))}
    moves = machine.transitions
    cut, reached = 0, -1
    for move in moves:
        stands = order.get(move.source, -1)
        if not move.inline or move.event is None or stands < max(reached, 0):
            break
        cut, reached = cut + 1, stands
    # A row with the same ends would make the reader drop the bullet.
    keys = [(move.source, move.event, move.target) for move in moves]
    while True:
        tabled = set(keys[cut:])
        clash = next((index for index in range(cut) if keys[index] in tabled), None)
        if clash is None:
            break
        cut = clash
    inline: dict[str, list[TransitionDefinition]] = {}
    for move in moves[:cut]:
        inline.setdefault(move.source, []).append(move)
    return inline, _with_timeouts(machine, moves[cut:])


def _with_timeouts(machine: MachineDefinition, rows: Sequence[TransitionDefinition]) -> list[TransitionDefinition]:
    """Put the rows that describe a timeout among the others, where they stood."""
    states = [node for node in walk(machine.states) if isinstance(node, StateDefinition)]
    described = [
        timeout.row or TransitionDefinition(state.path, None, timeout.outcome.target, timeout.guard, timeout.guard_text)
        for state in states
        for timeout in state.timeouts
        if timeout.row is not None or timeout.guard is not None
    ]
    if not described:
        return list(rows)
    return sorted([*rows, *described], key=lambda row: place(row.span))


def _transitions(rows: Sequence[TransitionDefinition]) -> list[str]:
    cells = [
        (
            row.source_text or row.source,
            row.event or "",
            cell(row.guard_text),
            row.target_text or row.target or "",
            ", ".join(row.actions),
        )
        for row in rows
    ]
    return table(("Source", "Event", "Guard", "Target", "Action"), cells, [row.others for row in rows])


# The other sections.


def _context(machine: MachineDefinition) -> list[str]:
    rows = [
        (
            field.name,
            cell(type_text(field.type) if field.type.text or field.type.kind != "string" else ""),
            cell(field.text or (literal(field.default) if field.default is not None else "")),
        )
        for field in machine.context
    ]
    return table(("Field", "Type", "Default"), rows, [field.others for field in machine.context])


def _events(machine: MachineDefinition) -> list[str]:
    lines = []
    for event in machine.events:
        payload = f"({parameters(event.payload)})" if event.payload else ""
        description = f": {event.description}" if event.description else ""
        if event.description.startswith(_LEADS) or event.description.endswith(('"', "'")):
            description = f" ({event.description})"
        lines += [f"- {event.name}{payload}{description}"] if not event.inferred else []
    return lines


def _guards(machine: MachineDefinition) -> list[str]:
    rows = [(guard.name, ticked(guard.text)) for guard in machine.guards]
    return table(("Name", "Expression"), rows, [guard.others for guard in machine.guards], before_last=True)


def _actions(machine: MachineDefinition) -> list[str]:
    rows = []
    for action in machine.actions:
        signature = action_signature(action)
        named = {name.strip("'\" ") for name in _EFFECT.findall(signature)}
        effects = ", ".join(effect for effect in action.effects if effect not in named)
        rows.append(
            (action.name, ticked(signature), cell(effects or action.description), cell(updates(action.updates)))
        )
    others = [action.others for action in machine.actions]
    return _without_empty(("Name", "Signature", "Effect", "Updates"), rows, 2, others)


def _effects(machine: MachineDefinition) -> list[str]:
    rows = [
        (
            effect.name,
            cell(effect.texts[0] or ticked(effect.input)),
            cell(effect.texts[1] or ticked(effect.output)),
            cell(effect.type),
            cell(effect.description),
        )
        for effect in machine.effects
    ]
    others = [effect.others for effect in machine.effects]
    return _without_empty(("Name", "Input", "Output", "Type", "Description"), rows, 3, others)


def _returns(machine: MachineDefinition) -> list[str]:
    rows = [
        (given.name, cell(type_text(given.type) if given.type.text else ""), ", ".join(given.statistics))
        for given in machine.returns
    ]
    return _without_empty(("Name", "Type", "Statistics"), rows, 2, [given.others for given in machine.returns])


def _without_empty(
    headers: Sequence[str], rows: Sequence[Sequence[str]], fixed: int, others: Sequence[Others]
) -> list[str]:
    """Write a table without the optional columns that hold nothing."""
    kept = [index for index in range(len(headers)) if index < fixed or any(row[index] for row in rows)]
    return table([headers[index] for index in kept], [[row[index] for index in kept] for row in rows], others)
