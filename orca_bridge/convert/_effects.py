"""
Effects: side effects of actions, described as data and run by handlers of their own (semantics.md section 9).

What both front doors share stands here: the records, what a handler's answer is worth, and what becomes of it in the
machine. When an effect runs, machines of this package decide in `_effect_steps`, and those of the published runtime,
whose handlers come and go with their bus, in a way of their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine.event import BoundEvent

from ._actions import refuse_awaitable
from ._context import enforce, merge, parameter_problems
from ._context_values import copied, copy_of
from ._names import identifier
from ._payload import payload_of
from ._tables import snake_case

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from statemachine.event_data import TriggerData

    from orca_bridge.definition import EffectDefinition, Parameter

    from ._actions import Moment
    from ._handlers import Handler
    from ._machine import OrcaChart

__all__ = (
    "ERROR_EFFECT",
    "Effect",
    "EffectFailure",
    "EffectResult",
    "EffectStatus",
    "conclude",
    "effect_names",
    "effect_of",
    "note_taken",
    "result_of",
    "run_effects",
    "run_effects_async",
    "split_answer",
    "tell_unhandled",
    "within",
)

ERROR_EFFECT = "error.effect"

_logger = logging.getLogger("orca_bridge")


class EffectStatus(StrEnum):
    """How an effect ended."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass
class Effect:
    """
    A side effect, described as data.

    Attributes:
        type: What is to be done, as the document calls it.
        payload: ``action``, ``context`` and ``event``, which are copies, or what the handler of the action gave.
    """

    type: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass
class EffectResult:
    """
    How an effect ended.

    Attributes:
        status: An `EffectStatus` or its text.
        data: Of a success: what is merged into the context, if it is a mapping.
        error: Of a failure: why.
    """

    status: str
    data: Any = None
    error: str | None = None


@dataclass(slots=True)
class EffectFailure:
    """An effect that has failed since the last event from outside."""

    effect: str
    action: str
    error: str
    taken: bool = False
    """Whether a row has taken the event that says so, or nobody has and that was logged."""

    def shown(self) -> dict[str, str]:
        """Give the payload of the event ``error.effect.<type>``."""
        return {"effect": self.effect, "action": self.action, "error": self.error}


def effect_names(effect: str, actions: Iterable[str]) -> tuple[str, ...]:
    """
    Give the names under which the handler of an effect is looked for.

    Args:
        effect: Its type.
        actions: The actions of the machine: a handler that is called like one of them is its handler.
    """
    plain = () if effect in actions else (effect,)
    return tuple(dict.fromkeys((*plain, f"effect_{identifier(effect)}", f"effect_{snake_case(effect)}")))


# -- answers -----------------------------------------------------------------------------------------------------


async def result_of(handler: Callable[[Effect], Any], effect: Effect) -> EffectResult:
    """Call a handler of effects and give what it answers, in one form; a failure if it raises."""
    try:
        found = handler(effect)
        return _result(effect, await found if isawaitable(found) else found)
    except Exception as error:  # noqa: BLE001 - a handler may raise anything, and a failure is data
        return _failed(error)


def _result(effect: Effect, answer: Any) -> EffectResult:
    if isinstance(answer, EffectResult):
        return answer
    if answer is None or isinstance(answer, Mapping):
        return EffectResult(EffectStatus.SUCCESS, data=None if answer is None else dict(answer))
    kind = type(answer).__name__
    message = f"the handler of {effect.type!r} returned {kind}; return an EffectResult, a mapping or None"
    return EffectResult(EffectStatus.FAILURE, error=message)


def _failed(error: Exception) -> EffectResult:
    return EffectResult(EffectStatus.FAILURE, error=str(error) or type(error).__name__)


