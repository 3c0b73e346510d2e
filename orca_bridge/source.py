"""
What modules stand on that `orca-bridge export python` has written.

Such a module makes its states and rows with the calls that the converter uses, so that its machines behave like loaded
ones. Nothing here is needed to load a document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ._load import read_file
from .convert import OrcaChart
from .convert._guards import ORDERINGS, Guard, compile_else, truth, walk
from .convert._guards import equal as _equal
from .convert._guards import ordered as _ordered
from .convert._machine import Blueprint, Recipe
from .convert._tables import table_handlers
from .convert._weave import Weaver
from .definition import ContextField, Span
from .write import document_digest

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from statemachine import State

    from .definition import DecisionTable, MachineDefinition, TypeExpression

__all__ = ("Weaver", "equal", "field", "is_written_from", "order", "otherwise", "read", "truth", "written")

C = TypeVar("C", bound=OrcaChart)


def written(
    definition: MachineDefinition,
    *,
    states: Callable[[Weaver], Sequence[State]],
    events: Mapping[str, str],
    actions: tuple[str, ...] = (),
    tables: tuple[DecisionTable, ...] = (),
) -> Callable[[type[C]], type[C]]:
    """
    Make the class that a written module declares.

    Args:
        definition: The name, the context and the events of the machine; states and rows stand in the module.
        states: Makes the states and rows, and gives the states that are in no other.
        events: Every event, by the name in the document, to the attribute it has in the class.
        actions: The actions that the machine runs, in document order.
        tables: The decision tables of the document.

    Returns:
        A decorator. The decorated class declares names and types for editors; the one that is made has its name,
        its module and its docstring.
    """

    def make(shell: type[C]) -> type[C]:
        weaver = Weaver(shell.__name__, events)
        top = states(weaver)
        blueprint = Blueprint(
            Recipe(definition, None, "warn", (), tables),
            events,
            actions,
            "warn",
            {field.name: field for field in definition.context},
            frozenset(state.id for state in weaver.states.values()),
            table_handlers(tables),
        )
        made: Any = weaver.weave(top, blueprint)
        made.__module__, made.__qualname__, made.__doc__ = shell.__module__, shell.__qualname__, shell.__doc__
        found: type[C] = made
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


# -- guards -------------------------------------------------------------------------------------------------


def read(root: Any, *names: str) -> Any:
    """Read what stands at a path of the context or the payload; None where something on the way is missing."""
    return walk(root, names)


def equal(left: Any, right: Any) -> bool:
    """Compare two values as guards do: kinds do not mix, and nothing is raised."""
    return _equal(left, right)


def order(left: Any, operator: Literal["<", "<=", ">", ">="], right: Any) -> bool:
    """Compare two numbers, or texts that spell numbers; nothing else has an order."""
    return _ordered(ORDERINGS[operator], left, right)


def otherwise(*others: Guard | None) -> Guard:
    """Make the guard ``else`` from those of the other rows; None is a row without guard."""
    return compile_else(others)
