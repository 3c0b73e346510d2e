"""Ready observers, fed with records by hand."""

from __future__ import annotations

import asyncio
import contextvars
import io
import json
import logging
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError, replace
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from statemachines_orchestrator.exceptions import MissingExtraError, OrchestratorError, RecordFileError
from statemachines_orchestrator.observers import (
    JsonLinesObserver,
    LogObserver,
    ObservedStep,
    OpenTelemetryObserver,
    StepList,
    UnfinishedLineWarning,
    _running,
    describe,
    read_records,
)
from statemachines_orchestrator.system import (
    EventHeld,
    EventRefused,
    LinkFired,
    Moved,
    StepEnded,
    StepStarted,
    TimerChanged,
)


def started(step=1, address="order", event="process"):
    return StepStarted(step=step, at=0.0, address=address, event=event)


def ended(step=1, configuration="order=processing", error=None):
    return StepEnded(step=step, at=0.5, configuration=configuration, error=error, put_back=error is not None)


def moved(step=1, *, address="order", event="process", left=("pending",), entered=("processing",), cause=None):
    return Moved(step=step, address=address, event=event, left=left, entered=entered, cause=cause)


CHARGED = LinkFired(step=1, link="Shop.charge", source="order", target="payment", event="authorize")
HELD = EventHeld(step=1, link="Shop.charge", address="payment", event="authorize")
REFUSED = EventRefused(step=1, address="payment", event="authorize", why="it is in voided", link="Shop.charge")
TIMER = TimerChanged(step=1, change="set", due=12.5, address="order", event="cancel", link="Shop.remind")

ONE_OF_EACH = (started(), moved(), CHARGED, HELD, REFUSED, TIMER, ended())


def feed(observer, *records):
    for record in records:
        observer(record)


def feed_step(observer, step, address, *between, error=None):
    feed(observer, started(step, address, "go"), *between, ended(step, f"{address}=there", error))


text = st.text(st.characters(exclude_categories=()), max_size=20)
"""Any text, lone surrogates and line feeds included."""
maybe = st.none() | text
number = st.integers(min_value=0, max_value=2**70)
seconds = st.floats(allow_nan=False)
states = st.lists(text, max_size=4).map(tuple)
records = st.one_of(
    st.builds(StepStarted, step=number, at=seconds, address=maybe, event=maybe),
    st.builds(StepEnded, step=number, at=seconds, configuration=text, error=maybe, put_back=st.booleans()),
    st.builds(Moved, step=number, address=text, event=maybe, left=states, entered=states, cause=maybe),
    st.builds(LinkFired, step=number, link=text, source=text, target=text, event=maybe),
    st.builds(EventHeld, step=number, link=text, address=text, event=text),
    st.builds(EventRefused, step=number, address=text, event=text, why=text, link=maybe),
    st.builds(
        TimerChanged,
        step=number,
        change=st.sampled_from(["set", "cancelled", "fired"]),
        due=seconds,
        address=text,
        event=maybe,
        link=maybe,
    ),
)


class TestDescribe:
    @pytest.mark.parametrize(
        ("record", "line"),
        [
            (started(), "step 1: started by order.process"),
            (started(address=None, event=None), "step 1: started"),
            (started(address=None, event="Shop.abort"), "step 1: started by Shop.abort"),
            (ended(), "step 1: ended in order=processing"),
            (ended(configuration=""), "step 1: ended"),
            (ended(error="ValueError: no stock"), "step 1: failed and was put back: ValueError: no stock"),
            (
                replace(ended(error="ValueError: no stock"), put_back=False),
                "step 1: failed and was not put back: ValueError: no stock",
            ),
            (moved(), "step 1: order.process: pending -> processing"),
            (moved(cause="Shop.charge"), "step 1: order.process: pending -> processing (Shop.charge)"),
            (moved(event=None, left=("a", "b"), entered=("c", "d")), "step 1: order: a, b -> c, d"),
            (moved(event=None, left=()), "step 1: order: -> processing"),
            (moved(left=(), entered=()), "step 1: order.process: no change of state"),
            (CHARGED, "step 1: Shop.charge fires after order and sends payment.authorize"),
            (replace(CHARGED, source=""), "step 1: Shop.charge fires and sends payment.authorize"),
            (replace(CHARGED, target="", event=None), "step 1: Shop.charge fires after order"),
            (HELD, "step 1: payment.authorize is held (Shop.charge)"),
            (REFUSED, "step 1: payment.authorize is refused (Shop.charge): it is in voided"),
            (replace(REFUSED, link=None), "step 1: payment.authorize is refused: it is in voided"),
            (TIMER, "step 1: timer for order.cancel set, due at 12.5 (Shop.remind)"),
            (replace(TIMER, change="fired", event=None), "step 1: timer for order fired (Shop.remind)"),
        ],
    )
    def test_words(self, record, line):
        """Every kind of record has its sentence."""
        assert describe(record) == line

    @given(records)
    def test_one_line(self, record):
        """It is one line, whatever texts the record holds."""
        assert len(describe(record).splitlines()) == 1


