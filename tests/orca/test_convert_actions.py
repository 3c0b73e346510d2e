"""Handlers of actions: where they come from, how they are called, what becomes of their results and errors."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import pytest
from convert_support import Driver, active, definition, row, state
from statemachine.exceptions import TransitionNotAllowed

from orca_bridge import Actions, MissingActionError
from orca_bridge.convert import machine_class
from orca_bridge.definition import Comparison, Path, Value


def one_action(name: str = "charge"):
    return definition([state("a", initial=True), state("b")], [row("a", "pay", "b", name)])


class TestSources:
    def test_a_mapping_given_to_the_constructor(self, drive):
        """Handlers may be given per instance."""
        machine = drive.make(one_action(), actions={"charge": lambda ctx: {"by": "instance"}})

        drive.send(machine, "pay")

        assert machine.context == {"by": "instance"}

    def test_an_object_with_methods(self, drive):
        """Handlers may be the methods of an object."""

        class Bank:
            def charge(self, ctx):
                return {"by": "bank"}

        machine = drive.make(one_action(), actions=Bank())
        drive.send(machine, "pay")

        assert machine.context == {"by": "bank"}

    def test_methods_of_a_subclass(self, drive):
        """Handlers may be methods of a subclass, of its bases and of mix-ins; the nearest wins."""

        class Mixin:
            def charge(self, ctx):
                return {"by": "mixin", "machine": type(self).__name__}

        class Mine(Mixin, machine_class(one_action())):
            pass

        class Nearer(Mine):
            def charge(self, ctx):
                return {**super().charge(ctx), "by": "nearer"}

        for cls, expected in ((Mine, "mixin"), (Nearer, "nearer")):
            machine = drive.make(cls)
            drive.send(machine, "pay")
            assert machine.context == {"by": expected, "machine": cls.__name__}

    def test_static_and_class_methods(self, drive):
        """A static or class method is a handler too."""

        class Mine(machine_class(definition([state("a", initial=True)], [row("a", "go", None, "one", "two")]))):
            @staticmethod
            def one(ctx):
                return {"one": 1}

            @classmethod
            def two(cls, ctx):
                return {"two": cls.__name__}

        machine = drive.make(Mine)
        drive.send(machine, "go")

        assert machine.context == {"one": 1, "two": "Mine"}

    def test_decorated_functions(self, drive):
        """`Actions` collects functions under their own or another name."""
        actions = Actions()

        @actions.action
        def charge(ctx):
            return {"charged": True}

        @actions.action("send-receipt")
        def mail(ctx):
            return {"sent": True}

        cls = machine_class(
            definition([state("a", initial=True)], [row("a", "go", None, "charge", "send-receipt")]),
            actions=actions,
        )
        machine = drive.make(cls)
        drive.send(machine, "go")

        assert machine.context == {"charged": True, "sent": True}
        assert repr(actions) == "Actions(2 handlers)"
        assert list(actions) == ["charge", "send-receipt"]

    def test_a_second_function_of_one_name_is_refused(self):
        """`Actions` does not silently replace a handler."""
        actions = Actions()
        actions.action("charge")(print)

        with pytest.raises(ValueError, match="action 'charge' has a handler already"):
            actions.action("charge")(len)

    def test_precedence(self, drive):
        """Constructor, then `load`, then methods."""

        class Mine(machine_class(one_action(), actions={"charge": lambda ctx: {"by": "load"}})):
            def charge(self, ctx):
                return {"by": "method"}

        for actions, expected in (
            ({"charge": lambda ctx: {"by": "constructor"}}, "constructor"),
            (None, "load"),
        ):
            machine = drive.make(Mine, actions=actions)
            drive.send(machine, "pay")
            assert machine.context == {"by": expected}

    def test_hyphenated_actions_are_methods_with_underscores(self, drive):
        """The method for `send-receipt` is `send_receipt`."""

        class Mine(machine_class(one_action("send-receipt"))):
            def send_receipt(self, ctx):
                ctx["sent"] = True

        machine = drive.make(Mine)
        drive.send(machine, "pay")

        assert machine.context == {"sent": True}

    def test_an_action_may_be_called_like_its_event(self, drive):
        """A method for an action that is called like an event is no obstacle to the event."""

        class Mine(machine_class(one_action("pay"))):
            def pay(self, ctx):
                ctx["paid"] = True

        machine = drive.make(Mine)
        drive.run(machine.pay)

        assert machine.context == {"paid": True}

    def test_an_action_may_be_called_like_a_hook(self, drive):
        """An action called `on_enter_b` runs as the action, once, and not as a hook of state `b`."""
        ran = []

        class Mine(
            machine_class(
                definition(
                    [state("a", initial=True), state("b")],
                    [row("a", "go", "b"), row("b", "on", "a", "on_enter_b")],
                )
            )
        ):
            def on_enter_b(self, ctx, event):
                ran.append(event)

        machine = drive.make(Mine)
        drive.send(machine, "go")
        assert ran == []
        drive.send(machine, "on", x=1)
        assert ran == [{"x": 1}]

    def test_a_library_name_is_no_method(self):
        """A subclass that overrides `send` has not written a handler of the action `send`."""

        class Mine(machine_class(one_action("send"))):
            def send(self, *args, **kwargs):
                return super().send(*args, **kwargs)

        with pytest.raises(MissingActionError):
            Mine()
        assert active(Mine(actions={"send": lambda: None})) == "a"

    def test_missing_handlers_are_all_named(self):
        """All missing handlers are reported when the machine is made, with the nearest names."""
        rows = [row("a", "go", "a", "charge", "refund", "present")]
        cls = machine_class(definition([state("a", initial=True, on_entry=("greet",))], rows))

        with pytest.raises(MissingActionError) as caught:
            cls(actions={"chargee": print, "present": print})

        assert caught.value.missing == ("greet", "charge", "refund")
        assert caught.value.nearest == {"charge": "chargee"}
        assert "'greet', 'charge' (is 'chargee' meant to be it?), 'refund'" in str(caught.value)

        class Bank:
            def refundd(self): ...

        with pytest.raises(MissingActionError, match="'refundd' meant"):
            cls(actions=Bank())

    def test_what_cannot_be_called_is_no_handler(self):
        """A value in the place of a handler is refused."""
        with pytest.raises(TypeError, match="handler of action 'charge' cannot be called: it is 5"):
            machine_class(one_action())(actions={"charge": 5})


class TestCalls:
    def run(self, drive, handler, **payload):
        machine = drive.make(one_action(), actions={"charge": handler}, context={"n": 1})
        drive.send(machine, "pay", **payload)
        return machine

    def test_by_arity(self, drive):
        """A handler takes nothing, the context, or the context and the payload."""
        seen = []
        self.run(drive, lambda: seen.append(()))
        self.run(drive, lambda whatever: seen.append(dict(whatever)), amount=5)
        self.run(drive, lambda first, second: seen.append((dict(first), second)), amount=5)
        self.run(drive, lambda ctx, event=None: seen.append(event), amount=6)
        self.run(drive, lambda *args: seen.append(args), amount=7)

        assert seen == [(), {"n": 1}, ({"n": 1}, {"amount": 5}), {"amount": 6}, ({"n": 1}, {"amount": 7})]

    def test_by_name(self, drive):
        """`event_name`, `state` and `machine` are filled by name, wherever they stand."""
        seen = []

        def handler(state, ctx, event_name, event, *, machine, source, missing="default"):
            seen.append((state.name, event_name, event, source.value, machine.context is ctx, missing))

        self.run(drive, handler, amount=5)

        assert seen == [("a", "pay", {"amount": 5}, "a", True, "default")]

    def test_injected_keywords(self, drive):
        """Whatever is injected reaches the handlers that name it; fields of the payload are not injected."""
        seen = []

        class Injector:
            def prepare_event(self):
                return {"orc": "the shop", "coordinator": 7}

        def handler(ctx, coordinator, event, *, orc):
            seen.append((coordinator, event, orc))

        cls = machine_class(one_action())
        listeners = [Injector()]
        if drive.is_async:
            from convert_support import Asynchronous

            listeners.append(Asynchronous())
        machine = cls(actions={"charge": handler}, listeners=listeners)
        drive.run(machine.activate_initial_state)
        drive.send(machine, "pay", amount=5)

        assert seen == [(7, {"amount": 5}, "the shop")]

    def test_everything_by_keywords(self, drive):
        """A handler with `**keywords` gets all that is injected, in the library's manner."""
        seen = {}
        self.run(drive, lambda ctx, **keywords: seen.update(keywords), amount=5)

        assert {"event_name", "state", "machine", "source", "target"} <= set(seen)
        assert "amount" not in seen

    def test_what_nobody_provides_is_an_error(self, drive):
        """A required parameter that nothing provides is named in the error."""

        def handler(ctx, event, orc):
            raise AssertionError

        with pytest.raises(TypeError, match=r"handler\(\) asks for 'orc', which nothing provides here"):
            self.run(drive, handler)

    def test_callables_without_signature(self, drive):
        """A built-in without a readable signature gets the context."""
        calls = []

        class Odd:
            __signature__ = "unreadable"

            def __call__(self, ctx):
                calls.append(ctx)

        machine = self.run(drive, Odd())

        assert calls == [machine.context]

    def test_entry_and_exit_get_the_payload(self, drive):
        """Entry and exit actions get the payload of the event that caused the step, and none at the start."""
        seen = []

        def note(ctx, event, event_name, state, machine):
            seen.append((state.name, event_name, event))

        states = [
            state("a", initial=True, on_entry=("note",), on_exit=("note",)),
            state("b", on_entry=("note",)),
            state("c", on_entry=("note",)),
        ]
        machine = drive.make(
            definition(states, [row("a", "go", "b"), row("b", None, "c")]),
            actions={"note": drive.handler(note)},
        )
        drive.send(machine, "go", n=1)

        assert seen == [
            ("a", None, None),
            ("a", "go", {"n": 1}),
            ("b", "go", {"n": 1}),
            ("c", None, None),
        ]


