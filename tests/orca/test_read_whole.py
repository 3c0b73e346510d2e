"""What the constructs mean that are read and not run yet: regions, timeouts, invokes, effects, properties."""

from __future__ import annotations

import pytest

from orca_bridge.definition import (
    Comparison,
    EffectDefinition,
    GuardName,
    InvokeDefinition,
    InvokeInput,
    Not,
    Outcome,
    Parameter,
    Path,
    PropertyDefinition,
    RegionDefinition,
    ReturnDefinition,
    StateDefinition,
    TimeoutDefinition,
    TypeExpression,
    Update,
    Value,
)
from orca_bridge.exceptions import DocumentError
from orca_bridge.syntax import parse_document, read

TABLE = "## transitions\n| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n"


def machine(text, *, warnings=()):
    found = read(text, "m.md")
    remarks = [d.code for d in found.diagnostics if d.category != "portability"]
    assert remarks == list(warnings), "\n".join(map(str, found.diagnostics))
    return found.document.machines[0]


def state(*bullets, more="", **options):
    lines = "\n".join(f"- {bullet}" for bullet in bullets)
    text = f"# machine M\n## state a [initial]\n{lines}\n## state b\n## events\n- e\n- f\n{more}"
    return machine(text, **options).states[0]


class TestRegions:
    def test_a_parallel_state(self):
        """Regions hold their states; paths go through them."""
        text = (
            "# machine M\n## state p [initial, parallel, sync: any_final]\n- on_done: q\n"
            "### region r\n> first\n- on_entry: log\n- ignore: e, *\n#### state x [initial]\n##### state deep [initial]\n"
            "### region s\n#### state y [initial]\n#### state z [final]\n## state q\n"
        )

        found = machine(text).states[0]
        assert found == StateDefinition(
            "p",
            "p",
            initial=True,
            sync="any-final",
            on_done=Outcome(target="q"),
            regions=(
                RegionDefinition(
                    "r",
                    "p.r",
                    states=(
                        StateDefinition(
                            "x",
                            "p.r.x",
                            initial=True,
                            children=(StateDefinition("deep", "p.r.x.deep", initial=True),),
                        ),
                    ),
                    description="first",
                    on_entry=("log",),
                    ignored=("e",),
                    ignores_all=True,
                ),
                RegionDefinition(
                    "s",
                    "p.s",
                    states=(StateDefinition("y", "p.s.y", initial=True), StateDefinition("z", "p.s.z", final=True)),
                ),
            ),
        )

    def test_a_parallel_state_inside_a_region(self):
        """Parallel states nest."""
        text = (
            "# machine M\n# state p [initial, parallel]\n## region r\n### state x [initial, parallel]\n"
            "#### region i\n##### state y [initial]\n#### region j\n##### state z [initial]\n"
            "## region s\n### state w [initial]\n"
        )

        inner = machine(text).states[0].regions[0].states[0]
        assert [region.path for region in inner.regions] == ["p.r.x.i", "p.r.x.j"]

    @pytest.mark.parametrize("reference", ["x", "r.x", "p.x", "p.r.x"])
    def test_references_go_through_regions(self, reference):
        """A state in a region is meant by its name, or by as much of its path as is needed."""
        text = (
            "# machine M\n## state p [initial, parallel]\n### region r\n#### state x [initial]\n"
            f"### region s\n#### state y [initial]\n{TABLE}| {reference} | e | | y | |\n"
        )

        assert machine(text).transitions[0].source == "p.r.x"


