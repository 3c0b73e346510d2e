"""The sections effects and returns (language.md 5.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.definition import ReturnDefinition, TypeExpression

from ._diagnostics import ORP
from ._names import declared_name, is_name, is_nothing, report_marks, unmarked, unticked
from ._parameters import parse_parameters
from ._records import make_effect
from ._tables import Columns, read_rows
from ._types import MalformedType, parse_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orca_bridge.definition import Parameter

    from ._draft import Draft
    from ._outline import Block
    from ._rows import Row
    from ._source import Text

EFFECTS = Columns((), ("Name", "Input", "Output", "Type", "Description"))
RETURNS = Columns(("Name",), ("Type", "Statistics"))
_STATISTICS = ("expectation", "histogram", "variance")


def read_effects(draft: Draft, blocks: Sequence[Block]) -> None:
    """Read the declared effects."""
    for block in blocks:
        for row in read_rows(block, EFFECTS, draft.findings):
            declare_effect(row, draft)


def declare_effect(row: Row, draft: Draft) -> None:
    """Read one effect."""
    cell, kind = row["Name"], row["Type"].value
    if not cell.value and kind:
        message = "other tools look for the name of an effect in the column Name"
        draft.findings.portability("PORT_EFFECTS_TABLE", message, row["Type"], "call the column Name")
        cell, kind = row["Type"], ""
    name = _effect_name(cell, draft)
    if name is None:
        return
    earlier = draft.effects.get(name)
    if not draft.is_new(unmarked(cell), earlier.span if earlier else None, "effect"):
        return
    taken, given = unticked(row["Input"]).value, unticked(row["Output"]).value
    draft.effects[name] = make_effect(
        name,
        taken,
        given,
        _fields(taken),
        _fields(given),
        kind,
        row["Description"].value,
        unmarked(cell).span,
        (row["Input"].value, row["Output"].value),
        row.others,
    )


def _effect_name(cell: Text, draft: Draft) -> str | None:
    """Read the name of an effect, which may have dots, as in ``Mail.Send``."""
    bare = unmarked(cell)
    if "." in bare.value and all(map(is_name, bare.value.split("."))):
        return bare.value
    if is_name(bare.value):
        report_marks(cell, bare, draft.findings, ORP)
    return declared_name(bare, "effect", draft.findings)


def _fields(text: str) -> tuple[Parameter, ...] | None:
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        return parse_parameters(text[1:-1])
    except ValueError:
        return None


def read_returns_table(draft: Draft, blocks: Sequence[Block]) -> None:
    """Read what the machine gives to the one that invoked it."""
    for block in blocks:
        for row in read_rows(block, RETURNS, draft.findings):
            _read_return(row, draft)


def _read_return(row: Row, draft: Draft) -> None:
    cell = unmarked(row["Name"])
    name = declared_name(row["Name"], "value", draft.findings)
    kind, text = TypeExpression("any"), unticked(row["Type"])
    try:
        kind = parse_type(text.value) if text.value else kind
    except MalformedType as problem:
        draft.findings.error("INVALID_TYPE", str(problem), text, problem.suggestion)
    statistics = _statistics(row["Statistics"], draft)
    if name is None:
        return
    earlier = draft.returns.get(name)
    if draft.is_new(cell, earlier.span if earlier else None, "value"):
        draft.returns[name] = ReturnDefinition(name, kind, statistics, cell.span, row.others)


def _statistics(cell: Text, draft: Draft) -> tuple[str, ...]:
    if is_nothing(cell):
        return ()
    found = [unmarked(part) for part in cell.split(",") if part.value]
    for part in found:
        if part.value.lower() not in _STATISTICS:
            message = f"{part.value!r} is no statistic"
            draft.findings.error("INVALID_CELL", message, part, f"write a list out of {', '.join(_STATISTICS)}")
    return tuple(part.value.lower() for part in found if part.value.lower() in _STATISTICS)
