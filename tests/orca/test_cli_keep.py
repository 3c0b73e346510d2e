"""`orca-bridge run` over several calls: what is kept, what is logged, and the machines that are invoked."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from orca_bridge.cli import main

TRIP = """\
# machine Trip
## context
| Field | Type | Default |
|---|---|---|
| room | string | |
| nights | int | 2 |
## events
- leave
- wait-a-bit
## state home [initial]
- ignore: wait-a-bit
- on leave -> booking
## state booking
- invoke: Hotel input: { nights: ctx.nights } returns: { room: number }
- on_done: -> done
- on_error: -> failed
- timeout: 10s -> failed
## state done [final]
## state failed [final]

---

# machine Hotel
## context
| Field | Type | Default |
|---|---|---|
| nights | int | 0 |
| number | string | |
## state asking [initial]
- on give -> given : take
- invoke: Porter
## state given [final]
## actions
| Name | Signature |
|---|---|
| take | `(ctx, event) -> Context` |

---

# machine Porter
## state waiting [initial]
- on ring -> coming : bow
## state coming
"""
HANDLERS = """\
def take(ctx, event):
    return {"number": event["number"]}

mapping = {"take": take, "bow": lambda: None}
"""
ACTIONS = ("--actions", "trip_handlers:mapping")
KEPT = ("--persist", "kept", "--run-id", "one")


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self):
        return True


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Pipe lines to the machine; gives the status, the answers, and the messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "trip_handlers", raising=False)
    Path("trip_handlers.py").write_text(HANDLERS)
    Path("trip.md").write_text(TRIP)

    def piped(lines, *options, actions=ACTIONS, document="trip.md"):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        status = main(["run", document, *actions, *options])
        out, err = capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    return piped


class TestChildren:
    def test_events_reach_them(self, run):
        """What a state invokes runs, and is sent events by the path of the state."""
        status, answers, _ = run(
            ["leave", "@booking/asking ring", '{"event": "give", "child": "booking", "payload": {"number": "7"}}']
        )

        assert status == 0
        assert [answer.get("children") for answer in answers] == [
            {"booking": "asking", "booking/asking": "waiting"},
            {"booking": "asking", "booking/asking": "coming"},
            None,
        ]
        assert answers[2]["child"] == "booking"
        assert (answers[2]["to_state"], answers[2]["changed"]) == ("done", {"room": "7"})

    def test_refusals_are_theirs(self, run):
        """Why an event is refused is said of the machine that it is for."""
        _, answers, _ = run(["leave", "@booking leave", "@nobody give", "@booking", '{"event": "x", "child": 5}'])

        assert answers[1]["error"] == "the machine knows no event 'leave'"
        assert answers[2]["error"] == "no machine runs at 'nobody' now; there are: @booking, @booking/asking"
        assert "write '@booking EVENT'" in answers[3]["error"]
        assert "the child 5 is no text" in answers[4]["error"]

    def test_their_handlers_are_missed(self, run):
        """A missing handler of a machine that is invoked is told before anything runs, or passed over."""
        status, _, err = run(["leave"], actions=())
        assert (status, "no handler for 'take'" in err) == (1, True)

        status, answers, _ = run(["leave", "@booking give", ":state"], "--lenient", actions=())
        assert status == 0
        assert answers[1]["skipped"] == ["take"]

    def test_what_is_defined_nowhere(self, run):
        """A machine that is invoked and not defined is told at once."""
        Path("trip.md").write_text(TRIP.split("\n---\n", maxsplit=1)[0])
        _, answers, err = run(["leave"])

        assert err == "orca-bridge: 'Hotel' is invoked, and trip.md does not define it: the invoke will fail\n"
        assert answers[0]["to_state"] == "failed"

    def test_they_are_seen(self, run, monkeypatch, capsys):
        """On a terminal one sees what runs, and what it takes."""
        run([])
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "stdin", Terminal("leave\n:help\n@booking give number=7\n"))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        main(["run", "trip.md", *ACTIONS])

        seen = capsys.readouterr().out.splitlines()
        assert seen[3:8] == [
            "> home -> booking",
            "  takes no event by name",
            "  @booking: Hotel in asking",
            "    takes give",
            "  @booking/asking: Porter in waiting",
        ]
        assert "  @STATE pay          send an event to what this state invokes" in seen


class TestPersist:
    def test_goes_on(self, run):
        """The next call goes on where the last one ended, children and time included."""
        run(["leave", ":wait 4s"], *KEPT, "--clock", "manual")
        status, answers, _ = run([":state", ":wait 5s", ":wait 1s"], *KEPT, "--clock", "manual")

        assert status == 0
        assert answers[0]["state"] == "booking"
        assert answers[0]["children"] == {"booking": "asking", "booking/asking": "waiting"}
        assert [answer["to_state"] for answer in answers[1:]] == ["booking", "failed"]

    def test_nothing_else_is_written(self, run, monkeypatch):
        """Beside what is kept, a run leaves nothing behind, not even what Python makes of the handlers' module."""
        monkeypatch.setattr(sys, "dont_write_bytecode", False)
        before = {one.name for one in Path().iterdir()}
        run(["leave"], *KEPT)

        assert {one.name for one in Path().rglob("*")} - before == {"kept", "one.json"}

    def test_from_the_start(self, run):
        """The start is kept too, with the values that it was given."""
        run([], *KEPT, "--context", '{"nights": 9}')
        _, answers, err = run([":context"], *KEPT, "--context", '{"nights": 1}')

        assert answers[0]["context"]["nights"] == 9
        assert err == "orca-bridge: the run 'one' goes on where it was; --context is for a new one\n"

    def test_a_run_that_has_ended(self, run):
        """A run that has ended stays so."""
        run(["leave", "@booking give number=7"], *KEPT)
        status, answers, _ = run(["leave"], *KEPT)

        assert (status, answers[0]["error"], answers[0]["final"]) == (0, "the machine has ended", True)

    @pytest.mark.parametrize(
        ("content", "part"), [("{", "half written"), ("[]", "no JSON object"), ("{}", "no entry 'format'")]
    )
    def test_damaged_files(self, run, content, part):
        """A file that is damaged or half written is named, and not taken for a fresh start."""
        run([], *KEPT)
        Path("kept/one.json").write_text(content)
        status, answers, err = run(["leave"], *KEPT)

        assert (status, answers) == (2, [])
        assert err.startswith("orca-bridge: kept/one.json ")
        assert part in err
        assert Path("kept/one.json").read_text() == content

    def test_another_definition(self, run):
        """What another definition has kept is refused, with the differences."""
        run(["leave"], *KEPT)
        Path("trip.md").write_text(TRIP.replace("state done", "state arrived").replace("-> done", "-> arrived"))
        status, _, err = run([":state"], *KEPT)

        assert status == 2
        first, *differences = err.splitlines()
        assert first == "orca-bridge: kept/one.json was saved by another definition:"
        assert {"- TripRun.trip: the state 'done' is gone", "- TripRun.trip: the state 'arrived' is new"} <= {
            *differences
        }

    @pytest.mark.parametrize(
        ("options", "part"),
        [
            (("--persist", "kept"), "give one with --run-id"),
            (("--run-id", "one"), "give the folder with --persist"),
            (("--persist", "kept", "--run-id", "../one"), "'../one' is no run id"),
            (("--persist", "trip.md", "--run-id", "one"), "trip.md cannot be used"),
            (("--bridge", "--log", "x"), "--log has no use there"),
            (("--bridge", "--clock", "manual"), "--clock manual has no use there"),
        ],
    )
    def test_wrong_usage(self, run, options, part):
        """What cannot be kept is told before anything runs."""
        status, answers, err = run(["leave"], *options)

        assert (status, answers) == (2, [])
        assert part in err

    def test_what_cannot_be_kept(self, run):
        """A value that has no form as JSON ends the run, and what was kept before stays."""
        Path("trip_handlers.py").write_text(HANDLERS.replace('event["number"]', "object()"))
        run(["leave"], *KEPT)
        kept = Path("kept/one.json").read_text()
        status, _, err = run(["@booking give number=7"], *KEPT)

        assert status == 1
        assert err.count("the state cannot be saved") == 1
        assert Path("kept/one.json").read_text() == kept