class TestTimeouts:
    @pytest.mark.parametrize(
        ("duration", "milliseconds"),
        [
            ("5s", 5000),
            ("5", 5000),
            ("1.5s", 1500),
            (".5 s", 500),
            ("500 ms", 500),
            ("500ms", 500),
            ("0.0001s", 1),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("1 hour 30 minutes", 5_400_000),
            ("1 Day", 86_400_000),
            ("10_000s", 10_000_000),
            ("`5s`", 5000),
            ("0s", 0),
        ],
    )
    def test_durations(self, duration, milliseconds):
        """Durations are whole milliseconds, rounded up; a bare number counts seconds."""
        assert state(f"timeout: {duration} -> b").timeouts == (TimeoutDefinition(milliseconds, Outcome(target="b")),)

    def test_leads_to_a_state_or_raises_an_event(self):
        """A state wins over an event of its name; every timeout of a state counts."""
        found = state("timeout: 5s -> b : x, y", "timeout: 6s -> e", more="## state f\n").timeouts

        assert found == (
            TimeoutDefinition(5000, Outcome(target="b"), ("x", "y")),
            TimeoutDefinition(6000, Outcome(event="e")),
        )

    @pytest.mark.parametrize("event", ["", "timeout"])
    def test_a_row_describes_it(self, event):
        """A row without event, or for an undeclared event "timeout", gives guard and action to the timeout."""
        row = f"{TABLE}| a | {event} | g | b | act |\n## guards\n| Name | Expression |\n|---|---|\n| g | true |\n"
        text = f"# machine M\n## state a [initial]\n- timeout: 5s -> b : first\n## state b\n{row}"

        found = machine(text, warnings=["TIMEOUT_ROW"])
        assert found.transitions == ()
        assert found.states[0].timeouts == (
            TimeoutDefinition(5000, Outcome(target="b"), ("first", "act"), GuardName("g"), "g"),
        )

    def test_a_declared_event_timeout_is_an_event(self):
        """Where an event is called "timeout", its rows are rows."""
        more = f"- timeout\n{TABLE}| a | timeout | | b | |\n"

        text = f"# machine M\n## state a [initial]\n- timeout: 5s -> b\n## state b\n## events\n{more}"
        assert [row.event for row in machine(text).transitions] == ["timeout"]


class TestIgnore:
    def test_events(self):
        """Ignored events are listed, in one bullet or in several."""
        found = state("ignore: e, f", "ignore: f, done.x")

        assert (found.ignored, found.ignores_all) == (("e", "f", "done.x"), False)

    def test_all(self):
        """A star ignores whatever nothing takes."""
        assert state("ignore: *").ignores_all


CHILD = InvokeDefinition("Child")


class TestInvoke:
    @pytest.mark.parametrize(
        ("bullets", "expected"),
        [
            (["invoke: Child"], CHILD),
            (["invoke: -> Child"], CHILD),
            (["invoke: `Child`"], CHILD),
            (["invoke: My Child"], InvokeDefinition("My Child")),
            (["invoke: Child input: {}"], CHILD),
            (["invoke: Child shots: 5"], InvokeDefinition("Child", shots=5)),
            (["invoke: Child", "shots: 5"], InvokeDefinition("Child", shots=5)),
            (
                ["invoke: Child returns: { a: b, c: d }"],
                InvokeDefinition("Child", returns=(("a", "b"), ("c", "d"))),
            ),
            (
                ["invoke: Child returns: { a: b } input: { x: 1 }"],
                InvokeDefinition("Child", (InvokeInput("x", literal=1),), returns=(("a", "b"),)),
            ),
            (["invoke: Child(k: 1)"], InvokeDefinition("Child", (InvokeInput("k", literal=1),))),
            (["invoke: Child(k = 1)"], InvokeDefinition("Child", (InvokeInput("k", literal=1),))),
        ],
    )
    def test_forms(self, bullets, expected):
        """Modifiers come in any order, in the bullet or as bullets of their own."""
        assert state(*bullets).invoke == expected

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("ctx.f", Path("context", ("f",))),
            ("context.f.g", Path("context", ("f", "g"))),
            ("event.f", Path("event", ("f",))),
            ("f", Path("context", ("f",))),
            ("5", 5),
            ("-1.5", -1.5),
            ('"a, b }"', "a, b }"),
            ("true", True),
            ("null", None),
            ("[1, 2]", [1, 2]),
            ("{ x: { y: 1 } }", {"x": {"y": 1}}),
        ],
    )
    def test_values(self, value, expected):
        """A value is a path into context or payload, or a literal."""
        (found,) = state(f'invoke: Child input: {{ "k": {value} }}').invoke.input

        given = InvokeInput("k", expected) if isinstance(expected, Path) else InvokeInput("k", literal=expected)
        assert found == given

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("e", Outcome("e")), ("-> e", Outcome("e")), ("b", Outcome(target="b")), ("unknown", Outcome("unknown"))],
    )
    def test_results(self, name, expected):
        """A result is an event; where only a state is called so, it is entered."""
        found = state("invoke: Child", f"on_done: {name}", f"on_error: {name}").invoke

        assert (found.on_done, found.on_error) == (expected, expected)

    def test_a_result_above_the_invoke(self):
        """The order of the bullets makes no difference."""
        assert state("on_done: e", "invoke: Child").invoke.on_done == Outcome("e")


