"""R11: what is wrong with links, guards and joint events surfaces early, and each message says what to write."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from textwrap import dedent, indent

import pytest

from statemachines_orchestrator import OrchestratorError, exceptions

PRELUDE = """
from shop import Order, Payment

from statemachines_orchestrator import *


class Other(Orchestrator):
    order: Order = machine(factory=Order)


class Shop(Orchestrator):
    order: Order = machine(factory=Order)
    payment: Payment = machine(factory=Payment)
    other: Order = machine(factory=Order)
"""


@dataclass(frozen=True)
class Mistake:
    title: str
    body: str
    """What stands in the class body; after a line of dashes what follows the class."""
    error: str
    message: str


MISTAKES = [
    Mistake(
        "unknown state or event",
        """
        x = when(order.procesing).send(payment.authorize)
        """,
        "UnknownNameError",
        """
        Shop.x: order has no state or event 'procesing'. Did you mean order.processing?
        """,
    ),
    Mistake(
        "unknown event",
        """
        x = when(order.processing).send(payment.autorize)
        """,
        "UnknownNameError",
        """
        Shop.x: payment has no event 'autorize'. Did you mean payment.authorize?
        """,
    ),
    Mistake(
        "nothing alike",
        """
        x = when(order.zzz).send(payment.qqq)
        """,
        "UnknownNameError",
        """
        Shop has 2 mistakes:
          1. Shop.x: order has no state or event 'zzz'. It has: pending, processing, shipped, cancelled, process, ship, cancel.
          2. Shop.x: payment has no event 'qqq'. It has: authorize, capture, void.
        """,
    ),
    Mistake(
        "unknown member as text",
        """
        x = when('ordr.processing').send('paymnt.authorize')
        """,
        "UnknownNameError",
        """
        Shop has 2 mistakes:
          1. Shop.x: Shop has no member 'ordr'. Did you mean 'order'?
          2. Shop.x: Shop has no member 'paymnt'. Did you mean 'payment'?
        """,
    ),
    Mistake(
        "a member alone",
        """
        x = when(order).send(payment)
        """,
        "WrongNameError",
        """
        Shop has 2 mistakes:
          1. Shop.x: order is a machine. Name a state or an event such as order.pending.
          2. Shop.x: payment is a machine. Name an event such as payment.authorize.
        """,
    ),
    Mistake(
        "state where an event is sent",
        """
        x = when(order.processing).send(payment.authorized)
        """,
        "WrongNameError",
        """
        Shop.x: payment.authorized is a state, and an event is needed here. The events of payment: authorize, capture, void.
        """,
    ),
    Mistake(
        "event in a condition",
        """
        x = when(In(order.process)).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: order.process is an event, and a state is needed here. The states of order: pending, processing, shipped, cancelled.
        """,
    ),
    Mistake(
        "read from the machine class",
        """
        x = when(Order.processing).send(Payment.authorize)
        """,
        "WrongNameError",
        """
        Shop has 2 mistakes:
          1. Shop.x: processing is read from a machine's class, not from a member. Write order.processing or other.processing.
          2. Shop.x: authorize is read from a machine's class, not from a member. Write payment.authorize.
        """,
    ),
    Mistake(
        "machine class",
        """
        x = when(Order).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: Order is a class, not a member. Name a state or an event such as order.pending.
        """,
    ),
    Mistake(
        "number",
        """
        x = when(5).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: 5 names nothing. Name a state or an event such as order.pending.
        """,
    ),
    Mistake(
        "circle of steps without time between them",
        """
        a = when(order.processing).send(payment.authorize)
        b = when(payment.authorize).after(0).send(order.process)
        """,
        "LinkCycleError",
        """
        Shop.a: the links cause each other in a circle (a -> b -> a), which can only end with a refused event. Add .given(...) to one of them, or write refused='ignore' where the circle is to end.
        """,
    ),
    Mistake(
        "certain circle",
        """
        a = when(order.processing).send(payment.authorize)
        b = when(payment.authorize).send(order.process)
        """,
        "LinkCycleError",
        """
        Shop.a: the links cause each other in a circle (a -> b -> a), which can only end with a refused event. Add .given(...) to one of them, or write refused='ignore' where the circle is to end.
        """,
    ),
    Mistake(
        "guard of an unknown event",
        """
        x = guard(order.sihp, In(payment.captured))
        """,
        "UnknownNameError",
        """
        Shop.x: order has no event 'sihp'. Did you mean order.ship?
        """,
    ),
    Mistake(
        "guard of a state",
        """
        x = guard(order.shipped, In(payment.captured))
        """,
        "WrongNameError",
        """
        Shop.x: order.shipped is a state, and an event is needed here. The events of order: process, ship, cancel.
        """,
    ),
    Mistake(
        "guard without a condition",
        """
        x = guard(order.ship, payment.captured)
        """,
        "TypeError",
        """
        guard() takes a condition, and the name of a state is none: write In(...) around captured
        """,
    ),
    Mistake(
        "guard with text",
        """
        x = guard(order.ship, 'payment.captured')
        """,
        "TypeError",
        """
        guard() takes a condition such as In(payment.captured), or a function of the orchestrator, not 'payment.captured'
        """,
    ),
    Mistake(
        "joint event with one member twice",
        """
        x = together(order.process, order.cancel)
        """,
        "JointDefinitionError",
        """
        Shop.x: order takes part twice, and a machine takes one event at a time. Name one event of each member.
        """,
    ),
    Mistake(
        "joint event of one",
        """
        x = together(order.process)
        """,
        "JointDefinitionError",
        """
        Shop.x: order.process is one event of one machine, and nothing else happens together with it. Name the events of at least two members, or one of each(collection).
        """,
    ),
    Mistake(
        "joint event of a state",
        """
        x = together(order.processing, payment.void)
        """,
        "WrongNameError",
        """
        Shop.x: order.processing is a state, and an event is needed here. The events of order: process, ship, cancel.
        """,
    ),
    Mistake(
        "joint event in a joint event",
        """
        x = together(order.cancel, payment.void)
        y = together(x, order.ship)
        """,
        "JointDefinitionError",
        """
        Shop.y: x is a joint event itself. Name its events one by one.
        """,
    ),
    Mistake(
        "reserved payload",
        """
        x = when(order.processing).send(payment.authorize, event=3, orc=4, delay=5)
        """,
        "LinkDefinitionError",
        """
        Shop has 3 mistakes:
          1. Shop.x: an event cannot carry 'event': python-statemachine puts its own value there. Choose another name.
          2. Shop.x: an event cannot carry 'orc': callbacks receive the orchestrator by it. Choose another name.
          3. Shop.x: an event cannot carry 'delay': it says how an event is sent. Choose another name.
        """,
    ),
    Mistake(
        "reserved name",
        """
        links = when(order.processing).send(payment.authorize)
        """,
        "ReservedNameError",
        """
        Shop.links: the name cannot be used: it is an attribute of every orchestrator. Choose another name.
        """,
    ),
    Mistake(
        "one name for field and rule",
        """
        order2 = 1
        payment = when('order.processing').send('payment.authorize')
        """,
        "ReservedNameError",
        """
        Shop has 2 mistakes:
          1. Shop.payment: the name is given to a machine and to a rule. Choose another name for one.
          2. Shop.payment: Shop has no member 'payment'. Its fields: order, other.
        """,
    ),
    Mistake(
        "state of another orchestrator",
        """
        x = when(Other.order.processing).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: Other.order.processing belongs to Other, which is another orchestrator. Name a member of Shop, such as order.
        """,
    ),
    Mistake(
        "condition on another orchestrator",
        """
        x = guard(order.ship, In(Other.order.processing))
        """,
        "WrongNameError",
        """
        Shop.x: Other.order.processing belongs to Other, which is another orchestrator. Name a member of Shop, such as order.
        """,
    ),
    Mistake(
        "unfinished link",
        """
        x = when(order.processing)
        """,
        "LinkDefinitionError",
        """
        Shop.x: the link has no effect. Finish it with .send(event) or .call(function).
        """,
    ),
    Mistake(
        "called in the class body",
        """
        x = when(order.processing()).send(payment.authorize)
        """,
        "TypeError",
        """
        processing is named in a class body, not called there: leave the parentheses out
        """,
    ),
    Mistake(
        "and between conditions",
        """
        x = when(In(order.processing) and In(payment.captured)).send(payment.void)
        """,
        "TypeError",
        """
        a condition has no value before the system runs: combine conditions with &, | and ~, not and, or, not
        """,
    ),
    Mistake(
        "and between states",
        """
        x = when(order.processing and payment.captured).send(payment.void)
        """,
        "TypeError",
        """
        a state has no value before the system runs: write In(order.processing) & In(payment.captured), not and, or
        """,
    ),
    Mistake(
        "ampersand between states",
        """
        x = when(order.processing & payment.captured).send(payment.void)
        """,
        "TypeError",
        """
        a state alone is no condition: write In(order.processing) & In(payment.captured)
        """,
    ),
    Mistake(
        "link without a name",
        """
        when(order.processing).send(payment.authorize)
        """,
        "RuleError",
        """
        Shop.order: a link that names it is assigned to no name itself, so it would be lost. Write name = in front of it, one line for each.
        """,
    ),
    Mistake(
        "links in a list",
        """
        x = [when(order.processing).send(payment.authorize)]
        """,
        "RuleError",
        """
        Shop.order: a link that names it is assigned to no name itself, so it would be lost. Write name = in front of it, one line for each.
        """,
    ),
    Mistake(
        "states that exclude each other",
        """
        x = when(order.processing, order.shipped).send(payment.authorize)
        """,
        "LinkDefinitionError",
        """
        Shop.x: order.processing and order.shipped are never active at the same time, so the link can never fire. Wait for one of them, or for either: when(In(order.processing) | In(order.shipped)).
        """,
    ),
    Mistake(
        "to a machine that has ended",
        """
        x = when(order.shipped).send(order.cancel)
        """,
        "LinkDefinitionError",
        """
        Shop.x: order has ended when the link fires, so it refuses 'cancel'. Send the event to another member, or wait for a state that is not final.
        """,
    ),
    Mistake(
        "guard that never allows",
        """
        x = guard(order.ship, In(order.pending))
        """,
        "GuardDefinitionError",
        """
        Shop.x: order.ship has no transition in order.pending, so it is never allowed there and forbidden everywhere else. Ask for one of its own sources (processing) or for another member.
        """,
    ),
    Mistake(
        "link to a shared event",
        """
        a = together(order.cancel, payment.void)
        b = together(order.cancel, other.process)
        x = when(order.processing).send(order.cancel)
        """,
        "LinkDefinitionError",
        """
        Shop.x: order.cancel belongs to the joint events a and b, and happens only through one of them. Send that one: .send(a).
        """,
    ),
    Mistake(
        "function without parameters",
        """
        x = when(order.processing).given(lambda: True).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: <lambda>() cannot be called with the orchestrator and the occurrence. Write lambda orc: ... or lambda orc, occurrence: ...
        """,
    ),
    Mistake(
        "function with too many parameters",
        """
        x = when(order.processing).call(lambda a,b,c: True)
        """,
        "WrongNameError",
        """
        Shop.x: <lambda>(a, b, c) cannot be called with the orchestrator and the occurrence. Write lambda orc: ... or lambda orc, occurrence: ...
        """,
    ),
    Mistake(
        "payload function without parameters",
        """
        x = when(order.processing).send(payment.authorize, amount=lambda: 3)
        """,
        "WrongNameError",
        """
        Shop.x: <lambda>() cannot be called with the orchestrator and the occurrence. Write lambda orc: ... or lambda orc, occurrence: ...
        """,
    ),
    Mistake(
        "asynchronous condition",
        """
        async def f(orc): ...
        x = when(order.processing).given(f).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: f is asynchronous, and given() is asked in the middle of a step. Write a plain function; do what has to be awaited in a callback or in .call(function).
        """,
    ),
    Mistake(
        "nothing to call",
        """
        x = when(order.processing).call(None)
        """,
        "TypeError",
        """
        call() takes a function of (orc, occurrence), not None
        """,
    ),
    Mistake(
        "misspelt refused",
        """
        x = when(order.processing).send(payment.authorize, refused='hld')
        """,
        "TypeError",
        """
        send(refused='hld'): write 'raise', 'ignore' or 'hold'
        """,
    ),
    Mistake(
        "two effects",
        """
        x = when(order.processing).send(payment.authorize).send(payment.void)
        """,
        "TypeError",
        """
        a link has one effect: write a second link for this send()
        """,
    ),
    Mistake(
        "text as seconds",
        """
        x = when(order.processing).after('3').send(payment.authorize)
        """,
        "TypeError",
        """
        after() takes seconds, a number that is not negative, not '3'
        """,
    ),
    Mistake(
        "forward without names",
        """
        x = when(order.processing).send(payment.authorize).forward(3)
        """,
        "TypeError",
        """
        forward() takes the names of arguments as text, not 3
        """,
    ),
    Mistake(
        "forward of a condition",
        """
        x = when(In(order.processing)).send(payment.authorize).forward('amount')
        """,
        "LinkDefinitionError",
        """
        Shop.x: a condition begins to hold without an event, so there are no arguments to pass on. Leave forward() out, or wait for the event: when(event).given(condition).
        """,
    ),
    Mistake(
        "several events",
        """
        x = when(order.process, payment.void).send(payment.authorize)
        """,
        "LinkDefinitionError",
        """
        Shop has 2 mistakes:
          1. Shop.x: order.process is an event, and only states and conditions can hold together. Wait for the event alone and ask for the rest: when(event).given(In(state)).
          2. Shop.x: payment.void is an event, and only states and conditions can hold together. Wait for the event alone and ask for the rest: when(event).given(In(state)).
        """,
    ),
    Mistake(
        "nothing to wait for",
        """
        x = when().send(payment.authorize)
        """,
        "TypeError",
        """
        when() takes what the link waits for: a state, an event, done(member) or a condition
        """,
    ),
    Mistake(
        "function alone",
        """
        x = when(lambda orc: True).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: <lambda> is a function, and alone nothing says when it is to be asked. Put it beside a state: In(order.pending) & <lambda>, or behind: .given(<lambda>).
        """,
    ),
    Mistake(
        "misspelt joint event",
        """
        x = when(order.processing).send('abrot')
        abort = together(order.cancel, payment.void)
        """,
        "UnknownNameError",
        """
        Shop.x: Shop has no member 'abrot'. Did you mean 'abort'?
        """,
    ),
    Mistake(
        "end of a state",
        """
        x = when(done(order.shipped)).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: order.shipped is no machine. Name a member or a collection.
        """,
    ),
    Mistake(
        "every of one",
        """
        x = when(every(order.shipped)).send(payment.authorize)
        """,
        "WrongNameError",
        """
        Shop.x: every() is about all members of a collection, and order is one machine. Write In(order.shipped), or name a collection.
        """,
    ),
    Mistake(
        "link after the class was made",
        """
        pass
        ---
        Shop.x = when(Shop.order.processing).send(Shop.payment.authorize)
        Shop()
        """,
        "RuleAssignmentError",
        """
        Shop.x: links, guards and joint events are written in the class body and stay as they are. What is to change while the system runs goes into a condition: .given(lambda orc: orc.some_data).
        """,
    ),
    Mistake(
        "links replaced in the class",
        """
        x = when(order.processing).send(payment.authorize)
        ---
        Shop.links = ()
        Shop()
        """,
        "RuleAssignmentError",
        """
        Shop.links: links, guards and joint events are written in the class body and stay as they are. What is to change while the system runs goes into a condition: .given(lambda orc: orc.some_data).
        """,
    ),
    Mistake(
        "links replaced in an instance",
        """
        x = when(order.processing).send(payment.authorize)
        ---
        s = Shop()
        s.links = ()
        """,
        "RuleAssignmentError",
        """
        Shop.links: links, guards and joint events are written in the class body and stay as they are. What is to change while the system runs goes into a condition: .given(lambda orc: orc.some_data).
        """,
    ),
    Mistake(
        "joint event replaced",
        """
        x = together(order.cancel, payment.void)
        ---
        s = Shop()
        s.x = 3
        """,
        "RuleAssignmentError",
        """
        Shop.x: links, guards and joint events are written in the class body and stay as they are. What is to change while the system runs goes into a condition: .given(lambda orc: orc.some_data).
        """,
    ),
    Mistake(
        "joint event deleted",
        """
        x = together(order.cancel, payment.void)
        ---
        s = Shop()
        del s.x
        """,
        "RuleAssignmentError",
        """
        Shop.x: links, guards and joint events are written in the class body and stay as they are. What is to change while the system runs goes into a condition: .given(lambda orc: orc.some_data).
        """,
    ),
    Mistake(
        "argument called orc",
        """
        x = together(order.cancel, payment.void)
        ---
        s = Shop()
        s.x(orc=3)
        """,
        "TypeError",
        """
        'orc' is the name under which callbacks receive the orchestrator, so event 'cancel' cannot carry an argument of that name. Rename the argument, or let the orchestrator go by another name: class ...(Orchestrator, orchestrator_name='...').
        """,
    ),
    Mistake(
        "all together",
        """
        x = when(order.procesing).send(payment.authorize)
        y = guard(order.sihp, In(payment.captured))
        z = together(order.cancel, order.ship)
        q: str
        """,
        "AnnotationIsNotAStateMachineError",
        """
        Shop has 4 mistakes:
          1. Shop.q: str is not a StateMachine or StateChart class. For plain data write q: str = data(), for a constant ClassVar[str].
          2. Shop.x: order has no state or event 'procesing'. Did you mean order.processing?
          3. Shop.y: order has no event 'sihp'. Did you mean order.ship?
          4. Shop.z: order takes part twice, and a machine takes one event at a time. Name one event of each member.
        """,
    ),
    Mistake(
        "comparison of states",
        """
        x = when(order.processing == payment.captured).send(order.process)
        """,
        "WrongNameError",
        """
        Shop.x: False names nothing. Name a state or an event such as order.pending.
        """,
    ),
    Mistake(
        "state as a condition",
        """
        x = when(order.processing).given(order.shipped).send(payment.authorize)
        """,
        "TypeError",
        """
        given() takes a condition, and the name of a state is none: write In(...) around shipped
        """,
    ),
]


@pytest.fixture
def module(monkeypatch):
    """A module of its own for each mistake."""
    made = types.ModuleType("wrong")
    monkeypatch.setitem(sys.modules, "wrong", made)
    return made


def make(module, mistake):
    body, _, behind = dedent(mistake.body).partition("---")
    exec(PRELUDE + indent(body, "    ") + dedent(behind), vars(module))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_mistake(module, mistake):
    """The mistake is refused with exactly this message, and all errors are in one tree."""
    with pytest.raises((OrchestratorError, TypeError)) as caught:
        make(module, mistake)

    assert str(caught.value) == dedent(mistake.message).strip()
    assert type(caught.value).__name__ == mistake.error
    assert type(caught.value) is TypeError or mistake.error in exceptions.__all__
