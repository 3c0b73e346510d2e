"""
Which case an object belongs to.

A case is what hangs together around one purchase requisition: objects that share an event are of one case. An
event that would join two requisitions joins nothing and belongs nowhere; without this rule one wrong reference
would make one case of two, and the mistake would be invisible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .log import EventLog, LoggedEvent

__all__ = ("ANCHOR", "CaseFile", "Grouping", "group")

ANCHOR = "PURCHREQ"
"""The type of object that there is one of in each case."""


@dataclass(slots=True)
class CaseFile:
    """What the log says about one case."""

    id: str
    """The id of its requisition, or of its first object if it has none."""
    types: dict[str, str] = field(default_factory=dict)
    """Its objects in order of appearance, with their types."""
    events: list[LoggedEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grouping:
    """All cases of a log."""

    cases: Mapping[str, CaseFile]
    """By id, in order of their first events."""
    case_of: Mapping[str, str]
    """The case of each object that has one."""
    strays: frozenset[str]
    """Ids of the events of no case: they touch nothing, or would join two requisitions."""


class _Forest:
    """Disjoint sets of objects, each with at most one requisition."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._parents = {name: name for name in types}
        self.anchors = {name: name for name, kind in types.items() if kind == ANCHOR}
        """The requisition of a set, by its root."""

    def root(self, name: str) -> str:
        while self._parents[name] != name:
            self._parents[name] = name = self._parents[self._parents[name]]
        return name

    def join(self, names: tuple[str, ...]) -> bool:
        """Make one set of all, unless that would bring two requisitions together."""
        roots = list(dict.fromkeys(map(self.root, names)))
        anchored = [root for root in roots if root in self.anchors]
        if len(anchored) > 1:
            return False
        top = (anchored or roots)[0]
        self._parents.update(dict.fromkeys(roots, top))
        return True


def group(log: EventLog) -> Grouping:
    """Give every event and every object that an event touches to a case."""
    forest = _Forest(log.types)
    joined = [event for event in log.events if event.objects and forest.join(event.objects)]
    files: dict[str, CaseFile] = {}
    for event in joined:
        root = forest.root(event.objects[0])
        case = files.setdefault(root, CaseFile(forest.anchors.get(root, event.objects[0])))
        case.events.append(event)
        case.types.update({name: log.types[name] for name in event.objects})
    return Grouping(
        {case.id: case for case in files.values()},
        {name: case.id for case in files.values() for name in case.types},
        frozenset(event.id for event in log.events) - frozenset(event.id for event in joined),
    )
