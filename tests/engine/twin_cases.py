"""One chart for every shape and every rule, with the events that show it, written by hand."""

from __future__ import annotations

from twin_build import ALL, Case, act, compound, edge, final, first, history, hook, leaf, parallel, send, sends
from twin_cases_corners import CORNERS
from twin_cases_invoke import INVOCATIONS
from twin_cases_prepare import PREPARING
from twin_data import Chart, Declared, Node, Step

FLAT = (first("s0"), leaf("s1"), leaf("s2"))
ROUND = (edge("s0", "s1", "e0"), edge("s1", "s2", "e0"), edge("s2", "s0", "e0"))
NEST = (first("s0"), compound("s1", first("s2"), compound("s3", first("s4"), leaf("s5"))))
REGIONS = parallel("s1", compound("s2", first("s3"), leaf("s4")), compound("s5", first("s6"), leaf("s7")))
GROUPS = ("before", "on", "after")
GENERIC = ("before_transition", "on_transition", "after_transition", "on_exit_state", "on_enter_state")
NAMED = ("before_e0", "on_e0", "after_e0", "on_exit_s0", "on_enter_s1")
HOOKS = tuple(hook(name, parameters=ALL, results=(number,)) for number, name in enumerate((*GENERIC, *NAMED)))
PREPARE = hook("prepare_event", parameters="self, event, **kwargs", results=({"prepared": 1}, {"prepared": 2}))

