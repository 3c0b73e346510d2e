"""
Machines that invoke each other as an orchestrator.

A machine that runs from the start is a member, under its own name. Machines that states invoke come and go, so the
machines of one kind are a collection. With a member for each invoke instead there would be no place for a machine that
invokes itself.
"""

from __future__ import annotations

import sys
from abc import ABC
from inspect import isawaitable
from keyword import iskeyword
from threading import Lock
from types import new_class
from typing import TYPE_CHECKING, Any, ClassVar

from statemachines_orchestrator import Members, Orchestrator, machine, machines
from statemachines_orchestrator.declare import RESERVED_FIELDS
from statemachines_orchestrator.engine import engine_of, host_of

from ._names import identifier
from ._tables import snake_case
from ._timeouts import arm_waiting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from statemachine.event_data import TriggerData

    from ._machine import OrcaChart

__all__ = ("OrcaSystem", "at_home", "begin_alone", "field_names", "home_of", "is_importable", "system_class")

_lock = Lock()


class OrcaSystem(Orchestrator, ABC):
    """
    An orchestrator whose machines an Orca document describes.

    Classes made by `load_orchestrator` are subclasses of this one, and can be subclassed to add links, guards and data.
    """

    if TYPE_CHECKING:
        # The machines of a document are unknown to type checkers.
        def __init__(self, *arguments: Any, **keywords: Any) -> None: ...

        def __getattr__(self, name: str) -> Any: ...


def field_names(members: Iterable[str], invoked: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """
    Give every machine of a system its field.

    Args:
        members: Names of the machines that run from the start, in document order.
        invoked: Names of the machines that states invoke.

    Returns:
        The fields of the members, and those of the collections, by the names of the machines. A field is the name in
        snake case; where that is taken there is ``invoked_`` before it or a number behind.
    """
    taken = {*dir(Orchestrator), *RESERVED_FIELDS}
    return _fields(members, "machine_", taken), _fields(invoked, "invoked_", taken)


def _fields(names: Iterable[str], prefix: str, taken: set[str]) -> dict[str, str]:
    found = {}
    for name in names:
        found[name] = _free(snake_case(identifier(name)), prefix, taken)
        taken.add(found[name])
    return found


def _free(stem: str, prefix: str, taken: Collection[str]) -> str:
    usable = stem.isidentifier() and not iskeyword(stem)
    wanted = stem if usable and stem not in taken else f"{prefix}{stem}"
    numbered = (f"{wanted}_{number}" if number > 1 else wanted for number in range(1, len(taken) + 2))
    return next(one for one in numbered if one not in taken)


def system_class(
    name: str,
    members: Sequence[type[OrcaChart]],
    invoked: Sequence[type[OrcaChart]],
    *,
    version: str = "1",
    base: type[OrcaSystem] = OrcaSystem,
    **attributes: Any,
) -> type[OrcaSystem]:
    """
    Make the class of a system.

    Args:
        name: Name of the class.
        members: Classes of the machines that run from the start.
        invoked: Classes of the machines that states invoke.
        version: The version of the class, for snapshots.
        base: What it derives from.
        **attributes: What else stands in the body of the class.
    """
    fields, collections = field_names(
        [one.definition.name for one in members], [one.definition.name for one in invoked]
    )
    annotations: dict[str, Any] = {}
    body: dict[str, Any] = {"__module__": __name__.rpartition(".")[0], **attributes, "__annotations__": annotations}
    for one in members:
        field = fields[one.definition.name]
        annotations[field], body[field] = one, machine(factory=one)
    for one in invoked:
        field = collections[one.definition.name]
        annotations[field], body[field] = Members[one], machines(one)  # type: ignore[valid-type]
    return new_class(name, (base,), {"version": version}, lambda namespace: namespace.update(body))


# -- machines that are used alone ------------------------------------------------------------------------------------


def at_home(machine: OrcaChart, result: Any) -> Any:
    """
    Give a machine that is used alone an orchestrator of its own, if something that it invokes is about to begin.

    Args:
        machine: The machine, which may have done something.
        result: What its caller gets.

    Returns:
        The result, or an awaitable of it if there is something to wait for.
    """
    if isawaitable(result):
        return result if host_of(machine) is not None else _afterwards(machine, result)
    begun = _move_in(machine)
    return _after(begun, result) if isawaitable(begun) else result


async def _afterwards(machine: OrcaChart, first: Any) -> Any:
    result = await first
    begun = _move_in(machine)
    if isawaitable(begun):
        await begun
    return result


async def _after(first: Any, result: Any) -> Any:
    await first
    return result


def _move_in(machine: OrcaChart) -> Any:
    """Adopt a machine at rest, and let it start what it invokes; an awaitable if the system is asynchronous."""
    with _lock:
        orca = machine._orca
        waits = orca.pending or orca.unarmed
        if not waits or host_of(machine) is not None or machine._engine._processing.locked():
            return None
        made = _new_home(machine)
        arm_waiting(machine)
        _fire(made)
    return machine._processing_loop()


def begin_alone(machine: OrcaChart, delayed: Iterable[tuple[TriggerData, float]]) -> None:
    """
    Give a machine that its orchestrator has released one of its own, on which its timers go on.

    Args:
        machine: The machine, which is at rest.
        delayed: Its timers, and in how many seconds each is due.
    """
    with _lock:
        made = _new_home(machine)
        engine = engine_of(machine)
        for trigger, seconds in delayed:
            engine.host.delay(engine, trigger, seconds)
        _fire(made)


def _new_home(machine: OrcaChart) -> Any:
    home = _home_of(type(machine))
    (field,) = (one.name for one in home.__declaration__.members)
    return home(**{field: machine}, **({} if machine._given_clock is None else {"clock": machine._given_clock}))


def _fire(home: Any) -> None:
    driver = home._system.driver
    if not driver.is_async:
        driver.start_firing()


def home_of(machine: OrcaChart) -> OrcaSystem | None:
    """Give the orchestrator that a machine has of its own."""
    host = host_of(machine)
    whole = host.orchestrator if host is not None else None
    return whole if isinstance(whole, _Home) and engine_of(machine).key is None else None


class _Home(OrcaSystem, ABC):
    """The orchestrator of a machine that is used alone."""

    _machine_class: ClassVar[type[OrcaChart]]

    def __orchestrator_lets_go__(self) -> bool:
        """Whether the machine may join another orchestrator: its timers go with it, machines that it invokes cannot."""
        return not any(getattr(self, field.name) for field in type(self).__declaration__.collections)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Take it apart for `pickle`; its class is made again with that of the machine."""
        _, _, parts = super().__reduce_ex__(protocol)
        cls = self._machine_class
        return _blank_home, (cls if is_importable(cls) else cls._blueprint.recipe,), parts


def _blank_home(source: Any) -> Any:
    from ._build import blank_machine  # noqa: PLC0415 - it makes classes whose machines come here

    cls = source if isinstance(source, type) else type(blank_machine(source))
    home = _home_of(cls)
    return home.__new__(home)


def is_importable(cls: type) -> bool:
    """Whether a class is found under its name, so that pickled objects of it need not bring it along."""
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


def _home_of(cls: type[OrcaChart]) -> type[OrcaSystem]:
    if "_home" not in vars(cls):
        below = cls._blueprint.invoked()
        invoked = [cls if name == cls.definition.name else kind for name, kind in below.items()]
        made = system_class(f"{cls.__name__}System", [cls], invoked, base=_Home, _machine_class=cls)
        type.__setattr__(cls, "_home", made)
    found: type[OrcaSystem] = vars(cls)["_home"]
    return found
