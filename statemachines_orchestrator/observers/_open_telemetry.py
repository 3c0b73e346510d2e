"""Steps as spans of OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.exceptions import MissingExtraError
from statemachines_orchestrator.system import StepEnded, StepStarted, record_to_mapping

from ._describe import event_of
from ._running import RunningSteps

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from opentelemetry.trace import Span, Tracer

    from statemachines_orchestrator.system import Inspection

__all__ = ("OpenTelemetryObserver",)

_PREFIX = "orchestrator."


class OpenTelemetryObserver:
    """
    Makes a span of each step.

    The span is named after the step's event, such as ``order.process``, and has an event for each thing that happened
    in it: moves, links, held and refused events, timers. A failed step has the status ``ERROR``. The span is the
    current one while the step runs: spans that callbacks start are its children, and so are steps of other
    orchestrators that callbacks call.

    Needs the extra ``statemachines-orchestrator[otel]``.

    Args:
        tracer: Who makes the spans; the tracer ``statemachines_orchestrator`` of the global provider if not given.
        attributes: What each span is to say besides, such as which of many orchestrators it is.

    Raises:
        MissingExtraError: OpenTelemetry is not installed.
    """

    def __init__(self, tracer: Tracer | None = None, *, attributes: Mapping[str, str] | None = None) -> None:
        self._trace, self._context = _import()
        self._tracer: Tracer = tracer or self._trace.get_tracer("statemachines_orchestrator")
        self._attributes = dict(attributes or {})
        self._running: RunningSteps[tuple[Span, Any]] = RunningSteps()

    def __call__(self, record: Inspection) -> None:
        """Take a record in."""
        if isinstance(record, StepStarted):
            self._start(record)
        elif isinstance(record, StepEnded):
            self._end(record)
        elif (found := self._running.find(record.step)) is not None and found[0].is_recording():
            found[0].add_event(record.kind, _attributes(record))

    def __repr__(self) -> str:
        return f"<OpenTelemetryObserver of {type(self._tracer).__name__}>"

    def _start(self, record: StepStarted) -> None:
        attributes = {**self._attributes, f"{_PREFIX}step": record.step, **_attributes(record)}
        span = self._tracer.start_span(event_of(record) or "step", attributes=attributes)
        token = self._context.attach(self._trace.set_span_in_context(span))
        self._running.begin(record.step, (span, token))

    def _end(self, record: StepEnded) -> None:
        found = self._running.end(record.step)
        if found is None:
            return
        (span, token), is_here = found
        if is_here:  # elsewhere there is nothing to detach, and OpenTelemetry would log an error
            self._context.detach(token)
        span.set_attribute(f"{_PREFIX}configuration", record.configuration)
        span.set_attribute(f"{_PREFIX}put_back", record.put_back)
        if record.error is not None:
            span.set_status(self._trace.StatusCode.ERROR, record.error)
        span.end()


def _attributes(record: Inspection) -> dict[str, Any]:
    """Return what a record says; None is no value in OpenTelemetry, so what is not there is left out."""
    values = record_to_mapping(record)
    return {f"{_PREFIX}{name}": value for name, value in values.items() if not (name in _SAID or value is None)}


_SAID = frozenset({"kind", "step"})
"""What the span and the name of its event say already."""


def _import() -> tuple[ModuleType, ModuleType]:
    try:
        from opentelemetry import context, trace  # noqa: PLC0415 - an extra: who does not use it does not load it
    except ImportError as error:
        raise MissingExtraError("OpenTelemetryObserver", "opentelemetry-api", "otel") from error
    return trace, context
