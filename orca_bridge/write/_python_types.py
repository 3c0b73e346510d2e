"""The types of a machine as declarations of Python: its context, payloads, names and actions."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING

from ._python_names import docstring, joined, literal, snake_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orca_bridge.definition import ContextField, MachineDefinition, Parameter, TypeExpression

__all__ = (
    "actions_protocol",
    "context_type",
    "effect_text",
    "effects_protocol",
    "is_name",
    "literal_type",
    "payload_type",
    "type_text",
)

_WIDTH = 120
_SCALARS = {"string": "str", "int": "int", "decimal": "float", "number": "float", "bool": "bool"}


def type_text(kind: TypeExpression | None, *, nullable: bool = False) -> str:
    """Write a declared type."""
    if kind is None:
        return "Any"
    found = _SCALARS.get(kind.kind, "Any")
    if kind.kind == "list":
        found = f"list[{type_text(kind.arguments[0]) if kind.arguments else 'Any'}]"
    elif kind.kind == "map":
        found = f"dict[{', '.join(map(type_text, kind.arguments)) if kind.arguments else 'str, Any'}]"
    elif kind.kind == "enum":
        found = f"Literal[{', '.join(map(literal, kind.values))}]" if kind.values else "str"
    return f"{found} | None" if (nullable or kind.nullable) and found != "Any" else found


def is_name(text: str) -> bool:
    """Whether a name can be written as an attribute."""
    return text.isidentifier() and not iskeyword(text) and not text.startswith("__")


def context_type(name: str, machine: MachineDefinition) -> Iterator[str]:
    """Declare the context; fields that start as null may be null."""
    fields = {field.name: _field_type(field) for field in machine.context}
    yield from _typed_dict(name, fields, f"What {machine.name} knows; an action gives back what it changes.")


def payload_type(name: str, event: str, payload: Sequence[Parameter]) -> Iterator[str]:
    """Declare the payload of an event."""
    yield from _typed_dict(name, {one.name: type_text(one.type) for one in payload}, f"What comes with {event}.")


def literal_type(name: str, values: Sequence[str]) -> Iterator[str]:
    """Declare the names of states or events."""
    if values:
        yield from joined(f"{name}: TypeAlias = Literal[", [literal(value) for value in values], "]")
    else:
        yield f"{name}: TypeAlias = str"


def actions_protocol(
    name: str, context: str, machine: MachineDefinition, actions: Mapping[str, str], of: str = ""
) -> Iterator[str]:
    """Declare one method for each action; `actions` gives the method of each."""
    declared = {action.name: action for action in machine.actions}
    yield f"class {name}(Protocol):"
    yield f'    """The actions of {of or machine.name}."""' if is_plain(machine.name) else '    """The actions."""'
    for action, method in actions.items():
        yield ""
        if not is_name(method):
            yield f"    # {action}: no method can have this name; give a mapping"
            continue
        given, gives = f"self, ctx: {context}, event: Mapping[str, Any] | None, /", f"-> {context} | None:"
        short = f"    def {method}({given}) {gives}"
        yield from [short] if len(short) <= _WIDTH else [f"    def {method}(", f"        {given}", f"    ) {gives}"]
        found = declared.get(action)
        effects = f" Effects: {', '.join(found.effects)}." if found is not None and found.effects else ""
        text = found.description if found is not None and found.description else f"Run {action}."
        yield from docstring(f"{text}{effects}", "        ")
        yield "        ..."


def effects_protocol(
    name: str, context: str, machine: MachineDefinition, actions: Mapping[str, str], kinds: Iterable[str]
) -> Iterator[str]:
    """Declare one method for each action without effects, and one for each effect."""
    yield from actions_protocol(name, context, machine, actions, f"{machine.name}, whose effects have handlers")
    methods = {f"effect_{snake_case(kind)}": kind for kind in reversed(list(kinds))}
    for method, kind in reversed(methods.items()):
        yield ""
        yield f"    def {method}(self, effect: Effect, /) -> EffectResult | Mapping[str, Any] | None:"
        yield from docstring(effect_text(kind, machine), "        ")
        yield "        ..."


def effect_text(kind: str, machine: MachineDefinition) -> str:
    """Say what a document tells about an effect."""
    found = next((effect for effect in machine.effects if effect.name == kind), None)
    if found is None:
        return f"Run the effect {kind}."
    given = "".join(f" {word}: {text}." for word, text in (("Input", found.input), ("Output", found.output)) if text)
    return f"{found.description or f'Run the effect {kind}.'}{given}"


def is_plain(text: str) -> bool:
    """Whether a text can stand in a docstring as it is."""
    return text.isprintable() and not {'"', "\\"} & set(text)


def _field_type(field: ContextField) -> str:
    return type_text(field.type, nullable=field.default is None)


def _typed_dict(name: str, fields: Mapping[str, str], text: str) -> Iterator[str]:
    if all(is_name(field) for field in fields):
        yield f"class {name}(TypedDict, total=False):"
        yield from docstring(text, "    ")
        if fields:
            yield ""
            yield from (f"    {field}: {kind}" for field, kind in fields.items())
        return
    # Names that are no identifiers.
    entries = [f"{literal(field)}: {literal(kind)}" for field, kind in fields.items()]
    yield f"{name} = TypedDict("
    yield f"    {literal(name)},"
    yield from joined("{", entries, "},", "    ")
    yield "    total=False,"
    yield ")"
    yield from docstring(text)
