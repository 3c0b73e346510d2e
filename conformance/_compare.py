"""What two runs of one suite say about the engines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ("OUTCOMES", "Comparison", "read_accepted")

OUTCOMES = ("passed", "xfailed", "skipped", "failed", "xpassed")
MISSING = "missing"
NOT_BETTER = {"passed": {"passed"}, "xfailed": {"xfailed", "xpassed", "passed"}}
"""How a test may end with ours, by how it ended with stock; where it is not listed, stock proves nothing."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side."""

    stock: Mapping[str, str]
    ours: Mapping[str, str]
    accepted: Mapping[str, str]
    """Reasons, by the tests that may end differently."""

    @property
    def different(self) -> tuple[str, ...]:
        """The tests that hold with stock and do not with ours, accepted or not."""
        return tuple(
            test
            for test, outcome in self.stock.items()
            if outcome in NOT_BETTER and self.ours.get(test, MISSING) not in NOT_BETTER[outcome]
        )

    @property
    def worse(self) -> tuple[str, ...]:
        """Those without a reason: each is a fault of ours."""
        return tuple(test for test in self.different if test not in self.accepted)

    @property
    def outdated(self) -> tuple[str, ...]:
        """Accepted tests that are the same by now, or do not exist: their lines have to go."""
        return tuple(test for test in self.accepted if test not in self.different)

    def table(self, name: str) -> str:
        """Return the numbers, for people; ours under a name."""
        stock, ours = Counter(self.stock.values()), Counter(self.ours.values())
        rows = [f"{'tests':<10}{'stock':>8}{name:>10}", "-" * 28]
        rows += [f"{end:<10}{stock[end]:>8}{ours[end]:>10}" for end in OUTCOMES if stock[end] or ours[end]]
        rows.append(f"{'in all':<10}{len(self.stock):>8}{len(self.ours):>10}")
        return "\n".join(rows)


def read_accepted(lines: Sequence[str]) -> dict[str, str]:
    """
    Read the list of accepted differences: a test id, two spaces, a hash and the reason on every line.

    Returns:
        The reasons, by test id.

    Raises:
        ValueError: A line has no reason.
    """
    accepted = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        test, _, reason = line.partition("  # ")
        if not reason.strip():
            msg = f"line {number} gives no reason: write '{test.strip()}  # why the test looks at stock internals'"
            raise ValueError(msg)
        accepted[test.strip()] = reason.strip()
    return accepted
