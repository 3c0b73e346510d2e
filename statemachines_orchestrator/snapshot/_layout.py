"""The layout of a snapshot: which entries there are, and what they hold."""

from __future__ import annotations

from typing import Any

from ._shape import Named, Optional, Shape, anything

__all__ = ("SYSTEM", "WHOLE")

EVENT: dict[str, Shape] = {
    "event": str,
    "name?": str,
    "args?": anything,
    "kwargs?": anything,
    "send_id?": str,
    "delay?": float,
}
"""An event that a machine has not taken yet."""

MEMBER: dict[str, Shape] = {"address": str, "key?": str}
"""Which machine, seen from the outermost orchestrator."""

OCCURRENCE: dict[str, Shape] = {
    "address": str,
    "machine?": MEMBER,
    "key?": str,
    "event?": str,
    "state?": str,
    "args?": anything,
    "kwargs?": anything,
}
"""What has triggered a link."""

TIMER: dict[str, Shape] = {
    "left": float,
    "event?": {"member": MEMBER, **EVENT},
    "link?": {"system": str, "link": str, "occurrence": OCCURRENCE},
}
"""A delayed event or a delayed link, and in how many seconds it is due."""

HELD: dict[str, Shape] = {
    "system": str,
    "link": str,
    "occurrence": OCCURRENCE,
    "member?": MEMBER,
    "event": str,
    "args?": anything,
    "kwargs?": anything,
}
"""An event of a link that was refused and is kept; without a member it is a joint event."""

MACHINE: dict[str, Shape] = {
    "class": str,
    "active": [str],
    "history?": Named([str]),
    "ended?": bool,
    "ending?": str,
    "irregular?": bool,
    "start?": anything,
    "queue?": [EVENT],
    "invoking?": [{"state": str, "kwargs?": anything}],
    "model?": anything,
    "own?": anything,
}
"""A machine: ids of states, and what it had still to do."""

CHART: dict[str, Shape] = {"fingerprint": str, "states": [str], "events": [str]}
"""What a machine class declared."""

DEFINITION: dict[str, Shape] = {
    "members": Named(Optional(str)),
    "collections": Named([str]),
    "systems": Named(Optional(str)),
    "data": [str],
    "links": Named(str),
    "guards": Named(str),
    "joint_events": Named(str),
    "charts": Named(CHART),
}
"""What the orchestrator class declared: charts by name; links, guards and joint events as texts."""


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
    "conditions": [{"link": str, "key?": str, "holds": bool}],
}
"""One orchestrator, with those inside it."""

WHOLE: dict[str, Any] = {**SYSTEM, "rested": bool, "timers": [TIMER], "held": [HELD]}
"""A snapshot, without format and digest."""
