"""The states of brace text: nested blocks to the tree that Markdown headings make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._annotations import read_tail
from ._bullets import BULLETS, Bullet, add_move, read_keyed, report_unknown
from ._draft import Draft, Move
from ._literals import unquoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._brace_cursor import Cursor
    from ._nodes import Node
    from ._source import Text

_DEEPEST = 32
_ROW = "write 'source + event [guard] -> target : action'"
_ITEM = "write one of 'on_entry: action', 'timeout: 5s -> state', 'on event -> state', 'state name { }'"


class StateBlocks:
    """Reads states, and rows of transitions, into a draft."""

    def __init__(self, cursor: Cursor, draft: Draft) -> None:
        self.cursor = cursor
        self.draft = draft
        self.depth = 0

    def __repr__(self) -> str:
        """Say how deep it is."""
        return f"<StateBlocks at depth {self.depth}>"

    def state(self, parent: Node | None) -> None:
        """Read a state behind its keyword."""
        self.node("state", parent)

    def node(self, kind: str, parent: Node | None) -> None:
        """Read name, annotations, text and block of a state or region."""
        cursor = self.cursor
        if cursor.token.kind != "name":
            cursor.fail(f"the name of this {kind} is missing", f"write '{kind} name'")
            return
        start = cursor.position
        cursor.position += 1
        while cursor.at("[") or cursor.token.kind == "string":
            if cursor.token.kind == "string":
                cursor.position += 1
            elif not cursor.bracketed():
                cursor.fail("the bracket is not closed", "end it with ']'")
                break
        tail = cursor.since(start)
        node = self.draft.states.add_inside(tail, "region" if kind == "region" else "state", parent)
        if not cursor.at("{"):
            return
        if self.depth >= _DEEPEST:
            message = f"blocks nest deeper than {_DEEPEST}"
            cursor.findings.error("NESTING_TOO_DEEP", message, tail, "make it a machine and invoke it")
            cursor.skip_block()
            return
        self.block(node, self.item)

    def block(self, node: Node, read: Callable[[Node], None]) -> None:
        """Read a block entry by entry."""
        opening = self.cursor.enter()
        if opening is None:
            return
        self.depth += 1
        while self.cursor.inside(opening):
            before = self.cursor.position
            read(node)
            if self.cursor.position == before:
                self.cursor.fail("this means nothing here", _ITEM)
        self.depth -= 1

    def item(self, node: Node) -> None:
        """Read one entry of a state's block."""
        cursor = self.cursor
        word, following = cursor.token.value, cursor.ahead()
        if cursor.token.kind != "name":
            cursor.fail(f"{word!r} begins no entry of a state", _ITEM)
        elif following.value == ":":
            self.keyed(node)
        elif word == "state" and following.kind == "name":
            cursor.position += 1
            self.node("state", node)
        elif word == "on" and (following.kind == "name" or following.value == "*"):
            self.move(node)
        elif word == "contains" and following.value == "{":
            cursor.position += 1
            self.block(node, self.item)
        elif word == "transitions" and following.value == "{":
            cursor.position += 1
            self.rows(node)
        elif word == "parallel":
            self.parallel(node)
        else:
            cursor.fail(f"{word!r} begins no entry of a state", _ITEM)

    # Regions.

    def parallel(self, node: Node) -> None:
        """Read the regions of a state."""
        cursor = self.cursor
        start = cursor.position
        cursor.position += 1
        while cursor.at("[") and cursor.bracketed():
            pass
        _, marks = read_tail(cursor.since(start), cursor.findings)
        node.annotations.parallel = True
        if marks.synced is not None:
            node.annotations.sync, node.annotations.synced = marks.sync, marks.synced
        self.block(node, self.region)

    def region(self, node: Node) -> None:
        """Read one region."""
        if self.cursor.at("region") and self.cursor.ahead().kind == "name":
            self.cursor.position += 1
            self.node("region", node)
        else:
            self.cursor.fail("a region is expected here", "write 'region name { state a { } }'")

    # Entries with a key.

    def keyed(self, node: Node) -> None:
        """Read ``key: value``."""
        cursor = self.cursor
        start = cursor.position
        key = cursor.take()
        cursor.position += 1
        value_start = cursor.position
        reader = self.values.get(key.value.lower().replace("-", "_"))
        if reader is None:
            cursor.skip_line()
        else:
            reader(self)
        bullet = Bullet(
            key.value.lower().replace("-", "_"),
            key,
            self.cursor.tokens.text(value_start, cursor.position),
            cursor.since(start),
        )
        if reader is None:
            node.others.append(bullet.whole.value)
            report_unknown(bullet, list(BULLETS), self.draft)
        elif bullet.key == "description":
            self.describe(bullet, node)
        else:
            read_keyed(bullet, node, self.draft)

    def describe(self, bullet: Bullet, node: Node) -> None:
        """Take a description without its quotes."""
        text = unquoted(bullet.value.value)
        if text is None:
            message = "the description is a text in quotes"
            self.draft.findings.error("INVALID_BULLET", message, bullet.whole, "write 'description: \"text\"'")
            return
        node.descriptions.append(text)

    def read_string(self) -> None:
        """Step over a text."""
        if self.cursor.token.kind == "string":
            self.cursor.position += 1

    def read_names(self) -> None:
        """Step over a list of actions, events or states, with an arrow in front."""
        self.cursor.accept("->")
        self.cursor.names((",", ";"), (":", "{", "+"))

    def read_timeout(self) -> None:
        """Step over ``5s -> state : action``."""
        cursor = self.cursor
        while cursor.token.kind in {"number", "name"} or cursor.at("-", "."):
            if cursor.ahead().value == ":":
                return
            cursor.position += 1
        if cursor.accept("->"):
            cursor.reference()
            if cursor.accept(":"):
                cursor.names((",", ";"), (":", "{", "+"))

    def read_invoke(self) -> None:
        """Step over the name of a machine, with a map in parentheses; modifiers are entries of their own."""
        cursor = self.cursor
        cursor.accept("->")
        line = cursor.token.line
        while cursor.token.kind == "name" and cursor.token.line == line and cursor.ahead().value != ":":
            cursor.position += 1
        if cursor.at("("):
            cursor.bracketed()

    def read_map(self) -> None:
        """Step over a map."""
        if self.cursor.at("{"):
            self.cursor.skip_block()

    def read_number(self) -> None:
        """Step over a number."""
        self.cursor.accept("-")
        if self.cursor.token.kind == "number":
            self.cursor.position += 1

    values: dict[str, Callable[[StateBlocks], None]] = {  # noqa: RUF012 - never changed
        "description": read_string,
        "on_entry": read_names,
        "on_exit": read_names,
        "on_done": read_names,
        "on_error": read_names,
        "ignore": read_names,
        "timeout": read_timeout,
        "invoke": read_invoke,
        "input": read_map,
        "returns": read_map,
        "shots": read_number,
    }

    # Transitions.

    def rows(self, scope: Node | None) -> None:
        """Read a block of rows; inside a state its own states are meant first."""
        opening = self.cursor.enter()
        while opening is not None and self.cursor.inside(opening):
            self.row(scope)

    def row(self, scope: Node | None) -> None:
        """Read ``source + event [guard] -> target : action``."""
        cursor = self.cursor
        start = cursor.position
        source = cursor.reference()
        if source is None or not cursor.accept("+"):
            cursor.fail("this is no transition", _ROW)
            return
        parts = self.way()
        if parts is not None:
            self.draft.moves.append(Move(source, *parts, cursor.since(start), scope=scope))

    def move(self, node: Node) -> None:
        """Read ``on event [guard] -> target : action``."""
        start = self.cursor.position
        self.cursor.position += 1
        parts = self.way()
        if parts is not None:
            add_move(Move(node, *parts, self.cursor.since(start)), node, self.draft)

    def way(self) -> tuple[Text, Text, Text, Text] | None:
        """Read event, guard, target and action; None after a mistake."""
        cursor = self.cursor
        event = cursor.names((",",), ("+",))
        guard = cursor.nothing()
        if cursor.at("["):
            start = cursor.position
            if not cursor.bracketed():
                cursor.fail("the bracket is not closed", "end the guard with ']'")
                return None
            guard = cursor.tokens.text(start + 1, cursor.position - 1)
        if not cursor.accept("->", "=>"):
            cursor.fail("'->' is expected here", _ROW)
            return None
        line = cursor.all[cursor.position - 1].line
        # What stands in the next line may be the source of the next row.
        target = cursor.reference() if cursor.token.line == line or cursor.ahead().value != "+" else None
        action = cursor.nothing()
        if cursor.accept(":"):
            action = cursor.names((",", ";"), ("+", ".", ":"))
        return event, guard, target or cursor.nothing(), action
