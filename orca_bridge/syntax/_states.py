"""State and region headings to a tree, and the tree to definitions (language.md 5.3.1, 5.3.2)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from ._annotations import MARKED, read_tail, read_titled
from ._diagnostics import ORP
from ._names import as_name, is_name
from ._nodes import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._diagnostics import Findings
    from ._outline import Heading
    from ._source import Text

_MOST_LISTED = 20
# What people write for "nowhere" or "anywhere", neither of which a target can be.
_NO_STATES = frozenset({"-", "*", "_", "\N{EN DASH}", "\N{EM DASH}"})


class StateTree:
    """The states of one machine: built heading by heading, then asked for what a reference means."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._stack: list[Node] = []
        self._by_path: dict[str, Node] = {}
        self._by_name: dict[str, list[Node]] = defaultdict(list)
        self._below: dict[tuple[str, str], list[Node]] = defaultdict(list)
        self._misnamed: dict[str, Node] = {}
        self._regions: set[str] = set()
        self._base = 0
        self.roots: list[Node] = []

    def __repr__(self) -> str:
        """Count the states."""
        return f"<StateTree of {len(self._by_path)}>"

    def __iter__(self) -> Iterator[Node]:
        """Walk all states and regions that can be referred to, in document order."""
        return iter(self._by_path.values())

    # Building.

    def add(self, heading: Heading) -> Node:
        """Put the state or region of a heading into its place."""
        stack = self._stack
        while stack and stack[-1].level >= heading.level:
            stack.pop()
        node = self.named(heading, stack[-1] if stack else None)
        self.check_place(node)
        stack.append(node)
        self.enter(node)
        return node

    def add_listed(self, text: Text) -> Node:
        """Add a top-level state that a list of the ``states`` section declares."""
        node = self.read(text, "state", 0)
        self.enter(node)
        return node

    def add_inside(self, text: Text, kind: Literal["state", "region"], parent: Node | None) -> Node:
        """Add a state or region that stands in the block of its parent."""
        node = self.read(text, kind, 0 if parent is None else parent.level + 1, parent)
        if parent is not None and _first_kind(parent) not in {"", kind}:
            message = f"{parent.path!r} has states and regions; it can have one kind only"
            self._findings.error("MIXED_CHILDREN", message, node.written, "put the states into a region")
        self.enter(node)
        return node

    def named(self, heading: Heading, parent: Node | None) -> Node:
        """Make the node of a heading."""
        if heading.name is not None:
            marks = MARKED[heading.mark]
            return Node("state", heading.name.value, heading.name, heading.level, annotations=marks, parent=parent)
        return self.read(heading.text, "region" if heading.role == "region" else "state", heading.level, parent)

    def read(self, text: Text, kind: Literal["state", "region"], level: int, parent: Node | None = None) -> Node:
        """Read name and tail."""
        titled = None if kind == "region" or self._findings.careful else read_titled(text, self._findings)
        written, annotations = titled or read_tail(text, self._findings, kind)
        is_sound = is_name(written.value)
        name = written.value if is_sound else as_name(written.value)
        node = Node(kind, name, written, level, annotations=annotations, parent=parent)
        if not is_sound:
            self._misnamed[written.value] = node
        return node

    def check_place(self, node: Node) -> None:
        """Report a heading whose level fits nowhere."""
        base = self._base or node.level
        if node.kind == "region":
            self.check_region(node)
        elif node.parent is None:
            if node.level != base:
                self.misplaced(node, f"top-level states of this machine have level {base}", base)
        elif node.level != node.parent.level + 1:
            self.misplaced(
                node,
                f"a child of {node.parent.path!r} has level {node.parent.level + 1}",
                node.parent.level + 1,
            )
        elif node.parent.kind == "state" and _first_kind(node.parent) == "region":
            self.misplaced(node, f"{node.parent.path!r} has regions, and states stand below a region", node.level + 1)

    def check_region(self, node: Node) -> None:
        """A region stands one level below a state."""
        if node.parent is None or node.parent.kind == "region":
            self.misplaced(node, "a region stands one level below a state", node.level + 1)
        elif node.level != node.parent.level + 1:
            reason = f"a region of {node.parent.path!r} has level {node.parent.level + 1}"
            self.misplaced(node, reason, node.parent.level + 1)
        elif _first_kind(node.parent) == "state":
            first = node.parent.children[0]
            message = (
                f"{node.parent.path!r} has states already (line {first.written.line}), and cannot have regions too"
            )
            suggestion = "put the states into a region"
            self._findings.error("MIXED_CHILDREN", message, node.written, suggestion)

    def misplaced(self, node: Node, reason: str, level: int) -> None:
        """Report a heading of the wrong level."""
        message = f"level {node.level} fits nowhere here: {reason}"
        suggestion = f"write '{'#' * level} {node.kind} {node.name}'"
        self._findings.error("INVALID_HEADING", message, node.written, suggestion)

    def enter(self, node: Node) -> None:
        """Add the node to its parent and to the index."""
        siblings = self.roots if node.parent is None else node.parent.children
        path = node.path
        if path in self._by_path:
            code = "DUPLICATE_STATE" if node.kind == "state" else "DUPLICATE_REGION"
            message = f"a {node.kind} {path!r} exists already (line {self._by_path[path].written.line})"
            self._findings.error(code, message, node.written, "rename one of them, or put both together")
            return
        siblings.append(node)
        if node.parent is None:
            self._base = self._base or node.level
        self._by_path[path] = node
        if node.kind == "region":
            self._regions.add(node.name)
        else:
            self._by_name[node.name].append(node)
            for ancestor in {around.name for around in node.ancestors()} if node.parent is not None else ():
                self._below[ancestor, node.name].append(node)

    # Checking what only the whole tree shows.

    def check(self) -> None:
        """Report marks that contradict each other."""
        self.check_initial(self.roots)
        for node in self:
            if node.annotations.is_plain and not node.children and node.kind == "state":
                continue
            states = node.states
            self.check_initial(states)
            self.check_regions(node)
            if node.annotations.final and node.children:
                message = f"{node.path!r} is final and has children: a final state ends there"
                self._findings.error("FINAL_WITH_CHILDREN", message, node.written, "drop [final], or the children")
            if states and not any(child.annotations.initial for child in states):
                message = f"no child of {node.path!r} is marked [initial]: its first, {states[0].name!r}, is taken"
                self._findings.warning("MISSING_INITIAL", message, node.written, f"mark {states[0].name!r} [initial]")

    def check_regions(self, node: Node) -> None:
        """Report what is wrong with regions, and with states that should have some."""
        if node.kind == "region" and not node.children:
            message = f"the region {node.path!r} has no state"
            suggestion = f"add '{'#' * (node.level + 1)} state idle [initial]' below it"
            self._findings.error("EMPTY_REGION", message, node.written, suggestion)
        regions, marks = node.regions, node.annotations
        if marks.parallel and not regions:
            message = f"{node.path!r} is parallel and has no regions"
            suggestion = f"add '{'#' * (node.level + 1)} region name' above its states"
            self._findings.error("EMPTY_PARALLEL", message, node.written, suggestion)
        elif len(regions) == 1:
            message = f"{node.path!r} has one region only, so nothing runs beside it"
            self._findings.warning("INSUFFICIENT_REGIONS", message, regions[0].written, "add a region, or leave it out")
        if marks.synced is not None and not regions and not marks.parallel:
            message = "only a parallel state is synchronised; this is ignored"
            self._findings.warning("UNKNOWN_ANNOTATION", message, marks.synced, "remove it")
        if regions and not marks.parallel:
            message = "other tools lose the regions of a state that is not marked [parallel]"
            self._findings.portability("PORT_REGION", message, node.written, "mark it [parallel]")
        if node.children and node.kind == "state" and any(around.kind == "region" for around in node.ancestors()):
            message = "other tools lose the rest of a region with nested states, and what stands below"
            self._findings.portability("PORT_NESTED", message, node.written, "make it a machine and invoke it")

    def check_initial(self, states: list[Node]) -> None:
        """Report a second initial state."""
        marked = [node for node in states if node.annotations.initial]
        for node in marked[1:]:
            message = f"{marked[0].path!r} is marked [initial] already (line {marked[0].written.line})"
            self._findings.error("MULTIPLE_INITIAL", message, node.written, "keep one [initial]")

    # References.

    def plain_paths(self) -> dict[str, str]:
        """Give the path that a name means, for each name that only one state has."""
        known = {name: nodes[0].path for name, nodes in self._by_name.items() if len(nodes) == 1}
        for name in self._misnamed:
            known.pop(name, None)
        return known

    def knows(self, name: str, scope: Node | None = None) -> bool:
        """Tell whether a reference fits some state."""
        return name in self._misnamed or bool(self.candidates(name, scope))

    def resolve(self, reference: Text, scope: Node | None = None) -> Node | None:
        """Find the state a row means, or report why there is none; names below `scope` come first."""
        name = reference.value
        if name in self._misnamed:
            return self._misnamed[name]
        candidates = self.candidates(name, scope)
        if len(candidates) == 1:
            self.check_shadowed(candidates[0], reference)
            if "." in name:
                message = "orca-runtime-python does not find a state by its path"
                suggestion = f"write {candidates[0].name!r}, if no other state is called so"
                self._findings.portability("PORT_STATE_REF", message, reference, suggestion, ORP)
            return candidates[0]
        if candidates:
            paths = [node.path for node in candidates[:_MOST_LISTED]]
            more = len(candidates) - len(paths)
            listed = ", ".join(paths) + (f" and {more} more" if more else "")
            message = f"{name!r} could be {listed}"
            self._findings.error("AMBIGUOUS_STATE", message, reference, f"write {paths[0]!r} or another full path")
        else:
            self.unknown(reference)
        return None

    def check_shadowed(self, node: Node, reference: Text) -> None:
        """Warn of a top-level name that nested states have too."""
        others = self._by_name.get(reference.value, []) if reference.value == node.path else []
        if len(others) > 1:
            nested = next(other for other in others if other is not node)
            message = f"{node.path!r} is also the name of {nested.path!r}; the top-level state is meant here"
            self._findings.warning("AMBIGUOUS_NAME", message, reference, f"write {nested.path!r} for the other one")

    def candidates(self, name: str, scope: Node | None = None) -> list[Node]:
        """Find the states a reference fits, by the rules of language.md 4."""
        inner = self._by_path.get(f"{scope.path}.{name}") if scope is not None else None
        if inner is not None and inner.kind == "state":
            return [inner]
        exact = self._by_path.get(name)
        if exact is not None and exact.kind == "state":
            return [exact]
        names = name.split(".")
        if len(names) == 1:
            return self._by_name.get(name, [])
        # The rarest of the given ancestors leaves the fewest states to look at.
        buckets = [self._below.get((ancestor, names[-1]), []) for ancestor in names[:-1]]
        return [node for node in min(buckets, key=len) if _in_order(names[:-1], node)]

    def unknown(self, reference: Text) -> None:
        """Report a reference that fits no state."""
        node = self._by_path.get(reference.value)
        if node is not None or reference.value in self._regions:
            message = f"{reference.value!r} is a region and can be neither source nor target"
            self._findings.error("UNKNOWN_STATE", message, reference, "name a state in it")
            return
        suggestion = self.nearest(reference.value)
        self._findings.error("UNKNOWN_STATE", f"no state is called {reference.value!r}", reference, suggestion)

    def nearest(self, name: str) -> str:
        """Say what to write instead of a reference that fits no state."""
        if name in _NO_STATES:
            return "name a state, or leave the cell empty for a transition that stays where it is"
        parent, dot, child = name.rpartition(".")
        near = self._findings.nearest(name, self._by_path if dot else self._by_name)
        if near is not None:
            node = self._by_path[near] if dot else self._by_name[near][0]
            return f"write {near!r} (declared in line {node.written.line})"
        if dot:
            return f"declare it: 'state {as_name(child)}' one level below the heading of {parent!r}"
        return f"declare it: '## state {as_name(name)}'"


def _first_kind(node: Node) -> str:
    """What the first child is, which decides what all of them must be."""
    return node.children[0].kind if node.children else ""


def _in_order(names: list[str], node: Node) -> bool:
    """Tell whether the names occur, in this order, among the ancestors."""
    around = iter(ancestor.name for ancestor in node.ancestors())
    return all(name in around for name in names)