class TestLog:
    def test_a_line_for_each_transition(self, run):
        """Every transition of every machine is a line; later runs append theirs."""
        log = ("--log", "logs/trip.jsonl", "--run-id", "one", "--persist", "kept")
        run(["wait-a-bit", "leave"], *log)
        run(["@booking give number=7"], *log)

        lines = [json.loads(line) for line in Path("logs/trip.jsonl").read_text().splitlines()]
        assert all(line["run_id"] == "one" and line["ts"].endswith("Z") for line in lines)
        assert [
            (line["machine"], line["event"], line["from"], line["to"], line["context_delta"]) for line in lines
        ] == [
            ("Trip", "leave", "home", "booking", {}),
            ("Hotel", "give", "asking", "given", {"number": 7}),
            ("Trip", "done.invoke.booking", "booking", "done", {"room": 7}),
        ]

    def test_timeouts(self, run):
        """A timer that fires is the event `timeout`."""
        run(["leave", ":wait 10s"], "--log", "log", "--clock", "manual")

        assert json.loads(Path("log").read_text().splitlines()[-1])["event"] == "timeout"

    def test_a_log_that_cannot_be_written(self, run):
        """Where no log can be written nothing runs; one that fills the disk is told once, and the machine goes on."""
        status, _, err = run(["leave"], "--log", "trip.md/x")
        assert (status, "--log: trip.md/x cannot be written" in err) == (2, True)

        if Path("/dev/full").exists():
            status, answers, err = run(["leave", "@booking/asking ring"], "--log", "/dev/full")
            assert (status, len(answers)) == (0, 2)
            assert err == "orca-bridge: --log: /dev/full cannot be written: No space left on device\n"
