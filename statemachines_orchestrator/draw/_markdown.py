"""Tables in Markdown: members, states, events, links, guards and joint events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._escape import markdown_cell, markdown_code
from ._survey import levels_of, survey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from statemachine import StateChart

    from statemachines_orchestrator.charts import Chart
    from statemachines_orchestrator.declare import Declaration

    from ._sketch import Box
    from ._survey import Level

__all__ = ("markdown",)


def markdown(
    declaration: Declaration,
    configuration: Mapping[str, Collection[str]] | None = None,
    classes: Mapping[str, type[StateChart[Any]]] | None = None,
) -> str:
    """Describe an orchestrator class, or an instance, in tables; what is active is bold."""
    sketch = survey(declaration, configuration, classes)
    boxes = list(sketch.all_boxes())
    parts = [f"# {markdown_cell(sketch.title)}", *_members(boxes)]
    for box in boxes:
        if box.chart is not None and box.has_states:
            parts.extend(_machine(box, box.chart))
    for level in levels_of(declaration):
        parts.extend(_rules(level))
    return "\n\n".join(parts) + "\n"


def _members(boxes: Sequence[Box]) -> Iterator[str]:
    rows = []
    for box in boxes:
        where = ", ".join(_active(box)) if box.active else ""
        rows.append([markdown_code(box.address), markdown_cell(box.title.partition(": ")[2]), where])
    shown = any(row[2] for row in rows)
    yield _table(["member", "class", *(["active"] if shown else [])], [row[: 3 if shown else 2] for row in rows])


def _active(box: Box) -> Iterator[str]:
    for node in box.chart.nodes if box.chart is not None else ():
        count = box.active.get(node.id)
        if count:
            yield f"**{markdown_cell(node.id)}**" + (f" ({count})" if box.is_collection else "")


def _machine(box: Box, chart: Chart) -> Iterator[str]:
    yield f"## {markdown_cell(box.address)}"
    yield _table(["state", "text", "kind", "inside"], [_state_row(box, chart, state) for state in _ids(chart)])
    rows = [
        [
            markdown_code(" ".join(edge.events)),
            markdown_code(edge.source),
            markdown_code(" ".join(edge.targets)) + (" (internal)" if edge.internal else ""),
            markdown_code(", ".join(edge.conditions)),
        ]
        for edge in chart.edges
    ]
    if rows:
        yield _table(["event", "from", "to", "if"], rows)


def _ids(chart: Chart) -> Iterator[str]:
    return (node.id for node in chart.nodes)


def _state_row(box: Box, chart: Chart, state: str) -> list[str]:
    node = chart.node(state)
    code = markdown_code(state)
    words = (["initial"] if node.initial else []) + ([] if node.kind == "atomic" else [node.kind])
    words += ["invokes"] if node.has_invoke else []
    return [
        f"**{code}**" if box.active.get(state) else code,
        markdown_cell(node.name),
        ", ".join(words),
        markdown_code(node.parent or ""),
    ]


def _rules(level: Level) -> Iterator[str]:
    declaration = level.declaration
    where = f" of {markdown_cell(level.address(()))}" if level.path else ""
    if declaration.links:
        yield f"## Links{where}"
        yield _table(
            ["link", "what it does"], [[markdown_code(one.name), markdown_code(str(one))] for one in declaration.links]
        )
    if declaration.guards:
        yield f"## Guards{where}"
        rows = [
            [markdown_code(one.name), markdown_code(str(one.target)), markdown_code(str(one.condition))]
            for one in declaration.guards
        ]
        yield _table(["guard", "event", "is allowed while"], rows)
    if declaration.joint_events:
        yield f"## Joint events{where}"
        rows = [
            [markdown_code(one.name), ", ".join(markdown_code(str(part)) for part in one.parts)]
            for one in declaration.joint_events
        ]
        yield _table(["joint event", "all of these, or none"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
