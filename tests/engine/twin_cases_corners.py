"""Corners that random charts, or faults that were put into our engine, have led to; written by hand."""

from __future__ import annotations

from twin_build import ALL, Case, act, compound, edge, final, first, history, hook, leaf, parallel, sends
from twin_data import Chart, Step

FLAT = (first("s0"), leaf("s1"), leaf("s2"))
ROUND = (edge("s0", "s1", "e0"), edge("s1", "s2", "e0"), edge("s2", "s0", "e0"))
REMEMBERING = (
    first("s0"),
    compound("s1", first("s2"), leaf("s3"), history("s4", "shallow", "s3")),
)

CORNERS = (
    *(
        Case(
            f"a condition of a refused event {does}",
            Chart(
                FLAT,
                (
                    edge("s0", "s1", "e0", cond="g0"),
                    edge("s0", "s2", "e1", on="always"),
                    edge("s0", "s2", "error.execution", on="always"),
                ),
                (hook("g0", *acts, results=(False, True)), hook("always", parameters="self, **kwargs", results=(7,))),
            ),
            (*sends("e0"), Step("enabled")),
            ("s0", rest, rest),
        )
        for does, rest, acts in (
            ("sends another", "s2", (act("send", "e1"),)),
            ("sends another for later", "s2", (act("send", "e1", delay=5),)),
            ("raises another", "s2", (act("raise_", "e1"),)),
            ("fails", "s2", (act("raise"),)),
            ("calls another", "s2", (act("call", "e1"),)),
        )
    ),
    *(
        Case(
            f"an invalid definition is found in {name}",
            Chart(
                FLAT,
                (edge("s0", "s1", "e0", cond="g0"), edge("s1", "s2", "e0"), edge("s0", "s2", "error.execution")),
                (hook("g0", results=(True,)), hook(name, act("send", "e0"), act("invalid"), results=(True,))),
            ),
            sends("e0", "e0"),
            rests,
        )
        for name, rests in (
            ("before_e0", ("s0", "s0", "s1")),
            ("on_exit_s0", ("s0", "s0", "s1")),
            ("on_e0", ("s0", "s0", "s1")),
            ("on_enter_s1", ("s0", "s0", "s1")),
            ("after_e0", ("s0", "s1", "s2")),
        )
    ),
    Case(
        "what a transition to a history does is done again when the history is entered, and may fail",
        Chart(
            REMEMBERING,
            (
                edge("s0", "s4", "e0", on="always"),
                edge("s1", "s0", "e1"),
                edge("s3", "s2", "error.execution"),
                edge("s3", "s2", "e2"),
            ),
            (hook("always", act("raise"), times=9), hook("on_e0"), hook("on_enter_s3")),
        ),
        sends("e0", "e1", "e0"),
        ("s0", "s1 s2", "s0", "s1 s2"),
    ),
    Case(
        "the same while an error is handled",
        Chart(
            REMEMBERING,
            (
                edge("s0", "s4", "error.execution", on="always"),
                edge("s0", "s0", "e0", on="inline"),
                edge("s1", "s0", "e1"),
            ),
            (
                hook("inline", act("raise"), times=9),
                hook("always", act("raise"), skips=1, results=(1, 2)),
                hook("on_enter_s3"),
            ),
        ),
        sends("e0", "e0", "e1", "e0"),
        ("s0", "s0", "s1 s3", "s0", "s1 s3"),
    ),
    Case(
        "what leads from a history to its default fails",
        Chart(
            (first("s0"), compound("s1", first("s2"), leaf("s3"), history("s4", "shallow", "s3", "always"))),
            (edge("s0", "s4", "e0"), edge("s1", "s0", "e1"), edge("s1", "s0", "error.execution")),
            (hook("always", act("raise"), times=9), hook("on_enter_s1"), hook("on_enter_s3")),
        ),
        sends("e0", "e1", "e0"),
        ("s0", "s0", "s0", "s0"),
    ),
    Case(
        "what comes after a transition without a target fails, one by one",
        Chart(
            (first("s0"),),
            (edge("s0", "", "e0", after="always"), edge("s0", "", "error.execution", after="always")),
            (
                hook("always", act("raise"), times=3, parameters="self, error='none', new_configuration='none'"),
                hook("after_e0", act("raise")),
                hook("after_transition", parameters="self, **kwargs"),
            ),
        ),
        sends("e0", "e0"),
        ("s0", "s0", "s0"),
    ),
    Case(
        "a transition by one of two events",
        Chart(
            FLAT,
            (edge("s0", "s1", "e0 e1"), edge("s1", "s0", "e1 e0")),
            tuple(hook(f"{group}_{event}") for group in ("before", "on", "after") for event in ("e0", "e1")),
        ),
        sends("e0", "e1", "e1", "e0"),
        ("s0", "s1", "s0", "s1", "s0"),
    ),
    Case(
        "a parent waits without an event",
        Chart(
            (first("s0"), compound("s1", first("s2"), leaf("s3"))),
            (edge("s0", "s1", "e0"), edge("s2", "s3", cond="g0"), edge("s1", "s0", cond="g1"), edge("s3", "s2", "e0")),
            (hook("g0", results=(False, False, True)), hook("g1", results=(False,)), hook("on_enter_s2")),
        ),
        sends("e0", "e0", "nothing"),
        ("s0", "s1 s2", "s1 s3", "s1 s3"),
    ),
    *(
        Case(
            f"what follows by itself ends a machine, the {count}th time that it is asked",
            Chart(
                (
                    parallel(
                        "s0",
                        compound("s1", first("s2"), final("s3")),
                        compound("s4", first("s5"), final("s6")),
                        initial=True,
                    ),
                ),
                (edge("s2", "s3", cond="g0"), edge("s5", "s6", cond="g0"), edge("s0", "", "e0")),
                (hook("g0", results=(False,) * (count - 1) + (True,) * 9), hook("on_e0")),
            ),
            sends("e0", "e0", "e0", "e0"),
            rests,
        )
        for count, rests in (
            (7, ("s0 s1 s2 s4 s5", "s0 s1 s2 s4 s5", "s0 s1 s3 s4 s6", "s0 s1 s3 s4 s6", "s0 s1 s3 s4 s6")),
            (9, ("s0 s1 s2 s4 s5", "s0 s1 s2 s4 s5", "s0 s1 s3 s4 s6", "s0 s1 s3 s4 s6", "s0 s1 s3 s4 s6")),
            (11, ("s0 s1 s2 s4 s5", "s0 s1 s2 s4 s5", "s0 s1 s2 s4 s5", "s0 s1 s3 s4 s6", "s0 s1 s3 s4 s6")),
        )
    ),
    Case(
        "an internal event that fails takes what waits with it",
        Chart(
            FLAT,
            (edge("s0", "s1", "e0"), edge("s1", "s2", "e1", on="always"), edge("s1", "s0", "e2")),
            (hook("on_e0", act("send", "e2"), act("raise_", "e1")), hook("always", act("raise"))),
        ),
        sends("e0", "nothing"),
        ("s0", "s2", "s2"),
    ),
    Case(
        "an error when the machine is warm",
        Chart(FLAT, ROUND, (hook("on_e0", act("send", "e0"), act("raise"), skips=1),)),
        sends("e0", "e0", "nothing", "e0"),
        ("s0", "s1", "s0", "s0", "s1"),
    ),
    Case(
        "guards of eventless transitions are asked once more after an internal event",
        Chart(
            FLAT,
            (edge("s0", "s1", "e0"), edge("s1", "s2", "e1"), edge("s2", "s0", cond="g0")),
            (hook("on_e0", act("raise_", "e1")), hook("g0", results=(False, False, True))),
        ),
        sends("e0", "nothing"),
        ("s0", "s2", "s0"),
    ),
    Case(
        "a state that is left is the machine's own, and knows that it is active",
        Chart(
            (first("s0"), compound("s1", first("s2"), leaf("s3"), history("s4", "deep", "s3"))),
            (edge("s0", "s4", "e0"), edge("s1", "s0", "e1")),
            (
                hook("on_exit_s0", parameters="self, state, source"),
                hook("on_exit_state", parameters="self, source, *, target, state"),
                hook("on_enter_state", parameters="self, target, state='none'"),
                hook("before_e1", parameters="self, state, source, event_data"),
                hook("on_e0", parameters="self, previous_configuration, new_configuration"),
            ),
        ),
        sends("e0", "e1", "e0"),
        ("s0", "s1 s3", "s0", "s1 s3"),
    ),
    Case(
        "another machine of the class is there, which starts elsewhere",
        Chart(FLAT, ROUND, (hook("on_enter_state"),), keywords=(("start_value", "s1"),), has_sibling=True),
        sends("e0", "e0"),
        ("s1", "s2", "s0"),
    ),
    *(
        Case(
            f"another machine of the class is there, which has no {owner}",
            Chart(
                FLAT,
                (edge("s0", "s1", "e0", cond="g0"), edge("s1", "s0", "e0")),
                (hook("g0", results=(True,)), hook("on_e0", owner=owner), hook("after_e0")),
                has_sibling=True,
            ),
            sends("e0", "e0"),
            ("s0", "s1", "s0"),
        )
        for owner in ("model", "listener")
    ),
    Case(
        "another machine of the class is there, and guards are texts",
        Chart(
            FLAT,
            (edge("s0", "s1", "e0", cond="g0 or g1"), edge("s1", "s0", "e0", cond="number >= 3")),
            (hook("g0", parameters="self, machine"), hook("g1", parameters=ALL, results=(True,))),
            keywords=(("state_field", "place"),),
            has_sibling=True,
        ),
        sends("e0", "e0"),
        ("s0", "s1", "s0"),
    ),
    Case(
        "callbacks of a group run at once, if they wait",
        Chart(
            FLAT,
            ROUND,
            (
                *(hook(name, act("pause"), act("enabled")) for name in ("before_e0", "before_transition")),
                hook("before_e0", act("enabled"), owner="model"),
                hook("on_e0", act("pause"), act("pause"), act("enabled")),
                hook("on_transition", act("pause"), act("enabled")),
                hook("on_enter_s1", act("pause"), act("enabled")),
                hook("on_enter_state", act("enabled")),
            ),
        ),
        sends("e0", "e0"),
        ("s0", "s1", "s2"),
    ),
    Case(
        "a delayed event is cancelled when nothing else waits",
        Chart(
            FLAT, ROUND, (hook("on_e0", act("send", "e0", delay=5, send_id="later")), hook("after_e0", act("cancel")))
        ),
        sends("e0", "e0"),
        ("s0", "s1", "s2"),
    ),
)
