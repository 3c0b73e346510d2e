"""
What an Orca document says, as frozen data.

Reading (`orca_bridge.syntax`) makes these records; converting, verifying and writing only read them. They
hold what the document *means* (durations in milliseconds, references resolved to full paths), and a `Span`
wherever a later layer may have to point back at the text. Sequences are tuples and keep document order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = (
    "ActionDefinition",
    "And",
    "BoolLiteral",
    "CellTest",
    "Comparison",
    "ContextField",
    "DecisionTable",
    "Document",
    "EffectDefinition",
    "Else",
    "EventDefinition",
    "Expression",
    "GuardDefinition",
    "GuardName",
    "InvokeDefinition",
    "InvokeInput",
    "MachineDefinition",
    "Not",
    "NullTest",
    "NumberRange",
    "Operand",
    "Or",
    "Others",
    "Outcome",
    "Parameter",
    "Path",
    "PropertyDefinition",
    "PropertyKind",
    "RegionDefinition",
    "ReturnDefinition",
    "Span",
    "StateDefinition",
    "Sync",
    "TableColumn",
    "TableRule",
    "TimeoutDefinition",
    "TransitionDefinition",
    "Truth",
    "TypeExpression",
    "Update",
    "Value",
)

Sync: TypeAlias = Literal["all-final", "any-final", "custom"]
Others: TypeAlias = tuple[tuple[str, str], ...]
"""Cells of a row in columns that mean nothing, by header; kept for whoever writes the document again."""
PropertyKind: TypeAlias = Literal[
    "live", "reachable", "unreachable", "passes_through", "responds", "always_responds", "invariant"
]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one source line; `line` and `column` count from 1, `end_column` is exclusive."""

    line: int
    column: int
    end_column: int


@dataclass(frozen=True, slots=True)
class TypeExpression:
    """
    A declared type of language.md 5.1, normalised.

    `kind` is one of ``string int decimal number bool list map enum any``.
    """

    kind: str
    arguments: tuple[TypeExpression, ...] = ()
    """Element type of a list; key and value types of a map."""
    values: tuple[str, ...] = ()
    """The members of an ``enum(...)``."""
    nullable: bool = False
    text: str = ""
    """The type as it was written."""


@dataclass(frozen=True, slots=True)
class ContextField:
    """One row of the context table."""

    name: str
    type: TypeExpression
    default: object
    """The parsed default; None when the field starts as null. Lists and maps must be copied before use."""
    span: Span = field(compare=False)
    text: str = field(default="", compare=False)
    """The default as it was written."""
    others: Others = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named and typed field of an event's payload or an action's signature."""

    name: str
    type: TypeExpression | None = None


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """A declared (or, without an events section, inferred) event."""

    name: str
    description: str = ""
    payload: tuple[Parameter, ...] = ()
    span: Span | None = field(default=None, compare=False)
    inferred: bool = False
    """Not declared: the document has no events section and a row uses the name."""


# -- guard expressions (language.md 6) ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """A dotted path into the context or the payload of the event being handled."""

    root: Literal["context", "event"]
    names: tuple[str, ...]
    span: Span | None = field(default=None, compare=False)
    root_text: str = field(default="", compare=False)
    """The root as it was written; empty for a bare field."""


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: number, text, truth value or null."""

    value: float | str | bool | None


Operand: TypeAlias = Path | Value


@dataclass(frozen=True, slots=True)
class BoolLiteral:
    """``true`` or ``false`` standing alone."""

    value: bool


@dataclass(frozen=True, slots=True)
class GuardName:
    """A reference to a guard of the guards table."""

    name: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Truth:
    """
    A bare path.

    With `declared_bool` it is the field's truth (null is false), else the test "is not null".
    """

    path: Path
    declared_bool: bool


@dataclass(frozen=True, slots=True)
class NullTest:
    """``path is null`` or, negated, ``path is not null``; also ``path == null`` and ``path != null``."""

    path: Path
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; a chain ``1 < a <= 5`` is an `And` of two."""

    left: Operand
    operator: Literal["==", "!=", "<", "<=", ">", ">="]
    right: Operand


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """Conjunction of two or more, left to right, short-circuiting."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Disjunction of two or more, left to right, short-circuiting."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Else:
    """True when no other row of the same source and event is enabled; only as a whole guard."""


Expression: TypeAlias = BoolLiteral | GuardName | Truth | NullTest | Comparison | Not | And | Or | Else


