"""What a well-formed Markdown document means."""

from __future__ import annotations

import unicodedata

import pytest

from orca_bridge.definition import (
    And,
    BoolLiteral,
    Comparison,
    Else,
    EventDefinition,
    GuardName,
    Not,
    Parameter,
    Path,
    Span,
    StateDefinition,
    TransitionDefinition,
    TypeExpression,
    Value,
)
from orca_bridge.syntax import read

HEADER = "| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n"


def document(*parts, states="## state idle [initial]\n## state busy\n"):
    return "# machine M\n\n" + "\n".join(parts) + "\n" + states


def remarks(found):
    """What the reader says of the document itself; how other tools read it is tested with the portability warnings."""
    return [d for d in found.diagnostics if d.category != "portability"]


def machine(text, *, warnings=()):
    found = read(text, "m.orca.md")
    assert [d.code for d in remarks(found)] == list(warnings), "\n".join(map(str, found.diagnostics))
    return found.document.machines[0]


def rows(*lines, **options):
    return machine(document("## transitions", HEADER + "\n".join(lines) + "\n"), **options).transitions


def codes(text):
    return [d.code for d in remarks(read(text, "m.orca.md"))]


LIFT = """\
# machine Lift

> Carries people up
> and down.

- version: 2.1.0

## context
| Field | Type | Default |
|-------|------|---------|
| floor | int  | 0       |
| load  | int? |         |

## events
- call
- arrive

## state standing [initial]
> Doors closed
- on_entry: close_doors

## state moving "Under way"
> Nobody may leave
- on_exit: brake, settle

### state up [initial]
### state down

## state broken [final]

## transitions
| Source   | Event  | Guard       | Target   | Action |
|----------|--------|-------------|----------|--------|
| standing | call   | light       | up       | start  |
| standing | call   | else        | standing |        |
| moving   | arrive |             | standing |        |
| down     |        | floor == -1 | broken   | alarm  |

## guards
| Name  | Expression         |
|-------|--------------------|
| light | `ctx.load <= 1000` |

## actions
| Name  | Signature                 |
|-------|---------------------------|
| start | `(ctx, event) -> Context` |
"""


class TestMachine:
    def test_a_whole_document(self):
        """All sections of one document come together in one definition."""
        lift = machine(LIFT)

        assert (lift.name, lift.version, lift.description) == ("Lift", "2.1.0", "Carries people up\nand down.")
        assert [(f.name, f.type.kind, f.default) for f in lift.context] == [("floor", "int", 0), ("load", "int", None)]
        assert [e.name for e in lift.events] == ["call", "arrive"]
        assert lift.states == (
            StateDefinition(
                "standing", "standing", initial=True, description="Doors closed", on_entry=("close_doors",)
            ),
            StateDefinition(
                "moving",
                "moving",
                description="Under way",
                notes="Nobody may leave",
                on_exit=("brake", "settle"),
                children=(
                    StateDefinition("up", "moving.up", initial=True),
                    StateDefinition("down", "moving.down"),
                ),
            ),
            StateDefinition("broken", "broken", final=True),
        )
        floor = Comparison(Path("context", ("floor",)), "==", Value(-1))
        assert lift.transitions == (
            TransitionDefinition("standing", "call", "moving.up", GuardName("light"), "light", ("start",)),
            TransitionDefinition("standing", "call", "standing", Else(), "else"),
            TransitionDefinition("moving", "arrive", "standing"),
            TransitionDefinition("moving.down", None, "broken", floor, "floor == -1", ("alarm",)),
        )
        assert [(g.name, g.text) for g in lift.guards] == [("light", "ctx.load <= 1000")]
        assert [(a.name, a.parameters) for a in lift.actions] == [("start", (Parameter("ctx"), Parameter("event")))]

    @pytest.mark.parametrize("name", ["`Lift`", "**Lift**", "_Lift_", "`two words`"])
    def test_marks_around_the_name_fall_off(self, name):
        """Back-ticks and emphasis are no part of a machine's name; an underscore can be."""
        expected = name if name == "_Lift_" else name.strip("`*")

        assert machine(f"# machine {name}\n## state a [initial]\n").name == expected

    def test_everything_knows_its_place(self):
        """Spans point at the names in the text."""
        lift = machine(LIFT)

        assert lift.span == Span(1, 11, 15)
        assert lift.context[0].span == Span(11, 3, 8)
        assert lift.events[1].span == Span(16, 3, 9)
        assert lift.states[1].children[1].span == Span(27, 11, 15)
        assert lift.transitions[0].span.line == 34
        assert lift.guards[0].span == Span(42, 3, 8)

    def test_several_machines(self):
        """A file holds machines in order, with or without a separator between them."""
        text = "# machine A\n## state a [initial]\n---\n# machine B\n## state b [initial]\n# machine C\n# state c [initial]\n"

        found = read(text, "m.md")

        assert [m.name for m in found.document.machines] == ["A", "B", "C"]
        assert found.document.name == "m.md"

    def test_a_separator_inside_a_machine_means_nothing(self):
        """Sections behind a separator still belong to the machine above it."""
        assert len(machine("# machine M\n## state a [initial]\n-----\n## state b\n").states) == 2

    def test_one_bad_machine_leaves_the_others(self):
        """Only the machine with errors is missing from the document."""
        text = "# machine A\n## state a [initial]\n# machine B\n# machine C\n## state c [initial]\n"

        found = read(text, "m.md")

        assert [m.name for m in found.document.machines] == ["A", "C"]
        assert [(d.code, d.machine) for d in found.errors] == [("NO_STATES", "B")]
        assert remarks(found) == list(found.errors)

    @pytest.mark.parametrize(
        "heading",
        [
            "# machine My Lift",
            "# Machine My Lift",
            "## machine My Lift",
            "# machine: My Lift",
            "#machine My Lift",
            "# machine My Lift #",
        ],
    )
    def test_spellings_of_the_heading(self, heading):
        """The heading is recognised in every spelling people use."""
        assert machine(f"{heading}\n## state a [initial]\n").name == "My Lift"

    def test_prose_around_machines_is_ignored(self):
        """Text before, between and behind definitions is no part of them."""
        text = "# Title\n\nWords.\n\n# machine A\n## state a [initial]\n\n# Notes\n\n- on_entry: x\n\n# machine B\n## state b\n"

        assert [m.name for m in read(text, "m.md").document.machines] == ["A", "B"]

    def test_the_description_joins_quote_and_paragraphs(self):
        """Blocks below the heading are kept apart by a blank line."""
        assert (
            machine("# machine M\nOne\ntwo\n> three\n\nfour\n## state a [initial]\n").description
            == "One\ntwo\n\nthree\n\nfour"
        )


