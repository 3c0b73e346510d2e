"""
Measure, and print one table.

    python -m benchmarks            every case, about a minute
    python -m benchmarks --quick    the same in a few seconds, for a look
    python -m benchmarks async      the cases whose title contains "async"
"""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from ._cases import CASES, Case
from ._loop import close_loop
from ._measure import Effort, sample
from ._orca import ORCA_CASES, ORCA_MISSING
from ._peers import MISSING
from ._systems import SYSTEM_CASES
from ._table import HEADER, SYSTEM_HEADER, Line, SystemLine, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

FULL = Effort(rounds=40, seconds=0.01)
QUICK = Effort(rounds=5, seconds=0.002)

LEGEND = """\
alone: a python-statemachine machine. member: the same class in an orchestrator.
ratio: member to alone, the median of the ratios within each round."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for."""
    options = _parser().parse_args(arguments)
    cases = [case for case in CASES if options.title in case.title]
    systems = [case for case in SYSTEM_CASES if options.title in case.title]
    documents = [case for case in ORCA_CASES if options.title in case.title]
    if not cases and not systems and not documents:
        titles = [case.title for case in (*CASES, *SYSTEM_CASES, *ORCA_CASES)]
        print("No case is called so. The titles are:", *titles, sep="\n  ")
        return 2
    effort = QUICK if options.quick else FULL
    if options.rounds:
        effort = Effort(options.rounds, effort.seconds)
    try:
        _introduce(effort)
        if systems:
            _report_systems(systems, effort)
        if documents and ORCA_MISSING:
            print(*ORCA_MISSING, sep="\n")
        elif documents:
            _report_systems(documents, effort)
        if cases:
            _report(cases, effort)
    finally:
        close_loop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description="What an orchestrated event costs.")
    parser.add_argument("title", nargs="?", default="", help="only the cases whose title contains this")
    parser.add_argument("--quick", action="store_true", help="a few short rounds: not to be quoted")
    parser.add_argument("--rounds", type=int, default=0, help="how often each contender has its turn")
    return parser


def _introduce(effort: Effort) -> None:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python}, python-statemachine {version('python-statemachine')}, {effort.rounds} rounds")


def _report(cases: Sequence[Case], effort: Effort) -> None:
    print(LEGEND, *MISSING, "", HEADER, "-" * len(HEADER), sep="\n", flush=True)
    lines = _measured(cases, effort)
    print(*lines, "", summary(lines), sep="\n")


def _report_systems(cases: Sequence[Case], effort: Effort) -> None:
    print("", SYSTEM_HEADER, "-" * len(HEADER), sep="\n", flush=True)
    contenders = [{name: run for name, run in case.contenders().items() if run is not None} for case in cases]
    for case, samples in zip(cases, sample(contenders, effort), strict=True):
        medians = {name: samples.median(name) / case.per for name in samples.rows}
        print(SystemLine(case.title, medians, samples.ratio("here", "base"), case.beside))
    print()


def _measured(cases: Sequence[Case], effort: Effort) -> list[Line]:
    contenders = [{name: run for name, run in case.contenders().items() if run is not None} for case in cases]
    lines = []
    for case, samples in zip(cases, sample(contenders, effort), strict=True):
        medians = {name: samples.median(name) / case.per for name in samples.rows}
        lines.append(Line(case.title, medians, samples.ratio("member", "alone"), case.is_event))
    return lines


if __name__ == "__main__":
    sys.exit(main())
