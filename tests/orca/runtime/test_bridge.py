"""The bridge protocol, both sides."""

import io
import json
import sys
from pathlib import Path

import pytest

import orca_bridge
from orca_bridge.cli import main
from orca_bridge.runtime import (
    BRIDGE_PROTOCOL_VERSION,
    BridgeError,
    MachineDef,
    ReturnDef,
    StateDef,
    answer_invocation,
    build_invocation,
    descriptor_for,
    dispatch_foreign,
    make_result,
    parse_invocation,
    parse_orca_md_multi,
    parse_result,
)

ROWS = "## transitions\n| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n"
TEXT = f"""\
# machine Adder
## context
| Field | Type | Default |
|---|---|---|
| a | int | 1 |
| b | decimal | |
| words | string[] | |
| who | string? | |
| odd | enum(x, y) | |
| sum | number | |
| plain | bool | false |
## returns
| Name | Type |
|---|---|
| sum | number |
| plain | bool |
## state adding [initial]
- on_entry: add
## state stuck
## state done [final]
{ROWS}| adding | | ctx.who == "stuck" | stuck | |
| adding | | ctx.who != "stuck" | done | |
---
# machine Later
## context
| Field | Type | Default |
|---|---|---|
| n | int | 2 |
## returns
| Name | Type |
|---|---|
| n | int |
## state wait [initial]
- timeout: 5ms -> call
## state call
- invoke: Adder input: {{ a: ctx.n, b: 40 }}
- returns: {{ n: sum }}
- on_done: done
## state done [final]
"""


def add(ctx):
    return {"sum": ctx["a"] + (ctx["b"] or 0)}


def machines():
    return parse_orca_md_multi(TEXT)


class TestEnvelopes:
    def test_descriptor(self):
        """A descriptor names what a machine takes and gives, by the declared types."""
        found = descriptor_for(machines()[0])

        types = ["int", "float", "list", "string", "any", "float", "bool"]
        assert [one["type"] for one in found["params"]] == types
        assert found["returns"][0] == {"name": "sum", "type": "float", "statistics": []}
        assert (found["protocol_version"], found["name"], found["measurement_bearing"]) == ("1.0", "Adder", False)

    def test_descriptor_by_hand(self):
        """Without declared types those of the start values are taken."""
        machine = MachineDef("M", {"n": 1, "x": None}, [], [StateDef("a", is_initial=True)], [])
        machine.returns.append(ReturnDef("n", "int"))

        assert [one["type"] for one in descriptor_for(machine)["params"]] == ["int", "any"]
        assert descriptor_for(machine)["returns"] == [{"name": "n", "type": "int", "statistics": []}]

    def test_round_trip(self):
        """Envelopes read as what was written, and keys that nobody knows are left out."""
        invocation = build_invocation("M", {"a": 1}, None, {"f": "g"})
        result = make_result("done", {"g": 2}, {"code": "X", "message": "y"})

        assert parse_invocation(json.dumps(invocation | {"new": 1})) == invocation
        assert parse_result(json.dumps(result).encode()) | {"protocol_version": "1.0"} == result
        assert parse_result(make_result("done", {}))["error"] is None
        assert BRIDGE_PROTOCOL_VERSION == "1.0"

    @pytest.mark.parametrize("read", [parse_invocation, parse_result])
    @pytest.mark.parametrize(
        ("data", "says"),
        [
            ("hello", "no JSON"),
            ("[1]", "no JSON object, but a list"),
            ({"protocol_version": "2.0", "child": "M"}, "'2.0'"),
            ({}, "version None"),
            ({"protocol_version": "1.0", "child": "M", "args": 3, "returns": 3}, "is no JSON object, but a int"),
        ],
    )
    def test_errors(self, read, data, says):
        """What is no envelope is refused, and told why."""
        with pytest.raises(BridgeError) as raised:
            read(data)
        assert says in str(raised.value)
        assert raised.value.code == "BRIDGE_ERROR"

    def test_no_child(self):
        """An invocation names a child."""
        with pytest.raises(BridgeError, match="names no child"):
            parse_invocation({"protocol_version": "1.0"})


