"""The records of the published runtime: what its parser gives, what its machines answer with, what effects carry."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from orca_bridge.convert import Effect as Effect  # noqa: PLC0414 - given away
from orca_bridge.convert import EffectResult as EffectResult  # noqa: PLC0414 - given away
from orca_bridge.convert import EffectStatus as EffectStatus  # noqa: PLC0414 - given away
from orca_bridge.exceptions import OrcaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orca_bridge.definition import DecisionTable, MachineDefinition

__all__ = (
    "ActionSignature",
    "Context",
    "EffectDef",
    "GuardAnd",
    "GuardCompare",
    "GuardDef",
    "GuardExpression",
    "GuardFalse",
    "GuardNot",
    "GuardNullcheck",
    "GuardOr",
    "GuardTrue",
    "InvokeDef",
    "MachineDef",
    "MachineNotActiveError",
    "Origin",
    "ParallelDef",
    "RegionDef",
    "ReturnDef",
    "StateDef",
    "StateValue",
    "Transition",
    "TransitionResult",
    "ValueRef",
    "VariableRef",
)

Context: TypeAlias = dict[str, Any]
"""The values of a machine, by field."""


# -- guards ------------------------------------------------------------------------------------------------


class GuardExpression:
    """Base of all guard expressions."""


@dataclass
class VariableRef:
    """A path as it was written, its root included: ``["ctx", "count"]``."""

    path: list[str]


@dataclass
class ValueRef:
    """A literal; `type` is ``number``, ``string``, ``boolean`` or ``null``."""

    type: str
    value: str | float | bool | None


@dataclass
class GuardTrue(GuardExpression):
    """The guard ``true``."""


@dataclass
class GuardFalse(GuardExpression):
    """The guard ``false``."""


@dataclass
class GuardCompare(GuardExpression):
    """A comparison; `op` is one of ``eq ne lt le gt ge``."""

    op: str
    left: VariableRef
    right: ValueRef | VariableRef


@dataclass
class GuardAnd(GuardExpression):
    """Both hold."""

    left: GuardExpression
    right: GuardExpression


@dataclass
class GuardOr(GuardExpression):
    """One of the two holds."""

    left: GuardExpression
    right: GuardExpression


@dataclass
class GuardNot(GuardExpression):
    """The opposite holds."""

    expr: GuardExpression


@dataclass
class GuardNullcheck(GuardExpression):
    """A value is null, or with `is_null` false, is not."""

    expr: VariableRef
    is_null: bool


@dataclass
class GuardDef:
    """A guard and its name."""

    name: str
    expression: GuardExpression


# -- what a document says ----------------------------------------------------------------------------------


@dataclass
class InvokeDef:
    """A machine that runs while a state is active; values of `input` are texts such as ``ctx.total``."""

    machine: str
    input: dict[str, str] | None = None
    on_done: str | None = None
    on_error: str | None = None
    returns: dict[str, str] | None = None
    """Fields of the invoking machine and, for each, the child's value that is bound to it."""
    shots: int | None = None


@dataclass
class RegionDef:
    """A region of a parallel state."""

    name: str
    states: list[StateDef] = field(default_factory=list)


@dataclass
class ParallelDef:
    """The regions of a parallel state, and when it is done: `sync`, where the document says it."""

    regions: list[RegionDef] = field(default_factory=list)
    sync: str | None = None


@dataclass
class StateDef:
    """A state; of several actions or timeouts it shows the first one."""

    name: str
    is_initial: bool = False
    is_final: bool = False
    on_entry: str | None = None
    on_exit: str | None = None
    on_done: str | None = None
    description: str | None = None
    contains: list[StateDef] = field(default_factory=list)
    parallel: ParallelDef | None = None
    parent: str | None = None
    """The full path of the state or region it is in."""
    timeout: dict[str, str] | None = None
    """The keys ``duration`` and ``target``, as written."""
    ignored_events: list[str] = field(default_factory=list)
    invoke: InvokeDef | None = None


@dataclass
class Transition:
    """A row; `guard` is the cell as it was written."""

    source: str
    event: str
    target: str
    guard: str | None = None
    action: str | None = None


@dataclass
class ActionSignature:
    """A declared action."""

    name: str
    parameters: list[str]
    return_type: str
    has_effect: bool = False
    effect_type: str | None = None


@dataclass
class EffectDef:
    """A declared effect, with its input and output as text."""

    name: str
    input: str
    output: str


