"""
Callbacks, bound to exactly the arguments that they name.

python-statemachine collects every name for every callback and picks by signature. Here the picking is done once:
for each signature a small function is written that takes the arguments from where they are and calls the callback.
`source_of` shows it. What only python-statemachine's own binding can do (parameters that take the rest, parameters by
position only, guards that are texts) is left to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from inspect import Parameter
from types import CodeType, MethodType
from typing import TYPE_CHECKING, Any

from ._trigger import Place, Trigger, event_data_at, own, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from statemachine import StateChart
    from statemachine.callbacks import CallbackWrapper

__all__ = ("NOT_CALLED", "Bound", "Source", "adds_listeners", "bind", "bind_for_event", "read_callback", "source_of")

NOT_CALLED = object()
"""What a callback of another event has returned."""


_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_STATES = ("state", "source", "target")
_CONFIGURATIONS = {name: f"t.{name}" for name in ("previous_configuration", "new_configuration")}
_ALWAYS = {
    "event_data": "event_data_at(t, place)",
    "machine": "t.machine",
    "event": "t.event",
    "model": "t.model",
    "transition": "place.transition",
}


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A callback of a machine, taken out of python-statemachine's registry."""

    function: Callable[..., Any]
    """What is called in the end."""
    kind: str
    """``method`` of the machine itself, ``function``, ``attribute`` of the machine, or ``other``."""
    bind_expected: Any
    """python-statemachine's own binding; None if `function` binds by itself, or takes nothing."""
    parameters: tuple[Parameter, ...]
    expected: bool | None
    """What a condition has to be; None for what is no condition."""
    is_for: Callable[..., bool]
    """Whether it is called for an event."""
    is_shared: bool
    """Whether it may be called for any machine of the class."""


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A condition at its place."""

    call: Callable[[Trigger], Any]
    """Asks it; an awaitable if it is asynchronous."""
    expected: bool | None


def read_callback(wrapper: CallbackWrapper, machine: StateChart[Any]) -> Source:
    """
    Take a callback out of the registry of a machine.

    Args:
        wrapper: The callback as the registry has it.
        machine: The machine whose registry it is.
    """
    callback: Any = wrapper._callback
    known = _closure(callback)
    expected, is_for = wrapper.expected_value, wrapper.condition
    if "a_callable" in known and "sig_bind_expected" in known:
        function, bind_expected = known["a_callable"], known["sig_bind_expected"]
        parameters = tuple(bind_expected.__self__.parameters.values())
        if isinstance(function, MethodType) and function.__self__ is machine:
            return Source(function.__func__, "method", bind_expected, parameters, expected, is_for, is_shared=True)
        # The declaration's own function, or a static one: both are the same for all machines of the class.
        is_shared = function in (wrapper.meta.func, getattr(type(machine), wrapper.meta.attr_name, None))
        return Source(function, "function", bind_expected, parameters, expected, is_for, is_shared=is_shared)
    if "getter" in known and known.get("obj") is machine:
        return Source(known["getter"], "attribute", None, (), expected, is_for, is_shared=True)
    return Source(callback, "other", None, (), expected, is_for, is_shared=False)


def adds_listeners(source: Source) -> bool:
    """
    Whether a callback adds listeners itself.

    On python-statemachine they hear of the rest of the running microstep, whose program is chosen before it runs.
    """
    return _names(getattr(source.function, "__code__", None), "add_listener")


def _names(code: Any, name: str) -> bool:
    if not isinstance(code, CodeType):
        return False
    return name in code.co_names or any(_names(inner, name) for inner in code.co_consts)


def bind(source: Source, place: Place) -> Callable[[Trigger], Any]:
    """
    Return a function that calls a callback where it stands with what it names.

    A callback with an attribute ``__orchestrator_bind__`` is not called itself: that is a function which makes what is
    called, with the event alone. It gets a function that returns every name that a callback may ask for there.
    """
    function = source.function
    own = getattr(function, "__orchestrator_bind__", None)
    if own is not None:
        made: Callable[[Trigger], Any] = own(partial(_spread_at, place))
        return made
    if source.kind == "attribute":
        return lambda t: function(t.machine)
    if source.kind == "other":
        return lambda t: function(*t.args, **spread(t, place))
    otherwise = _by_upstream(source, place)
    if all(one.kind in _BY_NAME for one in source.parameters):
        return _by_signature(source, place, otherwise)
    return otherwise


def bind_for_event(source: Source, place: Place, event: str | None) -> Callable[[Trigger], Any] | None:
    """Return what `bind` does; None if the callback is not called for an event."""
    if place.slot is None or source.is_for(event=None):
        return bind(source, place) if source.is_for(event=event) else None
    # A `prepare_event` may have put something else in the place of the event, and python-statemachine goes by that.
    call, is_for, slot = bind(source, place), source.is_for, place.slot

    def call_for_event(t: Trigger) -> Any:
        return call(t) if is_for(event=t.prepared[slot]["event"]) else NOT_CALLED  # type: ignore[index] # prepared before

    return call_for_event


def _spread_at(place: Place, t: Trigger) -> dict[str, Any]:
    return spread(t, place)


def _closure(callback: Any) -> dict[str, Any]:
    """Return what python-statemachine's wrapper of a callback has kept."""
    cells = getattr(callback, "__closure__", None)
    if not cells:
        return {}
    return {name: cell.cell_contents for name, cell in zip(callback.__code__.co_freevars, cells, strict=True)}


