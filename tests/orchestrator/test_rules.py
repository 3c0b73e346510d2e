"""
The sentences of docs/semantics.md on links, guards, joint events and collections, one scenario each.

Every scenario runs in the reference interpreter, in a synchronous and in an asynchronous system, and says what is seen
after each call: what happened, in order, and where the machines are then. `a.go` is an event that was taken, `a:on` a
state that was entered, `tell(a)` a link that called its function, `!` what was raised, `held` what is kept.
"""

from __future__ import annotations

import pytest
from lives import KINDS, live, told
from systems import Link, Machine, System, Transition


def flat(states, *moves, is_chart=False):
    """A machine: ``flat("off on end*", "go: off>on", ("stop: on>end", {"on": (("b", "go"),)}))``."""
    names = states.split()
    transitions = []
    for move in moves:
        text, extras = move if isinstance(move, tuple) else (move, {})
        event, _, way = text.partition(": ")
        sources, _, target = way.partition(">")
        transitions.append(Transition(event or None, tuple(sources.split("|")), target or None, **extras))
    plain = tuple(name.rstrip("*") for name in names)
    return Machine(plain, tuple(name[:-1] for name in names if name.endswith("*")), tuple(transitions), is_chart)


LIGHT = flat("off on end*", "go: off>on", "back: on>off", "stop: on>end")
CHART = LIGHT._replace(is_chart=True)
TELL = ("call",)


def calling(*targets, after=False, chart=False):
    """A light that calls others while it goes."""
    extras = {"after" if after else "on": targets}
    return flat("off on end*", ("go: off>on", extras), "back: on>off", "stop: on>end", is_chart=chart)


def system(*rules, joints=None, limit=1000, **machines):
    """Links are given as `Link`, guards as tuples; `m={"k": ...}` is a collection."""
    members = {}
    for name, one in machines.items():
        members |= {f"{name}[{key}]": each for key, each in one.items()} if isinstance(one, dict) else {name: one}
    links = tuple(one for one in rules if isinstance(one, Link))
    return System(members, links, tuple(one for one in rules if not isinstance(one, Link)), joints or {}, limit)


SCENARIOS = {}
"""By the sentence that they are about: the system, and the calls with what is seen then."""


def scenario(sentence, made, *calls):
    assert sentence not in SCENARIOS
    SCENARIOS[sentence] = (made, [text if isinstance(text, tuple) else (text, None) for text in calls])


# -- a call is a call, a refusal ------------------------------------------------------------------------------------

scenario(
    "Inside a callback, calling a sibling runs its event at once, nested.",
    system(a=calling(("b", "go")), b=LIGHT),
    ("a.go", "a.go b.go b:on a:on -> a=on b=on"),
)
scenario(
    "A call to a machine in the middle of its own macrostep is queued and runs right after the macrostep.",
    system(a=calling(("b", "go")), b=calling(("a", "stop"))),
    ("a.go", "a.go b.go b:on a:on a.stop a:end -> a=end b=on"),
)
scenario(
    "A StateMachine raises TransitionNotAllowed if no transition is enabled, a StateChart ignores the event.",
    system(a=LIGHT, b=CHART),
    ("a.stop", "-> a=off b=off, !TransitionNotAllowed a.stop"),
    ("b.stop", "-> a=off b=off"),
)
scenario(
    "If a step ends with an exception, every machine that it moved is where it was before.",
    system(a=calling(("b", "go"), None), b=LIGHT),
    ("a.go", "a.go b.go b:on -> a=off b=off, !Boom"),
)
scenario(
    "Errors in callbacks of a StateChart are handled by the machine, and are no failure.",
    system(a=calling(("b", "go"), None, ("b", "stop"), chart=True), b=LIGHT),
    ("a.go", "a.go b.go b:on a:on -> a=on b=on"),
)
scenario(
    "An eventless transition is taken at once.",
    system(a=flat("off on end*", "go: off>on", ": on>end")),
    ("a.go", "a.go a:on a:end -> a=end"),
)

# -- when links run -------------------------------------------------------------------------------------------------

