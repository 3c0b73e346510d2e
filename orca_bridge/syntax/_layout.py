"""Where other tools cut a file into pieces otherwise: headings, separators, and what is hidden (language.md 1.2, 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._diagnostics import BOTH, OL, ORP
from ._scanner import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._diagnostics import Findings
    from ._outline import Definition, Heading, Outline
    from ._scanner import Item, Scan
    from ._source import Text

_STRUCTURE = ("#", "|", ">", "- ")
_PORTABLE_DASHES = 3


def report_layout(scanned: Scan, found: Outline, findings: Findings, views: Sequence[Findings]) -> None:
    """Report what is laid out so that other tools read another file."""
    # In a plain file nothing is hidden, and the lines that look like headings are known.
    for number in found.hashes:
        _report_hash(scanned.text(number), findings)
    if not scanned.is_plain:
        _report_hidden(scanned.items, findings)
    _SeparatorReport(found, views).walk(scanned)
    _report_tables(found, views)
    for definition, view in zip(found.definitions, views, strict=True):
        for block in (definition.own, *definition.blocks):
            if block.heading.odd:
                _report_heading(block.heading, view)


def _report_heading(heading: Heading, findings: Findings) -> None:
    message = "other tools do not know this heading and lose what stands below"
    findings.portability("PORT_HEADING", message, heading.text, f"write '{heading.odd}'")


def _report_hidden(items: Sequence[Item], findings: Findings) -> None:
    fence = ""
    for item in items:
        value = item.text.value
        if item.kind is Kind.HASH:
            _report_hash(item.text, findings)
        elif item.kind is Kind.FENCE:
            if value.startswith("~~~") and fence != "`":
                fence = "" if fence else "~"
            elif value.startswith("```") and fence != "~":
                fence = "" if fence else "`"
            elif fence == "~" and value.startswith(_STRUCTURE):
                _report_read(item, findings)
        elif item.kind is Kind.COMMENT and value.startswith(_STRUCTURE):
            _report_read(item, findings)


def _report_hash(line: Text, findings: Findings) -> None:
    message = "orca-lang never comes to an end on this line"
    findings.portability("PORT_HASH_LINE", message, line, "put a blank or another character in front", OL)


def _report_read(item: Item, findings: Findings) -> None:
    findings.portability("PORT_HIDDEN", "other tools read this line all the same", item.text, "remove it")


def _report_tables(found: Outline, views: Sequence[Findings]) -> None:
    if not any(definition.is_machine for definition in found.definitions):
        return
    for definition, view in zip(found.definitions, views, strict=True):
        if not definition.is_machine:
            message = "orca-runtime-python cannot read a file that holds a decision table beside a machine"
            view.portability("PORT_DT_FILE", message, definition.name, "move it to a file of its own", ORP)


class _SeparatorReport:
    """Tells separators between definitions from those inside one."""

    def __init__(self, found: Outline, views: Sequence[Findings]) -> None:
        pairs = list(zip(found.definitions, views, strict=True))
        self.starts = {definition.name.line: (definition, view) for definition, view in pairs}
        self.blocks = {block.heading.text.line for definition in found.definitions for block in definition.blocks}
        self.current: tuple[Definition, Findings] | None = None
        self.pending: list[tuple[Item, bool]] = []

    def walk(self, scanned: Scan) -> None:
        for number in scanned.marks():
            if number in self.starts or number in self.blocks:
                self.heading(number)
            elif scanned.is_plain and scanned.values[number - 1][0] == "#":
                continue
            elif (item := scanned.item(number)).kind is Kind.SEPARATOR:
                self.pending.append((item, _is_text(scanned, number - 1)))
        self.between()

    def heading(self, line: int) -> None:
        start = self.starts.get(line)
        if start is not None:
            if self.current is not None and not self.pending:
                message = "other tools take this for a part of the definition above"
                start[1].portability("PORT_SEPARATOR", message, start[0].name, "put a line '---' above it")
            self.between()
            self.current = start
        else:
            self.inside()

    def between(self) -> None:
        for item, below_text in self.pending if self.current is not None else ():
            if below_text or len(item.marker) > _PORTABLE_DASHES:
                message = "orca-lang takes this line for text, and what is below for a part of the definition above"
                self.report(item, message, "write '---' below a blank line", OL)
        self.pending = []

    def inside(self) -> None:
        for item, below_text in self.pending:
            is_text = below_text or len(item.marker) > _PORTABLE_DASHES
            message = "other tools end the definition here"
            self.report(item, message, "remove the line", ORP if is_text else BOTH)
        self.pending = []

    def report(self, item: Item, message: str, suggestion: str, differs: tuple[str, ...]) -> None:
        if self.current is not None:
            self.current[1].portability("PORT_SEPARATOR", message, item.text, suggestion, differs)


def _is_text(scanned: Scan, number: int) -> bool:
    return number > 0 and bool(scanned.values[number - 1]) and scanned.items[number - 1].kind is Kind.TEXT
