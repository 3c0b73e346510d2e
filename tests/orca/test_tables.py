"""Decision tables: asked, as action and guard of a machine, written as Python, on the command line."""

from __future__ import annotations

import copy
import io
import itertools
import json
import pickle
import random
import subprocess
import sys
from decimal import Decimal
from types import ModuleType

import pytest
from statemachine import State, StateChart
from written import corpus_documents, document_of

from orca_bridge import NoMatchingRuleError, Table, UnknownTableError, load_table, loads, loads_table
from orca_bridge.cli import main
from orca_bridge.write import table_json, table_python

ROUTES = """# decision_table PaymentRoutes

Which way a payment goes.

## conditions
| Name     | Type          | Values           |
|----------|---------------|------------------|
| amount   | int_range     | 0..1000          |
| rate     | decimal_range | 0..1             |
| tier     | enum          | low, mid, high   |
| vip      | bool          |                  |
| note     | string        |                  |
| class    | enum          | a, b             |
## actions
| Name     | Type    | Values         |
|----------|---------|----------------|
| gateway  | enum    | one, two, none |
| approve  | bool    |                |
| fee      | decimal |                |
| return   | int     |                |
## rules
| # | amount | rate      | tier      | vip   | note | class | → gateway | → approve | → fee | → return |
|---|--------|-----------|-----------|-------|------|-------|-----------|-----------|-------|----------|
| 1 | 500+   |           | high      |       |      |       | two       | true      | 0.5   |          |
| 2 |        | (0.2..0.5] | !low     | true  |      |       | one       | false     |       | 7        |
| 3 | 10..20 |           | low, mid  | !true |      |       | one       |           | 1     |          |
| 4 |        |           | !low, !mid |      | "x"  |       | two       |           |       |          |
| 5 | < 5    |           |           | false |      | a     | none      | true      |       |          |
| 6 | !7     | 0.1       |           |       |      | a, b  | none      |           |       |          |
| 7 |        |           | mid       |       |      |       | one       |           |       |          |
| 8 |        |           | mid       | true  |      |       | two       |           |       |          |
"""

MACHINE = (
    """# machine Payment
## context
| Field  | Type   | Default |
|--------|--------|---------|
| amount | int    | 0       |
| tier   | string |         |
| gateway | string |        |
## events
- route
- failed
## state idle [initial]
## state routed
## state broken
## transitions
| Source | Event                                | Target | Action                  |
|--------|--------------------------------------|--------|-------------------------|
| idle   | route                                | routed | evaluate_payment_routes |
| *      | error.action.evaluate_payment_routes | broken |                         |

---

"""
    + ROUTES
)


@pytest.fixture
def routes():
    return loads_table(ROUTES, name="routes.md")


