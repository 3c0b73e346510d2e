"""The actions section and its signatures (language.md 5.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from orca_bridge.definition import Parameter

from ._diagnostics import OL, ORP
from ._names import declared_name, is_name, is_nothing, is_plain, unmarked, unticked
from ._parameters import matching_parenthesis, parse_parameters, parts_outside
from ._records import make_action
from ._rows import PlainRow
from ._tables import Columns, read_rows
from ._updates import read_updates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._draft import Draft
    from ._outline import Block
    from ._rows import Row
    from ._source import Text

COLUMNS = Columns(("Name",), ("Signature", "Effect", "Updates"))
_MOST_PARAMETERS = 2
_MOST_EFFECTS = 2
_LONGEST_KEPT = 100
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
            declare_action(row, draft)


def declare_action(row: Row, draft: Draft) -> None:
    """Read one action."""
    if isinstance(row, PlainRow) and _declare_plain(row, draft):
        return
    cell = unmarked(row["Name"])
    name = declared_name(row["Name"], "action", draft.findings)
    written = unticked(row["Signature"])
    signature = _signature_of(written, draft)
    effects, description = _effect_column(row["Effect"], draft)
    updates = read_updates(row["Updates"], draft)
    if name is None:
        return
    earlier = draft.actions.get(name)
    if not draft.is_new(cell, earlier.span if earlier else None, "action"):
        return
    draft.actions[name] = make_action(
        name,
        signature.parameters,
        signature.returns,
        tuple(dict.fromkeys((*signature.effects, *effects))),
        description,
        cell.span,
        updates,
        written.value,
        row.others,
    )


def _declare_plain(row: PlainRow, draft: Draft) -> bool:
    """Read a plain name with a signature that has no mistake; false, with nothing done, if more care is needed."""
    name, written, effect, updates = row.texts
    if not is_plain(name) or name in draft.actions:
        return False
    written = written[1:-1].strip() if written[:1] == "`" else written
    try:
        signature, is_portable = _signature(written)
    except ValueError:
        return False
    if not is_portable:
        _report_signature(unticked(row["Signature"]), draft)
    effects, description = _effect_column(row["Effect"], draft) if effect else ((), "")
    draft.actions[name] = make_action(
        name,
        signature.parameters,
        signature.returns,
        tuple(dict.fromkeys((*signature.effects, *effects))),
        description,
        row.span("Name", name),
        read_updates(row["Updates"], draft) if updates else None,
        written,
        (),
    )
    return True


def _effect_column(cell: Text, draft: Draft) -> tuple[tuple[str, ...], str]:
    """Tell a list of effect names from prose about the effect."""
    if is_nothing(cell):
        if cell.value:
            message = f"other tools take {cell.value!r} for a name"
            draft.findings.portability("PORT_DASH_CELL", message, cell, "leave the cell empty")
        return (), ""
    names = tuple(unmarked(part).value for part in cell.split(","))
    if all(map(is_name, names)):
        message = "orca-runtime-python ignores the column Effect"
        draft.findings.portability("PORT_EFFECT_COLUMN", message, cell, "write '+ Effect<Name>' in the signature", ORP)
        return names, ""
    message = "orca-lang takes this text for the name of an effect"
    draft.findings.portability("PORT_EFFECT_COLUMN", message, cell, "write it as prose below the table", OL)
    return (), cell.value


def _signature_of(text: Text, draft: Draft) -> Signature:
    try:
        found, is_portable = _signature(text.value)
    except ValueError as problem:
        suggestion = "write '(ctx) -> Context' or '(ctx, event) -> Context'"
        draft.findings.error("INVALID_SIGNATURE", str(problem), text, suggestion)
        return Signature()
    if not is_portable:
        _report_signature(text, draft)
    return found


def _report_signature(text: Text, draft: Draft) -> None:
    suggestion = "write '(ctx) -> Context' or '(ctx, event) -> Context + Effect<Name>'"
    draft.findings.portability("PORT_SIGNATURE", "other tools misread this signature", text, suggestion)


def _signature(text: str) -> tuple[Signature, bool]:
    """Read a signature, and tell whether other tools read it alike; a machine has many actions with the same."""
    return _known_signature(text) if len(text) <= _LONGEST_KEPT else _known_signature.__wrapped__(text)


@lru_cache(maxsize=512)
def _known_signature(text: str) -> tuple[Signature, bool]:
    found = parse_signature(text)
    return found, _is_portable(text, found)


def _is_portable(text: str, found: Signature) -> bool:
    arrow = text.find("->", text.find(")"))
    return (
        arrow >= 0
        and "=>" not in text
        and text.count(",") <= max(0, len(found.parameters) - 1)
        and len(found.effects) < _MOST_EFFECTS
        and not text[arrow + 2 :].strip().startswith("Effect")
        and all(map(is_name, found.effects))
        and "'" not in text
    )


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
    if not all(is_name(part) for name in names for part in name.split(".")):
        raise ValueError(f"{text!r} is no signature: the name of an effect is expected in Effect<...>")
    return Signature(parameters, types[0] if types else "Context", names)
