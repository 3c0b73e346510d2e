"""The front door: a whole file to a document and its diagnostics."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orca_bridge.definition import DecisionTable, Document, MachineDefinition, Span
from orca_bridge.exceptions import DocumentError

from ._brace import read_brace
from ._decision import read_table
from ._diagnostics import Diagnostic, Findings, TooManyMistakes
from ._layout import report_layout
from ._machine import read_machine
from ._outline import Definition, Outline, outline
from ._scanner import Kind, Scan, scan
from ._source import Fault, Text, decode, split_lines
from ._tables import split_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 4 * 1024 * 1024

_HEADED = re.compile(r"\s*#{1,6}\s*machine\s+\S", re.IGNORECASE)
_FENCED = re.compile(r"#{1,6}\s*(?:machine|decision_table)\s+\S", re.IGNORECASE)
_BRACED = re.compile(r"\s*machine\s+\w")
_COMMENT = re.compile(r"\s*(?:#|//|$)")
_QUBIT = re.compile(r"\bqubits?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says, and what is wrong with it."""

    document: Document | None
    """The machines and tables without errors; None if there is none."""
    diagnostics: tuple[Diagnostic, ...]
    """All findings, sorted by position."""
    name: str = "<string>"
    lines: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """The text, so that later layers can show a place in it."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that cost a machine."""
        return tuple(found for found in self.diagnostics if found.severity == "error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The findings that cost nothing yet."""
        return tuple(found for found in self.diagnostics if found.severity == "warning")

    def problem(self, code: str, message: str, at: Span, suggestion: str, machine: str | None = None) -> Diagnostic:
        """Word an error that a later layer found at a place of this text."""
        findings = Findings(self.name, self.lines)
        view = findings if machine is None else findings.within(machine)
        view.error(code, message, at, suggestion)
        return findings.diagnostics()[0]


def read(text: str | bytes, name: str = "<string>", *, limit: int = LIMIT, lenient: bool = False) -> Reading:
    """
    Read an Orca document, Markdown or brace text.

    Never raises for what stands in the document: a machine with errors is left out, the others are returned.

    Args:
        text: The document, as text or as the bytes of a file.
        name: The name of the file; it stands in diagnostics and its suffix decides the syntax.
        limit: The largest size in bytes that is read.
        lenient: Whether what cannot be read is passed over with a warning, where that leaves the meaning of
            everything else alone: a row with an unknown state, a property, a timeout.
    """
    return read_by(text, name, limit=limit, lenient=lenient)


def read_by(
    text: str | bytes, name: str, *, limit: int = LIMIT, lenient: bool = False, careful: bool = False
) -> Reading:
    """
    Read a document as `read` does.

    Args:
        text: As for `read`.
        name: As for `read`.
        limit: As for `read`.
        lenient: As for `read`.
        careful: Whether to take no short way for what is written plainly. It finds the same, and takes longer.
    """
    decoded, fault = decode(text, limit)
    lines = split_lines(decoded)
    findings = Findings(name, lines, lenient=lenient, careful=careful)
    document: Document | None = None
    if fault is not None:
        _report_fault(fault, decoded, findings)
    else:
        # Why a file is given up is among the findings.
        with suppress(TooManyMistakes):
            document = _read_lines(lines, name, findings)
    found = document if document is not None and (document.machines or document.tables) else None
    return Reading(found, findings.diagnostics(), name, lines)


def _read_lines(lines: Sequence[str], name: str, findings: Findings) -> Document | None:
    brace = _brace_line(lines, name)
    if brace is not None:
        return Document(read_brace(lines, brace, findings), name=name)
    return _read_markdown(scan(lines, careful=findings.careful), findings, name)


def parse_document(text: str | bytes, name: str = "<string>", *, limit: int = LIMIT, lenient: bool = False) -> Document:
    """
    Read an Orca document that is expected to be without errors.

    Args:
        text: The document, as text or as the bytes of a file.
        name: As for `read`.
        limit: As for `read`.
        lenient: As for `read`.

    Raises:
        DocumentError: The document has errors; all of them are in the message.
    """
    reading = read(text, name, limit=limit, lenient=lenient)
    if reading.errors or reading.document is None:
        raise DocumentError(name, reading.diagnostics)
    return reading.document


def _report_fault(fault: Fault, decoded: str, findings: Findings) -> None:
    before = split_lines(decoded[: fault.offset])
    column = len(before[-1]) + 1
    findings.error(fault.code, fault.message, Span(len(before), column, column + 1), fault.suggestion)


def is_brace(lines: Sequence[str], name: str) -> bool:
    """Tell whether a document is brace text."""
    return _brace_line(lines, name) is not None


def _brace_line(lines: Sequence[str], name: str) -> Text | None:
    """Find where brace text begins; None for Markdown."""
    if name.endswith(".md") or any(_HEADED.match(line) for line in lines):
        return None
    for index, line in enumerate(lines):
        if not _COMMENT.match(line):
            is_brace = name.endswith(".orca") or _BRACED.match(line)
            return Text.at(line, index + 1).strip() if is_brace else None
    return Text.at("") if name.endswith(".orca") else None


def _read_markdown(scanned: Scan, findings: Findings, name: str) -> Document | None:
    found = outline(scanned)
    quantum = _quantum(found, scanned, name)
    if quantum is not None:
        message = "this document is in the quantum dialect"
        suggestion = "register a foreign runner for it; orca_bridge does not simulate qubits"
        findings.error("UNSUPPORTED_DIALECT", message, quantum, suggestion)
        return None
    views = [findings.within(definition.name.value) for definition in found.definitions]
    _report_unclosed(scanned, found, findings, views)
    _report_intruders(found, findings, views)
    _report_duplicates(found, views)
    report_layout(scanned, found, findings, views)
    if not found.definitions:
        _report_nothing(scanned, findings)
    machines: list[MachineDefinition] = []
    tables: list[DecisionTable] = []
    for definition, view in zip(found.definitions, views, strict=True):
        machine = read_machine(definition, view) if definition.is_machine else None
        table = None if definition.is_machine else read_table(definition, view)
        machines += [machine] if machine is not None else []
        tables += [table] if table is not None else []
    return Document(tuple(machines), tuple(tables), name)


def _quantum(found: Outline, scanned: Scan, name: str) -> Text | None:
    """Find what shows that a document is in the quantum dialect."""
    if name.endswith(".q.orca.md"):
        return scanned.items[0].text
    for definition in found.definitions:
        for block in definition.blocks:
            if block.heading.role == "state" and block.heading.text.value.startswith("|"):
                return block.heading.text
            if block.heading.section != "context" or not block.may_hold("qubit"):
                continue
            for item in block.of(Kind.ROW):
                types = split_cells(item.text)[1:2]
                if types and _QUBIT.search(types[0].value):
                    return types[0].strip()
    return None


def _report_unclosed(scanned: Scan, found: Outline, findings: Findings, views: Sequence[Findings]) -> None:
    opened = scanned.unclosed
    if opened is None:
        return
    scope = findings
    for definition, view in zip(found.definitions, views, strict=True):
        if definition.own.heading.text.line <= opened.line <= definition.last_line:
            scope = view
    what, end = ("comment", "-->") if opened.value == "<!--" else ("code fence", opened.value)
    message = f"this {what} is not closed: the rest of the file is in it"
    scope.error("UNCLOSED_FENCE", message, opened, f"end it with {end}")


def _report_intruders(found: Outline, findings: Findings, views: Sequence[Findings]) -> None:
    for intruder in found.intruders:
        scope = findings
        for definition, view in zip(found.definitions, views, strict=True):
            if definition is intruder.definition:
                scope = view
        heading, lost = intruder.heading.text, intruder.lost.text
        message = f"this heading ends the machine above it, and {lost.value!r} (line {lost.line}) stands below"
        suggestion = f"write '## {heading.value}', or move what is below under its machine"
        if heading.value.lower() in {"machine", "decision_table"}:
            message, suggestion = "the name is missing", f"write '# {heading.value.lower()} Name'"
        elif intruder.definition is None:
            message = f"{lost.value!r} (line {lost.line}) stands below this heading and belongs to no machine"
            suggestion = "begin the machine with '# machine Name' above it"
        scope.error("INVALID_HEADING", message, heading, suggestion)


def _report_duplicates(found: Outline, views: Sequence[Findings]) -> None:
    first: dict[tuple[bool, str], Definition] = {}
    for definition, view in zip(found.definitions, views, strict=True):
        key = definition.is_machine, definition.name.value
        earlier = first.setdefault(key, definition)
        if earlier is not definition:
            message = f"{key[1]!r} is defined already (line {earlier.name.line})"
            view.error("DUPLICATE_MACHINE", message, definition.name, "rename one of them")


def _report_nothing(scanned: Scan, findings: Findings) -> None:
    fenced = [item.text for item in scanned.items if item.kind is Kind.FENCE and _FENCED.match(item.text.value)]
    at = fenced[0] if fenced else scanned.items[0].text
    message = "the definition stands in a code fence" if fenced else "the file defines no machine"
    suggestion = "remove the fence around it" if fenced else "begin it with '# machine Name'"
    findings.error("NO_DEFINITION", message, at, suggestion)
