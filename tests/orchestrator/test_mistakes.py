"""R11: mistakes surface early, all at once, and each message says what to write instead."""

from __future__ import annotations

import functools
import sys
import types
from dataclasses import dataclass
from textwrap import dedent

import pytest
from shop import Order, Payment
from statemachine import State, StateMachine

from statemachines_orchestrator import Orchestrator, OrchestratorError, data, exceptions, machine
from statemachines_orchestrator.exceptions import DefinitionError, MistakeError

PRELUDE = """
import abc
from typing import Any

from shop import Order, Payment
from statemachine import State, StateChart, StateMachine

from statemachines_orchestrator import Orchestrator, data, machine


class Note:
    pass
"""


@dataclass(frozen=True)
class Mistake:
    title: str
    source: str
    error: str
    message: str


MISTAKES = [
    Mistake(
        "empty",
        """
        class Shop(Orchestrator): pass
        """,
        "NoMachinesOnOrchestratorError",
        """
        Shop: the class declares no machine. Add a member such as order: Order, or derive from abc.ABC too if it is a base for others.
        """,
    ),
    Mistake(
        "no machine type",
        """
        class Shop(Orchestrator):
            foo: str
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.foo: str is not a StateMachine or StateChart class. For plain data write foo: str = data(), for a constant ClassVar[str].
        """,
    ),
    Mistake(
        "no machine with default",
        """
        class Shop(Orchestrator):
            order: Order
            count: int = 0
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.count: int is not a StateMachine or StateChart class. For plain data write count: int = data(default=0), for a constant ClassVar[int].
        """,
    ),
    Mistake(
        "note class",
        """
        class Shop(Orchestrator):
            order: Note
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.order: Note is not a StateMachine or StateChart class. For plain data write order: Note = data(), for a constant ClassVar[Note].
        """,
    ),
    Mistake(
        "any",
        """
        class Shop(Orchestrator):
            order: Any
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.order: Any is not a StateMachine or StateChart class. For plain data write order: Any = data(), for a constant ClassVar[Any].
        """,
    ),
    Mistake(
        "union with other",
        """
        class Shop(Orchestrator):
            order: Order | str
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.order: Order | str is not a StateMachine or StateChart class. For plain data write order: Order | str = data(), for a constant ClassVar[Order | str].
        """,
    ),
    Mistake(
        "list",
        """
        class Shop(Orchestrator):
            orders: list[Order]
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.orders: list[Order] is not a StateMachine or StateChart class. For plain data write orders: list[Order] = data(), for a constant ClassVar[list[Order]].
        """,
    ),
    Mistake(
        "no type",
        """
        class Shop(Orchestrator):
            order: 5
        """,
        "UnexpectedAnnotationTypeError",
        """
        Shop.order: the annotation 5 is no type. Annotate the field with a machine class.
        """,
    ),
    Mistake(
        "no type string",
        """
        class Shop(Orchestrator):
            order: '5 +'
        """,
        "UnexpectedAnnotationTypeError",
        """
        Shop.order: the annotation 5 + is no type. Annotate the field with a machine class.
        """,
    ),
    Mistake(
        "none annotation",
        """
        class Shop(Orchestrator):
            order: None
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.order: None is not a StateMachine or StateChart class. For plain data write order: None = data(), for a constant ClassVar[None].
        """,
    ),
    Mistake(
        "machine default",
        """
        class Shop(Orchestrator):
            order: Order = Order()
        """,
        "FieldDefaultError",
        """
        Shop.order: a machine as default would be shared by all instances, and a machine belongs to one orchestrator. Write order: Order = machine(factory=Order).
        """,
    ),
    Mistake(
        "class default",
        """
        class Shop(Orchestrator):
            order: Order = Order
        """,
        "FieldDefaultError",
        """
        Shop.order: Order is no default for a member. Write order: Order = machine(factory=Order), or leave the default out.
        """,
    ),
    Mistake(
        "none default",
        """
        class Shop(Orchestrator):
            order: Order = None
        """,
        "FieldDefaultError",
        """
        Shop.order: None is not a machine. Write order: Order | None = None if the machine may be absent.
        """,
    ),
    Mistake(
        "odd default",
        """
        class Shop(Orchestrator):
            order: Order = 'pending'
        """,
        "FieldDefaultError",
        """
        Shop.order: 'pending' is no default for a member. Write order: Order = machine(factory=...), or leave the default out.
        """,
    ),
    Mistake(
        "no annotation machine",
        """
        class Shop(Orchestrator):
            payment: Payment
            order = machine(factory=Order)
        """,
        "FieldDefaultError",
        """
        Shop.order: the field has no annotation. Write order: Order = machine(factory=Order).
        """,
    ),
    Mistake(
        "no annotation data",
        """
        class Shop(Orchestrator):
            payment: Payment
            count = data(default=0)
        """,
        "FieldDefaultError",
        """
        Shop.count: the field has no annotation. Write count: int = data(...).
        """,
    ),
    Mistake(
        "machine marker for int",
        """
        class Shop(Orchestrator):
            order: int = machine(factory=Order)
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.order: int is not a StateMachine or StateChart class. Write order: Order = machine(factory=Order).
        """,
    ),
    Mistake(
        "factory not machine",
        """
        class Shop(Orchestrator):
            order: Order = machine(factory=Note)
        """,
        "FieldDefaultError",
        """
        Shop.order: machine(factory=Note) makes no machine. Name a machine class, or a function that makes one.
        """,
    ),
    Mistake(
        "factory other class",
        """
        class Shop(Orchestrator):
            order: Order = machine(factory=Payment)
        """,
        "FieldDefaultError",
        """
        Shop.order: machine(factory=Payment) makes no Order. Annotate the field with Payment, or make what the annotation says.
        """,
    ),
    Mistake(
        "factory instance",
        """
        class Shop(Orchestrator):
            order: Order = machine(factory=Order())
        """,
        "TypeError",
        """
        machine(factory=...) takes a machine class or a function that makes a machine, not Order(model=Model(state=pending), state_field='state', configuration=['pending']). To use one machine for one orchestrator, pass it to the constructor.
        """,
    ),
    Mistake(
        "factory number",
        """
        class Shop(Orchestrator):
            order: Order = machine(factory=3)
        """,
        "TypeError",
        """
        machine(factory=...) takes a machine class or a function that makes a machine, not 3.
        """,
    ),
    Mistake(
        "arguments without factory",
        """
        class Shop(Orchestrator):
            order: Order = machine(model=Note())
        """,
        "TypeError",
        """
        machine() got arguments (model) but no factory to pass them to: add factory=...
        """,
    ),
    Mistake(
        "data default and factory",
        """
        class Shop(Orchestrator):
            order: Order
            x: int = data(default=1, default_factory=int)
        """,
        "TypeError",
        """
        data() takes a default or a default_factory, not both
        """,
    ),
    Mistake(
        "data mutable",
        """
        class Shop(Orchestrator):
            order: Order
            x: list = data(default=[])
        """,
        "TypeError",
        """
        data(default=...) with a list would be shared by all instances: write data(default_factory=list)
        """,
    ),
    Mistake(
        "reserved field",
        """
        class Shop(Orchestrator):
            machines: Order
        """,
        "ReservedNameError",
        """
        Shop.machines: the name cannot be used for a field: 'machines' is an attribute of every orchestrator. Choose another name.
        """,
    ),
    Mistake(
        "reserved field later",
        """
        class Shop(Orchestrator):
            snapshot: Order
        """,
        "ReservedNameError",
        """
        Shop.snapshot: the name cannot be used for a field: 'snapshot' is an attribute of every orchestrator. Choose another name.
        """,
    ),
    Mistake(
        "underscore",
        """
        class Shop(Orchestrator):
            _order: Order
        """,
        "ReservedNameError",
        """
        Shop._order: the name cannot be used for a field: names with a leading underscore are for the orchestrator itself. Choose another name.
        """,
    ),
    Mistake(
        "reserved name",
        """
        class Shop(Orchestrator, orchestrator_name='source'):
            order: Order
        """,
        "ReservedNameError",
        """
        Shop: orchestrator_name='source' is a name that python-statemachine takes for itself. Choose another; the usual one is 'orc'.
        """,
    ),
    Mistake(
        "bad name",
        """
        class Shop(Orchestrator, orchestrator_name='the shop'):
            order: Order
        """,
        "ReservedNameError",
        """
        Shop: orchestrator_name='the shop' is no name that a parameter can have. Choose another; the usual one is 'orc'.
        """,
    ),
    Mistake(
        "keyword name",
        """
        class Shop(Orchestrator, orchestrator_name='class'):
            order: Order
        """,
        "ReservedNameError",
        """
        Shop: orchestrator_name='class' is no name that a parameter can have. Choose another; the usual one is 'orc'.
        """,
    ),
    Mistake(
        "atomic",
        """
        class Shop(Orchestrator, atomic='yes'):
            order: Order
        """,
        "DefinitionError",
        """
        Shop: atomic='yes' is neither True nor False. Write atomic=False to keep what a failed step did.
        """,
    ),
    Mistake(
        "class keyword",
        """
        class Shop(Orchestrator, orchestrator_nam='x'):
            order: Order
        """,
        "DefinitionError",
        """
        Shop: unknown class keywords: orchestrator_nam. Did you mean orchestrator_name=?
        """,
    ),
    Mistake(
        "class keyword far",
        """
        class Shop(Orchestrator, frozen=True):
            order: Order
        """,
        "DefinitionError",
        """
        Shop: unknown class keywords: frozen. The keywords are orchestrator_name, atomic, max_deliveries, version.
        """,
    ),
    Mistake(
        "order of defaults",
        """
        class Shop(Orchestrator):
            order: Order = machine(factory=Order)
            payment: Payment
        """,
        "FieldDefaultError",
        """
        Shop.payment: a field without a default stands after 'order', which has one. Move it up, or give it a default.
        """,
    ),
    Mistake(
        "hidden field",
        """
        class Shop(Orchestrator):
            order: Order
        class Big(Shop):
            order = 5
        """,
        "FieldDefaultError",
        """
        Big.order: 5 would hide the field of Shop. Choose another name, or declare the field again with an annotation.
        """,
    ),
    Mistake(
        "base class",
        """
        class Shop(Orchestrator):
            order: StateMachine = machine(factory=StateMachine)
        """,
        "UnsoundMachineError",
        """
        Shop.order: StateMachine has no states, so no machine can be made of it. Name a subclass that has some.
        """,
    ),
    Mistake(
        "repeated states",
        """
        class Twice(StateChart):
            class a(State.Compound):
                one = State(initial=True)
            class b(State.Compound):
                one = State(initial=True)
            a_b = a.to(b)
        class Shop(Orchestrator):
            twice: Twice
        """,
        "UnsoundMachineError",
        """
        Shop.twice: Twice has more than one state with the id 'one', and python-statemachine keeps one of them. Give each state an id of its own, also in different compounds.
        """,
    ),
    Mistake(
        "state as event hook",
        """
        class Hooked(Order):
            def before_processing(self, orc): ...
        class Shop(Orchestrator):
            order: Hooked
        """,
        "DeadHookError",
        """
        Shop.order: Hooked.before_processing looks like a hook but is never called: 'processing' is a state, not an event. Write on_enter_processing or on_exit_processing.
        """,
    ),
    Mistake(
        "event as state hook",
        """
        class Hooked(Order):
            def on_enter_process(self, orc): ...
        class Shop(Orchestrator):
            order: Hooked
        """,
        "DeadHookError",
        """
        Shop.order: Hooked.on_enter_process looks like a hook but is never called: 'process' is an event, not a state. Write before_process, on_process or after_process.
        """,
    ),
    Mistake(
        "misspelt state",
        """
        class Hooked(Order):
            def on_enter_procesing(self, orc): ...
        class Shop(Orchestrator):
            order: Hooked
        """,
        "DeadHookError",
        """
        Shop.order: Hooked.on_enter_procesing looks like a hook but is never called: there is no state 'procesing'. Write on_enter_processing.
        """,
    ),
    Mistake(
        "misspelt event",
        """
        class Hooked(Order):
            def after_proces(self, orc): ...
        class Shop(Orchestrator):
            order: Hooked
        """,
        "DeadHookError",
        """
        Shop.order: Hooked.after_proces looks like a hook but is never called: there is no event 'proces'. Write after_process.
        """,
    ),
    Mistake(
        "unknown state hook",
        """
        class Hooked(Order):
            def on_exit_warehouse(self, orc): ...
        class Shop(Orchestrator):
            order: Hooked
        """,
        "DeadHookError",
        """
        Shop.order: Hooked.on_exit_warehouse looks like a hook but is never called: there is no state 'warehouse'. Name one of the states: pending, processing, shipped, cancelled.
        """,
    ),
    Mistake(
        "orc before argument",
        """
        class Paying(Payment):
            def before_authorize(self, orc, amount): ...
        class Shop(Orchestrator):
            payment: Paying
        """,
        "CallbackParameterError",
        """
        Shop.payment (Paying.before_authorize): the parameter 'orc' stands before 'amount' and would use up its positional argument. Put 'orc' last, or after a *.
        """,
    ),
    Mistake(
        "orc before star",
        """
        class Paying(Payment):
            def before_authorize(self, orc, *args): ...
        class Shop(Orchestrator):
            payment: Paying
        """,
        "CallbackParameterError",
        """
        Shop.payment (Paying.before_authorize): the parameter 'orc' stands before 'args' and would use up its positional argument. Put 'orc' last, or after a *.
        """,
    ),
    Mistake(
        "orc of another name",
        """
        class Paying(Payment):
            def before_authorize(self, orc): ...
        class Shop(Orchestrator, orchestrator_name="shop"):
            payment: Paying
        """,
        "CallbackParameterError",
        """
        Shop.payment (Paying.before_authorize): the parameter 'orc' asks for the orchestrator, which goes by 'shop' here. Rename the parameter to 'shop', or declare class Shop(..., orchestrator_name='orc').
        """,
    ),
    Mistake(
        "annotated with the orchestrator",
        """
        class Paying(Payment):
            def before_authorize(self, shop: "Shop"): ...
        class Shop(Orchestrator):
            payment: Paying
        """,
        "CallbackParameterError",
        """
        Shop.payment (Paying.before_authorize): the parameter 'shop' asks for the orchestrator, which goes by 'orc' here. Rename the parameter to 'orc', or declare class Shop(..., orchestrator_name='shop').
        """,
    ),
    Mistake(
        "initial entry parameter",
        """
        class Paying(Payment):
            def on_enter_unpaid(self, orc, amount): ...
        class Shop(Orchestrator):
            payment: Paying = machine(factory=Paying)
        """,
        "CallbackParameterError",
        """
        Shop has 2 mistakes:
          1. Shop.payment (Paying.on_enter_unpaid): the parameter 'orc' stands before 'amount' and would use up its positional argument. Put 'orc' last, or after a *.
          2. Shop.payment (Paying.on_enter_unpaid): the parameter 'amount' can never be filled: the initial state is entered by no event, so nobody passes it. Give it a default, or write 'orc' to receive the orchestrator.
        """,
    ),
    Mistake(
        "eventless parameter",
        """
        class Auto(StateMachine):
            one = State(initial=True)
            two = State(final=True)
            one.to(two, cond="ready")
            def ready(self, amount): ...
        class Shop(Orchestrator):
            auto: Auto = machine(factory=Auto)
        """,
        "CallbackParameterError",
        """
        Shop.auto (Auto.ready): the parameter 'amount' can never be filled: no event triggers the transition, so nobody passes it. Give it a default, or write 'orc' to receive the orchestrator.
        """,
    ),
    Mistake(
        "all at once",
        """
        class Hooked(Order):
            def before_processing(self, orc): ...
        class Shop(Orchestrator, orchestrator_name="event"):
            order: Hooked
            foo: str
            payment: Payment = None
            send: Payment = machine(factory=Payment)
        """,
        "ReservedNameError",
        """
        Shop has 5 mistakes:
          1. Shop: orchestrator_name='event' is a name that python-statemachine takes for itself. Choose another; the usual one is 'orc'.
          2. Shop.foo: str is not a StateMachine or StateChart class. For plain data write foo: str = data(), for a constant ClassVar[str].
          3. Shop.payment: None is not a machine. Write payment: Payment | None = None if the machine may be absent.
          4. Shop.send: the name cannot be used for a field: 'send' is an attribute of every orchestrator. Choose another name.
          5. Shop.order: Hooked.before_processing looks like a hook but is never called: 'processing' is a state, not an event. Write on_enter_processing or on_exit_processing.
        """,
    ),
    Mistake(
        "missing",
        """
        class Shop(Orchestrator):
            order: Order
            n: int = data()
        Shop()
        """,
        "ArgumentsError",
        """
        Shop() has 2 mistakes:
          1. Shop(): 'order' is missing. Pass order=Order(), or declare it with machine(factory=Order).
          2. Shop(): 'n' is missing. Pass n=..., or declare it with data(default=...).
        """,
    ),
    Mistake(
        "unknown keyword",
        """
        class Shop(Orchestrator):
            order: Order
        Shop(oder=Order())
        """,
        "ArgumentsError",
        """
        Shop(): there is no field 'oder'. Did you mean 'order'?
        """,
    ),
    Mistake(
        "unknown keyword far",
        """
        class Shop(Orchestrator):
            order: Order
        Shop(Order(), warehouse=3)
        """,
        "ArgumentsError",
        """
        Shop(): there is no field 'warehouse'. The fields are order.
        """,
    ),
    Mistake(
        "twice",
        """
        class Shop(Orchestrator):
            order: Order
        Shop(Order(), order=Order())
        """,
        "ArgumentsError",
        """
        Shop(): 'order' is given by position and by keyword. Give it once.
        """,
    ),
    Mistake(
        "too many",
        """
        class Shop(Orchestrator):
            order: Order
        Shop(Order(), Order())
        """,
        "ArgumentsError",
        """
        Shop(): 2 arguments by position, but there are 1 fields. Pass order.
        """,
    ),
    Mistake(
        "wrong machine",
        """
        class Shop(Orchestrator):
            order: Order
        Shop(Payment())
        """,
        "NotAMachineError",
        """
        Shop.order: the member is declared as Order, and this Payment is not one. Pass Order(), the class itself or a function that makes one.
        """,
    ),
    Mistake(
        "wrong class",
        """
        class Shop(Orchestrator):
            order: Order
        Shop(Payment)
        """,
        "NotAMachineError",
        """
        Shop.order: the member is declared as Order, and the class Payment is not one. Pass Order(), the class itself or a function that makes one.
        """,
    ),
    Mistake(
        "no machine passed",
        """
        class Shop(Orchestrator):
            order: Order
        Shop('pending')
        """,
        "NotAMachineError",
        """
        Shop.order: the member is declared as Order, and 'pending' is not one. Pass Order(), the class itself or a function that makes one.
        """,
    ),
    Mistake(
        "none passed",
        """
        class Shop(Orchestrator):
            order: Order
        Shop(None)
        """,
        "NotAMachineError",
        """
        Shop.order: the member is declared as Order, and None is not one. Pass Order(), the class itself or a function that makes one.
        """,
    ),
    Mistake(
        "factory returns none",
        """
        class Shop(Orchestrator):
            order: Order = machine(factory=lambda: None)
        Shop()
        """,
        "NotAMachineError",
        """
        Shop.order: the factory Shop.<lambda> returned None, which is no Order. Let it return the machine that it makes.
        """,
    ),
    Mistake(
        "passed factory returns none",
        """
        class Shop(Orchestrator):
            order: Order
        Shop(lambda: None)
        """,
        "NotAMachineError",
        """
        Shop.order: the factory <lambda> returned None, which is no Order. Let it return the machine that it makes.
        """,
    ),
    Mistake(
        "same machine twice",
        """
        class Shop(Orchestrator):
            a: Order
            b: Order
        o = Order()
        Shop(o, o)
        """,
        "MachineInUseError",
        """
        Shop.b: this Order is passed for 'a' as well. Pass another Order, or copy the orchestrator as a whole.
        """,
    ),
    Mistake(
        "in use",
        """
        class Shop(Orchestrator):
            order: Order
        o = Order()
        first = Shop(o)
        Shop(o)
        """,
        "MachineInUseError",
        """
        Shop.order: this Order belongs to a Shop already. Pass another Order, or copy the orchestrator as a whole.
        """,
    ),
    Mistake(
        "shared model",
        """
        class Shop(Orchestrator):
            order: Order
            payment: Payment
        m = Note()
        Shop(Order(m), Payment(m, start_value='unpaid'))
        """,
        "StateFieldIsNotUniqueError",
        """
        Shop.payment: it keeps its state in the field 'state' of the same model as 'order', so each would overwrite the other's state. Give one a field of its own: Payment(model, state_field='payment_state').
        """,
    ),
    Mistake(
        "late class",
        """
        class Shop(Orchestrator):
            order: "Later"
        class Later(Order):
            def before_processing(self, orc): ...
        Shop(Later())
        """,
        "DeadHookError",
        """
        Shop.order: Later.before_processing looks like a hook but is never called: 'processing' is a state, not an event. Write on_enter_processing or on_exit_processing.
        """,
    ),
    Mistake(
        "abstract base",
        """
        class Shop(Orchestrator, abc.ABC):
            def x(self): ...
        Shop()
        """,
        "NoMachinesOnOrchestratorError",
        """
        Shop: it is a base for other classes and declares no machines of its own. Make one of its subclasses.
        """,
    ),
    Mistake(
        "the base itself",
        """
        Orchestrator()
        """,
        "NoMachinesOnOrchestratorError",
        """
        Orchestrator: it is a base for other classes and declares no machines of its own. Make one of its subclasses.
        """,
    ),
    Mistake(
        "assign member",
        """
        class Shop(Orchestrator):
            order: Order
        s = Shop(Order())
        s.order = Order()
        """,
        "MemberAssignmentError",
        """
        Shop.order is a member, and members stay the same from the beginning to the end. Make another Shop, or send 'order' an event.
        """,
    ),
    Mistake(
        "delete member",
        """
        class Shop(Orchestrator):
            order: Order
        s = Shop(Order())
        del s.order
        """,
        "MemberAssignmentError",
        """
        Shop.order is a member, and members stay the same from the beginning to the end. Make another Shop, or send 'order' an event.
        """,
    ),
    Mistake(
        "unknown member",
        """
        class Shop(Orchestrator):
            order: Order
        s = Shop(Order())
        s.send('oder.process')
        """,
        "UnknownMachineError",
        """
        Shop has no member for the address 'oder.process'. Did you mean 'order.process'? Its members are: order.
        """,
    ),
    Mistake(
        "no event",
        """
        class Shop(Orchestrator):
            order: Order
        s = Shop(Order())
        s.send('order')
        """,
        "UnknownEventError",
        """
        the address 'order' names no event. Write order. and one of: process, ship, cancel.
        """,
    ),
    Mistake(
        "list as default",
        """
        class Shop(Orchestrator):
            order: Order
            notes: list[str] = []
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.notes: list[str] is not a StateMachine or StateChart class. For plain data write notes: list[str] = data(default_factory=list), for a constant ClassVar[list[str]].
        """,
    ),
    Mistake(
        "dict as default",
        """
        class Shop(Orchestrator):
            order: Order
            prices: dict[str, int] = {'a': 1}
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.prices: dict[str, int] is not a StateMachine or StateChart class. For plain data write prices: dict[str, int] = data(default_factory=lambda: {'a': 1}), for a constant ClassVar[dict[str, int]].
        """,
    ),
    Mistake(
        "dataclass field",
        """
        import dataclasses
        class Shop(Orchestrator):
            order: Order = dataclasses.field(default_factory=Order)
        """,
        "FieldDefaultError",
        """
        Shop.order: dataclasses.field() is for dataclasses. Write order: Order = machine(factory=Order).
        """,
    ),
    Mistake(
        "dataclass field for data",
        """
        import dataclasses
        class Shop(Orchestrator):
            order: Order
            n: int = dataclasses.field(default=3)
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop.n: int is not a StateMachine or StateChart class. For plain data write n: int = data(...), for a constant ClassVar[int].
        """,
    ),
    Mistake(
        "dataclass",
        """
        import dataclasses
        @dataclasses.dataclass
        class Shop(Orchestrator):
            order: Order = machine(factory=Order)
        Shop()
        """,
        "MemberNotMadeError",
        """
        Shop.order is not made yet. Members are made in the order of their declaration and enter their initial states when all of them exist. A constructor of your own calls super().__init__() first; @dataclass does not, and is not needed.
        """,
    ),
    Mistake(
        "factory by position",
        """
        class Shop(Orchestrator):
            order: Order = machine(Order)
        """,
        "TypeError",
        """
        machine() takes its factory by name: write machine(factory=Order)
        """,
    ),
    Mistake(
        "default by position",
        """
        class Shop(Orchestrator):
            order: Order
            notes: list = data([])
        """,
        "TypeError",
        """
        data() takes its default by name: write data(default_factory=list)
        """,
    ),
    Mistake(
        "data factory that cannot be called",
        """
        class Shop(Orchestrator):
            order: Order
            notes: list = data(default_factory=[])
        """,
        "TypeError",
        """
        data(default_factory=...) takes something to call, such as list, not []
        """,
    ),
    Mistake(
        "parameter called orchestrator",
        """
        class Paying(Payment):
            def before_authorize(self, orchestrator): ...
        class Shop(Orchestrator):
            payment: Paying
        """,
        "CallbackParameterError",
        """
        Shop.payment (Paying.before_authorize): the parameter 'orchestrator' asks for the orchestrator, which goes by 'orc' here. Rename the parameter to 'orc', or declare class Shop(..., orchestrator_name='orchestrator').
        """,
    ),
    Mistake(
        "missing optional",
        """
        class Shop(Orchestrator):
            order: Order | None
        Shop()
        """,
        "ArgumentsError",
        """
        Shop(): 'order' is missing. Pass order=Order(), or declare it with machine(factory=Order), or give it the default None: order: Order | None = None.
        """,
    ),
    Mistake(
        "unknown event",
        """
        class Shop(Orchestrator):
            order: Order
        s = Shop(Order())
        s.send('order.proces')
        """,
        "UnknownEventError",
        """
        Shop.order declares no event 'proces', so it can never take it. Did you mean 'order.process'? Its events are: process, ship, cancel.
        """,
    ),
    Mistake(
        "not made yet",
        """
        class Shop(Orchestrator):
            order: Order
            def __init__(self):
                self.order.process()
                super().__init__(Order())
        Shop()
        """,
        "MemberNotMadeError",
        """
        Shop.order is not made yet. Members are made in the order of their declaration and enter their initial states when all of them exist. A constructor of your own calls super().__init__() first; @dataclass does not, and is not needed.
        """,
    ),
    Mistake(
        "not callable class keyword value",
        """
        class Shop(Orchestrator, orchestrator_name=5):
            order: Order
        """,
        "ReservedNameError",
        """
        Shop: orchestrator_name=5 is no name that a parameter can have. Choose another; the usual one is 'orc'.
        """,
    ),
    Mistake(
        "wrong optional default",
        """
        class Shop(Orchestrator):
            order: Order | None = 0
        """,
        "FieldDefaultError",
        """
        Shop.order: 0 is no default for a member. Write order: Order | None = machine(factory=...), or leave the default out.
        """,
    ),
    Mistake(
        "factory makes another class",
        """
        class Shop(Orchestrator):
            order: Order = machine(factory=lambda: Payment())
        Shop()
        """,
        "NotAMachineError",
        """
        Shop.order: the factory Shop.<lambda> returned Payment(model=Model(state=unpaid), state_field='state', configuration=['unpaid']), which is no Order. Let it return the machine that it makes.
        """,
    ),
    Mistake(
        "unknown type in a string",
        """
        class Shop(Orchestrator):
            order: 'Ordre'
        Shop('pending')
        """,
        "NotAMachineError",
        """
        Shop.order: the member is declared as Ordre, and 'pending' is not one. Pass Ordre(), the class itself or a function that makes one.
        """,
    ),
    Mistake(
        "several wrong arguments",
        """
        class Shop(Orchestrator):
            order: Order
            payment: Payment
        Shop(Payment(), warehouse=1)
        """,
        "ArgumentsError",
        """
        Shop() has 3 mistakes:
          1. Shop(): there is no field 'warehouse'. The fields are order, payment.
          2. Shop(): 'payment' is missing. Pass payment=Payment(), or declare it with machine(factory=Payment).
          3. Shop.order: the member is declared as Order, and this Payment is not one. Pass Order(), the class itself or a function that makes one.
        """,
    ),
    Mistake(
        "own engine",
        """
        from statemachine.engines.sync import SyncEngine
        class Own(SyncEngine): pass
        class Special(Order):
            def _get_engine(self): return Own(self)
        class Shop(Orchestrator):
            order: Special
        Shop(Special())
        """,
        "MachineInUseError",
        """
        Shop.order: this Special runs on an engine of its own, Own, which would not know of the orchestrator. Leave _get_engine as python-statemachine has it.
        """,
    ),
]


