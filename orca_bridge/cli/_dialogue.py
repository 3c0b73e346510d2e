"""The two ways in which ``orca-bridge run`` answers: for people, and as lines of JSON."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from ._output import WRONG_USAGE, say
from ._session import state_text
from ._typed import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._session import Answer, Session

__all__ = ("Dialogue", "JsonLines")

WIDTH = 80


class Dialogue:
    """Answers for somebody at a terminal of 80 columns."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._colored = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._asked = False

    def opened(self) -> None:
        """Say what is running, and where it stands."""
        say(f"{self._session.definition.name}: type an event, or :help")
        _passed_over(self._session.skipped)
        self.told("state")

    def prompt(self) -> None:
        """Ask for a line."""
        sys.stdout.write("> ")
        sys.stdout.flush()
        self._asked = True

    def heard(self) -> None:
        """Know that the line which was asked for has come."""
        self._asked = False

    def told(self, command: str) -> None:
        """Answer a command."""
        if command == "help":
            self._help()
        elif command == "context":
            _fields(self._session.machine.context)
        else:
            _wrapped(f"in {self._session.state}", "")
            self._takes()

    def answered(self, answer: Answer) -> None:
        """Say what came of an event, or what happened by itself while a line was asked for."""
        if self._asked:
            say("")
        if not answer.taken:
            say(self._paint("ignored" if answer.ignored else "refused", "33"))
            for line in answer.reason.splitlines():
                _wrapped(line, "  ")
        _passed_over(answer.skipped)
        for failure in answer.effect_errors:
            _wrapped(f"the effect {failure['effect']} of {failure['action']} failed: {failure['error']}", "  ")
        _fields(answer.changed)
        if answer.error is not None:
            say(self._paint(f"failed: {type(answer.error).__name__}", "31"))
            for line in str(answer.error).splitlines():
                _wrapped(line, "  ")
        if answer.taken:
            moved = answer.before != answer.after
            _wrapped(f"{answer.before} -> {answer.after}" if moved else f"stays in {answer.after}", "")
            self._takes()

    def mistaken(self, text: str) -> int:
        """Say that a line could not be read; it can be typed again, which costs nothing."""
        _wrapped(text, "")
        return 0

    def ended(self) -> None:
        """Say that the machine has come to its end, or leave the line that was asked for."""
        if self._session.ended:
            say("the machine has ended")
        elif self._asked:
            # Ctrl-D: what comes next begins a line of its own.
            say("")

    def _help(self) -> None:
        _lines("pay amount=5", "send an event, with a payload")
        _lines('pay {"amount": 5}', "the same, as JSON")
        if self._session.kinds.invoked:
            _lines("@STATE pay", "send an event to what this state invokes")
        for name, meaning in COMMANDS.items():
            _lines(f":{name}", meaning)

    def _takes(self) -> None:
        if self._session.ended:
            return
        _wrapped(f"takes {self._events('') or 'no event by name'}", "  ")
        for place, child in self._session.children.items():
            _wrapped(f"@{place}: {child.definition.name} in {state_text(child)}", "  ")
            _wrapped(f"takes {self._events(place) or 'no event by name'}", "    ")

    def _events(self, place: str) -> str:
        reasons = self._session.reasons(place)
        return ", ".join(
            f"{name}{reasons.payload(name)}" + ("" if reasons.takes(name, {}) else " (guarded)")
            for name in reasons.allowed()
        )

    def _paint(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._colored else text


class JsonLines:
    """Answers for a program: one line of JSON for each line read, and for each timer."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def opened(self) -> None:
        """Say nothing: the first line of output answers the first line of input."""

    def prompt(self) -> None:
        """Hand on what was answered: the reader may wait for it before it writes more."""
        if sys.stdout is not None:
            sys.stdout.flush()

    def heard(self) -> None:
        """Do nothing: nobody sees what has been asked for."""

    def told(self, command: str) -> None:
        """Answer a command."""
        session = self._session
        found: dict[str, Any] = {"state": session.state, "context": session.machine.context}
        children = {place: state_text(child) for place, child in session.children.items()}
        takes = {"takes": session.reasons().allowed()}
        _json({"command": command, **found, **takes} | ({"children": children} if children else {}))

    def answered(self, answer: Answer) -> None:
        """Say what came of an event."""
        _json(
            {
                "event": answer.event,
                **({"child": answer.child} if answer.child else {}),
                "taken": answer.taken,
                "from_state": answer.before,
                "to_state": answer.after,
                "guard_failed": answer.guard_failed,
                "ignored": answer.ignored,
                "error": _error(answer),
                "changed": answer.changed,
                "final": self._session.ended,
            }
            | ({"children": answer.children} if answer.children else {})
            | ({"effect_errors": answer.effect_errors} if answer.effect_errors else {})
            | ({"skipped": answer.skipped} if answer.skipped else {})
        )

    def mistaken(self, text: str) -> int:
        """Say that a line could not be read, which is wrong usage."""
        _json({"error": text})
        return WRONG_USAGE

    def ended(self) -> None:
        """Say nothing: the last answer has said so."""


def _error(answer: Answer) -> str | None:
    if answer.error is not None:
        return f"{type(answer.error).__name__}: {answer.error}"
    return answer.reason or None if not answer.ignored else None


def _json(found: dict[str, Any]) -> None:
    say(json.dumps(found, ensure_ascii=False, default=str))


def _fields(values: Any) -> None:
    for name, value in values.items():
        _wrapped(f"{name} = {json.dumps(value, ensure_ascii=False, default=str)}", "  ")


def _passed_over(actions: tuple[str, ...]) -> None:
    if actions:
        _wrapped(f"no handler, passed over: {', '.join(actions)}", "  ")


def _lines(typed: str, meaning: str) -> None:
    say(f"  {typed:<20}{meaning}")


def _wrapped(text: str, indent: str) -> None:
    found: Iterable[str] = textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
    for line in found:
        say(line)
