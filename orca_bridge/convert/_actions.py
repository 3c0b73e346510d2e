"""
Handlers of actions and effects: how they are collected, and how they are called (semantics.md sections 8 and 9).

How a handler is called is read from its signature once, when a machine is made, so that running it is one call with the
arguments it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from ._names import identifier
from ._payload import injected

if TYPE_CHECKING:
    from statemachine.event_data import TriggerData

__all__ = ("Actions", "Call", "Given", "Moment", "Names", "Source", "refuse_awaitable")

F = TypeVar("F", bound=Callable[..., Any])

Source: TypeAlias = Mapping[str, Callable[..., Any]] | object
"""Where handlers come from: a mapping by action name, or an object with methods."""

Names: TypeAlias = "Callable[[TriggerData], Mapping[str, Any]]"
"""Gives everything that a callback may ask for by name: `state`, an orchestrator's `orc`, the payload, ..."""

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
# Names that always mean what stands at that place, even when something of the same name is injected.
_PLAIN = frozenset({"_", "_event", "context", "ctx", "effect", "event", "payload"})


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

    @actions.effect("Notify")
    def notify(effect):
        print("telling", effect.payload["event"])

    assert list(actions) == ["charge", "send-receipt", "effect_Notify"]
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

    @overload
    def effect(self, handler: F, /) -> F: ...

    @overload
    def effect(self, name: str, /) -> Callable[[F], F]: ...

    def effect(self, handler: Callable[..., Any] | str, /) -> Any:
        """
        Add a function as the handler of the effects of the type given, or called like the function.

        Raises:
            ValueError: A handler of that type was added before.
        """
        if isinstance(handler, str):
            return partial(self._add, f"effect_{identifier(handler)}")
        return self._add(f"effect_{handler.__name__}", handler)

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

    context: Any
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
    by_place: bool = False
    """Whether a positional parameter means what stands at its place, whatever its name."""

    @classmethod
    def of(cls, function: Callable[..., Any], *, by_place: bool = False) -> Call:
        """Read how a handler wants to be called; one without a readable signature gets the context alone."""
        try:
            parameters = tuple(signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = (Parameter("ctx", Parameter.POSITIONAL_ONLY),)
        leading = tuple(parameter for parameter in parameters if parameter.kind in _POSITIONAL)
        certain = (by_place or all(parameter.name in _PLAIN for parameter in leading)) and len(leading) <= 2  # noqa: PLR2004
        return cls(
            function,
            leading,
            tuple(parameter for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY),
            any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters),
            any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters),
            plain=certain and len(leading) == len(parameters),
            by_place=by_place,
        )

    def __call__(self, moment: Moment) -> Any:
        """Call the handler of an action."""
        return self.about((moment.context, moment.payload), moment)

    def about(self, given: tuple[Any, ...], moment: Moment) -> Any:
        """Call a handler with what stands at its places; it may name what else there is."""
        if self.plain and len(self.leading) <= len(given):
            return self.function(*given[: len(self.leading)])
        places = [*given]
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
        by_name = not self.by_place and parameter.name in named and parameter.name not in _PLAIN
        return places.pop(0) if places and not by_name else self._named(parameter, named)

    def _named(self, parameter: Parameter, named: Mapping[str, Any]) -> Any:
        if parameter.name in named:
            return named[parameter.name]
        if parameter.default is not Parameter.empty:
            return parameter.default
        asker = getattr(self.function, "__qualname__", repr(self.function))
        raise TypeError(
            f"{asker}() asks for {parameter.name!r}, which nothing provides here. An action takes (), (ctx) or "
            f"(ctx, event), an effect () or (effect), and by name event_name, state, machine and what the step "
            f"injects: {', '.join(sorted(named))}"
        )


def refuse_awaitable(what: str, result: Any) -> None:
    """
    Refuse what a handler has returned on a synchronous machine, where nobody can await it.

    Raises:
        TypeError: Always.
    """
    close: Callable[[], None] | None = getattr(result, "close", None)
    if close is not None:
        close()
    raise TypeError(
        f"{what} returned an awaitable, and this machine is synchronous because no handler is declared with "
        f"'async def'. Declare this one so."
    )
