"""Loading documents of several machines: to one orchestrator class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._load import Options, class_of, contexts_of, machines_of, read_file, reading_of
from .convert import OrcaChart, OrcaSystem, invokes_of, roots, system_class
from .exceptions import ConversionError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from .convert._actions import Source
    from .convert._context import Typing
    from .definition import MachineDefinition
    from .syntax import Reading

__all__ = ("load_orchestrator", "loads_orchestrator")


def load_orchestrator(
    path: str | os.PathLike[str],
    *,
    actions: Source | None = None,
    context: Mapping[str, type[Any]] | None = None,
    typing: Typing = "warn",
    machines: Iterable[type[OrcaChart]] = (),
) -> type[OrcaSystem]:
    """
    Load all machines of a document as one orchestrator class.

    The class is called like the first machine, with ``System`` behind it. A machine that no other invokes is a
    member and runs from the start; its field is its name in snake case. Machines that states invoke are collections:
    while the state ``booking`` of ``trip`` is active, ``system.hotel["trip.booking"]`` is the hotel that it invokes.

    Args:
        path: A file called ``*.md`` or ``*.orca``.
        actions: Handlers of the actions and effects of all machines, as for `load`.
        context: Dataclasses or pydantic models that keep contexts, by the names of machines.
        typing: As for `load`.
        machines: Classes that stand for the machines of the same name, such as subclasses with methods; also
            classes of machines that the document invokes and does not define.

    Raises:
        DocumentFileError: The path is no document.
        DocumentError: The document has errors; all of them are in the message.
        ConversionError: Machines cannot become classes, or something is invoked that is nowhere defined; all of it
            is in the message.
        ContextFieldsError: A class for a context does not fit the document.
        UnknownMachineError: Such a class is given for no machine of the document.
    """
    content, name = read_file(path)
    return _system(reading_of(content, name), Options(actions, typing, context or {}), machines)


def loads_orchestrator(
    text: str | bytes,
    *,
    name: str = "<string>",
    actions: Source | None = None,
    context: Mapping[str, type[Any]] | None = None,
    typing: Typing = "warn",
    machines: Iterable[type[OrcaChart]] = (),
) -> type[OrcaSystem]:
    """
    Load all machines of the text of a document as one orchestrator class.

    Args:
        text: The document.
        name: What to call it in messages, as for `loads`.
        actions: As for `load_orchestrator`.
        context: As for `load_orchestrator`.
        typing: As for `load_orchestrator`.
        machines: As for `load_orchestrator`.

    Raises:
        DocumentError: As for `load_orchestrator`; so are the others.
    """
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _system(reading_of(content, name), Options(actions, typing, context or {}), machines)


def _system(reading: Reading, options: Options, given: Iterable[type[OrcaChart]]) -> type[OrcaSystem]:
    definitions = machines_of(reading)
    contexts_of(options.contexts, reading)
    stand_ins = {kind.definition.name: kind for kind in given}
    classes: dict[str, type[OrcaChart]] = {}
    errors = list(_unknown(definitions, reading, stand_ins))
    for definition in definitions:
        try:
            classes[definition.name] = stand_ins.get(definition.name) or class_of(definition, reading, options)
        except ConversionError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else ConversionError.of_several(errors)
    return _made(definitions, {**stand_ins, **classes}, reading)


def _made(
    definitions: tuple[MachineDefinition, ...], classes: Mapping[str, type[OrcaChart]], reading: Reading
) -> type[OrcaSystem]:
    first = definitions[0]
    members = [classes[one.name] for one in roots(definitions)]
    # Of the classes, since one that stands in for a machine may have been written as Python.
    invoked = {invocation.machine for kind in classes.values() for invocation in kind._invokes.values()}
    attributes: dict[str, Any] = {"__doc__": first.description or f"The machines of {reading.name}."}
    return system_class(
        f"{classes[first.name].__name__}System",
        members,
        [kind for name, kind in classes.items() if name in invoked],
        version=first.version,
        **attributes,
    )


def _unknown(
    definitions: tuple[MachineDefinition, ...], reading: Reading, given: Mapping[str, object]
) -> Iterator[ConversionError]:
    """Find what is invoked and defined nowhere."""
    known = {one.name for one in definitions} | given.keys()
    for definition in definitions:
        missing = [invoke for invoke in invokes_of(definition) if invoke.machine not in known]
        if not missing:
            continue
        way = "define it in this document, or pass a class of that name by machines="
        problems = [f"UNKNOWN_MACHINE: {invoke.machine!r} is invoked and not defined; {way}" for invoke in missing]
        shown = [
            reading.problem(
                "UNKNOWN_MACHINE",
                f"{invoke.machine!r} is invoked, and no machine of this document is called so",
                invoke.span,
                way,
                definition.name,
            )
            for invoke in missing
            if invoke.span is not None
        ]
        yield ConversionError(definition.name, problems, (), shown)
