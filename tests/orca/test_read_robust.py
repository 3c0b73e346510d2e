"""No text makes the reader raise, hang or lose a line."""

from __future__ import annotations

import os
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
RICH = """\
# machine Desk
- version: 2.0
- owner: me
## context
| Field | Type | Default |
|---|---|---|
| id | string | |
| n | enum | a, b |
## events
- open: at nine
- close(at: int)
## state off [initial] "closed"
- on_entry: a; b
- timeout: 1h 30m -> on : ring
- timeout: 5 -> open
- ignore: close, *
- invoke: Child(id: ctx.id, m: {x: [1, "}"]}) shots: 5 returns: { id: key }
- on_done: -> open
- on_error: on
- input: { a: 1 }
## state on [parallel, sync: any-final]
- on_done: off
### region left [initial] "text"
- on_entry: log
> quoted
#### state l [initial]
##### state deep
##### state deeper [final]
- timeout: 500ms -> l
### region right
#### state r [final]
- on_error: r
## transitions
| off | | n == a | on | x |
| l | timeout | else | r | |
| * | * | !g | off | - |
## guards
| Name | Expression |
|---|---|
| g | `3 < ctx.n.length and not id is null \\|\\| event.a == b` |
## actions
| Name | Signature | Effect | Updates |
|---|---|---|---|
| x | `(ctx) => Context + Effect<'A.B', { c: d }> + Effect<E>` | Mail, F | n := n + 1, id := event.id; z |
## effects
| Name | Input | Output | Type | Description |
|---|---|---|---|---|
| `Mail` | `{ to: string }` | | | d |
## returns
| Name | Type | Statistics |
|---|---|---|
| key | string | expectation, variance |
## properties
- live
- always responds: on from off within 5
- passes_through: on for off -> r
* invariant: `ctx.n != "a"` in off
- reachable: l
---
# decision_table Rates
Prices by tier.
## conditions
| Name | Type | Values |
|---|---|---|
| tier | enum | gold, iron |
| n | int_range | 0..9 |
| d | decimal | |
## actions
| Name | Type | Description |
|---|---|---|
| out | enum | a, b | c |
## rules
| # | tier | n | d | → out | -> zz |
|---|---|---|---|---|---|
| 1 | gold | 1..5 | [0.5..1) | a | |
| 2 | !gold, !iron | 5+ | - | `b` | |
| 3 | gold, iron | >= 3 | 1-2 | - | x |
## metadata
- policy: first-match
"""
BRACE = """\
machine Door
# two ways in
context { tries: int = 0, code: string? list: [1, 2] m: map<string, list<int>> = {a: [1]} }
events { knock, enter(at: int) leave }
state shut [initial] "Nobody in" { on_entry: -> lock, bolt  timeout: 2m -> asleep : ring  ignore: leave, * }
state open {
  description: "a \\"b\\" // c"
  state hall [initial] {}  state room {} // here
  on leave [ctx.tries > 1 and
    (code != null)] -> shut : lock
  transitions { hall + enter -> room : a; b, c
    room + -> : x }
}
state wide {
  parallel [sync: any_final] { region l { state a [initial] {} } region r [initial] { on_exit: x state b {} } }
  invoke: -> Child(id: 1) input: { a: ctx.b, c: "}" } returns: { x: y } on_done: knock
  contains { state d {} }
}
state asleep [final] {}
guards { known: ctx.code != null && ctx.tries < 3
  both: known or
    not (ctx.tries
      > 5) }
transitions { shut + knock [known] -> open : _  * + * [!known] -> shut }
actions { lock: (ctx) -> Context  greet: (ctx, event: map<a, b>) -> Context + Effect<Bell> + Effect<B> }
effects { Bell: { to: string }, Horn }
properties { live
  reachable: open.hall from shut
  invariant: ctx.tries < 10
    and ctx.tries >= 0 }
custom { a { b } }
machine Other { state a [initial] { } }
"""
CORPUS = Path(os.environ.get("CORPUS_DIR", ""))
FOUND = sorted((CORPUS / "orca" / "corpus").glob("*/*.orca*")) if CORPUS.name else []
# Without the folder that CORPUS_DIR names, the documents above stand for those that people wrote.
WILD = [path.read_text("utf-8") for path in FOUND]
DOCUMENTS = [GOOD, RICH, BRACE, *WRONG, *WILD]
LINES = sorted({line for document in DOCUMENTS for line in document.split("\n")})


