"""Snapshots that cannot be restored: what is wrong is told, all of it, and nothing is guessed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from shop import Order, Payment
from statemachine import HistoryState, State, StateChart, StateMachine

from statemachines_orchestrator import In, Members, Orchestrator, data, guard, machine, machines, together, when
from statemachines_orchestrator.exceptions import (
    DefinitionError,
    MigrationError,
    SnapshotError,
    SnapshotFormatError,
    SnapshotMismatchError,
)
from statemachines_orchestrator.snapshot import Snapshot
from statemachines_orchestrator.testing import SimulatedClock


class Box(StateChart):
    class shut(State.Compound):
        full = State(initial=True)
        empty = State()
        take = full.to(empty)
        last = HistoryState()

    class opened(State.Parallel):
        class lid(State.Compound):
            up = State(initial=True)
            down = State()
            fold = up.to(down)
            unfold = down.to(up)

        class lock(State.Compound):
            on = State(initial=True)
            off = State()
            turn = on.to(off)
            back = off.to(on)

    lift = shut.to(opened)
    close = opened.to(shut.last)


class Inner(Orchestrator):
    payment: Payment = machine(factory=Payment)


class Shop(Orchestrator):
    order: Order = machine(factory=Order)
    box: Box = machine(factory=Box)
    orders: Members[Order] = machines(Order)
    inner: Inner = machine(factory=Inner)
    n: int = data(default=0)
    late = when(order.processing).after(5).send(order.ship)
    both = when(In(order.processing), In(box.opened)).send(inner.payment.capture, refused="hold")


@pytest.fixture
def shop():
    shop = Shop(clock=SimulatedClock(), orders={"a": Order})
    shop.order.process()
    shop.box.take()
    shop.box.lift()
    shop.inner.payment.authorize()
    shop.orders["a"].send("cancel", delay=3000)
    return shop


@pytest.fixture
def written(shop):
    """The parts of a snapshot, to be edited on purpose."""
    whole = json.loads(shop.snapshot().to_json())
    del whole["digest"]
    return whole


def problems(edited, kind=SnapshotError, owner=Shop):
    with pytest.raises(kind) as refusal:
        owner.restore(json.dumps(edited))
    return list(refusal.value.problems)


class TestSnapshot:
    def test_value(self, shop):
        """Snapshots of the same are equal, and one that was read is equal to the one that was written."""
        one, other = shop.snapshot(), shop.snapshot()

        assert one == other == Snapshot.from_json(one.to_json(indent=2)) == Snapshot.from_json(one.to_json().encode())
        assert hash(one) == hash(other)
        assert one != one.to_json()
        shop.n = 1
        assert shop.snapshot() != one

    def test_repr(self, shop):
        """It says in one line what it is of."""
        taken = shop.snapshot()

        assert repr(taken) == f"<Snapshot of Shop version 1, {taken.fingerprint}>"
        assert (taken.class_name, taken.version) == ("Shop", "1")

    def test_parts(self, shop):
        """Its parts can be looked at, and changing them changes nothing."""
        taken = shop.snapshot()

        taken.parts["data"]["n"] = 7

        assert taken.parts["data"] == {"n": 0}
        assert Shop.restore(taken).n == 0

    def test_frozen(self, shop):
        """It is frozen."""
        with pytest.raises(AttributeError):
            shop.snapshot().version = "2"

    def test_order_of_entries(self, shop):
        """A store that sorts the entries does no harm."""
        taken = shop.snapshot()
        sorted_text = json.dumps(json.loads(taken.to_json()), sort_keys=True)

        assert Snapshot.from_json(sorted_text) == taken

    def test_text(self, shop):
        """Text stays readable, and can be written to a file whatever is in it."""
        shop.n = "żółw"
        assert "żółw" in shop.snapshot().to_json()

        shop.n = "\ud800"
        text = shop.snapshot().to_json()
        text.encode()
        assert Shop.restore(text).n == "\ud800"

    def test_same_in_every_process(self, tmp_path):
        """The fingerprint does not depend on the process."""
        script = tmp_path / "print_fingerprint.py"
        script.write_text(
            "from statemachine import State, StateMachine\n"
            "from statemachines_orchestrator import Orchestrator, machine, when\n"
            "class Order(StateMachine):\n"
            "    a = State(initial=True)\n    b = State(final=True)\n    go = a.to(b)\n"
            "class Shop(Orchestrator):\n"
            "    one: Order = machine(factory=Order)\n    two: Order = machine(factory=Order)\n"
            "    rule = when(one.b).send(two.go, refused='ignore', to={'x', 'y', 'z'}, by=object())\n"
            "print(Shop().snapshot().fingerprint)\n"
        )
        root = Path(__file__).parent.parent.parent
        found = {
            subprocess.run(
                [sys.executable, str(script)],
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2", "3")
        }

        assert len(found) == 1


class TestFormat:
    def test_truncated(self, shop):
        """No beginning of a snapshot is taken for a snapshot."""
        text = shop.snapshot().to_json()

        for end in range(0, len(text), 7):
            with pytest.raises(SnapshotFormatError, match=r"ends too early|is no JSON|it is JSON"):
                Snapshot.from_json(text[:end])

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "it ends too early, after 0 characters"),
            ("{} {}", "it is no JSON: Extra data: line 1 column 4 (char 3)"),
            ("[1]", "it is JSON, but list instead of entries by name"),
            ("{}", "it has no entry 'format': some other JSON, or the beginning is missing"),
            ('{"format": "1"}', "it has no entry 'format': some other JSON, or the beginning is missing"),
            ('{"format": 2}', "it is written in format 2, and this release reads 1: update the library"),
            ('{"format": NaN}', "it cannot be read: NaN is no JSON"),
            ("[" * 100_000, "it cannot be read: maximum recursion depth exceeded"),
            (
                b"\xff\xfe\xff",
                "it cannot be read: 'utf-16-le' codec can't decode byte 0xff in position 2: truncated data",
            ),
        ],
    )
    def test_other_text(self, text, problem):
        """Some other text is told from a snapshot."""
        with pytest.raises(SnapshotFormatError) as refusal:
            Shop.restore(text)

        assert str(refusal.value).startswith(f"this is no snapshot that can be read: {problem}")

    def test_edited(self, shop):
        """A snapshot that was changed is refused, unless whoever changed it says so."""
        text = shop.snapshot().to_json()
        edited = text.replace('"n": 0', '"n": 1')

        with pytest.raises(SnapshotFormatError) as refusal:
            Shop.restore(edited)
        assert str(refusal.value) == (
            "this is no snapshot that can be read: it was changed after it was written. "
            "Remove the entry 'digest' if that was on purpose"
        )

        whole = json.loads(edited)
        del whole["digest"]
        assert Shop.restore(json.dumps(whole)).n == 1

    def test_wrong_types(self, written):
        """All entries of the wrong form are told at once."""
        written["members"]["order"]["active"] = "processing"
        written["members"]["box"]["history"] = {"last": [1]}
        written["members"]["spare"] = 5
        written["timers"][0]["left"] = "soon"
        written["systems"]["inner"]["versions"] = []
        written["version"] = 1
        del written["data"]
        written["held"] = {"a" * 70: 1}

        assert problems(written, SnapshotFormatError) == [
            "version should be a text, and is 1",
            "members.order.active should be a list, and is 'processing'",
            "members.box.history.last[0] should be a text, and is 1",
            "members.spare should be the entries class, active, and is 5",
            "systems.inner.versions means nothing here",
            "data is missing",
            "timers[0].left should be a number, and is 'soon'",
            "held should be a list, and is a dict",
        ]


def shop_class(kind=Order):
    """A class of the same name that declares something else."""

    class Shop(Orchestrator):
        order: StateChart = machine(factory=kind)
        payment: Payment = machine(factory=Payment)
        n: int = data(default=0)
        follow = when("order.processing").send(payment.authorize)
        paid = guard("order.ship", In(payment.captured))
        leave = together("order.cancel", payment.void)

    return Shop


class TestAnotherDefinition:
    def test_another_class(self, shop):
        """A snapshot of one class is none of another, however much alike they are."""

        class Store(Shop):
            pass

        with pytest.raises(SnapshotMismatchError) as refusal:
            Store.restore(shop.snapshot())

        assert str(refusal.value) == "Store cannot go on from this snapshot: it is one of Shop: write Shop.restore(...)"

    def test_all_differences(self):
        """All differences are told: machines, states, events, rules and data."""
        before = shop_class()

        class Thrifty(StateMachine):
            pending = State(initial=True)
            waiting = State()
            shipped = State(final=True)
            process = pending.to(waiting)
            ship = waiting.to(shipped)

        class Shop(Orchestrator):
            order: Thrifty = machine(factory=Thrifty)
            invoice: Payment = machine(factory=Payment)
            m: int = data(default=0)
            follow = when(order.waiting).send(invoice.authorize)
            both = when(order.shipped).send(invoice.capture)

        with pytest.raises(SnapshotMismatchError) as refusal:
            Shop.restore(before().snapshot())

        assert list(refusal.value.problems) == [
            "Shop.payment: the member is gone",
            "Shop.invoice: the member is new",
            "Shop.n: the declared datum is gone",
            "Shop.m: the declared datum is new",
            "Shop.both: the link is new",
            "Shop.paid: the guard is gone",
            "Shop.leave: the joint event is gone",
            "Shop.order: the state 'processing' is gone",
            "Shop.order: the state 'cancelled' is gone",
            "Shop.order: the state 'waiting' is new",
            "Shop.order: the event 'cancel' is gone",
            "Shop.follow: the link was when(order.processing).send(payment.authorize) and is when(order.waiting).send(invoice.authorize)",
        ]
        assert str(refusal.value).startswith(
            "Shop is not what it was. To go on, give it a new version, class Shop(Orchestrator, version=...) and "
            "register @Shop.migration('1', ...), for 12 reasons:\n  1. Shop.payment: the member is gone\n"
        )

    def test_transitions(self):
        """Transitions count, too."""

        class Other(StateMachine):
            pending = State(initial=True)
            processing = State()
            shipped = State(final=True)
            cancelled = State(final=True)
            process = pending.to(processing)
            ship = processing.to(shipped)
            cancel = pending.to(cancelled)

        Other.__qualname__ = "Order"

        with pytest.raises(SnapshotMismatchError) as refusal:
            shop_class(Other).restore(shop_class()().snapshot())

        assert list(refusal.value.problems) == [
            "Shop.order: its states and events are the same, but its transitions or their order are not"
        ]

    def test_new_member_that_needs_something(self):
        """A class that cannot even be made says what has changed, not why it could not be made."""

        class Demanding(Order):
            def __init__(self, must):
                super().__init__()

        def made(**extra):
            body = {"order": machine(factory=Order), "__annotations__": {"order": Order}, **extra}
            return type("Shop", (Orchestrator,), body)

        before = made()
        after = made(other=machine(factory=Demanding), __annotations__={"order": Order, "other": Demanding})

        with pytest.raises(SnapshotMismatchError) as refusal:
            after.restore(before().snapshot())

        assert list(refusal.value.problems) == ["Shop.other: the member is new"]
        assert isinstance(refusal.value.__cause__, TypeError)

    def test_nested(self, shop):
        """A nested orchestrator that has changed is told by its place."""

        def made(rule):
            body = {"payment": machine(factory=Payment), "__annotations__": {"payment": Payment}, **rule}
            inner = type("Inner", (Orchestrator,), body)
            return type(
                "Outer", (Orchestrator,), {"inner": machine(factory=inner), "__annotations__": {"inner": inner}}
            )

        before, after = made({}), made({"rule": when("payment.captured").call(print)})

        with pytest.raises(SnapshotMismatchError) as refusal:
            after.restore(before().snapshot())

        assert list(refusal.value.problems) == ["Outer.inner.rule: the link is new"]

    def test_collection(self):
        """So is the class of a collection's machines."""

        def made(order):
            return type(
                "Shop", (Orchestrator,), {"orders": machines(order), "__annotations__": {"orders": Members[order]}}
            )

        with pytest.raises(SnapshotMismatchError) as refusal:
            made(Payment).restore(made(Order)().snapshot())

        assert "Shop.orders: the state 'pending' is gone" in refusal.value.problems

    def test_new_version(self, shop):
        """A snapshot of a later version is refused, as one without a migration."""

        class Later(Order):
            pass

        def made(version):
            class Shop(Orchestrator, version=version):
                order: Order = machine(factory=Order)

            return Shop

        with pytest.raises(MigrationError) as refusal:
            made("1").restore(made("2")().snapshot())

        assert str(refusal.value) == (
            "a snapshot of Shop cannot be brought from version '2' to '1': there is no migration from '2' to '1'. "
            "Register one with @Shop.migration('2', '1'); so far there is none"
        )


