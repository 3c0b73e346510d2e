"""``orca-bridge convert``: brace text, JSON and SCXML to Markdown, as a new file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._files import add_file_options, each, write_text
from ._output import Refusal, say
from ._sources import SYNTAXES, markdown_from

if TYPE_CHECKING:
    import argparse

__all__ = ("add_to",)

_ENDINGS = {"brace": "", "json": ".json", "scxml": ".scxml"}


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "convert", help="write brace text, JSON or SCXML as Markdown, into a new file beside it"
    )
    add_file_options(parser)
    parser.add_argument("--from", dest="syntax", choices=SYNTAXES, help="the form it is in (default: by the name)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write there, for one document")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert every file; the worst status wins."""
    if options.output is not None and len(options.files) > 1:
        raise Refusal("convert: -o takes one document")
    return each(options.files, lambda file: _convert(file, options))


def _convert(file: str, options: argparse.Namespace) -> int:
    if options.syntax in (None, "markdown") and Path(file).suffix.lower() == ".md":
        raise Refusal(f"{file} is Markdown already; orca-bridge fmt brings it into canonical form")
    text, form = markdown_from(file, options.name, options.syntax)
    if file == "-" and options.output is None:
        say(text.removesuffix("\n"))
    else:
        write_text(options.output or _beside(file, form), text, replace=options.force)
    return 0


def _beside(file: str, form: str) -> str:
    """Name the new file: ``door.orca.md`` beside ``door.orca``, and beside ``door.orca.json`` and ``door.json`` too."""
    stem = file.removesuffix(_ENDINGS.get(form, ""))
    return f"{stem}.md" if stem.endswith(".orca") else f"{stem}.orca.md"