class TestText:
    @pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
    def test_line_ends(self, end):
        """LF, CRLF and CR end a line."""
        assert machine(LIFT.replace("\n", end)) == machine(LIFT)

    def test_bytes_with_a_byte_order_mark(self):
        """Bytes are UTF-8, and a byte order mark is dropped without moving a column."""
        assert machine(b"\xef\xbb\xbf" + LIFT.encode()).span == Span(1, 11, 15)
        assert machine("\ufeff" + LIFT).span == Span(1, 11, 15)

    def test_indentation_never_matters(self):
        """Lines are trimmed before they are looked at."""
        assert machine("\n".join("\t  " + line for line in LIFT.split("\n"))).states == machine(LIFT).states

    def test_names_are_compared_composed(self):
        """A name typed in decomposed letters is the same name."""
        text = document(
            states=f"## state {unicodedata.normalize('NFD', 'größe')} [initial]\n## transitions\n{HEADER}| größe | e | | größe | |\n"
        )

        assert machine(text).transitions[0].source == "größe"

    def test_columns_count_the_letters_of_the_file(self):
        """Composing letters does not move what stands behind them."""
        found = read(f"# machine M\n## state {'e' + chr(0x301)} [initial] [ugly]\n", "m.md")

        assert [(d.column, d.end_column) for d in remarks(found)] == [(24, 28)]

    def test_syllables_compose_across_letters(self):
        """Hangul typed letter by letter is the same name as in syllables."""
        name = "\ud55c\uae00"
        text = document(states=f"## state {unicodedata.normalize('NFD', name)} [initial]\n")

        assert machine(text).states[0].name == name

    def test_line_separators_of_other_systems_are_characters(self):
        """Only LF and CR end a line."""
        assert machine("# machine M\nOne\u2028two\n## state a [initial]\n").description == "One\u2028two"


