"""Effects of actions: who runs them, what becomes of their results, and how a machine reacts to a failure."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
from functools import partial

import pytest
from convert_support import active

from orca_bridge import Actions, Effect, EffectResult, EffectStatus, MissingActionError, loads, loads_orchestrator
from statemachines_orchestrator import Orchestrator, machine

DOCUMENT = """
# machine Order

## context
| Field | Type   | Default |
|-------|--------|---------|
| n     | int    | 0       |
| mail  | string |         |
| note  | string |         |

## state open [initial]
- on_exit: leave
## state paid
- on_entry: confirm
## state broken

## transitions
| Source | Event                 | Target | Action      |
|--------|-----------------------|--------|-------------|
| open   | pay                   | paid   | count, tell |
| paid   | error.effect.Mail     | broken |             |
| paid   | back                  | open   |             |

## actions
| Name    | Signature                                       |
|---------|-------------------------------------------------|
| leave   | `(ctx) -> Context + Effect<Log>`                |
| count   | `(ctx) -> Context`                              |
| tell    | `(ctx, event) -> Context + Effect<Mail> + Effect<Log>` |
| confirm | `(ctx) -> Context + Effect<Mail>`               |

## effects
| Name | Input                | Output             |
|------|----------------------|--------------------|
| Mail | `{ to: string }`     | `{ mail: string }` |
| Log  | text                 |                    |
"""


def count(ctx):
    ctx["n"] += 1


class Post:
    """Handlers that remember what they were asked."""

    def __init__(self, answers=()):
        self.heard = []
        self.answers = dict(answers)

    def count(self, ctx):
        ctx["n"] += 1

    def effect_mail(self, effect):
        return self._answer(effect)

    def effect_log(self, effect):
        return self._answer(effect)

    def _answer(self, effect):
        self.heard.append((effect.type, effect.payload))
        answer = self.answers.get(effect.type)
        if isinstance(answer, Exception):
            raise answer
        return answer


class AsyncPost(Post):
    async def effect_mail(self, effect):
        await asyncio.sleep(0)
        return self._answer(effect)


@pytest.fixture(params=[Post, AsyncPost], ids=["sync", "async"])
def order(request):
    """Makes a machine whose handlers give certain answers, and drives it."""
    with asyncio.Runner() as runner:

        def make(kind=None, typing="warn", **answers):
            post = request.param(answers)
            made = (kind or loads(DOCUMENT, typing=typing))(actions=post)
            return Driven(made, post, runner)

        yield make


class Driven:
    def __init__(self, made, post, runner):
        self.machine, self.post, self.runner = made, post, runner
        self.run(made.activate_initial_state)

    def run(self, call):
        async def go():
            result = call()
            return await result if hasattr(result, "__await__") else result

        return self.runner.run(go())

    def send(self, event, **payload):
        return self.run(lambda: self.machine.send(event, **payload))


class TestOrder:
    def test_wherever_the_action_stands(self, order):
        """Effects run on exit, on the transition and on entry, after the action before, each with all that it is about."""
        one = order()

        one.send("pay", to="me")

        context, event = {"n": 0, "mail": None, "note": None}, {"to": "me"}
        assert one.post.heard == [
            ("Log", {"action": "leave", "context": context, "event": event}),
            ("Mail", {"action": "tell", "context": context | {"n": 1}, "event": event}),
            ("Log", {"action": "tell", "context": context | {"n": 1}, "event": event}),
            ("Mail", {"action": "confirm", "context": context | {"n": 1}, "event": event}),
        ]

    def test_the_context_is_a_copy(self, order):
        """A handler cannot change the machine by what it is given."""
        one = order()

        one.send("pay")
        for _, payload in one.post.heard:
            payload["context"]["n"] = 99

        assert one.machine.context["n"] == 1

    def test_the_result_is_merged_before_the_next(self, order):
        """What a success carries is in the context when the next effect runs."""
        one = order(Mail=EffectResult(EffectStatus.SUCCESS, {"mail": "sent"}), Log={"note": "kept"})

        one.send("pay")

        assert [payload["context"]["note"] for _, payload in one.post.heard] == [None, "kept", "kept", "kept"]
        assert one.machine.context == {"n": 1, "mail": "sent", "note": "kept"}
        assert one.machine.effect_errors == ()

    def test_a_success_without_data(self, order):
        """Data that is no mapping is nobody's field, and no failure."""
        one = order(Mail=EffectResult("success", "done"))

        one.send("pay")

        assert active(one.machine) == "paid"
        assert one.machine.context == {"n": 1, "mail": None, "note": None}

    def test_no_event_at_the_start(self):
        """On the initial entry there is no payload."""
        heard = []
        text = DOCUMENT.replace("## state open [initial]\n", "## state open [initial]\n- on_entry: confirm\n")

        loads(text)(
            actions={"count": count, "Mail": lambda effect: heard.append(effect.payload["event"]), "Log": print}
        )

        assert heard == [None]


