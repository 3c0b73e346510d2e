"""Invocations, and what other threads do meanwhile, written by hand."""

from __future__ import annotations

from twin_build import ALL, Case, act, compound, edge, final, first, hook, invoking, leaf, send, sends
from twin_data import Chart, Node, Step

WORK = Step("work")
ANY = "self, *args, **kwargs"
SIMPLE = (
    edge("s0", "s1", "done.invoke.s0", on="always"),
    edge("s0", "s1", "error.execution", on="always"),
    edge("s0", "s2", "e0"),
    edge("s1", "s0", "e1"),
    edge("s2", "s0", "e2"),
)
BOTH = (hook("always", parameters=ANY), hook("work0", parameters="self, ctx, x='none'", results=("done", {"x": 1})))


def simple(*kinds):
    return (invoking("s0", *kinds, initial=True), leaf("s1"), leaf("s2"))


INVOCATIONS = (
    *(
        Case(
            f"an invocation by a {kind} ends, and is cancelled",
            Chart(simple(kind), SIMPLE, BOTH),
            (WORK, send("e1", x=5), *sends("e0"), WORK, *sends("e2"), WORK),
            rests,
        )
        for kind, rests in (
            ("class", ("s0", "s1", "s0", "s2", "s2", "s0", "s1")),
            ("instance", ("s0", "s1", "s0", "s2", "s2", "s0", "s1")),
            ("chart", ("s0", "s1", "s0", "s2", "s2", "s0", "s1")),
            ("group", ("s0", "s1", "s0", "s2", "s2", "s0", "s1")),
            ("failing group", ("s0", "s1", "s0", "s2", "s2", "s0", "s1")),
            ("timeout", ("s0", "s1", "s0", "s2", "s2", "s0", "s1")),
            ("sending timeout", ("s0", "s2", "s2", "s2", "s2", "s0", "s2")),
            ("work0", ("s0", "s1", "s0", "s2", "s2", "s0", "s1")),
        )
    ),
    Case(
        "an asynchronous handler has no place in a synchronous machine",
        Chart(simple("coroutine"), SIMPLE, BOTH),
        (WORK, send("e1", x=5), WORK),
        (),
    ),
    Case(
        "an invocation by the name of the state, with the keywords of the event",
        Chart(
            simple(),
            SIMPLE,
            (
                hook("always", parameters=ANY),
                hook("on_invoke_s0", parameters="self, ctx, machine, x='none'"),
                hook("on_invoke_state", parameters="self, ctx, y='none', **kwargs"),
            ),
        ),
        (WORK, send("e1", x=5, y=6), WORK, WORK),
        ("s0", "s1", "s0", "s1", "s1"),
    ),
    Case(
        "an invocation that fails",
        Chart(simple("work0"), SIMPLE, (hook("always", parameters=ANY), hook("work0", act("raise"), times=9))),
        (WORK, *sends("e1"), WORK),
        ("s0", "s1", "s0", "s1"),
    ),
    Case(
        "an invocation that nobody supplies with what it names",
        Chart(simple("work0"), SIMPLE, (hook("always", parameters=ANY), hook("work0", parameters="self, state"))),
        (WORK, *sends("e1"), WORK),
        ("s0", "s1", "s0", "s1"),
    ),
    Case(
        "a state that is left before it is quiet invokes nothing",
        Chart(
            (first("s0"), invoking("s1", "class", "work0"), invoking("s2", "chart")),
            (edge("s0", "s1", "e0"), edge("s1", "s2", on="always"), edge("s2", "s0", "e1")),
            BOTH,
        ),
        (*sends("e0"), WORK, *sends("e1"), WORK),
        ("s0", "s2", "s2", "s0", "s0"),
    ),
    Case(
        "events are passed on to who wants them, while it runs",
        Chart(
            (invoking("s0", "instance", initial=True), leaf("s1")),
            (
                edge("s0", "", "e0"),
                edge("s0", "s1", "e2"),
                edge("s1", "s0", "e2"),
                edge("s0", "", "done.invoke.s0", on="always"),
            ),
            BOTH,
        ),
        (send("e0", 1, x=2), *sends("nothing"), WORK, send("e0", 3), *sends("e2", "e0", "e2", "e0"), WORK),
        ("s0", "s0", "s0", "s0", "s0", "s1", "s1", "s0", "s0", "s0"),
    ),
    Case(
        "two invocations of a compound state, and one of its child",
        Chart(
            (
                first("s0"),
                compound("s1", Node("s2", initial=True, invoke=("work0",)), leaf("s3"), invoke=("class", "group")),
            ),
            (
                edge("s0", "s1", "e0"),
                edge("s2", "s3", "done.invoke.s2", on="always"),
                edge("s1", "s0", "done.invoke.s1", on="always"),
            ),
            (*BOTH, hook("on_exit_s1"), hook("on_enter_s1")),
        ),
        (*sends("e0"), WORK, *sends("e0"), WORK),
        ("s0", "s1 s2", "s0", "s1 s2", "s0"),
    ),
    Case(
        "the end of a machine ends what it has invoked",
        Chart(
            (compound("s0", first("s1"), initial=True, invoke=("instance", "chart")), final("s2")),
            (edge("s1", "s2", "e0"),),
            BOTH,
        ),
        (*sends("e0"), WORK, *sends("e0")),
        ("s0 s1", "s2", "s2", "s2"),
    ),
    Case(
        "an error on entry of a state that invokes",
        Chart(
            (invoking("s0", "instance", initial=True), invoking("s1", "class")),
            (edge("s0", "s1", "e0", after="always"), edge("s1", "s0", "e0")),
            (hook("on_enter_s1", act("raise")), hook("always", act("raise")), *BOTH[1:]),
        ),
        (WORK, *sends("e0"), WORK, *sends("e0"), WORK, *sends("e0"), WORK),
        ("s0", "s0", "s1", "s1", "s0", "s0", "s1", "s1"),
    ),
    Case(
        "a thread that speaks in the middle of a step",
        Chart(
            simple("work0", "class"),
            (*SIMPLE, edge("s0", "", "e3", on="busy")),
            (*BOTH, hook("busy", act("work"), act("elsewhere", "e3", x=1), parameters="self, x='none'", times=2)),
        ),
        (*sends("e3"), WORK, *sends("e1", "e3"), WORK),
        ("s0", "s1", "s0", "s0", "s1", "s0"),
    ),
    *(
        Case(
            f"an event of another thread, {when}",
            Chart(
                (first("s0"), leaf("s1"), leaf("s2")),
                (edge("s0", "s1", "e0"), edge("s1", "s2", "e0"), edge("s2", "s0", "e0"), edge("s1", "s0", "e1")),
                (hook(name, act("elsewhere", "e1"), act("send", "e0", x=1), act("raise_", "e0", x=2), parameters=ALL),),
            ),
            sends("e0", "e0"),
            ("s0", "s0", "s1"),
        )
        for name, when in (
            ("before_e0", "before"),
            ("on_exit_s0", "on exit"),
            ("on_e0", "in between"),
            ("on_enter_s1", "on entry"),
            ("after_e0", "after"),
        )
    ),
    Case(
        "an event of another thread that finds a machine at its end",
        Chart(
            (first("s0"), final("s1")),
            (edge("s0", "s1", "e0"),),
            (hook("on_enter_s1", act("elsewhere", "e0")), hook("on_e0", results=("first", "second"))),
        ),
        sends("e0", "e0"),
        ("s0", "s1", "s1"),
    ),
)