def check(text):
    check_as(text, "m.orca")
    lenient = check_as(text, "m.md", lenient=True)
    strict = check_as(text, "m.md")
    assert len(lenient.errors) <= len(strict.errors)
    return strict


def check_as(text, name, **options):
    found = read(text, name, **options)

    assert all(1 <= d.line <= len(split_lines(text)) and 1 <= d.column < d.end_column for d in found.diagnostics)
    for diagnostic in found.diagnostics:
        str(diagnostic)
    if not found.errors:
        assert found.document is not None
    return found


def test_the_document_is_good():
    """What is mutated below is read without a finding at first."""
    assert [d for d in check(GOOD).diagnostics if d.category != "portability"] == []


@pytest.mark.parametrize(("text", "name"), [(RICH, "m.md"), (BRACE, "m.orca")])
def test_every_construct_is_read(text, name):
    """The documents that are mutated below hold what the language has, apart from a few mistakes."""
    found = read(text, name)

    assert {d.code for d in found.errors} <= {"INVALID_BULLET", "MIXED_CHILDREN"}


@pytest.mark.parametrize("text", [GOOD, RICH, BRACE], ids=["good", "rich", "brace"])
def test_cutting_anywhere(text):
    """A document cut at any character is read."""
    for end in range(0, len(text), 1 if text is GOOD else 3):
        check_as(text[:end], "m.orca" if text is BRACE else "m.md")


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
DECISION = (
    "# decision_table D\n## conditions\n| Name | Type |\n|---|---|\n| n | int_range |\n## actions\n"
    "| Name | Type |\n|---|---|\n| o | string |\n## rules\n| n | → o |\n|---|---|\n"
)
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
    "many regions": lambda n: (
        "# machine M\n## state p\n" + "".join(f"### region r{i}\n#### state x\n" for i in range(n))
    ),
    "children": lambda n: "# machine M\n## state p\n" + "".join(f"### state c{i}\n" for i in range(n)),
    "timeouts": lambda n: HEAD + "- timeout: 5s -> a\n" * n,
    "timeout rows": lambda n: HEAD + "- timeout: 5s -> a\n" * n + TABLE[len(HEAD) :] + "| a | | | a | |\n" * n,
    "durations": lambda n: HEAD + "- timeout: " + "1h" * n + " -> a",
    "ignores": lambda n: HEAD + "- ignore: " + ", ".join(f"e{i}" for i in range(n)),
    "invokes": lambda n: HEAD + "- invoke: N\n" * n,
    "invoke modifiers": lambda n: HEAD + "- invoke: N " + "input: " * n,
    "invoke braces": lambda n: HEAD + "- invoke: N input: " + "{a: " * n,
    "invoke pairs": lambda n: HEAD + "- invoke: N input: {" + ", ".join(f"k{i}: 1" for i in range(n)) + "}",
    "properties": lambda n: HEAD + "## properties\n" + "- reachable: a from a\n" * n,
    "property arrows": lambda n: HEAD + "## properties\n- passes_through: a for b" + "->" * n + " x y",
    "property blanks": lambda n: HEAD + "## properties\n- invariant: a" + " " * n + "in" + " in" * n,
    "updates": lambda n: ACTIONS.replace("Signature", "Updates") + "| a | " + "x := x + 1, " * n + "|",
    "rules": lambda n: DECISION + "| 1..5 | a |\n" * n,
    "rule values": lambda n: DECISION + "| " + "1, " * n + "| a |\n",
    "rule columns": lambda n: DECISION.replace("| n |", "| n " * n + "|") + "| 1..5 | a |\n",
    "prose": lambda n: HEAD + "word | word\n" * n,
    "lines of hashes": lambda n: HEAD + "#\n" * n,
    "escaped bars": lambda n: TABLE + "\\|\n" * n,
    "header bars": lambda n: HEAD + "## transitions\n" + "|" * n,
    "guard signs": lambda n: GUARDS + "| a | " + "!" * n,
    "guards joined": lambda n: GUARDS + "| a | `ctx.a > 1" + " and ctx.a > 1" * n + "` |",
    "guards in parentheses": lambda n: GUARDS + "| a | " + "(a " * n,
    "inline guards": lambda n: TABLE + "| a | e | ctx.x < 1 and y | a | b |\n" * n,
    "fences": lambda n: HEAD + "```\n" * n,
    "comments in rows": lambda n: TABLE + "| a | e | | a | <!-- x --> b |\n" * n,
    "quotes": lambda n: HEAD + "> text\n" * n,
    "repeated entries": lambda n: HEAD + "- on_entry: a\n" * n,
    "sections": lambda n: HEAD + "## transitions\n" * n,
    "listed events": lambda n: HEAD + "## events\n" + "".join(f"- e{i}\n" for i in range(n)),
    "types that differ": lambda n: CONTEXT + "".join(f"| f{i} | t{i}? | |\n" for i in range(n)),
    "signatures that differ": lambda n: ACTIONS + "".join(f"| f{i} | `(ctx) -> T{i}` |\n" for i in range(n)),
}


