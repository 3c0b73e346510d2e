"""What a document may say and machines of this version do not do yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orca_bridge.definition import MachineDefinition, RegionDefinition, Span, StateDefinition

__all__ = ("CODE", "Unsupported", "unsupported")

CODE = "NOT_SUPPORTED_YET"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A construct that is read, but not run yet."""

    construct: str
    meanwhile: str
    """What to do until it is."""
    span: Span | None

    @property
    def message(self) -> str:
        """Say what the construct is worth."""
        return f"{self.construct} is read, but not run by this version of orca_bridge"

    @property
    def suggestion(self) -> str:
        """Say what to do."""
        return f"until then: {self.meanwhile}"


def unsupported(definition: MachineDefinition) -> Iterator[Unsupported]:
    """Find everything in a machine that cannot run yet, in document order of each kind."""
    for state in definition.states:
        yield from _state(state)
    for action in definition.actions:
        for effect in action.effects:
            yield Unsupported(f"the effect {effect!r}", "remove it and do the work in the action", action.span)


def _state(state: StateDefinition) -> Iterator[Unsupported]:
    if state.invoke is not None and state.invoke.shots is not None:
        yield Unsupported("the word 'shots'", "leave it out: the machine runs once", state.invoke.span or state.span)
    for child in state.children:
        yield from _state(child)
    for region in state.regions:
        yield from _region(region)


def _region(region: RegionDefinition) -> Iterator[Unsupported]:
    for state in region.states:
        yield from _state(state)
