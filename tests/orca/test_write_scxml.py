"""Machines as SCXML, run by python-statemachine's own reader."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statemachine import StateChart
from statemachine.io import load
from test_convert_reference import EVENTS, machines
from written import (
    AWKWARD,
    CONVERTIBLE,
    EVERYTHING,
    NESTED,
    TRAFFIC,
    configurations,
    corpus_machines,
    document_of,
    events_of,
    machine_of,
)

from orca_bridge.exceptions import ConversionError
from orca_bridge.write import scxml

SPACE = "{http://www.w3.org/2005/07/scxml}"
OWN = {"traffic": TRAFFIC, "convertible": CONVERTIBLE, "nested": NESTED, "everything": EVERYTHING, "awkward": AWKWARD}


def tree_of(text, **options):
    document = document_of(text)
    found = scxml(document.machines[0], others=document.machines, **options)
    return ET.fromstring(found.text)  # noqa: S314 - our own


def find(tree, path):
    return next(one for one in tree.iter() if one.get("id") == path)


def transitions(state):
    return [dict(one.attrib) for one in state.findall(f"{SPACE}transition")]


class TestSCXML:
    def test_states(self):
        """Ids are full paths; regions are states of a parallel state; each level has its initial state."""
        tree = tree_of(NESTED)

        assert tree.attrib == {"version": "1.0", "name": "Nested", "datamodel": "ecmascript", "initial": "idle"}
        assert find(tree, "p").tag == f"{SPACE}parallel"
        assert find(tree, "p.left").attrib == {"id": "p.left", "initial": "p.left.x"}
        assert find(tree, "p.left.y").tag == f"{SPACE}final"
        assert find(tree, "c.inner").get("initial") == "c.inner.deep"

    def test_rows(self):
        """Rows are external transitions in order: `*` after the other events, `else` last of its event."""
        found = transitions(find(tree_of(TRAFFIC, datamodel="python"), "red"))

        assert [(one["event"], one.get("cond"), one.get("target")) for one in found] == [
            ("next", "(_event.data != None and _event.data.by == 'hand')", "yellow"),
            ("next", "not (not (ctx_speed != None and ctx_speed > 3))", "red"),
            ("next", None, "green.slow"),
            ("*", "(_event.type == 'external') and (not (ctx_speed != None and ctx_speed > 3))", None),
            ("reset", None, None),
            ("reset", "(_event.data != None and _event.data.by == 'clock')", "red"),
            ("stop", "(_event.data != None and _event.data.n != None and _event.data.n > 50)", "gone"),
        ]

    def test_timeouts(self):
        """A timeout is an event that is sent with a delay on entry, and cancelled on exit."""
        wait = find(tree_of(EVERYTHING), "wait")

        sends = [dict(one.attrib) for one in wait.findall(f"{SPACE}onentry/{SPACE}send")]
        assert sends[0] == {
            "event": "timeout.wait.timer-1",
            "id": "timeout.wait.timer-1",
            "delayexpr": "'5000ms'",
        }
        assert [one.get("sendid") for one in wait.iter(f"{SPACE}cancel")] == [one["id"] for one in sends]
        assert transitions(wait)[0]["target"] == "over"

    def test_done(self):
        """What follows a state that is done asks for the whole name, since names match by prefix."""
        assert transitions(find(tree_of(NESTED), "p"))[1:] == [
            {"event": "done.state.p", "cond": "_event.name === 'done.state.p'", "target": "closed", "type": "external"},
        ]
        done = transitions(find(tree_of(EVERYTHING), "any"))
        assert [one["event"] for one in done] == ["failed", "done.state.any.r", "done.state.any.s"]

    def test_invokes(self):
        """A machine of the same document stands inside; its context comes back as data."""
        document = document_of(EVERYTHING)
        found = scxml(document.machines[0], others=document.machines)
        invoke = find(ET.fromstring(found.text), "wait").find(f"{SPACE}invoke")  # noqa: S314 - our own

        assert [dict(one.attrib) for one in invoke.findall(f"{SPACE}param")] == [
            {"name": "n", "expr": "n"},
            {"name": "k", "expr": "4"},
        ]
        assert invoke.find(f"{SPACE}content/{SPACE}scxml").get("name") == "Child"
        assert '<assign location="n" expr="_event.data.n"/>' in found.text
        assert "the shots of 'foreign' are not passed on" in found.warnings

    def test_actions(self):
        """Actions are calls in scripts, or events that are raised."""
        assert "<script>log();</script>" in scxml(machine_of(TRAFFIC)).text
        assert "<script>log()</script>" in scxml(machine_of(TRAFFIC), datamodel="python", actions="script").text
        assert '<raise event="action.log"/>' in scxml(machine_of(TRAFFIC), datamodel="python").text

    def test_fields_that_are_not_declared(self):
        """A field that only a guard knows is there, and null."""
        rows = "## transitions\n| Source | Event | Guard | Target |\n|---|---|---|---|\n| a | e | not ctx.x > 1 | b |\n"
        machine = machine_of(f"# machine M\n## state a [initial]\n## state b\n{rows}")

        assert '<data id="ctx_x" expr="None"/>' in scxml(machine, datamodel="python").text
        assert run(machine, [{"type": "e"}]) == [["a"], ["b"]]

    def test_escaping(self):
        """Texts are escaped; a description is a comment."""
        text = '# machine M & N\n\n> a -- b <c> "d"\n\n## state a [initial]\n## transitions\n'
        text += '| Source | Event | Guard | Target |\n|---|---|---|---|\n| a | e | event.x == "<&\'" | a |\n'
        found = scxml(machine_of(text), datamodel="python").text

        assert '<!-- a - - b &lt;c&gt; "d" -->' in found.replace("&quot;", '"')
        assert ET.fromstring(found).find(f"{SPACE}state/{SPACE}transition").get("cond").endswith('== "<&\'")')  # noqa: S314

    def test_fields(self):
        """Fields of the context are told apart from the payload, and from what the library keeps for itself."""
        text = "# machine M\n## context\n| Field | Type | Default |\n|---|---|---|\n| state | int | 1 |\n| a-b | bool | true |\n"
        text += (
            "## state a [initial]\n## state b\n## transitions\n| Source | Event | Guard | Target |\n|---|---|---|---|\n"
        )
        text += "| a | e | ctx.state > 0 and ctx.a-b | b |\n"
        machine = load(scxml(machine_of(text), datamodel="python").text, format="scxml")()

        machine.send("e", state=-1)

        assert list(machine.configuration_values) == ["b"]


def run(machine, events, others=()):
    """The leaf states in python-statemachine's reader, at the start and after each event."""
    # Loaded for each run: the library sets up the data of a loaded class once.
    running = load(scxml(machine, datamodel="python", others=others).text, format="scxml")()
    leaves = [[str(state.value) for state in running.configuration if state.is_atomic]]
    for event in events:
        if not running.is_terminated:
            # An event may be called `send`, and is the method of that name then.
            StateChart.send(running, event["type"], **{name: value for name, value in event.items() if name != "type"})
        leaves.append([str(state.value) for state in running.configuration if state.is_atomic])
    return leaves


