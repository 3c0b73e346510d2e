"""From the version of a snapshot to that of the class, one registered function after the other."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from statemachines_orchestrator.exceptions import DefinitionError, MigrationError

from ._shape import wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Migration: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

__all__ = ("add_migration", "migrated")

_registered: WeakKeyDictionary[type, dict[tuple[str, str], Migration]] = WeakKeyDictionary()
"""By orchestrator class: the steps that were registered there, without what it inherits."""
_IDENTITY = ("fingerprint", "definition")
"""Entries that say what the old class declared: a migration is not asked to rewrite them."""


def add_migration(owner: type, before: str, after: str, migration: Migration) -> None:
    """
    Register the step from one version to another, for an orchestrator class and those derived from it.

    Raises:
        DefinitionError: The versions are no texts, or the same, or the step exists already.
    """
    where = f"{owner.__name__}.migration({before!r}, {after!r})"
    if not isinstance(before, str) or not isinstance(after, str) or before == after:
        raise DefinitionError(where, "a migration leads from one version to another", 'Write @Shop.migration("1", "2")')
    steps = _registered.setdefault(owner, {})
    if (before, after) in steps:
        raise DefinitionError(where, "there is one already", "Leave one of them out")
    steps[before, after] = migration


def migrated(owner: Any, node: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    """
    Bring a part of a snapshot to the version of its class.

    Args:
        owner: The orchestrator class.
        node: The part, which is left as it is.
        shape: The shape of such a part.

    Raises:
        MigrationError: There is no way, or a step of it failed.
    """
    parts = {name: part for name, part in copy.deepcopy(node).items() if name not in _IDENTITY}
    shape = {name: part for name, part in shape.items() if name not in _IDENTITY}
    for versions, migration in _way(owner, node["version"], owner.__declaration__.keywords.version):
        parts = _step(_what(owner, *versions), migration, parts, shape)
        parts["version"] = versions[1]
    return parts


def _way(owner: type, start: str, end: str) -> list[tuple[tuple[str, str], Migration]]:
    """Find the shortest way between two versions."""
    steps: dict[tuple[str, str], Migration] = {}
    for base in reversed(owner.__mro__):
        steps.update(_registered.get(base, {}))
    ways: dict[str, list[tuple[str, str]]] = {start: []}
    reached = [start]
    for version in reached:
        for before, after in steps:
            if before == version and after not in ways:
                ways[after] = [*ways[version], (before, after)]
                reached.append(after)
    if end not in ways:
        raise MigrationError(_what(owner, start, end), [_missing(owner, reached[-1], end, steps)])
    return [(step, steps[step]) for step in ways[end]]


def _missing(owner: type, reached: str, end: str, steps: Mapping[tuple[str, str], Migration]) -> str:
    known = ", ".join(f"{before!r} to {after!r}" for before, after in steps) or "none"
    return (
        f"there is no migration from {reached!r} to {end!r}. "
        f"Register one with @{owner.__name__}.migration({reached!r}, {end!r}); so far there is {known}"
    )


def _step(what: str, migration: Migration, parts: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    name = getattr(migration, "__name__", repr(migration))
    try:
        result: Any = migration(parts)
    except Exception as error:
        raise MigrationError(what, [f"{name} failed with {error!r}"]) from error
    if not isinstance(result, dict):
        problem = f"{name} returned {result!r}: let it return the dictionary that it got, changed, or another one"
        raise MigrationError(what, [problem])
    problems = [f"what {name} returned does not have the form of a snapshot: {one}" for one in wrong(result, shape, "")]
    if problems:
        raise MigrationError(what, problems)
    return result


def _what(owner: type, before: str, after: str) -> str:
    return f"a snapshot of {owner.__name__} cannot be brought from version {before!r} to {after!r}"
