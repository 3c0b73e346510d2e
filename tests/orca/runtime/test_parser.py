"""Documents as the published records, and records as machines."""

import json
import os
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from orca_bridge.exceptions import DocumentError
from orca_bridge.runtime import (
    ActionSignature,
    EffectDef,
    GuardAnd,
    GuardCompare,
    GuardFalse,
    GuardNot,
    GuardNullcheck,
    GuardOr,
    GuardTrue,
    InvokeDef,
    MachineDef,
    ParallelDef,
    ParseError,
    RegionDef,
    ReturnDef,
    StateDef,
    Transition,
    ValueRef,
    VariableRef,
    parse_orca,
    parse_orca_auto,
    parse_orca_md,
    parse_orca_md_multi,
)
from orca_bridge.runtime._source import definition_of, text_of
from orca_bridge.syntax import read

WHOLE = """\
# machine Desk
- version: 1.2.0

## context

| Field | Type     | Default |
|-------|----------|---------|
| n     | int      | 3       |
| name  | string?  |         |
| open  | bool     | true    |
| tags  | string[] | ["a"]   |

## events
- go
- halt

## state idle [initial]
> Waiting
- on_entry: greet
- on_exit: part
- timeout: 5s -> done
- ignore: halt

## state both [parallel, sync: any-final]
- on_done: done
### region left
#### state x [initial]
#### state y [final]
### region right
#### state z [initial]

## state deep
### state inner [initial]

## state calls
- invoke: Child input: { m: ctx.n } shots: 5 returns: { n: total }
- on_done: go
- on_error: halt

## state done [final]

## transitions

| Source | Event | Guard | Target | Action |
|--------|-------|-------|--------|--------|
| idle   | go    | !few  | both   | greet  |
| idle   | halt  |       | deep   | _      |
| x      | go    |       | y      |        |
| inner  | go    |       | calls  |        |
| calls  | go    |       | done   |        |

## guards

| Name | Expression       |
|------|------------------|
| few  | `ctx.n < 3`      |

## actions

| Name  | Signature                                |
|-------|------------------------------------------|
| greet | `(ctx, event) -> Context + Effect<Mail>` |
| part  | `(ctx) -> Context`                       |

## effects

| Name | Input            | Output           |
|------|------------------|------------------|
| Mail | `{ to: string }` | `{ id: string }` |

## returns

| Name | Type | Statistics |
|------|------|------------|
| n    | int  |            |
"""

DESK = MachineDef(
    "Desk",
    {"n": 3, "name": None, "open": True, "tags": ["a"]},
    ["go", "halt"],
    [
        StateDef(
            "idle",
            is_initial=True,
            on_entry="greet",
            on_exit="part",
            description="Waiting",
            timeout={"duration": "5s", "target": "done"},
            ignored_events=["halt"],
        ),
        StateDef(
            "both",
            on_done="done",
            parallel=ParallelDef(
                [
                    RegionDef(
                        "left",
                        [
                            StateDef("x", is_initial=True, parent="both.left"),
                            StateDef("y", is_final=True, parent="both.left"),
                        ],
                    ),
                    RegionDef("right", [StateDef("z", is_initial=True, parent="both.right")]),
                ],
                "any-final",
            ),
        ),
        StateDef("deep", contains=[StateDef("inner", is_initial=True, parent="deep")]),
        StateDef(
            "calls", on_done="go", invoke=InvokeDef("Child", {"m": "ctx.n"}, "go", "halt", {"n": "total"}, shots=5)
        ),
        StateDef("done", is_final=True),
    ],
    [
        Transition("idle", "go", "both", "!few", "greet"),
        Transition("idle", "halt", "deep"),
        Transition("x", "go", "y"),
        Transition("inner", "go", "calls"),
        Transition("calls", "go", "done"),
    ],
    {"few": GuardCompare("lt", VariableRef(["ctx", "n"]), ValueRef("number", 3))},
    [ActionSignature("greet", ["ctx", "event"], "Context", True, "Mail"), ActionSignature("part", ["ctx"], "Context")],
    [EffectDef("Mail", "{ to: string }", "{ id: string }")],
    [ReturnDef("n", "int")],
    "1.2.0",
)


def guarded(expression):
    return (
        "# machine M\n## context\n| Field | Type |\n|---|---|\n| n | int |\n| b | bool |\n"
        "## state a [initial]\n## state c\n## transitions\n| Source | Event | Guard | Target |\n|---|---|---|---|\n"
        f"| a | go | g | c |\n## guards\n| Name | Expression |\n|---|---|\n| g | `{expression}` |\n| other | `ctx.b` |\n"
    )


N = VariableRef(["ctx", "n"])
SMALL = GuardCompare("lt", N, ValueRef("number", 3))


