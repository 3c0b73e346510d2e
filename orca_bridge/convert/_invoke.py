"""
Machines that run while a state of another one is active (semantics.md 7).

A child is a member of a collection of the same orchestrator, under the address of the state that invokes it: the system
layer gives it turns, timers, snapshots and a place in pictures, and puts it back with a step that fails. A machine that
is used alone gets an orchestrator of its own when its first child begins (`_system`).

A child begins at the rest after the macrostep that entered the state. How it ended is an event of the parent that is
posted like the event of a link. What belongs to that event (the returned values, the end of the child) is done
when the parent takes it, right before transitions are selected, so that guards see the values.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine.event import BoundEvent

from orca_bridge.exceptions import ContextTypeError, InvocationError
from statemachines_orchestrator.engine import engine_of
from statemachines_orchestrator.system import add_at_rest, post, withdraw

from ._children import collection_for, field_for, key_of, place_of
from ._context import write
from ._context_values import copy_of, values_of
from ._guards import walk
from ._names import identifier
from ._payload import payload_of, replace_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statemachine.event_data import TriggerData

    from orca_bridge.definition import InvokeDefinition, InvokeInput, Outcome
    from statemachines_orchestrator import Members

    from ._machine import OrcaChart

__all__ = (
    "MAX_DEPTH",
    "Invocation",
    "Message",
    "finish",
    "mark",
    "receive",
    "report_failure",
    "settle",
    "stop",
)

MAX_DEPTH = 64
"""How deep children may have children (semantics.md 7.6)."""

_MESSAGE = "orca_message"


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a state invokes."""

    path: str
    """The state."""
    machine: str
    """The machine, by its name in the document."""
    input: tuple[InvokeInput, ...]
    returns: tuple[tuple[str, str], ...]
    """Fields of the parent and, for each, the name of the child's value that is written to it."""
    done: str
    failed: str
    """The events that tell how the child ended."""
    shots: int | None = None
    """How often a machine that measures is run; machines of documents are none."""

    @classmethod
    def of(cls, path: str, definition: InvokeDefinition) -> Invocation:
        """Decide which events an invoke sends: those it names, or the system's."""
        return cls(
            path,
            definition.machine,
            definition.input,
            definition.returns,
            _event(definition.on_done, f"done.invoke.{path}"),
            _event(definition.on_error, f"error.invoke.{path}"),
            definition.shots,
        )


def _event(outcome: Outcome | None, otherwise: str) -> str:
    return outcome.event if outcome is not None and outcome.event is not None else otherwise


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """How a child has ended."""

    invocation: Invocation
    child: OrcaChart | None
    """None if it could not even begin."""
    error: Exception | None


# -- the parent --------------------------------------------------------------------------------------------------


def mark(machine: OrcaChart, path: str, trigger: TriggerData) -> None:
    """Remember that an invoking state was entered, and what it was entered with."""
    machine._orca.pending[path] = payload_of(trigger)


def stop(machine: OrcaChart, path: str) -> None:
    """End what a state has invoked, because the state is left; nothing of it arrives any more."""
    machine._orca.pending.pop(path, None)
    _forget_result(machine, path)
    members = collection_for(machine, type(machine)._invokes[path].machine)
    if members is not None:
        _end(members, key_of(machine, path))


def settle(machine: OrcaChart) -> None:
    """
    Do what is due at the end of a macrostep: start what is invoked, and raise a child's error that nobody takes.

    Raises:
        Exception: The child's own.
    """
    orca = machine._orca
    message, orca.message = orca.message, None
    _allow_refusal(machine, allowed=False)
    if place_of(machine) is not None:
        _check_handlers(machine)
        for path, invocation in type(machine)._invokes.items():
            if path in orca.pending:
                _start(machine, invocation, orca.pending.pop(path))
    if message is not None:
        trigger, what = message
        if what.error is not None and getattr(trigger, "refusal", None):
            raise what.error