class TestLogObserver:
    def test_lines(self, caplog):
        """Each record is a line at the level that was asked for."""
        caplog.set_level(logging.DEBUG)

        feed(LogObserver(level=logging.DEBUG), *ONE_OF_EACH)

        assert [one.getMessage() for one in caplog.records] == [describe(one) for one in ONE_OF_EACH]
        assert {(one.name, one.levelno) for one in caplog.records} == {
            ("statemachines_orchestrator.steps", logging.DEBUG)
        }

    @pytest.mark.parametrize(("level", "expected"), [(logging.INFO, logging.WARNING), (logging.ERROR, logging.ERROR)])
    def test_failure(self, caplog, level, expected):
        """A failed step is at least a warning."""
        LogObserver(level=level)(ended(error="ValueError"))

        assert [one.levelno for one in caplog.records] == [expected]

    def test_record_is_kept(self, caplog):
        """Handlers and filters find the record itself."""
        LogObserver(level=logging.WARNING)(CHARGED)

        assert caplog.records[0].inspection is CHARGED

    def test_lazy(self, caplog, monkeypatch):
        """No text is made for a handler that does not want the record."""
        asked = []
        monkeypatch.setattr("statemachines_orchestrator.observers._log.describe", asked.append)
        logger = logging.getLogger("test_observers.lazy")
        logger.propagate = False
        logger.setLevel(logging.INFO)
        logger.addHandler(handler := logging.StreamHandler(io.StringIO()))
        handler.setLevel(logging.CRITICAL)

        feed(LogObserver(logger), *ONE_OF_EACH)
        feed(LogObserver(logger, logging.DEBUG), *ONE_OF_EACH)

        assert asked == []

    def test_adapter(self, caplog):
        """A logger adapter can say which of many orchestrators it is."""

        class Named(logging.LoggerAdapter):
            def process(self, msg, kwargs):
                return f"{self.extra['name']}: {msg}", kwargs

        adapter = Named(logging.getLogger("shops"), {"name": "shop 17"})

        LogObserver(adapter, logging.WARNING)(HELD)

        assert caplog.messages == ["shop 17: step 1: payment.authorize is held (Shop.charge)"]

    def test_repr(self):
        """It says where to and at which level."""
        assert repr(LogObserver()) == "<LogObserver statemachines_orchestrator.steps at INFO>"
        assert repr(LogObserver(logging.getLogger("shop"), 15)) == "<LogObserver shop at Level 15>"