GROWING_BRACE = {
    "brace rows": lambda n: "machine M\nstate a {}\ntransitions {\n" + "a + e [a < 1] -> a : x\n" * n + "}",
    "brace states": lambda n: "machine M\n" + "".join(f"state s{i} {{ on_entry: x }}\n" for i in range(n)),
    "open braces": lambda n: "machine M\n" + "state a { " * n,
    "open parentheses": lambda n: "machine M\nevents { " + "a( " * n + "}",
    "open brackets": lambda n: "machine M\ntransitions { " + "a + b [ " * n + "}",
    "closing braces": lambda n: "machine M\n" + "}" * n,
    "words": lambda n: "machine M\n" + "word " * n,
    "lines of words": lambda n: "machine M\n" + "word\n" * n,
    "strings": lambda n: 'machine M\nstate a "' + '\\"' * n,
    "long guards": lambda n: "machine M\nguards { g: a" + "\n and a" * n + "}",
    "many guards": lambda n: "machine M\nguards { " + "".join(f"g{i}: a " for i in range(n)) + "}",
    "types": lambda n: "machine M\ncontext { a: " + "list<" * n + "}",
    "fields": lambda n: "machine M\ncontext { " + "".join(f"a{i}: 1 " for i in range(n)) + "}",
    "maps": lambda n: "machine M\nstate a { invoke: N input: " + "{a: " * n,
    "brace machines": lambda n: "machine M { state a {} }\n" * n,
    "names": lambda n: "machine M\nstate a { ignore: " + "a, " * n + "}",
    "durations": lambda n: "machine M\nstate a { timeout: " + "5 s " * n + "-> a }",
    "closing braces on lines": lambda n: "machine M\n" + "}\n" * n,
    "closing braces of nothing": lambda n: "}" * n,
    "commas": lambda n: "machine M\n" + "," * n,
    "colons": lambda n: "machine M\ncontext { " + "a: " * n,
    "open strings": lambda n: "machine M\ncontext { " + '"\n' * n,
    "comments": lambda n: "machine M\n" + "# x\n" * n,
    "properties": lambda n: "machine M\nproperties { " + "live " * n,
}


class Counter:
    """Counts the lines of Python executed, which does not depend on how busy the computer is."""

    def __init__(self):
        self.lines = 0

    def __call__(self, _frame, event, _argument):
        self.lines += event == "line"
        return self


def effort(text, name="m.md"):
    counter = Counter()
    before = sys.gettrace()
    sys.settrace(counter)
    try:
        read(text, name)
    finally:
        sys.settrace(before)
    return counter.lines


CASES = [(build, "m.md") for build in GROWING.values()] + [(build, "m.orca") for build in GROWING_BRACE.values()]
growing = pytest.mark.parametrize(("build", "name"), CASES, ids=[*GROWING, *GROWING_BRACE])


