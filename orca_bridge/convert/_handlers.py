"""
Where the handlers of a machine are found.

A handler is looked up once, when a machine is made. What is missing then is told at once, for actions and effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from orca_bridge.exceptions import MissingActionError

from ._actions import Call, Moment
from ._effects import effect_names
from ._names import identifier
from ._payload import event_name, payload_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statemachine.event_data import TriggerData

    from ._actions import Names, Source

__all__ = ("Handler", "find_handler", "resolve_handlers")


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs one action."""

    action: str
    call: Call
    asynchronous: bool
    effects: tuple[tuple[str, Call], ...] = ()
    """The effects that follow, by their types, with what runs each."""

    def moment(self, trigger: TriggerData, names: Names, shown: object = None) -> Moment:
        """Collect what handlers may ask for in the step of an event; see `run`."""
        machine: Any = trigger.machine
        keywords = {**names(trigger), "machine": shown or machine}
        return Moment(machine.context, payload_of(trigger), event_name(trigger), keywords)

    def run(self, trigger: TriggerData, names: Names, shown: object = None) -> Any:
        """
        Call the handler of the action in the step of an event.

        Args:
            trigger: The event.
            names: What the handler may ask for by name.
            shown: What it gets as ``machine``; the machine itself by default.

        Returns:
            What the handler returns.
        """
        machine: Any = trigger.machine
        call = self.call
        if not call.plain:
            return call(self.moment(trigger, names, shown))
        match len(call.leading):
            case 0:
                return call.function()
            case 1:
                return call.function(machine.context)
            case _:
                return call.function(machine.context, payload_of(trigger))


def resolve_handlers(
    machine: str,
    actions: Mapping[str, tuple[str, ...]],
    sources: Iterable[Source | None],
    own: Mapping[str, Callable[..., Any]],
    tables: Mapping[str, Callable[..., Any]],
) -> dict[str, Handler]:
    """
    Find what runs every action: its handler, and those of its effects.

    An action with effects needs the one or the others. An effect that has no handler is passed over where the action
    has one, which then has done the work itself.

    Args:
        machine: The name of the machine, for the text of errors.
        actions: The actions of its document in order, with the types of the effects of each.
        sources: Mappings or objects; the first that has a handler wins.
        own: Methods of the machine's class, bound; asked after the others.
        tables: Decision tables by the names of actions; asked last.

    Raises:
        MissingActionError: Actions have no handler; all of them are named, and the effects without one.
        TypeError: What stands for a handler cannot be called.
    """
    asked = [source for source in sources if source is not None] + [own]
    plain = {name: find_handler([*asked, tables], name) for name in actions}
    types = dict.fromkeys(kind for kinds in actions.values() for kind in kinds)
    named = {kind: effect_names(kind, actions) for kind in types}
    runs = {kind: _find([*asked], names, f"effect {kind!r}") for kind, names in named.items()}
    lacking = {name: tuple(kind for kind in actions[name] if runs[kind] is None) for name in actions}
    missing = [name for name, found in plain.items() if found is None and (lacking[name] or not actions[name])]
    if missing:
        known = {*actions, *(name for names in named.values() for name in names)}
        offered = dict.fromkeys(name for source in asked for name in _offered(source))
        effects = {name: lacking[name] for name in missing if lacking[name]}
        raise MissingActionError(machine, missing, [name for name in offered if name not in known], effects)
    return {
        name: _handler(name, found, [(kind, runs[kind]) for kind in actions[name]]) for name, found in plain.items()
    }


def _handler(action: str, plain: Any, effects: Iterable[tuple[str, Callable[..., Any] | None]]) -> Handler:
    if isinstance(plain, Handler):
        return plain
    runs = [(kind, function) for kind, function in effects if function is not None]
    is_asynchronous = any(_is_asynchronous(one) for one in (plain, *(function for _, function in runs)))
    call = Call.of(plain if plain is not None else _nothing)
    return Handler(action, call, is_asynchronous, tuple((kind, Call.of(function)) for kind, function in runs))


def _nothing() -> None:
    """Stand for the handler of an action that only has effects."""


def find_handler(sources: Iterable[Source], action: str) -> Any:
    """
    Find what is called like an action, or like it as an identifier, in the first source that has it.

    Raises:
        TypeError: What stands there cannot be called.
    """
    return _find(sources, dict.fromkeys((action, identifier(action))), f"action {action!r}")


def _find(sources: Iterable[Source], names: Iterable[str], what: str) -> Any:
    for source in sources:
        for name in names:
            handler = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
            if handler is None:
                continue
            if not callable(handler) and not isinstance(handler, Handler):
                raise TypeError(f"the handler of {what} cannot be called: it is {handler!r}")
            function: Any = handler
            return function
    return None


def _offered(source: Source) -> list[str]:
    if isinstance(source, Mapping):
        return list(source)
    return [name for name in dir(source) if not name.startswith("_")]


def _is_asynchronous(function: Callable[..., Any] | None) -> bool:
    while isinstance(function, partial):
        function = function.func
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
