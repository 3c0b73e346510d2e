"""The event bus and handlers of effects."""

import asyncio
from datetime import UTC

import pytest

from orca_bridge.runtime import (
    Effect,
    EffectRegistry,
    EffectResult,
    Event,
    EventBus,
    EventType,
    OrcaMachine,
    effect_handler,
    get_effect_registry,
    get_event_bus,
    parse_orca_md,
    register_effect_handlers,
    reset_event_bus,
)
from orca_bridge.runtime.effects import (
    EffectType,
    default_effect_handler,
    default_narrative_handler,
    reset_effect_registry,
)


def heard(run, event_type, handler, *, times=1):
    bus = EventBus()
    for _ in range(times):
        bus.subscribe(event_type, handler)
    run(bus.publish(Event(event_type, "test", payload={"n": 1})))


class TestPublish:
    @pytest.mark.parametrize("event_type", [EventType.STATE_CHANGED, "my.own.type"])
    def test_subscribers(self, run, event_type):
        """Synchronous and asynchronous subscribers of a type hear its events."""
        found = []

        async def later(event):
            await asyncio.sleep(0)
            found.append(event.payload)

        heard(run, event_type, later)
        heard(run, event_type, lambda event: found.append(event.source))

        assert found == [{"n": 1}, "test"]

    def test_twice(self, run):
        """A subscriber that is given twice hears once."""
        found = []
        heard(run, EventType.STATE_CHANGED, found.append, times=2)

        assert len(found) == 1

    def test_other_types(self, run):
        """Events of other types are not heard, nor are any after unsubscribing."""
        bus, found = EventBus(), []
        bus.subscribe(EventType.MACHINE_STARTED, found.append)
        run(bus.publish(Event(EventType.STATE_CHANGED, "test")))
        bus.unsubscribe(EventType.MACHINE_STARTED, found.append)
        bus.unsubscribe(EventType.MACHINE_STARTED, found.append)
        run(bus.publish(Event(EventType.MACHINE_STARTED, "test")))

        assert found == []

    def test_failure(self, run, caplog):
        """What a subscriber raises is logged and keeps nobody else from hearing."""
        bus, found = EventBus(), []
        bus.subscribe(EventType.STATE_CHANGED, lambda event: 1 / 0)
        bus.subscribe(EventType.STATE_CHANGED, found.append)
        run(bus.publish(Event(EventType.STATE_CHANGED, "test")))

        assert len(found) == 1
        assert "orca.state.changed" in caplog.text

    def test_at_the_same_time(self, run):
        """Subscribers do not wait for each other."""

        async def scenario():
            bus, order, gate = EventBus(), [], asyncio.Event()

            async def waits(event):
                await gate.wait()
                order.append("waits")

            async def opens(event):
                order.append("opens")
                gate.set()

            bus.subscribe("t", waits)
            bus.subscribe("t", opens)
            await bus.publish(Event("t", "test"))
            return order

        assert run(scenario()) == ["opens", "waits"]

    def test_event(self):
        """An event knows when it was made, in UTC, and a machine takes it for its name or else its type."""
        assert Event(EventType.STATE_CHANGED, "s").timestamp.tzinfo is UTC
        assert Event(EventType.STATE_CHANGED, "s", "go").name == "go"
        assert Event(EventType.STATE_CHANGED, "s").name == "orca.state.changed"


class TestRequests:
    def test_response(self, run):
        """A request gets the payload of the response with its correlation id."""

        async def scenario():
            bus = EventBus()

            async def answer(event):
                await bus.publish(Event(EventType.SCHEDULING_QUERY_RESPONSE, "a", correlation_id="other"))
                response = Event(EventType.SCHEDULING_QUERY_RESPONSE, "a", correlation_id=event.correlation_id)
                response.payload = {"free": event.payload["day"]}
                await bus.publish(response)

            bus.subscribe(EventType.SCHEDULING_QUERY, answer)
            return await bus.request_response(
                EventType.SCHEDULING_QUERY, {"day": 3}, EventType.SCHEDULING_QUERY_RESPONSE
            )

        assert run(scenario()) == {"free": 3}

    def test_timeout(self, run):
        """Without a response in time there is a TimeoutError, and no subscription stays behind."""
        bus = EventBus()
        asked = bus.request_response("ask", {}, "answer", correlation_id="c7", timeout=0.001)

        with pytest.raises(TimeoutError, match="c7") as raised:
            run(asked)
        assert "answer" in str(raised.value)
        assert repr(bus) == "EventBus(0 subscribers, 0 effect handlers)"


