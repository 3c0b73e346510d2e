"""JSON and SCXML that were written are read as the document that they came from."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli import WHOLE
from test_read_brace import BRACE
from test_read_corpus import lines_of, plain
from test_read_tables import TEXT as TABLES
from test_write_markdown import UNTIDY
from written import AWKWARD, EVERYTHING, NESTED, TRAFFIC, corpus_documents, document_of

from orca_bridge.cli import main
from orca_bridge.exceptions import DocumentError, OrcaError, WritingError
from orca_bridge.syntax import parse_document, read
from orca_bridge.write import JsonError, json_form, read_json, read_scxml, scxml, to_markdown

RICH = """\
# machine Rich

> Of two lines,
> this is the second.

- version: 3.1
- owner: me

## context
| Field | Type | Default | Unit |
|---|---|---|---|
| a | list<int> | [1] | m |
| b | map<string,int> | | |
| c | enum(x, y)? | x | |
| d | string | "5" | |

## events
- go(by: string, n): with care
- stop

## state one [initial] "title"
> a note
- on_entry: log, count
- timeout: 1m30s -> two : log
- timeout: 5s -> go
- ignore: stop, *
- on_error: -> two
- strange: bullet
- on go [ctx.a.length > 0] -> two : log

## state two [parallel, sync: custom]
- on_done: one
### region r "of r"
> noted
- on_exit: log
- ignore: go
#### state x [initial]
- invoke: Child input: { n: 5, s: "t", p: ctx.d } shots: 3 returns: { d: key }
- on_done: -> y
- on_error: failed
#### state y [final]
### region s
#### state x [initial]

## transitions
| Source | Event | Guard | Target | Action | Why |
|---|---|---|---|---|---|
| one | | ready | two | log | since |
| two.r.x | failed | !ready | | log, count | |
| * | stop | not ready and ctx.d is null | one | | |
| one | stop | else | one | | |

## guards
| Name | Expression | Why |
|---|---|---|
| ready | `ctx.d != null && 1 < ctx.n <= 5 \\|\\| event.by == 'me'` | so |

## actions
| Name | Signature | Effect | Updates |
|---|---|---|---|
| log | `(ctx, event: Go) -> Context + Effect<A> + Effect<B>` | | d := event.by |
| count | | C, D | none |
| tell | `(ctx) -> Context` | some prose | |

## effects
| Name | Input | Output | Type | Description |
|---|---|---|---|---|
| A | `{ to: string }` | { ok: bool } | mail | sent |

## returns
| Name | Type | Statistics |
|---|---|---|
| d | string | variance |

