"""The test-suite of the installed python-statemachine: fetched once, run as often as wanted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ("CACHE", "Run", "fetch", "run")

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".conformance"
DISTRIBUTION = "python-statemachine"

# The tests of pictures are left out: they run no machine. The rest are the project's own options,
# without those of tools that measure or debug.
OPTIONS = (
    "--override-ini=addopts=",
    "--ignore=docs/conf.py",
    "--ignore=tests/examples",
    "--ignore=statemachine/contrib/diagram",
    "--ignore-glob=tests/test_contrib_diagram*",
    "--doctest-glob=*.md",
    "--doctest-modules",
    "--doctest-continue-on-failure",
    "--benchmark-disable",
    "-pno:cacheprovider",
    "-pconformance.plugin",
    "--quiet",
    "--tb=short",
)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of the suite told."""

    outcomes: Mapping[str, str]
    """How every test ended, by its id."""
    machines: int
    """How many machines were made on the engines under test."""


def fetch() -> Path:
    """
    Return the folder of python-statemachine's sources in the installed version; download them if they are not there.

    Raises:
        subprocess.CalledProcessError: pip could not download them.
    """
    installed = version(DISTRIBUTION)
    folder = CACHE / f"{DISTRIBUTION.replace('-', '_')}-{installed}"
    if not folder.is_dir():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as place:
            _download(f"{DISTRIBUTION}=={installed}", Path(place))
            (Path(place) / folder.name).rename(folder)
    return folder


def _download(requirement: str, place: Path) -> None:
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", requirement)
    subprocess.run(command, cwd=place, check=True)
    for archive in place.glob("*.tar.gz"):
        with tarfile.open(archive) as opened:
            opened.extractall(place, filter="data")


def run(suite: Path, engines: str, arguments: Sequence[str] = (), *, processes: int) -> Run:
    """
    Run the suite.

    Args:
        suite: The folder that `fetch` returned.
        engines: ``"stock"``, ``"ours"`` or ``"prepared"``.
        arguments: More arguments for pytest, such as the ids of the tests to run.
        processes: How many tests may run at a time.

    Returns:
        How every test ended, and how many machines the tests made.
    """
    with tempfile.TemporaryDirectory() as place:
        outcomes, log = Path(place) / "outcomes.json", CACHE / f"{engines}.log"
        command = (
            *(sys.executable, "-m", "pytest", *OPTIONS, f"--engines={engines}", f"--outcomes={outcomes}"),
            *(f"-n{processes}", *arguments),
        )
        with log.open("w") as out:
            subprocess.run(command, cwd=suite, env=_environment(), stdout=out, stderr=out, check=False)
        return Run(**json.loads(outcomes.read_text())) if outcomes.is_file() else Run({}, 0)


def _environment() -> dict[str, str]:
    """Return an environment in which the plugin is found, behind the suite's own packages."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}
