"""
A state or region while its machine is being read.

What a bullet says about other states or about events waits in the node until all of them are known; see
`_outcomes`, which settles it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from orca_bridge.definition import RegionDefinition

from ._records import make_state

if TYPE_CHECKING:
    from orca_bridge.definition import InvokeDefinition, InvokeInput, Outcome, StateDefinition, TimeoutDefinition

    from ._annotations import Annotations
    from ._source import Text


class Timer(NamedTuple):
    """A timeout whose target is not resolved yet."""

    milliseconds: int
    duration: Text
    target: Text
    actions: tuple[str, ...]
    whole: Text


@dataclass(eq=False, slots=True)
class Invocation:
    """An invoke, put together from its bullets."""

    machine: Text | None = None
    whole: Text | None = None
    input: tuple[InvokeInput, ...] = ()
    shots: int | None = None
    returns: tuple[tuple[str, str], ...] = ()
    modifiers: list[Text] = field(default_factory=list)


class Node:
    """A state or region while its machine is being read."""

    __slots__ = (
        "annotations",
        "children",
        "descriptions",
        "done",
        "done_first",
        "error",
        "ignored",
        "ignores_all",
        "invocation",
        "invoke",
        "keys",
        "kind",
        "level",
        "name",
        "on_done",
        "on_entry",
        "on_error",
        "on_exit",
        "others",
        "parent",
        "path",
        "quotes",
        "timeouts",
        "timers",
        "written",
    )

    # Written out, and not a dataclass: calling a factory for every empty list would be half of what a state costs.
    def __init__(
        self,
        kind: Literal["state", "region"],
        name: str,
        written: Text,
        level: int,
        *,
        annotations: Annotations,
        parent: Node | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.written = written
        self.level = level
        self.annotations = annotations
        self.parent = parent
        self.path: str = name if parent is None else f"{parent.path}.{name}"
        """The names from the root, joined by dots."""
        self.children: list[Node] = []
        self.on_entry: list[str] = []
        self.on_exit: list[str] = []
        self.descriptions: list[str] = []
        self.quotes: list[Text] = []
        self.ignored: dict[str, None] = {}
        """The events, each once and in order; only the keys matter."""
        self.ignores_all = False
        self.timers: list[Timer] = []
        self.invocation: Invocation | None = None
        self.done: Text | None = None
        self.done_first = False
        """Whether what follows is said before the machine that is invoked."""
        self.error: Text | None = None
        self.others: list[str] = []
        self.keys: set[str] = set()
        """The bullets that were read already."""
        self.timeouts: list[TimeoutDefinition] = []
        self.invoke: InvokeDefinition | None = None
        self.on_done: Outcome | None = None
        self.on_error: Outcome | None = None

    def __repr__(self) -> str:
        """Give kind and path."""
        return f"<{self.kind} {self.path}>"

    @property
    def states(self) -> list[Node]:
        """The children that are states."""
        return [child for child in self.children if child.kind == "state"]

    @property
    def regions(self) -> list[Node]:
        """The children that are regions."""
        return [child for child in self.children if child.kind == "region"]

    @property
    def waits(self) -> bool:
        """Whether something in it is not settled before all states and events are known."""
        return bool(self.timers or self.invocation or self.done or self.error)

    def ancestors(self) -> list[Node]:
        """Give the nodes around this one, outermost first."""
        found: list[Node] = []
        node = self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found[::-1]

    def texts(self) -> tuple[str, str]:
        """Give description and notes: a blockquote describes a state that nothing else describes."""
        quoted = "\n".join([text.value for text in self.quotes]) if self.quotes else ""
        if not self.is_titled:
            return quoted, ""
        described = "\n".join([*self.annotations.descriptions, *self.descriptions])
        return described or quoted, quoted if described else ""

    @property
    def is_titled(self) -> bool:
        """Whether something else than a blockquote describes it."""
        return bool(self.descriptions or self.annotations.descriptions)

    def definition(self) -> StateDefinition:
        """Freeze the state and all below it."""
        description, notes = self.texts()
        regions = [region for region in self.regions if region.children] if self.children else ()
        annotations = self.annotations
        return make_state(
            self.name,
            self.path,
            annotations.initial,
            annotations.final and not self.children,
            description,
            notes,
            tuple(self.on_entry),
            tuple(self.on_exit),
            () if regions or not self.children else tuple([child.definition() for child in self.states]),
            self.written.span,
            tuple([region.region_definition() for region in regions]),
            (annotations.sync if regions else None) or "all-final",
            tuple(self.timeouts),
            tuple(self.ignored),
            self.ignores_all,
            self.invoke,
            self.on_done,
            self.on_error,
            tuple(self.others),
            self.is_titled,
        )

    def region_definition(self) -> RegionDefinition:
        """Freeze the region and all below it."""
        description, notes = self.texts()
        return RegionDefinition(
            name=self.name,
            path=self.path,
            states=tuple(child.definition() for child in self.states),
            description=description,
            notes=notes,
            on_entry=tuple(self.on_entry),
            on_exit=tuple(self.on_exit),
            ignored=tuple(self.ignored),
            ignores_all=self.ignores_all,
            others=tuple(self.others),
            span=self.written.span,
            titled=self.is_titled,
        )
