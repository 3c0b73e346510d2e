"""Parallel states, and what bullets say about the events of a state (semantics.md 3 and 5)."""

from __future__ import annotations

import asyncio
import logging

import pytest
from convert_support import Driver, active
from statemachine.exceptions import TransitionNotAllowed
from written import document_of

from orca_bridge import Actions, loads
from orca_bridge.write import python_source
from statemachines_orchestrator import Orchestrator, machine

ORDER = """# machine Order
## context
| Field | Type | Default |
|-------|------|---------|
| tries | int  | 0       |
## events
- pay
- pack
- drop
- stop
- later
- failed
## state open [initial]
- ignore: drop
## state busy [parallel, sync: SYNC]
- on_done: DONE
- on_error: broken
- ignore: *
### region money
- ignore: later
#### state waiting [initial]
#### state counting
##### state coins [initial]
##### state notes
#### state done [final]
### region goods
#### state waiting [initial]
#### state done [final]
## state ready
## state broken
## state gone [final]
## transitions
| Source        | Event  | Guard       | Target     | Action |
|---------------|--------|-------------|------------|--------|
| open          | pay    |             | busy       |        |
| money.waiting | pay    |             | counting   |        |
| counting      | pay    |             | money.done | count  |
| coins         | pack   |             | notes      |        |
| goods.waiting | pack   |             | goods.done |        |
| busy          | stop   |             | open       |        |
| busy          | later  |             | open       |        |
| busy          | failed |             | gone       |        |
| ready         | stop   |             | busy       |        |
| *             | drop   | event.n > 1 | gone       |        |
## actions
| Name  | Signature          |
|-------|--------------------|
| count | `(ctx) -> Context` |
"""


def order_text(sync="all-final", done="ready"):
    return ORDER.replace("SYNC", sync).replace("DONE", done)


@pytest.fixture(params=["sync", "async"])
def driver(request):
    if request.param == "sync":
        yield Driver(None)
        return
    with asyncio.Runner() as runner:
        yield Driver(runner)


@pytest.fixture(params=["loaded", "written"])
def cls(request):
    """A way to make the class of a document: by loading it, or by running what was written of it."""

    def written(text):
        document = document_of(text)
        namespace = {"__name__": "written_regions"}
        exec(compile(python_source(document.machines), "written_regions.py", "exec"), namespace)
        return namespace["Order"]

    return loads if request.param == "loaded" else written


def count(ctx):
    ctx["tries"] += 1


def busy(driver, cls, *events, **keywords):
    """A machine that has taken these events in its parallel state."""
    given = {"count": driver.handler(lambda ctx, *_: count(ctx)), **keywords.pop("actions", {})}
    order = driver.make(cls, actions=given, **keywords)
    for event in ("pay", *events):
        driver.send(order, event)
    return order


class TestSync:
    def test_regions_are_entered_together(self, driver, cls):
        """A parallel state is in all of its regions, each where its initial state leads."""
        order = busy(driver, cls(order_text()))

        assert active(order) == "busy.money.waiting, busy.goods.waiting"

    def test_an_event_reaches_every_region(self, driver, cls):
        """One event moves each region that has a row for it; the others stay."""
        order = busy(driver, cls(order_text()), "pay")
        assert active(order) == "busy.money.counting.coins, busy.goods.waiting"

        driver.send(order, "pack")

        assert active(order) == "busy.money.counting.notes, busy.goods.done"

    def test_all_final(self, driver, cls):
        """Without further words a parallel state is done when all of its regions are in a final state."""
        order = busy(driver, cls(order_text()), "pack", "pay")
        assert active(order) == "busy.money.counting.coins, busy.goods.done"

        driver.send(order, "pay")

        assert active(order) == "ready"
        assert order.context == {"tries": 1}

    def test_any_final(self, driver, cls):
        """With any-final the first region in a final state is enough."""
        assert active(busy(driver, cls(order_text("any-final")), "pack")) == "ready"

    def test_any_final_happens_once(self, driver, cls):
        """A second region that gets there does not make it done again."""
        order = busy(driver, cls(order_text("any-final", "pay")), "pack")
        assert active(order) == "busy.money.counting.coins, busy.goods.done"

        driver.send(order, "pay")

        assert active(order) == "busy.money.done, busy.goods.done"

    def test_custom(self, driver, cls):
        """With custom a predicate decides, after each macrostep, by the context and where the regions are."""
        asked = []

        def enough(ctx, finals):
            asked.append((ctx["tries"], finals))
            return finals["goods"] == "done"

        order = busy(driver, cls(order_text("custom")), "pay", "pay", actions={"sync_busy": enough})
        assert active(order) == "busy.money.done, busy.goods.waiting"
        assert (1, {"money": "done", "goods": None}) in asked

        driver.send(order, "pack")

        assert active(order) == "ready"

    def test_custom_happens_once_each_time(self, driver, cls):
        """The predicate is not asked again until the state has been left."""
        asked = []
        given = {"sync_busy": lambda *_: asked.append("asked") or True}
        order = busy(driver, cls(order_text("custom", "failed")), actions=given)
        assert (active(order), len(asked)) == ("gone", 1)

        asked.clear()
        order = busy(driver, cls(order_text("custom", "pay")), "drop", actions=given)
        assert (active(order), len(asked)) == ("busy.money.counting.coins, busy.goods.waiting", 1)

        driver.send(order, "stop")
        driver.send(order, "pay")
        assert (active(order), len(asked)) == ("busy.money.counting.coins, busy.goods.waiting", 2)

    def test_custom_ignores_finality(self, driver, cls):
        """All regions being final means nothing to a state with a predicate."""
        order = busy(driver, cls(order_text("custom")), "pack", "pay", "pay", actions={"sync_busy": lambda *_: False})

        assert active(order) == "busy.money.done, busy.goods.done"

    def test_custom_without_predicate(self, driver, cls, caplog):
        """Where no predicate is given the state is never done, and the log says so at the start."""
        with caplog.at_level(logging.WARNING, "orca_bridge"):
            order = busy(driver, cls(order_text("custom")), "pack", "pay", "pay")

        assert active(order) == "busy.money.done, busy.goods.done"
        assert "'busy' of machine 'Order' is never done: nothing is called 'sync_busy'" in caplog.text

    def test_custom_by_method_and_decorator(self):
        """A predicate may also be a method of a subclass, or be collected with the actions."""

        class Own(loads(order_text("custom"))):
            def count(self, ctx): ...

            def sync_busy(self, ctx, finals):
                return finals["goods"] is not None

        actions = Actions()
        actions.action(count)
        actions.action("sync_busy")(lambda _ctx, finals: finals["goods"] is not None)

        for order in (Own(), loads(order_text("custom"))(actions=actions)):
            order.pay()
            assert active(order) == "busy.money.waiting, busy.goods.waiting"
            order.pack()
            assert active(order) == "ready"


