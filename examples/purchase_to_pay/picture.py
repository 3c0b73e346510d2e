"""
A Mermaid flowchart of one case: a box for each machine, where it is, and the way it came.

The replay keeps no history of its cases, so that drawing one replays it again and listens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .case import COLLECTIONS, Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachine import State, StateChart

    from .cases import CaseFile

__all__ = ("picture",)

_STYLES = (
    "classDef active fill:#ffd54a,stroke:#333,stroke-width:3px",
    "classDef passed fill:#e3f2fd,stroke:#333",
)


def picture(file: CaseFile) -> Iterator[str]:
    """Replay the events of a case that fit, and draw where that leads."""
    case = Case(file.types)
    drawings = [
        _Drawing(f"{name}_{number}", f"{kind} {object_id}", machine)
        for kind, name in COLLECTIONS.items()
        for number, (object_id, machine) in enumerate(case.members(kind).items(), 1)
    ]
    for event in file.events:
        for drawing in drawings:
            drawing.at = event.id
        case.take(event)
    yield "flowchart TB"
    yield from (f"    {style}" for style in _STYLES)
    for drawing in drawings:
        yield from drawing.lines()


class _Drawing:
    """One machine: listens to it first, and draws it then."""

    def __init__(self, name: str, title: str, machine: StateChart[Any]) -> None:
        self.name, self.title, self.machine = name, title, machine
        self.at = ""
        """The id of the event that is being replayed."""
        self.taken: dict[tuple[str, str, str], list[str]] = {}
        """The ids of the log's events at which each way was taken; the target is empty if the machine stayed."""
        machine.add_listener(self)

    def after_transition(self, transition: Any) -> None:
        """Note a transition."""
        target = _target(transition)
        way = transition.source.id, str(transition.event), target.id if target else ""
        self.taken.setdefault(way, []).append(self.at)

    def lines(self) -> Iterator[str]:
        """Draw the machine as a box."""
        top = tuple(type(self.machine).states)
        yield f"    subgraph {self.name}[{_quoted(self.title)}]"
        yield "        direction TB"
        for state in top:
            yield from self._state(state, " " * 8)
        yield from (f"        {edge}" for state in top for edge in self._edges(state))
        yield "    end"

    def _state(self, state: State, margin: str) -> Iterator[str]:
        key, name = f"{self.name}_{state.id}", str(state.value).rpartition(".")[2]
        active = {one.id for one in self.machine.configuration}
        passed = {one for source, _, target in self.taken for one in (source, target)}
        stays = [f"{event}{self._when(state.id, event, '')}" for event, target in _ways(state) if target is None]
        if state.states:
            title = f"{name} ({', '.join(stays)})" if stays else name
            yield f"{margin}subgraph {key}[{_quoted(title)}]"
            for child in state.states:
                yield from self._state(child, f"{margin}    ")
            yield f"{margin}end"
        else:
            style = ":::active" if state.id in active else ":::passed" if state.id in passed else ""
            label = _quoted(name, *stays)
            yield f"{margin}{key}([{label}]){style}" if state.final else f"{margin}{key}({label}){style}"

    def _edges(self, state: State) -> Iterator[str]:
        for event, target in _ways(state):
            if target is not None:
                when = self._when(state.id, event, target.id)
                arrow = "==>" if when else "-->"
                yield f"{self.name}_{state.id} {arrow}|{_quoted(event + when)}| {self.name}_{target.id}"
        for child in state.states:
            yield from self._edges(child)

    def _when(self, source: str, event: str, target: str) -> str:
        taken = self.taken.get((source, event, target))
        return f": {', '.join(taken)}" if taken else ""


def _ways(state: State) -> Iterator[tuple[str, State | None]]:
    """
    List every event of a state with the state that it leads to, None if that is where it is.

    The library's own transitions into an initial child are no events. Guards make no difference to an arrow.
    """
    ways = ((str(transition.event), _target(transition)) for transition in state.transitions if not transition.initial)
    yield from dict.fromkeys(ways)


def _target(transition: Any) -> State | None:
    # Mermaid puts the text of a loop on top of its neighbour's.
    return None if transition.target is transition.source else transition.target


def _quoted(*lines: str) -> str:
    """Mermaid text: what could end it, or mean something in it, is written by number."""
    shown = ("".join(c if c.isalnum() or c in " -_.,:" else f"#{ord(c)};" for c in line) for line in lines)
    return f'"{"<br/>".join(shown)}"'
