"""Findings about a document: what is wrong, where, and what to write instead."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from orca_bridge.definition import Span

from ._records import quick

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ._source import Text

Severity: TypeAlias = Literal["error", "warning"]
Category: TypeAlias = Literal["syntax", "reference", "lint", "portability"]

REFERENCES = frozenset(
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
# What can be passed over without changing the meaning of anything else, if the caller asks for it.
RECOVERABLE = frozenset(
    {
        "AMBIGUOUS_STATE",
        "BLOCKQUOTE_TRANSITION",
        "BRACE_SYNTAX",
        "DT_CELL_SYNTAX",
        "DT_DUPLICATE_COLUMN",
        "DUPLICATE_NAME",
        "EMPTY_PARALLEL",
        "EMPTY_REGION",
        "FINAL_WITH_CHILDREN",
        "GUARD_SYNTAX",
        "INVALID_ANNOTATION",
        "INVALID_BULLET",
        "INVALID_CELL",
        "INVALID_DEFAULT",
        "INVALID_DURATION",
        "INVALID_NAME",
        "INVALID_PROPERTY",
        "INVALID_SIGNATURE",
        "INVALID_TIMEOUT",
        "INVALID_TYPE",
        "MISSING_COLUMN",
        "MISSING_SOURCE",
        "MISSING_TARGET",
        "MULTIPLE_INITIAL",
        "MULTIPLE_INVOKE",
        "TABLE_ROW_WIDTH",
        "UNKNOWN_GUARD",
        "UNKNOWN_STATE",
        "UNSUPPORTED_EXPRESSION",
    }
)
OL = ("orca-lang",)
ORP = ("orca-runtime-python",)
BOTH = (*OL, *ORP)
_LONGEST_SHOWN = 160
_LONGEST_TEXT = 600
_LONG = 100
_LONG_WORD = re.compile(rf"\S{{{_LONG},}}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MOST_DIAGNOSTICS = 200
# A mistake costs more than what is right and may be one character long; a file with so many is no document.
_MOST_MISTAKES = 10_000
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


class TooManyMistakes(Exception):  # noqa: N818 - it never leaves the package
    """Raised inside the package when a file is given up."""


_make_diagnostic = quick(Diagnostic)


class _Found(NamedTuple):
    """A finding before it is worded for people: a large file can have one a line, of which few are shown."""

    code: str
    severity: Severity
    category: Category
    message: str
    span: Span
    suggestion: str
    differs: tuple[str, ...]
    machine: str | None

    @property
    def place(self) -> tuple[int, int]:
        return self.span.line, self.span.column


class Findings:
    """Collects the diagnostics of a file; `within` gives a view that knows whether its machine failed."""

    def __init__(self, name: str, lines: Sequence[str], *, lenient: bool = False, careful: bool = False) -> None:
        self._name = name
        self._lines = lines
        self._lenient = lenient
        self._machine: str | None = None
        self._found: list[_Found] = []
        self._comparisons = [_COMPARISONS]
        self._seen: dict[str, int] = {}
        self._mistakes = [0]
        self.compares_tools = True
        """Whether it matters how other tools read the text."""
        self.careful = careful
        """Whether what is written plainly is read like all the rest."""
        self.failed = False

    def __repr__(self) -> str:
        """Name the file and count what was found."""
        return f"<Findings {self._name!r}: {len(self._found)}>"

    def within(self, machine: str) -> Findings:
        """Collect into the same file, on behalf of one machine."""
        view = Findings(self._name, self._lines, lenient=self._lenient, careful=self.careful)
        view._machine, view._found, view._comparisons = machine, self._found, self._comparisons
        view._seen, view._mistakes, view.compares_tools = self._seen, self._mistakes, self.compares_tools
        return view

    def error(self, code: str, message: str, at: Text | Span, suggestion: str = "") -> None:
        """Record what makes the machine unusable, or, if reading is lenient, what is passed over."""
        is_passed = self._lenient and code in RECOVERABLE
        self.failed = self.failed or not is_passed
        self._mistakes[0] += 1
        if self._mistakes[0] > _MOST_MISTAKES:
            self.abandon(code, f"the file has more than {_MOST_MISTAKES} mistakes, and is not read further", at)
            raise TooManyMistakes
        if self._is_one_more(code):
            return
        category: Category = "reference" if code in REFERENCES else "syntax"
        if is_passed:
            message = f"{message} (passed over: reading is lenient)"
        severity: Severity = "warning" if is_passed else "error"
        self._found.append(_Found(code, severity, category, message, _span(at), suggestion, (), self._machine))

    def abandon(self, code: str, message: str, at: Text | Span) -> None:
        """Record why nothing more is read, however lenient reading is."""
        self.failed = True
        suggestion = "correct those above first"
        self._found.append(_Found(code, "error", "syntax", message, _span(at), suggestion, (), self._machine))

    def warning(self, code: str, message: str, at: Text | Span, suggestion: str = "") -> None:
        """Record what is read, but was probably meant otherwise."""
        if not self._is_one_more(code):
            self._found.append(_Found(code, "warning", "lint", message, _span(at), suggestion, (), self._machine))

    def portability(
        self, code: str, message: str, at: Text | Span, suggestion: str = "", differs: tuple[str, ...] = BOTH
    ) -> None:
        """Record what is read, and what other tools read otherwise."""
        if self.compares_tools and not self._is_one_more(code):
            found = _Found(code, "warning", "portability", message, _span(at), suggestion, differs, self._machine)
            self._found.append(found)

    def _is_one_more(self, code: str) -> bool:
        """Count a finding, and tell whether so many of its kind are kept already that this one is only counted."""
        seen = self._seen[code] = self._seen.get(code, 0) + 1
        return seen > _MOST_DIAGNOSTICS

    def _worded(self, found: _Found) -> Diagnostic:
        return _make_diagnostic(
            code=found.code,
            severity=found.severity,
            category=found.category,
            message=_shortened(found.message),
            file=self._name,
            line=found.span.line,
            column=found.span.column,
            end_column=found.span.end_column,
            source_line=self._lines[found.span.line - 1],
            suggestion=_shortened(found.suggestion),
            differs=found.differs,
            machine=found.machine,
        )

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
        ordered = sorted(self._found, key=lambda found: found.place)
        dropped = sum(max(0, seen - _MOST_DIAGNOSTICS) for seen in self._seen.values())
        if len(ordered) + dropped <= _MOST_DIAGNOSTICS:
            return tuple(map(self._worded, ordered))
        # sorted() is stable: errors come first, then what was meant otherwise, each group still by position.
        kept = sorted(ordered, key=_weight)[:_MOST_DIAGNOSTICS]
        kept.sort(key=lambda found: found.place)
        message = f"{len(ordered) + dropped - _MOST_DIAGNOSTICS} more problems were found and are not shown"
        suggestion = "correct these first and read the file again"
        more = _Found("TOO_MANY_PROBLEMS", "warning", "lint", message, kept[-1].span, suggestion, (), None)
        return tuple(map(self._worded, [*kept, more]))


def _span(at: Text | Span) -> Span:
    return at if isinstance(at, Span) else at.span


def _weight(found: _Found) -> int:
    return 0 if found.severity == "error" else 2 if found.category == "portability" else 1


def _shortened(text: str) -> str:
    """Cut what was quoted from the document and is too long to be read."""
    if len(text) < _LONG:
        return text
    words = _LONG_WORD.sub(lambda match: f"{match[0][:60]}...{match[0][-8:]}", text)
    return words if len(words) <= _LONGEST_TEXT else f"{words[: _LONGEST_TEXT - 3]}..."


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")
