"""The machines that all typing tests declare as members."""

from typing import Any

from statemachine import State, StateChart, StateMachine


class Order(StateMachine):
    pending = State(initial=True)
    processing = State()
    shipped = State(final=True)
    process = pending.to(processing)
    ship = processing.to(shipped)


class Payment(StateMachine):
    unpaid = State(initial=True)
    captured = State(final=True)
    voided = State(final=True)
    capture = unpaid.to(captured)
    void = unpaid.to(voided)


class Express(Order):
    """A special order."""


class Chart(StateChart[Any]):
    idle = State(initial=True)
    busy = State()
    start = idle.to(busy)
    stop = busy.to(idle)


def make_order() -> Order:
    """Make an order in a way of its own."""
    return Order()
