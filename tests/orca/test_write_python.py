"""Documents as Python modules, which run like the loaded document and are typed."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from statemachine.exceptions import TransitionNotAllowed
from test_convert_reference import EVENTS, Tracer, machines
from test_convert_regions_reference import machines as machines_with_regions
from test_tables import MACHINE
from written import AWKWARD, CONVERTIBLE, NESTED, Idle, configurations, corpus_documents, document_of, events_of

from orca_bridge import ConversionError, MissingActionError, loads, loads_orchestrator
from orca_bridge.convert import machine_class
from orca_bridge.write import python_source
from statemachines_orchestrator.testing import SimulatedClock

ODD = '''# machine Odd Machine 2

> A "quoted" \\ text, with """three""" of them and a tail"

## context
| Field | Type             | Default |
|-------|------------------|---------|
| a-b   | enum(x, y)       | x       |
| class | map<string, int> | {"k": 1} |
| n     | decimal?         |         |
## events
- send(amount: decimal, class: string?)
- go
- time-out
- import
## state model [initial]
- on_entry: class
- on_exit: do-it
## state weaver
## state done [final]
## transitions
| Source | Event    | Guard                                  | Target | Action       |
|--------|----------|----------------------------------------|--------|--------------|
| model  | send     | event.amount > 1 and not (ctx.n is null or ctx.a-b == "y") | weaver | do-it, class |
| model  | go       | ctx.class.length == 1 or event.x       | weaver |              |
| weaver | time-out | else                                   | model  |              |
| weaver | go       | false                                  | model  |              |
| weaver | go       | else                                   | done   |              |
## actions
| Name  | Signature          |
|-------|--------------------|
| class | `(ctx) -> Context` |
| do-it | `(ctx) -> Context` |
'''


def module_of(document, name="written_machines", **options):
    """Run what was written, as a module that can be imported."""
    text = python_source(document.machines, document.tables, **options)
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, f"{name}.py", "exec"), vars(module))
    return module


def classes_of(module):
    return {cls.definition.name: cls for cls in vars(module).values() if hasattr(cls, "_blueprint")}


def run(cls, events, actions=None):
    """Where a machine is, what it knows and what it refused, at the start and after each event and some time."""
    clock = SimulatedClock()
    machine = cls(actions=Idle() if actions is None else actions, clock=clock)
    seen = [(list(machine.configuration_values), copy.deepcopy(machine.context), "")]
    for event in events:
        refusal = ""
        try:
            machine.send(event["type"], {name: value for name, value in event.items() if name != "type"})
        except TransitionNotAllowed as error:
            refusal = str(error)
        clock.advance(event.get("n", 0))
        seen.append((list(machine.configuration_values), copy.deepcopy(machine.context), refusal))
    return seen


def assert_alike(document):
    written = classes_of(module_of(document))
    siblings = tuple((one, ()) for one in document.machines)
    for definition in document.machines:
        loaded = machine_class(definition, tables=document.tables, siblings=siblings)
        cls = written[definition.name]
        assert {state.id: (state.name, state.value) for state in cls.states} == {
            state.id: (state.name, state.value) for state in loaded.states
        }
        assert {str(event) for event in cls.events} == {str(event) for event in loaded.events}
        for seed in range(5):
            events = events_of(definition, seed)
            assert run(cls, events) == run(loaded, events)


class TestRuns:
    @pytest.mark.parametrize("text", [CONVERTIBLE, AWKWARD, ODD], ids=["convertible", "awkward", "odd"])
    def test_alike(self, text):
        """A written class has the states and events of the loaded one, and is where that is after every event."""
        assert_alike(document_of(text))

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(machines(), st.lists(st.tuples(st.sampled_from([*EVENTS, "other"]), st.integers(0, 4)), max_size=8))
    def test_any_machine(self, found, events):
        """Where it is, what ran and in which order: the same as in the converted class, for any machine."""
        cls = classes_of(module_of(type("Found", (), {"machines": (found,), "tables": ()})))["Random"]
        traces = []
        for one in (cls, machine_class(found)):
            tracer = Tracer()
            steps = run(one, [{"type": event, "n": number} for event, number in events], tracer)
            traces.append((steps, tracer.trace))

        assert traces[0] == traces[1]

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        machines_with_regions(), st.lists(st.tuples(st.sampled_from(["go", "stop", "hop", "other"]), st.integers(0, 4)))
    )
    def test_any_machine_with_regions(self, found, events):
        """The same with regions, ignored events and what follows when something is done."""
        cls = classes_of(module_of(type("Found", (), {"machines": (found,), "tables": ()})))["Regions"]
        traces = []
        for one in (cls, machine_class(found)):
            tracer = Tracer()
            steps = run(one, [{"type": event, "n": number} for event, number in [("go", 9), *events]], tracer)
            traces.append((steps, tracer.trace))

        assert traces[0] == traces[1]

    def test_actions(self):
        """Actions are methods of a subclass, or given; what they return is merged; missing ones are named."""
        traffic = module_of(document_of(CONVERTIBLE)).Traffic

        class Own(traffic):
            def log(self, ctx):
                return {"speed": ctx["speed"] + 1}

        assert Own().context["speed"] == 3
        with pytest.raises(MissingActionError, match="machine 'Traffic' has no handler for 'log'"):
            traffic()

    def test_types_of_values(self, caplog):
        """Context values are checked against their declared types, like those of a loaded class."""
        with caplog.at_level(logging.WARNING, "orca_bridge"):
            module_of(document_of(CONVERTIBLE)).Traffic(actions=Idle(), context={"speed": "fast"})

        assert "'speed' is declared int and is str 'fast'" in caplog.text

    def test_tables(self):
        """An action that is called like a decision table of the document asks it."""
        machine = module_of(document_of(MACHINE)).Payment(context={"amount": 600, "tier": "high"})
        machine.route()

        assert machine.context["gateway"] == "two"

    def test_copies(self):
        """Instances are copied, and pickled by the name of their class."""
        machine = module_of(document_of(NESTED.partition("\n---\n")[2])).Child(context={"n": 7})
        machine.go()

        for twin in (copy.deepcopy(machine), pickle.loads(pickle.dumps(machine))):
            assert type(twin) is type(machine)
            assert list(twin.configuration_values) == ["gone"]
            assert twin.context == {"n": 7}

    def test_source(self, tmp_path):
        """A module knows the document that it was written from, whatever its line ends."""
        (tmp_path / "same.md").write_bytes(CONVERTIBLE.replace("\n", "\r\n").encode())
        (tmp_path / "other.md").write_text(CONVERTIBLE.replace("red", "crimson"), encoding="utf-8")
        module = module_of(document_of(CONVERTIBLE), text=CONVERTIBLE)

        assert module.check_source(tmp_path / "same.md")
        assert not module.check_source(tmp_path / "other.md")

    def test_refusal(self):
        """What cannot be converted cannot be written, for the same reasons."""
        document = document_of(NESTED.replace("## state closed [final]", "## state closed [final]\n- timeout: 5s -> c"))

        with pytest.raises(ConversionError) as written:
            python_source(document.machines)
        with pytest.raises(ConversionError) as converted:
            machine_class(document.machines[0])
        assert written.value.problems == converted.value.problems


RELAY = """\
# machine Relay

