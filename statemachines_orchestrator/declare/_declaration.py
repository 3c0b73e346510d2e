"""From a class body to its declaration: fields in order, all mistakes at once."""

from __future__ import annotations

import abc
import dataclasses
import inspect
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from statemachine import StateChart

from statemachines_orchestrator.exceptions import (
    AnnotationIsNotAStateMachineError,
    DefinitionError,
    FieldDefaultError,
    NoMachinesOnOrchestratorError,
    ReservedNameError,
    RuleError,
    UnexpectedAnnotationTypeError,
)

from ._annotations import Annotation, namespaces_of, read_annotation, resolved, type_arguments_of
from ._fields import (
    MISSING,
    DataField,
    DataMarker,
    Field,
    MachineMarker,
    MachinesField,
    MachinesMarker,
    MemberField,
    SystemField,
)
from ._keywords import Keywords
from ._links import Guard, GuardMarker, JointEvent, JointMarker, Link, LinkMarker, Together, origin_of
from ._machines import machine_problems
from ._names import RESERVED_FIELDS
from ._resolve import Actual, Resolver
from ._rules import Rules, Written, read_rules
from ._sense import senseless

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("Declaration", "declaration_of", "declare")


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """What one orchestrator class declares."""

    name: str
    owner: type
    fields: dict[str, Field]
    keywords: Keywords
    written: dict[str, Written]
    """The markers of links, guards and joint events, by name."""
    roots: tuple[tuple[object, str], ...]
    """The markers of fields, from which names were read in class bodies, and the fields that they became."""
    rules: Rules = field(default_factory=Rules)
    seen: set[tuple[str, type]] = field(default_factory=set)
    """Machine classes that showed, and were checked, only when an instance was made."""
    completed: dict[tuple[type, ...], Rules] = field(default_factory=dict)
    """Rules that could be looked up only for the classes of machines that exist."""

    @property
    def parameter(self) -> str:
        """The name under which callbacks ask for the orchestrator."""
        return self.keywords.orchestrator_name

    @property
    def atomic(self) -> bool:
        """Whether a failing step is put back."""
        return self.keywords.atomic

    @property
    def members(self) -> tuple[MemberField, ...]:
        """The fields that hold one machine, in order."""
        return tuple(
            one for one in self.fields.values() if isinstance(one, MemberField) and not isinstance(one, SystemField)
        )

    @property
    def systems(self) -> tuple[SystemField, ...]:
        """The fields that hold a whole orchestrator, in order."""
        return tuple(one for one in self.fields.values() if isinstance(one, SystemField))

    @property
    def collections(self) -> tuple[MachinesField, ...]:
        """The fields that hold any number of machines, in order."""
        return tuple(one for one in self.fields.values() if isinstance(one, MachinesField))

    @property
    def parts(self) -> tuple[MemberField | MachinesField, ...]:
        """The fields that hold machines in one way or another, in order."""
        return tuple(one for one in self.fields.values() if isinstance(one, MemberField | MachinesField))

    @property
    def data(self) -> tuple[DataField, ...]:
        """The fields that hold plain data, in order."""
        return tuple(one for one in self.fields.values() if isinstance(one, DataField))

    @property
    def links(self) -> tuple[Link, ...]:
        """The links, in order."""
        return self.rules.links

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The guards, in order."""
        return self.rules.guards

    @property
    def joint_events(self) -> tuple[JointEvent, ...]:
        """The joint events, in order."""
        return self.rules.joint_events

    def is_rule(self, name: str) -> bool:
        """Whether a link, a guard, a joint event or a tuple of them goes by this name."""
        return name in self.written or name in ("links", "guards", "joint_events")

    def rules_for(self, actual: Actual) -> Rules:
        """
        Return the rules for machines that exist, whose classes the declaration may not have known.

        Raises:
            DefinitionError: A rule names what these machines do not have; lists all mistakes.
        """
        if self.rules.is_complete:
            return self.rules
        classes = tuple(actual.values())
        if classes not in self.completed:
            problems: list[DefinitionError] = []
            self.completed[classes] = _rules(self, problems, actual)
            if problems:
                del self.completed[classes]
                raise DefinitionError.first_of(problems)
        return self.completed[classes]

    def check_class_of(self, member: MemberField | MachinesField, machine_class: type[StateChart[Any]]) -> None:
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


def declare(owner: type, bases: list[Declaration], **keywords: object) -> Declaration:
    """
    Read the body of an orchestrator class.

    The markers in the class body are replaced by the records that they became.

    Args:
        owner: The class that is being made.
        bases: The declarations of its orchestrator bases, the nearest first.
        **keywords: The class keywords; None inherits.

    Raises:
        DefinitionError: The first mistake, which lists all of them.
    """
    problems: list[DefinitionError] = []
    settings = Keywords.read(owner.__name__, [base.keywords for base in bases], keywords, problems)
    fields: dict[str, Field] = {}
    written: dict[str, Written] = {}
    roots: list[tuple[object, str]] = []
    for base in reversed(bases):
        fields.update(base.fields)
        written.update(base.written)
        roots.extend(base.roots)
    own = _own_fields(owner, fields, problems)
    fields.update(own)
    body = vars(owner)
    roots.extend((body[name], name) for name in own if isinstance(body.get(name), MachineMarker | MachinesMarker))
    _own_rules(owner, fields, written, problems)
    declaration = Declaration(owner.__name__, owner, fields, settings, written, tuple(roots))
    if not declaration.parts and abc.ABC not in owner.__bases__ and not problems:
        problems.append(_no_machines(owner.__name__))
    _check(declaration, problems)
    object.__setattr__(declaration, "rules", _rules(declaration, problems))
    if problems:
        raise DefinitionError.first_of(problems)
    for name, one in own.items():
        setattr(owner, name, one)
    _put_in_place(owner, declaration)
    return declaration


def _own_rules(
    owner: type, fields: dict[str, Field], written: dict[str, Written], problems: list[DefinitionError]
) -> None:
    """Find the markers of links, guards and joint events in a class body."""
    for name, value in list(vars(owner).items()):
        if value is None and name in written:
            del written[name]  # a subclass does without what its base declares
        elif isinstance(value, LinkMarker | GuardMarker | JointMarker):
            if name in RESERVED_FIELDS or name in fields:
                why = "an attribute of every orchestrator" if name in RESERVED_FIELDS else "a field"
                problems.append(
                    ReservedNameError(
                        f"{owner.__name__}.{name}", f"the name cannot be used: it is {why}", "Choose another name"
                    )
                )
            written[name] = Written(name, owner.__name__, value)
    problems.extend(_nameless(owner, fields))


def _nameless(owner: type, fields: dict[str, Field]) -> Iterator[DefinitionError]:
    """Yield the links, guards and joint events that were made in a class body and assigned to no name."""
    body = vars(owner)
    named = {
        id(origin_of(value)) for value in body.values() if isinstance(value, LinkMarker | GuardMarker | JointMarker)
    }
    for name in fields:
        marker = body.get(name)
        for origin in marker._mentions if isinstance(marker, MachineMarker | MachinesMarker) else ():
            if id(origin) in named:
                continue
            named.add(id(origin))
            what = {GuardMarker: "a guard", JointMarker: "a joint event"}.get(type(origin), "a link")
            yield RuleError(
                f"{owner.__name__}.{name}",
                f"{what} that names it is assigned to no name itself, so it would be lost",
                "Write name = in front of it, one line for each",
            )


def _rules(declaration: Declaration, problems: list[DefinitionError], actual: Actual | None = None) -> Rules:
    roots = {id(marker): name for marker, name in declaration.roots}
    resolver = Resolver(declaration.owner, declaration.fields, roots, actual)
    rules = read_rules(resolver, declaration.parameter, list(declaration.written.values()))
    problems.extend(resolver.problems)
    problems.extend(senseless(rules, resolver.chart_at))
    return rules


def _put_in_place(owner: Any, declaration: Declaration) -> None:
    rules = declaration.rules
    everything: tuple[Link | Guard | JointEvent, ...] = (*rules.links, *rules.guards, *rules.joint_events)
    for one in everything:
        if one.name in vars(owner):
            setattr(owner, one.name, Together(one) if isinstance(one, JointEvent) else one)
    owner.links, owner.guards, owner.joint_events = rules.links, rules.guards, rules.joint_events


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
        elif isinstance(found, DataField):
            fields[name] = replace(found, hint=resolved(written, names), module=owner.__module__)
        elif found is not None:
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
        kind, classes = (SystemField, annotation.systems) if annotation.systems else (MemberField, annotation.classes)
        if classes:
            found[name] = kind(
                name,
                owner,
                classes,
                annotation.text,
                one.is_optional,
                one.has_none_default,
                one.factory,
                one.arguments,
            )
    return found


def _field(owner: str, name: str, annotation: Annotation, default: Any) -> Field | DefinitionError | None:
    where = f"{owner}.{name}"
    if isinstance(default, LinkMarker | GuardMarker | JointMarker):
        if not annotation.is_machine:
            return None  # an annotation does not make it a field
        return ReservedNameError(where, "the name is given to a machine and to a rule", "Choose another name for one")
    if name in RESERVED_FIELDS or name.startswith("_"):
        why = (
            "names with a leading underscore are for the orchestrator itself"
            if name.startswith("_")
            else f"{name!r} is an attribute of every orchestrator"
        )
        return ReservedNameError(where, f"the name cannot be used for a field: {why}", "Choose another name")
    if isinstance(default, DataMarker):
        return DataField(name, owner, default.default, default.default_factory)
    return _part(owner, name, annotation, default)


def _part(owner: str, name: str, annotation: Annotation, default: Any) -> Field | DefinitionError:
    where = f"{owner}.{name}"
    if isinstance(default, MachinesMarker):
        return _collection(owner, name, annotation, default)
    made = default._factory if isinstance(default, MachineMarker) else None
    if not annotation.is_resolved and isinstance(made, type) and hasattr(made, "__declaration__"):
        annotation = replace(annotation, systems=(made,))  # the annotation may be for type checkers only
    if annotation.systems:
        return _system(owner, name, annotation, default)
    if not annotation.is_type:
        return UnexpectedAnnotationTypeError(
            where, f"the annotation {annotation.text} is no type", "Annotate the field with a machine class"
        )
    if not annotation.is_machine and annotation.is_resolved:
        return _no_machine(where, name, annotation, default)
    return _member(owner, name, annotation, default)


def _no_machine(where: str, name: str, annotation: Annotation, default: Any) -> DefinitionError:
    if isinstance(default, MachineMarker):
        made = getattr(default._factory, "__name__", None)
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
        if not classes and isinstance(default._factory, type) and issubclass(default._factory, StateChart):
            classes = (default._factory,)
        return problem or MemberField(
            name,
            owner,
            classes,
            annotation.text,
            annotation.is_optional,
            False,
            default._factory,
            default._arguments,
        )
    if default is None and annotation.is_optional:
        return MemberField(name, owner, annotation.classes, annotation.text, is_optional=True, has_none_default=True)
    if default is MISSING:
        return MemberField(name, owner, annotation.classes, annotation.text, annotation.is_optional)
    return _wrong_default(where, name, annotation, default)


def _collection(owner: str, name: str, annotation: Annotation, marker: MachinesMarker) -> Field | DefinitionError:
    where = f"{owner}.{name}"
    factory = marker._factory
    made = factory if isinstance(factory, type) else None
    element = annotation.element
    if made is not None and not issubclass(made, StateChart):
        nested = hasattr(made, "__declaration__")
        instead = (
            f"Give each {made.__name__} a field of its own: first: {made.__name__} = machine(factory={made.__name__})"
            if nested
            else "Name a machine class, or a function that makes a machine"
        )
        return FieldDefaultError(where, f"machines({made.__name__}) makes no machines", instead)
    if element is None and annotation.is_resolved:
        text = getattr(factory, "__name__", "Machine")
        return AnnotationIsNotAStateMachineError(
            where,
            f"{annotation.text} is no collection of machines",
            f"Write {name}: Members[{text}] = machines({text})",
        )
    if made is not None and element is not None and element.classes and not issubclass(made, element.classes):
        return FieldDefaultError(
            where,
            f"machines({made.__name__}) makes no {element.text}",
            f"Annotate the field with Members[{made.__name__}], or make what the annotation says",
        )
    classes = (made,) if made is not None else element.classes if element is not None else ()
    return MachinesField(name, owner, classes, annotation.text, factory, marker._arguments)


def _system(owner: str, name: str, annotation: Annotation, default: Any) -> Field | DefinitionError:
    has_none = default is None and annotation.is_optional
    if isinstance(default, MachineMarker):
        made = default._factory
        if isinstance(made, type) and not issubclass(made, annotation.systems):
            return _factory_problem(f"{owner}.{name}", annotation, default) or FieldDefaultError(
                f"{owner}.{name}",
                f"machine(factory={made.__name__}) makes no {annotation.text}",
                "Make what the annotation says",
            )
        factory, arguments = made, default._arguments
    elif default is MISSING or has_none:
        factory, arguments = None, {}
    else:
        return _wrong_default(f"{owner}.{name}", name, annotation, default)
    return SystemField(
        name, owner, annotation.systems, annotation.text, annotation.is_optional, has_none, factory, arguments
    )


def _factory_problem(where: str, annotation: Annotation, marker: MachineMarker) -> DefinitionError | None:
    factory = marker._factory
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
        if isinstance(value, MachineMarker | MachinesMarker | DataMarker):
            problems.append(FieldDefaultError(where, "the field has no annotation", _annotated(name, value)))
        elif name in inherited and not isinstance(value, LinkMarker | GuardMarker | JointMarker):
            problems.append(
                FieldDefaultError(
                    where,
                    f"{value!r} would hide the field of {inherited[name].owner}",
                    "Choose another name, or declare the field again with an annotation",
                )
            )
    return problems


def _annotated(name: str, marker: MachineMarker | MachinesMarker | DataMarker) -> str:
    if isinstance(marker, MachinesMarker):
        made = getattr(marker._factory, "__name__", "Machine")
        return f"Write {name}: Members[{made}] = machines({made})"
    if isinstance(marker, MachineMarker):
        made = getattr(marker._factory, "__name__", "Machine")
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
    machines: tuple[MemberField | MachinesField, ...] = (*declaration.members, *declaration.collections)
    for member in machines:
        for machine_class in member.classes:
            problems.extend(machine_problems(member, machine_class, declaration.name, declaration.parameter))


def declaration_of(kind: type) -> Declaration:
    """
    Return what a class declares of which an instance is to be made.

    Raises:
        NoMachinesOnOrchestratorError: It has no members.
    """
    declaration: Declaration | None = vars(kind).get("__declaration__")
    if declaration is None or not declaration.parts:
        raise NoMachinesOnOrchestratorError(
            kind.__name__,
            "it is a base for other classes and declares no machines of its own",
            "Make one of its subclasses",
        )
    return declaration
