"""The other side of the bridge: a machine of ours that is called by another tool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orca_bridge.convert._names import identifier

from ._foreign import fits
from ._lower import RAISE
from .bridge import BridgeError, descriptor_for, make_result, parse_invocation
from .bus import EventBus
from .machine import OrcaMachine

if TYPE_CHECKING:
    from .types import MachineDef

__all__ = ("answer_invocation",)


async def answer_invocation(
    data: str | bytes | Mapping[str, Any],
    machines: Sequence[MachineDef],
    actions: Mapping[str, Callable[..., Any]] | object | None = None,
    *,
    lenient: bool = False,
) -> dict[str, Any]:
    """
    Run the machine that an invocation asks for until it has ended.

    Args:
        data: The invocation, as JSON or read from it.
        machines: The machines that may be asked for, and that they may invoke.
        actions: Handlers of their actions: a mapping by name, or an object with methods.
        lenient: Whether an action without a handler is passed over.

    Returns:
        The result envelope. What goes wrong is an ``error`` in it, with one of the codes ``UNKNOWN_MACHINE``,
        ``UNKNOWN_PARAM``, ``INVALID_PARAM``, ``SHOTS_ON_CLASSICAL_CHILD``, ``MISSING_ACTION``, ``CHILD_NOT_FINAL`` (the
        machine waits for an event, and nobody is there to send one), or the name of the error that was raised.

    Raises:
        BridgeError: The invocation is none.
    """
    invocation = parse_invocation(data)
    machine: OrcaMachine | None = None
    try:
        definition = _asked(invocation, machines)
        machine = _made(definition, invocation["args"], machines, actions, lenient=lenient)
        await _until_final(machine)
        returned = [one.name for one in definition.returns]
        values = {name: machine.context[name] for name in returned if name in machine.context}
        return make_result(str(machine.state), values)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side is told
        where = str(machine.state) if machine is not None else ""
        return make_result(where, {}, {"code": getattr(error, "code", type(error).__name__), "message": str(error)})
    finally:
        if machine is not None:
            await machine.stop()


def _refusal(code: str, message: str) -> BridgeError:
    found = BridgeError(message)
    found.code = code
    return found


def _asked(invocation: Mapping[str, Any], machines: Sequence[MachineDef]) -> MachineDef:
    found = next((machine for machine in machines if machine.name == invocation["child"]), None)
    if found is None:
        known = ", ".join(machine.name for machine in machines)
        raise _refusal("UNKNOWN_MACHINE", f"there is no machine {invocation['child']!r}; there is: {known}")
    if invocation["shots"] is not None:
        message = f"{found.name!r} measures nothing: leave 'shots' out, or make it null"
        raise _refusal("SHOTS_ON_CLASSICAL_CHILD", message)
    takes = {one["name"]: one["type"] for one in descriptor_for(found)["params"]}
    for name, value in invocation["args"].items():
        if name not in takes:
            raise _refusal(
                "UNKNOWN_PARAM", f"{found.name!r} takes no {name!r}; it takes: {', '.join(takes) or 'nothing'}"
            )
        if not fits(value, takes[name]):
            kind = type(value).__name__
            raise _refusal("INVALID_PARAM", f"{name!r} of {found.name!r} is {takes[name]}, not {kind} ({value!r})")
    return found


def _made(
    definition: MachineDef,
    args: Mapping[str, Any],
    machines: Sequence[MachineDef],
    actions: Mapping[str, Callable[..., Any]] | object | None,
    *,
    lenient: bool,
) -> OrcaMachine:
    machine = OrcaMachine(definition, EventBus(), args)
    machine.register_machines({one.name: one for one in machines})
    missing = []
    for one in machines:
        # Its children have the same handlers.
        plan = OrcaMachine(one, machine.event_bus)._class._blueprint
        for name in plan.actions:
            handler = _handler(actions, name)
            if handler is not None:
                machine.register_action(name, handler)
            elif one is definition and not (name in plan.tables or name.startswith(RAISE)):
                missing.append(name)
    if missing and not lenient:
        named = ", ".join(map(repr, missing))
        raise _refusal("MISSING_ACTION", f"machine {definition.name!r} has no handler for {named}")
    return machine


def _handler(actions: Mapping[str, Callable[..., Any]] | object | None, name: str) -> Callable[..., Any] | None:
    if isinstance(actions, Mapping):
        return actions.get(name)
    found: Callable[..., Any] | None = getattr(actions, name, None) or getattr(actions, identifier(name), None)
    return found


async def _until_final(machine: OrcaMachine) -> None:
    failures: list[Exception] = []
    machine.on_error = failures.append
    await machine.start()
    while not machine.is_final and not failures:
        wait = machine._next_due()
        if wait is None:
            message = (
                f"machine {machine.definition.name!r} waits for an event in {str(machine.state)!r}, and none can come"
            )
            raise _refusal("CHILD_NOT_FINAL", message)
        await asyncio.sleep(wait)
        await machine._rest()
    if failures:
        raise failures[0]
