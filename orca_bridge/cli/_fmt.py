"""``orca-bridge fmt``: documents in canonical Markdown."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from orca_bridge.exceptions import DocumentError, WritingError
from orca_bridge.write import format_document

from ._files import add_file_options, content_of, each, write_text
from ._output import Refusal, complain, say

if TYPE_CHECKING:
    import argparse

__all__ = ("add_to",)


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser("fmt", help="write documents in canonical Markdown, in place")
    add_file_options(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 if a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; print what would change")
    parser.add_argument(
        "--portable", action="store_true", help="change what other tools misread to equal forms, and tell what is left"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write there, for one document; brace text needs it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Format every file; the worst status wins."""
    if options.output is not None and len(options.files) > 1:
        raise Refusal("fmt: -o takes one document")
    return each(options.files, lambda file: _format(file, options))


def _format(file: str, options: argparse.Namespace) -> int:
    content, name = content_of(file, options.name)
    try:
        formatted = format_document(content, name, portable=options.portable)
    except (DocumentError, WritingError) as error:
        raise Refusal(error, 1) from None
    written = formatted.text
    for found in formatted.misread if options.portable else ():
        complain(found)
    changed = written.encode() != content
    if options.diff:
        before = content.decode().splitlines(keepends=True)
        say("".join(difflib.unified_diff(before, written.splitlines(keepends=True), name, name)).rstrip("\n"))
    if options.check or options.diff:
        if changed and options.check:
            complain(f"{name} would change")
        return int(changed and options.check)
    if options.output is not None:
        write_text(options.output, written)
    elif file == "-":
        say(written.removesuffix("\n"))
    elif name.endswith(".orca"):
        raise Refusal(f"{name} is brace text, which fmt does not replace; give -o FILE")
    elif changed:
        write_text(file, written)
    return 0
