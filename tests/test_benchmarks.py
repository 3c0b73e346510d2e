"""The benchmark runs and prints its table. What it measures is no test's business."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as program
from benchmarks import _cases, _machines, _memory, _orca, _peers
from benchmarks._measure import Effort, Samples
from benchmarks._table import Line, short, summary

WIDTH = 80


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "QUICK", Effort(rounds=1, seconds=0))


class TestProgram:
    @pytest.mark.timeout(600)  # it makes every contender once, some of them from large documents
    def test_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every case is one row of a table that fits 80 columns, and the target is said below."""
        assert program.main(["--quick"]) == 0

        printed = capsys.readouterr().out.splitlines()
        assert [line for line in printed if len(line) > WIDTH] == []
        rows = [line[:39].rstrip() for line in printed if not line.startswith(("-", "micro"))]
        assert [row for row in rows if row in {case.title for case in _cases.CASES}] == [
            case.title for case in _cases.CASES
        ]
        assert "1.25 times the event alone" in printed[-1]

    def test_choice(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A part of a title chooses cases."""
        assert program.main(["--quick", "parallel"]) == 0

        printed = capsys.readouterr().out
        assert "parallel" in printed
        assert "no callback" not in printed

    def test_no_such_case(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A title that no case has is answered with the titles."""
        assert program.main(["--quick", "teleport"]) == 2

        assert "event, no callback" in capsys.readouterr().out

    def test_missing_peer(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """A peer that is not installed is said, and its column stays empty."""
        monkeypatch.setattr(_peers, "MISSING", ("transitions is not installed",))
        monkeypatch.setattr(program, "MISSING", _peers.MISSING)
        assert program.main(["--quick", "event, no callback"]) == 0

        printed = capsys.readouterr().out
        assert "transitions is not installed" in printed
        assert " - " in next(line for line in printed.splitlines() if line.startswith("event, no callback"))

    @pytest.mark.parametrize("missing", [(), ("Orca is not measured",)])
    def test_documents(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
    ) -> None:
        """Orca documents are measured beside the published runtime, or that it is not installed is said."""
        monkeypatch.setattr(program, "ORCA_MISSING", missing or _orca.ORCA_MISSING)
        assert program.main(["--quick", "event of a toggle, alone"]) == 0

        printed = capsys.readouterr().out
        expected = "not measured" if missing or _orca.ORCA_MISSING else "published"
        assert expected in printed


class TestFigures:
    def test_ratio(self) -> None:
        """A ratio compares within rounds, so that a machine that slows down half-way does not bend it."""
        samples = Samples({"alone": (1.0, 1.0, 10.0, 10.0), "member": (1.2, 1.2, 12.0, 12.0)})

        assert samples.median("alone") == 5.5
        assert samples.ratio("member", "alone") == pytest.approx(1.2)

    @pytest.mark.parametrize(
        ("microseconds", "text"), [(0.144, "0.14"), (7.36, "7.4"), (137.04, "137.0"), (4314.98, "4315")]
    )
    def test_short(self, microseconds: float, text: str) -> None:
        """A time is shown as precisely as it is worth reading."""
        assert short(microseconds) == text

    def test_target(self) -> None:
        """A kind of event over the target is marked and counted."""
        within, over = (Line("event", {"alone": 1.0, "member": ratio}, ratio, is_event=True) for ratio in (1.25, 1.3))

        assert "!" not in str(within)
        assert "1.30!" in str(over)
        assert summary([within]).startswith("Each of 1")
        assert summary([within, over]).startswith("1 of 2")
        assert summary([Line("make", {"alone": 1.0, "member": 9.0}, 9.0, is_event=False)]) == "No line has a target."


class TestMemory:
    def test_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every contender is weighed beside stock."""
        assert _memory.main(["20", "Flat"]) == 0

        head, row = capsys.readouterr().out.splitlines()
        assert head.split()[-3:] == ["stock", "accelerated", "member"]
        assert row.startswith("Flat")
        assert all(int(weight.replace(",", "")) > 0 for weight in row.split()[1:])

    def test_per_machine(self) -> None:
        """The weight is that of one machine, however many are made."""
        few, many = (_memory.bytes_per_machine("stock", _machines.Flat, count) for count in (20, 80))

        assert few == pytest.approx(many, rel=0.2)
