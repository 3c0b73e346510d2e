"""
Interleaved sampling.

A round visits every case, and within a case its contenders take turns in changing order. So a burst of noise hits a
few rounds of every case, which a median forgets, and hits the contenders of a case alike, which a ratio forgets: it
is the median of the ratios within each round. What is counted is the processor's time, not that of the wall: nothing
here waits, and who else wants the processor says nothing about the contenders.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ("Effort", "Race", "Run", "Samples", "sample")

Run = Callable[[int], object]
"""Does its operation the given number of times."""

MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float
    """Length of one sample; the number of events in it is found once per contender."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Microseconds per operation, by contender and round."""

    rows: Mapping[str, tuple[float, ...]]

    def median(self, contender: str) -> float:
        """Return the median time of one operation."""
        return statistics.median(self.rows[contender])

    def ratio(self, contender: str, base: str) -> float:
        """Return how many times the base's time the contender takes, compared within each round."""
        pairs = zip(self.rows[contender], self.rows[base], strict=True)
        return statistics.median(mine / other for mine, other in pairs)


class Race:
    """Contenders that are measured beside each other."""

    def __init__(self, contenders: Mapping[str, Run], seconds: float) -> None:
        self._contenders = contenders
        self._counts = {name: _count(run, seconds) for name, run in contenders.items()}
        self._order = list(contenders)
        self._rows: dict[str, list[float]] = {name: [] for name in contenders}

    def round(self) -> None:
        """Take one sample of each contender."""
        for name in self._order:
            run, count = self._contenders[name], self._counts[name]
            self._rows[name].append(_timed(run, count) / count * MICROSECONDS)
        self._order.append(self._order.pop(0))

    @property
    def samples(self) -> Samples:
        """What has been measured so far."""
        return Samples({name: tuple(times) for name, times in self._rows.items()})


def sample(contenders: Sequence[Mapping[str, Run]], effort: Effort) -> list[Samples]:
    """
    Measure several groups of contenders.

    Args:
        contenders: By group and name, a function that does the given number of operations.
        effort: How many rounds, and how long each sample.
    """
    gc.collect()
    gc.freeze()  # what is under measurement stays; only what a sample leaves behind is collected below
    try:
        races = [Race(group, effort.seconds) for group in contenders]
        for _ in range(effort.rounds):
            for race in races:
                race.round()
    finally:
        gc.unfreeze()
    return [race.samples for race in races]


def _count(run: Run, seconds: float) -> int:
    count = 1
    while True:
        taken = _timed(run, count)
        if taken * 2 >= seconds:
            return max(1, round(count * seconds / taken))
        count *= 2


def _timed(run: Run, count: int) -> float:
    run(1 + count // 10)  # fills caches, and lets the interpreter settle on the types it meets here
    gc.collect()
    gc.disable()
    try:
        start = process_time()
        run(count)
        return process_time() - start
    finally:
        gc.enable()
