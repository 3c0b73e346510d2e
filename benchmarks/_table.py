"""The tables that a run prints, of at most 100 columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._cases import Case

__all__ = ("HEADER", "SYSTEM_HEADER", "Line", "SystemLine", "short", "summary", "times")

_UNIT = "microseconds, medians"
_NEAR_ONE = 0.9
"""Ratios from here on are written as they are, smaller ones as a fraction."""

_WIDTHS = {"transitions": 12, "automat": 8, "sismic": 7, "dict": 6}

HEADER = f"{_UNIT:<33}{'alone':>8}{'member':>8}{'ratio':>8} {'aim':<6}" + "".join(
    f"{name:>{width}}" for name, width in _WIDTHS.items()
)


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured in one case, and how that compares with the same class alone and with the peers."""

    case: Case
    medians: Mapping[str, float]
    """By column; a contender that does not exist is left out."""
    ratio: float
    """How many times a machine alone the member takes."""

    @property
    def is_met(self) -> bool:
        """Whether the figure that we want is reached, if there is one."""
        return _is_met(self.case, self.medians["alone"], self.medians["member"], self.ratio)

    def __str__(self) -> str:
        shown = {name: short(median) for name, median in self.medians.items()}
        peers = "".join(f"{shown.get(name, '-'):>{width}}" for name, width in _WIDTHS.items())
        return (
            f"{self.case.title:<33}{shown['alone']:>8}{shown['member']:>8}{times(self.ratio):>8} "
            f"{_aim(self.case, is_met=self.is_met):<6}{peers}"
        )


SYSTEM_HEADER = f"{_UNIT:<33}{'base':>8}{'here':>8}{'ratio':>8} {'aim':<7}  base is"


@dataclass(frozen=True, slots=True)
class SystemLine:
    """What was measured in one case, and how that compares with what the case names."""

    case: Case
    medians: Mapping[str, float]
    ratio: float

    @property
    def is_met(self) -> bool:
        """Whether the figure that we want is reached, if there is one."""
        return _is_met(self.case, self.medians["base"], self.medians["here"], self.ratio)

    def __str__(self) -> str:
        base, here = short(self.medians["base"]), short(self.medians["here"])
        aim = _aim(self.case, is_met=self.is_met)
        return f"{self.case.title:<33}{base:>8}{here:>8}{times(self.ratio):>8} {aim:<7}  {self.case.beside}"


def _is_met(case: Case, base: float, here: float, ratio: float) -> bool:
    return case.aim is None or case.aim.is_met(base, here, ratio)


def _aim(case: Case, *, is_met: bool) -> str:
    return "" if case.aim is None else f"{case.aim.text}{'' if is_met else '!'}"


def short(microseconds: float) -> str:
    """Return a time with as many decimals as are worth reading, in at most six places."""
    decimals = 2 if microseconds < 1 else 1 if microseconds < 1000 else 0
    return f"{microseconds:.{decimals}f}"


def times(ratio: float) -> str:
    """Return how many times something is, as a fraction where it is less."""
    return f"{ratio:.2f}" if ratio > _NEAR_ONE else f"1/{1 / ratio:.1f}"


def summary(lines: Sequence[Line | SystemLine]) -> str:
    """Return the sentence below the tables."""
    aimed = [line for line in lines if line.case.aim is not None]
    missed = [line.case.title for line in aimed if not line.is_met]
    if not aimed:
        return "No line has an aim."
    if missed:
        return "\n  ".join([f"{len(aimed) - len(missed)} of {len(aimed)} aims are reached. Missed (!):", *missed])
    return f"All aims are reached: {len(aimed)} of {len(aimed)}."
