"""`orca-bridge export` and its older spellings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from written import NESTED

from orca_bridge.cli import main


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file with two machines, in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nested.md").write_text(NESTED, encoding="utf-8")
    (tmp_path / "broken.md").write_text("# machine M\n## state a (initial)\n", encoding="utf-8")
    return tmp_path / "nested.md"


@pytest.mark.usefixtures("file")
class TestExport:
    def test_prints(self, capsys):
        """Every machine of the file is printed, one after the other."""
        assert main(["export", "mermaid", "nested.md"]) == 0

        assert capsys.readouterr().out.count("stateDiagram-v2\n") == 2

    def test_one_machine(self, capsys):
        """`--machine` picks one; options may stand anywhere."""
        assert main(["--machine", "Child", "export", "mermaid", "nested.md", "--direction", "TB"]) == 0

        out = capsys.readouterr().out
        assert out.startswith("stateDiagram-v2\n  direction TB\n")
        assert out.count("stateDiagram-v2\n") == 1

    def test_to_a_file(self, capsys, file):
        """`-o` writes the result, and nothing is printed."""
        assert main(["export", "mermaid", "nested.md", "-o", "out.mmd"]) == 0

        assert capsys.readouterr().out == ""
        assert (file.parent / "out.mmd").read_bytes().endswith(b"\n")
        assert main(["export", "mermaid", "nested.md", "-o", "none/out.mmd"]) == 2
        assert "none/out.mmd cannot be written" in capsys.readouterr().err

    @pytest.mark.parametrize("verb", [["compile", "mermaid"], ["/compile-orca", "mermaid"], ["visualize"]])
    def test_older_spellings(self, capsys, verb):
        """The spellings of other tools give the same."""
        main(["export", "mermaid", "nested.md"])
        expected = capsys.readouterr().out

        assert main([*verb, "nested.md"]) == 0
        assert capsys.readouterr().out == expected

    def test_warnings(self, capsys):
        """What a target cannot say exactly is told on standard error; the status stays 0."""
        text = NESTED.replace("input: { n: ctx.n }", "input: { n: ctx.n } shots: 3")

        Path("shots.md").write_text(text, encoding="utf-8")
        assert main(["export", "xstate", "shots.md"]) == 0
        out, err = capsys.readouterr()
        assert err == "orca-bridge: Nested: the shots of 'idle' are not passed on\n"
        assert "export const nestedMachine" in out
        assert main(["export", "xstate-json", "shots.md", "--machine", "Child"]) == 0
        assert json.loads(capsys.readouterr().out)["id"] == "Child"

    def test_options_of_a_target(self, capsys):
        """A target has options of its own."""
        assert main(["export", "scxml", "nested.md", "--machine", "Nested", "--datamodel", "python"]) == 0
        out = capsys.readouterr().out
        assert 'datamodel="python"' in out
        assert '<raise event="action.log"/>' in out
        assert 'name="Child"' in out
        assert main(["export", "scxml", "nested.md", "--actions", "bogus"]) == 2

    def test_as_json(self, capsys):
        """`compile --json` prints one JSON value, on errors too."""
        assert main(["compile", "mermaid", "nested.md", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["status"] == "success"
        assert found["target"] == "mermaid"
        assert found["warnings"] == []
        assert found["output"].startswith("stateDiagram-v2\n")

        assert main(["compile", "mermaid", "broken.md", "--json"]) == 1
        found = json.loads(capsys.readouterr().out)
        assert found["status"] == "error"
        assert "INVALID_ANNOTATION" in found["errors"][0]

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            (["bogus", "nested.md"], 2, "there is no target 'bogus'"),
            (["mermaid", "nope.md"], 2, "nope.md"),
            (["mermaid", "nested.md", "--machine", "Nope"], 2, "defines no machine 'Nope'; it defines: Nested, Child"),
            (["mermaid", "broken.md"], 1, "INVALID_ANNOTATION"),
        ],
    )
    def test_refusals(self, capsys, arguments, status, message):
        """Wrong usage is status 2, a document with errors 1; the reason is told."""
        assert main(["export", *arguments]) == status
        assert message in capsys.readouterr().err
