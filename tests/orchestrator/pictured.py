"""Machines and orchestrators that the tests of pictures draw."""

from __future__ import annotations

from statemachine import Event, HistoryState, State, StateChart, StateMachine

from statemachines_orchestrator import (
    In,
    Members,
    Orchestrator,
    done,
    each,
    guard,
    machine,
    machines,
    some,
    together,
    when,
)


class Order(StateMachine):
    pending = State("Waiting", initial=True)
    processing = State()
    shipped = State(final=True)
    cancelled = State(final=True)
    process = pending.to(processing)
    ship = processing.to(shipped)
    cancel = pending.to(cancelled) | processing.to(cancelled)


class Payment(StateMachine):
    unpaid = State(initial=True)
    authorized = State()
    captured = State(final=True)
    voided = State(final=True)
    authorize = unpaid.to(authorized)
    capture = authorized.to(captured)
    void = unpaid.to(voided) | authorized.to(voided)


class Shop(Orchestrator):
    order: Order = machine(factory=Order)
    payment: Payment = machine(factory=Payment)

    charge = when(order.processing).send(payment.authorize)
    paid_first = guard(order.ship, In(payment.captured))
    abort = together(order.cancel, payment.void)


class Player(StateChart):
    off = State(initial=True)

    class playing(State.Compound):
        intro = State(initial=True)

        class song(State.Compound):
            verse = State(initial=True, invoke=lambda: None)
            chorus = State()
            turn = verse.to(chorus) | chorus.to(verse)

        begin = intro.to(song)
        last = HistoryState(type="deep")

    broken = State(final=True)
    start = off.to(playing)
    resume = off.to(playing.last)
    restart = playing.to(playing.intro, internal=True)
    again = playing.to.itself()
    note = playing.to(None)
    stop = playing.to(off)
    smash = playing.to(broken) | off.to(broken, cond="is_weak")
    is_weak = True


class Desk(StateChart):
    class opened(State.Parallel):
        class lamp(State.Compound):
            dark = State(initial=True)
            bright = State()
            switch = dark.to(bright) | bright.to(dark)

        class drawer(State.Compound):
            inside = State(initial=True)
            outside = State()
            pull = inside.to(outside)

    shut = State()
    lock = opened.to(shut)
    unlock = shut.to(opened)


class Material(StateMachine):
    wanted = State(initial=True)
    ordered = State()
    here = State(final=True)
    order = wanted.to(ordered)
    arrive = ordered.to(here)


def tell(orc):
    return None


def is_open(orc):
    return True


class Store(Orchestrator):
    materials: Members[Material] = machines(Material)
    desk: Desk = machine(factory=Desk)

    light = when(desk.dark).after(5).send(desk.switch, refused="ignore")


class Plant(Orchestrator):
    order: Order = machine(factory=Order)
    player: Player = machine(factory=Player)
    store: Store = machine(factory=Store)

    party = when(done(order)).given(In(player.off)).after(3).given(is_open).send(player.start, refused="hold")
    quiet = when(order.cancelled, player.playing).call(tell)
    applause = when(order.cancel).send(player.note)
    arrival = when(each(store.materials).here).send(player.start, refused="ignore")
    again = when(some(each(store.materials).here)).call(tell)
    working_hours = guard(order.ship, is_open)
    closing = together(order.cancel, player.stop, store.desk.lock)
    closed_early = guard(closing, In(store.desk.opened))
    closed = when(closing).call(tell)
    close = when(player.broken).send(closing)


AWKWARD = (
    'say "hi"',
    "a: b; c",
    "two\nlines",
    "Ünïcödé 中",
    "<b>bold</b><script>x</script>",
    "direction TB",
    "see direction  LR here",
    "*star* _under_ __x__ `code` ~~gone~~",
    "1. first",
    "- item",
    "# head",
    "a --> b",
    "<<fork>>",
    "[[choice]]",
    "[*]",
    "{curly}",
    "}",
    "back\\slash \\N",
    "50% %% comment",
    "&amp; #35;",
    "style a:#fff;",
    "::::",
    "end note",
    "ctrl\x01\x7f",
    "half \ud800",
    "   ",
    "|pipe|",
)


def awkward_machine():
    """A machine whose states have texts that mean something to Mermaid, DOT or Markdown."""
    body = {"first": State("First", initial=True)}
    previous = body["first"]
    for number, name in enumerate(AWKWARD):
        body[f"s{number}"] = state = State(name)
        body[f"e{number}"] = Event(previous.to(state), id=f"e{number}")
        previous = state
    for name in ("end", "state", "note", "click", "default", "style", "constructor", "A", "a"):
        body[name] = state = State()
        body[f"to_{name}"] = previous.to(state, cond="limit < 1 and name == 'x'")
        previous = state
    body["back"] = previous.to(body["first"])
    body["limit"] = 0
    return type("Awkward", (StateChart,), body)


Awkward = awkward_machine()


class Awkwards(Orchestrator):
    end: Awkward = machine(factory=Awkward)
    note: Awkward = machine(factory=Awkward)
