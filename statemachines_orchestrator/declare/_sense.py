"""
Rules that can never do what they say.

Only what is certain is refused here; what depends on conditions and on the order of events is for the checker.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.exceptions import (
    DefinitionError,
    GuardDefinitionError,
    LinkCycleError,
    LinkDefinitionError,
)

from ._addresses import Place
from ._conditions import All, Condition, In
from ._links import OnCondition, OnDone, OnEvent, OnState, Send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statemachines_orchestrator.charts import Chart

    from ._addresses import MemberAddress
    from ._links import Guard, Link
    from ._rules import Rules

__all__ = ("senseless",)


def senseless(rules: Rules, chart_of: Callable[[tuple[str, ...]], Chart | None]) -> Iterator[DefinitionError]:
    """
    Yield what contradicts itself.

    Args:
        rules: The links, guards and joint events of one class.
        chart_of: Returns the chart of the member at a path, if there is exactly one.
    """
    for link in rules.links:
        yield from _never_together(link, chart_of)
        yield from _to_the_dead(link, chart_of)
        yield from _to_the_shared(link, rules)
    for guard in rules.guards:
        yield from _never_allowed(guard, chart_of)
    yield from _cycles(rules, chart_of)


def _never_together(link: Link, chart_of: Callable[..., Chart | None]) -> Iterator[DefinitionError]:
    """A link that waits for two states of one machine that exclude each other."""
    condition = link.trigger.condition if isinstance(link.trigger, OnCondition) else None
    for place, other in _contradictions(condition, chart_of):
        yield LinkDefinitionError(
            f"{link.owner}.{link.name}",
            f"{place} and {other} are never active at the same time, so the link can never fire",
            f"Wait for one of them, or for either: when(In({place}) | In({other}))",
        )


def _never_allowed(guard: Guard, chart_of: Callable[..., Chart | None]) -> Iterator[DefinitionError]:
    """A guard that asks for two states that exclude each other, or for one in which there is no such transition."""
    where = f"{guard.owner}.{guard.name}"
    for place, other in _contradictions(guard.condition, chart_of):
        yield GuardDefinitionError(
            where,
            f"{place} and {other} are never active at the same time, so the event is never allowed",
            f"Ask for one of them, or for either: In({place}) | In({other})",
        )
    target = guard.target
    chart = chart_of(target.member.path) if isinstance(target, Place) else None
    if chart is None or not isinstance(target, Place):
        return
    for place in _required(guard.condition):
        sources = [edge.source for edge in chart.edges_of(target.id)]
        if place.member != target.member or place.kind != "state" or not sources:
            continue
        if not any(chart.can_be_active_together(place.id, source) for source in sources):
            yield GuardDefinitionError(
                where,
                f"{target} has no transition in {place}, so it is never allowed there and forbidden everywhere else",
                f"Ask for one of its own sources ({', '.join(dict.fromkeys(sources))}) or for another member",
            )


def _required(condition: Condition | None) -> Iterator[Place]:
    """Yield the states that have to be active whatever else is the case."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    for part in parts:
        if isinstance(part, In):
            yield part.place
        elif isinstance(part, All):
            yield from _required(part)


def _contradictions(
    condition: Condition | None, chart_of: Callable[..., Chart | None]
) -> Iterator[tuple[Place, Place]]:
    for place, other in combinations(_required(condition), 2):
        chart = chart_of(place.member.path) if place.member == other.member else None
        if chart is None or "unknown" in (place.kind, other.kind):
            continue
        if not chart.can_be_active_together(place.id, other.id):
            yield place, other


def _to_the_dead(link: Link, chart_of: Callable[..., Chart | None]) -> Iterator[DefinitionError]:
    """A link whose trigger means that its own target has ended."""
    target = link.effect.target if isinstance(link.effect, Send) else None
    if not isinstance(target, Place):
        return
    trigger = link.trigger
    ended: MemberAddress | None = None
    if isinstance(trigger, OnDone):
        ended = trigger.member
    elif isinstance(trigger, OnState) and trigger.place.kind == "state":
        chart = chart_of(trigger.place.member.path)
        ended = trigger.place.member if chart is not None and chart.is_end(trigger.place.id) else None
    if ended is not None and ended == target.member and ended.key is None:
        yield LinkDefinitionError(
            f"{link.owner}.{link.name}",
            f"{ended} has ended when the link fires, so it refuses {target.id!r}",
            "Send the event to another member, or wait for a state that is not final",
        )


def _to_the_shared(link: Link, rules: Rules) -> Iterator[DefinitionError]:
    """A link that sends alone what happens only through one of several joint events."""
    target = link.effect.target if isinstance(link.effect, Send) else None
    joints = [joint.name for joint in rules.joint_events if target in joint.parts]
    if len(joints) > 1:
        yield LinkDefinitionError(
            f"{link.owner}.{link.name}",
            f"{target} belongs to the joint events {' and '.join(joints)}, and happens only through one of them",
            f"Send that one: .send({joints[0]})",
        )


def _cycles(rules: Rules, chart_of: Callable[..., Chart | None]) -> Iterator[DefinitionError]:
    """Circles of links of which each surely causes the next, so that the step could only fail."""
    sure = [link for link in rules.links if _is_sure(link)]
    causes = {link: [other for other in sure if _surely_causes(link, other, chart_of)] for link in sure}
    seen: set[Link] = set()
    for link in sure:
        cycle = _cycle_from(link, causes)
        if cycle and not seen & set(cycle):
            seen.update(cycle)
            names = " -> ".join((*(one.name for one in cycle), cycle[0].name))
            yield LinkCycleError(
                f"{link.owner}.{link.name}",
                f"the links cause each other in a circle ({names}), which can only end with a refused event",
                "Add .given(...) to one of them, or write refused='ignore' where the circle is to end",
            )


def _is_sure(link: Link) -> bool:
    effect = link.effect
    return (
        link.given is None
        and not link.delay  # after(0) is a step later, without end
        and isinstance(effect, Send)
        and effect.refused == "raise"
        and isinstance(effect.target, Place)
        and effect.target.member.key is None
    )


def _surely_causes(link: Link, other: Link, chart_of: Callable[..., Chart | None]) -> bool:
    target: Any = link.effect.target if isinstance(link.effect, Send) else None
    trigger = other.trigger
    if not isinstance(trigger, OnState | OnEvent) or trigger.place.member != target.member:
        return False
    if isinstance(trigger, OnEvent):
        return bool(trigger.place.id == target.id)
    chart = chart_of(target.member.path)
    edges = chart.edges_of(target.id) if chart is not None else ()
    return bool(edges) and chart is not None and all(trigger.place.id in chart.entered_by(edge) for edge in edges)


def _cycle_from(start: Link, causes: dict[Link, list[Link]]) -> list[Link]:
    """Return the shortest circle through a link, in order; an empty list if there is none."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for following in causes[way[-1]]:
            if following is start:
                return way
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []
