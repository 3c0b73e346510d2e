"""A link map: one node for each machine, for systems that are too large to show every state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._dot import ARROWS, HEAD, KNOTS
from ._escape import Ids, dot_quoted, mermaid_title
from ._mermaid import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._sketch import Box, Sketch

__all__ = ("dot_map", "mermaid_map")

_MERMAID_ARROWS = {"link": "-->", "part": "==>", "asks": "-.-", "guard": "-.->"}
_MERMAID_KNOTS = {"joint": ('{{"', '"}}'), "condition": ('["', '"]'), "reaction": ('>"', '"]')}


def mermaid_map(sketch: Sketch) -> str:
    """Draw the link map of a sketch as a Mermaid flowchart."""
    return "\n".join(_flowchart(sketch, Ids())) + "\n"


def _flowchart(sketch: Sketch, ids: Ids) -> Iterator[str]:
    yield "flowchart LR"
    for box in sketch.boxes:
        yield from _node(box, ids, "    ")
    for knot in sketch.knots:
        opening, closing = _MERMAID_KNOTS[knot.kind]
        yield f"    {ids.of(knot.key, knot.key)}{opening}{mermaid_title(knot.title)}{closing}"
    for arrow in sketch.arrows:
        source, target = ids.of(arrow.source.key, arrow.source.key), ids.of(arrow.target.key, arrow.target.key)
        label = arrow.full_label
        shown = f'|"{mermaid_title(label)}"|' if label else ""
        yield f"    {source} {_MERMAID_ARROWS[arrow.kind]}{shown} {target}"
    for style in STYLES:
        name = style.split()[1]
        keys = [ids.of(knot.key, knot.key) for knot in sketch.knots if knot.kind == name]
        if keys:
            yield f"    {style}"
            yield f"    class {','.join(keys)} {name}"


def _node(box: Box, ids: Ids, indent: str) -> Iterator[str]:
    key, title = ids.of(box.address, box.address), mermaid_title(box.title)
    if box.boxes:
        yield f'{indent}subgraph {key}["{title}"]'
        for inner in box.boxes:
            yield from _node(inner, ids, f"{indent}    ")
        yield f"{indent}end"
    elif box.is_collection:
        yield f'{indent}{key}[["{title}"]]'
    else:
        yield f'{indent}{key}("{title}")'


def dot_map(sketch: Sketch) -> str:
    """Draw the link map of a sketch in DOT."""
    return "\n".join(_graph(sketch)) + "\n"


def _graph(sketch: Sketch) -> Iterator[str]:
    yield f"digraph {dot_quoted(sketch.title)} {{"
    yield from (f"    {line};" for line in HEAD)
    for box in sketch.boxes:
        yield from _dot_node(box, "    ")
    for knot in sketch.knots:
        yield f"    {dot_quoted(knot.key)} [label={dot_quoted(knot.title)}, {KNOTS[knot.kind]}];"
    boxes = {box.address: box for box in sketch.all_boxes()}
    for arrow in sketch.arrows:
        words = [ARROWS[arrow.kind]]
        label = arrow.full_label
        if label:
            words.append(f"label={dot_quoted(label)}")
        ends = []
        for end, key in (("ltail", arrow.source.key), ("lhead", arrow.target.key)):
            found = boxes.get(key)
            if found is not None and found.boxes:
                words.append(f"{end}={dot_quoted(f'cluster {key}')}")
            ends.append(dot_quoted(_innermost(found) if found is not None else key))
        yield f"    {ends[0]} -> {ends[1]} [{', '.join(words)}];"
    yield "}"


def _dot_node(box: Box, indent: str) -> Iterator[str]:
    if not box.boxes:
        look = ", peripheries=2" if box.is_collection else ""
        yield f"{indent}{dot_quoted(box.address)} [label={dot_quoted(box.title)}{look}];"
        return
    yield f"{indent}subgraph {dot_quoted(f'cluster {box.address}')} {{"
    yield f'{indent}    label={dot_quoted(box.title)}; style=rounded; color="#888888";'
    for inner in box.boxes:
        yield from _dot_node(inner, f"{indent}    ")
    yield f"{indent}}}"


def _innermost(box: Box) -> str:
    while box.boxes:
        box = box.boxes[0]
    return box.address
