"""Effects of machines."""

import asyncio

import pytest

from orca_bridge.runtime import Effect, EffectResult

TEXT = """\
# machine Post
## context
| Field | Type | Default |
|-------|------|---------|
| n     | int  | 1       |
| list  | list | []      |
## events
- go
- stop
## state a [initial]
- on_exit: leave
## state b
- on_entry: arrive
## state failed [final]
## transitions
| Source | Event | Target | Action |
|--------|-------|--------|--------|
| a | go | b | send |
| b | stop | a | plain |
## actions
| Name | Signature |
|------|-----------|
| leave | `(ctx) -> Context + Effect<Out>` |
| send | `(ctx, event) -> Context + Effect<Mail> + Effect<Log>` |
| arrive | `(ctx) -> Context + Effect<In>` |
| plain | `(ctx) -> Context` |
"""


def post(make, told, order, **keywords):
    machine = make(TEXT, **keywords)
    for effect in ("Out", "Mail", "Log", "In"):
        told.bus.register_effect_handler(effect, lambda effect: order.append(effect.type))
    return machine


class TestEffects:
    def test_everywhere(self, run, make, told):
        """Effects run on exits, transitions and entries, several of one action in order."""
        order = []
        machine = post(make, told, order)
        run(machine.start())
        run(machine.send("go"))

        assert order == ["Out", "Mail", "Log", "In"]
        assert told.payloads("EFFECT_EXECUTING") == [{"effect": name} for name in order]
        assert told.payloads("EFFECT_COMPLETED")[0] == {"effect": "Out", "result": None}

    def test_payload(self, run, make, told):
        """The handler gets the action, a copy of the context, and the payload of the event."""
        found = []
        machine = post(make, told, [])
        told.bus.register_effect_handler("Mail", lambda effect: found.append(effect))
        run(machine.start())
        run(machine.send("go", {"to": "me"}))
        found[0].payload["context"]["list"].append("changed")

        assert found == [
            Effect("Mail", {"action": "send", "context": {"n": 1, "list": ["changed"]}, "event": {"to": "me"}})
        ]
        assert machine.context["list"] == []

    def test_result(self, run, make, told):
        """Data of a success is merged before the next action, and told."""
        found = []
        machine = post(make, told, [], actions={})
        told.bus.register_effect_handler("Mail", lambda effect: EffectResult("success", {"n": 5}))
        told.bus.register_effect_handler("Log", lambda effect: found.append(effect.payload["context"]["n"]))
        run(machine.start())
        run(machine.send("go"))

        assert (machine.context["n"], found) == (5, [5])
        assert {"effect": "Mail", "result": {"n": 5}} in told.payloads("EFFECT_COMPLETED")

    @pytest.mark.parametrize("how", ["status", "raises", "missing"])
    def test_failure(self, run, make, told, how, caplog):
        """A failure is told, stands in the result, and raises nothing."""
        machine = make(TEXT)

        def fails(effect):
            if how == "raises":
                raise ValueError("no post")
            return EffectResult("failure", error="no post")

        for effect in ("Out", "Log", "In"):
            told.bus.register_effect_handler(effect, lambda effect: None)
        if how != "missing":
            told.bus.register_effect_handler("Mail", fails)
        run(machine.start())
        result = run(machine.send("go"))
        error = "No handler registered for effect type: Mail" if how == "missing" else "no post"

        assert result.taken
        assert result.effect_errors == ({"effect": "Mail", "action": "send", "error": error},)
        assert told.payloads("EFFECT_FAILED") == [{"effect": "Mail", "error": error}]
        assert error in caplog.text

    def test_too_slow(self, run, make, told, caplog):
        """An effect that takes longer than it may has failed."""
        machine = post(make, told, [], effect_timeout=0.001)
        told.bus.register_effect_handler("Mail", lambda effect: asyncio.sleep(30))
        run(machine.start())

        assert run(machine.send("go")).effect_errors[0]["error"] == "it took longer than 0.001s"

    def test_failure_of_state(self, run, make, told, caplog):
        """A failure is taken by the state's `on_error` too, and then nobody is warned."""
        machine = make(TEXT.replace("## state b\n", "## state b\n- on_error: failed\n"))
        for effect in ("Out", "Log", "In"):
            told.bus.register_effect_handler(effect, lambda effect: None)
        run(machine.start())
        result = run(machine.send("go"))

        assert result.to_state == "failed"
        assert "'Mail' of machine 'Post' failed" not in caplog.text

    @pytest.mark.parametrize("event", ["error.effect.Mail", "error.effect", "error"])
    def test_failure_taken(self, run, make, told, event, caplog):
        """A failure is an event that a row may take, by its full name or a beginning of it."""
        text = TEXT.replace("| b | stop |", f"| b | {event} | failed | |\n| b | stop |")
        machine = make(text)
        for effect in ("Out", "Log", "In"):
            told.bus.register_effect_handler(effect, lambda effect: None)
        run(machine.start())
        result = run(machine.send("go"))

        assert (result.to_state, machine.is_final) == ("failed", True)
        assert "'Mail' of machine 'Post' failed" not in caplog.text

    def test_plain_handler(self, run, make, told, caplog):
        """With a plain handler an effect without a handler of its own is no failure."""
        machine = make(TEXT, actions=dict.fromkeys(("leave", "send", "arrive"), lambda ctx: {"n": ctx["n"] + 1}))
        run(machine.start())
        result = run(machine.send("go"))

        assert (result.effect_errors, machine.context["n"]) == ((), 4)

    def test_both(self, run, make, told):
        """A plain handler runs first, and may give the payload of the effect."""
        found = []
        machine = post(make, told, [], actions={"send": lambda ctx: ({"n": 2}, Effect("Mail", {"to": "you"}))})
        told.bus.register_effect_handler("Mail", lambda effect: found.append((effect.payload, machine.context["n"])))
        run(machine.start())
        run(machine.send("go"))

        assert found == [({"to": "you"}, 2)]