class TestLines:
    @pytest.mark.parametrize(
        "hidden",
        [
            "```\n## state zz\n```",
            "~~~ orca\n## state zz\n~~~",
            "<!-- ## state zz -->",
            "<!--\n## state zz\n-->",
            "<!-- a --> <!-- b\n## state zz -->",
            "<!-- a -->```\n## state zz\n```",
            "***",
            "___",
            "- - -",
            "#tag",
            "####### state zz",
            "A paragraph.",
            "-",
        ],
    )
    def test_what_has_no_meaning(self, hidden):
        """Fences, comments, rules and prose are read over."""
        text = f"# machine M\n## state a [initial]\n\n{hidden}\n\n## state b\n"

        assert [s.name for s in machine(text).states] == ["a", "b"]

    def test_a_comment_inside_a_line_is_cut_out(self):
        """What stands around a comment is one text, and keeps its columns."""
        text = "# machine M\n## state al<!-- x -->pha [initial]<!-- y -->\n## state b\n- on_entry: c<!--\n--> \n"

        assert [s.name for s in machine(text).states] == ["alpha", "b"]

    def test_front_matter_is_skipped(self):
        """A YAML header in front of the document is no part of it."""
        assert machine("---\ntitle: x\n# comment\n---\n" + LIFT).name == "Lift"

    def test_a_separator_in_front_is_no_front_matter(self):
        """A machine between separators is not taken for a YAML header."""
        text = "---\n# machine A\n## state a [initial]\n---\n# machine B\n## state b [initial]\n"

        assert [m.name for m in read(text, "m.md").document.machines] == ["A", "B"]

    def test_a_lone_separator_in_front(self):
        """A separator without a second one opens nothing."""
        assert machine("---\n" + LIFT.replace("---", "--")) is not None

    @pytest.mark.parametrize("section", ["events", "Events", "EVENTS:", "event", "events (all)", "events: "])
    def test_spellings_of_sections(self, section):
        """Section names are recognised with colon, remark, singular and any case."""
        assert [e.name for e in machine(document(f"#### {section}", "- go")).events] == ["go"]

    def test_sections_come_in_any_order_and_twice(self):
        """A repeated section is appended, and states may follow transitions."""
        text = document("## events", "- a", "## transitions", HEADER + "| idle | a | | busy | |", "## events", "- b")

        found = machine(text)
        assert [e.name for e in found.events] == ["a", "b"]
        assert found.transitions[0].target == "busy"


def field(kind, default=""):
    text = document("## context", "| Field | Type | Default |", "|---|---|---|", f"| f | {kind} | {default} |")
    return machine(text).context[0]


