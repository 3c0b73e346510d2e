"""Documents as modules for XState 5, compiled and run by XState itself where Node has it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_convert_reference import machines
from written import (
    AWKWARD,
    CONVERTIBLE,
    EVERYTHING,
    NESTED,
    TRAFFIC,
    configurations,
    corpus_documents,
    document_of,
    events_of,
    machine_of,
)

from orca_bridge.definition import Document
from orca_bridge.exceptions import ConversionError
from orca_bridge.write import xstate, xstate_json
from orca_bridge.write._xstate_config import machine_id

HERE = Path(__file__).parent
OWN = {"traffic": TRAFFIC, "nested": NESTED, "everything": EVERYTHING, "awkward": AWKWARD}


class TestModule:
    def test_children_first(self):
        """A machine that another one invokes stands before it."""
        text = xstate(document_of(NESTED).machines).text

        assert text.index("export const childMachine") < text.index("export const nestedMachine")
        assert '"Child": childMachine' in text

    def test_order_of_rows(self):
        """Rows keep their order, `else` comes last, and rows for `*` follow those of each event."""
        found = json.loads(xstate_json(machine_of(TRAFFIC)).text)

        assert found["states"]["red"]["on"]["next"] == [
            {"target": "#Traffic.yellow", "guard": 'event.by == "hand"'},
            {"target": "#Traffic.red", "reenter": True, "guard": "!calm"},
            {"target": "#Traffic.green.slow"},
            {"guard": "is ordinary and calm", "actions": "log"},
        ]

    def test_ignored_events(self):
        """What a state ignores is taken there without effect, after its own rows."""
        found = json.loads(xstate_json(machine_of(TRAFFIC)).text)

        assert found["states"]["yellow"]["on"]["next"] == [{"target": "#Traffic.red", "guard": "calm"}, {}]

    def test_timeouts(self):
        """Timeouts are delayed transitions, in milliseconds; one to an event raises it."""
        found = json.loads(xstate_json(machine_of(EVERYTHING)).text)

        assert found["states"]["wait"]["after"] == {
            "5000": {"target": "#Everything.over", "guard": "ready", "actions": "log"},
            "90000": {"actions": "raise:go"},
        }

    def test_effects(self):
        """An effect on entry is an invoked actor; on a row it is an action."""
        found = xstate_json(machine_of(EVERYTHING))
        wait = json.loads(found.text)["states"]["wait"]

        assert [invoked["src"] for invoked in wait["invoke"]] == ["Child", "effect:Mail"]
        assert wait["on"]["go"]["actions"] == ["mail", "effect:Mail"]

    def test_sync(self):
        """`any-final` leaves when one region is final; what only the host knows is a warning."""
        found = xstate_json(machine_of(EVERYTHING))

        always = json.loads(found.text)["states"]["any"]["always"]
        assert always == {"target": "#Everything.custom", "guard": "any final in any"}
        assert found.warnings == (
            "XState raises no event 'error.action.log'; the rows for it never run",
            "the shots of 'foreign' are not passed on",
            "'custom' is done when a function of the host says so; XState waits for all",
        )
        assert "// Everything: 'custom' is done" in xstate(document_of(EVERYTHING).machines).text

    def test_guards_on_guards(self):
        """What a guard refers to stands in its place."""
        text = xstate(document_of(TRAFFIC).machines).text

        assert '"calm": ({ context }) => !(compare(read(context, "speed"), ">", 3))' in text
        assert '"quiet": ({ context, event }) => !(compare(read(context, "speed"), ">", 3)) && !equal(' in text

    def test_types(self):
        """Context and payload are typed as declared."""
        text = xstate(document_of(EVERYTHING).machines).text

        assert '  mode: "fast" | "slow" | null;\n' in text
        assert "  tags: string[];\n" in text
        assert '  | { type: "pay"; amount: number }' in text

    def test_machines_without_names_of_events(self):
        """A machine that only has rows for `*` takes events of any type."""
        rows = "## transitions\n| Source | Event | Guard | Target |\n|---|---|---|---|\n| a | * | | a |\n"
        text = xstate(document_of(f"# machine M\n## state a [initial]\n{rows}").machines).text

        assert "export type MEvent =\n  | { type: string; [field: string]: unknown };\n" in text

    @pytest.mark.parametrize("text", OWN.values(), ids=OWN)
    def test_deterministic(self, text):
        """The same document gives the same module."""
        assert xstate(document_of(text).machines) == xstate(document_of(text).machines)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A folder in which Node finds XState and TypeScript."""
    if shutil.which("node") is None:
        pytest.skip("needs Node")
    script = "console.log(require.resolve('xstate')); require.resolve('typescript')"
    found = subprocess.run(["node", "-e", script], cwd=HERE, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("needs the packages xstate and typescript, in node_modules or on NODE_PATH")
    packages = found.stdout.partition("node_modules")[0] + "node_modules"
    folder = tmp_path_factory.mktemp("node")
    (folder / "node_modules").symlink_to(packages)
    shutil.copy(HERE / "xstate_run.cjs", folder / "run.cjs")
    return folder


OPTIONS = "--strict --noEmitOnError --target es2022 --module nodenext --moduleResolution nodenext --skipLibCheck"


def run(node, document, runs):
    """Compile a document in the compiler's strictest mode, and drive its machines."""
    (node / "module.ts").write_text(xstate(document.machines).text, encoding="utf-8")
    execute(node, ["node_modules/typescript/bin/tsc", *OPTIONS.split(), "--outDir", "out", "module.ts"], "")
    configurations = [xstate_json(machine).text for machine in document.machines]
    task = {"module": "./out/module.js", "json": configurations, "runs": runs}
    return json.loads(execute(node, ["run.cjs"], json.dumps(task)))


def execute(node, command, text):
    done = subprocess.run(["node", *command], cwd=node, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compare(node, document, seeds=range(5)):
    runs, expected = [], []
    for machine in document.machines:
        for seed in seeds:
            events = events_of(machine, seed)
            try:
                expected.append(configurations(machine, events, document.machines))
            except ConversionError:
                continue
            runs.append({"machine": machine_id(machine), "events": events})
    found = run(node, document, runs)

    assert [one["seen"] for one in found] == expected
    return runs


@pytest.mark.conformance
class TestXState:
    @pytest.mark.parametrize("text", OWN.values(), ids=OWN)
    def test_compiles(self, node, text):
        """The TypeScript compiler accepts a module, and XState every machine in it."""
        document = document_of(text)

        assert run(node, document, [{"machine": machine_id(machine), "events": []} for machine in document.machines])

    def test_starts(self, node):
        """Machines start with an empty input, also those that the converter refuses."""
        found = run(node, document_of(NESTED), [{"machine": "Nested", "events": [{"type": "jump"}, {"type": "step"}]}])

        assert found[0]["seen"] == [["idle"], ["p.left.y", "p.right.x"], ["closed"]]
        assert found[0]["output"] == {"final_state": "closed", "context": {"n": 0}}

    def test_runs_alike(self, node):
        """After each of many random events, the actor is where the converted machine is."""
        assert compare(node, document_of(CONVERTIBLE))

    def test_any_state(self, node):
        """A row of any state leaves all there is."""
        events = [{"type": "jump"}, {"type": "abort"}]
        found = run(node, document_of(NESTED), [{"machine": "Nested", "events": events}])

        assert found[0]["seen"][-1] == ["closed"]

    @pytest.mark.parametrize(("name", "document"), corpus_documents())
    def test_documents_of_others(self, node, name, document):
        """The same for documents of others."""
        if document.machines:
            compare(node, document)

    # Without shrinking, which would start Node and the compiler hundreds of times.
    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(st.data(), st.integers(0, 99))
    def test_any_machine(self, node, data, seed):
        """The same for any machine with nested states, rows that compete, `else` and `*`."""
        named = tuple(replace(data.draw(machines()), name=f"Random{number}") for number in range(20))

        compare(node, Document(named), range(seed, seed + 2))
