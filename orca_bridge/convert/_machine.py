"""The class that every machine made from a document inherits from."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from statemachine import StateChart
from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.base import _running_engine
from statemachine.event import BoundEvent
from statemachine.exceptions import StateMachineError, TransitionNotAllowed

from orca_bridge.exceptions import MissingActionError
from statemachines_orchestrator.engine import engine_of, host_of, keep_planned

from ._actions import Given
from ._children import children_of
from ._context import Typing, start_context
from ._context_values import copied, put_back, values_of
from ._effects import effect_names
from ._events import OrcaEvent, begin, keep
from ._handlers import resolve_handlers
from ._names import SYSTEM_PREFIXES, identifier, is_ordinary
from ._payload import read_payload, take_payload
from ._regions import after_event, find_predicates, handler_name, is_kept_back
from ._run import RunState, raise_failure, watch_macrosteps
from ._system import at_home, begin_alone, home_of, is_importable
from ._timeouts import begin_again

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from statemachine.engines.sync import SyncEngine
    from statemachine.event_data import TriggerData

    from orca_bridge.definition import ContextField, DecisionTable, MachineDefinition
    from orca_bridge.syntax import Diagnostic
    from statemachines_orchestrator.system import Clock

    from ._actions import Source
    from ._handlers import Handler
    from ._invoke import Invocation
    from ._regions import Parallel
    from ._siblings import Sibling
    from ._system import OrcaSystem

__all__ = ("RESERVED", "Blueprint", "OrcaChart", "Queued", "Recipe")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a class was made from, and is made from again when an instance is unpickled elsewhere."""

    definition: MachineDefinition
    actions: Source | None
    typing: Typing
    warnings: tuple[Diagnostic, ...]
    tables: tuple[DecisionTable, ...] = ()
    siblings: tuple[Sibling, ...] = ()
    """The machines of the same document that may run below this one."""
    contexts: tuple[tuple[str, type], ...] = ()
    """Classes for the contexts of this machine and of those, by the names of the machines."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a generated class knows beside its states and events."""

    recipe: Recipe
    event_ids: Mapping[str, str]
    """Every event of the document, system events too, to the id it has in the class."""
    actions: Mapping[str, tuple[str, ...]]
    """All actions that the machine runs, in document order, with the types of the effects of each."""
    typing: Typing
    fields: Mapping[str, ContextField]
    """The declared context, by field name."""
    state_ids: frozenset[str]
    tables: Mapping[str, Callable[..., Any]]
    """Handlers that are decision tables, by the names of actions that may be called so."""
    invoked: Callable[[], Mapping[str, type[OrcaChart]]] = dict
    """Makes the classes of the machines that may run below this one, by name."""
    context_class: type | None = None
    """What keeps the context, if it is no dict."""


