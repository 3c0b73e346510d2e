"""
A machine class, read once into one immutable description.

The checks of declarations read this description, never python-statemachine's objects: those compare by text, so
two states of different classes can be equal, and their callbacks are spread over private lists.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from statemachine import StateChart
from statemachine.callbacks import CallbackGroup
from statemachine.graph import iterate_states_and_transitions
from statemachine.transition import Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from statemachine import State
    from statemachine.callbacks import CallbackSpec

__all__ = ("Callback", "Chart", "read_chart")


@dataclass(frozen=True, slots=True)
class Callback:
    """A function of the machine class that python-statemachine calls."""

    name: str
    place: str
    """What calls it: a state's id, or the events of a transition; "every event" for ``prepare_event``."""
    group: str
    """One of ``prepare enter exit invoke validator before on after cond``."""
    at_start: bool
    """Whether it also runs when the machine enters its initial state, caused by no event."""
    eventless: bool
    """Whether it belongs to a transition that no event triggers."""
    function: Callable[..., Any] = field(compare=False)
    bound: bool = False
    """Whether the first parameter is filled already."""

    @property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        """Parameters that python-statemachine fills, in order."""
        found = tuple(inspect.signature(self.function).parameters.values())
        return found if self.bound else found[1:]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a machine class declares."""

    name: str
    states: tuple[str, ...]
    """Ids of all states at all levels, in document order; an id that is declared twice stands here twice."""
    events: tuple[str, ...]
    """Ids of the declared events."""
    hooks: frozenset[str]
    """Every method name that python-statemachine would call, by convention or because a declaration names it."""
    callbacks: tuple[Callback, ...]
    has_listeners: bool
    """Whether the class has listeners of its own."""
    has_eventless: bool
    """Whether some transition waits for no event."""
    is_abstract: bool
    """Whether the class has no states of its own."""
    own_names: tuple[str, ...]
    """Names of functions in the bodies of the machine class and its concrete machine bases."""

    @property
    def repeated_states(self) -> tuple[str, ...]:
        """Ids that more than one state has."""
        return tuple(sorted({state for state in self.states if self.states.count(state) > 1}))

    def __repr__(self) -> str:
        return f"<Chart {self.name}: {len(self.states)} states, {len(self.events)} events>"


_WORD = re.compile(r"[^\W\d]\w*")
_charts: WeakKeyDictionary[type, Chart] = WeakKeyDictionary()


def read_chart(machine_class: type[StateChart[Any]]) -> Chart:
    """Describe a machine class; the description is made once per class."""
    chart = _charts.get(machine_class)
    if chart is None:
        chart = _charts[machine_class] = _read(machine_class)
    return chart


def _read(machine_class: type[StateChart[Any]]) -> Chart:
    nodes = () if machine_class._abstract else tuple(iterate_states_and_transitions(machine_class.states))
    callbacks = tuple(_callbacks(machine_class, nodes))
    specs = (spec for node in nodes for spec in node._specs)
    return Chart(
        name=machine_class.__name__,
        states=tuple(node.id for node in _all_states(() if machine_class._abstract else machine_class.states)),
        events=tuple(str(event) for event in machine_class._events),
        hooks=frozenset({"prepare_event"} | {name for spec in specs for name in _names(spec)}),
        callbacks=callbacks,
        has_listeners=bool(machine_class._class_listeners),
        has_eventless=any(_is_eventless(node) for node in nodes),
        is_abstract=machine_class._abstract,
        own_names=tuple(_own_names(machine_class)),
    )


def _all_states(states: Iterable[State]) -> Iterator[State]:
    for state in states:
        yield state
        yield from _all_states(state.states)


def _initial_states(machine_class: type[StateChart[Any]]) -> frozenset[str]:
    """Return the ids of the states that are active after the start, by default entry."""
    entered: list[State] = []
    initial = getattr(machine_class, "initial_state", None)  # an abstract class does not even have the attribute
    waiting = [initial] if initial is not None else []
    while waiting:
        state = waiting.pop()
        entered.append(state)
        waiting.extend(child for child in state.states if state.parallel or child.initial)
    return frozenset(state.id for state in entered)


def _names(spec: CallbackSpec) -> Iterator[str]:
    if isinstance(spec.func, str):
        yield from _WORD.findall(spec.func)  # a guard may be an expression over names
    else:
        yield getattr(spec, "lookup_name", spec.attr_name)
        yield spec.attr_name


def _callbacks(machine_class: type[StateChart[Any]], nodes: tuple[Any, ...]) -> Iterator[Callback]:
    make = partial(_callback, machine_class)
    prepare = getattr(machine_class, "prepare_event", None)
    if inspect.isfunction(prepare):
        yield Callback("prepare_event", "every event", "prepare", at_start=True, eventless=False, function=prepare)
    initial = _initial_states(machine_class)
    for node in nodes:
        eventless = _is_eventless(node)
        place = _place(node)
        for spec in node._specs:
            at_start = spec.group is CallbackGroup.ENTER and place in initial
            for name in _names(spec):
                callback = make(spec, name, place, at_start=at_start, eventless=eventless)
                if callback is not None:
                    yield callback
                    break


def _is_eventless(node: Any) -> bool:
    return isinstance(node, Transition) and node.is_eventless and not node.initial


def _place(node: Any) -> str:
    if hasattr(node, "document_order"):
        return str(node.id)
    events = " ".join(str(event) for event in node.events)
    return events or f"{node.source.id} -> {node.target.id if node.target else ''}"


def _callback(
    machine_class: type[StateChart[Any]],
    spec: CallbackSpec,
    name: str,
    place: str,
    *,
    at_start: bool,
    eventless: bool,
) -> Callback | None:
    function = spec.func if callable(spec.func) else getattr(machine_class, name, None)
    if not inspect.isfunction(function):
        return None  # a property, an event, a callable object, or something that a model or listener provides
    bound = getattr(machine_class, name, None) is not function or isinstance(
        inspect.getattr_static(machine_class, name, None), staticmethod
    )
    return Callback(name, place, spec.group.name.lower(), at_start, eventless, function, bound)


def _own_names(machine_class: type) -> Iterator[str]:
    for base in machine_class.__mro__:
        # Mix-ins and abstract bases may carry hooks for states that only some of their users have.
        if isinstance(base, type(StateChart)) and not getattr(base, "_abstract", True):
            yield from (name for name, value in vars(base).items() if inspect.isfunction(value))
