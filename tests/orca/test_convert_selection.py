"""Which row an event selects (semantics.md 2.1), on both engines."""

from __future__ import annotations

import sys
from functools import partial

import pytest
from convert_support import SPAN, active, definition, row, state
from statemachine.exceptions import TransitionNotAllowed

from orca_bridge import ConversionError, EventlessLoopError
from orca_bridge.convert import machine_class, plan_of
from orca_bridge.definition import BoolLiteral, Comparison, Else, GuardDefinition, GuardName, Path, Value

TRUE, FALSE = BoolLiteral(True), BoolLiteral(False)


def more_than(number: int) -> Comparison:
    return Comparison(Path("event", ("n",)), ">", Value(number))


class Recorder(dict):
    """Handlers for any action, which note their names."""

    def __init__(self):
        self.ran = []

    def __contains__(self, name):
        return True

    def get(self, name, default=None):
        return lambda: self.ran.append(name)


@pytest.fixture
def log():
    return Recorder()


class TestOrder:
    def test_the_first_row_that_holds_wins(self, drive):
        """Rows are tried in document order."""
        rows = [
            row("a", "go", "b", guard=more_than(10)),
            row("a", "go", "c", guard=more_than(5)),
            row("a", "go", "d"),
        ]
        states = [state("a", initial=True), state("b"), state("c"), state("d")]

        for number, target in ((11, "b"), (6, "c"), (1, "d")):
            machine = drive.make(definition(states, rows))
            drive.send(machine, "go", n=number)
            assert active(machine) == target

    def test_a_failed_guard_goes_on_to_the_parent(self, drive):
        """When no row of the inner state holds, the outer state's rows are tried."""
        rows = [row("p", "go", "out"), row("p.x", "go", "p.y", guard=more_than(5))]
        machine = drive.make(definition([state("p", state("x"), state("y"), initial=True), state("out")], rows))

        drive.send(machine, "go", n=6)
        assert active(machine) == "p.y"
        drive.send(machine, "go", n=6)
        assert active(machine) == "out"

    def test_any_event_comes_after_named_ones(self, drive, log):
        """A `*` row of a state is tried after its rows for the event, wherever it stands."""
        rows = [row("a", "*", None, "star"), row("a", "go", None, "named"), row("p", "x", None, "x")]
        machine = drive.make(definition([state("a", initial=True), state("p")], rows), actions=log)

        drive.send(machine, "go")
        drive.send(machine, "x")
        drive.send(machine, "never_declared")

        assert log.ran == ["named", "star", "star"]

    def test_any_event_of_the_inner_state_beats_the_outer_row(self, drive, log):
        """The walk goes state by state: an inner `*` comes before an outer row."""
        rows = [row("p", "go", None, "outer"), row("p.x", "*", None, "inner")]
        machine = drive.make(definition([state("p", state("x"), initial=True)], rows), actions=log)

        drive.send(machine, "go")

        assert log.ran == ["inner"]

    def test_any_source_comes_last(self, drive, log):
        """A row of source `*` is tried after the whole walk, `*` rows of the states included."""
        rows = [
            row("*", "go", None, "any"),
            row("p", "*", None, "outer", guard=more_than(5)),
            row("p.x", "go", None, "inner", guard=more_than(10)),
            row("*", "*", None, "all"),
        ]
        machine = drive.make(definition([state("p", state("x"), initial=True)], rows), actions=log)

        for number in (11, 6, 1):
            drive.send(machine, "go", n=number)
        drive.send(machine, "other", n=1)

        assert log.ran == ["inner", "outer", "any", "all"]

    def test_any_source_reaches_every_state(self, drive):
        """A row of source `*` is taken from wherever the machine is."""
        states = [state("a", initial=True), state("p", state("x")), state("home")]
        machine = drive.make(definition(states, [row("a", "in", "p"), row("*", "reset", "home")]))

        drive.send(machine, "in")
        drive.send(machine, "reset")
        assert active(machine) == "home"

    def test_any_event_takes_no_system_events(self, drive, log):
        """`*` does not take the event that says a compound state is done."""
        states = [state("p", state("x", initial=True), state("end", final=True), initial=True)]
        rows = [row("p", "*", None, "star"), row("p.x", "finish", "p.end")]
        machine = drive.make(definition(states, rows), actions=log)

        drive.send(machine, "finish")

        assert log.ran == []

    @pytest.mark.parametrize("event", ["done", "done.state.p", "done.state"])
    def test_done_events(self, drive, log, event):
        """`done.state.<path>` rows take the end of a compound state; an event that is called `done` does not."""
        states = [state("p", state("x", initial=True), state("end", final=True), initial=True), state("in")]
        rows = [row("p.x", "finish", "p.end"), row("p", event, "in")]
        machine = drive.make(definition(states, rows))

        drive.send(machine, "finish")

        assert active(machine) == ("p.end" if event == "done" else "in")
        if event == "done":
            drive.run(machine.done)
            assert active(machine) == "in"

    def test_done_of_a_nested_state_by_its_path(self, drive):
        """A done event names the state by its path, whatever its id is."""
        inner = state("q", state("x", initial=True), state("end", final=True))
        states = [state("p", inner, initial=True), state("out")]
        rows = [row("p.q.x", "finish", "p.q.end"), row("p", "done.state.p.q", "out")]
        machine = drive.make(definition(states, rows))

        drive.send(machine, "finish")

        assert active(machine) == "out"


