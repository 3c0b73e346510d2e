"""
How the house is laid out: layers, names, sizes, pins.

The tests read the source, not the imported modules, wherever a rule is about what somebody wrote.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from statemachines_orchestrator.engine import _version

ROOT = Path(__file__).parent.parent
PACKAGES = ("statemachines_orchestrator", "orca_bridge")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

LAYERS = {
    "statemachines_orchestrator": {
        "exceptions": (),
        "charts": ("exceptions",),
        "declare": ("charts", "exceptions"),
        "engine": ("charts", "exceptions"),
        "system": ("engine", "declare", "charts", "exceptions"),
        "testing": ("system", "exceptions"),
        "snapshot": ("system", "engine", "declare", "charts", "exceptions"),
        "observers": ("system", "exceptions"),
        "draw": ("system", "declare", "charts", "exceptions"),
        "orchestrator": ("draw", "snapshot", "system", "engine", "declare", "charts", "exceptions"),
        "__init__": ("orchestrator", "draw", "snapshot", "system", "engine", "declare", "charts", "exceptions"),
        "cli": (
            "__init__",
            "orchestrator",
            "draw",
            "observers",
            "snapshot",
            "system",
            "engine",
            "declare",
            "charts",
            "exceptions",
        ),
        "__main__": ("cli",),
    },
    "orca_bridge": {
        "definition": (),
        "exceptions": ("definition",),
        "syntax": ("definition", "exceptions"),
        "convert": ("definition", "exceptions"),
        # Written Python names things as the converter does, and refuses what it refuses.
        "write": ("convert", "syntax", "definition", "exceptions"),
        "_load": ("convert", "syntax", "definition", "exceptions"),
        "_orchestrators": ("_load", "convert", "syntax", "definition", "exceptions"),
        "__init__": ("_orchestrators", "_load", "convert", "syntax", "definition", "exceptions"),
        "runtime": ("convert", "syntax", "definition", "exceptions"),
        "source": ("__init__", "_orchestrators", "_load", "write", "convert", "definition", "exceptions"),
        "cli": (
            "__init__",
            "runtime",
            "_orchestrators",
            "_load",
            "write",
            "convert",
            "syntax",
            "definition",
            "exceptions",
        ),
        "__main__": ("cli",),
    },
}
"""What each layer may import at run time; a new one has to find its place here."""

DATA = {"orca_bridge": {"exceptions": ("syntax",), "convert": ("syntax",)}}
"""What a layer may name in annotations besides: a diagnostic is a record, and errors and machines carry it."""

OUTSIDE = {"time", "datetime", "random", "socket", "subprocess", "shutil", "tempfile", "sched", "secrets"}
OUTSIDE_CALLS = {"open", "print", "input", "sleep", "read_text", "read_bytes", "write_text", "write_bytes"}
MAY_REACH_OUTSIDE = {
    "cli": "speaks with people",
    "__main__": "speaks with people",
    "_load": "reads the file that it is asked for; everything else works on text",
    "orca_bridge.runtime._snapshots": "says when a snapshot was taken, in a form that survives the process",
    "orca_bridge.runtime._inbound": "waits for the timers of a machine that somebody waits for",
    "orca_bridge.runtime._resuming": "compares that with the present time",
    "orca_bridge.runtime._watch": "dates the entries of logs",
    "orca_bridge.runtime.bridge": "runs foreign machines, which are programs",
    "orca_bridge.runtime.bus": "dates the events of the published runtime",
    "orca_bridge.runtime.logging": "writes logs to the file that it is given",
    "orca_bridge.runtime.persistence": "writes snapshots to the folder that it is given",
    "statemachines_orchestrator.draw._svg": "runs Graphviz's dot, which turns text into text",
    "statemachines_orchestrator.observers._json_lines": "writes the records that it is given to a file, and reads them",
    "statemachines_orchestrator.system._clock": "the default clock; all other code is given the time",
}
"""Layers, or single modules by their full names, with the reason."""

MAY_NAME = {
    "orca_bridge.runtime._codec": {"datetime"},
    "statemachines_orchestrator.snapshot._scalars": {"datetime"},
}
"""What a module names for its classes only: dates are written, and no clock is read."""

LONGEST_FILE = 600


@dataclass(frozen=True)
class Source:
    """A module of one of the packages, as text."""

    path: Path

    @property
    def package(self) -> str:
        return self.path.relative_to(ROOT).parts[0]

    @property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def layer(self) -> str:
        return self.path.relative_to(ROOT).with_suffix("").parts[1]

    @property
    def is_public(self) -> bool:
        return not any(part.startswith("_") for part in self.name.split("."))

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(), str(self.path))

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


SOURCES = tuple(Source(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
PUBLIC = tuple(source for source in SOURCES if source.is_public)

every_source = pytest.mark.parametrize("source", SOURCES, ids=str)
every_public_module = pytest.mark.parametrize("source", PUBLIC, ids=str)


class TestModules:
    @every_source
    def test_import(self, source: Source) -> None:
        """Every module imports."""
        if not source.name.endswith("__main__"):
            assert importlib.import_module(source.name)

    @pytest.mark.parametrize("package", PACKAGES)
    def test_found(self, package: str) -> None:
        """Every folder with modules in it is a package."""
        root = importlib.import_module(package)
        found = {one.name for one in pkgutil.walk_packages(root.__path__, f"{package}.")} | {package}

        assert {source.name for source in SOURCES if source.package == package} == found

    @every_public_module
    def test_promises(self, source: Source) -> None:
        """`__all__` names what a public module declares, all of it and nothing else."""
        own, taken, used = declared(source)

        assert own | (taken - used) <= set(promised(source)) <= own | taken

    @every_public_module
    def test_promises_in_order(self, source: Source) -> None:
        """`__all__` is sorted: constants, classes, functions."""
        names = promised(source)

        assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))

    @every_source
    def test_size(self, source: Source) -> None:
        """No module is so long that nobody reads it."""
        assert len(source.path.read_text().splitlines()) <= LONGEST_FILE

    @every_source
    def test_docstrings(self, source: Source) -> None:
        """Every module, and every public class and function in it, says what it is for."""
        assert undocumented(source.tree, source.name) == []


class TestLayers:
    @every_source
    def test_known(self, source: Source) -> None:
        """Every module belongs to a layer."""
        assert source.layer in LAYERS[source.package]

    @pytest.mark.parametrize("package", PACKAGES)
    def test_order(self, package: str) -> None:
        """The table of layers has no circle: each layer stands below all that may import it."""
        above: set[str] = set()
        for layer, below in reversed(LAYERS[package].items()):
            above.add(layer)
            assert not above.intersection(below)

    @every_source
    def test_imports_point_down(self, source: Source) -> None:
        """At run time a module imports only its own layer and those below."""
        allowed = {source.layer, *LAYERS[source.package][source.layer]}

        assert imported_layers(source, type_checking=False) - allowed == set()

    @every_source
    def test_types_point_down(self, source: Source) -> None:
        """Annotations, too, name only what stands below, or records."""
        allowed = {source.layer, *LAYERS[source.package][source.layer]}
        allowed.update(DATA.get(source.package, {}).get(source.layer, ()))

        assert imported_layers(source, type_checking=True) - allowed == set()

    @every_source
    def test_packages(self, source: Source) -> None:
        """The orchestrator knows nothing of Orca documents."""
        if source.package == "statemachines_orchestrator":
            assert not any(name.startswith("orca_bridge") for name in all_imports(source))

    @every_source
    def test_world_outside(self, source: Source) -> None:
        """Nothing below the command line reads a clock, sleeps or does input and output."""
        if MAY_REACH_OUTSIDE.keys().isdisjoint((source.layer, source.name)):
            assert reaches_outside(source) == []


class TestPins:
    def test_python_statemachine(self) -> None:
        """The range of python-statemachine that is checked at import is the range that is installed."""
        oldest, below = (".".join(map(str, one)) for one in (_version.OLDEST, _version.BELOW))

        assert f"python-statemachine>={oldest},<{below}" in PROJECT["project"]["dependencies"]

    def test_python(self) -> None:
        """All tools assume the oldest Python that is supported."""
        oldest = PROJECT["project"]["requires-python"].removeprefix(">=")

        assert PROJECT["tool"]["pyright"]["pythonVersion"] == oldest
        assert PROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
        assert f"Programming Language :: Python :: {oldest}" in PROJECT["project"]["classifiers"]

    @pytest.mark.parametrize("package", PACKAGES)
    def test_typed(self, package: str) -> None:
        """Type checkers are told that the package is annotated."""
        assert (ROOT / package / "py.typed").is_file()


class TestTrackedFiles:
    MACHINE_PATH = re.compile(r"(?<![\w.*<~/}-])/(?:root|home|Users|tmp|work|opt)/\w")
    REGISTRY = re.compile(r"\b(?:pypi|pythonhosted|npmjs)\.(?:org|com|python)\b")
    NEIGHBOUR = re.compile(r"\.\./shared")

    @pytest.mark.parametrize("pattern", ["MACHINE_PATH", "REGISTRY"])
    def test_portable(self, pattern: str) -> None:
        """No file names a place of one machine, or the host of a package registry."""
        assert lines_with(getattr(self, pattern)) == []

    def test_neighbours(self) -> None:
        """Only the entry of the continuous integration looks beside the repository."""
        here = str(Path(__file__).relative_to(ROOT))
        found = {line.partition(":")[0] for line in lines_with(self.NEIGHBOUR)}

        assert found - {here} <= {".ci/run"}


def promised(source: Source) -> list[str]:
    return list(importlib.import_module(source.name).__all__)


def declared(source: Source) -> tuple[set[str], set[str], set[str]]:
    """
    What a module makes itself, what a package takes from its own modules, and what its own code mentions.

    A name that is taken and mentioned is there to be used; one that is only taken is there to be given away.
    """
    own: set[str] = set()
    taken: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            own.update(target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.ImportFrom) and node.level and source.path.name == "__init__.py":
            taken.update(alias.asname or alias.name for alias in node.names)
    used = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    return public(own), public(taken), used


def public(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def undocumented(tree: ast.Module | ast.ClassDef, where: str) -> list[str]:
    missing = [] if ast.get_docstring(tree) else [where]
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_") or is_repetition(node):
            continue
        if isinstance(node, ast.ClassDef):
            missing += undocumented(node, f"{where}.{node.name}")
        elif not ast.get_docstring(node):
            missing.append(f"{where}.{node.name}")
    return missing


def is_repetition(node: ast.stmt) -> bool:
    """Whether the name is documented where it stands first or last: an overload, or the setter of a property."""
    decorators = [ast.unparse(one) for one in getattr(node, "decorator_list", ())]
    return any(one.endswith(("overload", ".setter", ".deleter", "override")) for one in decorators)


def imports(source: Source, *, type_checking: bool) -> set[str]:
    """The absolute names of all that is imported, inside or outside of ``if TYPE_CHECKING``."""
    found: set[str] = set()
    waiting: list[tuple[ast.AST, bool]] = [(source.tree, False)]
    while waiting:
        node, inside = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += [(one, True) for one in node.body] + [(one, inside) for one in node.orelse]
            continue
        if inside == type_checking:
            found |= imported_by(node, source)
        waiting += [(one, inside) for one in ast.iter_child_nodes(node)]
    return found


def imported_by(node: ast.AST, source: Source) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if not isinstance(node, ast.ImportFrom):
        return set()
    base = source.name.split(".")
    if source.path.name != "__init__.py":
        base.pop()
    base = base[: len(base) - node.level + 1] if node.level else []
    stem = ".".join([*base, *([node.module] if node.module else [])])
    # `from package import module` imports the module; `from package import name` imports the package.
    return {f"{stem}.{alias.name}" if is_module(f"{stem}.{alias.name}") else stem for alias in node.names}


def is_module(name: str) -> bool:
    return any(source.name == name for source in SOURCES)


def all_imports(source: Source) -> set[str]:
    return imports(source, type_checking=False) | imports(source, type_checking=True)


def imported_layers(source: Source, *, type_checking: bool) -> set[str]:
    names = (name.split(".") for name in imports(source, type_checking=type_checking))
    return {(parts[1] if len(parts) > 1 else "__init__") for parts in names if parts[0] == source.package}


def reaches_outside(source: Source) -> list[str]:
    named = {name.partition(".")[0] for name in imports(source, type_checking=False)}
    found = sorted(OUTSIDE & named - MAY_NAME.get(source.name, set()))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            found += [called] if called in OUTSIDE_CALLS else []
    return found


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """The lines of tracked text files in which the pattern is found, with their places."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: there is no list of tracked files")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        text = path.read_text(errors="replace") if path.is_file() else ""
        found += [
            f"{name}:{number}: {line.strip()}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found
