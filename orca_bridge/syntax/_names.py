"""What a name is, and what may stand around one."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from ._diagnostics import BOTH

if TYPE_CHECKING:
    from ._diagnostics import Findings
    from ._source import Text

# A dash belongs to a name only in front of a letter or digit, so `a->b` and `a -` end the name before it.
NAME_PATTERN = r"[^\W\d](?:\w|-(?=[^\W_]))*"
NAME = re.compile(NAME_PATTERN)
SYSTEM_EVENT = re.compile(rf"(?:done|error|timeout)(?:\.{NAME_PATTERN})+")
_FOREIGN = re.compile(r"[\W_]+")
_MARKS = ("`", "**", "__", "*", "_")
NOTHING = frozenset({"", "-", "_", "\N{EM DASH}", "\N{EN DASH}"})


def is_name(value: str) -> bool:
    """Tell whether the whole of `value` is one name."""
    return (value.isascii() and value.isidentifier()) or NAME.fullmatch(value) is not None


def is_plain(value: str) -> bool:
    """Tell whether a cell or bullet holds one name, and one that all tools read; ``_`` alone says nothing."""
    return value.isascii() and value.isidentifier() and value != "_"


def is_portable_name(value: str) -> bool:
    """Tell whether all tools read the whole of a name."""
    return value.isascii() and "-" not in value


def report_name(text: Text, findings: Findings) -> None:
    """Warn of a name that other tools cut."""
    message = f"other tools cut {text.value!r} at the first character that is no letter from A to Z, digit or '_'"
    findings.portability("PORT_NAME", message, text, f"write {_portable(text.value)!r}")


def _portable(value: str) -> str:
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    return as_name(plain)


def unmarked(text: Text) -> Text:
    """Take back-ticks and emphasis off a whole name; ``_x_`` is a name itself and stays."""
    text = text.strip()
    for mark in _MARKS if text.value.startswith(_MARKS) else ():
        size, value = len(mark), text.value
        if value.startswith(mark) and value.endswith(mark) and len(value) > 2 * size and not is_name(value):
            text = text.cut(size, len(value) - size).strip()
    return text


def report_marks(written: Text, bare: Text, findings: Findings, differs: tuple[str, ...] = BOTH) -> None:
    """Warn of marks that were taken off a name."""
    if len(written.value) > len(bare.value):
        message = f"other tools take the marks around {bare.value!r} for a part of it"
        findings.portability("PORT_MARKUP", message, written, f"write {bare.value}", differs)


def unticked(text: Text) -> Text:
    """Take the back-ticks off a whole expression."""
    text = text.strip()
    size = len(text.value) - len(text.value.lstrip("`"))
    if size and len(text.value) > 2 * size and text.value.endswith("`" * size):
        return text.cut(size, len(text.value) - size).strip()
    return text


def is_nothing(text: Text) -> bool:
    """Tell whether a cell says "nothing", by being empty or by a dash."""
    return text.value in NOTHING


def as_name(value: str) -> str:
    """Make the name that is nearest to what was written."""
    name = _FOREIGN.sub("_", value).strip("_") or "name"
    return f"_{name}" if name[0].isdigit() else name


def declared_name(text: Text, what: str, findings: Findings) -> str | None:
    """Read the name in a declaration, or report why it is none."""
    written, text = text, unmarked(text)
    if is_name(text.value):
        if written is not text:
            report_marks(written, text, findings)
        if not is_portable_name(text.value):
            report_name(text, findings)
        return text.value
    if not text.value:
        findings.error("INVALID_NAME", f"the name of this {what} is missing", text, f"name the {what}")
        return None
    if SYSTEM_EVENT.fullmatch(text.value):
        reason = f"{text.value!r} is raised by the machine itself and cannot be declared"
        findings.error("INVALID_NAME", reason, text, "use it in a row without declaring it")
        return None
    message = f"{text.value!r} cannot name {_article(what)} {what}: letters, digits and '_' make a name"
    findings.error("INVALID_NAME", message, text, f"write {as_name(text.value)!r}")
    return None


def _article(what: str) -> str:
    return "an" if what[0] in "aeiou" else "a"
