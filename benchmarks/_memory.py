"""
What a machine weighs, when there are many of its class: stock, accelerated, as member of a collection, and the peers'.

    python -m benchmarks._memory                100,000 machines of each kind, a quarter of an hour and several GB
    python -m benchmarks._memory 10000          fewer
    python -m benchmarks._memory 100000 Flat    of one kind

Every machine takes one event before it is weighed: some of what it needs is made only then. Every measurement has a
process of its own, so that none profits from what another one has left behind.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator import Orchestrator, accelerate, machines

from . import _peers
from ._machines import Five, Flat, Parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from statemachine import StateChart

__all__ = ("bytes_per_machine", "main")

MANY = 100_000
KINDS: dict[type[StateChart[Any]], _peers.Job] = {
    Flat: _peers.Job(),
    Five: _peers.Job(callbacks=5),
    Parallel: _peers.Job(shape="parallel"),
}
"""The classes, and how peers are asked for the same."""


def stock(kind: Any, count: int) -> object:
    """Make machines that stand alone, as python-statemachine makes them."""
    made = [kind() for _ in range(count)]
    for one in made:
        one.go()
    return made


def accelerated(kind: Any, count: int) -> object:
    """Make machines that stand alone, on our engine."""
    made = [accelerate(kind()) for _ in range(count)]
    for one in made:
        one.go()
    return made


def members(kind: Any, count: int) -> object:
    """Make the members of one collection."""
    body: dict[str, Any] = {"__module__": __name__, "__annotations__": {"all": dict[str, kind]}, "all": machines(kind)}
    system: Any = type(f"Crowd{kind.__name__}", (Orchestrator,), body)()
    for number in range(count):
        system.all.add(str(number)).go()
    return system


def peers(name: str, kind: Any, count: int) -> object:
    """Make machines of a peer; None if it has nothing of the kind, or is not installed."""
    job = KINDS[kind]
    made = [_peers.make(name, job) for _ in range(count)]
    for one in made:
        if one is None:
            return None
        _peers.PEERS[name].run(job, one)(1)
    return made


CONTENDERS: dict[str, Callable[[type[StateChart[Any]], int], object]] = {
    "stock": stock,
    "accelerated": accelerated,
    "member": members,
    **{name: partial(peers, name) for name in _peers.PEERS},
}


def bytes_per_machine(contender: str, kind: type[StateChart[Any]], count: int) -> float:
    """
    Return how many bytes one more machine takes; 0 if the contender has nothing of the kind.

    Args:
        contender: How it is made, a name of `CONTENDERS`.
        kind: Its class.
        count: How many are made; what is there once per class is made before, and not counted.
    """
    make = CONTENDERS[contender]
    kept = [make(kind, 1)]
    if kept == [None]:
        return 0
    gc.collect()
    tracemalloc.start()
    try:
        kept.append(make(kind, count))
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / count
    finally:
        tracemalloc.stop()


def main(arguments: Sequence[str]) -> int:
    """Measure, and print one table."""
    count = int(arguments[0]) if arguments else MANY
    kinds = [kind for kind in KINDS if arguments[1:] in ([], [kind.__name__])]
    head = f"bytes per machine, of {count:,}"
    print(f"{head:<30}" + "".join(f"{name:>{_width(name)}}" for name in CONTENDERS), flush=True)
    for kind in kinds:
        weights = [(_width(name), _apart(name, kind, count)) for name in CONTENDERS]
        shown = "".join(f"{f'{weight:,.0f}' if weight else '-':>{width}}" for width, weight in weights)
        print(f"{kind.__name__:<30}{shown}", flush=True)
    return 0


def _width(name: str) -> int:
    return max(8, len(name) + 1)


def _apart(contender: str, kind: type[StateChart[Any]], count: int) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(bytes_per_machine, (contender, kind, count))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
