"""What a run was like, in a form that can be compared with another run."""

from __future__ import annotations

from collections import Counter
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine import Event, State, StateChart
from statemachine.event_data import EventData, TriggerData
from statemachine.transition import Transition

if TYPE_CHECKING:
    from twin_data import Act, Callback

MOST = 300
"""More callbacks than this are an endless loop: of the chart, and so of both runs."""


class Runaway(BaseException):
    """Ends a run that would not end; python-statemachine lets it pass, since it is no `Exception`."""


class Mishap(Exception):
    """Raised by callbacks."""


class Recorder:
    """All that happened in one run, in order."""

    def __init__(self, *, watches: bool) -> None:
        self.told: list[Any] = []
        self.machine: Any = None
        self.watches = watches
        self._calls: Counter[str] = Counter()

    def tell(self, *what: Any) -> None:
        self.told.append(what)
        if len(self.told) > MOST:
            raise Runaway

    def count(self, callback: Callback) -> int:
        """Say how often the callback has been called before."""
        label = f"{callback.owner}.{callback.name}"
        self._calls[label] += 1
        return self._calls[label] - 1

    def where(self) -> Any:
        machine = self.machine
        if not self.watches or machine is None:
            return None
        return list(machine.configuration_values), plain(machine.current_state_value), machine.is_terminated


class Watched:
    """A model that notes what is written to it."""

    def __init__(self, recorder: Recorder) -> None:
        vars(self)["_recorder"] = recorder
        vars(self)["state"] = None

    def __setattr__(self, name: str, value: Any) -> None:
        self._recorder.tell("model", name, plain(value))
        vars(self)[name] = value


def _receive(recorder: Recorder, callback: Callback, received: dict[str, Any]) -> int:
    number = recorder.count(callback)
    recorder.tell(callback.owner, callback.name, {name: plain(one) for name, one in received.items()}, recorder.where())
    return number


def act(recorder: Recorder, callback: Callback, received: dict[str, Any]) -> Any:
    """Do what a synchronous callback does."""
    number = _receive(recorder, callback, received)
    for one in callback.acts if number < callback.times else ():
        answer = _do(recorder.machine, one, callback)
        if isawaitable(answer):
            answer.close()  # nobody waits for it here; the event lies in the queue
            answer = "awaitable"
        recorder.tell("answer", callback.name, plain(answer))
    return callback.results[number % len(callback.results)]


async def act_async(recorder: Recorder, callback: Callback, received: dict[str, Any]) -> Any:
    """Do what an asynchronous callback does."""
    number = _receive(recorder, callback, received)
    for one in callback.acts if number < callback.times else ():
        answer = _do(recorder.machine, one, callback)
        if isawaitable(answer):
            answer = await answer
        recorder.tell("answer", callback.name, plain(answer))
    return callback.results[number % len(callback.results)]


def _do(machine: Any, one: Act, callback: Callback) -> Any:
    kwargs = dict(one.kwargs)
    if one.kind == "raise":
        raise Mishap(callback.name)
    if one.kind == "call":
        return getattr(machine, one.event)(**kwargs)
    if one.kind == "enabled":
        return machine.enabled_events(**kwargs)
    if one.kind == "cancel":
        return machine.cancel_event("later")
    return getattr(machine, one.kind)(one.event, **kwargs)


def plain(value: Any) -> Any:
    """Return a value in which equal means equal to whoever receives it; identities are left out."""
    for kind, form in FORMS:
        if isinstance(value, kind):
            return form(value)
    if type(value).__module__ == "statemachine.orderedset":
        return ("ordered set", [plain(one) for one in value])
    return type(value).__name__


def _plain_event_data(data: EventData) -> Any:
    names = ("event", "args", "source", "target", "state", "transition", "trigger_data", "machine")
    return ("event data", {name: plain(getattr(data, name)) for name in names})


def plain_trigger(trigger: TriggerData) -> Any:
    return (
        "trigger",
        plain(trigger.event),
        plain(trigger.args),
        plain(trigger.kwargs),
        trigger.send_id,
        trigger.cancelled,
    )


def _plain_transition(one: Transition) -> Any:
    targets = [target.id for target in one.targets]
    return ("transition", one.source.id, targets, list(map(str, one.events)), one.internal, one.initial)


def error_of(error: BaseException) -> Any:
    return ("error", type(error).__name__, str(error), None if error.__cause__ is None else str(error.__cause__))


FORMS: tuple[tuple[Any, Any], ...] = (
    (Event, lambda one: ("event", str(one), one.id, one.name, one.delay, one.internal)),
    ((str, int, float, type(None)), lambda one: one),
    (StateChart, lambda one: "machine"),
    (State, lambda one: ("state", one.id, one.is_active)),
    (EventData, _plain_event_data),
    (TriggerData, plain_trigger),
    (Transition, _plain_transition),
    (BaseException, error_of),
    (dict, lambda one: {name: plain(inner) for name, inner in one.items()}),
    ((list, tuple), lambda one: [type(one).__name__, *map(plain, one)]),
)