class TestFailure:
    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (EffectResult(EffectStatus.FAILURE, error="no paper"), "no paper"),
            (EffectResult("failure"), "the effect failed"),
            (EffectResult("odd", error="what"), "what"),
            (ValueError("no paper"), "no paper"),
            (ValueError(), "ValueError"),
            (7, "the handler of 'Mail' returned int; return an EffectResult, a mapping or None"),
        ],
    )
    def test_is_an_event(self, order, answer, error):
        """A failure raises nothing; it is an event that a row can take, in the same step."""
        one = order(Mail=answer)

        one.send("pay")

        assert active(one.machine) == "broken"
        assert one.machine.effect_errors == (
            {"effect": "Mail", "action": "tell", "error": error},
            {"effect": "Mail", "action": "confirm", "error": error},
        )

    @pytest.mark.parametrize("event", ["error", "error.effect", "error.effect.Mail"])
    def test_rows_for_it(self, order, event, caplog):
        """Rows for it and for any error take it; then nothing is logged."""
        text = DOCUMENT.replace("error.effect.Mail    ", event).replace("- on_entry: confirm\n", "")
        one = order(loads(text), Mail=ValueError("no paper"))

        one.send("pay")

        assert active(one.machine) == "broken"
        assert "failed" not in caplog.text

    @pytest.mark.parametrize("event", ["error.execution", "error.action", "error.effect.Log", "*", "Mail"])
    def test_other_rows(self, order, event, caplog):
        """Rows for other things do not take it; then it is logged, and the machine stays where it is."""
        one = order(loads(DOCUMENT.replace("error.effect.Mail    ", event)), Mail=ValueError("no paper"))

        one.send("pay")

        assert active(one.machine) == "paid"
        assert caplog.text.count("effect 'Mail' of machine 'Order' failed: no paper") == 2

    def test_on_error(self, order):
        """A state's `on_error` takes the failure of an effect, too."""
        text = DOCUMENT.replace("- on_entry: confirm\n", "- on_entry: confirm\n- on_error: -> broken\n")
        one = order(loads(text.replace("error.effect.Mail", "never")), Mail=ValueError("no paper"))

        one.send("pay")

        assert active(one.machine) == "broken"

    def test_guards_read_it(self, order):
        """A guard can ask which effect failed, in which action and why."""
        guard = "event.effect == 'Mail' and event.action == 'confirm' and event.error == 'no paper'"
        text = DOCUMENT.replace("## state broken", f"- on error [{guard}] -> broken\n## state broken")
        one = order(loads(text.replace("error.effect.Mail", "never")), Mail=ValueError("no paper"))

        one.send("pay")

        assert active(one.machine) == "broken"

    def test_the_next_action_runs(self, order):
        """A failure ends no list of actions, and the effects that follow run."""
        one = order(Mail=ValueError("no paper"))

        one.send("pay")

        assert [kind for kind, _ in one.post.heard] == ["Log", "Mail", "Log", "Mail"]

    def test_forgotten_with_the_next_event(self, order):
        """What failed is told until the next event comes."""
        text = DOCUMENT.replace("error.effect.Mail", "never")
        one = order(loads(text), Mail=ValueError("no paper"))
        one.send("pay")
        assert len(one.machine.effect_errors) == 2

        one.send("back")

        assert one.machine.effect_errors == ()

    def test_takes_too_long(self):
        """An effect that takes longer than it may has failed."""

        async def slow(effect):
            await asyncio.sleep(5)

        async def main():
            kind = loads(DOCUMENT)
            one = kind(actions={"count": count, "Mail": slow, "Log": lambda effect: None}, effect_timeout=0.01)
            await one.pay()
            return one.effect_errors

        assert {found["error"] for found in asyncio.run(main())} == {"it took longer than 0.01s"}

    def test_its_own_timeout(self):
        """A handler that gives up by itself is not told to have taken too long."""

        async def slow(effect):
            raise TimeoutError("the post office is closed")

        async def main():
            one = loads(DOCUMENT)(actions={"count": count, "Mail": slow, "Log": print}, effect_timeout=5)
            await one.pay()
            return one.effect_errors

        assert asyncio.run(main())[0]["error"] == "the post office is closed"

    def test_an_awaitable_on_a_synchronous_machine(self):
        """A handler that hides a coroutine is told to show it; that is an error of the action."""

        async def hidden():
            raise AssertionError

        one = loads(DOCUMENT)(actions={"count": count, "Mail": print, "Log": lambda effect: hidden()})

        with pytest.raises(TypeError, match="an effect of action 'leave' returned an awaitable"):
            one.pay()

    def test_round_and_round(self, order):
        """A failure whose row fails again for ever is stopped."""
        text = DOCUMENT.replace(
            "| paid   | error.effect.Mail     | broken |             |", "| paid | error | | confirm |"
        )
        one = order(loads(text), Mail=ValueError("no paper"))

        with pytest.raises(RuntimeError, match="took 1000 rows by itself"):
            one.send("pay")


