"""What can be shown of a class by Python's own means: ``format(Shop, "mermaid")``."""

from __future__ import annotations

from abc import ABCMeta

from statemachines_orchestrator.declare import Kept

from ._picture import picture

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