class TestEffects:
    @pytest.mark.parametrize("target", ["bus", "registry"])
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (EffectResult("success", {"a": 1}), EffectResult("success", {"a": 1})),
            ({"a": 1}, EffectResult("success", {"a": 1})),
            (None, EffectResult("success")),
            (ValueError("no"), EffectResult("failure", error="no")),
        ],
        ids=["result", "mapping", "nothing", "raises"],
    )
    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    def test_answers(self, run, target, answer, expected, is_async):
        """A handler, synchronous or not, answers with a result, a mapping or nothing; what it raises is a failure."""

        def handler(effect):
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def later(effect):
            return handler(effect)

        chosen = later if is_async else handler
        bus, registry = EventBus(), EffectRegistry()
        bus.register_effect_handler("Mail", chosen)
        registry.register("Mail", chosen)
        found = run(bus.execute_effect(Effect("Mail")) if target == "bus" else registry.execute(Effect("Mail")))

        assert found == expected

    def test_nonsense(self, run):
        """A handler that answers with anything else has failed, and is told what to return."""
        bus = EventBus()
        bus.register_effect_handler("Mail", lambda effect: 7)

        assert "return an EffectResult" in run(bus.execute_effect(Effect("Mail"))).error

    def test_missing(self, run):
        """An effect without a handler is a failure that names its type."""
        for owner in (EventBus().execute_effect, EffectRegistry().execute):
            assert run(owner(Effect("Mail"))).error == "No handler registered for effect type: Mail"

    def test_decorator(self, run):
        """Handlers can be registered by a decorator."""
        bus = EventBus()

        @bus.effect_handler("Mail")
        def mail(effect):
            return {"to": effect.payload["to"]}

        assert bus.effect_handler_types == ["Mail"]
        assert run(bus.execute_effect(Effect("Mail", {"to": "me"}))).data == {"to": "me"}


class TestShared:
    def test_bus(self):
        """There is one bus in a process, until it is reset."""
        first = get_event_bus()

        assert get_event_bus() is first
        reset_event_bus()
        assert get_event_bus() is not first

    def test_registry(self, run):
        """The registry of a process begins with the default handlers, and takes decorated ones."""
        reset_effect_registry()

        @effect_handler("Mail")
        async def mail(effect):
            return EffectResult("success")

        assert get_effect_registry().effect_types == ["NarrativeRequest", "Effect", "Mail"]
        assert get_effect_registry().has_handler("Mail")
        assert get_effect_registry().get_handler("Mail") is mail
        reset_effect_registry()
        assert not get_effect_registry().has_handler("Mail")

    def test_several(self):
        """Several handlers can be registered at once."""
        registry = EffectRegistry()
        register_effect_handlers(registry, {"A": default_effect_handler, "B": default_effect_handler})
        register_effect_handlers(registry)

        assert registry.effect_types == ["A", "B"]
        assert repr(registry) == "EffectRegistry(2 handlers)"

    def test_defaults(self, run):
        """The default handlers succeed; the one for stories names the action."""
        assert run(default_effect_handler(Effect("T"))) == EffectResult("success")
        assert "look" in run(default_narrative_handler(Effect("N", {"action": "look"}))).data["narrative"]

    def test_kind(self, run):
        """A kind of effect runs its handler, and lets what it raises through."""

        def handler(effect):
            return {"n": 1 / effect.payload["by"]}

        assert run(EffectType("T", handler).execute({"by": 2})).data == {"n": 0.5}
        with pytest.raises(ZeroDivisionError):
            run(EffectType("T", handler).execute({"by": 0}))


class Recording(EventBus):
    """A bus with a way of its own to publish."""

    def __init__(self):
        super().__init__()
        self.events = []

    async def publish(self, event):
        self.events.append(event)


class Foreign:
    """A bus that shares nothing with ours but what machines need of one."""

    effect_handler_types = ()

    def __init__(self):
        self.events = []

    async def publish(self, event):
        self.events.append(event)


def patched():
    bus = EventBus()
    bus.events = []
    bus.publish = Recording.publish.__get__(bus)
    return bus


@pytest.mark.parametrize("make_bus", [Recording, Foreign, patched])
def test_bus_of_ones_own(run, make_bus):
    """A bus that publishes in its own way gets every event, though nobody has subscribed."""
    text = "# machine M\n## state a [initial]\n## state b\n## transitions\n| Source | Event | Target |\n|---|---|---|\n| a | go | b |\n"
    bus = make_bus()
    machine = OrcaMachine(parse_orca_md(text), bus)
    run(machine.start())
    run(machine.send("go"))
    run(machine.stop())

    told = ["MACHINE_STARTED", "TRANSITION_STARTED", "STATE_CHANGED", "TRANSITION_COMPLETED", "MACHINE_STOPPED"]
    assert [event.type.name for event in bus.events] == told


@pytest.mark.parametrize(("event_type", "text"), [(EventType.STATE_CHANGED, "orca.state.changed"), ("mine", "mine")])
def test_text_of_event(event_type, text):
    """As text, an event is its type and who says it."""
    assert str(Event(event_type, "M")) == f"Event({text}, source=M)"