scenario(
    "A link never runs inside the half-done transition of another machine.",
    system(Link("x", ("state", "b", "on"), ("c", "go")), a=calling(("b", "go")), b=LIGHT, c=LIGHT),
    ("a.go", "a.go b.go b:on a:on c.go c:on -> a=on b=on c=on"),
)
scenario(
    "A machine is busy until it has done all that the event makes it do, events that it sends itself included.",
    system(Link("x", ("state", "a", "on"), ("b", "go")), a=calling(("a", "stop")), b=LIGHT),
    ("a.go", "a.go a:on a.stop a:end b.go b:on -> a=end b=on"),
)
scenario(
    "Moves are looked at in the order in which they happened; links of each in the order of their declaration.",
    system(
        Link("y", ("state", "a", "on"), TELL),
        Link("x", ("state", "b", "on"), TELL),
        Link("z", ("event", "b", "go"), TELL),
        a=calling(("b", "go")),
        b=LIGHT,
    ),
    ("a.go", "a.go b.go b:on a:on x(b) z(b) y(a) -> a=on b=on"),
)
scenario(
    "After its own transition is complete a machine's move comes first.",
    system(
        Link("x", ("state", "b", "on"), TELL),
        Link("y", ("state", "a", "on"), TELL),
        a=calling(("b", "go"), after=True),
        b=LIGHT,
    ),
    ("a.go", "a.go a:on b.go b:on y(a) x(b) -> a=on b=on"),
)
scenario(
    "What has begun to hold at this rest is queued behind what moves have triggered.",
    system(
        Link("x", ("when", ("in", "a", "on")), TELL),
        Link("y", ("state", "a", "on"), TELL),
        Link("z", ("when", ("not", ("in", "a", "off"))), TELL),
        a=LIGHT,
    ),
    ("a.go", "a.go a:on y(a) x() z() -> a=on"),
)
scenario(
    "What a link causes comes behind what was caused before it.",
    system(
        Link("x", ("event", "a", "go"), ("b", "go")),
        Link("y", ("event", "a", "go"), ("c", "go")),
        Link("z", ("event", "b", "go"), TELL),
        a=LIGHT,
        b=LIGHT,
        c=LIGHT,
    ),
    ("a.go", "a.go a:on b.go b:on c.go c:on z(b) -> a=on b=on c=on"),
)
scenario(
    "Conditions are asked when links are queued: all see the configuration in which the move has settled.",
    system(
        Link("x", ("event", "a", "go"), ("b", "go")),
        Link("y", ("event", "a", "go"), TELL, given=("in", "b", "off")),
        Link("z", ("event", "a", "go"), ("c", "go"), given=("in", "b", "on")),
        a=LIGHT,
        b=LIGHT,
        c=LIGHT,
    ),
    ("a.go", "a.go a:on b.go b:on y(a) -> a=on b=on c=off"),
)
scenario(
    "All initial entries are one step, and links on them run when all are there.",
    system(Link("x", ("state", "a", "off"), ("b", "go")), Link("y", ("state", "b", "off"), TELL), a=LIGHT, b=LIGHT),
    (None, "a:off b:off b.go b:on y(b) -> a=off b=on"),
)
scenario(
    "If a link of the start fails, the start fails.",
    system(Link("x", ("state", "a", "off"), ("b", "stop")), a=LIGHT, b=LIGHT),
    (None, "a:off b:off ->, !LinkRefused b.stop x"),
)

# -- what triggers a link -------------------------------------------------------------------------------------------

