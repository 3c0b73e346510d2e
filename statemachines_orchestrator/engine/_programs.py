"""
Programs: plans with their callbacks, found once and kept.

`Programs` belong to a machine class as long as a machine has no callbacks of its own; a machine with a model that has
callbacks, or with listeners, has `Programs` for itself. Plans are pure and shared by all machines of a class.
"""

from __future__ import annotations

from collections.abc import MutableSet
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from statemachines_orchestrator.charts import read_chart

from ._binding import Bound, Source, adds_listeners, bind, bind_for_event, read_callback
from ._planner import Plan, planner_of
from ._trigger import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from statemachine import State, StateChart
    from statemachine.transition import Transition

    from ._planner import Entry, Exit
    from ._trigger import Trigger

__all__ = (
    "FLAGS",
    "INITIAL_EVENT",
    "Choice",
    "Group",
    "OddProgram",
    "PlanStatistics",
    "Program",
    "Programs",
    "statistics_of",
)

FLAGS = ("atomic_configuration_update", "catch_errors_as_events", "enable_self_transition_entries")
"""What says by which rules a machine goes; a class attribute, but a machine may have its own."""

INITIAL_EVENT = "__initial__"
"""python-statemachine's name for the event that enters the initial state."""

LIMIT = 4096
"""How many choices are kept per class; when there are more, all are forgotten and found again."""

_SEVERAL = object()
"""The last item of the key of a configuration with more than one value; no value of a state can be it."""

_mutex = RLock()

Group = tuple["Callable[[Trigger], Any]", ...]


@dataclass(slots=True)
class PlanStatistics:
    """How often a class went which road."""

    choices: int = 0
    """Pairs of configuration and event that were worked out."""
    plans: int = 0
    """Microsteps that were worked out."""
    forgotten: int = 0
    """How often everything known was forgotten, because it was too much."""
    stock: int = 0
    """Events and eventless rounds that python-statemachine's own engine has run."""


_statistics: WeakKeyDictionary[type, PlanStatistics] = WeakKeyDictionary()


def statistics_of(machine_class: type[StateChart[Any]]) -> PlanStatistics:
    """Return the statistics of a class; they go on."""
    return _statistics.setdefault(machine_class, PlanStatistics())


class Preparing(NamedTuple):
    """What runs before the callbacks at a place, once per event: `prepare_event`."""

    place: Place
    callbacks: Group


@dataclass(frozen=True, slots=True, eq=False)
class Leaving:
    """A state that is left, with its callbacks."""

    state: State
    callbacks: Group
    left: tuple[Any, ...]
    preparing: Preparing | None
    """What runs before them; None if the machine has no `prepare_event`."""


@dataclass(frozen=True, slots=True, eq=False)
class Entering:
    """A state that is entered, with its callbacks."""

    state: State
    is_own: bool
    callbacks: Group
    initial: Group
    """What the transition does that says where the state begins."""
    contents: tuple[tuple[Group, bool, Preparing | None], ...]
    """What runs again because a history was entered, and whether each error of it is an event of its own."""
    entered: tuple[Any, ...]
    invokes: bool
    is_final: bool
    preparing: Preparing | None

    @property
    def is_special(self) -> bool:
        """Whether more happens than that the state is entered."""
        return bool(self.initial or self.contents or self.invokes or self.is_final)


