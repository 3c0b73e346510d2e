"""Guard expressions as functions (semantics.md section 4)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orca_bridge.convert import compile_guard
from orca_bridge.convert._guards import GuardTable, compile_else, guard_names
from orca_bridge.definition import (
    And,
    BoolLiteral,
    Comparison,
    Else,
    GuardName,
    Not,
    NullTest,
    Or,
    Path,
    Truth,
    Value,
)
from orca_bridge.exceptions import ConversionError


def ctx(*names: str) -> Path:
    return Path("context", names)


def event(*names: str) -> Path:
    return Path("event", names)


def holds(expression: Any, context: Any = None, payload: Any = None, guards: Any = None) -> bool:
    return compile_guard(expression, guards or {})(context, payload)


def compare(left: Any, operator: str, right: Any) -> bool:
    return holds(Comparison(ctx("l"), operator, ctx("r")), {"l": left, "r": right})


class TestLookup:
    def test_reads_nested_mappings_and_attributes(self):
        """A path goes through mappings by key and through other objects by attribute."""

        class Customer:
            def __init__(self):
                self.address = {"city": "Oslo"}

        test = Comparison(ctx("customer", "address", "city"), "==", Value("Oslo"))

        assert holds(test, {"customer": Customer()})

    @pytest.mark.parametrize("context", [None, {}, {"a": None}, {"a": 5}, {"a": {"b": None}}])
    def test_missing_or_null_on_the_way_is_null(self, context):
        """Whatever is missing makes the whole path null."""
        assert holds(NullTest(ctx("a", "b", "c")), context)

    def test_payload_is_null_without_an_event(self):
        """A payload path is null when there is no payload."""
        assert holds(NullTest(event("amount")), {"amount": 5}, None)
        assert holds(Comparison(event("amount"), "==", Value(5)), {}, {"amount": 5})

    @pytest.mark.parametrize("name", ["__class__", "__dict__", "_secret"])
    def test_never_reads_underscored_attributes(self, name):
        """An attribute that starts with an underscore is null, whatever it holds."""

        class Holder:
            _secret = 1

        assert holds(NullTest(ctx("holder", name)), {"holder": Holder()})

    def test_reads_underscored_keys(self):
        """A mapping key may start with an underscore: it is data."""
        assert not holds(NullTest(ctx("_secret")), {"_secret": 1})

    @pytest.mark.parametrize("value", ["abc", [1, 2, 3], (1, 2, 3), {1, 2, 3}, {"a": 1, "b": 2, "c": 3}])
    def test_length_counts_elements(self, value):
        """`.length` is the number of elements of texts, lists, tuples, sets and mappings."""
        assert holds(Comparison(ctx("value", "length"), "==", Value(3)), {"value": value})

    def test_length_of_a_mapping_with_that_key_is_the_key(self):
        """A mapping's own `length` wins."""
        assert holds(Comparison(ctx("box", "length"), "==", Value(40)), {"box": {"length": 40}})

    def test_does_not_grow_a_defaultdict(self):
        """Asking changes nothing, not even a mapping that fills itself."""
        context = defaultdict(dict)

        holds(NullTest(ctx("missing", "deeper")), context)

        assert context == {}

    def test_survives_hostile_objects(self):
        """Objects that raise at every touch are null, unequal and not ordered."""

        class Hostile(Mapping):
            def __getitem__(self, key):
                raise RuntimeError

            def __iter__(self):
                raise RuntimeError

            def __len__(self):
                raise RuntimeError

            def __contains__(self, key):
                raise RuntimeError

            def __eq__(self, other):
                raise RuntimeError

            __hash__ = None

            def __bool__(self):
                raise RuntimeError

        context = {"h": Hostile()}

        assert holds(NullTest(ctx("h", "length")), context)
        assert not holds(Truth(ctx("h"), declared_bool=True), context)
        assert not holds(Comparison(ctx("h"), "==", Value(1)), context)
        assert not holds(Comparison(ctx("h"), "<", Value(1)), context)


class TestEquality:
    @pytest.mark.parametrize(
        ("left", "right"),
        [
            (1, 1.0),
            (Decimal(1), 1),
            (Decimal("0.1"), 0.1),
            ("a", "a"),
            (True, True),
            (None, None),
            ([1], [1]),
        ],
    )
    def test_equal(self, left, right):
        """Numbers are equal by value, a float as it is written; others to their like."""
        assert compare(left, "==", right)
        assert not compare(left, "!=", right)
        assert compare(right, "==", left)

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            (1, True),
            (0, False),
            ("1", 1),
            (None, 0),
            (None, ""),
            ("true", True),
            (math.nan, math.nan),
            ([1], (1,)),
        ],
    )
    def test_unequal(self, left, right):
        """Nothing is equal to something of another kind."""
        assert not compare(left, "==", right)
        assert compare(left, "!=", right)

    def test_signalling_nan_is_no_error(self):
        """A Decimal that raises in comparisons is unequal to everything."""
        assert not compare(Decimal("sNaN"), "==", 1)
        assert compare(Decimal("sNaN"), "!=", 1)


