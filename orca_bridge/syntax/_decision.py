"""Decision tables (language.md 7): their sections to a definition."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from orca_bridge.definition import CellTest, DecisionTable, TableColumn, TableRule

from ._bullets import keyed
from ._cells import CellFault, Scalar, read_domain, read_output, read_test
from ._events import report_marker
from ._names import declared_name, is_name, is_nothing, unmarked, unticked
from ._outline import TABLE_SECTIONS
from ._scanner import Kind, is_rule_row
from ._tables import Columns, read_rows, split_cells, tables_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orca_bridge.definition import NumberRange

    from ._diagnostics import Findings
    from ._outline import Block, Definition
    from ._rows import Row
    from ._source import Text

COLUMNS = Columns(("Name", "Type"), ("Values", "Description"), surplus="Values")
SECTIONS = ("conditions", "actions", "rules", "metadata")
_CONDITIONS = ("bool", "enum", "int_range", "decimal_range", "string")
_OUTPUTS = ("bool", "enum", "string", "int", "decimal")
_ALIASES = {
    "int": "int_range",
    "integer": "int_range",
    "decimal": "decimal_range",
    "float": "decimal_range",
    "number": "decimal_range",
    "boolean": "bool",
}
_OUTPUT_ALIASES = {"integer": "int", "int_range": "int", "float": "decimal", "number": "decimal"} | {
    "decimal_range": "decimal",
    "boolean": "bool",
}
_DOMAINS = {"int": "int_range", "decimal": "decimal_range"}
_ARROWS = ("\N{RIGHTWARDS ARROW}", "->")
_DASHES = frozenset({"-", "\N{EM DASH}", "\N{EN DASH}"})


def read_table(definition: Definition, findings: Findings) -> DecisionTable | None:
    """Read one decision table, or report everything that keeps it from being read."""
    reader = _Reader(findings)
    sections = _sort_blocks(definition, findings)
    for name, read in (("conditions", reader.read_conditions), ("actions", reader.read_outputs)):
        for block in sections[name]:
            read(block)
    for block in sections["rules"]:
        _report_order(block, sections, findings)
        reader.read_rules(block)
    for block in sections["metadata"]:
        _read_metadata(block, findings)
    description = _description(definition.own, findings)
    if findings.failed:
        return None
    return DecisionTable(
        definition.name.value,
        description,
        tuple(reader.conditions.values()),
        tuple(reader.outputs.values()),
        tuple(reader.rules),
        tuple(reader.headers),
        definition.name.span,
    )


def _description(block: Block, findings: Findings) -> str:
    for item in block.items:
        if item.kind in {Kind.BULLET, Kind.ROW}:
            message = "this means nothing here and is ignored"
            findings.warning("STRAY_CONTENT", message, item.text, f"put it below one of {', '.join(SECTIONS)}")
    return "\n\n".join("\n".join(item.text.value for item in group) for group in block.paragraphs())


def _sort_blocks(definition: Definition, findings: Findings) -> dict[str, list[Block]]:
    sections: dict[str, list[Block]] = defaultdict(list)
    for block in definition.blocks:
        heading = block.heading
        if heading.section in SECTIONS:
            sections[heading.section].append(block)
            if heading.section != "metadata" and not block.of(Kind.ROW):
                message = f"the section {heading.section!r} holds nothing that can be read, which would be a table"
                findings.warning("SECTION_EMPTY", message, heading.text, "fill it or remove the heading")
        else:
            near = findings.nearest(heading.text.value.lower(), ("actions", *TABLE_SECTIONS))
            suggestion = f"write '## {near}'" if near else f"known here: {', '.join(SECTIONS)}"
            message = f"the section {heading.text.value!r} is unknown in a decision table and ignored"
            findings.warning("UNKNOWN_SECTION", message, heading.text, suggestion)
    return sections


def _report_order(block: Block, sections: dict[str, list[Block]], findings: Findings) -> None:
    first = min((other.heading.text.line for other in sections["conditions"]), default=0)
    if block.heading.text.line < first:
        message = "orca-lang does not read numbers in rules that stand above the conditions"
        findings.portability("PORT_DT_COLUMN", message, block.heading.text, "move the rules below the conditions")


def _read_metadata(block: Block, findings: Findings) -> None:
    for item in block.items:
        if item.kind not in {Kind.BULLET, Kind.TEXT}:
            continue
        if item.kind is Kind.BULLET:
            report_marker(item, findings)
        bullet = keyed(item.text)
        if bullet.key != "policy":
            message = f"{bullet.written.value!r} is unknown and ignored"
            findings.warning("UNKNOWN_BULLET", message, bullet.written, "known here: policy")
        elif unmarked(bullet.value).value.lower().replace("_", "-") != "first-match":
            message = f"the policy {bullet.value.value!r} is not supported: the first rule that matches decides"
            findings.error("DT_POLICY_UNSUPPORTED", message, bullet.value, "write 'policy: first-match'")


class _Reader:
    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.conditions: dict[str, TableColumn] = {}
        self.outputs: dict[str, TableColumn] = {}
        self.rules: list[TableRule] = []
        self.headers: list[str] = []

    def read_conditions(self, block: Block) -> None:
        for row in read_rows(block, COLUMNS, self.findings):
            kind = self.kind(row, _CONDITIONS, _ALIASES)
            column = self.column(row, kind, self.conditions, "condition")
            if column is not None:
                self.conditions[column.name] = column

    def read_outputs(self, block: Block) -> None:
        for row in read_rows(block, COLUMNS, self.findings):
            kind = self.kind(row, _OUTPUTS, _OUTPUT_ALIASES)
            column = self.column(row, kind, self.outputs, "output")
            if column is not None:
                self.outputs[column.name] = column

    def kind(self, row: Row, known: Sequence[str], aliases: dict[str, str]) -> str:
        cell = unmarked(row["Type"])
        kind = cell.value.lower()
        if kind not in known and kind in aliases:
            message = f"orca-lang does not know the type {cell.value!r}"
            self.findings.portability("PORT_DT_COLUMN", message, cell, f"write {aliases[kind]}")
            return aliases[kind]
        if kind not in known:
            message = f"{cell.value!r} is no type of a decision table"
            self.findings.error("DT_UNKNOWN_TYPE", message, cell, f"write one of {', '.join(known)}")
            return "string"
        return kind

    def column(self, row: Row, kind: str, known: dict[str, TableColumn], what: str) -> TableColumn | None:
        cell = unmarked(row["Name"])
        name = declared_name(row["Name"], what, self.findings)
        values = unticked(row["Values"])
        description = row["Description"].value
        if kind == "enum" and not values.value and what == "output" and _is_list(description):
            message = "the list in the description is read as the values"
            self.findings.portability("PORT_DT_COLUMN", message, row["Description"], "call the column Values")
            values, description = row["Description"], ""
        try:
            listed, domain = ((), None) if is_nothing(values) else self.domain(values, kind)
        except CellFault as fault:
            self.findings.error("DT_CELL_SYNTAX", str(fault), values, fault.suggestion)
            return None
        if name is None:
            return None
        if name in known:
            message = f"{name!r} is declared already"
            self.findings.error("DUPLICATE_NAME", message, cell, f"rename this {what} or remove it")
            return None
        return TableColumn(name, kind, listed, domain, description, cell.span, row.others)

    def domain(self, values: Text, kind: str) -> tuple[tuple[Scalar, ...], NumberRange | None]:
        return read_domain(values.value, _DOMAINS.get(kind, kind))

    # Rules.

    def read_rules(self, block: Block) -> None:
        header: list[tuple[str, str] | None] = []
        for table in tables_of(block, self.findings):
            rows = table
            if not header:
                header = self.header(split_cells(table[0]))
                rows = table[1:]
            for row in rows:
                if "---" not in row.value or not is_rule_row(row.value):
                    self.rule(row, header)

    def header(self, cells: list[Text]) -> list[tuple[str, str] | None]:
        """Say of each column what it is about: a condition, an output, the number, or nothing that is known."""
        found: list[tuple[str, str] | None] = []
        for cell in cells:
            meaning = self.meaning(cell)
            if meaning is not None and meaning in found:
                self.headers.pop()
                message = f"a column {cell.value!r} stands in this table already"
                self.findings.error("DT_DUPLICATE_COLUMN", message, cell, "keep one of the two")
                meaning = None
            found.append(meaning)
        return found

    def meaning(self, cell: Text) -> tuple[str, str] | None:
        bare = unmarked(cell)
        arrow = next((arrow for arrow in _ARROWS if bare.value.startswith(arrow)), "")
        name = unmarked(bare.cut(len(arrow)).strip()).value
        if bare.value == "#":
            return "number", "#"
        self.headers.append(f"{_ARROWS[0]} {name}" if arrow else name)
        if not arrow and name in self.conditions:
            return "condition", name
        if name in self.outputs:
            if not arrow or bare.value == arrow + name:
                message = "other tools do not take this column for an output"
                self.findings.portability("PORT_DT_COLUMN", message, cell, f"write '{_ARROWS[0]} {name}'")
                self.headers[-1] = f"{_ARROWS[0]} {name}"
            return "output", name
        near = self.findings.nearest(name, self.outputs if arrow else self.conditions)
        what = "output" if arrow else "condition"
        suggestion = f"write {near!r}" if near else "declare it, or remove the column"
        self.findings.warning("UNKNOWN_COLUMN", f"no {what} is called {name!r}; it is ignored", cell, suggestion)
        return "other", self.headers[-1]

    def rule(self, row: Text, header: list[tuple[str, str] | None]) -> None:
        cells = split_cells(row)
        surplus = [cell for cell in cells[len(header) :] if cell.value]
        if surplus:
            message = f"this row has {len(cells)} cells under {len(header)} headers"
            self.findings.error("TABLE_ROW_WIDTH", message, surplus[0], r"write '\|' for a bar inside a cell")
            return
        if not any(cell.value for cell in cells):
            message = "orca-lang reads a rule without cells"
            self.findings.portability("PORT_TABLE_FORM", message, row, "remove the row")
            return
        tests: list[tuple[str, CellTest]] = []
        outputs: list[tuple[str, Scalar]] = []
        others: list[tuple[str, str]] = []
        number, is_sound = "", True
        for meaning, cell in zip(header, cells, strict=False):
            if meaning is None or not cell.value:
                continue
            role, name = meaning
            if role == "number":
                number = cell.value
            elif role == "other":
                others.append((name, cell.value))
            elif role == "output":
                outputs += self.output(name, cell)
            elif cell.value not in _DASHES:
                test = self.test(name, cell)
                is_sound = is_sound and test is not None
                tests += [(name, test)] if test is not None else []
        if is_sound:
            self.rules.append(TableRule(tuple(tests), tuple(outputs), number, row.span, tuple(others)))

    def test(self, name: str, cell: Text) -> CellTest | None:
        text = unticked(cell)
        try:
            found = read_test(text.value, self.conditions[name].kind)
        except CellFault as fault:
            self.findings.error("DT_CELL_SYNTAX", str(fault), text, fault.suggestion)
            return None
        if not found.is_portable or text is not cell:
            message = f"other tools do not read {cell.value!r} so"
            suggestion = "keep it if only orca_bridge reads the file, or write a rule for each value"
            self.findings.portability("PORT_DT_CELL", message, cell, suggestion)
        return found.test

    def output(self, name: str, cell: Text) -> list[tuple[str, Scalar]]:
        if cell.value in _DASHES:
            message = f"other tools take {cell.value!r} for the value"
            self.findings.portability("PORT_DT_CELL", message, cell, "leave the cell empty")
            return []
        value, is_portable = read_output(cell.value, self.outputs[name].kind)
        if not is_portable:
            message = "other tools take the marks for a part of the value"
            self.findings.portability("PORT_DT_CELL", message, cell, f"write {value}")
        return [(name, value)]


def _is_list(text: str) -> bool:
    return "," in text and all(is_name(part.strip()) for part in text.split(","))
