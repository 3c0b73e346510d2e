"""
Random charts, callbacks and steps.

Whatever could go round for ever without an event from outside (eventless transitions, done events, errors, wildcards)
carries a callback, and callbacks are counted: so every run ends, at the latest by `Runaway`. A callback that lacks a
parameter is never entered, and so not counted: only charts that do not drive themselves have such callbacks.
"""

from __future__ import annotations

from hypothesis import strategies as st
from twin_data import FLAGS, Act, Callback, Chart, Declared, Edge, Node, Step
from twin_invoke import HANDLERS

EVENTS = ("e0", "e1", "e2")
DOTTED = ("k", "k.a", "k.*", "k.a.b", "*", "error.execution")
SENT = ("e0", "e1", "k.a", "k.a.b", "k", "nothing", "s0", "error.execution")
GUARDS = ("g0", "g1")
CONDITIONS = (
    "g0",
    "g1",
    "not g0",
    "g0 and g1",
    "g0 or g1",
    "not (g0 and g1) or g0",
    "number >= 3",
    "g0 and number < 3",
    "!g1",
    "g0 ^ g1",
)
ACTS = ("send", "send", "raise_", "call", "raise", "raise", "enabled", "cancel")
GROUPS = ("before", "on", "after")
GENERIC = ("before_transition", "on_transition", "after_transition", "on_enter_state", "on_exit_state", "prepare_event")
INVOKED = (*HANDLERS, "work0", "work0")
OWNERS = ("machine", "machine", "machine", "model", "listener", "late")
NAMED = (
    "event_data",
    "machine",
    "event",
    "model",
    "transition",
    "state",
    "source",
    "target",
    "x",
    "y",
    "prepared",
    "error",
    "previous_configuration",
    "new_configuration",
)
RESULTS = (None, None, 0, 1, "text", {"x": 9}, [1, 2], True, False)
PREPARED = (
    ({"prepared": 1},),
    ({"prepared": 1}, {"prepared": 2}, {"prepared": 3}, {"prepared": 4}, {"prepared": 5}),
    ({"prepared": 1, "x": 2}, {}),
    ({"prepared": 1}, None),
    ([("prepared", 1)], {"state": 1, "event": 2, "target": 3, "machine": 4, "previous_configuration": 5}),
)
DEEPEST = 3

payloads = st.lists(
    st.tuples(st.sampled_from(("x", "y", "prepared", "target", "zz")), st.integers(0, 3)),
    max_size=2,
    unique_by=lambda one: one[0],
).map(tuple)
arguments = st.lists(st.integers(10, 12), max_size=2).map(tuple)


invoked = st.lists(st.sampled_from(INVOKED), min_size=1, max_size=2).map(tuple)


def rarely(draw, out_of=4):
    return draw(st.integers(0, out_of - 1)) == out_of - 1


class Names:
    """Gives every state of a chart its own id."""

    def __init__(self):
        self._count = 0

    def next(self):
        self._count += 1
        return f"s{self._count - 1}"


def nodes(draw, names, depth=1, *, initial=False, may_end=True):
    """One state, with all that is inside."""
    name = names.next()
    kinds = ["atomic", "atomic", "atomic"]
    kinds += ["compound", "parallel"] if depth < DEEPEST else []
    kinds += ["final"] if may_end and not initial else []
    kind = draw(st.sampled_from(kinds))
    if kind == "parallel":
        regions = tuple(region(draw, names, depth + 1) for _ in range(2))
        return Node(name, kind, regions, initial)
    invoke = () if kind == "final" or not rarely(draw, 10) else draw(invoked)
    if kind == "compound":
        return Node(name, kind, insides(draw, names, depth + 1), initial, invoke=invoke)
    donedata = "data" if kind == "final" and depth > 1 and rarely(draw, 3) else None
    return Node(name, kind, initial=initial, donedata=donedata, invoke=invoke)


def region(draw, names, depth):
    name = names.next()
    return Node(name, "compound", insides(draw, names, depth + 1))


def insides(draw, names, depth):
    """The children of a compound state: an initial one, others, perhaps a history."""
    count = draw(st.integers(1, 2))
    children = [nodes(draw, names, depth, initial=True)]
    children += [nodes(draw, names, depth) for _ in range(count)]
    if rarely(draw, 3):
        default = draw(st.sampled_from([child.id for child in children]))
        on = "inline" if rarely(draw) else None
        children.append(Node(names.next(), draw(st.sampled_from(("shallow", "deep"))), default=default, default_on=on))
    return tuple(children)


