"""The demo: what it finds in a log, what it says, and what it says to a log that is none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from examples.purchase_to_pay import command
from examples.purchase_to_pay.case import ACTIVITIES, COLLECTIONS, Case
from examples.purchase_to_pay.cases import group
from examples.purchase_to_pay.log import EventLogError, read_log
from examples.purchase_to_pay.machines import Material, PurchaseOrder, states_of
from examples.purchase_to_pay.picture import picture
from examples.purchase_to_pay.replay import replay

ROOT = Path(__file__).parents[2]
SMALL_LOG = ROOT / "examples" / "purchase_to_pay" / "small.jsonocel"

VIOLATIONS = [
    ("PR5", "e8", "PR5", "expected"),
    ("PR3", "e15", "drill3", "received"),
    ("PR4", "e20", "IV4", "received"),
    ("PR3", "e26", "drill3", "verified"),
    ("PR7", "e27", "PR7", "ordered"),
    ("PR6", "e33", "GR6", "expected"),
    ("PR5", "e36", "PO5", "awaited"),
    ("PR4", "e44", "IV4", "received"),
    ("PR7", "e48", "IV7", "expected"),
    ("PR8", "e52", "GR8b", "expected"),
    ("PR8", "e71", "PO8", "accepted"),
    ("PR8", "e81", "IV7", "received"),
    ("PR4", "e82", "IV4", "cleared"),
    ("PR8", "e88", "PO8", "settled"),
]
"""Case, event, object and state of every deliberate violation of the small log."""

SMOOTH = (
    ("Create Purchase Requisition", "PR M1 M2"),
    ("Create Purchase Order", "PR PO M1 M2"),
    ("Receive Goods", "PO GR M1 M2"),
    ("Issue Goods Receipt", "PO GR M1 M2"),
    ("Verify Material", "M1 M2"),
    ("Plan Goods Issue", "M1 M2"),
    ("Receive Invoice", "PO IV"),
    ("Goods Issue", "M1 M2"),
    ("Clear Invoice", "PO GR IV"),
)
TYPES = {"PR": "PURCHREQ", "PO": "PURCHORD", "GR": "GDSRCPT", "IV": "INVOICE", "M": "MATERIAL"}


def document(steps):
    """Make a log of activities and objects; an object's type shows in the beginning of its id."""
    start = datetime.fromisoformat("2024-01-01T00:00:00Z")
    events = {
        f"e{number}": {
            "ocel:activity": activity,
            "ocel:timestamp": (start + timedelta(hours=number)).isoformat(),
            "ocel:omap": objects.split(),
        }
        for number, (activity, objects) in enumerate(steps, 1)
    }
    names = dict.fromkeys(name for _, objects in steps for name in objects.split())
    return {
        "ocel:events": events,
        "ocel:objects": {name: {"ocel:type": TYPES[re.match("[A-Z]+", name)[0]]} for name in names},
    }


@pytest.fixture
def write(tmp_path):
    """Write something into a file; what is no text is written as JSON."""

    def write(content):
        path = tmp_path / "log.jsonocel"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


@pytest.fixture
def read(write):
    return lambda content: read_log(write(content), types=COLLECTIONS, activities=ACTIVITIES)


@pytest.fixture
def replayed(read):
    return lambda *steps: replay(read(document(steps)))


def found(result):
    return [
        (misfit.case, misfit.event.id, misfit.refusals[0].object_id, "+".join(misfit.refusals[0].states))
        for misfit in result.misfits
    ]


