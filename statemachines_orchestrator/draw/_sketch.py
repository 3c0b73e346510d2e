"""What a picture shows, before any format: boxes, knots between them, and arrows."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from statemachines_orchestrator.charts import Chart

__all__ = ("Arrow", "Box", "Knot", "Sketch", "Spot")


@dataclass(frozen=True, slots=True)
class Spot:
    """One end of an arrow."""

    key: str
    """The address of a box, or the key of a knot."""
    state: str | None = None
    """A state in the box; None for the box as a whole."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """Something that leads from one box or knot to another."""

    source: Spot
    target: Spot
    kind: Literal["link", "part", "asks", "guard"]
    """A link, an event of a joint event, what a condition looks at, or a guard: what it needs, and whom it stops."""
    name: str = ""
    """Of a link or a guard."""
    text: str = ""

    @property
    def label(self) -> str:
        """What is written at the arrow."""
        return _joined(self.name, self.text)

    @property
    def full_label(self) -> str:
        """What is written at an arrow between machines, where no states are shown."""
        if self.source.state is None or self.kind in ("part", "guard"):
            return self.label
        return _joined(self.name, f"{self.source.state} {self.text}".strip())


def _joined(name: str, text: str) -> str:
    if not name or not text:
        return name or text
    return f"{name} {text}" if text.startswith("→") else f"{name}: {text}"


@dataclass(frozen=True, slots=True)
class Knot:
    """What arrows meet in between the boxes."""

    key: str
    title: str
    kind: Literal["joint", "condition", "reaction"]


@dataclass(frozen=True, slots=True)
class Box:
    """A machine, a collection of machines of one class, or a nested orchestrator."""

    address: str
    """Fields from the outermost orchestrator down, joined by dots."""
    title: str
    chart: Chart | None = None
    """None for a nested orchestrator, and for a class that only shows when an instance is made."""
    is_collection: bool = False
    active: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """In how many machines of the box each state is active; empty if no instance is drawn."""
    guards: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """What each guarded event needs."""
    boxes: tuple[Box, ...] = ()
    """What a nested orchestrator holds."""

    @property
    def has_states(self) -> bool:
        """Whether there are states to show."""
        return self.chart is not None and bool(self.chart.nodes)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show inside."""
        return not self.boxes and not self.has_states


@dataclass(frozen=True, slots=True)
class Sketch:
    """A whole picture."""

    title: str
    boxes: tuple[Box, ...]
    knots: tuple[Knot, ...] = ()
    arrows: tuple[Arrow, ...] = ()

    def all_boxes(self) -> Iterator[Box]:
        """Yield the boxes at all depths, each before what it contains."""
        waiting = list(reversed(self.boxes))
        while waiting:
            box = waiting.pop()
            yield box
            waiting.extend(reversed(box.boxes))

    def without_guards(self) -> Sketch:
        """Return the same without the arrows of guards, for a picture that shows them where they act."""
        arrows = tuple(arrow for arrow in self.arrows if arrow.kind != "guard")
        met = {end.key for arrow in arrows for end in (arrow.source, arrow.target)}
        knots = tuple(knot for knot in self.knots if knot.key in met)
        return Sketch(self.title, self.boxes, knots, arrows)
