"""What a run was like, in a form that can be compared with another run."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import Context
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine import Event, State, StateChart
from statemachine.event_data import EventData, TriggerData
from statemachine.exceptions import InvalidDefinition
from statemachine.invoke import InvokeContext
from statemachine.transition import Transition

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self.workers: Any = None
        self.late: Any = None
        self.clock: Any = None
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

    def over(self) -> list[Any]:
        """Return what was told, and hear no more: a machine that is thrown away cancels its invocations."""
        told, self.told = self.told, []
        # Callbacks hold the recorder, and whoever holds the callbacks would hold the class.
        self.machine = self.workers = self.late = None
        return told

    def receive(self, owner: str, name: str, received: dict[str, Any]) -> None:
        """Note what somebody was called with."""
        self.tell(owner, name, {name: plain(one) for name, one in received.items()}, self.where())


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
    recorder.receive(callback.owner, callback.name, received)
    return number


def act(recorder: Recorder, callback: Callback, received: dict[str, Any]) -> Any:
    """Do what a synchronous callback does."""
    number = _receive(recorder, callback, received)
    for one in callback.acts_of(number):
        answer = _do(recorder, one, callback)
        if isawaitable(answer):
            answer.close()  # nobody waits for it here; the event lies in the queue
            answer = "awaitable"
        recorder.tell("answer", callback.name, plain(answer))
    return callback.results[number % len(callback.results)]


async def act_async(recorder: Recorder, callback: Callback, received: dict[str, Any]) -> Any:
    """Do what an asynchronous callback does."""
    number = _receive(recorder, callback, received)
    for one in callback.acts_of(number):
        if one.kind == "pause":
            await asyncio.sleep(0)  # callbacks of a group run at once
            continue
        answer = _do(recorder, one, callback)
        if one.kind == "elsewhere":
            answer.close()  # who sends it waits until this step is over
        elif isawaitable(answer):
            answer = await answer
        recorder.tell("answer", callback.name, plain(answer))
    return callback.results[number % len(callback.results)]


def _do(recorder: Recorder, one: Act, callback: Callback) -> Any:
    if one.kind in ("raise", "invalid"):
        raise (Mishap if one.kind == "raise" else InvalidDefinition)(callback.name)
    machine, kwargs = recorder.machine, dict(one.kwargs)
    acts: dict[str, Callable[[], Any]] = {
        "call": lambda: getattr(machine, one.event)(**kwargs),
        "enabled": lambda: machine.enabled_events(**kwargs),
        "cancel": lambda: machine.cancel_event("later"),
        "listen": lambda: machine.add_listener(recorder.late),
        "work": lambda: recorder.workers.run_threads(),
        "elsewhere": lambda: Context().run(machine.send, one.event, **kwargs),
        "pause": lambda: None,
        "send": lambda: machine.send(one.event, **kwargs),
        "raise_": lambda: machine.raise_(one.event, **kwargs),
    }
    return acts[one.kind]()


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


def _plain_context(one: InvokeContext) -> Any:
    given = {name: plain(value) for name, value in one.kwargs.items()}
    return ("invocation", one.invokeid, one.state_id, plain(one.machine), one.cancelled.is_set(), given)


def error_of(error: BaseException) -> Any:
    return ("error", type(error).__name__, str(error), None if error.__cause__ is None else str(error.__cause__))


FORMS: tuple[tuple[Any, Any], ...] = (
    (Event, lambda one: ("event", str(one), one.id, one.name, one.delay, one.internal)),
    ((str, int, float, type(None)), lambda one: one),
    (StateChart, lambda one: ("machine", one.state_field)),
    (State, lambda one: ("state", one.id, one.is_active)),
    (EventData, _plain_event_data),
    (TriggerData, plain_trigger),
    (Transition, _plain_transition),
    (InvokeContext, _plain_context),
    (BaseException, error_of),
    (dict, lambda one: {name: plain(inner) for name, inner in one.items()}),
    ((list, tuple), lambda one: [type(one).__name__, *map(plain, one)]),
)