def run(*arguments, **options):
    """Run the demo as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "examples.purchase_to_pay", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        **options,
    )


class TestSmallLog:
    @pytest.fixture
    def result(self):
        return replay(read_log(SMALL_LOG, types=COLLECTIONS, activities=ACTIVITIES))

    def test_finds_the_violations_and_nothing_else(self, result):
        """Every deliberate violation is found, in the order of the log, and nothing else is."""
        assert found(result) == VIOLATIONS
        assert (len(result.log.events), result.fitted, len(result.cases)) == (89, 75, 8)

    def test_tells_its_own_violations(self):
        """The file itself says what is wrong with each of these events, and the README lists them."""
        told = json.loads(SMALL_LOG.read_text(encoding="utf-8"))["ocel:global-log"]["violations"]
        readme = (SMALL_LOG.parent / "README.md").read_text(encoding="utf-8")

        assert list(told) == [event for _, event, _, _ in VIOLATIONS]
        for case, event, who, _state in VIOLATIONS:
            assert re.search(rf"^\| {case} +\| {event} +\| .*{who}", readme, re.MULTILINE), event
            assert told[event] in readme

    def test_goes_on_after_a_misfit(self, result):
        """A refused event leaves the case as it was, so that the right one is taken later."""
        ended = {name for name, case in result.cases.items() if case.case.is_complete}

        assert ended == {"PR1", "PR2", "PR3", "PR4", "PR5", "PR7"}

    def test_says_what_was_allowed(self, result):
        """A refusal names what would have been taken, or the condition that does not hold."""
        told = {misfit.event.id: (misfit.refusals[0].reason, misfit.refusals[0].allowed) for misfit in result.misfits}
        invoicing = ("receive_invoice", "Receive Invoice")

        assert told["e15"] == (
            "materials[drill3] is in received, where nothing is enabled for 'issue'",
            (("store", "Issue Goods Receipt"),),
        )
        assert told["e20"] == (
            "invoices[IV4].clear is forbidden by the guard Case.goods_first: it needs some(receipts.issued), but 0 of 1 receipts are in issued",
            (),
        )
        assert told["e36"] == (
            "orders[PO5] is in open_awaited, where 'receive_goods' needs all_materials",
            (invoicing,),
        )
        assert told["e52"][0].startswith("receipts[GR8b].receive is forbidden by the guard Case.one_receipt")
        assert told["e52"][1] == ()
        assert told["e71"][0] == "orders[PO8] has no part in 'Verify Material', which is for materials"
        assert told["e81"] == ("invoices[IV7] belongs to another case, PR7", (("clear", "Clear Invoice"),))

    def test_asks_everybody(self, result):
        """All who refuse are told, in the order in which the activity names them."""
        told = {misfit.event.id: [refusal.object_id for refusal in misfit.refusals] for misfit in result.misfits}

        assert told["e20"] == ["IV4", "PO4"]
        assert told["e27"] == ["PR7", "PO7b", "bolt7", "nut7"]


class TestRules:
    def test_takes_the_smooth_case(self, replayed):
        """The life cycles fit together."""
        result = replayed(*SMOOTH)

        assert result.misfits == ()
        assert result.cases["PR"].is_smooth

    @pytest.mark.parametrize("place", range(len(SMOOTH)))
    def test_refuses_every_event_a_second_time(self, replayed, place):
        """No event of a case can happen twice, and the second one changes nothing."""
        result = replayed(*SMOOTH[: place + 1], *SMOOTH[place:])

        assert [misfit.event.id for misfit in result.misfits] == [f"e{place + 2}"]
        assert result.cases["PR"].case.is_complete

    @pytest.mark.parametrize("place", range(len(SMOOTH)))
    def test_misses_every_event_that_is_left_out(self, replayed, place):
        """Without any one of its events a case does not reach its end."""
        result = replayed(*SMOOTH[:place], *SMOOTH[place + 1 :])

        assert not next(iter(result.cases.values())).is_smooth

    def test_pays_invoices_one_by_one(self, replayed):
        """The order is settled, and the receipt closed, by the clearing that pays the last invoice."""
        before = *SMOOTH[:4], ("Receive Invoice", "PO IV1"), ("Receive Invoice", "PO IV2 IV3")
        half = replayed(*before, ("Clear Invoice", "PO GR IV1 IV2")).cases["PR"].case
        whole = replayed(*before, ("Clear Invoice", "PO GR IV1 IV2"), ("Clear Invoice", "PO GR IV3")).cases["PR"].case

        assert (states_of(half.orders["PO"]), states_of(half.receipts["GR"])) == (("accepted",), ("issued",))
        assert half.orders["PO"].context == {"materials": 2, "unpaid": 1}
        assert (states_of(whole.orders["PO"]), states_of(whole.receipts["GR"])) == (("settled",), ("closed",))

    def test_lets_materials_go_their_own_ways(self, replayed):
        """Verifying and planning come in either order, for each material."""
        apart = (
            ("Verify Material", "M1"),
            ("Plan Goods Issue", "M2 M1"),
            ("Goods Issue", "M1"),
            ("Verify Material", "M2"),
            ("Goods Issue", "M2"),
        )

        assert replayed(*SMOOTH[:4], *apart, SMOOTH[6], SMOOTH[8]).cases["PR"].is_smooth

    def test_has_room_for_one_order_and_one_receipt(self, replayed):
        """The first that the log speaks of is the one; another is refused, also in the same event."""
        other = [(activity, objects.replace("PO", "PO2")) for activity, objects in SMOOTH[:2]]
        ordered = replayed(*SMOOTH[:2], other[1])
        received = replayed(*SMOOTH[:2], ("Receive Goods", "PO GR GR2 M1 M2"), SMOOTH[2])

        assert "PO2" in [refusal.object_id for refusal in ordered.misfits[0].refusals]
        assert found(received) == [("PR", "e3", "GR2", "expected")]

    def test_needs_an_order_and_a_receipt(self, replayed):
        """A case whose log never speaks of them has not come to its end, though everybody in it has."""
        lonely = [(activity, re.sub(r"\b(PO|GR)\b ?", "", objects)) for activity, objects in SMOOTH[:8]]
        case = replayed(*(step for step in lonely if step[0] != "Receive Invoice")).cases["PR"]

        assert case.misfits == ()
        assert case.case.is_terminated
        assert not case.is_smooth


class TestAtomicity:
    """One event of the log is one joint event: all the objects that it touches move, or none does."""

    def case_after(self, log, number):
        case = Case(group(log).cases["PR"].types)
        for event in log.events[:number]:
            assert case.take(event) == ()
        return case

    def test_moves_nobody(self, read):
        """Objects that could have moved are where they were."""
        log = read(document([*SMOOTH[:5], ("Plan Goods Issue", "M1"), ("Goods Issue", "M1 M2")]))
        case = self.case_after(log, 6)
        before = case.configuration

        assert [refusal.object_id for refusal in case.take(log.events[6])] == ["M2"]
        assert case.configuration == before
        assert states_of(case.materials["M1"]) == ("ready",)

    def test_leaves_the_context_of_a_document(self, read):
        """An order's count of unpaid invoices has not changed either."""
        log = read(document([*SMOOTH[:7], ("Clear Invoice", "PO GR2 IV")]))
        case = self.case_after(log, 7)
        before = case.configuration

        assert [refusal.object_id for refusal in case.take(log.events[7])] == ["GR2"]
        assert case.configuration == before
        assert case.orders["PO"].context == {"materials": 2, "unpaid": 1}


