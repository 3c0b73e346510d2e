"""Contexts that are objects of a dataclass or a pydantic model."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import pickle
import threading
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, NewType

import pytest
from convert_support import active
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator
from statemachine.exceptions import TransitionNotAllowed

from orca_bridge import (
    ContextFieldsError,
    ContextTypeError,
    UnknownMachineError,
    load,
    load_all,
    load_orchestrator,
    loads,
    loads_orchestrator,
    loads_table,
)
from orca_bridge.convert._context_values import copied, copy_of
from orca_bridge.definition import ContextField, MachineDefinition, Span, TypeExpression
from orca_bridge.syntax import parse_document
from orca_bridge.write import python_source
from statemachines_orchestrator import Orchestrator, machine

TEXT = """
# machine Order

## context
| Field | Type             | Default |
|-------|------------------|---------|
| n     | int              | 3       |
| total | decimal          | 0.5     |
| mode  | enum(fast, slow) | fast    |
| tags  | string[]         | ["a"]   |
| who   | string?          |         |
| paid  | bool             | false   |

## state open [initial]
- on_exit: leave
- on look -> open : look
## state closed

## transitions
| Source | Event | Guard                                     | Target | Action   |
|--------|-------|-------------------------------------------|--------|----------|
| open   | put   |                                           |        | put      |
| open   | two   |                                           |        | put, see |
| open   | close | ctx.n > 4 and ctx.tags.length == 1 and !paid | closed |          |
| closed | back  |                                           | open   |          |

