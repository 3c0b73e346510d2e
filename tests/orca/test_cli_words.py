"""The words of the command line: verbs, options, and answers for programs; and what codes mean."""

from __future__ import annotations

import io
import json
import sys

import pytest
from test_load import BROKEN, PAYMENT

from orca_bridge.cli import main
from orca_bridge.cli._codes import explanations


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "payment.md").write_text(PAYMENT)
    (tmp_path / "broken.md").write_text(BROKEN)


class TestWords:
    def test_options_stand_anywhere(self, capsys):
        """Options may stand between files, and behind them."""
        assert main(["check", "payment.md", "--portability", "off", "payment.md", "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["files"]) == 2

    def test_unknown_verbs(self, capsys):
        """A verb that is misspelt is answered with the nearest one."""
        assert main(["chekc", "payment.md"]) == 2
        assert "there is no verb 'chekc'; is 'check' meant?; there are: check, show" in capsys.readouterr().err

    def test_no_verb(self, capsys):
        """Without a verb all of them are told."""
        assert main([]) == 2
        assert "explain" in capsys.readouterr().err

    def test_unknown_targets(self, capsys):
        """So is a target."""
        assert main(["export", "mermiad", "payment.md"]) == 2
        assert "there is no target 'mermiad'; is 'mermaid' meant?" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "arguments", [["/parse-machine", "--stdin"], ["parse", "--stdin"], ["compile", "mermaid", "--stdin"]]
    )
    def test_older_words(self, capsys, monkeypatch, arguments):
        """`--stdin` is the older word for the file `-`."""
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PAYMENT.encode())))

        assert main(arguments) == 0
        assert "idle" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "arguments",
        [
            ["nonsense", "--json"],
            ["verify", "payment.md", "--json"],
            ["check", "--json"],
            ["check", "--json", "--bogus", "payment.md"],
            ["check", "--json", "nobody.md"],
            ["check", "--json", "broken.md"],
            ["parse", "--json", "nobody.md"],
            ["parse", "--json", "payment.md", "--machine", "Nobody"],
            ["compile", "nonsense", "payment.md", "--json"],
            ["compile", "mermaid", "nobody.md", "--json"],
            ["table", "Nothing", "payment.md", "--json"],
            ["explain", "NONSENSE", "--json"],
        ],
    )
    def test_json_on_errors(self, capsys, arguments):
        """Who asks for JSON gets one JSON value, whatever went wrong."""
        assert main(arguments) in (1, 2)

        found = json.loads(capsys.readouterr().out)
        assert found["status"] == "error"
        assert all(isinstance(error, str) and error for error in found["errors"])
        assert found["errors"]

    @pytest.mark.parametrize("arguments", [["check", "-"], ["fmt", "-"], ["parse", "-"], ["run", "payment.md"]])
    def test_a_closed_input(self, capsys, monkeypatch, arguments):
        """Without a standard input nothing can be read from it, which is told."""
        monkeypatch.setattr(sys, "stdin", None)

        assert main(arguments) == 2
        assert "standard input is closed" in capsys.readouterr().err

    def test_a_closed_output(self, capsys, monkeypatch):
        """Without a standard output the result cannot be written, which is told."""
        monkeypatch.setattr(sys, "stdout", None)

        assert main(["check", "payment.md"]) == 2
        assert "the result cannot be written: " in capsys.readouterr().err


class TestExplain:
    def test_a_code(self, capsys):
        """A code is explained with an example and what to write instead."""
        assert main(["explain", "unknown-state"]) == 0
        out = capsys.readouterr().out
        assert out.startswith("UNKNOWN_STATE (error, reference)\n\nNo state has this name.")
        assert "    | a | go | bb |\n\nInstead:\n" in out
        assert max(map(len, out.splitlines())) <= 80

    def test_every_code(self, capsys):
        """Every code can be explained; what has no short example has none."""
        assert main(["explain", *explanations()]) == 0
        assert capsys.readouterr().out.count("Example:") == len(explanations()) - 3

    def test_as_json(self, capsys):
        """The same as data."""
        assert main(["explain", "NO_STATES", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["severity"] == "error"
        assert main(["explain", "NO_STATES", "PORT_BRACE", "--json"]) == 0
        assert [one["category"] for one in json.loads(capsys.readouterr().out)] == ["syntax", "portability"]

    @pytest.mark.parametrize(
        ("code", "hint"), [("UNKNOWN_STATES", "is UNKNOWN_STATE or"), ("zzz", "'orca-bridge codes' lists all of them")]
    )
    def test_unknown_codes(self, capsys, code, hint):
        """A code that is none is answered with the nearest ones."""
        assert main(["explain", code]) == 2
        assert hint in capsys.readouterr().err

    def test_all_codes(self, capsys):
        """`codes` lists every code with its severity."""
        assert main(["codes"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == len(explanations())
        assert lines[0].split() == ["AMBIGUOUS_NAME", "warning", "lint"]
        assert main(["codes", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert {"code": "PORT_BRACE", "severity": "warning", "category": "portability"} in found
