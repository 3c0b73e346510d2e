"""`links`: what an orchestrator class declares between its machines, for a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from statemachines_orchestrator.draw import levels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from statemachines_orchestrator.declare import Declaration, Guard, JointEvent, Link

__all__ = ("links",)

_WIDTH = 80
_NAME_WIDTH = 24
"""A longer name gets a line of its own."""
_BREAK = re.compile(r"(?<=\))(?=\.\w)|(?<= )")


def links(declaration: Declaration) -> str:
    """List links, guards and joint events, also those of nested orchestrators, in at most 80 columns."""
    lines: list[str] = []
    for level in levels_of(declaration):
        name = level.declaration.name
        where = f"{name} ({'.'.join(level.path)})" if level.path else name
        found = list(_sections(level.declaration))
        if found or not level.path:
            lines += [where, *(found or ["", "  no links, guards or joint events"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _sections(declaration: Declaration) -> Iterator[str]:
    yield from _section("links", declaration.links)
    yield from _section("guards", declaration.guards)
    yield from _section("joint events", declaration.joint_events)


def _section(title: str, rules: Sequence[Link | Guard | JointEvent]) -> Iterator[str]:
    if not rules:
        return
    width = min(max(len(one.name) for one in rules), _NAME_WIDTH)
    yield ""
    yield f"  {title}"
    margin = " " * (width + 6)
    for one in rules:
        if len(one.name) > width:
            yield f"    {one.name}"
        first = margin if len(one.name) > width else f"    {one.name:<{width}}  "
        for number, line in enumerate(_lines(str(one), _WIDTH - len(margin))):
            yield f"{margin if number else first}{line}"


def _lines(text: str, width: int) -> Iterator[str]:
    """Break a rule at a space or before a dot, as it would be broken in a class body."""
    line = ""
    for part in _BREAK.split(text):
        if line and len(line) + len(part.rstrip()) > width:
            yield line.rstrip()
            line = "" if part.startswith(".") else "    "
        line += part
        while len(line.rstrip()) > width:
            yield line[:width]
            line = f"    {line[width:]}"
    yield line.rstrip()
