"""From names in a class body to places: which member, which of its states or events."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from statemachine import Event, State, StateChart

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.exceptions import DefinitionError, UnknownNameError, WrongNameError

from ._addresses import EACH, MemberAddress, Place
from ._fields import DataField, MachinesField, MemberField, SystemField
from ._names import nearest
from ._references import Spoken, spoken_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from statemachines_orchestrator.charts import Chart

    from ._fields import Field

__all__ = ("Actual", "Resolver", "Wanted")

Wanted: TypeAlias = Literal["state", "event", "either"]
Actual: TypeAlias = "Mapping[tuple[str, ...], type[StateChart[Any]]]"
"""The classes of machines that exist, by path; for members whose declared class says too little."""

_HOW_TO_NAME = {"state": "a state such as", "event": "an event such as", "either": "a state or an event such as"}


class Resolver:
    """Looks names up in the fields of one orchestrator class, and collects what is wrong with them."""

    def __init__(
        self, owner: type, fields: Mapping[str, Field], roots: Mapping[int, str], actual: Actual | None = None
    ) -> None:
        self.owner = owner
        self.problems: list[DefinitionError] = []
        self.is_complete = True
        """Whether the class of every member that is named was known."""
        self.joints: frozenset[str] = frozenset()
        """Names of joint events, which can be named as members can."""
        self._fields = fields
        self._roots = roots
        self._actual = actual or {}
        self._where = ""

    def at(self, name: str) -> Resolver:
        """Say which attribute of the class the names stand in that are looked up from now on."""
        self._where = f"{self.owner.__name__}.{name}"
        return self

    def problem(self, what: str, instead: str, kind: type[DefinitionError] = WrongNameError) -> None:
        """Note a mistake of the present attribute."""
        self.problems.append(kind(self._where, what, instead))

    # -- what is named -------------------------------------------------------------------------------------

    def place(self, named: object, wanted: Wanted) -> Place | None:
        """Look a state or an event up; None if that failed, which has been noted then."""
        found = self._found(named, wanted)
        if found is None:
            return None
        address, field, rest = found
        if isinstance(field, SystemField) or not rest:
            kind = "an orchestrator" if isinstance(field, SystemField) else "a collection"
            kind = kind if isinstance(field, SystemField | MachinesField) else "a machine"
            self.problem(f"{address} is {kind}", f"Name {_HOW_TO_NAME[wanted]} {self._example(address, field, wanted)}")
            return None
        return self._in_machine(address, field, rest, wanted)

    def member(self, named: object) -> MemberAddress | None:
        """Look a member up; None if that failed, which has been noted then."""
        found = self._found(named, "either")
        if found is None:
            return None
        address, field, rest = found
        if rest or isinstance(field, SystemField):
            self.problem(f"{'.'.join((str(address), *rest))} is no machine", "Name a member or a collection")
            return None
        return address

    def function(self, function: Callable[..., Any], role: str) -> None:
        """Check that a function of the user's can be called with the orchestrator, or with the occurrence, too."""
        name = getattr(function, "__name__", repr(function))
        if inspect.iscoroutinefunction(function) and role != "call()":
            self.problem(
                f"{name} is asynchronous, and {role} is asked in the middle of a step",
                "Write a plain function; do what has to be awaited in a callback or in .call(function)",
            )
            return
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            return  # built in: it says nothing about its parameters
        if not any(_takes(signature, count) for count in (2, 1)):
            self.problem(
                f"{name}{signature} cannot be called with the orchestrator and the occurrence",
                "Write lambda orc: ... or lambda orc, occurrence: ..."
                if name == "<lambda>"
                else f"Write def {name}(orc) or def {name}(orc, occurrence)",
            )

    def _found(self, named: object, wanted: Wanted) -> tuple[MemberAddress, Field, tuple[str, ...]] | None:
        spoken = self._spoken(named, wanted)
        return None if spoken is None else self._member(spoken)

    # -- the way there -------------------------------------------------------------------------------------

    def _spoken(self, named: object, wanted: Wanted) -> Spoken | None:
        spoken = spoken_of(named)
        if spoken is None:
            self._foreign(named, wanted)
            return None
        owner = spoken.owner
        if owner is not None and not issubclass(self.owner, owner):
            nested = self._nested_of(owner)
            where = f"{nested}.{spoken.text}" if nested else next(iter(self._fields), "order")
            self.problem(
                f"{owner.__name__}.{spoken.text} belongs to {owner.__name__}, which is another orchestrator",
                f"Write {where}" if nested else f"Name a member of {self.owner.__name__}, such as {where}",
            )
            return None
        return spoken

    def _foreign(self, named: object, wanted: Wanted) -> None:
        text = getattr(named, "id", None) if not isinstance(named, type) else None
        text = text or getattr(named, "__name__", repr(named))
        example = self._some_example(wanted)
        if isinstance(named, type):
            self.problem(f"{text} is a class, not a member", f"Name {_HOW_TO_NAME[wanted]} {example}")
            return
        if isinstance(named, State | Event) or hasattr(named, "_transitions"):
            holders = [name for name, one in self._machines() if _declares(one, named)]
            instead = " or ".join(f"{name}.{text}" for name in holders) or f"{self._some_member()}.{text}"
            self.problem(f"{text} is read from a machine's class, not from a member", f"Write {instead}")
            return
        if inspect.isroutine(named):
            self.problem(
                f"{text} is a function, and alone nothing says when it is to be asked",
                f"Put it beside a state: In({self._some_example('state')}) & {text}, or behind: .given({text})",
            )
            return
        self.problem(f"{named!r} names nothing", f"Name {_HOW_TO_NAME[wanted]} {example}")

    def _member(self, spoken: Spoken) -> tuple[MemberAddress, Field, tuple[str, ...]] | None:
        first = spoken.root if isinstance(spoken.root, str) else self._roots.get(id(spoken.root))
        if first is None:
            self.problem(
                f"{spoken.text or 'a member'} is read from a machine() that is no field of this class",
                "Name a field of the class",
            )
            return None
        fields, rest = self._fields, spoken.names
        path: tuple[str, ...] = (first,)
        field = self._field(fields, path)
        while isinstance(field, SystemField) and rest:
            if not field.classes:
                self.is_complete = False
                return None
            fields, path, rest = field.classes[0].__declaration__.fields, (*path, rest[0]), rest[1:]
            field = self._field(fields, path)
        if field is None:
            return None
        if isinstance(field, DataField):
            self.problem(f"{'.'.join(path)} is data", "Ask for data in a function: .given(lambda orc: ...)")
            return None
        is_collection = isinstance(field, MachinesField)
        if spoken.key is not None and not is_collection:
            self.problem(f"{'.'.join(path)} is no collection", f"Leave each() or at() out: {'.'.join((*path, *rest))}")
            return None
        key = (spoken.key or EACH) if is_collection else None
        return MemberAddress(path, key), field, rest

    def _field(self, fields: Mapping[str, Field], path: tuple[str, ...]) -> Field | None:
        field = fields.get(path[-1])
        if field is None:
            close = nearest(path[-1], (*fields, *(self.joints if len(path) == 1 else ())))
            above = ".".join(path[:-1]) or self.owner.__name__
            hint = f"Did you mean {'.'.join((*path[:-1], close))!r}?" if close else f"Its fields: {', '.join(fields)}"
            self.problem(f"{above} has no member {path[-1]!r}", hint, UnknownNameError)
        return field

    # -- inside a machine ----------------------------------------------------------------------------------

    def charts(self, path: tuple[str, ...], field: Field) -> tuple[Chart, ...]:
        """Return what is known of a member's class or classes; nothing if that says too little yet."""
        actual = self._actual.get(path)
        classes = (actual,) if actual is not None else getattr(field, "classes", ())
        charts = tuple(read_chart(one) for one in classes)
        return () if any(chart.is_abstract for chart in charts) else charts

    def chart_at(self, path: tuple[str, ...]) -> Chart | None:
        """Return the chart of the member at a path that is known to exist, if its class is certain."""
        fields = self._fields
        for name in path[:-1]:
            fields = fields[name].classes[0].__declaration__.fields  # type: ignore[attr-defined] # a nested system
        charts = self.charts(path, fields[path[-1]])
        return charts[0] if len(charts) == 1 else None

    def _in_machine(self, address: MemberAddress, field: Field, rest: tuple[str, ...], wanted: Wanted) -> Place | None:
        charts = self.charts(address.path, field)
        if not charts:
            self.is_complete = False
            return Place(address, "unknown", ".".join(rest))
        found = [place for chart in charts for place in _lookup(chart, address, rest)]
        fitting = next((place for place in found if wanted in ("either", place.kind)), None)
        if fitting is not None:
            return fitting
        if found:
            self._wrong_kind(found[0], charts, wanted)
        else:
            self._unknown(address, charts, rest, wanted)
        return None

    def _wrong_kind(self, place: Place, charts: tuple[Chart, ...], wanted: Wanted) -> None:
        known = [one for chart in charts for one in (chart.events if wanted == "event" else chart.states)]
        this = "a state" if place.kind == "state" else "an event"
        that = "an event" if wanted == "event" else "a state"
        self.problem(
            f"{place} is {this}, and {that} is needed here", f"The {wanted}s of {place.member}: {', '.join(known)}"
        )

    def _unknown(
        self, address: MemberAddress, charts: tuple[Chart, ...], rest: tuple[str, ...], wanted: Wanted
    ) -> None:
        states = [one for chart in charts for one in chart.states]
        events = [one for chart in charts for one in chart.events]
        known = {"state": states, "event": events, "either": states + events}[wanted]
        close = nearest(rest[-1], known) or nearest(rest[-1], states + events)
        kind = "state or event" if wanted == "either" else wanted
        hint = f"Did you mean {address}.{close}?" if close else f"It has: {', '.join(known)}"
        self.problem(f"{address} has no {kind} {'.'.join(rest)!r}", hint, UnknownNameError)

    # -- words for errors ----------------------------------------------------------------------------------

    def _machines(self) -> Iterable[tuple[str, Field]]:
        return ((n, one) for n, one in self._fields.items() if isinstance(one, MemberField | MachinesField))

    def _some_member(self) -> str:
        return next((name for name, _ in self._machines()), "order")

    def _some_example(self, wanted: Wanted) -> str:
        name, field = next(iter(self._machines()), ("order", None))
        return f"{name}.name" if field is None else self._example(MemberAddress((name,)), field, wanted)

    def _nested_of(self, owner: type) -> str | None:
        for name, one in self._fields.items():
            if isinstance(one, SystemField) and owner in one.classes:
                return name
        return None

    def _example(self, address: MemberAddress, field: Field, wanted: Wanted) -> str:
        if isinstance(field, SystemField):
            inner = next(iter(field.classes[0].__declaration__.fields), "order") if field.classes else "order"
            return f"{address}.{inner}.{'state' if wanted == 'either' else wanted}"
        charts = self.charts(address.path, field)
        known = [*charts[0].events] if charts and wanted == "event" else [*charts[0].states] if charts else []
        return f"{address}.{known[0] if known else 'name'}"


def _lookup(chart: Chart, address: MemberAddress, rest: tuple[str, ...]) -> Iterable[Place]:
    """Find a state or an event by id or attribute, also by its way through the states around it."""
    text = ".".join(rest)
    if text in chart.state_ids:
        yield Place(address, "state", chart.state_ids[text])
    if text in chart.event_ids:
        yield Place(address, "event", chart.event_ids[text])
    last = chart.state_ids.get(rest[-1])
    if len(rest) > 1 and last is not None:
        above = chart.ancestors(last)
        if all(chart.state_ids.get(name) in above for name in rest[:-1]):
            yield Place(address, "state", last)


def _declares(field: Field, named: object) -> bool:
    names = {getattr(named, "id", None), getattr(named, "__name__", None)}
    classes = getattr(field, "classes", ())
    return not isinstance(field, SystemField) and any(
        names & {*read_chart(one).states, *read_chart(one).events} for one in classes
    )


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