class TestContext:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("string", TypeExpression("string")),
            ("str", TypeExpression("string")),
            ("`int`", TypeExpression("int")),
            ("Integer", TypeExpression("int")),
            ("float", TypeExpression("decimal")),
            ("number", TypeExpression("number")),
            ("boolean", TypeExpression("bool")),
            ("int?", TypeExpression("int", nullable=True)),
            ("string[]", TypeExpression("list", (TypeExpression("string"),))),
            ("list<int>", TypeExpression("list", (TypeExpression("int"),))),
            ("list", TypeExpression("list")),
            ("array", TypeExpression("list")),
            ("dict", TypeExpression("map")),
            ("map<string, bool>", TypeExpression("map", (TypeExpression("string"), TypeExpression("bool")))),
            ("enum(a, 'b c')", TypeExpression("enum", values=("a", "b c"))),
            ("enum", TypeExpression("enum")),
            ("any", TypeExpression("any")),
            ("Customer", TypeExpression("any")),
            ("", TypeExpression("string")),
            ("int[]?", TypeExpression("list", (TypeExpression("int"),), nullable=True)),
            (
                "map<string, list<int?>>",
                TypeExpression(
                    "map",
                    (TypeExpression("string"), TypeExpression("list", (TypeExpression("int", nullable=True),))),
                ),
            ),
        ],
    )
    def test_types(self, text, expected):
        """Every type text has one normal form."""
        assert _bare(field(text).type) == expected

    def test_a_type_remembers_how_it_was_written(self):
        """The text of the type is kept for writing it again."""
        assert field("map<string, Integer>").type.text == "map<string, Integer>"

    @pytest.mark.parametrize(
        ("kind", "text", "expected"),
        [
            ("string", "hello world", "hello world"),
            ("string", '"hello"', "hello"),
            ("string", r'"a\"b\n"', 'a"b\n'),
            ("string", '""', ""),
            ("string", "'x'", "x"),
            ("string", "5", "5"),
            ("string", "", None),
            ("string", "-", None),
            ("string", "—", None),
            ("int", "null", None),
            ("int", "5", 5),
            ("int", "`5`", 5),
            ("int", "-1_000", -1000),
            ("int", "+7", 7),
            ("int", "1e6", 1_000_000),
            ("int", "2.0", 2),
            ("decimal", "5", 5.0),
            ("decimal", "-1.5e2", -150.0),
            ("number", "5", 5),
            ("number", "5.5", 5.5),
            ("number", ".5", 0.5),
            ("bool", "true", True),
            ("bool", "False", False),
            ("list", "[]", []),
            ("list", "[a, 'b', 1, true, null, [2]]", ["a", "b", 1, True, None, [2]]),
            ("list<int>", "[1, 2]", [1, 2]),
            ("decimal[]", "[1, 2.5]", [1, 2.5]),
            ("string[]", "[in progress, done]", ["in progress", "done"]),
            ("bool[]", "[true]", [True]),
            ("enum(a, b)[]", "[a]", ["a"]),
            ("map", "{}", {}),
            ("map", '{a: 1, "b": {c: d}}', {"a": 1, "b": {"c": "d"}}),
            ("map<string, int>", '{"a": 1}', {"a": 1}),
            ("map<string, any>", '{"a": [x]}', {"a": ["x"]}),
            ("enum(a, b)", "b", "b"),
            ("enum(a, b)", '"a"', "a"),
            ("enum", "a", "a"),
            ("any", "5", 5),
            ("any", '{"a": [1]}', {"a": [1]}),
            ("any", "free text", "free text"),
            ("Customer", '"x"', "x"),
        ],
    )
    def test_defaults(self, kind, text, expected):
        """A default is read as a value of its type."""
        found = field(kind, text).default

        assert found == expected
        assert type(found) is type(expected)

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("int", "1.5"),
            ("int", "abc"),
            ("int", "1e-99999999999999999999"),
            ("int", "9" * 500),
            ("decimal", "1e999"),
            ("decimal", "9" * 350),
            ("number", "1_"),
            ("bool", "1"),
            ("list", "[a"),
            ("list", "[a]]"),
            ("list", "[a b: c]"),
            ("list", "{a: 1}"),
            ("list", "a"),
            ("list", "[" * 100 + "]" * 100),
            ("list", '["a]'),
            ("map", "[a]"),
            ("map", "{[]: 1}"),
            ("map", "{a 1}"),
            ("map<string, int>", "{a: true}"),
            ("string[]", "[1]"),
            ("bool[]", "[0]"),
            ("int[]", "[1.5]"),
            ("enum(a, b)[]", "[c]"),
            ("enum(a, b)", "c"),
        ],
    )
    def test_refused_defaults(self, kind, text):
        """A default of another type is an error."""
        assert codes(
            document("## context", "| Field | Type | Default |", "|---|---|---|", f"| f | {kind} | {text} |")
        ) == ["INVALID_DEFAULT"]

    @pytest.mark.parametrize(
        "text", ["list<" * 40, "<", "int<", "enum(", "enum(a", "enum(a, )", "map<a b>", "5", "a]", "?"]
    )
    def test_refused_types(self, text):
        """A type that is not complete is an error."""
        assert codes(document("## context", "| Field | Type |", "|---|---|", f"| f | {text} |")) == ["INVALID_TYPE"]

    def test_a_bare_enum_takes_its_values_from_the_default(self):
        """Values in the Default cell are the members; the field starts as null."""
        found = field("enum", "low, high")

        assert (found.type.values, found.default) == (("low", "high"), None)

    def test_the_type_column_is_optional(self):
        """Without types the fields are strings."""
        text = document("## context", "| Field |", "|---|", "| a |")

        assert machine(text).context[0].type.kind == "string"


def _bare(kind):
    return TypeExpression(kind.kind, tuple(map(_bare, kind.arguments)), kind.values, kind.nullable)


