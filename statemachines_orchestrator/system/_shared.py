"""What synchronous and asynchronous steps have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statemachines_orchestrator.engine import AsyncMemberEngine, MemberEngine, take_strays

from ._step import Step, current_step
from ._turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statemachine.exceptions import TransitionNotAllowed

__all__ = ("LONGEST_PAUSE", "SharedSteps", "first_due")

LONGEST_PAUSE = 0.01
"""Seconds after which a caller that waits for delayed events looks whether they have been cancelled meanwhile."""


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
        self._forsaken: set[MemberEngine] = set()
        """Engines with delayed events whose caller has stopped waiting for them."""

    def add(self, name: str, engine: MemberEngine) -> None:
        """Take a member's engine in; one asynchronous member makes the system asynchronous."""
        engine.member = name
        self.engines.append(engine)
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


def first_due(engines: Iterable[MemberEngine]) -> tuple[MemberEngine, float] | None:
    """Return the machine whose delayed event is due first, and in how many seconds; None if there is none."""
    waiting = [(engine, delay) for engine in engines if (delay := engine.next_delay) is not None]
    return min(waiting, key=lambda one: one[1]) if waiting else None