class TestContent:
    @pytest.mark.parametrize(
        ("edit", "problem"),
        [
            (
                lambda one: one["members"]["order"].update(active=["procesing"]),
                "Shop.order: Order has no state 'procesing'. Did it become 'processing'?.",
            ),
            (
                lambda one: one["members"]["order"].update(active=["x"]),
                "Shop.order: Order has no state 'x'; its states are pending, processing, shipped, cancelled.",
            ),
            (
                lambda one: one["members"]["order"].update(active=["pending", "shipped"]),
                "Shop.order: that is no configuration of Order: 'pending' and 'shipped' are active at the top level, instead of one.",
            ),
            (
                lambda one: one["members"]["box"].update(active=["opened", "lid", "up"]),
                "Shop.box: that is no configuration of Box: 'opened' is active without its region 'lock'.",
            ),
            (
                lambda one: one["members"]["box"].update(active=["shut"]),
                "Shop.box: that is no configuration of Box: no state is active inside 'shut', instead of one.",
            ),
            (
                lambda one: one["members"]["box"].update(active=["full"]),
                "Shop.box: that is no configuration of Box: no state is active at the top level, instead of one.",
            ),
            (
                lambda one: one["members"]["box"].update(active=["shut", "last"]),
                "Shop.box: that is no configuration of Box: 'last' is a history state, which is never active.",
            ),
            (
                lambda one: one["members"]["box"].update(history={"full": ["empty"]}),
                "Shop.box: Box.full is no history state, so nothing is remembered under it.",
            ),
            (
                lambda one: one["members"]["box"].update(history={"last": ["emty"]}),
                "Shop.box: Box has no state 'emty'. Did it become 'empty'?.",
            ),
            (
                lambda one: one["members"]["order"].update(invoking=[{"state": "gone"}]),
                "Shop.order: Order has no state 'gone'; its states are pending, processing, shipped, cancelled.",
            ),
            (
                lambda one: one["members"]["order"].update(start=[1]),
                "Shop.order: its start: keywords are written by name.",
            ),
            (
                lambda one: one["members"]["order"].update(own=1),
                "Shop.order: Order has no __orchestrator_restore__ for what its __orchestrator_save__ returned.",
            ),
            (
                lambda one: one["members"]["order"].update({"class": "Ordre"}),
                "Shop.order: it was a Ordre, and is a Order here; pass one of its class.",
            ),
            (lambda one: one["members"].update(order=None), "Shop.order: it is here, and absent in the snapshot."),
            (lambda one: one["members"].pop("order"), "Shop.order: the member is missing in the snapshot."),
            (
                lambda one: one["members"].update(ordr=one["members"]["order"]),
                "Shop.ordr: there is no such member; is it 'order' now?.",
            ),
            (
                lambda one: one["collections"]["orders"].append(one["collections"]["orders"][0]),
                "Shop.orders[a]: the key stands in the snapshot twice.",
            ),
            (
                lambda one: one["systems"]["inner"].update(data={"n": 1}),
                "Shop.inner.n: there is no such declared datum.",
            ),
            (lambda one: one["data"].update(n={"$type": "date", "value": "x"}), "Shop.n: {'value': 'x'} is no date."),
            (
                lambda one: one["conditions"].append({"link": "bot", "holds": True}),
                "Shop: the memory of a condition: there is no link 'bot'; is it 'both' now?.",
            ),
            (lambda one: one["timers"][0].pop("event"), "Shop.timers[0]: a timer is for an event or for a link."),
            (
                lambda one: one["timers"][0]["event"]["member"].update(key="b"),
                "Shop.timers[0]: there is no member orders[b].",
            ),
            (
                lambda one: one["timers"][1]["link"].update(system="outer"),
                "Shop.timers[1]: there is no nested orchestrator 'outer'.",
            ),
            (
                lambda one: one["timers"][1]["link"]["occurrence"].update(args={}),
                "Shop.timers[1]: arguments are written as a list.",
            ),
            (
                lambda one: one["held"].append(
                    {"system": "", "link": "both", "occurrence": {"address": ""}, "event": "leave"}
                ),
                "Shop.held[0]: there is no event 'leave'.",
            ),
            (
                lambda one: one["held"].append(
                    {
                        "system": "",
                        "link": "both",
                        "occurrence": {"address": ""},
                        "event": "leave",
                        "member": {"address": "inner.payment"},
                    }
                ),
                "Shop.held[0]: there is no event 'leave'.",
            ),
        ],
    )
    def test_told(self, written, edit, problem):
        """Whatever does not fit the class is told with its place."""
        edit(written)

        assert problems(written, SnapshotMismatchError) == [problem]

    def test_all_at_once(self, written):
        """All of it is told at once."""
        written["members"]["order"]["active"] = ["gone"]
        written["systems"]["inner"]["members"]["payment"]["active"] = ["unpaid", "voided"]
        written["data"]["n"] = {"$type": "?"}

        assert len(problems(written)) == 3

    def test_nothing_changed(self, written):
        """What was passed is as it was before."""
        written["data"]["n"] = {"$type": "?"}
        order = Order()

        with pytest.raises(SnapshotMismatchError):
            Shop.restore(json.dumps(written), order=order)

        assert order.pending.is_active
        order.process()


