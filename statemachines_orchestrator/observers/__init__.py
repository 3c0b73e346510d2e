"""
Ready observers for `inspect`: logging, JSON Lines, a list of steps for tests, OpenTelemetry.

An observer is any callable that takes one record. Where two orchestrators may be in the middle of a step at the same
time, give each an observer of its own: records say the number of their step, and each orchestrator counts from 1.
"""

from ._describe import describe
from ._json_lines import JsonLinesObserver, UnfinishedLineWarning, read_records
from ._log import LogObserver
from ._open_telemetry import OpenTelemetryObserver
from ._step_list import ObservedStep, StepList

__all__ = (
    "JsonLinesObserver",
    "LogObserver",
    "ObservedStep",
    "OpenTelemetryObserver",
    "StepList",
    "UnfinishedLineWarning",
    "describe",
    "read_records",
)