def _by_upstream(source: Source, place: Place) -> Callable[[Trigger], Any]:
    """Call with python-statemachine's own binding."""
    function, bind_expected = source.function, source.bind_expected

    def call_method(t: Trigger) -> Any:
        bound = bind_expected(*t.args, **spread(t, place))
        return function(t.machine, *bound.args, **bound.kwargs)

    def call(t: Trigger) -> Any:
        bound = bind_expected(*t.args, **spread(t, place))
        return function(*bound.args, **bound.kwargs)

    return call_method if source.kind == "method" else call


def _by_signature(source: Source, place: Place, otherwise: Callable[[Trigger], Any]) -> Callable[[Trigger], Any]:
    names = tuple(
        (one.name, one.kind is Parameter.KEYWORD_ONLY, one.default is not Parameter.empty) for one in source.parameters
    )
    defaults = {one.name: one.default for one in source.parameters}

    def with_arguments(count: int) -> Callable[[Trigger], Any]:
        make = _maker(
            names,
            count,
            source.kind == "method",
            _own(place),
            place.has_configurations,
            is_prepared=place.slot is not None,
        )
        made: Callable[[Trigger], Any] = make(source.function, place, defaults, otherwise, by_count)
        return made

    by_count = _ByCount(with_arguments)
    return by_count[0]


class _ByCount(dict[int, "Callable[[Trigger], Any]"]):
    """The calls of one callback, by how many arguments the event has without a name; made on demand."""

    def __init__(self, make: Callable[[int], Callable[[Trigger], Any]]) -> None:
        self._make = make

    def __missing__(self, count: int) -> Callable[[Trigger], Any]:
        call = self[count] = self._make(count)
        return call


def _own(place: Place) -> tuple[str, ...]:
    flags = (place.own_state, place.own_source, place.own_target)
    return tuple(name for name, is_own in zip(_STATES, flags, strict=True) if is_own)


@lru_cache(maxsize=4096)
def _maker(
    names: tuple[tuple[str, bool, bool], ...],
    count: int,
    is_method: bool,
    own_states: tuple[str, ...],
    has_both: bool,
    *,
    is_prepared: bool,
) -> Any:
    """Return what makes a call from a callback and its place; one per form of signature."""
    space: dict[str, Any] = {"own": own, "event_data_at": event_data_at}
    text = source_of(
        names,
        count,
        is_method=is_method,
        own_states=own_states,
        has_configurations=has_both,
        is_prepared=is_prepared,
    )
    exec(compile(text, f"<call with {count} arguments>", "exec"), space)  # noqa: S102 - our own text, of names that are identifiers
    return space["make"]


def source_of(
    names: Sequence[tuple[str, bool, bool]],
    count: int = 0,
    *,
    is_method: bool = True,
    own_states: Sequence[str] = (),
    has_configurations: bool = False,
    is_prepared: bool = False,
) -> str:
    """
    Return the text of the function that calls callbacks of one form.

    Args:
        names: The parameters of the callback: name, whether it can only be given by name, whether it has a default.
        count: How many arguments the event was sent with that have no names.
        is_method: Whether the machine itself comes first.
        own_states: Those of ``state source target`` of which the machine's own object is passed.
        has_configurations: Whether the configurations before and after are known.
        is_prepared: Whether a `prepare_event` may have put something else under any name.
    """
    fixed = _fixed(own_states, has_configurations=has_configurations, is_prepared=is_prepared)
    passed, looked_up = ["t.machine"] if is_method else [], []
    setup = ["slot = place.slot"] if is_prepared else []
    left = count
    for name, by_name_only, has_default in names:
        if by_name_only and left > 0:
            left = 0  # python-statemachine looks for a place for what is left here, and forgets the parameter over it
            continue
        takes_next = left > 0
        left -= takes_next
        if name in fixed:
            value = fixed[name]
        else:
            value = f"_{name}"
            if takes_next:
                looked_up.append(f"{value} = given[{name!r}] if {name!r} in given else t.args[{count - left - 1}]")
            elif has_default:
                setup.append(f"default_{name} = defaults[{name!r}]")
                looked_up.append(f"{value} = given[{name!r}] if {name!r} in given else default_{name}")
            else:
                looked_up.append(f"{value} = given[{name!r}]")
        passed.append(f"{name}={value}" if by_name_only else value)
    where = "t.prepared[slot]" if is_prepared else "t.given"
    return _text(setup, _other(count) if names else "", where, looked_up, ", ".join(passed))


def _other(count: int) -> str:
    """Return what leads to the function for another number of arguments without names."""
    differs = f"len(t.args) != {count}" if count else "t.args"
    return f"        if {differs}:\n            return by_count[len(t.args)](t)\n"


def _fixed(own_states: Sequence[str], *, has_configurations: bool, is_prepared: bool) -> dict[str, str]:
    """Return the names whose values are known where the callback runs, and how they are written there."""
    states = {name: f"own(t, place.{name})" if name in own_states else f"place.{name}" for name in _STATES}
    both = _CONFIGURATIONS if has_configurations else {}
    if is_prepared:
        return both
    return {**_ALWAYS, **states, **both}


def _text(setup: Sequence[str], other: str, where: str, looked_up: Sequence[str], passed: str) -> str:
    lines = ["def make(function, place, defaults, otherwise, by_count):\n"]
    lines += [f"    {line}\n" for line in setup]
    lines += ["    def call(t):\n", other]
    if looked_up:
        lines += [f"        given = {where}\n", "        try:\n"]
        lines += [f"            {line}\n" for line in looked_up]
        lines += ["        except KeyError:\n", "            return otherwise(t)\n"]
    lines += [f"        return function({passed})\n", "    return call\n"]
    return "".join(lines)