class TestPayload:
    @pytest.fixture
    def payments(self, drive):
        seen = []
        machine = drive.make(
            definition([state("a", initial=True)], [row("a", "pay", None, "note")]),
            actions={"note": lambda ctx, event: seen.append(event)},
        )
        return drive, machine, seen

    def test_mapping_or_keywords(self, payments):
        """The payload is one mapping, keywords, or both."""
        drive, machine, seen = payments

        drive.send(machine, "pay", {"amount": 5})
        drive.run(lambda: machine.pay(amount=5))
        drive.run(lambda: machine.pay({"amount": 5}))
        drive.send(machine, "pay", {"amount": 4, "by": "ann"}, amount=5)
        drive.send(machine, "pay")
        drive.send(machine, "pay", None)

        assert seen == [{"amount": 5}] * 3 + [{"amount": 5, "by": "ann"}, {}, {}]

    def test_any_field_name(self, payments):
        """A mapping may have any key, names of the library included."""
        drive, machine, seen = payments
        payload = {
            "machine": 1,
            "state": 2,
            "event": 3,
            "key": 4,
            "self": 5,
            "on_error": 6,
            "ctx": 7,
            "orc": 8,
        }

        drive.send(machine, "pay", payload)
        drive.run(lambda: machine.pay(key=1, on_error=2))

        assert seen == [payload, {"key": 1, "on_error": 2}]

    def test_other_arguments_are_refused(self, payments):
        """Positional values that are no mapping are refused when they are sent."""
        drive, machine, _ = payments

        with pytest.raises(TypeError, match="event 'pay' takes its payload as keywords or as one mapping, not as int"):
            drive.send(machine, "pay", 5)

    def test_a_trigger_that_came_another_way(self, payments):
        """A trigger that did not pass the machine's queue has a payload without the library's names."""
        from statemachine.event import BoundEvent

        drive, machine, seen = payments
        trigger = BoundEvent("pay", name="pay", _sm=machine).build_trigger(machine=machine, amount=5)
        trigger.kwargs["orc"] = "the shop"

        machine._engine.put(trigger)
        drive.run(machine._engine.processing_loop)

        assert seen == [{"amount": 5}]


