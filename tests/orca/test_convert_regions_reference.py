"""
Machines with regions against the rules, applied one by one (semantics.md 2.1, 2.2, 3 and 5).

The reference below knows nothing of python-statemachine, and keeps nothing but the set of active paths.
"""

from __future__ import annotations

from dataclasses import replace

from convert_support import definition, row, state
from hypothesis import given, settings
from hypothesis import strategies as st
from statemachine.exceptions import TransitionNotAllowed
from test_convert_reference import Tracer, ancestry

from orca_bridge.convert import machine_class
from orca_bridge.definition import Comparison, Outcome, Path, RegionDefinition, StateDefinition, Value

EVENTS = ("go", "stop", "hop")


def inside(node):
    """What is one level below."""
    return node.states if isinstance(node, RegionDefinition) else (*node.children, *node.regions)


class Reference:
    """One machine: what is active, and what has run."""

    def __init__(self, machine):
        self.rows = machine.transitions
        self.nodes = {}
        self._collect(machine.states)
        self.active = []
        self.trace = []
        self.queue = []
        initial = next(node.path for node in machine.states if node.initial)
        self._enter(self._whole({initial}))
        self._drain()

    def _collect(self, nodes):
        for node in nodes:
            self.nodes[node.path] = node
            self._collect(inside(node))

    @property
    def ended(self):
        return any("." not in path and self._is_final(path) for path in self.active)

    def _is_final(self, path):
        return getattr(self.nodes[path], "final", False)

    def _in_order(self, paths):
        return sorted(paths, key=list(self.nodes).index)

    # -- selection --------------------------------------------------------------------------------------

    def send(self, event, number):
        if self.ended:
            return "refused"
        chosen, ignored = self._select(event, number)
        self._move(chosen)
        self._drain()
        return "taken" if chosen else "ignored" if ignored else "refused"

    def _select(self, event, number=0):
        found, ignored = [], False
        for leaf in self.active:
            if inside(self.nodes[leaf]):
                continue
            taken, stopped = self._walk(leaf, event, number)
            ignored = ignored or stopped
            if taken is not None and taken not in found:
                found.append(taken)
        return self._without_conflicts(found), ignored

    def _walk(self, leaf, event, number):
        line = list(reversed(ancestry(leaf)))
        for path in line:
            taken = self._first(path, event, number)
            if taken is not None:
                return (path, taken), False
            if event in self.nodes[path].ignored:
                return None, True
        taken = None if self._is_final(line[-1]) else self._first("*", event, number)
        if taken is not None:
            return (line[-1], taken), False
        return None, "." not in event and any(self.nodes[path].ignores_all for path in self.active)

    def _first(self, source, event, number):
        for wanted in (event, "*") if "." not in event else (event,):
            for found in self.rows:
                holds = found.guard is None or number > found.guard.right.value
                if (found.source, found.event) == (source, wanted) and holds:
                    return found
        node = self.nodes.get(source)
        outcome = getattr(node, "on_done", None)
        if outcome is not None and event == f"done.state.{source}":
            return row(source, event, outcome.target)
        return None

    def _without_conflicts(self, found):
        kept = []
        for one in found:
            clashing = [other for other in kept if self._exits(one) & self._exits(other)]
            if all(one[0].startswith(f"{other[0]}.") for other in clashing):
                kept = [other for other in kept if other not in clashing] + [one]
        return kept

    # -- moving -----------------------------------------------------------------------------------------

    def _domain(self, chosen):
        source, taken = chosen
        shared = ""
        for path in ancestry(source)[:-1]:
            if taken.target.startswith(f"{path}.") and not getattr(self.nodes[path], "regions", ()):
                shared = path
        return f"{shared}." if shared else ""

    def _exits(self, chosen):
        if chosen[1].target is None:
            return set()
        domain = self._domain(chosen)
        return {path for path in self.active if path.startswith(domain)}

    def _move(self, chosen):
        left = {path for one in chosen for path in self._exits(one)}
        for path in reversed(self._in_order(left)):
            self.trace += self.nodes[path].on_exit
        self.active = [path for path in self.active if path not in left]
        for _, found in chosen:
            self.trace += found.actions
        entered = set()
        for one in chosen:
            if one[1].target is not None:
                domain = self._domain(one)
                entered |= {path for path in self._whole({one[1].target}) if path.startswith(domain)}
        self._enter(entered - set(self.active))

    def _whole(self, targets):
        """Targets, what they stand in, and what is entered with that."""
        found = {path for target in targets for path in ancestry(target)}
        for path in self.nodes:
            if path not in found or not inside(self.nodes[path]):
                continue
            below = inside(self.nodes[path])
            if getattr(self.nodes[path], "regions", ()):
                found |= {region.path for region in below}
            elif not any(child.path in found for child in below):
                found.add(next((child.path for child in below if child.initial), below[0].path))
        return found

    def _enter(self, paths):
        for path in self._in_order(paths):
            self.trace += self.nodes[path].on_entry
            self.active = self._in_order([*self.active, path])
            if self._is_final(path) and "." in path:
                self._done(path.rpartition(".")[0])

    def _done(self, container):
        self.queue.append(f"done.state.{container}")
        parallel = container.rpartition(".")[0]
        if not isinstance(self.nodes[container], RegionDefinition):
            return
        final = [
            any(self._is_final(s.path) and s.path in self.active for s in r.states) for r in self._regions(parallel)
        ]
        wanted = 1 if self.nodes[parallel].sync == "any-final" else len(final)
        if final.count(True) == wanted:
            self.queue.append(f"done.state.{parallel}")

    def _regions(self, path):
        return self.nodes[path].regions

    def _drain(self):
        while self.queue:
            chosen, _ = self._select(self.queue.pop(0))
            self._move(chosen)


