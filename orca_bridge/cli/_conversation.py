"""Lines in, answers out: what ``orca-bridge run`` does until the machine or the input has ended."""

from __future__ import annotations

import queue
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._session import UnknownChildError
from ._typed import Mistake, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._dialogue import Dialogue, JsonLines
    from ._keep import Store
    from ._session import Answer, Session
    from ._typed import Typed

__all__ = ("Conversation",)

# Not on every system does Ctrl-C end a wait that has no end itself.
_LONGEST_WAIT = 0.5


@dataclass(slots=True)
class Conversation:
    """
    Reads lines, and shows what came of them.

    Args:
        session: The machine.
        view: Shows the answers.
        store: Keeps where the machine stands, after whatever has changed it.
        real: Whether time passes by itself.
    """

    session: Session
    view: Dialogue | JsonLines
    store: Store | None
    real: bool
    status: int = 0

    def run(self) -> int:
        """Go on until the machine or the input has ended; gives the exit status."""
        self.view.opened()
        for line in self._lines():
            if line is None:
                answer = self.session.run_due()
                if not answer.tells_something:
                    continue
                self._show(answer)
            else:
                self.view.heard()
                if not self._take(line.strip()):
                    break
            if self.session.ended:
                break
            self.view.prompt()
        self.view.ended()
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
        try:
            if found.event is not None:
                self._show(self.session.send(found.event, found.payload, found.child))
            elif found.seconds is not None:
                self._show(self.session.advance(found.seconds))
            elif found.command:
                self.view.told(found.command)
        except (UnknownChildError, ValueError) as error:
            raise Mistake(str(error)) from None

    def _show(self, answer: Answer) -> None:
        if answer.error is not None:
            self.status = max(self.status, 1)
        # Kept before it is told: what was told is never lost.
        if self.store is not None and (answer.taken or answer.tells_something):
            self.store.save(self.session)
        self.view.answered(answer)

    def _lines(self) -> Iterator[str | None]:
        """Give what is written; None whenever a timer may be due."""
        self.view.prompt()
        if not self.real:
            yield from sys.stdin
            return
        waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_read_into, args=(waiting,), daemon=True).start()
        while True:
            due = self.session.next_due
            left = _LONGEST_WAIT if due is None else min(max(0.0, due - time.monotonic()), _LONGEST_WAIT)
            try:
                line = waiting.get(timeout=left)
            except queue.Empty:
                if due is not None and due <= time.monotonic():
                    yield None
                continue
            if line is None:
                return
            yield line


def _read_into(waiting: queue.SimpleQueue[str | None]) -> None:
    with suppress(ValueError):  # standard input was closed at the end of the process
        for line in sys.stdin:
            waiting.put(line)
    waiting.put(None)
