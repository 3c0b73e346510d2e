"""What synchronous and asynchronous steps have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import AsyncMemberEngine, MemberEngine, engine_of, take_strays

from ._step import Step, current_step
from ._turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        self._forsaken: list[Delayed] = []
        """Delayed events whose caller has stopped waiting for them."""

    def add(self, name: str, engine: MemberEngine) -> None:
        """Take a member's engine in; one asynchronous member makes the system asynchronous."""
        engine.member = name
        self.engines.append(engine)
        self._forsaken.extend((engine, trigger) for trigger in engine.delayed.values())
        self.is_async = self.is_async or isinstance(engine, AsyncMemberEngine)

    def _new_step(self) -> Step:
        return Step(self, current_step.get(), atomic=self.atomic)

    def _running_step(self) -> Step | None:
        step = current_step.get()
        while step is not None:
            if step.owner is self and step.running:
                return step
            step = step.outer
        return None

    def _claim(self, engines: Iterable[MemberEngine]) -> list[Delayed]:
        """Take charge of the delayed events of these machines that nobody else waits for."""
        mine = [
            (engine, trigger)
            for engine in engines
            for number, trigger in engine.delayed.items()
            if number not in self._claimed
        ]
        self._claimed.update(trigger.sequence for _, trigger in mine)
        return mine

    def _forsake(self, mine: list[Delayed]) -> None:
        self._claimed.difference_update(trigger.sequence for _, trigger in mine)
        self._forsaken.extend(mine)

    def _overdue(self) -> list[Delayed]:
        """Take the forsaken events that are due; forget those that are gone, or that somebody waits for again."""
        wanted = [
            (engine, trigger)
            for engine, trigger in self._forsaken
            if trigger.sequence in engine.delayed and trigger.sequence not in self._claimed
        ]
        due = [(engine, trigger) for engine, trigger in wanted if engine.seconds_until(trigger) == 0]
        self._forsaken = [one for one in wanted if one not in due]
        return due

    def _next_of(self, mine: list[Delayed]) -> tuple[MemberEngine, TriggerData, float] | None:
        """Return the event that is due first, and in how many seconds; forget those that are gone."""
        gone = [one for one in mine if one[1].sequence not in one[0].delayed or not one[0].running]
        for one in gone:
            mine.remove(one)
            self._claimed.discard(one[1].sequence)
        if not mine:
            return None
        engine, trigger = min(mine, key=lambda one: one[1])
        return engine, trigger, engine.seconds_until(trigger)

    @staticmethod
    def _refuse_if_ended(own: TriggerData | None) -> None:
        """Refuse a delayed event whose machine has ended before its time came, if the class refuses events at all."""
        if own is None or own.cancelled:
            return
        engine = engine_of(own.machine)
        if engine.delayed.pop(own.sequence, None) is not None and not own.machine.allow_event_without_transition:
            raise TransitionNotAllowed(own.event, own.machine.configuration)

    def _take_strays(self, step: Step) -> None:
        for engine, trigger in take_strays(self):  # type: ignore[arg-type] # the whole driver is the host
            step.touch(engine)
            engine.enqueue(trigger)

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
