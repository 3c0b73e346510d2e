"""The class keywords: ``class Shop(Orchestrator, atomic=False)``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.exceptions import DefinitionError, ReservedNameError

from ._names import refused_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ("Keywords",)


@dataclass(frozen=True, slots=True)
class Keywords:
    """What a class says in its first line, or inherits."""

    orchestrator_name: str = "orc"
    """The name under which callbacks ask for the orchestrator."""
    atomic: bool = True
    """Whether a failing step is put back."""
    max_deliveries: int = 1000
    """How many events one step may deliver."""
    version: str = "1"
    """The version of the definition, for snapshots."""

    @classmethod
    def read(
        cls, owner: str, bases: Sequence[Keywords], given: Mapping[str, Any], problems: list[DefinitionError]
    ) -> Keywords:
        """Check what a class says, and take the rest from its nearest base."""
        settings = bases[0] if bases else cls()
        for one in fields(cls):
            value = given.get(one.name)
            if value is None:
                continue
            problem = _problem(owner, one.name, value)
            if problem is None:
                settings = replace(settings, **{one.name: value})
            else:
                problems.append(problem)
        return settings

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all keywords."""
        return tuple(one.name for one in fields(cls))


def _problem(owner: str, name: str, value: Any) -> DefinitionError | None:
    if name == "orchestrator_name":
        refused = refused_parameter(value)
        if refused is None:
            return None
        return ReservedNameError(owner, refused, "Choose another; the usual one is 'orc'")
    if name == "atomic" and not isinstance(value, bool):
        what = f"atomic={value!r} is neither True nor False"
        return DefinitionError(owner, what, "Write atomic=False to keep what a failed step did")
    if name == "max_deliveries" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        what = f"max_deliveries={value!r} is no number of events"
        return DefinitionError(owner, what, "Write how many events one step may deliver, such as max_deliveries=1000")
    if name == "version" and (not isinstance(value, str) or not value):
        return DefinitionError(owner, f"version={value!r} is no text", "Write a version such as version='2'")
    return None