class Drawing:
    """The edges of a chart, and the callbacks that they name."""

    def __init__(self, draw, roots):
        self.draw = draw
        self.nodes = [node for root in roots for node in root.walk()]
        self.sources = [node for node in self.nodes if node.kind not in ("final", "shallow", "deep")]
        self.named: set[str] = {node.default_on for node in self.nodes if node.default_on}
        self.drives = draw(st.booleans())
        self.invoking = [node.id for node in self.nodes if node.invoke]
        self.events = [*EVENTS, *(f"done.invoke.{node}" for node in self.invoking)]
        if self.drives:
            done = [f"done.state.{node.id}" for node in self.nodes if node.children]
            self.events = [*self.events * 4, None, *DOTTED, *done * 2]

    def edges(self):
        """At least one way out of every state, so that machines do move."""
        more = [self.draw(st.sampled_from(self.sources)) for _ in range(self.draw(st.integers(0, 4)))]
        return tuple(self.edge(source) for source in (*self.sources, *more))

    def edge(self, source):
        draw = self.draw
        event = draw(st.sampled_from(self.events))
        event = "e0 e1" if event == "e0" and rarely(draw, 6) else event
        ids = [node.id for node in self.nodes] + [node.id for node in self.nodes if node.default] * 2
        if event in EVENTS and rarely(draw, 12):
            targets = tuple(draw(st.lists(st.sampled_from(ids), min_size=2, max_size=2)))
            return Edge(source.id, targets, event, weights=(1, 2))
        targets = () if rarely(draw, 6) else (draw(st.sampled_from(ids)),)
        inner = [node.id for node in source.walk()]
        internal = targets != () and targets[0] in inner and not rarely(draw, 3)
        if rarely(draw, 15) and (forks := [node for node in self.nodes if node.kind == "parallel"]):
            fork = draw(st.sampled_from(forks))
            targets = tuple(draw(st.sampled_from([one.id for one in region.walk()])) for region in fork.children)
            internal = False
        return Edge(source.id, targets, event, internal, self.given(event))

    def given(self, event):
        """What stands inline at a transition."""
        draw, given = self.draw, {}
        if rarely(draw, 2 if event is None else 4):
            given[draw(st.sampled_from(("cond", "unless")))] = draw(st.sampled_from(CONDITIONS))
        if rarely(draw, 10):
            given["validators"] = "check"
        if rarely(draw, 5):
            given[draw(st.sampled_from(GROUPS))] = "inline"
        if event not in EVENTS:
            given["on"] = "always"
        self.named.update(given.values())
        return tuple(given.items())


def parameters(draw, *, safe):
    """A list of parameters as it stands in a class body; a safe one lacks nothing, whatever the event brings."""
    names = draw(st.lists(st.sampled_from(NAMED), max_size=3, unique=True))
    split = draw(st.integers(0, len(names)))
    must_have_default = False
    parts = ["self"]
    for name in names[:split]:
        must_have_default = must_have_default or has_default(draw, name, safe=safe)
        parts.append(f"{name}='none'" if must_have_default else name)
    if rarely(draw, 3):
        parts.append("*args")
    elif names[split:]:
        parts.append("*")
    parts += [f"{name}='none'" if has_default(draw, name, safe=safe) else name for name in names[split:]]
    if rarely(draw, 4):
        parts.append("**kwargs")
    return ", ".join(parts)


def has_default(draw, name, *, safe):
    is_certain = name in NAMED[:8]
    return draw(st.booleans()) if is_certain else safe or not rarely(draw, 5)


def acts(draw):
    if not rarely(draw, 3):
        return ()
    kind = draw(st.sampled_from((*ACTS, *ACTS, "elsewhere", "work", "pause", "invalid")))
    event = draw(st.sampled_from(EVENTS if kind == "call" else SENT))
    kwargs = draw(payloads)
    if kind == "send" and rarely(draw, 4):
        kwargs = (*kwargs, ("delay", draw(st.sampled_from((0, 1, 5)))), ("send_id", "later"))
    return (Act(kind, event, kwargs),)


