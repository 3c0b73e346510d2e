"""Pieces of canonical Markdown: tables, cells, and texts for what was not read from a text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orca_bridge.definition import ActionDefinition, Parameter, Path, TypeExpression, Update, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orca_bridge.definition import Others

__all__ = ("action_signature", "cell", "literal", "parameters", "path_text", "table", "ticked", "type_text", "updates")


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    others: Sequence[Others] = (),
    *,
    before_last: bool = False,
    always: bool = False,
) -> list[str]:
    """
    Write a table whose columns have equal width; nothing if it has no rows.

    Args:
        headers: The columns that mean something.
        rows: Their cells.
        others: For each row, its cells in columns that mean nothing.
        before_last: Whether those columns stand in front of the last one, because it takes surplus cells.
        always: Whether the header stands even without rows.
    """
    if not rows and not always:
        return []
    unknown = list(dict.fromkeys(header for row in others for header, _ in row))
    split = len(headers) - before_last
    lines = [[*headers[:split], *map(cell, unknown), *headers[split:]]]
    for row, more in zip(rows, others or [()] * len(rows), strict=True):
        found = dict(more)
        lines.append([*row[:split], *(cell(found.get(header, "")) for header in unknown), *row[split:]])
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [_row(lines[0], widths), rule, *(_row(line, widths) for line in lines[1:])]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(text.ljust(width) for text, width in zip(cells, widths, strict=True)) + " |"


def cell(text: str) -> str:
    """Write a text that a cell can hold."""
    return text.replace("|", r"\|")


def ticked(text: str) -> str:
    """Write a text in back-ticks, if there is one."""
    return f"`{cell(text)}`" if text else ""


def literal(value: object) -> str:
    """Write a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def type_text(kind: TypeExpression | None) -> str:
    """Write a type."""
    if kind is None:
        return ""
    if kind.text:
        return kind.text
    inner = f"enum({', '.join(kind.values)})" if kind.values else kind.kind
    if kind.arguments:
        inner = f"{kind.kind}<{', '.join(map(type_text, kind.arguments))}>"
    return inner + ("?" if kind.nullable else "")


def parameters(given: Sequence[Parameter]) -> str:
    """Write a list of named and typed fields."""
    return ", ".join(one.name + (f": {type_text(one.type)}" if one.type is not None else "") for one in given)


def action_signature(action: ActionDefinition) -> str:
    """Write a signature: as it was written, or what the definition says."""
    if action.signature:
        return action.signature
    effects = "".join(f" + Effect<{effect}>" for effect in action.effects)
    return f"({parameters(action.parameters)}) -> {action.returns}{effects}"


def path_text(path: Path) -> str:
    """Write a path; of the context the bare field, unless it was written otherwise."""
    root = path.root_text or ("event" if path.root == "event" else "ctx" if len(path.names) > 1 else "")
    return ".".join([*([root] if root else []), *path.names])


def updates(found: Sequence[Update] | None) -> str:
    """Write what an action may write."""
    if found is None:
        return ""
    return ", ".join(map(_update, found)) or "none"


def _update(update: Update) -> str:
    if update.value is None:
        return update.name
    if isinstance(update.value, Value):
        return f"{update.name} := {literal(update.value.value)}"
    value = path_text(update.value)
    if update.offset:
        value += f" {'+' if update.offset > 0 else '-'} {abs(update.offset)}"
    return f"{update.name} := {value}"
