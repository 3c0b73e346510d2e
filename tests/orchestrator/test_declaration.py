"""Design section 4: the ways in which members and data are declared."""

from __future__ import annotations

import abc
import asyncio
import subprocess
import sys
import typing
from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, Optional, TypeVar

import pytest
from shop import Order, Payment
from statemachine import State, StateChart, StateMachine

from statemachines_orchestrator import Orchestrator, data, machine

if TYPE_CHECKING:
    from somewhere import NeverImported

M = TypeVar("M")
B = TypeVar("B", bound=Payment)


class Light(StateChart["object"]):
    off = State(initial=True)
    on = State(final=True)
    switch = off.to(on)


class AsyncOrder(Order):
    async def on_process(self):
        """Make the machine asynchronous."""


class TestFields:
    def test_by_position_and_by_keyword(self):
        """The constructor takes fields in order or by name, as a dataclass does."""

        class Shop(Orchestrator):
            order: Order
            payment: Payment

        order, payment = Order(), Payment()
        shop = Shop(order, payment=payment)

        assert shop.order is order
        assert shop.payment is payment

    def test_made_unless_given(self):
        """`machine(factory=...)` makes the member with its arguments; a machine that is passed takes precedence."""

        class Shop(Orchestrator):
            order: Order = machine(factory=Order, start_value="processing")

        mine = Order()

        assert Shop().order.processing.is_active
        assert Shop().order is not Shop().order
        assert Shop(order=mine).order is mine

    def test_required(self):
        """`machine()` without a factory is required, like a bare annotation."""

        class Shop(Orchestrator):
            order: Order = machine()

        assert Shop(Order()).order.pending.is_active
        with pytest.raises(TypeError, match="'order' is missing"):
            Shop()

    @pytest.mark.parametrize("given", [Order, lambda: Order(), Order()], ids=["class", "function", "instance"])
    def test_class_function_or_instance(self, given):
        """A class, a function that makes a machine, and a machine may be passed."""

        class Shop(Orchestrator):
            order: Order

        assert type(Shop(given).order) is Order

    def test_two_members_of_one_class(self):
        """Two members may have the same class; each keeps its own state."""

        class Shop(Orchestrator):
            first: Order = machine(factory=Order)
            second: Order = machine(factory=Order)

        shop = Shop()
        shop.second.process()

        assert str(shop.configuration) == "first=pending second=processing"

    def test_statechart_and_statemachine(self):
        """Both base classes are machines, also with a type argument."""

        class Shop(Orchestrator):
            light: Light
            order: Order

        assert set(Shop(Light(), Order()).machines) == {"light", "order"}

    def test_optional(self):
        """An optional member may be absent; it is None then, and no machine of the system."""

        class Shop(Orchestrator):
            order: Order
            refund: Payment | None = None
            gift: Optional[Payment] = machine(factory=Payment)  # noqa: UP045 - the old spelling is the point

        shop = Shop(Order())

        assert shop.refund is None
        assert list(shop.machines) == ["order", "gift"]
        assert Shop(Order(), None, None).gift is None
        assert Shop(Order(), Payment()).refund.unpaid.is_active

    def test_either_of_two_classes(self):
        """A union of machine classes takes a machine of either."""

        class Shop(Orchestrator):
            main: Order | Payment

        assert Shop(Payment()).main.unpaid.is_active

    def test_annotated_and_final(self):
        """Annotated and Final are looked through."""

        class Shop(Orchestrator):
            order: Annotated[Order, "the order"]
            payment: typing.Final[Payment]

        assert Shop(Order(), Payment()).machine_classes == {"order": Order, "payment": Payment}

    def test_class_variables_are_no_fields(self):
        """ClassVar annotations, methods and properties are left alone."""

        class Shop(Orchestrator):
            order: Order
            limit: ClassVar[int] = 3

            @property
            def is_busy(self):
                return self.order.processing.is_active

        shop = Shop(Order())
        shop.order.process()

        assert shop.is_busy
        assert shop.limit == 3

    def test_class_known_to_type_checkers_only(self):
        """A name that only a type checker imports is resolved by the machine that is passed."""

        class Shop(Orchestrator):
            order: NeverImported
            payment: Payment = machine(factory=Payment)

        assert Shop(Order()).machine_classes == {"order": Order, "payment": Payment}

    def test_class_known_to_type_checkers_only_but_optional(self):
        """The text of an unresolved annotation still says whether the member may be absent."""

        class Shop(Orchestrator):
            payment: Payment
            order: NeverImported | None = None

        assert Shop(Payment()).machine_classes == {"payment": Payment}

    def test_unresolved_annotation_with_a_factory(self):
        """With a factory class the class is known whatever the annotation says."""

        class Shop(Orchestrator):
            order: NeverImported = machine(factory=Order)

        assert Shop.__declaration__.fields["order"].classes == (Order,)

    def test_data(self):
        """Declared data is a field with a default, made anew per instance where a factory makes it."""

        class Shop(Orchestrator):
            order: Order
            name: str = data()
            count: int = data(default=3)
            notes: list[str] = data(default_factory=list)

        one, two = Shop(Order(), "one"), Shop(Order(), name="two", count=5)
        one.notes.append("mine")
        one.count += 1

        assert (one.name, one.count, one.notes) == ("one", 4, ["mine"])
        assert (two.name, two.count, two.notes) == ("two", 5, [])

    def test_the_class_knows_its_fields(self):
        """On the class, a field's name gives its record, with a repr of one line."""

        class Shop(Orchestrator):
            order: Order = machine(factory=Order)
            count: int = data(default=3)

        assert repr(Shop.order) == "<member Shop.order: Order made by Order>"
        assert repr(Shop.count) == "<data Shop.count>"

    def test_post_init(self):
        """`__post_init__` runs at the end of the constructor, as in a dataclass."""

        class Shop(Orchestrator):
            order: Order

            def __post_init__(self):
                super().__post_init__()
                self.order.process()

        assert Shop(Order()).order.processing.is_active

    def test_own_constructor(self):
        """A constructor of one's own may make the members and call the inherited one."""

        class Shop(Orchestrator):
            order: Order

            def __init__(self, at):
                self.opened_at = at
                self.count = 1
                super().__init__(Order(), count=self.count + 1)

            count: int = data(default=0)

        shop = Shop("noon")

        assert (shop.opened_at, shop.count) == ("noon", 2)


