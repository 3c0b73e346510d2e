"""
Machines as Mermaid state diagrams (exports.md 1).

Mermaid moves a state into the block in which it is named last, unless that is the whole diagram. So an arrow between
neighbours stands in their block, and one that crosses a border stands at the end, outside of all blocks. An arrow
between a state and one inside it cannot be drawn at all: it becomes a loop on the outer one, and its label says more.
And of several loops of one state it draws only the last, so that all of them are lines of the state's label too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ._guard_text import guard_text
from ._mermaid_text import label, name_ids
from ._tree import ancestry, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import (
        Expression,
        InvokeDefinition,
        MachineDefinition,
        Outcome,
        StateDefinition,
        TimeoutDefinition,
        TransitionDefinition,
    )

    from ._tree import Node

__all__ = ("Direction", "mermaid")

Direction: TypeAlias = Literal["LR", "TB"]

_ANY = "*"
_ANY_TITLE = "any state"


def mermaid(
    machine: MachineDefinition,
    *,
    direction: Direction = "LR",
    descriptions: bool = True,
    actions: bool = True,
) -> str:
    """
    Draw a machine as a Mermaid state diagram.

    Args:
        machine: What a document says about it.
        direction: Whether the diagram grows to the right or downwards.
        descriptions: Whether the descriptions of states are shown.
        actions: Whether actions are shown, those of rows and those on entry and exit.
    """
    return "\n".join(_Diagram(machine, descriptions, actions).lines(direction)) + "\n"


@dataclass(frozen=True, slots=True)
class _Edge:
    source: str
    target: str
    text: str
    crosses: bool = False
    """Whether it leaves a block or enters one."""


class _Diagram:
    def __init__(self, machine: MachineDefinition, descriptions: bool, actions: bool) -> None:
        self.machine, self.descriptions, self.actions = machine, descriptions, actions
        self.tree = read_tree(machine)
        self.anywhere = [row for row in machine.transitions if row.source == _ANY]
        self.parents = {node.path: node.parent for node in self.tree} | {_ANY: ""}
        self.ids = name_ids(self.parents)
        self.edges = [self._drawn(edge) for edge in self._edges()]
        self.loops: dict[str, list[str]] = defaultdict(list)
        self.within: dict[str, list[_Edge]] = defaultdict(list)
        self.internal: dict[str, list[str]] = defaultdict(list)
        for edge in self.edges:
            if edge.source == edge.target:
                self.loops[edge.source].append(edge.text)
            if not edge.crosses:
                self.within[self.parents[edge.source]].append(edge)
        for row in machine.transitions:
            if row.target is None:
                self.internal[row.source].append(f"internal {self._row(row)}")

    def lines(self, direction: Direction) -> Iterator[str]:
        yield "stateDiagram-v2"
        yield f"  direction {direction}"
        yield from self._block(self.tree.roots, "", "  ")
        yield from (f"  {self._arrow(edge)}" for edge in self.edges if edge.crosses)

    # -- blocks -----------------------------------------------------------------------------------------

    def _block(self, nodes: Sequence[Node], parent: str, indent: str) -> Iterator[str]:
        regions = bool(nodes) and nodes[0].kind == "region"
        for number, node in enumerate(nodes):
            if regions and number:
                yield f"{indent}--"
            yield from self._node(node, indent)
        if not parent and self.anywhere:
            yield f'{indent}state "{label([_ANY_TITLE, *self.internal[_ANY]])}" as {self.ids[_ANY]}'
        if not regions:
            yield from (f"{indent}[*] --> {self.ids[node.path]}" for node in nodes if node.initial)
            yield from (f"{indent}{self.ids[node.path]} --> [*]" for node in nodes if node.kind == "final")
        yield from (f"{indent}{self._arrow(edge)}" for edge in self.within[parent])

    def _node(self, node: Node, indent: str) -> Iterator[str]:
        opening = f'{indent}state "{label(self._texts(node))}" as {self.ids[node.path]}'
        if not node.children:
            yield opening
            return
        yield f"{opening} {{"
        yield from self._block(node.children, node.path, indent + "  ")
        yield f"{indent}}}"

    def _texts(self, node: Node) -> Iterator[str]:
        """The lines of a label: the name, and everything that no arrow shows."""
        found = node.definition
        yield node.name
        if self.descriptions:
            yield from found.description.splitlines()
        if self.actions:
            yield from (f"entry / {', '.join(names)}" for names in (found.on_entry,) if names)
            yield from (f"exit / {', '.join(names)}" for names in (found.on_exit,) if names)
        yield from self.internal[node.path]
        if node.state is not None:
            yield from self._raised(node.state)
        if len(self.loops[node.path]) > 1:
            yield from (f"loop {text}" for text in self.loops[node.path])
        ignored = [*found.ignored, *([_ANY] if found.ignores_all else [])]
        if ignored:
            yield f"ignore {', '.join(ignored)}"

    def _raised(self, state: StateDefinition) -> Iterator[str]:
        """What a state does without an arrow: it runs a machine, or raises an event."""
        if state.invoke is not None:
            yield f"invoke {state.invoke.machine}"
        for timeout in state.timeouts:
            if timeout.outcome.event is not None:
                yield f"{self._timeout(timeout)} raises {timeout.outcome.event}"
        for word, outcome in (("done", state.on_done), ("error", state.on_error)):
            if outcome is not None and outcome.event is not None:
                yield f"{word} raises {outcome.event}"

    # -- arrows -----------------------------------------------------------------------------------------

    def _edges(self) -> Iterator[_Edge]:
        # By source, so that it makes no difference whether a transition was written as a bullet or as a row.
        order = {path: number for number, path in enumerate(self.parents)}
        for row in sorted(self.machine.transitions, key=lambda row: order[row.source]):
            if row.target is not None:
                yield _Edge(row.source, row.target, self._row(row))
        for node in self.tree:
            if node.state is not None:
                yield from self._consequences(node.state)

    def _consequences(self, state: StateDefinition) -> Iterator[_Edge]:
        outcomes: list[tuple[str, Outcome | None]] = [
            (self._timeout(timeout), timeout.outcome) for timeout in state.timeouts
        ]
        outcomes += [("done", state.on_done), ("error", state.on_error)]
        if state.invoke is not None:
            outcomes += _results(state.invoke)
        for text, outcome in outcomes:
            if outcome is not None and outcome.target is not None:
                yield _Edge(state.path, outcome.target, text)

    def _row(self, row: TransitionDefinition) -> str:
        return self._words(row.event or "", row.guard, row.actions)

    def _timeout(self, timeout: TimeoutDefinition) -> str:
        duration = timeout.duration or f"{timeout.milliseconds}ms"
        return self._words(f"after {duration}", timeout.guard, timeout.actions)

    def _words(self, trigger: str, guard: Expression | None, actions: tuple[str, ...]) -> str:
        words = [trigger] if trigger else []
        words += [f"[{guard_text(guard)}]"] if guard is not None else []
        words += [f"/ {', '.join(actions)}"] if actions and self.actions else []
        return " ".join(words)

    def _drawn(self, edge: _Edge) -> _Edge:
        """Turn an arrow into one that Mermaid can draw."""
        if self.parents[edge.source] == self.parents[edge.target]:
            return edge
        source, target = _lineage(edge.source), _lineage(edge.target)
        shared = sum(one == two for one, two in zip(source, target, strict=False))
        lifted = f"from {edge.source}: {edge.text}".removesuffix(": ")
        if shared == len(source):  # to a state inside
            return _Edge(edge.source, edge.source, f"{edge.text} → {edge.target}".strip(), crosses=True)
        if shared == len(target):  # to a state around
            return _Edge(edge.target, edge.target, lifted, crosses=True)
        if min(len(source), len(target)) > shared + 1:  # between states of two blocks
            return _Edge(source[shared], edge.target, lifted, crosses=True)
        return _Edge(edge.source, edge.target, edge.text, crosses=True)

    def _arrow(self, edge: _Edge) -> str:
        text = f" : {label([edge.text])}" if edge.text else ""
        return f"{self.ids[edge.source]} --> {self.ids[edge.target]}{text}"


def _lineage(path: str) -> list[str]:
    return [path] if path == _ANY else ancestry(path)


def _results(invoke: InvokeDefinition) -> list[tuple[str, Outcome | None]]:
    return [(f"done {invoke.machine}", invoke.on_done), (f"error {invoke.machine}", invoke.on_error)]
