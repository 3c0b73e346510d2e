"""What can be shown of a class by Python's own means: ``format(Shop, "mermaid")``, and in a notebook."""

from __future__ import annotations

from abc import ABCMeta
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.declare import Kept

from ._notebook import mimebundle
from ._picture import picture

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ("Shown",)


class Shown(Kept, ABCMeta):
    """The type of orchestrator classes: they keep their rules, and are shown as pictures."""

    def __format__(cls, kind: str) -> str:
        """
        Return a picture of the class.

        Args:
            kind: ``"mermaid"``, ``"dot"`` or ``"md"``; empty for what ``str()`` gives.

        Raises:
            ValueError: There is no such picture.
        """
        declaration = getattr(cls, "__declaration__", None)
        return str(cls) if not kind or declaration is None else picture(declaration, kind)

    def _repr_mimebundle_(
        cls, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Return what a notebook shows of the class."""
        declaration: Any = getattr(cls, "__declaration__", None)
        if declaration is None:
            return {"text/plain": repr(cls)}
        return mimebundle(repr(cls), declaration, include=include, exclude=exclude)
