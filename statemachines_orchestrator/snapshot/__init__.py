"""Snapshots: a whole orchestrator as JSON, and back."""

from ._snapshot import Snapshot

__all__ = ("Snapshot",)
