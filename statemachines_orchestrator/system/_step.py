"""
One step: an event from outside and all it causes, until every machine is quiet.

A step remembers what each machine was before it moved it, so that the whole can be put back. Code belongs to a
step if the step's context variable says so and the step is still running; whether it is, is decided under the
step's mutex, so that a thread or task that comes late starts a step of its own and is never half inside.
"""

from __future__ import annotations

import threading
from collections import deque
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, MutableMapping

    from statemachines_orchestrator.engine import MemberEngine, Saved

    from ._calls import EventCall
    from ._joints import Joint
    from ._rest import Firing, JointMove, Membership, Move

__all__ = ("Step", "current_step")

_ABSENT = object()
_COLLECTIONS: dict[str, type] = {
    "deferred": list,
    "moves": list,
    "joints": deque,
    "firings": deque,
    "leaving": list,
    "unstarted": list,
    "_undo": list,
}
_mutex = threading.Lock()
"""Of all steps: nobody holds it for longer than it takes to count."""

current_step: ContextVar[Step | None] = ContextVar("current_step", default=None)
"""The step that the calling code was started in; it may have ended since."""


class Step:
    """The bookkeeping of one step."""

    # Defaults on the class, and lists that are made, all at once, when the first of them is needed: most need none.

    is_plain: bool = True
    """Whether nothing has happened but that machines were run: none of the lists has been asked for."""
    loop: asyncio.AbstractEventLoop | None = None
    about: tuple[str | None, str] | None = None
    """The member and its event, or the joint event, that the step is for, if somebody watches."""
    number: int = 0
    """Counts the steps of the system, if somebody watches."""
    cause: Firing | None = None
    """The link that has its effect."""
    running: bool = True
    failure: Exception | None = None
    """What the step fails with even if a callback has caught it."""
    deliveries: int = 0
    """How many links have had their effect."""
    deferred: list[EventCall]
    """Calls of asynchronous members that nobody has awaited yet."""
    moves: list[Move | JointMove | Membership]
    """What has happened since the last rest."""
    joints: deque[tuple[Joint, Firing | None]]
    """Joint events that wait until none of their machines is busy, each with the link that caused it."""
    firings: deque[Firing]
    """Links that have been triggered."""
    leaving: list[MemberEngine]
    """Machines that were taken out of the system."""
    unstarted: list[MemberEngine]
    """Machines that were added and have not entered their initial state."""
    _undo: list[Callable[[], object]]
    _active = 0
    _on_idle: Callable[[], object] | None = None

    def __init__(self, owner: object, outer: Step | None, *, atomic: bool) -> None:
        self.owner: object = owner
        self.outer: Step | None = outer
        """The step of another system in whose callback this one was started."""
        self.atomic: bool = atomic
        self._saved: dict[MemberEngine, Saved | None] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in _COLLECTIONS:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg)
        self.is_plain, own = False, self.__dict__
        for one, make in _COLLECTIONS.items():
            own.setdefault(one, make())  # threads of one step may come together here
        return own[name]

    def enter(self) -> bool:
        """Begin a call inside the step, unless the step has ended."""
        with _mutex:
            if self.running:
                self._active += 1
            return self.running

    def leave(self) -> None:
        """End a call inside the step."""
        with _mutex:
            self._active -= 1
            on_idle = self._on_idle if not self._active else None
            if on_idle is not None:
                self._on_idle = None
        if on_idle is not None:
            on_idle()

    @property
    def is_idle(self) -> bool:
        """Whether no other thread or task is in the middle of a call inside the step."""
        return not self._active

    def rest(self, on_idle: Callable[[], object] | None = None) -> bool:
        """
        Look whether the step is idle.

        Args:
            on_idle: Called when the last call inside the step has ended, if it is not.
        """
        with _mutex:
            if self._active:
                self._on_idle = on_idle
            return not self._active

    def close(self, on_idle: Callable[[], object] | None = None) -> bool:
        """
        End the step, unless another thread or task is in the middle of a call inside it.

        Args:
            on_idle: Called when the last such call has ended; the step then has to be closed again.

        Returns:
            Whether the step has ended.
        """
        with _mutex:
            if self._active:
                self._on_idle = on_idle
                return False
            self.running = False
            return True

    def touch(self, engine: MemberEngine) -> Saved | None:
        """Remember what the machine is, before the step moves it for the first time; None afterwards."""
        if engine in self._saved:
            return None
        saved = engine.save() if self.atomic else None
        self._saved.setdefault(engine, saved)  # threads of one step may come together here
        return saved

    def touch_data(self, values: MutableMapping[str, Any], name: str) -> None:
        """Remember a declared datum, before the step binds another value to it."""
        self.undo(partial(_bind, values, name, values.get(name, _ABSENT)))

    def undo(self, action: Callable[[], object]) -> None:
        """
        Have something done if the step fails, when the machines have been put back; what was done last is undone first.

        To be called before what it undoes is done, so that an interruption between the two does no harm.
        """
        if self.atomic:
            self._undo.append(action)

    @property
    def touched(self) -> tuple[MemberEngine, ...]:
        """The engines of the machines that the step has run, in the order of their first macrostep."""
        return tuple(self._saved)

    def next_with_work(self) -> MemberEngine | None:
        """Return a machine in whose queue an event was left, by an exception that a callback caught."""
        for engine in tuple(self._saved):
            # The queues first, without a call: nearly always they are empty.
            queued = engine.external_queue.queue.queue or engine.internal_queue.queue.queue
            if queued and engine.has_work and not engine.is_busy:
                return engine
        return None

    def next_unstarted(self) -> MemberEngine | None:
        """Return a member that was added and has not entered its initial state."""
        while self.unstarted:
            engine = self.unstarted.pop(0)
            if engine.is_held and engine not in self.leaving:
                return engine
        return None

    def forget_moves(self, engine: MemberEngine, since: int) -> None:
        """Forget what a machine has done that was put back alone, from the so manieth move on."""
        self.moves[since:] = [move for move in self.moves[since:] if getattr(move, "engine", None) is not engine]

    def forget(self) -> None:
        """Let go of what is needed no longer: tasks that were started in the step keep it alive."""
        self._saved.clear()
        if not self.is_plain:
            for one in (self.deferred, self.moves, self.joints, self.firings, self.leaving, self.unstarted, self._undo):
                one.clear()

    def put_back(self, error: BaseException) -> None:
        """Undo the step, last touched first; what cannot be undone is noted on the error, and the rest is undone."""
        if self.atomic:
            self.leaving.clear()
        for engine, saved in reversed(self._saved.items()):
            if saved is None:
                engine.drop_queued()  # not atomic: what it has moved stays, what it wanted to do next is dropped
                continue
            try:
                engine.put_back(saved)
            except Exception as problem:  # noqa: BLE001 - a setter or a hook of the user's
                error.add_note(f"{engine.address} could not be put back as it was: {problem!r}")
        for action in reversed(self._undo):
            try:
                action()
            except Exception as problem:  # noqa: BLE001 - the rest is undone all the same
                error.add_note(f"something could not be undone: {problem!r}")


def _bind(values: MutableMapping[str, Any], name: str, value: Any) -> None:
    if value is _ABSENT:
        values.pop(name, None)
    else:
        values[name] = value