class TestResults:
    def test_mappings_are_merged(self, drive, caplog):
        """A mapping is merged, nothing changes nothing, changes in place count, others are ignored and logged."""
        actions = {
            "one": drive.handler(lambda ctx, *rest: {"n": ctx["n"] + 1}),
            "two": drive.handler(lambda ctx, *rest: ctx.update(n=ctx["n"] * 10)),
            "three": drive.handler(lambda ctx, *rest: 5),
            "four": drive.handler(lambda ctx, *rest: None),
        }
        machine = drive.make(
            definition([state("a", initial=True)], [row("a", "go", None, "one", "two", "three", "four")]),
            actions=actions,
            context={"n": 1},
        )

        result = drive.send(machine, "go")

        assert machine.context == {"n": 20}
        assert result is None
        assert "action 'three' of machine 'M' returned int, which is no mapping" in caplog.text

    def test_in_order_one_after_the_other(self):
        """Actions of one list never overlap, although the library runs callbacks of a group concurrently."""
        ran = []

        async def slow(ctx):
            await asyncio.sleep(0.01)
            ran.append("slow")

        with asyncio.Runner() as runner:
            drive = Driver(runner)
            machine = drive.make(
                definition([state("a", initial=True)], [row("a", "go", None, "slow", "fast")]),
                actions={"slow": slow, "fast": lambda: ran.append("fast")},
            )
            drive.send(machine, "go")

        assert ran == ["slow", "fast"]

    @pytest.mark.parametrize("form", ["function", "partial", "callable", "method"])
    def test_one_asynchronous_handler_makes_the_machine_asynchronous(self, form):
        """A coroutine function is seen in every form, also where it is a method."""

        async def charge(ctx):
            ctx["paid"] = True

        class Callable:
            async def __call__(self, ctx):
                ctx["paid"] = True

        class Mine(machine_class(one_action())):
            if form == "method":

                async def charge(self, ctx):
                    ctx["paid"] = True

        given = {"function": charge, "partial": partial(charge), "callable": Callable()}

        async def main():
            machine = Mine(actions={"charge": given[form]} if form in given else None)
            await machine.pay()
            return machine.context

        assert asyncio.run(main()) == {"paid": True}

    def test_instances_of_one_class_may_differ(self):
        """Whether a machine is asynchronous depends on the handlers of the instance."""
        cls = machine_class(one_action())

        async def charge(ctx):
            ctx["paid"] = "async"

        sync = cls(actions={"charge": lambda ctx: {"paid": "sync"}})
        other = cls(actions={"charge": charge})
        sync.pay()
        asyncio.run(other.send("pay")) if asyncio.iscoroutine(other) else other.pay()

        assert (sync.context, other.context) == ({"paid": "sync"}, {"paid": "async"})

    def test_an_awaitable_on_a_synchronous_machine_is_an_error(self):
        """A handler that hides a coroutine is told to show it."""

        async def hidden():
            raise AssertionError

        machine = machine_class(one_action())(actions={"charge": lambda: hidden()})

        with pytest.raises(TypeError, match="returned an awaitable, and this machine is synchronous"):
            machine.pay()

        future = machine_class(one_action())(actions={"charge": lambda: _Awaitable()})
        with pytest.raises(TypeError, match="returned an awaitable"):
            future.pay()

    def test_a_sync_handler_may_return_an_awaitable_on_an_async_machine(self):
        """On an asynchronous machine every awaitable is awaited before the next action."""

        async def hidden(ctx):
            ctx["paid"] = True

        with asyncio.Runner() as runner:
            drive = Driver(runner)
            machine = drive.make(one_action(), actions={"charge": lambda ctx: hidden(ctx)})
            drive.send(machine, "pay")

        assert machine.context == {"paid": True}


