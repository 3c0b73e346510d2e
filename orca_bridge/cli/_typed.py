"""A line that somebody typed to a machine."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import Any

from orca_bridge.syntax import milliseconds

__all__ = ("COMMANDS", "Mistake", "Typed", "typed")

COMMANDS = {
    "help": "what can be typed",
    "state": "where the machine is, and what it takes there",
    "context": "the values that its guards read",
    "wait": "let time pass, with --clock manual: ':wait 5s'",
    "quit": "end",
}


class Mistake(Exception):  # noqa: N818 - what was typed wrong, shown to who typed it
    """Raised when a line is neither an event nor a command; the text says what to type instead."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a line asks for: an event, a command, or time that passes. An empty line asks for nothing."""

    event: str | None = None
    child: str = ""
    """Where the machine is that it is for; empty for the machine itself."""
    payload: dict[str, Any] = field(default_factory=dict)
    command: str = ""
    seconds: float | None = None


def typed(line: str) -> Typed:
    """
    Read a line.

    Raises:
        Mistake: It cannot be read.
    """
    line = line.strip()
    if line.startswith("{"):
        return _from_json(line)
    if line.startswith(":"):
        return _command(line[1:])
    child = ""
    if line.startswith("@"):
        child, _, line = line[1:].partition(" ")
    name, _, rest = line.strip().partition(" ")
    if child and not name:
        raise Mistake(f"'@{child}' names no event; write '@{child} EVENT'")
    return Typed(name or None, child, _payload(rest.strip()))


def _from_json(line: str) -> Typed:
    found = _json(line)
    event, payload, child = found.get("event"), found.get("payload"), found.get("child", "")
    if "advance" in found and isinstance(found["advance"], int | float):
        return Typed(seconds=float(found["advance"]))
    if not isinstance(event, str) or not event:
        raise Mistake(f'{line} names no event; write {{"event": "name", "payload": {{...}}}}')
    if not isinstance(payload, dict | None):
        raise Mistake(f'the payload {json.dumps(payload)} is no object; write {{"event": {json.dumps(event)}, ...}}')
    if not isinstance(child, str):
        raise Mistake(f"the child {json.dumps(child)} is no text; write the path of the state that invokes it")
    return Typed(event, child, payload or {})


def _command(text: str) -> Typed:
    name, _, rest = text.partition(" ")
    if name not in COMMANDS:
        raise Mistake(f"there is no command ':{name}'; there are: {', '.join(f':{one}' for one in COMMANDS)}")
    if name != "wait":
        return Typed(command=name)
    try:
        return Typed(seconds=milliseconds(rest.strip()) / 1000)
    except ValueError as error:
        raise Mistake(f"{error}; write ':wait 5s' or ':wait 2h 30m'") from None


def _payload(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        return _json(text)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Mistake(f"{text}: {error}; write name=value, or an object in JSON") from None
    payload = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Mistake(f"{word!r} is no name=value; a payload is written 'amount=5 to=anna' or as an object in JSON")
        payload[name] = _value(value)
    return payload


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Mistake(f"{text} is no JSON: {error}") from None
    return dict(found)