def receive(machine: OrcaChart, trigger: TriggerData) -> None:
    """
    Look at an event that is about to be handled: if it tells how a child ended, do what belongs to that.

    Raises:
        ContextTypeError: With ``typing="strict"``, a returned value is not of the declared type of its field.
    """
    message: Message | None = vars(trigger).get(_MESSAGE)
    # That nothing takes the result of a child is no reason to refuse anything (semantics.md 2.7).
    _allow_refusal(machine, allowed=message is not None)
    machine._orca.message = None if message is None else (trigger, message)
    if message is None:
        return
    invocation, child = message.invocation, message.child
    machine._orca.results.pop(invocation.path, None)
    replace_payload(trigger, _payload(message))
    if child is None:
        return
    if message.error is None:
        _bind(machine, invocation, child)
    members = collection_for(machine, invocation.machine)
    if members is not None:
        _end(members, key_of(machine, invocation.path))


def _allow_refusal(machine: OrcaChart, *, allowed: bool) -> None:
    """Let python-statemachine pass over an event that nothing takes; else it does what the machine's class says."""
    if allowed:
        machine.allow_event_without_transition = True
    else:
        vars(machine).pop("allow_event_without_transition", None)


def _check_handlers(machine: OrcaChart) -> None:
    """
    Ask what a machine may invoke for its handlers, before it does.

    Raises:
        MissingActionError: There are some missing.
    """
    if machine._orca.has_checked:
        return
    machine._orca.has_checked = True
    for invocation in type(machine)._invokes.values():
        found = field_for(machine, invocation.machine)
        if found is not None and found[0].factory is found[1]:
            found[1]._handlers({**_inherited(machine), **found[0].arguments}.get("actions"))


def _start(machine: OrcaChart, invocation: Invocation, payload: Mapping[str, Any] | None) -> None:
    members = collection_for(machine, invocation.machine)
    key = key_of(machine, invocation.path)
    if members is None:
        _post(machine, Message(invocation, None, _no_place(machine, invocation)))
        return
    refusal = _refusal(machine, invocation, key)
    if refusal is not None:
        _post(machine, Message(invocation, None, refusal))
        return
    given = {one.name: _input(one, machine.context, payload) for one in invocation.input}
    try:
        child = add_at_rest(members, key, context=given, **_inherited(machine))
    except ContextTypeError as error:
        _post(machine, Message(invocation, None, error))
        return
    child._orca.invoker = machine, invocation


def _no_place(machine: OrcaChart, invocation: Invocation) -> InvocationError:
    host = place_of(machine)
    owner, wanted = type(host.orchestrator).__name__, identifier(invocation.machine)
    why = (
        f"{owner} has no collection for machines of this kind. Declare one, such as "
        f"{wanted.lower()}: Members[{wanted}] = machines({wanted}), or use load_orchestrator()"
    )
    return InvocationError(machine.definition.name, invocation.path, invocation.machine, "UNKNOWN_MACHINE", why)


def _refusal(machine: OrcaChart, invocation: Invocation, key: str) -> InvocationError | None:
    """Say why a machine that is known cannot run here, if it cannot."""
    if key.count("[") >= MAX_DEPTH:
        code = "INVOKE_DEPTH"
        why = (
            f"machines invoke machines {MAX_DEPTH} levels deep already. Let one of them end before it invokes the next"
        )
    elif invocation.shots is not None:
        code = "SHOTS_ON_CLASSICAL_CHILD"
        why = f"it measures nothing, so that it cannot take {invocation.shots} shots. Leave 'shots' out of the document"
    else:
        return None
    return InvocationError(machine.definition.name, invocation.path, invocation.machine, code, why)


def _input(one: InvokeInput, context: Mapping[str, Any], payload: Mapping[str, Any] | None) -> Any:
    if one.path is None:
        return deepcopy(one.literal)
    return deepcopy(walk(context if one.path.root == "context" else payload, one.path.names))


