"""A machine of a class that has members is made of less than a stock one, and whoever looks finds the same."""

import copy
import gc
import inspect
import pickle
import threading
import weakref

import pytest
from statemachine import HistoryState, State, StateChart, StateMachine
from statemachine.configuration import Configuration
from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.sync import SyncEngine
from statemachine.exceptions import TransitionNotAllowed
from statemachine.state import InstanceState

from statemachines_orchestrator import Orchestrator, machines
from statemachines_orchestrator.engine import AsyncPlannedEngine, SyncPlannedEngine
from statemachines_orchestrator.engine._light import Later


def flat():
    """Callbacks of every sort that a class can have."""

    class Flat(StateMachine):
        a = State(initial=True, exit="leave")
        b = State()
        c = State(final=True)
        go = a.to(b, cond="ready", unless="blocked", validators="look", before="note") | b.to(c, cond=lambda x=1: x)
        ready = True

        @property
        def blocked(self):
            return False

        def look(self):
            """Validate."""

        def note(self):
            return "noted", id(self)

        def leave(self):
            self.left = True

        @go.on
        def do(self, how="so"):
            return how

        def on_enter_state(self, state):
            self.entered = state.id

        @staticmethod
        def after_go():
            return "static"

    return Flat


def bare():
    """No callback at all."""

    class Bare(StateMachine):
        a = State(initial=True)
        b = State()
        go = a.to(b) | b.to(a)

    return Bare


def chart():
    """Every kind of state."""

    class Chart(StateChart):
        class outer(State.Compound):
            class left(State.Parallel):
                class one(State.Compound):
                    a = State(initial=True)
                    b = State()
                    go = a.to(b) | b.to(a)

                class two(State.Compound):
                    x = State(initial=True)
                    y = State()
                    go = x.to(y) | y.to(x)

            past = HistoryState(type="deep")
            pause = left.to.itself()

        off = State()
        stop = outer.to(off)
        back = off.to(outer.past)

        def on_enter_b(self):
            self.seen = True

    return Chart


def waiting():
    """Asynchronous callbacks."""

    class Waiting(StateMachine):
        a = State(initial=True)
        b = State()
        go = a.to(b) | b.to(a)

        async def on_go(self):
            return "went"

    return Waiting


def text():
    """A guard that is a text over several names, which no two machines can share."""

    class Text(StateMachine):
        a = State(initial=True)
        b = State()
        go = a.to(b, cond="tall and not wide") | b.to(a)
        tall = True
        wide = False

    return Text


FORMS = (flat, bare, chart, waiting, text)


def prepared(form):
    """Return a class as the form says, of which an orchestrator has had a member."""
    kind = form()
    become_a_member(kind)
    return kind


def become_a_member(kind):
    """Let an orchestrator have a machine of a class."""
    body = {"__module__": __name__, "__annotations__": {"all": dict[str, kind]}, "all": machines(kind)}
    type("Crowd", (Orchestrator,), body)().all.add("first")


def unmade(machine):
    """What a machine does not have yet, though anybody who looks will find it."""
    return {"_callbacks", "_config"} - vars(machine).keys()


def registry_of(machine):
    """Describe what a machine's registry holds, and without its identity."""
    registry = machine._callbacks
    keys = [
        f"{spec.group.name} of {visited!r}: {spec}"
        for visited in [type(machine), *inspect.getmembers(type(machine), lambda one: isinstance(one, State))]
        for spec in getattr(visited, "_specs", ())
    ]
    held = [
        [
            (
                str(one.meta),
                one.meta.group,
                one.meta.priority,
                one.unique_key.replace(str(id(machine)), "self").split("-")[0],
                one.expected_value,
                one._iscoro,
                one._callback.__name__,
            )
            for one in executor
        ]
        for executor in registry._registry.values()
    ]
    seen = [len(executor.items_already_seen) for executor in registry._registry.values()]
    return keys, held, seen, registry.has_async_callbacks


