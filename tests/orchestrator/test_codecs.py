"""Values to JSON and back: what is readable stays readable, what cannot be read again is refused, all at once."""

from __future__ import annotations

import enum
import json
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachines_orchestrator.snapshot._classes import Classes, Custom
from statemachines_orchestrator.snapshot._decode import Decoder
from statemachines_orchestrator.snapshot._encode import Encoder


class Colour(enum.Enum):
    RED = "r"
    BLUE = object()


class Level(enum.IntEnum):
    LOW = 1


class Right(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Owner:
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A constructor that may not run again."""

    amount: int
    owner: Owner | None = None
    total: int = field(init=False, default=0)

    def __post_init__(self):
        MADE.append(self)


MADE: list[Any] = []


@dataclass
class Waiting:
    total: int = field(init=False)


@dataclass
class Cached:
    amount: int

    @cached_property
    def double(self):
        return 2 * self.amount


class Point(NamedTuple):
    x: int
    y: int


@attrs.define(frozen=True, cache_hash=True)
class Address:
    street: str
    lines: list[Line] = attrs.field(factory=list, eq=False)


class Item(pydantic.BaseModel):
    model_config = {"extra": "allow"}
    name: str
    price: Decimal = Decimal(0)
    tags: set[str] = set()
    _seen: int = pydantic.PrivateAttr(default=0)


class Box(msgspec.Struct):
    items: list[Point]
    label: str = ""


class Bag(dict):
    """A mapping of the user's own, with attributes."""

    title: str


class Row:
    """Nobody knows what it consists of."""


class Described(TypedDict):
    colour: Colour


T = TypeVar("T")


@dataclass
class Crate(Generic[T]):
    content: T


OwnerId = NewType("OwnerId", Owner)


def classes(*hints, customs=()):
    return Classes("Shop", [(hint, __name__) for hint in hints], {one.cls: one for one in customs})


def written(value, *hints, customs=()):
    encoder = Encoder(classes(*hints, customs=customs))
    result = encoder.encode(value, "Shop.x")
    assert encoder.problems == []
    return json.loads(json.dumps(result, allow_nan=False))


def read(text, *hints, customs=()):
    decoder = Decoder(classes(*hints, customs=customs))
    result = decoder.decode(text, "Shop.x")
    assert decoder.problems == []
    return result


def round_trip(value, *hints, customs=()):
    return read(written(value, *hints, customs=customs), *hints, customs=customs)


def refusals(value, *hints, customs=()):
    encoder = Encoder(classes(*hints, customs=customs))
    encoder.encode(value, "Shop.x")
    return encoder.problems


def mismatches(text, *hints, customs=()):
    decoder = Decoder(classes(*hints, customs=customs))
    decoder.decode(text, "Shop.x")
    return decoder.problems


def same(one, other):
    """Equal, and of the same classes all the way down."""
    return one == other and repr(one) == repr(other)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=30))))
    | st.timedeltas()
    | st.uuids()
    | st.decimals(allow_nan=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(SCALARS, inner)
        | st.sets(SCALARS)
        | st.frozensets(SCALARS)
    ),
    max_leaves=10,
)