@dataclass(frozen=True, slots=True)
class GuardDefinition:
    """One row of the guards table."""

    name: str
    expression: Expression
    text: str
    span: Span = field(compare=False)
    others: Others = field(default=(), compare=False)


# -- actions and effects -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Update:
    """
    One field that an action may write, from the column Updates.

    `value` is a literal, or the field or payload it is taken from, to which `offset` is added; None is any value.
    """

    name: str
    value: Operand | None = None
    offset: float = 0


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """
    One row of the actions table.

    `parameters` are, by position, the context and the event payload.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    returns: str = "Context"
    effects: tuple[str, ...] = ()
    description: str = ""
    span: Span | None = field(default=None, compare=False)
    updates: tuple[Update, ...] | None = None
    """What it may write; None if the document does not say, an empty tuple if nothing."""
    signature: str = field(default="", compare=False)
    """The signature as it was written."""
    others: Others = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class EffectDefinition:
    """
    One row of the effects table.

    `input_fields` and `output_fields` are read from texts of the form ``{ name: type }``.
    """

    name: str
    input: str = ""
    output: str = ""
    input_fields: tuple[Parameter, ...] | None = None
    output_fields: tuple[Parameter, ...] | None = None
    type: str = ""
    description: str = ""
    span: Span | None = field(default=None, compare=False)
    texts: tuple[str, str] = field(default=("", ""), compare=False)
    """Input and output as they were written, with any back-ticks."""
    others: Others = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ReturnDefinition:
    """One row of the returns table: what a machine gives to the one that invoked it."""

    name: str
    type: TypeExpression
    statistics: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)
    others: Others = field(default=(), compare=False)


# -- states and transitions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What follows when something in a state is done or has failed: `event` is raised, or `target` is entered.

    Exactly one of the two is given.
    """

    event: str | None = None
    target: str | None = None
    """A state path."""
    text: str = field(default="", compare=False)
    """The name as it was written."""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TimeoutDefinition:
    """What happens when a state has been active for so long: `outcome` says where to go, or what to raise."""

    milliseconds: int
    outcome: Outcome
    actions: tuple[str, ...] = ()
    guard: Expression | None = None
    guard_text: str = ""
    duration: str = field(default="", compare=False)
    """The duration as it was written."""
    span: Span | None = field(default=None, compare=False)
    row: TransitionDefinition | None = field(default=None, compare=False)
    """The row of the transitions that gave the guard; its actions are the last ones of the timeout."""


@dataclass(frozen=True, slots=True)
class InvokeInput:
    """
    One value that an invoked machine gets: a path into context or payload, or a literal.

    Lists and maps must be copied before use.
    """

    name: str
    path: Path | None = None
    literal: object = None
    text: str = field(default="", compare=False)
    """The value as it was written."""


@dataclass(frozen=True, slots=True)
class InvokeDefinition:
    """A machine that runs while a state is active."""

    machine: str
    input: tuple[InvokeInput, ...] = ()
    shots: int | None = None
    returns: tuple[tuple[str, str], ...] = ()
    """Fields of this machine and, for each, the name of the child's value that is written to it."""
    on_done: Outcome | None = None
    on_error: Outcome | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class StateDefinition:
    """
    A state with its children; `path` is the dotted path from the root and unique in its machine.

    `initial` is what the document marks. Where it marks none of the children, the first one is entered.
    """

    name: str
    path: str
    initial: bool = False
    final: bool = False
    description: str = ""
    notes: str = ""
    """The blockquote of a state whose heading already describes it."""
    on_entry: tuple[str, ...] = ()
    on_exit: tuple[str, ...] = ()
    children: tuple[StateDefinition, ...] = ()
    span: Span | None = field(default=None, compare=False)
    regions: tuple[RegionDefinition, ...] = ()
    """Not empty for a parallel state, which has no `children` of its own."""
    sync: Sync = "all-final"
    """When a parallel state is done."""
    timeouts: tuple[TimeoutDefinition, ...] = ()
    ignored: tuple[str, ...] = ()
    """Events that are discarded here."""
    ignores_all: bool = False
    """Whether every event is discarded that no row of this state or an ancestor takes."""
    invoke: InvokeDefinition | None = None
    on_done: Outcome | None = None
    """For a state with children or regions and without `invoke`: what follows when it is done."""
    on_error: Outcome | None = None
    """For a state without `invoke`: what follows when any error is raised while it is active."""
    others: tuple[str, ...] = ()
    """Bullets that mean nothing, kept for whoever writes the document again."""
    titled: bool = field(default=False, compare=False)
    """The description stands in the heading, and not in a blockquote below it."""