class TestRecords:
    def test_whole(self):
        """A machine shows everything that the published records can hold, in the words of the document."""
        assert parse_orca_md(WHOLE) == DESK

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("true", GuardTrue()),
            ("false", GuardFalse()),
            ("ctx.n < 3", SMALL),
            ("3 > ctx.n", SMALL),
            ("not ctx.n < 3", GuardNot(SMALL)),
            ("ctx.n < 3 and true and false", GuardAnd(GuardAnd(SMALL, GuardTrue()), GuardFalse())),
            ("true or ctx.n < 3", GuardOr(GuardTrue(), SMALL)),
            ("ctx.n == null", GuardNullcheck(N, is_null=True)),
            ("ctx.n is not null", GuardNullcheck(N, is_null=False)),
            ("n", GuardNullcheck(VariableRef(["n"]), is_null=False)),
            ("ctx.b", GuardCompare("eq", VariableRef(["ctx", "b"]), ValueRef("boolean", True))),
            ("other", GuardCompare("eq", VariableRef(["ctx", "b"]), ValueRef("boolean", True))),
            ("event.a >= ctx.n", GuardCompare("ge", VariableRef(["event", "a"]), N)),
            ('ctx.n != "x"', GuardCompare("ne", N, ValueRef("string", "x"))),
            ("1 < 2", GuardTrue()),
            ('"a" == "b"', GuardFalse()),
        ],
    )
    def test_guards(self, expression, expected):
        """Guards are shown as the published expressions, with the same truth."""
        assert parse_orca_md(guarded(expression)).guards["g"] == expected

    def test_first(self):
        """Of several actions and timeouts the record shows the first."""
        text = (
            "# machine M\n## state a [initial]\n- on_entry: f, g\n- timeout: 1s -> b\n- timeout: 2s -> b\n## state b\n"
        )
        state = parse_orca_md(text).states[0]

        assert (state.on_entry, state.timeout) == ("f", {"duration": "1s", "target": "b"})

    def test_ignore_all(self):
        """What ignores everything says so by an asterisk."""
        assert parse_orca_md("# machine M\n## state a [initial]\n- ignore: x, *\n").states[0].ignored_events == [
            "x",
            "*",
        ]

    def test_own_values(self):
        """Start values are copies: changing them does not reach the next machine of the same text."""
        parse_orca_md(WHOLE).context["tags"].append("b")

        assert parse_orca_md(WHOLE).context["tags"] == ["a"]


TWO = "# machine A\n## state a [initial]\n---\n# machine B\n## state b [initial]\n"
BRACE = "machine Lamp\nstate off [initial]\nstate on\ntransitions { off + toggle -> on }\n"


class TestDocuments:
    def test_first_machine(self):
        """A file of several machines gives its first one, and knows the others."""
        machine = parse_orca_md(TWO)

        assert machine.name == "A"
        assert [one.name for one in machine.machines] == ["A", "B"]
        assert [one.name for one in parse_orca_md_multi(TWO)] == ["A", "B"]

    @pytest.mark.parametrize("parse", [parse_orca, parse_orca_auto])
    def test_either_syntax(self, parse):
        """Markdown and brace text are told apart, by the name of the file or by what stands in it."""
        assert parse(TWO).name == "A"
        assert parse(BRACE).name == "Lamp"
        assert parse(BRACE, "lamp.orca").name == "Lamp"
        with pytest.raises(ParseError):
            parse(BRACE, "lamp.orca.md")

    def test_markdown_only(self):
        """What reads Markdown does not read brace text."""
        with pytest.raises(ParseError, match="NO_DEFINITION"):
            parse_orca_md(BRACE)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("# machine M\n", "the machine has no state"),
            ("# machine M\n## state a\n## state b\n", "no [initial] state"),
            ("", "NO_DEFINITION"),
            (
                (
                    "# machine M\n## state a [initial]\n## transitions\n| Source | Event | Guard | Target |\n"
                    "|---|---|---|---|\n| a | go | nosuch | a |\n| a | go | | nowhere |\n"
                ),
                "nosuch",
            ),
        ],
    )
    def test_errors(self, text, told):
        """What cannot be read, or started, is an error with its place, all of them at once."""
        with pytest.raises(ParseError) as raised:
            parse_orca_md(text)

        assert told in str(raised.value)
        assert isinstance(raised.value, DocumentError)
        assert "nowhere" in str(raised.value) or "nosuch" not in text


