"""What a user wants to see of a replay, as lines of plain text."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from .case import COLLECTIONS
from .machines import states_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from statemachine import StateChart

    from .replay import Misfit, Replay, ReplayedCase

__all__ = ("WIDTH", "cases", "misfits", "summary")

WIDTH = 80
_COLUMNS = {
    "case": 12,
    "fitted": 8,
    "requisition": 11,
    "order": 10,
    "receipt": 9,
    "materials": 12,
    "invoices": 12,
}


def summary(replay: Replay) -> Iterator[str]:
    """Say how much of the log fitted."""
    log = replay.log
    first, last = log.events[0].time, log.events[-1].time
    touched = {name for event in log.events for name in event.objects}
    counts = [(len(log.events), "event"), (len(log.types), "object"), (len(replay.cases), "case")]
    yield f"{log.name}: {', '.join(_many(number, noun) for number, noun in counts)}"
    yield f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    if not log.in_order:
        yield "The file is not in order of time; replayed sorted by time, then by id."
    if len(touched) < len(log.types):
        yield f"No event touches {_many(len(log.types) - len(touched), 'object')}; left out."
    yield ""
    smooth = sum(case.is_smooth for case in replay.cases.values())
    yield f"{replay.fitted} of {_many(len(log.events), 'event')} fitted, {len(replay.misfits)} did not."
    yield f"{smooth} of {_many(len(replay.cases), 'case')} ran to the end without a misfit."


def misfits(replay: Replay, limit: int) -> Iterator[str]:
    """Say which events did not fit, and why; `limit` 0 means all."""
    if not replay.misfits:
        return
    shown = replay.misfits[: limit or None]
    yield from _heading("What did not fit, and who refused it (nobody has moved)")
    for number, misfit in enumerate(shown, 1):
        yield from _misfit(number, misfit)
    yield from _rest(len(replay.misfits) - len(shown), "misfit")


def _misfit(number: int, misfit: Misfit) -> Iterator[str]:
    event, (first, *others) = misfit.event, misfit.refusals
    margin = " " * 5
    title = f"{number:3}. case {misfit.case}, event {event.id}: {event.activity}, {event.time:%Y-%m-%d %H:%M}"
    yield from wrap(title, WIDTH, subsequent_indent=margin)
    yield from _paragraph(margin, f"{first.reason}.")
    if first.states:
        allowed = [f"{event} ({activity})" for event, activity in first.allowed]
        yield from _paragraph(margin, f"Allowed there: {', '.join(allowed) or 'nothing'}.")
    if others:
        also = (f"{one.object_id} in {'+'.join(one.states)}" for one in others)
        yield from _paragraph(margin, f"Refused as well by {', '.join(also)}.")


def cases(replay: Replay, limit: int) -> Iterator[str]:
    """Say where the cases ended, those with something to tell first; `limit` 0 means all."""
    if not replay.cases:
        return
    ordered = sorted(replay.cases.values(), key=lambda case: case.is_smooth)
    shown = ordered[: limit or None]
    yield from _heading("Where the cases ended")
    yield _line(_COLUMNS)
    yield _line("-" * width for width in _COLUMNS.values())
    for case in shown:
        yield from _row(_cells(case))
    yield from _rest(len(ordered) - len(shown), "case")


def _cells(case: ReplayedCase) -> list[str]:
    states = {name: _states(getattr(case.case, name)) for name in COLLECTIONS.values()}
    # Of the first three there is one, so that it is not counted.
    one = [" ".join(states[name]) or "none" for name in ("requisitions", "orders", "receipts")]
    several = [
        " ".join(f"{number}\N{NO-BREAK SPACE}{state}" for state, number in states[name].items()) or "none"
        for name in ("materials", "invoices")
    ]
    return [case.file.id, f"{case.fitted}/{case.fitted + len(case.misfits)}", *one, *several]


def _states(members: Mapping[str, StateChart[Any]]) -> Counter[str]:
    return Counter("+".join(states_of(member)) for member in members.values())


def _row(cells: Sequence[str]) -> Iterator[str]:
    """One row of the table, on as many lines as its longest cell needs."""
    folded = [wrap(cell, width) for cell, width in zip(cells, _COLUMNS.values(), strict=True)]
    yield from map(_line, zip_longest(*folded, fillvalue=""))


def _line(cells: Iterable[str]) -> str:
    padded = (
        cell.replace("\N{NO-BREAK SPACE}", " ").ljust(width)
        for cell, width in zip(cells, _COLUMNS.values(), strict=True)
    )
    return " ".join(padded).rstrip()


def _heading(text: str) -> Iterator[str]:
    yield from ("", text, "")


def _rest(number: int, noun: str) -> Iterator[str]:
    if number > 0:
        yield f"... and {_many(number, f'more {noun}')} (--limit 0 shows all)"


def _paragraph(margin: str, text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=margin, subsequent_indent=margin)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
