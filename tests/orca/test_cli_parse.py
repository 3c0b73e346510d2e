"""`orca-bridge parse` and `convert`, and what the program does when it fails itself."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest

from orca_bridge.cli import _sources, main
from orca_bridge.syntax import parse_document
from orca_bridge.write import json_form

BRACE = """\
machine Door
# two ways in
state shut [initial] {}
state open {}
transitions { shut + push -> open }
"""
MARKDOWN = """\
# machine Lamp
## state off [initial]

---

# machine Other
## state only [initial]
"""


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "door.orca").write_text(BRACE)
    (tmp_path / "lamp.md").write_text(MARKDOWN)
    (tmp_path / "wrong.md").write_text("# machine Wrong\n")
    return tmp_path


def pipe(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))


class TestParse:
    @pytest.mark.parametrize("spelling", ["parse", "/parse-machine"])
    def test_a_document(self, capsys, spelling):
        """A document is printed in the JSON form of orca-lang."""
        assert main([spelling, "lamp.md"]) == 0
        assert json.loads(capsys.readouterr().out) == json_form(parse_document(MARKDOWN))

    def test_several_documents(self, capsys):
        """Several documents are a list."""
        assert main(["parse", "lamp.md", "door.orca", "--json"]) == 0

        found = json.loads(capsys.readouterr().out)
        assert [[machine["name"] for machine in one["machines"]] for one in found] == [["Lamp", "Other"], ["Door"]]

    def test_one_machine(self, capsys):
        """--machine picks one; one that is not there is wrong usage."""
        assert main(["parse", "lamp.md", "--machine", "Other"]) == 0
        assert [machine["name"] for machine in json.loads(capsys.readouterr().out)["machines"]] == ["Other"]
        assert main(["parse", "lamp.md", "--machine", "Otter"]) == 2
        assert "no machine 'Otter'; is 'Other' meant?; it defines: Lamp, Other" in capsys.readouterr().err

    def test_errors(self, capsys):
        """Errors are printed as text, and with --json as one JSON value."""
        assert main(["parse", "wrong.md"]) == 1
        out, err = capsys.readouterr()
        assert (out, "NO_STATES" in err) == ("", True)

        assert main(["parse", "wrong.md", "nobody.md", "--json"]) == 2
        found = json.loads(capsys.readouterr().out)
        assert found["status"] == "error"
        assert "NO_STATES" in found["errors"][0]
        assert found["errors"][1] == "nobody.md: there is no such file"

    def test_the_syntax_of_standard_input(self, capsys, monkeypatch):
        """--from says which syntax a text has whose name does not."""
        text = "# only a comment of brace text\n" + BRACE
        pipe(monkeypatch, text)
        assert main(["parse", "-", "--from", "brace"]) == 0
        assert json.loads(capsys.readouterr().out)["machines"][0]["name"] == "Door"

        pipe(monkeypatch, text)
        assert main(["parse", "-", "--from", "markdown"]) == 1


class TestConvert:
    def test_a_new_file(self, files):
        """Brace text becomes a Markdown file beside it that says the same."""
        assert main(["convert", "door.orca"]) == 0

        written = (files / "door.orca.md").read_text()
        assert parse_document(written, "door.orca.md") == parse_document(BRACE, "door.orca")
        assert "<!-- two ways in -->" in written

    def test_files_that_exist(self, files, capsys):
        """A file that exists is left alone, unless --force says otherwise."""
        (files / "door.orca.md").write_text("mine")

        assert main(["convert", "door.orca"]) == 2
        assert capsys.readouterr().err == "orca-bridge: door.orca.md exists; --force writes over it\n"
        assert (files / "door.orca.md").read_text() == "mine"
        assert main(["convert", "door.orca", "--force"]) == 0
        assert (files / "door.orca.md").read_text().startswith("# machine Door")

    def test_another_file(self, files):
        """-o names the new file."""
        assert main(["convert", "door.orca", "-o", "new.md"]) == 0
        assert (files / "new.md").exists()
        assert not (files / "door.orca.md").exists()

    def test_standard_input(self, capsys, monkeypatch):
        """Standard input is converted to standard output."""
        pipe(monkeypatch, BRACE)

        assert main(["convert", "-", "--name", "door.orca"]) == 0
        assert capsys.readouterr().out.startswith("# machine Door\n")

    @pytest.mark.parametrize(
        ("arguments", "status", "part"),
        [
            (["lamp.md"], 2, "lamp.md is Markdown already; orca-bridge fmt"),
            (["nobody.orca"], 2, "there is no such file"),
            (["bad.orca"], 1, "NO_STATES"),
            (["door.orca", "other.orca", "-o", "x.md"], 2, "-o takes one document"),
            (["door.orca", "-o", "nowhere/x.md"], 2, "nowhere/x.md cannot be written"),
        ],
    )
    def test_refusals(self, files, capsys, arguments, status, part):
        """What cannot be converted is named, with the status that says whose mistake it is."""
        (files / "bad.orca").write_text("machine Bad\n")

        assert main(["convert", *arguments]) == status
        assert part in capsys.readouterr().err


class TestInternalErrors:
    def test_a_line(self, capsys, monkeypatch):
        """An error of the program itself is one line and status 3; --debug, wherever it stands, shows its traceback."""

        def read(*_):
            raise LookupError("lost")

        monkeypatch.setattr(_sources, "read", read)
        assert main(["parse", "lamp.md"]) == 3
        assert capsys.readouterr().err == "orca-bridge: internal error: LookupError: lost (--debug shows where)\n"
        assert main(["parse", "lamp.md", "--debug"]) == 3
        assert "Traceback" in capsys.readouterr().err
