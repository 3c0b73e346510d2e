"""What follows the name in a state heading: bracket groups and text, in any order (language.md 5.3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._names import as_name, is_name, unmarked
from ._unsupported import not_supported

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._diagnostics import Findings
    from ._source import Text

# What may be glued to the name: "a[initial]", 'a"text"', "a: text".
_NAME_END = re.compile(r"[\s\[\"“(]|:(?=\s|$)|$")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'|“([^”]*)”")
_WORDS = re.compile(r"[^\s,:]+(?:\s*[:=]\s*[^\s,]+)?")
_LEADS = (":", "-", "\N{EN DASH}", "\N{EM DASH}")
_IN_PARENTHESES = re.compile(r"\(\s*(initial|final|parallel)\b[^()]*\)", re.IGNORECASE)
_SYNCS = ("all-final", "any-final", "custom")


@dataclass(slots=True)
class Annotations:
    """What a heading says besides the name."""

    initial: bool = False
    final: bool = False
    descriptions: list[str] = field(default_factory=list)


def read_tail(text: Text, findings: Findings) -> tuple[Text, Annotations]:
    """Split a heading into the name and what it says about the state, and report what is neither."""
    end = _NAME_END.search(text.value)
    reader = _TailReader(text, end.start() if end else len(text.value), findings)
    reader.read()
    return reader.name, reader.annotations


class _TailReader:
    def __init__(self, text: Text, start: int, findings: Findings) -> None:
        self.text = text
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
        message = f"{at.value!r} cannot name a state: letters, digits and '_' make a name"
        suggestion = f"write {as_name(at.value)!r}"
        if not value:
            message, suggestion = "the name of this state is missing", f"write 'state name {at.value}'"
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
        for item in self.text.cut(self.position + 1, end).split(","):
            self.read_item(item)
        self.position = end + 1
        self.announced = True

    def read_item(self, item: Text) -> None:
        words = [item.cut(match.start(), match.end()) for match in _WORDS.finditer(item.value)]
        known = [word for word in words if _key(word) in _MARKS]
        for word in known if words and len(known) == len(words) else [item]:
            mark = _MARKS.get(_key(word))
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
        self.annotations.descriptions.append(next(part for part in match.groups() if part is not None))
        self.position = match.end()
        self.announced = True
        return True

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
            self.annotations.descriptions.append(words.cut(lead).strip().value)
        elif self.named:
            whole = self.text.cut(0, start).strip().value + " " + words.value
            self.name = self.text.cut(0, None if stop < 0 else stop).strip()
            message = f"{whole!r} cannot name a state: a name is one word"
            suggestion = f"write {as_name(whole)!r}, or put the text in quotes"
            self.findings.error("INVALID_NAME", message, self.name, suggestion)


def _key(word: Text) -> str:
    return word.value.replace("=", ":").partition(":")[0].strip().lower()


def _initial(reader: _TailReader, _word: Text) -> None:
    reader.annotations.initial = True


def _final(reader: _TailReader, _word: Text) -> None:
    reader.annotations.final = True


def _parallel(reader: _TailReader, word: Text) -> None:
    not_supported(reader.findings, "the annotation [parallel]", word, "use one machine for each region")


def _sync(reader: _TailReader, word: Text) -> None:
    value = word.value.replace("=", ":").partition(":")[2].strip().lower().replace("_", "-")
    if value not in _SYNCS:
        message = f"{value!r} is no way to synchronise regions"
        suggestion = f"write one of {', '.join(_SYNCS)}"
        reader.findings.error("INVALID_ANNOTATION", message, word, suggestion)
    elif "parallel" not in reader.text.value.lower():
        # Beside [parallel] one refusal is enough.
        not_supported(reader.findings, "the annotation [sync]", word, "use one machine for each region")


_MARKS: dict[str, Callable[[_TailReader, Text], None]] = {
    "initial": _initial,
    "final": _final,
    "parallel": _parallel,
    "sync": _sync,
}
