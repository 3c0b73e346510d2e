"""
Classes whose machines are cheap to make.

python-statemachine looks up every callback for every machine, makes an object for every state of it, and an engine
with all that any machine might need. Of a class that has members these are made when somebody looks at them: until
then a machine has only what tells it from others of its class, its model and its engine, which is one of ours from
the beginning. What its constructor leaves out is put into the class, nowhere else, and makes what a stock machine has.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from inspect import getattr_static
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from statemachine import State, StateChart
from statemachine.callbacks import CallbacksRegistry
from statemachine.configuration import Configuration
from statemachine.model import Model
from statemachine.state import InstanceState

from ._engines import AsyncMemberEngine, SyncMemberEngine
from ._kind import known_kind, names_of
from ._light import Later
from ._own_states import OwnState, OwnStates
from ._planned import SyncPlannedEngine
from ._planned_async import AsyncPlannedEngine

if TYPE_CHECKING:
    from ._host import Host
    from ._kind import Kind

__all__ = ("FAMILIAR", "Making", "is_prepared", "making", "prepare")


@dataclass(slots=True)
class Making:
    """A member that is being made in this context."""

    host: Host
    expected: tuple[type, ...]
    machines: list[StateChart[Any]] = field(default_factory=list)


making: ContextVar[Making | None] = ContextVar("making", default=None)
"""The member that is being made, if any."""

_prepared: WeakKeyDictionary[type, bool] = WeakKeyDictionary()
"""The classes that somebody wanted to be prepared, and whether that could be done."""
FAMILIAR: set[Any] = {StateChart._get_engine}
"""What may stand in the place of `StateChart._get_engine` without having a say in which engine a machine gets."""
_set = object.__setattr__


def is_prepared(machine_class: type) -> bool:
    """Whether the machines of a class are cheap to make."""
    return _prepared.get(machine_class, False)


def prepare(machine_class: type[StateChart[Any]]) -> bool:
    """
    Let machines of a class, not of its subclasses, be cheap to make from now on; whether they are.

    A class that has a say in how its machines are made makes them as before.
    """
    known = _prepared.get(machine_class)
    if known is not None:
        return known
    can_be = _prepared[machine_class] = _can_be_prepared(machine_class)
    if can_be:
        for state in machine_class.states_map.values():
            if state.id not in machine_class._events:
                found = getattr(machine_class, state.id, None)
                setattr(machine_class, state.id, OwnState(state) if found is None else OwnState(state, found))
        for name, part in _PARTS.items():
            if name != "__init__" or machine_class.__init__ in (StateChart.__init__, _init):
                setattr(machine_class, name, part)
    return can_be


def _can_be_prepared(machine_class: type[StateChart[Any]]) -> bool:
    if machine_class._abstract:
        return False
    if any(getattr(machine_class, name) not in (getattr(StateChart, name), _PARTS.get(name)) for name in _THEIRS):
        return False
    if any(getattr_static(machine_class, name, None) not in (None, _PARTS[name]) for name in _LATER):
        return False
    taken = _TAKEN.union(dir(StateChart))
    own = [state.id for state in machine_class.states_map.values() if state.id not in machine_class._events]
    return taken.isdisjoint(own) and all(
        isinstance(getattr_static(machine_class, name, None), State | OwnState | None) for name in own
    )


# -- what a prepared class has in place of python-statemachine's -------------------------------------------------


@wraps(StateChart.__init__)
def _init(
    self: Any,
    model: Any = None,
    state_field: str = "state",
    start_value: Any = None,
    listeners: list[object] | None = None,
    **kwargs: Any,
) -> None:
    kind = _kind_of(self) if model is None and not listeners and self._engine is None else None
    if kind is None or (type(self).__init__ is not _init and not _has_only_its_own(self)):
        StateChart.__init__(self, model, state_field, start_value, listeners, **kwargs)
        return
    _set(self, "model", Model())
    _set(self, "history_values", {})
    _set(self, "state_field", state_field)
    starts = [start_value] if start_value is not None else list(self.start_configuration_values)
    _set(self, "start_configuration_values", starts)
    _set(self, "_listeners", {})
    engine = _engine_for(self, kind)
    _set(self, "_engine", engine)
    engine.start(**kwargs)


_init.stands_for = StateChart.__init__  # type: ignore[attr-defined] # for who asks whether a constructor is stock


def _register_callbacks(self: Any, listeners: list[object]) -> None:
    plain = not listeners and not self._listeners and type(self.model) is Model
    if not plain or _kind_of(self) is None or not _has_only_its_own(self):
        StateChart._register_callbacks(self, listeners)
        return
    own = vars(self)
    del own["_callbacks"]
    if own["_config"]._instance_states.is_untouched:
        del own["_config"]


def _build_configuration(self: Any) -> Configuration:
    if not is_prepared(type(self)):
        return StateChart._build_configuration(self)
    return Configuration(OwnStates(self), self.model, self.state_field, self.states_map)


def _get_engine(self: Any) -> Any:
    if not is_prepared(type(self)):
        return StateChart._get_engine(self)
    return _engine_for(self, None if "_callbacks" in vars(self) else _kind_of(self))


def _getstate(self: Any) -> dict[str, Any]:
    own = {name: value for name, value in vars(self).items() if not isinstance(value, InstanceState)}
    for name in ("_callbacks", "_config", "_engine"):
        own.pop(name, None)
    return own


def _make_registry(self: Any) -> CallbacksRegistry:
    kind = getattr(self._engine, "kind", None)
    if kind is not None:
        found: CallbacksRegistry = kind.registry_for(self)
        return found
    found = vars(self)["_callbacks"] = CallbacksRegistry()
    StateChart._register_callbacks(self, [])
    return found


def _kind_of(machine: StateChart[Any]) -> Kind | None:
    kind = known_kind(type(machine)) if is_prepared(type(machine)) else None
    return kind if kind is not None and kind.programs is not None else None


def _has_only_its_own(machine: StateChart[Any]) -> bool:
    """Whether a machine that is being made has nothing that python-statemachine would take for a callback."""
    return names_of(type(machine)).isdisjoint(vars(machine))


def _engine_for(machine: StateChart[Any], kind: Kind | None) -> Any:
    if StateChart._get_engine not in FAMILIAR:
        return StateChart._get_engine(machine)
    is_async = machine._callbacks.has_async_callbacks if kind is None else kind.is_async
    being_made = making.get()
    if being_made is None or not isinstance(machine, being_made.expected):
        return (AsyncPlannedEngine if is_async else SyncPlannedEngine)(machine, kind)
    engine = (AsyncMemberEngine if is_async else SyncMemberEngine)(machine, kind)
    engine.belong_to(being_made.host)
    being_made.machines.append(machine)
    return engine


_PARTS: dict[str, Any] = {
    "__init__": _init,
    "__getstate__": _getstate,
    "_build_configuration": _build_configuration,
    "_callbacks": Later(_make_registry, "_callbacks"),
    "_config": Later(lambda machine: machine._build_configuration(), "_config"),
    "_engine": None,
    "_get_engine": _get_engine,
    "_register_callbacks": _register_callbacks,
}
_THEIRS = (
    "__getattribute__",
    "__getstate__",
    "__new__",
    "__setattr__",
    "_add_listener",
    "_build_configuration",
    "_get_engine",
    "_register_callbacks",
    "_resolve_class_listeners",
)
"""What has to be python-statemachine's own."""
_LATER = ("_callbacks", "_config", "_engine")
"""What python-statemachine has in machines, and not in their class."""
_TAKEN = frozenset({"model", "history_values", "state_field", "start_configuration_values"})
