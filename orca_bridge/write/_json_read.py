"""
Documents from their JSON form: that of `json_form`, and that of orca-lang.

What the form says is written as Markdown and read: so it is checked as any document is, and means the same.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

from orca_bridge.definition import (
    ActionDefinition,
    BoolLiteral,
    ContextField,
    Document,
    EffectDefinition,
    EventDefinition,
    GuardDefinition,
    InvokeDefinition,
    InvokeInput,
    MachineDefinition,
    Outcome,
    Parameter,
    PropertyDefinition,
    RegionDefinition,
    ReturnDefinition,
    Span,
    StateDefinition,
    TimeoutDefinition,
    TransitionDefinition,
    TypeExpression,
)
from orca_bridge.exceptions import DocumentError
from orca_bridge.syntax import read

from ._json_form import type_of_json
from ._json_read_guards import guard_of, property_of
from ._json_read_tables import table_of
from ._json_value import JsonError, Value
from ._markdown import to_markdown

__all__ = ("read_json",)


def read_json(text: str | bytes, name: str = "<string>") -> Document:
    """
    Read a document from JSON.

    Args:
        text: What ``orca-bridge parse`` or orca-lang printed: machines and decision tables.
        name: What to call it in messages.

    Raises:
        JsonError: It is no JSON of this form; all that is wrong is named by its place.
        DocumentError: What it says has errors. They are shown in the Markdown that says the same.
        WritingError: Its states nest deeper than headings do.
    """
    try:
        document = _document(Value(json.loads(text), name))
    except ValueError as error:
        raise (error if isinstance(error, JsonError) else JsonError(name, [f"it is no JSON: {error}"])) from None
    except RecursionError:
        raise JsonError(name, ["it nests too deep"]) from None
    written = to_markdown(document)
    reading = read(written, f"{name} as Markdown.md")
    if reading.errors or reading.document is None:
        raise DocumentError(name, reading.diagnostics)
    return replace(reading.document, name=name)


def _document(whole: Value) -> Document:
    order = count(1)
    machines = tuple(_machine(found, Span(next(order), 1, 1)) for found in whole.list("machines"))
    tables = tuple(table_of(found, Span(next(order), 1, 1)) for found in whole.list("decisionTables"))
    if not (machines or tables):
        whole.wrong("it defines neither a machine nor a decision table")
    whole.check()
    return Document(machines, tables)


def _machine(found: Value, span: Span) -> MachineDefinition:
    return MachineDefinition(
        found.name("name"),
        version=found.text("x_version", "0.1.0"),
        description=found.lines("x_description"),
        context=tuple(map(_field, found.list("context"))),
        events=tuple(map(_event, found.list("events"))),
        states=tuple(_state(state, "") for state in found.list("states")),
        transitions=tuple(map(_row, found.list("transitions"))),
        guards=tuple(map(_guard, found.list("guards"))),
        actions=tuple(map(_action, found.list("actions"))),
        span=span,
        effects=tuple(map(_effect, found.list("effects"))),
        returns=tuple(map(_return, found.list("x_returns"))),
        properties=tuple(map(_property, found.list("properties"))),
        others=found.texts("x_bullets"),
    )


_NOWHERE = Span(1, 1, 1)


def _field(found: Value) -> ContextField:
    kind = found.value("type")
    kind.text("kind")
    text = kind.attempt(lambda: type_of_json(kind.mapping()), "the type is none that orca-lang knows")
    default = found.text("defaultValue", "")
    return ContextField(found.name("name"), _type(text), None, _NOWHERE, default, found.columns())


def _type(text: str | None) -> TypeExpression:
    return TypeExpression("any", text=text or "string")


def _event(found: Value) -> EventDefinition:
    payload = tuple(
        Parameter(one.name("name"), _type(one.text("type")) if one.has("type") else None)
        for one in found.list("x_payload")
    )
    return EventDefinition(found.name("name"), found.text("x_description", ""), payload)


# States.


def _state(found: Value, parent: str) -> StateDefinition:
    name = found.name("name")
    path = f"{parent}.{name}" if parent else name
    parallel, invoke = found.value("parallel"), found.value("invoke")
    return StateDefinition(
        name,
        path,
        initial=found.flag("isInitial"),
        final=found.flag("isFinal"),
        **_node(found, ""),
        children=tuple(_state(child, path) for child in found.list("contains")),
        regions=tuple(_region(region, path) for region in parallel.list("regions")),
        sync=parallel.one_of("sync", "all-final", "any-final", "custom"),  # type: ignore[arg-type]
        timeouts=_timeouts(found),
        invoke=_invoke(found, invoke) if invoke.is_given else None,
        titled=found.has("x_title"),
        on_done=None if invoke.is_given else _outcome(found, "onDone"),
        on_error=_outcome(found, "x_on_error"),
        others=found.texts("x_bullets"),
    )


def _region(found: Value, parent: str) -> RegionDefinition:
    name = found.name("name")
    path = f"{parent}.{name}"
    states = tuple(_state(state, path) for state in found.list("states"))
    return RegionDefinition(
        name, path, states, **_node(found, "x_"), others=found.texts("x_bullets"), titled=found.has("x_title")
    )


def _node(found: Value, prefix: str) -> dict[str, Any]:
    text, title = found.lines(f"{prefix}description"), found.lines("x_title")
    return {
        "description": title or text,
        "notes": text if title else "",
        "on_entry": found.names(f"{prefix}onEntry"),
        "on_exit": found.names(f"{prefix}onExit"),
        "ignored": found.texts(f"{prefix}ignoredEvents"),
        "ignores_all": found.flag(f"{prefix}ignoredAll"),
    }


def _timeouts(found: Value) -> tuple[TimeoutDefinition, ...]:
    given = found.list("x_timeouts") or ([found.value("timeout")] if found.has("timeout") else [])
    return tuple(
        TimeoutDefinition(0, Outcome(text=one.text("target")), one.texts("actions"), duration=one.text("duration"))
        for one in given
    )


def _outcome(found: Value, key: str) -> Outcome | None:
    return Outcome(text=found.text(key)) if found.has(key) else None


def _invoke(state: Value, found: Value) -> InvokeDefinition:
    given, returns = found.value("input"), found.value("x_returns")
    return InvokeDefinition(
        found.name("machine"),
        tuple(InvokeInput(name, text=given.text(name)) for name in given.mapping()),
        shots=found.number("x_shots"),
        returns=tuple((name, returns.text(name)) for name in returns.mapping()),
        on_done=_outcome(found, "onDone") or _outcome(state, "onDone"),
        on_error=_outcome(found, "onError"),
    )


# The other sections.


def _row(found: Value) -> TransitionDefinition:
    source, target, guard = found.text("source"), found.text("target", ""), found.value("guard")
    text = ("!" if guard.flag("negated") else "") + guard.text("name") if guard.is_given else ""
    return TransitionDefinition(
        source,
        found.text("event", "") or None,
        target or None,
        guard_text=text,
        actions=found.names("action"),
        source_text=source,
        target_text=target,
        inline=found.flag("x_inline"),
        others=found.columns(),
    )


def _guard(found: Value) -> GuardDefinition:
    text = found.text("x_text", "") or guard_of(found.value("expression"))
    return GuardDefinition(found.name("name"), BoolLiteral(value=True), text, _NOWHERE, found.columns())


def _action(found: Value) -> ActionDefinition:
    named = found.text("effectType", "")
    # orca-lang takes any text in the column Effect for the name of one.
    effects = found.texts("x_effects") or ((named,) if named.isidentifier() else ())
    text = "" if named.isidentifier() else named
    parameters = tuple(Parameter(name) for name in found.texts("parameters"))
    written = found.text("x_updates", "")
    return ActionDefinition(
        found.name("name"),
        parameters,
        found.text("returnType", "Context") or "Context",
        effects,
        found.text("x_description", text),
        signature=found.text("x_signature", ""),
        others=(*found.columns(), *((("Updates", written),) if written else ())),
    )


def _effect(found: Value) -> EffectDefinition:
    texts = found.text("input", ""), found.text("output", "")
    described = found.text("x_type", ""), found.text("x_description", "")
    return EffectDefinition(
        found.name("name"), type=described[0], description=described[1], texts=texts, others=found.columns()
    )


def _return(found: Value) -> ReturnDefinition:
    text = found.text("type", "")
    return ReturnDefinition(
        found.name("name"), TypeExpression("any", text=text), found.texts("statistics"), others=found.columns()
    )


def _property(found: Value) -> PropertyDefinition:
    return PropertyDefinition("live", text=found.text("x_text", "") or property_of(found))
