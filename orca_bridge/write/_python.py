"""
Documents as Python modules (exports.md 5).

A module declares, for editors and type checkers, what a loaded class has at run time, and makes its states and rows
with the calls that the converter itself uses. Names and the order of rows are the converter's own decisions.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from orca_bridge.convert import check, describe_row, first_child, inside, plan_of, reachable
from orca_bridge.convert._names import identifier
from orca_bridge.definition import Else, MachineDefinition, StateDefinition

from ._python_guards import GuardFunctions
from ._python_names import docstring, identifiers, joined, literal, pascal_case, snake_case
from ._python_records import record_lines
from ._python_system import system_lines
from ._python_types import (
    actions_protocol,
    context_type,
    effects_protocol,
    is_name,
    literal_type,
    payload_type,
    type_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orca_bridge.convert import Node, Row
    from orca_bridge.definition import (
        DecisionTable,
        EventDefinition,
        Expression,
        TransitionDefinition,
    )

__all__ = ("document_digest", "python_source")

_WIDTH = 120

_HELPERS = ("Weaver", "equal", "field", "is_written_from", "order", "otherwise", "read", "truth", "written")
_TYPING = ("TYPE_CHECKING", "Any", "Literal", "Protocol", "TypeAlias", "TypedDict", "overload")
_SYSTEM = ("Members", "Orchestrator", "machine", "machines")
_RECORDS = (
    *(
        "CellTest",
        "DecisionTable",
        "EffectDefinition",
        "EventDefinition",
        "MachineDefinition",
        "NumberRange",
        "Parameter",
    ),
    *("InvokeDefinition", "InvokeInput", "Outcome", "Path", "ReturnDefinition"),
    *("TableColumn", "TableRule", "TypeExpression"),
)

_IMPORTED = frozenset(
    {"Effect", "EffectResult", *_HELPERS, *_TYPING, *_SYSTEM, *_RECORDS, "Callable", "Mapping", "OrcaChart", "State"}
)
"""What means something else in a module already."""


def document_digest(text: str) -> str:
    """Give the digest of a document, the same for any kind of line ends."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def python_source(
    machines: Sequence[MachineDefinition],
    tables: Sequence[DecisionTable] = (),
    *,
    text: str = "",
    source: str = "",
) -> str:
    """
    Write machines as one Python module.

    Args:
        machines: The machines of a document.
        tables: Its decision tables, which are the handlers of actions that are called like them.
        text: The document itself, for the digest by which the module knows it again.
        source: The name of the document.

    Raises:
        ConversionError: A machine cannot be converted; then it cannot be written either.
    """
    for machine in machines:
        check(machine)
    chosen = identifiers((pascal_case(machine.name) for machine in machines), taken=_IMPORTED)
    names = {machine.name: chosen[pascal_case(machine.name)] for machine in machines}
    writers = [_Writer(machine, machines, names, tables) for machine in machines]
    lines = [line for writer in writers for line in writer.lines()]
    body = "\n".join([*lines, *system_lines(machines, names)])
    listed = ", ".join(machine.name for machine in machines)
    origin = f" of {source}" if source else ""
    opening = docstring(f"{listed}{origin}, as Python.\n\nWritten by orca_bridge: change the document instead.")
    return "\n".join([*opening, "", *_imports(body), "", *_check(text), body]) + "\n"


def _imports(body: str) -> Iterator[str]:
    yield "from __future__ import annotations"
    yield ""
    if "Callable[" in body or "Mapping[" in body:
        yield "from collections.abc import Callable, Mapping"
    yield f"from typing import {', '.join(name for name in _TYPING if name in body)}"
    yield ""
    yield f"from orca_bridge import {'Effect, EffectResult, ' if 'effect: Effect,' in body else ''}OrcaChart"
    records = sorted(name for name in _RECORDS if f"{name}(" in body)
    short = f"from orca_bridge.definition import {', '.join(records)}"
    yield from [short] if len(short) <= _WIDTH else joined("from orca_bridge.definition import (", records, ")")
    helpers = [name for name in _HELPERS if f"{name}(" in body or name in ("Weaver", "is_written_from")]
    yield f"from orca_bridge.source import {', '.join(helpers)}"
    yield "from statemachine import State"
    system = [name for name in _SYSTEM if f"{name}[" in body or f"({name}" in body or f" = {name}(" in body]
    yield from [f"from statemachines_orchestrator import {', '.join(system)}"] if system else []


def _check(text: str) -> Iterator[str]:
    yield f'SOURCE_DIGEST = "{document_digest(text)}"'
    yield ""
    yield ""
    yield "def check_source(path: str) -> bool:"
    yield '    """Tell whether a document is still the one that this module was written from."""'
    yield "    return is_written_from(path, SOURCE_DIGEST)"


