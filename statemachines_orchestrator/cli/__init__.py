"""The command line: `statemachines-orchestrator`, or ``python -m statemachines_orchestrator``."""

from ._main import main

__all__ = ("main",)