class TestOrder:
    @pytest.mark.parametrize(
        ("left", "operator", "right"),
        [
            (1, "<", 2),
            (2.5, ">=", Decimal("2.5")),
            (Decimal("0.1"), "<=", 0.1),
            ("10", ">", 9),
            (" 1_000 ", ">", 999),
            ("-.5e1", "<=", -5),
            ("0.1", ">=", 0.1),
            (1, "<", math.inf),
            ("1e400", ">", 1e300),
        ],
    )
    def test_orders_numbers_and_numeric_text(self, left, operator, right):
        """Numbers, and text that spells a finite number, have an order."""
        assert compare(left, operator, right)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            False,
            "",
            "abc",
            "inf",
            "nan",
            "1e",
            "٣",
            [],
            math.nan,
            Decimal("NaN"),
            "1e" + "9" * 40,
        ],
    )
    @pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
    def test_everything_else_has_none(self, value, operator):
        """A comparison with anything else is false, whichever way round."""
        assert not compare(value, operator, 1)
        assert not compare(1, operator, value)
        assert holds(Not(Comparison(ctx("l"), operator, Value(1))), {"l": value})


class TestTruth:
    @pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), (None, False)])
    def test_a_declared_bool_is_its_truth(self, value, expected):
        """A field declared bool stands for itself; null is false."""
        assert holds(Truth(ctx("flag"), declared_bool=True), {"flag": value}) is expected

    @pytest.mark.parametrize(("value", "expected"), [(0, True), ("", True), (False, True), (None, False)])
    def test_any_other_path_is_not_null(self, value, expected):
        """Any other bare path asks whether there is something."""
        assert holds(Truth(ctx("x"), declared_bool=False), {"x": value}) is expected


class TestConnectives:
    def test_short_circuits(self):
        """What the first operands decide, the others are not asked."""
        asked = []

        class Context(dict):
            def get(self, key, default=None):
                asked.append(key)
                return super().get(key, default)

        context = Context(a=1)
        holds(Or((NullTest(ctx("a"), negated=True), NullTest(ctx("b")))), context)
        holds(And((NullTest(ctx("a")), NullTest(ctx("b")))), context)

        assert asked == ["a", "a"]

    def test_names_stand_for_their_guards(self):
        """A guard name is the guard of that name, at any depth."""
        guards = {"ready": Not(GuardName("busy")), "busy": Truth(ctx("busy"), declared_bool=True)}

        assert holds(And((GuardName("ready"), BoolLiteral(True))), {"busy": False}, guards=guards)
        assert guard_names(Or((Not(GuardName("a")), GuardName("b"), BoolLiteral(False)))) == ("a", "b")

    def test_an_unknown_name_is_refused(self):
        """A name that no guard has is an error when compiling, not when asking."""
        with pytest.raises(ConversionError, match="no guard is called 'redy'; there are: ready"):
            compile_guard(GuardName("redy"), {"ready": BoolLiteral(True)})

    def test_a_circle_is_refused(self):
        """Guards that name each other in a circle are an error."""
        guards = {"a": Not(GuardName("b")), "b": GuardName("a")}

        with pytest.raises(ConversionError, match="a -> b -> a"):
            compile_guard(GuardName("a"), guards)

    def test_guards_that_use_others_twice_do_not_double(self):
        """Each named guard is compiled once and asked once, however many paths lead to it."""
        asked = []

        class Context(dict):
            def get(self, key, default=None):
                asked.append(key)
                return super().get(key, default)

        guards = {"g0": NullTest(ctx("n"))} | {
            f"g{i}": Or((Not(GuardName(f"g{i - 1}")), GuardName(f"g{i - 1}"))) for i in range(1, 60)
        }

        assert holds(GuardName("g59"), Context(n=1), guards=guards)
        assert asked == ["n"]

    def test_each_asking_looks_anew(self):
        """What a named guard has answered is forgotten with the question."""
        guard = compile_guard(GuardName("ready"), {"ready": Comparison(ctx("n"), ">", Value(0))})

        assert [guard({"n": n}, None) for n in (0, 1, 0)] == [False, True, False]

    @pytest.mark.parametrize("known", [0, 100])
    def test_too_long_a_way_is_refused(self, known):
        """Guards that lead from one to the next beyond all measure are an error when compiling."""
        chain = {"g0": BoolLiteral(True)} | {f"g{i}": Not(GuardName(f"g{i - 1}")) for i in range(1, 3000)}
        guards = GuardTable(chain)
        guards.compile(GuardName(f"g{known}"))

        with pytest.raises(ConversionError, match="deeper than 256 with all the guards it uses"):
            guards.compile(GuardName("g200"))

    def test_the_longest_way_can_be_walked(self):
        """What is not refused can be asked."""
        chain = {"g0": BoolLiteral(True)}
        for i in range(1, 85):
            chain[f"g{i}"] = And((Or((GuardName(f"g{i - 1}"), BoolLiteral(False))), BoolLiteral(True)))

        assert holds(GuardName("g84"), guards=chain)

    def test_else_is_true_when_no_other_holds(self):
        """`else` holds when none of the other rows does; an unguarded row always does."""
        positive = compile_guard(Comparison(ctx("n"), ">", Value(0)), {})

        assert compile_else([positive])({"n": 0}, None)
        assert not compile_else([positive])({"n": 1}, None)
        assert not compile_else([positive, None])({"n": 0}, None)
        assert holds(Else())


