"""`describe`: what an orchestrator class declares, for a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from statemachines_orchestrator.charts import read_chart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachines_orchestrator.declare import MemberField
    from statemachines_orchestrator.orchestrator import Orchestrator

__all__ = ("describe",)

_WIDTH = 80


def describe(kind: type[Orchestrator]) -> str:
    """Describe members, their states and events, and data, in at most 80 columns."""
    declaration = kind.__declaration__
    failing = "is put back" if declaration.atomic else "stays as it is"
    lines = [f"{declaration.name}: callbacks receive it as {declaration.parameter!r}, a failing step {failing}"]
    for member in declaration.members:
        lines.extend(_member(member))
    if declaration.data:
        lines.extend(_wrapped("data", [one.name for one in declaration.data], indent=2))
    return "\n".join(lines)


def _member(member: MemberField) -> Iterator[str]:
    yield ""
    yield f"  {member.name}: {member.annotation}, {_origin(member)}"
    for machine_class in member.classes:
        chart = read_chart(machine_class)
        yield from _wrapped("states", chart.states, indent=4)
        yield from _wrapped("events", chart.events, indent=4)
    if not member.classes:
        yield "    its class shows when an instance is made"


def _origin(member: MemberField) -> str:
    if member.factory is not None:
        return "made by the orchestrator unless passed"
    return "may be absent" if member.has_none_default else "to be passed"


def _wrapped(title: str, words: list[str] | tuple[str, ...], *, indent: int) -> list[str]:
    head = f"{' ' * indent}{title}  "
    text = ", ".join(words) or "none"
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)