class TestEnds:
    def test_of_a_compound_state(self):
        """A state is preferred to an event."""
        text = "# machine M\n## state a [initial]\n- on_done: b\n### state x [initial]\n## state b\n- on_done: e\n### state y [initial]\n## events\n- e\n- b\n"

        found = machine(text).states
        assert [one.on_done for one in found] == [Outcome(target="b"), Outcome("e")]

    def test_errors_of_any_state(self):
        """Without an invoke it is about any error; an event is preferred to a state."""
        assert state("on_error: e").on_error == Outcome("e")
        assert state("on_error: b").on_error == Outcome(target="b")


class TestActionsAndEffects:
    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("", None),
            ("none", ()),
            ("n", (Update("n"),)),
            ("n := 5", (Update("n", Value(5)),)),
            ('s := "a, b"; t := null', (Update("s", Value("a, b")), Update("t", Value(None)))),
            ("n := m", (Update("n", Path("context", ("m",))),)),
            (
                "n := n + 1, m := n - 2",
                (Update("n", Path("context", ("n",)), 1), Update("m", Path("context", ("n",)), -2)),
            ),
            ("n := event.a.b", (Update("n", Path("event", ("a", "b"))),)),
            ("ctx.n := ctx.m", (Update("n", Path("context", ("m",))),)),
        ],
    )
    def test_updates(self, cell, expected):
        """The column Updates says what an action may write."""
        text = f"# machine M\n## state a [initial]\n## actions\n| Name | Updates |\n|---|---|\n| x | {cell} |\n"

        assert machine(text).actions[0].updates == expected

    def test_effects_of_an_action(self):
        """Effects stand in the signature and in the column Effect; each counts once."""
        text = (
            "# machine M\n## state a [initial]\n## actions\n| Name | Signature | Effect |\n|---|---|---|\n"
            "| x | `(ctx) -> Context + Effect<A> + Effect<'B', { c: d }>` | A, C |\n"
        )

        assert machine(text).actions[0].effects == ("A", "B", "C")

    def test_declared_effects(self):
        """Input and output are kept as text, and as fields where they list some."""
        text = (
            "# machine M\n## state a [initial]\n## effects\n| Name | Input | Output | Description |\n|---|---|---|---|\n"
            "| Mail | `{ to: string }` | text | sends |\n"
        )

        fields = (Parameter("to", TypeExpression("string", text="string")),)
        assert machine(text).effects == (
            EffectDefinition("Mail", "{ to: string }", "text", input_fields=fields, description="sends"),
        )

    def test_a_table_without_names(self):
        """Where only the column Type is there, it names the effect."""
        text = "# machine M\n## state a [initial]\n## effects\n| Type | Description |\n|---|---|\n| Mail | d |\n"

        assert [(e.name, e.type, e.description) for e in machine(text).effects] == [("Mail", "", "d")]

    def test_returns(self):
        """What a machine gives back has a type, and statistics where it is sampled."""
        text = (
            "# machine M\n## state a [initial]\n## returns\n| Name | Type | Statistics |\n|---|---|---|\n"
            "| key | string | |\n| n | | expectation, variance |\n"
        )

        assert machine(text).returns == (
            ReturnDefinition("key", TypeExpression("string", text="string")),
            ReturnDefinition("n", TypeExpression("any"), ("expectation", "variance")),
        )


