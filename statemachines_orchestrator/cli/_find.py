"""From the text on a command line to the class that it names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from statemachines_orchestrator.declare import nearest
from statemachines_orchestrator.orchestrator import Orchestrator

__all__ = ("UnusableError", "find")


class UnusableError(Exception):
    """Raised when the command line names something that is not there."""


def find(place: str) -> type[Orchestrator]:
    """
    Return the orchestrator class that ``MODULE:CLASS`` names; the module may lie in the current directory.

    Raises:
        UnusableError: There is no such module, or no such class in it.
    """
    module_name, _, name = place.partition(":")
    if not module_name or not name:
        msg = f"{place!r} names no class: write MODULE:CLASS, such as shop:Shop"
        raise UnusableError(msg)
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
    raise UnusableError(msg)


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
        raise UnusableError(msg) from error
