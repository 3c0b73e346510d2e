"""A machine that somebody speaks with: events in, what came of them out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from inspect import isawaitable
from types import new_class
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from orca_bridge.convert import machine_class
from orca_bridge.exceptions import MissingActionError
from statemachines_orchestrator import Orchestrator, machine
from statemachines_orchestrator.testing import SimulatedClock

from ._why import Reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orca_bridge.convert import OrcaChart
    from orca_bridge.definition import DecisionTable, MachineDefinition

__all__ = ("Answer", "Session")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one event, or of time that passed."""

    event: str | None
    """None for time that passed."""
    before: str
    """The active states when it came, by path."""
    after: str
    taken: bool = True
    guard_failed: bool = False
    ignored: bool = False
    reason: str = ""
    """Why it was refused, for people; one thought a line."""
    error: Exception | None = None
    """What failed in the machine."""
    changed: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the context that have another value now."""
    skipped: tuple[str, ...] = ()
    """Actions that would have run, and have no handler."""


class Session:
    """
    One machine of a document while it runs.

    It is the only member of an orchestrator, so that its timers go by a clock. A step that fails stays as the
    machine left it: somebody wants to look at it.

    Args:
        definition: The machine.
        tables: The decision tables of its document, which may be actions.
        actions: Handlers of its actions.
        context: Values to start with.
        manual: Whether time passes only when `advance` says so.
        lenient: Whether an action without a handler is passed over.

    Raises:
        MissingActionError: Actions have no handler; all of them are named.
        ConversionError: The machine cannot run.
    """

    def __init__(
        self,
        definition: MachineDefinition,
        *,
        tables: tuple[DecisionTable, ...] = (),
        actions: Any = None,
        context: Mapping[str, Any] | None = None,
        manual: bool = True,
        lenient: bool = False,
    ) -> None:
        self.definition = definition
        self._runner = asyncio.Runner()
        self._skipped: list[str] = []
        self._clock = SimulatedClock() if manual else None
        kind = machine_class(definition, actions=actions, tables=tables)
        try:
            self._system = self._start(kind, context, None)
        except MissingActionError as error:
            if not lenient:
                raise
            kind = machine_class(definition, actions=self._passing_over(error.missing), tables=tables)
            self._system = self._start(kind, context, actions)
        self.machine: OrcaChart = self._system.machine
        self._reasons = Reasons(self.machine)
        self.skipped: tuple[str, ...] = tuple(self._skipped)
        """Actions of the initial entry that have no handler."""

    def _start(self, kind: type[OrcaChart], context: Mapping[str, Any] | None, actions: Any) -> Any:
        # Made by the orchestrator: timers of the initial entry go by its clock, too.
        member = machine(factory=lambda: kind(context=context, actions=actions))
        own = {"__module__": __name__, "__annotations__": {"machine": kind}, "machine": member}
        system: Any = new_class("Running", (Orchestrator,), {"atomic": False}, lambda space: space.update(own))
        found = system() if self._clock is None else system(clock=self._clock)
        self._settled(found.activate())
        return found

    def _passing_over(self, names: tuple[str, ...]) -> dict[str, Callable[[], None]]:
        def passing(name: str) -> Callable[[], None]:
            return lambda: self._skipped.append(name)

        return {name: passing(name) for name in names}

    def close(self) -> None:
        """Give back what running asynchronous actions took."""
        self._runner.close()

    @property
    def state(self) -> str:
        """The innermost active states, by path."""
        return ", ".join(str(state.value) for state in self.machine.configuration if state.is_atomic)

    @property
    def ended(self) -> bool:
        """Whether the machine has come to an end."""
        return bool(self.machine.is_terminated)

    @property
    def next_due(self) -> float | None:
        """In how many seconds the next timer is due; None without one."""
        due: float | None = self._system.next_due
        return due

    def allowed(self) -> tuple[str, ...]:
        """Give the events that the active states have rows for, in document order."""
        return () if self.ended else self._reasons.allowed()

    def taken_without_payload(self, event: str) -> bool:
        """Tell whether an event would be taken now, without a payload."""
        return bool(self._reasons.enabled(event, {}))

    def send(self, event: str, payload: Mapping[str, Any]) -> Answer:
        """Send an event and wait until the machine is quiet."""
        refusal = self._reasons.refusal(event, payload)
        return self._observed(event, lambda: self.machine.send(event, dict(payload)), refusal)

    def advance(self, seconds: float) -> Answer:
        """Let time pass; what is due on the way happens."""
        if self._clock is None:
            raise ValueError("real time cannot be advanced; run with --clock manual")
        clock = self._clock
        return self._observed(None, lambda: clock.advance(seconds), None)

    def run_due(self) -> Answer:
        """Let happen what is due by now."""
        return self._observed(None, self._system.run_due, None)

    def _observed(self, event: str | None, act: Callable[[], Any], refusal: Any) -> Answer:
        before, context = self.state, self._shown()
        error: Exception | None = None
        self._skipped.clear()
        try:
            self._settled(act())
        except TransitionNotAllowed as refused:
            error = None if refusal is not None else refused
        except Exception as failed:  # noqa: BLE001 - whatever the user's actions raise is shown
            error = failed
        changed = {
            name: self.machine.context.get(name)
            for name, text in (context | self._shown()).items()
            if context.get(name) != text or name not in self.machine.context
        }
        seen: dict[str, Any] = {"error": error, "changed": changed, "skipped": tuple(self._skipped)}
        if refusal is not None:
            seen |= {"taken": False, **refusal.as_answer()}
        return Answer(event, before, self.state, **seen)

    def _shown(self) -> dict[str, str]:
        # As text: an action may change a value in place.
        return {name: repr(value) for name, value in self.machine.context.items()}

    def _settled(self, result: Any) -> Any:
        """Wait for what an asynchronous machine answers."""
        if not isawaitable(result):
            return result

        async def wait() -> Any:
            return await result

        return self._runner.run(wait())
