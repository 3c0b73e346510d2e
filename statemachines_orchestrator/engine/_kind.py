"""
What the machines of a class have in common.

python-statemachine looks up the callbacks of every machine anew. A machine without a model of the user's, without
listeners and without hooks of its own has those of its class: they are read off the first such machine, programs are
made of them once, and whoever asks a later machine for its callbacks gets them made from what was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any
from weakref import ref

from statemachine import StateChart
from statemachine.callbacks import CallbackWrapper
from statemachine.dispatcher import attr_method, callable_method
from statemachine.model import Model

from statemachines_orchestrator.charts import read_chart

from ._binding import read_callback
from ._programs import FLAGS, Programs
from ._registry import WatchedRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from statemachine.callbacks import CallbackSpec

    from ._binding import Source

__all__ = ("Kind", "known_kind", "learn", "names_of", "programs_of")

_ATTRIBUTE = "__orchestrator_kind__"
"""Where a class keeps its kind: with the class, so that both are forgotten together."""
_ABSENT = object()


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A callback in the registry of a machine."""

    spec: CallbackSpec
    key: str
    """By what the registry tells it from others, without the machine."""
    is_of_machine: bool
    """Whether the machine belongs to that."""
    source: Source
    callback: Callable[..., Any]
    """What is called, where that is the same for all machines."""

    def of(self, machine: StateChart[Any]) -> CallbackWrapper:
        """Return it for another machine."""
        key = f"{self.key}@{id(machine)}" if self.is_of_machine else self.key
        source, callback = self.source, self.callback
        if source.kind == "method":
            callback = callable_method(MethodType(source.function, machine))
        elif source.kind == "attribute":
            callback = attr_method(callback.__name__, machine)
        return CallbackWrapper(callback, source.is_for, self.spec, key)


class Kind:
    """The machines of one class that have no callbacks but those of their class."""

    def __init__(self, machine: StateChart[Any], programs: Programs) -> None:
        kind, registry = type(machine), machine._callbacks
        self.programs: Programs | None = programs if programs.is_shared else None
        """What they do; None if its callbacks hold on to one machine, so that each needs its own."""
        self.is_async: bool = registry.has_async_callbacks
        self._flags = _flags_of(kind)
        self._names = names_of(kind)
        self._entries: dict[str, tuple[_Entry, ...]] = {}
        if programs.is_shared:
            callbacks = registry._registry.items()
            self._entries = {key: tuple(_entry(one, machine) for one in executor) for key, executor in callbacks}
        setattr(kind, _ATTRIBUTE, self)
        self._bodies = [(ref(base), dict(vars(base))) for base in _bases(kind)]

    def goes_for(self, machine: StateChart[Any]) -> bool:
        """Whether a machine goes by the rules of its class; it may have been told others after it was made."""
        return _flags_of(machine) == self._flags

    @property
    def is_current(self) -> bool:
        """Whether the class is what it was: a test may have put another callback in the place of one."""
        for number, (base, before) in enumerate(self._bodies):
            body = vars(base())
            if not _is_same(body, before):
                names = {name for name in (*body, *before) if body.get(name, _ABSENT) is not before.get(name, _ABSENT)}
                if not self._names.isdisjoint(names) or any(hasattr(StateChart, name) for name in names):
                    return False
                self._bodies[number] = (base, dict(body))
        return True

    def registry_for(self, machine: StateChart[Any]) -> WatchedRegistry:
        """Return the registry of a machine that was made without one."""
        made: Any = WatchedRegistry()
        made.has_async_callbacks = self.is_async
        made._engine = ref(machine._engine)
        for key, entries in self._entries.items():
            executor = made._registry[key]
            for entry in entries:
                wrapper = entry.of(machine)
                executor.items.append(wrapper)
                executor.items_already_seen.add(wrapper.unique_key)
        found: WatchedRegistry = made
        return found


def names_of(machine_class: type[StateChart[Any]]) -> frozenset[str]:
    """Return every attribute by which a machine could have callbacks or rules of its own."""
    return read_chart(machine_class).hooks.union(FLAGS)


def _flags_of(holder: Any) -> tuple[bool, bool, bool]:
    return holder.atomic_configuration_update, holder.catch_errors_as_events, holder.enable_self_transition_entries


def _entry(wrapper: CallbackWrapper, machine: StateChart[Any]) -> _Entry:
    name, at, of = wrapper.unique_key.rpartition("@")
    is_of_machine = bool(at) and of == str(id(machine))
    key = name if is_of_machine else wrapper.unique_key
    return _Entry(wrapper.meta, key, is_of_machine, read_callback(wrapper, machine), wrapper._callback)


def _bases(kind: type) -> Iterator[type]:
    """Yield the classes that may define callbacks."""
    yield from (base for base in kind.__mro__ if base not in StateChart.__mro__)


def _is_same(body: Mapping[str, Any], before: dict[str, Any]) -> bool:
    try:
        return bool(body == before)
    except Exception:  # noqa: BLE001 - of any object that somebody keeps in a class, when it is compared
        return False


def known_kind(machine_class: type) -> Kind | None:
    """Return what is known of the machines of a class, if that still holds."""
    found: Kind | None = machine_class.__dict__.get(_ATTRIBUTE)
    return found if found is not None and found.is_current else None


def programs_of(machine: StateChart[Any]) -> Programs:
    """Return what a machine does: what all of its class do, unless it has callbacks of its own."""
    if not _is_plain(machine):
        return Programs(machine)
    kind = known_kind(type(machine))
    if kind is not None:
        return kind.programs or Programs(machine)
    programs = Programs(machine)
    Kind(machine, programs)
    return programs


def learn(machine: StateChart[Any]) -> None:
    """Get to know a class by one of its machines, if it has no callbacks of its own."""
    if known_kind(type(machine)) is None and _is_plain(machine):
        Kind(machine, Programs(machine))


def _is_plain(machine: StateChart[Any]) -> bool:
    if type(machine.model) is not Model or machine._listeners:
        return False
    names = names_of(type(machine))
    return names.isdisjoint(vars(machine)) and names.isdisjoint(vars(machine.model))
