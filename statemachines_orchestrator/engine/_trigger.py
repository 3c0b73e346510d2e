"""
An event on its way, and what its callbacks may ask for.

It is python-statemachine's `TriggerData`, so all of that library's code takes it. What is not needed for every event
is made when somebody asks for it: the place in a queue, the `EventData`, the dictionary with every name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from statemachine import event_data as upstream
from statemachine.event_data import EventData, TriggerData
from statemachine.orderedset import OrderedSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statemachine import Event, State, StateChart
    from statemachine.transition import Transition

    from ._planner import Plan

__all__ = ("Place", "Trigger", "as_trigger", "event_data_at", "own", "spread", "stamp", "unprepared")


class Place(NamedTuple):
    """
    Where in a microstep a callback runs: what it gets as ``transition``, ``state``, ``source`` and ``target``.

    Of a state that the machine leaves, or comes back to by a history, callbacks get the machine's own object, which
    knows whether it is active; of any other state the one of the class.
    """

    transition: Transition
    state: State
    source: State
    target: State | None
    own_state: bool = False
    own_source: bool = False
    own_target: bool = False
    has_configurations: bool = False
    """Whether callbacks also get the configurations before and after."""
    slot: Any = None
    """Where `Trigger.prepared` has what callbacks get; None if there is no `prepare_event`."""


class Trigger(TriggerData):
    """An event on its way; made without a time and a number, which it gets when it has to wait in a queue."""

    given: Mapping[str, Any]
    """The keywords as callbacks see them: those of the event, and what the engine hands to every callback."""
    plan: Plan
    """What the running microstep does."""
    event_datas: dict[Any, EventData] | None = None
    """What `event_data_at` has made."""
    prepared: dict[Any, dict[str, Any]] | None = None
    """Every name that callbacks may ask for, with what `prepare_event` has added, by `Place.slot`."""

    def __init__(
        self, machine: StateChart[Any], event: Event | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.machine = machine
        self.model = machine.model
        self.event = event
        self.args = args
        self.kwargs = kwargs

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType] # by identity; the dataclass has none

    @property
    def previous_configuration(self) -> OrderedSet[State]:
        """The machine's states that are active before the microstep."""
        states = self.machine._config._instance_states
        return OrderedSet(states[value] for value in self.plan.before)

    @property
    def new_configuration(self) -> OrderedSet[State]:
        """The states that are active after it: those that stay active as the machine's own objects."""
        states, own_states = self.machine.states_map, self.machine._config._instance_states
        return OrderedSet((own_states if value in self.plan.own else states)[value] for value in self.plan.after)


def stamp(trigger: TriggerData) -> None:
    """Give a trigger that has none its place in the order of time."""
    if trigger.execution_time == 0.0 and trigger.sequence == 0:
        event = trigger.event
        delay = event.delay if event is not None and event.delay else 0
        trigger.execution_time = upstream.monotonic() + delay / 1000  # type: ignore[attr-defined]
        trigger.sequence = next(upstream._sequence)


def as_trigger(trigger: TriggerData, given: Mapping[str, Any]) -> Trigger:
    """Make a trigger of python-statemachine's one of ours; it stays the same object."""
    if type(trigger) is not Trigger:
        trigger.__class__ = Trigger
    trigger.given = given  # type: ignore[attr-defined] # it is one of ours now
    return trigger  # type: ignore[return-value]


def spread(trigger: Trigger, place: Place) -> dict[str, Any]:
    """
    Return every name that a callback may ask for, with its value.

    Args:
        trigger: The event.
        place: Where in the microstep the callback runs.
    """
    if place.slot is not None:
        found = dict(trigger.prepared[place.slot])  # type: ignore[index] # it is prepared before callbacks are called
    else:
        found = _names(trigger, place, event_data_at(trigger, place))
    if place.has_configurations:
        found["previous_configuration"] = trigger.previous_configuration
        found["new_configuration"] = trigger.new_configuration
    return found


def unprepared(trigger: Trigger, place: Place) -> dict[str, Any]:
    """
    Return every name that `prepare_event` may ask for, with its value.

    Args:
        trigger: The event.
        place: Where in the microstep the callbacks run for which something is prepared.
    """
    # A callback before may have written into the event, as python-statemachine lets it.
    engine: Any = trigger.machine._engine
    trigger.given = engine.given(trigger)
    event_data = EventData(trigger_data=trigger, transition=place.transition)
    event_data.state, event_data.source, event_data.target = states_at(trigger, place)
    return _names(trigger, place, event_data)


def _names(trigger: Trigger, place: Place, event_data: EventData) -> dict[str, Any]:
    return {
        **trigger.given,
        "event_data": event_data,
        "machine": trigger.machine,
        "event": trigger.event,
        "model": trigger.model,
        "transition": place.transition,
        "state": event_data.state,
        "source": event_data.source,
        "target": event_data.target,
    }


def event_data_at(trigger: Trigger, place: Place) -> EventData:
    """Return what callbacks get as ``event_data``: the same object for all that run at one place."""
    known = trigger.event_datas
    if known is None:
        known = trigger.event_datas = {}
    own_states = place.own_state, place.own_source, place.own_target
    key = id(place.transition), id(place.state), id(place.source), id(place.target), own_states
    found = known.get(key)
    if found is None:
        found = known[key] = EventData(trigger_data=trigger, transition=place.transition)
        found.state, found.source, found.target = states_at(trigger, place)
    return found


def states_at(trigger: Trigger, place: Place) -> tuple[State, State, State | None]:
    """Return what callbacks get as ``state``, ``source`` and ``target``."""
    return (
        own(trigger, place.state) if place.own_state else place.state,
        own(trigger, place.source) if place.own_source else place.source,
        own(trigger, place.target) if place.own_target and place.target is not None else place.target,
    )


def own(trigger: Trigger, state: State) -> State:
    """Return the machine's own object for a state of its class."""
    found: State = trigger.machine._config._instance_states[state.value]
    return found
