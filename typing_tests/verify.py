"""
Ask mypy and pyright whether they see what the library promises to people with an editor.

Files in ``passing`` have to be clean, and run. In files in ``failing`` each checker has to complain about exactly
the lines that say so, for the reason that they name: ``# E: <rule of pyright> / <code of mypy>``. And every name
that the packages make public has to have a known type.

Run by ``make types``, in the environment that it makes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).parent
ROOT = HERE.parent
PLACES = os.pathsep.join((str(HERE), str(ROOT)))
PACKAGES = ("statemachines_orchestrator", "orca_bridge")
EXPECTED = re.compile(r"# E: (?P<pyright>\w+) / (?P<mypy>[\w-]+)$")

Complaints = dict[tuple[str, int], set[str]]
"""Rules or codes by file and line."""

PASSING = sorted(HERE.glob("passing/*.py"))
FAILING = sorted(HERE.glob("failing/*.py"))


def main() -> int:
    """Print what is not as it should be, and return the exit code."""
    problems = [
        *compare("mypy", mypy()),
        *compare("pyright", pyright()),
        *(problem for path in PASSING for problem in run(path)),
        *(problem for package in PACKAGES for problem in incomplete(package)),
    ]
    for problem in problems:
        print(problem)
    files = f"{len(PASSING)} files that pass, {len(FAILING)} that fail, {len(expected('mypy'))} expected errors"
    print(f"Types: {len(problems)} problems. {files}, completeness of {', '.join(PACKAGES)}.")
    return bool(problems)


def expected(checker: str) -> Complaints:
    """Read the marked lines."""
    return {
        (shown(path), number): {match[checker]}
        for path in FAILING
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := EXPECTED.search(line))
    }


def compare(checker: str, found: Complaints) -> Iterable[str]:
    """Yield the difference between what is marked and what a checker says."""
    wanted = expected(checker)
    for place in sorted(wanted.keys() | found.keys()):
        want, said = wanted.get(place, set()), found.get(place, set())
        if not want or not want <= said:
            name, line = place
            yield f"{name}:{line}: {checker} says {listed(said)}, expected {listed(want)}"


def mypy() -> Complaints:
    """Ask mypy; files of one name in two folders are told apart by their packages."""
    options = ("--strict", "--explicit-package-bases", "--output=json", "--no-error-summary")
    answer = ask("mypy", *options, *map(shown, (*PASSING, *FAILING)), MYPYPATH=PLACES)
    found: Complaints = {}
    for line in answer.stdout.splitlines():
        one = json.loads(line)
        if one["severity"] == "error":
            found.setdefault((Path(one["file"]).as_posix(), one["line"]), set()).add(one["code"])
    return trusted("mypy", answer, found)


def pyright() -> Complaints:
    """Ask pyright, with the configuration beside this file."""
    answer = ask("pyright", "--project", str(HERE), "--pythonpath", sys.executable, "--outputjson")
    found: Complaints = {}
    for one in json.loads(answer.stdout)["generalDiagnostics"]:
        place = (shown(Path(one["file"])), one["range"]["start"]["line"] + 1)
        found.setdefault(place, set()).add(one.get("rule", "syntax"))
    return trusted("pyright", answer, found)


def trusted(checker: str, answer: subprocess.CompletedProcess[str], found: Complaints) -> Complaints:
    """Stop if the checker did not get as far as checking: silence is no verdict."""
    if not found:
        raise SystemExit(f"{checker} found nothing at all, not even what is wrong on purpose:\n{answer.stderr}")
    return found


def run(path: Path) -> Iterable[str]:
    """Run a file that passes: what the checkers allow must work, too."""
    variables = {**os.environ, "PYTHONPATH": PLACES}
    answer = subprocess.run([sys.executable, path], env=variables, capture_output=True, text=True, check=False)
    if answer.returncode:
        yield f"{shown(path)}: does not run: {answer.stderr.strip().splitlines()[-1]}"


def incomplete(package: str) -> Iterable[str]:
    """Yield the public names of a package whose type another checker might have to guess."""
    # From a folder of its own: beside the sources pyright would take them for a program, not for a package.
    with tempfile.TemporaryDirectory() as elsewhere:
        answer = ask("pyright", "--verifytypes", package, "--ignoreexternal", "--outputjson", folder=elsewhere)
    report = json.loads(answer.stdout)["typeCompleteness"]
    if not sum(report["exportedSymbolCounts"].values()):
        yield f"{package}: pyright finds no package of that name with a py.typed file"
    elif report["completenessScore"] != 1:
        yield f"{package}: {report['completenessScore']:.1%} of the public names have a known type, the others are:"
        yield from (f"  {name}: {why}" for name, why in guessed(report["symbols"]))


def guessed(symbols: list[dict[str, Any]]) -> Iterable[tuple[str, str]]:
    """Yield the name and the reason of each symbol whose type is not written down."""
    for symbol in symbols:
        for diagnostic in symbol["diagnostics"]:
            if diagnostic["severity"] == "error":
                yield symbol["name"], diagnostic["message"].splitlines()[0]


def ask(checker: str, *arguments: str, folder: str | Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a checker of this environment; ``--verifytypes`` looks for it in the path only."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return subprocess.run(
        [sys.executable, "-m", checker, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def shown(path: Path) -> str:
    """Return the path as the repository knows it."""
    return path.resolve().relative_to(ROOT.resolve()).as_posix()


def listed(rules: set[str]) -> str:
    """Return rules for a message."""
    return ", ".join(sorted(rules)) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
