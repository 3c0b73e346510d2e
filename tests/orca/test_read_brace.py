"""Brace text means what the same document in Markdown means."""

from __future__ import annotations

import pytest

from orca_bridge.definition import (
    And,
    Comparison,
    ContextField,
    EffectDefinition,
    GuardName,
    Not,
    Or,
    Path,
    TypeExpression,
    Value,
)
from orca_bridge.syntax import read

BRACE = """\
machine Door  // a comment
# another one
context { tries: int = 0, code: string? }
events { knock, enter, leave }
state shut [initial] "Nobody in" { on_entry: -> lock, bolt  timeout: 2m -> asleep : ring  ignore: leave, * }
state open {
  description: "Come in"
  state hall [initial] {}  state room { on_exit: tidy } on leave [code != null] -> shut : lock
  transitions { hall + enter -> room }
}
state asleep [final] {}
state wide {
  on_done: -> asleep
  parallel [sync: any_final] {
    region left { on_entry: log state a [initial] {} }
    region right { state b [final] }
  }
}
state busy { invoke: Child input: { id: ctx.code, n: 5 } shots: 3 returns: { code: key } on_done: knock on_error: -> leave }
guards {
  known: ctx.code != null && ctx.tries < 3
  unknown: not known
}
transitions {
  shut + knock [known] -> open : greet
  shut + knock [!known] -> shut : _
  shut + -> : count, note
  * + * -> asleep
}
actions { lock: (ctx) -> Context  greet: (ctx, event) -> Context + Effect<Bell> + Effect<Light>
  count: () -> Context }
properties {
  live
  reachable: room from shut
  invariant: ctx.tries < 10 in open
}
"""
MARKDOWN = """\
# machine Door
## context
| Field | Type    | Default |
|-------|---------|---------|
| tries | int     | 0       |
| code  | string? |         |
## events
- knock
- enter
- leave
## state shut [initial] "Nobody in"
- on_entry: lock, bolt
- timeout: 2m -> asleep : ring
- ignore: leave, *
## state open
- description: Come in
- on leave [code != null] -> shut : lock
### state hall [initial]
### state room
- on_exit: tidy
## transitions
| Source | Event | Guard | Target | Action |
|---|---|---|---|---|
| hall | enter | | room | |
## state asleep [final]
## state wide [parallel, sync: any-final]
- on_done: asleep
### region left
- on_entry: log
#### state a [initial]
### region right
#### state b [final]
## state busy
- invoke: Child input: { id: ctx.code, n: 5 } shots: 3 returns: { code: key }
- on_done: knock
- on_error: leave
## guards
| Name    | Expression                           |
|---------|--------------------------------------|
| known   | `ctx.code != null && ctx.tries < 3`  |
| unknown | `not known`                          |
## transitions
| Source | Event | Guard | Target | Action |
|---|---|---|---|---|
| shut | knock | known | open | greet |
| shut | knock | !known | shut | _ |
| shut | | | | count, note |
| * | * | | asleep | |
## actions
| Name | Signature |
|---|---|
| lock | `(ctx) -> Context` |
| greet | `(ctx, event) -> Context + Effect<Bell> + Effect<Light>` |
| count | `() -> Context` |
## properties
- live
- reachable: room from shut
- invariant: ctx.tries < 10 in open
"""


def machine(text):
    found = read(text, "m.orca")
    assert found.errors == (), "\n".join(map(str, found.errors))
    return found.document.machines[0]


def test_both_syntaxes_give_one_definition():
    """Everything that both can say is the same definition."""
    assert machine(BRACE) == read(MARKDOWN, "m.md").document.machines[0]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("f: int", ("int", None)),
        ("f: int = 5", ("int", 5)),
        ("f: int = -5", ("int", -5)),
        ('f: ""', ("string", "")),
        ('f: "a b"', ("string", "a b")),
        ("f: 5", ("int", 5)),
        ("f: 1_000", ("int", 1000)),
        ("f: -1.5", ("decimal", -1.5)),
        ("f: true", ("bool", True)),
        ("f: null", ("any", None)),
        ("f: [1, [2]]", ("list", [1, [2]])),
        ("f: { a: 1 }", ("map", {"a": 1})),
        ("f: string[]", ("list", None)),
        ("f: map<string, list<int>> = {}", ("map", {})),
        ("f: enum(a, b) = b", ("enum", "b")),
        ("f: string = pending", ("string", "pending")),
    ],
)
def test_fields(entry, expected):
    """A field has a type, or a value that shows its type."""
    (found,) = machine(f"machine M\ncontext {{ {entry} }}\nstate a [initial]").context

    assert (found.type.kind, found.default) == expected


def test_fields_side_by_side():
    """Fields are separated by a comma, a line end or nothing."""
    found = machine("machine M context { a: int b: string? = x, c: 5\nd: [1] } state a [initial]").context

    assert [field.name for field in found] == ["a", "b", "c", "d"]
    assert found[0] == ContextField("a", TypeExpression("int", text="int"), None, found[0].span)


A, B = (Comparison(Path("context", (name,)), ">", Value(1)) for name in "ab")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1 b: true", A),
        ("a > 1, b: true", A),
        ("a > 1 and\n b > 1", And((A, B))),
        ("a > 1\n  or b > 1\n", Or((A, B))),
        ("(a > 1\n  // why\n and b > 1\n)", And((A, B))),
        ("not\na > 1", Not(A)),
    ],
)
def test_an_expression_ends_with_its_line(text, expected):
    """An open parenthesis, or an operator at the end or start of a line, carries it on."""
    assert machine(f"machine M\nguards {{ g: {text} }}\nstate a [initial]").guards[0].expression == expected


