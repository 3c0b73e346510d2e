"""A machine's callbacks, and who has to hear when there are more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from statemachine.callbacks import CallbacksRegistry

if TYPE_CHECKING:
    from statemachine.callbacks import CallbacksExecutor

    from ._planned import PlannedEngine

__all__ = ("WatchedRegistry",)


class WatchedRegistry(CallbacksRegistry):
    """
    python-statemachine's registry; it tells its machine's engine when callbacks are added.

    Only what adds callbacks takes an executor out of the registry by its key.
    """

    _engine: ref[PlannedEngine]

    @classmethod
    def watch(cls, engine: PlannedEngine) -> None:
        """Let an engine hear of new callbacks of its machine."""
        registry: Any = engine.sm._callbacks
        registry.__class__ = cls
        registry._engine = ref(engine)

    def __getitem__(self, key: str) -> CallbacksExecutor:
        engine = self._engine()
        if engine is not None:
            engine.forget_programs()
        return super().__getitem__(key)
