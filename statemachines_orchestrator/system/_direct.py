"""
The short roads of a link: from a move that has settled to the event of a machine that is free for it.

Nearly all links do no more. Whatever else there is to do in a step (`between_rests` says what, and in which order),
and any event whose outcome is not foreseen, is left to the loop there; `deliver_directly` only goes first. Links
between machines that run no code of the user's do not even need a step: `foresee_all` finds what they do before
anything is done, and `enter_all` does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator.engine import has_strays, plain_trigger

from ._rest import is_about, look_at_moves

if TYPE_CHECKING:
    from statemachines_orchestrator.engine import Choice, MemberEngine, Program

    from ._driver import Driver
    from ._rest import Firing
    from ._step import Step
    from ._wiring import Sent

__all__ = ("deliver_directly", "enter_all", "foresee_all")


def foresee_all(
    driver: Driver, engine: MemberEngine, event: str, program: Program
) -> dict[MemberEngine, Program] | None:
    """
    Foresee a move that runs no code of the user's, and what links make of it.

    Args:
        driver: The system, which has nothing else to do and which nobody watches.
        engine: The machine that is about to move.
        event: Its event.
        program: What it does.

    Returns:
        What each machine does, in order, if none of them runs code of the user's or moves twice; None otherwise.
    """
    if driver.hears_all or driver.held:
        return None
    programs, moves = {engine: program}, [(engine, event)]
    for one, its_event in moves:
        targets = _targets(one, its_event, programs[one])
        if targets is None or len(programs) + len(targets) > driver.max_deliveries + 1:
            return None
        for target, sent in targets:
            found = None if target in programs else _foresee(target, sent)
            if found is None:
                return None
            programs[target] = found
        moves += targets
    return programs


def _targets(engine: MemberEngine, event: str, program: Program) -> list[tuple[MemberEngine, str]] | None:
    """Return what links send when a machine moves; None if anything else may follow."""
    found = []
    for scope, watch in engine.watches:
        if watch.conditions or watch.delayed or watch.done:
            return None
        for link, _ in watch.triggered(program.entered, event, ended=False):
            if is_about(scope, link, engine):
                sent = scope.wiring.bare.get(link.name)
                target = None if sent is None else scope.engine_at(sent.member)
                if sent is None or target is None:
                    return None
                found.append((target, sent.event))
    return found


def _foresee(engine: MemberEngine, event: str) -> Program | None:
    """Foresee what an event does that carries nothing, if it runs no code of the user's and no guard has a say."""
    trigger = None if engine.is_guarded else plain_trigger(engine, event, (), {})
    choice = None if trigger is None else engine.foresee(trigger)
    return choice.fixed if choice is not None and choice.is_silent else None


def enter_all(driver: Driver, programs: dict[MemberEngine, Program]) -> None:
    """Let machines do what was foreseen: all of them or, should an interruption come between two, none."""
    try:
        for engine, program in programs.items():
            engine.enter_silently(program)
    except BaseException:
        if driver.atomic:
            for engine, program in programs.items():
                engine.stay(program)
        raise
    driver.has_rested = True


def deliver_directly(driver: Driver, step: Step) -> bool:
    """
    Look at moves and let links have their effect, until there is nothing to do or something else.

    Returns:
        Whether there is certainly nothing left to do: the last event ran no code of the user's.
    """
    is_quiet = False
    while step.moves or step.firings:
        if _has_else_to_do(driver, step):
            return False
        if step.moves:
            look_at_moves(driver, step)
            is_quiet = False
            continue
        taken = _deliver(driver, step, step.firings[0])
        if taken is None:
            return False
        is_quiet = taken.is_silent
    return is_quiet


def _has_else_to_do(driver: Driver, step: Step) -> bool:
    return bool(
        step.failure is not None
        or step.deferred
        or step.joints
        or step.unstarted
        or driver._unstarted
        or driver.held
        or driver.observers
        or (driver.conditional and not driver.has_rested)
        or has_strays()
        or not step.is_idle
        or step.next_with_work() is not None
    )


def _deliver(driver: Driver, step: Step, firing: Firing) -> Choice | None:
    """Send the event of the first link in line, if its outcome is foreseen; what was foreseen."""
    scope = firing.scope
    sent = scope.wiring.sent.get(firing.link.name)
    engine = None if sent is None else scope.engine_at(sent.member)
    if sent is None or engine is None or step.deliveries >= driver.max_deliveries:
        return None
    if engine.is_guarded and not engine.host.permits(engine, sent.event):
        return None
    trigger = plain_trigger(engine, sent.event, *_carried(sent, firing))
    choice = None if trigger is None else engine.foresee(trigger)
    if trigger is None or choice is None or choice.fixed is None:
        return None
    step.deliveries += 1
    step.firings.popleft()
    before, step.cause = step.cause, firing
    try:
        step.touch(engine)
        engine.process_foreseen(trigger, choice)
    except Exception as error:
        if isinstance(error, TransitionNotAllowed):
            driver._explain(error, engine)
        error.add_note(f"caused by {firing.link!r}")
        raise
    finally:
        step.cause = before
    return choice


def _carried(sent: Sent, firing: Firing) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of the event."""
    if sent.forwards == ():
        return (), dict(sent.payload)
    occurrence = firing.occurrence
    if sent.forwards is None:
        return occurrence.args, {**occurrence.kwargs, **sent.payload}
    passed = {name: occurrence.kwargs[name] for name in sent.forwards if name in occurrence.kwargs}
    return (), {**passed, **sent.payload}