class TestReadable:
    @pytest.mark.parametrize(
        "value", [None, True, 3, -1.5, "text", [], [1, [2]], {}, {"a": {"b": [None]}}, 10**300, "\ud800"]
    )
    def test_json_stays(self, value):
        """What JSON has a word for is written as it is."""
        assert same(written(value), value)
        assert same(round_trip(value), value)

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ((1, 2), {"$type": "tuple", "items": [1, 2]}),
            ({1: "one"}, {"$type": "dict", "items": [[1, "one"]]}),
            ({"$type": "x"}, {"$type": "dict", "items": [["$type", "x"]]}),
            ({3, 1, 2}, {"$type": "set", "items": [1, 2, 3]}),
            (frozenset({"a"}), {"$type": "frozenset", "items": ["a"]}),
            (b"ab", {"$type": "bytes", "base64": "YWI="}),
            (bytearray(b""), {"$type": "bytearray", "base64": ""}),
            (date(2026, 1, 31), {"$type": "date", "value": "2026-01-31"}),
            (timedelta(hours=-1), {"$type": "timedelta", "days": -1, "seconds": 82800, "microseconds": 0}),
            (Decimal("1.50"), {"$type": "decimal", "value": "1.50"}),
            (UUID(int=7), {"$type": "uuid", "value": "00000000-0000-0000-0000-000000000007"}),
            (complex(1, 2), {"$type": "complex", "value": "(1+2j)"}),
            (-math.inf, {"$type": "float", "value": "-inf"}),
            (datetime(2026, 1, 31, 12, tzinfo=UTC), {"$type": "datetime", "value": "2026-01-31T12:00:00+00:00"}),
            (time(1, 2, fold=1), {"$type": "time", "value": "01:02:00", "fold": 1}),
        ],
    )
    def test_words(self, value, text):
        """Everything else says what it is."""
        assert written(value) == text
        assert same(read(text), value)

    def test_region(self):
        """A time in a region keeps the region, since its offset depends on the day."""
        value = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))

        assert written(value) == {
            "$type": "datetime",
            "value": "2026-10-25T02:30:00",
            "zone": "Europe/Berlin",
            "fold": 1,
        }
        assert round_trip(value).tzinfo is value.tzinfo
        assert round_trip(value).utcoffset() == value.utcoffset()

    @pytest.mark.parametrize("value", [10**5000, -(10**5000)], ids=["positive", "negative"])
    def test_long_number(self, value):
        """A number that Python would refuse to read in digits comes back."""
        assert round_trip(value) == value

    def test_nan(self):
        """What is no number stays none."""
        assert math.isnan(round_trip(math.nan))

    @given(VALUES)
    def test_everything(self, value):
        """Whatever is made of these comes back as it was, with the same classes."""
        assert round_trip(value) == value
        assert type(round_trip(value)) is type(value)


class TestClasses:
    @pytest.mark.parametrize(
        ("value", "hint"),
        [
            (Colour.BLUE, Colour),
            ([Colour.RED], list[Colour]),
            (Level.LOW, "Level"),
            (Right.READ | Right.WRITE, Right),
            ({"a": Point(1, 2)}, "dict[str, Point | None]"),
            (Line(1, Owner("ann")), Line),
            (Owner("ann"), list[Line]),
            (Address("here", [Line(1)]), "tuple[Address, ...]"),
            (Item(name="a", price=Decimal("1.5"), tags={"t"}, more=[1]), Item),
            (Box([Point(1, 2)], "b"), Box),
            (SimpleNamespace(a=1), SimpleNamespace),
            (Colour.RED, Described),
            (Colour.RED, Literal[Colour.RED]),
            (Owner("ann"), Annotated[Owner, "not_evaluated()"]),
            (Owner("ann"), OwnerId),
            (Crate(Owner("ann")), Crate[Owner]),
        ],
    )
    def test_records(self, value, hint):
        """Enumerations and records come back, in classes that annotations name, directly or in turn."""
        assert round_trip(value, hint) == value
        assert type(round_trip(value, hint)) is type(value)

    def test_readable(self):
        """A record is written by its fields."""
        assert written(Line(1, Owner("ann")), Line) == {
            "$type": "object",
            "class": "Line",
            "fields": {
                "amount": 1,
                "owner": {"$type": "object", "class": "Owner", "fields": {"name": "ann"}},
                "total": 0,
            },
        }

    def test_no_constructor(self):
        """A record comes back without its constructor."""
        line = Line(1)
        MADE.clear()

        assert round_trip(line, Line) == line
        assert MADE == []

    def test_pydantic(self):
        """A pydantic model comes back with all that it knows: what was given, extras and private attributes."""
        item = Item(name="a", more=1)
        item._seen = 5

        again = round_trip(item, Item)

        assert again == item
        assert again.model_fields_set == {"name", "more"}
        assert (again.more, again._seen) == (1, 5)

    def test_attrs_hash(self):
        """A remembered hash is not taken along."""
        address = Address("here")

        assert hash(address) == hash(round_trip(address, Address))

    def test_cached(self):
        """What was only computed is left behind."""
        cached = Cached(2)

        assert cached.double == 4
        assert vars(round_trip(cached, Cached)) == {"amount": 2}

    def test_mapping(self):
        """A dict of the user's own class keeps entries and attributes."""
        bag = Bag({"a": 1, 2: (3,)})
        bag.title = "mine"

        again = round_trip(bag, Bag)

        assert (type(again), dict(again), again.title) == (Bag, {"a": 1, 2: (3,)}, "mine")

    def test_same_name(self):
        """Two classes of one name are told apart by their modules."""
        other = dataclass(type("Owner", (), {"__annotations__": {"name": str}, "__module__": "elsewhere"}))

        assert written(other("bob"), Owner, other)["class"] == "elsewhere.Owner"
        assert type(round_trip(other("bob"), Owner, other)) is other
        assert written(Owner("ann"), Owner, other)["class"] == f"{__name__}.Owner"

    def test_fill(self):
        """An object that exists can be given the content of another."""
        owner = Owner("bob")
        decoder = Decoder(classes(Owner))

        fill = decoder.filling(owner, written(Owner("ann"), Owner), "Shop.x")
        assert owner.name == "bob"
        fill()
        assert owner.name == "ann"
        assert decoder.filling(owner, ["ann"], "Shop.x") is None

    def test_without(self):
        """Attributes that are kept elsewhere are left out."""
        row = Owner("ann")
        row.state = "paid"

        assert Encoder(classes(Owner)).record(row, "Shop.x", frozenset({"state"}))["fields"] == {"name": "ann"}


