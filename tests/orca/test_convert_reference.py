"""
Converted machines against the rules, applied one by one.

The reference below knows nothing of python-statemachine. It selects a row by walking the tree, and lists what runs:
exits inner to outer, the row's actions, entries outer to inner.
"""

from __future__ import annotations

from convert_support import definition, row, state
from hypothesis import given, settings
from hypothesis import strategies as st
from statemachine.exceptions import TransitionNotAllowed

from orca_bridge.convert import machine_class
from orca_bridge.definition import Comparison, Else, Path, Value

EVENTS = ("go", "stop", "done")


class Reference:
    """One machine: where it is, and what has run."""

    def __init__(self, machine):
        self.rows = machine.transitions
        self.states = {}
        self._collect(machine.states)
        self.trace = []
        self.leaf = ""
        self.ended = False
        self._enter("", next(path for path, found in self.states.items() if found.initial and "." not in path))

    def _collect(self, states):
        for found in states:
            self.states[found.path] = found
            self._collect(found.children)

    def send(self, event, number):
        taken = None if self.ended else self._select(event, number)
        if taken is None:
            return False
        source, chosen = taken
        if chosen.target is None:
            self.trace += chosen.actions
            return True
        root = common(source, chosen.target)
        for path in reversed(ancestry(self.leaf)):
            if len(ancestry(path)) > len(ancestry(root)):
                self.trace += self.states[path].on_exit
        self.trace += chosen.actions
        self._enter(root, chosen.target)
        return True

    def _select(self, event, number):
        for source in reversed(ancestry(self.leaf)):
            found = self._first(source, event, number)
            if found is not None:
                return source, found
        found = self._first("*", event, number)
        return None if found is None else (ancestry(self.leaf)[0], found)

    def _first(self, source, event, number):
        for wanted in (event, "*"):
            here = [found for found in self.rows if (found.source, found.event) == (source, wanted)]
            for found in here:
                if self._holds(found.guard, here, number):
                    return found
        return None

    def _holds(self, guard, siblings, number):
        if guard is None:
            return True
        if isinstance(guard, Else):
            others = [found.guard for found in siblings if not isinstance(found.guard, Else)]
            return not any(self._holds(other, siblings, number) for other in others)
        return number > guard.right.value

    def _enter(self, root, target):
        while self.states[target].children:
            children = self.states[target].children
            target = next((child.path for child in children if child.initial), children[0].path)
        for path in ancestry(target)[len(ancestry(root)) :]:
            self.trace += self.states[path].on_entry
        self.leaf = target
        self.ended = "." not in target and self.states[target].final


def ancestry(path):
    parts = path.split(".") if path else []
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def common(source, target):
    """The innermost state that holds both, and is neither."""
    shared = ""
    for one, two in zip(ancestry(source)[:-1], ancestry(target)[:-1], strict=False):
        if one != two:
            break
        shared = one
    return shared


@st.composite
def machines(draw):
    def make(name, depth):
        children = ()
        if depth and draw(st.booleans()):
            children = tuple(make(child, depth - 1) for child in draw(st.sampled_from(["a", "ab", "abc"])))
        actions = {"on_entry": (f"in-{name}-{depth}",), "on_exit": (f"out-{name}-{depth}",)}
        final = not children and draw(st.integers(0, 5)) == 0
        return state(name, *children, final=final, initial=depth < 2 and draw(st.integers(0, 3)) == 0, **actions)

    tops = [make(name, 2) for name in "abc"[: draw(st.integers(2, 3))]]
    states = [state("start", initial=True), *tops]
    paths = []

    def collect(found):
        paths.append(found)
        for child in found.children:
            collect(child)

    for found in states:
        collect(found)
    open_paths = [found.path for found in paths if not found.final]
    # Few sources, so that rows compete.
    sources = draw(st.lists(st.sampled_from([*open_paths, "*"]), min_size=1, max_size=3))
    guards = (
        st.none()
        | st.just(Else())
        | st.builds(lambda limit: Comparison(Path("event", ("n",)), ">", Value(limit)), st.integers(0, 3))
    )
    rows = draw(
        st.lists(
            st.builds(
                lambda source, event, target, guard, number: row(source, event, target, f"act-{number}", guard=guard),
                st.sampled_from(sources),
                st.sampled_from([*EVENTS, "*"]),
                st.none() | st.sampled_from([found.path for found in paths]),
                guards,
                st.integers(0, 9),
            ),
            max_size=12,
        )
    )
    return definition(states, rows, name="Random")


class Tracer(dict):
    def __init__(self):
        self.trace = []

    def __contains__(self, name):
        return True

    def get(self, name, default=None):
        return lambda: self.trace.append(name)


@settings(max_examples=200, deadline=None)
@given(machines(), st.lists(st.tuples(st.sampled_from([*EVENTS, "other"]), st.integers(0, 4)), max_size=8))
def test_agrees_with_the_rules(found, events):
    """Configuration, what ran and in which order, and what is refused: as the rules say, for any machine."""
    tracer = Tracer()
    machine = machine_class(found)(actions=tracer)
    reference = Reference(found)

    for event, number in events:
        expected = reference.send(event, number)
        try:
            machine.send(event, n=number)
            taken = True
        except TransitionNotAllowed:
            taken = False
        assert taken is expected
        assert list(machine.configuration_values) == ancestry(reference.leaf)
        assert tracer.trace == reference.trace
        assert machine.is_terminated is reference.ended
