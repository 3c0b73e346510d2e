"""The constructor's arguments, matched with the fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from statemachine import StateChart

from statemachines_orchestrator.exceptions import ArgumentsError, ConstructionError, NotAMachineError

from ._fields import Field, MachinesField, MemberField, SystemField
from ._names import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from ._declaration import Declaration

__all__ = ("bind", "wrong_machine", "wrong_system")

OPTIONS = ("clock",)
"""Keywords of the constructor that are no fields."""


def bind(
    declaration: Declaration, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[dict[str, Any], list[ConstructionError]]:
    """
    Match arguments with fields, as a dataclass does.

    Returns:
        The given values by field, and all mistakes.
    """
    problems: list[ConstructionError] = []
    misspelt: set[str | None] = set()
    names = list(declaration.fields)
    given = dict(zip(names, arguments, strict=False))
    where = f"{declaration.name}()"
    if len(arguments) > len(names):
        problems.append(
            ArgumentsError(
                where,
                f"{len(arguments)} arguments by position, but there are {len(names)} fields",
                f"Pass {_listed(names)}",
            )
        )
    for name, value in keywords.items():
        if name not in declaration.fields:
            close = nearest(name, (*names, *OPTIONS))
            misspelt.add(close)
            hint = f"Did you mean {close!r}?" if close else f"The fields are {_listed(names)}"
            problems.append(ArgumentsError(where, f"there is no field {name!r}", hint))
        elif name in given:
            problems.append(ArgumentsError(where, f"{name!r} is given by position and by keyword", "Give it once"))
        else:
            given[name] = value
    problems.extend(_missing(declaration, given.keys() | misspelt, where))
    problems.extend(problem for name, value in given.items() for problem in _refused(declaration, name, value))
    return given, problems


def _missing(declaration: Declaration, given: AbstractSet[str | None], where: str) -> list[ConstructionError]:
    return [
        ArgumentsError(where, f"{one.name!r} is missing", _how_to_give(one))
        for one in declaration.fields.values()
        if one.is_required and one.name not in given
    ]


def _how_to_give(one: Field) -> str:
    if isinstance(one, MemberField):
        made = one.classes[0].__name__ if one.classes else one.annotation
        optional = f", or give it the default None: {one.name}: {one.annotation} = None" if one.is_optional else ""
        return f"Pass {one.name}={made}(), or declare it with machine(factory={made}){optional}"
    return f"Pass {one.name}=..., or declare it with data(default=...)"


def _refused(declaration: Declaration, name: str, value: Any) -> list[ConstructionError]:
    one = declaration.fields[name]
    if isinstance(one, MachinesField):
        return _refused_members(declaration, one, value)
    if not isinstance(one, MemberField) or (value is None and one.is_optional):
        return []
    problem = _refused_part(declaration, one, value, name)
    return [problem] if problem is not None else []


def _refused_members(declaration: Declaration, one: MachinesField, value: Any) -> list[ConstructionError]:
    where = f"{declaration.name}.{one.name}"
    if not isinstance(value, Mapping):
        made = one.element_text
        return [NotAMachineError(where, f"{value!r} is no mapping of keys to machines", f"Pass {{'key': {made}()}}")]
    problems: list[ConstructionError] = [
        ArgumentsError(where, f"the key {key!r} is no text", "Write keys as text")
        for key in value
        if not isinstance(key, str)
    ]
    found = [_refused_part(declaration, one, each, f"{one.name}[{key}]") for key, each in value.items()]
    return problems + [problem for problem in found if problem is not None]


def _refused_part(
    declaration: Declaration, one: MemberField | MachinesField, value: Any, name: str
) -> ConstructionError | None:
    kind = type(value) if not isinstance(value, type) else value
    is_part = hasattr(kind, "__declaration__") if isinstance(one, SystemField) else issubclass(kind, StateChart)
    if is_part and not isinstance(value, type):
        if isinstance(one, SystemField):
            return wrong_system(declaration.name, one, value)
        return wrong_machine(declaration.name, one, value, name)
    if is_part:
        wrong = one.classes and not issubclass(value, one.classes)
        return _wrong(declaration.name, one, f"the class {value.__name__}", name) if wrong else None
    if not one.classes and hasattr(kind, "__declaration__") and not isinstance(one, SystemField):
        return _unforeseen_system(declaration.name, one, value)
    return None if callable(value) else _wrong(declaration.name, one, repr(value), name)


def wrong_machine(
    owner: str, member: MemberField | MachinesField, value: object, name: str | None = None
) -> NotAMachineError | None:
    """Say what is wrong with something that is to become a member, or return None."""
    if not member.classes and hasattr(value, "__declaration__"):
        return _unforeseen_system(owner, member, value)
    if not isinstance(value, StateChart):
        return _wrong(owner, member, repr(value), name)
    if member.classes and not isinstance(value, member.classes):
        return _wrong(owner, member, f"this {type(value).__name__}", name)
    return None


def wrong_system(owner: str, field: SystemField, value: object) -> NotAMachineError | None:
    """Say what is wrong with something that is to become a nested orchestrator, or return None."""
    if field.classes and not isinstance(value, field.classes):
        return _wrong(owner, field, repr(value))
    return None


def _unforeseen_system(owner: str, member: MemberField | MachinesField, value: object) -> NotAMachineError:
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    return NotAMachineError(
        f"{owner}.{member.name}",
        f"{kind} is an orchestrator, and when the class was made, {member.annotation} was not known, so it was taken "
        f"for a machine",
        f"Annotate the field with {kind}, imported not for type checkers only",
    )


def _wrong(owner: str, member: MemberField | MachinesField, given: str, name: str | None = None) -> NotAMachineError:
    declared = member.element_text
    return NotAMachineError(
        f"{owner}.{name or member.name}",
        f"the member is declared as {declared}, and {given} is not one",
        f"Pass {declared}(), the class itself or a function that makes one",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
