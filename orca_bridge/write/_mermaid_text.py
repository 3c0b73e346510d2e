"""
Any text of a document, made fit to stand in a Mermaid diagram.

Mermaid has no quoting that covers everything: its lexer looks for words such as ``direction TB`` in the middle of
labels, labels end at a semicolon, and what is left is read as Markdown and then as HTML. So all that is not plainly a
letter, a digit or harmless is written as a numeric entity.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("label", "name_ids")

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_UNSAFE = re.compile(
    r"[^\w\s.,()\[\]/=?!'→+-]"  # an entity, a quote, a tag, the end of the label, Markdown
    r"|(?<!\w)_|_(?!\w)|__+"  # emphasis
    r"|\[\[+|\]\]+|--+"  # kinds of states, borders
    r"|^[-+=]"  # lists and headlines
)
_NUMBERED = re.compile(r"^(\s*\d+)([.)])")
_DIRECTION = re.compile(r"\b(d)(irection\s)", re.IGNORECASE)
_WORDS = frozenset(
    {
        *("accdescr", "acctitle", "as", "call", "class", "classdef", "click", "constructor", "default", "direction"),
        *("end", "flowchart", "fork", "graph", "hide", "href", "join", "linkstyle", "note", "prototype", "root"),
        *("scale", "state", "style", "subgraph", "tostring", "valueof"),
    }
)
"""Names that Mermaid, or the JavaScript below it, would take for something else."""
_ENDINGS = ("_start", "_end")
"""What Mermaid adds to the id of a block to name the dots in it."""


def label(lines: Iterable[str]) -> str:
    """Write lines of text as a label, which may stand in quotes or behind a colon."""
    shown = (_line(" ".join(_UNPRINTABLE.sub(" ", line).split())) for line in lines)
    return "<br/>".join(line for line in shown if line) or "#8203;"  # a label has to have something in it


def name_ids(paths: Iterable[str]) -> dict[str, str]:
    """Give each path an identifier: ASCII letters, digits and underscores, no word of Mermaid's, none twice."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for path in paths:
        stem = re.sub(r"[^A-Za-z0-9]+", "_", path).strip("_")
        if not stem or stem[0].isdigit():
            stem = f"s{stem}"
        if stem.lower() in _WORDS or stem.lower().endswith(_ENDINGS):
            stem += "_"
        number, chosen = 1, stem
        while chosen.lower() in taken:
            number += 1
            chosen = f"{stem}_{number}"
        taken.add(chosen.lower())
        found[path] = chosen
    return found


def _line(text: str) -> str:
    text = _UNSAFE.sub(lambda found: "".join(f"#{ord(sign)};" for sign in found[0]), text)
    text = _NUMBERED.sub(lambda found: f"{found[1]}#{ord(found[2])};", text)
    return _DIRECTION.sub(lambda found: f"#{ord(found[1])};{found[2]}", text)