class TestHandlers:
    @pytest.mark.parametrize("name", ["SendMail", "effect_SendMail", "effect_send_mail"])
    def test_names(self, name):
        """The handler of an effect is called like its type, or `effect_` and that, in either spelling."""
        heard = []
        actions = {"count": count, "Log": print, name: lambda effect: heard.append(effect.type)}

        loads(DOCUMENT.replace("<Mail>", "<SendMail>"))(actions=actions).pay()

        assert heard == ["SendMail"] * 2

    def test_methods(self):
        """Methods of a subclass are handlers; the constructor's come first."""

        class Mine(loads(DOCUMENT)):
            def count(self): ...

            def Log(self, effect):
                self.context["note"] = "method"

            def effect_mail(self, effect):
                return {"mail": f"to {effect.payload['event']['to']}"}

        one = Mine()
        one.pay(to="me")
        other = Mine(actions={"Mail": lambda: {"mail": "given"}})
        other.pay(to="me")

        assert one.context == {"n": 0, "mail": "to me", "note": "method"}
        assert other.context["mail"] == "given"

    def test_decorated(self):
        """`Actions` collects handlers of effects beside those of actions."""
        actions = Actions()
        actions.action(count)

        @actions.effect("Mail")
        def send(effect):
            return {"mail": "decorated"}

        @actions.effect
        def Log(effect):
            return {"note": "decorated"}

        one = loads(DOCUMENT, actions=actions)()
        one.pay()

        assert one.context == {"n": 1, "mail": "decorated", "note": "decorated"}
        with pytest.raises(ValueError, match="effect_Mail"):
            actions.effect("Mail")(print)

    def test_by_name(self):
        """A handler may ask for what an action may ask for by name."""
        seen = []

        def mail(effect, *, event_name, state, machine):
            seen.append((effect.type, event_name, state.name, machine.definition.name))

        loads(DOCUMENT)(actions={"count": count, "Log": lambda: None, "Mail": mail}).pay()

        assert seen == [("Mail", "pay", "open", "Order"), ("Mail", "pay", "paid", "Order")]

    def test_an_action_of_the_same_name(self):
        """What is called like an action is its handler; the effect's has the prefix."""
        text = DOCUMENT.replace("confirm", "Mail")
        heard = []
        actions = {"count": count, "Log": lambda: None, "Mail": lambda ctx: heard.append("action")}

        loads(text)(actions={**actions, "tell": lambda: None}).pay()
        assert heard == ["action"]
        loads(text)(actions={**actions, "effect_mail": lambda effect: heard.append(effect.payload["action"])}).pay()

        assert heard == ["action", "tell", "action", "Mail"]

    def test_missing_ones_are_named_together(self):
        """Actions and effects without handlers are told at once, with what is near."""
        with pytest.raises(MissingActionError) as caught:
            loads(DOCUMENT)(actions={"cuont": print, "Mial": print, "effect_log": print})

        error = caught.value
        assert error.missing == ("confirm", "count", "tell")
        assert error.effects == {"tell": ("Mail",), "confirm": ("Mail",)}
        assert error.nearest == {"count": "cuont", "Mail": "Mial"}
        assert str(error).startswith(
            "machine 'Order' has no handler for 'confirm' or its effect 'Mail' (is 'Mial' meant to be it?), "
            "'count' (is 'cuont' meant to be it?), 'tell' or its effect 'Mail' "
        )
        assert str(error).endswith("the handler of an effect is called 'Mail' there.")
        assert pickle.loads(pickle.dumps(error)).effects == error.effects

    def test_what_cannot_be_called(self):
        """A value in the place of a handler is refused."""
        with pytest.raises(TypeError, match="handler of effect 'Mail' cannot be called: it is 5"):
            loads(DOCUMENT)(actions={"count": count, "Log": print, "Mail": 5})

    def test_a_plain_handler_does_the_work(self):
        """An action that has a handler needs none for its effects; those that there are run after it."""
        ran = []
        actions = {name: partial(ran.append, name) for name in ("leave", "count", "tell", "confirm")}

        loads(DOCUMENT)(actions={**actions, "Log": lambda effect: ran.append(f"Log {effect.payload['action']}")}).pay()

        assert ran == ["leave", "Log leave", "count", "tell", "Log tell", "confirm"]

    @pytest.mark.parametrize("given", [{"to": "you"}, Effect("Mail", {"to": "you"})], ids=["mapping", "effect"])
    def test_a_plain_handler_gives_the_payload(self, given):
        """A pair of what changes and a payload: the effects get that payload."""
        heard = []
        actions = {
            "count": count,
            "Mail": heard.append,
            "Log": heard.append,
            "tell": lambda ctx: ({"note": "x"}, given),
        }

        one = loads(DOCUMENT)(actions=actions)
        one.pay()

        assert [(effect.type, effect.payload) for effect in heard[1:3]] == [
            ("Mail", {"to": "you"}),
            ("Log", {"to": "you"}),
        ]
        assert one.context["note"] == "x"
        assert heard[1].payload is not given

    def test_a_plain_handler_that_fails(self):
        """When the plain handler raises, its effects do not run."""
        heard = []

        def tell():
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            loads(DOCUMENT)(actions={"count": count, "tell": tell, "Mail": heard.append, "Log": heard.append}).pay()

        assert [effect.payload["action"] for effect in heard] == ["leave", "confirm"]

    def test_pairs_are_for_effects(self, caplog):
        """A pair from an action without effects is no result."""
        one = loads(DOCUMENT)(actions={"count": lambda: ({"n": 5}, {}), "Mail": print, "Log": print})
        one.pay()

        assert one.context["n"] == 0
        assert "action 'count' of machine 'Order' returned tuple, which is no mapping" in caplog.text


