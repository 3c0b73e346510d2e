"""From a class body to its declaration: fields in order, all mistakes at once."""

from __future__ import annotations

import abc
import dataclasses
import inspect
from dataclasses import dataclass, field
from typing import Any

from statemachine import StateChart

from statemachines_orchestrator.exceptions import (
    AnnotationIsNotAStateMachineError,
    DefinitionError,
    FieldDefaultError,
    NoMachinesOnOrchestratorError,
    ReservedNameError,
    UnexpectedAnnotationTypeError,
)

from ._annotations import Annotation, namespaces_of, read_annotation, type_arguments_of
from ._fields import MISSING, DataField, DataMarker, Field, MachineMarker, MemberField
from ._machines import machine_problems
from ._names import RESERVED_FIELDS, refused_parameter

__all__ = ("Declaration", "declare")

DEFAULT_PARAMETER = "orc"


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """What one orchestrator class declares."""

    name: str
    fields: dict[str, Field]
    parameter: str
    """The name under which callbacks ask for the orchestrator."""
    atomic: bool
    """Whether a failing step is put back."""
    seen: set[tuple[str, type]] = field(default_factory=set)
    """Machine classes that showed, and were checked, only when an instance was made."""

    @property
    def members(self) -> tuple[MemberField, ...]:
        """The fields that hold machines, in order."""
        return tuple(one for one in self.fields.values() if isinstance(one, MemberField))

    @property
    def data(self) -> tuple[DataField, ...]:
        """The fields that hold plain data, in order."""
        return tuple(one for one in self.fields.values() if isinstance(one, DataField))

    def check_class_of(self, member: MemberField, machine_class: type[StateChart[Any]]) -> None:
        """
        Check a machine class that the declaration did not know.

        Raises:
            DefinitionError: The class is unsound as a member, for the reasons of `machine_problems`.
        """
        if machine_class in member.classes or (member.name, machine_class) in self.seen:
            return
        problems = list(machine_problems(member, machine_class, self.name, self.parameter))
        if problems:
            raise DefinitionError.first_of(problems)
        self.seen.add((member.name, machine_class))


def declare(
    owner: type, bases: list[Declaration], *, orchestrator_name: object = None, atomic: object = None
) -> Declaration:
    """
    Read the body of an orchestrator class.

    The markers in the class body are replaced by the fields that they became.

    Args:
        owner: The class that is being made.
        bases: The declarations of its orchestrator bases, the nearest first.
        orchestrator_name: The class keyword; None inherits.
        atomic: The class keyword; None inherits.

    Raises:
        DefinitionError: The first mistake, which lists all of them.
    """
    problems: list[DefinitionError] = []
    parameter = _parameter(owner, bases, orchestrator_name, problems)
    is_atomic = _atomic(owner, bases, atomic, problems)
    fields: dict[str, Field] = {}
    for base in reversed(bases):
        fields.update(base.fields)
    own = _own_fields(owner, fields, problems)
    fields.update(own)
    declaration = Declaration(owner.__name__, fields, parameter, is_atomic)
    if not declaration.members and abc.ABC not in owner.__bases__ and not problems:
        problems.append(_no_machines(owner.__name__))
    _check(declaration, problems)
    if problems:
        raise DefinitionError.first_of(problems)
    for name, one in own.items():
        setattr(owner, name, one)
    return declaration


def _parameter(owner: type, bases: list[Declaration], given: object, problems: list[DefinitionError]) -> str:
    if given is None:
        return bases[0].parameter if bases else DEFAULT_PARAMETER
    refused = refused_parameter(given)
    if refused is None:
        return str(given)
    problems.append(
        ReservedNameError(owner.__name__, refused, f"Choose another; the usual one is {DEFAULT_PARAMETER!r}")
    )
    return DEFAULT_PARAMETER


