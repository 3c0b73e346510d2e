"""Making the class that a written module declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from orca_bridge._load import read_file
from orca_bridge.convert import OrcaChart
from orca_bridge.convert._machine import Blueprint, Recipe
from orca_bridge.convert._tables import table_handlers
from orca_bridge.convert._weave import Weaver
from orca_bridge.definition import ContextField, Span
from orca_bridge.write import document_digest

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from statemachine import State

    from orca_bridge.definition import DecisionTable, MachineDefinition, TypeExpression

__all__ = ("Weaver", "field", "is_written_from", "written")

_C = TypeVar("_C", bound=OrcaChart)


def written(
    definition: MachineDefinition,
    *,
    states: Callable[[Weaver], Sequence[State]],
    events: Mapping[str, str],
    actions: tuple[str, ...] = (),
    effects: Mapping[str, tuple[str, ...]] | None = None,
    tables: tuple[DecisionTable, ...] = (),
    invoked: Callable[[], Sequence[type[OrcaChart]]] = tuple,
) -> Callable[[type[_C]], type[_C]]:
    """
    Make the class that a written module declares.

    Args:
        definition: The name, the context and the events of the machine; states and rows stand in the module.
        states: Makes the states and rows, and gives the states that are in no other.
        events: Every event, by the name in the document, to the attribute it has in the class.
        actions: The actions that the machine runs, in document order.
        effects: The types of the effects of those that have some.
        tables: The decision tables of the document.
        invoked: Gives the classes of the machines that may run below this one, which the module may declare later.

    Returns:
        A decorator. The decorated class declares names and types for editors; the one that is made has its name,
        its module and its docstring.
    """

    def make(shell: type[_C]) -> type[_C]:
        weaver = Weaver(shell.__name__, events)
        top = states(weaver)
        blueprint = Blueprint(
            Recipe(definition, None, "warn", (), tables),
            events,
            {name: (effects or {}).get(name, ()) for name in actions},
            "warn",
            {field.name: field for field in definition.context},
            frozenset(state.id for state in weaver.states.values()),
            table_handlers(tables),
            lambda: {one.definition.name: one for one in invoked()},
        )
        made: Any = weaver.weave(top, blueprint)
        made.__module__, made.__qualname__, made.__doc__ = shell.__module__, shell.__qualname__, shell.__doc__
        found: type[_C] = made
        return found

    return make


def is_written_from(path: str | os.PathLike[str], digest: str) -> bool:
    """
    Tell whether a document is still the one that a module was written from.

    Raises:
        DocumentFileError: The path is no document.
    """
    content, _ = read_file(path)
    return document_digest(content.decode("utf-8-sig", "replace")) == digest


def field(name: str, kind: TypeExpression, default: object = None, /) -> ContextField:
    """Declare a field of the context, with the value it starts with."""
    return ContextField(name, kind, default, Span(1, 1, 1))
