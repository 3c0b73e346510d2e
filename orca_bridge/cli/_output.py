"""Where the command line writes: results to standard output, messages to standard error."""

from __future__ import annotations

import sys

__all__ = ("complain", "say")


def say(text: object) -> None:
    """Write a result; what the encoding of standard output has no character for is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(f"{text}\n".encode(encoding, "backslashreplace").decode(encoding))


def complain(text: object) -> None:
    """Write a message about what went wrong."""
    sys.stderr.write(f"orca-bridge: {text}\n")
