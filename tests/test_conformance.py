"""The comparison with stock python-statemachine finds what it is for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from statemachine import State, StateMachine
from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.sync import SyncEngine

from conformance import __main__ as program
from conformance import _suite
from conformance._compare import Comparison, read_accepted
from conformance._suite import Run
from conformance.engines import OURS, PREPARED, STOCK, Engines, engines_replaced

ROOT = Path(__file__).parent.parent

SUITE = """
import pytest
from statemachine import State, StateMachine
from statemachine.engines.sync import SyncEngine


class Door(StateMachine):
    shut = State(initial=True)
    ajar = State()
    push = shut.to(ajar) | ajar.to(shut)


def test_named():
    assert type(Door()._engine) is SyncEngine


def test_ours():
    assert type(Door()._engine).__module__.startswith("statemachine.")


@pytest.mark.xfail(strict=True)
def test_lost():
    Door().send("nothing")


@pytest.fixture
def broken():
    yield
    raise RuntimeError


def test_torn_down(broken):
    pass


def test_skipped():
    pytest.skip("why not")
"""


def run_suite(tmp_path: Path, engines: str) -> tuple[dict[str, str], int]:
    (tmp_path / "test_suite.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", "-pconformance.plugin"]
    command += [f"--rootdir={tmp_path}", f"--engines={engines}", f"--outcomes={tmp_path / 'out.json'}", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    told = json.loads((tmp_path / "out.json").read_text())
    return {test.partition("::")[2]: outcome for test, outcome in told["outcomes"].items()}, told["machines"]


class TestPlugin:
    def test_stock(self, tmp_path: Path) -> None:
        """Every test is told by the worst of its phases, and machines are counted."""
        outcomes, machines = run_suite(tmp_path, "stock")

        assert outcomes == {
            "test_named": "passed",
            "test_ours": "passed",
            "test_lost": "xfailed",
            "test_torn_down": "failed",
            "test_skipped": "skipped",
        }
        assert machines == 3

    @pytest.mark.parametrize("engines", ["ours", "prepared"])
    def test_ours(self, tmp_path: Path, engines: str) -> None:
        """With our engines, machines run on them, and code that asks for stock by name gets them too."""
        outcomes, machines = run_suite(tmp_path, engines)

        assert outcomes["test_named"] == "passed"
        assert outcomes["test_ours"] == "failed"
        assert machines == 3

    def test_cannot_be_collected(self, tmp_path: Path) -> None:
        """A file that cannot be imported is no silence."""
        (tmp_path / "test_broken.py").write_text("import nothing_of_this_name")
        outcomes, _ = run_suite(tmp_path, "stock")

        assert "failed" in outcomes.values()
        assert "" in outcomes


class TestEngines:
    @pytest.mark.parametrize("engines", [STOCK, OURS, PREPARED], ids=["stock", "ours", "prepared"])
    def test_put_back(self, engines: Engines) -> None:
        """Inside the block machines run on other engines; afterwards on stock again."""

        class Lamp(StateMachine):
            off = State(initial=True)
            on = State()
            press = off.to(on) | on.to(off)

        with engines_replaced(engines) as made:
            inside = Lamp()

        class Later(Lamp):
            """A class that nobody has made a machine of before."""

        assert type(inside._engine) is engines.sync
        assert made == ["Lamp"]
        assert type(Later()._engine) is SyncEngine
        assert Engines(SyncEngine, AsyncEngine) == STOCK

    def test_prepared(self) -> None:
        """A class is prepared before its first machine, whose callbacks are called once."""
        entered = []

        class Lamp(StateMachine):
            off = State(initial=True)
            on = State()
            press = off.to(on) | on.to(off)

            def on_enter_off(self) -> None:
                entered.append(self)

        with engines_replaced(PREPARED):
            lamp = Lamp()

        assert entered == [lamp]
        assert "_callbacks" not in vars(lamp)
        assert "_config" not in vars(lamp)


class TestComparison:
    STOCK = {"a": "passed", "b": "passed", "c": "xfailed", "d": "failed", "e": "skipped", "f": "passed"}

    def test_worse(self) -> None:
        """What holds with stock has to hold with ours; what proves nothing there proves nothing here."""
        ours = {"a": "passed", "b": "failed", "c": "failed", "d": "failed", "e": "failed"}
        compared = Comparison(self.STOCK, ours, {})

        assert compared.worse == ("b", "c", "f")

    def test_accepted(self) -> None:
        """A difference with a reason is no fault; a reason without a difference is one line too many."""
        ours = {**self.STOCK, "b": "skipped"}
        compared = Comparison(self.STOCK, ours, {"b": "reads a private name", "a": "did so once"})

        assert compared.worse == ()
        assert compared.outdated == ("a",)

    def test_list(self) -> None:
        """Test ids may hold spaces; comments and empty lines are no entries."""
        accepted = read_accepted(["# why", "", "t.py::test[a b]  # patches the clock\n"])

        assert accepted == {"t.py::test[a b]": "patches the clock"}

    @pytest.mark.parametrize("line", ["t.py::test", "t.py::test  # "])
    def test_no_reason(self, line: str) -> None:
        """A line without a reason is refused."""
        with pytest.raises(ValueError, match="line 1 gives no reason"):
            read_accepted([line])

    def test_own_list(self) -> None:
        """The list of this repository can be read."""
        assert all(read_accepted(program.ACCEPTED.read_text().splitlines()).values())


class TestProgram:
    @pytest.fixture
    def runs(self, monkeypatch: pytest.MonkeyPatch) -> list[Run]:
        """What the runs of the suite will say, one after another."""
        runs: list[Run] = []
        monkeypatch.setattr(_suite, "fetch", lambda: Path("psm"))
        monkeypatch.setattr(_suite, "run", lambda *_, **__: runs.pop(0))
        monkeypatch.setattr(program, "read_accepted", lambda _: {})
        return runs

    def test_same(self, runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
        """Equal runs are a success, told in numbers."""
        runs += [Run({"a": "passed"}, 3)] * 3

        assert program.main([]) == 0
        printed = capsys.readouterr().out
        assert "Machines made: 3 with stock, 3 with ours." in printed
        assert "Machines made: 3 with stock, 3 with prepared." in printed
        assert "passed           1         1" in printed

    def test_worse(self, runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
        """What fails twice is named, and the status says so."""
        runs += [Run({"a": "passed"}, 3), *[Run({"a": "failed"}, 3)] * 2, Run({"a": "passed"}, 3)]

        assert program.main([]) == 1
        assert "Worse with ours (1):\n  a: failed" in capsys.readouterr().out

    def test_worse_when_prepared(self, runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
        """So is what fails only with machines that are made as members are."""
        runs += [*[Run({"a": "passed"}, 3)] * 2, *[Run({"a": "failed"}, 3)] * 2]

        assert program.main([]) == 1
        assert "Worse with prepared (1):\n  a: failed" in capsys.readouterr().out

    def test_unsteady(self, runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
        """What passes when it runs alone is named, and is no failure."""
        runs += [Run({"a": "passed"}, 3), Run({"a": "failed"}, 3), *[Run({"a": "passed"}, 3)] * 2]

        assert program.main([]) == 0
        assert "Failed beside others, passed alone (1):\n  a" in capsys.readouterr().out

    def test_nothing(self, runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
        """A suite that could not start is not a suite that agrees."""
        runs += [Run({}, 0)] * 3

        assert program.main([]) == 2
        assert "Nothing ran" in capsys.readouterr().out
