"""One way to run machines of the runtime, and to hear what they say."""

import asyncio

import pytest

from orca_bridge.runtime import EventBus, EventType, ManualClock, OrcaMachine, parse_orca_auto


class Told:
    """A bus and everything that is said on it, as (name of the type, payload)."""

    def __init__(self):
        self.bus = EventBus()
        self.events = []
        for event_type in EventType:
            self.bus.subscribe(event_type, self.events.append)

    @property
    def names(self):
        return [event.type.name for event in self.events]

    def payloads(self, name):
        return [event.payload for event in self.events if event.type.name == name]


@pytest.fixture
def run():
    """Run coroutines in one event loop."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def make(told, clock):
    """Make a machine of a document, on the bus that is listened to and the clock that is moved by hand."""

    def machine(text, **keywords):
        actions = keywords.pop("actions", {})
        found = parse_orca_auto(text)
        made = OrcaMachine(found, event_bus=told.bus, clock=clock, **keywords)
        for name, handler in actions.items():
            made.register_action(name, handler)
        made.register_machines({one.name: one for one in found.machines})
        return made

    return machine