class TestElse:
    def test_holds_when_no_other_row_does(self, drive):
        """`else` is tried where it stands, and holds only if no other row of its source and event does."""
        rows = [
            row("a", "go", "c", guard=Else()),
            row("a", "go", "b", guard=more_than(5)),
            row("a", "other", "a"),
        ]
        states = [state("a", initial=True), state("b"), state("c")]

        for number, target in ((6, "b"), (1, "c")):
            machine = drive.make(definition(states, rows))
            drive.send(machine, "go", n=number)
            assert active(machine) == target

    def test_is_dead_beside_a_row_without_guard(self, drive):
        """A row without guard is always enabled, so `else` never is."""
        rows = [row("a", "go", "c", guard=Else()), row("a", "go", "b")]
        machine = drive.make(definition([state("a", initial=True), state("b"), state("c")], rows))

        drive.send(machine, "go")

        assert active(machine) == "b"


class TestEventless:
    def test_is_taken_as_soon_as_its_guard_holds(self, drive):
        """A row without event is taken in the same step, as often as it applies."""
        rows = [
            row("a", "go", "b"),
            row("b", None, "c"),
            row("c", None, "d", guard=FALSE),
            row("c", None, "e"),
        ]
        states = [state(name, initial=name == "a") for name in "abcde"]
        machine = drive.make(definition(states, rows))

        drive.send(machine, "go")

        assert active(machine) == "e"

    def test_sees_what_the_actions_did(self, drive):
        """Its guard reads the context after the actions of the row before."""
        ready = Comparison(Path("context", ("n",)), "==", Value(2))
        rows = [row("a", "go", None, "count"), row("a", None, "b", guard=ready)]
        machine = drive.make(
            definition([state("a", initial=True), state("b")], rows),
            context={"n": 0},
            actions={"count": lambda ctx: {"n": ctx["n"] + 1}},
        )

        drive.send(machine, "go")
        assert active(machine) == "a"
        drive.send(machine, "go")
        assert active(machine) == "b"

    def test_has_no_payload(self, drive):
        """Its guard sees no payload, though an event came before."""
        rows = [row("a", "go", "b"), row("b", None, "c", guard=more_than(1))]
        machine = drive.make(definition([state("a", initial=True), state("b"), state("c")], rows))

        drive.send(machine, "go", n=5)

        assert active(machine) == "b"

    def test_a_loop_ends_with_an_error(self, drive):
        """Rows that chase each other are stopped, and the error names one of them."""
        rows = [row("a", "go", "b"), row("b", None, "c"), row("c", None, "b"), row("*", "reset", "a")]
        machine = drive.make(definition([state("a", initial=True), state("b"), state("c")], rows))

        with pytest.raises(EventlessLoopError, match=r"1000 rows by itself .* is . \(no event\) -> ."):
            drive.send(machine, "go")

    def test_a_loop_of_done_events_ends_with_an_error(self, drive):
        """A compound state that is entered anew whenever it is done, and is done at once, is stopped too."""
        states = [state("a", initial=True), state("p", state("x", final=True, initial=True))]
        machine = drive.make(definition(states, [row("a", "go", "p"), row("p", "done.state.p", "p")]))

        with pytest.raises(EventlessLoopError, match=r"p done\.state\.p -> p"):
            drive.send(machine, "go")

    def test_many_events_are_no_loop(self, drive):
        """The limit is for one step: a long life with eventless rows is none."""
        rows = [row("a", "go", "b"), row("b", None, "a")]
        machine = drive.make(definition([state("a", initial=True), state("b")], rows))

        for _ in range(1100):
            drive.send(machine, "go")

        assert active(machine) == "a"