@growing
def test_effort_grows_with_the_length(build, name):
    """Four times the text costs at most about four times the work."""
    small, large = (effort(build(size), name) for size in (150, 600))

    assert large <= 5 * small + 2000


@growing
def test_long_repetitions_end(build, name):
    """No pattern of ours backtracks: ten thousand repetitions of anything are read at once."""
    read(build(10_000), name)


PLACES = {
    "m.md": ["", HEAD, TABLE, TABLE + "| a | e | ", GUARDS + "| g | ", CONTEXT + "| a | ", ACTIONS + "| a | ", DECISION]
    + [HEAD + below for below in ("## events\n- ", "## properties\n- ", "- invoke: N ", "- on e [", "## state b ")],
    "m.orca": ["", "machine M ", "machine M\nstate a { "]
    + [f"machine M\n{section} {{ " for section in ("context", "events", "transitions", "guards", "actions", "effects")],
}
UNITS = st.text(alphabet=st.sampled_from("|#-`<>!*_[](){}'\":;,.=\\ \nab1+"), min_size=1, max_size=4)


@given(st.sampled_from([(name, place) for name, places in PLACES.items() for place in places]), UNITS)
@settings(max_examples=60)
def test_effort_of_anything_repeated(where, unit):
    """Whatever is repeated, and wherever it stands, four times the text costs about four times the work."""
    name, place = where
    small, large = (effort(place + unit * size, name) for size in (150, 600))

    assert large <= 5 * small + 2000


def test_a_row_of_a_table_costs_little():
    """A table of a MiB is read in a fraction of a second: a row takes about a hundred lines of Python."""
    rows = "".join(f"| a | e{i} | g | a | act |\n" for i in range(400))
    guards = "## guards\n| Name | Expression |\n| g | ctx.x > 1 |\n"

    costs = [
        effort(f"{HEAD}{guards}## transitions\n| Source | Event | Guard | Target | Action |\n{part}")
        for part in ("", rows)
    ]

    assert costs[1] - costs[0] <= 400 * 120


class TestTooMuch:
    def test_brace_text_is_given_up(self):
        """After a thousand mistakes brace text is given up with an error that says so, however lenient reading is."""
        text = "machine M\nstate a [initial] {}\n" + "}\n" * 2000

        strict, lenient = read(text, "m.orca"), read(text, "m.orca", lenient=True)

        assert strict.document is None
        assert lenient.document is None
        assert [(d.line, d.message) for d in lenient.errors] == [
            (1003, "the rest of the file is not read: it has more than 1000 mistakes above")
        ]

    def test_machines_above_are_kept(self):
        """A machine that is complete is returned though the rest of the file is given up."""
        found = read("machine M { state a [initial] {} }\nmachine N { " + "1\n" * 2000, "m.orca")

        assert [machine.name for machine in found.document.machines] == ["M"]

    def test_a_file_of_mistakes_is_given_up(self):
        """After ten thousand mistakes a file is given up as a whole, which an error says, however lenient reading is."""
        found = read(TABLE + "| zz | e | | a | |\n" * 20_000, "m.md", lenient=True)

        assert found.document is None
        assert [(d.line, d.code, d.message) for d in found.errors] == [
            (10_006, "UNKNOWN_STATE", "the file has more than 10000 mistakes, and is not read further")
        ]

    def test_an_endless_expression_is_refused(self):
        """An expression of more than ten thousand characters is refused before it is cut into words."""
        found = read(GUARDS + "| g | " + "!" * 10_001 + " |\n", "m.md")

        assert [(d.code, d.message) for d in found.errors] == [
            ("GUARD_SYNTAX", "the expression is longer than 10000 characters")
        ]

    def test_all_findings_are_counted(self):
        """Of a kind that is found more than two hundred times all are counted, whatever it costs."""
        found = read(TABLE + "| zz | e | | a | |\n" * 1000 + "| a | e | | a | x y |\n" * 300, "m.md")

        assert len(found.diagnostics) == 201
        assert found.diagnostics[-1].message == "1100 more problems were found and are not shown"
