"""
Handlers of actions: where they are found, and how they are called (semantics.md section 8).

A handler is looked up once, when a machine is made. How it is called is read from its signature then too, so
that running it is one call with the arguments it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, iscoroutinefunction, signature
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from orca_bridge.exceptions import MissingActionError

from ._names import identifier
from ._payload import event_name, injected, payload_of

if TYPE_CHECKING:
    from statemachine.event_data import TriggerData

__all__ = ("Actions", "Call", "Given", "Handler", "Moment", "Names", "find_handler", "resolve_handlers")

F = TypeVar("F", bound=Callable[..., Any])

Source: TypeAlias = Mapping[str, Callable[..., Any]] | object
"""Where handlers come from: a mapping by action name, or an object with methods."""

Names: TypeAlias = "Callable[[TriggerData], Mapping[str, Any]]"
"""Gives everything that a callback may ask for by name: `state`, an orchestrator's `orc`, the payload, ..."""

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
# Names that always mean what stands at that place, even when something of the same name is injected.
_PLAIN = frozenset({"_", "_event", "context", "ctx", "event", "payload"})


class Actions(Mapping[str, Callable[..., Any]]):
    """
    Handlers collected by a decorator.

    Hand it to `load` or to a machine's constructor as ``actions``. Functions that are added later are seen by
    machines made later.

    ```python
    from orca_bridge import Actions

    actions = Actions()

    @actions.action
    def charge(ctx, event):
        ctx["paid"] = event["amount"]

    @actions.action("send-receipt")
    def mail(ctx):
        ...

    assert list(actions) == ["charge", "send-receipt"]
    ```
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[..., Any]] = {}

    @overload
    def action(self, handler: F, /) -> F: ...

    @overload
    def action(self, name: str, /) -> Callable[[F], F]: ...

    def action(self, handler: Callable[..., Any] | str, /) -> Any:
        """
        Add a function under its own name, or under the name given.

        Raises:
            ValueError: A handler of that name was added before.
        """
        if isinstance(handler, str):
            return partial(self._add, handler)
        return self._add(handler.__name__, handler)

    def _add(self, name: str, handler: F) -> F:
        if name in self._handlers:
            raise ValueError(f"action {name!r} has a handler already: {self._handlers[name]!r}")
        self._handlers[name] = handler
        return handler

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self._handlers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._handlers)

    def __len__(self) -> int:
        return len(self._handlers)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} handlers)"


@dataclass(frozen=True, slots=True)
class Given:
    """Handlers that were given to one machine. They are code, not data: copies of the machine share them."""

    source: Source | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Given:
        return self


@dataclass(frozen=True, slots=True)
class Moment:
    """What an action may ask about the step that it runs in."""

    context: dict[str, Any]
    payload: dict[str, Any] | None
    event_name: str | None
    keywords: Mapping[str, Any]
    """What `Names` gives, and the `machine`."""

    def by_name(self) -> dict[str, Any]:
        """What a handler can ask for by name; fields of the payload are not among it."""
        return {**injected(self.keywords, self.payload), "event_name": self.event_name}


@dataclass(frozen=True, slots=True)
class Call:
    """How one handler is called."""

    function: Callable[..., Any]
    leading: tuple[Parameter, ...]
    """Positional parameters, in order."""
    keywords: tuple[Parameter, ...]
    """Keyword-only parameters."""
    spreads_positional: bool
    spreads_keywords: bool
    plain: bool
    """Whether the handler takes (), (ctx) or (ctx, event) under names that leave no doubt."""

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Call:
        """Read how a handler wants to be called; one without a readable signature gets the context alone."""
        try:
            parameters = tuple(signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = (Parameter("ctx", Parameter.POSITIONAL_ONLY),)
        leading = tuple(parameter for parameter in parameters if parameter.kind in _POSITIONAL)
        certain = all(parameter.name in _PLAIN for parameter in leading) and len(leading) <= 2  # noqa: PLR2004
        return cls(
            function,
            leading,
            tuple(parameter for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY),
            any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters),
            any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters),
            plain=certain and len(leading) == len(parameters),
        )

    def __call__(self, moment: Moment) -> Any:
        """Call the handler."""
        places = [moment.context, moment.payload]
        if self.plain:
            return self.function(*places[: len(self.leading)])
        named = moment.by_name()
        arguments = [self._leading(parameter, named, places) for parameter in self.leading]
        if self.spreads_positional:
            arguments.extend(places)
        wanted = {parameter.name: self._named(parameter, named) for parameter in self.keywords}
        if self.spreads_keywords:
            used = {parameter.name for parameter in self.leading}
            wanted.update({name: value for name, value in named.items() if name not in used})
        return self.function(*arguments, **wanted)

    def _leading(self, parameter: Parameter, named: Mapping[str, Any], places: list[Any]) -> Any:
        by_name = parameter.name in named and parameter.name not in _PLAIN
        return places.pop(0) if places and not by_name else self._named(parameter, named)

    def _named(self, parameter: Parameter, named: Mapping[str, Any]) -> Any:
        if parameter.name in named:
            return named[parameter.name]
        if parameter.default is not Parameter.empty:
            return parameter.default
        asker = getattr(self.function, "__qualname__", repr(self.function))
        raise TypeError(
            f"{asker}() asks for {parameter.name!r}, which nothing provides here. An action takes (), (ctx) or "
            f"(ctx, event), and by name event_name, state, machine and what the step injects: "
            f"{', '.join(sorted(named))}"
        )


@dataclass(frozen=True, slots=True)
class Handler:
    """The handler of one action."""

    action: str
    call: Call
    asynchronous: bool

    def run(self, trigger: TriggerData, names: Names) -> Any:
        """Call the handler in the step of an event; what it returns."""
        machine: Any = trigger.machine
        call = self.call
        if not call.plain:
            keywords = {**names(trigger), "machine": machine}
            return call(Moment(machine.context, payload_of(trigger), event_name(trigger), keywords))
        match len(call.leading):
            case 0:
                return call.function()
            case 1:
                return call.function(machine.context)
            case _:
                return call.function(machine.context, payload_of(trigger))


def resolve_handlers(
    machine: str,
    actions: Iterable[str],
    sources: Iterable[Source | None],
    own: Mapping[str, Callable[..., Any]],
    tables: Mapping[str, Callable[..., Any]] | None = None,
) -> dict[str, Handler]:
    """
    Find the handler of every action.

    Args:
        machine: The name of the machine, for the text of errors.
        actions: The actions of its document, in order.
        sources: Mappings or objects; the first that has a handler wins.
        own: Methods of the machine's class, bound; asked after the others.
        tables: Decision tables by the names of actions; asked last.

    Raises:
        MissingActionError: Actions have no handler; all of them are named.
        TypeError: What stands for a handler cannot be called.
    """
    actions = tuple(actions)
    asked = [source for source in sources if source is not None] + [own]
    found = {name: find_handler([*asked, tables or {}], name) for name in actions}
    missing = [name for name, handler in found.items() if handler is None]
    if missing:
        offered = dict.fromkeys(name for source in asked for name in _offered(source))
        raise MissingActionError(machine, missing, [name for name in offered if name not in found])
    return {
        name: Handler(name, Call.of(function), _is_asynchronous(function))
        for name, function in found.items()
        if function is not None
    }


def find_handler(sources: Iterable[Source], action: str) -> Callable[..., Any] | None:
    """
    Find what is called like an action, or like it as an identifier, in the first source that has it.

    Raises:
        TypeError: What stands there cannot be called.
    """
    for source in sources:
        for name in dict.fromkeys((action, identifier(action))):
            handler = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
            if handler is None:
                continue
            if not callable(handler):
                raise TypeError(f"the handler of action {action!r} cannot be called: it is {handler!r}")
            function: Callable[..., Any] = handler
            return function
    return None


def _offered(source: Source) -> list[str]:
    if isinstance(source, Mapping):
        return list(source)
    return [name for name in dir(source) if not name.startswith("_")]


def _is_asynchronous(function: Callable[..., Any]) -> bool:
    while isinstance(function, partial):
        function = function.func
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
