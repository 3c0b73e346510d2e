"""The classes of what ``orca-bridge run`` runs: a machine, and what it invokes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orca_bridge._load import Options, class_of
from orca_bridge.convert import effect_names, find_handler, invokes_of
from orca_bridge.exceptions import MissingActionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orca_bridge.convert import OrcaChart
    from orca_bridge.definition import MachineDefinition
    from orca_bridge.syntax import Reading

__all__ = ("Kinds", "kinds_of")


@dataclass(frozen=True, slots=True)
class Kinds:
    """The classes of one run."""

    main: type[OrcaChart]
    invoked: Mapping[str, type[OrcaChart]] = field(default_factory=dict)
    """The machines that may run below it, by name."""
    skipped: list[str] = field(default_factory=list)
    """Grows by the name of each action that would run, and has no handler."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """The machines that are invoked and defined nowhere, by name."""
        every = (self.main, *self.invoked.values())
        named = (invoke.machine for kind in every for invoke in invokes_of(kind.definition))
        return tuple(dict.fromkeys(name for name in named if name not in self.invoked))


def kinds_of(definition: MachineDefinition, reading: Reading, actions: Any, *, lenient: bool) -> Kinds:
    """
    Make the classes of a machine and of what it invokes.

    Args:
        definition: The machine.
        reading: The document it stands in.
        actions: Handlers of actions, of the other machines too.
        lenient: Whether an action without a handler is passed over.

    Raises:
        ConversionError: A machine cannot run.
        MissingActionError: Actions have no handler; all those of one machine are named.
    """
    kinds = _made(definition, reading, actions)
    missing = list(_missing(kinds))
    if not missing:
        return kinds
    if not lenient:
        raise missing[0]
    skipped: list[str] = []
    names = dict.fromkeys(name for kind in _every(kinds) for name in _asked(kind))
    given = {name: find_handler([] if actions is None else [actions], name) for name in names}
    absent = dict.fromkeys(name for error in missing for name in error.missing)
    handlers: dict[str, Callable[..., Any]] = {name: handler for name, handler in given.items() if handler is not None}
    made = _made(definition, reading, {**handlers, **{name: _passing(name, skipped) for name in absent}})
    return Kinds(made.main, made.invoked, skipped)


def _made(definition: MachineDefinition, reading: Reading, actions: Any) -> Kinds:
    main = class_of(definition, reading, Options(actions))
    below = main._blueprint.invoked()
    return Kinds(main, {name: main if name == definition.name else kind for name, kind in below.items()})


def _every(kinds: Kinds) -> tuple[type[OrcaChart], ...]:
    return tuple(dict.fromkeys((kinds.main, *kinds.invoked.values())))


def _missing(kinds: Kinds) -> Iterator[MissingActionError]:
    for kind in _every(kinds):
        try:
            kind._handlers(None)
        except MissingActionError as error:
            yield error


def _asked(kind: type[OrcaChart]) -> Iterator[str]:
    """Give the names under which a machine looks for handlers."""
    actions = kind._blueprint.actions
    yield from actions
    yield from (name for effects in actions.values() for effect in effects for name in effect_names(effect, actions))


def _passing(name: str, skipped: list[str]) -> Callable[[], None]:
    return lambda: skipped.append(name)
