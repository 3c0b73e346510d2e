"""What is known of a machine while it is being read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ._guards import GuardScope
from ._names import is_portable_name, report_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from orca_bridge.definition import (
        ActionDefinition,
        ContextField,
        EffectDefinition,
        EventDefinition,
        GuardDefinition,
        Others,
        PropertyDefinition,
        ReturnDefinition,
        Span,
        TransitionDefinition,
    )

    from ._diagnostics import Findings
    from ._nodes import Node
    from ._rows import PlainRow
    from ._source import Text
    from ._states import StateTree


class Move(NamedTuple):
    """A transition before its names are resolved: a row of the table or an ``on`` bullet of a state."""

    source: Text | Node
    """A cell, or the state that the bullet belongs to."""
    event: Text
    guard: Text
    target: Text
    action: Text
    whole: Text
    others: Others = ()
    scope: Node | None = None
    """The state whose own states its references mean first."""


@dataclass(slots=True)
class Draft:
    """One machine on the way to its definition; every section reader adds what it read."""

    findings: Findings
    states: StateTree
    fields: dict[str, ContextField] = field(default_factory=dict)
    events: dict[str, EventDefinition] = field(default_factory=dict)
    guards: dict[str, GuardDefinition] = field(default_factory=dict)
    guard_names: dict[str, Text] = field(default_factory=dict)
    actions: dict[str, ActionDefinition] = field(default_factory=dict)
    effects: dict[str, EffectDefinition] = field(default_factory=dict)
    returns: dict[str, ReturnDefinition] = field(default_factory=dict)
    properties: list[PropertyDefinition] = field(default_factory=list)
    moves: list[Move | PlainRow] = field(default_factory=list)
    transitions: tuple[TransitionDefinition, ...] = ()
    foreign: set[str] = field(default_factory=set)
    """Undeclared names that other tools cut, as far as they were reported."""

    def scope(self, *, in_cell: bool) -> GuardScope:
        """Give the names a guard expression may use."""
        types = {name: declared.type for name, declared in self.fields.items()}
        lines = {name: text.line for name, text in self.guard_names.items()}
        return GuardScope(types, lines.keys(), in_cell, lines)

    def is_new(self, text: Text, earlier: Span | None, what: str) -> bool:
        """Tell whether a declared name is the first of its kind, and report a second one."""
        if earlier is None:
            return True
        message = f"{text.value!r} is declared already (line {earlier.line})"
        self.findings.error("DUPLICATE_NAME", message, text, f"rename this {what} or remove it")
        return False

    def use_name(self, text: Text, declared: Collection[str]) -> None:
        """Take note of a name that need not be declared."""
        if not is_portable_name(text.value) and text.value not in declared and text.value not in self.foreign:
            self.foreign.add(text.value)
            report_name(text, self.findings)
