"""Short words for charts, callbacks and steps that are written by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twin_data import Act, Callback, Chart, Edge, Node, Step

ALL = "self, *args, event_data, event, source, target, state, model, machine, transition, **kwargs"
"""Asks for everything."""


@dataclass(frozen=True)
class Case:
    """A claim, and what shows it."""

    claim: str
    chart: Chart
    steps: tuple[Step, ...]
    rests: tuple[str, ...]
    """Where a `StateChart` without a flag of its own is: at first, and after every step."""

    @property
    def called(self) -> tuple[Step, ...]:
        """The steps, with events called as methods where they can be."""
        events = {one.event for one in self.chart.edges if one.event is not None and one.event.isidentifier()}
        return tuple(
            replace(step, kind="call") if step.kind == "send" and step.event in events else step for step in self.steps
        )


def leaf(name, **more):
    return Node(name, **more)


def first(name):
    return Node(name, initial=True)


def final(name, **more):
    return Node(name, "final", **more)


def invoking(name, *kinds, **more):
    return Node(name, invoke=kinds, **more)


def compound(name, *children, initial=False, invoke=()):
    return Node(name, "compound", children, initial, invoke=invoke)


def parallel(name, *children, initial=False):
    return Node(name, "parallel", children, initial)


def history(name, kind, default, on=None):
    return Node(name, kind, default=default, default_on=on)


def edge(source, targets="", event=None, *, internal=False, weights=(), **given):
    return Edge(source, tuple(targets.split()), event, internal, tuple(given.items()), weights)


def sends(*events):
    return tuple(Step("send", event) for event in events)


def send(event, *args, **kwargs):
    return Step("send", event, args, tuple(kwargs.items()))


def hook(name, *acts, parameters="self", **more):
    return Callback(name, parameters, acts, **more)


def act(kind, event="", **kwargs):
    return Act(kind, event, tuple(kwargs.items()))
