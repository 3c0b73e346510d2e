"""Going on from a snapshot: nothing is run, except what follows by itself from where the machine is."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any
from warnings import warn

from orca_bridge.convert._context import copied

from ._items import Item
from ._snapshots import FORMAT, SnapshotError, fingerprint, paths_of
from .bus import EventType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orca_bridge.convert import OrcaChart

    from ._core import Core

__all__ = ("go_on",)

_logger = logging.getLogger("orca_bridge")


async def go_on(machine: Core, snap: Mapping[str, Any], timers: str, foreign: str, *, cold: bool = False) -> None:
    """
    Put a machine where a snapshot says.

    Args:
        machine: An active one, or with `cold` one that is not.
        snap: The snapshot.
        timers: ``"remaining"`` or ``"deadline"``.
        foreign: ``"run"`` or ``"error"``: what becomes of foreign machines that were running.
        cold: Whether this is a start.

    Raises:
        SnapshotError: It is none of this machine. Nothing has changed then.
    """
    snap = _checked(machine, snap)
    _check_children(machine, snap)
    paths = paths_of(machine.definition.name, snap.get("state"), machine._lowered)
    async with machine._lock:
        if not cold:
            machine._timers.cancel_all()
            machine._children.leave_all()
            await machine._children.tell_stopped()
        machine._context = _context(machine, snap)
        machine._active = True
        chart = machine._make_chart(paths)
        machine._ended = chart.is_terminated
        machine._queue.extend(Item(one["event"], one.get("payload")) for one in snap.get("queue") or ())
        await machine._run(_settle_in(machine, chart, snap, paths, (timers, foreign), cold=cold))
        await machine._drain()


def _checked(machine: Core, snap: Mapping[str, Any]) -> Mapping[str, Any]:
    name, version = machine.definition.name, machine.definition.version
    if snap.get("machine", name) != name:
        raise SnapshotError(f"the snapshot is one of machine {snap['machine']!r}, and this is {name!r}")
    if snap.get("definition_version", version) != version:
        if machine._migrate is not None:
            return machine._migrate(copied(snap))
        old = snap["definition_version"]
        text = f"the snapshot of machine {name!r} is of version {old}, and the document of version {version}"
        warn(f"{text}; give migrate= to change old snapshots", UserWarning, stacklevel=5)
    elif snap.get("definition_hash", "") not in ("", fingerprint(machine._read)):
        _logger.warning("the document of machine %r has changed since its snapshot, its version has not", name)
    return snap


def _check_children(machine: Core, snap: Mapping[str, Any]) -> None:
    """Find what does not fit in snapshots of children, before anything changes."""
    for path, saved in (_children(machine, snap) or {}).items():
        invoke = machine._lowered.invokes.get(path)
        if invoke is not None and invoke.machine in machine._machines:
            child = machine._child(path, invoke, {})
            paths_of(child.definition.name, saved.get("state"), child._lowered)
            _check_children(child, saved)


def _children(machine: Core, snap: Mapping[str, Any]) -> dict[str, Mapping[str, Any]] | None:
    saved = snap.get("children")
    return None if saved is None else {machine._path(name): child for name, child in saved.items()}


def _context(machine: Core, snap: Mapping[str, Any]) -> dict[str, Any]:
    saved = copied(snap.get("context") or {})
    is_whole = snap.get("format") == FORMAT and snap.get("definition_version") == machine.definition.version
    # A part of a snapshot, or one of an older document, does not know every field.
    return saved if is_whole else machine._start_context() | saved


async def _settle_in(
    machine: Core, chart: OrcaChart, snap: Mapping[str, Any], paths: Sequence[str], how: tuple[str, str], *, cold: bool
) -> None:
    if cold:
        started = {"machine": machine.definition.name, "initial_state": str(machine.state), "resumed": True}
        await machine._publish(EventType.MACHINE_STARTED, started)
    if machine._ended:
        return
    _restore_timers(machine, snap, paths, how[0])
    await _restore_children(machine, snap, paths, how[1])
    await chart.activate_initial_state()


def _restore_timers(machine: Core, snap: Mapping[str, Any], paths: Sequence[str], how: str) -> None:
    saved = {(one["state"], one["index"]): one for one in snap.get("timers") or ()}
    for timeout in (one for path in paths for one in machine._lowered.timeouts.get(path, ())):
        one = saved.get((timeout.path, timeout.index))
        if one is None:
            machine._timers.arm(timeout)
        else:
            machine._timers.arm(timeout, one["due"] - time.time() if how == "deadline" else one["remaining"])


async def _restore_children(machine: Core, snap: Mapping[str, Any], paths: Sequence[str], foreign: str) -> None:
    saved = _children(machine, snap)
    invoked = machine._path(snap.get("active_invoke") or "")
    for path, invoke in machine._lowered.invokes.items():
        if path not in paths:
            continue
        if saved is None:
            machine._children.pending[path] = None
        elif path in saved:
            await machine._children.resume(path, invoke, saved[path])
        elif invoke.machine in machine._runners and invoked == path:
            machine._children.resume_foreign(path, invoke, run=foreign == "run")
