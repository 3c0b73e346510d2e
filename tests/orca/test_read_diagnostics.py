"""
Every mistake, in a document of its own, with the whole text of what is said about it.

The documents stand in ``test_read_diagnostics.txt``: a title behind ``====``, the document, and below ``----`` what
is said about it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orca_bridge.syntax import Diagnostic, read

WRONG = dict(
    part.split("\n", 1)
    for part in re.split(r"^==== ", Path(__file__).with_suffix(".txt").read_text("utf-8"), flags=re.MULTILINE)[1:]
)


def remarks(text, name="m.md"):
    """What the reader says of the document itself; how other tools read it is tested with the portability warnings."""
    return [d for d in read(text, name).diagnostics if d.category != "portability"]


class TestDiagnostics:
    @pytest.mark.parametrize("title", WRONG)
    def test_says_what_where_and_what_instead(self, title):
        """A finding names the problem, shows the place and gives the replacement."""
        document, expected = WRONG[title].split("\n----\n")

        assert "\n".join(map(str, remarks(document))) == expected.strip()

    def test_fields(self):
        """A finding is data: all that its text shows can be asked for."""
        (found,) = remarks("# machine M\n## state a [initial]\n## state a\n")

        assert found == Diagnostic(
            code="DUPLICATE_STATE",
            severity="error",
            category="reference",
            message="a state 'a' exists already (line 2)",
            file="m.md",
            line=3,
            column=10,
            end_column=11,
            source_line="## state a",
            suggestion="rename one of them, or put both together",
            differs=(),
            machine="M",
        )
        assert found.render() == str(found)

    @pytest.mark.parametrize(
        ("text", "code", "category"),
        [
            ("# machine M\n", "NO_STATES", "syntax"),
            ("# machine M\n## state a\n## transitions\n| a | e | b |\n", "UNKNOWN_STATE", "reference"),
            ("# machine M\n## state a [oops]\n", "UNKNOWN_ANNOTATION", "lint"),
        ],
    )
    def test_categories(self, text, code, category):
        """Syntax, references and lint are told apart."""
        assert [(d.code, d.category) for d in remarks(text)] == [(code, category)]

    def test_all_at_once_by_position(self):
        """All problems of a file are reported together, in the order of the text."""
        text = "".join(
            part.split("\n----\n")[0] + "\n" for title, part in WRONG.items() if title.startswith(("broken", "no "))
        )

        found = read(text, "m.md").diagnostics

        places = [(d.line, d.column) for d in found]
        assert places == sorted(places)
        assert len({d.code for d in found}) > 8

    def test_a_suggestion_is_optional(self):
        """Without a suggestion the text ends with the carets."""
        found = Diagnostic("X", "warning", "lint", "text", "f", 123456, 2, 4, "abcd")

        assert str(found) == "f:123456:2: warning X: text\n123456 | abcd\n       |  ^^"

    def test_a_long_line_is_shown_around_the_place(self):
        """Of an endless line only the part around the mistake is shown."""
        text = f"# machine M\n## state a {'x ' * 50_000}[oops] {'y' * 50_000}\n"

        shown = str(remarks(text)[-1]).split("\n")
        assert max(map(len, shown)) < 400

    @pytest.mark.parametrize("cell", ["z" * 5000, "z " * 2500])
    def test_a_long_quotation_is_cut(self, cell):
        """A message quotes an endless name in part."""
        (found,) = remarks(f"# machine M\n## state a [initial]\n## transitions\n| a | e | {cell} |\n")

        assert found.code == "UNKNOWN_STATE"
        assert max(map(len, str(found).split("\n"))) < 700

    @pytest.mark.parametrize("character", ["\x1b", "\x07", "\x0c", "\x85", "\u2028"])
    def test_control_characters_are_not_passed_on(self, character):
        """What would move the carets or speak to the terminal is shown as a replacement character."""
        shown = str(remarks(f"# machine M\n## state a [{character}oops{character}x]\n")[0])

        assert character not in shown
        assert "[\ufffdoops\ufffdx]" in shown

    @pytest.mark.parametrize("name", ["x.q.orca.md"])
    def test_the_quantum_suffix(self, name):
        """A file of the quantum dialect is refused by its name."""
        assert [d.code for d in read("# machine M\n", name).diagnostics] == ["UNSUPPORTED_DIALECT"]


class TestUnreadable:
    @pytest.mark.parametrize(
        ("data", "place"),
        [
            (b"# machine M\n## st\xffate a\n", (2, 6)),
            ("ä\0".encode(), (1, 2)),
            (b"\xef\xbb\xbfa\xff", (1, 2)),
            ("a\n\0", (2, 1)),
            ("\ufeff\ud800", (1, 1)),
        ],
    )
    def test_bad_characters(self, data, place):
        """Bad UTF-8, NUL and lone surrogates are one error at their place, and nothing is read."""
        found = read(data)

        assert [(d.code, (d.line, d.column)) for d in found.diagnostics] == [("INVALID_ENCODING", place)]
        assert found.document is None
        str(found.diagnostics[0]).encode()

    @pytest.mark.parametrize("text", ["x" * 101, "ä" * 51, b"x" * 101])
    def test_too_large(self, text):
        """A file above the limit is not read."""
        assert [d.code for d in read(text, limit=100).diagnostics] == ["INPUT_TOO_LARGE"]

    @pytest.mark.parametrize("text", ["x" * 100, "ä" * 50, b"x" * 100])
    def test_just_small_enough(self, text):
        """The limit counts bytes, and is allowed itself."""
        assert [d.code for d in read(text, limit=100).diagnostics] == ["NO_DEFINITION"]

    def test_the_default_limit(self):
        """Without more said the limit is 4 MiB."""
        assert [d.code for d in read(b"x" * (4 * 2**20 + 1)).diagnostics] == ["INPUT_TOO_LARGE"]

    @pytest.mark.parametrize("text", ["", b"", "\n", "\ufeff", "   "])
    def test_nothing(self, text):
        """An empty file defines nothing."""
        assert [d.code for d in read(text).diagnostics] == ["NO_DEFINITION"]


class TestTooMany:
    def test_the_rest_is_counted(self):
        """Above 200 findings the rest is counted."""
        found = read("# machine M\n## state a [initial]\n" + "- what\n" * 250, "m.md")

        assert len(found.diagnostics) == 201
        assert found.diagnostics[-1].code == "TOO_MANY_PROBLEMS"
        assert "50 more problems" in found.diagnostics[-1].message
        assert found.document is not None

    def test_errors_are_never_cut_for_warnings(self):
        """An error behind many warnings is still among the findings."""
        found = read("# machine M\n## state a [initial]\n" + "- what\n" * 250 + "## state a\n", "m.md")

        assert [d.code for d in found.errors] == ["DUPLICATE_STATE"]
        assert len(found.diagnostics) == 201