class _Awaitable:
    def __await__(self):
        raise AssertionError


class TestFailures:
    def fail(self, *_):
        raise ValueError("no money")

    def machine(self, drive, *rows, target="b", extra=(), **keywords):
        ran = []
        handlers = {
            "fail": drive.handler(self.fail),
            "note": drive.handler(lambda ctx, event, *rest: ran.append(event)),
            "after": drive.handler(lambda *rest: ran.append("after")),
        }
        states = [state("a", initial=True), state("b", on_entry=("after",)), state("failed"), *extra]
        main = row("a", "pay", target, "fail", "after")
        return drive.make(definition(states, [main, *rows]), actions=handlers, **keywords), ran

    def test_the_transition_completes_and_the_caller_is_told(self, drive):
        """The rest of the list is skipped, the target is entered, and the error reaches the caller."""
        machine, ran = self.machine(drive)

        with pytest.raises(ValueError, match="no money") as caught:
            drive.send(machine, "pay")

        assert active(machine) == "b"
        assert ran == ["after"]
        assert caught.value.__notes__ == ["in action 'fail' of machine 'M'"]

    def test_the_machine_goes_on(self, drive):
        """The error is raised once; the machine takes the next event as ever."""
        machine, _ = self.machine(drive, row("b", "back", "a"))
        with pytest.raises(ValueError, match="no money"):
            drive.send(machine, "pay")

        drive.send(machine, "back")

        assert active(machine) == "a"

    @pytest.mark.parametrize("event", ["error", "error.action", "error.action.fail", "error.execution"])
    def test_a_row_can_take_it(self, drive, event):
        """A row for the error is taken in the same step, and nothing is raised."""
        machine, ran = self.machine(drive, row("b", event, "failed", "note"))

        drive.send(machine, "pay")

        assert active(machine) == "failed"
        assert ran[0] == "after"
        assert {name: ran[1][name] for name in ("action", "message")} == {
            "action": "fail",
            "message": "no money",
        }
        assert isinstance(ran[1]["exception"], ValueError)

    @pytest.mark.parametrize("event", ["error.action.other", "*", "err", "error.effect"])
    def test_other_rows_do_not(self, drive, event):
        """A row for another error, or for any event, does not take it."""
        machine, _ = self.machine(drive, row("b", event, "failed"))

        with pytest.raises(ValueError, match="no money"):
            drive.send(machine, "pay")

    def test_a_row_without_actions_takes_it_too(self, drive):
        """An error is taken by a row, whatever the row does."""
        machine, _ = self.machine(drive, row("*", "error", "failed"))

        drive.send(machine, "pay")

        assert active(machine) == "failed"

    def test_an_action_that_fails_while_an_error_is_handled(self, drive):
        """The second failure is not handled again, which could go on for ever; it is raised."""
        machine, _ = self.machine(drive, row("b", "error", "b", "fail"))

        with pytest.raises(ValueError, match="no money"):
            drive.send(machine, "pay")

        assert active(machine) == "b"

    def test_several_failures(self, drive, caplog):
        """Of several failures in one step the first is raised and the others are logged."""
        states = [state("a", initial=True, on_exit=("one",)), state("b", on_entry=("two",))]

        def one(*_):
            raise ValueError("first")

        def two(*_):
            raise KeyError("second")

        machine = drive.make(
            definition(states, [row("a", "go", "b")]),
            actions={"one": drive.handler(one), "two": drive.handler(two)},
        )

        with pytest.raises(ValueError, match="first"):
            drive.send(machine, "go")

        assert "another action failed in the same step" in caplog.text
        assert active(machine) == "b"

    def test_on_the_way_to_the_end(self, drive):
        """A failure on the way into a final state is raised, and the machine has ended."""
        machine, _ = self.machine(drive, row("*", "error", "failed"), target="end", extra=[state("end", final=True)])

        with pytest.raises(ValueError, match="no money"):
            drive.send(machine, "pay")

        assert (active(machine), machine.is_terminated) == ("end", True)

    def test_at_the_start(self):
        """A failure on the initial entry is raised by the constructor."""
        for final in (False, True):
            cls = machine_class(definition([state("a", initial=True, final=final, on_entry=("fail",))]))
            with pytest.raises(ValueError, match="no money"):
                cls(actions={"fail": self.fail})

    def test_at_the_start_of_an_asynchronous_machine(self):
        """A failure on the initial entry reaches whoever awaits the activation."""

        async def fail():
            raise ValueError("no money")

        async def main():
            machine = machine_class(definition([state("a", initial=True, on_entry=("fail",))]))(actions={"fail": fail})
            await machine.activate_initial_state()

        with pytest.raises(ValueError, match="no money"):
            asyncio.run(main())

    def test_in_a_nested_call(self, drive):
        """A send from inside an action is queued; the failing action's error goes to the outer caller."""
        order = []

        def send(ctx, event, event_name, state, machine):
            order.append(machine.send("next"))
            raise ValueError("no money")

        states = [state("a", initial=True), state("b"), state("c")]
        machine = drive.make(
            definition(states, [row("a", "go", "b", "send"), row("b", "error", None), row("b", "next", "c")]),
            actions={"send": send},
        )
        drive.send(machine, "go")

        assert active(machine) == "c"
        assert len(order) == 1

    def test_a_nested_send_may_be_awaited(self):
        """An asynchronous action may await its own send: it gets None, and the event runs afterwards."""
        results = []

        async def send(machine):
            results.append((await machine.send("next"), active(machine)))

        async def main():
            machine = machine_class(
                definition(
                    [state("a", initial=True), state("b")],
                    [row("a", "go", None, "send"), row("a", "next", "b")],
                )
            )(actions={"send": send})
            await machine.go()
            return active(machine)

        assert asyncio.run(main()) == "b"
        assert results[0][0] is None

    def test_a_failure_that_was_never_raised_is_logged(self, drive, caplog):
        """A failure that another error in the same step has hidden is logged, not raised at the next event."""

        class Breaks:
            def after_pay(self):
                raise RuntimeError("listener")

        machine = machine_class(
            definition([state("a", initial=True), state("b")], [row("a", "pay", "b", "fail"), row("b", "back", "a")])
        )(actions={"fail": self.fail}, listeners=[Breaks()])

        with pytest.raises(RuntimeError, match="listener"):
            machine.pay()
        with caplog.at_level(logging.ERROR):
            machine.back()

        assert "an action's error was never raised" in caplog.text
        assert active(machine) == "a"

    def test_concurrent_senders_get_their_own(self):
        """On the async engine a failing event does not disturb the failure of another that is running."""

        async def fail(ctx, event):
            await asyncio.sleep(0.01)
            raise ValueError(event["who"])

        async def main():
            machine = machine_class(definition([state("a", initial=True)], [row("a", "go", None, "fail")]))(
                actions={"fail": fail}
            )
            await machine.activate_initial_state()
            first = asyncio.create_task(_send(machine, "one"))
            await asyncio.sleep(0.005)
            second = asyncio.create_task(_send(machine, "two"))
            return await asyncio.gather(first, second, return_exceptions=True)

        first, second = asyncio.run(main())

        assert str(first) == "one"
        assert isinstance(second, ValueError)

    def test_guards_see_the_error(self, drive):
        """A guard of an error row reads the error's payload."""
        right = Comparison(Path("event", ("action",)), "==", Value("fail"))
        machine, _ = self.machine(
            drive,
            row("b", "error", "a", guard=Comparison(Path("event", ("action",)), "==", Value("other"))),
            row("b", "error", "failed", guard=right),
        )

        drive.send(machine, "pay")

        assert active(machine) == "failed"

    def test_an_error_event_sent_by_hand(self, drive):
        """A document's error row can be sent to by name; nothing was raised, nothing is raised."""
        machine, _ = self.machine(drive, row("a", "error", "failed"), row("a", "error.action", "failed"))

        drive.send(machine, "error.action.none")
        assert active(machine) == "failed"
        with pytest.raises(TransitionNotAllowed):
            drive.send(machine, "error")


async def _send(machine, who):
    return await machine.send("go", who=who)
