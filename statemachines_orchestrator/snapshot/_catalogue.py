"""The classes that one orchestrator class knows, from all the places in which it names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from statemachine.model import Model

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.exceptions import DefinitionError

from ._classes import Classes, Custom, hints_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from statemachine import StateChart

__all__ = ("add_custom", "classes_of", "has_own_model")

_customs: WeakKeyDictionary[type, dict[type, Custom]] = WeakKeyDictionary()
"""By orchestrator class: what was announced there, without what it inherits."""
_known: WeakKeyDictionary[type, dict[tuple[type, ...], Classes]] = WeakKeyDictionary()
"""By orchestrator class, and the classes of machines and models in it."""


def add_custom(
    owner: type, cls: type, encode: Callable[[Any], Any] | None, decode: Callable[[Any], Any] | None
) -> None:
    """
    Announce a class whose objects may occur in snapshots of an orchestrator class and of those derived from it.

    Raises:
        DefinitionError: What was passed is no class, or only one of the two functions was.
    """
    where = f"{owner.__name__}.codec()"
    given: object = cls
    if not isinstance(given, type):
        raise DefinitionError(where, f"{cls!r} is no class", f"Write {owner.__name__}.codec(Money)")
    if (encode is None) != (decode is None):
        missing = "encode" if encode is None else "decode"
        raise DefinitionError(where, f"{missing}= is missing", "Pass both functions, or none for a record")
    _customs.setdefault(owner, {})[cls] = Custom(cls, encode, decode)
    _known.clear()


def has_own_model(machine: StateChart[Any]) -> bool:
    """Whether the state of a machine is kept in an object of the user's."""
    return type(machine.model) is not Model


def classes_of(owner: Any, machines: Iterable[StateChart[Any]]) -> Classes:
    """
    Return the classes that an orchestrator class knows.

    Args:
        owner: The orchestrator class.
        machines: Its members, those of collections included.
    """
    present: dict[type, None] = {}
    for machine in machines:
        present[type(machine)] = None
        if has_own_model(machine):
            present[type(machine.model)] = None
    key = tuple(present)
    found = _known.setdefault(owner, {})
    if key not in found:
        found[key] = Classes(owner.__name__, _hints(owner, key), _customs_of(owner))
    return found[key]


def _customs_of(owner: type) -> dict[type, Custom]:
    found: dict[type, Custom] = {}
    for base in reversed(owner.__mro__):
        found.update(_customs.get(base, {}))
    return found


def _hints(owner: Any, present: Iterable[type]) -> Iterator[tuple[Any, str]]:
    for field in owner.__declaration__.data:
        yield field.hint, field.module
        yield type(field.default), field.module
        yield field.default_factory if isinstance(field.default_factory, type) else None, field.module
    for cls in present:
        if not hasattr(cls, "_class_listeners"):
            yield cls, cls.__module__  # a model
            continue
        for callback in read_chart(cls).callbacks:
            yield from hints_of(callback.function)