@pytest.fixture
def module(monkeypatch):
    """A module of its own for each mistake, so that names resolve as they do for a user."""
    made = types.ModuleType("wrong")
    monkeypatch.setitem(sys.modules, "wrong", made)
    exec(dedent(PRELUDE), vars(made))
    return made


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_mistake(module, mistake):
    """The mistake is refused with exactly this message."""
    with pytest.raises(Exception) as caught:
        exec(dedent(mistake.source), vars(module))

    assert type(caught.value).__name__ == mistake.error
    assert str(caught.value) == dedent(mistake.message).strip()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_errors_are_in_one_tree(module, mistake):
    """All errors are ours and have one base, except a TypeError for wrong arguments of a declaring function."""
    with pytest.raises((OrchestratorError, TypeError)) as caught:
        exec(dedent(mistake.source), vars(module))

    assert type(caught.value) is TypeError or mistake.error in exceptions.__all__


class TestTogether:
    def test_the_first_mistake_lists_all(self):
        """Several mistakes raise the first of them, whose `problems` are all of them, each with its data."""
        with pytest.raises(exceptions.AnnotationIsNotAStateMachineError) as caught:

            class Shop(Orchestrator):
                note: str
                payment: Payment = None

        assert [(type(one).__name__, one.where) for one in caught.value.problems] == [
            ("AnnotationIsNotAStateMachineError", "Shop.note"),
            ("FieldDefaultError", "Shop.payment"),
        ]
        assert isinstance(caught.value, DefinitionError)
        assert caught.value.what == "str is not a StateMachine or StateChart class"

    def test_nothing_is_changed_by_a_refused_constructor(self):
        """Machines passed to a constructor that refuses them still run by themselves."""

        class Shop(Orchestrator):
            order: Order
            payment: Payment

        order = Order()
        with pytest.raises(MistakeError):
            Shop(order, "no payment")
        order.process()

        assert Shop(order, Payment()).order.processing.is_active


