"""The layout of a snapshot: which entries there are, and what they hold."""

from __future__ import annotations

from typing import Any

from ._shape import Named, Optional, Shape, anything

__all__ = ("SYSTEM", "WHOLE")

EVENT: dict[str, Shape] = {"event": str, "args?": anything, "kwargs?": anything, "send_id?": str}
"""An event that waits in the queue of a machine."""

LATER: dict[str, Shape] = {**EVENT, "left": float}
"""An event for later, and in how many seconds it is due."""

MACHINE: dict[str, Shape] = {
    "class": str,
    "active": [str],
    "history?": Named([str]),
    "ended?": bool,
    "start?": anything,
    "queue?": [EVENT],
    "later?": [LATER],
    "model?": anything,
    "own?": anything,
}
"""A machine: ids of states, and what it had still to do."""

CHART: dict[str, Shape] = {"fingerprint": str, "states": [str], "events": [str]}
"""What a machine class declared."""

DEFINITION: dict[str, Shape] = {
    "members": Named(Optional(str)),
    "collections": Named(Optional(str)),
    "systems": Named(Optional(str)),
    "data": [str],
    "links": Named(str),
    "guards": Named(str),
    "joint_events": Named(str),
    "charts": Named(CHART),
}
"""What the orchestrator class declared: charts by name, links, guards and joint events as texts."""


def _system() -> dict[str, Shape]:
    return SYSTEM


SYSTEM: dict[str, Shape] = {
    "class": str,
    "version": str,
    "fingerprint": str,
    "definition": DEFINITION,
    "members": Named(Optional(MACHINE)),
    "collections": Named([{"key": str, "machine": MACHINE}]),
    "systems": Named(Optional(_system)),
    "data": Named(anything),
}
"""One orchestrator, with those inside it."""

WHOLE: Any = SYSTEM
"""A snapshot, without format and digest."""
