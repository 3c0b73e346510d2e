"""
Where the nanoseconds of one event go, line by line.

The event is traced once, to see which lines it passes. Then every function on its way is cut short before one line
after another, and the event is timed with each cut: what it is faster by is what the rest of that function takes, and
the difference of two cuts what the line between them takes. A function is entered only if who called it goes on as
before when it is cut short; all other calls are counted whole, in the line that makes them, and a `finally` in the
line before its `try`.
"""

from __future__ import annotations

import ast
import copy
import gc
import sys
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from threading import Thread
from time import process_time
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import statemachines_orchestrator

from . import _machines as machines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from ._measure import Run

__all__ = ("KINDS", "main")

KINDS = {
    kind.__name__: kind
    for kind in (machines.Flat, machines.FlatChart, machines.Taking, machines.Five, machines.Parallel)
}
HOUSE = Path(statemachines_orchestrator.__file__).parent
SAMPLE = 300
"""Events per sample: few, so that some samples are over before anything else on the machine wants its turn."""
SAMPLES = 5
"""How many of them are taken in a round."""
WARMING, TRIED = 4, 3
"""Events that a new member takes before it is traced, and traced events."""
PATIENCE = 0.5
"""Seconds."""
RESULT = "<what the function returned when it was traced>"
"""Stands for that in a function that is cut short, until its constants are replaced."""
NANOSECONDS = 1e9
WIDTH = 99
"""Columns of what is printed."""


@dataclass(eq=False, slots=True)
class Visit:
    """One call of a function, as it was traced."""

    code: CodeType
    caller: Visit | None
    depth: int
    result: object = None
    end: int = 0
    """How many lines had been passed when it returned."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A line that was passed."""

    visit: Visit
    line: int

    @property
    def place(self) -> tuple[str, int]:
        """Where it is, whatever the function has been replaced with."""
        return self.visit.code.co_filename, self.line


@dataclass(frozen=True, slots=True)
class Cut:
    """The line before which a function is cut short, and the function so cut."""

    function: FunctionType
    code: CodeType
    passed: Passed

    @property
    def line(self) -> int:
        """Its number."""
        return self.passed.line


def main(name: str, rounds: int) -> int:
    """
    Print what each line takes.

    Args:
        name: Of the class in `KINDS` whose event is traced; it is a member of an orchestrator.
        rounds: How many samples are taken with each cut; the fastest counts.
    """

    def make() -> Any:
        return machines.orchestrate(KINDS[name])().order  # type: ignore[attr-defined]

    member = make()

    def events(count: int) -> None:
        for _ in range(count):
            member.go()

    def lookups(count: int) -> None:
        for _ in range(count):
            member.go  # noqa: B018 - this is what is measured

    cuts = list(_cuts(make))
    plain: list[Run] = [_nothing, lookups, events]
    times = [inf] * (len(plain) + len(cuts))
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):  # each in its turn, so that a burst of noise hits all of them
            found = [*(_timed(run) for run in plain), *(_timed_with(cut, cuts, events) for cut in cuts)]
            times = [min(both) for both in zip(times, found, strict=True)]
    finally:
        gc.enable()
    (empty, looked_up, whole), cut_short = times[:3], times[3:]
    rests = [whole - time for time in cut_short]
    print(f"An event of {name}, a member: nanoseconds of each line, by the fastest sample.", "")
    print(f"{looked_up - empty:6.0f}  member.go: finding the event")
    print(f"{whole - looked_up - rests[0]:6.0f}  calling it")
    _print(cuts, rests)
    print(f"{whole - empty:6.0f}  in all")
    return 0


# -- finding the cuts --------------------------------------------------------------------------------------


