"""Decision tables."""

from __future__ import annotations

import pytest

from orca_bridge.definition import CellTest, DecisionTable, NumberRange, TableColumn, TableRule
from orca_bridge.syntax import read

TEXT = """\
# decision_table Routing
Sends parcels
their way.

> Agreed in May

## conditions
| Name | Type | Values |
|---|---|---|
| tier | enum | gold, iron |
| fast | bool | |
| weight | decimal_range | 0..30 |
| zone | int_range | 1, 2, 3 |
| note | string | |
## actions
| Name | Type | Description | Values |
|---|---|---|---|
| route | enum | where to | air, road |
| price | decimal | | |
| sign | bool | | |
## rules
| # | tier | fast | weight | zone | note | → route | -> price | → sign |
|---|---|---|---|---|---|---|---|---|
| 1 | gold | true | 0..5 | 1 | | air | 9.5 | true |
| 2 | !gold | | - | !1, !2 | a, "b c" | road | 3 | |

| | gold, iron | False | 5+ | 2+ | | road | | false |
## metadata
- policy: first-match
"""


def table(text):
    found = read(text, "t.md")
    assert [str(d) for d in found.diagnostics if d.category != "portability"] == []
    return found.document.tables[0]


def test_a_whole_table():
    """All sections of one document come together in one definition."""
    assert table(TEXT) == DecisionTable(
        "Routing",
        "Sends parcels\ntheir way.\n\nAgreed in May",
        conditions=(
            TableColumn("tier", "enum", ("gold", "iron")),
            TableColumn("fast", "bool"),
            TableColumn("weight", "decimal_range", range=NumberRange(0, 30)),
            TableColumn("zone", "int_range", (1, 2, 3)),
            TableColumn("note", "string"),
        ),
        outputs=(
            TableColumn("route", "enum", ("air", "road"), description="where to"),
            TableColumn("price", "decimal"),
            TableColumn("sign", "bool"),
        ),
        rules=(
            TableRule(
                (
                    ("tier", CellTest(("gold",))),
                    ("fast", CellTest((True,))),
                    ("weight", CellTest(range=NumberRange(0, 5))),
                    ("zone", CellTest((1,))),
                ),
                (("route", "air"), ("price", 9.5), ("sign", True)),
                "1",
            ),
            TableRule(
                (
                    ("tier", CellTest(("gold",), negated=True)),
                    ("zone", CellTest((1, 2), negated=True)),
                    ("note", CellTest(("a", "b c"))),
                ),
                (("route", "road"), ("price", 3.0)),
                "2",
            ),
            TableRule(
                (
                    ("tier", CellTest(("gold", "iron"))),
                    ("fast", CellTest((False,))),
                    ("weight", CellTest(range=NumberRange(5))),
                    ("zone", CellTest(range=NumberRange(2))),
                ),
                (("route", "road"), ("sign", False)),
            ),
        ),
        columns=("tier", "fast", "weight", "zone", "note", "→ route", "→ price", "→ sign"),
    )


def cell(text, kind="decimal_range"):
    document = (
        f"# decision_table T\n## conditions\n| Name | Type |\n|---|---|\n| c | {kind} |\n## actions\n| Name | Type |\n"
        f"|---|---|\n| o | string |\n## rules\n| c | → o |\n|---|---|\n| {text} | x |\n"
    )
    return dict(table(document).rules[0].conditions).get("c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("-", None),
        ("—", None),
        ("5", CellTest((5,))),
        ("-5", CellTest((-5,))),
        ("1.5, 2", CellTest((1.5, 2))),
        ("!5", CellTest((5,), negated=True)),
        ("5+", CellTest(range=NumberRange(5))),
        ("-5+", CellTest(range=NumberRange(-5))),
        (">= 5", CellTest(range=NumberRange(5))),
        ("> 5", CellTest(range=NumberRange(5, low_open=True))),
        ("<=5", CellTest(range=NumberRange(high=5))),
        ("< -5", CellTest(range=NumberRange(high=-5, high_open=True))),
        ("1..5", CellTest(range=NumberRange(1, 5))),
        ("-5..-1.5", CellTest(range=NumberRange(-5, -1.5))),
        ("1-5", CellTest(range=NumberRange(1, 5))),
        ("[1..5)", CellTest(range=NumberRange(1, 5, high_open=True))),
        ("(1..5]", CellTest(range=NumberRange(1, 5, low_open=True))),
        ("(1..5)", CellTest(range=NumberRange(1, 5, low_open=True, high_open=True))),
        ("[1..5]", CellTest(range=NumberRange(1, 5))),
    ],
)
def test_cells_of_numbers(text, expected):
    """A cell of a numeric condition asks for values or for a range."""
    assert cell(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("5+", "5+"), ("1..5", "1..5"), ("> 5", "> 5"), ("a b", "a b"), ('"a"', "a"), ("`a`", "a")]
)
def test_cells_of_text(text, expected):
    """In other conditions the same signs are text."""
    assert cell(text, "string") == CellTest((expected,))


def test_integers_stay_integers():
    """A whole number of an integer condition is one, however it was written."""
    assert cell("5", "int_range").values == (5,)
    assert isinstance(cell("5", "int_range").values[0], int)


def test_rules_above_their_columns():
    """Sections come in any order."""
    start, conditions, actions, rules = (TEXT.index(f"{mark}") for mark in ("# dec", "## cond", "## act", "## rules"))
    text = TEXT[start:conditions] + TEXT[rules:] + TEXT[actions:rules] + TEXT[conditions:actions]

    assert table(text) == table(TEXT)


def test_an_output_of_another_kind_stays_text():
    """Whether an output is of its type is for the verifier to say."""
    text = TEXT.replace("| air | 9.5 | true |", "| air | much | yes |")

    assert dict(table(text).rules[0].outputs) == {"route": "air", "price": "much", "sign": "yes"}


def test_an_unknown_column_is_ignored():
    """A column that nothing declares is named, and the rules are read without it."""
    found = read(TEXT.replace("| note | → route", "| remark | → route"), "t.md")

    assert [d.code for d in found.diagnostics if d.category != "portability"] == ["UNKNOWN_COLUMN"]
    assert "note" not in dict(found.document.tables[0].rules[1].conditions)
