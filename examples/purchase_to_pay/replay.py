"""A whole log through its cases: what fitted, what did not, and where everything ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .case import COLLECTIONS, Case, Refusal
from .cases import ANCHOR, CaseFile, Grouping, group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .log import EventLog, LoggedEvent

__all__ = ("Misfit", "Replay", "ReplayedCase", "replay")


@dataclass(frozen=True, slots=True)
class Misfit:
    """An event of the log that a case refused; it has moved nothing."""

    case: str
    event: LoggedEvent
    refusals: tuple[Refusal, ...]
    """Who refused it; at least one."""


@dataclass(frozen=True, slots=True)
class ReplayedCase:
    """A case and what the log has made of it."""

    file: CaseFile
    case: Case
    misfits: tuple[Misfit, ...]
    fitted: int
    """The number of events that fitted."""

    @property
    def is_smooth(self) -> bool:
        """Whether every event fitted and every object reached its end."""
        return not self.misfits and self.case.is_complete


@dataclass(frozen=True, slots=True)
class Replay:
    """A log that was replayed."""

    log: EventLog
    cases: Mapping[str, ReplayedCase]
    misfits: tuple[Misfit, ...]
    """In the order of the log."""

    @property
    def fitted(self) -> int:
        """The number of events that fitted."""
        return len(self.log.events) - len(self.misfits)


def replay(log: EventLog, progress: Callable[[int], object] = lambda _done: None) -> Replay:
    """
    Send every event of a log to its case.

    A refused event is put back and noted, and the replay goes on with the next one.

    Args:
        log: The log.
        progress: Told after each event how many are done.
    """
    grouping = group(log)
    cases = {file.id: Case(file.types) for file in grouping.cases.values()}
    misfits: list[Misfit] = []
    for number, event in enumerate(log.events, 1):
        if event.id in grouping.strays:
            misfits.append(_stray(event, log, grouping, cases))
        else:
            name = grouping.case_of[event.objects[0]]
            refusals = cases[name].take(event)
            misfits += [Misfit(name, event, refusals)] if refusals else []
        progress(number)
    return Replay(log, _per_case(grouping, cases, misfits), tuple(misfits))


def _stray(event: LoggedEvent, log: EventLog, grouping: Grouping, cases: Mapping[str, Case]) -> Misfit:
    """Say why an event belongs to no case."""
    if not event.objects:
        return Misfit("-", event, (Refusal("", "it touches no object"),))
    # Without objects that the log mentions here for the first time: they could belong to either side.
    known = (name for name in event.objects if name in grouping.case_of or log.types[name] == ANCHOR)
    homes = {name: grouping.case_of.get(name, name) for name in known}
    home = next((case for case in homes.values() if case in cases), next(iter(homes.values())))
    other, foreign = next((name, case) for name, case in homes.items() if case != home)
    reason = f"{COLLECTIONS[log.types[other]]}[{other}] belongs to another case, {foreign}"
    case = cases.get(foreign)
    return Misfit(home, event, (case.refusal(other, reason, event) if case else Refusal(other, reason),))


def _per_case(grouping: Grouping, cases: Mapping[str, Case], misfits: Iterable[Misfit]) -> dict[str, ReplayedCase]:
    own: dict[str, list[Misfit]] = {name: [] for name in cases}
    for misfit in misfits:
        own.get(misfit.case, []).append(misfit)
    found = {}
    for name, case in cases.items():
        file = grouping.cases[name]
        refused = sum(misfit.event.id not in grouping.strays for misfit in own[name])
        found[name] = ReplayedCase(file, case, tuple(own[name]), len(file.events) - refused)
    return found