class TestReader:
    @pytest.mark.parametrize("text", OWN.values(), ids=OWN)
    def test_loads(self, text):
        """The reader loads what is written, without being told to trust it."""
        document = document_of(text)
        for machine in document.machines:
            found = scxml(machine, datamodel="python", others=document.machines)

            trusted = any("trusted=True" in warning for warning in found.warnings)
            assert load(found.text.replace('src="Elsewhere"', ""), format="scxml", trusted=trusted)

    @pytest.mark.parametrize("seed", range(20))
    @pytest.mark.parametrize("text", [CONVERTIBLE, AWKWARD], ids=["convertible", "awkward"])
    def test_runs_alike(self, text, seed):
        """After each of many random events, it is where the converted machine is."""
        machine = machine_of(text)
        events = events_of(machine, seed)

        assert run(machine, events) == configurations(machine, events)

    def test_regions(self):
        """Regions, and what follows when all of them are done."""
        text = NESTED.replace("- timeout: 5s -> jump\n", "").replace("- on_done: closed\n- on_error: c\n", "")
        text = text.replace("- invoke: Child input: { n: ctx.n }\n", "")

        assert run(machine_of(text), [{"type": "jump"}, {"type": "step"}]) == [
            ["idle"],
            ["p.left.y", "p.right.x"],
            ["closed"],
        ]

    def test_delays(self):
        """A timeout leaves the state when its time has come; that of a state that was left does nothing."""
        rows = "## transitions\n| Source | Event | Target |\n|---|---|---|\n| b | | c |\n"
        states = "## state a [initial]\n- timeout: 20ms -> b\n## state b\n- timeout: 40ms -> a\n## state c [final]\n"

        # The reader's engine waits for what is delayed before it returns.
        assert run(machine_of(f"# machine M\n{states}{rows}"), []) == [["c"]]

    def test_any_final(self):
        """A parallel state with `any-final` is done with its first region."""
        text = EVERYTHING.replace(
            "- invoke: Child input: { n: ctx.n, k: 4 } returns: { n: n }\n- on_done: done_now\n", ""
        )
        text = (
            text.replace("- on_error: failed\n", "")
            .replace("- invoke: Elsewhere input: { who: ctx.who } shots: 3\n- on_done: over\n", "")
            .replace("- timeout: 5s -> over : log\n- timeout: 1m30s -> go\n", "")
        )
        machine = machine_of(
            text.replace("ctx.tags.length > 0", "true").replace("| wait   | timeout ", "| any | unused ")
        )

        seen = run(machine, [{"type": "failed"}, {"type": "go"}, {"type": "pay", "amount": 1}])

        assert seen[1:] == [["wait"], ["any.r.x", "any.s.x"], ["custom.r.a", "custom.s.c"]]


@pytest.mark.conformance
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("name", "machine"), corpus_machines())
def test_documents_of_others(name, machine, seed):
    """The same for documents of others, where the converter can run them; all of them load."""
    events = events_of(machine, seed)
    if "<invoke" in (text := scxml(machine, datamodel="python").text):
        # python-statemachine's reader opens no file for a document: what is invoked would have to be one.
        assert 'src="' in text
        return
    try:
        expected = configurations(machine, events)
    except ConversionError:
        assert "<scxml" in scxml(machine, datamodel="python").text
    else:
        # The regions in any order: python-statemachine puts those that moved last.
        assert list(map(sorted, run(machine, events))) == list(map(sorted, expected))


@settings(max_examples=60, deadline=None)
@given(machines(), st.lists(st.tuples(st.sampled_from([*EVENTS, "other"]), st.integers(0, 4)), max_size=8))
def test_any_machine(found, events):
    """The same for any machine with nested states, rows that compete, `else` and `*`."""
    sent = [{"type": event, "n": number} for event, number in events]

    assert run(found, sent) == configurations(found, sent)