## context
| Field | Type | Default |
|-------|------|---------|
| n     | int  | 1       |
| heard | int  |         |

## state idle [initial]
## state running
- invoke: Leg input: { n: event.n, before: ctx.n, fixed: [1, "a"] } returns: { heard: n, n: before }
- on_done: arrived
- on_error: -> lost
## state walking
- invoke: Leg
## state over [final]
## state lost

## transitions
| Source  | Event             | Guard         | Target  |
|---------|-------------------|---------------|---------|
| idle    | run               |               | running |
| idle    | walk              |               | walking |
| walking | done.invoke.walking |             | idle    |
| running | arrived           | ctx.heard > 4 | over    |
| running | arrived           |               | idle    |
| running | stop              |               | idle    |

---

# machine Leg

## context
| Field | Type | Default |
|-------|------|---------|
| n     | int  | 9       |

## state begun [initial]
## state resting
- invoke: Rest
- on_done: -> begun
## state ended [final]

## transitions
| Source  | Event | Target  |
|---------|-------|---------|
| begun   | rest  | resting |
| begun   | end   | ended   |
| resting | end   | ended   |

## returns
| Name   | Type |
|--------|------|
| n      | int  |

---

# machine Rest

## state on [initial]
- on end -> off
## state off [final]
"""

SYSTEM = """