async def within(seconds: float | None, awaitable: Awaitable[Any]) -> Any:
    """
    Wait for an answer, but no longer than so many seconds.

    Raises:
        TimeoutError: It has taken longer; the text says so.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await awaitable
    except TimeoutError as error:
        if limit.expired():
            raise TimeoutError(f"it took longer than {seconds:g}s") from error
        raise


# -- what both front doors do ------------------------------------------------------------------------------------


def split_answer(answer: Any) -> tuple[Any, Mapping[str, Any] | None]:
    """Split what the plain handler of an action with effects returned: what to merge, and the payload for effects."""
    match answer:
        case (Mapping() as update, Effect(payload=payload)) | (Mapping() as update, Mapping() as payload):
            return update, payload
        case _:
            return answer, None


def effect_of(
    kind: str, action: str, context: Any, event: Mapping[str, Any] | None, given: Mapping[str, Any] | None
) -> Effect:
    """Describe an effect: with the payload that was given for it, else with copies of all that it may be about."""
    if given is not None:
        return Effect(kind, dict(given))
    return Effect(
        kind, {"action": action, "context": copy_of(context), "event": None if event is None else copied(event)}
    )


def conclude(machine: OrcaChart, action: str, effect: Effect, result: EffectResult) -> str | None:
    """
    Do what belongs to the result of an effect: merge its data, or tell the machine that it has failed.

    Returns:
        Why it has failed; None for a success.

    Raises:
        ContextTypeError: With ``typing="strict"``, its data is not of the declared types of the context.
    """
    if result.status == EffectStatus.SUCCESS:
        merge(machine, action, result.data if isinstance(result.data, Mapping) else None)
        return None
    error = result.error or "the effect failed"
    name = f"{ERROR_EFFECT}.{effect.type}"
    chosen = machine._blueprint.event_ids.get(name, name)
    BoundEvent(chosen, name=name, internal=True, _sm=machine).put(effect=effect.type, action=action, error=error)
    return error


# -- machines of this package ------------------------------------------------------------------------------------


def run_effects(machine: OrcaChart, handler: Handler, answer: Any, moment: Moment) -> None:
    """
    Run the effects of an action of a synchronous machine, as `_effect_steps` says.

    Raises:
        TypeError: A handler has returned an awaitable.
    """
    steps, found = _effect_steps(machine, handler, answer, moment), None
    while True:
        try:
            found = steps.send(found)
        except StopIteration:
            return
        if isawaitable(found):
            steps.close()
            refuse_awaitable(f"an effect of action {handler.action!r}", found)


async def run_effects_async(machine: OrcaChart, handler: Handler, answer: Any, moment: Moment) -> None:
    """Run the effects of an action of an asynchronous machine, as `_effect_steps` says."""
    steps = _effect_steps(machine, handler, answer, moment)
    found: Any = None
    failure: Exception | None = None
    while True:
        try:
            waiting = steps.send(found) if failure is None else steps.throw(failure)
        except StopIteration:
            return
        found = failure = None
        try:
            found = await within(machine._effect_timeout, waiting) if isawaitable(waiting) else waiting
        except Exception as error:  # noqa: BLE001 - it is a failure of the effect
            failure = error


def _effect_steps(machine: OrcaChart, handler: Handler, answer: Any, moment: Moment) -> Generator[Any, Any, None]:
    """
    Run the effects of an action, after its plain handler.

    Args:
        machine: The machine.
        handler: The handlers of the action.
        answer: What the plain one returned, awaited; None without one.
        moment: What handlers may ask about.

    Yields:
        What the handler of an effect returned; it is to be awaited if it can be, and sent back.

    Raises:
        ContextTypeError: As for `conclude`.
    """
    update, given = split_answer(answer)
    merge(machine, handler.action, update)
    declared = {one.name: one for one in machine.definition.effects}
    for kind, call in handler.effects:
        effect = effect_of(kind, handler.action, machine.context, moment.payload, given)
        known = declared.get(kind)
        try:
            if given is not None:
                _check(machine, kind, "input", known, effect.payload)
            result = _result(effect, (yield call.about((effect,), moment)))
            if result.status == EffectStatus.SUCCESS and isinstance(result.data, Mapping):
                _check(machine, kind, "output", known, result.data)
        except Exception as error:  # noqa: BLE001 - a handler may raise anything, and a failure is data
            result = _failed(error)
        failure = conclude(machine, handler.action, effect, result)
        if failure is not None:
            machine._orca.effect_failures.append(EffectFailure(kind, handler.action, failure))


def _check(
    machine: OrcaChart, kind: str, which: str, declared: EffectDefinition | None, values: Mapping[str, Any]
) -> None:
    """
    Compare what an effect is given, or gives, with what the document declares.

    Raises:
        ContextTypeError: With ``typing="strict"``, something is of another type.
    """
    typing = machine._blueprint.typing
    fields: Sequence[Parameter] | None = None if declared is None else getattr(declared, f"{which}_fields")
    if typing == "off" or not fields:
        return
    found = {
        f"{kind}.{which}.{name}": f"the {which} of the effect {kind!r}: {problem}"
        for name, problem in parameter_problems(fields, values).items()
    }
    enforce(machine.definition.name, found, typing, machine._orca.warned)


def note_taken(machine: OrcaChart, trigger: TriggerData) -> None:
    """Note that a row has taken the event that says that an effect has failed."""
    told = payload_of(trigger)
    for failure in machine._orca.effect_failures:
        failure.taken = failure.taken or failure.shown() == told


def tell_unhandled(machine: OrcaChart) -> None:
    """Log the failures of effects that no row has taken."""
    for failure in machine._orca.effect_failures:
        if not failure.taken:
            failure.taken = True
            text = "effect %r of machine %r failed: %s"
            _logger.warning(text, failure.effect, machine.definition.name, failure.error)