def versioned(version, *, rule=True):
    class Store(Orchestrator, version=version):
        order: Order = machine(factory=Order)
        total: int = data(default=0)

    return Store


class TestMigrations:
    @pytest.fixture
    def old(self):
        old = versioned("1")()
        old.order.process()
        old.total = 5
        return old.snapshot()

    def test_chain(self, old):
        """Migrations are taken one after the other; each gets the parts and returns them."""

        class New(StateMachine):
            new = State(initial=True)
            working = State()
            over = State(final=True)
            work = new.to(working)
            finish = working.to(over)

        class Store(Orchestrator, version="3"):
            job: New = machine(factory=New)
            amounts: list = data(default_factory=list)

        @Store.migration("1", "2")
        def rename(parts):
            assert "definition" not in parts
            order = parts["members"].pop("order")
            parts["members"]["job"] = {
                "class": New.__qualname__,
                "active": [{"processing": "working"}[order["active"][0]]],
            }
            return parts

        @Store.migration("2", "3")
        def collect(parts):
            assert parts["version"] == "2"
            return {**parts, "data": {"amounts": [parts["data"]["total"]]}}

        store = Store.restore(old.to_json())

        assert store.job.working.is_active
        assert store.amounts == [5]
        assert Store.restore(store.snapshot()).amounts == [5]
        assert rename.__name__ == "rename"

    def test_inherited(self, old):
        """Subclasses inherit migrations."""
        base = versioned("2")
        base.migration("1", "2")(lambda parts: parts)
        derived = type("Store", (base,), {})

        assert derived.restore(old).total == 5

    def test_shortest(self, old):
        """The shortest way is taken."""
        store = versioned("3")
        store.migration("1", "2")(lambda parts: 1 / 0)
        store.migration("2", "3")(lambda parts: 1 / 0)
        store.migration("1", "3")(lambda parts: parts)

        assert store.restore(old).total == 5

    def test_nested(self):
        """A nested orchestrator is migrated by its own class."""

        def made(version):
            inner = versioned(version)
            body = {"inner": machine(factory=inner), "__annotations__": {"inner": inner}}
            return inner, type("Outer", (Orchestrator,), body)

        _, before = made("1")
        inner, after = made("2")
        with pytest.raises(MigrationError, match="there is no migration from '1' to '2'"):
            after.restore(before().snapshot())
        inner.migration("1", "2")(lambda parts: {**parts, "data": {"total": 9}})

        assert after.restore(before().snapshot()).inner.total == 9

    @pytest.mark.parametrize(
        ("migration", "problem"),
        [
            (lambda parts: 1 / 0, "<lambda> failed with ZeroDivisionError('division by zero')"),
            (
                lambda parts: None,
                "<lambda> returned None: let it return the dictionary that it got, changed, or another one",
            ),
            (
                lambda parts: {**parts, "members": []},
                "what <lambda> returned does not have the form of a snapshot: members should be entries by name, and is []",
            ),
        ],
    )
    def test_failing(self, old, migration, problem):
        """A migration that raises, or returns what is no snapshot, is named."""
        store = versioned("2")
        store.migration("1", "2")(migration)

        with pytest.raises(MigrationError) as refusal:
            store.restore(old)

        assert str(refusal.value) == f"a snapshot of Store cannot be brought from version '1' to '2': {problem}"

    def test_does_not_fit(self, old):
        """What a migration returns has to fit the class."""
        store = versioned("2")
        store.migration("1", "2")(lambda parts: {**parts, "members": {}})

        with pytest.raises(SnapshotMismatchError) as refusal:
            store.restore(old)

        assert (
            str(refusal.value)
            == "this snapshot does not fit Store: Store.order: the member is missing in the snapshot."
        )

    def test_missing_step(self, old):
        """The missing step is named, from where the others lead."""
        store = versioned("4")
        store.migration("1", "2")(lambda parts: parts)
        store.migration("2", "3")(lambda parts: parts)

        with pytest.raises(MigrationError) as refusal:
            store.restore(old)

        assert str(refusal.value) == (
            "a snapshot of Store cannot be brought from version '1' to '4': there is no migration from '3' to '4'. "
            "Register one with @Store.migration('3', '4'); so far there is '1' to '2', '2' to '3'"
        )

    @pytest.mark.parametrize(
        ("versions", "message"),
        [
            (("1", "1"), "Store.migration('1', '1'): a migration leads from one version to another."),
            ((1, 2), "Store.migration(1, 2): a migration leads from one version to another."),
            (("1", "2"), "Store.migration('1', '2'): there is one already. Leave one of them out."),
        ],
    )
    def test_mistakes(self, versions, message):
        """A step is registered once, and leads somewhere."""
        store = versioned("2")
        store.migration("1", "2")(lambda parts: parts)

        with pytest.raises(DefinitionError) as mistake:
            store.migration(*versions)(lambda parts: parts)

        assert str(mistake.value).startswith(message)

    def test_snapshot_is_left_alone(self, old):
        """The snapshot itself is not changed."""
        before = old.to_json()
        store = versioned("2")

        @store.migration("1", "2")
        def change(parts):
            parts["data"]["total"] = 8
            return parts

        assert store.restore(old).total == 8
        assert old.to_json() == before
