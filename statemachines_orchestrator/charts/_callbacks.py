"""
The functions of a machine class that python-statemachine calls.

Its declarations name callbacks, by convention or in a text, and keep them in private lists: each is looked up here as
the class has it, with what calls it.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine import StateChart
from statemachine.callbacks import CallbackGroup
from statemachine.state import HistoryState
from statemachine.transition import Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from statemachine.callbacks import CallbackSpec

__all__ = ("Callback", "callbacks_of", "hooks_of", "is_eventless", "own_names_of")


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


_WORD = re.compile(r"[^\W\d]\w*")


def hooks_of(parts: tuple[Any, ...]) -> frozenset[str]:
    """Return every method name that python-statemachine would call for these states and transitions."""
    return frozenset({"prepare_event"} | {name for part in parts for spec in part._specs for name in _names(spec)})


def _names(spec: CallbackSpec) -> Iterator[str]:
    if isinstance(spec.func, str):
        yield from _WORD.findall(spec.func)  # a guard may be an expression over names
    else:
        yield getattr(spec, "lookup_name", spec.attr_name)
        yield spec.attr_name


def callbacks_of(
    machine_class: type[StateChart[Any]], parts: tuple[Any, ...], initial: AbstractSet[str]
) -> Iterator[Callback]:
    """
    Yield the callbacks that are functions of the class.

    Args:
        machine_class: The class.
        parts: Its states and transitions.
        initial: Ids of the states that are active after the start.
    """
    make = partial(_callback, machine_class)
    prepare = getattr(machine_class, "prepare_event", None)
    if inspect.isfunction(prepare):
        yield Callback("prepare_event", "every event", "prepare", at_start=True, eventless=False, function=prepare)
    for part in parts:
        eventless = is_eventless(part)
        place = _place(part)
        for spec in part._specs:
            at_start = spec.group is CallbackGroup.ENTER and place in initial
            for name in _names(spec):
                callback = make(spec, name, place, at_start=at_start, eventless=eventless)
                if callback is not None:
                    yield callback
                    break


def is_eventless(part: Any) -> bool:
    """Whether a transition waits for no event; those that say where a state or a history begins do not count."""
    if not isinstance(part, Transition) or part.initial:
        return False
    return part.is_eventless and not isinstance(part.source, HistoryState)


def _place(part: Any) -> str:
    if hasattr(part, "document_order"):
        return str(part.id)
    events = " ".join(str(event) for event in part.events)
    return events or f"{part.source.id} -> {part.target.id if part.target else ''}"


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


def own_names_of(machine_class: type) -> Iterator[str]:
    """Yield the names of functions in the bodies of the machine class and its concrete machine bases."""
    for base in machine_class.__mro__:
        # Mix-ins and abstract bases may carry hooks for states that only some of their users have.
        if isinstance(base, type(StateChart)) and not getattr(base, "_abstract", True):
            yield from (name for name, value in vars(base).items() if inspect.isfunction(value))
