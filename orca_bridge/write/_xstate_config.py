"""
A machine as a configuration of XState 5: plain data, with code only where XState wants a function.

XState asks the rows of an exact event and, only if there are none, those of ``*``; so the rows for ``*`` follow the
rows of each event. A transition to the own state or one inside it is internal there unless it says ``reenter``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from orca_bridge.definition import Else, GuardName, InvokeInput, Not, Path

from ._guard_text import guard_text
from ._tree import read_tree
from ._xstate_guards import path_code
from ._xstate_names import key, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orca_bridge.definition import (
        Expression,
        InvokeDefinition,
        MachineDefinition,
        Outcome,
        StateDefinition,
        TransitionDefinition,
    )

    from ._tree import Node

__all__ = ("ORDINARY", "Code", "Configuration", "configure", "guard_key", "machine_id")

Config: TypeAlias = dict[str, Any]

ORDINARY = "is ordinary"
"""The guard of rows for ``*``, which do not take the events of XState itself."""


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of TypeScript, and what stands for it in JSON: a name, or nothing."""

    text: str
    name: Any = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration of one machine, and what it cannot say exactly."""

    root: Config
    guards: dict[str, str]
    """Code of guards that are none of the document's."""
    warnings: tuple[str, ...]


def machine_id(machine: MachineDefinition) -> str:
    """Give the id that targets begin with: the name, without what has a meaning there."""
    return re.sub(r"[^\w-]+", "_", machine.name)


def configure(machine: MachineDefinition, types: dict[str, str]) -> Configuration:
    """
    Make the configuration of a machine.

    Args:
        machine: What a document says about it.
        types: The name in TypeScript of each machine of the document.
    """
    builder = _Builder(machine, types)
    root = builder.root()
    return Configuration(root, builder.guards, tuple(dict.fromkeys(builder.warnings)))


def guard_key(guard: Expression) -> str:
    """Give the name under which a guard is kept: that of the document, or the expression itself."""
    return guard_text(guard)


