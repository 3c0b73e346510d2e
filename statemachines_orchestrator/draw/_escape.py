"""
Any text of a user's, made fit to stand in Mermaid, DOT or Markdown.

Mermaid has no quoting that covers everything: its lexers look for words such as ``direction TB`` in the middle of
labels, labels end at a semicolon, and what is left is read as Markdown and then as HTML. So all that is not plainly a
letter, a digit or harmless is written as a numeric entity.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ("Ids", "dot_quoted", "markdown_cell", "markdown_code", "mermaid_text", "mermaid_title")

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_UNSAFE_IN_MERMAID = re.compile(
    r"[^\w\s.,()\[\]/=?!'~→+-]"  # an entity, a quote, a tag, the end of the label, Markdown
    r"|(?<!\w)_|_(?!\w)|__+"  # emphasis
    r"|\[\[+|\]\]+|~~+|--+"  # kinds of states, strokes, borders
    r"|^[-+=]"  # lists and headlines
)
_LIST_IN_MARKDOWN = re.compile(r"^(\s*\d+)([.)])")
_DIRECTION = re.compile(r"\b(d)(irection\s)", re.IGNORECASE)
_MERMAID_WORDS = frozenset(
    {
        *("accdescr", "acctitle", "alt", "as", "call", "class", "classdef", "click", "constructor", "default"),
        *("direction", "end", "flowchart", "fork", "graph", "hide", "href", "interpolate", "join", "linkstyle"),
        *("loop", "note", "opt", "par", "participant", "prototype", "rect", "root", "scale", "state", "style"),
        *("subgraph", "tostring", "valueof"),
    }
)
"""Names that Mermaid, or the JavaScript below it, would take for something else."""
_MERMAID_LINE = "<br/>"


def clean(text: str) -> str:
    """Replace what no text file holds, such as control characters and half surrogates."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\t", " "))


def mermaid_text(text: str) -> str:
    """Return a label for Mermaid; it may stand in quotes or behind a colon."""
    lines = (_mermaid_line(line.strip()) for line in clean(text).split("\n"))
    return _MERMAID_LINE.join(line for line in lines if line) or "#8203;"  # a label has to have something in it


def mermaid_title(text: str) -> str:
    """Return a label for Mermaid that stands in quotes, where a colon does no harm before a space."""
    return mermaid_text(text).replace("#58; ", ": ")


def _mermaid_line(line: str) -> str:
    line = _UNSAFE_IN_MERMAID.sub(lambda found: "".join(f"#{ord(sign)};" for sign in found[0]), line)
    line = _LIST_IN_MARKDOWN.sub(lambda found: f"{found[1]}#{ord(found[2])};", line)
    return _DIRECTION.sub(lambda found: f"#{ord(found[1])};{found[2]}", line)


def dot_quoted(text: str) -> str:
    """Return a quoted string for DOT."""
    text = clean(text).replace("\\", "\\\\").replace("&", "&amp;").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def markdown_cell(text: str) -> str:
    """Return text for the cell of a Markdown table."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_~|\[\]])", r"\\\1", text)
    return " ".join(text.split())


def markdown_code(text: str) -> str:
    """Return code for the cell of a Markdown table."""
    text = " ".join(clean(text).split()).replace("|", "\\|")
    ticks = "`" * (max((len(found) for found in re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}" if text else ""


class Ids:
    """Short names for Mermaid, one for each thing: letters and digits, no word of the language, none twice."""

    def __init__(self) -> None:
        self._given: dict[Hashable, str] = {}
        self._taken: set[str] = set()

    def of(self, thing: Hashable, wish: str) -> str:
        """Return the name of a thing; at the first time it is made from a wish."""
        if thing not in self._given:
            name = re.sub(r"[^A-Za-z0-9]+", "_", wish).strip("_")
            if not name or name[0].isdigit():
                name = f"n{name}"
            if name.lower() in _MERMAID_WORDS:
                name = f"{name}_"
            number, unique = 1, name
            while unique.lower() in self._taken:
                number += 1
                unique = f"{name}_{number}"
            self._taken.add(unique.lower())
            self._given[thing] = unique
        return self._given[thing]
