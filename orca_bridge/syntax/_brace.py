"""
Brace text, the older syntax (language.md 8): blocks in braces to the definitions that Markdown gives.

The same readers give names, types, guards and bullets their meaning; here is only what finds their texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._actions import declare_action
from ._brace_cursor import Cursor
from ._brace_states import StateBlocks
from ._brace_tokens import TokenList
from ._context import declare_field
from ._diagnostics import BOTH
from ._draft import Draft
from ._effects import declare_effect
from ._events import read_event_list
from ._guard_table import declare_guards
from ._machine import Preamble, finish
from ._properties import read_property
from ._rows import Row
from ._source import Text
from ._states import StateTree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orca_bridge.definition import MachineDefinition

    from ._diagnostics import Findings

_QUBIT = re.compile(r"\bqubits?\b", re.IGNORECASE)
_CONSTANTS = {"true": "bool", "false": "bool", "null": "any"}
_SECTIONS = "context, events, state, transitions, guards, actions, effects, properties"


def read_brace(lines: Sequence[str], start: Text, findings: Findings) -> tuple[MachineDefinition, ...]:
    """Read all machines of a file."""
    message = "current tools read no brace text, and the two that did disagreed"
    findings.portability("PORT_BRACE", message, start, "write the document in Markdown", BOTH)
    tokens = TokenList(lines)
    cursor = Cursor(tokens, findings)
    machines: list[MachineDefinition] = []
    names: dict[str, int] = {}
    while not cursor.at_end():
        if cursor.at("machine") and cursor.ahead().kind == "name":
            machine = _MachineReader(cursor, names).read()
            machines += [machine] if machine is not None else []
            cursor.findings = findings
        elif not cursor.accept(",", ";"):
            cursor.fail("this belongs to no machine", "begin the machine with 'machine Name' above it")
            cursor.accept("}")  # nothing is open here
    if not names and not findings.failed:
        findings.error("NO_DEFINITION", "the file defines no machine", start, "begin it with 'machine Name'")
    return tuple(machines)


class _MachineReader:
    """Reads one machine; expressions wait until all names are known."""

    def __init__(self, cursor: Cursor, names: dict[str, int]) -> None:
        cursor.position += 1
        self.cursor = cursor
        self.name = cursor.take()
        self.findings = cursor.findings.within(self.name.value)
        # What other tools make of it is said once for the file: nothing.
        self.findings.compares_tools = False
        cursor.findings = self.findings
        if self.name.value in names:
            message = f"{self.name.value!r} is defined already (line {names[self.name.value]})"
            self.findings.error("DUPLICATE_MACHINE", message, self.name, "rename one of them")
        names.setdefault(self.name.value, self.name.line)
        self.draft = Draft(self.findings, StateTree(self.findings))
        self.states = StateBlocks(cursor, self.draft)
        self.guards: list[Row] = []
        self.properties: list[Text] = []

    def read(self) -> MachineDefinition | None:
        cursor = self.cursor
        if cursor.at("{"):
            opening = cursor.position
            cursor.position += 1
            while cursor.inside(opening):
                self.section()
        else:
            while not cursor.at_end() and not (cursor.at("machine") and cursor.ahead().kind == "name"):
                if cursor.at("}"):
                    cursor.fail("no block is open here", "remove '}'")
                    cursor.position += 1
                elif not cursor.accept(",", ";"):
                    self.section()
        self.draft.states.check()
        declare_guards(self.guards, self.draft)
        return finish(self.name, self.draft, Preamble(), self.read_properties)

    def read_properties(self) -> None:
        for text in self.properties:
            read_property(text, self.draft, ticked=False)

    def section(self) -> None:
        cursor = self.cursor
        word, following = cursor.token.value, cursor.ahead()
        if word == "state" and following.kind == "name":
            cursor.position += 1
            self.states.state(None)
        elif word == "transitions" and following.value == "{":
            cursor.position += 1
            self.states.rows(None)
        elif word in self.entries and following.value == "{":
            cursor.position += 1
            self.block(self.entries[word])
        elif cursor.token.kind == "name" and following.value == "{":
            self.unknown()
        else:
            cursor.fail(f"{word!r} begins no section of a machine", f"known here: {_SECTIONS}")

    def unknown(self) -> None:
        name = self.cursor.take()
        near = self.findings.nearest(name.value.lower(), [*self.entries, "transitions", "state"])
        message = f"the section {name.value!r} is unknown and ignored"
        suggestion = f"write '{near}'" if near else f"known here: {_SECTIONS}"
        self.findings.warning("UNKNOWN_SECTION", message, name, suggestion)
        self.cursor.skip_block()

    def block(self, read: Callable[[_MachineReader], None]) -> None:
        opening = self.cursor.enter()
        while opening is not None and self.cursor.inside(opening):
            before = self.cursor.position
            read(self)
            if self.cursor.position == before:
                self.cursor.fail("this means nothing here", "write an entry of the section")

    def key(self, example: str) -> Text | None:
        """Read ``name:``."""
        if self.cursor.token.kind != "name" or self.cursor.ahead().value != ":":
            self.cursor.fail(f"{self.cursor.token.value!r} begins no entry here", f"write '{example}'")
            return None
        name = self.cursor.take()
        self.cursor.position += 1
        return name

    # The entries of each section.

    def event(self) -> None:
        if self.cursor.token.kind != "name":
            self.cursor.fail(f"{self.cursor.token.value!r} cannot name an event", "write names only")
            return
        start = self.cursor.position
        self.cursor.position += 1
        if self.cursor.at("("):
            self.cursor.bracketed()
        read_event_list(self.cursor.since(start), self.draft)

    def field(self) -> None:
        cursor = self.cursor
        start = cursor.position
        name = self.key("field: type = value")
        if name is None:
            return
        kind = self.inferred()
        default: Text | None = None
        if kind is None:
            kind = self.type()
            if cursor.accept("="):
                default = self.literal()
        else:
            default = self.literal()
        whole = cursor.since(start)
        if _QUBIT.search(kind.value):
            message = "this document is in the quantum dialect"
            suggestion = "register a foreign runner for it; orca_bridge does not simulate qubits"
            self.findings.error("UNSUPPORTED_DIALECT", message, kind, suggestion)
        cells = {"Field": name, "Type": kind} | ({} if default is None else {"Default": default})
        declare_field(Row(cells, whole), self.draft)

    def inferred(self) -> Text | None:
        """Give the type that a literal shows; None if a type comes."""
        token = self.cursor.token
        at = self.cursor.nothing()
        kind = None
        if token.kind == "string":
            kind = "string"
        elif token.kind == "number" or self.cursor.at("-", "+"):
            number = token.value if token.kind == "number" else self.cursor.ahead().value
            kind = "int" if number.replace("_", "").isdecimal() else "decimal"
        elif self.cursor.at("[", "{"):
            kind = "list" if token.value == "[" else "map"
        elif token.kind == "name":
            kind = _CONSTANTS.get(token.value.lower())
        return None if kind is None else Text(kind, at.line, at.first)

    def type(self) -> Text:
        """Step over a type."""
        cursor = self.cursor
        start = cursor.position
        if cursor.token.kind == "name":
            cursor.position += 1
        if cursor.at("<"):
            self.angles()
        elif cursor.at("("):
            cursor.bracketed()
        while cursor.at("?") or (cursor.at("[") and cursor.ahead().value == "]"):
            cursor.position += 1 if cursor.at("?") else 2
        return cursor.since(start)

    def angles(self) -> None:
        cursor = self.cursor
        depth = 0
        while not cursor.at_end() and not cursor.at("{", "}", ":"):
            depth += cursor.at("<") - cursor.at(">")
            cursor.position += 1
            if depth == 0:
                return

    def literal(self) -> Text:
        """Step over a value."""
        cursor = self.cursor
        start = cursor.position
        if cursor.at("[", "{"):
            if not cursor.bracketed():
                cursor.fail("the value is not closed", "end it with a bracket")
            return cursor.since(start)
        cursor.accept("-", "+")
        if cursor.token.kind in {"name", "number", "string"}:
            cursor.position += 1
        return cursor.since(start)

    def guard(self) -> None:
        start = self.cursor.position
        name = self.key("guard: ctx.count < 3")
        if name is not None:
            expression = self.cursor.expression()
            self.guards.append(Row({"Name": name, "Expression": expression}, self.cursor.since(start)))

    def action(self) -> None:
        start = self.cursor.position
        name = self.key("action: (ctx) -> Context")
        if name is None:
            return
        signature = self.signature()
        declare_action(Row({"Name": name, "Signature": signature}, self.cursor.since(start)), self.draft)

    def signature(self) -> Text:
        cursor = self.cursor
        start = cursor.position
        if cursor.at("(") and not cursor.bracketed():
            cursor.fail("the parenthesis is not closed", "end the parameters with ')'")
            return cursor.since(start)
        if cursor.accept("->", "=>"):
            self.type()
            while cursor.accept("+"):
                self.type()
        return cursor.since(start)

    def effect(self) -> None:
        cursor = self.cursor
        start = cursor.position
        if cursor.token.kind != "name":
            cursor.fail(f"{cursor.token.value!r} cannot name an effect", "write 'Name: text'")
            return
        cells = {"Name": cursor.take()}
        if cursor.accept(":"):
            begin = cursor.position
            while (
                not cursor.at_end()
                and not cursor.at("}", ",")
                and not (cursor.position > begin and cursor.token.starts_line)
            ):
                if cursor.at("{"):
                    cursor.skip_block()
                else:
                    cursor.position += 1
            cells["Description"] = cursor.since(begin)
        declare_effect(Row(cells, cursor.since(start)), self.draft)

    def claim(self) -> None:
        start = self.cursor.position
        if self.cursor.ahead().value == ":":
            self.cursor.position += 2
        elif self.cursor.token.value.lower() == "always" and self.cursor.ahead(2).value == ":":
            self.cursor.position += 3
        self.cursor.expression()
        self.properties.append(self.cursor.since(start))

    entries: dict[str, Callable[[_MachineReader], None]] = {  # noqa: RUF012 - never changed
        "context": field,
        "events": event,
        "guards": guard,
        "actions": action,
        "effects": effect,
        "properties": claim,
    }