class TestByHand:
    @pytest.mark.parametrize("machine", [DESK, parse_orca_md(WHOLE)], ids=["built", "read"])
    def test_text(self, machine):
        """A record written as a document reads as the same record, start values aside."""
        again = parse_orca_md(text_of(machine))

        assert again == replace(machine, context=dict.fromkeys(machine.context))

    def test_unchanged(self):
        """An unchanged record stands for the very definition it was read from."""
        first, second = parse_orca_md(WHOLE), parse_orca_md(WHOLE)

        assert definition_of(first)[0] is first._origin.definition
        assert definition_of(deepcopy(second))[0] is second._origin.definition

    def test_changed(self):
        """A change to a record is heard."""
        machine = parse_orca_md(WHOLE)
        machine.transitions.append(Transition("done", "go", "done"))

        assert len(definition_of(machine)[0].transitions) == 6

    @pytest.mark.parametrize(
        "guard",
        [
            GuardTrue(),
            GuardFalse(),
            GuardOr(GuardAnd(SMALL, GuardNot(SMALL)), GuardNullcheck(N, is_null=True)),
            GuardNullcheck(N, is_null=False),
            GuardCompare("ne", N, ValueRef("string", 'a "b" | c')),
            GuardCompare("eq", N, ValueRef("null", None)),
        ],
        ids=repr,
    )
    def test_guards(self, guard):
        """Guards built by hand read back as what they are."""
        machine = MachineDef("M", {"n": 1}, ["go"], [StateDef("a", is_initial=True)], [], {"g": guard})
        expected = GuardNullcheck(N, is_null=True) if guard == GuardCompare("eq", N, ValueRef("null", None)) else guard

        assert parse_orca_md(text_of(machine)).guards["g"] == expected

    def test_mistakes(self):
        """A record with mistakes is refused with all of them, shown in its text."""
        machine = MachineDef(
            "M", {}, ["go"], [StateDef("a", is_initial=True)], [Transition("b", "go", "a"), Transition("a", "go", "c")]
        )

        with pytest.raises(ParseError) as raised:
            definition_of(machine)
        assert "built by hand" in str(raised.value)
        assert "'b'" in str(raised.value)
        assert "'c'" in str(raised.value)


CORPUS = Path(os.environ["CORPUS_DIR"]) / "orca" if "CORPUS_DIR" in os.environ else None


@pytest.mark.conformance
@pytest.mark.skipif(CORPUS is None, reason="CORPUS_DIR names no folder with documents")
class TestCorpus:
    def test_rewritten(self):
        """Records of real documents, written by hand as it were, read as the same records."""
        for path in sorted((CORPUS / "corpus" / "core").glob("*.md")):
            text = path.read_text()
            if "# machine" not in text:
                continue
            for machine in parse_orca_md_multi(text):
                again = parse_orca_md(text_of(machine))
                assert again == replace(machine, context=dict.fromkeys(machine.context)), path.name

    def test_probes(self):
        """Where no portability warning speaks of the published reader, the records say what it reads."""
        compared = 0
        for line in (CORPUS / "probes.jsonl").read_text().splitlines():
            probe = json.loads(line)
            findings = read(probe["source"], "probe.md").diagnostics
            theirs = probe["orca_runtime_python"]
            if any(one.severity == "error" or "orca-runtime-python" in one.differs for one in findings):
                continue
            if isinstance(theirs, dict):
                with pytest.raises(ParseError):
                    parse_orca_md(probe["source"])
                continue
            assert short(parse_orca_md(probe["source"])) == theirs[0], probe["name"]
            compared += 1
        assert compared > 20


def short(machine):
    """The form in which the probes show what a reader reads."""
    return {
        "name": machine.name,
        "ctx": machine.context,
        "ev": machine.events,
        "st": [short_state(state) for state in machine.states],
        "tr": [
            f"{row.source}+{row.event}{f'[{row.guard}]' if row.guard else ''}->{row.target}"
            + (f":{row.action}" if row.action else "")
            for row in machine.transitions
        ],
        "g": {name: short_guard(guard) for name, guard in machine.guards.items()},
        "act": [
            f"{one.name}({','.join(one.parameters)})->{one.return_type}"
            + (f"+{one.effect_type}" if one.effect_type else "")
            for one in machine.actions
        ],
        "eff": [effect.name for effect in machine.effects],
    }


def short_state(state):
    found = {"n": state.name + " I" * state.is_initial + " F" * state.is_final}
    found |= {"en": state.on_entry} if state.on_entry else {}
    found |= {"ex": state.on_exit} if state.on_exit else {}
    found |= {"od": state.on_done} if state.on_done else {}
    found |= {"c": [short_state(child) for child in state.contains]} if state.contains else {}
    if state.parallel:
        regions = {region.name: [short_state(one) for one in region.states] for region in state.parallel.regions}
        found["p"] = {"sync": state.parallel.sync, "r": regions}
    if state.invoke:
        keys = {"m": "machine", "in": "input", "od": "on_done", "oe": "on_error", "ret": "returns"}
        values = {key: getattr(state.invoke, name) for key, name in keys.items()}
        found["inv"] = {key: value for key, value in values.items() if value is not None}
    return found


def short_guard(guard):
    match guard:
        case GuardTrue() | GuardFalse():
            return str(isinstance(guard, GuardTrue)).lower()
        case GuardNot(expr):
            return f"not({short_guard(expr)})"
        case GuardAnd(left, right) | GuardOr(left, right):
            return f"({short_guard(left)} {'and' if isinstance(guard, GuardAnd) else 'or'} {short_guard(right)})"
        case GuardNullcheck(expr, is_null):
            return f"{'isnull' if is_null else 'notnull'}({'.'.join(expr.path)})"
        case GuardCompare(op, left, VariableRef(path)):
            return f"{'.'.join(left.path)} {op} VAR<{'.'.join(path)}>"
        case GuardCompare(op, left, right):
            return f"{'.'.join(left.path)} {op} {json.dumps(right.value)}"