class TestProperties:
    @pytest.mark.parametrize(
        ("bullet", "expected"),
        [
            ("live", PropertyDefinition("live")),
            ("LIVE", PropertyDefinition("live")),
            ("reachable: b", PropertyDefinition("reachable", "b")),
            ("reachable: x from a", PropertyDefinition("reachable", "b.x", "a")),
            ("unreachable: a from b.x", PropertyDefinition("unreachable", "a", "b.x")),
            ("passes_through: b for a -> x", PropertyDefinition("passes_through", "b.x", "a", "b")),
            ("responds: b from a within 3", PropertyDefinition("responds", "b", "a", within=3)),
            ("always responds: b from a within 0", PropertyDefinition("always_responds", "b", "a", within=0)),
            (
                "invariant: `ctx.n < 3` in x",
                PropertyDefinition(
                    "invariant", expression=Comparison(Path("context", ("n",)), "<", Value(3)), state="b.x"
                ),
            ),
            ("invariant: not g", PropertyDefinition("invariant", expression=Not(GuardName("g")))),
        ],
    )
    def test_forms(self, bullet, expected):
        """Each form of a property names its states by their paths."""
        text = (
            "# machine M\n## state a [initial]\n## state b\n### state x [initial]\n## guards\n| Name | Expression |\n"
            f"|---|---|\n| g | true |\n## properties\n- {bullet}\n"
        )

        (found,) = machine(text).properties
        assert found.text == bullet
        assert found == PropertyDefinition(
            expected.kind,
            expected.target,
            expected.source,
            expected.through,
            expected.within,
            expected.expression,
            expected.state,
            bullet,
        )


LENIENT = f"""\
# machine M
## context
| Field | Type | Default |
|---|---|---|
| n | int | many |
## state a [initial]
- timeout: soon -> b
- invoke: Child input: nothing
## state b [initial]
## state p [parallel]
### region r
{TABLE}| a | e | zz | b | |
| a | f | | nowhere | |
| a | g | | b | do it, act |
## properties
- eventually: b
"""


class TestLenient:
    def test_what_cannot_be_read_is_passed_over(self):
        """What is wrong in itself is left out with a warning; the rest of the machine is there."""
        found = read(LENIENT, "m.md", lenient=True)

        assert found.errors == ()
        (one,) = found.document.machines
        assert [row.event for row in one.transitions] == ["g"]
        assert one.transitions[0].actions == ("act",)
        assert one.context[0].default is None
        assert (one.states[0].timeouts, one.states[2].regions, one.properties) == ((), (), ())
        strict = {d.code for d in read(LENIENT, "m.md").errors}
        assert strict <= {d.code for d in found.warnings}

    def test_what_leaves_no_machine_stays_an_error(self):
        """A misplaced heading or a missing state cannot be passed over."""
        text = "# machine M\n# machine N\n## state a [initial]\n#### state b\n"

        assert [d.code for d in read(text, "m.md", lenient=True).errors] == ["NO_STATES", "INVALID_HEADING"]


class TestParseDocument:
    def test_gives_the_document(self):
        """A document without errors is given, whatever it warns about."""
        found = parse_document("# machine M\n## state a [initial]\n---\n# decision_table T\n", "m.md")

        assert ([m.name for m in found.machines], [t.name for t in found.tables]) == (["M"], ["T"])

    def test_raises_all_errors_at_once(self):
        """Errors are raised together, with their places."""
        with pytest.raises(DocumentError) as caught:
            parse_document(LENIENT, "m.md")

        assert len([d for d in caught.value.diagnostics if d.severity == "error"]) == 9

    def test_can_be_lenient(self):
        """Leniency is the caller's choice."""
        assert parse_document(LENIENT, "m.md", lenient=True).machines