class TestCustom:
    PATH = Custom(Path, str, Path)

    def test_codec(self):
        """A codec of the user's comes first, also for what is derived from its class."""
        assert written([Path("a/b")], customs=[self.PATH]) == [{"$type": "custom", "class": "Path", "value": "a/b"}]
        assert round_trip(Path("a/b"), customs=[self.PATH]) == Path("a/b")

    def test_inside(self):
        """What a codec returns may be anything that can be saved."""
        row = Custom(Row, lambda row: (Point(1, 2), {1}), lambda parts: parts)

        assert round_trip(Row(), Point, customs=[row]) == (Point(1, 2), {1})

    def test_announced(self):
        """A class that no annotation names can be announced."""
        assert round_trip(Owner("ann"), customs=[Custom(Owner)]) == Owner("ann")

    def test_fails(self):
        """A codec that fails is named, both ways, and one that returns what it got."""
        bad = Custom(Path, lambda path: path / 1, lambda text: text / 1)
        idle = Custom(Path, lambda path: path, Path)

        assert refusals(Path("a"), customs=[bad])[0].startswith("Shop.x: the codec of Path failed with TypeError(")
        assert mismatches(written(Path("a"), customs=[self.PATH]), customs=[bad])[0].startswith(
            "Shop.x: the codec of Path failed with TypeError("
        )
        assert refusals(Path("a"), customs=[idle]) == [
            "Shop.x: the codec of Path returned a PosixPath again. Let it return what can be saved, such as a text or a dict."
        ]

    def test_gone(self):
        """A snapshot that needs a codec says so."""
        assert mismatches(written(Path("a"), customs=[self.PATH]), customs=[Custom(Path)]) == [
            "Shop.x: Path has no codec any more: write Shop.codec(Path, encode=..., decode=...)."
        ]


class Odd(tzinfo):
    def utcoffset(self, when):
        return timedelta(0)


class Text(str):
    __slots__ = ()


class TestRefused:
    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (
                threading.Lock(),
                "Shop.x: a lock cannot be saved. Write Shop.codec(lock, encode=..., decode=...), or keep it somewhere else.",
            ),
            (
                Row(),
                "Shop.x: a Row cannot be saved. Make Row a dataclass, or write Shop.codec(Row, encode=..., decode=...).",
            ),
            (
                Text("a"),
                "Shop.x: a Text cannot be saved. Keep a str there, or write Shop.codec(Text, encode=..., decode=...).",
            ),
            (
                OrderedDict(),
                "Shop.x: an OrderedDict cannot be saved. Keep a dict there, or write Shop.codec(OrderedDict, encode=..., decode=...).",
            ),
            (
                Colour.RED,
                "Shop.x: nothing in Shop says that a Colour may stand here, so it could not be read again. Name the class in the annotation, or write Shop.codec(Colour).",
            ),
            (
                Owner("ann"),
                "Shop.x: nothing in Shop says that an Owner may stand here, so it could not be read again. Name the class in the annotation, or write Shop.codec(Owner).",
            ),
            (
                datetime(2026, 1, 1, tzinfo=Odd()),
                "Shop.x: a datetime cannot be saved: its time zone is a Odd: use datetime.timezone or zoneinfo.ZoneInfo.",
            ),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_advice(self, value, problem):
        """Who cannot be saved is told what to write."""
        assert refusals(value) == [problem]

    def test_all_at_once(self):
        """All places are named."""
        lock = threading.Lock()
        value = [1, {"a": lock}, {("k",): lock}, Line(1, lock)]

        assert [one.partition(": a lock")[0] for one in refusals(value, Line)] == [
            "Shop.x[1]['a']",
            "Shop.x[2][('k',)]",
            "Shop.x[3].owner",
        ]

    def test_circle(self):
        """What contains itself cannot be written; what stands in two places can."""
        inner = [1]
        circle = [inner, inner]
        assert refusals(circle) == []
        circle.append(circle)

        assert refusals(circle) == ["Shop.x[2]: this list contains itself, and a snapshot is a tree."]

    def test_deep(self):
        """What is nested without end is refused."""
        value = []
        for _ in range(100_000):
            value = [value]

        assert refusals(value)[0].endswith("it is nested too deeply.")

    def test_lost_attribute(self):
        """What would be lost is told."""
        owner = Owner("ann")
        owner.note = 1

        assert refusals(owner, Owner) == [
            "Shop.x.note: an Owner declares no field 'note', so it would be lost. Declare it, or write Shop.codec(Owner, encode=..., decode=...)."
        ]

    def test_unset(self):
        """A field without a value is told."""
        assert refusals(Waiting(), Waiting) == ["Shop.x.total: the field has no value yet. Give it one, such as None."]


