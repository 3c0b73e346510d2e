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
from typing import TYPE_CHECKING, Any, NoReturn

from . import _actions, _bridge, _check, _convert, _explain, _export, _fmt, _parse, _run, _show, _table
from ._output import WRONG_USAGE, Refusal, complain, meant, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("main",)

_MODULES = (_check, _show, _fmt, _convert, _parse, _export, _actions, _table, _run, _bridge, _explain)
_NOT_YET = "verify"
_OLDER = {"/compile-orca": "compile", "/parse-machine": "parse", "/verify-orca": "verify", "--stdin": "-"}
"""Words that orca-lang takes."""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        argv: The arguments, without the program's name; those of the process by default.

    Returns:
        The exit status.
    """
    arguments = [_OLDER.get(word, word) for word in (sys.argv[1:] if argv is None else argv)]
    debug, as_json = "--debug" in arguments, "--json" in arguments
    arguments = [word for word in arguments if word != "--debug"]
    try:
        return _run_verb(arguments, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - whatever it is, one line says so, and the traceback is asked for
        if debug:
            traceback.print_exc()
        text = f"internal error: {type(error).__name__}: {error}" + ("" if debug else " (--debug shows where)")
        refuse(text, as_json=as_json)
        return 3


def _run_verb(arguments: list[str], *, as_json: bool) -> int:
    try:
        options = _options(arguments)
        status: int = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except SystemExit as stop:  # --help and --version
        return stop.code if isinstance(stop.code, int) else WRONG_USAGE
    except Refusal as refusal:
        refuse(refusal, as_json=as_json)
        return refusal.status
    except KeyboardInterrupt:
        if sys.stderr is not None and sys.stderr.isatty():
            # Behind the ^C that the terminal shows.
            sys.stderr.write("\n")
        complain("interrupted")
        return 130
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        complain(f"the result cannot be written: {error.strerror or error}")
        return WRONG_USAGE
    return status


def _drop_output() -> None:
    """Send standard output nowhere: what is still buffered must not fail once more at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _options(arguments: list[str]) -> argparse.Namespace:
    """Read the arguments; options may stand anywhere, before the verb and between files too."""
    parser = _Parser(prog="orca-bridge", description="Orca documents as state machines.")
    parser.add_argument("--debug", action="store_true", help="show where an error of this program comes from")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('statemachines-orchestrator')}")
    verbs: Any = parser.add_subparsers(metavar="VERB", required=True)
    for module in _MODULES:
        module.add_to(verbs)
    known = [*verbs.choices, _NOT_YET]
    verb = next((word for word in arguments if word in known), None)
    if verb is None:
        named = next((word for word in arguments if not word.startswith("-")), None)
        if named is not None:
            raise Refusal(f"there is no verb {named!r}{meant(named, known)}; there are: {', '.join(verbs.choices)}")
        if not arguments:
            raise Refusal(f"a verb is missing\n\n{parser.format_help()}")
        return parser.parse_args(arguments)
    if verb == _NOT_YET:
        raise Refusal(f"{verb} is not there yet; 'orca-bridge check' tells what is wrong with the text of a document")
    arguments.remove(verb)
    chosen: argparse.ArgumentParser = verbs.choices[verb]
    return chosen.parse_intermixed_args(arguments)


class _Parser(argparse.ArgumentParser):
    """One that does not end the process: who asked for JSON gets JSON."""

    def error(self, message: str) -> NoReturn:
        raise Refusal(f"{message}\n{self.format_usage().rstrip()}")
