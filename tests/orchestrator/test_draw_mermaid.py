"""The Mermaid text of pictures, read and drawn by Mermaid itself."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from pictured import AWKWARD, Awkwards, Plant, Player, Shop

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.draw import link_map, machine_picture, picture, sequence
from statemachines_orchestrator.system import EventRefused, StepStarted

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def texts():
    """Draws a diagram and returns all texts of the picture, without spaces."""
    mermaidx = pytest.importorskip("mermaidx", reason="needs the package mermaidx, which runs Mermaid itself")

    def draw(diagram):
        shown = "".join(ET.fromstring(mermaidx.render(diagram).svg()).itertext())  # noqa: S314 - our own
        return "".join(shown.replace("\N{ZERO WIDTH SPACE}", "").split())

    return draw


@pytest.mark.filterwarnings("ignore:Warning")  # about the width of letters
class TestMermaid:
    @pytest.mark.parametrize("orchestrator", [Shop, Plant])
    def test_picture(self, texts, orchestrator: type) -> None:
        """Mermaid draws orchestrators, as pictures and as link maps."""
        assert "order:Order" in texts(picture(orchestrator.__declaration__, "mermaid"))
        assert "order:Order" in texts(link_map(orchestrator.__declaration__, "mermaid"))

    def test_machine(self, texts) -> None:
        """Mermaid draws a machine alone."""
        assert "restart(internal)→Intro" in texts(machine_picture(read_chart(Player), "mermaid"))

    @pytest.mark.timeout(300)
    def test_awkward_texts(self, texts) -> None:
        """Mermaid shows the texts of the user as they are."""
        shown = texts(picture(Awkwards.__declaration__, "mermaid"))

        assert [text for text in AWKWARD if text.isprintable() and "".join(text.split()) not in shown] == []

    def test_sequence(self, texts) -> None:
        """The same in sequence diagrams."""
        for text in AWKWARD:
            if text.isprintable():
                records = [StepStarted(1, 0.0, "end", "e"), EventRefused(1, "end", "e", text, None)]

                assert "".join(text.split()) in texts(sequence(records))
