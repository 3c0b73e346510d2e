"""What is written plainly is read by a short way, and the long way finds the same."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orca_documents import documents, expressions
from test_read_robust import DOCUMENTS, LINES

from orca_bridge import definition
from orca_bridge.definition import Span, TypeExpression
from orca_bridge.syntax import _records, parse_guard, read
from orca_bridge.syntax._diagnostics import Findings
from orca_bridge.syntax._guards import GuardScope, read_guard
from orca_bridge.syntax._reader import read_by
from orca_bridge.syntax._source import Text
from orca_bridge.write import format_document


def assert_same(text, name="m.md"):
    for lenient in (False, True):
        short = read(text, name, lenient=lenient)
        long = read_by(text, name, lenient=lenient, careful=True)

        # A repr shows every place too; equality leaves them out.
        assert repr(short.document) == repr(long.document)
        assert short.diagnostics == long.diagnostics


@pytest.mark.parametrize("text", DOCUMENTS)
def test_whole_documents(text):
    """Both ways give the same definition, the same findings and the same places."""
    assert_same(text)
    assert_same(text, "m.orca")


@pytest.mark.parametrize(
    "tail", ["", '"text"', '[final] "text"', "[initial] 'text'", '[initial, final] "a"', '"a" [final]', '"a" "b"', '""']
)
@pytest.mark.parametrize("kind", ["state", "region"])
def test_headings_with_text(kind, tail):
    """A heading with marks and a text is read alike."""
    assert_same(f"# machine m\n\n## state a\n\n### {kind} b {tail}\n")


@pytest.mark.parametrize("guard", ["g", "!g", "! g", "!!g", "!not", "!and", "!x", "!ctx.x", "not g", "`!g`"])
def test_guard_cells(guard):
    """A guard that is named, negated or unknown is read alike in a cell and in an expression."""
    states = "# machine m\n\n## context\n\n| Field |\n|---|\n| x |\n\n## state a\n\n"
    guards = f"## guards\n\n| Name | Expression |\n|---|---|\n| g | ctx.x == 1 |\n| not | true |\n| h | {guard} |\n\n"
    table = "## transitions\n\n| Source | Event | Guard | Target |\n|---|---|---|---|\n"

    assert_same(f"{states}{guards}{table}| a | e | {guard} | a |\n")


@pytest.mark.parametrize(
    "row",
    [
        "| | | |",
        "| | e | a |",
        "|a|e|a|",
        "| a | e |",
        "| a | e | a | a |",
        r"| a | e\ | a |",
        r"| a \| b | e | a |",
        "|\\",
    ],
)
@pytest.mark.parametrize("lead", ["", " "])
@pytest.mark.parametrize("before", ["| a | e | a |\n", "| a | e | a | a |\n", ""])
def test_rows(before, lead, row):
    """A table whose rows have cells enough, too few, too many or none is read alike."""
    table = "## transitions\n\n| Source | Event | Target |\n|---|---|---|\n"

    assert_same(f"# machine m\n\n## state a\n\n{table}{lead}{before}{lead}{row}\n{lead}| a | f | a |\n")


@pytest.mark.parametrize("kind", ["", "int", "string", "enum(a, b)", "list", "any", "bool?"])
@pytest.mark.parametrize("default", ["", "-", "1", "1.5", "true", "null", "a", "'a'", "a, b", "[]", "`1`"])
def test_defaults(kind, default):
    """A default is read alike, whatever the type."""
    assert_same(f"# machine m\n\n## context\n\n| Field | Type | Default |\n|---|---|---|\n| f | {kind} | {default} |\n")


@given(documents())
def test_documents_of_a_grammar(text):
    """Documents that nobody has written are read alike too."""
    assert_same(text)


@given(st.sampled_from(DOCUMENTS), st.data())
def test_mutated_documents(text, data):
    """A line that is missing, comes from elsewhere or lost or got a character is read alike."""
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        line = lines[number]
        cut = data.draw(st.integers(0, len(line)))
        odd = data.draw(
            st.sampled_from(["|", "`", "\\|", "_", "-", " ", "\t", "[", "é", "e\u0301", "!", "<!--", "---"])
        )
        changed = [line[:cut] + odd + line[cut:], line[:cut], data.draw(st.sampled_from(LINES))]
        lines[number] = data.draw(st.sampled_from(changed))

    assert_same("\n".join(lines))


@given(expressions(), st.booleans())
def test_guard_expressions(text, in_cell):
    """An expression is read alike whether one pattern knows it or the parser has to."""
    scope = GuardScope({"a": TypeExpression("bool"), "idle": TypeExpression("int")}, {"b"}, in_cell)
    found = []
    for careful in (False, True):
        findings = Findings("m.md", [text], careful=careful)
        found.append((repr(read_guard(Text.at(text), scope, findings)), findings.diagnostics()))

    assert found[0] == found[1]


def test_most_guards_take_the_short_way(monkeypatch):
    """A comparison as all tools know it needs no parser."""
    monkeypatch.setattr("orca_bridge.syntax._guards._Parser", None)

    assert parse_guard("ctx.a.b >= 1.5 and event.c != 'x' and ctx.d == null").expression is not None


@given(documents())
def test_what_is_accepted_survives(text):
    """A document of the grammar that has no error is written without loss, and written again it is the same text."""
    reading = read(text, "m.md")
    if reading.errors or reading.document is None:
        return

    written = format_document(text, "m.md").text

    assert read(written, "m.md").document == reading.document
    assert format_document(written, "m.md").text == written


class TestRecords:
    @pytest.mark.parametrize(
        "name", [name for name in vars(_records) if name.startswith("make_") and "class" not in name]
    )
    def test_a_quick_record_is_one(self, name):
        """What a quick constructor makes has the class, the fields, the equality and the hash of the record."""
        make = getattr(_records, name)
        if name == "make_dataclass":
            pytest.skip("the function of the standard library")
        record = next(kind for kind in vars(definition).values() if getattr(kind, "__name__", "") == make.__name__)
        given = [f"value {one.name}" for one in fields(record)]

        quick, slow = make(*given), record(*given)

        assert type(quick) is record
        assert quick == slow
        assert hash(quick) == hash(slow)
        assert repr(quick) == repr(slow)

    def test_it_is_frozen(self):
        """It cannot be changed, as the record it is."""
        with pytest.raises(AttributeError):
            _records.make_span(1, 2, 3).line = 4

    def test_defaults_are_those_of_the_record(self):
        """What may be left out is the same."""
        assert _records.make_state("a", "a") == definition.StateDefinition("a", "a")
        assert _records.make_span(1, 2, 3) == Span(1, 2, 3)
