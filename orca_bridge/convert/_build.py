"""
From a definition to a class of python-statemachine.

What is decided is in the plan (`_plan`): names, and the order in which rows are tried. How it is made is in the weaver
(`_weave`): states, transitions, callbacks, the class.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from orca_bridge.definition import Else, StateDefinition

from ._check import all_states, check, describe_row
from ._context_class import check_class
from ._guards import GuardTable, compile_else
from ._machine import Blueprint, OrcaChart, Recipe
from ._plan import first_child, plan_of
from ._rows import inside
from ._siblings import reachable
from ._tables import table_handlers
from ._weave import Weaver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statemachine import State

    from orca_bridge.definition import DecisionTable, MachineDefinition, TransitionDefinition
    from orca_bridge.syntax import Diagnostic

    from ._actions import Source
    from ._context import Typing
    from ._guards import Guard
    from ._rows import Node, Row
    from ._siblings import Sibling

__all__ = ("MAX_CLASSES", "blank_machine", "machine_class")

MAX_CLASSES = 256
"""
How many generated classes are kept for reuse.

The library keeps what it learned about a class for ever, so that the same content must not become a new class
each time it is loaded.
"""

_logger = logging.getLogger("orca_bridge")
_cache: OrderedDict[tuple[str, str, int, Typing, tuple[tuple[str, type], ...]], type[OrcaChart]] = OrderedDict()
_lock = Lock()


def machine_class(
    definition: MachineDefinition,
    *,
    actions: Source | None = None,
    typing: Typing = "warn",
    warnings: tuple[Diagnostic, ...] = (),
    tables: tuple[DecisionTable, ...] = (),
    siblings: tuple[Sibling, ...] = (),
    contexts: Mapping[str, type] | None = None,
) -> type[OrcaChart]:
    """
    Make the class of one machine, or return the one that was made of the same content and options.

    Args:
        definition: What a document says about the machine.
        actions: Handlers of its actions, as for `load`.
        typing: What happens when a context value is not of its declared type.
        warnings: What the reader found, to be kept on the class.
        tables: The decision tables of its document; one is the handler of the action that has its name.
        siblings: The machines of its document; what the machine invokes is among them.
        contexts: Classes for contexts, by the names of machines.

    Raises:
        ConversionError: The definition cannot become a machine.
        ContextFieldsError: The class for its context does not fit.
        TypeError: That is no dataclass and no pydantic model.
    """
    if typing not in ("strict", "warn", "off"):
        raise ValueError(f"typing is 'strict', 'warn' or 'off', not {typing!r}")
    below = reachable(definition, siblings)
    concerned = {definition.name, *(one.name for one, _ in below)}
    chosen = tuple((name, cls) for name, cls in sorted((contexts or {}).items()) if name in concerned)
    # By content: definitions hold lists and maps and cannot be hashed. The actions are kept alive by the class.
    # A remark can come or go without any change to the definition; which file it stands in makes no other class.
    remarks = repr([replace(warning, file="") for warning in warnings])
    content = _digest(repr((definition, tables, [one for one, _ in below])))
    key = content, _digest(remarks), id(actions), typing, chosen
    with _lock:
        if key not in _cache:
            check(definition)
            for name, cls in chosen:
                if name == definition.name:
                    check_class(cls, definition)
            _warn_of_shots(definition, below)
            _cache[key] = _Builder(Recipe(definition, actions, typing, warnings, tables, below, chosen)).build()
        _cache.move_to_end(key)
        while len(_cache) > MAX_CLASSES:
            _cache.popitem(last=False)
        return _cache[key]


def _warn_of_shots(definition: MachineDefinition, below: Sequence[Sibling]) -> None:
    """Log what the machine will say when it comes there: a machine of its own document takes no shots."""
    known = {one.name for one, _ in below}
    for state in all_states(definition.states):
        if state.invoke is not None and state.invoke.shots is not None and state.invoke.machine in known:
            text = "SHOTS_ON_CLASSICAL_CHILD: state %r of machine %r invokes %r, which measures nothing, with 'shots'"
            _logger.warning(text, state.path, definition.name, state.invoke.machine)


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
        siblings=recipe.siblings,
        contexts=dict(recipe.contexts),
    )
    return cls.__new__(cls)


def _invoked(recipe: Recipe) -> dict[str, type[OrcaChart]]:
    """Make the classes of what may run below a machine."""
    return {
        definition.name: machine_class(
            definition,
            actions=recipe.actions,
            typing=recipe.typing,
            warnings=warnings,
            tables=recipe.tables,
            siblings=recipe.siblings,
            contexts=dict(recipe.contexts),
        )
        for definition, warnings in recipe.siblings
    }


class _Builder:
    """The making of one class."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe, self.definition = recipe, recipe.definition
        self.plan = plan_of(self.definition)
        self.guards = GuardTable({guard.name: guard.expression for guard in self.definition.guards})
        self.weaver = Weaver(self.plan.class_name, self.plan.event_ids)

    def build(self) -> type[OrcaChart]:
        top = [self._state(state, state.initial) for state in self.definition.states]
        for row in self.plan.selection_order():
            self._row(row)
        return self.weaver.weave(top, self._blueprint(), self.recipe.warnings)

    def _blueprint(self) -> Blueprint:
        return Blueprint(
            self.recipe,
            self.plan.event_ids,
            self.plan.effects(self.definition),
            self.recipe.typing,
            {field.name: field for field in self.definition.context},
            frozenset(self.plan.names.states.values()),
            table_handlers(self.recipe.tables),
            partial(_invoked, self.recipe),
            dict(self.recipe.contexts).get(self.definition.name),
        )

    def _state(self, node: Node, initial: bool) -> State:
        state = node if isinstance(node, StateDefinition) else None
        first = first_child(node)
        return self.weaver.state(
            node.path,
            self.plan.names.states[node.path],
            [self._state(child, child.path == first) for child in inside(node)],
            initial=initial,
            final=state is not None and state.final,
            sync=state.sync if state is not None and state.regions else None,
            on_entry=node.on_entry,
            on_exit=node.on_exit,
            invoke=state.invoke if state is not None else None,
            timeouts=tuple(one.milliseconds for one in state.timeouts) if state is not None else (),
        )

    def _row(self, planned: Row) -> None:
        row = planned.definition
        self.weaver.row(
            self.weaver.states[planned.at],
            row.event,
            self.weaver.states[row.target] if row.target is not None else None,
            text=describe_row(row),
            raises=planned.raises,
            ignores=planned.ignores,
            within=planned.within,
            guard=self._guard(row),
            guard_text=row.guard_text,
            actions=row.actions,
        )

    def _guard(self, row: TransitionDefinition) -> Guard | None:
        if row.guard is None:
            return None
        if isinstance(row.guard, Else):
            others = self.plan.rivals(row)
            return compile_else([self.guards.compile(other.guard) if other.guard else None for other in others])
        return self.guards.compile(row.guard)
