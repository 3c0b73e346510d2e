"""
Which of the steps that are under way a record belongs to.

A record says the number of its step, and each orchestrator counts its own. An observer that listens to several may
hear of two steps with one number: one in a callback of the other, or both at the same time. Records are told where
they happen, so the context of the caller decides, as it does in the driver. Only what comes from somewhere else, such
as a task that awaits a call it was handed, is matched by number alone, and only if that leaves no doubt.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from contextvars import Token

__all__ = ("RunningSteps",)

_T = TypeVar("_T")


class _Running(Generic[_T]):
    """A step under way, and what is kept for it."""

    __slots__ = ("ended", "number", "token", "value", "watcher")

    def __init__(self, watcher: RunningSteps[_T], number: int, value: _T) -> None:
        self.watcher = watcher
        self.number = number
        self.value = value
        self.ended = False
        self.token: Token[tuple[_Running[Any], ...]]
        """Gone when the step has ended: it leads to the steps before."""


_around: ContextVar[tuple[_Running[Any], ...]] = ContextVar("observed_steps", default=())
"""The observed steps that the calling code runs in, innermost last; some may have ended."""


class RunningSteps(Generic[_T]):
    """The steps that one observer has seen begin and not end."""

    __slots__ = ("_all",)

    def __init__(self) -> None:
        self._all: dict[_Running[_T], None] = {}

    def begin(self, number: int, value: _T) -> None:
        """Keep a value for a step that begins, here and in what is started here."""
        step = _Running(self, number, value)
        self._all[step] = None
        step.token = _around.set((*(one for one in _around.get() if not one.ended), step))

    def find(self, number: int) -> _T | None:
        """Return what is kept for the step with this number, if it is known which one that is."""
        step = self._find(number)
        return None if step is None else step.value

    def end(self, number: int) -> tuple[_T, bool] | None:
        """
        Forget a step.

        Returns:
            What was kept for it, and whether it ends in the context in which it has begun.
        """
        step = self._find(number)
        if step is None:
            return None
        step.ended = True
        self._all.pop(step, None)
        return step.value, _is_left(step)

    def clear(self) -> None:
        """Forget all steps that are under way."""
        for step in tuple(self._all):
            step.ended = True
        self._all.clear()

    def _find(self, number: int) -> _Running[_T] | None:
        for step in reversed(_around.get()):
            if step.watcher is self and step.number == number and not step.ended:
                mine: _Running[_T] = step
                return mine
        found = [step for step in tuple(self._all) if step.number == number]
        return found[0] if len(found) == 1 else None


def _is_left(step: _Running[Any]) -> bool:
    """Leave the context of a step, if this is it."""
    token = step.token
    del step.token
    try:
        _around.reset(token)
    except ValueError:  # another context, such as that in which the collector closes a forgotten task
        return False
    return True
