"""Every code is explained, and its example is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orca_bridge import syntax
from orca_bridge.cli._codes import explanations
from orca_bridge.syntax import read

CODES = explanations()
WITHOUT_EXAMPLE = {
    "INPUT_TOO_LARGE": b"x" * (4 * 2**20 + 1),
    "INVALID_ENCODING": b"# machine M\xff",
    "TOO_MANY_PROBLEMS": b"# machine M\n## state a [initial]\n" + b"- what\n" * 250,
}


def test_every_code_is_explained():
    """What the reader can find has an explanation, and nothing else has."""
    said = set()
    for path in Path(syntax.__file__).parent.glob("*.py"):
        text = path.read_text("utf-8")
        said |= set(re.findall(r'\.(?:error|warning|portability)\(\s*"([A-Z_]+)"', text))
        said |= set(re.findall(r'"((?:PORT|DT|INVALID|DUPLICATE|MISSING|UNKNOWN|EMPTY)_[A-Z_]+)"', text))

    assert said <= CODES.keys()
    assert {code for code in CODES if code.startswith("PORT_")} == {code for code in said if code.startswith("PORT_")}


@pytest.mark.parametrize("code", [code for code in CODES if code not in WITHOUT_EXAMPLE])
class TestExamples:
    def test_the_example_has_it(self, code):
        """The example of a code is found, with the severity and the category that are told."""
        one = CODES[code]
        found = [
            item for item in read(one.document, "m.orca" if one.is_brace else "m.md").diagnostics if item.code == code
        ]

        assert found
        assert {(item.severity, item.category) for item in found} == {(one.severity, one.category)}

    def test_the_fix_has_not(self, code):
        """The correction has no error, and not this code."""
        one = CODES[code]
        brace = one.is_brace and not one.fixed_document.startswith("#")
        name = "m.orca" if brace else "m.md"

        assert code not in {item.code for item in read(one.fixed_document, name).diagnostics}
        assert read(one.fixed_document, name).errors == ()


@pytest.mark.parametrize("code", WITHOUT_EXAMPLE)
def test_what_cannot_be_shown_in_a_few_lines(code):
    """Three codes have no example; they are told as what they are all the same."""
    (found,) = (item for item in read(WITHOUT_EXAMPLE[code], "m.md").diagnostics if item.code == code)

    assert (found.severity, found.category) == (CODES[code].severity, CODES[code].category)
    assert CODES[code].example == ""