def test_a_mistake_in_a_second_line_is_placed_there():
    """What is wrong is shown in its own line."""
    (error,) = read("machine M\nguards { g: a > 1 and\n  b + 1 > 2 }\nstate a [initial]", "m.orca").errors

    assert (error.code, error.line, error.column) == ("UNSUPPORTED_EXPRESSION", 3, 5)


def test_words_of_the_language_are_names():
    """Where nothing else can be meant, any word is a name."""
    text = "machine state\nevents { state, on, machine }\nstate on [initial] { on on -> state }\nstate state {}\n"

    found = machine(text)
    assert found.name == "state"
    assert [(row.source, row.event, row.target) for row in found.transitions] == [("on", "on", "state")]
    assert [event.name for event in found.events] == ["state", "on", "machine"]


def test_names_in_a_state_mean_its_own_states_first():
    """Rows in the block of a state look among its states before they look elsewhere."""
    text = "machine M\nstate x [initial] {}\nstate p { state x [initial] {} transitions { x + e -> x } }\n"

    assert [(row.source, row.target) for row in machine(text).transitions] == [("p.x", "p.x")]


def test_effects_have_a_text():
    """An effect is described by the rest of its line."""
    found = machine("machine M\neffects { Mail: { to: string } \n Bell }\nstate a [initial]").effects

    assert found == (EffectDefinition("Mail", description="{ to: string }"), EffectDefinition("Bell"))


def test_several_machines():
    """Machines follow each other, with braces around them or without."""
    text = "machine A { state a [initial] }\nmachine B\nstate b [initial]\nmachine C\nstate c [initial] {}\n"

    assert [found.name for found in read(text, "m.orca").document.machines] == ["A", "B", "C"]


def test_guards_by_name():
    """A guard in brackets is read as a Guard cell is."""
    text = "machine M\nguards { g: true }\nstate a [initial]\ntransitions { a + e [g] -> a  a + f [ !g ] -> a }\n"

    assert [row.guard for row in machine(text).transitions] == [GuardName("g"), Not(GuardName("g"))]


WRONG = {
    "state a {": [("UNCLOSED_BLOCK", 2, 9)],
    "state a { state b {": [("UNCLOSED_BLOCK", 2, 19)],
    "}": [("NO_STATES", 1, 9), ("BRACE_SYNTAX", 2, 1)],
    "state {}": [("NO_STATES", 1, 9)],
    "state a {}\nnonsense here\nstate b {}": [("BRACE_SYNTAX", 3, 1)],
    "state a {}\nsettings { a { b } c }\nstate b {}": [("UNKNOWN_SECTION", 3, 1)],
    "state a { go b }\nstate b {}": [("BRACE_SYNTAX", 2, 11)],
    "state a { on e b }": [("BRACE_SYNTAX", 2, 16)],
    "state a {}\ntransitions {\n  a + e\n  a + f -> a\n}": [("BRACE_SYNTAX", 5, 3)],
    "state a {}\ntransitions { a e -> a }": [("BRACE_SYNTAX", 3, 17)],
    "state a {}\ntransitions { a + e [x -> a }": [("BRACE_SYNTAX", 3, 21)],
    'state a "text': [("BRACE_SYNTAX", 2, 9)],
    "state a { entry: x }": [("UNKNOWN_BULLET", 2, 11)],
    "state a { description: x }": [("INVALID_BULLET", 2, 11)],
    "state a { parallel { state b {} } }": [("EMPTY_PARALLEL", 2, 7), ("BRACE_SYNTAX", 2, 22)],
    "state a {}\nstate a {}": [("DUPLICATE_STATE", 3, 7)],
    "state a {}\nguards { x }": [("BRACE_SYNTAX", 3, 10)],
    "state a {}\nevents { 5 }": [("BRACE_SYNTAX", 3, 10)],
    "state a {}\ncontext { q: qubit }": [("UNSUPPORTED_DIALECT", 3, 14)],
    "state a {}\nactions { x: (a, b }": [("BRACE_SYNTAX", 3, 14)],
    "state a { timeout: 5s b }": [("INVALID_TIMEOUT", 2, 11)],
    "state a {}\nmachine M state b {}": [("DUPLICATE_MACHINE", 3, 9)],
    "state a { state b {} parallel { region r { state c [initial] } } }": [("MIXED_CHILDREN", 2, 40)],
}


@pytest.mark.parametrize("body", WRONG)
def test_a_mistake_costs_its_line(body):
    """A mistake is placed, and reading goes on where the next entry begins."""
    found = read(f"machine M\n{body}\n", "m.orca").diagnostics

    ignored = {"PORT_BRACE", "MISSING_INITIAL", "INSUFFICIENT_REGIONS"}
    assert [(d.code, d.line, d.column) for d in found if d.code not in ignored][: len(WRONG[body])] == WRONG[body]


def test_depth_is_limited():
    """Deeper than 32 blocks is an error, and not the end of the program."""
    text = "machine M\n" + "state s { " * 40 + "}" * 40

    assert "NESTING_TOO_DEEP" in {d.code for d in read(text, "m.orca").errors}


def test_nothing_is_defined():
    """A file without a machine says so."""
    assert {d.code for d in read("// nothing\n", "m.orca").errors} == {"NO_DEFINITION"}
