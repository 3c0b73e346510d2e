"""What an orchestrator declares, as JSON: what makes two snapshots ones of the same thing, and what sets them apart."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.declare import Link, Send

from ._classes import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from statemachine import StateChart

    from statemachines_orchestrator.declare import Declaration, Rules
    from statemachines_orchestrator.system import Scope

__all__ = (
    "chart_differences",
    "definition_of",
    "described",
    "differences",
    "fingerprint_of",
    "machines_of",
    "names_of",
)

_FINGERPRINT_LENGTH = 16
_IDENTITY = re.compile(r" at 0x[0-9a-fA-F]+")
"""What the text of an object without a text of its own tells of its place in memory."""

Definition = dict[str, Any]


def machines_of(scope: Scope) -> list[StateChart[Any]]:
    """Return the machines of one orchestrator, those in collections included, those of nested ones not."""
    engines = [*scope.members.values(), *(one for held in scope.collections.values() for one in held.values())]
    return [engine.sm for engine in engines]


def names_of(scope: Scope) -> dict[type, str]:
    """Return the name of each machine class in a snapshot of this orchestrator."""
    declared = (cls for one in scope.orchestrator.__declaration__.collections for cls in one.classes)
    return named(dict.fromkeys((*map(type, machines_of(scope)), *declared)))


def definition_of(scope: Scope) -> Definition:
    """Describe what an orchestrator and its machines declare."""
    machines = {name: type(engine.sm) for name, engine in scope.members.items()}
    systems = {name: type(child.orchestrator).__name__ for name, child in scope.children.items()}
    return described(scope.orchestrator.__declaration__, scope.rules, names_of(scope), machines, systems)


def described(
    declaration: Declaration,
    rules: Rules,
    names: Mapping[type, str],
    machines: Mapping[str, type],
    systems: Mapping[str, str],
) -> Definition:
    """
    Describe what an orchestrator class declares.

    Args:
        declaration: The declaration of the class.
        rules: Its links, guards and joint events.
        names: Names of all machine classes.
        machines: The classes of its members, absent ones left out.
        systems: Names of the classes of its nested orchestrators, absent ones left out.
    """
    return {
        "members": {
            one.name: names[machines[one.name]] if one.name in machines else None for one in declaration.members
        },
        "collections": {one.name: [names[cls] for cls in one.classes] for one in declaration.collections},
        "systems": {one.name: systems.get(one.name) for one in declaration.systems},
        "data": [one.name for one in declaration.data],
        "links": {one.name: _text(one) for one in rules.links},
        "guards": {one.name: _text(one) for one in rules.guards},
        "joint_events": {one.name: _text(one) for one in rules.joint_events},
        "charts": {name: _chart(cls) for cls, name in names.items()},
    }


def _chart(machine_class: type) -> dict[str, Any]:
    chart = read_chart(machine_class)
    states = [node.id for node in chart.nodes]
    return {"fingerprint": chart.fingerprint, "states": states, "events": list(chart.events)}


def _text(rule: Any) -> str:
    """Return a rule as text that is the same in every process."""
    if isinstance(rule, Link) and isinstance(rule.effect, Send):
        payload = {name: _ordered(value) for name, value in rule.effect.payload.items()}
        rule = replace(rule, effect=replace(rule.effect, payload=payload))
    return _IDENTITY.sub("", str(rule))


def _ordered(value: Any) -> Any:
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else value


def fingerprint_of(definition: Definition, inner: Mapping[str, str | None]) -> str:
    """
    Return a text that is equal for equal definitions, in every process; names of classes do not count.

    Args:
        definition: What `definition_of` returned.
        inner: The fingerprints of nested orchestrators by field.
    """
    charts = {name: chart["fingerprint"] for name, chart in definition["charts"].items()}
    content = {
        "members": {name: charts.get(chart) for name, chart in definition["members"].items()},
        "collections": {name: [charts[one] for one in found] for name, found in definition["collections"].items()},
        "systems": dict(inner),
        "data": sorted(definition["data"]),
        **{kind: definition[kind] for kind in ("links", "guards", "joint_events")},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_FINGERPRINT_LENGTH]


# -- differences -------------------------------------------------------------------------------------------------

_FIELDS = {"members": "member", "collections": "collection", "systems": "nested orchestrator"}
_RULES = {"links": "link", "guards": "guard", "joint_events": "joint event"}


def differences(was: Definition, now: Definition, owner: str) -> Iterator[str]:
    """
    Yield what has changed between two definitions, in words.

    Args:
        was: The definition in a snapshot.
        now: That of the class.
        owner: Name or address of the orchestrator.
    """
    for kind, word in (*_FIELDS.items(), ("data", "declared datum"), *_RULES.items()):
        yield from _gone_and_new(was[kind], now[kind], owner, word)
    for name, chart in was["members"].items():
        if now["members"].get(name) is not None and chart is not None:
            yield from _changed_chart(was["charts"].get(chart), now["charts"][now["members"][name]], f"{owner}.{name}")
    for name, charts in was["collections"].items():
        for before, after in zip(charts, now["collections"].get(name, ()), strict=False):
            yield from _changed_chart(was["charts"].get(before), now["charts"][after], f"{owner}.{name}")
    for kind, word in _RULES.items():
        for name, text in was[kind].items():
            if now[kind].get(name, text) != text:
                yield f"{owner}.{name}: the {word} was {text} and is {now[kind][name]}"


def _gone_and_new(was: Iterable[str], now: Iterable[str], owner: str, word: str) -> Iterator[str]:
    before, after = list(was), list(now)
    yield from (f"{owner}.{name}: the {word} is gone" for name in before if name not in after)
    yield from (f"{owner}.{name}: the {word} is new" for name in after if name not in before)


def chart_differences(was: dict[str, Any], machine_class: type, where: str) -> Iterator[str]:
    """Yield what has changed between the chart in a snapshot and a machine class."""
    return _changed_chart(was, _chart(machine_class), where)


def _changed_chart(was: dict[str, Any] | None, now: dict[str, Any], where: str) -> Iterator[str]:
    if was is None:
        yield f"{where}: the snapshot does not say what its machine declared"
        return
    if was["fingerprint"] == now["fingerprint"]:
        return
    found = [
        *(f"{where}: the state {one!r} is gone" for one in was["states"] if one not in now["states"]),
        *(f"{where}: the state {one!r} is new" for one in now["states"] if one not in was["states"]),
        *(f"{where}: the event {one!r} is gone" for one in was["events"] if one not in now["events"]),
        *(f"{where}: the event {one!r} is new" for one in now["events"] if one not in was["events"]),
    ]
    yield from found or [f"{where}: its states and events are the same, but its transitions or their order are not"]