class TestJsonLinesObserver:
    @given(st.lists(records, max_size=8))
    def test_round_trip(self, some):
        """What was written is read again, whatever texts it holds."""
        file = io.StringIO()

        feed(JsonLinesObserver(file), *some)

        assert list(read_records(file.getvalue().split("\n"))) == some

    def test_file(self, tmp_path):
        """A path is opened, and read again by name, as a string or a path."""
        path = tmp_path / "steps.jsonl"

        with JsonLinesObserver(path) as observer:
            feed(observer, *ONE_OF_EACH)

        assert tuple(read_records(path)) == ONE_OF_EACH
        assert tuple(read_records(str(path))) == ONE_OF_EACH
        with path.open() as file:
            assert tuple(read_records(file)) == ONE_OF_EACH

    def test_lines(self, tmp_path):
        """Each line is one JSON object that names its kind."""
        path = tmp_path / "steps.jsonl"

        with JsonLinesObserver(str(path)) as observer:
            observer(moved())

        assert json.loads(path.read_text()) == {
            "kind": "moved",
            "step": 1,
            "address": "order",
            "event": "process",
            "left": ["pending"],
            "entered": ["processing"],
            "cause": None,
        }

    def test_flushed_per_step(self, tmp_path):
        """When a step has ended, its lines are in the file."""
        path = tmp_path / "steps.jsonl"

        with JsonLinesObserver(path) as observer:
            feed(observer, *ONE_OF_EACH)

            assert tuple(read_records(path)) == ONE_OF_EACH

    def test_continues(self, tmp_path):
        """A file that is there already is continued."""
        path = tmp_path / "steps.jsonl"
        for _ in range(2):
            with JsonLinesObserver(path) as observer:
                feed(observer, *ONE_OF_EACH)

        assert tuple(read_records(path)) == ONE_OF_EACH * 2

    @pytest.mark.parametrize("missing", range(1, 60, 7))
    def test_continues_after_crash(self, tmp_path, missing):
        """Half a line at the end is cut off before the next record is written."""
        path = tmp_path / "steps.jsonl"
        with JsonLinesObserver(path) as observer:
            feed(observer, *ONE_OF_EACH)
        path.write_bytes(path.read_bytes()[:-missing])

        with JsonLinesObserver(path) as observer:
            observer(started(2))

        whole = ONE_OF_EACH if missing == 1 else ONE_OF_EACH[:-1]
        assert tuple(read_records(path)) == (*whole, started(2))

    def test_continues_after_crash_in_long_line(self, tmp_path):
        """Lines may be longer than what is read at once."""
        path = tmp_path / "steps.jsonl"
        with JsonLinesObserver(path) as observer:
            feed(observer, started(), ended(error="x" * 200_000))
        path.write_bytes(path.read_bytes()[:-2])

        with JsonLinesObserver(path) as observer:
            observer(ended())

        assert tuple(read_records(path)) == (started(), ended())

    def test_foreign_file(self, tmp_path):
        """What another program has written is not cut off."""
        path = tmp_path / "steps.jsonl"
        path.write_text("my notes")

        with JsonLinesObserver(path) as observer:
            observer(started())

        assert path.read_text().startswith('my notes\n{"kind": "step started"')

    def test_given_file_stays_open(self):
        """A file that was passed is flushed and left open."""
        file = io.StringIO()

        with JsonLinesObserver(file) as observer:
            observer(started())

        assert not file.closed
        assert list(read_records(file.getvalue().splitlines())) == [started()]

    def test_given_file_was_closed(self):
        """A file that its owner has closed meanwhile is no problem at the end."""
        file = io.StringIO()
        observer = JsonLinesObserver(file)
        file.close()

        observer.close()

        assert repr(observer) == "<JsonLinesObserver <StringIO>: 0 records, closed>"

    def test_closed(self, tmp_path):
        """A closed observer says so; closing it twice does nothing."""
        path = tmp_path / "steps.jsonl"
        observer = JsonLinesObserver(path)
        observer.close()
        observer.close()

        with pytest.raises(ValueError, match="records, closed> cannot write a record any more"):
            observer(started())

    def test_dropped(self, tmp_path):
        """One that is dropped open warns, and closes its file."""
        path = tmp_path / "steps.jsonl"
        observer = JsonLinesObserver(path)
        observer(started())

        with pytest.warns(ResourceWarning, match=r"<JsonLinesObserver .*: 1 records, open> was never closed"):
            del observer

        assert list(read_records(path)) == [started()]

    def test_no_such_folder(self, tmp_path):
        """One that could not open its file has nothing to warn of."""
        with pytest.raises(FileNotFoundError):
            JsonLinesObserver(tmp_path / "missing" / "steps.jsonl")

    def test_threads(self, tmp_path):
        """Lines of several threads stay whole."""
        path = tmp_path / "steps.jsonl"
        with JsonLinesObserver(path) as observer:
            threads = [threading.Thread(target=feed, args=(observer, *[moved(step)] * 200)) for step in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert sorted(one.step for one in read_records(path)) == sorted([0, 1, 2, 3] * 200)


class TestReadRecords:
    GOOD = json.dumps({"kind": "held", "step": 1, "link": "Shop.charge", "address": "payment", "event": "authorize"})

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("{'kind'}", "it is no JSON: Expecting property name enclosed in double quotes at column 2"),
            ("[" * 100_000, "it is no JSON: "),
            ("[]", "it is JSON, but no object: []"),
            ('{"kind": "jumped"}', "'jumped' is no kind of record; there are: step started, step ended, moved"),
            ("{}", "None is no kind of record"),
            (GOOD.replace('"event"', '"evnt"'), "a record of the kind 'held' has exactly address, event, link, step"),
            (GOOD.replace(', "event": "authorize"', ""), "see event"),
            (GOOD.replace("1", '"1"'), "step of a record of the kind 'held' cannot be '1'"),
            (GOOD.replace("1", "true"), "step of a record of the kind 'held' cannot be True"),
            (GOOD.replace('"authorize"', "null"), "event of a record of the kind 'held' cannot be None"),
            (
                json.dumps({"kind": "timer", "step": 1, "change": "lost", "due": 1, "address": "a"} | dict.fromkeys(["event", "link"])),
                "change of a record of the kind 'timer' cannot be 'lost'",
            ),
            (
                json.dumps({"kind": "moved", "step": 1, "address": "a", "left": [], "entered": [1]} | dict.fromkeys(["event", "cause"])),
                "entered of a record of the kind 'moved' cannot be (1,)",
            ),
        ],
    )  # fmt: skip
    def test_bad_line(self, tmp_path, line, why):
        """A line that holds no record is an error that names the file, the line, and what is wrong."""
        path = tmp_path / "steps.jsonl"
        path.write_text(f"{self.GOOD}\n{line}\n{self.GOOD}\n")
        found = read_records(path)

        assert next(found) == HELD
        with pytest.raises(RecordFileError) as caught:
            next(found)
        assert str(caught.value).startswith(f"{path}, line 2: ")
        assert why in str(caught.value)
        assert (caught.value.source, caught.value.line) == (str(path), 2)
        assert isinstance(caught.value, OrchestratorError)

    def test_bytes(self, tmp_path):
        """A file that is no text is an error of the line where that shows."""
        path = tmp_path / "steps.jsonl"
        path.write_bytes(self.GOOD.encode() + b"\n\xff\xfe\xff\n")

        with pytest.raises(RecordFileError, match="line 2: it is no JSON: 'utf-8' codec"):
            list(read_records(path))

    @pytest.mark.parametrize("length", [1, 5, 30, len(GOOD) - 1])
    def test_unfinished(self, tmp_path, length):
        """An unfinished last line is left out, with a warning that names it."""
        path = tmp_path / "steps.jsonl"
        path.write_text(f"{self.GOOD}\n{self.GOOD[:length]}")

        with pytest.warns(UnfinishedLineWarning) as caught:
            assert list(read_records(path)) == [HELD]
        assert str(caught[0].message) == (f"{path}, line 2, is unfinished and was left out: its writer was interrupted")
        assert caught[0].filename == __file__

    def test_unfinished_in_the_middle(self):
        """Half a line that is not the last one is an error."""
        with pytest.raises(RecordFileError, match="<list>, line 1: it is no JSON"):
            list(read_records([self.GOOD[:9], self.GOOD]))

    def test_without_line_feed(self):
        """The last line counts if only its line feed is missing."""
        assert list(read_records(io.StringIO(f"{self.GOOD}\n{self.GOOD}"))) == [HELD, HELD]

    def test_empty(self, tmp_path):
        """Empty lines and files hold no record."""
        (tmp_path / "steps.jsonl").touch()

        assert list(read_records(tmp_path / "steps.jsonl")) == []
        assert list(read_records(["\n", self.GOOD, "  \n"])) == [HELD]

    def test_lazy(self):
        """Lines are read as records are asked for."""
        lines = iter([self.GOOD, "nonsense\n"])

        assert next(read_records(lines)) == HELD
        assert next(lines) == "nonsense\n"


