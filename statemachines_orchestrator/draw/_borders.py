"""Which ends of arrows have a border around them, and which others lie inside: arrows between these need care."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._sketch import Box, Sketch, Spot

__all__ = ("Borders",)


class Borders:
    """The ends of the arrows of a sketch."""

    def __init__(self, sketch: Sketch) -> None:
        self.boxes = {box.address: box for box in sketch.all_boxes()}
        self.knots = frozenset(knot.key for knot in sketch.knots)

    def box(self, spot: Spot) -> Box:
        """Return the box that an end lies in, or is."""
        return self.boxes[spot.key]

    def is_knot(self, spot: Spot) -> bool:
        """Whether an end is a knot."""
        return spot.key in self.knots

    def is_area(self, spot: Spot) -> bool:
        """Whether an end has something inside: a box, or a state with states in it."""
        if self.is_knot(spot):
            return False
        chart = self.box(spot).chart
        return spot.state is None or (chart is not None and bool(chart.children(spot.state)))

    def contains(self, outer: Spot, inner: Spot) -> bool:
        """Whether one end is an area and the other one lies in it, or is the same."""
        if not self.is_area(outer) or self.is_knot(inner):
            return False
        if outer.state is None:
            return inner.key == outer.key or inner.key.startswith(f"{outer.key}.")
        chart = self.box(outer).chart
        if inner.key != outer.key or inner.state is None or chart is None:
            return False
        return inner.state == outer.state or outer.state in chart.ancestors(inner.state)
