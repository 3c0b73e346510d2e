"""`orca-bridge run`: a machine that is spoken with."""

from __future__ import annotations

import io
import json
import sys
import threading

import pytest

from orca_bridge.cli import main

ORDER = """\
# machine Order
## context
| Field | Type | Default |
|---|---|---|
| paid | list | [] |
| price | int | 10 |
## events
- pay(amount: int)
- cancel
- ship
- late
## state pending [initial]
- on_entry: remind
## state paid
## state shipped [final]
## state cancelled [final]
## transitions
| Source | Event | Guard | Target | Action |
|---|---|---|---|---|
| pending | pay | enough and not free | paid | take |
| pending | cancel | | cancelled | |
| pending | late | | cancelled | |
| paid | ship | | shipped | load-van |
| paid | pay | else | paid | |
## guards
| Name | Expression |
|---|---|
| enough | `event.amount >= ctx.price` |
| free | `ctx.price == 0` |

---

# machine Other
## state only [initial]
"""
HANDLERS = """\
class Handlers:
    def remind(self, ctx, *, machine):
        machine.send("late", delay=20)

    def take(self, ctx, event):
        ctx["paid"].append(event["amount"])

    def load_van(self, ctx):
        raise ValueError("no van")


class Waiting(Handlers):
    async def take(self, ctx, event):
        return {"paid": [event["amount"]]}


def nothing():
    pass


mapping = {"remind": nothing, "take": nothing, "load-van": nothing}
failing = {**mapping, "remind": lambda ctx: ctx["nothing"]}
"""
PAID = {"event": "pay", "payload": {"amount": 12}}


@pytest.fixture
def document(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "order_handlers", raising=False)
    (tmp_path / "order_handlers.py").write_text(HANDLERS)
    path = tmp_path / "order.md"
    path.write_text(ORDER)
    return path.name


@pytest.fixture
def run(document, monkeypatch, capsys):
    """Pipe lines to the machine; gives the status, the answers, and the messages."""

    def piped(lines, *options):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        status = main(["run", document, *options])
        out, err = capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    return piped


@pytest.fixture
def typed(document, monkeypatch, capsys):
    """Type lines at a terminal; gives the status and the lines that are seen."""
    monkeypatch.setenv("NO_COLOR", "1")

    def at_terminal(lines, *options):
        terminal = io.StringIO("".join(f"{line}\n" for line in lines))
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        status = main(["run", document, "--clock", "manual", *options])
        return status, capsys.readouterr().out.splitlines()

    return at_terminal


ACTIONS = ("--actions", "order_handlers:Handlers")


class TestPiped:
    def test_a_line_for_each_line(self, run):
        """Each event has one line of JSON for an answer."""
        status, answers, err = run([json.dumps(PAID), '{"event": "cancel"}'], *ACTIONS)

        assert (status, err) == (0, "")
        assert answers[0] == {
            "event": "pay",
            "taken": True,
            "from_state": "pending",
            "to_state": "paid",
            "guard_failed": False,
            "ignored": False,
            "error": None,
            "changed": {"paid": [12]},
            "final": False,
        }
        assert answers[1]["error"] == "no active state has a row for 'cancel'; it is taken in pending"

    @pytest.mark.parametrize("line", ["pay amount=12", 'pay {"amount": 12}', json.dumps(PAID)])
    def test_ways_to_write_an_event(self, run, line):
        """An event may be piped as it is typed."""
        _, answers, _ = run([line], *ACTIONS)

        assert [answer["to_state"] for answer in answers] == ["paid"]

    def test_a_guard_that_fails(self, run):
        """A refusal says which guard was false, and with which values."""
        _, answers, _ = run(["pay amount=3"], *ACTIONS)

        assert answers[0]["guard_failed"]
        assert answers[0]["error"] == (
            "pending pay [enough and not free] -> paid (line 20): its guard is false "
            "with event.amount = 3, ctx.price = 10"
        )

    def test_events_nobody_knows(self, run):
        """A name that the document does not know is answered with the nearest one."""
        _, answers, _ = run(["shop"], *ACTIONS)

        assert answers[0]["error"] == "the machine knows no event 'shop'; is 'ship' meant?"

    def test_a_failing_action(self, run):
        """What an action raises is shown, and the status is 1."""
        status, answers, _ = run(["pay amount=12", "ship"], *ACTIONS)

        assert status == 1
        assert (answers[-1]["error"], answers[-1]["final"]) == ("ValueError: no van", True)

    def test_the_end(self, run):
        """Lines behind the end of the machine are not read."""
        status, answers, _ = run(["cancel", "pay amount=12"], *ACTIONS)

        assert status == 0
        assert [answer["to_state"] for answer in answers] == ["cancelled"]

    @pytest.mark.parametrize(
        ("line", "part"),
        [
            ("{", "is no JSON"),
            ('{"payload": {}}', "names no event"),
            ('{"event": "pay", "payload": 5}', "the payload 5 is no object"),
            ("pay 5", "'5' is no name=value"),
            ("pay '", "No closing quotation"),
            (":never", "there is no command ':never'; there are: :help"),
            (":wait soon", "write ':wait 5s'"),
        ],
    )
    def test_lines_that_cannot_be_read(self, run, line, part):
        """A line that cannot be read is answered, is wrong usage, and the next one is read."""
        status, answers, _ = run([line, "cancel"], *ACTIONS)

        assert status == 2
        assert part in answers[0]["error"]
        assert answers[1]["final"]

    def test_asynchronous_actions(self, run):
        """Actions may be coroutine functions."""
        _, answers, _ = run(["pay amount=12"], "--actions", "order_handlers:Waiting", "--clock", "manual")

        assert answers[0]["changed"] == {"paid": [12]}


