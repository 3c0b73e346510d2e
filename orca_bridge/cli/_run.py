"""
``orca-bridge run``: speak with a machine.

What is typed and what is piped is read alike, a line at a time: ``pay amount=5``, ``pay {"amount": 5}``, or one JSON
object, ``{"event": "pay", "payload": {"amount": 5}}``. A line that begins with a colon is a command. On a terminal
the answers are for people, otherwise each line has a line of JSON for an answer.
"""

from __future__ import annotations

import importlib
import json
import queue
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orca_bridge._load import unsupported_in
from orca_bridge.exceptions import ConversionError, OrcaError

from ._bridge import answer
from ._dialogue import Dialogue, JsonLines
from ._files import read_document
from ._output import complain
from ._session import Session
from ._typed import Mistake, Typed, typed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from orca_bridge.definition import MachineDefinition
    from orca_bridge.syntax import Reading

__all__ = ("add_to",)


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "run", help="run a machine: type events, or pipe them as lines of JSON"
    )
    parser.add_argument("file", metavar="FILE", help="a document")
    parser.add_argument("--machine", metavar="M", help="this machine instead of the first")
    parser.add_argument("--actions", metavar="MODULE:ATTR", help="handlers of its actions: a mapping, object or class")
    parser.add_argument("--context", metavar="JSON", help="values to start with, as a JSON object")
    parser.add_argument("--clock", choices=("real", "manual"), default="real", help="whether time passes by itself")
    parser.add_argument("--lenient", action="store_true", help="pass over actions that have no handler")
    parser.add_argument("--bridge", action="store_true", help="answer one invocation of the bridge protocol instead")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run one machine until it has ended, or the input has; status 1 if something in it failed."""
    try:
        if options.bridge:
            return answer(options, _actions(options.actions))
        session = _session(options)
    except _Refusal as refusal:
        complain(refusal)
        return refusal.status
    except OrcaError as error:
        complain(f"{error}\nGive handlers with --actions MODULE:ATTR, or pass over them with --lenient.")
        return 1
    except Exception as error:  # noqa: BLE001 - an action on the initial entry may raise anything
        complain(f"the machine failed at its start: {type(error).__name__}: {error}")
        return 1
    view = Dialogue(session) if sys.stdin.isatty() and sys.stdout.isatty() else JsonLines(session)
    try:
        return _Loop(session, view, real=options.clock == "real").run()
    finally:
        session.close()


class _Refusal(Exception):  # noqa: N818 - carried a few lines, and never seen outside
    """Why there is nothing to run, and the status that says so."""

    def __init__(self, text: object, status: int = 2) -> None:
        super().__init__(str(text))
        self.status = status


# -- what is run ---------------------------------------------------------------------------------------------


def _session(options: argparse.Namespace) -> Session:
    if options.file == "-":
        raise _Refusal("run: events come from standard input, so the document has to be a file")
    found = read_document(options.file, options.file)
    if found is None:
        raise _Refusal(f"run: {options.file} has not been read")
    reading, name = found
    if reading.errors or reading.document is None:
        raise _Refusal("\n".join(map(str, reading.errors)), 1)
    definition = _chosen(reading, name, options.machine)
    try:
        return Session(
            definition,
            tables=reading.document.tables,
            actions=_actions(options.actions),
            context=_context(options.context),
            manual=options.clock == "manual",
            # Who types without handlers wants to see what the document does.
            lenient=options.lenient or (options.actions is None and sys.stdin.isatty()),
        )
    except ConversionError as error:
        raise ConversionError(error.machine, error.problems, (), unsupported_in(definition, reading)) from None


def _chosen(reading: Reading, name: str, wanted: str | None) -> MachineDefinition:
    machines = reading.document.machines if reading.document is not None else ()
    for machine in machines:
        if wanted in (None, machine.name):
            return machine
    listed = ", ".join(machine.name for machine in machines) or "no machine at all"
    raise _Refusal(f"{name} defines no machine {wanted!r}; it defines: {listed}" if wanted else f"{name}: {listed}")


def _actions(place: str | None) -> Any:
    """Import handlers; what stands in the working directory is found, as with ``python -m``."""
    if place is None:
        return None
    module, _, attribute = place.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split(".") if attribute else ():
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise _Refusal(f"--actions {place}: {error}; write MODULE:ATTR, such as shop.actions:Handlers") from None
    return found() if isinstance(found, type) else found


def _context(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _Refusal(f"--context is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise _Refusal('--context is no JSON object, such as {"name": "value"}')
    return found


# -- the conversation ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Loop:
    """Reads lines, and shows what came of them."""

    session: Session
    view: Dialogue | JsonLines
    real: bool
    status: int = 0

    def run(self) -> int:
        self.view.opened()
        for line in self._lines():
            if line is None:
                self._show(self.session.run_due(), quiet=True)
            elif not self._take(line.strip()):
                break
            if self.session.ended:
                self.view.ended()
                break
        return self.status

    def _take(self, line: str) -> bool:
        """Handle one line; False ends the conversation."""
        try:
            found = typed(line)
            if found.command == "quit":
                return False
            self._act(found)
        except Mistake as mistake:
            self.status = max(self.status, self.view.mistaken(str(mistake)))
        return True

    def _act(self, found: Typed) -> None:
        if found.event is not None:
            self._show(self.session.send(found.event, found.payload))
        elif found.seconds is not None:
            try:
                self._show(self.session.advance(found.seconds))
            except ValueError as error:
                raise Mistake(str(error)) from None
        elif found.command:
            self.view.told(found.command)

    def _show(self, answer: Any, *, quiet: bool = False) -> None:
        if answer.error is not None:
            self.status = max(self.status, 1)
        if not quiet or answer.before != answer.after or answer.changed or answer.error is not None:
            self.view.answered(answer)

    def _lines(self) -> Iterator[str | None]:
        """Give what is written; None whenever a timer may be due."""
        if not self.real:
            self.view.prompt()
            for line in sys.stdin:
                yield line
                self.view.prompt()
            return
        waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_read_into, args=(waiting,), daemon=True).start()
        self.view.prompt()
        while True:
            due = self.session.next_due
            try:
                line = waiting.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
            except queue.Empty:
                yield None
                continue
            if line is None:
                return
            yield line
            self.view.prompt()


def _read_into(waiting: queue.SimpleQueue[str | None]) -> None:
    with suppress(ValueError):  # standard input was closed at the end of the process
        for line in sys.stdin:
            waiting.put(line)
    waiting.put(None)
