"""Orca documents, read, converted and run, beside the runtime that is published for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orca_bridge import loads, runtime
from orca_bridge.convert import _build, machine_class
from orca_bridge.syntax import read
from statemachines_orchestrator import Orchestrator, machine

from ._cases import Aim, Case
from ._loop import looped

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._measure import Run

try:
    import orca_runtime_python as published

    ORCA_MISSING: tuple[str, ...] = ()
except ImportError:
    published = None
    ORCA_MISSING = ("Orca is not measured without orca-runtime-python: pip install '.[bench]'",)

__all__ = ("ORCA_CASES", "ORCA_MISSING")

KIB = 1024

TOGGLE = """\
# machine Toggle

## context

| Field | Type | Default |
|-------|------|---------|
| count | int  | 0       |

## events

- flip

## state off [initial]
> dark

## state on
> bright

## transitions

| Source | Event | Guard | Target | Action |
|--------|-------|-------|--------|--------|
| off    | flip  | ready | on     | note   |
| on     | flip  | ready | off    | note   |

## guards

| Name  | Expression       |
|-------|------------------|
| ready | `ctx.count >= 0` |

## actions

| Name | Signature          |
|------|--------------------|
| note | `(ctx) -> Context` |
"""


def ring(states: int) -> str:
    """Write a machine whose states follow each other in a ring, with two rows each."""
    head, tail = TOGGLE[: TOGGLE.index("## state off")], TOGGLE[TOGGLE.index("## guards") :]
    head = head.replace("- flip", "- flip\n- back")
    nodes = "".join(f"## state s{one}{'' if one else ' [initial]'}\n> number {one}\n\n" for one in range(states))
    rows = "".join(_rows(one, states) for one in range(states))
    header = "| Source | Event | Guard | Target | Action |\n|---|---|---|---|---|\n"
    return f"{head}{nodes}## transitions\n\n{header}{rows}\n{tail}"


def _rows(one: int, states: int) -> str:
    following, before = (one + 1) % states, (one - 1) % states
    return f"| s{one} | flip | ready | s{following} | note |\n| s{one} | back | | s{before} | |\n"


def noted(ctx: dict[str, Any], _event: object = None) -> dict[str, Any]:
    return {"count": ctx["count"] + 1}


def repeated(operation: Callable[[], object]) -> Run:
    def run(count: int) -> None:
        for _ in range(count):
            operation()

    return run


def reading(states: int) -> dict[str, Run | None]:
    text = ring(states)
    return {
        "base": repeated(lambda: published.parse_orca_md(text)),
        "here": repeated(lambda: read(text, "ring.orca.md")),
    }


def converting(states: int) -> dict[str, Run | None]:
    text = ring(states)
    document = read(text, "ring.orca.md").document
    assert document is not None  # noqa: S101 - the text is ours

    def convert() -> None:
        _build._cache.clear()
        machine_class(document.machines[0])

    return {"base": repeated(lambda: read(text, "ring.orca.md")), "here": repeated(convert)}


def toggling(*, orchestrated: bool) -> dict[str, Run | None]:
    made = loads(TOGGLE, name="toggle.orca.md", actions={"note": noted})

    class Room(Orchestrator):
        toggle: made = machine(factory=made)  # type: ignore[valid-type]

    toggle: Any = Room().toggle if orchestrated else made()
    return {"base": flipping(published), "here": repeated(lambda: toggle.send("flip"))}


def flipping(package: Any) -> Run:
    """Send an event to the `OrcaMachine` of the published runtime, or to ours."""
    toggle = package.OrcaMachine(package.parse_orca_md(TOGGLE), package.EventBus())
    toggle.register_action("note", noted)

    async def start(_: int) -> None:
        await toggle.start()

    async def flip(count: int) -> None:
        for _ in range(count):
            await toggle.send("flip")

    looped(start)(1)
    return looped(flip)


PUBLISHED = "published"
KIB_TIME, CONVERTING, AS_FAST = Aim("237", at_most=237), Aim("150 ms", at_most=150_000), Aim("1", ratio=1)

ORCA_CASES = (
    Case("read 10 states, each KiB", lambda: reading(10), KIB_TIME, per=len(ring(10)) / KIB, beside=PUBLISHED),
    Case("read 100 states, each KiB", lambda: reading(100), KIB_TIME, per=len(ring(100)) / KIB, beside=PUBLISHED),
    Case("read 1000 states, each KiB", lambda: reading(1000), KIB_TIME, per=len(ring(1000)) / KIB, beside=PUBLISHED),
    Case("read 10 states", lambda: reading(10), beside=PUBLISHED),
    Case("read 100 states", lambda: reading(100), beside=PUBLISHED),
    Case("read 1000 states", lambda: reading(1000), beside=PUBLISHED),
    Case("convert 1000 states", lambda: converting(1000), CONVERTING, beside="reading them"),
    Case("event of a toggle, alone", lambda: toggling(orchestrated=False), AS_FAST, beside=PUBLISHED),
    Case("event of a toggle, orchestrated", lambda: toggling(orchestrated=True), AS_FAST, beside=PUBLISHED),
    Case(
        "event of an OrcaMachine",
        lambda: {"base": flipping(published), "here": flipping(runtime)},
        AS_FAST,
        beside=PUBLISHED,
    ),
)
