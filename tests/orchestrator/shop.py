"""The running example: an order and a payment that must agree."""

from __future__ import annotations

from statemachine import State, StateMachine


class Order(StateMachine):
    pending = State(initial=True)
    processing = State()
    shipped = State(final=True)
    cancelled = State(final=True)
    process = pending.to(processing)
    ship = processing.to(shipped)
    cancel = pending.to(cancelled) | processing.to(cancelled)


class Payment(StateMachine):
    unpaid = State(initial=True)
    authorized = State()
    captured = State(final=True)
    voided = State(final=True)
    authorize = unpaid.to(authorized)
    capture = authorized.to(captured)
    void = unpaid.to(voided) | authorized.to(voided)

    def on_authorize(self, amount=0):
        return f"authorized {amount}"
