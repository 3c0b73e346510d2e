"""
Machines as SCXML 1.0 (exports.md 3).

SCXML takes events by prefix: ``done.state.p`` also means ``done.state.p.r``. State ids are full paths here, so every
transition for a system event asks for the whole name.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from orca_bridge.definition import Else

from ._scxml_guards import ECMASCRIPT, PYTHON, Guards
from ._scxml_read import carried
from ._tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orca_bridge.definition import (
        InvokeDefinition,
        MachineDefinition,
        Outcome,
        StateDefinition,
        TimeoutDefinition,
        TransitionDefinition,
    )

    from ._tree import Node

__all__ = ("ActionStyle", "DataModel", "SCXMLDocument", "scxml")

DataModel: TypeAlias = Literal["ecmascript", "python"]
ActionStyle: TypeAlias = Literal["script", "raise"]

_NAMESPACE = "http://www.w3.org/2005/07/scxml"
_SYSTEM = ("done", "error", "timeout")


@dataclass(frozen=True, slots=True)
class SCXMLDocument:
    """A document, and what it cannot say exactly."""

    text: str
    warnings: tuple[str, ...] = ()


def scxml(
    machine: MachineDefinition,
    *,
    datamodel: DataModel = "ecmascript",
    actions: ActionStyle | None = None,
    others: Sequence[MachineDefinition] = (),
) -> SCXMLDocument:
    """
    Write a machine as an SCXML document.

    Args:
        machine: What a document says about it.
        datamodel: The language of expressions; ``"python"`` is for python-statemachine's own reader.
        actions: Whether an action is a call in a script, or an event ``action.NAME`` that is raised. By default it is
            raised with ``"python"``, whose reader refuses scripts in documents that it is not told to trust.
        others: The machines that it may invoke; they are written into the document.
    """
    style: ActionStyle = actions or ("raise" if datamodel == "python" else "script")
    writer = _Writer(machine, datamodel, style, {other.name: other for other in others}, (machine.name,))
    *lines, last = ['<?xml version="1.0" encoding="UTF-8"?>', *writer.lines("")]
    lines.append(carried("\n".join([*lines, last]), machine))
    return SCXMLDocument("\n".join([*lines, last]) + "\n", tuple(dict.fromkeys(writer.warnings)))


class _Writer:
    def __init__(
        self,
        machine: MachineDefinition,
        datamodel: DataModel,
        style: ActionStyle,
        others: Mapping[str, MachineDefinition],
        within: tuple[str, ...],
    ) -> None:
        self.machine, self.others, self.within = machine, others, within
        self.datamodel: DataModel = datamodel
        self.style: ActionStyle = style
        self.dialect = PYTHON if datamodel == "python" else ECMASCRIPT
        self.guards = Guards(self.dialect, {guard.name: guard.expression for guard in machine.guards})
        self.tree = read_tree(machine)
        self.finals = {node.path for node in self.tree if node.kind == "final"}
        self.effects = {action.name: action.effects for action in machine.actions}
        self.timers = [
            _timer(node.path, timeout, number)
            for node in self.tree
            if node.state is not None
            for number, timeout in enumerate(node.state.timeouts)
        ]
        self.warnings: list[str] = []

    def lines(self, indent: str) -> Iterator[str]:
        initial = next((node.path for node in self.tree.roots if node.initial), None)
        name = re.sub(r"[^\w.-]+", "_", self.machine.name)
        attributes = {"xmlns": _NAMESPACE, "version": "1.0", "name": name, "datamodel": self.datamodel}
        yield _open("scxml", {**attributes, "initial": initial}, indent)
        yield from _comment(self.machine.description, indent + "  ")
        # First the states: a field that is not declared, and that a guard reads, has to be there all the same.
        states = [line for node in self.tree.roots for line in self._node(node, indent + "  ")]
        yield from self._datamodel(indent + "  ")
        yield from states
        yield f"{indent}</scxml>"
        if self.guards.counts_elements and self.datamodel == "python":
            self.warnings.append("guards count elements with len(), which python-statemachine runs with trusted=True")

    def _datamodel(self, indent: str) -> Iterator[str]:
        fields: dict[str, object] = {one.name: one.default for one in self.machine.context}
        fields |= dict.fromkeys(sorted(self.guards.fields - fields.keys()))
        data = [{"id": self.dialect.field(name), "expr": self.dialect.literal(fields[name])} for name in fields]
        yield from _block("datamodel", [_empty("data", one, "") for one in data], indent)

    # -- states -----------------------------------------------------------------------------------------

    def _node(self, node: Node, indent: str) -> Iterator[str]:
        tag = {"final": "final", "parallel": "parallel"}.get(node.kind, "state")
        initial = next((child.path for child in node.children if child.initial), None)
        attributes = {"id": node.path, "initial": None if node.kind == "parallel" else initial}
        inner = list(self._content(node, indent + "  "))
        if not inner:
            yield _empty(tag, attributes, indent)
            return
        yield _open(tag, attributes, indent)
        yield from inner
        yield f"{indent}</{tag}>"

    def _content(self, node: Node, indent: str) -> Iterator[str]:
        found, state = node.definition, node.state
        yield from _comment(found.description, indent)
        timers = [_timer(node.path, one, number) for number, one in enumerate(state.timeouts)] if state else []
        sends = [timer.send() for timer in timers]
        yield from _block("onentry", [*sends, *self._actions(found.on_entry)], indent)
        yield from _block("onexit", [*(timer.cancel() for timer in timers), *self._actions(found.on_exit)], indent)
        if node.kind != "final":
            for timer in timers:
                yield from self._timeout(timer, indent)
            yield from self._rows(node, indent)
            yield from self._outcomes(node, indent)
        elif any(row.source == node.path and row.target is None for row in self.machine.transitions):
            self.warnings.append(f"{node.path!r} is final, and a final state of SCXML has no rows")
        if node.kind == "final" and not node.parent and len(self.within) > 1:
            yield from self._donedata(indent)
        for child in node.children:
            yield from self._node(child, indent)
        if state is not None and state.invoke is not None:
            yield from self._invoke(state, state.invoke, indent)

    def _rows(self, node: Node, indent: str) -> Iterator[str]:
        for row in self._ordered(node.path):
            yield from self._row(row, indent)
        ignored = node.definition.ignored
        if ignored:
            yield _empty("transition", {"event": " ".join(ignored)}, indent)
        if not node.parent:
            for row in self._ordered("*"):
                yield from self._row(row, indent)

    def _ordered(self, source: str) -> list[TransitionDefinition]:
        """Give the rows of a state as they are tried: ``*`` after the other events, ``else`` last of its event."""
        rows = [row for row in self.machine.transitions if row.source == source]
        found: list[TransitionDefinition] = []
        for event in dict.fromkeys(row.event for row in rows):
            same = [row for row in rows if row.event == event]
            found += sorted(same, key=lambda row: isinstance(row.guard, Else))
        return sorted(found, key=lambda row: row.event == "*")

    def _row(self, row: TransitionDefinition, indent: str) -> Iterator[str]:
        tests = []
        if row.event == "*":
            tests = [self._asks("_event.type", "external"), *(self._unlike(timer.event) for timer in self.timers)]
        elif row.event is not None and (row.event in _SYSTEM or row.event.startswith("done.")):
            tests = [self._asks("_event.name", row.event)]
        if row.guard is not None and not isinstance(row.guard, Else):
            payload = row.event is not None
            tests.append(self.guards.write(row.guard, payload=payload))
        yield from self._transition(row.event, tests, row.target, self._actions(row.actions), indent)

    def _asks(self, what: str, value: str) -> str:
        return f"{what} {self.dialect.equal} {_quoted(value)}"

    def _unlike(self, event: str) -> str:
        return f"_event.name {self.dialect.unequal} {_quoted(event)}"

    def _transition(
        self, event: str | None, tests: Sequence[str], target: str | None, content: Sequence[str], indent: str
    ) -> Iterator[str]:
        written = tests if len(tests) < 2 else [f"({test})" for test in tests]  # noqa: PLR2004 - one needs no brackets
        attributes = {"event": event, "cond": self.dialect.conjunction.join(written) or None, "target": target}
        attributes["type"] = "external" if target is not None else None
        if not content:
            yield _empty("transition", attributes, indent)
            return
        yield _open("transition", attributes, indent)
        yield from (f"{indent}  {line}" for line in content)
        yield f"{indent}</transition>"

    # -- what states do by themselves -------------------------------------------------------------------

    def _timeout(self, timer: _Timer, indent: str) -> Iterator[str]:
        timeout = timer.timeout
        tests = [self.guards.write(timeout.guard, payload=False)] if timeout.guard is not None else []
        content = [*self._actions(timeout.actions), *_raised(timeout.outcome)]
        yield from self._transition(timer.event, tests, timeout.outcome.target, content, indent)

    def _outcomes(self, node: Node, indent: str) -> Iterator[str]:
        state = node.state
        if state is None:
            return
        if state.on_done is not None:
            done = [f"done.state.{node.path}"]
            if node.kind == "parallel" and state.sync == "any-final":
                done = [f"done.state.{region.path}" for region in node.children]
            elif node.kind == "parallel" and state.sync == "custom":
                self.warnings.append(f"{node.path!r} is done when a function of the host says so; SCXML waits for all")
            for event in done:
                yield from self._outcome(event, state.on_done, indent)
        if state.on_error is not None:
            yield from self._transition("error", [], state.on_error.target, _raised(state.on_error), indent)

    def _outcome(self, event: str, outcome: Outcome, indent: str, before: Sequence[str] = ()) -> Iterator[str]:
        tests = [self._asks("_event.name", event)]
        yield from self._transition(event, tests, outcome.target, [*before, *_raised(outcome)], indent)

    def _invoke(self, state: StateDefinition, invoke: InvokeDefinition, indent: str) -> Iterator[str]:
        child = self.others.get(invoke.machine)
        if invoke.shots is not None:
            self.warnings.append(f"the shots of {state.path!r} are not passed on")
        inline = child is not None and child.name not in self.within
        if inline and self.datamodel == "python":
            self.warnings.append(f"python-statemachine takes {invoke.machine!r} for done when it has only come to rest")
        attributes = {"type": "scxml", "id": state.path, "src": None if inline else invoke.machine}
        yield _open("invoke", attributes, indent)
        for value in invoke.input:
            path = value.path
            expr = self.guards.operand(path, payload=True) if path is not None else self.dialect.literal(value.literal)
            yield _empty("param", {"name": self.dialect.field(value.name), "expr": expr}, indent + "  ")
        if child is not None and inline:
            writer = _Writer(child, self.datamodel, self.style, self.others, (*self.within, child.name))
            yield f"{indent}  <content>"
            yield from writer.lines(indent + "    ")
            yield f"{indent}  </content>"
            self.warnings += writer.warnings
        yield f"{indent}</invoke>"
        taken = [
            _empty("assign", {"location": self.dialect.field(field), "expr": f"_event.data.{name}"}, "")
            for field, name in invoke.returns
        ]
        if invoke.on_done is not None:
            yield from self._outcome(f"done.invoke.{state.path}", invoke.on_done, indent, taken)
        elif taken:
            event = f"done.invoke.{state.path}"
            yield from self._transition(event, [self._asks("_event.name", event)], None, taken, indent)
        if invoke.on_error is not None:
            raised = _raised(invoke.on_error)
            yield from self._transition("error.communication", [], invoke.on_error.target, raised, indent)

    def _donedata(self, indent: str) -> Iterator[str]:
        names = [field.name for field in self.machine.context]
        if names:
            yield f"{indent}<donedata>"
            yield from (
                _empty("param", {"name": name, "expr": self.dialect.field(name)}, indent + "  ") for name in names
            )
            yield f"{indent}</donedata>"

    def _actions(self, names: Iterable[str]) -> list[str]:
        found: list[str] = []
        for name in names:
            if self.style == "raise":
                found.append(_empty("raise", {"event": f"action.{name}"}, ""))
            else:
                called = re.sub(r"\W", "_", name)
                found.append(f"<script>{called}(){'' if self.datamodel == 'python' else ';'}</script>")
            found += [_empty("raise", {"event": f"effect.{effect}"}, "") for effect in self.effects.get(name, ())]
        return found


@dataclass(frozen=True, slots=True)
class _Timer:
    """A timeout as a delayed event."""

    event: str
    timeout: TimeoutDefinition

    def send(self) -> str:
        delay = f"'{self.timeout.milliseconds}ms'"
        return _empty("send", {"event": self.event, "id": self.event, "delayexpr": delay}, "")

    def cancel(self) -> str:
        return _empty("cancel", {"sendid": self.event}, "")


def _timer(path: str, timeout: TimeoutDefinition, number: int) -> _Timer:
    # The last token keeps the timer of a state apart from those of the states in it.
    return _Timer(f"timeout.{path}.timer-{number + 1}", timeout)


def _raised(outcome: Outcome) -> list[str]:
    return [_empty("raise", {"event": outcome.event}, "")] if outcome.event is not None else []


# -- XML ----------------------------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    return f"'{text}'"


def _attributes(given: Mapping[str, str | None]) -> str:
    return "".join(f' {name}="{_escaped(value)}"' for name, value in given.items() if value is not None)


def _escaped(text: str) -> str:
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\N{REPLACEMENT CHARACTER}", text)
    escaped = html.escape(text, quote=False).replace('"', "&quot;")
    return escaped.replace("\n", "&#10;").replace("\t", "&#9;").replace("\r", "&#13;")


def _open(tag: str, attributes: Mapping[str, str | None], indent: str) -> str:
    return f"{indent}<{tag}{_attributes(attributes)}>"


def _empty(tag: str, attributes: Mapping[str, str | None], indent: str) -> str:
    return f"{indent}<{tag}{_attributes(attributes)}/>"


def _block(tag: str, content: Sequence[str], indent: str) -> Iterator[str]:
    if content:
        yield f"{indent}<{tag}>"
        yield from (f"{indent}  {line}" for line in content)
        yield f"{indent}</{tag}>"


def _comment(text: str, indent: str) -> Iterator[str]:
    if text:
        # Two dashes end a comment.
        shown = _escaped(" ".join(text.split())).replace("--", "- -").removesuffix("-")
        yield f"{indent}<!-- {shown} -->"
