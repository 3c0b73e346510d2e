"""`describe`: what an orchestrator class declares, for a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.declare import MachinesField, MemberField, SystemField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachines_orchestrator.declare import Declaration
    from statemachines_orchestrator.orchestrator import Orchestrator

__all__ = ("describe",)

_WIDTH = 80


def describe(kind: type[Orchestrator]) -> str:
    """Describe members, their states and events, what is declared between them, and data, in at most 80 columns."""
    declaration = kind.__declaration__
    failing = "is put back" if declaration.atomic else "stays as it is"
    lines = [f"{declaration.name}: callbacks receive it as {declaration.parameter!r}, a failing step {failing}"]
    for part in declaration.parts:
        lines.extend(_part(part))
    lines.extend(_rules(declaration))
    if declaration.data:
        lines.extend(_wrapped("data", [one.name for one in declaration.data], indent=2))
    return "\n".join(lines)


def _part(part: MemberField | MachinesField) -> Iterator[str]:
    yield ""
    yield f"  {part.name}: {part.annotation}, {_origin(part)}"
    if isinstance(part, SystemField):
        for orchestrator in part.classes:
            yield from _wrapped("members", [one.name for one in orchestrator.__declaration__.parts], indent=4)
        return
    for machine_class in part.classes:
        chart = read_chart(machine_class)
        yield from _wrapped("states", chart.states, indent=4)
        yield from _wrapped("events", chart.events, indent=4)
    if not part.classes:
        yield "    its class shows when an instance is made"


def _origin(part: MemberField | MachinesField) -> str:
    if isinstance(part, MachinesField):
        return "any number of them"
    if part.factory is not None:
        return "made by the orchestrator unless passed"
    return "may be absent" if part.has_none_default else "to be passed"


def _rules(declaration: Declaration) -> Iterator[str]:
    names = {
        "links": [one.name for one in declaration.links],
        "guards": [one.name for one in declaration.guards],
        "joint events": [one.name for one in declaration.joint_events],
    }
    if any(names.values()):
        yield ""
    for title, found in names.items():
        if found:
            yield from _wrapped(title, found, indent=2)


def _wrapped(title: str, words: list[str] | tuple[str, ...], *, indent: int) -> list[str]:
    head = f"{' ' * indent}{title}  "
    text = ", ".join(words) or "none"
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)
