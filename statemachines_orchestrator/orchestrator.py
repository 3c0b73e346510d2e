"""The class that users derive from."""

from __future__ import annotations

import copy
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, cast

from statemachine import StateChart
from typing_extensions import dataclass_transform

from statemachines_orchestrator.declare import (
    Declaration,
    Keywords,
    MachinesField,
    MemberField,
    SystemField,
    bind,
    data,
    declaration_of,
    declare,
    machine,
    machines,
    nearest,
)
from statemachines_orchestrator.draw import Shown, mimebundle, picture
from statemachines_orchestrator.exceptions import (
    ArgumentsError,
    ConstructionError,
    DataDeletionError,
    DefinitionError,
    MemberAssignmentError,
    MemberNotMadeError,
    RuleAssignmentError,
    UnsavableError,
)
from statemachines_orchestrator.snapshot import (
    Snapshot,
    add_custom,
    add_migration,
    explain_failure,
    fill,
    given_for,
    parts_for,
    take,
)
from statemachines_orchestrator.system import (
    Clock,
    EventCall,
    MonotonicClock,
    Scope,
    SystemConfiguration,
    adopt,
    blank,
    configuration_of,
    describe_system,
    enabled_addresses,
    give_back,
    is_ended,
    make_parts,
    make_room,
    no_clock,
    outer_driver,
    part_of,
    place,
    rebuild_system,
    register,
    send,
    with_own_models,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from types import TracebackType

    from statemachines_orchestrator.declare import Guard, JointEvent, Link
    from statemachines_orchestrator.system import Inspection, SystemRecord

__all__ = ("Orchestrator",)

_T = TypeVar("_T")
_Migrate = TypeVar("_Migrate", bound="Callable[[dict[str, Any]], dict[str, Any]]")


_DEFAULT_CLOCK = MonotonicClock()


def _option(*, default: Any, kw_only: bool) -> Any:
    """Tell type checkers of a keyword of the constructor that is no field."""


if TYPE_CHECKING:
    # Without the metaclass, beside which type checkers would not look at class keywords.
    @dataclass_transform(eq_default=False, field_specifiers=(machine, machines, data, _option))
    class _Declared:
        """What makes them read the classes below as dataclasses, `Orchestrator` with its options included."""

        _system: Scope  # declared here, since it is no field of a dataclass

else:

    @dataclass_transform(eq_default=False, field_specifiers=(machine, machines, data, _option))
    class _Declared(metaclass=Shown):
        """What gives orchestrator classes pictures of themselves."""


class Orchestrator(_Declared):
    """
    Several state machines that must work together, in one typed object.

    Derive a class and declare its members; instances take machines by position or keyword, as a dataclass does:

        class Shop(Orchestrator):
            payment: Payment
            order: Order = machine(factory=Order)

        shop = Shop(payment=Payment())

    Every callback of a member receives the orchestrator by the parameter `orc`. An event from outside and all it
    causes is one *step*: steps run one at a time, whoever calls, and a step that fails is put back.

    Every constructor also takes ``clock=``, what tells the system the time: the machine's own clock by default.

    Class keywords:
        orchestrator_name: The parameter by which callbacks receive the orchestrator; ``"orc"`` by default.
        atomic: Whether a step that fails is put back; True by default.
        max_deliveries: How many links and waiting joint events one step may set off; 1000 by default.
        version: The version of the definition, for snapshots; ``"1"`` by default.

    Raises:
        DefinitionError: When the class is made, for all mistakes of its declaration at once.
    """

    __declaration__: ClassVar[Declaration]
    links: ClassVar[tuple[Link, ...]]
    """What is declared by `when`, in order."""
    guards: ClassVar[tuple[Guard, ...]]
    """What is declared by `guard`, in order."""
    joint_events: ClassVar[tuple[JointEvent, ...]]
    """What is declared by `together`, in order."""

    if TYPE_CHECKING:
        clock: Clock = _option(default=_DEFAULT_CLOCK, kw_only=True)
        """What tells the system the time."""

        # Without the keywords of mix-ins that the other one passes on, so that type checkers find a misspelt keyword.
        def __init_subclass__(
            cls, *, orchestrator_name: str = ..., atomic: bool = ..., max_deliveries: int = ..., version: str = ...
        ) -> None: ...

    else:

        def __init_subclass__(cls, **keywords: Any) -> None:
            own = {name: keywords.pop(name, None) for name in Keywords.names()}
            try:
                super().__init_subclass__(**keywords)
            except TypeError as error:
                if not keywords:
                    raise  # not about keywords
                close = nearest(next(iter(keywords), ""), own)
                hint = f"Did you mean {close}=?" if close else f"The keywords are {', '.join(own)}"
                raise DefinitionError(cls.__name__, f"unknown class keywords: {', '.join(keywords)}", hint) from error
            bases = [vars(base)["__declaration__"] for base in cls.__mro__[1:] if "__declaration__" in vars(base)]
            cls.__declaration__ = declare(cls, bases, **own)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """
        Take or make the members, and enter their initial states once all of them exist.

        An instance is taken as it is; a class or a function makes the machine. In an asynchronous system the
        initial states are entered by `activate`, or by the first event.

        Raises:
            ConstructionError: For all mistakes of the arguments at once; nothing that was passed is changed.
        """
        declaration = declaration_of(type(self))
        clock = keywords.pop("clock", _DEFAULT_CLOCK)
        given, problems = bind(declaration, arguments, keywords)
        if not isinstance(clock, Clock):
            problems.append(no_clock(declaration.name, clock))
        if problems:
            raise ConstructionError.first_of(problems)
        with self._assembled(given, clock) as scope:
            scope.is_new = True
            if scope.driver.root is scope:  # what is made as a part of another begins with the other
                scope.begin()

    @contextmanager
    def _assembled(self, given: Mapping[str, Any], clock: Clock) -> Iterator[Scope]:
        """Make or take the members; none has entered its initial state. What fails in the block undoes it."""
        declaration = type(self).__declaration__
        scope = place(self, clock, outer_driver(self))
        values = {one.name: given[one.name] if one.name in given else one.initial() for one in declaration.data}
        parts = make_parts(declaration, scope, given)
        try:
            vars(self).update(dict.fromkeys((one.name for one in declaration.parts), None))
            vars(self).update(values, **adopt(parts, scope))
            scope.complete()
            for machine in self.machines.values():
                register(type(machine))
            yield scope
        except BaseException:
            give_back(parts, given)
            scope.driver.timers.clear()
            raise

    def __post_init__(self) -> None:
        """
        Do what a subclass wants done at the end of the constructor, as in a dataclass.

        An orchestrator that is made as a part of another does it at the end of the other's constructor.
        """

    def __post_restore__(self) -> None:
        """Do what a subclass wants done at the end of `restore`, such as setting attributes of its own."""

    # -- the system ----------------------------------------------------------------------------------------

    @property
    def machines(self) -> dict[str, StateChart[Any]]:
        """
        The members by address, in declared order; optional ones that are absent are left out.

        Addresses are fields, such as ``"order"``; ``"materials[m1]"`` for a collection's member, and
        ``"billing.payment"`` for one of a nested orchestrator.
        """
        scope = self._system
        return {scope.relative_address(engine): engine.sm for engine in scope.engines()}

    @property
    def machine_classes(self) -> dict[str, type[StateChart[Any]]]:
        """The members' classes by field: as declared, or as made where the declaration could not be resolved."""
        found: dict[str, type[StateChart[Any]]] = {}
        for one in type(self).__declaration__.parts:
            part = getattr(self, one.name)
            if isinstance(one, SystemField):
                inner = part.machine_classes if part is not None else {}
                found.update({f"{one.name}.{name}": kind for name, kind in inner.items()})
            elif one.classes:
                found[one.name] = one.classes[0]
            elif isinstance(part, StateChart):
                found[one.name] = type(part)
        return found

    @property
    def parent(self) -> Orchestrator | None:
        """The orchestrator that this one is a part of, if any."""
        outer = self._system.parent
        return None if outer is None else cast("Orchestrator", outer.orchestrator)

    @property
    def orchestrator_name(self) -> str:
        """The parameter by which callbacks receive the orchestrator."""
        return type(self).__declaration__.parameter

    @property
    def configuration(self) -> SystemConfiguration:
        """The active states of every member."""
        return configuration_of(self.machines)

    @property
    def is_terminated(self) -> bool:
        """Whether every member has reached its end."""
        return all(is_ended(member) for member in self.machines.values())

    def send(self, address: str, /, *arguments: Any, **keywords: Any) -> Any:
        """
        Send an event to a member by its address.

        Args:
            address: Member and event, such as ``"order.process"``, ``"materials[m1].order"`` or
                ``"billing.payment.capture"``, or the name of a joint event.
            *arguments: Positional arguments of the event.
            **keywords: Keyword arguments of the event.

        Returns:
            What the event call returns: its result, or in an asynchronous system an awaitable of it.

        Raises:
            UnknownMachineError: There is no such member.
            UnknownEventError: The member declares no such event.
        """
        return send(self._system, address, arguments, keywords)

    def enabled_events(self) -> Any:
        """
        List what can happen now: the events that no condition and no guard forbids.

        An event that belongs to a joint event is listed if all its parts are possible; so is the joint event itself.

        Returns:
            Addresses such as ``"order.process"``, in declared order, then the names of joint events; in an asynchronous
            system an awaitable of them.
        """
        scope = self._system
        engines = list(scope.engines())
        return scope.driver.ask([engine.sm for engine in engines], partial(enabled_addresses, scope, engines))

    def inspect(self, observer: Callable[[Inspection], object]) -> Callable[[], None]:
        """
        Let an observer hear what the whole system does, in small frozen records.

        Without observers this costs nothing. An observer that raises is logged and dropped; the step is not harmed.

        Args:
            observer: Is called with each record, in the step.

        Returns:
            A function that ends it.
        """
        return self._system.driver.inspect(observer)

    def activate(self) -> EventCall:
        """
        Enter the initial states of an asynchronous system; to be awaited.

        Does nothing if they have been entered already, and in a synchronous system, whose constructor enters them.
        """
        return self._system.driver.activate()

    # -- time ----------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:

        @property
        def clock(self) -> Clock:
            """What tells the system the time."""
            return self._system.driver.clock

    @property
    def next_due(self) -> float | None:
        """When the next timer is due, on the clock; None if nothing is going to happen by itself."""
        return self._system.driver.next_due

    def run_due(self) -> Any:
        """
        Fire all timers that are due now: in the order of their deadlines, each as a step of its own.

        If one fails, its exception says by a note which it was, and the next call goes on behind it.

        Returns:
            How many there were; in an asynchronous system an awaitable of it.

        Raises:
            StepRunningError: The caller is a callback of this system.
        """
        return self._system.driver.run_due()

    def __enter__(self) -> Self:
        """Fire timers of a synchronous system in a background thread, while the block lasts."""
        self._system.driver.start_firing()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for the timer that is being fired, if any; no other fires after the block."""
        self._system.driver.stop_firing()

    async def __aenter__(self) -> Self:
        await self.activate()
        self._system.driver.start_firing_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let the event loop fire no more timers."""
        await self._system.driver.stop_firing_async()

    # -- snapshots -----------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """
        Describe everything that is needed to go on later, between two steps.

        Raises:
            StepRunningError: The caller is a callback of this system, or an asynchronous one has events in line.
            UnsavableError: Something cannot be saved, or this is a part of another orchestrator.
        """
        scope, name = self._system, type(self).__name__
        if scope.parent is not None:
            outer = type(scope.root.orchestrator).__name__
            raise UnsavableError(
                f"no snapshot of this {name} can be taken", [f"it is a part of a {outer}: take one of that"]
            )
        with scope.driver.between_steps("take a snapshot of it"):
            return take(scope)

    @classmethod
    def restore(
        cls,
        snapshot: Snapshot | str | bytes,
        /,
        *,
        clock: Clock | None = None,
        invocations: Literal["restart", "leave"] = "restart",
        **members: Any,
    ) -> Self:
        """
        Make an orchestrator that goes on where a snapshot was taken; no callback of a machine runs.

        Machines are made by their factories, and where there is none, of their declared classes without arguments.

        Args:
            snapshot: The snapshot, or its text.
            clock: What tells the system the time; by default the machine's own clock. Timers have as many seconds
                left as they had.
            invocations: Whether invocations that were running start anew in the first step, or never.
            **members: Machines, or what makes them, by field, as for the constructor; or models for machines. A
                dictionary stands for a collection or for the fields of a nested orchestrator.

        Raises:
            SnapshotFormatError: The text is no snapshot, not a whole one, or one in the format of a later release.
            SnapshotMismatchError: A snapshot of another class or definition, or one that does not fit; lists all
                differences.
            MigrationError: There is no way from its version to that of the class, or it failed.
            ConstructionError: What was passed cannot be a member.
        """
        if invocations not in ("restart", "leave"):
            raise ArgumentsError(
                f"{cls.__name__}.restore()", f"invocations={invocations!r} means nothing", "Write 'restart' or 'leave'"
            )
        chosen = _DEFAULT_CLOCK if clock is None else clock
        if not isinstance(chosen, Clock):
            raise no_clock(f"{cls.__name__}.restore", chosen)
        declaration_of(cls)
        parts = parts_for(cls, snapshot)
        self = blank(cls)
        with ExitStack() as undone:
            try:
                given = given_for(cls, parts, members, _made_again)
                scope = undone.enter_context(self._assembled(given, chosen))
            except Exception as error:
                explain_failure(cls, parts, error)
                raise
            fill(scope, parts, restart=invocations == "restart")
            for inner in reversed(list(scope.tree())):
                inner.orchestrator.__post_restore__()
        return self

    @classmethod
    def migration(cls, before: str, after: str, /) -> Callable[[_Migrate], _Migrate]:
        """
        Register a function that brings snapshots of this class from one version to another.

        It gets the parts of a snapshot as a dictionary, without what the old class declared, and returns those that fit
        the new class. Versions that lie apart are reached step by step. Subclasses inherit it.

        Args:
            before: A version that the class has had.
            after: The version that follows.
        """

        def register_migration(function: _Migrate) -> _Migrate:
            add_migration(cls, before, after, function)
            return function

        return register_migration

    @classmethod
    def codec(
        cls,
        kind: type[_T],
        /,
        *,
        encode: Callable[[_T], Any] | None = None,
        decode: Callable[[Any], _T] | None = None,
    ) -> None:
        """
        Say that objects of a class may occur in snapshots, in declared data, models and what events carry.

        Dataclasses, named tuples, enumerations, attrs classes, pydantic models and msgspec structs need no functions,
        and need not be announced where an annotation names them.

        Args:
            kind: The class; objects of classes derived from it are written by the same functions.
            encode: Returns what can be saved in its place, such as a text or a dictionary.
            decode: Makes the object of that.

        Raises:
            DefinitionError: Only one of the functions is passed.
        """
        add_custom(cls, kind, encode, decode)

    # -- the object ----------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        one = type(self).__declaration__.fields.get(name)
        if isinstance(one, MemberField | MachinesField):
            wrong = MemberAssignmentError if name in vars(self) else MemberNotMadeError
            raise wrong(type(self).__name__, name)
        if type(self).__declaration__.is_rule(name):
            raise RuleAssignmentError(type(self).__name__, name)
        system = vars(self).get("_system")
        if one is not None and system is not None:
            system.driver.changing_data(vars(self), name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        one = type(self).__declaration__.fields.get(name)
        if one is not None:
            wrong = MemberAssignmentError if isinstance(one, MemberField | MachinesField) else DataDeletionError
            raise wrong(type(self).__name__, name)
        if type(self).__declaration__.is_rule(name):
            raise RuleAssignmentError(type(self).__name__, name)
        super().__delattr__(name)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.configuration!r}>" if "_system" in vars(self) else f"<{type(self).__name__}>"
        )

    def __format__(self, kind: str) -> str:
        """
        Return a picture of the orchestrator, with its active states marked.

        Args:
            kind: ``"mermaid"``, ``"dot"`` or ``"md"``; empty for what ``str()`` gives.

        Raises:
            ValueError: There is no such picture.
        """
        if not kind:
            return str(self)
        return picture(type(self).__declaration__, kind, self.configuration, self._classes())

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Return what a notebook shows of the orchestrator."""
        declaration = type(self).__declaration__
        return mimebundle(
            repr(self), declaration, self.configuration, self._classes(), include=include, exclude=exclude
        )

    def _classes(self) -> dict[str, type[StateChart[Any]]]:
        return {address: type(member) for address, member in self.machines.items()}

    def __copy__(self) -> Self:
        """
        Return an independent whole that shares data, listeners and attributes, but no state.

        A copy of a part of another orchestrator is that part of a copy of the other.
        """
        if self.parent is not None:
            return self._part_in(copy.copy(self._system.root.orchestrator))
        other = blank(type(self))
        other.__setstate__(with_own_models(self._parts()))
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return an independent whole; what refers to a member refers to that of the copy."""
        if self.parent is not None:
            return self._part_in(copy.deepcopy(self._system.root.orchestrator, memo))
        parts = self._parts()
        other = blank(type(self))
        memo[id(self)] = other
        make_room(self, other, parts, memo)
        other.__setstate__(copy.deepcopy(parts, memo))
        return other

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Take the orchestrator apart for `pickle`; one that is a part of another is found in the other."""
        if self.parent is not None:
            return part_of, (self.parent, self._system.name, type(self))
        return blank, (type(self),), self._parts()

    def _part_in(self, whole: Any) -> Self:
        for name in self._system.path:
            whole = getattr(whole, name)
        return cast("Self", whole)

    def _parts(self) -> SystemRecord:
        """Describe the whole."""
        with self._system.driver.between_steps("copy it"):
            return describe_system(self)

    def __setstate__(self, record: SystemRecord) -> None:
        """Put the orchestrator together again; runs no callback."""
        rebuild_system(self, record, place)


def _made_again(owner: type[Orchestrator], parts: dict[str, Any], members: Mapping[str, Any]) -> Orchestrator:
    """Make a nested orchestrator for the system that is being restored."""
    self = blank(owner)
    with self._assembled(given_for(owner, parts, members, _made_again), _DEFAULT_CLOCK):
        return self
