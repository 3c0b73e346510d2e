"""
The reader against documents as their authors wrote them.

They are not part of this repository: the environment variable ``CORPUS_DIR`` names the folder that holds them.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from orca_bridge.syntax import read
from orca_bridge.write import json_form

CORPUS = Path(os.environ.get("CORPUS_DIR", ""))
pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not os.environ.get("CORPUS_DIR"), reason="CORPUS_DIR names no folder with documents"),
]
OL, ORP = "orca-lang", "orca-runtime-python"


def lines_of(name):
    path = CORPUS / "orca" / name
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def documents():
    return sorted(path for path in (CORPUS / "orca" / "corpus").glob("*/*.orca*") if CORPUS.name)


def is_warned(found, tool):
    return any(tool in diagnostic.differs for diagnostic in found.diagnostics)


def plain(found):
    """Leave out what orca-lang has no keys for."""
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items() if not key.startswith("x_")}
    return [plain(value) for value in found] if isinstance(found, list) else found


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_a_document_is_read(path):
    """Every document is read without an error, in either syntax."""
    found = read(path.read_bytes(), path.name)

    assert found.errors == ()
    assert found.document is not None


@pytest.mark.parametrize("entry", lines_of("golden.jsonl"), ids=lambda entry: entry["file"])
def test_agrees_with_the_reference(entry):
    """Where no warning says that orca-lang reads otherwise, it reads the same."""
    path = CORPUS / "orca" / "corpus" / entry["file"]
    found = read(path.read_bytes(), path.name)

    if not is_warned(found, OL):
        assert plain(json_form(found.document)) == entry["ast"]


def test_most_documents_are_portable():
    """The comparison with the reference is worth something: the warnings leave most of the documents."""
    paths = [path for path in documents() if path.suffix == ".md"]
    found = [read(path.read_bytes(), path.name) for path in paths]

    assert sum(not is_warned(reading, OL) for reading in found) >= len(found) // 2


SAME = {
    "parallel-order@1a063504.orca": "orca-lang__examples__parallel-order.orca.md",
    "payment-processor@f1001d6a.orca": "orca-lang__examples__payment-processor.orca.md",
    "simple-toggle@5c33b812.orca": "orca-lang__examples__simple-toggle.orca.md",
}


def without_signatures(machine):
    """The two versions of a document do not name the types of parameters alike."""
    return replace(machine, actions=tuple(replace(action, parameters=()) for action in machine.actions))


@pytest.mark.parametrize("name", SAME)
def test_both_syntaxes_say_the_same(name):
    """A document that exists in both syntaxes has one definition."""
    folder = CORPUS / "orca" / "corpus"
    brace = read((folder / "legacy-dsl" / name).read_bytes(), name)
    markdown = read((folder / "core" / SAME[name]).read_bytes(), SAME[name])

    machines = [without_signatures(found.document.machines[0]) for found in (brace, markdown)]
    assert machines[0] == machines[1]


# The probes come with what both tools read, in a short form.


def expression(found):
    kind = found["kind"]
    if kind in {"true", "false"}:
        return kind
    if kind == "not":
        return f"not({expression(found['expr'])})"
    if kind in {"and", "or"}:
        return f"({expression(found['left'])} {kind} {expression(found['right'])})"
    if kind == "nullcheck":
        return f"{'isnull' if found['isNull'] else 'notnull'}({'.'.join(found['expr']['path'])})"
    left, right = ".".join(found["left"]["path"]), found["right"]
    shown = f"VAR<{'.'.join(right['path'])}>" if right["kind"] == "variable" else json.dumps(right["value"])
    return f"{left} {found['op']} {shown}"


def state(found):
    marks = (" I" if found["isInitial"] else "") + (" F" if found["isFinal"] else "")
    short = {"n": found["name"] + marks}
    short |= {
        key: found[name] for key, name in (("en", "onEntry"), ("ex", "onExit"), ("od", "onDone")) if name in found
    }
    if "contains" in found:
        short["c"] = [state(child) for child in found["contains"]]
    if "parallel" in found:
        regions = {
            region["name"]: [state(inner) for inner in region["states"]] for region in found["parallel"]["regions"]
        }
        short["p"] = {"sync": found["parallel"].get("sync"), "r": regions}
    if "invoke" in found:
        names = {"m": "machine", "in": "input", "od": "onDone", "oe": "onError"}
        short["inv"] = {key: found["invoke"][name] for key, name in names.items() if name in found["invoke"]}
    return short


def row(found):
    guard = found.get("guard")
    shown = f"[{'!' if guard['negated'] else ''}{guard['name']}]" if guard else ""
    action = f":{found['action']}" if "action" in found else ""
    return f"{found['source']}+{found['event']}{shown}->{found['target']}{action}"


def action(found):
    effect = f"+{found['effectType']}" if "effectType" in found else ""
    return f"{found['name']}({','.join(found['parameters'])})->{found['returnType']}{effect}"


def short_form(machine):
    return {
        "name": machine["name"],
        "ctx": [field["name"] for field in machine["context"]],
        "ev": [event["name"] for event in machine["events"]],
        "st": [state(found) for found in machine["states"]],
        "tr": [row(found) for found in machine["transitions"]],
        "g": {guard["name"]: expression(guard["expression"]) for guard in machine["guards"]},
        "act": [action(found) for found in machine["actions"]],
        "eff": [effect["name"] for effect in machine.get("effects", [])],
    }


WRONG = {
    "g_ltnull",
    "g_triple_eq",
    "g_twodots",
    "g_method",
    "g_unclosed",
    "s_other_h1_after",
    "s_plural_cols",
    "s_fence_unclosed",
    "st_dot",
    "st_timeout_noarrow",
    "st_dup_name",
    "st_unknown_target",
    "p_empty",
    "a_sigs",
    "prop_within_missing",
}
"""What the language refuses."""

KNOWN = {
    ("g_eqnull", ORP): "a comparison with null is a null test of its own there, with the same meaning",
    ("st_no_initial", ORP): "that no state is initial is for the verifier to say",
    ("i_returns_bullet", ORP): "the short form has room for returns, the JSON form has not",
}


@pytest.mark.parametrize("probe", lines_of("probes.jsonl"), ids=lambda probe: probe["name"])
def test_a_probe_is_read(probe):
    """The small documents written to tell readers apart are read, or refused where the language says so."""
    found = read(probe["source"], f"{probe['name']}.orca.md")

    assert bool(found.errors) == (probe["name"] in WRONG), "\n".join(map(str, found.errors))


@pytest.mark.parametrize("tool", [OL, ORP])
@pytest.mark.parametrize("probe", lines_of("probes.jsonl"), ids=lambda probe: probe["name"])
def test_no_other_reading_is_silent(probe, tool):
    """Where no warning says that a tool reads a small document otherwise, it reads the same."""
    found = read(probe["source"], f"{probe['name']}.orca.md")

    if not found.errors and not is_warned(found, tool) and (probe["name"], tool) not in KNOWN:
        theirs = [dict(machine, ctx=list(machine["ctx"])) for machine in probe[tool.replace("-", "_")]]
        assert [short_form(machine) for machine in json_form(found.document)["machines"]] == theirs
