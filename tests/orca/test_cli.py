"""The command line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_load import BROKEN, PAYMENT, SMALL

from orca_bridge.cli import _files, main
from orca_bridge.syntax import read

WHOLE = """\
# machine Whole
## events
- go
## state off [initial]
- ignore: go
- invoke: Child input: { id: ctx.id } shots: 2 returns: { id: key }
- timeout: 5s -> on
- on_done: go
## state on [parallel, sync: any-final]
- on_done: -> off
### region r
- on_entry: log
#### state x [initial]
- on_error: go
### region s
#### state y [initial]
## effects
| Name | Input | Output |
|---|---|---|
| Mail | { to: string } | { ok: bool } |
## returns
| Name | Type |
|---|---|
| key | string |
## properties
- reachable: on from off

---

# decision_table Rates
## conditions
| Name | Type |
|---|---|
| gold | bool |
## actions
| Name | Type |
|---|---|
| rate | decimal |
## rules
| gold | → rate |
|---|---|
| true | 0.5 |
"""
SHOWN = """\
machine Whole 0.1.0
states
  off [initial]
      ignores: go
      after 5s -> on
      invokes Child with id: ctx.id
      takes back id = key
      done -> event go
  on [parallel, sync: any-final]
      done -> off
    region r
        on entry: log
      x [initial]
          failed -> event go
    region s
      y [initial]
events
  go
actions
  log
effects
  Mail { to: string } -> { ok: bool }
returns
  key: string
properties
  reachable: on from off

decision table Rates
conditions
  gold: bool
outputs
  rate: decimal
rules
  gold is true -> rate = 0.5
