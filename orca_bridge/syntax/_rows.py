"""
Rows of tables: what the reader of a section asks for the cells of its columns.

A `Row` has been cut with care, cell by cell. A `PlainRow` holds nothing that needs care; it keeps its cells as
bare strings, and finds out where one of them stands when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._records import make_span
from ._source import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orca_bridge.definition import Others, Span


class Row:
    """One row of data."""

    __slots__ = ("_cells", "_end", "_whole", "others")

    def __init__(self, cells: Mapping[str, Text], whole: Text, others: Others = ()) -> None:
        self._cells = cells
        self._whole = whole
        self._end: Text | None = None
        self.others = others
        """Cells under headers that mean nothing."""

    def __repr__(self) -> str:
        """Say where it stands."""
        return f"<{type(self).__name__} in line {self.whole.line}>"

    def __getitem__(self, column: str) -> Text:
        """Give the trimmed cell; a missing one is empty and stands at the end of the row."""
        cell = self._cells.get(column)
        if cell is not None:
            return cell
        if self._end is None:
            self._end = self._whole.end
        return self._end

    @property
    def whole(self) -> Text:
        """The whole row."""
        return self._whole


class PlainRow(Row):
    """A row with a bar at both ends, as many cells as headers, no escapes, and back-ticks around whole cells only."""

    __slots__ = ("first", "header", "line", "texts", "value")

    def __init__(self, texts: tuple[str, ...], value: str, line: int, first: int, header: Sequence[str]) -> None:
        self.texts = texts
        """The trimmed cells in the order in which the section names its columns; missing ones are empty."""
        self.value = value
        """The whole row."""
        self.line = line
        self.first = first
        """The column of its first bar."""
        self.header = header
        """The columns in the order of the table."""
        self.others = ()

    def __getitem__(self, column: str) -> Text:
        """Give a cell as `Row` does."""
        if column not in self.header:
            return self.whole.end
        index = self.header.index(column)
        start = self._bar(index) + 1
        return Text(self.value[start : self.value.index("|", start)], self.line, self.first + start).strip()

    @property
    def whole(self) -> Text:
        """The whole row."""
        return Text(self.value, self.line, self.first)

    def text(self, column: str, text: str) -> Text:
        """Give a cell that is not empty, or what stands in its back-ticks, with its place."""
        start = self.value.index(text, self._bar(self.header.index(column)))
        return Text(text, self.line, self.first + start)

    def span(self, column: str, text: str) -> Span:
        """Give the place of a cell that is not empty, or of what stands in its back-ticks."""
        value = self.value
        # What stands in one place of the row only needs no looking for its cell.
        bar = 0 if value.count(text) == 1 else self._bar(self.header.index(column))
        start = self.first + value.index(text, bar)
        return make_span(self.line, start, start + len(text))

    def _bar(self, index: int) -> int:
        """Find the bar in front of a cell."""
        bar = 0
        for _ in range(index):
            bar = self.value.index("|", bar + 1)
        return bar
