"""
Transitions: the one place where the cells of a row, or the parts of an ``on`` bullet, get their meaning.

A list in a cell stands for one transition each, so one `Move` may give several definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.definition import GuardName, Not

from ._diagnostics import ORP
from ._draft import Draft, Move
from ._guard_table import guard_cell
from ._guards import is_word, read_guard
from ._names import NAME, SYSTEM_EVENT, as_name, is_name, is_nothing, is_plain, report_marks, unmarked
from ._outcomes import TimeoutRows
from ._records import make_guard_name, make_span, make_transition
from ._rows import PlainRow
from ._source import Text
from ._tables import Columns, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import Expression, TransitionDefinition

    from ._guards import GuardScope
    from ._outline import Block
    from ._rows import Row

COLUMNS = Columns(
    ("Source", "Event", "Target"),
    ("Guard", "Action"),
    {5: ("Source", "Event", "Guard", "Target", "Action"), 3: ("Source", "Event", "Target")},
)
ANY = "*"
_LISTS = {
    "PORT_MULTI_CELL": "write a row for each",
    "PORT_ACTION_LIST": "write one action that does all of it",
}


def collect_rows(draft: Draft, blocks: Sequence[Block]) -> None:
    """Collect the rows of the table; they are resolved together with the bullets of the states."""
    for block in blocks:
        for row in read_rows(block, COLUMNS, draft.findings):
            draft.moves.append(row if isinstance(row, PlainRow) else _move_of(row))


def _move_of(row: Row) -> Move:
    cells = (row["Source"], row["Event"], row["Guard"], row["Target"], row["Action"])
    return Move(*cells, row.whole, row.others)


def known_events(draft: Draft) -> frozenset[str]:
    """Give the events that are declared or that some row waits for."""
    used = set(draft.events)
    for move in draft.moves:
        if isinstance(move, PlainRow) and is_plain(move.texts[1]):
            used.add(move.texts[1])
        else:
            used.update(part.value for part in _listed(move["Event"] if isinstance(move, PlainRow) else move.event))
    return frozenset(used - {ANY})


def resolve_moves(draft: Draft) -> tuple[TransitionDefinition, ...]:
    """Resolve rows and bullets in document order; drop bullets that a row repeats, and rows that describe a timeout."""
    moves = draft.moves
    inline = [move for move in moves if isinstance(move, Move) and not isinstance(move.source, Text)]
    if inline:
        moves.sort(key=_place)
    timeouts = TimeoutRows(draft)
    resolver = _Resolver(draft)
    resolved = [resolver.resolve(move) for move in moves]
    tabled = {_key(found) for group in resolved for found in group if not found.inline} if inline else set()
    kept: list[TransitionDefinition] = []
    are_none = timeouts.are_none
    for move, group in zip(moves, resolved, strict=True):
        if isinstance(move, PlainRow) and are_none and group and group[0].event is not None:
            kept += group
            continue
        whole, event = (move.whole, move["Event"]) if isinstance(move, PlainRow) else (move.whole, move.event)
        new = [found for found in group if not found.inline or _key(found) not in tabled]
        if len(new) < len(group):
            what = "is" if not new else f"for {', '.join(str(found.event) for found in group if found not in new)} is"
            message = f"the transitions table has this transition too; the bullet {what} dropped"
            draft.findings.warning("DUPLICATE_TRANSITION", message, whole, "keep one of the two")
        own = [found for found in new if not timeouts.takes(found, whole)]
        if any(found.event is None for found in own) and not event.value:
            message = "other tools look for an event with an empty name, and orca-runtime-python never takes the row"
            draft.findings.portability("PORT_EVENTLESS", message, event, "give it an event")
        kept += own
    return tuple(kept)


def _place(move: Move | PlainRow) -> tuple[int, int]:
    return (move.line, move.first) if isinstance(move, PlainRow) else (move.whole.line, move.whole.first)


class _Resolver:
    """Gives rows and bullets their meaning, those first whose cells are nothing but names."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.scope = draft.scope(in_cell=True)
        self.paths = draft.states.plain_paths()
        self.guards = frozenset(name for name in self.scope.guards if is_plain(name) and not is_word(name))
        self.names: set[str] = set()
        """The plain names of events and actions that were met."""

    def resolve(self, move: Move | PlainRow) -> list[TransitionDefinition]:
        if isinstance(move, PlainRow):
            found = self.plain(move)
            if found is not None:
                return found
            move = _move_of(move)
        return list(_resolve(move, self.draft, self.scope))

    def plain(self, row: PlainRow) -> list[TransitionDefinition] | None:
        """Read a row of single names that mean what they say; None, with nothing done, if it needs care."""
        source, event, target, guard, action = row.texts
        start, end = self.paths.get(source), self.paths.get(target)
        if start is None or end is None:
            return None
        if not (event in self.names or self.meets(event)):
            return None
        if action and not (action in self.names or self.meets(action)):
            return None
        expression: Expression | None = None
        if guard in self.guards:
            expression = make_guard_name(guard, row.span("Guard", guard))
        elif guard:
            is_sound, expression, guard = _guard(row["Guard"], self.draft, self.scope)
            if not is_sound:
                return []
        span = make_span(row.line, row.first, row.first + len(row.value))
        actions = (action,) if action else ()
        return [make_transition(start, event, end, expression, guard, actions, span, source, target, False, ())]

    def meets(self, name: str) -> bool:
        """Tell whether a name is plain, and take note of it."""
        if is_plain(name):
            self.names.add(name)
        return name in self.names