class Queued:
    """What an action gets that sends to its own asynchronous machine; awaiting it gives None at once."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield  # makes this a generator function


class OrcaChart(StateChart[Any]):
    """
    A state machine that an Orca document describes.

    Classes made by `load` and its siblings are subclasses of this one. Their states are attributes by name
    (nested ones by path, with ``_`` for the dot), their events are methods by name. Where a name is taken (by
    the library, by Python, or for a state by an event) the attribute is ``state_NAME`` or ``event_NAME``;
    `send` takes every event as the document writes it.

    An event that nothing takes raises `TransitionNotAllowed`. (Rules: semantics.md sections 2, 4 and 8.)

    Args:
        model: As in python-statemachine: where the state is kept.
        state_field: As in python-statemachine: the attribute of the model.
        start_value: As in python-statemachine: start in this state (its full path).
        listeners: As in python-statemachine.
        context: Values to start with; they override the declared defaults, other keys are kept too. Or an object of a
            dataclass or a pydantic model, which holds them all; the machine has a copy of it.
        actions: Handlers for this instance, by name or as methods of an object; they come first.
        effect_timeout: How many seconds an effect may take whose handler is asynchronous; longer is a failure. Without
            one it may take any time.
        clock: What the timers of a machine that is used alone go by; the machine's own clock by default. In an
            orchestrator they go by its clock.
        **kwargs: Handed by name to what runs on the initial entry.

    Raises:
        MissingActionError: Actions of the document have no handler, nor have their effects.
        ContextTypeError: With ``typing="strict"``, a start value is not of its declared type.
        ContextFieldsError: The class of the object that was given as context does not fit the document.
    """

    allow_event_without_transition = False
    # Errors of actions are caught one by one (`_run`); what else fails in a callback is a bug and is raised.
    catch_errors_as_events = False
    # The verifier reports these with a place in the document; the library would refuse the class.
    validate_disconnected_states = False
    validate_trap_states = False
    validate_final_reachability = False

    definition: ClassVar[MachineDefinition]
    """What the document says."""
    warnings: ClassVar[tuple[Diagnostic, ...]]
    """What the reader warned about. Not Python warnings: a lint does not break a strict test suite."""

    context: Any
    """The live values, which guards read and actions change: a dict, or an object of a class of yours."""

    _blueprint: ClassVar[Blueprint]
    _own_handlers: ClassVar[Mapping[str, Any]]
    _invokes: ClassVar[Mapping[str, Invocation]] = {}
    """What states invoke, by their paths, in document order."""
    _timeouts: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    """The delays of the timers of states in milliseconds, by their paths."""
    _has_regions: ClassVar[bool] = False
    _needs_home: ClassVar[bool] = False
    """Whether a machine that is used alone needs an orchestrator of its own, for timers or what it invokes."""
    _has_to_rest: ClassVar[bool] = False
    """Whether something may be due at the end of every macrostep."""
    _parallels: ClassVar[tuple[Parallel, ...]] = ()
    """Parallel states that are not done just when all of their regions are."""
    _watched: ClassVar[Mapping[str, Parallel]] = {}
    """What the library's events say about them, by the ids of the events."""
    _paths: ClassVar[Mapping[str, str]]
    """States and regions by their ids."""
    _order: ClassVar[Mapping[str, int]]
    """The place of each state in the document, by path."""

    if TYPE_CHECKING:
        # The states and events of a document are unknown to type checkers.
        def __getattr__(self, name: str) -> Any: ...

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if hasattr(cls, "_blueprint") and "_own_handlers" not in vars(cls):
            # Now, since the library is about to put events over methods of the same name.
            cls._own_handlers = _methods(cls)

    def __init__(
        self,
        model: Any = None,
        state_field: str = "state",
        start_value: Any = None,
        listeners: list[object] | None = None,
        *,
        context: Any = None,
        actions: Source | None = None,
        clock: Clock | None = None,
        effect_timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        self._orca = RunState()
        self._given_actions = Given(actions)
        self._given_clock = clock
        self._effect_timeout = effect_timeout
        if hasattr(type(self), "_blueprint"):
            self.context = start_context(self, context)
        super().__init__(model, state_field, start_value, listeners, **kwargs)
        if self.is_terminated:
            raise_failure(self)
        if self._needs_home:
            at_home(self, None)

    def activate_initial_state(self) -> Any:
        """Enter the initial state of an asynchronous machine; to be awaited."""
        result = super().activate_initial_state()
        return at_home(self, result) if self._needs_home else result

    @property
    def children(self) -> Mapping[str, OrcaChart]:
        """The machines that run for states of this one now, by the path of the state that invokes each."""
        return children_of(self)

    @property
    def effect_errors(self) -> tuple[Mapping[str, str], ...]:
        """The effects that have failed since the last event: ``effect``, ``action`` and ``error`` of each."""
        return tuple(failure.shown() for failure in self._orca.effect_failures)

    # -- events -----------------------------------------------------------------------------------------

    __orchestrator_event__ = OrcaEvent

    def send(
        self,
        event: str,
        *args: Any,
        delay: float | None = None,
        send_id: str | None = None,
        internal: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """
        Send an event by the name that the document gives it.

        Args:
            event: The name, as written, or an event of the class.
            *args: Nothing, or the payload as one mapping.
            delay: As in python-statemachine, in milliseconds.
            send_id: As in python-statemachine.
            internal: As in python-statemachine.
            **kwargs: The payload, or the rest of it.

        Raises:
            TransitionNotAllowed: Nothing takes the event, or no document can declare one of that name.
            TypeError: What was sent with it is no payload.
        """
        bound = self._orca.sent.get(event)
        if bound is not None and delay is None and send_id is None and internal is None:
            return bound(*args, **kwargs)
        known = self._blueprint.event_ids.get(event) or (event if event in type(self)._events else None)
        if known is not None and known != "*":
            keep(self, event, known)
            return super().send(known, *args, delay=delay, send_id=send_id, internal=internal, **kwargs)
        unknown = BoundEvent(id=event, name=event, delay=delay or 0, internal=bool(internal), _sm=self)
        if not is_ordinary(event) and not event.startswith(SYSTEM_PREFIXES):
            # The library matches dotted names by prefix and gives some underscored ones a meaning.
            raise TransitionNotAllowed(unknown, self.configuration)
        return unknown(*args, send_id=send_id, **kwargs)

    def enabled_events(self, *args: Any, **kwargs: Any) -> Any:
        """List the events that would be taken now, were they sent with this payload."""
        trigger = SimpleNamespace(orca_payload=read_payload("enabled_events", args, kwargs))
        kwargs.setdefault("event_data", SimpleNamespace(trigger_data=trigger))
        return super().enabled_events(**kwargs)

    def _put_nonblocking(self, trigger_data: TriggerData, internal: bool = False) -> None:
        take_payload(trigger_data)
        if self._watched and is_kept_back(self, trigger_data):
            return
        begin(self)
        super()._put_nonblocking(trigger_data, internal=internal)
        done = after_event(self, trigger_data) if self._watched else None
        if done is not None:
            self._queue(done, internal=True)

    def _queue(self, trigger_data: TriggerData, *, internal: bool) -> None:
        """Queue an event that the machine has found to have happened itself."""
        take_payload(trigger_data)
        super()._put_nonblocking(trigger_data, internal=internal)

    def _processing_loop(self, caller_future: Any = None) -> Any:
        engine: Any = self._engine
        is_own = self._orca.asynchronous and host_of(self) is None
        if is_own and engine._processing.locked() and _running_engine.get() is engine:
            # Sent from an action: it runs after this macrostep. An action need not be a coroutine function to
            # send, and the library's own answer, a coroutine, would warn when nobody awaits it.
            return Queued()
        result = super()._processing_loop(caller_future)
        return at_home(self, result) if self._needs_home else result

    # -- what the library asks --------------------------------------------------------------------------

    def _register_callbacks(self, listeners: list[object]) -> None:
        blueprint = self._blueprint
        own = {name: method.__get__(self, type(self)) for name, method in self._own_handlers.items()}
        sources = (self._given_actions.source, blueprint.recipe.actions)
        self._orca.handlers = resolve_handlers(self.definition.name, blueprint.actions, sources, own, blueprint.tables)
        if self._parallels:
            given = [source for source in sources if source is not None]
            self._orca.predicates = find_predicates(self, [*given, own])
        # An action may be called like a hook (`on_enter_paid`); it is an action then, and no hook as well.
        self._protected_attrs = type(self)._protected_attrs | set(own)
        super()._register_callbacks(listeners)
        is_patient = getattr(self._given_actions.source, "orca_asynchronous", False)
        if is_patient or any(handler.asynchronous for handler in self._orca.handlers.values()):
            self._callbacks.has_async_callbacks = True

    def _get_engine(self) -> SyncEngine | AsyncEngine:
        engine: SyncEngine | AsyncEngine = super()._get_engine()  # type: ignore[no-untyped-call]
        keep_planned(engine)
        if self._has_to_rest:
            watch_macrosteps(self, engine._invoke_manager)
        # A finished machine that is restored or copied is still finished.
        engine.running = not {state.value for state in self.final_states} & set(self.configuration_values)
        self._orca.asynchronous = isinstance(engine, AsyncEngine)
        return engine

    def __setattr__(self, name: str, value: Any) -> None:
        # The library refuses what equals a state's *value*. Values are document names here, and a state called
        # `model` would make the machine's own attribute impossible.
        if hasattr(type(self), "_blueprint") and name in self._blueprint.state_ids:
            raise StateMachineError(f"{name!r} is a state of {self.definition.name!r} and cannot be assigned")
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        active = ", ".join(str(state.value) for state in self.configuration if state.is_atomic)
        return f"<{type(self).__name__} in {active or 'no state yet'}>"

    # -- copies and steps -------------------------------------------------------------------------------

    def __orchestrator_is_ended__(self) -> bool:
        """Whether the machine has ended: in a final state at the top, and not in a parallel one that is done."""
        active = self.configuration_values
        return any(state.value in active for state in self.final_states)

    def __orchestrator_leaves__(self, delayed: Sequence[tuple[TriggerData, float]]) -> None:
        """Let timers that an orchestrator gives back go on by the machine's own clock; nobody has to wait for them."""
        begin_alone(self, delayed)

    def __orchestrator_save__(self) -> object:
        """Keep the context before an orchestrator's step changes it; what cannot be copied is kept as it is."""
        return copied(values_of(self.context))

    def __orchestrator_restore__(self, saved: object) -> None:
        """Put the context back, in the same object, after an orchestrator's step has failed."""
        before = self.context
        after = put_back(before, cast("Mapping[str, Any]", saved))
        if after is not before:
            self.context = after
        self._orca.forget()

    @classmethod
    def __orchestrator_is_async__(cls, *, actions: Source | None = None, **_others: Any) -> bool:
        """Whether a machine of this class that is made with these arguments will be asynchronous."""
        try:
            return any(one.asynchronous for one in cls._handlers(actions).values())
        except MissingActionError:
            return False  # said when a machine is made

    @classmethod
    def _handlers(cls, given: Source | None) -> dict[str, Handler]:
        """Find the handlers that a machine would have."""
        blueprint = cls._blueprint
        own = {name: method.__get__(None, cls) for name, method in cls._own_handlers.items()}
        sources = (given, blueprint.recipe.actions)
        return resolve_handlers(cls.definition.name, blueprint.actions, sources, own, blueprint.tables)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[no-untyped-call]
        return {name: value for name, value in state.items() if name not in ("_orca", "_protected_attrs")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._orca = RunState()
        super().__setstate__(dict(state))

    def __copy__(self) -> OrcaChart:
        home = home_of(self)
        if home is not None:
            return _in_copy(copy(home), self)
        twin: OrcaChart = type(self).__new__(type(self))
        twin.__setstate__(self.__getstate__())
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> OrcaChart:
        home = home_of(self)
        if home is not None:
            return _in_copy(deepcopy(home, memo), self)
        twin: OrcaChart = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__setstate__(deepcopy(self.__getstate__(), memo))
        return twin

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        cls = type(self)
        if vars(cls).get("_blueprint") is None or is_importable(cls):
            return super().__reduce_ex__(protocol)
        from ._build import blank_machine  # noqa: PLC0415 - it builds subclasses of this class

        return blank_machine, (cls._blueprint.recipe,), self.__getstate__()


RESERVED = (
    frozenset(dir(OrcaChart))
    | frozenset(dir(type(OrcaChart)))
    | {
        "context",
        "definition",
        "final_states",
        "history_values",
        "id",
        "initial_state",
        "listeners",
        "listeners_inherit",
        "model",
        "name",
        "prepare_event",
        "start_value",
        "state_field",
        "warnings",
    }
)
"""Attributes that no state and no event may take: the library's, its metaclass's, and ours."""


def _in_copy(home: OrcaSystem, machine: OrcaChart) -> OrcaChart:
    """Find the copy of a machine in the copy of its own orchestrator, and let its timers begin."""
    twin: OrcaChart = getattr(home, engine_of(machine).member)
    begin_again(twin)
    return twin


def _methods(cls: type[OrcaChart]) -> dict[str, Callable[..., Any]]:
    """
    Collect the handlers of actions and effects among the methods of a class, the nearest class first.

    A method is the handler of the action of its name, unless the name belongs to the library: a `send`
    that someone overrides is no action.
    """
    predicates = [handler_name(parallel.path) for parallel in cls._parallels]
    actions = cls._blueprint.actions
    types = dict.fromkeys(kind for kinds in actions.values() for kind in kinds)
    effects = [name for kind in types for name in effect_names(kind, actions)]
    wanted = {identifier(name) for name in (*actions, *predicates, *effects)} - RESERVED
    found: dict[str, Callable[..., Any]] = {}
    for base in reversed(cls.__mro__):
        if "_own_handlers" in vars(base):
            found.update(vars(base)["_own_handlers"])
        elif base not in OrcaChart.__mro__:
            found.update({name: vars(base)[name] for name in wanted & vars(base).keys()})
    return {name: method for name, method in found.items() if hasattr(method, "__get__")}
