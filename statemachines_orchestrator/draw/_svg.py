"""
SVG, by Graphviz: its program ``dot`` if it is installed, or a port of it that comes as a Python package.

The only place of this layer that reaches outside of the process.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig

from statemachines_orchestrator.exceptions import DrawingError, MissingExtraError

__all__ = ("svg",)

_PROGRAMS = ("dot", "graphviz-pure")
"""The same language and the same options; the second one comes with the extra."""
_PATIENCE = 60.0
"""Seconds; a system of a thousand machines takes about ten."""


def svg(source: str, *, patience: float = _PATIENCE) -> str:
    """
    Turn DOT into SVG.

    Args:
        source: A picture in DOT.
        patience: How many seconds the program may take.

    Raises:
        MissingExtraError: Neither Graphviz nor the extra ``svg`` is installed.
        DrawingError: The program failed, or took too long.
    """
    program = _program()
    try:
        run = subprocess.run(  # noqa: S603 - a program by its full path, and no shell
            [program, "-Tsvg"], input=source.encode(), capture_output=True, check=False, timeout=patience
        )
    except subprocess.TimeoutExpired:
        raise DrawingError(program, f"it was not ready after {patience:g} seconds") from None
    except OSError as error:
        raise DrawingError(program, str(error)) from error
    if run.returncode or not run.stdout:
        raise DrawingError(program, run.stderr.decode(errors="replace").strip() or f"it ended with {run.returncode}")
    return run.stdout.decode()


def _program() -> str:
    for name in _PROGRAMS:
        found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
        if found is not None:
            return found
    raise MissingExtraError("drawing SVG without Graphviz's program dot", "graphviz-pure", "svg")
