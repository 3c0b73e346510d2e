"""Definitions as classes of python-statemachine."""

from ._actions import Actions
from ._build import machine_class
from ._check import all_states
from ._guards import compile_guard
from ._machine import OrcaChart
from ._unsupported import CODE, Unsupported, unsupported

__all__ = (
    "CODE",
    "Actions",
    "OrcaChart",
    "Unsupported",
    "all_states",
    "compile_guard",
    "machine_class",
    "unsupported",
)
