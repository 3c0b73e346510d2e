"""
Quick constructors of the frozen records that reading makes for every line of a document.

A frozen dataclass sets each field by a call of `object.__setattr__`, which would be most of what a plain row costs.
Here a record is filled in as an ordinary twin with the same slots, and is then given its real class; nothing
tells it from one that was made by the class itself.
"""

from __future__ import annotations

from dataclasses import field, fields, make_dataclass
from typing import TypeVar, cast

from orca_bridge.definition import (
    ActionDefinition,
    Comparison,
    ContextField,
    EffectDefinition,
    EventDefinition,
    GuardDefinition,
    GuardName,
    NullTest,
    Outcome,
    Parameter,
    Path,
    Span,
    StateDefinition,
    TimeoutDefinition,
    TransitionDefinition,
    Value,
)

Record = TypeVar("Record")


def quick(record: type[Record]) -> type[Record]:
    """Give a class that is called as `record` is, costs a third, and makes instances of `record`."""

    def become(self: object) -> None:
        self.__class__ = record

    twin = make_dataclass(
        record.__name__,
        [(one.name, object, field(default=one.default)) for one in fields(record)],  # type: ignore[arg-type]
        namespace={"__post_init__": become},
        eq=False,
        repr=False,
        slots=True,
    )
    return cast("type[Record]", twin)


make_action = quick(ActionDefinition)
make_comparison = quick(Comparison)
make_effect = quick(EffectDefinition)
make_event = quick(EventDefinition)
make_field = quick(ContextField)
make_guard = quick(GuardDefinition)
make_guard_name = quick(GuardName)
make_null_test = quick(NullTest)
make_outcome = quick(Outcome)
make_parameter = quick(Parameter)
make_path = quick(Path)
make_span = quick(Span)
make_state = quick(StateDefinition)
make_timeout = quick(TimeoutDefinition)
make_transition = quick(TransitionDefinition)
make_value = quick(Value)
