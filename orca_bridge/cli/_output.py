"""Where the command line writes: results to standard output, messages to standard error."""

from __future__ import annotations

import errno
import json
import os
import sys

__all__ = ("WRONG_USAGE", "Refusal", "complain", "refuse", "say", "say_json")

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


def complain(text: object) -> None:
    """Write a message about what went wrong."""
    if sys.stderr is not None:
        sys.stderr.write(f"orca-bridge: {text}\n")


def refuse(text: object, *, as_json: bool) -> None:
    """Write why there is no result; as a JSON value too, for programs that read one."""
    complain(text)
    if as_json:
        say_json({"status": "error", "errors": [str(text)]})
