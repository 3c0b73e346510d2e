"""
What an annotation says about a field: which machine classes, whether None is allowed, or that it is no machine.

Annotations may be strings, may name a class that only a type checker imports, and may be wrapped in Optional,
Annotated, Final or a type variable. What cannot be resolved yet is not an error: the field is a member whose
class shows when the first instance is made.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, ForwardRef, TypeVar, Union

from statemachine import StateChart

__all__ = ("Annotation", "namespaces_of", "read_annotation", "resolved", "type_arguments_of")

_OPTIONAL_TEXT = re.compile(r"\bNone\b|^(\w+\.)*Optional\[")
_CLASSVAR_TEXT = re.compile(r"^(\w+\.)*ClassVar\b")
_MODULE_PATH = re.compile(r"\b(\w+\.)+(?=\w)")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A resolved annotation."""

    text: str
    classes: tuple[type[StateChart[Any]], ...] = ()
    is_optional: bool = False
    is_resolved: bool = True
    is_type: bool = True
    """False for an annotation such as ``5`` that no type checker would accept."""
    is_class_variable: bool = False
    systems: tuple[type, ...] = ()
    """Orchestrator classes."""
    element: Annotation | None = None
    """What a mapping holds."""

    @property
    def is_machine(self) -> bool:
        """Whether the field can only hold machines, or nothing."""
        return bool(self.classes)


def namespaces_of(owner: type) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the global and local names in which the annotations of a class under construction stand."""
    module = sys.modules.get(owner.__module__)
    local_names: dict[str, Any] = {}
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != owner.__module__:
        frame = frame.f_back  # type: ignore[assignment]
    if frame is not None:
        # A class made in a function may name its siblings there; in a module these are the globals again.
        local_names.update(frame.f_locals)
    # Not the defaults of fields: a field may be called like the class of its machine.
    defaults = inspect.get_annotations(owner)
    local_names.update({name: value for name, value in vars(owner).items() if name not in defaults})
    return (vars(module) if module is not None else {}), local_names


def type_arguments_of(owner: type) -> dict[Any, Any]:
    """Return what the type variables of generic bases stand for, such as M in ``Pair[Order]``."""
    found: dict[Any, Any] = {}
    for base in getattr(owner, "__orig_bases__", ()):
        parameters = getattr(typing.get_origin(base), "__parameters__", ())
        found.update(zip(parameters, typing.get_args(base), strict=False))
    return found


def read_annotation(
    annotation: Any, names: tuple[dict[str, Any], dict[str, Any]], variables: Mapping[Any, Any]
) -> Annotation:
    """
    Resolve an annotation.

    Args:
        annotation: What stands in ``__annotations__``.
        names: Global and local names for annotations in strings.
        variables: What type variables stand for.
    """
    text = annotation if isinstance(annotation, str) else _shown(annotation)
    if not isinstance(annotation, str | ForwardRef):
        return _of_type(annotation, text, names, variables)
    resolved = _resolve_text(annotation, names)
    if resolved is _UNRESOLVED:
        return _unresolved(text)
    if resolved is _NO_TYPE:
        return Annotation(text, is_type=False)
    return read_annotation(resolved, names, variables)


def _of_type(
    annotation: Any, text: str, names: tuple[dict[str, Any], dict[str, Any]], variables: Mapping[Any, Any]
) -> Annotation:
    origin = typing.get_origin(annotation)
    if annotation is ClassVar or origin is ClassVar:
        return Annotation(text, is_class_variable=True)
    if origin in (typing.Annotated, typing.Final):
        return read_annotation(typing.get_args(annotation)[0], names, variables)
    if isinstance(annotation, TypeVar):
        return _type_variable(annotation, text, names, variables)
    if origin in (Union, types.UnionType):
        return _union(text, [read_annotation(part, names, variables) for part in typing.get_args(annotation)])
    kind = origin if isinstance(origin, type) else annotation
    if isinstance(kind, type):
        return _of_class(kind, annotation, text, names, variables)
    nothing = annotation is None
    return Annotation(text, is_optional=nothing, is_type=nothing or origin is not None or _is_special(annotation))


def _of_class(
    kind: type, annotation: Any, text: str, names: tuple[dict[str, Any], dict[str, Any]], variables: Mapping[Any, Any]
) -> Annotation:
    if issubclass(kind, StateChart):
        return Annotation(text, classes=(kind,))
    if hasattr(kind, "__declaration__"):
        return Annotation(text, systems=(kind,))
    if "__declaration__" in inspect.get_annotations(kind):
        return Annotation(text, is_resolved=False)  # the base of all orchestrators, which says nothing yet
    if issubclass(kind, Mapping) and typing.get_args(annotation):
        return Annotation(text, element=read_annotation(typing.get_args(annotation)[-1], names, variables))
    return Annotation(text, is_optional=kind is type(None))


_UNRESOLVED = object()
"""Stands for an annotation whose names are not known yet."""
_NO_TYPE = object()
"""Stands for an annotation that is no expression, or one that fails."""


def _resolve_text(annotation: str | ForwardRef, names: tuple[dict[str, Any], dict[str, Any]]) -> Any:
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    try:
        return eval(text, *names)  # noqa: S307 - an annotation of the class that is being made
    except (NameError, AttributeError):
        return _UNRESOLVED
    except Exception:  # noqa: BLE001 - whatever it is, it is no type
        return _NO_TYPE


def resolved(annotation: Any, names: tuple[dict[str, Any], dict[str, Any]]) -> Any:
    """Return what an annotation stands for; the annotation itself, a text, if that is not known yet."""
    if not isinstance(annotation, str | ForwardRef):
        return annotation
    found = _resolve_text(annotation, names)
    return annotation if found is _UNRESOLVED or found is _NO_TYPE else found


def _unresolved(text: str) -> Annotation:
    if _CLASSVAR_TEXT.match(text):
        return Annotation(text, is_class_variable=True)
    return Annotation(text, is_optional=bool(_OPTIONAL_TEXT.search(text)), is_resolved=False)


def _type_variable(
    variable: TypeVar, text: str, names: tuple[dict[str, Any], dict[str, Any]], variables: Mapping[Any, Any]
) -> Annotation:
    meaning = variables.get(variable, variable.__bound__)
    if meaning is None or isinstance(meaning, TypeVar):
        return Annotation(text, is_resolved=False)
    # The variable's own name stays the text: a subclass of a generic class looks its members up by it.
    return replace(read_annotation(meaning, names, variables), text=text)


def _union(text: str, parts: list[Annotation]) -> Annotation:
    machines = [part for part in parts if part.is_machine or not part.is_resolved]
    systems = [part for part in parts if part.systems]
    others = [part for part in parts if part not in machines and part not in systems and not part.is_optional]
    if others or (machines and systems):
        return Annotation(text)
    return Annotation(
        text,
        classes=tuple(machine_class for part in machines for machine_class in part.classes),
        systems=tuple(system for part in systems for system in part.systems),
        is_optional=any(part.is_optional for part in parts),
        is_resolved=all(part.is_resolved for part in parts),
    )


def _is_special(annotation: Any) -> bool:
    return getattr(annotation, "__module__", "") in ("typing", "typing_extensions")


def _shown(annotation: Any) -> str:
    if isinstance(annotation, TypeVar):
        return annotation.__name__
    plain_class = isinstance(annotation, type) and typing.get_origin(annotation) is None
    return annotation.__name__ if plain_class else _MODULE_PATH.sub("", str(annotation))
