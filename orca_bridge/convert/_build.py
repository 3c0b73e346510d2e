"""
From a definition to a class of python-statemachine.

The steps are independent: names, states, rows in the order in which they are tried, callbacks, the class.
Selection needs no engine of its own, only the right order of transitions per state (semantics.md 2.1): a state's
rows for an event, then its rows for ``*``; at the top-level states, where every walk ends, then the rows of
source ``*``.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace
from threading import Lock
from types import new_class
from typing import TYPE_CHECKING, Any

from statemachine import Event, State

from orca_bridge.definition import Else, MachineDefinition, StateDefinition, TransitionDefinition

from ._check import all_states, check, describe_row, stays_final
from ._guards import Guard, GuardTable, compile_else
from ._machine import RESERVED, Blueprint, OrcaChart, Recipe
from ._names import Names, class_name, is_declarable, is_ordinary, name_all
from ._payload import payload_of
from ._run import Work, perform, raise_failure
from ._tables import table_handlers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orca_bridge.definition import DecisionTable
    from orca_bridge.syntax import Diagnostic

    from ._actions import Source
    from ._context import Typing

__all__ = ("MAX_CLASSES", "blank_machine", "machine_class")

MAX_CLASSES = 256
"""
How many generated classes are kept for reuse.

The library keeps what it learned about a class for ever, so that the same content must not become a new class
each time it is loaded.
"""

_cache: OrderedDict[tuple[str, str, int, Typing], type[OrcaChart]] = OrderedDict()
_lock = Lock()


def machine_class(
    definition: MachineDefinition,
    *,
    actions: Source | None = None,
    typing: Typing = "warn",
    warnings: tuple[Diagnostic, ...] = (),
    tables: tuple[DecisionTable, ...] = (),
) -> type[OrcaChart]:
    """
    Make the class of one machine, or return the one that was made of the same content and options.

    Args:
        definition: What a document says about the machine.
        actions: Handlers of its actions, as for `load`.
        typing: What happens when a context value is not of its declared type.
        warnings: What the reader found, to be kept on the class.
        tables: The decision tables of its document; one is the handler of the action that has its name.

    Raises:
        ConversionError: The definition cannot become a machine.
    """
    if typing not in ("strict", "warn", "off"):
        raise ValueError(f"typing is 'strict', 'warn' or 'off', not {typing!r}")
    # By content: definitions hold lists and maps and cannot be hashed. The actions are kept alive by the class.
    # A remark can come or go without any change to the definition; which file it stands in makes no other class.
    remarks = repr([replace(warning, file="") for warning in warnings])
    key = _digest(repr((definition, tables))), _digest(remarks), id(actions), typing
    with _lock:
        if key not in _cache:
            check(definition)
            _cache[key] = _Builder(Recipe(definition, actions, typing, warnings, tables)).build()
        _cache.move_to_end(key)
        while len(_cache) > MAX_CLASSES:
            _cache.popitem(last=False)
        return _cache[key]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def blank_machine(recipe: Recipe) -> OrcaChart:
    """Make an instance without state, for unpickling."""
    cls = machine_class(
        recipe.definition,
        actions=recipe.actions,
        typing=recipe.typing,
        warnings=recipe.warnings,
        tables=recipe.tables,
    )
    return cls.__new__(cls)


class _Builder:
    """The making of one class."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe, self.definition = recipe, recipe.definition
        self.states = {state.path: state for state in all_states(self.definition.states)}
        self.rows = [row for row in self.definition.transitions if not stays_final(row, self.states)]
        self.guards = GuardTable({guard.name: guard.expression for guard in self.definition.guards})
        self.class_name = class_name(self.definition.name)
        self.names = self._name()
        self.event_ids = self._event_ids()
        self.made: dict[str, State] = {}
        self.callbacks = 0

    def build(self) -> type[OrcaChart]:
        top = [self._state(state, state.initial) for state in self.definition.states]
        for source, row in self._selection_order():
            self._transition(source, row)
        namespace: dict[str, Any] = {state.id: state for state in top}
        # Events that a row uses come with the states. For each one given here the library looks through all rows.
        used = {row.event for row in self.rows}
        namespace |= {
            chosen: Event(id=chosen, name=name)
            for name, chosen in self.event_ids.items()
            if name not in used and chosen not in namespace and is_declarable(name)
        }
        namespace |= {
            "__module__": OrcaChart.__module__.rpartition(".")[0],
            "_blueprint": self._blueprint(),
            "_own_handlers": {},
            "definition": self.definition,
            "warnings": self.recipe.warnings,
        }
        cls: type[OrcaChart] = new_class(self.class_name, (OrcaChart,), {}, lambda body: body.update(namespace))
        self._finish(cls)
        return cls

    def _finish(self, cls: type[OrcaChart]) -> None:
        # Afterwards: the library renders placeholders that it finds in a docstring, and a document may hold any.
        cls.__doc__ = self.definition.description or f"The machine {self.definition.name!r}."
        for path, state in self.made.items():
            if "." in path:
                type.__setattr__(cls, state.id, state)

    def _blueprint(self) -> Blueprint:
        return Blueprint(
            self.recipe,
            self.event_ids,
            self._actions(),
            self.recipe.typing,
            {field.name: field for field in self.definition.context},
            frozenset(self.names.states.values()),
            table_handlers(self.recipe.tables),
        )

    # -- names ------------------------------------------------------------------------------------------

    def _name(self) -> Names:
        declared = [event.name for event in self.definition.events]
        used = [row.event for row in self.definition.transitions if row.event is not None]
        ordinary = [name for name in dict.fromkeys(declared + used) if is_declarable(name) and name != "error"]
        fixed = {"error"} & {*declared, *used}
        return name_all(list(self.states), ordinary, RESERVED | fixed)

    def _event_ids(self) -> dict[str, str]:
        system = {row.event: self._system_id(row.event) for row in self.rows if row.event is not None}
        return {**system, **self.names.events}

    def _system_id(self, event: str) -> str:
        """The id under which the library sends what the document calls so."""
        prefix, path = "done.state.", event.removeprefix("done.state.")
        known = event.startswith(prefix) and path in self.names.states
        return prefix + self.names.states[path] if known else event

    def _actions(self) -> tuple[str, ...]:
        by_state = (name for state in self.states.values() for name in (*state.on_entry, *state.on_exit))
        by_row = (name for row in self.rows for name in row.actions)
        return tuple(dict.fromkeys((*by_state, *by_row)))

    # -- states -----------------------------------------------------------------------------------------

    def _state(self, state: StateDefinition, initial: bool) -> State:
        first = next((child.path for child in state.children if child.initial), None)
        first = first or (state.children[0].path if state.children else None)
        children = [self._state(child, child.path == first) for child in state.children]
        made = State(
            name=state.name,
            value=state.path,
            initial=initial,
            final=state.final,
            states=children,
            enter=self._callback(Work(state.on_entry)) if state.on_entry else None,
            exit=self._callback(Work(state.on_exit)) if state.on_exit else None,
        )
        made._set_id(self.names.states[state.path])
        for child in children:
            # `Payment.processing.capturing`, beside `Payment.processing_capturing`.
            if not hasattr(made, child.name):
                setattr(made, child.name, child)
        self.made[state.path] = made
        return made

    # -- rows -------------------------------------------------------------------------------------------

    def _selection_order(self) -> Iterator[tuple[str, TransitionDefinition]]:
        """Every row with the state it is tried at, in the order in which it is tried there."""
        for path, state in self.states.items():
            yield from ((path, row) for row in _named_first(self.rows, path))
            if "." not in path and not state.final:
                # Where every walk ends. The source is the top-level state: such a row leaves all there is.
                yield from ((path, row) for row in _named_first(self.rows, "*"))

    def _transition(self, source: str, row: TransitionDefinition) -> None:
        target = self.states[row.target] if row.target is not None else None
        ends = target is not None and target.final and "." not in target.path
        takes_errors = _takes_errors(row.event)
        unprompted = row.event is None or takes_errors or "." in row.event
        work = Work(row.actions, describe_row(row), unprompted, takes_errors)
        test = self._guard(row)
        self.made[source].to(
            self.made[target.path] if target is not None else None,
            event=self._events(row.event),
            cond=self._condition(row, test) if test is not None or self._needs_name(row.event) else None,
            on=self._callback(work) if row.actions or unprompted else None,
            # When the machine has ended no macrostep follows in which a failure could be raised.
            after=raise_failure if ends else None,
        )

    def _events(self, event: str | None) -> list[Event] | None:
        if event is None:
            return None
        chosen = self.event_ids[event]
        events = [Event(id=chosen, name=event)]
        if event == "error.execution":
            events.append(Event(id="error.action", name="error.action"))
        return events

    def _needs_name(self, event: str | None) -> bool:
        """
        Whether the library would match more than the document means.

        `*` takes its done and error events, and a declared event `done` its `done.state.*`.
        """
        return event in ("*", "done", "timeout")

    def _guard(self, row: TransitionDefinition) -> Guard | None:
        if row.guard is None:
            return None
        if isinstance(row.guard, Else):
            others = [
                self.guards.compile(other.guard) if other.guard is not None else None
                for other in self.rows
                if (other.source, other.event) == (row.source, row.event) and not isinstance(other.guard, Else)
            ]
            return compile_else(others)
        return self.guards.compile(row.guard)

    # -- callbacks --------------------------------------------------------------------------------------

    def _condition(self, row: TransitionDefinition, test: Guard | None) -> Callable[..., bool]:
        if self._needs_name(row.event):
            only = None if row.event == "*" else self.event_ids[str(row.event)]

            def holds_for(machine: OrcaChart, event: Any = None, event_data: Any = None) -> bool:
                named = is_ordinary(str(event)) if only is None else str(event) == only
                return named and (test is None or test(machine.context, _asked(event_data)))

            return self._named(holds_for, row.guard_text or f"{row.event} itself")

        def holds(machine: OrcaChart, event_data: Any = None) -> bool:
            return test is None or test(machine.context, _asked(event_data))

        return self._named(holds, row.guard_text or "guard")

    def _callback(self, work: Work) -> Callable[..., Any]:
        def run(machine: OrcaChart, event_data: Any, **keywords: Any) -> Any:
            return perform(machine, work, event_data, keywords)

        return self._named(run, ", ".join(work.actions) or "row")

    def _named(self, function: Callable[..., Any], text: str) -> Callable[..., Any]:
        """
        Give a callback a name for pictures and a qualified name of its own.

        The library's signature cache takes functions of one qualified name and equal variables for the same.
        """
        self.callbacks += 1
        function.__name__ = text
        function.__qualname__ = f"{self.class_name}.<callback {self.callbacks}>"
        return function


def _named_first(rows: list[TransitionDefinition], source: str) -> list[TransitionDefinition]:
    here = [row for row in rows if row.source == source]
    return sorted(here, key=lambda row: row.event == "*")


def _takes_errors(event: str | None) -> bool:
    return event is not None and (
        event in ("error", "error.action", "error.execution") or event.startswith("error.action.")
    )


def _asked(event_data: Any) -> Mapping[str, Any] | None:
    return None if event_data is None else payload_of(event_data.trigger_data)
