"""The ways in: pictures of orchestrators and machines by the name of a format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._dot import dot
from ._link_map import dot_map, mermaid_map
from ._markdown import markdown
from ._mermaid import mermaid
from ._survey import survey, survey_machine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from statemachine import StateChart

    from statemachines_orchestrator.charts import Chart
    from statemachines_orchestrator.declare import Declaration

    from ._sketch import Sketch

__all__ = ("KINDS", "MAPS", "link_map", "machine_picture", "picture")

_PICTURES: dict[str, Callable[[Sketch], str]] = {"mermaid": mermaid, "dot": dot}
_MAPS: dict[str, Callable[[Sketch], str]] = {"mermaid": mermaid_map, "dot": dot_map}

KINDS = (*_PICTURES, "md")
"""The formats of a picture."""
MAPS = tuple(_MAPS)
"""The formats of a link map."""


def picture(
    declaration: Declaration,
    kind: str,
    configuration: Mapping[str, Collection[str]] | None = None,
    classes: Mapping[str, type[StateChart[Any]]] | None = None,
) -> str:
    """
    Draw an orchestrator class, or an instance: all machines with their states, and what is declared between them.

    Args:
        declaration: What the class declares.
        kind: ``"mermaid"``, ``"dot"`` or ``"md"``, tables in Markdown.
        configuration: Of an instance, the ids of the active states by the machines' addresses; they are marked.
        classes: The classes of the machines by address, where the declaration does not tell.

    Raises:
        ValueError: There is no such format; names those that there are.
    """
    if kind == "md":
        return markdown(declaration, configuration, classes)
    return _format(_PICTURES, kind, KINDS)(survey(declaration, configuration, classes))


def machine_picture(chart: Chart, kind: str, active: Collection[str] = ()) -> str:
    """
    Draw one machine alone.

    Args:
        chart: The description of its class.
        kind: ``"mermaid"`` or ``"dot"``.
        active: Ids of the active states, which are marked.

    Raises:
        ValueError: There is no such format; names those that there are.
    """
    return _format(_PICTURES, kind, tuple(_PICTURES))(survey_machine(chart, active))


def link_map(declaration: Declaration, kind: str) -> str:
    """
    Draw an orchestrator class with one node for each machine.

    Args:
        declaration: What the class declares.
        kind: ``"mermaid"`` or ``"dot"``.

    Raises:
        ValueError: There is no such format; names those that there are.
    """
    return _format(_MAPS, kind, MAPS)(survey(declaration))


def _format(known: Mapping[str, Callable[[Sketch], str]], kind: str, names: tuple[str, ...]) -> Callable[[Sketch], str]:
    if kind not in known:
        msg = f"{kind!r} is no format of a picture: write one of {', '.join(map(repr, names))}"
        raise ValueError(msg)
    return known[kind]
