"""Names of a document as attributes of a class."""

from __future__ import annotations

import keyword

import pytest
from convert_support import active, definition, row, state
from hypothesis import given
from hypothesis import strategies as st
from statemachine import StateChart
from statemachine.exceptions import StateMachineError, TransitionNotAllowed

from orca_bridge.convert import machine_class
from orca_bridge.convert._machine import RESERVED
from orca_bridge.convert._names import name_all

LIBRARY_NAMES = [
    "TransitionNotAllowed",
    "activate_initial_state",
    "active_listeners",
    "add_event",
    "add_from_attributes",
    "add_inherited",
    "add_listener",
    "add_state",
    "allow_event_without_transition",
    "allowed_events",
    "atomic_configuration_update",
    "bind_events_to",
    "cancel_event",
    "catch_errors_as_events",
    "configuration",
    "configuration_values",
    "current_state",
    "current_state_value",
    "enable_self_transition_entries",
    "enabled_events",
    "events",
    "final_states",
    "history_values",
    "id",
    "initial_state",
    "is_terminated",
    "listeners",
    "listeners_inherit",
    "model",
    "name",
    "prepare",
    "raise_",
    "send",
    "start_configuration_values",
    "start_value",
    "state_field",
    "states",
    "states_map",
    "validate_disconnected_states",
    "validate_final_reachability",
    "validate_trap_states",
    "prepare_event",
    "before_transition",
    "on_transition",
    "after_transition",
    "on_enter_state",
    "on_exit_state",
    "on_invoke_state",
    "mro",
    "context",
    "definition",
    "warnings",
    "_private",
    "__init__",
    "class",
    "import",
]


class TestReservedNames:
    @pytest.mark.parametrize("name", LIBRARY_NAMES)
    def test_a_state_may_have_any_name(self, name):
        """A state called like something of the library works, and the library goes on working."""
        cls = machine_class(
            definition(
                [state("idle", initial=True), state(name)],
                [row("idle", "go", name), row(name, "back", "idle")],
            )
        )
        machine = cls()

        machine.go()
        assert active(machine) == name
        machine.send("back")
        assert active(machine) == "idle"
        assert getattr(cls, f"state_{name}").name == name

    @pytest.mark.parametrize("name", LIBRARY_NAMES)
    def test_an_event_may_have_any_name(self, name):
        """An event called like something of the library is sent by its name and called by its attribute."""
        cls = machine_class(
            definition([state("a", initial=True), state("b")], [row("a", name, "b"), row("b", name, "a")])
        )
        machine = cls()

        machine.send(name)
        assert active(machine) == "b"
        getattr(machine, f"event_{name}")()
        assert active(machine) == "a"
        assert [event.name for event in machine.events] == [name]

    @pytest.mark.parametrize("name", ["on_enter_b", "before_go", "after_go", "on_exit_a", "on_go", "on_invoke_a"])
    def test_a_hook_name_is_no_hook(self, name):
        """A state or event called like a hook of another is not called as that hook."""
        rows = [row("a", "go", "b"), row("b", name, name), row(name, "go", "a")]
        machine = machine_class(definition([state("a", initial=True), state("b"), state(name)], rows))()

        machine.go()
        assert active(machine) == "b"
        machine.send(name)
        assert active(machine) == name
        machine.go()
        assert active(machine) == "a"

    def test_a_name_that_only_looks_like_a_hook_stays(self):
        """`on_hold` is an ordinary name where nothing is called `hold`."""
        cls = machine_class(definition([state("on_hold", initial=True)], [row("on_hold", "go", None, "x")]))

        assert cls.on_hold.value == "on_hold"


