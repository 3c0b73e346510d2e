"""The machines of a document as an orchestrator class, in a written module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.convert import field_names, invokes_of, roots

from ._python_names import docstring, identifiers, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orca_bridge.definition import MachineDefinition

__all__ = ("system_lines",)


def system_lines(machines: Sequence[MachineDefinition], names: Mapping[str, str]) -> Iterator[str]:
    """
    Write the orchestrator class of several machines; one machine that invokes nothing needs none.

    Args:
        machines: The machines of a document.
        names: Their classes in the module, by the names of the machines.
    """
    invoked = {invoke.machine for machine in machines for invoke in invokes_of(machine)} & names.keys()
    if len(machines) == 1 and not invoked:
        return
    first = machines[0]
    members = [machine.name for machine in roots(machines)]
    fields, collections = field_names(members, [machine.name for machine in machines if machine.name in invoked])
    wanted = f"{names[first.name]}System"
    name = identifiers([wanted], taken=names.values())[wanted]
    yield from ("", "")
    yield f"class {name}(Orchestrator, version={literal(first.version)}):"
    yield from docstring(f"The machines {', '.join(machine.name for machine in machines)}, in one system.", "    ")
    yield ""
    yield from (f"    {field}: {names[one]} = machine(factory={names[one]})" for one, field in fields.items())
    yield from (f"    {field}: Members[{names[one]}] = machines({names[one]})" for one, field in collections.items())
