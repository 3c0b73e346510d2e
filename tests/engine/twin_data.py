"""
Charts, callbacks and steps as plain data: what hypothesis draws and shrinks, and what named tests write by hand.

States are called ``s0``, ``s1``, ...; a callback is found by python-statemachine under its name, as in a class that
somebody wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

FLAGS = (
    "allow_event_without_transition",
    "enable_self_transition_entries",
    "atomic_configuration_update",
    "catch_errors_as_events",
)


@dataclass(frozen=True)
class Node:
    """A state."""

    id: str
    kind: str = "atomic"
    """``atomic``, ``final``, ``compound``, ``parallel``, ``shallow`` or ``deep``."""
    children: tuple[Node, ...] = ()
    initial: bool = False
    donedata: str | None = None
    """The name of the callback that gives a final state its data."""
    default: str | None = None
    """Where a history state leads that has recorded nothing."""
    default_on: str | None = None
    """The name of the callback that runs on the way there."""
    invoke: tuple[str, ...] = ()
    """What runs while the machine is there: a kind of handler, see `twin_invoke`, or the name of a callback."""

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Edge:
    """A transition, or several by weight."""

    source: str
    targets: tuple[str, ...] = ()
    event: str | None = None
    internal: bool = False
    given: tuple[tuple[str, str], ...] = ()
    """What is given inline, as ``("cond", "g0 and not g1")`` or ``("on", "act")``."""
    weights: tuple[int, ...] = ()


@dataclass(frozen=True)
class Act:
    """What a callback does on its first calls."""

    kind: str
    """
    ``raise``, ``send``, ``raise_``, ``call``, ``enabled``, ``cancel``, ``listen`` (a listener is added),
    ``elsewhere`` (another thread sends an event), ``work`` (the threads of invocations run), ``invalid`` (an
    `InvalidDefinition` is raised) or ``pause`` (others of its group may run, if it is asynchronous).
    """
    event: str = ""
    kwargs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Callback:
    """A function of the machine, its model or a listener."""

    name: str
    parameters: str = "self"
    acts: tuple[Act, ...] = ()
    skips: int = 0
    """How many of its calls do nothing before any acts."""
    times: int = 1
    """How many of its calls act then."""
    results: tuple[Any, ...] = (None,)
    """What its calls return, round and round."""
    owner: str = "machine"
    """``machine``, ``model``, ``listener`` or ``late`` (a listener that is added by a step)."""
    is_async: bool = False

    def acts_of(self, number: int) -> tuple[Act, ...]:
        """Return what a call does, counted from 0."""
        return self.acts if self.skips <= number < self.skips + self.times else ()


@dataclass(frozen=True)
class Declared:
    """An event that is declared with more than its transitions."""

    event: str
    delay: int = 0
    internal: bool = False


@dataclass(frozen=True)
class Chart:
    """A class."""

    roots: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    callbacks: tuple[Callback, ...] = ()
    base: str = "StateChart"
    flags: tuple[tuple[str, bool], ...] = ()
    declared: tuple[Declared, ...] = ()
    listens: bool = False
    """Whether a listener is given to the constructor, even one without callbacks."""
    watched: bool = False
    """Whether callbacks look at the machine, and the model notes what is written to it."""
    keywords: tuple[tuple[str, Any], ...] = ()
    """Further arguments of the constructor."""
    has_sibling: bool = False
    """Whether another machine of the class, without arguments, is there before and takes some events."""

    def walk(self):
        for root in self.roots:
            yield from root.walk()

    def with_flags(self, **flags: bool) -> Chart:
        return replace(self, flags=tuple(flags.items()))

    def asynchronous(self) -> Chart:
        """The same with asynchronous callbacks; one that is added if there is none."""
        known = self.callbacks or (Callback(f"on_exit_{self.roots[-1].id}"),)
        # A listener that comes later has to be synchronous: python-statemachine would never await it (trap D17).
        return replace(self, callbacks=tuple(replace(one, is_async=one.owner != "late") for one in known))


@dataclass(frozen=True)
class Step:
    """What is done to a machine from outside."""

    kind: str
    """
    ``send``, ``call``, ``raise_``, ``put`` (without running it), ``enabled``, ``allowed``, ``listen``, ``activate``,
    ``cancel``, ``write`` (a state value), ``work`` (the threads and tasks of invocations run).
    """
    event: str = ""
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = field(default=())