class _Writer:
    """The writing of one machine."""

    def __init__(
        self,
        machine: MachineDefinition,
        machines: Sequence[MachineDefinition],
        names: Mapping[str, str],
        tables: Sequence[DecisionTable],
    ) -> None:
        self.machine, self.name, self.tables = machine, names[machine.name], tuple(tables)
        self.invoked = [names[one.name] for one, _ in reachable(machine, [(one, ()) for one in machines])]
        name = self.name
        self.plan = plan_of(machine)
        self.effects = self.plan.effects(machine)
        self.prefix = snake_case(name)
        self.guards = GuardFunctions(machine, self.prefix)
        self.locals = identifiers(self.plan.names.states.values(), taken=("weaver",))
        self.payloads = self._payloads()

    @property
    def has_effects(self) -> bool:
        return any(self.effects.values())

    def lines(self) -> Iterator[str]:
        yield from self._declared()
        yield from self.guards.lines()
        yield from self._states()
        yield from self._class()

    # -- declarations -----------------------------------------------------------------------------------

    def _declared(self) -> Iterator[str]:
        yield from ("", "")
        yield from context_type(f"{self.name}Context", self.machine)
        for event, (payload_name, event_definition) in self.payloads.items():
            yield from ("", "")
            yield from payload_type(payload_name, event, event_definition.payload)
        yield from ("", "")
        yield from literal_type(f"{self.name}State", list(self.plan.states))
        yield from literal_type(f"{self.name}Event", self._events())
        yield from ("", "")
        methods = {action: identifier(action) for action in self.plan.actions()}
        unique = {method: action for action, method in reversed(methods.items())}
        chosen = {action: method for action, method in methods.items() if unique[method] == action}
        context = f"{self.name}Context"
        yield from actions_protocol(f"{self.name}Actions", context, self.machine, chosen)
        if self.has_effects:
            yield from ("", "")
            plain = {action: method for action, method in chosen.items() if not self.effects[action]}
            kinds = dict.fromkeys(kind for one in self.effects.values() for kind in one)
            yield from effects_protocol(f"{self.name}Effects", context, self.machine, plain, kinds)

    def _payloads(self) -> dict[str, tuple[str, EventDefinition]]:
        declared = [event for event in self.machine.events if event.payload]
        names = identifiers(f"{self.name}{pascal_case(event.name)}Payload" for event in declared)
        return {event.name: (names[f"{self.name}{pascal_case(event.name)}Payload"], event) for event in declared}

    def _events(self) -> list[str]:
        return [event for event in self.plan.event_ids if event in self.plan.names.events]

    # -- states and rows --------------------------------------------------------------------------------

    def _states(self) -> Iterator[str]:
        yield from ("", "")
        yield f"def _{self.prefix}_states(weaver: Weaver) -> list[State]:"
        yield '    """Make the states, and the rows in the order in which they are tried."""'
        for state in self.machine.states:
            yield from self._state(state, initial=state.initial)
        for row in self.plan.selection_order():
            yield from self._row(row)
        top = [self._local(state.path) for state in self.machine.states]
        yield from joined("return [", top, "]", "    ")

    def _state(self, node: Node, *, initial: bool) -> Iterator[str]:
        first = first_child(node)
        for child in inside(node):
            yield from self._state(child, initial=child.path == first)
        given = [literal(node.path), literal(self.plan.names.states[node.path])]
        if inside(node):
            given.append(f"[{', '.join(self._local(child.path) for child in inside(node))}]")
        given += ["initial=True"] if initial else []
        if isinstance(node, StateDefinition):
            given += ["final=True"] if node.final else []
            given += [f"sync={literal(node.sync)}"] if node.regions else []
        given += [f"on_entry={_tuple(node.on_entry)}"] if node.on_entry else []
        given += [f"on_exit={_tuple(node.on_exit)}"] if node.on_exit else []
        if isinstance(node, StateDefinition) and node.invoke is not None:
            given.append("\n".join(record_lines(node.invoke, "        ", "invoke=")).lstrip())
        if isinstance(node, StateDefinition) and node.timeouts:
            delays = ", ".join(str(one.milliseconds) for one in node.timeouts)
            given.append(f"timeouts=({delays}{',' if len(node.timeouts) == 1 else ''})")
        yield from joined(f"{self._local(node.path)} = weaver.state(", given, ")", "    ")

    def _row(self, planned: Row) -> Iterator[str]:
        row = planned.definition
        given = [self._local(planned.at), literal(row.event)]
        given.append(self._local(row.target) if row.target is not None else "None")
        given.append(f"text={literal(describe_row(row))}")
        if row.guard is not None:
            given += [f"guard={self._guard(row, row.guard)}", f"guard_text={literal(row.guard_text)}"]
        given += [f"actions={_tuple(row.actions)}"] if row.actions else []
        given += [f"raises={literal(planned.raises)}"] if planned.raises is not None else []
        given += ["ignores=True"] if planned.ignores else []
        given += [f"within={literal(planned.within)}"] if planned.within is not None else []
        yield from joined("weaver.row(", given, ")", "    ")

    def _guard(self, row: TransitionDefinition, guard: Expression) -> str:
        if not isinstance(guard, Else):
            return self.guards.name_of(guard)
        others = [other.guard for other in self.plan.rivals(row)]
        return f"otherwise({', '.join('None' if other is None else self.guards.name_of(other) for other in others)})"

    def _local(self, path: str) -> str:
        return self.locals[self.plan.names.states[path]]

    # -- the class --------------------------------------------------------------------------------------

    def _class(self) -> Iterator[str]:
        known = MachineDefinition(
            self.machine.name,
            self.machine.version,
            self.machine.description,
            context=self.machine.context,
            events=self.machine.events,
            returns=self.machine.returns,
            effects=self.machine.effects,
        )
        yield from ("", "")
        yield "@written("
        yield from _listed(record_lines(known, "    "))
        yield f"    states=_{self.prefix}_states,"
        events = [f"{literal(name)}: {literal(chosen)}" for name, chosen in self.plan.event_ids.items()]
        yield from joined("events={", events, "},", "    ")
        yield from joined(
            "actions=(", [literal(name) for name in self.plan.actions()], _closing(self.plan.actions()), "    "
        )
        effects = {name: kinds for name, kinds in self.effects.items() if kinds}
        if effects:
            entries = [f"{literal(name)}: {_tuple(kinds)}" for name, kinds in effects.items()]
            yield from joined("effects={", entries, "},", "    ")
        if self.tables:
            yield from _listed(record_lines(self.tables, "    ", "tables="))
        if self.invoked:
            yield from joined("invoked=lambda: (", self.invoked, _closing(self.invoked), "    ")
        yield ")"
        yield f"class {self.name}(OrcaChart):"
        yield from docstring(self.machine.description or f"The machine {self.machine.name}.", "    ")
        yield ""
        yield "    if TYPE_CHECKING:"
        yield f"        context: {self.name}Context"
        yield ""
        yield from (f"        {chosen}: State" for chosen in self.plan.names.states.values())
        yield from self._constructor()
        for event in self._events():
            yield from self._event(event)
        yield from self._send()

    def _constructor(self) -> Iterator[str]:
        yield ""
        yield "        def __init__("
        yield "            self,"
        yield "            model: Any = None,"
        yield "            *,"
        yield f"            context: {self.name}Context | None = None,"
        given = f"{self.name}Actions | {self.name}Effects" if self.has_effects else f"{self.name}Actions"
        yield f"            actions: {given} | Mapping[str, Callable[..., Any]] | None = None,"
        yield "            **options: Any,"
        yield "        ) -> None: ..."

    def _event(self, event: str) -> Iterator[str]:
        method = self.plan.event_ids[event]
        yield ""
        _, found = self.payloads.get(event, ("", None))
        if found is not None and all(is_name(one.name) and one.name != "self" for one in found.payload):
            given = ", ".join(f"{one.name}: {type_text(one.type)}" for one in found.payload)
            yield f"        def {method}(self, *, {given}) -> Any: ..."
        else:
            yield f"        def {method}(self, payload: Mapping[str, Any] | None = None, /, **more: Any) -> Any: ..."

    def _send(self) -> Iterator[str]:
        general = "*args: Any, **more: Any) -> Any: ..."
        yield ""
        if not self.payloads:
            yield f"        def send(self, event: {self.name}Event, {general}  # type: ignore[override]"
            return
        ignore = "  # type: ignore[override]"
        for event, (payload, _) in self.payloads.items():
            yield f"        @overload{ignore}"
            ignore = ""
            yield f"        def send(self, event: Literal[{literal(event)}], payload: {payload}, /) -> Any: ..."
        yield "        @overload"
        yield f"        def send(self, event: {self.name}Event, {general}"
        yield f"        def send(self, event: str, {general}"


def _listed(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},"]


def _closing(values: Sequence[str]) -> str:
    return ",)," if len(values) == 1 else "),"


def _tuple(values: Sequence[str]) -> str:
    return f"({', '.join(map(literal, values))}{',' if len(values) == 1 else ''})"
