"""
What other tools read otherwise, and how to write it so that all agree.

The documents stand in ``test_read_portability.txt``: a title behind ``====``, the document, and below ``----`` its
portability warnings, with the tools concerned in parentheses.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orca_bridge.syntax import read

DOCUMENTS = dict(
    part.split("\n", 1)
    for part in re.split(r"^==== ", Path(__file__).with_suffix(".txt").read_text("utf-8"), flags=re.MULTILINE)[1:]
)
CODES = {
    "PORT_ACTION_LIST",
    "PORT_ANNOTATION",
    "PORT_BARE_PATH",
    "PORT_BULLET",
    "PORT_COLUMN",
    "PORT_DASH_CELL",
    "PORT_DEFAULT",
    "PORT_DT_CELL",
    "PORT_DT_COLUMN",
    "PORT_DT_FILE",
    "PORT_DURATION",
    "PORT_EFFECTS_TABLE",
    "PORT_EFFECT_COLUMN",
    "PORT_EMPTY_TARGET",
    "PORT_ENUM",
    "PORT_EVENTLESS",
    "PORT_EVENTS_TABLE",
    "PORT_EVENT_TEXT",
    "PORT_GUARD_NULL",
    "PORT_GUARD_NUMBER",
    "PORT_GUARD_OPERAND",
    "PORT_GUARD_OPERATOR",
    "PORT_HASH_LINE",
    "PORT_HEADING",
    "PORT_HIDDEN",
    "PORT_IGNORE_ALL",
    "PORT_INLINE_GUARD",
    "PORT_INLINE_TRANSITION",
    "PORT_INVOKE",
    "PORT_LENGTH",
    "PORT_MARKUP",
    "PORT_MULTI_CELL",
    "PORT_NAME",
    "PORT_NEGATED_GUARD",
    "PORT_NESTED",
    "PORT_ON_DONE",
    "PORT_ON_ERROR",
    "PORT_PROPERTY",
    "PORT_REGION",
    "PORT_REPEATED_BULLET",
    "PORT_REPEATED_SECTION",
    "PORT_SEPARATOR",
    "PORT_SIGNATURE",
    "PORT_STATE_REF",
    "PORT_STATE_TEXT",
    "PORT_TABLE_FORM",
    "PORT_TABLE_PIPE",
    "PORT_TABLE_POSITION",
    "PORT_TIMEOUT",
    "PORT_WILDCARD",
}


def portability(text, name="m.md"):
    return [d for d in read(text, name).diagnostics if d.category == "portability"]


def shown(found):
    place = f"{found.line}:{found.column}-{found.end_column}"
    return f"{place} {found.code} ({', '.join(found.differs) or 'nobody'}): {found.message}\n    = {found.suggestion}"


@pytest.mark.parametrize("title", DOCUMENTS)
def test_says_who_reads_it_otherwise(title):
    """A warning names the tools that differ, shows the place, and says how to write it for all of them."""
    document, expected = DOCUMENTS[title].split("\n----\n", 1)

    assert "\n".join(map(shown, portability(document))) == expected.strip()


def test_every_code_has_its_document():
    """No kind of warning is without an example."""
    named = {
        line.split()[1]
        for text in DOCUMENTS.values()
        for line in text.split("\n----\n", 1)[1].split("\n")
        if ":" in line[:9]
    }

    assert named == CODES


def test_they_cost_nothing():
    """A document of nothing but portability warnings gives its machine."""
    for text in DOCUMENTS.values():
        found = read(text.split("\n----\n", 1)[0], "m.md")

        assert found.errors == ()
        assert found.document is not None


def test_brace_text_has_one():
    """No current tool reads brace text, which is said once; how it is spelled makes no difference."""
    found = portability("machine M\nstate a [initial] {\n  on_entry: x, y timeout: 5m -> a : z\n}\n", "m.orca")

    assert [d.code for d in found] == ["PORT_BRACE"]


def test_many_are_counted_and_not_kept():
    """A large file with one on every line costs no more memory than a small one."""
    rows = "".join(f"| a | e{i} | not g | a | |\n" for i in range(1000))
    text = "# machine M\n## state a [initial]\n## guards\n| Name | Expression |\n| g | true |\n## transitions\n"
    found = read(f"{text}| Source | Event | Guard | Target | Action |\n{rows}", "m.md")

    assert len(found.diagnostics) == 201
    assert found.diagnostics[-1].message == "800 more problems were found and are not shown"


def test_what_was_meant_otherwise_comes_first():
    """Among too many findings, those about the document itself are kept before those about other tools."""
    rows = "".join(f"| a | e{i} | not g | a | |\n" for i in range(300))
    text = "# machine M\n## state a [initial]\n## guards\n| Name | Expression |\n| g | true |\n## transitions\n"
    found = read(f"{text}| Source | Event | Guard | Target | Action |\n{rows}## nonsense\n", "m.md")

    assert "UNKNOWN_SECTION" in {d.code for d in found.diagnostics}
