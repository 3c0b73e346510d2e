"""No text makes the reader raise, hang or lose a line."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orca_bridge.syntax import read
from orca_bridge.syntax._scanner import scan
from orca_bridge.syntax._source import split_lines

WRONG = [
    part.split("\n----\n")[0].split("\n", 1)[1]
    for part in re.split(
        r"^==== ", Path(__file__).with_name("test_read_diagnostics.txt").read_text("utf-8"), flags=re.MULTILINE
    )[1:]
]
GOOD = """\
---
title: x
---
# machine Lift
> Carries people
- version: 2
## context
| Field | Type | Default |
|---|:-:|---|
| floor | int? | -1 |
| items | map<string, list<int>> | {a: [1, 2]} |
## events
- call, arrive(at: int): somewhere
## state standing [initial] "text"
> on call -> up
- on_entry: a, b
- on leave [floor > 1 and ("x" == s or !light)] -> up : c
## state moving
### state up [initial]
<!-- hidden --> ### state down
```
fence
```
## transitions
Source | Event | Target | Guard | Action
---|---|---|---|---
standing, up | call | moving.up | `floor || !light` | x; y
| * | * | up | else | |
## guards
| Name | Expression |
|---|---|
| light | 1 < ctx.load <= 10 and event.a is not null |
## actions
| Name | Signature | Effect |
|---|---|---|
| c | `(ctx, event: map<a, b>) -> Context` | count + 1 |
"""
DOCUMENTS = [GOOD, *WRONG]
LINES = sorted({line for document in DOCUMENTS for line in document.split("\n")})


def check(text):
    found = read(text, "m.md")

    assert all(1 <= d.line <= len(split_lines(text)) and 1 <= d.column < d.end_column for d in found.diagnostics)
    for diagnostic in found.diagnostics:
        str(diagnostic)
    if not found.errors:
        assert found.document is not None
    return found


def test_the_document_is_good():
    """What is mutated below is read without a finding at first."""
    assert [d for d in check(GOOD).diagnostics if d.category != "portability"] == []


def test_cutting_anywhere():
    """A document cut at any character is read."""
    for end in range(len(GOOD)):
        check(GOOD[:end])


@given(st.sampled_from(DOCUMENTS), st.data())
def test_deleting_lines(document, data):
    """Lines may be missing."""
    lines = document.split("\n")
    kept = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))

    check("\n".join(line for line, keep in zip(lines, kept, strict=True) if keep))


@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_any_mixture_of_lines(lines):
    """Lines of all documents may follow each other in any order."""
    check("\n".join(lines))


@given(st.sampled_from(DOCUMENTS), st.data())
def test_changing_characters(document, data):
    """Characters may be replaced by what matters to the syntax, or by anything."""
    position = data.draw(st.integers(0, len(document)))
    size = data.draw(st.integers(0, 5))
    inserted = data.draw(
        st.text(alphabet=st.sampled_from("|#-`<>!*_[](){}'\":;,.\n \\=") | st.characters(), max_size=6)
    )

    check(document[:position] + inserted + document[position + size :])


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything(text):
    """Any text and any bytes are read."""
    read(text)


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=20), max_size=30))
@settings(max_examples=50)
def test_every_line_is_consumed_once(lines):
    """Each line becomes exactly one item, in order."""
    source = split_lines("\n".join(lines))

    assert [item.text.line for item in scan(source).items] == list(range(1, len(source) + 1))


HEAD = "# machine M\n## state a [initial]\n"
TABLE = HEAD + "## transitions\n| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n"
GUARDS = HEAD + "## guards\n| Name | Expression |\n|---|---|\n"
CONTEXT = HEAD + "## context\n| Field | Type | Default |\n|---|---|---|\n"
ACTIONS = HEAD + "## actions\n| Name | Signature |\n|---|---|\n"
GROWING = {
    "rows": lambda n: TABLE + "| a | e | x < 1 | a | b |\n" * n,
    "unknown states": lambda n: TABLE + "".join(f"| zz{i} | e | | a | |\n" for i in range(n)),
    "states": lambda n: HEAD + "".join(f"## state s{i}\n### state c\n" for i in range(n)),
    "ambiguous": lambda n: (
        "# machine M\n"
        + "".join(f"## state s{i}\n### state c\n" for i in range(n))
        + "## transitions\n"
        + "| s1 | e | c |\n" * n
    ),
    "bars": lambda n: TABLE + "|" * n,
    "back-ticks": lambda n: TABLE + "| " + "` `` " * n,
    "hashes": lambda n: HEAD + "# " * n,
    "dashes": lambda n: TABLE + "|" + "-" * n + "x",
    "comments": lambda n: HEAD + "<!-- x --> a " * n,
    "open comments": lambda n: HEAD + "<!-- " * n,
    "brackets": lambda n: "# machine M\n## state a " + "[x] " * n,
    "open brackets": lambda n: "# machine M\n## state a " + "[" * n,
    "parentheses": lambda n: "# machine M\n## state a " + "(" * n,
    "events": lambda n: HEAD + "## events\n- " + "a, " * n,
    "event parentheses": lambda n: HEAD + "## events\n- " + "a(" * n,
    "accents": lambda n: HEAD + "a" + "\u0301" * n,
    "moves": lambda n: HEAD + "- on e [" + '"' * n,
    "quoted moves": lambda n: HEAD + "> on a " + "->" * n,
    "guard strings": lambda n: GUARDS + "| a | " + '"\\' * n,
    "guard dashes": lambda n: GUARDS + "| a | " + "a-" * n,
    "guard numbers": lambda n: GUARDS + "| a | " + "1" * n,
    "guard circle": lambda n: GUARDS + "".join(f"| g{i} | g{(i + 1) % n} |\n" for i in range(n)),
    "types": lambda n: CONTEXT + "| a | " + "list<" * n,
    "defaults": lambda n: CONTEXT + "| a | list | " + "[" * n,
    "strings": lambda n: CONTEXT + "| a | any | " + '"a' * n,
    "digits": lambda n: CONTEXT + "| a | int | " + "9" * n,
    "signatures": lambda n: ACTIONS + "| a | (a) -> X" + "<>" * n + "! |",
    "parameters": lambda n: ACTIONS + "| a | (a: " + "list<" * n + ") |",
    "machines": lambda n: "# machine M\n## state a\n" * n,
    "foreign headings": lambda n: "# A\n## events\n" * n,
    "separators": lambda n: "---\n" + "x\n" * n,
    "prose": lambda n: HEAD + "word | word\n" * n,
}


class Counter:
    """Counts the lines of Python executed, which does not depend on how busy the computer is."""

    def __init__(self):
        self.lines = 0

    def __call__(self, _frame, event, _argument):
        self.lines += event == "line"
        return self


def effort(text):
    counter = Counter()
    before = sys.gettrace()
    sys.settrace(counter)
    try:
        read(text, "m.md")
    finally:
        sys.settrace(before)
    return counter.lines


@pytest.mark.parametrize("name", GROWING)
def test_effort_grows_with_the_length(name):
    """Four times the text costs at most about four times the work."""
    small, large = (effort(GROWING[name](size)) for size in (150, 600))

    assert large <= 5 * small + 2000


@pytest.mark.parametrize("name", GROWING)
def test_long_repetitions_end(name):
    """No pattern of ours backtracks: ten thousand repetitions of anything are read at once."""
    read(GROWING[name](10_000), "m.md")


def test_a_row_of_a_table_costs_little():
    """A table of a MiB is read in about a second: a row takes a few hundred lines of Python."""
    rows = "".join(f"| a | e{i} | g | a | act |\n" for i in range(400))
    guards = "## guards\n| Name | Expression |\n| g | ctx.x > 1 |\n"

    costs = [
        effort(f"{HEAD}{guards}## transitions\n| Source | Event | Guard | Target | Action |\n{part}")
        for part in ("", rows)
    ]

    assert costs[1] - costs[0] <= 400 * 400
