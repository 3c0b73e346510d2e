"""Stubs for the actions of a document, and the tests that come with them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from test_write_python import ODD
from written import CONVERTIBLE, EVERYTHING, NESTED, corpus_documents, document_of

from orca_bridge.cli import main
from orca_bridge.write import action_stubs


class TestStubs:
    def test_text(self):
        """One typed function for each action, with its effects in the docstring."""
        text = action_stubs(document_of(EVERYTHING).machines)

        assert '@everything_actions.action("mail")\ndef mail(' in text
        assert '    """Run mail. Effects: Mail."""\n    raise NotImplementedError("mail")\n' in text
        assert "child_actions = Actions()" in text
        assert "def test_" not in text

    def test_names(self):
        """Actions of several machines, and names that Python cannot hold, get functions of their own."""
        twice = f"{CONVERTIBLE}\n---\n\n{CONVERTIBLE.replace('machine Traffic', 'machine Other')}\n---\n\n{ODD}"
        text = action_stubs(document_of(twice).machines, tests=True, source="x.md")
        namespace = {}

        exec(compile(text, "stubs.py", "exec"), namespace)
        assert list(namespace["traffic_actions"]) == list(namespace["other_actions"]) == ["log"]
        assert list(namespace["odd_machine2_actions"]) == ["class", "do-it"]
        assert text.count("\ndef test_red_next_to_yellow") == 2

    def test_tests(self, tmp_path):
        """The tests run, and fail where there is something to fill in."""
        filled = CONVERTIBLE.replace("- on_entry: log\n", "").replace("- on_exit: log\n", "")
        (tmp_path / "traffic.md").write_text(filled, encoding="utf-8")
        text = action_stubs(document_of(filled).machines, tests=True, source="traffic.md")
        (tmp_path / "test_stubs.py").write_text(text, encoding="utf-8")

        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_stubs.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "FAILED test_stubs.py::test_log - NotImplementedError: log" in done.stdout
        assert "test_yellow_go_to_green_fast" not in done.stdout
        assert '    # Arrange context and payload so that this holds: event.by == "hand"\n' in text

    @pytest.mark.conformance
    @pytest.mark.timeout(300)
    def test_clean(self, tmp_path):
        """Mypy in its strictest mode and ruff have nothing to say."""
        documents = [document_of(text) for text in (CONVERTIBLE, EVERYTHING, NESTED, ODD)]
        documents += [case.values[1] for case in corpus_documents() if case.values[1] is not None]
        for number, document in enumerate(documents):
            if document.machines:
                text = action_stubs(document.machines, tests=True, source="x.md")
                (tmp_path / f"stubs_{number}.py").write_text(text, encoding="utf-8")

        for tool in (
            ["mypy", "--strict", "--no-incremental", "."],
            ["ruff", "check", "--isolated", "--line-length=120"],
        ):
            done = subprocess.run(
                [sys.executable, "-m", *tool], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr

    def test_command_line(self, tmp_path, monkeypatch, capsys):
        """`actions` writes them, for one machine or all, to a file or not."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "nested.md").write_text(NESTED, encoding="utf-8")

        assert main(["actions", "nested.md", "--lang", "python", "--tests"]) == 0
        assert "\ndef test_idle_jump_to_p_left_y() -> None:" in capsys.readouterr().out
        assert main(["actions", "nested.md", "--machine", "Child", "-o", "stubs.py"]) == 0
        assert "child_actions = Actions()" in (tmp_path / "stubs.py").read_text(encoding="utf-8")
        assert main(["actions", "nested.md", "--lang", "cobol"]) == 2
        assert main(["actions", "nope.md"]) == 2
