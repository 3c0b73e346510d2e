"""Snapshots: a whole orchestrator as JSON, and back."""

from ._catalogue import add_custom
from ._fill import fill
from ._migrations import add_migration
from ._rebuild import explain_failure, given_for, parts_for
from ._snapshot import Snapshot
from ._take import take

__all__ = (
    "Snapshot",
    "add_custom",
    "add_migration",
    "explain_failure",
    "fill",
    "given_for",
    "parts_for",
    "take",
)
