"""The grammar of guard expressions: precedence, every form, and every mistake with its replacement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orca_bridge.definition import (
    And,
    BoolLiteral,
    Comparison,
    Else,
    GuardName,
    Not,
    NullTest,
    Or,
    Path,
    Span,
    Truth,
    TypeExpression,
    Value,
)
from orca_bridge.syntax import parse_guard

FIELDS = {
    "count": TypeExpression("int"),
    "limit": TypeExpression("int"),
    "name": TypeExpression("string"),
    "ready": TypeExpression("bool"),
    "half-way": TypeExpression("int"),
}
GUARDS = {"can_retry", "is_open"}


def ctx(*names):
    return Path("context", names)


def reading(text, **options):
    """What is said of the expression itself; how other tools read it is tested with the portability warnings."""
    found = parse_guard(text, fields=FIELDS, guards=GUARDS, name="g", **options)
    return replace(found, diagnostics=tuple(d for d in found.diagnostics if d.category != "portability"))


def parsed(text, **options):
    found = reading(text, **options)
    assert found.diagnostics == ()
    return found.expression


COUNT = ctx("count")
A, B, C = (Comparison(COUNT, ">", Value(n)) for n in (1, 2, 3))


class TestPrecedence:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("count > 1 or count > 2 and count > 3", Or((A, And((B, C))))),
            ("count > 1 and count > 2 or count > 3", Or((And((A, B)), C))),
            ("(count > 1 or count > 2) and count > 3", And((Or((A, B)), C))),
            ("not count > 1", Not(A)),
            ("!count > 1", Not(A)),
            ("not count > 1 and count > 2", And((Not(A), B))),
            ("not (count > 1 and count > 2)", Not(And((A, B)))),
            ("count > 1 and count > 2 and count > 3", And((A, B, C))),
            ("count > 1 or count > 2 or count > 3", Or((A, B, C))),
            ("not count is null", Not(NullTest(COUNT))),
            ("((count > 1))", A),
        ],
    )
    def test_binds_as_published(self, text, expected):
        """Comparison binds tighter than not, not than and, and than or."""
        assert parsed(text) == expected


class TestForms:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ctx.count > 1", A),
            ("context.count > 1", A),
            ("count > 1", A),
            ("event.amount > 1", Comparison(Path("event", ("amount",)), ">", Value(1))),
            ("payload.amount > 1", Comparison(Path("event", ("amount",)), ">", Value(1))),
            ("ctx.a.b.c == 1", Comparison(ctx("a", "b", "c"), "==", Value(1))),
            ("a.b == 1", Comparison(ctx("a", "b"), "==", Value(1))),
            ("ctx.true == 1", Comparison(ctx("true"), "==", Value(1))),
            ("ready", Truth(ctx("ready"), declared_bool=True)),
            ("ctx.ready", Truth(ctx("ready"), declared_bool=True)),
            ("ctx.count", Truth(COUNT, declared_bool=False)),
            ("event.ready", Truth(Path("event", ("ready",)), declared_bool=False)),
            ("elsewhere", Truth(ctx("elsewhere"), declared_bool=False)),
            ("can_retry", GuardName("can_retry")),
            ("!can_retry", Not(GuardName("can_retry"))),
            ("! can_retry", Not(GuardName("can_retry"))),
            ("not can_retry and ready", And((Not(GuardName("can_retry")), Truth(ctx("ready"), declared_bool=True)))),
            ("true", BoolLiteral(value=True)),
            ("FALSE", BoolLiteral(value=False)),
            ("count = 1", Comparison(COUNT, "==", Value(1))),
            ("count ≠ 1", Comparison(COUNT, "!=", Value(1))),
            ("count ≤ 1", Comparison(COUNT, "<=", Value(1))),
            ("count ≥ 1", Comparison(COUNT, ">=", Value(1))),
            ("count > 1 && count > 2", And((A, B))),
            ("count > 1 || count > 2", Or((A, B))),
            ("count > 1 AND NOT count > 2 Or count > 3", Or((And((A, Not(B))), C))),
            ("count is null", NullTest(COUNT)),
            ("count IS NOT NULL", NullTest(COUNT, negated=True)),
            ("count is none", NullTest(COUNT)),
            ("count == null", NullTest(COUNT)),
            ("count != nil", NullTest(COUNT, negated=True)),
            ("null != count", NullTest(COUNT, negated=True)),
            ("count > -5", Comparison(COUNT, ">", Value(-5))),
            ("count > .5", Comparison(COUNT, ">", Value(0.5))),
            ("count > 1e3", Comparison(COUNT, ">", Value(1000.0))),
            ("count > -1.5e-1", Comparison(COUNT, ">", Value(-0.15))),
            ("count > 10_000", Comparison(COUNT, ">", Value(10000))),
            ("count < ctx.limit", Comparison(COUNT, "<", ctx("limit"))),
            ("count < limit", Comparison(COUNT, "<", ctx("limit"))),
            ("count == limit", Comparison(COUNT, "==", ctx("limit"))),
            ("name == active", Comparison(ctx("name"), "==", Value("active"))),
            ("name == 'active'", Comparison(ctx("name"), "==", Value("active"))),
            (r'name == "a\"b"', Comparison(ctx("name"), "==", Value('a"b'))),
            (r"name == 'a\nb\u00e9'", Comparison(ctx("name"), "==", Value("a\nbé"))),
            ('name == "a and b"', Comparison(ctx("name"), "==", Value("a and b"))),
            ("ready == true", Comparison(ctx("ready"), "==", Value(value=True))),
            ("3 < ctx.count", Comparison(COUNT, ">", Value(3))),
            ("3 >= count", Comparison(COUNT, "<=", Value(3))),
            ("'x' == name", Comparison(ctx("name"), "==", Value("x"))),
            ("'x' == undeclared", Comparison(ctx("undeclared"), "==", Value("x"))),
            ("count < undeclared", Comparison(COUNT, "<", ctx("undeclared"))),
            ("1 < count <= 5", And((A, Comparison(COUNT, "<=", Value(5))))),
            ("5 >= count > 1", And((Comparison(COUNT, "<=", Value(5)), A))),
            (
                "count == limit == 3",
                And((Comparison(COUNT, "==", ctx("limit")), Comparison(ctx("limit"), "==", Value(3)))),
            ),
            ("not not ready", Truth(ctx("ready"), declared_bool=True)),
            ("not not not ready", Not(Truth(ctx("ready"), declared_bool=True))),
            ("ctx.items.length > 0", Comparison(ctx("items", "length"), ">", Value(0))),
            ("half-way > 1", Comparison(ctx("half-way"), ">", Value(1))),
            ("ctx.größe > 1", Comparison(ctx("größe"), ">", Value(1))),
            ("CTX.count > 1", A),
        ],
    )
    def test_is_read(self, text, expected):
        """Every form of the language page has its one reading."""
        assert parsed(text) == expected

    def test_a_literal_comparison_is_constant(self):
        """A comparison without a field is read, with a warning."""
        found = reading("1 < 2")

        assert found.expression == Comparison(Value(1), "<", Value(2))
        assert [(d.code, d.severity) for d in found.diagnostics] == [("CONSTANT_GUARD", "warning")]

    def test_a_constant_part_of_a_chain_is_pointed_at(self):
        """Of a chain the warning shows the comparison without a field, once for each."""
        assert [d.column for d in reading("count < limit < 3 < 4").diagnostics] == [17]

    def test_null_against_null_is_constant(self):
        """Null compared with null needs no field either."""
        assert [d.code for d in reading("null == null").diagnostics] == ["CONSTANT_GUARD"]

    def test_paths_know_their_columns(self):
        """Paths and guard names carry the place they were read from."""
        first, second = parsed("can_retry and ctx.count > 1").operands

        assert first.span == Span(1, 1, 10)
        assert second.left.span == Span(1, 15, 24)

    def test_a_guard_name_wins_over_a_field_when_alone(self):
        """A name that is both means the guard alone and the field in a comparison."""
        both = {"fields": {"hot": TypeExpression("int")}, "guards": {"hot"}}

        assert parse_guard("hot", **both).expression == GuardName("hot")
        assert parse_guard("hot > 1", **both).expression == Comparison(ctx("hot"), ">", Value(1))

    @pytest.mark.parametrize("root", ["ctx", "context", "event", "payload"])
    def test_a_root_stays_a_root(self, root):
        """A declared field of that name does not take the paths away from a root."""
        expected = parsed(f"{root}.count > 1")

        assert parse_guard(f"{root}.count > 1", fields={root: TypeExpression("int")}).expression == expected

    def test_a_field_named_like_a_root_is_reached(self):
        """A declared field called event is reached through the context."""
        found = parse_guard("ctx.event == 1", fields={"event": TypeExpression("int")})

        assert found.expression == Comparison(ctx("event"), "==", Value(1))

    def test_a_field_named_like_a_root_is_not_reached_alone(self):
        """Alone the name means the root, and the advice is the way to the field."""
        (found,) = parse_guard("event == 1", fields={"event": TypeExpression("int")}).diagnostics

        assert found.suggestion == "write 'ctx.event'"


class TestCells:
    def test_else_is_a_whole_guard(self):
        """In a Guard cell, else stands for "no other row"."""
        assert parsed("Else", in_cell=True) == Else()

    def test_else_has_no_place_in_the_guards_table(self):
        """A named guard cannot be else."""
        assert [d.code for d in reading("else").diagnostics] == ["GUARD_SYNTAX"]

    def test_a_declared_field_is_a_guard(self):
        """A lone field in a cell is its truth test."""
        assert parsed("ready", in_cell=True) == Truth(ctx("ready"), declared_bool=True)

    def test_an_unknown_name_is_refused_with_the_nearest(self):
        """A lone name in a cell must be declared."""
        found = reading("can_retyr", in_cell=True)

        assert found.expression is None
        assert str(found.diagnostics[0]) == (
            "g:1:1: error UNKNOWN_GUARD: no guard or context field is called 'can_retyr'\n"
            "    1 | can_retyr\n"
            "      | ^^^^^^^^^\n"
            "      = write 'can_retry'"
        )

    @pytest.mark.parametrize(("text", "column"), [("zzz === 1", 5), ("zzz + 1 > 2", 5), ("zzz not in [1]", 9)])
    def test_a_wrong_sign_comes_before_an_unknown_name(self, text, column):
        """What stands behind an unknown name is the mistake, not the name: nobody wrote a guard name there."""
        (found,) = reading(text, in_cell=True).diagnostics

        assert found.code in {"GUARD_SYNTAX", "UNSUPPORTED_EXPRESSION"}
        assert found.column == column

    def test_without_a_near_name_the_declaration_is_proposed(self):
        """A name like no other gets the advice to declare it."""
        assert reading("!zzz", in_cell=True).diagnostics[0].suggestion == "declare 'zzz' in the guards section"


SYNTAX = [
    ("", 1, "write a condition"),
    ("count > 1 count", 11, "write 'and' or 'or' before it"),
    ("(count > 1", 1, "add ')'"),
    ("count > 1)", 10, "remove ')'"),
    ("(count > 1 count)", 12, "write 'and' or 'or'"),
    ("name == 'x", 9, "end it with '"),
    ("count === 1", 7, "write '=='"),
    ("count !== 1", 7, "write '!='"),
    ("count <> 1", 7, "write '!='"),
    ("count =< 1", 7, "write '<='"),
    ("count => 1", 7, "write '>='"),
    ("count > 1 & ready", 11, "write 'and'"),
    ("count > 1 | ready", 11, "write 'or'"),
    ("count > 1 ∧ ready", 11, "write 'and'"),
    ("count < 1.2.3", 9, "at most one point"),
    ("count < 5s", 9, "at most one point"),
    ("count < 1e999", 9, "smaller number"),
    (f"count < {'9' * 500}", 9, "at most one point"),
    ("count < null", 1, "'== null' or '!= null'"),
    ("null >= count", 1, "'== null' or '!= null'"),
    ("1 < count > 0", 11, "two comparisons joined by 'and'"),
    ("count != limit != 3", 16, "two comparisons joined by 'and'"),
    ("name == “x”", 9, "straight quotes"),
    ("name == 'x\N{RIGHT SINGLE QUOTATION MARK}", 9, "end it with '"),
    ("`count`", 1, "straight quotes"),
    ("'count > 1'", 1, "remove the quotes"),
    ("'a' or ready", 1, "compare a field with it"),
    ("5", 1, "compare a field with it"),
    ("null", 1, "compare a field with it"),
    ("event", 1, "as in 'event.name'"),
    ("ctx == 1", 1, "as in 'ctx.name'"),
    ("ctx.", 5, "write the field"),
    ("ctx..a", 5, "write the field"),
    ("else and ready", 1, "spell out the condition"),
    ("ready or else", 10, "spell out the condition"),
    ("ready and", 10, "complete it"),
    ("and ready", 1, "write a condition or a value there"),
    ("== 1", 1, "write a condition or a value there"),
    ("count == not ready", 10, "in front of the whole comparison"),
    ("count is 5", 10, "write '== value'"),
    ("5 is null", 1, "write a path"),
    ("(count) > 1", 1, "without parentheses"),
    ("can_retry == true", 1, "write 'can_retry' or 'not can_retry' alone"),
    ("can_retry is null", 1, "write 'can_retry' or 'not can_retry' alone"),
    ("count # 1", 7, "remove it"),
    ("count ; 1", 7, "remove it"),
    ("count \x01", 7, "remove it"),
    ("()", 1, "write a condition between them"),
    ("(ready and )", 12, "write a condition or a value there"),
    ("(count > )", 10, "write a condition or a value there"),
]
UNSUPPORTED = [
    ("5 + 5 > count", 3, "compute the value"),
    ("ctx.count + 1 > 5", 11, "compute the value"),
    ("count - 1 > 5", 7, "compute the value"),
    ("count-1 > 5", 1, "compute the value"),
    ("ctx.count-limit > 5", 1, "compute the value"),
    ("count * 2 > 5", 7, "compute the value"),
    ("count > limit / 2", 15, "compute the value"),
    ("count % 2 == 0", 7, "compute the value"),
    ("count > +5", 9, "compute the value"),
    ("len(ctx.items) > 0", 4, "compute the value"),
    ('ctx.items.contains("x")', 19, "compute the value"),
    ("ctx.items[0] == 1", 10, "compute the value"),
    ("name in ['a', 'b']", 6, "spell out the alternatives"),
    ("name not in ['a']", 10, "spell out the alternatives"),
    ("ready ? 1 : 2", 7, "spell out the alternatives"),
    ("name =~ 'a.*'", 6, "compute the value"),
    ("name matches 'a.*'", 6, "compute the value"),
]


class TestRefusals:
    @pytest.mark.parametrize(("text", "column", "advice"), SYNTAX)
    def test_a_mistake_is_placed_and_corrected(self, text, column, advice):
        """What is no expression is GUARD_SYNTAX at its place, with what to write instead."""
        found = reading(text)

        assert found.expression is None
        assert [(d.code, d.column) for d in found.diagnostics] == [("GUARD_SYNTAX", column)]
        assert advice in found.diagnostics[0].suggestion

    @pytest.mark.parametrize(("text", "sign"), [("null < count", "'<'"), ("count >= null", "'>='")])
    def test_a_sign_is_quoted_as_written(self, text, sign):
        """A comparison that is turned around inside is shown as its author wrote it."""
        assert reading(text).diagnostics[0].message == f"{sign} cannot compare with null"

    @pytest.mark.parametrize(("text", "column", "advice"), UNSUPPORTED)
    def test_an_expression_of_other_languages_is_named(self, text, column, advice):
        """What other languages allow is UNSUPPORTED_EXPRESSION, with the way around it."""
        found = reading(text)

        assert found.expression is None
        assert [(d.code, d.column) for d in found.diagnostics] == [("UNSUPPORTED_EXPRESSION", column)]
        assert advice in found.diagnostics[0].suggestion

    @pytest.mark.parametrize("text", ["(" * 65 + "ready" + ")" * 65, "not " * 65 + "ready", "(" * 5000, "!" * 5000])
    def test_depth_is_limited(self, text):
        """Deeper than 64 an expression is refused, whatever makes it deep."""
        assert "nests deeper than 64" in reading(text).diagnostics[0].message

    def test_depth_64_is_read(self):
        """The limit itself is allowed."""
        assert parsed("(" * 64 + "ready" + ")" * 64) == Truth(ctx("ready"), declared_bool=True)

    def test_parentheses_side_by_side_are_not_deep(self):
        """Only nesting counts, not the number of parentheses."""
        assert isinstance(parsed(" and ".join(["(ready)"] * 100)), And)

    @given(st.text(alphabet="abc.()<>=!&|'\"-+*01 \\_[]?,", max_size=40))
    def test_any_text_gives_an_expression_or_an_error(self, text):
        """The parser never raises, and it never gives both nothing and no reason."""
        found = reading(text)

        assert (found.expression is None) == any(d.severity == "error" for d in found.diagnostics)

    def test_only_the_first_line_counts(self):
        """An expression does not go on in a second line."""
        assert parsed("ready\nnonsense (") == Truth(ctx("ready"), declared_bool=True)
