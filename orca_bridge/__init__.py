"""Orca documents as state machines that run."""

from ._load import load, load_all, load_table, loads, loads_table
from .convert import Actions, OrcaChart, Table
from .exceptions import (
    ContextTypeError,
    ConversionError,
    DocumentError,
    DocumentFileError,
    EventlessLoopError,
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
    "ContextTypeError",
    "ConversionError",
    "DocumentError",
    "DocumentFileError",
    "EventlessLoopError",
    "MissingActionError",
    "NoMatchingRuleError",
    "OrcaChart",
    "OrcaError",
    "Table",
    "UnknownMachineError",
    "UnknownTableError",
    "WritingError",
    "load",
    "load_all",
    "load_table",
    "loads",
    "loads_table",
    "parse_document",
)