def _key(found: TransitionDefinition) -> tuple[str, str | None, str | None]:
    return found.source, found.event, found.target


def _resolve(move: Move, draft: Draft, scope: GuardScope) -> Iterator[TransitionDefinition]:
    sources = _sources(move, draft)
    events = _events(move.event, draft)
    is_sound, guard, guard_text = _guard(move.guard, draft, scope)
    actions = action_names(move.action, draft)
    target = _target(move, draft, has_action=bool(actions))
    if target is None or not is_sound:
        return
    path, target_text = target
    inline = not isinstance(move.source, Text)
    for source, source_text in sources:
        for event in events:
            yield make_transition(
                source,
                event,
                path,
                guard,
                guard_text,
                actions,
                move.whole.span,
                source_text,
                target_text,
                inline,
                move.others,
            )


def _sources(move: Move, draft: Draft) -> list[tuple[str, str]]:
    if not isinstance(move.source, Text):
        return [(move.source.path, "")]
    cells = _names(move.source, draft, "PORT_MULTI_CELL")
    if not cells:
        draft.findings.error(
            "MISSING_SOURCE", "this row does not say where it starts", move.source, "name a state, or '*' for any"
        )
    found: list[tuple[str, str]] = []
    for cell in cells:
        if cell.value == ANY:
            message = "other tools look for a state that is called '*'"
            draft.findings.portability("PORT_WILDCARD", message, cell, "write a row for each state")
            found.append((ANY, ANY))
        elif (node := draft.states.resolve(cell, move.scope)) is not None:
            found.append((node.path, cell.value if move.scope is None else node.path))
    return found


def _events(cell: Text, draft: Draft) -> list[str | None]:
    if is_nothing(cell):
        _report_dash(cell, draft)
        return [None]
    parts = _names(cell, draft, "PORT_MULTI_CELL")
    return [part.value for part in parts if _is_event(part, draft)] if parts else [None]


def _is_event(cell: Text, draft: Draft) -> bool:
    name = cell.value
    if name == ANY:
        message = "other tools look for an event that is called '*'"
        draft.findings.portability("PORT_WILDCARD", message, cell, "write a row for each event")
        return True
    if is_name(name):
        draft.use_name(cell, draft.events)
        return True
    if SYSTEM_EVENT.fullmatch(name):
        return True
    message = f"{name!r} cannot name an event: letters, digits and '_' make a name"
    draft.findings.error("INVALID_NAME", message, cell, f"write {as_name(name)!r}")
    return False


