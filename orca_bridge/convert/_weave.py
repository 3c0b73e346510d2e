"""
States, rows and classes of python-statemachine, made of names, guards and actions.

Two layers stand on this: the converter, which reads a definition, and modules that were written from one. That both
use the same few calls is why their machines behave alike.
"""

from __future__ import annotations

from types import SimpleNamespace, new_class
from typing import TYPE_CHECKING, Any, cast

from statemachine import Event, State

from ._invoke import Invocation, finish, mark, stop
from ._machine import OrcaChart
from ._names import is_declarable, is_ordinary
from ._payload import payload_of
from ._regions import Parallel, in_document_order, watched_events
from ._run import Work, perform, raise_failure
from ._timeouts import arm, disarm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from statemachine.event_data import TriggerData

    from orca_bridge.definition import InvokeDefinition, Sync

    from ._actions import Names
    from ._guards import Guard
    from ._machine import Blueprint

__all__ = ("IGNORED", "Weaver")

IGNORED = "ignored event"
"""What the callback of a row is called that discards its event; no action can have that name."""


class Weaver:
    """
    The making of one class.

    Args:
        class_name: What it will be called.
        event_ids: Every event of the document, system events too, to the id it has in the class.
    """

    def __init__(self, class_name: str, event_ids: Mapping[str, str]) -> None:
        self.class_name = class_name
        self.event_ids = event_ids
        self.states: dict[str, State] = {}
        """By path."""
        self.used: set[str | None] = set()
        """Events of rows."""
        self.invokes: dict[str, Invocation] = {}
        """By the path of the state."""
        self.parallels: list[Parallel] = []
        """Parallel states that are not done just when all of their regions are."""
        self.timeouts: dict[str, tuple[int, ...]] = {}
        """The delays of timers, by the paths of states."""
        self.has_regions: bool = False
        self.callbacks: int = 0

    def state(
        self,
        path: str,
        chosen: str,
        children: Sequence[State] = (),
        *,
        initial: bool = False,
        final: bool = False,
        sync: Sync | None = None,
        on_entry: tuple[str, ...] = (),
        on_exit: tuple[str, ...] = (),
        invoke: InvokeDefinition | None = None,
        timeouts: tuple[int, ...] = (),
    ) -> State:
        """
        Make a state or region; its children are made before.

        Args:
            path: Its path in the document.
            chosen: The id chosen for it.
            children: What is in it.
            initial: Whether it is entered with what it is in.
            final: Whether it ends what it is in.
            sync: When it is done, if it is a parallel state and its children are regions.
            on_entry: Actions that it runs when it is entered.
            on_exit: Actions that it runs when it is left.
            invoke: What it invokes.
            timeouts: The delays of its timers, in milliseconds.
        """
        if invoke is not None:
            self.invokes[path] = Invocation.of(path, invoke)
        if timeouts:
            self.timeouts[path] = timeouts
        made = State(
            name=path.rpartition(".")[2],
            value=path,
            initial=initial,
            final=final,
            parallel=sync is not None,
            states=list(children),
            enter=list(self._entry(path, on_entry, ends=final and "." not in path)),
            exit=list(self._exit(path, on_exit, forgets=sync == "custom")),
        )
        made._set_id(chosen)
        _name_children(made, children)
        self.has_regions = self.has_regions or sync is not None
        if sync is not None and sync != "all-final":
            self.parallels.append(_parallel(made, sync))
        self.states[path] = made
        return made

    def row(
        self,
        source: State,
        event: str | None,
        target: State | None,
        *,
        text: str,
        guard: Guard | None = None,
        guard_text: str = "",
        actions: tuple[str, ...] = (),
        raises: str | None = None,
        ignores: bool = False,
        within: str | None = None,
    ) -> None:
        """
        Make a row, which is tried at its source after those that were made before it.

        Args:
            source: Where it is tried.
            event: What it waits for, by the name in the document; None for nothing, ``*`` for any ordinary event.
            target: Where it leads; None stays.
            text: The row in one line, for messages.
            guard: What has to hold.
            guard_text: The guard as it was written, for pictures.
            actions: What it runs, in order.
            raises: The event that it raises then.
            ignores: Whether it discards its event.
            within: The path of what has to be active.
        """
        self.used.add(event)
        takes_errors = _takes_errors(event)
        unprompted = event is None or takes_errors or "." in event
        work = Work(actions, text, unprompted, takes_errors, raises, ignores)
        needs_test = guard is not None or within is not None or _needs_name(event)
        source.to(
            target,
            event=self._events(event),
            cond=self._condition(event, guard, guard_text, within) if needs_test else None,
            on=self._callback(work) if actions or unprompted or raises is not None or ignores else None,
            after=self._after(target),
        )

    def weave(self, top: Sequence[State], blueprint: Blueprint, warnings: tuple[Any, ...] = ()) -> type[OrcaChart]:
        """
        Make the class.

        Args:
            top: The states that are in no other.
            blueprint: What the class knows beside its states and events.
            warnings: What the reader found.
        """
        namespace: dict[str, Any] = {state.id: state for state in top}
        # Events that a row uses come with the states. For each one given here the library looks through all rows.
        namespace |= {
            chosen: Event(id=chosen, name=name)
            for name, chosen in self.event_ids.items()
            if name not in self.used and chosen not in namespace and is_declarable(name)
        }
        definition = blueprint.recipe.definition
        namespace |= {
            "__module__": OrcaChart.__module__.rpartition(".")[0],
            "_blueprint": blueprint,
            "_own_handlers": {},
            "_invokes": self.invokes,
            "_has_regions": self.has_regions,
            "_timeouts": self.timeouts,
            # Where no state has others in it nobody can see that one is left before the other is entered, and an
            # action finds the machine in the state that it leaves. Regions are told apart by the order of entries.
            "atomic_configuration_update": not any(state.states for state in top),
            "_needs_home": bool(self.invokes or self.timeouts),
            "_has_to_rest": bool(self.invokes or self.has_regions),
            "_paths": {state.id: path for path, state in self.states.items()},
            "_parallels": tuple(self.parallels),
            "_watched": watched_events(self.parallels),
            "definition": definition,
            "warnings": warnings,
        }
        cls: type[OrcaChart] = new_class(self.class_name, (OrcaChart,), {}, lambda body: body.update(namespace))
        # Afterwards: the library renders placeholders that it finds in a docstring, and a document may hold any.
        cls.__doc__ = definition.description or f"The machine {definition.name!r}."
        for number, state in enumerate(_depth_first(top), 1):
            # The library gives equal numbers in different branches (its trap D30).
            state.document_order = number
            if state.parent is not None:
                type.__setattr__(cls, state.id, state)
        type.__setattr__(cls, "_order", {state.value: number for number, state in enumerate(_depth_first(top))})
        return cls

    # -- callbacks --------------------------------------------------------------------------------------

    def _entry(self, path: str, actions: tuple[str, ...], *, ends: bool) -> Iterator[Callable[..., Any]]:
        """Give what runs when a state is entered, in order (semantics.md 2.2)."""
        if path in self.timeouts:
            yield self._named(_for_state(arm, path), "begin timers")
        if actions:
            yield self._callback(Work(actions))
        if path in self.invokes:
            yield self._starter(path, self.invokes[path].machine)
        if ends:
            yield self._finisher()

    def _exit(self, path: str, actions: tuple[str, ...], *, forgets: bool) -> Iterator[Callable[..., Any]]:
        """Give what runs when a state is left, in order."""
        if path in self.timeouts:
            yield self._named(_for_state(disarm, path), "end timers")
        if path in self.invokes:
            yield self._stopper(path, self.invokes[path].machine)
        if actions:
            yield self._callback(Work(actions))
        if forgets:
            yield self._forgetter(path)

    def _events(self, event: str | None) -> list[Event] | None:
        if event is None:
            return None
        chosen = "*" if event == "*" else self.event_ids[event]
        events = [Event(id=chosen, name=event)]
        if event == "error.execution":
            events.append(Event(id="error.action", name="error.action"))
        return events

    def _after(self, target: State | None) -> list[Callable[..., None]]:
        found: list[Callable[..., None]] = []
        if self.has_regions and target is not None:
            found.append(in_document_order)
        if target is not None and target.final and "." not in str(target.value):
            # When the machine has ended no macrostep follows in which a failure could be raised.
            found.append(raise_failure)
        return found

    def _condition(
        self, event: str | None, test: Guard | None, guard_text: str, within: str | None
    ) -> Callable[..., bool]:
        if _needs_name(event) or within is not None:
            only = None if event == "*" else self.event_ids[str(event)]

            def holds_for(trigger: TriggerData) -> bool:
                machine, event = cast("OrcaChart", trigger.machine), str(trigger.event)
                named = is_ordinary(event) if only is None else event == only
                active = within is None or within in machine.configuration_values
                return named and active and (test is None or test(machine.context, payload_of(trigger)))

            return self._test(holds_for, guard_text or f"{event} itself")

        def holds(trigger: Any) -> bool:
            return test is None or test(trigger.machine.context, payload_of(trigger))

        return self._test(holds, guard_text or "guard")

    def _test(self, holds: Callable[[TriggerData], bool], text: str) -> Callable[..., bool]:
        """Make a condition of python-statemachine's; our engine asks what it is made of."""

        # Without a real trigger where the enabled events are asked for.
        def condition(machine: OrcaChart, event_data: Any = None, event: Any = None) -> bool:
            payload = None if event_data is None else payload_of(event_data.trigger_data)
            asked = SimpleNamespace(machine=machine, event=event, orca_payload=payload)
            return holds(cast("TriggerData", asked))

        condition.__orchestrator_bind__ = lambda _: holds  # type: ignore[attr-defined] # functions have attributes
        return self._named(condition, text)

    def _forgetter(self, path: str) -> Callable[..., None]:
        def forget(machine: OrcaChart) -> None:
            machine._orca.synced.discard(path)

        self._named(forget, "leave")
        return forget

    def _callback(self, work: Work) -> Callable[..., Any]:
        def run(event_data: Any, **keywords: Any) -> Any:
            return perform(work, event_data.trigger_data, lambda _: {**keywords, "event_data": event_data})

        def bound(names: Names) -> Callable[[TriggerData], Any]:
            return lambda trigger: perform(work, trigger, names)

        run.__orchestrator_bind__ = bound  # type: ignore[attr-defined] # functions have attributes
        return self._named(run, IGNORED if work.ignores else ", ".join(work.actions) or "row")

    def _starter(self, path: str, invoked: str) -> Callable[..., Any]:
        def start(machine: OrcaChart, event_data: Any) -> None:
            mark(machine, path, event_data.trigger_data)

        return self._named(start, f"invoke {invoked}")

    def _stopper(self, path: str, invoked: str) -> Callable[..., Any]:
        def end(machine: OrcaChart) -> None:
            stop(machine, path)

        return self._named(end, f"end {invoked}")

    def _finisher(self) -> Callable[..., Any]:
        def end(machine: OrcaChart) -> None:
            finish(machine)

        return self._named(end, "done")

    def _named(self, function: Callable[..., Any], text: str) -> Callable[..., Any]:
        """
        Give a callback a name for pictures and a qualified name of its own.

        The library's signature cache takes functions of one qualified name and equal variables for the same.
        """
        self.callbacks += 1
        function.__name__ = text
        function.__qualname__ = f"{self.class_name}.<callback {self.callbacks}>"
        return function


