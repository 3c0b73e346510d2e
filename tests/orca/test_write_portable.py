"""Documents in forms that all tools read alike: they mean the same, and fewer places are misread."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_read_corpus import documents, lines_of
from test_read_portability import DOCUMENTS
from test_write_back import OWN
from written import configurations, document_of, events_of

from orca_bridge.cli import main
from orca_bridge.convert import compile_guard
from orca_bridge.exceptions import ConversionError, EventlessLoopError, InvocationError
from orca_bridge.syntax import read
from orca_bridge.write import format_document

WILD = {path.name: path.read_bytes() for path in documents()}
PROBES = {f"{entry['name']}.md": entry["source"] for entry in lines_of("probes.jsonl")}
TITLED = {f"{title}.md": text.split("\n----\n")[0] for title, text in DOCUMENTS.items()}
SOUND = {name: text for name, text in {**OWN, **TITLED, **PROBES, **WILD}.items() if not read(text, name).errors}
ALWAYS = {
    "PORT_ANNOTATION",
    "PORT_BARE_PATH",
    "PORT_BRACE",
    "PORT_BULLET",
    "PORT_COLUMN",
    "PORT_DASH_CELL",
    "PORT_DT_COLUMN",
    "PORT_EFFECTS_TABLE",
    "PORT_ENUM",
    "PORT_EVENTS_TABLE",
    "PORT_GUARD_NULL",
    "PORT_GUARD_OPERATOR",
    "PORT_HEADING",
    "PORT_INLINE_GUARD",
    "PORT_INLINE_TRANSITION",
    "PORT_MARKUP",
    "PORT_MULTI_CELL",
    "PORT_REPEATED_SECTION",
    "PORT_SEPARATOR",
    "PORT_TABLE_FORM",
    "PORT_TABLE_PIPE",
    "PORT_TABLE_POSITION",
}
"""What always has an equal form that is portable."""
DOOR = """\
machine Door
# two ways in
context { tries: int = 0, code: string? }
events { knock, enter, leave }
state shut [initial] "Nobody in" { on_entry: -> lock  timeout: 2m -> asleep  ignore: leave }
state open { state hall [initial] {}  state room {}  on leave -> shut : lock }
state asleep [final] {}
guards { known: ctx.code != null && ctx.tries < 3 }
transitions {
  shut + knock [known] -> open : greet
  shut + knock [!known] -> shut : count_try
  hall + enter -> room
}
actions { lock: (ctx) -> Context  greet: (ctx, event) -> Context + Effect<Bell>  count_try: (ctx) -> Context }
"""
PORTABLE = """\
# machine Door

<!-- two ways in -->

## context

| Field | Type    | Default |
|-------|---------|---------|
| tries | int     | 0       |
| code  | string? |         |

## events

- knock
- enter
- leave

## state shut [initial]
> Nobody in
- on_entry: lock
- timeout: 120s -> asleep
- ignore: leave

## state open

### state hall [initial]

### state room

## state asleep [final]

## transitions

| Source | Event | Guard  | Target | Action    |
|--------|-------|--------|--------|-----------|
| open   | leave |        | shut   | lock      |
| shut   | knock | known  | open   | greet     |
| shut   | knock | !known | shut   | count_try |
| hall   | enter |        | room   |           |

## guards

| Name  | Expression                           |
|-------|--------------------------------------|
| known | `ctx.code != null and ctx.tries < 3` |

## actions

