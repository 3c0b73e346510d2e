"""Where the children of a machine are: in collections of its orchestrator, under the addresses of its states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.engine import host_of

if TYPE_CHECKING:
    from statemachines_orchestrator import Members
    from statemachines_orchestrator.declare import MachinesField

    from ._machine import OrcaChart

__all__ = ("children_of", "collection_for", "field_for", "key_of", "place_of")


def children_of(machine: OrcaChart) -> dict[str, OrcaChart]:
    """Find the machines that run for the states of a machine, by the paths of the states."""
    found = {}
    for path, invocation in type(machine)._invokes.items():
        members = collection_for(machine, invocation.machine)
        child = None if members is None else members.get(key_of(machine, path))
        if child is not None:
            found[path] = child
    return found


def collection_for(machine: OrcaChart, name: str) -> Members[OrcaChart] | None:
    """Find the collection for machines of this name in the orchestrator that a machine belongs to."""
    found = field_for(machine, name)
    if found is None:
        return None
    host = place_of(machine)
    members: Members[OrcaChart] = getattr(host.orchestrator, found[0].name)
    return members


def field_for(machine: OrcaChart, name: str) -> tuple[MachinesField, type[OrcaChart]] | None:
    """Find the field that declares that collection, and the class of its machines."""
    host = place_of(machine)
    for field in host.orchestrator.__declaration__.collections if host is not None else ():
        for kind in field.classes:
            if getattr(getattr(kind, "definition", None), "name", None) == name:
                return field, kind
    return None


def key_of(machine: OrcaChart, path: str) -> str:
    """Give the address of a state of a machine, which is the key of what it invokes."""
    host = place_of(machine)
    return f"{host.relative_address(machine._engine)}.{path}"


def place_of(machine: OrcaChart) -> Any:
    """Give the place in an orchestrator that a machine has; None if it is used alone."""
    return host_of(machine)