# -- random machines -------------------------------------------------------------------------------------------


def moved(node, parent):
    """The node, and all that is in it, below another parent."""
    path = f"{parent}.{node.name}" if parent else node.name
    if isinstance(node, RegionDefinition):
        return replace(node, path=path, states=tuple(moved(one, path) for one in node.states))
    children = tuple(moved(one, path) for one in node.children)
    return replace(node, path=path, children=children, regions=tuple(moved(one, path) for one in node.regions))


@st.composite
def nodes(draw, name, depth):
    """A state: simple, final, compound or parallel."""
    kinds = ["simple", "simple", "final"] + (["compound", "parallel"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    ignored = ("hop",) if kind != "final" and draw(st.integers(0, 4)) == 0 else ()
    everything = kind != "final" and draw(st.integers(0, 7)) == 0
    common = {"on_entry": (f"in-{name}",), "on_exit": (f"out-{name}",), "ignored": ignored, "ignores_all": everything}
    if kind == "compound":
        children = tuple(draw(nodes(child, depth - 1)) for child in "xyz"[: draw(st.integers(1, 3))])
        return StateDefinition(name, name, children=children, **common)
    if kind == "parallel":
        regions = tuple(draw(region(child, depth)) for child in "lr")
        return StateDefinition(
            name, name, regions=regions, sync=draw(st.sampled_from(["all-final", "any-final"])), **common
        )
    return StateDefinition(name, name, final=kind == "final", **common)


@st.composite
def region(draw, name, depth):
    states = tuple(draw(nodes(child, depth - 1)) for child in "xyz"[: draw(st.integers(1, 3))])
    return RegionDefinition(name, name, states=states, on_entry=(f"in-{name}",), on_exit=(f"out-{name}",))


def below(node):
    yield node
    for one in inside(node):
        yield from below(one)


def outcomes(draw, node, targets):
    """The same, with something to do when it is done."""
    if isinstance(node, RegionDefinition):
        return replace(node, states=tuple(outcomes(draw, one, targets) for one in node.states))
    done = Outcome(target=draw(st.sampled_from(targets))) if inside(node) and draw(st.booleans()) else None
    children = tuple(outcomes(draw, one, targets) for one in node.children)
    regions = tuple(outcomes(draw, one, targets) for one in node.regions)
    return replace(node, children=children, regions=regions, on_done=done)


@st.composite
def machines(draw):
    regions = tuple(draw(region(name, 2)) for name in "lr")
    sync = draw(st.sampled_from(["all-final", "any-final"]))
    p = StateDefinition("p", "p", regions=regions, sync=sync, on_entry=("in-p",), on_exit=("out-p",))
    tops = [moved(one, "") for one in (p, draw(nodes("q", 1)), state("over", final=True))]
    found = [node for top in tops for node in below(top)]
    targets = [node.path for node in found if isinstance(node, StateDefinition)]
    sources = [node.path for node in found if isinstance(node, StateDefinition) and not node.final]
    guards = st.none() | st.builds(lambda n: Comparison(Path("event", ("n",)), ">", Value(n)), st.integers(0, 3))
    rows = draw(
        st.lists(
            st.builds(
                lambda source, event, target, guard, number: row(source, event, target, f"act-{number}", guard=guard),
                st.sampled_from([*sources, "*"]),
                st.sampled_from([*EVENTS, "*"]),
                st.none() | st.sampled_from(targets),
                guards,
                st.integers(0, 9),
            ),
            max_size=14,
        )
    )
    start = state("start", initial=True)
    tops = [outcomes(draw, top, ["start", "over"]) for top in tops]
    return definition([start, *tops], [row("start", "go", "p"), *rows], name="Regions")


@settings(max_examples=150, deadline=None)
@given(machines(), st.lists(st.tuples(st.sampled_from([*EVENTS, "other"]), st.integers(0, 4)), max_size=8))
def test_agrees_with_the_rules(found, events):
    """What is active, what ran and in which order, what is ignored and what refused: as the rules say."""
    tracer = Tracer()
    machine = machine_class(found)(actions=tracer)
    reference = Reference(found)

    for event, number in [("go", 9), *events]:
        expected = reference.send(event, number)
        try:
            machine.send(event, n=number)
            seen = "taken"
        except TransitionNotAllowed:
            seen = "refused"
        assert seen == ("taken" if expected == "ignored" else expected)
        assert list(machine.configuration_values) == reference.active
        assert tracer.trace == reference.trace
        assert machine.is_terminated is reference.ended