class RelaySystem(Orchestrator, version="0.1.0"):
    \"""The machines Relay, Leg, Rest, in one system.\"""

    relay: Relay = machine(factory=Relay)
    leg: Members[Leg] = machines(Leg)
    rest: Members[Rest] = machines(Rest)
"""


def wander(system, seed):
    """What a system is after each of some random events for any of its machines."""
    draw, seen = random.Random(seed), [system.configuration]  # noqa: S311 - reproducible
    for _ in range(30):
        address, one = draw.choice(list(system.machines.items()))
        event = draw.choice([str(event) for event in type(one).events if "." not in str(event)])
        with suppress(TransitionNotAllowed):
            system.send(f"{address}.{event}", n=draw.randrange(9))
        seen.append((system.configuration, {key: dict(found.context) for key, found in system.machines.items()}))
    return seen


class TestSystems:
    @pytest.mark.parametrize("seed", range(20))
    def test_alike(self, seed):
        """The orchestrator of a written module is where the loaded one is, and knows the same, after every event."""
        document = document_of(RELAY)

        assert wander(module_of(document).RelaySystem(), seed) == wander(loads_orchestrator(RELAY)(), seed)

    def test_whole(self):
        """The random events lead through all there is."""
        seen = "".join(str(one) for seed in range(20) for one in wander(loads_orchestrator(RELAY)(), seed))

        assert all(
            text in seen for text in ("relay=over", "rest[leg[relay.running].resting]=on", "relay.walking]=resting")
        )

    def test_snapshots(self):
        """A snapshot of the loaded orchestrator can be restored in the written one."""
        system = loads_orchestrator(RELAY)()
        system.relay.run(n=7)

        again = module_of(document_of(RELAY)).RelaySystem.restore(system.snapshot().to_json())
        again.leg["relay.running"].end()

        assert again.relay.over.is_active

    def test_alone(self):
        """A class of a written module that is used alone has children, too."""
        relay = module_of(document_of(RELAY)).Relay()
        relay.run(n=7)

        relay.children["running"].end()

        assert relay.over.is_active

    def test_text(self):
        """The orchestrator class can be read off the text; one machine alone has none."""
        text = python_source(document_of(RELAY).machines)

        assert text.endswith(SYSTEM)
        assert "Orchestrator" not in python_source(document_of(CONVERTIBLE).machines)

    def test_names_that_are_imported(self):
        """A machine that is called like something in the module gets another name there."""
        text = RELAY.replace("# machine Rest", "# machine Members").replace("invoke: Rest", "invoke: Members")

        module = module_of(document_of(text))

        assert module.Members_.definition.name == "Members"
        assert list(module.RelaySystem.__declaration__.fields) == ["relay", "leg", "members"]


class TestText:
    def test_declares(self):
        """States, events, context, payloads, actions and guards can be read off the text."""
        text = python_source(document_of(CONVERTIBLE).machines, source="traffic.orca.md")

        assert text.startswith('"""\nTraffic of traffic.orca.md, as Python.\n')
        assert "class TrafficContext(TypedDict, total=False):" in text
        assert '    mode: Literal["day", "night"]\n' in text
        assert 'TrafficEvent: TypeAlias = Literal["next", "go", "stop", "reset"]\n' in text
        assert "class TrafficActions(Protocol):" in text
        assert (
            '    """`calm and event.by != "clock"`"""\n    return _traffic_calm(context, event) and not equal(' in text
        )
        assert '    green = weaver.state("green", "green", [green_slow, green_fast], on_exit=("log",))\n' in text
        assert "        green_slow: State\n" in text
        assert "        def next(self, *, by: str) -> Any: ...\n" in text

    def test_odd_names(self):
        """A name that Python cannot hold gets another, and stays visible."""
        text = python_source(document_of(ODD).machines)

        assert "    # class: no method can have this name; give a mapping\n" in text
        assert "    def do_it(self," in text
        assert "OddMachine2Context = TypedDict(\n" in text
        assert "        def event_send(self, payload:" in text

    def test_deterministic(self):
        """The same document gives the same module."""
        assert python_source(document_of(ODD).machines) == python_source(document_of(ODD).machines)