class TestTypes:
    def test_of_the_output(self, order, caplog):
        """What an effect gives is compared with what the document declares, and logged once."""
        one = order(Mail={"mail": 5})

        one.send("pay")

        assert caplog.text.count("the output of the effect 'Mail': 'mail' is declared string and is int 5") == 1
        assert one.machine.context["mail"] == 5

    def test_strict(self, order):
        """With `typing="strict"` it is a failure of the effect."""
        one = order(typing="strict", Mail={"mail": 5})

        one.send("pay")

        assert active(one.machine) == "broken"
        assert one.machine.context["mail"] is None

    def test_off(self, order, caplog):
        """With `typing="off"` nobody looks."""
        order(typing="off", Mail={"mail": 5}).send("pay")

        assert "declared" not in caplog.text

    def test_of_the_input(self):
        """A payload that an action gives is compared, too."""
        actions = {"count": count, "Mail": print, "Log": print, "tell": lambda: ({}, {"to": 7})}
        one = loads(DOCUMENT, typing="strict")(actions=actions)
        one.pay()

        (found,) = one.effect_errors
        assert "the input of the effect 'Mail': 'to' is declared string and is int 7" in found["error"]

    def test_a_field_of_another_type(self):
        """With `typing="strict"` data that does not fit the context is an error of the action, like its own."""
        text = DOCUMENT.replace("error.effect.Mail", "error.action.leave").replace("<Mail> + Effect<Log>", "<Mail>")
        one = loads(text, typing="strict")(actions={"count": count, "Mail": lambda: None, "Log": lambda: {"n": "x"}})
        one.pay()

        assert active(one) == "broken"
        assert one.context["n"] == 1