scenario(
    "A state triggers on every entry: the first one, a re-entry, and one that is left at once.",
    system(
        Link("first", ("state", "a", "off"), TELL),
        Link("through", ("state", "a", "on"), TELL),
        a=flat("off on third", "go: off>on", ": on>third", "again: off>off", "back: third>off"),
    ),
    (None, "a:off first(a) -> a=off"),
    ("a.again", "a.again a:off first(a) -> a=off"),
    ("a.go", "a.go a:on a:third through(a) -> a=third"),
    ("a.back", "a.back a:off first(a) -> a=off"),
)
scenario(
    "An event triggers each time the machine has taken it, whatever it did then.",
    system(
        Link("x", ("event", "a", "note"), TELL),
        a=flat("off on", "note: off>", "note: on>off", "go: off>on"),
    ),
    ("a.note", "a.note x(a) -> a=off"),
    ("a.go", "a.go a:on -> a=on"),
    ("a.note", "a.note a:off x(a) -> a=off"),
)
scenario(
    "An event that a StateChart ignores has not been taken.",
    system(Link("x", ("event", "a", "stop"), TELL), a=CHART),
    ("a.stop", "-> a=off"),
)
scenario(
    "done() fires once, when the machine has reached its end.",
    system(Link("x", ("done", "a"), TELL), Link("y", ("state", "a", "on"), TELL), a=calling(("a", "stop"))),
    ("a.go", "a.go a:on a.stop a:end y(a) x(a) -> a=end"),
)
scenario(
    "A condition fires at the rest at which it holds and did not hold at the rest before.",
    system(
        Link("x", ("when", ("and", ("in", "a", "on"), ("in", "b", "on"))), TELL),
        a=LIGHT,
        b=LIGHT,
    ),
    ("a.go", "a.go a:on -> a=on b=off"),
    ("b.go", "b.go b:on x() -> a=on b=on"),
    ("a.back", "a.back a:off -> a=off b=on"),
    ("a.go", "a.go a:on x() -> a=on b=on"),
)
scenario(
    "A condition that holds only between two rests does not fire.",
    system(Link("x", ("when", ("in", "a", "on")), TELL), a=calling(("a", "back"))),
    ("a.go", "a.go a:on a.back a:off -> a=off"),
)
scenario(
    "A condition that ceases and begins to hold between two rests does not fire again.",
    system(
        Link("x", ("when", ("in", "a", "on")), TELL),
        a=flat("off on", "go: off>on", ("back: on>off", {"on": (("a", "go"),)})),
    ),
    ("a.go", "a.go a:on x() -> a=on"),
    ("a.back", "a.back a:off a.go a:on -> a=on"),
)
scenario(
    "A condition that holds as soon as the initial states are entered fires then; one that held before does not.",
    system(
        Link("x", ("when", ("in", "a", "off")), TELL),
        Link("y", ("when", ("not", ("in", "a", "on"))), TELL),
        a=LIGHT,
    ),
    (None, "a:off x() -> a=off"),
    ("a.go", "a.go a:on -> a=on"),
    ("a.back", "a.back a:off x() y() -> a=off"),
)
scenario(
    "A condition whose link was not given has begun to hold all the same.",
    system(Link("x", ("when", ("in", "a", "on")), TELL, given=("in", "b", "on")), a=LIGHT, b=LIGHT),
    ("a.go", "a.go a:on -> a=on b=off"),
    ("b.go", "b.go b:on -> a=on b=on"),
)
scenario(
    "What conditions remember is put back with the step.",
    system(
        Link("x", ("when", ("in", "a", "on")), TELL), Link("y", ("when", ("in", "a", "on")), ("call", None)), a=LIGHT
    ),
    ("a.go", "a.go a:on x() y() -> a=off, !Boom"),
    ("a.go", "a.go a:on x() y() -> a=off, !Boom"),
)

# -- what follows ---------------------------------------------------------------------------------------------------

scenario(
    "Events that a called function calls run at once, nested.",
    system(Link("x", ("event", "a", "go"), ("call", ("b", "go"), ("a", "stop"))), a=LIGHT, b=LIGHT),
    ("a.go", "a.go a:on x(a) b.go b:on a.stop a:end -> a=end b=on"),
)
scenario(
    "An exception in a called function fails the step.",
    system(Link("x", ("event", "a", "go"), ("call", ("b", "go"), None)), a=LIGHT, b=LIGHT),
    ("a.go", "a.go a:on x(a) b.go b:on -> a=off b=off, !Boom"),
)
for kind, is_chart in (("StateMachine", False), ("StateChart", True)):
    scenario(
        f"A link's event that is refused lets the step fail, for a {kind}.",
        system(Link("x", ("event", "a", "go"), ("b", "stop")), a=LIGHT, b=LIGHT._replace(is_chart=is_chart)),
        ("a.go", "a.go a:on -> a=off b=off, !LinkRefused b.stop x"),
    )
