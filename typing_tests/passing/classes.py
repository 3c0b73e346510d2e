"""Class keywords, subclasses, abstract bases and generics keep their types."""

from __future__ import annotations

import copy
from abc import ABC
from typing import ClassVar, Generic, TypeVar

from typing_extensions import assert_type

from statemachines_orchestrator import Orchestrator, data, machine

from machines import Chart, Order, Payment


class Named(Orchestrator, orchestrator_name="coordinator", atomic=False):
    LIMIT: ClassVar[int] = 3
    order: Order = machine(factory=Order)

    def total(self) -> int:
        return self.LIMIT


class Larger(Named):
    payment: Payment = machine(factory=Payment)


class Base(Orchestrator, ABC):
    order: Order


class Concrete(Base):
    payment: Payment


M = TypeVar("M", Order, Payment)


class Pair(Orchestrator, ABC, Generic[M]):
    first: M
    second: M


class Orders(Pair[Order]):
    chart: Chart = machine(factory=Chart)


class Counting(Orchestrator):
    order: Order = machine(factory=Order)
    count: int = data(default=0)

    def __post_init__(self) -> None:
        self.count = 1


assert_type(Named().total(), int)
assert_type(Larger().order, Order)
assert_type(Larger(Order(), Payment()).payment, Payment)
assert_type(Concrete(order=Order(), payment=Payment()), Concrete)
assert_type(Concrete(Order(), Payment()).order, Order)
assert_type(Orders(Order(), Order()).first, Order)
assert_type(Orders(first=Order(), second=Order(), chart=Chart()).chart, Chart)
assert_type(copy.deepcopy(Counting()), Counting)
assert_type(Counting(count=4).count, int)


def anywhere(system: Orchestrator) -> list[str]:
    return list(system.machines)


anywhere(Larger())
