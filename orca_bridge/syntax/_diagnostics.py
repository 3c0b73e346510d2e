"""Findings about a document: what is wrong, where, and what to write instead."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from orca_bridge.definition import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ._source import Text

Severity: TypeAlias = Literal["error", "warning"]
Category: TypeAlias = Literal["syntax", "reference", "lint", "portability"]

_REFERENCES = frozenset(
    {
        "AMBIGUOUS_STATE",
        "DUPLICATE_MACHINE",
        "DUPLICATE_NAME",
        "DUPLICATE_REGION",
        "DUPLICATE_STATE",
        "UNKNOWN_GUARD",
        "UNKNOWN_STATE",
    }
)
_LONGEST_SHOWN = 160
_LONGEST_TEXT = 600
_LONG_WORD = re.compile(r"\S{100,}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MOST_DIAGNOSTICS = 200
# Comparing a name with every declared one is quadratic in a file of nothing but mistakes, so it has a budget.
_COMPARISONS = 50_000
_LONGEST_COMPARED = 64


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding of the reader."""

    code: str
    """What kind of finding this is, such as ``UNKNOWN_STATE``."""
    severity: Severity
    category: Category
    message: str
    file: str
    line: int
    """Counted from 1."""
    column: int
    """Counted from 1, in code points of the original line."""
    end_column: int
    """The column behind the last one concerned."""
    source_line: str
    """The line as it stands in the file."""
    suggestion: str = ""
    """What to write instead."""
    differs: tuple[str, ...] = ()
    """For a portability warning the tools that read the place otherwise."""
    machine: str | None = None
    """The machine concerned, or None for the file as a whole."""

    def __str__(self) -> str:
        """Give the text form."""
        return self.render()

    def render(self) -> str:
        """Write the finding with its source line, a caret line and the suggestion."""
        head = f"{self.file}:{self.line}:{self.column}: {self.severity} {self.code}: {self.message}"
        number = f"{self.line:>5}"
        margin = " " * (len(number) + 1)
        shown, before, width = self._excerpt()
        # Control characters would move the carets, or do things to a terminal.
        shown = _UNPRINTABLE.sub("\ufffd", shown)
        lines = [_UNPRINTABLE.sub("\ufffd", head), f"{number} | {shown}".rstrip(), f"{margin}| {before}{'^' * width}"]
        if self.suggestion:
            lines.append(f"{margin}= {self.suggestion}")
        return "\n".join(lines)

    def _excerpt(self) -> tuple[str, str, int]:
        """Cut a window out of a very long line, and keep tabs so that the caret stands below its target."""
        start = max(0, self.column - 1 - _LONGEST_SHOWN // 2) if len(self.source_line) > _LONGEST_SHOWN else 0
        shown = self.source_line[start : start + _LONGEST_SHOWN]
        target = self.column - 1 - start
        before = "".join(character if character == "\t" else " " for character in shown[:target])
        width = min(self.end_column - self.column, _LONGEST_SHOWN - target)
        return shown, before.ljust(target), max(1, width)


class Findings:
    """Collects the diagnostics of a file; `within` gives a view that knows whether its machine failed."""

    def __init__(self, name: str, lines: Sequence[str]) -> None:
        self._name = name
        self._lines = lines
        self._machine: str | None = None
        self._found: list[Diagnostic] = []
        self._comparisons = [_COMPARISONS]
        self.failed = False

    def __repr__(self) -> str:
        """Name the file and count what was found."""
        return f"<Findings {self._name!r}: {len(self._found)}>"

    def within(self, machine: str) -> Findings:
        """Collect into the same file, on behalf of one machine."""
        view = Findings(self._name, self._lines)
        view._machine, view._found, view._comparisons = machine, self._found, self._comparisons
        return view

    def error(self, code: str, message: str, at: Text | Span, suggestion: str = "") -> None:
        """Record what makes the machine unusable."""
        self.failed = True
        category: Category = "reference" if code in _REFERENCES else "syntax"
        self._add(code, message, at, suggestion, severity="error", category=category)

    def warning(self, code: str, message: str, at: Text | Span, suggestion: str = "") -> None:
        """Record what is read, but was probably meant otherwise."""
        self._add(code, message, at, suggestion, severity="warning", category="lint")

    def _add(
        self,
        code: str,
        message: str,
        at: Text | Span,
        suggestion: str,
        *,
        severity: Severity,
        category: Category,
        differs: tuple[str, ...] = (),
    ) -> None:
        span = at if isinstance(at, Span) else at.span
        found = Diagnostic(
            code=code,
            severity=severity,
            category=category,
            message=_shortened(message),
            file=self._name,
            line=span.line,
            column=span.column,
            end_column=span.end_column,
            source_line=self._lines[span.line - 1],
            suggestion=_shortened(suggestion),
            differs=differs,
            machine=self._machine,
        )
        self._found.append(found)

    def nearest(self, word: str, candidates: Collection[str]) -> str | None:
        """Find the declared name that `word` was probably meant to be."""
        if len(word) > _LONGEST_COMPARED or self._comparisons[0] < len(candidates):
            return None
        self._comparisons[0] -= len(candidates)
        plain = {_plain(candidate): candidate for candidate in candidates if len(candidate) <= _LONGEST_COMPARED}
        close = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.7)
        return plain[close[0]] if close else None

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Give all findings by position; of too many the errors are kept first and the rest is counted."""
        ordered = sorted(self._found, key=_position)
        if len(ordered) <= _MOST_DIAGNOSTICS:
            return tuple(ordered)
        # sorted() is stable: errors come first, each group still by position.
        kept = sorted(ordered, key=lambda found: found.severity)[:_MOST_DIAGNOSTICS]
        kept.sort(key=_position)
        last = kept[-1]
        more = replace(
            last,
            code="TOO_MANY_PROBLEMS",
            severity="warning",
            category="lint",
            message=f"{len(ordered) - _MOST_DIAGNOSTICS} more problems were found and are not shown",
            suggestion="correct these first and read the file again",
            differs=(),
            machine=None,
        )
        return (*kept, more)


def _shortened(text: str) -> str:
    """Cut what was quoted from the document and is too long to be read."""
    words = _LONG_WORD.sub(lambda match: f"{match[0][:60]}...{match[0][-8:]}", text)
    return words if len(words) <= _LONGEST_TEXT else f"{words[: _LONGEST_TEXT - 3]}..."


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")


def _position(found: Diagnostic) -> tuple[int, int]:
    return found.line, found.column
