"""What is the case: active states, what a condition sees of them, and what a guard forbids."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from statemachine.orderedset import OrderedSet

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.declare import EACH, Done, In, Over, Place
from statemachines_orchestrator.engine import host_of
from statemachines_orchestrator.exceptions import GuardRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.declare import Condition, Guard, MemberAddress
    from statemachines_orchestrator.engine import MemberEngine

    from ._occurrence import Occurrence
    from ._scope import Scope

__all__ = ("allows", "call_with", "case_of", "forbidden", "is_active", "is_of", "is_present", "takes_two", "where")


def is_active(engine: MemberEngine, state: str) -> bool:
    """Whether a state of a member is active; read from the model, since python-statemachine's way is slow."""
    machine = engine.sm
    active = machine.current_state_value
    value = read_chart(type(machine)).node(state).value
    return value in active if isinstance(active, OrderedSet | set | frozenset) else bool(active == value)


def is_present(engine: MemberEngine) -> bool:
    """Whether a machine is a member, and has not been taken out meanwhile."""
    scope: Any = host_of(engine.sm)
    return scope is not None and bool(scope.has(engine))


def case_of(scope: Scope, condition: Condition, occurrence: Occurrence | None) -> str:
    """Say where the machines are that a condition names; empty if it names none."""
    cases: dict[str, None] = {}
    for leaf in condition.leaves():
        if isinstance(leaf, Over):
            count, total = scope.count(leaf.what)
            member = leaf.what.member if isinstance(leaf.what, Place) else leaf.what
            so = f"are in {leaf.what.id}" if isinstance(leaf.what, Place) else "have ended"
            cases[f"{count} of {total} {'.'.join(member.path)} {so}"] = None
        elif isinstance(leaf, In | Done):
            member = leaf.place.member if isinstance(leaf, In) else leaf.member
            engine = scope.engine_at(member, occurrence)
            address = str(member) if engine is None else scope.relative_address(engine)
            cases[f"{address} is {'absent' if engine is None else 'in ' + where(engine)}"] = None
    return " and ".join(cases)


def where(engine: MemberEngine) -> str:
    """Return the innermost active states of a machine as text."""
    return "+".join(state.id for state in engine.sm.configuration if state.is_atomic) or "no state yet"


def forbidden(engine: MemberEngine, trigger: TriggerData) -> GuardRefused | None:
    """Ask the guards of an event; the refusal of the first that forbids it."""
    event = str(trigger.event)
    for scope, watch in engine.watches:
        for guard in watch.guards.get(event):
            occurrence = None
            if id(guard) not in scope.wiring.plain_guards:
                if isinstance(guard.target, Place) and not is_of(scope, guard.target.member, engine):
                    continue
                occurrence = scope.occurrence(engine, trigger)
            if not allows(scope, guard, occurrence):
                return GuardRefused(
                    trigger.event,
                    engine.sm.configuration,
                    f"{engine.address}.{event}",
                    f"{guard.owner}.{guard.name}",
                    str(guard.condition),
                    case_of(scope, guard.condition, occurrence),
                )
    return None


def allows(scope: Scope, guard: Guard, occurrence: Occurrence | None = None) -> bool:
    """Whether the condition of a guard holds."""
    try:
        return guard.condition.holds(scope, occurrence)
    except Exception as error:
        error.add_note(f"in the condition of {guard!r}")
        raise


def is_of(scope: Scope, member: MemberAddress, engine: MemberEngine) -> bool:
    """Whether an address, seen from an orchestrator, means this machine; alone, or as one of a collection."""
    if scope.relative_path(engine) != member.path:
        return False
    return member.key is None or member.key == EACH or scope.key_of(member, None) == engine.key


def call_with(function: Callable[..., Any], orchestrator: Any, occurrence: Any) -> Any:
    """Call a function with the orchestrator, and with the occurrence if it takes two arguments."""
    return function(orchestrator, occurrence) if takes_two(function) else function(orchestrator)


@lru_cache(maxsize=4096)
def takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function takes orchestrator and occurrence, or the orchestrator alone."""
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True
