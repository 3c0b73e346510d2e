"""
Documents in forms that all tools read alike (exports.md 4).

What has an equal form that is portable gets it. What has none, such as a list of actions or a negated guard, stays;
reading the result tells what that is.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from orca_bridge.definition import (
    ActionDefinition,
    ContextField,
    DecisionTable,
    Document,
    MachineDefinition,
    Outcome,
    PropertyDefinition,
    RegionDefinition,
    StateDefinition,
    TableRule,
    TimeoutDefinition,
    TransitionDefinition,
)

from ._cells import literal
from ._guard_text import guard_text
from ._portable_guards import Guards
from ._states import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orca_bridge.definition import Span
    from orca_bridge.syntax import Diagnostic

__all__ = ("portable",)

N = TypeVar("N", StateDefinition, RegionDefinition)

_SECONDS = re.compile(r"\d+s")
_SCALARS = (bool, int, float, str)
_GUARDS = frozenset(
    {
        "PORT_BARE_PATH",
        "PORT_GUARD_NULL",
        "PORT_GUARD_NUMBER",
        "PORT_GUARD_OPERAND",
        "PORT_GUARD_OPERATOR",
        "PORT_INLINE_GUARD",
        "PORT_TABLE_PIPE",
    }
)


def portable(document: Document, diagnostics: Iterable[Diagnostic]) -> Document:
    """
    Give a document of the same meaning that other tools misread in fewer places.

    Args:
        document: What was read.
        diagnostics: What was found in its text.
    """
    found: dict[str, set[int]] = {}
    for diagnostic in diagnostics:
        found.setdefault(diagnostic.code, set()).add(diagnostic.line)
    lines = _Lines(found)
    machines = tuple(_Machine(machine, lines).rewritten() for machine in document.machines)
    return replace(document, machines=machines, tables=tuple(_table(table, lines) for table in document.tables))


class _Lines:
    """The lines of a text in which something was found."""

    def __init__(self, found: Mapping[str, set[int]]) -> None:
        self._found = found

    def have(self, code: str, span: Span | None) -> bool:
        """Tell whether a code was found in the line of something."""
        return span is not None and span.line in self._found.get(code, ())

    def of(self, codes: Iterable[str]) -> set[int]:
        """Give all lines in which one of some codes was found."""
        return {line for code in codes for line in self._found.get(code, ())}


class _Machine:
    def __init__(self, machine: MachineDefinition, lines: _Lines) -> None:
        self.machine, self.lines = machine, lines
        self.guards = Guards(machine, lines.of(_GUARDS))
        nodes = list(walk(machine.states))
        names = Counter(node.name for node in nodes)
        events = {event.name for event in machine.events} | {row.event for row in machine.transitions}
        # A name that a region or an event has too might be taken for it.
        states = [node for node in nodes if isinstance(node, StateDefinition)]
        self.short = {one.path: one.name for one in states if names[one.name] == 1 and one.name not in events}

    def rewritten(self) -> MachineDefinition:
        machine = self.machine
        states = tuple(self._state(state) for state in machine.states)
        rows = tuple(self._row(row) for row in machine.transitions)
        return replace(
            machine,
            context=tuple(self._field(field) for field in machine.context),
            states=states,
            transitions=rows,
            guards=tuple(self.guards.table),
            actions=tuple(self._action(action) for action in machine.actions),
            properties=tuple(self._property(claim) for claim in machine.properties),
        )

    # -- states and transitions ---------------------------------------------------------------------------------

    def _state(self, state: StateDefinition) -> StateDefinition:
        invoke = state.invoke
        if invoke is not None:
            done, error = self._outcome(invoke.on_done), self._outcome(invoke.on_error)
            invoke = replace(invoke, on_done=done, on_error=error)
        return replace(
            _untitled(state),
            timeouts=tuple(self._timeout(timeout) for timeout in state.timeouts),
            children=tuple(self._state(child) for child in state.children),
            regions=tuple(self._region(region) for region in state.regions),
            invoke=invoke,
            on_done=self._outcome(state.on_done),
            on_error=self._outcome(state.on_error),
        )

    def _region(self, region: RegionDefinition) -> RegionDefinition:
        return replace(_untitled(region), states=tuple(self._state(state) for state in region.states))

    def _timeout(self, timeout: TimeoutDefinition) -> TimeoutDefinition:
        whole, rest = divmod(timeout.milliseconds, 1000)
        duration = timeout.duration if rest or _SECONDS.fullmatch(timeout.duration) else f"{whole}s"
        row = timeout.row if timeout.row is None else self._row(timeout.row)
        guard = {} if row is None else {"guard": row.guard, "guard_text": row.guard_text}
        outcome = self._outcome(timeout.outcome) or timeout.outcome
        return replace(timeout, duration=duration, outcome=outcome, row=row, **guard)  # type: ignore[arg-type]

    def _row(self, row: TransitionDefinition) -> TransitionDefinition:
        target = row.target_text if row.target is None else self._reference(row.target, row.target_text)
        # A bullet becomes a row, which stands where the bullet stood among the others.
        return replace(
            self.guards.named(row),
            inline=False,
            source_text=self._reference(row.source, row.source_text or row.source),
            target_text=target,
        )

    def _reference(self, path: str, text: str) -> str:
        return self.short.get(path, text) if "." in text else text

    def _outcome(self, outcome: Outcome | None) -> Outcome | None:
        if outcome is None or outcome.target is None:
            return outcome
        return replace(outcome, text=self._reference(outcome.target, outcome.text or outcome.target))

    # -- the other sections -------------------------------------------------------------------------------------

    def _field(self, field: ContextField) -> ContextField:
        if self.lines.have("PORT_ENUM", field.span):
            kind = replace(field.type, text=f"enum({', '.join(field.type.values)})")
            return replace(field, type=kind, text="")
        flagged = any(self.lines.have(code, field.span) for code in ("PORT_DEFAULT", "PORT_DASH_CELL"))
        if flagged and field.default is None:
            return replace(field, text="")
        return replace(field, text=literal(field.default)) if flagged and isinstance(field.default, _SCALARS) else field

    def _action(self, action: ActionDefinition) -> ActionDefinition:
        flagged = any(self.lines.have(code, action.span) for code in ("PORT_SIGNATURE", "PORT_EFFECT_COLUMN"))
        return replace(action, signature="") if flagged else action

    def _property(self, claim: PropertyDefinition) -> PropertyDefinition:
        if not self.lines.have("PORT_PROPERTY", claim.span) or claim.kind == "always_responds":
            return claim
        if claim.kind in ("reachable", "unreachable") and claim.source is None:
            states = self.machine.states
            first = next((state for state in states if state.initial), states[0])
            claim = replace(claim, source=first.path)
        return replace(claim, text=self._property_text(claim))

    def _property_text(self, claim: PropertyDefinition) -> str:
        source, target, through, state = (
            self.short.get(path or "", path or "") for path in (claim.source, claim.target, claim.through, claim.state)
        )
        match claim.kind:
            case "passes_through":
                return f"passes_through: {through} for {source} -> {target}"
            case "responds":
                return f"responds: {target} from {source} within {claim.within}"
            case "invariant" if claim.expression is not None:
                return f"invariant: `{guard_text(claim.expression)}`" + (f" in {state}" if state else "")
            case "reachable" | "unreachable":
                return f"{claim.kind}: {target} from {source}"
            case _:
                return claim.kind


def _untitled(node: N) -> N:
    """Let a text of the heading be a blockquote, unless there is one already."""
    return replace(node, titled=False) if not node.notes else node


def _table(table: DecisionTable, lines: _Lines) -> DecisionTable:
    rules = tuple(_rule(rule) if lines.have("PORT_DT_CELL", rule.span) else rule for rule in table.rules)
    return replace(table, rules=rules)


def _rule(rule: TableRule) -> TableRule:
    plain = tuple(
        (name, replace(test, text="") if len(test.values) == 1 and isinstance(test.values[0], bool) else test)
        for name, test in rule.conditions
    )
    return replace(rule, conditions=plain)
