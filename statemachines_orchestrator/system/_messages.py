"""
What one member causes in others beside its links: messages, and members that begin at the next rest.

A machine class that stands on this layer, such as one with child machines, has no links of its own to declare. What it
sends goes the way of a link all the same: never into another machine's half-done transition (rule R1).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from statemachine import StateChart

from statemachines_orchestrator.engine import engine_of

from ._membership import add_member

if TYPE_CHECKING:
    from statemachine.event import BoundEvent
    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.declare import Members

    from ._scope import Scope

__all__ = ("add_at_rest", "post", "withdraw")

M = TypeVar("M", bound=StateChart[Any])


def post(event: BoundEvent, *arguments: Any, **keywords: Any) -> TriggerData:
    """
    Queue an event for a member, to be taken in the running step when no machine is in the middle of a macrostep.

    Args:
        event: The event, bound to the member.
        *arguments: Positional arguments of the event.
        **keywords: Keyword arguments of the event.

    Returns:
        The event on its way; it does not arrive if the step fails, or if it is made ``cancelled`` before.

    Raises:
        LinkLoopError: The step has delivered more than `max_deliveries` already.
    """
    machine: Any = event._sm
    host = engine_of(machine).host
    host.driver.count_message()
    trigger: TriggerData = event.put(*arguments, **keywords)
    host.undo(partial(setattr, trigger, "cancelled", True))
    return trigger


def add_at_rest(members: Members[M], key: str, **arguments: Any) -> M:
    """
    Add a machine to a collection in the running step; it enters its initial state at the next rest.

    `Members.add` would let it enter at once, inside the macrostep of whoever adds it.

    Args:
        members: The collection.
        key: The machine's name in it, which nobody has yet.
        **arguments: Keyword arguments for the declared factory, besides those that the field declares.

    Raises:
        ConstructionError: The key is taken, or what was made cannot be a member.
    """
    scope: Scope = members._keeper  # type: ignore[assignment]  # what keeps a collection is the scope
    made: M = add_member(scope, members, key, None, arguments, at_rest=True)
    return made


def withdraw(members: Members[Any], key: str) -> None:
    """
    Take a machine out of its collection in the running step, for good: it takes no event and enters no state any more.

    Args:
        members: The collection.
        key: The machine's name in it.
    """
    engine = engine_of(members[key])
    for name, value in (("running", False), ("_held", None)):
        engine.host.undo(partial(setattr, engine, name, getattr(engine, name)))
        setattr(engine, name, value)
    members.remove(key)
