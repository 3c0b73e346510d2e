"""Classes made from charts."""

from __future__ import annotations

import types
from functools import lru_cache
from typing import Any

from statemachine import Event, HistoryState, State, StateChart, StateMachine
from statemachine.contrib.weighted import to as weighted_to
from statemachine.contrib.weighted import weighted_transitions
from statemachine.signature import SignatureAdapter
from statemachine.transition_list import TransitionList
from twin_data import Chart, Edge, Node
from twin_invoke import handlers
from twin_record import Recorder, act, act_async

BASES = {"StateChart": StateChart, "StateMachine": StateMachine}
UNCHECKED = ("validate_disconnected_states", "validate_trap_states", "validate_final_reachability")


def class_of(chart: Chart, recorder: Recorder) -> type[StateChart[Any]]:
    """Make a class anew: two runs share nothing, not even the numbers that weighted transitions draw."""
    # Signatures are remembered by qualified name (trap D2), and with them which arguments were met before.
    SignatureAdapter.from_callable.clear_cache()
    states: dict[str, State] = {}
    roots = {root.id: _state(root, states, recorder) for root in chart.roots}
    body: dict[str, Any] = {**roots, **_events(chart, states), **dict.fromkeys(UNCHECKED, False), **dict(chart.flags)}
    body |= functions_of(chart, "machine", recorder)
    body["__module__"] = __name__
    body["number"] = 3
    return types.new_class("Drawn", (BASES[chart.base],), {}, lambda namespace: namespace.update(body))


def _state(node: Node, states: dict[str, State], recorder: Recorder) -> State:
    if node.kind in ("shallow", "deep"):
        made = HistoryState(type=node.kind)
    elif node.children:
        inner = {child.id: _state(child, states, recorder) for child in node.children}
        base = State.Parallel if node.kind == "parallel" else State.Compound
        given = {"initial": node.initial, "invoke": handlers(node.invoke, recorder)}
        made = types.new_class(node.id, (base,), given, lambda namespace: namespace.update(inner))
    else:
        is_final = node.kind == "final"
        invoked = handlers(node.invoke, recorder)
        made = State(initial=node.initial, final=is_final, donedata=node.donedata, invoke=invoked)
    states[node.id] = made
    for child in node.children:
        if child.default is not None:
            states[child.id].to(states[child.default], on=child.default_on)
    return made


def _events(chart: Chart, states: dict[str, State]) -> dict[str, Any]:
    """Make the transitions, in their order, and the attributes that declare their events."""
    declared = {one.event: one for one in chart.declared}
    events: dict[str, Any] = {}
    for edge in chart.edges:
        if edge.event is None or not edge.event.isidentifier():
            _transitions(edge, states, event=edge.event)
        else:
            known = events.get(edge.event)
            made = _transitions(edge, states)
            events[edge.event] = made if known is None else known | made
    for event, one in declared.items():
        if event in events:
            events[event] = Event(events[event], id=event, name=event.upper(), delay=one.delay, internal=one.internal)
    return events


def _transitions(edge: Edge, states: dict[str, State], **more: Any) -> TransitionList:
    source, given = states[edge.source], dict(edge.given)
    if edge.weights:
        targets = [
            weighted_to(states[target], weight) for target, weight in zip(edge.targets, edge.weights, strict=True)
        ]
        made = weighted_transitions(source, *targets, seed=7)
        if more.get("event"):
            made.add_event(more["event"])
        return made
    targets = [states[target] for target in edge.targets]
    target = targets if len(targets) > 1 else (targets or [None])[0]
    return source.to(target, internal=edge.internal, **given, **more)


def functions_of(chart: Chart, owner: str, recorder: Recorder) -> dict[str, Any]:
    found = {}
    for callback in chart.callbacks:
        if callback.owner != owner:
            continue
        function = _maker(callback.parameters, callback.is_async)(recorder, callback)
        function.__name__ = callback.name
        function.__qualname__ = f"Drawn.{owner}.{callback.name}"
        found[callback.name] = function
    return found


@lru_cache(maxsize=4096)
def _maker(parameters: str, is_async: bool) -> Any:
    """Compile a function with these parameters, which hands all that it received on."""
    names = [one.split("=")[0].strip() for one in parameters.split(",")]
    received = ", ".join(f"{name.strip('*')!r}: {name.strip('*')}" for name in names if name not in ("*", "/"))
    head, how = ("async def", "await act_async") if is_async else ("def", "act")
    text = f"def make(recorder, callback):\n {head} function({parameters}):\n  return {how}(recorder, callback, {{{received}}})\n return function"
    names_in_text: dict[str, Any] = {"act": act, "act_async": act_async}
    exec(text, names_in_text)
    return names_in_text["make"]