def callback(draw, name, owner, *, is_async, safe):
    results = draw(st.lists(st.sampled_from(RESULTS), min_size=1, max_size=2).map(tuple))
    if name in GUARDS:
        results = draw(st.lists(st.booleans(), min_size=1, max_size=3).map(tuple))
    if name == "prepare_event":
        results = draw(st.sampled_from(PREPARED))
    does = acts(draw) if name not in (*GUARDS, "prepare_event") or rarely(draw, 6) else ()
    is_async = is_async and owner != "late" and draw(st.booleans())
    skips, times = draw(st.sampled_from((0, 0, 0, 1))), draw(st.integers(1, 2))
    return Callback(name, parameters(draw, safe=safe), does, skips, times, results, owner, is_async)


@st.composite
def charts(draw):
    """A class, with all that belongs to it."""
    names = Names()
    count = draw(st.integers(1, 3))
    roots = (nodes(draw, names, initial=True), *(nodes(draw, names) for _ in range(count)))
    drawing = Drawing(draw, roots)
    edges = drawing.edges()
    is_async = rarely(draw, 3)
    events = sorted({edge.event for edge in edges if edge.event in EVENTS})
    return Chart(
        roots,
        edges,
        tuple(callbacks(draw, drawing, events, is_async=is_async)),
        base=draw(st.sampled_from(("StateChart", "StateMachine"))),
        flags=tuple((flag, draw(st.booleans())) for flag in FLAGS if rarely(draw, 3)),
        declared=tuple(declared(draw, event) for event in events if rarely(draw, 6)),
        listens=rarely(draw, 8),
        watched=draw(st.booleans()),
        keywords=(("x", 5),) if rarely(draw, 4) else (),
        has_sibling=rarely(draw, 6),
    )


def declared(draw, event):
    is_internal = draw(st.booleans())
    return Declared(event, 0 if is_internal else draw(st.sampled_from((0, 2))), is_internal)


def callbacks(draw, drawing, events, *, is_async):
    """The callbacks that are named, and others found by their names."""
    needed = {word for text in drawing.named for word in GUARDS if word in text}
    needed |= drawing.named & {"check", "inline", "always"}
    needed |= {"work0"} if any("work0" in node.invoke for node in drawing.nodes) else set()
    needed |= {"data"} if any(node.donedata for node in drawing.nodes) else set()
    for name in sorted(needed):
        owner = draw(st.sampled_from(("machine", "machine", "machine", "model", "listener")))
        yield callback(draw, name, owner, is_async=is_async, safe=drawing.drives)
    hooks = [*GENERIC]
    hooks += [f"{group}_{event}" for group in GROUPS for event in events]
    hooks += [f"on_{group}_{node.id}" for group in ("enter", "exit") for node in drawing.nodes]
    hooks += [f"on_invoke_{name}" for name in ("state", *drawing.invoking, drawing.nodes[0].id)]
    chosen = st.tuples(st.sampled_from(OWNERS), st.sampled_from(hooks))
    for owner, name in draw(st.lists(chosen, max_size=6, unique=True)):
        yield callback(draw, name, owner, is_async=is_async, safe=drawing.drives)


def step(draw, chart, events):
    """One thing that is done to a machine."""
    kinds = ("send",) * 6 + (("call",) * 4 + ("put",) if events else ())
    kinds += ("work",) * 4 if any(node.invoke for node in chart.walk()) else ("work",)
    kind = draw(st.sampled_from((*kinds, "raise_", "enabled", "allowed", "listen", "activate", "cancel", "write")))
    if kind in ("allowed", "listen", "activate", "cancel", "work"):
        return Step(kind)
    if kind == "write":
        return Step(kind, draw(st.sampled_from([node.id for node in chart.walk() if not node.default])))
    event = draw(st.sampled_from(events if kind in ("call", "put") else events * 4 + SENT))
    kwargs = draw(payloads)
    if kind == "send" and rarely(draw, 8):
        kwargs = (*kwargs, ("delay", draw(st.sampled_from((0, 1, 5)))), ("send_id", "later"))
    return Step(kind, event, draw(arguments), kwargs)


@st.composite
def lives(draw):
    """A chart, and what is done to a machine of it."""
    chart = draw(charts())
    events = tuple(sorted({edge.event for edge in chart.edges if edge.event in EVENTS}))
    return chart, tuple(step(draw, chart, events) for _ in range(draw(st.integers(3, 10))))
