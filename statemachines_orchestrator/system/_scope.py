"""
One orchestrator within a system: its members by address, its rules, and what it remembers for them.

A system is a tree of scopes, one per orchestrator, under one driver. A scope is the host of its members' engines, so
that callbacks receive the orchestrator that declares the member.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.declare import EACH, At, MemberAddress, Place, Rules
from statemachines_orchestrator.engine import INITIAL_EVENT

from ._cases import allows, call_with, forbidden, is_active
from ._configuration import is_ended
from ._copying import members_of
from ._membership import add_member, remove_member
from ._nesting import Former, apart, join
from ._occurrence import Occurrence
from ._tally import Tally
from ._wiring import Watch, Wiring, wiring_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statemachine import StateChart
    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.declare import JointEvent, MachinesField, Members
    from statemachines_orchestrator.engine import MemberEngine

    from ._clock import Clock
    from ._driver import Driver

__all__ = ("Scope",)

_numbers = count()
_NO_RULES = Rules()


class Scope:
    """The place of one orchestrator in its system."""

    def __init__(self, orchestrator: Any, parameter: str, driver: Driver, clock: Clock) -> None:
        self.orchestrator = orchestrator
        self.parameter = parameter
        self.driver = driver
        self.clock = clock
        """What it was to go by, had it been made alone."""
        self.parent: Scope | None = None
        self.name: str = ""
        """The field of the parent that holds it."""
        self.is_new = False
        """Whether its constructor has not come to its end."""
        self.former: Former | None = None
        """What it had before it became a part of another orchestrator that is being made."""
        self.rules: Rules = _NO_RULES
        self.wiring: Wiring = wiring_of(_NO_RULES)
        self.members: dict[str, MemberEngine] = {}
        self.collections: dict[str, dict[str, MemberEngine]] = {}
        self.children: dict[str, Scope] = {}
        self.memory: dict[tuple[str, str | None], bool] = {}
        """Whether the condition of a link held at the last rest, by link and key."""
        self._tallies: dict[str, dict[str | None, Tally]] = {}
        """Who counts the members of collections, by field, and by state or for those that have ended."""
        self._places: dict[tuple[int, str], MemberEngine] = {}
        """Who keeps its state where, by the identity of the model and the name of its field."""

    # -- the host of engines -------------------------------------------------------------------------------

    @property
    def system(self) -> object:
        """What all hosts have in common that take turns together."""
        return self.driver

    def deliver(self, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """Run an event when its turn comes; what its caller gets."""
        return self.driver.deliver(engine, trigger)

    def in_running_step(self) -> bool:
        """Whether the calling code belongs to a running step of the system."""
        return self.driver.in_running_step()

    def delay(self, engine: MemberEngine, trigger: TriggerData, seconds: float) -> None:
        """Keep an event and run it as a step of its own when the seconds are over."""
        self.driver.delay(engine, trigger, seconds)

    def cancel_delayed(self, engine: MemberEngine, send_id: str) -> None:
        """Forget the delayed events with this id."""
        self.driver.cancel_delayed(engine, send_id)

    def take_delayed(self, engine: MemberEngine) -> list[tuple[TriggerData, float]]:
        """Give up all delayed events of a machine, and say in how many seconds each is due."""
        return self.driver.take_delayed(engine)

    def undo(self, action: Callable[[], object]) -> None:
        """Have something done if the step that the caller belongs to fails."""
        self.driver.undo(action)

    def hears(self, engine: MemberEngine, trigger: TriggerData, entered: tuple[str, ...]) -> bool:
        """Whether anything may follow from what the machine does."""
        driver = self.driver
        if driver.hears_all or driver.held or driver.observers:
            return True
        if not engine.watches:
            return False
        event = trigger.event
        name = None if event is None or event == INITIAL_EVENT else event.id
        return any(watch.hears(entered, name) for _, watch in engine.watches)

    def hears_start(self, engine: MemberEngine, entered: tuple[str, ...]) -> bool:
        """Whether anything may follow from a machine entering its initial states."""
        driver = self.driver
        if driver.hears_all or driver.held or driver.observers:
            return True
        return any(watch.hears(entered, None) for _, watch in engine.watches)

    def permits(self, engine: MemberEngine, event: str) -> bool:
        """Whether it can be said without asking any function of the user's that no guard forbids an event."""
        return all(
            id(guard) in scope.wiring.plain_guards and allows(scope, guard)
            for scope, watch in engine.watches
            for guard in watch.guards.get(event)
        )

    def moved(
        self, engine: MemberEngine, trigger: TriggerData, left: tuple[str, ...], entered: tuple[str, ...]
    ) -> None:
        """Remember what the machine has done until the next rest."""
        self.driver.moved(engine, trigger, left, entered)

    def refused(self, engine: MemberEngine, trigger: TriggerData) -> None:
        """Tell observers that the machine has refused an event."""
        if self.driver.observers:
            self.driver.tell_refusal(engine, trigger)

    def refusal(self, engine: MemberEngine, trigger: TriggerData) -> Exception | None:
        """Return the refusal of a guard that forbids the event."""
        return forbidden(engine, trigger)

    def take_over(self, engine: MemberEngine, trigger: TriggerData) -> bool:
        """Queue the joint event that a machine's own event is."""
        return self.driver.take_over(engine, trigger)

    def call_jointly(self, joint: JointEvent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Let a joint event of this orchestrator happen; what its caller gets."""
        return self.driver.call_jointly(self, joint, args, kwargs)

    # -- the tree ------------------------------------------------------------------------------------------

    @property
    def path(self) -> tuple[str, ...]:
        """The fields from the outermost orchestrator down to this one."""
        return () if self.parent is None else (*self.parent.path, self.name)

    def address(self, name: str, key: str | None = None) -> str:
        """Return the address of a member as text, seen from the outermost orchestrator."""
        return ".".join((*self.path, name)) + ("" if key is None else f"[{key}]")

    def tree(self) -> Iterator[Scope]:
        """Yield this scope and all below it."""
        yield self
        for child in self.children.values():
            yield from child.tree()

    def inside_out(self) -> Iterator[Scope]:
        """Yield all scopes below this one, and then itself."""
        for child in self.children.values():
            yield from child.inside_out()
        yield self

    @property
    def root(self) -> Scope:
        """The scope of the outermost orchestrator."""
        return self if self.parent is None else self.parent.root

    def engines(self) -> Iterator[MemberEngine]:
        """Yield the engines of all members, in declared order; those of nested orchestrators in their place."""
        for name in self.orchestrator.__declaration__.fields:
            if name in self.members:
                yield self.members[name]
            elif name in self.children:
                yield from self.children[name].engines()
            else:
                yield from tuple(self.collections.get(name, {}).values())  # others may add and remove meanwhile

    def complete(self) -> None:
        """Take the rules of all classes in, once everything is there."""
        for scope in self.tree():
            collections = scope.orchestrator.__declaration__.collections
            self.driver.is_async = self.driver.is_async or any(map(_makes_asynchronous, collections))
            classes = {
                (*engine.host.path[len(scope.path) :], engine.member): type(engine.sm) for engine in scope.engines()
            }
            scope.rules = scope.orchestrator.__declaration__.rules_for(classes)
            scope.wiring = wiring_of(scope.rules)
        self.bind()

    def bind(self) -> None:
        """Tell every engine of this orchestrator, and of those inside, where it stands and which rules concern it."""
        for engine in self.engines():
            engine.host.set_place(engine)
        self.driver.rules_changed()

    def set_place(self, engine: MemberEngine) -> None:
        """Tell an engine where it stands and which rules concern it."""
        engine.path = (*self.path, engine.member)
        engine.address = self.address(engine.member, engine.key)
        engine.watches = self.watches_of(engine)
        engine.is_guarded = any(watch.guards for _, watch in engine.watches)
        engine.is_joint = any(watch.joints for _, watch in engine.watches)

    # -- members -------------------------------------------------------------------------------------------

    def add(self, name: str, engine: MemberEngine, key: str | None = None) -> None:
        """Take a member's engine in."""
        engine.member, engine.key = name, key
        engine.forget_place()
        if key is None:
            self.members[name] = engine
        else:
            self.collections.setdefault(name, {})[key] = engine
            engine.number = next(_numbers)
            engine.tallies = tuple(self._tallies.get(name, {}).values())
            for tally in engine.tallies:
                tally.changed(engine)
        self._places[id(engine.sm.model), engine.sm.state_field] = engine
        self.driver.added(engine)

    def has(self, engine: MemberEngine) -> bool:
        """Whether a machine is a member of this very orchestrator."""
        if engine.key is None:
            return self.members.get(engine.member) is engine
        return self.collections.get(engine.member, {}).get(engine.key) is engine

    def nest(self, name: str, inner: Scope) -> None:
        """Make another orchestrator a part of this one; both are one system from then on."""
        if inner.driver is not self.driver:
            join(self.driver, inner)
        inner.parent, inner.name = self, name
        self.children[name] = inner

    def stand_alone(self) -> None:
        """Leave an outer orchestrator that could not be made, or that has no use for it."""
        if self.driver.root is self:
            return
        if self.parent is not None:
            self.parent.children.pop(self.name, None)
            self.parent, self.name = None, ""
        apart(self)
        self.bind()
        if any(scope.is_new for scope in self.tree()):
            self.begin()

    def begin(self) -> None:
        """Let all members enter their initial states, unless that is to be awaited, and end all constructors."""
        if not self.driver.is_async:
            self.driver.begin()
        for scope in self.inside_out():
            if scope.is_new:
                scope.is_new = False
                scope.orchestrator.__post_init__()
        for scope in self.tree():
            scope.former = None

    def add_member(self, members: Members[Any], key: str, source: Any, arguments: dict[str, Any]) -> Any:
        """Make or take a machine, put it under the key, and let it enter its initial state."""
        return add_member(self, members, key, source, arguments)

    def remove_member(self, members: Members[Any], key: str) -> Any:
        """Take a machine out; it is an independent one from then on."""
        return remove_member(self, members, key)

    def reduced(self, members: Members[Any]) -> Any:
        """Say to `copy` and `pickle` how to find a collection in a copy of the whole."""
        return members_of, (self.orchestrator, members.field)

    def forget(self, engine: MemberEngine) -> None:
        """Forget where a machine kept its state that is no member any more."""
        for tally in self._tallies.get(engine.member, {}).values():
            tally.forget(engine)
        engine.tallies = ()
        place = id(engine.sm.model), engine.sm.state_field
        if self._places.get(place) is engine:
            del self._places[place]

    def sharing(self, machine: StateChart[Any]) -> MemberEngine | None:
        """Return the member, here or inside, that keeps its state where a machine would keep its own."""
        place = id(machine.model), machine.state_field
        for scope in self.tree():
            found = scope._places.get(place)
            if found is not None and found.sm.model is machine.model:
                return found
        return None

    def watches_of(self, engine: MemberEngine) -> tuple[tuple[Scope, Watch], ...]:
        """Return what concerns a member in this orchestrator and in those around it, the innermost first."""
        found: list[tuple[Scope, Watch]] = []
        path: tuple[str, ...] = (engine.member,)
        scope: Scope | None = self
        while scope is not None:
            watch = scope.wiring.watches.get(path)
            if watch is not None:
                found.append((scope, watch))
            path = (scope.name, *path)
            scope = scope.parent
        return tuple(found)

    # -- who is meant --------------------------------------------------------------------------------------

    def _holder(self, path: tuple[str, ...]) -> Scope:
        scope = self
        for name in path[:-1]:
            scope = scope.children[name]
        return scope

    def engine_at(self, member: MemberAddress, occurrence: Occurrence | None = None) -> MemberEngine | None:
        """Return the one member that is meant; None if there is none at present."""
        try:
            holder = self._holder(member.path)
        except KeyError:
            return None  # an optional nested orchestrator that is absent
        name = member.path[-1]
        if member.key is None:
            return holder.members.get(name)
        key = self.key_of(member, occurrence)
        return None if key is None else holder.collections[name].get(key)

    def collection_at(self, path: tuple[str, ...]) -> dict[str, MemberEngine]:
        """Return the members of a collection by key; nobody if the orchestrator that would hold it is absent."""
        try:
            return self._holder(path).collections[path[-1]]
        except KeyError:
            return {}

    def engines_at(self, member: MemberAddress, occurrence: Occurrence | None = None) -> list[MemberEngine]:
        """Return the members that are meant; of a collection all, or the one with the key."""
        if member.key == EACH:
            return list(self.collection_at(member.path).values())
        found = self.engine_at(member, occurrence)
        return [] if found is None else [found]

    def key_of(self, member: MemberAddress, occurrence: Occurrence | None) -> str | None:
        """Return the key of the collection's member that is meant."""
        if isinstance(member.key, At):
            key = member.key.key
            return key if isinstance(key, str) else str(self.call(key, occurrence))
        return occurrence.key if occurrence is not None else None

    # -- what conditions ask -------------------------------------------------------------------------------

    def is_active(self, place: Place, occurrence: Any) -> bool:
        """Whether the state is active; of a collection's member the one that the occurrence is about."""
        engine = self.engine_at(place.member, occurrence)
        return engine is not None and is_active(engine, place.id)

    def is_done(self, member: MemberAddress, occurrence: Any) -> bool:
        """Whether the member has ended."""
        engine = self.engine_at(member, occurrence)
        return engine is not None and is_ended(engine.sm)

    def count(self, what: Place | MemberAddress) -> tuple[int, int]:
        """Of how many members of the collection it is true, and how many there are."""
        path = (what.member if isinstance(what, Place) else what).path
        try:
            holder = self._holder(path)
        except KeyError:
            return 0, 0  # an optional nested orchestrator that is absent
        state = what.id if isinstance(what, Place) else None
        return holder.tally(path[-1], state).count(), len(holder.collections[path[-1]])

    def tally(self, name: str, state: str | None) -> Tally:
        """Return who counts the members of a collection that are in a state, or have ended."""
        found = self._tallies.setdefault(name, {}).get(state)
        if found is None:
            members = self.collections[name].values()
            is_true = _has_ended if state is None else partial(is_active, state=state)
            found = self._tallies[name][state] = Tally(is_true, members)
            for engine in members:
                engine.tallies = (*engine.tallies, found)
        return found

    def call(self, function: Callable[..., Any], occurrence: Any) -> Any:
        """Call a user's function with the orchestrator, and the occurrence if it takes it."""
        return call_with(function, self.orchestrator, occurrence)

    def occurrence(self, engine: MemberEngine, trigger: TriggerData | None, state: str | None = None) -> Occurrence:
        """Describe what has happened to a member, for the rules of this orchestrator."""
        address = self.relative_address(engine)
        if trigger is None or trigger.event is None or trigger.event == INITIAL_EVENT:
            return Occurrence(address, engine.sm, engine.key, state=state)  # nobody has sent anything
        event, kwargs = str(trigger.event), dict(trigger.kwargs)
        return Occurrence(address, engine.sm, engine.key, event, state, trigger.args, kwargs)

    def relative_address(self, engine: MemberEngine) -> str:
        """Return a member's address as it is written in this orchestrator's class."""
        return engine.address.removeprefix("".join(f"{name}." for name in self.path))

    def relative_path(self, engine: MemberEngine) -> tuple[str, ...] | None:
        """Return the fields that lead from here to a member; None if it is not in this orchestrator."""
        own = self.path
        return engine.path[len(own) :] if engine.path[: len(own)] == own else None


def _has_ended(engine: MemberEngine) -> bool:
    return is_ended(engine.sm)


def _makes_asynchronous(collection: MachinesField) -> bool:
    """Whether machines of a collection will be asynchronous; a class whose callbacks are given to it says so itself."""
    for kind in collection.classes:
        says = getattr(kind, "__orchestrator_is_async__", None)
        if read_chart(kind).is_async or (says is not None and says(**collection.arguments)):
            return True
    return False