## actions
| Name | Signature |
|------|-----------|
| put | `(ctx, event) -> Context` |
| see | `(ctx) -> Context` |
| look | `(ctx) -> Context` |
| leave | `(ctx) -> Context` |
"""


@dataclass
class Plain:
    n: int
    total: float
    mode: Literal["fast", "slow"]
    tags: list[str]
    who: str | None = None
    paid: bool = True
    _calls: int = 0

    def double(self) -> int:
        return self.n * 2


@dataclass(slots=True)
class Slotted:
    n: int
    total: float
    mode: str
    tags: list[str]
    who: str | None
    paid: bool


@dataclass(frozen=True)
class Frozen:
    n: int
    total: float
    mode: str
    tags: list[str]
    who: str | None
    paid: bool


class Model(BaseModel):
    model_config = ConfigDict(validate_assignment=True)

    n: int = Field(le=100)
    total: Decimal
    mode: Literal["fast", "slow"]
    tags: list[str]
    who: str | None
    paid: bool


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True)

    n: int
    total: float
    mode: str
    tags: list[str]
    who: str | None
    paid: bool


class Renamed(BaseModel):
    n: int = Field(alias="number")
    total: float
    mode: str
    tags: list[str]
    who: str | None
    paid: bool


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    n: int
    total: float
    mode: str
    tags: list[str]
    who: str | None
    paid: bool


KINDS = [Plain, Slotted, Frozen, Model, FrozenModel, Renamed, Open]
MUTABLE = [Plain, Slotted, Model, Renamed, Open]


def put(ctx, event):
    return event


HANDLERS = {"put": put, "see": lambda ctx: None, "look": lambda: None, "leave": lambda: None}


def order(kind=Plain, typing="warn", context=None, **handlers):
    return loads(TEXT, context=kind, actions=None, typing=typing)(context=context, actions={**HANDLERS, **handlers})


def values(found):
    return {name: getattr(found, name) for name in ("n", "total", "mode", "tags", "who", "paid")}


START = {"n": 3, "total": 0.5, "mode": "fast", "tags": ["a"], "who": None, "paid": False}


@pytest.mark.parametrize("kind", KINDS)
class TestRuns:
    def test_start(self, kind):
        """The context is an object of the class, with the declared defaults as fresh copies, then the values given."""
        one, other = order(kind), order(kind, context={"n": 5, "who": "me"})

        assert type(one.context) is kind
        assert values(one.context) == START | {"total": one.context.total}
        assert values(other.context) == START | {"n": 5, "who": "me", "total": other.context.total}
        assert one.context.tags is not other.context.tags

    def test_given_as_an_object(self, kind):
        """An object holds all values; the machine has a copy of it, also without the class given to `load`."""
        mine = {"n": 7, "total": 1, "mode": "slow", "tags": [], "who": None, "paid": True}
        if kind is Renamed:
            mine["number"] = mine.pop("n")
        whole = kind(**mine)

        for found in (order(kind, context=whole), order(None, context=whole)):
            assert type(found.context) is kind
            assert found.context == whole
            assert found.context is not whole

    def test_merged(self, kind):
        """What an action returns is merged; guards and later actions read it."""
        seen = []
        one = order(kind, see=lambda ctx: seen.append(ctx.n))
        with pytest.raises(TransitionNotAllowed):
            one.close()

        one.two(n=5)
        one.close()

        assert seen == [5]
        assert active(one) == "closed"
        assert one.context.n == 5

    def test_returned_whole(self, kind):
        """An action may return an object of the class."""
        one = order(kind, put=lambda ctx, event: copy_of(ctx) if event is None else _changed(ctx, event))

        one.put(n=8, who="me")

        assert values(one.context) == START | {"n": 8, "who": "me", "total": one.context.total}

    def test_a_field_that_is_not_there(self, kind):
        """A name that is no field is an error of the action that says what is meant, and nothing is merged."""
        one = order(kind)
        if kind is Open:
            one.put(m=8)
            assert one.context.m == 8
            return

        with pytest.raises(AttributeError, match=rf"'tagz' is no field of {kind.__name__}; is 'tags' meant\?"):
            one.put(n=4, tagz=[])

        assert one.context.n == 3

    def test_types(self, kind, caplog):
        """Values are compared with the declared types, and with `strict` refused."""
        order(kind).put(who=5) if kind is not Model else None
        assert kind is Model or "'who' is declared string? and is int 5" in caplog.text

        one = order(kind, typing="strict")
        with pytest.raises(ContextTypeError, match="'who' is declared string"):
            one.put(n=4, who=5)
        assert one.context.n == 3

    def test_put_back(self, kind):
        """A step that fails puts the values back, those that were changed in place too."""
        cls = loads(TEXT, context=kind)

        class Shop(Orchestrator):
            order: cls = machine()

        def broken(ctx):
            ctx.tags.append("b")
            raise ValueError("no")

        shop = Shop(order=cls(actions={**HANDLERS, "see": broken}))
        before = shop.order.context
        with pytest.raises(ValueError, match="no"):
            shop.order.two(n=50)

        assert values(shop.order.context) == START | {"total": shop.order.context.total}
        assert type(shop.order.context) is kind
        assert kind in (Frozen, FrozenModel) or shop.order.context is before

    def test_snapshots(self, kind):
        """A snapshot of an orchestrator holds the values, and makes an object of the class of them again."""
        cls = loads(TEXT, context=kind, actions=HANDLERS)

        class Shop(Orchestrator):
            order: cls = machine(factory=cls)

        shop = Shop()
        shop.order.put(n=9, tags=["x", "y"], total=Decimal("0.1") if kind is Model else 0.1)
        again = Shop.restore(shop.snapshot().to_json())

        assert type(again.order.context) is kind
        assert again.order.context == shop.order.context

    def test_copies(self, kind):
        """Copies have a context of their own, of the same class; so have pickled machines."""
        cls = loads(TEXT, context=kind, actions=ACTIONS)
        one = cls(context={"n": 5})

        for twin in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert twin.context == one.context
            assert twin.context is not one.context
            assert type(twin.context) is kind
            twin.close()
            assert (active(twin), active(one)) == ("closed", "open")

    def test_copies_keep_what_cannot_be_copied(self, kind):
        """A lock in a field is no reason to refuse a copy."""
        lock = threading.Lock()
        given = {**START, "tags": [["a"]]}
        if kind is Renamed:
            given["number"] = given.pop("n")
        whole = kind.model_construct(**given) if hasattr(kind, "model_construct") else kind(**given)
        object.__setattr__(whole, "who", lock)

        twin = copy_of(whole)

        assert twin.who is lock
        assert twin.tags == whole.tags
        assert twin.tags is not whole.tags

    def test_as_with_a_dict(self, kind):
        """Any events lead to the states and values that a machine with a dict comes to."""

        @settings(max_examples=25, deadline=None)
        @given(
            st.lists(
                st.tuples(
                    st.sampled_from(["put", "two", "close", "back", "look"]),
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "n": st.integers(0, 9),
                            "tags": st.lists(st.sampled_from("ab"), max_size=2),
                            "paid": st.booleans(),
                            "who": st.sampled_from(["me", None]),
                        },
                    ),
                ),
                max_size=8,
            )
        )
        def alike(events):
            typed, plain = order(kind), order(None)
            for event, payload in events:
                taken = []
                for one in (typed, plain):
                    try:
                        one.send(event, copy.deepcopy(payload))
                        taken.append(True)
                    except TransitionNotAllowed:
                        taken.append(False)
                assert taken[0] == taken[1]
                assert active(typed) == active(plain)
                assert values(typed.context) == plain.context | {"total": typed.context.total}

        alike()


ACTIONS = {"put": put, "see": print, "look": print, "leave": print}


def _changed(ctx, event):
    if dataclasses.is_dataclass(ctx):
        return dataclasses.replace(ctx, **event)
    return ctx.model_copy(update=event)


class TestMutable:
    @pytest.mark.parametrize("kind", MUTABLE)
    def test_in_place(self, kind):
        """An action may change the object, which stays the same, and return it."""

        def change(ctx, event):
            ctx.n = event["n"]
            ctx.tags.append("b")
            return ctx

        one = order(kind, put=change)
        before = one.context
        one.put(n=6)

        assert one.context is before
        assert (one.context.n, one.context.tags) == (6, ["a", "b"])

    def test_a_field_that_refuses(self):
        """When a field refuses its value, nothing of the result is merged, and it is an error of the action."""
        one = order(Model)

        with pytest.raises(ValueError, match="less than or equal to 100") as caught:
            one.put(who="me", tags=["z"], n=500)

        assert "in action 'put' of machine 'Order'" in caught.value.__notes__
        assert values(one.context) == START | {"total": one.context.total}

    def test_undeclared_values_of_an_open_model(self):
        """What an open model holds beside its fields is put back and saved with them."""
        cls = loads(TEXT, context=Open)

        class Shop(Orchestrator):
            order: cls = machine(factory=lambda: cls(actions={**HANDLERS, "see": lambda ctx: 1 / ctx.zero}))

        shop = Shop()
        shop.order.put(more=1)
        with pytest.raises(ZeroDivisionError):
            shop.order.two(more=2, zero=0)

        assert shop.order.context.model_extra == {"more": 1}
        assert Shop.restore(shop.snapshot().to_json()).order.context.model_extra == {"more": 1}

    def test_a_snapshot_with_more(self, caplog):
        """What a snapshot holds and the class has no field for is passed over, and logged."""

        class Shop(Orchestrator):
            order: loads(TEXT) = machine()

        shop = Shop(order=loads(TEXT)(actions=HANDLERS, context={"n": 8, "tagz": 1}))
        again = Shop.restore(shop.snapshot().to_json(), order=order(None, context=Plain(0, 0.0, "slow", [], None)))

        assert again.order.context == Plain(8, 0.5, "fast", ["a"], None, False)
        assert "'tagz' is no field of Plain; is 'tags' meant?" in caplog.text

    def test_private_attributes_are_its_own(self):
        """What begins with an underscore is neither saved nor put back, and no guard sees it."""
        cls = loads(TEXT.replace("ctx.n > 4", "_calls == 0"), context=Plain)

        def count(ctx):
            ctx._calls += 1
            raise ValueError("no")

        class Shop(Orchestrator):
            order: cls = machine(factory=lambda: cls(actions={**HANDLERS, "see": count}))

        shop = Shop()
        with pytest.raises(ValueError, match="no"):
            shop.order.two()
        assert shop.order.context._calls == 1
        with pytest.raises(TransitionNotAllowed):
            shop.order.close()


class TestStartValues:
    def test_the_class_may_have_defaults_of_its_own(self):
        """Where the document starts with null, a default of the class counts; a null that is given is given."""
        text = TEXT.replace("| string?          |         |", "| string           |         |")

        @dataclass
        class Known:
            n: int
            total: float
            mode: str
            tags: list[str]
            who: str | None = "nobody"
            paid: bool = True

        made = loads(text, context=Known)(actions=HANDLERS).context
        assert (made.who, made.paid) == ("nobody", False)
        assert loads(text, context=Known)(actions=HANDLERS, context={"who": None}).context.who is None

    def test_unknown_ones(self):
        """A value for no field is refused, with what is meant."""
        with pytest.raises(ContextTypeError, match=r"'tagz' is no field of Plain; is 'tags' meant\?"):
            order(Plain, context={"tagz": [], "n": 4})

    def test_what_pydantic_refuses(self):
        """All that pydantic refuses is told at once, as an error of the context."""
        with pytest.raises(ContextTypeError) as caught:
            order(Model, context={"n": 500, "mode": "other"})

        assert len(caught.value.problems) == 2
        assert caught.value.problems[0].startswith("'n': Input should be less than")

    def test_what_a_class_refuses_itself(self):
        """An error of the class that is none of fields stays what it is."""

        @dataclass
        class Strict(Plain):
            def __post_init__(self):
                raise ValueError("not today")

        with pytest.raises(ValueError, match="not today"):
            order(Strict)

    def test_what_is_no_context(self):
        """Anything else is refused in words."""
        with pytest.raises(TypeError, match="a context is a mapping, or an object of a dataclass or pydantic model"):
            order(None, context=[1])
        with pytest.raises(TypeError, match="is a dataclass or a pydantic model, and dict is neither"):
            loads(TEXT, context=dict)
        with pytest.raises(TypeError, match="and 5 is neither"):
            loads(TEXT, context=5)

    def test_an_object_that_does_not_fit(self):
        """An object of a class that does not fit is refused when the machine is made."""

        @dataclass
        class Other:
            n: int = 0

        with pytest.raises(ContextFieldsError, match=r"'total' \(decimal\) is missing"):
            order(None, context=Other())


class TestClasses:
    def fields(self, **annotations):
        declared = {"n": int, "total": float, "mode": str, "tags": list, "who": "str | None", "paid": bool}
        return dataclasses.make_dataclass("Made", list((declared | annotations).items()))

    def test_all_at_once(self):
        """Missing, surplus and mistyped fields are told together, with the nearest names and what to write."""

        @dataclass
        class Wrong:
            nn: int
            total: str
            mode: Literal["fast"]
            tags: list[int]
            who: str

        with pytest.raises(ContextFieldsError) as caught:
            loads(TEXT, context=Wrong)

        assert caught.value.problems == (
            "'n' (int) is missing: add 'n: int' (is 'nn' meant to be it?)",
            "'total' is declared decimal and is str here: write 'float'",
            "'mode' is declared enum(fast, slow) and is typing.Literal['fast'] here: write 'Literal['fast', 'slow']'",
            "'tags' is declared string[] and is list[int] here: write 'list[Any]'",
            "'who' may be null (string?) and is str here: write 'str | None'",
            "'paid' (bool) is missing: add 'paid: bool'",
            "'nn' is not in the document: declare it there, or call it '_nn' (is 'n' meant to be it?)",
        )
        assert str(caught.value).startswith(
            "Wrong does not fit the context of machine 'Order':\n- 'n' (int) is missing"
        )
        assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems

    @pytest.mark.parametrize(
        ("name", "annotation"),
        [
            ("n", int),
            ("n", int | None),
            ("n", Any),
            ("n", object),
            ("n", Annotated[int, "a note"]),
            ("n", NewType("Count", int)),
            ("n", "Unknown"),
            ("total", Decimal),
            ("total", float | int),
            ("mode", Literal["fast", "slow", "none"]),
            ("mode", StrEnum("Mode", {"FAST": "fast", "SLOW": "slow"})),
            ("tags", list[str]),
            ("tags", tuple[str, ...]),
            ("tags", "list[str]"),
            ("paid", bool),
        ],
    )
    def test_types_that_fit(self, name, annotation):
        """A type fits that takes every value of the declared one."""
        assert loads(TEXT, context=self.fields(**{name: annotation}))

    @pytest.mark.parametrize(
        ("name", "annotation"),
        [
            ("n", str),
            ("n", bool),
            ("n", float),
            ("n", Literal["x"]),
            ("n", None),
            ("total", int),
            ("mode", int),
            ("mode", Enum("Mode", {"FAST": "fast", "SLOW": "slow"})),
            ("mode", StrEnum("Mode", {"FAST": "fast"})),
            ("tags", dict),
            ("tags", list[int]),
            ("paid", int),
        ],
    )
    def test_types_that_do_not(self, name, annotation):
        """A type that takes only some of the declared values, or none, does not."""
        with pytest.raises(ContextFieldsError) as caught:
            loads(TEXT, context=self.fields(**{name: annotation}))

        assert [problem.split("'")[1] for problem in caught.value.problems] == [name]

    def test_null_at_the_start(self):
        """A field that the document starts with null has to take null, or have a default."""
        declared = ContextField("a", TypeExpression("map", text="map"), None, Span(1, 1, 2))
        definition = MachineDefinition("M", context=(declared,))
        from orca_bridge.convert._context_class import check_class

        check_class(dataclasses.make_dataclass("Made", [("a", "dict[str, int] | None")]), definition)
        check_class(dataclasses.make_dataclass("Made", [("a", dict, field(default_factory=dict))]), definition)
        with pytest.raises(ContextFieldsError, match=r"'a' starts as null: write 'dict\[str, Any\] \| None', or give"):
            check_class(dataclasses.make_dataclass("Made", [("a", dict)]), definition)

    @pytest.mark.parametrize("name", ["in-progress", "_hidden"])
    def test_names_that_are_no_fields(self, name):
        """A declared name that no attribute can have is told."""
        text = TEXT.replace("| paid  |", f"| {name} |").replace("!paid", "ctx.n > 0")

        with pytest.raises(ContextFieldsError, match=f"'{name}' cannot be a field"):
            loads(text, context=self.fields())

    def test_a_document_without_fields(self):
        """Where the document declares nothing, any class fits."""
        text = "# machine M\n## state a [initial]\n- on go [n > 1] -> b\n## state b\n"

        @dataclass
        class Mine:
            n: int = 2

        one = loads(text, context=Mine)()
        one.go()

        assert active(one) == "b"

    def test_pydantic_models_are_compared_too(self):
        """A model's fields are compared like those of a dataclass."""

        class Wrong(BaseModel):
            n: str
            total: float = 0.5
            modus: str = "fast"
            tags: list[str] = []
            who: str | None = None
            paid: bool = False

            @field_validator("n")
            @classmethod
            def check(cls, value):
                return value

        with pytest.raises(ContextFieldsError) as caught:
            loads(TEXT, context=Wrong)

        assert caught.value.problems == (
            "'n' is declared int and is str here: write 'int'",
            "'mode' (enum(fast, slow)) is missing: add 'mode: Literal['fast', 'slow']' (is 'modus' meant to be it?)",
            "'modus' is not in the document: declare it there, or call it '_modus' (is 'mode' meant to be it?)",
        )

    def test_the_same_class(self):
        """The same document and class make the same machine class, another one another."""
        assert loads(TEXT, context=Plain) is loads(TEXT, context=Plain)
        assert loads(TEXT, context=Plain) is not loads(TEXT, context=Slotted)
        assert loads(TEXT, context=Plain) is not loads(TEXT)


