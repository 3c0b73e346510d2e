"""Definitions as classes of python-statemachine."""

from ._actions import Actions
from ._build import machine_class
from ._check import all_states
from ._guards import compile_guard
from ._machine import OrcaChart
from ._tables import Table, snake_case
from ._unsupported import CODE, Unsupported, unsupported

__all__ = (
    "CODE",
    "Actions",
    "OrcaChart",
    "Table",
    "Unsupported",
    "all_states",
    "compile_guard",
    "machine_class",
    "snake_case",
    "unsupported",
)