class TestElsewhere:
    def test_a_failed_step_is_put_back(self):
        """What effects merged is put back with a step that fails; what they did stays done."""
        sent = []

        class Shop(Orchestrator):
            order: loads(DOCUMENT) = machine()

        def log(effect):
            sent.append(effect.payload["action"])
            return {"note": "kept"}

        def broken():
            raise ValueError("no")

        shop = Shop(order=loads(DOCUMENT)(actions={"count": broken, "Log": log, "Mail": lambda: None}))
        with pytest.raises(ValueError, match="no"):
            shop.order.pay()

        assert shop.order.context["note"] is None
        assert shop.order.effect_errors == ()
        assert sent == ["leave"]
        assert active(shop.order) == "open"

    def test_the_orchestrator_is_injected(self):
        """A handler that names `orc` gets the orchestrator."""
        seen = []

        class Shop(Orchestrator):
            order: loads(DOCUMENT) = machine()

        actions = {"count": count, "Log": lambda: None, "Mail": lambda effect, orc: seen.append(orc)}
        shop = Shop(order=loads(DOCUMENT)(actions=actions))
        shop.order.pay()

        assert seen == [shop, shop]

    def test_one_asynchronous_effect_makes_the_system_asynchronous(self):
        """Whether a member awaits its effects is known when the system is made."""

        async def mail(effect):
            return {"mail": "later"}

        kind = loads(DOCUMENT, actions={"count": count, "Log": lambda: None, "Mail": mail})

        class Shop(Orchestrator):
            order: kind = machine(factory=kind)

        async def main():
            async with Shop() as shop:
                await shop.order.pay()
                return shop.order.context["mail"]

        assert asyncio.run(main()) == "later"

    def test_a_copy(self):
        """Copies have the same handlers of effects, and pickled ones those of their class."""
        kind = loads(DOCUMENT, actions={"count": count, "Log": _log, "Mail": _mail})
        one = kind(effect_timeout=5)

        for twin in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            twin.pay()
            assert twin.context == {"n": 1, "mail": "sent", "note": "kept"}
            assert twin._effect_timeout == 5

    def test_invoked_machines(self):
        """A machine that is invoked has its effects, alone and in an orchestrator; its failure stays its own."""
        text = """
# machine Trip

## state start [initial]
- on go -> booking
## state booking
- invoke: Order returns: { mail: mail }
- on_done: booked
## state done

## context
| Field | Type   |
|-------|--------|
| mail  | string |

## transitions
| Source  | Event  | Target |
|---------|--------|--------|
| booking | booked | done   |

---
""" + DOCUMENT.replace("## state broken", "## state broken [final]")
        failing = {"count": count, "Log": lambda: None, "Mail": lambda: EffectResult("failure", error="no paper")}
        system = loads_orchestrator(text, actions=failing)()
        system.trip.go()
        system.order["trip.booking"].pay()
        alone = loads(text)(actions={**failing, "Mail": lambda: {"mail": "sent"}})
        alone.go()
        alone.children["booking"].pay()

        assert str(system.configuration) == "trip=done"
        assert active(alone.children["booking"]) == "paid"
        assert alone.children["booking"].context["mail"] == "sent"


def _log():
    return {"note": "kept"}


def _mail(effect):
    return {"mail": "sent"}


def test_a_failure_on_the_way_to_the_end(caplog):
    """When the machine has ended, a failure that nobody took is logged all the same."""
    text = DOCUMENT.replace("## state paid\n", "## state paid [final]\n").replace(
        "| paid   | error.effect.Mail     | broken |             |\n| paid   | back                  | open   |             |\n",
        "",
    )

    with caplog.at_level(logging.WARNING):
        loads(text)(actions={"count": count, "Log": print, "Mail": lambda: EffectResult("failure", error="no")}).pay()

    assert caplog.text.count("effect 'Mail' of machine 'Order' failed: no") == 2