class TestEvents:
    def events(self, *lines):
        return machine(document("## events", *lines)).events

    @pytest.mark.parametrize(
        ("bullet", "expected"),
        [
            ("- a", [EventDefinition("a")]),
            ("* a, b , c", [EventDefinition("a"), EventDefinition("b"), EventDefinition("c")]),
            ("- `a`", [EventDefinition("a")]),
            ("- **a**, `b`", [EventDefinition("a"), EventDefinition("b")]),
            ("- a: why, and when", [EventDefinition("a", "why, and when")]),
            ("- a (why)", [EventDefinition("a", "why")]),
            ("- a - why", [EventDefinition("a", "why")]),
            ("- a — why", [EventDefinition("a", "why")]),
            ('- a "why"', [EventDefinition("a", "why")]),
            ("- a(not a payload)", [EventDefinition("a", "not a payload")]),
            ("- a(", [EventDefinition("a", "(")]),
            ("- a()", [EventDefinition("a")]),
            ("- a(x)", [EventDefinition("a", payload=(Parameter("x"),))]),
            (
                "- a(x: int, y: map<string, int>), b: text",
                [
                    EventDefinition(
                        "a",
                        payload=(
                            Parameter("x", TypeExpression("int", text="int")),
                            Parameter(
                                "y",
                                TypeExpression(
                                    "map",
                                    (TypeExpression("string", text="string"), TypeExpression("int", text="int")),
                                    text="map<string, int>",
                                ),
                            ),
                        ),
                    ),
                    EventDefinition("b", "text"),
                ],
            ),
            ("- a,, b", [EventDefinition("a"), EventDefinition("b")]),
        ],
    )
    def test_bullets(self, bullet, expected):
        """A bullet declares one event or several, with a description or a payload."""
        assert self.events(bullet) == tuple(expected)

    def test_a_table(self):
        """A table declares events as well."""
        found = self.events(
            "| Name | Payload | Description |", "|---|---|---|", "| a | {x: int} | why |", "| b | ? | |"
        )

        assert [(e.name, e.description, len(e.payload)) for e in found] == [("a", "why", 1), ("b", "", 0)]

    def test_without_the_section_rows_declare(self):
        """Events are inferred from rows, in order, without wildcard and system events."""
        text = document(
            "## transitions",
            HEADER + "| idle | b | | busy | |\n| idle | a, * | | busy | |\n| busy | error.x | | idle | |",
        )

        assert [(e.name, e.inferred) for e in machine(text).events] == [("b", True), ("a", True)]

    def test_with_the_section_rows_declare_nothing(self):
        """An undeclared event in a row is read, and left to the verifier."""
        text = document("## events", "- a", "## transitions", HEADER + "| idle | b | | busy | |")

        assert [e.name for e in machine(text).events] == ["a"]


class TestStates:
    @pytest.mark.parametrize(
        ("tail", "expected"),
        [
            ("[initial]", (True, False, "")),
            ("[ Initial , FINAL ]", (True, True, "")),
            ("[initial] [final]", (True, True, "")),
            ("[initial final]", (True, True, "")),
            ('[initial] "Waiting"', (True, False, "Waiting")),
            ('"Waiting" [initial]', (True, False, "Waiting")),
            ("'Waiting'", (False, False, "Waiting")),
            ("“Waiting”", (False, False, "Waiting")),
            ("[final] all is done", (False, True, "all is done")),
            (": waiting [initial]", (True, False, "waiting")),
            ("- waiting", (False, False, "waiting")),
            ("— waiting", (False, False, "waiting")),
            ('"a" b', (False, False, "a\nb")),
            ("[]", (False, False, "")),
        ],
    )
    def test_tails(self, tail, expected):
        """Groups and text follow the name in any order."""
        found = machine(f"# machine M\n## state x {tail}\n").states[0]

        assert (found.initial, found.final, found.description) == expected

    @pytest.mark.parametrize(
        "heading", ["state x[initial]", "State x [initial]", "state `x` [initial]", "state **x** [initial]"]
    )
    def test_spellings(self, heading):
        """A bracket may be glued to the name, and marks around it fall off."""
        assert machine(f"# machine M\n## {heading}\n").states == (StateDefinition("x", "x", initial=True),)

    def test_glued_colon(self):
        """A colon glued to the name begins the description."""
        assert machine("# machine M\n## state x: waiting\n").states[0].description == "waiting"

    def test_names(self):
        """A name is one word of letters, digits, underscores and inner dashes."""
        text = "# machine M\n## state in-progress [initial]\n## state _x_\n## state état_2\n"

        assert [s.name for s in machine(text).states] == ["in-progress", "_x_", "état_2"]

    def test_nesting_at_any_depth(self):
        """A state one level below another is its child."""
        text = "# machine M\n" + "".join(f"{'#' * n} state s{n} [initial]\n" for n in range(1, 7)) + "# state z\n"

        state = machine(text).states[0]
        while state.children:
            state = state.children[0]
        assert state.path == "s1.s2.s3.s4.s5.s6"

    def test_sections_do_not_close_a_state(self):
        """Only state headings count for nesting."""
        text = "# machine M\n## state a [initial]\n## events\n- e\n### state b [initial]\n"

        assert machine(text).states[0].children[0].path == "a.b"

    def test_the_same_name_under_two_parents(self):
        """Names are unique below one parent only."""
        text = "# machine M\n## state a [initial]\n### state x [initial]\n## state b\n### state x [initial]\n"

        assert [c.path for s in machine(text).states for c in s.children] == ["a.x", "b.x"]

    def test_a_list_of_states(self):
        """A states section declares top-level states, and headings may follow."""
        text = '# machine M\n## states\n- a [initial]\n- b "text"\n## state c\n### state d [initial]\n'

        found = machine(text).states
        assert [(s.name, s.description) for s in found] == [("a", ""), ("b", "text"), ("c", "")]
        assert found[2].children[0].path == "c.d"

    @pytest.mark.parametrize(
        ("bullet", "expected"),
        [
            ("- on_entry: a", ("a",)),
            ("- on_entry: -> a", ("a",)),
            ("- on_entry: a, b; c", ("a", "b", "c")),
            ("- On-Entry : `a`", ("a",)),
            ("- **on_entry**: a", ("a",)),
            ("- **on_entry:** a", ("a",)),
            ("+ `on_entry`: **a**", ("a",)),
            ("- on_entry: a\n\nprose\n\n- on_entry: b", ("a", "b")),
            ("- on_entry: _", ()),
        ],
    )
    def test_entry_actions(self, bullet, expected):
        """Entry actions are listed in order, in any spelling of the key."""
        assert machine(f"# machine M\n## state x [initial]\n{bullet}\n").states[0].on_entry == expected

    def test_a_description_bullet(self):
        """A description may be a bullet."""
        assert (
            machine("# machine M\n## state x [initial]\n- description: what: it is\n").states[0].description
            == "what: it is"
        )

    def test_blockquotes_join(self):
        """Several blockquotes are one description."""
        assert machine("# machine M\n## state x [initial]\n> a\n\ntext\n\n> b\n").states[0].description == "a\nb"


