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
)

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
    "load",
    "load_all",
    "loads",
)