"""
LINT = SMALL.format(name="Lint").replace("## state b", "## nonsense\n\n## state b")
FULL = Path("/dev/full")
PORTABILITY = LINT.replace("Lint", "Port")


def _portable(content, name):
    reading = read(content, name)
    if name != "port.md":
        return reading
    found = tuple(replace(item, category="portability") for item in reading.diagnostics)
    return replace(reading, diagnostics=found)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {"payment": PAYMENT, "broken": BROKEN, "lint": LINT, "port": PORTABILITY}
    for name, text in texts.items():
        (tmp_path / f"{name}.md").write_text(text)
    return tmp_path


@pytest.mark.usefixtures("files")
class TestCheck:
    def test_a_sound_document(self, capsys):
        """A sound document is summed up per machine."""
        assert main(["check", "payment.md", "--portability", "off"]) == 0

        out, err = capsys.readouterr()
        assert out.splitlines() == [
            "payment.md: machine PaymentProcessor: 8 states, 6 events, 7 rows, 2 guards, 5 actions",
            "payment.md: 0 errors, 0 warnings",
        ]
        assert err == ""

    def test_a_broken_document(self, capsys):
        """Errors are printed with their places, and the status is 1."""
        assert main(["check", "broken.md", "payment.md"]) == 1

        out = capsys.readouterr().out
        assert "error MULTIPLE_INITIAL" in out
        assert "broken.md: 2 errors, 0 warnings" in out
        assert "payment.md: 0 errors" in out

    def test_a_missing_file(self, capsys):
        """A file that cannot be read is a message and status 2; the others are checked all the same."""
        assert main(["check", "nope.md", "broken.md", "payment.md"]) == 2

        out, err = capsys.readouterr()
        assert err == "orca-bridge: nope.md: there is no such file\n"
        assert "payment.md: 0 errors" in out

    @pytest.mark.parametrize(
        ("arguments", "status", "shown"),
        [
            (["lint.md"], 0, True),
            (["lint.md", "--strict"], 1, True),
            (["port.md"], 0, True),
            (["port.md", "--strict"], 1, True),
            (["port.md", "--portability", "error"], 1, True),
            (["lint.md", "--portability", "error"], 0, True),
            (["port.md", "--portability", "off"], 0, False),
            (["--strict", "port.md", "--portability=off"], 0, False),
        ],
    )
    def test_warnings(self, capsys, monkeypatch, arguments, status, shown):
        """Options say which warnings count and which are not shown."""
        # Whatever the reader warns about in `port.md` passes for a matter of portability here.
        monkeypatch.setattr(_files, "read", _portable)
        assert main(["check", *arguments]) == status

        assert ("warning" in capsys.readouterr().out.split(": 0 errors")[0]) is shown

    def test_options_may_stand_before_the_verb(self, capsys):
        """An option is an option wherever it stands."""
        assert main(["--strict", "check", "lint.md"]) == 1

    def test_json(self, capsys):
        """With --json standard output is one JSON value, on errors too."""
        assert main(["check", "--json", "broken.md", "nope.md"]) == 2

        report = json.loads(capsys.readouterr().out)
        assert report["status"] == "error"
        first, second = report["files"]
        assert {item["code"] for item in first["diagnostics"]} == {"MULTIPLE_INITIAL", "UNKNOWN_STATE"}
        assert second == {
            "file": "nope.md",
            "diagnostics": [],
            "problems": ["nope.md: there is no such file"],
            "machines": [],
        }
        assert main(["check", "--json", "payment.md"]) == 0
        assert json.loads(capsys.readouterr().out)["status"] == "ok"

    def test_what_cannot_be_converted(self, capsys, files):
        """A document that reads well and makes no machine is an error."""
        (files / "final.md").write_text(SMALL.format(name="M").replace("state a [initial]", "state a [initial, final]"))

        assert main(["check", "final.md"]) == 1

        assert "M: the row a go -> b (line 11) leaves a final state" in capsys.readouterr().out

    def test_summed_up(self, capsys, files):
        """What a document holds is summed up."""
        (files / "whole.md").write_text(WHOLE)

        assert main(["check", "whole.md", "--portability", "off"]) == 0

        out = capsys.readouterr().out
        assert "whole.md: machine Whole: 4 states" in out
        assert "whole.md: decision table Rates: 1 condition, 1 output, 1 rule" in out

    def test_a_table_alone(self, capsys, files):
        """A file of decision tables is sound without a machine."""
        (files / "rates.md").write_text(WHOLE[WHOLE.index("# decision_table") :])

        assert main(["check", "rates.md"]) == 0

        assert "0 errors" in capsys.readouterr().out

    def test_standard_input(self, capsys, monkeypatch):
        """`-` is standard input, under the name given."""
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(PAYMENT.encode())))

        assert main(["check", "-", "--name", "mine.md"]) == 0

        assert "mine.md: 0 errors" in capsys.readouterr().out


@pytest.mark.usefixtures("files")
class TestShow:
    def test_fits_a_terminal(self, capsys, files):
        """States, rows, events, guards and actions, in at most 80 columns."""
        long = PAYMENT.replace("> Takes", "> " + "Takes its time and " * 20 + "takes")
        deep = long.replace("| settled     | refund   |", "| *           | refund   |")
        (files / "long.md").write_text(deep)

        assert main(["show", "long.md"]) == 0

        out = capsys.readouterr().out
        assert max(map(len, out.splitlines())) <= 80
        for line in (
            "machine PaymentProcessor 0.1.0",
            "  amount: decimal = None",
            "  idle [initial]",
            "      Nothing to do yet.",
            "      submit [valid] -> processing.authorizing / remember",
            "    authorizing [initial]",
            "        on entry: call_bank",
            "  * (any state)",
            "  failed [final]",
            "  can_retry = ctx.retries < 2",
            "  send_receipt",
        ):
            assert line in out.splitlines(), line

    def test_everything_a_document_may_say(self, capsys, files):
        """Regions, timeouts, invokes, effects, properties and decision tables are shown too."""
        (files / "whole.md").write_text(WHOLE)

        assert main(["show", "whole.md"]) == 0

        assert capsys.readouterr().out == SHOWN

    def test_one_machine(self, capsys, files):
        """--machine picks one; a wrong name is status 2."""
        (files / "two.md").write_text(SMALL.format(name="One") + "\n---\n\n" + SMALL.format(name="Two"))

        assert main(["show", "two.md", "--machine", "Two"]) == 0
        assert "One" not in capsys.readouterr().out
        assert main(["show", "two.md", "--machine", "Tow"]) == 2
        assert "defines no machine 'Tow'; is 'Two' meant?; it defines: One, Two" in capsys.readouterr().err
        assert main(["show", "two.md"]) == 0
        assert capsys.readouterr().out.count("machine ") == 2

    def test_internal_and_eventless_rows(self, capsys, files):
        """A row that stays, and a row without event, are shown as such."""
        text = SMALL.format(name="M") + "| a | note | | | write |\n| b | | | a | |\n"
        (files / "rows.md").write_text(text)

        assert main(["show", "rows.md"]) == 0

        out = capsys.readouterr().out
        assert "note -> (stays) / write" in out
        assert "(at once) -> a" in out

    def test_errors(self, capsys):
        """What cannot be read is told, and nothing is shown."""
        assert main(["show", "broken.md"]) == 1
        out, err = capsys.readouterr()
        assert "error UNKNOWN_STATE" in err
        assert out == ""
        assert main(["show", "nope.md"]) == 2


class TestUsage:
    @pytest.mark.parametrize("verb", ["verify", "/verify-orca"])
    def test_what_is_to_come(self, capsys, verb):
        """A verb that is planned says that it is not there yet, and does not pass for success."""
        assert main([verb, "x.md"]) == 2
        assert capsys.readouterr().err.startswith("orca-bridge: verify is not there yet; 'orca-bridge check' tells")

    @pytest.mark.parametrize("arguments", [[], ["check"], ["check", "--bogus", "x.md"]])
    def test_wrong_usage(self, capsys, arguments):
        """Wrong usage is status 2, with a message."""
        assert main(arguments) == 2
        assert "usage: orca-bridge" in capsys.readouterr().err

    def test_help(self, capsys):
        """Help is status 0, for the command and for each verb."""
        assert main(["--help"]) == 0
        assert "explain" in capsys.readouterr().out
        assert main(["run", "--help"]) == 0
        assert "--persist DIR" in capsys.readouterr().out

    def test_as_a_module(self, files, monkeypatch):
        """`python -m orca_bridge` is the same command."""
        monkeypatch.setattr(sys, "argv", ["orca-bridge", "check", "payment.md"])
        assert main() == 0

        run = subprocess.run(
            [sys.executable, "-m", "orca_bridge", "check", "broken.md"],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        assert (run.returncode, run.stderr) == (1, "")
        assert "MULTIPLE_INITIAL" in run.stdout

    def run(self, *arguments, **options):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **options.pop("env", {})}
        command = [sys.executable, "-m", "orca_bridge", *arguments]
        return subprocess.run(command, stderr=subprocess.PIPE, env=environment, check=False, **options)

    def test_any_encoding_will_do(self, files):
        """A character that standard output cannot show is escaped."""
        (files / "wide.md").write_text("# machine Été\n## state a [initial]\n", "utf-8")

        run = self.run("show", "wide.md", env={"PYTHONIOENCODING": "ascii"}, stdout=subprocess.PIPE)

        assert (run.returncode, run.stderr) == (0, b"")
        assert b"machine \\xc9t\\xe9 0.1.0" in run.stdout

    @pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
    @pytest.mark.usefixtures("files")
    def test_a_full_disk_is_told(self):
        """When the result cannot be written the status is 2, with a message."""
        with FULL.open("w") as full:
            run = self.run("check", "payment.md", stdout=full)

        assert run.returncode == 2
        assert run.stderr.startswith(b"orca-bridge: the result cannot be written: ")

    def test_a_closed_pipe_ends_quietly(self, files):
        """When nobody reads any more the command stops without a word."""
        (files / "big.md").write_text(BROKEN)
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as closed:
            run = subprocess.run(
                [sys.executable, "-m", "orca_bridge", "check", "payment.md"],
                stdout=closed,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                check=False,
            )

        assert (run.returncode, run.stderr) == (0, b"")


def test_version(capsys):
    """`--version` says which release this is."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("orca-bridge ")


def test_interrupted(monkeypatch, capsys):
    """Ctrl-C ends the command with one word and the usual exit status."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("orca_bridge.cli._options", interrupt)

    assert main(["check", "a.orca.md"]) == 130
    assert "interrupted" in capsys.readouterr().err
