"""The benchmark runs and prints its tables. What it measures is no test's business."""

from __future__ import annotations

import re
import sys

import pytest
from statemachine import Event, StateChart
from statemachine.engines.sync import SyncEngine

from benchmarks import __main__ as program
from benchmarks import _cases, _lines, _machines, _memory, _orca, _peers, _systems
from benchmarks._cases import Aim, Case
from benchmarks._measure import Effort, Samples
from benchmarks._stock import stock
from benchmarks._table import Line, SystemLine, short, summary, times

WIDTH = 100


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "QUICK", Effort(rounds=1, seconds=0))
    monkeypatch.setattr(_machines, "MANY", 20)


def row_of(printed: str, title: str) -> str:
    return next(line for line in printed.splitlines() if line.startswith(title))


class TestProgram:
    @pytest.mark.timeout(600)  # it makes every contender once, some of them from large documents
    def test_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every case is one row of a table that fits 100 columns; aims and what a machine weighs are said below."""
        assert program.main(["--quick"]) == 0

        printed = capsys.readouterr().out.splitlines()
        assert [line for line in printed if len(line) > WIDTH] == []
        documents = () if _orca.ORCA_MISSING else _orca.ORCA_CASES
        titles = [case.title for case in (*_cases.CASES, *_systems.SYSTEM_CASES, *documents)]
        assert [row for row in (line[:33].rstrip() for line in printed) if row in titles] == titles
        assert any("aims are reached" in line for line in printed)
        assert printed[-1].startswith("Flat")

    def test_choice(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A part of a title chooses cases."""
        assert program.main(["--quick", "parallel"]) == 0

        printed = capsys.readouterr().out
        assert "parallel" in printed
        assert "no callback" not in printed
        assert "bytes" not in printed

    def test_no_such_case(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A title that no case has is answered with the titles."""
        assert program.main(["--quick", "teleport"]) == 2

        assert "event, no callback" in capsys.readouterr().out

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


class TestStock:
    @pytest.mark.parametrize("kind", _lines.KINDS.values(), ids=lambda kind: kind.__name__)
    def test_engine(self, kind: type[StateChart]) -> None:
        """What is called stock is on python-statemachine's engine, even if machines of the other class are members."""
        _machines.orchestrate(kind)()
        alone = stock(kind)()
        alone.go(orc=None)

        assert type(alone._engine) is SyncEngine
        assert type(alone).go.__class__ is Event


class TestPeers:
    def test_missing(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """A peer that is not installed is said, and its column stays empty."""
        monkeypatch.setitem(_peers.PEERS, "sismic", None)
        assert program.main(["--quick", "event, no callback"]) == 0

        printed = capsys.readouterr().out
        assert "sismic is not installed" in printed
        assert row_of(printed, "event, no callback").split()[-2] == "-"

    def test_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only that a peer itself is not there leaves it out; that something of ours is not there is an error."""
        monkeypatch.setitem(sys.modules, "transitions", None)
        monkeypatch.delitem(sys.modules, "benchmarks._peer_transitions", raising=False)

        assert _peers._load("transitions") is None
        with pytest.raises(ModuleNotFoundError):
            _peers._load("nobody")

    @pytest.mark.parametrize("name", _peers.PEERS)
    @pytest.mark.parametrize(
        "job",
        [
            _peers.Job(),
            _peers.Job(callbacks=1),
            _peers.Job(callbacks=5),
            _peers.Job(shape="compound"),
            _peers.Job(shape="parallel"),
            _peers.Job(doing="refused"),
            _peers.Job(doing="address"),
            _peers.Job(doing="pair"),
            _peers.Job(among=3),
        ],
        ids=str,
    )
    def test_moves(self, name: str, job: _peers.Job) -> None:
        """A peer does what it is asked to do: one event leads to the other state, two lead back."""
        machine = _peers.make(name, job)
        if machine is None:
            pytest.skip("it is not installed, or has nothing of the kind")
        run = _peers.PEERS[name].run(job, machine)
        before = where(machine)

        run(1)
        once = where(machine)
        run(1)

        assert (once == before) == (job.doing == "refused")
        assert where(machine) == before

    def test_second_machine(self) -> None:
        """The callback of a pair moves the second machine."""
        one = _peers.make("dict", _peers.Job(doing="pair"))
        one.send("go")

        assert one.other.state == "b"


def where(machine: object) -> object:
    """Say where a machine of any peer is, and the one that it moves."""
    if isinstance(machine, tuple):
        return tuple(where(one) for one in machine)
    if hasattr(machine, "regions"):
        return where(machine.regions)
    if hasattr(machine, "configuration"):
        return tuple(machine.configuration)
    if hasattr(machine, "__automat_core__"):
        core = machine.__automat_core__
        return str(machine.__automat_transitioner__._state), core.other and where(core.other)
    return machine.state, machine.other and where(machine.other)


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

    @pytest.mark.parametrize(("ratio", "text"), [(0.05, "1/20.0"), (0.96, "0.96"), (1.0, "1.00"), (12.5, "12.50")])
    def test_times(self, ratio: float, text: str) -> None:
        """What is less is a fraction."""
        assert times(ratio) == text

    @pytest.mark.parametrize(
        ("aim", "reached", "missed"),
        [
            (Aim("1/20", ratio=0.05), 5.0, 5.1),
            (Aim("+10", extra=10), 110.0, 110.1),
            (Aim("7", at_most=7), 7.0, 7.1),
        ],
        ids=str,
    )
    def test_aim(self, aim: Aim, reached: float, missed: float) -> None:
        """An aim that is missed is marked, and named below."""
        case = Case("event", dict, aim)
        within, over = (Line(case, {"alone": 100.0, "member": here}, here / 100) for here in (reached, missed))

        assert "!" not in str(within)
        assert f"{aim.text}!" in str(over)
        assert f"{aim.text}!" in str(SystemLine(case, {"base": 100.0, "here": missed}, missed / 100))
        assert summary([within]) == "All aims are reached: 1 of 1."
        assert summary([within, over]) == "1 of 2 aims are reached. Missed (!):\n  event"

    def test_no_aim(self) -> None:
        """Most lines have none."""
        assert summary([Line(Case("make", dict), {"alone": 1.0, "member": 9.0}, 9.0)]) == "No line has an aim."


class TestLines:
    def test_way(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """The functions that an event passes are shown line by line, and are whole again afterwards."""
        monkeypatch.setattr(_lines, "SAMPLE", 2)
        monkeypatch.setattr(_lines, "HOUSE", _lines.HOUSE / "engine" / "_events.py")  # the others take long
        assert program.main(["--lines", "--rounds", "1"]) == 0

        printed = capsys.readouterr().out
        assert "QuickEvent.__call__" in printed
        assert any(re.match(r" *-?\d+ +\d+  return self", line) for line in printed.splitlines())
        assert [line for line in printed.splitlines() if len(line) > WIDTH] == []
        order = _machines.orchestrate(_machines.Flat)().order
        order.go()
        assert order.b.is_active


class TestMemory:
    def test_rows(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every contender is weighed beside stock."""
        assert _memory.main(["20", "Flat"]) == 0

        head, row = capsys.readouterr().out.splitlines()
        assert head.split()[-7:] == ["stock", "accelerated", "member", *_peers.PEERS]
        assert row.startswith("Flat")
        assert all(weight == "-" or int(weight.replace(",", "")) > 0 for weight in row.split()[1:])
        assert "-" not in row.split()[1:4]

    def test_per_machine(self) -> None:
        """The weight is that of one machine, however many are made."""
        few, many = (_memory.bytes_per_machine("stock", _machines.Flat, count) for count in (20, 80))

        assert few == pytest.approx(many, rel=0.2)
