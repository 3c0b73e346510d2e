"""
Bullets below a state heading (language.md 5.3.3).

`BULLETS` maps each key to what reads its value; a new construct is a new entry there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ._diagnostics import OL, ORP
from ._draft import Draft, Move
from ._durations import is_bare, is_portable, milliseconds
from ._maps import MapFault, read_input, read_returns, report_modifier, split_invoke
from ._names import SYSTEM_EVENT, as_name, is_name, unmarked
from ._nodes import Invocation, Node, Timer
from ._transitions import action_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._source import Text

_MARKS = "*_` \t"
_ARROW = re.compile("->|=>|\N{RIGHTWARDS ARROW}")
_MOVE = "write 'on event [guard] -> state : action'"
_ON = re.compile(r"on\s+", re.IGNORECASE)
_PLAIN = re.compile(
    r"- +(?:(on_entry|on_exit): *(?:-> *)?([A-Za-z]\w*)|timeout: *(\d{1,9}s) *-> *([A-Za-z][\w.]*))", re.ASCII
)
_QUOTED_MOVE = re.compile(r"(?:[-*+]\s+)?on\s+(\S+).*?->\s*([^\s:]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bullet:
    """A bullet of the form ``key: value``."""

    key: str
    """In its standard spelling."""
    written: Text
    value: Text
    whole: Text

    @property
    def is_portable(self) -> bool:
        """Whether all tools see the key."""
        return self.whole.value.startswith(f"{self.key}:")


Handler: TypeAlias = "Callable[[Bullet, Node, Draft], None]"


def read_bullet(text: Text, node: Node, draft: Draft) -> None:
    """Read one bullet of a state."""
    move = read_move(text, node, draft)
    if move is not None:
        add_move(move, node, draft)
        return
    bullet = keyed(text)
    if bullet.key in BULLETS:
        read_keyed(bullet, node, draft)
    elif not _is_broken_move(text, draft):
        node.others.append(text.value)
        report_unknown(bullet, list(BULLETS), draft)


def read_plain_bullet(text: Text, node: Node) -> bool:
    """Read a bullet with one action, or a timeout in seconds to a state; false, with nothing done, for any other."""
    match = _PLAIN.fullmatch(text.value)
    if match is None:
        return False
    key = match[1] or "timeout"
    if key in node.keys:
        return False
    node.keys.add(key)
    if key == "timeout":
        waits, state = text.cut(*match.span(3)), text.cut(*match.span(4))
        node.timers.append(Timer(int(match[3][:-1]) * 1000, waits, state, (), text.cut(1).strip()))
    else:
        (node.on_entry if key == "on_entry" else node.on_exit).append(match[2])
    return True


def read_keyed(bullet: Bullet, node: Node, draft: Draft) -> None:
    """Read a bullet whose key is known."""
    if node.kind == "region":
        if bullet.key not in _REGION_KEYS:
            message = f"a region has no {bullet.key!r}"
            draft.findings.error(
                "INVALID_BULLET", message, bullet.whole, "move it to the parallel state, or to a state"
            )
            return
        message = "other tools lose a bullet of a region"
        draft.findings.portability("PORT_REGION", message, bullet.whole, "give it to the states in it")
    if not bullet.is_portable or bullet.key == "description":
        message = f"other tools ignore {bullet.written.value!r}"
        advice = "write a blockquote" if bullet.key == "description" else f"write '{bullet.key}: ...'"
        draft.findings.portability("PORT_BULLET", message, bullet.written, advice)
    BULLETS[bullet.key](bullet, node, draft)
    node.keys.add(bullet.key)


def add_move(move: Move, node: Node, draft: Draft) -> None:
    """Take a transition that stands below its state."""
    if node.kind == "region":
        message = f"{node.path!r} is a region and can be neither source nor target"
        draft.findings.error(
            "INVALID_BULLET", message, move.whole, "move it to a state in it, or to the parallel state"
        )
        return
    suggestion = "write a row of the transitions"
    draft.findings.portability("PORT_INLINE_TRANSITION", "other tools ignore this bullet", move.whole, suggestion)
    draft.moves.append(move)


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


def _without_arrow(text: Text) -> Text:
    return text.cut(2).strip() if text.value.startswith("->") else text


def _actions(bullet: Bullet, node: Node, draft: Draft) -> tuple[str, ...]:
    names = action_names(_without_arrow(bullet.value), draft, "INVALID_BULLET")
    if not bullet.value.value:
        message = f"{bullet.written.value!r} names no action"
        draft.findings.error("INVALID_BULLET", message, bullet.whole, f"write '{bullet.key}: action'")
    _report_repeated(bullet, node, draft)
    return names


def _report_repeated(bullet: Bullet, node: Node, draft: Draft) -> None:
    if bullet.key in node.keys:
        message = f"of several bullets {bullet.key!r} other tools read the last"
        suggestion = "keep one; others only orca_bridge can read"
        draft.findings.portability("PORT_REPEATED_BULLET", message, bullet.whole, suggestion)


def _on_entry(bullet: Bullet, node: Node, draft: Draft) -> None:
    node.on_entry += _actions(bullet, node, draft)


def _on_exit(bullet: Bullet, node: Node, draft: Draft) -> None:
    node.on_exit += _actions(bullet, node, draft)


def _description(bullet: Bullet, node: Node, draft: Draft) -> None:
    if not bullet.value.value:
        message = "the description is empty"
        draft.findings.error("INVALID_BULLET", message, bullet.whole, "write 'description: text'")
    node.descriptions.append(unmarked(bullet.value).value)


def _timeout(bullet: Bullet, node: Node, draft: Draft) -> None:
    findings = draft.findings
    arrow = bullet.value.value.find("->")
    duration = unmarked(bullet.value.cut(0, arrow if arrow >= 0 else None))
    target, colon, _ = bullet.value.value[arrow + 2 :].partition(":") if arrow >= 0 else ("", "", "")
    if not target.strip():
        message = "the timeout does not say where to go" if arrow >= 0 else "the timeout has no arrow"
        findings.error("INVALID_TIMEOUT", message, bullet.whole, "write 'timeout: 5s -> state'")
        return
    rest = bullet.value.cut(arrow + 2)
    action = rest.cut(len(target) + 1).strip() if colon else rest.end
    try:
        waits = milliseconds(duration.value)
    except ValueError as problem:
        suggestion = "write a number with one of the units ms, s, m, h, d, as in '5s' or '1h30m'"
        findings.error("INVALID_DURATION", str(problem), duration, suggestion)
        return
    _report_repeated(bullet, node, draft)
    _report_duration(duration, waits, draft)
    if colon:
        message = "other tools do not know a timeout with an action"
        findings.portability("PORT_TIMEOUT", message, action, "give the action to a row with an empty event")
    actions = action_names(action, draft, "INVALID_BULLET")
    node.timers.append(Timer(waits, duration, unmarked(rest.cut(0, len(target))), actions, bullet.whole))


def _report_duration(duration: Text, waits: int, draft: Draft) -> None:
    if is_portable(duration.value):
        return
    seconds = f"{waits / 1000:g} seconds"
    if is_bare(duration.value):
        message = f"{duration.value!r} counts seconds here, and milliseconds in the documents of orca-lang"
        draft.findings.portability("PORT_DURATION", message, duration, f"write '{duration.value}s'", OL)
        return
    message = f"{duration.value!r} is {seconds} here; orca-runtime-python takes the first number for seconds"
    whole = waits % 1000 == 0
    suggestion = f"write '{waits // 1000}s'" if whole else "no spelling below one second is read alike"
    draft.findings.portability("PORT_DURATION", message, duration, suggestion, ORP)


def _ignore(bullet: Bullet, node: Node, draft: Draft) -> None:
    names = [unmarked(part) for part in _without_arrow(bullet.value).split(",")]
    names = [name for name in names if name.value]
    if not names:
        draft.findings.error("INVALID_BULLET", "'ignore' names no event", bullet.whole, "write 'ignore: event'")
    for name in names:
        if name.value == "*":
            node.ignores_all = True
            differs = ORP if len(names) == 1 else (*OL, *ORP)
            message = "other tools look for an event that is called '*'"
            draft.findings.portability("PORT_IGNORE_ALL", message, name, "list the events", differs)
        elif is_name(name.value) or SYSTEM_EVENT.fullmatch(name.value):
            # A list would be searched once for each name in it.
            node.ignored.setdefault(name.value)
        else:
            message = f"{name.value!r} cannot name an event: letters, digits and '_' make a name"
            draft.findings.error("INVALID_BULLET", message, name, f"write {as_name(name.value)!r}")


def _invoke(bullet: Bullet, node: Node, draft: Draft) -> None:
    invocation = node.invocation = node.invocation or Invocation()
    if invocation.machine is not None:
        message = f"{node.path!r} invokes {invocation.machine.value!r} already (line {invocation.machine.line})"
        draft.findings.error("MULTIPLE_INVOKE", message, bullet.whole, "keep one, or use a region for each")
        return
    try:
        name, inner, modifiers = split_invoke(bullet.value, draft.findings)
        invocation.machine, invocation.whole = name, bullet.whole
        if inner is not None:
            invocation.input = read_input(inner, draft.findings, braced=False)
        for key, value in modifiers:
            _read_modifier(key, value, invocation, draft, own=False)
    except MapFault as fault:
        draft.findings.error("INVALID_BULLET", fault.message, fault.text, fault.suggestion)


def _modifier(bullet: Bullet, node: Node, draft: Draft) -> None:
    invocation = node.invocation = node.invocation or Invocation()
    invocation.modifiers.append(bullet.whole)
    try:
        _read_modifier(bullet.key, bullet.value, invocation, draft, own=True)
    except MapFault as fault:
        draft.findings.error("INVALID_BULLET", fault.message, fault.text, fault.suggestion)


def _read_modifier(key: str, value: Text, invocation: Invocation, draft: Draft, *, own: bool) -> None:
    if {"input": invocation.input, "shots": invocation.shots, "returns": invocation.returns}[key]:
        raise MapFault(f"this invoke has {key!r} already", value, "keep one of the two")
    report_modifier(key, value, draft.findings, own=own)
    if key == "input":
        invocation.input = read_input(value, draft.findings)
        if not invocation.input and not own:
            message = "orca-lang takes the empty map for a part of the name"
            draft.findings.portability("PORT_INVOKE", message, value, "leave it out", OL)
    elif key == "returns":
        invocation.returns = read_returns(value)
    elif value.value.isdecimal() and len(value.value) < _LONGEST_COUNT and int(value.value) > 0:
        invocation.shots = int(value.value)
    else:
        raise MapFault(f"{value.value!r} is no number of shots", value, "write a whole number above zero")


def _done(bullet: Bullet, node: Node, draft: Draft) -> None:
    found = _result(bullet, node.done, draft)
    if node.invocation is None or node.invocation.machine is None:
        node.done_first = True
    node.done = node.done or found


def _error(bullet: Bullet, node: Node, draft: Draft) -> None:
    found = _result(bullet, node.error, draft)
    node.error = node.error or found


def _result(bullet: Bullet, earlier: Text | None, draft: Draft) -> Text | None:
    found = unmarked(_without_arrow(bullet.value))
    if earlier is not None:
        message = f"{bullet.key!r} stands in line {earlier.line} already"
        draft.findings.error("INVALID_BULLET", message, bullet.whole, "keep one of the two")
    elif not all(map(is_name, found.value.split("."))):
        message = f"{bullet.key!r} names one event or state"
        draft.findings.error("INVALID_BULLET", message, bullet.whole, f"write '{bullet.key}: name'")
    else:
        return found
    return None


_LONGEST_COUNT = 18
_REGION_KEYS = frozenset({"on_entry", "on_exit", "ignore", "description"})
BULLETS: dict[str, Handler] = {
    "on_entry": _on_entry,
    "on_exit": _on_exit,
    "description": _description,
    "timeout": _timeout,
    "ignore": _ignore,
    "invoke": _invoke,
    "input": _modifier,
    "returns": _modifier,
    "shots": _modifier,
    "on_done": _done,
    "on_error": _error,
}
