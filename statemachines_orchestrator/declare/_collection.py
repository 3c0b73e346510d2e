"""What a collection's field holds: its machines by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from statemachine import StateChart

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Keeper", "Members")

M = TypeVar("M", bound=StateChart[Any])


class Keeper(Protocol):
    """What a collection asks of the system that it belongs to."""

    def add_member(self, members: Any, key: str, source: Any, arguments: dict[str, Any]) -> Any:
        """Make or take a machine, put it under the key, and let it enter its initial state."""
        ...

    def remove_member(self, members: Any, key: str) -> Any:
        """Take a machine out; it is an independent one from then on."""
        ...

    def reduced(self, members: Any) -> Any:
        """Say to `copy` and `pickle` how to find the collection in a copy of the whole."""
        ...


class Members(dict[str, M]):
    """
    The machines of a collection, by key, in the order in which they were added.

    To be read like any dictionary, and changed by `add` and `remove`: in a callback as a part of the running step,
    from outside as a step of its own.
    """

    __slots__ = ("_keeper", "field")

    def __init__(self, field: str, keeper: Keeper) -> None:
        super().__init__()
        self.field: str = field
        """The field that holds the collection."""
        self._keeper = keeper

    def add(self, key: str, machine: M | Callable[[], M] | None = None, **arguments: Any) -> M:
        """
        Add a machine.

        Args:
            key: Its name in the collection, which nobody has yet.
            machine: A machine, or what makes one; by default one is made as the field declares.
            **arguments: Keyword arguments for the declared factory, besides those that the field declares.

        Returns:
            The machine, which has entered its initial state; in an asynchronous system it enters it before anything
            else happens to it.

        Raises:
            ConstructionError: The key is taken, or what was passed cannot be a member.
        """
        made: M = self._keeper.add_member(self, key, machine, arguments)
        return made

    def remove(self, key: str) -> M:
        """
        Take a machine out of the system: what it runs for the system is cancelled, its state stays.

        Returns:
            The machine, which is independent from then on.

        Raises:
            KeyError: There is none under this key.
        """
        removed: M = self._keeper.remove_member(self, key)
        return removed

    def __getitem__(self, key: str) -> M:
        try:
            return super().__getitem__(key)
        except KeyError:
            raise self.missing(key) from None

    def missing(self, key: object) -> KeyError:
        """Say that there is nobody under this key."""
        known = ", ".join(map(repr, list(self)[:8])) + (", ..." if len(self) > 8 else "")  # noqa: PLR2004 - enough
        return KeyError(f"{self.field} has no member {key!r}; it has {known or 'none yet'}")

    def __setitem__(self, key: str, machine: M) -> None:
        self.add(key, machine)

    def __delitem__(self, key: str) -> None:
        self.remove(key)

    def _only_one_by_one(self, *_arguments: Any, **_keywords: Any) -> NoReturn:
        msg = f"{self.field} is changed one member at a time: write .add(key, machine) or .remove(key)"
        raise TypeError(msg)

    if not TYPE_CHECKING:  # to type checkers they are what they are in every dictionary
        clear = pop = popitem = setdefault = update = __ior__ = _only_one_by_one

    def __copy__(self) -> dict[str, M]:
        return dict(self)

    def __reduce_ex__(self, _protocol: Any) -> Any:
        """Let a copy be the collection of a copy of the whole."""
        return self._keeper.reduced(self)

    def __repr__(self) -> str:
        return f"<{self.field}: {len(self)} members>"
