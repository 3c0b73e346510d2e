"""
Timers of states (semantics.md section 6).

They are delayed events of the orchestrator that holds the machine: one queue, its clock, part of its snapshots. A
machine that is used alone gets an orchestrator of its own (`_system`) when the first of its timers begins, since
python-statemachine's own delayed events block whoever sends to the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statemachine.event import BoundEvent

from statemachines_orchestrator.engine import engine_of, host_of

if TYPE_CHECKING:
    from ._machine import OrcaChart

__all__ = ("arm", "arm_waiting", "begin_again", "disarm", "timer_event")

_MILLISECONDS = 1000


def arm(machine: OrcaChart, path: str) -> None:
    """Begin the timers of a state that has just been entered; those of a machine alone begin when it is at rest."""
    if host_of(machine) is None:
        machine._orca.unarmed.append(path)
        return
    for number, milliseconds in enumerate(machine._timeouts[path]):
        _event(machine, path, number, milliseconds).put(
            send_id=timer_event(path, number), after=milliseconds / _MILLISECONDS
        )


def arm_waiting(machine: OrcaChart) -> None:
    """Begin the timers of a machine that has just become the member of an orchestrator."""
    unarmed, machine._orca.unarmed = machine._orca.unarmed, []
    engine = engine_of(machine)
    for path in unarmed:
        for number, milliseconds in enumerate(machine._timeouts[path]):
            event, after = _event(machine, path, number, milliseconds), milliseconds / _MILLISECONDS
            trigger = event.build_trigger(machine=machine, send_id=timer_event(path, number), after=after)
            engine.host.delay(engine, trigger, after)


def begin_again(machine: OrcaChart) -> None:
    """Begin the timers of the active states of a copy, in full: delayed events of orchestrators are not copied."""
    active = machine.configuration_values
    machine._orca.unarmed = [path for path in machine._timeouts if path in active]
    arm_waiting(machine)


def disarm(machine: OrcaChart, path: str) -> None:
    """End the timers of a state that is left; what of them is due already, and not handled, does nothing any more."""
    machine._orca.unarmed[:] = [waiting for waiting in machine._orca.unarmed if waiting != path]
    if host_of(machine) is not None:
        for number in range(len(machine._timeouts[path])):
            machine.cancel_event(timer_event(path, number))


def _event(machine: OrcaChart, path: str, number: int, milliseconds: int) -> BoundEvent:
    chosen = machine._blueprint.event_ids[timer_event(path, number)]
    return BoundEvent(chosen, name=f"timeout.{path}", delay=milliseconds, _sm=machine)


def timer_event(path: str, number: int) -> str:
    """Give the event of one timer of a state; a row for ``timeout.<path>`` takes it too."""
    return f"timeout.{path}.{number}"