def inline(bullet, **options):
    return machine(f"# machine M\n## state a [initial]\n{bullet}\n## state b\n", **options).transitions


class TestTransitions:
    def test_lists_stand_for_one_row_each(self):
        """A list of sources and a list of events give all pairs, sources first."""
        found = rows("| idle, busy | a, b | | idle | x, y |")

        assert [(t.source, t.event, t.actions) for t in found] == [
            ("idle", "a", ("x", "y")),
            ("idle", "b", ("x", "y")),
            ("busy", "a", ("x", "y")),
            ("busy", "b", ("x", "y")),
        ]

    def test_wildcards(self):
        """A star is any source, or any event."""
        assert [(t.source, t.event) for t in rows("| * | * | | idle | |")] == [("*", "*")]

    @pytest.mark.parametrize("event", ["", "-", "—", "_"])
    def test_eventless(self, event):
        """An empty event, or a dash, is taken as soon as the guard holds."""
        assert rows(f"| idle | {event} | | busy | |")[0].event is None

    def test_system_events(self):
        """A row may wait for an event that the machine raises itself."""
        assert rows("| idle | error.action.pay | | busy | |")[0].event == "error.action.pay"

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("", None),
            ("-", None),
            ("`_`", None),
            ("ok", GuardName("ok")),
            ("`ok`", GuardName("ok")),
            ("**ok**", GuardName("ok")),
            ("!ok", Not(GuardName("ok"))),
            ("`!ok`", Not(GuardName("ok"))),
            ("not ok", Not(GuardName("ok"))),
            ("else", Else()),
            ("`n < 3`", Comparison(Path("context", ("n",)), "<", Value(3))),
            ("ok and n < 3", And((GuardName("ok"), Comparison(Path("context", ("n",)), "<", Value(3))))),
            ("true", BoolLiteral(value=True)),
        ],
    )
    def test_guards(self, cell, expected):
        """A Guard cell holds a name, its negation, else, or an expression."""
        text = document(
            "## context\n| Field | Type |\n|---|---|\n| n | int |\n## guards\n| Name | Expression |\n|---|---|\n| ok | true |",
            "## transitions\n" + HEADER + f"| idle | e | {cell} | busy | |",
        )

        assert machine(text).transitions[0].guard == expected

    def test_an_internal_transition(self):
        """An empty target with an action stays where it is."""
        assert rows("| idle | e | | | log |")[0] == TransitionDefinition("idle", "e", None, actions=("log",))

    def test_actions_may_be_absent(self):
        """An empty Action cell and an underscore mean none."""
        assert [t.actions for t in rows("| idle | e | | busy | _ |", "| idle | f | | busy | |")] == [(), ()]

    def test_marks_around_names_fall_off(self):
        """Back-ticks and emphasis around whole names are no part of them."""
        assert rows("| `idle` | **e** | | *busy* | `act` |")[0] == TransitionDefinition(
            "idle", "e", "busy", actions=("act",)
        )

    @pytest.mark.parametrize(
        ("reference", "path"),
        [("x", "p.q.x"), ("q.x", "p.q.x"), ("p.x", "p.q.x"), ("p.q.x", "p.q.x"), ("q", "p.q"), ("p", "p")],
    )
    def test_references(self, reference, path):
        """A state is meant by its full path, or by enough of it."""
        states = "## state p [initial]\n### state q [initial]\n#### state x [initial]\n"
        text = document("## transitions\n" + HEADER + f"| p | e | | {reference} | |", states=states)

        assert machine(text).transitions[0].target == path

    def test_a_top_level_name_wins(self):
        """A name at the top that nested states share means the one at the top, with a warning."""
        states = "## state x [initial]\n## state p\n### state x [initial]\n"
        text = document("## transitions\n" + HEADER + "| p | e | | x | |", states=states)

        assert machine(text, warnings=["AMBIGUOUS_NAME"]).transitions[0].target == "x"

    @pytest.mark.parametrize(
        ("bullet", "expected"),
        [
            ("- on go -> b", TransitionDefinition("a", "go", "b")),
            ("- ON go->b", TransitionDefinition("a", "go", "b")),
            ("- on go -> b : x, y", TransitionDefinition("a", "go", "b", actions=("x", "y"))),
            ("- on go [true] -> b", TransitionDefinition("a", "go", "b", BoolLiteral(value=True), "true")),
            (
                '- on go [ctx.s == "]->:"] -> b : x',
                TransitionDefinition(
                    "a", "go", "b", Comparison(Path("context", ("s",)), "==", Value("]->:")), 'ctx.s == "]->:"', ("x",)
                ),
            ),
            ("- on go -> : x", TransitionDefinition("a", "go", None, actions=("x",))),
            ("- on * -> b", TransitionDefinition("a", "*", "b")),
        ],
    )
    def test_inline(self, bullet, expected):
        """A state may hold its own transitions."""
        assert inline(bullet) == (expected,)

    def test_rows_and_bullets_keep_document_order(self):
        """Order decides, whichever form a transition has."""
        text = (
            "# machine M\n## state a [initial]\n- on e -> a\n## transitions\n"
            + HEADER
            + "| a | f | | a | |\n## state b\n- on g -> a\n"
        )

        assert [t.event for t in machine(text).transitions] == ["e", "f", "g"]

    def test_a_bullet_that_a_row_repeats_is_dropped(self):
        """A transition written twice, as bullet and row, is one."""
        text = "# machine M\n## state a [initial]\n- on e -> a : x\n## transitions\n" + HEADER + "| a | e | | a | y |\n"

        assert [t.actions for t in machine(text, warnings=["DUPLICATE_TRANSITION"]).transitions] == [("y",)]

    def test_a_row_that_repeats_a_part_of_a_bullet_leaves_the_rest(self):
        """Of a bullet for several events only those go that a row has too."""
        text = "# machine M\n## state a [initial]\n- on e, f -> a\n## transitions\n" + HEADER + "| a | e | | a | |\n"

        assert [t.event for t in machine(text, warnings=["DUPLICATE_TRANSITION"]).transitions] == ["f", "e"]


