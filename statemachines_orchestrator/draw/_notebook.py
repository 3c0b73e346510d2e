"""What a notebook shows of an orchestrator."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.exceptions import DrawingError, MissingExtraError

from ._picture import picture
from ._svg import svg

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from statemachine import StateChart

    from statemachines_orchestrator.declare import Declaration

__all__ = ("mimebundle",)

_PATIENCE = 5.0
"""Seconds that a cell may wait for its picture."""
_SVG = "image/svg+xml"


def mimebundle(
    text: str,
    declaration: Declaration,
    configuration: Mapping[str, Collection[str]] | None = None,
    classes: Mapping[str, type[StateChart[Any]]] | None = None,
    *,
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
) -> dict[str, str]:
    """
    Return what ``_repr_mimebundle_`` returns: text, Markdown with a Mermaid diagram, and SVG if it can be drawn.

    Args:
        text: The plain text.
        declaration: What the class declares.
        configuration: Of an instance, the ids of the active states by the machines' addresses.
        classes: The classes of the machines by address, where the declaration does not tell.
        include: The types that are wanted; all by default.
        exclude: The types that are not wanted.
    """

    def is_wanted(kind: str) -> bool:
        return (include is None or kind in include) and kind not in (exclude or ())

    bundle = {"text/plain": text}
    if is_wanted("text/markdown"):
        bundle["text/markdown"] = f"```mermaid\n{picture(declaration, 'mermaid', configuration, classes)}```\n"
    if is_wanted(_SVG):
        with suppress(MissingExtraError, DrawingError):  # the other forms show the same
            bundle[_SVG] = svg(picture(declaration, "dot", configuration, classes), patience=_PATIENCE)
    return {kind: shown for kind, shown in bundle.items() if is_wanted(kind)}
