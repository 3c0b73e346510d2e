"""The context of a machine: start values, what actions change, and the types of values (semantics.md section 8)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from copy import copy, deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from orca_bridge.exceptions import ContextTypeError

from ._context_class import check_class, make_record
from ._context_values import copied, is_record, updated, values_of

if TYPE_CHECKING:
    from orca_bridge.definition import ContextField, Parameter, TypeExpression

    from ._machine import OrcaChart

__all__ = (
    "Typing",
    "conforms",
    "copied",
    "enforce",
    "is_surely_typed",
    "merge",
    "parameter_problems",
    "start_context",
    "type_problems",
    "write",
)

Typing: TypeAlias = Literal["strict", "warn", "off"]

_CERTAIN: Mapping[str, type] = {"int": int, "string": str, "bool": bool}
"""By the kind of a declared type: values of just this type are of it."""
_logger = logging.getLogger("orca_bridge")


def start_context(machine: OrcaChart, given: Any) -> Any:
    """
    Make the context that a machine starts with: declared defaults as fresh copies, then the given values.

    Args:
        machine: The machine.
        given: A mapping, a record that holds all values, or None.

    Raises:
        ContextTypeError: With ``typing="strict"``, or in a record, a value is not of its declared type.
        ContextFieldsError: A record was given whose class does not fit the document.
        TypeError: It is neither.
    """
    blueprint, definition = machine._blueprint, machine.definition
    if given is not None and not isinstance(given, Mapping):
        if not is_record(given):
            kind = type(given).__name__
            raise TypeError(f"a context is a mapping, or an object of a dataclass or pydantic model, and not a {kind}")
        check_class(type(given), definition)
        context: Any = copy(given)
    else:
        values = {field.name: deepcopy(field.default) for field in blueprint.fields.values()}
        chosen = blueprint.context_class
        values.update(given or {})
        context = values if chosen is None else make_record(chosen, definition, values, given or {})
    _accept(machine, context, None)
    return context


def merge(machine: OrcaChart, action: str, result: Any) -> None:
    """
    Merge what a handler returned into the context; None changes nothing, and what holds no values is logged.

    Raises:
        ContextTypeError: With ``typing="strict"``, a value is not of its declared type.
        Exception: A record refuses a value, or has no such field.
    """
    if result is None:
        return
    if type(result) is dict or isinstance(result, Mapping):
        write(machine, result)
    elif is_record(result) and isinstance(result, type(machine.context)):
        write(machine, values_of(result))
    else:
        _logger.warning(
            "action %r of machine %r returned %s, which is no mapping and is ignored",
            action,
            machine.definition.name,
            type(result).__name__,
        )


def write(machine: OrcaChart, values: Mapping[str, Any]) -> None:
    """
    Write values into the context of a machine.

    Raises:
        ContextTypeError: With ``typing="strict"``, a value is not of its declared type; nothing was written.
    """
    blueprint, context = machine._blueprint, machine.context
    if blueprint.typing != "off" and not is_surely_typed(blueprint.fields, values):
        _accept(machine, values, context)
    if type(context) is dict:
        context.update(values)
        return
    written = updated(context, values)
    if written is not context:
        machine.context = written


def _accept(machine: OrcaChart, values: Any, before: Any) -> None:
    blueprint = machine._blueprint
    if blueprint.typing != "off":
        problems = type_problems(blueprint.fields, values_of(values), None if before is None else values_of(before))
        enforce(machine.definition.name, problems, blueprint.typing, machine._orca.warned)


def type_problems(
    fields: Mapping[str, ContextField], values: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """
    Find the values that are not of their declared type.

    Args:
        fields: The declared fields by name; other names may hold anything.
        values: What is, or is about to be, in the context.
        before: The context so far. A field that was null may stay null: it was never set.

    Returns:
        A sentence for each field concerned.
    """
    problems = {}
    for name in values.keys() & fields.keys():
        value, declared = values[name], fields[name]
        unset = value is None and (declared.default is None if before is None else before.get(name) is None)
        if not unset and not conforms(value, declared.type):
            text = declared.type.text or declared.type.kind
            problems[name] = f"{name!r} is declared {text} and is {type(value).__name__} {_short(value)}"
    return dict(sorted(problems.items()))


def is_surely_typed(fields: Mapping[str, ContextField], values: Mapping[str, Any]) -> bool:
    """Whether values are of their declared types at first sight; if not, `type_problems` has to look."""
    for name, value in values.items():
        field = fields.get(name)
        if field is not None and type(value) is not _CERTAIN.get(field.type.kind):
            return False
    return True


def parameter_problems(declared: Iterable[Parameter], values: Mapping[str, Any]) -> dict[str, str]:
    """Find what an effect is given, or gives, that is not of its declared type; what is missing is no problem."""
    problems = {}
    for one in declared:
        if one.type is not None and one.name in values and not conforms(values[one.name], one.type):
            value, text = values[one.name], one.type.text or one.type.kind
            problems[one.name] = f"{one.name!r} is declared {text} and is {type(value).__name__} {_short(value)}"
    return problems


def enforce(machine: str, problems: Mapping[str, str], typing: Typing, warned: set[str]) -> None:
    """
    Do what `typing` says about type problems.

    Args:
        machine: The name of the machine, for the text.
        problems: As `type_problems` found them.
        typing: ``"strict"`` raises, ``"warn"`` logs each field once, ``"off"`` is not asked.
        warned: The fields that this machine was already warned about; grows.

    Raises:
        ContextTypeError: There are problems, and `typing` is ``"strict"``.
    """
    if not problems:
        return
    if typing == "strict":
        raise ContextTypeError(machine, list(problems.values()))
    for name in problems.keys() - warned:
        _logger.warning("context of machine %r: %s", machine, problems[name])
    warned.update(problems)


def conforms(value: Any, declared: TypeExpression) -> bool:
    """Whether a value is of a declared type; `int` excludes truth values, numbers take int, float and Decimal."""
    if value is None:
        return declared.nullable or declared.kind == "any"
    return _CHECKS[declared.kind](value, declared)


def _is_number(value: Any, _declared: TypeExpression) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_list(value: Any, declared: TypeExpression) -> bool:
    of = declared.arguments
    return isinstance(value, list | tuple) and (not of or all(conforms(item, of[0]) for item in value))


def _is_map(value: Any, declared: TypeExpression) -> bool:
    if not isinstance(value, Mapping):
        return False
    match declared.arguments:
        case (keys, values):
            return all(conforms(key, keys) and conforms(item, values) for key, item in value.items())
        case _:
            return True


def _is_enum(value: Any, declared: TypeExpression) -> bool:
    return isinstance(value, str) and (not declared.values or value in declared.values)


_CHECKS: Mapping[str, Callable[[Any, TypeExpression], bool]] = {
    "string": lambda value, _declared: isinstance(value, str),
    "int": lambda value, _declared: isinstance(value, int) and not isinstance(value, bool),
    "decimal": _is_number,
    "number": _is_number,
    "bool": lambda value, _declared: isinstance(value, bool),
    "list": _is_list,
    "map": _is_map,
    "enum": _is_enum,
    "any": lambda _value, _declared: True,
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004