def _for_state(function: Callable[[OrcaChart, str], None], path: str) -> Callable[..., None]:
    """Make a callback that tells a function which state it is about."""

    def call(machine: OrcaChart) -> None:
        function(machine, path)

    return call


def _name_children(state: State, children: Iterable[State]) -> None:
    """Make children attributes: `Payment.processing.capturing`, beside `Payment.processing_capturing`."""
    for child in children:
        if not hasattr(state, child.name):
            setattr(state, child.name, child)


def _depth_first(states: Iterable[State]) -> Iterator[State]:
    for state in states:
        yield state
        yield from _depth_first(state.states)


def _parallel(state: State, sync: Sync) -> Parallel:
    regions = [
        (region.name, f"done.state.{region.id}", frozenset(str(inner.value) for inner in region.states if inner.final))
        for region in state.states
    ]
    return Parallel(str(state.value), f"done.state.{state.id}", sync, tuple(regions))


def _needs_name(event: str | None) -> bool:
    """
    Whether the library would match more than the document means.

    `*` takes its done and error events, and a declared event `done` its `done.state.*`.
    """
    return event in ("*", "done", "timeout")


def _takes_errors(event: str | None) -> bool:
    return event is not None and (
        event in ("error", "error.action", "error.effect", "error.execution")
        or event.startswith(("error.action.", "error.effect."))
    )
