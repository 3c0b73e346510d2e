"""Definitions as classes of python-statemachine."""

from ._actions import Actions
from ._build import machine_class
from ._check import all_states, check, describe_row
from ._effects import Effect, EffectResult, EffectStatus, effect_names
from ._guards import compile_guard, walk
from ._handlers import find_handler
from ._machine import RESERVED, OrcaChart
from ._names import is_ordinary
from ._plan import Plan, first_child, plan_of
from ._rows import Node, Row, inside
from ._siblings import invokes_of, reachable, roots
from ._system import OrcaSystem, field_names, system_class
from ._tables import Table, snake_case

__all__ = (
    "RESERVED",
    "Actions",
    "Effect",
    "EffectResult",
    "EffectStatus",
    "Node",
    "OrcaChart",
    "OrcaSystem",
    "Plan",
    "Row",
    "Table",
    "all_states",
    "check",
    "compile_guard",
    "describe_row",
    "effect_names",
    "field_names",
    "find_handler",
    "first_child",
    "inside",
    "invokes_of",
    "is_ordinary",
    "machine_class",
    "plan_of",
    "reachable",
    "roots",
    "snake_case",
    "system_class",
    "walk",
)
