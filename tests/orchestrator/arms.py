"""Arms that are lifted together: what the tests of joint events share."""

from __future__ import annotations

from statemachine import State, StateMachine

from statemachines_orchestrator import Orchestrator, data, machine, together, when


class Arm(StateMachine):
    """Goes up and down, and does what it is told on its way."""

    down = State(initial=True)
    up = State()
    lift = down.to(up)
    drop = up.to(down)
    wave = up.to.itself() | down.to.itself()
    act = None

    def on_lift(self, *words, orc, **more):
        orc.log.append(f"lift{words}")
        return self.act(orc) if self.act is not None else "lifted"

    def on_wave(self, act=None, *, orc):
        orc.log.append("wave")
        return act(orc) if act is not None else None


class Checked(StateMachine):
    """Asks before it moves."""

    down = State(initial=True)
    up = State(final=True)
    lift = down.to(up, validators="check", cond="may")
    answer = None
    allowed = True

    def check(self, orc):
        orc.log.append("asked")
        if self.answer is not None:
            raise self.answer

    def may(self, orc):
        return self.allowed


class Pair(Orchestrator):
    left: Arm = machine()
    right: Arm = machine()
    log: list = data(default_factory=list)

    both = together(left.lift, right.lift)


class Trio(Pair):
    other: Arm = machine(factory=Arm)

    noted = when(Pair.both).call(lambda orc, occurrence: orc.log.append(f"both {occurrence.args}"))


def own(result):
    """What a machine's own callback has returned; its twin of the asynchronous world has one more."""
    if isinstance(result, dict):
        return {name: own(one) for name, one in result.items()}
    return result[-1] if isinstance(result, list) else result


async def made(world, kind, clock=None, **members):
    """An orchestrator, its members twins for the world."""
    given = {
        one.name: world.machine(one.classes[0])() for one in kind.__declaration__.members if one.name not in members
    }
    shop = kind(**given, **members, **({"clock": clock} if clock else {}))
    await world.call(shop.activate())
    return shop
