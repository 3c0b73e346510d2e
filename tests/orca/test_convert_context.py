"""The context of a machine: start values, types, and what an orchestrator puts back."""

from __future__ import annotations

import logging
import threading
from decimal import Decimal

import pytest
from convert_support import active, definition, field, row, state
from hypothesis import given
from hypothesis import strategies as st

from orca_bridge import ContextTypeError
from orca_bridge.convert import machine_class
from orca_bridge.convert._context import conforms
from orca_bridge.definition import TypeExpression


def typed(kind: str, *arguments: TypeExpression, **keywords) -> TypeExpression:
    return TypeExpression(kind, arguments, text=kind, **keywords)


def counting(*fields, typing="warn"):
    states = [state("a", initial=True)]
    return machine_class(
        definition(states, [row("a", "set", None, "put")], context=fields),
        actions={"put": lambda ctx, event: event},
        typing=typing,
    )


class TestStart:
    def test_defaults_are_fresh_copies(self):
        """Two machines share no list or map of the defaults."""
        cls = counting(field("items", "list", []), field("n", "int", 0))
        one, two = cls(), cls()

        one.context["items"].append(1)

        assert (one.context, two.context) == ({"items": [1], "n": 0}, {"items": [], "n": 0})

    def test_given_values_override_and_others_are_kept(self):
        """The constructor's values win, and keys that are not declared stay."""
        given_values = {"n": 5, "extra": "x"}

        machine = counting(field("n", "int", 0))(context=given_values)

        assert machine.context == {"n": 5, "extra": "x"}
        assert machine.context is not given_values

    def test_guards_and_actions_see_the_live_dict(self, drive):
        """A value that is assigned to the context is what the machine goes by."""
        machine = drive.make(counting())

        drive.send(machine, "set", n=1)
        machine.context["n"] = 2

        assert machine.context == {"n": 2}


class TestTyping:
    def test_strict_refuses_start_values(self):
        """With strict typing all wrong start values are named when the machine is made."""
        cls = counting(field("n", "int", 0), field("s", "string", ""), typing="strict")

        with pytest.raises(ContextTypeError) as caught:
            cls(context={"n": "5", "s": True})

        assert caught.value.problems == (
            "'n' is declared int and is str '5'",
            "'s' is declared string and is bool True",
        )

    def test_strict_undoes_a_merge(self, drive):
        """With strict typing a wrong merge is an error of the action, and nothing of it is merged."""
        machine = drive.make(counting(field("n", "int", 0), typing="strict"))

        with pytest.raises(ContextTypeError, match=r"'n' is declared int and is str 'x+\.\.\."):
            drive.send(machine, "set", n="x" * 100, m=1)

        assert machine.context == {"n": 0}

    def test_warn_logs_each_field_once(self, drive, caplog):
        """By default a wrong value is logged, once per field, and kept."""
        machine = drive.make(counting(field("n", "int", 0), field("s", "string", "")))

        with caplog.at_level(logging.WARNING):
            drive.send(machine, "set", n="x")
            drive.send(machine, "set", n="y", s=1)

        assert machine.context == {"n": "y", "s": 1}
        assert [record.getMessage() for record in caplog.records] == [
            "context of machine 'M': 'n' is declared int and is str 'x'",
            "context of machine 'M': 's' is declared string and is int 1",
        ]

    def test_off_does_not_look(self, drive, caplog):
        """With typing off anything goes, silently."""
        machine = drive.make(counting(field("n", "int", 0), typing="off"), context={"n": "x"})

        drive.send(machine, "set", n=[])

        assert caplog.text == ""

    def test_null_is_allowed_for_what_was_never_set(self, drive):
        """A field without default may be null until it is set, and not afterwards; a nullable one always."""
        cls = counting(field("n", "int"), field("m", "int", nullable=True), typing="strict")
        machine = drive.make(cls)

        drive.send(machine, "set", n=None, m=1)
        drive.send(machine, "set", n=5, m=None)
        with pytest.raises(ContextTypeError, match="'n' is declared int and is NoneType None"):
            drive.send(machine, "set", n=None)


class TestConforms:
    @pytest.mark.parametrize(
        ("value", "declared"),
        [
            ("a", typed("string")),
            (5, typed("int")),
            (5, typed("decimal")),
            (5.5, typed("number")),
            (Decimal(5), typed("decimal")),
            (True, typed("bool")),
            ([], typed("list")),
            ((1, 2), typed("list", typed("int"))),
            ({}, typed("map")),
            ({"a": 1}, typed("map", typed("string"), typed("int"))),
            ("x", typed("enum")),
            ("x", typed("enum", values=("x", "y"))),
            (object(), typed("any")),
            (None, typed("any")),
            (None, typed("int", nullable=True)),
        ],
    )
    def test_values_of_the_type(self, value, declared):
        """A value of the declared type conforms."""
        assert conforms(value, declared)

    @pytest.mark.parametrize(
        ("value", "declared"),
        [
            (5, typed("string")),
            (True, typed("int")),
            (5.0, typed("int")),
            (True, typed("decimal")),
            ("5", typed("number")),
            (1, typed("bool")),
            ("abc", typed("list")),
            ([1, "a"], typed("list", typed("int"))),
            ([], typed("map")),
            ({"a": "b"}, typed("map", typed("string"), typed("int"))),
            ({1: 1}, typed("map", typed("string"), typed("int"))),
            ("z", typed("enum", values=("x", "y"))),
            (5, typed("enum")),
            (None, typed("int")),
        ],
    )
    def test_values_of_another_type(self, value, declared):
        """A value of another type does not, and true is no number."""
        assert not conforms(value, declared)

    @given(st.lists(st.none() | st.integers()))
    def test_lists_go_by_their_elements(self, values):
        """A list conforms exactly when its elements do."""
        assert conforms(values, typed("list", typed("int"))) is (None not in values)


class TestPuttingBack:
    def test_the_same_dict_gets_its_values_back(self):
        """Saving and restoring put the values back, deeply, in the dict that others may hold."""
        machine = counting(field("items", "list", [1]))()
        held = machine.context

        saved = machine.__orchestrator_save__()
        machine.context["items"].append(2)
        machine.context["new"] = True
        machine.__orchestrator_restore__(saved)
        machine.context["items"].append(3)
        machine.__orchestrator_restore__(saved)

        assert machine.context is held
        assert held == {"items": [1]}

    def test_what_cannot_be_copied_is_kept(self):
        """A value that cannot be copied does not make a step impossible."""
        lock = threading.Lock()
        machine = counting()(context={"lock": lock, "n": [1], "same": None})

        saved = machine.__orchestrator_save__()
        machine.context.clear()
        machine.__orchestrator_restore__(saved)

        assert machine.context == {"lock": lock, "n": [1], "same": None}


def test_the_helper_knows_where_a_machine_is():
    """The helper of these tests names the active state."""
    assert active(counting()()) == "a"
