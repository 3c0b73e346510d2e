"""What code written for the published 0.0.4 relies on."""

from __future__ import annotations

import pytest
from statemachine import State, StateMachine

from statemachines_orchestrator import Orchestrator as FromRoot
from statemachines_orchestrator.exceptions import (
    AnnotationIsNotAStateMachineError,
    NoMachinesOnOrchestratorError,
    StateFieldIsNotUniqueError,
    UnexpectedAnnotationTypeError,
)
from statemachines_orchestrator.orchestrator import Orchestrator


class OrderStateMachine(StateMachine):
    pending = State(initial=True)
    processing = State()
    shipped = State()
    delivered = State(final=True)
    cancelled = State(final=True)

    process = pending.to(processing)
    ship = processing.to(shipped)
    deliver = shipped.to(delivered)
    cancel = pending.to(cancelled) | processing.to(cancelled)

    def after_process(self, orc: "ECommerceOrchestrator"):  # noqa: UP037 - as its README prints it
        orc.payment.authorize()


class PaymentStateMachine(StateMachine):
    unpaid = State(initial=True)
    authorized = State()
    captured = State(final=True)
    failed = State(final=True)

    authorize = unpaid.to(authorized)
    capture = authorized.to(captured)
    fail = unpaid.to(failed) | authorized.to(failed)


class ECommerceOrchestrator(Orchestrator):
    order: OrderStateMachine
    payment: PaymentStateMachine


def test_quick_start():
    """The quick start that its README promised, and its code did not keep, works."""
    orchestrator = ECommerceOrchestrator(order=OrderStateMachine(), payment=PaymentStateMachine())
    assert orchestrator.order.pending.is_active

    orchestrator.order.process()

    assert orchestrator.payment.authorized.is_active
    with pytest.warns(DeprecationWarning, match="current_state"):
        assert orchestrator.payment.current_state.id == "authorized"


def test_import_paths():
    """The class is the same from the root and from the old module."""
    assert FromRoot is Orchestrator


def test_properties():
    """`machines`, `machine_classes` and `orchestrator_name` are there."""
    order, payment = OrderStateMachine(), PaymentStateMachine()
    orchestrator = ECommerceOrchestrator(order, payment)

    assert orchestrator.machines == {"order": order, "payment": payment}
    assert orchestrator.machine_classes == {"order": OrderStateMachine, "payment": PaymentStateMachine}
    assert orchestrator.orchestrator_name == "orc"


def test_custom_name():
    """The keyword `orchestrator_name` names the parameter."""

    class Asking(PaymentStateMachine):
        def on_authorize(self, coordinator):
            return coordinator

    class Custom(Orchestrator, orchestrator_name="coordinator"):
        payment: Asking

    custom = Custom(payment=Asking())

    assert custom.orchestrator_name == "coordinator"
    assert custom.payment.authorize() is custom
    assert custom.payment.send("fail") is None


def test_exceptions_of_class_declarations():
    """They are raised when they were: a field that is no machine, and an empty class."""
    with pytest.raises(AnnotationIsNotAStateMachineError):

        class Wrong(Orchestrator):
            foo: str

    with pytest.raises(NoMachinesOnOrchestratorError):

        class Empty(Orchestrator):
            pass

    with pytest.raises(UnexpectedAnnotationTypeError):

        class Odd(Orchestrator):
            foo: 5


def test_state_fields():
    """Sharing a field of one model is refused; the same field name on two models is not, nor two fields of one."""

    class Row:
        pass

    row = Row()
    with pytest.raises(StateFieldIsNotUniqueError):
        ECommerceOrchestrator(OrderStateMachine(row), PaymentStateMachine(row, start_value="unpaid"))

    fine = ECommerceOrchestrator(OrderStateMachine(Row()), PaymentStateMachine(Row()))
    shared = Row()
    also_fine = ECommerceOrchestrator(
        OrderStateMachine(shared), PaymentStateMachine(shared, state_field="payment_state")
    )

    also_fine.order.process()
    assert (shared.state, shared.payment_state) == ("processing", "authorized")
    assert str(fine.configuration) == "order=pending payment=unpaid"
