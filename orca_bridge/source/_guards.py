"""What the guards of a written module are made of; the same functions that loaded guards use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from orca_bridge.convert._guards import ORDERINGS, compile_else, ordered, walk
from orca_bridge.convert._guards import equal as equal_values
from orca_bridge.convert._guards import truth as truth_of

if TYPE_CHECKING:
    from orca_bridge.convert._guards import Guard

__all__ = ("equal", "order", "otherwise", "read", "truth")


def read(root: Any, *names: str) -> Any:
    """Read what stands at a path of the context or the payload; None where something on the way is missing."""
    return walk(root, names)


def equal(left: Any, right: Any) -> bool:
    """Compare two values as guards do: kinds do not mix, and nothing is raised."""
    return equal_values(left, right)


def order(left: Any, operator: Literal["<", "<=", ">", ">="], right: Any) -> bool:
    """Compare two numbers, or texts that spell numbers; nothing else has an order."""
    return ordered(ORDERINGS[operator], left, right)


def otherwise(*others: Guard | None) -> Guard:
    """Make the guard ``else`` from those of the other rows; None is a row without guard."""
    return compile_else(others)


def truth(value: Any) -> bool:
    """Give the truth of a value; null is false."""
    return truth_of(value)
