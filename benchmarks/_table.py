"""The one table that a run prints: 80 columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("HEADER", "SYSTEM_HEADER", "TARGET", "Line", "SystemLine", "short", "summary")

TARGET = 1.25
"""An orchestrated event costs at most this many times the bare one."""

HEADER = f"{'microseconds, medians':<39}{'alone':>8}{'member':>8}{'ratio':>7} {'transitions':>11}{'dict':>6}"


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured in one case."""

    title: str
    medians: Mapping[str, float]
    """By column; a contender that does not exist is left out."""
    ratio: float
    """How many times a machine alone the member takes."""
    is_event: bool

    @property
    def is_over(self) -> bool:
        """Whether the line misses the target for events."""
        return self.is_event and round(self.ratio, 2) > TARGET

    def __str__(self) -> str:
        shown = {name: short(median) for name, median in self.medians.items()}
        ratio = f"{self.ratio:.2f}{'!' if self.is_over else ' '}"
        return (
            f"{self.title:<39}{shown['alone']:>8}{shown['member']:>8}{ratio:>8}"
            f"{shown.get('transitions', '-'):>11}{shown.get('table', '-'):>6}"
        )


SYSTEM_HEADER = f"{'microseconds, medians':<37}{'base':>9}{'here':>9}{'ratio':>7}  base is"


@dataclass(frozen=True, slots=True)
class SystemLine:
    """What was measured in one case of the second table."""

    title: str
    medians: Mapping[str, float]
    ratio: float
    beside: str

    def __str__(self) -> str:
        base, here = short(self.medians["base"]), short(self.medians["here"])
        return f"{self.title:<37}{base:>9}{here:>9}{self.ratio:>7.2f}  {self.beside}"


def short(microseconds: float) -> str:
    """Return a time with as many decimals as are worth reading, in at most six places."""
    decimals = 2 if microseconds < 1 else 1 if microseconds < 1000 else 0
    return f"{microseconds:.{decimals}f}"


def summary(lines: list[Line]) -> str:
    """Return the sentence below the table."""
    events = [line for line in lines if line.is_event]
    over = sum(line.is_over for line in events)
    if not events:
        return "No line has a target."
    if over:
        return f"{over} of {len(events)} kinds of event are over {TARGET} times the event alone (marked !)."
    return f"Each of {len(events)} kinds of event is within {TARGET} times the event alone."
