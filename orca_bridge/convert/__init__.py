"""Definitions as classes of python-statemachine."""

from ._actions import Actions
from ._build import machine_class
from ._check import all_states, check, describe_row
from ._guards import compile_guard, walk
from ._machine import RESERVED, OrcaChart
from ._plan import Plan, first_child, plan_of
from ._rows import Node, Row, inside
from ._siblings import invokes_of, reachable, roots
from ._system import OrcaSystem, field_names, system_class
from ._tables import Table, snake_case
from ._unsupported import CODE, Unsupported, unsupported

__all__ = (
    "CODE",
    "RESERVED",
    "Actions",
    "Node",
    "OrcaChart",
    "OrcaSystem",
    "Plan",
    "Row",
    "Table",
    "Unsupported",
    "all_states",
    "check",
    "compile_guard",
    "describe_row",
    "field_names",
    "first_child",
    "inside",
    "invokes_of",
    "machine_class",
    "plan_of",
    "reachable",
    "roots",
    "snake_case",
    "system_class",
    "unsupported",
    "walk",
)
