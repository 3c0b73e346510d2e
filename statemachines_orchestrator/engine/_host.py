"""What a member's engine asks of the system that holds the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from statemachine.event_data import TriggerData

    from ._member import MemberEngine

__all__ = ("Host",)


class Host(Protocol):
    """
    The system above an engine.

    The engine knows nothing of steps, threads or siblings. It tells its host of each event that reaches its
    machine from outside the machine's own macrostep, and the host decides when the engine runs.
    """

    @property
    def orchestrator(self) -> object:
        """The object that is handed to every callback that names it."""
        ...

    @property
    def system(self) -> object:
        """What all hosts have in common that take turns together."""
        ...

    @property
    def parameter(self) -> str:
        """The name under which callbacks ask for the orchestrator."""
        ...

    def deliver(self, engine: MemberEngine, trigger: TriggerData | None) -> Any:
        """
        Run `trigger` when its turn comes, or without one whatever waits in the engine's queues.

        Returns:
            What the caller of the event gets: its result, or an awaitable of it.
        """
        ...

    def in_running_step(self) -> bool:
        """Whether the calling thread or task belongs to a step of this system that is still running."""
        ...

    def delay(self, engine: MemberEngine, trigger: TriggerData, seconds: float) -> None:
        """Keep an event of `engine` and run it as a step of its own when the seconds are over."""
        ...

    def cancel_delayed(self, engine: MemberEngine, send_id: str) -> None:
        """Forget the delayed events with this id."""
        ...

    def take_delayed(self, engine: MemberEngine) -> list[tuple[TriggerData, float]]:
        """Give up all delayed events of `engine`, and say in how many seconds each is due."""
        ...

    def moved(
        self, engine: MemberEngine, trigger: TriggerData, left: tuple[str, ...], entered: tuple[str, ...]
    ) -> None:
        """Hear that the machine has taken a transition; only if something may follow from it, see `hears`."""
        ...

    def hears(self, engine: MemberEngine, trigger: TriggerData, entered: tuple[str, ...]) -> bool:
        """Whether anything may follow from what the machine does: it takes an event, and enters some states."""
        ...

    def hears_start(self, engine: MemberEngine, entered: tuple[str, ...]) -> bool:
        """Whether anything may follow from the machine entering its initial states."""
        ...

    def refused(self, engine: MemberEngine, trigger: TriggerData) -> None:
        """Hear that the machine has refused an event."""
        ...

    def refusal(self, engine: MemberEngine, trigger: TriggerData) -> Exception | None:
        """Return what forbids the event for reasons outside the machine, if anything does."""
        ...

    def take_over(self, engine: MemberEngine, trigger: TriggerData) -> bool:
        """Whether the host delivers an event that the machine sends itself, because others have to take part."""
        ...

    def undo(self, action: Callable[[], object]) -> None:
        """Have something done if the running step fails, if the caller belongs to one."""
        ...
