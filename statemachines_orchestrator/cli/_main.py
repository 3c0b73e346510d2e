"""The command line."""

from __future__ import annotations

import argparse
import importlib
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from statemachines_orchestrator.declare import nearest
from statemachines_orchestrator.exceptions import OrchestratorError
from statemachines_orchestrator.orchestrator import Orchestrator

from ._describe import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("main",)

_UNUSABLE = 2
"""Exit status for input that cannot be used, as argparse has it."""
_INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


class _UnusableError(Exception):
    """Raised when the command line names something that is not there."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        arguments: What stands after the program's name; the process's own by default.

    Returns:
        The exit status: 0, or 2 if the class cannot be found or is declared wrongly.
    """
    parser = argparse.ArgumentParser(
        prog="statemachines-orchestrator",
        description="Look at orchestrators: several state machines that work together.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('statemachines-orchestrator')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    describing = commands.add_parser("describe", help="members, states, events and data of an orchestrator class")
    describing.add_argument("place", metavar="MODULE:CLASS", help="an importable class, such as shop:Shop")
    given = parser.parse_args(arguments)
    try:
        print(describe(_find(given.place)))  # noqa: T201 - a command line prints
    except (_UnusableError, OrchestratorError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)  # noqa: T201
        return _UNUSABLE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED
    return 0


def _find(place: str) -> type[Orchestrator]:
    module_name, _, name = place.partition(":")
    if not module_name or not name:
        msg = f"{place!r} names no class: write MODULE:CLASS, such as shop:Shop"
        raise _UnusableError(msg)
    found = getattr(_imported(module_name), name, None)
    if isinstance(found, type) and issubclass(found, Orchestrator) and "__declaration__" in vars(found):
        return found
    known = [
        key
        for key, value in vars(sys.modules[module_name]).items()
        if isinstance(value, type) and issubclass(value, Orchestrator) and value is not Orchestrator
    ]
    close = nearest(name, known)
    hint = f" Did you mean {module_name}:{close}?" if close else f" It has: {', '.join(known) or 'none'}."
    msg = f"{module_name} has no orchestrator class {name!r}.{hint}"
    raise _UnusableError(msg)


def _imported(module_name: str) -> object:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # a console script does not look in the directory it is called in; python -m does
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        msg = f"there is no module {error.name!r} here or among the installed packages"
        raise _UnusableError(msg) from error
