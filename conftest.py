"""
Documentation that runs: every Python block in Markdown files and docstrings is a test.

The blocks of one document share a namespace and run in order; each document starts with an empty one, as the
script of a reader would. Set-up that a reader need not see stands in a comment,
``<!-- invisible-code-block: python ... -->``. A block that cannot run is skipped with a reason,
``<!-- skip: next "needs a terminal" -->``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from statemachine.signature import SignatureAdapter
from sybil import Document, Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest
    from sybil import Region

# How long an example takes says something about the machine, and nothing about the claim.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PACKAGES = ("statemachines_orchestrator", "orca_bridge")

RUNNER = sys.modules["__main__"]

SCRIPTS: dict[int, ModuleType] = {}
"""The modules whose names the documents' namespaces are, by the identity of the namespace."""


class Script(Document):
    """A document that is run like a reader's script: its classes can be found by name, so they can be pickled."""

    def __init__(self, text: str, path: str) -> None:
        Document.__init__(self, text, path)
        module = ModuleType("__main__")
        self.namespace = vars(module)
        SCRIPTS[id(self.namespace)] = module


class Docstrings(Script, PythonDocStringDocument):
    """The docstrings of a module; their blocks run outside the module that they describe, as a reader's would."""


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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the orchestrator's tests run on python-statemachine's own engines as well."""
    parser.addoption("--engine", choices=("planned", "stock"), default="planned", help="what runs members")


def start_document(namespace: dict[str, Any]) -> None:
    """Begin a document as a script of its own."""
    sys.modules["__main__"] = SCRIPTS[id(namespace)]
    # python-statemachine remembers signatures by qualified name (trap D2), and all documents have an `Order`.
    SignatureAdapter.from_callable.clear_cache()  # type: ignore[attr-defined]


def end_document(_namespace: dict[str, Any]) -> None:
    """Give the test runner its place back."""
    sys.modules["__main__"] = RUNNER


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), ReasonedSkipParser()],
    # A pattern matches from the right and one folder per star.
    patterns=[
        "README.md",
        "docs/*.md",
        "docs/*/*.md",
        *(f"{package}/{folders}*.py" for package in PACKAGES for folders in ("", "*/", "*/*/")),
    ],
    document_types={None: Script, ".py": Docstrings},
    setup=start_document,
    teardown=end_document,
).pytest()
