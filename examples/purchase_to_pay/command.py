"""
The command line: which log, which case to draw, how much to list.

The exit status says whether the replay ran: 0 if so, 2 if the input cannot be used. Events that do not fit are
what one wants to know, no failure.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import report
from .case import ACTIVITIES, COLLECTIONS
from .log import EventLogError, nearest, read_log
from .picture import picture
from .replay import Replay, replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ("main",)

_UNUSABLE = 2
_SMALL_LOG = Path(__file__).parent / "small.jsonocel"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except BrokenPipeError:
        # Whoever reads has seen enough. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options: Any) -> int:
    for stream in (sys.stdout, sys.stderr):
        # Ids come from the file and may hold what the terminal's encoding does not have.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        log = read_log(options.log, types=COLLECTIONS, activities=ACTIVITIES)
    except EventLogError as error:
        _say([str(error)], sys.stderr)
        return _UNUSABLE
    replayed = replay(log, _Progress(len(log.events)))
    drawn = _interesting(replayed) if options.case is None else options.case
    if drawn is not None and drawn not in replayed.cases:
        _say([f"{log.name} has no case {drawn!r}; {nearest(drawn, list(replayed.cases))}"], sys.stderr)
        return _UNUSABLE
    _say(report.summary(replayed))
    _say(report.misfits(replayed, options.limit))
    _say(report.cases(replayed, options.limit))
    if drawn is not None:
        _say(["", f"Case {drawn} as a picture (Mermaid; thick arrows: the way it came)", ""])
        _say(["```mermaid", *picture(replayed.cases[drawn].file), "```"])
    sys.stdout.flush()  # Here, where a reader that has gone is no surprise.
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.purchase_to_pay",
        description="Replay an object-centric event log of purchasing (OCEL 1.0, JSON): one orchestrator a case.",
        epilog="Exit status: 0 the replay ran, 2 the input cannot be used, 130 interrupted.",
    )
    parser.add_argument(
        "log",
        nargs="?",
        type=Path,
        default=_SMALL_LOG,
        metavar="LOG",
        help="the log; by default a small one that comes with the demo",
    )
    parser.add_argument(
        "--case", metavar="ID", help="the case to draw; by default the first with a misfit, or the first"
    )
    parser.add_argument(
        "--limit",
        type=_count,
        default=20,
        metavar="N",
        help="how many misfits and cases to list at most; 0 means all (default: 20)",
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines; write 0, 1, 2, ...")
    return int(text)


def _interesting(replayed: Replay) -> str | None:
    """The case worth drawing: the first that has a misfit, else the first; None if every event is a stray."""
    return next((name for name, case in replayed.cases.items() if case.misfits), next(iter(replayed.cases), None))


class _Progress:
    """Says on a terminal how far the replay is, and nothing into a file or a pipe."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.shown = sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        if not self.shown or (done % 50 and done != self.total):
            return
        text = f"replaying: {done} of {self.total} events"
        # The last one wipes the line, since the report follows.
        print(
            f"\r{text}" if done < self.total else f"\r{' ' * len(text)}\r",
            end="",
            file=sys.stderr,
            flush=True,
        )


def _say(lines: Iterable[str], stream: Any = None) -> None:
    """Print lines; what would steer the terminal is shown, not sent."""
    for line in lines:
        pieces = line.split("\n")
        shown = "\n".join("".join(c if c.isprintable() else ascii(c)[1:-1] for c in piece) for piece in pieces)
        print(shown, file=stream or sys.stdout)
