"""A single machine on our engine, and what its programs are made of."""

import asyncio
import copy
import gc
import threading
import weakref

import pytest
from statemachine import HistoryState, State, StateChart, StateMachine
from statemachine.engines.sync import SyncEngine
from statemachine.event import BoundEvent
from statemachine.exceptions import TransitionNotAllowed

from statemachines_orchestrator import Members, Orchestrator, accelerate, machine, machines
from statemachines_orchestrator.engine import SyncPlannedEngine, _programs, source_of, statistics_of


class Door(StateMachine):
    """A door that says what it was told."""

    shut = State(initial=True)
    ajar = State()
    open = shut.to(ajar)
    close = ajar.to(shut)

    def on_open(self, by, how="gently"):
        return by, how


class TestAccelerate:
    def test_same_machine(self):
        """The machine itself is returned, and runs on another engine."""
        door = Door()

        assert accelerate(door) is door
        assert type(door._engine) is SyncPlannedEngine

    def test_twice(self):
        """A machine that is fast already is left as it is."""
        door = accelerate(Door())
        engine = door._engine

        assert accelerate(door)._engine is engine

    def test_events(self):
        """Events do what they did, by method, by name and with positional arguments."""
        door = accelerate(Door())

        assert door.open(by="ann") == ("ann", "gently")
        assert door.send("close") is None
        assert door.open("bob", "wildly") == ("bob", "wildly")
        assert door.ajar.is_active

    def test_missing_argument(self):
        """What a callback names and nobody gives is missed as ever, and nothing has moved."""
        door = accelerate(Door())

        with pytest.raises(TypeError, match="missing 1 required positional argument: 'by'"):
            door.open()
        assert door.shut.is_active

    def test_refused(self):
        """An event that is not allowed is refused as ever."""
        with pytest.raises(TransitionNotAllowed, match="Can't Close when in Shut"):
            accelerate(Door()).close()

    def test_events_are_kept(self):
        """Reading an event twice gives the same object; a stock machine of the class makes new ones."""
        door, stock = accelerate(Door()), Door()

        assert door.open is door.open
        assert isinstance(door.open, BoundEvent)
        assert stock.open is not stock.open
        assert type(stock._engine) is SyncEngine

    def test_copies(self):
        """A copy has events of its own."""
        door = accelerate(Door())
        door.open(by="ann")

        other = copy.deepcopy(door)
        other.close()

        assert (door.current_state_value, other.current_state_value) == ("ajar", "shut")

    def test_class(self):
        """A class is refused with what to write."""
        with pytest.raises(TypeError, match=r"not Door: accelerate\(Door\(\)\)"):
            accelerate(Door)  # type: ignore[type-var]

    def test_listener_in_the_middle(self):
        """A listener that a callback adds hears of the rest of the event, as on python-statemachine's engine."""

        class Late:
            def __init__(self):
                self.heard = []

            def on_exit_state(self, state):
                self.heard.append(f"exit {state.id}")

            def on_enter_state(self, state):
                self.heard.append(f"enter {state.id}")

            def after_open(self):
                self.heard.append("after")

        class Hall(StateMachine):
            shut = State(initial=True)
            ajar = State()
            open = shut.to(ajar)
            close = ajar.to(shut)

            def __init__(self):
                self.late = Late()
                super().__init__()

            def before_open(self):
                self.add_listener(self.late)

        for made in (Hall(), accelerate(Hall())):
            made.open()
            made.close()

            assert made.late.heard == ["exit shut", "enter ajar", "after", "exit ajar", "enter shut"]

    def test_other_class(self):
        """A class of something else is refused without advice that would not help."""
        with pytest.raises(TypeError, match=r"StateChart class, not int$"):
            accelerate(int)  # type: ignore[type-var]

    def test_orchestrator(self):
        """Who hands over an orchestrator hears that nothing is left to do."""

        class House(Orchestrator):
            door: Door = machine(factory=Door)

        for given in (House, House()):
            with pytest.raises(TypeError, match="House is an orchestrator: its members are fast already"):
                accelerate(given)  # type: ignore[type-var]

    def test_inside_an_event(self):
        """A machine cannot be accelerated in the middle of its event."""

        class Eager(StateMachine):
            a = State(initial=True)
            b = State(final=True)
            go = a.to(b)

            def on_go(self):
                accelerate(self)

        with pytest.raises(RuntimeError, match="Eager is in the middle of an event"):
            Eager().go()

    def test_other_engine(self):
        """An engine of somebody else's is not thrown away."""

        class Engine(SyncEngine):
            pass

        door = Door()
        door._engine.__class__ = Engine
        with pytest.raises(TypeError, match=r"Door runs on TestAccelerate.test_other_engine.<locals>.Engine"):
            accelerate(door)

    def test_member(self):
        """A member of an orchestrator is fast already."""

        class House(Orchestrator):
            door: Door = machine(factory=Door)

        house = House()

        assert accelerate(house.door) is house.door

    def test_becomes_a_member(self):
        """A machine that was accelerated before can be handed to an orchestrator, and is where it was."""

        class House(Orchestrator):
            door: Door = machine()

        door = accelerate(Door())
        door.open(by="ann")
        house = House(door=door)
        house.door.close()

        assert house.door is door
        assert door.shut.is_active

    def test_holds_no_machine(self):
        """What is known of a class keeps none of its machines, not even one whose guard is a text."""

        class Gate(StateMachine):
            shut = State(initial=True)
            ajar = State()
            open = shut.to(ajar, cond="tall and not wide")
            close = ajar.to(shut)
            tall = True
            wide = False

        gate = accelerate(Gate())
        gate.open()
        watched = weakref.ref(gate)
        del gate
        gc.collect()

        assert watched() is None

    def test_asynchronous(self):
        """An asynchronous machine is awaited as ever."""

        class Bell(StateMachine):
            silent = State(initial=True)
            ringing = State()
            ring = silent.to(ringing) | ringing.to(silent)

            async def on_ring(self, times):
                await asyncio.sleep(0)
                return times

        async def main():
            bell = accelerate(Bell())
            return await bell.ring(times=3), bell.ringing.is_active

        assert asyncio.run(main()) == (3, True)

    def test_threads_lose_nothing(self):
        """Events of many threads all happen, though most find the machine busy."""

        class Counter(StateMachine):
            on = State(initial=True)
            tick = on.to.itself()
            count = 0

            def on_tick(self):
                self.count += 1

        counter = accelerate(Counter())
        threads = [threading.Thread(target=lambda: [counter.tick() for _ in range(300)]) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert counter.count == 1800

    def test_listener_added_later(self):
        """Callbacks that come later are called, and only for this machine."""

        class Listener:
            heard = 0

            def on_enter_ajar(self):
                self.heard += 1

        door, other, listener = accelerate(Door()), accelerate(Door()), Listener()
        door.open(by="ann")
        door.close()
        door.add_listener(listener)
        door.open(by="ann")
        other.open(by="bob")

        assert listener.heard == 1


class TestRoads:
    def test_shared_plans(self):
        """What an event does is found once per class; the second machine finds it known."""

        class Lamp(StateMachine):
            dark = State(initial=True)
            lit = State()
            switch = dark.to(lit) | lit.to(dark)

        for _ in range(3):
            lamp = accelerate(Lamp())
            lamp.switch()
            lamp.switch()

        statistics = statistics_of(Lamp)
        assert (statistics.choices, statistics.plans, statistics.stock) == (2, 2, 0)

    def test_bound(self, monkeypatch):
        """Events of ever new names do not fill memory, and what was forgotten is found again."""
        monkeypatch.setattr(_programs, "LIMIT", 3)

        class Lamp(StateChart):
            dark = State(initial=True)
            lit = State()
            switch = dark.to(lit) | lit.to(dark)

        lamp = accelerate(Lamp())
        for number in range(20):
            lamp.send(f"unknown{number}")
            lamp.switch()
            assert lamp.lit.is_active is (number % 2 == 0)

        assert len(lamp._engine.programs.choices) <= 3
        assert statistics_of(Lamp).forgotten > 0

    def test_prepare_event(self):
        """What `prepare_event` returns reaches callbacks by a plan, too."""

        class Careful(StateMachine):
            a = State(initial=True)
            b = State()
            go = a.to(b) | b.to(a)

            def prepare_event(self):
                return {"extra": 5}

            def on_go(self, extra):
                return extra

        careful = accelerate(Careful())

        assert careful.go() == 5
        assert (statistics_of(Careful).plans, statistics_of(Careful).stock) == (1, 0)

    @pytest.mark.parametrize("made", [lambda kind: kind(), lambda kind: accelerate(kind())], ids=["stock", "ours"])
    def test_history(self, made):
        """Entering a history runs the actions of the transition to it twice, as python-statemachine has it."""

        class Player(StateChart):
            off = State(initial=True)

            class on(State.Compound):
                one = State(initial=True)
                two = State()
                next = one.to(two)
                back = HistoryState()
                _ = back.to(one)

            start = off.to(on.back, on="note")
            stop = on.to(off)
            noted = 0

            def note(self):
                self.noted += 1

        player = made(Player)
        player.start()
        player.next()
        player.stop()
        player.start()

        assert (player.noted, player.two.is_active, statistics_of(Player).stock) == (4, True, 0)


class TestSource:
    def test_text(self):
        """What is generated for a signature can be read."""
        assert source_of([("order", False, False), ("note", True, True)], own_states=()).splitlines() == [
            "def make(function, place, defaults, otherwise, by_count):",
            "    default_note = defaults['note']",
            "    def call(t):",
            "        if t.args:",
            "            return by_count[len(t.args)](t)",
            "        given = t.given",
            "        try:",
            "            _order = given['order']",
            "            _note = given['note'] if 'note' in given else default_note",
            "        except KeyError:",
            "            return otherwise(t)",
            "        return function(t.machine, _order, note=_note)",
            "    return call",
        ]


class TestAfterAnOrchestrator:
    def test_fast_again(self):
        """An accelerated machine that leaves its orchestrator is accelerated still; one that was not is not."""

        class Hatch(Door):
            """A class that has had no members."""

        class Hall(Orchestrator):
            doors: Members[Hatch] = machines(Hatch)

        hall = Hall()
        fast, stock = accelerate(Hatch()), Hatch()
        hall.doors.add("fast", fast)
        hall.doors.add("stock", stock)
        for key in ("fast", "stock"):
            hall.doors.remove(key).open("ann")

        assert [type(one._engine) for one in (fast, stock)] == [SyncPlannedEngine, SyncEngine]
        assert fast.ajar.is_active
        assert stock.ajar.is_active


class TestFailingGuards:
    def test_event_of_the_error(self):
        """A guard that fails refuses its event, and the event that the failure becomes happens at once."""

        class Weighing(StateChart):
            idle = State(initial=True)
            busy = State()
            odd = State()
            check = idle.to.itself()
            go = idle.to(busy, cond="heavy") | busy.to(idle)
            error_execution = idle.to(odd) | odd.to(idle)

            def heavy(self):
                raise ValueError("no scales")

        for weighing in (Weighing(), accelerate(Weighing())):
            weighing.check()  # from here on the plans are known
            weighing.go()

            assert weighing.odd.is_active
