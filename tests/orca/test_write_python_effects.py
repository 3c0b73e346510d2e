"""Effects in written modules: they run as in loaded classes, and type checkers know their handlers."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from statemachine.exceptions import TransitionNotAllowed
from written import document_of

from orca_bridge import EffectResult, MissingActionError, loads
from orca_bridge.write import action_stubs, python_source

TEXT = """# machine Relay
## context
| Field | Type   | Default |
|-------|--------|---------|
| n     | int    | 0       |
| last  | string |         |
## events
- go
- stop
- back
## state idle [initial]
- on_exit: leave
## state busy
- on_entry: enter
- on_error: lost
### state one [initial]
### state two
- on_exit: leave
## state lost
## transitions
| Source | Event            | Guard            | Target | Action      |
|--------|------------------|------------------|--------|-------------|
| idle   | go               |                  | busy   | tell        |
| one    | go               | ctx.n < 9        | two    | count, tell |
| one    | error.effect.Log |                  | two    |             |
| two    | go               |                  | one    | tell, count |
| busy   | stop             |                  | idle   | tell        |
| lost   | back             | ctx.last != null | idle   |             |
| lost   | *                |                  | idle   | count       |
## actions
| Name  | Signature                                         |
|-------|---------------------------------------------------|
| leave | `(ctx) -> Context + Effect<Log>`                  |
| enter | `(ctx) -> Context + Effect<A.Mail> + Effect<Log>` |
| tell  | `(ctx, event) -> Context + Effect<A.Mail>`        |
| count | `(ctx) -> Context`                                |
## effects
| Name   | Input            | Output             | Description       |
|--------|------------------|--------------------|-------------------|
| A.Mail | `{ to: string }` | `{ last: string }` | Sends a letter.   |
| Log    | a line           |                    |                   |

---

# machine Whole
## state off [initial]
## state on
- invoke: Relay input: { n: event.n }
## transitions
| Source | Event | Target |
|--------|-------|--------|
| off    | begin | on     |
| on     | end   | off    |
"""


class Chance:
    """Handlers that succeed and fail by chance, and write down what they were asked."""

    def __init__(self, seed):
        self.draw = random.Random(seed)  # noqa: S311 - reproducible
        self.heard = []

    def count(self, ctx):
        ctx["n"] += 1

    def effect_log(self, effect):
        return self._answer(effect)

    def effect_a_mail(self, effect):
        return self._answer(effect)

    def _answer(self, effect):
        self.heard.append((effect.type, effect.payload))
        return self.draw.choice(
            [None, {"last": f"{effect.type} {len(self.heard)}"}, {"last": 7}, EffectResult("failure")]
        )


def module_of(text):
    space = {"__name__": "written"}
    exec(python_source(document_of(text).machines), space)
    return space


@pytest.mark.parametrize("seed", range(20))
def test_alike(seed):
    """A written class runs the effects of the loaded one, with the same results, failures and states."""
    walks = []
    for kind in (loads(TEXT), module_of(TEXT)["Relay"]):
        chance, draw = Chance(seed), random.Random(seed)  # noqa: S311 - reproducible
        one, seen = kind(actions=chance), []
        for _ in range(60):
            with suppress(TransitionNotAllowed):
                one.send(draw.choice(["go", "stop", "back", "other"]), to=draw.choice(["me", 5]))
            seen.append((list(one.configuration_values), dict(one.context), one.effect_errors))
        walks.append((seen, chance.heard))

    assert walks[0] == walks[1]
    states = {state for seen, *_ in walks[0][0] for state in seen}
    assert states == {"idle", "busy", "busy.one", "busy.two", "lost"}


def test_invoked():
    """Machines that a written one invokes have effects, too."""
    seen = []
    for kind in (loads(TEXT, machine="Whole"), module_of(TEXT)["Whole"]):
        chance = Chance(3)
        one = kind(actions=chance)
        one.begin(n=4)
        child = one.children["on"]
        child.go(to="me")
        seen.append((list(child.configuration_values), dict(child.context), chance.heard))

    assert seen[0] == seen[1]
    assert len(seen[0][2]) > 2


def test_missing():
    """A written class misses what the loaded one misses."""
    told = []
    for kind in (loads(TEXT), module_of(TEXT)["Relay"]):
        with pytest.raises(MissingActionError) as caught:
            kind(actions={"effect_log": print})
        told.append((caught.value.missing, caught.value.effects))

    assert told[0] == told[1] == (("enter", "tell", "count"), {"enter": ("A.Mail",), "tell": ("A.Mail",)})


USE = """\
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from module import Relay, RelayContext
from orca_bridge import Effect


class Post:
    def count(self, ctx: RelayContext, event: Mapping[str, Any] | None, /) -> RelayContext | None:
        return {"n": ctx["n"] + 1}

    def effect_log(self, effect: Effect, /) -> None:
        print(effect.payload)

    def effect_a_mail(self, effect: Effect, /) -> Mapping[str, Any]:
        return {"last": effect.type}


relay = Relay(actions=Post())
"""


@pytest.mark.conformance
@pytest.mark.timeout(300)
def test_typed(tmp_path):
    """A type checker knows the handlers of effects, and misses those that are not there."""
    (tmp_path / "module.py").write_text(python_source(document_of(TEXT).machines))
    (tmp_path / "use.py").write_text(USE)
    (tmp_path / "wrong.py").write_text(USE.replace("effect_log", "effect_lag"))
    environment = {**os.environ, "MYPYPATH": str(Path(__file__).parents[2])}

    def check(*names):
        line = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *names]
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False).stdout

    assert "Success" in check("module.py", "use.py")
    assert "effect_log" in check("wrong.py")


def test_effects_of_one_spelling():
    """Of two effects whose handlers would be called alike, one is declared; the other needs a mapping."""
    text = python_source(document_of(TEXT.replace("Effect<Log>", "Effect<a_mail>")).machines)

    assert text.count("def effect_a_mail(") == 1


def test_stubs():
    """Stubs are written for the effects as well."""
    text = action_stubs(document_of(TEXT).machines[:1])

    assert (
        '@relay_actions.effect("A.Mail")\ndef effect_a_mail(effect: Effect) -> EffectResult | Mapping[str, Any] | None:'
        in text
    )
    assert '    """Sends a letter. Input: { to: string }. Output: { last: string }."""' in text
