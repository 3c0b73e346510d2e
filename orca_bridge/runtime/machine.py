"""Machines with the methods of the published runtime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast, overload

from ._children import invocation_of
from ._core import Core
from ._foreign import ForeignRunner
from ._items import Item
from ._resuming import go_on
from ._snapshots import snapshot_of
from ._turns import begin_turn
from .bus import Event, EventBus
from .types import MachineNotActiveError, StateValue, TransitionResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orca_bridge.definition import InvokeDefinition

    from .persistence import AsyncPersistenceAdapter, PersistenceAdapter
    from .types import InvokeDef, MachineDef

__all__ = ("ActionHandler", "OrcaMachine", "TransitionCallback")

_F = TypeVar("_F", bound=Callable[..., Any])

ActionHandler: TypeAlias = Callable[..., Any]
"""Takes (), (context) or (context, payload); returns what changes in the context, or None. Synchronous or not."""
TransitionCallback: TypeAlias = Callable[[StateValue, StateValue], Awaitable[Any] | Any]
"""Told where the machine was and is, once for each microstep. Synchronous or not."""


class OrcaMachine(Core):
    """
    A machine of a document, with the methods of the published runtime.

    It is driven by one event loop. Its rules are those of the documentation's page about the runtime.

    Args:
        definition: What `parse_orca_md` and its siblings give, or a `MachineDef` built by hand.
        event_bus: Where events are published and effects are run; `get_event_bus` by default.
        context: Values to start with, over the declared defaults.
        on_transition: Called with the old and the new state for each microstep.
        persistence: Where snapshots are saved after each macrostep that took a transition.
        run_id: What they are saved as; without one nothing is saved.
        log_sink: Where an entry is written for each microstep. Added to what the published runtime has, as are all
            following ones.
        clock: The time that timers go by; the event loop's by default.
        typing: What happens when a context value is not of its declared type: ``"off"``, ``"warn"``, ``"strict"``.
        migrate: Makes a snapshot of another version one of this version.
        on_error: Told what fails while nobody waits for a result, such as a timer's action.
        effect_timeout: How long an effect may take, in seconds; longer is a failure. Without one it may take any time.

    Raises:
        ParseError: A `MachineDef` built or changed by hand has errors.
        ConversionError: The definition cannot become a machine.
    """

    def __repr__(self) -> str:
        active = "active" if self._active else "not active"
        return f"OrcaMachine({self.definition.name!r} in {self.state}, {active})"

    # -- where it is ----------------------------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """Whether it was started and not stopped; a machine that has ended by itself is still active."""
        return self._active

    @property
    def is_final(self) -> bool:
        """Whether it has reached a final state and ended. Added to what the published runtime has."""
        return self._ended

    @property
    def bus(self) -> EventBus:
        """The bus it speaks on. Added to what the published runtime has."""
        return self.event_bus

    @property
    def children(self) -> dict[str, OrcaMachine]:
        """The machines that it has invoked, by the full path of the state. Added to what the published runtime has."""
        return cast("dict[str, OrcaMachine]", dict(self._children.running))

    @property
    def _child_machines(self) -> dict[str, OrcaMachine]:
        children = self.children
        names = [path.rpartition(".")[2] for path in children]
        return {
            name if names.count(name) == 1 else path: child
            for name, (path, child) in zip(names, children.items(), strict=True)
        }

    @property
    def _active_invoke(self) -> str | None:
        return self._children.active

    # -- what it is given -----------------------------------------------------------------------------------

    @overload
    def register_action(self, name: str, handler: None = None) -> Callable[[_F], _F]: ...

    @overload
    def register_action(self, name: str, handler: ActionHandler) -> None: ...

    def register_action(self, name: str, handler: ActionHandler | None = None) -> Callable[[_F], _F] | None:
        """
        Let a handler run an action, in place of the one before; its children have it too.

        Args:
            name: The action, as the document calls it.
            handler: What runs it; without one, the result is a decorator.
        """
        if handler is None:
            return self.action(name)
        self._actions[name] = handler
        return None

    def action(self, name: str) -> Callable[[_F], _F]:
        """Let the decorated function run an action. Added to what the published runtime has."""

        def register(handler: _F) -> _F:
            self._actions[name] = handler
            return handler

        return register

    def unregister_action(self, name: str) -> None:
        """Take the handler of an action away; the action is then passed over."""
        self._actions.pop(name, None)

    def register_machines(self, machines: Mapping[str, MachineDef]) -> None:
        """Name the machines that states may invoke; children may invoke them too."""
        self._machines.update(machines)

    def register_foreign_runner(
        self,
        machine_name: str,
        runner_argv: Sequence[str],
        descriptor: Mapping[str, Any] | None = None,
        timeout: float = 30,
    ) -> None:
        """
        Name a program that runs machines of a name, by the bridge protocol.

        Args:
            machine_name: What documents invoke.
            runner_argv: The program and its arguments.
            descriptor: What it takes and gives; invocations are compared with it before it is started.
            timeout: How long it may take, in seconds.
        """
        self._runners[machine_name] = ForeignRunner(tuple(runner_argv), descriptor, timeout)

    def set_persistence_adapter(
        self, adapter: PersistenceAdapter | AsyncPersistenceAdapter | None, run_id: str | None = None
    ) -> None:
        """Save snapshots there from now on. Added to what the published runtime has."""
        self._persistence = adapter
        self.run_id: str = run_id or self.run_id

    # -- running --------------------------------------------------------------------------------------------

    async def start(self, context: Mapping[str, Any] | None = None) -> None:
        """
        Enter the initial state; do nothing if the machine is active.

        Args:
            context: More values to start with. Added to what the published runtime has.

        Raises:
            Exception: What an action raised, if no row takes it; the machine is active then.
        """
        await self._unharmed(self._begin(context))
        await self._children.wait()

    async def stop(self) -> None:
        """
        Stop without exit actions; timers and children stop too.

        What was sent before is handled first. From within a step it is at once, and what is queued is dropped.
        """
        if not self._active:
            return
        if self._is_inside():
            self._halt()
        else:
            item = Item("", owned=True, prepare=self._halted)
            self._queue.append(item)
            try:
                await self._unharmed(self._drive(item))
            except MachineNotActiveError:  # somebody else has stopped it meanwhile
                return
        await self._tell_stopped()

    async def send(
        self, event: str | Event | Mapping[str, Any], payload: Mapping[str, Any] | None = None
    ) -> TransitionResult:
        """
        Send an event and wait until all that follows from it has happened.

        Sent from within a step of the same machine (an action, a subscriber, ...) it is handled after that step,
        and the result says so. If the caller is cancelled the event is handled all the same: no step is left half done.

        Args:
            event: Its name, an `Event`, or a mapping ``{"type": name, "payload": {...}}``.
            payload: What it carries.

        Raises:
            MachineNotActiveError: The machine has not been started, or was stopped.
            Exception: What an action raised, if no row takes it. The transition has been taken then.
        """
        name, carried = (event, None) if type(event) is str and payload is None else _read_event(event, payload)
        if not self._active:
            raise MachineNotActiveError(self.definition.name)
        item = Item(name, carried, owned=not self._running or not self._is_inside())
        self._queue.append(item)
        if not item.owned:
            return TransitionResult(taken=False, from_state=str(self.state), queued=True, event=name)
        rest = begin_turn(self._drive(item))
        if rest is not None:
            await self._go_on_unharmed(rest)
        if self._children.awaited:
            await self._children.wait()
        if item.result is None:
            raise MachineNotActiveError(self.definition.name)
        return item.result

    # -- children -------------------------------------------------------------------------------------------

    async def start_child_machine(self, state_name: str, invoke_def: InvokeDef) -> None:
        """
        Start a machine as the child of a state, as if the state invoked it.

        Args:
            state_name: The state, by name or path.
            invoke_def: What to run.
        """
        invoke = invocation_of(invoke_def, self._context)
        await self._children.start(self._path(state_name), invoke)
        if not self._is_inside():
            async with self._lock:
                await self._drain()
            await self._children.wait()

    async def stop_child_machine(self, state_name: str) -> None:
        """Stop the child of a state, if it has one; the state is told nothing."""
        self._children.leave(self._path(state_name))
        await self._children.tell_stopped()

    def _child(self, path: str, invoke: InvokeDefinition, values: Mapping[str, Any]) -> OrcaMachine:
        """Make a child that shares what its parent was given."""
        child = OrcaMachine(
            self._machines[invoke.machine],
            self.event_bus,
            values,
            log_sink=self._log_sink,
            clock=self._timers.clock,
            typing=self._typing,
            on_error=self.on_error,
            effect_timeout=self._effect_timeout,
        )
        child._actions, child._machines, child._runners = self._actions, self._machines, self._runners
        child._parent, child._invoked_by, child._depth = (self, path), invoke, self._depth + 1
        child.run_id = self.run_id
        return child

    # -- snapshots ------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """
        Copy everything that is needed to go on later.

        Returns:
            A mapping that is JSON, but for what the context holds. ``remaining`` of a timer is in seconds, ``due`` and
            ``timestamp`` are seconds since 1970.
        """
        return snapshot_of(self)

    async def restore(self, snap: Mapping[str, Any], *, timers: str = "remaining", resume_foreign: str = "run") -> None:
        """
        Put an active machine where a snapshot says, without running any action.

        Args:
            snap: What `snapshot` gave; ``state`` and ``context`` are enough.
            timers: ``"remaining"`` lets timers go on with the time that they had left, ``"deadline"`` lets them fire
                when they would have. Added to what the published runtime has, as is the next one.
            resume_foreign: ``"run"`` starts foreign machines that were running again, ``"error"`` has them fail.

        Raises:
            SnapshotError: It is none of this machine. Nothing has changed then.
        """
        await go_on(self, snap, timers, resume_foreign)
        await self._children.wait()

    async def resume(self, snap: Mapping[str, Any], *, timers: str = "remaining", resume_foreign: str = "run") -> None:
        """
        Start where a snapshot says; do nothing if the machine is active.

        Args:
            snap: As for `restore`.
            timers: As for `restore`.
            resume_foreign: As for `restore`.

        Raises:
            SnapshotError: As for `restore`.
        """
        if not self._active:
            await go_on(self, snap, timers, resume_foreign, cold=True)
            await self._children.wait()

    async def load_or_start(self) -> None:
        """
        Resume the run if a snapshot of it was saved, else start.

        Raises:
            SnapshotError: What was saved cannot be used. It is not taken for a fresh start.
        """
        found = None
        if self._persistence is not None and self.run_id is not None:
            exists: Any = self._persistence.exists(self.run_id)
            if await exists if isawaitable(exists) else exists:
                loaded: Any = self._persistence.load(self.run_id)
                found = await loaded if isawaitable(loaded) else loaded
        await (self.start() if found is None else self.resume(found))


def _read_event(
    event: str | Event | Mapping[str, Any], payload: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any] | None]:
    if isinstance(event, Event):
        return event.name, dict(payload if payload is not None else event.payload)
    if isinstance(event, Mapping):
        if not isinstance(event.get("type"), str):
            raise TypeError(f"an event is {{'type': name, 'payload': {{...}}}}, not {dict(event)!r}")
        carried = payload if payload is not None else event.get("payload")
        return event["type"], None if carried is None else dict(carried)
    return event, None if payload is None else dict(payload)