class TestCases:
    def test_keeps_requisitions_apart(self, replayed):
        """An event that would join two requisitions joins nothing, and the cases go on."""
        two = [(activity, re.sub(r"(\w+)", r"\1b", objects)) for activity, objects in SMOOTH]
        crossing = ("Clear Invoice", "PO GR IVb")

        result = replayed(*SMOOTH[:8], *two[:8], crossing, SMOOTH[8], two[8])

        assert found(result) == [("PR", "e17", "IVb", "received")]
        assert {name: (case.fitted, case.case.is_complete) for name, case in result.cases.items()} == {
            "PR": (9, True),
            "PRb": (9, True),
        }

    def test_names_a_case_without_requisition_after_its_first_object(self, replayed):
        """Objects that no requisition asked for are a case as well, and say what is missing."""
        result = replayed(("Receive Invoice", "PO IV"))

        assert found(result) == [("PO", "e1", "PO", "expected")]

    def test_joins_what_came_before_the_requisition(self, replayed):
        """The order of events does not decide who belongs together."""
        result = replayed(("Receive Invoice", "PO IV"), *SMOOTH)

        assert list(result.cases) == ["PR"]
        assert [misfit.event.id for misfit in result.misfits] == ["e1"]

    def test_reports_an_event_that_touches_nothing(self, write, capsys):
        """It belongs to no case, and cannot have happened."""
        log = document([("Goods Issue", ""), *SMOOTH])

        assert command.main([str(write(log))]) == 0
        assert (
            "1. case -, event e1: Goods Issue, 2024-01-01 01:00\n     it touches no object.\n"
            in capsys.readouterr().out
        )

    def test_blames_no_newcomer(self, replayed):
        """An object that is first mentioned by an event that joins two cases belongs to neither."""
        two = [(activity, re.sub(r"(\w+)", r"\1b", objects)) for activity, objects in SMOOTH]

        result = replayed(*SMOOTH[:4], *two[:4], ("Receive Invoice", "IV9 POb PO"))

        assert found(result) == [("PRb", "e9", "PO", "accepted")]
        assert [case.fitted for case in result.cases.values()] == [4, 4]

    def test_reports_an_event_between_cases_that_do_not_exist(self, replayed):
        """Two requisitions that only a joining event mentions make no case."""
        result = replayed(("Create Purchase Requisition", "PR1 PR2 M1"))

        assert found(result) == [("PR1", "e1", "PR2", "")]
        assert result.cases == {}


