"""Orca documents as state machines that run."""

from ._load import load, load_all, load_table, loads, loads_table
from ._orchestrators import load_orchestrator, loads_orchestrator
from .convert import Actions, Effect, EffectResult, EffectStatus, OrcaChart, OrcaSystem, Table
from .exceptions import (
    ContextFieldsError,
    ContextTypeError,
    ConversionError,
    DocumentError,
    DocumentFileError,
    EventlessLoopError,
    InvocationError,
    MissingActionError,
    NoMatchingRuleError,
    OrcaError,
    UnknownMachineError,
    UnknownTableError,
    WritingError,
)
from .syntax import parse_document

__all__ = (
    "Actions",
    "ContextFieldsError",
    "ContextTypeError",
    "ConversionError",
    "DocumentError",
    "DocumentFileError",
    "Effect",
    "EffectResult",
    "EffectStatus",
    "EventlessLoopError",
    "InvocationError",
    "MissingActionError",
    "NoMatchingRuleError",
    "OrcaChart",
    "OrcaError",
    "OrcaSystem",
    "Table",
    "UnknownMachineError",
    "UnknownTableError",
    "WritingError",
    "load",
    "load_all",
    "load_orchestrator",
    "load_table",
    "loads",
    "loads_orchestrator",
    "loads_table",
    "parse_document",
)
