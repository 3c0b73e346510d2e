"""Records grouped by step, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from statemachines_orchestrator.system import (
    EventHeld,
    EventRefused,
    LinkFired,
    Moved,
    StepEnded,
    StepStarted,
    TimerChanged,
)

from ._describe import event_of, in_words
from ._running import RunningSteps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachines_orchestrator.system import Inspection

__all__ = ("ObservedStep", "StepList")

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True, repr=False)
class ObservedStep:
    """
    A step that has ended.

    As text it has a line for each record, so that ``assert not step.refused, step`` shows what happened instead.
    """

    started: StepStarted
    between: tuple[Inspection, ...]
    """What happened in it, in order."""
    ended: StepEnded

    @property
    def number(self) -> int:
        """The number of the step."""
        return self.started.step

    @property
    def address(self) -> str | None:
        """The member that the event was for; None for a step without one."""
        return self.started.address

    @property
    def event(self) -> str | None:
        """The event from outside."""
        return self.started.event

    @property
    def moves(self) -> tuple[Moved, ...]:
        """The transitions that were taken."""
        return self._all(Moved)

    @property
    def fired(self) -> tuple[LinkFired, ...]:
        """The links that had their effect."""
        return self._all(LinkFired)

    @property
    def held(self) -> tuple[EventHeld, ...]:
        """The events that were kept for later."""
        return self._all(EventHeld)

    @property
    def refused(self) -> tuple[EventRefused, ...]:
        """The events that were refused."""
        return self._all(EventRefused)

    @property
    def timers(self) -> tuple[TimerChanged, ...]:
        """The timers that were set, were cancelled or were due."""
        return self._all(TimerChanged)

    @property
    def configuration(self) -> str:
        """Where everything was in the end, as text."""
        return self.ended.configuration

    @property
    def error(self) -> str | None:
        """What the step failed with; None for a step that succeeded."""
        return self.ended.error

    @property
    def put_back(self) -> bool:
        """Whether what the step did was undone."""
        return self.ended.put_back

    def __str__(self) -> str:
        lines = [_title(self.started), *map(in_words, (*self.between, self.ended))]
        return "\n  ".join(lines)

    def __repr__(self) -> str:
        parts = {
            "moved": self.moves,
            "fired": self.fired,
            "held": self.held,
            "refused": self.refused,
            "timers": self.timers,
        }
        counts = [f"{len(found)} {what}" for what, found in parts.items() if found]
        failed = ["failed"] if self.error is not None else []
        return f"<ObservedStep {', '.join([_title(self.started), *counts, *failed])}>"

    def _all(self, kind: type[_R]) -> tuple[_R, ...]:
        return tuple(one for one in self.between if isinstance(one, kind))


def _title(record: StepStarted) -> str:
    return f"step {record.step}" + (f": {event_of(record)}" if event_of(record) else "")


class StepList:
    """
    Collects what happened, step by step.

    A step is added when it has ended. Records of a step whose beginning was not seen are left out.
    """

    def __init__(self) -> None:
        self._steps: list[ObservedStep] = []
        self._running: RunningSteps[tuple[StepStarted, list[Inspection]]] = RunningSteps()

    def __call__(self, record: Inspection) -> None:
        """Take a record in."""
        if isinstance(record, StepStarted):
            self._running.begin(record.step, (record, []))
        elif isinstance(record, StepEnded):
            self._end(record)
        elif (found := self._running.find(record.step)) is not None:
            found[1].append(record)

    @property
    def steps(self) -> list[ObservedStep]:
        """The steps, in the order in which they ended."""
        return list(self._steps)

    @property
    def last(self) -> ObservedStep:
        """
        The step that ended last.

        Raises:
            LookupError: None has ended yet.
        """
        if not self._steps:
            raise LookupError("no step has ended since this list was made or cleared")
        return self._steps[-1]

    def clear(self) -> None:
        """Forget everything, steps that are under way included."""
        self._steps.clear()
        self._running.clear()

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[ObservedStep]:
        return iter(self.steps)

    def __repr__(self) -> str:
        failed = sum(step.error is not None for step in self._steps)
        return f"<StepList: {len(self)} steps, {failed} failed>"

    def _end(self, record: StepEnded) -> None:
        found = self._running.end(record.step)
        if found is not None:
            (started, between), _ = found
            self._steps.append(ObservedStep(started, tuple(between), record))
