"""``orca-bridge convert``: brace text to Markdown, as a new file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from orca_bridge.exceptions import DocumentError, WritingError
from orca_bridge.write import format_document

from ._files import add_file_options, content_of, each, write_text
from ._output import Refusal, say

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
        raise Refusal("convert: -o takes one document")
    return each(options.files, lambda file: _convert(file, options))


def _convert(file: str, options: argparse.Namespace) -> int:
    if Path(file).suffix.lower() == ".md":
        raise Refusal(f"{file} is Markdown already; orca-bridge fmt brings it into canonical form")
    content, name = content_of(file, options.name)
    try:
        text = format_document(content, name).text
    except (DocumentError, WritingError) as error:
        raise Refusal(error, 1) from None
    if file == "-" and options.output is None:
        say(text.removesuffix("\n"))
    else:
        write_text(options.output or f"{file}.md", text, replace=options.force)
    return 0