def _atomic(owner: type, bases: list[Declaration], given: object, problems: list[DefinitionError]) -> bool:
    if given is None:
        return bases[0].atomic if bases else True
    if not isinstance(given, bool):
        what = f"atomic={given!r} is neither True nor False"
        problems.append(DefinitionError(owner.__name__, what, "Write atomic=False to keep what a failed step did"))
    return bool(given)


def _own_fields(owner: type, inherited: dict[str, Field], problems: list[DefinitionError]) -> dict[str, Field]:
    names = namespaces_of(owner)
    variables = type_arguments_of(owner)
    annotations = inspect.get_annotations(owner)
    fields: dict[str, Field] = {}
    for name, written in annotations.items():
        annotation = read_annotation(written, names, variables)
        if annotation.is_class_variable:
            continue
        default = vars(owner).get(name, MISSING)
        found = _field(owner.__name__, name, annotation, default)
        if isinstance(found, DefinitionError):
            problems.append(found)
        else:
            fields[name] = found
    problems.extend(_unannotated(owner, annotations, inherited))
    fields.update(_specialised(owner.__name__, fields, inherited, variables))
    return fields


def _specialised(
    owner: str, own: dict[str, Field], inherited: dict[str, Field], variables: dict[Any, Any]
) -> dict[str, Field]:
    """Give inherited members whose class was a type variable the class that it stands for in this subclass."""
    found: dict[str, Field] = {}
    meanings = {variable.__name__: meaning for variable, meaning in variables.items()}
    for name, one in inherited.items():
        if name in own or not isinstance(one, MemberField) or one.annotation not in meanings:
            continue
        annotation = read_annotation(meanings[one.annotation], ({}, {}), variables)
        if annotation.is_machine:
            found[name] = MemberField(
                name,
                owner,
                annotation.classes,
                annotation.text,
                one.is_optional,
                one.has_none_default,
                one.factory,
                one.arguments,
            )
    return found


def _field(owner: str, name: str, annotation: Annotation, default: Any) -> Field | DefinitionError:
    where = f"{owner}.{name}"
    if name in RESERVED_FIELDS or name.startswith("_"):
        why = (
            "names with a leading underscore are for the orchestrator itself"
            if name.startswith("_")
            else f"{name!r} is an attribute of every orchestrator"
        )
        return ReservedNameError(where, f"the name cannot be used for a field: {why}", "Choose another name")
    if isinstance(default, DataMarker):
        return DataField(name, owner, default.default, default.default_factory)
    if not annotation.is_type:
        return UnexpectedAnnotationTypeError(
            where, f"the annotation {annotation.text} is no type", "Annotate the field with a machine class"
        )
    if not annotation.is_machine and annotation.is_resolved:
        return _no_machine(where, name, annotation, default)
    return _member(owner, name, annotation, default)


def _no_machine(where: str, name: str, annotation: Annotation, default: Any) -> DefinitionError:
    if isinstance(default, MachineMarker):
        made = getattr(default.factory, "__name__", None)
        instead = (
            f"Write {name}: {made} = machine(factory={made})" if made else "Annotate the field with the machine's class"
        )
    else:
        text = annotation.text
        instead = f"For plain data write {name}: {text} = data({_as_data(default)}), for a constant ClassVar[{text}]"
    return AnnotationIsNotAStateMachineError(
        where, f"{annotation.text} is not a StateMachine or StateChart class", instead
    )


def _as_data(default: Any) -> str:
    if default is MISSING:
        return ""
    if isinstance(default, dataclasses.Field):
        return "..."
    if isinstance(default, list | dict | set):
        return f"default_factory={'lambda: ' + repr(default) if default else type(default).__name__}"
    return f"default={default!r}"


