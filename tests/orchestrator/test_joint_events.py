"""Joint events over the members of a collection, and what is said when one is refused."""

from __future__ import annotations

import pytest
from statemachine import State, StateMachine

from statemachines_orchestrator import In, Members, Orchestrator, each, guard, machine, machines, together, when
from statemachines_orchestrator.exceptions import JointDefinitionError, JointEventRefused, LinkRefused


class Parcel(StateMachine):
    packed = State(initial=True)
    stamped = State()
    sent = State(final=True)
    stamp = packed.to(stamped)
    send_off = stamped.to(sent, cond=["is_paid", "is_light"]) | packed.to(sent, cond="is_free")

    def is_paid(self):
        return True

    def is_light(self, grams=0):
        return grams < 100

    def is_free(self):
        return False


class Truck(StateMachine):
    closed = State(initial=True)
    waiting = State()
    unlock = closed.to(waiting)
    load = waiting.to.itself()


class Depot(Orchestrator):
    parcels: Members[Parcel] = machines(Parcel)
    truck: Truck = machine(factory=Truck)

    stamp_all = together(each(parcels).stamp)
    dispatch = together(each(parcels).send_off, truck.load)


@pytest.fixture
def depot():
    depot = Depot()
    for key in ("a", "b", "c"):
        depot.parcels.add(key)
    return depot


class TestOneCollection:
    """A joint event of one collection's members, without anybody else."""

    def test_moves_all_or_those_that_are_named(self, depot):
        """Its members are several machines."""
        assert depot.stamp_all(parcels=["a", "c"]) == {"parcels[a].stamp": None, "parcels[c].stamp": None}
        assert str(depot.configuration) == "parcels[a]=stamped parcels[b]=packed parcels[c]=stamped truck=closed"

    def test_moves_nobody_if_one_refuses(self, depot):
        """The others stay where they are."""
        depot.stamp_all(parcels=["a"])
        before = depot.configuration

        with pytest.raises(JointEventRefused) as caught:
            depot.stamp_all()

        assert list(caught.value.refusals) == ["parcels[a].stamp"]
        assert depot.configuration == before

    def test_alone_makes_an_orchestrator(self):
        """A class may declare collections and nothing else."""

        class Shelf(Orchestrator):
            parcels: Members[Parcel] = machines(Parcel)

            stamp_all = together(each(parcels).stamp)

        shelf = Shelf()
        shelf.parcels.add("a")
        shelf.stamp_all()

        assert str(shelf.configuration) == "parcels[a]=stamped"

    def test_needs_a_collection(self):
        """One event of one machine is no joint event."""
        with pytest.raises(JointDefinitionError) as caught:

            class Wrong(Orchestrator):
                truck: Truck = machine(factory=Truck)

                load = together(truck.load)

        assert str(caught.value) == (
            "Wrong.load: truck.load is one event of one machine, and nothing else happens together with it. "
            "Name the events of at least two members, or one of each(collection)."
        )

    def test_needs_an_event(self):
        """Nothing together is nothing."""
        with pytest.raises(TypeError, match="at least two members, or one event of a collection"):
            together()


class TestRefusal:
    """Who refused, and why."""

    def test_names_what_a_transition_needs(self, depot):
        """An event that the machine knows where it is, under conditions, is told with these conditions."""
        depot.stamp_all(parcels=["a"])

        with pytest.raises(JointEventRefused) as caught:
            depot.dispatch(parcels=["a", "b"], grams=500)

        assert caught.value.refusals == {
            "parcels[a].send_off": "parcels[a] is in stamped, where 'send_off' needs is_paid and is_light",
            "parcels[b].send_off": "parcels[b] is in packed, where 'send_off' needs is_free",
            "truck.load": "truck is in closed, where nothing is enabled for 'load'",
        }

    def test_names_the_end(self, depot):
        """A machine that has ended takes nothing, and is told with its last state."""
        depot.stamp_all(parcels=["a"])
        depot.truck.unlock()
        depot.dispatch(parcels=["a"])

        with pytest.raises(JointEventRefused) as caught:
            depot.stamp_all(parcels=["a"])

        assert caught.value.refusals == {"parcels[a].stamp": "parcels[a] has ended in sent"}

    def test_is_about_the_first_that_refused(self, depot):
        """Event and configuration are those of the first refused event, not of the first one."""
        depot.stamp_all()

        with pytest.raises(JointEventRefused) as caught:
            depot.dispatch()

        assert str(caught.value.event) == "load"
        assert [state.id for state in caught.value.configuration] == ["closed"]

    def test_of_a_guard_when_nobody_takes_part(self):
        """A guard of the joint event may forbid it although there is no machine whose event it would be."""

        class Guarded(Depot):
            opened = guard(Depot.stamp_all, In(Depot.truck.waiting))

        with pytest.raises(JointEventRefused) as caught:
            Guarded().stamp_all()

        assert caught.value.refusals == {
            "stamp_all": "the guard Guarded.opened needs In(truck.waiting), but truck is in closed"
        }
        assert caught.value.event is None

    def test_names_what_the_event_of_a_link_needs(self):
        """A link's refusal says it in the same way."""

        class Linked(Orchestrator):
            truck: Truck = machine(factory=Truck)
            parcel: Parcel = machine(factory=Parcel)

            leaving = when(truck.waiting).send(parcel.send_off)

        with pytest.raises(LinkRefused, match="parcel is in packed, where 'send_off' needs is_free"):
            Linked().truck.unlock()


class TestMisspelling:
    def test_a_collection_that_is_misspelt(self, depot):
        """Keys under a misspelt name are no payload: all members would take part."""
        with pytest.raises(TypeError) as caught:
            depot.stamp_all(parcel=["a"])

        assert str(caught.value) == (
            "Depot.stamp_all chooses members by parcels=[...], and parcel=['a'] would be an argument of all its events. "
            "Write parcels=['a'], or give the argument another name"
        )
