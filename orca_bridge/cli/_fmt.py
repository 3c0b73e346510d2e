"""``orca-bridge fmt``: documents in canonical Markdown."""

from __future__ import annotations

import difflib
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
    parser: argparse.ArgumentParser = verbs.add_parser("fmt", help="write documents in canonical Markdown, in place")
    add_file_options(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 if a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; print what would change")
    parser.add_argument("-o", "--output", metavar="FILE", help="write there, for one document; brace text needs it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Format every file; the worst status wins."""
    if options.output is not None and len(options.files) > 1:
        complain("fmt: -o takes one document")
        return 2
    return max(_format(file, options) for file in options.files)


def _format(file: str, options: argparse.Namespace) -> int:
    try:
        content, name = (sys.stdin.buffer.read(), options.name) if file == "-" else read_file(file)
        written = format_document(content, name).text
    except DocumentFileError as error:
        complain(error)
        return 2
    except (DocumentError, WritingError) as error:
        complain(error)
        return 1
    changed = written.encode() != content
    if options.diff:
        before = content.decode().splitlines(keepends=True)
        say("".join(difflib.unified_diff(before, written.splitlines(keepends=True), name, name)).rstrip("\n"))
    if options.check or options.diff:
        if changed and options.check:
            complain(f"{name} would change")
        return int(changed and options.check)
    return _write(file, name, written, options.output, changed=changed)


def _write(file: str, name: str, written: str, output: str | None, *, changed: bool) -> int:
    if output is not None:
        Path(output).write_text(written, "utf-8", newline="\n")
    elif file == "-":
        say(written.rstrip("\n"))
    elif name.endswith(".orca"):
        complain(f"{name} is brace text, which fmt does not replace; give -o FILE")
        return 2
    elif changed:
        Path(file).write_text(written, "utf-8", newline="\n")
    return 0
