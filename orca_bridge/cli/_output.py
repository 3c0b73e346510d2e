"""Where the command line writes: results to standard output, messages to standard error."""

from __future__ import annotations

import errno
import json
import os
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("WRONG_USAGE", "Refusal", "complain", "meant", "refuse", "say", "say_json")

WRONG_USAGE = 2
"""The exit status for wrong usage, and for files that cannot be read or written."""


class Refusal(Exception):  # noqa: N818 - not an error of this program, and never seen outside
    """
    Raised when a verb cannot do what it was asked for.

    Args:
        text: Why, and what to do.
        status: The exit status that says so.
    """

    def __init__(self, text: object, status: int = WRONG_USAGE) -> None:
        super().__init__(str(text))
        self.status: int = status


def say(text: object) -> None:
    """
    Write a result; what the encoding of standard output has no character for is escaped.

    Raises:
        OSError: Standard output is closed.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(f"{text}\n".encode(encoding, "backslashreplace").decode(encoding))


def say_json(found: object) -> None:
    """Write a result as the one JSON value."""
    say(json.dumps(found, indent=2, ensure_ascii=False))


def meant(word: str, known: Iterable[str]) -> str:
    """Ask, behind a message about a word, whether the one that comes near to it is meant; nothing if none does."""
    by_letters = {one.casefold(): one for one in known}
    near = get_close_matches(word.casefold(), by_letters, n=1)
    return f"; is {by_letters[near[0]]!r} meant?" if near else ""


def complain(text: object) -> None:
    """Write a message about what went wrong."""
    if sys.stderr is not None:
        sys.stderr.write(f"orca-bridge: {text}\n")


def refuse(text: object, *, as_json: bool) -> None:
    """Write why there is no result; as a JSON value too, for programs that read one."""
    complain(text)
    if as_json:
        say_json({"status": "error", "errors": [str(text)]})
