"""Asynchronous systems are entered, awaited and typed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from typing_extensions import assert_type

from statemachines_orchestrator import EventCall, Orchestrator, machine

from machines import Order


class Shop(Orchestrator):
    order: Order = machine(factory=Order)


async def main() -> None:
    async with Shop() as shop:
        assert_type(shop, Shop)
        assert_type(shop.order, Order)
    other = Shop()
    assert_type(other.activate(), EventCall)
    await other.activate()
    call = other.activate()
    waiting: Awaitable[Any] = call
    await waiting
    assert_type(call.is_started, bool)


asyncio.run(main())
