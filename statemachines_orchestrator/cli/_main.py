"""The command line."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from statemachines_orchestrator.draw import KINDS, MAPS, link_map, picture, sequence, svg
from statemachines_orchestrator.exceptions import OrchestratorError
from statemachines_orchestrator.observers import read_records

from ._describe import describe
from ._find import UnusableError, find
from ._links import links

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("main",)

_UNUSABLE = 2
"""Exit status for input that cannot be used, as argparse has it."""
_INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        arguments: What stands after the program's name; the process's own by default.

    Returns:
        The exit status: 0, or 2 if what is named cannot be found or used.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        _put(given.run(given), given.output)
    except (UnusableError, OrchestratorError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return _UNUSABLE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="statemachines-orchestrator",
        description="Look at orchestrators: several state machines that work together.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('statemachines-orchestrator')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    describing = commands.add_parser("describe", help="members, states, events and data of an orchestrator class")
    _takes_class(describing)
    describing.set_defaults(run=lambda given: describe(find(given.place)), output=None)

    drawing = commands.add_parser("draw", help="a picture of an orchestrator class")
    _takes_class(drawing)
    _takes_format(drawing, (*KINDS, "svg"), "mermaid")
    _takes_output(drawing)
    drawing.set_defaults(run=_draw)

    linking = commands.add_parser("links", help="what an orchestrator class declares between its machines")
    _takes_class(linking)
    _takes_format(linking, ("text", *MAPS), "text")
    _takes_output(linking)
    linking.set_defaults(run=_links)

    tracing = commands.add_parser("trace", help="what happened in a system, as a Mermaid sequence diagram")
    tracing.add_argument(
        "file", metavar="FILE.jsonl", help="what a JsonLinesObserver has written; - for standard input"
    )
    _takes_output(tracing)
    tracing.set_defaults(run=_trace)
    return parser


def _takes_class(command: argparse.ArgumentParser) -> None:
    command.add_argument("place", metavar="MODULE:CLASS", help="an importable class, such as shop:Shop")


def _takes_format(command: argparse.ArgumentParser, formats: Sequence[str], usual: str) -> None:
    command.add_argument(
        "--format", "-f", choices=formats, default=usual, help="%(choices)s; %(default)s by default", metavar="FORMAT"
    )


def _takes_output(command: argparse.ArgumentParser) -> None:
    command.add_argument("--output", "-o", metavar="FILE", help="write there, instead of to standard output")


def _draw(given: argparse.Namespace) -> str:
    declaration = find(given.place).__declaration__
    return svg(picture(declaration, "dot")) if given.format == "svg" else picture(declaration, given.format)


def _links(given: argparse.Namespace) -> str:
    declaration = find(given.place).__declaration__
    return links(declaration) if given.format == "text" else link_map(declaration, given.format)


def _trace(given: argparse.Namespace) -> str:
    try:
        return sequence(read_records(sys.stdin if given.file == "-" else given.file))
    except OSError as error:
        raise UnusableError(f"{given.file} cannot be read: {error.strerror}") from error


def _put(text: str, output: str | None) -> None:
    if output is None:
        encoding = sys.stdout.encoding or "utf-8"
        shown = text if text.endswith("\n") else f"{text}\n"
        sys.stdout.write(shown.encode(encoding, "replace").decode(encoding))  # a terminal may not know the arrow
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnusableError(f"{output} cannot be written: {error.strerror}") from error