class TestTable:
    def test_first_match(self, routes):
        """The first rule that matches gives its outputs; what it does not set is absent."""
        assert routes({"amount": 600, "tier": "high"}) == {"gateway": "two", "approve": True, "fee": 0.5}
        assert routes(rate=0.3, tier="mid", vip=True) == {"gateway": "one", "approve": False, "return": 7}
        assert routes.evaluate({"tier": "mid"}) == {"gateway": "one"}

    def test_no_match(self, routes):
        """None is the answer if no rule matches; what is missing or null matches only a cell that asks for nothing."""
        assert routes({}) is None
        assert routes(tier=None, note="x") is None
        assert routes(amount=15, tier="low") is None

    @pytest.mark.parametrize(
        ("rate", "matches"), [(0.2, False), (0.21, True), (0.5, True), (0.51, False), (Decimal("0.5"), True)]
    )
    def test_bounds(self, routes, rate, matches):
        """Open bounds do not belong to a range."""
        assert (routes(rate=rate, tier="high", vip=True) is not None) is matches

    def test_kinds_do_not_mix(self, routes):
        """Truth values are no numbers, and text that spells a number is none either."""
        assert routes(amount=True, vip=False, **{"class": "a"}) is None
        assert routes(amount="600", tier="high") is None
        assert routes(rate=0.3, tier="mid", vip=1) == {"gateway": "one"}

    def test_outputs_are_fresh(self, routes):
        """What a caller does to an answer does not change the next one."""
        routes(tier="mid")["gateway"] = "none"

        assert routes(tier="mid") == {"gateway": "one"}

    def test_copies(self, routes):
        """A table shows what it is."""
        assert repr(routes) == "<Table PaymentRoutes: 6 conditions, 8 rules>"

    def test_by_name(self, tmp_path):
        """A document may hold several tables; the first one is meant unless another is named."""
        path = tmp_path / "two.orca.md"
        path.write_text(f"{ROUTES}\n---\n\n{ROUTES.replace('PaymentRoutes', 'Others')}", encoding="utf-8")

        assert load_table(path).definition.name == "PaymentRoutes"
        assert load_table(path, "Others").definition.name == "Others"
        with pytest.raises(UnknownTableError, match=r"no decision table 'Other'. Did you mean 'Others'\?") as caught:
            load_table(path, "Other")
        assert pickle.loads(pickle.dumps(caught.value)).known == ("PaymentRoutes", "Others")
        with pytest.raises(UnknownTableError, match=r"defines no decision table\. It defines: none"):
            loads_table("# machine M\n## state a [initial]\n")


class TestInMachines:
    def test_as_an_action(self):
        """An action without a handler that is called like a table of its document evaluates that table."""
        machine = loads(MACHINE)(context={"amount": 600, "tier": "high"})
        machine.send("route")

        assert machine.routed.is_active
        assert machine.context["gateway"] == "two"
        assert copy.deepcopy(machine).context == machine.context

    def test_without_a_match(self):
        """No match is an error of the action, which a row can take."""
        machine = loads(MACHINE)()
        machine.send("route")

        assert machine.broken.is_active

    def test_unhandled(self):
        """Unhandled, the error says what the table was asked with."""
        machine = loads(
            MACHINE.replace("| *      | error.action.evaluate_payment_routes | broken |", "| broken | failed | idle |")
        )()

        with pytest.raises(
            NoMatchingRuleError, match="no rule of the decision table 'PaymentRoutes' matches amount=0"
        ) as caught:
            machine.send("route")
        assert pickle.loads(pickle.dumps(caught.value)).inputs == caught.value.inputs

    def test_handlers_come_first(self):
        """A handler of that name comes before the table."""
        machine = loads(MACHINE, actions={"evaluate_payment_routes": lambda: {"gateway": "own"}})()
        machine.send("route")

        assert machine.context["gateway"] == "own"

    def test_given_as_an_action(self, routes):
        """A table can be given as the handler of any action."""
        text = MACHINE.replace("evaluate_payment_routes", "choose").partition("\n---\n")[0]
        machine = loads(text, actions={"choose": routes.action})(context={"tier": "mid"})
        machine.send("route")

        assert machine.context["gateway"] == "one"

    def test_as_a_guard(self, routes):
        """A table can be a guard of any machine: whether a rule matches, or what an output is."""

        class Order(StateChart):
            new = State(initial=True)
            paid = State()
            held = State(final=True)
            pay = new.to(paid, cond=routes.guard("gateway", "two")) | new.to(held, cond=routes.guard())
            approve = paid.to(held, cond=routes.guard("approve"))

        first, second = Order(), Order()
        first.pay(amount=600, tier="high")
        second.pay(tier="mid")
        assert first.paid.is_active
        assert second.held.is_active
        first.approve(tier="mid")
        assert first.paid.is_active
        with pytest.raises(ValueError, match="has no output 'gatway'; it has: gateway"):
            routes.guard("gatway")

    def test_a_guard_reads_the_context(self, routes):
        """A guard is asked with the machine's context too."""
        holds = routes.guard("gateway", "one")

        assert holds(machine=loads(MACHINE)(context={"tier": "mid"}))


