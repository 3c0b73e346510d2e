"""``orca-bridge convert``: brace text to Markdown, as a new file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orca_bridge._load import read_file
from orca_bridge.exceptions import DocumentError, DocumentFileError, WritingError
from orca_bridge.write import format_document

from ._files import add_file_options
from ._output import complain, say

if TYPE_CHECKING:
    import argparse

__all__ = ("add_to",)


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "convert", help="write brace text as Markdown, into a new file beside it"
    )
    add_file_options(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write there, for one document")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert every file; the worst status wins."""
    if options.output is not None and len(options.files) > 1:
        complain("convert: -o takes one document")
        return 2
    return max(_convert(file, options) for file in options.files)


def _convert(file: str, options: argparse.Namespace) -> int:
    if Path(file).suffix.lower() == ".md":
        complain(f"{file} is Markdown already; orca-bridge fmt brings it into canonical form")
        return 2
    try:
        content, name = (sys.stdin.buffer.read(), options.name) if file == "-" else read_file(file)
        text = format_document(content, name).text
    except DocumentFileError as error:
        complain(error)
        return 2
    except (DocumentError, WritingError) as error:
        complain(error)
        return 1
    if file == "-" and options.output is None:
        say(text.rstrip("\n"))
        return 0
    return _write(Path(options.output or f"{file}.md"), text, force=options.force)


def _write(path: Path, text: str, *, force: bool) -> int:
    try:
        # Made and checked in one go: nobody's file is lost that appears in between.
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        complain(f"{path} exists; --force writes over it")
        return 2
    except OSError as error:
        complain(f"{path} cannot be written: {error.strerror or error}")
        return 2
    return 0