class TestLookedAt:
    @pytest.mark.parametrize("form", FORMS)
    def test_registry(self, form):
        """The registry holds what that of a stock machine holds, in the same order, bound to its own machine."""
        stock, light = form()(), prepared(form)()

        assert registry_of(light) == registry_of(stock)
        assert light._callbacks is light._callbacks

    @pytest.mark.parametrize("form", FORMS)
    def test_states(self, form):
        """Every state of the class is an object of the machine's own, by name and by value, and only one."""
        stock, light = form()(), prepared(form)()

        for value, state in type(light).states_map.items():
            mine = getattr(light, state.id)
            assert type(mine) is type(getattr(stock, state.id)) is InstanceState
            assert mine is light._config._instance_states[value] is vars(light)[state.id]
            assert mine == state
            assert mine.is_active is getattr(stock, state.id).is_active
        assert list(light._config._instance_states) == list(stock._config._instance_states)

    def test_all_states(self):
        """Who reads the machine's states as the dictionary that they are finds all of them, in the class's order."""
        stock, light = chart()(), prepared(chart)()
        mine, theirs = light._config._instance_states, stock._config._instance_states

        assert mine["b"] is light.b
        assert list(mine.keys()) == list(theirs.keys())
        assert [one.id for one in mine.values()] == [one.id for one in theirs.values()]
        assert [value for value, _ in mine.items()] == list(theirs)
        assert len(mine) == len(theirs)
        assert "b" in mine
        assert "nobody" not in mine
        assert mine.get("nobody") is None
        assert mine == dict(mine.items())
        assert mine != {}
        assert mine["b"] is light.b

    @pytest.mark.parametrize("form", FORMS)
    def test_configuration(self, form):
        """The configuration, its values and what the machine says of itself are those of a stock machine."""
        stock, light = form()(), prepared(form)()

        assert type(light._config) is Configuration
        assert list(light.configuration_values) == list(stock.configuration_values)
        assert [one.id for one in light.configuration] == [one.id for one in stock.configuration]
        assert repr(light) == repr(stock)
        assert [str(one) for one in light.events] == [str(one) for one in stock.events]

    @pytest.mark.parametrize("form", [flat, bare, chart, waiting])
    def test_nothing_is_made(self, form):
        """As long as nobody looks there is no registry, no configuration and no object for a state."""
        light = prepared(form)()

        assert unmade(light) == {"_callbacks", "_config"}
        assert not any(isinstance(one, InstanceState) for one in vars(light).values())
        assert type(light._engine) is (AsyncPlannedEngine if form is waiting else SyncPlannedEngine)

    def test_what_a_stock_machine_has(self):
        """Once somebody has looked, the machine has every attribute that a stock machine has."""
        stock, light = chart()(), prepared(chart)()
        for name in vars(stock):
            getattr(light, name)

        assert vars(light).keys() == vars(stock).keys()

    def test_events_of_a_flat_machine_look_at_nothing(self):
        """A machine without callbacks takes its events and still has made nothing."""
        light = prepared(bare)()
        light.go()

        assert light.model.state == "b"
        assert unmade(light) == {"_callbacks", "_config"}

    def test_at_the_same_time(self):
        """Threads that look at the same time find the same registry."""
        light, found = prepared(flat)(), []
        threads = [threading.Thread(target=lambda: found.append((light._callbacks, light._config))) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        assert len({(id(registry), id(config)) for registry, config in found}) == 1


class TestRuns:
    def test_as_stock(self):
        """Events do what they do on a stock machine, with every callback."""
        stock, light = flat()(), prepared(flat)()

        assert light.go(how="thus") == [("noted", id(light)), "thus"]
        assert stock.go(how="thus") == [("noted", id(stock)), "thus"]
        assert (light.left, light.entered) == (stock.left, stock.entered) == (True, "b")
        assert (light.go(x=True), light.is_terminated) == (stock.go(x=True), True)

    def test_refused(self):
        """What a stock machine refuses is refused."""
        light = prepared(flat)()
        light.ready = False

        with pytest.raises(TransitionNotAllowed, match="Can't Go when in A"):
            light.go()

    def test_initial_entry(self):
        """Callbacks of the initial entry run in the constructor, with what was passed to it."""

        def form():
            class Greeting(StateMachine):
                a = State(initial=True)
                b = State()
                go = a.to(b) | b.to(a)

                def on_enter_a(self, name="nobody", event=None):
                    self.greeted = name, str(event)

            return Greeting

        assert prepared(form)(name="ann").greeted == form()(name="ann").greeted == ("ann", "__initial__")

    def test_listener_later(self):
        """A listener that is added at any time is heard from then on, once."""

        class Listener:
            def __init__(self):
                self.heard = []

            def on_enter_b(self, state):
                self.heard.append(state.id)

        light, listener = prepared(flat)(), Listener()
        light.add_listener(listener)
        light.go()

        assert listener.heard == ["b"]
        assert light.active_listeners == [listener]
        assert light.entered == "b"

    @pytest.mark.parametrize("name", ["on_enter_b", "note"])
    def test_attributes_set_later(self, name):
        """An attribute that a machine gets later is no callback, whenever its callbacks are looked up."""
        for light in (flat()(), prepared(flat)()):
            setattr(light, name, lambda: pytest.fail("a stock machine does not call it"))
            light.add_listener(object())
            light.go()

            assert light.b.is_active


class TestMade:
    def test_not_shared(self):
        """Two machines share nothing that can be changed."""
        kind = prepared(flat)
        one, other = kind(), kind()

        for name in ("model", "history_values", "start_configuration_values", "_listeners", "_callbacks", "_config"):
            assert getattr(one, name) is not getattr(other, name), name
        assert one.a is not other.a
        one.go()
        assert (one.current_state_value, other.current_state_value) == ("b", "a")
        assert one.left
        assert not hasattr(other, "left")

    @pytest.mark.parametrize("form", FORMS)
    def test_arguments(self, form):
        """Every argument of the constructor does what it does on a stock machine."""
        kind, stock = prepared(form), form()

        for arguments in ({"state_field": "place"}, {"start_value": "b"} if form is not chart else {}):
            one, other = kind(**arguments), stock(**arguments)
            assert vars(one.model) == vars(other.model)
            assert one.start_configuration_values == other.start_configuration_values

    def test_models(self):
        """A model may have callbacks and say where the machine is."""

        class Thing:
            state = "b"

            def on_enter_a(self):
                self.back = True

        def form():
            class Moving(StateMachine):
                a = State(initial=True)
                b = State()
                go = a.to(b) | b.to(a)

            return Moving

        thing = Thing()
        machine = prepared(form)(thing)
        assert machine.b.is_active
        machine.go()
        assert thing.back
        assert thing.state == "a"

    def test_listeners(self):
        """A listener that is passed to the constructor is there for the initial entry and for guards."""

        class Listener:
            entered = 0

            def on_enter_a(self):
                self.entered += 1

        for kind in (bare(), prepared(bare)):
            listener = Listener()
            assert kind(listeners=[listener]).active_listeners == [listener]
            assert listener.entered == 1

    def test_class_listeners(self):
        """Listeners that a class names are made for each machine."""

        class Listener:
            pass

        def form():
            class Listening(StateMachine):
                listeners = [Listener]
                a = State(initial=True)
                b = State()
                go = a.to(b) | b.to(a)

            return Listening

        kind = prepared(form)
        (one,), (other,) = kind().active_listeners, kind().active_listeners
        assert type(one) is Listener
        assert one is not other

    def test_own_constructor(self):
        """A class may have a constructor of its own, that sets attributes before and after."""

        def form():
            class Order(StateMachine):
                a = State(initial=True)
                b = State()
                go = a.to(b, cond="enough") | b.to(a)

                def __init__(self, amount=2):
                    self.amount = amount
                    super().__init__()
                    self.made = self.a.is_active

                @property
                def enough(self):
                    return self.amount > 1

            return Order

        order = prepared(form)(3)
        assert order.made
        assert unmade(order) == {"_callbacks"}
        order.go()
        assert order.b.is_active

    @pytest.mark.parametrize("early", [True, False])
    def test_hooks_of_one_machine(self, early):
        """A hook that a constructor puts into the machine is called if python-statemachine would call it."""

        def form():
            class Hooked(StateMachine):
                a = State(initial=True)
                b = State()
                go = a.to(b) | b.to(a)
                called = 0

                def __init__(self):
                    if early:
                        self.on_go = self.count
                    super().__init__()
                    self.on_go = self.count

                def count(self):
                    self.called += 1

            return Hooked

        stock, light = form()(), prepared(form)()
        stock.go()
        light.go()

        assert light.called == stock.called == early

    def test_constructed_again(self):
        """A constructor that is called a second time begins anew."""
        light = prepared(flat)()
        light.go()
        light.__init__()

        assert light.a.is_active
        light.go()
        assert light.b.is_active

    def test_states_before_the_constructor(self):
        """Before the constructor has run a machine's states are those of its class."""

        def form():
            class Early(StateMachine):
                a = State(initial=True)
                b = State()
                go = a.to(b) | b.to(a)

                def __init__(self):
                    self.early = self.a
                    super().__init__()

            return Early

        kind = prepared(form)
        assert kind().early is kind.a

    def test_mistakes(self):
        """A constructor that fails on a stock machine fails alike."""
        kind = prepared(flat)

        with pytest.raises(TypeError, match="takes from 1 to 5 positional arguments but 6 were given"):
            kind(None, "state", None, None, None)


class TestCopies:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
    def test_copies(self, form, how):
        """A copy is where its original is, with callbacks and states of its own."""
        light = prepared(form)()
        other = how(light)

        assert other.model.state == light.model.state
        assert unmade(light) == (set() if form is text else {"_callbacks", "_config"})
        assert registry_of(other) == registry_of(light)
        assert all(one._machine() is other for one in other.configuration)

    def test_state(self):
        """What a machine says of itself to whoever copies it is what a stock machine says."""
        stock, light = flat()(), prepared(flat)()
        light.go()
        stock.go()

        for machine in (stock, light):
            machine.model = None
        assert light.__getstate__() == stock.__getstate__()

    def test_pickle(self):
        """A machine can be pickled, with attributes and listeners."""
        lamp = Lamp()
        lamp.press()
        lamp.colour = "red"
        lamp.add_listener(Watcher())
        other = pickle.loads(pickle.dumps(lamp))

        assert (other.current_state_value, other.colour) == ("on", "red")
        other.press()
        assert [one.seen for one in other.active_listeners] == [["off"]]
        assert [one.seen for one in lamp.active_listeners] == [[]]

    def test_freed(self):
        """A machine that nobody has any more is freed."""
        light = prepared(flat)()
        light.go()
        gone = weakref.ref(light)
        del light
        gc.collect()

        assert gone() is None


class Lamp(StateMachine):
    """A class that can be pickled."""

    off = State(initial=True)
    on = State()
    press = off.to(on) | on.to(off)


class Watcher:
    """A listener that can be pickled."""

    def __init__(self):
        self.seen = []

    def on_enter_state(self, state):
        self.seen.append(state.id)


become_a_member(Lamp)


class TestClass:
    def test_looks_as_before(self):
        """States and events of the class, its signature and its name are what they were."""
        plain, kind = chart(), prepared(chart)

        assert inspect.signature(kind) == inspect.signature(plain)
        assert type(kind.off) is State
        assert kind.off is kind.states_map["off"]
        for name in ("a", "one", "b"):
            with pytest.raises(AttributeError, match=f"type object 'Chart' has no attribute '{name}'"):
                getattr(kind, name)

    def test_subclass(self):
        """A subclass makes its machines as before, with the states that it adds."""
        kind = prepared(flat)

        class Longer(kind):
            d = State()
            e = State(final=True)
            on_with_it = d.to(e)
            start = kind.a.to(d)

        longer = Longer()

        assert type(longer._engine) is SyncEngine
        assert not unmade(longer)
        longer.start()
        assert longer.d.is_active
        assert vars(longer)["a"] is longer.a
        become_a_member(Longer)
        assert unmade(Longer()) == {"_callbacks", "_config"}

    def test_other_classes(self):
        """Nothing changes for classes that are no members, nor for python-statemachine's own."""
        before = dict(vars(StateChart)), dict(vars(StateMachine))
        prepared(flat)

        assert (dict(vars(StateChart)), dict(vars(StateMachine))) == before
        assert type(flat()()._engine) is SyncEngine
        assert type(waiting()()._engine) is AsyncEngine

    @pytest.mark.parametrize("name", ["_get_engine", "_register_callbacks", "__setattr__", "__getstate__"])
    def test_own_say(self, name):
        """A class that has a say in how its machines are made is left as it is."""
        kind = bare()
        own = getattr(kind, name)
        setattr(kind, name, lambda self, *arguments: own(self, *arguments))
        before = dict(vars(kind))
        become_a_member(kind)

        assert vars(kind).keys() - before.keys() <= {"__orchestrator_kind__"}
        assert not unmade(kind())

    def test_patched(self):
        """A callback that is put in the place of another is called by machines that are made then, and only by those."""
        for kind in (flat(), prepared(flat)):
            old = kind()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(kind, "leave", lambda self: setattr(self, "left", "otherwise"))
                during = kind()
            new = kind()
            for machine in (old, during, new):
                machine.go()

            assert (old.left, during.left, new.left) == (True, "otherwise", True)

    def test_patched_for_members(self):
        """The same holds for members, of which the class has had some before."""

        class Ringing(StateMachine):
            a = State(initial=True)
            b = State()
            go = a.to(b) | b.to(a)

            def on_go(self):
                return "rings"

        class House(Orchestrator):
            bells: dict[str, Ringing] = machines(Ringing)

        house = House()
        old = house.bells.add("old")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Ringing, "on_go", lambda _self: "buzzes")
            during = house.bells.add("during")
            added = house.bells.add("added", Ringing())

            assert [one.go() for one in (old, during, added)] == ["rings", "buzzes", "buzzes"]
        assert [one.go() for one in (house.bells.add("new"), during)] == ["rings", "buzzes"]

    def test_counting_class(self):
        """An attribute of the class that is no callback may change as often as it likes."""

        def form():
            class Counted(StateMachine):
                made = 0
                a = State(initial=True)
                b = State()
                go = a.to(b) | b.to(a)

                def __init__(self):
                    type(self).made += 1
                    super().__init__()

            return Counted

        kind = prepared(form)
        many = [kind() for _ in range(3)]

        assert kind.made == 4
        assert all("_callbacks" in unmade(one) for one in many)


class TestLater:
    def test_of_the_class(self):
        """Asked of the class, an attribute that is made later is what makes it."""

        class Holder:
            some = Later(lambda holder: [holder])

        holder = Holder()
        assert type(Holder.some) is Later
        assert holder.some is holder.some
        assert holder.some == [holder]
