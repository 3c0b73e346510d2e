"""Why a machine takes an event or refuses it, said before it is sent."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orca_bridge.convert import compile_guard, describe_row, is_ordinary, plan_of, walk
from orca_bridge.definition import And, Comparison, Else, GuardName, Not, NullTest, Or, Path, Truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orca_bridge.convert import OrcaChart, Row
    from orca_bridge.definition import Expression, TransitionDefinition

__all__ = ("Reasons", "Refusal")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event is not taken."""

    text: str
    guard_failed: bool = False
    ignored: bool = False

    def as_answer(self) -> dict[str, Any]:
        """Give it as the fields of an answer."""
        return {"reason": self.text, "guard_failed": self.guard_failed, "ignored": self.ignored}


class Reasons:
    """
    The rows of a machine, asked about what is the case now.

    They are tried in the order in which the converter puts them, which is the one in which the machine tries them.
    """

    def __init__(self, machine: OrcaChart) -> None:
        self._machine = machine
        self._definition = machine.definition
        self._guards = {guard.name: guard.expression for guard in self._definition.guards}
        self._plan = plan_of(self._definition)
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in self._plan.selection_order():
            self._rows[row.at].append(row)
        self._active = {str(value) for value in machine.configuration_values}

    def allowed(self) -> tuple[str, ...]:
        """Give the events that the active states have rows for, in document order."""
        if self._machine.is_terminated:
            return ()
        rows = (row.definition for path in self._rows if path in self._active for row in self._rows[path] if _acts(row))
        names = {row.event for row in rows if row.event is not None and is_ordinary(row.event)}
        declared = [event.name for event in self._definition.events]
        order = {name: index for index, name in enumerate(declared)}
        return tuple(sorted(names, key=lambda name: (order.get(name, len(order)), name)))

    def payload(self, event: str) -> str:
        """Write what an event declares to come with it, in parentheses; nothing if it declares nothing."""
        declared = next((one.payload for one in self._definition.events if one.name == event), ())
        fields = [
            one.name + (f": {one.type.text or one.type.kind}" if one.type is not None else "") for one in declared
        ]
        return f"({', '.join(fields)})" if fields else ""

    def takes(self, event: str, payload: Mapping[str, Any]) -> bool:
        """Tell whether an event would be taken now."""
        return any(map(_acts, self._tried(event, payload)[0]))

    def refusal(self, event: str, payload: Mapping[str, Any]) -> Refusal | None:
        """Say why an event would be refused or ignored; None if it would be taken."""
        if self._machine.is_terminated:
            return Refusal("the machine has ended")
        taken, failed = self._tried(event, payload)
        if any(map(_acts, taken)):
            return None
        if taken:
            return Refusal(f"{event!r} is ignored here", ignored=True)
        if failed:
            return Refusal("\n".join(self._failed(row, payload) for row in failed), guard_failed=True)
        return Refusal(self._nothing_for(event))

    # -- selection (semantics.md 2.1) -----------------------------------------------------------------------------

    def _tried(self, event: str, payload: Mapping[str, Any]) -> tuple[list[Row], list[TransitionDefinition]]:
        """Give the row that each innermost state finds, and the rows before it whose guards were false."""
        taken: list[Row] = []
        failed: list[TransitionDefinition] = []
        for state in self._machine.configuration:
            if not state.is_atomic:
                continue
            for row in self._on_the_way(str(state.value), event):
                if self._holds(row.definition, payload):
                    taken.append(row)
                    break
                failed.append(row.definition)
        return taken, list(dict.fromkeys(failed))

    def _on_the_way(self, path: str, event: str) -> Iterator[Row]:
        """Give the rows for an event from a state outwards, in the order in which they are tried."""
        while path:
            for row in self._rows.get(path, ()):
                if row.definition.event in (event, "*") and (row.within is None or row.within in self._active):
                    yield row
            path = path.rpartition(".")[0]

    def _holds(self, row: TransitionDefinition, payload: Mapping[str, Any]) -> bool:
        if isinstance(row.guard, Else):
            return not any(self._holds(rival, payload) for rival in self._plan.rivals(row))
        if row.guard is None:
            return True
        return compile_guard(row.guard, self._guards)(self._machine.context, payload)

    # -- words ----------------------------------------------------------------------------------------------------

    def _failed(self, row: TransitionDefinition, payload: Mapping[str, Any]) -> str:
        if row.guard is None or isinstance(row.guard, Else):
            return f"{describe_row(row)}: another row comes first"
        roots = {"context": self._machine.context, "event": payload}
        paths = dict.fromkeys((path.root, path.names) for path in self._paths(row.guard))
        values = [
            f"{'event' if root == 'event' else 'ctx'}.{'.'.join(names)} = {_text(walk(roots[root], names))}"
            for root, names in paths
        ]
        return f"{describe_row(row)}: its guard is false" + (f" with {', '.join(values)}" if values else "")

    def _paths(self, expression: Expression) -> Iterator[Path]:
        """Give what a guard reads, through the guards that it names."""
        match expression:
            case GuardName(name):
                yield from self._paths(self._guards[name])
            case Not(operand):
                yield from self._paths(operand)
            case And(operands) | Or(operands):
                for operand in operands:
                    yield from self._paths(operand)
            case Truth(path) | NullTest(path):
                yield path
            case Comparison(left, _, right):
                yield from (side for side in (left, right) if isinstance(side, Path))

    def _nothing_for(self, event: str) -> str:
        elsewhere = dict.fromkeys(row.source for row in self._definition.transitions if row.event == event)
        if elsewhere:
            return f"no active state has a row for {event!r}; it is taken in {', '.join(elsewhere)}"
        known = self._known()
        if event in known:
            return f"no row of the machine takes {event!r}"
        near = difflib.get_close_matches(event, known, n=1)
        return f"the machine knows no event {event!r}" + (f"; is {near[0]!r} meant?" if near else "")

    def _known(self) -> list[str]:
        used = [row.event for row in self._definition.transitions if row.event is not None]
        return list(dict.fromkeys([*(event.name for event in self._definition.events), *used]))


def _acts(row: Row) -> bool:
    return not row.ignores


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)