class Line(NamedTuple):
    """The callbacks of a microstep, in the order in which they are called."""

    before: Group
    exits: Group
    on: Group
    entries: Group
    after: Group


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A microstep, ready to run."""

    plan: Plan
    before: tuple[Group, ...]
    """The callbacks of each transition that has any; so for `on`."""
    exits: tuple[Leaving, ...]
    on: tuple[Group, ...]
    entries: tuple[Entering, ...]
    after: tuple[tuple[Group, bool, Preparing | None], ...]
    """The callbacks of each transition, and whether each error of theirs is an event of its own."""
    preparing: tuple[Preparing, ...]
    """What runs before the callbacks of each transition, unless it has run when the transition was chosen."""
    is_plain: bool
    """Whether callbacks see one change of the configuration, and no error of theirs is an event."""
    transitions: tuple[Transition, ...] = field(init=False)
    is_silent: bool = field(init=False)
    """Whether nothing happens but that the configuration changes."""
    is_single: bool = field(init=False)
    """Whether one value is the whole configuration that it leads to."""
    value: Any = field(init=False)
    """That value."""
    left: tuple[str, ...] = field(init=False)
    entered: tuple[str, ...] = field(init=False)
    line: Line | None = field(init=False)
    """Its callbacks one after the other, if all that happens besides is that the configuration changes."""
    is_single_file: bool = field(init=False)
    """Whether that is so, and no two callbacks belong together."""

    def __post_init__(self) -> None:
        has_callbacks = any(one.callbacks for one in self.exits) or any(
            one.callbacks or one.is_special for one in self.entries
        )
        has_callbacks = bool(has_callbacks or self.before or self.on or self.after or self.preparing)
        is_silent = not (has_callbacks or self.plan.remembered)
        object.__setattr__(self, "is_silent", is_silent)
        object.__setattr__(self, "is_single", len(self.plan.after) == 1)
        object.__setattr__(self, "value", self.plan.after[0] if self.is_single else None)
        object.__setattr__(self, "transitions", self.plan.transitions)
        object.__setattr__(self, "left", tuple(one.state.id for one in self.plan.exits))
        object.__setattr__(self, "entered", tuple(one.state.id for one in self.plan.entries))
        is_special = bool(not self.is_plain or self.plan.remembered or self.preparing)
        is_special |= any(one.is_special for one in self.entries)
        object.__setattr__(self, "line", None if is_special else self._line())
        groups = [*self.before, *self.on, *(group for group, _, _ in self.after)]
        groups += [one.callbacks for one in self.exits] + [one.callbacks for one in self.entries]
        object.__setattr__(self, "is_single_file", not is_special and not any(group[1:] for group in groups))

    def _line(self) -> Line:
        return Line(
            before=tuple(call for group in self.before for call in group),
            exits=tuple(call for one in self.exits for call in one.callbacks),
            on=tuple(call for group in self.on for call in group),
            entries=tuple(call for one in self.entries for call in one.callbacks),
            after=tuple(call for group, _, _ in self.after for call in group),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A transition that an event may take, if its conditions hold."""

    transition: Transition
    validators: Group
    conditions: tuple[Bound, ...]
    preparing: Preparing | None


@dataclass(frozen=True, slots=True, eq=False)
class OddProgram:
    """A microstep that only python-statemachine's own engine can run."""

    transitions: tuple[Transition, ...]


class Choice:
    """What an event may do in a configuration."""

    __slots__ = ("_event", "_known", "_owner", "fixed", "is_fixed", "is_prepared", "is_silent", "rows", "values")

    def __init__(
        self, owner: Programs, values: tuple[Any, ...], event: str | None, rows: tuple[tuple[Candidate, ...], ...]
    ) -> None:
        self._owner = owner
        self._event = event
        self._known: dict[Any, Any] = {}
        self.values: tuple[Any, ...] = values
        self.rows: tuple[tuple[Candidate, ...], ...] = rows
        """For each atomic state, the transitions in the order in which they are asked."""
        asked = [row[0] for row in rows if row]
        self.is_prepared: bool = owner.has_prepare
        """Whether `prepare_event` runs for each transition that is asked."""
        is_asking = self.is_prepared or any(one.validators or one.conditions for one in asked)
        self.is_fixed: bool = not (owner.has_history or is_asking)
        """Whether the outcome is the same every time."""
        self.fixed: Any = None
        """The outcome then: a program, or None if the event is refused."""
        if self.is_fixed and asked:
            self.fixed = self.program([one.transition for one in asked], {})
        self.is_silent: bool = self.fixed is not None and self.fixed.is_silent
        """Whether the outcome is that only the configuration changes."""

    def program(self, chosen: Sequence[Transition], histories: dict[str, list[State]]) -> Any:
        """Return what the chosen transitions do together; None if there are none."""
        if not chosen:
            return None
        remembered: tuple[tuple[str, tuple[Any, ...]], ...] = ()
        if self._owner.has_history:
            remembered = tuple((name, tuple(one.value for one in states)) for name, states in histories.items())
        key: Any = id(chosen[0]) if len(chosen) == 1 else tuple(map(id, chosen))
        if remembered:
            key = key, remembered
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= LIMIT:
                self._known.clear()
            found = self._known[key] = self._owner.compose(self.values, self._event, chosen, dict(remembered))
        return found


