"""Where everything is: the active states of every machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statemachine import StateChart

__all__ = ("SystemConfiguration", "configuration_of", "is_ended")


class SystemConfiguration(Mapping[str, frozenset[str]]):
    """
    The active states of every member, as a frozen, hashable mapping from field to state ids.

    Two configurations are equal if the same states are active in the same members. The text form shows the
    innermost states: ``order=processing payment=unpaid``, ``light=red+walk`` for parallel regions, and ``-`` for a
    machine that has not entered its initial state.
    """

    __slots__ = ("_hash", "_shown", "_states")

    def __init__(self, states: Mapping[str, frozenset[str]], shown: Mapping[str, str] | None = None) -> None:
        self._states = dict(states)
        self._shown = dict(shown) if shown is not None else {name: _joined(sorted(ids)) for name, ids in states.items()}
        self._hash = hash(frozenset(self._states.items()))

    def __getitem__(self, member: str) -> frozenset[str]:
        try:
            return self._states[member]
        except KeyError:
            msg = f"there is no member {member!r}; the members are {', '.join(self._states)}"
            raise KeyError(msg) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SystemConfiguration):
            return NotImplemented
        return self._states == other._states

    def __repr__(self) -> str:
        return " ".join(f"{name}={shown}" for name, shown in self._shown.items())


def configuration_of(machines: Mapping[str, StateChart[Any]]) -> SystemConfiguration:
    """Read the configuration of all machines."""
    states: dict[str, frozenset[str]] = {}
    shown: dict[str, str] = {}
    for name, machine in machines.items():
        active = list(machine.configuration)
        states[name] = frozenset(state.id for state in active)
        shown[name] = _joined([state.id for state in active if state.is_atomic])
    return SystemConfiguration(states, shown)


def is_ended(machine: StateChart[Any]) -> bool:
    """
    Whether a machine has reached its end.

    Read from the configuration as well as from the engine, which forgets it on a restored machine (D4). A class whose
    machines end otherwise says so itself in ``__orchestrator_is_ended__``.
    """
    engine = machine._engine
    own = getattr(machine, "__orchestrator_is_ended__", None)
    if own is not None:
        return bool(own()) or not engine.running
    active = list(machine.configuration)
    if any(state.final and state.parent is None for state in active):
        return True
    roots = [state for state in active if state.parent is None and state.parallel]
    return not engine.running or any(engine.is_in_final_state(root) for root in roots)


def _joined(ids: list[str]) -> str:
    return "+".join(ids) or "-"
