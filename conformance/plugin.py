"""
A pytest plugin: choose the engines, and write down how every test ended.

It is loaded into the run of another project's tests, so it changes nothing but that.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .engines import OURS, PREPARED, STOCK, engines_replaced

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("Counter", "Outcomes", "pytest_addoption", "pytest_configure")

ENGINES = {"stock": STOCK, "ours": OURS, "prepared": PREPARED}
WORST_FIRST = ("failed", "xpassed", "skipped", "xfailed", "passed")
MACHINES = "machines"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options by which `conformance` starts the suite."""
    parser.addoption("--engines", choices=tuple(ENGINES), default="stock", help="what runs the machines")
    parser.addoption("--outcomes", default=None, help="a file for how every test ended, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Put the engines in place before anything is collected: modules under test take them by name."""
    replaced = ExitStack()
    made = replaced.enter_context(engines_replaced(ENGINES[config.getoption("--engines")]))
    config.add_cleanup(replaced.close)
    config.pluginmanager.register(Counter(made))
    path = config.getoption("--outcomes")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(path)))


class Counter:
    """Says with every test how many machines it made, so that nobody compares stock with stock."""

    def __init__(self, made: list[str]) -> None:
        self._made = made

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Count while the body of a test runs."""
        self._made.clear()
        try:
            return (yield)
        finally:
            item.user_properties.append((MACHINES, len(self._made)))


class Outcomes:
    """How every test ended, by its id: the worst of what its set-up, its body and its tear-down reported."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outcomes: dict[str, str] = {}
        self._machines = 0

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be collected: its tests would be missing without a word."""
        if report.failed:
            self._note(report.nodeid, "failed")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of one test."""
        self._note(report.nodeid, _outcome(report))
        if report.when == "call":
            self._machines += sum(int(str(value)) for name, value in report.user_properties if name == MACHINES)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Iterator[None]:
        """Write the file, also when the run was interrupted."""
        try:
            return (yield)
        finally:
            self._path.write_text(json.dumps({"outcomes": self._outcomes, MACHINES: self._machines}))

    def _note(self, test: str, outcome: str) -> None:
        known = self._outcomes.get(test, outcome)
        self._outcomes[test] = min(known, outcome, key=WORST_FIRST.index)


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    return report.outcome
