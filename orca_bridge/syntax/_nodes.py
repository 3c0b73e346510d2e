"""
A state or region while its machine is being read.

What a bullet says about other states or about events waits in the node until all of them are known; see
`_outcomes`, which settles it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from orca_bridge.definition import RegionDefinition, StateDefinition

from ._annotations import Annotations

if TYPE_CHECKING:
    from orca_bridge.definition import InvokeDefinition, InvokeInput, Outcome, TimeoutDefinition

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


@dataclass(eq=False, slots=True)
class Node:
    """A state or region while its machine is being read."""

    kind: Literal["state", "region"]
    name: str
    written: Text
    level: int
    parent: Node | None = None
    annotations: Annotations = field(default_factory=Annotations)
    children: list[Node] = field(default_factory=list)
    on_entry: list[str] = field(default_factory=list)
    on_exit: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)
    quotes: list[Text] = field(default_factory=list)
    ignored: dict[str, None] = field(default_factory=dict)
    """The events, each once and in order; only the keys matter."""
    ignores_all: bool = False
    timers: list[Timer] = field(default_factory=list)
    invocation: Invocation | None = None
    done: Text | None = None
    done_first: bool = False
    """Whether what follows is said before the machine that is invoked."""
    error: Text | None = None
    others: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    """The bullets that were read already."""
    timeouts: list[TimeoutDefinition] = field(default_factory=list)
    invoke: InvokeDefinition | None = None
    on_done: Outcome | None = None
    on_error: Outcome | None = None
    _path: str = ""

    def __repr__(self) -> str:
        """Give kind and path."""
        return f"<{self.kind} {self.path}>"

    @property
    def path(self) -> str:
        """The names from the root, joined by dots."""
        if not self._path:
            self._path = f"{self.parent.path}.{self.name}" if self.parent else self.name
        return self._path

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
        quoted = "\n".join(text.value for text in self.quotes)
        described = "\n".join([*self.annotations.descriptions, *self.descriptions])
        return described or quoted, quoted if described else ""

    @property
    def is_titled(self) -> bool:
        """Whether something else than a blockquote describes it."""
        return bool(self.annotations.descriptions or self.descriptions)

    def definition(self) -> StateDefinition:
        """Freeze the state and all below it."""
        description, notes = self.texts()
        regions = [region for region in self.regions if region.children]
        return StateDefinition(
            name=self.name,
            path=self.path,
            initial=self.annotations.initial,
            final=self.annotations.final and not self.children,
            description=description,
            notes=notes,
            on_entry=tuple(self.on_entry),
            on_exit=tuple(self.on_exit),
            children=() if regions else tuple(child.definition() for child in self.states),
            span=self.written.span,
            regions=tuple(region.region_definition() for region in regions),
            sync=(self.annotations.sync if regions else None) or "all-final",
            timeouts=tuple(self.timeouts),
            ignored=tuple(self.ignored),
            ignores_all=self.ignores_all,
            invoke=self.invoke,
            on_done=self.on_done,
            on_error=self.on_error,
            others=tuple(self.others),
            titled=self.is_titled,
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
