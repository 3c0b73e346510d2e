"""`prepare_event`: where it runs, what it hands to whom, and how it fails; written by hand."""

from __future__ import annotations

from twin_build import (
    ALL,
    Case,
    act,
    compound,
    edge,
    final,
    first,
    history,
    hook,
    invoking,
    leaf,
    parallel,
    send,
    sends,
)
from twin_data import Chart, Step

FLAT = (first("s0"), leaf("s1"), leaf("s2"))
ROUND = (edge("s0", "s1", "e0"), edge("s1", "s2", "e0"), edge("s2", "s0", "e0"))
ASKED = f"{ALL.removesuffix(', **kwargs')}, prepared='none', **kwargs"
HEARD = tuple(
    hook(name, parameters=parameters)
    for parameters, names in (
        (ASKED, ("before_transition", "on_transition", "after_transition")),
        ("self, prepared='none'", ("before_e0", "on_e0", "after_e0")),
        ("self, state, prepared='none'", ("on_exit_state", "on_enter_state")),
        ("self, **kwargs", ("on_exit_s0", "on_enter_s1")),
    )
    for name in names
)
NUMBERS = tuple({"prepared": number} for number in range(50))
PREPARE = hook("prepare_event", parameters=ALL, results=NUMBERS)

PREPARING = (
    Case(
        "each transition that is asked has something else prepared",
        Chart(
            FLAT,
            (
                edge("s0", "s1", "e0", cond="g0", on="always"),
                edge("s0", "s2", "e0", unless="g1", validators="check"),
                edge("s0", "s0", "e0", cond="prepared > 0"),
                edge("s2", "s0", "e0"),
            ),
            (
                PREPARE,
                hook("g0", parameters="self, prepared", results=(False, False, True)),
                hook("g1", parameters="self, prepared, target, *, source", results=(True, False)),
                hook("check", parameters="self, prepared"),
                hook("always", parameters="self, prepared"),
                hook("prepared", results=(1,)),
                *HEARD,
            ),
        ),
        sends("e0", "e0", "e0", "e0", "e0"),
        ("s0", "s0", "s2", "s0", "s1", "s1"),
    ),
    *(
        Case(
            f"an error where {what} is prepared",
            Chart(
                FLAT,
                (*ROUND, edge("s1", "s2", "error.execution", on="always")),
                (
                    hook("prepare_event", act("raise"), skips=skips, results=NUMBERS),
                    hook("always", parameters="self, error='none', prepared='none'"),
                    *HEARD[3:],
                ),
            ),
            sends("e0", "e0"),
            rests,
        )
        for what, skips, rests in (
            ("the start", 0, ()),
            ("the first entry", 1, ()),
            ("a transition", 2, ("s0", "s0", "s1")),
            ("an exit", 3, ("s0", "s0", "s1")),
            ("an entry", 4, ("s0", "s0", "s1")),
            ("the next transition", 5, ("s0", "s1", "s1")),
        )
    ),
    Case(
        "an error where what comes after is prepared",
        Chart(
            (first("s0"), compound("s1", first("s2"), leaf("s3"), history("s4", "shallow", "s3"))),
            (edge("s0", "s4", "e0"), edge("s1", "s0", "error.execution", on="always")),
            (
                hook("prepare_event", act("raise"), skips=7, results=NUMBERS),
                hook("always", parameters="self, error='none', prepared='none'"),
                *HEARD,
            ),
        ),
        sends("e0", "e0"),
        ("s0", "s0", "s1 s3"),
    ),
    *(
        Case(
            f"what is prepared is {what}",
            Chart(FLAT, ROUND, (hook("prepare_event", results=(*NUMBERS[:4], found, *NUMBERS[4:9])), *HEARD)),
            sends("e0", "e0", "e0"),
            rests,
        )
        for what, found, rests in (
            ("nothing", None, ("s0", "s0", "s1", "s2")),
            ("a number", 7, ("s0", "s0", "s1", "s2")),
            ("a text", "text", ("s0", "s0", "s1", "s2")),
            ("no text", "", ("s0", "s1", "s2", "s0")),
            ("pairs", [("prepared", 8)], ("s0", "s1", "s2", "s0")),
            ("half good", [("prepared", 8), 9], ("s0", "s0", "s1", "s2")),
            ("empty", {}, ("s0", "s1", "s2", "s0")),
        )
    ),
    Case(
        "what is prepared goes before what callbacks are given otherwise",
        Chart(
            FLAT,
            (edge("s0", "s1", "e0", cond="g0"), *ROUND[1:]),
            (
                hook(
                    "prepare_event",
                    parameters=ALL,
                    results=(
                        {
                            "state": "state!",
                            "source": "source!",
                            "target": "target!",
                            "event": "event!",
                            "event_data": "event_data!",
                            "machine": "machine!",
                            "model": "model!",
                            "transition": "transition!",
                            "previous_configuration": "before!",
                            "x": "x!",
                        },
                    ),
                ),
                hook("g0", parameters="self, state, event, x, machine", results=(True,)),
                hook("before_e0", parameters="self, previous_configuration, model, *, x"),
                hook("on_e0", parameters="self, previous_configuration, new_configuration, x, y='none'"),
                hook("after_e0", parameters="self, event_data, transition, x, *args"),
                *HEARD,
            ),
        ),
        (send("e0", 1, x=2), send("e0", 1, 2, y=3)),
        ("s0", "s1", "s2"),
    ),
    Case(
        "machine, model and listeners prepare, the last one wins",
        Chart(
            FLAT,
            ROUND,
            (
                *(
                    hook(
                        "prepare_event",
                        act("pause"),
                        owner=owner,
                        times=50,
                        parameters="self, prepared='none', *args",
                        results=tuple({"prepared": f"{owner} {number}", owner: number} for number in range(20)),
                    )
                    for owner in ("listener", "model", "machine")
                ),
                *HEARD,
            ),
        ),
        (send("e0", 1), send("e0", prepared=2)),
        ("s0", "s1", "s2"),
    ),
    Case(
        "a listener that is added prepares from then on",
        Chart(FLAT, ROUND, (hook("prepare_event", owner="late", parameters=ALL, results=NUMBERS), *HEARD)),
        (*sends("e0"), Step("listen"), *sends("e0", "e0")),
        ("s0", "s1", "s1", "s2", "s0"),
    ),
    Case(
        "what prepares sends events, and asks what is enabled",
        Chart(
            FLAT,
            (*ROUND, edge("s1", "s0", "e1"), edge("s2", "s0", "e1")),
            (
                hook("prepare_event", act("send", "e1"), act("raise_", "e1"), act("enabled"), skips=3, results=NUMBERS),
                *HEARD,
            ),
        ),
        sends("e0", "e0"),
        ("s0", "s0", "s1"),
    ),
    Case(
        "a self-transition has it prepared for itself, for the exit and for the entry",
        Chart(
            FLAT,
            (edge("s0", "s0", "e0"), edge("s0", "s0", "e1", internal=True), edge("s0", "", "e2", on="act")),
            (PREPARE, hook("act", parameters="self, prepared, new_configuration"), *HEARD),
        ),
        sends("e0", "e1", "e2"),
        ("s0", "s0", "s0", "s0"),
    ),
    Case(
        "eventless transitions and internal events have it prepared",
        Chart(
            FLAT,
            (
                edge("s0", "s1", "e0"),
                edge("s1", "s2", cond="g0", on="act"),
                edge("s2", "s1", cond="g1", on="act"),
                edge("s2", "s0", "e1"),
            ),
            (
                PREPARE,
                hook("g0", parameters="self, prepared", results=(False, True)),
                hook("g1", parameters="self, prepared", results=(False,)),
                hook("act", act("raise_", "e1"), parameters=ASKED),
                *HEARD,
            ),
        ),
        (*sends("e0"), Step("activate"), *sends("nothing")),
        ("s0", "s1", "s0", "s0"),
    ),
    Case(
        "regions and done events have it prepared",
        Chart(
            (
                first("s0"),
                parallel("s1", compound("s2", first("s3"), final("s4")), compound("s5", first("s6"), final("s7"))),
            ),
            (
                edge("s0", "s1", "e0"),
                edge("s3", "s4", "e1"),
                edge("s6", "s7", "e1"),
                edge("s1", "s0", "done.state.s1", on="act"),
            ),
            (PREPARE, hook("act", parameters=ASKED), *HEARD),
        ),
        sends("e0", "e1"),
        ("s0", "s1 s2 s3 s5 s6", "s0"),
    ),
    *(
        Case(
            f"a {kind} history has it prepared",
            Chart(
                (
                    first("s0"),
                    compound(
                        "s1", first("s2"), compound("s3", first("s4"), leaf("s5")), history("s6", kind, "s2", "act")
                    ),
                ),
                (edge("s0", "s6", "e0", on="act"), edge("s1", "s0", "e1"), edge("s2", "s5", "e2")),
                (PREPARE, hook("act", parameters=ASKED), *HEARD),
            ),
            sends("e0", "e2", "e1", "e0"),
            ("s0", "s1 s2", "s1 s3 s5", "s0", found),
        )
        for kind, found in (("shallow", "s1 s3 s4"), ("deep", "s1 s3 s5"))
    ),
    Case(
        "an invocation gets what the event carries, not what is prepared",
        Chart(
            (first("s0"), invoking("s1", "work0"), leaf("s2")),
            (edge("s0", "s1", "e0"), edge("s1", "s2", "done.invoke.s1", on="act"), edge("s2", "s1", "e0")),
            (
                PREPARE,
                hook("work0", parameters="self, ctx, x='none', prepared='none'", results=("done",)),
                hook("act", parameters=ASKED),
                *HEARD,
            ),
        ),
        (send("e0", x=5), Step("work"), send("e0"), Step("work")),
        ("s0", "s1", "s2", "s1", "s2"),
    ),
)