@dataclass(frozen=True, slots=True)
class RegionDefinition:
    """A region of a parallel state; its states are paths below `path`. It is neither source nor target."""

    name: str
    path: str
    states: tuple[StateDefinition, ...] = ()
    description: str = ""
    notes: str = ""
    on_entry: tuple[str, ...] = ()
    on_exit: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    ignores_all: bool = False
    others: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)
    titled: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class TransitionDefinition:
    """
    One transition: a row, or one of the rows that a cell with a list stands for.

    `source` is a state path or ``"*"`` (any state, tried last). `event` is a name, ``"*"`` (any event not
    taken otherwise) or None (eventless). `target` is a state path, or None for an internal transition.
    """

    source: str
    event: str | None
    target: str | None
    guard: Expression | None = None
    guard_text: str = ""
    actions: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)
    source_text: str = field(default="", compare=False)
    target_text: str = field(default="", compare=False)
    """The references as they were written; empty for the state that a bullet stands below."""
    inline: bool = field(default=False, compare=False)
    """Written as a bullet of its source."""
    others: Others = field(default=(), compare=False)


# -- properties --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PropertyDefinition:
    """
    One claim of the properties section; which fields have a value depends on `kind`.

    ``reachable unreachable responds always_responds`` speak about `target` from `source`, ``passes_through``
    about `through` on the way, and ``invariant`` about `expression` in `state`, or everywhere. All are state
    paths; without `source` the machine's initial state is meant.
    """

    kind: PropertyKind
    target: str | None = None
    source: str | None = None
    through: str | None = None
    within: int | None = None
    expression: Expression | None = None
    state: str | None = None
    text: str = ""
    """The whole property as it was written."""
    span: Span | None = field(default=None, compare=False)


# -- machines, decision tables, documents ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MachineDefinition:
    """Everything one ``# machine`` says."""

    name: str
    version: str = "0.1.0"
    description: str = ""
    context: tuple[ContextField, ...] = ()
    events: tuple[EventDefinition, ...] = ()
    states: tuple[StateDefinition, ...] = ()
    transitions: tuple[TransitionDefinition, ...] = ()
    guards: tuple[GuardDefinition, ...] = ()
    actions: tuple[ActionDefinition, ...] = ()
    span: Span | None = field(default=None, compare=False)
    effects: tuple[EffectDefinition, ...] = ()
    returns: tuple[ReturnDefinition, ...] = ()
    properties: tuple[PropertyDefinition, ...] = ()
    others: tuple[str, ...] = ()
    """Bullets below the heading that mean nothing, kept for whoever writes the document again."""


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers from `low` to `high`; None is without bound. A bound that is open does not belong to the range."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class CellTest:
    """
    What a cell of a rule asks of its condition.

    The value is one of `values`, or none of them if `negated`, or within `range`. A condition without a cell
    may have any value.
    """

    values: tuple[str | float | bool, ...] = ()
    negated: bool = False
    range: NumberRange | None = None
    text: str = field(default="", compare=False)
    """The cell as it was written."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """
    A condition or an output of a decision table.

    `kind` is ``bool``, ``enum``, ``string``, for conditions also ``int_range`` and ``decimal_range``, and for outputs
    also ``int`` and ``decimal``.
    """

    name: str
    kind: str
    values: tuple[str | float | bool, ...] = ()
    """The values that are possible, where they are listed."""
    range: NumberRange | None = None
    """The domain of a numeric condition, where it is given by its ends."""
    description: str = ""
    span: Span | None = field(default=None, compare=False)
    others: Others = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class TableRule:
    """One rule; columns that it does not speak about are left out."""

    conditions: tuple[tuple[str, CellTest], ...]
    outputs: tuple[tuple[str, str | float | bool], ...]
    number: str = ""
    span: Span | None = field(default=None, compare=False)
    others: Others = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """Everything one ``# decision_table`` says. Its rules are tried in order; the first that matches decides."""

    name: str
    description: str = ""
    conditions: tuple[TableColumn, ...] = ()
    outputs: tuple[TableColumn, ...] = ()
    rules: tuple[TableRule, ...] = ()
    columns: tuple[str, ...] = ()
    """The headers of the rules; an output has an arrow in front."""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """
    A file: its machines and its decision tables, each in order.

    The first machine is the main one unless the caller names another.
    """

    machines: tuple[MachineDefinition, ...]
    tables: tuple[DecisionTable, ...] = ()
    name: str = field(default="<string>", compare=False)