def module_of(text):
    module = ModuleType("written_tables")
    sys.modules["written_tables"] = module
    exec(compile(text, "written_tables.py", "exec"), vars(module))
    return module


def samples(table, count=400):
    """Values at and around everything that the rules speak about."""
    values = {}
    for column in table.conditions:
        found = [None, *column.values]
        if column.kind == "bool":
            found += [True, False]
        if column.kind == "string":
            found += ["x", "other"]
        if column.kind.endswith("_range"):
            cells = [cell for rule in table.rules for name, cell in rule.conditions if name == column.name]
            ends = [end for cell in cells if cell.range for end in (cell.range.low, cell.range.high) if end is not None]
            ends += [value for cell in cells for value in cell.values]
            found += [end + step for end in ends for step in (-1, 0, 1)]
        values[column.name] = found
    every = itertools.product(*values.values())
    chance = random.Random(1)  # noqa: S311 - not a secret
    drawn = [tuple(chance.choice(one) for one in values.values()) for _ in range(count)]
    return [dict(zip(values, one, strict=True)) for one in [*itertools.islice(every, count), *drawn]]


def assert_agrees(tables):
    module = module_of(table_python(tables))
    inputs = [name for name in vars(module) if name.endswith("Input")]
    functions = [name for name in vars(module) if name.startswith("evaluate_")]
    for table, record, function in zip(tables, inputs, functions, strict=True):
        for given in samples(table):
            found = getattr(module, function)(getattr(module, record)(*given.values()))
            fields = [column.name for column in table.outputs]
            written = None
            if found is not None:
                values = [getattr(found, name) for name in type(found).__slots__]
                written = {name: value for name, value in zip(fields, values, strict=True) if value is not None}
            assert written == Table(table).evaluate(given), given


