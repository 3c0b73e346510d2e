"""
Bullets below a state heading (language.md 5.3.3).

`BULLETS` maps each key to what reads its value; a new construct is a new entry there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ._draft import Draft, Move
from ._names import unmarked
from ._transitions import action_names
from ._unsupported import not_supported

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._source import Text
    from ._states import Node

_MARKS = "*_` \t"
_ARROW = re.compile("->|=>|\N{RIGHTWARDS ARROW}")
_MOVE = "write 'on event [guard] -> state : action'"
_ON = re.compile(r"on\s+", re.IGNORECASE)
_QUOTED_MOVE = re.compile(r"(?:[-*+]\s+)?on\s+(\S+).*?->\s*([^\s:]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bullet:
    """A bullet of the form ``key: value``."""

    key: str
    """In its standard spelling."""
    written: Text
    value: Text
    whole: Text


Handler: TypeAlias = "Callable[[Bullet, Node, Draft], None]"


def read_bullet(text: Text, node: Node, draft: Draft) -> None:
    """Read one bullet of a state."""
    move = read_move(text, node, draft)
    if move is not None:
        draft.moves.append(move)
        return
    bullet = keyed(text)
    handler = BULLETS.get(bullet.key)
    if handler is not None:
        handler(bullet, node, draft)
    elif not _is_broken_move(text, draft):
        report_unknown(bullet, list(BULLETS), draft)


def report_unknown(bullet: Bullet, keys: list[str], draft: Draft) -> None:
    """Warn of a bullet that means nothing where it stands."""
    near = draft.findings.nearest(bullet.key, keys) or draft.findings.nearest(bullet.key.partition(" ")[0], keys)
    suggestion = f"write '{near}: ...'" if near else f"known here: {', '.join(keys)}"
    if near is None and _ARROW.search(bullet.whole.value):
        suggestion = _MOVE
    message = f"the bullet {bullet.written.value!r} is unknown and ignored"
    draft.findings.warning("UNKNOWN_BULLET", message, bullet.written, suggestion)


def looks_like_state_bullet(text: Text) -> bool:
    """Tell whether a bullet was meant for a state."""
    return keyed(text).key in BULLETS or (_ON.match(text.value) is not None and "->" in text.value)


def keyed(text: Text) -> Bullet:
    """Split a bullet at its first colon and bring the key into its standard spelling."""
    colon = text.value.find(":")
    written = text.cut(0, colon).strip() if colon >= 0 else text
    value = text.cut(colon + 1).strip() if colon >= 0 else text.end
    if written.value[:1] in _MARKS and written.value[-1:] not in _MARKS:
        # "**on_entry:** log": the emphasis ends behind the colon.
        value = value.cut(len(value.value) - len(value.value.lstrip("*_`"))).strip()
    key = written.value.strip(_MARKS).lower().replace("-", "_")
    return Bullet(key, written, value, text)


def read_move(text: Text, node: Node, draft: Draft) -> Move | None:
    """Read ``on E [guard] -> T : a``; None if the bullet has another form."""
    lead = _ON.match(text.value)
    parts = _parts(text.cut(lead.end())) if lead else None
    if parts is None:
        return None
    event, guard, rest = parts
    target, colon, _ = rest.value.partition(":")
    action = rest.cut(len(target) + 1) if colon else rest.end
    if not event.value:
        message = "the bullet does not say which event it is about"
        draft.findings.error("INVALID_BULLET", message, text, "write 'on event -> state'")
    return Move(node, event, guard, rest.cut(0, len(target)).strip(), action.strip(), text)


def _parts(text: Text) -> tuple[Text, Text, Text] | None:
    """Split into event, guard and what follows the arrow."""
    arrow, bracket = text.value.find("->"), text.value.find("[")
    guard = text.end
    event_end = arrow
    if 0 <= bracket < arrow:
        closing = _closing_bracket(text.value, bracket)
        arrow = text.value.find("->", closing) if closing >= 0 else -1
        guard = text.cut(bracket + 1, closing).strip()
        event_end = bracket
        if arrow >= 0 and text.value[closing + 1 : arrow].strip():
            return None
    if arrow < 0 or ":" in text.value[:event_end]:
        return None
    return text.cut(0, event_end).strip(), guard, text.cut(arrow + 2).strip()


def _closing_bracket(value: str, start: int) -> int:
    """Find the bracket that ends a guard; one inside a string does not."""
    quote = ""
    for index in range(start + 1, len(value)):
        character = value[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "]":
            return index
    return -1


def _is_broken_move(text: Text, draft: Draft) -> bool:
    if not _ON.match(text.value) or ":" in text.value.partition("->")[0]:
        return False
    message = "this is no transition"
    draft.findings.error("INVALID_BULLET", message, text, _MOVE)
    return True


def quoted_move(text: Text) -> tuple[str, str] | None:
    """Recognise ``on E -> T`` in a blockquote, which is documentation."""
    if "->" not in text.value:
        return None
    match = _QUOTED_MOVE.match(text.value)
    return (match[1], match[2]) if match else None


def _actions(bullet: Bullet, draft: Draft) -> tuple[str, ...]:
    value = bullet.value.cut(2).strip() if bullet.value.value.startswith("->") else bullet.value
    names = action_names(value, draft, "INVALID_BULLET")
    if not value.value:
        message = f"{bullet.written.value!r} names no action"
        draft.findings.error("INVALID_BULLET", message, bullet.whole, f"write '{bullet.key}: action'")
    return names


def _on_entry(bullet: Bullet, node: Node, draft: Draft) -> None:
    node.on_entry += _actions(bullet, draft)


def _on_exit(bullet: Bullet, node: Node, draft: Draft) -> None:
    node.on_exit += _actions(bullet, draft)


def _description(bullet: Bullet, node: Node, draft: Draft) -> None:
    if not bullet.value.value:
        message = "the description is empty"
        draft.findings.error("INVALID_BULLET", message, bullet.whole, "write 'description: text'")
    node.descriptions.append(unmarked(bullet.value).value)


def _later(meanwhile: str) -> Handler:
    def refuse(bullet: Bullet, _node: Node, draft: Draft) -> None:
        not_supported(draft.findings, f"'{bullet.key}:'", bullet.whole, meanwhile)

    return refuse


_INVOKE = "start the other machine from an action, or link both with an orchestrator"
BULLETS: dict[str, Handler] = {
    "on_entry": _on_entry,
    "on_exit": _on_exit,
    "description": _description,
    "timeout": _later("let an action arm a timer that sends an event, and add a row for it"),
    "ignore": _later("leave it out, or add a row with this state as source and target"),
    "invoke": _later(_INVOKE),
    "input": _later(_INVOKE),
    "returns": _later(_INVOKE),
    "shots": _later(_INVOKE),
    "on_done": _later("add a row for the event that says so"),
    "on_error": _later("add a row for an event that says so"),
}