class TestInheritance:
    class Base(Orchestrator):
        order: Order

    def test_fields_of_bases_come_first(self):
        """A subclass has the fields of its bases, before its own."""

        class Shop(self.Base):
            payment: Payment

        assert list(Shop(Order(), Payment()).machines) == ["order", "payment"]

    def test_a_field_may_be_declared_again(self):
        """A field declared again keeps its place and has the new class and default."""

        class Shop(self.Base):
            payment: Payment = machine(factory=Payment)
            order: AsyncOrder = machine(factory=AsyncOrder)

        assert list(Shop.__declaration__.fields) == ["order", "payment"]
        assert type(Shop().order) is AsyncOrder

    def test_two_bases(self):
        """Two orchestrator bases give their fields, in the order of the method resolution."""

        class Other(Orchestrator):
            payment: Payment

        class Shop(self.Base, Other):
            pass

        assert set(Shop(order=Order(), payment=Payment()).machines) == {"order", "payment"}

    def test_abstract_base(self):
        """A base that derives from ABC may have no machines; it cannot be made itself."""

        class Reporting(Orchestrator, abc.ABC):
            @abc.abstractmethod
            def report(self): ...

        class Shop(Reporting):
            order: Order

            def report(self):
                return str(self.configuration)

        assert Shop(Order()).report() == "order=pending"

    def test_abstract_base_with_machines(self):
        """Deriving from ABC does not keep a class with machines from being made."""

        class Shop(Orchestrator, abc.ABC):
            order: Order

        assert Shop(Order()).order.pending.is_active

    def test_class_keywords_are_inherited(self):
        """A subclass has the keywords of its base unless it gives its own."""

        class Named(Orchestrator, orchestrator_name="shop", atomic=False):
            order: Order

        class Shop(Named, atomic=True):
            payment: Payment = machine(factory=Payment)

        assert (Shop.__declaration__.parameter, Shop.__declaration__.atomic) == ("shop", True)

    def test_generic(self):
        """A generic orchestrator takes any machine; a subclass may say which."""

        class Pair(Orchestrator, Generic[M, B]):
            left: M
            right: B

        class Shop(Pair[Order, Payment]):
            pass

        assert str(Pair(Light(), Payment()).configuration) == "left=off right=unpaid"
        assert Shop.__declaration__.fields["left"].classes == (Order,)
        with pytest.raises(TypeError, match="declared as Order"):
            Shop(Light(), Payment())
        with pytest.raises(TypeError, match="declared as Payment"):
            Pair(Light(), Order())

    def test_mixins_with_class_keywords(self):
        """Class keywords of a cooperative mix-in reach the mix-in."""

        class Tagged:
            def __init_subclass__(cls, *, tag=None, **keywords):
                super().__init_subclass__(**keywords)
                cls.tag = tag

        class Shop(Orchestrator, Tagged, tag="fine"):
            order: Order

        assert Shop.tag == "fine"