class TestEntryAndExit:
    def states(self):
        return [
            state(
                "p",
                state("x", on_entry=("in-x",), on_exit=("out-x",)),
                on_entry=("in-p",),
                on_exit=("out-p",),
            ),
            state("a", initial=True),
        ]

    @pytest.mark.parametrize(
        ("source", "target", "expected"),
        [
            ("p.x", "p.x", ["out-x", "act", "in-x"]),
            ("p", "p.x", ["out-x", "out-p", "act", "in-p", "in-x"]),
            ("p.x", "p", ["out-x", "out-p", "act", "in-p", "in-x"]),
            ("p", "p", ["out-x", "out-p", "act", "in-p", "in-x"]),
            ("p.x", None, ["act"]),
            ("p", None, ["act"]),
            ("*", "p.x", ["out-x", "out-p", "act", "in-p", "in-x"]),
        ],
    )
    def test_order_of_actions(self, drive, log, source, target, expected):
        """Exits inner to outer, the row's actions, entries outer to inner; only an empty target moves nothing."""
        rows = [row("a", "enter", "p"), row(source, "go", target, "act")]
        machine = drive.make(definition(self.states(), rows), actions=log)
        drive.send(machine, "enter")
        assert log.ran == ["in-p", "in-x"]
        log.ran.clear()

        drive.send(machine, "go")

        assert log.ran == expected
        assert active(machine) == "p.x"

    def test_the_first_child_is_initial_unless_another_is_marked(self, drive):
        """Entering a compound state goes down to its initial child, at any depth."""
        inner = state("p", state("x"), state("y", state("deep"), initial=True), initial=True)
        machine = drive.make(definition([inner]))

        assert machine.configuration_values == {"p", "p.y", "p.y.deep"}


class TestRefusals:
    def test_a_refused_event_changes_nothing(self, drive, log):
        """When every guard fails the event is refused, by name, and nothing has run."""
        rows = [row("a", "go", "b", "act", guard=FALSE)]
        machine = drive.make(definition([state("a", initial=True), state("b")], rows), actions=log)

        with pytest.raises(TransitionNotAllowed, match="Can't go when in a"):
            drive.send(machine, "go")

        assert (active(machine), log.ran) == ("a", [])

    def test_after_the_end_every_event_is_refused(self, drive):
        """A machine in a top-level final state takes no events."""
        states = [state("a", initial=True), state("end", final=True)]
        machine = drive.make(definition(states, [row("a", "go", "end"), row("*", "go", "a")]))
        drive.send(machine, "go")

        assert machine.is_terminated
        with pytest.raises(TransitionNotAllowed):
            drive.send(machine, "go")

    def test_enabled_events_ask_the_guards(self, drive):
        """`enabled_events` takes a payload and answers with what would be taken."""
        rows = [
            row("a", "go", "b", guard=more_than(5)),
            row("a", "free", "b"),
            row("a", "*", "b"),
            row("a", "done", "b"),
        ]
        machine = drive.make(definition([state("a", initial=True), state("b")], rows))

        assert [str(event) for event in drive.run(machine.enabled_events)] == ["free", "done"]
        assert "go" in drive.run(lambda: machine.enabled_events(n=6))
        assert "go" in drive.run(lambda: machine.enabled_events({"n": 6}))
        assert "go" not in drive.run(machine._engine.enabled_events)


