"""
From a snapshot into a system whose machines exist and have not started.

First everything is looked at and read, and whatever does not fit is told. Only then the system is changed, by what has
been planned meanwhile. No callback of a machine runs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from statemachine.callbacks import CallbacksRegistry
from statemachine.event import BoundEvent
from statemachine.event_data import TriggerData
from statemachine.orderedset import OrderedSet

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.declare import nearest
from statemachines_orchestrator.engine import engine_of
from statemachines_orchestrator.exceptions import SnapshotMismatchError
from statemachines_orchestrator.system import DelayedLink, Firing, Occurrence, Sending

from ._catalogue import classes_of
from ._decode import Decoder
from ._definition import chart_differences, definition_of, differences, fingerprint_of, machines_of
from ._legal import unknown_states, why_illegal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from statemachine import StateChart

    from statemachines_orchestrator.declare import Link
    from statemachines_orchestrator.engine import MemberEngine
    from statemachines_orchestrator.system import Scope

__all__ = ("fill", "refuse_another")

Written = dict[str, Any]


def fill(root: Scope, whole: Written, *, restart: bool) -> None:
    """
    Make a system what a snapshot says.

    Args:
        root: The outermost orchestrator of the system.
        whole: The parts of the snapshot, in the version of each class.
        restart: Whether invocations that were running are started anew in the first step.

    Raises:
        SnapshotMismatchError: The snapshot does not fit the classes; lists everything, and nothing has been changed.
    """
    name = type(root.orchestrator).__name__
    refuse_another(name, whole["version"], _all_differences(root, whole, name)[1])
    filler = _Filler(root, restart=restart)
    filler.whole(whole)
    if filler.problems:
        raise SnapshotMismatchError(f"this snapshot does not fit {name}", filler.problems)
    for action in filler.plan:
        action()


def refuse_another(name: str, version: str, found: list[str]) -> None:
    """
    Refuse the snapshot of another definition.

    Args:
        name: Name of the orchestrator class.
        version: Version of the snapshot, and of the class.
        found: What differs, if anything.

    Raises:
        SnapshotMismatchError: Something differs.
    """
    if found:
        way = f"class {name}(Orchestrator, version=...) and register @{name}.migration({version!r}, ...)"
        raise SnapshotMismatchError(f"{name} is not what it was. To go on, give it a new version, {way}", found)


def _all_differences(scope: Scope, node: Written, where: str) -> tuple[str, list[str]]:
    """Return the fingerprint of an orchestrator, and the differences from its snapshot, of nested ones included."""
    found: list[str] = []
    inner: dict[str, str | None] = {}
    for one in scope.orchestrator.__declaration__.systems:
        child, part = scope.children.get(one.name), node["systems"].get(one.name)
        if child is None or part is None:
            inner[one.name] = None
        else:
            inner[one.name], more = _all_differences(child, part, f"{where}.{one.name}")
            found += more
    now = definition_of(scope)
    fingerprint = fingerprint_of(now, inner)
    if "definition" in node and node["fingerprint"] != fingerprint:  # else it has been migrated
        found = [*differences(node["definition"], now, where), *found]
        found = found or [f"{where}: its fingerprint is {fingerprint} and was {node['fingerprint']}"]
    return fingerprint, found


class _Filler:
    """Reads one snapshot, and plans what to do."""

    def __init__(self, root: Scope, *, restart: bool) -> None:
        self.root = root
        self.restart = restart
        self.name = type(root.orchestrator).__name__
        self.problems: list[str] = []
        self.plan: list[Callable[[], object]] = []
        self.scopes = {".".join(scope.path): scope for scope in root.tree()}
        self.engines = {(".".join((*one.host.path, one.member)), one.key): one for one in root.engines()}
        self.decoders: dict[Scope, Decoder] = {}
        for scope in root.tree():
            classes = classes_of(type(scope.orchestrator), machines_of(scope))
            decoder = self.decoders[scope] = Decoder(classes, self.referred)
            decoder.problems = self.problems  # one list for all

    def referred(self, written: Mapping[str, Any]) -> Any:
        """Return what a reference stands for."""
        address, key = written.get("address"), written.get("key")
        if written["$type"] == "system":
            scope = self.scopes.get(str(address))
            return None if scope is None else scope.orchestrator
        engine = self.engines.get((str(address), key))
        return None if engine is None else engine.sm

    def problem(self, where: str, what: str) -> None:
        self.problems.append(f"{where}: {what}.")

    # -- orchestrators ---------------------------------------------------------------------------------------

    def whole(self, whole: Written) -> None:
        self.system(self.root, whole, self.name)
        driver = self.root.driver
        timers = [self.timer(one, f"{self.name}.timers[{number}]") for number, one in enumerate(whole["timers"])]
        held = [self.held(one, f"{self.name}.held[{number}]") for number, one in enumerate(whole["held"])]
        self.plan += [timer for timer in timers if timer is not None]
        self.plan.append(partial(driver.resume, rested=whole["rested"], held=[one for one in held if one]))

    def system(self, scope: Scope, node: Written, where: str) -> None:
        declaration = scope.orchestrator.__declaration__
        self.compare(node["members"], [one.name for one in declaration.members], where, "member")
        self.compare(node["collections"], [one.name for one in declaration.collections], where, "collection")
        self.compare(node["systems"], [one.name for one in declaration.systems], where, "nested orchestrator")
        self.compare(node["data"], [one.name for one in declaration.data], where, "declared datum")
        for name, child in scope.children.items():
            if self.is_there(node["systems"].get(name), f"{where}.{name}"):
                self.system(child, node["systems"][name], f"{where}.{name}")
        for engine, entry, place in self.entries(scope, node, where):
            self.machine(engine, entry, place)
        for name in (one.name for one in declaration.data if one.name in node["data"]):
            value = self.decoders[scope].decode(node["data"][name], f"{where}.{name}")
            self.plan.append(partial(vars(scope.orchestrator).__setitem__, name, value))
        for entry in node["conditions"]:
            if self.link(scope, entry["link"], f"{where}: the memory of a condition") is not None:
                about = (entry["link"], entry.get("key"))
                self.plan.append(partial(scope.memory.__setitem__, about, entry["holds"]))

    def compare(self, was: Mapping[str, Any], now: list[str], where: str, word: str) -> None:
        for name in was:
            if name not in now:
                close = nearest(name, now)
                self.problem(
                    f"{where}.{name}", f"there is no such {word}" + (f"; is it {close!r} now?" if close else "")
                )
        for name in now:
            if name not in was:
                self.problem(f"{where}.{name}", f"the {word} is missing in the snapshot")

    def is_there(self, written: Any, where: str) -> bool:
        if written is None:
            self.problem(where, "it is here, and absent in the snapshot")
        return written is not None

    def entries(self, scope: Scope, node: Written, where: str) -> Iterator[tuple[MemberEngine, Written, str]]:
        charts = node.get("definition", {}).get("charts", {})
        for name, engine in scope.members.items():
            if name in node["members"] and self.is_there(node["members"][name], f"{where}.{name}"):
                yield engine, node["members"][name], f"{where}.{name}"
        for name, members in scope.collections.items():
            written: dict[str, Written] = {}
            for one in node["collections"].get(name, ()):
                if one["key"] in written:
                    self.problem(f"{where}.{name}[{one['key']}]", "the key stands in the snapshot twice")
                written[one["key"]] = one["machine"]
            for key, engine in members.items():
                place = f"{where}.{name}[{key}]"
                if self.is_there(written.get(key), place):
                    if written[key]["class"] in charts:
                        self.problems += chart_differences(charts[written[key]["class"]], type(engine.sm), place)
                    yield engine, written[key], place

    # -- machines --------------------------------------------------------------------------------------------

    def machine(self, engine: MemberEngine, entry: Written, where: str) -> None:
        before = len(self.problems)
        cls = type(engine.sm)
        if entry["class"] not in (cls.__qualname__, f"{cls.__module__}.{cls.__qualname__}"):
            self.problem(where, f"it was a {entry['class']}, and is a {cls.__qualname__} here; pass one of its class")
        self.states(engine, entry, where)
        decoder = self.decoders[engine.host]
        start = self.keywords(decoder, entry["start"], f"{where}: its start") if "start" in entry else None
        queue = [self.event(engine, one, f"{where}: a queued event") for one in entry.get("queue", ())]
        invoking = [
            (one["state"], self.keywords(decoder, one.get("kwargs", {}), f"{where}: the invocation of {one['state']}"))
            for one in entry.get("invoking", ())
        ]
        if "model" in entry:
            self.model(engine.sm, decoder, entry["model"], f"{where}.model")
        own = decoder.decode(entry["own"], f"{where}: what __orchestrator_save__ returned") if "own" in entry else None
        if len(self.problems) > before:
            return
        self.plan.append(partial(_put, engine, entry, start, queue))
        if "own" in entry:
            self.own(engine.sm, own, where)
        if self.restart:
            states, chart = engine.sm.states_map, read_chart(type(engine.sm))
            again = tuple((states[chart.node(state).value], kwargs) for state, kwargs in invoking)
            self.plan.append(partial(setattr, engine, "to_invoke", again))

    def states(self, engine: MemberEngine, entry: Written, where: str) -> None:
        """Look whether all states exist, and can be active together."""
        chart = read_chart(type(engine.sm))
        history = entry.get("history", {})
        named = (*entry["active"], *history, *(one for states in history.values() for one in states))
        more = (*([entry["ending"]] if "ending" in entry else ()), *(one["state"] for one in entry.get("invoking", ())))
        unknown = list(unknown_states(chart, dict.fromkeys((*named, *more))))
        for one in unknown:
            self.problem(where, one)
        for name in history:
            if not unknown and not chart.node(name).is_history:
                self.problem(where, f"{chart.name}.{name} is no history state, so nothing is remembered under it")
        why = None if unknown or entry.get("irregular") else why_illegal(chart, entry["active"])
        if why is not None:
            self.problem(where, f"that is no configuration of {chart.name}: {why}")

    def model(self, machine: StateChart[Any], decoder: Decoder, written: Any, where: str) -> None:
        filling = decoder.filling(machine.model, written, where)
        if filling is None:
            filling = partial(_replace_model, machine, decoder.decode(written, where))
        self.plan.append(filling)

    def own(self, machine: StateChart[Any], own: Any, where: str) -> None:
        restore = getattr(machine, "__orchestrator_restore__", None)
        if restore is None:
            name = type(machine).__name__
            self.problem(where, f"{name} has no __orchestrator_restore__ for what its __orchestrator_save__ returned")
        else:
            self.plan.append(partial(restore, own))

    # -- events ----------------------------------------------------------------------------------------------

    def keywords(self, decoder: Decoder, written: Any, where: str) -> dict[str, Any]:
        found = decoder.decode(written, where)
        if isinstance(found, dict):
            return found
        self.problem(where, "keywords are written by name")
        return {}

    def arguments(self, scope: Scope, written: Written, where: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        decoder = self.decoders[scope]
        args = decoder.decode(written.get("args", []), f"{where}: its arguments")
        if not isinstance(args, list):
            self.problem(where, "arguments are written as a list")
            args = []
        return tuple(args), self.keywords(decoder, written.get("kwargs", {}), where)

    def event(self, engine: MemberEngine, written: Written, where: str) -> TriggerData:
        name = written["event"]
        args, kwargs = self.arguments(engine.host, written, where)
        event = BoundEvent(id=name, name=written.get("name", name), _sm=engine.sm)
        trigger = TriggerData(engine.sm, event, written.get("send_id"), args=args, kwargs=kwargs)
        event.delay = written.get("delay", 0)  # afterwards: it has passed, or is counted by a timer
        return trigger

    def timer(self, written: Written, where: str) -> Callable[[], object] | None:
        if ("event" in written) is ("link" in written):
            self.problem(where, "a timer is for an event or for a link")
            return None
        driver = self.root.driver
        if "event" in written:
            engine = self.engine(written["event"]["member"], where)
            if engine is None:
                return None
            trigger = self.event(engine, written["event"], where)
            return partial(_delay, engine, trigger, written["left"])
        entry = written["link"]
        scope = self.scope(entry["system"], where)
        link = self.link(scope, entry["link"], where) if scope is not None else None
        occurrence = self.occurrence(scope, entry["occurrence"], where) if scope is not None else None
        if scope is None or link is None or occurrence is None:
            return None
        what = DelayedLink(scope, link, occurrence)
        return partial(driver.set_timer, written["left"], what, *what.keys())

    def held(self, written: Written, where: str) -> Sending | None:
        scope = self.scope(written["system"], where)
        link = self.link(scope, written["link"], where) if scope is not None else None
        if scope is None or link is None:
            return None
        occurrence = self.occurrence(scope, written["occurrence"], where)
        engine = self.engine(written["member"], where) if "member" in written else None
        if engine is None:
            known: list[str] = list(scope.wiring.joint_events)
        else:
            known = list(read_chart(type(engine.sm)).events)
        if written["event"] not in known:
            self.problem(where, f"there is no event {written['event']!r}")
        args, kwargs = self.arguments(scope, written, where)
        return Sending(Firing(scope, link, occurrence, None), engine, written["event"], args, kwargs)

    def occurrence(self, scope: Scope, written: Written, where: str) -> Occurrence:
        args, kwargs = self.arguments(scope, written, where)
        engine = self.engine(written["machine"], where) if "machine" in written else None
        texts = (written.get("key"), written.get("event"), written.get("state"))
        return Occurrence(written["address"], None if engine is None else engine.sm, *texts, args, kwargs)

    def scope(self, address: str, where: str) -> Scope | None:
        scope = self.scopes.get(address)
        if scope is None:
            self.problem(where, f"there is no nested orchestrator {address!r}")
        return scope

    def engine(self, written: Written, where: str) -> MemberEngine | None:
        engine = self.engines.get((written["address"], written.get("key")))
        if engine is None:
            key = f"[{written['key']}]" if "key" in written else ""
            self.problem(where, f"there is no member {written['address']}{key}")
        return engine

    def link(self, scope: Scope, name: str, where: str) -> Link | None:
        links = scope.wiring.links
        if name not in links:
            close = nearest(name, links)
            self.problem(where, f"there is no link {name!r}" + (f"; is it {close!r} now?" if close else ""))
        return links.get(name)


# -- what is done in the end -------------------------------------------------------------------------------------


def _put(engine: MemberEngine, entry: Written, start: dict[str, Any] | None, queue: list[TriggerData]) -> None:
    """Give a machine its states and what it had still to do."""
    machine, chart = engine.sm, read_chart(type(engine.sm))
    values = OrderedSet(chart.node(state).value for state in entry["active"])
    machine.current_state_value = values or None  # always a new set: psm would miss a change inside one (trap D35)
    machine.history_values = {
        name: [machine.states_map[chart.node(state).value] for state in states]
        for name, states in entry.get("history", {}).items()
    }
    engine.resume(
        running=not entry.get("ended", False),
        pending_final=machine.states_map[chart.node(entry["ending"]).value] if "ending" in entry else None,
        held=start,
        queued=queue,
    )


def _delay(engine: MemberEngine, trigger: TriggerData, seconds: float) -> None:
    engine.host.driver.delay(engine, trigger, seconds)


def _replace_model(machine: StateChart[Any], model: Any) -> None:
    """Let a machine keep its state in another object, and find callbacks there."""
    listeners = list(machine._listeners.values())
    machine.model = model
    machine._callbacks = CallbacksRegistry()
    machine._config = machine._build_configuration()
    machine._listeners = {}
    machine._register_callbacks(listeners)
    engine_of(machine).look_again()
