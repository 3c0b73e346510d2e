"""Loading documents: from a path or a text to classes."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from .convert import OrcaChart, Table, machine_class
from .exceptions import ConversionError, DocumentError, DocumentFileError, UnknownMachineError, UnknownTableError
from .syntax import Diagnostic, Reading, read

if TYPE_CHECKING:
    from typing import Any

    from .convert._actions import Source
    from .convert._context import Typing
    from .definition import DecisionTable, MachineDefinition

__all__ = (
    "SUFFIXES",
    "Options",
    "class_of",
    "contexts_of",
    "load",
    "load_all",
    "load_table",
    "loads",
    "loads_table",
    "machines_of",
    "read_file",
    "reading_of",
)

SUFFIXES = (".md", ".orca")
_MAX_DOCUMENTS = 128

_logger = logging.getLogger("orca_bridge")
_documents: OrderedDict[tuple[str, str], Reading] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Options:
    """What was passed for all machines of a document."""

    actions: Source | None = None
    typing: Typing = "warn"
    contexts: Mapping[str, type[Any]] = field(default_factory=dict)
    """Classes for contexts, by the names of machines."""


def load(
    path: str | os.PathLike[str],
    *,
    machine: str | None = None,
    actions: Source | None = None,
    context: type[Any] | Mapping[str, type[Any]] | None = None,
    typing: Typing = "warn",
) -> type[OrcaChart]:
    """
    Load a machine of a document as a class of python-statemachine.

    The same content and options give the same class. What the reader warns about is kept in the class attribute
    ``warnings`` and logged once (logger ``orca_bridge``): at level WARNING what it has not understood and passes over,
    at INFO remarks about portability. It is not sent out as Python warnings,
    because a remark about portability is no reason for a test suite with warnings as errors to fail.
    ``orca-bridge check`` prints all of them.

    Args:
        path: A file called ``*.md`` or ``*.orca``.
        machine: The machine wanted, by its name in the document; the first one by default.
        actions: Handlers of its actions and effects: a mapping by name, an `Actions`, or an object with methods. They
            may also be methods of a subclass, or be given to the constructor.
        context: A dataclass or a pydantic model that keeps the context, in place of a dict; by the names of machines
            also for those that it invokes.
        typing: What happens when a context value is not of its declared type: ``"warn"`` logs each field once,
            ``"strict"`` raises, ``"off"`` does not look.

    Returns:
        A subclass of `OrcaChart`, to be used or subclassed.

    Raises:
        DocumentFileError: The path is no document.
        DocumentError: The document has errors; all of them are in the message.
        UnknownMachineError: It defines no such machine.
        ConversionError: The machine cannot become a class.
        ContextFieldsError: The class for its context does not fit the document.
    """
    content, name = read_file(path)
    return _one(content, name, machine, context, Options(actions, typing))


def loads(
    text: str | bytes,
    *,
    name: str = "<string>",
    machine: str | None = None,
    actions: Source | None = None,
    context: type[Any] | Mapping[str, type[Any]] | None = None,
    typing: Typing = "warn",
) -> type[OrcaChart]:
    """
    Load a machine from the text of a document.

    Args:
        text: The document.
        name: What to call it in messages; a name that ends in ``.md`` or ``.orca`` also settles the syntax.
        machine: As for `load`.
        actions: As for `load`.
        context: As for `load`.
        typing: As for `load`.

    Raises:
        DocumentError: As for `load`; `UnknownMachineError`, `ConversionError` and `ContextFieldsError` too.
        TypeError: The text is a path, or nothing that could be a text.
    """
    if isinstance(text, os.PathLike):
        raise TypeError(f"loads() takes the text of a document, not a path: use load({text!r})")
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(memoryview(text))
    try:
        return _one(content, name, machine, context, Options(actions, typing))
    except DocumentError as error:
        if isinstance(text, str) and "\n" not in text and text.endswith(SUFFIXES):
            error.add_note(f"if this is the path of a document, use load({text!r})")
        raise


def load_all(
    path: str | os.PathLike[str],
    *,
    actions: Source | None = None,
    context: Mapping[str, type[Any]] | None = None,
    typing: Typing = "warn",
) -> dict[str, type[OrcaChart]]:
    """
    Load every machine of a document.

    Args:
        path: As for `load`.
        actions: As for `load`; shared by all machines.
        context: As for `load`, by the names of machines.
        typing: As for `load`.

    Returns:
        The classes by the names that the document gives them, in its order.

    Raises:
        DocumentFileError: As for `load`; so are the others.
    """
    content, name = read_file(path)
    reading = reading_of(content, name)
    options = Options(actions, typing, contexts_of(context, reading))
    return {definition.name: class_of(definition, reading, options) for definition in machines_of(reading)}


def load_table(path: str | os.PathLike[str], table: str | None = None) -> Table:
    """
    Load a decision table of a document as a function.

    Args:
        path: As for `load`.
        table: The table wanted, by its name in the document; the first one by default.

    Raises:
        DocumentFileError: As for `load`; `DocumentError` too.
        UnknownTableError: It defines no such table, or none at all.
    """
    content, name = read_file(path)
    return _table(content, name, table)


def loads_table(text: str | bytes, table: str | None = None, *, name: str = "<string>") -> Table:
    """
    Load a decision table from the text of a document.

    Args:
        text: The document.
        table: As for `load_table`.
        name: What to call the document in messages.

    Raises:
        DocumentError: As for `load`.
        UnknownTableError: As for `load_table`.
    """
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _table(content, name, table)


def read_file(path: str | os.PathLike[str], *, any_name: bool = False) -> tuple[bytes, str]:
    """
    Read the bytes of a document.

    Args:
        path: The file.
        any_name: Whether it may have any suffix.

    Returns:
        The content, and the name to call it by.

    Raises:
        DocumentFileError: There is no such file, it is a directory, it cannot be read, or its suffix is another.
    """
    file = Path(path)
    if file.is_dir():
        raise DocumentFileError(str(file), "it is a directory; give a file in it")
    if not any_name and file.suffix.lower() not in SUFFIXES:
        raise DocumentFileError(str(file), "a document is called *.md or *.orca; use loads() for other text")
    try:
        return file.read_bytes(), str(file)
    except ValueError as error:  # a NUL in the path
        raise DocumentFileError(str(file), f"it cannot be a path: {error}") from None
    except FileNotFoundError:
        raise DocumentFileError(str(file), "there is no such file") from None
    except OSError as error:
        raise DocumentFileError(str(file), f"it cannot be read: {error.strerror or error}") from error


def _one(
    content: bytes,
    name: str,
    machine: str | None,
    context: type[Any] | Mapping[str, type[Any]] | None,
    options: Options,
) -> type[OrcaChart]:
    reading = reading_of(content, name)
    found = _machine_of(reading, machine)
    given = context if context is None or isinstance(context, Mapping) else {found.name: context}
    return class_of(found, reading, replace(options, contexts=contexts_of(given, reading)))


def _machine_of(reading: Reading, machine: str | None) -> MachineDefinition:
    machines = machines_of(reading)
    for definition in machines:
        if machine in (None, definition.name):
            return definition
    raise UnknownMachineError(reading.name, str(machine), [definition.name for definition in machines])


def contexts_of(given: Mapping[str, type[Any]] | None, reading: Reading) -> Mapping[str, type[Any]]:
    """
    Look whether classes for contexts are given for machines of the document.

    Raises:
        UnknownMachineError: One is for no machine of it.
    """
    for name in given or {}:
        _machine_of(reading, name)
    return given or {}


def class_of(definition: MachineDefinition, reading: Reading, options: Options) -> type[OrcaChart]:
    """
    Make the class of a machine that was read.

    Raises:
        ConversionError: It cannot become a class.
        ContextFieldsError: The class for its context does not fit.
    """
    document = reading.document
    siblings = tuple((one, _remarks(one, reading)) for one in document.machines) if document is not None else ()
    try:
        return machine_class(
            definition,
            actions=options.actions,
            typing=options.typing,
            warnings=_remarks(definition, reading),
            tables=_tables(reading),
            siblings=siblings,
            contexts=options.contexts,
        )
    except ConversionError as error:
        raise ConversionError(error.machine, error.problems, _remarks(definition, reading)) from None


def _remarks(definition: MachineDefinition, reading: Reading) -> tuple[Diagnostic, ...]:
    return tuple(warning for warning in reading.warnings if warning.machine in (None, definition.name))


def _tables(reading: Reading) -> tuple[DecisionTable, ...]:
    return reading.document.tables if reading.document is not None else ()


def _table(content: bytes, name: str, table: str | None) -> Table:
    tables = _tables(reading_of(content, name))
    for definition in tables:
        if table in (None, definition.name):
            return Table(definition)
    raise UnknownTableError(name, table, [definition.name for definition in tables])


def machines_of(reading: Reading) -> tuple[MachineDefinition, ...]:
    """
    Give the machines of a document.

    Raises:
        DocumentError: There are none, but decision tables.
    """
    document = reading.document
    if document is not None and document.machines:
        return document.machines
    spans = [table.span for table in document.tables if table.span is not None] if document is not None else []
    message = "the file defines decision tables, and no machine"
    problem = reading.problem("NO_DEFINITION", message, spans[0], "begin one with '# machine Name'")
    raise DocumentError(reading.name, [*reading.diagnostics, problem])


def reading_of(content: bytes, name: str) -> Reading:
    """
    Read a document, or return the reading of the same content and name; log its warnings the first time.

    Raises:
        DocumentError: It has errors.
    """
    key = hashlib.sha256(content).hexdigest(), name
    with _lock:
        is_new = key not in _documents
        found = _documents[key] = _read(content, name) if is_new else _documents[key]
        _documents.move_to_end(key)
        while len(_documents) > _MAX_DOCUMENTS:
            _documents.popitem(last=False)
    # Without the lock: a handler of the log may load documents itself.
    for warning in found.warnings if is_new else ():
        _logger.log(logging.INFO if warning.category == "portability" else logging.WARNING, "%s", warning)
    return found


def _read(content: bytes, name: str) -> Reading:
    reading = read(content, name)
    # A document with nothing in it has said why among its errors.
    if reading.errors or reading.document is None:
        raise DocumentError(name, reading.diagnostics)
    return reading