class TestTables:
    @pytest.mark.parametrize(
        "table",
        [
            "| Source | Event | Guard | Target | Action |\n|---|:-:|---|---|--:|\n| idle | e | | busy | x |",
            "| Source | Event | Guard | Target | Action |\n| idle | e | | busy | x |",
            "Source | Event | Guard | Target | Action\n---|---|---|---|---\nidle | e | | busy | x",
            "| Target | Action | Note | SOURCE | **event** |\n|---|---|---|---|---\n| busy | x | n | idle | e |",
            "| From | Events | Condition | To | Actions |\n|-|-|-|-|-|\n| idle | e | | busy | x |",
            "| idle | e | | busy | x |",
            "|---|---|---|---|---|\n| idle | e | | busy | x |",
            "| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n| | | | | |\n| idle | e |  | busy | x ||",
            "| Source | Event | Target | Action |\n|---|---|---|---|\nidle | e | busy | x",
            "| Source | Event | Target | Action |\n|---|---|---|---|\n|---|---|---|---|\n| idle | e | busy | x |",
            "> Note\n\n| Source | Event | Target | Action |\n<!-- c -->\n|---|---|---|---|\n\n| idle | e | busy | x |",
        ],
    )
    def test_forms(self, table):
        """A table is read whatever its header, its rules and the order of its columns."""
        expected = (TransitionDefinition("idle", "e", "busy", actions=("x",)),)

        assert machine(document("## transitions", table, "")).transitions == expected

    def test_three_cells_without_header(self):
        """Three cells are source, event and target."""
        assert machine(document("## transitions", "| idle | e | busy |", "")).transitions[0].target == "busy"

    def test_rows_go_on_after_a_blank_line(self):
        """Rows without a new header continue the table, whatever words they hold."""
        text = document(
            "## context",
            "| Field | Type |",
            "|---|---|",
            "| a | int |",
            "",
            "| name | string |",
            "",
            "| Type | Field |",
            "|---|---|",
            "| int | c |",
        )

        assert [(f.name, f.type.kind) for f in machine(text).context] == [
            ("a", "int"),
            ("name", "string"),
            ("c", "int"),
        ]

    def test_a_second_header_without_rule_row(self):
        """A row of nothing but column names begins a new table."""
        text = document(
            "## context", "| Field | Type |", "|---|---|", "| a | int |", "", "| Type | Field |", "| int | c |"
        )

        assert [f.name for f in machine(text).context] == ["a", "c"]

    @pytest.mark.parametrize(
        "expression",
        [
            r"`ctx.a > 1 \|\| ctx.b > 2`",
            "`ctx.a > 1 || ctx.b > 2`",
            "``ctx.a > 1 || ctx.b > 2``",
            "ctx.a > 1 || ctx.b > 2",
            r"ctx.a > 1 \|\| ctx.b > 2",
        ],
    )
    def test_bars_inside_cells(self, expression):
        """A bar is part of a cell when escaped, in back-ticks, or in the last column of guards."""
        found = machine(document("## guards", "| Name | Expression |", "|---|---|", f"| g | {expression} |")).guards[0]

        assert [o.left.names for o in found.expression.operands] == [("a",), ("b",)]
        assert found.text == "ctx.a > 1 || ctx.b > 2"

    def test_a_lone_back_tick_hides_no_bar(self):
        """A back-tick without partner is text."""
        text = document("## context", "| Field | Default |", "|---|---|", "| a | x ` y |", "| b | ``z` |")

        assert [f.default for f in machine(text).context] == ["x ` y", "``z`"]


