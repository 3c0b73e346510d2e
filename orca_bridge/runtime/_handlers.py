"""
Actions and effects of a machine: handlers that may come and go while it runs.

The converted machine asks for the handlers of its actions once, when it is made. It gets one function per action, which
looks for the present handler each time, and passes over an action that has none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine.event import BoundEvent

from orca_bridge.convert._actions import Call, Moment
from orca_bridge.convert._context import merge
from orca_bridge.convert._effects import conclude, effect_of, split_answer, within

from ._lower import RAISE
from .bus import EventType
from .types import Effect, EffectResult, EffectStatus

if TYPE_CHECKING:
    from orca_bridge.convert import OrcaChart

    from ._core import Core

__all__ = ("Handlers",)

_logger = logging.getLogger("orca_bridge")


class Handlers(Mapping[str, Callable[..., Any]]):
    """
    What the converted machine takes for the handlers of its actions; it has one for every action.

    What else is asked for, such as a predicate that says when a parallel state is done, is looked for at once.
    """

    def __init__(self, machine: Core) -> None:
        self._machine = machine
        self._calls: dict[Callable[..., Any], Call] = {}
        self._missed: set[str] = set()

    def __getitem__(self, name: str) -> Callable[..., Any]:
        if name not in self._machine._class._blueprint.actions:
            return self._machine._actions[name]

        async def run(ctx: dict[str, Any], event: dict[str, Any] | None, **injected: Any) -> None:
            if name.startswith(RAISE):
                _raise(injected["machine"], name.removeprefix(RAISE))
            else:
                await self._run(name, ctx, event, injected)

        return run

    def __iter__(self) -> Iterator[str]:
        return iter(self._machine._actions)

    def __len__(self) -> int:
        return len(self._machine._actions)

    async def _run(
        self, name: str, context: dict[str, Any], event: dict[str, Any] | None, injected: dict[str, Any]
    ) -> None:
        chart: OrcaChart = injected["machine"]
        handler = self._machine._actions.get(name) or chart._blueprint.tables.get(name)
        effects = self._machine._lowered.effects.get(name, ())
        given: Mapping[str, Any] | None = None
        if handler is not None:
            given = await self._call(handler, name, chart, Moment(context, event, injected.get("event_name"), injected))
        elif not effects and name not in self._missed:
            self._missed.add(name)
            _logger.warning("action %r of machine %r has no handler and is passed over", name, chart.definition.name)
        for kind in effects:
            if handler is None or kind in self._machine.event_bus.effect_handler_types:
                await self._effect(chart, name, effect_of(kind, name, context, event, given))

    async def _call(
        self, handler: Callable[..., Any], name: str, chart: OrcaChart, moment: Moment
    ) -> Mapping[str, Any] | None:
        """Run a plain handler; what it gives for an effect is returned."""
        call = self._calls.get(handler)
        if call is None:
            call = self._calls[handler] = Call.of(handler)
        found = call(Moment(moment.context, moment.payload, moment.event_name, {**moment.keywords, **self._injected()}))
        if isawaitable(found):
            found = await found
        update, given = split_answer(found)
        merge(chart, name, update)
        return given

    def _injected(self) -> dict[str, Any]:
        return {"machine": self._machine}

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
        machine._step.effect_errors.append({"effect": effect.type, "action": action, "error": failure})
        await machine._publish(EventType.EFFECT_FAILED, {"effect": effect.type, "error": failure})


def _raise(chart: OrcaChart, event: str, **payload: Any) -> None:
    """Add an event to the running macrostep."""
    chosen = chart._blueprint.event_ids.get(event, event)
    BoundEvent(chosen, name=event, internal=True, _sm=chart).put(**payload)
