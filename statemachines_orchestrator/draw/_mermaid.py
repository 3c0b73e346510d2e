"""
Mermaid state diagrams.

Mermaid moves a state into the state in whose braces it is named last, but leaves it where it is when it is named
outside of all braces. So an arrow between neighbours is written beside them, and any other one at the end, outside. It
cannot draw an arrow from a state to one inside it, or back: that is written on a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._borders import Borders
from ._escape import Ids, mermaid_text, mermaid_title
from ._lines import state_text, steps_of
from ._sketch import Spot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from statemachines_orchestrator.charts import Chart, Node

    from ._lines import Step
    from ._sketch import Box, Sketch

__all__ = ("mermaid",)

STYLES = (
    "classDef active fill:#ffd54a,stroke:#333,stroke-width:3px",
    "classDef joint fill:#ede7f6,stroke:#5e35b1,stroke-width:2px",
    "classDef condition fill:#e3f2fd,stroke:#1565c0,stroke-dasharray:4",
    "classDef reaction fill:#f1f8e9,stroke:#558b2f,stroke-dasharray:4",
)
_HISTORY = {"history": "H", "deep history": "H#42;"}


def mermaid(sketch: Sketch) -> str:
    """Draw a sketch as a Mermaid state diagram."""
    return "\n".join(_Diagram(sketch.without_guards()).lines()) + "\n"


class _Diagram:
    def __init__(self, sketch: Sketch) -> None:
        self.sketch = sketch
        self.ids = Ids()
        self.marked: dict[str, list[str]] = {}
        """The states of each style."""
        self.borders = Borders(sketch)
        self.across: list[str] = []
        """Arrows that cross the border of a state."""
        self.notes: dict[str, list[str]] = {}
        """What is written beside a state."""

    def lines(self) -> Iterator[str]:
        yield "stateDiagram-v2"
        if len(self.sketch.boxes) == 1 and not self.sketch.boxes[0].address:
            yield from self.inside(self.sketch.boxes[0], "    ")
        else:
            for box in self.sketch.boxes:
                yield from self.box(box, "    ")
        for knot in self.sketch.knots:
            key = self.id_of_knot(knot.key)
            yield f'    state "{mermaid_title(knot.title)}" as {key}'
            self.marked.setdefault(knot.kind, []).append(key)
        for arrow in self.sketch.arrows:
            self.cross(arrow.source, arrow.target, arrow.label, arrow.label)
        yield from (f"    {line}" for line in self.across)
        for key, texts in self.notes.items():
            yield f"    note right of {key} : {mermaid_text(chr(10).join(texts))}"
        yield from self.styles()

    def styles(self) -> Iterator[str]:
        for style in STYLES:
            name = style.split()[1]
            if name in self.marked:
                yield f"    {style}"
                yield f"    class {','.join(self.marked[name])} {name}"

    # -- boxes -----------------------------------------------------------------------------------------------

    def box(self, box: Box, indent: str) -> Iterator[str]:
        opening = f'{indent}state "{mermaid_title(box.title)}" as {self.id_of_box(box.address)}'
        if box.is_empty:
            yield opening
            return
        yield f"{opening} {{"
        for inner in box.boxes:
            yield from self.box(inner, f"{indent}    ")
        yield from self.inside(box, f"{indent}    ")
        yield f"{indent}}}"

    def inside(self, box: Box, indent: str) -> Iterator[str]:
        if box.chart is not None:
            steps = list(steps_of(box))
            yield from self.states(box, box.chart, None, steps, indent)
            for step in steps:
                if not _is_between_neighbours(box.chart, step):
                    source, target = Spot(box.address, step.source), Spot(box.address, step.target)
                    self.cross(source, target, step.label, f"{step.label} → {box.chart.node(step.target).name}")

    def states(self, box: Box, chart: Chart, parent: str | None, steps: Sequence[Step], indent: str) -> Iterator[str]:
        """Yield the states directly inside a state, or those at the top level, and the arrows between them."""
        nodes = [node for node in chart.nodes if node.parent == parent]
        regions = parent is not None and chart.node(parent).kind == "parallel"
        for number, node in enumerate(nodes):
            if regions and number and not node.is_history:
                yield f"{indent}--"
            yield from self.node(box, chart, node, steps, indent)
        for node in nodes:
            if node.initial and not regions:
                yield f"{indent}[*] --> {self.state(box, node.id)}"
            if node.kind == "final":
                yield f"{indent}{self.state(box, node.id)} --> [*]"
        for step in steps:
            if chart.node(step.source).parent == parent and _is_between_neighbours(chart, step):
                yield f"{indent}{self.step(box, step)}"

    def step(self, box: Box, step: Step) -> str:
        return f"{self.state(box, step.source)} --> {self.state(box, step.target)}{_label(step.label)}"

    def cross(self, source: Spot, target: Spot, label: str, note: str) -> None:
        """Keep an arrow that crosses a border, or a note where it cannot be drawn."""
        inside = self.borders.contains(source, target) or self.borders.contains(target, source)
        if inside and source != target:
            self.notes.setdefault(self.spot(source), []).append(note.strip())
        else:
            self.across.append(f"{self.spot(source)} --> {self.spot(target)}{_label(label)}")

    def node(self, box: Box, chart: Chart, node: Node, steps: Sequence[Step], indent: str) -> Iterator[str]:
        key = self.state(box, node.id)
        text = _HISTORY.get(node.kind) or mermaid_title(state_text(node, box))
        opening = f'{indent}state "{text}" as {key}'
        if node.kind in ("compound", "parallel"):
            yield f"{opening} {{"
            yield from self.states(box, chart, node.id, steps, f"{indent}    ")
            yield f"{indent}}}"
            return
        yield opening
        if box.active.get(node.id):
            self.marked.setdefault("active", []).append(key)

    # -- names -----------------------------------------------------------------------------------------------

    def id_of_box(self, address: str) -> str:
        return self.ids.of(("box", address), address)

    def id_of_knot(self, key: str) -> str:
        return self.ids.of(("knot", key), key)

    def state(self, box: Box, state: str) -> str:
        return self.ids.of(("state", box.address, state), f"{box.address}.{state}")

    def spot(self, spot: Spot) -> str:
        if self.borders.is_knot(spot):
            return self.id_of_knot(spot.key)
        if spot.state is None:
            return self.id_of_box(spot.key)
        return self.ids.of(("state", spot.key, spot.state), f"{spot.key}.{spot.state}")


def _is_between_neighbours(chart: Chart, step: Step) -> bool:
    """Whether an arrow crosses no border; regions are neighbours with a border between them."""
    parent = chart.node(step.source).parent
    return parent == chart.node(step.target).parent and (parent is None or chart.node(parent).kind != "parallel")


def _label(text: str) -> str:
    return f" : {mermaid_text(text)}" if text else ""