scenario(
    "Ignored: the event is dropped.",
    system(Link("x", ("event", "a", "go"), ("b", "stop"), "ignore"), a=LIGHT, b=LIGHT),
    ("a.go", "a.go a:on -> a=on b=off"),
    ("b.go", "b.go b:on -> a=on b=on"),
)
scenario(
    "Held: the event is kept, and tried again at the rest after which the machine has moved.",
    system(Link("x", ("event", "a", "go"), ("b", "stop"), "hold"), a=LIGHT, b=LIGHT),
    ("a.go", "a.go a:on -> a=on b=off, held b.stop"),
    ("b.go", "b.go b:on b.stop b:end -> a=on b=end"),
)
scenario(
    "A machine that has ended refuses.",
    system(Link("x", ("event", "a", "go"), ("b", "go")), a=LIGHT, b=LIGHT),
    ("b.go", "b.go b:on -> a=off b=on"),
    ("b.stop", "b.stop b:end -> a=off b=end"),
    ("a.go", "a.go a:on -> a=off b=end, !LinkRefused b.go x"),
)
scenario(
    "A refusal of what a callback calls is no refusal of the link's event, so the step fails.",
    system(Link("x", ("event", "a", "go"), ("b", "go"), "ignore"), a=LIGHT, b=calling(("c", "stop")), c=LIGHT),
    ("a.go", "a.go a:on b.go -> a=off b=off c=off, !TransitionNotAllowed c.stop"),
)
scenario(
    "A refusal of what the machine sends itself is no refusal of the link's event, so the step fails.",
    system(Link("x", ("event", "a", "go"), ("b", "go"), "hold"), a=LIGHT, b=calling(("b", "go"))),
    ("a.go", "a.go a:on b.go b:on -> a=off b=off, !TransitionNotAllowed b.go"),
)
TWO_WAYS = flat("off on left* right*", "go: off>on", "one: on>left", "two: on>right")
scenario(
    "Held events are tried in the order in which they were held; those of a machine that has ended are dropped.",
    system(
        Link("x", ("event", "a", "go"), ("b", "two"), "hold"),
        Link("y", ("event", "a", "go"), ("b", "one"), "hold"),
        a=LIGHT,
        b=TWO_WAYS,
    ),
    ("a.go", "a.go a:on -> a=on b=off, held b.two, held b.one"),
    ("b.go", "b.go b:on b.two b:right -> a=on b=right"),
)
scenario(
    "Held events come before links that wait; the line is tried again from its beginning.",
    system(
        Link("x", ("event", "a", "go"), ("b", "stop"), "hold"),
        Link("y", ("event", "a", "go"), ("b", "back"), "hold"),
        Link("z", ("event", "b", "go"), TELL),
        a=LIGHT,
        b=flat("off on end", "go: off>on", "back: on>off", "stop: off>end"),
    ),
    ("a.go", "a.go a:on b.stop b:end -> a=on b=end, held b.back"),
    ("a.back", "a.back a:off -> a=off b=end, held b.back"),
)
scenario(
    "A held event that is taken leaves the others in the line, which is tried anew.",
    system(
        Link("x", ("event", "a", "go"), ("b", "stop"), "hold"),
        Link("y", ("event", "a", "go"), ("b", "back"), "hold"),
        Link("z", ("event", "b", "go"), TELL),
        a=LIGHT,
        b=flat("off on third end", "go: off>on", "back: on>third", "stop: third>end"),
    ),
    ("a.go", "a.go a:on -> a=on b=off, held b.stop, held b.back"),
    ("b.go", "b.go b:on b.back b:third b.stop b:end z(b) -> a=on b=end"),
)
scenario(
    "A held event is tried again when a machine that a guard names has moved.",
    system(
        Link("x", ("event", "a", "go"), ("b", "go"), "hold"),
        ("closed", ("b", "go"), ("in", "c", "on")),
        a=LIGHT,
        b=LIGHT,
        c=LIGHT,
    ),
    ("a.go", "a.go a:on -> a=on b=off c=off, held b.go"),
    ("c.go", "c.go c:on b.go b:on -> a=on b=on c=on"),
)
scenario(
    "What is held is put back with the step.",
    system(
        Link("x", ("event", "a", "go"), ("b", "stop"), "hold"),
        Link("y", ("event", "b", "stop"), ("call", None)),
        a=LIGHT,
        b=LIGHT,
    ),
    ("a.go", "a.go a:on -> a=on b=off, held b.stop"),
    ("b.go", "b.go b:on b.stop b:end y(b) -> a=on b=off, held b.stop, !Boom"),
)
scenario(
    "A step that delivers more than max_deliveries events fails.",
    system(
        Link("x", ("state", "a", "on"), ("a", "back"), given=("in", "b", "off")),
        Link("y", ("state", "a", "off"), ("a", "go"), given=("in", "a", "off")),
        limit=5,
        a=LIGHT,
        b=LIGHT,
    ),
    (None, "a:off b:off a.go a:on a.back a:off a.go a:on a.back a:off a.go a:on ->, !LinkLoopError"),
)
scenario(
    "A step that delivers exactly max_deliveries events does not fail.",
    system(
        Link("x", ("event", "a", "go"), ("b", "go")),
        Link("y", ("event", "b", "go"), ("c", "go")),
        limit=2,
        a=LIGHT,
        b=LIGHT,
        c=LIGHT,
    ),
    ("a.go", "a.go a:on b.go b:on c.go c:on -> a=on b=on c=on"),
)

