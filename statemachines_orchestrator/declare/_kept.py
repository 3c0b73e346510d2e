"""What was declared stays declared: classes whose rules cannot be replaced."""

from __future__ import annotations

from abc import ABCMeta
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.exceptions import RuleAssignmentError

from ._links import GuardMarker, JointMarker, LinkMarker

if TYPE_CHECKING:
    from ._declaration import Declaration

__all__ = ("Kept",)


class Kept(ABCMeta):
    """The type of classes that keep their links, guards and joint events once they are made."""

    def __setattr__(cls, name: str, value: Any) -> None:
        declaration: Declaration | None = vars(cls).get("__declaration__")
        is_rule = isinstance(value, LinkMarker | GuardMarker | JointMarker)
        if declaration is not None and (is_rule or declaration.is_rule(name)):
            raise RuleAssignmentError(cls.__name__, name)
        super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        declaration: Declaration | None = vars(cls).get("__declaration__")
        if declaration is not None and declaration.is_rule(name):
            raise RuleAssignmentError(cls.__name__, name)
        super().__delattr__(name)
