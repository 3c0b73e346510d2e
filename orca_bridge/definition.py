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
    "Comparison",
    "ContextField",
    "Document",
    "Else",
    "EventDefinition",
    "Expression",
    "GuardDefinition",
    "GuardName",
    "MachineDefinition",
    "Not",
    "NullTest",
    "Operand",
    "Or",
    "Parameter",
    "Path",
    "Span",
    "StateDefinition",
    "TransitionDefinition",
    "Truth",
    "TypeExpression",
    "Value",
)


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


# -- actions, states, transitions --------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Document:
    """A file: its machines in order. The first is the main machine unless the caller names another."""

    machines: tuple[MachineDefinition, ...]
    name: str = "<string>"
