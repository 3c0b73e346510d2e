"""Documents in any of the forms that can be read."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from orca_bridge.exceptions import OrcaError
from orca_bridge.syntax import read
from orca_bridge.write import format_document, read_json, read_scxml, to_markdown

from ._files import content_of, sound
from ._output import Refusal

if TYPE_CHECKING:
    from orca_bridge.definition import Document

__all__ = ("SYNTAXES", "markdown_from", "read_from")

SYNTAXES = ("markdown", "brace", "json", "scxml")
_BY_SUFFIX = {".md": "markdown", ".orca": "brace", ".json": "json", ".scxml": "scxml", ".xml": "scxml"}
_FOREIGN = {"json": read_json, "scxml": read_scxml}
_SUFFIXES = {"markdown": ".md", "brace": ".orca"}


def read_from(file: str, name: str, syntax: str | None) -> tuple[Document, str]:
    """
    Read a document.

    Args:
        file: Its path, or ``-`` for standard input.
        name: What to call standard input.
        syntax: One of `SYNTAXES`; None to go by the name.

    Returns:
        What it says, and what to call it.

    Raises:
        Refusal: It cannot be read, or has errors.
    """
    content, called, form = _content(file, name, syntax)
    return (_foreign(content, called, form) if form in _FOREIGN else sound(read(content, _named(called, form)))), called


def markdown_from(file: str, name: str, syntax: str | None) -> tuple[str, str]:
    """
    Write a document as canonical Markdown, for the arguments and with the errors of `read_from`.

    Returns:
        The text, and the form that it came from.
    """
    content, called, form = _content(file, name, syntax)
    try:
        if form in _FOREIGN:
            return to_markdown(_foreign(content, called, form)), form
        return format_document(content, _named(called, form)).text, form
    except OrcaError as error:
        raise Refusal(error, 1) from None


def _content(file: str, name: str, syntax: str | None) -> tuple[bytes, str, str]:
    # Who says which form it is may call the file as he likes.
    content, called = content_of(file, name, tuple(_BY_SUFFIX) if syntax is None else None)
    return content, called, syntax or _BY_SUFFIX.get(PurePath(called).suffix.lower(), "")


def _named(called: str, form: str) -> str:
    """Give a name whose suffix says which form it is."""
    suffix = _SUFFIXES.get(form, "")
    return called if called.endswith(suffix) else called + suffix


def _foreign(content: bytes, called: str, form: str) -> Document:
    try:
        return _FOREIGN[form](content, called)
    except OrcaError as error:
        raise Refusal(error, 1) from None
