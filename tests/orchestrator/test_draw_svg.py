"""SVG by a program, and what a notebook shows."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pictured import AWKWARD, Awkwards, Plant, Shop

from statemachines_orchestrator.draw import mimebundle, picture, svg
from statemachines_orchestrator.exceptions import DrawingError, MissingExtraError, OrchestratorError

SCRIPTS = Path(sys.executable).parent
needs_graphviz = pytest.mark.skipif(
    shutil.which("dot") is None and not (SCRIPTS / "graphviz-pure").exists(), reason="nothing here draws SVG"
)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An empty folder, the only one in which programs are looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    return tmp_path


def program(folder, script, name="dot"):
    """Put a program in place of Graphviz."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n")
    path.chmod(0o755)
    return path


def texts(source):
    """All texts of an SVG, without spaces."""
    return "".join("".join(ET.fromstring(source).itertext()).split())  # noqa: S314 - our own


class TestSvg:
    @needs_graphviz
    @pytest.mark.parametrize("orchestrator", [Shop, Plant])
    def test_drawn(self, orchestrator: type) -> None:
        """What is declared is in the picture."""
        shown = texts(svg(picture(orchestrator.__declaration__, "dot")))

        assert "order:Order" in shown
        assert "Processing" in shown
        assert "Waiting" in shown

    @needs_graphviz
    def test_awkward_texts(self) -> None:
        """The picture shows the texts of the user as they are, but for what no XML may hold."""
        shown = texts(svg(picture(Awkwards.__declaration__, "dot")))
        expected = ["".join(text.split()) for text in AWKWARD if text.isprintable()]

        assert [text for text in expected if text not in shown] == []
        assert "ctrl��" in shown
        assert "half�" in shown

    @pytest.mark.parametrize("name", ["dot", "graphviz-pure"])
    def test_program(self, programs, name: str) -> None:
        """The program gets the picture as input, and its output is the answer."""
        program(programs, "print(sys.argv[1:], sys.stdin.buffer.read().decode())", name)

        assert svg("digraph Ü {}").split() == ["['-Tsvg']", "digraph", "Ü", "{}"]

    def test_missing(self, programs) -> None:
        """Without a program the error says what to install."""
        with pytest.raises(MissingExtraError) as caught:
            svg("digraph {}")

        assert str(caught.value) == (
            "drawing SVG without Graphviz's program dot needs the package graphviz-pure, which is not installed. "
            "Install it with: pip install 'statemachines-orchestrator[svg]'."
        )

    @pytest.mark.parametrize(
        ("script", "why"),
        [
            ("sys.exit('no ink')", "no ink"),
            ("sys.exit(3)", "it ended with 3"),
            ("time.sleep(30)", "it was not ready after 0.2 seconds"),
        ],
    )
    def test_failure(self, programs, script: str, why: str) -> None:
        """A program that fails, or takes too long, is an error that names it."""
        path = program(programs, script)
        with pytest.raises(DrawingError) as caught:
            svg("digraph {}", patience=0.2 if "sleep" in script else 60)

        assert str(caught.value) == (
            f"{path} has drawn no picture: {why}. The text of the picture is to be had without it."
        )
        assert isinstance(caught.value, OrchestratorError)

    def test_no_program(self, programs) -> None:
        """So is a file that cannot be run."""
        program(programs, "").write_bytes(b"\x7fELF nonsense")
        with pytest.raises(DrawingError, match="has drawn no picture"):
            svg("digraph {}")


class TestNotebook:
    def test_everything(self, programs) -> None:
        """A notebook gets text, a Mermaid block and a picture."""
        program(programs, "print('<svg/>')")
        bundle = mimebundle("<Shop>", Shop.__declaration__, {"order": {"pending"}})

        assert list(bundle) == ["text/plain", "text/markdown", "image/svg+xml"]
        assert bundle["text/plain"] == "<Shop>"
        assert bundle["text/markdown"].startswith("```mermaid\nstateDiagram-v2\n")
        assert bundle["text/markdown"].endswith("class joint_abort joint\n```\n")
        assert "class order_pending active" in bundle["text/markdown"]
        assert bundle["image/svg+xml"] == "<svg/>\n"

    def test_without_program(self, programs) -> None:
        """Where nothing draws, the other forms are shown."""
        assert list(mimebundle("<Shop>", Shop.__declaration__)) == ["text/plain", "text/markdown"]

    def test_failing_program(self, programs) -> None:
        """Where the program fails, too."""
        program(programs, "sys.exit(1)")

        assert list(mimebundle("<Shop>", Shop.__declaration__)) == ["text/plain", "text/markdown"]

    def test_chosen(self, programs) -> None:
        """What is not wanted is not made."""
        assert list(mimebundle("<Shop>", Shop.__declaration__, include={"text/plain"})) == ["text/plain"]
        assert list(mimebundle("<Shop>", Shop.__declaration__, exclude={"text/markdown"})) == ["text/plain"]