# -- against a naive interpreter ------------------------------------------------------------------------------


def naive(node: Any, context: Any, payload: Any, guards: Any) -> bool:  # noqa: PLR0911
    match node:
        case BoolLiteral(value):
            return value
        case GuardName(name):
            return naive(guards[name], context, payload, guards)
        case Not(operand):
            return not naive(operand, context, payload, guards)
        case And(operands):
            return all(naive(item, context, payload, guards) for item in operands)
        case Or(operands):
            return any(naive(item, context, payload, guards) for item in operands)
        case NullTest(path, negated):
            return (naive_value(path, context, payload) is None) != negated
        case Truth(path, declared_bool):
            value = naive_value(path, context, payload)
            return bool(value) if declared_bool else value is not None
        case Comparison(left, operator, right):
            return naive_compare(naive_value(left, context, payload), operator, naive_value(right, context, payload))
    raise AssertionError(node)


def naive_value(operand: Any, context: Any, payload: Any) -> Any:
    if isinstance(operand, Value):
        return operand.value
    value = context if operand.root == "context" else payload
    for name in operand.names:
        if isinstance(value, dict):
            value = value[name] if name in value else len(value) if name == "length" else None
        elif name == "length" and isinstance(value, str | list):
            value = len(value)
        else:
            return None
    return value


def naive_compare(left: Any, operator: str, right: Any) -> bool:
    def number(value: Any) -> Any:
        if isinstance(value, bool):
            return None
        if isinstance(value, str):
            try:
                return float(value) if math.isfinite(float(value)) else None
            except ValueError:
                return None
        return value if isinstance(value, int | float) else None

    if operator in ("==", "!="):
        plain = (int, float)
        both = [isinstance(v, plain) and not isinstance(v, bool) for v in (left, right)]
        same = left == right if all(both) or type(left) is type(right) else False
        return same == (operator == "==")
    a, b = number(left), number(right)
    if a is None or b is None:
        return False
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


# Quarters, so that floats and the decimals that texts spell agree.
numbers = st.integers(-50, 50) | st.integers(-50, 50).map(lambda n: n / 4) | st.just(math.nan)
texts = st.sampled_from(["", "a", "10", "-2.5", " 3 ", "nan", "inf", "true"])
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=6,
)
mappings = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
paths = st.builds(
    Path,
    st.sampled_from(["context", "event"]),
    st.lists(st.sampled_from(["a", "b", "c", "length"]), min_size=1, max_size=3).map(tuple),
)
tests = (
    st.builds(BoolLiteral, st.booleans())
    | st.sampled_from([GuardName("g"), GuardName("h")])
    | st.builds(Truth, paths, st.booleans())
    | st.builds(NullTest, paths, st.booleans())
    | st.builds(
        Comparison,
        paths | st.builds(Value, scalars),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        paths | st.builds(Value, scalars),
    )
)
expressions = st.recursive(
    tests,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)
GUARDS = {"g": Comparison(ctx("a"), ">", Value(1)), "h": Not(GuardName("g"))}


@given(expressions, mappings, st.none() | mappings)
def test_agrees_with_a_naive_interpreter(expression, context, payload):
    """A compiled guard answers as the rules do when they are applied one by one."""
    assert holds(expression, context, payload, GUARDS) is naive(expression, context, payload, GUARDS)


anything = (
    values | st.decimals() | st.floats() | st.binary() | st.builds(object) | st.complex_numbers() | st.fractions()
)


@given(expressions, st.dictionaries(st.sampled_from("abc"), anything) | anything, anything)
def test_never_raises(expression, context, payload):
    """A guard answers true or false whatever it is asked about."""
    assert holds(expression, context, payload, GUARDS) in (True, False)