class Programs:
    """All that machines with the same class and the same callbacks do."""

    def __init__(self, machine: StateChart[Any]) -> None:
        kind = type(machine)
        self._planner = planner_of(kind)
        registry = machine._callbacks._registry
        self._sources: dict[str, tuple[Source, ...]] = {
            key: tuple(read_callback(one, machine) for one in executor) for key, executor in registry.items()
        }
        self._invoking = frozenset(registry)
        self.choices: dict[tuple[Any, Any], Choice] = {}
        self._initial: dict[tuple[Any, ...], Any] = {}
        self.statistics: PlanStatistics = statistics_of(kind)
        self.has_history: bool = self._planner.has_history
        self.has_eventless: bool = read_chart(kind).has_eventless
        self.is_atomic: bool = machine.atomic_configuration_update
        self.is_plain: bool = self.is_atomic and not machine.catch_errors_as_events
        self._prepare: str = machine.prepare.key
        self.has_prepare: bool = bool(self._sources.get(self._prepare))
        """Whether there is a `prepare_event`."""
        self.is_odd: bool = _is_changed(machine) or any(
            adds_listeners(one) for group in self._sources.values() for one in group
        )
        """Whether everything takes the stock road."""
        self.is_shared: bool = all(one.is_shared for group in self._sources.values() for one in group)
        """Whether the callbacks are those of the class, so that its other machines can use what is found."""

    def choice(self, raw: Any, event: str | None) -> Choice:
        """
        Return what an event may do.

        Args:
            raw: What the model holds as its configuration.
            event: The event's id; None for transitions that need none.
        """
        try:
            return self.choices[raw, event]
        except (KeyError, TypeError):  # not yet known, or several values, which have no hash
            return self._choice(raw, event)

    def _choice(self, raw: Any, event: str | None) -> Choice:
        values = () if raw is None else tuple(raw) if isinstance(raw, MutableSet) else (raw,)
        key = (values[0] if len(values) == 1 else (*values, _SEVERAL)), event
        found = self.choices.get(key)
        if found is not None:
            return found
        with _mutex:
            rows = self._planner.candidates(values, event)
            candidates = tuple(tuple(self._candidate(one, event) for one in row) for row in rows)
            choice = Choice(self, values, event, candidates)
            if len(self.choices) >= LIMIT:
                self.choices.clear()
                self.statistics.forgotten += 1
            self.choices[key] = choice
            self.statistics.choices += 1
        return choice

    def compose(
        self,
        values: Sequence[Any],
        event: str | None,
        chosen: Sequence[Transition],
        histories: Mapping[str, Sequence[Any]],
    ) -> Any:
        """Make a program."""
        with _mutex:
            taken = tuple(dict.fromkeys(chosen))
            if len(taken) > 1:
                taken = self._planner.without_conflicts(values, taken)
            plan = self._planner.plan(values, taken, histories)
            self.statistics.plans += 1
            return self._bound(plan, event)

    def initial(self, machine: StateChart[Any]) -> Any:
        """Return what a machine does when it enters its initial states."""
        key = tuple(machine.start_configuration_values)
        found = self._initial.get(key)
        if found is None:
            transitions = machine._engine._initial_transitions(None)
            with _mutex:
                plan = self._planner.plan((), transitions, {})
                found = self._bound(plan, INITIAL_EVENT)
                if len(self._initial) >= LIMIT:
                    self._initial.clear()
                self._initial[key] = found
        return found

    def _candidate(self, transition: Transition, event: str | None) -> Candidate:
        place = self._place(transition)
        conditions = self._sources.get(transition.cond.key, ())
        return Candidate(
            transition,
            self._group(transition.validators.key, place, event),
            tuple(Bound(bind(one, place), one.expected) for one in conditions),
            self._preparing(place, event),
        )

    def _bound(self, plan: Plan, event: str | None) -> Program:
        ons = [self._group(one.on.key, self._place(one, has_configurations=True), event) for one in plan.transitions]
        befores = [self._group(one.before.key, self._place(one), event) for one in plan.transitions]
        afters = [self._after(one, event) for one in plan.transitions]
        preparing = [self._preparing(self._place(one), event) for one in plan.transitions]
        return Program(
            plan,
            before=tuple(group for group in befores if group),
            exits=tuple(self._leaving(one, event) for one in plan.exits),
            on=tuple(group for group in ons if group),
            entries=tuple(self._entering(one, plan, event) for one in plan.entries),
            after=tuple(one for one in afters if one[0] or one[2]),
            preparing=tuple(one for one in preparing if one is not None),
            is_plain=self.is_plain,
        )

    def _after(self, transition: Transition, event: str | None) -> tuple[Group, bool, Preparing | None]:
        # A transition without a target has its arguments from `on`, which python-statemachine has added to.
        target = transition.target
        if target is None:
            place = self._place(transition, has_configurations=True)
        else:
            place = Place(transition, target, transition.source, target)
            place = self._in_slot(place, "enter", transition, target)
        return self._group(transition.after.key, place, event), target is None, self._preparing(place, event)

    def _leaving(self, leaving: Exit, event: str | None) -> Leaving:
        state, transition = leaving.state, leaving.transition
        place = Place(transition, state, state, transition.target, own_state=True, own_source=True)
        place = self._in_slot(place, "exit", transition, state)
        return Leaving(state, self._group(state.exit.key, place, event), leaving.left, self._preparing(place, event))

    def _entering(self, entry: Entry, plan: Plan, event: str | None) -> Entering:
        state, is_own, initial = entry.state, entry.is_own, entry.initial
        place = Place(entry.transition, state, entry.transition.source, state, own_state=is_own, own_target=is_own)
        place = self._in_slot(place, "enter", entry.transition, state)
        return Entering(
            state,
            is_own,
            self._group(state.enter.key, place, event),
            self._group(initial.on.key, place, event) if initial is not None else (),
            tuple(
                # python-statemachine keeps the arguments of a transition that is taken, and its handler with them.
                (
                    self._group(one.on.key, self._place(one, has_configurations=True), event),
                    one in plan.transitions,
                    self._preparing(self._place(one), event),
                )
                for one in entry.contents
            ),
            entry.entered,
            invokes=state.invoke.key in self._invoking,
            is_final=state.final,
            preparing=self._preparing(place, event),
        )

    def _group(self, key: str, place: Place, event: str | None) -> Group:
        calls = (bind_for_event(one, place, event) for one in self._sources.get(key, ()))
        return tuple(call for call in calls if call is not None)

    def _preparing(self, place: Place, event: str | None) -> Preparing | None:
        return Preparing(place, self._group(self._prepare, place, event)) if self.has_prepare else None

    def _place(self, transition: Transition, *, has_configurations: bool = False) -> Place:
        source = transition.source
        place = Place(transition, source, source, transition.target, has_configurations=has_configurations)
        return self._in_slot(place, "transition", transition)

    def _in_slot(self, place: Place, *slot: object) -> Place:
        # What the transition enters or leaves has its own.
        if not self.has_prepare:
            return place
        return Place(*place[:-1], slot=tuple(one if type(one) is str else id(one) for one in slot))


def _is_changed(machine: StateChart[Any]) -> bool:
    """Whether the machine goes by other rules than its class."""
    return not vars(machine).keys().isdisjoint(FLAGS)
