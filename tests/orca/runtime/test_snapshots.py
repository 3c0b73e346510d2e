"""Snapshots, going on from them, and keeping them."""

import asyncio
import json
import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum

import pytest

from orca_bridge.runtime import (
    AsyncPersistenceAdapter,
    FilePersistence,
    PersistenceAdapter,
    SnapshotError,
    dump_snapshot,
    load_snapshot,
    register_codec,
)

ROWS = "## transitions\n| Source | Event | Target | Action |\n|---|---|---|---|\n"
TEXT = f"""\
# machine Job
- version: 2.0.0
## context
| Field | Type | Default |
|---|---|---|
| n | int | 0 |
| log | list | [] |
## events
- go
- back
- done
## state idle [initial]
## state busy
- on_entry: note
- timeout: 10s -> idle
### state first [initial]
- on_entry: note
- invoke: Child
- on_done: done
### state second
## state over [final]
{ROWS}| idle | go | busy | note |
| first | done | second | note |
| second | go | over | note |
---
# machine Child
## events
- fin
## state waiting [initial]
## state ok [final]
{ROWS}| waiting | fin | ok | |
"""


@pytest.fixture
def job(make, run):
    """A machine in the middle of its work."""
    machine = make(TEXT, context={"n": 5})
    run(machine.start())
    run(machine.send("go"))
    return machine


def again(make, called=None):
    """The same machine in another process, as it were."""
    return make(TEXT, actions={"note": (called if called is not None else []).append})


class TestSnapshot:
    def test_content(self, run, job, clock):
        """A snapshot says everything that is needed to go on."""
        run(clock.advance(4))
        snap = job.snapshot()

        assert snap["format"] == "orca_bridge/1"
        assert (snap["machine"], snap["definition_version"], snap["final"]) == ("Job", "2.0.0", False)
        assert snap["state"] == {"busy": {"first": {}}}
        assert snap["context"] == {"n": 5, "log": []}
        assert snap["children"]["first"]["state"] == "waiting" if "first" in snap["children"] else True
        assert snap["children"]["busy.first"]["machine"] == "Child"
        assert snap["active_invoke"] == "busy.first"
        assert [(timer["state"], timer["index"], timer["remaining"]) for timer in snap["timers"]] == [("busy", 0, 6.0)]
        assert json.loads(json.dumps(snap)) == snap

    def test_copy(self, job):
        """A snapshot is a copy."""
        snap = job.snapshot()
        job.context["log"].append(1)

        assert snap["context"]["log"] == []

    def test_hash(self, make):
        """The hash is one of what the document means, not of where things stand in it."""
        first, moved = make(TEXT), make("<!-- a remark -->\n\n" + TEXT)
        other = make(TEXT.replace("10s", "11s"))

        assert first.snapshot()["definition_hash"] == moved.snapshot()["definition_hash"]
        assert first.snapshot()["definition_hash"] != other.snapshot()["definition_hash"]


class TestResume:
    def test_where_it_was(self, run, make, job, clock, told):
        """A resumed machine is where it was, with its child and its timer, and no action has run."""
        run(clock.advance(4))
        snap, called = job.snapshot(), []
        told.events.clear()
        machine = again(make, called)
        run(machine.resume(snap))

        assert (machine.state, machine.context, called) == ({"busy": {"first": {}}}, {"n": 5, "log": []}, [])
        assert told.payloads("MACHINE_STARTED")[0] == {"machine": "Job", "initial_state": "busy.first", "resumed": True}
        run(clock.advance(6))
        assert machine.state == "idle"

    def test_child_goes_on(self, run, make, job):
        """The child of a resumed machine can be driven to its end."""
        machine = again(make, [])
        machine.unregister_action("note")
        run(machine.resume(job.snapshot()))
        run(machine.children["busy.first"].send("fin"))

        assert (machine.state.leaf(), machine.children) == ("second", {})

    def test_child_by_name(self, run, make, job):
        """The published runtime saves the child of a nested state under the name of the state; it goes on all the same."""
        snap = job.snapshot()
        child = snap["children"].pop("busy.first")
        machine = again(make)
        run(machine.resume({**snap, "children": {"first": child | {"context": {"mark": 1}}}, "active_invoke": "first"}))

        assert machine.children["busy.first"].context["mark"] == 1

    def test_active(self, run, job):
        """A machine that is active is not resumed."""
        snap = job.snapshot()
        run(job.send("done"))
        run(job.resume(snap))

        assert job.state.leaf() == "second"

    def test_restore(self, run, job, told):
        """An active machine can be put back."""
        snap = job.snapshot()
        run(job.send("done"))
        told.events.clear()
        run(job.restore(snap))

        assert (job.state.leaf(), list(job.children)) == ("first", ["busy.first"])
        assert "STATE_CHANGED" not in told.names

    def test_part(self, run, make):
        """A part of a snapshot is enough; what it leaves out is as at a start."""
        machine = again(make)
        run(machine.resume({"state": {"busy": {"first": {}}}, "context": {"n": 9}}))

        assert machine.context == {"n": 9, "log": []}
        assert list(machine.children) == ["busy.first"]

    def test_deadline(self, run, make, job, clock):
        """Timers may also be due when they would have been."""
        snap = job.snapshot()
        snap["timers"][0]["due"] = 0
        machine = again(make)
        run(machine.resume(snap, timers="deadline"))
        run(clock.advance(0))

        assert machine.state == "idle"

    def test_final(self, run, make, job):
        """A machine that had ended has ended."""
        run(job.send("done"))
        run(job.send("go"))
        machine = again(make)
        run(machine.resume(job.snapshot()))

        assert (machine.is_final, machine.is_active) == (True, True)
        assert "finished" in run(machine.send("go")).error

    def test_eventless(self, run, make):
        """What follows by itself from where a machine is, follows."""
        text = f"# machine M\n## state a [initial]\n## state b\n## state c [final]\n{ROWS}| b | | c | |\n"
        machine = make(text)
        run(machine.resume({"state": "b"}))

        assert machine.state == "c"

    def test_queue(self, run, make):
        """Events that were waiting are handled."""
        machine = again(make)
        run(machine.resume({"state": "idle", "queue": [{"event": "go", "payload": {"a": 1}}]}))

        assert machine.state.leaf() == "first"


