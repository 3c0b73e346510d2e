"""Handlers of effects apart from a bus, and the requests and responses that the published runtime names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar

from orca_bridge.convert._effects import result_of

from .types import Effect, EffectResult, EffectStatus

if TYPE_CHECKING:
    from .bus import EffectHandler

__all__ = (
    "EffectRegistry",
    "EffectType",
    "LoadRequest",
    "LoadResponse",
    "MoveRequest",
    "MoveResponse",
    "NarrativeRequest",
    "NarrativeResponse",
    "SaveRequest",
    "SaveResponse",
    "default_effect_handler",
    "default_narrative_handler",
    "effect_handler",
    "get_effect_registry",
    "register_effect_handlers",
    "reset_effect_registry",
)

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass
class EffectType:
    """A kind of effect and what runs it."""

    name: str
    handler: EffectHandler

    async def execute(self, payload: dict[str, Any]) -> EffectResult:
        """
        Run an effect of this kind.

        Raises:
            Exception: Whatever the handler raises; a registry turns it into a failure.
        """
        effect = Effect(self.name, payload)
        found = self.handler(effect)
        answer = await found if isawaitable(found) else found
        return await result_of(lambda _effect: answer, effect)


class EffectRegistry:
    """Handlers of effects by type."""

    def __init__(self) -> None:
        self._handlers: dict[str, EffectHandler] = {}

    def __repr__(self) -> str:
        return f"EffectRegistry({len(self._handlers)} handlers)"

    @property
    def effect_types(self) -> list[str]:
        """The types that have a handler."""
        return list(self._handlers)

    def register(self, effect_type: str, handler: EffectHandler) -> None:
        """Let a handler, synchronous or not, run the effects of a type."""
        self._handlers[effect_type] = handler

    def get_handler(self, effect_type: str) -> EffectHandler | None:
        """Give the handler of a type, or None."""
        return self._handlers.get(effect_type)

    def has_handler(self, effect_type: str) -> bool:
        """Tell whether a type has a handler."""
        return effect_type in self._handlers

    async def execute(self, effect: Effect) -> EffectResult:
        """Run an effect; without a handler, or if it raises, the result is a failure."""
        handler = self._handlers.get(effect.type)
        if handler is None:
            return EffectResult(EffectStatus.FAILURE, error=f"No handler registered for effect type: {effect.type}")
        return await result_of(handler, effect)


# -- what games say ----------------------------------------------------------------------------------------


@dataclass
class NarrativeRequest:
    """Asks what happens, as prose."""

    action: str
    context: dict[str, Any]
    event: dict[str, Any] | None = None


@dataclass
class NarrativeResponse:
    """Tells it."""

    narrative: str
    new_location: str | None = None


@dataclass
class MoveRequest:
    """Asks to go somewhere."""

    direction: str
    context: dict[str, Any]


@dataclass
class MoveResponse:
    """Tells where that led."""

    new_location: str
    description: str
    visited: bool = False


@dataclass
class SaveRequest:
    """Asks to keep a session."""

    session_id: str


@dataclass
class SaveResponse:
    """Tells whether it was kept, and when."""

    saved: bool
    timestamp: int


@dataclass
class LoadRequest:
    """Asks for a session that was kept."""

    session_id: str


@dataclass
class LoadResponse:
    """Gives it back."""

    loaded: bool
    context: dict[str, Any]


async def default_narrative_handler(effect: Effect) -> EffectResult:
    """Stand in for a teller of stories: succeed with a sentence that names the action."""
    told = NarrativeResponse(f"Something comes of it. (action: {effect.payload.get('action', 'unknown')})")
    data = {"narrative": told.narrative, "new_location": told.new_location}
    return EffectResult(EffectStatus.SUCCESS, data=data)


async def default_effect_handler(effect: Effect) -> EffectResult:  # noqa: ARG001 - it does nothing
    """Stand in for any effect: succeed without data."""
    return EffectResult(EffectStatus.SUCCESS)


# -- the registry of this process --------------------------------------------------------------------------

_DEFAULTS: Mapping[str, EffectHandler] = {
    "NarrativeRequest": default_narrative_handler,
    "Effect": default_effect_handler,
}
_shared: list[EffectRegistry] = []


def get_effect_registry() -> EffectRegistry:
    """Give the registry of this process; a new one begins with the default handlers."""
    if not _shared:
        registry = EffectRegistry()
        register_effect_handlers(registry, dict(_DEFAULTS))
        _shared.append(registry)
    return _shared[0]


def reset_effect_registry() -> None:
    """Forget the registry of this process. For tests."""
    _shared.clear()


def register_effect_handlers(registry: EffectRegistry, handlers: dict[str, EffectHandler] | None = None) -> None:
    """Register several handlers at once, by type."""
    for effect_type, handler in (handlers or {}).items():
        registry.register(effect_type, handler)


def effect_handler(effect_type: str) -> Callable[[_F], _F]:
    """Let the decorated function run the effects of a type, in the registry of this process."""

    def register(handler: _F) -> _F:
        vars(handler)["_effect_type"] = effect_type
        get_effect_registry().register(effect_type, handler)
        return handler

    return register
