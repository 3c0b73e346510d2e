"""Machines that run while a state of another one is active, our own and foreign ones (semantics.md 7)."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any
from warnings import warn

from orca_bridge.convert import walk
from orca_bridge.convert._context import copied
from orca_bridge.definition import InvokeDefinition, InvokeInput, Outcome, Path

from ._items import Item
from ._resuming import go_on
from .bridge import BridgeError, build_invocation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._core import Core
    from .types import InvokeDef

__all__ = ("MAX_DEPTH", "Children", "invocation_of")

MAX_DEPTH = 64
"""How deep children may have children."""

_logger = logging.getLogger("orca_bridge")


class Children:
    """What the states of one machine have invoked, by the full path of the state."""

    def __init__(self, machine: Core) -> None:
        self._machine = machine
        self.running: dict[str, Core] = {}
        self.foreign: dict[str, asyncio.Task[None]] = {}
        self.pending: dict[str, dict[str, Any] | None] = {}
        """Invoking states that were entered in this macrostep, with what they were entered by."""
        self.awaited: list[asyncio.Task[None]] = []
        """Foreign children that whoever caused them still has to wait for."""
        self.last: str | None = None
        """The state whose invoke was started last."""
        self._stopped: list[Core] = []

    @property
    def active(self) -> str | None:
        """The state whose invoke was started last, if it still runs."""
        return self.last if self.last in self.running or self.last in self.foreign else None

    # -- states come and go -----------------------------------------------------------------------------------

    def leave(self, path: str) -> None:
        """End what a state has invoked; nothing of it arrives any more."""
        self.pending.pop(path, None)
        child = self.running.pop(path, None)
        if child is not None:
            child._halt()
            self._stopped.append(child)
        task = self.foreign.pop(path, None)
        if task is not None:
            task.cancel()

    def leave_all(self) -> None:
        """End everything."""
        for path in [*self.running, *self.foreign, *self.pending]:
            self.leave(path)

    async def tell_stopped(self) -> None:
        """Tell the bus which children have been stopped."""
        while self._stopped:
            await self._stopped.pop(0)._tell_stopped()

    async def settle(self) -> None:
        """Start what the states that are still active invoke."""
        pending, self.pending = self.pending, {}
        for path, payload in pending.items():
            await self.start(path, self._machine._lowered.invokes[path], payload)

    async def start(self, path: str, invoke: InvokeDefinition, payload: Mapping[str, Any] | None = None) -> None:
        """Start what a state invokes."""
        machine = self._machine
        values = copied({one.name: self._value(one, payload) for one in invoke.input})
        if invoke.machine in machine._machines:
            await self._start_own(path, invoke, values)
        elif invoke.machine in machine._runners:
            self.start_foreign(path, invoke, values)
        else:
            message = f"no machine or foreign runner called {invoke.machine!r} is registered"
            self._fail(path, invoke, "UNKNOWN_MACHINE", message)

    def _value(self, given: InvokeInput, payload: Mapping[str, Any] | None) -> Any:
        if given.path is None:
            return given.literal
        root = self._machine.context if given.path.root == "context" else payload
        return walk(root, given.path.names)

    # -- children of the same table -----------------------------------------------------------------------------

    async def _start_own(self, path: str, invoke: InvokeDefinition, values: dict[str, Any]) -> None:
        if self._machine._depth >= MAX_DEPTH:
            self._fail(path, invoke, "INVOKE_DEPTH", f"machines invoke each other deeper than {MAX_DEPTH}")
            return
        child = self._machine._child(path, invoke, values)
        self.running[path], self.last = child, path
        try:
            await child._begin()
        except Exception as error:  # noqa: BLE001 - it belongs to the parent now
            await self.failed(path, child, error)

    async def ended(self, path: str, child: Core) -> None:
        """Have the parent told that a child is in a final state."""
        invoke = child._invoked_by
        if self.running.get(path) is child and invoke is not None:
            event = _event(invoke.on_done, f"done.invoke.{path}")
            await self._machine._deliver(Item(event, prepare=lambda: self._finish(path, child, invoke)))

    async def failed(self, path: str, child: Core, error: Exception) -> None:
        """
        Have the parent told that a child has failed.

        Raises:
            Exception: The error itself, if the parent has no row for it.
        """
        invoke = child._invoked_by
        if self.running.get(path) is not child or invoke is None:
            raise error
        told = {"code": getattr(error, "code", type(error).__name__), "message": str(error)}
        item = Item(
            _event(invoke.on_error, f"error.invoke.{path}"),
            {"child": invoke.machine, "error": told},
            prepare=lambda: self._detach(path, child),
            error=error,
        )
        await self._machine._deliver(item)

    async def _finish(self, path: str, child: Core, invoke: InvokeDefinition) -> dict[str, Any] | None:
        if await self._detach(path, child) is None:
            return None
        values, named = child.context, [one.name for one in child.definition.returns]
        given = [name for _, name in invoke.returns if not named or name in named]
        returns = copied({name: values[name] for name in dict.fromkeys([*named, *given]) if name in values})
        self._bind(invoke, returns)
        final, context = str(child.state), copied(values)
        return {"child": invoke.machine, "final_state": final, "context": context, "returns": returns}

    async def _detach(self, path: str, child: Core) -> dict[str, Any] | None:
        if self.running.get(path) is not child:
            return None
        self.leave(path)
        await self.tell_stopped()
        return {}

    def _bind(self, invoke: InvokeDefinition, returns: Mapping[str, Any]) -> None:
        bound = copied({field: returns[name] for field, name in invoke.returns if name in returns})
        self._machine.context.update(bound)

    async def resume(self, path: str, invoke: InvokeDefinition, snapshot: Mapping[str, Any]) -> None:
        """Let a child go on where its snapshot says."""
        machine = self._machine
        if invoke.machine not in machine._machines:
            text = f"the snapshot of {machine.definition.name!r} has a child {invoke.machine!r} in state {path!r}"
            warn(f"{text}, and no sibling machine of that name is registered: the child is left out", stacklevel=7)
            return
        child = machine._child(path, invoke, {})
        self.running[path], self.last = child, path
        await go_on(child, snapshot, "remaining", "run", cold=True)

    # -- foreign children -----------------------------------------------------------------------------------------

    def start_foreign(self, path: str, invoke: InvokeDefinition, values: dict[str, Any]) -> None:
        """Start a foreign machine; the parent goes on meanwhile."""
        task = asyncio.get_running_loop().create_task(self._foreign(path, invoke, values))
        self.foreign[path], self.last = task, path
        self.awaited.append(task)

    def resume_foreign(self, path: str, invoke: InvokeDefinition, *, run: bool) -> None:
        """Run a foreign machine again that was running when a snapshot was taken, or have it fail."""
        if run:
            self.pending[path] = None
        else:
            message = f"foreign machine {invoke.machine!r} was running when the snapshot was taken"
            self._fail(path, invoke, BridgeError.code, message)

    async def _foreign(self, path: str, invoke: InvokeDefinition, values: dict[str, Any]) -> None:
        task = asyncio.current_task()
        try:
            invocation = build_invocation(invoke.machine, values, invoke.shots, dict(invoke.returns))
            found = await self._machine._runners[invoke.machine].run(invocation)
        except BridgeError as problem:
            found = {"error": {"code": problem.code, "message": str(problem)}}
        if self.foreign.get(path) is not task:
            return
        error = found.get("error")
        event = _event(invoke.on_done, f"done.invoke.{path}") if error is None else ""
        failed = _event(invoke.on_error, f"error.invoke.{path}")

        async def finish() -> dict[str, Any] | None:
            if self.foreign.get(path) is not task:
                return None
            del self.foreign[path]
            if error is not None:
                return {"child": invoke.machine, "error": error}
            self._bind(invoke, found["returns"])
            return {"child": invoke.machine, "final_state": found["final_state"], "returns": found["returns"]}

        raised = None if error is None else _bridge_error(error)
        await self._machine._deliver(Item(event or failed, prepare=finish, error=raised))

    # -- what goes wrong before anything runs -----------------------------------------------------------------------

    def _fail(self, path: str, invoke: InvokeDefinition, code: str, message: str) -> None:
        event = _event(invoke.on_error, f"error.invoke.{path}")
        if not self._machine._takes(event):
            _logger.warning("state %r of machine %r: %s", path, self._machine.definition.name, message)
        payload = {"child": invoke.machine, "error": {"code": code, "message": message}}
        self._machine._queue.append(Item(event, payload))

    async def wait(self) -> None:
        """
        Wait for the foreign children that were started.

        Raises:
            BridgeError: One of them failed, and no row took it.
        """
        awaited, self.awaited = self.awaited, []
        if not awaited:
            return
        ended = await asyncio.gather(*awaited, return_exceptions=True)
        for found in ended:
            if isinstance(found, Exception):
                raise found


def _bridge_error(error: Mapping[str, Any]) -> BridgeError:
    found = BridgeError(str(error.get("message", error)))
    found.code = str(error.get("code", found.code))
    return found


def _event(outcome: Outcome | None, otherwise: str) -> str:
    return outcome.event if outcome is not None and outcome.event is not None else otherwise


def invocation_of(invoke: InvokeDef, names: Mapping[str, Any]) -> InvokeDefinition:
    """
    Read an invoke that was given in the published form.

    Args:
        invoke: What to run; values of its input are texts.
        names: The fields of the context: a bare one is a field and no text.
    """
    done, failed = (Outcome(event=name) if name else None for name in (invoke.on_done, invoke.on_error))
    inputs = tuple(_input(name, str(text), names) for name, text in (invoke.input or {}).items())
    returns = tuple((invoke.returns or {}).items())
    return InvokeDefinition(invoke.machine, inputs, invoke.shots, returns, done, failed)


def _input(name: str, text: str, names: Mapping[str, Any]) -> InvokeInput:
    root, *inside = text.split(".")
    if root in ("ctx", "context", "event", "payload") and inside:
        return InvokeInput(name, Path("context" if root in ("ctx", "context") else "event", tuple(inside)))
    if root in names:
        return InvokeInput(name, Path("context", (root, *inside)))
    try:
        return InvokeInput(name, literal=json.loads(text))
    except ValueError:
        return InvokeInput(name, literal=text)
