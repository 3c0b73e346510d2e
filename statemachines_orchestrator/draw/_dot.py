"""
DOT, the language of Graphviz.

An arrow ends at a node, never at a cluster: one that means a whole machine, or a state with states inside, ends at
some node inside it and is clipped at the border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._borders import Borders
from ._escape import dot_quoted
from ._lines import state_text, steps_of
from ._sketch import Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachines_orchestrator.charts import Chart, Node

    from ._sketch import Box, Sketch

__all__ = ("dot",)

HEAD = (
    'graph [compound=true, rankdir=LR, fontname="Helvetica", fontsize=12, nodesep=0.35, ranksep=0.6]',
    'node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=11, height=0.35]',
    'edge [fontname="Helvetica", fontsize=10, arrowsize=0.7]',
)
ARROWS = {
    "link": 'style=dashed, color="#1565c0", fontcolor="#1565c0"',
    "part": 'style=dashed, color="#5e35b1", fontcolor="#5e35b1"',
    "asks": 'style=dotted, color="#1565c0", arrowhead=none',
    "guard": 'style=dotted, color="#c62828", fontcolor="#c62828", arrowhead=tee',
}
KNOTS = {
    "joint": 'shape=hexagon, style=filled, fillcolor="#ede7f6", color="#5e35b1"',
    "condition": 'shape=box, style="filled,dashed", fillcolor="#e3f2fd", color="#1565c0"',
    "reaction": 'shape=cds, style=filled, fillcolor="#f1f8e9", color="#558b2f"',
}
_ACTIVE = 'fillcolor="#ffd54a", penwidth=2.5'
_HISTORY = {"history": "H", "deep history": "H*"}


def dot(sketch: Sketch) -> str:
    """Draw a sketch in DOT."""
    return "\n".join(_Graph(sketch.without_guards()).lines()) + "\n"


class _Graph:
    def __init__(self, sketch: Sketch) -> None:
        self.sketch = sketch
        self.borders = Borders(sketch)
        self.hidden = {spot for box in sketch.all_boxes() for spot in _hidden(box)}
        """Where an arrow begins or ends inside a state that it is about."""

    def lines(self) -> Iterator[str]:
        yield f"digraph {dot_quoted(self.sketch.title)} {{"
        yield from (f"    {line};" for line in HEAD)
        for box in self.sketch.boxes:
            yield from self.box(box, "    ")
        for knot in self.sketch.knots:
            yield f"    {dot_quoted(knot.key)} [label={dot_quoted(knot.title)}, {KNOTS[knot.kind]}];"
        for arrow in self.sketch.arrows:
            yield f"    {self.arrow(arrow.source, arrow.target, arrow.label, ARROWS[arrow.kind])}"
        yield "}"

    # -- boxes -----------------------------------------------------------------------------------------------

    def box(self, box: Box, indent: str) -> Iterator[str]:
        whole = Spot(box.address)
        yield f"{indent}subgraph {_cluster(whole)} {{"
        look = 'style="rounded,bold"' if box.is_collection else "style=rounded"
        yield f'{indent}    label={dot_quoted(box.title)}; {look}; color="#888888";'
        if box.is_empty:
            yield f'{indent}    {_start(whole)} [shape=plaintext, style="", label="?"];'
        for inner in box.boxes:
            yield from self.box(inner, f"{indent}    ")
        if box.chart is not None:
            yield from self.states(box, box.chart, whole, f"{indent}    ")
        yield f"{indent}}}"
        for step in steps_of(box):
            source, target = Spot(box.address, step.source), Spot(box.address, step.target)
            yield f"{indent}{self.arrow(source, target, step.label)}"

    def states(self, box: Box, chart: Chart, around: Spot, indent: str) -> Iterator[str]:
        """Yield the states directly inside a state, or those of a machine at the top level."""
        if around in self.hidden:
            yield f'{indent}{_inside(around)} [shape=point, style=invis, width=0.01, height=0.01, label=""];'
        for node in chart.nodes:
            if node.parent == around.state:
                yield from self.node(box, chart, node, indent)
                if node.initial and not _is_parallel(chart, around.state):
                    yield f'{indent}{_start(around)} [shape=point, fillcolor=black, width=0.12, height=0.12, label=""];'
                    yield f"{indent}{self.arrow(around, Spot(box.address, node.id), begins=True)}"

    def node(self, box: Box, chart: Chart, node: Node, indent: str) -> Iterator[str]:
        spot = Spot(box.address, node.id)
        active = bool(box.active.get(node.id))
        label = dot_quoted(_HISTORY.get(node.kind) or state_text(node, box))
        if node.kind not in ("compound", "parallel"):
            look = [f"label={label}", *([_ACTIVE] if active else [])]
            look += ["peripheries=2"] if node.kind == "final" else []
            look += ["shape=circle", "width=0.3", "fixedsize=true"] if node.is_history else []
            yield f"{indent}{_name(spot)} [{', '.join(look)}];"
            return
        yield f"{indent}subgraph {_cluster(spot)} {{"
        regions = "dashed" if _is_parallel(chart, node.parent) else "solid"
        look = [f"label={label}", f'style="rounded,{regions}"', f'color="{"#c77700" if active else "#555555"}"']
        look += ["penwidth=2.5"] if active else ["penwidth=1"]
        yield f"{indent}    {'; '.join(look)};"
        yield from self.states(box, chart, spot, f"{indent}    ")
        yield f"{indent}}}"

    # -- arrows ----------------------------------------------------------------------------------------------

    def arrow(self, source: Spot, target: Spot, label: str = "", look: str = "", *, begins: bool = False) -> str:
        words = [f"label={dot_quoted(label)}"] if label else []
        words += [look] if look else []
        tail, head = self.anchor(source), self.anchor(target)
        if begins:
            tail = _start(source)
        elif self.borders.contains(source, target):
            tail = _inside(source)
        elif self.borders.is_area(source):
            words.append(f"ltail={_cluster(source)}")
        if self.borders.contains(target, source):
            if target.state is None and source.state is not None:
                head = tail  # a machine to itself: no arrow that could be taken for its beginning
            elif source == target or self.is_without_start(target):
                head = _inside(target)
        elif self.borders.is_area(target):
            words.append(f"lhead={_cluster(target)}")
        return f"{tail} -> {head} [{', '.join(words)}];" if words else f"{tail} -> {head};"

    def is_without_start(self, spot: Spot) -> bool:
        chart = self.borders.box(spot).chart
        return chart is not None and _is_parallel(chart, spot.state)

    def anchor(self, spot: Spot) -> str:
        """Return the node that stands for an end."""
        if self.borders.is_knot(spot):
            return dot_quoted(spot.key)
        box = self.borders.box(spot)
        while spot.state is None and box.boxes:
            box = box.boxes[0]
            spot = Spot(box.address)
        while box.chart is not None and _is_parallel(box.chart, spot.state):
            spot = Spot(spot.key, box.chart.children(str(spot.state))[0])
        return _start(spot) if self.borders.is_area(spot) else _name(spot)


def _hidden(box: Box) -> Iterator[Spot]:
    """Yield the states with states inside from which, or to which, an arrow stays inside."""
    for step in steps_of(box):
        assert box.chart is not None  # noqa: S101 - for type checkers
        for outer, inner in ((step.source, step.target), (step.target, step.source)):
            if box.chart.children(outer) and (outer == inner or outer in box.chart.ancestors(inner)):
                yield Spot(box.address, outer)


def _is_parallel(chart: Chart, state: str | None) -> bool:
    return state is not None and chart.node(state).kind == "parallel"


def _name(spot: Spot) -> str:
    return dot_quoted(".".join(part for part in (spot.key, spot.state) if part))


def _cluster(spot: Spot) -> str:
    return dot_quoted("cluster " + ".".join(part for part in (spot.key, spot.state) if part))


def _start(spot: Spot) -> str:
    return dot_quoted("start " + ".".join(part for part in (spot.key, spot.state) if part))


def _inside(spot: Spot) -> str:
    return dot_quoted("inside " + ".".join(part for part in (spot.key, spot.state) if part))
