"""Wrong declarations."""

from __future__ import annotations

from abc import ABC
from typing import Generic, TypeVar

from statemachines_orchestrator import Orchestrator, data, machine

from machines import Order, Payment


class WrongFactory(Orchestrator):
    order: Order = machine(factory=Payment)  # E: reportAssignmentType / assignment


class WrongDefault(Orchestrator):
    order: Order = None  # E: reportAssignmentType / assignment
    count: int = data(default="three")  # E: reportAssignmentType / assignment


class WrongFactoryOfData(Orchestrator):
    order: Order
    notes: list[str] = data(default_factory=dict[str, str])  # E: reportAssignmentType / arg-type


class BothDefaults(Orchestrator):
    order: Order
    count: int = data(default=0, default_factory=int)  # E: reportCallIssue / call-overload


class WrongOrder(Orchestrator):
    order: Order = machine(factory=Order)
    payment: Payment  # E: reportGeneralTypeIssues / misc


class NoMachine(Orchestrator):
    order: Order = machine(factory=3)  # E: reportArgumentType / call-overload


class WrongKeyword(Orchestrator, orchestrator_name=3):  # E: reportArgumentType / arg-type
    order: Order


class MisspeltKeyword(Orchestrator, orchestrator_nam="shop"):  # E: reportCallIssue / call-arg
    order: Order


M = TypeVar("M", Order, Payment)


class Pair(Orchestrator, ABC, Generic[M]):
    first: M


class Orders(Pair[Order]):
    """A pair of orders."""


Orders(Payment())  # E: reportArgumentType / arg-type
Orders(Order()).first.void()  # E: reportAttributeAccessIssue / attr-defined
