"""A definition in the records of the published runtime: what they can hold, in the words of the document."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from orca_bridge.convert import compile_guard
from orca_bridge.definition import (
    And,
    BoolLiteral,
    Comparison,
    Else,
    GuardName,
    Not,
    NullTest,
    Or,
    Path,
    Truth,
    Value,
)

from .types import (
    ActionSignature,
    EffectDef,
    GuardAnd,
    GuardCompare,
    GuardExpression,
    GuardFalse,
    GuardNot,
    GuardNullcheck,
    GuardOr,
    GuardTrue,
    InvokeDef,
    MachineDef,
    Origin,
    ParallelDef,
    RegionDef,
    ReturnDef,
    StateDef,
    Transition,
    ValueRef,
    VariableRef,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orca_bridge.definition import (
        DecisionTable,
        Expression,
        InvokeDefinition,
        MachineDefinition,
        Outcome,
        StateDefinition,
        TransitionDefinition,
    )

__all__ = ("OPERATORS", "view_of")

OPERATORS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def view_of(definition: MachineDefinition, tables: tuple[DecisionTable, ...] = ()) -> MachineDef:
    """
    Show a definition in the published records.

    Args:
        definition: What was read.
        tables: The decision tables of its document.
    """
    view = _machine(definition)
    view._origin = Origin(definition, tables, _machine(definition))
    return view


def _machine(definition: MachineDefinition) -> MachineDef:
    guards = {guard.name: guard.expression for guard in definition.guards}
    return MachineDef(
        definition.name,
        {field.name: deepcopy(field.default) for field in definition.context},
        [event.name for event in definition.events if not event.inferred],
        [_state(state) for state in definition.states],
        [_row(row) for row in definition.transitions],
        {name: _expression(expression, guards) for name, expression in guards.items()},
        [
            ActionSignature(
                action.name,
                [parameter.name for parameter in action.parameters],
                action.returns,
                bool(action.effects),
                action.effects[0] if action.effects else None,
            )
            for action in definition.actions
        ],
        [EffectDef(effect.name, effect.input, effect.output) for effect in definition.effects],
        [ReturnDef(one.name, one.type.text or one.type.kind, list(one.statistics)) for one in definition.returns],
        definition.version,
    )


# -- states and rows ---------------------------------------------------------------------------------------


def _state(state: StateDefinition) -> StateDef:
    done = state.invoke.on_done if state.invoke is not None else state.on_done
    return StateDef(
        state.name,
        state.initial,
        state.final,
        state.on_entry[0] if state.on_entry else None,
        state.on_exit[0] if state.on_exit else None,
        _named(done),
        state.description or None,
        [_state(child) for child in state.children],
        _parallel(state),
        state.path.rpartition(".")[0] or None,
        {"duration": state.timeouts[0].duration, "target": state.timeouts[0].outcome.text} if state.timeouts else None,
        [*state.ignored, *(["*"] if state.ignores_all else [])],
        _invoke(state.invoke),
    )


def _parallel(state: StateDefinition) -> ParallelDef | None:
    if not state.regions:
        return None
    regions = [RegionDef(region.name, [_state(inside) for inside in region.states]) for region in state.regions]
    return ParallelDef(regions, state.sync if state.sync != "all-final" else None)


def _invoke(invoke: InvokeDefinition | None) -> InvokeDef | None:
    if invoke is None:
        return None
    return InvokeDef(
        invoke.machine,
        {given.name: given.text for given in invoke.input} or None,
        _named(invoke.on_done),
        _named(invoke.on_error),
        dict(invoke.returns) or None,
        invoke.shots,
    )


def _named(outcome: Outcome | None) -> str | None:
    return None if outcome is None else outcome.text or outcome.event or outcome.target


def _row(row: TransitionDefinition) -> Transition:
    return Transition(
        row.source_text or row.source,
        row.event or "",
        row.target_text or row.target or "",
        row.guard_text or None,
        row.actions[0] if row.actions else None,
    )


# -- guards ------------------------------------------------------------------------------------------------


def _expression(expression: Expression, guards: Mapping[str, Expression]) -> GuardExpression:  # noqa: PLR0911 - one return a form
    match expression:
        case BoolLiteral(value):
            return GuardTrue() if value else GuardFalse()
        case Else():
            return GuardTrue()
        case GuardName(name):
            return _expression(guards[name], guards)
        case Truth(path, declared_bool):
            # The published records have no truth of a field; "is true" says the same of a bool.
            truth = GuardCompare("eq", _variable(path), ValueRef("boolean", True))
            return truth if declared_bool else GuardNullcheck(_variable(path), is_null=False)
        case NullTest(path, negated):
            return GuardNullcheck(_variable(path), is_null=not negated)
        case Not(operand):
            return GuardNot(_expression(operand, guards))
        case And(operands) | Or(operands):
            join = GuardAnd if isinstance(expression, And) else GuardOr
            first, *others = (_expression(operand, guards) for operand in operands)
            for other in others:
                first = join(first, other)
            return first
        case Comparison():
            return _comparison(expression)


def _comparison(comparison: Comparison) -> GuardExpression:
    operator = OPERATORS[comparison.operator]
    match comparison.left, comparison.right:
        case Path() as left, Path() as right:
            return GuardCompare(operator, _variable(left), _variable(right))
        case Path() as left, Value() as right:
            return GuardCompare(operator, _variable(left), _value(right))
        case Value() as left, Path() as right:
            return GuardCompare(_MIRRORED[operator], _variable(right), _value(left))
        case _:
            return GuardTrue() if compile_guard(comparison, {})({}, None) else GuardFalse()


def _variable(path: Path) -> VariableRef:
    return VariableRef([*([path.root_text] if path.root_text else []), *path.names])


def _value(value: Value) -> ValueRef:
    kind = {str: "string", bool: "boolean", type(None): "null"}.get(type(value.value), "number")
    return ValueRef(kind, value.value)