class TestWritten:
    def test_text(self):
        """Conditions and outputs are records, and the rules a chain of `if`."""
        text = table_python(document_of(ROUTES).tables, source="routes.orca.md")

        assert text.startswith('"""\nDecision tables of routes.orca.md, as functions.\n')
        assert '    tier: Literal["low", "mid", "high"] | None = None\n' in text
        assert "    class_: " in text
        assert "    return_: int | None = None  # return\n" in text
        assert "def evaluate_payment_routes(given: PaymentRoutesInput) -> PaymentRoutesOutput | None:\n" in text
        assert '    if amount is not None and amount >= 500 and tier == "high":  # rule 1\n' in text
        assert '        return PaymentRoutesOutput(gateway="two", approve=True, fee=0.5)\n' in text

    def test_agrees(self):
        """The written function and the table answer alike, at every border."""
        assert_agrees(document_of(ROUTES).tables)

    def test_a_rule_for_everything(self):
        """What stands below a rule that asks for nothing is said to be never asked."""
        tables = document_of(
            ROUTES.replace("| 1 | 500+   |           | high ", "| 1 | -      |           |      ")
        ).tables

        assert "    # never asked: 7 more\n" in table_python(tables)
        assert_agrees(tables)

    @pytest.mark.timeout(300)
    def test_clean(self, tmp_path):
        """Mypy in its strictest mode and ruff have nothing to say."""
        (tmp_path / "tables.py").write_text(table_python(document_of(ROUTES).tables), encoding="utf-8")

        for tool in (["mypy", "--strict", "--no-incremental"], ["ruff", "check"], ["ruff", "format", "--check"]):
            command = [sys.executable, "-m", *tool, "tables.py"]
            options = ["--line-length", "120", "--isolated"] if tool[0] == "ruff" else ["--config-file="]
            done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr

    def test_json(self):
        """As data, conditions keep their domains and cells their structure."""
        found = json.loads(table_json(document_of(ROUTES).tables[0]))

        assert found["conditions"][0] == {
            "name": "amount",
            "type": "int_range",
            "range": {"min": 0, "max": 1000},
            "values": [],
        }
        assert found["rules"][0]["conditions"]["amount"]["kind"] == "range"
        assert found["policy"] == "first-match"


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "document"), corpus_documents())
def test_tables_of_others(name, document):
    """The same for documents of others."""
    if document.tables:
        assert_agrees(document.tables)


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def file(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "routes.md").write_text(ROUTES, encoding="utf-8")
        (tmp_path / "broken.md").write_text(ROUTES.replace("| 500+ ", "| 5..1 "), encoding="utf-8")
        (tmp_path / "machine.md").write_text("# machine M\n## state a [initial]\n", encoding="utf-8")

    def test_asks(self, capsys):
        """`table` asks with what is given, read by the types of the conditions."""
        assert main(["table", "PaymentRoutes", "routes.md", "rate=0.3", "tier=mid", "vip=true"]) == 0
        assert capsys.readouterr().out == "gateway: one\napprove: false\nreturn: 7\n"
        assert main(["table", "PaymentRoutes", "routes.md", "amount=600", "tier=high", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"gateway": "two", "approve": True, "fee": 0.5}

    def test_asks_with_json(self, capsys, monkeypatch):
        """Without values, a JSON object is read from standard input."""
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"tier": "mid"}')))

        assert main(["table", "PaymentRoutes", "routes.md"]) == 0
        assert capsys.readouterr().out == "gateway: one\n"

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            (["PaymentRoutes", "routes.md", "tier=low"], 1, "no rule of PaymentRoutes matches"),
            (["Nope", "routes.md", "tier=low"], 2, "defines no decision table 'Nope'; it defines: PaymentRoutes"),
            (["Nope", "machine.md", "tier=low"], 2, "it defines: no decision table at all"),
            (["PaymentRoutes", "nope.md", "tier=low"], 2, "nope.md"),
            (["PaymentRoutes", "broken.md", "tier=low"], 1, "DT_CELL_SYNTAX"),
            (
                ["PaymentRoutes", "routes.md", "teir=low"],
                2,
                "has no condition 'teir'; is 'tier' meant?; it has: amount",
            ),
            (["PaymentRoutes", "routes.md", "low"], 2, "'low' is no NAME=VALUE"),
            (["PaymentRoutes", "routes.md", "amount=many"], 2, "amount is a number, not 'many'"),
            (["PaymentRoutes", "routes.md", "vip=maybe"], 2, "vip is true or false, not 'maybe'"),
            (["PaymentRoutes", "routes.md", "tier=none"], 2, "tier is one of "),
        ],
    )
    def test_refusals(self, capsys, arguments, status, message):
        """No match is status 1, wrong usage 2; the reason is told, with `--json` as JSON."""
        assert main(["table", *arguments]) == status
        assert message in capsys.readouterr().err
        assert main(["table", *arguments, "--json"]) == status
        assert json.loads(capsys.readouterr().out)["status"] == "error"

    @pytest.mark.parametrize("text", ["[1]", "nonsense"])
    def test_no_json(self, capsys, monkeypatch, text):
        """Standard input without a JSON object is wrong usage."""
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

        assert main(["table", "PaymentRoutes", "routes.md"]) == 2
        assert "standard input holds no JSON" in capsys.readouterr().err

    def test_export(self, capsys):
        """Tables are targets of `export`; a file without a table has none to write."""
        assert main(["export", "table-python", "routes.md"]) == 0
        assert "def evaluate_payment_routes(" in capsys.readouterr().out
        assert main(["export", "table-json", "routes.md"]) == 0
        assert json.loads(capsys.readouterr().out)["name"] == "PaymentRoutes"
        assert main(["export", "table-python", "machine.md"]) == 1
        assert "machine.md defines no decision table" in capsys.readouterr().err
