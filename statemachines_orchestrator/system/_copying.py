"""
Copies of a whole orchestrator: `copy`, `deepcopy` and `pickle`.

python-statemachine can copy one machine, unless it has recorded history, and starts the copy anew if the model
is not filled in yet. So machines are taken apart into records here and put together on a member engine; no
callback runs. A reference to a member from anywhere in the copied data (a model that knows its machine) leads
to the member of the copy: classes of members get a reducer that says "the order of that shop".

Not copied: delayed events and running invocations. They belong to the original.
"""

from __future__ import annotations

import copy
import copyreg
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from statemachine import StateChart
from statemachine.callbacks import CallbacksRegistry

from statemachines_orchestrator.engine import engine_of, host_of, make_held

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._driver import Driver

__all__ = ("MemberRecord", "blank", "member_of", "record_of", "register", "restore", "with_own_model")


T = TypeVar("T")


def blank(kind: type[T]) -> T:
    """Make an object without calling its constructor."""
    return kind.__new__(kind)


@dataclass(frozen=True)
class MemberRecord:
    """One machine as data."""

    maker: Callable[..., Any]
    """Makes a blank machine of `arguments`, as the machine's own ``__reduce_ex__`` says."""
    arguments: tuple[Any, ...]
    state: Mapping[str, Any]
    """What the machine's own ``__getstate__`` gives, without history."""
    history: Mapping[str, tuple[Any, ...]]
    """State values by history state."""
    running: bool
    held: Mapping[str, Any] | None

    def blank(self) -> StateChart[Any]:
        """Make the machine, to be filled in by `restore`."""
        machine: StateChart[Any] = self.maker(*self.arguments)
        return machine


def record_of(machine: StateChart[Any]) -> MemberRecord:
    """Describe a machine that is between two macrosteps."""
    engine = engine_of(machine)
    maker, arguments, state = _parts_of(machine)
    return MemberRecord(
        maker,
        arguments,
        state={**state, "history_values": {}},
        history={name: tuple(state.value for state in states) for name, states in machine.history_values.items()},
        running=engine.running,
        held=engine._held,
    )


def _parts_of(machine: StateChart[Any]) -> tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any]]:
    """Take a machine apart by its own means: a class that cannot be imported says how to make it again."""
    parts = machine.__reduce_ex__(4)
    if isinstance(parts, tuple) and len(parts) > 2 and isinstance(parts[2], dict):  # noqa: PLR2004 - the state
        return parts[0], parts[1], parts[2]
    return blank, (type(machine),), machine.__getstate__()


def with_own_model(record: MemberRecord) -> MemberRecord:
    """Return the record with a shallow copy of the model, which holds the state and cannot be shared."""
    return replace(record, state={**record.state, "model": copy.copy(record.state["model"])})


def restore(machine: StateChart[Any], record: MemberRecord, driver: Driver) -> None:
    """Fill in a blank machine, on a member engine of `driver`; runs no callback."""

    def fill() -> StateChart[Any]:
        if type(machine).__setstate__ is StateChart.__setstate__:
            _fill(machine, dict(record.state))
        else:
            machine.__setstate__(dict(record.state))
        return machine

    make_held(driver, (type(machine),), fill)
    machine.history_values = {
        name: [machine.states_map[value] for value in values] for name, values in record.history.items()
    }
    engine = engine_of(machine)
    engine.running = record.running
    engine._held = record.held


def _fill(machine: StateChart[Any], state: dict[str, Any]) -> None:
    # As python-statemachine's __setstate__, except that listeners come back with the rights they had: it adds
    # them late, when they can no longer provide guards that are named in the class.
    listeners = list(state.pop("_listeners").values())
    vars(machine).update(state)
    machine._callbacks = CallbacksRegistry()
    machine._config = machine._build_configuration()
    machine._listeners = {}
    machine._register_callbacks(listeners)
    machine._engine = machine._get_engine()
    machine._engine.start()


def member_of(
    orchestrator: object, name: str, maker: Callable[..., StateChart[Any]], arguments: tuple[Any, ...]
) -> StateChart[Any]:
    """Return the member of an orchestrator; a blank machine while the orchestrator is being put together."""
    values = vars(orchestrator)
    if name not in values:
        values[name] = maker(*arguments)
    machine: StateChart[Any] = values[name]
    return machine


def register(machine_class: type[StateChart[Any]]) -> None:
    """Let references to machines of this class be copied as references to a member, where they are one."""
    if machine_class not in copyreg.dispatch_table:
        copyreg.pickle(machine_class, _reduce)


def _reduce(machine: StateChart[Any]) -> Any:
    host = host_of(machine)
    if host is None:
        return machine.__reduce_ex__(4)
    maker, arguments, _ = _parts_of(machine)
    return member_of, (host.orchestrator, engine_of(machine).member, maker, arguments)