CASES = (
    Case("a flat machine goes round", Chart(FLAT, ROUND), sends("e0", "e0", "e0"), ("s0", "s1", "s2", "s0")),
    Case("callbacks run group by group", Chart(FLAT, ROUND, HOOKS), sends("e0", "e0"), ("s0", "s1", "s2")),
    Case(
        "machine, model and listeners are called in this order",
        Chart(
            FLAT,
            ROUND,
            tuple(
                hook(name, owner=owner, parameters="self, state, *args", results=(owner,))
                for owner in ("listener", "model", "machine")
                for name in ("before_e0", "on_e0", "on_enter_state", "after_e0")
            ),
        ),
        (send("e0", 1), send("e0", 2)),
        ("s0", "s1", "s2"),
    ),
    Case(
        "a listener hears from when it is added",
        Chart(FLAT, ROUND, (hook("on_enter_state", owner="late", parameters=ALL), hook("after_e0", owner="late"))),
        (*sends("e0"), Step("listen"), *sends("e0")),
        ("s0", "s1", "s1", "s2"),
    ),
    Case(
        "arguments go to those who name them",
        Chart(
            FLAT,
            ROUND,
            (
                hook("before_e0", parameters="self, a='none', x='none'"),
                hook("on_e0", parameters="self, *args, **kwargs"),
                hook("after_e0", parameters="self, source, y='none'"),
                hook("on_enter_state", parameters="self, x='none', *, target"),
            ),
        ),
        (send("e0", 1, x=2), Step("call", "e0", (3, 4), (("y", 5), ("target", 6))), send("e0", 1, 2, 3)),
        ("s0", "s1", "s2", "s0"),
    ),
    Case(
        "what is prepared reaches all, and is prepared per transition and state",
        Chart(
            FLAT,
            ROUND,
            (
                PREPARE,
                hook("prepare_event", parameters="self", results=({"prepared": 7},), owner="listener"),
                hook("on_e0", parameters="self, prepared"),
                hook("on_enter_state", parameters="self, prepared='none'"),
            ),
        ),
        (send("e0", prepared=9), send("e0")),
        ("s0", "s1", "s2"),
    ),
    Case(
        "constructor keywords reach the first entry",
        Chart(FLAT, ROUND, (hook("on_enter_state", parameters="self, x='none', **kwargs"),), keywords=(("x", 5),)),
        sends("e0"),
        ("s0", "s1"),
    ),
    Case(
        "a machine may start elsewhere",
        Chart(FLAT, ROUND, keywords=(("start_value", "s1"),)),
        sends("e0"),
        ("s1", "s2"),
    ),
    Case(
        "events without a transition",
        Chart(FLAT, (edge("s0", "s1", "e0"), edge("s1", "s0", "e1")), HOOKS),
        (*sends("e1", "nothing"), Step("call", "e1"), *sends("e0")),
        ("s0", "s0", "s0", "s0", "s1"),
    ),
    Case(
        "the first transition whose guards hold is taken",
        Chart(
            FLAT,
            (edge("s0", "s1", "e0", cond="g0"), edge("s0", "s2", "e0", unless="g1"), edge("s0", "s0", "e0")),
            (hook("g0", results=(False, True), parameters=ALL), hook("g1", results=(True, False))),
        ),
        sends("e0", "e0", "e0"),
        ("s0", "s0", "s1", "s1"),
    ),
    Case(
        "guards may be expressions",
        Chart(
            FLAT,
            (
                edge("s0", "s1", "e0", cond="g0 and not g1 and number >= 3"),
                edge("s1", "s2", "e0", cond="!g0 or g1 ^ g0"),
                edge("s2", "s0", "e0", unless="number < 3 or g1"),
            ),
            (hook("g0", results=(False, True)), hook("g1", results=(False,), owner="model")),
        ),
        sends("e0", "e0", "e0", "e0", "e0"),
        ("s0", "s0", "s1", "s2", "s0", "s1"),
    ),
    Case(
        "a guard that fails",
        Chart(
            FLAT,
            (
                edge("s0", "s1", "e0", cond="g0"),
                edge("s0", "s2", "e0"),
                edge("s2", "s0", "error.execution", on="always"),
            ),
            (hook("g0", act("raise"), results=(True,)), hook("always", parameters=ALL)),
        ),
        sends("e0", "e0"),
        ("s0", "s0", "s1"),
    ),
    Case(
        "a validator that fails",
        Chart(FLAT, (edge("s0", "s1", "e0", validators="check"),), (hook("check", act("raise"), parameters=ALL),)),
        (*sends("e0", "e0"),),
        ("s0", "s0", "s1"),
    ),
    *(
        Case(
            f"an error in {name}",
            Chart(
                FLAT,
                (*ROUND, edge("s1", "s0", "error.execution", on="always")),
                (
                    hook(name, act("send", "e0"), act("raise")),
                    hook("always", parameters="self, error='none', **kwargs"),
                    *HOOKS[:5],
                ),
            ),
            sends("e0", "e0"),
            rests,
        )
        for name, rests in (
            ("before_e0", ("s0", "s1", "s2")),
            ("on_e0", ("s0", "s1", "s2")),
            ("after_e0", ("s0", "s1", "s2")),
            ("on_exit_s0", ("s0", "s1", "s2")),
            ("on_enter_s1", ("s0", "s1", "s2")),
        )
    ),
    Case(
        "an error while an error is handled",
        Chart(
            FLAT,
            (*ROUND, edge("s1", "s2", "error.execution", on="always")),
            (hook("on_e0", act("raise")), hook("always", act("raise"), times=3, parameters="self, error")),
        ),
        sends("e0", "e0"),
        ("s0", "s1", "s2"),
    ),
    Case(
        "an error before an error is handled",
        Chart(
            FLAT,
            (*ROUND, edge("s1", "s2", "error.execution", before="always")),
            (hook("on_e0", act("raise")), hook("always", act("raise"), times=3, parameters="self, error")),
        ),
        sends("e0", "e0"),
        ("s0", "s1", "s2"),
    ),
    Case(
        "a parameter that nobody supplies",
        Chart(
            FLAT, ROUND, (hook("on_e0", parameters="self, *, missing"), hook("after_e0", parameters="self, missing"))
        ),
        sends("e0", "e0"),
        ("s0", "s1", "s2"),
    ),
    Case(
        "an external self-transition leaves and enters",
        Chart(FLAT, (edge("s0", "s0", "e0"),), HOOKS),
        sends("e0"),
        ("s0", "s0"),
    ),
    Case(
        "an internal self-transition",
        Chart(FLAT, (edge("s0", "s0", "e0", internal=True),), HOOKS),
        sends("e0"),
        ("s0", "s0"),
    ),
    Case(
        "a transition without a target",
        Chart(FLAT, (edge("s0", "", "e0", on="act"),), (*HOOKS, hook("act", results=("done",)))),
        sends("e0", "e0"),
        ("s0", "s0", "s0"),
    ),
    Case(
        "eventless transitions follow at once, as long as their guards hold",
        Chart(
            FLAT,
            (
                edge("s0", "s1", "e0"),
                edge("s1", "s2", cond="g0", on="act"),
                edge("s2", "s0", "e0"),
                edge("s2", "s1", on="act", cond="g1"),
            ),
            (hook("g0", results=(False, True)), hook("g1", results=(False,)), hook("act", parameters=ALL)),
        ),
        (*sends("e0", "nothing", "e0"), Step("activate")),
        ("s0", "s1", "s2", "s0", "s0"),
    ),
    Case(
        "dotted names match by their beginning",
        Chart(
            FLAT,
            (edge("s0", "s1", "k.a", on="act"), edge("s1", "s2", "k.*", on="act"), edge("s2", "s0", "*", on="act")),
            (hook("act", parameters="self, event"),),
        ),
        sends("k", "k.a.b", "k.x", "anything"),
        ("s0", "s0", "s1", "s2", "s0"),
    ),
    Case(
        "a compound state is entered by its initial child, and left with it",
        Chart(
            NEST,
            (edge("s0", "s1", "e0"), edge("s1", "s0", "e1"), edge("s2", "s3", "e0"), edge("s4", "s5", "e0")),
            HOOKS[:5],
        ),
        sends("e0", "e0", "e0", "e1"),
        ("s0", "s1 s2", "s1 s3 s4", "s1 s3 s5", "s0"),
    ),
    Case(
        "inner transitions go first, outer ones are there for all children",
        Chart(
            NEST,
            (edge("s0", "s5", "e0"), edge("s1", "s2", "e1"), edge("s3", "s4", "e1"), edge("s4", "s2", "e1")),
            HOOKS[:5],
        ),
        sends("e0", "e1", "e1", "e1"),
        ("s0", "s1 s3 s5", "s1 s3 s4", "s1 s2", "s1 s2"),
    ),
    Case(
        "an internal transition to a child does not leave the parent, an external one does",
        Chart(NEST, (edge("s0", "s1", "e0"), edge("s1", "s5", "e1", internal=True), edge("s1", "s5", "e2")), HOOKS[:5]),
        sends("e0", "e1", "e2"),
        ("s0", "s1 s2", "s1 s3 s5", "s1 s3 s5"),
    ),
    Case(
        "a final child is told, with its data",
        Chart(
            (first("s0"), compound("s1", first("s2"), final("s3", donedata="data"))),
            (edge("s0", "s1", "e0"), edge("s2", "s3", "e0"), edge("s1", "s0", "done.state.s1", on="act")),
            (
                hook("act", parameters=ALL),
                hook("data", results=({"x": 3},)),
                hook("on_enter_s3", parameters="self, **kwargs"),
            ),
        ),
        sends("e0", "e0"),
        ("s0", "s1 s2", "s0"),
    ),
    Case(
        "data of a final child that is no dictionary",
        Chart(
            (first("s0"), compound("s1", first("s2"), final("s3", donedata="data"))),
            (edge("s0", "s1", "e0"), edge("s2", "s3", "e0"), edge("s1", "s0", "done.state.s1", on="act")),
            (hook("act", parameters="self, *args, **kwargs"), hook("data", results=(17,))),
        ),
        sends("e0", "e0"),
        ("s0", "s1 s2", "s0"),
    ),
    Case(
        "the end of a machine, and what comes after",
        Chart(
            (first("s0"), final("s1")),
            (edge("s0", "s1", "e0"),),
            (hook("on_e0", act("send", "e0"), act("send", "nothing")), *HOOKS[:5]),
        ),
        (*sends("e0", "e0"), Step("call", "e0"), Step("enabled"), Step("activate")),
        ("s0", "s1", "s1", "s1", "s1", "s1"),
    ),
    Case(
        "regions react together",
        Chart(
            (first("s0"), REGIONS),
            (
                edge("s0", "s1", "e0"),
                edge("s3", "s4", "e1"),
                edge("s6", "s7", "e1"),
                edge("s4", "s3", "e2"),
                edge("s1", "s0", "e0"),
            ),
            HOOKS[:5],
        ),
        sends("e0", "e1", "e2", "e0"),
        ("s0", "s1 s2 s3 s5 s6", "s1 s2 s4 s5 s7", "s1 s2 s3 s5 s7", "s0"),
    ),
    Case(
        "of two transitions that exclude each other one is taken",
        Chart(
            (first("s0"), REGIONS),
            (
                edge("s0", "s1", "e0"),
                edge("s3", "s0", "e1"),
                edge("s6", "s7", "e1"),
                edge("s2", "s4", "e2"),
                edge("s1", "s0", "e2"),
            ),
            HOOKS[:5],
        ),
        sends("e0", "e1", "e0", "e2"),
        ("s0", "s1 s2 s3 s5 s6", "s0", "s1 s2 s3 s5 s6", "s1 s2 s4 s5 s6"),
    ),
    Case(
        "a transition into regions enters the others as well, and may name several",
        Chart(
            (first("s0"), REGIONS),
            (edge("s0", "s7", "e0"), edge("s0", "s4 s7", "e1"), edge("s1", "s0", "e2")),
            HOOKS[:5],
        ),
        sends("e0", "e2", "e1"),
        ("s0", "s1 s2 s3 s5 s7", "s0", "s1 s2 s4 s5 s7"),
    ),
    Case(
        "regions within regions",
        Chart(
            (
                parallel(
                    "s0",
                    compound(
                        "s1",
                        Node(
                            "s2",
                            "parallel",
                            (compound("s3", first("s4"), leaf("s5")), compound("s6", first("s7"), leaf("s8"))),
                            True,
                        ),
                        leaf("s9"),
                    ),
                    compound("s10", first("s11"), leaf("s12")),
                    initial=True,
                ),
            ),
            (
                edge("s4", "s5", "e0"),
                edge("s7", "s8", "e0"),
                edge("s11", "s12", "e0"),
                edge("s2", "s9", "e1"),
                edge("s9", "s8", "e1"),
            ),
            HOOKS[:5],
        ),
        sends("e0", "e1", "e1"),
        (
            "s0 s1 s2 s3 s4 s6 s7 s10 s11",
            "s0 s1 s2 s3 s5 s6 s8 s10 s12",
            "s0 s1 s9 s10 s12",
            "s0 s1 s2 s3 s4 s6 s8 s10 s12",
        ),
    ),
    Case(
        "regions are done when all are",
        Chart(
            (
                first("s0"),
                parallel("s1", compound("s2", first("s3"), final("s4")), compound("s5", first("s6"), final("s7"))),
            ),
            (
                edge("s0", "s1", "e0"),
                edge("s3", "s4", "e1"),
                edge("s6", "s7", "e2"),
                edge("s1", "s0", "done.state.s1", on="act"),
                edge("s1", "", "done.state.s2", on="act"),
            ),
            (hook("act", parameters=ALL),),
        ),
        sends("e0", "e1", "e2"),
        ("s0", "s1 s2 s3 s5 s6", "s1 s2 s4 s5 s6", "s0"),
    ),
    Case(
        "a machine of regions ends when all are done",
        Chart(
            (
                parallel(
                    "s1",
                    compound("s2", first("s3"), final("s4")),
                    compound("s5", first("s6"), final("s7")),
                    initial=True,
                ),
            ),
            (edge("s3", "s4", "e1"), edge("s6", "s7", "e2"), edge("s3", "", "e0")),
        ),
        sends("e1", "e2", "e0"),
        ("s1 s2 s3 s5 s6", "s1 s2 s4 s5 s6", "s1 s2 s4 s5 s7", "s1 s2 s4 s5 s7"),
    ),
    *(
        Case(
            f"{kind} history",
            Chart(
                (
                    first("s0"),
                    compound("s1", first("s2"), compound("s3", first("s4"), leaf("s5")), history("s6", kind, "s2")),
                ),
                (edge("s0", "s6", "e0"), edge("s1", "s0", "e1"), edge("s2", "s5", "e2")),
                HOOKS[:5],
            ),
            sends("e0", "e2", "e1", "e0", "e1", "e0"),
            ("s0", "s1 s2", "s1 s3 s5", "s0", found, "s0", found),
        )
        for kind, found in (("shallow", "s1 s3 s4"), ("deep", "s1 s3 s5"))
    ),
    Case(
        "history of regions",
        Chart(
            (first("s0"), compound("s8", Node("s1", "parallel", REGIONS.children, True), history("s9", "deep", "s1"))),
            (edge("s0", "s9", "e0"), edge("s3", "s4", "e1"), edge("s8", "s0", "e2")),
            HOOKS[:5],
        ),
        sends("e0", "e1", "e2", "e0"),
        ("s0", "s1 s2 s3 s5 s6 s8", "s1 s2 s4 s5 s6 s8", "s0", "s1 s2 s4 s5 s6 s8"),
    ),
    Case(
        "what a callback sends to its own machine waits; what it raises internally comes first",
        Chart(
            FLAT,
            (
                edge("s0", "s1", "e0"),
                edge("s1", "s2", "e1"),
                edge("s1", "s0", "e2"),
                edge("s2", "s0", "e2"),
                edge("s0", "s1", "e1"),
            ),
            (
                hook("on_e0", act("send", "e2", x=1), act("raise_", "e1", y=2), act("call", "e1"), parameters=ALL),
                *HOOKS[1:5],
            ),
        ),
        sends("e0"),
        ("s0", "s1"),
    ),
    Case(
        "the first event that moves gives the result",
        Chart(
            FLAT,
            ROUND,
            (
                hook("on_e0", act("send", "e0"), results=("first", "second")),
                hook("before_e0", results=(0, None)),
                hook("after_e0", results=("after",)),
            ),
        ),
        sends("e0", "e0"),
        ("s0", "s2", "s0"),
    ),
    Case(
        "an event that is only put runs with the next one",
        Chart(FLAT, ROUND, (hook("on_e0", results=("first", "second")),)),
        (Step("put", "e0"), *sends("e0"), Step("put", "e0"), Step("activate")),
        ("s0", "s0", "s2", "s2", "s0"),
    ),
    Case(
        "an internal event is declared so",
        Chart(
            FLAT,
            (edge("s0", "s1", "e0"), edge("s1", "s2", "e1"), edge("s2", "s0", "e2"), edge("s1", "s0", "e2")),
            (hook("on_e0", act("send", "e2"), act("send", "e1")), hook("after_e1", parameters=ALL)),
            declared=(Declared("e1", internal=True),),
        ),
        (*sends("e0"), Step("raise_", "e0")),
        ("s0", "s0", "s1"),
    ),
    Case(
        "delayed events come in the order of their times",
        Chart(
            FLAT,
            (*ROUND, edge("s0", "", "e1"), edge("s1", "", "e1"), edge("s2", "", "e1")),
            (
                hook(
                    "on_e0",
                    act("send", "e1", delay=5, x=1),
                    act("send", "e1", delay=2, x=2),
                    act("send", "e1", delay=2, x=3),
                ),
                hook("on_e1", parameters="self, x"),
            ),
            declared=(Declared("e0", delay=3),),
        ),
        (Step("call", "e0"), send("e0", delay=0), send("e1", delay=4, x=9)),
        ("s0", "s1", "s2", "s2"),
    ),
    Case(
        "delayed events can be cancelled",
        Chart(
            FLAT,
            ROUND,
            (
                hook(
                    "on_e0",
                    act("send", "e0", delay=5, send_id="later"),
                    act("send", "e0", delay=5, send_id="other"),
                    act("cancel"),
                ),
            ),
        ),
        sends("e0"),
        ("s0", "s2"),
    ),
    Case(
        "enabled events are those whose guards hold",
        Chart(
            FLAT,
            (edge("s0", "s1", "e0", cond="g0"), edge("s0", "s2", "e1", cond="g1"), edge("s0", "s2", "e2", cond="g2")),
            (
                hook("g0", parameters="self, x='none', *args, event, state", results=(False,)),
                hook("g1", results=(True,)),
                hook("g2", act("raise"), times=9),
            ),
        ),
        (Step("enabled", args=(1,), kwargs=(("x", 2),)), Step("allowed")),
        ("s0", "s0", "s0"),
    ),
    Case(
        "weights choose",
        Chart(FLAT, (edge("s0", "s1 s2", "e0", weights=(1, 3)), edge("s1", "s0", "e1"), edge("s2", "s0", "e1"))),
        sends("e0", "e1", "e0", "e1", "e0"),
        ("s0", "s2", "s0", "s1", "s0", "s2"),
    ),
    Case(
        "a state value that is written is believed, if there is such a state",
        Chart(FLAT, ROUND, HOOKS[:5]),
        (Step("write", "s2"), *sends("e0"), Step("write", "nowhere"), *sends("e0")),
        ("s0", "s2", "s0", "s0", "s1"),
    ),
    *CORNERS,
    *INVOCATIONS,
    *PREPARING,
)