## properties
- live
- reachable: two
- unreachable: two from one
- passes_through: one for one -> two
- always responds: two from one within 3
- invariant: `ctx.n >= 0` in one
"""
OWN = {
    "whole.md": WHOLE,
    "door.orca": BRACE,
    "tables.md": TABLES,
    "untidy.md": UNTIDY,
    "nested.md": NESTED,
    "awkward.md": AWKWARD,
    "traffic.md": TRAFFIC,
    "everything.md": EVERYTHING,
    "rich.md": RICH,
}
PROBES = {
    entry["name"]: entry["source"] for entry in lines_of("probes.jsonl") if not read(entry["source"], "m.md").errors
}
OLDER = {
    "machines": [
        {
            "name": "Lamp",
            "context": [
                {"name": "lux", "type": {"kind": "optional", "innerType": "int"}, "defaultValue": "3"},
                {"name": "tags", "type": {"kind": "array", "elementType": "string"}},
                {"name": "by", "type": {"kind": "map", "keyType": "string", "valueType": "int"}},
                {"name": "kind", "type": {"kind": "custom", "name": "Lens"}},
            ],
            "events": [{"name": "flip"}],
            "states": [
                {"name": "off", "isInitial": True, "isFinal": False, "timeout": {"duration": "5s", "target": "on"}},
                {"name": "on", "isInitial": False, "isFinal": False, "onEntry": "log", "ignoredEvents": ["flip"]},
            ],
            "transitions": [
                {"source": "off", "event": "flip", "guard": {"name": "dark", "negated": True}, "target": "on"},
                {"source": "on", "event": "flip", "target": "off", "action": "log"},
            ],
            "guards": [
                {
                    "name": "dark",
                    "expression": {
                        "kind": "or",
                        "left": {
                            "kind": "not",
                            "expr": {
                                "kind": "nullcheck",
                                "expr": {"kind": "variable", "path": ["ctx", "lux"]},
                                "isNull": True,
                            },
                        },
                        "right": {
                            "kind": "compare",
                            "op": "le",
                            "left": {"kind": "variable", "path": ["ctx", "lux"]},
                            "right": {"kind": "value", "type": "number", "value": 2},
                        },
                    },
                }
            ],
            "actions": [
                {"name": "log", "parameters": ["ctx"], "returnType": "Context", "hasEffect": True, "effectType": "Log"}
            ],
            "properties": [
                {"kind": "reachable", "from": "off", "to": "on"},
                {"kind": "live"},
                {"kind": "responds", "from": "off", "to": "on", "within": 2},
                {"kind": "passes_through", "from": "off", "to": "on", "through": "off"},
                {"kind": "invariant", "expression": {"kind": "true"}, "inState": "on"},
            ],
        }
    ]
}


ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(
        ["a", "a [final]", "x|y", "a, b", "`", "# state b", "->", "\n", "\ud800", '"', "-", "*", "!", "a.b"]
    )
    | st.lists(st.text(max_size=3), max_size=2)
    | st.dictionaries(st.sampled_from(["name", "kind", "path", "value"]), st.text(max_size=3), max_size=2)
)
"""What may stand in a place, and what should not."""


def agrees(name, text):
    document = document_of(text, name)
    assert read_json(json.dumps(json_form(document)), name) == document
    for machine in document.machines:
        for datamodel in ("ecmascript", "python"):
            found = scxml(machine, datamodel=datamodel, others=document.machines)
            assert read_scxml(found.text).machines == (machine,)


class TestBack:
    @pytest.mark.parametrize("name", OWN)
    def test_our_documents(self, name):
        """A document that was written as JSON or SCXML is read as it was, with all that orca-lang knows nothing of."""
        agrees(name, OWN[name])

    def test_what_means_nothing(self):
        """Bullets and columns that mean nothing come back too."""
        document = document_of(RICH)

        assert to_markdown(read_json(json.dumps(json_form(document)))) == to_markdown(document)

    @pytest.mark.conformance
    @pytest.mark.parametrize("name", PROBES)
    def test_probes(self, name):
        """So are documents with any of the forms that are seen in the wild."""
        agrees("m.md", PROBES[name])

    @pytest.mark.parametrize(("name", "document"), corpus_documents())
    def test_documents_of_others(self, name, document):
        """So are the documents of others."""
        assert read_json(json.dumps(json_form(document)), name) == document

    @pytest.mark.conformance
    @pytest.mark.parametrize("entry", lines_of("golden.jsonl"), ids=lambda entry: entry["file"])
    def test_what_orca_lang_prints(self, entry):
        """What orca-lang prints is read, and printed again it is the same, if it holds a whole machine."""
        if "health-check" in entry["file"]:
            pytest.skip("orca-lang finds no states in it")
        again = plain(json_form(read_json(json.dumps(entry["ast"]), entry["file"])))
        prose = {"effectType": "+1 to count", "hasEffect": True}

        assert again == entry["ast"] or prose.items() <= entry["ast"]["machines"][0]["actions"][0].items()

    def test_what_orca_lang_might_print(self):
        """Without any key of ours a document is read as well."""
        found = read_json(json.dumps(OLDER))

        (machine,) = plain(json_form(found))["machines"]
        assert machine == {**OLDER["machines"][0], "guards": machine["guards"], "properties": machine["properties"]}
        assert found.machines[0].guards[0].text == "(not (ctx.lux == null)) or (ctx.lux <= 2)"
        assert [claim.text for claim in found.machines[0].properties] == [
            "reachable: on from off",
            "live",
            "responds: on from off within 2",
            "passes_through: off for off -> on",
            "invariant: `true` in on",
        ]


class TestJsonMistakes:
    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("{", "it is no JSON: "),
            ("[" * 100_000, "it nests too deep"),
            ("[]", "an object is needed"),
            ("{}", "it defines neither a machine nor a decision table"),
            ('{"machines": {}}', "machines: a list is needed"),
            ('{"machines": ["x"]}', "machines[0]: an object is needed"),
            ('{"machines": [{"states": []}]}', "machines[0].name: a text is needed"),
            ('{"machines": [{"name": "a\\nb"}]}', "machines[0].name: the text has more than one line"),
            (
                '{"machines": [{"name": "M", "states": [{"name": "a [final]"}]}]}',
                "machines[0].states[0].name: 'a [final]' is",
            ),
            ('{"machines": [{"name": ""}]}', "machines[0].name: the name is empty"),
            (
                '{"machines": [{"name": "M", "states": [{"name": "a", "isFinal": 1}]}]}',
                "isFinal: true or false is needed",
            ),
            ('{"machines": [{"name": "M", "states": [{"name": "a", "ignoredEvents": [1]}]}]}', "a list of texts is"),
            (
                '{"machines": [{"name": "M", "states": [{"name": "a", "invoke": {"machine": "C", "x_shots": true}}]}]}',
                "whole",
            ),
            (
                '{"machines": [{"name": "M", "guards": [{"name": "g", "expression": {"kind": "xor"}}]}]}',
                "'xor' is none of",
            ),
            (
                '{"machines": [{"name": "M", "context": [{"name": "f", "type": {"kind": "array"}}]}]}',
                "context[0].type: the type",
            ),
            (
                '{"decisionTables": [{"name": "T", "conditions": [{"name": "n", "type": "int_range", "range": {"min": "x"}}]}]}',
                "range.min: a number",
            ),
        ],
    )
    def test_places(self, text, part):
        """What is wrong is told with its place."""
        with pytest.raises(JsonError, match=re.escape(part)):
            read_json(text, "m.json")

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_anything(self, data):
        """Whatever stands in a place of a document, it is read, or what is wrong is told."""
        whole = json_form(document_of(*reversed(data.draw(st.sampled_from(sorted(OWN.items()))))))
        place = whole
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.integers(0, 3))):
                break
            place = place[key]
        place[key] = data.draw(ANYTHING)

        with suppress(JsonError, DocumentError, WritingError):
            read_json(json.dumps(whole), "m.json")

    def test_nested_too_deep(self):
        """Expressions and states that nest without end are told."""
        expression = '{"kind": "not", "expr": ' * 400 + '{"kind": "true"}' + "}" * 400
        guards = f'{{"machines": [{{"name": "M", "guards": [{{"name": "g", "expression": {expression}}}]}}]}}'
        with pytest.raises(OrcaError):
            read_json(guards)
        states = '{"name": "a", "contains": [' * 8 + "]}" * 8
        with pytest.raises(WritingError, match="nest 8 deep"):
            read_json(f'{{"machines": [{{"name": "M", "states": [{states}]}}]}}')

    def test_all_at_once(self):
        """All mistakes are told at once."""
        with pytest.raises(JsonError) as raised:
            read_json(json.dumps({"machines": [{"name": 5}] * 30}), "m.json")

        assert len(raised.value.problems) == 30
        assert "\n- and 10 more" in str(raised.value)

    def test_what_it_says(self):
        """What a document says wrong is shown in the Markdown that says the same."""
        states = [{"name": "a", "isInitial": True}]
        rows = [{"source": "a", "event": "go", "target": "b"}]
        with pytest.raises(DocumentError) as raised:
            read_json(json.dumps({"machines": [{"name": "M", "states": states, "transitions": rows}]}), "m.json")

        assert "m.json as Markdown" in str(raised.value)
        assert "UNKNOWN_STATE" in str(raised.value)


class TestSCXMLMistakes:
    def test_several(self):
        """Several documents one after the other are one document."""
        document = document_of(NESTED)
        texts = [scxml(machine, others=document.machines).text for machine in document.machines]

        assert read_scxml("".join(texts).encode()) == document

    def test_indented_otherwise(self):
        """How a document is indented makes no difference."""
        (machine, *_) = document_of(TRAFFIC).machines

        assert read_scxml(scxml(machine).text.replace("\n  ", "\n\t\t")).machines == (machine,)

    @pytest.mark.parametrize(
        ("change", "part"),
        [
            (lambda text: text.replace('target="yellow"', 'target="red"', 1), "it was changed after it was written"),
            (lambda text: re.sub("<orca:definition.*", "", text), "not written by 'orca-bridge export scxml'"),
            (lambda text: text[:100], "it is no XML"),
            (lambda text: text.replace("<scxml", "<!DOCTYPE x><scxml", 1), "declares a DOCTYPE"),
            (lambda _: "", "it is no XML"),
            (lambda _: b"\xff", "it is no UTF-8"),
        ],
    )
    def test_refusals(self, change, part):
        """What was not written by us, or was changed since, is refused."""
        with pytest.raises(JsonError, match=part):
            read_scxml(change(scxml(document_of(TRAFFIC).machines[0]).text))


class TestCommands:
    @pytest.fixture(autouse=True)
    def files(self, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        Path("rich.md").write_text(RICH, "utf-8")
        assert main(["parse", "rich.md"]) == 0
        Path("rich.orca.json").write_text(capsys.readouterr().out, "utf-8")
        assert main(["export", "scxml", "rich.md", "-o", "rich.scxml"]) == 0

    @pytest.mark.parametrize("file", ["rich.orca.json", "rich.scxml"])
    def test_parse(self, capsys, file):
        """`parse` reads both, by the name of the file or by `--from`."""
        expected = json.loads(Path("rich.orca.json").read_text("utf-8"))
        Path("other").write_bytes(Path(file).read_bytes())
        for arguments in ([file], ["other", "--from", "json" if "json" in file else "scxml"]):
            assert main(["parse", *arguments]) == 0
            found = json.loads(capsys.readouterr().out)
            # Places are those of the Markdown that it was written as.
            assert plain(found) == plain(expected)

    @pytest.mark.parametrize(("file", "new"), [("rich.orca.json", "rich.orca.md"), ("rich.scxml", "rich.orca.md")])
    def test_convert(self, file, new):
        """`convert` writes both as Markdown."""
        assert main(["convert", file]) == 0
        assert parse_document(Path(new).read_bytes(), new) == document_of(RICH)
        assert main(["convert", file]) == 2

    def test_refusals(self, capsys):
        """What cannot be read is told."""
        Path("wrong.json").write_text("{}")
        assert main(["parse", "wrong.json", "--json"]) == 1
        assert "neither a machine" in json.loads(capsys.readouterr().out)["errors"][0]
        assert main(["convert", "wrong.json"]) == 1
        assert main(["parse", "notes.txt"]) == 2
        assert "a document is called *.md, *.orca, *.json, *.scxml or *.xml" in capsys.readouterr().err
        assert main(["check", "rich.orca.json"]) == 2
        assert "a document is called *.md or *.orca\n" in capsys.readouterr().err
