"""
Actions and effects of a machine: handlers that may come and go while it runs.

The converted machine asks for the handlers of its actions once, when it is made. It gets one function per action, which
looks for the present handler each time, and passes over an action that has none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine.event import BoundEvent

from orca_bridge.convert._actions import Call
from orca_bridge.convert._context import merge
from orca_bridge.convert._effects import conclude, effect_of, split_answer, within
from orca_bridge.convert._handlers import Handler
from orca_bridge.convert._payload import payload_of

from ._lower import RAISE
from ._turns import aside, told
from .bus import EventType
from .types import Effect, EffectResult, EffectStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from statemachine.event_data import TriggerData

    from orca_bridge.convert import OrcaChart
    from orca_bridge.convert._actions import Names

    from ._core import Core

__all__ = ("Handlers",)

_NO_CALL = Call.of(lambda: None)
_logger = logging.getLogger("orca_bridge")


class Handlers(Mapping[str, Any]):
    """
    What the converted machine takes for the handlers of its actions; it has one for every action.

    What else is asked for, such as a predicate that says when a parallel state is done, is looked for at once.
    """

    orca_asynchronous = True
    """The machine has to be able to wait for handlers that come later."""

    def __init__(self, machine: Core) -> None:
        self._machine = machine
        self._calls: dict[Callable[..., Any], Handler] = {}
        self._missed: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        if name not in self._machine._class._blueprint.actions:
            return self._machine._actions[name]
        kind = Raising if name.startswith(RAISE) else Present
        return kind(name, _NO_CALL, asynchronous=True, of=self)

    def __iter__(self) -> Iterator[str]:
        return iter(self._machine._actions)

    def __len__(self) -> int:
        return len(self._machine._actions)

    def run(self, name: str, trigger: TriggerData, names: Names) -> Any:
        """Run an action; what changes in the context, or an awaitable if there is something to wait for."""
        chart: OrcaChart = trigger.machine  # type: ignore[assignment] # whose action this is
        machine = self._machine
        handler = machine._actions.get(name) or chart._blueprint.tables.get(name)
        effects = machine._lowered.effects.get(name, ())
        if handler is None:
            if not effects:
                self._miss(name)
            return self._effects(name, chart, trigger, handler, effects, None) if effects else None
        found = self._call(handler, trigger, names)
        if effects:
            return self._effects(name, chart, trigger, handler, effects, found)
        if found is None or type(found) is dict:
            return found
        return _update(found) if isawaitable(found) else split_answer(found)[0]

    def _miss(self, name: str) -> None:
        if name not in self._missed:
            self._missed.add(name)
            machine = self._machine.definition.name
            _logger.warning("action %r of machine %r has no handler and is passed over", name, machine)

    async def _effects(  # noqa: PLR0917 - what `run` has found
        self,
        name: str,
        chart: OrcaChart,
        trigger: TriggerData,
        handler: Callable[..., Any] | None,
        effects: Sequence[str],
        found: Any,
    ) -> None:
        await aside()
        if isawaitable(found):
            found = await found
        update, given = split_answer(found)
        merge(chart, name, update)
        event = payload_of(trigger)
        for kind in effects:
            if handler is None or kind in self._machine.event_bus.effect_handler_types:
                await self._effect(chart, name, effect_of(kind, name, chart.context, event, given))

    def _call(self, handler: Callable[..., Any], trigger: TriggerData, names: Names) -> Any:
        known = self._calls.get(handler)
        if known is None:
            known = self._calls[handler] = Handler("", Call.of(handler, by_place=True), asynchronous=False)
        return known.run(trigger, names, self._machine)

    async def _effect(self, chart: OrcaChart, action: str, effect: Effect) -> None:
        machine = self._machine
        await machine._publish(EventType.EFFECT_EXECUTING, {"effect": effect.type})
        try:
            result = await within(machine._effect_timeout, machine.event_bus.execute_effect(effect))
        except TimeoutError as late:
            result = EffectResult(EffectStatus.FAILURE, error=str(late))
        failure = conclude(chart, action, effect, result)
        if failure is None:
            await machine._publish(EventType.EFFECT_COMPLETED, {"effect": effect.type, "result": result.data})
            return
        machine._step.effect_errors += ({"effect": effect.type, "action": action, "error": failure},)
        await machine._publish(EventType.EFFECT_FAILED, {"effect": effect.type, "error": failure})


@dataclass(frozen=True, slots=True, kw_only=True)
class Present(Handler):
    """The handler that an action has at present."""

    of: Handlers

    def run(self, trigger: TriggerData, names: Names, shown: object = None) -> Any:  # noqa: ARG002 - as any handler is run
        """Run it."""
        return self.of.run(self.action, trigger, names)


class Raising(Present):
    """The handler of an action that stands for an event."""

    def run(self, trigger: TriggerData, names: Names, shown: object = None) -> Any:  # noqa: ARG002 - as above
        """Raise it."""
        _raise(trigger.machine, self.action.removeprefix(RAISE))  # type: ignore[arg-type] # an OrcaChart


async def _update(found: Awaitable[Any]) -> Any:
    return split_answer(await told(found))[0]


def _raise(chart: OrcaChart, event: str, **payload: Any) -> None:
    """Add an event to the running macrostep."""
    chosen = chart._blueprint.event_ids.get(event, event)
    BoundEvent(chosen, name=event, internal=True, _sm=chart).put(**payload)
