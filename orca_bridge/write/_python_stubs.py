"""Stubs for the actions of a document, and tests to fill in (exports.md 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orca_bridge.convert import all_states, describe_row, snake_case
from orca_bridge.convert._names import identifier

from ._python_names import docstring, identifiers, joined, literal, pascal_case
from ._python_types import context_type, effect_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orca_bridge.definition import MachineDefinition, TransitionDefinition

__all__ = ("action_stubs",)


def action_stubs(machines: Sequence[MachineDefinition], *, tests: bool = False, source: str = "") -> str:
    """
    Write a module with one function for each action and one for each effect, to be filled in.

    Args:
        machines: The machines of a document; those that cannot run yet as well.
        tests: Whether a test for each action and each row is written too.
        source: The path of the document, which the tests load.
    """
    names = identifiers(pascal_case(machine.name) for machine in machines)
    taken: set[str] = {"actions", "load"}
    writers = [_Stubs(machine, names[pascal_case(machine.name)], taken) for machine in machines]
    body = [line for number, writer in enumerate(writers) for line in ([""] if number else []) + list(writer.lines())]
    body += [line for writer in writers for line in writer.tests(source)] if tests else []
    text = "\n".join(body)
    opening = docstring(f"Actions of {', '.join(machine.name for machine in machines)}.")
    return "\n".join([*opening, "", *_imports(text, tests=tests), *body]) + "\n"


def _imports(text: str, *, tests: bool) -> Iterator[str]:
    yield "from __future__ import annotations"
    yield ""
    if "Mapping[" in text:
        yield "from collections.abc import Mapping"
    yield f"from typing import {', '.join(name for name in ('Any', 'Literal', 'TypedDict') if name in text)}"
    yield ""
    effects = ", Effect, EffectResult" if "(effect: Effect)" in text else ""
    yield f"from orca_bridge import Actions{effects}{', load' if tests and 'load(' in text else ''}"


class _Stubs:
    """The stubs of one machine."""

    def __init__(self, machine: MachineDefinition, name: str, taken: set[str]) -> None:
        self.machine, self.name = machine, name
        self.registry = f"{snake_case(name)}_actions"
        self.used = taken
        self.functions = self._free(list(dict.fromkeys(_run(machine))))

    def _free(self, wanted: list[str]) -> dict[str, str]:
        """Choose names of functions that no other machine of the document has."""
        found = identifiers(wanted, self.used)
        self.used.update(found.values())
        return found

    def lines(self) -> Iterator[str]:
        yield ""
        yield f"{self.registry} = Actions()"
        yield from ("", "")
        yield from context_type(f"{self.name}Context", self.machine)
        declared = {action.name: action for action in self.machine.actions}
        for action, function in self.functions.items():
            found = declared.get(action)
            effects = f" Effects: {', '.join(found.effects)}." if found is not None and found.effects else ""
            text = found.description if found is not None and found.description else f"Run {action}."
            yield from ("", "")
            yield f"@{self.registry}.action({literal(action)})"
            context = f"{self.name}Context"
            given = [f"ctx: {context}", "event: Mapping[str, Any] | None"]
            yield from joined(f"def {function}(", given, f") -> {context} | None:")
            yield from docstring(f"{text}{effects}", "    ")
            yield f"    raise NotImplementedError({literal(action)})"
        kinds = list(
            dict.fromkeys(kind for name in self.functions if name in declared for kind in declared[name].effects)
        )
        methods = self._free([f"effect_{snake_case(kind)}" for kind in kinds])
        for kind in kinds:
            yield from self._effect(kind, methods[f"effect_{snake_case(kind)}"])

    def _effect(self, kind: str, function: str) -> Iterator[str]:
        yield from ("", "")
        yield f"@{self.registry}.effect({literal(kind)})"
        yield f"def {function}(effect: Effect) -> EffectResult | Mapping[str, Any] | None:"
        yield from docstring(effect_text(kind, self.machine), "    ")
        yield f"    raise NotImplementedError({literal(kind)})"

    def tests(self, source: str) -> Iterator[str]:
        for action, function in self.functions.items():
            name = self._free([f"test_{function}"])[f"test_{function}"]
            yield from ("", "")
            yield f"def {name}() -> None:"
            yield from docstring(f"{action} changes the context as it should.", "    ")
            yield f"    context: {self.name}Context = {{}}"
            yield ""
            yield f"    changed = {function}(context, {{}})"
            yield ""
            yield "    assert changed is None"
        for row in self.machine.transitions:
            if row.event is not None and row.event != "*" and "." not in row.event:
                yield from self._row(row, source)

    def _row(self, row: TransitionDefinition, source: str) -> Iterator[str]:
        start = row.source if row.source != "*" else next(iter(self._initial()), "")
        target = row.target if row.target is not None else start
        words = [row.source if row.source != "*" else "any state", str(row.event), "to", row.target or "itself"]
        wanted = "test_" + "_".join(identifier(word) for word in words)
        # Two rows may differ in their guards only.
        name = self._free([wanted])[wanted]
        yield from ("", "")
        yield f"def {name}() -> None:"
        yield from docstring(describe_row(row).partition(" (line ")[0], "    ")
        given = [literal(source), f"machine={literal(self.machine.name)}", f"actions={self.registry}"]
        yield from joined("machine_class = load(", given, ")", "    ")
        if row.guard_text:
            yield f"    # Arrange context and payload so that this holds: {' '.join(row.guard_text.split())}"
        yield f"    machine = machine_class(start_value={literal(start)}, context={{}})"
        yield ""
        yield f"    machine.send({literal(row.event)}, {{}})"
        yield ""
        yield f"    assert {literal(target)} in machine.configuration_values"

    def _initial(self) -> list[str]:
        return [state.path for state in self.machine.states if state.initial]


def _run(machine: MachineDefinition) -> Iterator[str]:
    """Give every action of a machine: those it declares, then those it only uses."""
    yield from (action.name for action in machine.actions)
    for state in all_states(machine.states):
        yield from (*state.on_entry, *state.on_exit)
        yield from (name for timeout in state.timeouts for name in timeout.actions)
        yield from (name for region in state.regions for name in (*region.on_entry, *region.on_exit))
    yield from (name for row in machine.transitions for name in row.actions)
