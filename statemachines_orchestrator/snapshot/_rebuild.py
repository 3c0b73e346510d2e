"""What it takes to make an orchestrator again: arguments for its constructor, in the version of each class."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine import StateChart

from statemachines_orchestrator.declare import DataField, MachinesField, MemberField, SystemField, bind
from statemachines_orchestrator.exceptions import ArgumentsError, ConstructionError, SnapshotMismatchError

from ._classes import named
from ._definition import described, differences
from ._fill import refuse_another
from ._layout import SYSTEM, WHOLE
from ._migrations import migrated
from ._snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ("explain_failure", "given_for", "parts_for")

Written = dict[str, Any]


def parts_for(owner: Any, snapshot: Snapshot | str | bytes) -> Written:
    """
    Return the parts of a snapshot, in the present version of the class and of those inside it.

    Raises:
        SnapshotFormatError: A text that is no snapshot.
        SnapshotMismatchError: A snapshot of another class.
        MigrationError: There is no way to the present version, or it failed.
        TypeError: What was passed is neither a snapshot nor a text.
    """
    given: object = snapshot
    if isinstance(given, str | bytes):
        given = Snapshot.from_json(given)
    if not isinstance(given, Snapshot):
        msg = f"{owner.__name__}.restore() takes a Snapshot or its text, not {given!r}"
        raise TypeError(msg)
    if given.class_name != owner.__name__:
        what = f"{owner.__name__} cannot go on from this snapshot"
        raise SnapshotMismatchError(what, [f"it is one of {given.class_name}: write {given.class_name}.restore(...)"])
    return _present(owner, given.parts, WHOLE)


def _present(owner: Any, node: Written, shape: Written) -> Written:
    if node["version"] != owner.__declaration__.keywords.version:
        node = migrated(owner, node, shape)
    for field in owner.__declaration__.systems:
        inner = node["systems"].get(field.name)
        if inner is not None and system_class(field) is not None:
            node["systems"][field.name] = _present(system_class(field), inner, SYSTEM)
    return node


def system_class(field: SystemField) -> Any:
    """Return the class of a nested orchestrator, as far as the declaration tells."""
    if isinstance(field.factory, type):
        return field.factory
    return field.classes[0] if field.classes else None


def given_for(
    owner: Any, node: Written, passed: Mapping[str, Any], make: Callable[[Any, Written, Mapping[str, Any]], Any]
) -> dict[str, Any]:
    """
    Return the constructor's arguments by field.

    Args:
        owner: The orchestrator class.
        node: Its part of the snapshot.
        passed: What the user passed for its fields.
        make: Makes a nested orchestrator of a class, its part and what was passed for it.

    Raises:
        ConstructionError: What was passed does not fit; lists all mistakes.
    """
    declaration = owner.__declaration__
    given = dict(passed)
    problems: list[ConstructionError] = []
    for field in declaration.fields.values():
        if isinstance(field, DataField):
            if field.name in passed:
                problems.append(_no_member(owner, field.name))
            given[field.name] = None  # filled in later
        elif isinstance(field, MachinesField):
            given[field.name] = _machines(field, node, passed.get(field.name, {}))
        elif isinstance(field, SystemField):
            _add(given, field.name, _system(field, node, passed, make))
        elif isinstance(field, MemberField):
            _add(given, field.name, _machine(field, node, passed))
    bound, wrong = bind(declaration, (), given)
    problems += wrong
    if problems:
        raise ConstructionError.first_of(problems)
    return bound


_LEFT_OUT = object()
"""Stands for a field that the constructor fills as it always does."""


def _add(given: dict[str, Any], name: str, value: Any) -> None:
    if value is not _LEFT_OUT:
        given[name] = value


def _no_member(owner: Any, name: str) -> ArgumentsError:
    what = f"{name!r} is declared data, and comes from the snapshot"
    return ArgumentsError(f"{owner.__name__}.restore()", what, "Leave it out, and bind it afterwards")


def _machine(field: MemberField, node: Written, passed: Mapping[str, Any]) -> Any:
    if field.name in passed:
        value = passed[field.name]
        return partial(_maker(field), model=value, **field.arguments) if _is_model(value) else value
    if node["members"].get(field.name, field) is None:
        return None if field.is_optional else _LEFT_OUT
    return _maker(field) if field.factory is None and field.classes else _LEFT_OUT


def _maker(field: MemberField) -> Any:
    return field.factory or (field.classes[0] if field.classes else StateChart)


def _is_model(value: Any) -> bool:
    """Whether something that was passed for a member is neither a machine nor makes one."""
    return value is not None and not isinstance(value, StateChart) and not callable(value)


def _machines(field: MachinesField, node: Written, passed: Any) -> Any:
    if not hasattr(passed, "get"):
        return passed  # `bind` says what is wrong with it
    keys = [one["key"] for one in node["collections"].get(field.name, ())]
    made = {key: passed.get(key) or partial(field.factory, **field.arguments) for key in keys}
    return made | {key: machine for key, machine in passed.items() if key not in made}


def _system(
    field: SystemField,
    node: Written,
    passed: Mapping[str, Any],
    make: Callable[[Any, Written, Mapping[str, Any]], Any],
) -> Any:
    given = passed.get(field.name, {})
    inner = node["systems"].get(field.name)
    if not isinstance(given, dict):
        return given  # an orchestrator, or what makes one
    if inner is None or system_class(field) is None:
        return None if field.is_optional else _LEFT_OUT
    arguments = {name: value for name, value in field.arguments.items() if not _is_data(system_class(field), name)}
    return partial(make, system_class(field), inner, {**arguments, **given})


def _is_data(owner: Any, name: str) -> bool:
    return isinstance(owner.__declaration__.fields.get(name), DataField)


# -- when it cannot be made --------------------------------------------------------------------------------------


def explain_failure(owner: Any, node: Written, error: Exception) -> None:
    """
    Say that the class is another one, if that is why no instance of it could be made.

    A member that is new may need what nobody has passed. The classes of machines are taken from the declaration.

    Raises:
        SnapshotMismatchError: The definitions differ.
    """
    declaration = owner.__declaration__
    if "definition" not in node:
        return
    machines = {one.name: cls for one in declaration.members for cls in _expected(one)}
    declared = (cls for one in declaration.collections for cls in one.classes)
    systems = {one.name: system_class(one).__name__ for one in declaration.systems if system_class(one) is not None}
    names = named(dict.fromkeys((*machines.values(), *declared)))
    now = described(declaration, declaration.rules, names, machines, systems)
    try:
        refuse_another(owner.__name__, node["version"], list(differences(node["definition"], now, owner.__name__)))
    except SnapshotMismatchError as mismatch:
        raise mismatch from error


def _expected(field: MemberField) -> Iterator[type]:
    if isinstance(field.factory, type):
        yield field.factory
    elif field.classes:
        yield field.classes[0]