class TestStepList:
    def test_groups(self):
        """Records are grouped by step, and by kind within it."""
        seen = StepList()
        feed(seen, *ONE_OF_EACH, started(2, None, None), ended(2, error="ValueError"))

        first, second = seen
        assert seen.steps == [first, second]
        assert (first.number, first.address, first.event, first.error) == (1, "order", "process", None)
        assert (first.moves, first.fired, first.held) == ((moved(),), (CHARGED,), (HELD,))
        assert (first.refused, first.timers, first.configuration) == ((REFUSED,), (TIMER,), "order=processing")
        assert (second.number, second.address, second.event) == (2, None, None)
        assert (second.moves, second.error, second.put_back) == ((), "ValueError", True)
        assert seen.last is second
        assert len(seen) == 2

    def test_frozen(self):
        """Steps are values: they cannot be changed, and compare by what they hold."""
        step = ObservedStep(started(), (), ended())

        with pytest.raises(FrozenInstanceError):
            step.ended = ended(2)
        assert step == ObservedStep(started(), (), ended())
        assert hash(step) == hash(ObservedStep(started(), (), ended()))

    def test_running(self):
        """A step is added when it has ended."""
        seen = StepList()
        feed(seen, started(), moved())

        assert len(seen) == 0
        with pytest.raises(LookupError, match="no step has ended since this list was made or cleared"):
            _ = seen.last

    def test_late(self):
        """Who begins to listen in the middle of a step hears of the next one."""
        seen = StepList()
        feed(seen, moved(), ended())
        feed_step(seen, 2, "order")

        assert [step.number for step in seen] == [2]

    def test_clear(self):
        """Clearing forgets steps that have ended and those that are under way."""
        seen = StepList()
        feed(seen, *ONE_OF_EACH, started(2))
        seen.clear()
        feed(seen, moved(2), ended(2))

        assert seen.steps == []

    def test_own_list(self):
        """Whoever changes the list of steps changes their own copy."""
        seen = StepList()
        feed(seen, *ONE_OF_EACH)
        seen.steps.clear()

        assert len(seen) == 1

    def test_repr(self):
        """A repr is one line of identity and counts."""
        seen = StepList()
        feed(seen, *ONE_OF_EACH, started(2, None, None), ended(2, error="ValueError"))

        assert repr(seen) == "<StepList: 2 steps, 1 failed>"
        assert repr(seen.steps[0]) == (
            "<ObservedStep step 1: order.process, 1 moved, 1 fired, 1 held, 1 refused, 1 timers>"
        )
        assert repr(seen.last) == "<ObservedStep step 2, failed>"

    def test_text(self):
        """As text a step has a line for each record, for asserts that fail."""
        seen = StepList()
        feed(seen, *ONE_OF_EACH)

        assert str(seen.last) == dedent("""\
            step 1: order.process
              order.process: pending -> processing
              Shop.charge fires after order and sends payment.authorize
              payment.authorize is held (Shop.charge)
              payment.authorize is refused (Shop.charge): it is in voided
              timer for order.cancel set, due at 12.5 (Shop.remind)
              ended in order=processing""")

    def test_nested(self):
        """A step of another orchestrator inside a callback is a step of its own, though its number is the same."""
        seen = StepList()
        feed(seen, started(1, "outer"), moved(1, address="a"))
        feed_step(seen, 1, "inner", moved(1, address="b"))
        feed(seen, moved(1, address="c"), ended(1))

        assert [(step.address, [one.address for one in step.moves]) for step in seen] == [
            ("inner", ["b"]),
            ("outer", ["a", "c"]),
        ]

    def test_tasks(self):
        """Steps of several orchestrators at the same time do not mix, though their numbers are the same."""
        seen = StepList()

        async def step(address):
            seen(started(1, address))
            for _ in range(3):
                await asyncio.sleep(0)
                seen(moved(1, address=address))
            await asyncio.create_task(part(address))
            seen(ended(1))

        async def part(address):
            seen(moved(1, address=address))

        async def main():
            await asyncio.gather(step("a"), step("b"), step("c"))

        asyncio.run(main())

        assert [(step.address, {one.address for one in step.moves}, len(step.moves)) for step in seen] == [
            (address, {address}, 4) for address in "abc"
        ]

    def test_threads(self):
        """A thread that was started with the context of a step belongs to it; another one starts steps of its own."""
        seen = StepList()
        seen(started(1, "a"))
        here = contextvars.copy_context()
        for target in (
            lambda: feed_step(seen, 1, "b", moved(1, address="b")),
            lambda: here.run(seen, moved(1, address="a")),
        ):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        seen(ended(1))

        assert [(step.address, [one.address for one in step.moves]) for step in seen] == [("b", ["b"]), ("a", ["a"])]

    def test_chain(self):
        """Steps whose tasks start steps whose tasks start steps, and so on, do not keep each other alive."""
        seen = StepList()
        lengths = []

        async def step(number):
            seen(started(number))
            if number < 20:
                later = asyncio.create_task(step(number + 1))
            lengths.append(len(_running._around.get()))
            seen(ended(number))
            if number < 20:
                await later

        contextvars.Context().run(asyncio.run, step(1))

        assert [one.number for one in seen] == list(range(1, 21))
        assert set(lengths) == {1}

    def test_from_elsewhere(self):
        """A record without the context of its step is matched by number; if that leaves a doubt, it is left out."""
        seen = StepList()
        elsewhere = contextvars.copy_context()
        seen(started(1, "a"))
        elsewhere.run(seen, moved(1, address="a"))
        contextvars.copy_context().run(seen, started(1, "b"))
        elsewhere.run(seen, moved(1, address="lost"))
        elsewhere.run(seen, ended(1))
        seen(ended(1))

        assert [(step.address, [one.address for one in step.moves]) for step in seen] == [("a", ["a"])]


