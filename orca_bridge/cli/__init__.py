"""
The command ``orca-bridge`` (exports.md section 9).

Exit status: 0 done, 1 the document has errors, 2 wrong usage or a file that cannot be read, 3 an error of this
program, 130 after Ctrl-C.
Results go to standard output, messages to standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from importlib.metadata import version
from typing import TYPE_CHECKING

from . import _actions, _bridge, _check, _convert, _export, _fmt, _parse, _run, _show, _table
from ._output import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("main",)

_VERBS = (
    "check",
    "show",
    "fmt",
    "export",
    "compile",
    "visualize",
    "table",
    "actions",
    "run",
    "parse",
    "convert",
    "describe",
)
_NOT_YET = (
    "verify",
    "explain",
    "codes",
)

_OLDER = {"/compile-orca": "compile", "/parse-machine": "parse", "/verify-orca": "verify"}
"""Spellings of verbs that orca-lang takes."""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        argv: The arguments, without the program's name; those of the process by default.

    Returns:
        The exit status.
    """
    arguments = [_OLDER.get(word, word) for word in (sys.argv[1:] if argv is None else argv)]
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"]
    verb = next((word for word in arguments if word in (*_VERBS, *_NOT_YET)), None)
    if verb in _NOT_YET:
        complain(f"{verb}: not there yet; this version has {', '.join(_VERBS)}")
        return 2
    if verb is not None:
        # Options may stand anywhere, before the verb too.
        arguments.remove(verb)
        arguments.insert(0, verb)
    try:
        return _dispatch(arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, one line says so, and the traceback is asked for
        if debug:
            traceback.print_exc()
        complain(f"internal error: {type(error).__name__}: {error}" + ("" if debug else " (--debug shows where)"))
        return 3


def _dispatch(arguments: Sequence[str]) -> int:
    try:
        options = _parser().parse_args(arguments)
        status: int = options.run(options)
        sys.stdout.flush()
    except SystemExit as stop:  # argparse has written its message
        return stop.code if isinstance(stop.code, int) else 2
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        complain(f"the result cannot be written: {error.strerror or error}")
        return 2
    return status


def _drop_output() -> None:
    """Send standard output nowhere: what is still buffered must not fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orca-bridge",
        description="Orca documents as state machines.",
        epilog=f"Not there yet: {', '.join(_NOT_YET)}.",
    )
    parser.add_argument("--debug", action="store_true", help="show where an error of this program comes from")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('statemachines-orchestrator')}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _check.add_to(verbs)
    _show.add_to(verbs)
    _fmt.add_to(verbs)
    _export.add_to(verbs)
    _table.add_to(verbs)
    _actions.add_to(verbs)
    _run.add_to(verbs)
    _parse.add_to(verbs)
    _convert.add_to(verbs)
    _bridge.add_to(verbs)
    return parser
