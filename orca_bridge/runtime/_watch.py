"""What is told about each microstep: to the bus, to the callback of transitions, to the log."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from orca_bridge.convert._context import copied
from orca_bridge.convert._payload import event_name, payload_of
from orca_bridge.convert._weave import IGNORED

from ._turns import told
from .bus import EventType
from .logging import write_safely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statemachine import State
    from statemachine.event_data import EventData, TriggerData
    from statemachine.transition import Transition

    from orca_bridge.convert import OrcaChart

    from ._core import Core
    from .logging import LogSink
    from .types import StateValue

__all__ = ("Watch",)

_TOLD = tuple(
    told_of.value for told_of in (EventType.TRANSITION_STARTED, EventType.STATE_CHANGED, EventType.TRANSITION_COMPLETED)
)

_known: WeakKeyDictionary[type[OrcaChart], frozenset[int]] = WeakKeyDictionary()


class Watch:
    """
    A listener of the converted machine, and the frame around its microsteps.

    Timers and children follow the states one by one, so they hang on entry and exit, if there are any. The rest belongs
    to the microstep as a whole, of which there may be several transitions: there the engine's own method is wrapped, on
    the instance.
    """

    def __init__(self, machine: Core) -> None:
        self._machine = machine
        self._ignoring = _ignoring(machine._class)
        rows = machine._lowered.definition.transitions
        self._written = {(row.event, row.target): row.target_text for row in rows if row.target_text}

    def attach(self, chart: OrcaChart) -> None:
        """Stand around the microsteps of a machine."""
        engine: Any = chart._engine
        plain, ignoring = engine.take, self._ignoring

        def take(program: Any, trigger: TriggerData) -> Any:
            if ignoring and all(id(transition) in ignoring for transition in program.transitions):
                return plain(program, trigger)
            step = self._machine._step
            step.taken = True
            step.taken_for += (trigger,)
            if self._is_heard():
                name = event_name(trigger) or ""
                return self._framed(partial(plain, program, trigger), program.transitions, name)
            return plain(program, trigger)

        engine.take = take

    def _is_heard(self) -> bool:
        """Whether anybody wants to know of a microstep."""
        machine = self._machine
        return bool(
            machine.on_transition is not None
            or machine._log_sink is not None
            or machine._lowered.invokes
            or machine._is_heard(_TOLD)
        )

    def on_enter_state(self, state: State, event_data: EventData) -> None:
        """Start what runs while a state is active."""
        self._machine._entered(str(state.value), payload_of(event_data.trigger_data))

    def on_exit_state(self, state: State) -> None:
        """End it."""
        self._machine._left(str(state.value))

    async def _framed(self, plain: Any, transitions: Sequence[Transition], name: str) -> Any:
        machine = self._machine
        before, context = machine.state, _context(machine)
        asked = "timeout" if name.startswith("timeout.") else name
        target = ", ".join(dict.fromkeys(self._target(one, name, before) for one in transitions))
        started = {"from": str(before), "to": target, "trigger": asked}
        await machine._publish(EventType.TRANSITION_STARTED, started)
        result = await plain()
        await machine._children.tell_stopped()
        after = machine.state
        await machine._publish(EventType.STATE_CHANGED, {"from": str(before), "to": str(after)})
        await machine._publish(EventType.TRANSITION_COMPLETED, {"from": str(before), "to": str(after)})
        await self._call_back(before, after)
        if machine._log_sink is not None and context is not None:
            self._log(machine._log_sink, asked, (before, after), context)
        return result

    def _target(self, transition: Transition, event: str, before: StateValue) -> str:
        if not transition.targets or transition.target is None:
            return str(before)
        path = str(transition.target.value)
        return self._written.get((event or None, path), path)

    async def _call_back(self, before: StateValue, after: StateValue) -> None:
        callback = self._machine.on_transition
        if callback is None:
            return
        try:
            found = callback(before, after)
            if isawaitable(found):
                await told(found)
        except Exception as error:  # noqa: BLE001 - raised to the caller when the macrostep is over
            self._machine._step.failures += (error,)

    def _log(self, sink: LogSink, event: str, states: tuple[StateValue, StateValue], context: dict[str, Any]) -> None:
        machine = self._machine
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        entry = {
            "ts": now,
            "run_id": machine.run_id or "",
            "machine": machine.definition.name,
            "event": event,
            "from": str(states[0]),
            "to": str(states[1]),
            "context_delta": _delta(context, machine.context),
        }
        write_safely(sink, entry)


def _ignoring(machine: type[OrcaChart]) -> frozenset[int]:
    """Give the transitions that discard their event, by their identities; they live as long as their class."""
    known = _known.get(machine)
    if known is None:
        every = (transition for state in machine.states_map.values() for transition in state.transitions)
        known = _known[machine] = frozenset(id(one) for one in every if _discards(one))
    return known


def _discards(transition: Transition) -> bool:
    return any(getattr(spec.func, "__name__", "") == IGNORED for spec in transition.on)


def _context(machine: Core) -> dict[str, Any] | None:
    return copied(machine.context) if machine._log_sink is not None else None


def _delta(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    missing = object()
    changed = {name: value for name, value in after.items() if before.get(name, missing) != value}
    return copied(changed) | {name: None for name in before if name not in after}
