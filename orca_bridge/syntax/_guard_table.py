"""The guards section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.definition import And, Expression, GuardName, Not, Or

from ._guards import read_guard
from ._names import declared_name, is_plain, unmarked, unticked
from ._records import make_guard
from ._rows import PlainRow
from ._tables import Columns, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._draft import Draft
    from ._outline import Block
    from ._rows import Row
    from ._source import Text

COLUMNS = Columns(("Name", "Expression"), joined="Expression")


def read_guards(draft: Draft, blocks: Sequence[Block]) -> None:
    """Read the declared guards."""
    declare_guards([row for block in blocks for row in read_rows(block, COLUMNS, draft.findings)], draft)


def declare_guards(rows: Sequence[Row], draft: Draft) -> None:
    """Read all names first, because an expression may use guards declared below it."""
    names = [_declare(row, draft) for row in rows]
    scope = draft.scope(in_cell=False)
    for name, row in zip(names, rows, strict=True):
        text = _expression(row)
        # Read whatever the name is worth: all mistakes are reported together.
        expression = read_guard(text, scope, draft.findings)
        if expression is not None and name is not None:
            draft.guards[name] = make_guard(name, expression, text.value, draft.guard_names[name].span, row.others)
    _refuse_cycles(draft)


def _expression(row: Row) -> Text:
    if not isinstance(row, PlainRow) or not row.texts[1]:
        return unticked(row["Expression"])
    written = row.texts[1]
    return row.text("Expression", written[1:-1].strip() if written[0] == "`" else written)


def _declare(row: Row, draft: Draft) -> str | None:
    if isinstance(row, PlainRow) and is_plain(row.texts[0]):
        plain = row.texts[0]
        if plain not in draft.guard_names and plain not in draft.fields:
            draft.guard_names[plain] = row.text("Name", plain)
            return plain
    cell = unmarked(row["Name"])
    name = declared_name(row["Name"], "guard", draft.findings)
    earlier = draft.guard_names.get(name) if name is not None else None
    if name is None or not draft.is_new(cell, earlier.span if earlier else None, "guard"):
        return None
    draft.guard_names[name] = cell
    if name in draft.fields:
        message = f"{name!r} is also a context field; alone it means the guard"
        draft.findings.warning("AMBIGUOUS_NAME", message, cell, f"rename one, or write 'ctx.{name}' for the field")
    return name


def _refuse_cycles(draft: Draft) -> None:
    """Peel off the guards that use no other unpeeled one; what remains has no order to be evaluated in."""
    known = draft.guards.keys()
    uses = {name: known & set(_names(guard.expression)) for name, guard in draft.guards.items()}
    users: dict[str, list[str]] = {name: [] for name in uses}
    for name, used in uses.items():
        for other in used:
            users[other].append(name)
    free = [name for name, used in uses.items() if not used]
    while free:
        done = free.pop()
        for user in users[done]:
            uses[user].discard(done)
            if not uses[user]:
                free.append(user)
    for name in _on_cycles(uses):
        text = draft.guard_names[name]
        message = f"the guard {name!r} depends on itself"
        draft.findings.error("GUARD_SYNTAX", message, text, "replace one of the guard names by its expression")


def _on_cycles(uses: dict[str, set[str]]) -> Iterator[str]:
    """Name each guard that only waits for guards that wait themselves, once for every loop."""
    seen: set[str] = set()
    for start in (name for name, used in uses.items() if used):
        walked: set[str] = set()
        name = start
        while name not in seen:
            seen.add(name)
            walked.add(name)
            name = min(uses[name])
        if name in walked:
            yield name


def _names(expression: Expression) -> Iterator[str]:
    if isinstance(expression, GuardName):
        yield expression.name
    elif isinstance(expression, Not):
        yield from _names(expression.operand)
    elif isinstance(expression, And | Or):
        for operand in expression.operands:
            yield from _names(operand)


def guard_cell(cell: Text) -> Text:
    """Take the marks off a Guard cell, whether it holds a name or an expression."""
    name = unmarked(cell)
    plain = name.value.lstrip("!").strip()
    return name if plain.isidentifier() else unticked(cell)