def program(code):
    return [sys.executable, "-c", f"import sys, json, time; got = json.load(sys.stdin); {code}"]


class TestCalling:
    def test_answer(self):
        """A program reads the invocation and prints the result."""
        code = "print(json.dumps({'protocol_version': '1.0', 'final_state': got['child'], 'returns': got['args']}))"
        found = dispatch_foreign(program(code), build_invocation("M", {"a": 1}, None, {}))

        assert found == {"final_state": "M", "returns": {"a": 1}, "error": None}

    def test_status(self):
        """The exit status does not matter where there is a result."""
        code = "print(json.dumps({'protocol_version': '1.0', 'final_state': 'x'})); sys.exit(3)"

        assert dispatch_foreign(program(code), build_invocation("M", {}, None, {}))["final_state"] == "x"

    @pytest.mark.parametrize(
        ("argv", "says"),
        [
            (["no-such-program-here"], "not found: 'no-such-program-here'"),
            (program("sys.exit('b' * 1000)"), "exited 1: " + "b" * 300),
            (program("print('x')"), "no JSON"),
            ([], "a list of a program"),
            ("echo hi", "a list of a program"),
            (["/"], "cannot be started"),
        ],
    )
    def test_errors(self, argv, says):
        """What goes wrong is said."""
        with pytest.raises(BridgeError) as raised:
            dispatch_foreign(argv, build_invocation("M", {}, None, {}), timeout=60)
        assert says in str(raised.value)
        assert len(str(raised.value)) < 350

    def test_slow(self):
        """A runner that takes longer than it may is given up."""
        with pytest.raises(BridgeError, match=r"within 0\.3s"):
            dispatch_foreign(program("time.sleep(30)"), build_invocation("M", {}, None, {}), timeout=0.3)

    def test_only_json(self):
        """Only JSON values cross."""
        with pytest.raises(BridgeError, match="only JSON values"):
            dispatch_foreign(program(""), build_invocation("M", {"a": {1}}, None, {}))


class Handlers:
    add = staticmethod(add)


class TestCalled:
    @pytest.mark.parametrize("actions", [{"add": add}, Handlers()], ids=["mapping", "object"])
    def test_answer(self, run, actions):
        """A machine of ours runs with the arguments as its start values, and gives the declared returns."""
        invocation = build_invocation("Adder", {"a": 2, "b": 0.5}, None, {})
        found = run(answer_invocation(invocation, machines(), actions))

        assert found == make_result("done", {"sum": 2.5, "plain": False})

    def test_timers_and_children(self, run):
        """It may wait for timers, and invoke the other machines of its document."""
        found = run(answer_invocation(build_invocation("Later", {}, None, {}), machines(), {"add": add}))

        assert found == make_result("done", {"n": 42})

    @pytest.mark.parametrize(
        ("asked", "code", "says"),
        [
            (("Other", {}, None), "UNKNOWN_MACHINE", "there is: Adder, Later"),
            (("Adder", {"c": 1}, None), "UNKNOWN_PARAM", "takes no 'c'"),
            (("Adder", {"a": "1"}, None), "INVALID_PARAM", "'a' of 'Adder' is int, not str"),
            (("Adder", {"a": True}, None), "INVALID_PARAM", "not bool"),
            (("Adder", {}, 100), "SHOTS_ON_CLASSICAL_CHILD", "measures nothing"),
            (("Adder", {"who": "stuck"}, None), "CHILD_NOT_FINAL", "'stuck'"),
            (("Adder", {"b": None, "a": None}, None), "TypeError", "unsupported operand"),
        ],
    )
    def test_errors(self, run, asked, code, says):
        """What goes wrong is an error in the result."""
        found = run(answer_invocation(build_invocation(*asked, {}), machines(), {"add": add}))

        assert found["error"]["code"] == code
        assert says in found["error"]["message"]
        assert found["returns"] == {}

    def test_missing_action(self, run):
        """An action without a handler is an error, unless it may be passed over."""
        invocation = build_invocation("Adder", {}, None, {})

        assert run(answer_invocation(invocation, machines()))["error"]["code"] == "MISSING_ACTION"
        assert run(answer_invocation(invocation, machines(), lenient=True))["final_state"] == "done"

    def test_no_invocation(self, run):
        """What is no invocation is not answered."""
        with pytest.raises(BridgeError):
            run(answer_invocation("{}", machines()))


