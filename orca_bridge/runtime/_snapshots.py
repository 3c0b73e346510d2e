"""Where a machine is, as nested mappings; and snapshots: what they hold, and what is checked before one is used."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from orca_bridge.convert._context import copied
from orca_bridge.exceptions import OrcaError

from .types import StateValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orca_bridge.definition import MachineDefinition, StateDefinition

    from ._core import Core
    from ._lower import Lowered

__all__ = ("FORMAT", "SnapshotError", "fingerprint", "initial_paths", "paths_of", "snapshot_of", "state_value")

FORMAT = "orca_bridge/1"


class SnapshotError(OrcaError, ValueError):
    """Raised when a snapshot cannot be written, read, or used with the machine that it is given to."""


def state_value(paths: Iterable[str], order: Mapping[str, int]) -> StateValue:
    """
    Write a configuration in the form of the published runtime.

    Args:
        paths: The active states, by path; the order does not matter.
        order: The place of each state in the document.
    """
    active = sorted(paths, key=lambda path: order.get(path, len(order)))
    leaves = [path for path in active if not any(other.startswith(f"{path}.") for other in active)]
    if len(leaves) == 1 and "." not in leaves[0]:
        return StateValue(leaves[0])
    nested: dict[str, Any] = {}
    for leaf in leaves:
        inside = nested
        for name in leaf.split("."):
            inside = inside.setdefault(name, {})
    return StateValue(nested)


def initial_paths(states: tuple[StateDefinition, ...]) -> list[str]:
    """Give the states that a machine is in when it has just been started, by its document."""
    chosen = next((state for state in states if state.initial), states[0])
    inside = [initial_paths(chosen.children)] if chosen.children else []
    inside += [initial_paths(region.states) for region in chosen.regions]
    return [chosen.path, *(path for paths in inside for path in paths)]


def fingerprint(definition: MachineDefinition) -> str:
    """Give a hash of what a definition means; where it stands in its text does not count."""
    return hashlib.sha256(repr(_facts(definition)).encode("utf-8", "surrogatepass")).hexdigest()


def _facts(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [_facts(getattr(value, one.name)) for one in dataclasses.fields(value) if one.compare]
    return [_facts(item) for item in value] if isinstance(value, tuple) else value


def snapshot_of(machine: Core) -> dict[str, Any]:
    """
    Copy everything that is needed to go on later.

    Returns:
        A mapping that is JSON, but for what the context holds. ``remaining`` of a timer is in seconds, ``due`` and
        ``timestamp`` are seconds since 1970.
    """
    now, at = machine._timers.now(), time.time()
    timers = [
        {"state": path, "index": index, "remaining": max(0.0, timer.due - now), "due": at + timer.due - now}
        for (path, index), timer in machine._timers.running.items()
        if not timer.spent
    ]
    return {
        "format": FORMAT,
        "machine": machine.definition.name,
        "definition_version": machine.definition.version,
        "definition_hash": fingerprint(machine._read),
        "state": machine.state.value,
        "context": copied(machine._context),
        "children": {path: snapshot_of(child) for path, child in machine._children.running.items()},
        "active_invoke": machine._children.active,
        "timers": timers,
        "queue": [
            {"event": item.event, "payload": copied(item.payload) if item.payload is not None else None}
            for item in machine._queue
            if item.prepare is None
        ],
        "final": machine._ended,
        "timestamp": at,
    }


# -- checking ----------------------------------------------------------------------------------------------


def paths_of(machine: str, value: Any, lowered: Lowered) -> list[str]:
    """
    Read the state of a snapshot.

    Returns:
        The active states and regions by path, parents before their children.

    Raises:
        SnapshotError: It is no state of this machine; all that is wrong is named.
    """
    if isinstance(value, StateValue):
        value = value.value
    if not isinstance(value, str | dict) or not value:
        raise SnapshotError(f"the snapshot of {machine!r} has no state: it says {value!r}")
    nested = {value: {}} if isinstance(value, str) else value
    known = {*lowered.states, *lowered.regions}
    found = list(_walk(nested, ""))
    unknown = [path for path in found if path not in known]
    problems = [_unknown(path, known) for path in unknown] or list(_incomplete(found, lowered))
    if problems:
        raise SnapshotError(f"the snapshot does not fit machine {machine!r}: {'; '.join(problems)}")
    return found


def _walk(nested: Any, inside: str) -> Iterator[str]:
    for name, deeper in nested.items() if isinstance(nested, dict) else ():
        path = f"{inside}.{name}" if inside else str(name)
        yield path
        yield from _walk(deeper, path)


def _unknown(path: str, known: Iterable[str]) -> str:
    near = get_close_matches(path, list(known), n=1)
    return f"there is no state {path!r}" + (f"; is {near[0]!r} meant?" if near else "")


def _incomplete(paths: list[str], lowered: Lowered) -> Iterator[str]:
    top = [path for path in paths if "." not in path]
    if len(top) > 1:
        yield f"it is in {' and '.join(map(repr, top))} at the same time"
    for path in paths:
        state = lowered.states.get(path)
        regions = [region.path for region in state.regions] if state is not None else []
        missing = [region for region in regions if region not in paths]
        if missing:
            yield f"{path!r} is parallel, and of its regions {', '.join(map(repr, missing))} are missing"
        choice = state.children if state is not None else lowered.regions[path].states
        active = [child.path for child in choice if child.path in paths]
        if choice and len(active) != 1:
            yield f"of the states in {path!r} one is active, not {', '.join(map(repr, active)) or 'none'}"
