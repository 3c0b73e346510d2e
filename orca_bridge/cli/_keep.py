"""What of a run is kept in files: where it stands, for the next call, and a log of what happened."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orca_bridge.convert import OrcaChart
from orca_bridge.convert._context import copied
from orca_bridge.runtime import FilePersistence, FileSink, SnapshotError
from statemachines_orchestrator.exceptions import SnapshotError as UnfitError
from statemachines_orchestrator.system import Moved

from ._output import Refusal, complain
from ._session import state_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._session import Session

__all__ = ("DAMAGED", "Log", "Store")

DAMAGED = "it is damaged or half written: repair it, or remove it to begin anew"


class Store:
    """
    The saved state of one run.

    Args:
        folder: Where it is kept; made when missing.
        run_id: The name of the run, which is that of its file.

    Raises:
        Refusal: The folder cannot be used, or the name is none.
    """

    def __init__(self, folder: str, run_id: str) -> None:
        self.run_id = run_id
        try:
            self._files = FilePersistence(folder)
            self._files.exists(run_id)
        except ValueError as error:
            raise Refusal(f"--run-id: {error}") from None
        except OSError as error:
            raise Refusal(f"--persist: {folder} cannot be used: {error.strerror or error}") from None
        self.path = str(self._files.base_dir / f"{run_id}.json")

    def saved(self) -> str | None:
        """
        Give what was saved; None for a new run.

        Raises:
            Refusal: The file is there, and cannot be read.
        """
        try:
            found = self._files.load(self.run_id)
        except SnapshotError as error:
            raise Refusal(f"{error}; {DAMAGED}") from None
        except OSError as error:
            raise Refusal(f"{self.path} cannot be read: {error.strerror or error}") from None
        return None if found is None else json.dumps(found)

    def save(self, session: Session) -> None:
        """
        Keep where a session stands, in place of what was kept before.

        Raises:
            Refusal: It cannot be kept.
        """
        try:
            self._files.save(self.run_id, json.loads(session.system.snapshot().to_json()))
        except UnfitError as error:
            raise Refusal(f"the state cannot be saved: {error}", 1) from None
        except OSError as error:
            raise Refusal(f"{self.path} cannot be written: {error.strerror or error}") from None


class Log:
    """
    A file that gets a line of JSON for every transition of every machine.

    Args:
        path: The file; lines are appended.
        run_id: What they are marked with.
        session: What is logged, from now on.

    Raises:
        Refusal: The file cannot be written.
    """

    def __init__(self, path: str, run_id: str, session: Session) -> None:
        try:
            self._sink = FileSink(path)
        except OSError as error:
            raise Refusal(f"--log: {path} cannot be written: {error.strerror or error}") from None
        self._run_id = run_id
        self._session = session
        self._seen = {address: _seen(machine) for address, machine in _machines(session).items()}
        self._stop: Callable[[], None] = session.system.inspect(self._told)

    def close(self) -> None:
        """End it."""
        self._stop()
        with suppress(OSError):  # what could not be written has been told
            self._sink.close()

    def _told(self, record: object) -> None:
        if not isinstance(record, Moved):
            return
        machine = _machines(self._session)[record.address]
        begins = record.address not in self._seen
        before, context = self._seen.get(record.address, ("", {}))
        self._seen[record.address] = after, values = _seen(machine)
        if begins or (self._session.ignoring and not (record.left or record.entered)):
            return
        changed = {name: value for name, value in values.items() if name not in context or context[name] != value}
        self._write(
            {
                "ts": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
                "run_id": self._run_id,
                "machine": machine.definition.name,
                "event": _event(machine, record.event),
                "from": before,
                "to": after,
                "context_delta": changed | {name: None for name in context if name not in values},
            }
        )

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self._sink.write(entry)
        except OSError as error:
            # The machine is not to blame, and goes on.
            complain(f"--log: {self._sink.path} cannot be written: {error.strerror or error}")
            self._stop()


def _machines(session: Session) -> dict[str, OrcaChart]:
    """Give all machines that run, by their addresses."""
    return {one: found for one, found in session.system.machines.items() if isinstance(found, OrcaChart)}


def _seen(machine: OrcaChart) -> tuple[str, dict[str, Any]]:
    return state_text(machine), copied(machine.context)


def _event(machine: OrcaChart, event: str | None) -> str | None:
    if event is None or event.startswith("timeout."):
        return None if event is None else "timeout"
    return next((name for name, known in machine._blueprint.event_ids.items() if known == event), event)
