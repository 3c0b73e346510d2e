"""
One orchestrator as a part of another: from then on both are one system, with the outer one's driver.

An orchestrator that is made as a part of another one gets the outer driver from the beginning. One that exists already
brings along what waits in its own driver, and has it back if the outer one cannot be made.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.exceptions import EndlessNestingError, MachineInUseError

from ._rest import DelayedLink
from ._shared import DelayedEvent
from ._timers import Timer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from statemachines_orchestrator.declare import SystemField

    from ._driver import Driver
    from ._scope import Scope

__all__ = ("Former", "apart", "join", "make_system", "outer_driver", "trouble_with")

_DEEPEST = 30
"""How many orchestrators may be made inside each other."""


# -- making ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Nesting:
    """A part that is being made in this context."""

    where: str
    driver: Driver
    expected: tuple[type, ...]
    outer: _Nesting | None
    made: Any = None

    def chain(self) -> list[str]:
        """Return the fields for which orchestrators are being made, the outermost first."""
        return [*(self.outer.chain() if self.outer is not None else ()), self.where]


_nesting: ContextVar[_Nesting | None] = ContextVar("_nesting", default=None)


def outer_driver(orchestrator: object) -> Driver | None:
    """Return the driver of the system in which an orchestrator is being made; None for one that stands alone."""
    nesting = _nesting.get()
    if nesting is None or nesting.made is not None or not isinstance(orchestrator, nesting.expected):
        return None
    nesting.made = orchestrator
    return nesting.driver


@contextmanager
def _making(nesting: _Nesting) -> Iterator[None]:
    token = _nesting.set(nesting)
    try:
        yield
    finally:
        _nesting.reset(token)


def make_system(part: SystemField, scope: Scope, factory: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """
    Make an orchestrator as a part of another; whatever the factory returns.

    Raises:
        EndlessNestingError: Orchestrators are made as parts of each other without end.
    """
    where = f"{type(scope.orchestrator).__name__}.{part.name}"
    expected = (factory,) if isinstance(factory, type) else part.classes
    nesting = _Nesting(where, scope.driver, expected, _nesting.get())
    chain = nesting.chain()
    if len(chain) > _DEEPEST:
        circle = " -> ".join(dict.fromkeys(chain[chain.index(where) :]))
        raise EndlessNestingError(
            where,
            f"orchestrators are made as parts of each other without end: {circle} -> ...",
            "Leave the factory of one of these fields out, and pass what belongs there",
        )
    try:
        with _making(nesting):
            made = factory(**arguments)
    except Exception as error:
        if nesting.made is not None and "_system" in vars(nesting.made):
            with suppress(Exception):  # it is of no use to anybody; what the factory raised is the news
                nesting.made._system.stand_alone()
        if not isinstance(error, EndlessNestingError):
            error.add_note(f"while making {where}")
        raise
    if nesting.made is not None and nesting.made is not made:
        nesting.made._system.stand_alone()
    return made


def trouble_with(where: str, made: Any, taken: Iterable[Any]) -> MachineInUseError | None:
    """Say what keeps an orchestrator from becoming a part of another one, or return None."""
    scope: Scope = made._system
    kind = type(made).__name__
    another = f"Pass another {kind}, or copy the outer orchestrator as a whole"
    if scope.parent is not None:
        outer = type(scope.parent.orchestrator).__name__
        return MachineInUseError(where, f"this {kind} belongs to a {outer} already", another)
    if any(made is other for other in taken):
        return MachineInUseError(where, f"this {kind} is passed for two fields", another)
    if scope.driver.root is scope and scope.driver.is_in_use:
        instead = f"Leave the block first, and enter that of the {where.partition('.')[0]}"
        return MachineInUseError(where, f"this {kind} is in a with block of its own", instead)
    return None


# -- becoming one system -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Former:
    """What an orchestrator had before it became a part of another one that is still being made."""

    driver: Driver
    timers: dict[Timer, Timer]
    """Its own timers, by those that stand for them."""


def join(driver: Driver, inner: Scope) -> None:
    """
    Make another system a part of this one.

    Raises:
        StepRunningError: A step of the other system is running.
    """
    other = inner.driver
    with other.between_steps("make it a part of another"):
        inner.former = Former(other, _hand_over(other, driver, other.timers.pending()))
        driver.held = [*driver.held, *other.held]
        driver.observers = (*driver.observers, *other.observers)
        driver.is_async = driver.is_async or other.is_async
        for scope in inner.tree():
            scope.driver = driver


def apart(inner: Scope) -> None:
    """Let an orchestrator be a system of its own, with all that is its."""
    driver, former = inner.driver, inner.former
    inner.former = None
    own = driver.alone(inner) if former is None else former.driver
    scopes = set(inner.tree())
    for timer in [timer for timer in driver.timers.pending() if _scope_of(timer.what) in scopes]:
        if former is not None and timer in former.timers:
            driver.timers.cancel(timer)
            own.timers.add(former.timers[timer])
        else:
            _hand_over(driver, own, [timer])
    own.held = [held for held in driver.held if held.scope in scopes]
    driver.held = [held for held in driver.held if held.scope not in scopes]
    for scope in scopes:
        scope.driver = own


def _hand_over(giver: Driver, taker: Driver, timers: Iterable[Timer]) -> dict[Timer, Timer]:
    """Let timers of one system be those of another, with as long to wait on its clock; the old ones by the new ones."""
    now, found = giver.clock.now(), {}
    for timer in list(timers):
        giver.timers.cancel(timer)
        due = round(taker.clock.now() + max(0.0, timer.due - now), 9)
        moved = Timer(due, timer.what, timer.keys)
        found[moved] = timer
        taker.timers.add(moved)
    return found


def _scope_of(what: object) -> Any:
    if isinstance(what, DelayedEvent):
        return what.engine.host
    return what.scope if isinstance(what, DelayedLink) else None
