"""
How many members of a collection are in a state: counted, so that it costs the same for three and for ten thousand.

Whoever may have changed is asked again, nobody else: members that have taken a transition, were put back or added. One
in the middle of a macrostep may change at any moment and is asked each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statemachines_orchestrator.engine import MemberEngine

__all__ = ("Tally",)


class Tally:
    """Of how many members of a collection something is true."""

    __slots__ = ("_changed", "_is_true", "_true")

    def __init__(self, is_true: Callable[[MemberEngine], bool], members: Iterable[MemberEngine]) -> None:
        self._is_true = is_true
        self._true: set[MemberEngine] = set()
        self._changed = set(members)

    def changed(self, member: MemberEngine) -> None:
        """Hear that it may have become true of a member, or false."""
        self._changed.add(member)

    def forget(self, member: MemberEngine) -> None:
        """Hear that a member has left."""
        self._true.discard(member)
        self._changed.discard(member)

    def count(self) -> int:
        """Of how many members it is true now."""
        for member in self._changed:
            if self._is_true(member):
                self._true.add(member)
            else:
                self._true.discard(member)
        self._changed = {member for member in self._changed if member.is_busy}
        return len(self._true)
