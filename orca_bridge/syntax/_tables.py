"""
Tables: rows to cells under the standard names of their columns.

A section may hold several tables, rows that go on after a blank line, a header without rule row or no header
at all. `read_rows` hides all that: whoever reads a section asks a `Row` for the cell of a column.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, count, repeat
from operator import itemgetter
from typing import TYPE_CHECKING

from ._diagnostics import OL, ORP
from ._names import unmarked
from ._rows import PlainRow, Row
from ._scanner import Item, Kind, is_rule_row
from ._source import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ._diagnostics import Findings
    from ._outline import Block

_TICKS = re.compile("`+")
_BAR = re.compile(r"\|")
_PAIR = 2
_LONGEST_KEPT = 200
_ALIASES = {"field": "name", "name": "field", "from": "source", "to": "target", "condition": "guard"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns a section knows."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    positional: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """For tables without any header: the columns by number of cells."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """More spellings than those all sections share."""
    joined: str = ""
    """A column that, standing last, takes the surplus cells of its row."""
    surplus: str = ""
    """A column that, standing in no header, takes the one surplus cell of a row."""
    known: tuple[str, ...] = field(init=False)
    """All of them."""
    plain: Mapping[str, str] = field(init=False)
    """All of them, by their name in small letters."""

    def __post_init__(self) -> None:
        """Put the columns together."""
        known = (*self.required, *self.optional)
        object.__setattr__(self, "known", known)
        object.__setattr__(self, "plain", {name.lower(): name for name in known})

    def standard(self, header: str) -> str | None:
        """Give the standard name of a header cell."""
        name = " ".join(header.split()).lower()
        for spelling in (name, name.removesuffix("s"), f"{name}s") if name else ():
            for candidate in (spelling, _ALIASES.get(spelling, ""), self.aliases.get(spelling, "")):
                if candidate in self.plain:
                    return self.plain[candidate]
        return None


def split_cells(text: Text) -> list[Text]:
    r"""Split a row at its bars, except ``\|`` and bars inside a back-ticked span; the cells are trimmed."""
    value, line, column, moved, _ = text
    if moved is not None or "`" in value or "\\|" in value:
        return [_unescaped(text.cut(start, end)).strip() for start, end in _bounds(value)]
    # Nearly every row of a large file has nothing but bars; cutting it twice would be half of all reading.
    cells = []
    for part in value.split("|"):
        bare = part.strip()
        indent = part.index(bare) if bare else min(1, len(part))
        cells.append(Text(bare, line, column + indent))
        column += len(part) + 1
    return cells[value.startswith("|") : None if cells[-1].value else -1]


def _bounds(value: str) -> list[tuple[int, int]]:
    start = 0
    bounds: list[tuple[int, int]] = []
    for bar in _bars(value):
        if value[bar - 1 : bar] != "\\":
            bounds.append((start, bar))
            start = bar + 1
    if value[start:].strip():
        bounds.append((start, len(value)))
    return bounds[1:] if value.startswith("|") else bounds


def _bars(value: str) -> Iterator[int]:
    """Find the bars outside back-ticked spans. A run of back-ticks without its partner is text."""
    if "`" not in value:
        yield from [match.start() for match in _BAR.finditer(value)]
        return
    partners: dict[int, list[int]] = {}
    for match in _TICKS.finditer(value):
        partners.setdefault(len(match[0]), []).append(match.start())
    position = 0
    for match in re.finditer(r"`+|\|", value):
        if match.start() < position:
            continue
        if match[0] == "|":
            yield match.start()
            continue
        same = partners[len(match[0])]
        following = bisect_right(same, match.start())
        if following < len(same):
            position = same[following] + len(match[0])


def hides_bar(value: str) -> bool:
    """Tell whether a bar of the row does not end a cell."""
    if "`" not in value:
        return "\\|" in value
    return sum(value[bar - 1 : bar] != "\\" for bar in _bars(value)) < value.count("|")


def _unescaped(cell: Text) -> Text:
    if "\\|" not in cell.value:
        return cell
    parts, start = [], 0
    for match in re.finditer(r"\\\|", cell.value):
        parts += [cell.cut(start, match.start()), cell.cut(match.start() + 1, match.end())]
        start = match.end()
    return Text.join([*parts, cell.cut(start)], cell.end)


def read_rows(block: Block, columns: Columns, findings: Findings) -> Iterator[Row]:
    """Read every row of data in a section."""
    reader = _TableReader(columns, findings)
    plain = block.plain_table()
    if plain is not None and (header := plain_header(plain[1][0], columns)) is not None:
        return reader.read_plain(*plain, header, block)
    return chain.from_iterable(map(reader.read, tables_of(block, findings)))


def plain_header(row: str, columns: Columns) -> tuple[str, ...] | None:
    """Read a header that names columns as all tools know them, each once and all that are needed."""
    header = _known_header if len(row) <= _LONGEST_KEPT else _known_header.__wrapped__
    return header(row, columns.known, columns.required)


@lru_cache(maxsize=256)
def _known_header(row: str, known: tuple[str, ...], required: tuple[str, ...]) -> tuple[str, ...] | None:
    plain = {name.lower(): name for name in known}
    header = tuple([plain.get(cell.strip().lower(), "") for cell in row[1:-1].split("|")])
    if "" in header or len(set(header)) < len(header) or not set(required).issubset(header):
        return None
    return header


def plain_cells(value: str, width: int) -> list[str] | None:
    """Cut a row with a bar at both ends into its cells, an empty one in front and one behind; None if it needs care."""
    cells = list(map(str.strip, value.split("|")))
    if len(cells) != width + 2 or "\\|" in value:
        return None
    if "`" in value:
        for cell in cells:
            # Back-ticks around a whole cell hide no bar, and pair with none of another cell.
            if "`" in cell and not (len(cell) > _PAIR == cell.count("`") and cell[0] == cell[-1] == "`"):
                return None
    return cells if any(cells) else None


def cut_columns(rows: Sequence[str], width: int) -> list[list[str]] | None:
    """Cut rows with bars at both ends into the cells of each column; None if one of the rows needs care."""
    text = "\n".join(rows)
    if not rows or "`" in text or "\\|" in text or "---" in text:
        return None
    # Between the last bar of a row and the first of the next stands the end of the line, as if it were a cell.
    parts = text.split("|")
    ends, step = parts[width + 1 :: width + 1], width + 1
    if len(parts) != len(rows) * step + 1 or ends.count("\n") != len(rows) - 1:
        return None
    cells = list(map(str.strip, parts))
    columns = [cells[index::step] for index in range(1, step)]
    # A row without any cell is reported.
    return None if "" in columns[0] else columns


def tables_of(block: Block, findings: Findings) -> Iterator[list[Text]]:
    """Give the rows of each table in a section, and report where other tools do not look for one."""
    rows: list[Text] = []
    before: Item | None = None
    count = 0
    for item in [*block.items, Item(Kind.BLANK, Text.at(""))]:
        if item.kind is Kind.ROW:
            rows.append(item.text)
            if len(rows) == 1:
                _report_position(item.text, before, count, findings)
                count += 1
        elif item.kind is Kind.QUOTE or item.kind is Kind.BULLET:
            before = before or item
        if rows and item.kind not in {Kind.COMMENT, Kind.ROW}:
            yield rows
            rows = []


def _report_position(row: Text, before: Item | None, count: int, findings: Findings) -> None:
    if count:
        message = "other tools read the first table of a section, up to a blank line"
        findings.portability("PORT_TABLE_POSITION", message, row, "put all rows into one table")
    elif before is not None and before.kind is Kind.BULLET:
        message = "other tools do not find a table below bullets"
        findings.portability("PORT_TABLE_POSITION", message, before.text, "move them below the table")
    elif before is not None:
        message = "orca-runtime-python does not find a table below a blockquote"
        findings.portability("PORT_TABLE_POSITION", message, before.text, "move it below the table", ORP)


class _TableReader:
    def __init__(self, columns: Columns, findings: Findings) -> None:
        self.columns = columns
        self.findings = findings
        self.header: list[str | None] | None = None
        self.unknown: list[tuple[int, str]] = []

    def read(self, rows: list[Text]) -> Iterator[Row]:
        first = split_cells(rows[0])
        ruled = len(rows) > 1 and is_rule_row(rows[1].value)
        data = rows
        self.check_form(rows)
        if ruled or self.is_header(first):
            self.header = self.read_header(first, rows[0])
            data = rows[2:] if ruled else rows[1:]
        elif self.header is None:
            self.header = self.positional(len(first), rows[0])
        yield from self.read_rest(data)

    def read_plain(self, line: int, values: list[str], header: Sequence[str], block: Block) -> Iterator[Row]:
        """Read a table that is a header, perhaps a rule, and rows with bars at both ends; a row may need care."""
        self.header = [*header]
        ruled = len(values) > 1 and is_rule_row(values[1])
        first, data = line + 1 + ruled, values[1 + ruled :]
        columns = cut_columns(data, len(header)) if block.is_flush(first, data) else None
        if columns is None:
            return self.read_each(first, data, header, block)
        by_name = dict(zip(header, columns, strict=True))
        # Where the table lacks a column of the section, nothing stands in any row.
        cells = zip(*[by_name.get(name, repeat("")) for name in self.columns.known], strict=False)
        return iter([PlainRow(*row, 1, header) for row in zip(cells, data, count(first), strict=False)])

    def read_each(self, first: int, values: list[str], header: Sequence[str], block: Block) -> Iterator[Row]:
        """Read rows with bars at both ends one by one; any of them may need care."""
        width, pick = len(header), self.picker(header)
        for number, value in enumerate(values, first):
            if "---" in value and is_rule_row(value):
                continue
            cells = plain_cells(value, width)
            if cells is None:
                yield from self.read_row(block.text(number))
            else:
                yield PlainRow(pick(cells), value, number, block.column(number), header)

    def picker(self, header: Sequence[str]) -> Callable[[list[str]], tuple[str, ...]]:
        """Give what takes the cells of a row in the order of the section's columns."""
        # In front of the first bar stands an empty cell, as good as one that is missing.
        return itemgetter(*(header.index(name) + 1 if name in header else 0 for name in self.columns.known))

    def read_rest(self, rows: list[Text]) -> Iterator[Row]:
        """Read the rows below a header that needed care; most of them need none."""
        named = [name for name in self.header or () if name is not None]
        is_plain = not self.findings.careful and len(named) == len(self.header or ())
        pick = self.picker(named) if is_plain and set(self.columns.required).issubset(named) else None
        for row in rows:
            # A line of dashes between rows is decoration; "| - | - |" is a row that says nothing twice.
            if "---" in row.value and is_rule_row(row.value):
                continue
            is_plain = pick is not None and row.moved is None and row.value[0] == row.value[-1] == "|"
            cells = plain_cells(row.value, len(named)) if is_plain else None
            if pick is None or cells is None:
                yield from self.read_row(row)
            else:
                yield PlainRow(pick(cells), row.value, row.line, row.first, named)

    def check_form(self, rows: list[Text]) -> None:
        """Report the first row that other tools do not take for one."""
        for row in rows:
            if row.value[0] != "|":
                message = "other tools do not take a row without a bar in front for one"
                self.findings.portability("PORT_TABLE_FORM", message, row, "put a bar in front of every row")
                return
            if row.value[-1] != "|" and "-" in row.value and is_rule_row(row.value):
                message = "other tools take this row for data"
                self.findings.portability("PORT_TABLE_FORM", message, row, "end it with a bar")
                return

    def is_header(self, cells: list[Text]) -> bool:
        names = [unmarked(cell).value for cell in cells]
        known = [name for name in names if self.columns.standard(name)]
        if self.header is None:
            return bool(known)
        # A row after a blank line may hold a field called "name": only a row of columns alone is one.
        return len(known) > 1 and len(known) == len([name for name in names if name])

    def read_header(self, cells: list[Text], row: Text) -> list[str | None]:
        header = [self.columns.standard(unmarked(cell).value) for cell in cells]
        self.unknown = [(index, cell.value) for index, cell in enumerate(cells) if not header[index] and cell.value]
        for index, cell in enumerate(cells):
            header[index] = self.checked(header, index, cell)
        missing = [name for name in self.columns.required if name not in header]
        if missing:
            names = ", ".join(missing)
            suggestion = f"write the header | {' | '.join(self.columns.known)} |"
            self.findings.error("MISSING_COLUMN", f"the table has no column {names}", row, suggestion)
        return header

    def checked(self, header: list[str | None], index: int, written: Text) -> str | None:
        name, cell = header[index], unmarked(written)
        if name is not None and written.value.lower() not in {name.lower(), *self.columns.aliases}:
            message = f"other tools know no column {written.value!r}"
            self.findings.portability("PORT_COLUMN", message, written, f"write {name}")
        if name is not None and name in header[:index]:
            message = f"a column {name} stands in this table already; this one is ignored"
            self.findings.warning("UNKNOWN_COLUMN", message, cell, "keep one of the two")
            return None
        if name is None and cell.value:
            absent = [known for known in self.columns.known if known not in header]
            near = self.findings.nearest(cell.value, absent)
            if near:
                message = f"the column {cell.value!r} is unknown and ignored"
                self.findings.warning("UNKNOWN_COLUMN", message, cell, f"write {near!r}")
        return name

    def positional(self, width: int, row: Text) -> list[str | None]:
        if width in self.columns.positional:
            message = "other tools take the first row for the header"
            suggestion = f"put | {' | '.join(self.columns.positional[width])} | above it"
            self.findings.portability("PORT_TABLE_FORM", message, row, suggestion)
            return list(self.columns.positional[width])
        message = f"the table has no header: columns {', '.join(self.columns.required)} are needed"
        suggestion = f"put | {' | '.join(self.columns.known)} | above it"
        self.findings.error("MISSING_COLUMN", message, row, suggestion)
        return []

    def read_row(self, row: Text) -> Iterator[Row]:
        header = self.header or []
        cells = self.joined(row, header)
        if not any(cell.value for cell in cells):
            message = "orca-lang reads an entry without a name"
            self.findings.portability("PORT_TABLE_FORM", message, row, "remove the row", OL)
            return
        surplus = [cell for cell in cells[len(header) :] if cell.value]
        if len(surplus) == 1 and self.columns.surplus and self.columns.surplus not in header:
            message = f"other tools drop this cell; it is read as {self.columns.surplus}"
            self.findings.portability("PORT_DT_COLUMN", message, surplus[0], "give it a header")
            header = [*header, *[None] * (len(cells) - len(header) - 1), self.columns.surplus]
            cells = [*cells[: len(header) - 1], surplus[0]]
        elif surplus and header:
            message = f"this row has {len(cells)} cells under {len(header)} headers"
            suggestion = r"write '\|' for a bar inside a cell, and 'or' for '||'"
            self.findings.error("TABLE_ROW_WIDTH", message, surplus[0], suggestion)
            return
        found = {name: cell for name, cell in zip(header, cells, strict=False) if name is not None}
        if set(self.columns.required) <= set(header):
            others = [(text, cells[index].value) for index, text in self.unknown if index < len(cells)]
            yield Row(found, row, tuple(other for other in others if other[1]))

    def joined(self, row: Text, header: list[str | None]) -> list[Text]:
        """Split a row, and leave a last column with free text whole however many bars it has."""
        cells = split_cells(row)
        if ("`" in row.value or "\\" in row.value) and hides_bar(row.value):
            message = "other tools split the cell at the bar in it"
            self.findings.portability("PORT_TABLE_PIPE", message, row, "write 'or'")
        last = len(header) - 1
        if last < 0 or header[last] != self.columns.joined or len(cells) <= len(header):
            return cells
        bounds = _bounds(row.value)
        if any(cell.value for cell in cells[len(header) :]):
            message = "other tools split the cell at the bar in it"
            self.findings.portability("PORT_TABLE_PIPE", message, cells[last], "write 'or'")
        return [*cells[:last], _unescaped(row.cut(bounds[last][0], bounds[-1][1])).strip()]
