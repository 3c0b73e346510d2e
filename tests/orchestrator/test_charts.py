"""A machine class as one immutable description."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

import pytest
from statemachine import Event, HistoryState, State, StateChart, StateMachine

import orca_bridge
from statemachines_orchestrator.charts import Edge, Node, read_chart


class Order(StateMachine):
    pending = State("Waiting", initial=True)
    shipped = State(final=True)
    ship = pending.to(shipped, cond="is_paid", unless="is_held", validators="check")
    note = pending.to.itself(internal=True) | pending.to(None)

    def is_paid(self):
        return True

    def is_held(self):
        return False

    def check(self):
        return None


class Player(StateChart):
    off = State(initial=True)

    class playing(State.Compound):
        intro = State(initial=True)

        class song(State.Compound):
            verse = State(initial=True)
            chorus = State()
            turn = verse.to(chorus) | chorus.to(verse)

        begin = intro.to(song)
        recent = HistoryState()
        last = HistoryState(type="deep")
        _ = recent.to(intro)

    broken = State(final=True)
    start = off.to(playing)
    resume = off.to(playing.last)
    again = off.to(playing.recent)
    chorus_now = off.to(playing.song.chorus)
    restart = playing.to(playing.intro, internal=True)
    stop = playing.to(off)
    smash = playing.to(broken) | off.to(broken)


class Desk(StateChart):
    class opened(State.Parallel):
        class lamp(State.Compound):
            dark = State(initial=True)
            bright = State()
            switch = dark.to(bright) | bright.to(dark)

        class drawers(State.Parallel):
            class upper(State.Compound):
                upper_in = State(initial=True)
                upper_out = State()
                pull_upper = upper_in.to(upper_out)

            class lower(State.Compound):
                lower_in = State(initial=True)
                lower_out = State()
                pull_lower = lower_in.to(lower_out)

    shut = State()
    lock = opened.to(shut)
    unlock = shut.to(opened)
    rummage = shut.to(opened.drawers.lower.lower_out)
    slam = opened.lamp.bright.to(opened.drawers.upper.upper_out)


class Sensor(StateChart):
    idle = State(initial=True)
    warm = State()
    hot = State()
    idle.to(warm, cond="reading > 20")
    warm.to(hot, cond=lambda: True)
    cool = Event(warm.to(idle) | hot.to(idle), id="temperature.cool")
    order = idle.to(hot)
    anything = Event(hot.to.itself(), id="*")
    reading = 0


class TestNodes:
    def test_flat(self) -> None:
        """A flat machine has one node per state, with text and value."""
        assert read_chart(Order).nodes == (
            Node("pending", "Waiting", "pending", None, "atomic", initial=True, has_invoke=False),
            Node("shipped", "Shipped", "shipped", None, "final", initial=False, has_invoke=False),
        )

    def test_nested(self) -> None:
        """All levels stand in document order, each with what it is and where it lies; history states are nodes."""
        nodes = read_chart(Player).nodes

        assert [(node.id, node.kind, node.parent, node.initial) for node in nodes] == [
            ("off", "atomic", None, True),
            ("playing", "compound", None, False),
            ("intro", "atomic", "playing", True),
            ("song", "compound", "playing", False),
            ("verse", "atomic", "song", True),
            ("chorus", "atomic", "song", False),
            ("recent", "history", "playing", False),
            ("last", "deep history", "playing", False),
            ("broken", "final", None, False),
        ]

    def test_history_is_no_state(self) -> None:
        """History states are not among the states that can be active."""
        assert read_chart(Player).states == ("off", "playing", "intro", "song", "verse", "chorus", "broken")

    def test_parallel(self) -> None:
        """Every region of a parallel state is initial."""
        chart = read_chart(Desk)
        kinds = {node.id: (node.kind, node.initial) for node in chart.nodes if chart.children(node.id)}

        assert kinds == {
            "opened": ("parallel", True),
            "lamp": ("compound", True),
            "drawers": ("parallel", True),
            "upper": ("compound", True),
            "lower": ("compound", True),
        }

    def test_invoke(self) -> None:
        """A state has an invocation if it names one, or if the class has the method of that name."""

        class Invoking(StateChart):
            a = State(initial=True, invoke=lambda: None)
            b = State()
            c = State()
            go = a.to(b) | b.to(c) | c.to(a)

            def on_invoke_b(self):
                return None

        assert [node.has_invoke for node in read_chart(Invoking).nodes] == [True, True, False]

    def test_explicit_beginning(self) -> None:
        """Where a compound state has an initial transition of its own, that one counts."""

        class Begun(StateChart):
            class outer(State.Compound):
                first = State()
                second = State()
                go = second.to(first) | first.to(second)

            outer.to(outer.second, initial=True)

        chart = read_chart(Begun)

        assert [node.id for node in chart.nodes if node.initial] == ["outer", "second"]
        assert chart.initial_states == {"outer", "second"} == {state.id for state in Begun().configuration}

    def test_abstract(self) -> None:
        """A class without states has an empty description."""

        class Base(StateChart):
            pass

        chart = read_chart(Base)

        assert (chart.nodes, chart.edges, chart.states, chart.events) == ((), (), (), ())
        assert chart.initial_states == frozenset()
        assert dict(chart.state_ids) == dict(chart.event_ids) == {}
        assert chart.is_abstract

    def test_once(self) -> None:
        """A class is read once, and its description compares by identity."""
        assert read_chart(Order) is read_chart(Order)
        assert read_chart(Order) != read_chart(Player)
        assert len({read_chart(Order), read_chart(Order)}) == 1
        assert repr(read_chart(Order)) == "<Chart Order: 2 states, 2 events>"


class TestEdges:
    def test_flat(self) -> None:
        """Transitions stand in declared order, with readable conditions; a targetless one has no targets."""
        assert read_chart(Order).edges == (
            Edge("pending", ("shipped",), ("ship",), ("validator check", "is_paid", "!is_held"), internal=False),
            Edge("pending", ("pending",), ("note",), (), internal=True),
            Edge("pending", (), ("note",), (), internal=False),
        )

    def test_no_pseudo_transitions(self) -> None:
        """Where a compound state begins is no transition; where a history begins is one without events."""
        edges = [(edge.source, edge.targets, edge.events) for edge in read_chart(Player).edges]

        assert edges == [
            ("off", ("playing",), ("start",)),
            ("off", ("last",), ("resume",)),
            ("off", ("recent",), ("again",)),
            ("off", ("chorus",), ("chorus_now",)),
            ("off", ("broken",), ("smash",)),
            ("playing", ("intro",), ("restart",)),
            ("playing", ("off",), ("stop",)),
            ("playing", ("broken",), ("smash",)),
            ("intro", ("song",), ("begin",)),
            ("verse", ("chorus",), ("turn",)),
            ("chorus", ("verse",), ("turn",)),
            ("recent", ("intro",), ()),
        ]
        assert not read_chart(Player).has_eventless

    def test_eventless(self) -> None:
        """A transition that waits for no event has no events."""
        chart = read_chart(Sensor)
        eventless = [(edge.source, edge.conditions) for edge in chart.edges if not edge.events]

        assert eventless == [("idle", ("reading > 20",)), ("warm", ("<lambda>",))]
        assert chart.has_eventless


class TestIds:
    def test_event_with_an_id(self) -> None:
        """An event with an id of its own is found by its attribute and by its id."""
        assert dict(read_chart(Sensor).event_ids) == {
            "cool": "temperature.cool",
            "temperature.cool": "temperature.cool",
            "order": "order",
            "anything": "*",
            "*": "*",
        }

    def test_states(self) -> None:
        """States are found by their ids at all levels."""
        assert dict(read_chart(Player).state_ids) == {node.id: node.id for node in read_chart(Player).nodes}

    def test_inherited(self) -> None:
        """Attributes of base classes count, unless the class hides them."""

        class Calmer(Sensor):
            anything = None

        ids = read_chart(Calmer).event_ids

        assert ids["cool"] == "temperature.cool"
        assert "anything" not in ids

    def test_orca(self) -> None:
        """The class of an Orca document is described as any other."""
        document = dedent("""\
            # machine Payment

            ## events
            - name
            - capture

            ## state idle [initial]
            ## state processing
            ### state capturing [initial]
            ### state checking
            ## state done [final]

            ## transitions
            | Source | Event | Guard | Target | Action |
            |--------|-------|-------|--------|--------|
            | idle | name | | processing | |
            | processing.capturing | capture | | processing.checking | |
            | processing | capture | | done | |
            """)
        chart = read_chart(orca_bridge.loads(document))

        values = {node.value: node.id for node in chart.nodes}
        assert list(values) == ["idle", "processing", "processing.capturing", "processing.checking", "done"]
        assert set(chart.state_ids.values()) == set(values.values())
        assert chart.initial_states == {values["idle"]}
        assert chart.is_end(values["done"])
        assert [edge.targets for edge in chart.edges_of("capture")] == [
            (values["done"],),
            (values["processing.checking"],),
        ]


class TestRelations:
    def test_node(self) -> None:
        """A state is found by its id."""
        assert read_chart(Player).node("verse").parent == "song"
        with pytest.raises(KeyError, match="nothing"):
            read_chart(Player).node("nothing")

    def test_ancestors(self) -> None:
        """The states around a state come nearest first."""
        assert read_chart(Player).ancestors("verse") == ("song", "playing")
        assert read_chart(Player).ancestors("off") == ()

    @pytest.mark.parametrize(
        ("machine", "a", "b", "together"),
        [
            (Player, "off", "off", True),
            (Player, "off", "playing", False),
            (Player, "verse", "playing", True),
            (Player, "verse", "chorus", False),
            (Player, "verse", "intro", False),
            (Player, "last", "playing", False),
            (Player, "last", "last", False),
            (Desk, "dark", "lower_out", True),
            (Desk, "dark", "bright", False),
            (Desk, "upper_out", "lower_out", True),
            (Desk, "lamp", "drawers", True),
            (Desk, "dark", "shut", False),
        ],
    )
    def test_together(self, machine: type, a: str, b: str, together: bool) -> None:
        """Two states can be active together in one branch, or in two regions of one parallel state."""
        chart = read_chart(machine)

        assert chart.can_be_active_together(a, b) is together
        assert chart.can_be_active_together(b, a) is together

    def test_end(self) -> None:
        """A machine ends with a final state at the top level."""

        class Nested(StateChart):
            class inner(State.Compound):
                first = State(initial=True)
                last = State(final=True)
                go = first.to(last)

            over = State(final=True)
            finish = inner.to(over)

        chart = read_chart(Nested)

        assert [node.id for node in chart.nodes if chart.is_end(node.id)] == ["over"]

    @pytest.mark.parametrize(
        ("event", "sources"),
        [
            ("cool", ["hot"]),
            ("temperature.cool", ["warm", "hot", "hot"]),
            ("temperature.cool.down", ["warm", "hot", "hot"]),
            ("temperature", ["hot"]),
            ("order.placed", ["idle", "hot"]),
        ],
    )
    def test_edges_of(self, event: str, sources: list[str]) -> None:
        """An event also triggers what is declared for its dotted prefix, and for all events."""
        assert [edge.source for edge in read_chart(Sensor).edges_of(event)] == sources


class TestEntry:
    @pytest.mark.parametrize(
        ("machine", "states"),
        [
            (Order, {"pending"}),
            (Player, {"off"}),
            (Desk, {"opened", "lamp", "dark", "drawers", "upper", "upper_in", "lower", "lower_in"}),
        ],
    )
    def test_start(self, machine: type, states: set[str]) -> None:
        """After the start a machine is in its initial states, at all levels."""
        assert read_chart(machine).initial_states == states == {state.id for state in machine().configuration}

    def test_start_through_history(self) -> None:
        """A state that begins with a history begins with the default of that history."""

        class Remembering(StateChart):
            class outer(State.Compound):
                first = State()
                second = State(initial=True)
                third = State()
                before = HistoryState()
                before.to(third)
                go = second.to(first) | first.to(second) | third.to(first)

            outer.to(outer.before, initial=True)
            away = State()
            leave = outer.to(away) | away.to(outer)

        chart = read_chart(Remembering)

        assert chart.initial_states == {"outer", "third"} == {state.id for state in Remembering().configuration}
        assert [node.id for node in chart.nodes if node.initial] == ["outer", "before"]
        assert entered(chart, "away", "leave") == {"outer"}

    @pytest.mark.parametrize(
        ("machine", "source", "event", "states"),
        [
            (Order, "pending", "ship", {"shipped"}),
            (Order, "pending", "note", set()),
            (Player, "off", "start", {"playing", "intro"}),
            (Player, "off", "resume", set()),
            (Player, "off", "again", set()),
            (Player, "off", "chorus_now", {"playing", "song", "chorus"}),
            (Player, "intro", "begin", {"song", "verse"}),
            (Player, "verse", "turn", {"chorus"}),
            (Player, "playing", "restart", {"intro"}),
            (Desk, "shut", "unlock", {"opened", "lamp", "dark", "drawers", "upper", "upper_in", "lower", "lower_in"}),
            (Desk, "shut", "rummage", {"opened", "lamp", "dark", "drawers", "upper", "upper_in", "lower", "lower_out"}),
            (Desk, "bright", "slam", {"opened", "lamp", "dark", "drawers", "upper", "upper_out", "lower", "lower_in"}),
        ],
    )
    def test_entered_by(self, machine: type, source: str, event: str, states: set[str]) -> None:
        """A transition enters its targets, what they contain by default and what is around them."""
        assert entered(read_chart(machine), source, event) == states

    def test_internal_without_entry(self) -> None:
        """Where the class does not enter the target of an internal transition, nothing is claimed."""

        class Quiet(StateChart):
            enable_self_transition_entries = False

            class outer(State.Compound):
                first = State(initial=True)
                second = State()
                go = first.to(second)

            inward = outer.to(outer.first, internal=True)
            again = outer.to.itself(internal=True)

        chart = read_chart(Quiet)

        assert entered(chart, "outer", "inward") == entered(chart, "outer", "again") == set()

    def test_default_of_a_history(self) -> None:
        """Where a history begins is not entered by anything on its own."""
        chart = read_chart(Player)
        edge = next(edge for edge in chart.edges if edge.source == "recent")

        assert chart.entered_by(edge) == frozenset()

    def test_beside_a_history(self) -> None:
        """Of several targets, one of them a history, the others are sure and their surroundings are not."""

        class Both(StateChart):
            off = State(initial=True)

            class on(State.Parallel):
                class left(State.Compound):
                    left_one = State(initial=True)
                    left_two = State()
                    left_last = HistoryState()
                    move_left = left_one.to(left_two)

                class right(State.Compound):
                    right_one = State(initial=True)
                    right_two = State()
                    move_right = right_one.to(right_two)

            off.to([on.left.left_last, on.right.right_two], event="resume")
            stop = on.to(off)
            start = off.to(on)

        assert entered(read_chart(Both), "off", "resume") == {"right_two"}

    @pytest.mark.parametrize("machine", [Order, Player, Desk])
    def test_as_the_engine_does(self, machine: type) -> None:
        """Whatever events a machine takes, it enters at least the states that are called sure."""
        walked = set()
        for events in walks(machine):
            walked |= walk(machine, events)

        assert walked == {edge for edge in read_chart(machine).edges if edge.events and edge.targets}


class TestFingerprint:
    SOURCE = dedent("""\
        from statemachine import State, StateChart

        class {name}(StateChart):
            class outer(State.Parallel):
                class left(State.Compound):
                    a = State({text}initial=True)
                    b = State()
                    go = a.to(b{extra})
                class right(State.Compound):
                    c = State(initial=True)
                    d = State(final={final})
                    go = c.to(d)

            {body}
        """)

    def fingerprint(self, **parts: str) -> str:
        defaults = {"name": "Machine", "text": "", "extra": "", "final": "True", "body": "pass"}
        return read_chart(self.made(self.SOURCE.format(**defaults | parts), parts.get("name", "Machine"))).fingerprint

    @staticmethod
    def made(source: str, name: str) -> type:
        namespace = {"__name__": f"module_of_{name}"}
        exec(source, namespace)
        return namespace[name]

    @pytest.mark.parametrize(
        "parts",
        [
            {"name": "Other"},
            {"text": "'Shown otherwise', "},
            {"extra": ", on='work'", "body": "def work(self): pass"},
            {"body": "def on_enter_a(self): pass"},
        ],
    )
    def test_equal(self, parts: dict[str, str]) -> None:
        """Names, texts and callbacks do not count, nor where a class is defined."""
        assert self.fingerprint(**parts) == self.fingerprint()

    @pytest.mark.parametrize(
        "parts",
        [
            {"extra": ", cond='ready'", "body": "ready = True"},
            {"extra": ") | b.to(a"},
            {"final": "False"},
            {"body": "more = State()\n    leave = outer.to(more) | more.to(outer)"},
        ],
    )
    def test_different(self, parts: dict[str, str]) -> None:
        """Another state, another transition or another condition is another definition."""
        assert self.fingerprint(**parts) != self.fingerprint()

    def test_text(self) -> None:
        """It is a short text of hexadecimal digits."""
        assert len(self.fingerprint()) == 16
        assert int(self.fingerprint(), 16)

    @pytest.mark.parametrize("seed", ["0", "1"])
    def test_other_processes(self, seed: str) -> None:
        """It is the same in every process."""
        source = self.SOURCE.format(name="Machine", text="", extra="", final="True", body="pass")
        script = f"{source}\nfrom statemachines_orchestrator.charts import read_chart\nprint(read_chart(Machine).fingerprint)"
        run = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )

        assert run.stdout.strip() == self.fingerprint()


def entered(chart, source, event):
    (edge, *others) = [edge for edge in chart.edges_of(event) if edge.source == source]
    return chart.entered_by(edge).union(*(chart.entered_by(other) for other in others))


def walks(machine, length=3):
    """All sequences of declared events up to a length."""
    found = [()]
    for _ in range(length):
        found += [(*walk, event) for walk in found for event in read_chart(machine).events]
        found = list(dict.fromkeys(found))
    return found


class Watcher:
    """Sees which transition is taken, and which states are entered meanwhile."""

    def __init__(self, chart) -> None:
        self.chart = chart
        self.taken: list[Edge] = []
        self.entered: set[str] = set()

    def on_transition(self, transition, event) -> None:
        targets = tuple(state.id for state in transition.targets)
        self.taken += [
            edge
            for edge in self.chart.edges_of(str(event))
            if (edge.source, edge.targets) == (transition.source.id, targets)
        ]

    def on_enter_state(self, state) -> None:
        self.entered.add(state.id)


def walk(machine, events):
    """Send events and return the transitions that were taken, each checked against what it entered."""
    chart = read_chart(machine)
    seen = set()
    watcher = Watcher(chart)
    running = machine(listeners=[watcher])
    for event in events:
        watcher.taken, watcher.entered = [], set()
        if event in {str(one) for one in running.enabled_events()}:
            running.send(event)
        for edge in watcher.taken:
            assert chart.entered_by(edge) <= watcher.entered, (edge, events)
        seen.update(edge for edge in watcher.taken if edge.targets)
    return seen