scenario(
    "A link that calls a function counts as well.",
    system(Link("x", ("event", "a", "go"), ("call", ("a", "go"))), limit=3, a=flat("off", "go: off>off")),
    ("a.go", "a.go a:off x(a) a.go a:off x(a) a.go a:off x(a) a.go a:off -> a=off, !LinkLoopError"),
)
scenario(
    "What is held for a machine that has ended is dropped.",
    system(Link("x", ("event", "a", "go"), ("b", "go"), "hold"), a=LIGHT, b=LIGHT),
    ("b.go", "b.go b:on -> a=off b=on"),
    ("b.stop", "b.stop b:end -> a=off b=end"),
    ("a.go", "a.go a:on -> a=on b=end"),
)
scenario(
    "Events of two links are held one behind the other, and taken one at each rest.",
    system(
        Link("x", ("event", "a", "go"), ("b", "stop"), "hold"),
        Link("y", ("event", "a", "go"), ("b", "stop"), "hold"),
        Link("z", ("event", "b", "stop"), TELL),
        a=LIGHT,
        b=flat("off on", "go: off>on", "stop: on>off"),
    ),
    ("a.go", "a.go a:on -> a=on b=off, held b.stop, held b.stop"),
    ("b.go", "b.go b:on b.stop b:off z(b) -> a=on b=off, held b.stop"),
)

# -- guards ---------------------------------------------------------------------------------------------------------

GUARDED = (("closed", ("b", "go"), ("in", "a", "on")),)
for kind, light in (("StateMachine", LIGHT), ("StateChart", CHART)):
    scenario(
        f"A guard forbids an event of a {kind} unless its condition holds.",
        system(*GUARDED, a=LIGHT, b=light),
        ("b.go", "-> a=off b=off, !GuardRefused b.go closed"),
        ("a.go", "a.go a:on -> a=on b=off"),
        ("b.go", "b.go b:on -> a=on b=on"),
    )
scenario(
    "A guard is asked only if the machine has a transition for the event where it is.",
    system(("closed", ("b", "stop"), ("in", "a", "on")), a=LIGHT, b=LIGHT),
    ("b.stop", "-> a=off b=off, !TransitionNotAllowed b.stop"),
)
scenario(
    "A guard is asked before the machine's own conditions.",
    system(*GUARDED, a=LIGHT, b=flat("off on", ("go: off>on", {"cond": False}))),
    ("b.go", "-> a=off b=off, !GuardRefused b.go closed"),
    ("a.go", "a.go a:on -> a=on b=off"),
    ("b.go", "-> a=on b=off, !TransitionNotAllowed b.go"),
)
scenario(
    "Several guards on one event all have to hold.",
    system(("one", ("b", "go"), ("in", "a", "on")), ("two", ("b", "go"), ("in", "c", "on")), a=LIGHT, b=LIGHT, c=LIGHT),
    ("a.go", "a.go a:on -> a=on b=off c=off"),
    ("b.go", "-> a=on b=off c=off, !GuardRefused b.go two"),
    ("c.go", "c.go c:on -> a=on b=off c=on"),
    ("b.go", "b.go b:on -> a=on b=on c=on"),
)
scenario(
    "It makes no difference who sends the event: the machine itself.",
    system(("closed", ("a", "stop"), ("in", "b", "on")), a=calling(("a", "stop")), b=LIGHT),
    ("a.go", "a.go a:on -> a=off b=off, !GuardRefused a.stop closed"),
)
scenario(
    "It makes no difference who sends the event: a callback of a sibling.",
    system(*GUARDED, a=LIGHT, b=LIGHT, c=calling(("b", "go"))),
    ("c.go", "c.go -> a=off b=off c=off, !GuardRefused b.go closed"),
)
scenario(
    "If a link sends a forbidden event, the link says what happens.",
    system(
        Link("x", ("event", "c", "go"), ("b", "go"), "ignore"),
        Link("y", ("event", "c", "back"), ("b", "go")),
        *GUARDED,
        a=LIGHT,
        b=CHART,
        c=LIGHT,
    ),
    ("c.go", "c.go c:on -> a=off b=off c=on"),
    ("c.back", "c.back c:off -> a=off b=off c=on, !LinkRefused b.go y"),
)
scenario(
    "A guard sees a StateMachine in the middle of a transition in the state that it comes from.",
    system(("closed", ("b", "go"), ("in", "a", "off")), a=calling(("b", "go")), b=LIGHT),
    ("a.go", "a.go b.go b:on a:on -> a=on b=on"),
)
scenario(
    "A guard sees a StateChart in the middle of a transition in no state.",
    system(
        ("closed", ("b", "go"), ("not", ("or", ("in", "a", "off"), ("in", "a", "on")))),
        a=calling(("b", "go"), chart=True),
        b=LIGHT,
    ),
    ("a.go", "a.go b.go b:on a:on -> a=on b=on"),
)

# -- joint events ---------------------------------------------------------------------------------------------------