class TestRefusal:
    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"machine": "Other"}, "is one of machine 'Other', and this is 'Job'"),
            ({"state": "idel"}, "there is no state 'idel'; is 'idle' meant?"),
            ({"state": {"busy": {"third": {}}}}, "there is no state 'busy.third'"),
            ({"state": "busy"}, "of the states in 'busy' one is active, not none"),
            ({"state": {"busy": {"first": {}, "second": {}}}}, "not 'busy.first', 'busy.second'"),
            ({"state": {"idle": {}, "over": {}}}, "in 'idle' and 'over' at the same time"),
            ({"state": None}, "has no state"),
        ],
    )
    def test_misfit(self, run, make, job, change, says):
        """What does not fit is refused with what is wrong, and nothing has changed."""
        machine = again(make)

        with pytest.raises(SnapshotError) as raised:
            run(machine.resume(job.snapshot() | change))
        assert says in str(raised.value)
        assert (machine.is_active, machine.state) == (False, "idle")

    def test_misfit_of_child(self, run, make, job):
        """What does not fit a child is found before anything has changed, too."""
        snap = job.snapshot()
        snap["children"]["busy.first"]["state"] = "wating"
        machine = again(make)

        with pytest.raises(SnapshotError, match="is 'waiting' meant"):
            run(machine.resume(snap))
        assert not machine.is_active

    def test_version(self, run, make, job):
        """Another version is a warning that names both."""
        with pytest.warns(UserWarning, match=r"1\.9.*2\.0\.0"):
            run(again(make).resume(job.snapshot() | {"definition_version": "1.9"}))

    def test_migrate(self, run, make, job):
        """A migration makes an old snapshot one of today."""
        old = job.snapshot() | {"definition_version": "1.9", "state": "resting"}
        machine = make(TEXT, migrate=lambda snap: snap | {"state": "idle", "definition_version": "2.0.0"})
        run(machine.resume(old))

        assert (machine.state, old["state"]) == ("idle", "resting")

    def test_changed(self, run, make, job, caplog):
        """A document that has changed under the same version is logged."""
        run(make(TEXT.replace("10s", "11s")).resume(job.snapshot()))

        assert "has changed since its snapshot" in caplog.text

    def test_missing_sibling(self, run, make, job):
        """A child whose machine is not registered is left out with a warning."""
        machine = make(TEXT.partition("\n---\n")[0] + "\n")
        with pytest.warns(UserWarning, match="no sibling machine"):
            run(machine.resume(job.snapshot()))

        assert machine.children == {}


class Memory:
    """A store in memory, synchronous or not."""

    def __init__(self, *, is_async):
        self.snapshots, self.saved, self.is_async = {}, [], is_async

    def answer(self, value):
        async def later():
            await asyncio.sleep(0)
            return value

        return later() if self.is_async else value

    def save(self, run_id, snapshot):
        self.snapshots[run_id] = snapshot
        self.saved.append(snapshot["state"])
        return self.answer(None)

    def load(self, run_id):
        return self.answer(self.snapshots.get(run_id))

    def exists(self, run_id):
        return self.answer(run_id in self.snapshots)


@pytest.fixture(params=["sync", "async", "files"])
def store(request, tmp_path):
    if request.param == "files":
        return FilePersistence(tmp_path / "runs")
    return Memory(is_async=request.param == "async")