class TestOddNames:
    def test_hyphens_become_underscores(self):
        """A name with hyphens is an attribute with underscores."""
        cls = machine_class(
            definition([state("in-progress", initial=True), state("b")], [row("in-progress", "time-out", "b")])
        )
        machine = cls()

        assert machine.in_progress.is_active
        machine.time_out()
        assert active(machine) == "b"

    def test_unicode_names_are_attributes(self):
        """A name with letters outside ASCII is an attribute as Python reads it."""
        machine = machine_class(
            definition([state("été", initial=True), state("hiver")], [row("été", "ﬁnir", "hiver")])
        )()

        machine.finir()

        assert machine.hiver.is_active

    def test_equal_ids_are_told_apart(self):
        """Names that give the same attribute get different ones, and plain names keep theirs."""
        cls = machine_class(
            definition([state("p", state("x"), initial=True), state("p_x"), state("p-x")], [row("p", "go", "p_x")])
        )

        assert (cls.p_x.value, cls.state_p_x.value, cls.state_p_x_2.value) == ("p_x", "p.x", "p-x")

    def test_an_event_keeps_the_attribute_before_a_state(self):
        """Of an event and a state of one name the event has the attribute."""
        cls = machine_class(definition([state("a", initial=True), state("paid")], [row("a", "paid", "paid")]))
        machine = cls()

        machine.paid()

        assert machine.state_paid.is_active
        assert cls.state_paid.name == "paid"

    @pytest.mark.parametrize(
        ("name", "expected"), [("Order Desk", "Order_Desk"), ("2nd try", "Machine_2nd_try"), ("class", "Machine_class")]
    )
    def test_the_machine_may_have_any_name(self, name, expected):
        """The class name is an identifier; the definition keeps the name as written."""
        cls = machine_class(definition([state("a", initial=True)], name=name))

        assert cls.__name__ == expected
        assert cls.definition.name == name


class TestNesting:
    def test_equal_child_names_are_different_states(self):
        """Two compounds may have children of one name."""
        cls = machine_class(
            definition(
                [state("p", state("x"), initial=True), state("q", state("x"))],
                [row("p", "go", "q"), row("q.x", "back", "p.x")],
            )
        )
        machine = cls()

        machine.go()
        assert machine.configuration_values == {"q", "q.x"}
        machine.back()
        assert machine.p_x.is_active
        assert (cls.p.x.value, cls.q_x.value, cls.p_x.name) == ("p.x", "q.x", "x")

    def test_a_child_called_like_an_attribute_of_states(self):
        """A child whose short name a state object uses itself is reached by its path."""
        cls = machine_class(definition([state("p", state("value"), initial=True)]))

        assert cls.p.value == "p"
        assert cls.p_value.value == "p.value"

    def test_states_cannot_be_assigned(self):
        """A state is no attribute to be overwritten."""
        machine = machine_class(definition([state("a", initial=True)]))()

        with pytest.raises(StateMachineError, match="'a' is a state of 'M'"):
            machine.a = 1


class TestSend:
    @pytest.fixture
    def machine(self):
        return machine_class(definition([state("a", initial=True)], [row("a", "go", None, "x")], events=["idle"]))(
            actions={"x": lambda: None}
        )

    @pytest.mark.parametrize("event", ["unknown", "context", "a", "idle", "go.on", "*", "__initial__", "", "go back"])
    def test_what_nothing_takes_is_refused(self, machine, event):
        """An event that nothing takes is refused, whether or not it is declared, or even an event."""
        with pytest.raises(TransitionNotAllowed):
            machine.send(event)

    def test_a_declared_event_without_row_is_known(self, machine):
        """A declared event that no row uses is an event of the class."""
        assert "idle" in machine.events
        with pytest.raises(TransitionNotAllowed, match="Can't idle when in a"):
            machine.idle()

    def test_takes_events_of_the_class(self, machine):
        """An event object is as good as its name."""
        machine.send(type(machine).go)


def test_the_reserved_names_cover_the_library():
    """Everything that is an attribute of a machine without states and events is reserved."""
    assert set(dir(StateChart)) <= RESERVED


words = st.from_regex(r"[a-z_][a-z0-9_]{0,6}(-[a-z0-9]{1,3})?", fullmatch=True) | st.sampled_from(LIBRARY_NAMES)
events_or_states = st.lists(words | st.builds("{}_{}".format, st.sampled_from(["on", "before"]), words), unique=True)


@given(events_or_states, st.lists(st.lists(words, min_size=1, max_size=3).map(".".join), unique=True))
def test_ids_are_unique_valid_and_free(events, paths):
    """Whatever the names, ids are different identifiers that nothing else uses."""
    names = name_all(paths, events, RESERVED)
    ids = [*names.states.values(), *names.events.values()]

    assert set(names.states) == set(paths)
    assert set(names.events) == set(events)
    assert len(set(ids)) == len(ids)
    assert all(chosen.isidentifier() and not keyword.iskeyword(chosen) for chosen in ids)
    assert not RESERVED & set(ids)
    hooks = {f"{prefix}_{chosen}" for prefix in ("before", "on", "after", "on_enter", "on_exit") for chosen in ids}
    assert not hooks & set(ids)