class TestMembersThatRunAlready:
    def test_an_instance_keeps_its_state(self):
        """A machine that is passed keeps its state and is part of the system from its next event on."""

        class Shop(Orchestrator):
            order: Order

        order = Order()
        order.process()
        shop = Shop(order)
        order.ship()

        assert shop.order.shipped.is_active
        assert shop.is_terminated

    def test_an_asynchronous_instance_that_has_not_started(self):
        """A machine that waits for its activation is activated with the system, with its own arguments."""
        seen = []

        class Late(AsyncOrder):
            def on_enter_pending(self, opened_by, orc):
                seen.append((type(orc).__name__, opened_by))

        class Shop(Orchestrator):
            order: Late

        async def scenario():
            shop = Shop(Late(opened_by="ann"))
            before = str(shop.configuration)
            async with shop:
                return before, str(shop.configuration)

        assert asyncio.run(scenario()) == ("order=-", "order=pending")
        assert seen == [("Shop", "ann")]

    def test_an_asynchronous_instance_that_has_started(self):
        """A machine that was activated already is not activated again."""

        class Shop(Orchestrator):
            order: AsyncOrder

        async def scenario():
            order = AsyncOrder()
            await order.process()
            async with Shop(order) as shop:
                await order.ship()
                return str(shop.configuration)

        assert asyncio.run(scenario()) == "order=shipped"

    def test_events_that_wait_already(self):
        """Events in the queue of a machine that is passed, due or delayed, happen in the system, or without it."""

        class Waiting(Order):
            def on_process(self, orc=None):
                self.met = orc

            async def on_ship(self):
                """Make the machine asynchronous."""

        class Shop(Orchestrator):
            order: Waiting
            payment: Payment

        async def waiting():
            order = Waiting()
            order.process.put()
            order.send("ship", delay=20).close()
            return order

        async def scenario():
            order = await waiting()
            shop = Shop(order, Payment())
            await shop.activate()
            first = str(shop.configuration)
            await asyncio.sleep(0.05)
            await shop.payment.authorize()
            return first, str(shop.configuration), order.met is shop

        async def released():
            order = await waiting()
            with pytest.raises(ValueError, match="no payment"):
                Shop(order, _no_payment)
            await order.activate_initial_state()
            return order.shipped.is_active, order.met

        def _no_payment():
            msg = "no payment"
            raise ValueError(msg)

        assert asyncio.run(scenario()) == (
            "order=processing payment=unpaid",
            "order=shipped payment=authorized",
            True,
        )
        assert asyncio.run(released()) == (True, None)

    def test_members_start_when_all_exist(self):
        """Members that the orchestrator makes enter their initial states in declared order, with all siblings there."""
        seen = []

        class First(StateMachine):
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two)

            def on_enter_one(self, orc):
                seen.append(("first", str(orc.configuration)))

        class Second(StateMachine):
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two)

            def on_enter_one(self, orc):
                seen.append(("second", str(orc.configuration)))
                orc.first.go()

        class System(Orchestrator):
            first: First = machine(factory=First)
            second: Second = machine(factory=lambda: Second(model=object.__new__(type("Row", (), {}))))

        system = System()

        # Each sees itself in its initial state already; the second member of the first entry has not started.
        assert seen == [("first", "first=one second=-"), ("second", "first=one second=one")]
        assert str(system.configuration) == "first=two second=one"

    def test_an_initial_entry_may_call_a_sibling_that_has_not_started(self):
        """A member that is called before its turn to start enters its initial state first."""
        seen = []

        class Caller(StateMachine):
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two)

            def on_enter_one(self, orc):
                orc.payment.authorize()

        class Called(Payment):
            def on_enter_unpaid(self):
                seen.append("unpaid")

        class System(Orchestrator):
            caller: Caller = machine(factory=Caller)
            payment: Called = machine(factory=Called)

        assert str(System().configuration) == "caller=one payment=authorized"
        assert seen == ["unpaid"]

    def test_helper_machines_of_a_factory_start_as_usual(self):
        """A factory may use other machines on its way: they run by themselves, at once."""
        helpers = []

        def make():
            helper = Payment()
            helper.authorize()
            twin = Order()
            helpers.extend([helper, twin])
            return Order()

        class Shop(Orchestrator):
            order: Order = machine(factory=make)

        Shop()

        assert helpers[0].authorized.is_active
        assert helpers[1].pending.is_active

    def test_a_machine_that_cannot_be_made(self):
        """Whatever fails while a member is made carries a note that names the member."""

        class Shop(Orchestrator):
            order: Order = machine(factory=Order, start_value="shippd")

        with pytest.raises(Exception, match="shippd") as caught:
            Shop()
        assert caught.value.__notes__ == ["while Shop.order entered its initial state"]

        class Unfinished(Orchestrator):
            order: Order = machine(factory=lambda: Order(nonsense))  # noqa: F821 - what fails

        with pytest.raises(NameError) as unmade:
            Unfinished()
        assert unmade.value.__notes__ == ["while making Unfinished.order"]

    def test_a_factory_that_fails(self):
        """If a factory fails, the machines that it has made on its way run by themselves."""
        helpers = []

        def make():
            helpers.append(Order())
            msg = "no stock"
            raise ValueError(msg)

        class Shop(Orchestrator):
            order: Order = machine(factory=make)

        with pytest.raises(ValueError, match="no stock"):
            Shop()
        helpers[0].process()

        assert helpers[0].processing.is_active

    def test_a_machine_that_sends_events_in_its_constructor(self):
        """An event in a machine's own constructor starts the machine first, as without an orchestrator."""

        class Eager(Order):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.process()

        class Shop(Orchestrator):
            order: Eager = machine(factory=Eager)

        assert Shop().order.processing.is_active


class TestVersion:
    def test_other_releases_of_python_statemachine_are_refused(self):
        """Importing beside an untested release of python-statemachine fails with one clear line."""
        code = "import statemachine; statemachine.__version__ = '3.3.0'; import statemachines_orchestrator"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

        assert run.returncode == 1
        assert run.stderr.splitlines()[-1] == (
            "ImportError: statemachines-orchestrator needs python-statemachine >=3.2.2,<3.3, found 3.3.0: "
            "pip install 'python-statemachine>=3.2.2,<3.3'"
        )