class TestPersistence:
    def test_goes_on(self, run, make, store):
        """A run that was saved goes on in another process; one that was not begins."""
        first = make(TEXT, persistence=store, run_id="run-1")
        run(first.load_or_start())
        assert first.state == "idle"
        run(first.send("go"))
        second = make(TEXT, persistence=store, run_id="run-1")
        run(second.load_or_start())

        assert (second.state.leaf(), second.is_active) == ("first", True)
        assert isinstance(store, PersistenceAdapter)
        assert isinstance(store, AsyncPersistenceAdapter)

    def test_when(self, run, make, clock):
        """It is saved after each step that took a transition, also of timers and children, and no other."""
        store = Memory(is_async=False)
        machine = make(TEXT)
        machine.set_persistence_adapter(store, "run-1")
        run(machine.start())
        run(machine.send("nothing"))
        assert store.saved == []
        run(machine.send("go"))
        run(machine.children["busy.first"].send("fin"))
        run(clock.advance(10))

        assert store.saved == [{"busy": {"first": {}}}, {"busy": {"second": {}}}, "idle"]

    def test_failure(self, run, make):
        """A store that fails is an error of the caller; the machine has moved."""

        class Full(Memory):
            def save(self, run_id, snapshot):
                raise OSError("full")

        machine = make(TEXT, persistence=Full(is_async=False), run_id="run-1")
        run(machine.start())
        with pytest.raises(OSError, match="full"):
            run(machine.send("go"))

        assert machine.state.leaf() == "first"

    def test_no_run_id(self, run, make):
        """Without a run id nothing is saved, and nothing is loaded."""
        store = Memory(is_async=False)
        machine = make(TEXT, persistence=store)
        run(machine.load_or_start())
        run(machine.send("go"))

        assert store.saved == []


class Colour(Enum):
    RED = 1


@dataclass
class Point:
    x: int
    tags: set


class TestFiles:
    @pytest.mark.parametrize("run_id", ["../up", "", "a/b", ".hidden", "x" * 129, None])
    def test_run_ids(self, tmp_path, run_id):
        """A run id that could leave the folder is refused."""
        store = FilePersistence(tmp_path)
        for use in (store.load, store.exists, lambda one: store.save(one, {})):
            with pytest.raises(ValueError, match="no run id"):
                use(run_id)

    def test_files(self, tmp_path):
        """A run is one file, and nothing else stays in the folder."""
        store = FilePersistence(tmp_path)
        store.save("run-1", {"state": "a"})
        store.save("run-1", {"state": "b"})
        with pytest.raises(SnapshotError):
            store.save("run-1", {"state": object()})

        assert [path.name for path in tmp_path.iterdir()] == ["run-1.json"]
        assert (store.load("run-1"), store.load("run-2"), store.exists("run-2")) == ({"state": "b"}, None, False)
        assert repr(store).startswith("FilePersistence(")

    @pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b""])
    def test_damaged(self, run, make, tmp_path, content):
        """A file that cannot be read is an error, and no fresh start."""
        (tmp_path / "run-1.json").write_bytes(content)
        machine = make(TEXT, persistence=FilePersistence(tmp_path), run_id="run-1")

        with pytest.raises(SnapshotError, match=r"run-1\.json"):
            run(machine.load_or_start())
        assert not machine.is_active

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            1.5,
            "ü",
            [1, [2]],
            {"a": {"b": 1}},
            {1: "a", None: "b"},
            {"$orca": "mine"},
            datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
            date(2026, 1, 2),
            time(3, 4),
            timedelta(days=-3, microseconds=7),
            Decimal("1.10"),
            b"\x00\xff",
            {1, 2},
            frozenset({"a"}),
            (1, (2, b"x")),
            Colour.RED,
            Point(1, {2}),
        ],
        ids=repr,
    )
    def test_values(self, value):
        """Values that JSON does not know come back as they were."""
        register_codec(Colour)
        register_codec(Point)
        found = load_snapshot(dump_snapshot({"context": {"v": value}}))["context"]["v"]

        assert found == value
        assert type(found) is type(value)

    def test_unknown_values(self):
        """What has no form is refused by the name of its field."""
        with pytest.raises(SnapshotError, match=r"'context\.items\[1\]' is .* cannot hold a object"):
            dump_snapshot({"context": {"items": [1, object()]}})
        with pytest.raises(TypeError, match="neither a dataclass nor an Enum"):
            register_codec(int)

    @pytest.mark.parametrize("tagged", [["dataclass", ["no.Such", {}]], ["decimal", "x"], ["odd", 1], 3])
    def test_unknown_tags(self, tagged):
        """What cannot be read back is refused."""
        with pytest.raises(SnapshotError):
            load_snapshot(json.dumps({"v": {"$orca": tagged}}))


def test_no_warnings(run, make, job):
    """Going on from a snapshot of the same document warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(again(make).resume(job.snapshot()))