class TestReading:
    def test_sorts_by_time_then_by_id(self, read):
        """Numbers in ids count as numbers."""
        content = document([("Goods Issue", "M1")] * 12)
        for record in content["ocel:events"].values():
            record["ocel:timestamp"] = "2024-01-01T00:00:00Z"
        content["ocel:events"]["e3"]["ocel:timestamp"] = "2023-12-31T23:00:00-02:00"
        log = read(content)

        assert [event.id for event in log.events] == ["e1", "e2", *(f"e{number}" for number in range(4, 13)), "e3"]
        assert not log.in_order

    def test_takes_times_with_and_without_zone(self, read):
        """A time without a zone is one of UTC, so that all can be compared."""
        content = document([("Goods Issue", "M1")] * 2)
        content["ocel:events"]["e1"]["ocel:timestamp"] = "2024-01-01T00:00:00"
        content["ocel:events"]["e2"]["ocel:timestamp"] = "2024-01-01 00:30:00+01:00"

        assert [event.id for event in read(content).events] == ["e2", "e1"]

    def test_takes_a_byte_order_mark_and_repeated_objects(self, read):
        """What other tools write without meaning it is no mistake."""
        content = document([("Goods Issue", "M1 M1")])

        assert read(b"\xef\xbb\xbf" + json.dumps(content).encode()).events[0].objects == ("M1",)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ('{"ocel:events": {\n  "e1": }', "this is no JSON: Expecting value at line 2, column 9"),
            (b'{"a": "\xff"}', "this is no UTF-8 text: invalid start byte at byte 7"),
            ("[" * 100_000, "this is no log: its JSON is nested too deeply"),
            ('{"a": 1' + "0" * 5000 + "}", "this is no JSON that can be read: Exceeds the limit (4300 digits)"),
            ('{"a": {"e1": 1, "e1": 2}}', "the key 'e1' stands twice in one object, so one of them would be lost"),
            ([], "this is JSON but no OCEL 1.0 log: it is a list, not an object"),
            ({"ocel:events": {}}, "this is JSON but no OCEL 1.0 log: the key 'ocel:objects' is missing"),
            ({"ocel:objects": {}}, "this is JSON but no OCEL 1.0 log: the key 'ocel:events' is missing"),
            ({"ocel:events": [], "ocel:objects": {}}, "'ocel:events' is a list, not an object of events by id"),
            ({"eventTypes": [], "events": []}, "this is an OCEL 2.0 log, and only OCEL 1.0 is read here"),
            (
                {"ocel:events": {}, "ocel:objects": {}},
                "the log is empty: 'ocel:events' has no event, so there is nothing to replay",
            ),
        ],
    )
    def test_refuses_what_is_no_log(self, read, content, problem):
        """The message says what the file is instead, and where."""
        with pytest.raises(EventLogError) as caught:
            read(content)

        assert caught.value.problems[0].startswith(problem)
        assert str(caught.value).startswith(f"{caught.value.path}: {problem}")

    @pytest.mark.parametrize(
        ("key", "value", "problem"),
        [
            (
                "ocel:activity",
                "Receive Godos",
                "event 'e1' is of the unknown activity 'Receive Godos'; did you mean 'Receive Goods'?",
            ),
            ("ocel:activity", 7, "event 'e1': 'ocel:activity' is a number, not text"),
            ("ocel:timestamp", "yesterday", "event 'e1': 'ocel:timestamp' is no ISO 8601 time: 'yesterday'"),
            ("ocel:timestamp", None, "event 'e1': 'ocel:timestamp' is null, not text"),
            ("ocel:omap", ["M1", "M9"], "event 'e1' touches the object 'M9', which 'ocel:objects' does not have"),
            ("ocel:omap", [1], "event 'e1': 'ocel:omap' holds a number, not only ids of objects"),
            ("ocel:omap", "M1", "event 'e1': 'ocel:omap' is text, not a list"),
        ],
    )
    def test_names_the_event_that_is_wrong(self, read, key, value, problem):
        """An event that cannot be read is named with its key."""
        content = document([("Goods Issue", "M1")])
        content["ocel:events"]["e1"][key] = value

        with pytest.raises(EventLogError) as caught:
            read(content)

        assert caught.value.problems == (problem,)

    def test_names_the_object_that_is_wrong(self, read):
        """An unknown type is told with the nearest one."""
        content = document([("Goods Issue", "M1 M2 M3")])
        content["ocel:objects"].update(M1={"ocel:type": "material"}, M2={}, M3=[])

        with pytest.raises(EventLogError) as caught:
            read(content)

        assert caught.value.problems == (
            "object 'M1' is of the unknown type 'material'; did you mean 'MATERIAL'?",
            "object 'M2': the key 'ocel:type' is missing",
            "object 'M3' is a list, not an object",
        )

    def test_tells_all_problems_at_once(self, read):
        """Ten of them in full, the others by number."""
        content = document([("Goods Issue", "M1")] * 12)
        for record in content["ocel:events"].values():
            del record["ocel:timestamp"]

        with pytest.raises(EventLogError) as caught:
            read(content)

        lines = str(caught.value).splitlines()
        assert lines[0].endswith("log.jsonocel has 12 problems:")
        assert lines[1] == "  - event 'e1': the key 'ocel:timestamp' is missing"
        assert lines[11:] == ["  and 2 more"]


