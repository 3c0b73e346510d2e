"""Guard expressions and properties that orca-lang printed, as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ._json_guards import OPERATORS

if TYPE_CHECKING:
    from ._json_value import Value

__all__ = ("guard_of", "property_of")

_SIGNS = {name: sign for sign, name in OPERATORS.items()}


def guard_of(found: Value) -> str:
    """Write an expression as text; where it needs parentheses, or may need them, they stand."""
    kind = found.one_of("kind", "true", "false", "not", "and", "or", "compare", "nullcheck")
    if kind in ("true", "false"):
        return kind
    if kind == "not":
        return f"not ({guard_of(found.value('expr'))})"
    if kind in ("and", "or"):
        return f"({guard_of(found.value('left'))}) {kind} ({guard_of(found.value('right'))})"
    if kind == "nullcheck":
        path = _operand(found.value("expr"))
        # A path alone is the same form in orca-lang as the test that it is not null.
        return f"{path} == null" if found.flag("isNull") else path
    sign = _SIGNS[found.one_of("op", *_SIGNS)]
    return f"{_operand(found.value('left'))} {sign} {_operand(found.value('right'))}"


def _operand(found: Value) -> str:
    if found.one_of("kind", "variable", "value") == "variable":
        return ".".join(found.texts("path"))
    return json.dumps(found.mapping().get("value"), ensure_ascii=False)


def property_of(found: Value) -> str:
    """Write a property as text."""
    kind = found.text("kind")
    ends = f"{found.text('to', '')} from {found.text('from', '')}"
    match kind:
        case "reachable" | "unreachable":
            return f"{kind}: {ends}" if found.has("from") else f"{kind}: {found.text('to', '')}"
        case "passes_through":
            return f"passes_through: {found.text('through')} for {found.text('from')} -> {found.text('to')}"
        case "responds" | "always_responds":
            return f"{kind.replace('_', ' ')}: {ends} within {found.number('within')}"
        case "invariant":
            inside = f" in {found.text('inState')}" if found.has("inState") else ""
            return f"invariant: `{guard_of(found.value('expression'))}`{inside}"
        case _:
            return kind
