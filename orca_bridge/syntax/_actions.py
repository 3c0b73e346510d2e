"""The actions section and its signatures (language.md 5.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orca_bridge.definition import ActionDefinition, Parameter

from ._names import declared_name, is_name, is_nothing, unmarked, unticked
from ._parameters import matching_parenthesis, parse_parameters, parts_outside
from ._tables import Columns, read_rows
from ._unsupported import not_supported, not_supported_but_read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._draft import Draft
    from ._outline import Block
    from ._source import Text
    from ._tables import Row

COLUMNS = Columns(("Name",), ("Signature", "Effect", "Updates"))
_MOST_PARAMETERS = 2
_EFFECT = re.compile(r"Effect\s*<(.*)>")
_RETURN = re.compile(r"[^\W\d][\w.,<>\[\]()?|\s]*")


@dataclass(frozen=True, slots=True)
class Signature:
    """What an action takes and gives."""

    parameters: tuple[Parameter, ...] = (Parameter("ctx"),)
    returns: str = "Context"
    effects: tuple[str, ...] = ()


def read_actions(draft: Draft, blocks: Sequence[Block]) -> None:
    """Read the declared actions."""
    for block in blocks:
        for row in read_rows(block, COLUMNS, draft.findings):
            _read_action(row, draft)


def _read_action(row: Row, draft: Draft) -> None:
    cell = unmarked(row["Name"])
    name = declared_name(cell, "action", draft.findings)
    signature = _signature_of(unticked(row["Signature"]), draft)
    effects, description = _effect_column(row["Effect"])
    effects = (*signature.effects, *effects)
    if effects:
        at = row["Signature"] if signature.effects else row["Effect"]
        not_supported(draft.findings, f"the effect {effects[0]!r}", at, "remove it and do the work in the action")
    if row["Updates"].value:
        what = "the column Updates"
        not_supported_but_read(draft.findings, what, row["Updates"], "the action may write any field")
    if name is None:
        return
    earlier = draft.actions.get(name)
    if not draft.is_new(cell, earlier.span if earlier else None, "action"):
        return
    draft.actions[name] = ActionDefinition(
        name, signature.parameters, signature.returns, effects, description, cell.span
    )


def _effect_column(cell: Text) -> tuple[tuple[str, ...], str]:
    """Tell a list of effect names from prose about the effect."""
    if is_nothing(cell):
        return (), ""
    names = tuple(unmarked(part).value for part in cell.split(","))
    return (names, "") if all(is_name(name) for name in names) else ((), cell.value)


def _signature_of(text: Text, draft: Draft) -> Signature:
    try:
        return parse_signature(text.value)
    except ValueError as problem:
        suggestion = "write '(ctx) -> Context' or '(ctx, event) -> Context'"
        draft.findings.error("INVALID_SIGNATURE", str(problem), text, suggestion)
        return Signature()


def parse_signature(text: str) -> Signature:
    """
    Read a signature.

    Raises:
        ValueError: If it cannot be read.
    """
    if not text:
        return Signature()
    end = matching_parenthesis(text, 0) if text.startswith("(") else -1
    if end < 0:
        raise ValueError(f"{text!r} is no signature: the parameters stand in parentheses")
    parameters = parse_parameters(text[1:end])
    if len(parameters) > _MOST_PARAMETERS:
        raise ValueError(f"{len(parameters)} parameters are too many: an action gets the context and the event")
    rest = text[end + 1 :].strip()
    if rest and not rest.startswith(("->", "=>")):
        raise ValueError(f"{rest!r} is no part of a signature: '->' is expected")
    return _with_result(parameters, rest[2:].strip() if rest else "Context", text)


def _with_result(parameters: tuple[Parameter, ...], result: str, text: str) -> Signature:
    parts = [part.strip() for part in parts_outside(result, "+")]
    effects = [match[1].strip() for part in parts if (match := _EFFECT.fullmatch(part))]
    types = [part for part in parts if not _EFFECT.fullmatch(part)]
    if len(types) > 1 or "" in effects or not all(_RETURN.fullmatch(part) for part in types):
        raise ValueError(f"{text!r} is no signature: one type and any Effect<T> follow the arrow")
    names = tuple(next(parts_outside(effect, ",")).strip("'\" ") for effect in effects)
    return Signature(parameters, types[0] if types else "Context", names)