class TestGuards:
    def test_guards_may_use_guards(self):
        """A guard refers to guards above and below it."""
        text = document(
            "## guards", "| Name | Expression |", "|---|---|", "| a | b and not c |", "| b | true |", "| c | false |"
        )

        assert machine(text).guards[0].expression == And((GuardName("b"), Not(GuardName("c"))))


class TestActions:
    def test_a_broken_name_is_reported_once(self):
        """A row without a readable name declares nothing."""
        assert codes(document("## actions", "| Name |", "|---|", "| do it |")) == ["INVALID_NAME"]

    def action(self, signature, effect=""):
        text = document(
            "## actions", "| Name | Signature | Effect |", "|---|---|---|", f"| a | {signature} | {effect} |"
        )
        return machine(text).actions[0]

    @pytest.mark.parametrize(
        ("signature", "parameters", "returns"),
        [
            ("", ["ctx"], "Context"),
            ("`() -> Context`", [], "Context"),
            ("`(ctx, event) -> Context`", ["ctx", "event"], "Context"),
            ("(ctx) => Context", ["ctx"], "Context"),
            ("`(ctx)`", ["ctx"], "Context"),
            ("`(c: Context, e: map<string, int>) -> list<int>`", ["c", "e"], "list<int>"),
        ],
    )
    def test_signatures(self, signature, parameters, returns):
        """A signature names at most context and event, and what comes out."""
        found = self.action(signature)

        assert [p.name for p in found.parameters] == parameters
        assert found.returns == returns

    def test_prose_in_the_effect_column_is_documentation(self):
        """Text that is no name describes the action."""
        assert self.action("", "count = 0").description == "count = 0"

    def test_nothing_in_the_effect_column(self):
        """A dash is no effect."""
        assert self.action("", "-").effects == ()


class TestSyntaxChoice:
    @pytest.mark.parametrize("name", ["m.orca", "<string>", "m.txt", "m.md"])
    def test_a_headed_machine_is_markdown(self, name):
        """A machine heading decides for Markdown, whatever the file is called."""
        assert read("machine notes\n" + LIFT, name).document is not None

    @pytest.mark.parametrize(
        ("name", "text"), [("m.orca", "x"), ("m.orca", ""), ("<string>", "// c\n# c\n\nmachine M {}")]
    )
    def test_brace_text_is_told_apart(self, name, text):
        """Brace text is recognised by name or first word."""
        assert "PORT_BRACE" in {d.code for d in read(text, name).diagnostics}