BOTH = {"both": (("a", "go"), ("b", "go"))}
scenario(
    "Everybody moves, in the order of the declaration; links run when all have moved.",
    system(
        Link("z", ("joint", "both"), TELL),
        Link("y", ("event", "b", "go"), TELL),
        Link("x", ("state", "a", "on"), TELL),
        joints={"both": (("b", "go"), ("a", "go"))},
        a=LIGHT,
        b=LIGHT,
    ),
    ("both", "b.go b:on a.go a:on y(b) x(a) z() -> a=on b=on"),
)
scenario(
    "If somebody refuses, JointEventRefused says who, and nobody has moved.",
    system(joints={"both": (("a", "go"), ("b", "go"), ("c", "stop"))}, a=LIGHT, b=LIGHT, c=CHART),
    ("both", "-> a=off b=off c=off, !JointEventRefused both c.stop"),
)
scenario(
    "Guards of the parts and of the joint event are asked, too.",
    system(
        ("one", ("a", "go"), ("in", "c", "on")),
        ("two", ("both",), ("in", "d", "on")),
        joints=BOTH,
        a=LIGHT,
        b=LIGHT,
        c=LIGHT,
        d=LIGHT,
    ),
    ("both", "-> a=off b=off c=off d=off, !JointEventRefused both both a.go"),
    ("d.go", "d.go d:on -> a=off b=off c=off d=on"),
    ("both", "-> a=off b=off c=off d=on, !JointEventRefused both a.go"),
    ("c.go", "c.go c:on -> a=off b=off c=on d=on"),
    ("both", "a.go a:on b.go b:on -> a=on b=on c=on d=on"),
)
scenario(
    "Each of its events, called alone, is the joint event.",
    system(joints=BOTH, a=LIGHT, b=LIGHT),
    ("b.go", "a.go a:on b.go b:on -> a=on b=on"),
    ("a.back", "a.back a:off -> a=off b=on"),
    ("a.go", "-> a=off b=on, !JointEventRefused both b.go"),
)
scenario(
    "However it is called: by a link.",
    system(
        Link("x", ("event", "c", "go"), ("b", "go")),
        Link("y", ("event", "c", "back"), ("both",)),
        joints=BOTH,
        a=LIGHT,
        b=LIGHT,
        c=LIGHT,
    ),
    ("c.go", "c.go c:on a.go a:on b.go b:on -> a=on b=on c=on"),
    ("a.back", "a.back a:off -> a=off b=on c=on"),
    ("c.back", "c.back c:off -> a=off b=on c=on, !LinkRefused both y"),
)
scenario(
    "However it is called: by the machine itself, at the next rest, before links.",
    system(
        Link("x", ("event", "a", "back"), TELL),
        joints=BOTH,
        a=flat("off on", "go: off>on", ("back: on>off", {"on": (("a", "go"),)})),
        b=flat("off on third", "go: off>on", "go: on>third"),
    ),
    ("both", "a.go a:on b.go b:on -> a=on b=on"),
    ("a.back", "a.back a:off a.go a:on b.go b:third x(a) -> a=on b=third"),
)
SETTLED = "Links see the configuration in which the move has settled, whatever a joint event that waits changes."
scenario(
    SETTLED,
    system(
        Link("x", ("event", "a", "back"), TELL, given=("in", "a", "off")),
        Link("y", ("when", ("in", "a", "off")), TELL),
        joints=BOTH,
        a=flat("off on", "go: off>on", ("back: on>off", {"on": (("a", "go"),)})),
        b=flat("off on third", "go: off>on", "go: on>third"),
    ),
    ("both", "a.go a:on b.go b:on -> a=on b=on"),
    ("a.back", "a.back a:off a.go a:on b.go b:third x(a) y() -> a=on b=third"),
)
scenario(
    "A joint event that was queued and is refused lets the step fail.",
    system(joints=BOTH, a=flat("off on", "go: on>off", ("back: off>off", {"on": (("both",),)})), b=LIGHT),
    ("a.back", "a.back a:off -> a=off b=off, !JointEventRefused both a.go"),
)
scenario(
    "An event that belongs to several joint events, called alone, is an error.",
    system(joints={**BOTH, "other": (("a", "go"), ("c", "go"))}, a=LIGHT, b=LIGHT, c=LIGHT),
    ("a.go", "-> a=off b=off c=off, !SharedEventError a.go both other"),
    ("b.go", "a.go a:on b.go b:on -> a=on b=on c=off"),
    ("c.go", "-> a=on b=on c=off, !JointEventRefused other a.go"),
)
scenario(
    "Each machine's macrostep is finished before the next one begins.",
    system(
        joints=BOTH,
        a=flat("off on third", ("go: off>on", {"on": (("a", "stop"),)}), ": on>third", "stop: third>off"),
        b=LIGHT,
    ),
    ("both", "a.go a:on a:third a.stop a:off b.go b:on -> a=off b=on"),
)
scenario(
    "While it is under way, other events for machines that have not had their turn wait until they have.",
    system(joints=BOTH, a=calling(("b", "stop"), ("c", "go")), b=LIGHT, c=LIGHT),
    ("both", "a.go c.go c:on a:on b.go b:on b.stop b:end -> a=on b=end c=on"),
)
scenario(
    "What has waited for its turn is put back with the step.",
    system(joints=BOTH, a=calling(("b", "stop")), b=calling(None)),
    ("both", "a.go a:on b.go -> a=off b=off, !Boom"),
    ("b.back", "-> a=off b=off, !TransitionNotAllowed b.back"),
)
scenario(
    "Machines that have had their turn can be called at once.",
    system(joints=BOTH, a=LIGHT, b=calling(("a", "stop"))),
    ("both", "a.go a:on b.go a.stop a:end b:on -> a=end b=on"),
)
scenario(
    "An exception in a callback is no refusal: the step fails and is put back as a whole.",
    system(Link("x", ("event", "c", "go"), ("both",), "ignore"), joints=BOTH, a=LIGHT, b=calling(None), c=LIGHT),
    ("c.go", "c.go c:on a.go a:on b.go -> a=off b=off c=off, !Boom"),
)
scenario(
    "Half a joint event never stays, even if another callback catches the exception.",
    system(
        Link("x", ("event", "d", "go"), TELL),
        joints=BOTH,
        a=LIGHT,
        b=calling(None),
        c=calling(("both",), chart=True),
        d=calling(("c", "go")),
    ),
    ("d.go", "d.go c.go a.go a:on b.go c:on d:on -> a=off b=off c=off d=off, !Boom"),
)
scenario(
    "A part that has not entered its initial state yet does so first.",
    system(joints=BOTH, c=flat("off on", (": off>on", {"on": (("both",),)})), a=LIGHT, b=LIGHT),
    (None, "c:off a:off b:off a.go a:on b.go b:on c:on -> c=on a=on b=on"),
)
scenario(
    "A joint event can be held.",
    system(
        Link("x", ("event", "c", "go"), ("both",), "hold"),
        joints=BOTH,
        a=LIGHT,
        b=flat("off on", "go: on>off", "turn: off>on"),
        c=LIGHT,
    ),
    ("c.go", "c.go c:on -> a=off b=off c=on, held both"),
    ("b.turn", "b.turn b:on a.go a:on b.go b:off -> a=on b=off c=on"),
)

