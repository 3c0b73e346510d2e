"""States of canonical Markdown: headings, descriptions and bullets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.definition import RegionDefinition, StateDefinition

from ._cells import literal, path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import InvokeInput, Outcome, Span, TimeoutDefinition, TransitionDefinition

__all__ = ("bullets", "depth_of", "heading", "quoted", "walk")

_QUOTES = (
    ('"', '"'),
    ("'", "'"),
    ("\N{LEFT DOUBLE QUOTATION MARK}", "\N{RIGHT DOUBLE QUOTATION MARK}"),
)
_SECOND = 1000


def walk(states: Sequence[StateDefinition]) -> Iterator[StateDefinition | RegionDefinition]:
    """Give all states and regions in the order of their headings."""
    for state in states:
        yield state
        yield from walk(state.children)
        for region in state.regions:
            yield region
            yield from walk(region.states)


def depth_of(states: Sequence[StateDefinition]) -> int:
    """Count the levels of headings."""
    return max((node.path.count(".") + 1 for node in walk(states)), default=0)


def heading(node: StateDefinition | RegionDefinition, level: int) -> str:
    """Write the heading of a state or region."""
    kind = "region" if isinstance(node, RegionDefinition) else "state"
    parts = [f"{'#' * level} {kind} {node.name}"]
    if isinstance(node, StateDefinition):
        marks = [mark for mark, given in (("initial", node.initial), ("final", node.final)) if given]
        marks += ["parallel"] if node.regions else []
        marks += [f"sync: {node.sync}"] if node.regions and node.sync != "all-final" else []
        parts += [f"[{', '.join(marks)}]"] if marks else []
    if _is_titled(node):
        parts += [in_quotes(line) for line in node.description.split("\n")]
    return " ".join(parts)


def _is_titled(node: StateDefinition | RegionDefinition) -> bool:
    return bool(node.description) and (node.titled or bool(node.notes))


def in_quotes(text: str) -> str:
    """Put a text into quotation marks that it does not hold itself."""
    opening, closing = next((pair for pair in _QUOTES if not set(pair) & set(text)), _QUOTES[0])
    return f"{opening}{text}{closing}"


def quoted(text: str) -> list[str]:
    """Write a text as a blockquote."""
    return [f"> {line}".rstrip() for line in text.split("\n")] if text else []


def bullets(node: StateDefinition | RegionDefinition, moves: Sequence[TransitionDefinition]) -> Iterator[str]:
    """Write what stands below a heading."""
    yield from quoted(node.notes if _is_titled(node) else node.description)
    for key, names in (("on_entry", node.on_entry), ("on_exit", node.on_exit)):
        if names:
            yield f"- {key}: {', '.join(names)}"
    if isinstance(node, StateDefinition):
        yield from (f"- {_timeout(timeout)}" for timeout in node.timeouts)
    ignored = [*node.ignored, *(["*"] if node.ignores_all else [])]
    if ignored:
        yield f"- ignore: {', '.join(ignored)}"
    if isinstance(node, StateDefinition):
        yield from _invoke(node)
    yield from (f"- {_move(move)}" for move in moves)
    yield from (f"- {other}" for other in node.others)


def _timeout(timeout: TimeoutDefinition) -> str:
    own = timeout.actions
    if timeout.row is not None and timeout.row.actions:
        own = own[: len(own) - len(timeout.row.actions)]
    actions = f" : {', '.join(own)}" if own else ""
    return f"timeout: {_duration(timeout)} -> {_outcome(timeout.outcome)}{actions}"


def _duration(timeout: TimeoutDefinition) -> str:
    if timeout.duration:
        return timeout.duration
    whole, rest = divmod(timeout.milliseconds, _SECOND)
    return f"{timeout.milliseconds}ms" if rest else f"{whole}s"


def _outcome(outcome: Outcome) -> str:
    return outcome.text or outcome.event or outcome.target or ""


def _invoke(state: StateDefinition) -> Iterator[str]:
    invoke = state.invoke
    if invoke is not None:
        text = f"- invoke: {invoke.machine}"
        if invoke.input:
            text += f" input: {{ {', '.join(map(_input, invoke.input))} }}"
        if invoke.shots is not None:
            text += f" shots: {invoke.shots}"
        if invoke.returns:
            text += f" returns: {{ {', '.join(f'{name}: {value}' for name, value in invoke.returns)} }}"
        yield text
    ends = state if invoke is None else invoke
    for key, outcome in (("on_done", ends.on_done), ("on_error", ends.on_error)):
        if outcome is not None:
            yield f"- {key}: {_outcome(outcome)}"


def _input(given: InvokeInput) -> str:
    value = given.text or (path_text(given.path) if given.path is not None else literal(given.literal))
    return f"{given.name}: {value}"


def _move(move: TransitionDefinition) -> str:
    guard = f" [{move.guard_text}]" if move.guard_text else ""
    target = move.target_text or move.target or ""
    actions = f" : {', '.join(move.actions)}" if move.actions else ""
    return f"on {move.event}{guard} -> {target}{actions}"


def place(span: Span | None) -> tuple[int, int]:
    """Order by place; what has none comes last."""
    return (span.line, span.column) if span is not None else (1 << 60, 0)