class TestConversionErrors:
    def test_all_problems_are_named(self):
        """A definition that cannot become a machine is refused with every reason."""
        states = [state("a"), state("end", final=True), state("end", final=True)]
        rows = [
            row("end", "go", "a"),
            row("a", "go", "ende"),
            row("b", "go", "*"),
            row("a", "go", "end", guard=GuardName("nope")),
        ]
        guards = (GuardDefinition("loop", GuardName("loop"), "loop", SPAN),)

        with pytest.raises(ConversionError) as caught:
            machine_class(definition(states, rows, guards=guards))

        problems = caught.value.problems
        assert caught.value.machine == "M"
        assert problems[0] == "NO_INITIAL_STATE: mark one top-level state, such as '## state a [initial]'"
        assert problems[1] == "DUPLICATE_STATE: 'end' stands 2 times; rename all but one"
        assert problems[2].startswith("the row end go -> a leaves a final state; drop [final] from 'end'")
        assert problems[3] == "UNKNOWN_STATE: 'ende' in the row a go -> ende; did you mean 'end'?"
        assert problems[4:6] == (
            "UNKNOWN_STATE: 'b' in the row b go -> *; did you mean 'a'?",
            "UNKNOWN_STATE: '*' in the row b go -> *",
        ) or [problem.startswith("UNKNOWN_STATE") for problem in problems[4:6]] == [True, True]
        assert problems[6] == "guard 'loop' is defined by itself: loop -> loop"
        assert problems[7] == "no guard is called 'nope'; there are: loop"

    @pytest.mark.parametrize(
        ("states", "code"),
        [([], "NO_STATES"), ([state("a", initial=True), state("b", initial=True)], "MULTIPLE")],
    )
    def test_states_that_make_no_machine(self, states, code):
        """No state, or two initial ones, are refused."""
        with pytest.raises(ConversionError, match=code):
            machine_class(definition(states))

    def test_rows_that_change_nothing_at_the_end_are_dropped(self, drive):
        """A self loop of a final state, and an internal row of a top-level one, are left out."""
        states = [
            state("p", state("x", initial=True), state("end", final=True), initial=True),
            state("over", final=True),
        ]
        rows = [
            row("p.end", "again", "p.end"),
            row("p.end", "note", None, "note"),
            row("over", "again", "over"),
            row("over", "note", None, "never"),
            row("p.x", "go", "p.end"),
        ]
        noted = []
        machine = drive.make(definition(states, rows), actions={"note": lambda: noted.append(1)})

        drive.send(machine, "go")
        drive.send(machine, "note")

        assert noted == [1]
        with pytest.raises(TransitionNotAllowed):
            drive.send(machine, "again")


class TestClasses:
    def test_the_same_definition_gives_the_same_class(self):
        """Equal content and options are one class."""
        make = lambda: definition([state("a", initial=True)])  # noqa: E731

        assert machine_class(make()) is machine_class(make())
        assert machine_class(make(), typing="off") is not machine_class(make())
        handlers = {}
        assert machine_class(make(), actions=handlers) is machine_class(make(), actions=handlers)

    def test_only_so_many_are_kept(self, monkeypatch):
        """The cache forgets what was not used for long."""
        monkeypatch.setattr("orca_bridge.convert._build.MAX_CLASSES", 2)
        first = machine_class(definition([state("a", initial=True)]))
        for name in "bcd":
            machine_class(definition([state(name, initial=True)]))

        assert machine_class(definition([state("a", initial=True)])) is not first

    def test_unknown_typing_is_refused(self):
        """A typo in `typing` is an error."""
        with pytest.raises(ValueError, match="'strict', 'warn' or 'off', not 'loose'"):
            machine_class(definition([state("a", initial=True)]), typing="loose")

    def test_a_description_is_only_text(self):
        """What the library would render in a docstring stays as it stands in the document."""
        text = "{statechart:svg}"

        cls = machine_class(definition([state("a", initial=True)], description=text))

        assert cls.__doc__ == text
        assert "machine 'M'" in machine_class(definition([state("a", initial=True)])).__doc__

    def test_repr_says_where_it_is(self):
        """A machine's repr is its class and its state, not its data."""
        states = [state("p", state("x"), initial=True)]

        assert repr(machine_class(definition(states))(context={"secret": 1})) == "<M in p.x>"

    def test_callbacks_have_their_own_names(self):
        """Every generated function has a qualified name of its own (the library's cache goes by it)."""
        rows = [
            row("a", "go", "b", "x", guard=TRUE),
            row("a", "stop", "c", "y", guard=FALSE),
            row("b", None, "c"),
        ]
        cls = machine_class(definition([state("a", initial=True), state("b"), state("c", final=True)], rows))

        functions = {spec.func for s in cls.states for t in s.transitions for spec in t._specs if callable(spec.func)}
        assert len(functions) == len({function.__qualname__ for function in functions}) == 6


def work_of(function):
    """Count the lines of Python executed, which does not depend on how busy the computer is."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def test_effort_grows_with_the_number_of_states():
    """The order of rows is found in one pass: four times the states cost about four times the work."""

    def plan(size):
        states = [state(f"s{number}", initial=number == 0) for number in range(size)]
        rows = [row(f"s{number}", "go", f"s{(number + 1) % size}") for number in range(size)]
        return plan_of(definition(states, rows))

    small, large = (work_of(partial(list, plan(size).selection_order())) for size in (100, 400))

    assert large <= 5 * small
