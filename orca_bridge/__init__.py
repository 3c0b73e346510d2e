"""Orca documents as state machines that run."""

from ._load import load, load_all, loads
from .convert import Actions, OrcaChart
from .exceptions import (
    ContextTypeError,
    ConversionError,
    DocumentError,
    DocumentFileError,
    EventlessLoopError,
    MissingActionError,
    OrcaError,
    UnknownMachineError,
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
    "OrcaChart",
    "OrcaError",
    "UnknownMachineError",
    "WritingError",
    "load",
    "load_all",
    "loads",
    "parse_document",
)
