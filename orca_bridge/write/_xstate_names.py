"""Names of machines and fields in TypeScript."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("key", "machine_names", "quoted")

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def quoted(text: str) -> str:
    """Write a string."""
    # These two end a line in JavaScript before 2019.
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def key(name: str) -> str:
    """Write the name of a property, in quotes where it needs them."""
    return name if _PLAIN.fullmatch(name) and name != "__proto__" else quoted(name)


def machine_names(names: Iterable[str]) -> dict[str, str]:
    """Give each machine a name in PascalCase, none twice."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for name in names:
        words = re.findall(r"[^\W_]+", name)
        stem = "".join(word[0].upper() + word[1:] for word in words) or "Machine"
        if stem[0].isdigit():
            stem = f"Machine{stem}"
        number, chosen = 1, stem
        while chosen.lower() in taken:
            number += 1
            chosen = f"{stem}{number}"
        taken.add(chosen.lower())
        found[name] = chosen
    return found
