"""
What a user writes in a class body, and what it becomes: one frozen record per field.

`machine()` and `data()` return a marker, which is typed as the value that the field will hold, as
`dataclasses.field()` is. When the class is made, annotation and marker together become a `MemberField` or a
`DataField`, which then stands in the class under the field's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from statemachine import StateChart

from statemachines_orchestrator.exceptions import MemberNotMadeError

from ._references import Referable, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._collection import Members

__all__ = (
    "MISSING",
    "DataField",
    "DataMarker",
    "Field",
    "MachineMarker",
    "MachinesField",
    "MachinesMarker",
    "MemberField",
    "SystemField",
    "data",
    "machine",
    "machines",
)

T = TypeVar("T")
M = TypeVar("M", bound=StateChart[Any])
W = TypeVar("W")
"""A machine, or a whole orchestrator."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""Stands for a default that was not given; None is a default."""


# What begins with an underscore cannot be the name of a state or an event.
@dataclass(frozen=True, slots=True, eq=False)
class MachineMarker(Referable):
    """What `machine()` leaves in the class body until the class is made; states and events are read from it there."""

    _factory: Callable[..., Any] | None
    _arguments: Mapping[str, Any]
    _mentions: list[object] = field(default_factory=list)
    """Who names it in the class body: links, guards and joint events."""

    def __repr__(self) -> str:
        return "a member"


@dataclass(frozen=True, slots=True, eq=False)
class MachinesMarker(Referable):
    """What `machines()` leaves in the class body until the class is made."""

    _factory: Callable[..., Any]
    _arguments: Mapping[str, Any]
    _mentions: list[object] = field(default_factory=list)
    """Who names it in the class body: links, guards and joint events."""

    def __repr__(self) -> str:
        return "a collection"


@dataclass(frozen=True, slots=True, eq=False)
class DataMarker:
    """What `data()` leaves in the class body until the class is made."""

    default: Any
    default_factory: Callable[[], Any] | None


@overload
def machine() -> Any: ...


@overload
def machine(*, factory: Callable[..., W], **arguments: Any) -> W: ...


def machine(*misplaced: Any, factory: Callable[..., Any] | None = None, **arguments: Any) -> Any:
    """
    Declare a member: a machine, or a whole orchestrator that becomes a part of this one.

    Args:
        *misplaced: Nothing; here for an error that helps.
        factory: A machine class, an orchestrator class, or a function that makes one. With it the orchestrator
            makes the member itself unless one is passed to the constructor; its initial state is entered when all
            members exist, so that its callbacks meet their siblings.
        **arguments: Keyword arguments for `factory`, the same for every instance. For a model of its own per
            instance write a function: ``machine(factory=lambda: Order(model=Row()))``.

    Returns:
        A marker, typed as the machine that the field will hold.

    Raises:
        TypeError: Positional arguments, arguments without a factory, or a factory that cannot be called.
    """
    if misplaced:
        shown = getattr(misplaced[0], "__name__", repr(misplaced[0]))
        msg = f"machine() takes its factory by name: write machine(factory={shown})"
        raise TypeError(msg)
    if factory is None and arguments:
        msg = f"machine() got arguments ({', '.join(arguments)}) but no factory to pass them to: add factory=..."
        raise TypeError(msg)
    given: object = factory
    if given is not None and not callable(given):
        hint = " To use one machine for one orchestrator, pass it to the constructor." if _is_machine(factory) else ""
        msg = f"machine(factory=...) takes a machine class or a function that makes a machine, not {factory!r}.{hint}"
        raise TypeError(msg)
    return MachineMarker(factory, MappingProxyType(arguments))


@overload
def machines(factory: Callable[..., M], /, *, init: Literal[False] = ..., **arguments: Any) -> Members[M]: ...


@overload
def machines(*, factory: Callable[..., M], **arguments: Any) -> Members[M]: ...


def machines(*positional: Any, factory: Any = None, **arguments: Any) -> Any:
    """
    Declare a collection: any number of machines of one class, by key, that come and go while the system runs.

    Args:
        *positional: The factory, by position: ``machines(Material)``.
        factory: A machine class, or a function that makes a machine. Given by keyword, ``machines(factory=Material)``,
            it tells type checkers that the constructor takes machines to begin with, ``Shop(materials={...})``; by
            position, that it does not.
        **arguments: Keyword arguments for `factory`, the same for every machine.

    Returns:
        A marker, typed as the collection that the field will hold. Annotate the field with ``Members[Material]``, or
        with ``dict[str, Material]`` if it is only to be read.

    Raises:
        TypeError: The factory is missing, given twice, or cannot be called.
    """
    given = [*positional, *([factory] if factory is not None else [])]
    if len(given) != 1 or not callable(given[0]):
        shown = ", ".join(map(repr, given)) or "nothing"
        msg = f"machines() takes one machine class or function that makes a machine, not {shown}"
        raise TypeError(msg)
    return MachinesMarker(given[0], MappingProxyType(arguments))


@overload
def data(*, default: T) -> T: ...


@overload
def data(*, default_factory: Callable[[], T]) -> T: ...


