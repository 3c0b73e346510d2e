"""
Documents as the records of the published runtime.

Reading is `orca_bridge.syntax`'s; a `MachineDef` is a view of what it found, and remembers it. Where the view shows
less (several timeouts, declared payloads, ...) nothing is lost as long as nobody changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.definition import Span
from orca_bridge.exceptions import DocumentError
from orca_bridge.syntax import read

from ._view import view_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orca_bridge.definition import Document, MachineDefinition
    from orca_bridge.syntax import Diagnostic, Reading

    from .types import MachineDef

__all__ = ("ParseError", "machines_of", "parse_orca", "parse_orca_auto", "parse_orca_md", "parse_orca_md_multi")

_TEXT = "<string>"
_MARKDOWN = "<string>.md"


class ParseError(DocumentError):
    """
    Raised when a document cannot be read as a machine that can start.

    Attributes:
        name: The name of the document.
        diagnostics: Everything the reader found, in document order.
    """


def parse_orca_md(source: str) -> MachineDef:
    """
    Read the first machine of a Markdown document.

    Args:
        source: The document.

    Raises:
        ParseError: The document has errors; all of them are in the message.
    """
    return _machines(source, _MARKDOWN)[0]


def parse_orca_md_multi(source: str) -> list[MachineDef]:
    """
    Read all machines of a Markdown document; decision tables become handlers of the actions that are called so.

    Args:
        source: The document.

    Raises:
        ParseError: As for `parse_orca_md`.
    """
    return _machines(source, _MARKDOWN)


def parse_orca_auto(source: str, filename: str | None = None) -> MachineDef:
    """
    Read the first machine of a document in either syntax; all of its machines are in `MachineDef.machines`.

    Args:
        source: The document.
        filename: Its name: a suffix ``.md`` or ``.orca`` settles the syntax, and it stands in messages.

    Raises:
        ParseError: As for `parse_orca_md`.
    """
    return _machines(source, filename or _TEXT)[0]


def parse_orca(source: str, filename: str | None = None) -> MachineDef:
    """
    Read the first machine of a document in either syntax, under the name that early releases promised.

    Args:
        source: The document.
        filename: As for `parse_orca_auto`.

    Raises:
        ParseError: As for `parse_orca_md`.
    """
    return parse_orca_auto(source, filename)


def machines_of(document: Document) -> list[MachineDef]:
    """Show the machines of a document that was read, in order."""
    views = [view_of(definition, document.tables) for definition in document.machines]
    for view in views:
        view.machines = views
    return views


def _machines(source: str, name: str) -> list[MachineDef]:
    reading = read(source, name)
    document = reading.document
    found = document.machines if document is not None else ()
    problems = [*reading.errors, *_without_initial(reading, found)]
    if problems or document is None or not found:
        raise ParseError(name, _sorted([*reading.warnings, *problems, *_without_machine(reading, found, problems)]))
    return machines_of(document)


def _without_initial(reading: Reading, machines: Sequence[MachineDefinition]) -> list[Diagnostic]:
    """The reader leaves this to the verifier; here a machine is read in order to be started."""
    return [
        reading.problem(
            "NO_INITIAL_STATE",
            f"machine {machine.name!r} has no [initial] state",
            machine.states[0].span or machine.span or Span(1, 1, 2),
            f"write '## state {machine.states[0].name} [initial]'",
            machine.name,
        )
        for machine in machines
        if machine.states and not any(state.initial for state in machine.states)
    ]


def _without_machine(
    reading: Reading, machines: Sequence[MachineDefinition], problems: Sequence[Diagnostic]
) -> list[Diagnostic]:
    if machines or problems:
        return []
    message = "the file defines decision tables, and no machine"
    return [reading.problem("NO_DEFINITION", message, Span(1, 1, 2), "begin one with '# machine Name'")]


def _sorted(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    return sorted(found, key=lambda one: (one.line, one.column))
