"""What a description says of entries, against python-statemachine's own engine, on random charts."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from statemachine import HistoryState, State, StateChart, StateMachine
from statemachine.exceptions import InvalidDefinition, TransitionNotAllowed

from statemachines_orchestrator.charts import read_chart


class Growth:
    """A chart that grows by chance: states in states, parallel ones, histories, and transitions between all of them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.states: list[State] = []
        self.histories: list[HistoryState] = []
        self.top = [self.state(0) for _ in range(random.randint(1, 3))]
        self.top[0]._initial = True
        self.events = [self.transition(number) for number in range(random.randint(3, 10))]

    def name(self):
        return f"s{len(self.states) + len(self.histories)}"

    def state(self, depth):
        parallel = self.random.random() < 0.3
        children, histories = [], []
        if depth < 3 and self.random.random() < 0.5:
            children = [self.state(depth + 1) for _ in range(self.random.randint(2 if parallel else 1, 3))]
            self.random.choice(children)._initial = True
            histories = [self.history(children)] if self.random.random() < 0.4 else []
        made = State(states=children, history=histories, parallel=parallel and bool(children))
        made._set_id(self.name())
        self.states.append(made)
        return made

    def history(self, children):
        made = HistoryState(type=self.random.choice(["shallow", "deep"]))
        made._set_id(self.name())
        self.histories.append(made)
        made.to(self.random.choice(children))
        return made

    def transition(self, number):
        source, target = self.random.choice(self.states), self.random.choice(self.states + self.histories)
        try:
            source.to(target, event=f"e{number}", internal=self.random.random() < 0.3)
        except InvalidDefinition:  # an internal transition leads to its source, or into it
            source.to(target, event=f"e{number}")
        return f"e{number}"

    def machine_class(self):
        body = {state.id: state for state in self.top}
        body |= dict.fromkeys(
            ("validate_disconnected_states", "validate_trap_states", "validate_final_reachability"), False
        )
        body["enable_self_transition_entries"] = self.random.random() < 0.5
        return type("Grown", (self.random.choice([StateChart, StateMachine]),), body)


class Watcher:
    """Sees which transitions are taken, and which states are entered."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, tuple[str, ...]]] = []
        self.entered: set[str] = set()

    def on_transition(self, transition, event) -> None:
        self.taken.append((transition.source.id, tuple(target.id for target in transition.targets)))

    def on_enter_state(self, state) -> None:
        self.entered.add(state.id)


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_entries(seed) -> None:
    """A machine begins where its description says, and each transition enters at least what is called sure."""
    growth = Growth(Random(seed))  # noqa: S311 - a chart, not a secret
    machine_class = growth.machine_class()
    chart = read_chart(machine_class)
    watcher = Watcher()
    machine = machine_class(listeners=[watcher])

    assert {state.id for state in machine.configuration} == chart.initial_states

    for event in growth.random.choices(growth.events, k=12):
        watcher.taken, watcher.entered = [], set()
        try:
            machine.send(event)
        except TransitionNotAllowed:
            continue
        for edge in chart.edges_of(event):
            if (edge.source, edge.targets) in watcher.taken:
                assert chart.entered_by(edge) <= watcher.entered
