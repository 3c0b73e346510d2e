"""A document in its canonical form, and the proof that nothing was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orca_bridge.exceptions import DocumentError, WritingError
from orca_bridge.syntax import read, trivia_of

from ._markdown import to_markdown

if TYPE_CHECKING:
    from orca_bridge.definition import DecisionTable, Document, MachineDefinition

__all__ = ("Formatted", "format_document")


@dataclass(frozen=True, slots=True)
class Formatted:
    """A document in its canonical form."""

    text: str
    document: Document
    """What it says."""


def format_document(text: str | bytes, name: str = "<string>") -> Formatted:
    """
    Write a document in canonical Markdown, with all that stands in it.

    What was written is read again and compared, so that no document loses anything.

    Args:
        text: The document, in Markdown or brace text.
        name: The name of the file; it decides the syntax.

    Raises:
        DocumentError: The document has errors.
        WritingError: Something in it cannot be written in Markdown.
    """
    reading = read(text, name)
    if reading.errors or reading.document is None:
        raise DocumentError(name, reading.diagnostics)
    written = to_markdown(reading.document, trivia_of(text, name))
    again = read(written, f"{name}.md")
    if again.errors or again.document != reading.document:
        raise WritingError(name, _difference(reading.document, again.document))
    return Formatted(written, reading.document)


def _difference(before: Document, after: Document | None) -> str:
    """Name what would be read otherwise."""
    written = [*after.machines, *after.tables] if after is not None else []
    definitions: list[MachineDefinition | DecisionTable] = [*before.machines, *before.tables]
    for found in definitions:
        if found not in written:
            return f"{found.name!r} holds a text that Markdown cannot hold in its place"
    return "a definition would be lost"