def _member(owner: str, name: str, annotation: Annotation, default: Any) -> Field | DefinitionError:
    where = f"{owner}.{name}"
    if isinstance(default, MachineMarker):
        problem = _factory_problem(where, annotation, default)
        classes = annotation.classes
        if not classes and isinstance(default.factory, type) and issubclass(default.factory, StateChart):
            classes = (default.factory,)
        return problem or MemberField(
            name,
            owner,
            classes,
            annotation.text,
            annotation.is_optional,
            False,
            default.factory,
            default.arguments,
        )
    if default is None and annotation.is_optional:
        return MemberField(name, owner, annotation.classes, annotation.text, is_optional=True, has_none_default=True)
    if default is MISSING:
        return MemberField(name, owner, annotation.classes, annotation.text, annotation.is_optional)
    return _wrong_default(where, name, annotation, default)


def _factory_problem(where: str, annotation: Annotation, marker: MachineMarker) -> DefinitionError | None:
    factory = marker.factory
    if not isinstance(factory, type):
        return None
    if not issubclass(factory, StateChart):
        return FieldDefaultError(
            where,
            f"machine(factory={factory.__name__}) makes no machine",
            "Name a machine class, or a function that makes one",
        )
    if annotation.classes and not issubclass(factory, annotation.classes):
        return FieldDefaultError(
            where,
            f"machine(factory={factory.__name__}) makes no {annotation.text}",
            f"Annotate the field with {factory.__name__}, or make what the annotation says",
        )
    return None


def _wrong_default(where: str, name: str, annotation: Annotation, default: Any) -> DefinitionError:
    if default is None:
        what = "None is not a machine"
        instead = f"Write {name}: {annotation.text} | None = None if the machine may be absent"
    elif isinstance(default, dataclasses.Field):
        what = "dataclasses.field() is for dataclasses"
        instead = f"Write {name}: {annotation.text} = machine(factory={annotation.text})"
    elif isinstance(default, StateChart):
        what = "a machine as default would be shared by all instances, and a machine belongs to one orchestrator"
        instead = f"Write {name}: {annotation.text} = machine(factory={type(default).__name__})"
    else:
        what = f"{getattr(default, '__name__', repr(default))} is no default for a member"
        made = default.__name__ if isinstance(default, type) else "..."
        instead = f"Write {name}: {annotation.text} = machine(factory={made}), or leave the default out"
    return FieldDefaultError(where, what, instead)


def _unannotated(owner: type, annotations: dict[str, Any], inherited: dict[str, Field]) -> list[DefinitionError]:
    problems: list[DefinitionError] = []
    for name, value in vars(owner).items():
        if name in annotations:
            continue
        where = f"{owner.__name__}.{name}"
        if isinstance(value, MachineMarker | DataMarker):
            problems.append(FieldDefaultError(where, "the field has no annotation", _annotated(name, value)))
        elif name in inherited:
            problems.append(
                FieldDefaultError(
                    where,
                    f"{value!r} would hide the field of {inherited[name].owner}",
                    "Choose another name, or declare the field again with an annotation",
                )
            )
    return problems


def _annotated(name: str, marker: MachineMarker | DataMarker) -> str:
    if isinstance(marker, MachineMarker):
        made = getattr(marker.factory, "__name__", "Machine")
        return f"Write {name}: {made} = machine(factory={made})"
    kind = "Any" if marker.default is MISSING else type(marker.default).__name__
    return f"Write {name}: {kind} = data(...)"


def _no_machines(owner: str) -> DefinitionError:
    return NoMachinesOnOrchestratorError(
        owner,
        "the class declares no machine",
        "Add a member such as order: Order, or derive from abc.ABC too if it is a base for others",
    )


def _check(declaration: Declaration, problems: list[DefinitionError]) -> None:
    """Add what is wrong with the fields taken together, and with the members' classes."""
    optional = ""
    for one in declaration.fields.values():
        if not one.is_required:
            optional = one.name
        elif optional:
            problems.append(
                FieldDefaultError(
                    f"{declaration.name}.{one.name}",
                    f"a field without a default stands after {optional!r}, which has one",
                    "Move it up, or give it a default",
                )
            )
    for member in declaration.members:
        for machine_class in member.classes:
            problems.extend(machine_problems(member, machine_class, declaration.name, declaration.parameter))
