"""Why a machine takes an event or refuses it, said before it is sent."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orca_bridge.convert import compile_guard, describe_row, walk
from orca_bridge.definition import And, Comparison, Else, GuardName, Not, NullTest, Or, Path, Truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orca_bridge.convert import OrcaChart
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
    """The rows of a machine, asked about what is the case now."""

    def __init__(self, machine: OrcaChart) -> None:
        self._machine = machine
        self._definition = machine.definition
        self._guards = {guard.name: guard.expression for guard in self._definition.guards}

    def allowed(self) -> tuple[str, ...]:
        """Give the events that the active states have rows for, in document order."""
        found = [row.event for row in self._here() if row.event not in (None, "*")]
        declared = [event.name for event in self._definition.events]
        order = {name: index for index, name in enumerate(declared)}
        names = dict.fromkeys(str(name) for name in found if "." not in str(name))
        return tuple(sorted(names, key=lambda name: order.get(name, len(order))))

    def enabled(self, event: str, payload: Mapping[str, Any]) -> list[TransitionDefinition]:
        """Give the rows for an event whose guards hold."""
        return [row for row in self._rows(event) if self._holds(row, payload)]

    def refusal(self, event: str, payload: Mapping[str, Any]) -> Refusal | None:
        """Say why an event would be refused or ignored; None if it would be taken."""
        if self._machine.is_terminated:
            return Refusal("the machine has ended")
        if self.enabled(event, payload):
            return None
        if self._ignores(event):
            return Refusal(f"{event!r} is ignored here", ignored=True)
        rows = self._rows(event)
        if rows:
            return Refusal("\n".join(self._failed(row, payload) for row in rows), guard_failed=True)
        return Refusal(self._nothing_for(event))

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

    def _holds(self, row: TransitionDefinition, payload: Mapping[str, Any]) -> bool:
        if isinstance(row.guard, Else):
            rivals = [one for one in self._definition.transitions if (one.source, one.event) == (row.source, row.event)]
            return not any(self._holds(one, payload) for one in rivals if not isinstance(one.guard, Else))
        if row.guard is None:
            return True
        return compile_guard(row.guard, self._guards)(self._machine.context, payload)

    def _rows(self, event: str) -> list[TransitionDefinition]:
        return [row for row in self._here() if row.event in (event, "*")]

    def _here(self) -> Iterator[TransitionDefinition]:
        """Give the rows of the active states, and those of any state."""
        active = set(self._machine.configuration_values)
        return (row for row in self._definition.transitions if row.source == "*" or row.source in active)

    def _ignores(self, event: str) -> bool:
        active = set(self._machine.configuration_values)
        return any(event in node.ignored or node.ignores_all for path, node in self._nodes() if path in active)

    def _nodes(self) -> Iterator[tuple[str, Any]]:
        waiting: list[Any] = [*self._definition.states]
        while waiting:
            node = waiting.pop()
            yield node.path, node
            waiting += [*getattr(node, "children", ()), *getattr(node, "regions", ()), *getattr(node, "states", ())]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)
