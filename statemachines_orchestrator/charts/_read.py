"""From a machine class to its description; nothing is kept of python-statemachine's objects."""

from __future__ import annotations

import hashlib
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from statemachine import Event, HistoryState, State, StateChart
from statemachine.graph import iterate_states, iterate_states_and_transitions

from ._callbacks import callbacks_of, hooks_of, is_eventless, own_names_of
from ._chart import Chart
from ._records import Edge, Kind, Node
from ._tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from statemachine.transition import Transition

__all__ = ("read_chart",)

_FINGERPRINT_LENGTH = 16

_charts: WeakKeyDictionary[type, Chart] = WeakKeyDictionary()


def read_chart(machine_class: type[StateChart[Any]]) -> Chart:
    """Describe a machine class; the description is made once per class."""
    chart = _charts.get(machine_class)
    if chart is None:
        chart = _charts[machine_class] = _read(machine_class)
    return chart


def _read(machine_class: type[StateChart[Any]]) -> Chart:
    # An abstract class does not even have all the attributes.
    top: Iterable[State] = () if machine_class._abstract else machine_class.states
    initial = None if machine_class._abstract else machine_class.initial_state
    states = tuple(iterate_states(top))
    parts = tuple(iterate_states_and_transitions(top))
    defaults = {state.id: _defaults(state) for state in states}
    nodes = tuple(_node(machine_class, state, initial, defaults) for state in states)
    edges = tuple(_edge(one) for state in states for one in state.transitions if not one.initial)
    events = tuple(str(event) for event in machine_class._events)
    tree = _tree(states, nodes, defaults)
    started = tree.started(initial.id) if initial is not None else frozenset()
    return Chart(
        name=machine_class.__name__,
        states=tuple(node.id for node in nodes if not node.is_history),
        events=events,
        nodes=nodes,
        edges=edges,
        state_ids=_ids(machine_class, State, [node.id for node in nodes]),
        event_ids=_ids(machine_class, Event, events),
        initial_states=started,
        fingerprint=_fingerprint(nodes, defaults, edges),
        hooks=hooks_of(parts),
        callbacks=tuple(callbacks_of(machine_class, parts, started)),
        has_listeners=bool(machine_class._class_listeners),
        has_eventless=any(is_eventless(part) for part in parts),
        is_abstract=machine_class._abstract,
        own_names=tuple(own_names_of(machine_class)),
        reenters=bool(machine_class.enable_self_transition_entries),
        ends=frozenset(state.id for state in top if state.final),
        tree=tree,
    )


def _tree(states: tuple[State, ...], nodes: tuple[Node, ...], defaults: Mapping[str, tuple[str, ...]]) -> Tree:
    children = {state.id: tuple(child.id for child in state.states) for state in states}
    return Tree({node.id: node for node in nodes}, children, defaults)


def _defaults(state: State) -> tuple[str, ...]:
    """Return where a compound state begins, by its first initial transition, or a history that remembers nothing."""
    if isinstance(state, HistoryState):
        return tuple(target.id for one in state.transitions for target in one.targets)
    first = next((one for one in state.transitions if one.initial), None)
    return tuple(target.id for target in first.targets) if first is not None else ()


def _node(
    machine_class: type[StateChart[Any]], state: State, initial: State | None, defaults: Mapping[str, tuple[str, ...]]
) -> Node:
    return Node(
        id=state.id,
        name=str(state.name),
        value=state.value,
        parent=state.parent.id if state.parent is not None else None,
        kind=_kind(state),
        initial=_is_initial(state, initial, defaults),
        has_invoke=_has_invoke(machine_class, state),
    )


def _kind(state: State) -> Kind:
    if isinstance(state, HistoryState):
        return "deep history" if state.type.is_deep else "history"
    if state.states:
        return "parallel" if state.parallel else "compound"
    return "final" if state.final else "atomic"


def _is_initial(state: State, initial: State | None, defaults: Mapping[str, tuple[str, ...]]) -> bool:
    if state.parent is None:
        return state is initial
    if state.parent.parallel:
        return not isinstance(state, HistoryState)
    inside = {state.id, *(one.id for one in iterate_states(state.states)), *(one.id for one in state.history)}
    return not inside.isdisjoint(defaults[state.parent.id])


def _has_invoke(machine_class: type[StateChart[Any]], state: State) -> bool:
    # The conventional names are listed for every state, and count where the class has such a method.
    return any(not spec.is_convention or hasattr(machine_class, spec.attr_name) for spec in state.invoke)


def _edge(transition: Transition) -> Edge:
    validators = (f"validator {spec}" for spec in transition.validators)
    return Edge(
        source=transition.source.id,
        targets=tuple(target.id for target in transition.targets),
        # The engine never asks what event would trigger the transition of a history.
        events=() if isinstance(transition.source, HistoryState) else tuple(str(one) for one in transition.events),
        conditions=(*validators, *(str(spec) for spec in transition.cond)),
        internal=bool(transition.internal),
    )


def _ids(machine_class: type, kind: type[State | Event], ids: Iterable[str]) -> Mapping[str, str]:
    known = {one: one for one in ids}
    attributes: dict[str, Any] = {}
    for base in reversed(machine_class.__mro__):
        attributes.update(vars(base))
    attributes.pop("initial_state", None)  # not declared, but set by the metaclass
    named = {name: str(value.id) for name, value in attributes.items() if isinstance(value, kind)}
    return MappingProxyType({name: one for name, one in named.items() if one in known} | known)


def _fingerprint(nodes: tuple[Node, ...], defaults: Mapping[str, tuple[str, ...]], edges: tuple[Edge, ...]) -> str:
    # Names and values are left out: names are for people, and a value may be any object, without a stable text.
    content = [
        [[node.id, node.kind, node.parent, node.initial, list(defaults[node.id])] for node in nodes],
        [[edge.source, edge.targets, edge.events, edge.conditions, edge.internal] for edge in edges],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_FINGERPRINT_LENGTH]