def _guard(cell: Text, draft: Draft, scope: GuardScope) -> tuple[bool, Expression | None, str]:
    """Give whether the guard is sound, what it says, and how it was written."""
    if not cell.value:
        return True, None, ""
    text = guard_cell(cell)
    if is_nothing(text):
        _report_dash(text, draft)
        return True, None, ""
    found = read_guard(text, scope, draft.findings)
    if found is not None:
        _report_guard(found, cell, text, draft)
    return found is not None, found, text.value


def _report_guard(found: Expression, cell: Text, text: Text, draft: Draft) -> None:
    findings = draft.findings
    if isinstance(found, GuardName) and found.name == text.value:
        report_marks(cell, text, findings)
    elif isinstance(found, Not) and isinstance(found.operand, GuardName) and text.value == f"!{found.operand.name}":
        message = "orca-runtime-python takes a negated guard for true"
        findings.portability("PORT_NEGATED_GUARD", message, text, "name a guard that says the opposite", ORP)
        report_marks(cell, text, findings)
    else:
        message = "other tools know only names of guards here"
        findings.portability("PORT_INLINE_GUARD", message, text, "give it a name in the guards section")


def action_names(cell: Text, draft: Draft, code: str = "INVALID_NAME") -> tuple[str, ...]:
    """Read a list of actions; ``_`` and an empty cell mean none."""
    if is_nothing(cell):
        if cell.value != "_":
            _report_dash(cell, draft)
        return ()
    names: list[str] = []
    for part in _names(cell, draft, "PORT_ACTION_LIST", ",;"):
        if is_name(part.value):
            draft.use_name(part, draft.actions)
            names.append(part.value)
        else:
            message = f"{part.value!r} cannot name an action: letters, digits and '_' make a name"
            draft.findings.error(code, message, part, f"write {as_name(part.value)!r}")
    return tuple(names)


def _target(move: Move, draft: Draft, *, has_action: bool) -> tuple[str | None, str] | None:
    """Give where the transition leads, and how that was written; None if it is not sound."""
    cell = unmarked(move.target)
    if cell.value:
        report_marks(move.target, cell, draft.findings)
        node = draft.states.resolve(cell, move.scope)
        return None if node is None else (node.path, cell.value if move.scope is None else node.path)
    if not has_action:
        suggestion = "name a state; only a row with an action may stay where it is"
        draft.findings.error("MISSING_TARGET", "this row leads nowhere and does nothing", move.target, suggestion)
        return None
    message = "other tools look for a state with an empty name"
    draft.findings.portability("PORT_EMPTY_TARGET", message, move.target, "name the source, if it may be left")
    return None, ""


def _report_dash(cell: Text, draft: Draft) -> None:
    if cell.value:
        message = f"other tools take {cell.value!r} for a name"
        draft.findings.portability("PORT_DASH_CELL", message, cell, "leave the cell empty")


def _names(cell: Text, draft: Draft, code: str, separators: str = ",") -> list[Text]:
    """Split a cell into names, and report what other tools make of a list and of marks."""
    if NAME.fullmatch(cell.value):
        # What most cells hold.
        return [cell]
    parts = _listed(cell, separators)
    if len(parts) > 1:
        message = "other tools take the list for one name"
        draft.findings.portability(code, message, cell, _LISTS[code])
    elif parts:
        report_marks(cell, parts[0], draft.findings)
    return parts


def _listed(cell: Text, separators: str = ",") -> list[Text]:
    """Split a cell into names without marks, leaving out empty parts."""
    if NAME.fullmatch(cell.value):
        return [cell]
    cell = unmarked(cell)
    if not any(separator in cell.value for separator in separators):
        return [cell] if cell.value else []
    parts = [unmarked(part) for part in cell.split(separators)]
    return [part for part in parts if part.value]
