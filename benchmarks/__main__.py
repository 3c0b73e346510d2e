"""
Measure, and print tables.

    python -m benchmarks            every case, some minutes
    python -m benchmarks --quick    the same in half a minute, for a look
    python -m benchmarks async      the cases whose title contains "async"
    python -m benchmarks --lines    where the nanoseconds of one event go, line by line
"""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from . import _lines, _memory
from ._cases import CASES, Case
from ._loop import close_loop
from ._measure import Effort, sample
from ._orca import ORCA_CASES, ORCA_MISSING
from ._peers import missing
from ._systems import SYSTEM_CASES
from ._table import HEADER, SYSTEM_HEADER, Line, SystemLine, summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FULL = Effort(rounds=40, seconds=0.01)
QUICK = Effort(rounds=5, seconds=0.002)
WEIGHED = 2000
"""How many machines are made to find out what one weighs."""

LEGEND = """\
alone: a python-statemachine machine. member: the same class in an orchestrator.
ratio: member to alone, the median of the ratios within each round. aim: as in "Aims"; ! if missed.
The others are peers, each in its own way, without members and steps; -: it has nothing of the kind."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for."""
    options = _parser().parse_args(arguments)
    effort = QUICK if options.quick else FULL
    if options.rounds:
        effort = Effort(options.rounds, effort.seconds)
    if options.lines:
        _introduce(effort)
        return _lines.main(options.lines, effort.rounds)
    chosen = [[case for case in cases if options.title in case.title] for cases in (CASES, SYSTEM_CASES, ORCA_CASES)]
    if not any(chosen):
        titles = [case.title for case in (*CASES, *SYSTEM_CASES, *ORCA_CASES)]
        print("No case is called so. The titles are:", *titles, sep="\n  ")
        return 2
    _introduce(effort)
    try:
        print(summary(_report_all(*chosen, effort)))
    finally:
        close_loop()
    if not options.title:
        print()
        _memory.main([str(WEIGHED // 100 if options.quick else WEIGHED), "Flat"])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description="What an orchestrated event costs.")
    parser.add_argument("title", nargs="?", default="", help="only the cases whose title contains this")
    parser.add_argument("--quick", action="store_true", help="a few short rounds: not to be quoted")
    parser.add_argument("--rounds", type=int, default=0, help="how often each contender has its turn")
    parser.add_argument(
        "--lines", nargs="?", const="Flat", choices=_lines.KINDS, help="only what each line takes that an event passes"
    )
    return parser


def _introduce(effort: Effort) -> None:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python}, python-statemachine {version('python-statemachine')}, {effort.rounds} rounds")


def _report_all(
    cases: Sequence[Case], systems: Sequence[Case], documents: Sequence[Case], effort: Effort
) -> list[Line | SystemLine]:
    lines: list[Line | SystemLine] = []
    if cases:
        print(LEGEND, *missing(), "", HEADER, "-" * len(HEADER), sep="\n", flush=True)
        events = [Line(*one) for one in _measured(cases, effort, "member", "alone")]
        print(*events, "", sep="\n", flush=True)
        lines += events
    for group in (systems, () if ORCA_MISSING else documents):
        if group:
            print(SYSTEM_HEADER, "-" * len(SYSTEM_HEADER), sep="\n", flush=True)
            found = [SystemLine(*one) for one in _measured(group, effort, "here", "base")]
            print(*found, "", sep="\n", flush=True)
            lines += found
    if documents and ORCA_MISSING:
        print(*ORCA_MISSING, "", sep="\n")
    return lines


def _measured(
    cases: Sequence[Case], effort: Effort, here: str, base: str
) -> Iterator[tuple[Case, dict[str, float], float]]:
    contenders = [{name: run for name, run in case.contenders().items() if run is not None} for case in cases]
    for case, samples in zip(cases, sample(contenders, effort), strict=True):
        medians = {name: samples.median(name) / case.per for name in samples.rows}
        yield case, medians, samples.ratio(here, base)


if __name__ == "__main__":
    sys.exit(main())
