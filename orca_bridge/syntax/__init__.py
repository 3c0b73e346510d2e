"""
Text to definition: the reader for Orca documents.

`read` takes a document and gives a `Reading`: its machines as the frozen records of `orca_bridge.definition`,
and a `Diagnostic` for everything that is wrong, with the place and what to write instead. It never raises for
what stands in the text. `parse_guard` reads a single guard expression.
"""

from __future__ import annotations

from ._diagnostics import Category, Diagnostic, Severity
from ._durations import milliseconds
from ._guards import GuardReading, parse_guard
from ._reader import Reading, parse_document, read
from ._trivia import DefinitionTrivia, Trivia, trivia_of

__all__ = (
    "Category",
    "DefinitionTrivia",
    "Diagnostic",
    "GuardReading",
    "Reading",
    "Severity",
    "Trivia",
    "milliseconds",
    "parse_document",
    "parse_guard",
    "read",
    "trivia_of",
)