PAYLOADS = """\
# machine Parcel
## events
- pay(amount: decimal)
- ship(to: string, from: string)
- go
## state a [initial]
- on pay -> a
- on ship -> a
- on go -> a
"""
USE = """
from module import Traffic, TrafficContext


class Own(Traffic):
    def log(self, ctx: TrafficContext, event: object) -> TrafficContext:
        return {"speed": ctx["speed"] + 1}


machine = Own()
machine.next(by="hand")
machine.send("go")
machine.send("next", {"by": "hand"})
reveal_type(machine.context["speed"])
"""

WRONG = ["machine.next(by=1)", 'machine.send("nxt")', 'machine.context["sped"]', 'Own(context={"sped": 1})']


@pytest.mark.conformance
@pytest.mark.timeout(300)
class TestTools:
    def run(self, folder, *command):
        # What is checked is this code, wherever the environment has the package from.
        environment = {**os.environ, "MYPYPATH": str(Path(__file__).parents[2])}
        line = [sys.executable, "-m", *command]
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def write(self, folder, cases):
        for name, document in cases:
            (folder / f"{name}.py").write_text(python_source(document.machines, document.tables), encoding="utf-8")

    def documents(self):
        found = [
            ("convertible", CONVERTIBLE),
            ("awkward", AWKWARD),
            ("odd", ODD),
            ("tables", MACHINE),
            ("relay", RELAY),
            ("payloads", PAYLOADS),
        ]
        cases = [(name, document_of(text)) for name, text in found]
        for number, case in enumerate(corpus_documents()):
            document = case.values[1]
            try:
                if document is not None and document.machines:
                    python_source(document.machines)
                    cases.append((f"other_{number}", document))
            except ConversionError:
                continue
        return cases

    def test_clean(self, tmp_path):
        """Mypy in its strictest mode and ruff have nothing to say about any module."""
        self.write(tmp_path, self.documents())

        assert "Success: no issues found" in self.run(tmp_path, "mypy", "--strict", "--no-incremental", ".")
        assert "All checks passed!" in self.run(tmp_path, "ruff", "check", "--isolated", "--line-length", "120", ".")
        assert "already formatted" in self.run(
            tmp_path, "ruff", "format", "--check", "--isolated", "--line-length", "120", "."
        )

    def test_typed(self, tmp_path):
        """A type checker knows events, payloads and context, and refuses what is not there."""
        self.write(tmp_path, [("module", document_of(CONVERTIBLE))])
        (tmp_path / "use.py").write_text(USE, encoding="utf-8")
        (tmp_path / "wrong.py").write_text(USE + "\n".join(WRONG) + "\n", encoding="utf-8")

        right = self.run(tmp_path, "mypy", "--strict", "--no-incremental", "use.py")
        assert 'Revealed type is "int"' in right.replace("builtins.", "")
        assert "Success" in right
        wrong = self.run(tmp_path, "mypy", "--strict", "--no-incremental", "wrong.py")
        assert f"Found {len(WRONG)} errors" in wrong


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "document"), corpus_documents())
def test_documents_of_others(name, document):
    """The same for documents of others, where the converter can run them."""
    if not document.machines:
        return
    try:
        for machine in document.machines:
            configurations(machine, [])
    except ConversionError:
        with pytest.raises(ConversionError):
            python_source(document.machines, document.tables)
    else:
        assert_alike(document)


def test_loaded_and_written_messages_agree():
    """An error of an action names the machine alike."""
    failing = {"log": lambda: 1 / 0}
    notes = []
    for cls in (loads(CONVERTIBLE), module_of(document_of(CONVERTIBLE)).Traffic):
        with pytest.raises(ZeroDivisionError) as caught:
            cls(actions=failing)
        notes.append(caught.value.__notes__)

    assert notes[0] == notes[1]
