"""From a declaration to a sketch: which boxes there are, and what leads from one to another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.declare import (
    EACH,
    Call,
    Done,
    Function,
    In,
    MachinesField,
    MemberAddress,
    MemberField,
    OnCondition,
    OnDone,
    OnEvent,
    OnJoint,
    OnState,
    Place,
    Send,
    SystemField,
)

from ._sketch import Arrow, Box, Knot, Sketch, Spot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from statemachine import StateChart

    from statemachines_orchestrator.charts import Chart
    from statemachines_orchestrator.declare import Condition, Declaration, Guard, JointEvent, Link

__all__ = ("Level", "levels_of", "name_of", "survey", "survey_machine")


@dataclass(frozen=True, slots=True)
class Level:
    """An orchestrator class in its place: the outermost one, or one that is nested in it."""

    path: tuple[str, ...]
    declaration: Declaration

    def address(self, path: tuple[str, ...]) -> str:
        """Return the address of one of its members, seen from the outermost orchestrator."""
        return ".".join((*self.path, *path))


def levels_of(declaration: Declaration, path: tuple[str, ...] = ()) -> Iterator[Level]:
    """Yield the declaration and those nested in it, the outermost first."""
    yield Level(path, declaration)
    for one in declaration.systems:
        inner = _declaration_of(one)
        if inner is not None:
            yield from levels_of(inner, (*path, one.name))


def survey(
    declaration: Declaration,
    configuration: Mapping[str, Collection[str]] | None = None,
    classes: Mapping[str, type[StateChart[Any]]] | None = None,
) -> Sketch:
    """
    Sketch an orchestrator class, or an instance.

    Args:
        declaration: What the class declares.
        configuration: The ids of the active states of each machine, by address; that of a machine in a collection
            begins with the collection's, and a dot or a bracket.
        classes: The classes of the machines by address, where the declaration does not tell.
    """
    levels = list(levels_of(declaration))
    guards: dict[str, dict[str, tuple[str, ...]]] = {}
    for level in levels:
        for one in level.declaration.guards:
            target = level.address(one.target.member.path) if isinstance(one.target, Place) else level.address(())
            event = one.target.id if isinstance(one.target, Place) else one.target
            texts = guards.setdefault(target, {})
            texts[event] = (*texts.get(event, ()), f"{one.name}: {one.condition}")
    boxes = _Boxes({level.path: level for level in levels}, configuration or {}, classes or {}, guards)
    sketch = Sketch(declaration.name, boxes.of((), declaration))
    known = {box.address: box for box in sketch.all_boxes()}
    rules = [_Rules(level, known, guards.get(level.address(()), {})) for level in levels]
    return Sketch(
        sketch.title,
        sketch.boxes,
        tuple(knot for one in rules for knot in one.knots()),
        tuple(arrow for one in rules for arrow in one.arrows()),
    )


def survey_machine(chart: Chart, active: Collection[str] = ()) -> Sketch:
    """Sketch one machine alone."""
    return Sketch(chart.name, (Box("", chart.name, chart, active=Counter(active)),))


# -- boxes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Boxes:
    levels: Mapping[tuple[str, ...], Level]
    configuration: Mapping[str, Collection[str]]
    classes: Mapping[str, type[StateChart[Any]]]
    guards: Mapping[str, Mapping[str, tuple[str, ...]]]

    def of(self, path: tuple[str, ...], declaration: Declaration) -> tuple[Box, ...]:
        return tuple(self._box((*path, one.name), one) for one in declaration.parts)

    def _box(self, path: tuple[str, ...], one: MemberField | MachinesField) -> Box:
        address = ".".join(path)
        title = f"{one.name}: {_class_text(one)}"
        if isinstance(one, SystemField):
            inner = self.levels.get(path)
            return Box(address, title, boxes=self.of(path, inner.declaration) if inner is not None else ())
        machine_class = self.classes.get(address) or (one.classes[0] if one.classes else None)
        return Box(
            address,
            title,
            read_chart(machine_class) if machine_class is not None else None,
            isinstance(one, MachinesField),
            self._active(address),
            self.guards.get(address, {}),
        )

    def _active(self, address: str) -> Mapping[str, int]:
        inside = (f"{address}[", f"{address}.")
        return Counter(
            state
            for name, states in self.configuration.items()
            if name == address or name.startswith(inside)
            for state in states
        )


def _class_text(one: MemberField | MachinesField) -> str:
    if isinstance(one, MachinesField):
        names = " or ".join(kind.__name__ for kind in one.classes) or "machines"
        return f"any number of {names}"
    return " or ".join(kind.__name__ for kind in one.classes) or one.annotation


def _declaration_of(one: SystemField) -> Declaration | None:
    found: Declaration | None = getattr(one.classes[0], "__declaration__", None) if one.classes else None
    return found


# -- links, guards and joint events ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one orchestrator class declares between its members."""

    level: Level
    boxes: Mapping[str, Box]
    joint_guards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def knots(self) -> Iterator[Knot]:
        for joint in self.level.declaration.joint_events:
            needs = "".join(f"\n[{text}]" for text in self.joint_guards.get(joint.name, ()))
            yield Knot(self._key(joint.name), f"{joint.name}{needs}", "joint")
        for link in self.level.declaration.links:
            if isinstance(link.trigger, OnCondition):
                yield Knot(self._key(link.name, "when"), f"when {link.trigger}", "condition")
            if isinstance(link.effect, Call):
                yield Knot(self._key(link.name, "call"), f"call {name_of(link.effect.function)}", "reaction")
        for one in self.level.declaration.guards:
            if not any(True for _ in self._asked(one.condition)):
                yield Knot(self._key(one.name, "guard"), str(one.condition), "condition")

    def arrows(self) -> Iterator[Arrow]:
        declaration = self.level.declaration
        for joint in declaration.joint_events:
            yield from self._parts(joint)
        for link in declaration.links:
            yield from self._link(link)
        for one in declaration.guards:
            yield from self._guard(one)

    def _parts(self, joint: JointEvent) -> Iterator[Arrow]:
        for part in joint.parts:
            yield Arrow(Spot(self._key(joint.name)), self._spot(part.member), "part", text=_event(part))

    def _link(self, link: Link) -> Iterator[Arrow]:
        trigger, effect = link.trigger, link.effect
        cause = ""
        if isinstance(trigger, OnState):
            source = self._spot(trigger.place.member, trigger.place.id)
            cause = "" if source.state is not None else f"on {_event(trigger.place)}"
        elif isinstance(trigger, OnEvent):
            source, cause = self._spot(trigger.place.member), f"on {_event(trigger.place)}"
        elif isinstance(trigger, OnDone):
            source, cause = self._spot(trigger.member), "when done"
        elif isinstance(trigger, OnJoint):
            source = Spot(self._key(trigger.joint))
        else:
            source = Spot(self._key(link.name, "when"))
            yield from (Arrow(spot, source, "asks") for spot in self._asked(trigger.condition))
        if isinstance(effect, Call):
            target, done = Spot(self._key(link.name, "call")), ""
        elif isinstance(effect.target, Place):
            target, done = self._spot(effect.target.member), _event(effect.target)
        else:
            target, done = Spot(self._key(effect.target)), ""
        yield Arrow(source, target, "link", link.name, _link_text(link, cause, done))

    def _guard(self, one: Guard) -> Iterator[Arrow]:
        target = self._spot(one.target.member) if isinstance(one.target, Place) else Spot(self._key(one.target))
        text = f"allows {_event(one.target) if isinstance(one.target, Place) else one.target}"
        sources = list(dict.fromkeys(self._asked(one.condition))) or [Spot(self._key(one.name, "guard"))]
        for source in sources:
            yield Arrow(source, target, "guard", one.name, text)

    def _asked(self, condition: Condition) -> Iterator[Spot]:
        """Yield where a condition looks."""
        for leaf in condition.leaves():
            if isinstance(leaf, Function):
                continue
            what = leaf.place if isinstance(leaf, In) else leaf.member if isinstance(leaf, Done) else leaf.what
            yield self._spot(what.member, what.id) if isinstance(what, Place) else self._spot(what)

    def _spot(self, member: MemberAddress, state: str | None = None) -> Spot:
        box = self.boxes[self.level.address(member.path)]
        known = box.chart is not None and state in box.chart.states
        return Spot(box.address, state if known else None)

    def _key(self, name: str, part: str = "joint") -> str:
        return f"{part} {self.level.address((name,))}"


def name_of(function: Any) -> str:
    """Return the name of a user's function."""
    return str(getattr(function, "__name__", None) or type(function).__name__)


def _event(place: Place) -> str:
    """Return an event's id, and of which members of a collection it is."""
    key = place.member.key
    if key is None:
        return place.id
    return f"{place.id} of {'each' if key == EACH else repr(key)}"


def duration(seconds: float) -> str:
    """Return a time in the greatest unit in which it is whole, such as ``14 days``."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds and seconds % length == 0:
            count = f"{seconds / length:.12g}"
            return f"{count} {unit.removesuffix('s') if count == '1' else unit}"
    return f"{seconds:.12g} s"


def _link_text(link: Link, cause: str, done: str) -> str:
    words = [cause]
    words.append(f"[{link.given}]" if link.given is not None else "")
    words.append(f"after {duration(link.delay)}" if link.delay is not None else "")
    words.append(f"[{link.given_when_due}]" if link.given_when_due is not None else "")
    words.append(f"→ {done}" if done else "")
    words.append(f"({link.effect.refused})" if isinstance(link.effect, Send) and link.effect.refused != "raise" else "")
    return " ".join(word for word in words if word)
