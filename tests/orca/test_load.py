"""Loading documents, from the text to a machine that runs."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import threading
import warnings
from pathlib import Path

import pytest
from convert_support import active
from statemachine.exceptions import TransitionNotAllowed

import orca_bridge
from orca_bridge import (
    Actions,
    ConversionError,
    DocumentError,
    DocumentFileError,
    OrcaChart,
    OrcaError,
    UnknownMachineError,
    _load,
    load,
    load_all,
    loads,
)

PAYMENT = """\
# machine PaymentProcessor

> Takes one payment, and tries again when the bank says no.

## context

| Field   | Type    | Default |
|---------|---------|---------|
| amount  | decimal |         |
| retries | int     | 0       |
| receipt | string? |         |

## events

- submit
- approved
- declined
- retry
- refund
- abort

## state idle [initial]
> Nothing to do yet.

## state processing
- on_exit: stop_clock

### state authorizing [initial]
- on_entry: call_bank

### state capturing

## state declined
- on_entry: count

## state settled

## state failed [final]

## state refunded [final]

## transitions

| Source      | Event    | Guard      | Target      | Action       |
|-------------|----------|------------|-------------|--------------|
| idle        | submit   | valid      | authorizing | remember     |
| authorizing | approved |            | capturing   |              |
| capturing   | approved |            | settled     | send_receipt |
| processing  | declined |            | declined    |              |
| declined    | retry    | can_retry  | authorizing |              |
| declined    | retry    | !can_retry | failed      |              |
| settled     | refund   |            | refunded    |              |

## guards

| Name      | Expression         |
|-----------|--------------------|
| can_retry | `ctx.retries < 2`  |
| valid     | `event.amount > 0` |

## actions

| Name         | Signature                 |
|--------------|---------------------------|
| remember     | `(ctx, event) -> Context` |
| call_bank    | `(ctx) -> Context`        |
| stop_clock   | `(ctx) -> Context`        |
| count        | `(ctx) -> Context`        |
| send_receipt | `(ctx) -> Context`        |
"""

SMALL = """\
# machine {name}

## state a [initial]

## state b

## transitions

