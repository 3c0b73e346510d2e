"""
Run python-statemachine's own tests on its engines and on ours, and compare test by test.

Ours come twice: with machines as anybody makes them, and with machines that are made as those of a class with members,
of which only what tells them apart is made for each.

    python -m conformance                    all of them, a few minutes
    python -m conformance -- -k invoke       arguments for pytest, after two dashes
    python -m conformance --processes 1      one test at a time
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import _suite
from ._compare import Comparison, read_accepted

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCEPTED = Path(__file__).parent / "accepted.txt"
FEW = 200
"""Differences are tried a second time, alone, since some tests look at the time; more than this are no accident."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and compare; the status is 1 if anything holds with stock that does not hold with ours."""
    options = _parser().parse_args(arguments)
    accepted = read_accepted(ACCEPTED.read_text().splitlines())
    suite = _suite.fetch()
    print(f"{suite.name}: its tests on its own engines, on ours, and on ours with what members share.", flush=True)
    stock = _suite.run(suite, "stock", options.pytest, processes=options.processes)
    return max(_tried(suite, options, stock, accepted, name) for name in ("ours", "prepared"))


def _tried(suite: Path, options: argparse.Namespace, stock: _suite.Run, accepted: dict[str, str], name: str) -> int:
    """Run and compare with one kind of ours; the status."""
    comparison = _compared(suite, options, stock, accepted, name)
    return _report(comparison, name, is_whole=not options.pytest)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m conformance", description="Compare our engines with stock.")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many tests run at a time")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after two dashes")
    return parser


def _compared(
    suite: Path, options: argparse.Namespace, stock: _suite.Run, accepted: dict[str, str], name: str
) -> Comparison:
    ours = _suite.run(suite, name, options.pytest, processes=options.processes)
    print(f"\nMachines made: {stock.machines} with stock, {ours.machines} with {name}.")
    comparison = Comparison(stock.outcomes, ours.outcomes, accepted)
    if not 0 < len(comparison.different) <= FEW:
        return comparison
    again = _suite.run(suite, name, comparison.different, processes=0).outcomes
    second = Comparison(stock.outcomes, {**ours.outcomes, **again}, accepted)
    _list("Failed beside others, passed alone", [test for test in comparison.different if test not in second.different])
    return second


def _report(comparison: Comparison, name: str, *, is_whole: bool) -> int:
    print(comparison.table(name))
    accepted = [test for test in comparison.different if test in comparison.accepted]
    _list("Different, and accepted", [f"{test}: {comparison.accepted[test]}" for test in accepted])
    _list(f"Worse with {name}", [f"{test}: {comparison.ours.get(test, 'missing')}" for test in comparison.worse])
    outdated = comparison.outdated if is_whole else ()
    _list("Accepted, but no longer different: delete the line", outdated)
    if not comparison.stock:
        print(f"Nothing ran. See {_suite.CACHE}/stock.log.")
        return 2
    if comparison.worse:
        print(f"What the tests said is in {_suite.CACHE}/{name}.log.")
    return 1 if comparison.worse or outdated else 0


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        print(f"\n{title} ({len(lines)}):", *lines, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