@pytest.fixture
def document(tmp_path, monkeypatch):
    path = tmp_path / "adder.orca.md"
    path.write_text(TEXT)
    (tmp_path / "bridge_handlers.py").write_text("def add(ctx):\n    print('adding')\n    return {'sum': ctx['a']}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    return str(path)


def asked(monkeypatch, data):
    text = data if isinstance(data, str) else json.dumps(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


class TestCommands:
    def test_describe(self, document, capsys):
        """`describe` prints the descriptor of the first machine, or of the one that is named."""
        assert main(["describe", document]) == 0
        assert json.loads(capsys.readouterr().out)["name"] == "Adder"
        assert main(["describe", document, "--machine", "Later"]) == 0
        assert json.loads(capsys.readouterr().out)["params"] == [{"name": "n", "type": "int"}]

    @pytest.mark.parametrize(("arguments", "status"), [(["--machine", "No"], 2), ([], 2)])
    def test_describe_nothing(self, document, capsys, arguments, status):
        """A machine or a file that is not there is wrong usage."""
        assert main(["describe", document if arguments else document + ".md", *arguments]) == status
        assert capsys.readouterr().err

    def test_describe_errors(self, tmp_path, capsys):
        """A document with errors is status 1, and they are shown."""
        path = tmp_path / "bad.orca.md"
        path.write_text("# machine M\n")

        assert main(["describe", str(path)]) == 1
        assert "NO_STATES" in capsys.readouterr().err

    def test_run(self, document, capsys, monkeypatch):
        """`run --bridge` answers one invocation; what actions print goes elsewhere."""
        asked(monkeypatch, build_invocation("Adder", {"a": 5}, None, {}))

        assert main(["run", document, "--bridge", "--actions", "bridge_handlers:"]) == 0
        written = capsys.readouterr()
        assert json.loads(written.out) == make_result("done", {"sum": 5, "plain": False})
        assert written.err == "adding\n"

    def test_run_failure(self, document, capsys, monkeypatch):
        """What fails in the machine is a result, and status 0."""
        asked(monkeypatch, build_invocation("Adder", {"zzz": 5}, None, {}))

        assert main(["run", document, "--bridge"]) == 0
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "UNKNOWN_PARAM"

    def test_run_nothing(self, document, capsys, monkeypatch):
        """What is no invocation is status 1, and a message."""
        asked(monkeypatch, "hello")

        assert main(["run", document, "--bridge"]) == 1
        assert "no JSON" in capsys.readouterr().err

    def test_machine_calls_machine(self, document, run, make):
        """A machine of ours calls another one of ours, over the bridge."""
        caller = make(
            "# machine Caller\n## context\n| Field | Type | Default |\n|---|---|---|\n| total | int | |\n"
            "## events\n- done\n## state a [initial]\n- invoke: Adder input: { a: 6 }\n- returns: { total: sum }\n- on_done: done\n"
            f"## state b [final]\n{ROWS}| a | done | | b | |\n"
        )
        here = str(Path(orca_bridge.__file__).parent.parent)
        command = (
            f"import sys; sys.path.insert(0, {here!r}); from orca_bridge.cli import main; sys.exit(main(sys.argv[1:]))"
        )
        arguments = ["run", document, "--bridge", "--actions", "bridge_handlers"]
        caller.register_foreign_runner(
            "Adder", [sys.executable, "-c", command, *arguments], descriptor_for(machines()[0])
        )
        run(caller.start())

        assert (caller.state, caller.context["total"]) == ("b", 6)
