"""What both languages of pictures say about one machine: its transitions as arrows with labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from statemachines_orchestrator.charts import Edge, Node

    from ._sketch import Box

__all__ = ("Step", "state_text", "steps_of")


@dataclass(frozen=True, slots=True)
class Step:
    """An arrow from state to state, for all transitions that go the same way."""

    source: str
    target: str
    label: str


def steps_of(box: Box) -> Iterator[Step]:
    """Yield the arrows of a machine; one without a target leads back to its source, and says that it stays."""
    if box.chart is None:
        return
    needs = _needs(box)
    labels: dict[tuple[str, str], list[str]] = {}
    for number, edge in enumerate(box.chart.edges):
        remark = "" if edge.targets and not edge.internal else " (internal)" if edge.targets else " (stays)"
        for target in edge.targets or (edge.source,):
            label = _label(edge, needs.get(number, ()))
            labels.setdefault((edge.source, target), []).append(f"{label}{remark}".strip())
    for (source, target), texts in labels.items():
        yield Step(source, target, "\n".join(dict.fromkeys(text for text in texts if text)))


def _needs(box: Box) -> Mapping[int, tuple[str, ...]]:
    """Return what guards of the orchestrator ask, by the position of the transition."""
    found: dict[int, tuple[str, ...]] = {}
    assert box.chart is not None  # noqa: S101 - for type checkers
    for event, texts in box.guards.items():
        guarded = box.chart.edges_of(event)
        for number, edge in enumerate(box.chart.edges):
            if any(edge is one for one in guarded):
                found[number] = (*found.get(number, ()), *texts)
    return found


def _label(edge: Edge, needs: tuple[str, ...]) -> str:
    words = [" / ".join(edge.events)] if edge.events else []
    if edge.conditions:
        words.append(f"[{', '.join(edge.conditions)}]")
    return "\n".join([" ".join(words), *(f"[{text}]" for text in needs)]).strip()


def state_text(node: Node, box: Box) -> str:
    """Return what stands in a state: its name, and of a collection how many machines are in it."""
    count = box.active.get(node.id, 0)
    lines = [f"{node.name} ({count})" if box.is_collection and count else node.name]
    if node.has_invoke:
        lines.append("(invokes)")
    return "\n".join(lines)
