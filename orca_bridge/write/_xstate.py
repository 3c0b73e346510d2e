"""
Documents as TypeScript modules for XState 5, and machines as its plain JSON (exports.md 2).

A module is complete: it compiles and its machines start. Actions and foreign actors are stubs that say so when they
run; `machine.provide({...})` replaces them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orca_bridge.definition import Else, GuardName, MachineDefinition, Not

from ._tree import read_tree
from ._xstate_config import ORDINARY, Code, configure, guard_key
from ._xstate_guards import PRELUDE, expression_code, resolved
from ._xstate_names import key, machine_names, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orca_bridge.definition import Expression, TypeExpression

__all__ = ("XStateModule", "xstate", "xstate_json")

_IMPORTS = ("and", "assign", "fromPromise", "not", "or", "raise", "setup", "stateIn")
_SCALARS = {"string": "string", "int": "number", "decimal": "number", "number": "number", "bool": "boolean"}
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class XStateModule:
    """A module, or a configuration, and what it cannot say exactly."""

    text: str
    warnings: tuple[str, ...] = ()


def xstate(machines: Sequence[MachineDefinition]) -> XStateModule:
    """
    Write machines as one TypeScript module for XState 5.

    Args:
        machines: The machines of a document; those that others of them invoke come first in the module.
    """
    names = machine_names(machine.name for machine in machines)
    written: list[str] = []
    warnings: list[str] = []
    known: set[str] = set()
    for machine in _children_first(machines):
        writer = _Writer(machine, names, frozenset(known))
        written.append("\n".join(writer.lines()))
        warnings += [f"{machine.name}: {warning}" for warning in writer.warnings]
        known.add(machine.name)
    body = "\n\n".join(written)
    head = [f"// {' '.join(warning.split())}" for warning in warnings]
    used = [name for name in _IMPORTS if re.search(rf"\b{name}[(<]", body)]
    head += [f'import {{ {", ".join(used)} }} from "xstate";', ""]
    head += [PRELUDE] if "read(" in body or "compare(" in body or "equal(" in body else []
    return XStateModule("\n".join([*head, body]) + "\n", tuple(warnings))


def xstate_json(machine: MachineDefinition) -> XStateModule:
    """Write one machine as a configuration that ``createMachine`` takes, with functions by name only."""
    found = configure(machine, {})
    return XStateModule(json.dumps(_plain(found.root), indent=2, ensure_ascii=False) + "\n", found.warnings)


def _plain(tree: Any) -> Any:
    if isinstance(tree, Code):
        return _plain(tree.name)
    if isinstance(tree, dict):
        return {name: _plain(value) for name, value in tree.items() if not _is_nameless(value)}
    return [_plain(value) for value in tree] if isinstance(tree, list) else tree


def _is_nameless(value: Any) -> bool:
    return isinstance(value, Code) and value.name is None


def _children_first(machines: Sequence[MachineDefinition]) -> list[MachineDefinition]:
    by_name = {machine.name: machine for machine in machines}
    found: dict[str, MachineDefinition] = {}
    visiting: set[str] = set()

    def visit(machine: MachineDefinition) -> None:
        if machine.name in visiting:
            return
        visiting.add(machine.name)
        for child in _invoked(machine):
            if child in by_name:
                visit(by_name[child])
        found[machine.name] = machine

    for machine in machines:
        visit(machine)
    return list(found.values())


def _invoked(machine: MachineDefinition) -> list[str]:
    states = (node.state for node in read_tree(machine))
    found = [state.invoke.machine for state in states if state is not None and state.invoke is not None]
    return list(dict.fromkeys(found))


class _Writer:
    """The writing of one machine."""

    def __init__(self, machine: MachineDefinition, names: dict[str, str], known: frozenset[str]) -> None:
        self.machine, self.known, self.names = machine, known, names
        self.name = names[machine.name]
        configuration = configure(machine, {name: names[name] for name in known})
        self.root, self.more, self.warnings = configuration.root, configuration.guards, list(configuration.warnings)
        self.warnings += [
            f"{child!r} is a stub: it invokes this machine in turn"
            for child in _invoked(machine)
            if child in names and child not in known
        ]

    def lines(self) -> Iterator[str]:
        yield from self._types()
        yield f"export const {self.name[0].lower()}{self.name[1:]}Machine = setup({{"
        yield "  types: {} as {"
        yield f"    context: {self.name}Context;"
        yield f"    events: {self.name}Event;"
        yield f"    input: Partial<{self.name}Context> | undefined;"
        yield f"    output: {{ final_state: string; context: {self.name}Context }};"
        yield "  },"
        yield from self._section("guards", self._guards())
        yield from self._section("actions", self._actions())
        yield from self._section("actors", self._actors())
        yield f"}}).createMachine({_typescript(self.root, '')});"

    def _section(self, name: str, entries: Iterable[str]) -> Iterator[str]:
        found = [f"    {entry}," for entry in entries]
        if found:
            yield from (f"  {name}: {{", *found, "  },")

    # -- types ------------------------------------------------------------------------------------------

    def _types(self) -> Iterator[str]:
        yield f"export type {self.name}Context = {{"
        for field in self.machine.context:
            nullable = " | null" if field.default is None and not field.type.nullable else ""
            yield f"  {key(field.name)}: {_type(field.type)}{nullable};"
        yield "};"
        yield ""
        events = [f"  | {self._event_type(event)}" for event in self._events()]
        if not events and self._takes_any():
            events = ["  | { type: string; [field: string]: unknown }"]
        yield f"export type {self.name}Event =" + ("" if events else " never;")
        if events:
            events[-1] += ";"
            yield from events
        yield ""

    def _events(self) -> list[str]:
        declared = [event.name for event in self.machine.events]
        used = [row.event for row in self.machine.transitions if row.event is not None]
        raised = [outcome.event for outcome in self._outcomes() if outcome is not None and outcome.event is not None]
        return [name for name in dict.fromkeys([*declared, *used, *raised]) if name != "*" and "." not in name]

    def _takes_any(self) -> bool:
        return any(row.event == "*" for row in self.machine.transitions)

    def _outcomes(self) -> Iterator[Any]:
        for node in read_tree(self.machine):
            if node.state is not None:
                yield from (timeout.outcome for timeout in node.state.timeouts)
                yield from (node.state.on_done, node.state.on_error)
                if node.state.invoke is not None:
                    yield from (node.state.invoke.on_done, node.state.invoke.on_error)

    def _event_type(self, name: str) -> str:
        payload = next((event.payload for event in self.machine.events if event.name == name), ())
        if not payload:
            return f"{{ type: {quoted(name)}; [field: string]: unknown }}"
        fields = "; ".join(f"{key(given.name)}: {_type(given.type)}" for given in payload)
        return f"{{ type: {quoted(name)}; {fields} }}"

    # -- implementations --------------------------------------------------------------------------------

    def _guards(self) -> Iterator[str]:
        named = {guard.name: guard.expression for guard in self.machine.guards}
        inline = {guard_key(guard): guard for guard in self._used() if not _is_reference(guard)}
        for name, expression in {**inline, **named}.items():
            # A guard that names others calls the function itself: only rows can be told of them by name.
            code = expression_code(resolved(expression, named))
            parameters = ", ".join(word for word in ("context", "event") if f"read({word}" in code)
            yield f"{quoted(name)}: ({f'{{ {parameters} }}' if parameters else ''}) => {code}"
        yield from (f"{quoted(name)}: {code}" for name, code in self.more.items())
        if self._takes_any():
            yield f'"{ORDINARY}": ({{ event }}) => !String(event.type).startsWith("xstate.")'

    def _used(self) -> Iterator[Expression]:
        for row in self.machine.transitions:
            if row.guard is not None:
                yield row.guard
        for node in read_tree(self.machine):
            for timeout in node.state.timeouts if node.state is not None else ():
                if timeout.guard is not None:
                    yield timeout.guard

    def _actions(self) -> Iterator[str]:
        names: list[str] = []
        effects: list[str] = []
        declared = {action.name: action.effects for action in self.machine.actions}
        for name in self._run():
            names.append(name)
            effects += [f"effect:{effect}" for effect in declared.get(name, ())]
        for name in dict.fromkeys([*names, *effects]):
            yield f"{quoted(name)}: () => {{ throw new Error({quoted(f'not implemented: {name}')}); }}"

    def _run(self) -> Iterator[str]:
        for node in read_tree(self.machine):
            yield from (*node.definition.on_entry, *node.definition.on_exit)
            for timeout in node.state.timeouts if node.state is not None else ():
                yield from timeout.actions
        for row in self.machine.transitions:
            yield from row.actions

    def _actors(self) -> Iterator[str]:
        for child in _invoked(self.machine):
            if child in self.known:
                name = self.names[child]
                yield f"{quoted(child)}: {name[0].lower()}{name[1:]}Machine"
            else:
                yield _stub(child)
        declared = {action.name: action.effects for action in self.machine.actions}
        entered = [name for node in read_tree(self.machine) for name in node.definition.on_entry]
        for effect in dict.fromkeys(effect for name in entered for effect in declared.get(name, ())):
            yield _stub(f"effect:{effect}")


def _stub(name: str) -> str:
    failing = f"async () => {{ throw new Error({quoted(f'not implemented: {name}')}); }}"
    return f"{quoted(name)}: fromPromise<any, any>({failing})"


def _is_reference(guard: Expression) -> bool:
    if isinstance(guard, Not):
        guard = guard.operand
    return isinstance(guard, GuardName | Else)


def _type(kind: TypeExpression | None) -> str:
    if kind is None:
        return "unknown"
    found = _SCALARS.get(kind.kind, "unknown")
    if kind.kind == "list":
        inner = _type(kind.arguments[0]) if kind.arguments else "unknown"
        found = f"({inner})[]" if " " in inner else f"{inner}[]"
    elif kind.kind == "map":
        found = f"Record<string, {_type(kind.arguments[1]) if len(kind.arguments) > 1 else 'unknown'}>"
    elif kind.kind == "enum":
        found = " | ".join(map(quoted, kind.values)) or "string"
    return f"{found} | null" if kind.nullable else found


def _typescript(tree: Any, indent: str) -> str:
    """Write a value, on one line where it is short."""
    if isinstance(tree, Code):
        return tree.text
    if not isinstance(tree, dict | list):
        return json.dumps(tree, ensure_ascii=False)
    inner = indent + "  "
    if isinstance(tree, dict):
        entries = [f"{key(name)}: {_typescript(value, inner)}" for name, value in tree.items()]
        opening, closing = "{", "}"
    else:
        entries = [_typescript(value, inner) for value in tree]
        opening, closing = "[", "]"
    space = " " if opening == "{" and entries else ""
    short = f"{opening}{space}{', '.join(entries)}{space}{closing}"
    if len(indent) + len(short) <= _WIDTH and "\n" not in short and "states: {" not in short:
        return short
    return "\n".join([opening, *(f"{inner}{entry}," for entry in entries), f"{indent}{closing}"])
