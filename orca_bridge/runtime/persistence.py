"""Keeping snapshots: the two protocols, and files."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ._codec import dump_snapshot, load_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("AsyncPersistenceAdapter", "FilePersistence", "PersistenceAdapter")

_RUN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@runtime_checkable
class PersistenceAdapter(Protocol):
    """Keeps the last snapshot of each run."""

    def save(self, run_id: str, snapshot: dict[str, Any]) -> None:
        """Keep a snapshot in place of the one before."""

    def load(self, run_id: str) -> dict[str, Any] | None:
        """Give the snapshot of a run, or None."""
        ...

    def exists(self, run_id: str) -> bool:
        """Tell whether there is one."""
        ...


@runtime_checkable
class AsyncPersistenceAdapter(Protocol):
    """The same for stores that are awaited."""

    async def save(self, run_id: str, snapshot: dict[str, Any]) -> None:
        """Keep a snapshot in place of the one before."""

    async def load(self, run_id: str) -> dict[str, Any] | None:
        """Give the snapshot of a run, or None."""
        ...

    async def exists(self, run_id: str) -> bool:
        """Tell whether there is one."""
        ...


class FilePersistence:
    """
    One file of JSON per run, written whole or not at all.

    Args:
        base_dir: The folder; it is made when missing.
    """

    def __init__(self, base_dir: str | Path) -> None:
        self.base_dir: Path = Path(base_dir)
        self.base_dir.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"FilePersistence({str(self.base_dir)!r})"

    def save(self, run_id: str, snapshot: Mapping[str, Any]) -> None:
        """
        Write the snapshot of a run.

        Raises:
            ValueError: The run id cannot be a file name.
            SnapshotError: A value has no form in JSON; it is named.
        """
        path, text = self._path(run_id), dump_snapshot(snapshot)
        handle, name = tempfile.mkstemp(prefix=f"{run_id}.", suffix=".tmp", dir=self.base_dir)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def load(self, run_id: str) -> dict[str, Any] | None:
        """
        Read the snapshot of a run; None if there is none.

        Raises:
            ValueError: The run id cannot be a file name.
            SnapshotError: The file cannot be read as a snapshot. It is not taken for a fresh start.
        """
        path = self._path(run_id)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            text = f"not UTF-8: {error}"
        return load_snapshot(text, str(path))

    def exists(self, run_id: str) -> bool:
        """
        Tell whether a run has a snapshot.

        Raises:
            ValueError: The run id cannot be a file name.
        """
        return self._path(run_id).is_file()

    def _path(self, run_id: str) -> Path:
        if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
            raise ValueError(
                f"{run_id!r} is no run id: write 1 to 128 letters, digits, '_', '.' or '-', the first no '.' or '-'"
            )
        return self.base_dir / f"{run_id}.json"
