"""From a running system, between two steps, to a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.exceptions import UnsavableError
from statemachines_orchestrator.system import DelayedEvent, DelayedLink

from ._catalogue import classes_of, has_own_model
from ._definition import definition_of, fingerprint_of, machines_of, names_of
from ._encode import Encoder
from ._legal import why_illegal
from ._records import kind_of
from ._snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statemachine import StateChart
    from statemachine.event_data import TriggerData

    from statemachines_orchestrator.engine import MemberEngine
    from statemachines_orchestrator.system import Occurrence, Scope, Sending, Timer

__all__ = ("take",)

Written = dict[str, Any]


def take(root: Scope) -> Snapshot:
    """
    Describe a whole system; called while no step runs.

    Args:
        root: The outermost orchestrator.

    Raises:
        UnsavableError: Something cannot be saved; lists all of it.
    """
    taker = _Taker(root)
    parts = taker.whole()
    if taker.problems:
        raise UnsavableError(f"no snapshot of {type(root.orchestrator).__name__} can be taken", taker.problems)
    return Snapshot.of(parts)


class _Taker:
    """Collects the parts of one snapshot."""

    def __init__(self, root: Scope) -> None:
        self.root = root
        self.name = type(root.orchestrator).__name__
        self.problems: list[str] = []
        references = _references(root)
        self.encoders: dict[Scope, Encoder] = {}
        for scope in root.tree():
            classes = classes_of(type(scope.orchestrator), machines_of(scope))
            encoder = self.encoders[scope] = Encoder(classes, references)
            encoder.problems = self.problems  # one list for all
        self.state_fields: dict[int, set[str]] = {}
        """The fields in which machines keep their state, by the identity of the model."""
        for engine in root.engines():
            self.state_fields.setdefault(id(engine.sm.model), set()).add(engine.sm.state_field)

    def whole(self) -> Written:
        driver = self.root.driver
        now = driver.clock.now()
        return {
            **self.system(self.root),
            "rested": driver.has_rested,
            "timers": [self.timer(one, now) for one in driver.timers.pending()],
            "held": [self.held(one, f"{self.name}.held[{number}]") for number, one in enumerate(driver.held)],
        }

    def system(self, scope: Scope) -> Written:
        orchestrator = scope.orchestrator
        declaration = orchestrator.__declaration__
        names = names_of(scope)
        systems = {
            one.name: self.system(scope.children[one.name]) if one.name in scope.children else None
            for one in declaration.systems
        }
        definition = definition_of(scope)
        inner = {name: None if node is None else node["fingerprint"] for name, node in systems.items()}
        encode = self.encoders[scope].encode
        return {
            "class": type(orchestrator).__name__,
            "version": declaration.keywords.version,
            "fingerprint": fingerprint_of(definition, inner),
            "definition": definition,
            "members": {
                one.name: self.machine(scope.members[one.name], names) if one.name in scope.members else None
                for one in declaration.members
            },
            "collections": {
                one.name: [
                    {"key": key, "machine": self.machine(engine, names)}
                    for key, engine in scope.collections.get(one.name, {}).items()
                ]
                for one in declaration.collections
            },
            "systems": systems,
            "data": {
                one.name: encode(getattr(orchestrator, one.name), self.place(scope, one.name))
                for one in declaration.data
            },
            "conditions": [
                {"link": link, **_key(key), "holds": bool(holds)} for (link, key), holds in scope.memory.items()
            ],
        }

    def place(self, scope: Scope, name: str) -> str:
        return ".".join((self.name, *scope.path, name))

    # -- machines --------------------------------------------------------------------------------------------

    def machine(self, engine: MemberEngine, names: Mapping[type, str]) -> Written:
        machine = engine.sm
        chart = read_chart(type(machine))
        where = f"{self.name}.{engine.address}"
        active = self.active(machine, where)
        encoder = self.encoders[engine.host]
        parts = {
            "active": active,
            "history": {name: [state.id for state in states] for name, states in machine.history_values.items()},
            "ended": not engine.running,
            "irregular": why_illegal(chart, active) is not None,
            "queue": self.queue(engine, where),
            "invoking": self.invoking(engine, where),
        }
        written = {"class": names[type(machine)], "active": active, **{name: one for name, one in parts.items() if one}}
        if engine._root_parallel_final_pending is not None:
            written["ending"] = engine._root_parallel_final_pending.id
        if engine.is_held:
            written["start"] = encoder.encode(self.carried(engine, engine._held or {}), f"{where}: its start")
        if has_own_model(machine) and not self.is_empty(machine, engine):
            fields = frozenset(self.state_fields[id(machine.model)])
            written["model"] = encoder.record(machine.model, f"{where}.model", fields)
        own = getattr(machine, "__orchestrator_save__", None)
        if own is not None:
            written["own"] = encoder.encode(own(), f"{where}: what __orchestrator_save__ returned")
        return written

    def active(self, machine: StateChart[Any], where: str) -> list[str]:
        found: list[str] = []
        for value in machine.configuration_values:
            state = machine.states_map.get(value)
            if state is None:
                self.problems.append(f"{where}: its model holds {value!r}, and that is none of its states.")
            else:
                found.append(state.id)
        return found

    def is_empty(self, machine: StateChart[Any], engine: MemberEngine) -> bool:
        """Whether a model has nothing but the states of its machines, so that nobody need know its class."""
        model: Any = machine.model
        classes = classes_of(type(engine.host.orchestrator), [machine])
        if kind_of(type(model)) is not None or classes.custom_for(type(model)) is not None:
            return False
        return hasattr(model, "__dict__") and not vars(model).keys() - self.state_fields[id(model)]

    def queue(self, engine: MemberEngine, where: str) -> list[Written]:
        waiting = sorted(engine.external_queue.queue.queue)
        return [
            self.event(one, engine, f"{where}: the queued event {one.event}") for one in waiting if not one.cancelled
        ]

    def invoking(self, engine: MemberEngine, where: str) -> list[Written]:
        """Describe the states whose invocations have not finished."""
        found: dict[str, Written] = {}
        manager = engine.invocations
        for one in manager._active.values() if manager is not None else ():
            if one.terminated or one.ctx.cancelled.is_set() or one.state_id in found:
                continue
            carried = self.carried(engine, one.ctx.kwargs)
            kwargs = self.encoders[engine.host].encode(carried, f"{where}: the invocation of {one.state_id}")
            found[one.state_id] = {"state": one.state_id, **({"kwargs": kwargs} if kwargs else {})}
        for state, kwargs in engine.to_invoke:  # nothing has happened since it was restored
            encoded = self.encoders[engine.host].encode(dict(kwargs), f"{where}: the invocation of {state.id}")
            found[state.id] = {"state": state.id, **({"kwargs": encoded} if encoded else {})}
        return list(found.values())

    # -- events ----------------------------------------------------------------------------------------------

    @staticmethod
    def carried(engine: MemberEngine, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return keywords without what the system adds to them itself."""
        own = {engine.host.parameter, "member_key"}
        return {name: value for name, value in kwargs.items() if name not in own}

    def event(self, trigger: TriggerData, engine: MemberEngine, where: str) -> Written:
        written: Written = {"event": str(trigger.event)}
        name = getattr(trigger.event, "name", None)
        if name and name != str(trigger.event):
            written["name"] = str(name)
        kwargs = self.carried(engine, trigger.kwargs)
        written.update(self.arguments(engine.host, trigger.args, kwargs, where))
        if trigger.send_id is not None:
            written["send_id"] = str(trigger.send_id)
        delay = getattr(trigger.event, "delay", None)
        return {**written, "delay": delay} if delay else written

    def arguments(self, scope: Scope, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str) -> Written:
        encode = self.encoders[scope].encode
        written: Written = {}
        if args:
            written["args"] = encode(list(args), f"{where}: its arguments")
        if kwargs:
            written["kwargs"] = encode(dict(kwargs), where)
        return written

    def timer(self, timer: Timer, now: float) -> Written:
        left = max(0.0, round(timer.due - now, 9))
        what = timer.what
        if isinstance(what, DelayedEvent):
            where = f"{self.name}: {what}"
            event = self.event(what.trigger, what.engine, where)
            return {"left": left, "event": {"member": _member(what.engine), **event}}
        if isinstance(what, DelayedLink):
            where = f"{self.name}: the delayed link {what.link.name}"
            return {
                "left": left,
                "link": {
                    "system": ".".join(what.scope.path),
                    "link": what.link.name,
                    "occurrence": self.occurrence(what.scope, what.occurrence, where),
                },
            }
        self.problems.append(f"{self.name}: nobody knows how to save {timer!r} for {what!r}.")
        return {"left": left}

    def held(self, held: Sending, where: str) -> Written:
        return {
            "system": ".".join(held.scope.path),
            "link": held.firing.link.name,
            "occurrence": self.occurrence(held.scope, held.firing.occurrence, where),
            **({"member": _member(held.engine)} if held.engine is not None else {}),
            "event": held.event,
            **self.arguments(held.scope, held.args, held.kwargs, where),
        }

    def occurrence(self, scope: Scope, occurrence: Occurrence, where: str) -> Written:
        written: Written = {"address": occurrence.address}
        machine = occurrence.machine
        engine = next((one for one in self.root.engines() if one.sm is machine), None) if machine is not None else None
        if engine is not None:
            written["machine"] = _member(engine)  # one that was taken out of its collection does not come back
        for name in ("key", "event", "state"):
            value = getattr(occurrence, name)
            if value is not None:
                written[name] = str(value)
        kwargs = {name: value for name, value in occurrence.kwargs.items() if name != scope.parameter}
        return {**written, **self.arguments(scope, occurrence.args, kwargs, where)}


def _key(key: str | None) -> Written:
    return {} if key is None else {"key": key}


def _member(engine: MemberEngine) -> Written:
    return {"address": ".".join((*engine.host.path, engine.member)), **_key(engine.key)}


def _references(root: Scope) -> dict[int, Written]:
    found = {id(scope.orchestrator): {"$type": "system", "address": ".".join(scope.path)} for scope in root.tree()}
    found.update({id(engine.sm): {"$type": "member", **_member(engine)} for engine in root.engines()})
    return found
