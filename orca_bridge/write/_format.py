"""A document in its canonical form, and the proof that nothing was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orca_bridge.exceptions import DocumentError, WritingError
from orca_bridge.syntax import read, trivia_of

from ._markdown import to_markdown
from ._portable import portable as made_portable

if TYPE_CHECKING:
    from orca_bridge.definition import DecisionTable, Document, MachineDefinition
    from orca_bridge.syntax import Diagnostic

__all__ = ("Formatted", "format_document")


@dataclass(frozen=True, slots=True)
class Formatted:
    """A document in its canonical form."""

    text: str
    document: Document
    """What it says."""
    misread: tuple[Diagnostic, ...] = ()
    """Where other tools read it otherwise, by the places of the text that was written."""


def format_document(text: str | bytes, name: str = "<string>", *, portable: bool = False) -> Formatted:
    """
    Write a document in canonical Markdown, with all that stands in it.

    What was written is read again and compared, so that no document loses anything.

    Args:
        text: The document, in Markdown or brace text.
        name: The name of the file; it decides the syntax.
        portable: Whether forms that other tools misread are changed to equal ones that they do not.

    Raises:
        DocumentError: The document has errors.
        WritingError: Something in it cannot be written in Markdown.
    """
    if portable:
        # What other tools misread is looked for in what they would get otherwise.
        text, name = format_document(text, name).text, name if name.endswith(".md") else f"{name}.md"
    reading = read(text, name)
    if reading.errors or reading.document is None:
        raise DocumentError(name, reading.diagnostics)
    document = made_portable(reading.document, reading.diagnostics) if portable else reading.document
    written = to_markdown(document, trivia_of(text, name))
    again = read(written, name if name.endswith(".md") else f"{name}.md")
    if again.errors or again.document != document:
        raise WritingError(name, _difference(document, again.document))
    misread = tuple(found for found in again.warnings if found.category == "portability")
    return Formatted(written, document, misread)


def _difference(before: Document, after: Document | None) -> str:
    """Name what would be read otherwise."""
    written = [*after.machines, *after.tables] if after is not None else []
    definitions: list[MachineDefinition | DecisionTable] = [*before.machines, *before.tables]
    for found in definitions:
        if found not in written:
            return f"{found.name!r} holds a text that Markdown cannot hold in its place"
    return "a definition would be lost"