| Name      | Signature                                |
|-----------|------------------------------------------|
| lock      | `(ctx) -> Context`                       |
| greet     | `(ctx, event) -> Context + Effect<Bell>` |
| count_try | `(ctx) -> Context`                       |
"""
FORMS = """\
# machine Forms
## context
| Field | Type | Default |
|---|---|---|
| size | enum | s, m |
| n | int | 1e3 |
| on | bool | `True` |
| text | string | 5 |
| none | int | null |
## state a [initial]
- timeout: 90000ms -> p.x
## state p
### state x [initial]
- on go [ctx.on] -> a
## transitions
| Source | Event | Guard | Target | Action |
|---|---|---|---|---|
| a | go | 3 < n <= 5 | p.x | |
| a | go | not big | | log |
| a | go | ctx.on | p.x | |
| a | go | else | a | |
| a | | else | p.x | |
| p.x | back | big and !on | a | |
| p.x | back | true | a | |
| p.x | back | else | p.x | |
## guards
| Name | Expression |
|---|---|
| big | `n > 1e3 && text` |
## properties
- Reachable: p.x
- invariant: n > 0 in p.x
- LIVE
"""


def portable(name, text):
    return format_document(text, name, portable=True)


def test_the_specification():
    """The example of the specification: what has an equal form gets it, and what is left is told."""
    found = portable("door.orca", DOOR)

    assert found.text == PORTABLE
    assert [one.code for one in found.misread] == ["PORT_NEGATED_GUARD"]


class TestForms:
    @pytest.fixture
    def text(self):
        return portable("forms.md", FORMS).text

    def test_context(self, text):
        """Defaults are written as all tools read them."""
        rows = [re.split(r"\s*\|\s*", line)[1:4] for line in text.splitlines() if line.startswith("| ")][1:6]

        assert rows == [
            ["size", "enum(s, m)", ""],
            ["n", "int", "1000"],
            ["on", "bool", "true"],
            ["text", "string", '"5"'],
            ["none", "int", ""],
        ]

    def test_rows(self, text):
        """Guards of rows get names, equal ones the same; bullets become rows; paths become names."""
        rows = [re.split(r"\s*\|\s*", line)[1:6] for line in text.splitlines() if re.match(r"\| [ax] ", line)]

        assert rows == [
            ["x", "go", "can_go_in_x", "a", ""],
            ["a", "go", "can_go_in_a", "x", ""],
            ["a", "go", "!big", "", "log"],
            ["a", "go", "can_go_in_x", "x", ""],
            ["a", "go", "not_go_in_a", "a", ""],
            ["a", "", "", "x", ""],
            ["x", "back", "can_back_in_x", "a", ""],
            ["x", "back", "can_back_in_x_2", "a", ""],
            ["x", "back", "not_back_in_x", "x", ""],
        ]
        assert "- timeout: 90s -> x\n" in text

    def test_guards(self, text):
        """`else` becomes what it means, and names in expressions what they stand for."""
        guards = dict(re.findall(r"^\| (\w+) +\| `(.*)` +\|$", text, re.MULTILINE))

        big, on = "(ctx.n > 1000 and ctx.text != null)", "(ctx.on == true)"
        assert guards == {
            "big": big.strip("()"),
            "can_go_in_x": on.strip("()"),
            "can_go_in_a": "ctx.n > 3 and ctx.n <= 5",
            "not_go_in_a": f"not (ctx.n > 3 and ctx.n <= 5) and {big} and not {on}",
            "can_back_in_x": f"{big} and not {on}",
            "can_back_in_x_2": "true",
            "not_back_in_x": f"not ({big} and not {on}) and not true",
        }

    def test_properties(self, text):
        """Properties are written in full."""
        assert text.endswith("- reachable: x from a\n- invariant: `ctx.n > 0` in x\n- live\n")


@pytest.mark.conformance
@pytest.mark.parametrize("name", SOUND)
class TestAny:
    def test_stays_portable(self, name):
        """What always has an equal form is gone; written again the document is the same."""
        found = portable(name, SOUND[name])

        assert not ALWAYS & {one.code for one in found.misread}
        assert portable(name if name.endswith(".md") else f"{name}.md", found.text).text == found.text

    def test_means_the_same(self, name):
        """The machines of a portable document do what those of the document do."""
        before, after = document_of(SOUND[name], name), document_of(portable(name, SOUND[name]).text)
        assert [table.rules for table in before.tables] == [table.rules for table in after.tables]
        for old, new in zip(before.machines, after.machines, strict=True):
            try:
                expected = configurations(old, events_of(old, 1))
            except (ConversionError, EventlessLoopError, InvocationError):
                continue  # it cannot run, or not alone, or never comes to rest
            assert configurations(new, events_of(old, 1)) == expected


VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "2", "a"])
OPERANDS = st.sampled_from(["ctx.n", "ctx.b", "event.x", "1", "-2", '"a"', "true"])


@st.composite
def expressions(draw, depth=3):
    kind = draw(st.integers(0, 6 if depth else 2))
    if kind < 2:
        left = draw(OPERANDS)
        right = draw(OPERANDS.filter(lambda one: "." in one or "." in left))
        return f"{left} {draw(st.sampled_from(['==', '!=', '<', '<=', '>', '>=']))} {right}"
    if kind == 2:
        return draw(st.sampled_from(["ctx.b", "ctx.n", "b", "event.x", "ctx.n is null", "named", "true"]))
    inner = [draw(expressions(depth - 1)) for _ in range(2)]
    return {3: "not ({0})", 4: "({0}) and ({1})", 5: "({0}) || ({1})", 6: "!({0})"}[kind].format(*inner)


@settings(max_examples=200, deadline=None)
@given(expressions(), expressions(), VALUES, st.none() | st.booleans(), VALUES)
def test_guards_mean_the_same(named, expression, n, b, x):
    """A guard that was rewritten has the value that it had, whatever a well-typed context and the payload hold."""
    text = (
        "# machine M\n## context\n| Field | Type |\n|---|---|\n| b | bool |\n| n | any |\n## state a [initial]\n"
        f"## guards\n| Name | Expression |\n|---|---|\n| named | `{named.replace('named', 'true')}` |\n| g | `{expression}` |\n"
        f"## transitions\n| Source | Event | Guard | Target |\n|---|---|---|---|\n| a | e | {expression.replace('|', chr(92) + '|')} | a |\n"
    )
    before, after = document_of(text).machines[0], document_of(portable("m.md", text).text).machines[0]
    values = []
    for machine in (before, after):
        guards = {guard.name: guard.expression for guard in machine.guards}
        row = machine.transitions[0].guard
        values.append([compile_guard(one, guards)({"n": n, "b": b}, {"x": x}) for one in (guards["g"], row)])

    assert values[0] == values[1]


class TestCommand:
    @pytest.fixture(autouse=True)
    def files(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("forms.md").write_text(FORMS)

    def test_in_place(self, capsys):
        """`fmt --portable` rewrites the file, and tells what other tools still misread."""
        assert main(["fmt", "--portable", "forms.md"]) == 0
        assert "PORT_NEGATED_GUARD" in capsys.readouterr().err
        assert "can_go_in_a" in Path("forms.md").read_text()
        assert main(["fmt", "--portable", "--check", "forms.md"]) == 0

    def test_not_otherwise(self, capsys):
        """Without it only the spelling changes."""
        assert main(["fmt", "forms.md"]) == 0
        assert capsys.readouterr().err == ""
        assert "3 < n <= 5" in Path("forms.md").read_text()
        assert main(["check", "forms.md", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["status"] == "ok"
