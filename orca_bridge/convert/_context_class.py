"""Classes for contexts: whether a dataclass or a pydantic model fits what a document declares, and objects of it."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache
from keyword import iskeyword
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from orca_bridge.exceptions import ContextFieldsError, ContextTypeError

from ._context_values import is_model, is_record_class, unknown_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orca_bridge.definition import ContextField, MachineDefinition, TypeExpression

__all__ = ("check_class", "make_record")


@dataclass(frozen=True, slots=True)
class _Slot:
    """A field of such a class."""

    annotation: Any
    has_default: bool


def check_class(cls: Any, definition: MachineDefinition) -> None:
    """
    Refuse a class that cannot hold the context of a machine.

    Its public fields have to be those that the document declares, of types that take the declared values. A document
    that declares no fields has nothing to compare.

    Args:
        cls: A dataclass or a model of pydantic.
        definition: What the document says.

    Raises:
        ContextFieldsError: It does not fit; all problems are named.
        TypeError: It is no such class.
    """
    if not is_record_class(cls):
        shown = cls.__name__ if isinstance(cls, type) else repr(cls)
        raise TypeError(f"the class of a context is a dataclass or a pydantic model, and {shown} is neither")
    problems = _problems(cls, definition.context)
    if problems:
        raise ContextFieldsError(definition.name, cls.__name__, problems)


def make_record(cls: Any, definition: MachineDefinition, values: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """
    Make the context that a machine starts with.

    Args:
        cls: The class, which was checked.
        definition: What the document says.
        values: The start values.
        given: Those of them that were passed; where the document has none, the class may have its own.

    Raises:
        ContextTypeError: A value is for no field, or is refused by pydantic.
    """
    slots = _slots(cls)
    unknown = unknown_fields(cls, given)
    if unknown:
        raise ContextTypeError(definition.name, unknown)
    chosen = {
        name: value
        for name, value in values.items()
        if value is not None or name in given or name not in slots or not slots[name].has_default
    }
    if not is_model(cls):
        return cls(**chosen)
    aliases = {name: field.validation_alias for name, field in cls.model_fields.items()}
    try:
        return cls(**{aliases[one] if isinstance(aliases.get(one), str) else one: chosen[one] for one in chosen})
    except ValueError as error:
        found: Any = error
        if not hasattr(found, "errors"):
            raise
        told = [f"{'.'.join(map(repr, one['loc'])) or cls.__name__}: {one['msg']}" for one in found.errors()]
        raise ContextTypeError(definition.name, told) from error


# -- comparing fields --------------------------------------------------------------------------------------------


def _problems(cls: Any, declared: Iterable[ContextField]) -> list[str]:
    wanted = {field.name: field for field in declared}
    if not wanted:
        return []
    slots = _slots(cls)
    extra = [name for name in slots if name not in wanted]
    found: list[str] = []
    for name, field in wanted.items():
        found += _field_problems(field, slots[name]) if name in slots else [_missing(field, extra)]
    return [*found, *(_surplus(name, [one for one in wanted if one not in slots]) for name in extra)]


def _missing(field: ContextField, extra: Iterable[str]) -> str:
    name, text = field.name, field.type.text or field.type.kind
    if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
        return f"{name!r} cannot be a field, which guards could read: rename it in the document, or keep a dict"
    return f"{name!r} ({text}) is missing: add '{name}: {_written(field)}'{_near(name, extra)}"


def _surplus(name: str, missing: Iterable[str]) -> str:
    return f"{name!r} is not in the document: declare it there, or call it '_{name}'{_near(name, missing)}"


def _near(name: str, others: Iterable[str]) -> str:
    near = get_close_matches(name, list(others), n=1)
    return f" (is {near[0]!r} meant to be it?)" if near else ""


def _field_problems(field: ContextField, slot: _Slot) -> Iterator[str]:
    shown, declared = _shown(slot.annotation), field.type.text or field.type.kind
    alternatives = tuple(_alternatives(slot.annotation))
    if not any(_takes(one, field.type) for one in alternatives):
        yield f"{field.name!r} is declared {declared} and is {shown} here: write '{_written(field)}'"
    elif not any(one in (Any, object, NoneType) or isinstance(one, str) for one in alternatives):
        if field.type.nullable:
            yield f"{field.name!r} may be null ({declared}) and is {shown} here: write '{_written(field)}'"
        elif field.default is None and not slot.has_default:
            yield f"{field.name!r} starts as null: write '{_written(field)}', or give it a default"


def _written(field: ContextField) -> str:
    found = _TEXTS.get(field.type.kind, "Any")
    if field.type.kind == "enum" and field.type.values:
        found = f"Literal[{', '.join(map(repr, field.type.values))}]"
    is_null = (field.type.nullable or field.default is None) and found != "Any"
    return f"{found} | None" if is_null else found


def _shown(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)


# -- comparing types ---------------------------------------------------------------------------------------------

_TEXTS = {"string": "str", "int": "int", "decimal": "float", "number": "float", "bool": "bool", "list": "list[Any]"}
_TEXTS |= {"map": "dict[str, Any]", "enum": "str"}

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    # An int takes no fraction.
    "decimal": (float, Decimal),
    "number": (float, Decimal),
    "bool": (bool,),
    "list": (list, tuple),
    "map": (dict,),
    "enum": (str,),
}


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Give what a union is made of, without what only decorates a type."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from _alternatives(one)
    elif origin in (Annotated, Final):
        yield from _alternatives(get_args(annotation)[0])
    elif hasattr(annotation, "__supertype__"):  # a NewType
        yield from _alternatives(annotation.__supertype__)
    elif hasattr(annotation, "__value__"):  # the name of a type, as the statement `type` makes it
        yield from _alternatives(annotation.__value__)
    else:
        yield annotation


def _takes(annotation: Any, declared: TypeExpression) -> bool:
    """Whether a type takes all values of a declared type."""
    # What could not be looked up stays a text, and is trusted.
    if declared.kind == "any" or annotation in (Any, object) or isinstance(annotation, str | TypeVar):
        return True
    if get_origin(annotation) is Literal:
        return _takes_literals(get_args(annotation), declared)
    plain = get_origin(annotation) or annotation
    if not isinstance(plain, type) or plain is NoneType:
        return False
    if declared.kind == "enum" and issubclass(plain, Enum):
        return issubclass(plain, str) and set(declared.values) <= {str(one.value) for one in plain}
    fits = any(issubclass(plain, one) or issubclass(one, plain) for one in _TYPES[declared.kind])
    # A truth value is an int to Python, and none to a document.
    mixed = (plain is bool) != (declared.kind == "bool")
    return fits and not mixed and _takes_arguments(get_args(annotation), declared)


def _takes_literals(values: tuple[Any, ...], declared: TypeExpression) -> bool:
    kinds = _TYPES[declared.kind]
    if declared.kind == "enum":
        return set(declared.values) <= set(values)
    return all(type(value) in kinds for value in values)


def _takes_arguments(given: tuple[Any, ...], declared: TypeExpression) -> bool:
    pairs = zip([one for one in given if one is not Ellipsis], declared.arguments, strict=False)
    return all(any(_takes(one, wanted) for one in _alternatives(annotation)) for annotation, wanted in pairs)


@lru_cache(maxsize=256)
def _slots(cls: Any) -> Mapping[str, _Slot]:
    if is_model(cls):
        found = {name: _Slot(one.annotation, not one.is_required()) for name, one in cls.model_fields.items()}
    else:
        hints = _hints(cls)
        found = {
            one.name: _Slot(
                hints.get(one.name, one.type), one.default is not MISSING or one.default_factory is not MISSING
            )
            for one in fields(cls)
            if one.init
        }
    return {name: slot for name, slot in found.items() if not name.startswith("_")}


def _hints(cls: Any) -> dict[str, Any]:
    try:
        return get_type_hints(cls, include_extras=True)
    except Exception:  # noqa: BLE001 - a name that only type checkers know; what is a text then is trusted
        return {}
