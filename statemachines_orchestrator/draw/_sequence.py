"""What happened in steps, as a Mermaid sequence diagram: who sent what to whom, and where that led."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.system import (
    EventHeld,
    EventRefused,
    LinkFired,
    Moved,
    StepEnded,
    StepStarted,
    TimerChanged,
)

from ._escape import Ids, mermaid_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from statemachines_orchestrator.system import Inspection

__all__ = ("sequence",)

_OUTSIDE = " outside"
"""No member has a space in its address."""
_WIDTH = 50
"""Columns of a text; Mermaid breaks no line itself."""


def sequence(records: Iterable[Inspection]) -> str:
    """
    Draw what happened as a Mermaid sequence diagram.

    Args:
        records: What an observer was told, of one step or of several, in order.
    """
    return "\n".join(_Diagram(list(records)).lines()) + "\n"


class _Diagram:
    def __init__(self, records: list[Inspection]) -> None:
        self.records = records
        self.ids = Ids()
        self.people = list(dict.fromkeys(one for record in records for one in _involved(record)))
        self.senders: dict[str, str] = {}
        """Whose move caused each link, so that a refusal finds its way back."""

    def lines(self) -> Iterator[str]:
        yield "sequenceDiagram"
        for one in self.people:
            kind = "actor" if one == _OUTSIDE else "participant"
            yield f"    {kind} {self.id(one)} as {mermaid_text(one.strip() or 'system')}"
        for record in self.records:
            yield from (f"    {line}" for line in _HOW[type(record)](self, record))

    def id(self, person: str) -> str:
        return self.ids.of(person, person or "system")

    def arrow(self, source: str, stroke: str, target: str, text: str) -> str:
        return f"{self.id(source)}{stroke}{self.id(target)} : {_wrapped(text)}"

    def note(self, person: str, text: str) -> str:
        return f"Note over {self.id(person)} : {_wrapped(text)}"

    def across(self, text: str) -> Iterator[str]:
        """Write something across the whole picture."""
        if self.people:
            ends = dict.fromkeys((self.id(self.people[0]), self.id(self.people[-1])))
            yield f"Note over {','.join(ends)} : {_wrapped(text)}"

    # -- records ---------------------------------------------------------------------------------------------

    def started(self, record: StepStarted) -> Iterator[str]:
        yield from self.across(f"step {record.step} at {record.at:g} s")
        if record.address is not None:
            yield self.arrow(_OUTSIDE, "->>", record.address, record.event or "")

    def moved(self, record: Moved) -> Iterator[str]:
        cause = f"\nby {record.cause}" if record.cause is not None else ""
        yield self.note(record.address, f"{_way(record)}{cause}")

    def fired(self, record: LinkFired) -> Iterator[str]:
        self.senders[record.link] = record.source
        if record.target:
            yield self.arrow(record.source, "->>", record.target, f"{record.event or ''}\nby {record.link}")
        else:
            yield self.note(record.source, f"{record.link} calls its function")

    def held(self, record: EventHeld) -> Iterator[str]:
        yield self.note(record.address, f"{record.event} is held\nfor {record.link}")

    def refused(self, record: EventRefused) -> Iterator[str]:
        sender = self.senders.get(record.link, _OUTSIDE) if record.link is not None else _OUTSIDE
        sender = sender if sender in self.people else record.address
        yield self.arrow(record.address, "--x", sender, f"{record.event} is refused: {record.why}")

    def timer(self, record: TimerChanged) -> Iterator[str]:
        what = record.event if record.event is not None else "a timer"
        cause = f"\nof {record.link}" if record.link is not None else ""
        yield self.note(record.address, f"{what}: {record.change}, due at {record.due:g} s{cause}")

    def ended(self, record: StepEnded) -> Iterator[str]:
        outcome = record.configuration
        if record.error is not None:
            what = "and was put back" if record.put_back else "and was not put back"
            outcome = f"failed {what}: {record.error}\n{record.configuration}"
        yield from self.across(f"step {record.step}: {outcome}")


_HOW: dict[type[Any], Callable[[_Diagram, Any], Iterator[str]]] = {
    StepStarted: _Diagram.started,
    Moved: _Diagram.moved,
    LinkFired: _Diagram.fired,
    EventHeld: _Diagram.held,
    EventRefused: _Diagram.refused,
    TimerChanged: _Diagram.timer,
    StepEnded: _Diagram.ended,
}


def _involved(record: Inspection) -> Iterator[str]:
    """Yield who takes part; an empty text stands for the system itself."""
    if isinstance(record, StepStarted):
        yield from (_OUTSIDE, record.address) if record.address is not None else ()
    elif isinstance(record, LinkFired):
        yield record.source
        yield from (record.target,) if record.target else ()
    elif not isinstance(record, StepEnded):
        yield record.address


def _way(record: Moved) -> str:
    if record.event is None and record.entered and not record.left:
        return f"begins in {' '.join(record.entered)}"
    what = record.event if record.event is not None else "no event"
    return f"{what}: {' '.join(record.left) or '·'} → {' '.join(record.entered) or '·'}"


def _wrapped(text: str) -> str:
    lines = (textwrap.wrap(line, _WIDTH, break_on_hyphens=False) for line in text.split("\n"))
    return mermaid_text("\n".join(one for line in lines for one in line))
