"""
Several state machines that must work together.

Declared in one typed class, checked before they run, handed to every callback, put back when a step fails.
"""

from .declare import data, machine
from .exceptions import OrchestratorError
from .orchestrator import Orchestrator
from .system import EventCall, SystemConfiguration

__all__ = ("EventCall", "Orchestrator", "OrchestratorError", "SystemConfiguration", "data", "machine")
