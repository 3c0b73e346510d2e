"""What the reader's working objects say of themselves."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import orca_bridge.syntax
from orca_bridge.syntax._diagnostics import Findings
from orca_bridge.syntax._outline import heading_of
from orca_bridge.syntax._scanner import scan
from orca_bridge.syntax._source import Text
from orca_bridge.syntax._states import StateTree


def test_they_name_themselves_in_one_line():
    """Identity and counts, never contents."""
    findings = Findings("m.md", ["## state a"])
    tree = StateTree(findings)
    node = tree.add(heading_of(scan(["## state a"]).items[0]))

    assert repr(node) == "<state a>"
    assert repr(tree) == "<StateTree of 1>"
    findings.warning("X", "text", Text.at("a"))
    assert repr(findings) == "<Findings 'm.md': 1>"


def test_the_package_lists_what_it_promises():
    """The root of the package is sorted, complete, and resolves."""
    names = orca_bridge.syntax.__all__

    assert list(names) == sorted(names)
    assert all(hasattr(orca_bridge.syntax, name) for name in names)


@pytest.mark.parametrize("module", [found.name for found in pkgutil.iter_modules(orca_bridge.syntax.__path__)])
def test_modules_are_private_and_explained(module):
    """Every module is an implementation detail with a header that says what it is about."""
    assert module.startswith("_")
    assert importlib.import_module(f"orca_bridge.syntax.{module}").__doc__