@pytest.fixture
def exporter():
    """What has been exported, in the order in which the spans ended."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter):
    """A tracer that exports at once."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("tests")
    provider.shutdown()


class TestOpenTelemetryObserver:
    def test_span(self, tracer, exporter):
        """A step is a span, named after its event, with what is known of it."""
        feed(OpenTelemetryObserver(tracer, attributes={"shop": "17"}), started(3), ended(3))

        [span] = exporter.get_finished_spans()
        assert span.name == "order.process"
        assert dict(span.attributes) == {
            "shop": "17",
            "orchestrator.step": 3,
            "orchestrator.at": 0.0,
            "orchestrator.address": "order",
            "orchestrator.event": "process",
            "orchestrator.configuration": "order=processing",
            "orchestrator.put_back": False,
        }
        assert span.status.status_code is StatusCode.UNSET
        assert span.parent is None

    def test_span_events(self, tracer, exporter):
        """What happens in the step is an event of the span, without what is not there."""
        feed(OpenTelemetryObserver(tracer), *ONE_OF_EACH)

        [span] = exporter.get_finished_spans()
        assert [one.name for one in span.events] == ["moved", "link fired", "held", "refused", "timer"]
        assert dict(span.events[0].attributes) == {
            "orchestrator.address": "order",
            "orchestrator.event": "process",
            "orchestrator.left": ("pending",),
            "orchestrator.entered": ("processing",),
        }

    @pytest.mark.parametrize(("address", "event", "name"), [(None, None, "step"), (None, "Shop.abort", "Shop.abort")])
    def test_name(self, tracer, exporter, address, event, name):
        """A step without a member is named by what it has."""
        feed(OpenTelemetryObserver(tracer), started(1, address, event), ended())

        assert [one.name for one in exporter.get_finished_spans()] == [name]

    def test_failure(self, tracer, exporter):
        """A failed step has the status ERROR and says why."""
        feed(OpenTelemetryObserver(tracer), started(), ended(error="ValueError: no stock"))

        [span] = exporter.get_finished_spans()
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError: no stock")
        assert span.attributes["orchestrator.put_back"] is True

    def test_parents(self, tracer, exporter):
        """A step is a child of what calls it, and parent of what its callbacks start."""
        observer = OpenTelemetryObserver(tracer)
        with tracer.start_as_current_span("request"):
            observer(started(1))
            with tracer.start_as_current_span("query"):
                pass
            observer(ended(1))
            with tracer.start_as_current_span("after"):
                pass

        spans = {one.name: one for one in exporter.get_finished_spans()}
        parents = {one.context.span_id: one.name for one in spans.values()}
        assert {name: parents.get(span.parent and span.parent.span_id) for name, span in spans.items()} == {
            "request": None,
            "order.process": "request",
            "query": "order.process",
            "after": "request",
        }

    @pytest.mark.parametrize("shared", [True, False], ids=["one observer", "an observer each"])
    def test_nested(self, tracer, exporter, shared):
        """A step of another orchestrator inside a callback is a child, though its number is the same."""
        outer = OpenTelemetryObserver(tracer)
        inner = outer if shared else OpenTelemetryObserver(tracer)
        outer(started(1, "outer"))
        feed_step(inner, 1, "inner", moved(1, address="inner"))
        feed(outer, moved(1, address="outer"), ended(1))

        child, parent = exporter.get_finished_spans()
        assert (child.name, parent.name) == ("inner.go", "outer.process")
        assert child.parent.span_id == parent.context.span_id
        for span in (child, parent):
            address = span.name.partition(".")[0]
            assert [one.attributes["orchestrator.address"] for one in span.events] == [address]

    def test_tasks(self, tracer, exporter, caplog):
        """Steps of several orchestrators at the same time do not mix."""
        observer = OpenTelemetryObserver(tracer)

        async def step(address):
            observer(started(1, address))
            for _ in range(3):
                await asyncio.sleep(0)
                observer(moved(1, address=address))
            observer(ended(1))

        async def main():
            await asyncio.gather(*map(step, "abc"))

        asyncio.run(main())

        spans = exporter.get_finished_spans()
        assert {one.name for one in spans} == {"a.process", "b.process", "c.process"}
        for span in spans:
            assert span.parent is None
            assert [one.attributes["orchestrator.address"] for one in span.events] == [span.name[0]] * 3
        assert caplog.messages == []

    def test_end_elsewhere(self, tracer, exporter, caplog):
        """A step that ends in another context ends its span, and OpenTelemetry has nothing to complain about."""
        observer = OpenTelemetryObserver(tracer)
        contextvars.copy_context().run(observer, started(1))
        contextvars.copy_context().run(observer, ended(1))

        assert [one.name for one in exporter.get_finished_spans()] == ["order.process"]
        assert caplog.messages == []

    def test_late(self, tracer, exporter):
        """Who begins to listen in the middle of a step makes no span of it."""
        feed(OpenTelemetryObserver(tracer), moved(), ended())

        assert exporter.get_finished_spans() == ()

    def test_nobody_records(self):
        """Without a configured provider nothing is recorded, and nothing is wrong."""
        observer = OpenTelemetryObserver()

        feed(observer, *ONE_OF_EACH)

        assert repr(observer).startswith("<OpenTelemetryObserver of ")

    def test_missing(self, monkeypatch):
        """Without the package the error says what to install."""
        monkeypatch.setitem(sys.modules, "opentelemetry", None)

        with pytest.raises(MissingExtraError) as caught:
            OpenTelemetryObserver()
        assert str(caught.value) == (
            "OpenTelemetryObserver needs the package opentelemetry-api, which is not installed. "
            "Install it with: pip install 'statemachines-orchestrator[otel]'."
        )
        assert isinstance(caught.value, ImportError)

    def test_lazy(self):
        """Who does not use it does not load it."""
        code = "import sys, statemachines_orchestrator.observers; sys.exit('opentelemetry' in sys.modules)"

        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