def _inherited(machine: OrcaChart) -> dict[str, Any]:
    """Give a child what was given to a machine that is used alone; an orchestrator's collection declares its own."""
    host = place_of(machine)
    if getattr(host.orchestrator, "_machine_class", None) is None:
        return {}
    found = {"actions": machine._given_actions.source, "effect_timeout": machine._effect_timeout}
    return {name: value for name, value in found.items() if value is not None}


def _payload(message: Message) -> dict[str, Any]:
    child, error = message.child, message.error
    if child is None or error is not None:
        code = getattr(error, "code", type(error).__name__)
        return {"child": message.invocation.machine, "error": {"code": code, "message": str(error)}}
    ended = next(str(state.value) for state in child.configuration if state.final and "." not in str(state.value))
    return {
        "child": child.definition.name,
        "final_state": ended,
        "context": copy_of(child.context),
        "returns": deepcopy(_returned(message.invocation, child)),
    }


def _returned(invocation: Invocation, child: OrcaChart) -> dict[str, Any]:
    """Collect what a child gives back: what it declares, else what the invoke asks for; only what it has."""
    declared = [one.name for one in child.definition.returns]
    names = declared or [name for _, name in invocation.returns]
    values = values_of(child.context)
    return {name: values[name] for name in names if name in values}


def _bind(machine: OrcaChart, invocation: Invocation, child: OrcaChart) -> None:
    """Write what a child gives back into the parent's context."""
    returned = _returned(invocation, child)
    bound = {field: deepcopy(returned[name]) for field, name in invocation.returns if name in returned}
    write(machine, bound)


def _post(machine: OrcaChart, message: Message) -> None:
    _forget_result(machine, message.invocation.path)
    name = message.invocation.done if message.error is None else message.invocation.failed
    event = BoundEvent(machine._blueprint.event_ids.get(name, name), name=name, _sm=machine)
    trigger = post(event)
    vars(trigger)[_MESSAGE] = message
    machine._orca.results[message.invocation.path] = trigger


def _forget_result(machine: OrcaChart, path: str) -> None:
    trigger = machine._orca.results.pop(path, None)
    if trigger is not None:
        trigger.cancelled = True


def _end(members: Members[OrcaChart], key: str) -> None:
    """Take a child out, and its own children before it."""
    child = members.get(key)
    if child is not None:
        _end_children(child)
        withdraw(members, key)


def _end_children(child: OrcaChart) -> None:
    for path in type(child)._invokes:
        stop(child, path)


# -- the child ---------------------------------------------------------------------------------------------------


def finish(child: OrcaChart) -> None:
    """Tell who invoked a machine that it has entered a final state; a machine that nobody invoked just ends."""
    found = _invoker_of(child)
    if found is not None:
        parent, invocation = found
        _post(parent, Message(invocation, child, None))


def report_failure(child: OrcaChart, error: Exception) -> bool:
    """
    Tell who invoked a machine that it has failed; the machine stops.

    Returns:
        Whether there is anybody to tell.
    """
    found = _invoker_of(child)
    if found is None:
        return False
    parent, invocation = found
    _end_children(child)
    engine = engine_of(child)
    engine.host.undo(partial(setattr, engine, "running", engine.running))
    engine.running = False
    _post(parent, Message(invocation, child, error))
    return True


def _invoker_of(child: OrcaChart) -> tuple[OrcaChart, Invocation] | None:
    """Find the machine and the state that a machine runs for: remembered, or, after a restore, found by its key."""
    host = place_of(child)
    key = engine_of(child).key if host is not None else None
    if host is None or key is None:
        return None
    if child._orca.invoker is None:
        child._orca.invoker = next(
            (
                (one.sm, invocation)
                for one in host.engines()
                for path, invocation in getattr(type(one.sm), "_invokes", {}).items()
                if one.host is host and key == key_of(one.sm, path) and invocation.machine == child.definition.name
            ),
            None,
        )
    return child._orca.invoker