class TestTime:
    def test_advancing(self, run):
        """With --clock manual time passes when a line says so."""
        _, answers, _ = run([":wait 19ms", '{"advance": 0.001}'], *ACTIONS, "--clock", "manual")

        assert [(answer["event"], answer["to_state"]) for answer in answers] == [(None, "pending"), (None, "cancelled")]

    def test_real_time(self, document, monkeypatch, capsys):
        """With the real clock a timer fires while nobody writes anything."""

        class Waiting(io.StringIO):
            def __next__(self):
                # Longer than the test: only the end of the machine ends the conversation.
                threading.Event().wait(30)
                raise StopIteration

        monkeypatch.setattr(sys, "stdin", Waiting())

        assert main(["run", document, *ACTIONS]) == 0
        assert json.loads(capsys.readouterr().out)["to_state"] == "cancelled"

    def test_advancing_the_real_clock(self, run):
        """Real time cannot be advanced by saying so."""
        status, answers, _ = run([":wait 5s"], *ACTIONS)

        assert status == 2
        assert answers == [{"error": "real time cannot be advanced; run with --clock manual"}]


class TestOptions:
    def test_missing_handlers(self, run):
        """Without handlers nothing runs; all of them are named, and what to do."""
        status, answers, err = run(["cancel"])

        assert (status, answers) == (1, [])
        assert "no handler for 'remind', 'take', 'load-van'" in err
        assert "--lenient" in err

    def test_lenient(self, run):
        """With --lenient an action without a handler is passed over, and named."""
        status, answers, _ = run(["pay amount=12"], "--lenient")

        assert status == 0
        assert answers[0]["skipped"] == ["take"]

    @pytest.mark.parametrize("name", ["order_handlers:mapping", "order_handlers:Handlers", "order_handlers:Waiting"])
    def test_actions(self, run, name):
        """Handlers are a mapping, or a class with methods."""
        status, _, err = run([], "--actions", name)

        assert (status, err) == (0, "")

    def test_a_failing_start(self, run):
        """An action of the initial entry that fails is a message and status 1."""
        status, _, err = run([], "--actions", "order_handlers:failing")

        assert status == 1
        assert "orca-bridge: the machine failed at its start: KeyError: 'nothing'" in err

    def test_context(self, run):
        """Values to start with are given as JSON."""
        _, answers, _ = run(["pay amount=3", ":context"], *ACTIONS, "--context", '{"price": 2}')

        assert answers[0]["taken"]
        assert answers[1]["context"] == {"paid": [3], "price": 2}

    def test_another_machine(self, run):
        """--machine picks a machine of the document."""
        _, answers, _ = run([":state"], "--machine", "Other")

        assert answers == [{"command": "state", "state": "only", "context": {}, "takes": []}]

    @pytest.mark.parametrize(
        ("options", "part"),
        [
            (
                ["--machine", "Odrer"],
                "order.md defines no machine 'Odrer'; is 'Order' meant?; it defines: Order, Other",
            ),
            (["--actions", "order_handlers:Nobody"], "write MODULE:ATTR"),
            (["--actions", "nobody_at_all:x"], "No module named 'nobody_at_all'"),
            (["--context", "{"], "--context is no JSON: "),
            (["--context", "[]"], '--context is no JSON object, such as {"name": "value"}'),
        ],
    )
    def test_wrong_usage(self, run, options, part):
        """What cannot be used is named, and the status is 2."""
        status, _, err = run([], *options)

        assert status == 2
        assert part in err

    def test_documents_with_errors(self, document, capsys):
        """A document with errors does not run; they are printed."""
        with open(document, "w") as file:  # noqa: PTH123 - the working directory is the test's
            file.write(ORDER.replace("| paid | ship |", "| piad | ship |"))

        assert main(["run", document]) == 1
        assert "UNKNOWN_STATE" in capsys.readouterr().err

    @pytest.mark.parametrize("file", ["-", "nobody.md"])
    def test_no_document(self, document, capsys, file):
        """Events come from standard input, so a document cannot; a missing one is status 2 as well."""
        assert main(["run", file]) == 2
        assert "orca-bridge: " in capsys.readouterr().err


