"""The records of the runtime."""

import copy
import pickle

import pytest

from orca_bridge.runtime import Effect, EffectResult, EffectStatus, StateValue

PARALLEL = {"p": {"r1": {"x": {}}, "r2": {"y": {}}}}


class TestStateValue:
    @pytest.mark.parametrize(
        ("value", "text", "leaves", "parents"),
        [
            ("idle", "idle", ["idle"], []),
            ({"p": {"c": {}}}, "p.c", ["c"], ["p"]),
            (PARALLEL, "p.r1.x, p.r2.y", ["x", "y"], ["p"]),
        ],
    )
    def test_views(self, value, text, leaves, parents):
        """A state says where the machine is as text, by its innermost states and by its outermost ones."""
        state = StateValue(value)

        assert (str(state), state.leaves(), state.leaf(), state.parent_names()) == (text, leaves, leaves[0], parents)
        assert state.is_compound() == isinstance(value, dict)
        assert state.value == value

    def test_equality(self):
        """A state equals the text or mapping it was made of, and any state made of the same."""
        assert StateValue("a") == "a"
        assert StateValue(PARALLEL) == PARALLEL
        assert StateValue(PARALLEL) == StateValue(copy.deepcopy(PARALLEL))
        assert StateValue({"p": {"c": {}}}) != "p.c"
        assert StateValue("a") != 1

    def test_hash(self):
        """Equal states hash alike, so that they find each other in sets, and simple ones their text."""
        assert len({StateValue("a"), "a", StateValue("a")}) == 1
        assert len({StateValue(PARALLEL), StateValue(PARALLEL)}) == 1

    def test_never_changes(self):
        """Neither the mapping given nor the one handed out reaches into a state."""
        given = copy.deepcopy(PARALLEL)
        state = StateValue(given)
        given["p"]["r1"].clear()
        state.value["p"].clear()

        assert state == PARALLEL

    def test_copies(self):
        """A state can be copied and pickled."""
        state = StateValue(PARALLEL)

        assert copy.deepcopy(state) == pickle.loads(pickle.dumps(state)) == state

    def test_repr(self):
        """The repr shows the value."""
        assert repr(StateValue("a")) == "StateValue('a')"


class TestEffects:
    def test_status(self):
        """The status of a result may be given as text."""
        assert EffectResult(status="success").status == EffectStatus.SUCCESS
        assert EffectResult("failure") == EffectResult(EffectStatus.FAILURE, None, None)

    def test_payload(self):
        """Each effect has a payload of its own."""
        first, second = Effect("T"), Effect("T")
        first.payload["a"] = 1

        assert second.payload == {}
