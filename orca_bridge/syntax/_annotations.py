"""What follows the name in a state heading: bracket groups and text, in any order (language.md 5.3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._names import as_name, is_name, unmarked

if TYPE_CHECKING:
    from collections.abc import Callable

    from orca_bridge.definition import Sync

    from ._diagnostics import Findings
    from ._source import Text

# What may be glued to the name: "a[initial]", 'a"text"', "a: text".
_NAME_END = re.compile(r"[\s\[\"“(]|:(?=\s|$)|$")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'|“([^”]*)”")
_WORDS = re.compile(r"[^\s,:]+(?:\s*[:=]\s*[^\s,]+)?")
_TITLED = re.compile(r"([A-Za-z]\w*) +(?:\[(initial|final)\] +)?\"([^\"]*)\"", re.ASCII)
_LEADS = (":", "-", "\N{EN DASH}", "\N{EM DASH}")
_IN_PARENTHESES = re.compile(r"\(\s*(initial|final|parallel)\b[^()]*\)", re.IGNORECASE)
_SYNCS: dict[str, Sync] = {"all-final": "all-final", "any-final": "any-final", "custom": "custom"}


@dataclass(slots=True)
class Annotations:
    """What a heading says besides the name."""

    initial: bool = False
    final: bool = False
    parallel: bool = False
    sync: Sync | None = None
    synced: Text | None = None
    """Where the way to synchronise stands."""
    descriptions: list[str] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        """Whether regions play no part."""
        return not self.parallel and self.synced is None


MARKED = {"": Annotations(), "initial": Annotations(initial=True), "final": Annotations(final=True)}
"""What most headings say, shared by all of them and never changed."""


def read_tail(text: Text, findings: Findings, kind: str = "state") -> tuple[Text, Annotations]:
    """Split a heading into the name and what it says about the state or region, and report what is neither."""
    end = _NAME_END.search(text.value)
    reader = _TailReader(text, end.start() if end else len(text.value), findings, kind)
    reader.read()
    return reader.name, reader.annotations


def read_titled(text: Text, findings: Findings) -> tuple[Text, Annotations] | None:
    """Read the heading of a state with perhaps one mark and a text in quotes; None if it is another one."""
    match = _TITLED.fullmatch(text.value)
    if match is None:
        return None
    _report_text(text.cut(match.start(3) - 1), findings)
    mark = match[2]
    return text.cut(0, match.end(1)), Annotations(mark == "initial", mark == "final", descriptions=[match[3]])


def _report_text(text: Text, findings: Findings) -> None:
    message = "other tools drop a text in the heading of a state"
    findings.portability("PORT_STATE_TEXT", message, text, "write it as a blockquote below the heading")


class _TailReader:
    def __init__(self, text: Text, start: int, findings: Findings, kind: str) -> None:
        self.text = text
        self.kind = kind
        self.groups = 0
        self.name = unmarked(text.cut(0, start))
        self.position = start
        self.findings = findings
        self.annotations = Annotations()
        self.announced = False
        self.named = self.check_name()

    def check_name(self) -> bool:
        value = self.name.value
        if is_name(value):
            return True
        at = self.name if value else self.text
        message = f"{at.value!r} cannot name a {self.kind}: letters, digits and '_' make a name"
        suggestion = f"write {as_name(at.value)!r}"
        if not value:
            message, suggestion = f"the name of this {self.kind} is missing", f"write '{self.kind} name {at.value}'"
        elif "." in value:
            parent, _, child = value.rpartition(".")
            suggestion = f"write 'state {as_name(child)}' one level below the heading of {as_name(parent)!r}"
        self.findings.error("INVALID_NAME", message, at, suggestion)
        return False

    def read(self) -> None:
        value = self.text.value
        while self.position < len(value):
            character = value[self.position]
            if character.isspace():
                self.position += 1
            elif character == "[":
                self.read_group()
            elif not self.read_quoted():
                self.read_words()

    def read_group(self) -> None:
        end = self.text.value.find("]", self.position)
        if end < 0:
            rest = self.text.cut(self.position)
            self.findings.error("INVALID_ANNOTATION", "the bracket is not closed", rest, "end it with ']'")
            self.position = len(self.text.value)
            return
        group = self.text.cut(self.position, end + 1)
        self.groups += 1
        if self.kind == "region":
            self.findings.portability("PORT_REGION", "other tools lose a region with annotations", group, "remove them")
        elif self.groups > 1:
            message = "other tools see no annotation of a state that has several groups of them"
            self.findings.portability(
                "PORT_ANNOTATION", message, group, "put all into one, as in [parallel, sync: custom]"
            )
        for item in self.text.cut(self.position + 1, end).split(","):
            self.read_item(item)
        self.position = end + 1
        self.announced = True

    def read_item(self, item: Text) -> None:
        words = [item.cut(match.start(), match.end()) for match in _WORDS.finditer(item.value)]
        known = [word for word in words if _key(word) in _MARKS]
        if len(known) > 1:
            message = "other tools do not see annotations without a comma between them"
            self.findings.portability("PORT_ANNOTATION", message, item, "write a comma")
        for word in known if words and len(known) == len(words) else [item]:
            mark = _MARKS.get(_key(word))
            if mark is not None and not word.value.startswith(_key(word)) and self.kind == "state":
                message = f"other tools do not know {word.value!r}"
                self.findings.portability("PORT_ANNOTATION", message, word, "write it in small letters")
            if mark is not None:
                mark(self, word)
            elif word.value:
                self.unknown(word)

    def unknown(self, item: Text) -> None:
        near = self.findings.nearest(item.value, list(_MARKS))
        suggestion = f"write [{near}]" if near else "use initial, final or parallel"
        message = f"the annotation {item.value!r} is unknown and ignored"
        self.findings.warning("UNKNOWN_ANNOTATION", message, item, suggestion)

    def read_quoted(self) -> bool:
        match = _QUOTED.match(self.text.value, self.position)
        if match is None:
            return False
        self.report_text(self.text.cut(self.position, match.end()))
        self.annotations.descriptions.append(next(part for part in match.groups() if part is not None))
        self.position = match.end()
        self.announced = True
        return True

    def report_text(self, text: Text) -> None:
        if self.kind == "region":
            message = "other tools lose a region with text in its heading"
            self.findings.portability("PORT_REGION", message, text, "describe the state around it")
            return
        _report_text(text, self.findings)

    def read_words(self) -> None:
        """Read text up to the next bracket: a description, if something says so."""
        start = self.position
        stop = self.text.value.find("[", start + 1)
        words = self.text.cut(start, None if stop < 0 else stop).strip()
        self.position = start + len(self.text.value) if stop < 0 else stop
        marked = _IN_PARENTHESES.match(words.value)
        if marked:
            suggestion = f"write [{marked[1].lower()}]"
            message = "annotations stand in brackets, not in parentheses"
            self.findings.error("INVALID_ANNOTATION", message, words.cut(0, marked.end()), suggestion)
            return
        if self.announced or words.value.startswith(_LEADS):
            lead = 1 if words.value.startswith(_LEADS) else 0
            self.report_text(words)
            self.annotations.descriptions.append(words.cut(lead).strip().value)
        elif self.named:
            whole = self.text.cut(0, start).strip().value + " " + words.value
            self.name = self.text.cut(0, None if stop < 0 else stop).strip()
            message = f"{whole!r} cannot name a {self.kind}: a name is one word"
            suggestion = f"write {as_name(whole)!r}, or put the text in quotes"
            self.findings.error("INVALID_NAME", message, self.name, suggestion)


def _key(word: Text) -> str:
    return word.value.replace("=", ":").partition(":")[0].strip().lower()


def _initial(reader: _TailReader, _word: Text) -> None:
    reader.annotations.initial = True


def _final(reader: _TailReader, _word: Text) -> None:
    reader.annotations.final = True


def _parallel(reader: _TailReader, _word: Text) -> None:
    reader.annotations.parallel = True


def _sync(reader: _TailReader, word: Text) -> None:
    value = word.value.replace("=", ":").partition(":")[2].strip().lower().replace("_", "-")
    sync = _SYNCS.get(value)
    if sync is None:
        message = f"{value!r} is no way to synchronise regions"
        suggestion = f"write one of {', '.join(_SYNCS)}"
        reader.findings.error("INVALID_ANNOTATION", message, word, suggestion)
        return
    reader.annotations.sync, reader.annotations.synced = sync, word


_MARKS: dict[str, Callable[[_TailReader, Text], None]] = {
    "initial": _initial,
    "final": _final,
    "parallel": _parallel,
    "sync": _sync,
}