scenario(
    "A joint event that is queued again and again counts as well.",
    system(joints=BOTH, limit=3, a=flat("off", ("go: off>off", {"on": (("both",),)})), b=flat("off", "go: off>off")),
    ("both", " ".join(["a.go a:off b.go b:off"] * 4) + " -> a=off b=off, !LinkLoopError"),
)
scenario(
    "A call of a joint event inside a callback runs at once if none of its machines is busy.",
    system(joints=BOTH, a=LIGHT, b=LIGHT, c=calling(("b", "go"))),
    ("c.go", "c.go a.go a:on b.go b:on c:on -> a=on b=on c=on"),
)

# -- collections ----------------------------------------------------------------------------------------------------

THREE = {"k1": LIGHT, "k2": LIGHT, "k3": LIGHT}
scenario(
    "A state of a collection's members triggers for each that enters it; at() sends to this very one.",
    system(Link("x", ("state", "m[*]", "on"), ("m[=]", "stop")), a=LIGHT, m=THREE),
    ("m[k2].go", "m[k2].go m[k2]:on m[k2].stop m[k2]:end -> a=off m[k1]=off m[k2]=end m[k3]=off"),
)
scenario(
    "A condition before the effect is about the very member.",
    system(Link("x", ("event", "m[*]", "go"), TELL, given=("in", "m[=]", "on")), a=LIGHT, m=THREE),
    ("m[k2].go", "m[k2].go m[k2]:on x(m[k2]) -> a=off m[k1]=off m[k2]=on m[k3]=off"),
)
scenario(
    "each() sends to every member, in order, each by itself.",
    system(Link("x", ("event", "a", "go"), ("m[*]", "back"), "hold"), a=LIGHT, m=THREE),
    ("m[k2].go", "m[k2].go m[k2]:on -> a=off m[k1]=off m[k2]=on m[k3]=off"),
    ("a.go", "a.go a:on m[k2].back m[k2]:off -> a=on m[k1]=off m[k2]=off m[k3]=off, held m[k1].back, held m[k3].back"),
    ("m[k3].go", "m[k3].go m[k3]:on m[k3].back m[k3]:off -> a=on m[k1]=off m[k2]=off m[k3]=off, held m[k1].back"),
)
scenario(
    "at() sends to the member with this key.",
    system(Link("x", ("event", "a", "go"), ("m[k3]", "go")), a=LIGHT, m=THREE),
    ("a.go", "a.go a:on m[k3].go m[k3]:on -> a=on m[k1]=off m[k2]=off m[k3]=on"),
)
scenario(
    "every(), some() and none() are conditions on all members.",
    system(
        Link("x", ("when", ("every", "m[*]", "on")), TELL),
        Link("y", ("when", ("some", "m[*]", "on")), TELL),
        Link("z", ("when", ("none", "m[*]", "on")), TELL),
        a=LIGHT,
        m={"k1": LIGHT, "k2": LIGHT},
    ),
    ("m[k1].go", "m[k1].go m[k1]:on y() -> a=off m[k1]=on m[k2]=off"),
    ("m[k2].go", "m[k2].go m[k2]:on x() -> a=off m[k1]=on m[k2]=on"),
    ("m[k1].stop", "m[k1].stop m[k1]:end -> a=off m[k1]=end m[k2]=on"),
    ("m[k2].stop", "m[k2].stop m[k2]:end z() -> a=off m[k1]=end m[k2]=end"),
)
scenario(
    "done() of all members is a condition, too.",
    system(Link("x", ("when", ("every", "m[*]", None)), TELL), a=LIGHT, m={"k1": LIGHT}),
    ("m[k1].go", "m[k1].go m[k1]:on -> a=off m[k1]=on"),
    ("m[k1].stop", "m[k1].stop m[k1]:end x() -> a=off m[k1]=end"),
)
scenario(
    "A guard on each() is asked for the very member.",
    system(
        ("closed", ("m[*]", "go"), ("in", "a", "on")), ("own", ("m[k2]", "go"), ("in", "a", "off")), a=LIGHT, m=THREE
    ),
    ("m[k1].go", "-> a=off m[k1]=off m[k2]=off m[k3]=off, !GuardRefused m[k1].go closed"),
    ("a.go", "a.go a:on -> a=on m[k1]=off m[k2]=off m[k3]=off"),
    ("m[k1].go", "m[k1].go m[k1]:on -> a=on m[k1]=on m[k2]=off m[k3]=off"),
    ("m[k2].go", "-> a=on m[k1]=on m[k2]=off m[k3]=off, !GuardRefused m[k2].go own"),
)
scenario(
    "All members of a collection take part in a joint event; a part that is called alone is with this one member.",
    system(joints={"all": (("m[*]", "go"), ("a", "go"))}, a=flat("off on", "go: off>on", "go: on>off"), m=THREE),
    ("m[k2].go", "m[k2].go m[k2]:on a.go a:on -> a=on m[k1]=off m[k2]=on m[k3]=off"),
    ("all", "-> a=on m[k1]=off m[k2]=on m[k3]=off, !JointEventRefused all m[k2].go"),
    ("m[k2].back", "m[k2].back m[k2]:off -> a=on m[k1]=off m[k2]=off m[k3]=off"),
    ("a.go", "m[k1].go m[k1]:on m[k2].go m[k2]:on m[k3].go m[k3]:on a.go a:off -> a=off m[k1]=on m[k2]=on m[k3]=on"),
)
scenario(
    "A condition on the very member is asked for each of them.",
    system(Link("x", ("when", ("and", ("in", "m[=]", "on"), ("in", "a", "on"))), TELL), a=LIGHT, m=THREE),
    ("m[k2].go", "m[k2].go m[k2]:on -> a=off m[k1]=off m[k2]=on m[k3]=off"),
    ("m[k3].go", "m[k3].go m[k3]:on -> a=off m[k1]=off m[k2]=on m[k3]=on"),
    ("a.go", "a.go a:on x(m[k2]) x(m[k3]) -> a=on m[k1]=off m[k2]=on m[k3]=on"),
    ("m[k1].go", "m[k1].go m[k1]:on x(m[k1]) -> a=on m[k1]=on m[k2]=on m[k3]=on"),
)
scenario(
    "A condition on all members that holds as soon as they have entered their initial states fires then.",
    system(Link("x", ("when", ("every", "m[*]", "off")), TELL), a=LIGHT, m={"k1": LIGHT}),
    (None, "a:off m[k1]:off x() -> a=off m[k1]=off"),
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sentence", SCENARIOS)
def test_sentence(sentence, kind):
    """What the sentence says is what happens."""
    made, calls = SCENARIOS[sentence]
    life = [tuple(call.split(".")) for call, _ in calls if call is not None]
    seen = live(kind, made, life)
    shown = [told(one) for one in seen[1 + len(life) - len(calls) :]]

    assert shown == [text for _, text in calls]
