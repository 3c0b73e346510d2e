"""What can be wrong with a member's class, seen from an orchestrator."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from statemachine import StateChart

from statemachines_orchestrator.charts import Callback, Chart, read_chart
from statemachines_orchestrator.exceptions import (
    CallbackParameterError,
    DeadHookError,
    DefinitionError,
    UnsoundMachineError,
)

from ._fields import MachinesField
from ._names import CALLBACK_PARAMETERS, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._fields import MemberField

__all__ = ("machine_problems",)

_STATE_HOOKS = ("on_enter_", "on_exit_", "on_invoke_")
_EVENT_HOOKS = ("before_", "after_", "on_")
_LIKENESS = 0.8
"""From here on a name is taken for a misspelling: below, helpers such as ``on_timer`` would be accused."""
_USUAL_NAMES = ("orc", "orchestrator")
"""Names of parameters that can only mean the orchestrator."""


def machine_problems(
    field: MemberField | MachinesField, machine_class: type[StateChart[Any]], owner: str, parameter: str
) -> Iterator[DefinitionError]:
    """
    Yield everything that is wrong with a member's class.

    Args:
        field: The member.
        machine_class: Its class, as declared or as passed.
        owner: Name of the orchestrator class.
        parameter: Name under which callbacks ask for the orchestrator.
    """
    chart = read_chart(machine_class)
    where = f"{owner}.{field.name}"
    yield from _unsound(chart, field, where)
    yield from _dead_hooks(chart, where)
    for callback in dict.fromkeys(chart.callbacks):
        place = f"{where} ({chart.name}.{callback.name})"
        yield from _position(callback, place, parameter, {"member_key"})
        if isinstance(field, MachinesField):
            yield from _position(callback, place, "member_key", {parameter})
        yield from _other_name(callback, place, owner, parameter)
    yield from _unfilled(chart, field, where, parameter)


def _unsound(chart: Chart, field: MemberField | MachinesField, where: str) -> Iterator[DefinitionError]:
    if chart.is_abstract and getattr(field.factory, "__name__", None) == chart.name:
        yield UnsoundMachineError(
            where,
            f"{chart.name} has no states, so no machine can be made of it",
            "Name a subclass that has some",
        )
    for state in chart.repeated_states:
        yield UnsoundMachineError(
            where,
            f"{chart.name} has more than one state with the id {state!r}, and python-statemachine keeps one of them",
            "Give each state an id of its own, also in different compounds",
        )


def _dead_hooks(chart: Chart, where: str) -> Iterator[DefinitionError]:
    for name in chart.own_names:
        if name in chart.hooks:
            continue
        written = _meant(name, chart)
        if written is not None:
            why, instead = written
            yield DeadHookError(where, f"{chart.name}.{name} looks like a hook but is never called: {why}", instead)


def _meant(name: str, chart: Chart) -> tuple[str, str] | None:
    """Say why a method that looks like a hook never fires, and which name was meant."""
    for prefix in _STATE_HOOKS:
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            if rest in chart.events:
                return f"{rest!r} is an event, not a state", f"Write before_{rest}, on_{rest} or after_{rest}"
            return _misspelled(prefix, rest, chart.states, "state", surely_a_hook=True)
    for prefix in _EVENT_HOOKS:
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            if rest in chart.states:
                return f"{rest!r} is a state, not an event", f"Write on_enter_{rest} or on_exit_{rest}"
            return _misspelled(prefix, rest, chart.events, "event", surely_a_hook=False)
    return None


def _misspelled(
    prefix: str, rest: str, known: tuple[str, ...], kind: str, *, surely_a_hook: bool
) -> tuple[str, str] | None:
    close = nearest(rest, known, likeness=_LIKENESS)
    if close is not None and not surely_a_hook and rest.startswith(close):
        return None  # `on_processed` beside an event `process` is another word, not a misspelt one
    if close is not None:
        return f"there is no {kind} {rest!r}", f"Write {prefix}{close}"
    if surely_a_hook and known:
        return f"there is no {kind} {rest!r}", f"Name one of the {kind}s: {', '.join(dict.fromkeys(known))}"
    return None


def _position(callback: Callback, where: str, parameter: str, others: set[str]) -> Iterator[DefinitionError]:
    # python-statemachine fills parameters by name, but a positional argument of the event uses up the place of
    # an injected one that stands before it (its trap D19).
    parameters = callback.parameters
    names = [one.name for one in parameters]
    if parameter not in names:
        return
    at = names.index(parameter)
    if parameters[at].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        return
    for later in parameters[at + 1 :]:
        takes_arguments = later.kind in (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.VAR_POSITIONAL,
        )
        if takes_arguments and later.name not in CALLBACK_PARAMETERS | others:
            yield CallbackParameterError(
                where,
                f"the parameter {parameter!r} stands before {later.name!r} and would use up its positional argument",
                f"Put {parameter!r} last, or after a *",
            )
            return


def _other_name(callback: Callback, where: str, owner: str, parameter: str) -> Iterator[DefinitionError]:
    for one in _required(callback):
        if one.name == parameter:
            continue
        annotated = str(one.annotation).strip("'\"").rpartition(".")[2] == owner
        if annotated or (one.name in _USUAL_NAMES and one.name != parameter):
            yield CallbackParameterError(
                where,
                f"the parameter {one.name!r} asks for the orchestrator, which goes by {parameter!r} here",
                f"Rename the parameter to {parameter!r}, or declare class {owner}(..., orchestrator_name={one.name!r})",
            )


def _unfilled(
    chart: Chart, field: MemberField | MachinesField, where: str, parameter: str
) -> Iterator[DefinitionError]:
    if chart.has_listeners or not _is_all_there(field) or "prepare_event" in (one.name for one in chart.callbacks):
        return  # what callbacks receive may come from somewhere that cannot be seen here
    filled = CALLBACK_PARAMETERS | {parameter} | set(field.arguments)
    if isinstance(field, MachinesField):
        filled |= {"member_key"}
    for callback in dict.fromkeys(chart.callbacks):
        if callback.eventless:
            why = "no event triggers the transition, so nobody passes it"
        elif callback.at_start and "start_value" not in field.arguments:
            why = "the initial state is entered by no event, so nobody passes it"
        else:
            continue
        for one in _required(callback):
            if one.name not in filled:
                yield CallbackParameterError(
                    f"{where} ({chart.name}.{callback.name})",
                    f"the parameter {one.name!r} can never be filled: {why}",
                    f"Give it a default, or write {parameter!r} to receive the orchestrator",
                )


def _is_all_there(field: MemberField | MachinesField) -> bool:
    """Whether the orchestrator makes the machine itself, of a class whose constructor it knows, and of nothing else."""
    made_elsewhere = {"model", "listeners"} & set(field.arguments)
    return _has_stock_constructor(field.factory) and not made_elsewhere


def _has_stock_constructor(factory: object) -> bool:
    if not isinstance(factory, type):
        return False
    found = inspect.getattr_static(factory, "__init__")
    return getattr(found, "stands_for", found) is vars(StateChart)["__init__"]  # see `prepare`


def _required(callback: Callback) -> Iterator[inspect.Parameter]:
    if hasattr(callback.function, "__wrapped__"):
        return  # a decorator may fill what the function that it wraps asks for
    for one in callback.parameters:
        variable = one.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        if not variable and one.default is inspect.Parameter.empty:
            yield one
