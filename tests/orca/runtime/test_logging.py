"""Log sinks."""

import io
import json
import re

import pytest

from orca_bridge.runtime import ConsoleSink, FileSink, LogSink, MultiSink

ROWS = "## transitions\n| Source | Event | Target | Action |\n|---|---|---|---|\n"
TEXT = f"""\
# machine Lamp
## context
| Field | Type | Default |
|---|---|---|
| n | int | 0 |
## events
- go
## state off [initial]
## state on
- timeout: 1s -> off
{ROWS}| off | go | on | count |
"""


class Kept:
    def __init__(self):
        self.entries, self.closed = [], 0

    def write(self, entry):
        self.entries.append(entry)

    def close(self):
        self.closed += 1


class Broken(Kept):
    def write(self, entry):
        raise OSError("no space")

    def close(self):
        raise OSError("no space")


def count(ctx):
    ctx.pop("gone", None)
    return {"n": ctx["n"] + 1}


class TestEntries:
    def test_entries(self, run, make, clock):
        """There is one entry per microstep, with what has changed in the context."""
        sink = Kept()
        machine = make(TEXT, log_sink=sink, run_id="r1", actions={"count": count}, context={"gone": 1, "stays": 2})
        run(machine.start())
        run(machine.send("go"))
        run(clock.advance(1))
        entries = [{key: value for key, value in entry.items() if key != "ts"} for entry in sink.entries]

        common = {"run_id": "r1", "machine": "Lamp"}
        assert entries == [
            common | {"event": "go", "from": "off", "to": "on", "context_delta": {"n": 1, "gone": None}},
            common | {"event": "timeout", "from": "on", "to": "off", "context_delta": {}},
        ]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", sink.entries[0]["ts"])

    def test_failure(self, run, make, caplog):
        """A sink that fails is logged, and the machine goes on."""
        machine = make(TEXT, log_sink=Broken())
        run(machine.start())

        assert run(machine.send("go")).taken
        assert "a log sink failed" in caplog.text


ENTRY = {
    "ts": "2026-01-02T03:04:05.000006Z",
    "machine": "Lamp",
    "event": "go",
    "from": "off",
    "to": "on",
    "context_delta": {"n": 1, "who": "me"},
}


class TestSinks:
    def test_file(self, tmp_path):
        """Entries are lines of JSON at the end of a file, written at once."""
        path = tmp_path / "new" / "log.jsonl"
        for _ in range(2):
            sink = FileSink(path)
            sink.write(ENTRY | {"odd": {1}})
            assert path.read_text().endswith("}\n")
            sink.close()
        lines = [json.loads(line) for line in path.read_text().splitlines()]

        assert [line["machine"] for line in lines] == ["Lamp", "Lamp"]
        assert isinstance(sink, LogSink)

    @pytest.mark.parametrize("where", ["given", "standard output"])
    def test_console(self, capsys, where):
        """Entries are lines for people."""
        file = io.StringIO()
        sink = ConsoleSink(file) if where == "given" else ConsoleSink()
        sink.write(ENTRY)
        sink.close()

        written = file.getvalue() if where == "given" else capsys.readouterr().out
        assert written == "[03:04:05] Lamp           off → on  (go)  n=1  who=me\n"

    def test_several(self, caplog):
        """One sink that fails does not keep entries from the others."""
        kept = Kept()
        sink = MultiSink(Broken(), kept)
        sink.write(ENTRY)
        sink.close()

        assert (kept.entries, kept.closed) == ([ENTRY], 1)
        assert caplog.text.count("a log sink failed") == 2
        assert repr(sink) == "MultiSink(2 sinks)"
