"""
A document in the JSON form of orca-lang (exports.md 8), so that tools made for it understand what was read.

That form keeps texts as they were written and not what they mean, and has no place for much of what a definition
holds. What it cannot hold stands under keys that begin with ``x_``, so that nothing is lost (`read_json`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orca_bridge.definition import Not, StateDefinition

from ._cells import action_signature, type_text, updates
from ._json_guards import expression_form
from ._json_tables import table_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import (
        ActionDefinition,
        Document,
        EffectDefinition,
        EventDefinition,
        GuardDefinition,
        MachineDefinition,
        Others,
        Outcome,
        Parameter,
        PropertyDefinition,
        RegionDefinition,
        ReturnDefinition,
        Span,
        TimeoutDefinition,
        TransitionDefinition,
    )

__all__ = ("json_form", "type_in_json", "type_of_json")

_SCALARS = frozenset({"string", "int", "decimal", "bool"})
_MAP = re.compile(r"map<\s*([^,]+?)\s*,\s*(.+)>")


def json_form(document: Document) -> dict[str, Any]:
    """Give the machines and decision tables of a document as plain data."""
    return {
        "machines": [_machine(machine) for machine in document.machines],
        "decisionTables": [table_form(table) for table in document.tables],
    }


def _machine(machine: MachineDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": machine.name,
        "context": [
            {"name": field.name, "type": type_in_json(field.type.text or "string")}
            | ({"defaultValue": field.text} if field.text else {})
            | _columns(field.others)
            for field in machine.context
        ],
        "events": [_event(event) for event in machine.events if not event.inferred],
        "states": [_state(state, "") for state in machine.states],
        "transitions": [_transition(row) for row in _rows(machine)],
        "guards": [_guard(guard) for guard in machine.guards],
        "actions": [_action(action) for action in machine.actions],
    }
    if machine.effects:
        found["effects"] = [_effect(effect) for effect in machine.effects]
    if machine.properties:
        found["properties"] = [_property(claim) for claim in machine.properties]
    return found | _extra(
        version=machine.version,
        description=machine.description,
        bullets=list(machine.others),
        returns=[_return(one) for one in machine.returns],
        line=_line(machine.span),
    )


def _extra(**values: Any) -> dict[str, Any]:
    """Name what orca-lang has no key for; what is empty is left out."""
    return {f"x_{name}": value for name, value in values.items() if value}


def _columns(others: Others) -> dict[str, Any]:
    return _extra(columns=dict(others))


def _line(span: Span | None) -> int | None:
    return span.line if span is not None else None


def type_in_json(text: str) -> dict[str, Any]:
    """Read a type as orca-lang does, from its text."""
    found = _type(text)
    return found if type_of_json(found) == text else found | {"x_text": text}


def _type(text: str) -> dict[str, Any]:
    if text.endswith("?"):
        return {"kind": "optional", "innerType": text[:-1]}
    if text.endswith("[]"):
        return {"kind": "array", "elementType": text[:-2]}
    entries = _MAP.fullmatch(text)
    if entries:
        return {"kind": "map", "keyType": entries[1], "valueType": entries[2]}
    return {"kind": text} if text in _SCALARS else {"kind": "custom", "name": text}


def type_of_json(found: dict[str, Any]) -> str:
    """Write a type as text again."""
    match found.get("x_text") or found["kind"]:
        case "optional":
            return f"{found['innerType']}?"
        case "array":
            return f"{found['elementType']}[]"
        case "map":
            return f"map<{found['keyType']}, {found['valueType']}>"
        case "custom":
            return str(found["name"])
        case text:
            return str(text)


def _event(event: EventDefinition) -> dict[str, Any]:
    return {"name": event.name} | _extra(description=event.description, payload=_parameters(event.payload))


def _parameters(given: Sequence[Parameter]) -> list[dict[str, Any]]:
    return [{"name": one.name} | ({"type": type_text(one.type)} if one.type is not None else {}) for one in given]


# States.


def _state(state: StateDefinition, parent: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": state.name, "isInitial": state.initial, "isFinal": state.final}
    optional: dict[str, Any] = {"parent": parent, **_node(state)}
    optional["contains"] = [_state(child, state.path) for child in state.children]
    found |= {key: value for key, value in optional.items() if value}
    done = state.invoke.on_done if state.invoke is not None else state.on_done
    if done is not None:
        found["onDone"] = done.text
    if state.timeouts:
        last = state.timeouts[-1]
        found["timeout"] = {"duration": last.duration, "target": last.outcome.text}
    if state.invoke is not None:
        found["invoke"] = _invoke(state)
    if state.regions:
        regions = [_region(region) for region in state.regions]
        found["parallel"] = {"regions": regions} | ({"sync": state.sync} if state.sync != "all-final" else {})
    return found | _more(state)


def _node(node: StateDefinition | RegionDefinition) -> dict[str, Any]:
    return {
        "description": node.notes or node.description,
        "onEntry": ", ".join(node.on_entry),
        "onExit": ", ".join(node.on_exit),
        "ignoredEvents": list(node.ignored),
        "ignoredAll": node.ignores_all,
    }


def _region(region: RegionDefinition) -> dict[str, Any]:
    # orca-lang knows nothing of a region but its states.
    title = region.description if region.notes else ""
    own = _extra(**_node(region), title=title, bullets=list(region.others), line=_line(region.span))
    return {"name": region.name, "states": [_state(inner, region.path) for inner in region.states]} | own


def _more(state: StateDefinition) -> dict[str, Any]:
    timeouts = [_timeout(timeout) for timeout in state.timeouts]
    plain = len(timeouts) < 2 and not any("actions" in one for one in timeouts)  # noqa: PLR2004 - orca-lang has one
    return _extra(
        title=state.description if state.notes else "",
        timeouts=[] if plain else timeouts,
        on_error=_outcome(state.on_error),
        bullets=list(state.others),
        line=_line(state.span),
    )


def _timeout(timeout: TimeoutDefinition) -> dict[str, Any]:
    own = timeout.actions
    if timeout.row is not None and timeout.row.actions:
        own = own[: len(own) - len(timeout.row.actions)]
    found: dict[str, Any] = {"duration": timeout.duration, "target": timeout.outcome.text}
    return found | ({"actions": list(own)} if own else {})


def _outcome(outcome: Outcome | None) -> str:
    return outcome.text if outcome is not None else ""


def _invoke(state: StateDefinition) -> dict[str, Any]:
    invoke = state.invoke
    if invoke is None:
        return {}
    found: dict[str, Any] = {"machine": invoke.machine}
    if invoke.input:
        found["input"] = {given.name: given.text for given in invoke.input}
    if invoke.on_done is not None:
        found["onDone"] = invoke.on_done.text
    if invoke.on_error is not None:
        found["onError"] = invoke.on_error.text
    return found | _extra(shots=invoke.shots, returns=dict(invoke.returns))


# Transitions.


def _rows(machine: MachineDefinition) -> list[TransitionDefinition]:
    """Put the rows that describe a timeout back among the others."""
    described = [timeout.row for state in _all(machine.states) for timeout in state.timeouts if timeout.row is not None]
    if not described:
        return list(machine.transitions)
    rows = [*machine.transitions, *described]
    return sorted(rows, key=lambda row: (row.span.line, row.span.column) if row.span is not None else (0, 0))


def _all(states: tuple[StateDefinition, ...]) -> Iterator[StateDefinition]:
    for state in states:
        yield state
        yield from _all(state.children)
        for region in state.regions:
            yield from _all(region.states)


def _transition(row: TransitionDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {
        "source": row.source_text or row.source,
        "event": row.event or "",
        "target": row.target_text or row.target or "",
    }
    if row.guard is not None:
        negated = isinstance(row.guard, Not) and row.guard_text.startswith("!")
        found["guard"] = {"name": row.guard_text[1:] if negated else row.guard_text, "negated": negated}
    if row.actions:
        found["action"] = ", ".join(row.actions)
    ends = {"source": row.source, "target": row.target}
    resolved = {end: path for end, path in ends.items() if path is not None and path != found[end]}
    return found | _extra(resolved=resolved, inline=row.inline, line=_line(row.span)) | _columns(row.others)


# The other sections.


def _guard(guard: GuardDefinition) -> dict[str, Any]:
    found = {"name": guard.name, "expression": expression_form(guard.expression, guard.text)}
    return found | _extra(text=guard.text) | _columns(guard.others)


def _action(action: ActionDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": action.name,
        "parameters": [parameter.name for parameter in action.parameters],
        "returnType": action.returns,
        "hasEffect": bool(action.effects),
    }
    found |= {"effectType": action.effects[0]} if action.effects else {}
    return (
        found
        | _extra(
            signature=action_signature(action),
            effects=list(action.effects[1:]) and list(action.effects),
            description=action.description,
            updates=updates(action.updates),
        )
        | _columns(action.others)
    )


def _effect(effect: EffectDefinition) -> dict[str, Any]:
    found = {"name": effect.name, "input": effect.texts[0], "output": effect.texts[1]}
    return found | _extra(type=effect.type, description=effect.description) | _columns(effect.others)


def _return(given: ReturnDefinition) -> dict[str, Any]:
    found = {"name": given.name, "type": given.type.text}
    return found | ({"statistics": list(given.statistics)} if given.statistics else {}) | _columns(given.others)


def _property(claim: PropertyDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": claim.kind}
    if claim.expression is not None:
        found["expression"] = expression_form(claim.expression, claim.text)
    names = {"from": claim.source, "to": claim.target, "through": claim.through, "inState": claim.state}
    found |= {key: value for key, value in names.items() if value is not None}
    return found | ({"within": claim.within} if claim.within is not None else {}) | _extra(text=claim.text)
