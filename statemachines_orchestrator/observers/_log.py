"""Records as lines of a log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.system import StepEnded

from ._describe import describe

if TYPE_CHECKING:
    from statemachines_orchestrator.system import Inspection

__all__ = ("LogObserver",)


class LogObserver:
    """
    Logs each record in one line, and a failed step as a warning.

    The text is made when a handler asks for it. Handlers and filters find the record itself as the attribute
    ``inspection`` of the log record.

    Args:
        logger: Where to; ``statemachines_orchestrator.steps`` if not given. A ``logging.LoggerAdapter`` can say which
            of many orchestrators it is.
        level: At which level. Failed steps have at least ``WARNING``.
    """

    def __init__(
        self, logger: logging.Logger | logging.LoggerAdapter[Any] | None = None, level: int = logging.INFO
    ) -> None:
        self._logger = logging.getLogger("statemachines_orchestrator.steps") if logger is None else logger
        self._level = level

    def __call__(self, record: Inspection) -> None:
        """Log a record."""
        failed = isinstance(record, StepEnded) and record.error is not None
        level = max(self._level, logging.WARNING) if failed else self._level
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", _Line(record), extra={"inspection": record})

    def __repr__(self) -> str:
        name = getattr(self._logger, "name", type(self._logger).__name__)
        return f"<LogObserver {name} at {logging.getLevelName(self._level)}>"


class _Line:
    """A record that is put into words when somebody reads it."""

    __slots__ = ("_record",)

    def __init__(self, record: Inspection) -> None:
        self._record = record

    def __str__(self) -> str:
        return describe(self._record)
