"""Which machines of a document a machine invokes, and which those invoke in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ._check import all_states

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orca_bridge.definition import InvokeDefinition, MachineDefinition
    from orca_bridge.syntax import Diagnostic

    Sibling: TypeAlias = tuple[MachineDefinition, tuple[Diagnostic, ...]]
    """A machine of the same document, and what the reader warned about."""

__all__ = ("Sibling", "invokes_of", "reachable", "roots")


def invokes_of(definition: MachineDefinition) -> Iterator[InvokeDefinition]:
    """Yield every invoke of a machine, in document order."""
    for state in all_states(definition.states):
        if state.invoke is not None:
            yield state.invoke


def reachable(definition: MachineDefinition, siblings: Iterable[Sibling]) -> tuple[Sibling, ...]:
    """
    Find what may run below a machine: what it invokes, and what that invokes.

    Args:
        definition: The machine.
        siblings: The machines of its document.

    Returns:
        Those of `siblings` that are meant, in their order; the machine itself only if it can come to be its own child.
    """
    available = {one.name: (one, warnings) for one, warnings in siblings}
    found: set[str] = set()
    todo = [definition]
    while todo:
        for invoke in invokes_of(todo.pop()):
            if invoke.machine in available and invoke.machine not in found:
                found.add(invoke.machine)
                todo.append(available[invoke.machine][0])
    return tuple(available[name] for name in available if name in found)


def roots(machines: Iterable[MachineDefinition]) -> tuple[MachineDefinition, ...]:
    """
    Find the machines of a document that run from the start.

    Those are the first one, which is the document's main machine, every one that no other invokes, and of machines that
    invoke each other in a circle, and that nobody else does, the first.
    """
    machines = tuple(machines)
    siblings = [(one, ()) for one in machines]
    invoked = {invoke.machine for one in machines for invoke in invokes_of(one) if invoke.machine != one.name}
    chosen = [one for one in machines if one is machines[0] or one.name not in invoked]
    for one in machines:
        below = {other.name for root in chosen for other, _ in reachable(root, siblings)}
        if one not in chosen and one.name not in below:
            chosen.append(one)
    return tuple(one for one in machines if one in chosen)
