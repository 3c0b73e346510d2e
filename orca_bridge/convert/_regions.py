"""
When a parallel state is done (semantics.md section 5).

That all regions are final, python-statemachine finds itself. What it raises then is kept back for a parallel state that
is done otherwise, and for ``any-final`` the event follows the one of the first region that is final.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statemachine.event import BoundEvent
from statemachine.orderedset import OrderedSet

from ._handlers import find_handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statemachine.event_data import TriggerData

    from orca_bridge.definition import Sync

    from ._actions import Source
    from ._machine import OrcaChart

__all__ = (
    "Parallel",
    "after_event",
    "find_predicates",
    "handler_name",
    "in_document_order",
    "is_kept_back",
    "settle_regions",
    "watched_events",
)

_logger = logging.getLogger("orca_bridge")


@dataclass(frozen=True, slots=True)
class Parallel:
    """A parallel state that is not done just when all of its regions are."""

    path: str
    event: str
    """The id of the event that says that it is done."""
    sync: Sync
    regions: tuple[tuple[str, str, frozenset[str]], ...]
    """Of each region the name, the id of its own event, and the paths of its final states."""

    def finals(self, machine: OrcaChart) -> dict[str, str | None]:
        """Tell which final state each region is in, by its name; None where it is in none."""
        active = machine.configuration_values
        return {
            name: next((path.rpartition(".")[2] for path in active if path in finals), None)
            for name, _, finals in self.regions
        }


def handler_name(path: str) -> str:
    """Give the name under which the predicate of a state with ``sync: custom`` is looked for, like an action."""
    return f"sync_{path}"


def find_predicates(machine: OrcaChart, sources: Iterable[Source]) -> dict[str, Callable[..., Any]]:
    """Find what says when parallel states with ``sync: custom`` are done, by path; where nothing does, log it."""
    found = {}
    sources = tuple(sources)
    for parallel in machine._parallels:
        if parallel.sync != "custom":
            continue
        predicate = find_handler(sources, handler_name(parallel.path))
        if predicate is not None:
            found[parallel.path] = predicate
        else:
            _logger.warning(
                "the parallel state %r of machine %r is never done: nothing is called %r",
                parallel.path,
                machine.definition.name,
                handler_name(parallel.path),
            )
    return found


def in_document_order(machine: OrcaChart) -> None:
    """
    Sort the active states: rows are looked for from the first region to the last, whichever moved last.

    The library appends what is entered, so that of two rows that exclude each other it would take any.
    """
    active = list(machine.configuration_values)
    ordered = sorted(active, key=machine._order.__getitem__)
    if ordered != active:
        machine.current_state_value = OrderedSet(ordered)


def watched_events(parallels: Iterable[Parallel]) -> dict[str, Parallel]:
    """Find the events of the library that say something about these states, by id."""
    found = {}
    for parallel in parallels:
        found[parallel.event] = parallel
        if parallel.sync == "any-final":
            found.update({event: parallel for _, event, _ in parallel.regions})
    return found


def is_kept_back(machine: OrcaChart, trigger: TriggerData) -> bool:
    """Whether an event says that a parallel state is done, because all regions are, that is done otherwise."""
    parallel = machine._watched.get(str(trigger.event))
    return parallel is not None and parallel.event == str(trigger.event) and _is_internal(trigger)


def after_event(machine: OrcaChart, trigger: TriggerData) -> TriggerData | None:
    """Make the event that says that a parallel state is done, if the one just queued is of its first final region."""
    parallel = machine._watched.get(str(trigger.event))
    if parallel is None or parallel.event == str(trigger.event) or not _is_internal(trigger):
        return None
    final = sum(name is not None for name in parallel.finals(machine).values())
    return _done(machine, parallel) if final == 1 else None


def settle_regions(machine: OrcaChart) -> None:
    """Ask the predicates of ``sync: custom`` at the end of a macrostep; each says only once that a state is done."""
    # A parallel state at the top that is done does not end the machine, whatever the library thinks.
    machine._engine._root_parallel_final_pending = None
    orca = machine._orca
    for parallel in machine._parallels:
        predicate = orca.predicates.get(parallel.path)
        if predicate is None or parallel.path in orca.synced or parallel.path not in machine.configuration_values:
            continue
        if predicate(machine.context, parallel.finals(machine)):
            orca.synced.add(parallel.path)
            machine._queue(_done(machine, parallel), internal=False)


def _done(machine: OrcaChart, parallel: Parallel) -> TriggerData:
    event = BoundEvent(parallel.event, name=f"done.state.{parallel.path}", internal=True, _sm=machine)
    trigger: TriggerData = event.build_trigger(machine=machine)
    return trigger


def _is_internal(trigger: TriggerData) -> bool:
    event: Any = trigger.event
    return bool(event.internal)