class TestTerminal:
    def test_a_conversation(self, typed):
        """On a terminal one sees where the machine is, what it takes, and why it refuses something."""
        status, seen = typed(["pay amount=3", "pay amount=12", "pay", "ship"], *ACTIONS)

        assert status == 1
        assert seen == [
            "Order: type an event, or :help",
            "in pending",
            "  takes pay(amount: int) (guarded), cancel, late",
            "> refused",
            "  pending pay [enough and not free] -> paid (line 20): its guard is false with",
            "    event.amount = 3, ctx.price = 10",
            ">   paid = [12]",
            "pending -> paid",
            "  takes pay(amount: int), ship",
            "> stays in paid",
            "  takes pay(amount: int), ship",
            "> failed: ValueError",
            "  no van",
            "paid -> shipped",
            "the machine has ended",
        ]

    def test_without_handlers(self, typed):
        """Who types without handlers sees which actions would run."""
        _, seen = typed(["pay amount=12", ":quit", "ship"])

        assert seen[1] == "  no handler, passed over: remind"
        assert seen[4:6] == [">   no handler, passed over: take", "pending -> paid"]

    def test_commands(self, typed):
        """Commands show what can be typed, the values, and the state."""
        _, seen = typed([":help", ":context", ":state", ":wait 1ms", ""])

        assert "  :quit               end" in seen
        assert "  price = 10" in seen
        assert "".join(seen[-1].split()) == ">>"

    def test_mistakes_cost_nothing(self, typed):
        """A line that cannot be read can be typed again."""
        status, seen = typed(["pay 5"])

        assert status == 0
        assert "> '5' is no name=value" in "\n".join(seen)

    def test_width(self, typed):
        """No line is wider than 80 columns."""
        _, seen = typed(["pay amount=3", "pay 5", ":help", ":nothing"])

        # Where somebody types, the line ends behind the prompt.
        assert max(len(line.removeprefix("> ")) for line in seen) <= 80


BELL = """\
# machine Bell
## state still [initial]
- on go -> still : ring
- on stop -> done
## state done [final]
## actions
| Name | Signature |
|---|---|
| ring | `(ctx) -> Context + Effect<Sound>` |
"""
SOUND = """\
def sound(effect):
    raise OSError("no hammer")

mapping = {"Sound": sound}
"""


class TestEffects:
    @pytest.fixture
    def bell(self, document, tmp_path, monkeypatch):
        monkeypatch.delitem(sys.modules, "bell_handlers", raising=False)
        (tmp_path / "bell.md").write_text(BELL)
        (tmp_path / "bell_handlers.py").write_text(SOUND)
        return ["run", "bell.md", "--actions", "bell_handlers:mapping", "--clock", "manual"]

    def test_piped(self, bell, monkeypatch, capsys):
        """An effect that fails is told with the event that led to it, and with no other; it is no failure of the run."""
        monkeypatch.setattr(sys, "stdin", io.StringIO("go\nstop\n"))

        assert main(bell) == 0
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert answers[0]["effect_errors"] == [{"effect": "Sound", "action": "ring", "error": "no hammer"}]
        assert "effect_errors" not in answers[1]

    def test_typed(self, bell, monkeypatch, capsys):
        """Who types sees it in a line."""
        terminal = io.StringIO("go\n")
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        main(bell)

        assert "  the effect Sound of ring failed: no hammer" in capsys.readouterr().out
