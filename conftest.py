"""
Documentation that runs: every Python block in Markdown files and docstrings is a test.

The blocks of one document share a namespace and run in order; each document starts with an empty one, as the
script of a reader would. Set-up that a reader need not see stands in a comment,
``<!-- invisible-code-block: python ... -->``. A block that cannot run is skipped with a reason,
``<!-- skip: next "needs a terminal" -->``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachine.signature import SignatureAdapter
from sybil import Document, Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sybil import Region

PACKAGES = ("statemachines_orchestrator", "orca_bridge")


class Docstrings(PythonDocStringDocument):
    """The docstrings of a module, run by somebody who has imported nothing yet."""

    def __init__(self, text: str, path: str) -> None:
        """Take the text of a module."""
        # Past PythonDocument, which would run the blocks inside the module that they describe.
        Document.__init__(self, text, path)


class ReasonedSkipParser(SkipParser):
    """Skips blocks, but never without saying why."""

    def __call__(self, document: Document) -> Iterable[Region]:
        """Yield the skips of a document."""
        for region in super().__call__(document):
            action, reason = region.parsed
            if action != "end" and not reason:
                message = f'{document.path}: a skip needs a reason: <!-- skip: {action} "why" -->'
                raise ValueError(message)
            yield region


def start_document(namespace: dict[str, Any]) -> None:
    """Begin a document as a script of its own."""
    namespace["__name__"] = "__main__"
    # python-statemachine remembers signatures by qualified name (trap D2), and all documents have an `Order`.
    SignatureAdapter.from_callable.clear_cache()  # type: ignore[attr-defined]


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), ReasonedSkipParser()],
    # A pattern matches from the right and one folder per star.
    patterns=[
        "README.md",
        "docs/*.md",
        "docs/*/*.md",
        *(f"{package}/{folders}*.py" for package in PACKAGES for folders in ("", "*/", "*/*/")),
    ],
    document_types={".py": Docstrings},
    setup=start_document,
).pytest()