def of(cls, **entries):
    return {"$type": "object", "class": cls, "fields": entries}


class TestMismatch:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ({"$type": "lock"}, "nothing is known of a 'lock'."),
            ({"$type": ["tuple"]}, "nothing is known of a ['tuple']."),
            ({"$type": "date", "value": "tomorrow"}, "{'value': 'tomorrow'} is no date."),
            ({"$type": "date"}, "{} is no date."),
            ({"$type": "bytes", "base64": "?"}, "{'base64': '?'} is no bytes."),
            ({"$type": "decimal", "value": "x"}, "{'value': 'x'} is no decimal."),
            ({"$type": "timedelta", "days": "x"}, "{'days': 'x'} is no timedelta."),
            ({"$type": "tuple", "items": 5}, "a tuple is written as a list of items."),
            ({"$type": "set", "items": [[1]]}, "unhashable type: 'list'."),
            ({"$type": "dict", "items": [[1]]}, "the items of a dict are pairs of key and value."),
            ({"$type": "enum", "class": "Colour", "name": "RAD"}, "Colour has no member 'RAD'. Did you mean 'RED'?"),
            ({"$type": "enum", "class": "Right", "value": "x"}, "'x' is no Right."),
            ({"$type": "enum", "class": "Owner", "name": "x"}, "Owner is no enumeration any more."),
            ({"$type": "enum", "class": "Colour"}, "the entries $type, class do not describe a value."),
            (of("Colour"), "Colour is no record any more, so nobody knows how to fill it."),
            (
                of("Ouner", name=1),
                "Shop knows no class 'Ouner'. Did you mean 'Owner'? Name it in an annotation, or write Shop.codec(...).",
            ),
            (of("Owner"), "the field 'name' of Owner is missing."),
            ({"$type": "object", "class": "Owner", "items": {}}, "Owner is written as fields, not as items."),
            ({"$type": "object", "class": "Owner", "fields": []}, "the parts of Owner are not written by name."),
            ({"$type": "member", "address": "x"}, "there is no member for {'$type': 'member', 'address': 'x'}."),
            (of("Strict", n=-1), "Strict could not be made: ValueError('negative')."),
        ],
    )
    def test_told(self, text, problem):
        """What does not fit is told, with the nearest right name."""
        assert mismatches(text, Colour, Right, Owner, Strict) == [f"Shop.x: {problem}"]

    def test_all_at_once(self):
        """All places are named; a renamed field is both."""
        text = [of("Owner", nam="ann"), {"a": {"$type": "?"}}]

        assert mismatches(text, Owner) == [
            "Shop.x[0].nam: Owner has no field 'nam'. Did you mean 'name'?",
            "Shop.x[0]: the field 'name' of Owner is missing.",
            "Shop.x[1]['a']: nothing is known of a '?'.",
        ]

    def test_not_imported(self):
        """A name in a snapshot is never looked for anywhere but among the known classes."""
        text = {"$type": "object", "class": "subprocess.Popen", "fields": {"args": "true"}}

        assert mismatches(text)[0].startswith("Shop.x: Shop knows no class 'subprocess.Popen'.")


class Strict(msgspec.Struct):
    n: int

    def __post_init__(self):
        if self.n < 0:
            raise ValueError("negative")