class TestNoMistake:
    """What looks like a mistake and is none."""

    def test_helpers_that_begin_like_hooks(self):
        """A method that resembles no state or event is left alone."""

        class Helped(Order):
            def on_timer(self): ...

            def after_hours(self): ...

            def before_christmas(self): ...

        class Shop(Orchestrator):
            order: Helped

        assert Shop(Helped()).order.pending.is_active

    def test_hooks_that_a_declaration_names(self):
        """A method named like a hook of nothing is fine if a transition or state names it."""

        class Naming(StateMachine):
            one = State(initial=True, exit="before_two")
            two = State(final=True)
            go = one.to(two, cond="on_two and not after_two", before="after_one")

            def before_two(self): ...

            def on_two(self):
                return True

            def after_two(self):
                return False

            def after_one(self): ...

        class Shop(Orchestrator):
            naming: Naming

        shop = Shop(Naming())
        shop.naming.go()
        assert shop.naming.two.is_active

    def test_hooks_of_mixins_and_abstract_bases(self):
        """A mix-in or an abstract base may have hooks for states that only some machines have."""

        class Logging:
            def on_enter_failed(self): ...

        class Base(StateMachine):
            def on_exit_failed(self): ...

        class Mixed(Logging, Base):
            one = State(initial=True)
            two = State(final=True)
            go = one.to(two)

        class Shop(Orchestrator):
            mixed: Mixed

        assert Shop(Mixed()).mixed.one.is_active

    def test_an_abstract_class_as_annotation(self):
        """A member may be declared as an abstract base and given any machine derived from it."""

        class Shop(Orchestrator):
            order: StateMachine

        assert Shop(Order()).order.pending.is_active

    def test_parameters_that_something_else_fills(self):
        """A parameter may be filled by `prepare_event`, a listener, a model, a start value or a decorator."""

        class Preparing(Payment):
            def prepare_event(self):
                return {"now": 5}

            def on_enter_unpaid(self, now): ...

        class Clock:
            def prepare_event(self):
                return {"now": 6}

        class Listening(Payment):
            listeners = [Clock]

            def on_enter_unpaid(self, now): ...

        class Waiting(Payment):
            def on_enter_unpaid(self, now): ...

        def with_amount(function):
            @functools.wraps(function)
            def wrapper(self):
                return function(self, 7)

            return wrapper

        class Decorated(Payment):
            @with_amount
            def on_enter_unpaid(self, amount): ...

        class Shop(Orchestrator):
            preparing: Preparing = machine(factory=Preparing)
            listening: Listening = machine(factory=Listening)
            given: Waiting = machine(factory=Waiting, listeners=[Clock()])
            later: Waiting = machine(factory=Waiting, start_value="authorized")
            decorated: Decorated = machine(factory=Decorated)

        assert (
            str(Shop().configuration)
            == "preparing=unpaid listening=unpaid given=unpaid later=authorized decorated=unpaid"
        )

    def test_words_that_are_no_hooks(self):
        """A longer word that begins like an event is another word."""

        class Helped(Order):
            def on_processed(self): ...

        class Shop(Orchestrator):
            order: Helped

        assert Shop(Helped()).order.pending.is_active

    def test_a_field_that_is_called_like_its_class(self):
        """With postponed annotations a field may have the name of its machine's class."""

        class Shop(Orchestrator):
            Order: Order = machine(factory=Order)

        assert Shop().Order.pending.is_active

    def test_mixins_with_errors_of_their_own(self):
        """A TypeError of a mix-in that is not about class keywords is the mix-in's."""

        class Strict:
            def __init_subclass__(cls, **keywords):
                super().__init_subclass__(**keywords)
                msg = "not today"
                raise TypeError(msg)

        with pytest.raises(TypeError, match="not today"):

            class Shop(Orchestrator, Strict):
                order: Order

    def test_parameters_that_events_fill(self):
        """A required parameter is fine where an event can bring it."""

        class Paying(Payment):
            def before_authorize(self, amount, orc): ...

            def on_enter_unpaid(self, opened_by): ...

        class Shop(Orchestrator):
            payment: Paying = machine(factory=Paying, opened_by="ann")

        shop = Shop()
        shop.payment.authorize(5)
        assert shop.payment.authorized.is_active

    def test_data_of_any_type(self):
        """Any annotation goes with `data()`."""

        class Shop(Orchestrator):
            order: Order
            notes: dict[str, list[int]] = data(default_factory=dict)

        assert Shop(Order()).notes == {}