@overload
def data() -> Any: ...


def data(*misplaced: Any, default: Any = MISSING, default_factory: Callable[[], Any] | None = None) -> Any:
    """
    Declare plain data that belongs to the orchestrator.

    A value that a failing step has bound to the field is taken back with the step. What a callback did inside a
    list or another object is not: bind a new value instead (``orc.notes = [*orc.notes, text]``).

    Args:
        *misplaced: Nothing; here for an error that helps.
        default: The value of every instance that is not given another.
        default_factory: Makes the value, for lists, dictionaries and other values that can be changed.

    Returns:
        A marker, typed as the value that the field will hold.

    Raises:
        TypeError: Positional arguments, both a default and a factory, a factory that cannot be called, or a default
            that all instances would share and could change.
    """
    if misplaced:
        shared = isinstance(misplaced[0], list | dict | set | bytearray)
        kind = f"default_factory={type(misplaced[0]).__name__}" if shared else f"default={misplaced[0]!r}"
        msg = f"data() takes its default by name: write data({kind})"
        raise TypeError(msg)
    given: object = default_factory
    if given is not None and not callable(given):
        msg = f"data(default_factory=...) takes something to call, such as {type(given).__name__}, not {given!r}"
        raise TypeError(msg)
    if default is not MISSING and default_factory is not None:
        msg = "data() takes a default or a default_factory, not both"
        raise TypeError(msg)
    if isinstance(default, list | dict | set | bytearray):
        kind = type(default).__name__
        msg = f"data(default=...) with a {kind} would be shared by all instances: write data(default_factory={kind})"
        raise TypeError(msg)
    return DataMarker(default, default_factory)


def _is_machine(value: object) -> bool:
    return isinstance(value, StateChart)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of an orchestrator class."""

    name: str
    owner: str
    """Name of the class that declared it."""

    @property
    def is_required(self) -> bool:
        """Whether the constructor insists on a value."""
        raise NotImplementedError

    def __get__(self, instance: object | None, owner: type) -> Any:
        """Give a name to who asks the class, such as a subclass; an instance that has the value never comes here."""
        if instance is None:
            return FieldReference(owner, self)
        raise MemberNotMadeError(owner.__name__, self.name)


class FieldReference(Reference):
    """A field as it is read from a finished class: ``Shop.order``."""

    __slots__ = ("_field",)

    def __init__(self, owner: type, field: Field) -> None:
        super().__init__(owner, field.name, ())
        self._field = field

    def __repr__(self) -> str:
        return repr(self._field)


@dataclass(frozen=True, slots=True, eq=False)
class MemberField(Field):
    """A field that holds a machine."""

    classes: tuple[type[StateChart[Any]], ...] = ()
    """The declared classes; empty if the annotation cannot be resolved before an instance is made."""
    annotation: str = ""
    """The annotation as it was written."""
    is_optional: bool = False
    """Whether None may stand for the machine."""
    has_none_default: bool = False
    factory: Callable[..., Any] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def element_text(self) -> str:
        """What a machine for it is called in messages."""
        return " or ".join(one.__name__ for one in self.classes) or self.annotation

    @property
    def is_required(self) -> bool:
        """Whether the constructor insists on a machine."""
        return self.factory is None and not self.has_none_default

    def __repr__(self) -> str:
        made = f" made by {getattr(self.factory, '__qualname__', self.factory)}" if self.factory else ""
        return f"<member {self.owner}.{self.name}: {self.annotation}{made}>"


@dataclass(frozen=True, slots=True, eq=False)
class SystemField(MemberField):
    """A field that holds a whole orchestrator."""

    classes: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return f"<system {self.owner}.{self.name}: {self.annotation}>"


@dataclass(frozen=True, slots=True, eq=False)
class MachinesField(Field):
    """A field that holds a collection of machines."""

    classes: tuple[type[StateChart[Any]], ...] = ()
    """The class of its machines; empty if it cannot be resolved before an instance is made."""
    annotation: str = ""
    factory: Callable[..., Any] = StateChart
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def element_text(self) -> str:
        """What a machine for it is called in messages."""
        return " or ".join(one.__name__ for one in self.classes) or "machine"

    @property
    def is_required(self) -> bool:
        """Never: a collection begins empty, or with the machines that are passed."""
        return False

    def __repr__(self) -> str:
        made = getattr(self.factory, "__qualname__", repr(self.factory))
        return f"<collection {self.owner}.{self.name}: {self.annotation} made by {made}>"


@dataclass(frozen=True, slots=True, eq=False)
class DataField(Field):
    """A field that holds plain data."""

    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None
    hint: Any = None
    """What the annotation stands for; its text if that cannot be known when the class is made."""
    module: str = ""
    """Where names in the annotation are to be looked up."""

    @property
    def is_required(self) -> bool:
        """Whether the constructor insists on a value."""
        return self.default is MISSING and self.default_factory is None

    def initial(self) -> Any:
        """Return the value of an instance that was not given one."""
        return self.default if self.default_factory is None else self.default_factory()

    def __repr__(self) -> str:
        return f"<data {self.owner}.{self.name}>"