class TestOutcomes:
    def test_on_done_raises_an_event(self, driver, cls):
        """An on_done that names an event raises it within the same macrostep."""
        assert active(busy(driver, cls(order_text("any-final", "failed")), "pack")) == "gone"

    def test_on_done_of_a_compound_state(self):
        """A compound state is done when its final child is entered."""
        text = "# machine M\n## state a [initial]\n- on_done: b\n### state x [initial]\n- on go -> y\n"
        order = loads(text + "### state y [final]\n## state b\n")()
        order.go()

        assert active(order) == "b"

    def test_on_error(self, driver, cls):
        """An on_error takes any error that is raised while its state is active; the caller hears of none."""
        order = busy(driver, cls(order_text()), "pay", actions={"count": lambda: 1 / 0})

        driver.send(order, "pay")

        assert active(order) == "broken"

    def test_a_done_parallel_state_does_not_end_the_machine(self, cls):
        """Only a final state at the top ends a machine, alone and in an orchestrator."""
        found = cls(order_text(done="stop").replace("- on_done: stop\n", ""))

        class Shop(Orchestrator):
            order: found = machine(factory=found, actions={"count": count})

        shop = Shop()
        alone = found(actions={"count": count})
        for order in (shop.order, alone):
            for event in ("pay", "pack", "pay", "pay"):
                order.send(event)
            assert active(order) == "busy.money.done, busy.goods.done"
            assert not order.is_terminated
        assert not shop.is_terminated

        shop.order.stop()
        alone.stop()
        assert active(alone) == active(shop.order) == "open"

    def test_event_names(self):
        """An action that runs because something is done hears of it by its path."""
        seen = []
        text = order_text().replace("## state ready\n", "## state ready\n- on_entry: note\n")
        order = loads(text)(actions={"count": count, "note": lambda event_name: seen.append(event_name)})
        for event in ("pay", "pack", "pay", "pay"):
            order.send(event)

        assert seen == ["done.state.busy"]


class TestIgnore:
    def test_named(self, driver, cls):
        """What a state ignores by name is discarded without an error, whatever the rows of any state say."""
        order = driver.make(cls(order_text()), actions={"count": count})

        driver.send(order, "drop", n=5)

        assert active(order) == "open"
        assert order._orca.ignored

    def test_named_stops_the_walk_in_its_region(self, driver, cls):
        """A region that ignores an event hides the rows of what it stands in, for itself alone."""
        assert active(busy(driver, cls(order_text()), "later")) == "open"

    def test_everything(self, driver, cls):
        """What ignores everything discards only what no row takes, rows of any state included."""
        order = busy(driver, cls(order_text()))

        driver.send(order, "drop", n=1)
        assert order._orca.ignored
        driver.send(order, "unheard-of")
        assert active(order) == "busy.money.waiting, busy.goods.waiting"
        driver.send(order, "drop", n=5)
        assert active(order) == "gone"
        assert not order._orca.ignored

    def test_nothing(self, driver, cls):
        """Elsewhere an event that nothing takes is refused."""
        order = driver.make(cls(order_text()), actions={"count": count})

        with pytest.raises(TransitionNotAllowed):
            driver.send(order, "unheard-of")
