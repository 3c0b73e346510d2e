"""
A Mermaid flowchart of one case: a box for each machine, where it is, and the way it came.

The replay keeps no history of its cases, so that drawing one replays it again and listens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .case import RefusedError, open_case

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from statemachine import State, StateChart

    from .case import Case
    from .cases import CaseFile
    from .log import LoggedEvent

__all__ = ("picture",)

_STYLES = (
    "classDef active fill:#ffd54a,stroke:#333,stroke-width:3px",
    "classDef passed fill:#e3f2fd,stroke:#333",
)


@dataclass(slots=True)
class _Trail:
    """Listens to one machine: which way it went, at which event of the log."""

    at: str = ""
    """The id of the event that is being replayed."""
    taken: list[tuple[str, str, str, str]] = field(default_factory=list)
    """That id, and source, event and target of each transition; the target is empty if the machine stayed."""

    def after_transition(self, transition: Any) -> None:
        """Note a transition."""
        target = transition.target.id if transition.target else ""
        self.taken.append((self.at, transition.source.id, str(transition.event), target))


def picture(file: CaseFile) -> Iterator[str]:
    """Replay the events of a case that fit, and draw where that leads."""
    case = open_case(file.types)
    trails = {seat.member: _Trail() for seat in case.seats.values() if seat.member}
    for member, trail in trails.items():
        getattr(case, member).add_listener(trail)
    for event in file.events:
        _follow(case, event, trails.values())
    yield "flowchart TB"
    yield from (f"    {style}" for style in _STYLES)
    for seat in case.seats.values():
        if seat.member is not None:
            drawing = _Drawing(seat.member, case.machine_at(seat), trails[seat.member].taken)
            yield from drawing.lines(f"{seat.type} {seat.object_id}")


def _follow(case: Case, event: LoggedEvent, trails: Collection[_Trail]) -> None:
    before = [len(trail.taken) for trail in trails]
    for trail in trails:
        trail.at = event.id
    try:
        case.clerk.take(logged=event)
    except RefusedError:
        # The step was put back, and listeners are not machines: what they heard stays.
        for trail, length in zip(trails, before, strict=True):
            del trail.taken[length:]


class _Drawing:
    """The lines of one machine."""

    def __init__(self, member: str, machine: StateChart[Any], taken: Sequence[tuple[str, str, str, str]]) -> None:
        self.member = member
        self.top = tuple(type(machine).states)
        self.active = {state.id for state in machine.configuration}
        self.taken: dict[tuple[str, str, str], list[str]] = {}
        """The ids of the log's events at which each way was taken."""
        for at, source, event, target in taken:
            self.taken.setdefault((source, event, target), []).append(at)
        self.passed = {name for source, _, target in self.taken for name in (source, target)}

    def lines(self, title: str) -> Iterator[str]:
        """Draw the machine as a box."""
        yield f"    subgraph {self.member}[{_quoted(title)}]"
        yield "        direction TB"
        for state in self.top:
            yield from self._state(state, " " * 8)
        yield from (f"        {edge}" for state in self.top for edge in self._edges(state))
        yield "    end"

    def _state(self, state: State, margin: str) -> Iterator[str]:
        key, name = f"{self.member}_{state.id}", str(state.value).rpartition(".")[2]
        stays = [f"{event}{self._when(state.id, event, '')}" for event, target in _ways(state) if target is None]
        if state.states:
            title = f"{name} ({', '.join(stays)})" if stays else name
            yield f"{margin}subgraph {key}[{_quoted(title)}]"
            for child in state.states:
                yield from self._state(child, f"{margin}    ")
            yield f"{margin}end"
        else:
            style = ":::active" if state.id in self.active else ":::passed" if state.id in self.passed else ""
            label = _quoted(name, *stays)
            yield f"{margin}{key}([{label}]){style}" if state.final else f"{margin}{key}({label}){style}"

    def _edges(self, state: State) -> Iterator[str]:
        for event, target in _ways(state):
            if target is not None:
                when = self._when(state.id, event, target.id)
                arrow = "==>" if when else "-->"
                yield f"{self.member}_{state.id} {arrow}|{_quoted(event + when)}| {self.member}_{target.id}"
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
    ways = ((str(transition.event), transition.target) for transition in state.transitions if not transition.initial)
    yield from dict.fromkeys(ways)


def _quoted(*lines: str) -> str:
    """Mermaid text: what could end it, or mean something in it, is written by number."""
    shown = ("".join(c if c.isalnum() or c in " -_.,:" else f"#{ord(c)};" for c in line) for line in lines)
    return f'"{"<br/>".join(shown)}"'
