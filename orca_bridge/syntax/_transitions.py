"""
Transitions: the one place where the cells of a row, or the parts of an ``on`` bullet, get their meaning.

A list in a cell stands for one transition each, so one `Move` may give several definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.definition import TransitionDefinition

from ._draft import Draft, Move
from ._guard_table import guard_cell
from ._guards import read_guard
from ._names import SYSTEM_EVENT, as_name, is_name, is_nothing, unmarked
from ._source import Text
from ._tables import Columns, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import Expression

    from ._guards import GuardScope
    from ._outline import Block

COLUMNS = Columns(
    ("Source", "Event", "Target"),
    ("Guard", "Action"),
    {5: ("Source", "Event", "Guard", "Target", "Action"), 3: ("Source", "Event", "Target")},
)
ANY = "*"


def collect_rows(draft: Draft, blocks: Sequence[Block]) -> None:
    """Collect the rows of the table; they are resolved together with the bullets of the states."""
    for block in blocks:
        for row in read_rows(block, COLUMNS, draft.findings):
            cells = (row["Source"], row["Event"], row["Guard"], row["Target"], row["Action"])
            draft.moves.append(Move(*cells, row.whole))


def resolve_moves(draft: Draft) -> tuple[TransitionDefinition, ...]:
    """Resolve rows and bullets in document order, and drop bullets that a row repeats."""
    scope = draft.scope(in_cell=True)
    draft.moves.sort(key=lambda move: move.whole.line)
    resolved = [(move, list(_resolve(move, draft, scope))) for move in draft.moves]
    tabled = {_key(found) for move, group in resolved if isinstance(move.source, Text) for found in group}
    kept: list[TransitionDefinition] = []
    for move, group in resolved:
        new = group if isinstance(move.source, Text) else [found for found in group if _key(found) not in tabled]
        if len(new) < len(group):
            what = "is" if not new else f"for {', '.join(str(found.event) for found in group if found not in new)} is"
            message = f"the transitions table has this transition too; the bullet {what} dropped"
            draft.findings.warning("DUPLICATE_TRANSITION", message, move.whole, "keep one of the two")
        kept += new
    return tuple(kept)


def _key(found: TransitionDefinition) -> tuple[str, str | None, str | None]:
    return found.source, found.event, found.target


def _resolve(move: Move, draft: Draft, scope: GuardScope) -> Iterator[TransitionDefinition]:
    sources = _sources(move, draft)
    events = _events(move.event, draft)
    guard, guard_text = _guard(move.guard, draft, scope)
    actions = action_names(move.action, draft)
    has_target, target = _target(move, draft, has_action=bool(actions))
    if not has_target:
        return
    for source in sources:
        for event in events:
            yield TransitionDefinition(source, event, target, guard, guard_text, actions, move.whole.span)


def _sources(move: Move, draft: Draft) -> list[str]:
    if not isinstance(move.source, Text):
        return [move.source.path]
    cells = _listed(move.source)
    if not cells:
        draft.findings.error(
            "MISSING_SOURCE", "this row does not say where it starts", move.source, "name a state, or '*' for any"
        )
    nodes = [(cell, None if cell.value == ANY else draft.states.resolve(cell)) for cell in cells]
    return [ANY if node is None else node.path for cell, node in nodes if node is not None or cell.value == ANY]


def _events(cell: Text, draft: Draft) -> list[str | None]:
    if is_nothing(cell):
        return [None]
    return [_event(part, draft) for part in _listed(cell)] or [None]


def _event(cell: Text, draft: Draft) -> str:
    name = cell.value
    if name != ANY and not is_name(name) and not SYSTEM_EVENT.fullmatch(name):
        message = f"{name!r} cannot name an event: letters, digits and '_' make a name"
        draft.findings.error("INVALID_NAME", message, cell, f"write {as_name(name)!r}")
    return name


def _guard(cell: Text, draft: Draft, scope: GuardScope) -> tuple[Expression | None, str]:
    text = guard_cell(cell)
    if is_nothing(text):
        return None, ""
    return read_guard(text, scope, draft.findings), text.value


def action_names(cell: Text, draft: Draft, code: str = "INVALID_NAME") -> tuple[str, ...]:
    """Read a list of actions; ``_`` and an empty cell mean none."""
    if is_nothing(cell):
        return ()
    names: list[str] = []
    for part in _listed(cell, ",;"):
        names.append(part.value)
        if not is_name(part.value):
            message = f"{part.value!r} cannot name an action: letters, digits and '_' make a name"
            draft.findings.error(code, message, part, f"write {as_name(part.value)!r}")
    return tuple(names)


def _target(move: Move, draft: Draft, *, has_action: bool) -> tuple[bool, str | None]:
    """Give whether the transition is sound, and where it leads."""
    cell = unmarked(move.target)
    if cell.value:
        node = draft.states.resolve(cell)
        return node is not None, None if node is None else node.path
    if not has_action:
        suggestion = "name a state; only a row with an action may stay where it is"
        draft.findings.error("MISSING_TARGET", "this row leads nowhere and does nothing", move.target, suggestion)
    return has_action, None


def _listed(cell: Text, separators: str = ",") -> list[Text]:
    """Split a cell into names without marks, leaving out empty parts."""
    cell = unmarked(cell)
    if not any(separator in cell.value for separator in separators):
        return [cell] if cell.value else []
    parts = [unmarked(part) for part in cell.split(separators)]
    return [part for part in parts if part.value]
