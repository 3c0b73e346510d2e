"""The states of one machine as objects of its own, each made when somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachine.state import InstanceState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statemachine import State, StateChart

__all__ = ("OwnState", "OwnStates")

_ABSENT: Any = object()


class OwnStates(dict[Any, Any]):
    """A machine's own states, by value; what python-statemachine makes for every machine at once."""

    __slots__ = ("_machine",)

    def __init__(self, machine: StateChart[Any]) -> None:
        super().__init__()
        self._machine = machine

    def __missing__(self, value: Any) -> Any:
        machine = self._machine
        # Two threads may ask for the same one: both are to get the one that was kept.
        return self.setdefault(value, InstanceState(machine.states_map[value], machine, self))

    def get(self, value: Any, default: Any = None) -> Any:
        """Return the state with a value, if the class has one."""
        return self[value] if value in self else default  # noqa: SIM401 - that would be this very method

    def __contains__(self, value: object) -> bool:
        return value in self._machine.states_map

    def __len__(self) -> int:
        return len(self._machine.states_map)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._machine.states_map)

    def _completed(self) -> OwnStates:
        made = {value: self[value] for value in self._machine.states_map}
        super().clear()
        super().update(made)  # in the order of the class
        return self

    def keys(self) -> Any:
        """Return the values of all states."""
        return super(OwnStates, self._completed()).keys()

    def values(self) -> Any:
        """Return all states."""
        return super(OwnStates, self._completed()).values()

    def items(self) -> Any:
        """Return all states by value."""
        return super(OwnStates, self._completed()).items()

    def __eq__(self, other: object) -> bool:
        return dict.__eq__(self._completed(), other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has asked for any of them."""
        return not dict.__len__(self)


class OwnState:
    """What a class with cheap machines has under the name of a state: of a machine it is the machine's own."""

    __slots__ = ("_name", "_of_class", "_value")

    def __init__(self, state: State, of_class: Any = _ABSENT) -> None:
        self._name = state.id
        self._value = state.value
        self._of_class = of_class
        """What the class itself has there: nothing, if the state is inside another one."""

    def __get__(self, machine: Any, owner: type) -> Any:
        """Return the state; what is found before this is asked for the next time."""
        if machine is not None and hasattr(machine, "model"):
            found = machine._config._instance_states[self._value]
            object.__setattr__(machine, self._name, found)
            return found
        if self._of_class is _ABSENT:
            msg = f"type object {owner.__name__!r} has no attribute {self._name!r}"
            raise AttributeError(msg)
        return self._of_class
