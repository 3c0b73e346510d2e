"""
Interleaved sampling.

Contenders take turns round by round and in changing order, so that a busy machine or a slower clock hits all
alike. A ratio is the median of the ratios within each round: it stays put when the microseconds drift.
"""

from __future__ import annotations

import gc
import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ("Effort", "Samples", "sample")

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


def sample(contenders: Mapping[str, Callable[[int], object]], effort: Effort) -> Samples:
    """
    Measure contenders beside each other.

    Args:
        contenders: By name, a function that does the given number of operations.
        effort: How many rounds, and how long each sample.
    """
    counts = {name: _count(run, effort.seconds) for name, run in contenders.items()}
    rows: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for _ in range(effort.rounds):
        for name in names:
            rows[name].append(_timed(contenders[name], counts[name]) / counts[name] * MICROSECONDS)
        names.append(names.pop(0))  # whoever comes first pays for cold caches: let each of them be first
    return Samples({name: tuple(times) for name, times in rows.items()})


def _count(run: Callable[[int], object], seconds: float) -> int:
    run(1)  # first events fill caches
    count = 1
    while True:
        taken = _timed(run, count)
        if taken * 2 >= seconds:
            return max(1, round(count * seconds / taken))
        count *= 2


def _timed(run: Callable[[int], object], count: int) -> float:
    gc.collect()
    gc.disable()
    try:
        start = perf_counter()
        run(count)
        return perf_counter() - start
    finally:
        gc.enable()
