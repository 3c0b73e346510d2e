"""Names of a document as names of Python, and texts as its literals."""

from __future__ import annotations

import builtins
import re
import unicodedata
from keyword import iskeyword, issoftkeyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ("docstring", "identifiers", "joined", "literal", "pascal_case", "snake_case")

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WIDTH = 120


def snake_case(name: str) -> str:
    """Write a name as functions are called: ``PaymentRouting`` is ``payment_routing``."""
    return re.sub(r"\W+", "_", _CAPITAL.sub("_", name)).strip("_").lower()


def pascal_case(name: str) -> str:
    """Write a name as classes are called."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name))
    found = "".join(word[0].upper() + word[1:] for word in words)
    return found if found.isidentifier() else f"Machine{found}"


def identifiers(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """
    Give each name an identifier: itself where it is one, none twice, no word of Python and nothing that is taken.

    Args:
        names: Names of a document.
        taken: Identifiers that have another meaning where these are to stand.
    """
    used = {*taken, *dir(builtins)}
    found: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"\W", "_", unicodedata.normalize("NFKC", name))
        # Two underscores in front have a meaning in classes.
        stem = stem.lstrip("_") or "name"
        stem = stem if stem.isidentifier() else f"n_{stem}"
        number, chosen = 1, stem
        while chosen in used or iskeyword(chosen) or issoftkeyword(chosen):
            chosen = f"{stem}_" if number == 1 else f"{stem}_{number}"
            number += 1
        used.add(chosen)
        found[name] = chosen
    return found


def literal(value: object) -> str:
    """Write a value, texts in double quotes where that needs no more escapes."""
    if isinstance(value, str) and '"' not in value:
        return '"' + repr('"' + value)[2:-1].replace("\\'", "'") + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(one)}' for key, one in value.items())}}}"
    return repr(value)


def docstring(text: str, indent: str = "") -> list[str]:
    """Write a text as a docstring, whatever is in it."""
    shown = ["".join(sign if sign.isprintable() else " " for sign in line).rstrip() for line in text.splitlines()]
    lines = [line.replace("\\", "\\\\").replace('"""', r"\"\"\"") for line in shown]
    if len(lines) == 1 and len(lines[0]) + len(indent) + 6 <= _WIDTH and not lines[0].endswith('"'):
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""', *(f"{indent}{line}".rstrip() for line in lines), f'{indent}"""']


def joined(opening: str, entries: Sequence[str], closing: str, indent: str = "") -> list[str]:
    """Write entries on one line where they fit, and on a line each where they do not."""
    short = f"{indent}{opening}{', '.join(entries)}{closing}"
    if len(short) <= _WIDTH:
        return [short]
    return [f"{indent}{opening}", *(f"{indent}    {entry}," for entry in entries), f"{indent}{closing}"]