| Source | Event | Guard | Target | Action |
|--------|-------|-------|--------|--------|
| a      | go    |       | b      |        |
"""

BROKEN = SMALL.format(name="Broken").replace("| b      |", "| bb     |").replace("## state b", "## state b [initial]")


def small(*names: str) -> str:
    return "\n---\n\n".join(SMALL.format(name=name) for name in names)


@pytest.fixture
def handlers(drive):
    calls = []

    def note(name, result=None):
        def handler(ctx, event, *rest):
            calls.append(name)
            return result(ctx, event) if result else None

        return drive.handler(handler)

    return calls, {
        "remember": note("remember", lambda ctx, event: {"amount": event["amount"]}),
        "call_bank": note("call_bank"),
        "stop_clock": note("stop_clock"),
        "count": note("count", lambda ctx, event: {"retries": ctx["retries"] + 1}),
        "send_receipt": note("send_receipt", lambda ctx, event: {"receipt": f"paid {ctx['amount']}"}),
    }


class TestPayment:
    def test_the_way_to_a_receipt(self, drive, handlers):
        """The document runs as it reads: nested states, guards, actions, context."""
        calls, actions = handlers
        machine = drive.make(loads(PAYMENT, actions=actions))

        drive.send(machine, "submit", amount=10)
        assert active(machine) == "processing.authorizing"
        drive.run(machine.approved)
        drive.run(machine.approved)

        assert active(machine) == "settled"
        assert machine.context == {"amount": 10, "retries": 0, "receipt": "paid 10"}
        assert calls == ["remember", "call_bank", "stop_clock", "send_receipt"]
        drive.run(machine.refund)
        assert machine.is_terminated

    def test_the_bank_says_no(self, drive, handlers):
        """Guards read what the actions counted."""
        _, actions = handlers
        machine = drive.make(loads(PAYMENT, actions=actions))
        drive.send(machine, "submit", amount=10)

        drive.send(machine, "declined")
        drive.send(machine, "retry")
        assert active(machine) == "processing.authorizing"
        drive.send(machine, "declined")
        drive.send(machine, "retry")

        assert active(machine) == "failed"

    @pytest.mark.parametrize("payload", [{}, {"amount": 0}, {"amount": "much"}, {"amount": None}])
    def test_a_refused_submission(self, drive, handlers, payload):
        """A guard that does not hold refuses the event."""
        calls, actions = handlers
        machine = drive.make(loads(PAYMENT, actions=actions))

        with pytest.raises(TransitionNotAllowed):
            drive.send(machine, "submit", payload)

        assert calls == []

    def test_what_the_class_tells(self):
        """The class carries the description and the definition."""
        cls = loads(PAYMENT)

        assert issubclass(cls, OrcaChart)
        assert cls.__name__ == "PaymentProcessor"
        assert cls.__doc__ == "Takes one payment, and tries again when the bank says no."
        assert [event.name for event in cls.definition.events][:2] == ["submit", "approved"]
        assert cls.processing.capturing.value == "processing.capturing"
        assert cls.processing_capturing is cls.processing.capturing

    def test_instances_of_a_loaded_class_can_be_pickled(self):
        """An instance travels with the content of its document."""
        machine = loads(SMALL.format(name="Small"))()
        machine.go()

        twin = pickle.loads(pickle.dumps(machine))

        assert active(twin) == "b"
        assert type(twin) is type(machine)


class TestFiles:
    def test_load(self, tmp_path):
        """A path, as text or not, gives the first machine; a name gives another."""
        file = tmp_path / "two.orca.md"
        file.write_text(small("One", "Two"))

        assert load(file).__name__ == "One"
        assert load(str(file), machine="Two").__name__ == "Two"
        assert load(os.fspath(file)) is load(file)

    def test_load_all(self, tmp_path):
        """All machines come by name, in the order of the document."""
        file = tmp_path / "two.orca.md"
        file.write_text(small("One", "Two"))

        machines = load_all(file)

        assert list(machines) == ["One", "Two"]
        assert machines["Two"] is load(file, machine="Two")

    def test_options(self, tmp_path):
        """Handlers and typing go to the class."""
        file = tmp_path / "small.md"
        file.write_text(SMALL.format(name="Small"))
        actions = Actions()

        assert load(file, actions=actions, typing="strict") is not load(file)
        assert load_all(file, actions=actions)["Small"] is load(file, actions=actions)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("missing.orca.md", "there is no such file"),
            ("folder.md", "it is a directory"),
            ("machine.txt", r"a document is called \*.md or \*.orca"),
        ],
    )
    def test_paths_that_are_no_documents(self, tmp_path, name, reason):
        """A path that cannot be a document is refused with the reason."""
        (tmp_path / "folder.md").mkdir()
        (tmp_path / "machine.txt").write_text(SMALL)

        with pytest.raises(DocumentFileError, match=reason) as caught:
            load(tmp_path / name)

        assert isinstance(caught.value, OrcaError)
        assert isinstance(caught.value, OSError)
        assert caught.value.path == str(tmp_path / name)

    def test_a_file_that_cannot_be_read(self, tmp_path, monkeypatch):
        """Any other trouble with the file is told, too."""

        def refuse(self):
            raise PermissionError(13, "Permission denied")

        file = tmp_path / "a.md"
        file.write_text(SMALL)
        monkeypatch.setattr(Path, "read_bytes", refuse)

        with pytest.raises(DocumentFileError, match="it cannot be read: Permission denied"):
            load(file)


class TestErrors:
    def test_all_reading_errors_at_once(self):
        """The message shows every error with its line and a caret; they are data as well."""
        with pytest.raises(DocumentError) as caught:
            loads(BROKEN, name="broken.orca.md")

        codes = {item.code for item in caught.value.diagnostics if item.severity == "error"}
        assert {"MULTIPLE_INITIAL", "UNKNOWN_STATE"} <= codes
        text = str(caught.value)
        assert text.startswith(f"broken.orca.md has {len(codes)} errors:\nbroken.orca.md:")
        assert sum(set(line.split("|")[-1].strip()) == {"^"} for line in text.splitlines()) == len(codes)
        assert caught.value.name == "broken.orca.md"
        assert str(pickle.loads(pickle.dumps(caught.value))) == text

    @pytest.mark.parametrize("text", ["", "nothing to see", b"\xff\xfe\x00", "\ud800", "# heading"])
    def test_what_is_no_document(self, text):
        """Text that defines nothing, and bytes that are no text, are reading errors."""
        with pytest.raises(DocumentError, match="has 1 error:"):
            loads(text)

    def test_an_unknown_machine(self):
        """A wrong name is answered with the nearest and all there are."""
        with pytest.raises(
            UnknownMachineError, match=r"no machine 'Tow'. Did you mean 'Two'\? It defines: 'One', 'Two'"
        ):
            loads(small("One", "Two"), machine="Tow")
        with pytest.raises(UnknownMachineError) as caught:
            loads(small("One"), machine="Payment", name="p.md")
        assert str(caught.value) == "p.md defines no machine 'Payment'. It defines: 'One'."

    def test_no_initial_state(self):
        """A document without an initial state is refused, by the reader or when it is converted."""
        with pytest.raises(OrcaError, match="NO_INITIAL_STATE"):
            loads(SMALL.format(name="Small").replace(" [initial]", ""))


class TestWhatIsNoMachine:
    def test_a_document_of_tables_is_no_machine(self):
        """Only a machine can be loaded."""
        with pytest.raises(DocumentError, match="the file defines decision tables, and no machine"):
            loads("# decision_table T\n## rules\n| a |\n")

    def test_what_only_the_verifier_reads_does_not_hinder(self):
        """Properties, returns, declared effects and the column Updates change nothing at run time."""
        text = "# machine Lamp\n## state off [initial]\n"
        text += "## properties\n- live\n## effects\n| Name |\n|---|\n| Mail |\n## returns\n| Name |\n|---|\n| x |\n"

        assert loads(text)().off.is_active


class TestWarnings:
    TEXT = SMALL.format(name="Small").replace("## state b", "## nonsense\n\n## state b")

    def test_are_kept_and_logged_and_nothing_else(self, caplog):
        """Warnings of the reader do not disturb a program that takes warnings for errors."""
        with warnings.catch_warnings(), caplog.at_level(logging.INFO, logger="orca_bridge"):
            warnings.simplefilter("error")
            cls = loads(self.TEXT, name="lint.md")
            loads(self.TEXT, name="lint.md")

        assert [warning.code for warning in cls.warnings] == ["UNKNOWN_SECTION"]
        assert caplog.text.count("UNKNOWN_SECTION") == 1

    def test_may_be_handled_by_loading(self, caplog):
        """A handler of the log may load documents itself: it is called without our lock."""
        done = threading.Event()

        class Loads(logging.Handler):
            def emit(self, record):
                loads(SMALL.format(name="FromHandler"))
                done.set()

        handler = Loads()
        logger = logging.getLogger("orca_bridge")
        logger.addHandler(handler)
        try:
            with caplog.at_level(logging.INFO, logger="orca_bridge"):
                text = self.TEXT.replace("Small", "Handled")
                threading.Thread(target=loads, args=(text,), daemon=True).start()
                assert done.wait(5)
        finally:
            logger.removeHandler(handler)

    def test_do_not_hinder_pickling(self):
        """A machine with warnings travels like any other."""
        machine = loads(self.TEXT)()

        twin = pickle.loads(pickle.dumps(machine))

        assert type(twin).warnings[0].code == "UNKNOWN_SECTION"

    def test_that_went_away_are_gone(self):
        """Of two documents that define the same, each gives a class with its own warnings."""
        text = SMALL.format(name="Mended")
        assert len(loads(text + "\n## nonsense\n").warnings) == 1

        assert loads(text + "\n\n").warnings == ()

    def test_of_other_machines_are_not_ours(self):
        """Each class has the warnings of its own machine."""
        text = self.TEXT + "\n---\n\n" + SMALL.format(name="Other")

        assert loads(text, machine="Other").warnings == ()
        assert len(loads(text, machine="Small").warnings) == 1


class TestWrongArguments:
    @pytest.mark.parametrize("text", [None, 5, ["# machine M"]])
    def test_what_is_no_text(self, text):
        """A number is no document, not even one of so many zero bytes."""
        with pytest.raises(TypeError):
            loads(text)

    def test_a_path_that_cannot_be_one(self):
        """A path that the system refuses is no document."""
        with pytest.raises(DocumentFileError):
            load("a\0b.md")


class TestReuse:
    def test_equal_texts_are_one_class(self):
        """Loading the same content again gives the same class."""
        text = SMALL.format(name="Again")

        assert loads(text) is loads(text.encode())

    def test_effort_grows_with_the_number_of_events(self):
        """Four times the events cost at most about four times the work of making a class."""

        def effort(count):
            rows = "".join(f"| a | e{number} | | b | |\n" for number in range(count))
            lines = 0

            def count_line(_frame, event, _argument):
                nonlocal lines
                lines += event == "line"
                return count_line

            before = sys.gettrace()
            sys.settrace(count_line)
            try:
                loads(SMALL.format(name=f"Of{count}") + rows)
            finally:
                sys.settrace(before)
            return lines

        effort(2)
        assert effort(200) <= 5 * effort(50)

    def test_only_so_many_documents_are_kept(self, monkeypatch):
        """What was read is remembered for a bounded number of documents."""
        monkeypatch.setattr(_load, "_MAX_DOCUMENTS", 2)

        for number in range(5):
            loads(SMALL.format(name=f"Number{number}"))

        assert len(_load._documents) == 2


def test_the_package_exports_what_it_says():
    """Every public name is there, sorted."""
    assert list(orca_bridge.__all__) == sorted(orca_bridge.__all__)
    assert all(hasattr(orca_bridge, name) for name in orca_bridge.__all__)


def test_a_conversion_error_shows_what_the_reader_remarked():
    """A machine that cannot be made shows the remarks that explain it, each with its place."""
    text = "# machine Pay\n\n## state idle [inital]\n\n## state done [final]\n\n## transitions\n| Source | Event | Target |\n|---|---|---|\n| idle | go | done |\n"

    with pytest.raises(ConversionError) as caught:
        loads(text)

    assert str(caught.value).splitlines()[:3] == [
        "machine 'Pay' cannot be converted:",
        "- NO_INITIAL_STATE: mark one top-level state, such as '## state idle [initial]' (line 3)",
        "what the reader remarked:",
    ]
    assert "<string>:3:16: warning UNKNOWN_ANNOTATION" in str(caught.value)
    assert [one.code for one in pickle.loads(pickle.dumps(caught.value)).warnings] == ["UNKNOWN_ANNOTATION"]


def test_what_is_passed_over_is_logged_as_a_warning(caplog):
    """A section that is not understood is logged where everybody sees it."""
    with caplog.at_level(logging.INFO, logger="orca_bridge"):
        loads("# machine Quiet\n\n## state idle [initial]\n\n## transition table\n| a |\n|---|\n| b |\n")

    assert "UNKNOWN_SECTION" in caplog.text
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_path_given_as_text(tmp_path):
    """`loads` says when it was given a path, and `load` does not quote a whole document as a path."""
    with pytest.raises(TypeError, match="takes the text of a document, not a path: use load"):
        loads(tmp_path / "a.orca.md")
    with pytest.raises(DocumentError) as caught:
        loads("payment.orca.md")
    with pytest.raises(DocumentFileError) as quoted:
        load("# machine A\n\n## state idle [initial]\n")

    assert caught.value.__notes__ == ["if this is the path of a document, use load('payment.orca.md')"]
    assert str(quoted.value).startswith("# machine A ...: ")
