"""
How a machine of this package runs: one macrostep at a time.

An event goes through three hands. The core gives it a turn, in order of arrival, for callers, timers and children
alike. The converted machine (`orca_bridge.convert`) selects and takes transitions. `Watch` stands around its microsteps
and tells what happens. Nothing here selects a transition.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from contextvars import ContextVar
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed
from statemachine.model import Model
from statemachine.orderedset import OrderedSet

from orca_bridge.convert import machine_class
from orca_bridge.convert._context import copied
from orca_bridge.convert._events import process
from orca_bridge.convert._payload import event_name

from ._children import Children
from ._handlers import Handlers
from ._items import Item, Step
from ._lower import lowered
from ._snapshots import initial_paths, snapshot_of, state_value
from ._source import definition_of
from ._timers import LoopClock, Timer, Timers
from ._turns import Turnstile, aside, begin_turn, told
from ._watch import Watch
from .bus import Event, EventBus, EventType, get_event_bus
from .types import MachineNotActiveError, StateValue, TransitionResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence

    from orca_bridge.convert import OrcaChart
    from orca_bridge.convert._context import Typing
    from orca_bridge.definition import InvokeDefinition, TransitionDefinition

    from ._foreign import ForeignRunner
    from ._timers import Clock
    from .logging import LogSink
    from .machine import ActionHandler, TransitionCallback
    from .persistence import AsyncPersistenceAdapter, PersistenceAdapter
    from .types import MachineDef

__all__ = ("Core",)

_MAX_VALUES = 1000

_logger = logging.getLogger("orca_bridge")
_steps: ContextVar[Step | None] = ContextVar("orca_bridge.runtime steps", default=None)
"""The innermost macrostep that the present code runs in, of any machine; tasks that it starts inherit it."""


class Core(ABC):
    """What runs below the methods of the published runtime."""

    def __init__(  # noqa: PLR0917 - the published signature
        self,
        definition: MachineDef,
        event_bus: EventBus | None = None,
        context: Mapping[str, Any] | None = None,
        on_transition: TransitionCallback | None = None,
        persistence: PersistenceAdapter | AsyncPersistenceAdapter | None = None,
        run_id: str | None = None,
        *,
        log_sink: LogSink | None = None,
        clock: Clock | None = None,
        typing: Typing = "off",
        migrate: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        on_error: Callable[[Exception], Any] | None = None,
        effect_timeout: float | None = None,
    ) -> None:
        self.definition = definition
        self.event_bus: EventBus = event_bus if event_bus is not None else get_event_bus()
        self.on_transition = on_transition
        self.run_id = run_id
        self.on_error = on_error
        self._effect_timeout = effect_timeout
        self._given = dict(context or {})
        self._context = self._start_context()
        self._persistence = persistence
        self._log_sink = log_sink
        self._migrate = migrate
        read, tables = definition_of(definition)
        self._read, self._lowered = read, lowered(read)
        self._class = machine_class(self._lowered.definition, typing=typing, tables=tables)
        self._typing: Typing = typing
        self._order = {path: place for place, path in enumerate(self._lowered.states)}
        self._actions: dict[str, ActionHandler] = {}
        self._machines: dict[str, MachineDef] = {}
        self._runners: dict[str, ForeignRunner] = {}
        self._parent: tuple[Core, str] | None = None
        self._invoked_by: InvokeDefinition | None = None
        self._depth = 0
        self._chart: OrcaChart | None = None
        self._last: Any = initial_paths(self._lowered.definition.states)
        self._active = self._ended = False
        self._queue: deque[Item] = deque()
        self._lock = Turnstile()
        self._step, self._running = Step(), False
        self._timers = Timers(clock or LoopClock(), self._ring)
        self._children = Children(self)
        self._handlers = Handlers(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: set[asyncio.Task[None]] = set()
        self._values: dict[str | tuple[str, ...], StateValue] = {}

    @property
    def state(self) -> StateValue:
        """Where the machine is; before it is started, the state that it will begin in."""
        last = self._where()
        key = last if type(last) is str else tuple(last)
        found = self._values.get(key)
        if found is None:
            if len(self._values) >= _MAX_VALUES:
                self._values.clear()
            found = self._values[key] = state_value([key] if isinstance(key, str) else key, self._order)
        return found

    def _where(self) -> Any:
        """Give the active states as the model keeps them, or as it last did; one alone is a text."""
        chart: Any = self._chart
        if chart is not None and chart.model.state is not None:
            self._last = chart.model.state
        return self._last

    @property
    def context(self) -> dict[str, Any]:
        """The live values."""
        return self._context

    @context.setter
    def context(self, values: dict[str, Any]) -> None:
        self._context = values
        if self._chart is not None:
            self._chart.context = values

    # -- begin and end -------------------------------------------------------------------------------------

    async def _begin(self, context: Mapping[str, Any] | None = None) -> None:
        async with self._lock:
            if self._active:
                return
            if self._chart is not None:
                self._context = self._start_context()
            self._context.update(context or {})
            self._active, self._ended = True, False
            chart = self._make_chart()
            started = {
                "machine": self.definition.name,
                "initial_state": str(state_value(initial_paths(self._lowered.definition.states), self._order)),
            }
            await self._run(self._enter(chart, started))
            await self._drain()

    async def _enter(self, chart: OrcaChart, started: dict[str, Any]) -> None:
        await self._publish(EventType.MACHINE_STARTED, started)
        await chart.activate_initial_state()

    def _start_context(self) -> dict[str, Any]:
        return copied(self.definition.context) | self._given

    def _make_chart(self, active: Sequence[str] | None = None) -> OrcaChart:
        model: Any = Model()
        if active:
            model.state = OrderedSet(active)
        watch = Watch(self)
        follows = self._lowered.timeouts or self._lowered.invokes
        listeners: list[object] = [watch] if follows else []
        chart = self._class(model, context=self._context, actions=self._handlers, listeners=listeners)
        # The same mapping, not a copy: whoever holds it sees what happens.
        chart.context = self._context
        watch.attach(chart)
        self._chart = chart
        return chart

    def _halt(self) -> None:
        self._where()
        self._active = False
        self._timers.cancel_all()
        self._children.leave_all()
        for item in self._queue:
            item.done = True
            if item.owned:
                item.failure = MachineNotActiveError(self.definition.name)
        self._queue.clear()

    async def _halted(self) -> None:
        self._halt()

    async def _tell_stopped(self) -> None:
        await self._children.tell_stopped()
        await self._publish(EventType.MACHINE_STOPPED, {})

    # -- turns ----------------------------------------------------------------------------------------------

    def _is_inside(self) -> bool:
        if not self._running:
            return False
        step = _steps.get()
        while step is not None and step is not self._step:
            step = step.outer
        return step is not None

    async def _deliver(self, item: Item) -> None:
        """Give an event its turn; from within a step that is after the step."""
        self._queue.append(item)
        if not self._is_inside():
            await self._drive(item)

    async def _drive(self, item: Item) -> None:
        """Handle what is queued, up to an event and what it queues."""
        if not self._lock.enter_at_once():
            await self._lock.enter()
        try:
            while not item.done:
                await self._handle(self._queue.popleft())
            if self._queue:
                await self._drain()
        finally:
            self._lock.leave()
        if item.failure is not None:
            raise item.failure

    async def _unharmed(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for steps that go on to their end when whoever waits for them is cancelled."""
        rest = begin_turn(work)
        if rest is not None:
            await self._go_on_unharmed(rest)

    async def _go_on_unharmed(self, rest: Callable[[], asyncio.Task[None]]) -> None:
        task = rest()
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._abandoned)
            raise

    def _abandoned(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._report(error)

    async def _drain(self) -> None:
        """Handle what was queued from within, up to the next event that somebody waits for."""
        raised: list[Exception] = []
        while self._queue and not self._queue[0].owned:
            item = self._queue.popleft()
            await self._handle(item)
            if isinstance(item.failure, Exception):
                if item.error is not None:
                    raised.append(item.failure)
                else:
                    self._report(item.failure)
        if raised:
            raise raised[0]

    async def _handle(self, item: Item) -> None:
        try:
            item.result = await self._run(self._take(item), item)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the item
            item.failure = await self._fail_upwards(error)
            if item.failure is None:
                item.result = TransitionResult(False, str(self.state), error=str(error), event=item.event)
        finally:
            item.done = True

    async def _fail_upwards(self, error: Exception) -> Exception | None:
        """Let the parent of a child have its failure; what is left of it is returned."""
        if self._parent is None:
            return error
        parent, path = self._parent
        try:
            await parent._children.failed(path, self, error)
        except Exception as unhandled:  # noqa: BLE001 - the same error, or one of the parent's
            return unhandled
        return None

    async def _run(self, work: Awaitable[bool | None], item: Item | None = None) -> TransitionResult:
        """Run one macrostep and all that belongs to it."""
        self._step = step = Step(_steps.get())
        before = str(self.state)
        within = _steps.set(step)
        self._running = True
        refused: bool | None = False
        try:
            try:
                refused = await work
            except Exception as error:  # noqa: BLE001 - raised below, when the step is complete
                step.failures = (error, *step.failures)
            await self._complete(step)
        finally:
            self._running = False
            _steps.reset(within)
        if step.failures:
            raise step.failures[0]
        return self._result(step, before, item, refused=bool(refused))

    async def _complete(self, step: Step) -> None:
        if step.effect_errors:
            self._tell_effect_errors(step)
        if not self._active:
            return
        if self._chart is not None and self._chart.is_terminated and not self._ended:
            await self._end()
        elif self._children.pending:
            await self._children.settle()
        if step.taken and (self._persistence is not None or self._parent is not None):
            await self._save()

    def _tell_effect_errors(self, step: Step) -> None:
        taken = {event_name(trigger) for trigger in step.taken_for}
        for failed in step.effect_errors:
            if f"error.effect.{failed['effect']}" not in taken:
                text = "effect %r of machine %r failed: %s"
                _logger.warning(text, failed["effect"], self.definition.name, failed["error"])

    async def _end(self) -> None:
        self._ended = True
        self._timers.cancel_all()
        self._children.leave_all()
        await self._children.tell_stopped()
        completed = {"machine": self.definition.name, "final_state": str(self.state)}
        await self._publish(EventType.MACHINE_COMPLETED, completed)
        if self._parent is not None:
            parent, path = self._parent
            await parent._children.ended(path, self)

    async def _save(self) -> None:
        if self._parent is not None:
            parent, path = self._parent
            if parent._children.running.get(path) is self and not parent._running:
                await parent._save()
        elif self._persistence is not None and self.run_id is not None:
            saved: Any = self._persistence.save(self.run_id, snapshot_of(self))
            if isawaitable(saved):
                await told(saved)

    # -- one event ------------------------------------------------------------------------------------------

    async def _take(self, item: Item) -> bool:
        """Let the converted machine take an event; tells whether it was refused."""
        if item.prepare is not None:
            prepared = await item.prepare()
            if prepared is None:
                return True
            item.payload = {**(item.payload or {}), **prepared}
        chart = self._chart
        if chart is None or self._ended or not self._active:
            return True
        try:
            await process(chart, item.event, item.payload)
        except TransitionNotAllowed:
            if item.error is not None:
                raise item.error from None
            return True
        return False

    def _result(self, step: Step, before: str, item: Item | None, *, refused: bool) -> TransitionResult:
        event = None if item is None else item.event
        found = TransitionResult(step.taken, before, event=event, effect_errors=step.effect_errors)
        if step.taken:
            state = self.state
            found.to_state, found.to_state_leaf = str(state), state.leaf()
        elif item is not None:
            found.ignored = not refused and self._chart is not None and self._chart._orca.ignored
            if refused:
                self._refuse(found, item.event)
        return found

    def _refuse(self, found: TransitionResult, event: str) -> None:
        if self._ended:
            found.error = f"Machine {self.definition.name!r} has finished in state {str(self.state)!r}"
            return
        rows = self._rows(event, self._active_paths())
        found.guard_failed = bool(rows)
        found.error = (
            f"Guard {rows[-1].guard_text!r} failed"
            if rows
            else f"No transition for event {event} from {self.state.leaf()}"
        )

    def _rows(self, event: str, active: Sequence[str]) -> list[TransitionDefinition]:
        """Give the rows that are asked about an event, in the order in which they are."""
        rows = [row for row in self._read.transitions if row.event in (event, "*")]
        sources = [*sorted(active, key=lambda path: -path.count(".")), "*"]
        return [row for source in sources for row in rows if row.source == source]

    def _active_paths(self) -> list[str]:
        return [str(path) for path in self._chart.configuration_values] if self._chart is not None else []

    def _takes(self, event: str) -> bool:
        """Tell whether an active state has a row for one of the machine's own events, whatever its guard says."""
        names = [event]
        while "." in names[-1]:
            names.append(names[-1].rpartition(".")[0])
        active = self._active_paths()
        sources = {*active, "*"}
        states = (self._lowered.states.get(path) for path in active)
        if names[-1] == "error" and any(state is not None and state.on_error is not None for state in states):
            return True
        return any(row.event in names and row.source in sources for row in self._lowered.definition.transitions)

    def _is_heard(self, types: Iterable[str]) -> bool:
        """Tell whether the bus is to hear of events of some types: nobody else makes an object for each."""
        bus = self.event_bus
        # One that has its own way to publish, of whatever class, gets all of them.
        return getattr(bus.publish, "__func__", None) is not EventBus.publish or bus.hears(types)

    async def _publish(self, event_type: EventType, payload: dict[str, Any]) -> None:
        if self._is_heard((event_type.value,)):
            await aside()
            await self.event_bus.publish(Event(event_type, self.definition.name, payload=payload))

    # -- states, timers, children ---------------------------------------------------------------------------

    def _path(self, name: str) -> str:
        """Give the path of a state; the published runtime knows states by their names alone."""
        if name in self._lowered.states:
            return name
        found = [path for path in self._lowered.states if path.endswith(f".{name}")]
        return found[0] if len(found) == 1 else name

    def _entered(self, path: str, payload: dict[str, Any] | None) -> None:
        for timeout in self._lowered.timeouts.get(path, ()):
            self._timers.arm(timeout)
        if path in self._lowered.invokes:
            self._children.pending[path] = payload

    def _left(self, path: str) -> None:
        self._timers.cancel(path)
        self._children.leave(path)

    def _ring(self, timer: Timer) -> asyncio.Task[None]:
        async def check() -> dict[str, Any] | None:
            return {"after": timer.timeout.seconds} if self._timers.is_current(timer) else None

        task = asyncio.get_running_loop().create_task(self._quietly(Item(timer.timeout.event, prepare=check)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _quietly(self, item: Item) -> None:
        """Give an event its turn for which nobody waits."""
        try:
            await self._deliver(item)
            await self._children.wait()
        except Exception as error:  # noqa: BLE001 - there is no caller
            self._report(error)

    def _next_due(self) -> float | None:
        """Give the time in seconds until something happens by itself, here or in a child; None if nothing does."""
        dues = [timer.due - self._timers.now() for timer in self._timers.running.values() if not timer.spent]
        dues += [due for child in self._children.running.values() if (due := child._next_due()) is not None]
        if self._tasks or self._queue:
            dues.append(0.0)
        return max(0.0, min(dues)) if dues else None

    async def _rest(self) -> None:
        """Wait until what has been begun by timers is done, here and in children."""
        await asyncio.gather(*self._tasks)
        for child in [*self._children.running.values()]:
            await child._rest()

    def _report(self, error: Exception) -> None:
        _logger.error("machine %r failed, and nobody waits for it", self.definition.name, exc_info=error)
        if self.on_error is not None:
            self.on_error(error)

    @abstractmethod
    def _child(self, path: str, invoke: InvokeDefinition, values: Mapping[str, Any]) -> Core:
        """Make a child that shares what its parent was given."""