class _Builder:
    def __init__(self, machine: MachineDefinition, types: dict[str, str]) -> None:
        self.machine, self.types = machine, types
        self.id = machine_id(machine)
        self.tree = read_tree(machine)
        self.nodes = self.tree.by_path()
        self.effects = {action.name: action.effects for action in machine.actions}
        self.guards: dict[str, str] = {}
        self.warnings: list[str] = []

    def root(self) -> Config:
        found: Config = {"id": self.id}
        if self.machine.description:
            found["description"] = self.machine.description
        fields = {field.name: field.default for field in self.machine.context}
        code = f"({{ input }}) => ({{ {_properties(fields)}...input }})"
        found["context"] = Code(code, fields)
        found |= self._inside(self.tree.roots)
        found |= self._rows("*")
        found["output"] = Code("({ context, event }) => ({ final_state: String(event.output), context })")
        return found

    def _inside(self, nodes: Sequence[Node]) -> Config:
        states = {node.name: self._node(node) for node in nodes}
        if nodes and nodes[0].kind == "region":
            return {"type": "parallel", "states": states}
        initial = next((node.name for node in nodes if node.initial), None)
        return {"initial": initial, "states": states}

    def _node(self, node: Node) -> Config:
        found: Config = {}
        definition = node.definition
        if definition.description:
            found["description"] = definition.description
        if node.kind == "final":
            found["type"] = "final"
            found |= {} if node.parent else {"output": node.path}
        elif node.children:
            found |= self._inside(node.children)
        for word, actions in (("entry", definition.on_entry), ("exit", definition.on_exit)):
            if actions:
                found[word] = self._actions(actions, effects=word == "exit")
        invokes = [
            self._effect(node, action, effect)
            for action in definition.on_entry
            for effect in self.effects.get(action, ())
        ]
        if node.state is not None:
            invokes = [*self._invoke(node.state), *invokes]
            found |= self._timeouts(node.state)
        if invokes:
            found["invoke"] = invokes[0] if len(invokes) == 1 else invokes
        found |= self._rows(node.path, definition.ignored)
        if node.state is not None:
            self._outcomes(node, node.state, found)
        return found

    # -- rows -------------------------------------------------------------------------------------------

    def _rows(self, path: str, ignored: Sequence[str] = ()) -> Config:
        rows = [row for row in self.machine.transitions if row.source == path and not self._is_idle(row)]
        always = _else_last(row for row in rows if row.event is None)
        anything = _else_last(row for row in rows if row.event == "*")
        names = [row.event for row in rows if row.event not in (None, "*")]
        events: Config = {}
        for event in dict.fromkeys([*names, *ignored]):
            here = [*_else_last(row for row in rows if row.event == event), *anything]
            events[self._event(str(event))] = _one_or_all(
                [*(self._transition(row) for row in here), *([{}] if event in ignored else [])]
            )
        if anything:
            events["*"] = _one_or_all([self._transition(row) for row in anything])
        found: Config = {"always": _one_or_all([self._transition(row) for row in always])} if always else {}
        return found | ({"on": events} if events else {})

    def _is_idle(self, row: TransitionDefinition) -> bool:
        """Whether a row stays in a final state, where it changes nothing."""
        source = self.nodes.get(row.source)
        return source is not None and source.kind == "final" and row.target in (row.source, None)

    def _transition(self, row: TransitionDefinition) -> Config:
        found = self._to(row.source, row.target)
        guard = self._guard(row.guard)
        if row.event == "*":
            inner = guard.text if guard is not None else ""
            text = f'and(["{ORDINARY}", {inner}])' if inner else f'"{ORDINARY}"'
            name = f"{ORDINARY} and {guard.name}" if guard is not None else ORDINARY
            guard = Code(text, name)
        if guard is not None:
            found["guard"] = guard
        return found | ({"actions": self._actions(row.actions)} if row.actions else {})

    def _to(self, source: str, target: str | None) -> Config:
        if target is None:
            return {}
        within = source != "*" and (target == source or target.startswith(f"{source}."))
        return {"target": f"#{self.id}.{target}"} | ({"reenter": True} if within else {})

    def _guard(self, guard: Expression | None) -> Code | None:
        if guard is None or isinstance(guard, Else):
            return None
        name = guard_key(guard)
        if isinstance(guard, Not) and isinstance(guard.operand, GuardName):
            return Code(f"not({quoted(guard.operand.name)})", name)
        return Code(quoted(name), name)

    def _event(self, event: str) -> str:
        """Give the name that XState has for an event, if it is one that the machine itself raises."""
        for prefix, theirs in (
            ("done.state.", f"xstate.done.state.{self.id}."),
            ("done.invoke.", "xstate.done.actor."),
            ("error.invoke.", "xstate.error.actor."),
        ):
            if event.startswith(prefix):
                return theirs + event.removeprefix(prefix)
        if "." in event or event == "error":
            self.warnings.append(f"XState raises no event {event!r}; the rows for it never run")
        return event

    def _actions(self, names: Iterable[str], *, effects: bool = True) -> Any:
        found: list[str] = []
        for name in names:
            found.append(name)
            found += [f"effect:{effect}" for effect in self.effects.get(name, ()) if effects]
        return _one_or_all(found)

    # -- what states do by themselves -------------------------------------------------------------------

    def _timeouts(self, state: StateDefinition) -> Config:
        after: dict[str, list[Config]] = {}
        for timeout in state.timeouts:
            found = self._outcome(state.path, timeout.outcome)
            guard = self._guard(timeout.guard)
            if guard is not None:
                found["guard"] = guard
            names = _many(self._actions(timeout.actions))
            actions = [*names, *_many(found.get("actions", []))]
            found |= {"actions": _one_or_all(actions)} if actions else {}
            after.setdefault(str(timeout.milliseconds), []).append(found)
        return {"after": {delay: _one_or_all(found) for delay, found in after.items()}} if after else {}

    def _outcome(self, source: str, outcome: Outcome) -> Config:
        if outcome.target is not None:
            return self._to(source, outcome.target)
        return {"actions": Code(f"raise({{ type: {quoted(str(outcome.event))} }} as never)", f"raise:{outcome.event}")}

    def _outcomes(self, node: Node, state: StateDefinition, found: Config) -> None:
        if state.on_done is not None:
            if node.kind == "parallel" and state.sync == "any-final":
                self._any_final(node, state.on_done, found)
            elif node.kind == "parallel" and state.sync == "custom":
                self.warnings.append(
                    f"{state.path!r} is done when a function of the host says so; XState waits for all"
                )
                found["onDone"] = self._outcome(state.path, state.on_done)
            else:
                found["onDone"] = self._outcome(state.path, state.on_done)
        if state.on_error is not None:
            self.warnings.append(
                f"XState stops at an error of an action; 'on_error' of {state.path!r} takes others only"
            )
            found.setdefault("on", {})["xstate.error.*"] = self._outcome(state.path, state.on_error)

    def _any_final(self, node: Node, outcome: Outcome, found: Config) -> None:
        finals = [child.path for region in node.children for child in region.children if child.kind == "final"]
        inside = ", ".join(f"stateIn({quoted(f'#{self.id}.{path}')})" for path in finals)
        if outcome.target is None or not finals:
            # A row without event that stays would be taken again and again; regions tell when they are done.
            for region in node.children:
                found["states"][region.name]["onDone"] = self._outcome(region.path, outcome)
            return
        name = f"any final in {node.path}"
        self.guards[name] = f"or([{inside}])"
        done = self._to(node.path, outcome.target) | {"guard": name}
        found["always"] = _one_or_all([*_many(found.get("always", [])), done])

    def _effect(self, node: Node, action: str, effect: str) -> Config:
        call = f"({{ context, event }}: any) => ({{ action: {quoted(action)}, context, event }})"
        return {
            "src": f"effect:{effect}",
            "id": f"{node.path}:{action}:{effect}",
            "input": Code(call, {"action": action}),
            "onDone": {"actions": Code("assign(({ event }) => (event.output ?? {}) as object)", f"merge:{effect}")},
            "onError": {},
        }

    def _invoke(self, state: StateDefinition) -> list[Config]:
        invoke = state.invoke
        if invoke is None:
            return []
        found: Config = {"src": invoke.machine, "id": state.path}
        if invoke.shots is not None:
            self.warnings.append(f"the shots of {state.path!r} are not passed on")
        if invoke.input or invoke.machine in self.types:
            found["input"] = self._input(invoke)
        done = [
            *self._returns(invoke),
            *self._result(
                invoke, invoke.on_done, "final_state: event.output.final_state, context: event.output.context"
            ),
        ]
        found["onDone"] = self._finished(state, invoke.on_done, done)
        failed = self._result(invoke, invoke.on_error, 'error: { code: "ERROR", message: String(event.error) }')
        if invoke.on_error is not None:
            found["onError"] = self._finished(state, invoke.on_error, failed)
        return [found]

    def _finished(self, state: StateDefinition, outcome: Outcome | None, actions: list[Code]) -> Config:
        found = self._to(state.path, outcome.target) if outcome is not None else {}
        return found | ({"actions": _one_or_all(actions)} if actions else {})

    def _input(self, invoke: InvokeDefinition) -> Code:
        given = ", ".join(f"{key(value.name)}: {_input_code(value)}" for value in invoke.input)
        loose = "" if invoke.machine in self.types else ": any"
        cast = f" as Partial<{self.types[invoke.machine]}Context>" if invoke.machine in self.types else ""
        names = {value.name: value.text or json.dumps(value.literal) for value in invoke.input}
        return Code(f"({{ context, event }}{loose}) => ({{ {given} }}){cast}", names)

    def _returns(self, invoke: InvokeDefinition) -> list[Code]:
        if not invoke.returns:
            return []
        taken = ", ".join(
            f'{key(field)}: ({{ event }}) => read(event.output, "context", {quoted(name)}) as any'
            for field, name in invoke.returns
        )
        return [Code(f"assign({{ {taken} }})", f"returns:{invoke.machine}")]

    def _result(self, invoke: InvokeDefinition, outcome: Outcome | None, more: str) -> list[Code]:
        if outcome is None or outcome.event is None:
            return []
        event = f"{{ type: {quoted(outcome.event)}, child: {quoted(invoke.machine)}, {more} }}"
        return [Code(f"raise(({{ event }}: any) => ({event}) as never)", f"raise:{outcome.event}")]


def _input_code(value: InvokeInput) -> str:
    return path_code(value.path) if isinstance(value.path, Path) else json.dumps(value.literal)


def _properties(fields: dict[str, Any]) -> str:
    return "".join(f"{key(name)}: {json.dumps(value, ensure_ascii=False)}, " for name, value in fields.items())


def _else_last(rows: Iterable[TransitionDefinition]) -> list[TransitionDefinition]:
    return sorted(rows, key=lambda row: isinstance(row.guard, Else))


def _many(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _one_or_all(found: list[Any]) -> Any:
    return found[0] if len(found) == 1 else found