@dataclass
class ReturnDef:
    """A value that a machine gives to the one that invoked it."""

    name: str
    type: str
    statistics: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a `MachineDef` was read from, and what it looked like then: whoever changes it has to be heard."""

    definition: MachineDefinition
    tables: tuple[DecisionTable, ...]
    pristine: MachineDef

    def __deepcopy__(self, memo: dict[int, Any]) -> Origin:
        return self


@dataclass
class MachineDef:
    """What a document says about one machine. It may be built or changed by hand as well."""

    name: str
    context: dict[str, Any]
    """Start values, by field."""
    events: list[str]
    states: list[StateDef]
    transitions: list[Transition]
    guards: dict[str, GuardExpression] = field(default_factory=dict)
    actions: list[ActionSignature] = field(default_factory=list)
    effects: list[EffectDef] = field(default_factory=list)
    returns: list[ReturnDef] = field(default_factory=list)
    version: str = "0.1.0"
    machines: list[MachineDef] = field(default_factory=list, init=False, repr=False, compare=False)
    """All machines of the file, this one included; empty if it was not read from a file of several readers' choice."""
    _origin: Origin | None = field(default=None, init=False, repr=False, compare=False)


# -- what comes of events -----------------------------------------------------------------------------------


@dataclass
class TransitionResult:
    """
    What came of an event.

    Attributes:
        taken: Whether a transition was taken.
        from_state: Where the machine was.
        to_state: Where it is after everything that followed; None if nothing was taken.
        to_state_leaf: The innermost state of it.
        guard_failed: Whether there are rows for the event and no guard holds.
        error: Why nothing was taken.
        ignored: Whether the document says that the event is discarded here.
        queued: Whether the event was sent from within a step and is handled after it.
        event: The name of the event.
        effect_errors: The effects that failed: ``{effect, action, error}``.
    """

    taken: bool
    from_state: str
    to_state: str | None = None
    to_state_leaf: str | None = None
    guard_failed: bool = False
    error: str | None = None
    ignored: bool = False
    queued: bool = False
    event: str | None = None
    effect_errors: tuple[dict[str, str], ...] = ()


class MachineNotActiveError(OrcaError, RuntimeError):
    """
    Raised when an event is sent to a machine that has not been started, or was stopped.

    Attributes:
        machine: The name of the machine.
    """

    def __init__(self, machine: str) -> None:
        self.machine = machine
        super().__init__(
            f"machine {machine!r} is not active: await start(), resume() or load_or_start() before sending events"
        )

    def __reduce__(self) -> tuple[type[MachineNotActiveError], tuple[object, ...]]:
        return type(self), (self.machine,)


# -- where a machine is ------------------------------------------------------------------------------------


class StateValue:
    """
    Where a machine is; never changed afterwards.

    Args:
        value: The name of a simple state, or nested mappings: ``{"p": {"r1": {"x": {}}, "r2": {"y": {}}}}``.
    """

    __slots__ = ("_text", "_value")

    def __init__(self, value: str | Mapping[str, Any] | StateValue) -> None:
        self._value: str | dict[str, Any] = _plain(value)
        self._text: str | None = None

    @property
    def value(self) -> str | dict[str, Any]:
        """A copy of the value in the form that was given."""
        return deepcopy(self._value)

    def is_compound(self) -> bool:
        """Whether the machine is in a state with others in it."""
        return not isinstance(self._value, str)

    def leaf(self) -> str:
        """Give the innermost active state; of several, the first."""
        return self._value if isinstance(self._value, str) else self.leaves()[0]

    def leaves(self) -> list[str]:
        """Give the innermost active states."""
        return [path[-1] for path in self._paths()]

    def parent_names(self) -> list[str]:
        """Give the names of the outermost active states that have others in them."""
        return [] if isinstance(self._value, str) else list(self._value)

    def _paths(self) -> list[tuple[str, ...]]:
        if isinstance(self._value, str):
            return [(self._value,)]
        return list(_paths(self._value)) or [("",)]

    def __str__(self) -> str:
        if self._text is None:
            self._text = ", ".join(".".join(path) for path in self._paths())
        return self._text

    def __repr__(self) -> str:
        return f"StateValue({self._value!r})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StateValue):
            return self._value == other._value
        return self._value == other if isinstance(other, str | dict) else NotImplemented

    def __hash__(self) -> int:
        # Equal to a text, so it has to hash like one.
        return hash(self._value if isinstance(self._value, str) else str(self))


def _plain(value: str | Mapping[str, Any] | StateValue) -> str | dict[str, Any]:
    match value:
        case StateValue():
            return value.value
        case str():
            return value
        case _:
            return {str(name): _nested(inside) for name, inside in value.items()}


def _nested(inside: Mapping[str, Any] | str | None) -> dict[str, Any]:
    if isinstance(inside, str):
        return {inside: {}}
    return {str(name): _nested(deeper) for name, deeper in (inside or {}).items()}


def _paths(value: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, inside in value.items():
        if inside:
            yield from ((name, *path) for path in _paths(inside))
        else:
            yield (name,)
