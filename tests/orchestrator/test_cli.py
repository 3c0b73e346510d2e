"""The command line."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from statemachines_orchestrator.cli import main

SOURCE = """
from statemachine import State, StateMachine

from statemachines_orchestrator import Orchestrator, data, machine


class Order(StateMachine):
    pending = State(initial=True)
    shipped = State(final=True)
    ship = pending.to(shipped)


class Shop(Orchestrator, orchestrator_name="shop", atomic=False):
    gift: "Present"
    order: Order = machine(factory=Order)
    refund: Order | None = None
    count: int = data(default=0)


class Plain(Orchestrator):
    order: Order
"""


@pytest.fixture
def shop_module(tmp_path, monkeypatch):
    """A module with orchestrators, importable from the current directory."""
    (tmp_path / "shop_module.py").write_text(SOURCE)
    (tmp_path / "broken_module.py").write_text(f"{SOURCE}\nclass Broken(Orchestrator):\n    note: str\n")
    (tmp_path / "lacking_module.py").write_text("import not_installed_anywhere\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield tmp_path
    for name in ("shop_module", "broken_module", "lacking_module"):
        sys.modules.pop(name, None)


def test_describe(shop_module, capsys):
    """`describe` shows members with their states and events, and data, in 80 columns."""
    assert main(["describe", "shop_module:Shop"]) == 0
    assert capsys.readouterr().out == dedent("""\
        Shop: callbacks receive it as 'shop', a failing step stays as it is

          gift: Present, to be passed
            its class shows when an instance is made

          order: Order, made by the orchestrator unless passed
            states  pending, shipped
            events  ship

          refund: Order | None, may be absent
            states  pending, shipped
            events  ship
          data  count
        """)


def test_describe_without_data(shop_module, capsys):
    """A plain orchestrator is described with its defaults."""
    assert main(["describe", "shop_module:Plain"]) == 0
    assert capsys.readouterr().out.startswith("Plain: callbacks receive it as 'orc', a failing step is put back\n")


def test_describe_parts(capsys):
    """Collections, nested orchestrators and what is declared between members are described, too."""
    assert main(["describe", "pictured:Store"]) == 0
    assert capsys.readouterr().out == dedent("""\
        Store: callbacks receive it as 'orc', a failing step is put back

          materials: Members[Material], any number of them
            states  wanted, ordered, here
            events  order, arrive

          desk: Desk, made by the orchestrator unless passed
            states  opened, lamp, dark, bright, drawer, inside, outside, shut
            events  switch, pull, lock, unlock

          links  light
        """)
    assert main(["describe", "pictured:Plant"]) == 0
    assert capsys.readouterr().out.endswith("""
  store: Store, made by the orchestrator unless passed
    members  materials, desk

  links  party, quiet, applause, arrival, again, closed, close
  guards  working_hours, closed_early
  joint events  closing
""")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("shop_module", "'shop_module' names no class: write MODULE:CLASS, such as shop:Shop"),
        ("shop_module:Shopp", "shop_module has no orchestrator class 'Shopp'. Did you mean shop_module:Shop?"),
        ("shop_module:Warehouse", "shop_module has no orchestrator class 'Warehouse'. It has: Shop, Plain."),
        ("shop_module:Order", "shop_module has no orchestrator class 'Order'. It has: Shop, Plain."),
        ("json:Shop", "json has no orchestrator class 'Shop'. It has: none."),
        ("nowhere:Shop", "there is no module 'nowhere' here or among the installed packages"),
        ("nowhere.shop:Shop", "there is no module 'nowhere' here or among the installed packages"),
        (
            "broken_module:Broken",
            (
                "Broken.note: str is not a StateMachine or StateChart class. "
                "For plain data write note: str = data(), for a constant ClassVar[str]."
            ),
        ),
    ],
)
def test_unusable_input(shop_module, capsys, place, message):
    """What cannot be found or is declared wrongly is said in one line, with exit status 2."""
    assert main(["describe", place]) == 2
    assert capsys.readouterr().err == f"statemachines-orchestrator: {message}\n"


def test_a_module_that_lacks_another(shop_module):
    """A failing import inside the module is the module's own error, shown as Python shows it."""
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        main(["describe", "lacking_module:Shop"])


def test_as_a_module(shop_module):
    """``python -m statemachines_orchestrator`` is the same command."""
    run = subprocess.run(
        [sys.executable, "-m", "statemachines_orchestrator", "describe", "shop_module:Plain"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0
    assert "order: Order, to be passed" in run.stdout


def test_version(capsys):
    """`--version` says which release this is."""
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out.startswith("statemachines-orchestrator ")


def test_interrupted(capsys, monkeypatch):
    """Ctrl-C ends the command with one word and the usual exit status."""
    from statemachines_orchestrator.cli import _main

    def interrupt(place):
        raise KeyboardInterrupt

    monkeypatch.setattr(_main, "find", interrupt)

    assert main(["describe", "shop:Shop"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
