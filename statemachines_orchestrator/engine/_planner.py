"""
What a microstep does to a configuration: a pure function, worked out once.

The rules are python-statemachine's own. A planner is an engine without a machine: it holds a configuration and what
histories remember, and asks python-statemachine's code which states a set of transitions leaves and enters, and in
which order. So a plan cannot differ from what the stock engine does, in traps and order numbers either.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from statemachine.engines.base import BaseEngine
from statemachine.orderedset import OrderedSet
from statemachine.state import InstanceState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statemachine import State, StateChart
    from statemachine.transition import Transition

__all__ = ("Entry", "Exit", "Plan", "Planner", "planner_of")


@dataclass(frozen=True, slots=True, eq=False)
class Exit:
    """A state that a microstep leaves."""

    state: State
    transition: Transition
    """The transition that leaves it."""
    left: tuple[Any, ...]
    """The values of the configuration once it has been left."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A state that a microstep enters."""

    state: State
    transition: Transition
    """The transition that enters it."""
    is_own: bool
    """Whether a history remembered it, so that callbacks get the machine's own object for it."""
    initial: Transition | None
    """The transition that says where the state begins, if it is entered by default."""
    contents: tuple[Transition, ...]
    """The transitions whose actions run again because a history in the state was entered."""
    entered: tuple[Any, ...]
    """The values of the configuration once it has been entered."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a microstep does, callbacks left out."""

    transitions: tuple[Transition, ...]
    before: tuple[Any, ...]
    """The values of the configuration that it starts from, in their order."""
    after: tuple[Any, ...]
    """The values of the configuration that it leads to."""
    own: frozenset[Any]
    """Those of the values after, of which the new configuration holds the machine's own objects."""
    exits: tuple[Exit, ...]
    entries: tuple[Entry, ...]
    remembered: tuple[tuple[str, tuple[Any, ...]], ...]
    """What histories remember from then on, by the id of each."""

    def __repr__(self) -> str:
        left = " ".join(one.state.id for one in self.exits) or "-"
        entered = " ".join(one.state.id for one in self.entries) or "-"
        return f"<Plan exits {left}, enters {entered}>"


class _Stand:
    """Stands for a machine while a plan is made."""

    def __init__(self, machine_class: type[StateChart[Any]]) -> None:
        self.enable_self_transition_entries = machine_class.enable_self_transition_entries
        self.configuration: OrderedSet[State] = OrderedSet()
        self.history_values: dict[str, list[State]] = {}


class Planner(BaseEngine):
    """Makes the plans of one machine class."""

    def __init__(self, machine_class: type[StateChart[Any]]) -> None:  # not the engine's: there is no machine
        self.sm: Any = _Stand(machine_class)
        stand: Any = self.sm
        self._log_id = ""
        self._debug = _say_nothing
        self._states: dict[Any, State] = {}
        for value, state in machine_class.states_map.items():
            self._states[value] = InstanceState(state, stand, self._states)
        self.has_history = any(state.history for state in machine_class.states_map.values())

    def __del__(self) -> None:
        """Do nothing: the engine's own cancels invocations."""

    def candidates(self, values: Sequence[Any], event: str | None) -> list[list[Transition]]:
        """
        Return the transitions that an event may take, conditions left aside.

        Args:
            values: The values of the configuration, in its order.
            event: The event's id; None for transitions that need none.

        Returns:
            For each atomic state that is active, the transitions in the order in which they are asked.
        """
        atomic = [state for state in (self._states[value] for value in values) if state.is_atomic]
        return [
            [
                one
                for holder in chain([state], state.ancestors())
                for one in holder.transitions
                if not one.initial and (one.is_eventless if event is None else one.match(event))
            ]
            for state in atomic
        ]

    def without_conflicts(self, values: Sequence[Any], chosen: Sequence[Transition]) -> tuple[Transition, ...]:
        """Return those of the chosen transitions that are taken together."""
        self.sm.configuration = self._configuration(values)
        return tuple(self._filter_conflicting_transitions(OrderedSet(chosen)))

    def plan(
        self, values: Sequence[Any], transitions: Sequence[Transition], histories: Mapping[str, Sequence[Any]]
    ) -> Plan:
        """
        Say what a microstep does.

        Args:
            values: The values of the configuration, in its order.
            transitions: What is taken.
            histories: What histories remember: values of states by the id of each.
        """
        before = self.sm.configuration = self._configuration(values)
        self.sm.history_values = known = {
            name: [self._states[value] for value in remembered] for name, remembered in histories.items()
        }
        unchanged = dict(known)
        leaving, left = self._prepare_exit_states(list(transitions))
        entering, by_default, default_history, after = self._prepare_entry_states(list(transitions), left, before)
        staying = [value for value in values if self._states[value] not in left]
        return Plan(
            transitions=tuple(transitions),
            before=tuple(values),
            after=tuple(state.value for state in after),
            own=frozenset(state.value for state in after if isinstance(state, InstanceState)),
            exits=tuple(_exits(values, leaving)),
            entries=tuple(_entries(staying, entering, by_default, default_history)),
            remembered=tuple(
                (name, tuple(state.value for state in states))
                for name, states in known.items()
                if unchanged.get(name) is not states
            ),
        )

    def _configuration(self, values: Sequence[Any]) -> OrderedSet[State]:
        return OrderedSet(self._states[value] for value in values)


def _exits(values: Sequence[Any], leaving: Sequence[Any]) -> list[Exit]:
    left, found = list(values), []
    for info in leaving:
        left = [value for value in left if value != info.state.value]
        found.append(Exit(_of_class(info.state), info.transition, tuple(left)))
    return found


def _entries(
    values: Sequence[Any],
    entering: Sequence[Any],
    by_default: OrderedSet[Any],
    default_history: Mapping[str, Sequence[Any]],
) -> list[Entry]:
    entered, found = list(values), []
    defaults = {info.state.id for info in by_default if info.state}
    for info in entering:
        state = info.state
        if state.value not in entered:
            entered.append(state.value)
        initial = [one for one in state.transitions if one.initial] if state.id in defaults else []
        found.append(
            Entry(
                _of_class(state),
                info.transition,
                isinstance(state, InstanceState),
                initial[0] if len(initial) == 1 else None,
                tuple(one.transition for one in default_history.get(state.id, ())),
                tuple(entered),
            )
        )
    return found


def _of_class(state: State) -> State:
    return state._state if isinstance(state, InstanceState) else state


def _say_nothing(*_args: object, **_kwargs: object) -> None:
    """Stand for the log of an engine."""


_planners: WeakKeyDictionary[type, Planner] = WeakKeyDictionary()


def planner_of(machine_class: type[StateChart[Any]]) -> Planner:
    """Return the planner of a class; there is one for each."""
    planner = _planners.get(machine_class)
    if planner is None:
        planner = _planners[machine_class] = Planner(machine_class)
    return planner
