"""
What a machine weighs, when there are many of its class: stock, accelerated, and as member of a collection.

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
from typing import TYPE_CHECKING, Any

from statemachines_orchestrator import Orchestrator, accelerate, machines

from ._machines import Five, Flat, Parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from statemachine import StateChart

__all__ = ("bytes_per_machine", "main")

MANY = 100_000
KINDS = (Flat, Five, Parallel)


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


CONTENDERS: dict[str, Callable[[type[StateChart[Any]], int], object]] = {
    "stock": stock,
    "accelerated": accelerated,
    "member": members,
}


def bytes_per_machine(contender: str, kind: type[StateChart[Any]], count: int) -> float:
    """
    Return how many bytes one more machine takes.

    Args:
        contender: How it is made, a name of `CONTENDERS`.
        kind: Its class.
        count: How many are made; what is there once per class is made before, and not counted.
    """
    make = CONTENDERS[contender]
    kept = [make(kind, 1)]
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
    print(f"{f'bytes per machine, of {count:,}':<33}" + "".join(f"{name:>13}" for name in CONTENDERS))
    for kind in kinds:
        print(
            f"{kind.__name__:<33}" + "".join(f"{_apart(name, kind, count):>13,.0f}" for name in CONTENDERS), flush=True
        )
    return 0


def _apart(contender: str, kind: type[StateChart[Any]], count: int) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(bytes_per_machine, (contender, kind, count))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
