"""
Several state machines that must work together.

Declared in one typed class, checked before they run, handed to every callback, put back when a step fails.
"""

from .declare import In, Members, at, data, done, each, every, guard, machine, machines, none, some, together, when
from .engine import accelerate
from .exceptions import OrchestratorError
from .orchestrator import Orchestrator
from .system import Clock, EventCall, Occurrence, SystemConfiguration

__all__ = (
    "Clock",
    "EventCall",
    "In",
    "Members",
    "Occurrence",
    "Orchestrator",
    "OrchestratorError",
    "SystemConfiguration",
    "accelerate",
    "at",
    "data",
    "done",
    "each",
    "every",
    "guard",
    "machine",
    "machines",
    "none",
    "some",
    "together",
    "when",
)