def _traced(make: Callable[[], Any]) -> list[list[Passed]]:
    """Return, for several events of a new member, the lines of ours that they pass; none for those that do not end."""
    found: list[list[Passed]] = []

    def live() -> None:
        member = make()
        for _ in range(WARMING):
            member.go()
        found.extend(_trace(member.go) for _ in range(TRIED))

    def live_on() -> None:
        with suppress(Exception):  # whatever it is, the event does not go on where it is cut short
            live()

    # In a thread, as a lock may never be released where a function is cut short.
    thread = Thread(target=live_on, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return list(found)


def _trace(event: Callable[[], object]) -> list[Passed]:
    passed: list[Passed] = []
    visits: list[Visit] = []

    def trace(frame: FrameType, what: str, argument: object) -> Any:
        if what == "call":
            if not Path(frame.f_code.co_filename).is_relative_to(HOUSE):
                return None
            visits.append(Visit(frame.f_code, visits[-1] if visits else None, len(visits)))
        elif what == "line":
            passed.append(Passed(visits[-1], frame.f_lineno))
        elif what == "return":
            visit = visits.pop()
            visit.result, visit.end = argument, len(passed)
        return trace

    sys.settrace(trace)
    try:
        event()
    finally:
        sys.settrace(None)
    return passed


def _cuts(make: Callable[[], Any]) -> Iterator[Cut]:
    passed = _traced(make)[-1]
    seen = set()
    closed_until = 0  # within a function that cannot be cut short
    for number, one in enumerate(passed):
        if number < closed_until or one.place in seen:
            continue
        seen.add(one.place)
        is_first = not any(other.visit is one.visit for other in passed[:number])
        cut = _cut(one)
        if cut is not None and _goes_on(cut, make, passed, number):
            yield cut
        elif is_first:
            closed_until = one.visit.end


def _cut(one: Passed) -> Cut | None:
    """Cut a function short before a line; None if no statement begins there."""
    code = one.visit.code
    tree = ast.parse(Path(code.co_filename).read_text(encoding="utf-8"))
    cutter = Cutter(code, one.line)
    tree = ast.fix_missing_locations(cutter.visit(tree))
    if not cutter.is_done:
        return None
    compiled = compile(tree, code.co_filename, "exec", dont_inherit=True)
    found = next(each for each in _codes(compiled) if _is_same(each, code))
    constants = tuple(one.visit.result if each == RESULT else each for each in found.co_consts)
    return Cut(_function(code), found.replace(co_consts=constants), one)


class Cutter(ast.NodeTransformer):
    """Puts a `return` before a line of a function; and takes its conditions apart, each on a line of its own."""

    def __init__(self, code: CodeType, line: int) -> None:
        self.code, self.line = code, line
        self.is_inside = self.is_done = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Look into the one function."""
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        if node.name == self.code.co_name and first == self.code.co_firstlineno:
            self.is_inside = True
            self.generic_visit(node)
            self.is_inside = False
            return node
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> Any:
        """Ask the operands of an `or` one after the other."""
        if (
            self.is_inside
            and isinstance(node.test, ast.BoolOp)
            and isinstance(node.test.op, ast.Or)
            and not node.orelse
        ):
            parts = [ast.copy_location(ast.If(one, copy.deepcopy(node.body), []), one) for one in node.test.values]
            return [each for part in parts for each in self._returning(part)]
        return self._returning(node)

    def visit(self, node: ast.AST) -> Any:
        """Look at a node."""
        if isinstance(node, ast.stmt) and not isinstance(node, ast.If):
            return self._returning(node)
        return super().visit(node)

    def _returning(self, node: ast.stmt) -> Any:
        is_here = self.is_inside and not self.is_done and node.lineno == self.line
        if is_here:
            self.is_done = True
        inner = self.generic_visit(node) if isinstance(node, ast.If) else super().visit(node)
        if not is_here:
            return [inner]
        return [ast.copy_location(ast.Return(ast.Constant(RESULT)), node), inner]


def _goes_on(cut: Cut, make: Callable[[], Any], passed: Sequence[Passed], number: int) -> bool:
    """Whether everybody else does as before if a function is cut short there, time and again."""
    own = cut.passed.visit.code
    before = [one.place for one in passed[:number] if one.visit.code is not own]
    after = [one.place for one in passed[cut.passed.visit.end :] if one.visit.code is not own]
    original = cut.function.__code__
    cut.function.__code__ = cut.code
    try:
        found = [[one.place for one in event if one.visit.code is not cut.code] for event in _traced(make)]
    finally:
        cut.function.__code__ = original
    return len(found) == TRIED and all(
        one[: len(before)] == before and one[len(one) - len(after) :] == after for one in found
    )


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _is_same(one: CodeType, other: CodeType) -> bool:
    return one.co_qualname == other.co_qualname and one.co_firstlineno == other.co_firstlineno


def _function(code: CodeType) -> FunctionType:
    return next(one for one in gc.get_objects() if isinstance(one, FunctionType) and one.__code__ is code)


# -- timing and printing -----------------------------------------------------------------------------------


def _nothing(count: int) -> None:
    for _ in range(count):
        pass


def _timed(run: Run) -> float:
    """Return nanoseconds per event."""
    run(SAMPLE)  # the interpreter settles on the types that it meets
    return min(_once(run) for _ in range(SAMPLES)) / SAMPLE * NANOSECONDS


def _once(run: Run) -> float:
    start = process_time()
    run(SAMPLE)
    return process_time() - start


def _timed_with(cut: Cut, cuts: Sequence[Cut], run: Run) -> float:
    original = cut.function.__code__
    cut.function.__code__ = cut.code
    try:
        return _timed(run)
    finally:
        for one in cuts:  # what the interpreter has settled on with this cut is not what it meets with the next
            one.function.__code__ = one.function.__code__.replace()
        cut.function.__code__ = original.replace()


def _print(cuts: Sequence[Cut], rests: Sequence[float]) -> None:
    """
    Print the lines, each without the functions that are entered from it.

    Args:
        cuts: In the order in which their lines are passed.
        rests: By cut, the nanoseconds from there to the end of its function.
    """
    shown = None
    for number, cut in enumerate(cuts):
        visit = cut.passed.visit
        later = [each for each in range(number + 1, len(cuts)) if cuts[each].passed.visit is visit]
        stop = later[0] if later else len(cuts)
        entered = {}  # the functions that this line calls, each by its first cut
        for each in range(number + 1, stop):
            if cuts[each].passed.visit.caller is visit:
                entered.setdefault(cuts[each].passed.visit, rests[each])
        own = rests[number] - (rests[later[0]] if later else 0) - sum(entered.values())
        path = Path(cut.code.co_filename)
        if visit is not shown:
            print(f"        {'  ' * visit.depth}{path.relative_to(HOUSE)}: {cut.code.co_qualname}")
            shown = visit
        text = path.read_text(encoding="utf-8").splitlines()[cut.line - 1].strip()
        print(f"{own:6.0f}  {'  ' * visit.depth}{cut.line:4}  {text}"[:WIDTH])
