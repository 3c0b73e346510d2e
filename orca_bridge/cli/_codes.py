"""
What every code means, with an example and its correction.

The texts stand in ``codes.md``, so that people can read them without a program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from orca_bridge.syntax._diagnostics import REFERENCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orca_bridge.syntax import Category, Severity

__all__ = ("Explanation", "explanations")

_FENCED = re.compile(r"^~~~~(\w*)\n(.*?)\n~~~~$", re.MULTILINE | re.DOTALL)
_WHOLE = re.compile(r"# |machine ")
_LINT = frozenset(
    {
        "AMBIGUOUS_NAME",
        "CONSTANT_GUARD",
        "DUPLICATE_EVENT",
        "DUPLICATE_TRANSITION",
        "INSUFFICIENT_REGIONS",
        "MISSING_INITIAL",
        "SECTION_EMPTY",
        "STRAY_CONTENT",
        "TIMEOUT_ROW",
        "TOO_MANY_PROBLEMS",
        "UNKNOWN_ANNOTATION",
        "UNKNOWN_BULLET",
        "UNKNOWN_COLUMN",
        "UNKNOWN_SECTION",
    }
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means."""

    code: str
    severity: Severity
    category: Category
    meaning: str
    example: str = ""
    """What has it: a whole document, or what stands below a machine with two states; empty if it cannot be shown."""
    fix: str = ""
    """The same without it."""
    document: str = ""
    """The example as a whole document."""
    fixed_document: str = ""
    """The correction as a whole document."""
    is_brace: bool = False
    """Whether the example is brace text."""


@cache
def explanations() -> Mapping[str, Explanation]:
    """Give every code of the reader with its explanation, by name."""
    text = files("orca_bridge.cli").joinpath("codes.md").read_text("utf-8")
    introduction, *entries = re.split(r"^## (?=[A-Z_]+$)", text, flags=re.MULTILINE)
    (frame,) = (shown for _, shown in _FENCED.findall(introduction))
    found = [_explanation(entry, frame) for entry in entries]
    return {one.code: one for one in found}


def _explanation(entry: str, frame: str) -> Explanation:
    code, _, rest = entry.partition("\n")
    meaning = " ".join(_FENCED.sub("", rest).split())
    shown = _FENCED.findall(rest)
    severity, category = _kind(code)
    if not shown:
        return Explanation(code, severity, category, meaning)
    (language, example), (_, fix) = shown
    document, fixed = (text if _WHOLE.match(text) else f"{frame}\n{text}" for text in (example, fix))
    return Explanation(code, severity, category, meaning, example, fix, document, fixed, language == "brace")


def _kind(code: str) -> tuple[Severity, Category]:
    if code.startswith("PORT_"):
        return "warning", "portability"
    if code in _LINT:
        return "warning", "lint"
    return "error", "reference" if code in REFERENCES else "syntax"
