"""
Our engine with one fault each, a line or less: what compares engines has to find every one of them.

A fault is a text in a function and what stands there instead; with each goes the named case that shows it. Where the
engine has two ways to do one thing (a short road and a careful one, a memo and the rule), what only picks the other
way is no fault. What was tried, and cannot be told from stock by a machine that stands alone: `compose` without
`dict.fromkeys` (leaving out conflicts leaves out doubles, too), `plan` that remembers again what has not changed,
`source_of` without defaults or without counting arguments (python-statemachine's own binding takes over, or has been
taken before), `_all` that gathers one callback (as stock does), `stamp` (events of a machine alone come with a stamp;
tests/orchestrator has those that do not), `is_plain_call` of an internal event (from outside it is an event as any).
"""

from __future__ import annotations
import __future__

import inspect
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType

from statemachines_orchestrator.engine import _binding

PACKAGE = "statemachines_orchestrator.engine."


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where."""

    claim: str
    case: str
    """The claim of a named case that shows it."""
    place: str
    """A module of the engine, and the function in it."""
    old: str
    new: str

    @property
    def function(self) -> FunctionType:
        module, *path = self.place.split(".")
        holder = import_module(PACKAGE + module)
        for name in path[:-1]:
            holder = getattr(holder, name)
        found = inspect.getattr_static(holder, path[-1])
        for wrapper in ("fget", "__func__", "__wrapped__"):
            found = getattr(found, wrapper, found)
        return found

    @contextmanager
    def in_place(self):
        """Let the engine have the fault; whoever has imported the function already has it with the fault, too."""
        function = self.function
        before = function.__code__
        function.__code__ = _compiled(function, self._text(function))
        _binding._maker.cache_clear()
        try:
            yield
        finally:
            function.__code__ = before
            _binding._maker.cache_clear()

    def _text(self, function: FunctionType) -> str:
        text = inspect.getsource(function)
        found = text.count(self.old)
        if found != 1:
            msg = f"{self.place} has {self.old!r} {found} times, not once: say anew where {self.claim!r} would be wrong"
            raise AssertionError(msg)
        text = textwrap.dedent(text.replace(self.old, self.new))
        return text[min(text.index(start) for start in ("def ", "async def ") if start in text) :]


def _compiled(function: FunctionType, text: str):
    """Compile a function anew, with the cells that it has."""
    around = f"def around({', '.join(function.__code__.co_freevars)}):\n{textwrap.indent(text, ' ')}\n return {function.__name__}"
    space: dict = {}
    exec(
        compile(around, f"<{function.__qualname__} with a fault>", "exec", __future__.annotations.compiler_flag),
        function.__globals__,
        space,
    )
    return space["around"](*[None] * len(function.__code__.co_freevars)).__code__


def both(claim: str, case: str, name: str, old: str, new: str) -> tuple[Fault, Fault]:
    """Give the same fault to both texts of a microstep."""
    awaited = name if name.startswith("_") else f"{name}_async"
    return (
        Fault(claim, case, f"_microstep.{name}", old, new),
        Fault(f"{claim}, awaited", case, f"_microstep_async.{awaited}", old, new),
    )


def in_line(claim: str, case: str, old: str, new: str) -> Fault:
    """Give a fault to the microstep in line; its asynchronous text runs for members only."""
    return Fault(claim, case, "_microstep.take_in_line", old, new)


FAULTS = (
    # Choosing.
    Fault("asks no validator", "a validator that fails", "_microstep.choose", "in candidate.validators:", "in ():"),
    Fault(
        "asks no validator, awaited",
        "a validator that fails",
        "_microstep_async.choose_async",
        "if candidate.validators:",
        "if False:",
    ),
    *both("takes all that match", "the first transition whose guards hold is taken", "choose", "break", "pass"),
    *both("forgets histories when choosing", "shallow history", "choose", "engine.sm.history_values", "{}"),
    *both(
        "raises what a guard raises",
        "a guard that fails",
        "_hold",
        "if not engine.sm.catch_errors_as_events:",
        "if True:",
    ),
    *both("says nothing of a guard that fails", "a guard that fails", "_hold", "report(engine, error)", "pass"),
    *both(
        "knows no unless",
        "the first transition whose guards hold is taken",
        "_hold",
        "bool(value) is (condition.expected is False)",
        "not value",
    ),
    # A microstep.
    *both("runs no before", "callbacks run group by group", "take", "in program.before:", "in ():"),
    *both("runs no on", "callbacks run group by group", "take", "in program.on:", "in ():"),
    *both(
        "catches errors of on while an error is handled",
        "an error while an error is handled",
        "take",
        "if t.event != ERROR_EXECUTION",
        "if True",
    ),
    *both("enters without atomic updates", "callbacks run group by group", "take", "if is_atomic:", "if False:"),
    *both(
        "keeps where an invalid definition was found",
        "an invalid definition is found in on_e0",
        "take",
        "except InvalidDefinition:\n        write(engine, program.plan.before)",
        "except InvalidDefinition:\n        pass",
    ),
    *both(
        "undoes nothing",
        "an error while an error is handled",
        "take",
        "# noqa: BLE001 - of any callback\n        write(engine, program.plan.before)",
        "\n        pass",
    ),
    *both(
        "answers errors with errors",
        "an error while an error is handled",
        "take",
        "engine._handle_error(error, t)",
        "report(engine, error)",
    ),
    *both(
        "returns lists",
        "an error while an error is handled",
        "take",
        "result[0] if len(result) == 1 else (result or None)",
        "result or None",
    ),
    *both("returns empty lists", "a flat machine goes round", "take", "(result or None)", "result"),
    *both("runs no after", "callbacks run group by group", "take", "if program.after:", "if False:"),
    *both("records no history", "shallow history", "_leave", "if program.plan.remembered:", "if False:"),
    Fault(
        "cancels no invocation",
        "an invocation by a class ends, and is cancelled",
        "_microstep._leave",
        "if manager is not None:",
        "if False:",
    ),
    Fault(
        "cancels no invocation, awaited",
        "an invocation by a class ends, and is cancelled",
        "_microstep_async._leave",
        "if manager is not None and (manager._active or manager._pending):",
        "if False:",
    ),
    *both(
        "cancels too late",
        "an invocation by a class ends, and is cancelled",
        "_leave",
        "manager.cancel_for_state(leaving.state)",
        "pass",
    ),
    *both("leaves all at once", "callbacks run group by group", "_leave", "if not is_atomic:", "if False:"),
    *both("runs no exit", "callbacks run group by group", "_leave", "if leaving.callbacks:", "if False:"),
    *both("enters all at once", "a flat machine goes round", "_enter", "if not is_atomic:", "if False:"),
    *both("runs no enter", "callbacks run group by group", "_enter", "if entry.callbacks else", "if False else"),
    Fault(
        "keeps what the initial transition gives to itself",
        "a compound state is entered by its initial child, and left with it",
        "_microstep._enter",
        "result += [call(t) for call in entry.initial]",
        "[call(t) for call in entry.initial]",
    ),
    Fault(
        "keeps what the initial transition gives to itself, awaited",
        "a compound state is entered by its initial child, and left with it",
        "_microstep_async._enter",
        "result += await",
        "await",
    ),
    *both("runs nothing of a history", "shallow history", "_enter", "in entry.contents:", "in ():"),
    *both(
        "treats all contents alike",
        "what a transition to a history does is done again when the history is entered, and may fail",
        "_enter",
        "if is_apart and t.event != ERROR_EXECUTION:",
        "if False:",
    ),
    *both(
        "catches errors of contents while an error is handled",
        "the same while an error is handled",
        "_enter",
        "if is_apart and t.event != ERROR_EXECUTION:",
        "if is_apart:",
    ),
    *both(
        "invokes without keywords",
        "an invocation by the name of the state, with the keywords of the event",
        "_enter",
        "dict(engine.given(t))",
        "{}",
    ),
    *both(
        "invokes nothing", "an invocation by a class ends, and is cancelled", "_enter", "if entry.invokes:", "if False:"
    ),
    *both("says nothing done", "a final child is told, with its data", "_enter", "if entry.is_final:", "if False:"),
    *both("drops done data", "a final child is told, with its data", "_enter", "entry), entered)", "entry), [])"),
    *both("starts without atomic updates", "callbacks run group by group", "enter", "if is_atomic:", "if False:"),
    *both(
        "treats all that comes after alike",
        "what comes after a transition without a target fails, one by one",
        "_finish",
        "is_apart and t.event != ERROR_EXECUTION",
        "False",
    ),
    *both(
        "catches what comes after an error",
        "what comes after a transition without a target fails, one by one",
        "_finish",
        "is_apart and t.event != ERROR_EXECUTION",
        "is_apart",
    ),
    *both("raises what fails after", "an error in after_e0", "_finish", "engine._handle_error(error, t)", "raise"),
    Fault(
        "loses what callbacks give",
        "callbacks run group by group",
        "_microstep._each",
        "found.append(call(t))",
        "call(t)",
    ),
    Fault(
        "loses what callbacks give, awaited",
        "callbacks run group by group",
        "_microstep_async._each",
        "found.append(value)",
        "pass",
    ),
    *both("says nothing of errors", "an error in on_e0", "_each", "report(engine, error)", "pass"),
    *both(
        "ends a group at the first error",
        "arguments go to those who name them",
        "_each",
        "if not engine.sm.catch_errors_as_events:",
        "if True:",
    ),
    Fault(
        "writes a set of one",
        "a flat machine goes round",
        "_microstep.write",
        "values[0] if len(values) == 1 else OrderedSet(values)",
        "OrderedSet(values)",
    ),
    Fault(
        "writes an empty set",
        "a flat machine goes round",
        "_microstep.write",
        "if values else None",
        "if True else None",
    ),
    Fault(
        "remembers states of the class",
        "shallow history",
        "_microstep.record_histories",
        "sm._config._instance_states[value]",
        "sm.states_map[value]",
    ),
    # Plans.
    Fault(
        "asks parents first",
        "inner transitions go first, outer ones are there for all children",
        "_planner.Planner.candidates",
        "chain([state], state.ancestors())",
        "chain(state.ancestors(), [state])",
    ),
    Fault(
        "asks no parents",
        "a compound state is entered by its initial child, and left with it",
        "_planner.Planner.candidates",
        "chain([state], state.ancestors())",
        "[state]",
    ),
    Fault(
        "matches whole names",
        "dotted names match by their beginning",
        "_planner.Planner.candidates",
        "one.match(event)",
        "event in list(one.events)",
    ),
    Fault(
        "takes initial transitions",
        "a parent waits without an event",
        "_planner.Planner.candidates",
        "if not one.initial and ",
        "if ",
    ),
    Fault(
        "takes all that conflict",
        "of two transitions that exclude each other one is taken",
        "_planner.Planner.without_conflicts",
        "tuple(self._filter_conflicting_transitions(OrderedSet(chosen)))",
        "tuple(chosen)",
    ),
    Fault(
        "owns no state",
        "an internal self-transition",
        "_planner.Planner.plan",
        "if isinstance(state, InstanceState)",
        "if False",
    ),
    Fault("leaves nobody", "callbacks run group by group", "_planner._exits", "if value != info.state.value", ""),
    Fault(
        "enters by default without its action",
        "a compound state is entered by its initial child, and left with it",
        "_planner._entries",
        "initial[0] if len(initial) == 1 else None",
        "None",
    ),
    Fault(
        "enters always by default",
        "inner transitions go first, outer ones are there for all children",
        "_planner._entries",
        "if state.id in defaults else []",
        "",
    ),
    Fault(
        "knows no content of histories",
        "shallow history",
        "_planner._entries",
        "default_history.get(state.id, ())",
        "()",
    ),
    Fault(
        "enters states of the class",
        "shallow history",
        "_planner._entries",
        "isinstance(state, InstanceState),",
        "False,",
    ),
    Fault(
        "enters what is there",
        "an internal self-transition",
        "_planner._entries",
        "if state.value not in entered:",
        "if True:",
    ),
    # Programs.
    Fault(
        "takes guarded transitions for fixed",
        "the first transition whose guards hold is taken",
        "_programs.Choice.__init__",
        "any(one.validators or one.conditions for one in asked)",
        "False",
    ),
    Fault(
        "takes validated transitions for fixed",
        "a validator that fails",
        "_programs.Choice.__init__",
        "one.validators or one.conditions",
        "one.conditions",
    ),
    Fault("takes histories for fixed", "shallow history", "_programs.Choice.__init__", "owner.has_history or ", ""),
    Fault(
        "keeps one program for all histories",
        "shallow history",
        "_programs.Choice.program",
        "key = key, remembered",
        "pass",
    ),
    Fault(
        "lets conflicts be",
        "of two transitions that exclude each other one is taken",
        "_programs.Programs.compose",
        "if len(taken) > 1:",
        "if False:",
    ),
    Fault(
        "starts where it started before",
        "another machine of the class is there, which starts elsewhere",
        "_programs.Programs.initial",
        "tuple(machine.start_configuration_values)",
        "()",
    ),
    Fault(
        "hands no configurations to on",
        "callbacks run group by group",
        "_programs.Programs._bound",
        "_place(one, has_configurations=True)",
        "_place(one)",
    ),
    Fault(
        "hands configurations to before",
        "callbacks run group by group",
        "_programs.Programs._bound",
        "one.before.key, self._place(one)",
        "one.before.key, self._place(one, has_configurations=True)",
    ),
    Fault(
        "forgets where it goes after",
        "callbacks run group by group",
        "_programs.Programs._after",
        "Place(transition, target, transition.source, target)",
        "self._place(transition)",
    ),
    Fault(
        "hands no configurations on after all",
        "a transition without a target",
        "_programs.Programs._after",
        "_place(transition, has_configurations=True)",
        "_place(transition)",
    ),
    Fault(
        "takes all that comes after for apart",
        "an error in after_e0",
        "_programs.Programs._after",
        "event), target is None",
        "event), True",
    ),
    Fault(
        "leaves states of the class",
        "callbacks run group by group",
        "_programs.Programs._leaving",
        "own_state=True",
        "own_state=False",
    ),
    Fault(
        "leaves from states of the class",
        "callbacks run group by group",
        "_programs.Programs._leaving",
        "own_source=True",
        "own_source=False",
    ),
    Fault(
        "enters own states never",
        "shallow history",
        "_programs.Programs._entering",
        "own_state=is_own",
        "own_state=False",
    ),
    Fault(
        "enters own targets never",
        "shallow history",
        "_programs.Programs._entering",
        "own_target=is_own",
        "own_target=False",
    ),
    Fault(
        "takes all contents for apart",
        "what leads from a history to its default fails",
        "_programs.Programs._entering",
        "one in plan.transitions,\n",
        "True,\n",
    ),
    Fault(
        "invokes for every state",
        "the end of a machine, and what comes after",
        "_programs.Programs._entering",
        "state.invoke.key in self._invoking",
        "True",
    ),
    Fault(
        "calls for every event",
        "a transition by one of two events",
        "_binding.bind_for_event",
        "if source.is_for(event=event) else None",
        "",
    ),
    Fault("forgets the event", "callbacks run group by group", "_binding.bind_for_event", "event=event", "event=None"),
    Fault(
        "takes a set of one for one",
        "a compound state is entered by its initial child, and left with it",
        "_programs.Programs._choice",
        "(*values, _SEVERAL)",
        "values[0]",
    ),
    Fault(
        "shares programs with who has listeners",
        "another machine of the class is there, which has no listener",
        "_kind._is_plain",
        "or machine._listeners",
        "",
    ),
    Fault(
        "shares programs with who has a model",
        "another machine of the class is there, which has no model",
        "_kind._is_plain",
        "type(machine.model) is not Model or ",
        "",
    ),
    Fault(
        "shares all programs",
        "another machine of the class is there, and guards are texts",
        "_kind.Kind.__init__",
        "programs if programs.is_shared else None",
        "programs",
    ),
    Fault(
        "takes what happens for silent",
        "a guard that fails",
        "_programs.Program.__post_init__",
        "self.before or self.on or ",
        "self.before or ",
    ),
    Fault(
        "takes histories for silent",
        "what a transition to a history does is done again when the history is entered, and may fail",
        "_programs.Program.__post_init__",
        "has_callbacks or self.plan.remembered",
        "has_callbacks",
    ),
    Fault(
        "takes histories in line",
        "shallow history",
        "_programs.Program.__post_init__",
        "or self.plan.remembered or self.preparing",
        "or self.preparing",
    ),
    Fault(
        "takes invocations and ends in line",
        "a compound state is entered by its initial child, and left with it",
        "_programs.Program.__post_init__",
        "is_special |= any(one.is_special for one in self.entries)",
        "pass",
    ),
    # Microsteps in line.
    in_line("runs no before in line", "callbacks run group by group", "in line.before:", "in ():"),
    in_line("runs no exit in line", "callbacks run group by group", "in line.exits:", "in ():"),
    in_line("runs no on in line", "callbacks run group by group", "in line.on:", "in ():"),
    in_line("runs no enter in line", "callbacks run group by group", "in line.entries:", "in ():"),
    in_line("runs no after in line", "callbacks run group by group", "in line.after:", "in ():"),
    in_line(
        "writes a set of one in line",
        "callbacks run group by group",
        "program.value if program.is_single else OrderedSet",
        "OrderedSet",
    ),
    in_line(
        "undoes nothing in line", "arguments go to those who name them", "write(engine, program.plan.before)", "pass"
    ),
    in_line(
        "returns lists in line",
        "an error while an error is handled",
        "result[0] if len(result) == 1 else (result or None)",
        "result or None",
    ),
    # `prepare_event`.
    *both(
        "prepares for none that is asked",
        "each transition that is asked has something else prepared",
        "choose",
        "if candidate.preparing is not None:",
        "if False:",
    ),
    *both(
        "prepares again and again",
        "each transition that is asked has something else prepared",
        "_prepare",
        "if place.slot in prepared:",
        "if False:",
    ),
    *both(
        "forgets what was prepared before",
        "each transition that is asked has something else prepared",
        "_prepare",
        "if prepared is None:",
        "if True:",
    ),
    *both(
        "hands on nothing that is prepared",
        "each transition that is asked has something else prepared",
        "_prepare",
        "given.update(found)",
        "pass",
    ),
    *both(
        "prepares for no exit",
        "regions and done events have it prepared",
        "_leave",
        "if leaving.preparing is not None:",
        "if False:",
    ),
    *both(
        "prepares for no entry",
        "regions and done events have it prepared",
        "_enter",
        "if entry.preparing is not None:",
        "if False:",
    ),
    *both(
        "prepares nothing of a history",
        "a shallow history has it prepared",
        "_enter",
        "if preparing is not None:",
        "if False:",
    ),
    *both(
        "prepares nothing for what comes after",
        "a shallow history has it prepared",
        "_finish",
        "if preparing is not None:",
        "if False:",
    ),
    *both(
        "prepares nothing for the start",
        "regions and done events have it prepared",
        "enter",
        "in program.preparing:",
        "in ():",
    ),
    Fault(
        "prepares what callbacks do not get",
        "what is prepared goes before what callbacks are given otherwise",
        "_binding._fixed",
        "if is_prepared:",
        "if False:",
    ),
    Fault(
        "prepares for a whole transition at once",
        "a self-transition has it prepared for itself, for the exit and for the entry",
        "_programs.Programs._in_slot",
        "for one in slot",
        "for one in slot[-1:]",
    ),
    Fault(
        "sees nothing to do where something is prepared",
        "an error where a transition is prepared",
        "_programs.Choice.__init__",
        "self.is_prepared or any(",
        "any(",
    ),
    Fault(
        "goes by the event where another is prepared",
        "what is prepared goes before what callbacks are given otherwise",
        "_binding.bind_for_event",
        "place.slot is None or",
        "True or",
    ),
    # Arguments.
    Fault(
        "gives arguments to who wants names",
        "arguments go to those who name them",
        "_binding.source_of",
        "if by_name_only and left > 0:",
        "if False:",
    ),
    Fault(
        "gives no arguments",
        "arguments go to those who name them",
        "_binding.source_of",
        "takes_next = left > 0",
        "takes_next = False",
    ),
    Fault(
        "gives arguments twice",
        "arguments go to those who name them",
        "_binding.source_of",
        "left -= takes_next",
        "left -= 0",
    ),
    Fault(
        "prefers arguments to names",
        "arguments go to those who name them",
        "_binding.source_of",
        "given[{name!r}] if {name!r} in given else t.args[{count - left - 1}]",
        "t.args[{count - left - 1}]",
    ),
    Fault(
        "binds all to methods",
        "machine, model and listeners are called in this order",
        "_binding.read_callback",
        "and function.__self__ is machine:",
        ":",
    ),
    Fault(
        "forgets unless",
        "the first transition whose guards hold is taken",
        "_binding.read_callback",
        "expected, is_for = wrapper.expected_value",
        "expected, is_for = None",
    ),
    Fault(
        "owns nothing",
        "a state that is left is the machine's own, and knows that it is active",
        "_binding._own",
        "if is_own",
        "if False",
    ),
    Fault(
        "tells the place of the transition",
        "callbacks run group by group",
        "_trigger.event_data_at",
        "found.state, found.source, found.target = states_at(trigger, place)",
        "pass",
    ),
    Fault(
        "tells one place for all",
        "callbacks run group by group",
        "_trigger.event_data_at",
        "key = id(place.transition), id(place.state)",
        "key = id(place.transition), 0",
    ),
    Fault(
        "spreads no configurations",
        "callbacks run group by group",
        "_trigger.spread",
        "if place.has_configurations:",
        "if False:",
    ),
    Fault("spreads no keywords", "arguments go to those who name them", "_trigger._names", "**trigger.given,", ""),
    Fault(
        "tells all states as of the class",
        "an internal self-transition",
        "_trigger.Trigger.new_configuration",
        "if value in self.plan.own",
        "if False",
    ),
    Fault(
        "tells where it goes as where it was",
        "callbacks run group by group",
        "_trigger.Trigger.previous_configuration",
        "self.plan.before",
        "self.plan.after",
    ),
    Fault(
        "states are of the class",
        "callbacks run group by group",
        "_trigger.states_at",
        "own(trigger, place.state) if place.own_state else place.state",
        "place.state",
    ),
    Fault(
        "sources are of the class",
        "callbacks run group by group",
        "_trigger.states_at",
        "own(trigger, place.source) if place.own_source else place.source",
        "place.source",
    ),
    Fault(
        "targets are of the class",
        "shallow history",
        "_trigger.states_at",
        "own(trigger, place.target) if",
        "place.target if",
    ),
    # Queues.
    Fault(
        "takes the last",
        "what a callback sends to its own machine waits; what it raises internally comes first",
        "_queue.LightQueue.put",
        "heappush(self.queue.queue, trigger_data)",
        "self.queue.queue.insert(0, trigger_data)",
    ),
    Fault(
        "takes cancelled events for events",
        "a delayed event is cancelled when nothing else waits",
        "_queue.LightQueue.is_empty",
        "bool(super().is_empty())",
        "bool(super().is_empty()) and False",
    ),
    Fault(
        "forgets nothing",
        "an invalid definition is found in before_e0",
        "_queue.LightQueue.clear",
        "if self.queue.queue:",
        "if False:",
    ),
    Fault("throws a queue away", "a flat machine goes round", "_queue.LightQueue.of", "light.put(trigger)", "pass"),
    # Loops.
    Fault(
        "is deaf to new listeners",
        "a listener hears from when it is added",
        "_planned.PlannedEngine.forget_programs",
        "self._programs, self._is_simple, self._has_own_callbacks = None, False, True",
        "pass",
    ),
    Fault(
        "hides what models hear",
        "a flat machine goes round",
        "_planned.PlannedEngine._look_at_machine",
        "self.sm.atomic_configuration_update or not _hears_writes(self.sm)",
        "True",
    ),
    Fault(
        "enters again what was written",
        "a state value that is written is believed, if there is such a state",
        "_planned.PlannedEngine._initial_program",
        "and getattr(sm.model, sm.state_field, None) is None",
        "",
    ),
    Fault(
        "takes events before what follows from them",
        "eventless transitions follow at once, as long as their guards hold",
        "_planned.SyncPlannedEngine._run_macrostep",
        "if self.programs.has_eventless:",
        "if False:",
    ),
    Fault(
        "takes events before what follows from them, awaited",
        "eventless transitions follow at once, as long as their guards hold",
        "_planned_async.AsyncPlannedEngine._run_macrostep",
        "if self.programs.has_eventless:",
        "if False:",
    ),
    Fault(
        "leaves internal events",
        "arguments go to those who name them",
        "_planned.SyncPlannedEngine._run_macrostep",
        "if not self.internal_queue.queue.queue or",
        "if True or",
    ),
    Fault(
        "leaves internal events, awaited",
        "arguments go to those who name them",
        "_planned_async.AsyncPlannedEngine._run_macrostep",
        "if not self.internal_queue.queue.queue or",
        "if True or",
    ),
    Fault(
        "has taken nothing",
        "a parent waits without an event",
        "_planned.SyncPlannedEngine._run_macrostep",
        "took_events = True",
        "took_events = False",
    ),
    Fault(
        "has taken nothing, awaited",
        "a parent waits without an event",
        "_planned_async.AsyncPlannedEngine._run_macrostep",
        "took_events = True",
        "took_events = False",
    ),
    Fault(
        "refuses nothing",
        "events without a transition",
        "_planned.SyncPlannedEngine._take_external_event",
        "if not self.sm.allow_event_without_transition:",
        "if False:",
    ),
    Fault(
        "refuses nothing, awaited",
        "events without a transition",
        "_planned_async.AsyncPlannedEngine._take_external_event",
        "if not self.sm.allow_event_without_transition:",
        "if False:",
    ),
    Fault(
        "tells no handler",
        "an invocation by a class ends, and is cancelled",
        "_planned.SyncPlannedEngine._take_external_event",
        "if manager is not None and self._has_to_tell(manager):",
        "if False:",
    ),
    Fault(
        "tells no handler, awaited",
        "an invocation by a class ends, and is cancelled",
        "_planned_async.AsyncPlannedEngine._take_external_event",
        "if manager is not None and self._has_to_tell(manager):",
        "if False:",
    ),
    Fault(
        "keeps the queue after an error",
        "an invalid definition is found in before_e0",
        "_planned.SyncPlannedEngine._take_external_event",
        "self.clear()",
        "pass",
    ),
    Fault(
        "keeps the queue after an error within",
        "an internal event that fails takes what waits with it",
        "_planned.SyncPlannedEngine._process",
        "self.clear()",
        "pass",
    ),
    Fault(
        "starts no invocation",
        "an invocation by a class ends, and is cancelled",
        "_planned.PlannedEngine._has_to_spawn",
        "manager._pending or ",
        "",
    ),
    Fault(
        "ends without dropping events",
        "the end of a machine, and what comes after",
        "_planned.SyncPlannedEngine._process",
        "if not self.running:\n            self._drop_external_events()",
        "if not self.running:\n            pass",
    ),
    Fault(
        "never ends by regions",
        "a machine of regions ends when all are done",
        "_planned.SyncPlannedEngine._process",
        "self._check_root_final_state()",
        "pass",
    ),
    Fault(
        "returns nothing",
        "callbacks run group by group",
        "_planned.SyncPlannedEngine._process",
        "None if first is self._sentinel else first",
        "None",
    ),
    Fault(
        "moves silently before those who hear",
        "a flat machine goes round",
        "_planned.SyncPlannedEngine._take",
        "and self._is_unseen",
        "",
    ),
    Fault(
        "moves silently past handlers",
        "an invocation by a class ends, and is cancelled",
        "_planned.SyncPlannedEngine._take",
        "self.is_invoking",
        "False",
    ),
    Fault(
        "moves silently past handlers, awaited",
        "an invocation by a class ends, and is cancelled",
        "_planned_async.AsyncPlannedEngine._take",
        "self.is_invoking",
        "False",
    ),
    # The short road of an event that is called.
    Fault(
        "calls past the queue",
        "an event of another thread, before",
        "_planned.SyncPlannedEngine.fire",
        "or self.external_queue.queue.queue:",
        ":",
    ),
    Fault(
        "calls after the end",
        "the end of a machine ends what it has invoked",
        "_planned.SyncPlannedEngine.fire",
        "or not self.running ",
        "",
    ),
    Fault(
        "calls delayed events now",
        "arguments go to those who name them",
        "_planned.SyncPlannedEngine.fire",
        "not is_plain_call(event, kwargs) or ",
        "",
    ),
    Fault(
        "leaves what was sent meanwhile",
        "arguments go to those who name them",
        "_planned.SyncPlannedEngine._process_program",
        "self._process()",
        "pass",
    ),
    Fault(
        "keeps the queue after an error of a call",
        "an error when the machine is warm",
        "_planned.SyncPlannedEngine._process_program",
        "self.clear()",
        "pass",
    ),
    Fault(
        "calls refused events",
        "events without a transition",
        "_planned.SyncPlannedEngine._refuse",
        "if not self.sm.allow_event_without_transition:",
        "if False:",
    ),
    Fault(
        "calls past what there is to do",
        "an invocation by a class ends, and is cancelled",
        "_planned.PlannedEngine._has_company",
        "or self._has_more_to_do",
        "",
    ),
    Fault(
        "calls before what follows by itself",
        "eventless transitions follow at once, as long as their guards hold",
        "_planned.PlannedEngine.programs",
        "or self._programs.has_eventless)",
        ")",
    ),
    Fault(
        "calls past models", "a flat machine goes round", "_planned.PlannedEngine.programs", "self._is_unseen and ", ""
    ),
    Fault(
        "settles without ending",
        "what follows by itself ends a machine, the 7th time that it is asked",
        "_planned.SyncPlannedEngine._settle",
        "self._check_root_final_state()",
        "pass",
    ),
    Fault(
        "takes any call for plain",
        "arguments go to those who name them",
        "_events.is_plain_call",
        "(kwargs and not _SPECIAL.isdisjoint(kwargs))",
        "False",
    ),
    Fault(
        "tells nobody of new callbacks",
        "a listener hears from when it is added",
        "_registry.WatchedRegistry.__getitem__",
        "engine.forget_programs()",
        "pass",
    ),
)
