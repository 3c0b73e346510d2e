"""The command line: pictures, lists of links, and what happened."""

from __future__ import annotations

import io
import subprocess
import sys
from textwrap import dedent

import pytest
from pictured import Order, Plant, Shop

from statemachines_orchestrator import In, Orchestrator, machine, when
from statemachines_orchestrator.cli import main
from statemachines_orchestrator.draw import link_map, picture
from statemachines_orchestrator.observers import JsonLinesObserver
from statemachines_orchestrator.system import Moved, StepEnded, StepStarted

RECORDS = (
    StepStarted(1, 0.0, "order", "process"),
    Moved(1, "order", "process", ("pending",), ("processing",), None),
    StepEnded(1, 0.0, "order=processing", None, put_back=False),
)


def shown(capsys, *arguments):
    """What a command shows if it succeeds."""
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments):
    """What a command says if it cannot be carried out."""
    assert main(list(arguments)) == 2
    return capsys.readouterr().err


class TestDraw:
    def test_usual(self, capsys) -> None:
        """`draw` shows a Mermaid diagram."""
        assert shown(capsys, "draw", "pictured:Shop") == picture(Shop.__declaration__, "mermaid")

    @pytest.mark.parametrize("kind", ["mermaid", "dot", "md"])
    def test_format(self, capsys, kind: str) -> None:
        """It shows the other formats when they are asked for."""
        assert shown(capsys, "draw", "pictured:Plant", "--format", kind) == picture(Plant.__declaration__, kind)

    def test_output(self, capsys, tmp_path) -> None:
        """It writes into a file that is named, as UTF-8."""
        path = tmp_path / "shop.mmd"

        assert shown(capsys, "draw", "pictured:Shop", "-o", str(path)) == ""
        assert path.read_text(encoding="utf-8") == picture(Shop.__declaration__, "mermaid")

    def test_svg(self, capsys, tmp_path, monkeypatch) -> None:
        """SVG comes from Graphviz."""
        program = tmp_path / "dot"
        program.write_text(f"#!{sys.executable}\nprint('<svg/>')\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

        assert shown(capsys, "draw", "pictured:Shop", "-f", "svg") == "<svg/>\n"

    def test_svg_without_program(self, capsys, tmp_path, monkeypatch) -> None:
        """Without Graphviz the command says what to install."""
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))

        assert refused(capsys, "draw", "pictured:Shop", "-f", "svg").endswith(
            "Install it with: pip install 'statemachines-orchestrator[svg]'.\n"
        )

    def test_unknown_format(self, capsys) -> None:
        """An unknown format is refused with the known ones."""
        with pytest.raises(SystemExit):
            main(["draw", "pictured:Shop", "-f", "pdf"])

        assert "(choose from" in capsys.readouterr().err

    def test_unknown_class(self, capsys) -> None:
        """A class that is not there is refused."""
        assert refused(capsys, "draw", "pictured:Shopp") == (
            "statemachines-orchestrator: pictured has no orchestrator class 'Shopp'. Did you mean pictured:Shop?\n"
        )

    def test_unwritable(self, capsys, tmp_path) -> None:
        """So is a file that cannot be written."""
        path = tmp_path / "missing" / "shop.mmd"

        assert refused(capsys, "draw", "pictured:Shop", "-o", str(path)) == (
            f"statemachines-orchestrator: {path} cannot be written: No such file or directory\n"
        )

    def test_narrow_encoding(self, tmp_path) -> None:
        """A terminal that knows no arrows gets question marks, not an error."""
        run = subprocess.run(
            [sys.executable, "-m", "statemachines_orchestrator", "draw", "pictured:Shop"],
            env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": "tests/orchestrator"},
            capture_output=True,
            text=True,
            check=True,
        )

        assert "order_processing --> payment : charge ? authorize" in run.stdout


def wordy(orc):
    return None


wordy.__name__ = "w" * 100


class Wordy(Orchestrator):
    order: Order = machine(factory=Order)

    a_link_with_a_name_that_is_long = when(order.processing).given(In(order.processing)).send(order.ship)
    short = (
        when(order.shipped)
        .given(In(order.shipped) & ~In(order.cancelled))
        .after(86400)
        .given(In(order.shipped))
        .call(lambda orc: None)
    )
    unbreakable = when(order.pending).call(wordy)


class TestLinks:
    def test_shop(self, capsys) -> None:
        """`links` lists what is declared between the machines."""
        assert shown(capsys, "links", "pictured:Shop") == dedent("""\
            Shop

              links
                charge  when(order.processing).send(payment.authorize)

              guards
                paid_first  guard(order.ship, In(payment.captured))

              joint events
                abort  together(order.cancel, payment.void)
            """)

    def test_nested(self, capsys) -> None:
        """What a nested orchestrator declares comes after, with its address."""
        assert shown(capsys, "links", "pictured:Plant").endswith(
            dedent("""\

            Store (store)

              links
                light  when(desk.dark).after(5).send(desk.switch, refused='ignore')
            """)
        )

    def test_width(self, capsys) -> None:
        """A long rule is broken as in a class body, and nothing is wider than 80 columns."""
        text = shown(capsys, "links", "test_cli_pictures:Wordy")

        assert max(map(len, text.splitlines())) <= 80
        assert text.startswith(
            dedent("""\
            Wordy

              links
                a_link_with_a_name_that_is_long
                                          when(order.processing).given(In(order.processing))
                                          .send(order.ship)
            """)
        )

    @pytest.mark.parametrize("kind", ["mermaid", "dot"])
    def test_map(self, capsys, kind: str) -> None:
        """It draws the link map when a format is asked for."""
        assert shown(capsys, "links", "pictured:Plant", "--format", kind) == link_map(Plant.__declaration__, kind)

    def test_nothing(self, capsys) -> None:
        """An orchestrator without links says so."""
        assert shown(capsys, "links", "pictured:Awkwards") == "Awkwards\n\n  no links, guards or joint events\n"


class TestTrace:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "steps.jsonl"
        with JsonLinesObserver(path) as observer:
            for record in RECORDS:
                observer(record)
        return path

    DIAGRAM = dedent("""\
        sequenceDiagram
            actor outside as outside
            participant order as order
            Note over outside,order : step 1 at 0 s
            outside->>order : process
            Note over order : process#58; pending → processing
            Note over outside,order : step 1#58; order=processing
        """)

    def test_file(self, capsys, file) -> None:
        """`trace` draws what a file of records tells."""
        assert shown(capsys, "trace", str(file)) == self.DIAGRAM

    def test_standard_input(self, capsys, file, monkeypatch) -> None:
        """It reads from standard input, too."""
        monkeypatch.setattr(sys, "stdin", io.StringIO(file.read_text()))

        assert shown(capsys, "trace", "-") == self.DIAGRAM

    def test_wrong_line(self, capsys, file) -> None:
        """A line that holds no record is refused with its number."""
        file.write_text("{}\n" + file.read_text())

        assert f"statemachines-orchestrator: {file}, line 1: " in refused(capsys, "trace", str(file))

    def test_missing(self, capsys, tmp_path) -> None:
        """So is a file that is not there."""
        path = tmp_path / "missing.jsonl"

        assert refused(capsys, "trace", str(path)) == (
            f"statemachines-orchestrator: {path} cannot be read: No such file or directory\n"
        )
