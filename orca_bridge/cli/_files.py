"""Reading the files named on the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orca_bridge._load import read_file
from orca_bridge.exceptions import DocumentFileError
from orca_bridge.syntax import read

from ._output import complain

if TYPE_CHECKING:
    import argparse

    from orca_bridge.syntax import Reading

__all__ = ("add_file_options", "read_document")


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Add what every verb that reads documents takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a document, or - for standard input")
    parser.add_argument("--name", default="<stdin>", help="what to call standard input; *.orca is brace text")


def read_document(file: str, name: str, suffix: str = "") -> tuple[Reading, str] | None:
    """
    Read one document; None, after a message, if the file cannot be read.

    Args:
        file: Its path, or ``-`` for standard input.
        name: What to call standard input.
        suffix: The suffix whose syntax it has, whatever it is called; empty to go by the name.
    """
    if file == "-":
        content, called = sys.stdin.buffer.read(), name
    else:
        try:
            content, called = read_file(file)
        except DocumentFileError as error:
            complain(error)
            return None
    return read(content, called if called.endswith(suffix) else called + suffix), called
