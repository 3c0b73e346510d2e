"""The properties section: one claim a bullet (language.md 5.8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orca_bridge.definition import PropertyDefinition, PropertyKind

from ._diagnostics import OL
from ._events import report_bullets
from ._guards import read_guard
from ._names import unticked
from ._scanner import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._draft import Draft
    from ._outline import Block
    from ._source import Text

_FORMS = (
    "write 'live', 'reachable: T from S', 'unreachable: T from S', 'passes_through: M for A -> B', "
    "'responds: T from S within N' or 'invariant: expression [in S]'"
)
_REF = r"[^\s,:]+"
_FROM = re.compile(rf"({_REF})(?:\s+(from)\s+({_REF}))?", re.IGNORECASE)
_THROUGH = re.compile(rf"({_REF})\s+(for)\s+({_REF})\s*->\s*({_REF})", re.IGNORECASE)
_WITHIN = re.compile(rf"({_REF})\s+(from)\s+({_REF})\s+(within)\s+(\d{{1,9}})", re.IGNORECASE)
_IN = re.compile(rf"(?<=\s)(in)\s+({_REF})$", re.IGNORECASE)
# The names of two or three states; a longer text is none of these claims, and would take long to be refused.
_LONGEST = 500
_KINDS: dict[str, PropertyKind] = {
    "live": "live",
    "reachable": "reachable",
    "unreachable": "unreachable",
    "passes_through": "passes_through",
    "responds": "responds",
    "always responds": "always_responds",
    "always_responds": "always_responds",
    "invariant": "invariant",
}


def collect_properties(draft: Draft, blocks: Sequence[Block]) -> None:
    """Read all claims; one that cannot be read hides no other."""
    for block in blocks:
        listed = block.plain_list()
        if listed is not None:
            for number in range(listed[0], listed[0] + len(listed[1])):
                read_property(block.behind_marker(number), draft)
            continue
        report_bullets(block, draft.findings)
        for item in block.of(Kind.BULLET):
            read_property(item.text, draft)


def read_property(text: Text, draft: Draft, *, ticked: bool = True) -> None:
    """Read one claim."""
    bare = unticked(text)
    written, colon, _ = bare.value.partition(":")
    key = " ".join(written.replace("-", "_").split()).strip("*`")
    kind = _KINDS.get(key.lower())
    value = bare.cut(len(written) + 1).strip() if colon else bare.end
    is_long = len(value.value) > _LONGEST and kind != "invariant"
    if kind is None or is_long or (kind == "live") == bool(value.value):
        _refuse(bare, draft)
        return
    if key != key.lower() or kind == "always_responds" or bare is not text:
        _report(bare, f"orca-lang does not know {written.strip()!r}", draft, _portable_key(kind))
    found = READERS[kind](kind, value, draft, ticked) if kind in READERS else PropertyDefinition(kind)
    if found is not None:
        draft.properties.append(_placed(found, text))


def _placed(found: PropertyDefinition, text: Text) -> PropertyDefinition:
    return PropertyDefinition(
        found.kind,
        found.target,
        found.source,
        found.through,
        found.within,
        found.expression,
        found.state,
        text.value,
        text.span,
    )


def _refuse(text: Text, draft: Draft) -> None:
    draft.findings.error("INVALID_PROPERTY", f"{text.value!r} is no property", text, _FORMS)


def _portable_key(kind: PropertyKind) -> str:
    return "keep it if only orca_bridge checks the file" if kind == "always_responds" else f"write {kind!r}"


def _report(text: Text, message: str, draft: Draft, suggestion: str) -> None:
    draft.findings.portability("PORT_PROPERTY", message, text, suggestion, OL)


def _check_words(words: Sequence[str], text: Text, draft: Draft) -> None:
    for word in words:
        if word and word != word.lower():
            _report(text, f"orca-lang does not know {word!r}", draft, f"write {word.lower()!r}")


def _state(text: Text, draft: Draft) -> str | None:
    node = draft.states.resolve(text)
    return None if node is None else node.path


def _reach(kind: PropertyKind, text: Text, draft: Draft, _ticked: bool) -> PropertyDefinition | None:
    match = _FROM.fullmatch(text.value)
    if match is None:
        _refuse(text, draft)
        return None
    target = _state(text.cut(*match.span(1)), draft)
    if match[3] is None:
        _report(text, "orca-lang fails without 'from'", draft, f"write '{text.value} from' and the initial state")
        return None if target is None else PropertyDefinition(kind, target)
    _check_words([match[2]], text, draft)
    source = _state(text.cut(*match.span(3)), draft)
    return None if target is None or source is None else PropertyDefinition(kind, target, source)


def _through(kind: PropertyKind, text: Text, draft: Draft, _ticked: bool) -> PropertyDefinition | None:
    match = _THROUGH.fullmatch(text.value)
    if match is None:
        _refuse(text, draft)
        return None
    _check_words([match[2]], text, draft)
    through, source, target = (_state(text.cut(*match.span(group)), draft) for group in (1, 3, 4))
    if through is None or source is None or target is None:
        return None
    return PropertyDefinition(kind, target, source, through)


def _responds(kind: PropertyKind, text: Text, draft: Draft, _ticked: bool) -> PropertyDefinition | None:
    match = _WITHIN.fullmatch(text.value)
    if match is None:
        _refuse(text, draft)
        return None
    _check_words([match[2], match[4]], text, draft)
    target, source = (_state(text.cut(*match.span(group)), draft) for group in (1, 3))
    if target is None or source is None:
        return None
    return PropertyDefinition(kind, target, source, within=int(match[5]))


def _invariant(kind: PropertyKind, text: Text, draft: Draft, ticked: bool) -> PropertyDefinition | None:
    state: str | None = None
    tail = _IN.search(text.value)
    if tail is not None:
        _check_words([tail[1]], text, draft)
        state = _state(text.cut(*tail.span(2)), draft)
        if state is None:
            return None
        text = text.cut(0, tail.start()).strip()
    bare = unticked(text)
    if bare is text and ticked:
        _report(text, "orca-lang reads an invariant in back-ticks only", draft, f"write `{text.value}`")
    expression = read_guard(bare, draft.scope(in_cell=False), draft.findings)
    return None if expression is None else PropertyDefinition(kind, expression=expression, state=state)


READERS: dict[PropertyKind, Callable[[PropertyKind, Text, Draft, bool], PropertyDefinition | None]] = {
    "reachable": _reach,
    "unreachable": _reach,
    "passes_through": _through,
    "responds": _responds,
    "always_responds": _responds,
    "invariant": _invariant,
}
