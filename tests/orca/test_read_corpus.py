"""
The reader against documents as their authors wrote them.

They are not part of this repository: the environment variable ``CORPUS_DIR`` names the folder that holds them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orca_bridge.definition import Else, GuardName, Not
from orca_bridge.syntax import read

CORPUS = Path(os.environ.get("CORPUS_DIR", ""))
pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not os.environ.get("CORPUS_DIR"), reason="CORPUS_DIR names no folder with documents"),
]


def lines_of(name):
    path = CORPUS / "orca" / name
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def documents():
    return sorted((CORPUS / "orca" / "corpus" / "core").glob("*.orca.md")) if CORPUS.name else []


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_a_document_is_read(path):
    """Every document gives machines or says what is not supported yet."""
    found = read(path.read_bytes(), path.name)

    assert {d.code for d in found.errors} <= {"NOT_SUPPORTED_YET"}
    assert found.document is not None or found.errors


@pytest.mark.parametrize("probe", lines_of("probes.jsonl"), ids=lambda probe: probe["name"])
def test_a_probe_is_read(probe):
    """The small documents written to tell readers apart are read or refused with a reason."""
    found = read(probe["source"], f"{probe['name']}.orca.md")

    assert found.document is not None or found.errors


def states(definitions):
    return [
        {
            "name": state.name,
            "initial": state.initial,
            "final": state.final,
            "entry": ", ".join(state.on_entry) or None,
            "exit": ", ".join(state.on_exit) or None,
            "children": states(state.children),
        }
        for state in definitions
    ]


def golden_states(entries):
    return [
        {
            "name": entry["name"],
            "initial": entry["isInitial"],
            "final": entry["isFinal"],
            "entry": entry.get("onEntry"),
            "exit": entry.get("onExit"),
            "children": golden_states(entry.get("contains", [])),
        }
        for entry in entries
    ]


def guard_of(transition):
    guard = transition.guard
    if isinstance(guard, Not) and isinstance(guard.operand, GuardName):
        return guard.operand.name, True
    return (None, None) if guard is None else ("else" if isinstance(guard, Else) else transition.guard_text, False)


def ours(machine):
    return {
        "name": machine.name,
        "context": [field.name for field in machine.context],
        "events": [event.name for event in machine.events if not event.inferred],
        "states": states(machine.states),
        "transitions": [
            (
                t.source.rpartition(".")[2],
                t.event or "",
                *guard_of(t),
                t.target.rpartition(".")[2],
                ", ".join(t.actions),
            )
            for t in machine.transitions
        ],
        "guards": [guard.name for guard in machine.guards],
        "actions": [(a.name, [p.name for p in a.parameters], a.returns) for a in machine.actions],
    }


def golden(machine):
    return {
        "name": machine["name"],
        "context": [field["name"] for field in machine["context"]],
        "events": [event["name"] for event in machine["events"]],
        "states": golden_states(machine["states"]),
        "transitions": [
            (
                t["source"],
                t["event"],
                t.get("guard", {}).get("name"),
                t.get("guard", {}).get("negated"),
                t["target"],
                t.get("action", ""),
            )
            for t in machine["transitions"]
        ],
        "guards": [guard["name"] for guard in machine["guards"]],
        "actions": [(a["name"], a["parameters"], a["returnType"]) for a in machine["actions"]],
    }


@pytest.mark.parametrize("entry", [e for e in lines_of("golden.jsonl") if "ast" in e], ids=lambda entry: entry["file"])
def test_agrees_with_the_reference(entry):
    """Machines without errors have the names and transitions that the reference tool reads."""
    path = CORPUS / "orca" / "corpus" / entry["file"]
    document = read(path.read_bytes(), path.name).document
    expected = {machine["name"]: golden(machine) for machine in entry["ast"]["machines"]}

    for machine in document.machines if document else ():
        assert ours(machine) == expected[machine.name]