class TestCommand:
    def test_prints_what_a_user_wants_to_see(self, capsys):
        """How much fitted, what did not and why, where the cases ended, and a picture."""
        assert command.main([]) == 0

        printed, errors = capsys.readouterr()
        assert printed.startswith(
            "small.jsonocel: 89 events, 53 objects, 8 cases\n"
            "from 2024-03-04 08:05 to 2024-03-12 09:25\n"
            "\n"
            "75 of 89 events fitted, 14 did not.\n"
            "2 of 8 cases ran to the end without a misfit.\n"
        )
        assert (
            "  3. case PR4, event e20: Clear Invoice, 2024-03-07 11:20\n"
            "     invoices[IV4].clear is forbidden by the guard Case.goods_first: it needs\n"
            "     some(receipts.issued), but 0 of 1 receipts are in issued.\n"
            "     Allowed there: nothing.\n"
            "     Refused as well by PO4 in awaited.\n"
        ) in printed
        assert (
            "PR6          7/8      ordered     accepted   issued    1 ready      1 received\n"
            "                                                       1 planned\n"
        ) in printed
        assert 'subgraph orders_1["PURCHORD PO3"]' in printed
        assert errors == ""
        assert max(len(line) for line in printed.partition("```")[0].splitlines()) <= 80

    def test_prints_the_same_every_time(self):
        """The output depends on the log alone."""
        first, second = (run(env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in "12")

        assert first == second

    def test_limits_what_it_lists(self, capsys):
        """Of many misfits and cases only some are shown, those with something to tell first."""
        assert command.main(["--limit", "2"]) == 0

        printed = capsys.readouterr().out
        assert "... and 12 more misfits (--limit 0 shows all)" in printed
        assert "... and 6 more cases (--limit 0 shows all)" in printed
        assert re.findall(r"^(PR\d) ", printed, re.MULTILINE) == ["PR3", "PR4"]

    def test_draws_another_case(self, capsys):
        """The case to draw can be chosen."""
        assert command.main(["--case", "PR6"]) == 0

        assert "Case PR6 as a picture" in capsys.readouterr().out

    def test_says_which_cases_there_are(self, capsys):
        """A case that the log does not have is an unusable argument."""
        assert command.main(["--case", "PR66"]) == 2
        assert capsys.readouterr() == ("", "small.jsonocel has no case 'PR66'; did you mean 'PR6'?\n")

    def test_says_that_the_file_was_not_in_order(self, write, capsys):
        """The replay sorts, and tells."""
        content = document(SMOOTH)
        content["ocel:events"] = dict(reversed(content["ocel:events"].items()))
        content["ocel:objects"]["M9"] = {"ocel:type": "MATERIAL"}

        assert command.main([str(write(content))]) == 0
        printed = capsys.readouterr().out
        assert "The file is not in order of time; replayed sorted by time, then by id.\n" in printed
        assert "No event touches 1 object; left out.\n" in printed

    def test_shows_what_would_steer_a_terminal(self, write, capsys):
        """Ids come from the file, and are shown rather than sent."""
        content = json.dumps(document(SMOOTH)).replace('"M2"', '"M\\u001b[2J\\ud800"')

        assert command.main([str(write(content)), "--limit", "1"]) == 0
        assert capsys.readouterr().out.isascii()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["missing.jsonocel"], "missing.jsonocel: there is no such file\n"),
            (["examples"], "examples: this is a directory; name a file in it\n"),
            (["README.jsonocel", "--limit", "few"], "'few' is no number of lines; write 0, 1, 2, ...\n"),
        ],
    )
    def test_ends_with_2_if_the_input_cannot_be_used(self, arguments, message):
        """One clear line on stderr, nothing on stdout."""
        ended = run(*arguments)

        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.endswith(message)
        assert "Traceback" not in ended.stderr

    def test_explains_itself(self):
        """The help says what goes in and what the exit status means."""
        ended = run("--help")

        assert ended.returncode == 0
        assert "Exit status: 0 the replay ran, 2 the input cannot be used, 130 interrupted." in ended.stdout

    @pytest.mark.parametrize("moment", ["examples.purchase_to_pay.machines", "examples.purchase_to_pay.log.read_log"])
    def test_ends_with_130_if_interrupted(self, moment):
        """No traceback, whatever is under way: loading the machines, or work."""
        module, _, function = moment.rpartition(".")
        interrupted = f"""
import importlib, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {moment!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
if {function!r} == "read_log":
    setattr(importlib.import_module({module!r}), {function!r}, lambda *_, **__: signal.raise_signal(signal.SIGINT))
sys.argv[1:] = []
runpy.run_module("examples.purchase_to_pay", run_name="__main__", alter_sys=True)
"""
        ended = subprocess.run(
            [sys.executable, "-c", interrupted], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )

        assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "\ninterrupted\n")

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX pipe")
    def test_ends_quietly_if_nobody_reads(self):
        """A reader such as `head` may leave early."""
        reader, writer = os.pipe()
        os.close(reader)
        ended = subprocess.run(
            [sys.executable, "-m", "examples.purchase_to_pay"],
            cwd=ROOT,
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
        os.close(writer)

        assert (ended.returncode, ended.stderr) == (0, b"")

    def test_shows_progress_on_a_terminal(self, monkeypatch, capsys):
        """Every fifty events, wiped at the end; never into a file."""
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

        command.main([])

        wiped = " " * len("replaying: 50 of 89 events")
        assert capsys.readouterr().err == f"\rreplaying: 50 of 89 events\r{wiped}\r"


class TestPicture:
    def lines(self, read, *steps):
        log = read(document(steps))
        return [line.strip() for line in picture(group(log).cases["PR"])]

    def test_shows_machines_states_and_the_way_taken(self, read):
        """Active states are marked; thick arrows carry the ids of the events."""
        lines = self.lines(read, *SMOOTH[:3])

        assert 'subgraph materials_2["MATERIAL M2"]' in lines
        assert 'orders_1_open_delivered("delivered"):::active' in lines
        assert 'orders_1_open_awaited("awaited"):::passed' in lines
        assert 'orders_1_settled(["settled"])' in lines
        assert 'orders_1_expected ==>|"place: e2"| orders_1_open' in lines
        assert 'orders_1_open_delivered -->|"accept_goods"| orders_1_open_accepted' in lines

    def test_shows_events_that_lead_nowhere_else_at_the_state(self, read):
        """They have no arrow."""
        lines = self.lines(read, *SMOOTH[:4], ("Receive Invoice", "PO IV1"), ("Receive Invoice", "PO IV2"))

        assert 'subgraph orders_1_open["open #40;receive_invoice: e5, e6#41;"]' in lines
        assert 'orders_1_open_accepted("accepted<br/>clear_invoice"):::active' in lines

    def test_shows_loops_at_the_state(self, read):
        """A loop has no arrow either, whose text would cover that of the next one."""
        lines = self.lines(read, *SMOOTH)

        assert 'receipts_1_issued("issued<br/>clear: e9"):::passed' in lines
        assert 'receipts_1_issued ==>|"close: e9"| receipts_1_closed' in lines

    def test_leaves_out_what_was_refused(self, read):
        """A refused event has taken no way."""
        lines = self.lines(read, *SMOOTH[:4], ("Clear Invoice", "PO GR IV"), *SMOOTH[4:])

        assert 'invoices_1_received ==>|"clear: e10"| invoices_1_cleared' in lines
        assert not any("e5" in line for line in lines)

    def test_balances_its_boxes(self, read):
        """Every box is closed."""
        lines = self.lines(read, *SMOOTH)

        assert sum(line.startswith("subgraph") for line in lines) == lines.count("end")

    def test_writes_odd_ids_by_number(self, read):
        """Nothing in an id can end a text, or mean something to Mermaid."""
        content = json.dumps(document(SMOOTH)).replace('"M2"', '"M\\"]<b>"')
        log = read(content)

        assert '    subgraph materials_2["MATERIAL M#34;#93;#60;b#62;"]' in picture(group(log).cases["PR"])


class TestDocuments:
    @pytest.mark.parametrize("machine", [PurchaseOrder, Material])
    def test_are_portable_and_described(self, machine):
        """The documents use what every Orca tool reads, apart from what they say on purpose."""
        assert {warning.code for warning in machine.warnings} <= {"PORT_EMPTY_TARGET", "PORT_GUARD_OPERAND"}
        assert machine.definition.description
        assert all(state.description for state in machine.definition.states)


class TestRealLog:
    @pytest.fixture
    def path(self):
        corpus = os.environ.get("CORPUS_DIR")
        path = Path(corpus or "", "data", "ocel", "p2p-normal.jsonocel")
        if not corpus or not path.is_file():
            pytest.skip("CORPUS_DIR names no folder with data/ocel/p2p-normal.jsonocel in it")
        return path

    def test_replays_without_a_misfit(self, path):
        """720 events over 781 objects in 80 cases, and every object reaches its end."""
        begun = time.perf_counter()
        result = replay(read_log(path, types=COLLECTIONS, activities=ACTIVITIES))
        took = time.perf_counter() - begun

        assert (len(result.log.events), len(result.log.types), len(result.cases)) == (720, 781, 80)
        assert found(result) == []
        assert (result.fitted, sum(case.is_smooth for case in result.cases.values())) == (720, 80)
        assert took < 30, "meant to be a few seconds; the bound is for busy machines"

    def test_notices_a_change(self, path, write):
        """Exchanging two events of a case is noticed."""
        content = json.loads(path.read_text(encoding="utf-8"))
        events = content["ocel:events"]
        events["2"]["ocel:timestamp"], events["3"]["ocel:timestamp"] = (
            events["3"]["ocel:timestamp"],
            events["2"]["ocel:timestamp"],
        )

        result = replay(read_log(write(content), types=COLLECTIONS, activities=ACTIVITIES))

        assert found(result)[0] == ("PURCHREQ0", "3", "GDSRCPT0", "expected")
