"""What synchronous and asynchronous steps have in common."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import AsyncMemberEngine, MemberEngine, take_strays

from ._step import Step, current_step
from ._turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachine.event_data import TriggerData

__all__ = ("LONGEST_PAUSE", "Delayed", "SharedSteps")

LONGEST_PAUSE = 0.01
"""Seconds after which a caller that waits for delayed events looks whether they have been cancelled meanwhile."""


Delayed: TypeAlias = "tuple[MemberEngine, TriggerData]"
"""An event for later, and the machine that it is for."""


class SharedSteps:
    """The state of one orchestrator's driver."""

    def __init__(self, orchestrator: object, parameter: str, *, atomic: bool) -> None:
        self.orchestrator = orchestrator
        self.parameter = parameter
        self.atomic = atomic
        self.is_async: bool = False
        self.engines: list[MemberEngine] = []
        self._has_begun = False
        self._turns = Turns()
        self._claimed: set[int] = set()
        """Sequence numbers of the delayed events that some caller waits for."""
        self._forsaken: dict[int, Delayed] = {}
        """Delayed events whose caller has stopped waiting for them, by sequence number."""

    def add(self, name: str, engine: MemberEngine) -> None:
        """Take a member's engine in; one asynchronous member makes the system asynchronous."""
        engine.member = name
        self.engines.append(engine)
        self._forsake([(engine, trigger) for trigger in engine.delayed.values()])
        self.is_async = self.is_async or isinstance(engine, AsyncMemberEngine)

    def _new_step(self) -> Step:
        # Not a step that has ended: tasks and invocations that go on for ever would chain all their steps together.
        outer = current_step.get()
        while outer is not None and not outer.running:
            outer = outer.outer
        return Step(self, outer, atomic=self.atomic)

    def _running_step(self) -> Step | None:
        step = current_step.get()
        while step is not None:
            if step.owner is self and step.running:
                return step
            step = step.outer
        return None

    def _claim(self, step: Step) -> list[Delayed]:
        """Take charge of the delayed events that a step has left. Called in the turn, so that no other step does."""
        mine = [
            (engine, trigger)
            for engine in step.touched
            if engine.delayed
            for number, trigger in engine.delayed.copy().items()
            if number not in self._claimed and number not in self._forsaken
        ]
        if mine:
            self._claimed.update(trigger.sequence for _, trigger in mine)
        step.forget()
        return mine

    def _forsake(self, mine: list[Delayed]) -> None:
        for engine, trigger in mine:
            self._claimed.discard(trigger.sequence)
            if trigger.sequence in engine.delayed:
                self._forsaken[trigger.sequence] = (engine, trigger)

    def _overdue(self) -> list[Delayed]:
        """Take the forsaken events that are due, and forget those that are gone."""
        found = list(self._forsaken.values())
        gone = [trigger.sequence for engine, trigger in found if trigger.sequence not in engine.delayed]
        due = [(engine, trigger) for engine, trigger in found if engine.seconds_until(trigger) == 0]
        for number in (*gone, *(trigger.sequence for _, trigger in due)):
            self._forsaken.pop(number, None)
        return due

    def _next_of(self, mine: list[Delayed]) -> tuple[MemberEngine, TriggerData, float] | None:
        """Return the event that is due first, and in how many seconds; forget those that are gone."""
        gone = [one for one in mine if one[1].sequence not in one[0].delayed]
        for one in gone:
            mine.remove(one)
            self._claimed.discard(one[1].sequence)
        if not mine:
            return None
        engine, trigger = min(mine, key=lambda one: one[1])
        # An end may still be put back: whether the machine has ended is decided in the turn.
        return engine, trigger, engine.seconds_until(trigger) if engine.running else 0.0

    @staticmethod
    def _is_wanted(engine: MemberEngine, trigger: TriggerData) -> bool:
        """
        Take a delayed event out, in the turn, and say whether it is to be run.

        Raises:
            TransitionNotAllowed: Its machine has ended, and the class refuses events.
        """
        if engine.running and engine.seconds_until(trigger) > 0:
            return False  # the end that hastened it was put back
        if engine.delayed.pop(trigger.sequence, None) is None:
            return False
        if engine.running:
            return True
        if not trigger.machine.allow_event_without_transition:
            raise TransitionNotAllowed(trigger.event, trigger.machine.configuration)
        return False

    def _take_strays(self, step: Step) -> None:
        for engine, trigger in take_strays(self):  # type: ignore[arg-type] # the whole driver is the host
            step.touch(engine)
            engine.enqueue(trigger)

    @contextmanager
    def _starting(self, engine: MemberEngine) -> Iterator[None]:
        """Note on whatever fails in an initial entry which member it was."""
        try:
            yield
        except Exception as error:
            error.add_note(f"while {type(self.orchestrator).__name__}.{engine.member} entered its initial state")
            raise

    def _explain(self, refusal: TransitionNotAllowed, engine: MemberEngine) -> None:
        """Note on a refusal who refused, where that machine was, and what was possible there."""
        if getattr(refusal, "__notes__", None):
            return  # it was refused further inside
        active = tuple(engine.sm.configuration)
        place = "+".join(state.id for state in active if state.is_atomic)
        # Not `allowed_events`, which looks each event up as an attribute and fails on ids with dots.
        allowed = dict.fromkeys(str(event) for state in active for event in state.transitions.unique_events)
        refusal.add_note(
            f"refused by {type(self.orchestrator).__name__}.{engine.member} in {place}, "
            f"where it has transitions for: {', '.join(allowed) or 'nothing'}"
        )
