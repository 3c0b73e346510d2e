"""
Where the time comes from: the one module below the command line that may ask the machine for it.

Everything else is given a clock, so that a test can move through two weeks in a millisecond.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from inspect import isabstract
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from statemachines_orchestrator.exceptions import ArgumentsError

if TYPE_CHECKING:
    from ._timers import Timer

__all__ = ("Clock", "MonotonicClock", "Timed", "no_clock")


class Timed(Protocol):
    """A system with timers, as a clock sees it that fires them itself."""

    @property
    def is_async(self) -> bool:
        """Whether `fire_due` has to be awaited."""
        ...

    @property
    def next_timer(self) -> Timer | None:
        """The timer that is due first."""
        ...

    def refuse_inside(self, doing: str) -> None:
        """Raise a StepRunningError if the caller belongs to a step of the system that is still running."""
        ...

    def fire_due(self, now: float) -> Any:
        """Fire the first timer that is due at `now`, if any, and return whether there was one; see `is_async`."""
        ...


class Clock(ABC):
    """
    What tells an orchestrator the time: ``Shop(clock=SimulatedClock())``.

    A clock of your own says what `now` is. Copies of whatever refers to a clock refer to the same clock.
    """

    drives_systems: ClassVar[bool] = False
    """
    Whether this clock fires the timers of the systems that are attached to it, as it advances.

    If not, they are fired by ``run_due()``, in the background of a ``with`` block, or by the event loop.
    """

    @abstractmethod
    def now(self) -> float:
        """Return the time in seconds, from any beginning; it never goes back."""

    def attach(self, system: Timed) -> None:  # noqa: B027 - most clocks need not know
        """Take note of a system that goes by this clock; for clocks that drive their systems."""

    def __copy__(self) -> Clock:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Clock:
        return self


class MonotonicClock(Clock):
    """The machine's own clock, which no change of date or daylight saving time moves."""

    def now(self) -> float:
        """Return the seconds since some moment in the past."""
        return time.monotonic()

    def __repr__(self) -> str:
        return "<MonotonicClock>"


def no_clock(owner: str, given: object) -> ArgumentsError:
    """Say that something that was passed as a clock is none, and what to pass."""
    instead = "Pass a Clock, or leave it out to go by the machine's own"
    if isinstance(given, type) and issubclass(given, Clock) and not isabstract(given):
        instead = f"Pass {given.__name__}()"
    return ArgumentsError(f"{owner}()", f"clock={given!r} is no clock", instead)