TRIP = """
# machine Trip

## context
| Field | Type   | Default |
|-------|--------|---------|
| city  | string | Rome    |
| room  | string |         |

## state start [initial]
- on go -> booking
## state booking
- invoke: Hotel input: { city: ctx.city } returns: { room: number }
- on_done: booked
## state done

## transitions
| Source  | Event  | Guard                         | Target |
|---------|--------|-------------------------------|--------|
| booking | booked | event.context.city == "Rome"  | done   |

---

# machine Hotel

## context
| Field  | Type   | Default |
|--------|--------|---------|
| city   | string |         |
| number | string |         |

## state asking [initial]
- on give -> given : take
## state given [final]
"""


@dataclass
class TripContext:
    city: str
    room: str | None = None


class HotelContext(BaseModel):
    city: str | None
    number: str | None


def take(ctx, event):
    ctx.number = event["number"]


BOTH = {"Trip": TripContext, "Hotel": HotelContext}


class TestSeveral:
    def test_an_orchestrator(self):
        """Each machine of a document has the class that is given for it; values go in and out between them."""
        system = loads_orchestrator(TRIP, actions={"take": take}, context=BOTH)()
        system.trip.go()
        assert system.hotel["trip.booking"].context == HotelContext(city="Rome", number=None)
        again = type(system).restore(system.snapshot().to_json())
        assert type(again.hotel["trip.booking"].context) is HotelContext

        again.hotel["trip.booking"].give(number="7")

        assert again.trip.context == TripContext("Rome", "7")
        assert active(again.trip) == "done"

    def test_alone(self):
        """A machine that is used alone has the classes for what it invokes."""
        one = loads(TRIP, actions={"take": take}, context=BOTH)()
        one.go()

        assert type(one.children["booking"].context) is HotelContext
        one.children["booking"].give(number="7")
        assert one.context.room == "7"

    def test_files(self, tmp_path):
        """The functions for files take the classes, too."""
        path = tmp_path / "trip.md"
        path.write_text(TRIP)

        assert type(load(path, context=TripContext)(actions={}).context) is TripContext
        kinds = load_all(path, context=BOTH, actions={"take": take})
        assert {name: type(kind().context) for name, kind in kinds.items()} == BOTH
        assert type(load_orchestrator(path, context=BOTH, actions={"take": take})().trip.context) is TripContext

    @pytest.mark.parametrize("call", [loads, loads_orchestrator])
    def test_a_machine_that_is_not_there(self, call):
        """A class for a machine that the document does not define is a mistake."""
        with pytest.raises(UnknownMachineError, match=r"defines no machine 'Hotle'\. Did you mean 'Hotel'"):
            call(TRIP, context={"Hotle": HotelContext})

    def test_written_modules(self):
        """A class of a written module takes an object as its context."""
        space = {"__name__": "written"}
        exec(python_source(parse_document(TRIP, "trip.md").machines), space)

        one = space["Trip"](context=TripContext("Oslo"), actions={"take": take})
        one.go()

        assert type(one.context) is TripContext
        assert one.children["booking"].context == {"city": "Oslo", "number": None}

    def test_asynchronous_actions(self):
        """Asynchronous actions get a frozen object anew after each change."""
        seen = []

        async def see(ctx):
            seen.append(ctx.n)

        async def main():
            one = order(Frozen, see=see)
            await one.two(n=5)

        asyncio.run(main())

        assert seen == [5]


def test_decision_tables():
    """A decision table asks the fields of an object, as an action and as a guard."""
    table = loads_table(
        "# decision_table Rates\n## conditions\n| Name | Type |\n|---|---|\n| n | int |\n## actions\n"
        "| Name | Type |\n|---|---|\n| paid | bool |\n## rules\n| n | → paid |\n|---|---|\n| 3+ | true |\n"
    )
    one = order(Plain, put=table.action)
    one.put()

    assert one.context.paid is True
    assert table.guard("paid")(one)
    assert not table.guard("paid")(one, n=1)


def test_copied_values():
    """Values are copied deeply, each by itself."""
    lock = threading.Lock()
    given = {"a": [1], "lock": lock}

    found = copied(given)

    assert found == given
    assert found["a"] is not given["a"]
    assert found["lock"] is lock
